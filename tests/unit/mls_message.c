/* mls_message.c - messages of those who lie, well sealed and well signed: who may say what, and in
 * which form (RFC 9420 5.3.1, 6, 7.3, 12.1.8). */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"
#include "mls_people.h"

static struct person a, b, outside;

/* a and b in a group to which `outside` may propose; a's handshakes are public. */
static bool set_up(void)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct tacit_buf data = {0}, list = {0};
	struct tacit_mls_commit_result r = {0};
	bool ok = CHECK_OK(person_init(&a, s, "ann")) && CHECK_OK(person_init(&b, s, "bob")) &&
	          CHECK_OK(person_init(&outside, s, "out"));
	struct tacit_mls_external_sender sender = {tacit_bytes(outside.pk, 32),
	        {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("a clerk")}};
	struct tacit_writer w = tacit_writer(&data);
	size_t begin = tacit_mls_vec_begin(&w);
	tacit_mls_write_external_sender(&w, &sender);
	tacit_mls_vec_end(&w, begin);
	ok = ok && CHECK_OK(tacit_writer_finish(&w));
	w = tacit_writer(&list);
	tacit_mls_write_extension(&w, (struct tacit_mls_extension){TACIT_MLS_EXT_EXTERNAL_SENDERS,
	                                      tacit_buf_view(&data)});
	ok = ok && CHECK_OK(tacit_writer_finish(&w));
	struct tacit_mls_create_options o = person_create_options(&a, "g");
	struct tacit_mls_proposal add = add_of(&b);
	o.settings.public_handshakes = true;
	o.extensions.encoded = tacit_buf_view(&list);
	ok = ok && CHECK_OK(tacit_mls_group_create(&o, &a.host, &a.group)) &&
	     CHECK_OK(person_commit(&a, &add, 1, &r)) &&
	     CHECK_OK(tacit_mls_group_accept(a.group)) &&
	     CHECK_OK(person_join(&b, tacit_buf_view(&r.welcome)));
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&data);
	tacit_buf_clear(&list);
	return ok;
}

static void tear_down(void)
{
	person_clear(&a);
	person_clear(&b);
	person_clear(&outside);
}

static void hears(struct tacit_bytes message, enum tacit_err want)
{
	struct tacit_mls_event ev;
	struct tacit_buf before = {0}, after = {0};
	CHECK_OK(person_save(&b, &before));
	CHECK_ERR(person_process(&b, message, &ev), want);
	tacit_mls_event_clear(&ev);
	CHECK_OK(person_save(&b, &after));
	if (want != TACIT_OK)
		CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
}

static struct tacit_mls_authenticated framed(
        struct tacit_mls_sender sender, uint8_t type, struct tacit_bytes content)
{
	static const uint8_t no_tag[TACIT_MLS_HASH_MAX_BYTES];
	return (struct tacit_mls_authenticated){.wire_format = TACIT_MLS_PUBLIC_MESSAGE,
	        .framed = {.group_id = tacit_buf_view(&a.group->group_id),
	                .epoch = a.group->now->number,
	                .sender = sender,
	                .content_type = type,
	                .content = content},
	        .confirmation_tag = tacit_bytes(no_tag, 32)};
}

/* A PublicMessage, signed by signer. */
static void says(const struct person *signer, struct tacit_mls_authenticated x, enum tacit_err want)
{
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_buf message = {0};
	struct tacit_scheme_signature signature;
	struct tacit_bytes context = tacit_buf_view(&a.group->now->context);
	CHECK_OK(tacit_mls_framing_sign(
	        a.suite, &x, context, signer->host.signature_sk, &signature));
	x.signature = tacit_bytes(signature.b, signature.n);
	CHECK_OK(tacit_mls_membership_tag(
	        a.suite, &x, context, a.group->now->secrets.membership, tag));
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PUBLIC_MESSAGE,
	        .public_message = {x, tacit_bytes(tag, 32)}};
	CHECK_OK(tacit_mls_message_encode(&m, &message));
	hears(tacit_buf_view(&message), want);
	tacit_buf_clear(&message);
}

