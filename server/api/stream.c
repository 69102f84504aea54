#include "server/api/stream.h"

#include "server/api/call.h"
#include "server/api/reply.h"

static void fail(struct api_call *c)
{
	c->stream = API_STREAM_REFUSED;
	if (!c->replied)
		api_call_reply(c);
	c->replied = true;
}

static void after_abandon(struct api_call *c)
{
	api_call_free(c);
}

/* The problem that led here was told; the steps below start without it. */
static void abandon(struct api_call *c)
{
	bool opened = c->stream != API_STREAM_FRESH && c->work != NULL;
	c->stream = API_STREAM_REFUSED;
	c->problem = API_FINE;
	http_response_free(c->answer);
	c->answer = NULL;
	if (opened)
		api_call_run(c, c->route->stream->abandon, after_abandon);
	else
		api_call_free(c);
}

static void after_close(struct api_call *c)
{
	api_call_reply(c);
	c->replied = true;
	if (c->problem != API_FINE)
		abandon(c);
	else
		api_call_free(c);
}

static void close_stream(struct api_call *c)
{
	if (c->problem != API_FINE) {
		fail(c);
		abandon(c);
		return;
	}
	c->stream = API_STREAM_OPEN;
	api_call_run(c, c->route->stream->close, after_close);
}

static void after_piece(struct api_call *c)
{
	tacit_buf_clear(&c->piece);
	if (c->problem != API_FINE)
		fail(c);
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
	if (!complete || c->stream == API_STREAM_REFUSED)
		abandon(c);
	else if (c->stream == API_STREAM_FRESH)
		api_call_run(c, c->route->stream->open, close_stream);
	else
		close_stream(c);
}
