/* Edits, deletions and reactions that come early, late, again, or out of order: all end with the
 * same. */
#include <string.h>

#include "change_people.h"
#include "crypto/secret.h"
#include "engine/engine_int.h"
#include "support/tap.h"

#define THUMB "\xf0\x9f\x91\x8d"
#define HEART "\xe2\x9d\xa4"

/* carol could not open the message, and what was said of it waits for her. */
static void before_the_message_opens(void)
{
	meet();
	CHECK_OK(person_say_in(&alice, room, "lost"));
	uint64_t id = said_last(&alice);
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(person_sync(&carol));
	CHECK(strcmp(person_entry(&carol, room, id), "refused") == 0);
	CHECK_OK(person_sync(&bob));
	CHECK_ERR(react(&carol, id, "?"), TACIT_E_NOT_FOUND);
	sync_all();
	CHECK(strcmp(person_entry(&carol, room, id), "alice: lost") == 0);
	CHECK_INT(person_last(&carol, TACIT_NOTICE_MESSAGE)->message, id);
	CHECK_INT(person_logged(&carol, "lost"), 1);
	CHECK_OK(react(&carol, id, HEART));
	sync_all();
	CHECK(strcmp(person_entry(&alice, room, id), "alice: lost [carol " HEART "]") == 0);
	part();
}

static void changes_wait_for_the_message(void)
{
	meet();
	CHECK_OK(person_say_in(&alice, room, "lost"));
	uint64_t id = said_last(&alice);
	CHECK_OK(person_sync(&bob));
	CHECK_OK(react(&bob, id, THUMB));
	tamper(fake_said_count(&server) - 2);
	CHECK_OK(edit(&alice, id, "found"));
	CHECK_OK(person_sync(&carol));
	CHECK(strcmp(person_entry(&carol, room, id), "refused") == 0);
	CHECK(tacit_conversation_find(carol.engine, room)->changes != NULL);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_EDITED, NULL), 0);
	CHECK_OK(person_restart(&carol));
	sync_all();
	check_entry(id, "alice: found (edited) [bob " THUMB "]");
	CHECK_INT(person_logged(&carol, "lost"), 0);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, "lost"), 0);
	CHECK(tacit_conversation_find(carol.engine, room)->changes == NULL);
	part();
}

/* Deleted before it could be said again: nobody waits for it any more. */
static void deleted_before_it_opens(void)
{
	meet();
	CHECK_OK(person_say_in(&alice, room, "lost"));
	uint64_t id = said_last(&alice);
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(take_back(&alice, id));
	sync_all();
	CHECK(strcmp(person_entry(&alice, room, id), "alice deleted") == 0);
	CHECK(strcmp(person_entry(&bob, room, id), "alice deleted") == 0);
	CHECK(strcmp(person_entry(&carol, room, id), "alice deleted") == 0);
	CHECK_INT(tacit_conversation_find(bob.engine, room)->receipts.lost_count, 0);
	part();
}

/* A change that does not open is asked for like anything else. */
static void a_change_that_is_lost(void)
{
	uint64_t id = meet();
	CHECK_OK(edit(&alice, id, "one"));
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(react(&alice, id, THUMB));
	tamper(fake_said_count(&server) - 1);
	sync_all();
	sync_all();
	check_entry(id, "alice: one (edited) [alice " THUMB "]");
	/* The refusals are gone from the history: what they were is done. */
	CHECK_INT(carol.log_count, bob.log_count);
	for (uint64_t later = id + 1; later < id + 20; later++)
		CHECK(strcmp(person_entry(&bob, room, later), "nothing") == 0);
	part();
}

/* The first of two edits does not open, and comes after the second. */
static void an_older_edit_comes_last(void)
{
	uint64_t id = meet();
	CHECK_OK(edit(&alice, id, "one"));
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(react(&bob, id, THUMB));
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(react(&bob, id, ""));
	CHECK_OK(person_sync(&carol)); /* she asks for the edit, which alice is not to say again */
	CHECK_OK(edit(&alice, id, "two"));
	sync_all();
	sync_all();
	check_entry(id, "alice: two (edited)");
	part();
}

/* Nobody but who has said it says it again. */
static void another_one_says_it_again(void)
{
	struct tacit_buf inner = {0};
	meet();
	CHECK_OK(person_say_in(&alice, room, "lost"));
	uint64_t id = said_last(&alice);
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(person_sync(&carol));
	const struct tacit_content lie = {
	        .kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("from bob")};
	REQUIRE(tacit_content_encode(&lie, &inner) == TACIT_OK);
	const struct tacit_content again = {
	        .kind = TACIT_CONTENT_AGAIN, .message = id, .inner = tacit_buf_view(&inner)};
	say_anyway(&bob, &again);
	CHECK_OK(person_sync(&carol));
	CHECK_INT(person_logged(&carol, "from bob"), 0);
	sync_all();
	check_entry(id, "alice: lost");
	tacit_buf_clear(&inner);
	part();
}

