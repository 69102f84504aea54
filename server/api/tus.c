/* tus.c - resumable uploads (tus 1.0.0): OPTIONS, HEAD, DELETE, and how an upload becomes a file.
 *
 * An upload whose bytes are all there and committed, but which is no file yet (the server died in
 * between), is completed by the HEAD with which the client comes back. */
#include "server/api/tus.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/api/handlers.h"

#define READ_BACK_TURN ((int64_t)16 * 1024 * 1024) /* hashed in one turn of the FILE lane */
#define READ_BACK_PIECE (256 * 1024)

static void tus_free(struct api *a, void *work)
{
	struct tus *t = work;
	api_tus_close(t);
	api_claim_release(a->claims, &t->claim);
	api_tus_sum_free(t->body_sum);
	tacit_hasher_free(t->whole);
	tacit_buf_clear(&t->metadata);
	tacit_free(t);
}

struct tus *api_tus_work(struct api_call *c)
{
	struct tus *t = c->work;
	if (t != NULL)
		return t;
	t = tacit_calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->fd = -1;
	t->new_length = -1;
	t->most = -1;
	t->upload.length = -1;
	c->work = t;
	c->work_free = tus_free;
	return t;
}

void api_tus_close(struct tus *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
}

enum tacit_err api_tus_version(struct api_call *c)
{
	return tacit_bytes_eq(c->header[API_H_TUS_RESUMABLE], TACIT_STR(API_TUS_VERSION))
	               ? TACIT_OK
	               : api_refuse(c, API_UNSUPPORTED_TUS_VERSION);
}

static enum tacit_err keep_upload(void *ctx, const struct store_upload *u)
{
	struct tus *t = ctx;
	enum tacit_err err = tacit_buf_append(&t->metadata, u->metadata);
	t->upload = *u;
	t->upload.metadata = tacit_buf_view(&t->metadata);
	t->at = t->synced = u->offset;
	return err;
}

enum tacit_err api_tus_load(struct api_call *c, struct store *store)
{
	struct tus *t = api_tus_work(c);
	if (t == NULL)
		return TACIT_E_NOMEM;
	/* First the claim, then the row: from here on nobody else moves the offset. */
	bool mine = api_claim_take(c->api->claims, &t->claim, c->path.file);
	enum tacit_err err =
	        store->ops->upload_get(store, c->path.file, c->who.user_id, c->now, keep_upload, t);
	return err == TACIT_OK && !mine ? api_refuse(c, API_UPLOAD_BUSY) : err;
}

enum tacit_err api_quota_left(struct api_call *c, struct store *store, int64_t *left)
{
	enum tacit_err err;
	struct store_user user;
	int64_t used = 0;
	TRY(store->ops->user_by_id(store, c->who.user_id, &user));
	TRY(store->ops->user_usage(store, c->who.user_id, &used));
	*left = (user.quota_bytes >= 0 ? user.quota_bytes : c->api->settings.quota_bytes) - used;
out:
	return err;
}

static enum tacit_err number_header(struct api_call *c, const char *name, int64_t value)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return http_response_header(c->answer, name, text);
}

static enum tacit_err place_headers(struct api_call *c, const struct tus *t)
{
	enum tacit_err err;
	char text[API_HTTP_DATE_CHARS + 1], hex[2 * TACIT_SHA256_BYTES + 1];
	TRY(number_header(c, "Upload-Offset", t->upload.offset));
	if (t->upload.length >= 0)
		TRY(number_header(c, "Upload-Length", t->upload.length));
	else
		TRY(http_response_header(c->answer, "Upload-Defer-Length", "1"));
	if (t->finished) {
		tacit_hex(tacit_bytes(t->sha256, sizeof(t->sha256)), hex);
		TRY(http_response_header(c->answer, "Tacit-File-Sha256", hex));
	} else {
		api_http_date(t->upload.expires_at, text);
		TRY(http_response_header(c->answer, "Upload-Expires", text));
	}
out:
	return err;
}

enum tacit_err api_tus_answer(struct api_call *c, int status)
{
	enum tacit_err err;
	struct tus *t = c->work;
	char location[64];
	TRY(api_answer_bare(c, status));
	c->answer->no_store = true;
	TRY(http_response_header(c->answer, "Tus-Resumable", API_TUS_VERSION));
	TRY(place_headers(c, t));
	if (status == 201) {
		(void)snprintf(location, sizeof(location), "/api/files/tus/%s", t->upload.id);
		TRY(http_response_header(c->answer, "Location", location));
	}
	if (c->method == HTTP_HEAD && t->metadata.n > 0) {
		TRY(tacit_buf_terminate(&t->metadata));
		TRY(http_response_header(
		        c->answer, "Upload-Metadata", (const char *)t->metadata.p));
	}
out:
	return err;
}

