#include "agent/traffic.h"

#include <string.h>

#include "agent/frame.h"
#include "base/alloc.h"
#include "crypto/encoding.h"
#include "wire/names.h"

#define IDLE_MS 100 /* how late a new file may be noticed */

struct outgoing {
	struct shelf_file *file; /* NULL: none is being sent */
	struct shelf_reader *reader;
	bool asked, ended; /* the receiver has asked for it; all of it was sent */
	uint64_t offset, acknowledged;
};

struct incoming {
	struct shelf_writer *writer; /* NULL: none */
	uint8_t id[FRAME_ID_BYTES];
	uint64_t size;
	uint8_t sha256[TACIT_SHA256_BYTES];
	char name[TACIT_MAX_FILE_NAME + 1], type[TACIT_MAX_MIME_TYPE + 1];
};

struct traffic {
	struct session *session;
	struct link_line *line;
	struct tacit_channel *channel;
	struct outgoing out;
	struct incoming in;
	bool closed; /* the other one has said BYE */
	uint8_t plain[TACIT_PARCEL_RECORD_BYTES];
	uint8_t sealed[TACIT_PARCEL_MAX_MESSAGE], opened[TACIT_PARCEL_MAX_MESSAGE];
};

enum tacit_err traffic_new(struct session *s, struct traffic **out)
{
	struct traffic *t = tacit_calloc(1, sizeof(*t));
	*out = t;
	if (t == NULL)
		return TACIT_E_NOMEM;
	t->session = s;
	return TACIT_OK;
}

static void end_outgoing(struct traffic *t)
{
	shelf_close(t->out.reader);
	shelf_drop(t->out.file);
	t->out = (struct outgoing){0};
}

static void end_incoming(struct traffic *t)
{
	shelf_abandon(t->in.writer);
	t->in = (struct incoming){0};
}

void traffic_free(struct traffic *t)
{
	if (t == NULL)
		return;
	end_outgoing(t);
	end_incoming(t);
	tacit_wipe(t, sizeof(*t));
	tacit_free(t);
}

/* --- saying ---------------------------------------------------------------------------------- */

static enum tacit_err say_bytes(struct traffic *t, enum frame_type type, struct tacit_bytes b)
{
	enum tacit_err err;
	TRY(tacit_channel_seal(t->channel, (uint8_t)type, b, t->sealed));
	TRY(link_line_send(t->line, tacit_bytes(t->sealed, b.n + 2 + TACIT_AEAD_TAG_BYTES)));
out:
	return err;
}

static enum tacit_err say(struct traffic *t, enum frame_type type, const struct frame *f)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	TRY(frame_write(type, f, &body));
	TRY(say_bytes(t, type, tacit_buf_view(&body)));
out:
	tacit_buf_clear(&body);
	return err;
}

static enum tacit_err say_id(struct traffic *t, enum frame_type type, const uint8_t *id)
{
	struct frame f = {.size = 0};
	memcpy(f.id, id, sizeof(f.id));
	return say(t, type, &f);
}

/* --- sending --------------------------------------------------------------------------------- */

static enum tacit_err id_of(const struct shelf_file *f, uint8_t id[FRAME_ID_BYTES])
{
	return tacit_unhex(tacit_cstr(f->id), id, FRAME_ID_BYTES);
}

static enum tacit_err announce(struct traffic *t)
{
	enum tacit_err err;
	const struct shelf_file *file = t->out.file;
	struct frame f = {
	        .size = file->size,
	        .name = tacit_cstr(file->name),
	        .content_type = tacit_cstr(file->type),
	};
	memcpy(f.sha256, file->sha256, sizeof(f.sha256));
	TRY(id_of(file, f.id));
	TRY(say(t, FRAME_FILE, &f));
out:
	return err;
}

/* The first that the other one does not have yet. */
static enum tacit_err choose(struct traffic *t)
{
	enum tacit_err err = TACIT_OK;
	struct session *s = t->session;
	pthread_mutex_lock(&s->lock);
	struct shelf_file *f = s->files;
	while (f != NULL && (!f->ours || f->delivered || f->refused))
		f = f->next;
	if (f != NULL && session_is_open(s)) {
		shelf_keep(f);
		t->out.file = f;
		err = shelf_open(f, &s->key, &t->out.reader);
	}
	pthread_mutex_unlock(&s->lock);
	if (err == TACIT_OK && t->out.file != NULL)
		err = announce(t);
	return err;
}

