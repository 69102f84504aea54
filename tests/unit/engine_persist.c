/* The power fails, answers get lost, memory runs out: nothing is lost, nothing is there twice. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "support/tap.h"
#include "two_people.h"

/* Power fails at the sender at every event in turn. */
static void killed_while_sending(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_OK(person_sync(&bob));
	for (long at = 0; at < 40; at++) {
		char text[32];
		snprintf(text, sizeof(text), "message %ld", at);
		size_t records = alice.record_count;
		alice.power = at;
		enum tacit_err err = person_say(&alice, "bob", text);
		bool sealed = alice.record_count > records || err == TACIT_OK;
		bool over = alice.power >= 0;
		settle();
		check_once(text, sealed);
		person_forget(&alice);
		person_forget(&bob);
		if (over) {
			CHECK_OK(err);
			part();
			return;
		}
	}
	tap_check(false, "the conversation comes to an end", __FILE__, __LINE__);
}

/* ... while each message brings new keys, too. */
static void killed_while_keys_change(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_OK(person_sync(&bob));
	for (long at = 0; at < 120; at++) {
		char text[32];
		snprintf(text, sizeof(text), "message %ld", at);
		person_clock += 8 * 86400;
		server.now = person_clock;
		alice.power = at;
		enum tacit_err err = person_say(&alice, "bob", text);
		bool over = alice.power >= 0;
		settle();
		check_once(text, err == TACIT_OK);
		CHECK_OK(person_say(&bob, "alice", "still there"));
		settle();
		check_once(text, err == TACIT_OK);
		CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "still there"), 1);
		CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 0);
		CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
		person_forget(&alice);
		person_forget(&bob);
		person_forget_history(&alice);
		person_forget_history(&bob);
		fake_server_forget(&server);
		if (over) {
			CHECK_OK(err);
			CHECK(server.commits > 10);
			part();
			return;
		}
	}
	tap_check(false, "the conversation comes to an end", __FILE__, __LINE__);
}

/* ... and at the receiver. What was not heard stands in the history. */
static void killed_while_receiving(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	for (long at = 0; at < 40; at++) {
		char text[32];
		snprintf(text, sizeof(text), "message %ld", at);
		CHECK_OK(person_say(&alice, "bob", text));
		bob.power = at;
		enum tacit_err err = person_sync(&bob);
		bool over = bob.power >= 0;
		size_t heard = person_heard(&bob, TACIT_NOTICE_MESSAGE, text);
		settle();
		check_once(text, true);
		CHECK(person_heard(&bob, TACIT_NOTICE_MESSAGE, text) <= 1 && heard <= 1);
		person_forget(&alice);
		person_forget(&bob);
		if (over) {
			CHECK_OK(err);
			part();
			return;
		}
	}
	tap_check(false, "the sync comes to an end", __FILE__, __LINE__);
}

/* Killed at every event of a first contact: pins, conversation, message. */
static void killed_at_first_contact(void)
{
	for (long at = 0; at < 120; at++) {
		meet();
		alice.power = at;
		enum tacit_err err = person_say(&alice, "bob", "hello");
		bool over = alice.power >= 0;
		settle();
		check_once("hello", err == TACIT_OK);
		CHECK_OK(person_say(&bob, "alice", "hi"));
		settle();
		check_once("hi", true);
		part();
		if (over)
			return;
	}
	tap_check(false, "the contact comes to an end", __FILE__, __LINE__);
}

static void killed_while_registering(void)
{
	for (long at = 0; at < 120; at++) {
		fake_server_init(&server);
		server.now = person_clock;
		person_init(&alice, "alice", &server);
		CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_REGISTER,
		                                    .username = TACIT_STR("alice"),
		                                    .email = TACIT_STR("alice@example.org"),
		                                    .password = TACIT_STR("correct horse 1!")}));
		alice.power = at;
		enum tacit_err err =
		        person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_VERIFY_TOTP,
		                                   .code = TACIT_STR("123456")});
		bool over = alice.power >= 0;
		/* Codes and success are heard only when the keys are safe. */
		if (person_heard(&alice, TACIT_NOTICE_RECOVERY_CODES, NULL) > 0 || err == TACIT_OK)
			CHECK(alice.profile.n > 0);
		CHECK_OK(person_restart(&alice));
		if (alice.profile.n > 0) {
			/* The device is published by the next command, if it was not. */
			CHECK_OK(person_sync(&alice));
			CHECK_INT(server.users[0].device_count, 1);
		}
		person_clear(&alice);
		fake_server_clear(&server);
		if (over)
			return;
	}
	tap_check(false, "the registration comes to an end", __FILE__, __LINE__);
}

