/* spent.c - open addressing with linear probing. Many small tables instead of a large one, so that
 * none takes long to grow: a commit waits for it. */
#include "server/store/spent.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/random.h"

#define SHARDS 64
#define LEAST 16 /* places of a table that has any */

struct entry { /* both 0: a free place */
	uint64_t a, b;
};

struct shard {
	struct entry *places;
	size_t room, count; /* room: 0 or a power of two */
};

struct spent {
	uint64_t seed; /* so that nobody can choose marks that meet in one place */
	size_t count;
	struct shard shards[SHARDS];
};

/* The finalizer of SplitMix64 (Steele et al. 2014): every bit of x reaches every bit. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* One to one for what one user spends. That marks of two users are one and the same entry is a
 * collision of 128 bits. */
static struct entry entry_of(const struct spent_mark *m)
{
	struct entry e;
	memcpy(&e.a, m->hash, sizeof(e.a));
	memcpy(&e.b, m->hash + sizeof(e.a), sizeof(e.b));
	e.b ^= mix((uint64_t)m->user_id + 1);
	if (e.a == 0 && e.b == 0)
		e.a = 1;
	return e;
}

static bool is_free(const struct entry *e)
{
	return e->a == 0 && e->b == 0;
}

static uint64_t hash_of(const struct spent *s, const struct entry *e)
{
	return mix(e->a ^ s->seed);
}

static struct shard *shard_of(struct spent *s, const struct entry *e)
{
	return &s->shards[hash_of(s, e) % SHARDS];
}

static size_t home_of(const struct spent *s, const struct shard *h, const struct entry *e)
{
	return (size_t)(hash_of(s, e) / SHARDS) & (h->room - 1);
}

/* Where it is, or the free place where it would be. There is always a free one. */
static size_t find(const struct spent *s, const struct shard *h, const struct entry *e)
{
	size_t at = home_of(s, h, e);
	while (!is_free(&h->places[at]) && (h->places[at].a != e->a || h->places[at].b != e->b))
		at = (at + 1) & (h->room - 1);
	return at;
}

static enum tacit_err resize(const struct spent *s, struct shard *h, size_t room)
{
	struct shard fresh = {.room = room, .count = h->count};
	fresh.places = tacit_calloc(room, sizeof(*fresh.places));
	if (fresh.places == NULL)
		return TACIT_E_NOMEM;
	for (size_t i = 0; i < h->room; i++)
		if (!is_free(&h->places[i]))
			fresh.places[find(s, &fresh, &h->places[i])] = h->places[i];
	tacit_free(h->places);
	*h = fresh;
	return TACIT_OK;
}

enum tacit_err spent_new(struct spent **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	tacit_random(&(*out)->seed, sizeof((*out)->seed));
	return TACIT_OK;
}

void spent_free(struct spent *s)
{
	for (size_t i = 0; s != NULL && i < SHARDS; i++)
		tacit_free(s->shards[i].places);
	tacit_free(s);
}

enum tacit_err spent_add(struct spent *s, const struct spent_mark *m)
{
	enum tacit_err err = TACIT_OK;
	struct entry e = entry_of(m);
	struct shard *h = shard_of(s, &e);
	if (h->room > 0 && !is_free(&h->places[find(s, h, &e)]))
		return TACIT_E_EXISTS;
	if (h->count + 1 > h->room / 4 * 3)
		TRY(resize(s, h, h->room > 0 ? h->room * 2 : LEAST));
	h->places[find(s, h, &e)] = e;
	h->count++;
	s->count++;
out:
	return err;
}

/* Those behind it that would no longer be found over the gap move up (Knuth, volume 3, 6.4 R). */
static void close_gap(const struct spent *s, struct shard *h, size_t gap)
{
	size_t mask = h->room - 1;
	for (size_t at = (gap + 1) & mask; !is_free(&h->places[at]); at = (at + 1) & mask) {
		size_t home = home_of(s, h, &h->places[at]);
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		h->places[gap] = h->places[at];
		gap = at;
	}
	h->places[gap] = (struct entry){0};
}

void spent_remove(struct spent *s, const struct spent_mark *m)
{
	struct entry e = entry_of(m);
	struct shard *h = shard_of(s, &e);
	size_t at = h->room > 0 ? find(s, h, &e) : 0;
	if (h->room == 0 || is_free(&h->places[at]))
		return;
	close_gap(s, h, at);
	h->count--;
	s->count--;
	if (h->room > LEAST && h->count < h->room / 8)
		tacit_ignore(resize(s, h, h->room / 2), "it stays as large as it is");
}

size_t spent_count(const struct spent *s)
{
	return s->count;
}
