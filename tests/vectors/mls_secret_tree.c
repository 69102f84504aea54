/* mls_secret_tree.c - secret-tree.json and message-protection.json. */
#include <string.h>

#include "e2e/mls/framing.h"
#include "e2e/mls/key_schedule.h"
#include "e2e/mls/message.h"
#include "vectors/mls.h"

static const char *check_sender_data(const json_t *v, const struct tacit_mls_suite *s)
{
	struct tacit_mls_sender_data_key key;
	bool ok = tacit_mls_sender_data_key(s, hex_member(v, "sender_data_secret").p,
	                  hex_member(v, "ciphertext"), &key) == TACIT_OK &&
	          is_member(v, "key", key.key, s->key_bytes) &&
	          is_member(v, "nonce", key.nonce, sizeof(key.nonce));
	return ok ? NULL : "sender_data";
}

static const char *check_key(struct tacit_mls_secret_tree *t, const struct tacit_mls_suite *s,
        struct tacit_mls_key_place place, const json_t *v)
{
	struct tacit_mls_message_key key;
	bool handshake = place.ratchet == TACIT_MLS_HANDSHAKE;
	if (tacit_mls_secret_tree_find(t, place, &key) != TACIT_OK)
		return "a key is not found";
	bool ok = is_member(v, handshake ? "handshake_key" : "application_key", key.key,
	                  s->key_bytes) &&
	          is_member(v, handshake ? "handshake_nonce" : "application_nonce", key.nonce,
	                  sizeof(key.nonce));
	tacit_mls_secret_tree_accept(t, &key);
	if (!ok)
		return handshake ? "a handshake key" : "an application key";
	/* Used up: never again. */
	return tacit_mls_secret_tree_find(t, place, &key) == TACIT_E_REPLAY ? NULL
	                                                                    : "a key comes twice";
}

static const char *check_leaf(struct tacit_mls_secret_tree *t, const struct tacit_mls_suite *s,
        uint32_t leaf, const json_t *generations)
{
	const char *wrong = NULL;
	for (size_t i = json_array_size(generations); wrong == NULL && i > 0; i--) {
		const json_t *v = json_array_get(generations, i - 1);
		struct tacit_mls_key_place place = {
		        leaf, TACIT_MLS_HANDSHAKE, (uint32_t)number_member(v, "generation")};
		wrong = check_key(t, s, place, v);
		place.ratchet = TACIT_MLS_APPLICATION;
		if (wrong == NULL)
			wrong = check_key(t, s, place, v);
	}
	return wrong;
}

static const char *check_secret_tree(const json_t *entry, const struct tacit_mls_suite *s)
{
	size_t i;
	const json_t *each;
	struct tacit_mls_secret_tree *t;
	uint32_t leaves = (uint32_t)json_array_size(json_object_get(entry, "leaves"));
	const char *wrong = check_sender_data(json_object_get(entry, "sender_data"), s);
	if (wrong == NULL && tacit_mls_secret_tree_new(s, hex_member(entry, "encryption_secret").p,
	                             leaves, &t) != TACIT_OK)
		wrong = "secret_tree_new";
	if (wrong != NULL)
		return wrong;
	MLS_EACH(entry, "leaves", i, each)
	{
		if (wrong == NULL)
			wrong = check_leaf(t, s, (uint32_t)i, each);
		hex_forget();
	}
	tacit_mls_secret_tree_free(t);
	return wrong;
}

const struct mls_vectors mls_secret_tree = {
        {"sender_data", "encryption_secret", "leaves"}, check_secret_tree};

/* --- Message protection --- */

struct protection {
	const struct tacit_mls_suite *suite;
	const json_t *entry;
	struct tacit_buf context;
	struct tacit_bytes pk;
	uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
};

struct subject {
	uint8_t type;
	const char *raw, *public, *private;
};

