#include <string.h>

#include "base/alloc.h"
#include "cli/screen/dialog_int.h"
#include "cli/term.h"

/* --- life ------------------------------------------------------------------------------------ */

static void entry_clear(struct entry *e)
{
	tacit_buf_clear(&e->name);
	tacit_buf_clear(&e->text);
	tacit_buf_clear(&e->reactions);
}

void dialog_clear(struct dialog *d)
{
	for (size_t i = 0; i < d->count; i++)
		entry_clear(&d->entries[i]);
	for (size_t i = 0; i < d->reader_count; i++)
		tacit_buf_clear(&d->readers[i].name);
	tacit_free(d->entries);
	tacit_free(d->readers);
	tacit_buf_clear(&d->title);
	tacit_buf_clear(&d->username);
	tacit_buf_clear(&d->members);
	tacit_buf_clear(&d->typing);
	tacit_buf_clear(&d->draft);
	*d = (struct dialog){0};
}

/* --- the conversation ------------------------------------------------------------------------ */

static size_t count_lines(struct tacit_bytes lines)
{
	size_t count = lines.n > 0 ? 1 : 0;
	for (size_t i = 0; i + 1 < lines.n; i++)
		count += lines.p[i] == '\n';
	return count;
}

/* A session has no name but those who are in it. */
static enum tacit_err name_after_members(struct tacit_buf *title, struct tacit_bytes members)
{
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < members.n && err == TACIT_OK; i++) {
		struct tacit_bytes one = tacit_bytes(members.p + i, 1);
		err = entry_clean(title, members.p[i] == '\n' ? TACIT_STR(", ") : one);
	}
	return err;
}

/* How far each has read, as it was known before this run. */
static enum tacit_err take_marks(struct dialog *d, const struct tacit_notice *n)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_bytes members = n->members;
	struct tacit_bytes marks = n->detail;
	while (members.n > 0 && marks.n > 0) {
		uint64_t message = 0;
		struct tacit_bytes who = entry_line(&members);
		struct tacit_bytes mark = entry_line(&marks);
		for (size_t i = 0; i < mark.n; i++)
			message = message * 10 + (uint64_t)(mark.p[i] - '0');
		if (message > 0)
			TRY(dialog_read_by(d, who, message));
	}
out:
	return err;
}

enum tacit_err dialog_describe(struct dialog *d, const struct tacit_notice *n)
{
	enum tacit_err err;
	struct tacit_buf title = {0};
	struct tacit_buf members = {0};
	struct tacit_buf username = {0};
	TRY(entry_clean(&title, n->title));
	if (title.n == 0)
		TRY(name_after_members(&title, n->members));
	TRY(tacit_buf_append(&members, n->members));
	if (n->conversation_kind == TACIT_DIRECT)
		TRY(tacit_buf_append(&username, n->title));
	tacit_buf_clear(&d->title);
	tacit_buf_clear(&d->members);
	tacit_buf_clear(&d->username);
	d->title = title;
	d->members = members;
	d->username = username;
	d->member_count = count_lines(n->members);
	d->id = n->conversation;
	d->ends = n->time;
	d->kept = n->seconds;
	d->kind = n->conversation_kind;
	d->verified = n->conversation_kind == TACIT_DIRECT && n->flag;
	d->newest = n->message > d->newest ? n->message : d->newest;
	if (n->message > d->counted || d->counted == 0) {
		d->unread = n->count;
		d->counted = n->message;
	}
	title = members = username = (struct tacit_buf){0};
	TRY(take_marks(d, n));
out:
	tacit_buf_clear(&title);
	tacit_buf_clear(&members);
	tacit_buf_clear(&username);
	return err;
}

/* --- the list of entries --------------------------------------------------------------------- */

static enum tacit_err make_room(struct dialog *d)
{
	if (d->count < d->cap)
		return TACIT_OK;
	size_t cap = d->cap > 0 ? 2 * d->cap : 64;
	struct entry *grown = tacit_realloc(d->entries, cap * sizeof(*grown));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	d->entries = grown;
	d->cap = cap;
	return TACIT_OK;
}

/* Where it belongs: behind all that do not come after it. */
static size_t place_of(const struct dialog *d, uint64_t position)
{
	size_t at = d->count;
	while (at > 0 && d->entries[at - 1].position > position)
		at--;
	return at;
}

