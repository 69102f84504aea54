#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/limits.h"
#include "e2e/mls/message.h"

void tacit_mls_outgoing_frame(const struct tacit_mls_group *g, const struct tacit_mls_outgoing *o,
        struct tacit_mls_authenticated *out)
{
	bool public =
	        g->settings.public_handshakes && o->content_type != TACIT_MLS_CONTENT_APPLICATION;
	*out = (struct tacit_mls_authenticated){
	        .wire_format = public ? TACIT_MLS_PUBLIC_MESSAGE : TACIT_MLS_PRIVATE_MESSAGE,
	        .framed = {.group_id = tacit_buf_view(&g->group_id),
	                .epoch = g->now->number,
	                .sender = {TACIT_MLS_SENDER_MEMBER, g->now->keys.leaf},
	                .authenticated_data = o->authenticated_data,
	                .content_type = o->content_type,
	                .content = o->content}};
}

static enum tacit_err seal_public(const struct tacit_mls_group *g,
        const struct tacit_mls_authenticated *a, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PUBLIC_MESSAGE};
	TRY(tacit_mls_membership_tag(
	        g->suite, a, tacit_buf_view(&g->now->context), g->now->secrets.membership, tag));
	m.public_message =
	        (struct tacit_mls_public_message){*a, tacit_bytes(tag, g->suite->hash_bytes)};
	TRY(tacit_mls_message_encode(&m, out));
out:
	return err;
}

enum tacit_err tacit_mls_outgoing_seal(struct tacit_mls_group *g, const struct tacit_env *env,
        const struct tacit_mls_authenticated *a, struct tacit_buf *out)
{
	if (a->wire_format == TACIT_MLS_PUBLIC_MESSAGE)
		return seal_public(g, a, out);
	enum tacit_err err;
	size_t start = out->n;
	struct tacit_mls_private_keys keys = {
	        g->suite, g->now->secrets.sender_data, g->now->messages};
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_write_message_header(&w, TACIT_MLS_PRIVATE_MESSAGE);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_private_protect(&keys, a, g->settings.pad_to, env, out));
out:
	if (err != TACIT_OK)
		out->n = start;
	return err;
}

void tacit_mls_cached_free(struct tacit_mls_cached *c)
{
	if (c == NULL)
		return;
	tacit_buf_clear(&c->proposal);
	tacit_wipe(c, sizeof(*c));
	tacit_free(c);
}

enum tacit_err tacit_mls_cached_new(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_mls_cached **out)
{
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	struct tacit_writer w = tacit_writer(&encoded);
	struct tacit_mls_cached *c = tacit_calloc(1, sizeof(*c));
	*out = NULL;
	TRY(c == NULL ? TACIT_E_NOMEM : TACIT_OK);
	tacit_mls_write_authenticated(&w, a);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_ref_hash(s, TACIT_STR("MLS 1.0 Proposal Reference"), tacit_buf_view(&encoded),
	        c->reference));
	c->sender = a->framed.sender;
	TRY(tacit_buf_append(&c->proposal, a->framed.content));
	*out = c;
	c = NULL;
out:
	tacit_buf_clear(&encoded);
	tacit_mls_cached_free(c);
	return err;
}

enum tacit_err tacit_mls_cache_reserve(struct tacit_mls_group *g, size_t bytes)
{
	if (g->cached_count >= TACIT_MLS_CACHED_PROPOSALS_MAX ||
	        bytes > TACIT_MLS_CACHED_MAX_BYTES - g->cached_bytes)
		return TACIT_E_LIMIT;
	if (g->cached_count < g->cached_cap)
		return TACIT_OK;
	size_t cap = g->cached_cap == 0 ? 4 : g->cached_cap * 2;
	void *grown = tacit_realloc(g->cached, cap * sizeof(struct tacit_mls_cached *));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	g->cached = grown;
	g->cached_cap = cap;
	return TACIT_OK;
}

void tacit_mls_cache_push(struct tacit_mls_group *g, struct tacit_mls_cached *c)
{
	g->cached[g->cached_count++] = c;
	g->cached_bytes += c->proposal.n;
}

const struct tacit_mls_cached *tacit_mls_group_find_cached(
        const struct tacit_mls_group *g, struct tacit_bytes reference)
{
	for (size_t i = 0; i < g->cached_count; i++)
		if (tacit_bytes_eq(
		            reference, tacit_bytes(g->cached[i]->reference, g->suite->hash_bytes)))
			return g->cached[i];
	return NULL;
}