static void encode(const struct tacit_mls_proposal *p, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	out->n = 0;
	tacit_mls_write_proposal(&w, p);
	CHECK_OK(tacit_writer_finish(&w));
}

static void who_may_say_what(void)
{
	enum { PROPOSAL = TACIT_MLS_CONTENT_PROPOSAL, COMMIT = TACIT_MLS_CONTENT_COMMIT };
	const struct tacit_mls_sender ann = {TACIT_MLS_SENDER_MEMBER, 0},
	                              clerk = {TACIT_MLS_SENDER_EXTERNAL, 0},
	                              newcomer = {TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL, 0},
	                              joiner = {TACIT_MLS_SENDER_NEW_MEMBER_COMMIT, 0};
	struct tacit_buf add = {0}, remove = {0}, init = {0};
	struct tacit_writer w;
	struct tacit_buf commit = {0}, list = {0};
	REQUIRE(set_up());
	struct tacit_mls_proposal p = add_of(&outside);
	encode(&p, &add);
	w = tacit_writer(&list);
	tacit_mls_write_proposal_or_ref(&w, &(struct tacit_mls_proposal_or_ref){.proposal = p});
	CHECK_OK(tacit_writer_finish(&w));
	w = tacit_writer(&commit);
	tacit_mls_write_commit(&w, tacit_buf_view(&list), tacit_bytes(NULL, 0));
	CHECK_OK(tacit_writer_finish(&w));
	p = remove_of(1);
	encode(&p, &remove);
	p = (struct tacit_mls_proposal){
	        .type = TACIT_MLS_EXTERNAL_INIT, .kem_output = tacit_bytes(outside.pk, 32)};
	encode(&p, &init);

	says(&a, framed(ann, TACIT_MLS_CONTENT_APPLICATION, TACIT_STR("in the clear")),
	        TACIT_E_MALFORMED);
	says(&outside, framed(clerk, COMMIT, tacit_buf_view(&commit)), TACIT_E_MALFORMED);
	says(&outside, framed(newcomer, COMMIT, tacit_buf_view(&commit)), TACIT_E_MALFORMED);
	says(&outside, framed(joiner, PROPOSAL, tacit_buf_view(&add)), TACIT_E_MALFORMED);
	says(&outside, framed(joiner, COMMIT, tacit_buf_view(&commit)), TACIT_E_MALFORMED);
	says(&outside, framed(newcomer, PROPOSAL, tacit_buf_view(&remove)), TACIT_E_MALFORMED);
	says(&outside, framed(clerk, PROPOSAL, tacit_buf_view(&init)), TACIT_E_MALFORMED);
	says(&a, framed(ann, PROPOSAL, tacit_buf_view(&init)), TACIT_E_MALFORMED);
	says(&a, framed(clerk, PROPOSAL, tacit_buf_view(&add)), TACIT_E_BAD_SIGNATURE);
	says(&a, framed(newcomer, PROPOSAL, tacit_buf_view(&add)), TACIT_E_BAD_SIGNATURE);
	says(&outside,
	        framed((struct tacit_mls_sender){TACIT_MLS_SENDER_EXTERNAL, 1}, PROPOSAL,
	                tacit_buf_view(&add)),
	        TACIT_E_UNKNOWN_SENDER);
	says(&a,
	        framed((struct tacit_mls_sender){TACIT_MLS_SENDER_MEMBER, 5}, PROPOSAL,
	                tacit_buf_view(&add)),
	        TACIT_E_UNKNOWN_SENDER);
	says(&outside, framed(clerk, PROPOSAL, tacit_buf_view(&add)), TACIT_OK);
	says(&outside, framed(newcomer, PROPOSAL, tacit_buf_view(&add)), TACIT_OK);
	says(&outside, framed(clerk, PROPOSAL, tacit_buf_view(&remove)), TACIT_OK);
	tacit_buf_clear(&add);
	tacit_buf_clear(&remove);
	tacit_buf_clear(&init);
	tacit_buf_clear(&commit);
	tacit_buf_clear(&list);
	tear_down();
}

