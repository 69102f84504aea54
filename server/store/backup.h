/* backup.h - the whole installation in one file: made while the server runs, checked, put back.
 *
 * A backup is a tar archive (pax): "tacit.db", a snapshot of one moment; "blobs/<id>" for each file
 * that the snapshot names; "MANIFEST" at the end with size and SHA-256 of each of them. It can be
 * read with any tar. Uploads under way are not in it.
 *
 * It holds what the server holds, and nothing beside: the server's own key (SECRET_KEY) is not in
 * it, because a stolen backup must not open the TOTP seeds. Keep that key elsewhere.
 *
 * All calls block for long: a process of their own, or a FILE lane. why gets a text for the
 * operator on failure. */
#ifndef TACIT_SERVER_STORE_BACKUP_H
#define TACIT_SERVER_STORE_BACKUP_H

#include "base/bytes.h"
#include "base/err.h"

struct backup_report {
	uint64_t files, bytes; /* blobs in it and their size together */
	uint64_t deleted;      /* files deleted while the backup ran: left out, and said so */
	uint64_t missing;      /* blobs that the server itself had lost: damage, not the backup's */
	int64_t created_at;    /* Unix seconds */
	int64_t schema;        /* number of the last migration */
};

/* From a store and its blob folder into a new file at path, readable by the owner only; a temporary
 * name beside it is used until it is complete and on disk. The server may run meanwhile. Blobs that
 * are lost (report->missing) do not stop it: what is left is worth keeping.
 * Fails: USAGE (url), EXISTS (path), IO, STORE..., STORE_FULL, NOMEM. */
TACIT_MUST_USE enum tacit_err backup_create(const char *url, const char *blob_folder,
        const char *path, struct backup_report *report, char why[256]);

/* Every member against the MANIFEST, the database's own integrity, every file of the database
 * against its blob. Needs room for the database beside the archive while it runs.
 * OK also with missing > 0: the archive is what it was. Fails: STORE_CORRUPT (anything differs),
 * UNSUPPORTED (made by a newer version), IO, STORE_FULL, NOMEM. */
TACIT_MUST_USE enum tacit_err backup_verify(
        const char *path, struct backup_report *report, char why[256]);

/* Into a data folder that is empty or not there yet, checked as by backup_verify on the way; the
 * database gets its name last, so that a server never starts on half of it.
 * Fails: as backup_verify, EXISTS (the folder is not empty; nothing was touched). */
TACIT_MUST_USE enum tacit_err backup_restore(
        const char *path, const char *folder, struct backup_report *report, char why[256]);

#endif
