/* live.c - what the application calls, from any thread: done at once on the socket's own loop, left
 * there as a letter from everywhere else. */
#include "server/live/live.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "server/live/home.h"

#define SID_BYTES 15 /* of a socket: 20 characters */

enum op_kind {
	OP_ACCEPT,
	OP_REFUSE,
	OP_DISCONNECT,
	OP_EMIT,
	OP_ACK,
	OP_JOIN,
	OP_OPEN,
	OP_LEAVE,
	OP_WHISPER,
	OP_PUBLISH,
	OP_PUBLISH_USER,
	OP_EVICT,
	OP_END,
};

struct op {
	enum op_kind kind;
	struct live_handle s; /* PUBLISH: who gets nothing */
	bool except;
	int64_t id, other; /* room, user, ack; known, user, session */
	uint64_t join;
	bool stays;
	struct live_identity who;
	struct net_frame *frame;
	struct tacit_bytes text;
	const struct tacit_bytes *binary;
	size_t count;
};

struct op_letter {
	struct net_letter letter;
	uint32_t loop;
	size_t weight; /* bytes that it keeps */
	struct op op;
	struct tacit_bytes binary[TACIT_SIO_MAX_ATTACHMENTS];
	uint8_t bytes[];
};

/* A frame of the application is a frame of net under another name. */
static struct net_frame *net_of(struct live_frame *f)
{
	return (struct net_frame *)f;
}

static struct live_frame *frame_of(struct net_frame *f)
{
	return (struct live_frame *)f;
}

/* --- on the loop --- */

static void accept_socket(struct home *h, struct live_socket *k, const struct op *op)
{
	uint8_t raw[SID_BYTES];
	struct tacit_buf sid = {0};
	struct live_handle oldest;
	bool full = false;
	if (k->accepted)
		return;
	k->who = op->who;
	tacit_random(raw, sizeof(raw));
	bool ok =
	        owners_enter(h->live->owners, op->who.user_id, op->s, &oldest, &full) == TACIT_OK &&
	        socket_of_user(h, k) == TACIT_OK &&
	        tacit_base64(TACIT_BASE64URL, tacit_bytes(raw, sizeof(raw)), &sid) == TACIT_OK &&
	        tacit_buf_terminate(&sid) == TACIT_OK;
	if (ok) {
		seat_settle(k->session->owner);
		session_accept(k->session, k, (const char *)sid.p);
	} else {
		owners_leave(h->live->owners, op->who.user_id, op->s);
		h->live->app.gone(h->live->app.ctx, op->s, &op->who);
		session_close(k->session, SESSION_SAY_CLOSE, TACIT_WS_INTERNAL_ERROR);
	}
	tacit_buf_clear(&sid);
	if (full)
		live_disconnect(oldest);
}

/* The application hears of each, and may send meanwhile: the list is looked at anew each time. */
static void end_login(struct home *h, int64_t user_id, int64_t session_id)
{
	struct live_socket *k;
	do {
		struct user *u = (struct user *)table_find(&h->users, user_id);
		k = u != NULL ? u->first : NULL;
		while (k != NULL && session_id != 0 && k->who.session_id != session_id)
			k = k->next_of_user;
		if (k != NULL)
			session_disconnect(k->session, k);
	} while (k != NULL);
}

static void perform_on_socket(struct home *h, struct live_socket *k, const struct op *op)
{
	switch (op->kind) {
	case OP_ACCEPT:
		accept_socket(h, k, op);
		return;
	case OP_REFUSE:
		session_refuse(k->session, k, op->text);
		return;
	case OP_DISCONNECT:
		session_disconnect(k->session, k);
		return;
	case OP_EMIT:
		socket_send(h, k, op->frame);
		return;
	case OP_ACK:
		home_count(&h->counters->frames_out, 1);
		session_ack(k->session, k, op->id, op->text, op->binary, op->count);
		return;
	case OP_JOIN:
		room_join(h, k, op->id, op->join);
		return;
	case OP_OPEN:
		room_open(h, k, op->id,
		        &(struct live_opening){
		                op->join, op->other, op->stays, frame_of(op->frame)});
		return;
	case OP_LEAVE:
		room_leave(h, k, op->id, op->join);
		return;
	case OP_WHISPER:
		room_whisper(h, k, op->id, op->frame);
		return;
	default:
		return;
	}
}

