/* transfer.h - files up and down: sealed while they leave, opened while they come, in flat memory.
 *
 * Up: tus 1.0.0. What is needed to go on after a crash is kept in a sealed note: the file key, the
 * header, and what the file looked like. Only when the file is still exactly that does an upload go
 * on: sealing other bytes under the same key would be a disaster, so anything else begins anew.
 * The upload counts once the server's SHA-256 of the ciphertext is ours.
 *
 * Down: into `.tacit-ID.part` beside the target, whole authenticated chunks only; at the end the
 * digest of the ciphertext must be what the sender's message says, then sync, then the final name,
 * which is never overwritten. */
#ifndef TACIT_CLIENT_TRANSFER_H
#define TACIT_CLIENT_TRANSFER_H

#include "base/env.h"
#include "client/http.h"
#include "wire/content.h"

/* What a transfer needs of its surroundings; notes as in engine.h. */
struct transfer {
	struct http *http;
	const struct tacit_env *env;
	struct tacit_bytes cookie; /* secret */
	const volatile sig_atomic_t *cancel;
	enum tacit_err (*note_get)(void *ctx, struct tacit_bytes name, struct tacit_buf *value);
	enum tacit_err (*note_put)(void *ctx, struct tacit_bytes name, struct tacit_bytes value);
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* NULL: nobody looks */
	void *ctx;
	unsigned retry_ms; /* the first pause before going on after a failure; doubles */
	char problem[800]; /* why it failed, beyond the error; may be empty; sanitise */
};

/* A file id that may stand in a path: 1 to 64 of letters, digits, '-', '_'. */
bool transfer_id_valid(struct tacit_bytes id);

struct upload {
	uint64_t conversation;
	const char *path;
};

/* Sends the file. The views of out point into room; the file key is in out (wipe it).
 * Fails: NOT_FOUND, IO (cannot be read, not a regular file), CONFLICT (it changed while it was
 * being sent), BAD_SEAL (the server has something else), NETWORK, CANCELLED, what the server
 * refused with, the notes' errors, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err transfer_upload(struct transfer *t, const struct upload *u,
        struct tacit_file_ref *out, struct tacit_buf *room);
/* Once the message that names the file is sent: the note goes. Fails: the notes' errors. */
TACIT_MUST_USE enum tacit_err transfer_upload_forget(struct transfer *t, const struct upload *u);

/* Fetches file into target, a path whose last part the caller has made safe.
 * Fails: EXISTS (target), MALFORMED (the message's file id), BAD_SEAL (not the file that was sent:
 * nothing of it is kept), IO, STORE_FULL, NETWORK, CANCELLED, what the server refused with, NOMEM,
 * CRYPTO. */
TACIT_MUST_USE enum tacit_err transfer_download(
        struct transfer *t, const struct tacit_file_ref *file, const char *target);

#endif
