#include "client/talk.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "client/upgrade.h"
#include "crypto/secret.h"
#include "wire/eio.h"
#include "wire/sio.h"
#include "wire/ws.h"

#define MAX_EVENT_NAME 64
#define PATH "/socket.io/?EIO=4&transport=websocket"

enum phase { UPGRADING, OPENING, CONNECTING, OPEN, ENDED };

struct talk {
	const struct tacit_env *env;
	enum phase phase;
	enum tacit_err problem;
	struct upgrade upgrade;
	struct tacit_ws_reader reader;
	struct tacit_buf out; /* the cookie is in it at first: wiped when it has left */
	size_t sent;
	int64_t due, silence_ms;
	struct talk_event *events, **events_end;
	size_t waiting, waiting_bytes;
	bool behind; /* the last of them says so */
};

static void end(struct talk *t, enum tacit_err why)
{
	if (t->phase == ENDED)
		return;
	t->phase = ENDED;
	t->problem = why;
}

/* --- out ------------------------------------------------------------------------------------- */

static enum tacit_err send_frame(struct talk *t, enum tacit_ws_opcode op, struct tacit_bytes data)
{
	uint8_t mask[TACIT_WS_MASK_BYTES];
	if (t->out.n - t->sent > TALK_MAX_UNSENT) /* it asks, and does not read the answers */
		return TACIT_E_NETWORK;
	tacit_env_random(t->env, mask, sizeof(mask));
	return tacit_ws_write(&t->out, op, data, mask);
}

