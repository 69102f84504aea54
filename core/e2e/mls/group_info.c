#include "e2e/mls/group_info.h"

void tacit_mls_read_group_info(struct tacit_reader *r, struct tacit_mls_group_info *out)
{
	*out = (struct tacit_mls_group_info){0};
	struct tacit_bytes start = r->rest;
	tacit_mls_group_context_read(r, &out->context);
	size_t context = start.n - r->rest.n;
	out->extensions = tacit_mls_read_extensions(r);
	out->confirmation_tag = tacit_mls_read_vec(r);
	out->signer = tacit_read_u32(r);
	size_t unsigned_part = start.n - r->rest.n;
	out->signature = tacit_mls_read_vec(r);
	if (r->err == TACIT_OK) {
		out->encoded_context = tacit_bytes(start.p, context);
		out->unsigned_part = tacit_bytes(start.p, unsigned_part);
	}
}

enum tacit_err tacit_mls_group_info_decode(
        struct tacit_bytes encoded, struct tacit_mls_group_info *out)
{
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_group_info(&r, out);
	return tacit_reader_end(&r);
}

static void write_unsigned(struct tacit_writer *w, const struct tacit_mls_group_info *info)
{
	tacit_mls_group_context_write(w, &info->context);
	tacit_mls_write_extensions(w, info->extensions);
	tacit_mls_write_vec(w, info->confirmation_tag);
	tacit_write_u32(w, info->signer);
}

void tacit_mls_write_group_info(struct tacit_writer *w, const struct tacit_mls_group_info *info)
{
	write_unsigned(w, info);
	tacit_mls_write_vec(w, info->signature);
}

enum tacit_err tacit_mls_group_info_sign(const struct tacit_mls_suite *s,
        const struct tacit_mls_group_info *info, struct tacit_bytes sk, struct tacit_buf *out)
{
	enum tacit_err err;
	size_t start = out->n;
	struct tacit_scheme_signature signature;
	struct tacit_writer w = tacit_writer(out);
	write_unsigned(&w, info);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_sign(s, sk, TACIT_STR("GroupInfoTBS"),
	        tacit_bytes(out->p + start, out->n - start), &signature));
	w = tacit_writer(out);
	tacit_mls_write_vec(&w, tacit_bytes(signature.b, signature.n));
	TRY(tacit_writer_finish(&w));
out:
	if (err != TACIT_OK)
		out->n = start;
	return err;
}

enum tacit_err tacit_mls_group_info_verify(const struct tacit_mls_suite *s,
        const struct tacit_mls_group_info *info, struct tacit_bytes pk)
{
	return tacit_mls_verify(
	        s, pk, TACIT_STR("GroupInfoTBS"), info->unsigned_part, info->signature);
}
