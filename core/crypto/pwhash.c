#include "crypto/pwhash.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

static_assert(TACIT_PWHASH_SALT_BYTES == crypto_pwhash_SALTBYTES, "Argon2id salt");
static_assert(TACIT_PWHASH_STR_BYTES == crypto_pwhash_STRBYTES, "Argon2id string");

static bool cost_allowed(struct tacit_pwhash_cost cost)
{
	return cost.passes >= crypto_pwhash_OPSLIMIT_MIN &&
	       (size_t)cost.kib >= crypto_pwhash_MEMLIMIT_MIN / 1024;
}

static size_t memory_bytes(struct tacit_pwhash_cost cost)
{
	return (size_t)cost.kib * 1024;
}

/* With the ranges checked before, memory is all that libsodium can still lack. */
enum tacit_err tacit_pwhash(struct tacit_bytes password,
        const uint8_t salt[TACIT_PWHASH_SALT_BYTES], struct tacit_pwhash_cost cost, uint8_t *out,
        size_t n)
{
	if (!cost_allowed(cost) || n < crypto_pwhash_BYTES_MIN || n > UINT32_MAX ||
	        password.n > crypto_pwhash_PASSWD_MAX)
		return TACIT_E_USAGE;
	int failed = crypto_pwhash(out, n, (const char *)password.p, password.n, salt, cost.passes,
	        memory_bytes(cost), crypto_pwhash_ALG_ARGON2ID13);
	return failed ? TACIT_E_NOMEM : TACIT_OK;
}

enum tacit_err tacit_pwhash_str(struct tacit_bytes password, struct tacit_pwhash_cost cost,
        char out[TACIT_PWHASH_STR_BYTES])
{
	out[0] = '\0';
	if (!cost_allowed(cost) || password.n > crypto_pwhash_PASSWD_MAX)
		return TACIT_E_USAGE;
	int failed = crypto_pwhash_str(
	        out, (const char *)password.p, password.n, cost.passes, memory_bytes(cost));
	return failed ? TACIT_E_NOMEM : TACIT_OK;
}

enum tacit_err tacit_pwhash_str_verify(
        const char str[TACIT_PWHASH_STR_BYTES], struct tacit_bytes password)
{
	if (memchr(str, '\0', TACIT_PWHASH_STR_BYTES) == NULL)
		return TACIT_E_BAD_PASSWORD;
	errno = 0; /* libsodium tells a lack of memory from a mismatch in no other way */
	if (crypto_pwhash_str_verify(str, (const char *)password.p, password.n) == 0)
		return TACIT_OK;
	return errno == ENOMEM ? TACIT_E_NOMEM : TACIT_E_BAD_PASSWORD;
}
