#include "cli/json_out.h"

#include <string.h>

#include "cli/show.h"
#include "cli/term.h"

json_t *json_out_new(const char *type)
{
	json_t *object = json_object();
	json_out_text(object, "type", tacit_cstr(type));
	return object;
}

static void set(json_t *object, const char *name, json_t *value)
{
	if (object == NULL || json_object_set_new(object, name, value) != 0)
		json_decref(object == NULL ? value : NULL);
}

void json_out_text(json_t *object, const char *name, struct tacit_bytes text)
{
	if (object != NULL)
		tacit_ignore(tacit_json_set_text(object, name, text), "left out, as promised");
}

void json_out_number(json_t *object, const char *name, uint64_t n)
{
	set(object, name, json_integer((json_int_t)n));
}

void json_out_bool(json_t *object, const char *name, bool b)
{
	set(object, name, json_boolean(b));
}

void json_out_time(json_t *object, const char *name, int64_t unix_seconds)
{
	struct term_time t = term_time_utc(unix_seconds);
	json_out_text(object, name, tacit_cstr(t.text));
}

void json_out_lines(json_t *object, const char *name, struct tacit_bytes text)
{
	json_t *list = json_array();
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
		if (n > 0)
			json_array_append_new(list, json_stringn((const char *)text.p, n));
		n += end != NULL ? 1 : 0;
		text = tacit_bytes(text.p + n, text.n - n);
	}
	set(object, name, list);
}

void json_out_print(FILE *to, json_t *object)
{
	if (object != NULL) {
		json_dumpf(object, to, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);
		fputc('\n', to);
		fflush(to);
	}
	json_decref(object);
}

/* "bob +1", one a line. */
static void put_reactions(json_t *o, struct tacit_bytes lines)
{
	json_t *list = json_array();
	for (size_t at = 0, end; at < lines.n; at = end + 1) {
		for (end = at; end < lines.n && lines.p[end] != '\n'; end++)
			continue;
		size_t space = at;
		while (space < end && lines.p[space] != ' ')
			space++;
		json_t *one = json_object();
		json_out_text(one, "username", tacit_bytes_part(lines, at, space - at));
		if (space < end)
			json_out_text(
			        one, "text", tacit_bytes_part(lines, space + 1, end - space - 1));
		json_array_append_new(list, one);
	}
	set(o, "reactions", list);
}

static void put_content(json_t *o, const struct tacit_content *c)
{
	static const char *const changes[] = {[TACIT_CONTENT_REACTION] = "reaction",
	        [TACIT_CONTENT_EDIT] = "edit",
	        [TACIT_CONTENT_DELETE] = "delete"};
	if (tacit_content_is_change(c)) { /* one that waits to be sent */
		json_out_text(o, "about", tacit_cstr(changes[c->kind]));
		json_out_number(o, "message", c->message);
	}
	if (c->reply_to != 0)
		json_out_number(o, "reply_to", c->reply_to);
	if (c->kind == TACIT_CONTENT_TEXT || c->text.n > 0)
		json_out_text(o, "text", c->text);
	if (c->kind != TACIT_CONTENT_FILE)
		return;
	json_t *file = json_object();
	json_out_text(file, "id", c->file.id);
	json_out_text(file, "name", c->file.name);
	json_out_number(file, "size", c->file.size);
	set(o, "file", file);
}

static void put_conversation(json_t *o, const struct tacit_notice *n)
{
	static const char *const kinds[] = {"", "direct", "group", "room", "session"};
	json_out_number(o, "id", n->conversation);
	if ((size_t)n->conversation_kind < TACIT_COUNT(kinds))
		json_out_text(o, "kind", tacit_cstr(kinds[n->conversation_kind]));
	json_out_text(o, "title", n->title);
	json_out_lines(o, "members", n->members);
	json_out_number(o, "unread", n->count);
	if (n->seconds != 0)
		json_out_number(o, "expires_after", n->seconds);
	if (n->time != 0)
		json_out_time(o, "closes_at", n->time);
}

static json_t *from_outgoing(const struct tacit_notice *n)
{
	json_t *o = json_out_new("outgoing");
	json_out_text(o, "id", n->text);
	json_out_number(o, "conversation", n->conversation);
	json_out_text(o, "title", n->title);
	json_out_time(o, "time", n->time);
	json_out_bool(o, "may_have_arrived", n->flag);
	put_content(o, &n->content);
	return o;
}

/* What happened at one place of a conversation. */
static void put_event(json_t *o, const struct tacit_notice *n)
{
	if (n->conversation != 0)
		json_out_number(o, "conversation", n->conversation);
	if (n->message != 0)
		json_out_number(o, "id", n->message);
	if (n->username.n > 0)
		json_out_text(o, "username", n->username);
	if (n->time != 0)
		json_out_time(o, "time", n->time);
	if (n->err != TACIT_OK)
		json_out_text(o, "code", tacit_cstr(tacit_err_name(n->err)));
}

