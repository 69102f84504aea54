#include "server/api/auth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto/encoding.h"
#include "crypto/kdf.h"
#include "server/api/jwt.h"

/* --- the body ------------------------------------------------------------------------------ */

static bool is_json(struct tacit_bytes content_type)
{
	static const char json[] = "application/json";
	size_t n = sizeof(json) - 1;
	if (content_type.p == NULL)
		return true;
	return content_type.n >= n && strncasecmp((const char *)content_type.p, json, n) == 0 &&
	       (content_type.n == n || content_type.p[n] == ';' || content_type.p[n] == ' ');
}

static enum tacit_err refuse_body(struct api_call *c, enum tacit_err err)
{
	if (err == TACIT_E_MALFORMED || err == TACIT_E_TOO_LARGE)
		return api_refuse(c, API_INVALID_JSON);
	return err;
}

static enum tacit_err read_signed(struct api_call *c)
{
	enum tacit_err err = tacit_signed_request_parse(c->body, &c->signed_request);
	c->data.tree = c->signed_request.data;
	return refuse_body(c, err);
}

/* An unsigned body that is flat needs no tree. A signed one, which never is, is parsed once; so is
 * any other, but for the rare one that only mentions the word "signature". One that spells its
 * member with escapes is found by the claim. */
static enum tacit_err read_body(struct api_call *c)
{
	static const char word[] = "\"signature\"";
	enum tacit_err err;
	if (c->body.n == 0) /* what is posted or put is at least {} */
		return c->route->body == API_JSON && c->method != HTTP_DELETE
		               ? api_refuse(c, API_INVALID_JSON)
		               : TACIT_OK;
	if (!is_json(c->header[API_H_CONTENT_TYPE]))
		return api_refuse(c, API_UNSUPPORTED_MEDIA_TYPE);
	if (api_object_flat(c->body, &c->flat) && tacit_flat_find(&c->flat, "signature") == NULL) {
		c->data.flat = &c->flat;
		return TACIT_OK;
	}
	if (memmem(c->body.p, c->body.n, word, sizeof(word) - 1) != NULL &&
	        tacit_signed_request_parse(c->body, &c->signed_request) == TACIT_OK) {
		c->data.tree = c->signed_request.data;
		return TACIT_OK;
	}
	err = tacit_json_parse(c->body, &c->json);
	if (err != TACIT_OK)
		return refuse_body(c, err);
	if (!json_is_object(c->json))
		return api_refuse(c, API_INVALID_JSON);
	if (tacit_signed_request_claims(c->json))
		return read_signed(c);
	c->data.tree = c->json;
	return TACIT_OK;
}

/* --- signatures ---------------------------------------------------------------------------- */

static bool is_signed(const struct api_call *c)
{
	return c->signed_request.data != NULL;
}

static enum tacit_err check_timestamp(struct api_call *c)
{
	int64_t window = c->api->settings.signature_window_s;
	int64_t off = c->signed_request.timestamp - c->now;
	return off > window || off < -window ? api_refuse(c, API_STALE_TIMESTAMP) : TACIT_OK;
}

enum tacit_err api_verify_signature(
        struct api_call *c, const uint8_t public_key[32], int64_t user_id)
{
	struct tacit_sign_public pk;
	memcpy(pk.b, public_key, sizeof(pk.b));
	if (tacit_signed_request_verify(&c->signed_request, &pk) != TACIT_OK)
		return api_refuse(c, API_BAD_SIGNATURE);
	c->who.user_id = user_id;
	c->verified = true;
	return TACIT_OK;
}

/* --- who ----------------------------------------------------------------------------------- */

static enum tacit_err by_cookie(struct api_call *c, struct store *store)
{
	uint8_t hash[STORE_HASH_BYTES];
	api_token_hash(c->header[API_H_SESSION], hash);
	enum tacit_err err = store->ops->session_by_token(store, hash, c->now, &c->who);
	if (err == TACIT_OK)
		c->way = API_BY_COOKIE;
	return err;
}

static enum tacit_err by_bearer(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_jwt claims;
	struct tacit_bytes token = tacit_bytes_part(c->header[API_H_AUTHORIZATION], 7, SIZE_MAX);
	if (api_jwt_read(c->api->keys.jwt, token, c->now, &claims) != TACIT_OK)
		return api_refuse(c, API_INVALID_TOKEN);
	TRY(store->ops->session_by_id(store, claims.session_id, c->now, &c->who));
	if (c->who.user_id != claims.user_id)
		err = api_refuse(c, API_INVALID_TOKEN);
	c->way = API_BY_BEARER;
out:
	return err;
}

/* A signed body without a session names its account beside the data. */
static enum tacit_err by_name(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_bytes name = {0};
	char text[TACIT_MAX_USERNAME + 1] = "";
	struct store_user user = {0};
	if (c->signed_request.body == NULL)
		return TACIT_E_NOT_FOUND;
	err = tacit_json_text(
	        c->signed_request.body, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &name);
	if (err != TACIT_OK)
		return err == TACIT_E_NOMEM ? err : TACIT_E_NOT_FOUND;
	memcpy(text, name.p, name.n);
	err = store->ops->user_by_name(store, text, &user);
	if (err == TACIT_E_NOT_FOUND) /* as a wrong key is told: names stay unknown */
		return api_refuse(c, API_BAD_SIGNATURE);
	if (err != TACIT_OK)
		return err;
	c->who = (struct store_session){
	        .user_id = user.id, .admin = user.admin, .disabled = user.disabled};
	memcpy(c->who.username, user.username, sizeof(user.username));
	memcpy(c->who.public_key, user.public_key, sizeof(user.public_key));
	c->way = API_BY_NAME;
	return TACIT_OK;
}

