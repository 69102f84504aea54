/* mls_leaf.c - extensions, credentials, leaf nodes and key packages: RFC 9420 5.3, 7.2, 7.3, 10. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/limits.h"
#include "e2e/mls/message.h"
#include "mls_members.h"
#include "support/tap.h"

static const struct tacit_mls_suite *suite(void)
{
	return tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
}

static struct tacit_mls_leaf_rules rules(void)
{
	return (struct tacit_mls_leaf_rules){.suite = suite(), .now = 1700000000};
}

/* --- lists --- */

static enum tacit_err read_list(const uint8_t *p, size_t n, struct tacit_mls_extensions *out)
{
	struct tacit_reader r = tacit_reader(tacit_bytes(p, n));
	*out = tacit_mls_read_extensions(&r);
	return tacit_reader_end(&r);
}

static void extension_lists(void)
{
	const uint8_t two[] = {8, 0xf0, 1, 2, 'h', 'i', 0x0a, 0x0a, 0};
	const uint8_t twice[] = {6, 0xf0, 1, 0, 0xf0, 1, 0};
	const uint8_t cut[] = {4, 0xf0, 1, 2, 'h'};
	struct tacit_mls_extensions list;
	struct tacit_bytes data;
	CHECK_OK(read_list(two, sizeof(two), &list));
	CHECK(tacit_mls_extension_find(list, 0xf001, &data));
	CHECK_BYTES(data, TACIT_STR("hi"));
	CHECK(tacit_mls_extension_find(list, 0x0a0a, &data) && data.n == 0);
	CHECK(!tacit_mls_extension_find(list, 3, &data));
	struct tacit_buf out = {0};
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_extensions(&w, list);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_BYTES(tacit_buf_view(&out), tacit_bytes(two, sizeof(two)));
	tacit_buf_clear(&out);
	CHECK_ERR(read_list(twice, sizeof(twice), &list), TACIT_E_MALFORMED);
	CHECK_ERR(read_list(cut, sizeof(cut), &list), TACIT_E_TRUNCATED);
}

static void too_many_extensions(void)
{
	struct tacit_buf out = {0};
	struct tacit_mls_extensions list;
	struct tacit_writer w = tacit_writer(&out);
	size_t begin = tacit_mls_vec_begin(&w);
	for (uint16_t i = 0; i <= TACIT_MLS_EXTENSIONS_MAX; i++)
		tacit_mls_write_extension(
		        &w, (struct tacit_mls_extension){i, tacit_bytes(NULL, 0)});
	tacit_mls_vec_end(&w, begin);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_ERR(read_list(out.p, out.n, &list), TACIT_E_LIMIT);
	tacit_buf_clear(&out);
}

static void type_lists(void)
{
	const uint8_t odd[] = {3, 0, 1, 0};
	struct tacit_reader r = tacit_reader(tacit_bytes(odd, sizeof(odd)));
	CHECK_INT(tacit_mls_types_count(tacit_mls_read_types(&r)), 0);
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_MALFORMED);
	CHECK(tacit_mls_is_grease(0x0a0a) && tacit_mls_is_grease(0xeaea));
	CHECK(!tacit_mls_is_grease(0xfafa) && !tacit_mls_is_grease(0x0a1a));
	CHECK(!tacit_mls_is_grease(0x0001));
}

static void extension_contents(void)
{
	struct tacit_buf out = {0};
	struct tacit_mls_required_capabilities rc = {0};
	struct tacit_bytes key;
	const uint8_t type[] = {0xf0, 7};
	rc.proposals.encoded = tacit_bytes(type, 2);
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_required_capabilities(&w, &rc);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_required_capabilities_decode(tacit_buf_view(&out), &rc));
	CHECK(tacit_mls_types_contain(rc.proposals, 0xf007));
	CHECK_ERR(tacit_mls_required_capabilities_decode(tacit_bytes(out.p, out.n - 1), &rc),
	        TACIT_E_TRUNCATED);
	out.n = 0;
	w = tacit_writer(&out);
	tacit_mls_write_external_pub(&w, TACIT_STR("key"));
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_external_pub_decode(tacit_buf_view(&out), &key));
	CHECK_BYTES(key, TACIT_STR("key"));
	CHECK_ERR(tacit_mls_external_pub_decode(TACIT_STR("\1ab"), &key), TACIT_E_TRAILING);
	tacit_buf_clear(&out);
}

