/* Creating a commit: RFC 9420 12.4.1. Everything is made in a draft, and the group takes it over as
 * its pending commit when nothing can fail any more. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"

struct draft {
	struct tacit_mls_group *g;
	const struct tacit_mls_host *host;
	const struct tacit_mls_commit_options *o;
	struct tacit_mls_plan plan;
	struct tacit_buf given; /* the proposals by value, encoded one after the other */
	uint8_t nonces[TACIT_MLS_PSK_MAX][TACIT_MLS_HASH_MAX_BYTES];
	size_t nonce_count;
	struct tacit_mls_path *path;
	struct tacit_buf update_path, commit;
	struct tacit_mls_epoch *epoch;
	struct tacit_mls_authenticated a;
	struct tacit_scheme_signature signature;
	uint8_t joiner[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t psk[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_pending *pending;
};

static void clear_draft(struct draft *d)
{
	tacit_mls_plan_clear(&d->plan);
	tacit_buf_clear(&d->given);
	tacit_mls_path_free(d->path);
	tacit_buf_clear(&d->update_path);
	tacit_buf_clear(&d->commit);
	tacit_mls_epoch_free(d->epoch);
	tacit_mls_pending_free(d->pending);
	tacit_wipe(d, sizeof(*d));
	tacit_free(d);
}

/* --- Which proposals --- */

static enum tacit_err write_given(struct draft *d, struct tacit_mls_proposal p)
{
	if (p.type == TACIT_MLS_UPDATE || p.type == TACIT_MLS_EXTERNAL_INIT)
		return TACIT_E_USAGE;
	if (p.type == TACIT_MLS_PSK) {
		if (d->nonce_count == TACIT_MLS_PSK_MAX)
			return TACIT_E_LIMIT;
		uint8_t *nonce = d->nonces[d->nonce_count++];
		tacit_env_random(d->host->env, nonce, d->g->suite->hash_bytes);
		p.psk.nonce = tacit_bytes(nonce, d->g->suite->hash_bytes);
	}
	struct tacit_writer w = tacit_writer(&d->given);
	tacit_mls_write_proposal(&w, &p);
	return tacit_writer_finish(&w);
}

/* By value: encoded and read again, so that every item has all of its views. The first commit of a
 * group that succeeds another one proves it (11.2, 11.3). */
static enum tacit_err collect_given(struct draft *d)
{
	enum tacit_err err = TACIT_OK;
	const struct tacit_mls_origin *origin = &d->g->origin;
	TRY(d->o->proposal_count > TACIT_MLS_COMMIT_PROPOSALS_MAX ? TACIT_E_LIMIT : TACIT_OK);
	if (origin->usage != 0) {
		struct tacit_mls_proposal link = {.type = TACIT_MLS_PSK,
		        .psk = {.type = TACIT_MLS_PSK_RESUMPTION,
		                .id = tacit_buf_view(&origin->group_id),
		                .usage = origin->usage,
		                .epoch = origin->number}};
		d->plan.links = true;
		TRY(write_given(d, link));
	}
	for (size_t i = 0; i < d->o->proposal_count; i++)
		TRY(write_given(d, d->o->proposals[i]));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&d->given));
	while (tacit_mls_more(&r)) {
		struct tacit_mls_item item = {
		        .sender = {TACIT_MLS_SENDER_MEMBER, d->plan.committer}};
		tacit_mls_read_proposal(&r, &item.p);
		TRY(r.err);
		TRY(tacit_mls_plan_add(&d->plan, &item));
	}
out:
	return err;
}

static uint32_t touched_leaf(const struct tacit_mls_item *item)
{
	if (item->p.type == TACIT_MLS_REMOVE)
		return item->p.removed;
	return item->p.type == TACIT_MLS_UPDATE ? item->sender.index : UINT32_MAX;
}

static bool plan_touches(const struct tacit_mls_plan *plan, uint32_t leaf)
{
	for (size_t i = 0; i < plan->count; i++)
		if (touched_leaf(&plan->items[i]) == leaf)
			return true;
	return false;
}

/* 12.2: a client that is in the group, or comes in twice. */
static bool add_fits(const struct draft *d, const struct tacit_mls_leaf_node *leaf)
{
	uint32_t at;
	const struct tacit_mls_plan *plan = &d->plan;
	bool present = tacit_mls_tree_find_signature_key(d->g->tree, leaf->signature_key, &at);
	if (present && !plan_touches(plan, at))
		return false;
	if (tacit_mls_tree_has_encryption_key(d->g->tree, leaf->encryption_key))
		return false;
	for (size_t i = 0; i < plan->count; i++) {
		const struct tacit_mls_proposal *p = &plan->items[i].p;
		if (p->type != TACIT_MLS_ADD)
			continue;
		if (tacit_bytes_eq(p->add.leaf.signature_key, leaf->signature_key) ||
		        tacit_bytes_eq(p->add.leaf.encryption_key, leaf->encryption_key))
			return false;
	}
	return true;
}

