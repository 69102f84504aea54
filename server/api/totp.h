/* totp.h - the second factor (RFC 6238: SHA-1, six digits, 30 s), by liboath; its QR code. */
#ifndef TACIT_SERVER_API_TOTP_H
#define TACIT_SERVER_API_TOTP_H

#include "base/buf.h"
#include "base/err.h"
#include "server/api/server_keys.h"

#define API_TOTP_STEP_SECONDS 30
#define API_TOTP_DIGITS 6

/* Once, at start. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err api_totp_init(void);

/* Is the code right now, one step before or one after? *step: the one that it belongs to.
 * Fails: BAD_PASSWORD, CRYPTO. */
TACIT_MUST_USE enum tacit_err api_totp_check(const uint8_t seed[API_TOTP_SEED_BYTES],
        struct tacit_bytes code, int64_t now, int64_t *step);

/* Base32 (RFC 4648 6) of the seed, appended. 20 bytes need no padding. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_totp_secret_text(
        const uint8_t seed[API_TOTP_SEED_BYTES], struct tacit_buf *out);
/* "otpauth://totp/..." as authenticator apps read it, appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_totp_uri(
        const char *username, const uint8_t seed[API_TOTP_SEED_BYTES], struct tacit_buf *out);
/* A QR code of the text as "data:image/svg+xml;base64,...", appended. Fails: NOMEM, TOO_LARGE. */
TACIT_MUST_USE enum tacit_err api_qr_data_uri(const char *text, struct tacit_buf *out);

#define API_RECOVERY_CODES 10
#define API_RECOVERY_CHARS 19 /* 80 random bits: four groups of four in base32, dashes between */
/* New codes and the hashes that are kept of them. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_recovery_codes_new(const struct tacit_env *env,
        char codes[API_RECOVERY_CODES][API_RECOVERY_CHARS + 1],
        uint8_t hashes[API_RECOVERY_CODES][STORE_HASH_BYTES]);
/* The hash of a code as somebody typed it: case and dashes do not count. Fails: MALFORMED. */
TACIT_MUST_USE enum tacit_err api_recovery_code_hash(
        struct tacit_bytes typed, uint8_t hash[STORE_HASH_BYTES]);

#endif
