#include "server/api/sessions.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/api/auth.h"
#include "server/api/handlers.h"
#include "server/api/jwt.h"

static enum tacit_err write_jwt(
        struct api_call *c, int64_t user_id, int64_t session_id, struct tacit_buf *out)
{
	struct api_jwt claims = {user_id, session_id, c->now + API_JWT_SECONDS};
	return api_jwt_write(c->api->keys.jwt, &claims, c->now, out);
}

enum tacit_err api_session_new(
        struct api_call *c, struct store *store, int64_t user_id, struct api_new_session *out)
{
	enum tacit_err err;
	uint8_t token[STORE_HASH_BYTES], refresh[STORE_HASH_BYTES];
	const struct tacit_env *env = &c->api->settings.env;
	*out = (struct api_new_session){0};
	TRY(api_token_new(env, out->cookie, token));
	TRY(api_token_new(env, out->refresh, refresh));
	TRY(store->ops->session_create(store, user_id, token, refresh, c->now,
	        c->now + c->api->settings.session_s, &out->id));
	TRY(write_jwt(c, user_id, out->id, &out->jwt));
out:
	return err;
}

void api_session_clear(struct api_new_session *s)
{
	tacit_buf_clear(&s->jwt);
	tacit_wipe(s, sizeof(*s));
}

void api_session_members(struct api_json *w, const struct api_new_session *s)
{
	api_json_text(w, "token", tacit_buf_view(&s->jwt));
	api_json_text(w, "refresh_token", tacit_cstr(s->refresh));
	api_json_integer(w, "expires_in", API_JWT_SECONDS);
}

enum tacit_err api_set_cookie(
        struct api_call *c, const char *name, const char *value, int64_t seconds)
{
	char line[200];
	(void)snprintf(line, sizeof(line),
	        "%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s", name, value,
	        seconds, c->tls ? "; Secure" : "");
	enum tacit_err err = http_response_header(c->answer, "Set-Cookie", line);
	tacit_wipe(line, sizeof(line));
	return err;
}

enum tacit_err api_session_cookie(struct api_call *c, const struct api_new_session *s)
{
	return api_set_cookie(c, "tacit_session", s->cookie, c->api->settings.session_s);
}

void api_user_members(struct api_json *w, const struct store_user *u, enum api_view view)
{
	api_json_integer(w, "id", u->id);
	api_json_text(w, "username", tacit_cstr(u->username));
	if (view == API_OWNER_VIEW) {
		api_json_text(w, "email", tacit_cstr(u->email));
		api_json_bool(w, "admin", u->admin);
	}
	api_json_public_key(w, "public_key", u->public_key);
	api_json_time(w, "created_at", u->created_at);
}

/* POST /api/logout */
enum tacit_err api_logout(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	if (c->who.id == 0)
		return api_refuse(c, API_NOT_LOGGED_IN);
	TRY(store->ops->session_end(store, c->who.id));
	TRY(live_tell_end(&c->outbox, c->who.user_id, c->who.id));
	TRY(api_answer_empty(c, 200));
	TRY(api_set_cookie(c, "tacit_session", "", 0));
out:
	return err;
}

/* GET /api/csrf */
enum tacit_err api_csrf(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	char token[API_CSRF_CHARS + 1];
	(void)store;
	if (c->way != API_BY_COOKIE)
		return api_refuse(c, API_NOT_LOGGED_IN);
	api_csrf_token(c->api, c->who.id, token);
	TRY(api_answer_json(c, 200, &w));
	api_json_text(&w, "csrf_token", tacit_cstr(token));
	TRY(api_json_finish(&w));
out:
	return err;
}

/* POST /api/token/refresh */
enum tacit_err api_token_refresh(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_bytes old;
	struct api_new_session fresh = {0};
	struct store_session session;
	uint8_t old_hash[STORE_HASH_BYTES], new_hash[STORE_HASH_BYTES];
	TRY(api_text(c, "refresh_token", TACIT_REQUIRED, 100, &old));
	api_token_hash(old, old_hash);
	TRY(api_token_new(&c->api->settings.env, fresh.refresh, new_hash));
	err = store->ops->session_refresh(
	        store, old_hash, new_hash, c->now, c->now + c->api->settings.session_s, &session);
	if (err == TACIT_E_REPLAY) { /* somebody has a copy: that the session has ended must stay */
		c->outbox.recheck = true;
		err = api_refuse_and_keep(c, API_INVALID_TOKEN);
		goto out;
	}
	if (err == TACIT_E_NOT_FOUND)
		err = api_refuse(c, API_INVALID_TOKEN);
	TRY(err);
	if (session.disabled)
		TRY(api_refuse(c, API_ACCOUNT_DISABLED));
	TRY(write_jwt(c, session.user_id, session.id, &fresh.jwt));
	TRY(api_answer_json(c, 200, &w));
	api_session_members(&w, &fresh);
	TRY(api_json_finish(&w));
out:
	api_session_clear(&fresh);
	return err;
}