static bool psk_fits(const struct draft *d, const struct tacit_mls_psk_id *id)
{
	struct tacit_buf psk = {0};
	bool known = tacit_mls_group_find_psk(d->g, d->host, id, &psk) == TACIT_OK;
	tacit_buf_clear(&psk);
	for (size_t i = 0; i < d->plan.count; i++) {
		const struct tacit_mls_proposal *p = &d->plan.items[i].p;
		if (p->type == TACIT_MLS_PSK && tacit_mls_psk_id_same(&p->psk, id))
			return false;
	}
	return known;
}

static bool has_type(const struct tacit_mls_plan *plan, uint16_t type)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].p.type == type)
			return true;
	return false;
}

static bool fits(const struct draft *d, const struct tacit_mls_item *item)
{
	const struct tacit_mls_plan *plan = &d->plan;
	uint32_t leaf = touched_leaf(item);
	if (has_type(plan, TACIT_MLS_REINIT))
		return false;
	if (leaf != UINT32_MAX && (leaf == plan->committer || plan_touches(plan, leaf)))
		return false;
	switch (item->p.type) {
	case TACIT_MLS_ADD:
		return add_fits(d, &item->p.add.leaf);
	case TACIT_MLS_PSK:
		return psk_fits(d, &item->p.psk);
	case TACIT_MLS_REINIT:
		return plan->count == 0;
	case TACIT_MLS_CONTEXT_EXTENSIONS:
		return !has_type(plan, TACIT_MLS_CONTEXT_EXTENSIONS);
	default:
		return true;
	}
}

/* Removes go before Updates of the same leaf, new extensions before who has to support them, and a
 * ReInit comes only alone (12.2). */
static unsigned turn_of(uint16_t type)
{
	if (type == TACIT_MLS_REMOVE || type == TACIT_MLS_CONTEXT_EXTENSIONS)
		return 0;
	return type == TACIT_MLS_REINIT ? 2 : 1;
}

static enum tacit_err collect_turn(struct draft *d, unsigned turn)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_item extensions = {0};
	for (size_t i = 0; i < d->plan.count; i++)
		if (d->plan.items[i].p.type == TACIT_MLS_CONTEXT_EXTENSIONS)
			extensions = d->plan.items[i];
	for (size_t i = d->g->cached_count; i > 0; i--) {
		const struct tacit_mls_cached *c = d->g->cached[i - 1];
		struct tacit_mls_item item = {.sender = c->sender, .cached = c};
		TRY(tacit_mls_proposal_decode(tacit_buf_view(&c->proposal), &item.p));
		if (turn_of(item.p.type) != turn || !fits(d, &item))
			continue;
		d->plan.extensions = extensions.p.type != 0 ? &extensions : NULL;
		err = tacit_mls_item_check(d->g, d->host, &d->plan, &item);
		d->plan.extensions = NULL;
		if (err == TACIT_E_NOMEM)
			goto out;
		if (err == TACIT_OK)
			TRY(tacit_mls_plan_add(&d->plan, &item));
	}
	err = TACIT_OK;
out:
	return err;
}

static enum tacit_err collect(struct draft *d, enum tacit_mls_committed which)
{
	enum tacit_err err;
	d->plan.committer = d->g->now->keys.leaf;
	d->plan.ours = true;
	TRY(collect_given(d));
	if (which == TACIT_MLS_COMMIT_GIVEN)
		goto out;
	for (unsigned turn = 0; turn < 3; turn++)
		TRY(collect_turn(d, turn));
out:
	return err;
}

/* --- The steps of 12.4.1 --- */

static struct tacit_bytes new_signature_sk(const struct draft *d)
{
	bool changes = d->o->leaf != NULL && d->o->leaf->signature_sk.n > 0;
	return changes ? d->o->leaf->signature_sk : d->host->signature_sk;
}

