/* A backup is made beside a running server, checked, tampered with, and put back. */
#include "server/store/backup.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "fixture.h"
#include "server/store/blob.h"
#include "server/store/migrations.h"

struct place {
	struct fixture f;
	struct blob_store *blobs;
	char blob_folder[128], archive[128];
	int64_t group;
	char why[256];
	struct backup_report report;
};

static bool set_up_place(struct place *p)
{
	*p = (struct place){0};
	if (!set_up(&p->f))
		return false;
	snprintf(p->blob_folder, sizeof(p->blob_folder), "%s/" STORE_BLOB_FOLDER, p->f.folder);
	snprintf(p->archive, sizeof(p->archive), "%s/backup.tar", p->f.folder);
	p->group = add_group(&p->f);
	return CHECK_OK(blob_store_open(p->blob_folder, &p->blobs));
}

static void tear_down_place(struct place *p)
{
	blob_store_close(p->blobs);
	tear_down(&p->f);
}

static void file_id(unsigned n, char id[STORE_FILE_ID_CHARS + 1])
{
	snprintf(id, STORE_FILE_ID_CHARS + 1, "%02x%030x", (n * 37) & 0xff, n);
}

static void add_blob(struct place *p, unsigned n, size_t bytes)
{
	struct store_file file = a_file('0', p->f.anna, p->group, (int64_t)bytes);
	uint8_t data[5000];
	int fd = -1;
	uint64_t size;
	file_id(n, file.id);
	memset(data, (int)n + 1, sizeof(data));
	tacit_sha256(tacit_bytes(data, bytes), file.sha256);
	CHECK_OK(blob_partial_open(p->blobs, file.id, &fd, &size));
	CHECK_OK(blob_write(fd, 0, tacit_bytes(data, bytes)));
	close(fd);
	CHECK_OK(blob_publish(p->blobs, file.id));
	CHECK_OK(p->f.ops->file_create(p->f.w, &file, -1));
}

static enum tacit_err create(struct place *p)
{
	enum tacit_err err =
	        backup_create(p->f.url, p->blob_folder, p->archive, &p->report, p->why);
	CHECK((p->why[0] != '\0') == (err != TACIT_OK));
	return err;
}

static enum tacit_err verify(struct place *p)
{
	enum tacit_err err = backup_verify(p->archive, &p->report, p->why);
	CHECK((p->why[0] != '\0') == (err != TACIT_OK));
	return err;
}

static enum tacit_err restore(struct place *p, const char *name, char folder[128])
{
	snprintf(folder, 128, "%.64s/%.16s", p->f.folder, name);
	return backup_restore(p->archive, folder, &p->report, p->why);
}

static void check_restored(struct place *p, const char *folder)
{
	char url[256], blob_folder[160], why[256];
	struct store *s = NULL;
	struct blob_store *blobs = NULL;
	int64_t users, conversations, messages, files, bytes;
	int fd = -1;
	uint64_t size = 0;
	char id[STORE_FILE_ID_CHARS + 1];
	snprintf(url, sizeof(url), "sqlite://%s/" STORE_DATABASE_NAME, folder);
	snprintf(blob_folder, sizeof(blob_folder), "%.128s/" STORE_BLOB_FOLDER, folder);
	REQUIRE(CHECK_OK(store_open(url, STORE_WRITER, why, &s)));
	REQUIRE(CHECK_OK(blob_store_open(blob_folder, &blobs)));
	CHECK_INT(message_count(&p->f, s, p->group, p->f.ben), 1);
	CHECK_OK(s->ops->counts(s, &users, &conversations, &messages, &files));
	CHECK_INT(users, 3);
	CHECK_INT(files, 3);
	CHECK_OK(s->ops->user_usage(s, p->f.anna, &bytes));
	CHECK_INT(bytes, 0 + 700 + 5000); /* without the upload */
	file_id(2, id);
	CHECK_OK(blob_open(blobs, id, &fd, &size));
	CHECK_INT(size, 5000);
	close(fd);
	blob_store_close(blobs);
	store_close(s);
}

static void add_three(struct place *p)
{
	add_message(&p->f, p->group, p->f.anna, "kept");
	add_blob(p, 0, 0);
	add_blob(p, 1, 700);
	add_blob(p, 2, 5000);
}