/* Two that say the same at once: the later one by the server counts, for everybody. */
static void edits_race(void)
{
	static struct person laptop;
	uint64_t id = meet();
	person_init(&laptop, "alice", &server);
	person_clock += 10;
	server.now = person_clock;
	log_in(&laptop);
	CHECK_OK(person_sync(&laptop));
	log_in(&alice);
	CHECK_OK(person_say_in(&alice, room, "first"));
	id = said_last(&alice);
	log_in(&laptop);
	CHECK_OK(person_sync(&laptop));
	CHECK_OK(edit(&laptop, id, "by the laptop"));
	log_in(&alice);
	/* The phone's is sealed, and read by the others, before it has heard of the laptop's. */
	CHECK_OK(edit(&alice, id, "by the phone"));
	log_in(&laptop);
	CHECK_OK(person_sync(&laptop));
	CHECK(strcmp(person_entry(&laptop, room, id), "alice: by the phone (edited)") == 0);
	log_in(&alice);
	sync_all();
	check_entry(id, "alice: by the phone (edited)");
	person_clear(&laptop);
	part();
}

/* Who comes later has nothing to change. */
static void who_comes_later(void)
{
	uint64_t id = meet();
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_REMOVE,
	                                    .conversation = room,
	                                    .username = TACIT_STR("carol")}));
	CHECK_OK(person_say_in(&alice, room, "without her"));
	uint64_t without = said_last(&alice);
	const struct tacit_bytes users[] = {TACIT_STR("carol")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_ADD,
	                                    .conversation = room,
	                                    .users = users,
	                                    .user_count = 1}));
	CHECK_OK(edit(&alice, without, "secret"));
	CHECK_OK(edit(&alice, id, "hello again"));
	sync_all();
	CHECK_INT(person_logged(&carol, "secret"), 0);
	CHECK(strcmp(person_entry(&carol, room, id), "alice: hello again (edited)") == 0);
	CHECK(tacit_conversation_find(carol.engine, room)->changes == NULL);
	part();
}

static void without_a_server(void)
{
	uint64_t id = meet();
	server.fault_path = "/api";
	server.lose_request = 100;
	CHECK_ERR(edit(&alice, id, "later"), TACIT_E_NETWORK);
	CHECK_ERR(react(&alice, id, THUMB), TACIT_E_NETWORK);
	CHECK(person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	server.fault_path = NULL;
	server.lose_request = 0;
	CHECK_OK(person_restart(&alice));
	sync_all();
	check_entry(id, "alice: later (edited) [alice " THUMB "]");
	part();
}

static void expire(struct person *p, uint64_t message)
{
	struct tacit_conversation *c = tacit_conversation_find(p->engine, room);
	REQUIRE(tacit_lifetime_logged(p->engine, c, message, person_clock + 100) == TACIT_OK);
	person_clock += 200;
	server.now = person_clock;
	person_tick(p);
}

/* What has expired here does not come back by what is said of it. */
static void expired_messages_stay_away(void)
{
	uint64_t id = meet();
	CHECK_OK(react(&bob, id, THUMB));
	CHECK_OK(person_sync(&carol));
	expire(&carol, id);
	CHECK(strcmp(person_entry(&carol, room, id), "nothing") == 0);
	CHECK_OK(edit(&alice, id, "still here"));
	CHECK_OK(person_sync(&carol));
	CHECK(strcmp(person_entry(&carol, room, id), "nothing") == 0);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_EDITED, NULL), 0);
	CHECK_OK(person_say_in(&alice, room, "lost"));
	id = said_last(&alice);
	tamper(fake_said_count(&server) - 1);
	CHECK_OK(edit(&alice, id, "found"));
	const struct tacit_conversation *c = tacit_conversation_find(carol.engine, room);
	CHECK_OK(person_sync(&carol));
	CHECK(c->changes != NULL && c->receipts.lost_count > 0);
	expire(&carol, id);
	CHECK(c->changes == NULL && c->receipts.lost_count == 0);
	CHECK_OK(person_restart(&carol));
	sync_all();
	CHECK(strcmp(person_entry(&carol, room, id), "nothing") == 0);
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"before the message opens", before_the_message_opens},
	        {"changes wait for the message", changes_wait_for_the_message},
	        {"deleted before it opens", deleted_before_it_opens},
	        {"a change that is lost", a_change_that_is_lost},
	        {"an older edit comes last", an_older_edit_comes_last},
	        {"another one says it again", another_one_says_it_again},
	        {"edits race", edits_race},
	        {"who comes later", who_comes_later},
	        {"expired messages stay away", expired_messages_stay_away},
	        {"without a server", without_a_server},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
