/* parcel_upload.c - PATCH /api/parcels/{file}: the next part of what is to be kept.
 *
 *   open:    claim the writing, check the offset, open the partial blob, cut off what never counted
 *   piece:   append
 *   close:   sync, commit the offset; when all is there, publish the blob, and then it is ready
 *   abandon: nothing of this request counts; what has ended meanwhile leaves no bytes
 *
 * A part counts whole or not at all: who seals it anew after an interruption sends other bytes. */
#include <inttypes.h>
#include <stdio.h>

#include "server/api/handlers.h"
#include "server/api/parcels.h"
#include "server/api/tus_headers.h"

static enum tacit_err begin_part(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	int64_t offset = 0;
	TRY(api_parcel_load_own(c, store));
	struct parcel_work *w = c->work;
	TRY(w->parcel.ended == STORE_PARCEL_LIVES ? TACIT_OK : TACIT_E_GONE);
	if (api_tus_number(c->header[API_H_UPLOAD_OFFSET], &offset) != TACIT_OK ||
	        c->content_length == UINT64_MAX)
		return api_refuse(c, API_INVALID_HEADER);
	if (!api_claim_take(c->api->claims, &w->writing, c->path.file))
		return api_refuse(c, API_UPLOAD_BUSY);
	/* From here on nobody else moves the offset. */
	TRY(store->ops->parcel_get(store, c->path.file, &w->parcel));
	if (w->parcel.ready || offset != w->parcel.offset)
		return api_refuse(c, API_WRONG_OFFSET);
	if (c->content_length > (uint64_t)(w->parcel.bytes - offset))
		return api_refuse(c, API_TOO_LARGE);
	w->at = offset;
out:
	return err;
}

static enum tacit_err open_partial(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct parcel_work *w = c->work;
	uint64_t size = 0;
	(void)store;
	if (w->parcel.offset == w->parcel.bytes) /* and perhaps published */
		return TACIT_OK;
	TRY(blob_partial_open(c->api->blobs, w->parcel.id, &w->fd, &size));
	TRY(size >= (uint64_t)w->parcel.offset ? TACIT_OK : TACIT_E_IO);
	if (size > (uint64_t)w->parcel.offset)
		TRY(blob_truncate(w->fd, (uint64_t)w->parcel.offset));
out:
	return err;
}

static enum tacit_err take_piece(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct parcel_work *w = c->work;
	struct tacit_bytes data = tacit_buf_view(&c->piece);
	(void)store;
	if (data.n > (uint64_t)(w->parcel.bytes - w->at))
		return api_refuse(c, API_TOO_LARGE);
	TRY(blob_write(w->fd, (uint64_t)w->at, data));
	w->at += (int64_t)data.n;
out:
	return err;
}

static enum tacit_err sync_part(struct api_call *c, struct store *store)
{
	const struct parcel_work *w = c->work;
	(void)store;
	return w->fd >= 0 ? blob_sync(w->fd) : TACIT_OK;
}

static enum tacit_err answer(struct api_call *c, int64_t offset)
{
	char text[24];
	enum tacit_err err = api_answer_bare(c, 204);
	(void)snprintf(text, sizeof(text), "%" PRId64, offset);
	return err == TACIT_OK ? http_response_header(c->answer, "Upload-Offset", text) : err;
}

static enum tacit_err commit_part(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct parcel_work *w = c->work;
	err = store->ops->parcel_advance(
	        store, w->parcel.id, w->parcel.offset, w->at, api_parcel_idle_s(c->api));
	w->gone = err == TACIT_E_GONE || err == TACIT_E_NOT_FOUND;
	TRY(err);
	if (w->at < w->parcel.bytes)
		TRY(answer(c, w->at));
out:
	return err;
}

static enum tacit_err publish(struct api_call *c, struct store *store)
{
	struct parcel_work *w = c->work;
	(void)store;
	w->parcel.offset = w->at; /* committed: nothing of it is to be cut off any more */
	enum tacit_err err = blob_publish(c->api->blobs, w->parcel.id);
	return err == TACIT_E_NOT_FOUND ? TACIT_E_IO : err;
}

static enum tacit_err make_ready(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct parcel_work *w = c->work;
	err = store->ops->parcel_ready(store, w->parcel.id);
	w->gone = err == TACIT_E_GONE || err == TACIT_E_NOT_FOUND;
	TRY(err);
	TRY(answer(c, w->at));
out:
	return err;
}

static enum tacit_err look_again(struct api_call *c, struct store *store)
{
	struct parcel_work *w = c->work;
	struct store_parcel now;
	c->enough = w->writing.id[0] == '\0'; /* nothing was begun, or by somebody else */
	if (c->enough)
		return TACIT_OK;
	enum tacit_err err = store->ops->parcel_get(store, w->parcel.id, &now);
	w->gone |= err == TACIT_E_NOT_FOUND || (err == TACIT_OK && now.ended != STORE_PARCEL_LIVES);
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err;
}

static enum tacit_err give_up(struct api_call *c, struct store *store)
{
	const struct parcel_work *w = c->work;
	(void)store;
	if (w->gone)
		return blob_delete(c->api->blobs, w->parcel.id);
	return w->fd >= 0 && w->at > w->parcel.offset
	               ? blob_truncate(w->fd, (uint64_t)w->parcel.offset)
	               : TACIT_OK;
}

const struct api_stream api_parcel_stream = {
        .open = {{JOB_READ, begin_part}, {JOB_FILE, open_partial}},
        .piece = {{JOB_FILE, take_piece}},
        .close = {{JOB_FILE, sync_part}, {JOB_WRITE, commit_part}, {JOB_FILE, publish},
                {JOB_WRITE, make_ready}},
        .abandon = {{JOB_READ, look_again}, {JOB_FILE, give_up}},
};
