/* Two and three people talk through a server that does its work: the engine as it is used. */
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "engine_people.h"
#include "support/tap.h"

static struct fake_server server;
static struct person alice, bob, carol;

static void meet(size_t people)
{
	fake_server_init(&server);
	server.now = person_clock;
	struct person *all[] = {&alice, &bob, &carol};
	static const char *const names[] = {"alice", "bob", "carol"};
	for (size_t i = 0; i < people; i++) {
		person_init(all[i], names[i], &server);
		person_register(all[i]);
	}
}

static void part(void)
{
	person_clear(&alice);
	person_clear(&bob);
	person_clear(&carol);
	fake_server_clear(&server);
}

static struct tacit_command named(enum tacit_command_kind kind, const char *username)
{
	return (struct tacit_command){.kind = kind, .username = tacit_cstr(username)};
}

static void registers(void)
{
	fake_server_init(&server);
	person_init(&alice, "alice", &server);
	CHECK(!tacit_engine_has_account(alice.engine));
	struct tacit_command c = {.kind = TACIT_CMD_REGISTER,
	        .username = TACIT_STR("alice"),
	        .email = TACIT_STR("alice@example.org"),
	        .password = TACIT_STR("short")};
	CHECK_ERR(person_run(&alice, &c), TACIT_E_WEAK_PASSWORD);
	c.password = TACIT_STR("correct horse 1!");
	c.username = TACIT_STR("no spaces");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_NAME);
	c.username = TACIT_STR("alice");
	c.email = TACIT_STR("nowhere");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_NAME);
	CHECK_INT(server.user_count, 0);
	c.email = TACIT_STR("alice@example.org");
	CHECK_OK(person_run(&alice, &c));
	CHECK(person_told(&alice, TACIT_NOTICE_TOTP_SETUP, TACIT_OK, "otpauth://"));
	CHECK_INT(alice.profile.n, 0);
	CHECK_ERR(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_VERIFY_TOTP,
	                                     .code = TACIT_STR("000000")}),
	        TACIT_E_BAD_PASSWORD);
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_VERIFY_TOTP,
	                                    .code = TACIT_STR("123456")}));
	CHECK(person_told(&alice, TACIT_NOTICE_RECOVERY_CODES, TACIT_OK, "aaaa-bbbb\ncccc-dddd"));
	CHECK(alice.profile.n > 0 && tacit_engine_logged_in(alice.engine));
	CHECK_INT(server.users[0].device_count, 1);
	CHECK_ERR(person_run(&alice, &c), TACIT_E_EXISTS);
	person_init(&bob, "alice", &server);
	CHECK_ERR(person_run(&bob, &c), TACIT_E_EXISTS);
	part();
}

static void unlocks(void)
{
	meet(1);
	struct tacit_engine *e;
	REQUIRE(tacit_engine_open(&alice.env, tacit_buf_view(&alice.profile), &e) == TACIT_OK);
	CHECK(tacit_engine_has_account(e) && tacit_engine_locked(e));
	CHECK_BYTES(tacit_engine_username(e), TACIT_STR("alice"));
	CHECK_INT(tacit_engine_account_secret(e).n, 0);
	uint64_t op;
	struct tacit_effects fx = {0};
	struct tacit_command c = {.kind = TACIT_CMD_SYNC};
	CHECK_ERR(tacit_engine_command(e, &c, &op, &fx), TACIT_E_NOT_LOGGED_IN);
	CHECK_ERR(tacit_engine_unlock(e, TACIT_STR("wrong horse 1!")), TACIT_E_BAD_PASSWORD);
	CHECK_ERR(tacit_engine_unlock_with_secret(e, TACIT_STR("0123456789abcdef0123456789abcdef")),
	        TACIT_E_BAD_PASSWORD);
	CHECK(tacit_engine_locked(e));
	CHECK_OK(tacit_engine_unlock(e, TACIT_STR("correct horse 1!")));
	CHECK_BYTES(tacit_engine_account_secret(e), tacit_buf_view(&alice.secret));
	for (size_t i = 0; i < alice.record_count; i++)
		CHECK_OK(tacit_engine_restore(
		        e, &alice.records[i].id, tacit_buf_view(&alice.records[i].data)));
	CHECK(tacit_engine_logged_in(e));
	/* A record at the place of another does not open. */
	CHECK_ERR(tacit_engine_restore(
	                  e, &alice.records[0].id, tacit_buf_view(&alice.records[1].data)),
	        TACIT_E_BAD_SEAL);
	tacit_engine_free(e);
	part();
}

