/* What the screen knows: dialog.h, model.h, slash.h. */
#define _GNU_SOURCE /* memmem */
#include "cli/screen/model.h"

#include <string.h>

#include "cli/about.h"
#include "cli/screen/slash.h"
#include "cli/term.h"
#include "screen_people.h"
#include "support/tap.h"

static bool add(struct dialog *d, struct tacit_notice n, uint64_t position)
{
	bool is_new;
	CHECK_OK(dialog_add(d, &n, position, &is_new));
	return is_new;
}

static void text_is(const struct dialog *d, size_t at, const char *want)
{
	REQUIRE(at < d->count);
	CHECK_BYTES(tacit_buf_view(&d->entries[at].text), tacit_cstr(want));
}

/* --- one conversation ------------------------------------------------------------------------ */

static void messages_stand_in_order_once(void)
{
	struct dialog d = {.id = 1};
	CHECK(add(&d, said(3, "bob", "three"), 0));
	CHECK(add(&d, said(5, "bob", "five"), 0));
	CHECK(add(&d, said(1, "bob", "one"), 8));
	CHECK(!add(&d, said(3, "bob", "three"), 24));
	CHECK(add(&d, said(4, "bob", "four"), 0)); /* late */
	CHECK_INT(d.count, 4);
	text_is(&d, 0, "one");
	text_is(&d, 1, "three");
	text_is(&d, 2, "four");
	text_is(&d, 3, "five");
	CHECK_INT(d.newest, 5);
	CHECK_INT(d.unread, 3); /* what came from the history was there before */
	dialog_clear(&d);
}

static void an_own_text_waits_until_it_is_sent(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice done = {.kind = TACIT_NOTICE_DONE, .message = 7, .time = NOON};
	CHECK_OK(dialog_add_waiting(&d, 42, NOON, (struct dialog_text){.text = TACIT_STR("mine")}));
	CHECK(add(&d, said(6, "bob", "theirs, while mine waits"), 0));
	REQUIRE(d.count == 2);
	CHECK_INT(d.entries[1].state, ENTRY_WAITING);
	CHECK(!dialog_settle(&d, 41, &done));
	CHECK(dialog_settle(&d, 42, &done));
	CHECK_INT(d.entries[1].state, ENTRY_SENT);
	CHECK_INT(d.entries[1].message, 7);
	CHECK(!add(&d, said_myself(7, "mine"), 0));
	CHECK_INT(d.count, 2);
	CHECK_INT(d.unread, 1);
	dialog_clear(&d);
}

static void a_reply_waits_as_a_reply(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice done = {.kind = TACIT_NOTICE_DONE, .message = 7, .time = NOON};
	struct tacit_notice waits = {.kind = TACIT_NOTICE_OUTGOING,
	        .text = TACIT_STR("some-id"),
	        .content = {.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("no"), .reply_to = 5}};
	CHECK_OK(dialog_add_waiting(&d, 42, NOON, (struct dialog_text){TACIT_STR("yes"), 6}));
	CHECK_INT(d.entries[0].reply_to, 6);
	CHECK(dialog_settle(&d, 42, &done));
	CHECK(d.entries[0].reply_to == 6 && d.entries[0].message == 7);
	CHECK_OK(dialog_add_outgoing(&d, &waits));
	CHECK_INT(d.entries[1].reply_to, 5);
	dialog_clear(&d);
}

static void what_went_out_later_is_the_one_that_waited(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice kept = {
	        .kind = TACIT_NOTICE_FAILED, .err = TACIT_E_NETWORK, .flag = true};
	CHECK_OK(dialog_add_waiting(&d, 1, NOON, (struct dialog_text){.text = TACIT_STR("same")}));
	CHECK_OK(dialog_add_waiting(&d, 2, NOON, (struct dialog_text){.text = TACIT_STR("same")}));
	CHECK(dialog_settle(&d, 1, &kept));
	CHECK_INT(d.entries[0].state, ENTRY_WAITING);
	CHECK(!add(&d, said_myself(9, "same"), 0));
	CHECK_INT(d.count, 2);
	CHECK_INT(d.entries[0].state, ENTRY_SENT);
	CHECK_INT(d.entries[1].state, ENTRY_WAITING);
	CHECK(!add(&d, said_myself(10, "same"), 0));
	CHECK(add(&d, said_myself(11, "same"), 0));
	CHECK_INT(d.count, 3);
	dialog_clear(&d);
}

