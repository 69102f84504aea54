#include "cli/screen/dialog.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/term.h"

/* --- life ------------------------------------------------------------------------------------ */

static void entry_clear(struct entry *e)
{
	tacit_buf_clear(&e->name);
	tacit_buf_clear(&e->text);
}

void dialog_clear(struct dialog *t)
{
	for (size_t i = 0; i < t->count; i++)
		entry_clear(&t->entries[i]);
	for (size_t i = 0; i < t->reader_count; i++)
		tacit_buf_clear(&t->readers[i].name);
	tacit_free(t->entries);
	tacit_free(t->readers);
	tacit_buf_clear(&t->title);
	tacit_buf_clear(&t->username);
	tacit_buf_clear(&t->members);
	tacit_buf_clear(&t->typing);
	tacit_buf_clear(&t->draft);
	*t = (struct dialog){0};
}

/* --- the conversation ------------------------------------------------------------------------ */

static enum tacit_err clean(struct tacit_buf *out, struct tacit_bytes text)
{
	return term_clean(text, TERM_ONE_LINE, 0, out);
}

static size_t count_lines(struct tacit_bytes lines)
{
	size_t count = lines.n > 0 ? 1 : 0;
	for (size_t i = 0; i + 1 < lines.n; i++)
		count += lines.p[i] == '\n';
	return count;
}

enum tacit_err dialog_describe(struct dialog *t, const struct tacit_notice *n)
{
	enum tacit_err err;
	struct tacit_buf title = {0};
	struct tacit_buf members = {0};
	struct tacit_buf username = {0};
	TRY(clean(&title, n->title));
	TRY(tacit_buf_append(&members, n->members));
	if (n->conversation_kind == TACIT_DIRECT)
		TRY(tacit_buf_append(&username, n->title));
	tacit_buf_clear(&t->title);
	tacit_buf_clear(&t->members);
	tacit_buf_clear(&t->username);
	t->title = title;
	t->members = members;
	t->username = username;
	t->member_count = count_lines(n->members);
	t->id = n->conversation;
	t->kind = n->conversation_kind;
	t->verified = n->conversation_kind == TACIT_DIRECT && n->flag;
	t->newest = n->message > t->newest ? n->message : t->newest;
	if (n->message > t->counted || t->counted == 0) {
		t->unread = n->count;
		t->counted = n->message;
	}
	title = members = username = (struct tacit_buf){0};
out:
	tacit_buf_clear(&title);
	tacit_buf_clear(&members);
	tacit_buf_clear(&username);
	return err;
}

/* --- what an entry says ---------------------------------------------------------------------- */

static enum tacit_err say_file(struct entry *e, const struct tacit_content *c)
{
	enum tacit_err err;
	size_t n = c->file.id.n;
	TRY(clean(&e->text, c->file.name));
	TRY(tacit_buf_printf(&e->text, ", %s", term_bytes(c->file.size).text));
	if (c->text.n > 0) {
		TRY(tacit_buf_append(&e->text, TACIT_STR("\n")));
		TRY(term_clean(c->text, TERM_MANY_LINES, 0, &e->text));
	}
	if (n < sizeof(e->file)) {
		memcpy(e->file, c->file.id.p, n);
		e->file[n] = '\0';
	}
	e->kind = ENTRY_FILE;
out:
	return err;
}

static enum tacit_err say_changed_key(struct entry *e, const struct tacit_notice *n)
{
	enum tacit_err err;
	TRY(tacit_buf_append(&e->text, TACIT_STR("The key of ")));
	TRY(clean(&e->text, n->username));
	TRY(tacit_buf_append(&e->text,
	        TACIT_STR(" HAS CHANGED. Either it is a new account, or somebody stands between "
	                  "you. Compare the safety number in person: /verify. Only then trust "
	                  "the new key: /accept-key")));
out:
	return err;
}

static enum tacit_err say_missing(struct entry *e, const struct tacit_notice *n)
{
	enum tacit_err err;
	TRY(tacit_buf_printf(
	        &e->text, "%" PRIu64 " message%s of ", n->count, n->count == 1 ? "" : "s"));
	TRY(clean(&e->text, n->username));
	TRY(tacit_buf_append(&e->text, TACIT_STR(" never came.")));
out:
	return err;
}

static enum tacit_err say_member(struct entry *e, const struct tacit_notice *n)
{
	enum tacit_err err;
	if (n->text.n > 0)
		return clean(&e->text, n->text);
	TRY(clean(&e->text, n->username));
	TRY(tacit_buf_append(&e->text, n->flag ? TACIT_STR(" is in the conversation now.")
	                                       : TACIT_STR(" is no longer in it.")));
out:
	return err;
}

