/* Receiving: RFC 9420 6, 12.1 (proposals), 12.4.2 (commits), 15.3 (late messages). What a message
 * asks for is done in a struct incoming; the group changes when nothing can fail any more. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"

struct incoming {
	struct tacit_mls_group *g;
	const struct tacit_mls_host *host;
	struct tacit_mls_event *ev;
	struct tacit_bytes message;     /* whole */
	struct tacit_mls_past *past;    /* NULL: of this epoch */
	struct tacit_mls_opened opened; /* of a PrivateMessage */
	struct tacit_mls_authenticated a;
	struct tacit_mls_cached *cached;
	/* Of commits: */
	struct tacit_mls_commit commit;
	struct tacit_mls_plan plan;
	struct tacit_mls_next next;
	struct tacit_mls_past *over;
	bool has_opened_path;
	struct tacit_mls_path_opened path;
	uint8_t init[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t joiner[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t psk[TACIT_MLS_HASH_MAX_BYTES];
};

static void clear_incoming(struct incoming *in)
{
	tacit_mls_opened_clear(&in->opened);
	tacit_mls_cached_free(in->cached);
	tacit_mls_plan_clear(&in->plan);
	tacit_mls_next_clear(&in->next);
	tacit_mls_past_free(in->over);
	tacit_mls_path_opened_wipe(&in->path);
	tacit_wipe(in, sizeof(*in));
	tacit_free(in);
}

static struct tacit_mls_past *find_past(const struct tacit_mls_group *g, uint64_t epoch)
{
	for (size_t i = 0; i < g->past_count; i++)
		if (g->past[i]->number == epoch)
			return g->past[i];
	return NULL;
}

/* Who was at a leaf in the message's epoch: the first commit since then that changed it knows. */
static bool leaf_then(const struct incoming *in, uint32_t leaf, struct tacit_mls_leaf_node *out)
{
	const struct tacit_mls_group *g = in->g;
	for (size_t i = in->past == NULL ? 0 : g->past_count; i > 0; i--) {
		const struct tacit_mls_past *p = g->past[i - 1];
		if (p->number < in->past->number)
			continue;
		for (size_t k = 0; k < p->changes.n; k++) {
			const struct tacit_mls_change *c = &p->changes.p[k];
			if (c->leaf == leaf)
				return c->before.n > 0 &&
				       tacit_mls_leaf_node_decode(
				               tacit_buf_view(&c->before), out) == TACIT_OK;
		}
	}
	return tacit_mls_tree_leaf(g->tree, leaf, out);
}

static enum tacit_err choose_epoch(struct incoming *in, const struct tacit_mls_address *to)
{
	const struct tacit_mls_group *g = in->g;
	bool handshake = to->content_type != TACIT_MLS_CONTENT_APPLICATION;
	if (!tacit_bytes_eq(to->group_id, tacit_buf_view(&g->group_id)))
		return TACIT_E_WRONG_RECIPIENT;
	in->ev->epoch = to->epoch;
	if (to->epoch > g->now->number)
		return TACIT_E_ORDER_CHANGED;
	if (to->epoch == g->now->number)
		return handshake && g->state != TACIT_MLS_ACTIVE ? TACIT_E_CONFLICT : TACIT_OK;
	in->past = find_past(g, to->epoch);
	return handshake || in->past == NULL ? TACIT_E_GONE : TACIT_OK;
}

static struct tacit_bytes context_then(const struct incoming *in)
{
	return tacit_buf_view(in->past != NULL ? &in->past->context : &in->g->now->context);
}

static enum tacit_err check_membership(
        const struct incoming *in, const struct tacit_mls_public_message *m)
{
	enum tacit_err err;
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	const struct tacit_mls_suite *s = in->g->suite;
	TRY(tacit_mls_membership_tag(
	        s, &m->content, context_then(in), in->g->now->secrets.membership, tag));
	bool good = tacit_ct_eq(m->membership_tag, tacit_bytes(tag, s->hash_bytes));
	TRY(good ? TACIT_OK : TACIT_E_BAD_SEAL);
out:
	return err;
}

/* 6.2: what is public is never from the application. */
static enum tacit_err open_public(struct incoming *in, const struct tacit_mls_public_message *m)
{
	uint8_t type = m->content.framed.content_type;
	if (type == TACIT_MLS_CONTENT_APPLICATION)
		return TACIT_E_MALFORMED;
	in->a = m->content;
	if (m->content.framed.sender.type != TACIT_MLS_SENDER_MEMBER)
		return TACIT_OK;
	return check_membership(in, m);
}

/* Our own messages come back from a server that sends to everybody. A state that is behind (from a
 * backup) opens them, and moves on. */
static enum tacit_err open_private(struct incoming *in, const struct tacit_mls_private_message *m)
{
	struct tacit_mls_group *g = in->g;
	struct tacit_mls_private_keys keys = {g->suite,
	        in->past != NULL ? in->past->sender_data : g->now->secrets.sender_data,
	        in->past != NULL ? in->past->messages : g->now->messages};
	enum tacit_err err = tacit_mls_private_open(&keys, m, &in->opened);
	bool own = in->opened.sender_known && in->opened.sender == g->now->keys.leaf;
	if (own && (err == TACIT_E_REPLAY || err == TACIT_E_GONE)) {
		/* Of a commit that is not the pending one the secrets are gone. */
		if (m->content_type == TACIT_MLS_CONTENT_COMMIT)
			return TACIT_E_CONFLICT;
		in->ev->kind = TACIT_MLS_EVENT_OWN;
		in->ev->sender =
		        (struct tacit_mls_sender){TACIT_MLS_SENDER_MEMBER, in->opened.sender};
		return TACIT_OK;
	}
	in->a = in->opened.content;
	return err;
}

static enum tacit_err external_sender_key(
        const struct incoming *in, uint32_t index, struct tacit_bytes *pk)
{
	struct tacit_bytes data;
	struct tacit_mls_external_sender sender;
	struct tacit_mls_extensions list = tacit_mls_epoch_extensions(in->g->now);
	if (!tacit_mls_extension_find(list, TACIT_MLS_EXT_EXTERNAL_SENDERS, &data) ||
	        tacit_mls_external_sender_at(data, index, &sender) != TACIT_OK)
		return TACIT_E_UNKNOWN_SENDER;
	*pk = sender.signature_key;
	return TACIT_OK;
}

/* 6.1: the key that each kind of sender signs with; *leaf is empty for external senders. */
static enum tacit_err sender_key(
        struct incoming *in, struct tacit_bytes *pk, struct tacit_bytes *leaf)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_leaf_node node;
	struct tacit_mls_proposal p;
	const struct tacit_mls_framed_content *c = &in->a.framed;
	*leaf = tacit_bytes(NULL, 0);
	switch (c->sender.type) {
	case TACIT_MLS_SENDER_MEMBER:
		TRY(leaf_then(in, c->sender.index, &node) ? TACIT_OK : TACIT_E_UNKNOWN_SENDER);
		break;
	case TACIT_MLS_SENDER_EXTERNAL:
		TRY(c->content_type == TACIT_MLS_CONTENT_PROPOSAL ? TACIT_OK : TACIT_E_MALFORMED);
		return external_sender_key(in, c->sender.index, pk);
	case TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL:
		TRY(c->content_type == TACIT_MLS_CONTENT_PROPOSAL ? TACIT_OK : TACIT_E_MALFORMED);
		TRY(tacit_mls_proposal_decode(c->content, &p));
		TRY(p.type == TACIT_MLS_ADD ? TACIT_OK : TACIT_E_MALFORMED);
		node = p.add.leaf;
		break;
	default:
		TRY(c->content_type == TACIT_MLS_CONTENT_COMMIT ? TACIT_OK : TACIT_E_MALFORMED);
		TRY(tacit_mls_commit_decode(c->content, &in->commit));
		TRY(in->commit.has_path ? TACIT_OK : TACIT_E_MALFORMED);
		node = in->commit.path.leaf;
	}
	*pk = node.signature_key;
	*leaf = node.encoded;
out:
	return err;
}

