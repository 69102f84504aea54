/* devices.c - the certified devices of an account and of a conversation. */
#include "server/api/devices.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/api/handlers.h"
#include "server/api/sessions.h"

#define MAX_ENCODED 512 /* more than any version of tacit_device_encode gives */

void api_device_members(struct api_json *w, const struct tacit_device *d)
{
	struct tacit_buf encoded = {0};
	api_json_fail(w, tacit_device_encode(d, &encoded));
	api_json_hex(w, "id", tacit_bytes(d->id.b, sizeof(d->id.b)));
	api_json_base64(w, "device", tacit_buf_view(&encoded));
	tacit_buf_clear(&encoded);
}

enum tacit_err api_device_row(void *ctx, int64_t user_id, const struct tacit_device *d)
{
	struct api_json *w = ctx;
	(void)user_id;
	api_json_open_object(w, NULL);
	api_device_members(w, d);
	api_json_time(w, "created_at", d->created_at);
	api_json_close_object(w);
	return w->err;
}

enum tacit_err api_devices_list(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "devices");
	TRY(store->ops->device_list(store, c->who.user_id, api_device_row, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_tie_session(
        struct api_call *c, struct store *store, const struct tacit_device_id *device)
{
	if (c->who.id == 0)
		return TACIT_OK;
	return store->ops->session_tie(store, c->who.id, c->who.user_id, device);
}

static void device_free(struct api *a, void *work)
{
	(void)a;
	tacit_free(work);
}

/* Peers check the certificate themselves; the server only keeps nonsense out. */
enum tacit_err api_device_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	struct tacit_sign_public account;
	(void)store;
	struct tacit_device *d = tacit_calloc(1, sizeof(*d));
	if (d == NULL)
		return TACIT_E_NOMEM;
	c->work = d;
	c->work_free = device_free;
	memcpy(account.b, c->who.public_key, sizeof(account.b));
	TRY(api_base64(c, "device", MAX_ENCODED, &encoded));
	if (tacit_device_decode(tacit_buf_view(&encoded), d) != TACIT_OK ||
	        tacit_device_check(d, &account) != TACIT_OK)
		err = api_refuse_member(c, API_INVALID_VALUE, "device");
out:
	tacit_buf_clear(&encoded);
	return err;
}

enum tacit_err api_device_put(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	const struct tacit_device *d = c->work;
	TRY(store->ops->device_put(store, c->who.user_id, d, c->now));
	TRY(api_tie_session(c, store, &d->id));
	TRY(api_answer_json(c, 201, &w));
	api_json_hex(&w, "id", tacit_bytes(d->id.b, sizeof(d->id.b)));
	TRY(api_json_finish(&w));
out:
	return err;
}

struct revocation {
	struct api_call *c;
	bool own; /* the caller's session ends, too */
};

static enum tacit_err end_session(void *ctx, int64_t session_id)
{
	struct revocation *r = ctx;
	r->own = r->own || session_id == r->c->who.id;
	return live_tell_end(&r->c->outbox, r->c->who.user_id, session_id);
}

enum tacit_err api_device_delete(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_device_id id;
	struct revocation r = {.c = c};
	TRY(tacit_unhex(tacit_cstr(c->path.file), id.b, sizeof(id.b)));
	TRY(store->ops->device_delete(store, c->who.user_id, &id, end_session, &r));
	TRY(api_answer_empty(c, 200));
	if (r.own)
		TRY(api_set_cookie(c, "tacit_session", "", 0));
out:
	return err;
}

/* --- the devices of a conversation --------------------------------------------------------- */

struct member {
	int64_t user_id;
	char username[TACIT_MAX_USERNAME + 1];
	uint8_t public_key[32];
};

struct members {
	struct tacit_buf list; /* struct member, as participant_list gave them */
	struct api_json *w;
};

static enum tacit_err add_member(void *ctx, const struct store_participant *p)
{
	struct members *m = ctx;
	struct member member = {.user_id = p->user_id};
	memcpy(member.username, p->username, sizeof(member.username));
	memcpy(member.public_key, p->public_key, sizeof(member.public_key));
	return tacit_buf_append(&m->list, tacit_bytes(&member, sizeof(member)));
}

static bool find_member(const struct members *m, int64_t user_id, struct member *out)
{
	for (size_t at = 0; at < m->list.n; at += sizeof(*out)) {
		memcpy(out, m->list.p + at, sizeof(*out));
		if (out->user_id == user_id)
			return true;
	}
	return false;
}

static enum tacit_err add_device(void *ctx, int64_t user_id, const struct tacit_device *d)
{
	struct members *m = ctx;
	struct member member;
	if (!find_member(m, user_id, &member)) /* joined since: the next question shows them */
		return TACIT_OK;
	api_json_open_object(m->w, NULL);
	api_json_integer(m->w, "user_id", user_id);
	api_json_text(m->w, "username", tacit_cstr(member.username));
	api_json_public_key(m->w, "public_key", member.public_key);
	api_device_members(m->w, d);
	api_json_close_object(m->w);
	return m->w->err;
}

enum tacit_err api_conversation_devices(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	struct members m = {.w = &w};
	/* The list of participants is also the proof that the caller is one. */
	TRY(store->ops->participant_list(store, c->path.id, c->who.user_id, add_member, &m));
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "devices");
	TRY(store->ops->device_list_conversation(store, c->path.id, add_device, &m));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	tacit_buf_clear(&m.list);
	return err;
}
