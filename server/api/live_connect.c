/* live_connect.c - who connects and who goes. */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "server/api/auth.h"
#include "server/api/jwt.h"
#include "server/api/live_app.h"
#include "server/api/live_call.h"

#define CONNECT_COST 2 /* of the account's allowance */
#define MAX_TOKEN_BYTES API_JWT_MAX_BYTES

/* Somebody at the door: a job of the READ lane. */
struct knock {
	struct job job;
	struct api *api;
	struct live_handle socket;
	enum live_state state;
	bool bearer; /* token is a JWT, else a cookie */
	enum api_problem problem;
	size_t token_bytes;
	uint8_t token[];
};

bool live_state_read(struct tacit_bytes text, enum live_state *out)
{
	if (tacit_bytes_eq(text, TACIT_STR("online")))
		*out = LIVE_ONLINE;
	else if (tacit_bytes_eq(text, TACIT_STR("away")))
		*out = LIVE_AWAY;
	else if (tacit_bytes_eq(text, TACIT_STR("hidden")))
		*out = LIVE_HIDDEN;
	else
		return false;
	return true;
}

static void refuse(struct live_handle s, enum api_problem p)
{
	bool whom = api_problem_status(p) == 401;
	live_refuse(s, whom ? "Authentication required" : api_problem_text(p), api_problem_code(p));
}

/* --- the READ lane -------------------------------------------------------------------------- */

static enum tacit_err find_login(
        struct knock *k, struct store *store, int64_t now, struct store_session *out)
{
	enum tacit_err err;
	struct tacit_bytes token = tacit_bytes(k->token, k->token_bytes);
	if (k->bearer) {
		struct api_jwt claims;
		if (api_jwt_read(k->api->keys.jwt, token, now, &claims) != TACIT_OK) {
			k->problem = API_INVALID_TOKEN;
			return TACIT_E_REFUSED;
		}
		TRY(store->ops->session_by_id(store, claims.session_id, now, out));
		if (out->user_id != claims.user_id)
			err = TACIT_E_NOT_FOUND;
	} else {
		uint8_t hash[STORE_HASH_BYTES];
		api_token_hash(token, hash);
		err = store->ops->session_by_token(store, hash, now, out);
	}
out:
	return err;
}

static enum tacit_err check_login(
        struct knock *k, struct store *store, int64_t now, struct store_session *out)
{
	enum tacit_err err;
	unsigned retry_after;
	TRY(find_login(k, store, now, out));
	if (out->disabled)
		k->problem = API_ACCOUNT_DISABLED;
	else if (!api_limiter_take(k->api->by_account, (uint64_t)out->user_id, CONNECT_COST,
	                 api_monotonic_ms(), &retry_after))
		k->problem = API_RATE_LIMITED;
	err = k->problem == API_FINE ? TACIT_OK : TACIT_E_REFUSED;
out:
	return err;
}

/* A login that ends between the look at it and the acceptance is found by the second look: from
 * the acceptance on, who ends it ends the socket, too. */
static enum tacit_err let_in(
        struct knock *k, struct store *store, int64_t now, const struct store_session *who)
{
	enum tacit_err err;
	struct store_session again;
	const struct live_guest s = {.handle = k->socket,
	        .who = {who->user_id, who->id},
	        .expires_at = who->expires_at,
	        .state = k->state};
	TRY(live_people_enter(k->api->people, &s, who->username));
	err = live_accept(k->socket, &s.who);
	if (err != TACIT_OK) {
		live_people_leave(k->api->people, who->user_id, k->socket);
		goto out;
	}
	err = store->ops->session_by_id(store, who->id, now, &again);
	if (err != TACIT_OK || again.disabled)
		live_disconnect(k->socket);
	/* What cannot be told now is told later. */
	if (live_announce(k->api, store, who->user_id, now) != TACIT_OK)
		live_announce_later(k->api, who->user_id);
	err = TACIT_OK;
out:
	return err;
}

static enum tacit_err run_knock(struct job *j, void *context)
{
	enum tacit_err err;
	struct knock *k = (struct knock *)j;
	struct store_session who = {0};
	int64_t now = tacit_env_now(&k->api->settings.env);
	TRY(check_login(k, context, now, &who));
	TRY(let_in(k, context, now, &who));
out:
	tacit_wipe(k->token, k->token_bytes);
	return err;
}

