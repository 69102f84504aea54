/* One download. The part file holds whole authenticated chunks; to go on after an interruption they
 * are sealed again (the construction is deterministic) so that the digest of the sealed form at the
 * end covers the whole file, and with it what was on this disk meanwhile. */
#define _GNU_SOURCE /* renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/transfer_int.h"
#include "crypto/secret.h"
#include "e2e/file_digest.h"
#include "e2e/file_stream.h"

struct job {
	struct transfer *t;
	const struct tacit_file_ref *file;
	struct tacit_buf folder, name, part; /* NUL-terminated */
	int folder_fd, fd;
	struct sealed_shape shape; /* chunk_bytes 0: the header has not come yet */
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	struct tacit_file_stream *stream;
	struct tacit_file_digest *digest;
	uint8_t *room;     /* one sealed chunk on its way in */
	size_t filled;     /* of room, or of header while there is no shape */
	uint64_t chunk;    /* the next one to come */
	uint64_t received; /* in this try: did anything come at all? */
	enum tacit_err write_error;
};

/* --- the part file --------------------------------------------------------------------------- */

static enum tacit_err split_target(struct job *j, const char *target)
{
	enum tacit_err err;
	const char *slash = strrchr(target, '/');
	struct tacit_bytes folder = TACIT_STR(".");
	if (slash == target)
		folder = TACIT_STR("/");
	else if (slash != NULL)
		folder = tacit_bytes(target, (size_t)(slash - target));
	TRY(tacit_buf_append(&j->folder, folder));
	TRY(tacit_buf_terminate(&j->folder));
	TRY(tacit_buf_append(&j->name, tacit_cstr(slash != NULL ? slash + 1 : target)));
	TRY(tacit_buf_terminate(&j->name));
	TRY(tacit_buf_printf(
	        &j->part, ".tacit-%.*s.part", (int)j->file->id.n, (const char *)j->file->id.p));
	TRY(tacit_buf_terminate(&j->part));
out:
	return err;
}

static const char *name_of(const struct job *j)
{
	return (const char *)j->name.p;
}

static const char *part_of(const struct job *j)
{
	return (const char *)j->part.p;
}

static enum tacit_err io_error(struct job *j, const char *what)
{
	int cause = errno;
	snprintf(j->t->problem, sizeof(j->t->problem), "%s: %s.", what, strerror(cause));
	return cause == ENOSPC || cause == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_IO;
}

