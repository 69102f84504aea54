#include "server/api/multipart.h"

#include <string.h>
#include <strings.h>

#include "wire/limits.h"

static bool starts_with(struct tacit_bytes text, const char *word)
{
	size_t n = strlen(word);
	return text.n >= n && strncasecmp((const char *)text.p, word, n) == 0;
}

/* The value of a parameter ("; name=value" or "; name=\"value\"") of a header value.
 * Backslashes in quotes are left alone: neither boundaries nor our names hold any. */
static struct tacit_bytes parameter(struct tacit_bytes text, const char *name)
{
	size_t n = strlen(name);
	bool quoted = false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			quoted = !quoted;
		if (quoted || text.p[i] != ';')
			continue;
		struct tacit_bytes rest = tacit_bytes_part(text, i + 1, text.n);
		while (rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'))
			rest = tacit_bytes_part(rest, 1, rest.n);
		if (!starts_with(rest, name) || rest.n == n || rest.p[n] != '=')
			continue;
		rest = tacit_bytes_part(rest, n + 1, rest.n);
		bool in_quotes = rest.n > 0 && rest.p[0] == '"';
		if (in_quotes)
			rest = tacit_bytes_part(rest, 1, rest.n);
		size_t end = 0;
		while (end < rest.n &&
		        (in_quotes ? rest.p[end] != '"' : rest.p[end] != ';' && rest.p[end] != ' '))
			end++;
		return tacit_bytes_part(rest, 0, end);
	}
	return tacit_bytes(NULL, 0);
}

enum tacit_err api_multipart_init(struct api_multipart *m, struct tacit_bytes content_type)
{
	*m = (struct api_multipart){.part = PART_IGNORED};
	if (!starts_with(content_type, "multipart/form-data"))
		return TACIT_E_UNSUPPORTED;
	struct tacit_bytes boundary = parameter(content_type, "boundary");
	if (boundary.n == 0 || boundary.n > API_MULTIPART_BOUNDARY)
		return TACIT_E_MALFORMED;
	/* The search below relies on CR standing at the front of the delimiter only. */
	for (size_t i = 0; i < boundary.n; i++)
		if (boundary.p[i] < 0x20 || boundary.p[i] > 0x7e)
			return TACIT_E_MALFORMED;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.n);
	m->delimiter_bytes = boundary.n + 4;
	m->matched = 2; /* the first delimiter may stand at the very beginning */
	return TACIT_OK;
}

static enum tacit_err field_bytes(struct api_multipart *m, size_t which, struct tacit_bytes data)
{
	if (data.n > API_MULTIPART_FIELD - m->field_bytes[which])
		return TACIT_E_TOO_LARGE;
	memcpy(m->field[which] + m->field_bytes[which], data.p, data.n);
	m->field_bytes[which] += data.n;
	return TACIT_OK;
}

static enum tacit_err part_bytes(
        struct api_multipart *m, struct tacit_bytes data, const struct api_multipart_sink *sink)
{
	if (data.n == 0)
		return TACIT_OK;
	switch (m->part) {
	case PART_FILE:
		return sink->file_bytes(sink->ctx, data);
	case PART_CONVERSATION_ID:
		return field_bytes(m, 0, data);
	case PART_MESSAGE_ID:
		return field_bytes(m, 1, data);
	case PART_IGNORED:
		break;
	}
	return TACIT_OK;
}

/* How many bytes are the part's for sure: up to the delimiter, or to what may be its beginning at
 * the end of the data. Files are full of CRs: they are handed on whole nevertheless. */
static size_t before_delimiter(const struct api_multipart *m, struct tacit_bytes data)
{
	for (size_t at = 0; at < data.n; at++) {
		const uint8_t *cr = memchr(data.p + at, '\r', data.n - at);
		if (cr == NULL)
			return data.n;
		at = (size_t)(cr - data.p);
		size_t rest = data.n - at < m->delimiter_bytes ? data.n - at : m->delimiter_bytes;
		if (memcmp(cr, m->delimiter, rest) == 0)
			return at;
	}
	return data.n;
}

/* Takes bytes up to the end of the delimiter, or up to one that does not fit what began like it.
 * CR stands only at the delimiter's front, so the search starts afresh at that byte. */
static enum tacit_err feed_body(
        struct api_multipart *m, struct tacit_bytes *data, const struct api_multipart_sink *sink)
{
	enum tacit_err err = TACIT_OK;
	if (m->matched == 0) {
		size_t plain = before_delimiter(m, *data);
		TRY(part_bytes(m, tacit_bytes_part(*data, 0, plain), sink));
		*data = tacit_bytes_part(*data, plain, data->n);
	}
	size_t n = 0;
	while (n < data->n && m->matched < m->delimiter_bytes &&
	        data->p[n] == (uint8_t)m->delimiter[m->matched]) {
		n++;
		m->matched++;
	}
	*data = tacit_bytes_part(*data, n, data->n);
	if (m->matched == m->delimiter_bytes) {
		m->state = MULTIPART_DELIMITER;
		m->part = PART_IGNORED;
		m->tail_bytes = 0;
	} else if (data->n > 0) {
		TRY(part_bytes(m, tacit_bytes(m->delimiter, m->matched), sink));
		m->matched = 0;
	}
out:
	return err;
}

