/* desk.c - the life of an end:
 *
 *   arrive --open--> WAITS under a nameplate --claimed--> PAIRED --either is gone--> over
 *          --claim--> PAIRED, or over (nobody waits there)
 *          --rejoin--> WAITS under its id --the other rejoins--> PAIRED
 *                                          --the other leaves, or has left--> over
 *
 * Nothing is sent or ended in another connection's turn: an end is stirred, and looked at when the
 * turn is over. */
#include "server/relay/desk.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "server/relay/plates.h"

#define LOOK_MS 500
#define LONG_HEAD 10 /* of a frame of more than 65,535 bytes, unmasked: RFC 6455 5.2 */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

static void stir(struct end *e)
{
	if (e->stirred)
		return;
	e->stirred = true;
	e->next_stirred = e->desk->stirred;
	e->desk->stirred = e;
}

/* --- saying ---------------------------------------------------------------------------------- */

static void give_up(struct end *e, uint16_t close_code)
{
	if (!e->over)
		e->close_code = close_code;
	e->over = true;
	stir(e);
}

static void push(struct end *e, struct net_frame *f)
{
	if (f == NULL || net_ring_push(&e->ring, f) != TACIT_OK)
		give_up(e, TACIT_WS_TRY_LATER);
	net_frame_drop(f);
	stir(e);
}

/* A whole WebSocket message into the ring. */
static void queue(struct end *e, enum tacit_ws_opcode opcode, struct tacit_bytes data)
{
	uint8_t head[TACIT_WS_HEAD_BYTES];
	size_t n = tacit_ws_head(opcode, data.n, NULL, head);
	struct net_frame *f = net_frame_new(n + data.n);
	if (f != NULL) {
		memcpy(f->data, head, n);
		if (data.n > 0)
			memcpy(f->data + n, data.p, data.n);
	}
	push(e, f);
}

/* The message that e's reader has given, for its peer: a long one where it is, with a head of
 * LONG_HEAD bytes before it. */
static void pass_on(struct end *e, struct tacit_bytes message)
{
	uint8_t head[TACIT_WS_HEAD_BYTES];
	if (tacit_ws_head(TACIT_WS_BINARY, message.n, NULL, head) != LONG_HEAD) {
		queue(e->peer, TACIT_WS_BINARY, message);
		return;
	}
	struct tacit_buf whole = tacit_ws_take(&e->reader);
	memcpy(whole.p + NET_FRAME_FRONT, head, LONG_HEAD);
	push(e->peer, net_frame_adopt(&whole));
}

static void say(struct end *e, const struct tacit_relay_message *m)
{
	struct tacit_buf b = {0};
	if (tacit_relay_write(&b, m) == TACIT_OK)
		queue(e, TACIT_WS_BINARY, tacit_buf_view(&b));
	else
		give_up(e, TACIT_WS_TRY_LATER);
	tacit_buf_clear(&b);
}

static void set_waiting(struct end *e, bool waits)
{
	if (e->waits != waits)
		count(&e->desk->counters->waiting, waits ? 1 : UINT64_MAX);
	e->waits = waits;
}

/* Tells why, and ends it. */
static void end_with(struct end *e, enum tacit_relay_end why)
{
	if (e->over)
		return;
	set_waiting(e, false);
	say(e, &(struct tacit_relay_message){.type = TACIT_RELAY_ENDED, .end = why});
	give_up(e, TACIT_WS_NORMAL);
}

/* The other one stays connected no longer than it takes to tell it. */
static void part(struct end *e, enum tacit_relay_end why)
{
	struct end *peer = e->peer;
	if (peer == NULL)
		return;
	e->peer = peer->peer = NULL;
	end_with(peer, why);
}

/* --- pairing --------------------------------------------------------------------------------- */

static void pair(struct end *a, struct end *b)
{
	const struct tacit_relay_message paired = {.type = TACIT_RELAY_PAIRED};
	set_waiting(a, false);
	set_waiting(b, false);
	a->peer = b;
	b->peer = a;
	count(&a->desk->counters->pairs, 1);
	say(a, &paired);
	say(b, &paired);
}

static void open_nameplate(struct desk *d, struct end *e, const struct desk_nameplate *wanted)
{
	uint32_t n = 0;
	if (plates_waiting(d, e->address) < d->settings.max_waiting)
		n = wanted->number != 0 ? plates_take_again(d, wanted) : plates_choose(d);
	if (n == 0) {
		end_with(e, wanted->number != 0 ? TACIT_RELAY_UNKNOWN : TACIT_RELAY_LIMIT);
		return;
	}
	e->nameplate = *wanted;
	e->nameplate.number = n;
	e->due_ms = now_ms() + (int64_t)d->settings.wait_s * 1000;
	set_waiting(e, true);
	say(e, &(struct tacit_relay_message){.type = TACIT_RELAY_NAMEPLATE, .nameplate = n});
}

