/* calls_session.c - transfers without an account: /api/session/... */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/calls.h"
#include "agent/join.h"
#include "agent/upload.h"
#include "base/alloc.h"
#include "crypto/encoding.h"

#define PATIENCE_S 30 /* an upload waits for a delivery that makes no progress */
#define LOST_S 5      /* and for an agent that is away */
#define DOWNLOAD_BLOCK (64 * 1024)

/* --- what is told of a session ---------------------------------------------------------------- */

static const char *status_of(const struct session *s)
{
	switch (s->state) {
	case SESSION_WAITING:
		return "created";
	case SESSION_JOINED:
		return "joined";
	case SESSION_LOCKED:
		return "locked";
	case SESSION_CLOSED:
		break;
	}
	return "closed";
}

/* With the session locked. What is there already keeps its place: members that the contract names
 * stand in its order. */
static void put_session(json_t **o, const struct session *s)
{
	int64_t left =
	        (int64_t)s->agent->settings.session_timeout_s - (agent_monotonic_s() - s->active_s);
	agent_put_text(o, "session_id", tacit_cstr(s->id));
	agent_put_text(o, "status", tacit_cstr(status_of(s)));
	agent_put_text(
	        o, "role", s->part == SESSION_CREATOR ? TACIT_STR("creator") : TACIT_STR("joiner"));
	agent_put_text(o, "public_key", tacit_cstr(s->public_key));
	agent_put_bool(o, "peer_joined", s->state == SESSION_JOINED);
	agent_put_bool(o, "peer_connected", session_is_open(s) && (s->local || s->linked));
	agent_put_bool(o, "relay_connected", session_is_open(s) && s->online && !s->local);
	agent_put_bool(o, "nearby", s->nearby);
	agent_put_number(o, "file_count", s->file_count);
	agent_put_time(o, "created_at", s->created_at);
	if (session_is_open(s)) {
		agent_put_number(o, "attempts_left", s->tries_left);
		agent_put_time(o, "expires_at", tacit_env_now(&s->agent->env) + left);
	}
}

/* The other party may have said anything; in JSON only text can stand. */
static bool is_media_type(const char *text)
{
	const char *c = text;
	while (*c >= ' ' && *c < 0x7f)
		c++;
	return c != text && *c == '\0';
}

static json_t *file_object(const struct session *s, const struct shelf_file *f)
{
	json_t *o = json_object();
	char hex[2 * TACIT_SHA256_BYTES + 1];
	tacit_hex(tacit_bytes(f->sha256, sizeof(f->sha256)), hex);
	agent_put_text(&o, "file_id", tacit_cstr(f->id));
	agent_put_text(&o, "filename", tacit_cstr(f->name));
	agent_put_number(&o, "size", f->size);
	agent_put_text(&o, "sha256", tacit_cstr(hex));
	agent_put_text(&o, "content_type",
	        is_media_type(f->type) ? tacit_cstr(f->type)
	                               : TACIT_STR("application/octet-stream"));
	agent_put_time(&o, "uploaded_at", f->created_at);
	agent_put_bool(&o, "delivered", f->delivered || !f->ours || s->local);
	if (f->refused)
		agent_put_bool(&o, "refused", true);
	return o;
}

/* The session of the path, held and locked. */
static enum tacit_err lock_session(struct exchange *x, struct session **out)
{
	struct session *s = session_find(x->agent->sessions, x->id);
	*out = s;
	if (s == NULL)
		return agent_refuse(x, AGENT_SESSION_NOT_FOUND);
	pthread_mutex_lock(&s->lock);
	return s->guessed && session_is_open(s) ? agent_refuse(x, AGENT_SESSION_NOT_FOUND)
	                                        : TACIT_OK;
}

static enum tacit_err lock_open_session(struct exchange *x, struct session **out)
{
	enum tacit_err err;
	TRY(lock_session(x, out));
	if ((*out)->state == SESSION_LOCKED)
		TRY(agent_refuse(x, AGENT_SESSION_LOCKED));
	if ((*out)->state == SESSION_CLOSED)
		TRY(session_refuse_closed(x, *out));
out:
	return err;
}

static void unlock_session(struct session *s)
{
	if (s == NULL)
		return;
	pthread_mutex_unlock(&s->lock);
	session_drop(s);
}

/* --- create, join ------------------------------------------------------------------------------
 */

static enum tacit_err read_password(struct exchange *x, struct tacit_bytes *out)
{
	return agent_text(x, "password", TACIT_MAX_PASSWORD, out);
}

static enum tacit_err begin_session(struct session *s, struct tacit_bytes password)
{
	enum tacit_err err;
	meeting_make_code(&s->agent->env, s->verification_code);
	const struct meeting_secret secret = {
	        tacit_cstr(s->id), password, tacit_cstr(s->verification_code)};
	meeting_derive(&secret, &s->code);
	TRY(session_prepare(s));
	TRY(session_note(s->agent->sessions, s));
	TRY(session_link(s));
out:
	return err;
}

