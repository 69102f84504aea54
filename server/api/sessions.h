/* sessions.h - what a successful login gives out: session, cookie, JWT, refresh token. */
#ifndef TACIT_SERVER_API_SESSIONS_H
#define TACIT_SERVER_API_SESSIONS_H

#include "server/api/call.h"

struct api_new_session {
	int64_t id;
	char cookie[API_TOKEN_CHARS + 1], refresh[API_TOKEN_CHARS + 1];
	struct tacit_buf jwt;
};

/* In a WRITE step. Clear it in any case. */
TACIT_MUST_USE enum tacit_err api_session_new(
        struct api_call *c, struct store *store, int64_t user_id, struct api_new_session *out);
void api_session_clear(struct api_new_session *s);
/* The members token, refresh_token, expires_in of a JSON answer. */
void api_session_members(struct api_json *w, const struct api_new_session *s);
/* Set-Cookie: tacit_session. */
TACIT_MUST_USE enum tacit_err api_session_cookie(
        struct api_call *c, const struct api_new_session *s);

/* HttpOnly, SameSite=Lax, Secure under TLS. seconds 0: the browser forgets it. */
TACIT_MUST_USE enum tacit_err api_set_cookie(
        struct api_call *c, const char *name, const char *value, int64_t seconds);

/* {"id","username","public_key","created_at"}, and for the owner "email" and "admin". */
enum api_view { API_PUBLIC_VIEW, API_OWNER_VIEW };
void api_user_members(struct api_json *w, const struct store_user *u, enum api_view view);

#endif