/* Once: from now on nobody finds it under its nameplate. */
static void claim(struct desk *d, struct end *e, uint32_t nameplate)
{
	for (struct end *other = d->all.next; other != &d->all; other = other->next) {
		if (other->nameplate.number != nameplate || !other->waits || other->over)
			continue;
		plates_rest(d, other);
		pair(other, e);
		return;
	}
	end_with(e, TACIT_RELAY_UNKNOWN);
}

static struct end *find_known(
        struct desk *d, const struct end *but, const uint8_t *id, uint8_t role)
{
	for (struct end *e = d->all.next; e != &d->all; e = e->next)
		if (e != but && e->known && !e->over && e->role == role &&
		        tacit_ct_eq(tacit_bytes(e->id, TACIT_RELAY_ID_BYTES),
		                tacit_bytes(id, TACIT_RELAY_ID_BYTES)))
			return e;
	return NULL;
}

/* Whoever was here as this end before is a connection that was lost. */
static void become_known(struct end *e, uint8_t role, const uint8_t *id)
{
	struct end *old = find_known(e->desk, e, id, role);
	memcpy(e->id, id, TACIT_RELAY_ID_BYTES);
	e->role = role;
	e->known = true;
	if (old == NULL)
		return;
	part(old, TACIT_RELAY_GONE);
	end_with(old, TACIT_RELAY_REPLACED);
}

/* Has the other one of e said that it does not come back? */
static bool has_left(const struct end *e)
{
	return leavers_has(&e->desk->leavers, !e->role, e->id, now_ms());
}

void desk_leave(struct desk *d, uint8_t role, const uint8_t id[TACIT_RELAY_ID_BYTES])
{
	struct end *e = find_known(d, NULL, id, role), *other = find_known(d, NULL, id, !role);
	struct leaver who = {
	        .role = role, .until_ms = now_ms() + (int64_t)d->settings.rejoin_s * 1000};
	memcpy(who.id, id, sizeof(who.id));
	leavers_add(&d->leavers, &who);
	if (e != NULL) {
		part(e, TACIT_RELAY_LEFT);
		give_up(e, TACIT_WS_NORMAL);
	}
	if (other != NULL && other->waits)
		end_with(other, TACIT_RELAY_LEFT);
}

static void rejoin(struct desk *d, struct end *e, const struct arrival *a)
{
	become_known(e, a->role, a->id);
	if (has_left(e)) {
		end_with(e, TACIT_RELAY_LEFT);
		return;
	}
	struct end *other = find_known(d, e, a->id, !a->role);
	if (other != NULL && other->waits) {
		pair(other, e);
		return;
	}
	e->due_ms = now_ms() + (int64_t)d->settings.rejoin_s * 1000;
	set_waiting(e, true);
}

/* --- what an end says ------------------------------------------------------------------------ */

static void pause(struct end *e)
{
	if (e->paused)
		return;
	e->paused = true;
	net_line_read(e->line, NET_LINE_PAUSED);
}

static void forward(struct end *e, struct tacit_bytes message)
{
	struct end *peer = e->peer;
	if (peer == NULL || peer->over)
		return;
	count(&e->desk->counters->bytes, message.n);
	pass_on(e, message);
	if (peer->ring.bytes >= e->desk->settings.high_water)
		pause(e);
}

static void introduce(struct end *e, const struct tacit_relay_message *m)
{
	become_known(e, m->role, m->data.p);
	if (!has_left(e))
		return;
	part(e, TACIT_RELAY_GONE);
	end_with(e, TACIT_RELAY_LEFT);
}

static void take_message(struct end *e, struct tacit_bytes data)
{
	struct tacit_relay_message m;
	if (tacit_relay_read(data, &m) != TACIT_OK) {
		end_with(e, TACIT_RELAY_MISUSED);
		return;
	}
	switch (m.type) {
	case TACIT_RELAY_DATA:
		forward(e, data);
		return;
	case TACIT_RELAY_WRONG:
		count(&e->desk->counters->wrong, 1);
		part(e, TACIT_RELAY_MISMATCH);
		end_with(e, TACIT_RELAY_MISMATCH);
		return;
	case TACIT_RELAY_KNOWN_AS:
		if (e->known || e->peer == NULL)
			end_with(e, TACIT_RELAY_MISUSED);
		else
			introduce(e, &m);
		return;
	default:
		end_with(e, TACIT_RELAY_MISUSED);
	}
}