static enum tacit_err authenticate(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_bytes pk;
	struct tacit_bytes leaf;
	TRY(sender_key(in, &pk, &leaf));
	TRY(tacit_mls_framing_verify(in->g->suite, &in->a, context_then(in), pk));
	in->ev->sender = in->a.framed.sender;
	TRY(tacit_buf_append(&in->ev->sender_leaf, leaf));
	TRY(tacit_buf_append(&in->ev->authenticated_data, in->a.framed.authenticated_data));
out:
	return err;
}

static void accept_key(struct incoming *in)
{
	struct tacit_mls_group *g = in->g;
	if (in->opened.key.stage != NULL)
		tacit_mls_secret_tree_accept(
		        in->past != NULL ? in->past->messages : g->now->messages, &in->opened.key);
}

static enum tacit_err take_application(struct incoming *in)
{
	in->ev->kind = TACIT_MLS_EVENT_APPLICATION;
	enum tacit_err err = tacit_buf_append(&in->ev->plain, in->a.framed.content);
	if (err == TACIT_OK)
		accept_key(in);
	return err;
}

/* 12.1: what it asks for is checked now and, with others, again when it is committed. */
static enum tacit_err take_proposal(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_group *g = in->g;
	struct tacit_mls_plan plan = {.committer = UINT32_MAX};
	struct tacit_mls_item item = {.sender = in->a.framed.sender};
	in->ev->kind = TACIT_MLS_EVENT_PROPOSAL;
	TRY(tacit_mls_proposal_decode(in->a.framed.content, &item.p));
	TRY(tacit_mls_cached_new(g->suite, &in->a, &in->cached));
	bool known = tacit_mls_group_find_cached(
	                     g, tacit_bytes(in->cached->reference, g->suite->hash_bytes)) != NULL;
	bool own = item.sender.type == TACIT_MLS_SENDER_MEMBER &&
	           item.sender.index == g->now->keys.leaf;
	if (known && own) {
		in->ev->kind = TACIT_MLS_EVENT_OWN;
		return TACIT_OK;
	}
	TRY(known ? TACIT_E_REPLAY : TACIT_OK);
	TRY(tacit_mls_item_check(g, in->host, &plan, &item));
	if (item.p.type == TACIT_MLS_CONTEXT_EXTENSIONS) {
		plan.extensions = &item;
		TRY(tacit_mls_plan_check_members(g, &plan));
	}
	TRY(tacit_buf_append(&in->ev->plain, in->a.framed.content));
	TRY(tacit_mls_cache_reserve(g, in->cached->proposal.n));
	tacit_mls_cache_push(g, in->cached);
	in->cached = NULL;
	accept_key(in);
out:
	return err;
}

