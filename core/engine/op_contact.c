/* op_contact.c - KEEP_CONTACT: somebody has proven within a code's channel whose key they have; and
 * our own card for that channel (e2e/parcel/card.h).
 *
 *   pinned and verified -> GET /api/users/{name}, when there is a session -> what the server gives
 *   out is compared, as ever -> DONE */
#include <stdio.h>
#include <string.h>

#include "e2e/parcel/card.h"
#include "engine/engine_int.h"
#include "wire/names.h"

enum tacit_err tacit_engine_card(const struct tacit_engine *e, const struct tacit_parcel_seat *seat,
        struct tacit_bytes server, struct tacit_buf *out)
{
	const struct tacit_parcel_card card = {server, tacit_buf_view(&e->username), e->public};
	if (!e->unlocked)
		return TACIT_E_NOT_LOGGED_IN;
	return tacit_parcel_card_make(&card, seat, tacit_account_sk(&e->account), out);
}

static enum tacit_err fail_other_key(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
	        TACIT_STR("The server gives out another key for that name than the one that its "
	                  "owner has just shown. Somebody may stand between you: send nothing that "
	                  "must stay secret."));
}

/* Whatever the server says: the key that was shown stays the pinned one. */
static enum tacit_err compared(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person p = {0};
	if (a->err != TACIT_OK) /* it is compared when the server gives one out */
		return tacit_op_done(e, op, NULL);
	TRY(tacit_answer_person(a->body, "id", &p));
	if (!tacit_name_same(tacit_name_view(&p.name), tacit_buf_view(&op->username)))
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server has answered with another person than asked for."));
	err = tacit_contact_observe(e, op, &p);
	if (err == TACIT_E_KEY_CHANGED)
		return fail_other_key(e, op);
	TRY(err);
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

/* *pinned is false when nothing may be: the operation has failed then. */
static enum tacit_err pin(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_person *p, bool *pinned)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_name own;
	struct tacit_bytes name = tacit_name_view(&p->name);
	struct tacit_contact *c = tacit_contact_find(e, name);
	const struct tacit_name *owner = tacit_contact_by_key(e, &p->key, &own);
	*pinned = false;
	if (owner != NULL && !tacit_name_same(tacit_name_view(owner), name))
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("That key is known here as the key of somebody else."));
	if (c != NULL && owner == NULL) {
		if (!c->changed || !tacit_key_same(&c->changed_key, &p->key))
			return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
			        TACIT_STR("Another key is known here for that name. Either their "
			                  "key is new, or this is not who it was: nothing has "
			                  "been kept."));
		c->pinned.key = c->changed_key;
		c->pinned.user_id = c->changed_user_id;
		c->changed = false;
	}
	if (c == NULL)
		TRY(tacit_contact_add(e, p, &c));
	c->verified = true;
	c->dirty = e->changed = true;
	*pinned = true;
out:
	return err;
}

enum tacit_err tacit_op_keep_contact(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_person p = {.user_id = 0};
	struct tacit_bytes name = tacit_buf_view(&op->username);
	char path[64];
	bool pinned;
	if (!tacit_username_valid(name) || tacit_contact_is_self(e, name) ||
	        op->text.n != sizeof(p.key.b))
		return tacit_op_fail(e, op, TACIT_E_BAD_NAME,
		        TACIT_STR("A contact is another person, and has a key."));
	tacit_name_set(&p.name, name);
	memcpy(p.key.b, op->text.p, sizeof(p.key.b));
	TRY(pin(e, op, &p, &pinned));
	if (!pinned)
		goto out;
	snprintf(path, sizeof(path), "/api/users/%.*s", (int)name.n, (const char *)name.p);
	TRY(e->cookie.n > 0 ? tacit_op_get(e, op, compared, path) : tacit_op_done(e, op, NULL));
out:
	return err;
}
