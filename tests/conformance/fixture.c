#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct backend *backend;

struct store *another(struct fixture *f, enum store_mode mode)
{
	char why[256];
	struct store *s = NULL;
	if (!CHECK_OK(store_open(f->url, mode, why, &s)))
		printf("# %s\n", why);
	return s;
}

bool set_up(struct fixture *f)
{
	*f = (struct fixture){0};
	snprintf(f->folder, sizeof(f->folder), "/tmp/tacit-store-XXXXXX");
	if (!CHECK(mkdtemp(f->folder) != NULL))
		return false;
	snprintf(f->database, sizeof(f->database), "%s/" STORE_DATABASE_NAME, f->folder);
	if (backend == NULL || backend->url == NULL)
		snprintf(f->url, sizeof(f->url), "sqlite://%s", f->database);
	else
		snprintf(f->url, sizeof(f->url), "%s%s", backend->url, f->folder);
	f->w = another(f, STORE_WRITER);
	if (f->w == NULL)
		return false;
	f->r = another(f, STORE_READER);
	if (f->r == NULL)
		return false;
	f->ops = f->w->ops;
	f->anna = add_user(f, "anna");
	f->ben = add_user(f, "ben");
	f->carl = add_user(f, "carl");
	return f->anna > 0 && f->ben > 0 && f->carl > 0;
}

void tear_down(struct fixture *f)
{
	char command[128];
	store_close(f->r);
	store_close(f->w);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
	CHECK_INT(system(command), 0);
}

const uint8_t *hash_of(uint8_t seed)
{
	static uint8_t hashes[256][STORE_HASH_BYTES];
	memset(hashes[seed], seed, STORE_HASH_BYTES);
	return hashes[seed];
}

struct store_new_user a_user(const char *name)
{
	struct store_new_user n = {.encrypted_private_key = TACIT_STR("d3JhcHBlZA==")};
	struct store_user *u = &n.user;
	snprintf(u->username, sizeof(u->username), "%s", name);
	snprintf(u->email, sizeof(u->email), "%s@example.org", name);
	snprintf((char *)u->public_key, sizeof(u->public_key), "key of %s", name);
	snprintf(u->password_hash, sizeof(u->password_hash), "$argon2id$of %s", name);
	snprintf(u->encryption_iv, sizeof(u->encryption_iv), "000102030405060708090a0b");
	memset(u->totp_sealed, 0x5a, 60);
	u->totp_sealed_bytes = 60;
	u->quota_bytes = -1;
	u->created_at = NOW;
	return n;
}

int64_t add_user(struct fixture *f, const char *name)
{
	int64_t id = 0;
	struct store_new_user n = a_user(name);
	CHECK_OK(f->ops->user_create(f->w, &n, &id));
	return id;
}

int64_t add_group(struct fixture *f)
{
	int64_t id = 0;
	bool existed = true;
	CHECK_OK(f->ops->conversation_create(
	        f->w, STORE_GROUP, f->anna, TACIT_STR("club"), &f->ben, 1, NOW, 0, &id, &existed));
	CHECK(!existed);
	return id;
}

int64_t add_session(struct fixture *f, int64_t expires_at)
{
	int64_t id = 0;
	bool existed = true;
	CHECK_OK(f->ops->conversation_create(f->w, STORE_SESSION, f->anna, TACIT_STR(""), &f->ben,
	        1, NOW, expires_at, &id, &existed));
	return id;
}

int64_t add_message(struct fixture *f, int64_t conversation, int64_t user, const char *text)
{
	struct store_message m;
	bool existed = true;
	CHECK_OK(f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = conversation,
	                .user_id = user,
	                .content = tacit_cstr(text),
	                .now = NOW},
	        &m, &existed));
	CHECK(!existed);
	return m.id;
}

struct store_file a_file(char digit, int64_t owner, int64_t conversation, int64_t bytes)
{
	struct store_file f = {.owner_id = owner,
	        .conversation_id = conversation,
	        .bytes = bytes,
	        .created_at = NOW};
	memset(f.id, digit, STORE_FILE_ID_CHARS);
	memset(f.sha256, digit, sizeof(f.sha256));
	return f;
}

struct store_upload an_upload(char digit, int64_t owner, int64_t conversation, int64_t length)
{
	struct store_upload u = {.owner_id = owner,
	        .conversation_id = conversation,
	        .length = length,
	        .created_at = NOW,
	        .expires_at = NOW + 3600,
	        .metadata = TACIT_STR("filename d29ybGQ=")};
	memset(u.id, digit, STORE_FILE_ID_CHARS);
	return u;
}

static enum tacit_err collect(struct ids *ids, int64_t id)
{
	if (ids->count < MAX_ROWS)
		ids->id[ids->count++] = id;
	return ids->answer;
}

enum tacit_err collect_user(void *ctx, const struct store_user *u)
{
	return collect(ctx, u->id);
}

enum tacit_err collect_conversation(void *ctx, const struct store_conversation *c)
{
	return collect(ctx, c->id);
}

enum tacit_err collect_participant(void *ctx, const struct store_participant *p)
{
	return collect(ctx, p->user_id);
}

enum tacit_err collect_message(void *ctx, const struct store_message *m)
{
	return collect(ctx, m->id);
}

enum tacit_err collect_session(void *ctx, int64_t id)
{
	return collect(ctx, id);
}

enum tacit_err collect_device(void *ctx, int64_t user_id, const struct tacit_device *d)
{
	CHECK_INT(d->certificate.b[0], 3);
	return collect(ctx, user_id * 1000 + d->id.b[0]);
}

enum tacit_err ignore_upload(void *ctx, const struct store_upload *u)
{
	(void)ctx, (void)u;
	return TACIT_OK;
}

void collect_gone(void *ctx, const char *file_id)
{
	struct gone *g = ctx;
	if (g->count < MAX_ROWS)
		snprintf(g->id[g->count++], sizeof(g->id[0]), "%s", file_id);
}

bool is_gone(const struct gone *g, const char *file_id)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->id[i], file_id) == 0)
			return true;
	return false;
}

static enum tacit_err count_message(void *ctx, const struct store_message *m)
{
	(void)m;
	++*(int64_t *)ctx;
	return TACIT_OK;
}

int64_t message_count(struct fixture *f, struct store *s, int64_t conversation, int64_t user)
{
	int64_t count = 0;
	bool more = false;
	enum tacit_err err = f->ops->message_page(
	        s, conversation, user, 0, 0, 1000000, count_message, &count, &more);
	return err == TACIT_OK ? count : -1;
}
