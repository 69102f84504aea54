/* psk.h - pre-shared keys and how they enter the key schedule: RFC 9420 8.4. */
#ifndef TACIT_E2E_MLS_PSK_H
#define TACIT_E2E_MLS_PSK_H

#include "e2e/mls/codec.h"
#include "e2e/mls/suite.h"

#define TACIT_MLS_PSK_MAX 64 /* in one commit: a limit of ours */

enum tacit_mls_psk_type { TACIT_MLS_PSK_EXTERNAL = 1, TACIT_MLS_PSK_RESUMPTION = 2 };
enum tacit_mls_psk_usage {
	TACIT_MLS_PSK_APPLICATION = 1,
	TACIT_MLS_PSK_REINIT = 2,
	TACIT_MLS_PSK_BRANCH = 3,
};

/* PreSharedKeyID; views borrowed. */
struct tacit_mls_psk_id {
	uint8_t type;
	struct tacit_bytes id; /* external: psk_id; resumption: psk_group_id */
	uint8_t usage;         /* resumption only */
	uint64_t epoch;        /* resumption only */
	struct tacit_bytes nonce;
};

void tacit_mls_psk_id_read(struct tacit_reader *r, struct tacit_mls_psk_id *out);
void tacit_mls_psk_id_write(struct tacit_writer *w, const struct tacit_mls_psk_id *id);
/* The same PreSharedKeyID (RFC 9420 8.4), of which the nonce is a part: one PSK may come twice. */
bool tacit_mls_psk_id_same(const struct tacit_mls_psk_id *a, const struct tacit_mls_psk_id *b);

/* psk_secret, folded one PSK at a time in the order of the commit. Wipe when done. */
struct tacit_mls_psk_fold {
	const struct tacit_mls_suite *suite;
	uint16_t index, count;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES]; /* psk_secret after the last step */
};
/* Fails: LIMIT (count beyond TACIT_MLS_PSK_MAX). */
TACIT_MUST_USE enum tacit_err tacit_mls_psk_fold_begin(
        struct tacit_mls_psk_fold *f, const struct tacit_mls_suite *s, size_t count);
TACIT_MUST_USE enum tacit_err tacit_mls_psk_fold_step(
        struct tacit_mls_psk_fold *f, const struct tacit_mls_psk_id *id, struct tacit_bytes psk);
void tacit_mls_psk_fold_wipe(struct tacit_mls_psk_fold *f);

#endif
