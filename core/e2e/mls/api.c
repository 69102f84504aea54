#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/api_int.h"
#include "e2e/mls/message.h"

#define DAY 86400
#define SAVED_VERSION 1

static_assert((int)TMLS_USAGE == (int)TACIT_E_USAGE && (int)TMLS_LIMIT == (int)TACIT_E_LIMIT &&
                      (int)TMLS_GONE == (int)TACIT_E_GONE &&
                      (int)TMLS_CRYPTO == (int)TACIT_E_CRYPTO &&
                      (int)TMLS_FUTURE == (int)TACIT_E_ORDER_CHANGED &&
                      (int)TMLS_BAD_CREDENTIAL == (int)TACIT_E_BAD_CERTIFICATE &&
                      (int)TMLS_NO_MEMORY == (int)TACIT_E_NOMEM &&
                      (int)TMLS_UNSUPPORTED == (int)TACIT_E_UNSUPPORTED,
        "the public numbers are those of base/err.def");
static_assert((int)TMLS_MLKEM768X25519_AES256_ED25519 == (int)TACIT_MLS_SUITE_DEFAULT,
        "the public suites are those of suite.h");

int tmls_version(void)
{
	return TMLS_VERSION_MAJOR * 1000 + TMLS_VERSION_MINOR;
}

const char *tmls_result_text(enum tmls_result r)
{
	return tacit_err_text((enum tacit_err)r);
}

void tmls_bytes_free(struct tmls_bytes *b)
{
	if (b->data != NULL)
		tacit_wipe(b->data, b->size);
	tacit_free(b->data);
	*b = (struct tmls_bytes){0};
}

struct tmls_bytes tmls_give(struct tacit_buf *b)
{
	struct tmls_bytes given = {b->p, b->n};
	*b = (struct tacit_buf){0};
	return given;
}

struct tmls_member tmls_member_of(const struct tacit_mls_leaf_node *leaf)
{
	return (struct tmls_member){.identity = tmls_out(leaf->credential.identity),
	        .signature_key = tmls_out(leaf->signature_key)};
}

/* --- What the core asks of its host, asked of the callbacks --- */

static enum tacit_err check_credential(void *ctx, const struct tacit_mls_leaf_node *leaf)
{
	const struct tmls_client *c = ctx;
	struct tmls_member member = tmls_member_of(leaf);
	if (c->callbacks.accept_credential == NULL ||
	        c->callbacks.accept_credential(c->callbacks.ctx, &member))
		return TACIT_OK;
	return TACIT_E_BAD_CERTIFICATE;
}

static enum tacit_err check_external_sender(
        void *ctx, const struct tacit_mls_external_sender *sender)
{
	const struct tmls_client *c = ctx;
	struct tmls_member member = {.identity = tmls_out(sender->credential.identity),
	        .signature_key = tmls_out(sender->signature_key)};
	bool accepted = c->callbacks.accept_credential == NULL ||
	                c->callbacks.accept_credential(c->callbacks.ctx, &member);
	return accepted ? TACIT_OK : TACIT_E_BAD_CERTIFICATE;
}

static bool check_successor(void *ctx, const struct tacit_mls_leaf_node *before,
        const struct tacit_mls_leaf_node *after)
{
	const struct tmls_client *c = ctx;
	struct tmls_member old = tmls_member_of(before);
	struct tmls_member new = tmls_member_of(after);
	if (c->callbacks.accept_successor == NULL)
		return tacit_mls_credential_eq(&before->credential, &after->credential);
	return c->callbacks.accept_successor(c->callbacks.ctx, &old, &new);
}

static enum tacit_err find_psk(void *ctx, const struct tacit_mls_psk_id *id, struct tacit_buf *out)
{
	struct tmls_view key;
	const struct tmls_client *c = ctx;
	if (id->type != TACIT_MLS_PSK_EXTERNAL || c->callbacks.find_psk == NULL ||
	        !c->callbacks.find_psk(c->callbacks.ctx, tmls_out(id->id), &key))
		return TACIT_E_NOT_FOUND;
	return tacit_buf_append(out, tmls_in(key));
}