/* a's leaf, as an Update has it: with a new key, or with another name. */
static void who_follows_is_the_same(void)
{
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES], pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	const struct tacit_mls_sender ann = {TACIT_MLS_SENDER_MEMBER, 0};
	struct tacit_buf leaf = {0}, update = {0};
	struct tacit_mls_commit_result r;
	struct tacit_mls_leaf_node node;
	struct tacit_mls_credential eve = {
	        .type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("eve")};
	struct tacit_mls_leaf_change change = {.credential = &eve};
	REQUIRE(set_up());
	struct tacit_mls_leaf_place place = {tacit_buf_view(&a.group->group_id), 0};
	for (int i = 0; i < 2; i++) {
		CHECK_OK(tacit_mls_own_leaf(a.group, i == 0 ? &change : NULL, &node));
		CHECK_OK(tacit_mls_kem_keypair(a.suite, &a.env, sk, pk));
		node.encryption_key = tacit_bytes(pk, a.suite->kem_public_bytes);
		node.source = TACIT_MLS_LEAF_UPDATE;
		leaf.n = 0;
		CHECK_OK(tacit_mls_leaf_node_sign(
		        a.suite, &node, &place, a.host.signature_sk, &leaf));
		struct tacit_mls_proposal p = {
		        .type = TACIT_MLS_UPDATE, .update.encoded = tacit_buf_view(&leaf)};
		encode(&p, &update);
		says(&a, framed(ann, TACIT_MLS_CONTENT_PROPOSAL, tacit_buf_view(&update)),
		        i == 0 ? TACIT_E_KEY_CHANGED : TACIT_OK);
		tacit_mls_group_clear_proposals(b.group);
		struct tacit_mls_commit_options o = {.leaf = i == 0 ? &change : NULL};
		CHECK_OK(tacit_mls_group_commit(a.group, &a.host, &o, &r));
		hears(tacit_buf_view(&r.commit), i == 0 ? TACIT_E_KEY_CHANGED : TACIT_OK);
		tacit_mls_group_drop(a.group);
		tacit_mls_commit_result_clear(&r);
	}
	tacit_buf_clear(&leaf);
	tacit_buf_clear(&update);
	tear_down();
}

/* 12.1.7: not by the committer alone. */
static void what_is_required_all_support(void)
{
	static const uint16_t rare = 0xf00f;
	static const uint8_t required[] = {0, 2, 0xf0, 0x0f, 0};
	const struct tacit_mls_support support = {.proposals = &rare, .proposal_count = 1};
	struct tacit_mls_capabilities capabilities;
	struct tacit_mls_commit_result r;
	struct tacit_buf store = {0}, list = {0};
	REQUIRE(set_up());
	CHECK_OK(tacit_mls_capabilities_make(&support, NULL, &store, &capabilities));
	struct tacit_mls_leaf_change change = {.capabilities = &capabilities};
	struct tacit_mls_commit_options o = {.leaf = &change};
	CHECK_OK(tacit_mls_group_commit(a.group, &a.host, &o, &r));
	CHECK_OK(tacit_mls_group_accept(a.group));
	hears(tacit_buf_view(&r.commit), TACIT_OK);
	tacit_mls_commit_result_clear(&r);
	struct tacit_writer w = tacit_writer(&list);
	tacit_mls_write_extension(
	        &w, (struct tacit_mls_extension){TACIT_MLS_EXT_REQUIRED_CAPABILITIES,
	                    tacit_bytes(required, sizeof(required))});
	CHECK_OK(tacit_writer_finish(&w));
	struct tacit_mls_proposal p = {
	        .type = TACIT_MLS_CONTEXT_EXTENSIONS, .extensions = {tacit_buf_view(&list)}};
	CHECK_ERR(person_commit(&a, &p, 1, &r), TACIT_E_UNSUPPORTED);
	struct tacit_mls_proposal both[] = {p, remove_of(1)}; /* who does not, goes */
	CHECK_OK(person_commit(&a, both, 2, &r));
	hears(tacit_buf_view(&r.commit), TACIT_OK);
	CHECK_INT(tacit_mls_group_state(b.group), TACIT_MLS_REMOVED);
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&store);
	tacit_buf_clear(&list);
	tear_down();
}

