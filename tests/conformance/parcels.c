#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define IDLE 50
#define LAPSE 10
#define ROOM 1000

static struct store_parcel a_parcel(char digit, int64_t downloads)
{
	struct store_parcel p = {
	        .head_bytes = 10, .bytes = 100, .downloads = downloads, .lifetime = 200};
	memset(p.id, digit, STORE_FILE_ID_CHARS);
	memcpy(p.access, hash_of((uint8_t)digit), STORE_HASH_BYTES);
	memcpy(p.owner, hash_of((uint8_t)(digit + 100)), STORE_HASH_BYTES);
	return p;
}

/* Both handles know the time. */
static void at(struct fixture *f, int64_t now)
{
	f->ops->advance(f->w, now);
	f->ops->advance(f->r, now);
}

static bool make_ready(struct fixture *f, const struct store_parcel *p)
{
	return CHECK_OK(f->ops->parcel_create(f->w, p, IDLE, ROOM)) &&
	       CHECK_OK(f->ops->parcel_advance(f->w, p->id, 0, p->bytes, IDLE)) &&
	       CHECK_OK(f->ops->parcel_ready(f->w, p->id));
}

static const uint8_t *receipt_of(uint8_t seed)
{
	static uint8_t receipt[STORE_RECEIPT_BYTES];
	memset(receipt, seed, sizeof(receipt));
	return receipt;
}

/* Claims, begins and commits. */
static enum tacit_err take(struct fixture *f, const char *id, uint8_t seed, bool *ended)
{
	enum tacit_err err;
	TRY(f->ops->parcel_claim(f->w, id, hash_of(seed), LAPSE));
	TRY(f->ops->parcel_begin(f->w, id, hash_of(seed)));
	TRY(f->ops->parcel_commit(f->w, id, hash_of(seed), receipt_of(seed), ended));
out:
	return err;
}

