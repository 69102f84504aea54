#include "server/api/message_form.h"

#include "server/api/base64.h"
#include "wire/limits.h"

/* extra, when it is not empty: flags, then the present ones of iv and message_hash, each with two
 * bytes of length before it, most significant first. */
enum { IS_TEXT = 1, HAS_IV = 2, HAS_HASH = 4 };

static enum tacit_err put_field(struct tacit_bytes field, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	if (field.p == NULL)
		return TACIT_OK;
	const uint8_t length[2] = {(uint8_t)(field.n >> 8), (uint8_t)field.n};
	TRY(tacit_buf_append(out, tacit_bytes(length, sizeof(length))));
	TRY(tacit_buf_append(out, field));
out:
	return err;
}

static enum tacit_err pack_content(
        struct tacit_bytes text, struct tacit_buf *content, uint8_t *flags)
{
	size_t start = content->n;
	enum tacit_err err = TACIT_E_MALFORMED;
	if (text.n > 0 && text.n % 4 == 0)
		err = api_base64_read(text, content);
	if (err == TACIT_E_MALFORMED) {
		*flags |= IS_TEXT;
		err = tacit_buf_append(content, text);
	}
	if (err == TACIT_OK && content->n - start > TACIT_MAX_ENVELOPE)
		err = TACIT_E_TOO_LARGE;
	return err;
}

enum tacit_err api_message_pack(
        const struct api_message_form *form, struct tacit_buf *content, struct tacit_buf *extra)
{
	enum tacit_err err = TACIT_E_TOO_LARGE;
	uint8_t flags = 0;
	if (form->iv.n > API_MAX_IV || form->message_hash.n > API_MAX_IV)
		return err;
	if (form->encrypted_content.p != NULL)
		TRY(pack_content(form->encrypted_content, content, &flags));
	flags |= form->iv.p != NULL ? HAS_IV : 0;
	flags |= form->message_hash.p != NULL ? HAS_HASH : 0;
	if (flags == 0)
		return TACIT_OK;
	TRY(tacit_buf_append(extra, tacit_bytes(&flags, 1)));
	TRY(put_field(form->iv, extra));
	TRY(put_field(form->message_hash, extra));
out:
	return err;
}

static enum tacit_err take_field(struct tacit_bytes *rest, struct tacit_bytes *out)
{
	if (rest->n < 2)
		return TACIT_E_STORE_CORRUPT;
	size_t n = (size_t)rest->p[0] << 8 | rest->p[1];
	if (rest->n - 2 < n)
		return TACIT_E_STORE_CORRUPT;
	*out = tacit_bytes(rest->p + 2, n);
	*rest = tacit_bytes(rest->p + 2 + n, rest->n - 2 - n);
	return TACIT_OK;
}

enum tacit_err api_message_unpack(struct tacit_bytes extra, struct api_message_extra *out)
{
	enum tacit_err err = TACIT_OK;
	*out = (struct api_message_extra){0};
	if (extra.n == 0)
		return TACIT_OK;
	uint8_t flags = extra.p[0];
	struct tacit_bytes rest = tacit_bytes(extra.p + 1, extra.n - 1);
	if (flags & HAS_IV)
		TRY(take_field(&rest, &out->iv));
	if (flags & HAS_HASH)
		TRY(take_field(&rest, &out->message_hash));
	out->text = (flags & IS_TEXT) != 0;
	if (rest.n > 0 || (flags & ~(IS_TEXT | HAS_IV | HAS_HASH)) != 0)
		err = TACIT_E_STORE_CORRUPT;
out:
	return err;
}

static void text_or_null(struct api_json *w, const char *name, struct tacit_bytes text)
{
	if (text.p != NULL)
		api_json_text(w, name, text);
	else
		api_json_null(w, name);
}

static void the_rest(
        struct api_json *w, const struct store_message *m, const struct api_message_extra *x)
{
	text_or_null(w, "iv", x->iv);
	text_or_null(w, "message_hash", x->message_hash);
	if (m->client_id.n > 0)
		api_json_text(w, "client_id", m->client_id);
	else
		api_json_null(w, "client_id");
	api_json_time(w, "created_at", m->created_at);
	api_json_time_or_null(w, "expires_at", m->expires_at);
	if (m->begins_epoch > 0)
		api_json_integer(w, "epoch", m->begins_epoch - 1);
}

void api_message_live_members(struct api_json *w, const struct store_message *m)
{
	struct api_message_extra x;
	api_json_fail(w, api_message_unpack(m->extra, &x));
	api_json_integer(w, "id", m->id);
	api_json_integer(w, "room_id", m->conversation_id);
	api_json_integer(w, "user_id", m->user_id);
	api_json_text(w, "username", tacit_cstr(m->username));
	if (x.text)
		api_json_text(w, "encrypted_content", m->content);
	else
		api_json_base64(w, "encrypted_content", m->content);
	the_rest(w, m, &x);
}

void api_message_live(struct api_json *w, const struct store_message *m)
{
	api_json_open_object(w, NULL);
	api_message_live_members(w, m);
	api_json_close_object(w);
}

void api_message_http(struct api_json *w, const struct store_message *m)
{
	struct api_message_extra x;
	api_json_fail(w, api_message_unpack(m->extra, &x));
	api_json_open_object(w, NULL);
	api_json_integer(w, "id", m->id);
	api_json_integer(w, "conversation_id", m->conversation_id);
	api_json_integer(w, "user_id", m->user_id);
	api_json_text(w, "username", tacit_cstr(m->username));
	api_json_base64(w, "content", m->content);
	if (x.text)
		api_json_text(w, "encrypted_content", m->content);
	the_rest(w, m, &x);
	api_json_close_object(w);
}
