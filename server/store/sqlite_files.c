/* Files and uploads under way, and what they take from their owner's quota. */
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

/* A quota set for the user goes before the server's default; negative is none. */
static enum tacit_err check_quota(
        struct sqlite *s, int64_t user_id, int64_t more_bytes, int64_t default_quota)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	TRY(sql_first(s, SQL_USER_ALLOWANCE, ARGS(sql_int(user_id)), &st));
	int64_t own = sqlite3_column_int64(st, 0), used = sqlite3_column_int64(st, 1);
	int64_t quota = own >= 0 ? own : default_quota;
	if (quota >= 0 && more_bytes > 0 && more_bytes > quota - used)
		err = TACIT_E_LIMIT;
out:
	sql_done(&st);
	return err;
}

/* *expires_at: when a file ends that is put there now. */
static enum tacit_err check_place(struct sqlite *s, int64_t user_id, int64_t conversation_id,
        int64_t message_id, int64_t *expires_at)
{
	enum tacit_err err = TACIT_OK;
	struct store_member owner = {0};
	*expires_at = 0;
	if (conversation_id != 0)
		TRY(sql_member(s, conversation_id, user_id, &owner));
	if (owner.message_ttl > 0)
		*expires_at = s->now + owner.message_ttl;
	if (message_id != 0)
		TRY(sql_integer(s, SQL_MESSAGE_IN,
		        ARGS(sql_int(message_id), sql_int(conversation_id), sql_int(s->now)),
		        expires_at));
out:
	return err;
}

static enum tacit_err add_file(struct sqlite *s, const struct store_file *f, int64_t expires_at)
{
	store_tell_deadline(&s->base, expires_at);
	return sql_run(s, SQL_FILE_ADD,
	        ARGS(sql_text(f->id), sql_int(f->owner_id), sql_id(f->conversation_id),
	                sql_id(f->message_id), sql_int(f->bytes),
	                sql_blob(f->sha256, sizeof(f->sha256)), sql_int(f->created_at),
	                sql_int(expires_at)));
}

enum tacit_err sqlite_file_create(
        struct store *store, const struct store_file *f, int64_t quota_bytes)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	bool taken = false;
	int64_t expires_at = 0;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_any(s, SQL_UPLOAD_EXISTS, ARGS(sql_text(f->id)), &taken));
	TRY(taken ? TACIT_E_EXISTS : TACIT_OK);
	TRY(check_place(s, f->owner_id, f->conversation_id, f->message_id, &expires_at));
	TRY(check_quota(s, f->owner_id, f->bytes, quota_bytes));
	TRY(add_file(s, f, expires_at));
out:
	return sql_leave(s, &scope, err);
}

static enum tacit_err find_file(
        struct sqlite *s, const char *id, int64_t user_id, struct store_file *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	*out = (struct store_file){0};
	TRY(sql_first(s, SQL_FILE_GET, ARGS(sql_text(id)), &st));
	out->owner_id = sqlite3_column_int64(st, 1);
	out->conversation_id = sqlite3_column_int64(st, 2);
	out->message_id = sqlite3_column_int64(st, 3);
	out->bytes = sqlite3_column_int64(st, 4);
	out->created_at = sqlite3_column_int64(st, 5);
	TRY(sql_column_text(st, 0, out->id, sizeof(out->id)));
	TRY(sql_column_blob(st, 6, out->sha256, sizeof(out->sha256)));
	out->expires_at = sqlite3_column_int64(st, 7);
	TRY(out->expires_at == 0 || out->expires_at > s->now ? TACIT_OK : TACIT_E_NOT_FOUND);
	/* In a conversation whose time is over it is gone for its owner too. */
	if (out->conversation_id != 0) {
		err = sql_member(s, out->conversation_id, user_id, NULL);
		if (err == TACIT_E_NOT_FOUND && out->owner_id == user_id)
			err = TACIT_OK;
		TRY(err == TACIT_E_GONE ? TACIT_E_NOT_FOUND : err);
	} else {
		TRY(out->owner_id == user_id ? TACIT_OK : TACIT_E_NOT_FOUND);
	}
out:
	sql_done(&st);
	if (err != TACIT_OK)
		*out = (struct store_file){0};
	return err;
}