/* --- Commits --- */

static enum tacit_err resolve(struct incoming *in)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_reader it = tacit_reader(in->commit.proposals);
	struct tacit_mls_proposal_or_ref p;
	while (tacit_mls_commit_next(&it, &p)) {
		struct tacit_mls_item item = {.sender = in->a.framed.sender, .p = p.proposal};
		if (p.by_reference) {
			item.cached = tacit_mls_group_find_cached(in->g, p.reference);
			TRY(item.cached == NULL ? TACIT_E_NOT_FOUND : TACIT_OK);
			item.sender = item.cached->sender;
			TRY(tacit_mls_proposal_decode(
			        tacit_buf_view(&item.cached->proposal), &item.p));
		}
		TRY(tacit_mls_plan_add(&in->plan, &item));
	}
	TRY(it.err);
out:
	return err;
}

/* An Update of ours from before our state was stored: the key that belongs to it is gone, and with
 * it our place in the group, should it be committed. */
static bool loses_key(const struct incoming *in)
{
	for (size_t i = 0; i < in->plan.count; i++) {
		const struct tacit_mls_item *item = &in->plan.items[i];
		if (item->p.type == TACIT_MLS_UPDATE &&
		        item->sender.index == in->g->now->keys.leaf && !item->cached->has_update_sk)
			return true;
	}
	return false;
}