/* A PrivateMessage of a's with this byte at the end of its padding. */
static void pads(uint8_t last, enum tacit_err want)
{
	struct tacit_mls_message_key key;
	struct tacit_mls_sender_data_key data_key;
	struct tacit_scheme_signature signature;
	struct tacit_buf plain = {0}, aad = {0}, message = {0};
	uint8_t sealed[256], data[12] = {0}, sealed_data[28];
	struct tacit_mls_authenticated x =
	        framed((struct tacit_mls_sender){TACIT_MLS_SENDER_MEMBER, 0},
	                TACIT_MLS_CONTENT_APPLICATION, TACIT_STR("padded"));
	x.wire_format = TACIT_MLS_PRIVATE_MESSAGE;
	CHECK_OK(tacit_mls_framing_sign(a.suite, &x, tacit_buf_view(&a.group->now->context),
	        a.host.signature_sk, &signature));
	x.signature = tacit_bytes(signature.b, signature.n);
	struct tacit_writer w = tacit_writer(&plain);
	tacit_mls_write_content(&w, TACIT_MLS_CONTENT_APPLICATION, x.framed.content);
	tacit_mls_write_auth_data(&w, &x);
	tacit_write_u32(&w, last);
	CHECK_OK(tacit_writer_finish(&w));
	w = tacit_writer(&aad);
	tacit_mls_write_vec(&w, x.framed.group_id);
	tacit_write_u64(&w, x.framed.epoch);
	tacit_write_u8(&w, TACIT_MLS_CONTENT_APPLICATION);
	size_t data_aad_n = aad.n;
	tacit_mls_write_vec(&w, tacit_bytes(NULL, 0));
	CHECK_OK(tacit_writer_finish(&w));
	CHECK_OK(tacit_mls_secret_tree_next(a.group->now->messages,
	        (struct tacit_mls_key_place){0, TACIT_MLS_APPLICATION, 0}, &key));
	REQUIRE(CHECK(plain.n + 16 <= sizeof(sealed)));
	CHECK_OK(tacit_aead_seal_once(a.suite->aead, key.key, key.nonce, tacit_buf_view(&aad),
	        tacit_buf_view(&plain), sealed)); /* the reuse guard is 0 */
	struct tacit_bytes ciphertext = tacit_bytes(sealed, plain.n + 16);
	data[7] = (uint8_t)key.generation;
	CHECK_OK(tacit_mls_sender_data_key(
	        a.suite, a.group->now->secrets.sender_data, ciphertext, &data_key));
	CHECK_OK(tacit_aead_seal_once(a.suite->aead, data_key.key, data_key.nonce,
	        tacit_bytes(aad.p, data_aad_n), tacit_bytes(data, sizeof(data)), sealed_data));
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PRIVATE_MESSAGE,
	        .private_message = {.group_id = x.framed.group_id,
	                .epoch = x.framed.epoch,
	                .content_type = TACIT_MLS_CONTENT_APPLICATION,
	                .encrypted_sender_data = tacit_bytes(sealed_data, sizeof(sealed_data)),
	                .ciphertext = ciphertext}};
	CHECK_OK(tacit_mls_message_encode(&m, &message));
	hears(tacit_buf_view(&message), want);
	tacit_mls_secret_tree_accept(a.group->now->messages, &key);
	tacit_buf_clear(&plain);
	tacit_buf_clear(&aad);
	tacit_buf_clear(&message);
}

/* 6.3.1: what would be a channel of its own. */
static void padding_says_nothing(void)
{
	REQUIRE(set_up());
	pads(0, TACIT_OK);
	pads(1, TACIT_E_MALFORMED);
	tear_down();
}

static const struct tap_case cases[] = {
        {"who may say what", who_may_say_what},
        {"who follows is the same", who_follows_is_the_same},
        {"what is required, all support", what_is_required_all_support},
        {"padding says nothing", padding_says_nothing},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
