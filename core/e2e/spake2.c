#include "e2e/spake2.h"

#include <string.h>

#include "base/attr.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

/* RFC 9382 6, P-256, written out: compressed they begin with 02 886e2f97 and 03 d8bbd6c6. */
static const uint8_t point_m[TACIT_P256_POINT_BYTES] = {0x04, 0x88, 0x6e, 0x2f, 0x97, 0xac, 0xe4,
        0x6e, 0x55, 0xba, 0x9d, 0xd7, 0x24, 0x25, 0x79, 0xf2, 0x99, 0x3b, 0x64, 0xe1, 0x6e, 0xf3,
        0xdc, 0xab, 0x95, 0xaf, 0xd4, 0x97, 0x33, 0x3d, 0x8f, 0xa1, 0x2f, 0x5f, 0xf3, 0x55, 0x16,
        0x3e, 0x43, 0xce, 0x22, 0x4e, 0x0b, 0x0e, 0x65, 0xff, 0x02, 0xac, 0x8e, 0x5c, 0x7b, 0xe0,
        0x94, 0x19, 0xc7, 0x85, 0xe0, 0xca, 0x54, 0x7d, 0x55, 0xa1, 0x2e, 0x2d, 0x20};
static const uint8_t point_n[TACIT_P256_POINT_BYTES] = {0x04, 0xd8, 0xbb, 0xd6, 0xc6, 0x39, 0xc6,
        0x29, 0x37, 0xb0, 0x4d, 0x99, 0x7f, 0x38, 0xc3, 0x77, 0x07, 0x19, 0xc6, 0x29, 0xd7, 0x01,
        0x4d, 0x49, 0xa2, 0x4b, 0x4f, 0x98, 0xba, 0xa1, 0x29, 0x2b, 0x49, 0x07, 0xd6, 0x0a, 0xa6,
        0xbf, 0xad, 0xe4, 0x50, 0x08, 0xa6, 0x36, 0x33, 0x7f, 0x51, 0x68, 0xc6, 0x4d, 0x9b, 0xd3,
        0x60, 0x34, 0x80, 0x8c, 0xd5, 0x64, 0x49, 0x0b, 0x1e, 0x65, 0x6e, 0xdb, 0xe7};

void tacit_spake2_wipe(struct tacit_spake2 *s)
{
	tacit_wipe(s, sizeof(*s));
}

void tacit_spake2_scalar(
        struct tacit_bytes code, struct tacit_bytes salt, uint8_t w[TACIT_P256_SCALAR_BYTES])
{
	uint8_t prk[TACIT_SHA256_BYTES];
	uint8_t info[] = "tacit spake2 w\0";
	tacit_hkdf_extract(TACIT_SHA256, salt, code, prk);
	/* 2^-32 of the draws are out of range: which try it was says nothing about the code. */
	do {
		enum tacit_err err = tacit_hkdf_expand(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)),
		        tacit_bytes(info, sizeof(info)), w, TACIT_P256_SCALAR_BYTES);
		TACIT_ASSERT(err == TACIT_OK);
		info[sizeof(info) - 1]++;
	} while (!tacit_p256_scalar_valid(w));
	tacit_wipe(prk, sizeof(prk));
}

enum tacit_err tacit_spake2_start(struct tacit_spake2 *s, enum tacit_spake2_role role,
        const uint8_t w[TACIT_P256_SCALAR_BYTES], const struct tacit_env *env,
        uint8_t message[TACIT_SPAKE2_MESSAGE_BYTES])
{
	enum tacit_err err;
	*s = (struct tacit_spake2){.role = role};
	TRY(tacit_p256_scalar_valid(w) ? TACIT_OK : TACIT_E_USAGE);
	memcpy(s->w, w, sizeof(s->w));
	do
		tacit_env_random(env, s->x, sizeof(s->x));
	while (!tacit_p256_scalar_valid(s->x));
	/* pA = w*M + x*P, pB = w*N + y*P (RFC 9382 3.3). */
	memcpy(s->own, role == TACIT_SPAKE2_A ? point_m : point_n, sizeof(s->own));
	TRY(tacit_p256_mul_add(s->own, s->w, NULL, s->x) == TACIT_OK ? TACIT_OK : TACIT_E_CRYPTO);
	memcpy(message, s->own, sizeof(s->own));
	s->state = TACIT_SPAKE2_STARTED;
out:
	if (err != TACIT_OK)
		tacit_spake2_wipe(s);
	return err;
}

/* K = x * (pB - w*N) (RFC 9382 3.3); the cofactor is 1. */
static enum tacit_err shared_element(const struct tacit_spake2 *s, struct tacit_bytes peer,
        uint8_t k[TACIT_SPAKE2_MESSAGE_BYTES])
{
	enum tacit_err err;
	static const uint8_t one[TACIT_P256_SCALAR_BYTES] = {[TACIT_P256_SCALAR_BYTES - 1] = 1};
	uint8_t minus_w[TACIT_P256_SCALAR_BYTES];
	tacit_p256_scalar_negate(s->w, minus_w);
	TRY(peer.n == TACIT_SPAKE2_MESSAGE_BYTES ? TACIT_OK : TACIT_E_MALFORMED);
	memcpy(k, peer.p, peer.n);
	TRY(tacit_p256_mul_add(k, one, s->role == TACIT_SPAKE2_A ? point_n : point_m, minus_w));
	TRY(tacit_p256_mul(k, s->x));
out:
	tacit_wipe(minus_w, sizeof(minus_w));
	return err;
}

#define TRANSCRIPT_PARTS 6

struct transcript {
	uint8_t lengths[TRANSCRIPT_PARTS][8];
	struct tacit_bytes parts[2 * TRANSCRIPT_PARTS];
};

