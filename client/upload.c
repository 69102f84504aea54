/* One upload: the note and the file decide whether it goes on or begins anew; then PATCH after
 * PATCH until the server has all of it; then its SHA-256 is held against ours. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/writer.h"
#include "client/transfer_int.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "e2e/file_stream.h"

#define TUS_PATH "/api/files/tus"
#define TUS_VERSION "Tus-Resumable: 1.0.0"
#define NOTE_VERSION 1
#define MAX_ID 64

/* What a file looked like. ctime counts: nobody can set it back after changing the contents. */
struct look {
	uint64_t size, device, inode;
	int64_t modified_ns, changed_ns;
};

struct job {
	struct transfer *t;
	const struct upload *what;
	struct tacit_buf note_name;
	struct look look;
	int fd;
	char id[MAX_ID + 1]; /* empty: not begun on the server */
	uint8_t key[TACIT_FILE_KEY_BYTES];
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	struct seal_source *source;
	char server_sha256[2 * TACIT_SHA256_BYTES + 1];
	uint64_t sent;             /* progress: offset in the sealed form */
	enum tacit_err read_error; /* why on_read gave up */
};

/* --- the file -------------------------------------------------------------------------------- */

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static enum tacit_err look_at(int fd, struct look *out)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return TACIT_E_IO;
	*out = (struct look){
	        .size = (uint64_t)st.st_size,
	        .device = (uint64_t)st.st_dev,
	        .inode = (uint64_t)st.st_ino,
	        .modified_ns = nanoseconds(&st.st_mtim),
	        .changed_ns = nanoseconds(&st.st_ctim),
	};
	return TACIT_OK;
}

