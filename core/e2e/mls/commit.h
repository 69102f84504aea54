/* commit.h - a list of proposals and the committer's new path: RFC 9420 12.4. Views. */
#ifndef TACIT_E2E_MLS_COMMIT_H
#define TACIT_E2E_MLS_COMMIT_H

#include "e2e/mls/proposal.h"
#include "e2e/mls/treekem.h"

#define TACIT_MLS_COMMIT_PROPOSALS_MAX 16384 /* a limit of ours */

struct tacit_mls_proposal_or_ref {
	bool by_reference;
	struct tacit_bytes reference;       /* ProposalRef */
	struct tacit_mls_proposal proposal; /* by value */
};

struct tacit_mls_commit {
	struct tacit_bytes proposals; /* content of the vector, checked when read */
	size_t proposal_count;
	bool has_path;
	struct tacit_mls_update_path path;
	struct tacit_bytes encoded; /* all of it, once decoded */
};

/* Fails (in r): MALFORMED, TRUNCATED, LIMIT, UNSUPPORTED. */
void tacit_mls_read_commit(struct tacit_reader *r, struct tacit_mls_commit *out);
TACIT_MUST_USE enum tacit_err tacit_mls_commit_decode(
        struct tacit_bytes encoded, struct tacit_mls_commit *out);
/* Steps through the proposals of a commit that was read: it = tacit_reader(commit.proposals). */
bool tacit_mls_commit_next(struct tacit_reader *it, struct tacit_mls_proposal_or_ref *out);
void tacit_mls_write_proposal_or_ref(
        struct tacit_writer *w, const struct tacit_mls_proposal_or_ref *p);
/* path is an encoded UpdatePath, or empty for none. */
void tacit_mls_write_commit(
        struct tacit_writer *w, struct tacit_bytes proposals, struct tacit_bytes path);

#endif
