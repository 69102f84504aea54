/* Files of a session at rest, and what two agents tell each other about them. */
#define _GNU_SOURCE /* memmem */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/frame.h"
#include "agent/shelf.h"
#include "support/tap.h"
#include "wire/limits.h"

#define CHUNK 65536

/* --- the shelf -------------------------------------------------------------------------------- */

static struct tacit_env env;
static struct tacit_secret key;
static char folder[] = "/tmp/tacit-shelf-XXXXXX";

static void fill(uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
}

static enum tacit_err store(const uint8_t *content, size_t n, size_t step, struct shelf_file **out)
{
	enum tacit_err err;
	struct shelf_writer *w = NULL;
	*out = NULL;
	TRY(shelf_begin(folder, &key, &env, &w));
	for (size_t at = 0; at < n; at += step)
		TRY(shelf_put(w, tacit_bytes(content + at, n - at < step ? n - at : step)));
	CHECK_INT(shelf_written(w), n);
	struct shelf_writer *whole = w;
	w = NULL;
	TRY(shelf_finish(whole, out));
out:
	shelf_abandon(w);
	return err;
}

static void check_file(const uint8_t *content, size_t n, size_t step)
{
	struct shelf_file *f;
	struct shelf_reader *r = NULL;
	uint8_t digest[TACIT_SHA256_BYTES], *back = malloc(n + 1);
	size_t got;
	REQUIRE(back != NULL && store(content, n, step, &f) == TACIT_OK);
	tacit_sha256(tacit_bytes(content, n), digest);
	CHECK_INT(f->size, n);
	CHECK_BYTES(tacit_bytes(f->sha256, sizeof(f->sha256)), tacit_bytes(digest, sizeof(digest)));
	CHECK_OK(shelf_open(f, &key, &r));
	CHECK_OK(shelf_read(r, 0, (struct tacit_room){back, n + 1}, &got));
	CHECK_BYTES(tacit_bytes(back, got), tacit_bytes(content, n));
	for (size_t at = 0; at <= n; at += n / 3 + 1) {
		CHECK_OK(shelf_read(r, at, (struct tacit_room){back, 1000}, &got));
		CHECK_BYTES(tacit_bytes(back, got),
		        tacit_bytes_part(tacit_bytes(content, n), at, 1000));
	}
	shelf_drop(f); /* the reader holds it still */
	CHECK_OK(shelf_read(r, n, (struct tacit_room){back, 1}, &got));
	CHECK_INT(got, 0);
	shelf_close(r);
	free(back);
}

static void files_come_back_as_they_were(void)
{
	static uint8_t content[3 * CHUNK + 5];
	static const size_t sizes[] = {
	        0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, sizeof(content)};
	fill(content, sizeof(content));
	for (size_t i = 0; i < TACIT_COUNT(sizes); i++) {
		check_file(content, sizes[i], CHUNK);
		check_file(content, sizes[i], 10007);
	}
}

static void what_lies_on_the_disk_is_sealed(void)
{
	static uint8_t content[2 * CHUNK], raw[3 * CHUNK];
	struct shelf_file *f;
	struct shelf_reader *r = NULL;
	uint8_t back[16];
	size_t got;
	memset(content, 'x', sizeof(content));
	REQUIRE(store(content, sizeof(content), CHUNK, &f) == TACIT_OK);
	ssize_t n = pread(f->fd, raw, sizeof(raw), 0);
	CHECK(n > (ssize_t)sizeof(content));
	CHECK(memmem(raw, (size_t)n, "xxxxxxxx", 8) == NULL);
	raw[CHUNK + 100] ^= 1;
	CHECK_INT(pwrite(f->fd, raw, (size_t)n, 0), n);
	CHECK_OK(shelf_open(f, &key, &r));
	CHECK_OK(shelf_read(r, 0, (struct tacit_room){back, sizeof(back)}, &got));
	CHECK_ERR(shelf_read(r, CHUNK, (struct tacit_room){back, sizeof(back)}, &got),
	        TACIT_E_BAD_SEAL);
	CHECK_INT(ftruncate(f->fd, CHUNK), 0);
	CHECK_ERR(shelf_read(r, CHUNK, (struct tacit_room){back, sizeof(back)}, &got), TACIT_E_IO);
	shelf_close(r);
	shelf_drop(f);
}

