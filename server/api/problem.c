#include "server/api/problem.h"

#include "server/api/json_out.h"

static const struct {
	int status;
	const char *code, *text;
} problems[API_PROBLEM_COUNT] = {
        [API_FINE] = {200, "FINE", ""},
#define API_PROBLEM(code, status, text) [API_##code] = {status, #code, text},
#include "server/api/problem.def"
#undef API_PROBLEM
};

int api_problem_status(enum api_problem p)
{
	return problems[p].status;
}

const char *api_problem_code(enum api_problem p)
{
	return problems[p].code;
}

const char *api_problem_text(enum api_problem p)
{
	return problems[p].text;
}

enum api_problem api_problem_of_status(int status)
{
	for (int p = API_FINE + 1; p < API_PROBLEM_COUNT; p++)
		if (problems[p].status == status)
			return (enum api_problem)p;
	return API_INTERNAL;
}

enum api_problem api_problem_of(enum tacit_err err)
{
	switch (err) {
	case TACIT_OK:
		return API_FINE;
	case TACIT_E_NOT_FOUND:
		return API_NOT_FOUND;
	case TACIT_E_GONE:
		return API_GONE;
	case TACIT_E_EXISTS:
		return API_ALREADY_EXISTS;
	case TACIT_E_CONFLICT:
		return API_CONFLICT;
	case TACIT_E_LIMIT:
		return API_TOO_MANY;
	case TACIT_E_TOO_LARGE:
		return API_TOO_LARGE;
	case TACIT_E_MALFORMED:
	case TACIT_E_TRUNCATED:
	case TACIT_E_TRAILING:
	case TACIT_E_UNSUPPORTED:
		return API_BAD_REQUEST;
	case TACIT_E_BAD_SIGNATURE:
		return API_BAD_SIGNATURE;
	case TACIT_E_REPLAY:
		return API_REPLAYED;
	case TACIT_E_NOT_LOGGED_IN:
		return API_NOT_LOGGED_IN;
	case TACIT_E_STORE_FULL:
		return API_STORE_FULL;
	case TACIT_E_STORE_BUSY:
	case TACIT_E_NOMEM:
	case TACIT_E_CANCELLED:
		return API_UNAVAILABLE;
	default:
		return API_INTERNAL;
	}
}

enum tacit_err api_problem_write(
        enum api_problem p, const char *detail, int64_t now, struct tacit_buf *out)
{
	struct api_json w = api_json_begin(out);
	api_json_text(&w, "error", tacit_cstr(detail != NULL ? detail : problems[p].text));
	api_json_text(&w, "code", tacit_cstr(problems[p].code));
	api_json_time(&w, "timestamp", now);
	return api_json_finish(&w);
}
