/* The one place that looks into an engine: what no host may know. */
#include <string.h>

#include "crypto/encoding.h"
#include "e2e/mls/message.h"
#include "engine/engine_int.h"
#include "sim/sim.h"

void sim_note_id(struct sim_device *d)
{
	const struct tacit_device *device = &d->engine->device;
	tacit_hex(tacit_bytes(device->id.b, sizeof(device->id.b)), d->id);
}

static void look_at_leaves(struct sim_world *w, const struct tacit_group *g, struct sim_look *out)
{
	struct tacit_leaf leaf;
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	for (uint32_t i = 0; tacit_group_leaf(g, &i, &leaf); i++) {
		tacit_hex(tacit_bytes(leaf.device.id.b, sizeof(leaf.device.id.b)), hex);
		const struct sim_device *d = sim_device_by_id(w, hex);
		out->strangers |= d == NULL;
		out->leaves |= d != NULL ? 1u << d->index : 0;
	}
}

static bool is_in_force(const struct tacit_conversation *c)
{
	return c->group != NULL && !tacit_group_is_over(c->group) &&
	       (c->pending == NULL || !c->pending->external);
}

bool sim_glance(struct sim_device *d, json_int_t conversation, uint64_t *epoch)
{
	const struct tacit_conversation *c =
	        tacit_conversation_find(d->engine, (uint64_t)conversation);
	*epoch = c != NULL && is_in_force(c) ? tacit_group_epoch(c->group) : 0;
	return *epoch > 0;
}

json_int_t sim_joined(struct sim_device *d, json_int_t conversation)
{
	const struct tacit_conversation *c =
	        tacit_conversation_find(d->engine, (uint64_t)conversation);
	return c != NULL && is_in_force(c) ? (json_int_t)c->joined : 0;
}

bool sim_look(struct sim_device *d, json_int_t conversation, struct sim_look *out)
{
	*out = (struct sim_look){0};
	struct tacit_conversation *c = tacit_conversation_find(d->engine, (uint64_t)conversation);
	if (c == NULL || tacit_membership_load(d->engine, c) != TACIT_OK || !is_in_force(c))
		return false;
	out->pending = c->pending != NULL;
	out->outbox = tacit_outbox_of(d->engine, c->id) != NULL ||
	              tacit_outbox_draft(d->engine, c->id) != NULL;
	out->epoch = tacit_group_epoch(c->group);
	look_at_leaves(d->world, c->group, out);
	return tacit_group_fingerprint(c->group, out->fingerprint) == TACIT_OK;
}

bool sim_epoch_of(const char *content_base64, uint64_t *epoch)
{
	struct tacit_buf bytes = {0};
	struct tacit_mls_message m;
	struct tacit_mls_address address;
	bool ok = tacit_unbase64(TACIT_BASE64, tacit_cstr(content_base64), &bytes) == TACIT_OK &&
	          tacit_mls_message_decode(tacit_buf_view(&bytes), &m) == TACIT_OK &&
	          tacit_mls_message_address(&m, &address);
	*epoch = ok ? address.epoch : 0;
	tacit_buf_clear(&bytes);
	return ok;
}
