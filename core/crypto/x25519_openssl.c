#include <openssl/bn.h>
#include <sodium.h>
#include <string.h>

#include "crypto/secret.h"
#include "crypto/x25519_int.h"

/* u = (1 + y) / (1 - y) modulo 2^255 - 19 (RFC 7748 4.1). Not constant-time, and need not be: y
 * says no more than u, which is public. */
static bool to_montgomery(const uint8_t y_bytes[32], BN_CTX *ctx, uint8_t *u)
{
	BN_CTX_start(ctx);
	BIGNUM *p = BN_CTX_get(ctx), *y = BN_CTX_get(ctx), *below = BN_CTX_get(ctx);
	bool ok = below != NULL && BN_set_bit(p, 255) == 1 && BN_sub_word(p, 19) == 1 &&
	          BN_lebin2bn(y_bytes, 32, y) != NULL && BN_copy(below, p) != NULL &&
	          BN_add_word(below, 1) == 1 && BN_sub(below, below, y) == 1 &&
	          BN_add_word(y, 1) == 1 && BN_mod_inverse(below, below, p, ctx) != NULL &&
	          BN_mod_mul(y, y, below, p, ctx) == 1 && BN_bn2lebinpad(y, u, 32) == 32;
	BN_CTX_end(ctx);
	return ok;
}

/* libsodium multiplies the base point of the Edwards form, of which it has a table, in less than
 * half the time that its ladder takes; the two curves are one (RFC 7748 4.1). */
enum tacit_err tacit_x25519_public(const uint8_t *sk, uint8_t *pk)
{
	uint8_t scalar[32], point[32];
	memcpy(scalar, sk, sizeof(scalar));
	scalar[0] &= 248; /* RFC 7748 5 */
	scalar[31] &= 127;
	scalar[31] |= 64;
	BN_CTX *ctx = BN_CTX_new();
	bool ok = ctx != NULL && crypto_scalarmult_ed25519_base_noclamp(point, scalar) == 0;
	if (ok) {
		point[31] &= 127; /* the sign of x */
		ok = to_montgomery(point, ctx, pk);
	}
	BN_CTX_free(ctx);
	tacit_wipe(scalar, sizeof(scalar));
	tacit_wipe(point, sizeof(point));
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}
