/* ML-KEM-768 and SHA-3 by PQClean's portable, constant-time C. */
#include <assert.h>
#include <fips202.h>
#include <kem.h>
#include <randombytes.h>
#include <string.h>

#include "crypto/mlkem.h"
#include "crypto/pqclean/states.h"
#include "crypto/secret.h"
#include "crypto/sha3.h"

static_assert(PQCLEAN_MLKEM768_CLEAN_CRYPTO_SECRETKEYBYTES == TACIT_MLKEM_SK_BYTES, "sk");
static_assert(PQCLEAN_MLKEM768_CLEAN_CRYPTO_PUBLICKEYBYTES == TACIT_MLKEM_PUBLIC_BYTES, "pk");
static_assert(PQCLEAN_MLKEM768_CLEAN_CRYPTO_CIPHERTEXTBYTES == TACIT_MLKEM_CIPHERTEXT_BYTES, "ct");

static _Thread_local struct {
	uint64_t words[26];
	bool taken;
} keccak;

void *tacit_keccak_state(size_t n)
{
	TACIT_ASSERT(!keccak.taken && n <= sizeof(keccak.words));
	keccak.taken = true;
	return keccak.words;
}

void tacit_keccak_release(void *state)
{
	TACIT_ASSERT(keccak.taken && state == keccak.words);
	tacit_wipe(keccak.words, sizeof(keccak.words));
	keccak.taken = false;
}

/* Named by the functions of PQClean that draw randomness themselves, which nothing calls. */
int randombytes(uint8_t *output, size_t n)
{
	(void)output;
	TACIT_ASSERT(n == 0);
	return -1;
}

const char *tacit_mlkem_library(void)
{
	return "PQClean";
}

enum tacit_err tacit_mlkem_keypair(
        const uint8_t seed[TACIT_MLKEM_SEED_BYTES], uint8_t *sk, uint8_t *pk)
{
	uint8_t unwanted[TACIT_MLKEM_PUBLIC_BYTES];
	int failed = PQCLEAN_MLKEM768_CLEAN_crypto_kem_keypair_derand(
	        pk != NULL ? pk : unwanted, sk, seed);
	TACIT_ASSERT(failed == 0);
	return TACIT_OK;
}

enum tacit_err tacit_mlkem_encap(struct tacit_bytes pk,
        const uint8_t coins[TACIT_MLKEM_COINS_BYTES], uint8_t *ciphertext, uint8_t *shared)
{
	enum tacit_err err = tacit_mlkem_check_public(pk);
	if (err != TACIT_OK) {
		tacit_wipe(shared, TACIT_MLKEM_SHARED_BYTES);
		return err;
	}
	int failed = PQCLEAN_MLKEM768_CLEAN_crypto_kem_enc_derand(ciphertext, shared, pk.p, coins);
	TACIT_ASSERT(failed == 0);
	return TACIT_OK;
}

enum tacit_err tacit_mlkem_decap(
        const uint8_t sk[TACIT_MLKEM_SK_BYTES], struct tacit_bytes ciphertext, uint8_t *shared)
{
	if (ciphertext.n != TACIT_MLKEM_CIPHERTEXT_BYTES) {
		tacit_wipe(shared, TACIT_MLKEM_SHARED_BYTES);
		return TACIT_E_MALFORMED;
	}
	int failed = PQCLEAN_MLKEM768_CLEAN_crypto_kem_dec(shared, ciphertext.p, sk);
	TACIT_ASSERT(failed == 0);
	return TACIT_OK;
}

enum tacit_err tacit_sha3_256(struct tacit_bytes in, uint8_t out[TACIT_SHA3_256_BYTES])
{
	sha3_256(out, in.p, in.n);
	return TACIT_OK;
}

enum tacit_err tacit_shake(
        enum tacit_shake h, const struct tacit_bytes *parts, size_t count, struct tacit_room out)
{
	if (h == TACIT_SHAKE128) {
		shake128incctx state;
		shake128_inc_init(&state);
		for (size_t i = 0; i < count; i++)
			shake128_inc_absorb(&state, parts[i].p, parts[i].n);
		shake128_inc_finalize(&state);
		shake128_inc_squeeze(out.p, out.n, &state);
		shake128_inc_ctx_release(&state);
	} else {
		shake256incctx state;
		shake256_inc_init(&state);
		for (size_t i = 0; i < count; i++)
			shake256_inc_absorb(&state, parts[i].p, parts[i].n);
		shake256_inc_finalize(&state);
		shake256_inc_squeeze(out.p, out.n, &state);
		shake256_inc_ctx_release(&state);
	}
	return TACIT_OK;
}
