/* Parcels, and who claims to download them. */
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

static struct memory_parcel *find(const struct memory_state *s, const char *id)
{
	struct memory_parcel *p = NULL;
	while ((p = memory_next(s, MEMORY_PARCEL, p)) != NULL)
		if (strcmp(p->parcel.id, id) == 0)
			break;
	return p;
}

static bool is_over(const struct memory_parcel *p, int64_t now)
{
	return p->parcel.ended != STORE_PARCEL_LIVES || p->parcel.expires_at <= now;
}

bool memory_parcel_lives(const struct memory_state *s, const char *id)
{
	const struct memory_parcel *p = find(s, id);
	return p != NULL && p->parcel.ended == STORE_PARCEL_LIVES;
}

static struct memory_parcel_claim *find_claim(const struct memory_state *s, int64_t now,
        const char *id, const uint8_t token[STORE_HASH_BYTES])
{
	struct memory_parcel_claim *c = NULL;
	while ((c = memory_next(s, MEMORY_PARCEL_CLAIM, c)) != NULL)
		if (strcmp(c->parcel_id, id) == 0 &&
		        memcmp(c->claim.token, token, STORE_HASH_BYTES) == 0)
			break;
	bool lapsed =
	        c != NULL && c->claim.state == STORE_CLAIM_RESERVED && c->claim.lapses_at <= now;
	return lapsed ? NULL : c;
}

/* The reserved ones of a parcel that have lapsed at `until`. */
static void drop_reserved(struct memory_state *s, const char *id, int64_t until)
{
	struct memory_parcel_claim *c = NULL;
	while ((c = memory_next(s, MEMORY_PARCEL_CLAIM, c)) != NULL)
		if (strcmp(c->parcel_id, id) == 0 && c->claim.state == STORE_CLAIM_RESERVED &&
		        c->claim.lapses_at <= until)
			c = memory_delete(s, MEMORY_PARCEL_CLAIM, c);
}

void memory_end_parcel(
        struct memory_state *s, struct memory_parcel *p, enum store_parcel_end why, int64_t now)
{
	p->parcel.ended = why;
	p->parcel.ended_at = now;
	drop_reserved(s, p->parcel.id, INT64_MAX);
}

void memory_delete_parcel(struct memory_state *s, struct memory_parcel *p)
{
	struct memory_parcel_claim *c = NULL;
	while ((c = memory_next(s, MEMORY_PARCEL_CLAIM, c)) != NULL)
		if (strcmp(c->parcel_id, p->parcel.id) == 0)
			c = memory_delete(s, MEMORY_PARCEL_CLAIM, c);
	memory_delete(s, MEMORY_PARCEL, p);
}

static int64_t bytes_of_all(const struct memory_state *s)
{
	int64_t bytes = 0;
	const struct memory_parcel *p = NULL;
	while ((p = memory_next(s, MEMORY_PARCEL, p)) != NULL)
		bytes += p->parcel.ended == STORE_PARCEL_LIVES ? p->parcel.bytes : 0;
	return bytes;
}

enum tacit_err memory_parcel_create(
        struct store *store, const struct store_parcel *p, int64_t idle_s, int64_t room_bytes)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_parcel added = {.parcel = *p};
	struct store_parcel *q = &added.parcel;
	bool sound = p->head_bytes > 0 && p->bytes > p->head_bytes && p->downloads > 0 &&
	             p->lifetime > 0;
	TRY(sound ? TACIT_OK : TACIT_E_USAGE);
	TRY(memory_enter(m, &s));
	err = memory_file_exists(store, p->id);
	TRY(err == TACIT_E_NOT_FOUND && find(s, p->id) == NULL ? TACIT_OK : TACIT_E_EXISTS);
	TRY(p->bytes <= room_bytes - bytes_of_all(s) ? TACIT_OK : TACIT_E_LIMIT);
	q->offset = 0;
	q->created_at = m->now;
	q->expires_at = m->now + idle_s;
	q->ready = false;
	q->ended = STORE_PARCEL_LIVES;
	q->ended_at = 0;
	TRY(memory_add(s, MEMORY_PARCEL, &added, TACIT_STR("")));
	store_tell_deadline(store, q->expires_at);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_get(struct store *store, const char *id, struct store_parcel *out)
{
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	const struct memory_parcel *p = find(s, id);
	*out = p != NULL ? p->parcel : (struct store_parcel){0};
	if (p != NULL && p->parcel.ended == STORE_PARCEL_LIVES && is_over(p, m->now)) {
		out->ended = STORE_PARCEL_EXPIRED;
		out->ended_at = out->expires_at;
	}
	memory_state_drop(s);
	return p != NULL ? TACIT_OK : TACIT_E_NOT_FOUND;
}