void tacit_mls_group_clear_proposals(struct tacit_mls_group *g)
{
	while (g->cached_count > 0)
		tacit_mls_cached_free(g->cached[--g->cached_count]);
	g->cached_bytes = 0;
}

enum tacit_err tacit_mls_own_leaf(const struct tacit_mls_group *g,
        const struct tacit_mls_leaf_change *change, struct tacit_mls_leaf_node *out)
{
	if (!tacit_mls_tree_leaf(g->tree, g->now->keys.leaf, out))
		return TACIT_E_NOT_FOUND;
	if (change == NULL)
		return TACIT_OK;
	if ((change->signature_key.n > 0) != (change->signature_sk.n > 0))
		return TACIT_E_USAGE;
	if (change->credential != NULL)
		out->credential = *change->credential;
	if (change->capabilities != NULL)
		out->capabilities = *change->capabilities;
	if (change->extensions != NULL)
		out->extensions = *change->extensions;
	if (change->signature_key.n > 0)
		out->signature_key = change->signature_key;
	return TACIT_OK;
}

/* Checks, signs, keeps and sends a proposal that is encoded. update_sk: of an Update. */
static enum tacit_err send_proposal(struct tacit_mls_group *g, const struct tacit_mls_host *host,
        const struct tacit_mls_outgoing *o, const uint8_t *update_sk, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_mls_authenticated a;
	struct tacit_mls_cached *cached = NULL;
	struct tacit_scheme_signature signature;
	struct tacit_mls_plan plan = {.committer = UINT32_MAX, .ours = true};
	tacit_mls_outgoing_frame(g, o, &a);
	struct tacit_mls_item item = {.sender = a.framed.sender};
	TRY(tacit_mls_proposal_decode(o->content, &item.p));
	TRY(tacit_mls_item_check(g, host, &plan, &item));
	TRY(tacit_mls_framing_sign(
	        g->suite, &a, tacit_buf_view(&g->now->context), host->signature_sk, &signature));
	a.signature = tacit_bytes(signature.b, signature.n);
	TRY(tacit_mls_cached_new(g->suite, &a, &cached));
	bool known = tacit_mls_group_find_cached(
	                     g, tacit_bytes(cached->reference, g->suite->hash_bytes)) != NULL;
	TRY(known ? TACIT_E_EXISTS : TACIT_OK);
	if (update_sk != NULL) {
		cached->has_update_sk = true;
		memcpy(cached->update_sk, update_sk, g->suite->kem_sk_bytes);
	}
	TRY(tacit_mls_cache_reserve(g, cached->proposal.n));
	TRY(tacit_mls_outgoing_seal(g, host->env, &a, out));
	tacit_mls_cache_push(g, cached);
	cached = NULL;
out:
	tacit_mls_cached_free(cached);
	return err;
}

enum tacit_err tacit_mls_group_propose(struct tacit_mls_group *g, const struct tacit_mls_host *host,
        const struct tacit_mls_proposal *p, struct tacit_bytes authenticated_data,
        struct tacit_buf *out)
{
	if (g->state != TACIT_MLS_ACTIVE)
		return TACIT_E_CONFLICT;
	if (p->type == TACIT_MLS_UPDATE || p->type == TACIT_MLS_EXTERNAL_INIT)
		return TACIT_E_USAGE;
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	uint8_t nonce[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_proposal copy = *p;
	if (copy.type == TACIT_MLS_PSK) {
		tacit_env_random(host->env, nonce, g->suite->hash_bytes);
		copy.psk.nonce = tacit_bytes(nonce, g->suite->hash_bytes);
	}
	struct tacit_writer w = tacit_writer(&encoded);
	tacit_mls_write_proposal(&w, &copy);
	TRY(tacit_writer_finish(&w));
	struct tacit_mls_outgoing o = {
	        TACIT_MLS_CONTENT_PROPOSAL, tacit_buf_view(&encoded), authenticated_data};
	TRY(send_proposal(g, host, &o, NULL, out));
out:
	tacit_buf_clear(&encoded);
	return err;
}

static enum tacit_err write_update(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_leaf_change *change, uint8_t *sk,
        struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node leaf;
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_mls_leaf_place place = {tacit_buf_view(&g->group_id), g->now->keys.leaf};
	bool new_key = change != NULL && change->signature_sk.n > 0;
	struct tacit_bytes signature_sk = new_key ? change->signature_sk : host->signature_sk;
	struct tacit_writer w = tacit_writer(out);
	TRY(tacit_mls_own_leaf(g, change, &leaf));
	TRY(tacit_mls_kem_keypair(g->suite, host->env, sk, pk));
	leaf.encryption_key = tacit_bytes(pk, g->suite->kem_public_bytes);
	leaf.source = TACIT_MLS_LEAF_UPDATE;
	tacit_write_u16(&w, TACIT_MLS_UPDATE);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_leaf_node_sign(g->suite, &leaf, &place, signature_sk, out));
out:
	return err;
}

