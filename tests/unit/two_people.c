#include "two_people.h"

#include <string.h>

#include "support/tap.h"

struct fake_server server;
struct person alice, bob;

void meet(void)
{
	fake_server_init(&server);
	server.now = person_clock;
	person_init(&alice, "alice", &server);
	person_init(&bob, "bob", &server);
	person_register(&alice);
	person_register(&bob);
}

void part(void)
{
	person_clear(&alice);
	person_clear(&bob);
	fake_server_clear(&server);
}

void settle(void)
{
	for (int i = 0; i < 2; i++) {
		CHECK_OK(person_restart(&alice));
		CHECK_OK(person_restart(&bob));
		CHECK_OK(person_sync(&alice));
		CHECK_OK(person_sync(&bob));
	}
}

void check_once(const char *text, bool was_sealed)
{
	size_t sent = 0;
	for (size_t i = 0; i < server.message_count; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(server.messages[i].content, server.messages[k].content) != 0);
	sent = person_logged(&alice, text);
	CHECK(sent <= 1 && (sent == 1 || !was_sealed));
	CHECK_INT(person_logged(&bob, text), sent);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0);
}

void meet_and_talk(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "one"));
	CHECK_OK(person_sync(&bob));
	person_forget(&alice);
	person_forget(&bob);
}