static enum tacit_err write_context(struct protection *p)
{
	struct tacit_mls_group_context c = {.suite = p->suite->id,
	        .group_id = hex_member(p->entry, "group_id"),
	        .epoch = number_member(p->entry, "epoch"),
	        .tree_hash = hex_member(p->entry, "tree_hash"),
	        .confirmed_transcript_hash = hex_member(p->entry, "confirmed_transcript_hash")};
	struct tacit_writer w = tacit_writer(&p->context);
	tacit_mls_group_context_write(&w, &c);
	return tacit_writer_finish(&w);
}

static bool public_opens(
        const struct protection *p, const struct subject *x, struct tacit_bytes encoded)
{
	struct tacit_mls_message m;
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_bytes raw = hex_member(p->entry, x->raw);
	const struct tacit_mls_authenticated *a = &m.public_message.content;
	return tacit_mls_message_decode(encoded, &m) == TACIT_OK &&
	       m.wire_format == TACIT_MLS_PUBLIC_MESSAGE &&
	       tacit_mls_framing_verify(p->suite, a, tacit_buf_view(&p->context), p->pk) ==
	               TACIT_OK &&
	       tacit_mls_membership_tag(p->suite, a, tacit_buf_view(&p->context),
	               hex_member(p->entry, "membership_key").p, tag) == TACIT_OK &&
	       tacit_bytes_eq(
	               m.public_message.membership_tag, tacit_bytes(tag, p->suite->hash_bytes)) &&
	       a->framed.sender.index == 1 && a->framed.content_type == x->type &&
	       tacit_bytes_eq(a->framed.content, raw);
}

static enum tacit_err new_keys(const struct protection *p, struct tacit_mls_private_keys *k)
{
	k->suite = p->suite;
	k->sender_data_secret = hex_member(p->entry, "sender_data_secret").p;
	return tacit_mls_secret_tree_new(
	        p->suite, hex_member(p->entry, "encryption_secret").p, 2, &k->tree);
}

static bool private_is(const struct protection *p, const struct subject *x,
        const struct tacit_mls_private_keys *k, struct tacit_bytes encoded)
{
	struct tacit_mls_message m;
	struct tacit_mls_opened o = {0};
	struct tacit_bytes raw = hex_member(p->entry, x->raw);
	bool ok = tacit_mls_message_decode(encoded, &m) == TACIT_OK &&
	          m.wire_format == TACIT_MLS_PRIVATE_MESSAGE &&
	          tacit_mls_private_open(k, &m.private_message, &o) == TACIT_OK &&
	          tacit_mls_framing_verify(
	                  p->suite, &o.content, tacit_buf_view(&p->context), p->pk) == TACIT_OK &&
	          o.content.framed.sender.index == 1 && o.content.framed.content_type == x->type &&
	          tacit_bytes_eq(o.content.framed.content, raw);
	tacit_mls_opened_clear(&o);
	return ok;
}

/* The raw content as a message of ours; the caller's signature room lives as long as the views. */
static enum tacit_err author(const struct protection *p, const struct subject *x, uint16_t format,
        struct tacit_scheme_signature *signature, struct tacit_mls_authenticated *a)
{
	*a = (struct tacit_mls_authenticated){.wire_format = format,
	        .framed = {.group_id = hex_member(p->entry, "group_id"),
	                .epoch = number_member(p->entry, "epoch"),
	                .sender = {TACIT_MLS_SENDER_MEMBER, 1},
	                .authenticated_data = TACIT_STR("told to everybody"),
	                .content_type = x->type,
	                .content = hex_member(p->entry, x->raw)}};
	if (x->type == TACIT_MLS_CONTENT_COMMIT)
		a->confirmation_tag = hex_member(p->entry, "membership_key");
	enum tacit_err err = tacit_mls_framing_sign(p->suite, a, tacit_buf_view(&p->context),
	        tacit_bytes(p->sk, p->suite->signature_sk_bytes), signature);
	a->signature = tacit_bytes(signature->b, signature->n);
	return err;
}

