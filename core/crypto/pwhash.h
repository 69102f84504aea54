/* pwhash.h - Argon2id (RFC 9106, version 1.3), parallelism 1. Slow on purpose: never on a loop. */
#ifndef TACIT_CRYPTO_PWHASH_H
#define TACIT_CRYPTO_PWHASH_H

#include "base/bytes.h"
#include "base/err.h"

#define TACIT_PWHASH_SALT_BYTES 16

struct tacit_pwhash_cost {
	uint32_t kib;    /* memory, at least 8 */
	uint32_t passes; /* at least 1 */
};

/* Fails: NOMEM, USAGE (cost out of range). */
TACIT_MUST_USE enum tacit_err tacit_pwhash(struct tacit_bytes password,
        const uint8_t salt[TACIT_PWHASH_SALT_BYTES], struct tacit_pwhash_cost cost, uint8_t *out,
        size_t n);

/* "$argon2id$v=19$..." with its own random salt, for storing; NUL-terminated. */
#define TACIT_PWHASH_STR_BYTES 128
TACIT_MUST_USE enum tacit_err tacit_pwhash_str(struct tacit_bytes password,
        struct tacit_pwhash_cost cost, char out[TACIT_PWHASH_STR_BYTES]);
/* Fails: BAD_PASSWORD, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_pwhash_str_verify(
        const char str[TACIT_PWHASH_STR_BYTES], struct tacit_bytes password);

#endif
