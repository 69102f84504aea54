#include "server/api/json_out.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/encoding.h"
#include "server/api/base64.h"
#include "wire/pem.h"

static inline void put(struct api_json *w, struct tacit_bytes b)
{
	struct tacit_buf *out = w->out;
	if (w->err != TACIT_OK)
		return;
	if (b.n > out->cap - out->n) {
		w->err = tacit_buf_append(out, b);
	} else if (b.n > 0) {
		memcpy(out->p + out->n, b.p, b.n);
		out->n += b.n;
	}
}

static void put_char(struct api_json *w, char c)
{
	put(w, tacit_bytes(&c, 1));
}

/* The comma before a member, when it is not the first, and its name. */
static void put_name(struct api_json *w, const char *name)
{
	if (w->err != TACIT_OK)
		return;
	uint8_t last = w->out->n > 0 ? w->out->p[w->out->n - 1] : '{';
	if (last != '{' && last != '[')
		put_char(w, ',');
	if (name == NULL)
		return;
	put_char(w, '"');
	put(w, tacit_cstr(name));
	put(w, TACIT_STR("\":"));
}

struct api_json api_json_begin(struct tacit_buf *out)
{
	struct api_json w = {out, tacit_buf_reserve(out, API_JSON_ROOM)};
	put_char(&w, '{');
	return w;
}

enum tacit_err api_json_finish(struct api_json *w)
{
	put_char(w, '}');
	return w->err;
}

void api_json_fail(struct api_json *w, enum tacit_err err)
{
	if (w->err == TACIT_OK)
		w->err = err;
}

void api_json_open_object(struct api_json *w, const char *name)
{
	put_name(w, name);
	put_char(w, '{');
}

void api_json_close_object(struct api_json *w)
{
	put_char(w, '}');
}

void api_json_open_array(struct api_json *w, const char *name)
{
	put_name(w, name);
	put_char(w, '[');
}

void api_json_close_array(struct api_json *w)
{
	put_char(w, ']');
}

static void put_escaped(struct api_json *w, uint8_t c)
{
	char escaped[8] = {'\\', (char)c, '\0'};
	if (c == '\n')
		escaped[1] = 'n';
	else if (c < 0x20)
		(void)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)c);
	put(w, tacit_cstr(escaped));
}

void api_json_text(struct api_json *w, const char *name, struct tacit_bytes text)
{
	put_name(w, name);
	put_char(w, '"');
	size_t start = 0;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(w, tacit_bytes_part(text, start, i - start));
		put_escaped(w, c);
		start = i + 1;
	}
	put(w, tacit_bytes_part(text, start, text.n - start));
	put_char(w, '"');
}

void api_json_integer(struct api_json *w, const char *name, int64_t value)
{
	uint8_t digits[20]; /* 19 and a sign */
	size_t at = sizeof(digits);
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		digits[--at] = (uint8_t)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		digits[--at] = '-';
	put_name(w, name);
	put(w, tacit_bytes(digits + at, sizeof(digits) - at));
}

void api_json_bool(struct api_json *w, const char *name, bool value)
{
	put_name(w, name);
	put(w, value ? TACIT_STR("true") : TACIT_STR("false"));
}

void api_json_null(struct api_json *w, const char *name)
{
	put_name(w, name);
	put(w, TACIT_STR("null"));
}

void api_time_text(int64_t unix_seconds, char out[API_TIME_CHARS + 1])
{
	time_t t = (time_t)unix_seconds;
	struct tm tm = {0};
	if (gmtime_r(&t, &tm) == NULL ||
	        strftime(out, API_TIME_CHARS + 1, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(out, "1970-01-01T00:00:00Z", API_TIME_CHARS + 1);
}

void api_json_time(struct api_json *w, const char *name, int64_t unix_seconds)
{
	/* Kept: what is told is nearly always of this second. */
	static _Thread_local char text[API_TIME_CHARS + 1];
	static _Thread_local int64_t second;
	if (text[0] == '\0' || unix_seconds != second) {
		api_time_text(unix_seconds, text);
		second = unix_seconds;
	}
	api_json_text(w, name, tacit_bytes(text, API_TIME_CHARS));
}

void api_json_time_or_null(struct api_json *w, const char *name, int64_t unix_seconds)
{
	if (unix_seconds == 0)
		api_json_null(w, name);
	else
		api_json_time(w, name, unix_seconds);
}

void api_json_base64(struct api_json *w, const char *name, struct tacit_bytes data)
{
	put_name(w, name);
	put_char(w, '"');
	if (w->err == TACIT_OK)
		w->err = api_base64_write(data, w->out);
	put_char(w, '"');
}

void api_json_hex(struct api_json *w, const char *name, struct tacit_bytes data)
{
	char hex[2 * 64 + 1];
	TACIT_ASSERT(data.n <= 64);
	tacit_hex(data, hex);
	api_json_text(w, name, tacit_bytes(hex, 2 * data.n));
}

void api_json_public_key(struct api_json *w, const char *name, const uint8_t key[32])
{
	struct tacit_sign_public pk;
	struct tacit_buf pem = {0};
	memcpy(pk.b, key, sizeof(pk.b));
	api_json_fail(w, tacit_pem_write_public(&pk, &pem));
	api_json_text(w, name, tacit_buf_view(&pem));
	tacit_buf_clear(&pem);
}
