#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"

enum { DEFAULT_PAST_EPOCHS = 4, DEFAULT_RESUMPTIONS = 8 };

static size_t past_limit(const struct tacit_mls_group *g)
{
	return g->settings.past_epochs != 0 ? g->settings.past_epochs : DEFAULT_PAST_EPOCHS;
}

size_t tacit_mls_resumption_limit(const struct tacit_mls_group *g)
{
	return g->settings.resumptions != 0 ? g->settings.resumptions : DEFAULT_RESUMPTIONS;
}

enum tacit_err tacit_mls_group_new(const struct tacit_mls_suite *s, struct tacit_bytes group_id,
        const struct tacit_mls_settings *settings, struct tacit_mls_group **out)
{
	enum tacit_err err;
	*out = NULL;
	if (group_id.n > TACIT_MLS_GROUP_ID_MAX_BYTES)
		return TACIT_E_TOO_LARGE;
	if (settings->past_epochs > TACIT_MLS_PAST_EPOCHS_MAX ||
	        settings->resumptions > TACIT_MLS_RESUMPTIONS_MAX)
		return TACIT_E_USAGE;
	struct tacit_mls_group *g = tacit_calloc(1, sizeof(*g));
	TRY(g == NULL ? TACIT_E_NOMEM : TACIT_OK);
	g->suite = s;
	g->settings = *settings;
	TRY(tacit_buf_append(&g->group_id, group_id));
	g->resumptions = tacit_calloc(tacit_mls_resumption_limit(g), sizeof(*g->resumptions));
	TRY(g->resumptions == NULL ? TACIT_E_NOMEM : TACIT_OK);
	*out = g;
	g = NULL;
out:
	tacit_mls_group_free(g);
	return err;
}

void tacit_mls_epoch_free(struct tacit_mls_epoch *e)
{
	if (e == NULL)
		return;
	tacit_buf_clear(&e->extensions);
	tacit_buf_clear(&e->context);
	tacit_mls_secret_tree_free(e->messages);
	tacit_wipe(e, sizeof(*e));
	tacit_free(e);
}

void tacit_mls_changes_clear(struct tacit_mls_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		tacit_buf_clear(&c->p[i].before);
		tacit_buf_clear(&c->p[i].after);
	}
	tacit_free(c->p);
	*c = (struct tacit_mls_changes){0};
}

enum tacit_err tacit_mls_changes_add(struct tacit_mls_changes *c, enum tacit_mls_change_kind kind,
        uint32_t leaf, struct tacit_bytes before, struct tacit_bytes after)
{
	enum tacit_err err;
	struct tacit_mls_change x = {.kind = kind, .leaf = leaf};
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 4 : c->cap * 2;
		void *grown = tacit_realloc(c->p, cap * sizeof(*c->p));
		if (grown == NULL)
			return TACIT_E_NOMEM;
		c->p = grown;
		c->cap = cap;
	}
	TRY(tacit_buf_append(&x.before, before));
	TRY(tacit_buf_append(&x.after, after));
	c->p[c->n++] = x;
	return TACIT_OK;
out:
	tacit_buf_clear(&x.before);
	tacit_buf_clear(&x.after);
	return err;
}

void tacit_mls_past_free(struct tacit_mls_past *p)
{
	if (p == NULL)
		return;
	tacit_buf_clear(&p->context);
	tacit_mls_secret_tree_free(p->messages);
	tacit_mls_changes_clear(&p->changes);
	tacit_wipe(p, sizeof(*p));
	tacit_free(p);
}

void tacit_mls_next_clear(struct tacit_mls_next *n)
{
	tacit_mls_epoch_free(n->epoch);
	n->epoch = NULL;
	tacit_mls_changes_clear(&n->changes);
	tacit_buf_clear(&n->reinit);
}

void tacit_mls_pending_free(struct tacit_mls_pending *p)
{
	if (p == NULL)
		return;
	tacit_mls_next_clear(&p->next);
	tacit_mls_patch_free(p->patch);
	tacit_buf_clear(&p->recipe);
	tacit_free(p);
}

void tacit_mls_group_free(struct tacit_mls_group *g)
{
	if (g == NULL)
		return;
	tacit_mls_group_clear_proposals(g);
	tacit_free(g->cached);
	tacit_mls_pending_free(g->pending);
	for (size_t i = 0; i < g->past_count; i++)
		tacit_mls_past_free(g->past[i]);
	tacit_mls_epoch_free(g->now);
	tacit_mls_tree_free(g->tree);
	if (g->resumptions != NULL)
		tacit_wipe(g->resumptions, tacit_mls_resumption_limit(g) * sizeof(*g->resumptions));
	tacit_free(g->resumptions);
	tacit_buf_clear(&g->group_id);
	tacit_buf_clear(&g->reinit);
	tacit_buf_clear(&g->origin.group_id);
	tacit_wipe(g, sizeof(*g));
	tacit_free(g);
}

