/* uploads.c - POST /api/files/upload: a file in one request, as multipart/form-data.
 *
 *   open:  may this account store as much?  a partial blob
 *   piece: the part "file" to the blob and the hash
 *   close: the blob is published (synced), then its row committed, then 201
 *   abandon: the blob goes */
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/hash.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/multipart.h"
#include "server/api/tus.h"

struct upload {
	struct api_multipart form;
	struct store_file file;
	struct api_claim claim;
	struct tacit_hasher *hasher;
	int fd;
	uint64_t max_bytes;
	enum api_problem too_much; /* what to say beyond max_bytes */
};

static void close_fd(struct upload *u)
{
	if (u->fd >= 0)
		(void)close(u->fd);
	u->fd = -1;
}

static void upload_free(struct api *a, void *work)
{
	struct upload *u = work;
	close_fd(u);
	tacit_hasher_free(u->hasher);
	api_claim_release(a->claims, &u->claim);
	tacit_free(u);
}

/* The exact check is made with the row; this one spares the client a long body in vain. */
static enum tacit_err check_quota(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	int64_t more = 0;
	struct upload *u = c->work;
	TRY(api_quota_left(c, store, &more));
	uint64_t left = more > 0 ? (uint64_t)more : 0;
	if (c->content_length != UINT64_MAX && c->content_length > left + API_MULTIPART_FRAMING)
		err = api_refuse(c, API_QUOTA_EXCEEDED);
	if (left < u->max_bytes) {
		u->max_bytes = left;
		u->too_much = API_QUOTA_EXCEEDED;
	}
out:
	return err;
}

static enum tacit_err begin(struct api_call *c, struct store *store)
{
	struct upload *u = tacit_calloc(1, sizeof(*u));
	if (u == NULL)
		return TACIT_E_NOMEM;
	u->fd = -1;
	u->max_bytes = (uint64_t)c->api->settings.max_file_bytes;
	u->too_much = API_TOO_LARGE;
	u->file.owner_id = c->who.user_id;
	c->work = u;
	c->work_free = upload_free;
	enum tacit_err err = api_multipart_init(&u->form, c->header[API_H_CONTENT_TYPE]);
	if (err == TACIT_E_UNSUPPORTED)
		return api_refuse(c, API_UNSUPPORTED_MEDIA_TYPE);
	if (err != TACIT_OK)
		return api_refuse(c, API_INVALID_UPLOAD);
	return check_quota(c, store);
}

static enum tacit_err open_blob(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct upload *u = c->work;
	uint64_t size = 0;
	(void)store;
	api_file_id_new(&c->api->settings.env, u->file.id);
	TRY(api_claim_take(c->api->claims, &u->claim, u->file.id) ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(tacit_hasher_new(TACIT_SHA256, &u->hasher));
	TRY(blob_partial_open(c->api->blobs, u->file.id, &u->fd, &size));
out:
	return err;
}

static enum tacit_err write_bytes(void *ctx, struct tacit_bytes data)
{
	enum tacit_err err;
	struct upload *u = ctx;
	if (data.n > u->max_bytes - (uint64_t)u->file.bytes)
		return TACIT_E_LIMIT;
	TRY(blob_write(u->fd, (uint64_t)u->file.bytes, data));
	TRY(tacit_hasher_update(u->hasher, data));
	u->file.bytes += (int64_t)data.n;
out:
	return err;
}

static enum tacit_err take_piece(struct api_call *c, struct store *store)
{
	struct upload *u = c->work;
	const struct api_multipart_sink sink = {write_bytes, u};
	(void)store;
	enum tacit_err err = api_multipart_feed(&u->form, tacit_buf_view(&c->piece), &sink);
	if (err == TACIT_E_MALFORMED || err == TACIT_E_TOO_LARGE)
		return api_refuse(c, API_INVALID_UPLOAD);
	return err == TACIT_E_LIMIT ? api_refuse(c, u->too_much) : err;
}

static enum tacit_err publish(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct upload *u = c->work;
	(void)store;
	if (api_multipart_end(&u->form, &u->file.conversation_id, &u->file.message_id) != TACIT_OK)
		return api_refuse(c, API_INVALID_UPLOAD);
	TRY(tacit_hasher_peek(u->hasher, u->file.sha256));
	close_fd(u);
	TRY(blob_publish(c->api->blobs, u->file.id));
out:
	return err;
}

static enum tacit_err answer(struct api_call *c, const struct store_file *f)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 201, &w));
	api_json_text(&w, "file_id", tacit_cstr(f->id));
	api_json_integer(&w, "size", f->bytes);
	api_json_hex(&w, "sha256", tacit_bytes(f->sha256, sizeof(f->sha256)));
	if (f->conversation_id != 0)
		api_json_integer(&w, "conversation_id", f->conversation_id);
	else
		api_json_null(&w, "conversation_id");
	api_json_time(&w, "created_at", f->created_at);
	TRY(api_json_finish(&w));
out:
	return err;
}

static enum tacit_err create_row(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct upload *u = c->work;
	u->file.created_at = tacit_env_now(&c->api->settings.env);
	err = store->ops->file_create(store, &u->file, c->api->settings.quota_bytes);
	if (err == TACIT_E_LIMIT)
		err = api_refuse(c, API_QUOTA_EXCEEDED);
	TRY(err);
	TRY(answer(c, &u->file));
out:
	return err;
}

static enum tacit_err discard(struct api_call *c, struct store *store)
{
	struct upload *u = c->work;
	(void)store;
	close_fd(u);
	return u->claim.id[0] != '\0' ? blob_delete(c->api->blobs, u->file.id) : TACIT_OK;
}

const struct api_stream api_upload_stream = {
        .open = {{JOB_READ, begin}, {JOB_FILE, open_blob}},
        .piece = {{JOB_FILE, take_piece}},
        .close = {{JOB_FILE, publish}, {JOB_WRITE, create_row}},
        .abandon = {{JOB_FILE, discard}},
};