static enum tacit_err send_some(struct traffic *t)
{
	enum tacit_err err;
	size_t n;
	struct outgoing *o = &t->out;
	if (o->offset == o->file->size) {
		o->ended = true;
		return say(t, FRAME_END, &(struct frame){.size = 0});
	}
	TRY(shelf_read(o->reader, o->offset, (struct tacit_room){t->plain, sizeof(t->plain)}, &n));
	TRY(say_bytes(t, FRAME_DATA, tacit_bytes(t->plain, n)));
	o->offset += n;
out:
	return err;
}

static bool may_send(const struct traffic *t)
{
	const struct outgoing *o = &t->out;
	return o->file != NULL && o->asked && !o->ended &&
	       o->offset - o->acknowledged < TRAFFIC_WINDOW;
}

/* The first asks where to begin; the others tell what has come. */
static enum tacit_err take_at(struct traffic *t, uint64_t offset)
{
	struct outgoing *o = &t->out;
	if (o->file == NULL || offset > o->file->size)
		return TACIT_E_MALFORMED;
	if (o->asked && (offset < o->acknowledged || offset > o->offset))
		return TACIT_E_MALFORMED;
	if (!o->asked)
		o->offset = offset;
	o->asked = true;
	o->acknowledged = offset;
	return TACIT_OK;
}

static enum tacit_err take_verdict(struct traffic *t, const struct frame *f, bool have)
{
	uint8_t id[FRAME_ID_BYTES];
	if (t->out.file == NULL || id_of(t->out.file, id) != TACIT_OK ||
	        !tacit_bytes_eq(tacit_bytes(id, sizeof(id)), tacit_bytes(f->id, sizeof(f->id))))
		return TACIT_E_MALFORMED;
	pthread_mutex_lock(&t->session->lock);
	t->out.file->delivered = have;
	t->out.file->refused = !have;
	pthread_cond_broadcast(&t->session->changed);
	pthread_mutex_unlock(&t->session->lock);
	end_outgoing(t);
	return TACIT_OK;
}

/* --- receiving ------------------------------------------------------------------------------- */

static bool is_known(struct session *s, const uint8_t id[FRAME_ID_BYTES])
{
	char hex[2 * FRAME_ID_BYTES + 1];
	tacit_hex(tacit_bytes(id, FRAME_ID_BYTES), hex);
	pthread_mutex_lock(&s->lock);
	bool known = session_find_file(s, hex) != NULL;
	pthread_mutex_unlock(&s->lock);
	return known;
}

static bool is_same(const struct incoming *in, const struct frame *f)
{
	return in->writer != NULL && in->size == f->size &&
	       tacit_bytes_eq(
	               tacit_bytes(in->id, sizeof(in->id)), tacit_bytes(f->id, sizeof(f->id))) &&
	       tacit_bytes_eq(tacit_bytes(in->sha256, sizeof(in->sha256)),
	               tacit_bytes(f->sha256, sizeof(f->sha256)));
}

static enum tacit_err open_incoming(struct traffic *t, const struct frame *f)
{
	enum tacit_err err;
	struct session *s = t->session;
	struct incoming *in = &t->in;
	end_incoming(t);
	memcpy(in->id, f->id, sizeof(in->id));
	memcpy(in->sha256, f->sha256, sizeof(in->sha256));
	in->size = f->size;
	tacit_file_name_safe(f->name, in->name);
	if (f->content_type.n > 0)
		memcpy(in->type, f->content_type.p, f->content_type.n);
	pthread_mutex_lock(&s->lock);
	err = session_is_open(s) ? shelf_begin((const char *)s->agent->settings.upload_folder.p,
	                                   &s->key, &s->agent->env, &in->writer)
	                         : TACIT_E_GONE;
	pthread_mutex_unlock(&s->lock);
	return err;
}

static enum tacit_err take_file(struct traffic *t, const struct frame *f)
{
	enum tacit_err err;
	struct session *s = t->session;
	if (is_known(s, f->id))
		return say_id(t, FRAME_HAVE, f->id);
	pthread_mutex_lock(&s->lock);
	bool full = s->file_count >= SESSION_MAX_FILES;
	pthread_mutex_unlock(&s->lock);
	if (full || f->size > s->agent->settings.max_file_size)
		return say_id(t, FRAME_REFUSE, f->id);
	if (!is_same(&t->in, f))
		TRY(open_incoming(t, f));
	TRY(say(t, FRAME_AT, &(struct frame){.offset = shelf_written(t->in.writer)}));
out:
	return err;
}

