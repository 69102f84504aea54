/* Edits, deletions and reactions: who may, and that all end with the same, whatever happens. */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "change_people.h"
#include "crypto/secret.h"
#include "engine/engine_int.h"
#include "support/tap.h"

#define THUMB "\xf0\x9f\x91\x8d"
#define HEART "\xe2\x9d\xa4"

/* --- what is said about a message ----------------------------------------------------------------
 */

static void reactions_are_kept_with_the_message(void)
{
	uint64_t id = meet();
	CHECK_OK(react(&bob, id, THUMB));
	CHECK_OK(react(&carol, id, HEART));
	sync_all();
	check_entry(id, "alice: hello [bob " THUMB "\ncarol " HEART "]");
	const struct heard *told = person_last(&alice, TACIT_NOTICE_REACTION);
	CHECK_INT(told->message, id);
	CHECK_INT(told->conversation, room);
	CHECK(strcmp(told->username, "carol") == 0 && strcmp(told->text, HEART) == 0);
	CHECK(strcmp(told->detail, "bob " THUMB "\ncarol " HEART) == 0);
	CHECK(!told->flag && person_last(&carol, TACIT_NOTICE_REACTION)->flag);
	/* Another one takes the place of the first, and comes last; an empty one takes it back. */
	CHECK_OK(react(&bob, id, HEART));
	CHECK_OK(react(&carol, id, ""));
	CHECK_OK(react(&alice, id, "+1"));
	sync_all();
	check_entry(id, "alice: hello [bob " HEART "\nalice +1]");
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 1);
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		CHECK_OK(person_restart(all[i]));
		CHECK_INT(all[i]->log_count, alice.log_count);
	}
	forget_all();
	sync_all();
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REACTION, NULL), 0);
	part();
}

static void an_edit_changes_the_message(void)
{
	uint64_t id = meet();
	CHECK_OK(react(&bob, id, THUMB));
	CHECK_OK(edit(&alice, id, "hello all"));
	sync_all();
	check_entry(id, "alice: hello all (edited) [bob " THUMB "]");
	const struct heard *told = person_last(&bob, TACIT_NOTICE_EDITED);
	CHECK_INT(told->message, id);
	CHECK(strcmp(told->content, "hello all") == 0 && strcmp(told->detail, "bob " THUMB) == 0);
	CHECK_INT(person_last(&alice, TACIT_NOTICE_EDITED)->message, id);
	CHECK_OK(edit(&alice, id, "hello everybody"));
	sync_all();
	check_entry(id, "alice: hello everybody (edited) [bob " THUMB "]");
	part();
}

static void an_edited_reply_stays_a_reply(void)
{
	uint64_t id = meet();
	const struct tacit_content reply = {
	        .kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("yes"), .reply_to = id};
	CHECK_OK(person_tell(&bob, room, &reply));
	uint64_t answer = said_last(&bob);
	CHECK_OK(edit(&bob, answer, "no"));
	sync_all();
	CHECK_INT(person_last(&alice, TACIT_NOTICE_MESSAGE)->reply_to, id);
	CHECK_INT(person_last(&alice, TACIT_NOTICE_EDITED)->reply_to, id);
	check_entry(answer, "bob: no (edited)");
	part();
}

static void a_deleted_message_is_gone(void)
{
	uint64_t id = meet();
	CHECK_OK(react(&bob, id, THUMB));
	CHECK_OK(edit(&alice, id, "hello all"));
	CHECK_OK(take_back(&alice, id));
	sync_all();
	check_entry(id, "alice deleted");
	CHECK_INT(person_last(&bob, TACIT_NOTICE_DELETED)->message, id);
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		CHECK_INT(person_logged(all[i], "hello"), 0);
		CHECK_INT(person_logged(all[i], "hello all"), 0);
		/* Nor is it kept for those who might ask for it again. */
		const struct tacit_conversation *c = tacit_conversation_find(all[i]->engine, room);
		for (const struct tacit_sent *s = c->receipts.sent; s != NULL; s = s->next)
			CHECK(memmem(s->content.p, s->content.n, "hello", 5) == NULL);
		CHECK(c->changes == NULL);
	}
	CHECK_ERR(react(&bob, id, THUMB), TACIT_E_GONE);
	CHECK_ERR(edit(&alice, id, "back"), TACIT_E_GONE);
	part();
}

/* A file is deleted like a text; only a text is edited. */
static void a_file_is_not_edited(void)
{
	meet();
	const struct tacit_content file = {.kind = TACIT_CONTENT_FILE,
	        .text = TACIT_STR("look"),
	        .file = {.id = TACIT_STR("f1"), .name = TACIT_STR("a.txt"), .size = 1}};
	CHECK_OK(person_tell(&bob, room, &file));
	uint64_t id = said_last(&bob);
	CHECK_ERR(edit(&bob, id, "do not look"), TACIT_E_USAGE);
	const struct tacit_content change = {
	        .kind = TACIT_CONTENT_EDIT, .message = id, .text = TACIT_STR("do not look")};
	say_anyway(&bob, &change);
	sync_all();
	check_entry(id, "bob: look");
	CHECK_OK(take_back(&bob, id));
	sync_all();
	check_entry(id, "bob deleted");
	part();
}

