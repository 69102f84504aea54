/* What both libraries share: the checks of FIPS 203 7.2 and 7.3. */
#include "crypto/mlkem.h"

#include <string.h>

#include "crypto/secret.h"
#include "crypto/sha3.h"

enum { Q = 3329, T_HAT_BYTES = TACIT_MLKEM_PUBLIC_BYTES - 32, HASH_AT = TACIT_MLKEM_SK_BYTES - 64 };

/* Two coefficients of 12 bits in three bytes, each below q. */
enum tacit_err tacit_mlkem_check_public(struct tacit_bytes pk)
{
	if (pk.n != TACIT_MLKEM_PUBLIC_BYTES)
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < T_HAT_BYTES; i += 3) {
		unsigned low = pk.p[i] | (pk.p[i + 1] & 0x0fu) << 8;
		unsigned high = pk.p[i + 1] >> 4 | (unsigned)pk.p[i + 2] << 4;
		if (low >= Q || high >= Q)
			return TACIT_E_MALFORMED;
	}
	return TACIT_OK;
}

enum tacit_err tacit_mlkem_check_sk(struct tacit_bytes sk)
{
	uint8_t hash[TACIT_SHA3_256_BYTES];
	if (sk.n != TACIT_MLKEM_SK_BYTES)
		return TACIT_E_MALFORMED;
	struct tacit_bytes pk =
	        tacit_bytes(sk.p + HASH_AT - TACIT_MLKEM_PUBLIC_BYTES, TACIT_MLKEM_PUBLIC_BYTES);
	enum tacit_err err = tacit_sha3_256(pk, hash);
	if (err != TACIT_OK)
		return err;
	bool good = tacit_ct_eq(
	        tacit_bytes(hash, sizeof(hash)), tacit_bytes(sk.p + HASH_AT, sizeof(hash)));
	return good ? TACIT_OK : TACIT_E_MALFORMED;
}
