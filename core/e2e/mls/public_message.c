#include "e2e/mls/framing.h"

void tacit_mls_read_public_message(struct tacit_reader *r, struct tacit_mls_public_message *out)
{
	*out = (struct tacit_mls_public_message){.content.wire_format = TACIT_MLS_PUBLIC_MESSAGE};
	tacit_mls_read_framed_content(r, &out->content.framed);
	tacit_mls_read_auth_data(r, &out->content);
	if (out->content.framed.sender.type == TACIT_MLS_SENDER_MEMBER)
		out->membership_tag = tacit_mls_read_vec(r);
}

void tacit_mls_write_public_message(
        struct tacit_writer *w, const struct tacit_mls_public_message *m)
{
	tacit_mls_write_framed_content(w, &m->content.framed);
	tacit_mls_write_auth_data(w, &m->content);
	if (m->content.framed.sender.type == TACIT_MLS_SENDER_MEMBER)
		tacit_mls_write_vec(w, m->membership_tag);
}

enum tacit_err tacit_mls_membership_tag(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_bytes context,
        const uint8_t *membership_key, uint8_t *out)
{
	enum tacit_err err;
	struct tacit_buf tbm = {0};
	struct tacit_writer w = tacit_writer(&tbm);
	tacit_mls_write_framed_tbs(&w, a, context);
	tacit_mls_write_auth_data(&w, a);
	TRY(tacit_writer_finish(&w));
	tacit_mls_mac(s, membership_key, tacit_buf_view(&tbm), out);
out:
	tacit_buf_clear(&tbm);
	return err;
}
