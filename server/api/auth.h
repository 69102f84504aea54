/* auth.h - who is calling? The three ways of contract 1. READ lane. */
#ifndef TACIT_SERVER_API_AUTH_H
#define TACIT_SERVER_API_AUTH_H

#include "server/api/call.h"

/* Looks for the session that the call names, if it asks for one. Reads nothing but the store, so
 * that many calls can do it together; what comes of it is told by api_authenticate. */
void api_find_session(struct api_call *c, struct store *store);

/* Reads the body, finds the account, checks signature, timestamp, CSRF, and the account's
 * allowance, as the route asks. Refuses by c->problem. */
TACIT_MUST_USE enum tacit_err api_authenticate(struct api_call *c, struct store *store);

/* For API_SIGNED handlers: does the body bear this key's signature? Refuses BAD_SIGNATURE. The
 * signature will be spent under user_id (0: nobody yet). */
TACIT_MUST_USE enum tacit_err api_verify_signature(
        struct api_call *c, const uint8_t public_key[32], int64_t user_id);

/* Is the call from the server's own pages, or those of a listed origin? */
bool api_same_origin(const struct api_call *c);
/* Is it the origin of pages that this host serves? */
bool api_origin_is(struct tacit_bytes origin, struct tacit_bytes host, bool tls);
bool api_origin_listed(const struct api *a, struct tacit_bytes origin);

/* The CSRF token of a session, hex. */
#define API_CSRF_CHARS 64
void api_csrf_token(const struct api *a, int64_t session_id, char out[API_CSRF_CHARS + 1]);

#endif