/* TT (RFC 9382 3.3): each part after its length, eight bytes, little-endian. */
static void transcript_fill(struct transcript *t, const struct tacit_bytes parts[TRANSCRIPT_PARTS])
{
	for (size_t i = 0; i < TRANSCRIPT_PARTS; i++) {
		for (size_t byte = 0; byte < 8; byte++)
			t->lengths[i][byte] = (uint8_t)((uint64_t)parts[i].n >> (8 * byte));
		t->parts[2 * i] = tacit_bytes(t->lengths[i], 8);
		t->parts[2 * i + 1] = parts[i];
	}
}

static enum tacit_err transcript_hash(const struct transcript *t, uint8_t out[TACIT_SHA256_BYTES])
{
	uint8_t all[TRANSCRIPT_PARTS * 8 + 2 * TACIT_SPAKE2_MAX_ID +
	            3 * TACIT_SPAKE2_MESSAGE_BYTES + TACIT_P256_SCALAR_BYTES];
	size_t n = 0;
	for (size_t i = 0; i < TACIT_COUNT(t->parts); i++) {
		if (t->parts[i].n > 0)
			memcpy(all + n, t->parts[i].p, t->parts[i].n);
		n += t->parts[i].n;
	}
	enum tacit_err err = tacit_hash(TACIT_SHA256, tacit_bytes(all, n), out);
	tacit_wipe(all, sizeof(all));
	return err;
}

/* RFC 9382 4: Ke || Ka = Hash(TT), KcA || KcB = KDF(Ka, nil, "ConfirmationKeys" || AAD),
 * and each side's confirmation is MAC(Kc, TT). */
static enum tacit_err derive(struct tacit_spake2 *s, const struct transcript *t,
        struct tacit_bytes aad, uint8_t confirm[TACIT_SPAKE2_CONFIRM_BYTES])
{
	enum tacit_err err;
	uint8_t hash[TACIT_SHA256_BYTES], prk[TACIT_SHA256_BYTES], kc[TACIT_SHA256_BYTES];
	const struct tacit_bytes info[] = {TACIT_STR("ConfirmationKeys"), aad};
	struct tacit_bytes kc_a = tacit_bytes(kc, sizeof(kc) / 2);
	struct tacit_bytes kc_b = tacit_bytes(kc + sizeof(kc) / 2, sizeof(kc) / 2);
	TRY(transcript_hash(t, hash));
	memcpy(s->key, hash, sizeof(s->key));
	tacit_hkdf_extract(TACIT_SHA256, (struct tacit_bytes){0},
	        tacit_bytes(hash + sizeof(s->key), sizeof(hash) - sizeof(s->key)), prk);
	TRY(tacit_hkdf_expand_parts(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)), info,
	        TACIT_COUNT(info), (struct tacit_room){kc, sizeof(kc)}));
	bool a = s->role == TACIT_SPAKE2_A;
	tacit_hmac_parts(TACIT_SHA256, a ? kc_a : kc_b, t->parts, TACIT_COUNT(t->parts), confirm);
	tacit_hmac_parts(
	        TACIT_SHA256, a ? kc_b : kc_a, t->parts, TACIT_COUNT(t->parts), s->expected);
out:
	tacit_wipe(hash, sizeof(hash));
	tacit_wipe(prk, sizeof(prk));
	tacit_wipe(kc, sizeof(kc));
	return err;
}

enum tacit_err tacit_spake2_finish(struct tacit_spake2 *s, const struct tacit_spake2_ids *ids,
        struct tacit_bytes peer_message, uint8_t confirm[TACIT_SPAKE2_CONFIRM_BYTES])
{
	enum tacit_err err;
	uint8_t k[TACIT_SPAKE2_MESSAGE_BYTES] = {0};
	struct transcript t;
	memset(confirm, 0, TACIT_SPAKE2_CONFIRM_BYTES);
	TRY(s->state == TACIT_SPAKE2_STARTED ? TACIT_OK : TACIT_E_USAGE);
	TRY(ids->a.n <= TACIT_SPAKE2_MAX_ID && ids->b.n <= TACIT_SPAKE2_MAX_ID ? TACIT_OK
	                                                                       : TACIT_E_TOO_LARGE);
	TRY(shared_element(s, peer_message, k));
	struct tacit_bytes own = tacit_bytes(s->own, sizeof(s->own));
	bool a = s->role == TACIT_SPAKE2_A;
	const struct tacit_bytes parts[TRANSCRIPT_PARTS] = {ids->a, ids->b, a ? own : peer_message,
	        a ? peer_message : own, tacit_bytes(k, sizeof(k)), tacit_bytes(s->w, sizeof(s->w))};
	transcript_fill(&t, parts);
	TRY(derive(s, &t, ids->aad, confirm));
	s->state = TACIT_SPAKE2_FINISHED;
out:
	tacit_wipe(k, sizeof(k));
	if (err != TACIT_OK)
		tacit_spake2_wipe(s);
	return err;
}

enum tacit_err tacit_spake2_confirm(struct tacit_spake2 *s, struct tacit_bytes peer_confirm,
        uint8_t key[TACIT_SPAKE2_KEY_BYTES])
{
	enum tacit_err err;
	memset(key, 0, TACIT_SPAKE2_KEY_BYTES);
	TRY(s->state == TACIT_SPAKE2_FINISHED ? TACIT_OK : TACIT_E_USAGE);
	TRY(tacit_ct_eq(peer_confirm, tacit_bytes(s->expected, sizeof(s->expected)))
	                ? TACIT_OK
	                : TACIT_E_BAD_SEAL);
	memcpy(key, s->key, sizeof(s->key));
out:
	tacit_spake2_wipe(s);
	return err;
}
