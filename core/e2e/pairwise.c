/* Invariants, which every path below keeps:
 *  - protect: an order is given out once. g advances only when the message is complete, and never
 *    goes back but by unsend, for that very message.
 *  - unprotect: nothing of a message is looked at for meaning before its signature was found good,
 *    and nothing is opened before its place in the sender's row was. All that can fail comes before
 *    the state changes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/hpke.h"
#include "e2e/pairwise_int.h"
#include "wire/envelope.h"

#define MESSAGE_LABEL "tacit message v1"
#define KEY_LABEL "tacit message key v1"
#define MESSAGE_KEY_BYTES 32
#define COMMITMENT_BYTES 32
#define CIPHER_OVERHEAD (COMMITMENT_BYTES + TACIT_AEAD_TAG_BYTES)

static_assert(TACIT_MAX_RECIPIENTS <= UINT16_MAX, "counts are written in two bytes");

/* What the HPKE seal of a message key is bound to: the header and who opens it. */
struct binding {
	uint8_t b[TACIT_ENVELOPE_HEADER_BYTES + TACIT_SIGN_PUBLIC_BYTES + TACIT_DEVICE_ID_BYTES];
};

/* From the message key: the key of the content, and a commitment to it. AES-GCM alone commits to no
 * key: one ciphertext can be made that opens under two, and the sender could show each recipient
 * another message. */
struct message_keys {
	uint8_t content[32];
	uint8_t commitment[COMMITMENT_BYTES];
};

struct entry {
	uint8_t tag[TACIT_RECIPIENT_TAG_BYTES];
	const struct tacit_leaf *leaf;
};

static const uint8_t one_time_nonce[TACIT_AEAD_NONCE_BYTES]; /* each message key is used once */

static enum tacit_err derive_keys(const uint8_t *message_key, struct message_keys *out)
{
	uint8_t okm[sizeof(*out)] = {0};
	enum tacit_err err = tacit_derive(
	        tacit_bytes(message_key, MESSAGE_KEY_BYTES), MESSAGE_LABEL, okm, sizeof(okm));
	memcpy(out->content, okm, sizeof(out->content));
	memcpy(out->commitment, okm + sizeof(out->content), sizeof(out->commitment));
	tacit_wipe(okm, sizeof(okm));
	return err;
}

static struct binding binding_of(const uint8_t header[TACIT_ENVELOPE_HEADER_BYTES],
        const struct tacit_sign_public *account, const struct tacit_device_id *device)
{
	struct binding b;
	uint8_t *p = b.b;
	memcpy(p, header, TACIT_ENVELOPE_HEADER_BYTES);
	p += TACIT_ENVELOPE_HEADER_BYTES;
	memcpy(p, account->b, sizeof(account->b));
	memcpy(p + sizeof(account->b), device->b, sizeof(device->b));
	return b;
}

static bool is_self(const struct tacit_self *self, const struct tacit_sign_public *account,
        const struct tacit_device_id *device)
{
	const struct tacit_sign_public *own = &self->account->public;
	return tacit_bytes_eq(tacit_bytes(own->b, sizeof(own->b)),
	               tacit_bytes(account->b, sizeof(account->b))) &&
	       tacit_bytes_eq(tacit_bytes(self->device.b, sizeof(self->device.b)),
	               tacit_bytes(device->b, sizeof(device->b)));
}

static int by_tag(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	for (size_t i = 0; i < sizeof(x->tag); i++)
		if (x->tag[i] != y->tag[i])
			return x->tag[i] < y->tag[i] ? -1 : 1;
	return 0;
}

/* Everyone but this device, in the order of the tags. Fails: USAGE (a leaf twice), NO_DEVICE. */
static enum tacit_err list_entries(const struct tacit_roster *to, const struct tacit_self *self,
        struct entry *entries, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < to->count; i++) {
		const struct tacit_leaf *leaf = &to->leaves[i];
		if (is_self(self, &leaf->account, &leaf->device.id))
			continue;
		struct entry *e = &entries[(*count)++];
		e->leaf = leaf;
		tacit_envelope_tag(&leaf->account, &leaf->device.id, e->tag);
	}
	if (*count == 0)
		return TACIT_E_NO_DEVICE;
	qsort(entries, *count, sizeof(*entries), by_tag);
	for (size_t i = 1; i < *count; i++)
		if (by_tag(&entries[i - 1], &entries[i]) == 0)
			return TACIT_E_USAGE;
	return TACIT_OK;
}

