#include <string.h>

#include "vectors/mls.h"

static const char *check_ref_hash(const json_t *v, const struct tacit_mls_suite *s)
{
	uint8_t out[TACIT_MLS_HASH_MAX_BYTES];
	bool ok = tacit_mls_ref_hash(s, text_member(v, "label"), hex_member(v, "value"), out) ==
	                  TACIT_OK &&
	          is_member(v, "out", out, s->hash_bytes);
	return ok ? NULL : "ref_hash";
}

static const char *check_expand(const json_t *v, const struct tacit_mls_suite *s)
{
	uint8_t out[256];
	size_t n = number_member(v, "length");
	bool ok = n <= sizeof(out) &&
	          tacit_mls_expand(s, hex_member(v, "secret").p, text_member(v, "label"),
	                  hex_member(v, "context"), (struct tacit_room){out, n}) == TACIT_OK &&
	          is_member(v, "out", out, n);
	return ok ? NULL : "expand_with_label";
}

static const char *check_derive(const json_t *v, const struct tacit_mls_suite *s)
{
	uint8_t out[TACIT_MLS_HASH_MAX_BYTES];
	bool ok = tacit_mls_derive_secret(
	                  s, hex_member(v, "secret").p, text_member(v, "label"), out) == TACIT_OK &&
	          is_member(v, "out", out, s->hash_bytes);
	return ok ? NULL : "derive_secret";
}

static const char *check_tree(const json_t *v, const struct tacit_mls_suite *s)
{
	uint8_t out[256];
	size_t n = number_member(v, "length");
	bool ok = n <= sizeof(out) &&
	          tacit_mls_derive_tree_secret(s, hex_member(v, "secret").p,
	                  text_member(v, "label"), (uint32_t)number_member(v, "generation"),
	                  (struct tacit_room){out, n}) == TACIT_OK &&
	          is_member(v, "out", out, n);
	return ok ? NULL : "derive_tree_secret";
}

static const char *check_sign(const json_t *v, const struct tacit_mls_suite *s)
{
	struct tacit_scheme_signature made;
	uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
	struct tacit_bytes pub = hex_member(v, "pub"), priv = hex_member(v, "priv"),
	                   label = text_member(v, "label"), content = hex_member(v, "content");
	if (tacit_mls_verify(s, pub, label, content, hex_member(v, "signature")) != TACIT_OK)
		return "verify_with_label";
	if (priv.n != s->signature_sk_bytes ||
	        tacit_scheme_public(s->scheme, priv, pk) != TACIT_OK ||
	        !is_member(v, "pub", pk, s->signature_public_bytes))
		return "signature key";
	if (tacit_mls_sign(s, priv, label, content, &made) != TACIT_OK ||
	        tacit_mls_verify(s, pub, label, content, tacit_bytes(made.b, made.n)) != TACIT_OK)
		return "sign_with_label";
	return NULL;
}

static const char *check_decrypt(const json_t *v, const struct tacit_mls_suite *s)
{
	uint8_t opened[256], pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_mls_label label = {text_member(v, "label"), hex_member(v, "context")};
	struct tacit_mls_ciphertext in = {hex_member(v, "kem_output"), hex_member(v, "ciphertext")};
	struct tacit_bytes plain = hex_member(v, "plaintext"), priv = hex_member(v, "priv");
	if (priv.n != s->kem_sk_bytes || tacit_mls_kem_public(s, priv, pk) != TACIT_OK ||
	        !is_member(v, "pub", pk, s->kem_public_bytes))
		return "encryption key";
	if (in.sealed.n != plain.n + TACIT_MLS_TAG_BYTES || plain.n > sizeof(opened) ||
	        tacit_mls_decrypt(s, priv.p, label, in, opened) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_bytes(opened, plain.n), plain))
		return "decrypt_with_label";
	return NULL;
}

static const char *check_encrypt(const json_t *v, const struct tacit_mls_suite *s)
{
	uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES], sealed[256 + TACIT_MLS_TAG_BYTES], opened[256];
	struct tacit_mls_label label = {text_member(v, "label"), hex_member(v, "context")};
	struct tacit_bytes plain = hex_member(v, "plaintext");
	struct tacit_env env = mls_env();
	struct tacit_mls_ciphertext_room room = {enc, sealed};
	struct tacit_mls_ciphertext in = {tacit_bytes(enc, s->kem_enc_bytes),
	        tacit_bytes(sealed, plain.n + TACIT_MLS_TAG_BYTES)};
	bool ok =
	        plain.n <= sizeof(opened) &&
	        tacit_mls_encrypt(s, hex_member(v, "pub"), label, plain, &env, room) == TACIT_OK &&
	        tacit_mls_decrypt(s, hex_member(v, "priv").p, label, in, opened) == TACIT_OK &&
	        tacit_bytes_eq(tacit_bytes(opened, plain.n), plain);
	return ok ? NULL : "encrypt_with_label";
}

static const char *check(const json_t *v, const struct tacit_mls_suite *s)
{
	static const struct {
		const char *name;
		const char *(*check)(const json_t *v, const struct tacit_mls_suite *s);
	} parts[] = {{"ref_hash", check_ref_hash}, {"expand_with_label", check_expand},
	        {"derive_secret", check_derive}, {"derive_tree_secret", check_tree},
	        {"sign_with_label", check_sign}, {"encrypt_with_label", check_decrypt},
	        {"encrypt_with_label", check_encrypt}};
	for (size_t i = 0; i < TACIT_COUNT(parts); i++) {
		const json_t *part = json_object_get(v, parts[i].name);
		const char *wrong = part != NULL ? parts[i].check(part, s) : "a member is missing";
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

const struct mls_vectors mls_crypto_basics = {{"ref_hash", "sign_with_label"}, check};
