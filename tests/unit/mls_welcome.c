/* mls_welcome.c - Welcomes and messages of a member who lies, well sealed and well signed: RFC 9420
 * 6, 12.4.3.1. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"
#include "mls_people.h"

static struct person a, b;
static struct tacit_mls_commit_result added; /* a's commit that adds b, accepted */
static struct tacit_buf secrets_plain, info_plain;
static struct tacit_mls_group_secrets secrets;
static const uint8_t no_psk[TACIT_MLS_HASH_MAX_BYTES];

static bool set_up(void)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct tacit_mls_message m;
	uint8_t ref[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_encrypted_secrets entry;
	bool ok = CHECK_OK(person_init(&a, s, "ann")) && CHECK_OK(person_init(&b, s, "bob")) &&
	          CHECK_OK(person_create(&a, "g"));
	struct tacit_mls_proposal add = add_of(&b);
	ok = ok && CHECK_OK(person_commit(&a, &add, 1, &added)) &&
	     CHECK_OK(tacit_mls_group_accept(a.group)) &&
	     CHECK_OK(tacit_mls_message_decode(tacit_buf_view(&added.welcome), &m)) &&
	     CHECK_OK(tacit_mls_key_package_ref(s, tacit_buf_view(&b.key_package), ref)) &&
	     CHECK_OK(tacit_mls_welcome_find(&m.welcome, tacit_bytes(ref, 32), &entry)) &&
	     CHECK_OK(tacit_mls_welcome_open_secrets(
	             s, &m.welcome, &entry, b.secrets.init_sk, &secrets_plain));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&secrets_plain));
	tacit_mls_read_group_secrets(&r, &secrets);
	return ok && CHECK_OK(tacit_reader_end(&r)) &&
	       CHECK_OK(tacit_mls_welcome_open_info(
	               s, &m.welcome, secrets.joiner_secret.p, no_psk, &info_plain));
}

static void tear_down(void)
{
	person_clear(&a);
	person_clear(&b);
	tacit_mls_commit_result_clear(&added);
	tacit_buf_clear(&secrets_plain);
	tacit_buf_clear(&info_plain);
}

/* A Welcome for b with these secrets and this GroupInfo. */
static void write_welcome(
        const struct tacit_mls_group_secrets *with, struct tacit_bytes info, struct tacit_buf *out)
{
	uint8_t ref[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES], sealed[256];
	struct tacit_mls_key_package kp;
	struct tacit_mls_welcome_key key;
	struct tacit_buf plain = {0}, sealed_info = {0}, entry = {0};
	struct tacit_writer w = tacit_writer(&plain);
	tacit_mls_write_group_secrets(&w, with);
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_welcome_key(a.suite, with->joiner_secret.p, no_psk, &key));
	CHECK_OK(tacit_buf_reserve(&sealed_info, info.n + TACIT_MLS_TAG_BYTES));
	CHECK_OK(tacit_aead_seal_once(
	        a.suite->aead, key.key, key.nonce, tacit_bytes(NULL, 0), info, sealed_info.p));
	sealed_info.n = info.n + TACIT_MLS_TAG_BYTES;
	CHECK_OK(tacit_mls_key_package_decode(tacit_buf_view(&b.key_package), &kp));
	CHECK_OK(tacit_mls_key_package_ref(a.suite, kp.encoded, ref));
	struct tacit_mls_label label = {TACIT_STR("Welcome"), tacit_buf_view(&sealed_info)};
	REQUIRE(CHECK(plain.n + TACIT_MLS_TAG_BYTES <= sizeof(sealed)));
	CHECK_OK(tacit_mls_encrypt(a.suite, kp.init_key, label, tacit_buf_view(&plain), &a.env,
	        (struct tacit_mls_ciphertext_room){enc, sealed}));
	struct tacit_mls_encrypted_secrets x = {tacit_bytes(ref, a.suite->hash_bytes),
	        tacit_bytes(enc, a.suite->kem_enc_bytes),
	        tacit_bytes(sealed, plain.n + TACIT_MLS_TAG_BYTES)};
	w = tacit_writer(&entry);
	tacit_mls_write_encrypted_secrets(&w, &x);
	CHECK_OK(tacit_writer_finish(&w));
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_WELCOME,
	        .welcome = {a.suite->id, tacit_buf_view(&entry), tacit_buf_view(&sealed_info)}};
	out->n = 0;
	CHECK_OK(tacit_mls_message_encode(&m, out));
	tacit_buf_clear(&plain);
	tacit_buf_clear(&sealed_info);
	tacit_buf_clear(&entry);
}

