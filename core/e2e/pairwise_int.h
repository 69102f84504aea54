/* pairwise_int.h - the state of one conversation under `pairwise`, and its serialised form.
 *
 * Layout: docs/protocol.md, "The state of a conversation". */
#ifndef TACIT_E2E_PAIRWISE_INT_H
#define TACIT_E2E_PAIRWISE_INT_H

#include "e2e/group.h"

#define TACIT_PAIRWISE_WINDOW 64 /* messages of one device that a replay is told from */
#define TACIT_PAIRWISE_MARK_BYTES 8

/* What was seen of one device. Kept in order of (account, device). */
struct sender {
	struct tacit_sign_public account;
	struct tacit_device_id device;
	uint64_t order;                   /* of its newest message */
	uint8_t hash[TACIT_SHA256_BYTES]; /* of that message: what the next one calls `previous` */
	uint64_t seen;                    /* bit i: the message of order - i was seen */
	/* The hash's first bytes of the message of order o, at o % WINDOW, where the bit is set. It
	 * only decides the word for a refusal, so it may be short. */
	uint8_t marks[TACIT_PAIRWISE_WINDOW][TACIT_PAIRWISE_MARK_BYTES];
};

struct tacit_group {
	uint64_t conversation;
	uint64_t order;                       /* of the own newest message; 0: none yet */
	uint8_t previous[TACIT_SHA256_BYTES]; /* its hash */
	bool can_unsend;
	uint8_t before[TACIT_SHA256_BYTES]; /* what `previous` was before it, while can_unsend */
	struct sender *senders;
	size_t count;
	size_t cap;
};

enum tacit_err tacit_pairwise_create(uint64_t conversation, struct tacit_group **out);
enum tacit_err tacit_pairwise_load(struct tacit_bytes state, struct tacit_group **out);
enum tacit_err tacit_pairwise_serialise(const struct tacit_group *g, struct tacit_buf *out);
void tacit_pairwise_destroy(struct tacit_group *g);

/* The place of a device among the senders, and whether it is taken. */
size_t tacit_pairwise_place(const struct tacit_group *g, const struct tacit_sign_public *account,
        const struct tacit_device_id *device, bool *found);
/* Room for one sender more of this account. Fails: LIMIT, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_pairwise_make_room(
        struct tacit_group *g, const struct tacit_sign_public *account);

/* What a message of this order and hash is to what was seen of its device.
 * Fails: REPLAY, ORDER_CHANGED. */
TACIT_MUST_USE enum tacit_err tacit_pairwise_judge(const struct sender *s, uint64_t order,
        const uint8_t previous[TACIT_SHA256_BYTES], const uint8_t hash[TACIT_SHA256_BYTES],
        uint64_t *missing);
/* Takes a message that judge let pass into account; a fresh s has order 0. */
void tacit_pairwise_advance(
        struct sender *s, uint64_t order, const uint8_t hash[TACIT_SHA256_BYTES]);

#endif
