/* tus_patch.c - tus requests that bring bytes: PATCH, and POST with the first of them.
 *
 *   open:    claim the upload, check the offset, open the partial blob
 *   piece:   append; every CHECKPOINT bytes sync and commit the offset, so that little is lost
 *            when the server dies
 *   close:   sync, checksum, commit the offset; when all is there, it becomes a file
 *   abandon: the connection broke: what came is synced and counted, so that it need not come again;
 *            when the upload was deleted meanwhile, its bytes must not stay either
 *
 * The committed offset never runs ahead of what is on disk. Bytes behind it are cut off at the next
 * open. With a checksum only a whole request counts. */
#include "base/alloc.h"
#include "server/api/handlers.h"
#include "server/api/tus.h"

#define CHECKPOINT ((int64_t)64 * 1024 * 1024)

static enum tacit_err header_number(struct api_call *c, enum api_header h, int64_t *out)
{
	return api_tus_number(c->header[h], out) == TACIT_OK ? TACIT_OK
	                                                     : api_refuse(c, API_INVALID_HEADER);
}

static enum tacit_err read_checksum(struct api_call *c, struct tus *t)
{
	enum tacit_err err = api_tus_checksum_read(c->header[API_H_UPLOAD_CHECKSUM], &t->checksum);
	if (err == TACIT_E_MALFORMED || err == TACIT_E_UNSUPPORTED)
		err = api_refuse(c, API_INVALID_HEADER);
	return err;
}

static bool has_body(const struct api_call *c)
{
	return c->content_length != 0;
}

static enum tacit_err check_type(struct api_call *c)
{
	bool right = tacit_bytes_eq(
	        c->header[API_H_CONTENT_TYPE], TACIT_STR("application/offset+octet-stream"));
	return right ? TACIT_OK : api_refuse(c, API_UNSUPPORTED_MEDIA_TYPE);
}

/* An announced length that cannot fit is refused before its bytes come. */
static enum tacit_err check_room(struct api_call *c, const struct tus *t)
{
	int64_t end = t->upload.length >= 0 ? t->upload.length : c->api->settings.max_file_bytes;
	if (c->content_length == UINT64_MAX)
		return TACIT_OK;
	return c->content_length > (uint64_t)(end - t->upload.offset) ? api_refuse(c, API_TOO_LARGE)
	                                                              : TACIT_OK;
}

static enum tacit_err read_length(struct api_call *c, int64_t *length)
{
	enum tacit_err err;
	TRY(header_number(c, API_H_UPLOAD_LENGTH, length));
	if (*length > c->api->settings.max_file_bytes)
		err = api_refuse(c, API_TOO_LARGE);
out:
	return err;
}

/* --- POST: a new upload -------------------------------------------------------------------- */

static enum tacit_err read_place(struct api_call *c, struct tus *t)
{
	struct tacit_buf value = {0};
	struct tacit_bytes metadata = c->header[API_H_UPLOAD_METADATA];
	enum tacit_err err = api_tus_metadata(metadata, TACIT_STR("conversation_id"), &value);
	if (err == TACIT_OK)
		err = api_tus_number(tacit_buf_view(&value), &t->upload.conversation_id);
	if (err == TACIT_E_MALFORMED || err == TACIT_E_TOO_LARGE)
		err = api_refuse(c, API_INVALID_HEADER);
	t->upload.metadata = metadata;
	tacit_buf_clear(&value);
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err;
}

/* An upload counts with its length, and while that is open with what has come: so that must fit. */
static enum tacit_err limit_open_length(struct api_call *c, struct store *store, struct tus *t)
{
	int64_t left = 0;
	enum tacit_err err = api_quota_left(c, store, &left);
	t->most = t->upload.offset + (left > 0 ? left : 0);
	return err;
}