static void a_parcel_comes_in_parts(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 1), found;
	at(&f, NOW);
	CHECK_ERR(f.ops->parcel_get(f.r, p.id, &found), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->parcel_create(f.w, &p, IDLE, ROOM));
	CHECK_ERR(f.ops->parcel_create(f.w, &p, IDLE, ROOM), TACIT_E_EXISTS);
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_BYTES(tacit_cstr(found.id), tacit_cstr(p.id));
	CHECK_BYTES(tacit_bytes(found.access, 32), tacit_bytes(p.access, 32));
	CHECK_BYTES(tacit_bytes(found.owner, 32), tacit_bytes(p.owner, 32));
	CHECK_INT(found.head_bytes, 10);
	CHECK_INT(found.bytes, 100);
	CHECK_INT(found.offset, 0);
	CHECK_INT(found.downloads, 1);
	CHECK_INT(found.created_at, NOW);
	CHECK_INT(found.expires_at, NOW + IDLE);
	CHECK(!found.ready && found.ended == STORE_PARCEL_LIVES);
	CHECK_OK(f.ops->file_exists(f.r, p.id)); /* its body is no orphan */

	CHECK_ERR(f.ops->parcel_advance(f.w, p.id, 1, 10, IDLE), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->parcel_advance(f.w, p.id, 0, 101, IDLE), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->parcel_advance(f.w, p.id, 0, 99, IDLE));
	CHECK_ERR(f.ops->parcel_advance(f.w, p.id, 99, 98, IDLE), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->parcel_ready(f.w, p.id), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(1), LAPSE), TACIT_E_CONFLICT);
	at(&f, NOW + 40);
	CHECK_OK(f.ops->parcel_advance(f.w, p.id, 99, 100, IDLE));
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_INT(found.expires_at, NOW + 40 + IDLE);
	CHECK_OK(f.ops->parcel_ready(f.w, p.id));
	at(&f, NOW + 60);
	CHECK_OK(f.ops->parcel_ready(f.w, p.id)); /* again: nothing changes */
	CHECK_ERR(f.ops->parcel_advance(f.w, p.id, 100, 100, IDLE), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_INT(found.expires_at, NOW + 40 + 200);
	CHECK(found.ready && found.offset == 100);
	CHECK_ERR(f.ops->parcel_advance(f.w, "none", 0, 1, IDLE), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->parcel_ready(f.w, "none"), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void what_makes_no_sense_is_refused(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel wrong[5];
	struct store_file file = a_file('f', f.anna, 0, 1);
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++)
		wrong[i] = a_parcel('a', 1);
	wrong[0].head_bytes = 0;
	wrong[1].bytes = wrong[1].head_bytes;
	wrong[2].downloads = 0;
	wrong[3].lifetime = 0;
	for (size_t i = 0; i < 4; i++)
		CHECK_ERR(f.ops->parcel_create(f.w, &wrong[i], IDLE, ROOM), TACIT_E_USAGE);
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	memcpy(wrong[4].id, file.id, sizeof(file.id));
	CHECK_ERR(f.ops->parcel_create(f.w, &wrong[4], IDLE, ROOM), TACIT_E_EXISTS);
	tear_down(&f);
}

static void the_room_is_for_all_that_live(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel a = a_parcel('a', 1), b = a_parcel('b', 1), c = a_parcel('c', 1);
	bool ended;
	at(&f, NOW);
	CHECK_OK(f.ops->parcel_create(f.w, &a, IDLE, 250)); /* with its whole length */
	CHECK_OK(f.ops->parcel_create(f.w, &b, IDLE, 250));
	CHECK_ERR(f.ops->parcel_create(f.w, &c, IDLE, 299), TACIT_E_LIMIT);
	CHECK_ERR(f.ops->parcel_create(f.w, &c, IDLE, 0), TACIT_E_LIMIT);
	CHECK_OK(f.ops->parcel_revoke(f.w, a.id));
	CHECK_OK(f.ops->parcel_revoke(f.w, a.id)); /* once is counted */
	CHECK_OK(f.ops->parcel_create(f.w, &c, IDLE, 200));
	CHECK_OK(f.ops->parcel_advance(f.w, c.id, 0, 100, IDLE));
	CHECK_OK(f.ops->parcel_ready(f.w, c.id));
	CHECK_OK(take(&f, c.id, 1, &ended));
	CHECK(ended);
	CHECK_ERR(f.ops->file_exists(f.r, c.id), TACIT_E_NOT_FOUND);
	c = a_parcel('d', 1);
	CHECK_ERR(f.ops->parcel_create(f.w, &c, IDLE, 199), TACIT_E_LIMIT);
	CHECK_OK(f.ops->parcel_create(f.w, &c, IDLE, 200));
	tear_down(&f);
}

static void a_claim_is_reserved_begun_and_done(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 2), found;
	struct store_parcel_claim c;
	bool ended = true;
	at(&f, NOW);
	REQUIRE(make_ready(&f, &p));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(1), LAPSE));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(1), 2 * LAPSE)); /* a lost answer */
	CHECK_OK(f.ops->parcel_claim_get(f.r, p.id, hash_of(1), &c));
	CHECK_INT(c.state, STORE_CLAIM_RESERVED);
	CHECK_INT(c.lapses_at, NOW + LAPSE);
	CHECK_ERR(f.ops->parcel_claim_get(f.r, p.id, hash_of(2), &c), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->parcel_commit(f.w, p.id, hash_of(1), receipt_of(1), &ended),
	        TACIT_E_CONFLICT);
	CHECK(!ended);
	CHECK_ERR(f.ops->parcel_begin(f.w, p.id, hash_of(2)), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->parcel_begin(f.w, p.id, hash_of(1)));
	CHECK_OK(f.ops->parcel_begin(f.w, p.id, hash_of(1)));
	CHECK_ERR(f.ops->parcel_release(f.w, p.id, hash_of(1)), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->parcel_commit(f.w, p.id, hash_of(1), receipt_of(7), &ended));
	CHECK(!ended);
	CHECK_OK(f.ops->parcel_commit(f.w, p.id, hash_of(1), receipt_of(8), &ended));
	CHECK_OK(f.ops->parcel_claim_get(f.r, p.id, hash_of(1), &c));
	CHECK_INT(c.state, STORE_CLAIM_DONE);
	CHECK_BYTES(tacit_bytes(c.receipt, sizeof(c.receipt)),
	        tacit_bytes(receipt_of(7), STORE_RECEIPT_BYTES));
	/* The second is the last, and counted once however often it is said. */
	CHECK_OK(take(&f, p.id, 2, &ended));
	CHECK(ended);
	CHECK_OK(f.ops->parcel_commit(f.w, p.id, hash_of(2), receipt_of(2), &ended));
	CHECK(!ended);
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_INT(found.ended, STORE_PARCEL_TAKEN);
	CHECK_INT(found.ended_at, NOW);
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(3), LAPSE), TACIT_E_GONE);
	CHECK_ERR(f.ops->parcel_begin(f.w, p.id, hash_of(1)), TACIT_E_GONE);
	tear_down(&f);
}