static void what_the_server_will_not_take_is_said(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice lost = {.kind = TACIT_NOTICE_FAILED, .err = TACIT_E_GONE};
	CHECK_OK(dialog_add_waiting(
	        &d, 1, NOON, (struct dialog_text){.text = TACIT_STR("too late")}));
	CHECK(dialog_settle(&d, 1, &lost));
	CHECK_INT(d.entries[0].state, ENTRY_NOT_SENT);
	dialog_clear(&d);
}

static void a_message_says_what_it_says_now(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice n = said(3, "bob", "three");
	CHECK(add(&d, n, 0));
	CHECK(add(&d, said_myself(4, "four"), 0));
	CHECK_INT(dialog_newest(&d, false), 3);
	CHECK_INT(dialog_newest(&d, true), 4);
	n.kind = TACIT_NOTICE_EDITED;
	n.content.text = TACIT_STR("drei");
	n.count = 7;
	CHECK_OK(dialog_change(&d, &n));
	text_is(&d, 0, "drei");
	CHECK(d.entries[0].edited && d.unread == 1);
	struct tacit_notice reaction = {.kind = TACIT_NOTICE_REACTION,
	        .message = 3,
	        .detail = TACIT_STR("alice +1\nbob ha")};
	CHECK_OK(dialog_change(&d, &reaction));
	CHECK_BYTES(tacit_buf_view(&d.entries[0].reactions), TACIT_STR("alice +1, bob ha"));
	/* From the history it comes as it is now; another process has changed it. */
	n.kind = TACIT_NOTICE_MESSAGE;
	n.content.text = TACIT_STR("trois");
	n.detail = TACIT_STR("bob ha");
	CHECK(!add(&d, n, 25));
	text_is(&d, 0, "trois");
	CHECK_BYTES(tacit_buf_view(&d.entries[0].reactions), TACIT_STR("bob ha"));
	struct tacit_notice deleted = {
	        .kind = TACIT_NOTICE_DELETED, .message = 3, .username = TACIT_STR("bob")};
	CHECK_OK(dialog_change(&d, &deleted));
	text_is(&d, 0, "[deleted]");
	CHECK_INT(d.entries[0].kind, ENTRY_DELETED);
	CHECK_INT(d.entries[0].reactions.n, 0);
	CHECK_INT(dialog_newest(&d, false), 0);
	/* Of what is not here, nothing is said. */
	deleted.message = reaction.message = n.message = 99;
	CHECK_OK(dialog_change(&d, &deleted));
	CHECK_OK(dialog_change(&d, &reaction));
	CHECK_INT(d.count, 2);
	dialog_clear(&d);
}

static void what_was_refused_comes_after_all(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice refused = said(3, "bob", "");
	refused.kind = TACIT_NOTICE_REFUSED;
	refused.text = TACIT_STR("it was changed on the way");
	CHECK(add(&d, refused, 0));
	CHECK(add(&d, said(4, "bob", "four"), 0));
	CHECK(!add(&d, said(3, "bob", "three"), 0));
	CHECK_INT(d.count, 2);
	text_is(&d, 0, "three");
	CHECK(!add(&d, refused, 25)); /* an older page */
	text_is(&d, 0, "three");
	CHECK(dialog_message(&d, 3) == &d.entries[0]);
	CHECK(dialog_message(&d, 5) == NULL);
	dialog_clear(&d);
}