enum tacit_err call_session_create(struct exchange *x)
{
	enum tacit_err err;
	struct tacit_bytes password;
	struct session *s = NULL;
	json_t *o = json_object();
	TRY(read_password(x, &password));
	err = session_new(x->agent->sessions, NULL, SESSION_CREATOR, &s);
	if (err == TACIT_E_LIMIT)
		err = agent_refuse_because(x, AGENT_TOO_MANY, "There are too many sessions.");
	TRY(err);
	pthread_mutex_lock(&s->lock);
	err = begin_session(s, password);
	agent_put_text(&o, "session_id", tacit_cstr(s->id));
	agent_put_text(&o, "verification_code", tacit_cstr(s->verification_code));
	agent_put_text(&o, "public_key", tacit_cstr(s->public_key));
	put_session(&o, s);
	if (err != TACIT_OK)
		session_end(s, SESSION_CLOSED);
	pthread_mutex_unlock(&s->lock);
	TRY(err);
	err = agent_answer(x, MHD_HTTP_CREATED, o);
	o = NULL;
out:
	session_drop(s);
	json_decref(o);
	return err;
}

static bool is_point(struct tacit_bytes hex)
{
	static const uint8_t one[TACIT_P256_SCALAR_BYTES] = {[TACIT_P256_SCALAR_BYTES - 1] = 1};
	uint8_t point[TACIT_P256_POINT_BYTES];
	return hex.n == 2 * sizeof(point) && tacit_unhex(hex, point, sizeof(point)) == TACIT_OK &&
	       point[0] == 4 && tacit_p256_mul(point, one) == TACIT_OK;
}

/* Some programs send it as a number, which has lost its leading zeros. */
static enum tacit_err read_verification_code(struct exchange *x, struct join_wish *w)
{
	const json_t *number = json_object_get(x->json, "verification_code");
	if (!json_is_integer(number))
		return agent_text(x, "verification_code", 64, &w->verification_code);
	json_int_t n = json_integer_value(number);
	if (n < 0 || n > 999999)
		return agent_refuse(x, AGENT_INVALID_FIELD);
	snprintf(w->digits, sizeof(w->digits), "%06d", (int)n);
	w->verification_code = tacit_cstr(w->digits);
	return TACIT_OK;
}

static enum tacit_err read_join(struct exchange *x, struct join_wish *w)
{
	enum tacit_err err;
	struct tacit_bytes key;
	if (x->id[0] == '\0')
		TRY(agent_refuse(x, AGENT_SESSION_NOT_FOUND));
	w->id = x->id;
	TRY(read_password(x, &w->password));
	TRY(read_verification_code(x, w));
	TRY(agent_optional_text(x, "public_key", 1024, &key));
	if (key.n > 0 && !is_point(key))
		err = agent_refuse_because(x, AGENT_INVALID_FIELD,
		        "\"public_key\" must be a point of P-256 in hex, uncompressed.");
out:
	return err;
}

enum tacit_err call_session_join(struct exchange *x)
{
	enum tacit_err err;
	struct join_wish w = {0};
	struct session *s = NULL;
	TRY(read_join(x, &w));
	TRY(join_session(x, &w, &s));
	json_t *o = json_object();
	pthread_mutex_lock(&s->lock);
	put_session(&o, s);
	pthread_mutex_unlock(&s->lock);
	agent_put_text(&o, "role", TACIT_STR("joiner")); /* also where the creator is here, too */
	agent_put_bool(&o, "verified", true);
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	tacit_wipe(&w, sizeof(w));
	session_drop(s);
	return err;
}

/* --- upload ------------------------------------------------------------------------------------
 */

/* Until the other agent has it, or it does not seem to come to that now. The session is locked. */
static void wait_for_delivery(struct session *s, const struct shelf_file *f)
{
	uint64_t moved = s->moved;
	unsigned idle = 0;
	while (s->state == SESSION_JOINED && !s->local && !f->delivered && !f->refused) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		bool timed_out = pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0;
		idle = s->moved != moved ? 0 : idle + timed_out;
		moved = s->moved;
		/* Who has just joined is about to come. */
		unsigned most = s->linked || !s->met ? PATIENCE_S : LOST_S;
		if (idle >= most || agent_is_ending(s->agent))
			break;
	}
}

enum tacit_err call_session_upload(struct exchange *x)
{
	enum tacit_err err;
	struct shelf_file *f = NULL;
	TRY(upload_finish(x, &f));
	struct session *s = upload_session(x);
	pthread_mutex_lock(&s->lock);
	wait_for_delivery(s, f);
	json_t *o = file_object(s, f);
	agent_put_text(&o, "session_id", tacit_cstr(s->id));
	agent_put_text(&o, "status", TACIT_STR("uploaded"));
	pthread_mutex_unlock(&s->lock);
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	shelf_drop(f);
	return err;
}

