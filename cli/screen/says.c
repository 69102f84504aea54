/* says.c - what an entry of a conversation says: from notices to clean text. */
#include <inttypes.h>
#include <string.h>

#include "cli/screen/dialog_int.h"
#include "cli/term.h"

enum tacit_err entry_clean(struct tacit_buf *out, struct tacit_bytes text)
{
	return term_clean(text, TERM_ONE_LINE, 0, out);
}

struct tacit_bytes entry_line(struct tacit_bytes *rest)
{
	const uint8_t *feed = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t length = feed != NULL ? (size_t)(feed - rest->p) : rest->n;
	size_t used = length + (feed != NULL ? 1 : 0);
	struct tacit_bytes line = tacit_bytes_part(*rest, 0, length);
	*rest = tacit_bytes_part(*rest, used, rest->n - used);
	return line;
}

static enum tacit_err say_file(struct entry *e, const struct tacit_content *c)
{
	enum tacit_err err;
	size_t n = c->file.id.n;
	TRY(entry_clean(&e->text, c->file.name));
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
	TRY(entry_clean(&e->text, n->username));
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
	TRY(entry_clean(&e->text, n->username));
	TRY(tacit_buf_append(&e->text, TACIT_STR(" never came.")));
out:
	return err;
}

static enum tacit_err say_member(struct entry *e, const struct tacit_notice *n)
{
	enum tacit_err err;
	if (n->text.n > 0)
		return entry_clean(&e->text, n->text);
	TRY(entry_clean(&e->text, n->username));
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

enum tacit_err entry_say_text(struct entry *e, const struct tacit_notice *n)
{
	if (n->content.kind == TACIT_CONTENT_FILE)
		return say_file(e, &n->content);
	e->kind = ENTRY_TEXT;
	return term_clean(n->content.text, TERM_MANY_LINES, 0, &e->text);
}

enum tacit_err entry_say_reactions(struct tacit_buf *out, struct tacit_bytes lines)
{
	enum tacit_err err = TACIT_OK;
	while (lines.n > 0) {
		if (out->n > 0)
			TRY(tacit_buf_append(out, TACIT_STR(", ")));
		TRY(entry_clean(out, entry_line(&lines)));
	}
out:
	return err;
}

static enum tacit_err say_message(struct entry *e, const struct tacit_notice *n)
{
	enum tacit_err err;
	e->edited = n->count > 0;
	e->reply_to = n->content.reply_to;
	TRY(entry_say_text(e, n));
	TRY(entry_say_reactions(&e->reactions, n->detail));
out:
	return err;
}

enum tacit_err entry_say(struct entry *e, const struct tacit_notice *n)
{
	switch (n->kind) {
	case TACIT_NOTICE_MESSAGE:
	case TACIT_NOTICE_EDITED:
		return say_message(e, n);
	case TACIT_NOTICE_DELETED:
		e->kind = ENTRY_DELETED;
		return tacit_buf_append(&e->text, TACIT_STR("[deleted]"));
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
