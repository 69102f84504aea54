#include "server/api/stream.h"

#include "server/api/call.h"
#include "server/api/reply.h"

static void finish_letting_go(struct api_call *c)
{
	c->problem = c->refused;
	http_response_free(c->answer);
	c->answer = NULL;
	api_call_release(c);
	c->after_abandon(c);
}

/* What was begun is given up, and the work with it; then goes on. First that and then the answer:
 * who has it may come back for the same upload at once. */
static void let_go(struct api_call *c, void (*then)(struct api_call *c))
{
	c->refused = c->problem;
	c->problem = API_FINE;
	c->after_abandon = then;
	if (c->work != NULL)
		api_call_run(c, c->route->stream->abandon, finish_letting_go);
	else
		finish_letting_go(c);
}

static void reply_and_free(struct api_call *c)
{
	api_call_reply(c);
	api_call_free(c);
}

static void after_close(struct api_call *c)
{
	if (c->problem != API_FINE)
		let_go(c, reply_and_free);
	else
		reply_and_free(c);
}

static void close_stream(struct api_call *c)
{
	if (c->problem != API_FINE) {
		let_go(c, reply_and_free);
		return;
	}
	c->stream = API_STREAM_OPEN;
	api_call_run(c, c->route->stream->close, after_close);
}

static void after_refused_piece(struct api_call *c)
{
	c->stream = API_STREAM_REFUSED;
	api_call_reply(c);
	http_resume(c->handle);
}

static void after_piece(struct api_call *c)
{
	tacit_buf_clear(&c->piece);
	if (c->problem != API_FINE)
		let_go(c, after_refused_piece);
	else
		http_resume(c->handle);
}

static void handle_piece(struct api_call *c)
{
	if (c->problem != API_FINE) {
		after_piece(c);
		return;
	}
	c->stream = API_STREAM_OPEN;
	api_call_run(c, c->route->stream->piece, after_piece);
}

void *api_stream_begin(void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	struct api_call *c = api_call_new(ctx, route, h, r, API_COPY_HEAD);
	if (c == NULL)
		http_reply(h, api_problem_response(ctx, API_UNAVAILABLE, NULL, 1));
	return c;
}

void api_stream_data(void *ctx, struct http_handle h, void *state, struct tacit_buf *piece)
{
	struct api_call *c = state;
	(void)ctx;
	tacit_buf_clear(&c->piece);
	c->piece = *piece;
	*piece = (struct tacit_buf){0};
	if (c->stream == API_STREAM_REFUSED) {
		tacit_buf_clear(&c->piece);
		http_resume(h);
	} else if (c->stream == API_STREAM_FRESH) {
		api_call_run(c, c->route->stream->open, handle_piece);
	} else {
		handle_piece(c);
	}
}

void api_stream_end(void *ctx, struct http_handle h, void *state, bool complete)
{
	struct api_call *c = state;
	(void)ctx;
	(void)h;
	if (c->stream == API_STREAM_REFUSED)
		api_call_free(c);
	else if (!complete)
		let_go(c, api_call_free);
	else if (c->stream == API_STREAM_FRESH)
		api_call_run(c, c->route->stream->open, close_stream);
	else
		close_stream(c);
}
