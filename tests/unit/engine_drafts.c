/* What is written while the server is away waits, and goes out once: also when the power fails, and
 * to nobody else than it was meant for. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "support/tap.h"
#include "two_people.h"

/* Nothing can be reached until the next call of back(). */
static void away(int status)
{
	server.fault_path = "/api/";
	server.fault_method = TACIT_GET; /* whatever it is */
	server.fault_status = status;
	server.fault_code = "AWAY";
	server.lose_request = status == 0 ? 1000 : 0;
}

static void back(void)
{
	server.fault_path = NULL;
	server.fault_status = 0;
	server.lose_request = 0;
}

static void drafts_wait_for_the_server(void)
{
	meet();
	away(0);
	CHECK_ERR(person_say(&alice, "bob", "to a stranger"), TACIT_E_NETWORK);
	CHECK(!person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	back();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	size_t records = alice.record_count;
	away(0);
	CHECK_ERR(person_say(&alice, "bob", "one"), TACIT_E_NETWORK);
	CHECK(person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_NETWORK, "is kept, and goes out"));
	CHECK_INT(alice.record_count, records + 1);
	CHECK_OK(person_restart(&alice));
	away(503);
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_NETWORK);
	away(404);
	CHECK_ERR(person_say(&alice, "bob", "not to be kept"), TACIT_E_NOT_FOUND);
	CHECK(!person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	back();
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say(&alice, "bob", "three"));
	CHECK_INT(alice.record_count, records + 3); /* each is kept for a while, to be sent again */
	settle();
	static const char *const texts[] = {"hello", "one", "two", "three"};
	for (size_t i = 0; i < TACIT_COUNT(texts); i++)
		check_once(texts[i], true);
	CHECK_INT(fake_said_count(&server), TACIT_COUNT(texts));
	CHECK_INT(bob.log_count, TACIT_COUNT(texts));
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_MESSAGE)->content, "three") == 0);
	part();
}

/* The power fails wherever it may while two drafts go out with a sync. */
static void killed_while_drafts_go_out(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	for (long at = 0; at < 40; at++) {
		char text[2][48];
		away(0);
		for (int i = 0; i < 2; i++) {
			snprintf(text[i], sizeof(text[i]), "draft %ld %d", at, i);
			CHECK_ERR(person_say(&alice, "bob", text[i]), TACIT_E_NETWORK);
		}
		back();
		alice.power = at;
		enum tacit_err err = person_sync(&alice);
		bool over = alice.power >= 0;
		settle();
		check_once(text[0], true);
		check_once(text[1], true);
		person_forget(&alice);
		person_forget(&bob);
		person_forget_history(&alice);
		person_forget_history(&bob);
		fake_server_forget(&server);
		if (over) {
			CHECK_OK(err);
			part();
			return;
		}
	}
	tap_check(false, "the drafts come to an end", __FILE__, __LINE__);
}

struct waiting {
	char id[3][40], text[3][16];
	bool sealed[3];
	size_t count;
};

static void note_waiting(void *ctx, const struct tacit_notice *n)
{
	struct waiting *w = ctx;
	CHECK_INT(n->kind, TACIT_NOTICE_OUTGOING);
	CHECK(tacit_bytes_eq(n->title, TACIT_STR("bob")));
	if (w->count == 3)
		return;
	snprintf(
	        w->id[w->count], sizeof(w->id[0]), "%.*s", (int)n->text.n, (const char *)n->text.p);
	snprintf(w->text[w->count], sizeof(w->text[0]), "%.*s", (int)n->content.text.n,
	        (const char *)n->content.text.p);
	w->sealed[w->count++] = n->flag;
}

static struct waiting waiting(void)
{
	struct waiting w = {0};
	CHECK_OK(tacit_engine_each_outgoing(alice.engine, note_waiting, &w));
	return w;
}

static enum tacit_err drop(const char *id)
{
	const struct tacit_command c = {.kind = TACIT_CMD_DROP, .text = tacit_cstr(id)};
	return person_run(&alice, &c);
}

static void what_waits_is_listed_and_dropped(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_INT(waiting().count, 0);
	server.fault_path = "/messages"; /* sealed, and it may have arrived */
	server.fault_method = TACIT_POST;
	server.lose_answer = 1000;
	CHECK_ERR(person_say(&alice, "bob", "sealed"), TACIT_E_NETWORK);
	server.lose_answer = 0;
	away(0);
	CHECK_ERR(person_say(&alice, "bob", "one"), TACIT_E_NETWORK);
	CHECK_ERR(person_say(&alice, "bob", "two"), TACIT_E_NETWORK);
	CHECK_OK(person_restart(&alice));
	struct waiting w = waiting();
	REQUIRE(w.count == 3);
	CHECK(strcmp(w.text[0], "sealed") == 0 && w.sealed[0]);
	CHECK(strcmp(w.text[1], "one") == 0 && !w.sealed[1]);
	CHECK(strcmp(w.text[2], "two") == 0 && !w.sealed[2]);
	CHECK_ERR(drop("no such id"), TACIT_E_NOT_FOUND);
	CHECK_OK(drop(w.id[1]));
	CHECK(!person_last(&alice, TACIT_NOTICE_DONE)->flag);
	CHECK_ERR(drop(w.id[1]), TACIT_E_NOT_FOUND);
	CHECK_OK(person_restart(&alice));
	CHECK_INT(waiting().count, 2);
	back();
	settle();
	check_once("sealed", true);
	check_once("two", true);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "one"), 0);
	CHECK_INT(waiting().count, 0);
	part();
}

