#include "e2e/parcel/direct.h"

#include <string.h>

#include "base/env.h"
#include "e2e/parcel/parcel.h"
#include "support/tap.h"

/* --- ways ------------------------------------------------------------------------------------ */

static struct tacit_parcel_address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct tacit_parcel_address){
	        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
}

static void ways_are_read_as_they_were_written(void)
{
	struct tacit_parcel_ways w = {.port = 4711, .count = 2}, read;
	struct tacit_buf b = {0};
	w.list[0] = v4(192, 168, 1, 7);
	w.list[1].b[0] = 0xfd;
	CHECK_OK(tacit_parcel_ways_encode(&w, &b));
	CHECK_INT(b.n, 3 + 2 * 16);
	CHECK_OK(tacit_parcel_ways_decode(tacit_buf_view(&b), &read));
	CHECK_INT(read.port, 4711);
	CHECK_INT(read.count, 2);
	CHECK(memcmp(read.list, w.list, sizeof(w.list)) == 0);
	for (size_t n = 0; n < b.n; n++)
		CHECK(tacit_parcel_ways_decode(tacit_bytes(b.p, n), &read) != TACIT_OK);
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("x")));
	CHECK_ERR(tacit_parcel_ways_decode(tacit_buf_view(&b), &read), TACIT_E_TRAILING);
	CHECK_INT(read.count, 0);
	tacit_buf_clear(&b);
}

static void ways_that_are_none_are_refused(void)
{
	struct tacit_parcel_ways w = {.port = 0, .count = 1};
	struct tacit_buf b = {0};
	uint8_t many[3 + 17 * 16] = {0x20, 0, 17};
	CHECK_ERR(tacit_parcel_ways_encode(&w, &b), TACIT_E_USAGE);
	w = (struct tacit_parcel_ways){.port = 5000, .count = TACIT_PARCEL_MAX_WAYS + 1};
	CHECK_ERR(tacit_parcel_ways_encode(&w, &b), TACIT_E_USAGE);
	CHECK_INT(b.n, 0);
	CHECK_ERR(tacit_parcel_ways_decode(tacit_bytes(many, sizeof(many)), &w), TACIT_E_TOO_LARGE);
	CHECK_ERR(tacit_parcel_ways_decode(TACIT_STR("\0\26\0"), &w), TACIT_E_MALFORMED);
	many[0] = 0;
	many[2] = 1;
	CHECK_ERR(tacit_parcel_ways_decode(tacit_bytes(many, 19), &w), TACIT_E_MALFORMED);
	CHECK_OK(tacit_parcel_ways_decode(TACIT_STR("\0\0\0"), &w));
	CHECK_INT(w.port, 0);
}

/* Nobody makes us call our own services, or everybody. */
static void only_machines_elsewhere_are_called(void)
{
	static const struct {
		uint8_t b[16];
		bool elsewhere, same;
	} cases[] = {
	        {{[10] = 0xff, 0xff, 192, 168, 1, 7}, true, true},
	        {{[10] = 0xff, 0xff, 8, 8, 8, 8}, true, true},
	        {{[10] = 0xff, 0xff, 127, 0, 0, 1}, false, true},
	        {{[10] = 0xff, 0xff, 127, 255, 0, 1}, false, true},
	        {{[10] = 0xff, 0xff, 0, 0, 0, 0}, false, false},
	        {{[10] = 0xff, 0xff, 224, 0, 0, 251}, false, false},
	        {{[10] = 0xff, 0xff, 255, 255, 255, 255}, false, false},
	        {{0}, false, false},
	        {{[15] = 1}, false, true},
	        {{[12] = 127, 0, 0, 1}, false, false},
	        {{0xfe, 0x80, [15] = 1}, false, false},
	        {{0xff, 0x02, [15] = 1}, false, false},
	        {{0xfd, 0x12, [15] = 1}, true, true},
	        {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, true, true},
	};
	for (size_t i = 0; i < TACIT_COUNT(cases); i++) {
		struct tacit_parcel_address a;
		memcpy(a.b, cases[i].b, sizeof(a.b));
		CHECK_INT(tacit_parcel_address_may(&a, TACIT_PARCEL_ELSEWHERE), cases[i].elsewhere);
		CHECK_INT(tacit_parcel_address_may(&a, TACIT_PARCEL_SAME_MACHINE), cases[i].same);
	}
}

