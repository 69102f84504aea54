/* Conversations, their participants, read marks and wrapped keys. */
#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

static enum tacit_err read_member(struct sqlite *s, struct sql_member_row *row)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	struct store_member *m = &row->member;
	TRY(sql_first(
	        s, SQL_MEMBER, ARGS(sql_int(row->conversation_id), sql_int(row->user_id)), &st));
	row->expires_at = sqlite3_column_int64(st, 2);
	TRY(sqlite3_column_int64(st, 3) == 0 ? TACIT_OK : TACIT_E_GONE);
	m->kind = (enum store_kind)sqlite3_column_int(st, 0);
	m->creator_id = sqlite3_column_int64(st, 1);
	TRY(sql_column_text(st, 4, m->username, sizeof(m->username)));
	m->ends_when = (enum store_ends_when)sqlite3_column_int(st, 5);
	m->message_ttl = sqlite3_column_int64(st, 6);
out:
	sql_done(&st);
	return err;
}

/* Nobody else writes while a batch is under way, so what it found holds until it changes it. */
enum tacit_err sql_member(
        struct sqlite *s, int64_t conversation_id, int64_t user_id, struct store_member *member)
{
	enum tacit_err err = TACIT_OK;
	size_t place = sql_place(conversation_id, user_id, SQL_MEMBERS);
	struct sql_member_row *kept = &s->members[place], found = *kept;
	if (!s->in_batch || found.turn != s->members_turn ||
	        found.conversation_id != conversation_id || found.user_id != user_id) {
		found = (struct sql_member_row){.turn = s->members_turn,
		        .conversation_id = conversation_id,
		        .user_id = user_id};
		TRY(read_member(s, &found));
		if (s->in_batch)
			*kept = found;
	}
	TRY(found.expires_at == 0 || found.expires_at > s->now ? TACIT_OK : TACIT_E_GONE);
	if (member != NULL)
		*member = found.member;
out:
	return err;
}

/* The two of a direct conversation in order; with oneself, both are the same. */
static enum tacit_err find_pair(
        int64_t creator_id, const int64_t *members, size_t count, int64_t pair[2])
{
	int64_t other = creator_id;
	for (size_t i = 0; i < count; i++) {
		if (members[i] == creator_id || members[i] == other)
			continue;
		if (other != creator_id)
			return TACIT_E_USAGE;
		other = members[i];
	}
	pair[0] = creator_id < other ? creator_id : other;
	pair[1] = creator_id < other ? other : creator_id;
	return TACIT_OK;
}

/* Members that left a direct conversation are in it again. */
static enum tacit_err add_members(struct sqlite *s, int64_t id, int64_t creator_id,
        const int64_t *members, size_t count, int64_t now)
{
	enum tacit_err err;
	TRY(sql_run(
	        s, SQL_PARTICIPANT_ENSURE, ARGS(sql_int(id), sql_int(creator_id), sql_int(now))));
	for (size_t i = 0; i < count; i++)
		TRY(sql_run(s, SQL_PARTICIPANT_ENSURE,
		        ARGS(sql_int(id), sql_int(members[i]), sql_int(now))));
out:
	return err;
}

enum tacit_err sqlite_conversation_create(struct store *store, enum store_kind kind,
        int64_t creator_id, struct tacit_bytes name, const int64_t *members, size_t member_count,
        int64_t now, int64_t expires_at, int64_t *id, bool *existed)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	int64_t pair[2] = {0, 0};
	*id = 0;
	*existed = false;
	sql_time(s, now);
	TRY(expires_at == 0 || kind == STORE_SESSION ? TACIT_OK : TACIT_E_USAGE);
	if (kind == STORE_DIRECT)
		TRY(find_pair(creator_id, members, member_count, pair));
	TRY(sql_enter(s, SQL_WRITE, &scope));
	if (kind == STORE_DIRECT) {
		err = sql_integer(s, SQL_DIRECT_FIND, ARGS(sql_int(pair[0]), sql_int(pair[1])), id);
		TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
		*existed = *id != 0;
	}
	if (!*existed) {
		TRY(sql_run(s, SQL_CONVERSATION_ADD,
		        ARGS(sql_int(kind), sql_bytes(name), sql_int(creator_id), sql_int(now),
		                sql_int(expires_at), sql_id(pair[0]), sql_id(pair[1]))));
		*id = sqlite3_last_insert_rowid(s->db);
	}
	TRY(add_members(s, *id, creator_id, members, member_count, now));
	store_tell_deadline(store, *existed ? 0 : expires_at);
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK) {
		*id = 0;
		*existed = false;
	}
	return err;
}