static void answers_get_lost(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	/* Once: the retry gets the same message. */
	server.lose_answer = 1;
	CHECK_OK(person_say(&alice, "bob", "once"));
	/* For good: it is kept, and said so. */
	server.lose_answer = 3;
	CHECK_ERR(person_say(&alice, "bob", "thrice"), TACIT_E_NETWORK);
	CHECK(person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	server.lose_request = 3;
	CHECK_ERR(person_say(&alice, "bob", "after it"), TACIT_E_NETWORK);
	CHECK(person_last(&alice, TACIT_NOTICE_FAILED)->flag); /* behind it, not sealed yet */
	server.fault_path = NULL;
	settle();
	check_once("hello", true);
	check_once("once", true);
	check_once("thrice", true);
	check_once("after it", true);
	CHECK_INT(fake_said_count(&server), 4);
	part();
}

static void kept_messages_go_first(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "one"));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.fault_status = 503;
	server.fault_code = "UNAVAILABLE";
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_STORE_BUSY);
	CHECK(person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	CHECK_OK(person_restart(&alice));
	server.fault_path = NULL;
	person_forget(&alice);
	CHECK_OK(person_say(&alice, "bob", "three"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "two"), 1); /* told: it is out now */
	CHECK_OK(person_sync(&bob));
	CHECK_INT(bob.log_count, 3);
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_MESSAGE)->content, "three") == 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0);
	part();
}

static void refused_for_good_is_taken_back(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "one"));
	size_t records = alice.record_count;
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.fault_status = 413;
	server.fault_code = "TOO_LARGE";
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_TOO_LARGE);
	CHECK(!person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_TOO_LARGE, "The server says"));
	CHECK_INT(alice.record_count, records);
	server.fault_path = NULL;
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say(&alice, "bob", "three"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 2);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0); /* its order was given back */
	/* A kept one that is refused later: told with its content. */
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.fault_status = 503;
	CHECK_ERR(person_say(&alice, "bob", "four"), TACIT_E_STORE_BUSY);
	server.fault_status = 410;
	person_forget(&alice);
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_REFUSED, "four"), 1);
	CHECK(person_last(&alice, TACIT_NOTICE_REFUSED)->flag);
	part();
}

static void a_group_is_made_once(void)
{
	meet();
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	server.fault_path = "/api/conversations";
	server.fault_method = TACIT_GET;
	server.lose_answer = 1;
	CHECK_ERR(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                     .text = TACIT_STR("us"),
	                                     .users = users,
	                                     .user_count = 1}),
	        TACIT_E_NETWORK);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_NETWORK, "may have been made"));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(server.conversation_count, 1);
	/* What it was to be called has not left this machine. */
	CHECK(tacit_engine_find_conversation(alice.engine, TACIT_STR("us")) == 0);
	CHECK_OK(person_say_in(&alice, server.conversations[0].id, "hello"));
	part();
}

/* What may have arrived though no answer came does not give its order to the next one. */
static void refused_after_a_lost_answer(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "one"));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.lose_answer = 3;
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_NETWORK);
	server.fault_status = 404; /* she was out of it for a while */
	server.fault_code = "NOT_FOUND";
	CHECK_OK(person_sync(&alice));
	server.fault_path = NULL;
	server.fault_status = 0;
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say(&alice, "bob", "three"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "two"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "three"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	part();
}

/* One conversation that takes nothing now does not keep what others say from being read. */
static void a_kept_message_stops_no_sync(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "one"));
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_say(&bob, "alice", "an answer"));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.fault_status = 507;
	server.fault_code = "STORE_FULL";
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_STORE_FULL);
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "an answer"), 1);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_STORE_FULL, "waits here"));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 1);
	/* Without a session there is nothing to go on with. */
	server.fault_status = 401;
	server.fault_code = "NOT_LOGGED_IN";
	CHECK_ERR(person_sync(&alice), TACIT_E_NOT_LOGGED_IN);
	server.fault_path = NULL;
	settle();
	check_once("two", true);
	part();
}

