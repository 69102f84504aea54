/* group_history.c - what was seen of a conversation, and by how many messages a device is ahead. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/group_int.h"

#define ORDERS_MAX 65536

static void push(struct tacit_history *h, uint64_t message)
{
	if (h->count > 0 && h->last == message) { /* a commit that is followed at the second try */
		h->next = (h->next + TACIT_HISTORY_KEPT - 1) % TACIT_HISTORY_KEPT;
		h->count--;
	}
	struct tacit_history_point *p = &h->points[h->next];
	p->message = message;
	memcpy(p->hash, h->running, sizeof(p->hash));
	h->next = (h->next + 1) % TACIT_HISTORY_KEPT;
	h->count += h->count < TACIT_HISTORY_KEPT;
	h->last = message;
}

enum tacit_err tacit_history_begin(
        struct tacit_history *h, uint64_t message, struct tacit_bytes authenticator)
{
	enum tacit_err err;
	struct tacit_buf in = {0};
	TRY(tacit_buf_append(&in, TACIT_STR("tacit history v1")));
	TRY(tacit_buf_append(&in, authenticator));
	TRY(tacit_hash(TACIT_SHA256, tacit_buf_view(&in), h->running));
	push(h, message);
out:
	tacit_buf_clear(&in);
	return err;
}

enum tacit_err tacit_history_add(
        struct tacit_history *h, uint64_t message, struct tacit_bytes bytes)
{
	enum tacit_err err;
	uint8_t in[2 * TACIT_SHA256_BYTES + 8];
	if (message <= h->last)
		return TACIT_OK;
	memcpy(in, h->running, TACIT_SHA256_BYTES);
	for (size_t i = 0; i < 8; i++)
		in[TACIT_SHA256_BYTES + i] = (uint8_t)(message >> (56 - 8 * i));
	TRY(tacit_hash(TACIT_SHA256, bytes, in + TACIT_SHA256_BYTES + 8));
	TRY(tacit_hash(TACIT_SHA256, tacit_bytes(in, sizeof(in)), h->running));
	push(h, message);
out:
	return err;
}

struct tacit_history_claim tacit_history_claim(const struct tacit_history *h)
{
	struct tacit_history_claim claim = {.message = h->last};
	memcpy(claim.hash, h->running, sizeof(claim.hash));
	return claim;
}

bool tacit_history_contradicts(
        const struct tacit_history *h, const struct tacit_history_claim *claim, uint64_t before)
{
	/* Nobody has seen what comes behind the own message. */
	if (claim->message >= before)
		return true;
	for (uint32_t i = 0; i < h->count; i++)
		if (h->points[i].message == claim->message)
			return memcmp(h->points[i].hash, claim->hash, sizeof(claim->hash)) != 0;
	return false;
}

static struct tacit_order *find(struct tacit_group *g, const struct tacit_leaf *who)
{
	for (size_t i = 0; i < g->order_count; i++)
		if (memcmp(g->orders[i].who.account.b, who->account.b, TACIT_SIGN_PUBLIC_BYTES) ==
		                0 &&
		        memcmp(g->orders[i].who.device.b, who->device.id.b,
		                TACIT_DEVICE_ID_BYTES) == 0)
			return &g->orders[i];
	return NULL;
}

enum tacit_err tacit_order_count(
        struct tacit_group *g, const struct tacit_leaf *who, uint64_t order, uint64_t *missing)
{
	struct tacit_order *o = find(g, who);
	*missing = 0;
	if (o != NULL) {
		*missing = order > o->last + 1 ? order - o->last - 1 : 0;
		o->last = order > o->last ? order : o->last;
		return TACIT_OK;
	}
	if (g->order_count == ORDERS_MAX)
		return TACIT_E_LIMIT;
	struct tacit_order *list = tacit_realloc(g->orders, (g->order_count + 1) * sizeof(*list));
	if (list == NULL)
		return TACIT_E_NOMEM;
	g->orders = list;
	list[g->order_count++] = (struct tacit_order){{who->account, who->device.id}, order};
	return TACIT_OK;
}

void tacit_order_forget(struct tacit_group *g, const struct tacit_leaf *who)
{
	struct tacit_order *o = find(g, who);
	if (o != NULL)
		*o = g->orders[--g->order_count];
}
