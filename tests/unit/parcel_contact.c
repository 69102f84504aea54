/* After the files, and instead of them: cards, and links. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/account.h"
#include "e2e/parcel/card.h"
#include "e2e/parcel/grant.h"
#include "parcel_people.h"
#include "support/tap.h"

enum { OFFER = 1, START = 4, END = 6, DONE = 8, STOP, WAYS, KEEP = 12, CARD, ASK, GRANT, LINKED };

/* --- cards ----------------------------------------------------------------------------------- */

static const uint8_t one[TACIT_PARCEL_BINDING_BYTES] = {1}, two[TACIT_PARCEL_BINDING_BYTES] = {2};
static const struct tacit_parcel_seat sender = {TACIT_PARCEL_SENDER, one};

static void make_person(uint8_t seed, struct tacit_account *a)
{
	const uint8_t secret[TACIT_ACCOUNT_SECRET_BYTES] = {seed};
	CHECK_OK(tacit_account_from_secret(tacit_bytes(secret, sizeof(secret)), a));
}

static enum tacit_err make_card(
        const struct tacit_account *a, const struct tacit_parcel_seat *seat, struct tacit_buf *out)
{
	const struct tacit_parcel_card card = {
	        TACIT_STR("http://127.0.0.1:5000"), TACIT_STR("alice"), a->public};
	return tacit_parcel_card_make(&card, seat, tacit_account_sk(a), out);
}

static void a_card_is_of_its_owner_and_connection(void)
{
	struct tacit_account alice, mallory;
	struct tacit_buf card = {0};
	struct tacit_parcel_card got;
	const struct tacit_parcel_seat other_end = {TACIT_PARCEL_RECEIVER, one};
	const struct tacit_parcel_seat elsewhere = {TACIT_PARCEL_SENDER, two};
	make_person(1, &alice);
	make_person(2, &mallory);
	CHECK_OK(make_card(&alice, &sender, &card));
	CHECK_OK(tacit_parcel_card_open(tacit_buf_view(&card), &sender, &got));
	CHECK_BYTES(got.username, TACIT_STR("alice"));
	CHECK_BYTES(got.server, TACIT_STR("http://127.0.0.1:5000"));
	CHECK_BYTES(tacit_bytes(got.key.b, sizeof(got.key.b)),
	        tacit_bytes(alice.public.b, sizeof(got.key.b)));
	/* Sent back to where it came from; shown to somebody else. */
	CHECK_ERR(tacit_parcel_card_open(tacit_buf_view(&card), &other_end, &got),
	        TACIT_E_BAD_SIGNATURE);
	CHECK_INT(got.username.n, 0);
	CHECK_ERR(tacit_parcel_card_open(tacit_buf_view(&card), &elsewhere, &got),
	        TACIT_E_BAD_SIGNATURE);
	/* Alice's name and key, signed by another. */
	card.n = 0;
	const struct tacit_parcel_card stolen = {
	        TACIT_STR("http://127.0.0.1:5000"), TACIT_STR("alice"), alice.public};
	CHECK_OK(tacit_parcel_card_make(&stolen, &sender, tacit_account_sk(&mallory), &card));
	CHECK_ERR(tacit_parcel_card_open(tacit_buf_view(&card), &sender, &got),
	        TACIT_E_BAD_SIGNATURE);
	tacit_buf_clear(&card);
	tacit_account_clear(&alice);
	tacit_account_clear(&mallory);
}

static void no_byte_of_a_card_may_change(void)
{
	struct tacit_account alice;
	struct tacit_buf card = {0};
	struct tacit_parcel_card got;
	make_person(1, &alice);
	CHECK_OK(make_card(&alice, &sender, &card));
	for (size_t i = 0; i < card.n; i++) {
		card.p[i] ^= 0x20;
		CHECK(tacit_parcel_card_open(tacit_buf_view(&card), &sender, &got) != TACIT_OK);
		card.p[i] ^= 0x20;
		CHECK(tacit_parcel_card_open(tacit_bytes(card.p, i), &sender, &got) != TACIT_OK);
	}
	CHECK_OK(tacit_buf_append(&card, tacit_bytes("x", 1)));
	CHECK_ERR(tacit_parcel_card_open(tacit_buf_view(&card), &sender, &got), TACIT_E_TRAILING);
	tacit_buf_clear(&card);
	tacit_account_clear(&alice);
}

