/* blobs.c - deletes file bodies after the transaction that forgot them. */
#include "base/alloc.h"
#include "server/api/call.h"

struct deletion {
	struct job job;
	struct api *api;
	struct tacit_buf ids;
};

static enum tacit_err run_deletion(struct job *j, void *context)
{
	struct deletion *d = (struct deletion *)j;
	(void)context;
	for (size_t i = 0; i < d->ids.n; i += STORE_FILE_ID_CHARS + 1)
		tacit_ignore(blob_delete(d->api->blobs, (const char *)d->ids.p + i),
		        "an orphan that the next start finds");
	return TACIT_OK;
}

static void after_deletion(struct job *j, enum tacit_err err)
{
	struct deletion *d = (struct deletion *)j;
	(void)err;
	tacit_buf_clear(&d->ids);
	tacit_free(d);
}

void api_delete_blobs(struct api *a, struct tacit_buf *ids)
{
	struct deletion *d = tacit_calloc(1, sizeof(*d));
	if (d != NULL) {
		*d = (struct deletion){{NULL, run_deletion, after_deletion}, a, *ids};
		*ids = (struct tacit_buf){0};
		if (job_submit(a->pool, JOB_FILE, &d->job))
			return;
		after_deletion(&d->job, TACIT_E_STORE_BUSY);
	}
	tacit_buf_clear(ids);
}
