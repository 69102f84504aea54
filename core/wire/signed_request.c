#include "wire/signed_request.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "crypto/encoding.h"
#include "wire/limits.h"

/* Bodies up to this size are put together on the stack; most calls but long messages are. */
#define SMALL 1024

struct spans {
	struct tacit_bytes data;
	struct tacit_bytes timestamp;
};

bool tacit_signed_request_claims(const json_t *body)
{
	return json_object_get(body, "signature") != NULL;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(struct tacit_bytes text, size_t i)
{
	while (i < text.n && is_space(text.p[i]))
		i++;
	return i;
}

/* i stands on the opening quote; the answer stands behind the closing one. */
static size_t skip_string(struct tacit_bytes text, size_t i)
{
	for (i++; i < text.n && text.p[i] != '"'; i++)
		i += text.p[i] == '\\';
	return i < text.n ? i + 1 : text.n;
}

/* From the first byte of a value to behind its last: to the comma or bracket of the level above. */
static size_t skip_value(struct tacit_bytes text, size_t i)
{
	size_t depth = 0;
	while (i < text.n) {
		uint8_t c = text.p[i];
		if (c == '"') {
			i = skip_string(text, i);
			if (depth == 0)
				return i;
			continue;
		}
		if (depth == 0 && (c == ',' || c == '}' || is_space(c)))
			return i;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return i + 1;
		i++;
	}
	return i;
}

/* Where the two values stand. Runs only on text that jansson has accepted as one object without
 * duplicate names, so brackets match and strings end; what remains is to look at the top level.
 * A name with an escape could mean "data" without reading so: such bodies are refused. */
static enum tacit_err find_spans(struct tacit_bytes text, struct spans *out)
{
	*out = (struct spans){0};
	size_t i = skip_space(text, 0);
	if (i >= text.n || text.p[i] != '{')
		return TACIT_E_MALFORMED;
	i = skip_space(text, i + 1);
	while (i < text.n && text.p[i] == '"') {
		size_t name_end = skip_string(text, i);
		if (name_end - i < 2)
			return TACIT_E_MALFORMED;
		struct tacit_bytes name = tacit_bytes(text.p + i + 1, name_end - i - 2);
		if (memchr(name.p, '\\', name.n) != NULL)
			return TACIT_E_MALFORMED;
		i = skip_space(text, skip_space(text, name_end) + 1);
		size_t value_end = skip_value(text, i);
		struct tacit_bytes value = tacit_bytes_part(text, i, value_end - i);
		if (tacit_bytes_eq(name, TACIT_STR("data")))
			out->data = value;
		else if (tacit_bytes_eq(name, TACIT_STR("timestamp")))
			out->timestamp = value;
		i = skip_space(text, skip_space(text, value_end) + 1);
	}
	return out->data.n > 0 && out->timestamp.n > 0 ? TACIT_OK : TACIT_E_MALFORMED;
}

static enum tacit_err digest_parts(const struct tacit_bytes *parts, size_t count, uint8_t *out)
{
	struct tacit_hasher *h = NULL;
	enum tacit_err err;
	TRY(tacit_hasher_new(TACIT_SHA256, &h));
	for (size_t i = 0; i < count; i++)
		TRY(tacit_hasher_update(h, parts[i]));
	TRY(tacit_hasher_peek(h, out));
out:
	tacit_hasher_free(h);
	return err;
}

static enum tacit_err digest_spans(const struct spans *s, uint8_t out[TACIT_SHA256_BYTES])
{
	const struct tacit_bytes parts[] = {TACIT_STR("{\"data\":"), s->data,
	        TACIT_STR(",\"timestamp\":"), s->timestamp, TACIT_STR("}")};
	uint8_t joined[SMALL];
	size_t n = 0;
	for (size_t i = 0; i < TACIT_COUNT(parts); i++) {
		if (parts[i].n > sizeof(joined) - n)
			return digest_parts(parts, TACIT_COUNT(parts), out);
		memcpy(joined + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	tacit_sha256(tacit_bytes(joined, n), out);
	return TACIT_OK;
}

/* --- the usual form --- */

/* data, signature and timestamp, each once, and nothing beside them, as programs write it. All but
 * data is read where it stands, which costs half of what a tree does. What is put together so is
 * JSON when data is; a body of any other form, also one that is none, is parsed as a whole. */
struct members {
	struct tacit_bytes data, timestamp, signature; /* values, as they stand in the text */
};

static bool take_member(struct tacit_bytes text, size_t *at, struct members *m)
{
	size_t i = *at;
	if (i >= text.n || text.p[i] != '"')
		return false;
	size_t end = skip_string(text, i);
	struct tacit_bytes name = tacit_bytes_part(text, i, end - i), *value = NULL;
	if (tacit_bytes_eq(name, TACIT_STR("\"data\"")))
		value = &m->data;
	else if (tacit_bytes_eq(name, TACIT_STR("\"timestamp\"")))
		value = &m->timestamp;
	else if (tacit_bytes_eq(name, TACIT_STR("\"signature\"")))
		value = &m->signature;
	i = skip_space(text, end);
	if (value == NULL || value->n > 0 || i >= text.n || text.p[i] != ':')
		return false;
	i = skip_space(text, i + 1);
	end = skip_value(text, i);
	*value = tacit_bytes_part(text, i, end - i);
	*at = skip_space(text, end);
	return value->n > 0;
}

static bool take_members(struct tacit_bytes text, struct members *m)
{
	static const char before[] = {'{', ',', ','};
	size_t i = skip_space(text, 0);
	*m = (struct members){0};
	for (size_t k = 0; k < sizeof(before); k++) {
		if (i >= text.n || text.p[i] != before[k])
			return false;
		i = skip_space(text, i + 1);
		if (!take_member(text, &i, m))
			return false;
	}
	return i < text.n && text.p[i] == '}' && skip_space(text, i + 1) == text.n;
}

static bool read_timestamp(struct tacit_bytes digits, int64_t *out)
{
	static_assert(TACIT_MAX_INTEGER < INT64_MAX / 10, "one digit too many still fits");
	int64_t n = 0;
	if (digits.n > 1 && digits.p[0] == '0')
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		n = n * 10 + (digits.p[i] - '0');
		if (n > TACIT_MAX_INTEGER)
			return false;
	}
	*out = n;
	return true;
}

static bool read_signature(struct tacit_bytes quoted, struct tacit_signature *out)
{
	if (quoted.n != 2 * sizeof(out->b) + 2 || quoted.p[0] != '"')
		return false;
	return tacit_unhex(tacit_bytes_part(quoted, 1, quoted.n - 2), out->b, sizeof(out->b)) ==
	       TACIT_OK;
}

/* False: not of that form. */
static bool parse_usual(
        struct tacit_bytes text, struct tacit_signed_request *out, enum tacit_err *err)
{
	struct members m;
	struct tacit_signed_request r = {0};
	if (text.n > TACIT_MAX_JSON_BODY || !take_members(text, &m) || m.data.p[0] != '{' ||
	        !read_timestamp(m.timestamp, &r.timestamp) ||
	        !read_signature(m.signature, &r.signature))
		return false;
	*err = tacit_json_parse_part(m.data, 1, &r.data);
	if (*err == TACIT_OK)
		*err = digest_spans(&(struct spans){m.data, m.timestamp}, r.digest);
	if (*err == TACIT_OK)
		*out = r;
	else
		json_decref(r.data);
	return true;
}

/* --- any form --- */

enum tacit_err tacit_signed_request_read(
        struct tacit_bytes text, json_t *body, struct tacit_signed_request *out)
{
	*out = (struct tacit_signed_request){0};
	enum tacit_err err;
	struct tacit_bytes hex;
	struct spans spans;
	struct tacit_signed_request r = {.data = json_object_get(body, "data")};
	if (!json_is_object(r.data))
		return TACIT_E_MALFORMED;
	TRY(tacit_json_integer(
	        body, "timestamp", TACIT_REQUIRED, 0, TACIT_MAX_INTEGER, &r.timestamp));
	TRY(tacit_json_text(body, "signature", TACIT_REQUIRED, 2 * sizeof(r.signature.b), &hex));
	TRY(tacit_unhex(hex, r.signature.b, sizeof(r.signature.b)));
	TRY(find_spans(text, &spans));
	TRY(digest_spans(&spans, r.digest));
	json_incref(r.data);
	r.body = json_incref(body);
	*out = r;
out:
	return err;
}

enum tacit_err tacit_signed_request_parse(struct tacit_bytes text, struct tacit_signed_request *out)
{
	*out = (struct tacit_signed_request){0};
	enum tacit_err err;
	json_t *body = NULL;
	if (parse_usual(text, out, &err))
		return err;
	TRY(tacit_json_parse(text, &body));
	TRY(tacit_signed_request_read(text, body, out));
out:
	json_decref(body);
	return err;
}

void tacit_signed_request_clear(struct tacit_signed_request *r)
{
	json_decref(r->data);
	json_decref(r->body);
	*r = (struct tacit_signed_request){0};
}

enum tacit_err tacit_signed_request_verify(
        const struct tacit_signed_request *r, const struct tacit_sign_public *pk)
{
	return tacit_sign_verify(pk, tacit_bytes(r->digest, sizeof(r->digest)), &r->signature);
}

enum tacit_err tacit_signed_request_build(const json_t *data, int64_t timestamp,
        const struct tacit_sign_sk *sk, struct tacit_buf *out)
{
	if (!json_is_object(data) || timestamp < 0)
		return TACIT_E_USAGE;
	enum tacit_err err;
	size_t start = out->n;
	struct tacit_buf time = {0};
	uint8_t digest[TACIT_SHA256_BYTES];
	struct tacit_signature signature;
	char hex[2 * sizeof(signature.b) + 1];
	TRY(tacit_buf_printf(&time, "%" PRId64, timestamp));
	TRY(tacit_buf_append(out, TACIT_STR("{\"data\":")));
	size_t data_at = out->n;
	TRY(tacit_json_write(data, out));
	struct spans spans = {
	        tacit_bytes(out->p + data_at, out->n - data_at), tacit_buf_view(&time)};
	TRY(digest_spans(&spans, digest));
	tacit_sign(sk, tacit_bytes(digest, sizeof(digest)), &signature);
	tacit_hex(tacit_bytes(signature.b, sizeof(signature.b)), hex);
	TRY(tacit_buf_printf(
	        out, ",\"signature\":\"%s\",\"timestamp\":%" PRId64 "}", hex, timestamp));
out:
	if (err != TACIT_OK)
		out->n = start;
	tacit_buf_clear(&time);
	return err;
}