static void a_card_names_what_can_be_named(void)
{
	struct tacit_account a;
	struct tacit_buf card = {0};
	char long_server[TACIT_PARCEL_MAX_SERVER + 2];
	memset(long_server, 'x', sizeof(long_server));
	long_server[sizeof(long_server) - 1] = '\0';
	const struct tacit_bytes servers[] = {TACIT_STR(""), TACIT_STR("http://a b"),
	        TACIT_STR("http://\033[2J"), tacit_cstr(long_server)};
	const struct tacit_bytes names[] = {TACIT_STR(""), TACIT_STR("../x"), TACIT_STR("a b")};
	make_person(1, &a);
	struct tacit_parcel_card c = {TACIT_STR("http://x"), TACIT_STR("alice"), a.public};
	for (size_t i = 0; i < TACIT_COUNT(servers); i++) {
		c.server = servers[i];
		CHECK_ERR(tacit_parcel_card_make(&c, &sender, tacit_account_sk(&a), &card),
		        TACIT_E_USAGE);
	}
	c.server = TACIT_STR("http://x");
	for (size_t i = 0; i < TACIT_COUNT(names); i++) {
		c.username = names[i];
		CHECK_ERR(tacit_parcel_card_make(&c, &sender, tacit_account_sk(&a), &card),
		        TACIT_E_USAGE);
	}
	CHECK_INT(card.n, 0);
	tacit_buf_clear(&card);
	tacit_account_clear(&a);
}

/* --- grants ---------------------------------------------------------------------------------- */

static const uint8_t bytes32[32] = {5};
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static struct tacit_parcel_grant good_grant;

static void make_good_grant(void)
{
	good_grant = (struct tacit_parcel_grant){
	        .server = TACIT_STR("https://chat.example.org"),
	        .username = TACIT_STR("alice"),
	        .email = TACIT_STR("alice@example.org"),
	        .secret = {bytes32, sizeof(bytes32)},
	        .wrapped = {bytes32, sizeof(bytes32)},
	        .iv = {bytes32, TACIT_WRAP_IV_BYTES},
	        .password_hash = TACIT_STR(HASH),
	        .ticket = TACIT_STR("ticket-1"),
	};
}

static void a_grant_comes_back(void)
{
	struct tacit_buf b = {0};
	struct tacit_parcel_grant g;
	CHECK_OK(tacit_parcel_grant_encode(&good_grant, &b));
	CHECK_OK(tacit_parcel_grant_decode(tacit_buf_view(&b), &g));
	CHECK_BYTES(g.server, good_grant.server);
	CHECK_BYTES(g.username, good_grant.username);
	CHECK_BYTES(g.email, good_grant.email);
	CHECK_BYTES(g.secret, good_grant.secret);
	CHECK_BYTES(g.wrapped, good_grant.wrapped);
	CHECK_BYTES(g.iv, good_grant.iv);
	CHECK_BYTES(g.password_hash, good_grant.password_hash);
	CHECK_BYTES(g.ticket, good_grant.ticket);
	for (size_t i = 0; i < b.n; i++)
		CHECK(tacit_parcel_grant_decode(tacit_bytes(b.p, i), &g) != TACIT_OK);
	CHECK_INT(g.secret.n, 0);
	CHECK_OK(tacit_buf_append(&b, tacit_bytes("x", 1)));
	CHECK_ERR(tacit_parcel_grant_decode(tacit_buf_view(&b), &g), TACIT_E_TRAILING);
	b.p[0] = 2;
	CHECK(tacit_parcel_grant_decode(tacit_buf_view(&b), &g) != TACIT_OK);
	tacit_buf_clear(&b);
}

