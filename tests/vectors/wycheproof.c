/* Project Wycheproof. A file says in "algorithm" and "schema" what it is; a group in its numbers
 * for which sizes; a test in "result" whether it must be accepted. */
#include <string.h>

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/ecdsa_int.h"
#include "crypto/kdf.h"
#include "crypto/mlkem.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "vectors/vectors.h"

enum verdict {
	ACCEPTED,       /* and with the output that the vector has */
	REFUSED,        /* by an error of ours, or by a tag or signature that does not match */
	WRONG,          /* accepted, but with another output */
	NOT_APPLICABLE, /* a size that our interface does not have */
};

struct algorithm {
	const char *name, *schema;
	enum verdict (*judge)(int variant, const json_t *group, const json_t *test);
	int variant; /* an enum tacit_hash, where one judge serves several */
};

static json_int_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool has_flag(const json_t *test, const char *flag)
{
	size_t i;
	const json_t *f;
	json_array_foreach(json_object_get(test, "flags"), i,
	        f) if (strcmp(json_string_value(f), flag) == 0) return true;
	return false;
}

enum { ROOM = 4096 };

static enum verdict judge_aead(enum tacit_aead_alg alg, const json_t *test)
{
	struct tacit_bytes key = hex_member(test, "key"), nonce = hex_member(test, "iv"),
	                   aad = hex_member(test, "aad"), msg = hex_member(test, "msg"),
	                   ct = hex_member(test, "ct"), tag = hex_member(test, "tag");
	uint8_t sealed[ROOM], opened[ROOM];
	if (key.n != tacit_aead_key_bytes(alg) || ct.n + tag.n > sizeof(sealed))
		return WRONG;
	memcpy(sealed, ct.p, ct.n);
	memcpy(sealed + ct.n, tag.p, tag.n);
	struct tacit_bytes whole = tacit_bytes(sealed, ct.n + tag.n);
	if (tacit_aead_open_once(alg, key.p, nonce.p, aad, whole, opened) != TACIT_OK)
		return REFUSED;
	if (!tacit_bytes_eq(tacit_bytes(opened, ct.n), msg))
		return WRONG;
	/* In place, so that both ways are seen. */
	if (tacit_aead_seal_once(alg, key.p, nonce.p, aad, tacit_bytes(opened, msg.n), opened) !=
	        TACIT_OK)
		return WRONG;
	return tacit_bytes_eq(tacit_bytes(opened, whole.n), whole) ? ACCEPTED : WRONG;
}

static bool aead_sizes(const json_t *group)
{
	return number(group, "ivSize") == 8 * TACIT_AEAD_NONCE_BYTES &&
	       number(group, "tagSize") == 8 * TACIT_AEAD_TAG_BYTES;
}

static enum verdict aes_gcm(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	json_int_t bits = number(group, "keySize");
	if (!aead_sizes(group) || (bits != 128 && bits != 256))
		return NOT_APPLICABLE;
	return judge_aead(bits == 128 ? TACIT_AES128_GCM : TACIT_AES256_GCM, test);
}

static enum verdict chacha20_poly1305(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	return aead_sizes(group) ? judge_aead(TACIT_CHACHA20_POLY1305, test) : NOT_APPLICABLE;
}

static enum verdict ed25519(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	struct tacit_sign_public pk;
	struct tacit_signature sig;
	struct tacit_bytes key = hex_member(json_object_get(group, "publicKey"), "pk"),
	                   signature = hex_member(test, "sig");
	if (key.n != sizeof(pk.b))
		return NOT_APPLICABLE;
	if (signature.n != sizeof(sig.b)) /* the type has no room for it: a decoder refuses */
		return REFUSED;
	memcpy(pk.b, key.p, key.n);
	memcpy(sig.b, signature.p, signature.n);
	return tacit_sign_verify(&pk, hex_member(test, "msg"), &sig) == TACIT_OK ? ACCEPTED
	                                                                         : REFUSED;
}

static enum verdict judge_dh(
        enum tacit_dh g, struct tacit_bytes sk, struct tacit_bytes pk, const json_t *test)
{
	uint8_t shared[TACIT_DH_SHARED_MAX_BYTES];
	struct tacit_bytes want = hex_member(test, "shared");
	if (tacit_dh(g, sk.p, pk, shared) != TACIT_OK)
		return REFUSED;
	return tacit_bytes_eq(tacit_bytes(shared, tacit_dh_shared_bytes(g)), want) ? ACCEPTED
	                                                                           : WRONG;
}

