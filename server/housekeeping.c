#include "server/housekeeping.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "server/log.h"
#include "server/store/store.h"

#define SWEEP_SECONDS 60
#define SWEEP_ROWS 500 /* of each kind in one transaction, so that nobody waits long */

struct housekeeping {
	struct housekeeping_settings s;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stop, sweeping, more;
};

struct sweep {
	struct job job;
	struct housekeeping *h;
	struct tacit_buf gone; /* ids, each STORE_FILE_ID_CHARS + 1 bytes */
	enum tacit_err collected;
	bool more;
};

static void collect(void *ctx, const char *file_id)
{
	struct sweep *w = ctx;
	if (w->collected == TACIT_OK)
		w->collected =
		        tacit_buf_append(&w->gone, tacit_bytes(file_id, STORE_FILE_ID_CHARS + 1));
}

static enum tacit_err run_sweep(struct job *j, void *context)
{
	struct sweep *w = (struct sweep *)j;
	struct store *store = context;
	enum tacit_err err = store->ops->sweep(
	        store, tacit_env_now(&w->h->s.env), SWEEP_ROWS, collect, w, &w->more);
	return err == TACIT_OK ? w->collected : err;
}

/* Runs after the commit: only now may the bodies go. */
static enum tacit_err delete_bodies(struct job *j, void *context)
{
	struct sweep *w = (struct sweep *)j;
	(void)context;
	for (size_t i = 0; i < w->gone.n; i += STORE_FILE_ID_CHARS + 1)
		tacit_ignore(blob_delete(w->h->s.blobs, (const char *)w->gone.p + i),
		        "an orphan that the next start finds");
	return TACIT_OK;
}

static void end_sweep(struct job *j, enum tacit_err err)
{
	struct sweep *w = (struct sweep *)j;
	struct housekeeping *h = w->h;
	if (err != TACIT_OK)
		log_event(LOG_WARNING, "sweep", "deleting what is over failed: %s",
		        tacit_err_text(err));
	pthread_mutex_lock(&h->mutex);
	h->sweeping = false;
	h->more = err == TACIT_OK && w->more;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	tacit_buf_clear(&w->gone);
	tacit_free(w);
}

static void after_sweep(struct job *j, enum tacit_err err)
{
	struct sweep *w = (struct sweep *)j;
	if (err == TACIT_OK && w->gone.n > 0) {
		w->job.run = delete_bodies;
		w->job.done = end_sweep;
		if (job_submit(w->h->s.pool, JOB_FILE, &w->job))
			return;
	}
	end_sweep(j, err);
}

static bool submit_sweep(struct housekeeping *h)
{
	struct sweep *w = tacit_calloc(1, sizeof(*w));
	if (w == NULL)
		return false;
	w->h = h;
	w->job = (struct job){.run = run_sweep, .done = after_sweep};
	if (job_submit(h->s.pool, JOB_WRITE, &w->job))
		return true;
	tacit_free(w);
	return false;
}

struct orphans {
	struct housekeeping *h;
	struct store *reader;
	size_t found;
};

static enum tacit_err look_at_blob(void *ctx, const char *id, bool partial)
{
	struct orphans *o = ctx;
	(void)partial;
	if (api_file_in_use(o->h->s.api, id))
		return TACIT_OK;
	enum tacit_err err = o->reader->ops->file_exists(o->reader, id);
	if (err != TACIT_E_NOT_FOUND)
		return err;
	o->found++;
	return blob_delete(o->h->s.blobs, id);
}

static void delete_orphans(struct housekeeping *h)
{
	enum tacit_err err;
	char why[256] = "";
	struct orphans o = {.h = h};
	TRY(store_open(h->s.store_url, STORE_READER, why, &o.reader));
	TRY(blob_each(h->s.blobs, look_at_blob, &o));
out:
	if (err != TACIT_OK)
		log_event(LOG_WARNING, "orphans", "looking for orphaned files failed: %s %s",
		        tacit_err_text(err), why);
	else if (o.found > 0)
		log_event(LOG_INFO, "orphans", "deleted %zu orphaned files", o.found);
	store_close(o.reader);
}

/* Called with the mutex held. */
static void wait_for_next(struct housekeeping *h)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SWEEP_SECONDS;
	int status = 0;
	while (!h->stop && status == 0 && (h->sweeping || !h->more))
		status = pthread_cond_timedwait(&h->wake, &h->mutex, &until);
}

static void *keep_house(void *ctx)
{
	struct housekeeping *h = ctx;
	delete_orphans(h);
	pthread_mutex_lock(&h->mutex);
	while (!h->stop) {
		if (!h->sweeping) {
			h->more = false;
			h->sweeping = true;
			pthread_mutex_unlock(&h->mutex);
			bool submitted = submit_sweep(h);
			pthread_mutex_lock(&h->mutex);
			if (!submitted)
				h->sweeping = false;
		}
		wait_for_next(h);
	}
	while (h->sweeping) /* the job under way still points here */
		pthread_cond_wait(&h->wake, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

enum tacit_err housekeeping_start(const struct housekeeping_settings *s, struct housekeeping **out)
{
	*out = NULL;
	struct housekeeping *h = tacit_calloc(1, sizeof(*h));
	if (h == NULL)
		return TACIT_E_NOMEM;
	h->s = *s;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&h->mutex, NULL);
	pthread_cond_init(&h->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&h->thread, NULL, keep_house, h) != 0) {
		tacit_free(h);
		return TACIT_E_IO;
	}
	*out = h;
	return TACIT_OK;
}

void housekeeping_stop(struct housekeeping *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->mutex);
	h->stop = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->mutex);
	tacit_free(h);
}
