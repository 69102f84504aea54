#include "e2e/parcel/card.h"

#include "base/reader.h"
#include "base/writer.h"
#include "wire/limits.h"
#include "wire/names.h"

#define VERSION 1
#define LABEL "tacit parcel card v1"

static bool is_server(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return text.n > 0 && text.n <= TACIT_PARCEL_MAX_SERVER;
}

/* What the account key signs: each part behind its length. No other thing that it signs begins so
 * (wire/device.h), or is as long (wire/signed_request.h). */
static enum tacit_err signed_part(const struct tacit_parcel_card *c,
        const struct tacit_parcel_seat *seat, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_vec8(&w, TACIT_STR(LABEL));
	tacit_write_u8(&w, (uint8_t)seat->role);
	tacit_write_vec8(&w, tacit_bytes(seat->binding, TACIT_PARCEL_BINDING_BYTES));
	tacit_write_vec8(&w, c->server);
	tacit_write_vec8(&w, c->username);
	tacit_write_vec8(&w, tacit_bytes(c->key.b, sizeof(c->key.b)));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_parcel_card_make(const struct tacit_parcel_card *c,
        const struct tacit_parcel_seat *seat, const struct tacit_sign_sk *account_sk,
        struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_signature signature;
	struct tacit_writer w = tacit_writer(out);
	if (!is_server(c->server) || !tacit_username_valid(c->username))
		return TACIT_E_USAGE;
	TRY(signed_part(c, seat, &text));
	tacit_sign(account_sk, tacit_buf_view(&text), &signature);
	tacit_write_u8(&w, VERSION);
	tacit_write_vec8(&w, c->server);
	tacit_write_vec8(&w, c->username);
	tacit_write_raw(&w, tacit_bytes(c->key.b, sizeof(c->key.b)));
	tacit_write_raw(&w, tacit_bytes(signature.b, sizeof(signature.b)));
	TRY(tacit_writer_finish(&w));
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err tacit_parcel_card_open(
        struct tacit_bytes in, const struct tacit_parcel_seat *seat, struct tacit_parcel_card *out)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	struct tacit_signature signature;
	struct tacit_reader r = tacit_reader(in);
	*out = (struct tacit_parcel_card){0};
	if (tacit_read_u8(&r) != VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	out->server = tacit_read_vec8(&r, TACIT_PARCEL_MAX_SERVER);
	out->username = tacit_read_vec8(&r, TACIT_MAX_USERNAME);
	tacit_read_into(&r, out->key.b, sizeof(out->key.b));
	tacit_read_into(&r, signature.b, sizeof(signature.b));
	TRY(tacit_reader_end(&r));
	TRY(is_server(out->server) && tacit_username_valid(out->username) ? TACIT_OK
	                                                                  : TACIT_E_MALFORMED);
	TRY(signed_part(out, seat, &text));
	TRY(tacit_sign_verify(&out->key, tacit_buf_view(&text), &signature));
out:
	if (err != TACIT_OK)
		*out = (struct tacit_parcel_card){0};
	tacit_buf_clear(&text);
	return err;
}
