/* Users, their second factor and their devices. */
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

static enum tacit_err read_user(sqlite3_stmt *st, struct store_user *u)
{
	enum tacit_err err;
	struct tacit_bytes sealed = sql_column(st, 5);
	*u = (struct store_user){
	        .id = sqlite3_column_int64(st, 0),
	        .totp_last_step = sqlite3_column_int64(st, 6),
	        .quota_bytes = sqlite3_column_int64(st, 8),
	        .created_at = sqlite3_column_int64(st, 9),
	        .admin = sqlite3_column_int(st, 10) != 0,
	        .disabled = sqlite3_column_int(st, 11) != 0,
	        .totp_sealed_bytes = sealed.n,
	};
	TRY(sql_column_text(st, 1, u->username, sizeof(u->username)));
	TRY(sql_column_text(st, 2, u->email, sizeof(u->email)));
	TRY(sql_column_blob(st, 3, u->public_key, sizeof(u->public_key)));
	TRY(sql_column_text(st, 4, u->password_hash, sizeof(u->password_hash)));
	TRY(sealed.n <= sizeof(u->totp_sealed) ? TACIT_OK : TACIT_E_STORE_CORRUPT);
	TRY(sql_column_blob(st, 5, u->totp_sealed, sealed.n));
	TRY(sql_column_text(st, 7, u->encryption_iv, sizeof(u->encryption_iv)));
out:
	return err;
}

enum tacit_err sqlite_user_create(struct store *store, const struct store_new_user *n, int64_t *id)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	const struct store_user *u = &n->user;
	struct sql_scope scope = {0};
	*id = 0;
	TRY(u->totp_sealed_bytes <= sizeof(u->totp_sealed) ? TACIT_OK : TACIT_E_USAGE);
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_run(s, SQL_USER_ADD,
	        ARGS(sql_text(u->username), sql_text(u->email),
	                sql_blob(u->public_key, sizeof(u->public_key)), sql_text(u->password_hash),
	                sql_blob(u->totp_sealed, u->totp_sealed_bytes), sql_text(u->encryption_iv),
	                sql_int(u->quota_bytes), sql_int(u->created_at), sql_int(u->admin),
	                sql_int(u->disabled))));
	*id = sqlite3_last_insert_rowid(s->db);
	TRY(sql_run(s, SQL_USER_KEY_ADD, ARGS(sql_int(*id), sql_bytes(n->encrypted_private_key))));
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK)
		*id = 0;
	return err;
}

enum tacit_err sqlite_user_available(
        struct store *store, const char *username, const char *email, const uint8_t public_key[32])
{
	bool taken = false;
	enum tacit_err err = sql_any(sqlite_of(store), SQL_USER_TAKEN,
	        ARGS(sql_text(username), sql_text(email), sql_blob(public_key, 32)), &taken);
	return err == TACIT_OK && taken ? TACIT_E_EXISTS : err;
}

