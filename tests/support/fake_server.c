#include "support/fake_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "e2e/group.h"
#include "support/tap.h"
#include "wire/device.h"
#include "wire/pem.h"
#include "wire/signed_request.h"

struct request {
	struct fake_server *s;
	struct fake_user *user; /* of the session; NULL: none */
	enum tacit_http_method method;
	const char *path;
	json_t *body, *data; /* data is borrowed */
	struct tacit_signed_request signed_request;
	struct fake_answer *out;
};

void fake_server_init(struct fake_server *s)
{
	*s = (struct fake_server){.next_message = 1, .next_welcome = 1, .now = 1700000000};
}

/* Tests copy, swap and drop devices as they like: what was allocated for them is kept in one list.
 */
static char *texts[16384];
static size_t text_count;

static char *keep(const char *text)
{
	if (text_count == sizeof(texts) / sizeof(texts[0]))
		abort();
	texts[text_count] = strdup(text);
	return texts[text_count++];
}

size_t fake_said_count(const struct fake_server *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->message_count; i++)
		n += !s->messages[i].commit;
	return n;
}

size_t fake_said(const struct fake_server *s, size_t n)
{
	for (size_t i = 0; i < s->message_count; i++)
		if (!s->messages[i].commit && n-- == 0)
			return i;
	abort();
}

void fake_server_clear(struct fake_server *s)
{
	while (text_count > 0)
		free(texts[--text_count]);
	for (size_t i = 0; i < s->message_count; i++)
		free(s->messages[i].content);
	fake_server_init(s);
}

void fake_server_forget(struct fake_server *s)
{
	for (size_t i = 0; i < s->conversation_count; i++)
		for (size_t k = 0; k < s->message_count; k++)
			if (s->messages[k].conversation == s->conversations[i].id)
				s->conversations[i].last_forgotten = s->messages[k].id;
	for (size_t i = 0; i < s->message_count; i++)
		free(s->messages[i].content);
	s->message_count = 0;
}

struct fake_user *fake_user_named(struct fake_server *s, const char *name)
{
	for (size_t i = 0; i < s->user_count; i++)
		if (strcasecmp(s->users[i].name, name) == 0)
			return &s->users[i];
	return NULL;
}

static struct fake_user *user_by_id(struct fake_server *s, uint64_t id)
{
	for (size_t i = 0; i < s->user_count; i++)
		if (s->users[i].id == id)
			return &s->users[i];
	abort();
}

void fake_device_add(struct fake_user *u, uint8_t id, uint8_t seed)
{
	uint8_t whole[TACIT_DEVICE_ID_BYTES];
	memset(whole, id, sizeof(whole));
	fake_device_with_id(u, whole, seed);
}

static int64_t birth(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

/* So that it can be let into groups; nobody reads there. */
static void offer_last_resort(
        struct fake_device *d, const struct tacit_leaf *leaf, const struct tacit_sign_sk *sk)
{
	struct tacit_env env = tap_env(leaf->device.id.b[0]);
	struct tacit_buf public = {0}, secret = {0}, text = {0};
	const struct tacit_self self = {.leaf = *leaf, .signature_sk = sk, .env = &env};
	env.now = birth;
	if (tacit_group_key_package(&self, NULL, &public, &secret) != TACIT_OK ||
	        tacit_base64(TACIT_BASE64, tacit_buf_view(&public), &text) != TACIT_OK ||
	        tacit_buf_terminate(&text) != TACIT_OK)
		abort();
	d->last_resort = keep((const char *)text.p);
	tacit_buf_clear(&public);
	tacit_buf_clear(&secret);
	tacit_buf_clear(&text);
}

void fake_device_with_id(struct fake_user *u, const uint8_t id[TACIT_DEVICE_ID_BYTES], uint8_t seed)
{
	uint8_t bytes[TACIT_SIGN_SEED_BYTES] = {seed};
	uint8_t device_seed[TACIT_SIGN_SEED_BYTES] = {id[0], 7};
	struct tacit_sign_sk sk;
	struct tacit_sign_sk account;
	struct tacit_sign_public public;
	struct tacit_device d = {.created_at = 1};
	struct tacit_buf encoded = {0}, text = {0};
	struct fake_device *to = &u->devices[u->device_count++];
	*to = (struct fake_device){0};
	tacit_sign_keypair(bytes, &account, &public);
	memcpy(d.id.b, id, sizeof(d.id.b));
	tacit_sign_keypair(device_seed, &sk, &d.signature_key);
	tacit_device_certify(&d, &account);
	offer_last_resort(to, &(struct tacit_leaf){public, d}, &sk);
	if (tacit_device_encode(&d, &encoded) != TACIT_OK ||
	        tacit_base64(TACIT_BASE64, tacit_buf_view(&encoded), &text) != TACIT_OK)
		abort();
	tacit_hex(tacit_bytes(d.id.b, sizeof(d.id.b)), to->id);
	snprintf(to->encoded, sizeof(to->encoded), "%.*s", (int)text.n, (const char *)text.p);
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&text);
}