static void what_is_no_grant_is_refused(void)
{
	struct tacit_buf b = {0};
	struct tacit_parcel_grant bad[8];
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		bad[i] = good_grant;
	bad[0].username = TACIT_STR("a/b");
	bad[1].email = TACIT_STR("nowhere");
	bad[2].secret.n--;
	bad[3].password_hash = TACIT_STR("AB");
	bad[4].ticket = TACIT_STR("");
	bad[5].wrapped.n = 0;
	bad[6].server = TACIT_STR("with space");
	bad[7].iv.n--;
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(tacit_parcel_grant_encode(&bad[i], &b), TACIT_E_USAGE);
	CHECK_INT(b.n, 0);
	CHECK_OK(tacit_parcel_grant_encode(&good_grant, &b));
	struct tacit_parcel_grant g;
	CHECK_OK(tacit_parcel_grant_decode(tacit_buf_view(&b), &g));
	b.p[(size_t)(g.username.p - b.p)] = '/';
	CHECK_ERR(tacit_parcel_grant_decode(tacit_buf_view(&b), &g), TACIT_E_MALFORMED);
	tacit_buf_clear(&b);
}

/* --- the steps ------------------------------------------------------------------------------- */

static void deliver(struct room *r)
{
	room_open(r);
	r->give.content = TACIT_STR("some bytes");
	room_meet(r, "7-amber-falcon", "7-amber-falcon");
	room_run(r);
	CHECK(r->give.received && r->take.done);
}

/* What hand has sent last, into the other one. */
static enum tacit_err pass(struct hand *from, struct tacit_parcel_event *ev)
{
	struct mail *m = &from->mail;
	CHECK_INT(m->count, 1);
	enum tacit_err err =
	        tacit_parcel_input(from->other->parcel, tacit_buf_view(&m->messages[m->head]), ev);
	tacit_buf_clear(&m->messages[m->head]);
	m->head = (m->head + 1) % MOST_MESSAGES;
	m->count--;
	return err;
}