static enum tacit_err say_reason(struct entry *e, const struct tacit_notice *n)
{
	return term_clean(n->text.n > 0 ? n->text : tacit_cstr(tacit_err_text(n->err)),
	        TERM_ONE_LINE, 0, &e->text);
}

static enum tacit_err say_text(struct entry *e, const struct tacit_notice *n)
{
	if (n->content.kind == TACIT_CONTENT_FILE)
		return say_file(e, &n->content);
	e->kind = ENTRY_TEXT;
	return term_clean(n->content.text, TERM_MANY_LINES, 0, &e->text);
}

static enum tacit_err say(struct entry *e, const struct tacit_notice *n)
{
	switch (n->kind) {
	case TACIT_NOTICE_MESSAGE:
		return say_text(e, n);
	case TACIT_NOTICE_REFUSED:
		e->kind = ENTRY_REFUSED;
		return say_reason(e, n);
	case TACIT_NOTICE_MISSING:
		e->kind = ENTRY_LOUD;
		return say_missing(e, n);
	case TACIT_NOTICE_KEY_CHANGED:
		e->kind = ENTRY_LOUD;
		return say_changed_key(e, n);
	case TACIT_NOTICE_WARNING: /* what a new device is told about the time before is mild */
		e->kind = n->err == TACIT_E_WRONG_RECIPIENT ? ENTRY_ASIDE : ENTRY_LOUD;
		return say_reason(e, n);
	default:
		e->kind = ENTRY_ASIDE;
		return say_member(e, n);
	}
}

/* --- the list of entries --------------------------------------------------------------------- */

static enum tacit_err make_room(struct dialog *t)
{
	if (t->count < t->cap)
		return TACIT_OK;
	size_t cap = t->cap > 0 ? 2 * t->cap : 64;
	struct entry *grown = tacit_realloc(t->entries, cap * sizeof(*grown));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	t->entries = grown;
	t->cap = cap;
	return TACIT_OK;
}

/* Where it belongs: behind all that do not come after it. */
static size_t place_of(const struct dialog *t, uint64_t position)
{
	size_t at = t->count;
	while (at > 0 && t->entries[at - 1].position > position)
		at--;
	return at;
}

/* Takes ownership of e. There is room. */
static void put_in(struct dialog *t, const struct entry *e)
{
	size_t at = place_of(t, e->position);
	memmove(t->entries + at + 1, t->entries + at, (t->count - at) * sizeof(*e));
	t->entries[at] = *e;
	t->count++;
	if (!t->anchor.following && at <= t->anchor.entry)
		t->anchor.entry++;
}

static void take_out(struct dialog *t, size_t at, struct entry *e)
{
	*e = t->entries[at];
	t->count--;
	memmove(t->entries + at, t->entries + at + 1, (t->count - at) * sizeof(*e));
	if (!t->anchor.following && at < t->anchor.entry)
		t->anchor.entry--;
}

static uint64_t end_position(const struct dialog *t)
{
	for (size_t i = t->count; i > 0; i--)
		if (t->entries[i - 1].position != UINT64_MAX)
			return t->entries[i - 1].position;
	return 0;
}

static bool is_of_others(const struct entry *e)
{
	return e->state == ENTRY_THEIRS && e->message != 0 &&
	       (e->kind == ENTRY_TEXT || e->kind == ENTRY_FILE || e->kind == ENTRY_REFUSED);
}

static bool is_there(const struct dialog *t, const struct entry *e)
{
	for (size_t i = t->count; i > 0; i--) {
		const struct entry *other = &t->entries[i - 1];
		if (other->message == e->message && other->kind == e->kind &&
		        (e->kind == ENTRY_TEXT || e->kind == ENTRY_FILE ||
		                tacit_bytes_eq(
		                        tacit_buf_view(&other->text), tacit_buf_view(&e->text))))
			return true;
	}
	return false;
}

/* An own message has come from the server: is it one that waits here? */
static size_t waiting_for(const struct dialog *t, const struct entry *e)
{
	size_t i = 0;
	while (i < t->count && (t->entries[i].state != ENTRY_WAITING ||
	                               !tacit_bytes_eq(tacit_buf_view(&t->entries[i].text),
	                                       tacit_buf_view(&e->text))))
		i++;
	return i;
}

static void mark_sent(struct dialog *t, size_t at, uint64_t message, int64_t time)
{
	struct entry e;
	take_out(t, at, &e);
	e.state = ENTRY_SENT;
	e.message = message;
	e.position = message * 8;
	e.time = time != 0 ? time : e.time;
	t->newest = message > t->newest ? message : t->newest;
	put_in(t, &e);
}

static enum tacit_err fill(struct entry *e, const struct tacit_notice *n, bool own)
{
	enum tacit_err err;
	TRY(clean(&e->name, own ? TACIT_STR("you") : n->username));
	TRY(say(e, n));
out:
	return err;
}