/* What was sealed has used up its number: the others miss it, and nothing else is harmed. */
static void a_sealed_one_is_dropped(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	server.fault_path = "/messages";
	server.fault_method = TACIT_POST;
	server.lose_request = 1000;
	CHECK_ERR(person_say(&alice, "bob", "never"), TACIT_E_NETWORK);
	back();
	struct waiting w = waiting();
	REQUIRE(w.count == 1);
	CHECK_OK(drop(w.id[0]));
	CHECK(person_last(&alice, TACIT_NOTICE_DONE)->flag);
	CHECK_OK(person_restart(&alice));
	CHECK_OK(person_say(&alice, "bob", "after"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "never"), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "after"), 1);
	CHECK_INT(person_last(&bob, TACIT_NOTICE_MISSING)->count, 1);
	part();
}

static void drafts_are_bounded(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	away(0);
	for (int i = 0; i < 64; i++) {
		CHECK_ERR(person_say(&alice, "bob", "again"), TACIT_E_NETWORK);
		person_forget(&alice);
	}
	size_t records = alice.record_count;
	CHECK_ERR(person_say(&alice, "bob", "too many"), TACIT_E_LIMIT);
	CHECK(!person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	CHECK_INT(alice.record_count, records);
	CHECK_OK(person_restart(&alice));
	back();
	part();
}

/* A draft was written for those who were there then. */
static void a_draft_is_not_for_newcomers(void)
{
	meet();
	struct person carol;
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	person_init(&carol, "carol", &server);
	person_register(&carol);
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us"),
	                                    .users = users,
	                                    .user_count = 1}));
	uint64_t id = tacit_engine_find_conversation(alice.engine, TACIT_STR("us"));
	unsigned posts = server.posts;
	size_t said = fake_said_count(&server);
	away(0);
	CHECK_ERR(person_say_in(&alice, id, "between us"), TACIT_E_NETWORK);
	back();
	struct fake_conversation *group = &server.conversations[0];
	group->members[group->member_count++].user = fake_user_named(&server, "carol")->id;
	for (int i = 0; i < 2; i++) {
		CHECK_OK(person_restart(&alice));
		CHECK_OK(person_sync(&alice));
		CHECK_INT(server.posts, posts);
	}
	CHECK(person_told(&alice, TACIT_NOTICE_WARNING, TACIT_E_CONFLICT, "carol is in the"));
	CHECK_OK(person_say_in(&alice, id, "all of us"));
	CHECK_INT(fake_said_count(&server), said + 3); /* and the name, for carol */
	CHECK_OK(person_sync(&carol));
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_MESSAGE, NULL), 2);
	person_clear(&carol);
	part();
}

/* A changed key keeps it back until it is the known one again. */
static void a_draft_is_not_for_another_key(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "hello"));
	away(0);
	CHECK_ERR(person_say(&alice, "bob", "for bob"), TACIT_E_NETWORK);
	back();
	struct fake_user *u = fake_user_named(&server, "bob");
	struct tacit_sign_public real = u->key;
	u->key.b[0] ^= 1;
	CHECK_OK(person_sync(&alice));
	CHECK_INT(fake_said_count(&server), 1);
	CHECK(person_heard(&alice, TACIT_NOTICE_KEY_CHANGED, NULL) > 0);
	CHECK(person_heard(&alice, TACIT_NOTICE_WARNING, NULL) > 0);
	CHECK_ERR(person_say(&alice, "bob", "not sent"), TACIT_E_KEY_CHANGED);
	away(0);
	CHECK_ERR(person_say(&alice, "bob", "not kept"), TACIT_E_NETWORK);
	CHECK(!person_last(&alice, TACIT_NOTICE_FAILED)->flag);
	back();
	u->key = real;
	settle();
	check_once("for bob", true);
	CHECK_INT(fake_said_count(&server), 2);
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"drafts wait for the server", drafts_wait_for_the_server},
	        {"killed while drafts go out", killed_while_drafts_go_out},
	        {"what waits is listed and dropped", what_waits_is_listed_and_dropped},
	        {"a sealed one is dropped", a_sealed_one_is_dropped},
	        {"drafts are bounded", drafts_are_bounded},
	        {"a draft is not for newcomers", a_draft_is_not_for_newcomers},
	        {"a draft is not for another key", a_draft_is_not_for_another_key},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
