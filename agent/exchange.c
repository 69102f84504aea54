/* exchange.c
 *
 *   first call: gate, route, authority --refused--> the body is swallowed, then the problem is told
 *   body: JSON is gathered, a form goes to its upload as it comes
 *   last call: the handler --> answer
 */
#include "agent/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "agent/gate.h"
#include "agent/people.h"
#include "agent/upload.h"
#include "base/alloc.h"

#define MAX_JSON (512 * 1024)           /* a text of 64 KiB, every byte of it escaped */
#define FORM_ROOM (64 * 1024)           /* of the library's form parser */
#define MAX_SWALLOW (UINT64_C(1) << 30) /* of a body whose request was refused */
#define COOKIE "tacit_agent"

/* --- reading --------------------------------------------------------------------------------- */

struct tacit_bytes agent_header(const struct exchange *x, const char *name)
{
	return tacit_cstr(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

struct tacit_bytes agent_query(const struct exchange *x, const char *name)
{
	return tacit_cstr(MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name));
}

static enum tacit_err refuse_member(struct exchange *x, const char *name)
{
	char text[120];
	snprintf(text, sizeof(text), "The member \"%s\" is missing, too long or of the wrong type.",
	        name);
	return agent_refuse_because(x, AGENT_INVALID_FIELD, text);
}

enum tacit_err agent_optional_text(
        struct exchange *x, const char *name, size_t max, struct tacit_bytes *out)
{
	enum tacit_err err = tacit_json_text(x->json, name, TACIT_OPTIONAL, max, out);
	return err == TACIT_OK ? TACIT_OK : refuse_member(x, name);
}

enum tacit_err agent_text(struct exchange *x, const char *name, size_t max, struct tacit_bytes *out)
{
	enum tacit_err err = tacit_json_text(x->json, name, TACIT_REQUIRED, max, out);
	return err == TACIT_OK && out->n > 0 ? TACIT_OK : refuse_member(x, name);
}

/* --- answering ------------------------------------------------------------------------------- */

void agent_put(json_t **object, const char *name, json_t *value)
{
	if (*object != NULL && value != NULL && json_object_set_new(*object, name, value) == 0)
		return;
	if (*object == NULL)
		json_decref(value);
	json_decref(*object);
	*object = NULL;
}

void agent_put_text(json_t **object, const char *name, struct tacit_bytes text)
{
	if (*object == NULL || tacit_json_set_text(*object, name, text) == TACIT_OK)
		return;
	json_decref(*object);
	*object = NULL;
}

void agent_put_number(json_t **object, const char *name, uint64_t n)
{
	agent_put(object, name, json_integer((json_int_t)n));
}

void agent_put_bool(json_t **object, const char *name, bool b)
{
	agent_put(object, name, json_boolean(b));
}

static void rfc3339(int64_t unix_seconds, char *out, size_t room)
{
	struct tm t;
	time_t when = (time_t)unix_seconds;
	if (gmtime_r(&when, &t) == NULL || strftime(out, room, "%Y-%m-%dT%H:%M:%SZ", &t) == 0)
		snprintf(out, room, "1970-01-01T00:00:00Z");
}

void agent_put_time(json_t **object, const char *name, int64_t unix_seconds)
{
	char text[40];
	rfc3339(unix_seconds, text, sizeof(text));
	agent_put(object, name, unix_seconds == 0 ? json_null() : json_string(text));
}

static void wipe_body(void *p)
{
	struct tacit_buf *b = p;
	tacit_buf_clear(b);
	tacit_free(b);
}

enum tacit_err agent_answer(struct exchange *x, unsigned status, json_t *object)
{
	enum tacit_err err;
	struct tacit_buf *text = tacit_calloc(1, sizeof(*text));
	TRY(object != NULL && text != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_json_write(object, text));
	TRY(tacit_buf_append(text, TACIT_STR("\n")));
	x->response = MHD_create_response_from_buffer_with_free_callback_cls(
	        text->n, text->p, wipe_body, text);
	TRY(x->response != NULL ? TACIT_OK : TACIT_E_NOMEM);
	text = NULL;
	x->status = status;
	MHD_add_response_header(x->response, "Content-Type", "application/json; charset=utf-8");
out:
	if (text != NULL)
		wipe_body(text);
	json_decref(object);
	return err;
}

enum tacit_err agent_refuse(struct exchange *x, enum agent_problem p)
{
	x->problem = p;
	x->sentence[0] = '\0';
	return TACIT_E_REFUSED;
}

enum tacit_err agent_refuse_because(struct exchange *x, enum agent_problem p, const char *sentence)
{
	x->problem = p;
	snprintf(x->sentence, sizeof(x->sentence), "%s", sentence);
	return TACIT_E_REFUSED;
}

static enum tacit_err answer_problem(struct exchange *x)
{
	json_t *o = json_object();
	const char *text = x->sentence[0] != '\0' ? x->sentence : agent_problem_text(x->problem);
	agent_put_text(&o, "error", tacit_cstr(text));
	agent_put_text(&o, "code", tacit_cstr(agent_problem_code(x->problem)));
	agent_put_time(&o, "timestamp", tacit_env_now(&x->agent->env));
	return agent_answer(x, agent_problem_status(x->problem), o);
}

/* Contract 1: on every answer. Nothing of it is ever a page. */
static const struct {
	const char *name, *value;
} always[] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Permissions-Policy", "interest-cohort=()"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
};

