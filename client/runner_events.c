/* What the runner tells, until the screen takes it. */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/runner_int.h"
#include "engine/effects.h"

void runner_event_free(struct runner_event *ev)
{
	if (ev == NULL)
		return;
	tacit_content_wipe(&ev->notice.content);
	tacit_buf_clear(&ev->bytes);
	tacit_free((char *)ev - offsetof(struct queued, event));
}

void runner_signal_fd(int fd)
{
	const uint64_t one = 1;
	ssize_t n;
	do
		n = write(fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

void runner_drain_fd(int fd)
{
	uint64_t count;
	ssize_t n;
	do
		n = read(fd, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
}

/* Both under the lock, of the one in front. */
void runner_append_event(struct runner *r, struct queued *q)
{
	*r->events_end = q;
	r->events_end = &q->next;
	if (r->event_count++ == 0)
		runner_signal_fd(r->event_fd);
}

struct queued *runner_take_event(struct runner *r)
{
	struct queued *q = r->events;
	if (q == NULL)
		return NULL;
	r->events = q->next;
	if (r->events == NULL)
		r->events_end = &r->events;
	if (--r->event_count == 0)
		runner_drain_fd(r->event_fd);
	return q;
}

/* From the thread: waits for room. */
static enum tacit_err push_event(struct runner *r, struct queued *q)
{
	struct runner *to = r->front;
	pthread_mutex_lock(&to->lock);
	while (to->event_count >= RUNNER_MAX_EVENTS && !atomic_load(&r->stop))
		pthread_cond_wait(&to->room, &to->lock);
	bool stopped = atomic_load(&r->stop);
	if (!stopped)
		runner_append_event(to, q);
	pthread_mutex_unlock(&to->lock);
	if (stopped)
		runner_event_free(&q->event);
	return stopped ? TACIT_E_CANCELLED : TACIT_OK;
}

/* A notice's views into bytes of the event's own. */
static enum tacit_err copy_notice(const struct tacit_notice *n, struct runner_event *to)
{
	struct tacit_effects one = {0};
	enum tacit_err err = tacit_effects_deliver(&one, n);
	if (err == TACIT_OK) {
		to->notice = one.list[0].notice;
		to->bytes = one.list[0].notice_bytes;
		one.list[0].notice_bytes = (struct tacit_buf){0};
	}
	tacit_effects_clear(&one);
	return err;
}

enum tacit_err runner_tell_copy(
        struct runner *r, const struct runner_event *ev, const struct tacit_notice *n)
{
	struct queued *q = tacit_calloc(1, sizeof(*q));
	if (q == NULL)
		return TACIT_E_NOMEM;
	q->event = *ev;
	enum tacit_err err = copy_notice(n, &q->event);
	if (err != TACIT_OK) {
		runner_event_free(&q->event);
		return err;
	}
	return push_event(r, q);
}

enum tacit_err runner_tell_notice(struct runner *r, uint64_t ticket, const struct tacit_notice *n)
{
	return runner_tell_copy(
	        r, &(struct runner_event){.kind = RUNNER_NOTICE, .ticket = ticket}, n);
}

enum tacit_err runner_make_event(
        const struct runner_event *ev, struct tacit_bytes text, struct queued **out)
{
	enum tacit_err err;
	struct queued *q = tacit_calloc(1, sizeof(*q));
	*out = NULL;
	if (q == NULL)
		return TACIT_E_NOMEM;
	q->event = *ev;
	TRY(tacit_buf_append(&q->event.bytes, text));
	q->event.text = tacit_buf_view(&q->event.bytes);
	*out = q;
	q = NULL;
out:
	if (q != NULL)
		runner_event_free(&q->event);
	return err;
}

enum tacit_err runner_tell_event(
        struct runner *r, const struct runner_event *ev, struct tacit_bytes text)
{
	struct queued *q;
	enum tacit_err err = runner_make_event(ev, text, &q);
	return err != TACIT_OK ? err : push_event(r, q);
}

int runner_fd(const struct runner *r)
{
	return r->event_fd;
}

struct runner_event *runner_next(struct runner *r)
{
	pthread_mutex_lock(&r->lock);
	struct queued *q = runner_take_event(r);
	pthread_cond_broadcast(&r->room); /* two may wait for it */
	pthread_mutex_unlock(&r->lock);
	return q != NULL ? &q->event : NULL;
}