static void credentials(void)
{
	const uint8_t chain[] = {0, 2, 5, 1, 'a', 2, 'b', 'c'};
	const uint8_t no_chain[] = {0, 2, 0}, unknown[] = {0, 3, 0};
	struct tacit_reader r = tacit_reader(tacit_bytes(chain, sizeof(chain)));
	struct tacit_mls_credential c = tacit_mls_read_credential(&r);
	CHECK_OK(tacit_reader_end(&r));
	CHECK(c.type == TACIT_MLS_CREDENTIAL_X509 && c.certificates.n == 5);
	CHECK(tacit_mls_credential_eq(&c, &c));
	r = tacit_reader(tacit_bytes(no_chain, sizeof(no_chain)));
	(void)tacit_mls_read_credential(&r);
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_MALFORMED);
	r = tacit_reader(tacit_bytes(unknown, sizeof(unknown)));
	(void)tacit_mls_read_credential(&r);
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_UNSUPPORTED);
}

static void external_senders(void)
{
	struct tacit_buf out = {0};
	struct tacit_mls_external_sender s = {TACIT_STR("key"),
	        {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("server")}};
	struct tacit_mls_external_sender got;
	uint32_t count;
	struct tacit_writer w = tacit_writer(&out);
	size_t begin = tacit_mls_vec_begin(&w);
	tacit_mls_write_external_sender(&w, &s);
	s.signature_key = TACIT_STR("other");
	tacit_mls_write_external_sender(&w, &s);
	tacit_mls_vec_end(&w, begin);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_external_sender_count(tacit_buf_view(&out), &count));
	CHECK_INT(count, 2);
	CHECK_OK(tacit_mls_external_sender_at(tacit_buf_view(&out), 1, &got));
	CHECK_BYTES(got.signature_key, TACIT_STR("other"));
	CHECK_ERR(tacit_mls_external_sender_at(tacit_buf_view(&out), 2, &got), TACIT_E_NOT_FOUND);
	CHECK_ERR(tacit_mls_external_sender_at(tacit_bytes(out.p, out.n - 1), 0, &got),
	        TACIT_E_TRUNCATED);
	tacit_buf_clear(&out);
}

/* --- key packages and leaves --- */

static enum tacit_err check(struct tacit_bytes encoded, const struct tacit_mls_leaf_rules *r)
{
	struct tacit_mls_key_package kp;
	enum tacit_err err = tacit_mls_key_package_decode(encoded, &kp);
	return err == TACIT_OK ? tacit_mls_key_package_check(&kp, r) : err;
}

static void every_suite(void)
{
	size_t count;
	const struct tacit_mls_suite *suites = tacit_mls_suites(&count);
	struct tacit_env env = tap_env(1);
	for (size_t i = 0; i < count; i++) {
		struct mls_member m;
		struct tacit_mls_leaf_rules r = {.suite = &suites[i], .now = 1700000000};
		CHECK_OK(mls_member_make(&suites[i], &env, NULL, &m));
		CHECK_OK(check(tacit_buf_view(&m.package), &r));
		r.suite = &suites[(i + 1) % count];
		CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_UNSUPPORTED);
		mls_member_clear(&m);
	}
}

static void tampered_packages(void)
{
	struct mls_member m;
	struct tacit_env env = tap_env(2);
	struct tacit_mls_leaf_rules r = rules();
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &m)));
	for (size_t i = 0; i < m.package.n; i++) {
		m.package.p[i] ^= 1;
		if (!CHECK(check(tacit_buf_view(&m.package), &r) != TACIT_OK))
			break;
		m.package.p[i] ^= 1;
	}
	for (size_t n = 0; n < m.package.n; n++)
		CHECK(check(tacit_bytes(m.package.p, n), &r) != TACIT_OK);
	mls_member_clear(&m);
}