/* Enters, and finds the parcel to change. */
static enum tacit_err enter_living(
        struct memory *m, const char *id, struct memory_state **s, struct memory_parcel **p)
{
	enum tacit_err err;
	TRY(memory_enter(m, s));
	*p = find(*s, id);
	TRY(*p != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(is_over(*p, m->now) ? TACIT_E_GONE : TACIT_OK);
out:
	return err;
}

enum tacit_err memory_parcel_advance(
        struct store *store, const char *id, int64_t from_offset, int64_t to_offset, int64_t idle_s)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_parcel *p;
	TRY(enter_living(m, id, &s, &p));
	bool fits = !p->parcel.ready && p->parcel.offset == from_offset &&
	            to_offset >= from_offset && to_offset <= p->parcel.bytes;
	TRY(fits ? TACIT_OK : TACIT_E_CONFLICT);
	p->parcel.offset = to_offset;
	p->parcel.expires_at = m->now + idle_s;
	store_tell_deadline(store, p->parcel.expires_at);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_ready(struct store *store, const char *id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_parcel *p;
	TRY(enter_living(m, id, &s, &p));
	if (!p->parcel.ready) {
		TRY(p->parcel.offset == p->parcel.bytes ? TACIT_OK : TACIT_E_CONFLICT);
		p->parcel.ready = true;
		p->parcel.expires_at = m->now + p->parcel.lifetime;
		store_tell_deadline(store, p->parcel.expires_at);
	}
out:
	return memory_leave(m, s, err);
}

static int64_t count_claims(
        const struct memory_state *s, const char *id, enum store_claim_state least)
{
	int64_t count = 0;
	const struct memory_parcel_claim *c = NULL;
	while ((c = memory_next(s, MEMORY_PARCEL_CLAIM, c)) != NULL)
		count += strcmp(c->parcel_id, id) == 0 && c->claim.state >= least;
	return count;
}

enum tacit_err memory_parcel_claim(
        struct store *store, const char *id, const uint8_t token[STORE_HASH_BYTES], int64_t lapse_s)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_parcel *p;
	struct memory_parcel_claim added = {.claim = {.state = STORE_CLAIM_RESERVED}};
	TRY(enter_living(m, id, &s, &p));
	TRY(p->parcel.ready ? TACIT_OK : TACIT_E_CONFLICT);
	drop_reserved(s, id, m->now);
	if (find_claim(s, m->now, id, token) == NULL) {
		TRY(count_claims(s, id, STORE_CLAIM_RESERVED) < p->parcel.downloads
		                ? TACIT_OK
		                : TACIT_E_CONFLICT);
		memcpy(added.parcel_id, p->parcel.id, sizeof(added.parcel_id));
		memcpy(added.claim.token, token, STORE_HASH_BYTES);
		added.claim.lapses_at = m->now + lapse_s;
		added.claim.changed_at = m->now;
		TRY(memory_add(s, MEMORY_PARCEL_CLAIM, &added, TACIT_STR("")));
	}
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_claim_get(struct store *store, const char *id,
        const uint8_t token[STORE_HASH_BYTES], struct store_parcel_claim *out)
{
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	const struct memory_parcel_claim *c = find_claim(s, m->now, id, token);
	*out = c != NULL ? c->claim : (struct store_parcel_claim){0};
	memory_state_drop(s);
	return c != NULL ? TACIT_OK : TACIT_E_NOT_FOUND;
}

static enum tacit_err enter_claim(struct memory *m, const char *id,
        const uint8_t token[STORE_HASH_BYTES], struct memory_state **s,
        struct memory_parcel_claim **c)
{
	enum tacit_err err;
	struct memory_parcel *p;
	TRY(enter_living(m, id, s, &p));
	*c = find_claim(*s, m->now, id, token);
	TRY(*c != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
out:
	return err;
}

enum tacit_err memory_parcel_begin(
        struct store *store, const char *id, const uint8_t token[STORE_HASH_BYTES])
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_parcel_claim *c;
	TRY(enter_claim(m, id, token, &s, &c));
	if (c->claim.state == STORE_CLAIM_RESERVED) {
		c->claim.state = STORE_CLAIM_BEGUN;
		c->claim.changed_at = m->now;
	}
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_release(
        struct store *store, const char *id, const uint8_t token[STORE_HASH_BYTES])
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_parcel_claim *c;
	TRY(enter_claim(m, id, token, &s, &c));
	TRY(c->claim.state == STORE_CLAIM_RESERVED ? TACIT_OK : TACIT_E_CONFLICT);
	memory_delete(s, MEMORY_PARCEL_CLAIM, c);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_commit(struct store *store, const char *id,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t receipt[STORE_RECEIPT_BYTES],
        bool *ended)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	*ended = false;
	TRY(memory_enter(m, &s));
	struct memory_parcel *p = find(s, id);
	struct memory_parcel_claim *c = find_claim(s, m->now, id, token);
	TRY(p != NULL && c != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(c->claim.state != STORE_CLAIM_RESERVED ? TACIT_OK : TACIT_E_CONFLICT);
	if (c->claim.state == STORE_CLAIM_BEGUN) {
		c->claim.state = STORE_CLAIM_DONE;
		c->claim.changed_at = m->now;
		memcpy(c->claim.receipt, receipt, STORE_RECEIPT_BYTES);
		*ended = !is_over(p, m->now) &&
		         count_claims(s, id, STORE_CLAIM_DONE) == p->parcel.downloads;
		if (*ended)
			memory_end_parcel(s, p, STORE_PARCEL_TAKEN, m->now);
	}
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_revoke(struct store *store, const char *id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	struct memory_parcel *p = find(s, id);
	TRY(p != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	if (p->parcel.ended == STORE_PARCEL_LIVES)
		memory_end_parcel(s, p,
		        is_over(p, m->now) ? STORE_PARCEL_EXPIRED : STORE_PARCEL_REVOKED, m->now);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_parcel_claim_list(struct store *store, const char *id,
        enum tacit_err (*row)(void *ctx, const struct store_parcel_claim *c), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	const struct memory_parcel_claim *c = NULL;
	TRY(find(s, id) != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	while ((c = memory_next(s, MEMORY_PARCEL_CLAIM, c)) != NULL)
		if (strcmp(c->parcel_id, id) == 0 &&
		        find_claim(s, m->now, id, c->claim.token) != NULL)
			TRY(row(ctx, &c->claim));
out:
	memory_state_drop(s);
	return err;
}
