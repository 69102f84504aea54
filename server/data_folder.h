/* data_folder.h - the folder that holds everything a server keeps, and who may use it.
 *
 *   tacit.db (-wal, -shm)  the store        blobs/      file bodies
 *   server.key             the secret, when SECRET_KEY is not set
 *   lock                   held by the one server that runs on this folder */
#ifndef TACIT_SERVER_DATA_FOLDER_H
#define TACIT_SERVER_DATA_FOLDER_H

#include "base/env.h"
#include "base/err.h"
#include "crypto/secret.h"

struct data_folder {
	char *path;
	int lock; /* -1: not held */
};

enum data_folder_use {
	DATA_FOLDER_SERVE, /* make it when it is missing, and hold the lock */
	DATA_FOLDER_ADMIN, /* it must be there; a server may be running on it */
};

/* f is to be closed in any case. Fails: CONFLICT (another server holds the lock), NOT_FOUND (ADMIN:
 * no such folder), IO, NOMEM. */
TACIT_MUST_USE enum tacit_err data_folder_open(
        struct data_folder *f, const char *path, enum data_folder_use use, char why[256]);
/* Could a server open it? Makes nothing and takes no lock. *f is filled in when it exists, else its
 * path is NULL; to be closed in any case. Fails: IO, NOMEM. */
TACIT_MUST_USE enum tacit_err data_folder_check(
        struct data_folder *f, const char *path, char why[256]);
void data_folder_close(struct data_folder *f);

/* "PREFIX" "path" "/NAME"; the caller frees with tacit_free. NULL: out of memory. */
char *data_folder_join(const struct data_folder *f, const char *prefix, const char *name);

/* The server's secret from server.key, made (0600, never overwritten, synced) when it is missing.
 * Fails: IO, MALFORMED, NOMEM. */
enum data_folder_key { DATA_FOLDER_MAKE_KEY, DATA_FOLDER_ONLY_READ_KEY /* NOT_FOUND */ };
TACIT_MUST_USE enum tacit_err data_folder_secret(const struct data_folder *f,
        enum data_folder_key key, const struct tacit_env *env, struct tacit_secret *out,
        char why[256]);

#endif
