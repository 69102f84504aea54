/* Joining by an external commit: RFC 9420 12.4.3.2, 8.3. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"

struct external {
	const struct tacit_mls_external_join_options *o;
	const struct tacit_mls_host *host;
	const struct tacit_mls_suite *suite;
	struct tacit_mls_group *g; /* before: as the GroupInfo says, without secrets */
	struct tacit_mls_key_package kp;
	struct tacit_mls_plan plan;
	struct tacit_buf proposals; /* ProposalOrRef, by value */
	struct tacit_buf update_path, commit, message;
	struct tacit_mls_path *path;
	struct tacit_mls_next next;
	struct tacit_mls_authenticated a;
	struct tacit_scheme_signature signature;
	uint8_t init[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t joiner[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t psk[TACIT_MLS_HASH_MAX_BYTES];
};

static void clear_external(struct external *x)
{
	tacit_mls_group_free(x->g);
	tacit_mls_plan_clear(&x->plan);
	tacit_buf_clear(&x->proposals);
	tacit_buf_clear(&x->update_path);
	tacit_buf_clear(&x->commit);
	tacit_buf_clear(&x->message);
	tacit_mls_path_free(x->path);
	tacit_mls_next_clear(&x->next);
	tacit_wipe(x, sizeof(*x));
	tacit_free(x);
}

/* The group as the GroupInfo says, and the init secret sealed to it. */
static enum tacit_err open_info(struct external *x, uint8_t *kem_output)
{
	enum tacit_err err;
	struct tacit_bytes data;
	struct tacit_bytes external_pub;
	struct tacit_mls_message m;
	TRY(tacit_mls_message_decode(x->o->group_info, &m));
	TRY(m.wire_format != TACIT_MLS_GROUP_INFO ? TACIT_E_MALFORMED : TACIT_OK);
	struct tacit_mls_info_checked from = {m.group_info, x->o->ratchet_tree};
	x->suite = tacit_mls_suite_find(m.group_info.context.suite);
	TRY(x->suite == NULL ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(tacit_mls_extension_find(m.group_info.extensions, TACIT_MLS_EXT_EXTERNAL_PUB, &data)
	                ? TACIT_OK
	                : TACIT_E_NOT_FOUND);
	TRY(tacit_mls_external_pub_decode(data, &external_pub));
	TRY(tacit_mls_group_from_info(x->suite, &from, x->host, &x->o->settings, &x->g));
	TRY(tacit_mls_external_init_send(
	        x->suite, external_pub, x->host->env, kem_output, x->init));
out:
	return err;
}

static enum tacit_err write_proposals(struct external *x, const uint8_t *kem_output)
{
	struct tacit_writer w = tacit_writer(&x->proposals);
	uint8_t nonce[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_proposal_or_ref p = {
	        .proposal = {.type = TACIT_MLS_EXTERNAL_INIT,
	                .kem_output = tacit_bytes(kem_output, x->suite->kem_enc_bytes)}};
	tacit_mls_write_proposal_or_ref(&w, &p);
	if (x->o->removes != NULL) {
		p.proposal = (struct tacit_mls_proposal){
		        .type = TACIT_MLS_REMOVE, .removed = *x->o->removes};
		tacit_mls_write_proposal_or_ref(&w, &p);
	}
	for (size_t i = 0; i < x->o->psk_count; i++) {
		tacit_env_random(x->host->env, nonce, x->suite->hash_bytes);
		p.proposal =
		        (struct tacit_mls_proposal){.type = TACIT_MLS_PSK, .psk = x->o->psks[i]};
		p.proposal.psk.nonce = tacit_bytes(nonce, x->suite->hash_bytes);
		tacit_mls_write_proposal_or_ref(&w, &p);
	}
	return tacit_writer_finish(&w);
}

static enum tacit_err make_plan(struct external *x)
{
	enum tacit_err err;
	struct tacit_mls_proposal_or_ref p;
	uint8_t kem_output[TACIT_MLS_KEM_ENC_MAX_BYTES];
	x->plan.external = true;
	x->plan.ours = true;
	x->plan.committer = UINT32_MAX;
	TRY(open_info(x, kem_output));
	TRY(write_proposals(x, kem_output));
	struct tacit_reader it = tacit_reader(tacit_buf_view(&x->proposals));
	while (tacit_mls_commit_next(&it, &p)) {
		struct tacit_mls_item item = {
		        .sender.type = TACIT_MLS_SENDER_NEW_MEMBER_COMMIT, .p = p.proposal};
		TRY(tacit_mls_plan_add(&x->plan, &item));
	}
	TRY(it.err);
	TRY(tacit_mls_plan_check(x->g, x->host, &x->plan));
out:
	return err;
}

static enum tacit_err check_own(struct external *x)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node before;
	struct tacit_mls_leaf_rules rules =
	        tacit_mls_group_rules(x->g, x->host, tacit_mls_epoch_extensions(x->g->now), true);
	TRY(tacit_mls_key_package_decode(x->o->key_package, &x->kp));
	TRY(x->kp.suite != x->suite->id ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(tacit_mls_key_package_check(&x->kp, &rules));
	if (x->o->removes != NULL) {
		bool there = tacit_mls_tree_leaf(x->g->tree, *x->o->removes, &before);
		TRY(there ? TACIT_OK : TACIT_E_NOT_FOUND);
		bool fits = tacit_mls_host_successor(x->host, &before, &x->kp.leaf);
		TRY(fits ? TACIT_OK : TACIT_E_KEY_CHANGED);
	}
out:
	return err;
}

static enum tacit_err draft_tree(struct external *x)
{
	enum tacit_err err;
	struct tacit_mls_group *g = x->g;
	struct tacit_mls_path_options po = {.group_id = tacit_buf_view(&g->group_id),
	        .signature_sk = x->host->signature_sk,
	        .leaf = &x->kp.leaf};
	TRY(tacit_mls_tree_stage(g->tree));
	TRY(tacit_mls_plan_apply(g, &x->plan, x->kp.leaf.encoded));
	po.sender = x->plan.committer;
	TRY(tacit_mls_path_draft(g->tree, &po, x->host->env, &x->path));
	TRY(tacit_mls_tree_check(g->tree));
	TRY(tacit_mls_epoch_draft(g, &x->plan, &x->next.epoch));
	x->next.epoch->keys = *tacit_mls_path_keys(x->path);
	TRY(tacit_mls_path_seal(x->path, g->tree, tacit_buf_view(&x->next.epoch->context),
	        x->host->env, &x->update_path));
out:
	return err;
}

static enum tacit_err sign_commit(struct external *x)
{
	enum tacit_err err;
	struct tacit_mls_group *g = x->g;
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_PUBLIC_MESSAGE};
	struct tacit_writer w = tacit_writer(&x->commit);
	tacit_mls_write_commit(&w, tacit_buf_view(&x->proposals), tacit_buf_view(&x->update_path));
	TRY(tacit_writer_finish(&w));
	x->a = (struct tacit_mls_authenticated){.wire_format = TACIT_MLS_PUBLIC_MESSAGE,
	        .framed = {.group_id = tacit_buf_view(&g->group_id),
	                .epoch = g->now->number,
	                .sender = {TACIT_MLS_SENDER_NEW_MEMBER_COMMIT, 0},
	                .authenticated_data = x->o->authenticated_data,
	                .content_type = TACIT_MLS_CONTENT_COMMIT,
	                .content = tacit_buf_view(&x->commit)}};
	TRY(tacit_mls_framing_sign(x->suite, &x->a, tacit_buf_view(&g->now->context),
	        x->host->signature_sk, &x->signature));
	x->a.signature = tacit_bytes(x->signature.b, x->signature.n);
	struct tacit_mls_advance advance = {.init = x->init,
	        .commit_secret = tacit_mls_path_commit_secret(x->path),
	        .commit = &x->a,
	        .joiner = x->joiner,
	        .psk = x->psk};
	TRY(tacit_mls_epoch_complete(g, x->host, &x->plan, &advance, x->next.epoch));
	x->a.confirmation_tag = tacit_bytes(x->next.epoch->tag, x->suite->hash_bytes);
	m.public_message.content = x->a;
	TRY(tacit_mls_message_encode(&m, &x->message));
out:
	return err;
}

enum tacit_err tacit_mls_group_external_join(const struct tacit_mls_external_join_options *o,
        const struct tacit_mls_host *host, struct tacit_buf *commit, struct tacit_mls_group **out)
{
	enum tacit_err err;
	struct external *x = tacit_calloc(1, sizeof(*x));
	*out = NULL;
	if (x == NULL)
		return TACIT_E_NOMEM;
	x->o = o;
	x->host = host;
	TRY(make_plan(x));
	TRY(check_own(x));
	TRY(draft_tree(x));
	TRY(sign_commit(x));
	TRY(tacit_buf_append(commit, tacit_buf_view(&x->message)));
	tacit_mls_tree_keep(x->g->tree);
	/* The epoch before was never ours: nothing of it is kept. */
	tacit_mls_epoch_free(x->g->now);
	x->g->now = x->next.epoch;
	x->next.epoch = NULL;
	*out = x->g;
	x->g = NULL;
out:
	clear_external(x);
	return err;
}
