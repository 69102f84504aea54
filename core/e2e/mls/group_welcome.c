/* What a committer gives to those who join: GroupInfo and Welcome (RFC 9420 12.4.3). */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"

/* 13.5: an extension that means nothing keeps others used to ignoring what they do not know. */
static void write_grease(struct tacit_writer *w, const struct tacit_env *env)
{
	uint8_t random[2];
	tacit_env_random(env, random, sizeof(random));
	uint8_t half = (uint8_t)((random[0] % 15) << 4 | 0x0a);
	tacit_mls_write_extension(w, (struct tacit_mls_extension){(uint16_t)(half << 8 | half),
	                                     tacit_bytes(random + 1, 1)});
}

static enum tacit_err write_info_extensions(const struct tacit_mls_group *g,
        const struct tacit_mls_info_options *o, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf data = {0};
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_writer w = tacit_writer(out);
	if (o->parts & TACIT_MLS_INFO_TREE) {
		TRY(tacit_mls_tree_encode(o->tree, &data));
		tacit_mls_write_extension(
		        &w, (struct tacit_mls_extension){
		                    TACIT_MLS_EXT_RATCHET_TREE, tacit_buf_view(&data)});
	}
	if (o->parts & TACIT_MLS_INFO_EXTERNAL_PUB) {
		TRY(tacit_mls_external_keypair(g->suite, &o->epoch->secrets, sk, pk));
		tacit_buf_clear(&data);
		struct tacit_writer x = tacit_writer(&data);
		tacit_mls_write_external_pub(&x, tacit_bytes(pk, g->suite->kem_public_bytes));
		TRY(tacit_writer_finish(&x));
		tacit_mls_write_extension(
		        &w, (struct tacit_mls_extension){
		                    TACIT_MLS_EXT_EXTERNAL_PUB, tacit_buf_view(&data)});
	}
	write_grease(&w, o->env);
	TRY(tacit_writer_finish(&w));
out:
	tacit_wipe(sk, sizeof(sk));
	tacit_buf_clear(&data);
	return err;
}

enum tacit_err tacit_mls_make_info(const struct tacit_mls_group *g,
        const struct tacit_mls_info_options *o, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf extensions = {0};
	const struct tacit_mls_epoch *e = o->epoch;
	TRY(write_info_extensions(g, o, &extensions));
	struct tacit_mls_group_info info = {
	        .context = {.suite = g->suite->id,
	                .group_id = tacit_buf_view(&g->group_id),
	                .epoch = e->number,
	                .tree_hash = tacit_bytes(e->tree_hash, g->suite->hash_bytes),
	                .confirmed_transcript_hash = tacit_mls_epoch_confirmed(e),
	                .extensions = tacit_mls_epoch_extensions(e)},
	        .extensions = {tacit_buf_view(&extensions)},
	        .confirmation_tag = tacit_bytes(e->tag, g->suite->hash_bytes),
	        .signer = e->keys.leaf};
	TRY(tacit_mls_group_info_sign(g->suite, &info, o->signature_sk, out));
out:
	tacit_buf_clear(&extensions);
	return err;
}

enum tacit_err tacit_mls_group_info(const struct tacit_mls_group *g,
        const struct tacit_mls_host *host, unsigned parts, struct tacit_buf *out)
{
	if (g->state != TACIT_MLS_ACTIVE)
		return TACIT_E_CONFLICT;
	enum tacit_err err;
	size_t start = out->n;
	struct tacit_mls_info_options o = {g->now, g->tree, host->signature_sk, parts, host->env};
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_write_message_header(&w, TACIT_MLS_GROUP_INFO);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_make_info(g, &o, out));
out:
	if (err != TACIT_OK)
		out->n = start;
	return err;
}

static enum tacit_err seal_info(const struct tacit_mls_group *g,
        const struct tacit_mls_welcome_options *o, struct tacit_bytes info, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_mls_welcome_key key = {0};
	TRY(tacit_mls_welcome_key(g->suite, o->joiner, o->psk, &key));
	TRY(tacit_buf_reserve(out, info.n + TACIT_MLS_TAG_BYTES));
	TRY(tacit_aead_seal_once(
	        g->suite->aead, key.key, key.nonce, tacit_bytes(NULL, 0), info, out->p));
	out->n = info.n + TACIT_MLS_TAG_BYTES;
out:
	tacit_wipe(&key, sizeof(key));
	return err;
}

