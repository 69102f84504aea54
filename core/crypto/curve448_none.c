#include "crypto/curve448_int.h"

enum tacit_err tacit_x448_public(const uint8_t *sk, uint8_t *pk)
{
	(void)sk, (void)pk;
	return TACIT_E_UNSUPPORTED;
}

enum tacit_err tacit_x448(const uint8_t *sk, const uint8_t *pk, uint8_t *shared)
{
	(void)sk, (void)pk, (void)shared;
	return TACIT_E_UNSUPPORTED;
}

enum tacit_err tacit_ed448_public(struct tacit_bytes sk, uint8_t *pk)
{
	(void)sk, (void)pk;
	return TACIT_E_UNSUPPORTED;
}

enum tacit_err tacit_ed448_sign(
        struct tacit_bytes sk, struct tacit_bytes message, struct tacit_scheme_signature *out)
{
	(void)sk, (void)message, (void)out;
	return TACIT_E_UNSUPPORTED;
}

enum tacit_err tacit_ed448_verify(
        struct tacit_bytes pk, struct tacit_bytes message, struct tacit_bytes signature)
{
	(void)pk, (void)message, (void)signature;
	return TACIT_E_UNSUPPORTED;
}
