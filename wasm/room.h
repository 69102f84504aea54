/* room.h - the answer under way, and the environment, for the files of this folder. */
#ifndef TACIT_WASM_ROOM_H
#define TACIT_WASM_ROOM_H

#include "base/buf.h"
#include "base/env.h"

/* Empties the answer, and gives it out to be filled. */
struct tacit_buf *tacit_wasm_begin(void);
/* The answer is these bytes, in one piece: no copy of them stays behind. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_wasm_give(struct tacit_bytes bytes);
/* The answer is a handle. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_wasm_give_handle(const void *handle);

/* Time and randomness of the host. */
const struct tacit_env *tacit_wasm_env(void);

#endif