static void cards_after_the_files(void)
{
	struct room r;
	struct tacit_parcel_event ev;
	struct tacit_bytes card = TACIT_STR("a card");
	deliver(&r);
	CHECK_BYTES(tacit_bytes(tacit_parcel_binding(r.give.parcel), TACIT_PARCEL_BINDING_BYTES),
	        tacit_bytes(tacit_parcel_binding(r.take.parcel), TACIT_PARCEL_BINDING_BYTES));
	/* Nobody shows a card before both have said that they would. */
	CHECK_ERR(tacit_parcel_card(r.give.parcel, card), TACIT_E_USAGE);
	CHECK_OK(tacit_parcel_keep(r.give.parcel, true));
	CHECK_ERR(tacit_parcel_keep(r.give.parcel, true), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_card(r.give.parcel, card), TACIT_E_USAGE);
	CHECK_OK(pass(&r.give, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_KEEP);
	CHECK_INT(ev.offset, 1);
	CHECK_OK(tacit_parcel_keep(r.take.parcel, true));
	CHECK_OK(pass(&r.take, &ev));
	CHECK_OK(tacit_parcel_card(r.take.parcel, card));
	CHECK_ERR(tacit_parcel_card(r.take.parcel, card), TACIT_E_USAGE);
	CHECK_OK(pass(&r.take, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_CARD);
	CHECK_BYTES(ev.bytes, card);
	CHECK_OK(tacit_parcel_card(r.give.parcel, card));
	CHECK_OK(pass(&r.give, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_CARD);
	room_close(&r);
}

static void who_has_none_gets_none(void)
{
	struct room r;
	struct tacit_parcel_event ev;
	deliver(&r);
	CHECK_OK(tacit_parcel_keep(r.give.parcel, true));
	CHECK_OK(tacit_parcel_keep(r.take.parcel, false));
	CHECK_OK(pass(&r.give, &ev));
	CHECK_OK(pass(&r.take, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_KEEP);
	CHECK_INT(ev.offset, 0);
	CHECK_ERR(tacit_parcel_card(r.give.parcel, TACIT_STR("a card")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_card(r.take.parcel, TACIT_STR("a card")), TACIT_E_USAGE);
	room_close(&r);
}

static void keeping_is_for_afterwards(void)
{
	struct room r;
	room_open(&r);
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	CHECK_ERR(tacit_parcel_keep(r.give.parcel, true), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_card(r.give.parcel, TACIT_STR("a card")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_ask(r.take.parcel, TACIT_STR("laptop")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_grant(r.give.parcel, TACIT_STR("grant")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_linked(r.take.parcel), TACIT_E_USAGE);
	room_close(&r);
}

/* Each connection has a binding of its own. */
static void a_new_connection_is_another_one(void)
{
	struct room r;
	uint8_t before[TACIT_PARCEL_BINDING_BYTES];
	deliver(&r);
	memcpy(before, tacit_parcel_binding(r.give.parcel), sizeof(before));
	r.give.content = (struct tacit_bytes){0};
	room_rejoin(&r);
	room_run(&r);
	CHECK(!tacit_bytes_eq(tacit_bytes(before, sizeof(before)),
	        tacit_bytes(tacit_parcel_binding(r.give.parcel), sizeof(before))));
	room_close(&r);
}

/* --- links ----------------------------------------------------------------------------------- */

static void reopen(struct room *r, struct hand *h, enum tacit_parcel_role role,
        enum tacit_parcel_purpose purpose)
{
	tacit_parcel_free(h->parcel);
	h->parcel = NULL;
	const struct tacit_parcel_options o = {
	        .role = role, .env = &r->env, .send = room_post, .ctx = h, .purpose = purpose};
	CHECK_OK(tacit_parcel_new(&o, &h->parcel));
}

static void open_link(struct room *r)
{
	room_open(r);
	reopen(r, &r->give, TACIT_PARCEL_SENDER, TACIT_PARCEL_LINK);
	reopen(r, &r->take, TACIT_PARCEL_RECEIVER, TACIT_PARCEL_LINK);
}

static void a_link_is_granted(void)
{
	struct room r;
	struct tacit_parcel_event ev;
	const struct tacit_parcel_ways none = {0};
	open_link(&r);
	room_meet(&r, "7-amber-falcon", "7-amber-falcon");
	room_run(&r);
	CHECK(r.give.opened && r.take.opened);
	CHECK_ERR(tacit_parcel_grant(r.give.parcel, TACIT_STR("grant")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_ask(r.give.parcel, TACIT_STR("laptop")), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_ways(r.give.parcel, &none), TACIT_E_USAGE);
	CHECK_ERR(tacit_parcel_stay(r.give.parcel), TACIT_E_USAGE);
	struct tacit_buf offer = {0};
	offer_file("a", 1, &offer);
	CHECK_ERR(tacit_parcel_offer(r.give.parcel, tacit_buf_view(&offer)), TACIT_E_USAGE);
	tacit_buf_clear(&offer);
	CHECK_ERR(tacit_parcel_ask(r.take.parcel, TACIT_STR("")), TACIT_E_USAGE);
	CHECK_OK(tacit_parcel_ask(r.take.parcel, TACIT_STR("laptop")));
	CHECK_OK(pass(&r.take, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_ASKED);
	CHECK_BYTES(ev.bytes, TACIT_STR("laptop"));
	CHECK_OK(tacit_parcel_grant(r.give.parcel, TACIT_STR("grant")));
	CHECK_ERR(tacit_parcel_linked(r.take.parcel), TACIT_E_USAGE);
	CHECK_OK(pass(&r.give, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_GRANTED);
	CHECK_BYTES(ev.bytes, TACIT_STR("grant"));
	CHECK_OK(tacit_parcel_linked(r.take.parcel));
	CHECK_OK(pass(&r.take, &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_LINKED);
	room_close(&r);
}

static void a_link_needs_its_code(void)
{
	struct room r;
	open_link(&r);
	room_meet(&r, "7-amber-falcon", "7-amber-fabric");
	room_run(&r);
	CHECK(r.give.err == TACIT_E_BAD_PASSWORD || r.take.err == TACIT_E_BAD_PASSWORD);
	CHECK(!r.give.opened || !r.take.opened);
	room_close(&r);
}

/* The code of a link in a transfer, and the other way round: nobody gets anything. */
static void a_link_is_no_transfer(void)
{
	for (int i = 0; i < 2; i++) {
		struct room r;
		room_open(&r);
		if (i == 0)
			reopen(&r, &r.give, TACIT_PARCEL_SENDER, TACIT_PARCEL_LINK);
		else
			reopen(&r, &r.take, TACIT_PARCEL_RECEIVER, TACIT_PARCEL_LINK);
		r.give.content = TACIT_STR("some bytes");
		room_meet(&r, "7-amber-falcon", "7-amber-falcon");
		room_run(&r);
		CHECK(r.give.err == TACIT_E_CONFLICT || r.take.err == TACIT_E_CONFLICT);
		CHECK(!r.give.opened && !r.take.opened);
		room_close(&r);
	}
}

/* --- peers that break the rules -------------------------------------------------------------- */

/* victim talks to a channel of the test's own, which seals what it likes. */
struct rogue {
	struct room room; /* only its victim's hand is used */
	struct hand *victim;
	struct tacit_channel channel;
};

static void meet_rogue(
        struct rogue *g, enum tacit_parcel_role victim, enum tacit_parcel_purpose purpose)
{
	struct tacit_parcel_code code;
	struct tacit_buf out = {0};
	struct tacit_parcel_event ev;
	room_open(&g->room);
	g->channel = (struct tacit_channel){0};
	g->victim = victim == TACIT_PARCEL_SENDER ? &g->room.give : &g->room.take;
	reopen(&g->room, g->victim, victim, purpose);
	CHECK_OK(tacit_parcel_code_parse(TACIT_STR("7-amber-falcon"), &code));
	const struct tacit_channel_meeting m = {
	        .code = &code,
	        .role = victim == TACIT_PARCEL_SENDER ? TACIT_PARCEL_RECEIVER : TACIT_PARCEL_SENDER,
	        .place = TACIT_PARCEL_JOINER,
	        .purpose = purpose,
	};
	CHECK_OK(tacit_parcel_meet(g->victim->parcel, &code, TACIT_PARCEL_OPENER));
	CHECK_OK(tacit_channel_meet(&g->channel, &m, &g->room.env, &out));
	CHECK_OK(tacit_parcel_input(g->victim->parcel, tacit_buf_view(&out), &ev));
	tacit_buf_clear(&out);
	struct tacit_buf *said = g->victim->mail.messages;
	CHECK_OK(tacit_channel_greet(&g->channel, tacit_buf_view(&said[0]), &out));
	CHECK_OK(tacit_parcel_input(g->victim->parcel, tacit_buf_view(&out), &ev));
	CHECK_INT(ev.kind, TACIT_PARCEL_OPEN);
	CHECK_OK(tacit_channel_greet(&g->channel, tacit_buf_view(&said[1]), &out));
	tacit_buf_clear(&out);
	room_cut(&g->room);
}

static enum tacit_err throw_at(struct rogue *g, uint8_t type, struct tacit_bytes body)
{
	static uint8_t room[TACIT_PARCEL_MAX_MESSAGE];
	struct tacit_parcel_event ev;
	CHECK_OK(tacit_channel_seal(&g->channel, type, body, room));
	return tacit_parcel_input(
	        g->victim->parcel, tacit_bytes(room, 2 + body.n + TACIT_AEAD_TAG_BYTES), &ev);
}

static void leave_rogue(struct rogue *g)
{
	tacit_channel_clear(&g->channel);
	room_close(&g->room);
}

static void records_out_of_turn(void)
{
	static struct rogue g;
	static const struct {
		enum tacit_parcel_purpose purpose;
		enum tacit_parcel_role victim;
		uint8_t type;
	} wrong[] = {
	        {TACIT_PARCEL_TRANSFER, TACIT_PARCEL_SENDER, KEEP},
	        {TACIT_PARCEL_TRANSFER, TACIT_PARCEL_RECEIVER, CARD},
	        {TACIT_PARCEL_TRANSFER, TACIT_PARCEL_SENDER, ASK},
	        {TACIT_PARCEL_TRANSFER, TACIT_PARCEL_RECEIVER, GRANT},
	        {TACIT_PARCEL_TRANSFER, TACIT_PARCEL_SENDER, LINKED},
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_RECEIVER, OFFER},
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_RECEIVER, WAYS},
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_RECEIVER, GRANT}, /* it has not asked */
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_RECEIVER, ASK},
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_SENDER, LINKED}, /* nothing was granted */
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_SENDER, GRANT},
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_SENDER, KEEP},
	        {TACIT_PARCEL_LINK, TACIT_PARCEL_SENDER, 17},
	};
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++) {
		meet_rogue(&g, wrong[i].victim, wrong[i].purpose);
		CHECK_ERR(throw_at(&g, wrong[i].type, TACIT_STR("\1")), TACIT_E_MALFORMED);
		leave_rogue(&g);
	}
}

static void bodies_that_are_none(void)
{
	static struct rogue g;
	static const char long_name[TACIT_PARCEL_MAX_DEVICE_NAME + 1];
	meet_rogue(&g, TACIT_PARCEL_SENDER, TACIT_PARCEL_LINK);
	CHECK_ERR(throw_at(&g, ASK, TACIT_STR("")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER, TACIT_PARCEL_LINK);
	CHECK_ERR(throw_at(&g, ASK, tacit_bytes(long_name, sizeof(long_name))), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER, TACIT_PARCEL_LINK);
	CHECK_OK(throw_at(&g, ASK, TACIT_STR("laptop")));
	CHECK_ERR(throw_at(&g, ASK, TACIT_STR("laptop")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_SENDER, TACIT_PARCEL_LINK);
	CHECK_OK(throw_at(&g, ASK, TACIT_STR("laptop")));
	CHECK_OK(tacit_parcel_grant(g.victim->parcel, TACIT_STR("grant")));
	CHECK_ERR(throw_at(&g, LINKED, TACIT_STR("x")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER, TACIT_PARCEL_LINK);
	CHECK_OK(tacit_parcel_ask(g.victim->parcel, TACIT_STR("laptop")));
	CHECK_ERR(throw_at(&g, GRANT, TACIT_STR("")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	meet_rogue(&g, TACIT_PARCEL_RECEIVER, TACIT_PARCEL_LINK);
	CHECK_OK(throw_at(&g, STOP, TACIT_STR("")));
	leave_rogue(&g);
}

/* A sender of the test's own has delivered an empty file. */
static void deliver_rogue(struct rogue *g)
{
	struct tacit_buf offer = {0};
	meet_rogue(g, TACIT_PARCEL_RECEIVER, TACIT_PARCEL_TRANSFER);
	CHECK_OK(tacit_buf_append(&offer, tacit_bytes("\0\0\0\0", 4)));
	offer_file("name", 0, &offer);
	offer.p[3] = (uint8_t)(offer.n - 4);
	CHECK_OK(throw_at(g, OFFER, tacit_buf_view(&offer)));
	CHECK_OK(tacit_parcel_answer(g->victim->parcel));
	CHECK_OK(throw_at(g, START, tacit_bytes("\0\0\0\0\0\0\0\0", 8)));
	CHECK_OK(throw_at(g, END, TACIT_STR("")));
	CHECK_OK(tacit_parcel_receipt(g->victim->parcel));
	CHECK_OK(throw_at(g, DONE, TACIT_STR("")));
	tacit_buf_clear(&offer);
}

static void words_about_keeping_that_are_none(void)
{
	static struct rogue g;
	const struct tacit_bytes bad[] = {TACIT_STR(""), TACIT_STR("\2"), TACIT_STR("\1\1")};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		deliver_rogue(&g);
		CHECK_ERR(throw_at(&g, KEEP, bad[i]), TACIT_E_MALFORMED);
		leave_rogue(&g);
	}
	deliver_rogue(&g); /* twice */
	CHECK_OK(throw_at(&g, KEEP, TACIT_STR("\1")));
	CHECK_ERR(throw_at(&g, KEEP, TACIT_STR("\1")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	deliver_rogue(&g); /* a card to one who has shown no wish */
	CHECK_OK(throw_at(&g, KEEP, TACIT_STR("\1")));
	CHECK_ERR(throw_at(&g, CARD, TACIT_STR("a card")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	deliver_rogue(&g); /* a card of one who has shown none */
	CHECK_OK(tacit_parcel_keep(g.victim->parcel, true));
	CHECK_ERR(throw_at(&g, CARD, TACIT_STR("a card")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	deliver_rogue(&g);
	CHECK_OK(tacit_parcel_keep(g.victim->parcel, true));
	CHECK_OK(throw_at(&g, KEEP, TACIT_STR("\1")));
	CHECK_OK(throw_at(&g, CARD, TACIT_STR("a card")));
	CHECK_ERR(throw_at(&g, CARD, TACIT_STR("a card")), TACIT_E_MALFORMED);
	leave_rogue(&g);
	deliver_rogue(&g); /* the files are over */
	CHECK_ERR(throw_at(&g, OFFER, TACIT_STR("\1")), TACIT_E_MALFORMED);
	leave_rogue(&g);
}

/* --- memory ---------------------------------------------------------------------------------- */

static enum tacit_err card_once(void)
{
	enum tacit_err err;
	struct tacit_account a;
	struct tacit_buf card = {0};
	struct tacit_parcel_card got;
	const uint8_t secret[TACIT_ACCOUNT_SECRET_BYTES] = {1};
	TRY(tacit_account_from_secret(tacit_bytes(secret, sizeof(secret)), &a));
	TRY(make_card(&a, &sender, &card));
	TRY(tacit_parcel_card_open(tacit_buf_view(&card), &sender, &got));
out:
	tacit_buf_clear(&card);
	tacit_account_clear(&a);
	return err;
}

static enum tacit_err grant_once(void)
{
	struct tacit_buf b = {0};
	enum tacit_err err = tacit_parcel_grant_encode(&good_grant, &b);
	tacit_buf_clear(&b);
	return err;
}

static void memory_may_fail(void)
{
	tap_alloc_sweep(card_once);
	tap_alloc_sweep(grant_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a card is of its owner and connection", a_card_is_of_its_owner_and_connection},
	        {"no byte of a card may change", no_byte_of_a_card_may_change},
	        {"a card names what can be named", a_card_names_what_can_be_named},
	        {"a grant comes back", a_grant_comes_back},
	        {"what is no grant is refused", what_is_no_grant_is_refused},
	        {"cards after the files", cards_after_the_files},
	        {"who has none gets none", who_has_none_gets_none},
	        {"keeping is for afterwards", keeping_is_for_afterwards},
	        {"a new connection is another one", a_new_connection_is_another_one},
	        {"a link is granted", a_link_is_granted},
	        {"a link needs its code", a_link_needs_its_code},
	        {"a link is no transfer", a_link_is_no_transfer},
	        {"records out of turn", records_out_of_turn},
	        {"bodies that are none", bodies_that_are_none},
	        {"words about keeping that are none", words_about_keeping_that_are_none},
	        {"memory may fail", memory_may_fail},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	make_good_grant();
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
