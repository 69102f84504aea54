/* The parts of live events that need no loop: frames, queues, tables, and a session as a protocol.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "server/live/owners.h"
#include "server/live/session.h"
#include "server/live/sids.h"
#include "server/live/table.h"
#include "support/tap.h"

static struct net_frame *text_frame(struct tacit_bytes data)
{
	return wire_packet(&(struct tacit_eio_packet){.type = TACIT_EIO_MESSAGE, .data = data});
}

/* --- frames and queues --- */

static void a_ring_keeps_order_and_counts(void)
{
	struct net_ring r = {0};
	size_t expected = 0;
	for (int64_t i = 0; i < 100; i++) {
		struct net_frame *f = net_frame_new((size_t)(10 + i));
		REQUIRE(f != NULL);
		f->mark = i;
		CHECK_OK(net_ring_push(&r, f));
		net_frame_drop(f); /* the ring holds it */
		expected += (size_t)(10 + i);
	}
	CHECK_INT(r.count, 100);
	CHECK_INT(r.bytes, expected);
	for (int64_t i = 0; i < 50; i++) {
		CHECK_INT(net_ring_at(&r, 0)->mark, i);
		net_ring_pop(&r);
	}
	struct iovec parts[8];
	net_ring_sent(&r, 59); /* of the first, which has 60 */
	CHECK_INT(r.count, 50);
	CHECK_INT(net_ring_parts(&r, parts, 8), 8);
	CHECK_INT(parts[0].iov_len, 1);
	CHECK_INT(parts[1].iov_len, 61);
	net_ring_sent(&r, 1 + 61 + 5);
	CHECK_INT(net_ring_at(&r, 0)->mark, 52);
	CHECK_INT(r.head_sent, 5);
	net_ring_sent(&r, r.bytes);
	CHECK_INT(r.count, 0);
	CHECK_INT(r.bytes, 0);
	CHECK(r.heap == NULL);
}

static void a_frame_is_shared(void)
{
	struct net_ring a = {0}, b = {0};
	struct net_frame *f = net_frame_copy(TACIT_STR("shared"));
	REQUIRE(f != NULL);
	CHECK_OK(net_ring_push(&a, f));
	CHECK_OK(net_ring_push(&b, f));
	CHECK_INT(f->holders, 3);
	net_ring_clear(&a);
	CHECK_INT(f->holders, 2);
	net_ring_clear(&b);
	CHECK_INT(f->holders, 1);
	net_frame_drop(f);
}

static void a_block_becomes_a_frame(void)
{
	struct tacit_buf b = {0};
	CHECK_OK(tacit_buf_reserve(&b, NET_FRAME_FRONT + 4));
	b.n = NET_FRAME_FRONT;
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("data")));
	const uint8_t *at = b.p + NET_FRAME_FRONT;
	struct net_frame *f = net_frame_adopt(&b);
	CHECK(b.p == NULL && f->data == at);
	CHECK_INT(f->holders, 1);
	CHECK_BYTES(tacit_bytes(f->data, f->bytes), TACIT_STR("data"));
	net_frame_drop(f);
}

static void frames_serve_both_transports(void)
{
	const struct tacit_bytes binary[] = {TACIT_STR("\1\2\3")};
	struct tacit_sio_packet p = {.type = TACIT_SIO_BINARY_EVENT,
	        .attachments = 1,
	        .path = TACIT_STR("/"),
	        .ack = -1};
	struct tacit_buf answer = {0};
	struct net_frame *f =
	        wire_array(&p, TACIT_STR("\"a\",{\"_placeholder\":true,\"num\":0}"), binary);
	REQUIRE(f != NULL);
	CHECK_OK(wire_to_polling(f, &answer));
	CHECK_BYTES(tacit_buf_view(&answer),
	        TACIT_STR("451-[\"a\",{\"_placeholder\":true,\"num\":0}]\x1e"
	                  "bAQID"));
	struct net_frame *other = wire_readdress(f, TACIT_STR("/custom"));
	REQUIRE(other != NULL);
	answer.n = 0;
	CHECK_OK(wire_to_polling(other, &answer));
	CHECK_BYTES(tacit_buf_view(&answer),
	        TACIT_STR("451-/custom,[\"a\",{\"_placeholder\":true,\"num\":0}]\x1e"
	                  "bAQID"));
	answer.n = 0;
	struct net_frame *close = wire_close(1000);
	CHECK_OK(wire_to_polling(close, &answer));
	CHECK_INT(answer.n, 0);
	net_frame_drop(close);
	net_frame_drop(other);
	net_frame_drop(f);
	tacit_buf_clear(&answer);
}

