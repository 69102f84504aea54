#include <string.h>

#include "base/alloc.h"
#include "e2e/mls/group_int.h"

enum tacit_err tacit_mls_plan_add(struct tacit_mls_plan *plan, const struct tacit_mls_item *item)
{
	if (plan->count == plan->cap) {
		size_t cap = plan->cap == 0 ? 8 : plan->cap * 2;
		void *grown = tacit_realloc(plan->items, cap * sizeof(*plan->items));
		if (grown == NULL)
			return TACIT_E_NOMEM;
		plan->items = grown;
		plan->cap = cap;
	}
	plan->items[plan->count++] = *item;
	return TACIT_OK;
}

void tacit_mls_plan_clear(struct tacit_mls_plan *plan)
{
	tacit_free(plan->items);
	tacit_free(plan->added);
	tacit_mls_changes_clear(&plan->changes);
	*plan = (struct tacit_mls_plan){0};
}

struct tacit_mls_extensions tacit_mls_plan_extensions(
        const struct tacit_mls_group *g, const struct tacit_mls_plan *plan)
{
	return plan->extensions != NULL ? plan->extensions->p.extensions
	                                : tacit_mls_epoch_extensions(g->now);
}

/* 12.1.2 and 7.3 for a leaf that replaces a member's. */
static enum tacit_err check_update(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_plan *plan,
        const struct tacit_mls_item *item)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node before;
	const struct tacit_mls_leaf_node *leaf = &item->p.update;
	uint32_t at = item->sender.index;
	struct tacit_mls_leaf_place place = {tacit_buf_view(&g->group_id), at};
	struct tacit_mls_leaf_rules rules = tacit_mls_group_rules(
	        g, host, tacit_mls_plan_extensions(g, plan), plan->ours && item->cached == NULL);
	TRY(item->sender.type != TACIT_MLS_SENDER_MEMBER ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(tacit_mls_tree_leaf(g->tree, at, &before) ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(tacit_bytes_eq(before.encryption_key, leaf->encryption_key) ? TACIT_E_MALFORMED
	                                                                : TACIT_OK);
	TRY(tacit_mls_leaf_node_check(leaf, TACIT_MLS_LEAF_UPDATE, &rules));
	TRY(tacit_mls_leaf_node_verify(g->suite, leaf, &place));
	TRY(tacit_mls_host_successor(host, &before, leaf) ? TACIT_OK : TACIT_E_KEY_CHANGED);
out:
	return err;
}

static enum tacit_err check_add(const struct tacit_mls_group *g, const struct tacit_mls_host *host,
        const struct tacit_mls_plan *plan, const struct tacit_mls_item *item)
{
	const struct tacit_mls_key_package *kp = &item->p.add;
	struct tacit_mls_leaf_rules rules =
	        tacit_mls_group_rules(g, host, tacit_mls_plan_extensions(g, plan), plan->ours);
	if (kp->version != TACIT_MLS_VERSION_10 || kp->suite != g->suite->id)
		return TACIT_E_UNSUPPORTED;
	return tacit_mls_key_package_check(kp, &rules);
}

/* 12.1.4, 8.4: psk_nonce has KDF.Nh bytes; reinit and branch only where groups begin. */
static enum tacit_err check_psk(const struct tacit_mls_group *g, const struct tacit_mls_plan *plan,
        const struct tacit_mls_psk_id *id)
{
	bool link = id->type == TACIT_MLS_PSK_RESUMPTION && id->usage != TACIT_MLS_PSK_APPLICATION;
	if (id->nonce.n != g->suite->hash_bytes || (link && !plan->links))
		return TACIT_E_MALFORMED;
	return TACIT_OK;
}

static enum tacit_err check_external_senders(
        const struct tacit_mls_host *host, struct tacit_bytes data)
{
	enum tacit_err err;
	uint32_t count;
	struct tacit_mls_external_sender sender;
	TRY(tacit_mls_external_sender_count(data, &count));
	for (uint32_t i = 0; host->check_external_sender != NULL && i < count; i++) {
		TRY(tacit_mls_external_sender_at(data, i, &sender));
		TRY(host->check_external_sender(host->ctx, &sender));
	}
out:
	return err;
}

/* 12.1.7: what is in the extensions; whether members support them is known after applying. */
enum tacit_err tacit_mls_check_context_extensions(
        const struct tacit_mls_host *host, struct tacit_mls_extensions list)
{
	struct tacit_bytes data;
	struct tacit_mls_required_capabilities rc;
	enum tacit_err err = TACIT_OK;
	if (tacit_mls_extension_find(list, TACIT_MLS_EXT_EXTERNAL_SENDERS, &data))
		TRY(check_external_senders(host, data));
	if (tacit_mls_extension_find(list, TACIT_MLS_EXT_REQUIRED_CAPABILITIES, &data))
		TRY(tacit_mls_required_capabilities_decode(data, &rc));
out:
	return err;
}

static bool sender_may(const struct tacit_mls_item *item)
{
	uint16_t type = item->p.type;
	switch (item->sender.type) {
	case TACIT_MLS_SENDER_MEMBER:
		return type != TACIT_MLS_EXTERNAL_INIT;
	case TACIT_MLS_SENDER_EXTERNAL:
		return tacit_mls_proposal_external(type);
	case TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL:
		return type == TACIT_MLS_ADD;
	default: /* by value in an external commit (12.2) */
		return type == TACIT_MLS_EXTERNAL_INIT || type == TACIT_MLS_REMOVE ||
		       type == TACIT_MLS_PSK;
	}
}

enum tacit_err tacit_mls_item_check(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_plan *plan,
        const struct tacit_mls_item *item)
{
	enum tacit_err err = TACIT_OK;
	const struct tacit_mls_proposal *p = &item->p;
	TRY(sender_may(item) ? TACIT_OK : TACIT_E_MALFORMED);
	switch (p->type) {
	case TACIT_MLS_ADD:
		TRY(check_add(g, host, plan, item));
		break;
	case TACIT_MLS_UPDATE:
		TRY(check_update(g, host, plan, item));
		break;
	case TACIT_MLS_REMOVE:
		TRY(tacit_mls_tree_is_member(g->tree, p->removed) ? TACIT_OK : TACIT_E_NOT_FOUND);
		break;
	case TACIT_MLS_PSK:
		TRY(check_psk(g, plan, &p->psk));
		break;
	case TACIT_MLS_REINIT:
		TRY(p->reinit.version < TACIT_MLS_VERSION_10 ? TACIT_E_MALFORMED : TACIT_OK);
		break;
	case TACIT_MLS_CONTEXT_EXTENSIONS:
		TRY(tacit_mls_check_context_extensions(host, p->extensions));
		break;
	default:
		break;
	}
	if (host->check_proposal != NULL)
		TRY(host->check_proposal(host->ctx, g, &item->sender, p));
out:
	return err;
}

/* 12.2: no two Updates or Removes of one leaf, none of the committer. */
static enum tacit_err mark_leaf(const struct tacit_mls_plan *plan,
        const struct tacit_mls_item *item, uint8_t *marks, uint32_t width)
{
	uint32_t leaf = item->p.type == TACIT_MLS_REMOVE ? item->p.removed : item->sender.index;
	if (leaf >= width)
		return TACIT_E_NOT_FOUND;
	if (!plan->external && leaf == plan->committer)
		return TACIT_E_MALFORMED;
	uint8_t bit = (uint8_t)(1u << (leaf % 8));
	if (marks[leaf / 8] & bit)
		return TACIT_E_MALFORMED;
	marks[leaf / 8] |= bit;
	return TACIT_OK;
}

static enum tacit_err count_once(
        const struct tacit_mls_item **slot, const struct tacit_mls_item *item)
{
	if (*slot != NULL)
		return TACIT_E_MALFORMED;
	*slot = item;
	return TACIT_OK;
}

/* The kinds that may be in a list once, and the counts. */
static enum tacit_err take_stock(struct tacit_mls_plan *plan)
{
	enum tacit_err err = TACIT_OK;
	plan->needs_path = plan->count == 0;
	for (size_t i = 0; i < plan->count; i++) {
		const struct tacit_mls_item *item = &plan->items[i];
		uint16_t type = item->p.type;
		plan->needs_path |= tacit_mls_proposal_needs_path(type);
		if (type == TACIT_MLS_CONTEXT_EXTENSIONS)
			TRY(count_once(&plan->extensions, item));
		else if (type == TACIT_MLS_REINIT)
			TRY(count_once(&plan->reinit, item));
		else if (type == TACIT_MLS_EXTERNAL_INIT)
			TRY(count_once(&plan->external_init, item));
		plan->add_count += type == TACIT_MLS_ADD;
		plan->psk_count += type == TACIT_MLS_PSK;
	}
	TRY(plan->reinit != NULL && plan->count > 1 ? TACIT_E_MALFORMED : TACIT_OK);
	TRY((plan->external_init != NULL) != plan->external ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(plan->psk_count > TACIT_MLS_PSK_MAX ? TACIT_E_LIMIT : TACIT_OK);
out:
	return err;
}

static enum tacit_err check_psks_differ(const struct tacit_mls_plan *plan, size_t before)
{
	const struct tacit_mls_psk_id *id = &plan->items[before].p.psk;
	for (size_t i = 0; i < before; i++) {
		const struct tacit_mls_proposal *p = &plan->items[i].p;
		if (p->type == TACIT_MLS_PSK && tacit_mls_psk_id_same(&p->psk, id))
			return TACIT_E_MALFORMED;
	}
	return TACIT_OK;
}

enum tacit_err tacit_mls_plan_check(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, struct tacit_mls_plan *plan)
{
	enum tacit_err err;
	uint32_t width = tacit_mls_tree_width(g->tree);
	size_t removes = 0;
	uint8_t *marks = tacit_calloc(width / 8 + 1, 1);
	TRY(marks == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(take_stock(plan));
	for (size_t i = 0; i < plan->count; i++) {
		const struct tacit_mls_item *item = &plan->items[i];
		TRY(plan->external && item->cached != NULL ? TACIT_E_MALFORMED : TACIT_OK);
		TRY(tacit_mls_item_check(g, host, plan, item));
		if (item->p.type == TACIT_MLS_UPDATE || item->p.type == TACIT_MLS_REMOVE)
			TRY(mark_leaf(plan, item, marks, width));
		if (item->p.type == TACIT_MLS_PSK)
			TRY(check_psks_differ(plan, i));
		removes += item->p.type == TACIT_MLS_REMOVE;
	}
	TRY(plan->external && removes > 1 ? TACIT_E_MALFORMED : TACIT_OK);
out:
	tacit_free(marks);
	return err;
}

static struct tacit_bytes leaf_bytes(const struct tacit_mls_group *g, uint32_t leaf)
{
	struct tacit_mls_leaf_node node;
	return tacit_mls_tree_leaf(g->tree, leaf, &node) ? node.encoded : tacit_bytes(NULL, 0);
}

static enum tacit_err apply_update(
        struct tacit_mls_group *g, struct tacit_mls_plan *plan, const struct tacit_mls_item *item)
{
	enum tacit_err err;
	uint32_t leaf = item->sender.index;
	TRY(tacit_mls_changes_add(&plan->changes, TACIT_MLS_UPDATED, leaf, leaf_bytes(g, leaf),
	        item->p.update.encoded));
	TRY(tacit_mls_tree_update(g->tree, leaf, item->p.update.encoded));
out:
	return err;
}

static enum tacit_err apply_remove(
        struct tacit_mls_group *g, struct tacit_mls_plan *plan, const struct tacit_mls_item *item)
{
	enum tacit_err err;
	uint32_t leaf = item->p.removed;
	TRY(tacit_mls_changes_add(&plan->changes, TACIT_MLS_REMOVED_MEMBER, leaf,
	        leaf_bytes(g, leaf), tacit_bytes(NULL, 0)));
	TRY(tacit_mls_tree_remove(g->tree, leaf));
out:
	return err;
}

static enum tacit_err add_leaf(struct tacit_mls_group *g, struct tacit_mls_plan *plan,
        struct tacit_bytes leaf_node, uint32_t *leaf)
{
	enum tacit_err err;
	TRY(tacit_mls_tree_add(g->tree, leaf_node, leaf));
	TRY(tacit_mls_changes_add(
	        &plan->changes, TACIT_MLS_ADDED, *leaf, tacit_bytes(NULL, 0), leaf_node));
out:
	return err;
}

/* One who joins by external commit. Others' leaves come with the path, to where it is merged. */
static enum tacit_err add_joiner(
        struct tacit_mls_group *g, struct tacit_mls_plan *plan, struct tacit_bytes leaf_node)
{
	if (plan->ours)
		return add_leaf(g, plan, leaf_node, &plan->committer);
	plan->committer = tacit_mls_tree_next_blank(g->tree);
	return tacit_mls_changes_add(
	        &plan->changes, TACIT_MLS_ADDED, plan->committer, tacit_bytes(NULL, 0), leaf_node);
}

/* 12.3: in this order. */
enum tacit_err tacit_mls_plan_apply(
        struct tacit_mls_group *g, struct tacit_mls_plan *plan, struct tacit_bytes joiner_leaf)
{
	enum tacit_err err = TACIT_OK;
	size_t added = 0;
	plan->added = tacit_calloc(plan->add_count, sizeof(*plan->added));
	TRY(plan->added == NULL ? TACIT_E_NOMEM : TACIT_OK);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].p.type == TACIT_MLS_UPDATE)
			TRY(apply_update(g, plan, &plan->items[i]));
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].p.type == TACIT_MLS_REMOVE)
			TRY(apply_remove(g, plan, &plan->items[i]));
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].p.type != TACIT_MLS_ADD)
			continue;
		TRY(add_leaf(g, plan, plan->items[i].p.add.leaf.encoded, &plan->added[added++]));
		/* At once: many of one key are dear to count. */
		TRY(tacit_mls_tree_check(g->tree));
	}
	if (plan->external)
		TRY(add_joiner(g, plan, joiner_leaf));
	TRY(tacit_mls_tree_check(g->tree));