static void take_frame(struct end *e, const struct tacit_ws_message *m)
{
	switch (m->opcode) {
	case TACIT_WS_BINARY:
		take_message(e, m->data);
		return;
	case TACIT_WS_PING:
		queue(e, TACIT_WS_PONG, m->data);
		return;
	case TACIT_WS_PONG:
		return;
	case TACIT_WS_CLOSE:
		/* RFC 6455 7.4.1: what a browser says for a page that is no more, also when that
		 * had no time to say it itself. */
		if (m->close_code == TACIT_WS_GOING_AWAY && e->known)
			desk_leave(e->desk, e->role, e->id);
		give_up(e, TACIT_WS_NORMAL);
		return;
	default:
		give_up(e, TACIT_WS_PROTOCOL_ERROR);
	}
}

static void take_some(struct end *e, struct tacit_bytes *in)
{
	struct tacit_ws_message m;
	bool whole = false;
	if (tacit_ws_next(&e->reader, in, &m, &whole) != TACIT_OK)
		give_up(e, e->reader.close_code);
	else if (whole)
		take_frame(e, &m);
}

static void on_input(void *ctx, struct tacit_bytes *in)
{
	struct end *e = ctx;
	e->heard_ms = now_ms();
	while (in->n > 0 && !e->over && !e->paused)
		take_some(e, in);
	tacit_ws_reader_rest(&e->reader);
	if (e->over)
		*in = tacit_bytes(NULL, 0);
}

/* Received where it is passed on from. */
static uint8_t *on_place(void *ctx, size_t *room)
{
	struct end *e = ctx;
	*room = 0;
	return e->over || e->paused ? NULL : tacit_ws_place(&e->reader, room);
}

static void on_placed(void *ctx, size_t bytes)
{
	struct end *e = ctx;
	struct tacit_bytes nothing = {0};
	e->heard_ms = now_ms();
	tacit_ws_placed(&e->reader, bytes);
	take_some(e, &nothing);
	tacit_ws_reader_rest(&e->reader);
}

static void on_drained(void *ctx)
{
	struct end *e = ctx;
	stir(e);
}

/* --- ends of ends ---------------------------------------------------------------------------- */

static void unstir(struct end *e)
{
	for (struct end **at = &e->desk->stirred; e->stirred && *at != NULL;
	        at = &(*at)->next_stirred)
		if (*at == e) {
			*at = e->next_stirred;
			e->stirred = false;
			return;
		}
}

static void bury(struct end *e)
{
	struct desk *d = e->desk;
	part(e, TACIT_RELAY_GONE);
	set_waiting(e, false);
	plates_rest(d, e);
	unstir(e);
	if (d->looking == e)
		d->looking = NULL;
	e->next->prev = e->prev;
	e->prev->next = e->next;
	d->count--;
	count(&d->counters->ends, UINT64_MAX);
	tacit_ws_reader_clear(&e->reader);
	net_ring_clear(&e->ring);
	tacit_free(e);
}

static void on_gone(void *ctx)
{
	bury(ctx);
}

static void say_good_bye(struct end *e)
{
	uint8_t code[2] = {(uint8_t)(e->close_code >> 8), (uint8_t)e->close_code};
	queue(e, TACIT_WS_CLOSE, tacit_bytes(code, sizeof(code)));
	net_line_end(e->line);
	bury(e);
}

/* --- beginnings ------------------------------------------------------------------------------ */

static const struct net_line_ops line_ops = {
        .input = on_input,
        .place = on_place,
        .placed = on_placed,
        .drained = on_drained,
        .gone = on_gone,
};

static struct end *new_end(struct desk *d, uint64_t address, struct net_line *line)
{
	struct end *e = d->count < d->settings.max_ends && !d->stopping
	                        ? tacit_calloc(1, sizeof(*e))
	                        : NULL;
	if (e == NULL)
		return NULL;
	e->desk = d;
	e->line = line;
	e->address = address;
	e->heard_ms = e->pinged_ms = now_ms();
	e->reader = (struct tacit_ws_reader){.role = TACIT_WS_SERVER,
	        .max_message = TACIT_RELAY_MAX_MESSAGE,
	        .front = NET_FRAME_FRONT + LONG_HEAD};
	e->prev = d->all.prev;
	e->next = &d->all;
	e->prev->next = e->next->prev = e;
	d->count++;
	count(&d->counters->ends, 1);
	return e;
}

