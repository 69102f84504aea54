/* message.h - MLSMessage, the outermost layer of everything that MLS sends: RFC 9420 6. Views. */
#ifndef TACIT_E2E_MLS_MESSAGE_H
#define TACIT_E2E_MLS_MESSAGE_H

#include "e2e/mls/framing.h"
#include "e2e/mls/group_info.h"
#include "e2e/mls/key_package.h"
#include "e2e/mls/welcome.h"

struct tacit_mls_message {
	uint16_t wire_format;
	struct tacit_bytes body; /* what the header is in front of, once decoded */
	union {
		struct tacit_mls_public_message public_message;
		struct tacit_mls_private_message private_message;
		struct tacit_mls_welcome welcome;
		struct tacit_mls_group_info group_info;
		struct tacit_mls_key_package key_package;
	};
};

/* Exactly one. Fails: UNSUPPORTED (version, wire format), TOO_LARGE, TRAILING, and what its body
 * says. */
TACIT_MUST_USE enum tacit_err tacit_mls_message_decode(
        struct tacit_bytes encoded, struct tacit_mls_message *out);
/* Key packages are written from their encoded member. Fails: NOMEM, TOO_LARGE, USAGE. */
TACIT_MUST_USE enum tacit_err tacit_mls_message_encode(
        const struct tacit_mls_message *m, struct tacit_buf *out);
/* Version and wire format, for a body that is written after it. */
void tacit_mls_write_message_header(struct tacit_writer *w, uint16_t wire_format);

/* Where a message belongs, without looking inside: false for what names no group. */
struct tacit_mls_address {
	struct tacit_bytes group_id;
	uint64_t epoch;
	uint8_t content_type;
};
bool tacit_mls_message_address(const struct tacit_mls_message *m, struct tacit_mls_address *out);

#endif
