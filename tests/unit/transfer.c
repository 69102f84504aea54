#define _GNU_SOURCE /* memmem */
#include "client/transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "e2e/file_digest.h"
#include "e2e/file_stream.h"
#include "support/tap.h"
#include "transfer_server.h"

#define SIZE (1000 * 1000 + 17)

/* One person's side: a folder, a file, a note, a connection to the peer. */
static struct peer peer;
static struct world {
	char folder[64];
	struct tacit_env env;
	struct transfer t;
	struct tacit_buf note;
	size_t longest_name; /* of a note */
	struct tacit_file_ref ref;
	struct tacit_buf room;
	volatile sig_atomic_t cancel;
	uint64_t cancel_at; /* progress: stop there, as a person's Ctrl-C would */
	uint64_t done;
	uint8_t plain[SIZE];
} w;

static enum tacit_err note_get(void *ctx, struct tacit_bytes name, struct tacit_buf *value)
{
	(void)ctx;
	w.longest_name = name.n > w.longest_name ? name.n : w.longest_name;
	return w.note.n > 0 ? tacit_buf_append(value, tacit_buf_view(&w.note)) : TACIT_E_NOT_FOUND;
}

static enum tacit_err note_put(void *ctx, struct tacit_bytes name, struct tacit_bytes value)
{
	(void)ctx, (void)name;
	w.note.n = 0;
	return tacit_buf_append(&w.note, value);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	CHECK(done <= total);
	w.done = done;
	if (w.cancel_at != 0 && done >= w.cancel_at)
		w.cancel = 2;
}

static const char *path(const char *name)
{
	static char room[2][256];
	static int turn;
	char *p = room[turn ^= 1];
	snprintf(p, sizeof(room[0]), "%s/%s", w.folder, name);
	return p;
}

