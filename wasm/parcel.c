#include "wasm/parcel.h"

#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "e2e/parcel/parcel.h"
#include "wasm/room.h"
#include "wire/relay.h"

struct tacit_wasm_parcel {
	struct tacit_parcel *parcel;
	enum tacit_parcel_role role;
	enum tacit_parcel_place place;
	struct tacit_parcel_code code;
	bool paired, rooted;
	struct tacit_buf out; /* messages for the relay, each with its length (u32) before it */
	uint32_t count;
};

/* --- messages -------------------------------------------------------------------------------- */

static enum tacit_err say(struct tacit_wasm_parcel *p, const struct tacit_relay_message *m)
{
	enum tacit_err err;
	size_t at = p->out.n;
	struct tacit_writer w = tacit_writer(&p->out);
	tacit_write_u32(&w, 0);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_relay_write(&p->out, m));
	size_t n = p->out.n - at - 4;
	for (size_t i = 0; i < 4; i++)
		p->out.p[at + i] = (uint8_t)(n >> (24 - 8 * i));
	p->count++;
out:
	return err;
}

static enum tacit_err on_send(void *ctx, struct tacit_bytes message)
{
	const struct tacit_relay_message m = {.type = TACIT_RELAY_DATA, .data = message};
	return say(ctx, &m);
}

/* The answer so far: what is to be sent, and the event. */
static struct tacit_writer tell(struct tacit_wasm_parcel *p, unsigned event)
{
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_write_u32(&w, p->count);
	tacit_write_raw(&w, tacit_buf_view(&p->out));
	tacit_write_u8(&w, (uint8_t)event);
	tacit_buf_clear(&p->out);
	p->count = 0;
	return w;
}

static void write_text(struct tacit_writer *w, const char *text)
{
	tacit_write_vec32(w, tacit_cstr(text));
}

/* After a call that has only something to send. */
static enum tacit_err tell_nothing(struct tacit_wasm_parcel *p, enum tacit_err err)
{
	if (err != TACIT_OK)
		return err;
	struct tacit_writer w = tell(p, TACIT_PARCEL_NOTHING);
	return tacit_writer_finish(&w);
}

/* --- life ------------------------------------------------------------------------------------ */

enum tacit_err tacit_wasm_parcel_new(unsigned role)
{
	enum tacit_err err;
	struct tacit_wasm_parcel *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	p->role = role == 0 ? TACIT_PARCEL_SENDER : TACIT_PARCEL_RECEIVER;
	p->place = TACIT_PARCEL_OPENER;
	const struct tacit_parcel_options o = {
	        .role = p->role, .env = tacit_wasm_env(), .send = on_send, .ctx = p};
	TRY(tacit_parcel_new(&o, &p->parcel));
	TRY(tacit_wasm_give_handle(p));
	p = NULL;
out:
	tacit_wasm_parcel_free(p);
	return err;
}

void tacit_wasm_parcel_free(struct tacit_wasm_parcel *p)
{
	if (p == NULL)
		return;
	tacit_parcel_free(p->parcel);
	tacit_buf_clear(&p->out);
	tacit_wipe(p, sizeof(*p));
	tacit_free(p);
}

enum tacit_err tacit_wasm_parcel_join(struct tacit_wasm_parcel *p, const uint8_t *code, size_t n)
{
	p->place = TACIT_PARCEL_JOINER;
	return tacit_parcel_code_parse(tacit_bytes(code, n), &p->code);
}

static void resume_id(const struct tacit_wasm_parcel *p, uint8_t id[TACIT_PARCEL_RESUME_BYTES])
{
	tacit_channel_resume_id(tacit_parcel_root(p->parcel), id);
}

enum tacit_err tacit_wasm_parcel_query(struct tacit_wasm_parcel *p)
{
	uint8_t id[TACIT_PARCEL_RESUME_BYTES];
	char hex[2 * TACIT_PARCEL_RESUME_BYTES + 1];
	struct tacit_buf *out = tacit_wasm_begin();
	p->paired = false;
	if (p->rooted) {
		resume_id(p, id);
		tacit_hex(tacit_bytes(id, sizeof(id)), hex);
		return tacit_buf_printf(out, "resume=%s&role=%s", hex,
		        p->role == TACIT_PARCEL_SENDER ? "sender" : "receiver");
	}
	if (p->place == TACIT_PARCEL_JOINER)
		return tacit_buf_printf(out, "claim=%lu", (unsigned long)p->code.nameplate);
	return tacit_buf_append(out, tacit_cstr("open=1"));
}

