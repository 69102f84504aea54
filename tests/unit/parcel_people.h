/* parcel_people.h - two ends of a transfer in one room, and a relay between them that may lie. */
#ifndef TACIT_TESTS_PARCEL_PEOPLE_H
#define TACIT_TESTS_PARCEL_PEOPLE_H

#include "base/env.h"
#include "e2e/parcel/parcel.h"

#define MOST_MESSAGES 64

struct mail {
	struct tacit_buf messages[MOST_MESSAGES];
	size_t head, count;
};

struct hand {
	struct tacit_parcel *parcel;
	struct mail mail; /* for the other one */
	struct hand *other;
	size_t sent;
	struct tacit_parcel_event last;
	enum tacit_err err; /* of the last input */
	bool opened, answered, declined, received, done, stopped, ended;
	uint64_t started_at;
	/* the sender's */
	struct tacit_bytes content;
	size_t piece;
	bool in_place;  /* pieces are put where the parcel says */
	uint8_t *place; /* where records are made, NULL: its own */
	/* the receiver's */
	struct tacit_buf store;
	bool refuses, reads_back;
};

struct room {
	struct tacit_env env;
	struct hand give, take;
	/* What the relay does to message number n (of both directions, from 0); NULL: nothing. It
	 * may change the message, and says how often it is delivered. */
	unsigned (*relay)(void *ctx, size_t n, struct tacit_buf *message);
	void *ctx;
	size_t passed;
};

void room_open(struct room *r);
void room_close(struct room *r);
/* What a parcel is given as send, with its hand. */
enum tacit_err room_post(void *hand, struct tacit_bytes message);
/* Both meet with their codes. */
void room_meet(struct room *r, const char *code_give, const char *code_take);
void room_rejoin(struct room *r);
/* Delivers until nothing moves; hands do what their role asks for. Stops at the first error. */
void room_run(struct room *r);
/* Drops what is under way. */
void room_cut(struct room *r);

/* What is sent: the first n of content_bytes, which it fills anew. */
extern uint8_t content_bytes[5000];
struct tacit_bytes content(size_t n);
/* An offer of one file of so many bytes, appended. */
void offer_file(const char *name, uint64_t size, struct tacit_buf *out);

#endif
