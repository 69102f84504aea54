/* MLKEM768-X25519 (draft-irtf-cfrg-concrete-hybrid-kems; the same bytes as X-Wing): secret as long
 * as either part is. Beyond the draft, an X25519 point of small order is refused (RFC 7748 6.1): an
 * honest peer never has one. */
#include <assert.h>
#include <string.h>

#include "crypto/dh.h"
#include "crypto/mlkem.h"
#include "crypto/secret.h"
#include "e2e/hpke_int.h"

enum { SEED_BYTES = 32, X25519_BYTES = 32, EXPANDED_BYTES = TACIT_MLKEM_SEED_BYTES + X25519_BYTES };
enum { PUBLIC_BYTES = TACIT_MLKEM_PUBLIC_BYTES + X25519_BYTES, AT_ONCE = 32 };

/* The seeds of both parts: 64 bytes of ML-KEM, then the X25519 private key. */
static enum tacit_err expand(const uint8_t *sk, uint8_t expanded[EXPANDED_BYTES])
{
	struct tacit_bytes seed = tacit_bytes(sk, SEED_BYTES);
	return tacit_shake(TACIT_SHAKE256, &seed, 1, (struct tacit_room){expanded, EXPANDED_BYTES});
}

enum tacit_err tacit_hpke_hybrid_derive_sk(
        const struct tacit_hpke_kem *kem, struct tacit_bytes ikm, uint8_t *sk)
{
	const uint8_t suite_id[] = {'K', 'E', 'M', (uint8_t)(kem->id >> 8), (uint8_t)kem->id};
	const struct tacit_bytes parts[TACIT_HPKE_IKM_PARTS] = {ikm};
	const struct tacit_bytes none[TACIT_HPKE_CONTEXT_PARTS] = {{0}};
	struct tacit_hpke_shake kdf = {TACIT_SHAKE256, tacit_bytes(suite_id, sizeof(suite_id))};
	return tacit_hpke_labeled_derive(
	        kdf, parts, "DeriveKeyPair", none, (struct tacit_room){sk, SEED_BYTES});
}

/* Both parts' keys. */
static enum tacit_err key_pair(const uint8_t *sk, uint8_t expanded[EXPANDED_BYTES],
        uint8_t mlkem_sk[TACIT_MLKEM_SK_BYTES], uint8_t *pk)
{
	enum tacit_err err;
	TRY(expand(sk, expanded));
	TRY(tacit_mlkem_keypair(expanded, mlkem_sk, pk));
	TRY(tacit_dh_public(
	        TACIT_X25519, expanded + TACIT_MLKEM_SEED_BYTES, pk + TACIT_MLKEM_PUBLIC_BYTES));
out:
	return err;
}

/* Of up to AT_ONCE keys: the ML-KEM parts one by one, the X25519 parts together. */
static enum tacit_err public_some(const uint8_t *sk, size_t n, uint8_t *pk)
{
	enum tacit_err err = TACIT_OK;
	uint8_t expanded[EXPANDED_BYTES], mlkem_sk[TACIT_MLKEM_SK_BYTES];
	uint8_t x_sk[AT_ONCE][X25519_BYTES] = {0}, x_pk[AT_ONCE][X25519_BYTES];
	for (size_t i = 0; i < n; i++) {
		TRY(expand(sk + i * SEED_BYTES, expanded));
		TRY(tacit_mlkem_keypair(expanded, mlkem_sk, pk + i * PUBLIC_BYTES));
		memcpy(x_sk[i], expanded + TACIT_MLKEM_SEED_BYTES, X25519_BYTES);
	}
	TRY(tacit_dh_public_many(TACIT_X25519, x_sk[0], n, x_pk[0]));
	for (size_t i = 0; i < n; i++)
		memcpy(pk + i * PUBLIC_BYTES + TACIT_MLKEM_PUBLIC_BYTES, x_pk[i], X25519_BYTES);
out:
	tacit_wipe(expanded, sizeof(expanded));
	tacit_wipe(mlkem_sk, sizeof(mlkem_sk));
	tacit_wipe(x_sk, n * X25519_BYTES);
	return err;
}

enum tacit_err tacit_hpke_hybrid_public(const uint8_t *sk, size_t n, uint8_t *pk)
{
	enum tacit_err err = TACIT_OK;
	for (size_t done = 0; done < n && err == TACIT_OK; done += AT_ONCE) {
		size_t count = n - done < AT_ONCE ? n - done : AT_ONCE;
		err = public_some(sk + done * SEED_BYTES, count, pk + done * PUBLIC_BYTES);
	}
	return err;
}

