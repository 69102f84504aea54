#include "client/relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "client/monotonic.h"
#include "client/outbound.h"
#include "client/upgrade.h"
#include "client/wire.h"

#define HIGH_WATER ((size_t)TACIT_RELAY_MAX_MESSAGE / 2)
#define FRAME ((size_t)TACIT_RELAY_MAX_MESSAGE + TACIT_WS_HEAD_BYTES)
#define ROOM (4 * FRAME) /* each reading has its price, also the other end's for hearing of it */
#define HANDSHAKE_MS 20000
#define TICK_MS 1000 /* how late a cancellation may be noticed, where no signal ends the wait */
#define LAST_MS 3000 /* for what is still to leave when it is closed, and for the answer */

struct relay {
	struct wire *wire;
	const struct tacit_env *env;
	const volatile sig_atomic_t *cancel;
	struct upgrade upgrade;
	bool upgraded, closed;
	struct tacit_ws_reader reader;
	struct outbound out;
	uint8_t room[ROOM];
	size_t from, to; /* what has come and was not taken */
	int64_t heard;
};

static bool cancelled(const struct relay *r)
{
	return r->cancel != NULL && *r->cancel != 0;
}

static size_t waiting(const struct relay *r)
{
	return outbound_left(&r->out).n;
}

static struct tacit_bytes came(const struct relay *r)
{
	return tacit_bytes(r->room + r->from, r->to - r->from);
}

static void took(struct relay *r, struct tacit_bytes rest)
{
	r->from = r->to - rest.n;
	if (rest.n == 0)
		r->from = r->to = 0;
}

/* --- out ------------------------------------------------------------------------------------- */

static enum tacit_err flush(struct relay *r)
{
	while (waiting(r) > 0) {
		size_t n;
		if (wire_write(r->wire, outbound_left(&r->out), &n) != TACIT_OK)
			return TACIT_E_NETWORK;
		if (n == 0)
			break;
		outbound_took(&r->out, n);
	}
	return TACIT_OK;
}

static enum tacit_err queue(struct relay *r, enum tacit_ws_opcode op, struct tacit_bytes data)
{
	uint8_t mask[TACIT_WS_MASK_BYTES];
	tacit_env_random(r->env, mask, sizeof(mask));
	return tacit_ws_write(&r->out.bytes, op, data, mask);
}

/* What stands before the data of a message: the frame's head, and the type. */
static size_t head_of(size_t n, const uint8_t *mask, uint8_t out[TACIT_WS_HEAD_BYTES + 1])
{
	size_t head = tacit_ws_head(TACIT_WS_BINARY, 1 + n, mask, out);
	out[head] = TACIT_RELAY_DATA;
	return head + 1;
}

uint8_t *relay_place(struct relay *r, size_t n)
{
	static const uint8_t any[TACIT_WS_MASK_BYTES];
	uint8_t head[TACIT_WS_HEAD_BYTES + 1];
	return outbound_place(&r->out, head_of(n, any, head), n);
}

static enum tacit_err queue_data(struct relay *r, struct tacit_bytes data)
{
	enum tacit_err err;
	uint8_t mask[TACIT_WS_MASK_BYTES], head[TACIT_WS_HEAD_BYTES + 1], *at;
	tacit_env_random(r->env, mask, sizeof(mask));
	TRY(outbound_put(&r->out, tacit_bytes(head, head_of(data.n, mask, head)), data, &at));
	tacit_ws_mask(at - 1, 1 + data.n, 0, mask);
out:
	return err;
}

static enum tacit_err queue_other(struct relay *r, const struct tacit_relay_message *m)
{
	struct tacit_buf b = {0};
	enum tacit_err err = tacit_relay_write(&b, m);
	if (err == TACIT_OK)
		err = queue(r, TACIT_WS_BINARY, tacit_buf_view(&b));
	tacit_buf_clear(&b);
	return err;
}

/* --- waiting --------------------------------------------------------------------------------- */

