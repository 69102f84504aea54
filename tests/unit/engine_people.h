/* engine_people.h - people for the tests of the engine: each a host in memory around one engine,
 * with a store that survives when the power fails. */
#ifndef TACIT_TESTS_ENGINE_PEOPLE_H
#define TACIT_TESTS_ENGINE_PEOPLE_H

#include "engine/engine.h"
#include "support/fake_server.h"

#define PERSON_RECORDS 192
#define PERSON_LOG 128
#define PERSON_HEARD 256
#define PERSON_QUEUE 16
#define PERSON_JOINS 64

struct kept {
	struct tacit_record_id id;
	uint64_t position;
	struct tacit_buf data;
};

struct heard { /* a notice, copied flat */
	enum tacit_notice_kind kind;
	uint64_t op;
	enum tacit_err err;
	char text[600], username[32], title[64], members[256];
	uint64_t conversation, message, count, reply_to;
	size_t text_n;
	bool flag;
	char detail[256];
	char content[128];
	enum tacit_content_kind content_kind;
};

struct person {
	const char *name;
	struct fake_server *server;
	struct tacit_env env;
	struct tacit_engine *engine;
	struct tacit_buf profile, secret;
	struct kept records[PERSON_RECORDS];
	size_t record_count;
	struct kept log[PERSON_LOG];
	size_t log_count;
	struct heard heard[PERSON_HEARD];
	size_t heard_count;
	struct tacit_effect queue[PERSON_QUEUE]; /* requests that wait for their answer */
	size_t queue_count;
	bool live;
	uint64_t joins[PERSON_JOINS]; /* rooms that were joined and wait for their history */
	uint64_t join_after[PERSON_JOINS];
	size_t join_count;
	char said[600]; /* the live event that was said last: name, space, body */
	long power;     /* so many events until it fails; below 0: never */
	bool failed;    /* it has */
	bool store_is_full;
	enum tacit_err trouble; /* of the engine, with an entry of the history */
};

extern int64_t person_clock;
struct tacit_env person_env(void);

void person_init(struct person *p, const char *name, struct fake_server *s);
void person_clear(struct person *p);
/* Engine gone, everything from the store; fails like the engine. */
enum tacit_err person_restart(struct person *p);
/* A registered person with a published device. */
void person_register(struct person *p);

/* Begins a command; its requests wait in the queue. */
enum tacit_err person_begin(struct person *p, const struct tacit_command *c, uint64_t *op);
/* Answers the oldest request. False: none waits, or the power failed. */
bool person_step(struct person *p, enum tacit_err *err);
/* Runs a command to its end: the error of its last notice, or of the engine. */
enum tacit_err person_run(struct person *p, const struct tacit_command *c);

enum tacit_err person_say(struct person *p, const char *to, const char *text);
enum tacit_err person_say_in(struct person *p, uint64_t conversation, const char *text);
enum tacit_err person_sync(struct person *p);
enum tacit_err person_do(struct person *p, enum tacit_command_kind kind, const char *username);

/* A live connection. up: joins, whose histories wait for person_live_join; event: one that comes.
 * All run what follows to its end. */
void person_live_up(struct person *p);
void person_live_down(struct person *p);
void person_live(struct person *p, const char *name, const char *body);
/* Answers the joins that wait, with at most `page` messages each, until none waits any more. */
void person_live_join(struct person *p, unsigned page);
/* The event of the server's i-th message. */
void person_live_message(struct person *p, size_t i);
/* What is due by the clock. */
void person_tick(struct person *p);

/* How many notices of the kind were heard (and username, text part, when not NULL). */
size_t person_heard(const struct person *p, enum tacit_notice_kind kind, const char *content);
const struct heard *person_last(const struct person *p, enum tacit_notice_kind kind);
bool person_told(const struct person *p, enum tacit_notice_kind kind, enum tacit_err err,
        const char *part_of_text);
void person_forget(struct person *p); /* what was heard */
/* Says content, about a message or not, in a conversation. */
enum tacit_err person_tell(
        struct person *p, uint64_t conversation, const struct tacit_content *content);
/* What the history has of a message, in words: "alice: text (edited) [bob +]", "alice deleted",
 * "refused", or "nothing". Static. */
const char *person_entry(struct person *p, uint64_t conversation, uint64_t message);
/* How often the history holds a message of that text. */
size_t person_logged(struct person *p, const char *content);
void person_forget_history(struct person *p);

#endif