struct fake_user *fake_user_add(struct fake_server *s, const char *name, uint8_t seed)
{
	struct fake_user *u = &s->users[s->user_count++];
	uint8_t bytes[TACIT_SIGN_SEED_BYTES] = {seed};
	struct tacit_sign_sk sk;
	*u = (struct fake_user){.id = s->user_count};
	snprintf(u->name, sizeof(u->name), "%s", name);
	tacit_sign_keypair(bytes, &sk, &u->key);
	fake_device_add(u, seed, seed);
	return u;
}

/* --- answers
 * -------------------------------------------------------------------------------------- */

static void answer(struct request *r, int status, json_t *body)
{
	r->out->status = status;
	if (tacit_json_write(body, &r->out->body) != TACIT_OK)
		abort();
	json_decref(body);
}

static void refuse(struct request *r, int status, const char *code)
{
	char text[80];
	snprintf(text, sizeof(text), "The server says %s.", code);
	answer(r, status, json_pack("{s:s,s:s}", "error", text, "code", code));
}

static json_t *time_of(const struct fake_server *s)
{
	struct tm tm;
	char text[32];
	time_t t = (time_t)s->now;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_t *pem_of(const struct fake_user *u)
{
	struct tacit_buf pem = {0};
	if (tacit_pem_write_public(&u->key, &pem) != TACIT_OK)
		abort();
	json_t *text = json_stringn((const char *)pem.p, pem.n);
	tacit_buf_clear(&pem);
	return text;
}

static json_t *user_object(struct fake_server *s, const struct fake_user *u)
{
	return json_pack("{s:I,s:s,s:o,s:o}", "id", (json_int_t)u->id, "username", u->name,
	        "public_key", pem_of(u), "created_at", time_of(s));
}

static void begin_session(struct request *r, struct fake_user *u)
{
	snprintf(u->cookie, sizeof(u->cookie), "session-%llu-%lld", (unsigned long long)u->id,
	        (long long)r->s->now);
	snprintf(r->out->cookie_name, sizeof(r->out->cookie_name), "tacit_session");
	snprintf(r->out->cookie, sizeof(r->out->cookie), "%s", u->cookie);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

/* --- accounts
 * ------------------------------------------------------------------------------------- */

static void do_register(struct request *r)
{
	struct fake_server *s = r->s;
	if (fake_user_named(s, text_of(r->data, "username")) != NULL) {
		refuse(r, 409, "USER_EXISTS");
		return;
	}
	struct fake_user *u = &s->users[s->user_count];
	*u = (struct fake_user){.id = s->user_count + 1, .pending = true};
	snprintf(u->name, sizeof(u->name), "%s", text_of(r->data, "username"));
	snprintf(u->email, sizeof(u->email), "%s", text_of(r->data, "email"));
	snprintf(u->password_hash, sizeof(u->password_hash), "%s",
	        text_of(r->data, "password_hash"));
	snprintf(u->wrapped, sizeof(u->wrapped), "%s", text_of(r->data, "encrypted_private_key"));
	snprintf(u->iv, sizeof(u->iv), "%s", text_of(r->data, "encryption_iv"));
	if (tacit_pem_read_public(tacit_cstr(text_of(r->data, "public_key")), &u->key) !=
	                TACIT_OK ||
	        tacit_signed_request_verify(&r->signed_request, &u->key) != TACIT_OK) {
		refuse(r, 401, "BAD_SIGNATURE");
		return;
	}
	s->user_count++;
	snprintf(u->cookie, sizeof(u->cookie), "pending-%llu", (unsigned long long)u->id);
	snprintf(r->out->cookie_name, sizeof(r->out->cookie_name), "tacit_pending");
	snprintf(r->out->cookie, sizeof(r->out->cookie), "%s", u->cookie);
	answer(r, 201,
	        json_pack("{s:s,s:s,s:s}", "qr_code", "data:,", "secret", "ABCDEFGH", "otpauth_uri",
	                "otpauth://totp/x?secret=ABCDEFGH"));
}

static void do_verify(struct request *r)
{
	if (r->user == NULL || !r->user->pending ||
	        strcmp(text_of(r->data, "totp_code"), "123456") != 0) {
		refuse(r, 401, "INVALID_TOTP");
		return;
	}
	r->user->pending = false;
	begin_session(r, r->user);
	answer(r, 201,
	        json_pack("{s:o,s:[s,s]}", "user", user_object(r->s, r->user), "recovery_codes",
	                "aaaa-bbbb", "cccc-dddd"));
}

static bool credentials(struct request *r, const json_t *data, struct fake_user **u)
{
	*u = fake_user_named(r->s, text_of(data, "username"));
	bool factor = strcmp(text_of(data, "totp_code"), "123456") == 0 ||
	              strcmp(text_of(data, "recovery_code"), "aaaa-bbbb") == 0 ||
	              strcmp(text_of(data, "ticket"), "ticket-1") == 0;
	return *u != NULL && factor &&
	       strcmp((*u)->password_hash, text_of(data, "password_hash")) == 0;
}

static void do_new_device(struct request *r)
{
	struct fake_user *u;
	if (!credentials(r, r->body, &u)) {
		refuse(r, 401, "INVALID_CREDENTIALS");
		return;
	}
	answer(r, 200,
	        json_pack("{s:s,s:s,s:s}", "encrypted_private_key", u->wrapped, "encryption_iv",
	                u->iv, "ticket", "ticket-1"));
}

static void do_login(struct request *r)
{
	struct fake_user *u;
	if (!credentials(r, r->data, &u) || r->data == r->body) {
		refuse(r, 401, "INVALID_CREDENTIALS");
		return;
	}
	begin_session(r, u);
	answer(r, 200,
	        json_pack("{s:o,s:s,s:s,s:s}", "user", user_object(r->s, u), "token", "jwt",
	                "encrypted_private_key", u->wrapped, "encryption_iv", u->iv));
}

/* --- devices and the directory
 * -------------------------------------------------------------------- */

static json_t *devices_of(const struct fake_user *u)
{
	json_t *list = json_array();
	for (size_t i = 0; i < u->device_count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "id", u->devices[i].id, "device",
		                                    u->devices[i].encoded));
	return list;
}

static void do_put_device(struct request *r)
{
	struct fake_user *u = r->user;
	struct fake_device *d = &u->devices[u->device_count++];
	struct tacit_buf bytes = {0};
	struct tacit_device parsed;
	*d = (struct fake_device){0};
	snprintf(d->encoded, sizeof(d->encoded), "%s", text_of(r->data, "device"));
	if (tacit_unbase64(TACIT_BASE64, tacit_cstr(d->encoded), &bytes) != TACIT_OK ||
	        tacit_device_decode(tacit_buf_view(&bytes), &parsed) != TACIT_OK ||
	        tacit_device_check(&parsed, &u->key) != TACIT_OK) {
		u->device_count--;
		tacit_buf_clear(&bytes);
		refuse(r, 422, "INVALID_VALUE");
		return;
	}
	tacit_hex(tacit_bytes(parsed.id.b, sizeof(parsed.id.b)), d->id);
	for (size_t i = 0; i + 1 < u->device_count; i++)
		if (strcmp(u->devices[i].id, d->id) == 0) {
			u->device_count--;
			break;
		}
	tacit_buf_clear(&bytes);
	answer(r, 201, json_pack("{s:s}", "id", d->id));
}

static void do_delete_device(struct request *r, const char *id)
{
	struct fake_user *u = r->user;
	for (size_t i = 0; i < u->device_count; i++) {
		if (strcmp(u->devices[i].id, id) != 0)
			continue;
		memmove(&u->devices[i], &u->devices[i + 1],
		        (u->device_count - i - 1) * sizeof(u->devices[0]));
		u->device_count--;
		answer(r, 200, json_object());
		return;
	}
	refuse(r, 404, "NOT_FOUND");
}

static void do_user(struct request *r, const char *name)
{
	struct fake_user *u = fake_user_named(r->s, name);
	if (u == NULL || u->pending) {
		refuse(r, 404, "USER_NOT_FOUND");
		return;
	}
	json_t *object = user_object(r->s, u);
	json_object_set_new(object, "devices", devices_of(u));
	answer(r, 200, object);
}

static void do_users(struct request *r, const char *prefix)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->user_count; i++)
		if (strncmp(r->s->users[i].name, prefix, strlen(prefix)) == 0)
			json_array_append_new(list, user_object(r->s, &r->s->users[i]));
	answer(r, 200, json_pack("{s:o}", "users", list));
}

