/* What a server that lies about a group achieves, and a participant who breaks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "group_people.h"
#include "support/tap.h"

#define DAY 86400

static void a_swapped_key_package(void)
{
	meet(3);
	struct fake_device *bobs = &fake_user_named(&server, "bob")->devices[0];
	const struct fake_device *carols = &fake_user_named(&server, "carol")->devices[0];
	memcpy(bobs->packages, carols->packages, sizeof(bobs->packages));
	bobs->last_resort = carols->last_resort;
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_NO_DEVICE);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_BAD_CERTIFICATE,
	        "a key package for a device of bob that is not that device's"));
	CHECK_INT(server.commits + server.posts, 0);
	part();
}

/* All that it has left has lapsed: the server gives out none of it, and comes to the stock's end.
 */
static void a_device_that_is_long_away(void)
{
	meet(2);
	struct fake_device *d = &fake_user_named(&server, "bob")->devices[0];
	pass(89 * DAY);
	CHECK_OK(person_say(&alice, "bob", "in time"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "in time"), 1);
	part();
	meet(2);
	d = &fake_user_named(&server, "bob")->devices[0];
	pass(100 * DAY);
	CHECK_ERR(person_say(&alice, "bob", "too late"), TACIT_E_NO_DEVICE);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_NO_DEVICE,
	        "A device of bob has left nothing by which it can be let in"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(d->package_count, 20);
	CHECK(d->last_resort != NULL && d->last_ends > server.now);
	CHECK_OK(person_say(&alice, "bob", "back again"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "back again"), 1);
	part();
}

static void a_stale_key_package(void)
{
	meet(2);
	struct fake_device *d = &fake_user_named(&server, "bob")->devices[0];
	memset(d->ends, 0, sizeof(d->ends)); /* the server does not want to know */
	d->last_ends = 0;
	pass(100 * DAY);
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_NO_DEVICE);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_REFUSED, "that has lapsed"));
	CHECK_INT(server.commits + server.posts, 0);
	/* He comes by, and offers new ones; the old stock is used up by and by. */
	fake_user_named(&server, "bob")->devices[0].package_count = 0;
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_say(&alice, "bob", "secret"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "secret"), 1);
	part();
}

static void a_withheld_commit(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	pass(8 * DAY);
	CHECK_OK(person_say_in(&alice, room()->id, "behind new keys"));
	for (size_t i = 0; i < server.message_count; i++)
		server.messages[i].hidden |=
		        server.messages[i].commit && server.messages[i].epoch == 1;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED,
	        "The conversation \"us\" cannot be followed here: the server has kept back a "
	        "change of its keys."));
	/* He is in again, has asked for what he lost, and gets it. */
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_logged(&bob, "behind new keys"), 1);
	person_forget(&bob);
	check_talk(two, 2, "two");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
	part();
}

static void a_commit_that_nobody_made(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	struct fake_message *m = &server.messages[server.message_count++];
	*m = server.messages[fake_said(&server, 1)];
	m->id = server.next_message++;
	m->content = strdup(m->content);
	m->commit = true;
	m->epoch = 1;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_CONFLICT,
	        "a change of its keys is not what its members made"));
	CHECK_OK(person_sync(&alice));
	person_forget(&alice);
	person_forget(&bob);
	check_talk(two, 2, "two");
	part();
}

/* A participant posts what is no commit, and what is no GroupInfo: nobody can follow, or join. That
 * is told with the name of who posted it, once, and other conversations go on. */
