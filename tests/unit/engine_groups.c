/* Conversations as groups of devices: who is let in, who is put out, how keys change. */
#include <stdio.h>

#include "crypto/secret.h"
#include "group_people.h"
#include "support/tap.h"

#define DAY 86400

static void a_device_offers_key_packages(void)
{
	meet(2);
	struct fake_device *d = &fake_user_named(&server, "bob")->devices[0];
	CHECK_INT(d->package_count, 20);
	CHECK(d->last_resort != NULL);
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_INT(d->package_count, 19);
	d->package_count = 9; /* others have taken them */
	CHECK_OK(person_sync(&bob));
	CHECK_INT(d->package_count, 9); /* it was asked just now: but the Welcome makes it due */
	CHECK_OK(person_sync(&bob));
	CHECK_INT(d->package_count, 20);
	/* The last-resort one changes with time. */
	const char *before = d->last_resort;
	CHECK_OK(person_sync(&bob));
	CHECK(d->last_resort == before);
	pass(31 * DAY);
	CHECK_OK(person_sync(&bob));
	CHECK(d->last_resort != before);
	part();
}

static void a_last_resort_serves_twice(void)
{
	meet(2);
	struct fake_device *d = &fake_user_named(&server, "bob")->devices[0];
	d->package_count = 0;
	make_group("one", 1);
	make_group("two", 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.welcome_count, 0);
	CHECK_OK(person_say_in(&bob, server.conversations[0].id, "in one"));
	CHECK_OK(person_say_in(&bob, server.conversations[1].id, "in two"));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, NULL), 2);
	CHECK_INT(server.commits, 2); /* by Welcomes both */
	part();
}

/* RFC 9420 12.4.3: who is in a group does not come to it again, to an epoch that is over; though
 * the private half of a last resort would open the Welcome once more. */
static void an_old_welcome_takes_nobody_back(void)
{
	meet(3);
	struct fake_device *d = &fake_user_named(&server, "bob")->devices[0];
	d->package_count = 0;
	make_group("one", 1);
	REQUIRE(CHECK_INT(server.welcome_count, 1));
	struct fake_welcome old = server.welcomes[0];
	CHECK_OK(person_sync(&bob));
	CHECK_OK(change(&bob, TACIT_CMD_ADD, "carol"));
	CHECK_OK(person_sync(&alice));
	d->package_count = 0;
	make_group("two", 1); /* so that bob asks for Welcomes */
	server.welcomes[server.welcome_count++] = old;
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_say_in(&alice, server.conversations[0].id, "still here?"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "still here?"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
	for (size_t i = 0; i < server.welcome_count; i++)
		CHECK(server.welcomes[i].id != old.id); /* of no use to anybody */
	part();
}

static void a_name_is_the_members_own(void)
{
	meet(3);
	make_group("our plans", 1);
	CHECK(room()->name[0] == 0);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(tacit_engine_find_conversation(bob.engine, TACIT_STR("our plans")), room()->id);
	CHECK_OK(change(&bob, TACIT_CMD_ADD, "carol"));
	CHECK_OK(person_sync(&carol));
	CHECK_INT(tacit_engine_find_conversation(carol.engine, TACIT_STR("our plans")), room()->id);
	CHECK_OK(person_restart(&carol));
	CHECK_INT(tacit_engine_find_conversation(carol.engine, TACIT_STR("our plans")), room()->id);
	/* Nobody is told of it as of a message, and nothing counts as unread. */
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, NULL), 0);
	part();
}

static void a_new_device_comes_by_itself(void)
{
	meet(2);
	make_group("plans", 1);
	CHECK_OK(person_sync(&bob));
	static struct person laptop;
	person_init(&laptop, "alice", &server);
	pass(10);
	CHECK_OK(person_run(&laptop, &(struct tacit_command){.kind = TACIT_CMD_LOGIN,
	                                     .username = TACIT_STR("alice"),
	                                     .email = TACIT_STR("alice@example.org"),
	                                     .password = TACIT_STR("correct horse 1!"),
	                                     .code = TACIT_STR("123456")}));
	CHECK_OK(person_sync(&laptop));
	CHECK_INT(server.commits, 2);
	CHECK_INT(tacit_engine_find_conversation(laptop.engine, TACIT_STR("plans")), room()->id);
	CHECK_OK(person_say_in(&laptop, room()->id, "from the laptop"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "from the laptop"), 1);
	CHECK(person_told(&bob, TACIT_NOTICE_MEMBER, TACIT_OK, "alice uses a new device"));
	/* Revoked, it is out at once. */
	struct tacit_command c = {.kind = TACIT_CMD_LOGIN,
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456")};
	CHECK_OK(person_run(&alice, &c));
	CHECK_OK(person_sync(&alice));
	unsigned commits = server.commits;
	c = (struct tacit_command){.kind = TACIT_CMD_REVOKE_DEVICE,
	        .text = tacit_cstr(fake_user_named(&server, "alice")->devices[1].id)};
	CHECK_OK(person_run(&alice, &c));
	CHECK_INT(server.commits, commits + 1);
	CHECK_OK(person_say_in(&bob, room()->id, "without it"));
	CHECK_INT(server.commits, commits + 1);
	person_forget(&laptop);
	struct fake_user *u = fake_user_named(&server, "alice");
	CHECK(u->cookie[0] != 0);
	c = (struct tacit_command){.kind = TACIT_CMD_LOGIN,
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456")};
	CHECK_OK(person_run(&laptop, &c));
	CHECK_OK(person_sync(&laptop));
	CHECK(person_told(&laptop, TACIT_NOTICE_WARNING, TACIT_E_NO_DEVICE, "was revoked"));
	CHECK_INT(person_heard(&laptop, TACIT_NOTICE_MESSAGE, "without it"), 0);
	CHECK_INT(server.commits, commits + 1);
	person_clear(&laptop);
	part();
}

static void removed_means_removed(void)
{
	meet(3);
	make_group("us", 2);
	check_talk(three, 3, "all");
	unsigned commits = server.commits;
	CHECK_OK(change(&alice, TACIT_CMD_REMOVE, "carol"));
	CHECK_INT(server.commits, commits + 1);
	CHECK_OK(person_say_in(&bob, room()->id, "without carol"));
	CHECK_INT(server.commits, commits + 1);
	/* The server gives it to her all the same: it does not open. */
	room()->members[room()->member_count++].user = fake_user_named(&server, "carol")->id;
	server.fault_path = "/group"; /* nor is she let in again */
	server.fault_status = 503;
	server.fault_code = "UNAVAILABLE";
	tacit_ignore(person_sync(&carol), "she is put out, and may say so");
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, "without carol from bob"), 0);
	server.fault_path = NULL;
	part();
}