static void what_is_typed_about_a_message(void)
{
	struct about a;
	struct tacit_content content;
	CHECK(!about_parse(TACIT_STR("send"), "x", &a));
	CHECK(about_parse(TACIT_STR("reply"), "#12 yes, #3", &a));
	CHECK_INT(a.message, 12);
	CHECK(!a.own && strcmp(a.text, "yes, #3") == 0);
	CHECK(about_content(&a, 12, &content) == NULL);
	CHECK_INT(content.kind, TACIT_CONTENT_TEXT);
	CHECK_INT(content.reply_to, 12);
	CHECK(about_parse(TACIT_STR("edit"), "#1 is mine", &a) && a.own && a.message == 1);
	CHECK(about_parse(TACIT_STR("edit"), "#one", &a) && a.message == 0);
	CHECK(about_content(&a, 5, &content) == NULL);
	CHECK_INT(content.message, 5);
	CHECK(about_content(&a, 0, &content) != NULL);
	CHECK(about_parse(TACIT_STR("edit"), "#7", &a) && a.message == 7);
	CHECK(about_content(&a, 7, &content) != NULL); /* to what? */
	CHECK(about_parse(TACIT_STR("react"), "", &a));
	CHECK(about_content(&a, 5, &content) == NULL && content.text.n == 0);
	CHECK(about_parse(TACIT_STR("react"), "two words", &a));
	CHECK(about_content(&a, 5, &content) != NULL);
	CHECK(about_parse(TACIT_STR("delete"), "#9", &a));
	CHECK(about_content(&a, 9, &content) == NULL && content.kind == TACIT_CONTENT_DELETE);
	CHECK(about_parse(TACIT_STR("delete"), "that one", &a));
	CHECK(about_content(&a, 9, &content) != NULL);
	CHECK(about_parse(TACIT_STR("delete"), "#99999999999999999999", &a) && a.message == 0);
}

static void everything_from_outside_is_cleaned(void)
{
	static const char evil[] = "\x1b[2J\x9b\xe2\x80\xae\x07";
	struct dialog d = {.id = 1};
	struct tacit_notice n = about(1, TACIT_GROUP, evil, "alice\nbob");
	CHECK_OK(dialog_describe(&d, &n));
	add(&d, said(1, evil, evil), 0);
	struct tacit_notice file = said(2, evil, evil);
	file.content.kind = TACIT_CONTENT_FILE;
	file.content.file.name = tacit_cstr(evil);
	file.content.file.id = TACIT_STR("abc");
	add(&d, file, 0);
	struct tacit_notice liked = said(3, evil, "x");
	liked.detail = tacit_cstr(evil);
	add(&d, liked, 0);
	const enum tacit_notice_kind kinds[] = {TACIT_NOTICE_REFUSED, TACIT_NOTICE_MISSING,
	        TACIT_NOTICE_KEY_CHANGED, TACIT_NOTICE_MEMBER, TACIT_NOTICE_WARNING};
	for (size_t i = 0; i < TACIT_COUNT(kinds); i++) {
		struct tacit_notice other = {.kind = kinds[i],
		        .conversation = 1,
		        .username = tacit_cstr(evil),
		        .text = tacit_cstr(evil),
		        .err = TACIT_E_BAD_SEAL};
		add(&d, other, 0);
	}
	CHECK_OK(dialog_typing(&d, tacit_cstr(evil), NOON));
	CHECK_OK(dialog_read_by(&d, tacit_cstr(evil), 1));
	CHECK_OK(dialog_add_aside(&d, NOON, ENTRY_ASIDE, tacit_cstr(evil)));
	CHECK_INT(d.count, 9);
	struct tacit_buf all = {0};
	for (size_t i = 0; i < d.count; i++) {
		CHECK_OK(tacit_buf_append(&all, tacit_buf_view(&d.entries[i].name)));
		CHECK_OK(tacit_buf_append(&all, tacit_buf_view(&d.entries[i].reactions)));
		CHECK_OK(tacit_buf_append(&all, tacit_buf_view(&d.entries[i].text)));
	}
	CHECK_OK(tacit_buf_append(&all, tacit_buf_view(&d.title)));
	CHECK_OK(tacit_buf_append(&all, tacit_buf_view(&d.typing)));
	CHECK_OK(tacit_buf_append(&all, tacit_buf_view(&d.readers[0].name)));
	for (size_t i = 0; i < all.n; i++)
		CHECK(all.p[i] >= ' ' || all.p[i] == '\n');
	CHECK(memmem(all.p, all.n, "\xe2\x80\xae", 3) == NULL);
	CHECK(memmem(all.p, all.n, "[2J", 3) != NULL); /* the harmless rest is shown */
	tacit_buf_clear(&all);
	dialog_clear(&d);
}