enum tacit_err dialog_add(
        struct dialog *t, const struct tacit_notice *n, uint64_t position, bool *is_new)
{
	enum tacit_err err;
	bool own = n->kind == TACIT_NOTICE_MESSAGE && n->flag;
	struct entry e = {
	        .state = own ? ENTRY_SENT : ENTRY_THEIRS,
	        .position = position != 0    ? position
	                    : n->message > 0 ? n->message * 8
	                                     : end_position(t),
	        .message = n->message,
	        .time = n->time,
	};
	*is_new = false;
	TRY(fill(&e, n, own));
	if (e.message != 0 && is_there(t, &e))
		goto out;
	size_t waiting = own ? waiting_for(t, &e) : t->count;
	if (waiting < t->count) {
		mark_sent(t, waiting, n->message, n->time);
		goto out;
	}
	TRY(make_room(t));
	put_in(t, &e);
	t->newest = n->message > t->newest ? n->message : t->newest;
	t->changed |= n->kind == TACIT_NOTICE_KEY_CHANGED && position == 0;
	if (position == 0 && is_of_others(&e) && e.message > t->counted)
		t->unread++;
	*is_new = true;
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

enum tacit_err dialog_add_waiting(
        struct dialog *t, uint64_t ticket, int64_t now, struct tacit_bytes text)
{
	enum tacit_err err;
	struct entry e = {
	        .kind = ENTRY_TEXT,
	        .state = ENTRY_WAITING,
	        .position = UINT64_MAX,
	        .ticket = ticket,
	        .time = now,
	};
	TRY(clean(&e.name, TACIT_STR("you")));
	TRY(term_clean(text, TERM_MANY_LINES, 0, &e.text));
	TRY(make_room(t));
	put_in(t, &e);
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

enum tacit_err dialog_add_aside(
        struct dialog *t, int64_t now, enum entry_kind kind, struct tacit_bytes text)
{
	enum tacit_err err;
	struct entry e = {.kind = kind, .position = end_position(t), .time = now};
	TRY(term_clean(text, TERM_MANY_LINES, 0, &e.text));
	TRY(make_room(t));
	put_in(t, &e);
	e = (struct entry){0};
out:
	entry_clear(&e);
	return err;
}

bool dialog_settle(struct dialog *t, uint64_t ticket, const struct tacit_notice *n)
{
	size_t i = 0;
	while (i < t->count && (ticket == 0 || t->entries[i].ticket != ticket))
		i++;
	if (i == t->count)
		return false;
	if (t->entries[i].state != ENTRY_WAITING)
		return true;
	if (n->kind == TACIT_NOTICE_DONE && n->message != 0)
		mark_sent(t, i, n->message, n->time);
	else if (n->kind == TACIT_NOTICE_FAILED && !n->flag)
		t->entries[i].state = ENTRY_NOT_SENT;
	return true;
}

/* --- others ---------------------------------------------------------------------------------- */

enum tacit_err dialog_read_by(struct dialog *t, struct tacit_bytes username, uint64_t message)
{
	enum tacit_err err;
	struct tacit_buf name = {0};
	TRY(clean(&name, username));
	for (size_t i = 0; i < t->reader_count; i++) {
		struct reader *r = &t->readers[i];
		if (!tacit_bytes_eq(tacit_buf_view(&r->name), tacit_buf_view(&name)))
			continue;
		r->message = message > r->message ? message : r->message;
		goto out;
	}
	if (t->reader_count == TACIT_MAX_PARTICIPANTS)
		goto out;
	struct reader *grown = tacit_realloc(t->readers, (t->reader_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		err = TACIT_E_NOMEM;
		goto out;
	}
	t->readers = grown;
	t->readers[t->reader_count++] = (struct reader){name, message};
	name = (struct tacit_buf){0};
out:
	tacit_buf_clear(&name);
	return err;
}

enum tacit_err dialog_typing(struct dialog *t, struct tacit_bytes username, int64_t until)
{
	tacit_buf_clear(&t->typing);
	t->typing_until = until;
	return clean(&t->typing, username);
}

uint64_t dialog_newest_of_others(const struct dialog *t)
{
	uint64_t newest = 0;
	for (size_t i = t->count; i > 0 && newest == 0; i--)
		if (is_of_others(&t->entries[i - 1]))
			newest = t->entries[i - 1].message;
	return newest;
}

void dialog_mark_fresh(struct dialog *t)
{
	uint64_t left = t->unread;
	for (size_t i = t->count; i > 0 && left > 0; i--) {
		if (!is_of_others(&t->entries[i - 1]))
			continue;
		t->fresh = t->entries[i - 1].message;
		left--;
	}
}
