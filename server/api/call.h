/* call.h - one request on its way through the lanes. Internal to server/api.
 *
 * Made on the loop with everything it needs copied in (one allocation), moved from lane to lane by
 * its steps, answered and freed at the end. One thread has it at a time, so it needs no lock.
 *
 *   loop: plan, handle -> READ: authenticate, steps -> HASH, FILE, WRITE as the table says
 *        -> [WRITE: spend the signature] -> http_reply
 *
 * A verified signature is spent by every answer but 5xx: in the transaction of the first WRITE
 * step, or, when there was none or it was undone, in one of its own before the answer leaves. */
#ifndef TACIT_SERVER_API_CALL_H
#define TACIT_SERVER_API_CALL_H

#include "server/api/api.h"
#include "server/api/object.h"
#include "server/api/claims.h"
#include "server/api/json_out.h"
#include "server/api/live_outbox.h"
#include "server/api/problem.h"
#include "server/api/ratelimit.h"
#include "server/api/route.h"
#include "server/api/server_keys.h"
#include "server/metrics.h"
#include "server/store/store.h"
#include "wire/json.h"
#include "wire/signed_request.h"

struct api_health {
	_Atomic int64_t probed_at; /* with success; Unix seconds, 0: never */
	_Atomic int64_t counted_at, users, conversations, messages, files;
};

#define API_PARCEL_BURST 16 /* minutes' worth of parcels that may come at once */

struct api {
	struct api_settings settings;
	struct job_pool *pool;
	const struct net_server *server;
	struct blob_store *blobs;
	struct metrics *metrics;
	struct api_server_keys keys;
	struct api_limiter *by_address, *by_account, *login_by_address, *login_by_name, *codes;
	struct api_limiter *parcels_by_address;
	_Atomic size_t held; /* bytes of bodies in calls under way */
	struct api_claims *claims;
	struct api_health health;
	struct live *live;          /* NULL: nobody listens */
	const struct relay *relay;  /* NULL: there is none */
	struct mailer *mailer;      /* NULL: no mail is sent */
	struct live_people *people; /* who is connected */
	_Atomic bool recheck;       /* logins have ended that nobody could name */
	_Atomic bool untold;        /* somebody's presence could not be told at once */
	int64_t logins_mark;        /* live_look_after's */
	int64_t started_at;
};

enum api_header {
	API_H_SESSION, /* the cookie tacit_session */
	API_H_PENDING, /* the cookie tacit_pending */
	API_H_AUTHORIZATION,
	API_H_HOST,
	API_H_ORIGIN,
	API_H_FETCH_SITE,
	API_H_CSRF,
	API_H_CONTENT_TYPE,
	API_H_ACCEPT,
	API_H_RANGE,
	API_H_IF_RANGE,
	API_H_IF_NONE_MATCH,
	API_H_TUS_RESUMABLE,
	API_H_UPLOAD_LENGTH,
	API_H_UPLOAD_DEFER_LENGTH,
	API_H_UPLOAD_OFFSET,
	API_H_UPLOAD_METADATA,
	API_H_UPLOAD_CHECKSUM,
	API_HEADER_COUNT
};

enum api_stream_state { API_STREAM_FRESH, API_STREAM_OPEN, API_STREAM_REFUSED };

enum api_way { API_NOBODY, API_BY_NAME, API_BY_COOKIE, API_BY_BEARER };

struct api_call {
	struct job job; /* first: a job is a call */
	struct api *api;
	const struct api_route *route;
	const struct api_step *steps; /* the list under way, and where in it */
	size_t step;
	enum job_lane lane;
	void (*then)(struct api_call *c); /* the list has ended; c->problem tells how */
	struct http_handle handle;
	enum http_method method;
	size_t held;
	bool tls, loopback;
	uint64_t address_key; /* for rate limits */
	int64_t now;
	int64_t steady;          /* the same by the clock of deadlines: see server/steady.h */
	uint64_t content_length; /* UINT64_MAX: not announced */
	struct api_path path;
	struct tacit_bytes header[API_HEADER_COUNT]; /* p == NULL: absent; into storage */
	struct tacit_bytes query, body;              /* into storage */

	bool looked; /* for the session that is named, with this result */
	enum tacit_err found;
	bool authenticated; /* the step of that name is over */
	enum api_way way;
	struct store_session who; /* id 0: no session; user_id 0: nobody */
	json_t *json;             /* an unsigned body of which a tree was made, owned */
	struct tacit_flat flat;   /* one that did not need it */
	struct tacit_signed_request signed_request;
	struct api_object data; /* what the handlers read: the signed data, or the body */
	bool verified, spent;   /* the signature */