enum tacit_err sqlite_file_get(
        struct store *store, const char *id, int64_t user_id, struct store_file *out)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	*out = (struct store_file){0};
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(find_file(s, id, user_id, out));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_file_delete(struct store *store, const char *id, int64_t user_id)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_file f;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(find_file(s, id, user_id, &f));
	TRY(f.owner_id == user_id ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_change(s, SQL_FILE_DELETE, ARGS(sql_text(id))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_file_exists(struct store *s, const char *id)
{
	int64_t ignored;
	return sql_integer(sqlite_of(s), SQL_FILE_EXISTS, ARGS(sql_text(id)), &ignored);
}

enum tacit_err sqlite_upload_create(
        struct store *store, const struct store_upload *u, int64_t quota_bytes)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	bool taken = false;
	int64_t ignored;
	TRY(u->length >= -1 && u->offset >= 0 ? TACIT_OK : TACIT_E_USAGE);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_any(s, SQL_FILE_EXISTS, ARGS(sql_text(u->id)), &taken));
	TRY(taken ? TACIT_E_EXISTS : TACIT_OK);
	TRY(check_place(s, u->owner_id, u->conversation_id, 0, &ignored));
	TRY(check_quota(s, u->owner_id, u->length < 0 ? u->offset : u->length, quota_bytes));
	TRY(sql_run(s, SQL_UPLOAD_ADD,
	        ARGS(sql_text(u->id), sql_int(u->owner_id), sql_id(u->conversation_id),
	                sql_int(u->length), sql_int(u->offset), sql_bytes(u->metadata),
	                sql_int(u->created_at), sql_int(u->expires_at))));
out:
	return sql_leave(s, &scope, err);
}

/* Reads an upload of this owner; metadata is borrowed until sql_done. */
static enum tacit_err find_upload(struct sqlite *s, const char *id, int64_t user_id,
        struct store_upload *u, sqlite3_stmt **st)
{
	enum tacit_err err;
	*u = (struct store_upload){0};
	TRY(sql_first(s, SQL_UPLOAD_GET, ARGS(sql_text(id), sql_int(user_id)), st));
	*u = (struct store_upload){
	        .owner_id = user_id,
	        .conversation_id = sqlite3_column_int64(*st, 1),
	        .length = sqlite3_column_int64(*st, 2),
	        .offset = sqlite3_column_int64(*st, 3),
	        .expires_at = sqlite3_column_int64(*st, 4),
	        .created_at = sqlite3_column_int64(*st, 5),
	        .metadata = sql_column(*st, 6),
	};
	TRY(sql_column_text(*st, 0, u->id, sizeof(u->id)));
out:
	return err;
}

/* The same without metadata. */
static enum tacit_err get_upload(
        struct sqlite *s, const char *id, int64_t user_id, struct store_upload *u)
{
	sqlite3_stmt *st = NULL;
	enum tacit_err err = find_upload(s, id, user_id, u, &st);
	u->metadata = tacit_bytes(NULL, 0);
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_upload_get(struct store *store, const char *id, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_upload *u), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = NULL;
	struct store_upload u;
	sql_time(s, now);
	TRY(find_upload(s, id, user_id, &u, &st));
	TRY(u.expires_at > now ? TACIT_OK : TACIT_E_GONE);
	TRY(row(ctx, &u));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_upload_set_length(
        struct store *store, const char *id, int64_t user_id, int64_t length, int64_t quota_bytes)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_upload u;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(get_upload(s, id, user_id, &u));
	bool fits = u.length == length || (u.length < 0 && length >= u.offset);
	TRY(fits ? TACIT_OK : TACIT_E_CONFLICT);
	if (u.length < 0) {
		TRY(check_quota(s, user_id, length - u.offset, quota_bytes));
		TRY(sql_change(s, SQL_UPLOAD_SET_LENGTH, ARGS(sql_text(id), sql_int(length))));
	}
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_upload_advance(struct store *store, const char *id, int64_t user_id,
        int64_t from_offset, int64_t to_offset, int64_t expires_at)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_upload u;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(get_upload(s, id, user_id, &u));
	bool fits = u.offset == from_offset && to_offset >= from_offset &&
	            (u.length < 0 || to_offset <= u.length);
	TRY(fits ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_change(s, SQL_UPLOAD_ADVANCE,
	        ARGS(sql_text(id), sql_int(to_offset), sql_int(expires_at))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_upload_finish(
        struct store *store, const char *id, int64_t user_id, const uint8_t sha256[32], int64_t now)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_upload u;
	struct store_file f = {.owner_id = user_id, .created_at = now};
	int64_t expires_at = 0;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(get_upload(s, id, user_id, &u));
	TRY(u.length >= 0 && u.offset == u.length ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(check_place(s, user_id, u.conversation_id, 0, &expires_at));
	f.conversation_id = u.conversation_id;
	f.bytes = u.length;
	for (size_t i = 0; i < sizeof(f.id); i++)
		f.id[i] = u.id[i];
	for (size_t i = 0; i < sizeof(f.sha256); i++)
		f.sha256[i] = sha256[i];
	TRY(sql_change(s, SQL_UPLOAD_DELETE, ARGS(sql_text(id), sql_int(user_id))));
	TRY(add_file(s, &f, expires_at));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_upload_delete(struct store *s, const char *id, int64_t user_id)
{
	return sql_change_alone(
	        sqlite_of(s), SQL_UPLOAD_DELETE, ARGS(sql_text(id), sql_int(user_id)));
}
