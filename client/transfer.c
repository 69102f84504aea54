#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/transfer_int.h"

#define ID_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

bool transfer_id_valid(struct tacit_bytes id)
{
	if (id.n < 1 || id.n > 64)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] == '\0' || strchr(ID_CHARS, id.p[i]) == NULL)
			return false;
	return true;
}

enum tacit_err transfer_call(
        struct transfer *t, const struct http_request *r, struct http_answer *a)
{
	enum tacit_err err;
	TRY(http_perform(t->http, r, a));
	TRY(http_refusal(t->http, a));
out:
	if (err != TACIT_OK)
		snprintf(t->problem, sizeof(t->problem), "%s", http_problem(t->http));
	return err;
}

bool transfer_cancelled(const struct transfer *t)
{
	return t->cancel != NULL && *t->cancel != 0;
}

enum tacit_err transfer_pause(const struct transfer *t, unsigned tries)
{
	uint64_t ms = (uint64_t)t->retry_ms << (tries - 1);
	struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	while (!transfer_cancelled(t) && nanosleep(&left, &left) != 0)
		if (errno != EINTR)
			break;
	return transfer_cancelled(t) ? TACIT_E_CANCELLED : TACIT_OK;
}

void transfer_progress(const struct transfer *t, uint64_t done, uint64_t total)
{
	if (t->progress != NULL)
		t->progress(t->ctx, done, total);
}
