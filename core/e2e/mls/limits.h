/* limits.h - how large anything of MLS may be that comes from outside, in one place.
 *
 * What is larger is refused with TOO_LARGE or LIMIT before memory is asked for. The limits are
 * ours: RFC 9420 has none but the 30 bits of a length. */
#ifndef TACIT_E2E_MLS_LIMITS_H
#define TACIT_E2E_MLS_LIMITS_H

#define TACIT_MLS_MESSAGE_MAX_BYTES (128u << 20) /* also of what leaves */
#define TACIT_MLS_DEPTH_MAX 16                   /* levels above the leaves */
#define TACIT_MLS_LEAVES_MAX (1u << TACIT_MLS_DEPTH_MAX)
#define TACIT_MLS_NODES_MAX (2 * TACIT_MLS_LEAVES_MAX - 1)
#define TACIT_MLS_LEAF_NODE_MAX_BYTES 65536 /* room for a chain of X.509 certificates */
#define TACIT_MLS_KEY_PACKAGE_MAX_BYTES (2 * TACIT_MLS_LEAF_NODE_MAX_BYTES)
#define TACIT_MLS_TREE_MAX_BYTES (64u << 20)
#define TACIT_MLS_EXTENSIONS_MAX 64   /* in one list */
#define TACIT_MLS_TYPES_MAX 256       /* in one list of capabilities */
#define TACIT_MLS_CERTIFICATES_MAX 16 /* in one chain */
#define TACIT_MLS_EXTERNAL_SENDERS_MAX 64

#endif
