/* relay_app.c - who may use the relay: nobody has an account there, so it is addresses that count.
 *
 * Nameplates are made and claimed at the rate of passwords: a claim is a guess, and spends a code
 * that somebody is waiting with. */
#include "server/api/auth.h"
#include "server/api/call.h"
#include "server/api/reply.h"

#define CONNECT_COST 2 /* of the address's allowance */

static bool may_come_from(const struct api *a, const struct http_request *r)
{
	struct tacit_bytes origin = http_header(r, "origin");
	return origin.p == NULL || api_origin_listed(a, origin) ||
	       api_origin_is(origin, http_header(r, "host"), r->tls);
}

static struct http_response *refuse(void *ctx, const struct http_request *r, enum relay_want want)
{
	struct api *a = ctx;
	unsigned retry_after = 0;
	uint64_t key = api_address_key(&r->peer), now = api_monotonic_ms();
	bool guess = want == RELAY_OPEN || want == RELAY_CLAIM;
	if (!api_limiter_take(a->by_address, key, CONNECT_COST, now, &retry_after) ||
	        (guess && !api_limiter_take(a->login_by_address, key, 1, now, &retry_after)))
		return api_problem_response(a, API_RATE_LIMITED, NULL, retry_after);
	if (want == RELAY_NONSENSE)
		return api_problem_response(a, API_BAD_REQUEST,
		        "This is a WebSocket: open, claim or resume; or DELETE of what is resumed.",
		        0);
	if (!may_come_from(a, r))
		return api_problem_response(
		        a, API_NOT_ALLOWED, "Pages of other origins may not transfer here.", 0);
	return NULL;
}

static uint64_t address(void *ctx, const struct http_request *r)
{
	(void)ctx;
	return api_address_key(&r->peer);
}

void api_set_relay(struct api *a, const struct relay *relay)
{
	a->relay = relay;
}

struct relay_app api_relay_app(struct api *a)
{
	return (struct relay_app){.ctx = a, .refuse = refuse, .address = address};
}