/* --- the relay's messages (client/parcel_run.c is the same for programs) ---------------------- */

static enum tacit_err take_nameplate(struct tacit_wasm_parcel *p, uint32_t nameplate)
{
	char text[TACIT_PARCEL_CODE_ROOM];
	if (p->rooted || p->place != TACIT_PARCEL_OPENER || p->code.nameplate != 0 ||
	        nameplate == 0 || nameplate > TACIT_PARCEL_MAX_NAMEPLATE)
		return TACIT_E_MALFORMED;
	tacit_parcel_code_make(TACIT_PARCEL_CODE_WORDS, nameplate, tacit_wasm_env(), &p->code);
	tacit_parcel_code_text(&p->code, text);
	struct tacit_writer w = tell(p, TACIT_WASM_CODE);
	write_text(&w, text);
	tacit_wipe(text, sizeof(text));
	return tacit_writer_finish(&w);
}

static enum tacit_err take_paired(struct tacit_wasm_parcel *p)
{
	enum tacit_err err;
	if (p->paired || (!p->rooted && p->code.nameplate == 0))
		return TACIT_E_MALFORMED;
	p->paired = true;
	TRY(p->rooted ? tacit_parcel_rejoin(p->parcel, tacit_parcel_root(p->parcel))
	              : tacit_parcel_meet(p->parcel, &p->code, p->place));
	struct tacit_writer w = tell(p, TACIT_WASM_PAIRED);
	TRY(tacit_writer_finish(&w));
out:
	return err;
}

/* The relay learns what this will be resumed under; the other end, that there is only the relay. */
static enum tacit_err become_rooted(struct tacit_wasm_parcel *p)
{
	enum tacit_err err;
	uint8_t id[TACIT_PARCEL_RESUME_BYTES];
	const struct tacit_parcel_ways none = {0};
	if (!p->rooted) {
		resume_id(p, id);
		const struct tacit_relay_message m = {.type = TACIT_RELAY_KNOWN_AS,
		        .role = (uint8_t)p->role,
		        .data = tacit_bytes(id, sizeof(id))};
		TRY(say(p, &m));
	}
	p->rooted = true;
	TRY(tacit_parcel_ways(p->parcel, &none));
	if (p->role == TACIT_PARCEL_SENDER)
		TRY(tacit_parcel_stay(p->parcel));
out:
	return err;
}

void tacit_wasm_write_offer(struct tacit_writer *w, const struct tacit_parcel_offer *o)
{
	tacit_write_u8(w, (uint8_t)o->kind);
	tacit_write_u64(w, o->total);
	tacit_write_u32(w, (uint32_t)o->count);
	for (size_t i = 0; i < o->count; i++) {
		tacit_write_u8(w, o->entries[i].folder);
		tacit_write_u64(w, o->entries[i].size);
		tacit_write_u64(w, (uint64_t)o->entries[i].modified);
		write_text(w, o->entries[i].path);
	}
}

static enum tacit_err tell_event(
        struct tacit_wasm_parcel *p, const struct tacit_parcel_event *event)
{
	struct tacit_writer w = tell(p, event->kind);
	switch (event->kind) {
	case TACIT_PARCEL_OFFERED:
		tacit_wasm_write_offer(&w, event->offer);
		break;
	case TACIT_PARCEL_ANSWERED:
	case TACIT_PARCEL_STARTED:
	case TACIT_PARCEL_STOPPED:
		tacit_write_u64(&w, event->offset);
		break;
	case TACIT_PARCEL_DATA:
		tacit_write_u64(&w, event->offset);
		tacit_write_vec32(&w, event->bytes);
		break;
	default:
		break;
	}
	return tacit_writer_finish(&w);
}

static enum tacit_err take_data(struct tacit_wasm_parcel *p, struct tacit_bytes data)
{
	struct tacit_parcel_event event;
	const struct tacit_relay_message wrong = {.type = TACIT_RELAY_WRONG};
	if (!p->paired)
		return TACIT_E_MALFORMED;
	enum tacit_err err = tacit_parcel_input(p->parcel, data, &event);
	if (err == TACIT_E_BAD_PASSWORD) {
		TRY(say(p, &wrong));
		struct tacit_writer w = tell(p, TACIT_WASM_WRONG);
		return tacit_writer_finish(&w);
	}
	TRY(err);
	if (event.kind == TACIT_PARCEL_OPEN)
		TRY(become_rooted(p));
	TRY(tell_event(p, &event));
out:
	return err;
}

