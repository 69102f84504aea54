/* What comes live, in every order in which it can come: each message is told once, and in order. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "engine_people.h"
#include "support/tap.h"

static struct fake_server server;
static struct person alice, bob;

static void meet(void)
{
	fake_server_init(&server);
	server.now = person_clock;
	person_init(&alice, "alice", &server);
	person_init(&bob, "bob", &server);
	person_register(&alice);
	person_register(&bob);
}

static void part(void)
{
	person_clear(&alice);
	person_clear(&bob);
	fake_server_clear(&server);
}

static uint64_t room(void)
{
	return server.conversations[0].id;
}

/* alice says it; bob hears nothing of it yet. The index of the message. */
static size_t say(const char *text)
{
	CHECK_OK(person_say(&alice, "bob", text));
	return server.message_count - 1;
}

/* So many requests never arrive. */
static void cut_off(unsigned requests)
{
	server.fault_path = requests > 0 ? "/api/" : NULL;
	server.lose_request = requests;
}

static void online(void)
{
	person_live_up(&bob);
	person_live_join(&bob, 50);
	person_forget(&bob);
}

static void event(const char *name, const char *more)
{
	char body[300];
	snprintf(body, sizeof(body), "{\"room_id\":%llu%s}", (unsigned long long)room(), more);
	person_live(&bob, name, body);
}

static void opens_what_is_next(void)
{
	meet();
	say("before");
	online();
	CHECK_INT(person_logged(&bob, "before"), 1);
	size_t first = say("one"), second = say("two");
	/* Not a request is needed for what comes live. */
	server.fault_path = "/api/";
	server.fault_status = 503;
	person_live_message(&bob, first);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "one"), 1);
	CHECK_INT(person_last(&bob, TACIT_NOTICE_MESSAGE)->op, 0);
	person_live_message(&bob, second);
	person_live_message(&bob, first);
	person_live_message(&bob, second);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 2);
	CHECK(server.fault_path != NULL);
	server.fault_path = NULL;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 2);
	CHECK_INT(person_logged(&bob, "one") + person_logged(&bob, "two"), 2);
	part();
}

static void joins_what_it_is_let_into(void)
{
	meet();
	online();
	CHECK_INT(bob.join_count, 0);
	size_t first = say("hello, you do not know me");
	person_live_message(&bob, first); /* of a room that is not known: the list is asked */
	CHECK_INT(bob.join_count, 1);
	CHECK_INT(bob.joins[0], room());
	person_live_join(&bob, 50);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 1);
	person_live_message(&bob, say("and again"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "and again"), 1);
	part();
}

static void a_long_history_comes_in_pages(void)
{
	char text[24];
	meet();
	say("before");
	online();
	person_live_down(&bob);
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "page %d", i);
		say(text);
	}
	cut_off(999); /* the list cannot be had: the joins alone bring it */
	person_live_up(&bob);
	person_live_join(&bob, 3);
	cut_off(0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 10);
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_MESSAGE)->content, "page 9") == 0);
	person_live_message(&bob, say("live again"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 11);
	part();
}

static void what_fell_behind_is_fetched(void)
{
	meet();
	say("before");
	online();
	say("dropped 1");
	say("dropped 2");
	size_t late = say("late");
	cut_off(999);
	event("error", ",\"code\":\"FELL_BEHIND\",\"error\":\"too slow\"");
	person_live_message(&bob, late); /* not opened: something is missing before it */
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 0);
	cut_off(0);
	CHECK(tacit_engine_due(bob.engine) > person_clock);
	CHECK(tacit_engine_due(bob.engine) != INT64_MAX);
	person_clock += 10;
	CHECK(tacit_engine_due(bob.engine) <= person_clock);
	person_tick(&bob);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 3);
	CHECK_INT(tacit_engine_due(bob.engine), INT64_MAX);
	person_live_message(&bob, late);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 3);
	part();
}