static void two_talk(void)
{
	meet(2);
	CHECK_OK(person_say(&alice, "bob", "hello bob"));
	CHECK_INT(person_logged(&alice, "hello bob"), 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "hello bob"), 1);
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_MESSAGE)->username, "alice") == 0);
	CHECK_OK(person_say(&bob, "ALICE", "hello yourself"));
	CHECK_OK(person_say(&bob, "alice", "and once more"));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "hello yourself"), 1);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "and once more"), 1);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, NULL), 2);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 0);
	CHECK_INT(server.conversation_count, 1);
	/* Nothing new: nothing is told again. */
	person_forget(&alice);
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, NULL), 0);
	uint64_t id = tacit_engine_find_conversation(alice.engine, TACIT_STR("bob"));
	CHECK_INT(id, 100);
	CHECK_INT(tacit_engine_find_conversation(alice.engine, TACIT_STR("carol")), 0);
	CHECK_ERR(person_say(&alice, "nobody", "x"), TACIT_E_NOT_FOUND);
	CHECK_ERR(person_say(&alice, "alice", "x"), TACIT_E_USAGE);
	part();
}

/* RFC 9562 5.8; the last group is the one that counts. */
static bool is_client_id(const char *id)
{
	static const char form[] = "xxxxxxxx-xxxx-8xxx-vxxx-xxxxxxxxxxxx";
	bool good = strlen(id) == strlen(form);
	for (size_t i = 0; good && form[i] != '\0'; i++)
		good = form[i] == 'x'   ? strchr("0123456789abcdef", id[i]) != NULL
		       : form[i] == 'v' ? strchr("89ab", id[i]) != NULL
		                        : id[i] == form[i];
	return good;
}

/* The server finds a place for each beside the last one of that sender there. */
static void client_ids_are_neighbours(void)
{
	const size_t series = 19; /* characters */
	const struct fake_message *m = server.messages;
	meet(3);
	CHECK_OK(person_say(&alice, "bob", "one"));
	CHECK_OK(person_say(&alice, "carol", "elsewhere"));
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say(&alice, "bob", "three"));
	const char *to_bob[8], *to_carol[8];
	size_t bobs = 0, carols = 0;
	for (size_t i = 0; i < server.message_count; i++) {
		CHECK(is_client_id(m[i].client_id));
		if (m[i].conversation == m[0].conversation)
			to_bob[bobs++] = m[i].client_id;
		else
			to_carol[carols++] = m[i].client_id;
	}
	CHECK_INT(bobs, 4); /* the commit and three messages */
	CHECK_INT(carols, 2);
	CHECK(strncmp(to_bob[0], to_bob[2], series) == 0);
	CHECK(strcmp(to_bob[0], to_bob[1]) < 0 && strcmp(to_bob[1], to_bob[2]) < 0);
	CHECK(strncmp(to_bob[0], to_carol[0], series) != 0);
	CHECK(strncmp(to_bob[2], to_bob[3], series) != 0);
	part();
}

/* An account that ends takes its side of a chat along; the next one of that name begins another. */
static void a_chat_that_one_has_left(void)
{
	meet(2);
	CHECK_OK(person_say(&alice, "bob", "one"));
	server.conversations[0].member_count = 1;
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(&alice, TACIT_NOTICE_MEMBER, TACIT_OK, "bob is no longer in"));
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK_INT(server.conversation_count, 2);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "two"), 1);
	part();
}

