/* What a transfer does to the disk, at both ends, and what it remembers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/parcel_journal.h"
#include "client/parcel_sink.h"
#include "client/parcel_source.h"
#include "support/tap.h"

static char folder[64];
static char place[400];

static const char *at(const char *name)
{
	snprintf(place, sizeof(place), "%s/%s", folder, name);
	return place;
}

static void make(const char *name, const char *content)
{
	FILE *f = fopen(at(name), "wb");
	CHECK(f != NULL);
	if (f == NULL)
		return;
	fwrite(content, 1, strlen(content), f);
	fclose(f);
}

static bool holds(const char *name, const char *content)
{
	char got[100] = "";
	FILE *f = fopen(at(name), "rb");
	if (f == NULL)
		return false;
	size_t n = fread(got, 1, sizeof(got) - 1, f);
	fclose(f);
	return n == strlen(content) && memcmp(got, content, n) == 0;
}

static bool there(const char *name)
{
	struct stat st;
	return lstat(at(name), &st) == 0;
}

static void sweep_folder(void)
{
	char command[200];
	snprintf(command, sizeof(command), "rm -rf %s && mkdir %s", folder, folder);
	CHECK_INT(system(command), 0);
}

/* --- the receiving end ----------------------------------------------------------------------- */

static struct tacit_parcel_offer offer;
static struct tacit_parcel_entry entries[4];

static void offer_things(void)
{
	entries[0] = (struct tacit_parcel_entry){.path = "top", .folder = true};
	entries[1] =
	        (struct tacit_parcel_entry){.path = "top/a", .size = 3, .modified = 1000000000};
	entries[2] = (struct tacit_parcel_entry){.path = "top/empty"};
	entries[3] = (struct tacit_parcel_entry){.path = "top/in/b", .size = 4, .executable = true};
	offer = (struct tacit_parcel_offer){
	        .kind = TACIT_PARCEL_FOLDER, .total = 7, .count = 4, .entries = entries};
}

static enum tacit_err open_sink(struct parcel_sink **out)
{
	const struct parcel_place p = {.folder = folder, .id = "0123456789abcdef"};
	return parcel_sink_open(&p, &offer, out);
}

static char saved_as[300];
static unsigned saved_count;

static void on_saved(void *ctx, const char *path, bool renamed)
{
	(void)ctx;
	(void)renamed;
	saved_count++;
	snprintf(saved_as, sizeof(saved_as), "%s", path);
}