static void joins(const struct tacit_mls_group_secrets *with, const struct person *signer,
        const struct tacit_mls_group_info *info, enum tacit_err want)
{
	struct tacit_buf encoded = {0}, welcome = {0};
	CHECK_OK(tacit_mls_group_info_sign(a.suite, info, signer->host.signature_sk, &encoded));
	write_welcome(with, tacit_buf_view(&encoded), &welcome);
	CHECK_ERR(person_join(&b, tacit_buf_view(&welcome)), want);
	tacit_mls_group_free(b.group);
	b.group = NULL;
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&welcome);
}

/* The GroupInfo as it came, to be changed in one place. */
static struct tacit_mls_group_info as_it_came(void)
{
	struct tacit_mls_group_info info;
	CHECK_OK(tacit_mls_group_info_decode(tacit_buf_view(&info_plain), &info));
	return info;
}

static void what_a_welcome_says_is_checked(void)
{
	uint8_t flipped[TACIT_MLS_HASH_MAX_BYTES];
	REQUIRE(set_up());
	struct tacit_mls_group_info info = as_it_came();
	joins(&secrets, &a, &info, TACIT_OK);
	joins(&secrets, &b, &info, TACIT_E_BAD_SIGNATURE);
	info.signer = 1; /* the newcomer itself */
	struct tacit_mls_group_secrets alone = secrets;
	alone.has_path_secret = false;
	joins(&secrets, &b, &info, TACIT_E_MALFORMED);
	joins(&alone, &b, &info, TACIT_E_MALFORMED);
	info.signer = 7;
	joins(&secrets, &a, &info, TACIT_E_UNKNOWN_SENDER);
	info = as_it_came();
	memcpy(flipped, info.confirmation_tag.p, 32);
	flipped[0] ^= 1;
	info.confirmation_tag = tacit_bytes(flipped, 32);
	joins(&secrets, &a, &info, TACIT_E_BAD_SEAL);
	info = as_it_came();
	memcpy(flipped, info.context.tree_hash.p, 32);
	flipped[0] ^= 1;
	info.context.tree_hash = tacit_bytes(flipped, 32);
	joins(&secrets, &a, &info, TACIT_E_MALFORMED);
	info = as_it_came();
	info.context.suite = 3;
	joins(&secrets, &a, &info, TACIT_E_UNSUPPORTED);
	info = as_it_came();
	info.context.group_id = TACIT_STR("h");
	joins(&secrets, &a, &info, TACIT_E_BAD_SIGNATURE); /* of the leaf that has committed */
	tear_down();
}

static void what_a_welcome_gives_is_checked(void)
{
	uint8_t path_secret[TACIT_MLS_HASH_MAX_BYTES];
	REQUIRE(set_up());
	struct tacit_mls_group_info info = as_it_came();
	struct tacit_mls_group_secrets s = secrets;
	REQUIRE(CHECK_INT(s.path_secret.n, 32));
	memcpy(path_secret, s.path_secret.p, 32);
	path_secret[0] ^= 1;
	s.path_secret = tacit_bytes(path_secret, 32);
	joins(&s, &a, &info, TACIT_E_MALFORMED); /* its key is not that in the tree */
	s.path_secret.n = 31;
	joins(&s, &a, &info, TACIT_E_MALFORMED);
	s = secrets;
	s.joiner_secret = tacit_bytes(path_secret, 32);
	joins(&s, &a, &info, TACIT_E_BAD_SEAL);
	tear_down();
}