/* What is dropped may be the history of a join. */
static void a_dropped_history_is_asked_for_again(void)
{
	static const char *const words[] = {"error", "fell_behind"};
	for (size_t i = 0; i < TACIT_COUNT(words); i++) {
		meet();
		say("before");
		person_live_up(&bob);
		CHECK_INT(bob.join_count, 1);
		bob.join_count = 0; /* the join is heard, its history dropped */
		say("meanwhile");
		if (i == 0)
			event("error", ",\"code\":\"FELL_BEHIND\",\"error\":\"too slow\"");
		else
			person_live(&bob, "fell_behind", "{}");
		CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 2);
		REQUIRE(bob.join_count == 1);
		person_live_join(&bob, 50);
		size_t live = say("live");
		cut_off(999); /* it needs no request */
		person_live_message(&bob, live);
		cut_off(0);
		CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "live"), 1);
		part();
	}
}

/* A server that forgot an event, and says nothing of it, has it in the history all the same. */
static void a_gap_is_fetched_before_it_is_told(void)
{
	meet();
	say("before");
	online();
	size_t lost = say("lost 1");
	say("lost 2");
	size_t late = say("late");
	cut_off(999);
	person_live_message(&bob, late);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 0);
	cut_off(0);
	person_clock += 10;
	person_tick(&bob);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 3);
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_MESSAGE)->content, "late") == 0);
	person_live_message(&bob, lost);
	person_live_message(&bob, late);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 3);
	/* What the history does not have either is missing. */
	size_t gone = say("gone");
	server.messages[gone].hidden = true;
	person_live_message(&bob, say("after what is gone"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MISSING, NULL), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "after what is gone"), 1);
	part();
}

static void the_connection_outlives_the_engine(void)
{
	meet();
	say("before");
	online();
	struct tacit_engine *before = bob.engine;
	bob.engine = NULL;
	CHECK_OK(person_restart(&bob));
	tacit_engine_live_adopt(bob.engine, before);
	tacit_engine_free(before);
	person_live_message(&bob, say("after"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "after"), 1);
	part();
}

static void tells_marks_typing_and_presence(void)
{
	meet();
	CHECK_OK(person_say(&bob, "alice", "from bob"));
	online();
	event("read", ",\"username\":\"alice\",\"message_id\":1");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_READ, NULL), 1);
	event("read", ",\"username\":\"alice\",\"message_id\":1");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_READ, NULL), 1);
	event("typing", ",\"username\":\"alice\",\"typing\":true");
	CHECK(person_last(&bob, TACIT_NOTICE_TYPING)->flag);
	event("typing", ",\"username\":\"alice\",\"typing\":false");
	CHECK(!person_last(&bob, TACIT_NOTICE_TYPING)->flag);
	event("typing", ",\"username\":\"bob\",\"typing\":true");
	event("typing", ",\"username\":\"mallory\",\"typing\":true");
	event("typing", ",\"username\":\"a\\u001b[2J\",\"typing\":true");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_TYPING, NULL), 2);
	event("presence", ",\"users\":[{\"username\":\"alice\",\"state\":\"online\"},"
	                  "{\"username\":\"mallory\",\"state\":\"online\"}]");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_PRESENCE, NULL), 1);
	CHECK(person_last(&bob, TACIT_NOTICE_PRESENCE)->flag);
	struct tacit_command typing = {
	        .kind = TACIT_CMD_TYPING, .conversation = room(), .flag = true};
	CHECK_OK(person_run(&bob, &typing));
	CHECK(strncmp(bob.said, "typing {", 8) == 0);
	bob.said[0] = '\0';
	person_live_down(&bob);
	CHECK_OK(person_run(&bob, &typing));
	CHECK(bob.said[0] == '\0');
	part();
}