static enum verdict x25519(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	if (strcmp(json_string_value(json_object_get(group, "curve")), "curve25519") != 0)
		return NOT_APPLICABLE;
	struct tacit_bytes sk = hex_member(test, "private");
	return sk.n == tacit_dh_sk_bytes(TACIT_X25519)
	               ? judge_dh(TACIT_X25519, sk, hex_member(test, "public"), test)
	               : WRONG;
}

/* The private key is an integer, with a sign byte before it or without its leading zeroes. */
static enum verdict judge_p256(const json_t *test, struct tacit_bytes point)
{
	uint8_t sk[TACIT_DH_SK_MAX_BYTES] = {0};
	size_t n = tacit_dh_sk_bytes(TACIT_P256);
	struct tacit_bytes integer = hex_member(test, "private");
	while (integer.n > 0 && integer.p[0] == 0)
		integer = tacit_bytes_part(integer, 1, integer.n);
	if (integer.n > n)
		return REFUSED;
	memcpy(sk + n - integer.n, integer.p, integer.n);
	return judge_dh(TACIT_P256, tacit_bytes(sk, n), point, test);
}

static enum verdict p256(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	if (strcmp(json_string_value(json_object_get(group, "curve")), "secp256r1") != 0)
		return NOT_APPLICABLE;
	return judge_p256(test, hex_member(test, "public"));
}

static enum verdict hkdf(int hash, const json_t *group, const json_t *test)
{
	(void)group;
	enum tacit_hash h = (enum tacit_hash)hash;
	uint8_t prk[TACIT_HASH_MAX_BYTES], okm[255 * TACIT_HASH_MAX_BYTES + 1];
	size_t n = (size_t)number(test, "size");
	if (n > sizeof(okm))
		return WRONG;
	tacit_hkdf_extract(h, hex_member(test, "salt"), hex_member(test, "ikm"), prk);
	if (tacit_hkdf_expand(h, tacit_bytes(prk, tacit_hash_bytes(h)), hex_member(test, "info"),
	            okm, n) != TACIT_OK)
		return REFUSED;
	return tacit_bytes_eq(tacit_bytes(okm, n), hex_member(test, "okm")) ? ACCEPTED : WRONG;
}

/* What stands before the point in a SubjectPublicKeyInfo of P-256 (RFC 5480 2.1.1.1, namedCurve).
 * All other ways to say it are refused here: MLS and HPKE have the point alone. */
static const uint8_t p256_spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
        0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
        0x00};

static enum verdict p256_asn(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	if (strcmp(json_string_value(json_object_get(group, "curve")), "secp256r1") != 0)
		return NOT_APPLICABLE;
	struct tacit_bytes spki = hex_member(test, "public");
	struct tacit_bytes head = tacit_bytes_part(spki, 0, sizeof(p256_spki));
	if (!tacit_bytes_eq(head, tacit_bytes(p256_spki, sizeof(p256_spki))))
		return REFUSED;
	return judge_p256(test, tacit_bytes_part(spki, sizeof(p256_spki), spki.n));
}

static bool is_p256_sha256(const json_t *group)
{
	const char *sha = json_string_value(json_object_get(group, "sha"));
	const char *curve =
	        json_string_value(json_object_get(json_object_get(group, "publicKey"), "curve"));
	return strcmp(sha, "SHA-256") == 0 && strcmp(curve, "secp256r1") == 0;
}

static enum verdict judge_ecdsa(
        const json_t *group, const json_t *test, struct tacit_bytes signature)
{
	struct tacit_bytes pk = hex_member(json_object_get(group, "publicKey"), "uncompressed");
	return tacit_scheme_verify(
	               TACIT_ECDSA_P256_SHA256, pk, hex_member(test, "msg"), signature) == TACIT_OK
	               ? ACCEPTED
	               : REFUSED;
}

static enum verdict ecdsa(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	return is_p256_sha256(group) ? judge_ecdsa(group, test, hex_member(test, "sig"))
	                             : NOT_APPLICABLE;
}