/* --- key packages and Welcomes
 * -------------------------------------------------------------------- */

static struct fake_device *device_of(struct fake_user *u, const char *id, size_t n)
{
	for (size_t i = 0; i < u->device_count; i++)
		if (strncmp(u->devices[i].id, id, n) == 0 && u->devices[i].id[n] == 0)
			return &u->devices[i];
	return NULL;
}

static void drop_first(struct fake_device *d)
{
	memmove(d->packages, d->packages + 1, --d->package_count * sizeof(d->packages[0]));
	memmove(d->ends, d->ends + 1, d->package_count * sizeof(d->ends[0]));
}

static void drop_lapsed(const struct fake_server *s, struct fake_device *d)
{
	while (d->package_count > 0 && d->ends[0] > 0 && d->ends[0] <= s->now)
		drop_first(d);
	if (d->last_ends > 0 && d->last_ends <= s->now)
		d->last_resort = NULL;
}

static void do_packages(struct request *r, struct fake_device *d)
{
	size_t i;
	json_t *item;
	const json_t *last = json_object_get(r->data, "last_resort");
	int64_t ends = json_integer_value(json_object_get(r->data, "not_after"));
	drop_lapsed(r->s, d);
	json_array_foreach(json_object_get(r->data, "key_packages"), i, item)
	{
		if (d->package_count == FAKE_PACKAGES)
			abort();
		d->ends[d->package_count] = ends;
		d->packages[d->package_count++] = keep(json_string_value(item));
	}
	if (last != NULL) {
		d->last_resort = keep(json_string_value(last));
		d->last_ends = ends;
	}
	answer(r, 200,
	        json_pack("{s:I,s:b}", "available", (json_int_t)d->package_count, "last_resort",
	                d->last_resort != NULL));
}