static enum tacit_err draft_path(struct draft *d)
{
	enum tacit_err err;
	struct tacit_mls_group *g = d->g;
	struct tacit_mls_leaf_node before;
	struct tacit_mls_leaf_node leaf;
	struct tacit_buf old = {0};
	struct tacit_mls_leaf_rules rules =
	        tacit_mls_group_rules(g, d->host, tacit_mls_plan_extensions(g, &d->plan), true);
	struct tacit_mls_path_options po = {.sender = d->plan.committer,
	        .group_id = tacit_buf_view(&g->group_id),
	        .signature_sk = new_signature_sk(d),
	        .leaf = &leaf};
	TRY(tacit_mls_own_leaf(g, NULL, &before));
	TRY(tacit_buf_append(&old, before.encoded));
	TRY(tacit_mls_own_leaf(g, d->o->leaf, &leaf));
	TRY(tacit_mls_path_draft(g->tree, &po, d->host->env, &d->path));
	TRY(tacit_mls_own_leaf(g, NULL, &leaf));
	TRY(tacit_mls_leaf_node_check(&leaf, TACIT_MLS_LEAF_COMMIT, &rules));
	TRY(tacit_mls_tree_check(g->tree));
	TRY(tacit_mls_changes_add(&d->plan.changes, TACIT_MLS_UPDATED, d->plan.committer,
	        tacit_buf_view(&old), leaf.encoded));
out:
	tacit_buf_clear(&old);
	return err;
}

static enum tacit_err draft_tree(struct draft *d)
{
	enum tacit_err err;
	struct tacit_mls_group *g = d->g;
	bool path = d->plan.needs_path || !d->o->without_path || d->o->leaf != NULL;
	TRY(tacit_mls_plan_apply(g, &d->plan, tacit_bytes(NULL, 0)));
	TRY(tacit_mls_plan_check_members(g, &d->plan));
	if (path)
		TRY(draft_path(d));
	TRY(tacit_mls_epoch_draft(g, &d->plan, &d->epoch));
	if (!path)
		goto out;
	d->epoch->keys = *tacit_mls_path_keys(d->path);
	TRY(tacit_mls_path_seal(d->path, g->tree, tacit_buf_view(&d->epoch->context), d->host->env,
	        &d->update_path));
out:
	return err;
}

static enum tacit_err write_commit(struct draft *d)
{
	enum tacit_err err;
	struct tacit_buf list = {0};
	struct tacit_writer w = tacit_writer(&list);
	for (size_t i = 0; i < d->plan.count; i++) {
		const struct tacit_mls_item *item = &d->plan.items[i];
		struct tacit_mls_proposal_or_ref p = {.by_reference = item->cached != NULL};
		if (item->cached != NULL)
			p.reference = tacit_bytes(item->cached->reference, d->g->suite->hash_bytes);
		else
			p.proposal = item->p;
		tacit_mls_write_proposal_or_ref(&w, &p);
	}
	TRY(tacit_writer_finish(&w));
	w = tacit_writer(&d->commit);
	tacit_mls_write_commit(&w, tacit_buf_view(&list), tacit_buf_view(&d->update_path));
	TRY(tacit_writer_finish(&w));
out:
	tacit_buf_clear(&list);
	return err;
}

static enum tacit_err sign_commit(struct draft *d)
{
	enum tacit_err err;
	struct tacit_mls_group *g = d->g;
	TRY(write_commit(d));
	struct tacit_mls_outgoing o = {
	        TACIT_MLS_CONTENT_COMMIT, tacit_buf_view(&d->commit), d->o->authenticated_data};
	tacit_mls_outgoing_frame(g, &o, &d->a);
	TRY(tacit_mls_framing_sign(g->suite, &d->a, tacit_buf_view(&g->now->context),
	        d->host->signature_sk, &d->signature));
	d->a.signature = tacit_bytes(d->signature.b, d->signature.n);
	struct tacit_mls_advance advance = {.init = g->now->secrets.init,
	        .commit_secret = d->path != NULL ? tacit_mls_path_commit_secret(d->path) : NULL,
	        .commit = &d->a,
	        .joiner = d->joiner,
	        .psk = d->psk};
	TRY(tacit_mls_epoch_complete(g, d->host, &d->plan, &advance, d->epoch));
	d->a.confirmation_tag = tacit_bytes(d->epoch->tag, g->suite->hash_bytes);
out:
	return err;
}

static enum tacit_err make_info(
        const struct draft *d, unsigned parts, bool as_message, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_mls_info_options o = {
	        d->epoch, d->g->tree, new_signature_sk(d), parts, d->host->env};
	struct tacit_writer w = tacit_writer(out);
	if (as_message)
		tacit_mls_write_message_header(&w, TACIT_MLS_GROUP_INFO);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_make_info(d->g, &o, out));
