#include "crypto/kdf.h"

#include <string.h>

#include "crypto/secret.h"
#include "crypto/sha2_int.h"

/* The two hashes of HMAC, after a block made from the key each (RFC 2104 2). */
struct keyed {
	struct tacit_sha2 inner, outer;
};

static void update(struct tacit_sha2 *sha, const struct tacit_bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tacit_sha2_update(sha, parts[i]);
}

static void key_init(struct keyed *k, enum tacit_hash h, struct tacit_bytes key)
{
	uint8_t pad[TACIT_SHA2_BLOCK_MAX_BYTES], digest[TACIT_HASH_MAX_BYTES];
	size_t n = tacit_sha2_block_bytes(h);
	tacit_sha2_init(&k->inner, h);
	k->outer = k->inner;
	if (key.n > n) {
		struct tacit_sha2 sha = k->inner;
		tacit_sha2_update(&sha, key);
		tacit_sha2_final(&sha, digest);
		tacit_wipe(&sha, sizeof(sha));
		key = tacit_bytes(digest, tacit_hash_bytes(h));
	}
	memset(pad, 0x36, n);
	for (size_t i = 0; i < key.n; i++)
		pad[i] ^= key.p[i];
	tacit_sha2_update(&k->inner, tacit_bytes(pad, n));
	for (size_t i = 0; i < n; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	tacit_sha2_update(&k->outer, tacit_bytes(pad, n));
	tacit_wipe(pad, sizeof(pad));
	tacit_wipe(digest, sizeof(digest));
}

/* inner has taken the message; k serves for the next one. */
static void finish(const struct keyed *k, struct tacit_sha2 *inner, uint8_t *out)
{
	struct tacit_sha2 outer = k->outer;
	tacit_sha2_final(inner, out);
	tacit_sha2_update(&outer, tacit_bytes(out, tacit_hash_bytes(outer.hash)));
	tacit_sha2_final(&outer, out);
	tacit_wipe(&outer, sizeof(outer));
}

void tacit_hmac_parts(enum tacit_hash h, struct tacit_bytes key, const struct tacit_bytes *parts,
        size_t count, uint8_t *out)
{
	struct keyed k;
	key_init(&k, h, key);
	update(&k.inner, parts, count);
	finish(&k, &k.inner, out);
	tacit_wipe(&k, sizeof(k));
}

void tacit_hmac(enum tacit_hash h, struct tacit_bytes key, struct tacit_bytes in, uint8_t *out)
{
	tacit_hmac_parts(h, key, &in, 1, out);
}

void tacit_hkdf_extract(
        enum tacit_hash h, struct tacit_bytes salt, struct tacit_bytes ikm, uint8_t *prk)
{
	tacit_hmac_parts(h, salt, &ikm, 1, prk);
}

enum tacit_err tacit_hkdf_expand_parts(enum tacit_hash h, struct tacit_bytes prk,
        const struct tacit_bytes *info, size_t count, struct tacit_room out)
{
	size_t block_bytes = tacit_hash_bytes(h);
	if (out.n > 255 * block_bytes)
		return TACIT_E_USAGE;
	struct keyed k;
	struct tacit_sha2 inner;
	uint8_t block[TACIT_HASH_MAX_BYTES];
	key_init(&k, h, prk);
	uint8_t counter = 0;
	for (size_t done = 0; done < out.n; done += block_bytes) {
		inner = k.inner;
		tacit_sha2_update(&inner, tacit_bytes(block, counter > 0 ? block_bytes : 0));
		update(&inner, info, count);
		counter++;
		tacit_sha2_update(&inner, tacit_bytes(&counter, 1));
		finish(&k, &inner, block);
		size_t left = out.n - done;
		memcpy(out.p + done, block, left < block_bytes ? left : block_bytes);
	}
	tacit_wipe(&k, sizeof(k));
	tacit_wipe(&inner, sizeof(inner));
	tacit_wipe(block, sizeof(block));
	return TACIT_OK;
}

enum tacit_err tacit_hkdf_expand(
        enum tacit_hash h, struct tacit_bytes prk, struct tacit_bytes info, uint8_t *out, size_t n)
{
	return tacit_hkdf_expand_parts(h, prk, &info, 1, (struct tacit_room){out, n});
}

enum tacit_err tacit_derive(struct tacit_bytes secret, const char *label, uint8_t *out, size_t n)
{
	uint8_t prk[TACIT_SHA256_BYTES];
	tacit_hkdf_extract(TACIT_SHA256, tacit_cstr(NULL), secret, prk);
	enum tacit_err err = tacit_hkdf_expand(
	        TACIT_SHA256, tacit_bytes(prk, sizeof(prk)), tacit_cstr(label), out, n);
	tacit_wipe(prk, sizeof(prk));
	return err;
}