static void do_welcomes(struct request *r, const struct fake_device *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->welcome_count; i++) {
		const struct fake_welcome *w = &r->s->welcomes[i];
		if (w->user == r->user->id && strcmp(w->device, d->id) == 0)
			json_array_append_new(
			        list, json_pack("{s:I,s:I,s:I,s:I,s:s}", "id", (json_int_t)w->id,
			                      "conversation_id", (json_int_t)w->conversation,
			                      "epoch", (json_int_t)w->epoch, "message_id",
			                      (json_int_t)w->message, "welcome", w->bytes));
	}
	answer(r, 200, json_pack("{s:o}", "welcomes", list));
}

static void do_delete_welcome(struct request *r, uint64_t id)
{
	struct fake_server *s = r->s;
	for (size_t i = 0; i < s->welcome_count; i++)
		if (s->welcomes[i].id == id && s->welcomes[i].user == r->user->id)
			s->welcomes[i--] = s->welcomes[--s->welcome_count];
	answer(r, 200, json_object());
}

static void in_device(struct request *r, const char *path)
{
	size_t n = strcspn(path, "/");
	struct fake_device *d = device_of(r->user, path, n);
	if (d == NULL)
		refuse(r, 404, "NOT_FOUND");
	else if (path[n] == 0)
		do_delete_device(r, path);
	else if (strcmp(path + n, "/key-packages") == 0)
		do_packages(r, d);
	else if (strcmp(path + n, "/welcomes") == 0)
		do_welcomes(r, d);
	else
		do_delete_welcome(r, strtoull(path + n + 10, NULL, 10));
}

/* --- conversations
 * -------------------------------------------------------------------------------- */

static struct fake_member *member_of(struct fake_conversation *c, const struct fake_user *u)
{
	for (size_t i = 0; i < c->member_count; i++)
		if (c->members[i].user == u->id)
			return &c->members[i];
	return NULL;
}

static json_t *conversation_object(struct request *r, const struct fake_conversation *c)
{
	uint64_t last = c->last_forgotten;
	json_t *people = json_array();
	for (size_t i = 0; i < c->member_count; i++) {
		const struct fake_user *u = user_by_id(r->s, c->members[i].user);
		json_array_append_new(
		        people, json_pack("{s:I,s:s,s:o,s:s,s:I}", "user_id", (json_int_t)u->id,
		                        "username", u->name, "public_key", pem_of(u), "joined_at",
		                        "2023-01-01T00:00:00Z", "read_message_id",
		                        (json_int_t)c->members[i].read));
	}
	for (size_t i = 0; i < r->s->message_count; i++)
		if (r->s->messages[i].conversation == c->id && r->s->messages[i].id > last)
			last = r->s->messages[i].id;
	if (c->last_claimed != 0)
		last = c->last_claimed;
	return json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:o}", "id", (json_int_t)c->id, "kind", c->kind,
	        "name", c->name, "last_message_id", (json_int_t)last, "unread", (json_int_t)0,
	        "message_ttl_seconds", (json_int_t)c->ttl, "participants", people);
}

