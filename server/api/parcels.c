/* parcels.c - /api/parcels: what is left here for whoever has a link. Which bytes come in is in
 * parcel_upload.c. */
#include "server/api/parcels.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "server/api/auth.h"
#include "server/api/handlers.h"
#include "server/api/range.h"

#define MIB (1024 * 1024)

/* --- who asks ------------------------------------------------------------------------------ */

static void work_free(struct api *a, void *work)
{
	struct parcel_work *w = work;
	if (w->fd >= 0)
		(void)close(w->fd);
	api_claim_release(a->claims, &w->writing);
	tacit_free(w);
}

static enum tacit_err read_token(const struct api_call *c, uint8_t hash[STORE_HASH_BYTES])
{
	static const char scheme[] = "Parcel ";
	const size_t n = sizeof(scheme) - 1;
	struct tacit_bytes a = c->header[API_H_AUTHORIZATION];
	uint8_t token[STORE_HASH_BYTES];
	if (a.n < n || strncasecmp((const char *)a.p, scheme, n) != 0 ||
	        tacit_unhex(tacit_bytes_part(a, n, a.n), token, sizeof(token)) != TACIT_OK)
		return TACIT_E_NOT_FOUND;
	tacit_sha256(tacit_bytes(token, sizeof(token)), hash);
	tacit_wipe(token, sizeof(token));
	return TACIT_OK;
}

enum tacit_err api_parcel_load(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct parcel_work *w = tacit_calloc(1, sizeof(*w));
	if (w == NULL)
		return TACIT_E_NOMEM;
	w->fd = -1;
	c->work = w;
	c->work_free = work_free;
	TRY(read_token(c, w->token));
	TRY(store->ops->parcel_get(store, c->path.file, &w->parcel));
out:
	return err;
}

static bool is_token(const struct parcel_work *w, const uint8_t hash[STORE_HASH_BYTES])
{
	return tacit_ct_eq(
	        tacit_bytes(w->token, sizeof(w->token)), tacit_bytes(hash, STORE_HASH_BYTES));
}

enum tacit_err api_parcel_load_own(struct api_call *c, struct store *store)
{
	enum tacit_err err = api_parcel_load(c, store);
	const struct parcel_work *w = c->work;
	return err == TACIT_OK && !is_token(w, w->parcel.owner) ? TACIT_E_NOT_FOUND : err;
}

