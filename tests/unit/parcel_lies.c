/* A relay that lies between two ends, and ends that break the rules. */
#include "e2e/parcel/parcel.h"

#include <string.h>

#include "parcel_people.h"
#include "support/tap.h"

enum lie { FLIP, DROP, REPEAT, TRUNCATE, EXTEND, SWAP, LIES };

struct liar {
	enum lie lie;
	size_t at; /* the message, counted from 0 */
	struct tacit_buf held;
};

static unsigned lie(void *ctx, size_t n, struct tacit_buf *m)
{
	struct liar *l = ctx;
	if (l->lie == SWAP && n == l->at) {
		struct tacit_buf empty = {0};
		l->held = *m;
		*m = empty;
		return 0;
	}
	if (l->lie == SWAP && n == l->at + 1) {
		struct tacit_buf now = *m;
		*m = l->held; /* the earlier one comes later; the later one is lost with it */
		l->held = now;
		return 1;
	}
	if (n != l->at)
		return 1;
	switch (l->lie) {
	case FLIP:
		m->p[m->n / 2] ^= 0x20;
		return 1;
	case DROP:
		return 0;
	case REPEAT:
		return 2;
	case TRUNCATE:
		m->n--;
		return 1;
	default:
		CHECK_OK(tacit_buf_append(m, TACIT_STR("x")));
		return 1;
	}
}

/* Whatever it does to whichever message: what arrives is whole, or there is no receipt. */
static void no_lie_of_the_relay_passes(void)
{
	struct room r;
	room_open(&r);
	r.give.content = content(5000);
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	size_t messages = r.passed;
	room_close(&r);
	CHECK(messages > 10);
	for (int what = 0; what < LIES; what++)
		for (size_t at = 0; at < messages; at++) {
			struct liar l = {.lie = (enum lie)what, .at = at};
			room_open(&r);
			r.relay = lie;
			r.ctx = &l;
			r.give.content = content(5000);
			room_meet(&r, "7-amber-falcon", "7-amber-falcon");
			room_run(&r);
			bool whole = r.take.ended && r.take.store.n == 5000 &&
			             memcmp(r.take.store.p, content_bytes, 5000) == 0;
			CHECK(whole || !r.take.ended);
			CHECK(whole || !r.give.received);
			if (at + 2 < messages)
				CHECK(!r.give.received);
			room_close(&r);
			tacit_buf_clear(&l.held);
		}
}

static struct tacit_buf recorded[MOST_MESSAGES];

static unsigned record(void *ctx, size_t n, struct tacit_buf *m)
{
	(void)ctx;
	if (n < MOST_MESSAGES)
		CHECK_OK(tacit_buf_append(&recorded[n], tacit_buf_view(m)));
	return 1;
}

/* What one connection carried says nothing in the next. */
static void an_earlier_connection_cannot_be_replayed(void)
{
	struct room r;
	struct tacit_parcel_event ev;
	room_open(&r);
	r.relay = record;
	r.give.content = content(100);
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	REQUIRE(r.give.received);
	r.relay = NULL;
	for (size_t i = 0; i < r.passed; i++) {
		CHECK_OK(tacit_parcel_rejoin(r.take.parcel, tacit_parcel_root(r.take.parcel)));
		room_cut(&r);
		if (tacit_parcel_input(r.take.parcel, tacit_buf_view(&recorded[i]), &ev) ==
		        TACIT_OK)
			CHECK(false); /* no HELLO was among them */
	}
	for (size_t i = 0; i < MOST_MESSAGES; i++)
		tacit_buf_clear(&recorded[i]);
	room_close(&r);
}

/* An end that has the code and a channel of its own, and sends what it likes. */
struct rogue {
	struct tacit_channel channel;
	struct tacit_env env;
	struct hand victim; /* its mail is what it sends to the rogue */
};

static enum tacit_err to_rogue(void *ctx, struct tacit_bytes message)
{
	struct rogue *g = ctx;
	return tacit_buf_append(
	        &g->victim.mail.messages[g->victim.mail.count++ % MOST_MESSAGES], message);
}