/* The leaf in the group is another one of b's. */
static void ones_leaf_is_as_one_made_it(void)
{
	struct tacit_buf before = {0}, tree = {0}, extension = {0};
	struct tacit_mls_tree *t = NULL;
	struct tacit_mls_key_package kp;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	uint32_t leaf;
	REQUIRE(set_up());
	CHECK_OK(tacit_buf_append(&before, tacit_buf_view(&b.key_package)));
	struct tacit_mls_key_package_secrets mine = b.secrets;
	CHECK_OK(person_renew(&b));
	CHECK_OK(tacit_mls_key_package_decode(tacit_buf_view(&b.key_package), &kp));
	CHECK_OK(tacit_mls_tree_new(a.suite, &t)); /* without parents: a alone has added b */
	CHECK_OK(tacit_mls_tree_stage(t));
	struct tacit_mls_key_package first;
	CHECK_OK(tacit_mls_key_package_decode(tacit_buf_view(&a.key_package), &first));
	CHECK_OK(tacit_mls_tree_add(t, first.leaf.encoded, &leaf));
	CHECK_OK(tacit_mls_tree_add(t, kp.leaf.encoded, &leaf));
	CHECK_OK(tacit_mls_tree_hash(t, hash));
	CHECK_OK(tacit_mls_tree_encode(t, &tree));
	struct tacit_writer w = tacit_writer(&extension);
	tacit_mls_write_extension(&w,
	        (struct tacit_mls_extension){TACIT_MLS_EXT_RATCHET_TREE, tacit_buf_view(&tree)});
	CHECK_OK(tacit_writer_finish(&w));
	struct tacit_mls_group_info info = as_it_came();
	info.context.tree_hash = tacit_bytes(hash, 32);
	info.extensions.encoded = tacit_buf_view(&extension);
	struct tacit_mls_group_secrets s = secrets;
	s.has_path_secret = false;
	tacit_buf_clear(&b.key_package);
	b.key_package = before;
	b.secrets = mine;
	joins(&s, &a, &info, TACIT_E_WRONG_RECIPIENT);
	tacit_mls_tree_free(t);
	tacit_buf_clear(&tree);
	tacit_buf_clear(&extension);
	tear_down();
}

/* 11.3: with a proof of where it comes from, and yet no beginning. */
static void a_successor_is_at_its_beginning(void)
{
	struct tacit_mls_group *branch = NULL, *joined = NULL;
	struct tacit_mls_commit_result r;
	REQUIRE(set_up());
	REQUIRE(CHECK_OK(person_join(&b, tacit_buf_view(&added.welcome))));
	CHECK_OK(person_renew(&a));
	CHECK_OK(person_renew(&b));
	struct tacit_mls_create_options o = person_create_options(&a, "h");
	struct tacit_mls_proposal add = add_of(&b);
	struct tacit_mls_commit_options co = {.proposals = &add, .proposal_count = 1};
	for (int epoch = 1; epoch <= 2; epoch++) {
		CHECK_OK(tacit_mls_group_succeed(
		        a.group, TACIT_MLS_SUCCEED_BRANCH, &o, &a.host, &branch));
		if (epoch == 2) {
			CHECK_OK(tacit_mls_group_commit(
			        branch, &a.host, &(struct tacit_mls_commit_options){0}, &r));
			CHECK_OK(tacit_mls_group_accept(branch));
			tacit_mls_commit_result_clear(&r);
			CHECK_OK(tacit_mls_origin_set(&branch->origin, a.group,
			        TACIT_MLS_SUCCEED_BRANCH, tacit_mls_group_epoch(a.group)));
		}
		CHECK_OK(tacit_mls_group_commit(branch, &a.host, &co, &r));
		struct tacit_mls_join_options jo = {.welcome = tacit_buf_view(&r.welcome),
		        .key_package = tacit_buf_view(&b.key_package),
		        .secrets = &b.secrets,
		        .origin = b.group};
		CHECK_ERR(tacit_mls_group_join(&jo, &b.host, &joined),
		        epoch == 1 ? TACIT_OK : TACIT_E_CONFLICT);
		tacit_mls_group_free(joined);
		tacit_mls_group_free(branch);
		tacit_mls_commit_result_clear(&r);
	}
	tear_down();
}

