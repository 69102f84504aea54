/* stored.h - what is left at a server for whoever has the link: docs/protocol-transfer.md 16. No
 * I/O.
 *
 *   stored = head || segment*
 *
 * The head is the offer (offer.h), padded; the segments are the content of all files in the order
 * of the offer and then its SHA-256, cut into pieces of TACIT_STORED_SEGMENT_BYTES. Head and
 * segments are sealed as files are (file_stream.h), each with a key and a salt of its own: a
 * segment whose upload was interrupted is sealed anew, whatever has become of the file meanwhile,
 * and no nonce serves two plaintexts. The key of a segment depends on its place and on how many
 * there are, so none can be moved or left out. */
#ifndef TACIT_E2E_PARCEL_STORED_H
#define TACIT_E2E_PARCEL_STORED_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "e2e/parcel/offer.h"
#include "wire/file_header.h"
#include "wire/limits.h"

#define TACIT_STORED_SECRET_BYTES 32
#define TACIT_STORED_TOKEN_BYTES 32
#define TACIT_STORED_ID_CHARS 32
#define TACIT_STORED_SEGMENT_BYTES (8 * 1024 * 1024) /* of plaintext */
#define TACIT_STORED_TAIL_BYTES TACIT_SHA256_BYTES
#define TACIT_STORED_RECEIPT_BYTES (8 + TACIT_SHA256_BYTES)
#define TACIT_STORED_PAD 4096 /* a head's plaintext is a multiple of it */
#define TACIT_STORED_MAX_HEAD (TACIT_PARCEL_MAX_OFFER + 64 * 1024)
#define TACIT_STORED_FRAGMENT_ROOM 80 /* "s.", id, ".", 43 characters, NUL */

/* Secret: wipe with tacit_wipe. */
struct tacit_stored_link {
	char id[TACIT_STORED_ID_CHARS + 1]; /* lower-case hex, by the server */
	uint8_t secret[TACIT_STORED_SECRET_BYTES];
};

/* "https://server/r#s.ID.SECRET", or only what is behind the #. server: the part before /r, within
 * text; empty when there is none. out is zeroed on error. Fails: MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_stored_link_parse(
        struct tacit_bytes text, struct tacit_stored_link *out, struct tacit_bytes *server);
/* Does it look like such a link, whole or not, rather than like a code? */
bool tacit_stored_link_looks(struct tacit_bytes text);
/* "s.ID.SECRET", secret. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_stored_link_fragment(
        const struct tacit_stored_link *link, char out[TACIT_STORED_FRAGMENT_ROOM]);

/* Secret: wipe with tacit_wipe. */
struct tacit_stored_keys {
	uint8_t access[TACIT_STORED_TOKEN_BYTES]; /* the server knows its SHA-256 */
	uint8_t head[TACIT_FILE_KEY_BYTES], content[TACIT_FILE_KEY_BYTES];
	uint8_t receipt[TACIT_SHA256_BYTES];
};
/* Fails: USAGE (never, with these lengths). */
TACIT_MUST_USE enum tacit_err tacit_stored_keys(
        const uint8_t secret[TACIT_STORED_SECRET_BYTES], struct tacit_stored_keys *out);

/* --- the shape; total is that of the offer --- */
uint64_t tacit_stored_segments(uint64_t total);
/* Plaintext bytes of segment i, the tail counted. */
size_t tacit_stored_segment_plain(uint64_t total, uint64_t i);
size_t tacit_stored_segment_sealed(uint64_t total, uint64_t i);
/* Where segment i begins; with i the number of segments, where everything ends. */
uint64_t tacit_stored_segment_at(uint64_t head_bytes, uint64_t total, uint64_t i);

/* --- sealing and opening; results are appended --- */
/* Fails: TOO_LARGE (longer than an offer may be), CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_stored_head_seal(const struct tacit_stored_keys *k,
        struct tacit_bytes offer, const struct tacit_env *env, struct tacit_buf *out);
/* The offer, encoded still. Fails: BAD_SEAL, MALFORMED, TRUNCATED, UNSUPPORTED, TOO_LARGE, CRYPTO,
 * NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_stored_head_open(
        const struct tacit_stored_keys *k, struct tacit_bytes sealed, struct tacit_buf *offer);

struct tacit_stored_place {
	uint64_t total, index; /* of the content; of the segment */
};
/* Of the file that a segment is sealed as, for who seals it in pieces (file_stream.h). Secret.
 * Fails: USAGE (never, with these lengths). */
TACIT_MUST_USE enum tacit_err tacit_stored_segment_key(const struct tacit_stored_keys *k,
        struct tacit_stored_place p, uint8_t out[TACIT_FILE_KEY_BYTES]);
/* plain has exactly the bytes of that place. Fails: USAGE, CRYPTO, NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_stored_segment_seal(const struct tacit_stored_keys *k,
        struct tacit_stored_place place, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_buf *out);
/* Fails: BAD_SEAL (changed, moved, cut, or of another parcel), MALFORMED, UNSUPPORTED, CRYPTO,
 * NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_stored_segment_open(const struct tacit_stored_keys *k,
        struct tacit_stored_place place, struct tacit_bytes sealed, struct tacit_buf *out);

/* --- receipts: who has opened all of it says so to the sender, and the server can make none --- */
struct tacit_stored_download {
	const char *id;
	const uint8_t *claim; /* SHA-256 of the claim's token */
};
void tacit_stored_receipt_make(const uint8_t key[TACIT_SHA256_BYTES],
        struct tacit_stored_download d, int64_t now, uint8_t out[TACIT_STORED_RECEIPT_BYTES]);
/* Fails: BAD_SEAL. */
TACIT_MUST_USE enum tacit_err tacit_stored_receipt_check(const uint8_t key[TACIT_SHA256_BYTES],
        struct tacit_stored_download d, const uint8_t receipt[TACIT_STORED_RECEIPT_BYTES],
        int64_t *time);

#endif
