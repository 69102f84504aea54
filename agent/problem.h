/* problem.h - what the agent refuses, in the words of contract 1. */
#ifndef TACIT_AGENT_PROBLEM_H
#define TACIT_AGENT_PROBLEM_H

#include <stddef.h>

#include "base/err.h"

enum agent_problem {
	AGENT_FINE,
#define AGENT_PROBLEM(code, status, text) AGENT_##code,
#include "agent/problem.def"
#undef AGENT_PROBLEM
};

const char *agent_problem_code(enum agent_problem p);
const char *agent_problem_text(enum agent_problem p);
unsigned agent_problem_status(enum agent_problem p);
/* What an error of a client call stands for. */
enum agent_problem agent_problem_of(enum tacit_err err);

#endif
