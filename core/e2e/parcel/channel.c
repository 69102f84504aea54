#include "e2e/parcel/channel.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

#define VERSION 1

enum kind { KIND_PAKE = 1, KIND_CONFIRM = 2, KIND_HELLO = 3, KIND_RECORD = 4 };

void tacit_channel_clear(struct tacit_channel *c)
{
	tacit_aead_free(c->out);
	tacit_aead_free(c->in);
	tacit_wipe(c, sizeof(*c));
}

void tacit_channel_resume_id(
        const uint8_t root[TACIT_PARCEL_ROOT_BYTES], uint8_t out[TACIT_PARCEL_RESUME_BYTES])
{
	enum tacit_err err = tacit_derive(tacit_bytes(root, TACIT_PARCEL_ROOT_BYTES),
	        "tacit parcel resume id", out, TACIT_PARCEL_RESUME_BYTES);
	TACIT_ASSERT(err == TACIT_OK);
}

/* --- meeting --------------------------------------------------------------------------------- */

/* The nameplate as text. */
struct plate {
	char text[11];
	size_t n;
};

static struct plate plate_of(uint32_t n)
{
	struct plate p = {0};
	char digits[10];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	p.n = sizeof(digits) - at;
	memcpy(p.text, digits + at, p.n);
	return p;
}

/* On the wire: 0 sends, 1 receives; of a link 2 has the account, 3 gets it. */
static uint8_t part_of(const struct tacit_channel *c)
{
	return (uint8_t)(2 * c->purpose + c->role);
}

static enum tacit_err append_pake(const struct tacit_channel *c, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u8(&w, KIND_PAKE);
	tacit_write_u8(&w, VERSION);
	tacit_write_u8(&w, part_of(c));
	tacit_write_raw(&w, tacit_bytes(c->run.own, sizeof(c->run.own)));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_channel_meet(struct tacit_channel *c, const struct tacit_channel_meeting *m,
        const struct tacit_env *env, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t w[TACIT_P256_SCALAR_BYTES], message[TACIT_SPAKE2_MESSAGE_BYTES];
	const struct plate plate = plate_of(m->code->nameplate);
	tacit_channel_clear(c);
	c->role = m->role;
	c->place = m->place;
	c->purpose = m->purpose;
	c->code = *m->code;
	tacit_env_random(env, c->nonce, sizeof(c->nonce));
	tacit_spake2_scalar(tacit_cstr(c->code.secret), tacit_bytes(plate.text, plate.n), w);
	TRY(tacit_spake2_start(&c->run,
	        m->place == TACIT_PARCEL_OPENER ? TACIT_SPAKE2_A : TACIT_SPAKE2_B, w, env,
	        message));
	TRY(append_pake(c, out));
	c->state = TACIT_CHANNEL_PAKE;
out:
	tacit_wipe(w, sizeof(w));
	if (err != TACIT_OK)
		tacit_channel_clear(c);
	return err;
}

enum tacit_err tacit_channel_rejoin(struct tacit_channel *c,
        const uint8_t root[TACIT_PARCEL_ROOT_BYTES], enum tacit_parcel_role role,
        const struct tacit_env *env, struct tacit_buf *out)
{
	uint8_t kept[TACIT_PARCEL_ROOT_BYTES];
	struct tacit_writer w = tacit_writer(out);
	memcpy(kept, root, sizeof(kept)); /* it may be c's own */
	tacit_channel_clear(c);
	memcpy(c->root, kept, sizeof(c->root));
	tacit_wipe(kept, sizeof(kept));
	c->role = role;
	tacit_env_random(env, c->nonce, sizeof(c->nonce));
	tacit_write_u8(&w, KIND_HELLO);
	tacit_write_u8(&w, VERSION);
	tacit_write_u8(&w, (uint8_t)role);
	tacit_write_raw(&w, tacit_bytes(c->nonce, sizeof(c->nonce)));
	enum tacit_err err = tacit_writer_finish(&w);
	c->state = TACIT_CHANNEL_HELLO;
	if (err != TACIT_OK)
		tacit_channel_clear(c);
	return err;
}

/* --- what the peer answers ------------------------------------------------------------------- */

/* docs/protocol-transfer.md 15.3: keys of this connection. */
static enum tacit_err derive_keys(
        struct tacit_channel *c, const uint8_t peer_nonce[TACIT_PARCEL_NONCE_BYTES])
{
	enum tacit_err err;
	uint8_t salt[2 * TACIT_PARCEL_NONCE_BYTES], prk[TACIT_SHA256_BYTES];
	uint8_t from_sender[32], from_receiver[32];
	bool sends = c->role == TACIT_PARCEL_SENDER;
	memcpy(salt, sends ? c->nonce : peer_nonce, TACIT_PARCEL_NONCE_BYTES);
	memcpy(salt + TACIT_PARCEL_NONCE_BYTES, sends ? peer_nonce : c->nonce,
	        TACIT_PARCEL_NONCE_BYTES);
	tacit_hkdf_extract(TACIT_SHA256, tacit_bytes(salt, sizeof(salt)),
	        tacit_bytes(c->root, sizeof(c->root)), prk);
	TRY(tacit_hkdf_expand(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)),
	        TACIT_STR("tacit parcel sender to receiver"), from_sender, sizeof(from_sender)));
	TRY(tacit_hkdf_expand(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)),
	        TACIT_STR("tacit parcel receiver to sender"), from_receiver,
	        sizeof(from_receiver)));
	TRY(tacit_hkdf_expand(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)),
	        TACIT_STR("tacit parcel binding"), c->binding, sizeof(c->binding)));
	TRY(tacit_aead_new(TACIT_AES256_GCM, sends ? from_sender : from_receiver, &c->out));
	TRY(tacit_aead_new(TACIT_AES256_GCM, sends ? from_receiver : from_sender, &c->in));
	c->sent = c->received = 0;
	c->state = TACIT_CHANNEL_OPEN;