static void meet_rogue(struct rogue *g, enum tacit_parcel_role victim)
{
	struct tacit_parcel_code code;
	struct tacit_buf out = {0};
	struct tacit_parcel_event ev;
	*g = (struct rogue){.env = tap_env(9)};
	const struct tacit_parcel_options o = {
	        .role = victim, .env = &g->env, .send = to_rogue, .ctx = g};
	CHECK_OK(tacit_parcel_new(&o, &g->victim.parcel));
	CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
	CHECK_OK(tacit_parcel_meet(g->victim.parcel, &code, TACIT_PARCEL_OPENER));
	const struct tacit_channel_meeting m = {
	        .code = &code,
	        .role = victim == TACIT_PARCEL_SENDER ? TACIT_PARCEL_RECEIVER : TACIT_PARCEL_SENDER,
	        .place = TACIT_PARCEL_JOINER,
	};
	CHECK_OK(tacit_channel_meet(&g->channel, &m, &g->env, &out));
	CHECK_OK(tacit_parcel_input(g->victim.parcel, tacit_buf_view(&out), &ev));
	tacit_buf_clear(&out);
	CHECK_OK(tacit_channel_greet(
	        &g->channel, tacit_buf_view(&g->victim.mail.messages[0]), &out));
	CHECK_OK(tacit_parcel_input(g->victim.parcel, tacit_buf_view(&out), &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_OPEN);
	CHECK_OK(tacit_channel_greet(
	        &g->channel, tacit_buf_view(&g->victim.mail.messages[1]), &out));
	CHECK_INT(g->channel.state, TACIT_CHANNEL_OPEN);
	tacit_buf_clear(&out);
}

static void leave_rogue(struct rogue *g)
{
	for (size_t i = 0; i < MOST_MESSAGES; i++)
		tacit_buf_clear(&g->victim.mail.messages[i]);
	tacit_parcel_free(g->victim.parcel);
	tacit_channel_clear(&g->channel);
}

static enum tacit_err throw_at(struct rogue *g, uint8_t type, struct tacit_bytes body)
{
	static uint8_t room[TACIT_PARCEL_MAX_MESSAGE];
	struct tacit_parcel_event ev;
	CHECK_OK(tacit_channel_seal(&g->channel, type, body, room));
	return tacit_parcel_input(
	        g->victim.parcel, tacit_bytes(room, 2 + body.n + TACIT_AEAD_TAG_BYTES), &ev);
}

enum { OFFER = 1, ANSWER, DECLINE, START, DATA, END, RECEIPT, DONE, STOP, WAYS, STAY };

static enum tacit_err throw_offer(struct rogue *g, uint64_t size)
{
	struct tacit_buf b = {0};
	CHECK_OK(tacit_buf_append(&b, tacit_bytes("\0\0\0\0", 4)));
	offer_file("name", size, &b);
	b.p[3] = (uint8_t)(b.n - 4);
	enum tacit_err err = throw_at(g, OFFER, tacit_buf_view(&b));
	tacit_buf_clear(&b);
	return err;
}

static const uint8_t zeros[64];

static void start_rogue(struct rogue *g)
{
	meet_rogue(g, TACIT_PARCEL_RECEIVER);
	CHECK_OK(throw_offer(g, 10));
	CHECK_OK(tacit_parcel_answer(g->victim.parcel));
}

static void a_lying_sender_is_refused(void)
{
	struct rogue g;
	struct tacit_bytes nothing = {0}, digest = tacit_bytes(zeros, 32),
	                   offset = tacit_bytes(zeros, 8);
	for (uint8_t type = 0; type < 14; type++) { /* before an offer */
		if (type == OFFER || type == STOP || type == WAYS || type == STAY)
			continue;
		meet_rogue(&g, TACIT_PARCEL_RECEIVER);
		CHECK_ERR(throw_at(&g, type, nothing), TACIT_E_MALFORMED);
		leave_rogue(&g);
	}
	meet_rogue(&g, TACIT_PARCEL_RECEIVER); /* ways are told once, */
	CHECK_OK(throw_at(&g, WAYS, tacit_bytes(zeros, 3)));
	CHECK_ERR(throw_at(&g, WAYS, tacit_bytes(zeros, 3)), TACIT_E_MALFORMED);
	leave_rogue(&g);
	for (uint8_t type = WAYS; type <= STAY; type++) { /* and not after the offer */
		start_rogue(&g);
		CHECK_ERR(throw_at(&g, type, type == WAYS ? tacit_bytes(zeros, 3) : nothing),
		        TACIT_E_MALFORMED);
		leave_rogue(&g);
	}
	start_rogue(&g); /* a reason that is none, and no reason */
	CHECK_ERR(throw_at(&g, STOP, TACIT_STR("\1\1")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* data before START */
	CHECK_ERR(throw_at(&g, DATA, digest), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* more than was offered */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_OK(throw_at(&g, DATA, tacit_bytes(zeros, 9)));
	CHECK_ERR(throw_at(&g, DATA, tacit_bytes(zeros, 2)), TACIT_E_TRAILING);
	leave_rogue(&g);
	start_rogue(&g); /* less */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_OK(throw_at(&g, DATA, tacit_bytes(zeros, 9)));
	CHECK_ERR(throw_at(&g, END, nothing), TACIT_E_TRUNCATED);
	leave_rogue(&g);
	start_rogue(&g); /* an end that says more than that */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_OK(throw_at(&g, DATA, tacit_bytes(zeros, 10)));
	CHECK_ERR(throw_at(&g, END, digest), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* from somewhere else */
	CHECK_ERR(throw_at(&g, START, TACIT_STR("\0\0\0\0\0\0\0\5")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	start_rogue(&g); /* nothing, for ever */
	CHECK_OK(throw_at(&g, START, offset));
	CHECK_ERR(throw_at(&g, DATA, nothing), TACIT_E_MALFORMED);
	leave_rogue(&g);
}

static void offers_in_pieces_are_bounded(void)
{
	struct rogue g;
	meet_rogue(&g, TACIT_PARCEL_RECEIVER);
	CHECK_ERR(throw_at(&g, OFFER,
	                  TACIT_STR("\x7f\xff\xff\xff"
	                            "x")),
	        TACIT_E_TOO_LARGE);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER);
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\0\0\0\2xyz")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER);
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\0\0\0\2")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER); /* the whole shrinks under way */
	CHECK_OK(throw_at(&g, OFFER,
	        TACIT_STR("\0\0\0\x7f"
	                  "abcdef")));
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\0\0\0\3x")), TACIT_E_MALFORMED);
	leave_rogue(&g);
}

static void a_lying_receiver_is_refused(void)
{
	struct rogue g;
	struct tacit_buf offer = {0};
	uint8_t answer[40] = {0};
	offer_file("name", 10, &offer);
	meet_rogue(&g, TACIT_PARCEL_SENDER); /* it has more than there is */
	CHECK_OK(tacit_parcel_offer(g.victim.parcel, tacit_buf_view(&offer)));
	answer[7] = 11;
	CHECK_ERR(throw_at(&g, ANSWER, tacit_bytes(answer, sizeof(answer))), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER); /* a receipt for nothing */
	CHECK_OK(tacit_parcel_offer(g.victim.parcel, tacit_buf_view(&offer)));
	CHECK_ERR(throw_at(&g, RECEIPT, tacit_bytes(zeros, 32)), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER); /* a receipt that says more than that */
	uint64_t from;
	answer[7] = 0;
	CHECK_OK(tacit_parcel_offer(g.victim.parcel, tacit_buf_view(&offer)));
	CHECK_OK(throw_at(&g, ANSWER, tacit_bytes(answer, sizeof(answer))));
	CHECK_OK(tacit_parcel_begin(g.victim.parcel, &from));
	CHECK_OK(tacit_parcel_data(g.victim.parcel, tacit_bytes(zeros, 10)));
	CHECK_OK(tacit_parcel_end(g.victim.parcel));
	CHECK_ERR(throw_at(&g, RECEIPT, tacit_bytes(zeros, 32)), TACIT_E_MALFORMED);
	leave_rogue(&g);
	tacit_buf_clear(&offer);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"no lie of the relay passes", no_lie_of_the_relay_passes},
	        {"an earlier connection cannot be replayed",
	                an_earlier_connection_cannot_be_replayed},
	        {"a lying sender is refused", a_lying_sender_is_refused},
	        {"offers in pieces are bounded", offers_in_pieces_are_bounded},
	        {"a lying receiver is refused", a_lying_receiver_is_refused},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