static void do_list(struct request *r)
{
	json_t *list = json_array();
	const char *at = strstr(r->path, "skip=");
	size_t skip = at != NULL ? strtoul(at + 5, NULL, 10) : 0;
	bool more = false;
	for (size_t i = 0; i < r->s->conversation_count; i++) {
		if (member_of(&r->s->conversations[i], r->user) == NULL)
			continue;
		if (skip > 0) {
			skip--;
			continue;
		}
		more = r->s->list_page > 0 && json_array_size(list) == r->s->list_page;
		if (more)
			break;
		json_array_append_new(list, conversation_object(r, &r->s->conversations[i]));
	}
	answer(r, 200, json_pack("{s:o,s:b}", "conversations", list, "has_more", more));
}

static bool add_members(struct request *r, struct fake_conversation *c, const json_t *names)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		const struct fake_user *u = fake_user_named(r->s, json_string_value(name));
		if (u == NULL)
			return false;
		if (member_of(c, u) == NULL)
			c->members[c->member_count++].user = u->id;
	}
	return true;
}

static void do_create(struct request *r)
{
	struct fake_server *s = r->s;
	struct fake_conversation fresh = {.id = 100 + s->conversation_count};
	snprintf(fresh.kind, sizeof(fresh.kind), "%s",
	        s->other_kind != NULL ? s->other_kind : text_of(r->data, "kind"));
	snprintf(fresh.name, sizeof(fresh.name), "%s", text_of(r->data, "name"));
	fresh.members[fresh.member_count++].user = r->user->id;
	if (!add_members(r, &fresh, json_object_get(r->data, "participants"))) {
		refuse(r, 404, "USER_NOT_FOUND");
		return;
	}
	for (size_t i = 0; i < s->conversation_count; i++) {
		struct fake_conversation *c = &s->conversations[i];
		if (strcmp(fresh.kind, "direct") == 0 && strcmp(c->kind, "direct") == 0 &&
		        member_of(c, r->user) != NULL &&
		        member_of(c, user_by_id(s, fresh.members[1].user)) != NULL) {
			answer(r, 200, conversation_object(r, c));
			return;
		}
	}
	if (s->ghost != NULL)
		fresh.members[fresh.member_count++].user = fake_user_named(s, s->ghost)->id;
	s->conversations[s->conversation_count++] = fresh;
	answer(r, 201, conversation_object(r, &fresh));
}

static void do_conversation_devices(struct request *r, const struct fake_conversation *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->member_count; i++) {
		const struct fake_user *u = user_by_id(r->s, c->members[i].user);
		for (size_t k = 0; k < u->device_count; k++)
			json_array_append_new(list,
			        json_pack("{s:I,s:s,s:o,s:s,s:s}", "user_id", (json_int_t)u->id,
			                "username", u->name, "public_key", pem_of(u), "id",
			                u->devices[k].id, "device", u->devices[k].encoded));
	}
	answer(r, 200, json_pack("{s:o}", "devices", list));
}

static json_t *message_object(const struct fake_server *s, const struct fake_message *m)
{
	json_t *object = json_pack("{s:I,s:I,s:I,s:s,s:s,s:s,s:o}", "id", (json_int_t)m->id,
	        "conversation_id", (json_int_t)m->conversation, "user_id", (json_int_t)m->user,
	        "username", m->username, "content", m->content, "client_id", m->client_id,
	        "created_at", time_of(s));
	if (m->commit)
		json_object_set_new(object, "epoch", json_integer((json_int_t)m->epoch));
	return object;
}

static void do_messages(struct request *r, const struct fake_conversation *c, const char *query)
{
	unsigned long long after = 0;
	unsigned limit = 50, count = 0;
	bool more = false;
	const char *at = strstr(query, "after=");
	if (at != NULL)
		after = strtoull(at + 6, NULL, 10);
	at = strstr(query, "limit=");
	if (at != NULL)
		limit = (unsigned)strtoul(at + 6, NULL, 10);
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->message_count; i++) {
		const struct fake_message *m = &r->s->messages[i];
		if (m->conversation != c->id || m->id <= after || m->hidden)
			continue;
		if (count == limit) {
			more = true;
			break;
		}
		count++;
		json_array_append_new(list, message_object(r->s, m));
	}
	answer(r, 200, json_pack("{s:o,s:b}", "messages", list, "has_more", more));
}

static const struct fake_message *sent_before(const struct request *r)
{
	for (size_t i = 0; i < r->s->message_count; i++) {
		const struct fake_message *m = &r->s->messages[i];
		if (m->user == r->user->id &&
		        strcmp(m->client_id, text_of(r->data, "client_id")) == 0)
			return m;
	}
	return NULL;
}