/* Two integers of the field's length, which go through our own DER. */
static enum verdict ecdsa_p1363(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	struct tacit_scheme_signature der;
	struct tacit_bytes raw = hex_member(test, "sig");
	if (!is_p256_sha256(group))
		return NOT_APPLICABLE;
	if (raw.n != 64)
		return REFUSED;
	tacit_ecdsa_to_der(raw.p, 32, &der);
	return judge_ecdsa(group, test, tacit_bytes(der.b, der.n));
}

static bool is_mlkem_768(const json_t *group)
{
	const char *set = json_string_value(json_object_get(group, "parameterSet"));
	return strcmp(set, "ML-KEM-768") == 0;
}

static enum verdict mlkem_keygen(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	uint8_t sk[TACIT_MLKEM_SK_BYTES], pk[TACIT_MLKEM_PUBLIC_BYTES];
	struct tacit_bytes seed = hex_member(test, "seed");
	if (!is_mlkem_768(group))
		return NOT_APPLICABLE;
	if (seed.n != TACIT_MLKEM_SEED_BYTES || tacit_mlkem_keypair(seed.p, sk, pk) != TACIT_OK)
		return REFUSED;
	bool same = tacit_bytes_eq(tacit_bytes(sk, sizeof(sk)), hex_member(test, "dk")) &&
	            tacit_bytes_eq(tacit_bytes(pk, sizeof(pk)), hex_member(test, "ek"));
	return same ? ACCEPTED : WRONG;
}

static enum verdict mlkem_encap(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	uint8_t ct[TACIT_MLKEM_CIPHERTEXT_BYTES], shared[TACIT_MLKEM_SHARED_BYTES];
	struct tacit_bytes coins = hex_member(test, "m"), pk = hex_member(test, "ek");
	if (!is_mlkem_768(group))
		return NOT_APPLICABLE;
	if (coins.n != TACIT_MLKEM_COINS_BYTES ||
	        tacit_mlkem_encap(pk, coins.p, ct, shared) != TACIT_OK)
		return REFUSED;
	bool same = tacit_bytes_eq(tacit_bytes(ct, sizeof(ct)), hex_member(test, "c")) &&
	            tacit_bytes_eq(tacit_bytes(shared, sizeof(shared)), hex_member(test, "K"));
	return same ? ACCEPTED : WRONG;
}

static enum verdict judge_decap(const uint8_t *sk, const json_t *test)
{
	uint8_t shared[TACIT_MLKEM_SHARED_BYTES];
	if (tacit_mlkem_decap(sk, hex_member(test, "c"), shared) != TACIT_OK)
		return REFUSED;
	bool same = tacit_bytes_eq(tacit_bytes(shared, sizeof(shared)), hex_member(test, "K"));
	return same ? ACCEPTED : WRONG;
}

static enum verdict mlkem_decap_seed(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	uint8_t sk[TACIT_MLKEM_SK_BYTES];
	struct tacit_bytes seed = hex_member(test, "seed");
	if (!is_mlkem_768(group))
		return NOT_APPLICABLE;
	if (seed.n != TACIT_MLKEM_SEED_BYTES || tacit_mlkem_keypair(seed.p, sk, NULL) != TACIT_OK)
		return REFUSED;
	return judge_decap(sk, test);
}

static enum verdict mlkem_decap(int variant, const json_t *group, const json_t *test)
{
	(void)variant;
	struct tacit_bytes sk = hex_member(test, "dk");
	if (!is_mlkem_768(group))
		return NOT_APPLICABLE;
	return tacit_mlkem_check_sk(sk) == TACIT_OK ? judge_decap(sk.p, test) : REFUSED;
}

static enum verdict hmac(int hash, const json_t *group, const json_t *test)
{
	enum tacit_hash h = (enum tacit_hash)hash;
	uint8_t mac[TACIT_HASH_MAX_BYTES];
	size_t n = (size_t)number(group, "tagSize") / 8; /* some groups cut the tag */
	if (n > tacit_hash_bytes(h))
		return WRONG;
	tacit_hmac(h, hex_member(test, "key"), hex_member(test, "msg"), mac);
	return tacit_ct_eq(tacit_bytes(mac, n), hex_member(test, "tag")) ? ACCEPTED : REFUSED;
}

