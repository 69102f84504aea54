#include "agent/upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/names.h"

#define FORM_MORE (64 * 1024) /* bytes of a form beside its file */

struct upload {
	struct session *session;
	struct shelf_writer *writer;
	char name[TACIT_MAX_FILE_NAME + 1], type[TACIT_MAX_MIME_TYPE + 1];
};

struct session *upload_session(const struct exchange *x)
{
	return x->upload->session;
}

static enum tacit_err check_session(struct exchange *x, struct session *s)
{
	if (s == NULL)
		return agent_refuse(x, AGENT_SESSION_NOT_FOUND);
	pthread_mutex_lock(&s->lock);
	bool open = session_is_open(s), guessed = s->guessed && open;
	bool full = s->file_count >= SESSION_MAX_FILES;
	pthread_mutex_unlock(&s->lock);
	if (guessed)
		return agent_refuse(x, AGENT_SESSION_NOT_FOUND);
	if (!open)
		return session_refuse_closed(x, s);
	return full ? agent_refuse(x, AGENT_TOO_MANY) : TACIT_OK;
}

enum tacit_err upload_begin(struct exchange *x)
{
	enum tacit_err err;
	struct tacit_bytes length = agent_header(x, "Content-Length");
	struct upload *u = tacit_calloc(1, sizeof(*u));
	if (u == NULL)
		return agent_refuse(x, AGENT_UNAVAILABLE);
	x->upload = u;
	u->session = session_find(x->agent->sessions, x->id);
	TRY(check_session(x, u->session));
	if (length.p != NULL && strtoull((const char *)length.p, NULL, 10) >
	                                x->agent->settings.max_file_size + FORM_MORE)
		TRY(agent_refuse(x, AGENT_TOO_LARGE));
out:
	return err;
}

static enum tacit_err begin_file(struct exchange *x, const char *filename, const char *type)
{
	struct upload *u = x->upload;
	struct session *s = u->session;
	enum tacit_err err;
	tacit_file_name_safe(tacit_cstr(filename != NULL ? filename : ""), u->name);
	if (type != NULL && strlen(type) < sizeof(u->type))
		memcpy(u->type, type, strlen(type) + 1);
	pthread_mutex_lock(&s->lock);
	session_touch(s);
	err = session_is_open(s) ? shelf_begin((const char *)x->agent->settings.upload_folder.p,
	                                   &s->key, &x->agent->env, &u->writer)
	                         : session_refuse_closed(x, s);
	pthread_mutex_unlock(&s->lock);
	return err;
}

static enum tacit_err take(struct exchange *x, struct tacit_bytes data)
{
	enum tacit_err err;
	struct upload *u = x->upload;
	uint64_t left = x->agent->settings.max_file_size - shelf_written(u->writer);
	if (data.n > left)
		TRY(agent_refuse(x, AGENT_TOO_LARGE));
	TRY(shelf_put(u->writer, data));
out:
	return err;
}

/* Other fields are let pass: some programs send more than is asked for. */
enum MHD_Result upload_on_field(void *cls, enum MHD_ValueKind kind, const char *key,
        const char *filename, const char *type, const char *encoding, const char *data,
        uint64_t off, size_t size)
{
	enum tacit_err err = TACIT_OK;
	struct exchange *x = cls;
	struct upload *u = x->upload;
	(void)kind;
	(void)encoding;
	if (key == NULL || strcmp(key, "file") != 0)
		return MHD_YES;
	if (u->writer != NULL && off == 0 && shelf_written(u->writer) > 0)
		TRY(agent_refuse_because(x, AGENT_INVALID_UPLOAD, "One file at a time."));
	if (u->writer == NULL)
		TRY(begin_file(x, filename, type));
	TRY(take(x, tacit_bytes(data, size)));
out:
	if (err != TACIT_OK && x->problem == AGENT_FINE)
		agent_refuse(x, agent_problem_of(err));
	return err == TACIT_OK ? MHD_YES : MHD_NO;
}

enum tacit_err upload_finish(struct exchange *x, struct shelf_file **out)
{
	enum tacit_err err;
	struct upload *u = x->upload;
	struct shelf_file *f = NULL;
	bool whole = MHD_destroy_post_processor(x->form) == MHD_YES;
	x->form = NULL;
	if (!whole || u->writer == NULL)
		return agent_refuse(x, AGENT_INVALID_UPLOAD);
	struct shelf_writer *w = u->writer;
	u->writer = NULL;
	TRY(shelf_finish(w, &f));
	memcpy(f->name, u->name, sizeof(f->name));
	memcpy(f->type, u->type, sizeof(f->type));
	f->ours = true;
	shelf_keep(f);
	pthread_mutex_lock(&u->session->lock);
	err = session_add_file(u->session, f);
	pthread_mutex_unlock(&u->session->lock);
	if (err != TACIT_OK)
		shelf_drop(f);
	else
		*out = f;
	if (err == TACIT_E_GONE)
		err = agent_refuse(x, AGENT_SESSION_CLOSED);
	if (err == TACIT_E_LIMIT)
		err = agent_refuse(x, AGENT_TOO_MANY);
out:
	return err;
}

void upload_drop(struct exchange *x)
{
	struct upload *u = x->upload;
	if (u == NULL)
		return;
	shelf_abandon(u->writer);
	session_drop(u->session);
	tacit_free(u);
	x->upload = NULL;
}
