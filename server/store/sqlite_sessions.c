/* What proves who is asking: one-time tokens, sessions; and the settings. Spent signatures are in
 * sqlite_spent.c. */
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

enum tacit_err sqlite_meta_get(struct store *s, const char *key, struct tacit_buf *out)
{
	return sql_buffer(sqlite_of(s), SQL_META_GET, ARGS(sql_text(key)), out);
}

enum tacit_err sqlite_meta_set(struct store *s, const char *key, struct tacit_bytes value)
{
	return sql_change_alone(sqlite_of(s), SQL_META_SET, ARGS(sql_text(key), sql_bytes(value)));
}

enum tacit_err sqlite_token_put(struct store *s, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], struct tacit_bytes value, int64_t expires_at)
{
	return sql_change_alone(sqlite_of(s), SQL_TOKEN_PUT,
	        ARGS(sql_text(kind), sql_blob(hash, STORE_HASH_BYTES), sql_bytes(value),
	                sql_int(expires_at)));
}

enum tacit_err sqlite_token_peek(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_buf *value)
{
	struct sqlite *s = sqlite_of(store);
	sql_time(s, now);
	return sql_buffer(s, SQL_TOKEN_GET,
	        ARGS(sql_text(kind), sql_blob(hash, STORE_HASH_BYTES), sql_int(now)), value);
}

enum tacit_err sqlite_token_take(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_buf *value)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	size_t before = value->n;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sqlite_token_peek(store, kind, hash, now, value));
	TRY(sql_change(
	        s, SQL_TOKEN_DELETE, ARGS(sql_text(kind), sql_blob(hash, STORE_HASH_BYTES))));
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK)
		value->n = before;
	return err;
}

enum tacit_err sqlite_token_update(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_bytes value)
{
	struct sqlite *s = sqlite_of(store);
	sql_time(s, now);
	return sql_change_alone(s, SQL_TOKEN_UPDATE,
	        ARGS(sql_text(kind), sql_blob(hash, STORE_HASH_BYTES), sql_int(now),
	                sql_bytes(value)));
}

enum tacit_err sqlite_session_create(struct store *store, int64_t user_id,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t refresh[STORE_HASH_BYTES], int64_t now,
        int64_t expires_at, int64_t *id)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	*id = 0;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_run(s, SQL_SESSION_ADD,
	        ARGS(sql_int(user_id), sql_blob(token, STORE_HASH_BYTES),
	                sql_blob(refresh, STORE_HASH_BYTES), sql_int(now), sql_int(expires_at))));
	*id = sqlite3_last_insert_rowid(s->db);
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK)
		*id = 0;
	return err;
}

static enum tacit_err find_session(
        struct sqlite *s, enum sql id, struct sql_value key, int64_t now, struct store_session *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	*out = (struct store_session){0};
	sql_time(s, now);
	TRY(sql_first(s, id, ARGS(key, sql_int(now)), &st));
	*out = (struct store_session){
	        .id = sqlite3_column_int64(st, 0),
	        .user_id = sqlite3_column_int64(st, 1),
	        .expires_at = sqlite3_column_int64(st, 4),
	        .admin = sqlite3_column_int(st, 5) != 0,
	        .disabled = sqlite3_column_int(st, 6) != 0,
	};
	TRY(sql_column_text(st, 2, out->username, sizeof(out->username)));
	TRY(sql_column_blob(st, 3, out->public_key, sizeof(out->public_key)));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_session_by_token(struct store *s, const uint8_t token[STORE_HASH_BYTES],
        int64_t now, struct store_session *out)
{
	return find_session(
	        sqlite_of(s), SQL_SESSION_BY_TOKEN, sql_blob(token, STORE_HASH_BYTES), now, out);
}

enum tacit_err sqlite_session_by_id(
        struct store *s, int64_t id, int64_t now, struct store_session *out)
{
	return find_session(sqlite_of(s), SQL_SESSION_BY_ID, sql_int(id), now, out);
}

/* A refresh token that was exchanged before: somebody has a copy. *stolen when the session ended.
 */
static enum tacit_err end_if_spent(
        struct sqlite *s, const uint8_t refresh[STORE_HASH_BYTES], bool *stolen)
{
	enum tacit_err err;
	int64_t session = 0;
	TRY(sql_integer(s, SQL_SPENT_GET, ARGS(sql_blob(refresh, STORE_HASH_BYTES)), &session));
	TRY(sql_change(s, SQL_SESSION_DELETE, ARGS(sql_int(session))));
	*stolen = true;
out:
	return err;
}

enum tacit_err sqlite_session_refresh(struct store *store,
        const uint8_t old_refresh[STORE_HASH_BYTES], const uint8_t new_refresh[STORE_HASH_BYTES],
        int64_t now, int64_t expires_at, struct store_session *out)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	bool stolen = false;
	*out = (struct store_session){0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	err = find_session(
	        s, SQL_SESSION_BY_REFRESH, sql_blob(old_refresh, STORE_HASH_BYTES), now, out);
	if (err == TACIT_E_NOT_FOUND) {
		TRY(end_if_spent(s, old_refresh, &stolen));
		goto out;
	}
	TRY(err);
	TRY(sql_run(
	        s, SQL_SPENT_ADD, ARGS(sql_blob(old_refresh, STORE_HASH_BYTES), sql_int(out->id))));
	TRY(sql_change(s, SQL_SESSION_ROTATE,
	        ARGS(sql_int(out->id), sql_blob(new_refresh, STORE_HASH_BYTES),
	                sql_int(expires_at))));
	out->expires_at = expires_at;
out:
	err = sql_leave(s, &scope, err);
	if (err == TACIT_OK && stolen)
		err = TACIT_E_REPLAY;
	if (err != TACIT_OK)
		*out = (struct store_session){0};
	return err;
}

/* OK, too, when there was nothing to change. */
static enum tacit_err change_if_any(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count)
{
	enum tacit_err err = sql_change_alone(s, id, values, count);
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err;
}

enum tacit_err sqlite_session_end(struct store *s, int64_t id)
{
	return change_if_any(sqlite_of(s), SQL_SESSION_DELETE, ARGS(sql_int(id)));
}

enum tacit_err sqlite_session_end_all(struct store *s, int64_t user_id, int64_t except_id)
{
	return change_if_any(
	        sqlite_of(s), SQL_SESSION_DELETE_ALL, ARGS(sql_int(user_id), sql_int(except_id)));
}

enum tacit_err sqlite_session_tie(
        struct store *s, int64_t id, int64_t user_id, const struct tacit_device_id *device)
{
	return change_if_any(sqlite_of(s), SQL_SESSION_TIE,
	        ARGS(sql_int(id), sql_int(user_id), sql_blob(device->b, sizeof(device->b))));
}