static enum MHD_Result send_answer(struct exchange *x)
{
	char number[16];
	struct MHD_Response *r = x->response;
	if (r == NULL)
		return MHD_NO;
	for (size_t i = 0; i < TACIT_COUNT(always); i++)
		MHD_add_response_header(r, always[i].name, always[i].value);
	if (x->cookie[0] != '\0')
		MHD_add_response_header(r, "Set-Cookie", x->cookie);
	if (x->status == 401)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	if (x->status == 429 || x->status == 503) {
		snprintf(number, sizeof(number), "%u", x->retry_after_s > 0 ? x->retry_after_s : 1);
		MHD_add_response_header(r, "Retry-After", number);
	}
	return MHD_queue_response(x->connection, x->status, r);
}

/* --- routes ---------------------------------------------------------------------------------- */

static bool is_id(struct tacit_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		            (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
	return text.n == AGENT_ID_CHARS;
}

static void take_id(struct tacit_bytes text, char out[AGENT_ID_CHARS + 1])
{
	out[0] = '\0';
	if (is_id(text)) {
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
	}
}

/* One segment after another. What stands for an id and is none leaves it empty: not found. */
static bool matches(struct exchange *x, const char *pattern, const char *path)
{
	while (*pattern != '\0' && *path != '\0') {
		size_t want = strcspn(pattern + 1, "/") + 1, got = strcspn(path + 1, "/") + 1;
		struct tacit_bytes text = tacit_bytes(path + 1, got - 1);
		if (strncmp(pattern, "/{id}", want) == 0 && want == 5)
			take_id(text, x->id);
		else if (strncmp(pattern, "/{file}", want) == 0 && want == 7)
			take_id(text, x->file);
		else if (want != got || strncmp(pattern, path, want) != 0)
			return false;
		pattern += want;
		path += got;
	}
	return *pattern == *path;
}

static const struct agent_route *find_route(
        struct exchange *x, const char *method, const char *path)
{
	bool known = false;
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	for (size_t i = 0; i < agent_route_count; i++) {
		if (!matches(x, agent_routes[i].pattern, path))
			continue;
		if (strcmp(agent_routes[i].method, wanted) == 0)
			return &agent_routes[i];
		known = true;
	}
	agent_refuse(x, known ? AGENT_METHOD_NOT_ALLOWED : AGENT_NOT_FOUND);
	return NULL;
}

static void add_allow(struct exchange *x, const char *path)
{
	char list[64] = "";
	for (size_t i = 0; i < agent_route_count; i++)
		if (matches(x, agent_routes[i].pattern, path)) {
			size_t n = strlen(list);
			snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "",
			        agent_routes[i].method);
		}
	MHD_add_response_header(x->response, "Allow", list);
}

