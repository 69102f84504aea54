/* files.c - GET /api/files/{file}/download and DELETE /api/files/{file}. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/range.h"
#include "server/api/reply.h"

static void file_free(struct api *a, void *work)
{
	(void)a;
	tacit_free(work);
}

enum tacit_err api_file_find(struct api_call *c, struct store *store)
{
	struct store_file *f = tacit_calloc(1, sizeof(*f));
	if (f == NULL)
		return TACIT_E_NOMEM;
	c->work = f;
	c->work_free = file_free;
	return store->ops->file_get(store, c->path.file, c->who.user_id, f);
}

#define ETAG_CHARS (2 * TACIT_SHA256_BYTES + 2)

static void etag_of(const struct store_file *f, char out[ETAG_CHARS + 1])
{
	out[0] = '"';
	tacit_hex(tacit_bytes(f->sha256, sizeof(f->sha256)), out + 1);
	memcpy(out + ETAG_CHARS - 1, "\"", 2);
}

static enum tacit_err common_file_headers(struct api_call *c, const char *etag)
{
	enum tacit_err err;
	struct http_response *r = c->answer;
	r->no_store = etag == NULL;
	TRY(http_response_header(r, "Accept-Ranges", "bytes"));
	if (etag == NULL)
		return TACIT_OK;
	TRY(http_response_header(r, "ETag", etag));
	TRY(http_response_header(r, "Cache-Control", "private, no-cache"));
out:
	return err;
}

static enum tacit_err answer_outside(struct api_call *c, uint64_t size)
{
	char range[40];
	c->answer = api_problem_response(c->api, API_RANGE_NOT_SATISFIABLE, NULL, 0);
	if (c->answer == NULL)
		return TACIT_E_NOMEM;
	(void)snprintf(range, sizeof(range), "bytes */%" PRIu64, size);
	return http_response_header(c->answer, "Content-Range", range);
}

/* The descriptor goes into the answer, which owns it from then on. */
enum tacit_err api_answer_file(struct api_call *c, const char *etag, int fd, uint64_t size)
{
	enum tacit_err err;
	char range[80];
	uint64_t from = 0, bytes = size;
	enum api_range kind = API_RANGE_WHOLE;
	struct tacit_bytes condition = c->header[API_H_IF_RANGE];
	/* A range of another version than the client's would not fit together (RFC 9110 13.1.5). */
	if (condition.p == NULL || (etag != NULL && tacit_bytes_eq(condition, tacit_cstr(etag))))
		kind = api_range_read(c->header[API_H_RANGE], size, &from, &bytes);
	err = kind == API_RANGE_OUTSIDE ? answer_outside(c, size)
	                                : api_answer_bare(c, kind == API_RANGE_PART ? 206 : 200);
	if (err != TACIT_OK || kind == API_RANGE_OUTSIDE) {
		(void)close(fd);
		return err;
	}
	c->answer->file = fd;
	c->answer->file_from = from;
	c->answer->file_bytes = bytes;
	c->answer->content_type = "application/octet-stream";
	TRY(common_file_headers(c, etag));
	TRY(http_response_header(c->answer, "Content-Disposition", "attachment"));
	if (kind == API_RANGE_PART) {
		(void)snprintf(range, sizeof(range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
		        from + bytes - 1, size);
		TRY(http_response_header(c->answer, "Content-Range", range));
	}
out:
	return err;
}

enum tacit_err api_file_open(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct store_file *f = c->work;
	char etag[ETAG_CHARS + 1];
	int fd = -1;
	uint64_t size = 0;
	(void)store;
	etag_of(f, etag);
	if (api_etag_listed(c->header[API_H_IF_NONE_MATCH], tacit_cstr(etag))) {
		TRY(api_answer_bare(c, 304));
		return common_file_headers(c, etag);
	}
	TRY(blob_open(c->api->blobs, f->id, &fd, &size));
	TRY(api_answer_file(c, etag, fd, size));
out:
	return err;
}

enum tacit_err api_file_delete(struct api_call *c, struct store *store)
{
	enum tacit_err err = store->ops->file_delete(store, c->path.file, c->who.user_id);
	if (err == TACIT_E_CONFLICT)
		err = api_refuse(c, API_NOT_ALLOWED);
	TRY(err);
	api_collect_gone(c, c->path.file);
	TRY(api_answer_empty(c, 200));
out:
	return err;
}
