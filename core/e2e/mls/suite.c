#include "e2e/mls/suite.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

#define PREFIX TACIT_STR("MLS 1.0 ")

static_assert(TACIT_MLS_SIGNATURE_SK_MAX_BYTES >= TACIT_SCHEME_SK_MAX_BYTES, "private keys fit");

enum { /* HPKE: RFC 9180 7 */
	DHKEM_P256 = 0x0010,
	DHKEM_P384 = 0x0011,
	DHKEM_P521 = 0x0012,
	DHKEM_X25519 = 0x0020,
	DHKEM_X448 = 0x0021,
	MLKEM768_X25519 = 0x647a,
	HKDF_SHA256 = 1,
	HKDF_SHA384 = 2,
	HKDF_SHA512 = 3,
	AES_128_GCM = 1,
	AES_256_GCM = 2,
	CHACHA20_POLY1305 = 3,
};

static const struct tacit_mls_suite suites[] = {
        {TACIT_MLS_MLKEM768X25519_AES256_ED25519, TACIT_SHA384, TACIT_AES256_GCM, TACIT_ED25519,
                {MLKEM768_X25519, HKDF_SHA384, AES_256_GCM}, 48, 32, 32, 1216, 1120, 32, 32},
        {TACIT_MLS_X25519_AES128_ED25519, TACIT_SHA256, TACIT_AES128_GCM, TACIT_ED25519,
                {DHKEM_X25519, HKDF_SHA256, AES_128_GCM}, 32, 16, 32, 32, 32, 32, 32},
        {TACIT_MLS_X25519_CHACHA_ED25519, TACIT_SHA256, TACIT_CHACHA20_POLY1305, TACIT_ED25519,
                {DHKEM_X25519, HKDF_SHA256, CHACHA20_POLY1305}, 32, 32, 32, 32, 32, 32, 32},
        {TACIT_MLS_P256_AES128_P256, TACIT_SHA256, TACIT_AES128_GCM, TACIT_ECDSA_P256_SHA256,
                {DHKEM_P256, HKDF_SHA256, AES_128_GCM}, 32, 16, 32, 65, 65, 32, 65},
        {TACIT_MLS_P384_AES256_P384, TACIT_SHA384, TACIT_AES256_GCM, TACIT_ECDSA_P384_SHA384,
                {DHKEM_P384, HKDF_SHA384, AES_256_GCM}, 48, 32, 48, 97, 97, 48, 97},
        {TACIT_MLS_P521_AES256_P521, TACIT_SHA512, TACIT_AES256_GCM, TACIT_ECDSA_P521_SHA512,
                {DHKEM_P521, HKDF_SHA512, AES_256_GCM}, 64, 32, 66, 133, 133, 66, 133},
#ifndef TACIT_NO_CURVE448
        {TACIT_MLS_X448_AES256_ED448, TACIT_SHA512, TACIT_AES256_GCM, TACIT_ED448,
                {DHKEM_X448, HKDF_SHA512, AES_256_GCM}, 64, 32, 56, 56, 56, 57, 57},
        {TACIT_MLS_X448_CHACHA_ED448, TACIT_SHA512, TACIT_CHACHA20_POLY1305, TACIT_ED448,
                {DHKEM_X448, HKDF_SHA512, CHACHA20_POLY1305}, 64, 32, 56, 56, 56, 57, 57},
#endif
};