static const struct algorithm algorithms[] = {
        {"AES-GCM", "aead_test_schema_v1.json", aes_gcm, 0},
        {"CHACHA20-POLY1305", "aead_test_schema_v1.json", chacha20_poly1305, 0},
        {"EDDSA", "eddsa_verify_schema_v1.json", ed25519, 0},
        {"XDH", "xdh_comp_schema_v1.json", x25519, 0},
        {"ECDH", "ecdh_ecpoint_test_schema_v1.json", p256, 0},
        {"ECDH", "ecdh_test_schema_v1.json", p256_asn, 0},
        {"ECDSA", "ecdsa_verify_schema_v1.json", ecdsa, 0},
        {"ECDSA", "ecdsa_p1363_verify_schema_v1.json", ecdsa_p1363, 0},
        {"ML-KEM", "mlkem_keygen_seed_test_schema.json", mlkem_keygen, 0},
        {"ML-KEM", "mlkem_encaps_test_schema.json", mlkem_encap, 0},
        {"ML-KEM", "mlkem_test_schema.json", mlkem_decap_seed, 0},
        {"ML-KEM", "mlkem_semi_expanded_decaps_test_schema.json", mlkem_decap, 0},
        {"HKDF-SHA-256", "hkdf_test_schema_v1.json", hkdf, TACIT_SHA256},
        {"HKDF-SHA-384", "hkdf_test_schema_v1.json", hkdf, TACIT_SHA384},
        {"HKDF-SHA-512", "hkdf_test_schema_v1.json", hkdf, TACIT_SHA512},
        {"HMACSHA256", "mac_test_schema_v1.json", hmac, TACIT_SHA256},
        {"HMACSHA384", "mac_test_schema_v1.json", hmac, TACIT_SHA384},
        {"HMACSHA512", "mac_test_schema_v1.json", hmac, TACIT_SHA512},
};

static const struct algorithm *find(const json_t *root)
{
	const char *name = json_string_value(json_object_get(root, "algorithm"));
	const char *schema = json_string_value(json_object_get(root, "schema"));
	for (size_t i = 0; name != NULL && schema != NULL && i < TACIT_COUNT(algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0 &&
		        strcmp(algorithms[i].schema, schema) == 0)
			return &algorithms[i];
	return NULL;
}

static bool knows(const json_t *root)
{
	return find(root) != NULL;
}

/* "acceptable" leaves the choice to the implementation. Ours:
 * - X25519: an all-zero result is refused (RFC 9180 7.1.4). All else is computed as RFC 7748 says:
 *   points on the twist, and coordinates that are not reduced.
 * - P-256: a compressed point is refused; RFC 9180 7.1.1 knows the uncompressed form only. So is
 *   ASN.1 that is not DER, or that spells the curve out. */
static enum verdict expected(const json_t *test)
{
	const char *result = json_string_value(json_object_get(test, "result"));
	if (strcmp(result, "valid") == 0)
		return ACCEPTED;
	if (strcmp(result, "invalid") == 0)
		return REFUSED;
	bool refused = has_flag(test, "ZeroSharedSecret") || has_flag(test, "CompressedPoint") ||
	               has_flag(test, "InvalidAsn") || has_flag(test, "UnnamedCurve");
	return refused ? REFUSED : ACCEPTED;
}

static void run_test(
        const struct algorithm *a, const json_t *group, const json_t *test, struct tally *t)
{
	static const char *const names[] = {
	        [ACCEPTED] = "accepted", [REFUSED] = "refused", [WRONG] = "wrong output"};
	enum verdict got = a->judge(a->variant, group, test), want = expected(test);
	if (got == NOT_APPLICABLE)
		t->not_applicable++;
	else if (got == want)
		tally_pass(t);
	else
		tally_fail(t, "tcId %lld: %s, not %s", (long long)number(test, "tcId"), names[got],
		        names[want]);
	hex_forget();
}

static void run(const json_t *root, struct tally *t)
{
	size_t i, j;
	const json_t *group, *test;
	const struct algorithm *a = find(root);
	json_array_foreach(json_object_get(root, "testGroups"), i, group) json_array_foreach(
	        json_object_get(group, "tests"), j, test) run_test(a, group, test, t);
}

const struct vector_format wycheproof_format = {knows, run};
