/* tacit/mls.h - Messaging Layer Security (RFC 9420) as a small C library.
 *
 * A *client* is one device: who it says it is, and the key it signs with. It publishes *key
 * packages*, with which others add it to *groups*. Every change of a group is a *commit*: it is
 * made, sent, and accepted when the delivery service has given it its place; of two commits of one
 * epoch one wins.
 *
 *      alice: tmls_group_create, tmls_group_commit -- commit ----> (others: tmls_group_process)
 *                                                 \-- welcome -> bob: tmls_group_join
 *             tmls_group_accept
 *      both:  tmls_group_protect, tmls_group_process
 *
 * The library does no I/O and starts no thread. One object serves one thread at a time. Messages
 * are encoded MLSMessages, to be carried as they are.
 *
 * State: a group changes with every call that makes or reads a message. Store it (tmls_group_save)
 * before what the call gave leaves the machine. A call that fails changes nothing.
 *
 * Bytes: views are borrowed. What the library gives in a struct tmls_bytes is the caller's, to be
 * freed with tmls_bytes_free. Out parameters are empty or NULL after an error. */
#ifndef TACIT_MLS_H
#define TACIT_MLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The interface: a program built for a minor version runs with later ones of the same major one.
 * Stored groups and key packages carry a version of their own. */
#define TMLS_VERSION_MAJOR 1
#define TMLS_VERSION_MINOR 0

#if defined(__GNUC__)
#define TMLS_MUST_USE __attribute__((warn_unused_result))
#else
#define TMLS_MUST_USE
#endif

struct tmls_view {
	const uint8_t *data;
	size_t size;
};
struct tmls_bytes {
	uint8_t *data;
	size_t size;
};
void tmls_bytes_free(struct tmls_bytes *b); /* wipes; {0} afterwards, and is fine */

/* The hundreds tell the kind: 1 the caller, 2 a message that is not well-formed, 3 one that is not
 * what it claims to be, 4 right but not now, 6 the machine. Numbers may be added. */
enum tmls_result {
	TMLS_OK = 0,
	TMLS_USAGE = 101,
	TMLS_TOO_LARGE = 102,
	TMLS_MALFORMED = 201,
	TMLS_TRUNCATED = 202,
	TMLS_TRAILING = 203,
	TMLS_UNSUPPORTED = 204, /* suite, version, or capabilities of a member */
	TMLS_BAD_SIGNATURE = 301,
	TMLS_BAD_SEAL = 302,
	TMLS_WRONG_RECIPIENT = 303, /* another group's, or not for this key package */
	TMLS_REPLAY = 304,          /* seen before */
	TMLS_FUTURE = 305,          /* of an epoch that has not come yet: keep it until then */
	TMLS_KEY_CHANGED = 306,     /* a leaf that takes the place of another one's */
	TMLS_UNKNOWN_SENDER = 307,
	TMLS_BAD_CREDENTIAL = 308, /* refused by accept_credential */
	TMLS_NOT_FOUND = 401,      /* a member, PSK, proposal or ratchet tree */
	TMLS_EXISTS = 402,         /* a client or a key twice */
	TMLS_CONFLICT = 403,       /* not in this state of the group */
	TMLS_EXHAUSTED = 404,
	TMLS_GONE = 405, /* too late: an epoch or a key that is not kept any more */
	TMLS_LIMIT = 406,
	TMLS_NO_MEMORY = 601,
	TMLS_CRYPTO = 603,
};
/* Of the library that runs: TMLS_VERSION_MAJOR * 1000 + TMLS_VERSION_MINOR of its header. */
int tmls_version(void);
/* A sentence in English; static. */
const char *tmls_result_text(enum tmls_result r);

enum tmls_suite { /* RFC 9420 17.1 */
	TMLS_X25519_AES128_ED25519 = 0x0001,
	TMLS_P256_AES128_P256 = 0x0002,
	TMLS_X25519_CHACHA_ED25519 = 0x0003,
	TMLS_X448_AES256_ED448 = 0x0004,
	TMLS_P521_AES256_P521 = 0x0005,
	TMLS_X448_CHACHA_ED448 = 0x0006,
	TMLS_P384_AES256_P384 = 0x0007,
	/* ML-KEM-768 and X25519, AES-256-GCM, SHA-384, Ed25519 (draft-ietf-mls-pq-ciphersuites), at
	 * a number for private use. Secure against quantum computers that come later. */
	TMLS_MLKEM768X25519_AES256_ED25519 = 0xf0a1,
};

