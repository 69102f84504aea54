/* commits.c - the order of commits (RFC 9420 14), the GroupInfo of the present epoch, Welcomes. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/api/devices.h"
#include "server/api/handlers.h"
#include "server/api/message_form.h"
#include "server/api/message_store.h"

#define MAX_MISSING 32  /* commits in a refusal; the rest come with the messages */
#define MAX_WELCOMES 32 /* in one answer */

/* --- a commit ------------------------------------------------------------------------------- */

struct commit {
	struct tacit_buf content, group_info, welcome;
	struct tacit_bytes client_id; /* in the call's body */
	int64_t epoch;
	size_t joiner_count;
	struct tacit_device_id *joiners;
};

static void commit_free(struct api *a, void *work)
{
	struct commit *m = work;
	(void)a;
	tacit_buf_clear(&m->content);
	tacit_buf_clear(&m->group_info);
	tacit_buf_clear(&m->welcome);
	tacit_free(m->joiners);
	tacit_free(m);
}

static enum tacit_err read_joiners(struct api_call *c, struct commit *m)
{
	size_t i;
	json_t *item;
	const json_t *list;
	enum tacit_err err = api_object_array(&c->data, "welcome_devices", TACIT_REQUIRED, &list);
	size_t count = json_array_size(list);
	if (err != TACIT_OK || count == 0 || count > TACIT_MAX_RECIPIENTS)
		return api_refuse_member(c, API_INVALID_VALUE, "welcome_devices");
	m->joiners = tacit_calloc(count, sizeof(*m->joiners));
	if (m->joiners == NULL)
		return TACIT_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		struct tacit_bytes hex =
		        tacit_bytes(json_string_value(item), json_string_length(item));
		uint8_t *id = m->joiners[m->joiner_count++].b;
		if (hex.p == NULL || tacit_unhex(hex, id, TACIT_DEVICE_ID_BYTES) != TACIT_OK)
			return api_refuse_member(c, API_INVALID_VALUE, "welcome_devices");
	}
	return TACIT_OK;
}

enum tacit_err api_commit_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	(void)store;
	struct commit *m = tacit_calloc(1, sizeof(*m));
	if (m == NULL)
		return TACIT_E_NOMEM;
	c->work = m;
	c->work_free = commit_free;
	TRY(api_integer(c, "epoch", TACIT_REQUIRED, 0, &m->epoch));
	TRY(api_base64(c, "content", TACIT_MAX_COMMIT, &m->content));
	TRY(api_base64(c, "group_info", TACIT_MAX_GROUP_INFO, &m->group_info));
	TRY(api_text(c, "client_id", TACIT_REQUIRED, STORE_CLIENT_ID_CHARS, &m->client_id));
	if (api_object_has(&c->data, "welcome")) {
		TRY(api_base64(c, "welcome", TACIT_MAX_GROUP_INFO, &m->welcome));
		TRY(read_joiners(c, m));
	}
out:
	return err;
}

static enum tacit_err add_missing(void *ctx, const struct store_message *m)
{
	struct api_json *w = ctx;
	api_message_http(w, m);
	return w->err;
}

/* Another commit has ended this epoch: the refusal brings what the caller has not seen. */
static enum tacit_err refuse_stale(struct api_call *c, struct store *store, int64_t epoch)
{
	enum tacit_err err;
	struct api_json w;
	metrics_add(c->api->metrics, METRICS_GROUP_COMMITS_CONFLICTS, 1);
	TRY(api_answer_json(c, api_problem_status(API_EPOCH_PASSED), &w));
	api_json_text(&w, "error", tacit_cstr(api_problem_text(API_EPOCH_PASSED)));
	api_json_text(&w, "code", tacit_cstr(api_problem_code(API_EPOCH_PASSED)));
	api_json_time(&w, "timestamp", c->now);
	api_json_open_array(&w, "commits");
	TRY(store->ops->commit_list(
	        store, c->path.id, c->who.user_id, epoch, MAX_MISSING, add_missing, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_commit_append(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	const struct commit *m = c->work;
	struct store_message out = {0};
	bool existed = false;
	const struct store_new_commit n = {
	        .message = {.conversation_id = c->path.id,
	                .user_id = c->who.user_id,
	                .now = c->now,
	                .content = tacit_buf_view(&m->content),
	                .client_id = m->client_id},
	        .epoch = m->epoch,
	        .group_info = tacit_buf_view(&m->group_info),
	        .welcome = tacit_buf_view(&m->welcome),
	        .joiners = m->joiners,
	        .joiner_count = m->joiner_count,
	};
	err = api_commit_store(store, &n, &c->outbox, &out, &existed);
	if (err == TACIT_E_CONFLICT)
		return refuse_stale(c, store, m->epoch);
	TRY(err);
	TRY(api_answer_json(c, existed ? 200 : 201, &w));
	api_message_receipt(&w, "conversation_id", &out);
	TRY(api_json_finish(&w));
	metrics_add(c->api->metrics, METRICS_GROUP_COMMITS, !existed);
out:
	return err;
}

/* --- the group ------------------------------------------------------------------------------ */

static enum tacit_err write_group(void *ctx, const struct store_group *g)
{
	struct api_json *w = ctx;
	api_json_integer(w, "epoch", g->epoch);
	if (g->epoch > 0) {
		api_json_integer(w, "message_id", g->message_id);
		api_json_base64(w, "group_info", g->group_info);
	}
	return w->err;
}

enum tacit_err api_group_get(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 200, &w));
	TRY(store->ops->group_get(store, c->path.id, c->who.user_id, write_group, &w));
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- Welcomes ------------------------------------------------------------------------------- */

static enum tacit_err write_welcome(void *ctx, const struct store_welcome *m)
{
	struct api_json *w = ctx;
	api_json_open_object(w, NULL);
	api_json_integer(w, "id", m->id);
	api_json_integer(w, "conversation_id", m->conversation_id);
	api_json_integer(w, "epoch", m->epoch);
	api_json_integer(w, "message_id", m->message_id);
	api_json_base64(w, "welcome", m->welcome);
	api_json_close_object(w);
	return w->err;
}

enum tacit_err api_welcomes_list(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	struct tacit_device_id id;
	TRY(tacit_unhex(tacit_cstr(c->path.file), id.b, sizeof(id.b)));
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "welcomes");
	TRY(store->ops->welcome_list(store, c->who.user_id, &id, MAX_WELCOMES, write_welcome, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_welcome_delete(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_device_id id;
	TRY(tacit_unhex(tacit_cstr(c->path.file), id.b, sizeof(id.b)));
	TRY(store->ops->welcome_delete(store, c->who.user_id, &id, c->path.id));
	TRY(api_tie_session(c, store, &id));
	TRY(api_answer_empty(c, 200));
out:
	return err;
}
