/* Key packages, commits, Welcomes and GroupInfos. */
#include <string.h>

#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

static struct sql_value sql_device(const struct tacit_device_id *id)
{
	return sql_blob(id->b, sizeof(id->b));
}

static enum tacit_err check_device(
        struct sqlite *s, int64_t user_id, const struct tacit_device_id *device)
{
	enum tacit_err err;
	bool there = false;
	TRY(sql_any(s, SQL_DEVICE_OF, ARGS(sql_int(user_id), sql_device(device)), &there));
	TRY(there ? TACIT_OK : TACIT_E_NOT_FOUND);
out:
	return err;
}

static enum tacit_err count_stock(struct sqlite *s, int64_t user_id,
        const struct tacit_device_id *device, struct store_stock *out)
{
	enum tacit_err err;
	int64_t last = 0;
	TRY(sql_integer(s, SQL_KEY_PACKAGE_COUNT,
	        ARGS(sql_int(user_id), sql_device(device), sql_int(0), sql_int(s->now)),
	        &out->available));
	TRY(sql_integer(s, SQL_KEY_PACKAGE_COUNT,
	        ARGS(sql_int(user_id), sql_device(device), sql_int(1), sql_int(s->now)), &last));
	out->last_resort = last > 0;
out:
	return err;
}

enum tacit_err sqlite_key_packages_add(
        struct store *store, const struct store_new_key_packages *p, struct store_stock *stock)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	*stock = (struct store_stock){0};
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(check_device(s, p->user_id, &p->device));
	TRY(sql_run(s, SQL_KEY_PACKAGES_LAPSED_DELETE,
	        ARGS(sql_int(p->user_id), sql_device(&p->device), sql_int(s->now))));
	for (size_t i = 0; i < p->count; i++)
		TRY(sql_run(s, SQL_KEY_PACKAGE_ADD,
		        ARGS(sql_int(p->user_id), sql_device(&p->device), sql_int(0),
		                sql_bytes(p->list[i]), sql_int(p->not_after))));
	if (p->last_resort.n > 0) {
		TRY(sql_run(s, SQL_KEY_PACKAGE_LAST_DELETE,
		        ARGS(sql_int(p->user_id), sql_device(&p->device))));
		TRY(sql_run(s, SQL_KEY_PACKAGE_ADD,
		        ARGS(sql_int(p->user_id), sql_device(&p->device), sql_int(1),
		                sql_bytes(p->last_resort), sql_int(p->not_after))));
	}
	TRY(count_stock(s, p->user_id, &p->device, stock));
	TRY(stock->available <= STORE_MAX_KEY_PACKAGES ? TACIT_OK : TACIT_E_LIMIT);
out:
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_key_packages_count(struct store *store, int64_t user_id,
        const struct tacit_device_id *device, struct store_stock *out)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	*out = (struct store_stock){0};
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(check_device(s, user_id, device));
	TRY(count_stock(s, user_id, device, out));
out:
	return sql_leave(s, &scope, err);
}

static enum tacit_err take_package(struct sqlite *s, int64_t owner,
        const struct tacit_device_id *device, struct tacit_buf *out)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	TRY(sql_first(s, SQL_KEY_PACKAGE_FIND,
	        ARGS(sql_int(owner), sql_device(device), sql_int(s->now)), &st));
	int64_t id = sqlite3_column_int64(st, 0);
	bool last_resort = sqlite3_column_int(st, 1) != 0;
	TRY(tacit_buf_append(out, sql_column(st, 2)));
	sql_done(&st);
	if (!last_resort)
		TRY(sql_change(s, SQL_KEY_PACKAGE_DELETE, ARGS(sql_int(id))));
out:
	sql_done(&st);
	return err;
}

