#include "e2e/account.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/pwhash.h"
#include "wire/limits.h"
#include "wire/names.h"

#define SIGN_LABEL "tacit account signing key v1"
#define DERIVE_LABEL "tacit account derived key v1: "
#define WRAP_LABEL "tacit account wrap v1"

#define WRAP_VERSION 1
#define WRAPPED_SECRET_BYTES (TACIT_ACCOUNT_SECRET_BYTES + TACIT_AEAD_TAG_BYTES)
/* RFC 9106 4 recommends 64 MiB and 3 passes where 2 GiB are too much. */
#define WRAP_KIB (64u * 1024)
#define WRAP_PASSES 3u
/* A server that hands out a wrapped secret may not name any price. */
#define WRAP_KIB_MOST (256u * 1024)
#define WRAP_PASSES_MOST 10u

struct wrap {
	struct tacit_pwhash_cost cost;
	uint8_t salt[TACIT_PWHASH_SALT_BYTES];
	struct tacit_bytes sealed;
};

/* Fills in out, whose secret is there, with what follows from the secret. */
static enum tacit_err expand(struct tacit_account *out)
{
	enum tacit_err err;
	uint8_t seed[TACIT_SIGN_SEED_BYTES];
	TRY(tacit_secret_new(&out->sign_sk, sizeof(struct tacit_sign_sk)));
	TRY(tacit_derive(tacit_secret_view(&out->secret), SIGN_LABEL, seed, sizeof(seed)));
	tacit_sign_keypair(seed, (struct tacit_sign_sk *)(void *)out->sign_sk.p, &out->public);
out:
	tacit_wipe(seed, sizeof(seed));
	return err;
}

enum tacit_err tacit_account_from_secret(struct tacit_bytes secret, struct tacit_account *out)
{
	*out = (struct tacit_account){0};
	if (secret.n != TACIT_ACCOUNT_SECRET_BYTES)
		return TACIT_E_USAGE;
	enum tacit_err err;
	TRY(tacit_secret_copy(&out->secret, secret));
	TRY(expand(out));
out:
	if (err != TACIT_OK)
		tacit_account_clear(out);
	return err;
}

enum tacit_err tacit_account_create(const struct tacit_env *env, struct tacit_account *out)
{
	*out = (struct tacit_account){0};
	enum tacit_err err;
	TRY(tacit_secret_new(&out->secret, TACIT_ACCOUNT_SECRET_BYTES));
	tacit_env_random(env, out->secret.p, out->secret.n);
	TRY(expand(out));
out:
	if (err != TACIT_OK)
		tacit_account_clear(out);
	return err;
}

void tacit_account_clear(struct tacit_account *a)
{
	tacit_secret_free(&a->secret);
	tacit_secret_free(&a->sign_sk);
	*a = (struct tacit_account){0};
}

enum tacit_err tacit_account_derive(
        const struct tacit_account *a, const char *label, uint8_t *out, size_t n)
{
	char full[sizeof(DERIVE_LABEL) + TACIT_ACCOUNT_LABEL_MAX] = DERIVE_LABEL;
	size_t label_n = strlen(label);
	if (label_n > TACIT_ACCOUNT_LABEL_MAX)
		return TACIT_E_USAGE;
	memcpy(full + sizeof(DERIVE_LABEL) - 1, label, label_n + 1);
	return tacit_derive(tacit_secret_view(&a->secret), full, out, n);
}

enum tacit_err tacit_password_hash(
        struct tacit_bytes password, struct tacit_bytes email, char out[65])
{
	static const struct tacit_pwhash_cost cost = {.kib = 16384, .passes = 2};
	out[0] = 0;
	enum tacit_err err;
	struct tacit_hasher *h = NULL;
	uint8_t digest[TACIT_SHA256_BYTES];
	uint8_t hash[32] = {0};
	TRY(tacit_hasher_new(TACIT_SHA256, &h));
	TRY(tacit_hasher_update(h, password));
	TRY(tacit_hasher_update(h, email));
	TRY(tacit_hasher_peek(h, digest));
	TRY(tacit_pwhash(password, digest, cost, hash, sizeof(hash)));
	tacit_hex(tacit_bytes(hash, sizeof(hash)), out);
out:
	tacit_hasher_free(h);
	tacit_wipe(digest, sizeof(digest));
	tacit_wipe(hash, sizeof(hash));
	return err;
}

