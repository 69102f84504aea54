#include "agent/meeting.h"

#include <string.h>

#include "base/reader.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

#define SECRET_BYTES 26 /* 35 characters of base64: what a parcel's secret has room for */
_Static_assert((SECRET_BYTES * 4 + 2) / 3 < TACIT_PARCEL_SECRET_ROOM, "it fits");

void meeting_clear(struct meeting *m)
{
	tacit_channel_clear(&m->channel);
	tacit_buf_clear(&m->first);
}

void meeting_make_code(const struct tacit_env *env, char out[MEETING_CODE_DIGITS + 1])
{
	uint32_t n;
	do
		tacit_env_random(env, &n, sizeof(n));
	while (n >= 4294u * 1000000u); /* uniform: beyond the last whole million, drawn again */
	for (size_t i = 0; i < MEETING_CODE_DIGITS; i++, n /= 10)
		out[i] = (char)('0' + n % 10);
	out[MEETING_CODE_DIGITS] = '\0';
}

uint32_t meeting_nameplate(struct tacit_bytes id)
{
	uint8_t hash[TACIT_SHA256_BYTES];
	tacit_sha256(id, hash);
	struct tacit_reader r = tacit_reader(tacit_bytes(hash, sizeof(hash)));
	return tacit_read_u32(&r) % TACIT_PARCEL_MAX_NAMEPLATE + 1;
}

/* Length before each part, so that no two pairs of password and code read the same. */
void meeting_derive(const struct meeting_secret *s, struct tacit_parcel_code *out)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t prk[TACIT_SHA256_BYTES], okm[SECRET_BYTES + 1] = {0};
	uint8_t length[4] = {(uint8_t)(s->password.n >> 24), (uint8_t)(s->password.n >> 16),
	        (uint8_t)(s->password.n >> 8), (uint8_t)s->password.n};
	const struct tacit_bytes parts[] = {
	        tacit_bytes(length, sizeof(length)), s->password, s->verification_code};
	*out = (struct tacit_parcel_code){0};
	tacit_hmac_parts(TACIT_SHA256, s->session, parts, TACIT_COUNT(parts), prk);
	enum tacit_err err = tacit_hkdf_expand(TACIT_SHA256, tacit_bytes(prk, sizeof(prk)),
	        TACIT_STR("tacit agent session code"), okm, SECRET_BYTES);
	TACIT_ASSERT(err == TACIT_OK);
	for (size_t i = 0; i < SECRET_BYTES * 8 / 6; i++) {
		size_t bit = 6 * i;
		unsigned two = (unsigned)okm[bit / 8] << 8 | okm[bit / 8 + 1];
		out->secret[i] = digits[two >> (10 - bit % 8) & 63];
	}
	out->nameplate = meeting_nameplate(s->session);
	tacit_wipe(prk, sizeof(prk));
	tacit_wipe(okm, sizeof(okm));
}

void meeting_relay_id(struct tacit_bytes session, uint8_t out[MEETING_RELAY_ID_BYTES])
{
	enum tacit_err err =
	        tacit_derive(session, "tacit agent session relay id", out, MEETING_RELAY_ID_BYTES);
	TACIT_ASSERT(err == TACIT_OK);
}

enum tacit_err meeting_begin(struct meeting *m, const struct tacit_parcel_code *code,
        enum tacit_parcel_place place, const struct tacit_env *env)
{
	const struct tacit_channel_meeting how = {
	        .code = code,
	        .role = place == TACIT_PARCEL_OPENER ? TACIT_PARCEL_SENDER : TACIT_PARCEL_RECEIVER,
	        .place = place,
	};
	meeting_clear(m);
	return tacit_channel_meet(&m->channel, &how, env, &m->first);
}

enum tacit_err meeting_within(
        struct meeting *opener, struct meeting *joiner, uint8_t root[TACIT_PARCEL_ROOT_BYTES])
{
	enum tacit_err err;
	struct tacit_buf from_opener = {0}, from_joiner = {0}, none = {0};
	TRY(tacit_channel_greet(&opener->channel, tacit_buf_view(&joiner->first), &from_opener));
	TRY(tacit_channel_greet(&joiner->channel, tacit_buf_view(&opener->first), &from_joiner));
	TRY(tacit_channel_greet(&opener->channel, tacit_buf_view(&from_joiner), &none));
	TRY(tacit_channel_greet(&joiner->channel, tacit_buf_view(&from_opener), &none));
	memcpy(root, opener->channel.root, TACIT_PARCEL_ROOT_BYTES);
out:
	tacit_buf_clear(&from_opener);
	tacit_buf_clear(&from_joiner);
	tacit_buf_clear(&none);
	return err;
}