static void a_participant_who_breaks_the_group(void)
{
	meet(3);
	make_group("us", 2);
	check_talk(three, 3, "one");
	struct fake_message *m = &server.messages[server.message_count++];
	*m = server.messages[0];
	m->id = server.next_message++;
	m->user = fake_user_named(&server, "carol")->id;
	snprintf(m->username, sizeof(m->username), "carol");
	m->content = strdup("bm9uc2Vuc2U=");
	m->commit = true;
	m->epoch = room()->epoch++;
	room()->epoch_message = m->id;
	char *kept = room()->group_info;
	room()->group_info = strdup("bm9uc2Vuc2U=");
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_CONFLICT,
	        "is not what its members made (by the server's word, it came from carol)."));
	size_t told = person_heard(&bob, TACIT_NOTICE_WARNING, NULL);
	CHECK_INT(told, 2); /* that it is broken, and that it cannot be joined */
	unsigned commits = server.commits;
	for (int i = 0; i < 3; i++)
		CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), told);
	CHECK_INT(server.commits, commits);
	CHECK(person_say_in(&bob, room()->id, "lost") != TACIT_OK);
	CHECK_INT(person_logged(&alice, "lost"), 0);
	CHECK_OK(person_say(&alice, "bob", "it is broken; let us begin another one"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(
	        person_heard(&bob, TACIT_NOTICE_MESSAGE, "it is broken; let us begin another one"),
	        1);
	free(room()->group_info);
	room()->group_info = kept;
	part();
}

static void a_commit_in_the_place_of_a_message(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	pass(8 * DAY);
	CHECK_OK(person_say_in(&alice, room()->id, "with new keys"));
	for (size_t i = 0; i < server.message_count; i++)
		server.messages[i].commit &= server.messages[i].epoch != 1;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(
	        &bob, TACIT_NOTICE_REFUSED, TACIT_E_CONFLICT, "where it does not belong"));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED, "kept back a change"));
	part();
}

static void a_commit_refused_for_ever(void)
{
	meet(3);
	make_group("us", 1);
	check_talk(two, 2, "one");
	room()->epoch += 5;
	CHECK_OK(change(&alice, TACIT_CMD_ADD, "carol"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED,
	        "the server says that others have changed the keys, and does not show it"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_LIMIT,
	        "The devices in the conversation could not be changed yet"));
	unsigned posts = server.posts;
	CHECK_ERR(person_say_in(&alice, room()->id, "for carol, too"), TACIT_E_LIMIT);
	CHECK_INT(server.posts, posts);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_LIMIT, "lets it in nowhere"));
	/* And when it comes to its senses: */
	room()->epoch -= 5;
	CHECK_OK(person_say_in(&alice, room()->id, "for carol, too"));
	CHECK_OK(person_sync(&carol));
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, "for carol, too"), 1);
	part();
}

static void a_group_that_goes_back_in_time(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	struct fake_conversation before = *room();
	pass(8 * DAY);
	check_talk(two, 2, "two");
	*room() = before;
	pass(8 * DAY);
	CHECK_OK(person_say_in(&alice, room()->id, "three"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED,
	        "The server has gone back in time: it knows 1 changes of this conversation's keys, "
	        "but 3 were there before."));
	/* They find each other all the same. */
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&alice));
	person_forget(&alice);
	person_forget(&bob);
	check_talk(two, 2, "four");
	part();
}

/* The server shows each a commit of an own epoch 2, and then both messages to both. What it gives
 * out as the group is that of bob. */
static void split(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	struct fake_conversation before = *room();
	size_t first = server.message_count;
	pass(8 * DAY);
	CHECK_OK(person_say_in(&alice, room()->id, "in one half"));
	for (size_t i = first; i < server.message_count; i++)
		server.messages[i].hidden = true;
	size_t second = server.message_count;
	*room() = before;
	CHECK_OK(person_say_in(&bob, room()->id, "in the other"));
	for (size_t i = first; i < second; i++)
		server.messages[i].hidden = false;
}

/* Nobody says anything, and a week does not pass: the half of which the server does not know comes
 * to the other. */
