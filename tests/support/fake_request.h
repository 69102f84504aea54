/* fake_request.h - what the parts of the server in memory tell each other, for its own sources. */
#ifndef TACIT_TESTS_FAKE_REQUEST_H
#define TACIT_TESTS_FAKE_REQUEST_H

#include "support/fake_server.h"
#include "wire/signed_request.h"

struct request {
	struct fake_server *s;
	struct fake_user *user; /* of the session; NULL: none */
	enum tacit_http_method method;
	const char *path;
	json_t *body, *data; /* data is borrowed */
	struct tacit_signed_request signed_request;
	struct fake_answer *out;
};

/* Answers of a request; body is given away. */
void fake_give(struct request *r, int status, json_t *body);
void fake_refuse(struct request *r, int status, const char *code);
/* A member's text, empty when there is none. */
const char *fake_text(const json_t *object, const char *name);
/* A copy that lives until the server is cleared. */
char *fake_keep(const char *text);
json_t *fake_time(const struct fake_server *s);
json_t *fake_pem(const struct fake_user *u);
json_t *fake_user_object(struct fake_server *s, const struct fake_user *u);
struct fake_user *fake_user_by_id(struct fake_server *s, uint64_t id);

/* fake_accounts.c */
void fake_do_register(struct request *r);
void fake_do_verify(struct request *r);
void fake_do_new_device(struct request *r);
void fake_do_login(struct request *r);
void fake_do_reset(struct request *r);
json_t *fake_devices_of(const struct fake_user *u);
void fake_do_put_device(struct request *r);
void fake_do_user(struct request *r, const char *name);
void fake_do_users(struct request *r, const char *prefix);
void fake_do_delete_device(struct request *r, const char *id);

/* fake_packages.c */
struct fake_device *fake_device_of(struct fake_user *u, const char *id, size_t n);
void fake_claim_one(struct request *r, struct fake_device *d, json_t *list);
void fake_in_device(struct request *r, const char *path);

/* fake_conversations.c */
void fake_do_create(struct request *r);
void fake_do_list(struct request *r);
void fake_do_conversation(struct request *r, const char *rest); /* rest begins with its id */

#endif