static struct tacit_bytes x25519_part(struct tacit_bytes whole, size_t mlkem_bytes)
{
	return tacit_bytes_part(whole, mlkem_bytes, X25519_BYTES);
}

enum tacit_err tacit_hpke_hybrid_check_public(struct tacit_bytes pk)
{
	if (pk.n != TACIT_MLKEM_PUBLIC_BYTES + X25519_BYTES)
		return TACIT_E_MALFORMED;
	enum tacit_err err = tacit_mlkem_check_public(tacit_bytes(pk.p, TACIT_MLKEM_PUBLIC_BYTES));
	return err == TACIT_OK ? tacit_dh_check_public(
	                                 TACIT_X25519, x25519_part(pk, TACIT_MLKEM_PUBLIC_BYTES))
	                       : err;
}

/* C2PRICombiner: both secrets, the X25519 transcript, the label of the draft. */
struct combined {
	uint8_t mlkem[TACIT_MLKEM_SHARED_BYTES], x25519[X25519_BYTES];
	uint8_t ct[X25519_BYTES], pk[X25519_BYTES];
	uint8_t label[6];
};
static_assert(sizeof(struct combined) == 134, "hashed as it lies");

static enum tacit_err combine(
        struct combined *c, struct tacit_bytes ct, struct tacit_bytes pk, uint8_t *shared)
{
	static const uint8_t label[sizeof(c->label)] = {'\\', '.', '/', '/', '^', '\\'};
	memcpy(c->ct, ct.p, sizeof(c->ct));
	memcpy(c->pk, pk.p, sizeof(c->pk));
	memcpy(c->label, label, sizeof(label));
	return tacit_sha3_256(tacit_bytes(c, sizeof(*c)), shared);
}

enum tacit_err tacit_hpke_hybrid_encap(
        struct tacit_bytes pk, const uint8_t *coins, uint8_t *enc, uint8_t *shared)
{
	if (pk.n != TACIT_MLKEM_PUBLIC_BYTES + X25519_BYTES)
		return TACIT_E_MALFORMED;
	enum tacit_err err;
	struct combined c;
	const uint8_t *ephemeral = coins + TACIT_MLKEM_COINS_BYTES;
	struct tacit_bytes pk_x = x25519_part(pk, TACIT_MLKEM_PUBLIC_BYTES);
	uint8_t *enc_x = enc + TACIT_MLKEM_CIPHERTEXT_BYTES;
	TRY(tacit_mlkem_encap(tacit_bytes(pk.p, TACIT_MLKEM_PUBLIC_BYTES), coins, enc, c.mlkem));
	TRY(tacit_dh_public(TACIT_X25519, ephemeral, enc_x));
	TRY(tacit_dh(TACIT_X25519, ephemeral, pk_x, c.x25519));
	TRY(combine(&c, tacit_bytes(enc_x, X25519_BYTES), pk_x, shared));
out:
	tacit_wipe(&c, sizeof(c));
	return err;
}

enum tacit_err tacit_hpke_hybrid_decap(struct tacit_bytes enc, const uint8_t *sk, uint8_t *shared)
{
	if (enc.n != TACIT_MLKEM_CIPHERTEXT_BYTES + X25519_BYTES)
		return TACIT_E_MALFORMED;
	enum tacit_err err;
	struct combined c;
	uint8_t expanded[EXPANDED_BYTES], mlkem_sk[TACIT_MLKEM_SK_BYTES];
	uint8_t pk[TACIT_MLKEM_PUBLIC_BYTES + X25519_BYTES];
	struct tacit_bytes enc_m = tacit_bytes(enc.p, TACIT_MLKEM_CIPHERTEXT_BYTES);
	struct tacit_bytes enc_x = x25519_part(enc, TACIT_MLKEM_CIPHERTEXT_BYTES);
	TRY(key_pair(sk, expanded, mlkem_sk, pk));
	TRY(tacit_mlkem_decap(mlkem_sk, enc_m, c.mlkem));
	TRY(tacit_dh(TACIT_X25519, expanded + TACIT_MLKEM_SEED_BYTES, enc_x, c.x25519));
	TRY(combine(&c, enc_x, tacit_bytes(pk + TACIT_MLKEM_PUBLIC_BYTES, X25519_BYTES), shared));
out:
	tacit_wipe(expanded, sizeof(expanded));
	tacit_wipe(mlkem_sk, sizeof(mlkem_sk));
	tacit_wipe(&c, sizeof(c));
	return err;
}
