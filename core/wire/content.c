#include "wire/content.h"

#include <string.h>

#include "base/reader.h"
#include "base/utf8.h"
#include "base/writer.h"
#include "crypto/secret.h"
#include "wire/names.h"

#define VERSION_FIRST 1
#define VERSION_SECOND 2 /* replies, and what is said about another message */

/* Padmé: the length keeps as many leading bits as its own logarithm has, so O(log log n) is told.
 */
static size_t padded(size_t n)
{
	if (n <= TACIT_CONTENT_LEAST)
		return TACIT_CONTENT_LEAST;
	unsigned e = 0;
	while (n >> (e + 1) > 0)
		e++;
	unsigned s = 0;
	while (e >> s > 0)
		s++;
	size_t mask = ((size_t)1 << (e - s)) - 1;
	return (n + mask) & ~mask;
}

static bool is_id_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool file_id_valid(struct tacit_bytes id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!is_id_char(id.p[i]))
			return false;
	return id.n > 0;
}

static bool printable(struct tacit_bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

/* One word: what is drawn beside a message has neither lines nor columns. */
static bool one_word(struct tacit_bytes text)
{
	uint32_t code;
	for (size_t at = 0, n; at < text.n; at += n) {
		n = tacit_utf8_next(tacit_bytes_part(text, at, text.n - at), &code);
		if (n == 0 || code == ' ' || tacit_utf8_is_control(code))
			return false;
	}
	return true;
}

/* Programs get it as a JSON string, and none of ours holds U+0000 (wire/json.h). */
static bool is_text(struct tacit_bytes text)
{
	return tacit_utf8_valid(text) && (text.n == 0 || memchr(text.p, 0, text.n) == NULL);
}

static bool is_id(uint64_t id)
{
	return id > 0 && id <= TACIT_MAX_INTEGER;
}

static bool has_message(const struct tacit_content *c)
{
	return c->kind == TACIT_CONTENT_UNOPENED || c->kind == TACIT_CONTENT_AGAIN ||
	       tacit_content_is_change(c);
}

static uint8_t version_of(const struct tacit_content *c)
{
	return c->reply_to != 0 || tacit_content_is_change(c) ? VERSION_SECOND : VERSION_FIRST;
}

static bool well_formed(const struct tacit_content *c)
{
	if (c->sent_at < 0 || c->sent_at > TACIT_MAX_INTEGER || !is_text(c->text))
		return false;
	if (c->reply_to != 0 && (!tacit_content_is_shown(c) || !is_id(c->reply_to)))
		return false;
	if (has_message(c) && !is_id(c->message))
		return false;
	switch (c->kind) {
	case TACIT_CONTENT_TEXT:
		return true;
	case TACIT_CONTENT_FILE:
		return file_id_valid(c->file.id) && is_text(c->file.name) &&
		       printable(c->file.type) && c->file.size <= TACIT_MAX_INTEGER;
	case TACIT_CONTENT_TITLE:
		return tacit_conversation_name_valid(c->text);
	case TACIT_CONTENT_UNOPENED:
	case TACIT_CONTENT_AGAIN:
	case TACIT_CONTENT_DELETE:
		return c->text.n == 0;
	case TACIT_CONTENT_REACTION:
		return c->text.n <= TACIT_MAX_REACTION && one_word(c->text);
	case TACIT_CONTENT_EDIT:
		return c->text.n > 0;
	}
	return false;
}

static bool too_large(const struct tacit_content *c)
{
	return c->text.n > TACIT_MAX_TEXT || c->inner.n > TACIT_MAX_CONTENT - 1024 ||
	       (c->kind == TACIT_CONTENT_FILE &&
	               (c->file.id.n > TACIT_MAX_FILE_ID || c->file.name.n > TACIT_MAX_FILE_NAME ||
	                       c->file.type.n > TACIT_MAX_MIME_TYPE));
}

static size_t body_bytes(const struct tacit_content *c)
{
	size_t n = 1 + 1 + 8 + 4 + c->text.n;
	if (c->reply_to != 0)
		n += 8;
	if (has_message(c))
		n += 8;
	if (c->kind == TACIT_CONTENT_FILE)
		n += 1 + c->file.id.n + 2 + c->file.name.n + 1 + c->file.type.n + 8 +
		     sizeof(c->file.key) + sizeof(c->file.sealed_digest);
	if (c->kind == TACIT_CONTENT_UNOPENED)
		n += 8 + sizeof(c->fingerprint);
	if (c->kind == TACIT_CONTENT_AGAIN)
		n += 4 + c->inner.n;
	return n;
}

enum tacit_err tacit_content_encode(const struct tacit_content *c, struct tacit_buf *out)
{
	if (too_large(c))
		return TACIT_E_TOO_LARGE;
	if (!well_formed(c))
		return TACIT_E_USAGE;
	size_t n = body_bytes(c);
	size_t total = padded(4 + n);
	enum tacit_err err = tacit_buf_reserve(out, total);
	if (err != TACIT_OK)
		return err;
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u32(&w, (uint32_t)n);
	tacit_write_u8(&w, version_of(c));
	tacit_write_u8(&w, (uint8_t)c->kind);
	tacit_write_u64(&w, (uint64_t)c->sent_at);
	tacit_write_vec32(&w, c->text);
	if (c->kind == TACIT_CONTENT_FILE) {
		tacit_write_vec8(&w, c->file.id);
		tacit_write_vec16(&w, c->file.name);
		tacit_write_vec8(&w, c->file.type);
		tacit_write_u64(&w, c->file.size);
		tacit_write_raw(&w, tacit_bytes(c->file.key, sizeof(c->file.key)));
		tacit_write_raw(
		        &w, tacit_bytes(c->file.sealed_digest, sizeof(c->file.sealed_digest)));
	}
	if (has_message(c))
		tacit_write_u64(&w, c->message);
	if (c->reply_to != 0)
		tacit_write_u64(&w, c->reply_to);
	if (c->kind == TACIT_CONTENT_UNOPENED) {
		tacit_write_u64(&w, c->epoch);
		tacit_write_raw(&w, tacit_bytes(c->fingerprint, sizeof(c->fingerprint)));
	}
	if (c->kind == TACIT_CONTENT_AGAIN)
		tacit_write_vec32(&w, c->inner);
	err = tacit_writer_finish(&w);
	if (err != TACIT_OK)
		return err;
	size_t padding = w.start + total - out->n; /* reserved above */
	memset(out->p + out->n, 0, padding);
	out->n += padding;
	return TACIT_OK;
}

static void read_file_ref(struct tacit_reader *r, struct tacit_file_ref *f)
{
	f->id = tacit_read_vec8(r, TACIT_MAX_FILE_ID);
	f->name = tacit_read_vec16(r, TACIT_MAX_FILE_NAME);
	f->type = tacit_read_vec8(r, TACIT_MAX_MIME_TYPE);
	f->size = tacit_read_u64(r);
	tacit_read_into(r, f->key, sizeof(f->key));
	tacit_read_into(r, f->sealed_digest, sizeof(f->sealed_digest));
}

static enum tacit_err decode_body(struct tacit_bytes body, struct tacit_content *c)
{
	struct tacit_reader r = tacit_reader(body);
	uint8_t version = tacit_read_u8(&r);
	uint8_t kind = tacit_read_u8(&r);
	if (version < VERSION_FIRST || version > VERSION_SECOND || kind < TACIT_CONTENT_TEXT ||
	        kind > TACIT_CONTENT_DELETE)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	c->kind = (enum tacit_content_kind)kind;
	uint64_t sent_at = tacit_read_u64(&r);
	if (sent_at > TACIT_MAX_INTEGER)
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	c->sent_at = (int64_t)sent_at;
	c->text = tacit_read_vec32(&r, TACIT_MAX_TEXT);
	if (kind == TACIT_CONTENT_FILE)
		read_file_ref(&r, &c->file);
	if (has_message(c))
		c->message = tacit_read_u64(&r);
	if (version == VERSION_SECOND && tacit_content_is_shown(c))
		c->reply_to = tacit_read_u64(&r);
	if (kind == TACIT_CONTENT_UNOPENED) {
		c->epoch = tacit_read_u64(&r);
		tacit_read_into(&r, c->fingerprint, sizeof(c->fingerprint));
	}
	if (kind == TACIT_CONTENT_AGAIN)
		c->inner = tacit_read_vec32(&r, TACIT_MAX_CONTENT - 1024);
	enum tacit_err err = tacit_reader_end(&r);
	if (err != TACIT_OK)
		return err;
	return well_formed(c) && version_of(c) == version ? TACIT_OK : TACIT_E_MALFORMED;
}

/* The padding is part of the form: one content has one encoding. */
static bool padding_right(struct tacit_bytes in, struct tacit_bytes padding)
{
	if (in.n != padded(in.n - padding.n))
		return false;
	for (size_t i = 0; i < padding.n; i++)
		if (padding.p[i] != 0)
			return false;
	return true;
}

enum tacit_err tacit_content_decode(struct tacit_bytes in, struct tacit_content *out)
{
	*out = (struct tacit_content){0};
	if (in.n > TACIT_MAX_CONTENT)
		return TACIT_E_TOO_LARGE;
	enum tacit_err err;
	struct tacit_content c = {0};
	struct tacit_reader r = tacit_reader(in);
	struct tacit_bytes body = tacit_read_vec32(&r, TACIT_MAX_CONTENT);
	if (r.err != TACIT_OK)
		return r.err;
	TRY(decode_body(body, &c));
	if (!padding_right(in, r.rest))
		err = TACIT_E_MALFORMED;
	else
		*out = c;
out:
	tacit_content_wipe(&c);
	return err;
}

void tacit_content_wipe(struct tacit_content *c)
{
	tacit_wipe(c->file.key, sizeof(c->file.key));
}