static void receipt(struct request *r, int status, const struct fake_message *m)
{
	json_t *body = json_pack("{s:I,s:o,s:s}", "id", (json_int_t)m->id, "created_at",
	        time_of(r->s), "client_id", m->client_id);
	if (m->commit)
		json_object_set_new(body, "epoch", json_integer((json_int_t)m->epoch + 1));
	answer(r, status, body);
}

static struct fake_message *append(struct request *r, const struct fake_conversation *c)
{
	struct fake_server *s = r->s;
	if (s->message_count == FAKE_MESSAGES)
		abort();
	struct fake_message *m = &s->messages[s->message_count++];
	*m = (struct fake_message){
	        .id = s->next_message++, .conversation = c->id, .user = r->user->id};
	m->content = strdup(text_of(r->data, "content"));
	snprintf(m->client_id, sizeof(m->client_id), "%s", text_of(r->data, "client_id"));
	snprintf(m->username, sizeof(m->username), "%s", r->user->name);
	return m;
}

static void do_post(struct request *r, const struct fake_conversation *c)
{
	const struct fake_message *before = sent_before(r);
	r->s->posts++;
	if (before != NULL)
		receipt(r, 200, before);
	else
		receipt(r, 201, append(r, c));
}

/* --- the group of a conversation
 * ------------------------------------------------------------------- */

static void do_group(struct request *r, const struct fake_conversation *c)
{
	if (c->epoch == 0)
		answer(r, 200, json_pack("{s:i}", "epoch", 0));
	else
		answer(r, 200,
		        json_pack("{s:I,s:I,s:s}", "epoch", (json_int_t)c->epoch, "message_id",
		                (json_int_t)c->epoch_message, "group_info", c->group_info));
}

static void refuse_stale(struct request *r, const struct fake_conversation *c, uint64_t epoch)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->message_count; i++) {
		const struct fake_message *m = &r->s->messages[i];
		if (m->conversation == c->id && m->commit && !m->hidden && m->epoch >= epoch)
			json_array_append_new(list, message_object(r->s, m));
	}
	answer(r, 409,
	        json_pack("{s:s,s:s,s:o}", "error", "Somebody was first.", "code", "EPOCH_PASSED",
	                "commits", list));
}

static void keep_welcome(struct request *r, const struct fake_conversation *c,
        const struct fake_message *m, const char *device)
{
	struct fake_server *s = r->s;
	for (size_t i = 0; i < c->member_count; i++) {
		struct fake_user *u = user_by_id(s, c->members[i].user);
		if (device_of(u, device, strlen(device)) == NULL)
			continue;
		if (s->welcome_count == FAKE_WELCOMES)
			abort();
		struct fake_welcome *w = &s->welcomes[s->welcome_count++];
		*w = (struct fake_welcome){.id = s->next_welcome++,
		        .conversation = c->id,
		        .message = m->id,
		        .user = u->id,
		        .epoch = m->epoch + 1};
		snprintf(w->device, sizeof(w->device), "%s", device);
		w->bytes = keep(text_of(r->data, "welcome"));
	}
}

static void do_commit(struct request *r, struct fake_conversation *c)
{
	size_t i;
	json_t *item;
	const struct fake_message *before = sent_before(r);
	uint64_t epoch = (uint64_t)json_integer_value(json_object_get(r->data, "epoch"));
	if (before != NULL) {
		receipt(r, 200, before);
		return;
	}
	if (epoch != c->epoch) {
		refuse_stale(r, c, epoch);
		return;
	}
	struct fake_message *m = append(r, c);
	m->commit = true;
	m->epoch = epoch;
	r->s->commits++;
	c->epoch = epoch + 1;
	c->epoch_message = m->id;
	c->group_info = keep(text_of(r->data, "group_info"));
	json_array_foreach(json_object_get(r->data, "welcome_devices"), i, item)
	        keep_welcome(r, c, m, json_string_value(item));
	receipt(r, 201, m);
}

static void claim_one(struct request *r, struct fake_device *d, json_t *list)
{
	drop_lapsed(r->s, d);
	const char *package = d->last_resort;
	if (d->package_count > 0) {
		package = d->packages[0];
		drop_first(d);
	}
	if (package != NULL)
		json_array_append_new(
		        list, json_pack("{s:s,s:s}", "device", d->id, "key_package", package));
}

static void do_claim(struct request *r, const struct fake_conversation *c)
{
	size_t i;
	json_t *item, *list = json_array();
	json_array_foreach(json_object_get(r->data, "devices"), i, item)
	{
		const char *id = json_string_value(item);
		for (size_t k = 0; k < c->member_count; k++) {
			struct fake_device *d =
			        device_of(user_by_id(r->s, c->members[k].user), id, strlen(id));
			if (d != NULL)
				claim_one(r, d, list);
		}
	}
	answer(r, 200, json_pack("{s:o}", "key_packages", list));
}