out:
	tacit_wipe(prk, sizeof(prk));
	tacit_wipe(from_sender, sizeof(from_sender));
	tacit_wipe(from_receiver, sizeof(from_receiver));
	return err;
}

static enum tacit_err read_begin(
        const struct tacit_channel *c, struct tacit_reader *r, enum kind kind)
{
	if (tacit_read_u8(r) != kind)
		return TACIT_E_MALFORMED;
	if (tacit_read_u8(r) != VERSION)
		return TACIT_E_UNSUPPORTED;
	uint8_t part = tacit_read_u8(r);
	if (part > 3)
		return TACIT_E_MALFORMED;
	return part == (part_of(c) ^ 1) ? TACIT_OK : TACIT_E_CONFLICT;
}

/* Who plays which part is bound into the confirmation. */
static struct tacit_bytes context_of(const struct tacit_channel *c)
{
	bool opener_sends = (c->place == TACIT_PARCEL_OPENER) == (c->role == TACIT_PARCEL_SENDER);
	if (c->purpose == TACIT_PARCEL_LINK)
		return opener_sends ? TACIT_STR("tacit link 1, opener grants")
		                    : TACIT_STR("tacit link 1, joiner grants");
	return opener_sends ? TACIT_STR("tacit parcel 1, opener sends")
	                    : TACIT_STR("tacit parcel 1, joiner sends");
}

static enum tacit_err take_pake(
        struct tacit_channel *c, struct tacit_bytes message, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(message);
	struct tacit_writer w = tacit_writer(out);
	uint8_t confirm[TACIT_SPAKE2_CONFIRM_BYTES];
	struct tacit_buf open = {0}, join = {0};
	const struct plate plate = plate_of(c->code.nameplate);
	TRY(read_begin(c, &r, KIND_PAKE));
	struct tacit_bytes point = tacit_read_view(&r, TACIT_SPAKE2_MESSAGE_BYTES);
	TRY(tacit_reader_end(&r));
	TRY(tacit_buf_printf(&open, "open %.*s", (int)plate.n, plate.text));
	TRY(tacit_buf_printf(&join, "join %.*s", (int)plate.n, plate.text));
	const struct tacit_spake2_ids ids = {
	        tacit_buf_view(&open), tacit_buf_view(&join), context_of(c)};
	TRY(tacit_spake2_finish(&c->run, &ids, point, confirm));
	tacit_write_u8(&w, KIND_CONFIRM);
	tacit_write_raw(&w, tacit_bytes(confirm, sizeof(confirm)));
	tacit_write_raw(&w, tacit_bytes(c->nonce, sizeof(c->nonce)));
	TRY(tacit_writer_finish(&w));
	tacit_wipe(&c->code, sizeof(c->code));
	c->state = TACIT_CHANNEL_CONFIRM;
out:
	tacit_buf_clear(&open);
	tacit_buf_clear(&join);
	return err;
}

