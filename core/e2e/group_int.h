/* group_int.h - what the files of a conversation's group share. */
#ifndef TACIT_E2E_GROUP_INT_H
#define TACIT_E2E_GROUP_INT_H

#include "crypto/hash.h"
#include "e2e/group.h"
#include "e2e/mls/group.h"

#define TACIT_HISTORY_KEPT 64
#define TACIT_HISTORY_HASH_BYTES 16

/* What this device has seen, in the server's order. */
struct tacit_history {
	uint8_t running[TACIT_SHA256_BYTES];
	uint64_t last; /* the newest message counted */
	struct tacit_history_point {
		uint64_t message;
		uint8_t hash[TACIT_HISTORY_HASH_BYTES];
	} points[TACIT_HISTORY_KEPT]; /* a ring */
	uint32_t count, next;
};

struct tacit_history_claim { /* in a message: what its sender had seen */
	uint64_t message;
	uint8_t hash[TACIT_HISTORY_HASH_BYTES];
};

/* The numbers of another device's messages. */
struct tacit_order {
	struct tacit_leaf_name {
		struct tacit_sign_public account;
		struct tacit_device_id device;
	} who;
	uint64_t last;
};

struct tacit_group {
	uint64_t conversation;
	struct tacit_mls_group *mls;
	bool joining;          /* our external commit waits for its place */
	uint64_t tree_version; /* in memory */
	uint64_t next_order;
	struct tacit_group_age age;
	struct tacit_history history;
	struct tacit_order *orders;
	size_t order_count;
};

/* --- group_leaf.c: leaves and what may be one --- */

/* Appends the identity of a credential. Fails: USAGE, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_leaf_identity(
        const struct tacit_leaf *leaf, struct tacit_buf *out);
/* Of a leaf that wants to be in a tree: the certificate is checked. Fails: BAD_CERTIFICATE. */
TACIT_MUST_USE enum tacit_err tacit_leaf_read(
        const struct tacit_mls_leaf_node *node, struct tacit_leaf *out);
/* Of one that is in it, and was checked when it came. Fails: BAD_CERTIFICATE (the form). */
TACIT_MUST_USE enum tacit_err tacit_leaf_parse(
        const struct tacit_mls_leaf_node *node, struct tacit_leaf *out);
/* The same from its bytes. */
TACIT_MUST_USE enum tacit_err tacit_leaf_decode(struct tacit_bytes encoded, struct tacit_leaf *out);
bool tacit_leaf_same(const struct tacit_leaf *a, const struct tacit_leaf *b);

/* JOINING lets strangers pass who are there already. */
enum tacit_strictness { TACIT_STRICT, TACIT_JOINING };
/* The checks that MLS asks back for; borrows self. */
struct tacit_mls_host tacit_group_host(
        const struct tacit_self *self, enum tacit_strictness strictness);
struct tacit_mls_settings tacit_group_settings(void);

/* --- group.c --- */

/* The history of the group's present epoch, which that message has begun. */
TACIT_MUST_USE enum tacit_err tacit_group_begin_history(struct tacit_group *g, uint64_t message);

/* --- group_history.c --- */

/* A new epoch, begun by that message. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_history_begin(
        struct tacit_history *h, uint64_t message, struct tacit_bytes authenticator);
TACIT_MUST_USE enum tacit_err tacit_history_add(
        struct tacit_history *h, uint64_t message, struct tacit_bytes bytes);
struct tacit_history_claim tacit_history_claim(const struct tacit_history *h);
/* True when this device knows that point, and differently. before: the claim's own message. */
bool tacit_history_contradicts(
        const struct tacit_history *h, const struct tacit_history_claim *claim, uint64_t before);
/* How many messages of that device are missing before this one, which is counted. */
TACIT_MUST_USE enum tacit_err tacit_order_count(
        struct tacit_group *g, const struct tacit_leaf *who, uint64_t order, uint64_t *missing);
/* A device that has joined, or is out, begins again. */
void tacit_order_forget(struct tacit_group *g, const struct tacit_leaf *who);

#endif