enum tacit_err tacit_wasm_parcel_take(struct tacit_wasm_parcel *p, const uint8_t *message, size_t n)
{
	enum tacit_err err;
	struct tacit_relay_message m;
	TRY(tacit_relay_read(tacit_bytes(message, n), &m));
	switch (m.type) {
	case TACIT_RELAY_DATA:
		return take_data(p, m.data);
	case TACIT_RELAY_NAMEPLATE:
		return take_nameplate(p, m.nameplate);
	case TACIT_RELAY_PAIRED:
		return take_paired(p);
	case TACIT_RELAY_ENDED: {
		struct tacit_writer w = tell(p, TACIT_WASM_ENDED);
		tacit_write_u8(&w, (uint8_t)m.end);
		return tacit_writer_finish(&w);
	}
	default:
		err = TACIT_E_MALFORMED;
	}
out:
	return err;
}

/* --- the steps ------------------------------------------------------------------------------- */

enum tacit_err tacit_wasm_parcel_offer(struct tacit_wasm_parcel *p, const uint8_t *offer, size_t n)
{
	return tell_nothing(p, tacit_parcel_offer(p->parcel, tacit_bytes(offer, n)));
}

enum tacit_err tacit_wasm_parcel_kept(struct tacit_wasm_parcel *p, const uint8_t *bytes, size_t n)
{
	return tell_nothing(p, tacit_parcel_kept(p->parcel, tacit_bytes(bytes, n)));
}

enum tacit_err tacit_wasm_parcel_begin(struct tacit_wasm_parcel *p)
{
	enum tacit_err err;
	uint64_t offset;
	TRY(tacit_parcel_begin(p->parcel, &offset));
	struct tacit_writer w = tell(p, TACIT_WASM_BEGUN);
	tacit_write_u64(&w, offset);
	TRY(tacit_writer_finish(&w));
out:
	return err;
}

enum tacit_err tacit_wasm_parcel_data(struct tacit_wasm_parcel *p, const uint8_t *bytes, size_t n)
{
	return tell_nothing(p, tacit_parcel_data(p->parcel, tacit_bytes(bytes, n)));
}

enum tacit_err tacit_wasm_parcel_end(struct tacit_wasm_parcel *p)
{
	return tell_nothing(p, tacit_parcel_end(p->parcel));
}

enum tacit_err tacit_wasm_parcel_answer(struct tacit_wasm_parcel *p)
{
	return tell_nothing(p, tacit_parcel_answer(p->parcel));
}

enum tacit_err tacit_wasm_parcel_decline(struct tacit_wasm_parcel *p)
{
	return tell_nothing(p, tacit_parcel_decline(p->parcel));
}

enum tacit_err tacit_wasm_parcel_receipt(struct tacit_wasm_parcel *p)
{
	return tell_nothing(p, tacit_parcel_receipt(p->parcel));
}

enum tacit_err tacit_wasm_parcel_stop(struct tacit_wasm_parcel *p, unsigned why)
{
	tacit_parcel_stop_since(p->parcel, (enum tacit_parcel_why)why);
	return tell_nothing(p, TACIT_OK);
}

enum tacit_err tacit_wasm_offer_check(const uint8_t *offer, size_t n)
{
	struct tacit_parcel_offer decoded;
	enum tacit_err err = tacit_parcel_offer_decode(tacit_bytes(offer, n), &decoded);
	tacit_parcel_offer_clear(&decoded);
	(void)tacit_wasm_begin();
	return err;
}

/* --- codes ----------------------------------------------------------------------------------- */

static void write_completion(void *ctx, const char *code)
{
	write_text(ctx, code);
}

static void count_completion(void *ctx, const char *code)
{
	(void)ctx;
	(void)code;
}

enum tacit_err tacit_wasm_code_complete(const uint8_t *typed, size_t n)
{
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	size_t count = tacit_parcel_code_complete(tacit_bytes(typed, n), count_completion, NULL);
	tacit_write_u32(&w, (uint32_t)count);
	tacit_parcel_code_complete(tacit_bytes(typed, n), write_completion, &w);
	return tacit_writer_finish(&w);
}
