/* welcome.h - what lets the members added by a commit in: RFC 9420 12.4.3.1. Views. */
#ifndef TACIT_E2E_MLS_WELCOME_H
#define TACIT_E2E_MLS_WELCOME_H

#include "e2e/mls/key_schedule.h"
#include "e2e/mls/psk.h"

struct tacit_mls_encrypted_secrets {
	struct tacit_bytes new_member; /* KeyPackageRef */
	struct tacit_bytes kem_output, ciphertext;
};

struct tacit_mls_welcome {
	uint16_t suite;
	struct tacit_bytes secrets; /* content of the vector, checked when read */
	struct tacit_bytes encrypted_group_info;
};

/* Fails (in r): TRUNCATED, MALFORMED, TRAILING. */
void tacit_mls_read_welcome(struct tacit_reader *r, struct tacit_mls_welcome *out);
void tacit_mls_write_welcome(struct tacit_writer *w, const struct tacit_mls_welcome *x);
void tacit_mls_write_encrypted_secrets(
        struct tacit_writer *w, const struct tacit_mls_encrypted_secrets *x);
/* Steps through the secrets of a welcome that was read: it = tacit_reader(welcome.secrets). */
bool tacit_mls_welcome_next(struct tacit_reader *it, struct tacit_mls_encrypted_secrets *out);
/* Fails: WRONG_RECIPIENT (nothing for that key package). */
TACIT_MUST_USE enum tacit_err tacit_mls_welcome_find(const struct tacit_mls_welcome *x,
        struct tacit_bytes key_package_ref, struct tacit_mls_encrypted_secrets *out);

struct tacit_mls_group_secrets {
	struct tacit_bytes joiner_secret;
	bool has_path_secret;
	struct tacit_bytes path_secret;
	struct tacit_bytes psks; /* content of the vector, checked when read */
	size_t psk_count;
};

/* Fails (in r): TRUNCATED, MALFORMED, LIMIT (PSKs), TRAILING. */
void tacit_mls_read_group_secrets(struct tacit_reader *r, struct tacit_mls_group_secrets *out);
void tacit_mls_write_group_secrets(struct tacit_writer *w, const struct tacit_mls_group_secrets *x);

/* DecryptWithLabel with the key package's init key; the plaintext is appended to out and holds
 * secrets. Fails: BAD_SEAL, MALFORMED, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_welcome_open_secrets(const struct tacit_mls_suite *s,
        const struct tacit_mls_welcome *x, const struct tacit_mls_encrypted_secrets *entry,
        const uint8_t *init_sk, struct tacit_buf *out);
/* The GroupInfo, appended to out. Fails: BAD_SEAL, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_welcome_open_info(const struct tacit_mls_suite *s,
        const struct tacit_mls_welcome *x, const uint8_t *joiner_secret, const uint8_t *psk_secret,
        struct tacit_buf *out);

#endif
