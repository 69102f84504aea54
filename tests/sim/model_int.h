/* model_int.h - what the parts of the model server share. */
#ifndef TACIT_TESTS_MODEL_INT_H
#define TACIT_TESTS_MODEL_INT_H

#include "sim/model_server.h"
#include "wire/signed_request.h"

struct call {
	struct model_server *s;
	const struct model_request *request;
	json_t *user; /* of the session, or NULL; borrowed */
	json_t *body, *data;
	struct tacit_signed_request signed_request;
	struct model_answer *out;
};

void call_answer(struct call *c, int status, json_t *body); /* takes body over */
void call_refuse(struct call *c, int status, const char *code);
const char *text_of(const json_t *object, const char *name); /* "" when it is none */
json_int_t number_of(const json_t *object, const char *name);
json_t *time_of(int64_t seconds);
json_int_t next_id(struct model_server *s, const char *what);
json_t *user_by_id(const struct model_server *s, json_int_t id);
json_t *device_of(const json_t *user, const char *id);
/* The device and whose it is; NULL: there is none. */
json_t *device_anywhere(const struct model_server *s, const char *id, json_t **owner);

bool call_conversations(struct call *c, const char *path); /* false: no such path */
/* Welcomes for the devices of a user, of one conversation (0: of all). */
void drop_welcomes(struct model_server *s, json_int_t user, json_int_t conversation);

#endif