enum tacit_err api_tus_options(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	(void)store;
	TRY(api_answer_bare(c, 204));
	TRY(http_response_header(c->answer, "Allow", "POST, HEAD, PATCH, DELETE, OPTIONS"));
	TRY(http_response_header(c->answer, "Tus-Resumable", API_TUS_VERSION));
	TRY(http_response_header(c->answer, "Tus-Version", API_TUS_VERSION));
	TRY(http_response_header(c->answer, "Tus-Extension",
	        "creation,creation-with-upload,creation-defer-length,termination,checksum,"
	        "expiration"));
	TRY(http_response_header(c->answer, "Tus-Checksum-Algorithm", API_TUS_ALGORITHMS));
	TRY(number_header(c, "Tus-Max-Size", c->api->settings.max_file_bytes));
out:
	return err;
}

/* --- HEAD ---------------------------------------------------------------------------------- */

static enum tacit_err load_finished(struct api_call *c, struct store *store, struct tus *t)
{
	struct store_file f;
	enum tacit_err err = store->ops->file_get(store, c->path.file, c->who.user_id, &f);
	if (err != TACIT_OK)
		return err;
	t->finished = true;
	t->upload.offset = t->upload.length = f.bytes;
	for (size_t i = 0; i < sizeof(t->sha256); i++)
		t->sha256[i] = f.sha256[i];
	return TACIT_OK;
}

enum tacit_err api_tus_head(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(api_tus_version(c));
	struct tus *t = api_tus_work(c);
	TRY(t != NULL ? TACIT_OK : TACIT_E_NOMEM);
	bool mine = api_claim_take(c->api->claims, &t->claim, c->path.file);
	err = store->ops->upload_get(store, c->path.file, c->who.user_id, c->now, keep_upload, t);
	if (err == TACIT_E_NOT_FOUND)
		err = load_finished(c, store, t);
	TRY(err);
	if (!mine || t->finished || t->upload.offset != t->upload.length)
		TRY(api_tus_answer(c, 200));
out:
	return err;
}

/* --- from upload to file ------------------------------------------------------------------- */

static enum tacit_err hash_turn(struct tus *t, bool *whole)
{
	enum tacit_err err = TACIT_OK;
	int64_t until = t->read_back + READ_BACK_TURN;
	uint8_t *piece = tacit_alloc(READ_BACK_PIECE);
	if (piece == NULL)
		return TACIT_E_NOMEM;
	*whole = false;
	while (t->read_back < until && !*whole) {
		ssize_t n = pread(t->fd, piece, READ_BACK_PIECE, (off_t)t->read_back);
		TRY(n >= 0 ? TACIT_OK : TACIT_E_IO);
		TRY(tacit_hasher_update(t->whole, tacit_bytes(piece, (size_t)n)));
		t->read_back += n;
		*whole = n == 0;
	}
	if (*whole && t->read_back != t->upload.length)
		err = TACIT_E_IO;
out:
	tacit_free(piece);
	return err;
}

/* FILE lane. Publishes the bytes under the id, and reads them back for the hash unless they all
 * came with this request. */
enum tacit_err api_tus_complete(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tus *t = c->work;
	uint64_t size = 0;
	bool whole = true;
	(void)store;
	if (t->read_back == 0) {
		api_tus_close(t);
		TRY(blob_publish(c->api->blobs, t->upload.id));
	}
	if (t->whole == NULL) {
		TRY(tacit_hasher_new(TACIT_SHA256, &t->whole));
		TRY(blob_open(c->api->blobs, t->upload.id, &t->fd, &size));
	}
	if (t->fd >= 0) {
		TRY(hash_turn(t, &whole));
		c->again = !whole;
	}
	if (whole) {
		api_tus_close(t);
		TRY(tacit_hasher_peek(t->whole, t->sha256));
	}
out:
	return err == TACIT_E_NOT_FOUND ? TACIT_E_IO : err;
}

enum tacit_err api_tus_finish(struct api_call *c, struct store *store)
{
	static const int status[HTTP_METHOD_COUNT] = {
	        [HTTP_POST] = 201, [HTTP_PATCH] = 204, [HTTP_HEAD] = 200};
	enum tacit_err err;
	struct tus *t = c->work;
	TRY(store->ops->upload_finish(store, t->upload.id, c->who.user_id, t->sha256,
	        tacit_env_now(&c->api->settings.env)));
	t->finished = true;
	TRY(api_tus_answer(c, status[c->method]));
out:
	return err;
}

/* --- DELETE -------------------------------------------------------------------------------- */

enum tacit_err api_tus_delete(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(api_tus_version(c));
	struct tus *t = api_tus_work(c);
	TRY(t != NULL ? TACIT_OK : TACIT_E_NOMEM);
	if (!api_claim_take(c->api->claims, &t->claim, c->path.file))
		return api_refuse(c, API_UPLOAD_BUSY);
	err = store->ops->upload_delete(store, c->path.file, c->who.user_id);
	if (err == TACIT_E_NOT_FOUND)
		err = store->ops->file_delete(store, c->path.file, c->who.user_id);
	TRY(err == TACIT_E_CONFLICT ? api_refuse(c, API_NOT_ALLOWED) : err);
	api_collect_gone(c, c->path.file);
	TRY(api_answer_bare(c, 204));
	TRY(http_response_header(c->answer, "Tus-Resumable", API_TUS_VERSION));
out:
	return err;
}
