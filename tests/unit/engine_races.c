/* What the simulator has found, in small: two devices that act between two steps of each other. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "engine_people.h"
#include "support/tap.h"

#define DAY 86400

static struct fake_server server;
static struct person alice, bob, carol;
static struct person *const three[] = {&alice, &bob, &carol};

static void pass(int64_t seconds)
{
	person_clock += seconds;
	server.now = person_clock;
}

static void meet(size_t people)
{
	static const char *const names[] = {"alice", "bob", "carol"};
	fake_server_init(&server);
	server.now = person_clock;
	for (size_t i = 0; i < people; i++) {
		person_init(three[i], names[i], &server);
		person_register(three[i]);
	}
}

static void part(void)
{
	for (size_t i = 0; i < TACIT_COUNT(three); i++)
		person_clear(three[i]);
	fake_server_clear(&server);
}

static uint64_t room(void)
{
	return server.conversations[0].id;
}

static void make_group(size_t others)
{
	struct tacit_bytes users[] = {TACIT_STR("bob"), TACIT_STR("carol")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us"),
	                                    .users = users,
	                                    .user_count = others}));
}

static struct tacit_command change(
        enum tacit_command_kind kind, const char *username, struct tacit_bytes *users)
{
	*users = tacit_cstr(username);
	return (struct tacit_command){.kind = kind,
	        .conversation = room(),
	        .username = *users,
	        .users = users,
	        .user_count = 1};
}

static enum tacit_err do_change(
        struct person *p, enum tacit_command_kind kind, const char *username)
{
	struct tacit_bytes users;
	struct tacit_command c = change(kind, username, &users);
	return person_run(p, &c);
}

/* Until the next request is one whose path holds the text. */
static bool stop_before(struct person *p, const char *path)
{
	enum tacit_err err = TACIT_OK;
	while (p->queue_count > 0 && strstr((const char *)p->queue[0].path.p, path) == NULL)
		if (!person_step(p, &err))
			break;
	return CHECK_OK(err) && CHECK(p->queue_count > 0);
}

static void finish(struct person *p)
{
	enum tacit_err err = TACIT_OK;
	while (person_step(p, &err))
		continue;
	CHECK_OK(err);
}

static void nothing_is_amiss(const struct person *p)
{
	CHECK_INT(person_heard(p, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(p, TACIT_NOTICE_MISSING, NULL), 0);
	CHECK_INT(person_heard(p, TACIT_NOTICE_WARNING, NULL), 0);
}

/* --- who comes and goes -------------------------------------------------------------------------
 */

/* Who was let in, spoke, and left while a device was away. */
static void came_and_left_meanwhile(void)
{
	meet(3);
	make_group(1);
	CHECK_OK(person_sync(&bob));
	CHECK_OK(do_change(&alice, TACIT_CMD_ADD, "carol"));
	CHECK_OK(person_sync(&carol));
	CHECK_OK(person_say_in(&carol, room(), "hello and goodbye"));
	CHECK_OK(do_change(&carol, TACIT_CMD_REMOVE, "carol"));
	CHECK_OK(person_say_in(&alice, room(), "she is gone"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "hello and goodbye"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "she is gone"), 1);
	nothing_is_amiss(&bob);
	part();
}

/* Let in between the question for Welcomes and that for the group. */
static void a_welcome_between_two_questions(void)
{
	uint64_t op;
	struct tacit_content hello = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("hello")};
	meet(2);
	CHECK_OK(person_begin(&alice,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_SEND, .username = TACIT_STR("bob"), .content = &hello},
	        &op));
	if (!stop_before(&alice, "/commits"))
		return;
	server.conversations[0].last_claimed = 1; /* bob has a reason to look */
	CHECK_OK(person_begin(&bob, &(struct tacit_command){.kind = TACIT_CMD_SYNC}, &op));
	if (!stop_before(&bob, "/group"))
		return;
	server.conversations[0].last_claimed = 0;
	finish(&alice);
	finish(&bob);
	CHECK_INT(server.commits, 1); /* he has not come by himself */
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "hello"), 1);
	nothing_is_amiss(&bob);
	part();
}

/* Who comes by herself after the members were asked for: her commit is met twice, and stands once
 * in the history. */
