/* vectors.c - runs every official vector file that it knows in a folder: vectors DIR... */
#include "vectors/vectors.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/encoding.h"
#include "crypto/secret.h"

enum { EXIT_SKIP = 77, DEPTH_MAX = 8, LIVE_HEX_MAX = 16384 /* of one entry */ };

static const struct vector_format *const formats[] = {
        &wycheproof_format, &hpke_format, &xwing_format, &mls_format};

static struct {
	size_t passed, failed, unknown;
} files;

static struct tacit_buf *live_hex;
static size_t live_hex_count, live_hex_cap;

struct tacit_bytes hex_member(const json_t *object, const char *name)
{
	struct tacit_bytes hex = tacit_cstr(json_string_value(json_object_get(object, name)));
	if (live_hex_count == live_hex_cap) {
		live_hex_cap = live_hex_cap > 0 ? 2 * live_hex_cap : 256;
		live_hex = realloc(live_hex, live_hex_cap * sizeof(*live_hex));
		TACIT_ASSERT(live_hex != NULL);
	}
	struct tacit_buf *b = &live_hex[live_hex_count++];
	*b = (struct tacit_buf){0};
	if (tacit_buf_reserve(b, hex.n / 2 + 1) != TACIT_OK ||
	        tacit_unhex(hex, b->p, hex.n / 2) != TACIT_OK) {
		fprintf(stderr, "vectors: the member %s is not hex\n", name);
		exit(EXIT_FAILURE);
	}
	b->n = hex.n / 2;
	return tacit_buf_view(b);
}

void hex_forget(void)
{
	while (live_hex_count > 0)
		tacit_buf_clear(&live_hex[--live_hex_count]);
}

void tally_pass(struct tally *t)
{
	t->passed++;
}

void tally_fail(struct tally *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (t->failed++ == 0)
		vsnprintf(t->first_failure, sizeof(t->first_failure), fmt, ap);
	va_end(ap);
}

static void report(const char *path, const struct tally *t)
{
	if (t->failed > 0) {
		files.failed++;
		printf("not ok %s: %zu of %zu vectors failed, first %s\n", path, t->failed,
		        t->passed + t->failed, t->first_failure);
	} else if (t->passed == 0) {
		files.unknown++;
		printf("unknown %s: none of its %zu vectors is of a suite that we offer\n", path,
		        t->not_applicable);
	} else {
		files.passed++;
		printf("ok %s: %zu vectors", path, t->passed);
		if (t->not_applicable > 0)
			printf(" (%zu more not applicable)", t->not_applicable);
		printf("\n");
	}
}

/* The whole file, appended. False when it cannot be read. */
static bool read_text(const char *path, struct tacit_buf *out)
{
	bool good = false;
	uint8_t piece[4096];
	size_t n;
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		if (tacit_buf_append(out, tacit_bytes(piece, n)) != TACIT_OK)
			goto out;
	good = ferror(f) == 0;
out:
	fclose(f);
	return good;
}

static void run_text(const char *path)
{
	struct tacit_buf text = {0};
	struct tally t = {0};
	if (read_text(path, &text) && spake2_format.knows(tacit_buf_view(&text))) {
		spake2_format.run(tacit_buf_view(&text), &t);
		report(path, &t);
	} else {
		files.unknown++;
		printf("unknown %s\n", path);
	}
	tacit_buf_clear(&text);
}

static void run_file(const char *path)
{
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	for (size_t i = 0; root != NULL && i < TACIT_COUNT(formats); i++) {
		if (!formats[i]->knows(root))
			continue;
		struct tally t = {0};
		formats[i]->run(root, &t);
		report(path, &t);
		json_decref(root);
		return;
	}
	if (root == NULL) {
		run_text(path);
		return;
	}
	files.unknown++;
	printf("unknown %s\n", path);
	json_decref(root);
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int walk(const char *path, int depth)
{
	struct stat st;
	if (stat(path, &st) != 0 || depth > DEPTH_MAX)
		return fprintf(stderr, "vectors: cannot read %s: %s\n", path, strerror(errno)), -1;
	if (!S_ISDIR(st.st_mode))
		return run_file(path), 0;
	struct dirent **entries;
	int n = scandir(path, &entries, visible, alphasort);
	if (n < 0)
		return fprintf(stderr, "vectors: cannot list %s: %s\n", path, strerror(errno)), -1;
	int result = 0;
	for (int i = 0; i < n; i++) {
		char child[4096];
		int len = snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
		if (len < 0 || (size_t)len >= sizeof(child) || walk(child, depth + 1) != 0)
			result = -1;
		free(entries[i]);
	}
	free(entries);
	return result;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return fprintf(stderr, "usage: vectors DIR...\n"), 2;
	if (access(argv[1], F_OK) != 0)
		return printf("skipped: there are no vectors at %s\n", argv[1]), EXIT_SKIP;
	if (tacit_crypto_init() != TACIT_OK)
		return fprintf(stderr, "vectors: libsodium does not start\n"), 1;
	int result = 0;
	for (int i = 1; i < argc; i++)
		result |= walk(argv[i], 0);
	printf("%zu passed, %zu failed, %zu unknown\n", files.passed, files.failed, files.unknown);
	return result != 0 || files.failed > 0;
}