static void nonsense_changes_nothing(void)
{
	static const char *const bad[] = {"", "null", "[]", "{}", "{\"room_id\":-1}", "{\"id\":1}",
	        "{\"room_id\":\"x\",\"id\":1}", "{\"room_id\":1,\"room_id\":1}"};
	static const char *const names[] = {"new_message", "room_history", "read", "typing",
	        "presence", "participants", "session_closed", "error", "no such event", ""};
	meet();
	say("before");
	online();
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		for (size_t k = 0; k < TACIT_COUNT(bad); k++) {
			struct tacit_effects fx = {0};
			enum tacit_err err = tacit_engine_live_event(
			        bob.engine, tacit_cstr(names[i]), tacit_cstr(bad[k]), &fx);
			CHECK(err == TACIT_OK || err == TACIT_E_MALFORMED);
			for (size_t n = 0; n < fx.count; n++)
				CHECK(fx.list[n].kind != TACIT_EFFECT_DELIVER);
			tacit_effects_clear(&fx);
		}
	/* One that does not open is refused once, loudly, and what follows is read. */
	size_t changed = say("changed on the way"), next = say("next");
	char *content = server.messages[changed].content;
	content[200] = content[200] == 'A' ? 'B' : 'A';
	CHECK_OK(person_restart(&bob));
	online();
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "changed on the way"), 0);
	person_live_message(&bob, next);
	CHECK_INT(person_logged(&bob, "next"), 1);
	part();
}

/* --- by chance ----------------------------------------------------------------------------------
 */

static uint32_t chance(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Events are lost only together with the connection, or with word of it; but they are doubled,
 * late, and met by fetches at any point, and the engine is restored from its store. */
static void round_of_chance(uint32_t seed, size_t first)
{
	size_t told = first; /* the server's next event for bob */
	bool up = false;
	printf("# seed %u\n", (unsigned)seed);
	for (int i = 0; i < 60; i++) {
		char text[40];
		uint32_t dice = chance(&seed) % 8;
		if (dice < 2 && server.message_count < first + 18) {
			snprintf(text, sizeof(text), "text %zu", server.message_count);
			say(text);
		} else if (dice == 2 && up) {
			person_live_down(&bob);
			up = false;
		} else if (dice == 3 && up) {
			told = server.message_count;
			event("error", ",\"code\":\"FELL_BEHIND\"");
		} else if (dice == 4) {
			CHECK_OK(person_sync(&bob));
		} else if (dice == 5) {
			CHECK_OK(person_restart(&bob));
			up = false;
		} else if (!up) {
			told = server.message_count;
			person_live_up(&bob);
			person_live_join(&bob, 1 + chance(&seed) % 4);
			up = true;
		} else if (told < server.message_count) {
			person_live_message(&bob, told++);
		} else if (told > first) {
			person_live_message(&bob, first + chance(&seed) % (told - first));
		}
	}
	person_live_up(&bob);
	person_live_join(&bob, 2);
}

static void once_and_in_order_whatever_happens(void)
{
	meet();
	say("text 0");
	for (uint32_t seed = 1; seed <= 3; seed++) {
		size_t first = server.message_count;
		person_forget(&bob);
		if (seed == 1)
			online();
		round_of_chance(seed, first);
		uint64_t last = 0;
		for (size_t i = 0; i < bob.heard_count; i++) {
			const struct heard *h = &bob.heard[i];
			CHECK(h->kind != TACIT_NOTICE_REFUSED && h->kind != TACIT_NOTICE_MISSING &&
			        h->kind != TACIT_NOTICE_WARNING);
			if (h->kind != TACIT_NOTICE_MESSAGE)
				continue;
			CHECK(h->message > last);
			last = h->message;
		}
		CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL),
		        server.message_count - first);
	}
	part();
}

/* --- what ends ---------------------------------------------------------------------------------
 */

static void make_it_a_session(void)
{
	CHECK_OK(person_say(&alice, "bob", "direct"));
	struct fake_conversation *c = &server.conversations[server.conversation_count++];
	*c = server.conversations[0];
	c->id = 77;
	c->epoch = 0;
	snprintf(c->kind, sizeof(c->kind), "session");
}

