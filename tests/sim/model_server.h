/* model_server.h - what a server must do for its clients (docs/openapi.yaml), on one JSON value: so
 * that a whole state can be copied, kept and put back. It checks what a server checks: signatures,
 * replays, sessions, membership, epochs. */
#ifndef TACIT_TESTS_MODEL_SERVER_H
#define TACIT_TESTS_MODEL_SERVER_H

#include <jansson.h>
#include "base/buf.h"
#include "engine/engine.h"

struct model_server {
	json_t *state;      /* see model_server.c */
	int64_t now;        /* Unix seconds */
	uint8_t (*seen)[8]; /* signatures, cut */
	size_t seen_count, seen_cap;
	uint64_t unread; /* messages, by the word of clients: undecryptable, or missing */
	/* A change, to be told over live connections (docs/protocol-live.md 14). body is borrowed.
	 * May be NULL. */
	void (*tell)(void *ctx, json_int_t conversation, const char *event, const json_t *body);
	void *ctx;
};

struct model_request {
	enum tacit_http_method method;
	const char *path;
	struct tacit_bytes cookie; /* "name=value", or empty */
	struct tacit_bytes body;
};

struct model_answer { /* clear with model_answer_clear */
	int status;
	struct tacit_buf body;
	char cookie_name[32], cookie[48];
};

void model_server_init(struct model_server *s);
void model_server_clear(struct model_server *s);
void model_server_answer(
        struct model_server *s, const struct model_request *r, struct model_answer *out);
void model_answer_clear(struct model_answer *a);

/* Looking, for whoever checks. Borrowed; NULL: not there. */
json_t *model_user(const struct model_server *s, const char *name);
json_t *model_conversation(const struct model_server *s, json_int_t id);
bool model_is_in(const struct model_server *s, json_int_t conversation, const char *username);
/* The messages of all conversations, in their order; content is base64. */
json_t *model_messages(const struct model_server *s);

/* A message as the event new_message has it. A new reference. */
json_t *model_live_form(const json_t *message);

/* What servers lose. */
void model_forget_key_packages(struct model_server *s);
void model_forget_welcomes(struct model_server *s);

#endif
