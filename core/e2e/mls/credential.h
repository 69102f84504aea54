/* credential.h - who a member says they are (RFC 9420 5.3), and external senders (12.1.8.1).
 *
 * Whether a credential is true is the application's to decide, that the first certificate of a
 * chain is for the leaf's signature key included: it is asked through struct tacit_mls_leaf_rules
 * (leaf_node.h). Views are borrowed from the input. */
#ifndef TACIT_E2E_MLS_CREDENTIAL_H
#define TACIT_E2E_MLS_CREDENTIAL_H

#include "e2e/mls/codec.h"

enum tacit_mls_credential_type { /* RFC 9420 17.5 */
	TACIT_MLS_CREDENTIAL_BASIC = 0x0001,
	TACIT_MLS_CREDENTIAL_X509 = 0x0002,
};

struct tacit_mls_credential {
	uint16_t type;
	struct tacit_bytes identity;     /* basic */
	struct tacit_bytes certificates; /* x509: content of the vector, cert_data<V> each */
};

/* Fails (in r): UNSUPPORTED (another type: where it ends is not known), LIMIT, TRUNCATED,
 * MALFORMED (an empty chain). */
struct tacit_mls_credential tacit_mls_read_credential(struct tacit_reader *r);
void tacit_mls_write_credential(struct tacit_writer *w, const struct tacit_mls_credential *c);
bool tacit_mls_credential_eq(
        const struct tacit_mls_credential *a, const struct tacit_mls_credential *b);

struct tacit_mls_external_sender {
	struct tacit_bytes signature_key;
	struct tacit_mls_credential credential;
};

void tacit_mls_write_external_sender(
        struct tacit_writer *w, const struct tacit_mls_external_sender *s);
/* The sender at index in the data of an external_senders extension, which is checked whole.
 * Fails: NOT_FOUND (no such index), LIMIT, UNSUPPORTED, MALFORMED, TRUNCATED, TRAILING. */
TACIT_MUST_USE enum tacit_err tacit_mls_external_sender_at(
        struct tacit_bytes data, uint32_t index, struct tacit_mls_external_sender *out);
/* How many there are; the data is checked whole. Fails as above. */
TACIT_MUST_USE enum tacit_err tacit_mls_external_sender_count(
        struct tacit_bytes data, uint32_t *count);

#endif