static void a_table_finds_what_it_has(void)
{
	static struct table_entry entries[1000];
	struct table t = {0};
	CHECK(table_find(&t, 1) == NULL);
	for (size_t i = 0; i < TACIT_COUNT(entries); i++) {
		entries[i].key = (int64_t)(i * i) - 5;
		CHECK_OK(table_add(&t, &entries[i]));
	}
	for (size_t i = 0; i < TACIT_COUNT(entries); i += 2)
		table_remove(&t, &entries[i]);
	for (size_t i = 0; i < TACIT_COUNT(entries); i++)
		CHECK(table_find(&t, (int64_t)(i * i) - 5) == (i % 2 != 0 ? &entries[i] : NULL));
	CHECK_INT(t.count, TACIT_COUNT(entries) / 2);
	table_clear(&t);
}

static void the_oldest_is_found(void)
{
	struct owners *o;
	struct live_handle oldest;
	bool full;
	REQUIRE(owners_new(2, &o) == TACIT_OK);
	for (uint32_t i = 1; i <= 5; i++) {
		CHECK_OK(owners_enter(o, 7, (struct live_handle){0, i, i}, &oldest, &full));
		CHECK(full == (i > 2));
		CHECK(!full || oldest.slot == i - 2);
	}
	owners_leave(o, 7, (struct live_handle){0, 5, 5});
	CHECK_OK(owners_enter(o, 7, (struct live_handle){0, 6, 6}, &oldest, &full));
	CHECK(!full);
	CHECK_OK(owners_enter(o, 8, (struct live_handle){1, 6, 6}, &oldest, &full));
	CHECK(!full);
	owners_free(o);
}

/* --- a session --- */

static struct {
	unsigned connects, events, gone, pongs;
	struct live_socket *last;
	unsigned flat; /* of the events */
	char name[40]; /* of the last */
} seen;

static bool on_connect(struct session *s, struct live_socket *k, const json_t *auth)
{
	(void)auth;
	seen.connects++;
	seen.last = k;
	session_accept(s, k, "id");
	return true;
}

static void on_event(struct session *s, struct live_socket *k, const struct live_event *e)
{
	seen.events++;
	seen.flat += e->flat != NULL;
	CHECK((e->flat != NULL) != (e->args != NULL));
	(void)snprintf(seen.name, sizeof(seen.name), "%s", e->name);
	if (e->ack >= 0)
		session_ack(s, k, e->ack, TACIT_STR("true"), NULL, 0);
}

static void on_gone(struct session *s, struct live_socket *k)
{
	(void)s;
	(void)k;
	seen.gone++;
}

static void on_pong(struct session *s)
{
	(void)s;
	seen.pongs++;
}

static void on_stirred(struct session *s)
{
	(void)s;
}

static const struct session_ops ops = {.connect = on_connect,
        .event = on_event,
        .gone = on_gone,
        .pong = on_pong,
        .stirred = on_stirred};

static const struct live_settings settings = {.ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .max_payload = 1000,
        .max_queue_bytes = 1000,
        .max_queue_frames = 4,
        .events_per_second = 10};

static void begin(struct session *s, enum session_transport transport)
{
	memset(&seen, 0, sizeof(seen));
	session_init(s, &settings, &ops, NULL, transport);
	session_open(s, "abc");
}

static void say(struct session *s, struct tacit_bytes text)
{
	session_websocket(s, &(struct tacit_ws_message){TACIT_WS_TEXT, text, 0}, 1);
}

/* What a poll gives now. */
static void expect_poll(struct session *s, struct tacit_bytes want)
{
	struct tacit_buf out = {0};
	CHECK(session_poll(s));
	CHECK(session_poll_ready(s));
	CHECK_OK(session_answer(s, &out));
	CHECK_BYTES(tacit_buf_view(&out), want);
	tacit_buf_clear(&out);
}

