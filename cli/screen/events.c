/* What the runner tells, put into the model. */
#include <string.h>

#include "cli/screen/state.h"

/* Out of memory the screen ends in order: what it shows could not be trusted any more. */
static void check(struct screen *s, enum tacit_err err)
{
	if (err != TACIT_OK && s->broken == TACIT_OK)
		s->broken = err;
}

void screen_say(struct screen *s, enum entry_kind kind, struct tacit_bytes text)
{
	struct dialog *t = model_chosen(&s->model);
	if (t == NULL)
		model_flash(&s->model, kind == ENTRY_LOUD, text);
	else
		check(s, dialog_add_aside(t, screen_now(s), kind, text));
}

/* --- the conversation that is shown ---------------------------------------------------------- */

void screen_choose(struct screen *s, size_t index)
{
	struct dialog *left = model_chosen(&s->model);
	if (index >= s->model.count)
		return;
	if (s->mode == MODE_SEARCHING)
		search_end(s);
	if (left != NULL) {
		tacit_buf_clear(&left->draft);
		check(s, tacit_buf_append(&left->draft, edit_text(&s->edit)));
	}
	model_choose(&s->model, index);
	struct dialog *t = model_chosen(&s->model);
	check(s, edit_set(&s->edit, tacit_buf_view(&t->draft)));
}

static void mark_read(struct screen *s, struct dialog *t)
{
	uint64_t newest = dialog_newest_of_others(t);
	const struct tacit_command mark = {
	        .kind = TACIT_CMD_MARK_READ, .conversation = t->id, .message = newest};
	if (t->unread == 0 || !t->anchor.following || t->gone)
		return;
	t->unread = 0;
	t->counted = t->newest > t->counted ? t->newest : t->counted;
	if (newest == 0 || newest <= t->marked)
		return;
	t->marked = newest;
	wish_post(s, &mark, &(struct wish){.kind = WISH_NOTHING});
}

void screen_attend(struct screen *s)
{
	struct dialog *t = model_chosen(&s->model);
	if (t == NULL || !s->listed)
		return;
	if (t->oldest == UINT64_MAX || s->frame.at_top)
		wish_page(s, t);
	if (t->oldest != UINT64_MAX || t->whole)
		mark_read(s, t);
}

/* --- notices --------------------------------------------------------------------------------- */

static void on_conversation(struct screen *s, const struct tacit_notice *n)
{
	bool was_empty = s->model.count == 0;
	check(s, model_describe(&s->model, n));
	if (was_empty && s->listed)
		screen_choose(s, 0);
}

/* What belongs to no conversation, or to one that is not known, is said where the person looks. */
static void on_event_elsewhere(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *t = model_direct(&s->model, n->username);
	bool is_new;
	bool loud = n->kind == TACIT_NOTICE_KEY_CHANGED || n->kind == TACIT_NOTICE_WARNING;
	if (n->conversation != 0)
		wish_list(s);
	if (!loud)
		return;
	t = t != NULL ? t : model_chosen(&s->model);
	if (t != NULL)
		check(s, dialog_add(t, n, 0, &is_new));
	model_flash(&s->model, true,
	        n->kind == TACIT_NOTICE_KEY_CHANGED ? TACIT_STR("!! SOMEBODY'S KEY HAS CHANGED")
	        : n->text.n > 0                     ? n->text
	                                            : tacit_cstr(tacit_err_text(n->err)));
}

static void on_said(struct screen *s, const struct tacit_notice *n, uint64_t position)
{
	struct dialog *t = model_find(&s->model, n->conversation);
	bool is_new;
	if (t == NULL) {
		on_event_elsewhere(s, n);
		return;
	}
	uint64_t unread = t->unread;
	check(s, dialog_add(t, n, position, &is_new));
	if (is_new && n->kind == TACIT_NOTICE_MESSAGE && !n->flag)
		tacit_buf_clear(&t->typing);
	if (t->unread > unread && t == model_chosen(&s->model) && !t->anchor.following &&
	        t->fresh == 0)
		t->fresh = n->message;
	if (is_new && n->kind == TACIT_NOTICE_MEMBER && position == 0)
		wish_list(s);
}

static void on_read(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *t = model_find(&s->model, n->conversation);
	if (t == NULL)
		return;
	if (!tacit_bytes_eq(n->username, tacit_buf_view(&s->model.self)))
		check(s, dialog_read_by(t, n->username, n->message));
	else if (n->message >= t->newest)
		t->unread = 0; /* read on another machine */
}

/* In lines of four groups: it is read aloud, and compared. */
static void show_safety(struct screen *s, const struct tacit_notice *n)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	int group = 0;
	if (n->text.n >= sizeof(s->safety))
		return;
	memcpy(s->safety, n->text.p, n->text.n);
	s->safety[n->text.n] = '\0';
	s->safety_changed = n->err == TACIT_E_KEY_CHANGED;
	TRY(tacit_buf_append(&text, TACIT_STR("Safety number with ")));
	TRY(tacit_buf_append(&text, n->username));
	TRY(tacit_buf_printf(&text, "%s%s:\n\n  ",
	        s->safety_changed ? " (their NEW key, not accepted yet)" : "",
	        n->flag ? " (verified already)" : ""));
	for (const char *p = s->safety; *p != '\0'; p++)
		TRY(*p != ' '              ? tacit_buf_append(&text, tacit_bytes(p, 1))
		        : ++group % 4 == 0 ? tacit_buf_append(&text, TACIT_STR("\n  "))
		                           : tacit_buf_append(&text, TACIT_STR("  ")));
	TRY(tacit_buf_printf(&text, "\n\nCompare it in person, or over a line that you trust. %s",
	        s->safety_changed ? "Only then: /accept-key yes"
	                          : "Is it the same? Then: /verify yes"));
	screen_say(s, ENTRY_ASIDE, tacit_buf_view(&text));
