/* A peer that has the code, and sends what it likes: records are sealed here, so that the bytes
 * reach what is behind the seal. The first byte: which end is played (1), whether it greets (2),
 * whether it links a device (4). Then, again and again: type, length (u16), body. */
#include <stdlib.h>

#include "base/env.h"
#include "base/reader.h"
#include "crypto/secret.h"
#include "e2e/parcel/card.h"
#include "e2e/parcel/grant.h"
#include "e2e/parcel/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void zeros(void *ctx, uint8_t *out, size_t n)
{
	uint8_t *last = ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = ++*last;
}

static struct tacit_buf said;

static enum tacit_err hear(void *ctx, struct tacit_bytes message)
{
	(void)ctx;
	tacit_buf_clear(&said);
	return tacit_buf_append(&said, message);
}

/* What says OK must be what it seems. */
static void look_into(struct tacit_parcel *p, const struct tacit_parcel_event *ev)
{
	struct tacit_parcel_card card;
	struct tacit_parcel_grant grant;
	if (ev->kind == TACIT_PARCEL_CARD) {
		const struct tacit_parcel_seat seat = {
		        TACIT_PARCEL_SENDER, tacit_parcel_binding(p)};
		if (tacit_parcel_card_open(ev->bytes, &seat, &card) == TACIT_OK &&
		        (card.server.n == 0 || card.username.n == 0))
			abort();
	}
	if (ev->kind == TACIT_PARCEL_GRANTED &&
	        tacit_parcel_grant_decode(ev->bytes, &grant) == TACIT_OK &&
	        (grant.secret.n != TACIT_ACCOUNT_SECRET_BYTES || grant.iv.n != TACIT_WRAP_IV_BYTES))
		abort();
	if (ev->kind == TACIT_PARCEL_ASKED &&
	        (ev->bytes.n == 0 || ev->bytes.n > TACIT_PARCEL_MAX_DEVICE_NAME))
		abort();
}

/* As a host would, with the least that is possible. */
static void react(struct tacit_parcel *p, const struct tacit_parcel_event *ev)
{
	uint64_t offset;
	enum tacit_err err = TACIT_OK;
	look_into(p, ev);
	if (ev->kind == TACIT_PARCEL_OFFERED)
		err = tacit_parcel_answer(p);
	else if (ev->kind == TACIT_PARCEL_ANSWERED && ev->offset == 0)
		err = tacit_parcel_begin(p, &offset);
	else if (ev->kind == TACIT_PARCEL_ENDED)
		err = tacit_parcel_receipt(p);
	else if (ev->kind == TACIT_PARCEL_DONE || ev->kind == TACIT_PARCEL_RECEIVED)
		err = tacit_parcel_keep(p, true);
	else if (ev->kind == TACIT_PARCEL_ASKED)
		err = tacit_parcel_grant(p, TACIT_STR("a grant"));
	if (err != TACIT_OK)
		abort();
}

static void throw_records(
        struct tacit_parcel *p, struct tacit_channel *peer, struct tacit_reader *r)
{
	static uint8_t room[TACIT_PARCEL_MAX_MESSAGE];
	struct tacit_parcel_event ev;
	enum tacit_err err = TACIT_OK;
	while (r->err == TACIT_OK && r->rest.n > 0 && err == TACIT_OK) {
		uint8_t type = tacit_read_u8(r);
		struct tacit_bytes body = tacit_read_vec16(r, 65535);
		if (r->err != TACIT_OK || tacit_channel_seal(peer, type, body, room) != TACIT_OK)
			return;
		err = tacit_parcel_input(
		        p, tacit_bytes(room, 2 + body.n + TACIT_AEAD_TAG_BYTES), &ev);
		if (err == TACIT_OK)
			react(p, &ev);
	}
}

/* False: the library failed. */
static bool greet(struct tacit_parcel *p, struct tacit_channel *peer, enum tacit_parcel_role role,
        const struct tacit_env *env)
{
	static const uint8_t root[TACIT_PARCEL_ROOT_BYTES] = {1};
	struct tacit_buf hello = {0};
	struct tacit_parcel_event ev;
	enum tacit_err err = tacit_parcel_rejoin(p, root);
	if (err == TACIT_OK)
		err = tacit_channel_rejoin(peer, root, role, env, &hello);
	if (err == TACIT_OK)
		err = tacit_channel_greet(peer, tacit_buf_view(&said), &hello);
	if (err == TACIT_OK)
		err = tacit_parcel_input(p, tacit_buf_view(&hello), &ev);
	tacit_buf_clear(&hello);
	return err == TACIT_OK;
}

static void begin_link(struct tacit_parcel *p, enum tacit_parcel_role role)
{
	if (role == TACIT_PARCEL_RECEIVER && tacit_parcel_ask(p, TACIT_STR("laptop")) != TACIT_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t last = 0;
	const struct tacit_env env = {.random = zeros, .ctx = &last};
	struct tacit_reader r = tacit_reader(tacit_bytes(data, size));
	struct tacit_parcel *p = NULL;
	struct tacit_channel peer = {0};
	struct tacit_parcel_event ev;
	uint8_t how = tacit_read_u8(&r);
	enum tacit_parcel_role role = (how & 1) != 0 ? TACIT_PARCEL_RECEIVER : TACIT_PARCEL_SENDER;
	const struct tacit_parcel_options o = {.role = role,
	        .env = &env,
	        .send = hear,
	        .purpose = (how & 4) != 0 ? TACIT_PARCEL_LINK : TACIT_PARCEL_TRANSFER};
	const struct tacit_parcel_entry entry = {.path = "name"};
	const struct tacit_parcel_offer offer = {.kind = TACIT_PARCEL_FILE,
	        .count = 1,
	        .entries = (struct tacit_parcel_entry *)(uintptr_t)&entry};
	struct tacit_buf encoded = {0};
	if (tacit_crypto_init() != TACIT_OK || tacit_parcel_new(&o, &p) != TACIT_OK)
		return 0;
	if ((how & 2) != 0) { /* what is no greeting */
		if (tacit_parcel_rejoin(p, (const uint8_t[TACIT_PARCEL_ROOT_BYTES]){1}) == TACIT_OK)
			tacit_ignore(tacit_parcel_input(p, r.rest, &ev), "most are none");
	} else if (greet(p, &peer,
	                   role == TACIT_PARCEL_SENDER ? TACIT_PARCEL_RECEIVER
	                                               : TACIT_PARCEL_SENDER,
	                   &env)) {
		if (o.purpose == TACIT_PARCEL_LINK)
			begin_link(p, role);
		else if (role == TACIT_PARCEL_SENDER &&
		         (tacit_parcel_offer_encode(&offer, &encoded) != TACIT_OK ||
		                 tacit_parcel_offer(p, tacit_buf_view(&encoded)) != TACIT_OK))
			abort();
		throw_records(p, &peer, &r);
	}
	tacit_buf_clear(&encoded);
	tacit_buf_clear(&said);
	tacit_channel_clear(&peer);
	tacit_parcel_free(p);
	return 0;
}