static void write_head(struct tacit_writer *w, const struct wrap *head)
{
	tacit_write_u8(w, WRAP_VERSION);
	tacit_write_u32(w, head->cost.kib);
	tacit_write_u32(w, head->cost.passes);
	tacit_write_raw(w, tacit_bytes(head->salt, sizeof(head->salt)));
}

/* Label, head and name: a wrapped secret opens only for the account it was made for, at the costs
 * it was made with. */
static enum tacit_err wrap_aad(
        const struct wrap *head, struct tacit_bytes username, struct tacit_buf *aad)
{
	if (!tacit_username_valid(username))
		return TACIT_E_BAD_NAME;
	uint8_t name[TACIT_MAX_USERNAME];
	size_t n = tacit_username_lower(username, name);
	struct tacit_writer w = tacit_writer(aad);
	tacit_write_vec8(&w, TACIT_STR(WRAP_LABEL));
	write_head(&w, head);
	tacit_write_vec8(&w, tacit_bytes(name, n));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_account_wrap(const struct tacit_account *a, struct tacit_bytes username,
        struct tacit_bytes password, const struct tacit_env *env, struct tacit_buf *wrapped,
        uint8_t iv[TACIT_WRAP_IV_BYTES])
{
	enum tacit_err err;
	struct wrap head = {.cost = {WRAP_KIB, WRAP_PASSES}};
	struct tacit_buf aad = {0};
	struct tacit_writer w = tacit_writer(wrapped);
	uint8_t key[32] = {0};
	uint8_t sealed[WRAPPED_SECRET_BYTES];
	tacit_env_random(env, head.salt, sizeof(head.salt));
	tacit_env_random(env, iv, TACIT_WRAP_IV_BYTES);
	TRY(wrap_aad(&head, username, &aad));
	TRY(tacit_pwhash(password, head.salt, head.cost, key, sizeof(key)));
	TRY(tacit_aead_seal_once(TACIT_AES256_GCM, key, iv, tacit_buf_view(&aad),
	        tacit_secret_view(&a->secret), sealed));
	write_head(&w, &head);
	tacit_write_raw(&w, tacit_bytes(sealed, sizeof(sealed)));
	TRY(tacit_writer_finish(&w));
out:
	tacit_wipe(key, sizeof(key));
	tacit_buf_clear(&aad);
	return err;
}

static enum tacit_err read_wrap(struct tacit_bytes wrapped, struct wrap *out)
{
	struct tacit_reader r = tacit_reader(wrapped);
	if (tacit_read_u8(&r) != WRAP_VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	out->cost.kib = tacit_read_u32(&r);
	out->cost.passes = tacit_read_u32(&r);
	if (out->cost.kib > WRAP_KIB_MOST || out->cost.passes > WRAP_PASSES_MOST)
		tacit_reader_fail(&r, TACIT_E_TOO_LARGE);
	if (out->cost.kib < 8 || out->cost.passes < 1)
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	tacit_read_into(&r, out->salt, sizeof(out->salt));
	out->sealed = tacit_read_view(&r, WRAPPED_SECRET_BYTES);
	enum tacit_err err = tacit_reader_end(&r);
	return err == TACIT_E_TRUNCATED || err == TACIT_E_TRAILING ? TACIT_E_MALFORMED : err;
}

enum tacit_err tacit_account_unwrap(struct tacit_bytes wrapped, struct tacit_bytes iv,
        struct tacit_bytes username, struct tacit_bytes password, struct tacit_account *out)
{
	*out = (struct tacit_account){0};
	if (iv.n != TACIT_WRAP_IV_BYTES)
		return TACIT_E_MALFORMED;
	enum tacit_err err;
	struct wrap head;
	struct tacit_buf aad = {0};
	uint8_t key[32] = {0};
	uint8_t secret[TACIT_ACCOUNT_SECRET_BYTES] = {0};
	TRY(read_wrap(wrapped, &head));
	TRY(wrap_aad(&head, username, &aad));
	TRY(tacit_pwhash(password, head.salt, head.cost, key, sizeof(key)));
	TRY(tacit_aead_open_once(
	        TACIT_AES256_GCM, key, iv.p, tacit_buf_view(&aad), head.sealed, secret));
	TRY(tacit_account_from_secret(tacit_bytes(secret, sizeof(secret)), out));
out:
	tacit_wipe(key, sizeof(key));
	tacit_wipe(secret, sizeof(secret));
	tacit_buf_clear(&aad);
	return err == TACIT_E_BAD_SEAL ? TACIT_E_BAD_PASSWORD : err;
}
