/* key_schedule.h - from the secrets of a commit to the secrets of an epoch: RFC 9420 8.
 *
 * Every secret has hash_bytes of the suite and lives in an array of the maximum. Nothing allocates
 * but the encoders. On error what was to hold a secret is wiped. */
#ifndef TACIT_E2E_MLS_KEY_SCHEDULE_H
#define TACIT_E2E_MLS_KEY_SCHEDULE_H

#include "base/writer.h"
#include "crypto/kdf.h"
#include "e2e/mls/extension.h"
#include "e2e/mls/suite.h"

/* GroupContext (8.1), all views borrowed. */
struct tacit_mls_group_context {
	uint16_t suite;
	struct tacit_bytes group_id;
	uint64_t epoch;
	struct tacit_bytes tree_hash;
	struct tacit_bytes confirmed_transcript_hash;
	struct tacit_mls_extensions extensions;
};

void tacit_mls_group_context_read(struct tacit_reader *r, struct tacit_mls_group_context *out);
void tacit_mls_group_context_write(struct tacit_writer *w, const struct tacit_mls_group_context *c);

/* Table 4 of the standard; wipe with tacit_mls_epoch_secrets_wipe. */
struct tacit_mls_epoch_secrets {
	uint8_t sender_data[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t encryption[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t exporter[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t external[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t confirmation[TACIT_MLS_HASH_MAX_BYTES]; /* confirmation_key */
	uint8_t membership[TACIT_MLS_HASH_MAX_BYTES];   /* membership_key */
	uint8_t resumption[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t authenticator[TACIT_MLS_HASH_MAX_BYTES]; /* public to members, not beyond */
	uint8_t init[TACIT_MLS_HASH_MAX_BYTES];          /* for the next epoch */
};

/* init (of the epoch before, or of an external init) and commit (all zeroes without a path) to
 * joiner; context is the encoded GroupContext of the new epoch. */
TACIT_MUST_USE enum tacit_err tacit_mls_joiner_secret(const struct tacit_mls_suite *s,
        const uint8_t *init, const uint8_t *commit, struct tacit_bytes context, uint8_t *joiner);
/* psk may be all zeroes (no PSK). */
TACIT_MUST_USE enum tacit_err tacit_mls_welcome_secret(const struct tacit_mls_suite *s,
        const uint8_t *joiner, const uint8_t *psk, uint8_t *welcome);
/* Key and nonce of the encrypted GroupInfo (12.4.3.1). */
struct tacit_mls_welcome_key {
	uint8_t key[TACIT_MLS_KEY_MAX_BYTES];
	uint8_t nonce[TACIT_MLS_NONCE_BYTES];
};
TACIT_MUST_USE enum tacit_err tacit_mls_welcome_key(const struct tacit_mls_suite *s,
        const uint8_t *joiner, const uint8_t *psk, struct tacit_mls_welcome_key *out);
/* All secrets of the epoch that joiner begins. */
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_begin(const struct tacit_mls_suite *s,
        const uint8_t *joiner, const uint8_t *psk, struct tacit_bytes context,
        struct tacit_mls_epoch_secrets *out);
/* The same from an epoch_secret itself: epoch 0 (11). */
TACIT_MUST_USE enum tacit_err tacit_mls_epoch_create(const struct tacit_mls_suite *s,
        const uint8_t *epoch_secret, struct tacit_mls_epoch_secrets *out);
void tacit_mls_epoch_secrets_wipe(struct tacit_mls_epoch_secrets *e);

/* The key pair that external commits encrypt to (8.3); sk has kem_sk_bytes, pk kem_public_bytes. */
TACIT_MUST_USE enum tacit_err tacit_mls_external_keypair(const struct tacit_mls_suite *s,
        const struct tacit_mls_epoch_secrets *e, uint8_t *sk, uint8_t *pk);

/* MLS-Exporter (8.5). Fails: USAGE (out too long). */
TACIT_MUST_USE enum tacit_err tacit_mls_exporter(const struct tacit_mls_suite *s,
        const uint8_t *exporter_secret, struct tacit_bytes label, struct tacit_bytes context,
        struct tacit_room out);

#endif
