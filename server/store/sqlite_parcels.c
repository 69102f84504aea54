/* Parcels, and who claims to download them. */
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

static enum tacit_err find(struct sqlite *s, const char *id, struct store_parcel *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	*out = (struct store_parcel){0};
	TRY(sql_first(s, SQL_PARCEL_GET, ARGS(sql_text(id)), &st));
	*out = (struct store_parcel){
	        .head_bytes = sqlite3_column_int64(st, 3),
	        .bytes = sqlite3_column_int64(st, 4),
	        .offset = sqlite3_column_int64(st, 5),
	        .downloads = sqlite3_column_int64(st, 6),
	        .lifetime = sqlite3_column_int64(st, 7),
	        .created_at = sqlite3_column_int64(st, 8),
	        .expires_at = sqlite3_column_int64(st, 9),
	        .ready = sqlite3_column_int64(st, 10) != 0,
	        .ended = (enum store_parcel_end)sqlite3_column_int64(st, 11),
	        .ended_at = sqlite3_column_int64(st, 12),
	};
	TRY(sql_column_text(st, 0, out->id, sizeof(out->id)));
	TRY(sql_column_blob(st, 1, out->access, sizeof(out->access)));
	TRY(sql_column_blob(st, 2, out->owner, sizeof(out->owner)));
out:
	sql_done(&st);
	if (err != TACIT_OK)
		*out = (struct store_parcel){0};
	return err;
}

static bool is_over(const struct sqlite *s, const struct store_parcel *p)
{
	return p->ended != STORE_PARCEL_LIVES || p->expires_at <= s->now;
}

static enum tacit_err find_living(struct sqlite *s, const char *id, struct store_parcel *out)
{
	enum tacit_err err = find(s, id, out);
	return err == TACIT_OK && is_over(s, out) ? TACIT_E_GONE : err;
}

enum tacit_err sql_end_parcel(struct sqlite *s, const char *id, enum store_parcel_end why)
{
	enum tacit_err err;
	TRY(sql_change(s, SQL_PARCEL_END, ARGS(sql_text(id), sql_int(why), sql_int(s->now))));
	TRY(sql_run(s, SQL_CLAIMS_LAPSED_DELETE, ARGS(sql_text(id), sql_int(INT64_MAX))));
	s->purge = PURGE_NOW;
out:
	return err;
}

enum tacit_err sqlite_parcel_create(
        struct store *store, const struct store_parcel *p, int64_t idle_s, int64_t room_bytes)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel earlier;
	bool taken = false;
	int64_t used = 0, expires_at = s->now + idle_s;
	bool sound = p->head_bytes > 0 && p->bytes > p->head_bytes && p->downloads > 0 &&
	             p->lifetime > 0;
	TRY(sound ? TACIT_OK : TACIT_E_USAGE);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_any(s, SQL_FILE_EXISTS, ARGS(sql_text(p->id)), &taken));
	TRY(taken ? TACIT_E_EXISTS : TACIT_OK);
	err = find(s, p->id, &earlier); /* also one that has ended */
	TRY(err == TACIT_OK ? TACIT_E_EXISTS : err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	TRY(sql_integer(s, SQL_PARCEL_BYTES, NO_ARGS, &used));
	TRY(p->bytes <= room_bytes - used ? TACIT_OK : TACIT_E_LIMIT);
	TRY(sql_run(s, SQL_PARCEL_ADD,
	        ARGS(sql_text(p->id), sql_blob(p->access, sizeof(p->access)),
	                sql_blob(p->owner, sizeof(p->owner)), sql_int(p->head_bytes),
	                sql_int(p->bytes), sql_int(p->downloads), sql_int(p->lifetime),
	                sql_int(s->now), sql_int(expires_at))));
	store_tell_deadline(store, expires_at);
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_parcel_get(struct store *store, const char *id, struct store_parcel *out)
{
	struct sqlite *s = sqlite_of(store);
	enum tacit_err err = find(s, id, out);
	if (err == TACIT_OK && out->ended == STORE_PARCEL_LIVES && is_over(s, out)) {
		out->ended = STORE_PARCEL_EXPIRED;
		out->ended_at = out->expires_at;
	}
	return err;
}

enum tacit_err sqlite_parcel_advance(
        struct store *store, const char *id, int64_t from_offset, int64_t to_offset, int64_t idle_s)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(find_living(s, id, &p));
	bool fits = !p.ready && p.offset == from_offset && to_offset >= from_offset &&
	            to_offset <= p.bytes;
	TRY(fits ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_change(s, SQL_PARCEL_ADVANCE,
	        ARGS(sql_text(id), sql_int(to_offset), sql_int(s->now + idle_s))));
	store_tell_deadline(store, s->now + idle_s);
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_parcel_ready(struct store *store, const char *id)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(find_living(s, id, &p));
	if (!p.ready) {
		TRY(p.offset == p.bytes ? TACIT_OK : TACIT_E_CONFLICT);
		TRY(sql_change(
		        s, SQL_PARCEL_READY, ARGS(sql_text(id), sql_int(s->now + p.lifetime))));
		store_tell_deadline(store, s->now + p.lifetime);
	}
out:
	return sql_leave(s, &scope, err);
}

/* --- claims ---------------------------------------------------------------------------------- */

static enum tacit_err read_claim(sqlite3_stmt *st, struct store_parcel_claim *out)
{
	enum tacit_err err;
	*out = (struct store_parcel_claim){
	        .state = (enum store_claim_state)sqlite3_column_int64(st, 1),
	        .lapses_at = sqlite3_column_int64(st, 2),
	        .changed_at = sqlite3_column_int64(st, 3),
	};
	TRY(sql_column_blob(st, 0, out->token, sizeof(out->token)));
	if (out->state == STORE_CLAIM_DONE)
		TRY(sql_column_blob(st, 4, out->receipt, sizeof(out->receipt)));
out:
	return err;
}

