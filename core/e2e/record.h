/* record.h - local state at rest: values sealed, names hidden. The host stores what comes out. */
#ifndef TACIT_E2E_RECORD_H
#define TACIT_E2E_RECORD_H

#include "base/buf.h"
#include "base/env.h"
#include "e2e/account.h"

#define TACIT_RECORD_ID_BYTES 16

struct tacit_record_id {
	uint8_t b[TACIT_RECORD_ID_BYTES];
};

/* HMAC-SHA256 of the name under a key of its own, cut to 16 bytes. */
void tacit_record_id(const uint8_t store_key[TACIT_STORE_KEY_BYTES], struct tacit_bytes name,
        struct tacit_record_id *out);

#define TACIT_RECORD_OVERHEAD (1 + 12 + 16)

/* AES-256-GCM under a key of this record's own, with a random nonce before the ciphertext: version,
 * nonce, ciphertext. The id is bound in, so that two records cannot be exchanged; that an older
 * version of the same record comes back is for the host's store to exclude.
 * Appends; on error out is unchanged. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_record_seal(const uint8_t store_key[TACIT_STORE_KEY_BYTES],
        const struct tacit_record_id *id, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_buf *out);
/* Appends; on error out is unchanged.
 * Fails: BAD_SEAL, MALFORMED (too short), UNSUPPORTED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_record_open(const uint8_t store_key[TACIT_STORE_KEY_BYTES],
        const struct tacit_record_id *id, struct tacit_bytes sealed, struct tacit_buf *out);

#endif
