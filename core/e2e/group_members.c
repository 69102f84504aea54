/* group_members.c - who is in and who should be: commits. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "e2e/group_int.h"

/* --- comparing ------------------------------------------------------------------------------ */

static int compare_leaves(const void *a, const void *b)
{
	const struct tacit_leaf *x = *(const struct tacit_leaf *const *)a;
	const struct tacit_leaf *y = *(const struct tacit_leaf *const *)b;
	int order = memcmp(x->account.b, y->account.b, sizeof(x->account.b));
	if (order == 0)
		order = memcmp(x->device.id.b, y->device.id.b, sizeof(x->device.id.b));
	return order != 0 ? order
	                  : memcmp(x->device.signature_key.b, y->device.signature_key.b,
	                            sizeof(x->device.signature_key.b));
}

/* The roster in order, so that finding costs log N. */
struct sorted {
	const struct tacit_leaf **list;
	bool *there;
	size_t count;
};

static enum tacit_err sort_roster(const struct tacit_roster *roster, struct sorted *out)
{
	out->list = tacit_calloc(roster->count + 1, sizeof(*out->list));
	out->there = tacit_calloc(roster->count + 1, sizeof(*out->there));
	if (out->list == NULL || out->there == NULL)
		return TACIT_E_NOMEM;
	out->count = roster->count;
	for (size_t i = 0; i < roster->count; i++)
		out->list[i] = &roster->leaves[i];
	qsort(out->list, out->count, sizeof(*out->list), compare_leaves);
	return TACIT_OK;
}

static bool mark_there(struct sorted *s, const struct tacit_leaf *leaf)
{
	const struct tacit_leaf **found =
	        bsearch(&leaf, s->list, s->count, sizeof(*s->list), compare_leaves);
	if (found != NULL)
		s->there[found - s->list] = true;
	return found != NULL;
}

enum tacit_err tacit_group_compare(const struct tacit_group *g, const struct tacit_roster *roster,
        struct tacit_group_change *out)
{
	enum tacit_err err;
	struct sorted s = {0};
	struct tacit_leaf leaf;
	*out = (struct tacit_group_change){0};
	uint32_t width = tacit_mls_tree_width(tacit_mls_group_tree(g->mls));
	uint32_t own = tacit_mls_group_own_leaf(g->mls);
	TRY(sort_roster(roster, &s));
	out->add = tacit_calloc(roster->count + 1, sizeof(*out->add));
	out->remove = tacit_calloc((size_t)width + 1, sizeof(*out->remove));
	TRY(out->add != NULL && out->remove != NULL ? TACIT_OK : TACIT_E_NOMEM);
	for (uint32_t i = 0; tacit_group_leaf(g, &i, &leaf); i++)
		if (!mark_there(&s, &leaf) && i != own)
			out->remove[out->remove_count++] = i;
	for (size_t i = 0; i < s.count; i++)
		if (!s.there[i])
			out->add[out->add_count++] = (size_t)(s.list[i] - roster->leaves);
out:
	tacit_free(s.list);
	tacit_free(s.there);
	if (err != TACIT_OK)
		tacit_group_change_clear(out);
	return err;
}

void tacit_group_change_clear(struct tacit_group_change *c)
{
	tacit_free(c->add);
	tacit_free(c->remove);
	*c = (struct tacit_group_change){0};
}

/* --- committing ----------------------------------------------------------------------------- */

enum tacit_err tacit_group_check_key_package(const struct tacit_self *self,
        struct tacit_bytes key_package, const struct tacit_leaf *want)
{
	enum tacit_err err;
	struct tacit_leaf leaf;
	struct tacit_mls_key_package kp;
	struct tacit_mls_host host = tacit_group_host(self, TACIT_STRICT);
	const struct tacit_mls_leaf_rules rules = {
	        .suite = tacit_mls_suite_find(TACIT_MLS_SUITE_DEFAULT),
	        .now = (uint64_t)tacit_env_now(self->env),
	        .lifetime_max = host.lifetime_max,
	        .check_credential = host.check_credential,
	        .ctx = host.ctx,
	};
	TRY(tacit_mls_key_package_decode(key_package, &kp));
	TRY(tacit_mls_key_package_check(&kp, &rules));
	TRY(tacit_leaf_parse(&kp.leaf, &leaf));
	TRY(tacit_leaf_same(&leaf, want) ? TACIT_OK : TACIT_E_BAD_CERTIFICATE);
out:
	return err;
}

void tacit_group_staged_clear(struct tacit_group_staged *s)
{
	tacit_buf_clear(&s->commit);
	tacit_buf_clear(&s->welcome);
	tacit_buf_clear(&s->group_info);
}

static enum tacit_err make_proposals(
        const struct tacit_group_commit *what, struct tacit_mls_proposal **list, size_t *count)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_proposal *p =
	        tacit_calloc(what->add_count + what->remove_count + 1, sizeof(*p));
	*count = 0;
	*list = p;
	if (p == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < what->remove_count; i++, p++)
		*p = (struct tacit_mls_proposal){
		        .type = TACIT_MLS_REMOVE, .removed = what->remove[i]};
	for (size_t i = 0; i < what->add_count; i++, p++) {
		p->type = TACIT_MLS_ADD;
		TRY(tacit_mls_key_package_decode(what->add[i], &p->add));
	}
	*count = (size_t)(p - *list);
out:
	return err;
}

enum tacit_err tacit_group_stage(struct tacit_group *g, const struct tacit_self *self,
        const struct tacit_group_commit *what, struct tacit_group_staged *out)
{
	enum tacit_err err;
	struct tacit_mls_proposal *list = NULL;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_host host = tacit_group_host(self, TACIT_STRICT);
	struct tacit_mls_commit_options o = {.waiting = TACIT_MLS_COMMIT_GIVEN,
	        .group_info = TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB};
	*out = (struct tacit_group_staged){0};
	TRY(tacit_group_is_pending(g) || tacit_group_is_over(g) ? TACIT_E_CONFLICT : TACIT_OK);
	TRY(make_proposals(what, &list, &o.proposal_count));
	o.proposals = list;
	TRY(tacit_mls_group_commit(g->mls, &host, &o, &r));
	*out = (struct tacit_group_staged){r.commit, r.welcome, r.group_info};
	r = (struct tacit_mls_commit_result){0};
out:
	tacit_free(list);
	tacit_mls_commit_result_clear(&r);
	return err;
}

static void renewed(struct tacit_group *g, const struct tacit_self *self)
{
	g->age = (struct tacit_group_age){.updated_at = tacit_env_now(self->env)};
	g->tree_version++;
}

enum tacit_err tacit_group_accept(
        struct tacit_group *g, const struct tacit_self *self, uint64_t message)
{
	enum tacit_err err;
	if (!g->joining)
		TRY(tacit_mls_group_accept(g->mls));
	g->joining = false;
	renewed(g, self);
	TRY(tacit_group_begin_history(g, message));
out:
	return err;
}

void tacit_group_drop(struct tacit_group *g)
{
	tacit_mls_group_drop(g->mls);
}
