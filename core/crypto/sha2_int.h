/* sha2_int.h - SHA-2 in pieces without a context on the heap: for kdf.c and hash.c.
 *
 * OpenSSL's functions below EVP: the processor's instructions, and no allocation, no look-up, no
 * failure, which is what thousands of short HMACs need. A build without OpenSSL (TACIT_NO_OPENSSL)
 * has BearSSL's: the state, which is copied by assignment, is the one thing that both cannot share.
 */
#ifndef TACIT_CRYPTO_SHA2_INT_H
#define TACIT_CRYPTO_SHA2_INT_H

#ifdef TACIT_NO_OPENSSL
#include <bearssl.h>
#else
#define OPENSSL_SUPPRESS_DEPRECATED /* only because EVP is preferred */
#include <openssl/sha.h>
#endif

#include "base/bytes.h"
#include "crypto/hash.h"

#define TACIT_SHA2_BLOCK_MAX_BYTES 128

struct tacit_sha2 { /* copied by assignment */
	enum tacit_hash hash;
#ifdef TACIT_NO_OPENSSL
	br_hash_compat_context state;
#else
	union {
		SHA256_CTX narrow;
		SHA512_CTX wide;
	} state;
#endif
};

static inline size_t tacit_sha2_block_bytes(enum tacit_hash h)
{
	return h == TACIT_SHA256 ? 64 : 128;
}
/* h is not TACIT_SHA1 (aborts: a bug of ours). */
void tacit_sha2_init(struct tacit_sha2 *c, enum tacit_hash h);
void tacit_sha2_update(struct tacit_sha2 *c, struct tacit_bytes in);
/* Writes tacit_hash_bytes(h); c is to be wiped by the caller where it held secrets. */
void tacit_sha2_final(struct tacit_sha2 *c, uint8_t *out);

/* For hash.c, from the same library. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_sha1(struct tacit_bytes in, uint8_t *out);

#endif