static void a_group_talks(void)
{
	meet(3);
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("plans"),
	                                    .users = users,
	                                    .user_count = 1}));
	uint64_t id = person_last(&alice, TACIT_NOTICE_CONVERSATION)->conversation;
	CHECK_INT(tacit_engine_find_conversation(alice.engine, TACIT_STR("plans")), id);
	CHECK_OK(person_say_in(&alice, id, "one"));
	CHECK_OK(person_sync(&bob));
	struct tacit_bytes more[] = {TACIT_STR("carol")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_ADD,
	                                    .conversation = id,
	                                    .users = more,
	                                    .user_count = 1}));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MEMBER, NULL), 0);
	/* Alice added her, and is not asked again. */
	CHECK_OK(person_say_in(&alice, id, "welcome"));
	/* Bob did not ask for carol, so he is told, before anything is sealed for her. */
	person_forget(&bob);
	CHECK_ERR(person_say_in(&bob, id, "two"), TACIT_E_CONFLICT);
	CHECK(person_told(&bob, TACIT_NOTICE_MEMBER, TACIT_OK, "carol is now in the conversation"));
	CHECK(person_told(&bob, TACIT_NOTICE_FAILED, TACIT_E_CONFLICT,
	        "carol is in the conversation now; send again to include them."));
	CHECK_OK(person_say_in(&bob, id, "two"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MEMBER, NULL), 1);
	CHECK_OK(person_sync(&carol));
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, "two"), 1);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, "one"), 0);
	CHECK_OK(person_say_in(&carol, id, "three"));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "two"), 1);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "three"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "three"), 1);
	/* What a member has said opens also after it has left. */
	CHECK_OK(person_say_in(&carol, id, "goodbye"));
	CHECK_OK(person_run(&carol, &(struct tacit_command){.kind = TACIT_CMD_REMOVE,
	                                    .conversation = id,
	                                    .username = TACIT_STR("carol")}));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "goodbye"), 1);
	CHECK(person_told(&bob, TACIT_NOTICE_MEMBER, TACIT_OK, "carol is no longer in"));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_say_in(&alice, id, "she has left"));
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_REMOVE,
	                                    .conversation = id,
	                                    .username = TACIT_STR("bob")}));
	CHECK_ERR(person_say_in(&bob, id, "am I?"), TACIT_E_NOT_FOUND);
	CHECK_ERR(person_say_in(&carol, id, "let me in"), TACIT_E_NOT_FOUND);
	part();
}

static void a_new_device(void)
{
	meet(2);
	CHECK_OK(person_say(&bob, "alice", "before"));
	CHECK_OK(person_sync(&alice));
	person_clock += 10;
	server.now = person_clock;
	static struct person laptop;
	person_init(&laptop, "alice", &server);
	struct tacit_command c = {.kind = TACIT_CMD_LOGIN,
	        .username = TACIT_STR("alice"),
	        .email = TACIT_STR("alice@example.org"),
	        .password = TACIT_STR("wrong horse 1!"),
	        .code = TACIT_STR("123456")};
	CHECK_ERR(person_run(&laptop, &c), TACIT_E_BAD_PASSWORD);
	c.password = TACIT_STR("correct horse 1!");
	c.code = TACIT_STR("aaaa-bbbb");
	CHECK_OK(person_run(&laptop, &c));
	CHECK_BYTES(tacit_buf_view(&laptop.secret), tacit_buf_view(&alice.secret));
	CHECK_INT(server.users[0].device_count, 2);
	struct person *me = &laptop;
	CHECK_OK(person_sync(me));
	CHECK_INT(person_heard(me, TACIT_NOTICE_REFUSED, NULL), 0);
	person_clock += 10;
	server.now = person_clock;
	CHECK_OK(person_say(&bob, "alice", "to both"));
	CHECK_OK(person_sync(me));
	CHECK_INT(person_heard(me, TACIT_NOTICE_MESSAGE, "to both"), 1);
	CHECK_INT(person_heard(me, TACIT_NOTICE_REFUSED, NULL), 0);
	/* The fake server knows one session a user: the first machine logs in again. */
	CHECK_OK(person_say(me, "bob", "from the laptop"));
	struct tacit_command again = {.kind = TACIT_CMD_LOGIN,
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456")};
	CHECK_OK(person_run(&alice, &again));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "from the laptop"), 1);
	CHECK(person_last(&alice, TACIT_NOTICE_MESSAGE)->flag);
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_DEVICES}));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_DEVICE, NULL), 2);
	struct tacit_command revoke = {
	        .kind = TACIT_CMD_REVOKE_DEVICE, .text = tacit_cstr(server.users[0].devices[1].id)};
	CHECK_OK(person_run(&alice, &revoke));
	CHECK_INT(server.users[0].device_count, 1);
	person_clear(&laptop);
	part();
}

