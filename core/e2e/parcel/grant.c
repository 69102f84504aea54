#include "e2e/parcel/grant.h"

#include "base/reader.h"
#include "base/writer.h"
#include "wire/limits.h"
#include "wire/names.h"

#define VERSION 1
#define MAX_SERVER 255
#define FIXED_BYTES 64 /* version and lengths, with room to spare */

static bool is_hex(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] < '0' || text.p[i] > '9') && (text.p[i] < 'a' || text.p[i] > 'f'))
			return false;
	return true;
}

static bool is_printable(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return true;
}

static bool is_well_formed(const struct tacit_parcel_grant *g)
{
	return g->server.n <= MAX_SERVER && is_printable(g->server) &&
	       tacit_username_valid(g->username) && tacit_email_valid(g->email) &&
	       g->secret.n == TACIT_ACCOUNT_SECRET_BYTES && g->iv.n == TACIT_WRAP_IV_BYTES &&
	       g->wrapped.n > 0 && g->wrapped.n <= TACIT_MAX_WRAPPED_KEY &&
	       g->password_hash.n == TACIT_PARCEL_PASSWORD_HASH_CHARS && is_hex(g->password_hash) &&
	       g->ticket.n > 0 && g->ticket.n <= TACIT_PARCEL_MAX_TICKET && is_printable(g->ticket);
}

enum tacit_err tacit_parcel_grant_encode(const struct tacit_parcel_grant *g, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_writer w = tacit_writer(out);
	if (!is_well_formed(g))
		return TACIT_E_USAGE;
	TRY(tacit_buf_reserve(out, FIXED_BYTES + g->server.n + g->username.n + g->email.n +
	                                   g->secret.n + g->iv.n + g->wrapped.n +
	                                   g->password_hash.n + g->ticket.n));
	tacit_write_u8(&w, VERSION);
	tacit_write_vec8(&w, g->server);
	tacit_write_vec8(&w, g->username);
	tacit_write_vec8(&w, g->email);
	tacit_write_raw(&w, g->secret);
	tacit_write_raw(&w, g->iv);
	tacit_write_vec16(&w, g->wrapped);
	tacit_write_raw(&w, g->password_hash);
	tacit_write_vec16(&w, g->ticket);
	TRY(tacit_writer_finish(&w));
out:
	return err;
}

enum tacit_err tacit_parcel_grant_decode(struct tacit_bytes in, struct tacit_parcel_grant *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	*out = (struct tacit_parcel_grant){0};
	if (tacit_read_u8(&r) != VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	out->server = tacit_read_vec8(&r, MAX_SERVER);
	out->username = tacit_read_vec8(&r, TACIT_MAX_USERNAME);
	out->email = tacit_read_vec8(&r, TACIT_MAX_EMAIL);
	out->secret = tacit_read_view(&r, TACIT_ACCOUNT_SECRET_BYTES);
	out->iv = tacit_read_view(&r, TACIT_WRAP_IV_BYTES);
	out->wrapped = tacit_read_vec16(&r, TACIT_MAX_WRAPPED_KEY);
	out->password_hash = tacit_read_view(&r, TACIT_PARCEL_PASSWORD_HASH_CHARS);
	out->ticket = tacit_read_vec16(&r, TACIT_PARCEL_MAX_TICKET);
	TRY(tacit_reader_end(&r));
	TRY(is_well_formed(out) ? TACIT_OK : TACIT_E_MALFORMED);
out:
	if (err != TACIT_OK)
		*out = (struct tacit_parcel_grant){0};
	return err;
}
