/* What the others do, for a chat in lines: cli/others.h. */
#include "cli/others.h"

#include <stdio.h>
#include <string.h>

#include "support/tap.h"

#define HERE 7

static struct others with(const char *members, const char *marks)
{
	struct others o = {.conversation = HERE, .self = "alice"};
	others_take(&o,
	        &(struct tacit_notice){.kind = TACIT_NOTICE_CONVERSATION,
	                .conversation = HERE,
	                .members = tacit_cstr(members),
	                .detail = tacit_cstr(marks)},
	        0);
	return o;
}

static bool takes(struct others *o, enum tacit_notice_kind kind, const char *who, uint64_t message)
{
	return others_take(o,
	        &(struct tacit_notice){.kind = kind,
	                .conversation = HERE,
	                .username = tacit_cstr(who),
	                .message = message,
	                .flag = kind == TACIT_NOTICE_MESSAGE ? strcmp(who, o->self) == 0 : true},
	        100);
}

static void read_is_said_once_for_each_message(void)
{
	struct others o = with("alice\nbob", "0\n3");
	CHECK(!others_have_read(&o));
	takes(&o, TACIT_NOTICE_MESSAGE, "alice", 5);
	CHECK(!others_have_read(&o));
	takes(&o, TACIT_NOTICE_READ, "bob", 4);
	CHECK(!others_have_read(&o));
	takes(&o, TACIT_NOTICE_READ, "bob", 5);
	CHECK(others_have_read(&o));
	CHECK(!others_have_read(&o));
	takes(&o, TACIT_NOTICE_READ, "bob", 9); /* before the message is shown here */
	CHECK(!others_have_read(&o));
	takes(&o, TACIT_NOTICE_MESSAGE, "alice", 8);
	CHECK(others_have_read(&o));
}

static void read_before_it_began(void)
{
	struct others o = with("bob\nalice", "12\n0");
	takes(&o, TACIT_NOTICE_MESSAGE, "alice", 12);
	takes(&o, TACIT_NOTICE_MESSAGE, "bob", 11);
	CHECK(others_have_read(&o));
}

static void what_others_said_last_is_not_marked(void)
{
	struct others o = with("alice\nbob", "0\n0");
	takes(&o, TACIT_NOTICE_MESSAGE, "alice", 5);
	takes(&o, TACIT_NOTICE_MESSAGE, "bob", 6);
	takes(&o, TACIT_NOTICE_READ, "bob", 6);
	CHECK(!others_have_read(&o));
}

static void all_must_have_read(void)
{
	struct others o = with("alice\nbob\ncarol", "0\n5\n0");
	CHECK_INT(o.count, 2);
	takes(&o, TACIT_NOTICE_MESSAGE, "alice", 5);
	CHECK(!others_have_read(&o));
	takes(&o, TACIT_NOTICE_MEMBER, "dave", 0);
	takes(&o, TACIT_NOTICE_READ, "carol", 5);
	CHECK(!others_have_read(&o));
	others_take(&o,
	        &(struct tacit_notice){.kind = TACIT_NOTICE_MEMBER,
	                .conversation = HERE,
	                .username = TACIT_STR("dave")},
	        100);
	CHECK(others_have_read(&o));
}

static void strange_notices_change_nothing(void)
{
	struct others o = with("alice\nbob", "0");
	static char name[TACIT_MAX_USERNAME + 2];
	memset(name, 'x', TACIT_MAX_USERNAME + 1);
	takes(&o, TACIT_NOTICE_READ, name, 5);
	takes(&o, TACIT_NOTICE_READ, "", 5);
	takes(&o, TACIT_NOTICE_READ, "alice", 5);
	CHECK_INT(o.count, 1);
	for (int i = 0; i < 2 * TACIT_MAX_PARTICIPANTS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		takes(&o, TACIT_NOTICE_MEMBER, name, 0);
	}
	CHECK_INT(o.count, TACIT_MAX_PARTICIPANTS);
	o.conversation = HERE + 1;
	CHECK(!takes(&o, TACIT_NOTICE_MESSAGE, "alice", 50));
	CHECK_INT(o.newest, 0);
	struct others alone = with("alice", "0");
	takes(&alone, TACIT_NOTICE_MESSAGE, "alice", 1);
	CHECK(!others_have_read(&alone));
}

static void who_types_is_known_for_a_while(void)
{
	struct others o = with("alice\nbob\ncarol", "0\n0\n0");
	CHECK(takes(&o, TACIT_NOTICE_TYPING, "bob", 0));
	CHECK_BYTES(tacit_cstr(o.typist), TACIT_STR("bob"));
	CHECK(!takes(&o, TACIT_NOTICE_TYPING, "bob", 0));
	CHECK(!takes(&o, TACIT_NOTICE_TYPING, "alice", 0));
	CHECK(takes(&o, TACIT_NOTICE_TYPING, "carol", 0));
	CHECK(!others_tick(&o, 100 + OTHERS_TYPING_LASTS - 1));
	CHECK(others_tick(&o, 100 + OTHERS_TYPING_LASTS));
	CHECK_INT(o.typist[0], 0);
	CHECK(!others_tick(&o, 1000));
	takes(&o, TACIT_NOTICE_TYPING, "bob", 0);
	CHECK(takes(&o, TACIT_NOTICE_MESSAGE, "bob", 1));
	CHECK_INT(o.typist[0], 0);
}

static void the_others_are_told_now_and_then(void)
{
	struct others o = with("alice\nbob", "0\n0");
	bool typing;
	CHECK(!others_to_be_told(&o, TACIT_STR(""), 10, &typing));
	CHECK(!others_to_be_told(&o, TACIT_STR("/file"), 10, &typing));
	CHECK(others_to_be_told(&o, TACIT_STR("h"), 10, &typing) && typing);
	CHECK(!others_to_be_told(&o, TACIT_STR("hell"), 12, &typing));
	CHECK(others_to_be_told(&o, TACIT_STR("hello"), 10 + OTHERS_TYPING_EVERY, &typing));
	CHECK(typing);
	CHECK(others_to_be_told(&o, TACIT_STR(""), 14, &typing) && !typing);
	CHECK(!others_to_be_told(&o, TACIT_STR(""), 15, &typing));
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"read is said once for each message", read_is_said_once_for_each_message},
	        {"read before it began", read_before_it_began},
	        {"what others said last is not marked", what_others_said_last_is_not_marked},
	        {"all must have read", all_must_have_read},
	        {"strange notices change nothing", strange_notices_change_nothing},
	        {"who types is known for a while", who_types_is_known_for_a_while},
	        {"the others are told now and then", the_others_are_told_now_and_then},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