/* 11.3: in a branch nobody is who was not in the group. */
static void a_branch_has_no_strangers(void)
{
	struct person cat;
	struct tacit_mls_group *branch = NULL, *joined = NULL;
	struct tacit_mls_commit_result r;
	REQUIRE(set_up() && CHECK_OK(person_init(&cat, a.suite, "cat")));
	REQUIRE(CHECK_OK(person_join(&b, tacit_buf_view(&added.welcome))));
	CHECK_OK(person_renew(&a));
	CHECK_OK(person_renew(&b));
	struct tacit_mls_create_options o = person_create_options(&a, "h");
	struct tacit_mls_proposal adds[] = {add_of(&b), add_of(&cat)};
	struct tacit_mls_commit_options co = {.proposals = adds, .proposal_count = 2};
	CHECK_OK(tacit_mls_group_succeed(a.group, TACIT_MLS_SUCCEED_BRANCH, &o, &a.host, &branch));
	CHECK_OK(tacit_mls_group_commit(branch, &a.host, &co, &r));
	struct tacit_mls_join_options jo = {.welcome = tacit_buf_view(&r.welcome),
	        .key_package = tacit_buf_view(&b.key_package),
	        .secrets = &b.secrets,
	        .origin = b.group};
	CHECK_ERR(tacit_mls_group_join(&jo, &b.host, &joined), TACIT_E_CONFLICT);
	tacit_mls_group_free(branch);
	tacit_mls_commit_result_clear(&r);
	person_clear(&cat);
	tear_down();
}

/* 11.2: all who were in the group are in the one that takes its place, which is as it was
 * announced. */
static void a_reinit_leaves_nobody_behind(void)
{
	struct person cat;
	struct tacit_mls_event ev;
	struct tacit_mls_group *again = NULL, *joined = NULL;
	struct tacit_mls_commit_result r;
	REQUIRE(set_up() && CHECK_OK(person_init(&cat, a.suite, "cat")));
	REQUIRE(CHECK_OK(person_join(&b, tacit_buf_view(&added.welcome))));
	struct tacit_mls_proposal add = add_of(&cat);
	struct tacit_mls_proposal reinit = {.type = TACIT_MLS_REINIT,
	        .reinit = {
	                .group_id = TACIT_STR("h"), .version = TACIT_MLS_VERSION_10, .suite = 1}};
	const struct tacit_mls_proposal *steps[] = {&add, &reinit};
	for (size_t i = 0; i < TACIT_COUNT(steps); i++) {
		CHECK_OK(person_commit(&a, steps[i], 1, &r));
		CHECK_OK(tacit_mls_group_accept(a.group));
		CHECK_OK(person_process(&b, tacit_buf_view(&r.commit), &ev));
		tacit_mls_event_clear(&ev);
		tacit_mls_commit_result_clear(&r);
	}
	for (size_t n = 1; n <= 2; n++) {
		CHECK_OK(person_renew(&a));
		CHECK_OK(person_renew(&b));
		CHECK_OK(person_renew(&cat));
		struct tacit_mls_create_options o = person_create_options(&a, "ignored");
		struct tacit_mls_proposal adds[] = {add_of(&b), add_of(&cat)};
		struct tacit_mls_commit_options co = {.proposals = adds, .proposal_count = n};
		CHECK_OK(tacit_mls_group_succeed(
		        a.group, TACIT_MLS_SUCCEED_REINIT, &o, &a.host, &again));
		CHECK_OK(tacit_mls_group_commit(again, &a.host, &co, &r));
		struct tacit_mls_join_options jo = {.welcome = tacit_buf_view(&r.welcome),
		        .key_package = tacit_buf_view(&b.key_package),
		        .secrets = &b.secrets,
		        .origin = b.group};
		CHECK_ERR(tacit_mls_group_join(&jo, &b.host, &joined),
		        n == 1 ? TACIT_E_CONFLICT : TACIT_OK);
		tacit_mls_group_free(joined);
		tacit_mls_group_free(again);
		tacit_mls_commit_result_clear(&r);
	}
	person_clear(&cat);
	tear_down();
}

static const struct tap_case cases[] = {
        {"what a Welcome says is checked", what_a_welcome_says_is_checked},
        {"what a Welcome gives is checked", what_a_welcome_gives_is_checked},
        {"a successor is at its beginning", a_successor_is_at_its_beginning},
        {"a branch has no strangers", a_branch_has_no_strangers},
        {"a reinit leaves nobody behind", a_reinit_leaves_nobody_behind},
        {"one's leaf is as one made it", ones_leaf_is_as_one_made_it},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