/* What nobody reads is not counted as unread, however much of it there is. */
static void unread_counts_what_is_read(void)
{
	uint64_t id = meet();
	struct tacit_conversation *c = tacit_conversation_find(carol.engine, room);
	for (int i = 0; i < MAX_SILENT + 8; i++) {
		char text[16];
		snprintf(text, sizeof(text), "r%d", i);
		CHECK_OK(react(&alice, id, text));
	}
	tacit_conversation_member(c, TACIT_STR("carol"))->read = id;
	c->dirty = true;
	CHECK_OK(person_sync(&carol));
	c->unread = MAX_SILENT + 8 + 2; /* as a server counts, with two messages */
	CHECK_INT(tacit_unread(carol.engine, c), 2);
	CHECK_OK(person_restart(&carol));
	c = tacit_conversation_find(carol.engine, room);
	c->unread = MAX_SILENT + 8 + 2;
	CHECK_INT(tacit_unread(carol.engine, c), 2);
	tacit_conversation_member(c, TACIT_STR("carol"))->read = c->seen;
	c->unread = 2;
	CHECK_INT(tacit_unread(carol.engine, c), 2);
	sync_all();
	check_entry(id, "alice: hello [alice r39]");
	part();
}

/* --- who may -------------------------------------------------------------------------------------
 */

static void only_the_sender_may(void)
{
	uint64_t id = meet();
	CHECK_ERR(edit(&bob, id, "goodbye"), TACIT_E_REFUSED);
	CHECK_ERR(take_back(&bob, id), TACIT_E_REFUSED);
	CHECK(person_told(&bob, TACIT_NOTICE_FAILED, TACIT_E_REFUSED, "Only an own message"));
	size_t posts = fake_said_count(&server);
	CHECK_ERR(react(&bob, id + 1000, THUMB), TACIT_E_NOT_FOUND);
	CHECK_ERR(edit(&bob, id + 1000, "x"), TACIT_E_NOT_FOUND);
	CHECK_INT(fake_said_count(&server), posts);
	/* A client that does it all the same is not believed. */
	const struct tacit_content forged[] = {
	        {.kind = TACIT_CONTENT_EDIT, .message = id, .text = TACIT_STR("goodbye")},
	        {.kind = TACIT_CONTENT_DELETE, .message = id},
	};
	for (size_t i = 0; i < TACIT_COUNT(forged); i++)
		say_anyway(&bob, &forged[i]);
	sync_all();
	check_entry(id, "alice: hello");
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_EDITED, NULL), 0);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_DELETED, NULL), 0);
	CHECK(person_told(&carol, TACIT_NOTICE_WARNING, TACIT_E_REFUSED,
	        "bob has tried to change what somebody else has said. It stays as it was."));
	part();
}

/* Nor of what is not said yet, nor of another conversation. */
static void only_of_what_is_there(void)
{
	uint64_t id = meet();
	CHECK_OK(person_say(&alice, "bob", "between us"));
	uint64_t other = said_last(&alice);
	CHECK_OK(person_sync(&bob));
	CHECK_ERR(take_back(&alice, other), TACIT_E_NOT_FOUND);
	const struct tacit_content strange[] = {
	        {.kind = TACIT_CONTENT_DELETE, .message = other},
	        {.kind = TACIT_CONTENT_DELETE, .message = other + 3},
	        {.kind = TACIT_CONTENT_REACTION, .message = other, .text = TACIT_STR("x")},
	};
	for (size_t i = 0; i < TACIT_COUNT(strange); i++)
		say_anyway(&alice, &strange[i]);
	CHECK_OK(person_say_in(&alice, room, "one more"));
	uint64_t more = said_last(&alice);
	sync_all();
	check_entry(id, "alice: hello");
	check_entry(more, "alice: one more");
	CHECK_INT(person_logged(&bob, "between us"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_DELETED, NULL), 0);
	CHECK(tacit_conversation_find(bob.engine, room)->changes == NULL);
	part();
}