static void perform(struct home *h, const struct op *op)
{
	struct live_socket *k;
	switch (op->kind) {
	case OP_PUBLISH:
		room_publish(h, op->id, op->frame, op->except ? &op->s : NULL);
		return;
	case OP_PUBLISH_USER:
		socket_send_user(h, op->id, op->frame);
		return;
	case OP_EVICT:
		room_evict(h, op->id, op->other);
		return;
	case OP_END:
		end_login(h, op->id, op->other);
		return;
	default:
		k = socket_find(h, op->s);
		if (k != NULL && (k->accepted || op->kind <= OP_DISCONNECT))
			perform_on_socket(h, k, op);
		else if (op->kind ==
		         OP_ACCEPT) /* went before: who was let in is told to have gone */
			h->live->app.gone(h->live->app.ctx, op->s, &op->who);
	}
}

/* --- from anywhere --- */

/* What waits for each loop. When there is no memory for a letter, or too much waits for a loop that
 * is behind, nobody knows whom it would have told what: whoever is on that loop begins anew. The
 * letter that says so needs no memory; as boxes do, it outlives its loop. */
static struct distress {
	struct net_letter letter;
	_Atomic bool posted;
	_Atomic size_t waiting; /* bytes */
} distress[HOME_LOOPS];

static void open_letter(struct net_letter *letter, bool lost)
{
	struct op_letter *l = (struct op_letter *)letter;
	atomic_fetch_sub_explicit(&distress[l->loop].waiting, l->weight, memory_order_relaxed);
	if (!lost && home_here() != NULL)
		perform(home_here(), &l->op);
	net_frame_drop(l->op.frame);
	tacit_free(l);
}

static struct tacit_bytes keep(uint8_t **at, struct tacit_bytes b)
{
	struct tacit_bytes kept = tacit_bytes(*at, b.n);
	if (b.n > 0)
		memcpy(*at, b.p, b.n);
	*at += b.n;
	return kept;
}

/* NULL: no memory, or the loop is too far behind. */
static struct op_letter *write_letter(uint32_t loop, const struct op *op)
{
	_Atomic size_t *waiting = &distress[loop].waiting;
	size_t n = op->text.n;
	for (size_t i = 0; i < op->count; i++)
		n += op->binary[i].n;
	size_t weight = sizeof(struct op_letter) + n + (op->frame != NULL ? op->frame->bytes : 0);
	if (atomic_load_explicit(waiting, memory_order_relaxed) + weight > LIVE_MAX_WAITING_BYTES)
		return NULL;
	struct op_letter *l = tacit_alloc(sizeof(*l) + n);
	if (l == NULL)
		return NULL;
	atomic_fetch_add_explicit(waiting, weight, memory_order_relaxed);
	uint8_t *at = l->bytes;
	l->letter.open = open_letter;
	l->loop = loop;
	l->weight = weight;
	l->op = *op;
	l->op.text = keep(&at, op->text);
	l->op.binary = l->binary;
	for (size_t i = 0; i < op->count; i++)
		l->binary[i] = keep(&at, op->binary[i]);
	if (op->frame != NULL)
		net_frame_hold(op->frame);
	return l;
}

static void open_distress(struct net_letter *letter, bool lost)
{
	struct distress *d = (struct distress *)letter;
	atomic_store(&d->posted, false); /* first: what is lost from now on is another's */
	if (!lost && home_here() != NULL)
		home_give_up(home_here(), TACIT_WS_TRY_LATER);
}

static void give_up(uint32_t loop)
{
	struct home *h = home_here();
	if (h != NULL && h->loop == loop) {
		home_give_up(h, TACIT_WS_TRY_LATER);
	} else if (!atomic_exchange(&distress[loop].posted, true)) {
		distress[loop].letter.open = open_distress;
		net_post(loop, &distress[loop].letter);
	}
}

static enum tacit_err dispatch(uint32_t loop, const struct op *op)
{
	struct home *h = home_here();
	if (h != NULL && h->loop == loop) {
		perform(h, op);
		return TACIT_OK;
	}
	struct op_letter *l = write_letter(loop, op);
	if (l == NULL) {
		give_up(loop);
		return TACIT_E_NOMEM;
	}
	net_post(loop, &l->letter);
	return TACIT_OK;
}

