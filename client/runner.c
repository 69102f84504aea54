/* Two queues and a thread. The screen's side touches only what the mutex guards and the two
 * descriptors; host and link belong to the thread. */
#include "client/runner.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/runner_int.h"

/* --- tasks ----------------------------------------------------------------------------------- */

/* Takes t over only when it succeeds. */
static enum tacit_err line_up(struct runner *r, struct task *t)
{
	pthread_mutex_lock(&r->lock);
	bool full = r->task_count >= RUNNER_MAX_POSTED;
	if (!full) {
		*r->tasks_end = t;
		r->tasks_end = &t->next;
		r->task_count++;
	}
	pthread_mutex_unlock(&r->lock);
	if (full)
		return TACIT_E_LIMIT;
	runner_signal_fd(r->wake_fd);
	return TACIT_OK;
}

static enum tacit_err post(struct runner *r, struct task *t, uint64_t *ticket)
{
	uint64_t own = ++r->next_ticket;
	t->ticket = own;
	enum tacit_err err = line_up(r, t);
	if (err != TACIT_OK)
		task_free(t);
	*ticket = err == TACIT_OK ? own : 0;
	return err;
}

static enum tacit_err post_new(struct runner *r, const struct task *from, uint64_t *ticket)
{
	struct task *t = tacit_calloc(1, sizeof(*t));
	*ticket = 0;
	if (t == NULL)
		return TACIT_E_NOMEM;
	*t = *from;
	return post(r, t, ticket);
}

enum tacit_err runner_post(struct runner *r, const struct tacit_command *c, uint64_t *ticket)
{
	*ticket = 0;
	if (c->password.n > 0 || c->code.n > 0)
		return TACIT_E_USAGE;
	struct task *t = tacit_calloc(1, sizeof(*t));
	if (t == NULL)
		return TACIT_E_NOMEM;
	t->kind = TASK_COMMAND;
	enum tacit_err err = task_copy_command(t, c);
	if (err != TACIT_OK) {
		task_free(t);
		return err;
	}
	return post(r, t, ticket);
}

enum tacit_err runner_history(struct runner *r, struct host_span span, uint64_t *ticket)
{
	return post_new(r, &(struct task){.kind = TASK_HISTORY, .span = span}, ticket);
}

enum tacit_err runner_conversations(struct runner *r, uint64_t *ticket)
{
	return post_new(r, &(struct task){.kind = TASK_CONVERSATIONS}, ticket);
}

enum tacit_err runner_job(struct runner *r, runner_job_fn *job, void *ctx, uint64_t *ticket)
{
	return post_new(r, &(struct task){.kind = TASK_JOB, .job = job, .ctx = ctx}, ticket);
}

enum tacit_err runner_side_job(struct runner *r, runner_job_fn *job, void *ctx, uint64_t *ticket)
{
	return post_new(
	        r, &(struct task){.kind = TASK_JOB, .job = job, .ctx = ctx, .aside = true}, ticket);
}

/* Under the lock. */
static struct task *unlink_task(struct runner *r, struct task **at)
{
	struct task *t = *at;
	*at = t->next;
	if (t->next == NULL)
		r->tasks_end = at;
	r->task_count--;
	t->next = NULL;
	return t;
}

static struct task *take_out(struct runner *r, uint64_t ticket)
{
	struct task *found = NULL;
	pthread_mutex_lock(&r->lock);
	for (struct task **at = &r->tasks; *at != NULL && found == NULL; at = &(*at)->next)
		if ((*at)->ticket == ticket) {
			found = unlink_task(r, at);
			break;
		}
	pthread_mutex_unlock(&r->lock);
	return found;
}

static struct runner *side_of(struct runner *r)
{
	pthread_mutex_lock(&r->lock);
	struct runner *side = r->side;
	pthread_mutex_unlock(&r->lock);
	return side;
}

void runner_cancel(struct runner *r, uint64_t ticket)
{
	struct queued *end = NULL;
	struct runner *side = side_of(r);
	struct task *waiting = NULL;
	const struct runner_event ended = {
	        .kind = RUNNER_ENDED, .ticket = ticket, .err = TACIT_E_CANCELLED};
	if (runner_make_event(&ended, tacit_bytes(NULL, 0), &end) == TACIT_OK)
		waiting = take_out(r, ticket);
	if (end != NULL && waiting == NULL && side != NULL)
		waiting = take_out(side, ticket);
	if (waiting != NULL) {
		pthread_mutex_lock(&r->lock);
		runner_append_event(r, end);
		pthread_mutex_unlock(&r->lock);
		task_free(waiting);
		return;
	}
	/* It is under way, or on its way to the side; or there was no memory to end it at once. */
	atomic_store(&r->cancelled, ticket);
	if (side != NULL) {
		atomic_store(&side->cancelled, ticket);
		runner_signal_fd(side->wake_fd);
	}
	if (end != NULL)
		runner_event_free(&end->event);
	runner_signal_fd(r->wake_fd);
}

