#include "crypto/kdf.h"

#include <bearssl.h>
#include <string.h>

#include "crypto/secret.h"

static const br_hash_class *class_of(enum tacit_hash h)
{
	static const br_hash_class *const classes[] = {
	        [TACIT_SHA256] = &br_sha256_vtable,
	        [TACIT_SHA384] = &br_sha384_vtable,
	        [TACIT_SHA512] = &br_sha512_vtable,
	};
	TACIT_ASSERT(h < TACIT_COUNT(classes)); /* not SHA-1 */
	return classes[h];
}

static void update(br_hmac_context *mac, const struct tacit_bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		br_hmac_update(mac, parts[i].p, parts[i].n);
}

void tacit_hmac_parts(enum tacit_hash h, struct tacit_bytes key, const struct tacit_bytes *parts,
        size_t count, uint8_t *out)
{
	br_hmac_key_context keyed;
	br_hmac_context mac;
	br_hmac_key_init(&keyed, class_of(h), key.p, key.n);
	br_hmac_init(&mac, &keyed, 0);
	update(&mac, parts, count);
	br_hmac_out(&mac, out);
	tacit_wipe(&keyed, sizeof(keyed));
	tacit_wipe(&mac, sizeof(mac));
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
	br_hmac_key_context keyed;
	br_hmac_context mac;
	uint8_t block[TACIT_HASH_MAX_BYTES];
	br_hmac_key_init(&keyed, class_of(h), prk.p, prk.n);
	uint8_t counter = 0;
	for (size_t done = 0; done < out.n; done += block_bytes) {
		br_hmac_init(&mac, &keyed, 0);
		br_hmac_update(&mac, block, counter > 0 ? block_bytes : 0);
		update(&mac, info, count);
		counter++;
		br_hmac_update(&mac, &counter, 1);
		br_hmac_out(&mac, block);
		size_t left = out.n - done;
		memcpy(out.p + done, block, left < block_bytes ? left : block_bytes);
	}
	tacit_wipe(&keyed, sizeof(keyed));
	tacit_wipe(&mac, sizeof(mac));
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
