/* The server lies, in every way that its place allows; each lie is met with its word. */
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "support/tap.h"
#include "two_people.h"

static void become_another(struct fake_user *u, uint8_t seed)
{
	struct fake_user *mallory = fake_user_add(&server, "mallory", seed);
	u->key = mallory->key;
	server.user_count--;
}

static bool nothing_posted_since(unsigned posts)
{
	return server.posts == posts;
}

static void a_swapped_key(void)
{
	meet_and_talk();
	unsigned posts = server.posts;
	struct fake_user *u = fake_user_named(&server, "bob");
	struct fake_user before = *u;
	become_another(u, 9);
	u->device_count = 0;
	fake_device_add(u, 77, 9);
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	CHECK(nothing_posted_since(posts));
	CHECK(person_told(&alice, TACIT_NOTICE_KEY_CHANGED, TACIT_E_KEY_CHANGED, "key"));
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_KEY_CHANGED, "Not sent"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_KEY_CHANGED, NULL), 1);
	/* It stays so after a restart, and is told once. */
	CHECK_OK(person_restart(&alice));
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_KEY_CHANGED, NULL), 1);
	CHECK_ERR(person_do(&alice, TACIT_CMD_SET_VERIFIED, "bob"), TACIT_E_KEY_CHANGED);
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "bob"));
	CHECK_ERR(person_last(&alice, TACIT_NOTICE_SAFETY)->err, TACIT_E_KEY_CHANGED);
	/* Taken back: as if nothing had been. */
	struct fake_user swapped = *u;
	*u = before;
	CHECK_OK(person_say(&alice, "bob", "to the real one"));
	/* Accepted: from now on it is the one. */
	*u = swapped;
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	CHECK_OK(person_do(&alice, TACIT_CMD_ACCEPT_KEY, "bob"));
	CHECK_OK(person_say(&alice, "bob", "to the new one"));
	part();
}

/* One key to compare, another one to accept. */
static void a_key_swapped_while_numbers_are_compared(void)
{
	meet_and_talk();
	char shown[sizeof(alice.heard[0].text)];
	struct fake_user *u = fake_user_named(&server, "bob");
	struct tacit_command yes = {.kind = TACIT_CMD_SET_VERIFIED, .username = TACIT_STR("bob")};
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "bob"));
	snprintf(shown, sizeof(shown), "%s", person_last(&alice, TACIT_NOTICE_SAFETY)->text);
	yes.text = tacit_cstr(shown);
	CHECK_OK(person_run(&alice, &yes));
	become_another(u, 9);
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "bob"));
	snprintf(shown, sizeof(shown), "%s", person_last(&alice, TACIT_NOTICE_SAFETY)->text);
	become_another(u, 10);
	CHECK_OK(person_sync(&alice));
	yes.kind = TACIT_CMD_ACCEPT_KEY;
	yes.text = tacit_cstr(shown);
	CHECK_ERR(person_run(&alice, &yes), TACIT_E_KEY_CHANGED);
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	/* The number that is the key's. */
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "bob"));
	snprintf(shown, sizeof(shown), "%s", person_last(&alice, TACIT_NOTICE_SAFETY)->text);
	yes.text = tacit_cstr(shown);
	CHECK_OK(person_run(&alice, &yes));
	yes.kind = TACIT_CMD_SET_VERIFIED;
	yes.text = TACIT_STR("00000");
	CHECK_ERR(person_run(&alice, &yes), TACIT_E_KEY_CHANGED);
	part();
}

static void a_swapped_key_of_our_own(void)
{
	meet_and_talk();
	become_another(fake_user_named(&server, "alice"), 9);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_KEY_CHANGED, NULL), 1);
	/* Alice's signatures do not count on such a server, but what she reads warns her. */
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(
	        &alice, TACIT_NOTICE_WARNING, TACIT_E_KEY_CHANGED, "another key as yours"));
	part();
}

static void an_added_device(void)
{
	meet_and_talk();
	struct fake_user *u = fake_user_named(&server, "bob");
	fake_device_add(u, 66, 9); /* certified by somebody else */
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_BAD_CERTIFICATE, "bob"));
	/* No commit lets it in. */
	CHECK_INT(server.commits, 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "two"), 1);
	/* Only uncertified devices: nobody to seal for. */
	memmove(&u->devices[0], &u->devices[1], sizeof(u->devices[0]));
	u->device_count = 1;
	CHECK_ERR(person_say(&alice, "bob", "three"), TACIT_E_NO_DEVICE);
	/* An own device that was never certified is seen in the list. */
	fake_device_add(fake_user_named(&server, "alice"), 67, 9);
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_DEVICES}));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_BAD_CERTIFICATE, "not certified"));
	part();
}

static void the_same_device_twice(void)
{
	meet_and_talk();
	struct fake_user *u = fake_user_named(&server, "bob");
	u->devices[u->device_count++] = u->devices[0];
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_REFUSED, "twice"));
	part();
}