static void what_lapses_or_is_given_back_can_be_had(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 1);
	struct store_parcel_claim c;
	at(&f, NOW);
	REQUIRE(make_ready(&f, &p));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(1), LAPSE));
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(2), LAPSE), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->parcel_release(f.w, p.id, hash_of(1)));
	CHECK_ERR(f.ops->parcel_release(f.w, p.id, hash_of(1)), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(2), LAPSE));
	at(&f, NOW + LAPSE - 1);
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(3), LAPSE), TACIT_E_CONFLICT);
	at(&f, NOW + LAPSE);
	CHECK_ERR(f.ops->parcel_claim_get(f.r, p.id, hash_of(2), &c), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->parcel_begin(f.w, p.id, hash_of(2)), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(3), LAPSE));
	CHECK_OK(f.ops->parcel_begin(f.w, p.id, hash_of(3)));
	/* Bytes were given out: from now on the place is spent, whatever becomes of it. */
	at(&f, NOW + 100);
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(4), LAPSE), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->parcel_begin(f.w, p.id, hash_of(3)));
	tear_down(&f);
}

struct claims {
	struct store_parcel_claim list[8];
	size_t count;
	enum tacit_err answer;
};

static enum tacit_err collect(void *ctx, const struct store_parcel_claim *c)
{
	struct claims *all = ctx;
	if (CHECK(all->count < TACIT_COUNT(all->list)))
		all->list[all->count++] = *c;
	return all->answer;
}

static void the_owner_sees_claims(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 5), q = a_parcel('b', 5);
	struct claims all = {0}, stopped = {.answer = TACIT_E_CANCELLED};
	bool ended;
	at(&f, NOW);
	REQUIRE(make_ready(&f, &p) && make_ready(&f, &q));
	CHECK_OK(take(&f, p.id, 3, &ended));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(1), LAPSE));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(2), LAPSE));
	CHECK_OK(f.ops->parcel_begin(f.w, p.id, hash_of(2)));
	CHECK_OK(take(&f, q.id, 9, &ended));
	CHECK_OK(f.ops->parcel_claim_list(f.r, p.id, collect, &all));
	CHECK_INT(all.count, 3);
	for (size_t i = 1; i < all.count; i++)
		CHECK(memcmp(all.list[i - 1].token, all.list[i].token, STORE_HASH_BYTES) < 0);
	CHECK_ERR(f.ops->parcel_claim_list(f.r, p.id, collect, &stopped), TACIT_E_CANCELLED);
	CHECK_INT(stopped.count, 1);
	all.count = 0;
	at(&f, NOW + LAPSE);
	CHECK_OK(f.ops->parcel_claim_list(f.r, p.id, collect, &all));
	CHECK_INT(all.count, 2);
	CHECK_ERR(f.ops->parcel_claim_list(f.r, "none", collect, &all), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void revoked_is_revoked(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 3), found;
	struct claims all = {0};
	bool ended;
	at(&f, NOW);
	REQUIRE(make_ready(&f, &p));
	CHECK_OK(take(&f, p.id, 1, &ended));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(2), LAPSE));
	CHECK_OK(f.ops->parcel_begin(f.w, p.id, hash_of(2)));
	CHECK_OK(f.ops->parcel_claim(f.w, p.id, hash_of(3), LAPSE));
	CHECK_ERR(f.ops->parcel_revoke(f.w, "none"), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->parcel_revoke(f.w, p.id));
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_INT(found.ended, STORE_PARCEL_REVOKED);
	CHECK_ERR(f.ops->parcel_begin(f.w, p.id, hash_of(3)), TACIT_E_GONE);
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(4), LAPSE), TACIT_E_GONE);
	CHECK_ERR(f.ops->parcel_advance(f.w, p.id, 100, 100, IDLE), TACIT_E_GONE);
	CHECK_ERR(f.ops->parcel_ready(f.w, p.id), TACIT_E_GONE);
	/* Who had begun may have all of it: the sender is to know. */
	CHECK_OK(f.ops->parcel_commit(f.w, p.id, hash_of(2), receipt_of(2), &ended));
	CHECK(!ended);
	CHECK_OK(f.ops->parcel_claim_list(f.r, p.id, collect, &all));
	CHECK_INT(all.count, 2);
	tear_down(&f);
}

