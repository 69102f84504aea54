#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/framing.h"
#include "e2e/mls/limits.h"

#define REUSE_GUARD_BYTES 4
#define SENDER_DATA_BYTES (4 + 4 + REUSE_GUARD_BYTES)
/* What a message has beside what is authenticated and what is sealed: its header, lengths, sender
 * data and tags; rounded up. */
#define AROUND_BYTES 128

struct sender_data {
	uint32_t leaf, generation;
	uint8_t reuse_guard[REUSE_GUARD_BYTES];
};

void tacit_mls_read_private_message(struct tacit_reader *r, struct tacit_mls_private_message *out)
{
	out->group_id = tacit_mls_read_vec(r);
	out->epoch = tacit_read_u64(r);
	out->content_type = tacit_read_u8(r);
	if (out->content_type < TACIT_MLS_CONTENT_APPLICATION ||
	        out->content_type > TACIT_MLS_CONTENT_COMMIT)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	out->authenticated_data = tacit_mls_read_vec(r);
	out->encrypted_sender_data = tacit_mls_read_vec(r);
	out->ciphertext = tacit_mls_read_vec(r);
}

void tacit_mls_write_private_message(
        struct tacit_writer *w, const struct tacit_mls_private_message *m)
{
	tacit_mls_write_vec(w, m->group_id);
	tacit_write_u64(w, m->epoch);
	tacit_write_u8(w, m->content_type);
	tacit_mls_write_vec(w, m->authenticated_data);
	tacit_mls_write_vec(w, m->encrypted_sender_data);
	tacit_mls_write_vec(w, m->ciphertext);
}

enum tacit_err tacit_mls_sender_data_key(const struct tacit_mls_suite *s,
        const uint8_t *sender_data_secret, struct tacit_bytes ciphertext,
        struct tacit_mls_sender_data_key *out)
{
	enum tacit_err err;
	struct tacit_bytes sample = tacit_bytes_part(ciphertext, 0, s->hash_bytes);
	TRY(tacit_mls_expand(s, sender_data_secret, TACIT_STR("key"), sample,
	        (struct tacit_room){out->key, s->key_bytes}));
	TRY(tacit_mls_expand(s, sender_data_secret, TACIT_STR("nonce"), sample,
	        (struct tacit_room){out->nonce, sizeof(out->nonce)}));
out:
	if (err != TACIT_OK)
		tacit_wipe(out, sizeof(*out));
	return err;
}

/* SenderDataAAD, and with the authenticated data PrivateContentAAD. */
static enum tacit_err write_aad(
        const struct tacit_mls_private_message *m, bool content, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_write_vec(&w, m->group_id);
	tacit_write_u64(&w, m->epoch);
	tacit_write_u8(&w, m->content_type);
	if (content)
		tacit_mls_write_vec(&w, m->authenticated_data);
	return tacit_writer_finish(&w);
}

/* 6.3.1: the guard keeps the nonce from being used twice when a state was lost. */
static void guard_nonce(struct tacit_mls_message_key *key, const uint8_t *guard)
{
	for (size_t i = 0; i < REUSE_GUARD_BYTES; i++)
		key->nonce[i] ^= guard[i];
}

static enum tacit_err seal_sender_data(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_private_message *m, const struct sender_data *d,
        uint8_t out[SENDER_DATA_BYTES + TACIT_MLS_TAG_BYTES])
{
	enum tacit_err err;
	struct tacit_buf aad = {0};
	struct tacit_buf plain = {0};
	struct tacit_mls_sender_data_key key = {0};
	struct tacit_writer w = tacit_writer(&plain);
	tacit_write_u32(&w, d->leaf);
	tacit_write_u32(&w, d->generation);
	tacit_write_raw(&w, tacit_bytes(d->reuse_guard, sizeof(d->reuse_guard)));
	TRY(tacit_writer_finish(&w));
	TRY(write_aad(m, false, &aad));
	TRY(tacit_mls_sender_data_key(k->suite, k->sender_data_secret, m->ciphertext, &key));
	TRY(tacit_aead_seal_once(k->suite->aead, key.key, key.nonce, tacit_buf_view(&aad),
	        tacit_buf_view(&plain), out));
out:
	tacit_wipe(&key, sizeof(key));
	tacit_buf_clear(&aad);
	tacit_buf_clear(&plain);
	return err;
}