static bool public_round(const struct protection *p, const struct subject *x)
{
	struct tacit_buf out = {0};
	struct tacit_scheme_signature signature;
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PUBLIC_MESSAGE};
	struct tacit_mls_authenticated *a = &m.public_message.content;
	bool ok = author(p, x, TACIT_MLS_PUBLIC_MESSAGE, &signature, a) == TACIT_OK &&
	          tacit_mls_membership_tag(p->suite, a, tacit_buf_view(&p->context),
	                  hex_member(p->entry, "membership_key").p, tag) == TACIT_OK;
	m.public_message.membership_tag = tacit_bytes(tag, p->suite->hash_bytes);
	ok = ok && tacit_mls_message_encode(&m, &out) == TACIT_OK &&
	     public_opens(p, x, tacit_buf_view(&out));
	tacit_buf_clear(&out);
	return ok;
}

static bool private_round(const struct protection *p, const struct subject *x)
{
	struct tacit_buf out = {0};
	struct tacit_env env = mls_env();
	struct tacit_mls_authenticated a;
	struct tacit_scheme_signature signature;
	struct tacit_mls_private_keys ours = {0};
	struct tacit_mls_private_keys theirs = {0};
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_message_header(&w, TACIT_MLS_PRIVATE_MESSAGE);
	bool ok = tacit_writer_finish(&w) == TACIT_OK && new_keys(p, &ours) == TACIT_OK &&
	          new_keys(p, &theirs) == TACIT_OK &&
	          author(p, x, TACIT_MLS_PRIVATE_MESSAGE, &signature, &a) == TACIT_OK &&
	          tacit_mls_private_protect(&ours, &a, 64, &env, &out) == TACIT_OK &&
	          private_is(p, x, &theirs, tacit_buf_view(&out));
	tacit_mls_secret_tree_free(ours.tree);
	tacit_mls_secret_tree_free(theirs.tree);
	tacit_buf_clear(&out);
	return ok;
}

static bool private_given(const struct protection *p, const struct subject *x)
{
	struct tacit_mls_private_keys k = {0};
	bool ok = new_keys(p, &k) == TACIT_OK &&
	          private_is(p, x, &k, hex_member(p->entry, x->private));
	tacit_mls_secret_tree_free(k.tree);
	return ok;
}

static const char *check_protection(const json_t *entry, const struct tacit_mls_suite *suite)
{
	static const struct subject subjects[] = {
	        {TACIT_MLS_CONTENT_PROPOSAL, "proposal", "proposal_pub", "proposal_priv"},
	        {TACIT_MLS_CONTENT_COMMIT, "commit", "commit_pub", "commit_priv"},
	        {TACIT_MLS_CONTENT_APPLICATION, "application", NULL, "application_priv"},
	};
	const char *wrong = NULL;
	struct protection p = {
	        .suite = suite, .entry = entry, .pk = hex_member(entry, "signature_pub")};
	if (!private_key_member(entry, "signature_priv", p.sk, suite->signature_sk_bytes))
		wrong = "signature_priv";
	if (wrong == NULL && write_context(&p) != TACIT_OK)
		wrong = "context";
	for (size_t i = 0; wrong == NULL && i < TACIT_COUNT(subjects); i++) {
		const struct subject *x = &subjects[i];
		if (x->public != NULL && !public_opens(&p, x, hex_member(entry, x->public)))
			wrong = x->public;
		else if (!private_given(&p, x))
			wrong = x->private;
		else if (x->public != NULL && !public_round(&p, x))
			wrong = "a PublicMessage of ours";
		else if (!private_round(&p, x))
			wrong = "a PrivateMessage of ours";
	}
	tacit_buf_clear(&p.context);
	return wrong;
}

const struct mls_vectors mls_protection = {
        {"proposal_priv", "commit_priv", "application_priv"}, check_protection};
