/* Two ends of a transfer: bytes arrive, it goes on where it stopped, memory may fail. */
#include "e2e/parcel/parcel.h"

#include <string.h>

#include "parcel_people.h"
#include "support/tap.h"

/* However they are handed over: from anywhere, where the parcel says, where its host says. */
static void bytes_arrive(void)
{
	static const size_t sizes[] = {0, 1, 999, 1000, 1001, 5000};
	static uint8_t place[TACIT_PARCEL_MAX_MESSAGE];
	for (size_t i = 0; i < 4 * TACIT_COUNT(sizes); i++) {
		struct room r;
		room_open(&r);
		r.give.content = content(sizes[i / 4]);
		r.give.in_place = (i & 1) != 0;
		r.give.place = (i & 2) != 0 ? place : NULL;
		room_meet(&r, "7-amber-falcon", "7 AMBER falc");
		room_run(&r);
		CHECK_OK(r.give.err);
		CHECK_OK(r.take.err);
		CHECK(r.give.received && r.take.done);
		CHECK_BYTES(tacit_buf_view(&r.take.store), r.give.content);
		CHECK_INT(tacit_parcel_done(r.give.parcel), sizes[i / 4]);
		room_close(&r);
	}
}

static void another_code_opens_nothing(void)
{
	static const char *const others[] = {
	        "7-amber-walnut", "8-amber-falcon", "7-048-153", "7-falcon-amber"};
	for (size_t i = 0; i < TACIT_COUNT(others); i++) {
		struct room r;
		room_open(&r);
		r.give.content = content(100);
		room_meet(&r, "7-amber-falcon", others[i]);
		room_run(&r);
		CHECK(r.give.err == TACIT_E_BAD_PASSWORD || r.take.err == TACIT_E_BAD_PASSWORD);
		CHECK(!r.give.opened && !r.take.opened);
		/* One try was all there was. */
		struct tacit_parcel_code code;
		CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
		CHECK_ERR(tacit_parcel_meet(r.take.parcel, &code, TACIT_PARCEL_JOINER),
		        TACIT_E_USAGE);
		room_close(&r);
	}
}

static void two_senders_do_not_match(void)
{
	struct room r, s;
	struct tacit_parcel_code code;
	struct tacit_parcel_event ev;
	room_open(&r);
	room_open(&s);
	CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
	CHECK_OK(tacit_parcel_meet(r.give.parcel, &code, TACIT_PARCEL_OPENER));
	CHECK_OK(tacit_parcel_meet(s.give.parcel, &code, TACIT_PARCEL_JOINER));
	CHECK_ERR(tacit_parcel_input(r.give.parcel, tacit_buf_view(&s.give.mail.messages[0]), &ev),
	        TACIT_E_CONFLICT);
	room_close(&r);
	room_close(&s);
}

static void who_declines_gets_nothing(void)
{
	struct room r;
	room_open(&r);
	r.give.content = content(100);
	r.take.refuses = true;
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	CHECK(r.give.declined && !r.give.answered && r.take.store.n == 0);
	room_close(&r);
}

static void who_stops_says_so(void)
{
	for (int why = TACIT_PARCEL_GAVE_UP; why <= TACIT_PARCEL_CHANGED; why++) {
		struct room r;
		room_open(&r);
		room_meet(&r, "7-amber-falcon", "7-amber-falcon");
		room_run(&r);
		REQUIRE(r.give.opened && r.take.opened);
		tacit_parcel_stop_since(r.give.parcel, (enum tacit_parcel_why)why);
		room_run(&r);
		CHECK(r.take.stopped);
		CHECK_INT(r.take.last.offset, why);
		room_close(&r);
	}
}

struct scissors {
	size_t at;
};

static unsigned cut(void *ctx, size_t n, struct tacit_buf *m)
{
	const struct scissors *s = ctx;
	(void)m;
	return n < s->at ? 1 : 0;
}

/* Cut after every message, they rejoin, and what was there is not sent again. */
static void a_transfer_goes_on_where_it_stopped(void)
{
	for (size_t at = 4; at < 24; at++) {
		struct room r;
		struct scissors s = {4 + (at - 4) / 2};
		room_open(&r);
		r.give.content = content(5000);
		r.take.reads_back = at % 2 == 1;
		r.relay = cut;
		r.ctx = &s;
		room_meet(&r, "7-amber-falcon", "7-amber-falcon");
		room_run(&r);
		CHECK_OK(r.give.err);
		CHECK_OK(r.take.err);
		uint64_t had = tacit_parcel_done(r.take.parcel);
		room_cut(&r);
		r.relay = NULL;
		room_rejoin(&r);
		room_run(&r);
		CHECK_OK(r.give.err);
		CHECK_OK(r.take.err);
		CHECK(r.give.received);
		CHECK_INT(r.take.started_at, had);
		CHECK_BYTES(tacit_buf_view(&r.take.store), r.give.content);
		room_close(&r);
	}
}

static void check_change(bool reads_back)
{
	struct room r;
	struct scissors s = {10};
	room_open(&r);
	r.take.reads_back = reads_back;
	r.give.content = content(5000);
	r.relay = cut;
	r.ctx = &s;
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	CHECK(tacit_parcel_done(r.take.parcel) > 0);
	room_cut(&r);
	r.relay = NULL;
	content_bytes[3] ^= 1;
	room_rejoin(&r);
	room_run(&r);
	CHECK(r.give.received);
	CHECK_INT(r.take.started_at, 0);
	CHECK_BYTES(tacit_buf_view(&r.take.store), r.give.content);
	room_close(&r);
}

