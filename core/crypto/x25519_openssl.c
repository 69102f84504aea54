#include <openssl/bn.h>
#include <sodium.h>
#include <string.h>

#include "crypto/secret.h"
#include "crypto/x25519_int.h"

/* libsodium multiplies the base point of the Edwards form, of which it has a table, in less than
 * half the time that its ladder takes; the two curves are one, and u = (1 + y) / (1 - y) modulo
 * 2^255 - 19 (RFC 7748 4.1). The division costs as much again, so it is done once for many: with
 * the inverse of a product, and the products before it, each factor's inverse is two
 * multiplications away (Montgomery's trick). Not constant-time in y, and need not be: y says no
 * more than u, which is public. */

enum { CHUNK = 64, BYTES = 32 };

struct field {
	BN_CTX *ctx;
	BIGNUM *p, *y, *product, *inverse, *t;
};

static bool field_init(struct field *f)
{
	f->ctx = BN_CTX_new();
	if (f->ctx == NULL)
		return false;
	BN_CTX_start(f->ctx);
	f->p = BN_CTX_get(f->ctx);
	f->y = BN_CTX_get(f->ctx);
	f->product = BN_CTX_get(f->ctx);
	f->inverse = BN_CTX_get(f->ctx);
	f->t = BN_CTX_get(f->ctx);
	return f->t != NULL && BN_set_bit(f->p, 255) == 1 && BN_sub_word(f->p, 19) == 1;
}

static void field_clear(struct field *f)
{
	if (f->ctx == NULL)
		return;
	BN_CTX_end(f->ctx);
	BN_CTX_free(f->ctx);
}

static bool multiply(struct field *f, BIGNUM *a, const BIGNUM *b)
{
	return BN_mod_mul(a, a, b, f->p, f->ctx) == 1;
}

/* t = 1 - y */
static bool below(struct field *f, const uint8_t *y)
{
	return BN_lebin2bn(y, BYTES, f->y) != NULL && BN_copy(f->t, f->p) != NULL &&
	       BN_add_word(f->t, 1) == 1 && BN_sub(f->t, f->t, f->y) == 1;
}

/* Each y becomes u. */
static bool to_montgomery(struct field *f, uint8_t (*y)[BYTES], size_t n)
{
	uint8_t before[CHUNK][BYTES]; /* the product of those before it */
	bool ok = BN_one(f->product) == 1;
	for (size_t i = 0; i < n && ok; i++)
		ok = BN_bn2lebinpad(f->product, before[i], BYTES) == BYTES && below(f, y[i]) &&
		     multiply(f, f->product, f->t);
	ok = ok && BN_mod_inverse(f->inverse, f->product, f->p, f->ctx) != NULL;
	for (size_t i = n; i > 0 && ok; i--) {
		ok = BN_lebin2bn(before[i - 1], BYTES, f->product) != NULL &&
		     multiply(f, f->product, f->inverse) && below(f, y[i - 1]) &&
		     multiply(f, f->inverse, f->t) && BN_add_word(f->y, 1) == 1 &&
		     multiply(f, f->y, f->product) &&
		     BN_bn2lebinpad(f->y, y[i - 1], BYTES) == BYTES;
	}
	return ok;
}

/* The y of the point, in place of u. */
static bool on_edwards(const uint8_t *sk, uint8_t *y)
{
	uint8_t scalar[BYTES];
	memcpy(scalar, sk, sizeof(scalar));
	scalar[0] &= 248; /* RFC 7748 5 */
	scalar[31] &= 127;
	scalar[31] |= 64;
	bool ok = crypto_scalarmult_ed25519_base_noclamp(y, scalar) == 0;
	y[31] &= 127; /* the sign of x */
	tacit_wipe(scalar, sizeof(scalar));
	return ok;
}

enum tacit_err tacit_x25519_public_many(const uint8_t *sk, size_t n, uint8_t *pk)
{
	uint8_t point[CHUNK][BYTES];
	struct field f;
	bool ok = field_init(&f);
	for (size_t done = 0; done < n && ok;) {
		size_t count = n - done < CHUNK ? n - done : CHUNK;
		for (size_t i = 0; i < count && ok; i++)
			ok = on_edwards(sk + (done + i) * BYTES, point[i]);
		ok = ok && to_montgomery(&f, point, count);
		if (ok)
			memcpy(pk + done * BYTES, point, count * BYTES);
		done += count;
	}
	field_clear(&f);
	return ok ? TACIT_OK : TACIT_E_CRYPTO;
}
