#include "server/store/spent.h"

#include <string.h>

#include "support/tap.h"

static struct spent_mark mark(int64_t user, unsigned number)
{
	struct spent_mark m = {.user_id = user};
	memcpy(m.hash, &number, sizeof(number));
	return m;
}

static void each_mark_is_there_once(void)
{
	struct spent *s = NULL;
	REQUIRE(spent_new(&s) == TACIT_OK);
	struct spent_mark zero = {0}, one = mark(1, 7), other = mark(2, 7), last = mark(1, 7);
	last.hash[15] = 1;
	const struct spent_mark *all[] = {&zero, &one, &other, &last};
	for (size_t i = 0; i < TACIT_COUNT(all); i++)
		CHECK_OK(spent_add(s, all[i]));
	for (size_t i = 0; i < TACIT_COUNT(all); i++)
		CHECK_ERR(spent_add(s, all[i]), TACIT_E_EXISTS);
	CHECK_INT(spent_count(s), 4);
	spent_remove(s, &one);
	CHECK_INT(spent_count(s), 3);
	CHECK_ERR(spent_add(s, &other), TACIT_E_EXISTS);
	CHECK_ERR(spent_add(s, &last), TACIT_E_EXISTS);
	CHECK_OK(spent_add(s, &one));
	spent_free(s);
}

static void what_is_not_there_is_removed_in_vain(void)
{
	struct spent *s = NULL;
	REQUIRE(spent_new(&s) == TACIT_OK);
	struct spent_mark one = mark(1, 1), two = mark(1, 2);
	spent_remove(s, &one);
	CHECK_OK(spent_add(s, &one));
	spent_remove(s, &two);
	CHECK_INT(spent_count(s), 1);
	CHECK_ERR(spent_add(s, &one), TACIT_E_EXISTS);
	spent_free(s);
	spent_free(NULL);
}

/* It grows and shrinks many times on the way; which are there is known from their number. */
static void many_come_and_go(void)
{
	enum { MANY = 50000, STEP = 7919 };
	static bool there[MANY];
	struct spent *s = NULL;
	size_t count = 0;
	REQUIRE(spent_new(&s) == TACIT_OK);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0, at = 0; i < MANY; i++, at = (at + STEP) % MANY) {
			struct spent_mark m = mark(at % 3, at);
			bool out = round % 2 == 1 && i % 50 != 0;
			if (out) {
				spent_remove(s, &m);
				count -= there[at];
				there[at] = false;
				continue;
			}
			enum tacit_err err = spent_add(s, &m);
			if (err != (there[at] ? TACIT_E_EXISTS : TACIT_OK))
				CHECK_ERR(err, there[at] ? TACIT_E_EXISTS : TACIT_OK);
			count += !there[at];
			there[at] = true;
		}
		CHECK_INT(spent_count(s), count);
	}
	for (unsigned at = 0; at < MANY; at++) {
		struct spent_mark m = mark(at % 3, at);
		enum tacit_err err = spent_add(s, &m);
		if (err != (there[at] ? TACIT_E_EXISTS : TACIT_OK))
			CHECK_ERR(err, there[at] ? TACIT_E_EXISTS : TACIT_OK);
	}
	spent_free(s);
}

static enum tacit_err add_some(void)
{
	enum tacit_err err;
	struct spent *s = NULL;
	TRY(spent_new(&s));
	for (unsigned i = 0; i < 40; i++) {
		struct spent_mark m = mark(1, i);
		TRY(spent_add(s, &m));
	}
	for (unsigned i = 0; i < 40; i++) {
		struct spent_mark m = mark(1, i);
		spent_remove(s, &m);
	}
	CHECK_INT(spent_count(s), 0);
out:
	spent_free(s);
	return err;
}

static void it_stands_every_allocation_failing(void)
{
	tap_alloc_sweep(add_some);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"each mark is there once", each_mark_is_there_once},
	        {"what is not there is removed in vain", what_is_not_there_is_removed_in_vain},
	        {"many come and go", many_come_and_go},
	        {"it stands every allocation failing", it_stands_every_allocation_failing},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
