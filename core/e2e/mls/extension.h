/* extension.h - lists of extensions and of types, and what the extensions of RFC 9420 hold:
 * RFC 9420 7.2 (Extension), 11.1, 12.1.8.1, 13.4, 13.5, 17.3.
 *
 * A list is kept as it stands on the wire: a view of the content of its vector, checked once when
 * read, borrowed from the input. Types that nobody knows, GREASE among them, are carried along. */
#ifndef TACIT_E2E_MLS_EXTENSION_H
#define TACIT_E2E_MLS_EXTENSION_H

#include "e2e/mls/codec.h"

enum tacit_mls_extension_type { /* RFC 9420 17.3 */
	TACIT_MLS_EXT_APPLICATION_ID = 0x0001,
	TACIT_MLS_EXT_RATCHET_TREE = 0x0002,
	TACIT_MLS_EXT_REQUIRED_CAPABILITIES = 0x0003,
	TACIT_MLS_EXT_EXTERNAL_PUB = 0x0004,
	TACIT_MLS_EXT_EXTERNAL_SENDERS = 0x0005,
};

/* --- uint16 values<V>: versions, suites, types --- */

struct tacit_mls_types {
	struct tacit_bytes encoded; /* two bytes each, big-endian */
};

/* Fails (in r): MALFORMED (an odd length), LIMIT (more than TACIT_MLS_TYPES_MAX). */
struct tacit_mls_types tacit_mls_read_types(struct tacit_reader *r);
void tacit_mls_write_types(struct tacit_writer *w, struct tacit_mls_types t);
bool tacit_mls_types_contain(struct tacit_mls_types t, uint16_t type);
static inline size_t tacit_mls_types_count(struct tacit_mls_types t)
{
	return t.encoded.n / 2;
}
uint16_t tacit_mls_types_at(struct tacit_mls_types t, size_t i);

/* --- Extension extensions<V> --- */

struct tacit_mls_extensions {
	struct tacit_bytes encoded;
};

struct tacit_mls_extension {
	uint16_t type;
	struct tacit_bytes data;
};

/* Fails (in r): MALFORMED (the same type twice, 13.4), LIMIT (more than TACIT_MLS_EXTENSIONS_MAX),
 * TRUNCATED. */
struct tacit_mls_extensions tacit_mls_read_extensions(struct tacit_reader *r);
void tacit_mls_write_extensions(struct tacit_writer *w, struct tacit_mls_extensions list);
/* One extension, between tacit_mls_vec_begin and tacit_mls_vec_end. */
void tacit_mls_write_extension(struct tacit_writer *w, struct tacit_mls_extension e);

/* Steps through a list that was read: it = tacit_reader(list.encoded); false at the end. */
bool tacit_mls_extension_next(struct tacit_reader *it, struct tacit_mls_extension *out);
/* False, and *data empty, when there is none. */
bool tacit_mls_extension_find(
        struct tacit_mls_extensions list, uint16_t type, struct tacit_bytes *data);
/* A type that everybody supports and nobody lists in capabilities (7.2). */
bool tacit_mls_extension_is_default(uint16_t type);
bool tacit_mls_proposal_is_default(uint16_t type);
/* RFC 9420 13.5; type may be of any registry. For creating only: what is received is never asked.
 */
bool tacit_mls_is_grease(uint16_t type);

/* --- What is in them --- */

struct tacit_mls_required_capabilities { /* 11.1 */
	struct tacit_mls_types extensions, proposals, credentials;
};

/* Fails: MALFORMED, TRUNCATED, TRAILING, LIMIT. */
TACIT_MUST_USE enum tacit_err tacit_mls_required_capabilities_decode(
        struct tacit_bytes data, struct tacit_mls_required_capabilities *out);
void tacit_mls_write_required_capabilities(
        struct tacit_writer *w, const struct tacit_mls_required_capabilities *rc);

/* 12.4.3.2: the HPKE public key that external_pub holds. Fails: MALFORMED, TRUNCATED, TRAILING. */
TACIT_MUST_USE enum tacit_err tacit_mls_external_pub_decode(
        struct tacit_bytes data, struct tacit_bytes *public_key);
void tacit_mls_write_external_pub(struct tacit_writer *w, struct tacit_bytes public_key);

#endif