static void unread_ones_are_counted_once(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice n = about(1, TACIT_DIRECT, "bob", "alice\nbob");
	n.count = 2;
	n.message = 5;
	CHECK_OK(dialog_describe(&d, &n));
	CHECK_INT(d.unread, 2);
	add(&d, said(4, "bob", "counted by the server"), 0);
	CHECK_INT(d.unread, 2);
	add(&d, said(6, "bob", "not counted yet"), 0);
	CHECK_INT(d.unread, 3);
	add(&d, said_myself(7, "mine"), 0);
	CHECK_INT(d.unread, 3);
	CHECK_OK(dialog_describe(&d, &n)); /* the same old count */
	CHECK_INT(d.unread, 3);
	dialog_mark_fresh(&d);
	CHECK_INT(d.fresh, 4);
	CHECK_INT(dialog_newest_of_others(&d), 6);
	dialog_clear(&d);
}

static void the_place_stays_while_others_come(void)
{
	struct dialog d = {.id = 1};
	add(&d, said(10, "bob", "ten"), 0);
	add(&d, said(11, "bob", "eleven"), 0);
	d.anchor = (struct anchor){.following = false, .entry = 0, .hidden = 0};
	add(&d, said(2, "bob", "older"), 16);
	add(&d, said(12, "bob", "newer"), 0);
	CHECK_INT(d.anchor.entry, 1);
	text_is(&d, d.anchor.entry, "ten");
	dialog_clear(&d);
}

static void what_is_old_is_forgotten_and_comes_again(void)
{
	struct dialog d = {.id = 1, .whole = true};
	for (uint64_t i = 1; i <= 100; i++)
		add(&d, said(i, "bob", "text"), i * 8);
	dialog_trim(&d, 10); /* somebody looks at old ones */
	CHECK_INT(d.count, 100);
	d.anchor.following = true;
	dialog_trim(&d, 10);
	REQUIRE(d.count == 10);
	CHECK_INT(d.entries[0].message, 91);
	CHECK_INT(d.oldest, 91 * 8);
	CHECK(!d.whole);
	CHECK(add(&d, said(90, "bob", "again"), 90 * 8));
	CHECK(!add(&d, said(91, "bob", "text"), 91 * 8));
	dialog_trim(&d, 50);
	CHECK_INT(d.count, 11);
	dialog_clear(&d);
}

static void what_has_disappeared_is_gone(void)
{
	struct dialog d = {.id = 1, .anchor.following = true};
	for (uint64_t i = 1; i <= 9; i++)
		add(&d, said(i, "bob", "text"), i * 8);
	dialog_expire(&d, 3, 5);
	CHECK_INT(d.count, 6);
	CHECK_INT(d.entries[2].message, 6);
	CHECK_OK(tacit_buf_append(&d.draft, TACIT_STR("half a word")));
	dialog_close(&d);
	CHECK_INT(d.count, 0);
	CHECK_INT(d.draft.n, 0);
	CHECK(d.gone);
	dialog_clear(&d);
}

static void readers_only_go_on(void)
{
	struct dialog d = {.id = 1};
	char name[16];
	CHECK_OK(dialog_read_by(&d, TACIT_STR("bob"), 5));
	CHECK_OK(dialog_read_by(&d, TACIT_STR("bob"), 3));
	REQUIRE(d.reader_count == 1);
	CHECK_INT(d.readers[0].message, 5);
	for (int i = 0; i < 2 * TACIT_MAX_PARTICIPANTS; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		CHECK_OK(dialog_read_by(&d, tacit_cstr(name), 1));
	}
	CHECK_INT(d.reader_count, TACIT_MAX_PARTICIPANTS);
	dialog_clear(&d);
}