static void a_commit_of_somebody_new(void)
{
	uint64_t op;
	meet(3);
	make_group(1);
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_say_in(&alice, room(), "one"));
	CHECK_OK(person_begin(&bob, &(struct tacit_command){.kind = TACIT_CMD_SYNC}, &op));
	if (!stop_before(&bob, "/messages"))
		return;
	struct fake_device *d = &fake_user_named(&server, "carol")->devices[0];
	d->package_count = 0;
	d->last_resort = NULL;
	CHECK_OK(do_change(&alice, TACIT_CMD_ADD, "carol"));
	CHECK_OK(person_sync(&carol));
	CHECK_OK(person_say_in(&carol, room(), "here I am"));
	finish(&bob);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "here I am"), 1);
	CHECK_OK(person_say_in(&bob, room(), "welcome"));
	CHECK_OK(person_say_in(&carol, room(), "thank you"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "thank you"), 1);
	nothing_is_amiss(&bob);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MISSING, NULL), 0);
	part();
}

/* What waited while its reader left and came back is not his any more, and no alarm. */
static void left_and_back_again(void)
{
	meet(2);
	make_group(1);
	CHECK_OK(person_say_in(&alice, room(), "one"));
	CHECK_OK(person_sync(&bob));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.lose_request = 3;
	CHECK_ERR(person_say_in(&alice, room(), "waits"), TACIT_E_NETWORK);
	CHECK_OK(do_change(&bob, TACIT_CMD_REMOVE, "bob"));
	server.fault_path = NULL;
	server.lose_request = 0;
	server.conversations[0].members[server.conversations[0].member_count++] =
	        (struct fake_member){.user = fake_user_named(&server, "bob")->id};
	CHECK_OK(person_sync(&bob)); /* in again, by himself */
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_OK(person_say_in(&alice, room(), "back again"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "back again"), 1);
	part();
}

/* --- what is older than it seems ----------------------------------------------------------------
 */

/* An own message that waited while its device came into the group anew is met in its place. */
static void an_own_message_of_before(void)
{
	meet(2);
	make_group(1);
	CHECK_OK(person_say_in(&alice, room(), "one"));
	CHECK_OK(person_sync(&bob));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.lose_request = 3;
	CHECK_ERR(person_say_in(&bob, room(), "mine"), TACIT_E_NETWORK);
	server.fault_path = NULL;
	server.lose_request = 0;
	pass(8 * DAY);
	size_t first = server.message_count;
	CHECK_OK(person_say_in(&alice, room(), "new keys"));
	server.messages[first].hidden = true; /* the commit: he goes astray */
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "mine"), 1);
	for (size_t i = 0; i < bob.heard_count; i++)
		CHECK(bob.heard[i].kind != TACIT_NOTICE_REFUSED ||
		        strcmp(bob.heard[i].username, "bob") != 0);
	part();
}

/* The machine of p stops when its message has left, and is under way. */
static bool hold_post(struct person *p, struct tacit_effect *late, struct tacit_buf *cookie)
{
	enum tacit_err err = TACIT_OK;
	while (p->queue_count > 0 && p->queue[0].method != TACIT_POST)
		person_step(p, &err);
	if (!CHECK_OK(err) || !CHECK(p->queue_count == 1))
		return false;
	*late = p->queue[--p->queue_count];
	CHECK_OK(tacit_buf_append(cookie, tacit_engine_cookie(p->engine)));
	return true;
}

static void drop_late(struct tacit_effect *late, struct tacit_buf *cookie, struct fake_answer *a)
{
	tacit_buf_clear(&late->path);
	tacit_buf_clear(&late->data);
	tacit_buf_clear(cookie);
	tacit_buf_clear(&a->body);
}

/* Under way for so long that its sender was put out and let in again meanwhile, and his device with
 * other keys: those who were there open it, and he knows his own. */
