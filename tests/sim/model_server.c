/* State:
 * users: [{id, username, email, password_hash, wrapped, iv, public_key, cookies: [text],
 *          devices: [{id, device, packages: [text], last_resort?}]}]
 * conversations: [{id, kind, name, last, members: [{user, read, joined}],
 *                  group?: {epoch, message_id, group_info}}]
 * messages: [as they are given out]   welcomes: [{id, device, user, ...}]   next: {what: number} */
#include "sim/model_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "crypto/encoding.h"
#include "sim/model_int.h"
#include "wire/device.h"
#include "wire/json.h"
#include "wire/pem.h"

void model_server_init(struct model_server *s)
{
	*s = (struct model_server){.now = 1700000000};
	tacit_json_init();
	s->state = json_pack("{s:[],s:[],s:[],s:[],s:{}}", "users", "conversations", "messages",
	        "welcomes", "next");
}

void model_server_clear(struct model_server *s)
{
	json_decref(s->state);
	free(s->seen);
	*s = (struct model_server){0};
}

void model_answer_clear(struct model_answer *a)
{
	tacit_buf_clear(&a->body);
	*a = (struct model_answer){0};
}

/* --- words ---------------------------------------------------------------------------------- */

void call_answer(struct call *c, int status, json_t *body)
{
	c->out->status = status;
	if (body == NULL || tacit_json_write(body, &c->out->body) != TACIT_OK)
		abort();
	json_decref(body);
}

void call_refuse(struct call *c, int status, const char *code)
{
	char text[80];
	snprintf(text, sizeof(text), "The server says %s.", code);
	call_answer(c, status, json_pack("{s:s,s:s}", "error", text, "code", code));
}

const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : "";
}

json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