/* 10: in a message of its own version. */
static void versions_are_one(void)
{
	struct mls_member m;
	struct tacit_env env = tap_env(12);
	struct tacit_buf encoded = {0};
	struct tacit_mls_message message;
	struct tacit_writer w = tacit_writer(&encoded);
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &m)));
	tacit_mls_write_message_header(&w, TACIT_MLS_KEY_PACKAGE);
	tacit_write_raw(&w, tacit_buf_view(&m.package));
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_message_decode(tacit_buf_view(&encoded), &message));
	encoded.p[5] = 2; /* the lower byte of the key package's */
	CHECK_ERR(
	        tacit_mls_message_decode(tacit_buf_view(&encoded), &message), TACIT_E_UNSUPPORTED);
	tacit_buf_clear(&encoded);
	mls_member_clear(&m);
}

/* A key package of m's in which these are different (empty: as they are), well signed by it, but
 * for the outer signature if that is to be bad. */
struct forgery {
	struct tacit_bytes init_key, encryption_key, signature_key;
	enum tacit_mls_leaf_source source;
	bool bad_signature;
};

static void judged(const struct mls_member *m, const struct forgery *f, enum tacit_err want)
{
	struct tacit_mls_key_package kp;
	struct tacit_scheme_signature signature;
	struct tacit_buf out = {0};
	struct tacit_mls_leaf_rules r = rules();
	struct tacit_mls_leaf_place place = {TACIT_STR("g"), 0};
	struct tacit_bytes sk = tacit_bytes(m->signature_sk, suite()->signature_sk_bytes);
	CHECK_OK(tacit_mls_key_package_decode(tacit_buf_view(&m->package), &kp));
	if (f->encryption_key.n > 0)
		kp.leaf.encryption_key = f->encryption_key;
	if (f->signature_key.n > 0)
		kp.leaf.signature_key = f->signature_key;
	if (f->source != 0)
		kp.leaf.source = f->source;
	struct tacit_writer w = tacit_writer(&out);
	tacit_write_u16(&w, kp.version);
	tacit_write_u16(&w, kp.suite);
	tacit_mls_write_vec(&w, f->init_key.n > 0 ? f->init_key : kp.init_key);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_leaf_node_sign(suite(), &kp.leaf, &place, sk, &out));
	w = tacit_writer(&out);
	tacit_mls_write_extensions(&w, kp.extensions);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_sign(
	        suite(), sk, TACIT_STR("KeyPackageTBS"), tacit_buf_view(&out), &signature));
	signature.b[0] ^= f->bad_signature;
	tacit_mls_write_vec(&w, tacit_bytes(signature.b, signature.n));
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_ERR(check(tacit_buf_view(&out), &r), want);
	tacit_buf_clear(&out);
}

/* 7.3, 10.1: what no changed byte shows, because the signature would show it first. */
static void false_packages(void)
{
	struct mls_member m, other;
	struct tacit_mls_key_package kp;
	static const uint8_t none[33];
	struct tacit_env env = tap_env(13);
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &m)));
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &other)));
	CHECK_OK(tacit_mls_key_package_decode(tacit_buf_view(&m.package), &kp));
	judged(&m, &(struct forgery){0}, TACIT_OK);
	judged(&m, &(struct forgery){.bad_signature = true}, TACIT_E_BAD_SIGNATURE);
	judged(&m, &(struct forgery){.signature_key = tacit_bytes(other.signature_key, 32)},
	        TACIT_E_BAD_SIGNATURE);
	judged(&m, &(struct forgery){.signature_key = tacit_bytes(none, 33)}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.encryption_key = tacit_bytes(none, 32)}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.encryption_key = tacit_bytes(none, 31)}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.init_key = tacit_bytes(none, 32)}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.init_key = tacit_bytes(none, 33)}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.init_key = kp.leaf.encryption_key}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.source = TACIT_MLS_LEAF_UPDATE}, TACIT_E_MALFORMED);
	judged(&m, &(struct forgery){.source = TACIT_MLS_LEAF_COMMIT}, TACIT_E_MALFORMED);
	mls_member_clear(&m);
	mls_member_clear(&other);
}