static void who_has_left_is_put_out_by_the_next_one(void)
{
	meet(3);
	make_group("us", 2);
	check_talk(three, 3, "all");
	CHECK_OK(change(&carol, TACIT_CMD_REMOVE, "carol"));
	unsigned commits = server.commits;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.commits, commits);
	CHECK_OK(person_say_in(&bob, room()->id, "she has left"));
	CHECK_INT(server.commits, commits + 1);
	check_talk(two, 2, "both");
	CHECK_INT(server.commits, commits + 1);
	/* And back in. */
	CHECK_OK(change(&alice, TACIT_CMD_ADD, "carol"));
	CHECK_OK(person_sync(&bob));
	check_talk(three, 3, "again");
	part();
}

/* Who spoke in two conversations and left both is asked for in each. */
static void a_stranger_in_two_conversations(void)
{
	meet(3);
	make_group("one", 2);
	make_group("two", 2);
	for (size_t i = 0; i < 2; i++) {
		CHECK_OK(person_say_in(&alice, server.conversations[i].id, "from alice"));
		CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_REMOVE,
		                                    .conversation = server.conversations[i].id,
		                                    .username = TACIT_STR("alice")}));
	}
	CHECK_OK(person_sync(&bob)); /* for the first time: he has never heard of her */
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "from alice"), 2);
	part();
}

static void keys_change_by_themselves(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	CHECK_INT(server.commits, 1);
	pass(8 * DAY);
	check_talk(two, 2, "two");
	CHECK_INT(server.commits, 3); /* each of them */
	for (int i = 0; i < 101; i++) {
		CHECK_OK(person_say_in(&alice, room()->id, "many"));
		person_forget(&alice);
		fake_server_forget(&server);
	}
	CHECK_INT(server.commits, 4);
	part();
}

static void commits_that_race(void)
{
	enum tacit_err err[2];
	uint64_t op;
	meet(3);
	make_group("us", 2);
	check_talk(three, 3, "all");
	for (int round = 0; round < 4; round++) {
		char text[24];
		pass(8 * DAY);
		struct tacit_content hi = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("racing")};
		struct tacit_command c = {
		        .kind = TACIT_CMD_SEND, .conversation = room()->id, .content = &hi};
		CHECK_OK(person_begin(&alice, &c, &op));
		CHECK_OK(person_begin(&bob, &c, &op));
		for (int i = 0; i < round; i++) /* one of them is ahead */
			person_step(&alice, &err[0]);
		bool on = true;
		while (on) {
			on = person_step(&alice, &err[0]);
			on = person_step(&bob, &err[1]) || on;
		}
		CHECK_OK(err[0]);
		CHECK_OK(err[1]);
		for (int i = 0; i < 3; i++)
			CHECK_OK(person_sync(three[i]));
		for (int i = 0; i < 3; i++) {
			CHECK_INT(person_logged(three[i], "racing"), 2 * (round + 1));
			CHECK_INT(person_heard(three[i], TACIT_NOTICE_WARNING, NULL), 0);
			CHECK_INT(person_heard(three[i], TACIT_NOTICE_MISSING, NULL), 0);
		}
		snprintf(text, sizeof(text), "after %d", round);
		check_talk(three, 3, text);
		for (int i = 0; i < 3; i++)
			person_forget(three[i]);
	}
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a device offers key packages", a_device_offers_key_packages},
	        {"a last resort serves twice", a_last_resort_serves_twice},
	        {"an old Welcome takes nobody back", an_old_welcome_takes_nobody_back},
	        {"a name is the members' own", a_name_is_the_members_own},
	        {"a new device comes by itself", a_new_device_comes_by_itself},
	        {"removed means removed", removed_means_removed},
	        {"who has left is put out by the next one",
	                who_has_left_is_put_out_by_the_next_one},
	        {"a stranger in two conversations", a_stranger_in_two_conversations},
	        {"keys change by themselves", keys_change_by_themselves},
	        {"commits that race", commits_that_race},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
