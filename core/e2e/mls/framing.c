#include "e2e/mls/framing.h"

#include "e2e/mls/commit.h"
#include "e2e/mls/proposal.h"

static void read_sender(struct tacit_reader *r, struct tacit_mls_sender *out)
{
	out->type = tacit_read_u8(r);
	out->index = 0;
	if (out->type == TACIT_MLS_SENDER_MEMBER || out->type == TACIT_MLS_SENDER_EXTERNAL)
		out->index = tacit_read_u32(r);
	else if (out->type != TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL &&
	         out->type != TACIT_MLS_SENDER_NEW_MEMBER_COMMIT)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
}

static void write_sender(struct tacit_writer *w, const struct tacit_mls_sender *s)
{
	tacit_write_u8(w, s->type);
	if (s->type == TACIT_MLS_SENDER_MEMBER || s->type == TACIT_MLS_SENDER_EXTERNAL)
		tacit_write_u32(w, s->index);
}

/* Where a structure without a length ends is known only after reading it. */
void tacit_mls_read_content(struct tacit_reader *r, uint8_t type, struct tacit_bytes *content)
{
	struct tacit_mls_proposal proposal;
	struct tacit_mls_commit commit;
	*content = tacit_bytes(NULL, 0);
	switch (type) {
	case TACIT_MLS_CONTENT_APPLICATION:
		*content = tacit_mls_read_vec(r);
		break;
	case TACIT_MLS_CONTENT_PROPOSAL:
		tacit_mls_read_proposal(r, &proposal);
		*content = proposal.encoded;
		break;
	case TACIT_MLS_CONTENT_COMMIT:
		tacit_mls_read_commit(r, &commit);
		*content = commit.encoded;
		break;
	default:
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	}
}

void tacit_mls_write_content(struct tacit_writer *w, uint8_t type, struct tacit_bytes content)
{
	if (type == TACIT_MLS_CONTENT_APPLICATION)
		tacit_mls_write_vec(w, content);
	else
		tacit_write_raw(w, content);
}

void tacit_mls_read_auth_data(struct tacit_reader *r, struct tacit_mls_authenticated *a)
{
	a->signature = tacit_mls_read_vec(r);
	a->confirmation_tag = tacit_bytes(NULL, 0);
	if (a->framed.content_type == TACIT_MLS_CONTENT_COMMIT)
		a->confirmation_tag = tacit_mls_read_vec(r);
}

void tacit_mls_write_auth_data(struct tacit_writer *w, const struct tacit_mls_authenticated *a)
{
	tacit_mls_write_vec(w, a->signature);
	if (a->framed.content_type == TACIT_MLS_CONTENT_COMMIT)
		tacit_mls_write_vec(w, a->confirmation_tag);
}

void tacit_mls_read_framed_content(struct tacit_reader *r, struct tacit_mls_framed_content *out)
{
	out->group_id = tacit_mls_read_vec(r);
	out->epoch = tacit_read_u64(r);
	read_sender(r, &out->sender);
	out->authenticated_data = tacit_mls_read_vec(r);
	out->content_type = tacit_read_u8(r);
	tacit_mls_read_content(r, out->content_type, &out->content);
}

void tacit_mls_write_framed_content(
        struct tacit_writer *w, const struct tacit_mls_framed_content *c)
{
	tacit_mls_write_vec(w, c->group_id);
	tacit_write_u64(w, c->epoch);
	write_sender(w, &c->sender);
	tacit_mls_write_vec(w, c->authenticated_data);
	tacit_write_u8(w, c->content_type);
	tacit_mls_write_content(w, c->content_type, c->content);
}

void tacit_mls_read_authenticated(struct tacit_reader *r, struct tacit_mls_authenticated *out)
{
	*out = (struct tacit_mls_authenticated){.wire_format = tacit_read_u16(r)};
	if (out->wire_format != TACIT_MLS_PUBLIC_MESSAGE &&
	        out->wire_format != TACIT_MLS_PRIVATE_MESSAGE)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	tacit_mls_read_framed_content(r, &out->framed);
	tacit_mls_read_auth_data(r, out);
}

void tacit_mls_write_authenticated(struct tacit_writer *w, const struct tacit_mls_authenticated *a)
{
	tacit_write_u16(w, a->wire_format);
	tacit_mls_write_framed_content(w, &a->framed);
	tacit_mls_write_auth_data(w, a);
}

void tacit_mls_write_confirmed_input(
        struct tacit_writer *w, const struct tacit_mls_authenticated *a)
{
	tacit_write_u16(w, a->wire_format);
	tacit_mls_write_framed_content(w, &a->framed);
	tacit_mls_write_vec(w, a->signature);
}

void tacit_mls_write_framed_tbs(
        struct tacit_writer *w, const struct tacit_mls_authenticated *a, struct tacit_bytes context)
{
	uint8_t sender = a->framed.sender.type;
	tacit_write_u16(w, TACIT_MLS_VERSION_10);
	tacit_write_u16(w, a->wire_format);
	tacit_mls_write_framed_content(w, &a->framed);
	if (sender == TACIT_MLS_SENDER_MEMBER || sender == TACIT_MLS_SENDER_NEW_MEMBER_COMMIT)
		tacit_write_raw(w, context);
}

enum tacit_err tacit_mls_framing_sign(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_bytes context, struct tacit_bytes sk,
        struct tacit_scheme_signature *out)
{
	enum tacit_err err;
	struct tacit_buf tbs = {0};
	struct tacit_writer w = tacit_writer(&tbs);
	tacit_mls_write_framed_tbs(&w, a, context);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_sign(s, sk, TACIT_STR("FramedContentTBS"), tacit_buf_view(&tbs), out));
out:
	tacit_buf_clear(&tbs);
	return err;
}

enum tacit_err tacit_mls_framing_verify(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_bytes context, struct tacit_bytes pk)
{
	enum tacit_err err;
	struct tacit_buf tbs = {0};
	struct tacit_writer w = tacit_writer(&tbs);
	tacit_mls_write_framed_tbs(&w, a, context);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_verify(
	        s, pk, TACIT_STR("FramedContentTBS"), tacit_buf_view(&tbs), a->signature));
out:
	tacit_buf_clear(&tbs);
	return err;
}
