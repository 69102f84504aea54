#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "cli/term.h"

#define MAX_BAR 40
#define MAX_LABEL 30
#define FIXED 44 /* columns of everything but label and bar */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress_start(struct progress *p, const char *label, bool quiet)
{
	*p = (struct progress){.label = label, .started = now()};
	p->shown = !quiet && term_is_tty(stderr);
}

static void time_left(const struct progress_state *s, char *room, size_t size)
{
	if (s->rate <= 0) {
		snprintf(room, size, "--:--");
		return;
	}
	double seconds = (double)(s->total - s->done) / s->rate;
	unsigned long whole = seconds < 359999 ? (unsigned long)(seconds + 0.5) : 359999;
	if (whole >= 3600)
		snprintf(room, size, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
	else
		snprintf(room, size, "%lu:%02lu", whole / 60, whole % 60);
}

/* As much of the label as fits into `width` columns, cut at a code point. */
static int label_bytes(const char *label, int width)
{
	size_t n = strlen(label);
	while (n > 0 && term_width(tacit_bytes(label, n)) > (size_t)width) {
		n--;
		while (n > 0 && ((unsigned char)label[n] & 0xc0) == 0x80)
			n--;
	}
	return (int)n;
}

void progress_line(const char *label, const struct progress_state *s, char *room, int size)
{
	char left[32];
	int bar = s->columns - FIXED - MAX_LABEL;
	bar = bar > MAX_BAR ? MAX_BAR : bar < 0 ? 0 : bar;
	int label_room = s->columns - FIXED - bar;
	label_room = label_room > MAX_LABEL ? MAX_LABEL : label_room < 0 ? 0 : label_room;
	double part = s->total > 0 ? (double)s->done / (double)s->total : 1;
	int full = (int)(part * bar);
	char gauge[MAX_BAR + 1];
	memset(gauge, ' ', sizeof(gauge));
	memset(gauge, '=', (size_t)full);
	if (full < bar && full > 0)
		gauge[full - 1] = '>';
	time_left(s, left, sizeof(left));
	snprintf(room, (size_t)size, "%.*s %3d%% [%.*s] %s  %s/s  %s",
	        label_bytes(label, label_room), label, (int)(part * 100), bar, gauge,
	        term_bytes(s->done).text, term_bytes((uint64_t)s->rate).text, left);
}

void progress_show(struct progress *p, uint64_t done, uint64_t total)
{
	char line[512];
	double t = now();
	if (!p->shown || (p->begun && t - p->drawn < 0.1 && done < total))
		return;
	if (!p->begun) {
		p->first = done;
		p->begun = true;
	}
	struct progress_state s = {.done = done, .total = total, .columns = term_columns() - 1};
	if (t > p->started)
		s.rate = (double)(done - (done < p->first ? done : p->first)) / (t - p->started);
	progress_line(p->label, &s, line, sizeof(line));
	fprintf(stderr, "\r\x1b[K%s", line);
	fflush(stderr);
	p->drawn = t;
}

void progress_end(struct progress *p)
{
	if (p->shown && p->begun) {
		fputs("\r\x1b[K", stderr);
		fflush(stderr);
	}
	p->begun = false;
}
