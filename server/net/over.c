#include "server/net/over.h"

static void plan(void *ctx, const struct http_request *r, struct http_plan *plan)
{
	struct http_over *o = ctx;
	if (o->plan(o, r, plan))
		plan->route = o;
	else
		o->under.plan(o->under.ctx, r, plan);
}

static void handle(void *ctx, struct http_handle from, const struct http_request *r, void *route)
{
	struct http_over *o = ctx;
	if (route == o)
		o->handle(o, from, r);
	else
		o->under.handle(o->under.ctx, from, r, route);
}

static void abandoned(void *ctx, struct http_handle from, const struct http_request *r, void *route)
{
	struct http_over *o = ctx;
	if (route == o && o->abandoned != NULL)
		o->abandoned(o, from, r);
	else if (route != o && o->under.abandoned != NULL)
		o->under.abandoned(o->under.ctx, from, r, route);
}

static void *stream_begin(
        void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	struct http_over *o = ctx;
	return o->under.stream_begin(o->under.ctx, h, r, route);
}

static void stream_data(void *ctx, struct http_handle h, void *state, struct tacit_buf *piece)
{
	struct http_over *o = ctx;
	o->under.stream_data(o->under.ctx, h, state, piece);
}

static void stream_end(void *ctx, struct http_handle h, void *state, bool complete)
{
	struct http_over *o = ctx;
	o->under.stream_end(o->under.ctx, h, state, complete);
}

static void common_headers(void *ctx, const struct http_request *r,
        const struct http_response *answer, struct tacit_buf *out)
{
	struct http_over *o = ctx;
	if (o->under.common_headers != NULL)
		o->under.common_headers(o->under.ctx, r, answer, out);
}

static void error_body(void *ctx, int status, struct tacit_buf *out)
{
	struct http_over *o = ctx;
	if (o->under.error_body != NULL)
		o->under.error_body(o->under.ctx, status, out);
}

static void finished(void *ctx, const struct http_request *r, void *route, int status,
        uint64_t bytes_out, uint64_t microseconds)
{
	struct http_over *o = ctx;
	if (o->under.finished != NULL)
		o->under.finished(o->under.ctx, r, route != o ? route : NULL, status, bytes_out,
		        microseconds);
}

void http_over_loop_began(void *ctx, uint32_t loop)
{
	struct http_over *o = ctx;
	if (o->under.loop_began != NULL)
		o->under.loop_began(o->under.ctx, loop);
}

void http_over_turn_over(void *ctx, uint32_t loop)
{
	struct http_over *o = ctx;
	if (o->under.turn_over != NULL)
		o->under.turn_over(o->under.ctx, loop);
}

void http_over_alarm(void *ctx, uint32_t loop)
{
	struct http_over *o = ctx;
	if (o->under.alarm != NULL)
		o->under.alarm(o->under.ctx, loop);
}

void http_over_loop_stops(void *ctx, uint32_t loop)
{
	struct http_over *o = ctx;
	if (o->under.loop_stops != NULL)
		o->under.loop_stops(o->under.ctx, loop);
}

void http_over_loop_ended(void *ctx, uint32_t loop)
{
	struct http_over *o = ctx;
	if (o->under.loop_ended != NULL)
		o->under.loop_ended(o->under.ctx, loop);
}

struct http_app http_over_app(struct http_over *o, const struct http_app *under)
{
	o->under = *under;
	return (struct http_app){
	        .ctx = o,
	        .plan = plan,
	        .handle = handle,
	        .abandoned = abandoned,
	        .stream_begin = stream_begin,
	        .stream_data = stream_data,
	        .stream_end = stream_end,
	        .common_headers = common_headers,
	        .error_body = error_body,
	        .cork = under->cork,
	        .uncork = under->uncork,
	        .loop_began = http_over_loop_began,
	        .turn_over = http_over_turn_over,
	        .alarm = http_over_alarm,
	        .loop_stops = http_over_loop_stops,
	        .loop_ended = http_over_loop_ended,
	        .finished = finished,
	};
}