/* "--" ends all; blanks may stand before the CRLF (RFC 2046 5.1.1, transport padding). */
static enum tacit_err feed_delimiter(struct api_multipart *m, uint8_t byte)
{
	if (m->tail_bytes == 0 && (byte == ' ' || byte == '\t'))
		return TACIT_OK;
	m->tail[m->tail_bytes++] = (char)byte;
	if (m->tail_bytes < 2)
		return TACIT_OK;
	if (memcmp(m->tail, "--", 2) == 0) {
		m->state = MULTIPART_END;
		return TACIT_OK;
	}
	m->state = MULTIPART_HEAD;
	memcpy(m->head, "\r\n", 2); /* so that no header at all ends the head as well */
	m->head_bytes = 2;
	return memcmp(m->tail, "\r\n", 2) == 0 && ++m->parts <= API_MULTIPART_PARTS
	               ? TACIT_OK
	               : TACIT_E_MALFORMED;
}

static struct tacit_bytes disposition(const struct api_multipart *m)
{
	static const char name[] = "\r\ncontent-disposition:";
	size_t n = sizeof(name) - 1;
	for (size_t i = 0; i + n <= m->head_bytes; i++) {
		if (strncasecmp(m->head + i, name, n) != 0)
			continue;
		struct tacit_bytes rest = tacit_bytes(m->head + i + n, m->head_bytes - i - n);
		const uint8_t *end = memchr(rest.p, '\r', rest.n);
		return tacit_bytes_part(rest, 0, end != NULL ? (size_t)(end - rest.p) : rest.n);
	}
	return tacit_bytes(NULL, 0);
}

static enum tacit_err begin_part(struct api_multipart *m)
{
	struct tacit_bytes name = parameter(disposition(m), "name");
	m->state = MULTIPART_BODY;
	m->matched = 0;
	m->part = PART_IGNORED;
	if (tacit_bytes_eq(name, TACIT_STR("file"))) {
		if (m->has_file)
			return TACIT_E_MALFORMED;
		m->part = PART_FILE;
		m->has_file = true;
	} else if (tacit_bytes_eq(name, TACIT_STR("conversation_id"))) {
		m->part = PART_CONVERSATION_ID;
	} else if (tacit_bytes_eq(name, TACIT_STR("message_id"))) {
		m->part = PART_MESSAGE_ID;
	}
	return TACIT_OK;
}

static enum tacit_err feed_head(struct api_multipart *m, uint8_t byte)
{
	if (m->head_bytes == sizeof(m->head))
		return TACIT_E_TOO_LARGE;
	m->head[m->head_bytes++] = (char)byte;
	if (m->head_bytes >= 4 && memcmp(m->head + m->head_bytes - 4, "\r\n\r\n", 4) == 0)
		return begin_part(m);
	return TACIT_OK;
}

enum tacit_err api_multipart_feed(
        struct api_multipart *m, struct tacit_bytes data, const struct api_multipart_sink *sink)
{
	enum tacit_err err = TACIT_OK;
	while (data.n > 0 && m->state != MULTIPART_END) {
		if (m->state == MULTIPART_BODY) {
			TRY(feed_body(m, &data, sink));
			continue;
		}
		if (m->state == MULTIPART_DELIMITER)
			TRY(feed_delimiter(m, data.p[0]));
		else
			TRY(feed_head(m, data.p[0]));
		data = tacit_bytes_part(data, 1, data.n);
	}
out:
	return err;
}

static enum tacit_err read_field(const struct api_multipart *m, size_t which, int64_t *out)
{
	*out = 0;
	if (m->field_bytes[which] > 16)
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < m->field_bytes[which]; i++) {
		char c = m->field[which][i];
		if (c < '0' || c > '9')
			return TACIT_E_MALFORMED;
		*out = *out * 10 + (c - '0');
	}
	return *out <= TACIT_MAX_INTEGER ? TACIT_OK : TACIT_E_MALFORMED;
}

enum tacit_err api_multipart_end(
        const struct api_multipart *m, int64_t *conversation_id, int64_t *message_id)
{
	enum tacit_err err;
	*conversation_id = *message_id = 0;
	TRY(m->state == MULTIPART_END && m->has_file ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(read_field(m, 0, conversation_id));
	TRY(read_field(m, 1, message_id));
out:
	return err;
}
