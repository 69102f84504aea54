/* framing.h - what every message of a group looks like, who signed it, and its two forms on the
 * wire: RFC 9420 6.
 *
 * Decoded structures are views into the message (or into the plaintext of one that was opened). */
#ifndef TACIT_E2E_MLS_FRAMING_H
#define TACIT_E2E_MLS_FRAMING_H

#include "e2e/mls/codec.h"
#include "e2e/mls/secret_tree.h"
#include "e2e/mls/suite.h"

enum tacit_mls_wire_format { /* RFC 9420 17.2 */
	TACIT_MLS_PUBLIC_MESSAGE = 1,
	TACIT_MLS_PRIVATE_MESSAGE = 2,
	TACIT_MLS_WELCOME = 3,
	TACIT_MLS_GROUP_INFO = 4,
	TACIT_MLS_KEY_PACKAGE = 5,
};

enum tacit_mls_content_type {
	TACIT_MLS_CONTENT_APPLICATION = 1,
	TACIT_MLS_CONTENT_PROPOSAL = 2,
	TACIT_MLS_CONTENT_COMMIT = 3,
};

enum tacit_mls_sender_type {
	TACIT_MLS_SENDER_MEMBER = 1,
	TACIT_MLS_SENDER_EXTERNAL = 2,
	TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL = 3,
	TACIT_MLS_SENDER_NEW_MEMBER_COMMIT = 4,
};

struct tacit_mls_sender {
	uint8_t type;
	uint32_t index; /* leaf of a member, place among external_senders; else 0 */
};

struct tacit_mls_framed_content {
	struct tacit_bytes group_id;
	uint64_t epoch;
	struct tacit_mls_sender sender;
	struct tacit_bytes authenticated_data;
	uint8_t content_type;
	struct tacit_bytes content; /* the application's bytes, or an encoded Proposal or Commit */
};

struct tacit_mls_authenticated {
	uint16_t wire_format;
	struct tacit_mls_framed_content framed;
	struct tacit_bytes signature;
	struct tacit_bytes confirmation_tag; /* of commits */
};

/* AuthenticatedContent, as a proposal's reference hashes it (5.2). Fails (in r): MALFORMED,
 * TRUNCATED, UNSUPPORTED, and what proposals and commits say. */
void tacit_mls_read_authenticated(struct tacit_reader *r, struct tacit_mls_authenticated *out);
void tacit_mls_write_authenticated(struct tacit_writer *w, const struct tacit_mls_authenticated *a);
/* ConfirmedTranscriptHashInput (8.2). */
void tacit_mls_write_confirmed_input(
        struct tacit_writer *w, const struct tacit_mls_authenticated *a);

/* FramedContentTBS is signed with the sender's key; context is the encoded GroupContext of the
 * epoch (not looked at for senders outside the group). Fails: MALFORMED, TOO_LARGE, NOMEM, CRYPTO.
 */
TACIT_MUST_USE enum tacit_err tacit_mls_framing_sign(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_bytes context, struct tacit_bytes sk,
        struct tacit_scheme_signature *out);
/* Fails: BAD_SIGNATURE, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_framing_verify(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_bytes context, struct tacit_bytes pk);

/* --- PublicMessage (6.2) --- */

struct tacit_mls_public_message {
	struct tacit_mls_authenticated content; /* wire_format is mls_public_message */
	struct tacit_bytes membership_tag;      /* of members */
};

void tacit_mls_read_public_message(struct tacit_reader *r, struct tacit_mls_public_message *out);
void tacit_mls_write_public_message(
        struct tacit_writer *w, const struct tacit_mls_public_message *m);
/* hash_bytes to out; content is signed already. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_mls_membership_tag(const struct tacit_mls_suite *s,
        const struct tacit_mls_authenticated *a, struct tacit_bytes context,
        const uint8_t *membership_key, uint8_t *out);

/* --- PrivateMessage (6.3) --- */

struct tacit_mls_private_message {
	struct tacit_bytes group_id;
	uint64_t epoch;
	uint8_t content_type;
	struct tacit_bytes authenticated_data;
	struct tacit_bytes encrypted_sender_data;
	struct tacit_bytes ciphertext;
};

void tacit_mls_read_private_message(struct tacit_reader *r, struct tacit_mls_private_message *out);
void tacit_mls_write_private_message(
        struct tacit_writer *w, const struct tacit_mls_private_message *m);

struct tacit_mls_private_keys { /* of one epoch */
	const struct tacit_mls_suite *suite;
	const uint8_t *sender_data_secret;
	struct tacit_mls_secret_tree *tree;
};

/* Appends a PrivateMessage of signed content from a member to out, padded with zeroes inside so
 * that the plaintext is a multiple of pad_to (0: as it is). The tree moves on only when it is
 * complete. Fails: EXHAUSTED, NOT_FOUND, TOO_LARGE, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_mls_private_protect(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_authenticated *a, size_t pad_to, const struct tacit_env *env,
        struct tacit_buf *out);

/* One that was opened. Nothing of it is to be believed before its signature was checked; then
 * tacit_mls_secret_tree_accept takes `key`. */
struct tacit_mls_opened {
	struct tacit_buf plain;
	struct tacit_mls_authenticated content; /* views into plain and into the message */
	struct tacit_mls_message_key key;
	bool sender_known; /* also after REPLAY and GONE: whose key was asked for */
	uint32_t sender;
};
/* The tree is as it was until the key is accepted. On error out is {0}, but for the sender. Fails:
 * BAD_SEAL, REPLAY, GONE, LIMIT, NOT_FOUND (no such leaf), MALFORMED (padding), NOMEM, CRYPTO, and
 * what the content says. */
TACIT_MUST_USE enum tacit_err tacit_mls_private_open(const struct tacit_mls_private_keys *k,
        const struct tacit_mls_private_message *m, struct tacit_mls_opened *out);
void tacit_mls_opened_clear(struct tacit_mls_opened *o);

/* Key and nonce of the sender data (6.3.2), from a sample of the ciphertext. */
struct tacit_mls_sender_data_key {
	uint8_t key[TACIT_MLS_KEY_MAX_BYTES];
	uint8_t nonce[TACIT_MLS_NONCE_BYTES];
};
TACIT_MUST_USE enum tacit_err tacit_mls_sender_data_key(const struct tacit_mls_suite *s,
        const uint8_t *sender_data_secret, struct tacit_bytes ciphertext,
        struct tacit_mls_sender_data_key *out);

/* --- For public_message.c and private_message.c --- */

void tacit_mls_read_content(struct tacit_reader *r, uint8_t type, struct tacit_bytes *content);
void tacit_mls_write_content(struct tacit_writer *w, uint8_t type, struct tacit_bytes content);
void tacit_mls_read_auth_data(struct tacit_reader *r, struct tacit_mls_authenticated *a);
void tacit_mls_write_auth_data(struct tacit_writer *w, const struct tacit_mls_authenticated *a);
void tacit_mls_read_framed_content(struct tacit_reader *r, struct tacit_mls_framed_content *out);
void tacit_mls_write_framed_content(
        struct tacit_writer *w, const struct tacit_mls_framed_content *c);
/* FramedContentTBS. */
void tacit_mls_write_framed_tbs(struct tacit_writer *w, const struct tacit_mls_authenticated *a,
        struct tacit_bytes context);

#endif
