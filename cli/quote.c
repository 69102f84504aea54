#include "cli/quote.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "crypto/secret.h"

void quotes_free(struct quotes *quotes)
{
	if (quotes != NULL)
		tacit_wipe(quotes, sizeof(*quotes));
	tacit_free(quotes);
}

static void copy_text(char *to, size_t size, struct tacit_bytes from)
{
	size_t at = 0;
	uint32_t code;
	for (size_t points = 0; points < QUOTE_TEXT && at < from.n; points++) {
		size_t n = tacit_utf8_next(tacit_bytes_part(from, at, from.n - at), &code);
		if (n == 0 || at + n + sizeof("\xe2\x80\xa6") > size)
			break;
		at += n;
	}
	for (size_t i = 0; i < at; i++)
		to[i] = from.p[i] == '\n' ? ' ' : (char)from.p[i];
	snprintf(to + at, size - at, "%s", at < from.n ? "\xe2\x80\xa6" : "");
}

static bool is_quotable(const struct tacit_notice *n)
{
	return n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_EDITED ||
	       n->kind == TACIT_NOTICE_DELETED;
}

static void take(struct quote *q, const struct tacit_notice *n)
{
	bool file = n->content.kind == TACIT_CONTENT_FILE;
	*q = (struct quote){.conversation = n->conversation,
	        .message = n->message,
	        .own = n->flag,
	        .deleted = n->kind == TACIT_NOTICE_DELETED};
	snprintf(q->name, sizeof(q->name), "%.*s", (int)n->username.n,
	        n->username.n > 0 ? (const char *)n->username.p : "");
	if (!q->deleted)
		copy_text(q->text, sizeof(q->text), file ? n->content.file.name : n->content.text);
}

static struct quote *find(struct quotes *quotes, uint64_t conversation, uint64_t message)
{
	for (size_t i = 0; i < TACIT_COUNT(quotes->list); i++)
		if (quotes->list[i].conversation == conversation &&
		        quotes->list[i].message == message)
			return &quotes->list[i];
	return NULL;
}

void quote_remember(struct quotes *quotes, const struct tacit_notice *n)
{
	if (quotes == NULL || !is_quotable(n))
		return;
	struct quote *q = find(quotes, n->conversation, n->message);
	if (q == NULL)
		q = &quotes->list[quotes->next++ % TACIT_COUNT(quotes->list)];
	take(q, n);
}

bool quote_find(const struct cli *c, uint64_t conversation, uint64_t message, struct quote *out)
{
	struct tacit_notice n;
	struct tacit_buf room = {0};
	const struct quote *q = c->quotes != NULL ? find(c->quotes, conversation, message) : NULL;
	*out = (struct quote){0};
	if (q != NULL) {
		*out = *q;
		return true;
	}
	if (c->host_lent)
		return false;
	bool found = host_entry(c->host, conversation, message, &n, &room) == TACIT_OK &&
	             is_quotable(&n);
	if (found)
		take(out, &n);
	tacit_content_wipe(&n.content);
	tacit_buf_clear(&room);
	return found;
}

uint64_t quote_newest(const struct quotes *quotes, uint64_t conversation, bool own)
{
	uint64_t newest = 0;
	for (size_t i = 0; quotes != NULL && i < TACIT_COUNT(quotes->list); i++) {
		const struct quote *q = &quotes->list[i];
		if (q->conversation == conversation && q->own == own && !q->deleted &&
		        q->message > newest)
			newest = q->message;
	}
	return newest;
}

void quote_put(FILE *to, const struct quote *q)
{
	if (q->message == 0) {
		fputs("an earlier message", to);
		return;
	}
	term_put_text(to, tacit_cstr(q->own ? "you" : q->name), TERM_ONE_LINE, 0);
	fputs(": ", to);
	term_put_text(
	        to, q->deleted ? TACIT_STR("[deleted]") : tacit_cstr(q->text), TERM_ONE_LINE, 0);
}