static enum tacit_err open_sender_data(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_private_message *m, struct sender_data *out)
{
	if (m->encrypted_sender_data.n != SENDER_DATA_BYTES + TACIT_MLS_TAG_BYTES)
		return TACIT_E_BAD_SEAL;
	enum tacit_err err;
	struct tacit_buf aad = {0};
	struct tacit_mls_sender_data_key key = {0};
	uint8_t plain[SENDER_DATA_BYTES] = {0};
	TRY(write_aad(m, false, &aad));
	TRY(tacit_mls_sender_data_key(k->suite, k->sender_data_secret, m->ciphertext, &key));
	TRY(tacit_aead_open_once(k->suite->aead, key.key, key.nonce, tacit_buf_view(&aad),
	        m->encrypted_sender_data, plain));
	struct tacit_reader r = tacit_reader(tacit_bytes(plain, sizeof(plain)));
	out->leaf = tacit_read_u32(&r);
	out->generation = tacit_read_u32(&r);
	tacit_read_into(&r, out->reuse_guard, sizeof(out->reuse_guard));
	TRY(tacit_reader_end(&r));
out:
	tacit_wipe(&key, sizeof(key));
	tacit_buf_clear(&aad);
	return err;
}

/* PrivateMessageContent, no more than most bytes. Replaces out. */
static enum tacit_err write_plain(
        const struct tacit_mls_authenticated *a, size_t pad_to, size_t most, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_writer w = tacit_writer(out);
	TRY(a->framed.content.n > most ? TACIT_E_TOO_LARGE : TACIT_OK);
	tacit_mls_write_content(&w, a->framed.content_type, a->framed.content);
	tacit_mls_write_auth_data(&w, a);
	TRY(tacit_writer_finish(&w));
	size_t padding = pad_to > 1 ? (pad_to - out->n % pad_to) % pad_to : 0;
	TRY(out->n > most || padding > most - out->n ? TACIT_E_TOO_LARGE : TACIT_OK);
	TRY(tacit_buf_reserve(out, padding + TACIT_MLS_TAG_BYTES));
	memset(out->p + out->n, 0, padding);
	out->n += padding;
out:
	return err;
}

static enum tacit_mls_ratchet ratchet_for(uint8_t content_type)
{
	return content_type == TACIT_MLS_CONTENT_APPLICATION ? TACIT_MLS_APPLICATION
	                                                     : TACIT_MLS_HANDSHAKE;
}