static bool looks_equal(const struct look *a, const struct look *b)
{
	return a->size == b->size && a->device == b->device && a->inode == b->inode &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

static enum tacit_err still_the_same(struct job *j)
{
	struct look now;
	enum tacit_err err = look_at(j->fd, &now);
	if (err == TACIT_OK && !looks_equal(&now, &j->look)) {
		err = TACIT_E_CONFLICT;
		snprintf(j->t->problem, sizeof(j->t->problem),
		        "The file changed while it was being sent.");
	}
	return err;
}

static enum tacit_err open_file(struct job *j)
{
	struct stat st;
	j->fd = open(j->what->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang */
	if (j->fd < 0)
		return errno == ENOENT ? TACIT_E_NOT_FOUND : TACIT_E_IO;
	if (fstat(j->fd, &st) == 0 && !S_ISREG(st.st_mode))
		snprintf(j->t->problem, sizeof(j->t->problem), "It is not a regular file.");
	tacit_ignore(posix_fadvise(j->fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0 ? TACIT_OK : TACIT_E_IO,
	        "advice");
	return look_at(j->fd, &j->look);
}

/* --- the note -------------------------------------------------------------------------------- */

/* The hash of the path, since a path may be longer than the name of a note. */
static enum tacit_err name_note(const struct upload *u, struct tacit_buf *out)
{
	uint8_t digest[TACIT_SHA256_BYTES];
	char hex[2 * TACIT_SHA256_BYTES + 1];
	char *resolved = realpath(u->path, NULL);
	tacit_sha256(tacit_cstr(resolved != NULL ? resolved : u->path), digest);
	free(resolved);
	tacit_hex(tacit_bytes(digest, sizeof(digest)), hex);
	return tacit_buf_printf(out, "upload:%" PRIu64 ":%s", u->conversation, hex);
}

static enum tacit_err write_note(struct job *j)
{
	enum tacit_err err;
	struct tacit_buf note = {0};
	struct tacit_writer w = tacit_writer(&note);
	tacit_write_u8(&w, NOTE_VERSION);
	tacit_write_vec8(&w, tacit_cstr(j->id));
	tacit_write_raw(&w, tacit_bytes(j->key, sizeof(j->key)));
	tacit_write_raw(&w, tacit_bytes(j->header, sizeof(j->header)));
	tacit_write_u64(&w, j->look.size);
	tacit_write_u64(&w, j->look.device);
	tacit_write_u64(&w, j->look.inode);
	tacit_write_u64(&w, (uint64_t)j->look.modified_ns);
	tacit_write_u64(&w, (uint64_t)j->look.changed_ns);
	TRY(tacit_writer_finish(&w));
	TRY(j->t->note_put(j->t->ctx, tacit_buf_view(&j->note_name), tacit_buf_view(&note)));
out:
	tacit_buf_clear(&note);
	return err;
}

/* Fills id, key and header when the note fits the file; else id stays empty. */
static enum tacit_err read_note(struct job *j)
{
	struct tacit_buf note = {0};
	struct look then;
	enum tacit_err err = j->t->note_get(j->t->ctx, tacit_buf_view(&j->note_name), &note);
	if (err == TACIT_E_NOT_FOUND)
		return TACIT_OK;
	TRY(err);
	struct tacit_reader r = tacit_reader(tacit_buf_view(&note));
	uint8_t version = tacit_read_u8(&r);
	struct tacit_bytes id = tacit_read_vec8(&r, MAX_ID);
	tacit_read_into(&r, j->key, sizeof(j->key));
	tacit_read_into(&r, j->header, sizeof(j->header));
	then.size = tacit_read_u64(&r);
	then.device = tacit_read_u64(&r);
	then.inode = tacit_read_u64(&r);
	then.modified_ns = (int64_t)tacit_read_u64(&r);
	then.changed_ns = (int64_t)tacit_read_u64(&r);
	if (tacit_reader_end(&r) == TACIT_OK && version == NOTE_VERSION && transfer_id_valid(id) &&
	        looks_equal(&then, &j->look))
		snprintf(j->id, sizeof(j->id), "%.*s", (int)id.n, (const char *)id.p);
out:
	tacit_buf_clear(&note);
	return err;
}

/* --- tus ------------------------------------------------------------------------------------- */

static enum tacit_err call_tus(struct job *j, const char *method, const char *const *headers,
        size_t n, struct http_answer *a)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	TRY(tacit_buf_printf(&path, TUS_PATH "%s%s", j->id[0] != '\0' ? "/" : "", j->id));
	TRY(tacit_buf_terminate(&path));
	const struct http_request r = {
	        .method = method,
	        .path = (const char *)path.p,
	        .cookie = j->t->cookie,
	        .headers = headers,
	        .header_count = n,
	};
	TRY(transfer_call(j->t, &r, a));
out:
	tacit_buf_clear(&path);
	return err;
}

/* The id is the last part of Location; where the server would like us to go otherwise is its own
 * affair. */
static enum tacit_err take_id(struct job *j, const char *location)
{
	const char *slash = strrchr(location, '/');
	struct tacit_bytes id = tacit_cstr(slash != NULL ? slash + 1 : "");
	if (!transfer_id_valid(id)) {
		snprintf(j->t->problem, sizeof(j->t->problem),
		        "The server did not say where to send the file.");
		return TACIT_E_MALFORMED;
	}
	snprintf(j->id, sizeof(j->id), "%.*s", (int)id.n, (const char *)id.p);
	return TACIT_OK;
}

static enum tacit_err create_upload(struct job *j)
{
	enum tacit_err err;
	struct http_answer a = {0};
	struct tacit_buf conversation = {0};
	struct tacit_buf metadata = {0};
	char length[64];
	tacit_env_random(j->t->env, j->key, sizeof(j->key));
	TRY(tacit_file_header_new(j->t->env, j->header));
	TRY(tacit_buf_printf(&conversation, "%" PRIu64, j->what->conversation));
	TRY(tacit_buf_append(&metadata, TACIT_STR("Upload-Metadata: conversation_id ")));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&conversation), &metadata));
	TRY(tacit_buf_terminate(&metadata));
	snprintf(length, sizeof(length), "Upload-Length: %" PRIu64,
	        tacit_file_sealed_bytes(j->look.size));
	const char *const headers[] = {TUS_VERSION, length, (const char *)metadata.p};
	TRY(call_tus(j, "POST", headers, TACIT_COUNT(headers), &a));
	TRY(take_id(j, a.location));
	TRY(write_note(j));
out:
	tacit_buf_clear(&conversation);
	tacit_buf_clear(&metadata);
	http_answer_clear(&a);
	return err;
}

static void take_digest(struct job *j, const struct http_answer *a)
{
	if (a->file_sha256[0] != '\0')
		snprintf(j->server_sha256, sizeof(j->server_sha256), "%s", a->file_sha256);
}

