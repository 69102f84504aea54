/* exchange.h - one request to the agent and its answer, on its way through the HTTP library.
 *
 * A handler reads what was sent, and either answers by agent_answer or refuses by agent_refuse; it
 * may wait, for each connection has a thread of its own. Its error return, when it has not refused,
 * becomes the problem of that error (problem.h). */
#ifndef TACIT_AGENT_EXCHANGE_H
#define TACIT_AGENT_EXCHANGE_H

#include <microhttpd.h>

#include "agent/agent_int.h"
#include "agent/problem.h"
#include "base/buf.h"
#include "wire/json.h"

struct exchange;

typedef enum tacit_err agent_handler(struct exchange *x);

enum agent_need {
	AGENT_OPEN,  /* anybody on this machine */
	AGENT_TOKEN, /* the token, or a login; nothing with --no-token */
	AGENT_LOGIN, /* a login */
};

enum agent_body { AGENT_NO_BODY, AGENT_JSON, AGENT_FORM };

struct agent_route {
	const char *method, *pattern; /* {id} and {file} each stand for one segment */
	enum agent_need need;
	enum agent_body body;
	agent_handler *handler;
};
extern const struct agent_route agent_routes[];
extern const size_t agent_route_count;

#define AGENT_ID_CHARS 32 /* of sessions and files: lower-case hex */

struct exchange {
	struct agent *agent;
	struct MHD_Connection *connection;
	const struct agent_route *route;
	char id[AGENT_ID_CHARS + 1], file[AGENT_ID_CHARS + 1]; /* empty: not such an id */
	struct tacit_buf body;
	json_t *json; /* an object, once the handler runs; AGENT_JSON only */
	struct MHD_PostProcessor *form;
	struct upload *upload;
	struct login *login; /* AGENT_LOGIN; released when the exchange ends */
	uint64_t swallowed;
	enum agent_problem problem;
	char sentence[400]; /* in place of the problem's own; empty: none */
	unsigned retry_after_s;
	struct MHD_Response *response;
	unsigned status;
	char cookie[160]; /* Set-Cookie of the answer; empty: none */
};

/* Takes ownership of object (NULL: out of memory). Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err agent_answer(struct exchange *x, unsigned status, json_t *object);
/* The answer is the problem; REFUSED comes back, to be returned. */
enum tacit_err agent_refuse(struct exchange *x, enum agent_problem p);
enum tacit_err agent_refuse_because(struct exchange *x, enum agent_problem p, const char *sentence);

/* Members of the body. required: missing, empty, or of another type is refused with its name.
 * Fails: REFUSED. */
TACIT_MUST_USE enum tacit_err agent_text(
        struct exchange *x, const char *name, size_t max, struct tacit_bytes *out);
TACIT_MUST_USE enum tacit_err agent_optional_text(
        struct exchange *x, const char *name, size_t max, struct tacit_bytes *out);
/* A parameter of the query, or the empty view. */
struct tacit_bytes agent_query(const struct exchange *x, const char *name);
struct tacit_bytes agent_header(const struct exchange *x, const char *name);

/* Members of answers; a failed one makes *object NULL, which agent_answer takes for NOMEM. */
void agent_put_text(json_t **object, const char *name, struct tacit_bytes text);
void agent_put_number(json_t **object, const char *name, uint64_t n);
void agent_put_bool(json_t **object, const char *name, bool b);
void agent_put_time(json_t **object, const char *name, int64_t unix_seconds); /* 0: null */
void agent_put(json_t **object, const char *name, json_t *value);             /* takes ownership */

/* The callbacks of the HTTP library. */
enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *c, const char *url,
        const char *method, const char *version, const char *data, size_t *size, void **state);
void exchange_on_end(
        void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why);

#endif