json_t *time_of(int64_t seconds)
{
	struct tm tm;
	char text[32];
	time_t t = (time_t)seconds;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

json_int_t next_id(struct model_server *s, const char *what)
{
	json_t *next = json_object_get(s->state, "next");
	json_int_t id = number_of(next, what) + 1;
	json_object_set_new(next, what, json_integer(id));
	return id;
}

/* --- looking -------------------------------------------------------------------------------- */

json_t *model_user(const struct model_server *s, const char *name)
{
	size_t i;
	json_t *u;
	json_array_foreach(json_object_get(s->state, "users"), i,
	        u) if (strcasecmp(text_of(u, "username"), name) == 0) return u;
	return NULL;
}

json_t *user_by_id(const struct model_server *s, json_int_t id)
{
	size_t i;
	json_t *u;
	json_array_foreach(
	        json_object_get(s->state, "users"), i, u) if (number_of(u, "id") == id) return u;
	abort();
}

json_t *device_of(const json_t *user, const char *id)
{
	size_t i;
	json_t *d;
	json_array_foreach(json_object_get(user, "devices"), i,
	        d) if (strcmp(text_of(d, "id"), id) == 0) return d;
	return NULL;
}

json_t *device_anywhere(const struct model_server *s, const char *id, json_t **owner)
{
	size_t i;
	json_t *u;
	json_array_foreach(json_object_get(s->state, "users"), i, u)
	{
		json_t *d = device_of(u, id);
		*owner = u;
		if (d != NULL)
			return d;
	}
	*owner = NULL;
	return NULL;
}

json_t *model_messages(const struct model_server *s)
{
	return json_object_get(s->state, "messages");
}

/* --- accounts ------------------------------------------------------------------------------- */

static json_t *user_object(const json_t *u)
{
	return json_pack("{s:I,s:s,s:s,s:o}", "id", number_of(u, "id"), "username",
	        text_of(u, "username"), "public_key", text_of(u, "public_key"), "created_at",
	        time_of(1600000000));
}

static void give_cookie(struct call *c, json_t *user, const char *name)
{
	snprintf(c->out->cookie_name, sizeof(c->out->cookie_name), "%s", name);
	snprintf(c->out->cookie, sizeof(c->out->cookie), "c%lld", next_id(c->s, "cookie"));
	char whole[96];
	snprintf(whole, sizeof(whole), "%s=%s", name, c->out->cookie);
	json_array_append_new(json_object_get(user, "cookies"), json_string(whole));
}

static void do_register(struct call *c)
{
	if (model_user(c->s, text_of(c->data, "username")) != NULL) {
		call_refuse(c, 409, "USER_EXISTS");
		return;
	}
	json_t *u = json_pack("{s:I,s:b,s:[],s:[]}", "id", next_id(c->s, "user"), "pending", 1,
	        "cookies", "devices");
	static const char *const kept[] = {"username", "email", "password_hash", "public_key",
	        "encrypted_private_key", "encryption_iv"};
	for (size_t i = 0; i < TACIT_COUNT(kept); i++)
		json_object_set_new(u, kept[i], json_string(text_of(c->data, kept[i])));
	json_array_append_new(json_object_get(c->s->state, "users"), u);
	give_cookie(c, u, "tacit_pending");
	call_answer(c, 201,
	        json_pack("{s:s,s:s,s:s}", "qr_code", "data:,", "secret", "ABCDEFGH", "otpauth_uri",
	                "otpauth://totp/x?secret=ABCDEFGH"));
}

static void do_verify(struct call *c)
{
	json_object_set_new(c->user, "pending", json_false());
	give_cookie(c, c->user, "tacit_session");
	call_answer(c, 201,
	        json_pack("{s:o,s:[s]}", "user", user_object(c->user), "recovery_codes",
	                "aaaa-bbbb"));
}

static json_t *credentials(struct call *c, const json_t *data)
{
	json_t *u = model_user(c->s, text_of(data, "username"));
	if (u != NULL && strcmp(text_of(u, "password_hash"), text_of(data, "password_hash")) == 0)
		return u;
	call_refuse(c, 401, "INVALID_CREDENTIALS");
	return NULL;
}

static void do_new_device(struct call *c)
{
	json_t *u = credentials(c, c->body);
	if (u != NULL)
		call_answer(c, 200,
		        json_pack("{s:s,s:s,s:s}", "encrypted_private_key",
		                text_of(u, "encrypted_private_key"), "encryption_iv",
		                text_of(u, "encryption_iv"), "ticket", "ticket-1"));
}

static void do_login(struct call *c)
{
	json_t *u = credentials(c, c->data);
	if (u == NULL)
		return;
	give_cookie(c, u, "tacit_session");
	call_answer(c, 200, json_pack("{s:o,s:s}", "user", user_object(u), "token", "jwt"));
}

/* --- devices -------------------------------------------------------------------------------- */

static json_t *device_list(const json_t *u)
{
	size_t i;
	json_t *d, *list = json_array();
	json_array_foreach(json_object_get(u, "devices"), i, d) json_array_append_new(list,
	        json_pack("{s:s,s:s}", "id", text_of(d, "id"), "device", text_of(d, "device")));
	return list;
}

static void do_put_device(struct call *c)
{
	struct tacit_buf bytes = {0};
	struct tacit_device d;
	struct tacit_sign_public key;
	char id[2 * TACIT_DEVICE_ID_BYTES + 1];
	const char *text = text_of(c->data, "device");
	bool good = tacit_unbase64(TACIT_BASE64, tacit_cstr(text), &bytes) == TACIT_OK &&
	            tacit_device_decode(tacit_buf_view(&bytes), &d) == TACIT_OK &&
	            tacit_pem_read_public(tacit_cstr(text_of(c->user, "public_key")), &key) ==
	                    TACIT_OK &&
	            tacit_device_check(&d, &key) == TACIT_OK;
	tacit_buf_clear(&bytes);
	if (!good) {
		call_refuse(c, 422, "INVALID_VALUE");
		return;
	}
	tacit_hex(tacit_bytes(d.id.b, sizeof(d.id.b)), id);
	if (device_of(c->user, id) == NULL)
		json_array_append_new(json_object_get(c->user, "devices"),
		        json_pack("{s:s,s:s,s:[]}", "id", id, "device", text, "packages"));
	call_answer(c, 201, json_pack("{s:s}", "id", id));
}

void drop_welcomes(struct model_server *s, json_int_t user, json_int_t conversation)
{
	json_t *list = json_object_get(s->state, "welcomes");
	for (size_t i = json_array_size(list); i > 0; i--) {
		const json_t *w = json_array_get(list, i - 1);
		if (number_of(w, "user") == user &&
		        (conversation == 0 || number_of(w, "conversation_id") == conversation))
			json_array_remove(list, i - 1);
	}
}

static void drop_welcomes_of_device(struct model_server *s, const char *device, json_int_t id)
{
	json_t *list = json_object_get(s->state, "welcomes");
	for (size_t i = json_array_size(list); i > 0; i--) {
		const json_t *w = json_array_get(list, i - 1);
		if (strcmp(text_of(w, "device"), device) == 0 &&
		        (id == 0 || number_of(w, "id") == id))
			json_array_remove(list, i - 1);
	}
}

static void do_delete_device(struct call *c, const json_t *device)
{
	size_t i;
	json_t *d, *list = json_object_get(c->user, "devices");
	drop_welcomes_of_device(c->s, text_of(device, "id"), 0);
	json_array_foreach(list, i, d)
	{
		if (d == device) {
			json_array_remove(list, i);
			break;
		}
	}
	call_answer(c, 200, json_object());
}

static void answer_stock(struct call *c, const json_t *device)
{
	call_answer(c, 200,
	        json_pack("{s:I,s:b}", "available",
	                (json_int_t)json_array_size(json_object_get(device, "packages")),
	                "last_resort", json_object_get(device, "last_resort") != NULL));
}

static void do_put_packages(struct call *c, json_t *device)
{
	json_t *stock = json_object_get(device, "packages");
	json_t *last = json_object_get(c->data, "last_resort");
	json_t *added = json_object_get(c->data, "key_packages");
	if (json_array_size(stock) + json_array_size(added) > 100) {
		call_refuse(c, 422, "LIMIT");
		return;
	}
	json_array_extend(stock, added);
	if (json_is_string(last))
		json_object_set(device, "last_resort", last);
	answer_stock(c, device);
}

static void list_welcomes(struct call *c, const json_t *device)
{
	size_t i;
	json_t *w, *list = json_array();
	json_array_foreach(json_object_get(c->s->state, "welcomes"), i, w)
	{
		if (strcmp(text_of(w, "device"), text_of(device, "id")) != 0)
			continue;
		if (json_array_size(list) == 32)
			break;
		json_array_append(list, w);
	}
	call_answer(c, 200, json_pack("{s:o}", "welcomes", list));
}

/* rest: behind "/api/devices/". */
static void on_device(struct call *c, const char *rest)
{
	char id[2 * TACIT_DEVICE_ID_BYTES + 1];
	snprintf(id, sizeof(id), "%s", rest);
	json_t *device = device_of(c->user, id);
	rest += strlen(id);
	if (device == NULL)
		call_refuse(c, 404, "NOT_FOUND");
	else if (rest[0] == 0 && c->request->method == TACIT_DELETE)
		do_delete_device(c, device);
	else if (strcmp(rest, "/key-packages") == 0 && c->request->method == TACIT_PUT)
		do_put_packages(c, device);
	else if (strcmp(rest, "/key-packages") == 0)
		answer_stock(c, device);
	else if (strcmp(rest, "/welcomes") == 0)
		list_welcomes(c, device);
	else if (strncmp(rest, "/welcomes/", 10) == 0 && c->request->method == TACIT_DELETE) {
		drop_welcomes_of_device(c->s, id, strtoll(rest + 10, NULL, 10));
		call_answer(c, 200, json_object());
	} else
		call_refuse(c, 404, "NOT_FOUND");
}

void model_forget_key_packages(struct model_server *s)
{
	size_t i, k;
	json_t *u, *d;
	json_array_foreach(json_object_get(s->state, "users"), i, u)
	        json_array_foreach(json_object_get(u, "devices"), k, d)
	{
		json_array_clear(json_object_get(d, "packages"));
		json_object_del(d, "last_resort");
	}
}

void model_forget_welcomes(struct model_server *s)
{
	json_array_clear(json_object_get(s->state, "welcomes"));
}

/* --- the door ------------------------------------------------------------------------------- */

static void do_user(struct call *c, const char *name)
{
	json_t *u = model_user(c->s, name);
	if (u == NULL || json_is_true(json_object_get(u, "pending"))) {
		call_refuse(c, 404, "USER_NOT_FOUND");
		return;
	}
	json_t *object = user_object(u);
	json_object_set_new(object, "devices", device_list(u));
	call_answer(c, 200, object);
}

static void do_telemetry(struct call *c)
{
	c->s->unread += (uint64_t)number_of(c->data, "undecryptable") +
	                (uint64_t)number_of(c->data, "missing");
	call_answer(c, 200, json_object());
}

static void with_session(struct call *c)
{
	const char *path = c->request->path;
	if (strcmp(path, "/api/telemetry") == 0)
		do_telemetry(c);
	else if (strcmp(path, "/api/devices") == 0 && c->request->method == TACIT_POST)
		do_put_device(c);
	else if (strcmp(path, "/api/devices") == 0)
		call_answer(c, 200, json_pack("{s:o}", "devices", device_list(c->user)));
	else if (strncmp(path, "/api/devices/", 13) == 0)
		on_device(c, path + 13);
	else if (strncmp(path, "/api/users/", 11) == 0)
		do_user(c, path + 11);
	else if (!call_conversations(c, path))
		call_refuse(c, 404, "NOT_FOUND");
}

static bool seen_before(struct model_server *s, const uint8_t *mark)
{
	for (size_t i = 0; i < s->seen_count; i++)
		if (memcmp(s->seen[i], mark, sizeof(s->seen[i])) == 0)
			return true;
	if (s->seen_count == s->seen_cap) {
		s->seen_cap = s->seen_cap * 2 + 64;
		s->seen = realloc(s->seen, s->seen_cap * sizeof(s->seen[0]));
		if (s->seen == NULL)
			abort();
	}
	memcpy(s->seen[s->seen_count++], mark, sizeof(s->seen[0]));
	return false;
}

/* Every body but that of new-device is signed, by the session's user where there is one. */
static bool authentic(struct call *c)
{
	struct tacit_sign_public key;
	if (c->request->method == TACIT_GET)
		return true;
	if (tacit_json_parse(c->request->body, &c->body) != TACIT_OK)
		return false;
	if (strcmp(c->request->path, "/api/login/new-device") == 0)
		return true;
	if (tacit_signed_request_read(c->request->body, c->body, &c->signed_request) != TACIT_OK)
		return false;
	c->data = c->signed_request.data;
	const json_t *u = c->user;
	if (u == NULL)
		u = model_user(c->s, text_of(c->data, "username"));
	const char *pem = text_of(u != NULL ? u : c->data, "public_key");
	return tacit_pem_read_public(tacit_cstr(pem), &key) == TACIT_OK &&
	       tacit_signed_request_verify(&c->signed_request, &key) == TACIT_OK &&
	       llabs((long long)(c->signed_request.timestamp - c->s->now)) <= 300 &&
	       !seen_before(c->s, c->signed_request.signature.b);
}

static json_t *user_of_cookie(const struct model_server *s, struct tacit_bytes cookie)
{
	size_t i, k;
	json_t *u, *known;
	json_array_foreach(json_object_get(s->state, "users"), i, u) json_array_foreach(
	        json_object_get(u, "cookies"), k,
	        known) if (tacit_bytes_eq(cookie, tacit_cstr(json_string_value(known)))) return u;
	return NULL;
}

void model_server_answer(
        struct model_server *s, const struct model_request *r, struct model_answer *out)
{
	*out = (struct model_answer){0};
	struct call c = {.s = s, .request = r, .out = out, .user = user_of_cookie(s, r->cookie)};
	bool pending = json_is_true(json_object_get(c.user, "pending"));
	if (!authentic(&c))
		call_refuse(&c, 401, "BAD_SIGNATURE");
	else if (strcmp(r->path, "/api/register") == 0)
		do_register(&c);
	else if (strcmp(r->path, "/api/register/verify-2fa") == 0 && pending)
		do_verify(&c);
	else if (strcmp(r->path, "/api/login/new-device") == 0)
		do_new_device(&c);
	else if (strcmp(r->path, "/api/login") == 0)
		do_login(&c);
	else if (c.user == NULL || pending)
		call_refuse(&c, 401, "NOT_LOGGED_IN");
	else
		with_session(&c);
	tacit_signed_request_clear(&c.signed_request);
	json_decref(c.body);
}