/* The message key for one device. */
static enum tacit_err seal_key(const struct entry *to, const uint8_t *header,
        const uint8_t *message_key, const struct tacit_env *env, struct tacit_recipient *out)
{
	enum tacit_err err;
	struct tacit_buf enc = {0};
	struct tacit_buf sealed = {0};
	struct binding aad = binding_of(header, &to->leaf->account, &to->leaf->device.id);
	TRY(tacit_hpke_seal_once(TACIT_HPKE_DEFAULT,
	        tacit_bytes(to->leaf->device.hpke_public, TACIT_HPKE_PUBLIC_BYTES),
	        TACIT_STR(KEY_LABEL), tacit_bytes(aad.b, sizeof(aad.b)),
	        tacit_bytes(message_key, MESSAGE_KEY_BYTES), env, &enc, &sealed));
	TACIT_ASSERT(enc.n == sizeof(out->enc) && sealed.n == sizeof(out->sealed_key));
	memcpy(out->tag, to->tag, sizeof(out->tag));
	memcpy(out->enc, enc.p, enc.n);
	memcpy(out->sealed_key, sealed.p, sealed.n);
out:
	tacit_buf_clear(&enc);
	tacit_buf_clear(&sealed);
	return err;
}

static enum tacit_err seal_keys(const struct entry *entries, size_t entry_count,
        const uint8_t *header, const uint8_t *message_key, const struct tacit_env *env,
        struct tacit_recipient *out, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < entry_count; i++) {
		enum tacit_err err = seal_key(&entries[i], header, message_key, env, &out[*count]);
		if (err == TACIT_E_MALFORMED) /* a key that is none: group.h */
			continue;
		if (err != TACIT_OK)
			return err;
		(*count)++;
	}
	return *count > 0 ? TACIT_OK : TACIT_E_NO_DEVICE;
}

static enum tacit_err seal_content(const uint8_t *message_key, const uint8_t *header,
        struct tacit_bytes plain, struct tacit_buf *out)
{
	enum tacit_err err;
	struct message_keys keys;
	TRY(derive_keys(message_key, &keys));
	TRY(tacit_buf_reserve(out, plain.n + CIPHER_OVERHEAD));
	memcpy(out->p, keys.commitment, COMMITMENT_BYTES);
	TRY(tacit_aead_seal_once(TACIT_AES256_GCM, keys.content, one_time_nonce,
	        tacit_bytes(header, TACIT_ENVELOPE_HEADER_BYTES), plain,
	        out->p + COMMITMENT_BYTES));
	out->n = plain.n + CIPHER_OVERHEAD;
out:
	tacit_wipe(&keys, sizeof(keys));
	return err;
}

static enum tacit_err append_signed(const struct tacit_envelope *e, const struct tacit_sign_sk *sk,
        struct tacit_buf *out, uint8_t hash[TACIT_SHA256_BYTES])
{
	enum tacit_err err;
	size_t start = out->n;
	struct tacit_signature signature;
	TRY(tacit_envelope_encode(e, out));
	tacit_sign(sk, tacit_bytes(out->p + start, out->n - start), &signature);
	TRY(tacit_buf_append(out, tacit_bytes(signature.b, sizeof(signature.b))));
	TRY(tacit_hash(TACIT_SHA256, tacit_bytes(out->p + start, out->n - start), hash));
out:
	if (err != TACIT_OK)
		out->n = start;
	return err;
}

static void advance_own(struct tacit_group *g, const uint8_t hash[TACIT_SHA256_BYTES])
{
	memcpy(g->before, g->previous, sizeof(g->before));
	memcpy(g->previous, hash, sizeof(g->previous));
	g->order++;
	g->can_unsend = true;
}