/* --- files -------------------------------------------------------------------------------------
 */

enum tacit_err call_session_files(struct exchange *x)
{
	enum tacit_err err;
	struct session *s = NULL;
	json_t *list = json_array(), *o = json_object();
	TRY(lock_open_session(x, &s));
	for (const struct shelf_file *f = s->files; f != NULL; f = f->next)
		TRY(json_array_append_new(list, file_object(s, f)) == 0 ? TACIT_OK : TACIT_E_NOMEM);
	agent_put_text(&o, "session_id", tacit_cstr(s->id));
	agent_put_number(&o, "count", s->file_count);
	agent_put(&o, "files", list);
	list = NULL;
	err = agent_answer(x, MHD_HTTP_OK, o);
	o = NULL;
out:
	unlock_session(s);
	json_decref(list);
	json_decref(o);
	return err;
}

static ssize_t read_block(void *cls, uint64_t pos, char *room, size_t max)
{
	size_t got;
	struct tacit_room r = {(uint8_t *)room, max};
	if (shelf_read(cls, pos, r, &got) != TACIT_OK)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return got > 0 ? (ssize_t)got : MHD_CONTENT_READER_END_OF_STREAM;
}

static void close_reader(void *cls)
{
	shelf_close(cls);
}

/* RFC 6266: a name that any program takes, and the whole of it for those who read UTF-8. */
static void add_disposition(struct MHD_Response *r, const char *name)
{
	char text[64 + 4 * TACIT_MAX_FILE_NAME], *at;
	int n = snprintf(text, sizeof(text), "attachment; filename=\"");
	at = text + n;
	for (const char *c = name; *c != '\0'; c++)
		*at++ = *c >= ' ' && *c < 0x7f && *c != '"' && *c != '\\' ? *c : '_';
	n = snprintf(at, (size_t)(text + sizeof(text) - at), "\"; filename*=UTF-8''");
	at += n;
	for (const char *c = name; *c != '\0' && at + 4 < text + sizeof(text); c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
		             (*c >= 'A' && *c <= 'Z') || *c == '.' || *c == '_' || *c == '-';
		at += snprintf(at, 4, plain ? "%c" : "%%%02X", plain ? *c : (unsigned char)*c);
	}
	*at = '\0';
	MHD_add_response_header(r, "Content-Disposition", text);
}

static void add_file_headers(struct MHD_Response *r, const struct shelf_file *f)
{
	char hex[2 * TACIT_SHA256_BYTES + 1], tag[sizeof(hex) + 2];
	tacit_hex(tacit_bytes(f->sha256, sizeof(f->sha256)), hex);
	snprintf(tag, sizeof(tag), "\"%s\"", hex);
	/* What the other party calls it is no reason for anybody to run it. */
	MHD_add_response_header(r, "Content-Type", "application/octet-stream");
	MHD_add_response_header(r, "X-File-SHA256", hex);
	MHD_add_response_header(r, "ETag", tag);
	add_disposition(r, f->name);
}

enum tacit_err call_session_download(struct exchange *x)
{
	enum tacit_err err;
	struct session *s = NULL;
	struct shelf_reader *reader = NULL;
	TRY(lock_open_session(x, &s));
	struct shelf_file *f = session_find_file(s, x->file);
	if (f == NULL || x->file[0] == '\0')
		TRY(agent_refuse(x, AGENT_FILE_NOT_FOUND));
	session_touch(s);
	TRY(shelf_open(f, &s->key, &reader));
	x->response = MHD_create_response_from_callback(
	        f->size, DOWNLOAD_BLOCK, read_block, reader, close_reader);
	TRY(x->response != NULL ? TACIT_OK : TACIT_E_NOMEM);
	reader = NULL;
	x->status = MHD_HTTP_OK;
	add_file_headers(x->response, f);
out:
	shelf_close(reader);
	unlock_session(s);
	return err;
}

/* --- status, close -----------------------------------------------------------------------------
 */

enum tacit_err call_session_status(struct exchange *x)
{
	enum tacit_err err;
	struct session *s = NULL;
	TRY(lock_session(x, &s));
	json_t *o = json_object();
	put_session(&o, s);
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	unlock_session(s);
	return err;
}

enum tacit_err call_session_close(struct exchange *x)
{
	enum tacit_err err;
	struct session *s = NULL;
	TRY(lock_open_session(x, &s));
	session_end(s, SESSION_CLOSED);
	json_t *o = json_object();
	put_session(&o, s);
	agent_put_text(&o, "message", TACIT_STR("Session closed"));
	TRY(agent_answer(x, MHD_HTTP_OK, o));
out:
	unlock_session(s);
	return err;
}
