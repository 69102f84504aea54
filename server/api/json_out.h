/* json_out.h - writes JSON straight into a buffer: no tree, no copy, one allocation that grows.
 *
 * The first error sticks and is read once, in api_json_finish. A NULL name is for array elements.
 */
#ifndef TACIT_SERVER_API_JSON_OUT_H
#define TACIT_SERVER_API_JSON_OUT_H

#include "base/buf.h"
#include "base/err.h"

struct api_json {
	struct tacit_buf *out; /* borrowed */
	enum tacit_err err;
};

/* Reserved at the beginning: what is not longer does not fail on its way. */
#define API_JSON_ROOM 512
/* Opens the outermost object; finish closes it. Fails: NOMEM, and what api_json_fail was given. */
struct api_json api_json_begin(struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err api_json_finish(struct api_json *w);
/* Keeps the first error; OK changes nothing. */
void api_json_fail(struct api_json *w, enum tacit_err err);

void api_json_open_object(struct api_json *w, const char *name);
void api_json_close_object(struct api_json *w);
void api_json_open_array(struct api_json *w, const char *name);
void api_json_close_array(struct api_json *w);

/* Text is UTF-8 already: quotes, backslashes and controls are escaped. */
void api_json_text(struct api_json *w, const char *name, struct tacit_bytes text);
void api_json_integer(struct api_json *w, const char *name, int64_t value);
void api_json_bool(struct api_json *w, const char *name, bool value);
void api_json_null(struct api_json *w, const char *name);
/* RFC 3339 in UTC, from Unix seconds. */
void api_json_time(struct api_json *w, const char *name, int64_t unix_seconds);
/* The same, null for 0. */
void api_json_time_or_null(struct api_json *w, const char *name, int64_t unix_seconds);
void api_json_base64(struct api_json *w, const char *name, struct tacit_bytes data);
void api_json_hex(struct api_json *w, const char *name, struct tacit_bytes data);
/* An Ed25519 public key as PEM text. */
void api_json_public_key(struct api_json *w, const char *name, const uint8_t key[32]);

#define API_TIME_CHARS 20 /* "2026-01-31T23:59:59Z" */
void api_time_text(int64_t unix_seconds, char out[API_TIME_CHARS + 1]);

#endif
