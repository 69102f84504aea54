/* shelf.h - the files of a transfer session at rest: sealed chunk by chunk (e2e/file_stream.h)
 * under the session's key, which is in memory only, in files that have no name. So nothing is left
 * of them when the process ends, however it ends. Any thread may read; one writes a file. */
#ifndef TACIT_AGENT_SHELF_H
#define TACIT_AGENT_SHELF_H

#include <stdatomic.h>

#include "agent/exchange.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "wire/file_header.h"
#include "wire/limits.h"

#define SHELF_KEY_BYTES TACIT_FILE_KEY_BYTES

struct shelf_file {
	struct shelf_file *next; /* the session's */
	atomic_uint users;
	int fd;
	char id[AGENT_ID_CHARS + 1];
	char name[TACIT_MAX_FILE_NAME + 1]; /* safe: tacit_file_name_safe */
	char type[TACIT_MAX_MIME_TYPE + 1];
	uint64_t size;
	uint8_t sha256[TACIT_SHA256_BYTES]; /* of the plaintext */
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	int64_t created_at;
	bool ours; /* uploaded here, and not by the peer */
	bool delivered, refused;
};

void shelf_keep(struct shelf_file *f);
void shelf_drop(struct shelf_file *f); /* with the last user the file is gone; NULL is fine */

struct shelf_writer;

/* Can files be kept there now? Fails: STORE_FULL, IO. */
TACIT_MUST_USE enum tacit_err shelf_probe(const char *folder);

/* folder: absolute. Fails: IO, STORE_FULL, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err shelf_begin(const char *folder, const struct tacit_secret *key,
        const struct tacit_env *env, struct shelf_writer **out);
/* Fails: STORE_FULL, IO, CRYPTO. */
TACIT_MUST_USE enum tacit_err shelf_put(struct shelf_writer *w, struct tacit_bytes bytes);
uint64_t shelf_written(const struct shelf_writer *w);
/* The file, with size, sha256 and a fresh id; the caller's. The writer is gone in any case. */
TACIT_MUST_USE enum tacit_err shelf_finish(struct shelf_writer *w, struct shelf_file **out);
void shelf_abandon(struct shelf_writer *w); /* NULL is fine */

struct shelf_reader;

/* Holds the file. Fails: NOMEM, CRYPTO, MALFORMED. */
TACIT_MUST_USE enum tacit_err shelf_open(
        struct shelf_file *f, const struct tacit_secret *key, struct shelf_reader **out);
/* Up to n bytes from an offset; *got 0: the end. Fails: IO, BAD_SEAL (changed on the disk), CRYPTO.
 */
TACIT_MUST_USE enum tacit_err shelf_read(
        struct shelf_reader *r, uint64_t offset, struct tacit_room room, size_t *got);
void shelf_close(struct shelf_reader *r); /* wipes; NULL is fine */

#endif
