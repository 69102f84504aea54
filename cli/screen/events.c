/* What the runner tells, put into the model. */
#include <string.h>

#include "cli/screen/state.h"

#define MOST_ENTRIES 5000 /* of a conversation that are kept in memory while it is followed */
#define TYPING_LASTS 6    /* seconds, unless it is said again */

/* Out of memory the screen ends in order: what it shows could not be trusted any more. */
static void check(struct screen *s, enum tacit_err err)
{
	if (err != TACIT_OK && s->broken == TACIT_OK)
		s->broken = err;
}

void screen_say(struct screen *s, enum entry_kind kind, struct tacit_bytes text)
{
	struct dialog *d = model_chosen(&s->model);
	if (d == NULL)
		model_flash(&s->model, kind == ENTRY_LOUD, text);
	else
		check(s, dialog_add_aside(d, screen_now(s), kind, text));
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
	struct dialog *d = model_chosen(&s->model);
	check(s, edit_set(&s->edit, tacit_buf_view(&d->draft)));
}

static void mark_read(struct screen *s, struct dialog *d)
{
	uint64_t newest = dialog_newest_of_others(d);
	const struct tacit_command mark = {
	        .kind = TACIT_CMD_MARK_READ, .conversation = d->id, .message = newest};
	if (d->unread == 0 || !d->anchor.following || d->gone)
		return;
	d->unread = 0;
	d->counted = d->newest > d->counted ? d->newest : d->counted;
	if (newest == 0 || newest <= d->marked)
		return;
	d->marked = newest;
	wish_post(s, &mark, &(struct wish){.kind = WISH_NOTHING});
}

void screen_attend(struct screen *s)
{
	struct dialog *d = model_chosen(&s->model);
	if (d == NULL || !s->listed)
		return;
	if (d->count > MOST_ENTRIES)
		dialog_trim(d, MOST_ENTRIES / 2);
	if (d->oldest == UINT64_MAX || s->frame.at_top)
		wish_page(s, d);
	if (!d->asked && (d->oldest != UINT64_MAX || d->whole))
		mark_read(s, d);
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
	struct dialog *d = model_direct(&s->model, n->username);
	bool is_new;
	bool loud = n->kind == TACIT_NOTICE_KEY_CHANGED || n->kind == TACIT_NOTICE_WARNING;
	if (n->conversation != 0)
		wish_list(s);
	if (!loud)
		return;
	d = d != NULL ? d : model_chosen(&s->model);
	if (d != NULL)
		check(s, dialog_add(d, n, 0, &is_new));
	model_flash(&s->model, true,
	        n->kind == TACIT_NOTICE_KEY_CHANGED ? TACIT_STR("!! SOMEBODY'S KEY HAS CHANGED")
	        : n->text.n > 0                     ? n->text
	                                            : tacit_cstr(tacit_err_text(n->err)));
}

static void on_said(struct screen *s, const struct tacit_notice *n, uint64_t position)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	bool is_new;
	if (d == NULL) {
		on_event_elsewhere(s, n);
		return;
	}
	uint64_t unread = d->unread;
	check(s, dialog_add(d, n, position, &is_new));
	if (is_new && n->kind == TACIT_NOTICE_MESSAGE && !n->flag)
		tacit_buf_clear(&d->typing);
	if (d->unread > unread && d == model_chosen(&s->model) && !d->anchor.following &&
	        d->fresh == 0)
		d->fresh = n->message;
	if (is_new && n->kind == TACIT_NOTICE_MEMBER && position == 0)
		wish_list(s);
}

static void on_change(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d != NULL)
		check(s, dialog_change(d, n));
}

static void on_read(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d == NULL)
		return;
	if (!tacit_bytes_eq(n->username, tacit_buf_view(&s->model.self)))
		check(s, dialog_read_by(d, n->username, n->message));
	else if (n->message >= d->newest)
		d->unread = 0; /* read on another machine */
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

static void on_typing(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d == NULL || tacit_bytes_eq(n->username, tacit_buf_view(&s->model.self)))
		return;
	check(s, dialog_typing(d, n->username, n->flag ? screen_now(s) + TYPING_LASTS : 0));
}

static void on_presence(struct screen *s, const struct tacit_notice *n)
{
	enum presence presence = !n->flag                                     ? PRESENCE_OFFLINE
	                         : tacit_bytes_eq(n->text, TACIT_STR("away")) ? PRESENCE_AWAY
	                                                                      : PRESENCE_ONLINE;
	check(s, model_set_presence(&s->model, n->username, presence));
}

static void on_closed(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d == NULL)
		return;
	dialog_close(d);
	if (d == model_chosen(&s->model))
		check(s, edit_set(&s->edit, TACIT_STR("")));
	check(s, dialog_add_aside(d, screen_now(s), ENTRY_ASIDE, n->text));
	model_flash(&s->model, false, n->text);
}

static void on_expired(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d != NULL)
		dialog_expire(d, n->message, n->count);
}

