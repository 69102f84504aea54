/* What a member, or whoever stores things for a group, could do to the others: refused, with their
 * groups as they were. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"
#include "mls_people.h"

static struct person a, b;

/* a and b in a group in which a's handshakes are public, so that they can be forged here. */
static bool two(void)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct tacit_mls_commit_result r = {0};
	bool ok = CHECK_OK(person_init(&a, s, "ann")) && CHECK_OK(person_init(&b, s, "bob"));
	struct tacit_mls_create_options o = person_create_options(&a, "two");
	struct tacit_mls_proposal add = add_of(&b);
	o.settings.public_handshakes = true;
	ok = ok && CHECK_OK(tacit_mls_group_create(&o, &a.host, &a.group)) &&
	     CHECK_OK(person_commit(&a, &add, 1, &r)) &&
	     CHECK_OK(tacit_mls_group_accept(a.group)) &&
	     CHECK_OK(person_join(&b, tacit_buf_view(&r.welcome)));
	tacit_mls_commit_result_clear(&r);
	return ok;
}

static void two_end(void)
{
	person_clear(&a);
	person_clear(&b);
}

/* b refuses it with this error, and is as before. */
static void refused(struct tacit_bytes message, enum tacit_err want)
{
	struct tacit_mls_event ev;
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	CHECK_OK(person_save(&b, &before));
	CHECK_ERR(person_process(&b, message, &ev), want);
	CHECK(ev.change_count == 0 && ev.sender_leaf.n == 0);
	CHECK_OK(person_save(&b, &after));
	CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
}

enum part { CONFIRMATION_TAG, PATH_SECRET };

/* The same commit with one bit of a part changed, signed by a and with a good membership tag. */
static bool forge(const struct tacit_buf *commit, enum part part, struct tacit_buf *out)
{
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_buf copy = {0};
	struct tacit_mls_message m;
	struct tacit_scheme_signature signature;
	struct tacit_mls_authenticated *x = &m.public_message.content;
	struct tacit_bytes context = tacit_buf_view(&a.group->now->context);
	bool ok = CHECK_OK(tacit_buf_append(&copy, tacit_buf_view(commit))) &&
	          CHECK_OK(tacit_mls_message_decode(tacit_buf_view(&copy), &m));
	if (ok) {
		/* A commit ends with the secret that is sealed to b. */
		struct tacit_bytes target =
		        part == CONFIRMATION_TAG ? x->confirmation_tag : x->framed.content;
		copy.p[target.p - copy.p + (ptrdiff_t)target.n - 1] ^= 1;
		ok = CHECK_OK(tacit_mls_framing_sign(
		        a.suite, x, context, a.host.signature_sk, &signature));
		x->signature = tacit_bytes(signature.b, signature.n);
	}
	ok = ok && CHECK_OK(tacit_mls_membership_tag(
	                   a.suite, x, context, a.group->now->secrets.membership, tag));
	m.public_message.membership_tag = tacit_bytes(tag, a.suite->hash_bytes);
	ok = ok && CHECK_OK(tacit_mls_message_encode(&m, out));
	tacit_buf_clear(&copy);
	return ok;
}

