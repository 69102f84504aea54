/* Joining by a Welcome: RFC 9420 12.4.3.1. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"
#include "e2e/mls/transcript.h"

static enum tacit_err decode_tree(const struct tacit_mls_suite *s,
        const struct tacit_mls_info_checked *from, struct tacit_mls_tree **out)
{
	struct tacit_bytes data;
	if (tacit_mls_extension_find(from->info.extensions, TACIT_MLS_EXT_RATCHET_TREE, &data))
		return tacit_mls_tree_decode(s, data, out);
	if (from->ratchet_tree.n == 0)
		return TACIT_E_NOT_FOUND;
	return tacit_mls_tree_decode(s, from->ratchet_tree, out);
}

/* The signature, by a member; the tree against its hash; and all that is asked of the tree. */
static enum tacit_err verify_info(struct tacit_mls_group *g,
        const struct tacit_mls_group_info *info, const struct tacit_mls_host *host)
{
	enum tacit_err err;
	struct tacit_mls_leaf_node signer;
	struct tacit_mls_epoch *e = g->now;
	struct tacit_mls_leaf_rules rules =
	        tacit_mls_group_rules(g, host, info->context.extensions, false);
	TRY(tacit_mls_tree_leaf(g->tree, info->signer, &signer) ? TACIT_OK
	                                                        : TACIT_E_UNKNOWN_SENDER);
	TRY(tacit_mls_group_info_verify(g->suite, info, signer.signature_key));
	TRY(tacit_mls_tree_hash(g->tree, e->tree_hash));
	bool same = tacit_bytes_eq(
	        info->context.tree_hash, tacit_bytes(e->tree_hash, g->suite->hash_bytes));
	TRY(same ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_mls_check_context_extensions(host, info->context.extensions));
	TRY(tacit_mls_tree_validate(g->tree, tacit_buf_view(&g->group_id), &rules));
out:
	return err;
}