/* Where the application reads them; what is not flat comes as a tree as ever. */
static void flat_events_need_no_tree(void)
{
	static const char long_name[] = "42[\"a name of more than thirty-two bytes\",{}]";
	struct live_settings flat = settings;
	struct session s;
	for (int on = 0; on < 2; on++) {
		flat.flat = on != 0;
		flat.max_queue_frames = 100;
		memset(&seen, 0, sizeof(seen));
		session_init(&s, &flat, &ops, NULL, SESSION_WEBSOCKET);
		session_open(&s, "abc");
		say(&s, TACIT_STR("40"));
		say(&s, TACIT_STR("421[\"send\",{\"room\":1,\"text\":\"x\"}]"));
		CHECK(strcmp(seen.name, "send") == 0);
		CHECK_INT(seen.flat, on);
		say(&s, TACIT_STR("42[\"typing\",{\"room\":1,\"typing\":true}]"));
		CHECK(strcmp(seen.name, "typing") == 0);
		say(&s, TACIT_STR("42[\"bare\"]"));
		say(&s, tacit_bytes(long_name, sizeof(long_name) - 1));
		CHECK_INT(seen.events, 4);
		CHECK_INT(seen.flat, on);
		say(&s, TACIT_STR("42[\"disconnect\",{}]")); /* nobody may say that */
		CHECK_INT(seen.events, 4);
		CHECK(s.closed);
		session_clear(&s);
	}
}

static void polling_then_a_websocket(void)
{
	struct session s;
	struct net_ring probe = {0};
	begin(&s, SESSION_POLLING);
	expect_poll(&s,
	        TACIT_STR("0{\"sid\":\"abc\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
	                  "\"pingTimeout\":20000,\"maxPayload\":1000}"));
	CHECK(session_post(&s,
	        TACIT_STR("40\x1e"
	                  "3"),
	        1));
	CHECK_INT(seen.connects, 1);
	CHECK_INT(seen.pongs, 1);
	expect_poll(&s, TACIT_STR("40{\"sid\":\"id\"}"));
	CHECK(session_poll(&s));
	CHECK(!session_poll_ready(&s));
	struct tacit_ws_message m = {TACIT_WS_TEXT, TACIT_STR("2probe"), 0};
	CHECK_INT(session_probe(&s, &m, &probe), SESSION_PROBE_WAITS);
	CHECK_INT(probe.count, 1);
	struct tacit_buf out = {0};
	CHECK(session_poll_ready(&s));
	CHECK_OK(session_answer(&s, &out));
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("6"));
	CHECK(session_post(&s, TACIT_STR("427[\"a\"]"), 1));
	m.data = TACIT_STR("5");
	CHECK_INT(session_probe(&s, &m, &probe), SESSION_PROBE_TAKEN);
	CHECK_INT(s.transport, SESSION_WEBSOCKET);
	CHECK_INT(s.ring.count, 2); /* the probe's answer, then the acknowledgement */
	CHECK_INT(probe.count, 0);
	CHECK(!session_poll(&s) && !session_post(&s, TACIT_STR("3"), 1) && !s.closed);
	say(&s, TACIT_STR("41"));
	CHECK_INT(seen.gone, 1);
	say(&s, TACIT_STR("1"));
	CHECK(s.closed);
	tacit_buf_clear(&out);
	session_clear(&s);
}

static void a_full_queue_drops_and_then_closes(void)
{
	struct session s;
	struct net_frame *f = text_frame(TACIT_STR("2[\"n\"]"));
	REQUIRE(f != NULL);
	begin(&s, SESSION_WEBSOCKET);
	for (int i = 0; i < 3; i++)
		CHECK(session_offer(&s, f));
	CHECK(!session_offer(&s, f));
	CHECK_INT(s.dropped, 1);
	CHECK(!session_has_room(&s));
	for (int i = 0; i < 12; i++)
		session_send(&s, f);
	CHECK(!s.closed);
	session_send(&s, f);
	CHECK(s.closed);
	CHECK_INT(s.close_code, TACIT_WS_TRY_LATER);
	net_frame_drop(f);
	session_clear(&s);
}

