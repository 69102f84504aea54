/* over.h - an application in front of another: it answers what is its own, and the other one the
 * rest.
 *
 * Begins the struct of the one in front, whose ctx therefore is a struct http_over. */
#ifndef TACIT_SERVER_NET_OVER_H
#define TACIT_SERVER_NET_OVER_H

#include "server/net/http.h"

struct http_over {
	struct http_app under;
	/* Is r ours? Then the plan is made, but for its route, and handle() gets what is buffered;
	 * it may not be HTTP_STREAM. */
	bool (*plan)(void *ctx, const struct http_request *r, struct http_plan *plan);
	void (*handle)(void *ctx, struct http_handle from, const struct http_request *r);
	/* Of a plan of ours that is watched; may be NULL. */
	void (*abandoned)(void *ctx, struct http_handle from, const struct http_request *r);
};

/* What goes to net_server_new, or under the next: o->plan and o->handle are set. The calls of a
 * loop's life go to `under`; who needs them for itself replaces them, and calls those below. */
struct http_app http_over_app(struct http_over *o, const struct http_app *under);

void http_over_loop_began(void *ctx, uint32_t loop);
void http_over_turn_over(void *ctx, uint32_t loop);
void http_over_alarm(void *ctx, uint32_t loop);
void http_over_loop_stops(void *ctx, uint32_t loop);
void http_over_loop_ended(void *ctx, uint32_t loop);

#endif