static void marks_of_before_are_known(void)
{
	struct dialog d = {0};
	struct tacit_notice n = about(1, TACIT_GROUP, "Climbing", "alice\nbob\ncarol");
	n.detail = TACIT_STR("0\n12\n7");
	CHECK_OK(dialog_describe(&d, &n));
	REQUIRE(d.reader_count == 2);
	CHECK(tacit_bytes_eq(tacit_buf_view(&d.readers[0].name), TACIT_STR("bob")));
	CHECK_INT(d.readers[0].message, 12);
	CHECK_INT(d.readers[1].message, 7);
	n.detail = TACIT_STR("0\n3\n8"); /* only on */
	CHECK_OK(dialog_describe(&d, &n));
	CHECK_INT(d.readers[0].message, 12);
	CHECK_INT(d.readers[1].message, 8);
	dialog_clear(&d);
}

static struct tacit_notice waits(const char *id, const char *text)
{
	return (struct tacit_notice){
	        .kind = TACIT_NOTICE_OUTGOING,
	        .conversation = 1,
	        .text = tacit_cstr(id),
	        .time = NOON,
	        .content = {.kind = TACIT_CONTENT_TEXT, .text = tacit_cstr(text)},
	};
}

static void what_waits_since_before_is_shown(void)
{
	struct dialog d = {.id = 1};
	struct tacit_notice old = waits("id-1", "from before");
	struct tacit_notice twin = waits("id-2", "from before");
	struct tacit_notice mine = waits("id-3", "typed now");
	add(&d, said(1, "bob", "text"), 8);
	CHECK_OK(dialog_add_outgoing(&d, &old));
	CHECK_OK(dialog_add_outgoing(&d, &old));
	REQUIRE(d.count == 2);
	CHECK_INT(d.entries[1].state, ENTRY_WAITING);
	CHECK_OK(dialog_add_outgoing(&d, &twin));
	CHECK_INT(d.count, 3);
	CHECK_OK(dialog_add_waiting(
	        &d, 9, NOON, (struct dialog_text){.text = TACIT_STR("typed now")}));
	CHECK_OK(dialog_add_outgoing(&d, &mine)); /* what waits here got its id */
	CHECK_INT(d.count, 4);
	CHECK(!add(&d, said_myself(2, "from before"), 0));
	CHECK_INT(d.entries[1].state, ENTRY_SENT);
	CHECK_INT(d.entries[2].state, ENTRY_WAITING);
	CHECK_INT(d.count, 4);
	dialog_clear(&d);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void describe(struct model *m, struct tacit_notice n, uint64_t newest, uint64_t unread)
{
	n.message = newest;
	n.count = unread;
	CHECK_OK(model_describe(m, &n));
}

static void three(struct model *m)
{
	describe(m, about(1, TACIT_DIRECT, "bob", "alice\nbob"), 5, 0);
	describe(m, about(2, TACIT_GROUP, "Climbing", "alice\nbob\ncarol"), 9, 2);
	describe(m, about(3, TACIT_DIRECT, "carol", "alice\ncarol"), 7, 1);
	m->chosen = 1;
	model_sort(m);
}

static void the_newest_come_first(void)
{
	struct model m = {0};
	three(&m);
	CHECK_INT(m.dialogs[0]->id, 2);
	CHECK_INT(m.dialogs[1]->id, 3);
	CHECK_INT(m.dialogs[2]->id, 1);
	CHECK_INT(m.chosen, 0); /* the one that was chosen */
	CHECK_INT(model_unread_elsewhere(&m), 1);
	model_clear(&m);
}

static void one_goes_round(void)
{
	struct model m = {0};
	CHECK_INT(model_next(&m, 1), 0);
	CHECK(model_chosen(&m) == NULL);
	three(&m);
	CHECK_INT(model_next(&m, 1), 1);
	CHECK_INT(model_next(&m, -1), 2);
	CHECK_INT(model_next_unread(&m), 1);
	model_choose(&m, 2);
	CHECK_INT(model_next(&m, 1), 0);
	CHECK_INT(model_next_unread(&m), 0);
	model_choose(&m, 17);
	CHECK_INT(m.chosen, 2);
	model_clear(&m);
}

static void names_find_conversations(void)
{
	struct model m = {0};
	three(&m);
	describe(&m, about(4, TACIT_GROUP, "bob", "alice\ncarol"), 1, 0); /* a group called bob */
	describe(&m, about(5, TACIT_GROUP, "Twins", "alice"), 1, 0);
	describe(&m, about(6, TACIT_GROUP, "Twins", "alice"), 1, 0);
	CHECK_INT(model_named(&m, "CAROL")->id, 3);
	CHECK_INT(model_named(&m, "Climbing")->id, 2);
	CHECK_INT(model_named(&m, ":4")->id, 4);
	CHECK_INT(model_named(&m, "1")->id, 2);
	CHECK(model_named(&m, "bob") == NULL);
	CHECK(model_named(&m, "Twins") == NULL);
	CHECK(model_named(&m, "dave") == NULL);
	CHECK(model_named(&m, ":x") == NULL && model_named(&m, ":99") == NULL);
	CHECK(model_named(&m, "") == NULL && model_named(&m, "0") == NULL);
	model_clear(&m);
}

static void presence_is_believed_while_online(void)
{
	struct model m = {.link = RUNNER_ONLINE};
	three(&m);
	const struct dialog *bob = model_direct(&m, TACIT_STR("bob"));
	REQUIRE(bob != NULL);
	CHECK_INT(model_presence(&m, bob), PRESENCE_UNKNOWN);
	CHECK_OK(model_set_presence(&m, TACIT_STR("bob"), PRESENCE_ONLINE));
	CHECK_INT(model_presence(&m, bob), PRESENCE_ONLINE);
	CHECK_OK(model_set_presence(&m, TACIT_STR("BOB"), PRESENCE_OFFLINE));
	CHECK_INT(model_presence(&m, bob), PRESENCE_OFFLINE);
	m.link = RUNNER_OFFLINE;
	CHECK_INT(model_presence(&m, bob), PRESENCE_UNKNOWN);
	model_clear(&m);
}

static enum tacit_err live_a_little(void)
{
	enum tacit_err err;
	bool is_new;
	struct model m = {0};
	struct tacit_notice bob = about(1, TACIT_DIRECT, "bob", "alice\nbob");
	struct tacit_notice text = said(1, "bob", "hello");
	struct tacit_notice kept = waits("id", "kept");
	bob.detail = TACIT_STR("0\n1");
	TRY(model_describe(&m, &bob));
	TRY(model_set_presence(&m, TACIT_STR("bob"), PRESENCE_ONLINE));
	TRY(dialog_add(m.dialogs[0], &text, 0, &is_new));
	TRY(dialog_add_waiting(
	        m.dialogs[0], 1, NOON, (struct dialog_text){.text = TACIT_STR("hi")}));
	TRY(dialog_read_by(m.dialogs[0], TACIT_STR("bob"), 1));
	TRY(dialog_add_outgoing(m.dialogs[0], &kept));
	TRY(dialog_typing(m.dialogs[0], TACIT_STR("bob"), NOON));
	TRY(model_describe(&m, &bob));
out:
	model_clear(&m);
	return err;
}

static void memory_may_run_out(void)
{
	tap_alloc_sweep(live_a_little);
}

/* --- slash commands -------------------------------------------------------------------------- */

static void commands_are_taken_apart(void)
{
	struct slash s;
	CHECK_OK(slash_parse("/group create \"Rock climbing\" bob  carol ", &s));
	CHECK_INT(s.command->kind, SLASH_GROUP);
	REQUIRE(s.count == 4);
	CHECK(strcmp(s.words[1], "Rock climbing") == 0 && strcmp(s.words[3], "carol") == 0);
	slash_clear(&s);
	CHECK_OK(slash_parse("/file  my holiday.jpg", &s));
	CHECK(s.count == 1 && strcmp(s.words[0], "my holiday.jpg") == 0);
	slash_clear(&s);
	CHECK_OK(slash_parse("/quit", &s));
	CHECK_INT(s.count, 0);
	slash_clear(&s);
}

static void wrong_commands_are_refused(void)
{
	static const char *const wrong[] = {"/", "/qui", "/quitt", "/quit now", "/file", "/chat ",
	        "/ quit", "/QUIT", "/verify yes no", "/group \"x"};
	struct slash s;
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++) {
		CHECK_ERR(slash_parse(wrong[i], &s), TACIT_E_USAGE);
		CHECK(s.problem != NULL);
		slash_clear(&s);
	}
	char many[400] = "/group add";
	for (int i = 0; i < 2 * SLASH_WORDS; i++)
		strncat(many, " u", sizeof(many) - strlen(many) - 1);
	CHECK_OK(slash_parse(many, &s));
	CHECK_INT(s.count, SLASH_WORDS);
	slash_clear(&s);
}

