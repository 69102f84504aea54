#include "support/fake_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "support/fake_request.h"
#include "wire/pem.h"

void fake_server_init(struct fake_server *s)
{
	*s = (struct fake_server){.next_message = 1, .next_welcome = 1, .now = 1700000000};
}

/* Tests copy, swap and drop devices as they like: what was made for them is in one list. */
static char *texts[16384];
static size_t text_count;

char *fake_keep(const char *text)
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

struct fake_user *fake_user_by_id(struct fake_server *s, uint64_t id)
{
	for (size_t i = 0; i < s->user_count; i++)
		if (s->users[i].id == id)
			return &s->users[i];
	abort();
}

void fake_give(struct request *r, int status, json_t *body)
{
	r->out->status = status;
	if (tacit_json_write(body, &r->out->body) != TACIT_OK)
		abort();
	json_decref(body);
}

void fake_refuse(struct request *r, int status, const char *code)
{
	char text[80];
	snprintf(text, sizeof(text), "The server says %s.", code);
	fake_give(r, status, json_pack("{s:s,s:s}", "error", text, "code", code));
}

json_t *fake_time(const struct fake_server *s)
{
	struct tm tm;
	char text[32];
	time_t t = (time_t)s->now;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

json_t *fake_pem(const struct fake_user *u)
{
	struct tacit_buf pem = {0};
	if (tacit_pem_write_public(&u->key, &pem) != TACIT_OK)
		abort();
	json_t *text = json_stringn((const char *)pem.p, pem.n);
	tacit_buf_clear(&pem);
	return text;
}

json_t *fake_user_object(struct fake_server *s, const struct fake_user *u)
{
	return json_pack("{s:I,s:s,s:o,s:o}", "id", (json_int_t)u->id, "username", u->name,
	        "public_key", fake_pem(u), "created_at", fake_time(s));
}

const char *fake_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

static void do_telemetry(struct request *r)
{
	r->s->reports++;
	r->s->undecryptable +=
	        (unsigned)json_integer_value(json_object_get(r->data, "undecryptable"));
	r->s->missing += (unsigned)json_integer_value(json_object_get(r->data, "missing"));
	fake_give(r, 200, json_object());
}

static void with_session(struct request *r)
{
	const char *path = r->path;
	if (strcmp(path, "/api/logout") == 0) {
		r->user->cookie[0] = 0;
		fake_give(r, 200, json_object());
	} else if (strcmp(path, "/api/reset-password") == 0)
		fake_do_reset(r);
	else if (strcmp(path, "/api/me") == 0)
		fake_give(r, 200, fake_user_object(r->s, r->user));
	else if (strcmp(path, "/api/telemetry") == 0)
		do_telemetry(r);
	else if (strcmp(path, "/api/devices") == 0 && r->method == TACIT_POST)
		fake_do_put_device(r);
	else if (strcmp(path, "/api/devices") == 0)
		fake_give(r, 200, json_pack("{s:o}", "devices", fake_devices_of(r->user)));
	else if (strncmp(path, "/api/devices/", 13) == 0)
		fake_in_device(r, path + 13);
	else if (strncmp(path, "/api/users?q=", 13) == 0)
		fake_do_users(r, path + 13);
	else if (strncmp(path, "/api/users/", 11) == 0)
		fake_do_user(r, path + 11);
	else if (strcmp(path, "/api/conversations") == 0 && r->method == TACIT_POST)
		fake_do_create(r);
	else if (strcmp(path, "/api/conversations") == 0 ||
	         strncmp(path, "/api/conversations?", 19) == 0)
		fake_do_list(r);
	else if (strncmp(path, "/api/conversations/", 19) == 0)
		fake_do_conversation(r, path + 19);
	else
		fake_refuse(r, 404, "NOT_FOUND");
}

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
	        r->user != NULL ? r->user : fake_user_named(s, fake_text(r->data, "username"));
	return s->trusts_everyone || u == NULL || u->pending ||
	       strcmp(r->path, "/api/register") == 0 ||
	       tacit_signed_request_verify(&r->signed_request, &u->key) == TACIT_OK;
}

static void dispatch(struct request *r, const struct tacit_effect *send)
{
	if (!authentic(r, send))
		fake_refuse(r, 401, "BAD_SIGNATURE");
	else if (strcmp(r->path, "/api/register") == 0)
		fake_do_register(r);
	else if (strcmp(r->path, "/api/register/verify-2fa") == 0)
		fake_do_verify(r);
	else if (strcmp(r->path, "/api/login/new-device") == 0)
		fake_do_new_device(r);
	else if (strcmp(r->path, "/api/login") == 0)
		fake_do_login(r);
	else if (r->user == NULL || r->user->pending)
		fake_refuse(r, 401, "NOT_LOGGED_IN");
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
		fake_refuse(&r, s->fault_status, s->fault_code != NULL ? s->fault_code : "FAULT");
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
