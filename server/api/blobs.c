/* blobs.c - deletes file bodies after the transaction that forgot them. */
#include "base/alloc.h"
#include "server/api/call.h"

struct deletion {
	struct job job;
	struct api *api;
	struct tacit_buf ids;
};

static void delete_each(struct api *a, const struct tacit_buf *ids)
{
	for (size_t i = 0; i < ids->n; i += STORE_FILE_ID_CHARS + 1)
		tacit_ignore(blob_delete(a->blobs, (const char *)ids->p + i),
		        "an orphan that the next start finds");
}

static enum tacit_err run_deletion(struct job *j, void *context)
{
	struct deletion *d = (struct deletion *)j;
	(void)context;
	delete_each(d->api, &d->ids);
	return TACIT_OK;
}

static void after_deletion(struct job *j, enum tacit_err err)
{
	struct deletion *d = (struct deletion *)j;
	(void)err;
	tacit_buf_clear(&d->ids);
	tacit_free(d);
}

/* A lane without room does not keep alive what was destroyed: then it is done here and now. */
void api_delete_blobs(struct api *a, struct tacit_buf *ids)
{
	struct deletion *d = tacit_calloc(1, sizeof(*d));
	if (d != NULL) {
		*d = (struct deletion){{.run = run_deletion, .done = after_deletion}, a, *ids};
		*ids = (struct tacit_buf){0};
		if (job_submit(a->pool, JOB_FILE, &d->job))
			return;
		*ids = d->ids;
		tacit_free(d);
	}
	delete_each(a, ids);
	tacit_buf_clear(ids);
}