static void ignore_input(void *ctx, struct tacit_bytes *in)
{
	(void)ctx;
	*in = tacit_bytes(NULL, 0);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static void turn_away(struct net_line *line)
{
	static const struct net_line_ops ops = {
	        .input = ignore_input, .drained = ignore, .gone = ignore};
	struct net_ring empty = {0};
	net_line_open(line, &ops, NULL, &empty);
	net_line_end(line);
}

void desk_arrive(struct desk *d, const struct arrival *a, struct net_line *line)
{
	struct end *e = new_end(d, a->address, line);
	if (e == NULL) {
		turn_away(line);
		return;
	}
	net_line_open(line, &line_ops, e, &e->ring);
	if (a->want == RELAY_OPEN)
		open_nameplate(d, e, &a->nameplate);
	else if (a->want == RELAY_CLAIM)
		claim(d, e, a->nameplate.number);
	else
		rejoin(d, e, a);
}

/* --- when the turn is over ------------------------------------------------------------------- */

/* The one that sends to e reads on once e has room again. */
static void let_peer_read(struct end *e)
{
	struct end *peer = e->peer;
	if (peer == NULL || !peer->paused || e->ring.bytes > e->desk->settings.low_water)
		return;
	peer->paused = false;
	net_line_read(peer->line, NET_LINE_READS);
}

/* A paused end whose peer has gone has nobody to wait for; what it sends is dropped. */
static void let_read(struct end *e)
{
	if (!e->paused || e->peer != NULL)
		return;
	e->paused = false;
	net_line_read(e->line, NET_LINE_READS);
}

/* It may be gone after each step. */
static void look_after(struct desk *d, struct end *e)
{
	d->looking = e;
	let_read(e);
	if (d->looking == e && !e->over)
		net_line_flush(e->line);
	if (d->looking == e && e->over)
		say_good_bye(e);
	if (d->looking == e)
		let_peer_read(e);
	d->looking = NULL;
}

/* A paused end is not heard: its bytes lie where we do not read. And one that is not known cannot
 * come back: what is cut off may still heal. */
static bool is_lost(const struct end *e, int64_t now)
{
	const struct relay_settings *s = &e->desk->settings;
	int64_t silent_ms = now - e->heard_ms;
	return (!e->paused && silent_ms >= (int64_t)s->silence_s * 1000) ||
	       (e->known && silent_ms >= (int64_t)s->cut_s * 1000 &&
	               net_line_is_cut(e->line, s->cut_s));
}

static void look_at_clock(struct desk *d)
{
	int64_t now = now_ms();
	if (now - d->looked_ms < LOOK_MS)
		return;
	d->looked_ms = now;
	for (struct end *e = d->all.next; e != &d->all; e = e->next) {
		if (e->waits && now >= e->due_ms)
			end_with(e, TACIT_RELAY_EXPIRED);
		else if (!e->over && is_lost(e, now))
			give_up(e, TACIT_WS_GOING_AWAY);
		else if (now - e->pinged_ms >= (int64_t)d->settings.ping_s * 1000) {
			e->pinged_ms = now;
			queue(e, TACIT_WS_PING, tacit_bytes(NULL, 0));
		}
	}
}

void desk_turn_over(struct desk *d)
{
	look_at_clock(d);
	while (d->stirred != NULL) {
		struct end *e = d->stirred;
		d->stirred = e->next_stirred;
		e->stirred = false;
		look_after(d, e);
	}
}

void desk_stop(struct desk *d)
{
	d->stopping = true;
	for (struct end *e = d->all.next; e != &d->all; e = e->next) {
		if (e->peer != NULL) {
			e->peer->peer = NULL;
			end_with(e->peer, TACIT_RELAY_STOPPING);
			e->peer = NULL;
		}
		end_with(e, TACIT_RELAY_STOPPING);
	}
}

enum tacit_err desk_new(
        const struct relay_settings *s, struct desk_counters *counters, struct desk **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	(*out)->settings = *s;
	(*out)->counters = counters;
	(*out)->all.next = (*out)->all.prev = &(*out)->all;
	return TACIT_OK;
}

void desk_free(struct desk *d)
{
	if (d == NULL)
		return;
	desk_stop(d);
	desk_turn_over(d);
	while (d->all.next != &d->all)
		bury(d->all.next);
	tacit_free(d);
}
