/* telemetry.c - POST /api/telemetry: how many messages a client could not read. Bare numbers: of
 * which conversation, from whom and when is not said. They are what clients say, and go into two
 * counters of /metrics; nothing is stored. */
#include "server/api/call.h"
#include "server/api/handlers.h"

#define MAX_COUNT 100 /* of each kind, in one report: one client must not drown the others */

static enum tacit_err read_count(struct api_call *c, const char *name, int64_t *out)
{
	*out = 0;
	enum tacit_err err = api_integer(c, name, TACIT_OPTIONAL, 0, out);
	if (err == TACIT_OK && *out > MAX_COUNT)
		err = api_refuse_member(c, API_INVALID_VALUE, name);
	return err;
}

enum tacit_err api_telemetry(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	int64_t undecryptable, missing;
	(void)store;
	TRY(read_count(c, "undecryptable", &undecryptable));
	TRY(read_count(c, "missing", &missing));
	TRY(api_answer_empty(c, 200));
	metrics_add(c->api->metrics, METRICS_UNDECRYPTABLE, (uint64_t)undecryptable);
	metrics_add(c->api->metrics, METRICS_MISSING, (uint64_t)missing);
out:
	return err;
}