/* --- Clients --- */

struct tmls_client;

struct tmls_member {
	uint32_t leaf;                  /* its number in the group */
	struct tmls_view identity;      /* of a basic credential; empty for X.509 */
	struct tmls_view signature_key; /* public */
};

/* What the application decides and lends. Members may be NULL but for now and random. */
struct tmls_callbacks {
	void *ctx;
	int64_t (*now)(void *ctx);                            /* Unix seconds */
	void (*random)(void *ctx, uint8_t *out, size_t size); /* unpredictable; cannot fail */
	/* RFC 9420 5.3.1: does this key belong to this identity? Asked for every leaf that comes
	 * in, and for those outside who may propose (12.1.8.1); leaf is not set. NULL: yes. A real
	 * application decides. */
	bool (*accept_credential)(void *ctx, const struct tmls_member *member);
	/* May the one (same leaf, or a device that comes back) follow the other? NULL: when the
	 * identities are equal. */
	bool (*accept_successor)(
	        void *ctx, const struct tmls_member *before, const struct tmls_member *after);
	/* The pre-shared key of this id; false when there is none. *key is borrowed for a moment.
	 */
	bool (*find_psk)(void *ctx, struct tmls_view id, struct tmls_view *key);
};

/* signing_key is a private key of the suite as tmls_client_signing_key gave it, or empty: a new one
 * is drawn. The client outlives its groups. */
TMLS_MUST_USE enum tmls_result tmls_client_new(enum tmls_suite suite, struct tmls_view identity,
        struct tmls_view signing_key, const struct tmls_callbacks *callbacks,
        struct tmls_client **out);
void tmls_client_free(struct tmls_client *c); /* wipes */
/* Secret: to be stored. */
struct tmls_view tmls_client_signing_key(const struct tmls_client *c);
struct tmls_view tmls_client_public_key(const struct tmls_client *c);

/* --- Key packages --- */

struct tmls_key_package;

/* Longer than this, all in all, no key package is accepted, nor a group with such a one in it (RFC
 * 9420 7.2: UNSUPPORTED). */
#define TMLS_LIFETIME_MAX ((uint64_t)366 * 86400)

/* Good from a day ago until this many seconds from now. Each is to be used once. Fails: USAGE (too
 * long). */
TMLS_MUST_USE enum tmls_result tmls_key_package_new(
        const struct tmls_client *c, uint64_t lifetime, struct tmls_key_package **out);
void tmls_key_package_free(struct tmls_key_package *k); /* wipes */
/* To be published: an MLSMessage. Lives as long as k. */
struct tmls_view tmls_key_package_message(const struct tmls_key_package *k);
/* With the private halves: secret. */
TMLS_MUST_USE enum tmls_result tmls_key_package_save(
        const struct tmls_key_package *k, struct tmls_bytes *out);
TMLS_MUST_USE enum tmls_result tmls_key_package_load(
        const struct tmls_client *c, struct tmls_view saved, struct tmls_key_package **out);

/* --- Groups --- */

struct tmls_group;

/* A group of one. The id is unique: 32 random bytes, say. */
TMLS_MUST_USE enum tmls_result tmls_group_create(
        const struct tmls_client *c, struct tmls_view group_id, struct tmls_group **out);
/* By the welcome of the one who added us, with the key package that was used. Whoever is in a group
 * of that tmls_group_id already drops this one (RFC 9420 12.4.3). */
TMLS_MUST_USE enum tmls_result tmls_group_join(const struct tmls_client *c,
        const struct tmls_key_package *k, struct tmls_view welcome, struct tmls_group **out);
/* By ourselves, with a fresh tmls_group_info: the commit is sent to the group, which is as *out
 * says once it has taken it. replaces: our old leaf, which goes; or NULL. */