static enum tacit_err one_user(
        struct sqlite *s, enum sql id, struct sql_value key, struct store_user *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	*out = (struct store_user){0};
	TRY(sql_first(s, id, ARGS(key), &st));
	TRY(read_user(st, out));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_user_by_id(struct store *s, int64_t id, struct store_user *out)
{
	return one_user(sqlite_of(s), SQL_USER_BY_ID, sql_int(id), out);
}

enum tacit_err sqlite_user_by_name(struct store *s, const char *username, struct store_user *out)
{
	return one_user(sqlite_of(s), SQL_USER_BY_NAME, sql_text(username), out);
}

enum tacit_err sqlite_user_by_email(struct store *s, const char *email, struct store_user *out)
{
	return one_user(sqlite_of(s), SQL_USER_BY_EMAIL, sql_text(email), out);
}

enum tacit_err sqlite_user_set_login(
        struct store *store, int64_t id, const struct store_new_login *n)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_change(s, SQL_USER_SET_LOGIN,
	        ARGS(sql_int(id), sql_text(n->password_hash), sql_text(n->encryption_iv))));
	TRY(sql_change(s, SQL_USER_SET_WRAPPED_KEY,
	        ARGS(sql_int(id), sql_bytes(n->encrypted_private_key))));
	TRY(sql_run(s, SQL_SESSION_DELETE_ALL, ARGS(sql_int(id), sql_int(0))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_user_wrapped_key(struct store *s, int64_t id, struct tacit_buf *out)
{
	return sql_buffer(sqlite_of(s), SQL_USER_WRAPPED_KEY, ARGS(sql_int(id)), out);
}

static enum tacit_err each_user(struct sqlite *s, sqlite3_stmt *st,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx)
{
	enum tacit_err err;
	bool more = false;
	struct store_user u;
	TRY(sql_step(s, st, &more));
	while (more) {
		TRY(read_user(st, &u));
		TRY(row(ctx, &u));
		TRY(sql_step(s, st, &more));
	}
out:
	return err;
}

enum tacit_err sqlite_user_search(struct store *store, struct tacit_bytes prefix, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = NULL;
	struct sql_value text = {.type = SQL_TEXT, .bytes = prefix};
	TRY(sql_start(s, SQL_USER_SEARCH, ARGS(text, sql_int(limit)), &st));
	TRY(each_user(s, st, row, ctx));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_user_list(struct store *store, int64_t after_id, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = NULL;
	TRY(sql_start(s, SQL_USER_LIST, ARGS(sql_int(after_id), sql_int(limit)), &st));
	TRY(each_user(s, st, row, ctx));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_user_set_disabled(struct store *store, int64_t id, bool disabled)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_change(s, SQL_USER_SET_DISABLED, ARGS(sql_int(id), sql_int(disabled))));
	if (disabled)
		TRY(sql_run(s, SQL_SESSION_DELETE_ALL, ARGS(sql_int(id), sql_int(0))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_user_set_admin(struct store *s, int64_t id, bool admin)
{
	return sql_change_alone(
	        sqlite_of(s), SQL_USER_SET_ADMIN, ARGS(sql_int(id), sql_int(admin)));
}

enum tacit_err sqlite_user_set_quota(struct store *s, int64_t id, int64_t quota_bytes)
{
	return sql_change_alone(
	        sqlite_of(s), SQL_USER_SET_QUOTA, ARGS(sql_int(id), sql_int(quota_bytes)));
}

enum tacit_err sqlite_user_usage(struct store *s, int64_t id, int64_t *bytes)
{
	return sql_integer(sqlite_of(s), SQL_USER_USAGE, ARGS(sql_int(id)), bytes);
}

enum tacit_err sqlite_totp_use(struct store *store, int64_t user_id, int64_t step)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	bool known = false;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_any(s, SQL_USER_EXISTS, ARGS(sql_int(user_id)), &known));
	TRY(known ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(sql_change(s, SQL_TOTP_USE, ARGS(sql_int(user_id), sql_int(step))));
out:
	if (err == TACIT_E_NOT_FOUND && known)
		err = TACIT_E_CONFLICT;
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_recovery_codes_set(struct store *store, int64_t user_id,
        const uint8_t (*hashes)[STORE_HASH_BYTES], size_t count)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_run(s, SQL_RECOVERY_CLEAR, ARGS(sql_int(user_id))));
	for (size_t i = 0; i < count; i++)
		TRY(sql_run(s, SQL_RECOVERY_ADD,
		        ARGS(sql_int(user_id), sql_blob(hashes[i], STORE_HASH_BYTES))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_recovery_code_use(
        struct store *s, int64_t user_id, const uint8_t hash[STORE_HASH_BYTES])
{
	return sql_change_alone(sqlite_of(s), SQL_RECOVERY_USE,
	        ARGS(sql_int(user_id), sql_blob(hash, STORE_HASH_BYTES)));
}

enum tacit_err sqlite_device_put(
        struct store *store, int64_t user_id, const struct tacit_device *d, int64_t now)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	int64_t owner = 0, count = 0;
	TRY(sql_enter(s, SQL_WRITE, &scope));
	err = sql_integer(s, SQL_DEVICE_OWNER, ARGS(sql_blob(d->id.b, sizeof(d->id.b))), &owner);
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	TRY(owner == 0 || owner == user_id ? TACIT_OK : TACIT_E_EXISTS);
	TRY(sql_integer(s, SQL_DEVICE_COUNT, ARGS(sql_int(user_id)), &count));
	TRY(owner != 0 || count < TACIT_MAX_DEVICES_PER_USER ? TACIT_OK : TACIT_E_LIMIT);
	TRY(sql_run(s, owner == 0 ? SQL_DEVICE_ADD : SQL_DEVICE_REPLACE,
	        ARGS(sql_int(user_id), sql_blob(d->id.b, sizeof(d->id.b)),
	                sql_blob(d->signature_key.b, sizeof(d->signature_key.b)),
	                sql_int(d->created_at),
	                sql_blob(d->certificate.b, sizeof(d->certificate.b)), sql_int(now))));
	/* What was signed by the device's former key is of no use to anybody. */
	if (owner != 0)
		TRY(sql_run(s, SQL_KEY_PACKAGES_DELETE,
		        ARGS(sql_int(user_id), sql_blob(d->id.b, sizeof(d->id.b)))));
out:
	return sql_leave(s, &scope, err);
}

static enum tacit_err each_session(struct sqlite *s, int64_t user_id,
        const struct tacit_device_id *device, enum tacit_err (*row)(void *ctx, int64_t session_id),
        void *ctx)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	bool more = false;
	TRY(sql_start(s, SQL_SESSIONS_OF_DEVICE,
	        ARGS(sql_blob(device->b, sizeof(device->b)), sql_int(user_id)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		TRY(row(ctx, sqlite3_column_int64(st, 0)));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return err;
}

/* Its sessions go with it: sessions.device cascades. */
enum tacit_err sqlite_device_delete(struct store *store, int64_t user_id,
        const struct tacit_device_id *id, enum tacit_err (*ended)(void *ctx, int64_t session_id),
        void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	if (ended != NULL)
		TRY(each_session(s, user_id, id, ended, ctx));
	TRY(sql_change(
	        s, SQL_DEVICE_DELETE, ARGS(sql_int(user_id), sql_blob(id->b, sizeof(id->b)))));
out:
	return sql_leave(s, &scope, err);
}

static enum tacit_err each_device(struct sqlite *s, enum sql id, int64_t key,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	bool more = false;
	TRY(sql_start(s, id, ARGS(sql_int(key)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		struct tacit_device d = {.created_at = sqlite3_column_int64(st, 3)};
		TRY(sql_column_blob(st, 1, d.id.b, sizeof(d.id.b)));
		TRY(sql_column_blob(st, 2, d.signature_key.b, sizeof(d.signature_key.b)));
		TRY(sql_column_blob(st, 4, d.certificate.b, sizeof(d.certificate.b)));
		TRY(row(ctx, sqlite3_column_int64(st, 0), &d));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_device_list(struct store *s, int64_t user_id,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx)
{
	return each_device(sqlite_of(s), SQL_DEVICE_LIST, user_id, row, ctx);
}

enum tacit_err sqlite_device_list_conversation(struct store *s, int64_t conversation_id,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx)
{
	return each_device(sqlite_of(s), SQL_DEVICE_LIST_CONVERSATION, conversation_id, row, ctx);
}
