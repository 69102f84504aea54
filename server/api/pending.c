#include "server/api/pending.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

enum tacit_err api_pending_encode(const struct api_pending *p, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	const struct store_user *u = &p->new_user.user;
	tacit_write_u8(&w, p->tries);
	tacit_write_u8(&w, p->invited);
	tacit_write_raw(&w, tacit_bytes(p->invitation, sizeof(p->invitation)));
	tacit_write_raw(&w, tacit_bytes(u->public_key, sizeof(u->public_key)));
	tacit_write_vec16(&w, tacit_cstr(u->username));
	tacit_write_vec16(&w, tacit_cstr(u->email));
	tacit_write_vec16(&w, tacit_cstr(u->password_hash));
	tacit_write_vec16(&w, tacit_bytes(u->totp_sealed, u->totp_sealed_bytes));
	tacit_write_vec16(&w, tacit_cstr(u->encryption_iv));
	tacit_write_vec16(&w, p->new_user.encrypted_private_key);
	return tacit_writer_finish(&w);
}

static void read_text(struct tacit_reader *r, char *out, size_t room)
{
	struct tacit_bytes text = tacit_read_vec16(r, room - 1);
	if (text.n > 0)
		memcpy(out, text.p, text.n);
	out[text.n] = '\0';
}

enum tacit_err api_pending_decode(struct tacit_bytes in, struct api_pending *out)
{
	struct tacit_reader r = tacit_reader(in);
	struct store_user *u = &out->new_user.user;
	*out = (struct api_pending){0};
	out->tries = tacit_read_u8(&r);
	out->invited = tacit_read_u8(&r) != 0;
	tacit_read_into(&r, out->invitation, sizeof(out->invitation));
	tacit_read_into(&r, u->public_key, sizeof(u->public_key));
	read_text(&r, u->username, sizeof(u->username));
	read_text(&r, u->email, sizeof(u->email));
	read_text(&r, u->password_hash, sizeof(u->password_hash));
	struct tacit_bytes sealed = tacit_read_vec16(&r, sizeof(u->totp_sealed));
	if (sealed.n > 0)
		memcpy(u->totp_sealed, sealed.p, sealed.n);
	u->totp_sealed_bytes = sealed.n;
	read_text(&r, u->encryption_iv, sizeof(u->encryption_iv));
	out->new_user.encrypted_private_key = tacit_read_vec16(&r, TACIT_MAX_WRAPPED_KEY);
	u->quota_bytes = -1;
	return tacit_reader_end(&r);
}
