#include "e2e/parcel/direct.h"

#include <string.h>

#include "crypto/secret.h"

enum record { RECORD_HERE = 0x40, RECORD_CHOSEN = 0x41 };

#define EMPTY_RECORD (2 + TACIT_AEAD_TAG_BYTES)

void tacit_direct_clear(struct tacit_direct *d)
{
	tacit_channel_clear(&d->channel);
	tacit_wipe(d, sizeof(*d));
}

enum tacit_err tacit_direct_begin(
        struct tacit_direct *d, const struct tacit_direct_options *o, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	tacit_direct_clear(d);
	d->side = o->side;
	d->role = o->role;
	d->env = o->env;
	memcpy(d->root, o->root, sizeof(d->root));
	if (d->side == TACIT_DIRECT_CALLER)
		TRY(tacit_channel_rejoin(&d->channel, d->root, d->role, d->env, out));
	d->state = TACIT_DIRECT_GREETING;
out:
	if (err != TACIT_OK)
		tacit_direct_clear(d);
	return err;
}

static enum tacit_err say(struct tacit_direct *d, enum record type, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t room[EMPTY_RECORD];
	TRY(tacit_channel_seal(&d->channel, (uint8_t)type, tacit_bytes(NULL, 0), room));
	TRY(tacit_buf_append(out, tacit_bytes(room, sizeof(room))));
out:
	return err;
}

static enum tacit_err hear(struct tacit_direct *d, struct tacit_bytes message, enum record type)
{
	enum tacit_err err;
	uint8_t room[TACIT_DIRECT_MAX_GREETING], got;
	struct tacit_bytes body;
	TRY(message.n <= sizeof(room) ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(tacit_channel_open(&d->channel, message, room, &got, &body));
	TRY(got == type && body.n == 0 ? TACIT_OK : TACIT_E_MALFORMED);
out:
	return err;
}

/* The called end is silent until it has heard something of the right form. */
static enum tacit_err take_hello(
        struct tacit_direct *d, struct tacit_bytes message, struct tacit_buf *out)
{
	enum tacit_err err;
	if (d->side == TACIT_DIRECT_CALLED)
		TRY(tacit_channel_rejoin(&d->channel, d->root, d->role, d->env, out));
	TRY(tacit_channel_greet(&d->channel, message, out));
	if (d->side == TACIT_DIRECT_CALLER)
		TRY(say(d, RECORD_HERE, out));
	d->state = TACIT_DIRECT_PROVING;
out:
	return err;
}

static enum tacit_err take_here(
        struct tacit_direct *d, struct tacit_bytes message, struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(hear(d, message, RECORD_HERE));
	if (d->side == TACIT_DIRECT_CALLED)
		TRY(say(d, RECORD_HERE, out));
	d->state = TACIT_DIRECT_PROVEN;
out:
	return err;
}

static enum tacit_err take_chosen(struct tacit_direct *d, struct tacit_bytes message)
{
	enum tacit_err err;
	TRY(d->role == TACIT_PARCEL_RECEIVER ? TACIT_OK : TACIT_E_MALFORMED);
	TRY(hear(d, message, RECORD_CHOSEN));
	d->state = TACIT_DIRECT_CHOSEN;
out:
	return err;
}

enum tacit_err tacit_direct_input(
        struct tacit_direct *d, struct tacit_bytes message, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_E_USAGE;
	size_t before = out->n;
	if (d->state == TACIT_DIRECT_GREETING)
		err = take_hello(d, message, out);
	else if (d->state == TACIT_DIRECT_PROVING)
		err = take_here(d, message, out);
	else if (d->state == TACIT_DIRECT_PROVEN)
		err = take_chosen(d, message);
	if (err != TACIT_OK) {
		out->n = before;
		tacit_direct_clear(d);
	}
	return err;
}

enum tacit_err tacit_direct_choose(struct tacit_direct *d, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_E_USAGE;
	if (d->state != TACIT_DIRECT_PROVEN || d->role != TACIT_PARCEL_SENDER)
		return err;
	TRY(say(d, RECORD_CHOSEN, out));
	d->state = TACIT_DIRECT_CHOSEN;
out:
	return err;
}