enum tacit_err sqlite_key_package_claim(struct store *store, int64_t conversation_id,
        int64_t user_id, const struct tacit_device_id *device, struct tacit_buf *out)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	int64_t owner = 0;
	bool member = false;
	size_t before = out->n;
	TRY(sql_enter(s, SQL_WRITE_ONE, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	TRY(sql_integer(s, SQL_DEVICE_OWNER, ARGS(sql_device(device)), &owner));
	TRY(sql_any(s, SQL_MEMBER, ARGS(sql_int(conversation_id), sql_int(owner)), &member));
	TRY(member ? take_package(s, owner, device, out) : TACIT_E_NOT_FOUND);
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

static enum tacit_err add_welcome(
        struct sqlite *s, const struct store_new_commit *c, const struct store_message *commit)
{
	enum tacit_err err = TACIT_OK;
	int64_t id = 0;
	for (size_t i = 0; i < c->joiner_count; i++) {
		int64_t owner = 0;
		bool member = false;
		err = sql_integer(s, SQL_DEVICE_OWNER, ARGS(sql_device(&c->joiners[i])), &owner);
		TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
		TRY(sql_any(s, SQL_MEMBER, ARGS(sql_int(commit->conversation_id), sql_int(owner)),
		        &member));
		if (!member)
			continue;
		if (id == 0) {
			TRY(sql_run(s, SQL_WELCOME_ADD,
			        ARGS(sql_int(commit->conversation_id),
			                sql_int(commit->begins_epoch), sql_int(commit->id),
			                sql_int(commit->created_at), sql_bytes(c->welcome))));
			id = sqlite3_last_insert_rowid(s->db);
		}
		err = sql_run(s, SQL_WELCOME_DEVICE_ADD,
		        ARGS(sql_int(owner), sql_device(&c->joiners[i]), sql_int(id),
		                sql_int(commit->conversation_id)));
		TRY(err == TACIT_E_EXISTS ? TACIT_OK : err); /* named twice */
	}
out:
	return err;
}

static enum tacit_err epoch_of(struct sqlite *s, int64_t conversation_id, int64_t *epoch)
{
	enum tacit_err err = sql_integer(s, SQL_GROUP_EPOCH, ARGS(sql_int(conversation_id)), epoch);
	if (err == TACIT_E_NOT_FOUND) {
		*epoch = 0;
		err = TACIT_OK;
	}
	return err;
}

/* OK and out->id when this commit is here already. */
static enum tacit_err find_earlier(
        struct sqlite *s, const struct store_new_message *m, struct store_message *out)
{
	enum tacit_err err = TACIT_E_NOT_FOUND;
	struct store_member sender;
	TRY(sql_member(s, m->conversation_id, m->user_id, &sender));
	*out = (struct store_message){.conversation_id = m->conversation_id, .user_id = m->user_id};
	memcpy(out->username, sender.username, sizeof(out->username));
	err = m->client_id.n > 0 ? sql_earlier_message(s, m->client_id, out) : TACIT_E_NOT_FOUND;
	if (err == TACIT_E_NOT_FOUND)
		err = TACIT_OK;
out:
	return err;
}

enum tacit_err sqlite_commit_append(struct store *store, const struct store_new_commit *c,
        struct store_message *out, bool *existed)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	int64_t id = c->message.conversation_id, epoch = 0;
	*existed = false;
	*out = (struct store_message){0};
	sql_time(s, c->message.now);
	TRY(sql_enter(s, SQL_WRITE, &scope));
	TRY(find_earlier(s, &c->message, out));
	if (out->id != 0) {
		*existed = true;
		goto out;
	}
	TRY(epoch_of(s, id, &epoch));
	TRY(epoch == c->epoch ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(sql_append_message(s, &c->message, epoch + 1, out, existed));
	TRY(sql_run(s, SQL_GROUP_PUT,
	        ARGS(sql_int(id), sql_int(epoch + 1), sql_int(out->id), sql_bytes(c->group_info))));
	if (c->welcome.n > 0)
		TRY(add_welcome(s, c, out));
out:
	err = sql_leave(s, &scope, err);
	if (err != TACIT_OK) {
		*out = (struct store_message){0};
		*existed = false;
	}
	return err;
}

enum tacit_err sqlite_commit_list(struct store *store, int64_t conversation_id, int64_t user_id,
        int64_t epoch, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sqlite3_stmt *st = NULL;
	bool more = false;
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	TRY(sql_start(s, SQL_COMMIT_LIST,
	        ARGS(sql_int(conversation_id), sql_int(epoch), sql_int(limit)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		struct store_message m;
		TRY(sql_read_message(st, conversation_id, &m));
		TRY(row(ctx, &m));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_group_get(struct store *store, int64_t conversation_id, int64_t user_id,
        enum tacit_err (*row)(void *ctx, const struct store_group *g), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sqlite3_stmt *st = NULL;
	struct store_group g = {0};
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(sql_member(s, conversation_id, user_id, NULL));
	err = sql_first(s, SQL_GROUP_GET, ARGS(sql_int(conversation_id)), &st);
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	if (st != NULL) {
		g.epoch = sqlite3_column_int64(st, 0);
		g.message_id = sqlite3_column_int64(st, 1);
		g.group_info = sql_column(st, 2);
	}
	TRY(row(ctx, &g));
out:
	sql_done(&st);
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_welcome_list(struct store *store, int64_t user_id,
        const struct tacit_device_id *device, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_welcome *w), void *ctx)
{
	enum tacit_err err;
	struct sqlite *s = sqlite_of(store);
	struct sql_scope scope = {0};
	sqlite3_stmt *st = NULL;
	bool more = false;
	TRY(sql_enter(s, SQL_READ, &scope));
	TRY(check_device(s, user_id, device));
	TRY(sql_start(s, SQL_WELCOME_LIST,
	        ARGS(sql_int(user_id), sql_device(device), sql_int(limit)), &st));
	TRY(sql_step(s, st, &more));
	while (more) {
		const struct store_welcome w = {
		        .id = sqlite3_column_int64(st, 0),
		        .conversation_id = sqlite3_column_int64(st, 1),
		        .epoch = sqlite3_column_int64(st, 2),
		        .message_id = sqlite3_column_int64(st, 3),
		        .welcome = sql_column(st, 4),
		};
		TRY(row(ctx, &w));
		TRY(sql_step(s, st, &more));
	}
out:
	sql_done(&st);
	return sql_leave(s, &scope, err);
}

enum tacit_err sqlite_welcome_delete(
        struct store *s, int64_t user_id, const struct tacit_device_id *device, int64_t id)
{
	return sql_change_alone(sqlite_of(s), SQL_WELCOME_DEVICE_DELETE,
	        ARGS(sql_int(user_id), sql_device(device), sql_int(id)));
}
