#include "e2e/mls/commit.h"

enum { BY_VALUE = 1, BY_REFERENCE = 2 };

static void read_proposal_or_ref(struct tacit_reader *r, struct tacit_mls_proposal_or_ref *out)
{
	uint8_t type = tacit_read_u8(r);
	out->by_reference = type == BY_REFERENCE;
	out->reference = tacit_bytes(NULL, 0);
	if (type == BY_VALUE)
		tacit_mls_read_proposal(r, &out->proposal);
	else if (type == BY_REFERENCE)
		out->reference = tacit_mls_read_vec(r);
	else
		tacit_reader_fail(r, TACIT_E_MALFORMED);
}

void tacit_mls_write_proposal_or_ref(
        struct tacit_writer *w, const struct tacit_mls_proposal_or_ref *p)
{
	tacit_write_u8(w, p->by_reference ? BY_REFERENCE : BY_VALUE);
	if (p->by_reference)
		tacit_mls_write_vec(w, p->reference);
	else
		tacit_mls_write_proposal(w, &p->proposal);
}

void tacit_mls_read_commit(struct tacit_reader *r, struct tacit_mls_commit *out)
{
	struct tacit_bytes start = r->rest;
	struct tacit_mls_proposal_or_ref p;
	*out = (struct tacit_mls_commit){0};
	struct tacit_reader sub = tacit_mls_read_sub(r);
	out->proposals = sub.rest;
	while (tacit_mls_more(&sub)) {
		read_proposal_or_ref(&sub, &p);
		if (++out->proposal_count > TACIT_MLS_COMMIT_PROPOSALS_MAX)
			tacit_reader_fail(&sub, TACIT_E_LIMIT);
	}
	tacit_mls_read_sub_end(r, &sub);
	out->has_path = tacit_mls_read_optional(r);
	if (out->has_path)
		tacit_mls_read_update_path(r, &out->path);
	if (r->err == TACIT_OK)
		out->encoded = tacit_bytes(start.p, start.n - r->rest.n);
}

enum tacit_err tacit_mls_commit_decode(struct tacit_bytes encoded, struct tacit_mls_commit *out)
{
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_commit(&r, out);
	return tacit_reader_end(&r);
}

bool tacit_mls_commit_next(struct tacit_reader *it, struct tacit_mls_proposal_or_ref *out)
{
	if (!tacit_mls_more(it))
		return false;
	read_proposal_or_ref(it, out);
	return it->err == TACIT_OK;
}

void tacit_mls_write_commit(
        struct tacit_writer *w, struct tacit_bytes proposals, struct tacit_bytes path)
{
	tacit_mls_write_vec(w, proposals);
	tacit_mls_write_optional(w, path.n > 0);
	tacit_write_raw(w, path);
}