static void another_own_device_may(void)
{
	static struct person laptop;
	meet();
	person_init(&laptop, "alice", &server);
	person_clock += 10;
	server.now = person_clock;
	log_in(&laptop);
	CHECK_OK(person_sync(&laptop));
	log_in(&alice);
	CHECK_OK(person_say_in(&alice, room, "from the phone"));
	uint64_t id = said_last(&alice);
	log_in(&laptop);
	CHECK_OK(person_sync(&laptop));
	CHECK_OK(edit(&laptop, id, "from both"));
	CHECK_OK(person_sync(&bob));
	CHECK_OK(react(&bob, id, THUMB));
	log_in(&alice);
	sync_all();
	check_entry(id, "alice: from both (edited) [bob " THUMB "]");
	CHECK(person_last(&alice, TACIT_NOTICE_EDITED)->flag);
	/* What it would say again is what it says now. */
	const struct tacit_conversation *c = tacit_conversation_find(alice.engine, room);
	for (const struct tacit_sent *s = c->receipts.sent; s != NULL; s = s->next)
		CHECK(memmem(s->content.p, s->content.n, "phone", 5) == NULL);
	CHECK_OK(take_back(&alice, id));
	log_in(&laptop);
	CHECK_OK(person_sync(&laptop));
	CHECK(strcmp(person_entry(&laptop, room, id), "alice deleted") == 0);
	person_clear(&laptop);
	part();
}

/* --- when things fail ----------------------------------------------------------------------------
 */

static void restart_all(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all); i++)
		CHECK_OK(person_restart(all[i]));
	sync_all();
}

static void next_round(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		person_forget(all[i]);
		person_forget_history(all[i]);
	}
	fake_server_forget(&server);
}

/* Power fails at every event in turn: at the one who says it, and at one who hears it. */
static void killed(struct person *victim)
{
	meet();
	for (long at = 0; at < 60; at++) {
		char text[32], want[64];
		CHECK_OK(person_say_in(&alice, room, "first"));
		uint64_t id = said_last(&alice);
		sync_all();
		snprintf(text, sizeof(text), "text %ld", at);
		snprintf(want, sizeof(want), "alice: %s (edited)", text);
		victim->power = at;
		enum tacit_err err = edit(&alice, id, text);
		if (victim != &alice)
			err = person_sync(victim);
		bool over = victim->power >= 0;
		restart_all();
		if (err != TACIT_OK && strcmp(person_entry(&carol, room, id), want) != 0)
			snprintf(want, sizeof(want), "alice: first");
		check_entry(id, want);
		next_round();
		if (over) {
			CHECK_OK(err);
			CHECK(at > 3);
			part();
			return;
		}
	}
	tap_check(false, "the edit comes to an end", __FILE__, __LINE__);
}

static void killed_while_saying(void)
{
	killed(&alice);
}

static void killed_while_hearing(void)
{
	killed(&bob);
}

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

/* One of them runs out of memory once, begins anew, and does it again if it was not done. */
static void insist(struct person *p, uint64_t id, enum tacit_content_kind kind)
{
	for (int tries = 0; tries < 3; tries++) {
		enum tacit_err err =
		        kind != 0 ? tell(p, kind, id, kind == TACIT_CONTENT_DELETE ? "" : "done")
		                  : person_sync(p);
		if (err == TACIT_OK || (err == TACIT_E_GONE && tries > 0))
			return;
		CHECK_ERR(err, TACIT_E_NOMEM);
		while (person_restart(p) != TACIT_OK)
			continue;
	}
	tap_check(false, "it works at the third try", __FILE__, __LINE__);
}

static void memory_runs_out(enum tacit_content_kind kind, const char *want)
{
	meet();
	server.entered = pause_faults;
	for (long n = 0; n < 20000; n += 17) {
		CHECK_OK(person_say_in(&alice, room, "first"));
		uint64_t id = said_last(&alice);
		sync_all();
		left = n;
		tacit_alloc_set_fault(fail_once, NULL);
		insist(&alice, id, kind);
		insist(&bob, id, 0);
		tacit_alloc_set_fault(NULL, NULL);
		sync_all();
		check_entry(id, want);
		next_round();
		if (left >= 0) {
			part();
			return;
		}
	}
	tap_check(false, "the sweep comes to an end", __FILE__, __LINE__);
}

static void memory_runs_out_at_an_edit(void)
{
	memory_runs_out(TACIT_CONTENT_EDIT, "alice: done (edited)");
}

static void memory_runs_out_at_a_deletion(void)
{
	memory_runs_out(TACIT_CONTENT_DELETE, "alice deleted");
}

static void memory_runs_out_at_a_reaction(void)
{
	memory_runs_out(TACIT_CONTENT_REACTION, "alice: first [alice done]");
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"reactions are kept with the message", reactions_are_kept_with_the_message},
	        {"an edit changes the message", an_edit_changes_the_message},
	        {"an edited reply stays a reply", an_edited_reply_stays_a_reply},
	        {"a deleted message is gone", a_deleted_message_is_gone},
	        {"a file is not edited", a_file_is_not_edited},
	        {"unread counts what is read", unread_counts_what_is_read},
	        {"only the sender may", only_the_sender_may},
	        {"only of what is there", only_of_what_is_there},
	        {"another own device may", another_own_device_may},
	        {"killed while saying", killed_while_saying},
	        {"killed while hearing", killed_while_hearing},
	        {"memory runs out at an edit", memory_runs_out_at_an_edit},
	        {"memory runs out at a deletion", memory_runs_out_at_a_deletion},
	        {"memory runs out at a reaction", memory_runs_out_at_a_reaction},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
