/* twins_say.h - what a twin was answered, as text: two that were answered the same have said the
 * same. */
#ifndef TACIT_TESTS_CONFORMANCE_TWINS_SAY_H
#define TACIT_TESTS_CONFORMANCE_TWINS_SAY_H

#include "fixture.h"

#define STEPS 700

/* Ids of messages grow, but need not grow alike: twins speak of the first, the second... */
struct births {
	int64_t id[STEPS];
	size_t count, at_batch, at_mark; /* where to go back to */
};

struct twin {
	struct fixture f;
	struct store *s; /* who reads in this step: the reader or the writer */
	struct tacit_buf said;
	struct births messages;
};

#define SAY(t, ...) CHECK_OK(tacit_buf_printf(&(t)->said, __VA_ARGS__))
#define SAY_ERR(t, call) SAY(t, "%s ", tacit_err_name(call))

/* The message that was made so many-th; 0: none. */
int64_t id_of(const struct twin *t, int64_t number);
int64_t number_of(const struct twin *t, int64_t id);

void say_bytes(struct twin *t, struct tacit_bytes b);
void say_gone(struct twin *t, const struct gone *g);
void say_session(struct twin *t, const struct store_session *s);
/* What the store calls for each row; ctx is the twin. */
enum tacit_err on_user(void *ctx, const struct store_user *u);
enum tacit_err on_device(void *ctx, int64_t user_id, const struct tacit_device *d);
enum tacit_err on_conversation(void *ctx, const struct store_conversation *c);
enum tacit_err on_participant(void *ctx, const struct store_participant *p);
enum tacit_err on_message(void *ctx, const struct store_message *m);
enum tacit_err on_upload(void *ctx, const struct store_upload *u);

#endif