static bool has_bearer(const struct api_call *c)
{
	struct tacit_bytes a = c->header[API_H_AUTHORIZATION];
	return a.n > 7 && strncasecmp((const char *)a.p, "Bearer ", 7) == 0;
}

void api_find_session(struct api_call *c, struct store *store)
{
	if (c->looked || c->route->auth != API_USER)
		return;
	c->looked = true;
	c->found = TACIT_E_NOT_FOUND;
	if (has_bearer(c))
		c->found = by_bearer(c, store);
	else if (c->header[API_H_SESSION].n > 0)
		c->found = by_cookie(c, store);
}

static enum tacit_err find_account(struct api_call *c, struct store *store)
{
	api_find_session(c, store);
	enum tacit_err err = c->found;
	if (err == TACIT_E_NOT_FOUND && is_signed(c))
		err = by_name(c, store);
	return err == TACIT_E_NOT_FOUND ? api_refuse(c, API_NOT_LOGGED_IN) : err;
}

/* --- CSRF ---------------------------------------------------------------------------------- */

bool api_origin_listed(const struct api *a, struct tacit_bytes origin)
{
	const char *list = a->settings.cors_origins;
	while (list != NULL && *list != '\0') {
		size_t n = strcspn(list, ",");
		if (n > 0 && n == origin.n && memcmp(list, origin.p, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

bool api_origin_is(struct tacit_bytes origin, struct tacit_bytes host, bool tls)
{
	struct tacit_bytes scheme = tls ? TACIT_STR("https://") : TACIT_STR("http://");
	return origin.n == scheme.n + host.n && host.n > 0 &&
	       tacit_bytes_eq(tacit_bytes_part(origin, 0, scheme.n), scheme) &&
	       strncasecmp((const char *)origin.p + scheme.n, (const char *)host.p, host.n) == 0;
}

bool api_same_origin(const struct api_call *c)
{
	struct tacit_bytes site = c->header[API_H_FETCH_SITE];
	struct tacit_bytes origin = c->header[API_H_ORIGIN], host = c->header[API_H_HOST];
	if (site.p != NULL && tacit_bytes_eq(site, TACIT_STR("same-origin")))
		return true;
	if (origin.p == NULL)
		return false;
	if (api_origin_listed(c->api, origin))
		return true;
	return api_origin_is(origin, host, c->tls);
}

void api_csrf_token(const struct api *a, int64_t session_id, char out[API_CSRF_CHARS + 1])
{
	uint8_t tag[TACIT_SHA256_BYTES];
	tacit_hmac(TACIT_SHA256, a->keys.csrf, tacit_bytes(&session_id, sizeof(session_id)), tag);
	tacit_hex(tacit_bytes(tag, sizeof(tag)), out);
}

static bool csrf_safe(const struct api_call *c)
{
	char want[API_CSRF_CHARS + 1];
	if (api_same_origin(c))
		return true;
	api_csrf_token(c->api, c->who.id, want);
	return tacit_ct_eq(c->header[API_H_CSRF], tacit_bytes(want, API_CSRF_CHARS));
}

/* --- all of it ----------------------------------------------------------------------------- */

static bool is_safe(enum http_method m)
{
	return m == HTTP_GET || m == HTTP_HEAD || m == HTTP_OPTIONS;
}

static enum tacit_err check_unsigned(struct api_call *c)
{
	if (is_safe(c->method))
		return TACIT_OK;
	if (c->api->settings.require_signed && c->route->body == API_JSON)
		return api_refuse(c, API_SIGNATURE_REQUIRED);
	if (c->way == API_BY_COOKIE && !csrf_safe(c))
		return api_refuse(c, API_CSRF);
	return TACIT_OK;
}

static enum tacit_err check_user(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(find_account(c, store));
	if (is_signed(c))
		TRY(api_verify_signature(c, c->who.public_key, c->who.user_id));
	else
		TRY(check_unsigned(c));
	if (c->who.disabled)
		return api_refuse(c, API_ACCOUNT_DISABLED);
	if (!api_limiter_take(c->api->by_account, (uint64_t)c->who.user_id, c->route->cost,
	            api_monotonic_ms(), &c->retry_after))
		return api_refuse(c, API_RATE_LIMITED);
out:
	return err;
}

enum tacit_err api_authenticate(struct api_call *c, struct store *store)
{
	enum tacit_err err = TACIT_OK;
	if (c->route->body != API_STREAM)
		TRY(read_body(c));
	if (is_signed(c))
		TRY(check_timestamp(c));
	if (c->route->auth == API_SIGNED && !is_signed(c))
		return api_refuse(c, API_SIGNATURE_REQUIRED);
	if (c->route->auth == API_USER)
		TRY(check_user(c, store));
out:
	return err;
}
