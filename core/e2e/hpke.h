/* hpke.h - Hybrid Public Key Encryption, RFC 9180: all four modes, single-shot and contexts.
 *
 * KEMs: DHKEM of X25519, X448, P-256, P-384, P-521 with their hashes, and MLKEM768-X25519 (0x647a
 * of draft-ietf-hpke-pq), which has the modes base and PSK. KDFs: HKDF-SHA256, -SHA384, -SHA512,
 * and the draft's SHAKE128 and SHAKE256. AEADs: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305,
 * export-only. Deterministic but for the ephemeral key, which comes from env. */
#ifndef TACIT_E2E_HPKE_H
#define TACIT_E2E_HPKE_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/hash.h"

enum tacit_hpke_mode { /* RFC 9180 5, table 1 */
	TACIT_HPKE_BASE = 0,
	TACIT_HPKE_PSK = 1,
	TACIT_HPKE_AUTH = 2,
	TACIT_HPKE_AUTH_PSK = 3,
};

struct tacit_hpke_suite { /* RFC 9180 7: IANA code points */
	uint16_t kem;     /* 0x0010, 0x0011, 0x0012, 0x0020, 0x0021, 0x647a */
	uint16_t kdf;     /* 0x0001, 0x0002, 0x0003, 0x0010, 0x0011 */
	uint16_t aead;    /* 0x0001, 0x0002, 0x0003, 0xffff */
};

/* X25519, HKDF-SHA256, AES-256-GCM. */
#define TACIT_HPKE_DEFAULT ((struct tacit_hpke_suite){0x0020, 0x0001, 0x0002})

#define TACIT_HPKE_SK_MAX_BYTES 66
#define TACIT_HPKE_PK_MAX_BYTES 1216
#define TACIT_HPKE_ENC_MAX_BYTES 1120

bool tacit_hpke_suite_supported(struct tacit_hpke_suite s);
size_t tacit_hpke_sk_bytes(struct tacit_hpke_suite s);  /* Nsk */
size_t tacit_hpke_pk_bytes(struct tacit_hpke_suite s);  /* Npk */
size_t tacit_hpke_enc_bytes(struct tacit_hpke_suite s); /* Nenc */

/* RFC 9180 7.1.3. ikm at least Nsk or Nh bytes, whichever is less. Fails: USAGE, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_derive_key_pair(
        struct tacit_hpke_suite s, struct tacit_bytes ikm, uint8_t *sk, uint8_t *pk);

/* The same n times; the inputs, all of one length, and the keys lie one behind the other. With
 * X25519 many at once cost much less than one by one. Fails: the same. */
TACIT_MUST_USE enum tacit_err tacit_hpke_derive_key_pairs(
        struct tacit_hpke_suite s, struct tacit_bytes ikm, size_t n, uint8_t *sk, uint8_t *pk);

/* The public key of a private key. Fails: USAGE (unsupported suite), MALFORMED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_public(
        struct tacit_hpke_suite s, struct tacit_bytes sk, uint8_t *pk);
/* Can one encapsulate to it? Fails: USAGE (unsupported suite), MALFORMED, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_check_public(
        struct tacit_hpke_suite s, struct tacit_bytes pk);

/* What the modes need beyond the recipient's key; empty views where the mode has none. */
struct tacit_hpke_info {
	enum tacit_hpke_mode mode;
	struct tacit_bytes info;
	struct tacit_bytes psk, psk_id;     /* PSK modes */
	struct tacit_bytes sender_sk;       /* AUTH modes, sender's side: Nsk bytes */
	struct tacit_bytes sender_pk;       /* AUTH modes, receiver's side: Npk bytes */
	const struct tacit_hpke_base *base; /* BASE: what stands for info, if not NULL */
	enum { TACIT_HPKE_EXPORTS, TACIT_HPKE_NO_EXPORTS } exports; /* without: a little cheaper */
};

struct tacit_hpke; /* a context: RFC 9180 5.2; holds secrets, wiped on free */