static void do_key(struct request *r, struct fake_conversation *c)
{
	char **key = &c->keys[r->user->id - 1];
	if (r->method == TACIT_PUT)
		*key = keep(text_of(r->data, "key"));
	if (*key == NULL)
		refuse(r, 404, "NOT_FOUND");
	else
		answer(r, 200, json_pack("{s:s}", "key", *key));
}

static void do_remove(struct request *r, struct fake_conversation *c, const char *name)
{
	for (size_t i = 0; i < c->member_count; i++) {
		if (strcmp(user_by_id(r->s, c->members[i].user)->name, name) != 0)
			continue;
		memmove(&c->members[i], &c->members[i + 1],
		        (c->member_count - i - 1) * sizeof(c->members[0]));
		c->member_count--;
		answer(r, 200, json_object());
		return;
	}
	refuse(r, 404, "NOT_FOUND");
}

static void in_conversation(struct request *r, struct fake_conversation *c, const char *rest)
{
	if (rest[0] == 0)
		answer(r, 200, conversation_object(r, c));
	else if (strcmp(rest, "/devices") == 0)
		do_conversation_devices(r, c);
	else if (strncmp(rest, "/messages", 9) == 0 && r->method == TACIT_GET)
		do_messages(r, c, rest);
	else if (strcmp(rest, "/messages") == 0)
		do_post(r, c);
	else if (strcmp(rest, "/group") == 0)
		do_group(r, c);
	else if (strcmp(rest, "/commits") == 0)
		do_commit(r, c);
	else if (strcmp(rest, "/key-packages/claim") == 0)
		do_claim(r, c);
	else if (strcmp(rest, "/key") == 0)
		do_key(r, c);
	else if (strcmp(rest, "/participants") == 0 && r->method == TACIT_POST) {
		if (add_members(r, c, json_object_get(r->data, "usernames")))
			answer(r, 201, json_object());
		else
			refuse(r, 404, "USER_NOT_FOUND");
	} else if (strncmp(rest, "/participants/", 14) == 0)
		do_remove(r, c, rest + 14);
	else if (strcmp(rest, "/read") == 0) {
		member_of(c, r->user)->read =
		        (uint64_t)json_integer_value(json_object_get(r->data, "message_id"));
		answer(r, 200, json_object());
	} else
		refuse(r, 404, "NOT_FOUND");
}

static void do_telemetry(struct request *r)
{
	r->s->reports++;
	r->s->undecryptable +=
	        (unsigned)json_integer_value(json_object_get(r->data, "undecryptable"));
	r->s->missing += (unsigned)json_integer_value(json_object_get(r->data, "missing"));
	answer(r, 200, json_object());
}

static void do_reset(struct request *r)
{
	struct fake_user *u = r->user;
	if (strcmp(text_of(r->data, "token"), "alice.good") != 0) {
		refuse(r, 401, "RESET_TOKEN_EXPIRED");
		return;
	}
	snprintf(u->password_hash, sizeof(u->password_hash), "%s",
	        text_of(r->data, "password_hash"));
	snprintf(u->wrapped, sizeof(u->wrapped), "%s", text_of(r->data, "encrypted_private_key"));
	snprintf(u->iv, sizeof(u->iv), "%s", text_of(r->data, "encryption_iv"));
	u->cookie[0] = 0;
	answer(r, 200, json_object());
}

static void with_session(struct request *r)
{
	const char *path = r->path;
	if (strcmp(path, "/api/logout") == 0) {
		r->user->cookie[0] = 0;
		answer(r, 200, json_object());
	} else if (strcmp(path, "/api/reset-password") == 0)
		do_reset(r);
	else if (strcmp(path, "/api/me") == 0)
		answer(r, 200, user_object(r->s, r->user));
	else if (strcmp(path, "/api/telemetry") == 0)
		do_telemetry(r);
	else if (strcmp(path, "/api/devices") == 0 && r->method == TACIT_POST)
		do_put_device(r);
	else if (strcmp(path, "/api/devices") == 0)
		answer(r, 200, json_pack("{s:o}", "devices", devices_of(r->user)));
	else if (strncmp(path, "/api/devices/", 13) == 0)
		in_device(r, path + 13);
	else if (strncmp(path, "/api/users?q=", 13) == 0)
		do_users(r, path + 13);
	else if (strncmp(path, "/api/users/", 11) == 0)
		do_user(r, path + 11);
	else if (strcmp(path, "/api/conversations") == 0 && r->method == TACIT_POST)
		do_create(r);
	else if (strcmp(path, "/api/conversations") == 0 ||
	         strncmp(path, "/api/conversations?", 19) == 0)
		do_list(r);
	else if (strncmp(path, "/api/conversations/", 19) == 0) {
		char *rest;
		uint64_t id = strtoull(path + 19, &rest, 10);
		for (size_t i = 0; i < r->s->conversation_count; i++) {
			struct fake_conversation *c = &r->s->conversations[i];
			if (c->id == id && member_of(c, r->user) != NULL) {
				in_conversation(r, c, rest);
				return;
			}
		}
		refuse(r, 404, "NOT_FOUND");
	} else
		refuse(r, 404, "NOT_FOUND");
}