out:
	return err;
}

static enum tacit_err welcome_added(struct draft *d, struct tacit_mls_commit_result *r)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf info = {0};
	struct tacit_mls_welcome_options o = {&d->plan, d->path, d->joiner, d->psk, d->host->env};
	r->added = (uint32_t)d->plan.add_count;
	if (d->plan.add_count > 0) {
		TRY(make_info(
		        d, d->o->welcome_without_tree ? 0 : TACIT_MLS_INFO_TREE, false, &info));
		TRY(tacit_mls_make_welcome(d->g, &o, tacit_buf_view(&info), &r->welcome));
	}
	if (d->o->group_info != 0)
		TRY(make_info(d, d->o->group_info, true, &r->group_info));
out:
	tacit_buf_clear(&info);
	return err;
}

/* The last steps: what the group will hold, and the message, whose key is used up by it. */
static enum tacit_err make_pending(struct draft *d, struct tacit_mls_commit_result *r)
{
	enum tacit_err err;
	struct tacit_mls_pending *p = tacit_calloc(1, sizeof(*p));
	TRY(p == NULL ? TACIT_E_NOMEM : TACIT_OK);
	d->pending = p;
	TRY(tacit_mls_plan_write_recipe(&d->plan, tacit_buf_view(&d->update_path), &p->recipe));
	if (d->plan.reinit != NULL)
		TRY(tacit_buf_append(&p->next.reinit, d->plan.reinit->p.encoded));
	TRY(tacit_mls_tree_detach(d->g->tree, &p->patch));
	TRY(tacit_mls_outgoing_seal(d->g, d->host->env, &d->a, &r->commit));
	TRY(tacit_mls_hash(d->g->suite, tacit_buf_view(&r->commit), p->message_hash));
	p->next.epoch = d->epoch;
	d->epoch = NULL;
	p->next.changes = d->plan.changes;
	d->plan.changes = (struct tacit_mls_changes){0};
	d->g->pending = p;
	d->pending = NULL;
out:
	return err;
}

static size_t count_waiting(const struct draft *d)
{
	size_t taken = 0;
	for (size_t i = 0; i < d->plan.count; i++)
		taken += d->plan.items[i].cached != NULL;
	return taken;
}

static enum tacit_err try_list(struct draft *d, enum tacit_mls_committed which)
{
	enum tacit_err err;
	TRY(collect(d, which));
	TRY(tacit_mls_plan_check(d->g, d->host, &d->plan));
	TRY(tacit_mls_tree_stage(d->g->tree));
	TRY(draft_tree(d));
out:
	return err;
}

static void forget_list(struct draft *d)
{
	tacit_mls_tree_drop(d->g->tree);
	tacit_mls_plan_clear(&d->plan);
	tacit_buf_clear(&d->given);
	d->nonce_count = 0;
	tacit_mls_path_free(d->path);
	d->path = NULL;
	tacit_mls_epoch_free(d->epoch);
	d->epoch = NULL;
	tacit_buf_clear(&d->update_path);
}

/* What waits may each be valid and yet make a tree together that is not (7.3). Nobody shall be able
 * to stop all commits by such a proposal: then only what was given is committed. */
static enum tacit_err choose_list(struct draft *d)
{
	enum tacit_err err = try_list(d, d->o->waiting);
	if (err == TACIT_OK || tacit_err_class(err) == TACIT_CLASS_SYSTEM || count_waiting(d) == 0)
		return err;
	forget_list(d);
	return try_list(d, TACIT_MLS_COMMIT_GIVEN);
}

enum tacit_err tacit_mls_group_commit(struct tacit_mls_group *g, const struct tacit_mls_host *host,
        const struct tacit_mls_commit_options *o, struct tacit_mls_commit_result *r)
{
	enum tacit_err err;
	*r = (struct tacit_mls_commit_result){0};
	if (g->state != TACIT_MLS_ACTIVE || g->pending != NULL)
		return TACIT_E_CONFLICT;
	struct draft *d = tacit_calloc(1, sizeof(*d));
	if (d == NULL)
		return TACIT_E_NOMEM;
	d->g = g;
	d->host = host;
	d->o = o;
	TRY(choose_list(d));
	r->left_out = g->cached_count - count_waiting(d);
	TRY(sign_commit(d));
	TRY(welcome_added(d, r));
	TRY(make_pending(d, r));
out:
	tacit_mls_tree_drop(g->tree);
	clear_draft(d);
	if (err != TACIT_OK)
		tacit_mls_commit_result_clear(r);
	return err;
}
