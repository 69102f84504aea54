#include "e2e/mls/key_package.h"

#include "crypto/secret.h"
#include "e2e/mls/limits.h"

void tacit_mls_read_key_package(struct tacit_reader *r, struct tacit_mls_key_package *out)
{
	struct tacit_bytes start = r->rest;
	*out = (struct tacit_mls_key_package){0};
	out->version = tacit_read_u16(r);
	out->suite = tacit_read_u16(r);
	out->init_key = tacit_mls_read_vec(r);
	tacit_mls_read_leaf_node(r, &out->leaf);
	out->extensions = tacit_mls_read_extensions(r);
	size_t unsigned_n = start.n - r->rest.n;
	out->signature = tacit_mls_read_vec(r);
	size_t n = start.n - r->rest.n;
	if (r->err == TACIT_OK && n > TACIT_MLS_KEY_PACKAGE_MAX_BYTES)
		tacit_reader_fail(r, TACIT_E_TOO_LARGE);
	if (r->err != TACIT_OK) {
		*out = (struct tacit_mls_key_package){0};
		return;
	}
	out->encoded = tacit_bytes(start.p, n);
	out->unsigned_part = tacit_bytes(start.p, unsigned_n);
}

enum tacit_err tacit_mls_key_package_decode(
        struct tacit_bytes encoded, struct tacit_mls_key_package *out)
{
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_key_package(&r, out);
	enum tacit_err err = tacit_reader_end(&r);
	if (err != TACIT_OK)
		*out = (struct tacit_mls_key_package){0};
	return err;
}

enum tacit_err tacit_mls_key_package_ref(
        const struct tacit_mls_suite *s, struct tacit_bytes encoded, uint8_t *out)
{
	return tacit_mls_ref_hash(s, TACIT_STR("MLS 1.0 KeyPackage Reference"), encoded, out);
}

/* 10: extensions of a key package are listed in the leaf's capabilities. */
static bool extensions_listed(const struct tacit_mls_key_package *kp)
{
	struct tacit_reader it = tacit_reader(kp->extensions.encoded);
	struct tacit_mls_extension e;
	while (tacit_mls_extension_next(&it, &e)) {
		if (!tacit_mls_extension_is_default(e.type) &&
		        !tacit_mls_types_contain(kp->leaf.capabilities.extensions, e.type))
			return false;
	}
	return true;
}

enum tacit_err tacit_mls_key_package_check(
        const struct tacit_mls_key_package *kp, const struct tacit_mls_leaf_rules *rules)
{
	enum tacit_err err = TACIT_OK;
	const struct tacit_mls_suite *s = rules->suite;
	if (kp->version != TACIT_MLS_VERSION_10 || kp->suite != s->id)
		return TACIT_E_UNSUPPORTED;
	if (!extensions_listed(kp))
		return TACIT_E_UNSUPPORTED;
	TRY(tacit_mls_kem_check_public(s, kp->init_key));
	if (tacit_bytes_eq(kp->init_key, kp->leaf.encryption_key))
		return TACIT_E_MALFORMED;
	TRY(tacit_mls_leaf_node_check(&kp->leaf, TACIT_MLS_LEAF_KEY_PACKAGE, rules));
	TRY(tacit_mls_verify(s, kp->leaf.signature_key, TACIT_STR("KeyPackageTBS"),
	        kp->unsigned_part, kp->signature));
	TRY(tacit_mls_leaf_node_verify(s, &kp->leaf, NULL));
out:
	return err;
}

void tacit_mls_key_package_secrets_wipe(struct tacit_mls_key_package_secrets *s)
{
	tacit_wipe(s, sizeof(*s));
}

static enum tacit_err write_signed(const struct tacit_mls_key_package_options *o,
        struct tacit_bytes init_key, struct tacit_bytes leaf, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_scheme_signature signature;
	size_t before = out->n;
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u16(&w, TACIT_MLS_VERSION_10);
	tacit_write_u16(&w, o->suite->id);
	tacit_mls_write_vec(&w, init_key);
	tacit_write_raw(&w, leaf);
	tacit_mls_write_extensions(&w, o->extensions);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_sign(o->suite, o->signature_sk, TACIT_STR("KeyPackageTBS"),
	        tacit_bytes(out->p + before, out->n - before), &signature));
	tacit_mls_write_vec(&w, tacit_bytes(signature.b, signature.n));
	TRY(tacit_writer_finish(&w));
out:
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

struct public_keys {
	uint8_t init[TACIT_MLS_KEM_PUBLIC_MAX_BYTES], encryption[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
};

static enum tacit_err take_pairs(const struct tacit_mls_key_package_options *o,
        const struct tacit_env *env, struct tacit_mls_key_package_secrets *secrets,
        struct public_keys *keys)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_key_pairs *own = NULL;
	struct tacit_mls_key_pairs *from = o->pairs;
	if (from == NULL) {
		TRY(tacit_mls_key_pairs_new(o->suite, env, 2, &own));
		from = own;
	}
	TRY(tacit_mls_key_pairs_take(from, o->suite, secrets->init_sk, keys->init));
	TRY(tacit_mls_key_pairs_take(from, o->suite, secrets->encryption_sk, keys->encryption));
out:
	tacit_mls_key_pairs_free(own);
	return err;
}

enum tacit_err tacit_mls_key_package_create(const struct tacit_mls_key_package_options *o,
        const struct tacit_env *env, struct tacit_buf *out,
        struct tacit_mls_key_package_secrets *secrets)
{
	enum tacit_err err;
	struct tacit_buf leaf_encoded = {0};
	struct public_keys keys;
	struct tacit_mls_leaf_node leaf = {
	        .encryption_key = tacit_bytes(keys.encryption, o->suite->kem_public_bytes),
	        .signature_key = o->signature_key,
	        .credential = o->credential,
	        .capabilities = o->capabilities,
	        .source = TACIT_MLS_LEAF_KEY_PACKAGE,
	        .lifetime = o->lifetime,
	        .extensions = o->leaf_extensions,
	};
	TRY(take_pairs(o, env, secrets, &keys));
	TRY(tacit_mls_leaf_node_sign(o->suite, &leaf, NULL, o->signature_sk, &leaf_encoded));
	TRY(write_signed(o, tacit_bytes(keys.init, o->suite->kem_public_bytes),
	        tacit_buf_view(&leaf_encoded), out));
out:
	tacit_buf_clear(&leaf_encoded);
	if (err != TACIT_OK)
		tacit_mls_key_package_secrets_wipe(secrets);
	return err;
}
