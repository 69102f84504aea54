/* key_packages.c - what others need to let this device into a group while it is away: RFC 9420 10.
 *
 * The private half is kept before the public one leaves. One serves once and is gone with the
 * Welcome that used it; a last-resort one serves until a newer one has taken its place for long
 * enough that nobody can have the old one in hand. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "engine/engine_int.h"

#define DAY ((int64_t)86400)
#define LOOK_EVERY DAY
#define LAST_RESORT_SECONDS (30 * DAY)

void tacit_key_packages_free(struct tacit_engine *e)
{
	while (e->key_packages != NULL) {
		struct tacit_key_package *k = e->key_packages;
		e->key_packages = k->next;
		tacit_buf_clear(&k->secret);
		tacit_free(k);
	}
	e->key_package_count = 0;
}

enum tacit_err tacit_key_package_add(struct tacit_engine *e, const struct tacit_key_package *from)
{
	if (e->key_package_count >= KEY_PACKAGES_KEPT)
		return TACIT_E_LIMIT;
	struct tacit_key_package *k = tacit_alloc(sizeof(*k));
	if (k == NULL)
		return TACIT_E_NOMEM;
	*k = *from;
	k->next = e->key_packages;
	e->key_packages = k;
	e->key_package_count++;
	return TACIT_OK;
}

static enum tacit_err drop(struct tacit_engine *e, struct tacit_key_package *gone)
{
	enum tacit_err err = tacit_records_delete_key_package(e, gone);
	struct tacit_key_package **at = &e->key_packages;
	if (err != TACIT_OK)
		return err;
	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	e->key_package_count--;
	tacit_buf_clear(&gone->secret);
	tacit_free(gone);
	return TACIT_OK;
}

struct tacit_key_package *tacit_key_package_for(
        const struct tacit_engine *e, struct tacit_bytes welcome)
{
	for (struct tacit_key_package *k = e->key_packages; k != NULL; k = k->next)
		if (tacit_group_welcome_is_for(welcome, tacit_buf_view(&k->secret)))
			return k;
	return NULL;
}

enum tacit_err tacit_key_package_used(struct tacit_engine *e, struct tacit_key_package *k)
{
	e->stock_asked_at = 0;
	e->device_dirty = e->changed = true;
	return k->last_resort ? TACIT_OK : drop(e, k);
}

/* --- the stock ---------------------------------------------------------------------------------
 */

static bool last_resort_due(const struct tacit_engine *e)
{
	int64_t now = tacit_env_now(&e->env);
	for (const struct tacit_key_package *k = e->key_packages; k != NULL; k = k->next)
		if (k->last_resort && k->offered && k->made_at + LAST_RESORT_SECONDS > now)
			return false;
	return true;
}

bool tacit_key_packages_due(const struct tacit_engine *e)
{
	return e->stock_asked_at + LOOK_EVERY <= tacit_env_now(&e->env) || last_resort_due(e);
}

/* Nobody lets in by one that has lapsed; a little longer, for a Welcome that waits. */
static enum tacit_err drop_lapsed(struct tacit_engine *e)
{
	enum tacit_err err = TACIT_OK;
	int64_t now = tacit_env_now(&e->env);
	struct tacit_key_package *next;
	for (struct tacit_key_package *k = e->key_packages; k != NULL; k = next) {
		next = k->next;
		if (k->made_at + TACIT_KEY_PACKAGE_SECONDS + LAST_RESORT_SECONDS <= now)
			TRY(drop(e, k));
	}
out:
	return err;
}

static enum tacit_err make_one(struct tacit_engine *e, struct tacit_mls_key_pairs *pairs,
        bool last_resort, struct tacit_buf *public)
{
	enum tacit_err err;
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, NULL, &b);
	struct tacit_key_package k = {
	        .last_resort = last_resort, .made_at = tacit_env_now(&e->env), .dirty = true};
	tacit_env_random(&e->env, k.id, sizeof(k.id));
	/* In one piece: growing would leave copies of it behind. */
	TRY(tacit_buf_reserve(&k.secret, 16 * 1024));
	TRY(tacit_group_key_package(&self, pairs, public, &k.secret));
	TRY(tacit_key_package_add(e, &k));
	k.secret = (struct tacit_buf){0};
	e->changed = true;
out:
	tacit_buf_clear(&k.secret);
	return err;
}

static enum tacit_err add_text(json_t *list, struct tacit_bytes public)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	TRY(tacit_base64(TACIT_BASE64, public, &text));
	if (json_array_append_new(list, json_stringn((const char *)text.p, text.n)) != 0)
		err = TACIT_E_NOMEM;
out:
	tacit_buf_clear(&text);
	return err;
}

