#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/secret.h"
#include "e2e/pairwise_int.h"
#include "wire/limits.h"

#define MAGIC "tacit pairwise v1"

static_assert(TACIT_PAIRWISE_WINDOW == 64, "sender.seen has one bit for each");

enum tacit_err tacit_pairwise_create(uint64_t conversation, struct tacit_group **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL)
		return TACIT_E_NOMEM;
	(*out)->conversation = conversation;
	return TACIT_OK;
}

void tacit_pairwise_destroy(struct tacit_group *g)
{
	if (g == NULL)
		return;
	tacit_free(g->senders);
	tacit_wipe(g, sizeof(*g));
	tacit_free(g);
}

static int compare_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static int compare(const struct sender *s, const struct tacit_sign_public *account,
        const struct tacit_device_id *device)
{
	int c = compare_bytes(s->account.b, account->b, sizeof(account->b));
	return c != 0 ? c : compare_bytes(s->device.b, device->b, sizeof(device->b));
}

size_t tacit_pairwise_place(const struct tacit_group *g, const struct tacit_sign_public *account,
        const struct tacit_device_id *device, bool *found)
{
	size_t from = 0;
	size_t to = g->count;
	*found = false;
	while (from < to && !*found) {
		size_t middle = from + (to - from) / 2;
		int c = compare(&g->senders[middle], account, device);
		if (c == 0) {
			*found = true;
			from = middle;
		} else if (c < 0) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return from;
}

/* Remembered devices are never dropped to make room: a forgotten one could be replayed. So each
 * account has a share of its own, and cannot use up that of the others. */
static bool account_is_full(const struct tacit_group *g, const struct tacit_sign_public *account)
{
	static const struct tacit_device_id least;
	bool found;
	size_t i = tacit_pairwise_place(g, account, &least, &found);
	size_t n = 0;
	while (i + n < g->count &&
	        compare_bytes(g->senders[i + n].account.b, account->b, sizeof(account->b)) == 0)
		n++;
	return n >= TACIT_MAX_SENDERS_PER_ACCOUNT;
}

enum tacit_err tacit_pairwise_make_room(
        struct tacit_group *g, const struct tacit_sign_public *account)
{
	if (g->count >= TACIT_MAX_RECIPIENTS || account_is_full(g, account))
		return TACIT_E_LIMIT;
	if (g->count < g->cap)
		return TACIT_OK;
	size_t cap = g->cap > 0 ? g->cap * 2 : 2;
	struct sender *grown = tacit_realloc(g->senders, cap * sizeof(*grown));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	g->senders = grown;
	g->cap = cap;
	return TACIT_OK;
}

enum tacit_err tacit_pairwise_judge(const struct sender *s, uint64_t order,
        const uint8_t previous[TACIT_SHA256_BYTES], const uint8_t hash[TACIT_SHA256_BYTES],
        uint64_t *missing)
{
	*missing = 0;
	if (order <= s->order) {
		uint64_t back = s->order - order;
		if (back >= TACIT_PAIRWISE_WINDOW || (s->seen >> back & 1) == 0 ||
		        compare_bytes(s->marks[order % TACIT_PAIRWISE_WINDOW], hash,
		                TACIT_PAIRWISE_MARK_BYTES) != 0)
			return TACIT_E_ORDER_CHANGED;
		return TACIT_E_REPLAY;
	}
	*missing = order - s->order - 1;
	if (*missing == 0 && compare_bytes(previous, s->hash, TACIT_SHA256_BYTES) != 0)
		return TACIT_E_ORDER_CHANGED;
	return TACIT_OK;
}

void tacit_pairwise_advance(
        struct sender *s, uint64_t order, const uint8_t hash[TACIT_SHA256_BYTES])
{
	uint64_t steps = order - s->order;
	s->seen = steps < TACIT_PAIRWISE_WINDOW ? s->seen << steps : 0;
	s->seen |= 1;
	s->order = order;
	memcpy(s->hash, hash, TACIT_SHA256_BYTES);
	memcpy(s->marks[order % TACIT_PAIRWISE_WINDOW], hash, TACIT_PAIRWISE_MARK_BYTES);
}

static void write_sender(struct tacit_writer *w, const struct sender *s)
{
	tacit_write_raw(w, tacit_bytes(s->account.b, sizeof(s->account.b)));
	tacit_write_raw(w, tacit_bytes(s->device.b, sizeof(s->device.b)));
	tacit_write_u64(w, s->order);
	tacit_write_raw(w, tacit_bytes(s->hash, sizeof(s->hash)));
	tacit_write_u64(w, s->seen);
	for (uint64_t back = 1; back < TACIT_PAIRWISE_WINDOW; back++)
		if (s->seen >> back & 1)
			tacit_write_raw(
			        w, tacit_bytes(s->marks[(s->order - back) % TACIT_PAIRWISE_WINDOW],
			                   TACIT_PAIRWISE_MARK_BYTES));
}

enum tacit_err tacit_pairwise_serialise(const struct tacit_group *g, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_raw(&w, TACIT_STR(MAGIC));
	tacit_write_u64(&w, g->conversation);
	tacit_write_u64(&w, g->order);
	tacit_write_raw(&w, tacit_bytes(g->previous, sizeof(g->previous)));
	tacit_write_u8(&w, g->can_unsend);
	if (g->can_unsend)
		tacit_write_raw(&w, tacit_bytes(g->before, sizeof(g->before)));
	tacit_write_u16(&w, (uint16_t)g->count);
	for (size_t i = 0; i < g->count; i++)
		write_sender(&w, &g->senders[i]);
	return tacit_writer_finish(&w);
}

static void read_sender(struct tacit_reader *r, struct sender *s)
{
	*s = (struct sender){0};
	tacit_read_into(r, s->account.b, sizeof(s->account.b));
	tacit_read_into(r, s->device.b, sizeof(s->device.b));
	s->order = tacit_read_u64(r);
	tacit_read_into(r, s->hash, sizeof(s->hash));
	s->seen = tacit_read_u64(r);
	if (s->order == 0 || s->order > TACIT_MAX_INTEGER || (s->seen & 1) == 0 ||
	        (s->order < TACIT_PAIRWISE_WINDOW && s->seen >> s->order != 0))
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	memcpy(s->marks[s->order % TACIT_PAIRWISE_WINDOW], s->hash, TACIT_PAIRWISE_MARK_BYTES);
	for (uint64_t back = 1; back < TACIT_PAIRWISE_WINDOW; back++)
		if (s->seen >> back & 1)
			tacit_read_into(r, s->marks[(s->order - back) % TACIT_PAIRWISE_WINDOW],
			        TACIT_PAIRWISE_MARK_BYTES);
}

/* Ascending, so that halving finds them and none is there twice. */
static enum tacit_err read_senders(struct tacit_reader *r, size_t count, struct tacit_group *g)
{
	for (size_t i = 0; i < count && r->err == TACIT_OK; i++) {
		struct sender s;
		read_sender(r, &s);
		if (r->err != TACIT_OK)
			break;
		if (i > 0 && compare(&g->senders[i - 1], &s.account, &s.device) >= 0)
			return TACIT_E_MALFORMED;
		enum tacit_err err = tacit_pairwise_make_room(g, &s.account);
		if (err != TACIT_OK)
			return err == TACIT_E_LIMIT ? TACIT_E_TOO_LARGE : err;
		g->senders[g->count++] = s;
	}
	return r->err;
}

static void read_magic(struct tacit_reader *r)
{
	struct tacit_bytes magic = TACIT_STR(MAGIC);
	struct tacit_bytes got = tacit_read_view(r, magic.n);
	if (r->err != TACIT_OK || tacit_bytes_eq(got, magic))
		return;
	got.n = magic.n = magic.n - 1; /* all but the version's digit */
	tacit_reader_fail(r, tacit_bytes_eq(got, magic) ? TACIT_E_UNSUPPORTED : TACIT_E_MALFORMED);
}

static void read_own(struct tacit_reader *r, struct tacit_group *g)
{
	g->conversation = tacit_read_u64(r);
	g->order = tacit_read_u64(r);
	tacit_read_into(r, g->previous, sizeof(g->previous));
	uint8_t can_unsend = tacit_read_u8(r);
	g->can_unsend = can_unsend == 1;
	if (g->can_unsend)
		tacit_read_into(r, g->before, sizeof(g->before));
	if (g->order > TACIT_MAX_INTEGER || can_unsend > 1 || (g->order == 0 && g->can_unsend))
		tacit_reader_fail(r, TACIT_E_MALFORMED);
}

enum tacit_err tacit_pairwise_load(struct tacit_bytes state, struct tacit_group **out)
{
	*out = NULL;
	enum tacit_err err;
	struct tacit_group *g = NULL;
	struct tacit_reader r = tacit_reader(state);
	TRY(tacit_pairwise_create(0, &g));
	read_magic(&r);
	read_own(&r, g);
	size_t count = tacit_read_u16(&r);
	if (count > TACIT_MAX_RECIPIENTS)
		tacit_reader_fail(&r, TACIT_E_TOO_LARGE);
	TRY(read_senders(&r, count, g));
	TRY(tacit_reader_end(&r));
	*out = g;
	g = NULL;
out:
	tacit_pairwise_destroy(g);
	return err;
}