/* A member whose device has the id of another member's does not push that one out. */
static void a_borrowed_device_id(void)
{
	meet();
	fake_user_add(&server, "carol", 9);
	struct tacit_bytes users[] = {TACIT_STR("carol"), TACIT_STR("bob")};
	uint8_t id[TACIT_DEVICE_ID_BYTES];
	struct fake_user *carol = fake_user_named(&server, "carol");
	CHECK_OK(tacit_unhex(
	        tacit_cstr(fake_user_named(&server, "bob")->devices[0].id), id, sizeof(id)));
	carol->device_count = 0;
	fake_device_with_id(carol, id, 9);
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us"),
	                                    .users = users,
	                                    .user_count = 2}));
	CHECK_OK(person_say_in(&alice, server.conversations[0].id, "for all"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 0);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "for all"), 1);
	/* Nor does one with alice's own id pass for hers. */
	person_forget(&alice);
	CHECK_OK(tacit_unhex(
	        tacit_cstr(fake_user_named(&server, "alice")->devices[0].id), id, sizeof(id)));
	carol->device_count = 0;
	fake_device_with_id(carol, id, 9);
	fake_user_named(&server, "alice")->device_count = 0;
	CHECK_OK(person_say_in(&alice, server.conversations[0].id, "again"));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_NO_DEVICE, "among yours"));
	part();
}

static void a_ghost_in_a_direct_chat(void)
{
	meet_and_talk();
	unsigned posts = server.posts;
	struct fake_user *ghost = fake_user_add(&server, "ghost", 9);
	struct fake_conversation *c = &server.conversations[0];
	c->members[c->member_count++].user = ghost->id;
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_REFUSED);
	CHECK(nothing_posted_since(posts));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_REFUSED, "chat between two"));
	/* Nor does another kind make it acceptable. */
	memcpy(c->kind, "group", 6);
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_REFUSED);
	CHECK(nothing_posted_since(posts));
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_REFUSED, "another kind"));
	part();
}

static void a_ghost_in_a_group(void)
{
	meet();
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us"),
	                                    .users = users,
	                                    .user_count = 1}));
	struct fake_user *ghost = fake_user_add(&server, "ghost", 9);
	struct fake_conversation *c = &server.conversations[0];
	c->members[c->member_count++].user = ghost->id;
	unsigned posts = server.posts;
	/* What was written for bob alone is sealed for nobody. */
	CHECK_ERR(person_say_in(&alice, c->id, "hello"), TACIT_E_CONFLICT);
	CHECK(person_told(&alice, TACIT_NOTICE_MEMBER, TACIT_OK, "ghost is now in"));
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_CONFLICT,
	        "ghost is in the conversation now; send again to include them."));
	CHECK(!person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	CHECK(nothing_posted_since(posts));
	CHECK_INT(person_logged(&alice, "hello"), 0);
	/* Said once, also after a restart: from now on it is the person's own decision. */
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say_in(&alice, c->id, "hello all"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MEMBER, NULL), 1);
	CHECK_INT(person_logged(&alice, "hello all"), 1);
	/* A sync that was told of somebody is as good. */
	struct fake_user *second = fake_user_add(&server, "second", 10);
	c->members[c->member_count++].user = second->id;
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(&alice, TACIT_NOTICE_MEMBER, TACIT_OK, "second is now in"));
	CHECK_OK(person_say_in(&alice, c->id, "hello two"));
	/* Who was sent away and comes back is new again; so are many at once. */
	c->member_count -= 2;
	CHECK_OK(person_sync(&alice));
	c->member_count += 2;
	CHECK_ERR(person_say_in(&alice, c->id, "and now?"), TACIT_E_CONFLICT);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_CONFLICT,
	        "ghost and second are in the conversation now;"));
	CHECK_OK(person_say_in(&alice, c->id, "and now?"));
	/* One who comes with a group that was just made, and was not named, is told, too. */
	person_forget(&alice);
	server.ghost = "ghost";
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us two"),
	                                    .users = users,
	                                    .user_count = 1}));
	CHECK(person_told(&alice, TACIT_NOTICE_MEMBER, TACIT_OK, "ghost is now in"));
	/* And a direct chat that is born with a third is no direct chat. */
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_REFUSED);
	part();
}

/* The longest title there is, in a conversation that ends. */
static void a_long_title(void)
{
	char title[4 * TACIT_MAX_CONVERSATION_NAME + 1] = {0};
	meet();
	for (size_t i = 0; i < TACIT_MAX_CONVERSATION_NAME; i++)
		memcpy(title + 4 * i, "\xf0\x9f\x90\x98", 4);
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = tacit_cstr(title),
	                                    .users = users,
	                                    .user_count = 1}));
	CHECK_OK(person_sync(&bob));
	server.conversations[0].member_count = 1;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_GONE, "does not show"));
	part();
}

