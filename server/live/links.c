/* links.c - WebSockets: a session's own, and those that want to become one's.
 *
 *   take() --new session--> CARRIES
 *     '--sid of a polling session--> PROBES --"5"--> CARRIES    PROBES --bad, too slow--> ended */
#include "base/alloc.h"
#include "server/live/home.h"

#define PROBE_MS 10000 /* as the stock server */

static void free_link(struct link *link)
{
	home_timer_stop(&link->lapse);
	tacit_ws_reader_clear(&link->reader);
	net_ring_clear(&link->ring);
	tacit_free(link);
}

static void detach(struct link *link)
{
	struct seat *seat = link->seat;
	if (seat->probe == link) {
		seat->probe = NULL;
		session_probe_ended(&seat->session);
	}
	if (seat->link == link)
		seat->link = NULL;
}

void link_end(struct link *link, uint16_t close_code)
{
	struct net_ring *ring = link->probing ? &link->ring : &link->seat->session.ring;
	struct net_frame *close = wire_close(close_code);
	if (close != NULL && net_ring_push(ring, close) != TACIT_OK)
		net_ring_clear(ring); /* out of memory: it ends without a word */
	net_frame_drop(close);
	detach(link);
	net_line_end(link->line);
	free_link(link);
}

static const struct net_line_ops line_ops;

/* True: the probe is still one. */
static void probe(struct link *link, const struct tacit_ws_message *m)
{
	struct seat *seat = link->seat;
	switch (session_probe(&seat->session, m, &link->ring)) {
	case SESSION_PROBE_WAITS:
		net_line_flush(link->line);
		return;
	case SESSION_PROBE_TAKEN:
		home_timer_stop(&link->lapse);
		link->probing = false;
		seat->probe = NULL;
		seat->link = link;
		home_count(&seat->home->counters->polling, UINT64_MAX); /* one less */
		net_line_open(link->line, &line_ops, link, &seat->session.ring);
		return;
	case SESSION_PROBE_REFUSED:
		link->over = true;
		seat_stir(seat);
	}
}

static void on_failed(struct link *link)
{
	struct seat *seat = link->seat;
	if (!link->probing) {
		session_close(&seat->session, SESSION_SAY_CLOSE, link->reader.close_code);
		return;
	}
	link->over = true;
	seat_stir(seat);
}

static void on_input(void *ctx, struct tacit_bytes *in)
{
	struct link *link = ctx;
	struct session *s = &link->seat->session;
	int64_t now = home_now_ms();
	while (in->n > 0 && !s->closed && !link->over) {
		struct tacit_ws_message m;
		bool whole = false;
		if (tacit_ws_next(&link->reader, in, &m, &whole) != TACIT_OK)
			on_failed(link);
		else if (whole && link->probing)
			probe(link, &m);
		else if (whole)
			session_websocket(s, &m, now);
	}
	tacit_ws_reader_rest(&link->reader);
	*in = tacit_bytes(NULL, 0);
}

static void on_drained(void *ctx)
{
	struct link *link = ctx;
	if (!link->probing)
		seat_stir(link->seat);
}

static void on_gone(void *ctx)
{
	struct link *link = ctx;
	struct session *s = &link->seat->session;
	bool carried = !link->probing;
	detach(link);
	free_link(link);
	if (carried)
		session_close(s, SESSION_SAY_NOOP, TACIT_WS_GOING_AWAY);
}

static const struct net_line_ops line_ops = {
        .input = on_input, .drained = on_drained, .gone = on_gone};

/* --- beginnings --- */

static void ignore_input(void *ctx, struct tacit_bytes *in)
{
	(void)ctx;
	*in = tacit_bytes(NULL, 0);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

void link_turn_away(struct net_line *line)
{
	static const struct net_line_ops ops = {
	        .input = ignore_input, .drained = ignore, .gone = ignore};
	struct net_ring ring = {0};
	struct net_frame *close = wire_close(TACIT_WS_TRY_LATER);
	net_line_open(line, &ops, NULL, &ring);
	if (close != NULL)
		tacit_ignore(net_ring_push(&ring, close), "it ends without a word then");
	net_frame_drop(close);
	net_line_end(line);
	net_ring_clear(&ring);
}

static struct link *new_link(struct seat *seat, struct net_line *line)
{
	struct link *link = tacit_calloc(1, sizeof(*link));
	if (link == NULL)
		return NULL;
	link->line = line;
	link->seat = seat;
	link->reader = (struct tacit_ws_reader){
	        .role = TACIT_WS_SERVER, .max_message = session_max_message(&seat->session)};
	return link;
}

void link_open_session(struct home *h, struct request_copy *request, struct net_line *line)
{
	struct seat *seat = seat_new(h, SESSION_WEBSOCKET, request);
	struct link *link = seat != NULL ? new_link(seat, line) : NULL;
	if (link == NULL) {
		if (seat != NULL)
			session_close(&seat->session, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
		link_turn_away(line);
		return;
	}
	seat->link = link;
	net_line_open(line, &line_ops, link, &seat->session.ring);
}

void link_begin_probe(struct seat *seat, struct net_line *line)
{
	struct link *link = new_link(seat, line);
	if (link == NULL) {
		link_turn_away(line);
		return;
	}
	link->probing = true;
	seat->probe = link;
	net_line_open(line, &line_ops, link, &link->ring);
	home_timer_set(seat->home, &link->lapse, HOME_PROBE, home_now_ms() + PROBE_MS);
}