static enum tacit_err make_from(struct tacit_mls_key_pairs *pairs, struct tacit_buf *out,
        struct tacit_mls_key_package_secrets *secrets)
{
	enum tacit_err err;
	uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES], pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
	struct tacit_env env = tap_env(5);
	struct tacit_buf store = {0};
	struct tacit_mls_key_package_options o = {.suite = suite(),
	        .signature_sk = tacit_bytes(sk, suite()->signature_sk_bytes),
	        .signature_key = tacit_bytes(pk, suite()->signature_public_bytes),
	        .credential = {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("ann")},
	        .lifetime = {1600000000, 1800000000},
	        .pairs = pairs};
	TRY(tacit_mls_signature_keypair(suite(), &env, sk, pk));
	TRY(tacit_mls_capabilities_make(NULL, NULL, &store, &o.capabilities));
	TRY(tacit_mls_key_package_create(&o, &env, out, secrets));
out:
	tacit_buf_clear(&store);
	return err;
}

/* Is the private key that of the public one? */
static void fits(const uint8_t *sk, struct tacit_bytes pk)
{
	uint8_t public[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	CHECK_OK(tacit_mls_kem_public(suite(), tacit_bytes(sk, suite()->kem_sk_bytes), public));
	CHECK_BYTES(tacit_bytes(public, suite()->kem_public_bytes), pk);
}

/* Two key packages have four keys that differ; for a third one there are too few. */
static void pairs_made_ahead_serve_once(void)
{
	size_t count;
	struct tacit_env env = tap_env(6);
	struct tacit_mls_key_pairs *pairs = NULL;
	struct tacit_mls_leaf_rules r = rules();
	struct tacit_buf made[2] = {{0}};
	struct tacit_mls_key_package kp[2];
	struct tacit_mls_key_package_secrets secrets;
	static const struct tacit_mls_key_package_secrets wiped;
	REQUIRE(CHECK_OK(tacit_mls_key_pairs_new(suite(), &env, 5, &pairs)));
	for (size_t i = 0; i < 2; i++) {
		CHECK_OK(make_from(pairs, &made[i], &secrets));
		CHECK_OK(tacit_mls_key_package_decode(tacit_buf_view(&made[i]), &kp[i]));
		CHECK_OK(tacit_mls_key_package_check(&kp[i], &r));
		fits(secrets.init_sk, kp[i].init_key);
		fits(secrets.encryption_sk, kp[i].leaf.encryption_key);
	}
	CHECK(!tacit_bytes_eq(kp[0].init_key, kp[1].init_key));
	CHECK(!tacit_bytes_eq(kp[0].init_key, kp[1].leaf.encryption_key));
	CHECK(!tacit_bytes_eq(kp[0].leaf.encryption_key, kp[1].leaf.encryption_key));
	size_t before = made[1].n;
	CHECK_ERR(make_from(pairs, &made[1], &secrets), TACIT_E_EXHAUSTED);
	CHECK_INT(made[1].n, before);
	CHECK(memcmp(&secrets, &wiped, sizeof(wiped)) == 0);
	tacit_mls_key_pairs_free(pairs);
	const struct tacit_mls_suite *others = tacit_mls_suites(&count);
	CHECK_OK(tacit_mls_key_pairs_new(&others[0], &env, 2, &pairs));
	CHECK(others[0].id != suite()->id);
	CHECK_ERR(make_from(pairs, &made[1], &secrets), TACIT_E_USAGE);
	tacit_mls_key_pairs_free(pairs);
	tacit_buf_clear(&made[0]);
	tacit_buf_clear(&made[1]);
}

static void key_package_refs_differ(void)
{
	struct mls_member a, b;
	struct tacit_env env = tap_env(3);
	uint8_t ref_a[TACIT_MLS_HASH_MAX_BYTES], ref_b[TACIT_MLS_HASH_MAX_BYTES];
	CHECK_OK(mls_member_make(suite(), &env, NULL, &a));
	CHECK_OK(mls_member_make(suite(), &env, NULL, &b));
	CHECK_OK(tacit_mls_key_package_ref(suite(), tacit_buf_view(&a.package), ref_a));
	CHECK_OK(tacit_mls_key_package_ref(suite(), tacit_buf_view(&b.package), ref_b));
	CHECK(!tacit_bytes_eq(tacit_bytes(ref_a, 32), tacit_bytes(ref_b, 32)));
	mls_member_clear(&a);
	mls_member_clear(&b);
}

static void lifetimes(void)
{
	struct mls_member m; /* 1600000000 to 1800000000 */
	struct tacit_env env = tap_env(4);
	struct tacit_mls_leaf_rules r = rules();
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &m)));
	r.now = 1599999999;
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_GONE);
	r.now = 1600000000;
	CHECK_OK(check(tacit_buf_view(&m.package), &r));
	r.now = 1800000001;
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_GONE);
	r.now = 0; /* no clock */
	CHECK_OK(check(tacit_buf_view(&m.package), &r));
	r.lifetime_max = 199999999;
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_UNSUPPORTED);
	mls_member_clear(&m);
}

