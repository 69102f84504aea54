#define _GNU_SOURCE /* O_TMPFILE, mkostemp */
#include "agent/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "e2e/file_stream.h"

#define CHUNK TACIT_FILE_CHUNK_BYTES
#define SEALED_CHUNK (CHUNK + 16)

/* --- files ----------------------------------------------------------------------------------- */

void shelf_keep(struct shelf_file *f)
{
	atomic_fetch_add(&f->users, 1);
}

void shelf_drop(struct shelf_file *f)
{
	if (f == NULL || atomic_fetch_sub(&f->users, 1) > 1)
		return;
	close(f->fd);
	tacit_wipe(f, sizeof(*f));
	tacit_free(f);
}

/* Without O_TMPFILE in this file system the name is there for a moment. */
static int open_nameless(const char *folder)
{
	char path[4096];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	if (snprintf(path, sizeof(path), "%s/.tacit-XXXXXX", folder) >= (int)sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static enum tacit_err disk_error(void)
{
	return errno == ENOSPC || errno == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_IO;
}

/* --- writing --------------------------------------------------------------------------------- */

struct shelf_writer {
	struct shelf_file *file;
	struct tacit_file_stream *stream;
	struct tacit_hasher *hasher;
	const struct tacit_env *env;
	uint64_t index, written;
	size_t filled;
	uint8_t chunk[SEALED_CHUNK]; /* a full one waits: it may be the last */
};

static enum tacit_err write_all(int fd, struct tacit_bytes bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return disk_error();
		bytes = tacit_bytes_part(bytes, (size_t)n, bytes.n);
	}
	return TACIT_OK;
}

static enum tacit_err flush_chunk(struct shelf_writer *w, enum tacit_chunk position)
{
	enum tacit_err err;
	TRY(tacit_file_seal_chunk(
	        w->stream, w->index, position, tacit_bytes(w->chunk, w->filled), w->chunk));
	TRY(write_all(w->file->fd, tacit_bytes(w->chunk, w->filled + 16)));
	w->index++;
	w->filled = 0;
out:
	return err;
}

enum tacit_err shelf_probe(const char *folder)
{
	static const uint8_t block[4096] = {0};
	int fd = open_nameless(folder);
	if (fd < 0)
		return disk_error();
	enum tacit_err err = write_all(fd, tacit_bytes(block, sizeof(block)));
	close(fd);
	return err;
}

enum tacit_err shelf_begin(const char *folder, const struct tacit_secret *key,
        const struct tacit_env *env, struct shelf_writer **out)
{
	enum tacit_err err;
	struct shelf_writer *w = tacit_calloc(1, sizeof(*w));
	*out = NULL;
	TRY(w != NULL ? TACIT_OK : TACIT_E_NOMEM);
	w->env = env;
	w->file = tacit_calloc(1, sizeof(*w->file));
	TRY(w->file != NULL ? TACIT_OK : TACIT_E_NOMEM);
	atomic_init(&w->file->users, 1);
	w->file->fd = open_nameless(folder);
	TRY(w->file->fd >= 0 ? TACIT_OK : disk_error());
	TRY(tacit_file_stream_create(key->p, env, w->file->header, &w->stream));
	TRY(tacit_hasher_new(TACIT_SHA256, &w->hasher));
	*out = w;
	w = NULL;
out:
	shelf_abandon(w);
	return err;
}

enum tacit_err shelf_put(struct shelf_writer *w, struct tacit_bytes bytes)
{
	enum tacit_err err;
	TRY(tacit_hasher_update(w->hasher, bytes));
	w->written += bytes.n;
	while (bytes.n > 0) {
		if (w->filled == CHUNK)
			TRY(flush_chunk(w, TACIT_CHUNK_MIDDLE));
		size_t n = bytes.n < CHUNK - w->filled ? bytes.n : CHUNK - w->filled;
		memcpy(w->chunk + w->filled, bytes.p, n);
		w->filled += n;
		bytes = tacit_bytes_part(bytes, n, bytes.n);
	}
out:
	return err;
}

uint64_t shelf_written(const struct shelf_writer *w)
{
	return w->written;
}

enum tacit_err shelf_finish(struct shelf_writer *w, struct shelf_file **out)
{
	enum tacit_err err;
	uint8_t id[AGENT_ID_CHARS / 2];
	*out = NULL;
	TRY(flush_chunk(w, TACIT_CHUNK_LAST));
	TRY(tacit_hasher_peek(w->hasher, w->file->sha256));
	tacit_env_random(w->env, id, sizeof(id));
	tacit_hex(tacit_bytes(id, sizeof(id)), w->file->id);
	w->file->size = w->written;
	w->file->created_at = tacit_env_now(w->env);
	*out = w->file;
	w->file = NULL;
out:
	shelf_abandon(w);
	return err;
}

void shelf_abandon(struct shelf_writer *w)
{
	if (w == NULL)
		return;
	if (w->file != NULL && w->file->fd < 0)
		tacit_free(w->file);
	else
		shelf_drop(w->file);
	tacit_file_stream_free(w->stream);
	tacit_hasher_free(w->hasher);
	tacit_wipe(w, sizeof(*w));
	tacit_free(w);
}

/* --- reading --------------------------------------------------------------------------------- */

struct shelf_reader {
	struct shelf_file *file;
	struct tacit_file_stream *stream;
	uint64_t index; /* of the chunk that is open; UINT64_MAX: none */
	size_t n;
	uint8_t chunk[SEALED_CHUNK];
};

enum tacit_err shelf_open(
        struct shelf_file *f, const struct tacit_secret *key, struct shelf_reader **out)
{
	enum tacit_err err;
	struct shelf_reader *r = tacit_calloc(1, sizeof(*r));
	*out = NULL;
	TRY(r != NULL ? TACIT_OK : TACIT_E_NOMEM);
	r->index = UINT64_MAX;
	shelf_keep(f);
	r->file = f;
	TRY(tacit_file_stream_resume(key->p, f->header, &r->stream));
	*out = r;
	r = NULL;
out:
	shelf_close(r);
	return err;
}

static enum tacit_err read_all(int fd, uint8_t *room, size_t n, uint64_t offset)
{
	while (n > 0) {
		ssize_t got = pread(fd, room, n, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return TACIT_E_IO;
		room += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return TACIT_OK;
}

static enum tacit_err load_chunk(struct shelf_reader *r, uint64_t index)
{
	enum tacit_err err;
	uint64_t last = tacit_file_chunks(r->file->size) - 1;
	size_t n = index == last ? (size_t)(r->file->size - last * CHUNK) : CHUNK;
	r->index = UINT64_MAX;
	TRY(read_all(r->file->fd, r->chunk, n + 16, index * SEALED_CHUNK));
	TRY(tacit_file_open_chunk(r->stream, index,
	        index == last ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE,
	        tacit_bytes(r->chunk, n + 16), r->chunk));
	r->index = index;
	r->n = n;
out:
	return err;
}

enum tacit_err shelf_read(
        struct shelf_reader *r, uint64_t offset, struct tacit_room room, size_t *got)
{
	enum tacit_err err = TACIT_OK;
	*got = 0;
	while (*got < room.n && offset < r->file->size) {
		uint64_t index = offset / CHUNK;
		size_t from = (size_t)(offset % CHUNK);
		if (index != r->index)
			TRY(load_chunk(r, index));
		size_t n = r->n - from < room.n - *got ? r->n - from : room.n - *got;
		memcpy(room.p + *got, r->chunk + from, n);
		*got += n;
		offset += n;
	}
out:
	return err;
}

void shelf_close(struct shelf_reader *r)
{
	if (r == NULL)
		return;
	shelf_drop(r->file);
	tacit_file_stream_free(r->stream);
	tacit_wipe(r, sizeof(*r));
	tacit_free(r);
}
