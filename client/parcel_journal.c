#include "client/parcel_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/writer.h"
#include "client/paths.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "e2e/parcel/offer.h"

#define VERSION 1
#define MAX_PATH_BYTES 4096
#define MAX_NOTE (TACIT_PARCEL_MAX_OFFER + 16 * 1024)
#define NAME_BYTES 16 /* of the key's hash */

static const char magic[8] = "tacitprc";

/* --- the note -------------------------------------------------------------------------------- */

void parcel_note_clear(struct parcel_note *n)
{
	tacit_buf_clear(&n->code);
	tacit_buf_clear(&n->folder);
	tacit_buf_clear(&n->offer);
	tacit_wipe(n, sizeof(*n));
}

enum tacit_err parcel_note_write(const struct parcel_note *n, struct tacit_buf *out)
{
	/* In one piece: a growing buffer would leave the root behind. */
	enum tacit_err err = tacit_buf_reserve(out, 256 + n->code.n + n->folder.n + n->offer.n);
	struct tacit_writer w = tacit_writer(out);
	if (err != TACIT_OK)
		return err;
	tacit_write_raw(&w, tacit_bytes(magic, sizeof(magic)));
	tacit_write_u8(&w, VERSION);
	tacit_write_raw(&w, tacit_bytes(n->root, sizeof(n->root)));
	tacit_write_raw(&w, tacit_bytes(n->offer_sha256, sizeof(n->offer_sha256)));
	tacit_write_u8(&w, n->settled ? 1 : 0);
	tacit_write_vec8(&w, tacit_buf_view(&n->code));
	tacit_write_vec16(&w, tacit_buf_view(&n->folder));
	tacit_write_vec32(&w, tacit_buf_view(&n->offer));
	return tacit_writer_finish(&w);
}

static enum tacit_err keep(struct tacit_buf *out, struct tacit_bytes text)
{
	enum tacit_err err;
	TRY(tacit_buf_append(out, text));
	TRY(tacit_buf_terminate(out));
out:
	return err;
}

enum tacit_err parcel_note_read(struct tacit_bytes in, struct parcel_note *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	*out = (struct parcel_note){0};
	struct tacit_bytes mark = tacit_read_view(&r, sizeof(magic));
	uint8_t version = tacit_read_u8(&r);
	tacit_read_into(&r, out->root, sizeof(out->root));
	tacit_read_into(&r, out->offer_sha256, sizeof(out->offer_sha256));
	uint8_t settled = tacit_read_u8(&r);
	struct tacit_bytes code = tacit_read_vec8(&r, TACIT_PARCEL_CODE_ROOM);
	struct tacit_bytes folder = tacit_read_vec16(&r, MAX_PATH_BYTES);
	struct tacit_bytes offer = tacit_read_vec32(&r, TACIT_PARCEL_MAX_OFFER);
	TRY(tacit_reader_end(&r));
	TRY(tacit_bytes_eq(mark, tacit_bytes(magic, sizeof(magic))) ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(version == VERSION ? TACIT_OK : TACIT_E_UNSUPPORTED);
	TRY(settled <= 1 ? TACIT_OK : TACIT_E_MALFORMED);
	out->settled = settled == 1;
	TRY(keep(&out->code, code));
	TRY(keep(&out->folder, folder));
	TRY(keep(&out->offer, offer));
out:
	if (err != TACIT_OK)
		parcel_note_clear(out);
	return err;
}

/* --- the file -------------------------------------------------------------------------------- */

enum tacit_err parcel_journal_open(struct tacit_bytes key, struct parcel_journal *out)
{
	enum tacit_err err;
	struct tacit_buf folder = {0};
	uint8_t digest[TACIT_SHA256_BYTES];
	char name[2 * NAME_BYTES + 1], lock[sizeof(out->path) + 8];
	*out = (struct parcel_journal){.lock = -1};
	TRY(paths_parcels(&folder));
	tacit_sha256(key, digest);
	tacit_hex(tacit_bytes(digest, NAME_BYTES), name);
	int n = snprintf(out->path, sizeof(out->path), "%s/%s", (const char *)folder.p, name);
	TRY(n > 0 && (size_t)n < sizeof(out->path) ? TACIT_OK : TACIT_E_TOO_LARGE);
	snprintf(lock, sizeof(lock), "%s.lock", out->path);
	out->lock = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	TRY(out->lock >= 0 ? TACIT_OK : TACIT_E_IO);
	TRY(flock(out->lock, LOCK_EX | LOCK_NB) == 0 ? TACIT_OK : TACIT_E_CONFLICT);
out:
	tacit_buf_clear(&folder);
	if (err != TACIT_OK)
		parcel_journal_close(out);
	return err;
}

void parcel_journal_close(struct parcel_journal *j)
{
	char lock[sizeof(j->path) + 8];
	if (j->lock < 0)
		return;
	snprintf(lock, sizeof(lock), "%s.lock", j->path);
	if (access(j->path, F_OK) != 0)
		unlink(lock);
	close(j->lock);
	j->lock = -1;
}

static enum tacit_err read_all(int fd, struct tacit_buf *out)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_NOTE)
		return TACIT_E_IO;
	enum tacit_err err = tacit_buf_reserve(out, (size_t)st.st_size + 1);
	if (err != TACIT_OK)
		return err;
	ssize_t n = read(fd, out->p, (size_t)st.st_size);
	if (n != st.st_size)
		return TACIT_E_IO;
	out->n = (size_t)n;
	return TACIT_OK;
}

enum tacit_err parcel_journal_load(struct parcel_journal *j, int64_t now, struct parcel_note *out)
{
	enum tacit_err err;
	struct tacit_buf bytes = {0};
	struct stat st;
	*out = (struct parcel_note){0};
	int fd = j->lock >= 0 ? open(j->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0)
		return TACIT_E_NOT_FOUND;
	TRY(fstat(fd, &st) == 0 && st.st_uid == geteuid() ? TACIT_OK : TACIT_E_IO);
	if (now - (int64_t)st.st_mtime > PARCEL_JOURNAL_MAX_AGE_S) {
		parcel_journal_forget(j);
		TRY(TACIT_E_NOT_FOUND);
	}
	TRY(read_all(fd, &bytes));
	err = parcel_note_read(tacit_buf_view(&bytes), out);
	if (err != TACIT_OK && err != TACIT_E_NOMEM) { /* of another version, or damaged */
		parcel_journal_forget(j);
		err = TACIT_E_NOT_FOUND;
	}
out:
	close(fd);
	tacit_buf_clear(&bytes);
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

enum tacit_err parcel_journal_save(struct parcel_journal *j, const struct parcel_note *n)
{
	enum tacit_err err;
	struct tacit_buf bytes = {0};
	char fresh[sizeof(j->path) + 8];
	int fd = -1;
	if (j->lock < 0)
		return TACIT_OK;
	snprintf(fresh, sizeof(fresh), "%s.new", j->path);
	TRY(parcel_note_write(n, &bytes));
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	TRY(fd >= 0 ? TACIT_OK : TACIT_E_IO);
	TRY(write_all(fd, tacit_buf_view(&bytes)));
	TRY(rename(fresh, j->path) == 0 ? TACIT_OK : TACIT_E_IO);
out:
	if (fd >= 0)
		close(fd);
	if (err != TACIT_OK)
		unlink(fresh);
	tacit_buf_clear(&bytes);
	return err;
}

void parcel_journal_forget(struct parcel_journal *j)
{
	if (j->lock >= 0)
		unlink(j->path);
}