/* Extensions that are used are listed, those that a group has are supported (7.3, 13.4). */
static void capabilities(void)
{
	static const uint16_t listed = 0xf001;
	static const struct tacit_mls_support support = {
	        .extensions = &listed, .extension_count = 1};
	const uint8_t own[] = {0xf0, 1, 0}, group[] = {0xf0, 2, 0};
	const uint8_t required[] = {0, 3, 5, 0, 2, 0xf0, 9, 0};
	struct mls_member_options o = {
	        .credential = {.type = TACIT_MLS_CREDENTIAL_BASIC},
	        .support = &support,
	        .leaf_extensions = {tacit_bytes(own, sizeof(own))},
	        .extensions = {tacit_bytes(own, sizeof(own))},
	};
	struct mls_member m;
	struct tacit_env env = tap_env(5);
	struct tacit_mls_leaf_rules r = rules();
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, &o, &m)));
	CHECK_OK(check(tacit_buf_view(&m.package), &r));
	r.group_extensions.encoded = tacit_bytes(own, sizeof(own));
	CHECK_OK(check(tacit_buf_view(&m.package), &r));
	r.group_extensions.encoded = tacit_bytes(group, sizeof(group));
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_UNSUPPORTED);
	r.group_extensions.encoded = tacit_bytes(required, sizeof(required));
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_UNSUPPORTED);
	mls_member_clear(&m);

	r = rules();
	o.extensions = (struct tacit_mls_extensions){0};
	o.support = NULL; /* in the leaf, and not listed */
	CHECK_OK(mls_member_make(suite(), &env, &o, &m));
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_UNSUPPORTED);
	mls_member_clear(&m);
	o.extensions = o.leaf_extensions; /* in the package, and not listed */
	o.leaf_extensions = (struct tacit_mls_extensions){0};
	CHECK_OK(mls_member_make(suite(), &env, &o, &m));
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_UNSUPPORTED);
	mls_member_clear(&m);
}

static enum tacit_err nobody(void *ctx, const struct tacit_mls_leaf_node *leaf)
{
	*(struct tacit_bytes *)ctx = leaf->credential.identity;
	return TACIT_E_BAD_CERTIFICATE;
}

static void the_application_decides(void)
{
	struct mls_member m;
	struct tacit_env env = tap_env(6);
	struct tacit_bytes seen = {0};
	struct tacit_mls_leaf_rules r = rules();
	r.check_credential = nobody;
	r.ctx = &seen;
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &m)));
	CHECK_ERR(check(tacit_buf_view(&m.package), &r), TACIT_E_BAD_CERTIFICATE);
	CHECK_BYTES(seen, TACIT_STR("ann"));
	mls_member_clear(&m);
}