/* --- the thread ------------------------------------------------------------------------------ */

bool runner_cancelled(const struct runner *r)
{
	return atomic_load(&r->stop) ||
	       (r->current != 0 && (atomic_load(&r->cancelled) == r->current ||
	                                   atomic_load(&r->front->cancelled) == r->current));
}

struct teller {
	struct runner *runner;
	enum tacit_err err; /* of the telling itself */
};

static void on_notice(void *ctx, const struct tacit_notice *n)
{
	struct teller *t = ctx;
	if (t->runner->link != NULL)
		link_told(t->runner->link, n);
	if (t->err == TACIT_OK)
		t->err = runner_tell_notice(t->runner, t->runner->current, n);
}

static enum tacit_err on_entry(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct runner *r = ctx;
	const struct runner_event ev = {
	        .kind = RUNNER_HISTORY, .ticket = r->current, .position = position};
	if (runner_cancelled(r))
		return TACIT_E_CANCELLED;
	return runner_tell_copy(r, &ev, n);
}

enum tacit_err runner_tell(struct runner *r, const struct tacit_notice *n)
{
	return runner_tell_notice(r, r->current, n);
}

static enum tacit_err run_task(struct runner *r, const struct task *t)
{
	struct teller teller = {.runner = r};
	enum tacit_err err = TACIT_OK;
	if (runner_cancelled(r))
		return TACIT_E_CANCELLED;
	switch (t->kind) {
	case TASK_COMMAND:
		err = host_run(r->host, &t->command, on_notice, &teller);
		break;
	case TASK_HISTORY:
		err = host_history(r->host, t->span, on_entry, r);
		break;
	case TASK_CONVERSATIONS:
		tacit_engine_each_conversation(host_engine(r->host), on_notice, &teller);
		err = tacit_engine_each_outgoing(host_engine(r->host), on_notice, &teller);
		break;
	case TASK_JOB:
		err = t->job(r, r->host, t->ctx);
		break;
	}
	return err != TACIT_OK ? err : teller.err;
}

static void do_task(struct runner *r, const struct task *t)
{
	struct runner_event end = {.kind = RUNNER_ENDED, .ticket = t->ticket};
	r->current = t->ticket;
	end.err = run_task(r, t);
	r->current = 0;
	const char *why = end.err != TACIT_OK && t->kind != TASK_JOB ? host_problem(r->host) : "";
	tacit_ignore(runner_tell_event(r, &end, tacit_cstr(why)),
	        "being stopped, or no memory even for this word");
	if (r->link != NULL && t->kind == TASK_COMMAND)
		link_heard(r->link, end.err);
}

static struct task *next_local(struct runner *r)
{
	struct task *found = NULL;
	pthread_mutex_lock(&r->lock);
	for (struct task **at = &r->tasks; *at != NULL && found == NULL; at = &(*at)->next)
		if ((*at)->kind == TASK_HISTORY || (*at)->kind == TASK_CONVERSATIONS) {
			found = unlink_task(r, at);
			break;
		}
	pthread_mutex_unlock(&r->lock);
	return found;
}

/* In the middle of a call that waits, for the network or for its turn: the engine and the store are
 * between two steps, and can be read. */
static bool on_turn(void *ctx)
{
	struct runner *r = ctx;
	const uint64_t current = r->current;
	struct task *t;
	runner_drain_fd(r->wake_fd);
	if (r->link != NULL) {
		link_pump(r->link);
		r->watch.fds[1] = link_fd(r->link);
	}
	while (!atomic_load(&r->stop) && (t = next_local(r)) != NULL) {
		do_task(r, t);
		task_free(t);
	}
	r->current = current;
	return runner_cancelled(r);
}

static enum tacit_err start(
        struct host *h, enum runner_mode mode, struct runner *front, struct runner **out);

static enum tacit_err open_side(struct runner *r)
{
	enum tacit_err err;
	struct host *twin = NULL;
	struct runner *side = NULL;
	if (r->side != NULL)
		return TACIT_OK;
	TRY(host_twin(r->host, &twin));
	TRY(start(twin, RUNNER_QUIET, r, &side));
	twin = NULL;
	pthread_mutex_lock(&r->lock);
	r->side = side;
	pthread_mutex_unlock(&r->lock);
out:
	host_close(twin);
	return err;
}

