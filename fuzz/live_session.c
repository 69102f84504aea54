/* A session, driven by a script: each step is a letter, a length and so many bytes. The application
 * echoes. Whatever comes: the queue stays bounded, nothing is said after the end, every socket that
 * came goes exactly once, and what a polling answer holds can be read. */
#include "server/live/session.h"

#define MAX_QUEUE 4096

static struct {
	size_t came, went; /* sockets */
} seen;

static bool on_connect(struct session *s, struct live_socket *k, const json_t *auth)
{
	seen.came++;
	if (json_object_get(auth, "no") != NULL)
		session_refuse(s, k, TACIT_STR("{\"message\":\"no\"}"));
	else if (json_object_get(auth, "later") == NULL)
		session_accept(s, k, "sid");
	return true;
}

static void on_event(struct session *s, struct live_socket *k, const struct live_event *e)
{
	struct tacit_buf args = {0};
	TACIT_ASSERT(k->accepted && e->name != NULL && json_is_array(e->args));
	TACIT_ASSERT(e->binary_count <= TACIT_SIO_MAX_ATTACHMENTS);
	if (e->ack >= 0 && tacit_json_write(e->args, &args) == TACIT_OK)
		session_ack(s, k, e->ack, tacit_bytes(args.p + 1, args.n - 2), e->binary,
		        e->binary_count);
	else if (json_array_size(e->args) == 0)
		session_disconnect(s, k);
	tacit_buf_clear(&args);
}

static void on_gone(struct session *s, struct live_socket *k)
{
	(void)s;
	(void)k;
	seen.went++;
}

static void nothing(struct session *s)
{
	(void)s;
}

static void read_answer(struct tacit_bytes body)
{
	struct tacit_eio_payload p = {.rest = body};
	struct tacit_eio_packet packet;
	enum tacit_err err;
	do
		err = tacit_eio_payload_next(&p, &packet);
	while (err == TACIT_OK);
	TACIT_ASSERT(err == TACIT_E_NOT_FOUND);
	tacit_eio_payload_clear(&p);
}

static void answer(struct session *s)
{
	struct tacit_buf out = {0};
	if (session_poll_ready(s) && session_answer(s, &out) == TACIT_OK)
		read_answer(tacit_buf_view(&out));
	tacit_buf_clear(&out);
}

static void message(struct session *s, enum tacit_ws_opcode opcode, struct tacit_bytes data,
        struct net_ring *probe, int64_t now)
{
	struct tacit_ws_message m = {.opcode = opcode, .data = data, .close_code = 1000};
	if (s->transport == SESSION_WEBSOCKET)
		session_websocket(s, &m, now);
	else if (session_probe(s, &m, probe) == SESSION_PROBE_REFUSED)
		session_probe_ended(s);
}

static void publish(struct session *s, struct tacit_bytes data)
{
	struct net_frame *f = wire_packet(&(struct tacit_eio_packet){
	        .type = TACIT_EIO_MESSAGE, .binary = true, .data = data});
	TACIT_ASSERT(f != NULL);
	session_offer(s, f);
	net_frame_drop(f);
}

static void step(struct session *s, uint8_t what, struct tacit_bytes data, struct net_ring *probe,
        int64_t now)
{
	switch (what) {
	case 'p':
		session_post(s, data, now);
		return;
	case 'g':
		session_poll(s);
		return;
	case 'a':
		answer(s);
		return;
	case 't':
		message(s, TACIT_WS_TEXT, data, probe, now);
		return;
	case 'b':
		message(s, TACIT_WS_BINARY, data, probe, now);
		return;
	case 'c':
		message(s, TACIT_WS_CLOSE, data, probe, now);
		return;
	case 'i':
		session_ping(s);
		return;
	case 'o':
		publish(s, data);
		return;
	case 's':
		net_ring_sent(&s->ring, s->ring.bytes < data.n ? s->ring.bytes : data.n);
		return;
	default:
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct session_ops ops = {.connect = on_connect,
	        .event = on_event,
	        .gone = on_gone,
	        .pong = nothing,
	        .stirred = nothing};
	static const char *const namespaces[] = {"/custom", NULL};
	const struct live_settings settings = {.ping_interval_ms = 1,
	        .ping_timeout_ms = 1,
	        .max_payload = 2048,
	        .max_queue_bytes = MAX_QUEUE,
	        .max_queue_frames = 16,
	        .events_per_second = 10,
	        .namespaces = namespaces};
	struct session s;
	struct net_ring probe = {0};
	seen.came = seen.went = 0;
	session_init(&s, &settings, &ops, NULL,
	        size > 0 && (data[0] & 1) != 0 ? SESSION_WEBSOCKET : SESSION_POLLING);
	session_open(&s, "abc");
	for (size_t at = 1; at + 2 <= size;) {
		size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
		uint32_t before = s.ring.count;
		bool was_closed = s.closed;
		step(&s, data[at], tacit_bytes(data + at + 2, n), &probe, (int64_t)at);
		TACIT_ASSERT(!was_closed || s.ring.count <= before);
		TACIT_ASSERT(s.ring.bytes <= MAX_QUEUE * 4 + 4096);
		at += 2 + n;
	}
	net_ring_clear(&probe);
	session_clear(&s);
	TACIT_ASSERT(seen.came == seen.went && s.sockets == NULL);
	return 0;
}