static enum tacit_err make_stock(
        struct tacit_engine *e, size_t count, bool last_resort, json_t **data)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf public = {0};
	struct tacit_mls_key_pairs *pairs = NULL;
	struct tacit_belonging b;
	struct tacit_self self = tacit_self_in(e, NULL, &b);
	json_t *list = json_array(), *last = json_array();
	*data = NULL;
	if (count + last_resort > 0)
		TRY(tacit_group_key_pairs_new(&self, count + last_resort, &pairs));
	for (size_t i = 0; i < count + last_resort; i++) {
		public.n = 0;
		TRY(make_one(e, pairs, i == count, &public));
		TRY(add_text(i == count ? last : list, tacit_buf_view(&public)));
	}
	*data = json_pack("{s:O,s:I}", "key_packages", list, "not_after",
	        (json_int_t)(tacit_env_now(&e->env) + TACIT_KEY_PACKAGE_SECONDS));
	if (*data == NULL || (last_resort && json_object_set(*data, "last_resort",
	                                             json_array_get(last, 0)) != 0))
		err = TACIT_E_NOMEM;
out:
	tacit_group_key_pairs_free(pairs);
	tacit_buf_clear(&public);
	json_decref(list);
	json_decref(last);
	if (err != TACIT_OK) {
		json_decref(*data);
		*data = NULL;
	}
	return err;
}

/* --- the server's part -------------------------------------------------------------------------
 */

static enum tacit_err go_on(struct tacit_engine *e, struct tacit_op *op)
{
	return op->after(e, op);
}

static enum tacit_err drop_refused(struct tacit_engine *e)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_key_package *next;
	for (struct tacit_key_package *k = e->key_packages; k != NULL && err == TACIT_OK;
	        k = next) {
		next = k->next;
		if (!k->offered)
			err = drop(e, k);
	}
	return err;
}

/* Without key packages the others leave this device out until it comes by itself: no loss, and
 * another try is due. When no answer came, they may have arrived. */
static enum tacit_err put_done(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	if (a->err == TACIT_OK) {
		for (struct tacit_key_package *k = e->key_packages; k != NULL; k = k->next) {
			k->dirty |= !k->offered;
			k->offered = true;
		}
		e->stock_asked_at = tacit_env_now(&e->env);
		e->device_dirty = e->changed = true;
	} else if (a->status != 0) {
		enum tacit_err err = drop_refused(e);
		if (err != TACIT_OK)
			return err;
	}
	return go_on(e, op);
}

static void device_hex(const struct tacit_engine *e, char out[2 * TACIT_DEVICE_ID_BYTES + 1])
{
	tacit_hex(tacit_bytes(e->device.id.b, sizeof(e->device.id.b)), out);
}

static enum tacit_err put(struct tacit_engine *e, struct tacit_op *op, size_t count, bool last)
{
	enum tacit_err err;
	json_t *data;
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	size_t room = KEY_PACKAGES_KEPT - e->key_package_count;
	count = count + last > room ? room - (last && room > 0) : count;
	device_hex(e, hex);
	TRY(make_stock(e, count, last && room > 0, &data));
	TRY(tacit_op_call(e, op,
	        &(struct tacit_call){.method = TACIT_PUT, .body = TACIT_BODY_SIGNED, .data = data},
	        put_done, "/api/devices/%s/key-packages", hex));
out:
	return err;
}

static enum tacit_err got_stock(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	int64_t available = 0;
	if (a->err != TACIT_OK || tacit_json_integer(a->body, "available", TACIT_REQUIRED, 0,
	                                  TACIT_MAX_INTEGER, &available) != TACIT_OK)
		return go_on(e, op);
	bool last = last_resort_due(e) || !json_is_true(json_object_get(a->body, "last_resort"));
	size_t count =
	        available >= KEY_PACKAGES_LEAST ? 0 : KEY_PACKAGES_OFFERED - (size_t)available;
	if (count > 0 || last)
		return put(e, op, count, last);
	e->stock_asked_at = tacit_env_now(&e->env);
	e->device_dirty = e->changed = true;
	return go_on(e, op);
}

enum tacit_err tacit_key_packages_offer(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	char hex[2 * TACIT_DEVICE_ID_BYTES + 1];
	if (!tacit_key_packages_due(e))
		return go_on(e, op);
	TRY(drop_lapsed(e));
	if (e->key_packages == NULL)
		return put(e, op, KEY_PACKAGES_OFFERED, true);
	device_hex(e, hex);
	TRY(tacit_op_call(e, op, &(struct tacit_call){.method = TACIT_GET}, got_stock,
	        "/api/devices/%s/key-packages", hex));
out:
	return err;
}