static void hand_over(struct runner *r, struct task *t)
{
	struct runner_event end = {.kind = RUNNER_ENDED, .ticket = t->ticket};
	r->current = t->ticket;
	end.err = runner_cancelled(r) ? TACIT_E_CANCELLED : open_side(r);
	r->current = 0;
	if (end.err == TACIT_OK)
		end.err = line_up(r->side, t);
	if (end.err == TACIT_OK)
		return;
	tacit_ignore(runner_tell_event(r, &end, tacit_bytes(NULL, 0)),
	        "being stopped, or no memory even for this word");
	task_free(t);
}

static struct task *next_task(struct runner *r)
{
	pthread_mutex_lock(&r->lock);
	struct task *t = r->tasks != NULL ? unlink_task(r, &r->tasks) : NULL;
	pthread_mutex_unlock(&r->lock);
	return t;
}

static void wait_for_work(struct runner *r)
{
	struct pollfd fds[2] = {{.fd = r->wake_fd, .events = POLLIN}, {.fd = -1}};
	int wait = -1;
	if (r->link != NULL) {
		fds[1] = (struct pollfd){.fd = link_fd(r->link), .events = POLLIN};
		wait = link_wait_ms(r->link);
	}
	if (poll(fds, TACIT_COUNT(fds), wait) > 0 && fds[0].revents != 0)
		runner_drain_fd(r->wake_fd);
}

/* The connection ends for good when the store fails: what comes could not be kept. */
static void tend_link(struct runner *r)
{
	enum tacit_err err = r->link != NULL ? link_turn(r->link) : TACIT_OK;
	if (err == TACIT_OK || err == TACIT_E_CANCELLED)
		return;
	link_free(r->link);
	r->link = NULL;
	r->watch.fds[1] = -1;
	const struct runner_event off = {.kind = RUNNER_LINK, .link = RUNNER_OFFLINE, .err = err};
	tacit_ignore(runner_tell_event(r, &off, tacit_cstr(tacit_err_text(err))),
	        "being stopped, or no memory even for this word");
}

static void *work(void *ctx)
{
	struct runner *r = ctx;
	while (!atomic_load(&r->stop)) {
		struct task *t = next_task(r);
		if (t != NULL && t->aside && r->front == r) {
			hand_over(r, t);
		} else if (t != NULL) {
			do_task(r, t);
			task_free(t);
		}
		tend_link(r);
		pthread_mutex_lock(&r->lock);
		bool more = r->tasks != NULL;
		pthread_mutex_unlock(&r->lock);
		if (!more && !atomic_load(&r->stop))
			wait_for_work(r);
	}
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

static void free_runner(struct runner *r)
{
	while (r->tasks != NULL)
		task_free(unlink_task(r, &r->tasks));
	for (struct queued *q = runner_take_event(r); q != NULL; q = runner_take_event(r))
		runner_event_free(&q->event);
	link_free(r->link);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	if (r->event_fd >= 0)
		close(r->event_fd);
	pthread_cond_destroy(&r->room);
	pthread_mutex_destroy(&r->lock);
	tacit_free(r);
}

/* Signals are the screen's. */
static enum tacit_err start_thread(struct runner *r)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int rc = pthread_create(&r->thread, NULL, work, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? TACIT_OK : TACIT_E_IO;
}

static enum tacit_err start(
        struct host *h, enum runner_mode mode, struct runner *front, struct runner **out)
{
	enum tacit_err err = TACIT_OK;
	*out = NULL;
	struct runner *r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return TACIT_E_NOMEM;
	r->host = h;
	r->front = front != NULL ? front : r;
	r->tasks_end = &r->tasks;
	r->events_end = &r->events;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->room, NULL);
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake_fd < 0 || r->event_fd < 0)
		TRY(TACIT_E_IO);
	if (mode == RUNNER_LIVE)
		TRY(link_new(r, h, &r->link));
	r->watch = (struct http_watch){{r->wake_fd, -1}, on_turn, r};
	host_set_watch(h, &r->watch);
	TRY(start_thread(r));
	*out = r;
	r = NULL;
out:
	if (r != NULL) {
		host_set_watch(h, NULL);
		free_runner(r);
	}
	return err;
}

enum tacit_err runner_start(struct host *h, enum runner_mode mode, struct runner **out)
{
	return start(h, mode, NULL, out);
}

static void end_thread(struct runner *r)
{
	struct runner *front = r->front;
	pthread_mutex_lock(&front->lock);
	atomic_store(&r->stop, true);
	pthread_cond_broadcast(&front->room);
	pthread_mutex_unlock(&front->lock);
	runner_signal_fd(r->wake_fd);
	pthread_join(r->thread, NULL);
	host_set_watch(r->host, NULL);
}

void runner_stop(struct runner *r)
{
	if (r == NULL)
		return;
	end_thread(r);
	if (r->side != NULL) {
		struct host *twin = r->side->host;
		end_thread(r->side);
		free_runner(r->side);
		host_close(twin);
	}
	free_runner(r);
}
