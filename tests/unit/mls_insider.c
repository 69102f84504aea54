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

/* --- Lists that no committer may commit: 12.2, as those who receive them see it --- */

static struct tacit_bytes encode_list(
        const struct tacit_mls_proposal_or_ref *list, size_t n, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	out->n = 0;
	for (size_t i = 0; i < n; i++)
		tacit_mls_write_proposal_or_ref(&w, &list[i]);
	CHECK_OK(tacit_writer_finish(&w));
	return tacit_buf_view(out);
}

/* A commit of sender's with this content, well signed; of a member, with a good membership tag. */
static void forge_commit(const struct person *sender, uint8_t type, struct tacit_bytes content,
        struct tacit_buf *out)
{
	static const uint8_t no_tag[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_scheme_signature signature;
	struct tacit_bytes context = tacit_buf_view(&a.group->now->context);
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PUBLIC_MESSAGE};
	struct tacit_mls_authenticated *x = &m.public_message.content;
	*x = (struct tacit_mls_authenticated){.wire_format = TACIT_MLS_PUBLIC_MESSAGE,
	        .framed = {.group_id = tacit_buf_view(&a.group->group_id),
	                .epoch = a.group->now->number,
	                .sender = {type, 0},
	                .content_type = TACIT_MLS_CONTENT_COMMIT,
	                .content = content},
	        .confirmation_tag = tacit_bytes(no_tag, a.suite->hash_bytes)};
	CHECK_OK(
	        tacit_mls_framing_sign(a.suite, x, context, sender->host.signature_sk, &signature));
	x->signature = tacit_bytes(signature.b, signature.n);
	CHECK_OK(tacit_mls_membership_tag(
	        a.suite, x, context, a.group->now->secrets.membership, tag));
	m.public_message.membership_tag = tacit_bytes(tag, a.suite->hash_bytes);
	out->n = 0;
	CHECK_OK(tacit_mls_message_encode(&m, out));
}

/* a commits these, without a path. */
static void refuse_list(const struct tacit_mls_proposal *p, size_t n, enum tacit_err want)
{
	struct tacit_mls_proposal_or_ref list[2] = {{0}};
	struct tacit_buf encoded = {0}, commit = {0}, message = {0};
	struct tacit_writer w = tacit_writer(&commit);
	for (size_t i = 0; i < n; i++)
		list[i].proposal = p[i];
	tacit_mls_write_commit(&w, encode_list(list, n, &encoded), tacit_bytes(NULL, 0));
	CHECK_OK(tacit_writer_finish(&w));
	forge_commit(&a, TACIT_MLS_SENDER_MEMBER, tacit_buf_view(&commit), &message);
	refused(tacit_buf_view(&message), want);
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&commit);
	tacit_buf_clear(&message);
}

enum update_key { SAME_KEY, NEW_KEY };

/* a's leaf, as an Update has it, with its present key or with another. */
static void make_update(enum update_key key, struct tacit_buf *out)
{
	struct tacit_mls_leaf_node leaf;
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES], pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_mls_leaf_place place = {tacit_buf_view(&a.group->group_id), 0};
	CHECK_OK(tacit_mls_own_leaf(a.group, NULL, &leaf));
	CHECK_OK(tacit_mls_kem_keypair(a.suite, &a.env, sk, pk));
	if (key == NEW_KEY)
		leaf.encryption_key = tacit_bytes(pk, a.suite->kem_public_bytes);
	leaf.source = TACIT_MLS_LEAF_UPDATE;
	out->n = 0;
	CHECK_OK(tacit_mls_leaf_node_sign(a.suite, &leaf, &place, a.host.signature_sk, out));
}

