#include "cli/meanwhile.h"

#include <poll.h>

#include "base/alloc.h"
#include "cli/cli.h"

#define TICK_MS 100

struct held {
	uint64_t job;
	struct runner_event **list;
	size_t count;
};

static bool keep(struct held *h, struct runner_event *ev)
{
	struct runner_event **list =
	        tacit_realloc(h->list, (h->count + 1) * sizeof(struct runner_event *));
	if (list == NULL)
		return false;
	h->list = list;
	list[h->count++] = ev;
	return true;
}

void meanwhile_hold(struct runner *r, runner_job_fn *job, void *ctx,
        void (*take)(void *taker, const struct runner_event *ev), void *taker)
{
	struct pollfd fd = {.fd = runner_fd(r), .events = POLLIN};
	struct held held = {0};
	struct runner_event *ev;
	bool ended = runner_job(r, job, ctx, &held.job) != TACIT_OK;
	while (!ended) {
		if (cli_cancelled)
			runner_cancel(r, held.job);
		poll(&fd, 1, TICK_MS);
		while (!ended && (ev = runner_next(r)) != NULL) {
			ended = ev->kind == RUNNER_ENDED && ev->ticket == held.job;
			if (!ended && keep(&held, ev))
				continue;
			if (!ended)
				take(taker, ev);
			runner_event_free(ev);
		}
	}
	for (size_t i = 0; i < held.count; i++) {
		if (held.list[i]->ticket != held.job)
			take(taker, held.list[i]);
		runner_event_free(held.list[i]);
	}
	tacit_free(held.list);
}
