#include "server/api/tus_headers.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/encoding.h"
#include "wire/limits.h"

enum tacit_err api_tus_number(struct tacit_bytes header, int64_t *out)
{
	int64_t value = 0;
	if (header.n == 0 || header.n > 16)
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < header.n; i++) {
		if (header.p[i] < '0' || header.p[i] > '9')
			return TACIT_E_MALFORMED;
		value = value * 10 + (header.p[i] - '0');
	}
	if (value > TACIT_MAX_INTEGER)
		return TACIT_E_MALFORMED;
	*out = value;
	return TACIT_OK;
}

#define BLOCKS "sha256-blocks-"
#define BLOCK_LEAST 1024

static enum tacit_err read_algorithm(struct tacit_bytes name, struct api_tus_checksum *out)
{
	int64_t block_bytes = 0;
	size_t prefix = sizeof(BLOCKS) - 1;
	out->algorithm = TACIT_SHA256;
	if (tacit_bytes_eq(name, TACIT_STR("sha256")))
		return TACIT_OK;
	if (tacit_bytes_eq(tacit_bytes_part(name, 0, prefix), TACIT_STR(BLOCKS))) {
		enum tacit_err err =
		        api_tus_number(tacit_bytes_part(name, prefix, name.n), &block_bytes);
		if (err == TACIT_OK &&
		        (block_bytes < BLOCK_LEAST || block_bytes > API_TUS_BLOCK_MOST))
			err = TACIT_E_UNSUPPORTED;
		out->block_bytes = err == TACIT_OK ? (uint32_t)block_bytes : 0;
		return err;
	}
	out->algorithm = TACIT_SHA1;
	return tacit_bytes_eq(name, TACIT_STR("sha1")) ? TACIT_OK : TACIT_E_UNSUPPORTED;
}

enum tacit_err api_tus_checksum_read(struct tacit_bytes header, struct api_tus_checksum *out)
{
	enum tacit_err err;
	struct tacit_buf digest = {0};
	*out = (struct api_tus_checksum){0};
	if (header.p == NULL)
		return TACIT_OK;
	const uint8_t *space = memchr(header.p, ' ', header.n);
	if (space == NULL)
		return TACIT_E_MALFORMED;
	size_t at = (size_t)(space - header.p);
	TRY(read_algorithm(tacit_bytes_part(header, 0, at), out));
	TRY(tacit_unbase64(TACIT_BASE64, tacit_bytes_part(header, at + 1, header.n), &digest));
	TRY(digest.n == tacit_hash_bytes(out->algorithm) ? TACIT_OK : TACIT_E_MALFORMED);
	memcpy(out->digest, digest.p, digest.n);
	out->wanted = true;
out:
	tacit_buf_clear(&digest);
	return err;
}

/* One "key base64" or "key"; its value is decoded into out when it is the wanted one. */
static enum tacit_err read_pair(
        struct tacit_bytes pair, struct tacit_bytes key, struct tacit_buf *out, bool *found)
{
	enum tacit_err err;
	struct tacit_buf value = {0};
	while (pair.n > 0 && pair.p[0] == ' ')
		pair = tacit_bytes_part(pair, 1, pair.n);
	const uint8_t *space = pair.n > 0 ? memchr(pair.p, ' ', pair.n) : NULL;
	size_t at = space != NULL ? (size_t)(space - pair.p) : pair.n;
	TRY(at > 0 ? TACIT_OK : TACIT_E_MALFORMED);
	if (space != NULL)
		TRY(tacit_unbase64(TACIT_BASE64, tacit_bytes_part(pair, at + 1, pair.n), &value));
	if (tacit_bytes_eq(tacit_bytes_part(pair, 0, at), key)) {
		TRY(*found ? TACIT_E_MALFORMED : TACIT_OK); /* keys must be unique */
		TRY(tacit_buf_append(out, tacit_buf_view(&value)));
		*found = true;
	}
	err = TACIT_OK;
out:
	tacit_buf_clear(&value);
	return err;
}

enum tacit_err api_tus_metadata(
        struct tacit_bytes header, struct tacit_bytes key, struct tacit_buf *out)
{
	enum tacit_err err;
	bool found = false;
	if (header.n == 0)
		return TACIT_E_NOT_FOUND;
	if (header.n > API_TUS_METADATA_BYTES)
		return TACIT_E_TOO_LARGE;
	for (struct tacit_bytes rest = header;;) {
		const uint8_t *comma = rest.n > 0 ? memchr(rest.p, ',', rest.n) : NULL;
		size_t n = comma != NULL ? (size_t)(comma - rest.p) : rest.n;
		TRY(read_pair(tacit_bytes_part(rest, 0, n), key, out, &found));
		if (comma == NULL)
			break;
		rest = tacit_bytes_part(rest, n + 1, rest.n);
	}
	err = found ? TACIT_OK : TACIT_E_NOT_FOUND;
out:
	return err;
}

void api_http_date(int64_t unix_seconds, char out[API_HTTP_DATE_CHARS + 1])
{
	time_t t = (time_t)unix_seconds;
	struct tm tm;
	out[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL) /* the server never leaves the C locale: days in English */
		(void)strftime(out, API_HTTP_DATE_CHARS + 1, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}
