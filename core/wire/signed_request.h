/* signed_request.h - the signed body of contract 1, way 1, built and taken apart.
 *
 *   {"data": D, "signature": "<128 hex>", "timestamp": T}
 *
 * signed over SHA-256 of {"data":D,"timestamp":T}, D and T being the exact bytes of the body.
 * More members may stand beside these three; they are not signed.
 *
 * A replay is recognised by the 64 decoded bytes of `signature`, never by its hex text, which may
 * be written in either case. */
#ifndef TACIT_WIRE_SIGNED_REQUEST_H
#define TACIT_WIRE_SIGNED_REQUEST_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "wire/json.h"

struct tacit_signed_request {
	json_t *data; /* an object, owned */
	json_t *body; /* the whole body, owned; NULL: there is nothing beside the three members */
	int64_t timestamp; /* Unix seconds */
	struct tacit_signature signature;
	uint8_t digest[TACIT_SHA256_BYTES]; /* what the signature is over */
};

/* Is this a signed request at all? True when the top level has a member "signature". */
bool tacit_signed_request_claims(const json_t *body);

/* Parses; does not verify: whose key counts is the caller's knowledge.
 * out is empty on error. Fails: MALFORMED, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_signed_request_parse(
        struct tacit_bytes text, struct tacit_signed_request *out);
/* The same for a body that tacit_json_parse has made of this very text already: on the server's hot
 * path nothing is parsed twice. Takes a reference of its own on body. Same errors. */
TACIT_MUST_USE enum tacit_err tacit_signed_request_read(
        struct tacit_bytes text, json_t *body, struct tacit_signed_request *out);
void tacit_signed_request_clear(struct tacit_signed_request *r);

/* Fails: BAD_SIGNATURE. */
TACIT_MUST_USE enum tacit_err tacit_signed_request_verify(
        const struct tacit_signed_request *r, const struct tacit_sign_public *pk);

/* Appends the body that carries data (an object), signed at timestamp; on error out is unchanged.
 * Fails: USAGE (not an object, a negative time), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_signed_request_build(const json_t *data, int64_t timestamp,
        const struct tacit_sign_sk *sk, struct tacit_buf *out);

#endif
