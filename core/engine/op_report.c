/* op_report.c - the server cannot see what does not open here, for receipts are sealed: whoever
 * runs it learns from this how many messages are lost, as bare numbers, at the end of a SYNC.
 *
 *   counted, kept --POST /api/telemetry--> taken off, or kept for the next time */
#include "engine/engine_int.h"

#define COUNT_IN_ONE 100 /* what a server takes at once (docs/openapi.yaml) */

void tacit_engine_set_telemetry(struct tacit_engine *e, bool on)
{
	e->telemetry = on;
}

static void add(uint32_t *counter, uint64_t n)
{
	*counter = n < UINT32_MAX - *counter ? *counter + (uint32_t)n : UINT32_MAX;
}

void tacit_report_count(struct tacit_engine *e, struct tacit_trouble t)
{
	if (!e->telemetry)
		return;
	add(&e->trouble.undecryptable, t.undecryptable);
	add(&e->trouble.missing, t.missing);
	e->device_dirty = e->changed = true;
}

static uint32_t at_once(uint32_t n)
{
	return n < COUNT_IN_ONE ? n : COUNT_IN_ONE;
}

static void take_off(uint32_t *counter, const json_t *told, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(told, name));
	*counter -= n < *counter ? (uint32_t)n : *counter;
}

/* A server that will not have it now has it the next time; one that never will (an older one, say)
 * is not asked for ever. */
static enum tacit_err reported(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	bool later = a->status == 0 || a->status == 401 || a->status == 408 || a->status == 429 ||
	             a->status >= 500;
	const json_t *told = op->call.data; /* more may have been counted since */
	e->reporting = false;
	if (!later) {
		take_off(&e->trouble.undecryptable, told, "undecryptable");
		take_off(&e->trouble.missing, told, "missing");
		e->device_dirty = e->changed = true;
	}
	return op->after(e, op);
}

enum tacit_err tacit_report(struct tacit_engine *e, struct tacit_op *op)
{
	const struct tacit_trouble t = e->trouble;
	if (!e->telemetry || e->reporting || (t.undecryptable == 0 && t.missing == 0))
		return op->after(e, op);
	e->reporting = true;
	json_t *data = json_pack("{s:I,s:I}", "undecryptable", (json_int_t)at_once(t.undecryptable),
	        "missing", (json_int_t)at_once(t.missing));
	return tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_POST, .body = TACIT_BODY_SIGNED, .data = data},
	        reported, "/api/telemetry");
}