/* --- who -------------------------------------------------------------------------------------- */

static enum MHD_Result count_host(
        void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	(void)value;
	size_t *count = cls;
	*count += strcasecmp(key, "Host") == 0;
	return MHD_YES;
}

static bool has_token(const struct exchange *x, struct tacit_bytes bearer)
{
	return bearer.n > 0 && tacit_ct_eq(bearer, tacit_cstr(x->agent->token));
}

/* A login's word comes as a cookie, or as programs show tokens of other services. */
static void find_login(struct exchange *x, struct tacit_bytes bearer)
{
	struct tacit_bytes cookie =
	        tacit_cstr(MHD_lookup_connection_value(x->connection, MHD_COOKIE_KIND, COOKIE));
	x->login = people_login(x->agent->people, cookie);
	if (x->login == NULL)
		x->login = people_login(x->agent->people, bearer);
}

static bool may_call(struct exchange *x)
{
	enum agent_need need = x->route->need;
	if (need == AGENT_OPEN)
		return true;
	struct tacit_bytes bearer = gate_bearer(agent_header(x, "Authorization"));
	find_login(x, bearer);
	if (x->login != NULL)
		return true;
	if (need == AGENT_LOGIN) {
		agent_refuse(x, AGENT_NOT_LOGGED_IN);
		return false;
	}
	if (!x->agent->token_wanted || has_token(x, bearer))
		return true;
	agent_refuse(x, AGENT_TOKEN_REQUIRED);
	return false;
}

static bool passes_gate(struct exchange *x)
{
	struct gate_headers h = {
	        .host = agent_header(x, "Host"),
	        .origin = agent_header(x, "Origin"),
	        .fetch_site = agent_header(x, "Sec-Fetch-Site"),
	};
	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_host, &h.host_count);
	enum agent_problem p = gate_check(&h, x->agent->port);
	if (p != AGENT_FINE)
		agent_refuse(x, p);
	return p == AGENT_FINE;
}

/* --- bodies ------------------------------------------------------------------------------------
 */

static bool is_json_type(struct tacit_bytes type)
{
	size_t n = 0;
	while (n < type.n && type.p[n] != ';' && type.p[n] != ' ')
		n++;
	return n == 16 && strncasecmp((const char *)type.p, "application/json", n) == 0;
}

/* Room for all of it at once: growing would leave copies of passwords behind. */
static bool begin_json(struct exchange *x)
{
	uint64_t want = MAX_JSON;
	struct tacit_bytes length = agent_header(x, "Content-Length");
	struct tacit_bytes type = agent_header(x, "Content-Type");
	if (length.p != NULL)
		want = strtoull((const char *)length.p, NULL, 10);
	if (want > MAX_JSON) {
		agent_refuse(x, AGENT_TOO_LARGE);
		return false;
	}
	if (length.p != NULL && want > 0 && !is_json_type(type)) {
		agent_refuse_because(x, AGENT_UNSUPPORTED_MEDIA_TYPE,
		        "The body must be JSON, with Content-Type: application/json.");
		return false;
	}
	if (tacit_buf_reserve(&x->body, (size_t)want + 1) != TACIT_OK) {
		agent_refuse(x, AGENT_UNAVAILABLE);
		return false;
	}
	return true;
}

static bool begin_form(struct exchange *x)
{
	x->form = MHD_create_post_processor(x->connection, FORM_ROOM, upload_on_field, x);
	if (x->form == NULL) {
		agent_refuse(x, AGENT_INVALID_UPLOAD);
		return false;
	}
	return upload_begin(x) == TACIT_OK;
}

static bool begin_body(struct exchange *x)
{
	if (x->route->body == AGENT_JSON)
		return begin_json(x);
	return x->route->body == AGENT_FORM ? begin_form(x) : true;
}

