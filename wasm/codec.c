#include "wasm/codec.h"

#include <string.h>

#include "base/alloc.h"
#include "wasm/files.h"
#include "wasm/words.h"

#define ANY SIZE_MAX /* the engine has the limits; here the input's own length is one */

static void write_word(struct tacit_writer *w, const char *word)
{
	if (word == NULL)
		tacit_writer_fail(w, TACIT_E_USAGE);
	else
		tacit_write_vec8(w, tacit_cstr(word));
}

static void write_file(struct tacit_writer *w, const struct tacit_file_ref *f)
{
	struct tacit_buf token = {0};
	enum tacit_err err = tacit_files_token(f, &token);
	if (err != TACIT_OK)
		tacit_writer_fail(w, err);
	tacit_write_vec32(w, f->id);
	tacit_write_vec32(w, f->name);
	tacit_write_vec32(w, f->type);
	tacit_write_u64(w, f->size);
	tacit_write_vec32(w, tacit_buf_view(&token));
	tacit_buf_clear(&token);
}

static void write_content(struct tacit_writer *w, const struct tacit_content *c)
{
	const char *word = tacit_word_of_content(c->kind);
	tacit_write_u8(w, word != NULL);
	if (word == NULL)
		return;
	write_word(w, word);
	tacit_write_vec32(w, c->text);
	tacit_write_u64(w, c->reply_to);
	tacit_write_u64(w, c->message);
	if (c->kind == TACIT_CONTENT_FILE)
		write_file(w, &c->file);
}

void tacit_write_notice(struct tacit_writer *w, const struct tacit_notice *n)
{
	write_word(w, tacit_word_of_notice(n->kind));
	tacit_write_u64(w, n->op);
	write_word(w, n->err == TACIT_OK ? "" : tacit_err_name(n->err));
	tacit_write_vec32(w, n->text);
	tacit_write_vec32(w, n->detail);
	tacit_write_vec32(w, n->username);
	tacit_write_u64(w, n->conversation);
	tacit_write_u64(w, n->message);
	const char *kind = tacit_word_of_conversation(n->conversation_kind);
	write_word(w, kind != NULL ? kind : "");
	tacit_write_vec32(w, n->title);
	tacit_write_vec32(w, n->members);
	tacit_write_u64(w, n->count);
	tacit_write_u64(w, n->seconds);
	tacit_write_u64(w, (uint64_t)n->time);
	tacit_write_u8(w, n->flag);
	write_content(w, &n->content);
}

static void write_id(struct tacit_writer *w, const struct tacit_record_id *id)
{
	tacit_write_raw(w, tacit_bytes(id->b, sizeof(id->b)));
}

static void write_effect(struct tacit_writer *w, const struct tacit_effect *fx)
{
	struct tacit_bytes data = tacit_buf_view(&fx->data), path = tacit_buf_view(&fx->path);
	write_word(w, tacit_word_of_effect(fx->kind));
	switch (fx->kind) {
	case TACIT_EFFECT_PERSIST:
		write_id(w, &fx->id);
		break;
	case TACIT_EFFECT_LOG:
		write_id(w, &fx->id);
		tacit_write_u64(w, fx->position);
		break;
	case TACIT_EFFECT_PURGE:
		write_id(w, &fx->id);
		tacit_write_u64(w, fx->position);
		tacit_write_u64(w, fx->until);
		return;
	case TACIT_EFFECT_RECALL:
		tacit_write_u64(w, fx->request);
		write_id(w, &fx->id);
		tacit_write_u64(w, fx->position);
		return;
	case TACIT_EFFECT_SEND:
		tacit_write_u64(w, fx->request);
		write_word(w, tacit_word_of_method(fx->method));
		tacit_write_vec32(w, path);
		break;
	case TACIT_EFFECT_DELIVER:
		tacit_write_notice(w, &fx->notice);
		return;
	case TACIT_EFFECT_LIVE:
		tacit_write_vec32(w, path);
		break;
	case TACIT_EFFECT_PROFILE:
	case TACIT_EFFECT_COOKIE:
		break;
	}
	tacit_write_vec32(w, data);
}

void tacit_write_effects(struct tacit_writer *w, const struct tacit_effects *fx)
{
	tacit_write_u32(w, (uint32_t)fx->count);
	for (size_t i = 0; i < fx->count; i++)
		write_effect(w, &fx->list[i]);
}

/* --- in ------------------------------------------------------------------------------------- */

static void read_file(struct tacit_reader *r, struct tacit_file_ref *f)
{
	f->id = tacit_read_vec32(r, ANY);
	f->name = tacit_read_vec32(r, ANY);
	f->type = tacit_read_vec32(r, ANY);
	f->size = tacit_read_u64(r);
	enum tacit_err err = tacit_files_find(tacit_read_vec32(r, ANY), f);
	if (err != TACIT_OK)
		tacit_reader_fail(r, err == TACIT_E_NOMEM ? err : TACIT_E_USAGE);
}

static void read_content(struct tacit_reader *r, struct tacit_content *c)
{
	if (!tacit_content_of_word(tacit_read_vec8(r, ANY), &c->kind))
		tacit_reader_fail(r, TACIT_E_USAGE);
	c->text = tacit_read_vec32(r, ANY);
	c->reply_to = tacit_read_u64(r);
	c->message = tacit_read_u64(r);
	if (c->kind == TACIT_CONTENT_FILE)
		read_file(r, &c->file);
}

static enum tacit_err read_users(struct tacit_reader *r, struct tacit_said *out)
{
	size_t count = tacit_read_u32(r);
	if (r->err != TACIT_OK)
		return r->err;
	if (count > TACIT_MAX_PARTICIPANTS)
		return TACIT_E_TOO_LARGE;
	out->users = tacit_calloc(count, sizeof(*out->users));
	if (out->users == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		out->users[i] = tacit_read_vec32(r, ANY);
	out->command.users = out->users;
	out->command.user_count = count;
	return TACIT_OK;
}

enum tacit_err tacit_read_command(struct tacit_bytes in, struct tacit_said *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	struct tacit_command *c = &out->command;
	*out = (struct tacit_said){0};
	if (!tacit_command_of_word(tacit_read_vec8(&r, ANY), &c->kind))
		tacit_reader_fail(&r, TACIT_E_USAGE);
	c->username = tacit_read_vec32(&r, ANY);
	c->email = tacit_read_vec32(&r, ANY);
	c->text = tacit_read_vec32(&r, ANY);
	c->password = tacit_read_vec32(&r, ANY);
	c->code = tacit_read_vec32(&r, ANY);
	c->conversation = tacit_read_u64(&r);
	c->message = tacit_read_u64(&r);
	c->seconds = tacit_read_u64(&r);
	c->flag = tacit_read_u8(&r) != 0;
	TRY(read_users(&r, out));
	if (tacit_read_u8(&r) != 0) {
		read_content(&r, &out->content);
		c->content = &out->content;
	}
	TRY(tacit_reader_end(&r));
out:
	if (err != TACIT_OK)
		tacit_said_clear(out);
	return err;
}

void tacit_said_clear(struct tacit_said *s)
{
	tacit_content_wipe(&s->content);
	tacit_free(s->users);
	*s = (struct tacit_said){0};
}