TMLS_MUST_USE enum tmls_result tmls_group_join_external(const struct tmls_client *c,
        struct tmls_view group_info, const uint32_t *replaces, struct tmls_bytes *commit,
        struct tmls_group **out);
void tmls_group_free(struct tmls_group *g); /* wipes; NULL is fine */

uint64_t tmls_group_epoch(const struct tmls_group *g);
struct tmls_view tmls_group_id(const struct tmls_group *g);
uint32_t tmls_group_own_leaf(const struct tmls_group *g);
/* Leaves are numbered below the width; false where nobody is. Views live until the group changes.
 */
uint32_t tmls_group_width(const struct tmls_group *g);
bool tmls_group_member(const struct tmls_group *g, uint32_t leaf, struct tmls_member *out);
/* Equal for all who are in the same group at the same epoch (RFC 9420 8.7). */
struct tmls_view tmls_group_authenticator(const struct tmls_group *g);
/* size bytes that only members of this epoch know (8.5). */
TMLS_MUST_USE enum tmls_result tmls_group_export(const struct tmls_group *g, const char *label,
        struct tmls_view context, uint8_t *out, size_t size);
/* Signed, with tree and external key: lets clients join by themselves while nobody else is there.
 */
TMLS_MUST_USE enum tmls_result tmls_group_info(const struct tmls_group *g, struct tmls_bytes *out);

/* Proposals: sent, and kept until somebody commits. */
TMLS_MUST_USE enum tmls_result tmls_group_propose_add(
        struct tmls_group *g, struct tmls_view key_package, struct tmls_bytes *out);
TMLS_MUST_USE enum tmls_result tmls_group_propose_remove(
        struct tmls_group *g, uint32_t leaf, struct tmls_bytes *out);
TMLS_MUST_USE enum tmls_result tmls_group_propose_update(
        struct tmls_group *g, struct tmls_bytes *out);

/* What a commit does besides all proposals that wait and a new key for ourselves. {0} is nothing.
 */
struct tmls_changes {
	const struct tmls_view *adds; /* key packages, as published */
	size_t add_count;
	const uint32_t *removes; /* leaves */
	size_t remove_count;
	const struct tmls_view *psks; /* ids of pre-shared keys */
	size_t psk_count;
};
/* welcome (may be NULL when nobody is added) is for all who are added. The commit waits until
 * tmls_group_accept, tmls_group_drop, or a commit that comes in. changes may be NULL. */
TMLS_MUST_USE enum tmls_result tmls_group_commit(struct tmls_group *g,
        const struct tmls_changes *changes, struct tmls_bytes *commit, struct tmls_bytes *welcome);
TMLS_MUST_USE enum tmls_result tmls_group_accept(struct tmls_group *g);
void tmls_group_drop(struct tmls_group *g);

TMLS_MUST_USE enum tmls_result tmls_group_protect(
        struct tmls_group *g, struct tmls_view plain, struct tmls_bytes *out);

enum tmls_event_kind {
	TMLS_EVENT_MESSAGE,  /* text holds what was said */
	TMLS_EVENT_PROPOSAL, /* kept */
	TMLS_EVENT_COMMIT,   /* the group is in the next epoch */
	TMLS_EVENT_REMOVED,  /* we are out */
	TMLS_EVENT_OWN,      /* of our own: nothing new */
};
struct tmls_event {
	enum tmls_event_kind kind;
	uint32_t sender; /* leaf; UINT32_MAX for one who is no member yet */
	struct tmls_bytes sender_identity;
	struct tmls_bytes text;
	bool lost; /* a commit of ours that waited was dropped for this one: make it anew */
};
void tmls_event_clear(struct tmls_event *e);
/* Any message of the group but welcomes. */
TMLS_MUST_USE enum tmls_result tmls_group_process(
        struct tmls_group *g, struct tmls_view message, struct tmls_event *event);

/* The whole state: secret. */
TMLS_MUST_USE enum tmls_result tmls_group_save(const struct tmls_group *g, struct tmls_bytes *out);
TMLS_MUST_USE enum tmls_result tmls_group_load(
        const struct tmls_client *c, struct tmls_view saved, struct tmls_group **out);

#ifdef __cplusplus
}
#endif
#endif
