#include "server/live/session.h"

#include <string.h>

#include "base/alloc.h"

/* Beyond what room frames may fill: acknowledgements, answers, pings. */
#define HARD_LIMIT 4
/* A packet costs one event, and one more for each so many bytes. */
#define BYTES_PER_EVENT 4096.0
#define BURST_SECONDS 10.0
#define MAX_SOCKETS 8 /* namespaces of one session */
#define MAX_FLAT_NAME 32
#define MAX_UNTRUSTED_BYTES ((size_t)16 * 1024)

void session_init(struct session *s, const struct live_settings *settings,
        const struct session_ops *ops, void *owner, enum session_transport transport)
{
	*s = (struct session){.settings = settings,
	        .ops = ops,
	        .owner = owner,
	        .transport = transport,
	        .end = SESSION_SAY_CLOSE,
	        .close_code = TACIT_WS_NORMAL};
	s->bucket.tokens = settings->events_per_second * BURST_SECONDS;
}

static struct tacit_bytes path_of(const struct live_socket *k)
{
	return k->path != NULL ? tacit_cstr(k->path) : TACIT_STR("/");
}

static void free_assembly(struct session *s)
{
	if (s->assembly == NULL)
		return;
	tacit_sio_assembly_clear(s->assembly);
	tacit_free(s->assembly);
	s->assembly = NULL;
}

static void drop_socket(struct session *s, struct live_socket *k)
{
	struct live_socket **at = &s->sockets;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	s->ops->gone(s, k);
	tacit_free(k->path);
	tacit_free(k);
}

void session_close(struct session *s, enum session_end end, uint16_t close_code)
{
	if (s->closed)
		return;
	s->closed = true;
	s->end = end;
	s->close_code = close_code;
	while (s->sockets != NULL)
		drop_socket(s, s->sockets);
	s->ops->stirred(s);
}

void session_clear(struct session *s)
{
	session_close(s, SESSION_SAY_CLOSE, TACIT_WS_NORMAL);
	free_assembly(s);
	net_ring_clear(&s->ring);
}

/* --- sending --- */

static bool fits(const struct session *s, uint32_t bytes, uint32_t times)
{
	const struct live_settings *t = s->settings;
	return s->ring.count < t->max_queue_frames * times &&
	       s->ring.bytes + bytes <= (size_t)t->max_queue_bytes * times;
}

bool session_has_room(const struct session *s)
{
	return s->ring.count <= s->settings->max_queue_frames / 2 &&
	       s->ring.bytes <= s->settings->max_queue_bytes / 2;
}

static bool push(struct session *s, struct net_frame *f)
{
	if (net_ring_push(&s->ring, f) != TACIT_OK)
		return false;
	s->ops->stirred(s);
	return true;
}

bool session_offer(struct session *s, struct net_frame *f)
{
	if (s->closed)
		return true;
	/* What is larger than the limit itself goes when little waits: else it never would. */
	if ((fits(s, f->bytes, 1) || session_has_room(s)) && push(s, f))
		return true;
	s->dropped++;
	return false;
}

bool session_push(struct session *s, struct net_frame *f)
{
	if (s->closed)
		return true;
	/* A single frame may be as large as it is: the limit is for what piles up. */
	bool alone = s->ring.count == 0;
	return (alone || fits(s, f->bytes, HARD_LIMIT)) && push(s, f);
}