/* A session passes: who waits for its first message may miss it. */
static void who_is_taken_in_is_told_at_once(void)
{
	meet();
	online();
	make_it_a_session();
	person_live(&bob, "participants", "{\"room_id\":77,\"change\":\"added\",\"users\":[]}");
	person_live_join(&bob, 50);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CONVERSATION, NULL), 1);
	const struct heard *told = person_last(&bob, TACIT_NOTICE_CONVERSATION);
	CHECK_INT(told->conversation, 77);
	CHECK(strcmp(told->members, "alice\nbob") == 0);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CONVERSATION, NULL), 1);
	part();
}

static void who_is_let_in_again_is_told_again(void)
{
	meet();
	online();
	make_it_a_session();
	struct fake_conversation *c = &server.conversations[1];
	const size_t members = c->member_count;
	snprintf(c->kind, sizeof(c->kind), "room");
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CONVERSATION, NULL), 1);
	c->member_count = 0;
	CHECK_ERR(person_say_in(&bob, 77, "to whom?"), TACIT_E_NOT_FOUND);
	CHECK(strstr(person_last(&bob, TACIT_NOTICE_FAILED)->text, "no longer in") != NULL);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MEMBER, NULL), 0);
	c->member_count = members;
	CHECK_OK(person_sync(&bob));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CONVERSATION, NULL), 2);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MEMBER, NULL), 1);
	CHECK(strstr(person_last(&bob, TACIT_NOTICE_MEMBER)->text, "You are now in") != NULL);
	CHECK_OK(person_say_in(&bob, 77, "here again"));
	part();
}

/* It is the same chat, and what is said next tells it. */
static void a_direct_chat_goes_on_in_silence(void)
{
	meet();
	say("before");
	online();
	struct fake_conversation *c = &server.conversations[0];
	const size_t members = c->member_count;
	c->member_count = 0;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 1);
	c->member_count = members;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MEMBER, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CONVERSATION, NULL), 0);
	say("after");
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "after"), 1);
	part();
}

static size_t kept_of(struct person *p, uint64_t conversation)
{
	struct tacit_record_id tag;
	size_t n = 0;
	tacit_engine_log_tag(p->engine, conversation, &tag);
	for (size_t i = 0; i < p->log_count; i++)
		n += memcmp(p->log[i].id.b, tag.b, sizeof(tag.b)) == 0;
	return n;
}

/* What stands on a later page of the list is not gone. */
static void a_list_comes_in_pages(void)
{
	meet();
	make_it_a_session();
	server.list_page = 1;
	online();
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_say_in(&alice, 77, "secret"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "secret"), 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CLOSED, NULL), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
	CHECK(kept_of(&bob, 77) > 0);
	server.list_page = 0;
	server.conversations[1].member_count = 0;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CLOSED, NULL), 1);
	part();
}

static void a_closed_session_leaves_nothing(void)
{
	meet();
	make_it_a_session();
	online();
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_say_in(&alice, 77, "secret"));
	person_live_message(&bob, server.message_count - 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "secret"), 1);
	cut_off(3); /* a draft of bob's own */
	CHECK_ERR(person_say_in(&bob, 77, "never sent"), TACIT_E_NETWORK);
	struct tacit_effects fx = {0};
	CHECK_OK(tacit_engine_note_put(
	        bob.engine, TACIT_STR("upload:77:abc"), TACIT_STR("note"), &fx));
	CHECK_OK(tacit_engine_note_put(
	        bob.engine, TACIT_STR("upload:777:abc"), TACIT_STR("other"), &fx));
	tacit_effects_clear(&fx);
	size_t records = bob.record_count;
	CHECK(kept_of(&bob, 77) > 0);
	/* Only a session goes at the server's word. */
	event("session_closed", "");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CLOSED, NULL), 0);
	person_live(&bob, "session_closed", "{\"room_id\":77,\"reason\":\"closed\"}");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CLOSED, NULL), 1);
	CHECK_INT(kept_of(&bob, 77), 0);
	CHECK(kept_of(&bob, room()) > 0);
	CHECK(bob.record_count < records);
	struct tacit_buf value = {0};
	CHECK_ERR(tacit_engine_note_get(bob.engine, TACIT_STR("upload:77:abc"), &value),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(tacit_engine_note_get(bob.engine, TACIT_STR("upload:777:abc"), &value));
	tacit_buf_clear(&value);
	server.conversation_count--;
	CHECK_OK(person_restart(&bob));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_logged(&bob, "secret"), 0);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_CLOSED, NULL), 1);
	part();
}

