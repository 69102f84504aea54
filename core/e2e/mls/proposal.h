/* proposal.h - the changes that members ask for: RFC 9420 12.1. Decoded ones are views. */
#ifndef TACIT_E2E_MLS_PROPOSAL_H
#define TACIT_E2E_MLS_PROPOSAL_H

#include "e2e/mls/key_package.h"
#include "e2e/mls/psk.h"

enum tacit_mls_proposal_type { /* RFC 9420 17.4 */
	TACIT_MLS_ADD = 1,
	TACIT_MLS_UPDATE = 2,
	TACIT_MLS_REMOVE = 3,
	TACIT_MLS_PSK = 4,
	TACIT_MLS_REINIT = 5,
	TACIT_MLS_EXTERNAL_INIT = 6,
	TACIT_MLS_CONTEXT_EXTENSIONS = 7,
};

struct tacit_mls_reinit {
	struct tacit_bytes group_id;
	uint16_t version, suite;
	struct tacit_mls_extensions extensions;
};

struct tacit_mls_proposal {
	uint16_t type;
	union {
		struct tacit_mls_key_package add;
		struct tacit_mls_leaf_node update;
		uint32_t removed; /* leaf index */
		struct tacit_mls_psk_id psk;
		struct tacit_mls_reinit reinit;
		struct tacit_bytes kem_output; /* external_init */
		struct tacit_mls_extensions extensions;
	};
	struct tacit_bytes encoded; /* all of it, once decoded */
};

/* Fails (in r): UNSUPPORTED (another type: where it ends is not known), and what its parts say. */
void tacit_mls_read_proposal(struct tacit_reader *r, struct tacit_mls_proposal *out);
TACIT_MUST_USE enum tacit_err tacit_mls_proposal_decode(
        struct tacit_bytes encoded, struct tacit_mls_proposal *out);
/* Key packages and leaves are written from their encoded member. */
void tacit_mls_write_proposal(struct tacit_writer *w, const struct tacit_mls_proposal *p);

/* RFC 9420 12.4: does a commit of it need a path? */
bool tacit_mls_proposal_needs_path(uint16_t type);
/* RFC 9420 12.1.8: may an external sender send it? */
bool tacit_mls_proposal_external(uint16_t type);

#endif
