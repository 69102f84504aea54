#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"

/* Our leaf as the only one. */
static enum tacit_err plant(struct tacit_mls_group *g, const struct tacit_mls_create_options *o,
        const struct tacit_mls_host *host)
{
	enum tacit_err err;
	uint32_t leaf;
	struct tacit_mls_key_package kp;
	struct tacit_mls_leaf_rules rules =
	        tacit_mls_group_rules(g, host, tacit_mls_epoch_extensions(g->now), true);
	TRY(tacit_mls_key_package_decode(o->key_package, &kp));
	TRY(kp.suite != g->suite->id ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(tacit_mls_key_package_check(&kp, &rules));
	TRY(tacit_mls_tree_new(g->suite, &g->tree));
	TRY(tacit_mls_tree_stage(g->tree));
	TRY(tacit_mls_tree_add(g->tree, kp.leaf.encoded, &leaf));
	TRY(tacit_mls_tree_check(g->tree));
	tacit_mls_tree_keep(g->tree);
	tacit_mls_tree_keys_init(&g->now->keys, g->suite, leaf, o->secrets->encryption_sk);
	TRY(tacit_mls_tree_keys_check(&g->now->keys, g->tree));
out:
	return err;
}

static enum tacit_err begin_epoch(struct tacit_mls_group *g, const struct tacit_mls_host *host)
{
	enum tacit_err err;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_epoch *e = g->now;
	TRY(tacit_mls_tree_hash(g->tree, e->tree_hash));
	TRY(tacit_mls_epoch_context(g, e, tacit_bytes(NULL, 0), &e->context));
	tacit_env_random(host->env, secret, g->suite->hash_bytes);
	TRY(tacit_mls_epoch_create(g->suite, secret, &e->secrets));
	TRY(tacit_mls_epoch_finish(g, e));
out:
	tacit_wipe(secret, sizeof(secret));
	return err;
}

/* Extensions that are well-formed, as a list and in what the standard knows of them. */
static enum tacit_err check_list(
        const struct tacit_mls_host *host, struct tacit_mls_extensions list)
{
	enum tacit_err err;
	struct tacit_buf copy = {0};
	struct tacit_writer w = tacit_writer(&copy);
	tacit_mls_write_extensions(&w, list);
	TRY(tacit_writer_finish(&w));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&copy));
	(void)tacit_mls_read_extensions(&r);
	TRY(tacit_reader_end(&r));
	TRY(tacit_mls_check_context_extensions(host, list));
out:
	tacit_buf_clear(&copy);
	return err;
}

enum tacit_err tacit_mls_group_create(const struct tacit_mls_create_options *o,
        const struct tacit_mls_host *host, struct tacit_mls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g = NULL;
	*out = NULL;
	TRY(check_list(host, o->extensions));
	TRY(tacit_mls_group_new(o->suite, o->group_id, &o->settings, &g));
	g->now = tacit_calloc(1, sizeof(*g->now));
	TRY(g->now == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(tacit_buf_append(&g->now->extensions, o->extensions.encoded));
	TRY(plant(g, o, host));
	TRY(begin_epoch(g, host));
	*out = g;
	g = NULL;
out:
	tacit_mls_group_free(g);
	return err;
}

static enum tacit_err succession(const struct tacit_mls_group *old, enum tacit_mls_succession kind,
        struct tacit_mls_create_options *o)
{
	struct tacit_mls_reinit reinit;
	if (kind == TACIT_MLS_SUCCEED_BRANCH) {
		o->suite = old->suite;
		return old->state == TACIT_MLS_ACTIVE ? TACIT_OK : TACIT_E_CONFLICT;
	}
	if (old->state != TACIT_MLS_REINITED || !tacit_mls_group_reinit(old, &reinit))
		return TACIT_E_CONFLICT;
	o->suite = tacit_mls_suite_find(reinit.suite);
	o->group_id = reinit.group_id;
	o->extensions = reinit.extensions;
	bool known = o->suite != NULL && reinit.version == TACIT_MLS_VERSION_10;
	return known ? TACIT_OK : TACIT_E_UNSUPPORTED;
}

enum tacit_err tacit_mls_group_succeed(const struct tacit_mls_group *old,
        enum tacit_mls_succession kind, const struct tacit_mls_create_options *o,
        const struct tacit_mls_host *host, struct tacit_mls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g = NULL;
	struct tacit_mls_create_options options = *o;
	*out = NULL;
	TRY(succession(old, kind, &options));
	TRY(tacit_mls_group_create(&options, host, &g));
	TRY(tacit_mls_origin_set(&g->origin, old, (uint8_t)kind, old->now->number));
	*out = g;
	g = NULL;
out:
	tacit_mls_group_free(g);
	return err;
}

enum tacit_err tacit_mls_origin_set(struct tacit_mls_origin *o, const struct tacit_mls_group *old,
        uint8_t usage, uint64_t epoch)
{
	enum tacit_err err;
	struct tacit_bytes psk;
	TRY(tacit_mls_group_resumption(old, epoch, &psk) ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(tacit_buf_append(&o->group_id, tacit_buf_view(&old->group_id)));
	o->usage = usage;
	o->number = epoch;
	memcpy(o->psk, psk.p, psk.n);
	o->psk_bytes = psk.n;
out:
	return err;
}
