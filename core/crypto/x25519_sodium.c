#include <sodium.h>

#include "crypto/x25519_int.h"

enum tacit_err tacit_x25519_public_many(const uint8_t *sk, size_t n, uint8_t *pk)
{
	for (size_t i = 0; i < n; i++)
		if (crypto_scalarmult_base(pk + 32 * i, sk + 32 * i) != 0)
			return TACIT_E_CRYPTO;
	return TACIT_OK;
}