void session_send(struct session *s, struct net_frame *f)
{
	if (f == NULL || !session_push(s, f))
		session_close(s, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
}

static void send_own(struct session *s, struct net_frame *f)
{
	session_send(s, f);
	net_frame_drop(f);
}

static void send_packet(struct session *s, enum tacit_eio_type type, struct tacit_bytes data)
{
	send_own(s, wire_packet(&(struct tacit_eio_packet){.type = type, .data = data}));
}

void session_open(struct session *s, const char *sid)
{
	struct tacit_buf json = {0};
	const struct live_settings *t = s->settings;
	struct tacit_eio_open open = {.may_upgrade = s->transport == SESSION_POLLING,
	        .ping_interval_ms = t->ping_interval_ms,
	        .ping_timeout_ms = t->ping_timeout_ms,
	        .max_payload = t->max_payload};
	TACIT_ASSERT(strlen(sid) < sizeof(open.sid));
	memcpy(open.sid, sid, strlen(sid));
	if (tacit_eio_open_write(&json, &open) == TACIT_OK)
		send_packet(s, TACIT_EIO_OPEN, tacit_buf_view(&json));
	else
		session_close(s, SESSION_SAY_CLOSE, TACIT_WS_INTERNAL_ERROR);
	tacit_buf_clear(&json);
}

void session_ping(struct session *s)
{
	send_packet(s, TACIT_EIO_PING, tacit_bytes(NULL, 0));
}

/* --- Socket.IO --- */

static void broken(struct session *s)
{
	session_close(s, SESSION_SAY_CLOSE, TACIT_WS_PROTOCOL_ERROR);
}

static struct live_socket *find_socket(const struct session *s, struct tacit_bytes path)
{
	for (struct live_socket *k = s->sockets; k != NULL; k = k->next)
		if (tacit_bytes_eq(path_of(k), path))
			return k;
	return NULL;
}

static bool is_namespace(const struct session *s, struct tacit_bytes path)
{
	if (tacit_bytes_eq(path, TACIT_STR("/")))
		return true;
	for (const char *const *n = s->settings->namespaces; n != NULL && *n != NULL; n++)
		if (tacit_bytes_eq(path, tacit_cstr(*n)))
			return true;
	return false;
}

static void send_socket_packet(struct session *s, enum tacit_sio_type type, struct tacit_bytes path,
        struct tacit_bytes data)
{
	struct tacit_sio_packet packet = {.type = type, .path = path, .ack = -1, .data = data};
	send_own(s, wire_socket_packet(&packet, NULL));
}

static struct live_socket *new_socket(struct session *s, struct tacit_bytes path)
{
	struct live_socket *k = tacit_calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	k->session = s;
	if (path.n > 1) {
		k->path = tacit_calloc(1, path.n + 1);
		if (k->path == NULL) {
			tacit_free(k);
			return NULL;
		}
		memcpy(k->path, path.p, path.n);
	}
	k->next = s->sockets;
	s->sockets = k;
	return k;
}

static void ask_to_connect(struct session *s, const struct tacit_sio_packet *p)
{
	size_t count = 0;
	json_t *auth = NULL;
	for (struct live_socket *k = s->sockets; k != NULL; k = k->next)
		count++;
	if (find_socket(s, p->path) != NULL || count == MAX_SOCKETS ||
	        tacit_sio_data(p, &auth) != TACIT_OK) {
		broken(s);
		return;
	}
	if (!is_namespace(s, p->path)) {
		send_socket_packet(s, TACIT_SIO_CONNECT_ERROR, p->path,
		        TACIT_STR("{\"message\":\"Invalid namespace\"}"));
	} else {
		struct live_socket *k = new_socket(s, p->path);
		if (k == NULL || !s->ops->connect(s, k, auth))
			session_close(s, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
	}
	json_decref(auth);
}

void session_accept(struct session *s, struct live_socket *k, const char *sid)
{
	struct tacit_buf json = {0};
	if (s->closed || k->accepted)
		return;
	k->accepted = true;
	if (tacit_buf_printf(&json, "{\"sid\":\"%s\"}", sid) == TACIT_OK)
		send_socket_packet(s, TACIT_SIO_CONNECT, path_of(k), tacit_buf_view(&json));
	else
		session_close(s, SESSION_SAY_CLOSE, TACIT_WS_INTERNAL_ERROR);
	tacit_buf_clear(&json);
}

void session_refuse(struct session *s, struct live_socket *k, struct tacit_bytes error)
{
	if (s->closed || k->accepted)
		return;
	send_socket_packet(s, TACIT_SIO_CONNECT_ERROR, path_of(k), error);
	if (!s->closed)
		drop_socket(s, k);
}

void session_disconnect(struct session *s, struct live_socket *k)
{
	if (s->closed)
		return;
	send_socket_packet(s, TACIT_SIO_DISCONNECT, path_of(k), tacit_bytes(NULL, 0));
	if (s->closed)
		return;
	s->told_to_go = true;
	drop_socket(s, k);
}

void session_ack(struct session *s, const struct live_socket *k, int64_t ack,
        struct tacit_bytes inside, const struct tacit_bytes *binary, size_t count)
{
	struct tacit_sio_packet packet = {.type = count > 0 ? TACIT_SIO_BINARY_ACK : TACIT_SIO_ACK,
	        .attachments = (unsigned)count,
	        .path = path_of(k),
	        .ack = ack};
	send_own(s, wire_array(&packet, inside, binary));
}

/* The most frequent event is a flat one, and a tree of it costs more than all the rest. */
static bool give_flat(struct session *s, struct live_socket *k, const struct tacit_sio_packet *p)
{
	char name[MAX_FLAT_NAME + 1];
	struct tacit_flat flat;
	if (!s->settings->flat || !tacit_sio_flat(p, &flat) || flat.name.n > MAX_FLAT_NAME)
		return false;
	if (flat.name.n > 0)
		memcpy(name, flat.name.p, flat.name.n);
	name[flat.name.n] = '\0';
	s->ops->event(s, k, &(struct live_event){.name = name, .flat = &flat, .ack = p->ack});
	return true;
}

static void give_event(struct session *s, struct live_socket *k, const struct tacit_sio_packet *p,
        const struct tacit_sio_assembly *a)
{
	struct tacit_bytes binary[TACIT_SIO_MAX_ATTACHMENTS];
	json_t *args = NULL;
	size_t count = a != NULL ? a->count : 0;
	for (size_t i = 0; i < count; i++)
		binary[i] = tacit_buf_view(&a->attachments[i]);
	if (tacit_sio_data(p, &args) != TACIT_OK) {
		broken(s);
		return;
	}
	json_t *name = json_incref(json_array_get(args, 0));
	json_array_remove(args, 0);
	struct live_event e = {.name = json_string_value(name),
	        .args = args,
	        .binary = binary,
	        .binary_count = count,
	        .ack = p->ack};
	s->ops->event(s, k, &e);
	json_decref(name);
	json_decref(args);
}

static bool is_accepted(const struct session *s, struct tacit_bytes path)
{
	const struct live_socket *k = find_socket(s, path);
	return k != NULL && k->accepted;
}

static void give_packet(
        struct session *s, const struct tacit_sio_packet *p, const struct tacit_sio_assembly *a)
{
	struct live_socket *k = find_socket(s, p->path);
	if (!is_accepted(s, p->path)) {
		broken(s);
		return;
	}
	switch (p->type) {
	case TACIT_SIO_EVENT:
	case TACIT_SIO_BINARY_EVENT:
		if (!give_flat(s, k, p))
			give_event(s, k, p, a);
		return;
	case TACIT_SIO_DISCONNECT:
		drop_socket(s, k);
		return;
	case TACIT_SIO_ACK:
	case TACIT_SIO_BINARY_ACK: /* we never ask for one */
		return;
	default:
		broken(s);
	}
}

static void begin_assembly(
        struct session *s, struct tacit_bytes text, const struct tacit_sio_packet *p)
{
	s->assembly = tacit_calloc(1, sizeof(*s->assembly));
	if (s->assembly == NULL || tacit_sio_assembly_begin(s->assembly, text, p->attachments,
	                                   s->settings->max_payload) != TACIT_OK)
		broken(s);
}

static void take_text(struct session *s, struct tacit_bytes text)
{
	struct tacit_sio_packet p;
	if (s->assembly != NULL || tacit_sio_parse(text, &p) != TACIT_OK)
		broken(s);
	else if (p.type == TACIT_SIO_CONNECT)
		ask_to_connect(s, &p);
	else if (p.attachments > 0 && is_accepted(s, p.path))
		begin_assembly(s, text, &p);
	else
		give_packet(s, &p, NULL); /* which refuses who was not let in */
}

static void take_binary(struct session *s, struct tacit_bytes data)
{
	struct tacit_sio_packet p;
	bool whole = false;
	if (s->assembly == NULL || tacit_sio_assembly_add(s->assembly, data,
	                                   s->settings->max_payload, &whole) != TACIT_OK) {
		broken(s);
		return;
	}
	if (!whole)
		return;
	struct tacit_sio_assembly *a = s->assembly;
	s->assembly = NULL;
	if (tacit_sio_parse(tacit_buf_view(&a->text), &p) == TACIT_OK)
		give_packet(s, &p, a);
	tacit_sio_assembly_clear(a);
	tacit_free(a);
}

/* --- Engine.IO --- */

/* Charged before anything is looked at. A client that goes on beyond its burst is closed. */
static bool affordable(struct session *s, size_t bytes, int64_t now_ms)
{
	double rate = s->settings->events_per_second, most = rate * BURST_SECONDS;
	struct session_bucket *b = &s->bucket;
	if (rate <= 0)
		return true;
	if (b->at_ms != 0 && now_ms > b->at_ms)
		b->tokens += (double)(now_ms - b->at_ms) * rate / 1000;
	b->at_ms = now_ms;
	b->tokens = b->tokens < most ? b->tokens : most;
	b->tokens -= 1 + (double)bytes / BYTES_PER_EVENT;
	if (b->tokens >= 0)
		return true;
	s->refused++;
	session_close(s, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
	return false;
}

static void take_packet(struct session *s, const struct tacit_eio_packet *p, int64_t now_ms)
{
	if (!affordable(s, p->data.n, now_ms))
		return;
	switch (p->type) {
	case TACIT_EIO_MESSAGE:
		if (s->ops->message != NULL)
			s->ops->message(s, p->binary, p->data);
		else if (p->binary)
			take_binary(s, p->data);
		else
			take_text(s, p->data);
		return;
	case TACIT_EIO_PONG:
		s->ops->pong(s);
		return;
	case TACIT_EIO_CLOSE:
		session_close(s, SESSION_SAY_NOOP, TACIT_WS_NORMAL);
		return;
	case TACIT_EIO_NOOP:
		return;
	default: /* PING, OPEN and UPGRADE are not a client's here */
		broken(s);
	}
}

size_t session_max_message(const struct session *s)
{
	size_t most = s->settings->max_payload;
	return s->trusted || most < MAX_UNTRUSTED_BYTES ? most : MAX_UNTRUSTED_BYTES;
}

bool session_poll(struct session *s)
{
	if (s->closed || s->transport != SESSION_POLLING)
		return false;
	if (s->parked) {
		broken(s);
		return false;
	}
	s->parked = true;
	s->ops->stirred(s);
	return true;
}

bool session_poll_ready(const struct session *s)
{
	return s->parked &&
	       (s->closed || s->ring.count > 0 || s->upgrading || s->transport != SESSION_POLLING);
}

enum tacit_err session_answer(struct session *s, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	s->parked = false;
	bool open = s->transport == SESSION_POLLING;
	while (open && err == TACIT_OK && s->ring.count > 0) {
		err = wire_to_polling(net_ring_at(&s->ring, 0), out);
		net_ring_pop(&s->ring);
	}
	struct tacit_eio_packet last = {.type = TACIT_EIO_NOOP};
	if (s->closed && open && s->end == SESSION_SAY_CLOSE)
		last.type = TACIT_EIO_CLOSE;
	if (err == TACIT_OK && (out->n == 0 || last.type == TACIT_EIO_CLOSE))
		err = tacit_eio_payload_append(out, &last);
	if (err != TACIT_OK)
		session_close(s, SESSION_SAY_CLOSE, TACIT_WS_INTERNAL_ERROR);
	return err;
}

bool session_post(struct session *s, struct tacit_bytes body, int64_t now_ms)
{
	struct tacit_eio_payload payload = {.rest = body};
	struct tacit_eio_packet packet;
	enum tacit_err err = TACIT_OK;
	if (s->closed || s->transport != SESSION_POLLING)
		return false;
	if (body.n > session_max_message(s))
		err = TACIT_E_TOO_LARGE;
	while (err == TACIT_OK && !s->closed) {
		err = tacit_eio_payload_next(&payload, &packet);
		if (err == TACIT_OK)
			take_packet(s, &packet, now_ms);
	}
	tacit_eio_payload_clear(&payload);
	if (err != TACIT_OK && err != TACIT_E_NOT_FOUND)
		broken(s);
	return !s->closed || s->end == SESSION_SAY_NOOP;
}

static void send_pong(struct session *s, struct tacit_bytes data)
{
	struct tacit_buf b = {0};
	if (tacit_ws_write(&b, TACIT_WS_PONG, data, NULL) == TACIT_OK)
		send_own(s, net_frame_copy(tacit_buf_view(&b)));
	tacit_buf_clear(&b);
}

void session_websocket(struct session *s, const struct tacit_ws_message *m, int64_t now_ms)
{
	struct tacit_eio_packet packet = {
	        .type = TACIT_EIO_MESSAGE, .binary = true, .data = m->data};
	if (s->closed)
		return;
	switch (m->opcode) {
	case TACIT_WS_TEXT:
		if (tacit_eio_parse(m->data, &packet) != TACIT_OK)
			broken(s);
		else
			take_packet(s, &packet, now_ms);
		return;
	case TACIT_WS_BINARY:
		take_packet(s, &packet, now_ms);
		return;
	case TACIT_WS_PING:
		if (affordable(s, m->data.n, now_ms))
			send_pong(s, m->data);
		return;
	case TACIT_WS_CLOSE:
		session_close(s, SESSION_SAY_NOOP,
		        m->close_code == TACIT_WS_NO_STATUS ? TACIT_WS_NORMAL : m->close_code);
		return;
	default: /* PONG: nobody asked for it, and it costs like anything else */
		(void)affordable(s, m->data.n, now_ms);
	}
}

/* --- the upgrade from polling --- */

static bool push_packet(struct net_ring *out, enum tacit_eio_type type, struct tacit_bytes data)
{
	struct net_frame *f = wire_packet(&(struct tacit_eio_packet){.type = type, .data = data});
	bool ok = f != NULL && net_ring_push(out, f) == TACIT_OK;
	net_frame_drop(f);
	return ok;
}

/* The queue goes over behind what the probe has still to send. */
static bool take_over(struct session *s, struct net_ring *out)
{
	while (s->ring.count > 0) {
		if (net_ring_push(out, net_ring_at(&s->ring, 0)) != TACIT_OK)
			return false;
		net_ring_pop(&s->ring);
	}
	s->ring = *out;
	*out = (struct net_ring){0};
	s->transport = SESSION_WEBSOCKET;
	s->upgrading = false;
	s->ops->stirred(s);
	return true;
}

enum session_probe session_probe(
        struct session *s, const struct tacit_ws_message *m, struct net_ring *out)
{
	struct tacit_eio_packet p;
	if (m->opcode == TACIT_WS_PONG)
		return SESSION_PROBE_WAITS;
	if (s->closed || s->transport != SESSION_POLLING || m->opcode != TACIT_WS_TEXT ||
	        tacit_eio_parse(m->data, &p) != TACIT_OK)
		return SESSION_PROBE_REFUSED;
	if (p.type == TACIT_EIO_PING && !s->upgrading &&
	        tacit_bytes_eq(p.data, TACIT_STR("probe"))) {
		s->upgrading = true;
		s->ops->stirred(s);
		return push_packet(out, TACIT_EIO_PONG, p.data) ? SESSION_PROBE_WAITS
		                                                : SESSION_PROBE_REFUSED;
	}
	if (p.type != TACIT_EIO_UPGRADE || !s->upgrading)
		return SESSION_PROBE_REFUSED;
	if (take_over(s, out))
		return SESSION_PROBE_TAKEN;
	session_close(s, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER); /* some packets are elsewhere */
	return SESSION_PROBE_REFUSED;
}

void session_probe_ended(struct session *s)
{
	s->upgrading = false;
}