static void a_message_that_is_long_under_way(void)
{
	uint64_t op;
	struct tacit_effect late;
	struct tacit_buf cookie = {0};
	struct fake_answer unheard = {0};
	struct tacit_content mine = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("mine")};
	meet(3);
	make_group(2);
	for (size_t i = 0; i < TACIT_COUNT(three); i++)
		CHECK_OK(person_say_in(three[i], room(), "one"));
	CHECK_OK(person_begin(&bob,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_SEND, .conversation = room(), .content = &mine},
	        &op));
	if (!hold_post(&bob, &late, &cookie))
		return;
	CHECK_OK(person_restart(&bob));
	for (int i = 0; i < 3; i++) {
		CHECK_OK(do_change(&alice, TACIT_CMD_REMOVE, "bob"));
		CHECK_OK(person_sync(&bob));
		CHECK_OK(do_change(&alice, TACIT_CMD_ADD, "bob"));
	}
	fake_server_answer(&server, tacit_buf_view(&cookie), &late, &unheard);
	CHECK_INT(unheard.status, 201);
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&carol));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "mine"), 1);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, "mine"), 1);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	for (size_t i = 0; i < bob.heard_count; i++)
		CHECK(bob.heard[i].err != TACIT_E_ORDER_CHANGED);
	CHECK_INT(person_logged(&bob, "mine"), 1);
	drop_late(&late, &cookie, &unheard);
	part();
}

/* Sealed while somebody was out, and there when he is in again: it was not for him. */
static void a_message_of_the_time_between(void)
{
	uint64_t op;
	struct tacit_effect late;
	struct tacit_buf cookie = {0};
	struct fake_answer unheard = {0};
	struct tacit_content theirs = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("theirs")};
	meet(3);
	make_group(2);
	for (size_t i = 0; i < TACIT_COUNT(three); i++)
		CHECK_OK(person_say_in(three[i], room(), "one"));
	CHECK_OK(do_change(&alice, TACIT_CMD_REMOVE, "bob"));
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_begin(&carol,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_SEND, .conversation = room(), .content = &theirs},
	        &op));
	if (!hold_post(&carol, &late, &cookie))
		return;
	CHECK_OK(do_change(&alice, TACIT_CMD_ADD, "bob"));
	fake_server_answer(&server, tacit_buf_view(&cookie), &late, &unheard);
	CHECK_INT(unheard.status, 201);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_OK(person_restart(&carol));
	CHECK_OK(person_sync(&carol));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "theirs"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "theirs"), 0); /* nor is it said again */
	drop_late(&late, &cookie, &unheard);
	part();
}

/* A list of conversations that was on its way while a message came live. */
static void a_list_from_before(void)
{
	uint64_t op;
	meet(2);
	make_group(1);
	CHECK_OK(person_say_in(&alice, room(), "one"));
	CHECK_OK(person_sync(&bob));
	uint64_t last = server.messages[server.message_count - 1].id;
	person_live_up(&bob);
	person_live_join(&bob, 50);
	CHECK_OK(person_say_in(&alice, room(), "two"));
	CHECK_OK(person_begin(&bob, &(struct tacit_command){.kind = TACIT_CMD_SYNC}, &op));
	server.conversations[0].last_claimed = last;
	person_live_message(&bob, server.message_count - 1);
	finish(&bob);
	server.conversations[0].last_claimed = 0;
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "two"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_FAILED, NULL), 0);
	nothing_is_amiss(&bob);
	part();
}

/* A live message meets a group that was made here and is not posted yet: another's was first. */
static void two_begin_at_once(void)
{
	uint64_t op;
	struct tacit_content mine = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("mine")};
	meet(2);
	CHECK_OK(person_do(&alice, TACIT_CMD_RESOLVE, "bob"));
	CHECK_OK(person_sync(&bob));
	person_live_up(&bob);
	person_live_join(&bob, 50);
	CHECK_OK(person_begin(&bob,
	        &(struct tacit_command){
	                .kind = TACIT_CMD_SEND, .conversation = room(), .content = &mine},
	        &op));
	if (!stop_before(&bob, "/claim"))
		return;
	CHECK_OK(person_say(&alice, "bob", "first"));
	person_live_message(&bob, server.message_count - 1);
	finish(&bob);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "first"), 1);
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "mine"), 1);
	nothing_is_amiss(&bob);
	nothing_is_amiss(&alice);
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"came and left meanwhile", came_and_left_meanwhile},
	        {"a Welcome between two questions", a_welcome_between_two_questions},
	        {"a commit of somebody new", a_commit_of_somebody_new},
	        {"left and back again", left_and_back_again},
	        {"an own message of before", an_own_message_of_before},
	        {"a message that is long under way", a_message_that_is_long_under_way},
	        {"a message of the time between", a_message_of_the_time_between},
	        {"a list from before", a_list_from_before},
	        {"two begin at once", two_begin_at_once},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
