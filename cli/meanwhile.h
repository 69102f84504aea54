/* meanwhile.h - a runner's job that has the terminal until it ends. */
#ifndef TACIT_CLI_MEANWHILE_H
#define TACIT_CLI_MEANWHILE_H

#include "client/runner.h"

/* Runs job(ctx) and waits for its end; Ctrl-C ends it. What comes from the runner meanwhile is
 * given to take(taker) after it; without memory to keep it, at once. */
void meanwhile_hold(struct runner *r, runner_job_fn *job, void *ctx,
        void (*take)(void *taker, const struct runner_event *ev), void *taker);

#endif
