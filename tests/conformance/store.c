/* The same cases over every backend: what store.h says, and no more than that. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define MAX_CASES 128

static const struct backend backends[] = {
        {.name = "sqlite", .snapshots = true},
        {.name = "memory", .url = "memory:"},
};

int main(int argc, char **argv)
{
	const struct case_list *const lists[] = {&account_cases, &conversation_cases,
	        &message_cases, &group_cases, &file_cases, &parcel_cases, &expiry_cases,
	        &housekeeping_cases, &concurrency_cases};
	static struct tap_case cases[MAX_CASES];
	size_t count = 0;
	if (argc > 1)
		for (size_t i = 0; i < TACIT_COUNT(backends); i++)
			if (strcmp(argv[1], backends[i].name) == 0)
				backend = &backends[i];
	if (backend == NULL) {
		fprintf(stderr, "usage: store BACKEND [PART-OF-A-CASE'S-NAME]\n");
		return 2;
	}
	for (size_t i = 0; i < TACIT_COUNT(lists); i++)
		for (size_t j = 0; j < lists[i]->count; j++) {
			TACIT_ASSERT(count < MAX_CASES);
			cases[count++] = lists[i]->cases[j];
		}
	return tap_main(argc - 1, argv + 1, cases, count);
}
