/* duration.h - spans of time as people write them: "90s", "30m", "1h", "7d". */
#ifndef TACIT_CLI_DURATION_H
#define TACIT_CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* 1 second to ten years; false: none of these. */
bool duration_read(const char *text, uint64_t *seconds);

struct duration_text {
	char text[24];
};
/* In the largest unit of which there is at least one, rounded up: "2d", "59m". */
struct duration_text duration_short(int64_t seconds);

#endif