/* Is the first frame not all there? One that will never fit is the reader's to refuse. */
static bool lacks(const struct relay *r)
{
	uint64_t whole = tacit_ws_frame_bytes(came(r));
	return whole == 0 || (whole > came(r).n && whole <= FRAME);
}

/* The rest of a frame that would not end in room goes to its beginning. */
static void make_space(struct relay *r)
{
	if (ROOM - r->from >= FRAME)
		return;
	memmove(r->room, came(r).p, came(r).n);
	r->to -= r->from;
	r->from = 0;
}

static enum tacit_err read_some(struct relay *r)
{
	size_t n;
	make_space(r);
	enum tacit_err err = wire_read(r->wire, r->room + r->to, ROOM - r->to, &n);
	if (err == TACIT_OK && n > 0) {
		r->to += n;
		r->heard = monotonic_ms();
	}
	return err;
}

/* Until something has come or left, or until; reads only what a frame lacks. With TLS, bytes may be
 * there that no poll sees: they are asked for first. */
static enum tacit_err wait(struct relay *r, int64_t until)
{
	enum tacit_err err;
	int64_t now = monotonic_ms(), left = until - now < TICK_MS ? until - now : TICK_MS;
	size_t before = came(r).n, queued = waiting(r);
	if (lacks(r))
		TRY(read_some(r));
	TRY(flush(r));
	if (came(r).n > before || waiting(r) < queued)
		return TACIT_OK;
	struct pollfd p = {.fd = wire_fd(r->wire)};
	p.events = (short)((lacks(r) ? POLLIN : 0) | (waiting(r) > 0 ? POLLOUT : 0));
	if (left > 0 && poll(&p, 1, (int)left) < 0 && errno != EINTR)
		return TACIT_E_NETWORK;
	if (cancelled(r))
		return TACIT_E_CANCELLED;
	/* The machine has slept: what was said meanwhile may still be there to be read. */
	if (monotonic_ms() - now > 2 * TICK_MS)
		r->heard = monotonic_ms();
	if (left > 0) {
		TRY(flush(r));
		if (lacks(r))
			TRY(read_some(r));
	}
	err = monotonic_ms() - r->heard > RELAY_SILENCE_MS ? TACIT_E_NETWORK : TACIT_OK;
out:
	return err;
}

/* --- in -------------------------------------------------------------------------------------- */

static enum tacit_err take_frame(
        struct relay *r, const struct tacit_ws_message *w, struct tacit_relay_message *m, bool *got)
{
	switch (w->opcode) {
	case TACIT_WS_BINARY:
		*got = true;
		return tacit_relay_read(w->data, m);
	case TACIT_WS_PING:
		return queue(r, TACIT_WS_PONG, w->data);
	case TACIT_WS_PONG:
		return TACIT_OK;
	case TACIT_WS_CLOSE:
		r->closed = true;
		return TACIT_E_NETWORK;
	default:
		return TACIT_E_MALFORMED;
	}
}

static enum tacit_err take_one(struct relay *r, struct tacit_relay_message *m, bool *got)
{
	struct tacit_ws_message w;
	struct tacit_bytes in = came(r);
	bool whole = false;
	enum tacit_err err = tacit_ws_next(&r->reader, &in, &w, &whole);
	took(r, in);
	return err == TACIT_OK && whole ? take_frame(r, &w, m, got) : err;
}

/* A frame is taken once it is there, so that its message stays where it came. */
static enum tacit_err take_input(struct relay *r, struct tacit_relay_message *m, bool *got)
{
	enum tacit_err err = TACIT_OK;
	while (!lacks(r) && !*got && err == TACIT_OK)
		err = take_one(r, m, got);
	return err;
}

/* Who only sends answers for being there, too (RFC 6455 5.5); what is said to it stays. */
static enum tacit_err take_controls(struct relay *r)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_relay_message none;
	bool got = false;
	while (err == TACIT_OK && !lacks(r) && (came(r).p[0] & TACIT_WS_CLOSE) != 0)
		err = take_one(r, &none, &got);
	return err;
}

