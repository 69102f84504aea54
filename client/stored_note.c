#include "client/stored_note.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/writer.h"
#include "client/paths.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"

#define VERSION 1
#define MAX_NOTE 4096
#define PREFIX "stored-"
#define NAME_BYTES 16 /* of the hash of the owner's token */

static const char magic[8] = "tacitsto";

enum tacit_err stored_note_write(const struct stored_note *n, struct tacit_buf *out)
{
	/* In one piece: a growing buffer would leave secrets behind. */
	enum tacit_err err = tacit_buf_reserve(out, MAX_NOTE);
	struct tacit_writer w = tacit_writer(out);
	if (err != TACIT_OK)
		return err;
	tacit_write_raw(&w, tacit_bytes(magic, sizeof(magic)));
	tacit_write_u8(&w, VERSION);
	tacit_write_vec16(&w, tacit_cstr(n->server));
	tacit_write_vec8(&w, tacit_cstr(n->id));
	tacit_write_vec16(&w, tacit_cstr(n->label));
	tacit_write_raw(&w, tacit_bytes(n->owner, sizeof(n->owner)));
	tacit_write_raw(&w, tacit_bytes(n->receipt, sizeof(n->receipt)));
	tacit_write_raw(&w, tacit_bytes(n->secret, sizeof(n->secret)));
	tacit_write_raw(&w, tacit_bytes(n->source, sizeof(n->source)));
	tacit_write_u8(&w, n->ready ? 1 : 0);
	tacit_write_u64(&w, (uint64_t)n->created_at);
	tacit_write_u64(&w, (uint64_t)n->expires_at);
	tacit_write_u64(&w, (uint64_t)n->downloads);
	tacit_write_u64(&w, n->bytes);
	return tacit_writer_finish(&w);
}

static enum tacit_err keep(struct tacit_bytes text, char *out)
{
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return TACIT_E_MALFORMED;
	if (text.n > 0)
		memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	return TACIT_OK;
}

static int64_t read_time(struct tacit_reader *r)
{
	uint64_t x = tacit_read_u64(r);
	if (x > TACIT_MAX_INTEGER)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	return (int64_t)(x & TACIT_MAX_INTEGER);
}

static bool is_id(const char *id)
{
	return strlen(id) == TACIT_STORED_ID_CHARS &&
	       strspn(id, "0123456789abcdef") == TACIT_STORED_ID_CHARS;
}

enum tacit_err stored_note_read(struct tacit_bytes in, struct stored_note *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	*out = (struct stored_note){0};
	struct tacit_bytes mark = tacit_read_view(&r, sizeof(magic));
	uint8_t version = tacit_read_u8(&r);
	struct tacit_bytes server = tacit_read_vec16(&r, STORED_MAX_SERVER);
	struct tacit_bytes id = tacit_read_vec8(&r, TACIT_STORED_ID_CHARS);
	struct tacit_bytes label = tacit_read_vec16(&r, STORED_MAX_LABEL);
	tacit_read_into(&r, out->owner, sizeof(out->owner));
	tacit_read_into(&r, out->receipt, sizeof(out->receipt));
	tacit_read_into(&r, out->secret, sizeof(out->secret));
	tacit_read_into(&r, out->source, sizeof(out->source));
	uint8_t ready = tacit_read_u8(&r);
	out->created_at = read_time(&r);
	out->expires_at = read_time(&r);
	out->downloads = read_time(&r);
	out->bytes = tacit_read_u64(&r);
	TRY(tacit_reader_end(&r));
	TRY(tacit_bytes_eq(mark, tacit_bytes(magic, sizeof(magic))) ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(version == VERSION ? TACIT_OK : TACIT_E_UNSUPPORTED);
	TRY(ready <= 1 ? TACIT_OK : TACIT_E_MALFORMED);
	out->ready = ready == 1;
	TRY(keep(server, out->server));
	TRY(keep(id, out->id));
	TRY(keep(label, out->label));
	TRY(is_id(out->id) ? TACIT_OK : TACIT_E_MALFORMED);
out:
	if (err != TACIT_OK)
		tacit_wipe(out, sizeof(*out));
	return err;
}

/* --- files ----------------------------------------------------------------------------------- */

static enum tacit_err path_of(const struct stored_note *n, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t digest[TACIT_SHA256_BYTES];
	char name[2 * NAME_BYTES + 1];
	tacit_sha256(tacit_bytes(n->owner, sizeof(n->owner)), digest);
	tacit_hex(tacit_bytes(digest, NAME_BYTES), name);
	TRY(paths_parcels(out));
	TRY(tacit_buf_printf(out, "/" PREFIX "%s", name));
	TRY(tacit_buf_terminate(out));
out:
	return err;
}

static enum tacit_err write_all(int fd, struct tacit_bytes bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno != EINTR)
			return errno == ENOSPC || errno == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_IO;
		bytes = tacit_bytes_part(bytes, n > 0 ? (size_t)n : 0, bytes.n);
	}
	return fsync(fd) == 0 ? TACIT_OK : TACIT_E_IO;
}