static void lists_of_a_false_member_are_refused(void)
{
	struct person cat;
	struct tacit_buf update = {0};
	const uint8_t nonce[TACIT_MLS_HASH_MAX_BYTES] = {1};
	if (two() && CHECK_OK(person_init(&cat, a.suite, "cat"))) {
		struct tacit_mls_proposal p[2] = {remove_of(0)};
		refuse_list(p, 0, TACIT_E_MALFORMED); /* empty, and without a path */
		refuse_list(p, 1, TACIT_E_MALFORMED); /* the committer */
		p[0] = remove_of(1);
		refuse_list(p, 1, TACIT_E_MALFORMED); /* needs a path */
		p[0] = remove_of(7);
		refuse_list(p, 1, TACIT_E_NOT_FOUND);
		p[0] = p[1] = remove_of(1);
		refuse_list(p, 2, TACIT_E_MALFORMED);
		p[0] = add_of(&b);
		refuse_list(p, 1, TACIT_E_EXISTS);
		p[0] = p[1] = add_of(&cat);
		refuse_list(p, 2, TACIT_E_EXISTS);
		refuse_list(p, 1, TACIT_E_BAD_SEAL); /* good, but for the confirmation tag */
		p[0] = (struct tacit_mls_proposal){.type = TACIT_MLS_REINIT,
		        .reinit = {.group_id = TACIT_STR("x"), .version = 1, .suite = 1}};
		refuse_list(p, 2, TACIT_E_MALFORMED); /* not alone */
		refuse_list(p, 1, TACIT_E_BAD_SEAL);
		p[0].reinit.version = 0;
		refuse_list(p, 1, TACIT_E_MALFORMED);
		p[0] = p[1] = (struct tacit_mls_proposal){.type = TACIT_MLS_CONTEXT_EXTENSIONS};
		refuse_list(p, 1, TACIT_E_MALFORMED); /* needs a path */
		refuse_list(p, 2, TACIT_E_MALFORMED);
		p[0] = (struct tacit_mls_proposal){
		        .type = TACIT_MLS_EXTERNAL_INIT, .kem_output = tacit_bytes(nonce, 32)};
		refuse_list(p, 1, TACIT_E_MALFORMED);
		p[0] = psk_of("the word");
		p[0].psk.nonce = tacit_bytes(nonce, 31);
		refuse_list(p, 1, TACIT_E_MALFORMED);
		p[0].psk.nonce = tacit_bytes(nonce, 32);
		refuse_list(p, 1, TACIT_E_NOT_FOUND); /* b does not know it */
		b.has_psk = true;
		refuse_list(p, 1, TACIT_E_BAD_SEAL);
		p[1] = p[0];
		refuse_list(p, 2, TACIT_E_MALFORMED);
		p[0].psk.type = TACIT_MLS_PSK_RESUMPTION;
		p[0].psk.usage = TACIT_MLS_PSK_REINIT;
		refuse_list(p, 1, TACIT_E_MALFORMED);
		make_update(NEW_KEY, &update);
		p[0] = (struct tacit_mls_proposal){
		        .type = TACIT_MLS_UPDATE, .update.encoded = tacit_buf_view(&update)};
		refuse_list(p, 1, TACIT_E_MALFORMED); /* the committer's own */
		person_clear(&cat);
	}
	tacit_buf_clear(&update);
	two_end();
}

/* cat comes by an external commit with this list and that path. */
static void refuse_joiner(const struct person *cat, const struct tacit_mls_proposal_or_ref *list,
        size_t n, struct tacit_bytes path, enum tacit_err want)
{
	struct tacit_buf encoded = {0}, commit = {0}, message = {0};
	struct tacit_writer w = tacit_writer(&commit);
	tacit_mls_write_commit(&w, encode_list(list, n, &encoded), path);
	CHECK_OK(tacit_writer_finish(&w));
	forge_commit(cat, TACIT_MLS_SENDER_NEW_MEMBER_COMMIT, tacit_buf_view(&commit), &message);
	refused(tacit_buf_view(&message), want);
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&commit);
	tacit_buf_clear(&message);
}

