/* secret_tree.h - one key and one nonce for each message of an epoch: RFC 9420 9.
 *
 * Lazy: what no message has asked for is not derived, so that memory grows with the senders and not
 * with the members. A key is looked up, used, and then either accepted (it and all that it came
 * from is wiped, 9.2) or cleared (the tree is exactly as it was): a message that does not open
 * changes nothing. One look-up at a time. */
#ifndef TACIT_E2E_MLS_SECRET_TREE_H
#define TACIT_E2E_MLS_SECRET_TREE_H

#include "base/reader.h"
#include "base/writer.h"
#include "e2e/mls/limits.h"
#include "e2e/mls/suite.h"

/* How many generations a message may be ahead of the ones seen, and how many keys of a sender that
 * were passed over are kept for late messages; the oldest go first. */
#define TACIT_MLS_FORWARD_MAX 4096
#define TACIT_MLS_SKIPPED_MAX 1024

/* How many application messages one sends in an epoch; then a commit has to come first (RFC 9420
 * 15.2, which refers to draft-irtf-cfrg-aead-limits). A key and its nonce serve for one message
 * (9.1), so it is the many keys that count: the draft's 6.1 bounds an attacker's advantage by
 * q * L * B / 2^127, which for q = 2^24 messages of L = B = 2^23 blocks, the most that limits.h
 * allows, is 2^-57, what TLS 1.3 aims at. ChaCha20-Poly1305 would do with less (6.2).
 *
 * Forgeries are not counted: who is no member has to forge the sender data first, of three blocks
 * and under a key of its own for each try (6.3.2), which 2^40 tries achieve with 2^-61; members
 * have the keys, and are held by signatures. Nor are sender data: their keys meet again with
 * 2^-128 (16.3). */
#define TACIT_MLS_SENT_MAX (UINT32_C(1) << 24)

enum tacit_mls_ratchet { TACIT_MLS_HANDSHAKE, TACIT_MLS_APPLICATION };

struct tacit_mls_secret_tree; /* opaque; borrows the suite, which is static */
struct tacit_mls_stage;       /* what an accepted key changes in its tree */

struct tacit_mls_message_key {
	uint8_t key[TACIT_MLS_KEY_MAX_BYTES];
	uint8_t nonce[TACIT_MLS_NONCE_BYTES];
	uint32_t generation;
	struct tacit_mls_stage *stage;
};

/* leaf_count is rounded up to a power of two. Fails: LIMIT (TACIT_MLS_LEAVES_MAX), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_secret_tree_new(const struct tacit_mls_suite *s,
        const uint8_t *encryption_secret, uint32_t leaf_count, struct tacit_mls_secret_tree **out);
void tacit_mls_secret_tree_free(struct tacit_mls_secret_tree *t); /* wipes; NULL is fine */

/* Whose key of which ratchet. */
struct tacit_mls_key_place {
	uint32_t leaf;
	enum tacit_mls_ratchet ratchet;
	uint32_t generation; /* find only */
};
/* The next key to send with. Fails: NOT_FOUND (no such leaf), EXHAUSTED (TACIT_MLS_SENT_MAX; of
 * handshakes, so that a commit may come, 2^32), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_secret_tree_next(struct tacit_mls_secret_tree *t,
        struct tacit_mls_key_place place, struct tacit_mls_message_key *out);
/* The key of a received message. Fails: NOT_FOUND, REPLAY (that key was used), GONE (too late),
 * LIMIT (too far ahead), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_secret_tree_find(struct tacit_mls_secret_tree *t,
        struct tacit_mls_key_place place, struct tacit_mls_message_key *out);
/* The key was used: the tree moves on. Cannot fail. Clears key. */
void tacit_mls_secret_tree_accept(
        struct tacit_mls_secret_tree *t, struct tacit_mls_message_key *key);
/* Wipes; safe on {0} and after accept. */
void tacit_mls_message_key_clear(struct tacit_mls_message_key *key);

/* For the serialised group; read restores exactly what write saw. The encoding holds secrets.
 * Errors stick in w and r. read gives NULL on failure. */
void tacit_mls_secret_tree_write(struct tacit_writer *w, const struct tacit_mls_secret_tree *t);
struct tacit_mls_secret_tree *tacit_mls_secret_tree_read(
        struct tacit_reader *r, const struct tacit_mls_suite *s);

#endif