/* For who has the link. One that has ended is GONE to them. */
static enum tacit_err load_for_link(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(api_parcel_load(c, store));
	const struct parcel_work *w = c->work;
	TRY(is_token(w, w->parcel.access) ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(w->parcel.ended == STORE_PARCEL_LIVES ? TACIT_OK : TACIT_E_GONE);
out:
	return err;
}

static enum tacit_err load_for_claim(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(api_parcel_load(c, store));
	struct parcel_work *w = c->work;
	TRY(store->ops->parcel_claim_get(store, c->path.file, w->token, &w->claim));
out:
	return err;
}

int64_t api_parcel_idle_s(const struct api *a)
{
	int64_t most = a->settings.upload_expiry_s;
	return most < API_PARCEL_IDLE_S ? most : API_PARCEL_IDLE_S;
}

/* --- making one ------------------------------------------------------------------------------ */

static enum tacit_err read_hash(struct api_call *c, const char *name, size_t n, uint8_t *out)
{
	struct tacit_bytes hex;
	enum tacit_err err = api_text(c, name, TACIT_REQUIRED, 2 * n, &hex);
	if (err == TACIT_OK && tacit_unhex(hex, out, n) != TACIT_OK)
		err = api_refuse_member(c, API_INVALID_VALUE, name);
	return err;
}

static enum tacit_err read_number(
        struct api_call *c, const char *name, int64_t least, int64_t most, int64_t *out)
{
	enum tacit_err err = api_integer(c, name, TACIT_REQUIRED, 0, out);
	if (err == TACIT_OK && (*out < least || *out > most))
		err = api_refuse_member(c, API_INVALID_VALUE, name);
	return err;
}

/* By size: who stores little may do so often. */
static enum tacit_err spend_allowance(struct api_call *c, int64_t bytes)
{
	int64_t burst = API_PARCEL_BURST * (int64_t)c->api->settings.parcel_rate_mib;
	int64_t cost = bytes / MIB + 1;
	bool may = api_limiter_take(c->api->parcels_by_address, c->address_key,
	        (unsigned)(cost < burst ? cost : burst), api_monotonic_ms(), &c->retry_after);
	return may ? TACIT_OK : api_refuse(c, API_RATE_LIMITED);
}

enum tacit_err api_parcel_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct api_settings *s = &c->api->settings;
	struct parcel_work *w = tacit_calloc(1, sizeof(*w));
	(void)store;
	if (w == NULL)
		return TACIT_E_NOMEM;
	w->fd = -1;
	c->work = w;
	c->work_free = work_free;
	struct store_parcel *p = &w->parcel;
	if (s->parcel_room_bytes == 0)
		return api_refuse(c, API_PARCELS_OFF);
	/* A page elsewhere would have its visitors fill the room. */
	if (c->header[API_H_ORIGIN].p != NULL && !api_same_origin(c))
		return api_refuse(c, API_NOT_ALLOWED);
	TRY(read_number(c, "size", 2, TACIT_MAX_INTEGER, &p->bytes));
	if (p->bytes > s->max_file_bytes || p->bytes > s->parcel_room_bytes)
		return api_refuse(c, API_TOO_LARGE);
	TRY(read_number(c, "head_size", 1, p->bytes - 1, &p->head_bytes));
	TRY(read_number(c, "downloads", 1, API_PARCEL_MAX_DOWNLOADS, &p->downloads));
	TRY(read_number(
	        c, "lifetime", API_PARCEL_LEAST_LIFETIME_S, s->parcel_lifetime_s, &p->lifetime));
	TRY(read_hash(c, "access", sizeof(p->access), p->access));
	TRY(read_hash(c, "owner", sizeof(p->owner), p->owner));
	TRY(spend_allowance(c, p->bytes));
	api_file_id_new(&s->env, p->id);
out:
	return err;
}

enum tacit_err api_parcel_create(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	const struct parcel_work *work = c->work;
	err = store->ops->parcel_create(store, &work->parcel, api_parcel_idle_s(c->api),
	        c->api->settings.parcel_room_bytes);
	TRY(err == TACIT_E_LIMIT ? api_refuse(c, API_STORE_FULL) : err);
	TRY(api_answer_json(c, 201, &w));
	api_json_text(&w, "id", tacit_cstr(work->parcel.id));
	api_json_integer(&w, "offset", 0);
	TRY(api_json_finish(&w));
out:
	return err;
}

/* --- what has become of one ------------------------------------------------------------------ */

static struct tacit_bytes state_name(const struct store_parcel *p)
{
	static const char *const ends[] = {"", "taken", "revoked", "expired"};
	if (p->ended != STORE_PARCEL_LIVES)
		return tacit_cstr(ends[p->ended]);
	return p->ready ? TACIT_STR("ready") : TACIT_STR("coming");
}

static enum tacit_err write_claim(void *ctx, const struct store_parcel_claim *k)
{
	static const char *const names[] = {"", "reserved", "begun", "done"};
	struct api_json *w = ctx;
	api_json_open_object(w, NULL);
	api_json_hex(w, "claim", tacit_bytes(k->token, sizeof(k->token)));
	api_json_text(w, "state", tacit_cstr(names[k->state]));
	api_json_time(w, "changed_at", k->changed_at);
	if (k->state == STORE_CLAIM_DONE)
		api_json_hex(w, "receipt", tacit_bytes(k->receipt, sizeof(k->receipt)));
	else
		api_json_null(w, "receipt");
	api_json_close_object(w);
	return w->err;
}

static void write_parcel(struct api_json *w, const struct store_parcel *p)
{
	api_json_text(w, "id", tacit_cstr(p->id));
	api_json_text(w, "state", state_name(p));
	api_json_integer(w, "size", p->bytes);
	api_json_integer(w, "head_size", p->head_bytes);
	api_json_integer(w, "downloads", p->downloads);
	api_json_time(w, "created_at", p->created_at);
	api_json_time(w, "expires_at", p->expires_at);
}

