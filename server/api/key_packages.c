/* key_packages.c - the key packages of devices (RFC 9420 10): a stock that its device fills, and
 * from which the others of a conversation take one each. Opaque here; clients check them. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "server/api/auth.h"
#include "server/api/devices.h"
#include "server/api/handlers.h"

#define MAX_KEY_PACKAGE (16 * 1024) /* a post-quantum one with its credential has about 3 KiB */

static enum tacit_err own_device(const struct api_call *c, struct tacit_device_id *id)
{
	return tacit_unhex(tacit_cstr(c->path.file), id->b, sizeof(id->b));
}

/* --- the stock ------------------------------------------------------------------------------ */

struct stock {
	struct tacit_buf bytes; /* all of them, one behind the other */
	size_t ends[STORE_MAX_KEY_PACKAGES + 1];
	size_t count;
	bool last_resort; /* the last one is */
	int64_t not_after;
};

static void stock_free(struct api *a, void *work)
{
	struct stock *s = work;
	(void)a;
	tacit_buf_clear(&s->bytes);
	tacit_free(s);
}

static enum tacit_err add_package(struct api_call *c, struct stock *s, const json_t *item)
{
	enum tacit_err err;
	struct tacit_bytes text = tacit_bytes(json_string_value(item), json_string_length(item));
	if (text.p == NULL || s->count == TACIT_COUNT(s->ends))
		return api_refuse_member(c, API_INVALID_VALUE, "key_packages");
	size_t before = s->bytes.n;
	err = tacit_unbase64(TACIT_BASE64, text, &s->bytes);
	if (err == TACIT_E_NOMEM)
		return err;
	if (err != TACIT_OK || s->bytes.n == before || s->bytes.n - before > MAX_KEY_PACKAGE)
		return api_refuse_member(c, API_INVALID_VALUE, "key_packages");
	s->ends[s->count++] = s->bytes.n;
	return TACIT_OK;
}

enum tacit_err api_key_packages_check(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	size_t i;
	json_t *item;
	const json_t *list;
	(void)store;
	struct stock *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return TACIT_E_NOMEM;
	c->work = s;
	c->work_free = stock_free;
	err = api_object_array(&c->data, "key_packages", TACIT_REQUIRED, &list);
	if (err != TACIT_OK || json_array_size(list) > STORE_MAX_KEY_PACKAGES)
		return api_refuse_member(c, API_INVALID_VALUE, "key_packages");
	json_array_foreach(list, i, item) TRY(add_package(c, s, item));
	TRY(api_integer(c, "not_after", TACIT_OPTIONAL, 1, &s->not_after));
	const json_t *last = json_object_get(c->data.tree, "last_resort"); /* flat has no array */
	if (last != NULL && !json_is_null(last)) {
		TRY(add_package(c, s, last));
		s->last_resort = true;
	}
out:
	return err;
}

static enum tacit_err answer_stock(struct api_call *c, const struct store_stock *stock)
{
	enum tacit_err err;
	struct api_json w;
	TRY(api_answer_json(c, 200, &w));
	api_json_integer(&w, "available", stock->available);
	api_json_bool(&w, "last_resort", stock->last_resort);
	TRY(api_json_finish(&w));
out:
	return err;
}

enum tacit_err api_key_packages_put(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	const struct stock *s = c->work;
	struct tacit_bytes list[STORE_MAX_KEY_PACKAGES + 1];
	struct store_new_key_packages p = {
	        .user_id = c->who.user_id, .list = list, .not_after = s->not_after};
	struct store_stock stock;
	size_t start = 0;
	TRY(own_device(c, &p.device));
	for (size_t i = 0; i < s->count; start = s->ends[i++])
		list[i] = tacit_bytes(s->bytes.p + start, s->ends[i] - start);
	p.count = s->count - s->last_resort;
	if (s->last_resort)
		p.last_resort = list[s->count - 1];
	TRY(store->ops->key_packages_add(store, &p, &stock));
	TRY(api_tie_session(c, store, &p.device));
	TRY(answer_stock(c, &stock));
out:
	return err;
}

enum tacit_err api_key_packages_count(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_device_id id;
	struct store_stock stock;
	TRY(own_device(c, &id));
	TRY(store->ops->key_packages_count(store, c->who.user_id, &id, &stock));
	TRY(answer_stock(c, &stock));
out:
	return err;
}

/* Who logs in again on a device that is known publishes nothing for a while, but asks for its stock
 * once a day. A GET that another site's page caused says nothing about this device. */
enum tacit_err api_key_packages_tie(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct tacit_device_id id;
	if (c->way == API_BY_COOKIE && c->header[API_H_FETCH_SITE].p != NULL && !api_same_origin(c))
		return TACIT_OK;
	TRY(own_device(c, &id));
	TRY(api_tie_session(c, store, &id));
out:
	return err;
}

/* --- taking --------------------------------------------------------------------------------- */

struct claim {
	size_t count;
	struct tacit_device_id devices[];
};

static void claim_free(struct api *a, void *work)
{
	(void)a;
	tacit_free(work);
}

enum tacit_err api_claim_check(struct api_call *c, struct store *store)
{
	size_t i;
	json_t *item;
	const json_t *list;
	enum tacit_err err = api_object_array(&c->data, "devices", TACIT_REQUIRED, &list);
	size_t count = json_array_size(list);
	(void)store;
	if (err != TACIT_OK || count == 0 || count > TACIT_MAX_RECIPIENTS)
		return api_refuse_member(c, API_INVALID_VALUE, "devices");
	struct claim *claim = tacit_calloc(1, sizeof(*claim) + count * sizeof(claim->devices[0]));
	if (claim == NULL)
		return TACIT_E_NOMEM;
	c->work = claim;
	c->work_free = claim_free;
	json_array_foreach(list, i, item)
	{
		struct tacit_bytes hex =
		        tacit_bytes(json_string_value(item), json_string_length(item));
		struct tacit_device_id *id = &claim->devices[claim->count++];
		if (hex.p == NULL || tacit_unhex(hex, id->b, sizeof(id->b)) != TACIT_OK)
			return api_refuse_member(c, API_INVALID_VALUE, "devices");
	}
	return TACIT_OK;
}

/* The answer has the bytes and no more: whose device it is, the caller knows from its certificate.
 */
enum tacit_err api_claim(struct api_call *c, struct store *store)
{
	enum tacit_err err;
	struct api_json w;
	const struct claim *claim = c->work;
	struct tacit_buf package = {0};
	struct store_member asking;
	TRY(store->ops->conversation_member(store, c->path.id, c->who.user_id, c->now, &asking));
	TRY(api_answer_json(c, 200, &w));
	api_json_open_array(&w, "key_packages");
	for (size_t i = 0; i < claim->count; i++) {
		const struct tacit_device_id *id = &claim->devices[i];
		package.n = 0;
		err = store->ops->key_package_claim(
		        store, c->path.id, c->who.user_id, id, &package);
		if (err == TACIT_E_NOT_FOUND)
			continue; /* what is missing is not in the answer */
		TRY(err);
		api_json_open_object(&w, NULL);
		api_json_hex(&w, "device", tacit_bytes(id->b, sizeof(id->b)));
		api_json_base64(&w, "key_package", tacit_buf_view(&package));
		api_json_close_object(&w);
	}
	api_json_close_array(&w);
	TRY(api_json_finish(&w));
out:
	tacit_buf_clear(&package);
	return err;
}
