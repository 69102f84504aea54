/* blob.h - file bodies under the data folder: written to a temporary name, synced, then renamed.
 *
 * A blob's name is its id (32 hex digits), nothing from outside. Partial uploads stay under their
 * own name so that they can go on after a restart. All calls block: FILE lane or start-up only.
 * One store may be used by several threads, for different ids. An id in another form is NOT_FOUND
 * to blob_open and USAGE to the others; every call may fail with NOMEM. */
#ifndef TACIT_SERVER_STORE_BLOB_H
#define TACIT_SERVER_STORE_BLOB_H

#include "base/bytes.h"
#include "base/err.h"

struct blob_store;

/* Makes the folders (0700). Fails: IO. */
TACIT_MUST_USE enum tacit_err blob_store_open(const char *folder, struct blob_store **out);
void blob_store_close(struct blob_store *b);

/* Opens the partial body for writing, creating it if need be; *size is what it holds. One writer at
 * a time is the caller's duty. Fails: IO, STORE_FULL. */
TACIT_MUST_USE enum tacit_err blob_partial_open(
        struct blob_store *b, const char *id, int *fd, uint64_t *size);
/* Writes all of it at the offset. Fails: STORE_FULL, IO. */
TACIT_MUST_USE enum tacit_err blob_write(int fd, uint64_t offset, struct tacit_bytes data);
/* What was written is on disk when this returns. Fails: STORE_FULL, IO. */
TACIT_MUST_USE enum tacit_err blob_sync(int fd);
/* Cuts a partial back (a torn write after a crash). Fails: IO. */
TACIT_MUST_USE enum tacit_err blob_truncate(int fd, uint64_t size);
/* The partial becomes the blob; durable on return, and OK again when it is one already (a retry
 * after a crash). Fails: IO, STORE_FULL, NOT_FOUND. */
TACIT_MUST_USE enum tacit_err blob_publish(struct blob_store *b, const char *id);
/* For reading. Fails: NOT_FOUND, IO. */
TACIT_MUST_USE enum tacit_err blob_open(
        struct blob_store *b, const char *id, int *fd, uint64_t *size);
/* Partial and complete alike; OK when there is none. Fails: IO. */
TACIT_MUST_USE enum tacit_err blob_delete(struct blob_store *b, const char *id);
/* Every id in the folder, complete and partial, for finding orphans at start. */
TACIT_MUST_USE enum tacit_err blob_each(struct blob_store *b,
        enum tacit_err (*each)(void *ctx, const char *id, bool partial), void *ctx);

#endif
