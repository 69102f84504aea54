#include "e2e/mls/proposal.h"

static void read_reinit(struct tacit_reader *r, struct tacit_mls_reinit *out)
{
	out->group_id = tacit_mls_read_vec(r);
	out->version = tacit_read_u16(r);
	out->suite = tacit_read_u16(r);
	out->extensions = tacit_mls_read_extensions(r);
}

void tacit_mls_read_proposal(struct tacit_reader *r, struct tacit_mls_proposal *out)
{
	struct tacit_bytes start = r->rest;
	*out = (struct tacit_mls_proposal){.type = tacit_read_u16(r)};
	switch (out->type) {
	case TACIT_MLS_ADD:
		tacit_mls_read_key_package(r, &out->add);
		break;
	case TACIT_MLS_UPDATE:
		tacit_mls_read_leaf_node(r, &out->update);
		break;
	case TACIT_MLS_REMOVE:
		out->removed = tacit_read_u32(r);
		break;
	case TACIT_MLS_PSK:
		tacit_mls_psk_id_read(r, &out->psk);
		break;
	case TACIT_MLS_REINIT:
		read_reinit(r, &out->reinit);
		break;
	case TACIT_MLS_EXTERNAL_INIT:
		out->kem_output = tacit_mls_read_vec(r);
		break;
	case TACIT_MLS_CONTEXT_EXTENSIONS:
		out->extensions = tacit_mls_read_extensions(r);
		break;
	default:
		tacit_reader_fail(r, TACIT_E_UNSUPPORTED);
	}
	if (r->err == TACIT_OK)
		out->encoded = tacit_bytes(start.p, start.n - r->rest.n);
}

enum tacit_err tacit_mls_proposal_decode(struct tacit_bytes encoded, struct tacit_mls_proposal *out)
{
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_proposal(&r, out);
	return tacit_reader_end(&r);
}

void tacit_mls_write_proposal(struct tacit_writer *w, const struct tacit_mls_proposal *p)
{
	tacit_write_u16(w, p->type);
	switch (p->type) {
	case TACIT_MLS_ADD:
		tacit_write_raw(w, p->add.encoded);
		break;
	case TACIT_MLS_UPDATE:
		tacit_write_raw(w, p->update.encoded);
		break;
	case TACIT_MLS_REMOVE:
		tacit_write_u32(w, p->removed);
		break;
	case TACIT_MLS_PSK:
		tacit_mls_psk_id_write(w, &p->psk);
		break;
	case TACIT_MLS_REINIT:
		tacit_mls_write_vec(w, p->reinit.group_id);
		tacit_write_u16(w, p->reinit.version);
		tacit_write_u16(w, p->reinit.suite);
		tacit_mls_write_extensions(w, p->reinit.extensions);
		break;
	case TACIT_MLS_EXTERNAL_INIT:
		tacit_mls_write_vec(w, p->kem_output);
		break;
	case TACIT_MLS_CONTEXT_EXTENSIONS:
		tacit_mls_write_extensions(w, p->extensions);
		break;
	default:
		tacit_writer_fail(w, TACIT_E_USAGE);
	}
}

bool tacit_mls_proposal_needs_path(uint16_t type)
{
	return type == TACIT_MLS_UPDATE || type == TACIT_MLS_REMOVE ||
	       type == TACIT_MLS_EXTERNAL_INIT || type == TACIT_MLS_CONTEXT_EXTENSIONS;
}

bool tacit_mls_proposal_external(uint16_t type)
{
	return type == TACIT_MLS_ADD || type == TACIT_MLS_REMOVE || type == TACIT_MLS_PSK ||
	       type == TACIT_MLS_REINIT || type == TACIT_MLS_CONTEXT_EXTENSIONS;
}