static void floods_are_cut_before_they_are_parsed(void)
{
	struct session s;
	begin(&s, SESSION_WEBSOCKET);
	say(&s, TACIT_STR("40"));
	for (int i = 0; i < 99; i++)
		say(&s, TACIT_STR("42[\"a\"]"));
	CHECK_INT(seen.events, 98); /* the bytes cost something, too */
	CHECK(s.closed);
	CHECK_INT(s.refused, 1);
	session_clear(&s);
	begin(&s, SESSION_WEBSOCKET);
	say(&s, TACIT_STR("40"));
	for (int i = 0; i < 300; i++) /* ten a second are fine for ever */
		session_websocket(&s,
		        &(struct tacit_ws_message){TACIT_WS_TEXT, TACIT_STR("42[\"a\"]"), 0},
		        1 + i * 110);
	CHECK(!s.closed);
	CHECK_INT(seen.events, 300);
	session_clear(&s);
	CHECK_INT(seen.gone, 1);
}

static enum tacit_err life(void)
{
	struct session s;
	struct tacit_buf out = {0};
	enum tacit_err err = TACIT_OK;
	begin(&s, SESSION_POLLING);
	session_post(&s,
	        TACIT_STR("40\x1e"
	                  "451-3[\"a\",{\"_placeholder\":true,\"num\":0}]\x1e"
	                  "bAQID"),
	        1);
	if (session_poll(&s))
		err = session_answer(&s, &out);
	if (s.closed || seen.events != 1)
		err = TACIT_E_NOMEM; /* it told the peer by closing */
	CHECK(err == TACIT_OK || s.closed || s.ring.count == 0);
	tacit_buf_clear(&out);
	session_clear(&s);
	CHECK_INT(seen.gone, seen.connects);
	return err;
}

static void copes_without_memory(void)
{
	tap_alloc_sweep(life);
}

static enum tacit_err enter_two(void)
{
	static const uint8_t one[SIDS_SECRET_BYTES] = "first", two[SIDS_SECRET_BYTES] = "second";
	struct sids s;
	sids_init(&s);
	enum tacit_err err = sids_enter(&s, 3, one, 10);
	if (err == TACIT_OK) {
		CHECK_INT(sids_find(&s, 3, one), 10);
		err = sids_enter(&s, 5000, two, 20);
		CHECK_INT(sids_find(&s, 3, one), 10);
		CHECK_INT(sids_find(&s, 5000, two), err == TACIT_OK ? 20 : 0);
	}
	if (err == TACIT_OK) {
		CHECK_OK(sids_enter(&s, 3, one, 30)); /* let in: more may come */
		CHECK_INT(sids_find(&s, 3, one), 30);
		CHECK_INT(sids_find(&s, 3, two), 0);
		CHECK_INT(sids_find(&s, 4, one), 0);
		CHECK_INT(sids_find(&s, UINT32_MAX, one), 0);
		sids_leave(&s, 3);
		sids_leave(&s, 1000000);
		CHECK_INT(sids_find(&s, 3, one), 0);
		CHECK_INT(sids_find(&s, 3, (const uint8_t[SIDS_SECRET_BYTES]){0}), 0);
	}
	sids_clear(&s);
	return err;
}

static void sids_are_known_from_outside(void)
{
	CHECK_OK(enter_two());
	tap_alloc_sweep(enter_two);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"flat events need no tree", flat_events_need_no_tree},
	        {"a ring keeps order and counts", a_ring_keeps_order_and_counts},
	        {"a frame is shared", a_frame_is_shared},
	        {"a block becomes a frame", a_block_becomes_a_frame},
	        {"frames serve both transports", frames_serve_both_transports},
	        {"a table finds what it has", a_table_finds_what_it_has},
	        {"the oldest socket of a user is found", the_oldest_is_found},
	        {"polling, then a WebSocket", polling_then_a_websocket},
	        {"a full queue drops, and then closes", a_full_queue_drops_and_then_closes},
	        {"floods are cut before they are parsed", floods_are_cut_before_they_are_parsed},
	        {"sids are known from outside", sids_are_known_from_outside},
	        {"copes without memory", copes_without_memory},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