static enum tacit_err begin_creation(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(api_tus_version(c));
	struct tus *t = api_tus_work(c);
	TRY(t != NULL ? TACIT_OK : TACIT_E_NOMEM);
	bool deferred = c->header[API_H_UPLOAD_DEFER_LENGTH].p != NULL;
	if (deferred == (c->header[API_H_UPLOAD_LENGTH].p != NULL) ||
	        (deferred && !tacit_bytes_eq(c->header[API_H_UPLOAD_DEFER_LENGTH], TACIT_STR("1"))))
		return api_refuse(c, API_INVALID_HEADER);
	if (!deferred)
		TRY(read_length(c, &t->upload.length));
	TRY(read_place(c, t));
	if (has_body(c)) {
		TRY(check_type(c));
		TRY(read_checksum(c, t));
		TRY(check_room(c, t));
	}
	if (deferred)
		TRY(limit_open_length(c, store, t));
	t->upload.owner_id = c->who.user_id;
	t->upload.created_at = c->now;
	t->upload.expires_at = c->now + c->api->settings.upload_expiry_s;
	api_file_id_new(&c->api->settings.env, t->upload.id);
	TRY(api_claim_take(c->api->claims, &t->claim, t->upload.id) ? TACIT_OK : TACIT_E_CONFLICT);
out:
	return err;
}

static enum tacit_err refuse_quota(struct api_call *c, enum tacit_err err)
{
	struct tus *t = c->work;
	if (err != TACIT_E_LIMIT)
		return err;
	t->discard = true;
	return api_refuse(c, API_QUOTA_EXCEEDED);
}

static enum tacit_err create_row(struct api_call *c, struct store *store)
{
	struct tus *t = c->work;
	return refuse_quota(
	        c, store->ops->upload_create(store, &t->upload, c->api->settings.quota_bytes));
}

/* --- PATCH --------------------------------------------------------------------------------- */

static enum tacit_err begin_patch(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	int64_t offset = 0;
	TRY(api_tus_version(c));
	TRY(check_type(c));
	TRY(header_number(c, API_H_UPLOAD_OFFSET, &offset));
	TRY(api_tus_load(c, store));
	struct tus *t = c->work;
	TRY(read_checksum(c, t));
	if (offset != t->upload.offset)
		return api_refuse(c, API_WRONG_OFFSET);
	if (t->upload.length < 0)
		TRY(limit_open_length(c, store, t));
	if (c->header[API_H_UPLOAD_LENGTH].p != NULL) {
		TRY(read_length(c, &t->new_length));
		if (t->upload.length >= 0 ? t->new_length != t->upload.length
		                          : t->new_length < t->upload.offset)
			return api_refuse(c, API_INVALID_HEADER);
		t->upload.length = t->new_length;
	}
	TRY(check_room(c, t));
out:
	return err;
}

/* A deferred length, once it is known, is committed with the offset that this request reaches.
 * Should the commit fail, the request fails, and what t says here is used no more. */
static enum tacit_err commit_offset(struct api_call *c, struct store *store)
{
	enum tacit_err err = TACIT_OK;
	struct tus *t = c->work;
	int64_t expires_at =
	        tacit_env_now(&c->api->settings.env) + c->api->settings.upload_expiry_s;
	int64_t left = 0;
	if (t->new_length >= 0)
		TRY(refuse_quota(
		        c, store->ops->upload_set_length(store, t->upload.id, c->who.user_id,
		                   t->new_length, c->api->settings.quota_bytes)));
	err = store->ops->upload_advance(
	        store, t->upload.id, c->who.user_id, t->upload.offset, t->synced, expires_at);
	t->gone = err == TACIT_E_NOT_FOUND;
	TRY(err);
	if (t->most >= 0 && t->synced > t->upload.offset) {
		TRY(api_quota_left(c, store, &left));
		if (left < 0) /* others of the same owner grew at the same time */
			return refuse_quota(c, TACIT_E_LIMIT);
	}
	t->upload.offset = t->synced;
	t->upload.expires_at = expires_at;
out:
	return err;
}

/* --- bytes --------------------------------------------------------------------------------- */

static enum tacit_err open_partial(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tus *t = c->work;
	uint64_t size = 0;
	(void)store;
	/* All bytes are there already, and perhaps published: only the completion is missing. */
	if (t->upload.offset == t->upload.length && t->upload.length > 0)
		return TACIT_OK;
	TRY(blob_partial_open(c->api->blobs, t->upload.id, &t->fd, &size));
	TRY(size >= (uint64_t)t->upload.offset ? TACIT_OK : TACIT_E_IO);
	if (size > (uint64_t)t->upload.offset)
		TRY(blob_truncate(t->fd, (uint64_t)t->upload.offset));
	if (t->checksum.wanted)
		TRY(api_tus_sum_new(&t->checksum, &t->body_sum));
	if (t->upload.offset == 0)
		TRY(tacit_hasher_new(TACIT_SHA256, &t->whole));
out:
	return err;
}