enum tacit_err stored_note_save(const struct stored_note *n)
{
	enum tacit_err err;
	struct tacit_buf path = {0}, fresh = {0}, bytes = {0};
	int fd = -1;
	TRY(path_of(n, &path));
	TRY(tacit_buf_printf(&fresh, "%s.new", (const char *)path.p));
	TRY(tacit_buf_terminate(&fresh));
	TRY(stored_note_write(n, &bytes));
	unlink((const char *)fresh.p);
	fd = open(
	        (const char *)fresh.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	TRY(fd >= 0 ? TACIT_OK : TACIT_E_IO);
	err = write_all(fd, tacit_buf_view(&bytes));
	if (err == TACIT_OK && rename((const char *)fresh.p, (const char *)path.p) != 0)
		err = TACIT_E_IO;
	if (err != TACIT_OK)
		unlink((const char *)fresh.p);
out:
	if (fd >= 0)
		close(fd);
	if (bytes.n > 0)
		tacit_wipe(bytes.p, bytes.n);
	tacit_buf_clear(&bytes);
	tacit_buf_clear(&fresh);
	tacit_buf_clear(&path);
	return err;
}

void stored_note_forget(const struct stored_note *n)
{
	struct tacit_buf path = {0};
	if (path_of(n, &path) == TACIT_OK)
		unlink((const char *)path.p);
	tacit_buf_clear(&path);
}

/* False: not a note of ours, or of another version, or damaged. */
static bool load(int folder, const char *name, struct stored_note *out)
{
	uint8_t room[MAX_NOTE];
	struct stat st;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid()
	                    ? read(fd, room, sizeof(room))
	                    : -1;
	close(fd);
	bool good = n > 0 && stored_note_read(tacit_bytes(room, (size_t)n), out) == TACIT_OK;
	tacit_wipe(room, sizeof(room));
	return good;
}

enum tacit_err stored_note_each(bool (*each)(void *ctx, const struct stored_note *n), void *ctx)
{
	enum tacit_err err;
	struct tacit_buf folder = {0};
	struct stored_note note;
	bool more = true;
	DIR *d = NULL;
	TRY(paths_parcels(&folder));
	TRY(tacit_buf_terminate(&folder));
	d = opendir((const char *)folder.p);
	TRY(d != NULL ? TACIT_OK : TACIT_E_IO);
	for (const struct dirent *e = readdir(d); e != NULL && more; e = readdir(d)) {
		bool ours = strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		            strlen(e->d_name) == strlen(PREFIX) + 2 * NAME_BYTES;
		if (ours && load(dirfd(d), e->d_name, &note))
			more = each(ctx, &note);
	}
out:
	tacit_wipe(&note, sizeof(note));
	if (d != NULL)
		closedir(d);
	tacit_buf_clear(&folder);
	return err;
}