enum tacit_err tacit_mls_group_propose_update(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_leaf_change *change,
        struct tacit_bytes authenticated_data, struct tacit_buf *out)
{
	if (g->state != TACIT_MLS_ACTIVE)
		return TACIT_E_CONFLICT;
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES] = {0};
	TRY(write_update(g, host, change, sk, &encoded));
	struct tacit_mls_outgoing o = {
	        TACIT_MLS_CONTENT_PROPOSAL, tacit_buf_view(&encoded), authenticated_data};
	TRY(send_proposal(g, host, &o, sk, out));
out:
	tacit_wipe(sk, sizeof(sk));
	tacit_buf_clear(&encoded);
	return err;
}

enum tacit_err tacit_mls_propose_from_outside(const struct tacit_mls_outside_proposal *o,
        const struct tacit_mls_proposal *p, struct tacit_buf *out)
{
	bool joins = o->sender.type == TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL;
	bool external = o->sender.type == TACIT_MLS_SENDER_EXTERNAL;
	if (!(joins && p->type == TACIT_MLS_ADD) &&
	        !(external && tacit_mls_proposal_external(p->type)))
		return TACIT_E_USAGE;
	enum tacit_err err;
	struct tacit_buf encoded = {0};
	struct tacit_scheme_signature signature;
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PUBLIC_MESSAGE};
	struct tacit_writer w = tacit_writer(&encoded);
	tacit_mls_write_proposal(&w, p);
	TRY(tacit_writer_finish(&w));
	struct tacit_mls_authenticated *a = &m.public_message.content;
	*a = (struct tacit_mls_authenticated){.wire_format = TACIT_MLS_PUBLIC_MESSAGE,
	        .framed = {.group_id = o->group_id,
	                .epoch = o->epoch,
	                .sender = o->sender,
	                .authenticated_data = o->authenticated_data,
	                .content_type = TACIT_MLS_CONTENT_PROPOSAL,
	                .content = tacit_buf_view(&encoded)}};
	TRY(tacit_mls_framing_sign(o->suite, a, tacit_bytes(NULL, 0), o->signature_sk, &signature));
	a->signature = tacit_bytes(signature.b, signature.n);
	TRY(tacit_mls_message_encode(&m, out));
out:
	tacit_buf_clear(&encoded);
	return err;
}

enum tacit_err tacit_mls_group_protect(struct tacit_mls_group *g, const struct tacit_mls_host *host,
        struct tacit_bytes authenticated_data, struct tacit_bytes plain, struct tacit_buf *out)
{
	/* 12.4: first what was proposed takes effect. */
	if (g->state != TACIT_MLS_ACTIVE || g->cached_count > 0)
		return TACIT_E_CONFLICT;
	if (plain.n > TACIT_MLS_MESSAGE_MAX_BYTES)
		return TACIT_E_TOO_LARGE;
	enum tacit_err err;
	struct tacit_mls_authenticated a;
	struct tacit_scheme_signature signature;
	struct tacit_mls_outgoing o = {TACIT_MLS_CONTENT_APPLICATION, plain, authenticated_data};
	tacit_mls_outgoing_frame(g, &o, &a);
	TRY(tacit_mls_framing_sign(
	        g->suite, &a, tacit_buf_view(&g->now->context), host->signature_sk, &signature));
	a.signature = tacit_bytes(signature.b, signature.n);
	TRY(tacit_mls_outgoing_seal(g, host->env, &a, out));
out:
	return err;
}