/* A leaf of source update is bound to its group and place (7.2). */
static void a_leaf_has_its_place(void)
{
	struct mls_member m;
	struct tacit_env env = tap_env(7);
	struct tacit_buf out = {0};
	struct tacit_mls_leaf_node leaf;
	struct tacit_mls_leaf_rules r = rules();
	REQUIRE(CHECK_OK(mls_member_make(suite(), &env, NULL, &m)));
	struct tacit_bytes sk = tacit_bytes(m.signature_sk, suite()->signature_sk_bytes);
	struct tacit_mls_leaf_place place = {TACIT_STR("group"), 4};
	CHECK_OK(tacit_mls_leaf_node_decode(mls_member_leaf(&m), &leaf));
	leaf.source = TACIT_MLS_LEAF_UPDATE;
	CHECK_ERR(tacit_mls_leaf_node_sign(suite(), &leaf, NULL, sk, &out), TACIT_E_USAGE);
	CHECK_OK(tacit_mls_leaf_node_sign(suite(), &leaf, &place, sk, &out));
	CHECK_OK(tacit_mls_leaf_node_decode(tacit_buf_view(&out), &leaf));
	CHECK_OK(tacit_mls_leaf_node_verify(suite(), &leaf, &place));
	place.index = 5;
	CHECK_ERR(tacit_mls_leaf_node_verify(suite(), &leaf, &place), TACIT_E_BAD_SIGNATURE);
	place = (struct tacit_mls_leaf_place){TACIT_STR("grouq"), 4};
	CHECK_ERR(tacit_mls_leaf_node_verify(suite(), &leaf, &place), TACIT_E_BAD_SIGNATURE);
	CHECK_OK(tacit_mls_leaf_node_check(&leaf, TACIT_MLS_LEAF_UPDATE, &r));
	CHECK_ERR(tacit_mls_leaf_node_check(&leaf, TACIT_MLS_LEAF_COMMIT, &r), TACIT_E_MALFORMED);
	tacit_buf_clear(&out);
	mls_member_clear(&m);
}

static void grease_is_sent(void)
{
	struct tacit_env env = tap_env(8);
	struct tacit_buf store = {0};
	struct tacit_mls_capabilities c;
	CHECK_OK(tacit_mls_capabilities_make(NULL, &env, &store, &c));
	CHECK_INT(tacit_mls_types_count(c.versions), 1);
	REQUIRE(CHECK_INT(tacit_mls_types_count(c.proposals), 1));
	CHECK(tacit_mls_is_grease(tacit_mls_types_at(c.proposals, 0)));
	CHECK(tacit_mls_types_contain(c.suites, TACIT_MLS_SUITE_DEFAULT));
	CHECK_OK(tacit_mls_capabilities_make(NULL, NULL, &store, &c));
	CHECK_INT(tacit_mls_types_count(c.proposals), 0);
	tacit_buf_clear(&store);
}

static enum tacit_err make_and_check(void)
{
	struct mls_member m;
	struct tacit_env env = tap_env(9);
	struct tacit_mls_leaf_rules r = rules();
	enum tacit_err err = mls_member_make(suite(), &env, NULL, &m);
	if (err == TACIT_OK)
		err = check(tacit_buf_view(&m.package), &r);
	mls_member_clear(&m);
	return err;
}

static void allocations(void)
{
	tap_alloc_sweep(make_and_check);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"lists of extensions", extension_lists},
	        {"too many extensions", too_many_extensions},
	        {"lists of types", type_lists},
	        {"what is in extensions", extension_contents},
	        {"credentials", credentials},
	        {"external senders", external_senders},
	        {"key packages of every suite", every_suite},
	        {"tampered key packages", tampered_packages},
	        {"key packages that are well signed and wrong", false_packages},
	        {"versions of message and key package are one", versions_are_one},
	        {"key pairs made ahead serve once", pairs_made_ahead_serve_once},
	        {"references of key packages", key_package_refs_differ},
	        {"lifetimes", lifetimes},
	        {"capabilities", capabilities},
	        {"the application decides", the_application_decides},
	        {"a leaf has its place", a_leaf_has_its_place},
	        {"GREASE is sent", grease_is_sent},
	        {"allocations", allocations},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