static void end_knock(struct job *j, enum tacit_err err)
{
	struct knock *k = (struct knock *)j;
	if (err == TACIT_E_NOT_FOUND)
		k->problem = k->bearer ? API_INVALID_TOKEN : API_NOT_LOGGED_IN;
	else if (err != TACIT_OK && err != TACIT_E_REFUSED)
		k->problem = api_problem_of(err);
	if (k->problem != API_FINE)
		refuse(k->socket, k->problem);
	tacit_free(k);
}

/* --- the loop ------------------------------------------------------------------------------- */

/* A cookie comes along by itself, so a page of somebody else's may not use it. Programs that are no
 * browser send neither header. */
static bool cookie_allowed(const struct api *a, const struct http_request *r)
{
	struct tacit_bytes origin = http_header(r, "origin");
	struct tacit_bytes site = http_header(r, "sec-fetch-site");
	if (origin.p != NULL)
		return api_origin_listed(a, origin) ||
		       api_origin_is(origin, http_header(r, "host"), r->tls);
	return site.p == NULL || tacit_bytes_eq(site, TACIT_STR("same-origin")) ||
	       tacit_bytes_eq(site, TACIT_STR("none"));
}

struct credentials {
	struct tacit_bytes token; /* p == NULL: none */
	bool bearer;
};

static struct credentials find_credentials(const struct live_hello *hello)
{
	struct credentials c = {.bearer = true};
	const json_t *token = json_object_get(hello->auth, "token");
	struct tacit_bytes header = http_header(hello->request, "authorization");
	if (json_is_string(token)) {
		c.token = tacit_bytes(json_string_value(token), json_string_length(token));
	} else if (header.n > 7 && strncasecmp((const char *)header.p, "Bearer ", 7) == 0) {
		c.token = tacit_bytes_part(header, 7, SIZE_MAX);
	} else {
		c.token = http_cookie(hello->request, "tacit_session");
		c.bearer = false;
	}
	return c;
}

static enum live_state first_state(const json_t *auth)
{
	enum live_state state = LIVE_ONLINE;
	const json_t *text = json_object_get(auth, "presence");
	if (json_is_string(text) &&
	        !live_state_read(
	                tacit_bytes(json_string_value(text), json_string_length(text)), &state))
		state = LIVE_HIDDEN; /* who says something unknown wants to say something */
	return state;
}

static enum api_problem knock(struct api *a, struct live_handle s, const struct live_hello *hello)
{
	unsigned retry_after;
	struct credentials c = find_credentials(hello);
	if (!api_limiter_take(a->by_address, api_address_key(&hello->request->peer), 1,
	            api_monotonic_ms(), &retry_after))
		return API_RATE_LIMITED;
	if (c.token.n == 0)
		return API_NOT_LOGGED_IN;
	if (c.token.n > MAX_TOKEN_BYTES)
		return API_INVALID_TOKEN;
	if (!c.bearer && !cookie_allowed(a, hello->request))
		return API_CSRF;
	struct knock *k = tacit_alloc(sizeof(*k) + c.token.n);
	if (k == NULL)
		return API_UNAVAILABLE;
	*k = (struct knock){.job = {.run = run_knock, .done = end_knock},
	        .api = a,
	        .socket = s,
	        .state = first_state(hello->auth),
	        .bearer = c.bearer,
	        .token_bytes = c.token.n};
	memcpy(k->token, c.token.p, c.token.n);
	if (job_submit(a->pool, JOB_READ, &k->job))
		return API_FINE;
	tacit_wipe(k->token, k->token_bytes);
	tacit_free(k);
	return API_UNAVAILABLE;
}

void live_app_connect(void *ctx, struct live_handle s, const struct live_hello *hello)
{
	enum api_problem p = knock(ctx, s, hello);
	if (p != API_FINE)
		refuse(s, p);
}

void live_app_gone(void *ctx, struct live_handle s, const struct live_identity *who)
{
	struct api *a = ctx;
	live_people_leave(a->people, who->user_id, s);
	if (a->settings.presence)
		live_announce_later(a, who->user_id);
}