static void completes(const struct model *m, const char *before, const char *want, size_t replaces)
{
	struct tacit_buf found = {0};
	size_t word;
	CHECK_OK(slash_complete(m, before, &word, &found));
	CHECK_BYTES(tacit_buf_view(&found), tacit_cstr(want));
	CHECK_INT(word, replaces);
	tacit_buf_clear(&found);
}

static void names_and_commands_are_completed(void)
{
	struct model m = {0};
	three(&m);
	completes(&m, "/ve", "verify", 2);
	completes(&m, "/me", "members", 2);
	completes(&m, "/chat Cl", "Climbing", 2);
	completes(&m, "/chat ca", "carol", 2);
	completes(&m, "/group add c", "carol", 1);
	completes(&m, "/nothing x", "", 0);
	completes(&m, "dear bo", "bob", 2); /* in Climbing, which is shown */
	completes(&m, "dear ", "", 0);
	completes(&m, "//ve", "", 4);
	model_clear(&m);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"messages stand in order, once", messages_stand_in_order_once},
	        {"an own text waits until it is sent", an_own_text_waits_until_it_is_sent},
	        {"a reply waits as a reply", a_reply_waits_as_a_reply},
	        {"what went out later is the one that waited",
	                what_went_out_later_is_the_one_that_waited},
	        {"what the server will not take is said", what_the_server_will_not_take_is_said},
	        {"a message says what it says now", a_message_says_what_it_says_now},
	        {"what was refused comes after all", what_was_refused_comes_after_all},
	        {"what is typed about a message", what_is_typed_about_a_message},
	        {"everything from outside is cleaned", everything_from_outside_is_cleaned},
	        {"unread ones are counted once", unread_ones_are_counted_once},
	        {"the place stays while others come", the_place_stays_while_others_come},
	        {"what is old is forgotten and comes again",
	                what_is_old_is_forgotten_and_comes_again},
	        {"what has disappeared is gone", what_has_disappeared_is_gone},
	        {"readers only go on", readers_only_go_on},
	        {"marks of before are known", marks_of_before_are_known},
	        {"what waits since before is shown", what_waits_since_before_is_shown},
	        {"the newest come first", the_newest_come_first},
	        {"one goes round", one_goes_round},
	        {"names find conversations", names_find_conversations},
	        {"presence is believed while online", presence_is_believed_while_online},
	        {"memory may run out", memory_may_run_out},
	        {"commands are taken apart", commands_are_taken_apart},
	        {"wrong commands are refused", wrong_commands_are_refused},
	        {"names and commands are completed", names_and_commands_are_completed},
	};
	term_init();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