static void a_full_store_stops_everything(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "one"));
	unsigned posts = server.posts;
	alice.store_is_full = true;
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_CANCELLED);
	CHECK_INT(server.posts, posts);
	alice.store_is_full = false;
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say(&alice, "bob", "three"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0);
	part();
}

static void many_pages(void)
{
	meet();
	for (int i = 0; i < 60; i++) {
		char text[32];
		snprintf(text, sizeof(text), "message %d", i);
		CHECK_OK(person_say(&alice, "bob", text));
		person_forget(&alice);
	}
	bob.power = 8; /* after the first page */
	enum tacit_err err = person_sync(&bob);
	CHECK_ERR(err, TACIT_E_CANCELLED);
	CHECK_OK(person_restart(&bob));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(bob.log_count, 60);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	part();
}

/* --- every allocation fails once
 * ------------------------------------------------------------------ */

static long left;

static bool paused;

static int fail_once(void *ctx)
{
	(void)ctx;
	return !paused && left-- == 0;
}

static void pause_faults(bool inside)
{
	paused = inside;
}

static size_t logged_in_peace(struct person *p, const char *text)
{
	paused = true;
	size_t n = person_logged(p, text);
	paused = false;
	return n;
}

/* The person does it; memory may run out once: then it restarts, and does it again. */
static void insist(struct person *p, const char *text)
{
	for (int tries = 0; tries < 3; tries++) {
		enum tacit_err err = text != NULL ? person_say(p, "bob", text) : person_sync(p);
		if (err == TACIT_OK)
			return;
		CHECK_ERR(err, TACIT_E_NOMEM);
		while (person_restart(p) != TACIT_OK)
			continue;
		if (text != NULL && logged_in_peace(p, text) > 0)
			return;
	}
	tap_check(false, "it works at the third try", __FILE__, __LINE__);
}

/* step: only each so-manieth allocation fails; seconds: between two messages. */
static void run_out_of_memory(long step, int64_t seconds)
{
	meet();
	server.entered = pause_faults;
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_OK(person_sync(&bob));
	for (long n = 0; n < 40000; n += step) {
		char text[32];
		snprintf(text, sizeof(text), "message %ld", n);
		left = n;
		person_clock += seconds;
		server.now = person_clock;
		tacit_alloc_set_fault(fail_once, NULL);
		insist(&alice, text);
		insist(&bob, NULL);
		tacit_alloc_set_fault(NULL, NULL);
		CHECK_OK(person_sync(&alice));
		CHECK_OK(person_sync(&bob));
		CHECK(person_logged(&alice, text) >= 1);
		CHECK_INT(person_logged(&bob, text), person_logged(&alice, text));
		CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
		CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0);
		person_forget(&alice);
		person_forget(&bob);
		person_forget_history(&alice);
		person_forget_history(&bob);
		fake_server_forget(&server);
		if (left >= 0) {
			part();
			return;
		}
	}
	tap_check(false, "the sweep comes to an end", __FILE__, __LINE__);
}

static void memory_runs_out(void)
{
	run_out_of_memory(1, 0);
}

static void memory_runs_out_while_keys_change(void)
{
	run_out_of_memory(61, 8 * 86400);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"killed while sending", killed_while_sending},
	        {"killed while keys change", killed_while_keys_change},
	        {"killed while receiving", killed_while_receiving},
	        {"killed at first contact", killed_at_first_contact},
	        {"killed while registering", killed_while_registering},
	        {"answers get lost", answers_get_lost},
	        {"kept messages go first", kept_messages_go_first},
	        {"refused for good is taken back", refused_for_good_is_taken_back},
	        {"a group is made once", a_group_is_made_once},
	        {"refused after a lost answer", refused_after_a_lost_answer},
	        {"a kept message stops no sync", a_kept_message_stops_no_sync},
	        {"a full store stops everything", a_full_store_stops_everything},
	        {"many pages", many_pages},
	        {"memory runs out", memory_runs_out},
	        {"memory runs out while keys change", memory_runs_out_while_keys_change},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
