/* route.h - one table of everything that the server answers, and what each call may cost.
 *
 * A call is a list of steps, each in the lane where it may block. Authentication comes before the
 * first step, in the READ lane. A step that answers or fails ends the list. */
#ifndef TACIT_SERVER_API_ROUTE_H
#define TACIT_SERVER_API_ROUTE_H

#include "base/bytes.h"
#include "server/job/job.h"
#include "server/net/http.h"
#include "server/store/store.h"

struct api_call;

enum api_auth {
	API_OPEN,   /* anybody */
	API_SIGNED, /* a signed body; the handler knows whose key counts */
	API_USER,   /* a user: signed, cookie or bearer */
};

enum api_body {
	API_NO_BODY,
	API_JSON,
	API_STREAM, /* goes to the steps of route->stream in pieces */
};

enum api_guard {
	API_ORDINARY,
	API_GUARDED, /* guessing is worth while here: also bounded by the login limit */
};

/* store is the lane's handle in READ and WRITE, NULL elsewhere. An error undoes what this step
 * wrote; c->problem tells it to the outside. */
struct api_step {
	enum job_lane lane;
	enum tacit_err (*run)(struct api_call *c, struct store *store); /* NULL ends the list */
};

#define API_MAX_STEPS 5

struct api_stream {
	struct api_step open[API_MAX_STEPS];    /* before the first piece */
	struct api_step piece[API_MAX_STEPS];   /* for each piece: c->piece */
	struct api_step close[API_MAX_STEPS];   /* the body came whole */
	struct api_step abandon[API_MAX_STEPS]; /* it did not, or a step failed */
};

struct api_route {
	enum http_method method;
	const char *pattern; /* {id} a number, {file} and {device} 32 hex digits, {username} any
	                        text, {asset} the name of a part of the web app */
	enum api_auth auth;
	enum api_body body;
	uint32_t body_limit; /* of JSON bodies; streams have the file limit */
	unsigned cost;       /* of the address's and the account's allowance */
	enum api_guard guard;
	bool web;    /* a file of the web app, when there is one: else the steps */
	int kind;    /* enum store_kind for the shared handlers, else 0 */
	bool single; /* its steps make one change at most, with nothing behind it that can fail */
	struct api_step steps[API_MAX_STEPS];
	const struct api_stream *stream;
};

extern const struct api_route api_routes[];
extern const size_t api_route_count;

#define API_MAX_ASSET_NAME 64

struct api_path {
	int64_t id;                         /* {id} */
	char file[STORE_FILE_ID_CHARS + 1]; /* {file}, {device} in lower case */
	char username[TACIT_MAX_USERNAME + 1];
};

/* Does the path fit the pattern? The variables go to out (may be NULL). */
bool api_path_match(const char *pattern, struct tacit_bytes path, struct api_path *out);

/* NULL: none with this path and method. GET routes answer HEAD as well. */
const struct api_route *api_route_find(enum http_method method, struct tacit_bytes path);
/* Bits (1 << method) of the routes with this path; 0: unknown path. */
unsigned api_route_methods(struct tacit_bytes path);

const char *api_method_name(enum http_method method);

#endif