/* Takes ownership of e. There is room. */
static void put_in(struct dialog *d, const struct entry *e)
{
	size_t at = place_of(d, e->position);
	memmove(d->entries + at + 1, d->entries + at, (d->count - at) * sizeof(*e));
	d->entries[at] = *e;
	d->count++;
	if (!d->anchor.following && at <= d->anchor.entry)
		d->anchor.entry++;
}

static void take_out(struct dialog *d, size_t at, struct entry *e)
{
	*e = d->entries[at];
	d->count--;
	memmove(d->entries + at, d->entries + at + 1, (d->count - at) * sizeof(*e));
	if (!d->anchor.following && at < d->anchor.entry)
		d->anchor.entry--;
}

static uint64_t end_position(const struct dialog *d)
{
	for (size_t i = d->count; i > 0; i--)
		if (d->entries[i - 1].position != UINT64_MAX)
			return d->entries[i - 1].position;
	return 0;
}

static bool is_message(const struct entry *e)
{
	return e->message != 0 && (e->kind == ENTRY_TEXT || e->kind == ENTRY_FILE ||
	                                  e->kind == ENTRY_REFUSED || e->kind == ENTRY_DELETED);
}

static bool is_of_others(const struct entry *e)
{
	return e->state == ENTRY_THEIRS && is_message(e);
}

/* Only where it would stand: positions are eight times the message's id, and a little. */
struct entry *dialog_message(const struct dialog *d, uint64_t message)
{
	uint64_t first = message * 8;
	for (size_t i = place_of(d, first + 7); i > 0 && d->entries[i - 1].position >= first; i--)
		if (d->entries[i - 1].message == message && is_message(&d->entries[i - 1]))
			return &d->entries[i - 1];
	return NULL;
}

/* What it says now; where it stands stays. Takes the texts of e. */
static void say_now(struct entry *here, struct entry *e)
{
	struct tacit_buf text = here->text, reactions = here->reactions;
	here->kind = e->kind;
	here->text = e->text;
	here->reactions = e->reactions;
	here->reply_to = e->reply_to;
	here->edited = e->edited;
	memcpy(here->file, e->file, sizeof(here->file));
	e->text = text;
	e->reactions = reactions;
}

static bool is_there(const struct dialog *d, const struct entry *e)
{
	uint64_t first = e->message * 8;
	for (size_t i = place_of(d, first + 7); i > 0 && d->entries[i - 1].position >= first; i--) {
		const struct entry *other = &d->entries[i - 1];
		bool same_kind = other->message == e->message && other->kind == e->kind;
		if (same_kind &&
		        tacit_bytes_eq(tacit_buf_view(&other->text), tacit_buf_view(&e->text)))
			return true;
	}
	return false;
}

/* An own message has come from the server: is it one that waits here? */
static size_t waiting_for(const struct dialog *d, const struct entry *e)
{
	size_t i = 0;
	while (i < d->count && (d->entries[i].state != ENTRY_WAITING ||
	                               !tacit_bytes_eq(tacit_buf_view(&d->entries[i].text),
	                                       tacit_buf_view(&e->text))))
		i++;
	return i;
}

static void mark_sent(struct dialog *d, size_t at, uint64_t message, int64_t time)
{
	struct entry e;
	take_out(d, at, &e);
	e.state = ENTRY_SENT;
	e.message = message;
	e.position = message * 8;
	e.time = time != 0 ? time : e.time;
	d->newest = message > d->newest ? message : d->newest;
	put_in(d, &e);
}

static enum tacit_err fill(struct entry *e, const struct tacit_notice *n, bool own)
{
	enum tacit_err err;
	TRY(entry_clean(&e->name, own ? TACIT_STR("you") : n->username));
	TRY(entry_say(e, n));
out:
	return err;
}