static void a_password_is_reset(void)
{
	static struct person laptop;
	meet(2);
	CHECK_OK(person_say(&alice, "bob", "before"));
	struct tacit_command c = {.kind = TACIT_CMD_RESET_PASSWORD,
	        .text = TACIT_STR("alice.good"),
	        .password = TACIT_STR("short")};
	CHECK_ERR(person_run(&alice, &c), TACIT_E_WEAK_PASSWORD);
	c.password = TACIT_STR("another horse 2!");
	c.text = TACIT_STR("alice.over");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_NOT_LOGGED_IN);
	CHECK(tacit_engine_logged_in(alice.engine));
	CHECK_OK(person_say(&alice, "bob", "nothing has changed"));
	c.text = TACIT_STR("alice.good");
	CHECK_OK(person_run(&alice, &c));
	CHECK(!tacit_engine_logged_in(alice.engine));
	CHECK_OK(person_restart(&alice)); /* the same secret, as it was persisted */
	struct tacit_command login = {.kind = TACIT_CMD_LOGIN,
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456")};
	CHECK_ERR(person_run(&alice, &login), TACIT_E_BAD_PASSWORD);
	login.password = c.password;
	CHECK_OK(person_run(&alice, &login));
	CHECK_OK(person_say(&alice, "bob", "after"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 3);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_KEY_CHANGED, NULL), 0);
	/* The server's copy of the key opens by the new password, and is the same key. */
	person_init(&laptop, "alice", &server);
	login.username = TACIT_STR("alice");
	login.email = TACIT_STR("alice@example.org");
	CHECK_OK(person_run(&laptop, &login));
	CHECK_BYTES(tacit_buf_view(&laptop.secret), tacit_buf_view(&alice.secret));
	person_clear(&laptop);
	/* And so does the profile. */
	struct tacit_engine *e = NULL;
	REQUIRE(CHECK_OK(tacit_engine_open(&alice.env, tacit_buf_view(&alice.profile), &e)));
	CHECK_ERR(tacit_engine_unlock(e, TACIT_STR("correct horse 1!")), TACIT_E_BAD_PASSWORD);
	CHECK_OK(tacit_engine_unlock(e, c.password));
	tacit_engine_free(e);
	part();
}

static void small_commands(void)
{
	meet(2);
	struct tacit_command c = {.kind = TACIT_CMD_WHOAMI};
	CHECK_OK(person_run(&alice, &c));
	CHECK_OK(person_run(&alice, &c)); /* twice in a second: two signatures */
	CHECK(strcmp(person_last(&alice, TACIT_NOTICE_USER)->username, "alice") == 0);
	c = (struct tacit_command){.kind = TACIT_CMD_USERS, .text = TACIT_STR("b")};
	CHECK_OK(person_run(&alice, &c));
	CHECK(strcmp(person_last(&alice, TACIT_NOTICE_USER)->username, "bob") == 0);
	c = named(TACIT_CMD_RESOLVE, "bob");
	CHECK_OK(person_run(&alice, &c));
	CHECK(strcmp(person_last(&alice, TACIT_NOTICE_CONVERSATION)->title, "bob") == 0);
	CHECK(strcmp(person_last(&alice, TACIT_NOTICE_CONVERSATION)->members, "alice\nbob") == 0);
	CHECK_OK(person_say(&alice, "bob", "read me"));
	CHECK_OK(person_sync(&bob));
	c = (struct tacit_command){.kind = TACIT_CMD_MARK_READ, .conversation = 100};
	CHECK_OK(person_run(&bob, &c));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_last(&alice, TACIT_NOTICE_READ)->message, 2); /* behind the first commit */
	c = (struct tacit_command){.kind = TACIT_CMD_CONVERSATIONS};
	CHECK_OK(person_run(&alice, &c));
	c = (struct tacit_command){.kind = TACIT_CMD_LOGOUT};
	CHECK_OK(person_run(&alice, &c));
	CHECK(!tacit_engine_logged_in(alice.engine));
	CHECK_INT(tacit_engine_cookie(alice.engine).n, 0);
	CHECK_ERR(person_sync(&alice), TACIT_E_NOT_LOGGED_IN);
	part();
}

