#include "crypto/hash.h"

#include <sodium.h>

#include "crypto/secret.h"
#include "crypto/sha2_int.h"

size_t tacit_hash_bytes(enum tacit_hash h)
{
	static const size_t bytes[] = {
	        [TACIT_SHA256] = 32,
	        [TACIT_SHA384] = 48,
	        [TACIT_SHA512] = 64,
	        [TACIT_SHA1] = 20,
	};
	return bytes[h];
}

enum tacit_err tacit_hash(enum tacit_hash h, struct tacit_bytes in, uint8_t *out)
{
	if (h != TACIT_SHA1)
		return tacit_hash_parts(h, &in, 1, out);
	return tacit_sha1(in, out);
}

enum tacit_err tacit_hash_parts(
        enum tacit_hash h, const struct tacit_bytes *parts, size_t count, uint8_t *out)
{
	struct tacit_sha2 sha;
	tacit_sha2_init(&sha, h);
	for (size_t i = 0; i < count; i++)
		tacit_sha2_update(&sha, parts[i]);
	tacit_sha2_final(&sha, out);
	tacit_wipe(&sha, sizeof(sha));
	return TACIT_OK;
}

void tacit_sha256(struct tacit_bytes in, uint8_t out[TACIT_SHA256_BYTES])
{
	crypto_hash_sha256(out, in.p, in.n);
}