/* To a socket: that it was closed instead tells it. */
static void dispatch_to(const struct op *op)
{
	tacit_ignore(dispatch(op->s.loop, op), "the loop has given up");
}

static void dispatch_all(struct live *l, const struct op *op)
{
	for (uint32_t i = 0; i < atomic_load(&l->homes_end); i++)
		if (atomic_load_explicit(&l->homes[i], memory_order_acquire))
			tacit_ignore(dispatch(i, op), "the loop has given up");
}

void live_give_up(struct live *l)
{
	for (uint32_t i = 0; i < atomic_load(&l->homes_end); i++)
		if (atomic_load_explicit(&l->homes[i], memory_order_acquire))
			give_up(i);
}

enum tacit_err live_accept(struct live_handle s, const struct live_identity *who)
{
	return dispatch(s.loop, &(struct op){.kind = OP_ACCEPT, .s = s, .who = *who});
}

static enum tacit_err write_refusal(struct tacit_buf *out, const char *message, const char *code)
{
	enum tacit_err err = TACIT_E_NOMEM;
	json_t *error = json_pack("{s:s,s:{s:s}}", "message", message, "data", "code", code);
	if (error != NULL)
		err = tacit_json_write(error, out);
	json_decref(error);
	return err;
}

void live_refuse(struct live_handle s, const char *message, const char *code)
{
	struct tacit_buf text = {0};
	struct op op = {.kind = OP_REFUSE, .s = s, .text = TACIT_STR("{\"message\":\"Refused\"}")};
	if (write_refusal(&text, message, code) == TACIT_OK)
		op.text = tacit_buf_view(&text);
	dispatch_to(&op);
	tacit_buf_clear(&text);
}

void live_disconnect(struct live_handle s)
{
	dispatch_to(&(struct op){.kind = OP_DISCONNECT, .s = s});
}

struct live_frame *live_frame_new_binary(
        struct tacit_bytes args, const struct tacit_bytes *binary, size_t count, int64_t order)
{
	struct tacit_sio_packet packet = {
	        .type = count > 0 ? TACIT_SIO_BINARY_EVENT : TACIT_SIO_EVENT,
	        .attachments = (unsigned)count,
	        .path = TACIT_STR("/"),
	        .ack = -1};
	if (count > TACIT_SIO_MAX_ATTACHMENTS)
		return NULL;
	struct net_frame *f = wire_array(&packet, args, binary);
	if (f != NULL)
		f->mark = order;
	return frame_of(f);
}

struct live_frame *live_frame_new(struct tacit_bytes args, int64_t order)
{
	return live_frame_new_binary(args, NULL, 0, order);
}

struct live_frame *live_message_new(bool binary, struct tacit_bytes data)
{
	return frame_of(wire_packet(&(struct tacit_eio_packet){
	        .type = TACIT_EIO_MESSAGE, .binary = binary, .data = data}));
}

struct live_frame *live_frame_hold(struct live_frame *f)
{
	return frame_of(net_frame_hold(net_of(f)));
}

void live_frame_drop(struct live_frame *f)
{
	net_frame_drop(net_of(f));
}

void live_emit(struct live_handle s, struct live_frame *f)
{
	if (f != NULL)
		dispatch_to(&(struct op){.kind = OP_EMIT, .s = s, .frame = net_of(f)});
}

void live_ack_binary(struct live_handle s, int64_t ack, struct tacit_bytes args,
        const struct tacit_bytes *binary, size_t count)
{
	if (ack < 0 || count > TACIT_SIO_MAX_ATTACHMENTS)
		return;
	dispatch_to(&(struct op){
	        .kind = OP_ACK, .s = s, .id = ack, .text = args, .binary = binary, .count = count});
}

void live_ack(struct live_handle s, int64_t ack, struct tacit_bytes args)
{
	live_ack_binary(s, ack, args, NULL, 0);
}

uint64_t live_join(struct live_handle s, int64_t room)
{
	static _Atomic uint64_t joins;
	uint64_t join = atomic_fetch_add_explicit(&joins, 1, memory_order_relaxed) + 1;
	dispatch_to(&(struct op){.kind = OP_JOIN, .s = s, .id = room, .join = join});
	return join;
}

void live_open(struct live_handle s, int64_t room, const struct live_opening *o)
{
	dispatch_to(&(struct op){.kind = OP_OPEN,
	        .s = s,
	        .id = room,
	        .other = o->known,
	        .join = o->join,
	        .stays = o->stays,
	        .frame = net_of(o->history)});
}

