/* stored_give.h - what parcel.wasm exports for leaving something at a server for whoever has a link
 * (e2e/parcel/stored.h; client/stored_give.c is the same for programs). Calls, answers and errors
 * are as in abi.h. Behind an error other than USAGE it is fit for leave_free only. */
#ifndef TACIT_WASM_STORED_GIVE_H
#define TACIT_WASM_STORED_GIVE_H

#include "wasm/abi.h"

struct tacit_wasm_leave;

/* offer: in the form of docs/protocol-transfer.md 15.4; held against the rules of a receiver.
 * The answer: the handle, u32; u64 bytes of all that is kept, u64 bytes of its head; texts, in hex:
 * SHA-256 of the access token, the owner's token (secret), its SHA-256, the receipt key (secret).
 * Fails: as tacit_parcel_offer_decode; TOO_LARGE. */
TACIT_EXPORT("leave_new") enum tacit_err tacit_wasm_leave_new(const uint8_t *offer, size_t n);
TACIT_EXPORT("leave_free") void tacit_wasm_leave_free(struct tacit_wasm_leave *l); /* wipes */
/* The answer: the head, sealed anew each time. */
TACIT_EXPORT("leave_head") enum tacit_err tacit_wasm_leave_head(struct tacit_wasm_leave *l);
/* Which bytes of the content the next segment is made of. The answer: u64 from, u64 how many, which
 * may be none; u8 1, or 0: there is no next. */
TACIT_EXPORT("leave_next") enum tacit_err tacit_wasm_leave_next(struct tacit_wasm_leave *l);
/* That segment, from its beginning, under another salt each time. The answer: the first bytes of
 * it. Fails: USAGE (there is no next). */
TACIT_EXPORT("leave_begin") enum tacit_err tacit_wasm_leave_begin(struct tacit_wasm_leave *l);
/* The next piece of its content, a multiple of TACIT_FILE_CHUNK_BYTES unless it is the last one,
 * which is there also when there is no content. The answer: the next bytes of the segment. Fails:
 * USAGE. */
TACIT_EXPORT("leave_seal")
enum tacit_err tacit_wasm_leave_seal(struct tacit_wasm_leave *l, const uint8_t *plain, size_t n);
/* The segment is there: on to the next. Fails: USAGE (it was never sealed to its end). */
TACIT_EXPORT("leave_came") enum tacit_err tacit_wasm_leave_came(struct tacit_wasm_leave *l);
/* id: the server's. The answer: what is behind the # of the link, secret, without a length.
 * Fails: MALFORMED. */
TACIT_EXPORT("leave_link")
enum tacit_err tacit_wasm_leave_link(struct tacit_wasm_leave *l, const uint8_t *id, size_t n);

/* in: receipt key[32], id (32 digits), SHA-256 of a claim's token [32], receipt[40]. The answer:
 * u64 when the receiver says that it was. Fails: BAD_SEAL (the server has made it up), MALFORMED.
 */
TACIT_EXPORT("leave_receipt")
enum tacit_err tacit_wasm_leave_receipt(const uint8_t *in, size_t n);

#endif