/* --- greetings ------------------------------------------------------------------------------- */

struct pair {
	struct tacit_env env;
	uint8_t root[TACIT_PARCEL_ROOT_BYTES], other_root[TACIT_PARCEL_ROOT_BYTES];
	struct tacit_direct caller, called;
	struct tacit_buf mail;
	/* Message number `spoilt` (from 0) has its byte `at` changed. -1: none. */
	int spoilt;
	size_t at;
	enum tacit_parcel_role roles[2]; /* caller, called */
};

static struct pair fresh(void)
{
	struct pair p = {.env = tap_env(3),
	        .spoilt = -1,
	        .roles = {TACIT_PARCEL_SENDER, TACIT_PARCEL_RECEIVER}};
	memset(p.root, 7, sizeof(p.root));
	memset(p.other_root, 7, sizeof(p.other_root));
	return p;
}

/* Until nobody says anything more, or the first error. */
static enum tacit_err greet(struct pair *p)
{
	enum tacit_err err;
	struct tacit_buf answer = {0};
	const struct tacit_direct_options a = {&p->env, p->root, p->roles[0], TACIT_DIRECT_CALLER};
	const struct tacit_direct_options b = {
	        &p->env, p->other_root, p->roles[1], TACIT_DIRECT_CALLED};
	TRY(tacit_direct_begin(&p->caller, &a, &p->mail));
	TRY(tacit_direct_begin(&p->called, &b, &answer));
	if (answer.n > 0)
		TRY(TACIT_E_USAGE);
	for (int n = 0; p->mail.n > 0; n++) {
		if (n == p->spoilt)
			p->mail.p[p->at % p->mail.n] ^= 1;
		TRY(tacit_direct_input(
		        n % 2 == 0 ? &p->called : &p->caller, tacit_buf_view(&p->mail), &answer));
		if (answer.n > TACIT_DIRECT_MAX_GREETING)
			TRY(TACIT_E_TOO_LARGE);
		tacit_buf_clear(&p->mail);
		p->mail = answer;
		answer = (struct tacit_buf){0};
	}
out:
	tacit_buf_clear(&answer);
	return err;
}

static void part(struct pair *p)
{
	tacit_direct_clear(&p->caller);
	tacit_direct_clear(&p->called);
	tacit_buf_clear(&p->mail);
}

static void two_with_one_root_know_each_other(void)
{
	struct pair p = fresh();
	CHECK_OK(greet(&p));
	CHECK_INT(p.caller.state, TACIT_DIRECT_PROVEN);
	CHECK_INT(p.called.state, TACIT_DIRECT_PROVEN);
	CHECK_ERR(tacit_direct_choose(&p.called, &p.mail), TACIT_E_USAGE);
	CHECK_OK(tacit_direct_choose(&p.caller, &p.mail));
	struct tacit_buf none = {0};
	CHECK_OK(tacit_direct_input(&p.called, tacit_buf_view(&p.mail), &none));
	CHECK_INT(p.called.state, TACIT_DIRECT_CHOSEN);
	CHECK_INT(none.n, 0);
	CHECK_ERR(tacit_direct_input(&p.called, tacit_buf_view(&p.mail), &none), TACIT_E_USAGE);
	part(&p);
	p = fresh();
	p.roles[0] = TACIT_PARCEL_RECEIVER;
	p.roles[1] = TACIT_PARCEL_SENDER;
	CHECK_OK(greet(&p));
	CHECK_OK(tacit_direct_choose(&p.called, &p.mail));
	CHECK_OK(tacit_direct_input(&p.caller, tacit_buf_view(&p.mail), &none));
	CHECK_INT(p.caller.state, TACIT_DIRECT_CHOSEN);
	part(&p);
}

static void another_root_proves_nothing(void)
{
	struct pair p = fresh();
	p.other_root[31] ^= 1;
	CHECK_ERR(greet(&p), TACIT_E_BAD_SEAL);
	CHECK_INT(p.called.state, TACIT_DIRECT_OVER);
	part(&p);
}

static void two_of_one_role_do_not_meet(void)
{
	struct pair p = fresh();
	p.roles[1] = TACIT_PARCEL_SENDER;
	CHECK_ERR(greet(&p), TACIT_E_CONFLICT);
	part(&p);
}