const struct tacit_mls_suite *tacit_mls_suite_find(uint16_t id)
{
	for (size_t i = 0; i < TACIT_COUNT(suites); i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

const struct tacit_mls_suite *tacit_mls_suites(size_t *count)
{
	*count = TACIT_COUNT(suites);
	return suites;
}

/* --- Lengths before vectors: RFC 9420 2.1.2 --- */

struct length {
	uint8_t b[4];
	size_t n;
};

static bool fits(size_t n)
{
	return n < (size_t)1 << 30;
}

static struct length length_of(size_t n)
{
	if (n < 1 << 6)
		return (struct length){{(uint8_t)n}, 1};
	if (n < 1 << 14)
		return (struct length){{(uint8_t)(0x40 | n >> 8), (uint8_t)n}, 2};
	return (struct length){
	        {(uint8_t)(0x80 | n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 4};
}

static struct tacit_bytes view(const struct length *l)
{
	return tacit_bytes(l->b, l->n);
}

/* The labelled structures of MLS are two vectors: "MLS 1.0 " and a label, and some content. */
struct labelled {
	struct length label_n, content_n;
	struct tacit_bytes parts[5];
};

/* In place, for the parts point into it. */
static enum tacit_err labelled(
        struct labelled *l, struct tacit_bytes label, struct tacit_bytes content)
{
	if (!fits(label.n) || !fits(PREFIX.n + label.n) || !fits(content.n))
		return TACIT_E_TOO_LARGE;
	l->label_n = length_of(PREFIX.n + label.n);
	l->content_n = length_of(content.n);
	l->parts[0] = view(&l->label_n);
	l->parts[1] = PREFIX;
	l->parts[2] = label;
	l->parts[3] = view(&l->content_n);
	l->parts[4] = content;
	return TACIT_OK;
}

/* The whole structure in one piece: on the stack where it is small, as nearly all are. */
struct flat {
	uint8_t small[2048];
	uint8_t *p;
	size_t n;
};

static enum tacit_err flatten(struct flat *f, const struct labelled *l)
{
	f->n = 0;
	for (size_t i = 0; i < TACIT_COUNT(l->parts); i++)
		f->n += l->parts[i].n;
	f->p = f->n <= sizeof(f->small) ? f->small : tacit_alloc(f->n);
	if (f->p == NULL)
		return TACIT_E_NOMEM;
	uint8_t *to = f->p;
	for (size_t i = 0; i < TACIT_COUNT(l->parts); i++) {
		if (l->parts[i].n > 0)
			memcpy(to, l->parts[i].p, l->parts[i].n);
		to += l->parts[i].n;
	}
	return TACIT_OK;
}

static void flat_free(struct flat *f)
{
	if (f->p != f->small)
		tacit_free(f->p);
}

/* --- Hash and MAC --- */

enum tacit_err tacit_mls_hash(const struct tacit_mls_suite *s, struct tacit_bytes in, uint8_t *out)
{
	return tacit_hash(s->hash, in, out);
}

enum tacit_err tacit_mls_hash_parts(const struct tacit_mls_suite *s,
        const struct tacit_bytes *parts, size_t count, uint8_t *out)
{
	return tacit_hash_parts(s->hash, parts, count, out);
}

enum tacit_err tacit_mls_ref_hash(const struct tacit_mls_suite *s, struct tacit_bytes label,
        struct tacit_bytes value, uint8_t *out)
{
	if (!fits(label.n) || !fits(value.n))
		return TACIT_E_TOO_LARGE;
	struct length label_n = length_of(label.n), value_n = length_of(value.n);
	struct tacit_bytes parts[] = {view(&label_n), label, view(&value_n), value};
	return tacit_hash_parts(s->hash, parts, TACIT_COUNT(parts), out);
}

void tacit_mls_mac(
        const struct tacit_mls_suite *s, const uint8_t *key, struct tacit_bytes in, uint8_t *out)
{
	tacit_hmac(s->hash, tacit_bytes(key, s->hash_bytes), in, out);
}

/* --- Key schedule --- */

void tacit_mls_extract(const struct tacit_mls_suite *s, struct tacit_bytes salt,
        struct tacit_bytes ikm, uint8_t *out)
{
	tacit_hkdf_extract(s->hash, salt, ikm, out);
}

/* KDFLabel: the output's length in 16 bits, the label, the context. */
enum tacit_err tacit_mls_expand(const struct tacit_mls_suite *s, const uint8_t *secret,
        struct tacit_bytes label, struct tacit_bytes context, struct tacit_room out)
{
	enum tacit_err err;
	struct labelled l;
	uint8_t n[2] = {(uint8_t)(out.n >> 8), (uint8_t)out.n};
	TRY(out.n <= UINT16_MAX ? TACIT_OK : TACIT_E_USAGE);
	TRY(labelled(&l, label, context));
	struct tacit_bytes parts[1 + TACIT_COUNT(l.parts)] = {tacit_bytes(n, sizeof(n))};
	memcpy(parts + 1, l.parts, sizeof(l.parts));
	TRY(tacit_hkdf_expand_parts(
	        s->hash, tacit_bytes(secret, s->hash_bytes), parts, TACIT_COUNT(parts), out));
out:
	if (err != TACIT_OK)
		tacit_wipe(out.p, out.n);
	return err;
}

enum tacit_err tacit_mls_derive_secret(const struct tacit_mls_suite *s, const uint8_t *secret,
        struct tacit_bytes label, uint8_t *out)
{
	return tacit_mls_expand(
	        s, secret, label, TACIT_STR(""), (struct tacit_room){out, s->hash_bytes});
}

enum tacit_err tacit_mls_derive_tree_secret(const struct tacit_mls_suite *s, const uint8_t *secret,
        struct tacit_bytes label, uint32_t generation, struct tacit_room out)
{
	uint8_t context[4] = {(uint8_t)(generation >> 24), (uint8_t)(generation >> 16),
	        (uint8_t)(generation >> 8), (uint8_t)generation};
	return tacit_mls_expand(s, secret, label, tacit_bytes(context, sizeof(context)), out);
}

/* --- Signatures --- */

enum tacit_err tacit_mls_sign(const struct tacit_mls_suite *s, struct tacit_bytes sk,
        struct tacit_bytes label, struct tacit_bytes content, struct tacit_scheme_signature *out)
{
	enum tacit_err err;
	struct labelled l;
	struct flat flat;
	out->n = 0;
	flat.p = flat.small;
	TRY(labelled(&l, label, content));
	TRY(flatten(&flat, &l));
	TRY(tacit_scheme_sign(s->scheme, sk, tacit_bytes(flat.p, flat.n), out));
out:
	flat_free(&flat);
	return err;
}

enum tacit_err tacit_mls_verify(const struct tacit_mls_suite *s, struct tacit_bytes pk,
        struct tacit_bytes label, struct tacit_bytes content, struct tacit_bytes signature)
{
	enum tacit_err err;
	struct labelled l;
	struct flat flat;
	flat.p = flat.small;
	TRY(labelled(&l, label, content));
	TRY(flatten(&flat, &l));
	TRY(tacit_scheme_verify(s->scheme, pk, tacit_bytes(flat.p, flat.n), signature));
out:
	flat_free(&flat);
	return err;
}

enum tacit_err tacit_mls_signature_keypair(
        const struct tacit_mls_suite *s, const struct tacit_env *env, uint8_t *sk, uint8_t *pk)
{
	return tacit_scheme_keypair(s->scheme, env, sk, pk);
}

/* --- HPKE --- */

enum tacit_err tacit_mls_kem_derive(
        const struct tacit_mls_suite *s, const uint8_t *secret, uint8_t *sk, uint8_t *pk)
{
	return tacit_hpke_derive_key_pair(s->hpke, tacit_bytes(secret, s->hash_bytes), sk, pk);
}

enum tacit_err tacit_mls_kem_keypair(
        const struct tacit_mls_suite *s, const struct tacit_env *env, uint8_t *sk, uint8_t *pk)
{
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
	tacit_env_random(env, secret, s->hash_bytes);
	enum tacit_err err = tacit_mls_kem_derive(s, secret, sk, pk);
	tacit_wipe(secret, sizeof(secret));
	return err;
}

enum tacit_err tacit_mls_kem_keypairs(const struct tacit_mls_suite *s, const struct tacit_env *env,
        size_t n, uint8_t *sk, uint8_t *pk)
{
	size_t secret_n = n * s->hash_bytes;
	uint8_t *secrets = tacit_calloc(n, s->hash_bytes);
	if (secrets == NULL)
		return TACIT_E_NOMEM;
	tacit_env_random(env, secrets, secret_n);
	enum tacit_err err =
	        tacit_hpke_derive_key_pairs(s->hpke, tacit_bytes(secrets, secret_n), n, sk, pk);
	tacit_wipe(secrets, secret_n);
	tacit_free(secrets);
	return err;
}

enum tacit_err tacit_mls_kem_public(
        const struct tacit_mls_suite *s, struct tacit_bytes sk, uint8_t *pk)
{
	return tacit_hpke_public(s->hpke, sk, pk);
}

enum tacit_err tacit_mls_kem_check_public(const struct tacit_mls_suite *s, struct tacit_bytes pk)
{
	return tacit_hpke_check_public(s->hpke, pk);
}

enum tacit_err tacit_mls_bind(
        const struct tacit_mls_suite *s, struct tacit_mls_label label, struct tacit_mls_bound *out)
{
	enum tacit_err err;
	struct labelled l;
	struct flat info;
	info.p = info.small;
	out->keys = (struct tacit_hpke_ephemerals){0};
	TRY(labelled(&l, label.label, label.context));
	TRY(flatten(&info, &l));
	TRY(tacit_hpke_base_init(s->hpke, tacit_bytes(info.p, info.n), &out->base));
out:
	flat_free(&info);
	return err;
}

void tacit_mls_bound_clear(struct tacit_mls_bound *b)
{
	tacit_hpke_ephemerals_clear(&b->keys);
}

enum tacit_err tacit_mls_encrypt_bound(struct tacit_mls_bound *label, struct tacit_bytes pk,
        struct tacit_bytes plain, const struct tacit_env *env, struct tacit_mls_ciphertext_room out)
{
	struct tacit_hpke_message m = {
	        .text = plain, .base = &label->base, .ephemerals = &label->keys};
	return tacit_hpke_seal_to(label->base.suite, pk, &m, env,
	        (struct tacit_hpke_sealed_room){out.kem_output, out.sealed});
}

enum tacit_err tacit_mls_encrypt(const struct tacit_mls_suite *s, struct tacit_bytes pk,
        struct tacit_mls_label label, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_mls_ciphertext_room out)
{
	struct tacit_mls_bound bound;
	enum tacit_err err = tacit_mls_bind(s, label, &bound);
	if (err == TACIT_OK)
		err = tacit_mls_encrypt_bound(&bound, pk, plain, env, out);
	tacit_mls_bound_clear(&bound);
	return err;
}

enum tacit_err tacit_mls_decrypt(const struct tacit_mls_suite *s, const uint8_t *sk,
        struct tacit_mls_label label, struct tacit_mls_ciphertext in, uint8_t *plain)
{
	enum tacit_err err;
	struct labelled l;
	struct flat info;
	info.p = info.small;
	TRY(labelled(&l, label.label, label.context));
	TRY(flatten(&info, &l));
	struct tacit_hpke_message m = {.info = tacit_bytes(info.p, info.n), .text = in.sealed};
	TRY(tacit_hpke_open_from(
	        s->hpke, tacit_bytes(sk, s->kem_sk_bytes), in.kem_output, &m, plain));
out:
	if (err != TACIT_OK && in.sealed.n >= TACIT_MLS_TAG_BYTES)
		tacit_wipe(plain, in.sealed.n - TACIT_MLS_TAG_BYTES);
	flat_free(&info);
	return err;
}

#define EXTERNAL_INIT TACIT_STR("MLS 1.0 external init secret")

enum tacit_err tacit_mls_external_init_send(const struct tacit_mls_suite *s,
        struct tacit_bytes external_pub, const struct tacit_env *env, uint8_t *kem_output,
        uint8_t *init_secret)
{
	enum tacit_err err;
	struct tacit_hpke *h = NULL;
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE};
	struct tacit_buf enc = {0};
	TRY(tacit_hpke_setup_sender(s->hpke, &base, external_pub, env, TACIT_STR(""), &enc, &h));
	TRY(tacit_hpke_export(h, EXTERNAL_INIT, init_secret, s->hash_bytes));
	memcpy(kem_output, enc.p, enc.n);
out:
	if (err != TACIT_OK)
		tacit_wipe(init_secret, s->hash_bytes);
	tacit_buf_clear(&enc);
	tacit_hpke_free(h);
	return err;
}

enum tacit_err tacit_mls_external_init_receive(const struct tacit_mls_suite *s,
        const uint8_t *external_sk, struct tacit_bytes kem_output, uint8_t *init_secret)
{
	enum tacit_err err;
	struct tacit_hpke *h = NULL;
	struct tacit_hpke_info base = {.mode = TACIT_HPKE_BASE};
	TRY(tacit_hpke_setup_receiver(
	        s->hpke, &base, kem_output, tacit_bytes(external_sk, s->kem_sk_bytes), &h));
	TRY(tacit_hpke_export(h, EXTERNAL_INIT, init_secret, s->hash_bytes));
out:
	if (err != TACIT_OK)
		tacit_wipe(init_secret, s->hash_bytes);
	tacit_hpke_free(h);
	return err;
}
