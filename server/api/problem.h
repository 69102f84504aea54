/* problem.h - what the API refuses, and how each refusal is told (contract 1). */
#ifndef TACIT_SERVER_API_PROBLEM_H
#define TACIT_SERVER_API_PROBLEM_H

#include "base/buf.h"
#include "base/err.h"

enum api_problem {
	API_FINE = 0,
#define API_PROBLEM(code, status, text) API_##code,
#include "server/api/problem.def"
#undef API_PROBLEM
	API_PROBLEM_COUNT
};

int api_problem_status(enum api_problem p);
const char *api_problem_code(enum api_problem p);
const char *api_problem_text(enum api_problem p);
/* What an error of the layers below is to the outside, when no handler said it better. */
enum api_problem api_problem_of(enum tacit_err err);
/* The refusal that carries this status, for errors that net/ finds; INTERNAL for unknown ones. */
enum api_problem api_problem_of_status(int status);

/* Appends the error object. detail: a better sentence, or NULL. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err api_problem_write(
        enum api_problem p, const char *detail, int64_t now, struct tacit_buf *out);

#endif
