#include "server/housekeeping.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "server/log.h"
#include "server/store/store.h"

#define SWEEP_SECONDS 60
#define RETRY_SECONDS 5
#define SWEEP_ROWS 500 /* of each kind in one transaction, so that nobody waits long */
#define MARK_KEY "steady_clock"

struct housekeeping {
	struct housekeeping_settings s;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stop, sweeping, more;
	/* The next deadline that the last sweep knew of, and the first that was told since it was
	 * submitted. 0: none */
	int64_t next, told;
	int64_t ahead; /* of the machine's clock, as it was last logged */
};

struct swept {
	struct store_sweep sweep;
	struct tacit_buf gone;  /* ids, each STORE_FILE_ID_CHARS + 1 bytes */
	struct tacit_buf ended; /* struct api_ended each */
	enum tacit_err collected;
};

struct sweep {
	struct job job;
	struct housekeeping *h;
	struct swept swept;
};

static void collect_gone(void *ctx, const char *file_id)
{
	struct swept *w = ctx;
	if (w->collected == TACIT_OK)
		w->collected =
		        tacit_buf_append(&w->gone, tacit_bytes(file_id, STORE_FILE_ID_CHARS + 1));
}

static void collect_ended(void *ctx, int64_t conversation_id, int64_t user_id)
{
	struct swept *w = ctx;
	const struct api_ended e = {conversation_id, user_id};
	if (w->collected == TACIT_OK)
		w->collected = tacit_buf_append(&w->ended, tacit_bytes(&e, sizeof(e)));
}

/* One turn in a transaction. What could not be noted is not deleted either. */
static enum tacit_err sweep_once(
        struct store *store, const struct tacit_env *env, struct steady *steady, struct swept *w)
{
	enum tacit_err err;
	uint8_t mark[STEADY_MARK_BYTES];
	w->sweep = (struct store_sweep){
	        .limit = SWEEP_ROWS, .gone = collect_gone, .ended = collect_ended, .ctx = w};
	store->ops->advance(store, steady_now(steady));
	TRY(store->ops->sweep(store, tacit_env_now(env), &w->sweep));
	TRY(w->collected);
	steady_mark(steady, mark);
	TRY(store->ops->meta_set(store, MARK_KEY, tacit_bytes(mark, sizeof(mark))));
out:
	return err;
}

static void delete_all(struct blob_store *blobs, const struct swept *w)
{
	for (size_t i = 0; i < w->gone.n; i += STORE_FILE_ID_CHARS + 1)
		tacit_ignore(blob_delete(blobs, (const char *)w->gone.p + i),
		        "an orphan that the next start finds");
}

static void clear_swept(struct swept *w)
{
	tacit_buf_clear(&w->gone);
	tacit_buf_clear(&w->ended);
}

static enum tacit_err run_sweep(struct job *j, void *context)
{
	struct sweep *w = (struct sweep *)j;
	return sweep_once(context, &w->h->s.env, w->h->s.steady, &w->swept);
}

/* Runs after the commit: only now may the bodies go. */
static enum tacit_err delete_bodies(struct job *j, void *context)
{
	struct sweep *w = (struct sweep *)j;
	(void)context;
	delete_all(w->h->s.blobs, &w->swept);
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
	h->more = err == TACIT_OK && w->swept.sweep.more;
	h->next = err == TACIT_OK ? w->swept.sweep.next : steady_now(h->s.steady) + RETRY_SECONDS;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	clear_swept(&w->swept);
	tacit_free(w);
}

