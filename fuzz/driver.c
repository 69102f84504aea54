/* driver.c - replays a corpus folder through a fuzz target, then every file cut short and with
 * single bytes changed, so that plain builds walk the decoders' error paths too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_CORPUS_FILE (1024 * 1024)
#define MUTATIONS 256

/* The target gets a block of exactly its size, so that a sanitizer sees an overrun by one. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void feed_variants(uint8_t *data, size_t size)
{
	feed(data, size);
	size_t step = size / MUTATIONS + 1;
	for (size_t i = 0; i < size; i += step) {
		feed(data, i);
		uint8_t kept = data[i];
		data[i] = (uint8_t)(kept ^ 1u << (i % 8));
		feed(data, size);
		data[i] = kept;
	}
}

static int replay(const char *folder, const char *name, uint8_t *room)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	size_t size = fread(room, 1, MAX_CORPUS_FILE, f);
	int bad = ferror(f);
	fclose(f);
	if (bad)
		return -1;
	feed_variants(room, size);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	uint8_t *room = malloc(MAX_CORPUS_FILE);
	if (folder == NULL || room == NULL) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	int count = 0, failed = 0;
	printf("TAP version 13\n");
	for (struct dirent *e; (e = readdir(folder)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		int bad = replay(argv[1], e->d_name, room);
		printf("%s %d - %s\n", bad ? "not ok" : "ok", ++count, e->d_name);
		failed |= bad;
	}
	printf("1..%d\n", count);
	closedir(folder);
	free(room);
	return failed || count == 0;
}
