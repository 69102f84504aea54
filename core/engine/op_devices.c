/* op_devices.c - DEVICES and REVOKE_DEVICE: the own devices, as the server counts them. */
#include <string.h>

#include "crypto/encoding.h"
#include "engine/engine_int.h"

static enum tacit_err tell_device(
        struct tacit_engine *e, const struct tacit_op *op, const json_t *item)
{
	enum tacit_err err;
	struct tacit_bytes id, text;
	struct tacit_device device = {0};
	struct tacit_buf bytes = {0};
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	TRY(tacit_json_text(item, "id", TACIT_REQUIRED, 2 * TACIT_DEVICE_ID_BYTES, &id));
	TRY(tacit_json_text(item, "device", TACIT_REQUIRED, 1024, &text));
	TRY(tacit_unbase64(TACIT_BASE64, text, &bytes));
	TRY(tacit_device_decode(tacit_buf_view(&bytes), &device));
	tacit_hex(tacit_bytes(device.id.b, sizeof(device.id.b)), hex);
	if (tacit_device_check(&device, &e->public) != TACIT_OK ||
	        !tacit_name_same(tacit_cstr(hex), id)) {
		err = tacit_op_warn(e, op, NULL, TACIT_E_BAD_CERTIFICATE,
		        "The server names a device of yours (%s) that you have not certified.",
		        hex);
		goto out;
	}
	TRY(tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_DEVICE,
	                .text = tacit_cstr(hex),
	                .time = device.created_at,
	                .flag = tacit_bytes_eq(tacit_bytes(device.id.b, sizeof(device.id.b)),
	                        tacit_bytes(e->device.id.b, sizeof(e->device.id.b))),
	        }));
out:
	tacit_buf_clear(&bytes);
	return err;
}

static enum tacit_err got_devices(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	const json_t *devices;
	size_t i;
	json_t *item;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_list(a->body, "devices", 256, &devices));
	json_array_foreach(devices, i, item) TRY(tell_device(e, op, item));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

enum tacit_err tacit_op_devices(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_get(e, op, got_devices, "/api/devices");
}

static enum tacit_err left_group(struct tacit_engine *e, struct tacit_op *op);

static bool has_leaf(const struct tacit_engine *e, const struct tacit_conversation *c,
        const uint8_t id[TACIT_DEVICE_ID_BYTES])
{
	struct tacit_leaf leaf;
	for (uint32_t i = 0; tacit_membership_good(c) && tacit_group_leaf(c->group, &i, &leaf); i++)
		if (tacit_key_same(&leaf.account, &e->public) &&
		        memcmp(leaf.device.id.b, id, TACIT_DEVICE_ID_BYTES) == 0)
			return true;
	return false;
}

/* Out of every group, at once: what is said from then on, it cannot read. */
static enum tacit_err next_group(struct tacit_engine *e, struct tacit_op *op)
{
	if (op->todo_next >= op->todo_count)
		return tacit_op_done(e, op, NULL);
	return tacit_visit_begin(e, op,
	        &(struct tacit_visit){
	                .commit = true, .done = left_group, .failed = tacit_visit_forgive});
}

static enum tacit_err left_group(struct tacit_engine *e, struct tacit_op *op)
{
	op->todo_next++;
	return next_group(e, op);
}

static enum tacit_err revoked(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err = TACIT_OK;
	uint8_t id[TACIT_DEVICE_ID_BYTES];
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_unhex(tacit_buf_view(&op->text), id, sizeof(id)));
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		TRY(tacit_membership_load(e, c));
		if (c->known && c->in && !c->closed && has_leaf(e, c, id))
			TRY(tacit_op_todo(op, c->id));
	}
	TRY(next_group(e, op));
out:
	return err;
}

enum tacit_err tacit_op_revoke_device(struct tacit_engine *e, struct tacit_op *op)
{
	uint8_t id[TACIT_DEVICE_ID_BYTES];
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	json_t *data;
	if (tacit_unhex(tacit_buf_view(&op->text), id, sizeof(id)) != TACIT_OK)
		return tacit_op_fail(
		        e, op, TACIT_E_USAGE, TACIT_STR("A device id has 32 hex digits."));
	tacit_hex(tacit_bytes(id, sizeof(id)), hex);
	enum tacit_err err = tacit_op_data(NULL, 0, &data);
	if (err != TACIT_OK)
		return err;
	return tacit_op_call(e, op,
	        &(struct tacit_call){
	                .method = TACIT_DELETE, .body = TACIT_BODY_SIGNED, .data = data},
	        revoked, "/api/devices/%s", hex);
}