static void look_verified(void *ctx, const struct tacit_notice *n)
{
	if (n->conversation_kind == TACIT_DIRECT)
		*(bool *)ctx = n->flag;
}

static bool shown_verified(const struct person *p)
{
	bool verified = false;
	tacit_engine_each_conversation(p->engine, look_verified, &verified);
	return verified;
}

/* Its name is the server's to read, and not to change. */
static void a_room_talks(void)
{
	meet(3);
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	struct tacit_command create = {.kind = TACIT_CMD_CREATE_ROOM,
	        .text = TACIT_STR("lobby"),
	        .users = users,
	        .user_count = 1};
	CHECK_OK(person_run(&alice, &create));
	struct fake_conversation *room = &server.conversations[0];
	uint64_t id = room->id;
	CHECK_INT(person_last(&alice, TACIT_NOTICE_CONVERSATION)->conversation, id);
	CHECK_BYTES(tacit_cstr(room->kind), TACIT_STR("room"));
	CHECK_BYTES(tacit_cstr(room->name), TACIT_STR("lobby"));
	CHECK_OK(person_say_in(&alice, id, "one"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "one"), 1);
	struct tacit_bytes more[] = {TACIT_STR("carol")};
	CHECK_OK(person_run(&bob, &(struct tacit_command){.kind = TACIT_CMD_ADD,
	                                  .conversation = id,
	                                  .users = more,
	                                  .user_count = 1}));
	CHECK_OK(person_sync(&carol));
	CHECK_OK(person_say_in(&carol, id, "two"));
	CHECK_OK(person_sync(&alice));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_MESSAGE, "two"), 1);
	snprintf(room->name, sizeof(room->name), "tacit support");
	struct person *const all[] = {&alice, &bob, &carol};
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		CHECK_OK(person_sync(all[i]));
		CHECK_OK(person_restart(all[i]));
		CHECK_INT(tacit_engine_find_conversation(all[i]->engine, TACIT_STR("lobby")), id);
		CHECK_INT(
		        tacit_engine_find_conversation(all[i]->engine, TACIT_STR("tacit support")),
		        0);
	}
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_ROOM,
	                                    .text = TACIT_STR("alone")}));
	CHECK_INT(server.conversations[1].member_count, 1);
	create.text = TACIT_STR("");
	CHECK_ERR(person_run(&alice, &create), TACIT_E_BAD_NAME);
	create.text = TACIT_STR("not a room");
	server.other_kind = "group";
	CHECK_ERR(person_run(&alice, &create), TACIT_E_REFUSED);
	server.other_kind = "room";
	create.kind = TACIT_CMD_CREATE_GROUP;
	CHECK_ERR(person_run(&alice, &create), TACIT_E_REFUSED);
	part();
}

static enum tacit_err compare(const char *theirs)
{
	return person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_COMPARE,
	                                  .username = TACIT_STR("bob"),
	                                  .text = tacit_cstr(theirs)});
}