static enum tacit_err write_psks(const struct tacit_mls_plan *plan, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].p.type == TACIT_MLS_PSK)
			tacit_mls_psk_id_write(&w, &plan->items[i].p.psk);
	return tacit_writer_finish(&w);
}

struct recipient {
	const struct tacit_mls_key_package *kp;
	uint32_t leaf;
	struct tacit_bytes psks;
	struct tacit_mls_bound label;
};

static enum tacit_err seal_secrets(const struct tacit_mls_group *g,
        const struct tacit_mls_welcome_options *o, struct recipient *to, struct tacit_writer *w)
{
	enum tacit_err err;
	const struct tacit_mls_suite *s = g->suite;
	struct tacit_buf plain = {0};
	struct tacit_buf sealed = {0};
	uint8_t ref[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t enc[TACIT_MLS_KEM_ENC_MAX_BYTES];
	struct tacit_mls_group_secrets secrets = {
	        .joiner_secret = tacit_bytes(o->joiner, s->hash_bytes),
	        .has_path_secret = o->path != NULL,
	        .psks = to->psks};
	if (o->path != NULL)
		secrets.path_secret = tacit_mls_path_secret_for(o->path, to->leaf);
	struct tacit_writer x = tacit_writer(&plain);
	tacit_mls_write_group_secrets(&x, &secrets);
	TRY(tacit_writer_finish(&x));
	TRY(tacit_mls_key_package_ref(s, to->kp->encoded, ref));
	TRY(tacit_buf_reserve(&sealed, plain.n + TACIT_MLS_TAG_BYTES));
	TRY(tacit_mls_encrypt_bound(&to->label, to->kp->init_key, tacit_buf_view(&plain), o->env,
	        (struct tacit_mls_ciphertext_room){enc, sealed.p}));
	sealed.n = plain.n + TACIT_MLS_TAG_BYTES;
	tacit_mls_write_encrypted_secrets(
	        w, &(struct tacit_mls_encrypted_secrets){tacit_bytes(ref, s->hash_bytes),
	                   tacit_bytes(enc, s->kem_enc_bytes), tacit_buf_view(&sealed)});
out:
	tacit_buf_clear(&plain);
	tacit_buf_clear(&sealed);
	return err;
}

enum tacit_err tacit_mls_make_welcome(const struct tacit_mls_group *g,
        const struct tacit_mls_welcome_options *o, struct tacit_bytes info, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf sealed_info = {0};
	struct tacit_buf psks = {0};
	struct tacit_buf secrets = {0};
	struct recipient to = {0};
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_WELCOME};
	struct tacit_writer w = tacit_writer(&secrets);
	TRY(seal_info(g, o, info, &sealed_info));
	TRY(write_psks(o->plan, &psks));
	to.psks = tacit_buf_view(&psks);
	struct tacit_mls_label label = {TACIT_STR("Welcome"), tacit_buf_view(&sealed_info)};
	TRY(tacit_mls_bind(g->suite, label, &to.label));
	size_t added = 0;
	to.label.keys.expected = o->plan->add_count;
	for (size_t i = 0; i < o->plan->count; i++) {
		if (o->plan->items[i].p.type != TACIT_MLS_ADD)
			continue;
		to.kp = &o->plan->items[i].p.add;
		to.leaf = o->plan->added[added++];
		TRY(seal_secrets(g, o, &to, &w));
	}
	TRY(tacit_writer_finish(&w));
	m.welcome = (struct tacit_mls_welcome){
	        g->suite->id, tacit_buf_view(&secrets), tacit_buf_view(&sealed_info)};
	TRY(tacit_mls_message_encode(&m, out));
out:
	tacit_mls_bound_clear(&to.label);
	tacit_buf_clear(&sealed_info);
	tacit_buf_clear(&psks);
	tacit_buf_clear(&secrets);
	return err;
}