enum tacit_err tacit_mls_private_protect(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_authenticated *a, size_t pad_to, const struct tacit_env *env,
        struct tacit_buf *out)
{
	const struct tacit_mls_framed_content *c = &a->framed;
	if (c->sender.type != TACIT_MLS_SENDER_MEMBER)
		return TACIT_E_USAGE;
	enum tacit_err err;
	struct tacit_buf plain = {0};
	struct tacit_buf aad = {0};
	struct tacit_mls_message_key key = {0};
	uint8_t sealed_data[SENDER_DATA_BYTES + TACIT_MLS_TAG_BYTES];
	struct tacit_mls_private_message m = {.group_id = c->group_id,
	        .epoch = c->epoch,
	        .content_type = c->content_type,
	        .authenticated_data = c->authenticated_data};
	struct sender_data d = {.leaf = c->sender.index};
	const size_t most = TACIT_MLS_MESSAGE_MAX_BYTES - AROUND_BYTES;
	TRY(write_aad(&m, true, &aad));
	TRY(aad.n > most ? TACIT_E_TOO_LARGE : TACIT_OK);
	TRY(write_plain(a, pad_to, most - aad.n, &plain));
	TRY(tacit_mls_secret_tree_next(k->tree,
	        (struct tacit_mls_key_place){d.leaf, ratchet_for(c->content_type), 0}, &key));
	d.generation = key.generation;
	tacit_env_random(env, d.reuse_guard, sizeof(d.reuse_guard));
	guard_nonce(&key, d.reuse_guard);
	TRY(tacit_aead_seal_once(k->suite->aead, key.key, key.nonce, tacit_buf_view(&aad),
	        tacit_buf_view(&plain), plain.p)); /* in place: write_plain left room for a tag */
	m.ciphertext = tacit_bytes(plain.p, plain.n + TACIT_MLS_TAG_BYTES);
	TRY(seal_sender_data(k, &m, &d, sealed_data));
	m.encrypted_sender_data = tacit_bytes(sealed_data, sizeof(sealed_data));
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_write_private_message(&w, &m);
	TRY(tacit_writer_finish(&w));
	tacit_mls_secret_tree_accept(k->tree, &key);
out:
	tacit_mls_message_key_clear(&key);
	tacit_buf_clear(&plain);
	tacit_buf_clear(&aad);
	return err;
}

static enum tacit_err read_plain(struct tacit_bytes plain, struct tacit_mls_authenticated *a)
{
	struct tacit_reader r = tacit_reader(plain);
	tacit_mls_read_content(&r, a->framed.content_type, &a->framed.content);
	tacit_mls_read_auth_data(&r, a);
	uint8_t any = 0;
	for (size_t i = 0; i < r.rest.n; i++)
		any |= r.rest.p[i];
	if (any != 0)
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	return r.err;
}

static enum tacit_err open_content(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_private_message *m, const struct sender_data *d,
        struct tacit_mls_opened *out)
{
	enum tacit_err err;
	struct tacit_buf aad = {0};
	TRY(m->ciphertext.n < TACIT_MLS_TAG_BYTES ? TACIT_E_BAD_SEAL : TACIT_OK);
	TRY(tacit_mls_secret_tree_find(k->tree,
	        (struct tacit_mls_key_place){d->leaf, ratchet_for(m->content_type), d->generation},
	        &out->key));
	guard_nonce(&out->key, d->reuse_guard);
	TRY(write_aad(m, true, &aad));
	TRY(tacit_buf_reserve(&out->plain, m->ciphertext.n));
	TRY(tacit_aead_open_once(k->suite->aead, out->key.key, out->key.nonce, tacit_buf_view(&aad),
	        m->ciphertext, out->plain.p));
	out->plain.n = m->ciphertext.n - TACIT_MLS_TAG_BYTES;
out:
	tacit_buf_clear(&aad);
	return err;
}

enum tacit_err tacit_mls_private_open(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_private_message *m, struct tacit_mls_opened *out)
{
	enum tacit_err err;
	struct sender_data d = {0};
	*out = (struct tacit_mls_opened){0};
	TRY(open_sender_data(k, m, &d));
	out->sender_known = true;
	out->sender = d.leaf;
	TRY(open_content(k, m, &d, out));
	out->content.wire_format = TACIT_MLS_PRIVATE_MESSAGE;
	out->content.framed = (struct tacit_mls_framed_content){.group_id = m->group_id,
	        .epoch = m->epoch,
	        .sender = {TACIT_MLS_SENDER_MEMBER, d.leaf},
	        .authenticated_data = m->authenticated_data,
	        .content_type = m->content_type};
	TRY(read_plain(tacit_buf_view(&out->plain), &out->content));
out:
	if (err != TACIT_OK)
		tacit_mls_opened_clear(out);
	return err;
}

void tacit_mls_opened_clear(struct tacit_mls_opened *o)
{
	tacit_mls_message_key_clear(&o->key);
	tacit_buf_clear(&o->plain);
	o->content = (struct tacit_mls_authenticated){0};
}
