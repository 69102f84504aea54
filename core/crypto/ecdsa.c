#include <assert.h>
#include <bearssl.h>
#include <string.h>

#include "crypto/dh.h"
#include "crypto/ecdsa_int.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define FIELD_MAX_BYTES TACIT_DH_SK_MAX_BYTES

static_assert(TACIT_SCHEME_SIGNATURE_MAX_BYTES == 3 + 2 * (2 + FIELD_MAX_BYTES), "of P-521");

static const struct curve {
	enum tacit_dh dh;
	int number; /* BearSSL's */
	enum tacit_hash hash;
	const br_hash_class *mac; /* of RFC 6979 */
	uint8_t top_bits;         /* of the order's first byte */
} curves[] = {
        [TACIT_ECDSA_P256_SHA256] = {TACIT_P256, BR_EC_secp256r1, TACIT_SHA256, &br_sha256_vtable,
                0xff},
        [TACIT_ECDSA_P384_SHA384] = {TACIT_P384, BR_EC_secp384r1, TACIT_SHA384, &br_sha384_vtable,
                0xff},
        [TACIT_ECDSA_P521_SHA512] = {TACIT_P521, BR_EC_secp521r1, TACIT_SHA512, &br_sha512_vtable,
                0x01},
};

static const br_ec_impl *const nist = &br_ec_all_m31; /* as in dh.c */

void tacit_ecdsa_draw(enum tacit_scheme s, const struct tacit_env *env, uint8_t *sk)
{
	do {
		tacit_env_random(env, sk, tacit_dh_sk_bytes(curves[s].dh));
		sk[0] &= curves[s].top_bits;
	} while (!tacit_dh_sk_valid(curves[s].dh, sk));
}

enum tacit_err tacit_ecdsa_public(enum tacit_scheme s, struct tacit_bytes sk, uint8_t *pk)
{
	if (sk.n != tacit_dh_sk_bytes(curves[s].dh))
		return TACIT_E_MALFORMED;
	return tacit_dh_public(curves[s].dh, sk.p, pk);
}

enum tacit_err tacit_ecdsa_sign(enum tacit_scheme s, struct tacit_bytes sk,
        struct tacit_bytes message, struct tacit_scheme_signature *out)
{
	const struct curve *c = &curves[s];
	size_t n = tacit_dh_sk_bytes(c->dh);
	if (sk.n != n || !tacit_dh_sk_valid(c->dh, sk.p))
		return TACIT_E_MALFORMED;
	uint8_t digest[TACIT_HASH_MAX_BYTES], raw[2 * FIELD_MAX_BYTES], x[FIELD_MAX_BYTES];
	enum tacit_err err;
	TRY(tacit_hash(c->hash, message, digest));
	memcpy(x, sk.p, n); /* BearSSL's key is not const */
	br_ec_private_key key = {c->number, x, n};
	size_t raw_n = br_ecdsa_i31_sign_raw(nist, c->mac, digest, &key, raw);
	TRY(raw_n == 2 * n ? TACIT_OK : TACIT_E_CRYPTO);
	tacit_ecdsa_to_der(raw, n, out);
out:
	tacit_wipe(x, sizeof(x));
	return err;
}

enum tacit_err tacit_ecdsa_verify(enum tacit_scheme s, struct tacit_bytes pk,
        struct tacit_bytes message, struct tacit_bytes signature)
{
	const struct curve *c = &curves[s];
	size_t n = tacit_dh_sk_bytes(c->dh);
	uint8_t raw[2 * FIELD_MAX_BYTES], q[TACIT_DH_PUBLIC_MAX_BYTES];
	uint8_t digest[TACIT_HASH_MAX_BYTES];
	if (pk.n != tacit_dh_public_bytes(c->dh) || !tacit_ecdsa_from_der(signature, n, raw))
		return TACIT_E_BAD_SIGNATURE;
	enum tacit_err err = tacit_hash(c->hash, message, digest);
	if (err != TACIT_OK)
		return err;
	memcpy(q, pk.p, pk.n);
	br_ec_public_key key = {c->number, q, pk.n};
	uint32_t good =
	        br_ecdsa_i31_vrfy_raw(nist, digest, tacit_hash_bytes(c->hash), &key, raw, 2 * n);
	return good == 1 ? TACIT_OK : TACIT_E_BAD_SIGNATURE;
}

enum { SEQUENCE = 0x30, INTEGER = 0x02, LONG_FORM = 0x81, SHORT_MAX = 0x7f };

/* An INTEGER that is positive and in its one encoding (X.690 8.3.2), right-aligned to n bytes. */
static bool read_integer(struct tacit_bytes *in, size_t n, uint8_t *out)
{
	if (in->n < 3 || in->p[0] != INTEGER || in->p[1] == 0 || in->p[1] > SHORT_MAX ||
	        in->p[1] > in->n - 2)
		return false;
	struct tacit_bytes x = tacit_bytes(in->p + 2, in->p[1]);
	*in = tacit_bytes(x.p + x.n, in->n - 2 - x.n);
	if (x.p[0] > 0x7f) /* negative */
		return false;
	if (x.p[0] == 0) { /* zero, or there for the sign alone */
		if (x.n == 1 || x.p[1] <= 0x7f)
			return false;
		x = tacit_bytes(x.p + 1, x.n - 1);
	}
	if (x.n > n)
		return false;
	memset(out, 0, n - x.n);
	memcpy(out + n - x.n, x.p, x.n);
	return true;
}

bool tacit_ecdsa_from_der(struct tacit_bytes der, size_t n, uint8_t *r_and_s)
{
	if (der.n < 2 || der.p[0] != SEQUENCE)
		return false;
	struct tacit_bytes in = tacit_bytes(der.p + 2, der.n - 2);
	size_t length = der.p[1];
	if (length == LONG_FORM && in.n > 0) { /* two bytes of length are never needed */
		length = in.p[0];
		in = tacit_bytes(in.p + 1, in.n - 1);
		if (length <= SHORT_MAX)
			return false;
	} else if (length > SHORT_MAX) {
		return false;
	}
	return length == in.n && read_integer(&in, n, r_and_s) &&
	       read_integer(&in, n, r_and_s + n) && in.n == 0;
}

static size_t write_integer(const uint8_t *x, size_t n, uint8_t *out)
{
	while (n > 1 && x[0] == 0) {
		x++;
		n--;
	}
	size_t sign = x[0] > 0x7f;
	out[0] = INTEGER;
	out[1] = (uint8_t)(n + sign);
	out[2] = 0;
	memcpy(out + 2 + sign, x, n);
	return 2 + sign + n;
}

void tacit_ecdsa_to_der(const uint8_t *r_and_s, size_t n, struct tacit_scheme_signature *out)
{
	uint8_t body[2 * (3 + FIELD_MAX_BYTES)], *p = out->b;
	TACIT_ASSERT(n <= FIELD_MAX_BYTES);
	size_t body_n = write_integer(r_and_s, n, body);
	body_n += write_integer(r_and_s + n, n, body + body_n);
	*p++ = SEQUENCE;
	if (body_n > SHORT_MAX)
		*p++ = LONG_FORM;
	*p++ = (uint8_t)body_n;
	TACIT_ASSERT((size_t)(p - out->b) + body_n <= sizeof(out->b));
	memcpy(p, body, body_n);
	out->n = (size_t)(p - out->b) + body_n;
}