enum tacit_err api_parcel_get(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_parcel_load_own(c, store));
	const struct store_parcel *p = &((const struct parcel_work *)c->work)->parcel;
	TRY(api_answer_json(c, 200, &w));
	write_parcel(&w, p);
	api_json_integer(&w, "offset", p->offset);
	api_json_time_or_null(&w, "ended_at", p->ended_at);
	api_json_open_array(&w, "claims");
	TRY(store->ops->parcel_claim_list(store, c->path.file, write_claim, &w));
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_parcel_revoke(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(api_parcel_load_own(c, store));
	TRY(store->ops->parcel_revoke(store, c->path.file));
	api_collect_gone(c, c->path.file);
	TRY(api_answer_empty(c, 200));
out:
	return err;
}

/* --- claims ---------------------------------------------------------------------------------- */

enum tacit_err api_parcel_claim(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	uint8_t claim[STORE_HASH_BYTES];
	struct store_parcel_claim k;
	TRY(load_for_link(c, store));
	TRY(read_hash(c, "claim", sizeof(claim), claim));
	err = store->ops->parcel_claim(store, c->path.file, claim, API_PARCEL_LAPSE_S);
	TRY(err == TACIT_E_CONFLICT ? api_refuse(c, API_PARCEL_BUSY) : err);
	TRY(store->ops->parcel_claim_get(store, c->path.file, claim, &k));
	TRY(api_answer_json(c, 201, &w));
	write_parcel(&w, &((const struct parcel_work *)c->work)->parcel);
	if (k.state == STORE_CLAIM_RESERVED)
		api_json_time(&w, "lapses_at", k.lapses_at);
	else
		api_json_null(&w, "lapses_at");
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_parcel_release(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	TRY(load_for_claim(c, store));
	TRY(store->ops->parcel_release(
	        store, c->path.file, ((const struct parcel_work *)c->work)->token));
	TRY(api_answer_empty(c, 200));
out:
	return err;
}

enum tacit_err api_parcel_commit(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	bool ended;
	uint8_t receipt[STORE_RECEIPT_BYTES];
	TRY(load_for_claim(c, store));
	TRY(read_hash(c, "receipt", sizeof(receipt), receipt));
	TRY(store->ops->parcel_commit(store, c->path.file,
	        ((const struct parcel_work *)c->work)->token, receipt, &ended));
	if (ended)
		api_collect_gone(c, c->path.file);
	TRY(api_answer_empty(c, 200));
out:
	return err;
}

/* --- content --------------------------------------------------------------------------------- */

enum tacit_err api_parcel_find(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	uint64_t from = 0, bytes = 0;
	TRY(load_for_claim(c, store));
	struct parcel_work *w = c->work;
	TRY(w->parcel.ended == STORE_PARCEL_LIVES ? TACIT_OK : TACIT_E_GONE);
	uint64_t size = (uint64_t)w->parcel.bytes, head = (uint64_t)w->parcel.head_bytes;
	/* Content has no ETag, so If-Range never fits, and all of it is sent: api_answer_file. */
	bool whole = c->header[API_H_IF_RANGE].p != NULL ||
	             api_range_read(c->header[API_H_RANGE], size, &from, &bytes) == API_RANGE_WHOLE;
	w->begins = c->method != HTTP_HEAD && (whole || from + bytes > head);
out:
	return err;
}

/* Committed before the first byte beyond the head leaves: a place that is spent stays spent. */
enum tacit_err api_parcel_begin(struct api_call *c, struct store *store)
{
	const struct parcel_work *w = c->work;
	if (!w->begins || w->claim.state != STORE_CLAIM_RESERVED)
		return TACIT_OK;
	return store->ops->parcel_begin(store, c->path.file, w->token);
}

enum tacit_err api_parcel_open(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	uint64_t size = 0;
	int fd = -1;
	(void)store;
	err = blob_open(c->api->blobs, c->path.file, &fd, &size);
	if (err == TACIT_OK)
		err = api_answer_file(c, NULL, fd, size);
	return err == TACIT_E_NOT_FOUND ? TACIT_E_GONE : err;
}
