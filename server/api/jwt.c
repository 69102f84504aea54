#include "server/api/jwt.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "wire/json.h"

/* {"alg":"HS256","typ":"JWT"} */
static const char header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
#define HEADER_BYTES (sizeof(header) - 1)
#define TAG_CHARS 43

enum tacit_err api_jwt_write(
        struct tacit_bytes key, const struct api_jwt *claims, int64_t now, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf payload = {0};
	uint8_t tag[TACIT_SHA256_BYTES];
	size_t start = out->n;
	TRY(tacit_buf_printf(&payload,
	        "{\"sub\":\"%" PRId64 "\",\"sid\":%" PRId64 ",\"iat\":%" PRId64 ",\"exp\":%" PRId64
	        "}",
	        claims->user_id, claims->session_id, now, claims->expires_at));
	TRY(tacit_buf_append(out, tacit_bytes(header, HEADER_BYTES)));
	TRY(tacit_base64(TACIT_BASE64URL, tacit_buf_view(&payload), out));
	tacit_hmac(TACIT_SHA256, key, tacit_bytes(out->p + start, out->n - start), tag);
	TRY(tacit_buf_append(out, TACIT_STR(".")));
	TRY(tacit_base64(TACIT_BASE64URL, tacit_bytes(tag, sizeof(tag)), out));
out:
	tacit_buf_clear(&payload);
	return err;
}

static enum tacit_err check_tag(
        struct tacit_bytes key, struct tacit_bytes signed_part, struct tacit_bytes tag_text)
{
	enum tacit_err err;
	struct tacit_buf tag = {0};
	uint8_t want[TACIT_SHA256_BYTES];
	TRY(tacit_unbase64(TACIT_BASE64URL, tag_text, &tag));
	tacit_hmac(TACIT_SHA256, key, signed_part, want);
	if (!tacit_ct_eq(tacit_buf_view(&tag), tacit_bytes(want, sizeof(want))))
		err = TACIT_E_BAD_SIGNATURE;
out:
	tacit_wipe(want, sizeof(want));
	tacit_buf_clear(&tag);
	return err;
}

static enum tacit_err read_subject(const json_t *payload, int64_t *user_id)
{
	enum tacit_err err;
	struct tacit_bytes sub;
	TRY(tacit_json_text(payload, "sub", TACIT_REQUIRED, 16, &sub));
	*user_id = 0;
	for (size_t i = 0; i < sub.n; i++) {
		if (sub.p[i] < '0' || sub.p[i] > '9')
			return TACIT_E_MALFORMED;
		*user_id = *user_id * 10 + (sub.p[i] - '0');
	}
out:
	return err;
}

enum tacit_err api_jwt_read(
        struct tacit_bytes key, struct tacit_bytes token, int64_t now, struct api_jwt *out)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	json_t *payload = NULL;
	*out = (struct api_jwt){0};
	if (token.n <= HEADER_BYTES + TAG_CHARS || token.n > API_JWT_MAX_BYTES ||
	        !tacit_bytes_eq(tacit_bytes_part(token, 0, HEADER_BYTES),
	                tacit_bytes(header, HEADER_BYTES)) ||
	        token.p[token.n - TAG_CHARS - 1] != '.')
		return TACIT_E_MALFORMED;
	size_t signed_bytes = token.n - TAG_CHARS - 1;
	TRY(check_tag(key, tacit_bytes_part(token, 0, signed_bytes),
	        tacit_bytes_part(token, signed_bytes + 1, TAG_CHARS)));
	TRY(tacit_unbase64(TACIT_BASE64URL,
	        tacit_bytes_part(token, HEADER_BYTES, signed_bytes - HEADER_BYTES), &text));
	TRY(tacit_json_parse(tacit_buf_view(&text), &payload));
	TRY(read_subject(payload, &out->user_id));
	TRY(tacit_json_integer(payload, "sid", TACIT_REQUIRED, 1, INT64_MAX, &out->session_id));
	TRY(tacit_json_integer(payload, "exp", TACIT_REQUIRED, 0, INT64_MAX, &out->expires_at));
	if (out->expires_at <= now)
		err = TACIT_E_GONE;
out:
	json_decref(payload);
	tacit_buf_clear(&text);
	return err;
}