static enum tacit_err take_confirm(struct tacit_channel *c, struct tacit_bytes message)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(message);
	uint8_t key[TACIT_SPAKE2_KEY_BYTES] = {0}, nonce[TACIT_PARCEL_NONCE_BYTES];
	if (tacit_read_u8(&r) != KIND_CONFIRM)
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	struct tacit_bytes confirm = tacit_read_view(&r, TACIT_SPAKE2_CONFIRM_BYTES);
	tacit_read_into(&r, nonce, sizeof(nonce));
	TRY(tacit_reader_end(&r));
	err = tacit_spake2_confirm(&c->run, confirm, key);
	if (err == TACIT_E_BAD_SEAL)
		err = TACIT_E_BAD_PASSWORD;
	TRY(err);
	TRY(tacit_derive(
	        tacit_bytes(key, sizeof(key)), "tacit parcel root", c->root, sizeof(c->root)));
	TRY(derive_keys(c, nonce));
out:
	tacit_wipe(key, sizeof(key));
	return err;
}

static enum tacit_err take_hello(struct tacit_channel *c, struct tacit_bytes message)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(message);
	uint8_t nonce[TACIT_PARCEL_NONCE_BYTES];
	TRY(read_begin(c, &r, KIND_HELLO));
	tacit_read_into(&r, nonce, sizeof(nonce));
	TRY(tacit_reader_end(&r));
	TRY(derive_keys(c, nonce));
out:
	return err;
}

enum tacit_err tacit_channel_greet(
        struct tacit_channel *c, struct tacit_bytes message, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_E_USAGE;
	if (c->state == TACIT_CHANNEL_PAKE)
		err = take_pake(c, message, out);
	else if (c->state == TACIT_CHANNEL_CONFIRM)
		err = take_confirm(c, message);
	else if (c->state == TACIT_CHANNEL_HELLO)
		err = take_hello(c, message);
	if (err != TACIT_OK)
		tacit_channel_clear(c);
	return err;
}

/* --- records --------------------------------------------------------------------------------- */

/* 0^4 || number (u64, big-endian). */
static void nonce_of(uint64_t number, uint8_t out[TACIT_AEAD_NONCE_BYTES])
{
	memset(out, 0, TACIT_AEAD_NONCE_BYTES);
	for (size_t i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(number >> (56 - 8 * i));
}

enum tacit_err tacit_channel_seal(
        struct tacit_channel *c, uint8_t type, struct tacit_bytes body, uint8_t *room)
{
	uint8_t nonce[TACIT_AEAD_NONCE_BYTES];
	if (c->state != TACIT_CHANNEL_OPEN)
		return TACIT_E_USAGE;
	if (body.n > TACIT_PARCEL_RECORD_BYTES)
		return TACIT_E_TOO_LARGE;
	if (body.n > 0 && body.p != room + 2)
		memmove(room + 2, body.p, body.n);
	room[0] = KIND_RECORD;
	room[1] = type;
	nonce_of(c->sent++, nonce);
	return tacit_aead_seal(
	        c->out, nonce, tacit_bytes(room, 1), tacit_bytes(room + 1, body.n + 1), room + 1);
}

enum tacit_err tacit_channel_open(struct tacit_channel *c, struct tacit_bytes message,
        uint8_t *room, uint8_t *type, struct tacit_bytes *body)
{
	enum tacit_err err;
	uint8_t nonce[TACIT_AEAD_NONCE_BYTES];
	*type = 0;
	*body = tacit_bytes(NULL, 0);
	TRY(c->state == TACIT_CHANNEL_OPEN ? TACIT_OK : TACIT_E_USAGE);
	TRY(message.n <= TACIT_PARCEL_MAX_MESSAGE ? TACIT_OK : TACIT_E_TOO_LARGE);
	TRY(message.n >= 2 + TACIT_AEAD_TAG_BYTES && message.p[0] == KIND_RECORD
	                ? TACIT_OK
	                : TACIT_E_MALFORMED);
	nonce_of(c->received++, nonce);
	TRY(tacit_aead_open(c->in, nonce, tacit_bytes(message.p, 1),
	        tacit_bytes(message.p + 1, message.n - 1), room));
	*type = room[0];
	*body = tacit_bytes(room + 1, message.n - 2 - TACIT_AEAD_TAG_BYTES);
out:
	if (err != TACIT_OK)
		tacit_channel_clear(c);
	return err;
}