static void what_comes_gets_its_name_at_the_end(void)
{
	struct parcel_sink *s;
	struct stat st;
	sweep_folder();
	offer_things();
	REQUIRE(open_sink(&s) == TACIT_OK);
	CHECK_INT(parcel_sink_kept(s), 0);
	CHECK_OK(parcel_sink_write(s, 0, TACIT_STR("abcd")));
	CHECK_OK(parcel_sink_write(s, 4, TACIT_STR("efg")));
	CHECK(!there("top"));
	CHECK(stat(at(".tacit-0123456789abcdef.part"), &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK_OK(parcel_sink_settle(s));
	CHECK(!there("top"));
	CHECK_OK(parcel_sink_publish(s, on_saved, NULL));
	parcel_sink_close(s);
	CHECK(holds("top/a", "abc") && holds("top/in/b", "defg") && holds("top/empty", ""));
	CHECK(stat(at("top/a"), &st) == 0 && st.st_mtime == 1000000000);
	CHECK(access(at("top/in/b"), X_OK) == 0 && access(at("top/a"), X_OK) != 0);
	CHECK(!there(".tacit-0123456789abcdef.part"));
}

static void what_has_come_is_found_again(void)
{
	struct parcel_sink *s, *other;
	uint8_t room[10];
	size_t n;
	sweep_folder();
	offer_things();
	REQUIRE(open_sink(&s) == TACIT_OK);
	CHECK_OK(parcel_sink_write(s, 0, TACIT_STR("abcde")));
	CHECK_ERR(open_sink(&other), TACIT_E_CONFLICT); /* one at a time */
	parcel_sink_close(other);
	parcel_sink_close(s);
	REQUIRE(open_sink(&s) == TACIT_OK);
	CHECK_INT(parcel_sink_kept(s), 5);
	CHECK_OK(parcel_sink_read(s, 0, room, sizeof(room), &n));
	CHECK_BYTES(tacit_bytes(room, n), TACIT_STR("abc"));
	CHECK_OK(parcel_sink_read(s, 3, room, 2, &n));
	CHECK_BYTES(tacit_bytes(room, n), TACIT_STR("de"));
	CHECK_OK(parcel_sink_cut(s, 4));
	CHECK_INT(parcel_sink_kept(s), 4);
	CHECK_OK(parcel_sink_write(s, 4, TACIT_STR("xyz")));
	CHECK_OK(parcel_sink_settle(s));
	CHECK_OK(parcel_sink_publish(s, on_saved, NULL));
	parcel_sink_close(s);
	CHECK(holds("top/a", "abc") && holds("top/in/b", "dxyz"));
}

static void nothing_is_replaced(void)
{
	struct parcel_sink *s;
	sweep_folder();
	offer_things();
	CHECK_INT(mkdir(at("top"), 0700), 0);
	make("top/a", "mine");
	REQUIRE(open_sink(&s) == TACIT_OK);
	CHECK_OK(parcel_sink_write(s, 0, TACIT_STR("abcdefg")));
	CHECK_OK(parcel_sink_settle(s));
	saved_count = 0;
	CHECK_OK(parcel_sink_publish(s, on_saved, NULL));
	CHECK_INT(saved_count, 1);
	CHECK_OK(parcel_sink_publish(s, on_saved, NULL)); /* again, as after a crash */
	CHECK_INT(saved_count, 1);
	parcel_sink_close(s);
	CHECK(holds("top/a", "mine") && holds("top (2)/a", "abc"));
	CHECK(strcmp(saved_as, at("top (2)")) == 0);
}

/* Somebody who may write beside us puts links in our way: none is followed. */
static void links_lead_nowhere(void)
{
	struct parcel_sink *s;
	sweep_folder();
	offer_things();
	CHECK_INT(mkdir(at("elsewhere"), 0700), 0);
	CHECK_INT(symlink("elsewhere", at(".tacit-0123456789abcdef.part")), 0);
	CHECK_ERR(open_sink(&s), TACIT_E_IO);
	parcel_sink_close(s);
	CHECK_INT(unlink(at(".tacit-0123456789abcdef.part")), 0);
	REQUIRE(open_sink(&s) == TACIT_OK);
	CHECK_INT(symlink("../elsewhere", at(".tacit-0123456789abcdef.part/top")), 0);
	CHECK_ERR(parcel_sink_write(s, 0, TACIT_STR("abc")), TACIT_E_IO);
	CHECK(!there("elsewhere/a"));
	CHECK_INT(unlink(at(".tacit-0123456789abcdef.part/top")), 0);
	CHECK_INT(mkdir(at(".tacit-0123456789abcdef.part/top"), 0700), 0);
	make("victim", "untouched");
	CHECK_INT(symlink("../../victim", at(".tacit-0123456789abcdef.part/top/a")), 0);
	CHECK_ERR(parcel_sink_write(s, 0, TACIT_STR("abc")), TACIT_E_IO);
	CHECK(holds("victim", "untouched"));
	parcel_sink_discard(s);
	parcel_sink_close(s);
	CHECK(holds("victim", "untouched"));
	CHECK(!there(".tacit-0123456789abcdef.part"));
}

static void a_part_that_others_may_touch_is_refused(void)
{
	struct parcel_sink *s;
	sweep_folder();
	offer_things();
	CHECK_INT(mkdir(at(".tacit-0123456789abcdef.part"), 0700), 0);
	CHECK_INT(chmod(at(".tacit-0123456789abcdef.part"), 0770), 0);
	CHECK_ERR(open_sink(&s), TACIT_E_IO);
	CHECK(strlen(parcel_sink_problem(s)) > 0);
	parcel_sink_close(s);
}

static void what_will_not_fit_is_not_begun(void)
{
	struct parcel_sink *s;
	sweep_folder();
	offer_things();
	entries[1].size = UINT64_C(1) << 59;
	offer.total = entries[1].size + 4;
	CHECK_ERR(open_sink(&s), TACIT_E_STORE_FULL);
	parcel_sink_close(s);
	CHECK(!there(".tacit-0123456789abcdef.part"));
}

static void long_names_keep_their_ending(void)
{
	struct parcel_sink *s;
	char name[256];
	sweep_folder();
	memset(name, 'n', 251);
	memcpy(name + 251, ".txt", 5);
	make(name, "mine");
	entries[0] = (struct tacit_parcel_entry){.path = name, .size = 1};
	offer = (struct tacit_parcel_offer){
	        .kind = TACIT_PARCEL_FILE, .total = 1, .count = 1, .entries = entries};
	REQUIRE(open_sink(&s) == TACIT_OK);
	CHECK_OK(parcel_sink_write(s, 0, TACIT_STR("x")));
	CHECK_OK(parcel_sink_settle(s));
	CHECK_OK(parcel_sink_publish(s, on_saved, NULL));
	parcel_sink_close(s);
	CHECK(holds(name, "mine"));
	CHECK(strstr(saved_as, " (2).txt") != NULL);
}

/* --- the sending end ------------------------------------------------------------------------- */

static unsigned skipped;

static void on_skipped(void *ctx, const char *path, const char *why)
{
	(void)ctx;
	(void)path;
	(void)why;
	skipped++;
}

static enum tacit_err collect(const char *const *list, size_t count, struct parcel_source **out)
{
	const char *path;
	const struct parcel_paths p = {list, count, on_skipped, NULL};
	return parcel_source_paths(&p, out, &path);
}

static void a_folder_is_one_run_of_bytes(void)
{
	struct parcel_source *s;
	char all[100], root[100];
	size_t n = 0, got = 0;
	sweep_folder();
	CHECK_INT(mkdir(at("dir"), 0700), 0);
	make("dir/b", "second");
	make("dir/a", "first");
	make("dir/c", "");
	CHECK_INT(symlink("a", at("dir/link")), 0);
	snprintf(root, sizeof(root), "%s/dir//", folder);
	const char *const list[] = {root};
	skipped = 0;
	REQUIRE(collect(list, 1, &s) == TACIT_OK);
	CHECK_INT(skipped, 1);
	const struct tacit_parcel_offer *o = parcel_source_decoded(s);
	CHECK_INT(o->kind, TACIT_PARCEL_FOLDER);
	CHECK_INT(o->count, 4);
	CHECK_INT(o->total, 11);
	do {
		CHECK_OK(parcel_source_read(s, (uint8_t *)all + n, 4, &got));
		n += got;
	} while (got > 0);
	CHECK_BYTES(tacit_bytes(all, n), TACIT_STR("firstsecond"));
	parcel_source_seek(s, 5);
	CHECK_OK(parcel_source_read(s, (uint8_t *)all, 100, &got));
	CHECK_BYTES(tacit_bytes(all, got), TACIT_STR("second"));
	CHECK_INT(truncate(at("dir/b"), 2), 0);
	parcel_source_seek(s, 8);
	CHECK_ERR(parcel_source_read(s, (uint8_t *)all, 100, &got), TACIT_E_CONFLICT);
	parcel_source_free(s);
}

/* One of two files, of 6 bytes each; change is done when so many bytes were read. */
static enum tacit_err read_changed(size_t after, void (*change)(void), const char **name)
{
	static char kept[32];
	enum tacit_err err = TACIT_OK;
	struct parcel_source *s;
	char first[100], second[100];
	uint8_t room[4];
	size_t got = 1;
	sweep_folder();
	make("one", "first.");
	make("two", "second");
	snprintf(first, sizeof(first), "%s/one", folder);
	snprintf(second, sizeof(second), "%s/two", folder);
	const char *const list[] = {first, second};
	if (collect(list, 2, &s) != TACIT_OK)
		return TACIT_E_USAGE;
	for (size_t n = 0; err == TACIT_OK && got > 0; n += got) {
		if (n == after)
			change();
		err = parcel_source_read(s, room, sizeof(room), &got);
	}
	*name = parcel_source_changed(s);
	if (*name != NULL) {
		snprintf(kept, sizeof(kept), "%s", *name);
		*name = kept;
	}
	parcel_source_free(s);
	return err;
}

static void write_into(void)
{
	int fd = open(at("two"), O_WRONLY);
	CHECK(fd >= 0 && pwrite(fd, "S", 1, 0) == 1);
	close(fd);
}

/* As some programs do. */
static void write_into_secretly(void)
{
	struct stat st;
	CHECK_INT(stat(at("two"), &st), 0);
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	write_into();
	CHECK_INT(utimensat(AT_FDCWD, at("two"), times, 0), 0);
}

static void put_another_there(void)
{
	char other[400];
	make("new", "SECOND");
	snprintf(other, sizeof(other), "%s/new", folder);
	CHECK_INT(rename(other, at("two")), 0);
}

static void remove_it(void)
{
	CHECK_INT(unlink(at("two")), 0);
}

static void make_it_longer(void)
{
	make("two", "second and more");
}

static void link_and_protect_it(void)
{
	char other[400];
	snprintf(other, sizeof(other), "%s/link", folder);
	CHECK_INT(link(at("two"), other), 0);
	CHECK_INT(chmod(at("two"), 0400), 0);
}

/* 6: before it is opened; 10: in the midst of it. The other one's content is none of theirs. */
static void a_file_that_changes_is_noticed(void)
{
	void (*const changes[])(void) = {
	        write_into, write_into_secretly, put_another_there, remove_it, make_it_longer};
	const char *name;
	for (size_t i = 0; i < TACIT_COUNT(changes); i++) {
		CHECK_ERR(read_changed(6, changes[i], &name), TACIT_E_CONFLICT);
		CHECK(name != NULL && strcmp(name, "two") == 0);
	}
	for (size_t i = 0; i < 2; i++)
		CHECK_ERR(read_changed(10, changes[i], &name), TACIT_E_CONFLICT);
	CHECK_ERR(read_changed(10, make_it_longer, &name), TACIT_E_CONFLICT);
	/* What was opened is read to its end, whatever its name, links and mode have become. */
	CHECK_OK(read_changed(10, remove_it, &name));
	CHECK_OK(read_changed(10, link_and_protect_it, &name));
	CHECK_OK(read_changed(12, write_into, &name));
	CHECK(name == NULL);
}

static void what_cannot_be_sent_is_refused(void)
{
	struct parcel_source *s;
	const char *const missing[] = {"/nowhere/at all"}, *const device[] = {"/dev/null"};
	sweep_folder();
	CHECK_ERR(collect(missing, 1, &s), TACIT_E_NOT_FOUND);
	CHECK_ERR(collect(device, 1, &s), TACIT_E_UNSUPPORTED);
	make("one", "1");
	CHECK_INT(mkdir(at("sub"), 0700), 0);
	make("sub/one", "2");
	char first[100], second[100];
	snprintf(first, sizeof(first), "%s/one", folder);
	snprintf(second, sizeof(second), "%s/sub/one", folder);
	const char *const twins[] = {first, second};
	CHECK_ERR(collect(twins, 2, &s), TACIT_E_EXISTS);
	static uint8_t much[TACIT_PARCEL_MAX_TEXT + 1];
	CHECK_ERR(parcel_source_text(tacit_bytes(much, sizeof(much)), &s), TACIT_E_TOO_LARGE);
}

static void standard_input_can_be_read_again(void)
{
	struct parcel_source *s;
	int ends[2];
	uint8_t room[20];
	size_t n;
	CHECK_INT(pipe(ends), 0);
	CHECK_INT(write(ends[1], "from a pipe", 11), 11);
	close(ends[1]);
	REQUIRE(parcel_source_input(ends[0], "stdin", &s) == TACIT_OK);
	close(ends[0]);
	for (int i = 0; i < 2; i++) {
		parcel_source_seek(s, 5);
		CHECK_OK(parcel_source_read(s, room, sizeof(room), &n));
		CHECK_BYTES(tacit_bytes(room, n), TACIT_STR("a pipe"));
	}
	CHECK(strcmp(parcel_source_decoded(s)->entries[0].path, "stdin") == 0);
	parcel_source_free(s);
}

/* --- the journal ----------------------------------------------------------------------------- */

static void fill_note(struct parcel_note *n)
{
	*n = (struct parcel_note){.settled = true};
	memset(n->root, 7, sizeof(n->root));
	CHECK_OK(tacit_buf_append(&n->code, TACIT_STR("7-amber-falcon")));
	CHECK_OK(tacit_buf_append(&n->folder, TACIT_STR("/somewhere")));
}

static void a_journal_is_kept_and_forgotten(void)
{
	struct parcel_journal j, other;
	struct parcel_note n, got;
	struct stat st;
	sweep_folder();
	CHECK_INT(setenv("XDG_DATA_HOME", folder, 1), 0);
	REQUIRE(parcel_journal_open(TACIT_STR("key"), &j) == TACIT_OK);
	CHECK_ERR(parcel_journal_open(TACIT_STR("key"), &other), TACIT_E_CONFLICT);
	CHECK_ERR(parcel_journal_load(&j, 0, &got), TACIT_E_NOT_FOUND);
	fill_note(&n);
	CHECK_OK(parcel_journal_save(&j, &n));
	CHECK_OK(parcel_journal_save(&j, &n)); /* over itself */
	CHECK(stat(j.path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK_OK(parcel_journal_load(&j, st.st_mtime, &got));
	CHECK_BYTES(tacit_buf_view(&got.code), tacit_buf_view(&n.code));
	CHECK_BYTES(tacit_bytes(got.root, 32), tacit_bytes(n.root, 32));
	CHECK(got.settled);
	parcel_note_clear(&got);
	/* A day later it is no more. */
	CHECK_ERR(parcel_journal_load(&j, st.st_mtime + PARCEL_JOURNAL_MAX_AGE_S + 1, &got),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(parcel_journal_load(&j, st.st_mtime, &got), TACIT_E_NOT_FOUND);
	/* A damaged one is none. */
	CHECK_OK(parcel_journal_save(&j, &n));
	CHECK_INT(truncate(j.path, 50), 0);
	CHECK_ERR(parcel_journal_load(&j, st.st_mtime, &got), TACIT_E_NOT_FOUND);
	parcel_journal_close(&j);
	parcel_note_clear(&n);
	CHECK_INT(rmdir(at("tacit/parcels")), 0); /* nothing is left */
}

static enum tacit_err note_comes_back(void)
{
	enum tacit_err err;
	struct parcel_note n = {.settled = true}, got = {0};
	struct tacit_buf b = {0};
	TRY(tacit_buf_append(&n.code, TACIT_STR("7-amber-falcon")));
	TRY(parcel_note_write(&n, &b));
	TRY(parcel_note_read(tacit_buf_view(&b), &got));
out:
	parcel_note_clear(&n);
	parcel_note_clear(&got);
	tacit_buf_clear(&b);
	return err;
}

static void a_note_survives_want_of_memory(void)
{
	tap_alloc_sweep(note_comes_back);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what comes gets its name at the end", what_comes_gets_its_name_at_the_end},
	        {"what has come is found again", what_has_come_is_found_again},
	        {"nothing is replaced", nothing_is_replaced},
	        {"links lead nowhere", links_lead_nowhere},
	        {"a part that others may touch is refused",
	                a_part_that_others_may_touch_is_refused},
	        {"what will not fit is not begun", what_will_not_fit_is_not_begun},
	        {"long names keep their ending", long_names_keep_their_ending},
	        {"a folder is one run of bytes", a_folder_is_one_run_of_bytes},
	        {"a file that changes is noticed", a_file_that_changes_is_noticed},
	        {"what cannot be sent is refused", what_cannot_be_sent_is_refused},
	        {"standard input can be read again", standard_input_can_be_read_again},
	        {"a journal is kept and forgotten", a_journal_is_kept_and_forgotten},
	        {"a note survives want of memory", a_note_survives_want_of_memory},
	};
	snprintf(folder, sizeof(folder), "/tmp/tacit-parcel-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	sweep_folder();
	return rmdir(folder) == 0 ? status : 1;
}