static void lists_of_a_false_joiner_are_refused(void)
{
	struct person cat;
	struct tacit_mls_event ev;
	struct tacit_mls_message m;
	struct tacit_mls_commit good;
	struct tacit_buf info = {0}, commit = {0}, psk = {0};
	if (two() && CHECK_OK(person_init(&cat, a.suite, "cat"))) {
		struct tacit_mls_proposal word = psk_of("the word");
		CHECK_OK(tacit_mls_group_propose(a.group, &a.host, &word, TACIT_STR(""), &psk));
		CHECK_OK(person_process(&b, tacit_buf_view(&psk), &ev));
		tacit_mls_event_clear(&ev);
		CHECK_OK(tacit_mls_group_info(a.group, &a.host,
		        TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, &info));
		struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(&info),
		        .key_package = tacit_buf_view(&cat.key_package)};
		CHECK_OK(tacit_mls_group_external_join(&o, &cat.host, &commit, &cat.group));
		CHECK_OK(tacit_mls_message_decode(tacit_buf_view(&commit), &m));
		CHECK_OK(tacit_mls_commit_decode(m.public_message.content.framed.content, &good));
		struct tacit_reader it = tacit_reader(good.proposals);
		struct tacit_mls_proposal_or_ref list[3] = {{0}};
		CHECK(tacit_mls_commit_next(&it, &list[0])); /* ExternalInit */
		struct tacit_bytes path = good.path.encoded;
		refuse_joiner(&cat, list, 1, path, TACIT_E_BAD_SEAL); /* as above */
		refuse_joiner(&cat, list, 0, path, TACIT_E_MALFORMED);
		refuse_joiner(&cat, list, 1, tacit_bytes(NULL, 0), TACIT_E_MALFORMED);
		list[1] = list[0];
		refuse_joiner(&cat, list, 2, path, TACIT_E_MALFORMED);
		list[1].proposal = add_of(&cat);
		refuse_joiner(&cat, list, 2, path, TACIT_E_MALFORMED);
		list[1].proposal = remove_of(0); /* nobody takes the place of another */
		refuse_joiner(&cat, list, 2, path, TACIT_E_KEY_CHANGED);
		list[2].proposal = remove_of(1);
		refuse_joiner(&cat, list, 3, path, TACIT_E_MALFORMED);
		list[1] = (struct tacit_mls_proposal_or_ref){.by_reference = true,
		        .reference =
		                tacit_bytes(b.group->cached[0]->reference, b.suite->hash_bytes)};
		refuse_joiner(&cat, list, 2, path, TACIT_E_MALFORMED);
		CHECK_OK(person_process(&b, tacit_buf_view(&commit), &ev));
		tacit_mls_event_clear(&ev);
		person_clear(&cat);
	}
	tacit_buf_clear(&info);
	tacit_buf_clear(&commit);
	tacit_buf_clear(&psk);
	two_end();
}

/* 7.3: what does not renew anything is no Update. */
static void an_update_has_a_new_key(void)
{
	struct tacit_buf leaf = {0}, sent = {0};
	struct tacit_mls_event ev;
	if (two()) {
		for (int i = 0; i < 2; i++) {
			make_update(i == 0 ? SAME_KEY : NEW_KEY, &leaf);
			struct tacit_mls_item item = {.sender = {TACIT_MLS_SENDER_MEMBER, 0}};
			struct tacit_buf encoded = {0};
			struct tacit_writer w = tacit_writer(&encoded);
			item.p = (struct tacit_mls_proposal){
			        .type = TACIT_MLS_UPDATE, .update.encoded = tacit_buf_view(&leaf)};
			tacit_mls_write_proposal(&w, &item.p);
			CHECK_OK(tacit_writer_finish(&w));
			CHECK_OK(tacit_mls_proposal_decode(tacit_buf_view(&encoded), &item.p));
			struct tacit_mls_plan plan = {.committer = UINT32_MAX};
			CHECK_ERR(tacit_mls_item_check(b.group, &b.host, &plan, &item),
			        i == 0 ? TACIT_E_MALFORMED : TACIT_OK);
			item.sender.index = 1; /* b's place, a's signature */
			CHECK(tacit_mls_item_check(b.group, &b.host, &plan, &item) != TACIT_OK);
			tacit_buf_clear(&encoded);
		}
		CHECK_OK(tacit_mls_group_propose_update(
		        a.group, &a.host, NULL, TACIT_STR(""), &sent));
		CHECK_OK(person_process(&b, tacit_buf_view(&sent), &ev));
		tacit_mls_event_clear(&ev);
	}
	tacit_buf_clear(&leaf);
	tacit_buf_clear(&sent);
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
        {"lists of a false member are refused", lists_of_a_false_member_are_refused},
        {"lists of a false joiner are refused", lists_of_a_false_joiner_are_refused},
        {"an Update has a new key", an_update_has_a_new_key},
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
