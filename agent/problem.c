#include "agent/problem.h"

static const struct {
	const char *code, *text;
	unsigned status;
} problems[] = {
        {"FINE", "", 200},
#define AGENT_PROBLEM(code, status, text) {#code, text, status},
#include "agent/problem.def"
#undef AGENT_PROBLEM
};

const char *agent_problem_code(enum agent_problem p)
{
	return problems[p].code;
}

const char *agent_problem_text(enum agent_problem p)
{
	return problems[p].text;
}

unsigned agent_problem_status(enum agent_problem p)
{
	return problems[p].status;
}

static const struct {
	enum tacit_err err;
	enum agent_problem problem;
} meanings[] = {
        {TACIT_E_TOO_LARGE, AGENT_TOO_LARGE},
        {TACIT_E_BAD_NAME, AGENT_INVALID_FIELD},
        {TACIT_E_USAGE, AGENT_BAD_REQUEST},
        {TACIT_E_WEAK_PASSWORD, AGENT_WEAK_PASSWORD},
        {TACIT_E_REFUSED, AGENT_NOT_ALLOWED},
        {TACIT_E_BAD_PASSWORD, AGENT_INVALID_CREDENTIALS},
        {TACIT_E_NOT_LOGGED_IN, AGENT_NOT_LOGGED_IN},
        {TACIT_E_NOT_FOUND, AGENT_NOT_FOUND},
        {TACIT_E_EXISTS, AGENT_USER_EXISTS},
        {TACIT_E_CONFLICT, AGENT_CONFLICT},
        {TACIT_E_KEY_CHANGED, AGENT_CONFLICT},
        {TACIT_E_NO_DEVICE, AGENT_CONFLICT},
        {TACIT_E_GONE, AGENT_GONE},
        {TACIT_E_LIMIT, AGENT_RATE_LIMITED},
        {TACIT_E_NETWORK, AGENT_SERVER_UNREACHABLE},
        {TACIT_E_CANCELLED, AGENT_UNAVAILABLE},
        {TACIT_E_STORE_BUSY, AGENT_UNAVAILABLE},
        {TACIT_E_STORE_FULL, AGENT_STORE_FULL},
        {TACIT_E_STORE, AGENT_STORE_UNAVAILABLE},
        {TACIT_E_IO, AGENT_STORE_UNAVAILABLE},
        {TACIT_E_NOMEM, AGENT_UNAVAILABLE},
};

enum agent_problem agent_problem_of(enum tacit_err err)
{
	for (size_t i = 0; i < TACIT_COUNT(meanings); i++)
		if (meanings[i].err == err)
			return meanings[i].problem;
	return err == TACIT_OK ? AGENT_FINE : AGENT_INTERNAL;
}