static void take_body(struct exchange *x, const char *data, size_t n)
{
	x->swallowed += n;
	if (x->problem != AGENT_FINE)
		return;
	if (x->route->body == AGENT_FORM) {
		if (MHD_post_process(x->form, data, n) != MHD_YES && x->problem == AGENT_FINE)
			agent_refuse(x, AGENT_INVALID_UPLOAD);
	} else if (x->route->body == AGENT_JSON) {
		if (x->body.n + n > MAX_JSON)
			agent_refuse(x, AGENT_TOO_LARGE);
		else if (tacit_buf_append(&x->body, tacit_bytes(data, n)) != TACIT_OK)
			agent_refuse(x, AGENT_UNAVAILABLE);
	} else if (x->swallowed > MAX_JSON) {
		agent_refuse(x, AGENT_TOO_LARGE);
	}
}

/* No body at all is an empty object. */
static enum tacit_err parse_json(struct exchange *x)
{
	if (x->body.n == 0) {
		x->json = json_object();
		return x->json != NULL ? TACIT_OK : TACIT_E_NOMEM;
	}
	enum tacit_err err = tacit_json_parse(tacit_buf_view(&x->body), &x->json);
	tacit_buf_clear(&x->body);
	if (err == TACIT_E_NOMEM)
		return err;
	return err == TACIT_OK && json_is_object(x->json) ? TACIT_OK
	                                                  : agent_refuse(x, AGENT_INVALID_JSON);
}

/* --- the library's calls ------------------------------------------------------------------------
 */

static enum MHD_Result begin(struct agent *a, struct MHD_Connection *c, const char *path,
        const char *method, void **state)
{
	struct exchange *x = tacit_calloc(1, sizeof(*x));
	if (x == NULL)
		return MHD_NO;
	*state = x;
	x->agent = a;
	x->connection = c;
	if (passes_gate(x))
		x->route = find_route(x, method, path);
	bool fine = x->route != NULL && may_call(x) && begin_body(x);
	/* Who asks before sending is told now; who sends anyway is listened to first, or would find
	 * the connection broken in place of the answer. */
	if (fine || agent_header(x, "Expect").p == NULL)
		return MHD_YES;
	return answer_problem(x) == TACIT_OK ? send_answer(x) : MHD_NO;
}

static enum tacit_err run_handler(struct exchange *x)
{
	enum tacit_err err;
	if (x->route->body == AGENT_JSON)
		TRY(parse_json(x));
	TRY(x->route->handler(x));
out:
	return err;
}

static enum MHD_Result finish(struct exchange *x, const char *path)
{
	enum tacit_err err = TACIT_OK;
	if (x->problem == AGENT_FINE)
		err = run_handler(x);
	if (err != TACIT_OK && x->problem == AGENT_FINE)
		agent_refuse(x, agent_problem_of(err));
	if (x->problem != AGENT_FINE && answer_problem(x) != TACIT_OK)
		return MHD_NO;
	if (x->problem == AGENT_METHOD_NOT_ALLOWED)
		add_allow(x, path);
	return send_answer(x);
}

enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *c, const char *url,
        const char *method, const char *version, const char *data, size_t *size, void **state)
{
	struct exchange *x = *state;
	(void)version;
	if (x == NULL)
		return begin(cls, c, url, method, state);
	if (x->response != NULL)
		return MHD_YES; /* the rest of a body whose answer is on its way */
	if (*size > 0) {
		take_body(x, data, *size);
		*size = 0;
		return x->swallowed <= MAX_SWALLOW || x->problem == AGENT_FINE ? MHD_YES : MHD_NO;
	}
	return finish(x, url);
}

void exchange_on_end(
        void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *state;
	(void)cls;
	(void)c;
	(void)why;
	if (x == NULL)
		return;
	if (x->form != NULL)
		MHD_destroy_post_processor(x->form);
	upload_drop(x);
	people_release(x->agent->people, x->login);
	if (x->response != NULL)
		MHD_destroy_response(x->response);
	json_decref(x->json);
	tacit_buf_clear(&x->body);
	tacit_wipe(x, sizeof(*x));
	tacit_free(x);
	*state = NULL;
}