/* The server says no, and gives it to the others all the same. */
static void refused_and_delivered(void)
{
	meet_and_talk();
	server.deliver_refused = true;
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.fault_status = 413;
	server.fault_code = "TOO_LARGE";
	CHECK_ERR(person_say(&alice, "bob", "oh no"), TACIT_E_TOO_LARGE);
	server.fault_path = NULL;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "oh no"), 1);
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(
	        &alice, TACIT_NOTICE_WARNING, TACIT_E_CONFLICT, "does not count as sent"));
	/* Known about, it has its place, and what follows is in order. */
	CHECK_OK(person_say(&alice, "bob", "next"));
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "next"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 1);
	part();
}

static void one_person_under_two_names(void)
{
	meet_and_talk();
	struct fake_user *twin = fake_user_add(&server, "twin", 9);
	twin->key = fake_user_named(&server, "bob")->key;
	CHECK_ERR(person_say(&alice, "twin", "x"), TACIT_E_REFUSED);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_REFUSED, "same person as bob"));
	/* Nor by a key that changed first, and was given to another meanwhile. */
	struct fake_user *bobs = fake_user_named(&server, "bob");
	struct tacit_sign_public real = bobs->key;
	bobs->key = fake_user_add(&server, "third", 12)->key;
	CHECK_OK(person_sync(&alice));
	bobs->key = real;
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "third"));
	CHECK_ERR(person_do(&alice, TACIT_CMD_ACCEPT_KEY, "bob"), TACIT_E_REFUSED);
	CHECK_OK(person_sync(&alice));
	twin->key = fake_user_named(&server, "alice")->key;
	CHECK_ERR(person_say(&alice, "twin", "x"), TACIT_E_REFUSED);
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_REFUSED, "your own key"));
	part();
}

static void another_account_at_login(void)
{
	meet();
	become_another(fake_user_named(&server, "alice"), 9);
	static struct person laptop;
	person_init(&laptop, "alice", &server);
	/* The fake server checks signatures, a lying one would not. */
	struct tacit_command c = {.kind = TACIT_CMD_LOGIN,
	        .username = TACIT_STR("alice"),
	        .email = TACIT_STR("alice@example.org"),
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456")};
	server.trusts_everyone = true;
	CHECK_ERR(person_run(&laptop, &c), TACIT_E_KEY_CHANGED);
	CHECK(person_told(&laptop, TACIT_NOTICE_FAILED, TACIT_E_KEY_CHANGED, "another public key"));
	CHECK(!tacit_engine_has_account(laptop.engine) && laptop.profile.n == 0);
	person_clear(&laptop);
	part();
}

static void error_answers(void)
{
	static const struct {
		int status;
		const char *code;
		enum tacit_err err;
		const char *text;
	} answers[] = {
	        {401, "NOT_LOGGED_IN", TACIT_E_NOT_LOGGED_IN, "Log in again"},
	        {401, "STALE_TIMESTAMP", TACIT_E_REFUSED, "clock"},
	        {403, "NOT_ALLOWED", TACIT_E_REFUSED, "The server says NOT_ALLOWED."},
	        {404, "NOT_FOUND", TACIT_E_NOT_FOUND, "The server says"},
	        {409, "CONFLICT", TACIT_E_CONFLICT, "The server says"},
	        {410, "GONE", TACIT_E_GONE, "The server says"},
	        {413, "TOO_LARGE", TACIT_E_TOO_LARGE, "The server says"},
	        {429, "RATE_LIMITED", TACIT_E_LIMIT, "The server says"},
	        {500, "INTERNAL", TACIT_E_REFUSED, "The server says"},
	        {503, "UNAVAILABLE", TACIT_E_STORE_BUSY, "The server says"},
	        {507, "STORE_FULL", TACIT_E_STORE_FULL, "The server says"},
	};
	meet();
	server.fault_path = "/api/me";
	for (size_t i = 0; i < TACIT_COUNT(answers); i++) {
		server.fault_status = answers[i].status;
		server.fault_code = answers[i].code;
		person_forget(&alice);
		CHECK_ERR(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_WHOAMI}),
		        answers[i].err);
		CHECK(person_told(&alice, TACIT_NOTICE_FAILED, answers[i].err, answers[i].text));
	}
	server.fault_status = 0;
	server.lose_request = 99;
	CHECK_ERR(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_WHOAMI}),
	        TACIT_E_NETWORK);
	CHECK_INT(server.lose_request, 96); /* three tries */
	server.lose_request = 2;
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_WHOAMI}));
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a swapped key", a_swapped_key},
	        {"a key swapped while numbers are compared",
	                a_key_swapped_while_numbers_are_compared},
	        {"a swapped key of our own", a_swapped_key_of_our_own},
	        {"an added device", an_added_device},
	        {"the same device twice", the_same_device_twice},
	        {"a borrowed device id", a_borrowed_device_id},
	        {"a ghost in a direct chat", a_ghost_in_a_direct_chat},
	        {"a ghost in a group", a_ghost_in_a_group},
	        {"a long title", a_long_title},
	        {"refused and delivered", refused_and_delivered},
	        {"one person under two names", one_person_under_two_names},
	        {"another account at login", another_account_at_login},
	        {"error answers", error_answers},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