static enum tacit_err protect(struct tacit_group *g, const struct tacit_self *self,
        const struct tacit_roster *to, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_buf *out)
{
	if (to->count > TACIT_MAX_RECIPIENTS || plain.n > TACIT_MAX_CONTENT)
		return TACIT_E_TOO_LARGE;
	if (g->order >= TACIT_MAX_INTEGER)
		return TACIT_E_EXHAUSTED;
	enum tacit_err err;
	struct tacit_envelope e = {.conversation = g->conversation,
	        .sender = self->account->public,
	        .device = self->device,
	        .order = g->order + 1};
	struct tacit_buf content = {0};
	size_t entry_count;
	uint8_t header[TACIT_ENVELOPE_HEADER_BYTES];
	uint8_t hash[TACIT_SHA256_BYTES];
	uint8_t message_key[MESSAGE_KEY_BYTES] = {0};
	struct entry *entries = tacit_calloc(to->count, sizeof(*entries));
	struct tacit_recipient *recipients = tacit_calloc(to->count, sizeof(*recipients));
	TRY(entries != NULL && recipients != NULL ? TACIT_OK : TACIT_E_NOMEM);
	memcpy(e.previous, g->previous, sizeof(e.previous));
	tacit_envelope_header(&e, header);
	TRY(list_entries(to, self, entries, &entry_count));
	tacit_env_random(env, message_key, sizeof(message_key));
	TRY(seal_content(message_key, header, plain, &content));
	TRY(seal_keys(
	        entries, entry_count, header, message_key, env, recipients, &e.recipient_count));
	e.recipients = recipients;
	e.ciphertext = tacit_buf_view(&content);
	TRY(append_signed(&e, tacit_account_sk(self->account), out, hash));
	advance_own(g, hash);
out:
	tacit_wipe(message_key, sizeof(message_key));
	tacit_buf_clear(&content);
	tacit_free(entries);
	tacit_free(recipients);
	return err;
}

static enum tacit_err unsend(struct tacit_group *g, struct tacit_bytes message)
{
	uint8_t hash[TACIT_SHA256_BYTES];
	enum tacit_err err = tacit_hash(TACIT_SHA256, message, hash);
	if (err != TACIT_OK)
		return err;
	if (!g->can_unsend || !tacit_bytes_eq(tacit_bytes(hash, sizeof(hash)),
	                              tacit_bytes(g->previous, sizeof(g->previous))))
		return TACIT_E_CONFLICT;
	memcpy(g->previous, g->before, sizeof(g->previous));
	g->order--;
	g->can_unsend = false;
	return TACIT_OK;
}

static bool is_member(const struct tacit_sign_public *members, size_t count,
        const struct tacit_sign_public *account)
{
	for (size_t i = 0; i < count; i++)
		if (tacit_bytes_eq(tacit_bytes(members[i].b, sizeof(members[i].b)),
		            tacit_bytes(account->b, sizeof(account->b))))
			return true;
	return false;
}

/* A message of this very device, back from the server. Its plaintext is not in it for us. */
static enum tacit_err take_own(struct tacit_group *g, const struct tacit_envelope *e,
        const uint8_t hash[TACIT_SHA256_BYTES])
{
	bool newest = tacit_bytes_eq(tacit_bytes(hash, TACIT_SHA256_BYTES),
	        tacit_bytes(g->previous, sizeof(g->previous)));
	if (e->order == g->order && !newest)
		return TACIT_E_ORDER_CHANGED;
	if (e->order > g->order) {
		g->order = e->order;
		memcpy(g->previous, hash, sizeof(g->previous));
		g->can_unsend = false;
	}
	return TACIT_OK;
}

/* Fails: WRONG_RECIPIENT, BAD_SEAL, NOMEM, CRYPTO. */
static enum tacit_err open_key(const struct tacit_envelope *e, const struct tacit_self *self,
        uint8_t message_key[MESSAGE_KEY_BYTES])
{
	uint8_t tag[TACIT_RECIPIENT_TAG_BYTES];
	struct tacit_recipient r;
	tacit_envelope_tag(&self->account->public, &self->device, tag);
	if (!tacit_envelope_find(e, tag, &r))
		return TACIT_E_WRONG_RECIPIENT;
	enum tacit_err err;
	struct tacit_buf key = {0};
	struct binding aad = binding_of(e->signed_part.p, &self->account->public, &self->device);
	TRY(tacit_hpke_open_once(TACIT_HPKE_DEFAULT, tacit_bytes(r.enc, sizeof(r.enc)),
	        tacit_bytes(self->hpke_sk, TACIT_HPKE_PUBLIC_BYTES), TACIT_STR(KEY_LABEL),
	        tacit_bytes(aad.b, sizeof(aad.b)), tacit_bytes(r.sealed_key, sizeof(r.sealed_key)),
	        &key));
	TACIT_ASSERT(key.n == MESSAGE_KEY_BYTES);
	memcpy(message_key, key.p, MESSAGE_KEY_BYTES);
out:
	tacit_buf_clear(&key);
	/* An enc that is no point is the sender's lie like any other wrong seal. */
	return err == TACIT_E_MALFORMED ? TACIT_E_BAD_SEAL : err;
}