static enum tacit_err send_packet(struct talk *t, enum tacit_eio_type type, struct tacit_bytes data)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	TRY(tacit_eio_write(&text, type, data));
	TRY(send_frame(t, TACIT_WS_TEXT, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err send_sio(struct talk *t, enum tacit_sio_type type, struct tacit_bytes data)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	const struct tacit_sio_packet packet = {
	        .type = type, .path = TACIT_STR("/"), .ack = -1, .data = data};
	TRY(tacit_sio_write(&text, &packet));
	TRY(send_packet(t, TACIT_EIO_MESSAGE, tacit_buf_view(&text)));
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err talk_say(struct talk *t, const char *name, struct tacit_bytes body)
{
	enum tacit_err err;
	struct tacit_buf data = {0};
	if (t->phase != OPEN)
		return TACIT_OK;
	TRY(tacit_buf_printf(&data, "[\"%s\",", name));
	TRY(tacit_buf_append(&data, body));
	TRY(tacit_buf_append(&data, TACIT_STR("]")));
	TRY(send_sio(t, TACIT_SIO_EVENT, tacit_buf_view(&data)));
out:
	tacit_buf_clear(&data);
	return err;
}

void talk_bye(struct talk *t)
{
	uint8_t mask[TACIT_WS_MASK_BYTES];
	if (t->phase == ENDED || t->phase == UPGRADING)
		return;
	tacit_env_random(t->env, mask, sizeof(mask));
	tacit_ignore(tacit_ws_write_close(&t->out, TACIT_WS_NORMAL, mask),
	        "the server sees the connection end, too");
	end(t, TACIT_E_CANCELLED);
}

struct tacit_bytes talk_output(const struct talk *t)
{
	return tacit_bytes(t->out.n > t->sent ? t->out.p + t->sent : NULL, t->out.n - t->sent);
}

void talk_sent(struct talk *t, size_t n)
{
	t->sent += n;
	if (t->sent < t->out.n)
		return;
	tacit_buf_clear(&t->out);
	t->sent = 0;
}

/* --- beginning ------------------------------------------------------------------------------- */

enum tacit_err talk_begin(const struct talk_options *o, struct talk **out)
{
	*out = NULL;
	struct talk *t = tacit_calloc(1, sizeof(*t));
	if (t == NULL)
		return TACIT_E_NOMEM;
	t->env = o->env;
	t->events_end = &t->events;
	t->due = o->now + TALK_HANDSHAKE_MS;
	t->reader =
	        (struct tacit_ws_reader){.role = TACIT_WS_CLIENT, .max_message = TALK_MAX_MESSAGE};
	const struct upgrade_request r = {o->env, o->server, PATH, o->cookie};
	enum tacit_err err = upgrade_begin(&t->upgrade, &r, &t->out);
	if (err == TACIT_OK)
		*out = t;
	else
		talk_free(t);
	return err;
}

void talk_free(struct talk *t)
{
	if (t == NULL)
		return;
	for (struct talk_event *ev = talk_next(t); ev != NULL; ev = talk_next(t))
		talk_event_free(ev);
	upgrade_clear(&t->upgrade);
	tacit_buf_clear(&t->out);
	tacit_ws_reader_clear(&t->reader);
	tacit_free(t);
}

enum talk_state talk_state(const struct talk *t)
{
	return t->phase == ENDED ? TALK_ENDED : t->phase == OPEN ? TALK_OPEN : TALK_GREETING;
}

enum tacit_err talk_problem(const struct talk *t)
{
	return t->problem;
}

/* --- the answer to the upgrade --------------------------------------------------------------- */

static void take_head(struct talk *t, struct tacit_bytes *in)
{
	bool done = false;
	if (t->phase != UPGRADING)
		return;
	enum tacit_err err = upgrade_take(&t->upgrade, in, &done);
	if (err != TACIT_OK)
		end(t, err);
	else if (done)
		t->phase = OPENING;
}

/* --- events ---------------------------------------------------------------------------------- */

struct talk_event *talk_next(struct talk *t)
{
	struct talk_event *ev = t->events;
	if (ev == NULL)
		return NULL;
	t->events = ev->next;
	if (t->events == NULL) {
		t->events_end = &t->events;
		t->behind = false;
	}
	t->waiting--;
	t->waiting_bytes -= ev->body.n;
	ev->next = NULL;
	return ev;
}

void talk_event_free(struct talk_event *ev)
{
	if (ev == NULL)
		return;
	tacit_buf_clear(&ev->name);
	tacit_buf_clear(&ev->body);
	tacit_free(ev);
}

static enum tacit_err queue_event(struct talk *t, struct tacit_bytes name, const json_t *body)
{
	enum tacit_err err;
	struct talk_event *ev = tacit_calloc(1, sizeof(*ev));
	if (ev == NULL)
		return TACIT_E_NOMEM;
	TRY(tacit_buf_append(&ev->name, name));
	if (body != NULL)
		TRY(tacit_json_write(body, &ev->body));
	else
		TRY(tacit_buf_append(&ev->body, TACIT_STR("null")));
	*t->events_end = ev;
	t->events_end = &ev->next;
	t->waiting++;
	t->waiting_bytes += ev->body.n;
	ev = NULL;
out:
	talk_event_free(ev);
	return err;
}

static enum tacit_err take_event(struct talk *t, const struct tacit_sio_packet *packet)
{
	enum tacit_err err;
	json_t *args = NULL, *nothing = NULL;
	if (t->behind)
		return TACIT_OK;
	if (t->waiting >= TALK_MAX_WAITING || t->waiting_bytes >= TALK_MAX_WAITING_BYTES) {
		t->behind = true;
		nothing = json_object();
		err = nothing == NULL ? TACIT_E_NOMEM
		                      : queue_event(t, TACIT_STR("fell_behind"), nothing);
		goto out;
	}
	TRY(tacit_sio_data(packet, &args));
	const json_t *name = json_array_get(args, 0);
	if (json_is_string(name) && json_string_length(name) <= MAX_EVENT_NAME)
		TRY(queue_event(t, tacit_bytes(json_string_value(name), json_string_length(name)),
		        json_array_get(args, 1)));
out:
	json_decref(args);
	json_decref(nothing);
	return err;
}

/* --- packets --------------------------------------------------------------------------------- */

/* {"message","data":{"code"}} */
static enum tacit_err refused(const struct tacit_sio_packet *packet)
{
	json_t *body = NULL;
	struct tacit_bytes code = {0};
	enum tacit_err why = TACIT_E_NOT_LOGGED_IN;
	if (tacit_sio_data(packet, &body) == TACIT_OK &&
	        tacit_json_text(json_object_get(body, "data"), "code", TACIT_OPTIONAL, 64, &code) ==
	                TACIT_OK &&
	        (tacit_bytes_eq(code, TACIT_STR("RATE_LIMITED")) ||
	                tacit_bytes_eq(code, TACIT_STR("TOO_MANY_REQUESTS")) ||
	                tacit_bytes_eq(code, TACIT_STR("UNAVAILABLE")) ||
	                tacit_bytes_eq(code, TACIT_STR("INTERNAL"))))
		why = TACIT_E_LIMIT;
	json_decref(body);
	return why;
}

static enum tacit_err take_message(struct talk *t, struct tacit_bytes data)
{
	enum tacit_err err;
	struct tacit_sio_packet packet;
	TRY(tacit_sio_parse(data, &packet));
	if (!tacit_bytes_eq(packet.path, TACIT_STR("/")))
		goto out;
	switch (packet.type) {
	case TACIT_SIO_CONNECT:
		if (t->phase == CONNECTING)
			t->phase = OPEN;
		break;
	case TACIT_SIO_CONNECT_ERROR:
		end(t, refused(&packet));
		break;
	case TACIT_SIO_DISCONNECT:
		end(t, TACIT_E_NETWORK);
		break;
	case TACIT_SIO_EVENT:
		if (t->phase == OPEN)
			TRY(take_event(t, &packet));
		break;
	default: /* no acknowledgement was asked for, and no event of ours is binary */
		break;
	}
out:
	return err;
}

static enum tacit_err take_open(struct talk *t, struct tacit_bytes data)
{
	enum tacit_err err = TACIT_E_MALFORMED;
	struct tacit_eio_open open;
	if (t->phase != OPENING)
		return err;
	TRY(tacit_eio_open_read(data, &open));
	t->silence_ms = (int64_t)open.ping_interval_ms + open.ping_timeout_ms;
	t->phase = CONNECTING;
	TRY(send_sio(t, TACIT_SIO_CONNECT, tacit_bytes(NULL, 0)));
out:
	return err;
}

static enum tacit_err take_packet(struct talk *t, struct tacit_bytes text)
{
	enum tacit_err err;
	struct tacit_eio_packet packet;
	TRY(tacit_eio_parse(text, &packet));
	switch (packet.type) {
	case TACIT_EIO_OPEN:
		TRY(take_open(t, packet.data));
		break;
	case TACIT_EIO_PING:
		TRY(send_packet(t, TACIT_EIO_PONG, packet.data));
		break;
	case TACIT_EIO_MESSAGE:
		if (t->phase < CONNECTING)
			TRY(TACIT_E_MALFORMED);
		TRY(take_message(t, packet.data));
		break;
	case TACIT_EIO_CLOSE:
		end(t, TACIT_E_NETWORK);
		break;
	default:
		break;
	}
out:
	return err;
}

static enum tacit_err take_frame(struct talk *t, const struct tacit_ws_message *m)
{
	switch (m->opcode) {
	case TACIT_WS_TEXT:
		return take_packet(t, m->data);
	case TACIT_WS_PING:
		return send_frame(t, TACIT_WS_PONG, m->data);
	case TACIT_WS_CLOSE:
		end(t, m->close_code == TACIT_WS_TRY_LATER ? TACIT_E_LIMIT : TACIT_E_NETWORK);
		return TACIT_OK;
	default:
		return TACIT_OK;
	}
}

void talk_input(struct talk *t, struct tacit_bytes in, int64_t now)
{
	enum tacit_err err = TACIT_OK;
	take_head(t, &in);
	while (in.n > 0 && t->phase != ENDED && err == TACIT_OK) {
		struct tacit_ws_message m;
		bool whole = false;
		err = tacit_ws_next(&t->reader, &in, &m, &whole);
		if (err == TACIT_OK && whole)
			err = take_frame(t, &m);
	}
	if (t->silence_ms > 0)
		t->due = now + t->silence_ms;
	if (err != TACIT_OK)
		end(t, err);
	tacit_ws_reader_rest(&t->reader);
}

void talk_hung_up(struct talk *t)
{
	end(t, t->phase == UPGRADING ? TACIT_E_UNSUPPORTED : TACIT_E_NETWORK);
}

void talk_clock(struct talk *t, int64_t now)
{
	if (now >= t->due)
		end(t, TACIT_E_NETWORK);
}

int64_t talk_due(const struct talk *t)
{
	return t->due;
}