static enum tacit_err take_piece(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tus *t = c->work;
	struct tacit_bytes data = tacit_buf_view(&c->piece);
	int64_t end = t->upload.length >= 0 ? t->upload.length : c->api->settings.max_file_bytes;
	(void)store;
	if (data.n > (uint64_t)(end - t->at))
		return api_refuse(c, API_TOO_LARGE);
	if (t->most >= 0 && (t->at >= t->most || data.n > (uint64_t)(t->most - t->at)))
		return refuse_quota(c, TACIT_E_LIMIT);
	TRY(blob_write(t->fd, (uint64_t)t->at, data));
	if (t->body_sum != NULL)
		TRY(api_tus_sum_update(t->body_sum, data));
	if (t->whole != NULL)
		TRY(tacit_hasher_update(t->whole, data));
	t->at += (int64_t)data.n;
	c->enough = t->checksum.wanted || t->at - t->upload.offset < CHECKPOINT;
	if (!c->enough) {
		TRY(blob_sync(t->fd));
		t->synced = t->at;
	}
out:
	return err;
}

static enum tacit_err check_body(struct api_call *c, struct tus *t)
{
	enum tacit_err err = api_tus_sum_check(t->body_sum, &t->checksum);
	if (err != TACIT_E_BAD_SEAL)
		return err;
	t->discard = true;
	return api_refuse(c, API_CHECKSUM_MISMATCH);
}

static enum tacit_err sync_bytes(struct api_call *c, struct store *store)
{
	enum tacit_err err = TACIT_OK;
	struct tus *t = c->work;
	(void)store;
	if (t->fd < 0)
		return TACIT_OK;
	if (t->body_sum != NULL)
		TRY(check_body(c, t));
	TRY(blob_sync(t->fd));
	t->synced = t->at;
out:
	return err;
}

static enum tacit_err commit_end(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tus *t = c->work;
	TRY(commit_offset(c, store));
	if (t->upload.offset != t->upload.length)
		TRY(api_tus_answer(c, c->method == HTTP_POST ? 201 : 204));
out:
	return err;
}

/* --- a broken connection ------------------------------------------------------------------- */

static enum tacit_err keep_bytes(struct api_call *c, struct store *store)
{
	enum tacit_err err = TACIT_OK;
	struct tus *t = c->work;
	(void)store;
	c->enough = true;
	if (t->gone)
		return blob_delete(c->api->blobs, t->upload.id);
	if (t->fd < 0)
		return TACIT_OK;
	if (t->checksum.wanted || t->discard)
		return blob_truncate(t->fd, (uint64_t)t->upload.offset);
	if (t->at > t->upload.offset) {
		TRY(blob_sync(t->fd));
		t->synced = t->at;
		c->enough = false;
	}
out:
	return err;
}

static enum tacit_err commit_kept(struct api_call *c, struct store *store)
{
	const struct tus *t = c->work;
	enum tacit_err err = commit_offset(c, store);
	return t->gone ? TACIT_OK : err;
}

static enum tacit_err delete_if_gone(struct api_call *c, struct store *store)
{
	const struct tus *t = c->work;
	(void)store;
	return t->gone ? blob_delete(c->api->blobs, t->upload.id) : TACIT_OK;
}

const struct api_stream api_tus_create_stream = {
        .open = {{JOB_READ, begin_creation}, {JOB_WRITE, create_row}, {JOB_FILE, open_partial}},
        .piece = {{JOB_FILE, take_piece}, {JOB_WRITE, commit_offset}},
        .close = {{JOB_FILE, sync_bytes}, {JOB_WRITE, commit_end}, {JOB_FILE, api_tus_complete},
                {JOB_WRITE, api_tus_finish}},
        .abandon = {{JOB_FILE, keep_bytes}, {JOB_WRITE, commit_kept}, {JOB_FILE, delete_if_gone}},
};

const struct api_stream api_tus_patch_stream = {
        .open = {{JOB_READ, begin_patch}, {JOB_FILE, open_partial}},
        .piece = {{JOB_FILE, take_piece}, {JOB_WRITE, commit_offset}},
        .close = {{JOB_FILE, sync_bytes}, {JOB_WRITE, commit_end}, {JOB_FILE, api_tus_complete},
                {JOB_WRITE, api_tus_finish}},
        .abandon = {{JOB_FILE, keep_bytes}, {JOB_WRITE, commit_kept}, {JOB_FILE, delete_if_gone}},
};