static enum tacit_err open_content(
        const uint8_t *message_key, const struct tacit_envelope *e, struct tacit_buf *plain)
{
	if (e->ciphertext.n < CIPHER_OVERHEAD)
		return TACIT_E_BAD_SEAL;
	enum tacit_err err;
	struct message_keys keys;
	struct tacit_bytes sealed =
	        tacit_bytes_part(e->ciphertext, COMMITMENT_BYTES, e->ciphertext.n);
	TRY(derive_keys(message_key, &keys));
	if (!tacit_ct_eq(tacit_bytes(keys.commitment, COMMITMENT_BYTES),
	            tacit_bytes_part(e->ciphertext, 0, COMMITMENT_BYTES)))
		TRY(TACIT_E_BAD_SEAL);
	TRY(tacit_buf_reserve(plain, sealed.n));
	TRY(tacit_aead_open_once(TACIT_AES256_GCM, keys.content, one_time_nonce,
	        tacit_bytes_part(e->signed_part, 0, TACIT_ENVELOPE_HEADER_BYTES), sealed,
	        plain->p + plain->n));
	plain->n += sealed.n - TACIT_AEAD_TAG_BYTES;
out:
	tacit_wipe(&keys, sizeof(keys));
	return err;
}

static enum tacit_err open_sealed(
        const struct tacit_envelope *e, const struct tacit_self *self, struct tacit_buf *plain)
{
	enum tacit_err err;
	uint8_t message_key[MESSAGE_KEY_BYTES] = {0};
	TRY(open_key(e, self, message_key));
	TRY(open_content(message_key, e, plain));
out:
	tacit_wipe(message_key, sizeof(message_key));
	return err;
}

/* A message of another device, whose signature is good. */
static enum tacit_err take_other(struct tacit_group *g, const struct tacit_self *self,
        const struct tacit_envelope *e, const uint8_t hash[TACIT_SHA256_BYTES], uint64_t *missing,
        struct tacit_buf *plain)
{
	enum tacit_err err;
	bool known;
	size_t at = tacit_pairwise_place(g, &e->sender, &e->device, &known);
	if (known)
		TRY(tacit_pairwise_judge(&g->senders[at], e->order, e->previous, hash, missing));
	else
		TRY(tacit_pairwise_make_room(g, &e->sender));
	err = open_sealed(e, self, plain);
	if (err != TACIT_OK && err != TACIT_E_WRONG_RECIPIENT)
		goto out;
	struct sender *s = &g->senders[at];
	if (!known) {
		memmove(s + 1, s, (g->count - at) * sizeof(*s));
		*s = (struct sender){.account = e->sender, .device = e->device};
		g->count++;
	}
	tacit_pairwise_advance(s, e->order, hash);
out:
	return err;
}

static enum tacit_err unprotect(struct tacit_group *g, const struct tacit_self *self,
        const struct tacit_sign_public *members, size_t member_count, struct tacit_bytes message,
        struct tacit_opened *opened, struct tacit_buf *plain)
{
	*opened = (struct tacit_opened){0};
	enum tacit_err err;
	struct tacit_envelope e;
	uint64_t missing = 0;
	uint8_t hash[TACIT_SHA256_BYTES];
	TRY(tacit_envelope_decode(message, &e));
	if (e.conversation != g->conversation)
		return TACIT_E_WRONG_RECIPIENT;
	if (!is_member(members, member_count, &e.sender))
		return TACIT_E_UNKNOWN_SENDER;
	TRY(tacit_sign_verify(&e.sender, e.signed_part, &e.signature));
	TRY(tacit_hash(TACIT_SHA256, message, hash));
	*opened = (struct tacit_opened){.sender = e.sender, .device = e.device, .order = e.order};
	if (is_self(self, &e.sender, &e.device)) {
		TRY(take_own(g, &e, hash));
		opened->own = true;
	} else {
		TRY(take_other(g, self, &e, hash, &missing, plain));
		opened->missing = missing;
	}
out:
	return err;
}

const struct tacit_group_ops tacit_pairwise = {
        .name = "pairwise",
        .create = tacit_pairwise_create,
        .load = tacit_pairwise_load,
        .serialise = tacit_pairwise_serialise,
        .destroy = tacit_pairwise_destroy,
        .protect = protect,
        .unsend = unsend,
        .unprotect = unprotect,
};