/* 12.2: one who joins and takes an old leaf away meets what an Update of that leaf has to (7.3): a
 * new encryption key, and a credential that may follow. */
static enum tacit_err check_resync(const struct incoming *in)
{
	struct tacit_mls_leaf_node before;
	for (size_t i = 0; i < in->plan.count; i++) {
		const struct tacit_mls_proposal *p = &in->plan.items[i].p;
		if (p->type != TACIT_MLS_REMOVE)
			continue;
		if (!tacit_mls_tree_leaf(in->g->tree, p->removed, &before))
			return TACIT_E_NOT_FOUND;
		if (tacit_bytes_eq(before.encryption_key, in->commit.path.leaf.encryption_key))
			return TACIT_E_MALFORMED;
		if (!tacit_mls_host_successor(in->host, &before, &in->commit.path.leaf))
			return TACIT_E_KEY_CHANGED;
	}
	return TACIT_OK;
}

/* 7.3, 5.3.1: the committer's new leaf against the one before; the change is noted. */
static enum tacit_err note_committer(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node before;
	const struct tacit_mls_leaf_node *after = &in->commit.path.leaf;
	TRY(tacit_mls_tree_leaf(in->g->tree, in->plan.committer, &before) ? TACIT_OK
	                                                                  : TACIT_E_NOT_FOUND);
	TRY(tacit_mls_host_successor(in->host, &before, after) ? TACIT_OK : TACIT_E_KEY_CHANGED);
	TRY(tacit_mls_changes_add(&in->plan.changes, TACIT_MLS_UPDATED, in->plan.committer,
	        before.encoded, after->encoded));
out:
	return err;
}

static enum tacit_err apply_commit(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_group *g = in->g;
	struct tacit_mls_leaf_rules rules =
	        tacit_mls_group_rules(g, in->host, tacit_mls_plan_extensions(g, &in->plan), false);
	struct tacit_bytes joiner =
	        in->plan.external ? in->commit.path.leaf.encoded : tacit_bytes(NULL, 0);
	TRY(tacit_mls_plan_apply(g, &in->plan, joiner));
	TRY(tacit_mls_plan_check_members(g, &in->plan));
	if (!in->commit.has_path)
		goto out;
	if (!in->plan.external)
		TRY(note_committer(in));
	struct tacit_mls_leaf_place place = {tacit_buf_view(&g->group_id), in->plan.committer};
	TRY(tacit_mls_path_merge(g->tree, &in->commit.path, &place, &rules));
out:
	return err;
}

static enum tacit_err open_path(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_epoch *e = in->next.epoch;
	if (!in->commit.has_path)
		return TACIT_OK;
	TRY(tacit_mls_path_open(in->g->tree, &in->commit.path, in->plan.committer, &e->keys,
	        tacit_buf_view(&e->context), &in->path));
	in->has_opened_path = true;
	e->keys = in->path.keys;
out:
	return err;
}

static enum tacit_err external_init(struct incoming *in)
{
	enum tacit_err err;
	const struct tacit_mls_suite *s = in->g->suite;
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	TRY(tacit_mls_external_keypair(s, &in->g->now->secrets, sk, pk));
	TRY(tacit_mls_external_init_receive(s, sk, in->plan.external_init->p.kem_output, in->init));
out:
	tacit_wipe(sk, sizeof(sk));
	return err;
}