out:
	check(s, err);
	tacit_buf_clear(&text);
}

static void on_safety(struct screen *s, const struct tacit_notice *n)
{
	tacit_buf_clear(&s->safety_of);
	check(s, tacit_buf_append(&s->safety_of, n->username));
	show_safety(s, n);
}

static void settle(struct screen *s, uint64_t ticket, const struct tacit_notice *n)
{
	const struct wish *w = wish_find(s, ticket);
	if (w == NULL)
		return;
	struct dialog *t = model_find(&s->model, w->conversation);
	if (w->kind == WISH_SEND && t != NULL)
		dialog_settle(t, ticket, n);
	if (w->kind == WISH_CHAT && n->kind == TACIT_NOTICE_DONE && n->conversation != 0)
		s->first = n->conversation;
}

static void on_notice(struct screen *s, const struct runner_event *ev)
{
	const struct tacit_notice *n = &ev->notice;
	switch (n->kind) {
	case TACIT_NOTICE_CONVERSATION:
		on_conversation(s, n);
		break;
	case TACIT_NOTICE_MESSAGE:
	case TACIT_NOTICE_REFUSED:
	case TACIT_NOTICE_MISSING:
	case TACIT_NOTICE_KEY_CHANGED:
	case TACIT_NOTICE_MEMBER:
	case TACIT_NOTICE_WARNING:
		on_said(s, n, 0);
		break;
	case TACIT_NOTICE_READ:
		on_read(s, n);
		break;
	case TACIT_NOTICE_SAFETY:
		on_safety(s, n);
		break;
	case TACIT_NOTICE_DONE:
	case TACIT_NOTICE_FAILED:
		settle(s, ev->ticket, n);
		break;
	default:
		break;
	}
}

/* --- the history ----------------------------------------------------------------------------- */

static void on_entry(struct screen *s, const struct runner_event *ev)
{
	const struct wish *w = wish_find(s, ev->ticket);
	struct dialog *t = w != NULL ? model_find(&s->model, w->conversation) : NULL;
	bool is_new;
	if (t == NULL)
		return;
	check(s, dialog_add(t, &ev->notice, ev->position, &is_new));
	if (w->kind == WISH_PAGE) {
		t->got++;
		t->oldest = ev->position < t->oldest ? ev->position : t->oldest;
	}
}

static void on_page_ended(struct screen *s, struct dialog *t, const struct runner_event *ev)
{
	t->asked = false;
	if (ev->err != TACIT_OK)
		t->whole = true; /* not again and again */
	else
		t->whole = t->got < SCREEN_PAGE;
	if (t == model_chosen(&s->model) && t->fresh == 0)
		dialog_mark_fresh(t);
	if (t == model_chosen(&s->model))
		search_go_on(s);
}

/* --- ends ------------------------------------------------------------------------------------ */

static void choose_first(struct screen *s)
{
	struct model *m = &s->model;
	if (!s->listed)
		model_sort(m);
	for (size_t i = 0; i < m->count && s->first != 0; i++)
		if (m->dialogs[i]->id == s->first) {
			s->listed = true;
			screen_choose(s, i);
			s->first = 0;
		}
	s->listed = true;
}

static void tell_failure(struct screen *s, const struct wish *w, const struct runner_event *ev)
{
	struct tacit_bytes why = ev->text.n > 0 ? ev->text : tacit_cstr(tacit_err_text(ev->err));
	bool offline = ev->err == TACIT_E_NETWORK && s->model.link == RUNNER_OFFLINE;
	if (ev->err == TACIT_E_CANCELLED)
		return;
	if (w->kind == WISH_SEND && offline)
		model_flash(&s->model, false,
		        TACIT_STR("No server is there; what you wrote goes out when it is."));
	else if (w->kind != WISH_NOTHING || !offline)
		model_flash(&s->model, true, why);
	if (ev->err == TACIT_E_NOMEM || tacit_err_class(ev->err) == TACIT_CLASS_STORE)
		check(s, ev->err);
}

static void on_success(struct screen *s, const struct wish *w)
{
	struct dialog *t = model_find(&s->model, w->conversation);
	if (w->kind == WISH_VERIFIED && t != NULL)
		t->changed = false;
	if (w->kind == WISH_VERIFIED)
		wish_list(s);
	if (w->kind == WISH_LEAVE && t != NULL)
		t->gone = true;
	if (w->kind == WISH_CHAT)
		wish_list(s);
	if (w->done != NULL)
		screen_say(s, ENTRY_ASIDE, tacit_cstr(w->done));
}

static void on_ended(struct screen *s, const struct runner_event *ev)
{
	struct wish w;
	if (!wish_take(s, ev->ticket, &w))
		return;
	struct dialog *t = model_find(&s->model, w.conversation);
	if (w.kind == WISH_TRANSFER)
		transfer_ended(s, w.job, ev);
	else if (ev->err != TACIT_OK)
		tell_failure(s, &w, ev);
	else
		on_success(s, &w);
	if (w.kind == WISH_PAGE && t != NULL)
		on_page_ended(s, t, ev);
	if (w.kind == WISH_LIST)
		choose_first(s);
}

void screen_on_event(struct screen *s, const struct runner_event *ev)
{
	switch (ev->kind) {
	case RUNNER_NOTICE:
		on_notice(s, ev);
		break;
	case RUNNER_HISTORY:
		on_entry(s, ev);
		break;
	case RUNNER_ENDED:
		on_ended(s, ev);
		break;
	case RUNNER_LINK:
		model_set_link(&s->model, ev, screen_now(s));
		break;
	}
}