static enum tacit_err find_claim(struct sqlite *s, const char *id,
        const uint8_t token[STORE_HASH_BYTES], struct store_parcel_claim *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	*out = (struct store_parcel_claim){0};
	TRY(sql_first(s, SQL_CLAIM_GET,
	        ARGS(sql_text(id), sql_blob(token, STORE_HASH_BYTES), sql_int(s->now)), &st));
	TRY(read_claim(st, out));
out:
	sql_done(&st);
	return err;
}

static enum tacit_err add_claim(struct sqlite *s, const struct store_parcel *p,
        const uint8_t token[STORE_HASH_BYTES], int64_t lapse_s)
{
	enum tacit_err err;
	int64_t taken = 0;
	TRY(sql_run(s, SQL_CLAIMS_LAPSED_DELETE, ARGS(sql_text(p->id), sql_int(s->now))));
	TRY(sql_integer(s, SQL_CLAIM_COUNT, ARGS(sql_text(p->id), sql_int(s->now)), &taken));
	TRY(taken < p->downloads ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_run(s, SQL_CLAIM_ADD,
	        ARGS(sql_text(p->id), sql_blob(token, STORE_HASH_BYTES), sql_int(s->now + lapse_s),
	                sql_int(s->now))));
out:
	return err;
}

enum tacit_err sqlite_parcel_claim(
        struct store *store, const char *id, const uint8_t token[STORE_HASH_BYTES], int64_t lapse_s)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	struct store_parcel_claim c;
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(find_living(s, id, &p));
	TRY(p.ready ? TACIT_OK : TACIT_E_CONFLICT);
	err = find_claim(s, id, token, &c);
	if (err == TACIT_E_NOT_FOUND)
		err = add_claim(s, &p, token, lapse_s);
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_parcel_claim_get(struct store *store, const char *id,
        const uint8_t token[STORE_HASH_BYTES], struct store_parcel_claim *out)
{
	return find_claim(sqlite_of(store), id, token, out);
}

enum tacit_err sqlite_parcel_begin(
        struct store *store, const char *id, const uint8_t token[STORE_HASH_BYTES])
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	struct store_parcel_claim c;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(find_living(s, id, &p));
	TRY(find_claim(s, id, token, &c));
	if (c.state == STORE_CLAIM_RESERVED)
		TRY(sql_change(s, SQL_CLAIM_BEGIN,
		        ARGS(sql_text(id), sql_blob(token, STORE_HASH_BYTES), sql_int(s->now))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_parcel_release(
        struct store *store, const char *id, const uint8_t token[STORE_HASH_BYTES])
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	struct store_parcel_claim c;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(find_living(s, id, &p));
	TRY(find_claim(s, id, token, &c));
	TRY(c.state == STORE_CLAIM_RESERVED ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_change(s, SQL_CLAIM_DELETE, ARGS(sql_text(id), sql_blob(token, STORE_HASH_BYTES))));
out:
	return sql_leave(s, &scope, err);
}

static enum tacit_err commit_claim(struct sqlite *s, const struct store_parcel *p,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t receipt[STORE_RECEIPT_BYTES],
        bool *ended)
{
	enum tacit_err err;
	int64_t done = 0;
	TRY(sql_change(s, SQL_CLAIM_COMMIT,
	        ARGS(sql_text(p->id), sql_blob(token, STORE_HASH_BYTES), sql_int(s->now),
	                sql_blob(receipt, STORE_RECEIPT_BYTES))));
	TRY(sql_integer(s, SQL_CLAIM_DONE_COUNT, ARGS(sql_text(p->id)), &done));
	if (!is_over(s, p) && done == p->downloads) {
		TRY(sql_end_parcel(s, p->id, STORE_PARCEL_TAKEN));
		*ended = true;
	}
out:
	return err;
}

enum tacit_err sqlite_parcel_commit(struct store *store, const char *id,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t receipt[STORE_RECEIPT_BYTES],
        bool *ended)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	struct store_parcel_claim c;
	*ended = false;
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(find(s, id, &p));
	TRY(find_claim(s, id, token, &c));
	TRY(c.state != STORE_CLAIM_RESERVED ? TACIT_OK : TACIT_E_CONFLICT);
	if (c.state == STORE_CLAIM_BEGUN)
		TRY(commit_claim(s, &p, token, receipt, ended));
out:
	err = sql_leave(s, &scope, err);
	*ended &= err == TACIT_OK;
	return err;
}

enum tacit_err sqlite_parcel_revoke(struct store *store, const char *id)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_parcel p;
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(find(s, id, &p));
	if (p.ended == STORE_PARCEL_LIVES)
		TRY(sql_end_parcel(
		        s, id, is_over(s, &p) ? STORE_PARCEL_EXPIRED : STORE_PARCEL_REVOKED));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_parcel_claim_list(struct store *store, const char *id,
        enum tacit_err (*row)(void *ctx, const struct store_parcel_claim *c), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sqlite3_stmt *st = NULL;
	struct store_parcel p;
	struct store_parcel_claim c;
	bool more = false;
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(find(s, id, &p));
	TRY(sql_start(s, SQL_CLAIM_LIST, ARGS(sql_text(id), sql_int(s->now)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		TRY(read_claim(st, &c));
		TRY(row(ctx, &c));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return sql_leave(s, &scope, err);
}