struct tacit_mls_host tmls_host(const struct tmls_client *c)
{
	return (struct tacit_mls_host){.env = &c->env,
	        .signature_sk = tacit_bytes(c->sk, c->suite->signature_sk_bytes),
	        .check_credential = check_credential,
	        .check_external_sender = check_external_sender,
	        .check_successor = check_successor,
	        .find_psk = find_psk,
	        .lifetime_max = TMLS_LIFETIME_MAX,
	        .ctx = (void *)(uintptr_t)c};
}

/* --- Clients --- */

enum tmls_result tmls_client_new(enum tmls_suite suite, struct tmls_view identity,
        struct tmls_view signing_key, const struct tmls_callbacks *callbacks,
        struct tmls_client **out)
{
	enum tacit_err err;
	struct tmls_client *c = NULL;
	*out = NULL;
	const struct tacit_mls_suite *s = tacit_mls_suite_find((uint16_t)suite);
	TRY(s == NULL ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(callbacks->now == NULL || callbacks->random == NULL ? TACIT_E_USAGE : TACIT_OK);
	TRY(tacit_crypto_init());
	c = tacit_calloc(1, sizeof(*c));
	TRY(c == NULL ? TACIT_E_NOMEM : TACIT_OK);
	c->suite = s;
	c->callbacks = *callbacks;
	c->env = (struct tacit_env){callbacks->now, callbacks->random, callbacks->ctx};
	TRY(tacit_buf_append(&c->identity, tmls_in(identity)));
	if (signing_key.size == 0) {
		TRY(tacit_mls_signature_keypair(s, &c->env, c->sk, c->pk));
	} else {
		bool fits = signing_key.size == s->signature_sk_bytes;
		TRY(fits ? TACIT_OK : TACIT_E_USAGE);
		memcpy(c->sk, signing_key.data, signing_key.size);
		TRY(tacit_scheme_public(s->scheme, tmls_in(signing_key), c->pk));
	}
	*out = c;
	c = NULL;
out:
	tmls_client_free(c);
	return tmls_result_of(err);
}

void tmls_client_free(struct tmls_client *c)
{
	if (c == NULL)
		return;
	tacit_buf_clear(&c->identity);
	tacit_wipe(c, sizeof(*c));
	tacit_free(c);
}

struct tmls_view tmls_client_signing_key(const struct tmls_client *c)
{
	return (struct tmls_view){c->sk, c->suite->signature_sk_bytes};
}

struct tmls_view tmls_client_public_key(const struct tmls_client *c)
{
	return (struct tmls_view){c->pk, c->suite->signature_public_bytes};
}

/* --- Key packages --- */

static enum tacit_err make_key_package(
        const struct tmls_client *c, uint64_t lifetime, struct tmls_key_package *k)
{
	enum tacit_err err;
	struct tacit_buf store = {0};
	int64_t now = tacit_env_now(&c->env);
	struct tacit_mls_key_package_options o = {.suite = c->suite,
	        .signature_sk = tacit_bytes(c->sk, c->suite->signature_sk_bytes),
	        .signature_key = tacit_bytes(c->pk, c->suite->signature_public_bytes),
	        .credential = {.type = TACIT_MLS_CREDENTIAL_BASIC,
	                .identity = tacit_buf_view(&c->identity)}};
	struct tacit_writer w = tacit_writer(&k->message);
	TRY(now <= DAY || lifetime > TMLS_LIFETIME_MAX - DAY ? TACIT_E_USAGE : TACIT_OK);
	o.lifetime.not_before = (uint64_t)now - DAY;
	o.lifetime.not_after = (uint64_t)now + lifetime;
	TRY(tacit_mls_capabilities_make(NULL, &c->env, &store, &o.capabilities));
	tacit_mls_write_message_header(&w, TACIT_MLS_KEY_PACKAGE);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_key_package_create(&o, &c->env, &k->message, &k->secrets));
out:
	tacit_buf_clear(&store);
	return err;
}

