#include "server/steady.h"

#include "support/tap.h"

/* A machine whose clock somebody plays with. */
struct machine {
	int64_t wall, since_boot; /* milliseconds */
};

static int64_t wall_of(void *ctx)
{
	return ((struct machine *)ctx)->wall;
}

static int64_t since_boot_of(void *ctx)
{
	return ((struct machine *)ctx)->since_boot;
}

static void start(struct steady *s, struct machine *m)
{
	const struct steady_source source = {wall_of, since_boot_of, m};
	steady_init(s, &source);
}

static void pass(struct machine *m, int64_t seconds)
{
	m->wall += seconds * 1000;
	m->since_boot += seconds * 1000;
}

static void it_follows_a_clock_that_behaves(void)
{
	struct machine m = {1700000000000, 5000};
	struct steady s;
	start(&s, &m);
	CHECK_INT(steady_now(&s), 1700000000);
	pass(&m, 3600);
	CHECK_INT(steady_now(&s), 1700003600);
	CHECK_INT(steady_ahead(&s), 0);
}

static void a_clock_set_back_changes_nothing(void)
{
	struct machine m = {1700000000000, 5000};
	struct steady s;
	start(&s, &m);
	CHECK_INT(steady_now(&s), 1700000000);
	m.wall -= 7200 * 1000;
	CHECK_INT(steady_now(&s), 1700000000);
	CHECK_INT(steady_ahead(&s), 7200);
	pass(&m, 60);
	CHECK_INT(steady_now(&s), 1700000060); /* and it does not stand still */
	m.wall += 7200 * 1000;
	CHECK_INT(steady_now(&s), 1700000060); /* nor is the hour counted twice */
	CHECK_INT(steady_ahead(&s), 0);
}

static void a_clock_set_forward_is_believed_for_good(void)
{
	struct machine m = {1700000000000, 5000};
	struct steady s;
	start(&s, &m);
	m.wall += 86400 * 1000;
	CHECK_INT(steady_now(&s), 1700086400);
	m.wall -= 86400 * 1000;
	CHECK_INT(steady_now(&s), 1700086400);
	pass(&m, 10);
	CHECK_INT(steady_now(&s), 1700086410);
}

static void a_mark_carries_it_over_a_restart(void)
{
	struct machine m = {1700000000000, 900 * 1000};
	struct steady s, again;
	uint8_t mark[STEADY_MARK_BYTES];
	start(&s, &m);
	m.wall -= 3600 * 1000;
	steady_mark(&s, mark);

	m.since_boot = 1000; /* another boot, with the clock an hour slow still: 100 s off */
	m.wall += 100 * 1000;
	start(&again, &m);
	CHECK_INT(steady_now(&again), 1699996500);
	CHECK_OK(steady_resume(&again, tacit_bytes(mark, sizeof(mark))));
	CHECK_INT(steady_now(&again), 1700000100);

	m.wall -= 86400 * 1000; /* set back while the machine was off */
	start(&again, &m);
	CHECK_OK(steady_resume(&again, tacit_bytes(mark, sizeof(mark))));
	CHECK_INT(steady_now(&again), 1700000000);
	pass(&m, 5);
	CHECK_INT(steady_now(&again), 1700000005);

	m.wall = 1800000000000;
	CHECK_INT(steady_now(&again), 1800000000);
	CHECK_OK(steady_resume(&again, tacit_bytes(mark, sizeof(mark)))); /* an old mark */
	CHECK_INT(steady_now(&again), 1800003600); /* the hour of the mark counts again */
}

static void a_spoiled_mark_is_refused(void)
{
	struct machine m = {1700000000000, 5000};
	struct steady s;
	uint8_t mark[STEADY_MARK_BYTES + 1] = {0};
	start(&s, &m);
	steady_mark(&s, mark);
	CHECK_ERR(steady_resume(&s, tacit_bytes(mark, STEADY_MARK_BYTES - 1)), TACIT_E_MALFORMED);
	CHECK_ERR(steady_resume(&s, tacit_bytes(mark, sizeof(mark))), TACIT_E_MALFORMED);
	CHECK_ERR(steady_resume(&s, tacit_bytes(NULL, 0)), TACIT_E_MALFORMED);
	mark[8] = 1; /* the machine's clock is never ahead of this one */
	CHECK_ERR(steady_resume(&s, tacit_bytes(mark, STEADY_MARK_BYTES)), TACIT_E_MALFORMED);
	CHECK_INT(steady_now(&s), 1700000000);
}

static void the_machines_own_clocks_serve(void)
{
	struct steady s;
	const struct steady_source source = steady_system_source();
	steady_init(&s, &source);
	int64_t first = steady_now(&s);
	CHECK(first > 1600000000);
	CHECK(steady_now(&s) >= first);
}

static const struct tap_case cases[] = {
        {"it follows a clock that behaves", it_follows_a_clock_that_behaves},
        {"a clock set back changes nothing", a_clock_set_back_changes_nothing},
        {"a clock set forward is believed for good", a_clock_set_forward_is_believed_for_good},
        {"a mark carries it over a restart", a_mark_carries_it_over_a_restart},
        {"a spoiled mark is refused", a_spoiled_mark_is_refused},
        {"the machine's own clocks serve", the_machines_own_clocks_serve},
};

int main(int argc, char **argv)
{
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