static void a_forked_group(void)
{
	split();
	unsigned commits = server.commits;
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(&alice, TACIT_NOTICE_REFUSED, TACIT_E_BAD_SEAL, "changed on the way"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED,
	        "cannot be followed here: the server has split it, and this is a part."));
	CHECK_INT(server.commits, commits + 1);
	for (int i = 0; i < 3; i++) {
		CHECK_OK(person_sync(&bob));
		CHECK_OK(person_sync(&alice));
	}
	CHECK_INT(server.commits, commits + 1);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED,
	        "bob was in another group than this device: the server has split the "
	        "conversation."));
	CHECK_INT(person_logged(&alice, "in the other"), 1);
	CHECK_INT(person_logged(&bob, "in one half"), 1);
	person_forget(&alice);
	person_forget(&bob);
	check_talk(two, 2, "two");
	part();
}

/* The server gives out what is no GroupInfo, or none at all: then the next change of keys does it.
 */
static void a_group_that_stays_forked(void)
{
	split();
	char *kept = room()->group_info;
	room()->group_info = strdup("AAAA");
	server.fault_path = "/group";
	server.fault_status = 503;
	server.fault_code = "UNAVAILABLE";
	CHECK_ERR(person_sync(&alice), TACIT_E_STORE_BUSY);
	server.fault_path = NULL;
	unsigned commits = server.commits;
	CHECK_OK(person_sync(&alice));
	CHECK_INT(server.commits, commits);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 0);
	free(room()->group_info);
	room()->group_info = kept;
	pass(8 * DAY);
	CHECK_OK(person_say_in(&alice, room()->id, "new keys"));
	for (int i = 0; i < 3; i++) {
		CHECK_OK(person_sync(&bob));
		CHECK_OK(person_sync(&alice));
	}
	CHECK_INT(person_logged(&bob, "new keys"), 1);
	CHECK_INT(person_logged(&alice, "in the other"), 1);
	person_forget(&alice);
	person_forget(&bob);
	check_talk(two, 2, "two");
	part();
}

/* A changed message alone is no other group. */
static void a_changed_message_is_no_fork(void)
{
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	CHECK_OK(person_say_in(&alice, room()->id, "changed"));
	char *content = server.messages[server.message_count - 1].content;
	content[strlen(content) / 2] = content[strlen(content) / 2] == 'A' ? 'B' : 'A';
	unsigned commits = server.commits;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_REFUSED, TACIT_E_BAD_SEAL, "changed on the way"));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.commits, commits);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
	CHECK_INT(person_logged(&bob, "changed"), 1);
	part();
}

static void a_device_restored_from_a_backup(void)
{
	static struct kept records[PERSON_RECORDS];
	meet(2);
	make_group("us", 1);
	check_talk(two, 2, "one");
	size_t count = bob.record_count;
	for (size_t i = 0; i < count; i++) {
		records[i] = (struct kept){.id = bob.records[i].id};
		CHECK_OK(tacit_buf_append(&records[i].data, tacit_buf_view(&bob.records[i].data)));
	}
	pass(8 * DAY);
	check_talk(two, 2, "two");
	check_talk(two, 2, "three");
	for (size_t i = 0; i < bob.record_count; i++)
		tacit_buf_clear(&bob.records[i].data);
	memcpy(bob.records, records, sizeof(records));
	bob.record_count = count;
	CHECK_OK(person_restart(&bob));
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	person_forget(&alice);
	person_forget(&bob);
	check_talk(two, 2, "four");
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a swapped key package", a_swapped_key_package},
	        {"a device that is long away", a_device_that_is_long_away},
	        {"a stale key package", a_stale_key_package},
	        {"a withheld commit", a_withheld_commit},
	        {"a commit that nobody made", a_commit_that_nobody_made},
	        {"a participant who breaks the group", a_participant_who_breaks_the_group},
	        {"a commit in the place of a message", a_commit_in_the_place_of_a_message},
	        {"a commit refused for ever", a_commit_refused_for_ever},
	        {"a group that goes back in time", a_group_that_goes_back_in_time},
	        {"a forked group", a_forked_group},
	        {"a group that stays forked", a_group_that_stays_forked},
	        {"a changed message is no fork", a_changed_message_is_no_fork},
	        {"a device restored from a backup", a_device_restored_from_a_backup},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
