/* leavers.h - ends of transfers that have said that they do not come back, for whoever comes back
 * and would wait for them. Bounded: the oldest is forgotten for the newest. */
#ifndef TACIT_SERVER_RELAY_LEAVERS_H
#define TACIT_SERVER_RELAY_LEAVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/relay.h"

#define LEAVERS_KEPT 1024

struct leaver {
	uint8_t role, id[TACIT_RELAY_ID_BYTES];
	int64_t until_ms; /* 0: nobody */
};

struct leavers {
	struct leaver list[LEAVERS_KEPT];
	size_t added;
};

void leavers_add(struct leavers *l, const struct leaver *who);
bool leavers_has(const struct leavers *l, uint8_t role, const uint8_t id[TACIT_RELAY_ID_BYTES],
        int64_t now_ms);

#endif
