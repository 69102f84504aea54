#include "parcel_people.h"

#include <string.h>

#include "support/tap.h"

uint8_t content_bytes[5000];

struct tacit_bytes content(size_t n)
{
	for (size_t i = 0; i < sizeof(content_bytes); i++)
		content_bytes[i] = (uint8_t)(i * 7 + i / 251);
	return tacit_bytes(content_bytes, n);
}

enum tacit_err room_post(void *ctx, struct tacit_bytes message)
{
	struct hand *h = ctx;
	struct mail *m = &h->mail;
	if (m->count == MOST_MESSAGES)
		return TACIT_E_LIMIT;
	h->sent++;
	return tacit_buf_append(&m->messages[(m->head + m->count++) % MOST_MESSAGES], message);
}

static uint8_t *place_of(void *ctx, size_t n)
{
	struct hand *h = ctx;
	CHECK(n <= TACIT_PARCEL_MAX_MESSAGE);
	return h->place;
}

static void open_hand(struct room *r, struct hand *h, enum tacit_parcel_role role)
{
	*h = (struct hand){.piece = 1000};
	const struct tacit_parcel_options o = {
	        .role = role, .env = &r->env, .send = room_post, .place = place_of, .ctx = h};
	CHECK_OK(tacit_parcel_new(&o, &h->parcel));
}

void room_open(struct room *r)
{
	*r = (struct room){.env = tap_env(77)};
	open_hand(r, &r->give, TACIT_PARCEL_SENDER);
	open_hand(r, &r->take, TACIT_PARCEL_RECEIVER);
	r->give.other = &r->take;
	r->take.other = &r->give;
}

static void drop_mail(struct mail *m)
{
	while (m->count > 0) {
		tacit_buf_clear(&m->messages[m->head]);
		m->head = (m->head + 1) % MOST_MESSAGES;
		m->count--;
	}
}

void room_cut(struct room *r)
{
	drop_mail(&r->give.mail);
	drop_mail(&r->take.mail);
}

void room_close(struct room *r)
{
	room_cut(r);
	tacit_parcel_free(r->give.parcel);
	tacit_parcel_free(r->take.parcel);
	tacit_buf_clear(&r->take.store);
}

void room_meet(struct room *r, const char *code_give, const char *code_take)
{
	struct tacit_parcel_code code;
	CHECK_OK(tacit_parcel_code_parse(tacit_cstr(code_give), &code));
	CHECK_OK(tacit_parcel_meet(r->give.parcel, &code, TACIT_PARCEL_OPENER));
	CHECK_OK(tacit_parcel_code_parse(tacit_cstr(code_take), &code));
	CHECK_OK(tacit_parcel_meet(r->take.parcel, &code, TACIT_PARCEL_JOINER));
}

void room_rejoin(struct room *r)
{
	CHECK_OK(tacit_parcel_rejoin(r->give.parcel, tacit_parcel_root(r->give.parcel)));
	CHECK_OK(tacit_parcel_rejoin(r->take.parcel, tacit_parcel_root(r->take.parcel)));
}

void offer_file(const char *name, uint64_t size, struct tacit_buf *out)
{
	struct tacit_parcel_entry e = {.path = name, .size = size, .modified = 1700000000};
	const struct tacit_parcel_offer o = {
	        .kind = TACIT_PARCEL_FILE, .total = size, .count = 1, .entries = &e};
	CHECK_OK(tacit_parcel_offer_encode(&o, out));
}

static enum tacit_err make_offer(struct hand *h)
{
	struct tacit_buf offer = {0};
	offer_file("report.pdf", h->content.n, &offer);
	enum tacit_err err = tacit_parcel_offer(h->parcel, tacit_buf_view(&offer));
	tacit_buf_clear(&offer);
	return err;
}

static enum tacit_err go_on(struct hand *h, uint64_t has)
{
	enum tacit_err err;
	uint64_t from;
	TRY(tacit_parcel_kept(h->parcel, tacit_bytes_part(h->content, 0, has)));
	TRY(tacit_parcel_begin(h->parcel, &from));
	h->answered = true;
	while (from < h->content.n) {
		struct tacit_bytes piece = tacit_bytes_part(h->content, from, h->piece);
		if (h->in_place) {
			uint8_t *at = tacit_parcel_data_place(h->parcel);
			memcpy(at, piece.p, piece.n);
			piece.p = at;
		}
		TRY(tacit_parcel_data(h->parcel, piece));
		from += piece.n;
	}
	TRY(tacit_parcel_end(h->parcel));
out:
	return err;
}

static enum tacit_err answer(struct hand *h)
{
	enum tacit_err err = TACIT_OK;
	if (h->refuses)
		return tacit_parcel_decline(h->parcel);
	if (h->reads_back) {
		uint64_t hashed = tacit_parcel_hashed(h->parcel);
		tacit_parcel_reads_back(h->parcel);
		if (hashed < h->store.n) {
			CHECK_ERR(tacit_parcel_answer(h->parcel), TACIT_E_USAGE);
			TRY(tacit_parcel_kept(h->parcel,
			        tacit_bytes_part(tacit_buf_view(&h->store), hashed, h->store.n)));
		}
	}
	TRY(tacit_parcel_answer(h->parcel));
out:
	return err;
}

static enum tacit_err store(struct hand *h, const struct tacit_parcel_event *e)
{
	CHECK_INT(e->offset, h->store.n);
	return tacit_buf_append(&h->store, e->bytes);
}

static enum tacit_err react(struct hand *h, const struct tacit_parcel_event *e)
{
	switch (e->kind) {
	case TACIT_PARCEL_OPEN:
		h->opened = true;
		return h->content.p != NULL ? make_offer(h) : TACIT_OK;
	case TACIT_PARCEL_OFFERED:
		return answer(h);
	case TACIT_PARCEL_ANSWERED:
		return go_on(h, e->offset);
	case TACIT_PARCEL_STARTED:
		h->started_at = e->offset;
		h->store.n = e->offset;
		return TACIT_OK;
	case TACIT_PARCEL_DATA:
		return store(h, e);
	case TACIT_PARCEL_ENDED:
		h->ended = true;
		return tacit_parcel_receipt(h->parcel);
	case TACIT_PARCEL_DECLINED:
		h->declined = true;
		return TACIT_OK;
	case TACIT_PARCEL_RECEIVED:
		h->received = true;
		return TACIT_OK;
	case TACIT_PARCEL_DONE:
		h->done = true;
		return TACIT_OK;
	case TACIT_PARCEL_STOPPED:
		h->stopped = true;
		return TACIT_OK;
	default:
		return TACIT_OK;
	}
}

static void deliver(struct room *r, struct hand *from)
{
	struct mail *m = &from->mail;
	struct tacit_buf message = m->messages[m->head];
	struct hand *to = from->other;
	m->messages[m->head] = (struct tacit_buf){0};
	m->head = (m->head + 1) % MOST_MESSAGES;
	m->count--;
	unsigned times = r->relay != NULL ? r->relay(r->ctx, r->passed, &message) : 1;
	r->passed++;
	for (; times > 0 && to->err == TACIT_OK; times--) {
		to->err = tacit_parcel_input(to->parcel, tacit_buf_view(&message), &to->last);
		if (to->err == TACIT_OK)
			to->err = react(to, &to->last);
	}
	tacit_buf_clear(&message);
}

void room_run(struct room *r)
{
	while (r->give.err == TACIT_OK && r->take.err == TACIT_OK) {
		if (r->give.mail.count > 0)
			deliver(r, &r->give);
		else if (r->take.mail.count > 0)
			deliver(r, &r->take);
		else
			return;
	}
}