static enum tacit_err open_part(struct job *j)
{
	struct stat st;
	j->folder_fd = open((const char *)j->folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->folder_fd < 0)
		return io_error(j, "The folder cannot be opened");
	if (fstatat(j->folder_fd, name_of(j), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return TACIT_E_EXISTS;
	j->fd = openat(j->folder_fd, part_of(j), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (j->fd < 0)
		return io_error(j, "The file cannot be written");
	/* A second name would be that of another file of ours, put here by somebody else who may
	 * write in this folder. */
	if (fstat(j->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	        st.st_nlink != 1)
		return TACIT_E_IO;
	if (flock(j->fd, LOCK_EX | LOCK_NB) != 0) {
		snprintf(j->t->problem, sizeof(j->t->problem),
		        "Another tacit is fetching this file right now.");
		return TACIT_E_CONFLICT;
	}
	return TACIT_OK;
}

static enum tacit_err write_part(struct job *j, const uint8_t *p, size_t n, uint64_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = pwrite(j->fd, p + done, n - done, (off_t)(at + done));
		if (put < 0 && errno != EINTR)
			return io_error(j, "The file cannot be written");
		if (put > 0)
			done += (size_t)put;
	}
	return TACIT_OK;
}

/* Durable under its final name, or not there at all; what stands there is never replaced. */
static enum tacit_err publish(struct job *j)
{
	if (fsync(j->fd) != 0)
		return io_error(j, "The file cannot be written");
	int rc = renameat2(j->folder_fd, part_of(j), j->folder_fd, name_of(j), RENAME_NOREPLACE);
	if (rc != 0 && errno == EINVAL) { /* a file system without it */
		rc = linkat(j->folder_fd, part_of(j), j->folder_fd, name_of(j), 0);
		if (rc == 0)
			unlinkat(j->folder_fd, part_of(j), 0);
	}
	if (rc != 0)
		return errno == EEXIST ? TACIT_E_EXISTS : io_error(j, "The file cannot be named");
	if (fsync(j->folder_fd) != 0 && errno != EINVAL)
		return io_error(j, "The folder cannot be written");
	return TACIT_OK;
}

static bool part_is_empty(const struct job *j)
{
	struct stat st;
	return j->fd >= 0 && fstat(j->fd, &st) == 0 && st.st_size == 0;
}

/* --- chunks ---------------------------------------------------------------------------------- */

static enum tacit_err take_header(struct job *j)
{
	enum tacit_err err;
	TRY(tacit_file_stream_resume(j->file->key, j->header, &j->stream));
	j->shape = (struct sealed_shape){j->file->size, tacit_file_stream_chunk_bytes(j->stream)};
	j->room = tacit_alloc(j->shape.chunk_bytes + TRANSFER_TAG_BYTES);
	if (j->room == NULL)
		TRY(TACIT_E_NOMEM);
	TRY(tacit_file_digest_new(j->header, &j->digest));
out:
	return err;
}

static enum tacit_chunk place_of(const struct job *j, uint64_t chunk)
{
	return chunk + 1 == sealed_chunks(j->shape) ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE;
}

static enum tacit_err take_chunk(struct job *j, size_t n)
{
	enum tacit_err err;
	TRY(tacit_file_digest_chunk(j->digest, tacit_bytes(j->room, n)));
	TRY(tacit_file_open_chunk(
	        j->stream, j->chunk, place_of(j, j->chunk), tacit_bytes(j->room, n), j->room));
	TRY(write_part(j, j->room, n - TRANSFER_TAG_BYTES, j->chunk * j->shape.chunk_bytes));
	j->chunk++;
	j->filled = 0;
out:
	return err;
}

/* Moves what fits from part to room and says whether room is full. */
static bool fill(uint8_t *room, size_t want, size_t *filled, struct tacit_bytes *part)
{
	size_t n = want - *filled < part->n ? want - *filled : part->n;
	memcpy(room + *filled, part->p, n);
	*filled += n;
	*part = tacit_bytes(part->p + n, part->n - n);
	return *filled == want;
}

static uint64_t sealed_offset(const struct job *j)
{
	if (j->shape.chunk_bytes == 0)
		return j->filled;
	if (j->chunk == sealed_chunks(j->shape)) /* the last one is shorter */
		return sealed_bytes(j->shape);
	return TACIT_FILE_HEADER_BYTES + j->filled +
	       j->chunk * (j->shape.chunk_bytes + TRANSFER_TAG_BYTES);
}

static enum tacit_err take_bytes(struct job *j, struct tacit_bytes part)
{
	enum tacit_err err = TACIT_OK;
	while (part.n > 0 && j->shape.chunk_bytes == 0) {
		if (!fill(j->header, sizeof(j->header), &j->filled, &part))
			return TACIT_OK;
		j->filled = 0;
		TRY(take_header(j));
	}
	while (part.n > 0) {
		if (j->chunk == sealed_chunks(j->shape))
			TRY(TACIT_E_TRAILING);
		size_t want = sealed_chunk_plain(j->shape, j->chunk) + TRANSFER_TAG_BYTES;
		if (fill(j->room, want, &j->filled, &part))
			TRY(take_chunk(j, want));
	}
out:
	return err;
}

static bool on_body(void *ctx, struct tacit_bytes part)
{
	struct job *j = ctx;
	j->received += part.n;
	j->write_error = transfer_cancelled(j->t) ? TACIT_E_CANCELLED : take_bytes(j, part);
	if (j->write_error == TACIT_OK && j->shape.chunk_bytes != 0)
		transfer_progress(j->t, sealed_offset(j), sealed_bytes(j->shape));
	return j->write_error == TACIT_OK;
}

/* --- going on -------------------------------------------------------------------------------- */

/* Whole chunks that an earlier run left; the last chunk is always fetched again. */
static enum tacit_err count_kept(struct job *j, uint64_t *chunks)
{
	struct stat st;
	if (fstat(j->fd, &st) != 0)
		return TACIT_E_IO;
	*chunks = (uint64_t)st.st_size / j->shape.chunk_bytes;
	if (*chunks > sealed_chunks(j->shape) - 1)
		*chunks = sealed_chunks(j->shape) - 1;
	return TACIT_OK;
}

/* Seals the kept chunks again, for the hash. */
static enum tacit_err hash_kept(struct job *j)
{
	enum tacit_err err;
	uint64_t kept;
	size_t n = j->shape.chunk_bytes;
	TRY(count_kept(j, &kept));
	for (; j->chunk < kept; j->chunk++) {
		ssize_t got = pread(j->fd, j->room, n, (off_t)(j->chunk * n));
		if (got != (ssize_t)n)
			TRY(TACIT_E_IO);
		TRY(tacit_file_seal_chunk(
		        j->stream, j->chunk, TACIT_CHUNK_MIDDLE, tacit_bytes(j->room, n), j->room));
		TRY(tacit_file_digest_chunk(
		        j->digest, tacit_bytes(j->room, n + TRANSFER_TAG_BYTES)));
		if (transfer_cancelled(j->t))
			TRY(TACIT_E_CANCELLED);
	}
out:
	return err;
}

static enum tacit_err fetch(struct job *j, uint64_t from, uint64_t to)
{
	enum tacit_err err;
	struct http_answer a = {0};
	struct tacit_buf path = {0};
	char range[80];
	j->write_error = TACIT_OK;
	j->received = 0;
	TRY(tacit_buf_printf(&path, "/api/files/%.*s/download", (int)j->file->id.n,
	        (const char *)j->file->id.p));
	TRY(tacit_buf_terminate(&path));
	snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-%" PRIu64, from, to - 1);
	const char *const headers[] = {range};
	const struct http_request r = {
	        .method = "GET",
	        .path = (const char *)path.p,
	        .cookie = j->t->cookie,
	        .headers = headers,
	        .header_count = 1,
	        .write = on_body,
	        .ctx = j,
	};
	/* A 200 where a part was asked for would feed the beginning in the middle: the first chunk
	 * would not open. It is told apart here only to say so in better words. */
	TRY(transfer_call(j->t, &r, &a));
	if (a.status != 206 && from != 0)
		TRY(TACIT_E_UNSUPPORTED);
out:
	if (j->write_error != TACIT_OK)
		err = j->write_error;
	tacit_buf_clear(&path);
	http_answer_clear(&a);
	return err;
}

static bool may_pass(const struct job *j, enum tacit_err err)
{
	return j->write_error == TACIT_OK &&
	       (err == TACIT_E_NETWORK || err == TACIT_E_REFUSED || err == TACIT_E_LIMIT);
}

static bool complete(const struct job *j)
{
	return j->shape.chunk_bytes != 0 && j->chunk == sealed_chunks(j->shape);
}

/* The end of the range is what the sender's message says, so a longer file is never read; a shorter
 * one makes no progress, or ends in a chunk that does not open. */
static uint64_t range_end(const struct job *j)
{
	if (j->shape.chunk_bytes == 0)
		return TACIT_FILE_HEADER_BYTES;
	return sealed_bytes(j->shape);
}

static enum tacit_err fetch_until(struct job *j, bool (*enough)(const struct job *))
{
	enum tacit_err err = TACIT_OK;
	for (unsigned tries = 1; !enough(j); tries++) {
		err = fetch(j, sealed_offset(j), range_end(j));
		if (err == TACIT_OK && enough(j))
			break;
		if (j->received > 0)
			tries = 1;
		if (err == TACIT_OK && j->received == 0)
			return TACIT_E_TRUNCATED;
		if (err != TACIT_OK && (!may_pass(j, err) || tries > TRANSFER_TRIES))
			return err;
		if (err != TACIT_OK)
			TRY(transfer_pause(j->t, tries));
	}
out:
	return err;
}

static bool has_header(const struct job *j)
{
	return j->shape.chunk_bytes != 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void start_over(struct job *j)
{
	tacit_file_stream_free(j->stream);
	j->stream = NULL;
	tacit_file_digest_free(j->digest);
	j->digest = NULL;
	if (j->room != NULL)
		tacit_wipe(j->room, j->shape.chunk_bytes);
	tacit_free(j->room);
	j->room = NULL;
	j->shape = (struct sealed_shape){0};
	j->filled = 0;
	j->chunk = 0;
}

static enum tacit_err fetch_all(struct job *j, bool *resumed)
{
	enum tacit_err err;
	start_over(j);
	TRY(fetch_until(j, has_header));
	TRY(hash_kept(j));
	*resumed = j->chunk > 0;
	if (!complete(j) && ftruncate(j->fd, (off_t)(j->chunk * j->shape.chunk_bytes)) != 0)
		TRY(TACIT_E_IO);
	TRY(fetch_until(j, complete));
	TRY(tacit_file_digest_check(j->digest, j->file->sealed_digest));
	if (ftruncate(j->fd, (off_t)j->file->size) != 0) /* nothing of an earlier part beyond */
		TRY(TACIT_E_IO);
out:
	return err;
}

static bool not_what_was_sent(enum tacit_err err)
{
	return err == TACIT_E_BAD_SEAL || err == TACIT_E_TRAILING || err == TACIT_E_TRUNCATED ||
	       err == TACIT_E_MALFORMED || err == TACIT_E_UNSUPPORTED;
}

enum tacit_err transfer_download(
        struct transfer *t, const struct tacit_file_ref *file, const char *target)
{
	enum tacit_err err;
	bool resumed = false;
	struct job j = {.t = t, .file = file, .folder_fd = -1, .fd = -1};
	t->problem[0] = '\0';
	if (!transfer_id_valid(file->id) || file->size > INT64_MAX / 2)
		return TACIT_E_MALFORMED;
	TRY(split_target(&j, target));
	TRY(open_part(&j));
	err = fetch_all(&j, &resumed);
	if (err == TACIT_E_BAD_SEAL && resumed) { /* perhaps the part file was damaged meanwhile */
		if (ftruncate(j.fd, 0) != 0)
			TRY(TACIT_E_IO);
		err = fetch_all(&j, &resumed);
	}
	if (not_what_was_sent(err)) {
		unlinkat(j.folder_fd, part_of(&j), 0);
		err = TACIT_E_BAD_SEAL;
	}
	TRY(err);
	TRY(publish(&j));
out:
	start_over(&j);
	if (err != TACIT_OK && part_is_empty(&j))
		unlinkat(j.folder_fd, part_of(&j), 0);
	if (j.fd >= 0)
		close(j.fd);
	if (j.folder_fd >= 0)
		close(j.folder_fd);
	tacit_buf_clear(&j.folder);
	tacit_buf_clear(&j.name);
	tacit_buf_clear(&j.part);
	return err;
}