/* Whatever bit is changed of whichever message: no two ends that both take it for proven. */
static void what_is_changed_is_noticed(void)
{
	static const size_t lengths[] = {35, 35, 18, 18};
	for (int n = 0; n < 4; n++)
		for (size_t at = 0; at < lengths[n]; at++) {
			struct pair p = fresh();
			p.spoilt = n;
			p.at = at;
			CHECK(greet(&p) != TACIT_OK);
			part(&p);
		}
}

/* Who only sends back what it hears has neither role. */
static void an_echo_proves_nothing(void)
{
	struct pair p = fresh();
	struct tacit_buf hello = {0}, out = {0};
	const struct tacit_direct_options a = {
	        &p.env, p.root, TACIT_PARCEL_SENDER, TACIT_DIRECT_CALLER};
	CHECK_OK(tacit_direct_begin(&p.caller, &a, &hello));
	CHECK_ERR(tacit_direct_input(&p.caller, tacit_buf_view(&hello), &out), TACIT_E_CONFLICT);
	CHECK_INT(out.n, 0);
	tacit_buf_clear(&hello);
	part(&p);
}

/* --- a parcel that moves --------------------------------------------------------------------- */

static enum tacit_err swallow(void *ctx, struct tacit_bytes message)
{
	struct tacit_buf *to = ctx;
	to->n = 0;
	return tacit_buf_append(to, message);
}

static void a_parcel_moves_to_the_chosen_connection(void)
{
	struct pair p = fresh();
	struct tacit_buf said = {0}, heard = {0};
	struct tacit_parcel *give = NULL, *take = NULL;
	struct tacit_parcel_event ev;
	const struct tacit_parcel_options a = {
	        .role = TACIT_PARCEL_SENDER, .env = &p.env, .send = swallow, .ctx = &said};
	const struct tacit_parcel_options b = {
	        .role = TACIT_PARCEL_RECEIVER, .env = &p.env, .send = swallow, .ctx = &heard};
	const struct tacit_parcel_ways none = {0};
	REQUIRE(tacit_parcel_new(&a, &give) == TACIT_OK && tacit_parcel_new(&b, &take) == TACIT_OK);
	CHECK_OK(greet(&p));
	CHECK_ERR(tacit_parcel_move(take, &p.caller.channel), TACIT_E_USAGE);
	CHECK_OK(tacit_parcel_move(give, &p.caller.channel));
	CHECK_INT(p.caller.channel.state, TACIT_CHANNEL_OVER);
	CHECK_OK(tacit_parcel_move(take, &p.called.channel));
	CHECK_OK(tacit_parcel_ways(give, &none));
	CHECK_ERR(tacit_parcel_ways(give, &none), TACIT_E_USAGE);
	CHECK_OK(tacit_parcel_input(take, tacit_buf_view(&said), &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_WAYS);
	CHECK_INT(ev.ways.port, 0);
	CHECK_ERR(tacit_parcel_stay(take), TACIT_E_USAGE);
	CHECK_OK(tacit_parcel_stay(give));
	CHECK_OK(tacit_parcel_input(take, tacit_buf_view(&said), &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_STAY);
	CHECK_BYTES(tacit_bytes(tacit_parcel_root(take), 32), tacit_bytes(p.root, 32));
	tacit_parcel_free(give);
	tacit_parcel_free(take);
	tacit_buf_clear(&said);
	tacit_buf_clear(&heard);
	part(&p);
}

static enum tacit_err greet_once(void)
{
	struct pair p = fresh();
	enum tacit_err err = greet(&p);
	if (err == TACIT_OK)
		err = tacit_direct_choose(&p.caller, &p.mail);
	part(&p);
	return err;
}

static void memory_may_fail(void)
{
	tap_alloc_sweep(greet_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"ways are read as they were written", ways_are_read_as_they_were_written},
	        {"ways that are none are refused", ways_that_are_none_are_refused},
	        {"only machines elsewhere are called", only_machines_elsewhere_are_called},
	        {"two with one root know each other", two_with_one_root_know_each_other},
	        {"another root proves nothing", another_root_proves_nothing},
	        {"two of one role do not meet", two_of_one_role_do_not_meet},
	        {"what is changed is noticed", what_is_changed_is_noticed},
	        {"an echo proves nothing", an_echo_proves_nothing},
	        {"a parcel moves to the chosen connection",
	                a_parcel_moves_to_the_chosen_connection},
	        {"memory may fail", memory_may_fail},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
