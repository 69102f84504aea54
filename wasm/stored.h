/* stored.h - what parcel.wasm exports for receiving what a server keeps for a link
 * (e2e/parcel/stored.h). Calls, answers and errors are as in abi.h. Behind an error it is fit for
 * stored_free only. */
#ifndef TACIT_WASM_STORED_H
#define TACIT_WASM_STORED_H

#include "wasm/abi.h"

struct tacit_wasm_stored;

/* in: the token of the claim (32 random bytes of the host's, to be kept over a reload), then the
 * link or what is behind its #. The answer: the handle, u32; texts: id, access token, SHA-256 of
 * the claim's token, both in hex. Fails: MALFORMED. */
TACIT_EXPORT("stored_new") enum tacit_err tacit_wasm_stored_new(const uint8_t *in, size_t n);
TACIT_EXPORT("stored_free") void tacit_wasm_stored_free(struct tacit_wasm_stored *s); /* wipes */
/* The head, and how large the server says that all of it is. The answer: the offer, as in parcel.h.
 */
TACIT_EXPORT("stored_head")
enum tacit_err tacit_wasm_stored_head(
        struct tacit_wasm_stored *s, uint64_t size, const uint8_t *head, size_t n);
/* Which segment comes next. The answer: u64 from, u64 how many bytes; 0: all have come; u32 how
 * many of them to give in the first piece at least, and u32 of how many more all pieces but the
 * last are a multiple. */
TACIT_EXPORT("stored_next") enum tacit_err tacit_wasm_stored_next(struct tacit_wasm_stored *s);
/* The next piece of it. The answer: content. With the last piece of a segment all of it is opened,
 * with the last segment everything is proven. Fails: BAD_SEAL. */
TACIT_EXPORT("stored_take")
enum tacit_err tacit_wasm_stored_take(struct tacit_wasm_stored *s, const uint8_t *sealed, size_t n);
/* The answer: a receipt in hex, as a text without a length. Fails: USAGE (before all has come). */
TACIT_EXPORT("stored_receipt")
enum tacit_err tacit_wasm_stored_receipt(struct tacit_wasm_stored *s);

#endif
