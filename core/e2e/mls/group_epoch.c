#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/transcript.h"

/* The private keys after the proposals: our own Update brings its key along. */
static void carry_keys(const struct tacit_mls_group *g, const struct tacit_mls_plan *plan,
        struct tacit_mls_tree_keys *keys)
{
	*keys = g->now->keys;
	for (size_t i = 0; i < plan->count; i++) {
		const struct tacit_mls_cached *c = plan->items[i].cached;
		if (c != NULL && c->has_update_sk)
			tacit_mls_tree_keys_set_leaf(keys, g->tree, c->update_sk);
	}
	if (tacit_mls_tree_is_member(g->tree, keys->leaf))
		tacit_mls_tree_keys_trim(keys, g->tree);
}

enum tacit_err tacit_mls_epoch_draft(
        struct tacit_mls_group *g, const struct tacit_mls_plan *plan, struct tacit_mls_epoch **out)
{
	enum tacit_err err;
	struct tacit_mls_epoch *e = tacit_calloc(1, sizeof(*e));
	*out = NULL;
	TRY(e == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(g->now->number == UINT64_MAX ? TACIT_E_EXHAUSTED : TACIT_OK);
	e->number = g->now->number + 1;
	carry_keys(g, plan, &e->keys);
	TRY(tacit_buf_append(&e->extensions, tacit_mls_plan_extensions(g, plan).encoded));
	TRY(tacit_mls_tree_hash(g->tree, e->tree_hash));
	TRY(tacit_mls_epoch_context(g, e, tacit_mls_epoch_confirmed(g->now), &e->context));
	*out = e;
	e = NULL;
out:
	tacit_mls_epoch_free(e);
	return err;
}

enum tacit_err tacit_mls_group_find_psk(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_psk_id *id, struct tacit_buf *out)
{
	struct tacit_bytes psk;
	const struct tacit_mls_origin *o = &g->origin;
	if (id->type == TACIT_MLS_PSK_RESUMPTION) {
		bool origin = o->usage != 0 && id->usage == o->usage && id->epoch == o->number &&
		              tacit_bytes_eq(id->id, tacit_buf_view(&o->group_id));
		if (origin)
			return tacit_buf_append(out, tacit_bytes(o->psk, o->psk_bytes));
		if (tacit_bytes_eq(id->id, tacit_buf_view(&g->group_id)) && g->now != NULL &&
		        tacit_mls_group_resumption(g, id->epoch, &psk))
			return tacit_buf_append(out, psk);
	}
	return host->find_psk != NULL ? host->find_psk(host->ctx, id, out) : TACIT_E_NOT_FOUND;
}

static enum tacit_err fold_psks(const struct tacit_mls_group *g, const struct tacit_mls_host *host,
        const struct tacit_mls_plan *plan, uint8_t *out)
{
	enum tacit_err err;
	struct tacit_buf psk = {0};
	struct tacit_mls_psk_fold fold;
	TRY(tacit_mls_psk_fold_begin(&fold, g->suite, plan->psk_count));
	for (size_t i = 0; i < plan->count; i++) {
		const struct tacit_mls_proposal *p = &plan->items[i].p;
		if (p->type != TACIT_MLS_PSK)
			continue;
		TRY(tacit_mls_group_find_psk(g, host, &p->psk, &psk));
		TRY(tacit_mls_psk_fold_step(&fold, &p->psk, tacit_buf_view(&psk)));
		tacit_buf_clear(&psk);
	}
	memcpy(out, fold.secret, g->suite->hash_bytes);
out:
	tacit_buf_clear(&psk);
	tacit_mls_psk_fold_wipe(&fold);
	return err;
}

static enum tacit_err hash_commit(const struct tacit_mls_group *g,
        const struct tacit_mls_authenticated *commit, struct tacit_mls_epoch *e)
{
	enum tacit_err err;
	struct tacit_buf input = {0};
	struct tacit_writer w = tacit_writer(&input);
	tacit_mls_write_confirmed_input(&w, commit);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_confirmed_hash(g->suite, tacit_bytes(g->now->interim, g->suite->hash_bytes),
	        tacit_buf_view(&input), e->confirmed));
	e->confirmed_bytes = g->suite->hash_bytes;
	TRY(tacit_mls_epoch_context(g, e, tacit_mls_epoch_confirmed(e), &e->context));
out:
	tacit_buf_clear(&input);
	return err;
}

enum tacit_err tacit_mls_epoch_complete(struct tacit_mls_group *g,
        const struct tacit_mls_host *host, const struct tacit_mls_plan *plan,
        const struct tacit_mls_advance *a, struct tacit_mls_epoch *e)
{
	enum tacit_err err;
	const uint8_t zero[TACIT_MLS_HASH_MAX_BYTES] = {0};
	const uint8_t *commit_secret = a->commit_secret != NULL ? a->commit_secret : zero;
	TRY(hash_commit(g, a->commit, e));
	TRY(fold_psks(g, host, plan, a->psk));
	TRY(tacit_mls_joiner_secret(
	        g->suite, a->init, commit_secret, tacit_buf_view(&e->context), a->joiner));
	TRY(tacit_mls_epoch_key(g, a->joiner, a->psk, e));
out:
	return err;
}

enum tacit_err tacit_mls_epoch_key(const struct tacit_mls_group *g, const uint8_t *joiner,
        const uint8_t *psk, struct tacit_mls_epoch *e)
{
	enum tacit_err err = tacit_mls_epoch_begin(
	        g->suite, joiner, psk, tacit_buf_view(&e->context), &e->secrets);
	return err != TACIT_OK ? err : tacit_mls_epoch_finish(g, e);
}

enum tacit_err tacit_mls_epoch_finish(const struct tacit_mls_group *g, struct tacit_mls_epoch *e)
{
	enum tacit_err err;
	const struct tacit_mls_suite *s = g->suite;
	tacit_mls_mac(s, e->secrets.confirmation, tacit_mls_epoch_confirmed(e), e->tag);
	TRY(tacit_mls_interim_hash(
	        s, tacit_mls_epoch_confirmed(e), tacit_bytes(e->tag, s->hash_bytes), e->interim));
	TRY(tacit_mls_secret_tree_new(
	        s, e->secrets.encryption, tacit_mls_tree_width(g->tree), &e->messages));
	tacit_wipe(e->secrets.encryption, sizeof(e->secrets.encryption));
out:
	return err;
}