/* *enc gets Nenc bytes appended. ephemeral_ikm is normally empty (drawn from env); tests give it,
 * and then env may be NULL. A PSK has 32 bytes or more (9.5). On error enc is unchanged, *out NULL.
 * Fails: MALFORMED (bad key), USAGE (keys or PSK that do not fit the mode, unsupported suite),
 * NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_setup_sender(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, struct tacit_bytes recipient_pk,
        const struct tacit_env *env, struct tacit_bytes ephemeral_ikm, struct tacit_buf *enc,
        struct tacit_hpke **out);
TACIT_MUST_USE enum tacit_err tacit_hpke_setup_receiver(struct tacit_hpke_suite s,
        const struct tacit_hpke_info *info, struct tacit_bytes enc, struct tacit_bytes recipient_sk,
        struct tacit_hpke **out);

/* Append to out, which the input may not point into; the sequence number advances, and out changes,
 * only on success. A sender seals, a receiver opens. Fails: BAD_SEAL (open), EXHAUSTED, TOO_LARGE,
 * USAGE (export-only, or the other side's verb), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_hpke_seal(struct tacit_hpke *h, struct tacit_bytes aad,
        struct tacit_bytes plain, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err tacit_hpke_open(struct tacit_hpke *h, struct tacit_bytes aad,
        struct tacit_bytes sealed, struct tacit_buf *out);
/* RFC 9180 5.3. Fails: USAGE (n too large). */
TACIT_MUST_USE enum tacit_err tacit_hpke_export(
        const struct tacit_hpke *h, struct tacit_bytes exporter_context, uint8_t *out, size_t n);
void tacit_hpke_free(struct tacit_hpke *h);

/* The hashes that the key schedule makes of an info and of no PSK (RFC 9180 5.1: the
 * key_schedule_context of base mode), for messages to many with the same info. Nothing secret. */
struct tacit_hpke_base {
	struct tacit_hpke_suite suite;
	uint8_t context[1 + 2 * TACIT_HASH_MAX_BYTES];
};
/* Fails: USAGE (unsupported suite; a one-stage KDF, which has no such step). */
TACIT_MUST_USE enum tacit_err tacit_hpke_base_init(
        struct tacit_hpke_suite s, struct tacit_bytes info, struct tacit_hpke_base *out);

/* Ephemeral key pairs that are made ahead for several messages of one suite, which with X25519
 * costs much less than one by one. Zero it, say how many messages are to come, and clear it at the
 * end. Secret; each pair is used once. */
struct tacit_hpke_ephemerals {
	size_t expected; /* messages that are still to come; one more than were expected is sealed,
	                    too */
	size_t count, next;
	uint8_t sk[64][32], pk[64][32];
};
void tacit_hpke_ephemerals_clear(struct tacit_hpke_ephemerals *e); /* wipes */

struct tacit_hpke_message {
	struct tacit_bytes info, aad;
	struct tacit_bytes text;            /* to seal, or sealed */
	const struct tacit_hpke_base *base; /* of the same suite: then info is not looked at */
	struct tacit_hpke_ephemerals *ephemerals; /* to seal; may be NULL */
};
struct tacit_hpke_sealed_room {
	uint8_t *enc;    /* Nenc */
	uint8_t *sealed; /* the text's length and 16 bytes more */
};

/* Base mode, one message (RFC 9180 6.1), into the caller's room, which may not overlap the text.
 * Fails: as setup_sender and seal. */
TACIT_MUST_USE enum tacit_err tacit_hpke_seal_to(struct tacit_hpke_suite s,
        struct tacit_bytes recipient_pk, const struct tacit_hpke_message *m,
        const struct tacit_env *env, struct tacit_hpke_sealed_room out);
/* Writes text.n - 16 bytes, and nothing when that would be negative. Fails: as setup_receiver and
 * open. */
TACIT_MUST_USE enum tacit_err tacit_hpke_open_from(struct tacit_hpke_suite s,
        struct tacit_bytes recipient_sk, struct tacit_bytes enc, const struct tacit_hpke_message *m,
        uint8_t *plain);

/* The same, appended to buffers, which are unchanged on error. */
TACIT_MUST_USE enum tacit_err tacit_hpke_seal_once(struct tacit_hpke_suite s,
        struct tacit_bytes recipient_pk, struct tacit_bytes info, struct tacit_bytes aad,
        struct tacit_bytes plain, const struct tacit_env *env, struct tacit_buf *enc,
        struct tacit_buf *sealed);
TACIT_MUST_USE enum tacit_err tacit_hpke_open_once(struct tacit_hpke_suite s,
        struct tacit_bytes enc, struct tacit_bytes recipient_sk, struct tacit_bytes info,
        struct tacit_bytes aad, struct tacit_bytes sealed, struct tacit_buf *plain);

#endif