static void read_conversation(sqlite3_stmt *st, struct store_conversation *c)
{
	*c = (struct store_conversation){
	        .id = sqlite3_column_int64(st, 0),
	        .kind = (enum store_kind)sqlite3_column_int(st, 1),
	        .name = sql_column(st, 2),
	        .creator_id = sqlite3_column_int64(st, 3),
	        .created_at = sqlite3_column_int64(st, 4),
	        .expires_at = sqlite3_column_int64(st, 5),
	        .last_message_id = sqlite3_column_int64(st, 6),
	        .unread = sqlite3_column_int64(st, 7),
	        .message_ttl = sqlite3_column_int64(st, 8),
	        .ends_when = (enum store_ends_when)sqlite3_column_int(st, 9),
	};
}

enum tacit_err sqlite_conversation_get(struct store *store, int64_t id, int64_t user_id,
        int64_t now, enum tacit_err (*row)(void *ctx, const struct store_conversation *c),
        void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sqlite3_stmt *st = NULL;
	struct store_conversation c;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(sql_member(s, id, user_id, NULL));
	TRY(sql_first(s, SQL_CONVERSATION_GET, ARGS(sql_int(id), sql_int(user_id), sql_int(s->now)),
	        &st));
	read_conversation(st, &c);
	TRY(row(ctx, &c));
out:
	sql_done(&st);
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_conversation_list(struct store *store, int64_t user_id, int kind, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_conversation *c), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = NULL;
	bool more = false;
	struct store_conversation c;
	sql_time(s, now);
	TRY(sql_start(s, SQL_CONVERSATION_LIST,
	        ARGS(sql_int(user_id), sql_int(kind), sql_int(s->now)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		read_conversation(st, &c);
		TRY(row(ctx, &c));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_conversation_ids(struct store *store, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, int64_t id), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *st = NULL;
	bool more = false;
	sql_time(s, now);
	TRY(sql_start(s, SQL_CONVERSATION_IDS, ARGS(sql_int(user_id), sql_int(s->now)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		TRY(row(ctx, sqlite3_column_int64(st, 0)));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_conversation_member(
        struct store *store, int64_t id, int64_t user_id, int64_t now, struct store_member *out)
{
	struct sqlite *s = sqlite_of(store);
	*out = (struct store_member){0};
	sql_time(s, now);
	return sql_member(s, id, user_id, out);
}

enum tacit_err sqlite_participant_list(struct store *store, int64_t id, int64_t user_id,
        enum tacit_err (*row)(void *ctx, const struct store_participant *p), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sqlite3_stmt *st = NULL;
	bool more = false;
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(sql_member(s, id, user_id, NULL));
	TRY(sql_start(s, SQL_PARTICIPANT_LIST, ARGS(sql_int(id)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		struct store_participant p = {
		        .user_id = sqlite3_column_int64(st, 0),
		        .joined_at = sqlite3_column_int64(st, 1),
		        .read_message_id = sqlite3_column_int64(st, 4),
		        .read_at = sqlite3_column_int64(st, 5),
		};
		TRY(sql_column_text(st, 2, p.username, sizeof(p.username)));
		TRY(sql_column_blob(st, 3, p.public_key, sizeof(p.public_key)));
		TRY(row(ctx, &p));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_participant_add(struct store *store, int64_t id, int64_t user_id,
        int64_t new_user_id, unsigned max_participants, int64_t now)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_member asking;
	int64_t count = 0;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_member(s, id, user_id, &asking));
	TRY(asking.kind != STORE_DIRECT ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_run(s, SQL_PARTICIPANT_ADD, ARGS(sql_int(id), sql_int(new_user_id), sql_int(now))));
	TRY(sql_integer(s, SQL_PARTICIPANT_COUNT, ARGS(sql_int(id)), &count));
	TRY(count <= max_participants ? TACIT_OK : TACIT_E_LIMIT);
out:
	return sql_leave(s, &scope, err);
}

static enum tacit_err each_gone(struct sqlite *s, enum sql id, int64_t conversation_id,
        void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	bool more = false;
	char file_id[STORE_FILE_ID_CHARS + 1];
	TRY(sql_start(s, id, ARGS(sql_int(conversation_id)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		TRY(sql_column_text(st, 0, file_id, sizeof(file_id)));
		gone(ctx, file_id);
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return err;
}

static enum tacit_err delete_files(struct sqlite *s, int64_t conversation_id,
        void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	TRY(each_gone(s, SQL_CONVERSATION_FILES, conversation_id, gone, ctx));
	TRY(each_gone(s, SQL_CONVERSATION_UPLOADS, conversation_id, gone, ctx));
	TRY(sql_run(s, SQL_CONVERSATION_FILES_DELETE, ARGS(sql_int(conversation_id))));
	TRY(sql_run(s, SQL_CONVERSATION_UPLOADS_DELETE, ARGS(sql_int(conversation_id))));
	s->purge = PURGE_NOW;
out:
	return err;
}

enum tacit_err sqlite_participant_remove(struct store *store, int64_t id, int64_t user_id,
        int64_t removed_user_id, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_member asking;
	int64_t count = 0;
	bool there = false;
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_member(s, id, user_id, &asking));
	bool allowed = user_id == removed_user_id ||
	               (user_id == asking.creator_id && asking.kind != STORE_DIRECT);
	TRY(allowed ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_integer(s, SQL_PARTICIPANT_COUNT, ARGS(sql_int(id)), &count));
	bool ends = count == 1 || asking.ends_when == STORE_ANYONE_LEAVES;
	if (asking.kind == STORE_SESSION && ends) {
		TRY(sql_any(s, SQL_MEMBER, ARGS(sql_int(id), sql_int(removed_user_id)), &there));
		TRY(there ? sql_close_conversation(s, id, gone, ctx) : TACIT_E_NOT_FOUND);
		goto out;
	}
	TRY(sql_change(s, SQL_PARTICIPANT_DELETE, ARGS(sql_int(id), sql_int(removed_user_id))));
	if (count == 1) {
		TRY(delete_files(s, id, gone, ctx));
		TRY(sql_change(s, SQL_CONVERSATION_DELETE, ARGS(sql_int(id))));
	}
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sql_close_conversation(
        struct sqlite *s, int64_t id, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	TRY(delete_files(s, id, gone, ctx));
	TRY(sql_run(s, SQL_CONVERSATION_MESSAGES_DELETE, ARGS(sql_int(id))));
	TRY(sql_run(s, SQL_CONVERSATION_BURSTS_DELETE, ARGS(sql_int(id))));
	TRY(sql_run(s, SQL_CONVERSATION_KEYS_DELETE, ARGS(sql_int(id))));
	TRY(sql_run(s, SQL_GROUP_DELETE, ARGS(sql_int(id))));
	TRY(sql_run(s, SQL_WELCOMES_DELETE, ARGS(sql_int(id))));
	TRY(sql_run(s, SQL_CONVERSATION_READ_DELETE, ARGS(sql_int(id))));
	TRY(sql_change(s, SQL_CONVERSATION_CLOSE, ARGS(sql_int(id), sql_int(s->now))));
out:
	return err;
}

enum tacit_err sqlite_conversation_close(struct store *store, int64_t id, int64_t user_id,
        int64_t now, void (*gone)(void *ctx, const char *file_id), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_member asking;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(sql_member(s, id, user_id, &asking));
	TRY(asking.kind == STORE_SESSION ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_close_conversation(s, id, gone, ctx));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_conversation_set_message_ttl(
        struct store *store, int64_t id, int64_t user_id, int64_t seconds, int64_t now)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sql_time(s, now);
	TRY(seconds >= 0 ? TACIT_OK : TACIT_E_USAGE);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_member(s, id, user_id, NULL));
	TRY(sql_change(s, SQL_CONVERSATION_SET_TTL, ARGS(sql_int(id), sql_int(seconds))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_conversation_set_ends_when(struct store *store, int64_t id, int64_t user_id,
        enum store_ends_when ends_when, int64_t now)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	struct store_member asking;
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_member(s, id, user_id, &asking));
	bool allowed = asking.kind == STORE_SESSION && asking.creator_id == user_id;
	TRY(allowed ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_change(s, SQL_CONVERSATION_SET_ENDS, ARGS(sql_int(id), sql_int(ends_when))));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_key_get(
        struct store *store, int64_t conversation_id, int64_t user_id, struct tacit_buf *out)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	TRY(sql_buffer(s, SQL_KEY_GET, ARGS(sql_int(conversation_id), sql_int(user_id)), out));
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_key_put(struct store *store, int64_t conversation_id, int64_t user_id,
        struct tacit_bytes key, int64_t now)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sql_time(s, now);
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	TRY(sql_run(s, SQL_KEY_PUT,
	        ARGS(sql_int(conversation_id), sql_int(user_id), sql_bytes(key), sql_int(now))));
out:
	return sql_leave(s, &scope, err);
}
