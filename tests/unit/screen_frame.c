/* The screen as rows: pane.h, frame.h. */
#include "cli/screen/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/screen/cells.h"
#include "cli/term.h"
#include "screen_people.h"
#include "support/tap.h"

#define HAN "\xe6\xbc\xa2\xe5\xad\x97"
#define ROOM 2048

/* One row as a person sees it, without the spaces at its end. */
static void read_row(const struct rows *rows, size_t at, char *out)
{
	const struct row *row = &rows->list[at];
	size_t columns = 0;
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < row->spans; i++) {
		struct tacit_bytes text = rows_text(rows, &row->span[i]);
		for (; columns < row->span[i].column && n + 1 < ROOM; columns++)
			out[n++] = ' ';
		if (n + text.n + 1 >= ROOM)
			break;
		memcpy(out + n, text.p, text.n);
		n += text.n;
		columns += cells_columns(text);
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static size_t row_columns(const struct rows *rows, size_t at)
{
	return rows->list[at].columns;
}

static void row_is(const struct rows *rows, size_t at, const char *want)
{
	char got[ROOM];
	REQUIRE(at < rows->count);
	read_row(rows, at, got);
	CHECK_BYTES(tacit_cstr(got), tacit_cstr(want));
}

static bool row_has(const struct rows *rows, size_t at, const char *part)
{
	char got[ROOM];
	if (at >= rows->count)
		return false;
	read_row(rows, at, got);
	return strstr(got, part) != NULL;
}

static bool any_row_has(const struct rows *rows, const char *part)
{
	for (size_t i = 0; i < rows->count; i++)
		if (row_has(rows, i, part))
			return true;
	return false;
}

/* --- the pane -------------------------------------------------------------------------------- */

static void begin(struct dialog *d)
{
	struct tacit_notice n = about(1, TACIT_DIRECT, "bob", "alice\nbob");
	*d = (struct dialog){.anchor.following = true};
	CHECK_OK(dialog_describe(d, &n));
}

static void add(struct dialog *d, struct tacit_notice n)
{
	bool is_new;
	CHECK_OK(dialog_add(d, &n, 0, &is_new));
}

static void add_many(struct dialog *d, int count)
{
	for (int i = 1; i <= count; i++) {
		char text[32];
		snprintf(text, sizeof(text), "number %d", i);
		add(d, said((uint64_t)i, "bob", text));
	}
}

static bool compose(const struct dialog *d, size_t columns, size_t rows, struct rows *out)
{
	bool at_top;
	const struct pane p = {columns, rows, "(key)"};
	rows_reset(out);
	CHECK_OK(pane_compose(&p, d, out, &at_top));
	CHECK_INT(out->count, rows);
	return at_top;
}

static void a_conversation_is_laid_out(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	add(&d, said(1, "bob", "hello there, this is a longer text"));
	add(&d, said_myself(2, "short"));
	CHECK(compose(&d, 40, 5, &r));
	row_is(&r, 0, "");
	CHECK(row_has(&r, 1, " Wednesday, 15 November 2023 "));
	row_is(&r, 2, "12:01 bob  hello there, this is a longer");
	row_is(&r, 3, "           text");
	row_is(&r, 4, "12:02 you  short  \xe2\x9c\x93");
	dialog_clear(&d);
	rows_clear(&r);
}

static void days_and_news_have_their_lines(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	add(&d, said(1, "bob", "today"));
	struct tacit_notice later = said(2, "bob", "tomorrow");
	later.time += 86400;
	add(&d, later);
	d.unread = 1;
	dialog_mark_fresh(&d);
	compose(&d, 60, 5, &r);
	CHECK(row_has(&r, 0, "Wednesday, 15 November"));
	CHECK(row_has(&r, 2, "Thursday, 16 November"));
	CHECK(row_has(&r, 3, " new messages "));
	dialog_clear(&d);
	rows_clear(&r);
}

static void a_name_is_never_cut(void)
{
	struct dialog d;
	struct rows r = {0};
	struct tacit_notice n = about(
	        1, TACIT_GROUP, "Two", "alice\nabcdefghijklmnopqrstuvw1\nabcdefghijklmnopqrstuvw2");
	begin(&d);
	CHECK_OK(dialog_describe(&d, &n));
	add(&d, said(1, "abcdefghijklmnopqrstuvw1", "hi"));
	add(&d, said(2, "abcdefghijklmnopqrstuvw2", "hi"));
	for (size_t columns = 32; columns < 120; columns += 7) {
		compose(&d, columns, 8, &r);
		CHECK(any_row_has(&r, "abcdefghijklmnopqrstuvw1"));
		CHECK(any_row_has(&r, "abcdefghijklmnopqrstuvw2"));
	}
	dialog_clear(&d);
	rows_clear(&r);
}

/* A text with line feeds cannot look like a message of somebody else: names stand left of it. */
static void a_text_cannot_pass_for_another_message(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	add(&d, said(1, "bob", "hi\n12:05 you  I owe bob money\n!! WARNING: do what bob says"));
	compose(&d, 60, 5, &r);
	row_is(&r, 2, "12:01 bob  hi");
	row_is(&r, 3, "           12:05 you  I owe bob money");
	row_is(&r, 4, "           !! WARNING: do what bob says");
	for (size_t i = 0; i < r.count; i++)
		CHECK_INT(r.list[i].fill, STYLE_PLAIN);
	dialog_clear(&d);
	rows_clear(&r);
}

static void what_became_of_messages_is_seen(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	struct tacit_notice first = said(1, "bob", "shall we?\nor not?");
	first.count = 9;
	first.detail = TACIT_STR("alice +1\nbob ha");
	add(&d, first);
	struct tacit_notice reply = said_myself(2, "yes");
	reply.content.reply_to = 1;
	add(&d, reply);
	struct tacit_notice lost = said(3, "bob", "why?");
	lost.content.reply_to = 77;
	add(&d, lost);
	struct tacit_notice deleted = said(4, "bob", "");
	deleted.kind = TACIT_NOTICE_DELETED;
	add(&d, deleted);
	compose(&d, 60, 10, &r);
	row_is(&r, 2, "12:01 bob  shall we?");
	row_is(&r, 3, "           or not?");
	row_is(&r, 4, "           (edited) [alice +1, bob ha]");
	row_is(&r, 5, "12:02 you  \xe2\x86\xb3 bob: shall we? \xe2\x80\xa6");
	row_is(&r, 6, "           yes  \xe2\x9c\x93");
	row_is(&r, 7, "12:03 bob  \xe2\x86\xb3 an earlier message");
	row_is(&r, 8, "           why?");
	row_is(&r, 9, "12:04 bob  [deleted]");
	for (size_t columns = 5; columns < 60; columns++)
		compose(&d, columns, 10, &r);
	dialog_clear(&d);
	rows_clear(&r);
}

static void what_is_wrong_is_loud(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	struct tacit_notice n = {.kind = TACIT_NOTICE_KEY_CHANGED,
	        .conversation = 1,
	        .username = TACIT_STR("bob"),
	        .time = NOON};
	add(&d, n);
	n = (struct tacit_notice){.kind = TACIT_NOTICE_MISSING,
	        .username = TACIT_STR("bob"),
	        .count = 2,
	        .message = 4};
	add(&d, n);
	n = said(5, "bob", "");
	n.kind = TACIT_NOTICE_REFUSED;
	n.err = TACIT_E_BAD_SEAL;
	add(&d, n);
	CHECK(d.changed);
	compose(&d, 300, 4, &r);
	CHECK(row_has(&r, 1, "!! WARNING: The key of bob HAS CHANGED"));
	CHECK_INT(r.list[1].fill, STYLE_LOUD);
	CHECK(row_has(&r, 2, "!! WARNING: 2 messages of bob never came."));
	CHECK_INT(r.list[2].fill, STYLE_LOUD);
	CHECK(row_has(&r, 3, "bob  [not shown: The data was changed"));
	dialog_clear(&d);
	rows_clear(&r);
}

static void own_messages_show_how_far_they_came(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	add(&d, said_myself(1, "one"));
	add(&d, said_myself(2, "two"));
	add(&d, said_myself(3, "three"));
	CHECK_OK(dialog_add_waiting(
	        &d, 9, NOON + 300, (struct dialog_text){.text = TACIT_STR("four")}));
	CHECK_OK(dialog_read_by(&d, TACIT_STR("bob"), 2));
	compose(&d, 60, 5, &r);
	row_is(&r, 1, "12:01 you  one  \xe2\x9c\x93\xe2\x9c\x93");
	row_is(&r, 2, "12:02 you  two  \xe2\x9c\x93\xe2\x9c\x93 read by bob");
	row_is(&r, 3, "12:03 you  three  \xe2\x9c\x93");
	row_is(&r, 4, "12:05 you  four  \xe2\x80\xa6 waiting");
	dialog_clear(&d);
	rows_clear(&r);
}

static void a_file_says_how_to_get_it(void)
{
	struct dialog d;
	struct rows r = {0};
	struct tacit_notice n = said(1, "bob", "the plan");
	begin(&d);
	n.content.kind = TACIT_CONTENT_FILE;
	n.content.file.name = TACIT_STR("plan.txt");
	n.content.file.id = TACIT_STR("0123456789abcdef");
	n.content.file.size = 5000;
	add(&d, n);
	compose(&d, 70, 4, &r);
	row_is(&r, 1, "12:01 bob  file plan.txt, 5.0 kB");
	row_is(&r, 2, "           tacit file get 01234567  (key)");
	row_is(&r, 3, "           the plan");
	dialog_clear(&d);
	rows_clear(&r);
}

/* --- scrolling ------------------------------------------------------------------------------- */

static void scroll(struct dialog *d, size_t rows, long lines)
{
	const struct pane p = {60, rows, ""};
	CHECK_OK(pane_scroll(&p, d, lines));
}

static void pages_are_turned(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	add_many(&d, 50);
	CHECK(!compose(&d, 60, 10, &r));
	CHECK(row_has(&r, 9, "number 50") && row_has(&r, 0, "number 41"));
	scroll(&d, 10, 8);
	CHECK(!d.anchor.following);
	compose(&d, 60, 10, &r);
	CHECK(row_has(&r, 9, "number 42"));
	scroll(&d, 10, 1000);
	CHECK(compose(&d, 60, 10, &r));
	CHECK(row_has(&r, 0, "Wednesday") && row_has(&r, 1, "number 1"));
	scroll(&d, 10, -8);
	compose(&d, 60, 10, &r);
	CHECK(row_has(&r, 9, "number 17"));
	scroll(&d, 10, -1000);
	CHECK(d.anchor.following);
	dialog_clear(&d);
	rows_clear(&r);
}

static void a_long_text_is_scrolled_by_lines(void)
{
	struct dialog d;
	struct rows r = {0};
	char text[400] = "";
	begin(&d);
	for (int i = 0; i < 30; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "line %d\n", i);
	add(&d, said(1, "bob", text));
	add(&d, said(2, "bob", "last"));
	compose(&d, 60, 5, &r);
	CHECK(row_has(&r, 4, "last") && row_has(&r, 2, "line 29"));
	scroll(&d, 5, 3);
	compose(&d, 60, 5, &r);
	CHECK(row_has(&r, 4, "line 28") && row_has(&r, 0, "line 24"));
	dialog_clear(&d);
	rows_clear(&r);
}

static void what_comes_does_not_move_the_page(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	add_many(&d, 40);
	scroll(&d, 10, 10);
	compose(&d, 60, 10, &r);
	CHECK(row_has(&r, 9, "number 30"));
	add(&d, said(41, "bob", "new"));
	compose(&d, 60, 10, &r);
	CHECK(row_has(&r, 9, "number 30"));
	compose(&d, 30, 4, &r); /* another size, the same place */
	CHECK(row_has(&r, 3, "number 30"));
	const struct pane p = {60, 10, ""};
	CHECK_OK(pane_show(&p, &d, 12));
	compose(&d, 60, 10, &r);
	CHECK(row_has(&r, 9, "number 13"));
	CHECK_OK(pane_show(&p, &d, 40));
	CHECK(d.anchor.following);
	dialog_clear(&d);
	rows_clear(&r);
}

static void little_stands_below(void)
{
	struct dialog d;
	struct rows r = {0};
	begin(&d);
	CHECK(compose(&d, 60, 3, &r));
	scroll(&d, 3, 5);
	add(&d, said(1, "bob", "only"));
	scroll(&d, 10, 5);
	CHECK(d.anchor.following); /* there is nothing to scroll */
	compose(&d, 60, 10, &r);
	CHECK(row_has(&r, 9, "only"));
	dialog_clear(&d);
	rows_clear(&r);
}

/* --- the whole screen ------------------------------------------------------------------------ */

static void make_model(struct model *m)
{
	struct tacit_notice bob = about(1, TACIT_DIRECT, "bob", "alice\nbob");
	struct tacit_notice group = about(2, TACIT_GROUP, "Climbing " HAN, "alice\nbob\ncarol");
	*m = (struct model){.link = RUNNER_ONLINE};
	bob.flag = true;
	group.count = 3;
	CHECK_OK(tacit_buf_append(&m->self, TACIT_STR("alice")));
	CHECK_OK(model_describe(m, &bob));
	CHECK_OK(model_describe(m, &group));
	CHECK_OK(model_set_presence(m, TACIT_STR("bob"), PRESENCE_ONLINE));
	add(m->dialogs[0], said(1, "bob", "hello " HAN));
	m->dialogs[0]->unread = 0;
}

static void frame(
        const struct model *m, const struct edit *e, size_t columns, size_t rows, struct frame *f)
{
	const struct frame_input in = {columns, rows, NOON, "> ", m, e};
	CHECK_OK(frame_compose(&in, f));
}

static void a_wide_screen_has_a_list(void)
{
	struct model m;
	struct edit e = {0};
	struct frame f = {0};
	make_model(&m);
	CHECK_OK(edit_insert(&e, TACIT_STR("hi")));
	frame(&m, &e, 80, 24, &f);
	row_is(&f.bar.rows, 0, " bob  \xe2\x9c\x93 verified");
	row_is(&f.list.rows, 0, " 1 \xe2\x97\x8f bob");
	row_is(&f.list.rows, 1, " 2 # Climbing " HAN " 3");
	CHECK(any_row_has(&f.pane.rows, "bob  hello"));
	row_is(&f.status.rows, 0, " online | alice | 3 new elsewhere (Tab)");
	row_is(&f.input.rows, 0, "> hi");
	CHECK_INT(f.cursor_row, 23);
	CHECK_INT(f.cursor_column, 4);
	CHECK_INT(f.pane.column + f.pane.columns, 80);
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
}

static void a_small_screen_folds_the_list(void)
{
	struct model m;
	struct edit e = {0};
	struct frame f = {0};
	make_model(&m);
	frame(&m, &e, 40, 10, &f);
	CHECK_INT(f.list.rows.count, 0);
	CHECK_INT(f.pane.rows.count, 7);
	CHECK_INT(f.pane.columns, 40);
	row_is(&f.bar.rows, 0, " 1/2 bob  \xe2\x9c\x93 verified");
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
}

/* Whatever the size: rows fill the screen, nothing is wider than its part, the cursor is inside. */
static void parts_fit(const struct frame *f, size_t columns, size_t rows)
{
	const struct part *parts[] = {&f->bar, &f->list, &f->pane, &f->status, &f->input};
	for (size_t i = 0; i < TACIT_COUNT(parts); i++)
		for (size_t y = 0; y < parts[i]->rows.count; y++) {
			CHECK(parts[i]->row + y < rows);
			CHECK(row_columns(&parts[i]->rows, y) <= parts[i]->columns || columns < 12);
		}
	CHECK_INT(
	        f->bar.rows.count + f->pane.rows.count + f->status.rows.count + f->input.rows.count,
	        rows);
	CHECK(f->cursor_row < rows);
	CHECK(f->cursor_column < columns || columns < 3);
}

static void every_size_works(void)
{
	struct model m;
	struct edit e = {0};
	struct frame f = {0};
	make_model(&m);
	CHECK_OK(
	        edit_insert(&e, TACIT_STR("some text " HAN " that\ntakes more than one line\n\n")));
	CHECK_OK(dialog_typing(m.dialogs[0], TACIT_STR("bob"), NOON + 5));
	m.dialogs[0]->changed = true;
	for (size_t columns = 1; columns <= 130; columns += columns < 30 ? 1 : 11)
		for (size_t rows = 1; rows <= 40; rows += rows < 12 ? 1 : 9) {
			frame(&m, &e, columns, rows, &f);
			parts_fit(&f, columns, rows);
		}
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
}

static void the_connection_is_told(void)
{
	struct model m;
	struct edit e = {0};
	struct frame f = {0};
	struct runner_event off = {.kind = RUNNER_LINK,
	        .link = RUNNER_OFFLINE,
	        .seconds = 7,
	        .err = TACIT_E_NETWORK,
	        .text = TACIT_STR("no \x1b[31mroute")};
	make_model(&m);
	model_set_link(&m, &off, NOON);
	frame(&m, &e, 100, 24, &f);
	CHECK(row_has(&f.status.rows, 0, "OFFLINE, trying again in 7 s | alice"));
	CHECK(row_has(&f.status.rows, 0, "no \xef\xbf\xbd[31mroute"));
	CHECK(!row_has(&f.list.rows, 0, "\xe2\x97\x8f")); /* who is there, nobody knows now */
	model_flash(&m, true, TACIT_STR("look\nhere"));
	frame(&m, &e, 100, 24, &f);
	row_is(&f.status.rows, 0, " look here");
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
}

static void typing_is_shown_for_a_while(void)
{
	struct model m;
	struct edit e = {0};
	struct frame f = {0};
	make_model(&m);
	CHECK_OK(dialog_typing(m.dialogs[0], TACIT_STR("bob"), NOON + 5));
	frame(&m, &e, 80, 24, &f);
	row_is(&f.pane.rows, 20, " bob is typing\xe2\x80\xa6");
	CHECK_OK(dialog_typing(m.dialogs[0], TACIT_STR("bob"), NOON));
	frame(&m, &e, 80, 24, &f);
	CHECK(!any_row_has(&f.pane.rows, "is typing"));
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
}

static void a_long_list_shows_the_chosen_one(void)
{
	struct model m;
	struct edit e = {0};
	struct frame f = {0};
	make_model(&m);
	for (uint64_t i = 3; i < 60; i++) {
		char name[16];
		snprintf(name, sizeof(name), "user%d", (int)i);
		struct tacit_notice n = about(i, TACIT_DIRECT, name, "");
		CHECK_OK(model_describe(&m, &n));
	}
	model_choose(&m, 50);
	frame(&m, &e, 80, 24, &f);
	CHECK(any_row_has(&f.list.rows, "51   user51"));
	model_choose(&m, 2);
	frame(&m, &e, 80, 24, &f);
	CHECK(any_row_has(&f.list.rows, " 3   user3"));
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
}

static enum tacit_err draw_everything(void)
{
	enum tacit_err err;
	bool is_new;
	struct model m = {0};
	struct edit e = {0};
	struct frame f = {0};
	struct tacit_notice bob = about(1, TACIT_DIRECT, "bob", "alice\nbob");
	struct tacit_notice text = said(1, "bob", "hello");
	TRY(model_describe(&m, &bob));
	TRY(dialog_add(m.dialogs[0], &text, 0, &is_new));
	TRY(edit_insert(&e, TACIT_STR("x")));
	const struct frame_input in = {80, 24, NOON, "> ", &m, &e};
	TRY(frame_compose(&in, &f));
	const struct pane p = frame_pane(&in);
	TRY(pane_scroll(&p, m.dialogs[0], 3));
out:
	frame_clear(&f);
	edit_clear(&e);
	model_clear(&m);
	return err;
}

static void memory_may_run_out(void)
{
	tap_alloc_sweep(draw_everything);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a conversation is laid out", a_conversation_is_laid_out},
	        {"days and news have their lines", days_and_news_have_their_lines},
	        {"a name is never cut", a_name_is_never_cut},
	        {"a text cannot pass for another message", a_text_cannot_pass_for_another_message},
	        {"what became of messages is seen", what_became_of_messages_is_seen},
	        {"what is wrong is loud", what_is_wrong_is_loud},
	        {"own messages show how far they came", own_messages_show_how_far_they_came},
	        {"a file says how to get it", a_file_says_how_to_get_it},
	        {"pages are turned", pages_are_turned},
	        {"a long text is scrolled by lines", a_long_text_is_scrolled_by_lines},
	        {"what comes does not move the page", what_comes_does_not_move_the_page},
	        {"little stands below", little_stands_below},
	        {"a wide screen has a list", a_wide_screen_has_a_list},
	        {"a small screen folds the list", a_small_screen_folds_the_list},
	        {"every size works", every_size_works},
	        {"the connection is told", the_connection_is_told},
	        {"typing is shown for a while", typing_is_shown_for_a_while},
	        {"a long list shows the chosen one", a_long_list_shows_the_chosen_one},
	        {"memory may run out", memory_may_run_out},
	};
	setenv("TZ", "UTC0", 1);
	term_init();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