static enum tacit_err take_data(struct traffic *t, struct tacit_bytes data)
{
	enum tacit_err err;
	struct incoming *in = &t->in;
	TRY(in->writer != NULL && data.n > 0 && data.n <= in->size - shelf_written(in->writer)
	                ? TACIT_OK
	                : TACIT_E_MALFORMED);
	TRY(shelf_put(in->writer, data));
	pthread_mutex_lock(&t->session->lock);
	session_touch(t->session);
	pthread_mutex_unlock(&t->session->lock);
	TRY(say(t, FRAME_AT, &(struct frame){.offset = shelf_written(in->writer)}));
out:
	return err;
}

static void name_file(struct shelf_file *f, const struct incoming *in)
{
	memcpy(f->name, in->name, sizeof(f->name));
	memcpy(f->type, in->type, sizeof(f->type));
	tacit_hex(tacit_bytes(in->id, sizeof(in->id)), f->id);
}

static enum tacit_err take_end(struct traffic *t)
{
	enum tacit_err err;
	struct incoming *in = &t->in;
	struct shelf_file *f = NULL;
	uint8_t id[FRAME_ID_BYTES];
	memcpy(id, in->id, sizeof(id));
	TRY(in->writer != NULL && shelf_written(in->writer) == in->size ? TACIT_OK
	                                                                : TACIT_E_MALFORMED);
	struct shelf_writer *w = in->writer;
	in->writer = NULL;
	TRY(shelf_finish(w, &f));
	bool same = tacit_bytes_eq(tacit_bytes(f->sha256, sizeof(f->sha256)),
	        tacit_bytes(in->sha256, sizeof(in->sha256)));
	name_file(f, in);
	if (!same) {
		shelf_drop(f);
		TRY(say_id(t, FRAME_REFUSE, id));
		goto out;
	}
	pthread_mutex_lock(&t->session->lock);
	err = session_add_file(t->session, f);
	pthread_mutex_unlock(&t->session->lock);
	TRY(err);
	TRY(say_id(t, FRAME_HAVE, id));
out:
	end_incoming(t);
	return err;
}

static void take_bye(struct traffic *t)
{
	t->closed = true;
	pthread_mutex_lock(&t->session->lock);
	session_end(t->session, SESSION_CLOSED);
	pthread_mutex_unlock(&t->session->lock);
}

static enum tacit_err take_frame(struct traffic *t, uint8_t type, struct tacit_bytes body)
{
	enum tacit_err err;
	struct frame f;
	TRY(frame_read(type, body, &f));
	switch ((enum frame_type)type) {
	case FRAME_FILE:
		return take_file(t, &f);
	case FRAME_DATA:
		return take_data(t, f.data);
	case FRAME_END:
		return take_end(t);
	case FRAME_AT:
		return take_at(t, f.offset);
	case FRAME_HAVE:
		return take_verdict(t, &f, true);
	case FRAME_REFUSE:
		return take_verdict(t, &f, false);
	case FRAME_BYE:
		take_bye(t);
		break;
	}
out:
	return err;
}

/* --- the link -------------------------------------------------------------------------------- */

static enum tacit_err take_message(struct traffic *t, struct tacit_bytes message)
{
	enum tacit_err err;
	uint8_t type;
	struct tacit_bytes body;
	TRY(message.n <= sizeof(t->opened) ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_channel_open(t->channel, message, t->opened, &type, &body));
	TRY(take_frame(t, type, body));
	pthread_mutex_lock(&t->session->lock);
	t->session->moved += message.n;
	pthread_mutex_unlock(&t->session->lock);
out:
	return err;
}

static enum tacit_err turn(struct traffic *t)
{
	enum tacit_err err;
	struct tacit_bytes message;
	bool got;
	if (t->out.file == NULL)
		TRY(choose(t));
	if (may_send(t))
		TRY(send_some(t));
	TRY(link_line_next(t->line, may_send(t) ? 0 : IDLE_MS, &message, &got));
	if (got)
		TRY(take_message(t, message));
out:
	return err;
}

enum tacit_err traffic_run(
        struct session *s, struct traffic *t, struct link_line *l, struct tacit_channel *c)
{
	enum tacit_err err = TACIT_OK;
	t->line = l;
	t->channel = c;
	while (err == TACIT_OK && !t->closed && s->stop == 0)
		err = turn(t);
	if (s->stop != 0 && !t->closed && c->state == TACIT_CHANNEL_OPEN)
		tacit_ignore(
		        say(t, FRAME_BYE, &(struct frame){.size = 0}), "its time will be up, too");
	end_outgoing(t); /* announced again on the next link, and gone on with */
	return err;
}