static enum tacit_err derive_epoch(struct incoming *in)
{
	enum tacit_err err;
	const struct tacit_mls_suite *s = in->g->suite;
	memcpy(in->init, in->g->now->secrets.init, sizeof(in->init));
	if (in->plan.external)
		TRY(external_init(in));
	struct tacit_mls_advance advance = {.init = in->init,
	        .commit_secret = in->has_opened_path ? in->path.commit_secret : NULL,
	        .commit = &in->a,
	        .joiner = in->joiner,
	        .psk = in->psk};
	TRY(tacit_mls_epoch_complete(in->g, in->host, &in->plan, &advance, in->next.epoch));
	bool same = tacit_ct_eq(
	        in->a.confirmation_tag, tacit_bytes(in->next.epoch->tag, s->hash_bytes));
	TRY(same ? TACIT_OK : TACIT_E_BAD_SEAL);
out:
	return err;
}

static bool removes_us(const struct incoming *in)
{
	for (size_t i = 0; i < in->plan.count; i++) {
		const struct tacit_mls_proposal *p = &in->plan.items[i].p;
		if (p->type == TACIT_MLS_REMOVE && p->removed == in->g->now->keys.leaf)
			return true;
	}
	return false;
}

static void move_changes(struct tacit_mls_changes *from, struct tacit_mls_event *ev)
{
	ev->changes = from->p;
	ev->change_count = from->n;
	*from = (struct tacit_mls_changes){0};
}

/* We are out: what the new epoch is cannot be known, and the old one is kept for late messages. */
static void finish_removed(struct incoming *in)
{
	struct tacit_mls_group *g = in->g;
	tacit_mls_tree_drop(g->tree);
	accept_key(in);
	in->ev->dropped_pending = g->pending != NULL;
	tacit_mls_group_drop(g);
	tacit_mls_group_clear_proposals(g);
	g->state = TACIT_MLS_REMOVED;
	in->ev->removed = true;
	move_changes(&in->plan.changes, in->ev);
}

static void finish_commit(struct incoming *in)
{
	struct tacit_mls_group *g = in->g;
	tacit_mls_tree_keep(g->tree);
	accept_key(in);
	in->ev->dropped_pending = g->pending != NULL;
	tacit_mls_group_drop(g);
	in->ev->external = in->plan.external;
	move_changes(&in->plan.changes, in->ev);
	tacit_mls_group_install(g, &in->next, in->over);
	in->over = NULL;
	in->ev->reinited = g->state == TACIT_MLS_REINITED;
}

static enum tacit_err prepare_commit(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_group *g = in->g;
	TRY(tacit_mls_epoch_draft(g, &in->plan, &in->next.epoch));
	TRY(open_path(in));
	TRY(derive_epoch(in));
	if (in->plan.reinit != NULL)
		TRY(tacit_buf_append(&in->next.reinit, in->plan.reinit->p.encoded));
	in->over = tacit_mls_past_new(&in->plan.changes);
	TRY(in->over == NULL ? TACIT_E_NOMEM : TACIT_OK);
out:
	return err;
}