static void safety_numbers_are_compared(void)
{
	char words[sizeof(alice.heard[0].detail)];
	char digits[sizeof(alice.heard[0].text)];
	meet(2);
	CHECK_ERR(compare("1"), TACIT_E_NOT_FOUND);
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_OK(person_do(&bob, TACIT_CMD_SAFETY_NUMBER, "alice"));
	snprintf(words, sizeof(words), "%s", person_last(&bob, TACIT_NOTICE_SAFETY)->detail);
	snprintf(digits, sizeof(digits), "%s", person_last(&bob, TACIT_NOTICE_SAFETY)->text);
	CHECK_ERR(compare(""), TACIT_E_MALFORMED);
	CHECK_ERR(compare("otpauth://totp/tacit:bob"), TACIT_E_MALFORMED);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_MALFORMED, "no safety number"));
	digits[0] = digits[0] == '1' ? '2' : '1';
	CHECK_ERR(compare(digits), TACIT_E_BAD_SIGNATURE);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_BAD_SIGNATURE, "NOT the same"));
	CHECK(!shown_verified(&alice));
	CHECK_OK(compare(words));
	CHECK(shown_verified(&alice));
	CHECK_OK(person_restart(&alice));
	CHECK(shown_verified(&alice));
	/* Another key: what was bob's is not its number, and it stays unaccepted. */
	struct fake_user *u = fake_user_named(&server, "bob");
	u->key.b[0] ^= 1;
	CHECK_OK(person_do(&alice, TACIT_CMD_CONVERSATIONS, ""));
	CHECK_ERR(compare(words), TACIT_E_BAD_SIGNATURE);
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "bob"));
	snprintf(digits, sizeof(digits), "%s", person_last(&alice, TACIT_NOTICE_SAFETY)->text);
	CHECK_OK(compare(
	        digits)); /* where it is the new one's indeed, it is accepted, and verified */
	CHECK(shown_verified(&alice));
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "bob"));
	CHECK_OK(person_last(&alice, TACIT_NOTICE_SAFETY)->err);
	part();
}

static void safety_numbers_agree(void)
{
	meet(2);
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK(!shown_verified(&alice));
	struct tacit_command c = named(TACIT_CMD_SAFETY_NUMBER, "bob");
	CHECK_OK(person_run(&alice, &c));
	c = named(TACIT_CMD_SAFETY_NUMBER, "alice");
	CHECK_OK(person_run(&bob, &c));
	const struct heard *a = person_last(&alice, TACIT_NOTICE_SAFETY);
	CHECK(a->text[0] != 0 && !a->flag);
	CHECK(strcmp(a->text, person_last(&bob, TACIT_NOTICE_SAFETY)->text) == 0);
	c = named(TACIT_CMD_SET_VERIFIED, "bob");
	CHECK_OK(person_run(&alice, &c));
	CHECK_OK(person_restart(&alice));
	c = named(TACIT_CMD_SAFETY_NUMBER, "bob");
	CHECK_OK(person_run(&alice, &c));
	CHECK(person_last(&alice, TACIT_NOTICE_SAFETY)->flag);
	CHECK(shown_verified(&alice));
	fake_user_named(&server, "bob")->key.b[0] ^= 1;
	CHECK_OK(person_do(&alice, TACIT_CMD_CONVERSATIONS, ""));
	CHECK(!shown_verified(&alice));
	fake_user_named(&server, "bob")->key.b[0] ^= 1;
	CHECK_OK(person_do(&alice, TACIT_CMD_CONVERSATIONS, ""));
	CHECK(shown_verified(&alice));
	c = named(TACIT_CMD_ACCEPT_KEY, "bob");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_CONFLICT);
	c = named(TACIT_CMD_SET_VERIFIED, "carol");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_NOT_FOUND);
	part();
}