static void on_expiry(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d != NULL)
		d->kept = n->count;
	on_said(s, n, 0);
}

static void on_outgoing(struct screen *s, const struct tacit_notice *n)
{
	struct dialog *d = model_find(&s->model, n->conversation);
	if (d != NULL && tacit_content_is_shown(&n->content))
		check(s, dialog_add_outgoing(d, n));
}

static void settle(struct screen *s, uint64_t ticket, const struct tacit_notice *n)
{
	const struct wish *w = wish_find(s, ticket);
	if (w == NULL)
		return;
	struct dialog *d = model_find(&s->model, w->conversation);
	if (w->kind == WISH_SEND && d != NULL)
		dialog_settle(d, ticket, n);
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
	case TACIT_NOTICE_EDITED:
	case TACIT_NOTICE_DELETED:
	case TACIT_NOTICE_REACTION:
		on_change(s, n);
		break;
	case TACIT_NOTICE_READ:
		on_read(s, n);
		break;
	case TACIT_NOTICE_SAFETY:
		on_safety(s, n);
		break;
	case TACIT_NOTICE_TYPING:
		on_typing(s, n);
		break;
	case TACIT_NOTICE_PRESENCE:
		on_presence(s, n);
		break;
	case TACIT_NOTICE_CLOSED:
		on_closed(s, n);
		break;
	case TACIT_NOTICE_EXPIRED:
		on_expired(s, n);
		break;
	case TACIT_NOTICE_EXPIRY:
		on_expiry(s, n);
		break;
	case TACIT_NOTICE_OUTGOING:
		on_outgoing(s, n);
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
	struct dialog *d = w != NULL ? model_find(&s->model, w->conversation) : NULL;
	bool is_new;
	if (d == NULL)
		return;
	check(s, dialog_add(d, &ev->notice, ev->position, &is_new));
	if (w->kind == WISH_PAGE) {
		d->got++;
		d->oldest = ev->position < d->oldest ? ev->position : d->oldest;
	}
}

static void on_page_ended(struct screen *s, struct dialog *d, const struct runner_event *ev)
{
	d->asked = false;
	if (ev->err != TACIT_OK)
		d->whole = true; /* not again and again */
	else
		d->whole = d->got < SCREEN_PAGE;
	if (d == model_chosen(&s->model) && d->fresh == 0)
		dialog_mark_fresh(d);
	if (d == model_chosen(&s->model))
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
	if (ev->err == TACIT_E_CANCELLED || w->kind == WISH_QUIET)
		return;
	if ((w->kind == WISH_SEND || w->kind == WISH_SAID) && offline)
		model_flash(&s->model, false,
		        TACIT_STR("No server is there; what you wrote goes out when it is."));
	else if (w->kind != WISH_NOTHING || !offline)
		model_flash(&s->model, true, why);
	if (ev->err == TACIT_E_NOMEM || tacit_err_class(ev->err) == TACIT_CLASS_STORE)
		check(s, ev->err);
}

static void on_success(struct screen *s, const struct wish *w)
{
	struct dialog *d = model_find(&s->model, w->conversation);
	if (w->kind == WISH_VERIFIED && d != NULL)
		d->changed = false;
	if (w->kind == WISH_VERIFIED || w->kind == WISH_CHANGE)
		wish_list(s);
	if (w->kind == WISH_LEAVE && d != NULL)
		d->gone = true;
	if (w->kind == WISH_CHAT)
		wish_list(s);
	if (w->kind == WISH_SAID && d != NULL)
		wish_newest(s, d);
	if (w->done != NULL)
		screen_say(s, ENTRY_ASIDE, tacit_cstr(w->done));
}

static void on_ended(struct screen *s, const struct runner_event *ev)
{
	struct wish w;
	if (!wish_take(s, ev->ticket, &w))
		return;
	struct dialog *d = model_find(&s->model, w.conversation);
	if (w.kind == WISH_TRANSFER)
		transfer_ended(s, w.job, ev);
	else if (ev->err != TACIT_OK)
		tell_failure(s, &w, ev);
	else
		on_success(s, &w);
	if (w.kind == WISH_PAGE && d != NULL)
		on_page_ended(s, d, ev);
	if (w.kind == WISH_LIST)
		choose_first(s);
}

/* Others may have made conversations while nobody was here. */
static void on_link(struct screen *s, const struct runner_event *ev)
{
	const struct tacit_command refresh = {.kind = TACIT_CMD_CONVERSATIONS};
	bool was_up = s->model.link == RUNNER_ONLINE || s->model.link == RUNNER_ASKING;
	model_set_link(&s->model, ev, screen_now(s));
	tacit_buf_clear(&s->model.flash);
	if (!was_up && (ev->link == RUNNER_ONLINE || ev->link == RUNNER_ASKING))
		wish_post(s, &refresh, &(struct wish){.kind = WISH_QUIET});
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
		on_link(s, ev);
		break;
	}
}
