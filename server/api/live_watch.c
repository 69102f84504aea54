#include "server/api/live_watch.h"

#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "server/api/call.h"
#include "server/api/live_app.h"
#include "server/log.h"

struct live_watch {
	struct job job; /* first; under way while looking */
	struct api *api;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stop, looking;
};

static enum tacit_err look(struct job *j, void *context)
{
	struct live_watch *w = (struct live_watch *)j;
	return live_look_after(w->api, context, tacit_env_now(&w->api->settings.env));
}

static void end_look(struct job *j, enum tacit_err err)
{
	struct live_watch *w = (struct live_watch *)j;
	if (err != TACIT_OK)
		log_event(LOG_WARNING, "live", "looking after logins failed: %s",
		        tacit_err_text(err));
	pthread_mutex_lock(&w->mutex);
	w->looking = false;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->mutex);
}

/* Called with the mutex held. */
static void wait_a_second(struct live_watch *w)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	int status = 0;
	while (!w->stop && status == 0)
		status = pthread_cond_timedwait(&w->wake, &w->mutex, &until);
}

static void *watch(void *ctx)
{
	struct live_watch *w = ctx;
	pthread_mutex_lock(&w->mutex);
	while (!w->stop) {
		wait_a_second(w);
		if (w->stop || w->looking)
			continue;
		w->looking = true;
		pthread_mutex_unlock(&w->mutex);
		bool submitted = job_submit(w->api->pool, JOB_READ, &w->job);
		pthread_mutex_lock(&w->mutex);
		if (!submitted)
			w->looking = false;
	}
	while (w->looking) /* the job under way is ours */
		pthread_cond_wait(&w->wake, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

enum tacit_err live_watch_start(struct api *a, struct live_watch **out)
{
	*out = NULL;
	struct live_watch *w = tacit_calloc(1, sizeof(*w));
	if (w == NULL)
		return TACIT_E_NOMEM;
	w->api = a;
	w->job = (struct job){.run = look, .done = end_look};
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&w->thread, NULL, watch, w) != 0) {
		tacit_free(w);
		return TACIT_E_IO;
	}
	*out = w;
	return TACIT_OK;
}

void live_watch_stop(struct live_watch *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->mutex);
	tacit_free(w);
}