enum tacit_err relay_send(struct relay *r, const struct tacit_relay_message *m)
{
	enum tacit_err err;
	TRY(r->closed ? TACIT_E_NETWORK : TACIT_OK);
	TRY(m->type == TACIT_RELAY_DATA ? queue_data(r, m->data) : queue_other(r, m));
	TRY(flush(r));
	r->heard = monotonic_ms();
	while (waiting(r) > HIGH_WATER) {
		TRY(take_controls(r));
		TRY(wait(r, monotonic_ms() + TICK_MS));
	}
out:
	return err;
}

enum tacit_err relay_next(struct relay *r, int timeout_ms, struct tacit_relay_message *m, bool *got)
{
	enum tacit_err err;
	int64_t until = timeout_ms < 0 ? INT64_MAX : monotonic_ms() + timeout_ms;
	*got = false;
	r->heard = monotonic_ms();
	TRY(r->closed ? TACIT_E_NETWORK : TACIT_OK);
	for (;;) {
		TRY(take_input(r, m, got));
		if (*got)
			break;
		size_t before = came(r).n;
		bool last = monotonic_ms() >= until;
		TRY(wait(r, until));
		if (last && came(r).n == before)
			break;
	}
	err = TACIT_OK;
out:
	return err;
}

/* --- life ------------------------------------------------------------------------------------ */

int relay_fd(const struct relay *r)
{
	return wire_fd(r->wire);
}

static enum tacit_err upgrade(struct relay *r, const struct relay_options *o)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	int64_t until = monotonic_ms() + HANDSHAKE_MS;
	TRY(tacit_buf_printf(&path, TACIT_RELAY_PATH "?%s", o->query));
	TRY(tacit_buf_terminate(&path));
	const struct upgrade_request request = {
	        .env = o->env, .server = http_server(o->http), .path = (const char *)path.p};
	TRY(upgrade_begin(&r->upgrade, &request, &r->out.bytes));
	while (!r->upgraded) {
		TRY(monotonic_ms() < until ? TACIT_OK : TACIT_E_NETWORK);
		TRY(wait(r, until));
		struct tacit_bytes in = came(r);
		err = upgrade_take(&r->upgrade, &in, &r->upgraded);
		took(r, in);
		TRY(err);
	}
out:
	tacit_buf_clear(&path);
	return err;
}

enum tacit_err relay_open(const struct relay_options *o, struct relay **out)
{
	enum tacit_err err;
	*out = NULL;
	struct relay *r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return TACIT_E_NOMEM;
	r->env = o->env;
	r->cancel = o->cancel;
	r->heard = monotonic_ms();
	r->reader = (struct tacit_ws_reader){
	        .role = TACIT_WS_CLIENT, .max_message = TACIT_RELAY_MAX_MESSAGE};
	TRY(wire_open(o->http, &r->wire));
	TRY(upgrade(r, o));
	*out = r;
	r = NULL;
out:
	if (r != NULL)
		r->closed = true;
	relay_close(r);
	return err;
}

void relay_close(struct relay *r)
{
	if (r == NULL)
		return;
	int64_t until = monotonic_ms() + LAST_MS;
	uint8_t mask[TACIT_WS_MASK_BYTES];
	if (!r->closed) {
		r->cancel = NULL;
		tacit_env_random(r->env, mask, sizeof(mask));
		tacit_ignore(tacit_ws_write_close(&r->out.bytes, TACIT_WS_NORMAL, mask),
		        "the relay sees the connection end, too");
		/* Until the relay hangs up, too: closing upon what was not read would reset the
		 * connection, and what we said last could go down with it. */
		do
			took(r, (struct tacit_bytes){0});
		while (monotonic_ms() < until && wait(r, until) == TACIT_OK);
	}
	wire_close(r->wire);
	upgrade_clear(&r->upgrade);
	tacit_ws_reader_clear(&r->reader);
	tacit_buf_clear(&r->out.bytes);
	tacit_free(r);
}