out:
	return err;
}

enum tacit_err tacit_mls_plan_check_members(
        const struct tacit_mls_group *g, const struct tacit_mls_plan *plan)
{
	if (plan->extensions == NULL)
		return TACIT_OK;
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_leaf_node leaf;
	uint32_t width = tacit_mls_tree_width(g->tree);
	for (uint32_t i = 0; err == TACIT_OK && i < width; i++)
		if (tacit_mls_tree_leaf(g->tree, i, &leaf))
			err = tacit_mls_leaf_node_supports(&leaf, plan->extensions->p.extensions);
	return err;
}

enum tacit_err tacit_mls_plan_write_recipe(
        const struct tacit_mls_plan *plan, struct tacit_bytes path, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	size_t begin = tacit_mls_vec_begin(&w);
	for (size_t i = 0; i < plan->count; i++) {
		tacit_write_u8(&w, plan->items[i].sender.type);
		tacit_write_u32(&w, plan->items[i].sender.index);
		tacit_mls_write_proposal(&w, &plan->items[i].p);
	}
	tacit_mls_vec_end(&w, begin);
	tacit_mls_write_vec(&w, path);
	return tacit_writer_finish(&w);
}

static enum tacit_err read_recipe(struct tacit_bytes recipe, struct tacit_mls_plan *plan,
        struct tacit_mls_update_path *path, bool *has_path)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_reader r = tacit_reader(recipe);
	struct tacit_reader items = tacit_mls_read_sub(&r);
	while (tacit_mls_more(&items)) {
		struct tacit_mls_item item = {.sender.type = tacit_read_u8(&items)};
		item.sender.index = tacit_read_u32(&items);
		tacit_mls_read_proposal(&items, &item.p);
		TRY(tacit_mls_plan_add(plan, &item));
	}
	tacit_mls_read_sub_end(&r, &items);
	struct tacit_reader rest = tacit_mls_read_sub(&r);
	*has_path = tacit_mls_more(&rest);
	if (*has_path)
		tacit_mls_read_update_path(&rest, path);
	tacit_mls_read_sub_end(&r, &rest);
	TRY(tacit_reader_end(&r));