static json_t *from_event(const struct tacit_notice *n)
{
	static const char *const types[] = {
	        [TACIT_NOTICE_MESSAGE] = "message",
	        [TACIT_NOTICE_REFUSED] = "refused",
	        [TACIT_NOTICE_MISSING] = "missing",
	        [TACIT_NOTICE_KEY_CHANGED] = "key_changed",
	        [TACIT_NOTICE_READ] = "read",
	        [TACIT_NOTICE_MEMBER] = "member",
	        [TACIT_NOTICE_WARNING] = "warning",
	        [TACIT_NOTICE_EXPIRY] = "expiry",
	        [TACIT_NOTICE_EXPIRED] = "expired",
	        [TACIT_NOTICE_CLOSED] = "closed",
	        [TACIT_NOTICE_TYPING] = "typing",
	        [TACIT_NOTICE_PRESENCE] = "presence",
	        [TACIT_NOTICE_EDITED] = "edited",
	        [TACIT_NOTICE_DELETED] = "deleted",
	        [TACIT_NOTICE_REACTION] = "reaction",
	};
	json_t *o = json_out_new(types[n->kind]);
	put_event(o, n);
	if (n->kind == TACIT_NOTICE_MESSAGE || show_is_change(n))
		json_out_bool(o, "own", n->flag);
	if (n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_EDITED) {
		put_content(o, &n->content);
		if (n->count > 0)
			json_out_bool(o, "edited", true);
		if (n->detail.n > 0)
			put_reactions(o, n->detail);
	}
	if (n->kind == TACIT_NOTICE_REACTION) {
		json_out_text(o, "text", n->text);
		put_reactions(o, n->detail);
		return o;
	}
	if (n->kind == TACIT_NOTICE_MISSING)
		json_out_number(o, "count", n->count);
	if (n->kind == TACIT_NOTICE_MEMBER)
		json_out_bool(o, "joined", n->flag);
	if (n->kind == TACIT_NOTICE_TYPING)
		json_out_bool(o, "typing", n->flag);
	if (n->kind == TACIT_NOTICE_EXPIRY)
		json_out_number(o, "seconds", n->count);
	if (n->kind == TACIT_NOTICE_EXPIRED)
		json_out_number(o, "last", n->count);
	if (n->kind == TACIT_NOTICE_CLOSED)
		json_out_text(o, "title", n->title);
	if (n->kind == TACIT_NOTICE_PRESENCE) {
		json_out_text(o, "state", n->text);
		return o;
	}
	if (n->kind != TACIT_NOTICE_MESSAGE && n->text.n > 0)
		json_out_text(o, "sentence", n->text);
	return o;
}

static json_t *from_account(const struct tacit_notice *n)
{
	json_t *o = NULL;
	if (n->kind == TACIT_NOTICE_TOTP_SETUP) {
		o = json_out_new("totp_setup");
		json_out_text(o, "uri", n->text);
		json_out_text(o, "secret", n->detail);
	} else if (n->kind == TACIT_NOTICE_RECOVERY_CODES) {
		o = json_out_new("recovery_codes");
		json_out_lines(o, "codes", n->text);
	} else if (n->kind == TACIT_NOTICE_USER) {
		o = json_out_new("user");
		json_out_text(o, "username", n->username);
		json_out_bool(o, "verified", n->flag);
	} else if (n->kind == TACIT_NOTICE_SAFETY) {
		o = json_out_new("safety_number");
		json_out_text(o, "username", n->username);
		json_out_text(o, "number", n->text);
		json_out_text(o, "words", n->detail);
		json_out_bool(o, "verified", n->flag);
		json_out_bool(o, "key_changed", n->err == TACIT_E_KEY_CHANGED);
	} else if (n->kind == TACIT_NOTICE_DEVICE) {
		o = json_out_new("device");
		json_out_text(o, "id", n->text);
		json_out_bool(o, "current", n->flag);
		json_out_time(o, "created_at", n->time);
	}
	return o;
}

void json_out_notice(FILE *to, const struct tacit_notice *n)
{
	json_t *o = NULL;
	switch (n->kind) {
	case TACIT_NOTICE_DONE:
	case TACIT_NOTICE_FAILED:
		return;
	case TACIT_NOTICE_CONVERSATION:
		o = json_out_new("conversation");
		put_conversation(o, n);
		break;
	case TACIT_NOTICE_OUTGOING:
		o = from_outgoing(n);
		break;
	case TACIT_NOTICE_TOTP_SETUP:
	case TACIT_NOTICE_RECOVERY_CODES:
	case TACIT_NOTICE_USER:
	case TACIT_NOTICE_SAFETY:
	case TACIT_NOTICE_DEVICE:
		o = from_account(n);
		break;
	default:
		o = from_event(n);
		break;
	}
	json_out_print(to, o);
}