enum tacit_err dialog_add(
        struct dialog *d, const struct tacit_notice *n, uint64_t position, bool *is_new)
{
	enum tacit_err err;
	bool own = (n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_DELETED) && n->flag;
	struct entry e = {
	        .state = own ? ENTRY_SENT : ENTRY_THEIRS,
	        .position = position != 0    ? position
	                    : n->message > 0 ? n->message * 8
	                                     : end_position(d),
	        .message = n->message,
	        .time = n->time,
	};
	*is_new = false;
	TRY(fill(&e, n, own));
	struct entry *here = is_message(&e) ? dialog_message(d, e.message) : NULL;
	if (here != NULL && n->kind != TACIT_NOTICE_REFUSED)
		say_now(here, &e);
	if (here != NULL || (e.message != 0 && is_there(d, &e)))
		goto out;
	size_t waiting = own ? waiting_for(d, &e) : d->count;
	if (waiting < d->count) {
		mark_sent(d, waiting, n->message, n->time);
		goto out;
	}
	TRY(make_room(d));
	put_in(d, &e);
	d->newest = n->message > d->newest ? n->message : d->newest;
	d->changed |= n->kind == TACIT_NOTICE_KEY_CHANGED && position == 0;
	if (position == 0 && is_of_others(&e) && e.message > d->counted)
		d->unread++;
	*is_new = true;
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

enum tacit_err dialog_change(struct dialog *d, const struct tacit_notice *n)
{
	enum tacit_err err = TACIT_OK;
	struct entry e = {0};
	struct entry *here = dialog_message(d, n->message);
	if (here == NULL)
		return TACIT_OK;
	if (n->kind != TACIT_NOTICE_REACTION) {
		TRY(entry_say(&e, n));
		say_now(here, &e);
		goto out;
	}
	TRY(entry_say_reactions(&e.reactions, n->detail));
	tacit_buf_clear(&here->reactions);
	here->reactions = e.reactions;
	e.reactions = (struct tacit_buf){0};
out:
	entry_clear(&e);
	return err;
}

enum tacit_err dialog_add_waiting(
        struct dialog *d, uint64_t ticket, int64_t now, struct dialog_text said)
{
	enum tacit_err err;
	struct entry e = {
	        .kind = ENTRY_TEXT,
	        .state = ENTRY_WAITING,
	        .position = UINT64_MAX,
	        .ticket = ticket,
	        .time = now,
	        .reply_to = said.reply_to,
	};
	TRY(entry_clean(&e.name, TACIT_STR("you")));
	TRY(term_clean(said.text, TERM_MANY_LINES, 0, &e.text));
	TRY(make_room(d));
	put_in(d, &e);
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

/* The one with that id, or the first of that text whose id is not known yet. */
static struct entry *outgoing_here(struct dialog *d, const struct entry *e)
{
	struct entry *same = NULL;
	for (size_t i = 0; i < d->count; i++) {
		struct entry *other = &d->entries[i];
		if (other->state != ENTRY_WAITING)
			continue;
		if (strcmp(other->outgoing, e->outgoing) == 0)
			return other;
		if (same == NULL && other->outgoing[0] == '\0' &&
		        tacit_bytes_eq(tacit_buf_view(&other->text), tacit_buf_view(&e->text)))
			same = other;
	}
	return same;
}

enum tacit_err dialog_add_outgoing(struct dialog *d, const struct tacit_notice *n)
{
	enum tacit_err err;
	struct entry e = {.state = ENTRY_WAITING,
	        .position = UINT64_MAX,
	        .time = n->time,
	        .reply_to = n->content.reply_to};
	size_t length = n->text.n < OUTGOING_ID ? n->text.n : OUTGOING_ID;
	memcpy(e.outgoing, n->text.p, length);
	TRY(entry_clean(&e.name, TACIT_STR("you")));
	TRY(entry_say_text(&e, n));
	struct entry *here = outgoing_here(d, &e);
	if (here != NULL) {
		memcpy(here->outgoing, e.outgoing, sizeof(here->outgoing));
		goto out;
	}
	TRY(make_room(d));
	put_in(d, &e);
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

enum tacit_err dialog_add_aside(
        struct dialog *d, int64_t now, enum entry_kind kind, struct tacit_bytes text)
{
	enum tacit_err err;
	struct entry e = {.kind = kind, .position = end_position(d), .time = now};
	TRY(term_clean(text, TERM_MANY_LINES, 0, &e.text));
	TRY(make_room(d));
	put_in(d, &e);
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

bool dialog_settle(struct dialog *d, uint64_t ticket, const struct tacit_notice *n)
{
	size_t i = 0;
	while (i < d->count && (ticket == 0 || d->entries[i].ticket != ticket))
		i++;
	if (i == d->count)
		return false;
	if (d->entries[i].state != ENTRY_WAITING)
		return true;
	if (n->kind == TACIT_NOTICE_DONE && n->message != 0)
		mark_sent(d, i, n->message, n->time);
	else if (n->kind == TACIT_NOTICE_FAILED && !n->flag)
		d->entries[i].state = ENTRY_NOT_SENT;
	return true;
}

void dialog_expire(struct dialog *d, uint64_t first, uint64_t last)
{
	for (size_t i = d->count; i > 0; i--) {
		const struct entry *e = &d->entries[i - 1];
		struct entry gone;
		if (e->message < first || e->message > last || e->message == 0)
			continue;
		take_out(d, i - 1, &gone);
		entry_clear(&gone);
	}
	if (d->anchor.entry >= d->count)
		d->anchor = (struct anchor){.following = true};
	d->anchor.hidden = 0;
}

void dialog_trim(struct dialog *d, size_t keep)
{
	if (!d->anchor.following || d->asked || d->count <= keep || keep == 0)
		return;
	size_t gone = d->count - keep;
	if (d->entries[gone].position == UINT64_MAX)
		return;
	for (size_t i = 0; i < gone; i++)
		entry_clear(&d->entries[i]);
	memmove(d->entries, d->entries + gone, keep * sizeof(d->entries[0]));
	d->count = keep;
	d->oldest = d->entries[0].position;
	d->whole = false;
}

void dialog_close(struct dialog *d)
{
	for (size_t i = 0; i < d->count; i++)
		entry_clear(&d->entries[i]);
	d->count = 0;
	tacit_buf_clear(&d->draft);
	tacit_buf_clear(&d->typing);
	d->anchor = (struct anchor){.following = true};
	d->unread = d->fresh = 0;
	d->gone = d->whole = true;
	d->ends = 0;
}

/* --- others ---------------------------------------------------------------------------------- */

enum tacit_err dialog_read_by(struct dialog *d, struct tacit_bytes username, uint64_t message)
{
	enum tacit_err err;
	struct tacit_buf name = {0};
	TRY(entry_clean(&name, username));
	for (size_t i = 0; i < d->reader_count; i++) {
		struct reader *r = &d->readers[i];
		if (!tacit_bytes_eq(tacit_buf_view(&r->name), tacit_buf_view(&name)))
			continue;
		r->message = message > r->message ? message : r->message;
		goto out;
	}
	if (d->reader_count == TACIT_MAX_PARTICIPANTS)
		goto out;
	struct reader *grown = tacit_realloc(d->readers, (d->reader_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	d->readers = grown;
	d->readers[d->reader_count++] = (struct reader){name, message};
	name = (struct tacit_buf){0};
out:
	tacit_buf_clear(&name);
	return err;
}

enum tacit_err dialog_typing(struct dialog *d, struct tacit_bytes username, int64_t until)
{
	tacit_buf_clear(&d->typing);
	d->typing_until = until;
	return entry_clean(&d->typing, username);
}

uint64_t dialog_newest_of_others(const struct dialog *d)
{
	uint64_t newest = 0;
	for (size_t i = d->count; i > 0 && newest == 0; i--)
		if (is_of_others(&d->entries[i - 1]))
			newest = d->entries[i - 1].message;
	return newest;
}

uint64_t dialog_newest(const struct dialog *d, bool own)
{
	for (size_t i = d->count; i > 0; i--) {
		const struct entry *e = &d->entries[i - 1];
		bool said = e->kind == ENTRY_TEXT || e->kind == ENTRY_FILE;
		if (said && e->message != 0 && (e->state == ENTRY_SENT) == own)
			return e->message;
	}
	return 0;
}

void dialog_mark_fresh(struct dialog *d)
{
	uint64_t left = d->unread;
	for (size_t i = d->count; i > 0 && left > 0; i--) {
		if (!is_of_others(&d->entries[i - 1]))
			continue;
		d->fresh = d->entries[i - 1].message;
		left--;
	}
}