void live_leave(struct live_handle s, int64_t room, uint64_t join)
{
	dispatch_to(&(struct op){.kind = OP_LEAVE, .s = s, .id = room, .join = join});
}

void live_whisper(struct live_handle s, int64_t room, struct live_frame *f)
{
	if (f != NULL)
		dispatch_to(
		        &(struct op){.kind = OP_WHISPER, .s = s, .id = room, .frame = net_of(f)});
}

void live_publish(
        struct live *l, int64_t room, struct live_frame *f, const struct live_handle *except)
{
	struct op op = {.kind = OP_PUBLISH, .id = room, .frame = net_of(f)};
	if (f == NULL)
		return;
	op.except = except != NULL;
	if (except != NULL)
		op.s = *except;
	dispatch_all(l, &op);
}

void live_publish_user(struct live *l, int64_t user_id, struct live_frame *f)
{
	if (f != NULL)
		dispatch_all(l,
		        &(struct op){.kind = OP_PUBLISH_USER, .id = user_id, .frame = net_of(f)});
}

void live_evict(struct live *l, int64_t room, int64_t user_id)
{
	dispatch_all(l, &(struct op){.kind = OP_EVICT, .id = room, .other = user_id});
}

void live_end(struct live *l, int64_t user_id, int64_t session_id)
{
	dispatch_all(l, &(struct op){.kind = OP_END, .id = user_id, .other = session_id});
}

/* --- life --- */

static void or_default(unsigned *setting, unsigned value)
{
	if (*setting == 0)
		*setting = value;
}

static void fill_in(struct live_settings *s)
{
	or_default(&s->ping_interval_ms, 25000);
	or_default(&s->ping_timeout_ms, 20000);
	or_default(&s->connect_timeout_ms, 45000);
	or_default(&s->max_queue_bytes, 256 * 1024);
	or_default(&s->max_queue_frames, 1024);
	if (s->max_payload == 0)
		s->max_payload = 1000000;
	if (s->path == NULL)
		s->path = "/socket.io";
}

static void on_message(struct session *s, bool binary, struct tacit_bytes data)
{
	struct seat *seat = s->owner;
	const struct live_app *app = &seat->home->live->app;
	struct live_frame *reply = app->message(app->ctx, binary, data);
	if (reply != NULL)
		session_send(s, net_of(reply));
	live_frame_drop(reply);
}

enum tacit_err live_new(
        const struct live_settings *s, const struct live_app *app, struct live **out)
{
	*out = NULL;
	struct live *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		return TACIT_E_NOMEM;
	l->settings = *s;
	l->app = *app;
	for (size_t i = 0; i < HOME_LOOPS; i++)
		sids_init(&l->sids[i]);
	fill_in(&l->settings);
	l->session_ops = l->engine_ops = seat_session_ops;
	l->engine_ops.message = on_message;
	l->ping = wire_packet(&(struct tacit_eio_packet){.type = TACIT_EIO_PING});
	if (l->ping == NULL || owners_new(s->max_per_user, &l->owners) != TACIT_OK) {
		live_free(l);
		return TACIT_E_NOMEM;
	}
	*out = l;
	return TACIT_OK;
}

void live_free(struct live *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < HOME_LOOPS; i++)
		sids_clear(&l->sids[i]);
	owners_free(l->owners);
	net_frame_drop(l->ping);
	tacit_free(l);
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

bool live_anyone(const struct live *l)
{
	for (size_t i = 0; i < atomic_load(&l->homes_end); i++)
		if (atomic_load_explicit(&l->homes[i], memory_order_acquire) &&
		        atomic_load(&l->counters[i].sockets) > 0)
			return true;
	return false;
}

void live_stats(const struct live *l, struct live_stats *out)
{
	*out = (struct live_stats){0};
	for (size_t i = 0; i < HOME_LOOPS; i++) {
		const struct home_counters *c = &l->counters[i];
		out->sockets += read_counter(&c->sockets);
		out->polling += read_counter(&c->polling);
		out->events_in += read_counter(&c->events_in);
		out->frames_out += read_counter(&c->frames_out);
		out->dropped_frames += read_counter(&c->dropped_frames);
		out->refused_events += read_counter(&c->refused_events);
	}
}