static void notes_are_kept(void)
{
	meet(1);
	struct tacit_effects fx = {0};
	struct tacit_buf value = {0};
	CHECK_OK(tacit_engine_note_put(
	        alice.engine, TACIT_STR("upload"), TACIT_STR("half done"), &fx));
	REQUIRE(fx.count == 1 && fx.list[0].kind == TACIT_EFFECT_PERSIST);
	CHECK_OK(tacit_engine_note_get(alice.engine, TACIT_STR("upload"), &value));
	CHECK_BYTES(tacit_buf_view(&value), TACIT_STR("half done"));
	CHECK_OK(person_restart(&alice));
	value.n = 0;
	CHECK_ERR(tacit_engine_note_get(alice.engine, TACIT_STR("upload"), &value),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(tacit_engine_restore(
	        alice.engine, &fx.list[0].id, tacit_buf_view(&fx.list[0].data)));
	CHECK_OK(tacit_engine_note_get(alice.engine, TACIT_STR("upload"), &value));
	CHECK_BYTES(tacit_buf_view(&value), TACIT_STR("half done"));
	tacit_effects_clear(&fx);
	CHECK_OK(tacit_engine_note_put(
	        alice.engine, TACIT_STR("upload"), tacit_bytes(NULL, 0), &fx));
	CHECK_INT(fx.list[0].data.n, 0);
	CHECK_ERR(tacit_engine_note_get(alice.engine, TACIT_STR("upload"), &value),
	        TACIT_E_NOT_FOUND);
	tacit_effects_clear(&fx);
	tacit_buf_clear(&value);
	part();
}

static void history_is_bound_to_its_place(void)
{
	meet(2);
	CHECK_OK(person_say(&alice, "bob", "first"));
	REQUIRE(alice.log_count == 1);
	struct kept *entry = &alice.log[0];
	struct tacit_notice n;
	struct tacit_buf room = {0};
	struct tacit_record_id tag;
	tacit_engine_log_tag(alice.engine, 100, &tag);
	CHECK_OK(tacit_engine_log_open(
	        alice.engine, &tag, entry->position, tacit_buf_view(&entry->data), &n, &room));
	CHECK(n.flag && n.kind == TACIT_NOTICE_MESSAGE);
	CHECK_ERR(tacit_engine_log_open(alice.engine, &tag, entry->position + 8,
	                  tacit_buf_view(&entry->data), &n, &room),
	        TACIT_E_BAD_SEAL);
	tacit_engine_log_tag(alice.engine, 101, &tag);
	CHECK_ERR(tacit_engine_log_open(alice.engine, &tag, entry->position,
	                  tacit_buf_view(&entry->data), &n, &room),
	        TACIT_E_BAD_SEAL);
	tacit_buf_clear(&room);
	part();
}

static void several_at_once(void)
{
	meet(2);
	enum tacit_err err;
	uint64_t op[3];
	CHECK_OK(person_say(&alice, "bob", "zero"));
	struct tacit_content one = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("one")};
	struct tacit_content two = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("two")};
	struct tacit_command c = {.kind = TACIT_CMD_SEND, .conversation = 100, .content = &one};
	CHECK_OK(person_begin(&alice, &c, &op[0]));
	c.content = &two;
	CHECK_OK(person_begin(&alice, &c, &op[1]));
	c = (struct tacit_command){.kind = TACIT_CMD_SYNC};
	CHECK_OK(person_begin(&alice, &c, &op[2]));
	while (person_step(&alice, &err))
		continue;
	CHECK_OK(err);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_DONE, NULL), 3 + 3);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_FAILED, NULL), 0);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 3);
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_MESSAGE)->content, "two") == 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_logged(&alice, "one"), 1);
	part();
}

static void an_unknown_request_is_refused(void)
{
	meet(1);
	struct tacit_effects fx = {0};
	struct tacit_http_answer a = {.status = 200};
	CHECK_ERR(tacit_engine_answer(alice.engine, 4711, &a, &fx), TACIT_E_USAGE);
	CHECK_ERR(tacit_engine_answer(alice.engine, 0, &a, &fx), TACIT_E_USAGE);
	struct tacit_command c = {.kind = (enum tacit_command_kind)99};
	uint64_t op;
	CHECK_ERR(tacit_engine_command(alice.engine, &c, &op, &fx), TACIT_E_USAGE);
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"registers", registers},
	        {"unlocks", unlocks},
	        {"two talk", two_talk},
	        {"client ids are neighbours", client_ids_are_neighbours},
	        {"a chat that one has left", a_chat_that_one_has_left},
	        {"a group talks", a_group_talks},
	        {"a room talks", a_room_talks},
	        {"a new device", a_new_device},
	        {"a password is reset", a_password_is_reset},
	        {"small commands", small_commands},
	        {"safety numbers agree", safety_numbers_agree},
	        {"safety numbers are compared", safety_numbers_are_compared},
	        {"notes are kept", notes_are_kept},
	        {"history is bound to its place", history_is_bound_to_its_place},
	        {"several at once", several_at_once},
	        {"an unknown request is refused", an_unknown_request_is_refused},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