static void after_sweep(struct job *j, enum tacit_err err)
{
	struct sweep *w = (struct sweep *)j;
	if (err == TACIT_OK)
		api_tell_ended(w->h->s.api,
		        (const struct api_ended *)(const void *)w->swept.ended.p,
		        w->swept.ended.n / sizeof(struct api_ended));
	if (err == TACIT_OK && w->swept.gone.n > 0) {
		w->job.run = delete_bodies;
		w->job.done = end_sweep;
		if (job_submit(w->h->s.pool, JOB_FILE, &w->job))
			return;
		delete_all(w->h->s.blobs, &w->swept);
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

/* A clock that was set back changes no deadline, but somebody should look at it. */
static void watch_clock(struct housekeeping *h)
{
	int64_t ahead = steady_ahead(h->s.steady);
	if (ahead > h->ahead)
		log_event(LOG_WARNING, "clock",
		        "the machine's clock was set back by %lld seconds; deadlines stay as they "
		        "were",
		        (long long)(ahead - h->ahead));
	h->ahead = ahead;
}

/* Called with the mutex held. Not beyond `round`, when the next round is due anyway. */
static struct timespec wake_at(const struct housekeeping *h, const struct timespec *round)
{
	struct timespec at;
	int64_t next = h->next;
	if (h->told != 0 && (next == 0 || h->told < next))
		next = h->told;
	if (next == 0)
		return *round;
	clock_gettime(CLOCK_MONOTONIC, &at);
	int64_t wait = next - steady_now(h->s.steady);
	if (wait > round->tv_sec - at.tv_sec)
		return *round;
	at.tv_sec += wait > 0 ? (time_t)wait : 0;
	return at;
}

static bool is_past(const struct timespec *at)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > at->tv_sec || (now.tv_sec == at->tv_sec && now.tv_nsec >= at->tv_nsec);
}

/* Called with the mutex held. */
static void wait_for_next(struct housekeeping *h)
{
	struct timespec round;
	clock_gettime(CLOCK_MONOTONIC, &round);
	round.tv_sec += SWEEP_SECONDS;
	while (!h->stop) {
		struct timespec at = wake_at(h, &round);
		if (!h->sweeping && (h->more || is_past(&at)))
			return;
		if (h->sweeping)
			pthread_cond_wait(&h->wake, &h->mutex);
		else
			pthread_cond_timedwait(&h->wake, &h->mutex, &at);
	}
}

/* Called with the mutex held, which is given back for a moment. */
static void sweep(struct housekeeping *h)
{
	h->more = false;
	h->told = 0;
	h->sweeping = true;
	pthread_mutex_unlock(&h->mutex);
	bool submitted = submit_sweep(h);
	pthread_mutex_lock(&h->mutex);
	if (submitted)
		return;
	h->sweeping = false;
	h->next = steady_now(h->s.steady) + RETRY_SECONDS;
}

static void *keep_house(void *ctx)
{
	struct housekeeping *h = ctx;
	delete_orphans(h);
	pthread_mutex_lock(&h->mutex);
	while (!h->stop) {
		watch_clock(h);
		sweep(h);
		wait_for_next(h);
	}
	while (h->sweeping) /* the job under way still points here */
		pthread_cond_wait(&h->wake, &h->mutex);
	sweep(h); /* the mark is to be of now */
	while (h->sweeping)
		pthread_cond_wait(&h->wake, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

void housekeeping_deadline(struct housekeeping *h, int64_t at)
{
	pthread_mutex_lock(&h->mutex);
	if (h->told == 0 || at < h->told) {
		h->told = at;
		pthread_cond_signal(&h->wake);
	}
	pthread_mutex_unlock(&h->mutex);
}

static enum tacit_err resume_clock(struct store *writer, struct steady *steady)
{
	struct tacit_buf mark = {0};
	enum tacit_err err = writer->ops->meta_get(writer, MARK_KEY, &mark);
	if (err == TACIT_OK)
		err = steady_resume(steady, tacit_buf_view(&mark));
	tacit_buf_clear(&mark);
	return err == TACIT_E_NOT_FOUND ? TACIT_OK : err;
}

static enum tacit_err catch_up_once(
        struct store *writer, const struct tacit_env *env, struct steady *steady, struct swept *w)
{
	enum tacit_err err = writer->ops->batch_begin(writer);
	if (err != TACIT_OK)
		return err;
	err = sweep_once(writer, env, steady, w);
	if (err == TACIT_OK)
		return writer->ops->batch_commit(writer);
	writer->ops->batch_abort(writer);
	return err;
}

enum tacit_err housekeeping_catch_up(struct store *writer, const struct tacit_env *env,
        struct steady *steady, struct blob_store *blobs)
{
	enum tacit_err err;
	bool more = true;
	TRY(resume_clock(writer, steady));
	while (more) {
		struct swept w = {0};
		err = catch_up_once(writer, env, steady, &w);
		if (err == TACIT_OK)
			delete_all(blobs, &w);
		more = w.sweep.more;
		clear_swept(&w);
		TRY(err);
	}
out:
	return err;
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
	*out = h; /* before the first sweep: the writer's thread looks at it */
	if (pthread_create(&h->thread, NULL, keep_house, h) != 0) {
		h->stop = true;
		housekeeping_free(h);
		*out = NULL;
		return TACIT_E_IO;
	}
	return TACIT_OK;
}

void housekeeping_stop(struct housekeeping *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->mutex);
	bool stopped = h->stop;
	h->stop = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	if (!stopped)
		pthread_join(h->thread, NULL);
}

void housekeeping_free(struct housekeeping *h)
{
	if (h == NULL)
		return;
	housekeeping_stop(h);
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->mutex);
	tacit_free(h);
}
