#include "cli/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define LONGEST_DAYS 3650

static const struct {
	char letter;
	int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

bool duration_read(const char *text, uint64_t *seconds)
{
	char *end;
	if (text[0] < '0' || text[0] > '9' || strlen(text) > 10)
		return false;
	uint64_t n = strtoull(text, &end, 10);
	for (size_t i = 0; i < TACIT_COUNT(units); i++)
		if (end[0] == units[i].letter && end[1] == '\0') {
			*seconds = n * (uint64_t)units[i].seconds;
			return n > 0 && *seconds <= (uint64_t)LONGEST_DAYS * 86400;
		}
	return false;
}

struct duration_text duration_short(int64_t seconds)
{
	struct duration_text out;
	size_t i = 0;
	seconds = seconds > 0 ? seconds : 0;
	while (i + 1 < TACIT_COUNT(units) && seconds <= units[i].seconds)
		i++;
	int64_t unit = units[i].seconds;
	snprintf(out.text, sizeof(out.text), "%" PRId64 "%c", (seconds + unit - 1) / unit,
	        units[i].letter);
	return out;
}
