#include <sodium.h>

#include "crypto/x25519_int.h"

enum tacit_err tacit_x25519_public(const uint8_t *sk, uint8_t *pk)
{
	return crypto_scalarmult_base(pk, sk) == 0 ? TACIT_OK : TACIT_E_CRYPTO;
}
