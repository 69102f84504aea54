/* Accounts, their devices, and the directory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/encoding.h"
#include "e2e/group.h"
#include "support/fake_request.h"
#include "support/tap.h"
#include "wire/device.h"
#include "wire/pem.h"

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
	d->last_resort = fake_keep((const char *)text.p);
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

static void begin_session(struct request *r, struct fake_user *u)
{
	snprintf(u->cookie, sizeof(u->cookie), "session-%llu-%lld", (unsigned long long)u->id,
	        (long long)r->s->now);
	snprintf(r->out->cookie_name, sizeof(r->out->cookie_name), "tacit_session");
	snprintf(r->out->cookie, sizeof(r->out->cookie), "%s", u->cookie);
}

void fake_do_register(struct request *r)
{
	struct fake_server *s = r->s;
	if (fake_user_named(s, fake_text(r->data, "username")) != NULL) {
		fake_refuse(r, 409, "USER_EXISTS");
		return;
	}
	struct fake_user *u = &s->users[s->user_count];
	*u = (struct fake_user){.id = s->user_count + 1, .pending = true};
	snprintf(u->name, sizeof(u->name), "%s", fake_text(r->data, "username"));
	snprintf(u->email, sizeof(u->email), "%s", fake_text(r->data, "email"));
	snprintf(u->password_hash, sizeof(u->password_hash), "%s",
	        fake_text(r->data, "password_hash"));
	snprintf(u->wrapped, sizeof(u->wrapped), "%s", fake_text(r->data, "encrypted_private_key"));
	snprintf(u->iv, sizeof(u->iv), "%s", fake_text(r->data, "encryption_iv"));
	if (tacit_pem_read_public(tacit_cstr(fake_text(r->data, "public_key")), &u->key) !=
	                TACIT_OK ||
	        tacit_signed_request_verify(&r->signed_request, &u->key) != TACIT_OK) {
		fake_refuse(r, 401, "BAD_SIGNATURE");
		return;
	}
	s->user_count++;
	snprintf(u->cookie, sizeof(u->cookie), "pending-%llu", (unsigned long long)u->id);
	snprintf(r->out->cookie_name, sizeof(r->out->cookie_name), "tacit_pending");
	snprintf(r->out->cookie, sizeof(r->out->cookie), "%s", u->cookie);
	fake_give(r, 201,
	        json_pack("{s:s,s:s,s:s}", "qr_code", "data:,", "secret", "ABCDEFGH", "otpauth_uri",
	                "otpauth://totp/x?secret=ABCDEFGH"));
}

void fake_do_verify(struct request *r)
{
	if (r->user == NULL || !r->user->pending ||
	        strcmp(fake_text(r->data, "totp_code"), "123456") != 0) {
		fake_refuse(r, 401, "INVALID_TOTP");
		return;
	}
	r->user->pending = false;
	begin_session(r, r->user);
	fake_give(r, 201,
	        json_pack("{s:o,s:[s,s]}", "user", fake_user_object(r->s, r->user),
	                "recovery_codes", "aaaa-bbbb", "cccc-dddd"));
}

static bool credentials(struct request *r, const json_t *data, struct fake_user **u)
{
	*u = fake_user_named(r->s, fake_text(data, "username"));
	bool factor = strcmp(fake_text(data, "totp_code"), "123456") == 0 ||
	              strcmp(fake_text(data, "recovery_code"), "aaaa-bbbb") == 0 ||
	              strcmp(fake_text(data, "ticket"), "ticket-1") == 0;
	return *u != NULL && factor &&
	       strcmp((*u)->password_hash, fake_text(data, "password_hash")) == 0;
}

void fake_do_new_device(struct request *r)
{
	struct fake_user *u;
	if (!credentials(r, r->body, &u)) {
		fake_refuse(r, 401, "INVALID_CREDENTIALS");
		return;
	}
	fake_give(r, 200,
	        json_pack("{s:s,s:s,s:s}", "encrypted_private_key", u->wrapped, "encryption_iv",
	                u->iv, "ticket", "ticket-1"));
}

void fake_do_login(struct request *r)
{
	struct fake_user *u;
	if (!credentials(r, r->data, &u) || r->data == r->body) {
		fake_refuse(r, 401, "INVALID_CREDENTIALS");
		return;
	}
	begin_session(r, u);
	fake_give(r, 200,
	        json_pack("{s:o,s:s,s:s,s:s}", "user", fake_user_object(r->s, u), "token", "jwt",
	                "encrypted_private_key", u->wrapped, "encryption_iv", u->iv));
}

void fake_do_reset(struct request *r)
{
	struct fake_user *u = r->user;
	if (strcmp(fake_text(r->data, "token"), "alice.good") != 0) {
		fake_refuse(r, 401, "RESET_TOKEN_EXPIRED");
		return;
	}
	snprintf(u->password_hash, sizeof(u->password_hash), "%s",
	        fake_text(r->data, "password_hash"));
	snprintf(u->wrapped, sizeof(u->wrapped), "%s", fake_text(r->data, "encrypted_private_key"));
	snprintf(u->iv, sizeof(u->iv), "%s", fake_text(r->data, "encryption_iv"));
	u->cookie[0] = 0;
	fake_give(r, 200, json_object());
}

json_t *fake_devices_of(const struct fake_user *u)
{
	json_t *list = json_array();
	for (size_t i = 0; i < u->device_count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "id", u->devices[i].id, "device",
		                                    u->devices[i].encoded));
	return list;
}

void fake_do_put_device(struct request *r)
{
	struct fake_user *u = r->user;
	struct fake_device *d = &u->devices[u->device_count++];
	struct tacit_buf bytes = {0};
	struct tacit_device parsed;
	*d = (struct fake_device){0};
	snprintf(d->encoded, sizeof(d->encoded), "%s", fake_text(r->data, "device"));
	if (tacit_unbase64(TACIT_BASE64, tacit_cstr(d->encoded), &bytes) != TACIT_OK ||
	        tacit_device_decode(tacit_buf_view(&bytes), &parsed) != TACIT_OK ||
	        tacit_device_check(&parsed, &u->key) != TACIT_OK) {
		u->device_count--;
		tacit_buf_clear(&bytes);
		fake_refuse(r, 422, "INVALID_VALUE");
		return;
	}
	tacit_hex(tacit_bytes(parsed.id.b, sizeof(parsed.id.b)), d->id);
	for (size_t i = 0; i + 1 < u->device_count; i++)
		if (strcmp(u->devices[i].id, d->id) == 0) {
			u->device_count--;
			break;
		}
	tacit_buf_clear(&bytes);
	fake_give(r, 201, json_pack("{s:s}", "id", d->id));
}

void fake_do_delete_device(struct request *r, const char *id)
{
	struct fake_user *u = r->user;
	for (size_t i = 0; i < u->device_count; i++) {
		if (strcmp(u->devices[i].id, id) != 0)
			continue;
		memmove(&u->devices[i], &u->devices[i + 1],
		        (u->device_count - i - 1) * sizeof(u->devices[0]));
		u->device_count--;
		fake_give(r, 200, json_object());
		return;
	}
	fake_refuse(r, 404, "NOT_FOUND");
}

void fake_do_user(struct request *r, const char *name)
{
	struct fake_user *u = fake_user_named(r->s, name);
	if (u == NULL || u->pending) {
		fake_refuse(r, 404, "USER_NOT_FOUND");
		return;
	}
	json_t *object = fake_user_object(r->s, u);
	json_object_set_new(object, "devices", fake_devices_of(u));
	fake_give(r, 200, object);
}

void fake_do_users(struct request *r, const char *prefix)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->s->user_count; i++)
		if (strncmp(r->s->users[i].name, prefix, strlen(prefix)) == 0)
			json_array_append_new(list, fake_user_object(r->s, &r->s->users[i]));
	fake_give(r, 200, json_pack("{s:o}", "users", list));
}