static void it_comes_back_whole(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	char folder[128];
	struct stat st;
	struct store_upload upload = an_upload('e', p.f.anna, p.group, 9);
	add_three(&p);
	CHECK_OK(p.f.ops->upload_create(p.f.w, &upload, -1));
	CHECK_OK(create(&p));
	CHECK_INT(p.report.files, 3);
	CHECK_INT(p.report.bytes, 5700);
	CHECK_INT(p.report.deleted + p.report.missing, 0);
	CHECK_INT(stat(p.archive, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_ERR(create(&p), TACIT_E_EXISTS);

	CHECK_OK(verify(&p));
	CHECK_INT(p.report.files, 3);
	CHECK_INT(p.report.bytes, 5700);
	CHECK_INT(p.report.schema, store_migration_count);
	CHECK(p.report.created_at > NOW);
	CHECK_OK(restore(&p, "new", folder));
	check_restored(&p, folder);
	CHECK_ERR(restore(&p, "new", folder), TACIT_E_EXISTS);
	check_restored(&p, folder);
	tear_down_place(&p);
}

static void what_was_lost_is_said(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	char id[STORE_FILE_ID_CHARS + 1], path[200];
	add_three(&p);
	file_id(1, id);
	CHECK_OK(blob_delete(p.blobs, id));
	file_id(2, id);
	snprintf(path, sizeof(path), "%s/%.2s/%s", p.blob_folder, id, id);
	int fd = open(path, O_WRONLY);
	CHECK(fd >= 0 && pwrite(fd, "x", 1, 100) == 1);
	close(fd);
	CHECK_OK(create(&p));
	CHECK_INT(p.report.files, 2);
	CHECK_INT(p.report.missing, 2); /* one lost, one changed on the disk */
	CHECK_OK(verify(&p));
	CHECK_INT(p.report.missing, 2);
	CHECK_INT(p.report.deleted, 0);
	tear_down_place(&p);
}

/* A child deletes files as fast as it can, rows first as the server does, while we back up. */
static void delete_on(struct place *p, unsigned count)
{
	char why[256], id[STORE_FILE_ID_CHARS + 1];
	struct store *s = NULL;
	if (store_open(p->f.url, STORE_WRITER, why, &s) != TACIT_OK)
		_exit(1);
	for (unsigned n = 0; n < count; n++) {
		file_id(n, id);
		if (s->ops->file_delete(s, id, p->f.anna) != TACIT_OK ||
		        blob_delete(p->blobs, id) != TACIT_OK)
			_exit(2);
	}
	_exit(0);
}

static void files_may_go_meanwhile(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	int status = -1;
	char folder[128];
	for (unsigned n = 0; n < 60; n++)
		add_blob(&p, n, 100);
	pid_t child = fork();
	if (child == 0)
		delete_on(&p, 60);
	REQUIRE(child > 0);
	CHECK_OK(create(&p));
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	uint64_t deleted = p.report.deleted, files = p.report.files;
	CHECK_INT(p.report.missing, 0);
	CHECK_OK(verify(&p));
	CHECK_INT(p.report.deleted, deleted);
	CHECK_INT(p.report.files, files);
	CHECK_OK(restore(&p, "new", folder));
	printf("# %llu kept, %llu deleted while the backup ran\n", (unsigned long long)files,
	        (unsigned long long)deleted);
	tear_down_place(&p);
}

static void flip(const char *path, off_t at, uint8_t with)
{
	uint8_t byte = 0;
	int fd = open(path, O_RDWR);
	CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= with;
	CHECK(pwrite(fd, &byte, 1, at) == 1);
	close(fd);
}

static uint8_t byte_at(const char *path, off_t at)
{
	uint8_t byte = 0;
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	close(fd);
	return byte;
}

static void every_changed_byte_is_found(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	struct stat st;
	add_three(&p);
	CHECK_OK(create(&p));
	CHECK_INT(stat(p.archive, &st), 0);
	unsigned tried = 0;
	for (off_t at = 0; at<st.st_size; at += at> st.st_size - 9000 ? 61 : 1201) {
		if (byte_at(p.archive, at) == 0)
			continue; /* perhaps padding, which nobody misses */
		flip(p.archive, at, 1);
		enum tacit_err err = verify(&p);
		if (!CHECK(err == TACIT_E_STORE_CORRUPT || err == TACIT_E_UNSUPPORTED))
			printf("# byte %lld: %s\n", (long long)at, tacit_err_name(err));
		flip(p.archive, at, 1);
		tried++;
	}
	CHECK(tried > 50);
	CHECK_OK(verify(&p));
	tear_down_place(&p);
}

static void a_cut_archive_is_found(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	char folder[128];
	struct stat st;
	add_three(&p);
	CHECK_OK(create(&p));
	CHECK_INT(stat(p.archive, &st), 0);
	for (int part = 15; part >= 0; part--) {
		CHECK_INT(truncate(p.archive, st.st_size * part / 16), 0);
		CHECK_ERR(verify(&p), TACIT_E_STORE_CORRUPT);
	}
	CHECK_ERR(restore(&p, "new", folder), TACIT_E_STORE_CORRUPT);
	CHECK_INT(rmdir(folder), 0); /* nothing was left in it */
	CHECK_INT(unlink(p.archive), 0);
	CHECK_ERR(verify(&p), TACIT_E_IO);
	tear_down_place(&p);
}

static void add_entry(struct archive *a, const char *name, int type, struct tacit_bytes data)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, (unsigned)type);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, (la_int64_t)data.n);
	if (type == AE_IFLNK)
		archive_entry_set_symlink(e, "/etc/passwd");
	CHECK_INT(archive_write_header(a, e), ARCHIVE_OK);
	if (data.n > 0)
		CHECK_INT(archive_write_data(a, data.p, data.n), data.n);
	archive_entry_free(e);
}