static enum tacit_err ask_offset(struct job *j, uint64_t *offset)
{
	enum tacit_err err;
	struct http_answer a = {0};
	const char *const headers[] = {TUS_VERSION};
	TRY(call_tus(j, "HEAD", headers, TACIT_COUNT(headers), &a));
	if (a.upload_offset < 0 || (uint64_t)a.upload_offset > seal_source_total(j->source))
		TRY(TACIT_E_MALFORMED);
	*offset = (uint64_t)a.upload_offset;
	take_digest(j, &a);
out:
	http_answer_clear(&a);
	return err;
}

static size_t on_read(void *ctx, uint8_t *room, size_t n)
{
	struct job *j = ctx;
	size_t got = 0;
	j->read_error = transfer_cancelled(j->t) ? TACIT_E_CANCELLED
	                                         : seal_source_read(j->source, room, n, &got);
	/* What is sent again was sealed under the same key before, and must be what it was. */
	if (j->read_error == TACIT_OK)
		j->read_error = still_the_same(j);
	if (j->read_error != TACIT_OK)
		return HTTP_READ_ABORT;
	j->sent += got;
	transfer_progress(j->t, j->sent, seal_source_total(j->source));
	return got;
}

static enum tacit_err send_rest(struct job *j, uint64_t offset)
{
	enum tacit_err err;
	struct http_answer a = {0};
	struct tacit_buf path = {0};
	char at[64];
	j->read_error = TACIT_OK;
	TRY(still_the_same(j));
	TRY(seal_source_seek(j->source, offset));
	j->sent = offset;
	TRY(tacit_buf_printf(&path, TUS_PATH "/%s", j->id));
	TRY(tacit_buf_terminate(&path));
	snprintf(at, sizeof(at), "Upload-Offset: %" PRIu64, offset);
	const char *const headers[] = {TUS_VERSION, at};
	const struct http_request r = {
	        .method = "PATCH",
	        .path = (const char *)path.p,
	        .cookie = j->t->cookie,
	        .content_type = "application/offset+octet-stream",
	        .headers = headers,
	        .header_count = TACIT_COUNT(headers),
	        .read = on_read,
	        .read_bytes = seal_source_total(j->source) - offset,
	        .ctx = j,
	};
	TRY(transfer_call(j->t, &r, &a));
	take_digest(j, &a);
out:
	if (j->read_error != TACIT_OK)
		err = j->read_error;
	tacit_buf_clear(&path);
	http_answer_clear(&a);
	return err;
}

/* A proxy's 502 or a full queue's 503 is worth another try, as a lost connection is. */
static bool may_pass(enum tacit_err err)
{
	return err == TACIT_E_NETWORK || err == TACIT_E_REFUSED || err == TACIT_E_LIMIT ||
	       err == TACIT_E_CONFLICT;
}

/* Until the server has all of it. Each try asks first how far it is; a try without progress counts
 * even when the server called it a success. */
static enum tacit_err send_all(struct job *j)
{
	enum tacit_err err;
	uint64_t reached = 0;
	for (unsigned tries = 1;; tries++) {
		uint64_t offset = 0;
		err = ask_offset(j, &offset);
		if (err == TACIT_OK && offset == seal_source_total(j->source))
			return seal_source_seek(j->source, offset);
		if (err == TACIT_OK) {
			tries = offset > reached ? 1 : tries;
			reached = offset;
			err = send_rest(j, offset);
		}
		if (err == TACIT_OK && tries == 1)
			continue;
		if (err == TACIT_OK && tries > TRANSFER_TRIES)
			return TACIT_E_MALFORMED;
		if (err != TACIT_OK &&
		        (!may_pass(err) || j->read_error != TACIT_OK || tries > TRANSFER_TRIES))
			return err;
		TRY(still_the_same(j));
		TRY(transfer_pause(j->t, tries));
	}
out:
	return err;
}

/* --- the whole ------------------------------------------------------------------------------- */

static enum tacit_err start_source(struct job *j)
{
	seal_source_free(j->source);
	j->source = NULL;
	return seal_source_new(j->key, j->header, j->fd, j->look.size, &j->source);
}