static enum tacit_err copy_epoch(
        const struct tacit_mls_group *g, const struct tacit_mls_group_info *info)
{
	enum tacit_err err;
	struct tacit_mls_epoch *e = g->now;
	size_t nh = g->suite->hash_bytes;
	struct tacit_bytes confirmed = info->context.confirmed_transcript_hash;
	TRY(confirmed.n != nh && confirmed.n != 0 ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(info->confirmation_tag.n != nh ? TACIT_E_MALFORMED : TACIT_OK);
	e->number = info->context.epoch;
	if (confirmed.n > 0)
		memcpy(e->confirmed, confirmed.p, nh);
	e->confirmed_bytes = confirmed.n;
	memcpy(e->tag, info->confirmation_tag.p, nh);
	TRY(tacit_mls_interim_hash(g->suite, confirmed, info->confirmation_tag, e->interim));
	TRY(tacit_buf_append(&e->extensions, info->context.extensions.encoded));
	TRY(tacit_buf_append(&e->context, info->encoded_context));
out:
	return err;
}

enum tacit_err tacit_mls_group_from_info(const struct tacit_mls_suite *s,
        const struct tacit_mls_info_checked *from, const struct tacit_mls_host *host,
        const struct tacit_mls_settings *settings, struct tacit_mls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g = NULL;
	const struct tacit_mls_group_info *info = &from->info;
	*out = NULL;
	TRY(info->context.suite != s->id ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(tacit_mls_group_new(s, info->context.group_id, settings, &g));
	g->now = tacit_calloc(1, sizeof(*g->now));
	TRY(g->now == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(decode_tree(s, from, &g->tree));
	TRY(verify_info(g, info, host));
	TRY(copy_epoch(g, info));
	*out = g;
	g = NULL;
out:
	tacit_mls_group_free(g);
	return err;
}

struct join {
	const struct tacit_mls_join_options *o;
	const struct tacit_mls_host *host;
	const struct tacit_mls_suite *suite;
	struct tacit_mls_message welcome;
	struct tacit_mls_key_package kp;
	struct tacit_buf secrets_plain, info_plain;
	struct tacit_mls_group_secrets secrets; /* views into secrets_plain */
	struct tacit_mls_info_checked from;     /* views into info_plain */
	struct tacit_mls_psk_id link;           /* type 0: no reinit or branch PSK */
	struct tacit_mls_origin origin;
	uint8_t psk[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_group *g;
};

static enum tacit_err find_entry(const struct tacit_mls_welcome *w,
        const struct tacit_mls_key_package *kp, const struct tacit_mls_suite **suite,
        struct tacit_mls_encrypted_secrets *entry)
{
	enum tacit_err err;
	uint8_t ref[TACIT_MLS_HASH_MAX_BYTES];
	const struct tacit_mls_suite *s = tacit_mls_suite_find(w->suite);
	TRY(s == NULL ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(kp->suite != s->id ? TACIT_E_WRONG_RECIPIENT : TACIT_OK);
	TRY(tacit_mls_key_package_ref(s, kp->encoded, ref));
	TRY(tacit_mls_welcome_find(w, tacit_bytes(ref, s->hash_bytes), entry));
	*suite = s;
out:
	return err;
}

enum tacit_err tacit_mls_welcome_is_for(struct tacit_bytes welcome, struct tacit_bytes key_package)
{
	enum tacit_err err;
	struct tacit_mls_message m;
	struct tacit_mls_key_package kp;
	const struct tacit_mls_suite *s;
	struct tacit_mls_encrypted_secrets entry;
	TRY(tacit_mls_message_decode(welcome, &m));
	TRY(m.wire_format != TACIT_MLS_WELCOME ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(tacit_mls_key_package_decode(key_package, &kp));
	TRY(find_entry(&m.welcome, &kp, &s, &entry));
out:
	return err;
}

static enum tacit_err open_secrets(struct join *j)
{
	enum tacit_err err;
	struct tacit_mls_encrypted_secrets entry;
	TRY(tacit_mls_message_decode(j->o->welcome, &j->welcome));
	TRY(j->welcome.wire_format != TACIT_MLS_WELCOME ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(tacit_mls_key_package_decode(j->o->key_package, &j->kp));
	TRY(find_entry(&j->welcome.welcome, &j->kp, &j->suite, &entry));
	TRY(tacit_mls_welcome_open_secrets(
	        j->suite, &j->welcome.welcome, &entry, j->o->secrets->init_sk, &j->secrets_plain));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&j->secrets_plain));
	tacit_mls_read_group_secrets(&r, &j->secrets);
	TRY(tacit_reader_end(&r));
	size_t nh = j->suite->hash_bytes;
	TRY(j->secrets.joiner_secret.n != nh ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(j->secrets.has_path_secret && j->secrets.path_secret.n != nh ? TACIT_E_MALFORMED
	                                                                 : TACIT_OK);
out:
	return err;
}

/* A reinit or branch PSK comes once, and is of the group that the caller says (11.2, 11.3). */
static enum tacit_err note_link(struct join *j, const struct tacit_mls_psk_id *id)
{
	if (id->type != TACIT_MLS_PSK_RESUMPTION || id->usage == TACIT_MLS_PSK_APPLICATION)
		return TACIT_OK;
	const struct tacit_mls_group *old = j->o->origin;
	if (j->link.type != 0)
		return TACIT_E_MALFORMED;
	if (old == NULL || !tacit_bytes_eq(id->id, tacit_buf_view(&old->group_id)))
		return TACIT_E_CONFLICT;
	j->link = *id;
	return tacit_mls_origin_set(&j->origin, old, id->usage, id->epoch);
}

static enum tacit_err one_psk(
        struct join *j, const struct tacit_mls_psk_id *id, struct tacit_mls_psk_fold *fold)
{
	enum tacit_err err;
	struct tacit_buf psk = {0};
	struct tacit_mls_group none = {.suite = j->suite};
	TRY(id->nonce.n != j->suite->hash_bytes ? TACIT_E_MALFORMED : TACIT_OK);
	TRY(note_link(j, id));
	none.origin = j->origin;
	TRY(tacit_mls_group_find_psk(&none, j->host, id, &psk));
	TRY(tacit_mls_psk_fold_step(fold, id, tacit_buf_view(&psk)));
out:
	tacit_wipe(&none, sizeof(none));
	tacit_buf_clear(&psk);
	return err;
}

static enum tacit_err fold_psks(struct join *j)
{
	enum tacit_err err;
	struct tacit_mls_psk_id id;
	struct tacit_mls_psk_fold fold;
	struct tacit_reader r = tacit_reader(j->secrets.psks);
	TRY(tacit_mls_psk_fold_begin(&fold, j->suite, j->secrets.psk_count));
	while (tacit_mls_more(&r)) {
		tacit_mls_psk_id_read(&r, &id);
		TRY(r.err);
		TRY(one_psk(j, &id, &fold));
	}
	memcpy(j->psk, fold.secret, j->suite->hash_bytes);
out:
	tacit_mls_psk_fold_wipe(&fold);
	return err;
}

static enum tacit_err open_info(struct join *j)
{
	enum tacit_err err;
	TRY(tacit_mls_welcome_open_info(
	        j->suite, &j->welcome.welcome, j->secrets.joiner_secret.p, j->psk, &j->info_plain));
	TRY(tacit_mls_group_info_decode(tacit_buf_view(&j->info_plain), &j->from.info));
	j->from.ratchet_tree = j->o->ratchet_tree;
	TRY(tacit_mls_group_from_info(j->suite, &j->from, j->host, &j->o->settings, &j->g));
out:
	return err;
}

static enum tacit_err take_place(struct join *j)
{
	enum tacit_err err;
	uint32_t at;
	struct tacit_mls_leaf_node leaf;
	struct tacit_mls_group *g = j->g;
	struct tacit_mls_tree_keys *keys = &g->now->keys;
	bool found = tacit_mls_tree_find_signature_key(g->tree, j->kp.leaf.signature_key, &at) &&
	             tacit_mls_tree_leaf(g->tree, at, &leaf) &&
	             tacit_bytes_eq(leaf.encoded, j->kp.leaf.encoded);
	TRY(found ? TACIT_OK : TACIT_E_WRONG_RECIPIENT);
	TRY(at == j->from.info.signer ? TACIT_E_MALFORMED : TACIT_OK);
	tacit_mls_tree_keys_init(keys, j->suite, at, j->o->secrets->encryption_sk);
	TRY(tacit_mls_tree_keys_check(keys, g->tree));
	TRY(tacit_mls_tree_keys_join(keys, g->tree, j->from.info.signer, j->secrets.path_secret));
out:
	return err;
}

/* The tag proves that whoever sent the Welcome has the same group before them. */
static enum tacit_err confirm(struct join *j)
{
	enum tacit_err err;
	struct tacit_mls_epoch *e = j->g->now;
	TRY(tacit_mls_epoch_key(j->g, j->secrets.joiner_secret.p, j->psk, e));
	bool same = tacit_ct_eq(
	        j->from.info.confirmation_tag, tacit_bytes(e->tag, j->suite->hash_bytes));
	TRY(same ? TACIT_OK : TACIT_E_BAD_SEAL);
out:
	return err;
}

/* All comparisons of members in one join: whoever makes a group shall not choose how long those
 * who are asked to join it compute. */
enum { COMPARISONS_MAX = 1 << 23 };

/* Goes round b, from the leaf behind the one that was found before: who is in two groups came to
 * them in the same order, mostly. */
static bool find_successor(const struct join *j, const struct tacit_mls_leaf_node *x,
        const struct tacit_mls_tree *b, uint32_t *at, size_t *left)
{
	struct tacit_mls_leaf_node y;
	uint32_t width = tacit_mls_tree_width(b);
	for (uint32_t k = 0; k < width; k++) {
		*at = (*at + 1) % width;
		if (!tacit_mls_tree_leaf(b, *at, &y))
			continue;
		if (*left == 0)
			return false;
		(*left)--;
		if (tacit_mls_host_successor(j->host, x, &y))
			return true;
	}
	return false;
}

/* Is every member of a one of b? */
static bool members_within(
        const struct join *j, const struct tacit_mls_tree *a, const struct tacit_mls_tree *b)
{
	struct tacit_mls_leaf_node x;
	uint32_t at = tacit_mls_tree_width(b) - 1;
	size_t left = COMPARISONS_MAX;
	for (uint32_t i = 0; i < tacit_mls_tree_width(a); i++)
		if (tacit_mls_tree_leaf(a, i, &x) && !find_successor(j, &x, b, &at, &left))
			return false;
	return true;
}

static enum tacit_err check_reinit(const struct join *j)
{
	struct tacit_mls_reinit r;
	const struct tacit_mls_group *old = j->o->origin;
	bool fits = old->state == TACIT_MLS_REINITED && tacit_mls_group_reinit(old, &r) &&
	            j->link.epoch == old->now->number && r.version == TACIT_MLS_VERSION_10 &&
	            r.suite == j->suite->id &&
	            tacit_bytes_eq(r.group_id, tacit_buf_view(&j->g->group_id)) &&
	            tacit_bytes_eq(r.extensions.encoded, tacit_buf_view(&j->g->now->extensions)) &&
	            members_within(j, old->tree, j->g->tree);
	return fits ? TACIT_OK : TACIT_E_CONFLICT;
}

static enum tacit_err check_link(const struct join *j)
{
	const struct tacit_mls_group *old = j->o->origin;
	if (j->link.type == 0) /* what claims no origin is not what follows from that one */
		return old == NULL ? TACIT_OK : TACIT_E_CONFLICT;
	if (j->g->now->number != 1)
		return TACIT_E_CONFLICT;
	if (j->link.usage == TACIT_MLS_PSK_REINIT)
		return check_reinit(j);
	bool fits = j->suite == old->suite && members_within(j, j->g->tree, old->tree);
	return fits ? TACIT_OK : TACIT_E_CONFLICT;
}

enum tacit_err tacit_mls_group_join(const struct tacit_mls_join_options *o,
        const struct tacit_mls_host *host, struct tacit_mls_group **out)
{
	enum tacit_err err;
	struct join *j = tacit_calloc(1, sizeof(*j));
	*out = NULL;
	if (j == NULL)
		return TACIT_E_NOMEM;
	j->o = o;
	j->host = host;
	TRY(open_secrets(j));
	TRY(fold_psks(j));
	TRY(open_info(j));
	TRY(take_place(j));
	TRY(confirm(j));
	TRY(check_link(j));
	*out = j->g;
	j->g = NULL;
out:
	tacit_mls_group_free(j->g);
	tacit_buf_clear(&j->secrets_plain);
	tacit_buf_clear(&j->info_plain);
	tacit_buf_clear(&j->origin.group_id);
	tacit_wipe(j, sizeof(*j));
	tacit_free(j);
	return err;
}