static void foreign_members_are_refused(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	static const struct {
		const char *first, *second;
		int type;
	} bad[] = {
	        {"tacit.db", "blobs/../../escaped", AE_IFREG},
	        {"tacit.db", "/tmp/tacit-escaped", AE_IFREG},
	        {"tacit.db", "blobs/00000000000000000000000000000000", AE_IFLNK},
	        {"tacit.db", "tacit.db", AE_IFREG},
	        {"../tacit.db", "MANIFEST", AE_IFREG},
	        {"MANIFEST", "tacit.db", AE_IFREG},
	        {"tacit.db", "MANIFEST", AE_IFREG},
	};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		char folder[128];
		struct archive *a = archive_write_new();
		archive_write_set_format_pax_restricted(a);
		REQUIRE(archive_write_open_filename(a, p.archive) == ARCHIVE_OK);
		add_entry(a, bad[i].first, AE_IFREG, TACIT_STR("not a database"));
		add_entry(a, bad[i].second, bad[i].type,
		        bad[i].type == AE_IFREG ? TACIT_STR("x") : TACIT_STR(""));
		CHECK_INT(archive_write_free(a), ARCHIVE_OK);
		CHECK_ERR(verify(&p), TACIT_E_STORE_CORRUPT);
		CHECK_ERR(restore(&p, "new", folder), TACIT_E_STORE_CORRUPT);
		CHECK_INT(rmdir(folder), 0);
	}
	CHECK(access("/tmp/tacit-escaped", F_OK) != 0);
	tear_down_place(&p);
}

static void misuse_is_refused(void)
{
	struct place p;
	REQUIRE(set_up_place(&p));
	char folder[128];
	CHECK_ERR(backup_create("postgresql://x", p.blob_folder, p.archive, &p.report, p.why),
	        TACIT_E_USAGE);
	CHECK_ERR(backup_create(
	                  "sqlite:///nonexistent/x", p.blob_folder, p.archive, &p.report, p.why),
	        TACIT_E_IO);
	CHECK_ERR(backup_create(p.f.url, p.blob_folder, "/nonexistent/x", &p.report, p.why),
	        TACIT_E_IO);
	CHECK_OK(create(&p));
	CHECK_ERR(restore(&p, "a/b/c", folder), TACIT_E_IO);
	CHECK_ERR(restore(&p, ".", folder), TACIT_E_EXISTS);
	CHECK_INT(message_count(&p.f, p.f.r, p.group, p.f.anna), 0); /* untouched */
	tear_down_place(&p);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"it comes back whole", it_comes_back_whole},
	        {"what was lost is said", what_was_lost_is_said},
	        {"files may go meanwhile", files_may_go_meanwhile},
	        {"every changed byte is found", every_changed_byte_is_found},
	        {"a cut archive is found", a_cut_archive_is_found},
	        {"foreign members are refused", foreign_members_are_refused},
	        {"misuse is refused", misuse_is_refused},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
