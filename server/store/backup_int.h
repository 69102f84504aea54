/* backup_int.h - what making and reading a backup share.
 *
 * MANIFEST, one thing a line, in the order of the archive (files in the order of their ids):
 *   tacit-backup 1
 *   created <Unix seconds>
 *   schema <number of the last migration>
 *   member <SHA-256> <size> <name>
 *   deleted <id> | missing <id>
 *   manifest <SHA-256 of all lines above> */
#ifndef TACIT_SERVER_STORE_BACKUP_INT_H
#define TACIT_SERVER_STORE_BACKUP_INT_H

#include <sqlite3.h>

#include "base/buf.h"
#include "crypto/hash.h"
#include "server/store/backup.h"
#include "server/store/blob.h"
#include "server/store/store.h"

#define BACKUP_FORMAT 1
#define BACKUP_CHUNK_BYTES (64 * 1024)
#define BACKUP_MAX_MANIFEST (512u * 1024 * 1024) /* some four million files */

struct backup_file { /* a row of files */
	char id[STORE_FILE_ID_CHARS + 1];
	uint64_t bytes;
	uint8_t sha256[TACIT_SHA256_BYTES];
};

/* err, with the text for the operator. */
TACIT_PRINTF(3, 4)
enum tacit_err backup_fail(char why[256], enum tacit_err err, const char *text, ...);
/* The meaning of an errno. */
enum tacit_err backup_errno(int cause);

/* A folder of our own beside path, and away with it. out: at least strlen(path) + 16 bytes. */
TACIT_MUST_USE enum tacit_err backup_work_folder(
        const char *path, char *out, size_t room, char why[256]);
/* The folder and everything in it; what cannot be removed stays. */
void backup_remove_tree(const char *folder);
/* Only what is in it. */
void backup_empty_folder(const char *folder);
/* What was renamed into the folder of path stays so after a power failure. */
TACIT_MUST_USE enum tacit_err backup_sync_folder_of(const char *path);

/* Walks the files of a database by id. */
TACIT_MUST_USE enum tacit_err backup_each_file(sqlite3 *db,
        enum tacit_err (*each)(void *ctx, const struct backup_file *f), void *ctx, char why[256]);
/* The number of the last migration. */
TACIT_MUST_USE enum tacit_err backup_schema(sqlite3 *db, int64_t *schema, char why[256]);
TACIT_MUST_USE enum tacit_err backup_member_line(struct tacit_buf *out,
        const uint8_t sha256[TACIT_SHA256_BYTES], uint64_t bytes, const char *name);

#endif