static void expired_messages_leave_the_history(void)
{
	meet();
	say("stays");
	online();
	size_t index = say("goes");
	const struct fake_message *m = &server.messages[index];
	char body[8192];
	snprintf(body, sizeof(body),
	        "{\"id\":%llu,\"room_id\":%llu,\"username\":\"alice\",\"encrypted_content\":\"%s\","
	        "\"created_at\":\"2023-11-14T22:13:20Z\",\"expires_at\":\"2033-05-18T03:33:20Z\"}",
	        (unsigned long long)m->id, (unsigned long long)room(), m->content);
	person_live(&bob, "new_message", body);
	person_live_message(&bob, say("stays, too"));
	CHECK_INT(person_logged(&bob, "goes"), 1);
	CHECK(tacit_engine_due(bob.engine) >= 2000000000);
	CHECK_OK(person_restart(&bob));
	int64_t due = tacit_engine_due(bob.engine), before = person_clock;
	CHECK(due >= 2000000000 && due != INT64_MAX);
	person_tick(&bob);
	CHECK_INT(person_logged(&bob, "goes"), 1);
	person_clock = due;
	person_tick(&bob);
	CHECK_INT(person_logged(&bob, "goes"), 0);
	CHECK_INT(person_logged(&bob, "stays") + person_logged(&bob, "stays, too"), 2);
	CHECK_INT(person_last(&bob, TACIT_NOTICE_EXPIRED)->message, m->id);
	CHECK_INT(person_last(&bob, TACIT_NOTICE_EXPIRED)->count, m->id);
	CHECK_INT(tacit_engine_due(bob.engine), INT64_MAX);
	person_clock = before;
	part();
}

/* The server's newest message is an older one then, and that is no lie. */
static void the_newest_may_expire(void)
{
	char body[8192];
	meet();
	say("stays");
	online();
	size_t index = say("goes");
	const struct fake_message *m = &server.messages[index];
	snprintf(body, sizeof(body),
	        "{\"id\":%llu,\"room_id\":%llu,\"username\":\"alice\",\"encrypted_content\":\"%s\","
	        "\"expires_at\":\"2033-05-18T03:33:20Z\"}",
	        (unsigned long long)m->id, (unsigned long long)room(), m->content);
	person_live(&bob, "new_message", body);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "goes"), 1);
	server.conversations[0].last_claimed = server.messages[index - 1].id;
	CHECK_OK(person_sync(&bob)); /* before it is over by our clock */
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
	int64_t before = person_clock;
	person_clock = tacit_engine_due(bob.engine);
	person_tick(&bob);
	CHECK_OK(person_restart(&bob));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), 0);
	/* One that had no end has none. */
	server.conversations[0].last_claimed = 0;
	say("for good");
	CHECK_OK(person_sync(&bob));
	server.conversations[0].last_claimed = m->id;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED, "gone back in time"));
	person_clock = before;
	part();
}