	enum api_problem problem;
	unsigned retry_after;
	char detail[120]; /* a better sentence than the problem's own, or empty */
	struct http_response *answer;

	void *work; /* a handler's own between steps; work_free also wipes */
	void (*work_free)(struct api *a, void *work);
	enum api_stream_state stream;
	enum api_problem refused; /* streams: c->problem while what was begun is given up */
	void (*after_abandon)(struct api_call *c);
	struct tacit_buf piece; /* streams: what is to be handled */
	bool only_unavailable;  /* whatever the store fails with is UNAVAILABLE */
	bool again;             /* the step asks to be run once more, after others had a turn */
	bool enough;            /* the step asks that its list end here */
	struct tacit_buf gone_files; /* ids, STORE_FILE_ID_CHARS + 1 bytes each: blobs to delete
	                                once committed */
	struct live_outbox outbox;   /* what is told once committed */
	uint8_t storage[];
};

/* NULL when out of memory, or when the bodies of all calls under way are too much together. */
enum api_copy { API_COPY_HEAD, API_COPY_BODY };
struct api_call *api_call_new(struct api *a, const struct api_route *route, struct http_handle h,
        const struct http_request *r, enum api_copy copy);
void api_call_free(struct api_call *c);
/* Frees c->work, and what it holds. */
void api_call_release(struct api_call *c);

/* Runs a list of steps (authentication first, once), then then(c). Any thread. */
void api_call_run(
        struct api_call *c, const struct api_step *steps, void (*then)(struct api_call *c));
/* The call's answer leaves: c->answer, or the problem's error object. */
void api_call_reply(struct api_call *c);

/* The step's refusal: sets the problem and returns REFUSED, which undoes what the step wrote. */
TACIT_MUST_USE enum tacit_err api_refuse(struct api_call *c, enum api_problem p);
/* The same, but what the step wrote stays (a counted try): returns OK. */
TACIT_MUST_USE enum tacit_err api_refuse_and_keep(struct api_call *c, enum api_problem p);
/* As api_refuse, naming the member of the body at fault. */
TACIT_MUST_USE enum tacit_err api_refuse_member(
        struct api_call *c, enum api_problem p, const char *member);

/* Members of c->data; refuses INVALID_FIELD (or INVALID_VALUE when too long) by itself. */
TACIT_MUST_USE enum tacit_err api_text(struct api_call *c, const char *name,
        enum tacit_presence presence, size_t max, struct tacit_bytes *out);
TACIT_MUST_USE enum tacit_err api_integer(struct api_call *c, const char *name,
        enum tacit_presence presence, int64_t min, int64_t *out);
/* base64 text of at most max bytes when decoded, appended; _open for what is no secret, and much.
 */
TACIT_MUST_USE enum tacit_err api_base64_open(
        struct api_call *c, const char *name, size_t max, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err api_base64(
        struct api_call *c, const char *name, size_t max, struct tacit_buf *out);
/* A query parameter as a number; *out stays when it is absent. */
TACIT_MUST_USE enum tacit_err api_query_integer(
        struct api_call *c, const char *name, int64_t min, int64_t max, int64_t *out);
TACIT_MUST_USE enum tacit_err api_query_text(
        struct api_call *c, const char *name, char *out, size_t room); /* NOT_FOUND */

/* Begins a JSON answer; api_json_finish(w) completes it. */
TACIT_MUST_USE enum tacit_err api_answer_json(struct api_call *c, int status, struct api_json *w);
/* {} with this status. */
TACIT_MUST_USE enum tacit_err api_answer_empty(struct api_call *c, int status);
/* An answer without a body. */
TACIT_MUST_USE enum tacit_err api_answer_bare(struct api_call *c, int status);

/* The file, or the range of it that is asked for. fd is taken, whatever comes of it. etag NULL: it
 * is for this caller alone, and nobody keeps it. */
TACIT_MUST_USE enum tacit_err api_answer_file(
        struct api_call *c, const char *etag, int fd, uint64_t size);

/* The caller, as events name them. */
struct live_person api_caller(const struct api_call *c);

/* After a commit. */
void api_outbox_send(struct api *a, struct live_outbox *o);

/* A gone() callback for the store: ctx is the call. */
void api_collect_gone(void *ctx, const char *file_id);
/* Deletes these blobs in the FILE lane: ids as in gone_files, which is taken. */
void api_delete_blobs(struct api *a, struct tacit_buf *ids);

#endif