struct tacit_mls_past *tacit_mls_past_new(const struct tacit_mls_changes *changes)
{
	struct tacit_mls_past *p = tacit_calloc(1, sizeof(*p));
	enum tacit_err err = p == NULL ? TACIT_E_NOMEM : TACIT_OK;
	for (size_t i = 0; err == TACIT_OK && i < changes->n; i++)
		err = tacit_mls_changes_add(&p->changes, changes->p[i].kind, changes->p[i].leaf,
		        tacit_buf_view(&changes->p[i].before), tacit_bytes(NULL, 0));
	if (err != TACIT_OK) {
		tacit_mls_past_free(p);
		return NULL;
	}
	return p;
}

static void remember_resumption(struct tacit_mls_group *g)
{
	size_t limit = tacit_mls_resumption_limit(g);
	size_t keep = g->resumption_count < limit ? g->resumption_count : limit - 1;
	memmove(g->resumptions + 1, g->resumptions, keep * sizeof(*g->resumptions));
	g->resumptions[0].number = g->now->number;
	memcpy(g->resumptions[0].psk, g->now->secrets.resumption, sizeof(g->resumptions[0].psk));
	g->resumption_count = keep + 1;
}

static void remember_past(struct tacit_mls_group *g, struct tacit_mls_past *past)
{
	struct tacit_mls_epoch *e = g->now;
	past->number = e->number;
	past->context = e->context;
	e->context = (struct tacit_buf){0};
	memcpy(past->sender_data, e->secrets.sender_data, sizeof(past->sender_data));
	past->messages = e->messages;
	e->messages = NULL;
	while (g->past_count >= past_limit(g))
		tacit_mls_past_free(g->past[--g->past_count]);
	memmove(g->past + 1, g->past, g->past_count * sizeof(struct tacit_mls_past *));
	g->past[0] = past;
	g->past_count++;
}

void tacit_mls_group_install(
        struct tacit_mls_group *g, struct tacit_mls_next *next, struct tacit_mls_past *past)
{
	remember_resumption(g);
	remember_past(g, past);
	tacit_mls_epoch_free(g->now);
	g->now = next->epoch;
	next->epoch = NULL;
	if (next->reinit.n > 0) {
		g->state = TACIT_MLS_REINITED;
		tacit_buf_clear(&g->reinit);
		g->reinit = next->reinit;
		next->reinit = (struct tacit_buf){0};
	}
	tacit_mls_group_clear_proposals(g);
	tacit_buf_clear(&g->origin.group_id);
	tacit_wipe(&g->origin, sizeof(g->origin));
	tacit_mls_next_clear(next);
}

struct tacit_bytes tacit_mls_epoch_confirmed(const struct tacit_mls_epoch *e)
{
	return tacit_bytes(e->confirmed, e->confirmed_bytes);
}

struct tacit_mls_extensions tacit_mls_epoch_extensions(const struct tacit_mls_epoch *e)
{
	return (struct tacit_mls_extensions){tacit_buf_view(&e->extensions)};
}

enum tacit_err tacit_mls_epoch_context(const struct tacit_mls_group *g,
        const struct tacit_mls_epoch *e, struct tacit_bytes confirmed, struct tacit_buf *out)
{
	struct tacit_mls_group_context c = {.suite = g->suite->id,
	        .group_id = tacit_buf_view(&g->group_id),
	        .epoch = e->number,
	        .tree_hash = tacit_bytes(e->tree_hash, g->suite->hash_bytes),
	        .confirmed_transcript_hash = confirmed,
	        .extensions = tacit_mls_epoch_extensions(e)};
	tacit_buf_clear(out);
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_group_context_write(&w, &c);
	return tacit_writer_finish(&w);
}

struct tacit_mls_leaf_rules tacit_mls_group_rules(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, struct tacit_mls_extensions extensions, bool ours)
{
	int64_t now = ours || host->strict_lifetimes ? tacit_env_now(host->env) : 0;
	return (struct tacit_mls_leaf_rules){.suite = g->suite,
	        .group_extensions = extensions,
	        .now = now > 0 ? (uint64_t)now : 0,
	        .lifetime_max = host->lifetime_max,
	        .check_credential = host->check_credential,
	        .ctx = host->ctx};
}