static enum tacit_err take_commit(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_group *g = in->g;
	const struct tacit_mls_sender *sender = &in->a.framed.sender;
	in->ev->kind = TACIT_MLS_EVENT_COMMIT;
	in->plan.external = sender->type == TACIT_MLS_SENDER_NEW_MEMBER_COMMIT;
	in->plan.committer = in->plan.external ? UINT32_MAX : sender->index;
	/* Our own, but not the pending one: its secrets are gone. */
	TRY(!in->plan.external && sender->index == g->now->keys.leaf ? TACIT_E_CONFLICT : TACIT_OK);
	TRY(tacit_mls_commit_decode(in->a.framed.content, &in->commit));
	TRY(resolve(in));
	TRY(tacit_mls_plan_check(g, in->host, &in->plan));
	TRY(in->plan.external ? check_resync(in) : TACIT_OK);
	TRY(loses_key(in) ? TACIT_E_CONFLICT : TACIT_OK);
	TRY(in->plan.needs_path && !in->commit.has_path ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(tacit_mls_tree_stage(g->tree));
	TRY(apply_commit(in));
	if (removes_us(in)) {
		finish_removed(in);
		goto out;
	}
	TRY(prepare_commit(in));
	finish_commit(in);
out:
	tacit_mls_tree_drop(g->tree);
	return err;
}

static enum tacit_err take_own_commit(struct tacit_mls_group *g, struct tacit_mls_event *ev)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node leaf;
	struct tacit_mls_pending *p = g->pending;
	ev->kind = TACIT_MLS_EVENT_COMMIT;
	ev->epoch = g->now->number;
	ev->sender = (struct tacit_mls_sender){TACIT_MLS_SENDER_MEMBER, g->now->keys.leaf};
	TRY(tacit_mls_own_leaf(g, NULL, &leaf));
	TRY(tacit_buf_append(&ev->sender_leaf, leaf.encoded));
	struct tacit_mls_past *past = tacit_mls_past_new(&p->next.changes);
	TRY(past == NULL ? TACIT_E_NOMEM : TACIT_OK);
	err = tacit_mls_tree_apply(g->tree, p->patch);
	if (err != TACIT_OK) {
		tacit_mls_past_free(past);
		goto out;
	}
	p->patch = NULL;
	move_changes(&p->next.changes, ev);
	tacit_mls_group_install(g, &p->next, past);
	tacit_mls_group_drop(g);
	ev->own = true;
	ev->reinited = g->state == TACIT_MLS_REINITED;
out:
	return err;
}

static enum tacit_err is_pending(
        const struct tacit_mls_group *g, struct tacit_bytes message, bool *out)
{
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	*out = false;
	if (g->pending == NULL)
		return TACIT_OK;
	enum tacit_err err = tacit_mls_hash(g->suite, message, hash);
	*out = err == TACIT_OK &&
	       tacit_bytes_eq(tacit_bytes(hash, g->suite->hash_bytes),
	               tacit_bytes(g->pending->message_hash, g->suite->hash_bytes));
	return err;
}

static enum tacit_err process(struct incoming *in)
{
	enum tacit_err err;
	struct tacit_mls_message m;
	struct tacit_mls_address to;
	TRY(tacit_mls_message_decode(in->message, &m));
	TRY(tacit_mls_message_address(&m, &to) ? TACIT_OK : TACIT_E_UNSUPPORTED);
	TRY(choose_epoch(in, &to));
	if (m.wire_format == TACIT_MLS_PUBLIC_MESSAGE)
		TRY(open_public(in, &m.public_message));
	else
		TRY(open_private(in, &m.private_message));
	if (in->ev->kind == TACIT_MLS_EVENT_OWN)
		goto out;
	TRY(authenticate(in));
	if (in->a.framed.content_type == TACIT_MLS_CONTENT_APPLICATION)
		TRY(take_application(in));
	else if (in->a.framed.content_type == TACIT_MLS_CONTENT_PROPOSAL)
		TRY(take_proposal(in));
	else
		TRY(take_commit(in));
out:
	return err;
}

enum tacit_err tacit_mls_group_process(struct tacit_mls_group *g, const struct tacit_mls_host *host,
        struct tacit_bytes message, struct tacit_mls_event *ev)
{
	enum tacit_err err;
	bool pending;
	*ev = (struct tacit_mls_event){0};
	TRY(is_pending(g, message, &pending));
	if (pending) {
		TRY(take_own_commit(g, ev));
		goto out;
	}
	struct incoming *in = tacit_calloc(1, sizeof(*in));
	TRY(in == NULL ? TACIT_E_NOMEM : TACIT_OK);
	in->g = g;
	in->host = host;
	in->ev = ev;
	in->message = message;
	err = process(in);
	clear_incoming(in);
out:
	if (err != TACIT_OK)
		tacit_mls_event_clear(ev);
	return err;
}
