/* fake_server.h - the HTTP API in memory, for tests of the engine. Its tables lie open: a test
 * makes it lie by changing them. It checks what a server checks: signatures, sessions, membership.
 */
#ifndef TACIT_TESTS_FAKE_SERVER_H
#define TACIT_TESTS_FAKE_SERVER_H

#include "base/buf.h"
#include "crypto/sign.h"
#include "engine/engine.h"

#define FAKE_USERS 8
#define FAKE_DEVICES 20
#define FAKE_CONVERSATIONS 8
#define FAKE_MESSAGES 96
#define FAKE_NONCES 512

#define FAKE_PACKAGES 64
#define FAKE_WELCOMES 32

struct fake_device {
	char id[40];
	char encoded[400];                           /* base64 */
	char *packages[FAKE_PACKAGES], *last_resort; /* base64, owned */
	int64_t ends[FAKE_PACKAGES], last_ends;      /* when they lapse; 0: not said */
	size_t package_count;
};

struct fake_welcome {
	uint64_t id, conversation, message, user;
	uint64_t epoch;
	char device[40];
	char *bytes; /* base64, owned */
};

struct fake_user {
	uint64_t id;
	char name[32], email[64], password_hash[80], wrapped[400], iv[32], cookie[40];
	struct tacit_sign_public key;
	struct fake_device devices[FAKE_DEVICES];
	size_t device_count;
	bool pending;
};

struct fake_member {
	uint64_t user; /* id */
	uint64_t read;
};

struct fake_conversation {
	uint64_t id;
	char kind[16], name[4 * TACIT_MAX_CONVERSATION_NAME + 1];
	struct fake_member members[FAKE_USERS];
	size_t member_count;
	uint64_t last_forgotten;
	uint64_t ttl;          /* of messages, seconds; only told */
	uint64_t last_claimed; /* not 0: the last_message_id that is given out */
	uint64_t epoch, epoch_message;
	char *group_info;       /* base64, owned */
	char *keys[FAKE_USERS]; /* each user's own wrapped key; the same */
};

struct fake_message {
	uint64_t id, conversation, user;
	char client_id[40];
	char *content;     /* base64, owned */
	char username[32]; /* what is given out as the sender */
	bool hidden;
	bool commit;
	uint64_t epoch; /* that a commit ends */
};

struct fake_server {
	struct fake_user users[FAKE_USERS];
	size_t user_count;
	struct fake_conversation conversations[FAKE_CONVERSATIONS];
	size_t conversation_count;
	struct fake_message messages[FAKE_MESSAGES]; /* given out in this order */
	size_t message_count;
	uint64_t next_message;
	int64_t now;
	uint8_t seen[FAKE_NONCES][8]; /* signatures, cut */
	size_t seen_count;

	/* One-shot faults, for requests whose path contains the text. */
	const char *fault_path;
	enum tacit_http_method fault_method; /* TACIT_GET: whatever the method */
	int fault_status;                    /* answer this, and do nothing; 0: see below */
	const char *fault_code;
	bool deliver_refused;         /* what is answered with fault_status is done all the same */
	unsigned lose_answer;         /* so many times: do it, but no answer comes */
	unsigned lose_request;        /* so many times: not even that */
	size_t list_page;             /* conversations on a page of the list; 0: all */
	const char *ghost;            /* who is put into every conversation that is made */
	const char *other_kind;       /* what they become instead */
	bool trusts_everyone;         /* checks no signatures */
	void (*entered)(bool inside); /* called around every request; may be NULL */
	struct fake_welcome welcomes[FAKE_WELCOMES];
	size_t welcome_count;
	uint64_t next_welcome;
	unsigned posts;                           /* POSTs of messages that arrived */
	unsigned commits;                         /* of commits that were taken */
	unsigned reports, undecryptable, missing; /* by the clients' word */
};

struct fake_answer {
	int status;
	struct tacit_buf body;
	char cookie_name[32], cookie[48];
};

void fake_server_init(struct fake_server *s);
void fake_server_clear(struct fake_server *s);
/* cookie is "name=value" or empty. */
void fake_server_answer(struct fake_server *s, struct tacit_bytes cookie,
        const struct tacit_effect *send, struct fake_answer *out);

/* The index of the nth message that is not a commit, in the order in which they are given out. */
size_t fake_said(const struct fake_server *s, size_t n);
/* How many there are of them. */
size_t fake_said_count(const struct fake_server *s);
/* Drops all messages that were sent, but never gives an id twice. */
void fake_server_forget(struct fake_server *s);

struct fake_user *fake_user_named(struct fake_server *s, const char *name);
/* A user whom only the server has made up, with a device certified by its own key. */
struct fake_user *fake_user_add(struct fake_server *s, const char *name, uint8_t seed);
/* A device of u certified by the key from seed, which need not be u's. */
void fake_device_add(struct fake_user *u, uint8_t id, uint8_t seed);
void fake_device_with_id(
        struct fake_user *u, const uint8_t id[TACIT_DEVICE_ID_BYTES], uint8_t seed);

#endif
