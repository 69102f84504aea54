#include "e2e/mls/welcome.h"

#include "crypto/secret.h"

static void read_encrypted_secrets(struct tacit_reader *r, struct tacit_mls_encrypted_secrets *out)
{
	out->new_member = tacit_mls_read_vec(r);
	out->kem_output = tacit_mls_read_vec(r);
	out->ciphertext = tacit_mls_read_vec(r);
}

void tacit_mls_write_encrypted_secrets(
        struct tacit_writer *w, const struct tacit_mls_encrypted_secrets *x)
{
	tacit_mls_write_vec(w, x->new_member);
	tacit_mls_write_vec(w, x->kem_output);
	tacit_mls_write_vec(w, x->ciphertext);
}

void tacit_mls_read_welcome(struct tacit_reader *r, struct tacit_mls_welcome *out)
{
	struct tacit_mls_encrypted_secrets x;
	out->suite = tacit_read_u16(r);
	struct tacit_reader sub = tacit_mls_read_sub(r);
	out->secrets = sub.rest;
	while (tacit_mls_more(&sub))
		read_encrypted_secrets(&sub, &x);
	tacit_mls_read_sub_end(r, &sub);
	out->encrypted_group_info = tacit_mls_read_vec(r);
}

void tacit_mls_write_welcome(struct tacit_writer *w, const struct tacit_mls_welcome *x)
{
	tacit_write_u16(w, x->suite);
	tacit_mls_write_vec(w, x->secrets);
	tacit_mls_write_vec(w, x->encrypted_group_info);
}

bool tacit_mls_welcome_next(struct tacit_reader *it, struct tacit_mls_encrypted_secrets *out)
{
	if (!tacit_mls_more(it))
		return false;
	read_encrypted_secrets(it, out);
	return it->err == TACIT_OK;
}

enum tacit_err tacit_mls_welcome_find(const struct tacit_mls_welcome *x,
        struct tacit_bytes key_package_ref, struct tacit_mls_encrypted_secrets *out)
{
	struct tacit_reader it = tacit_reader(x->secrets);
	while (tacit_mls_welcome_next(&it, out))
		if (tacit_bytes_eq(out->new_member, key_package_ref))
			return TACIT_OK;
	return TACIT_E_WRONG_RECIPIENT;
}

void tacit_mls_read_group_secrets(struct tacit_reader *r, struct tacit_mls_group_secrets *out)
{
	struct tacit_mls_psk_id id;
	*out = (struct tacit_mls_group_secrets){.joiner_secret = tacit_mls_read_vec(r)};
	out->has_path_secret = tacit_mls_read_optional(r);
	if (out->has_path_secret)
		out->path_secret = tacit_mls_read_vec(r);
	struct tacit_reader sub = tacit_mls_read_sub(r);
	out->psks = sub.rest;
	while (tacit_mls_more(&sub)) {
		tacit_mls_psk_id_read(&sub, &id);
		if (++out->psk_count > TACIT_MLS_PSK_MAX)
			tacit_reader_fail(&sub, TACIT_E_LIMIT);
	}
	tacit_mls_read_sub_end(r, &sub);
}

void tacit_mls_write_group_secrets(struct tacit_writer *w, const struct tacit_mls_group_secrets *x)
{
	tacit_mls_write_vec(w, x->joiner_secret);
	tacit_mls_write_optional(w, x->has_path_secret);
	if (x->has_path_secret)
		tacit_mls_write_vec(w, x->path_secret);
	tacit_mls_write_vec(w, x->psks);
}

enum tacit_err tacit_mls_welcome_open_secrets(const struct tacit_mls_suite *s,
        const struct tacit_mls_welcome *x, const struct tacit_mls_encrypted_secrets *entry,
        const uint8_t *init_sk, struct tacit_buf *out)
{
	if (entry->ciphertext.n < TACIT_MLS_TAG_BYTES)
		return TACIT_E_BAD_SEAL;
	enum tacit_err err;
	struct tacit_mls_label label = {TACIT_STR("Welcome"), x->encrypted_group_info};
	struct tacit_mls_ciphertext sealed = {entry->kem_output, entry->ciphertext};
	TRY(tacit_buf_reserve(out, entry->ciphertext.n));
	TRY(tacit_mls_decrypt(s, init_sk, label, sealed, out->p + out->n));
	out->n += entry->ciphertext.n - TACIT_MLS_TAG_BYTES;
out:
	return err;
}

enum tacit_err tacit_mls_welcome_open_info(const struct tacit_mls_suite *s,
        const struct tacit_mls_welcome *x, const uint8_t *joiner_secret, const uint8_t *psk_secret,
        struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_mls_welcome_key key = {0};
	struct tacit_bytes sealed = x->encrypted_group_info;
	TRY(sealed.n < TACIT_MLS_TAG_BYTES ? TACIT_E_BAD_SEAL : TACIT_OK);
	TRY(tacit_mls_welcome_key(s, joiner_secret, psk_secret, &key));
	TRY(tacit_buf_reserve(out, sealed.n));
	TRY(tacit_aead_open_once(
	        s->aead, key.key, key.nonce, tacit_bytes(NULL, 0), sealed, out->p + out->n));
	out->n += sealed.n - TACIT_MLS_TAG_BYTES;
out:
	tacit_wipe(&key, sizeof(key));
	return err;
}
