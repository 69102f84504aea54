/* mls_passive.c - passive-client-*.json: joins, and follows along. After each step the group is
 * stored and loaded again. */
#include <stdlib.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "e2e/mls/group.h"
#include "e2e/mls/message.h"
#include "vectors/mls.h"

struct passive {
	const json_t *entry;
	const struct tacit_mls_suite *suite;
	struct tacit_mls_group *group;
	struct tacit_env env;
	struct tacit_mls_host host;
};

static enum tacit_err from_hex(const json_t *text, struct tacit_buf *out)
{
	struct tacit_bytes hex = tacit_bytes(json_string_value(text), json_string_length(text));
	enum tacit_err err = tacit_buf_reserve(out, hex.n / 2 + 1);
	if (err == TACIT_OK)
		err = tacit_unhex(hex, out->p, hex.n / 2);
	out->n = hex.n / 2;
	return err;
}

static enum tacit_err find_psk(void *ctx, const struct tacit_mls_psk_id *id, struct tacit_buf *out)
{
	size_t i;
	const json_t *each;
	const struct passive *p = ctx;
	enum tacit_err err = TACIT_E_NOT_FOUND;
	struct tacit_buf name = {0};
	MLS_EACH(p->entry, "external_psks", i, each)
	{
		tacit_buf_clear(&name);
		if (from_hex(json_object_get(each, "psk_id"), &name) == TACIT_OK &&
		        id->type == TACIT_MLS_PSK_EXTERNAL &&
		        tacit_bytes_eq(tacit_buf_view(&name), id->id))
			err = from_hex(json_object_get(each, "psk"), out);
	}
	tacit_buf_clear(&name);
	return err;
}

/* Which identity may follow another is the application's to say (RFC 9420 5.3.1), not the vectors'.
 */
static bool any_successor(void *ctx, const struct tacit_mls_leaf_node *before,
        const struct tacit_mls_leaf_node *after)
{
	(void)ctx;
	(void)before;
	(void)after;
	return true;
}

/* The private keys belong to the public ones. */
static const char *check_keys(const struct passive *p, const struct tacit_mls_key_package *kp,
        struct tacit_mls_key_package_secrets *secrets)
{
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_scheme_signature signature;
	const struct tacit_mls_suite *s = p->suite;
	uint8_t signing[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
	struct tacit_bytes init = tacit_bytes(secrets->init_sk, s->kem_sk_bytes);
	struct tacit_bytes leaf = tacit_bytes(secrets->encryption_sk, s->kem_sk_bytes);
	if (!private_key_member(p->entry, "init_priv", secrets->init_sk, init.n) ||
	        !private_key_member(p->entry, "encryption_priv", secrets->encryption_sk, leaf.n) ||
	        !private_key_member(p->entry, "signature_priv", signing, s->signature_sk_bytes))
		return "the length of a private key";
	if (tacit_mls_kem_public(s, init, pk) != TACIT_OK ||
	        !tacit_bytes_eq(kp->init_key, tacit_bytes(pk, s->kem_public_bytes)))
		return "init_priv";
	if (tacit_mls_kem_public(s, leaf, pk) != TACIT_OK ||
	        !tacit_bytes_eq(kp->leaf.encryption_key, tacit_bytes(pk, s->kem_public_bytes)))
		return "encryption_priv";
	if (tacit_mls_sign(s, tacit_bytes(signing, s->signature_sk_bytes), TACIT_STR("x"),
	            TACIT_STR("y"), &signature) != TACIT_OK ||
	        tacit_mls_verify(s, kp->leaf.signature_key, TACIT_STR("x"), TACIT_STR("y"),
	                tacit_bytes(signature.b, signature.n)) != TACIT_OK)
		return "signature_priv";
	return NULL;
}

static bool same_authenticator(const struct passive *p, const json_t *v, const char *name)
{
	return tacit_bytes_eq(hex_member(v, name), tacit_mls_group_epoch_authenticator(p->group));
}

static const char *join(struct passive *p)
{
	struct tacit_mls_message m;
	struct tacit_mls_key_package_secrets secrets = {0};
	if (tacit_mls_message_decode(hex_member(p->entry, "key_package"), &m) != TACIT_OK ||
	        m.wire_format != TACIT_MLS_KEY_PACKAGE)
		return "key_package";
	const char *wrong = check_keys(p, &m.key_package, &secrets);
	struct tacit_mls_join_options o = {.welcome = hex_member(p->entry, "welcome"),
	        .key_package = m.key_package.encoded,
	        .secrets = &secrets,
	        .settings.resumptions = TACIT_MLS_RESUMPTIONS_MAX};
	if (json_is_string(json_object_get(p->entry, "ratchet_tree")))
		o.ratchet_tree = hex_member(p->entry, "ratchet_tree");
	if (wrong == NULL && tacit_mls_group_join(&o, &p->host, &p->group) != TACIT_OK)
		wrong = "joining";
	tacit_mls_key_package_secrets_wipe(&secrets);
	if (wrong == NULL && !same_authenticator(p, p->entry, "initial_epoch_authenticator"))
		wrong = "initial_epoch_authenticator";
	return wrong;
}

static bool store_and_load(struct passive *p)
{
	struct tacit_buf state = {0};
	struct tacit_buf tree = {0};
	struct tacit_mls_group *again = NULL;
	bool ok = tacit_mls_group_save(p->group, &state) == TACIT_OK &&
	          tacit_mls_group_save_tree(p->group, &tree) == TACIT_OK &&
	          tacit_mls_group_load(tacit_buf_view(&state), tacit_buf_view(&tree), &again) ==
	                  TACIT_OK;
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	if (ok) {
		tacit_mls_group_free(p->group);
		p->group = again;
	}
	return ok;
}

static bool process(struct passive *p, const json_t *message, enum tacit_mls_event_kind kind)
{
	struct tacit_buf encoded = {0};
	struct tacit_mls_event ev = {0};
	bool ok = from_hex(message, &encoded) == TACIT_OK &&
	          tacit_mls_group_process(p->group, &p->host, tacit_buf_view(&encoded), &ev) ==
	                  TACIT_OK &&
	          ev.kind == kind;
	tacit_mls_event_clear(&ev);
	tacit_buf_clear(&encoded);
	return ok && store_and_load(p);
}

static const char *follow(struct passive *p, const json_t *epoch)
{
	size_t i;
	const json_t *each;
	MLS_EACH(epoch, "proposals", i, each)
	{
		if (!process(p, each, TACIT_MLS_EVENT_PROPOSAL))
			return "a proposal";
	}
	if (!process(p, json_object_get(epoch, "commit"), TACIT_MLS_EVENT_COMMIT))
		return "a commit";
	return same_authenticator(p, epoch, "epoch_authenticator") ? NULL : "epoch_authenticator";
}

static const char *check_passive(const json_t *entry, const struct tacit_mls_suite *suite)
{
	size_t i;
	const json_t *each;
	struct passive p = {.entry = entry, .suite = suite, .env = mls_env()};
	p.host = (struct tacit_mls_host){
	        .env = &p.env, .check_successor = any_successor, .find_psk = find_psk, .ctx = &p};
	const char *wrong = join(&p);
	MLS_EACH(entry, "epochs", i, each)
	{
		hex_forget();
		if (wrong == NULL)
			wrong = follow(&p, each);
	}
	tacit_mls_group_free(p.group);
	return wrong;
}

const struct mls_vectors mls_passive = {
        {"init_priv", "initial_epoch_authenticator", "epochs"}, check_passive};
