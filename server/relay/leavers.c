#include "server/relay/leavers.h"

#include "crypto/secret.h"

void leavers_add(struct leavers *l, const struct leaver *who)
{
	l->list[l->added++ % LEAVERS_KEPT] = *who;
}

bool leavers_has(const struct leavers *l, uint8_t role, const uint8_t id[TACIT_RELAY_ID_BYTES],
        int64_t now_ms)
{
	for (size_t i = 0; i < LEAVERS_KEPT; i++) {
		const struct leaver *one = &l->list[i];
		if (one->until_ms > now_ms && one->role == role &&
		        tacit_ct_eq(tacit_bytes(one->id, sizeof(one->id)),
		                tacit_bytes(id, sizeof(one->id))))
			return true;
	}
	return false;
}