bool tacit_mls_host_successor(const struct tacit_mls_host *host,
        const struct tacit_mls_leaf_node *before, const struct tacit_mls_leaf_node *after)
{
	if (host->check_successor != NULL)
		return host->check_successor(host->ctx, before, after);
	return tacit_mls_credential_eq(&before->credential, &after->credential);
}

enum tacit_mls_group_state tacit_mls_group_state(const struct tacit_mls_group *g)
{
	return g->state;
}

const struct tacit_mls_suite *tacit_mls_group_suite(const struct tacit_mls_group *g)
{
	return g->suite;
}

struct tacit_bytes tacit_mls_group_id(const struct tacit_mls_group *g)
{
	return tacit_buf_view(&g->group_id);
}

uint64_t tacit_mls_group_epoch(const struct tacit_mls_group *g)
{
	return g->now->number;
}

struct tacit_bytes tacit_mls_group_context(const struct tacit_mls_group *g)
{
	return tacit_buf_view(&g->now->context);
}

struct tacit_mls_extensions tacit_mls_group_extensions(const struct tacit_mls_group *g)
{
	return tacit_mls_epoch_extensions(g->now);
}

const struct tacit_mls_tree *tacit_mls_group_tree(const struct tacit_mls_group *g)
{
	return g->tree;
}

uint32_t tacit_mls_group_own_leaf(const struct tacit_mls_group *g)
{
	return g->now->keys.leaf;
}

bool tacit_mls_group_member(
        const struct tacit_mls_group *g, uint32_t leaf, struct tacit_mls_leaf_node *out)
{
	return tacit_mls_tree_leaf(g->tree, leaf, out);
}

struct tacit_bytes tacit_mls_group_epoch_authenticator(const struct tacit_mls_group *g)
{
	return tacit_bytes(g->now->secrets.authenticator, g->suite->hash_bytes);
}

enum tacit_err tacit_mls_group_export(const struct tacit_mls_group *g, struct tacit_bytes label,
        struct tacit_bytes context, struct tacit_room out)
{
	return tacit_mls_exporter(g->suite, g->now->secrets.exporter, label, context, out);
}

bool tacit_mls_group_resumption(
        const struct tacit_mls_group *g, uint64_t epoch, struct tacit_bytes *out)
{
	*out = tacit_bytes(NULL, 0);
	if (epoch == g->now->number)
		*out = tacit_bytes(g->now->secrets.resumption, g->suite->hash_bytes);
	for (size_t i = 0; i < g->resumption_count; i++)
		if (g->resumptions[i].number == epoch)
			*out = tacit_bytes(g->resumptions[i].psk, g->suite->hash_bytes);
	return out->n > 0;
}

bool tacit_mls_group_has_pending(const struct tacit_mls_group *g)
{
	return g->pending != NULL;
}

size_t tacit_mls_group_proposal_count(const struct tacit_mls_group *g)
{
	return g->cached_count;
}

bool tacit_mls_group_reinit(const struct tacit_mls_group *g, struct tacit_mls_reinit *out)
{
	struct tacit_mls_proposal p;
	if (g->reinit.n == 0 ||
	        tacit_mls_proposal_decode(tacit_buf_view(&g->reinit), &p) != TACIT_OK)
		return false;
	*out = p.reinit;
	return true;
}

void tacit_mls_commit_result_clear(struct tacit_mls_commit_result *r)
{
	tacit_buf_clear(&r->commit);
	tacit_buf_clear(&r->welcome);
	tacit_buf_clear(&r->group_info);
	*r = (struct tacit_mls_commit_result){0};
}

void tacit_mls_event_clear(struct tacit_mls_event *e)
{
	struct tacit_mls_changes changes = {e->changes, e->change_count, e->change_count};
	tacit_mls_changes_clear(&changes);
	tacit_buf_clear(&e->sender_leaf);
	tacit_buf_clear(&e->authenticated_data);
	tacit_buf_clear(&e->plain);
	*e = (struct tacit_mls_event){0};
}

void tacit_mls_group_drop(struct tacit_mls_group *g)
{
	tacit_mls_pending_free(g->pending);
	g->pending = NULL;
}

enum tacit_err tacit_mls_group_accept(struct tacit_mls_group *g)
{
	enum tacit_err err;
	struct tacit_mls_pending *p = g->pending;
	if (p == NULL)
		return TACIT_E_CONFLICT;
	struct tacit_mls_past *past = tacit_mls_past_new(&p->next.changes);
	TRY(past == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(tacit_mls_tree_apply(g->tree, p->patch));
	p->patch = NULL;
	tacit_mls_group_install(g, &p->next, past);
	past = NULL;
	tacit_mls_group_drop(g);
out:
	tacit_mls_past_free(past);
	return err;
}