out:
	return err;
}

enum tacit_err tacit_mls_pending_replay(struct tacit_mls_group *g, struct tacit_mls_pending *p)
{
	enum tacit_err err;
	bool has_path;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_update_path path = {0};
	struct tacit_mls_plan plan = {.committer = g->now->keys.leaf};
	struct tacit_mls_leaf_place place = {tacit_buf_view(&g->group_id), plan.committer};
	struct tacit_mls_leaf_rules rules = {
	        .suite = g->suite, .group_extensions = tacit_mls_epoch_extensions(p->next.epoch)};
	TRY(read_recipe(tacit_buf_view(&p->recipe), &plan, &path, &has_path));
	TRY(take_stock(&plan));
	TRY(tacit_mls_tree_stage(g->tree));
	TRY(tacit_mls_plan_apply(g, &plan, tacit_bytes(NULL, 0)));
	if (has_path)
		TRY(tacit_mls_path_merge(g->tree, &path, &place, &rules));
	TRY(tacit_mls_tree_hash(g->tree, hash));
	bool same = tacit_bytes_eq(tacit_bytes(hash, g->suite->hash_bytes),
	        tacit_bytes(p->next.epoch->tree_hash, g->suite->hash_bytes));
	TRY(same ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_mls_tree_detach(g->tree, &p->patch));
out:
	tacit_mls_tree_drop(g->tree);
	tacit_mls_plan_clear(&plan);
	return err;
}