enum tmls_result tmls_key_package_new(
        const struct tmls_client *c, uint64_t lifetime, struct tmls_key_package **out)
{
	enum tacit_err err;
	*out = NULL;
	struct tmls_key_package *k = tacit_calloc(1, sizeof(*k));
	TRY(k == NULL ? TACIT_E_NOMEM : TACIT_OK);
	TRY(make_key_package(c, lifetime, k));
	*out = k;
	k = NULL;
out:
	tmls_key_package_free(k);
	return tmls_result_of(err);
}

void tmls_key_package_free(struct tmls_key_package *k)
{
	if (k == NULL)
		return;
	tacit_buf_clear(&k->message);
	tacit_mls_key_package_secrets_wipe(&k->secrets);
	tacit_free(k);
}

struct tmls_view tmls_key_package_message(const struct tmls_key_package *k)
{
	return tmls_out(tacit_buf_view(&k->message));
}

enum tacit_err tmls_bare_key_package(struct tacit_bytes message, struct tacit_bytes *out)
{
	struct tacit_mls_message m;
	enum tacit_err err = tacit_mls_message_decode(message, &m);
	if (err == TACIT_OK && m.wire_format != TACIT_MLS_KEY_PACKAGE)
		err = TACIT_E_MALFORMED;
	*out = err == TACIT_OK ? m.key_package.encoded : tacit_bytes(NULL, 0);
	return err;
}

static size_t kem_sk_bytes(const struct tmls_key_package *k, enum tacit_err *err)
{
	struct tacit_mls_message m;
	const struct tacit_mls_suite *s = NULL;
	*err = tacit_mls_message_decode(tacit_buf_view(&k->message), &m);
	if (*err == TACIT_OK)
		s = tacit_mls_suite_find(m.key_package.suite);
	if (*err == TACIT_OK && s == NULL)
		*err = TACIT_E_UNSUPPORTED;
	return s != NULL ? s->kem_sk_bytes : 0;
}

enum tmls_result tmls_key_package_save(const struct tmls_key_package *k, struct tmls_bytes *out)
{
	enum tacit_err err;
	struct tacit_buf b = {0};
	*out = (struct tmls_bytes){0};
	size_t n = kem_sk_bytes(k, &err);
	TRY(err);
	struct tacit_writer w = tacit_writer(&b);
	tacit_write_u8(&w, SAVED_VERSION);
	tacit_mls_write_vec(&w, tacit_buf_view(&k->message));
	tacit_mls_write_vec(&w, tacit_bytes(k->secrets.init_sk, n));
	tacit_mls_write_vec(&w, tacit_bytes(k->secrets.encryption_sk, n));
	TRY(tacit_writer_finish(&w));
	*out = tmls_give(&b);
out:
	tacit_buf_clear(&b);
	return tmls_result_of(err);
}

enum tmls_result tmls_key_package_load(
        const struct tmls_client *c, struct tmls_view saved, struct tmls_key_package **out)
{
	enum tacit_err err;
	*out = NULL;
	struct tacit_reader r = tacit_reader(tmls_in(saved));
	struct tmls_key_package *k = tacit_calloc(1, sizeof(*k));
	TRY(k == NULL ? TACIT_E_NOMEM : TACIT_OK);
	uint8_t version = tacit_read_u8(&r);
	struct tacit_bytes message = tacit_mls_read_vec(&r);
	struct tacit_bytes init = tacit_mls_read_vec(&r);
	struct tacit_bytes leaf = tacit_mls_read_vec(&r);
	TRY(tacit_reader_end(&r));
	TRY(version != SAVED_VERSION ? TACIT_E_UNSUPPORTED : TACIT_OK);
	TRY(tacit_buf_append(&k->message, message));
	size_t n = kem_sk_bytes(k, &err);
	TRY(err);
	bool fits = n == c->suite->kem_sk_bytes && init.n == n && leaf.n == n;
	TRY(fits ? TACIT_OK : TACIT_E_MALFORMED);
	memcpy(k->secrets.init_sk, init.p, n);
	memcpy(k->secrets.encryption_sk, leaf.p, n);
	*out = k;
	k = NULL;
out:
	tmls_key_package_free(k);
	return tmls_result_of(err);
}
