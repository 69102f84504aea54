/* roster.c - which devices should be in the group of a conversation. None is let in for which the
 * pinned account key of its owner does not vouch: a server cannot add one. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/engine_int.h"

void tacit_roster_clear(struct tacit_leaves *l)
{
	tacit_free(l->list);
	*l = (struct tacit_leaves){0};
}

struct entry {
	struct tacit_person owner;
	struct tacit_device device;
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
};

/* A device that cannot be read is as bad as one that is not certified: its own fault, not that of
 * the conversation. */
static enum tacit_err read_entry(const json_t *item, struct entry *out, bool *readable)
{
	enum tacit_err err;
	struct tacit_bytes hex, text;
	struct tacit_buf bytes = {0};
	uint8_t id[TACIT_DEVICE_ID_BYTES];
	*readable = false;
	TRY(tacit_answer_person(item, "user_id", &out->owner));
	TRY(tacit_json_text(item, "id", TACIT_REQUIRED, 2 * sizeof(id), &hex));
	TRY(tacit_json_text(item, "device", TACIT_REQUIRED, 1024, &text));
	TRY(tacit_unhex(hex, id, sizeof(id)));
	tacit_hex(tacit_bytes(id, sizeof(id)), out->hex);
	enum tacit_err bad = tacit_unbase64(TACIT_BASE64, text, &bytes);
	if (bad == TACIT_OK)
		bad = tacit_device_decode(tacit_buf_view(&bytes), &out->device);
	if (bad == TACIT_E_NOMEM)
		TRY(bad);
	*readable = bad == TACIT_OK && tacit_bytes_eq(tacit_bytes(out->device.id.b, sizeof(id)),
	                                       tacit_bytes(id, sizeof(id)));
out:
	tacit_buf_clear(&bytes);
	return err;
}

static size_t leaves_of(const struct tacit_leaves *l, const struct tacit_sign_public *account)
{
	size_t n = 0;
	for (size_t i = 0; i < l->count; i++)
		n += tacit_key_same(&l->list[i].account, account);
	return n;
}

/* An id is its owner's own: a member may give a device of his the id of somebody else's, and must
 * not take that one's place by it. */
static bool has_device(const struct tacit_leaves *l, const struct tacit_sign_public *account,
        const struct tacit_device_id *id)
{
	for (size_t i = 0; i < l->count; i++)
		if (tacit_key_same(&l->list[i].account, account) &&
		        tacit_bytes_eq(tacit_bytes(l->list[i].device.id.b, sizeof(id->b)),
		                tacit_bytes(id->b, sizeof(id->b))))
			return true;
	return false;
}

/* The owner must be a member whose key is the pinned one. */
static enum tacit_err check_owner(struct tacit_engine *e, const struct tacit_op *op,
        const struct tacit_conversation *c, const struct tacit_person *owner, bool *stranger)
{
	struct tacit_bytes name = tacit_name_view(&owner->name);
	const struct tacit_member *m = tacit_conversation_member(c, name);
	*stranger = m == NULL || !m->in;
	return *stranger ? TACIT_OK : tacit_contact_observe(e, op, owner);
}

static enum tacit_err add_leaf(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct entry *entry, struct tacit_leaves *out)
{
	const struct tacit_sign_public *key = &entry->owner.key;
	if (has_device(out, key, &entry->device.id))
		return tacit_op_warn(e, op, c, TACIT_E_REFUSED,
		        "The server names the device %s twice. The second one is left out.",
		        entry->hex);
	if (leaves_of(out, key) >= TACIT_MAX_DEVICES_PER_USER)
		return tacit_op_warn(e, op, c, TACIT_E_LIMIT,
		        "%s has more devices than allowed. Some of them are left out.",
		        entry->owner.name.c);
	out->list[out->count].account = *key;
	out->list[out->count++].device = entry->device;
	return TACIT_OK;
}

static enum tacit_err take_entry(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const json_t *item, struct tacit_leaves *out)
{
	enum tacit_err err;
	struct entry entry = {0};
	bool readable, stranger;
	TRY(read_entry(item, &entry, &readable));
	TRY(check_owner(e, op, c, &entry.owner, &stranger));
	if (stranger) {
		out->stranger = true;
		goto out;
	}
	if (readable && tacit_device_check(&entry.device, &entry.owner.key) == TACIT_OK)
		TRY(add_leaf(e, op, c, &entry, out));
	else
		TRY(tacit_op_warn(e, op, c, TACIT_E_BAD_CERTIFICATE,
		        "The server names a device of %s (%s) that %s has not certified. "
		        "It is not let in.",
		        entry.owner.name.c, entry.hex, entry.owner.name.c));
out:
	return err;
}

/* Everyone whose key is in doubt stops the message; everyone without a device is told about. */
static enum tacit_err check_members(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_leaves *l)
{
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < c->member_count; i++) {
		struct tacit_member *m = &c->members[i];
		struct tacit_bytes name = tacit_name_view(&m->name);
		if (!m->in || tacit_contact_is_self(e, name))
			continue;
		const struct tacit_contact *contact = tacit_contact_find(e, name);
		if (contact == NULL || contact->changed)
			return contact == NULL ? TACIT_E_REFUSED : TACIT_E_KEY_CHANGED;
		if (leaves_of(l, &contact->pinned.key) > 0)
			continue;
		if (c->kind != TACIT_DIRECT && !m->no_device_told) {
			m->no_device_told = true;
			TRY(tacit_op_warn(e, op, c, TACIT_E_NO_DEVICE,
			        "%s has no device that can read messages yet, and will not read "
			        "this one.",
			        m->name.c));
		}
	}
out:
	return err;
}

enum tacit_err tacit_roster_read(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const json_t *devices, struct tacit_leaves *out)
{
	enum tacit_err err;
	size_t count = json_array_size(devices), i;
	json_t *item;
	*out = (struct tacit_leaves){0};
	if (count > TACIT_MAX_RECIPIENTS)
		return TACIT_E_LIMIT;
	out->list = tacit_calloc(count + 1, sizeof(*out->list));
	if (out->list == NULL)
		return TACIT_E_NOMEM;
	json_array_foreach(devices, i, item) TRY(take_entry(e, op, c, item, out));
	if (out->stranger) {
		err = TACIT_OK;
		goto out;
	}
	if (!has_device(out, &e->public, &e->device.id))
		TRY(tacit_op_warn(e, op, c, TACIT_E_NO_DEVICE,
		        "The server does not count this device among yours: it was revoked, or "
		        "others will put it out."));
	TRY(check_members(e, op, c, out));
out:
	if (err != TACIT_OK)
		tacit_roster_clear(out);
	return err;
}
