/* progress.h - one line on a terminal's stderr: name, bar, rate, time left. Silent elsewhere. */
#ifndef TACIT_CLI_PROGRESS_H
#define TACIT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *label; /* already clean; borrowed */
	bool shown;        /* a terminal is there and nobody asked for quiet */
	bool begun;
	double started, drawn; /* monotonic seconds */
	uint64_t first;        /* what was done before: a resumed transfer */
};

void progress_start(struct progress *p, const char *label, bool quiet);
/* At most ten times a second. */
void progress_show(struct progress *p, uint64_t done, uint64_t total);
/* Clears the line. */
void progress_end(struct progress *p);

/* The line itself, for `columns` columns; room has `size` bytes. For tests. */
struct progress_state {
	uint64_t done, total;
	double rate; /* bytes a second */
	int columns;
};
void progress_line(const char *label, const struct progress_state *s, char *room, int size);

#endif