static void a_file_that_changed_is_sent_anew(void)
{
	check_change(false);
	check_change(true);
}

static void a_new_process_goes_on_from_the_journal(void)
{
	struct room r, fresh;
	struct scissors s = {10};
	uint8_t digest[TACIT_SHA256_BYTES];
	room_open(&r);
	r.give.content = content(5000);
	r.relay = cut;
	r.ctx = &s;
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	room_open(&fresh);
	fresh.give.content = r.give.content;
	tacit_parcel_offer_sha256(r.take.parcel, digest);
	tacit_parcel_expect(fresh.take.parcel, digest);
	CHECK_OK(tacit_parcel_rejoin(fresh.give.parcel, tacit_parcel_root(r.give.parcel)));
	CHECK_OK(tacit_parcel_rejoin(fresh.take.parcel, tacit_parcel_root(r.take.parcel)));
	room_run(&fresh);
	CHECK(fresh.give.received);
	CHECK_BYTES(tacit_buf_view(&fresh.take.store), r.give.content);
	room_close(&fresh);
	/* Another offer under the same root is refused. */
	room_open(&fresh);
	fresh.give.content = tacit_bytes(content_bytes, 4999);
	tacit_parcel_expect(fresh.take.parcel, digest);
	CHECK_OK(tacit_parcel_rejoin(fresh.give.parcel, tacit_parcel_root(r.give.parcel)));
	CHECK_OK(tacit_parcel_rejoin(fresh.take.parcel, tacit_parcel_root(r.take.parcel)));
	room_run(&fresh);
	CHECK_ERR(fresh.take.err, TACIT_E_CONFLICT);
	room_close(&fresh);
	room_close(&r);
}

static void calls_out_of_turn_are_refused(void)
{
	struct room r;
	uint64_t from;
	room_open(&r);
	CHECK_ERR(tacit_parcel_offer(r.give.parcel, TACIT_STR("x")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_begin(r.give.parcel, &from), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_data(r.give.parcel, TACIT_STR("x")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_end(r.give.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_answer(r.take.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_decline(r.take.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_receipt(r.take.parcel), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_kept(r.take.parcel, TACIT_STR("x")), TACIT_E_USAGE);
	struct tacit_parcel_event ev;
	CHECK_ERR(tacit_parcel_input(r.take.parcel, TACIT_STR("x"), &ev), TACIT_E_USAGE);
	room_close(&r);
}

static void the_resume_id_tells_nothing_of_the_root(void)
{
	uint8_t root[TACIT_PARCEL_ROOT_BYTES] = {1}, a[32], b[32];
	tacit_channel_resume_id(root, a);
	CHECK(memcmp(a, root, 32) != 0);
	root[31] = 1;
	tacit_channel_resume_id(root, b);
	CHECK(memcmp(a, b, 32) != 0);
}

static enum tacit_err sink(void *ctx, struct tacit_bytes message)
{
	(void)message;
	return ctx != NULL ? TACIT_OK : TACIT_E_USAGE;
}

static enum tacit_err life_of_an_end(void)
{
	enum tacit_err err;
	struct tacit_env env = tap_env(1);
	struct tacit_parcel *p = NULL;
	struct tacit_parcel_code code = {.nameplate = 1, .secret = "amber-falcon"};
	const struct tacit_parcel_options o = {
	        .role = TACIT_PARCEL_SENDER, .env = &env, .send = sink, .ctx = &env};
	struct tacit_channel peer = {0};
	const struct tacit_channel_meeting m = {
	        .code = &code, .role = TACIT_PARCEL_RECEIVER, .place = TACIT_PARCEL_JOINER};
	struct tacit_buf out = {0};
	struct tacit_parcel_event ev;
	TRY(tacit_parcel_new(&o, &p));
	TRY(tacit_parcel_meet(p, &code, TACIT_PARCEL_OPENER));
	TRY(tacit_channel_meet(&peer, &m, &env, &out));
	TRY(tacit_parcel_input(p, tacit_buf_view(&out), &ev));
out:
	tacit_buf_clear(&out);
	tacit_channel_clear(&peer);
	tacit_parcel_free(p);
	return err;
}

static enum tacit_err decode_once(void)
{
	enum tacit_err err;
	struct tacit_parcel_entry e[2] = {{.path = "a"}, {.path = "b"}};
	struct tacit_parcel_offer o = {.kind = TACIT_PARCEL_FILES, .count = 2, .entries = e};
	struct tacit_buf b = {0};
	TRY(tacit_parcel_offer_encode(&o, &b));
	err = tacit_parcel_offer_decode(tacit_buf_view(&b), &o);
	tacit_parcel_offer_clear(&o);
out:
	tacit_buf_clear(&b);
	return err;
}

static void memory_may_fail(void)
{
	tap_alloc_sweep(life_of_an_end);
	tap_alloc_sweep(decode_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"bytes arrive", bytes_arrive},
	        {"another code opens nothing", another_code_opens_nothing},
	        {"two senders do not match", two_senders_do_not_match},
	        {"who declines gets nothing", who_declines_gets_nothing},
	        {"who stops says so", who_stops_says_so},
	        {"a transfer goes on where it stopped", a_transfer_goes_on_where_it_stopped},
	        {"a file that changed is sent anew", a_file_that_changed_is_sent_anew},
	        {"a new process goes on from the journal", a_new_process_goes_on_from_the_journal},
	        {"calls out of turn are refused", calls_out_of_turn_are_refused},
	        {"the resume id tells nothing of the root",
	                the_resume_id_tells_nothing_of_the_root},
	        {"memory may fail", memory_may_fail},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