/* --- the door
 * --------------------------------------------------------------------------------------- */

/* Every body but that of new-device is signed, by the session's user where there is one. */
static bool authentic(struct request *r, const struct tacit_effect *send)
{
	struct fake_server *s = r->s;
	if (r->method == TACIT_GET)
		return true;
	if (tacit_json_parse(tacit_buf_view(&send->data), &r->body) != TACIT_OK)
		return false;
	r->data = r->body;
	if (strcmp(r->path, "/api/login/new-device") == 0)
		return true;
	if (tacit_signed_request_parse(tacit_buf_view(&send->data), &r->signed_request) != TACIT_OK)
		return false;
	r->data = r->signed_request.data;
	const uint8_t *mark = r->signed_request.signature.b;
	for (size_t i = 0; i < s->seen_count; i++)
		if (memcmp(s->seen[i], mark, sizeof(s->seen[i])) == 0)
			return false;
	memcpy(s->seen[s->seen_count++ % FAKE_NONCES], mark, sizeof(s->seen[0]));
	if (s->seen_count >= FAKE_NONCES)
		s->seen_count = 0;
	const struct fake_user *u =
	        r->user != NULL ? r->user : fake_user_named(s, text_of(r->data, "username"));
	return s->trusts_everyone || u == NULL || u->pending ||
	       strcmp(r->path, "/api/register") == 0 ||
	       tacit_signed_request_verify(&r->signed_request, &u->key) == TACIT_OK;
}

static void dispatch(struct request *r, const struct tacit_effect *send)
{
	if (!authentic(r, send))
		refuse(r, 401, "BAD_SIGNATURE");
	else if (strcmp(r->path, "/api/register") == 0)
		do_register(r);
	else if (strcmp(r->path, "/api/register/verify-2fa") == 0)
		do_verify(r);
	else if (strcmp(r->path, "/api/login/new-device") == 0)
		do_new_device(r);
	else if (strcmp(r->path, "/api/login") == 0)
		do_login(r);
	else if (r->user == NULL || r->user->pending)
		refuse(r, 401, "NOT_LOGGED_IN");
	else
		with_session(r);
}

static bool fault_applies(const struct fake_server *s, const struct request *r)
{
	return s->fault_path != NULL && strstr(r->path, s->fault_path) != NULL &&
	       (s->fault_method == TACIT_GET || s->fault_method == r->method);
}

static void answer_request(struct fake_server *s, struct tacit_bytes cookie,
        const struct tacit_effect *send, struct fake_answer *out)
{
	*out = (struct fake_answer){0};
	struct request r = {
	        .s = s, .method = send->method, .path = (const char *)send->path.p, .out = out};
	bool fault = fault_applies(s, &r);
	if (fault && s->lose_request > 0) {
		s->lose_request--;
		return;
	}
	for (size_t i = 0; i < s->user_count; i++) {
		char full[80];
		snprintf(full, sizeof(full), "%s=%s",
		        s->users[i].pending ? "tacit_pending" : "tacit_session",
		        s->users[i].cookie);
		if (s->users[i].cookie[0] != 0 && tacit_bytes_eq(cookie, tacit_cstr(full)))
			r.user = &s->users[i];
	}
	if (fault && s->fault_status != 0 && s->deliver_refused) {
		dispatch(&r, send);
		tacit_buf_clear(&out->body);
	}
	if (fault && s->fault_status != 0)
		refuse(&r, s->fault_status, s->fault_code != NULL ? s->fault_code : "FAULT");
	else
		dispatch(&r, send);
	tacit_signed_request_clear(&r.signed_request);
	json_decref(r.body);
	if (fault && s->lose_answer > 0) {
		s->lose_answer--;
		tacit_buf_clear(&out->body);
		*out = (struct fake_answer){0};
	}
}

void fake_server_answer(struct fake_server *s, struct tacit_bytes cookie,
        const struct tacit_effect *send, struct fake_answer *out)
{
	if (s->entered != NULL)
		s->entered(true);
	answer_request(s, cookie, send, out);
	if (s->entered != NULL)
		s->entered(false);
}