static void time_ends_a_parcel_swept_or_not(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 3), q = a_parcel('b', 1), r = a_parcel('c', 1), found;
	struct gone gone = {0};
	struct store_sweep w = {.limit = 10, .gone = collect_gone, .ctx = &gone};
	bool ended;
	at(&f, NOW);
	REQUIRE(make_ready(&f, &p));
	CHECK_OK(f.ops->parcel_create(f.w, &q, IDLE, ROOM)); /* never comes whole */
	CHECK_OK(f.ops->parcel_create(f.w, &r, IDLE, ROOM));
	CHECK_OK(f.ops->parcel_revoke(f.w, r.id));
	CHECK_OK(take(&f, p.id, 1, &ended));
	CHECK_OK(f.ops->sweep(f.w, NOW + IDLE - 1, &w));
	CHECK_INT(gone.count, 0);
	CHECK_INT(w.next, NOW + IDLE);
	at(&f, NOW + IDLE);
	CHECK_ERR(f.ops->parcel_advance(f.w, q.id, 0, 1, IDLE), TACIT_E_GONE);
	CHECK_OK(f.ops->sweep(f.w, NOW + IDLE, &w));
	CHECK_INT(gone.count, 1);
	CHECK(is_gone(&gone, q.id));
	CHECK_INT(w.next, NOW + 200);
	at(&f, NOW + 200);
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_INT(found.ended, STORE_PARCEL_EXPIRED);
	CHECK_INT(found.ended_at, NOW + 200);
	CHECK_ERR(f.ops->parcel_claim(f.w, p.id, hash_of(2), LAPSE), TACIT_E_GONE);
	CHECK_OK(f.ops->file_exists(f.r, p.id)); /* until it is swept */
	CHECK_OK(f.ops->sweep(f.w, NOW + 200, &w));
	CHECK_INT(gone.count, 2);
	CHECK_ERR(f.ops->file_exists(f.r, p.id), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_INT(found.ended, STORE_PARCEL_EXPIRED);
	/* What became of it is told for a while. */
	CHECK_OK(f.ops->sweep(f.w, NOW + 199 + STORE_PARCEL_KEPT_SECONDS, &w));
	CHECK_OK(f.ops->parcel_get(f.r, p.id, &found));
	CHECK_ERR(f.ops->parcel_get(f.r, q.id, &found), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->sweep(f.w, NOW + 200 + STORE_PARCEL_KEPT_SECONDS, &w));
	CHECK_ERR(f.ops->parcel_get(f.r, p.id, &found), TACIT_E_NOT_FOUND);
	CHECK_INT(gone.count, 2);
	tear_down(&f);
}

#define CROWD 8

struct one {
	struct fixture *f;
	const char *id;
	uint8_t first;
	unsigned got, failed;
};

static void *claim_many(void *arg)
{
	struct one *o = arg;
	char why[256];
	struct store *s = NULL;
	if (store_open(o->f->url, STORE_WRITER, why, &s) != TACIT_OK) {
		o->failed = 1000;
		return NULL;
	}
	for (uint8_t i = 0; i < 7; i++) {
		uint8_t token[STORE_HASH_BYTES] = {o->first, i};
		enum tacit_err err = s->ops->parcel_claim(s, o->id, token, LAPSE);
		o->got += err == TACIT_OK;
		o->failed += err != TACIT_OK && err != TACIT_E_CONFLICT;
	}
	store_close(s);
	return NULL;
}

static void a_crowd_gets_what_was_allowed(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_parcel p = a_parcel('a', 3);
	pthread_t threads[CROWD];
	struct one crowd[CROWD];
	unsigned got = 0;
	at(&f, NOW);
	REQUIRE(make_ready(&f, &p));
	for (uint8_t i = 0; i < CROWD; i++) {
		crowd[i] = (struct one){.f = &f, .id = p.id, .first = i};
		REQUIRE(pthread_create(&threads[i], NULL, claim_many, &crowd[i]) == 0);
	}
	for (size_t i = 0; i < CROWD; i++) {
		CHECK_INT(pthread_join(threads[i], NULL), 0);
		CHECK_INT(crowd[i].failed, 0);
		got += crowd[i].got;
	}
	CHECK_INT(got, 3);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"a parcel comes in parts", a_parcel_comes_in_parts},
        {"a parcel that makes no sense is refused", what_makes_no_sense_is_refused},
        {"the room is for all that live", the_room_is_for_all_that_live},
        {"a claim is reserved, begun and done", a_claim_is_reserved_begun_and_done},
        {"what lapses or is given back can be had", what_lapses_or_is_given_back_can_be_had},
        {"the owner sees claims", the_owner_sees_claims},
        {"revoked is revoked", revoked_is_revoked},
        {"time ends a parcel, swept or not", time_ends_a_parcel_swept_or_not},
        {"a crowd gets what was allowed", a_crowd_gets_what_was_allowed},
};
const struct case_list parcel_cases = {cases, TACIT_COUNT(cases)};
