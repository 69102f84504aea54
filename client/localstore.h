/* localstore.h - a profile on disk: one SQLite file whose contents are sealed before they get here.
 *
 * Records (id -> data), the history (tag, position -> data), the profile blob and a few plain
 * settings. The file says nothing but sizes and whose it is. An acknowledged transaction is on
 * disk.
 *
 * Two processes of one profile take turns by the lock; each asks with localstore_changed, under the
 * lock, whether the other has written meanwhile. One thread per handle. */
#ifndef TACIT_CLIENT_LOCALSTORE_H
#define TACIT_CLIENT_LOCALSTORE_H

#include "base/buf.h"
#include "base/err.h"
#include "e2e/record.h"

#define LOCALSTORE_FILE "store.db"
#define LOCALSTORE_LOCK "lock"
#define LOCALSTORE_MAX_VALUE (16 * 1024 * 1024)

struct localstore;

/* Opens, or makes, the store in folder (absolute, resolved). Files are 0600; a symbolic link or
 * another owner is refused. Waits for the profile's turn.
 * Fails: CANCELLED (as lock), IO, STORE, STORE_CORRUPT, STORE_BUSY, STORE_FULL, UNSUPPORTED (made
 * by a later version), NOMEM. */
TACIT_MUST_USE enum tacit_err localstore_open(const char *folder, struct localstore **out);
void localstore_close(struct localstore *s); /* NULL is fine */

/* Waits for the profile's turn. Fails: CANCELLED (a signal came: ask again or give up), IO. */
TACIT_MUST_USE enum tacit_err localstore_lock(struct localstore *s);
/* Does not wait. Fails: STORE_BUSY (another has it), IO. */
TACIT_MUST_USE enum tacit_err localstore_try_lock(struct localstore *s);
void localstore_unlock(struct localstore *s);
/* Has another process committed since the last call (or since open)? Fails: as open. */
TACIT_MUST_USE enum tacit_err localstore_changed(struct localstore *s, bool *changed);

/* One transaction around puts. A put outside is one of its own. Fail: as open. */
TACIT_MUST_USE enum tacit_err localstore_begin(struct localstore *s);
TACIT_MUST_USE enum tacit_err localstore_commit(struct localstore *s);
void localstore_rollback(struct localstore *s); /* no transaction: nothing happens */

/* Empty data deletes. */
TACIT_MUST_USE enum tacit_err localstore_put_record(
        struct localstore *s, const struct tacit_record_id *id, struct tacit_bytes data);
/* What stands there already stays. Fails also: USAGE (position beyond 2^63). */
TACIT_MUST_USE enum tacit_err localstore_put_log(struct localstore *s,
        const struct tacit_record_id *tag, uint64_t position, struct tacit_bytes data);
/* The entries from..until are gone, overwritten in the file; once the transaction is committed also
 * from the write-ahead log, at once or, where another process reads just then, at a later commit.
 */
TACIT_MUST_USE enum tacit_err localstore_purge_log(
        struct localstore *s, const struct tacit_record_id *tag, uint64_t from, uint64_t until);
TACIT_MUST_USE enum tacit_err localstore_put_profile(struct localstore *s, struct tacit_bytes data);
/* A setting in the clear ("server"); empty value deletes. */
TACIT_MUST_USE enum tacit_err localstore_put_setting(
        struct localstore *s, const char *name, struct tacit_bytes value);

/* Append to out. Fail also: NOT_FOUND. */
TACIT_MUST_USE enum tacit_err localstore_profile(struct localstore *s, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err localstore_setting(
        struct localstore *s, const char *name, struct tacit_buf *out);

/* Every record, in no order. Stops at the first error of each and returns it. */
TACIT_MUST_USE enum tacit_err localstore_each_record(struct localstore *s,
        enum tacit_err (*each)(
                void *ctx, const struct tacit_record_id *id, struct tacit_bytes data),
        void *ctx);
/* Appends one entry of the history to out. Fails also: NOT_FOUND. */
TACIT_MUST_USE enum tacit_err localstore_get_log(struct localstore *s,
        const struct tacit_record_id *tag, uint64_t position, struct tacit_buf *out);
/* The last `limit` entries of a tag before a position, oldest first. Stops like each_record. */
struct localstore_span {
	struct tacit_record_id tag;
	uint64_t before, limit;
};
TACIT_MUST_USE enum tacit_err localstore_each_log(struct localstore *s,
        const struct localstore_span *span,
        enum tacit_err (*each)(void *ctx, uint64_t position, struct tacit_bytes data), void *ctx);

#endif