static enum tacit_err begin_anew(struct job *j)
{
	enum tacit_err err;
	j->id[0] = '\0';
	j->server_sha256[0] = '\0';
	TRY(create_upload(j));
	TRY(start_source(j));
out:
	return err;
}

/* An upload that lapsed on the server, or was cut off, is begun once more. */
static enum tacit_err send_or_begin_anew(struct job *j)
{
	enum tacit_err err;
	bool resumed = j->id[0] != '\0';
	if (resumed)
		TRY(start_source(j));
	else
		TRY(begin_anew(j));
	err = send_all(j);
	if (resumed && (err == TACIT_E_NOT_FOUND || err == TACIT_E_GONE)) {
		TRY(begin_anew(j));
		err = send_all(j);
	}
out:
	return err;
}

static void give_up_upload(struct job *j)
{
	struct http_answer a = {0};
	const char *const headers[] = {TUS_VERSION};
	if (j->id[0] != '\0')
		tacit_ignore(call_tus(j, "DELETE", headers, TACIT_COUNT(headers), &a),
		        "it lapses by itself");
	http_answer_clear(&a);
	tacit_ignore(j->t->note_put(j->t->ctx, tacit_buf_view(&j->note_name), tacit_bytes(NULL, 0)),
	        "a note that no longer fits is not used");
}

static enum tacit_err check_digest(struct job *j, uint8_t out[TACIT_SHA256_BYTES])
{
	enum tacit_err err;
	uint8_t ours[TACIT_SHA256_BYTES], theirs[TACIT_SHA256_BYTES];
	uint64_t offset;
	TRY(seal_source_digest(j->source, out));
	TRY(seal_source_sha256(j->source, ours));
	if (j->server_sha256[0] == '\0')
		TRY(ask_offset(j, &offset));
	if (tacit_unhex(tacit_cstr(j->server_sha256), theirs, sizeof(theirs)) != TACIT_OK ||
	        memcmp(theirs, ours, sizeof(theirs)) != 0)
		err = TACIT_E_BAD_SEAL;
out:
	return err;
}

static enum tacit_err describe(
        const struct job *j, struct tacit_file_ref *out, struct tacit_buf *room)
{
	enum tacit_err err;
	const char *slash = strrchr(j->what->path, '/');
	struct tacit_bytes name = tacit_cstr(slash != NULL ? slash + 1 : j->what->path);
	struct tacit_bytes id = tacit_cstr(j->id);
	TRY(tacit_buf_append(room, id));
	TRY(tacit_buf_append(room, name));
	out->id = tacit_bytes(room->p + room->n - name.n - id.n, id.n);
	out->name = tacit_bytes(room->p + room->n - name.n, name.n);
	out->size = j->look.size;
	memcpy(out->key, j->key, sizeof(out->key));
out:
	return err;
}

enum tacit_err transfer_upload(struct transfer *t, const struct upload *u,
        struct tacit_file_ref *out, struct tacit_buf *room)
{
	enum tacit_err err;
	struct job j = {.t = t, .what = u, .fd = -1};
	*out = (struct tacit_file_ref){0};
	t->problem[0] = '\0';
	TRY(open_file(&j));
	TRY(name_note(u, &j.note_name));
	TRY(read_note(&j));
	TRY(send_or_begin_anew(&j));
	TRY(still_the_same(&j));
	TRY(check_digest(&j, out->sealed_digest));
	TRY(describe(&j, out, room));
out:
	if (err == TACIT_E_CONFLICT || err == TACIT_E_BAD_SEAL)
		give_up_upload(&j);
	if (err != TACIT_OK)
		tacit_content_wipe(&(struct tacit_content){.file = *out});
	seal_source_free(j.source);
	tacit_wipe(j.key, sizeof(j.key));
	tacit_buf_clear(&j.note_name);
	if (j.fd >= 0)
		close(j.fd);
	return err;
}

enum tacit_err transfer_upload_forget(struct transfer *t, const struct upload *u)
{
	enum tacit_err err;
	struct tacit_buf name = {0};
	TRY(name_note(u, &name));
	TRY(t->note_put(t->ctx, tacit_buf_view(&name), tacit_bytes(NULL, 0)));
out:
	tacit_buf_clear(&name);
	return err;
}