static void write_file(const char *name, const void *data, size_t n)
{
	int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	TACIT_ASSERT(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

static void begin(void)
{
	char server[64];
	w = (struct world){.env = tap_env(7)};
	peer_start(&peer);
	snprintf(w.folder, sizeof(w.folder), "/tmp/tacit-transfer-XXXXXX");
	TACIT_ASSERT(mkdtemp(w.folder) != NULL && tacit_crypto_init() == TACIT_OK);
	tacit_env_random(&w.env, w.plain, sizeof(w.plain));
	write_file("in", w.plain, sizeof(w.plain));
	snprintf(server, sizeof(server), "http://127.0.0.1:%u", peer.port);
	const struct http_options o = {.server = server, .cancel = &w.cancel};
	w.t = (struct transfer){.env = &w.env,
	        .cancel = &w.cancel,
	        .note_get = note_get,
	        .note_put = note_put,
	        .progress = on_progress,
	        .retry_ms = 1};
	TACIT_ASSERT(http_open(&o, &w.t.http) == TACIT_OK);
}

static void end(void)
{
	char command[128];
	http_close(w.t.http);
	peer_stop(&peer);
	tacit_buf_clear(&w.note);
	tacit_buf_clear(&w.room);
	snprintf(command, sizeof(command), "rm -rf '%s'", w.folder);
	TACIT_ASSERT(system(command) == 0);
}

static enum tacit_err upload(void)
{
	const struct upload u = {42, path("in")};
	w.room.n = 0;
	return transfer_upload(&w.t, &u, &w.ref, &w.room);
}

static enum tacit_err download(void)
{
	return transfer_download(&w.t, &w.ref, path("out"));
}

static bool out_is(const uint8_t *want, size_t n)
{
	static uint8_t got[SIZE + 1];
	int fd = open(path("out"), O_RDONLY);
	if (fd < 0)
		return false;
	ssize_t count = read(fd, got, sizeof(got));
	close(fd);
	return count == (ssize_t)n && memcmp(got, want, n) == 0;
}

#define PART ".tacit-abcdef0123456789.part"

static bool exists(const char *name)
{
	return access(path(name), F_OK) == 0;
}

/* --- the straight way ------------------------------------------------------------------------ */

/* What the message would name the file by is that of the sealed form that the server has. */
static enum tacit_err check_named(size_t size)
{
	enum tacit_err err;
	struct tacit_file_digest *d = NULL;
	struct tacit_bytes sealed = tacit_bytes(peer.file, size);
	TRY(tacit_file_digest_new(peer.file, &d));
	for (size_t at = TACIT_FILE_HEADER_BYTES; at < size; at += TACIT_FILE_CHUNK_BYTES + 16)
		TRY(tacit_file_digest_chunk(
		        d, tacit_bytes_part(sealed, at, TACIT_FILE_CHUNK_BYTES + 16)));
	TRY(tacit_file_digest_check(d, w.ref.sealed_digest));
out:
	tacit_file_digest_free(d);
	return err;
}

static void goes_up_and_down(void)
{
	begin();
	REQUIRE(upload() == TACIT_OK);
	CHECK_INT(peer.size, tacit_file_sealed_bytes(SIZE));
	CHECK_BYTES(w.ref.name, TACIT_STR("in"));
	CHECK_INT(w.ref.size, SIZE);
	CHECK_INT(peer.file[6], TACIT_FILE_V2);
	CHECK_OK(check_named(peer.size));
	CHECK(memmem(peer.file, peer.size, w.plain + 1000, 32) == NULL);
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	CHECK(!exists(PART));
	end();
}

static void sizes_at_the_edges(void)
{
	static const size_t sizes[] = {0, 1, TACIT_FILE_CHUNK_BYTES - 1, TACIT_FILE_CHUNK_BYTES,
	        TACIT_FILE_CHUNK_BYTES + 1, 3 * TACIT_FILE_CHUNK_BYTES};
	for (size_t i = 0; i < TACIT_COUNT(sizes); i++) {
		begin();
		write_file("in", w.plain, sizes[i]);
		CHECK_OK(upload());
		CHECK_INT(peer.size, tacit_file_sealed_bytes(sizes[i]));
		CHECK_OK(download());
		CHECK(out_is(w.plain, sizes[i]));
		end();
	}
}

/* --- interrupted uploads --------------------------------------------------------------------- */

static void upload_goes_on_after_cuts(void)
{
	begin();
	for (size_t cut = 10; cut < 900000; cut += 290001) {
		peer.created = peer.patches = 0;
		peer.cut_body_at = cut;
		w.note.n = 0;
		REQUIRE(upload() == TACIT_OK);
		CHECK_INT(peer.created, 1);
		CHECK_INT(peer.patches, 2);
	}
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

/* The first process dies in the middle; the second knows the note alone. */
static void upload_goes_on_after_restart(void)
{
	begin();
	w.cancel_at = 400000;
	CHECK_ERR(upload(), TACIT_E_CANCELLED);
	CHECK(w.note.n > 0);
	w.cancel = 0;
	w.cancel_at = 0;
	CHECK_OK(upload());
	CHECK_INT(peer.created, 1);
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

/* A note that an older tacit has left: the upload stays what it was begun as. */
static void upload_of_version_1_goes_on(void)
{
	const size_t header_at = 1 + 1 + strlen("abcdef0123456789") + TACIT_FILE_KEY_BYTES;
	uint8_t sum[TACIT_SHA256_BYTES];
	begin();
	w.cancel_at = 1;
	CHECK_ERR(upload(), TACIT_E_CANCELLED);
	REQUIRE(w.note.n > header_at + TACIT_FILE_HEADER_BYTES);
	REQUIRE(w.note.p[header_at + 6] == TACIT_FILE_V2);
	w.note.p[header_at + 6] = TACIT_FILE_V1;
	peer_settle(&peer);
	peer.size = 0;
	w.cancel = 0;
	w.cancel_at = 0;
	CHECK_OK(upload());
	CHECK_INT(peer.created, 1);
	CHECK_INT(peer.file[6], TACIT_FILE_V1);
	CHECK_OK(check_named(peer.size));
	tacit_sha256(tacit_bytes(peer.file, peer.size), sum);
	CHECK_BYTES(tacit_bytes(sum, sizeof(sum)), tacit_bytes(w.ref.sealed_digest, sizeof(sum)));
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

/* Other bytes under the same key would be a disaster: the key must be another. */
static void changed_file_begins_anew(void)
{
	begin();
	w.cancel_at = 400000;
	CHECK_ERR(upload(), TACIT_E_CANCELLED);
	uint8_t before[64];
	peer_settle(&peer);
	memcpy(before, peer.file + TACIT_FILE_HEADER_BYTES, sizeof(before));
	w.plain[SIZE - 1] ^= 1;
	write_file("in", w.plain, SIZE);
	w.cancel = 0;
	w.cancel_at = 0;
	CHECK_OK(upload());
	CHECK_INT(peer.created, 2);
	CHECK(memcmp(before, peer.file + TACIT_FILE_HEADER_BYTES, sizeof(before)) != 0);
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

static void lapsed_upload_begins_anew(void)
{
	begin();
	w.cancel_at = 400000;
	CHECK_ERR(upload(), TACIT_E_CANCELLED);
	w.cancel = 0;
	w.cancel_at = 0;
	peer.forget = true;
	CHECK_OK(upload());
	CHECK_INT(peer.created, 2);
	end();
}

static void append_meanwhile(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx, (void)total;
	if (done > 300000 && w.cancel_at == 0) {
		w.cancel_at = 1;
		int fd = open(path("in"), O_WRONLY | O_APPEND);
		TACIT_ASSERT(fd >= 0 && write(fd, "x", 1) == 1);
		close(fd);
	}
}

static void file_that_changes_is_not_sent(void)
{
	begin();
	TACIT_ASSERT(truncate(path("in"), 3 * 1024 * 1024) == 0); /* more than is read at once */
	w.t.progress = append_meanwhile;
	CHECK_ERR(upload(), TACIT_E_CONFLICT);
	CHECK(peer.size < peer.expected); /* nothing that was read after the change */
	CHECK_INT(peer.deleted, 1);
	CHECK_INT(w.note.n, 0);
	end();
}

static void lying_server_is_found_out(void)
{
	begin();
	peer.lie_about_hash = true;
	CHECK_ERR(upload(), TACIT_E_BAD_SEAL);
	CHECK_INT(w.note.n, 0);
	end();
}

static void odd_files_are_refused(void)
{
	begin();
	const struct upload missing = {42, path("missing")};
	CHECK_ERR(transfer_upload(&w.t, &missing, &w.ref, &w.room), TACIT_E_NOT_FOUND);
	const struct upload folder = {42, w.folder};
	CHECK_ERR(transfer_upload(&w.t, &folder, &w.ref, &w.room), TACIT_E_IO);
	CHECK_INT(mkfifo(path("fifo"), 0600), 0);
	const struct upload fifo = {42, path("fifo")};
	CHECK_ERR(transfer_upload(&w.t, &fifo, &w.ref, &w.room), TACIT_E_IO);
	CHECK_INT(peer.created, 0);
	end();
}

/* --- interrupted downloads ------------------------------------------------------------------- */

static void download_goes_on_after_a_cut(void)
{
	begin();
	REQUIRE(upload() == TACIT_OK);
	peer.cut_answer_at = 333333;
	CHECK_OK(download());
	CHECK_INT(peer.gets, 3); /* header, until the cut, the rest */
	CHECK(out_is(w.plain, SIZE));
	end();
}

static void cancel_download(void)
{
	w.cancel_at = 400000;
	CHECK_ERR(download(), TACIT_E_CANCELLED);
	w.cancel = 0;
	w.cancel_at = 0;
}

static void download_goes_on_after_restart(void)
{
	struct stat st;
	begin();
	REQUIRE(upload() == TACIT_OK);
	cancel_download();
	CHECK(!exists("out"));
	REQUIRE(stat(path(PART), &st) == 0);
	CHECK(st.st_size > 0 && st.st_size % TACIT_FILE_CHUNK_BYTES == 0);
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	CHECK(!exists(PART));
	end();
}

/* What was kept is under the hash as well: a changed part file does not come through. */
static void damaged_part_is_fetched_again(void)
{
	begin();
	REQUIRE(upload() == TACIT_OK);
	cancel_download();
	int fd = open(path(PART), O_WRONLY);
	REQUIRE(fd >= 0 && pwrite(fd, "damage", 6, 100) == 6);
	close(fd);
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

/* In a folder where others write: a part file that is another file of ours by a second name. */
static void a_linked_part_is_left_alone(void)
{
	struct stat st;
	begin();
	REQUIRE(upload() == TACIT_OK);
	write_file("precious", "keep me", 7);
	REQUIRE(link(path("precious"), path(PART)) == 0);
	CHECK_ERR(download(), TACIT_E_IO);
	CHECK(stat(path("precious"), &st) == 0 && st.st_size == 7);
	CHECK(!exists("out"));
	CHECK(unlink(path(PART)) == 0 && symlink("precious", path(PART)) == 0);
	CHECK_ERR(download(), TACIT_E_IO);
	CHECK(stat(path("precious"), &st) == 0 && st.st_size == 7);
	end();
}

static void torn_part_is_cut_back(void)
{
	begin();
	REQUIRE(upload() == TACIT_OK);
	cancel_download();
	int fd = open(path(PART), O_WRONLY | O_APPEND);
	REQUIRE(fd >= 0 && write(fd, w.plain, 12345) == 12345);
	close(fd);
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

/* A note's name has 1024 bytes, a path up to 4096. */
static void a_long_path_has_a_short_note(void)
{
	char long_path[4000];
	begin();
	snprintf(long_path, sizeof(long_path), "%s/in", w.folder);
	size_t at = strlen(w.folder);
	for (int i = 0; i < 600; i++) {
		memmove(long_path + at + 2, long_path + at, strlen(long_path + at) + 1);
		memcpy(long_path + at, "/.", 2);
	}
	const struct upload u = {42, long_path};
	CHECK_OK(transfer_upload(&w.t, &u, &w.ref, &w.room));
	for (int i = 0; i < 6; i++) {
		char part[201];
		memset(part, 'a' + i, 200);
		part[200] = 0;
		at = strlen(long_path) - 3;
		snprintf(long_path + at, sizeof(long_path) - at, "/%s", part);
		CHECK(mkdir(long_path, 0700) == 0);
		snprintf(long_path + strlen(long_path), 4, "/in");
	}
	int fd = open(long_path, O_WRONLY | O_CREAT, 0600);
	REQUIRE(fd >= 0);
	close(fd);
	w.note.n = 0;
	CHECK_OK(transfer_upload(&w.t, &u, &w.ref, &w.room));
	CHECK(w.longest_name > 0 && w.longest_name <= 128);
	end();
}

/* --- bad files ------------------------------------------------------------------------------- */

static void tampered_file_leaves_nothing(void)
{
	static const size_t places[] = {3, 20, 100, 500000};
	begin();
	REQUIRE(upload() == TACIT_OK);
	for (size_t i = 0; i < TACIT_COUNT(places); i++) {
		peer.file[places[i]] ^= 1;
		CHECK_ERR(download(), TACIT_E_BAD_SEAL);
		CHECK(!exists("out") && !exists(PART));
		peer.file[places[i]] ^= 1;
	}
	peer.size -= 1;
	CHECK_ERR(download(), TACIT_E_BAD_SEAL);
	CHECK(!exists("out") && !exists(PART));
	peer.size += 1;
	w.ref.size += 1;
	CHECK_ERR(download(), TACIT_E_BAD_SEAL);
	w.ref.size -= 1;
	w.ref.sealed_digest[0] ^= 1;
	CHECK_ERR(download(), TACIT_E_BAD_SEAL);
	CHECK(!exists("out") && !exists(PART));
	end();
}

/* What comes instead of the rest does not open; then it is fetched whole. */
static void server_without_ranges_serves_whole_files(void)
{
	begin();
	REQUIRE(upload() == TACIT_OK);
	peer.ignore_range = true;
	peer.cut_answer_at = 500000;
	CHECK_OK(download());
	CHECK(out_is(w.plain, SIZE));
	end();
}

static void nothing_is_overwritten(void)
{
	begin();
	REQUIRE(upload() == TACIT_OK);
	write_file("out", "mine", 4);
	CHECK_ERR(download(), TACIT_E_EXISTS);
	CHECK(out_is((const uint8_t *)"mine", 4));
	unlink(path("out"));
	CHECK_INT(symlink("/dev/null", path("out")), 0);
	CHECK_ERR(download(), TACIT_E_EXISTS);
	end();
}

static void ids_are_not_paths(void)
{
	begin();
	w.ref.id = TACIT_STR("../../etc/passwd");
	CHECK_ERR(download(), TACIT_E_MALFORMED);
	w.ref.id = TACIT_STR("");
	CHECK_ERR(download(), TACIT_E_MALFORMED);
	CHECK(!transfer_id_valid(tacit_bytes("a\0b", 3)));
	w.ref.id = TACIT_STR("0123");
	CHECK_ERR(download(), TACIT_E_NOT_FOUND);
	CHECK(!exists(".tacit-0123.part"));
	end();
}

static void plain_http_stays_on_this_machine(void)
{
	CHECK(http_server_problem("http://127.0.0.1:5000", false) == NULL);
	CHECK(http_server_problem("http://127.8.0.1:5000/", false) == NULL);
	CHECK(http_server_problem("http://[::1]:5000", false) == NULL);
	CHECK(http_server_problem("http://localhost", false) == NULL);
	CHECK(http_server_problem("https://chat.example", false) == NULL);
	CHECK(http_server_problem("http://chat.example", true) == NULL);
	CHECK(http_server_problem("http://chat.example", false) != NULL);
	CHECK(http_server_problem("http://127.0.0.1.evil.example", false) != NULL);
	CHECK(http_server_problem("http://localhost.evil.example", false) != NULL);
	CHECK(http_server_problem("http://127.0.0.1@evil.example", false) != NULL);
	CHECK(http_server_problem("ftp://127.0.0.1", false) != NULL);
	CHECK(http_server_problem("https://chat.example/path", false) != NULL);
	CHECK(http_server_problem("chat.example", false) != NULL);
	CHECK(http_server_problem("", false) != NULL);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"goes up and down", goes_up_and_down},
	        {"sizes at the edges", sizes_at_the_edges},
	        {"upload goes on after cuts", upload_goes_on_after_cuts},
	        {"upload goes on after a restart", upload_goes_on_after_restart},
	        {"an upload of version 1 goes on", upload_of_version_1_goes_on},
	        {"a changed file begins anew", changed_file_begins_anew},
	        {"a lapsed upload begins anew", lapsed_upload_begins_anew},
	        {"a file that changes is not sent", file_that_changes_is_not_sent},
	        {"a lying server is found out", lying_server_is_found_out},
	        {"odd files are refused", odd_files_are_refused},
	        {"download goes on after a cut", download_goes_on_after_a_cut},
	        {"download goes on after a restart", download_goes_on_after_restart},
	        {"a damaged part is fetched again", damaged_part_is_fetched_again},
	        {"a linked part is left alone", a_linked_part_is_left_alone},
	        {"a long path has a short note", a_long_path_has_a_short_note},
	        {"a torn part is cut back", torn_part_is_cut_back},
	        {"a tampered file leaves nothing", tampered_file_leaves_nothing},
	        {"a server without ranges serves whole files",
	                server_without_ranges_serves_whole_files},
	        {"nothing is overwritten", nothing_is_overwritten},
	        {"ids are not paths", ids_are_not_paths},
	        {"plain http stays on this machine", plain_http_stays_on_this_machine},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
