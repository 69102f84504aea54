/* device.h - a device and the certificate by which its owner's account key vouches for it.
 *
 * Both together are the credential of an MLS leaf (RFC 9420 5.3, e2e/group.h). */
#ifndef TACIT_WIRE_DEVICE_H
#define TACIT_WIRE_DEVICE_H

#include "base/buf.h"
#include "crypto/sign.h"
#include "wire/limits.h"

struct tacit_device_id {
	uint8_t b[TACIT_DEVICE_ID_BYTES];
};

struct tacit_device {
	struct tacit_device_id id;
	struct tacit_sign_public signature_key; /* of its MLS leaves */
	int64_t created_at;                     /* Unix seconds, by the owner's clock */
	struct tacit_signature certificate; /* account key over everything above, under a label */
};

/* Signs d->certificate over the other fields. */
void tacit_device_certify(struct tacit_device *d, const struct tacit_sign_sk *account_sk);
/* Fails: BAD_CERTIFICATE. */
TACIT_MUST_USE enum tacit_err tacit_device_check(
        const struct tacit_device *d, const struct tacit_sign_public *account);

#define TACIT_DEVICE_BYTES (1 + TACIT_DEVICE_ID_BYTES + TACIT_SIGN_PUBLIC_BYTES + 8 + 64)

/* Fixed-size binary form, TACIT_DEVICE_BYTES; out is zeroed on error. encode fails: USAGE (a time
 * that is negative or beyond TACIT_MAX_INTEGER), NOMEM. decode fails: TRUNCATED, TRAILING,
 * MALFORMED (such a time), UNSUPPORTED; it does not check the certificate. */
TACIT_MUST_USE enum tacit_err tacit_device_encode(
        const struct tacit_device *d, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_device_decode(struct tacit_bytes in, struct tacit_device *out);

#endif