static void who_sets_the_time_is_named(void)
{
	meet();
	say("before");
	online();
	server.conversations[0].ttl = 3600;
	event("expiry", ",\"message_ttl_seconds\":3600,\"by\":{\"username\":\"alice\"}");
	CHECK(person_told(&bob, TACIT_NOTICE_EXPIRY, TACIT_OK, "By the setting of alice"));
	CHECK(strcmp(person_last(&bob, TACIT_NOTICE_EXPIRY)->username, "alice") == 0);
	server.conversations[0].ttl = 60;
	event("expiry", ",\"message_ttl_seconds\":60,\"by\":{\"username\":\"mallory\"}");
	CHECK_INT(person_last(&bob, TACIT_NOTICE_EXPIRY)->count, 60);
	CHECK(person_last(&bob, TACIT_NOTICE_EXPIRY)->username[0] == '\0');
	server.conversations[0].ttl = 0;
	event("expiry", ",\"message_ttl_seconds\":0,\"by\":7");
	CHECK_INT(person_last(&bob, TACIT_NOTICE_EXPIRY)->count, 0);
	CHECK(person_last(&bob, TACIT_NOTICE_EXPIRY)->username[0] == '\0');
	part();
}

/* --- without memory ------------------------------------------------------------------------------
 */

static size_t to_open;

static enum tacit_err live_once(void)
{
	enum tacit_err err;
	struct tacit_effects fx = {0};
	char body[8192];
	const struct fake_message *m = &server.messages[to_open];
	int n = snprintf(body, sizeof(body),
	        "{\"id\":%llu,\"room_id\":%llu,\"username\":\"alice\","
	        "\"encrypted_content\":\"%s\",\"expires_at\":\"2033-05-18T03:33:20Z\"}",
	        (unsigned long long)m->id, (unsigned long long)room(), m->content);
	char history[80];
	snprintf(history, sizeof(history), "{\"room_id\":%llu,\"messages\":[],\"joined\":true}",
	        (unsigned long long)room());
	TRY(person_restart(&bob));
	TRY(tacit_engine_live_up(bob.engine, &fx));
	TRY(tacit_engine_live_event(
	        bob.engine, TACIT_STR("room_history"), tacit_cstr(history), &fx));
	TRY(tacit_engine_live_event(
	        bob.engine, TACIT_STR("new_message"), tacit_bytes(body, (size_t)n), &fx));
	TRY(tacit_engine_tick(bob.engine, &fx));
out:
	tacit_effects_clear(&fx);
	return err;
}

static void survives_without_memory(void)
{
	meet();
	say("before");
	online();
	to_open = say("opened in the sweep");
	tap_alloc_sweep(live_once);
	part();
}

static const struct tap_case cases[] = {
        {"opens what is next without a request", opens_what_is_next},
        {"joins what it is let into", joins_what_it_is_let_into},
        {"a long history comes in pages", a_long_history_comes_in_pages},
        {"what fell behind is fetched", what_fell_behind_is_fetched},
        {"a dropped history is asked for again", a_dropped_history_is_asked_for_again},
        {"a gap is fetched before it is told", a_gap_is_fetched_before_it_is_told},
        {"the connection outlives the engine", the_connection_outlives_the_engine},
        {"tells marks, typing and presence", tells_marks_typing_and_presence},
        {"nonsense changes nothing", nonsense_changes_nothing},
        {"once and in order, whatever happens", once_and_in_order_whatever_happens},
        {"who is taken in is told at once", who_is_taken_in_is_told_at_once},
        {"who is let in again is told again", who_is_let_in_again_is_told_again},
        {"a direct chat goes on in silence", a_direct_chat_goes_on_in_silence},
        {"a list comes in pages", a_list_comes_in_pages},
        {"a closed session leaves nothing", a_closed_session_leaves_nothing},
        {"expired messages leave the history", expired_messages_leave_the_history},
        {"the newest may expire", the_newest_may_expire},
        {"who sets the time is named", who_sets_the_time_is_named},
        {"survives without memory", survives_without_memory},
};

int main(int argc, char **argv)
{
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
