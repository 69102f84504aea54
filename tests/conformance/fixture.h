/* fixture.h - a store of each backend in turn, people in it, and rows collected into arrays. */
#ifndef TACIT_TESTS_CONFORMANCE_FIXTURE_H
#define TACIT_TESTS_CONFORMANCE_FIXTURE_H

#include "server/store/store.h"
#include "support/tap.h"

#define NOW 1700000000

struct backend {
	const char *name;
	const char *url; /* before the fixture's folder; NULL: a file in it */
	bool snapshots;  /* it has a form in a file */
};

struct fixture {
	char folder[64], url[256], database[128];
	struct store *w, *r; /* the writer, a reader */
	const struct store_ops *ops;
	int64_t anna, ben, carl; /* users */
};

/* The backend that the cases run over. */
extern const struct backend *backend;

/* REQUIREs inside: false when the case cannot go on. */
bool set_up(struct fixture *f);
void tear_down(struct fixture *f);
/* Another handle of the same store. */
struct store *another(struct fixture *f, enum store_mode mode);

struct store_new_user a_user(const char *name);
int64_t add_user(struct fixture *f, const char *name);
/* A group of anna and ben made by anna, without carl. */
int64_t add_group(struct fixture *f);
int64_t add_session(struct fixture *f, int64_t expires_at);
int64_t add_message(struct fixture *f, int64_t conversation, int64_t user, const char *text);
struct store_file a_file(char digit, int64_t owner, int64_t conversation, int64_t bytes);
struct store_upload an_upload(char digit, int64_t owner, int64_t conversation, int64_t length);
const uint8_t *hash_of(uint8_t seed); /* 32 bytes; each call with another seed another row */

#define MAX_ROWS 64
struct ids {
	int64_t id[MAX_ROWS];
	size_t count;
	enum tacit_err answer; /* what the row callback returns */
};
enum tacit_err collect_user(void *ctx, const struct store_user *u);
enum tacit_err collect_conversation(void *ctx, const struct store_conversation *c);
enum tacit_err collect_participant(void *ctx, const struct store_participant *p);
enum tacit_err collect_message(void *ctx, const struct store_message *m);
enum tacit_err collect_session(void *ctx, int64_t id);
enum tacit_err collect_device(void *ctx, int64_t user_id, const struct tacit_device *d);
enum tacit_err ignore_upload(void *ctx, const struct store_upload *u);
struct gone {
	char id[MAX_ROWS][STORE_FILE_ID_CHARS + 1];
	size_t count;
};
void collect_gone(void *ctx, const char *file_id);
bool is_gone(const struct gone *g, const char *file_id);
/* How many messages user sees in a conversation; -1 on error. */
int64_t message_count(struct fixture *f, struct store *s, int64_t conversation, int64_t user);

/* The cases, by subject. */
struct case_list {
	const struct tap_case *cases;
	size_t count;
};
extern const struct case_list account_cases, conversation_cases, message_cases, group_cases,
        file_cases, parcel_cases, expiry_cases, housekeeping_cases, concurrency_cases;

#endif