static void a_folder_that_is_none_is_an_error(void)
{
	struct shelf_writer *w = NULL;
	CHECK_ERR(shelf_begin("/nonexistent", &key, &env, &w), TACIT_E_IO);
	CHECK(w == NULL);
	shelf_abandon(NULL);
	shelf_drop(NULL);
	shelf_close(NULL);
}

/* --- frames ----------------------------------------------------------------------------------- */

static void frames_come_back_as_they_were(void)
{
	struct tacit_buf b = {0};
	struct frame got, f = {.size = 12345,
	                          .name = TACIT_STR("name.txt"),
	                          .content_type = TACIT_STR("text/plain"),
	                          .offset = 77};
	fill(f.id, sizeof(f.id));
	fill(f.sha256, sizeof(f.sha256));
	CHECK_OK(frame_write(FRAME_FILE, &f, &b));
	CHECK_OK(frame_read(FRAME_FILE, tacit_buf_view(&b), &got));
	CHECK_INT(got.size, 12345);
	CHECK_BYTES(got.name, f.name);
	CHECK_BYTES(got.content_type, f.content_type);
	CHECK_BYTES(tacit_bytes(got.id, sizeof(got.id)), tacit_bytes(f.id, sizeof(f.id)));
	CHECK_BYTES(tacit_bytes(got.sha256, sizeof(got.sha256)),
	        tacit_bytes(f.sha256, sizeof(f.sha256)));
	for (size_t n = 0; n < b.n; n++)
		CHECK(frame_read(FRAME_FILE, tacit_bytes(b.p, n), &got) != TACIT_OK);
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("x")));
	CHECK_ERR(frame_read(FRAME_FILE, tacit_buf_view(&b), &got), TACIT_E_TRAILING);
	tacit_buf_clear(&b);
	CHECK_OK(frame_write(FRAME_AT, &f, &b));
	CHECK_OK(frame_read(FRAME_AT, tacit_buf_view(&b), &got));
	CHECK_INT(got.offset, 77);
	tacit_buf_clear(&b);
	CHECK_OK(frame_write(FRAME_HAVE, &f, &b));
	CHECK_OK(frame_read(FRAME_REFUSE, tacit_buf_view(&b), &got));
	CHECK_BYTES(tacit_bytes(got.id, sizeof(got.id)), tacit_bytes(f.id, sizeof(f.id)));
	tacit_buf_clear(&b);
}

static void nonsense_is_no_frame(void)
{
	struct frame f;
	static const uint8_t huge[FRAME_ID_BYTES + 8 + TACIT_SHA256_BYTES + 2] = {
	        [FRAME_ID_BYTES] = 0xff};
	CHECK_ERR(frame_read(0, TACIT_STR(""), &f), TACIT_E_MALFORMED);
	CHECK_ERR(frame_read(99, TACIT_STR("x"), &f), TACIT_E_MALFORMED);
	CHECK_ERR(frame_read(FRAME_END, TACIT_STR("x"), &f), TACIT_E_TRAILING);
	CHECK_ERR(frame_read(FRAME_AT, TACIT_STR("1234567"), &f), TACIT_E_TRUNCATED);
	CHECK_ERR(frame_read(FRAME_FILE, tacit_bytes(huge, sizeof(huge)), &f), TACIT_E_MALFORMED);
	struct tacit_buf b = {0};
	char name[TACIT_MAX_FILE_NAME + 1];
	memset(name, 'n', sizeof(name));
	f = (struct frame){.name = tacit_bytes(name, sizeof(name))};
	CHECK_ERR(frame_write(FRAME_FILE, &f, &b), TACIT_E_TOO_LARGE);
	CHECK_ERR(frame_write(FRAME_DATA, &f, &b), TACIT_E_USAGE);
	CHECK_INT(b.n, 0);
}

static const struct tap_case cases[] = {
        {"files come back as they were", files_come_back_as_they_were},
        {"what lies on the disk is sealed", what_lies_on_the_disk_is_sealed},
        {"a folder that is none is an error", a_folder_that_is_none_is_an_error},
        {"frames come back as they were", frames_come_back_as_they_were},
        {"nonsense is no frame", nonsense_is_no_frame},
};

int main(int argc, char **argv)
{
	env = tap_env(3);
	if (tacit_crypto_init() != TACIT_OK ||
	        tacit_secret_new(&key, SHELF_KEY_BYTES) != TACIT_OK || mkdtemp(folder) == NULL)
		return 1;
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	if (rmdir(folder) != 0) /* nothing may be left in it */
		status = 1;
	tacit_secret_free(&key);
	return status;
}