/* Bad, and yet signed by a member: found at the last steps of a commit (12.4.2). */
static void commits_of_a_false_member_change_nothing(void)
{
	struct tacit_mls_event ev;
	struct tacit_buf forged = {0};
	struct tacit_mls_commit_result r = {0};
	if (two() && CHECK_OK(person_commit(&a, NULL, 0, &r))) {
		CHECK(forge(&r.commit, PATH_SECRET, &forged));
		refused(tacit_buf_view(&forged), TACIT_E_BAD_SEAL);
		tacit_buf_clear(&forged);
		CHECK(forge(&r.commit, CONFIRMATION_TAG, &forged));
		refused(tacit_buf_view(&forged), TACIT_E_BAD_SEAL);
		CHECK_OK(tacit_mls_group_accept(a.group));
		CHECK_OK(person_process(&b, tacit_buf_view(&r.commit), &ev));
		tacit_mls_event_clear(&ev);
		struct person *both[] = {&a, &b, NULL};
		CHECK(all_agree(both));
	}
	tacit_buf_clear(&forged);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

/* b's state is from a backup: what it proposed since then has a key that is gone. */
static void an_update_that_was_forgotten_is_told(void)
{
	struct tacit_mls_event ev;
	struct tacit_buf state = {0}, tree = {0}, update = {0};
	struct tacit_mls_commit_result r = {0};
	if (two() && CHECK_OK(tacit_mls_group_save(b.group, &state)) &&
	        CHECK_OK(tacit_mls_group_save_tree(b.group, &tree))) {
		CHECK_OK(tacit_mls_group_propose_update(
		        b.group, &b.host, NULL, TACIT_STR(""), &update));
		tacit_mls_group_free(b.group);
		CHECK_OK(tacit_mls_group_load(
		        tacit_buf_view(&state), tacit_buf_view(&tree), &b.group));
		CHECK_OK(person_process(&b, tacit_buf_view(&update), &ev));
		tacit_mls_event_clear(&ev);
		CHECK_OK(person_process(&a, tacit_buf_view(&update), &ev));
		tacit_mls_event_clear(&ev);
		CHECK_OK(person_commit(&a, NULL, 0, &r));
		CHECK_INT(r.left_out, 0);
		refused(tacit_buf_view(&r.commit), TACIT_E_CONFLICT);
	}
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	tacit_buf_clear(&update);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

static enum tacit_err no_robots(void *ctx, const struct tacit_mls_external_sender *sender)
{
	(void)ctx;
	bool robot = tacit_bytes_eq(sender->credential.identity, TACIT_STR("robot"));
	return robot ? TACIT_E_BAD_CERTIFICATE : TACIT_OK;
}

/* A list of extensions with two external senders, the second of which is a robot. */
static bool list_senders(struct tacit_buf *out)
{
	struct tacit_buf data = {0};
	struct tacit_mls_external_sender sender = {tacit_bytes(b.pk, 32),
	        {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("a clerk")}};
	struct tacit_writer w = tacit_writer(&data);
	size_t begin = tacit_mls_vec_begin(&w);
	tacit_mls_write_external_sender(&w, &sender);
	sender.credential.identity = TACIT_STR("robot");
	tacit_mls_write_external_sender(&w, &sender);
	tacit_mls_vec_end(&w, begin);
	bool ok = CHECK_OK(tacit_writer_finish(&w));
	w = tacit_writer(out);
	tacit_mls_write_extension(&w, (struct tacit_mls_extension){TACIT_MLS_EXT_EXTERNAL_SENDERS,
	                                      tacit_buf_view(&data)});
	ok = CHECK_OK(tacit_writer_finish(&w)) && ok;
	tacit_buf_clear(&data);
	return ok;
}

/* 5.3.1: when they are added, and when one joins. */
static void external_senders_are_vouched_for(void)
{
	struct tacit_buf list = {0}, info = {0}, commit = {0};
	struct tacit_mls_group *g = NULL;
	struct tacit_mls_commit_result r = {0};
	if (two() && list_senders(&list)) {
		struct tacit_mls_proposal p = {.type = TACIT_MLS_CONTEXT_EXTENSIONS,
		        .extensions = {tacit_buf_view(&list)}};
		CHECK_OK(person_commit(&a, &p, 1, &r));
		b.host.check_external_sender = no_robots;
		refused(tacit_buf_view(&r.commit), TACIT_E_BAD_CERTIFICATE);
		CHECK_OK(tacit_mls_group_accept(a.group));
		CHECK_OK(tacit_mls_group_info(a.group, &a.host,
		        TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, &info));
		CHECK_OK(person_renew(&b));
		struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(&info),
		        .key_package = tacit_buf_view(&b.key_package)};
		CHECK_ERR(tacit_mls_group_external_join(&o, &b.host, &commit, &g),
		        TACIT_E_BAD_CERTIFICATE);
		struct tacit_mls_create_options create = person_create_options(&b, "other");
		create.extensions = p.extensions;
		CHECK_ERR(tacit_mls_group_create(&create, &b.host, &g), TACIT_E_BAD_CERTIFICATE);
		CHECK(g == NULL && commit.n == 0);
	}
	tacit_buf_clear(&list);
	tacit_buf_clear(&info);
	tacit_buf_clear(&commit);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

/* Proposals wait in memory and in every stored state: there is a limit to all of them. */
static void waiting_proposals_are_bounded(void)
{
	const size_t n = 1u << 20;
	struct tacit_buf m = {0};
	char *id = tacit_calloc(n, 1);
	REQUIRE(id != NULL);
	if (two()) {
		struct tacit_mls_event ev;
		struct tacit_mls_proposal psk = psk_of("");
		psk.psk.id = tacit_bytes(id, n);
		for (int i = 0; i < 7; i++) {
			tacit_buf_clear(&m);
			CHECK_OK(
			        tacit_mls_group_propose(a.group, &a.host, &psk, TACIT_STR(""), &m));
			CHECK_OK(person_process(&b, tacit_buf_view(&m), &ev));
			tacit_mls_event_clear(&ev);
		}
		CHECK(person_reload(&b));
		tacit_mls_group_clear_proposals(a.group);
		tacit_buf_clear(&m);
		CHECK_OK(tacit_mls_group_propose(a.group, &a.host, &psk, TACIT_STR(""), &m));
		refused(tacit_buf_view(&m), TACIT_E_LIMIT);
		tacit_mls_group_clear_proposals(b.group);
		CHECK_OK(person_process(&b, tacit_buf_view(&m), &ev));
		tacit_mls_event_clear(&ev);
	}
	tacit_free(id);
	tacit_buf_clear(&m);
	two_end();
}

/* --- Trees --- */

/* A leaf with so long a name. Its keys are in the first bytes: number makes them different. */
static bool make_leaf(size_t name, struct tacit_buf *out)
{
	struct tacit_mls_leaf_node leaf;
	struct tacit_mls_leaf_place place = {TACIT_STR("two"), 0};
	char *identity = tacit_calloc(name, 1);
	bool ok = identity != NULL && CHECK_OK(tacit_mls_own_leaf(a.group, NULL, &leaf));
	if (ok) {
		leaf.credential.identity = tacit_bytes(identity, name);
		ok = CHECK_OK(
		        tacit_mls_leaf_node_sign(a.suite, &leaf, &place, a.host.signature_sk, out));
	}
	tacit_free(identity);
	return ok;
}

static void number(struct tacit_buf *leaf, uint32_t x)
{
	enum { ENCRYPTION_KEY = 1, SIGNATURE_KEY = 34 };
	memcpy(leaf->p + ENCRYPTION_KEY, &x, sizeof(x));
	memcpy(leaf->p + SIGNATURE_KEY, &x, sizeof(x));
}

/* Of a key that comes many times each one would be compared with all before. */
static void a_tree_with_a_key_twice_is_not_read(void)
{
	struct tacit_buf leaf = {0}, encoded = {0};
	struct tacit_mls_tree *t = NULL;
	if (two() && make_leaf(3, &leaf)) {
		struct tacit_writer w = tacit_writer(&encoded);
		size_t begin = tacit_mls_vec_begin(&w);
		for (uint32_t i = 0; i < 3; i++) {
			tacit_mls_write_optional(&w, i != 1);
			if (i == 1)
				continue;
			tacit_write_u8(&w, 1);
			tacit_write_raw(&w, tacit_buf_view(&leaf));
		}
		tacit_mls_vec_end(&w, begin);
		CHECK_OK(tacit_writer_finish(&w));
		CHECK_ERR(tacit_mls_tree_decode(a.suite, tacit_buf_view(&encoded), &t),
		        TACIT_E_EXISTS);
		CHECK(t == NULL);
	}
	tacit_buf_clear(&leaf);
	tacit_buf_clear(&encoded);
	two_end();
}

/* A member adds others with long names until no one could load the group any more. */
static void a_tree_that_could_not_be_read_again_is_refused(void)
{
	struct tacit_buf leaf = {0}, encoded = {0};
	struct tacit_mls_tree *t = NULL;
	struct tacit_mls_tree *again = NULL;
	uint32_t at;
	enum tacit_err err = TACIT_OK;
	if (two() && make_leaf(65000, &leaf) && CHECK_OK(tacit_mls_tree_new(a.suite, &t))) {
		const uint32_t fit = TACIT_MLS_TREE_MAX_BYTES / (uint32_t)(leaf.n + 10);
		CHECK_OK(tacit_mls_tree_stage(t));
		for (uint32_t i = 0; err == TACIT_OK && i < fit; i++) {
			number(&leaf, i);
			err = tacit_mls_tree_add(t, tacit_buf_view(&leaf), &at);
		}
		CHECK_OK(err);
		CHECK_OK(tacit_mls_tree_check(t));
		CHECK_OK(tacit_mls_tree_encode(t, &encoded));
		CHECK_OK(tacit_mls_tree_decode(a.suite, tacit_buf_view(&encoded), &again));
		for (uint32_t i = fit; i < fit + 2; i++) {
			number(&leaf, i);
			CHECK_OK(tacit_mls_tree_add(t, tacit_buf_view(&leaf), &at));
		}
		CHECK_ERR(tacit_mls_tree_check(t), TACIT_E_TOO_LARGE);
		CHECK_OK(tacit_mls_tree_remove(t, 0));
		CHECK_OK(tacit_mls_tree_remove(t, 1));
		CHECK_OK(tacit_mls_tree_check(t));
		tacit_mls_tree_drop(t);
		CHECK_OK(tacit_mls_tree_check(t));
	}
	tacit_mls_tree_free(t);
	tacit_mls_tree_free(again);
	tacit_buf_clear(&leaf);
	tacit_buf_clear(&encoded);
	two_end();
}

static const struct tap_case cases[] = {
        {"commits of a false member change nothing", commits_of_a_false_member_change_nothing},
        {"an Update that was forgotten is told", an_update_that_was_forgotten_is_told},
        {"external senders are vouched for", external_senders_are_vouched_for},
        {"waiting proposals are bounded", waiting_proposals_are_bounded},
        {"a tree with a key twice is not read", a_tree_with_a_key_twice_is_not_read},
        {"a tree that could not be read again is refused",
                a_tree_that_could_not_be_read_again_is_refused},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
