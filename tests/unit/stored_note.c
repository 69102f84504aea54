/* What a sender remembers of what waits at servers. */
#include "client/stored_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "support/tap.h"

static char folder[64];

static struct stored_note a_note(uint8_t seed)
{
	struct stored_note n = {.ready = seed % 2 == 1,
	        .created_at = 1700000000,
	        .expires_at = 1700086400,
	        .downloads = 3,
	        .bytes = 12345};
	snprintf(n.server, sizeof(n.server), "https://tacit.example");
	snprintf(n.label, sizeof(n.label), "thing %u", seed);
	snprintf(n.id, sizeof(n.id), "%032x", seed);
	memset(n.owner, seed, sizeof(n.owner));
	memset(n.receipt, seed + 1, sizeof(n.receipt));
	memset(n.source, seed + 2, sizeof(n.source));
	return n;
}

static void what_was_written_is_read(void)
{
	struct stored_note n = a_note(1), back;
	struct tacit_buf b = {0};
	CHECK_OK(stored_note_write(&n, &b));
	CHECK_OK(stored_note_read(tacit_buf_view(&b), &back));
	struct tacit_buf again = {0};
	CHECK_OK(stored_note_write(&back, &again));
	CHECK_BYTES(tacit_buf_view(&again), tacit_buf_view(&b));
	tacit_buf_clear(&again);
	CHECK_BYTES(tacit_cstr(back.label), TACIT_STR("thing 1"));
	CHECK(back.ready && back.downloads == 3 && back.bytes == 12345);
	for (size_t i = 0; i < b.n; i++)
		CHECK(stored_note_read(tacit_bytes(b.p, i), &back) != TACIT_OK);
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("x")));
	CHECK_ERR(stored_note_read(tacit_buf_view(&b), &back), TACIT_E_TRAILING);
	b.n--;
	b.p[0] ^= 1;
	CHECK_ERR(stored_note_read(tacit_buf_view(&b), &back), TACIT_E_MALFORMED);
	b.p[0] ^= 1;
	b.p[8]++;
	CHECK_ERR(stored_note_read(tacit_buf_view(&b), &back), TACIT_E_UNSUPPORTED);
	CHECK_INT(back.id[0], 0);
	tacit_buf_clear(&b);
	n.id[3] = 'G';
	CHECK_OK(stored_note_write(&n, &b));
	CHECK_ERR(stored_note_read(tacit_buf_view(&b), &back), TACIT_E_MALFORMED);
	tacit_buf_clear(&b);
}

struct seen {
	unsigned count, sum, most;
};

static bool look(void *ctx, const struct stored_note *n)
{
	struct seen *s = ctx;
	s->count++;
	s->sum += n->owner[0];
	return s->count < s->most;
}

static void write_file(const char *name, const char *content)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/tacit/parcels/%s", folder, name);
	FILE *f = fopen(path, "wb");
	if (CHECK(f != NULL)) {
		fputs(content, f);
		fclose(f);
	}
}

static void notes_are_files_of_their_owner(void)
{
	struct stored_note n = a_note(1), m = a_note(2);
	struct seen s = {.most = 100}, one = {.most = 1};
	struct stat st;
	char path[200];
	CHECK_OK(stored_note_save(&n));
	CHECK_OK(stored_note_save(&m));
	n.ready = false;
	CHECK_OK(stored_note_save(&n)); /* in its own place */
	/* What is not a note of ours, or damaged, is no note. */
	write_file("stored-00000000000000000000000000000000", "tacitsto");
	write_file("stored-short", "x");
	write_file("other", "x");
	CHECK_OK(stored_note_each(look, &s));
	CHECK_INT(s.count, 2);
	CHECK_INT(s.sum, 3);
	CHECK_OK(stored_note_each(look, &one));
	CHECK_INT(one.count, 1);
	snprintf(path, sizeof(path), "%s/tacit/parcels", folder);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
	stored_note_forget(&n);
	stored_note_forget(&n);
	s = (struct seen){.most = 100};
	CHECK_OK(stored_note_each(look, &s));
	CHECK_INT(s.count, 1);
	CHECK_INT(s.sum, 2);
}

static enum tacit_err everything_once(void)
{
	enum tacit_err err;
	struct stored_note n = a_note(5);
	struct seen s = {.most = 100};
	TRY(stored_note_save(&n));
	TRY(stored_note_each(look, &s));
out:
	return err;
}

static void it_stands_every_allocation_failing(void)
{
	tap_alloc_sweep(everything_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what was written is read", what_was_written_is_read},
	        {"notes are files of their owner", notes_are_files_of_their_owner},
	        {"it stands every allocation failing", it_stands_every_allocation_failing},
	};
	char command[100];
	snprintf(folder, sizeof(folder), "/tmp/tacit-notes-XXXXXX");
	if (mkdtemp(folder) == NULL || setenv("XDG_DATA_HOME", folder, 1) != 0 ||
	        tacit_crypto_init() != TACIT_OK)
		return 1;
	int status = tap_main(argc, argv, cases, TACIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? status : 1;
}
