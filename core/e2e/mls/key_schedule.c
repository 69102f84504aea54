#include "e2e/mls/key_schedule.h"

#include "crypto/secret.h"
#include "e2e/mls/leaf_node.h"

void tacit_mls_group_context_read(struct tacit_reader *r, struct tacit_mls_group_context *out)
{
	if (tacit_read_u16(r) != TACIT_MLS_VERSION_10)
		tacit_reader_fail(r, TACIT_E_UNSUPPORTED);
	out->suite = tacit_read_u16(r);
	out->group_id = tacit_mls_read_vec(r);
	out->epoch = tacit_read_u64(r);
	out->tree_hash = tacit_mls_read_vec(r);
	out->confirmed_transcript_hash = tacit_mls_read_vec(r);
	out->extensions = tacit_mls_read_extensions(r);
}

void tacit_mls_group_context_write(struct tacit_writer *w, const struct tacit_mls_group_context *c)
{
	tacit_write_u16(w, TACIT_MLS_VERSION_10);
	tacit_write_u16(w, c->suite);
	tacit_mls_write_vec(w, c->group_id);
	tacit_write_u64(w, c->epoch);
	tacit_mls_write_vec(w, c->tree_hash);
	tacit_mls_write_vec(w, c->confirmed_transcript_hash);
	tacit_mls_write_extensions(w, c->extensions);
}

static struct tacit_bytes secret_of(const struct tacit_mls_suite *s, const uint8_t *secret)
{
	return tacit_bytes(secret, s->hash_bytes);
}

static struct tacit_room room_of(const struct tacit_mls_suite *s, uint8_t *out)
{
	return (struct tacit_room){out, s->hash_bytes};
}

enum tacit_err tacit_mls_joiner_secret(const struct tacit_mls_suite *s, const uint8_t *init,
        const uint8_t *commit, struct tacit_bytes context, uint8_t *joiner)
{
	uint8_t prk[TACIT_MLS_HASH_MAX_BYTES];
	tacit_mls_extract(s, secret_of(s, init), secret_of(s, commit), prk);
	enum tacit_err err =
	        tacit_mls_expand(s, prk, TACIT_STR("joiner"), context, room_of(s, joiner));
	tacit_wipe(prk, sizeof(prk));
	return err;
}

enum tacit_err tacit_mls_welcome_secret(const struct tacit_mls_suite *s, const uint8_t *joiner,
        const uint8_t *psk, uint8_t *welcome)
{
	uint8_t member[TACIT_MLS_HASH_MAX_BYTES];
	tacit_mls_extract(s, secret_of(s, joiner), secret_of(s, psk), member);
	enum tacit_err err = tacit_mls_derive_secret(s, member, TACIT_STR("welcome"), welcome);
	tacit_wipe(member, sizeof(member));
	return err;
}

enum tacit_err tacit_mls_welcome_key(const struct tacit_mls_suite *s, const uint8_t *joiner,
        const uint8_t *psk, struct tacit_mls_welcome_key *out)
{
	enum tacit_err err;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
	TRY(tacit_mls_welcome_secret(s, joiner, psk, secret));
	TRY(tacit_mls_expand(s, secret, TACIT_STR("key"), tacit_bytes(NULL, 0),
	        (struct tacit_room){out->key, s->key_bytes}));
	TRY(tacit_mls_expand(s, secret, TACIT_STR("nonce"), tacit_bytes(NULL, 0),
	        (struct tacit_room){out->nonce, sizeof(out->nonce)}));
out:
	tacit_wipe(secret, sizeof(secret));
	if (err != TACIT_OK)
		tacit_wipe(out, sizeof(*out));
	return err;
}

enum tacit_err tacit_mls_epoch_create(const struct tacit_mls_suite *s, const uint8_t *epoch_secret,
        struct tacit_mls_epoch_secrets *out)
{
	const struct {
		struct tacit_bytes label;
		uint8_t *out;
	} table[] = {
	        {TACIT_STR("sender data"), out->sender_data},
	        {TACIT_STR("encryption"), out->encryption},
	        {TACIT_STR("exporter"), out->exporter},
	        {TACIT_STR("external"), out->external},
	        {TACIT_STR("confirm"), out->confirmation},
	        {TACIT_STR("membership"), out->membership},
	        {TACIT_STR("resumption"), out->resumption},
	        {TACIT_STR("authentication"), out->authenticator},
	        {TACIT_STR("init"), out->init},
	};
	*out = (struct tacit_mls_epoch_secrets){0};
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; err == TACIT_OK && i < TACIT_COUNT(table); i++)
		err = tacit_mls_derive_secret(s, epoch_secret, table[i].label, table[i].out);
	if (err != TACIT_OK)
		tacit_mls_epoch_secrets_wipe(out);
	return err;
}

enum tacit_err tacit_mls_epoch_begin(const struct tacit_mls_suite *s, const uint8_t *joiner,
        const uint8_t *psk, struct tacit_bytes context, struct tacit_mls_epoch_secrets *out)
{
	enum tacit_err err;
	uint8_t member[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t epoch[TACIT_MLS_HASH_MAX_BYTES];
	*out = (struct tacit_mls_epoch_secrets){0};
	tacit_mls_extract(s, secret_of(s, joiner), secret_of(s, psk), member);
	TRY(tacit_mls_expand(s, member, TACIT_STR("epoch"), context, room_of(s, epoch)));
	TRY(tacit_mls_epoch_create(s, epoch, out));
out:
	tacit_wipe(member, sizeof(member));
	tacit_wipe(epoch, sizeof(epoch));
	return err;
}

void tacit_mls_epoch_secrets_wipe(struct tacit_mls_epoch_secrets *e)
{
	tacit_wipe(e, sizeof(*e));
}

enum tacit_err tacit_mls_external_keypair(const struct tacit_mls_suite *s,
        const struct tacit_mls_epoch_secrets *e, uint8_t *sk, uint8_t *pk)
{
	return tacit_mls_kem_derive(s, e->external, sk, pk);
}

enum tacit_err tacit_mls_exporter(const struct tacit_mls_suite *s, const uint8_t *exporter_secret,
        struct tacit_bytes label, struct tacit_bytes context, struct tacit_room out)
{
	enum tacit_err err;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	TRY(tacit_mls_derive_secret(s, exporter_secret, label, secret));
	TRY(tacit_mls_hash(s, context, hash));
	TRY(tacit_mls_expand(
	        s, secret, TACIT_STR("exported"), tacit_bytes(hash, s->hash_bytes), out));
out:
	tacit_wipe(secret, sizeof(secret));
	return err;
}
