/* op_people.c - USERS, SAFETY_NUMBER, SET_VERIFIED, ACCEPT_KEY, COMPARE. */
#include <stdio.h>

#include "e2e/safety_number.h"
#include "engine/engine_int.h"
#include "wire/names.h"

/* --- the directory
 * -------------------------------------------------------------------------------- */

/* A search pins nobody: it may show hundreds. Who is known is compared. */
static enum tacit_err tell_user(
        struct tacit_engine *e, const struct tacit_op *op, const json_t *item)
{
	enum tacit_err err;
	struct tacit_person p = {0};
	struct tacit_bytes created;
	TRY(tacit_answer_person(item, "id", &p));
	TRY(tacit_json_text(item, "created_at", TACIT_OPTIONAL, 64, &created));
	const struct tacit_contact *c = tacit_contact_find(e, tacit_name_view(&p.name));
	if (c != NULL) {
		err = tacit_contact_observe(e, op, &p);
		if (err != TACIT_OK && err != TACIT_E_KEY_CHANGED && err != TACIT_E_REFUSED)
			goto out;
	}
	TRY(tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_USER,
	                .username = tacit_name_view(&p.name),
	                .flag = c != NULL && c->verified && !c->changed,
	                .time = tacit_answer_time(created),
	        }));
out:
	return err;
}

static enum tacit_err got_users(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	const json_t *users;
	size_t i;
	json_t *item;
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_list(a->body, "users", 4096, &users));
	json_array_foreach(users, i, item) TRY(tell_user(e, op, item));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

enum tacit_err tacit_op_users(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_bytes prefix = tacit_buf_view(&op->text);
	char path[64];
	if (prefix.n > 0 && !tacit_username_valid(prefix))
		return tacit_op_fail(
		        e, op, TACIT_E_BAD_NAME, tacit_cstr(tacit_err_text(TACIT_E_BAD_NAME)));
	snprintf(path, sizeof(path), "/api/users?q=%.*s", (int)prefix.n,
	        prefix.n > 0 ? (const char *)prefix.p : "");
	return tacit_op_get(e, op, got_users, path);
}

/* --- pins, as people handle them
 * --------------------------------------------------------------------- */

/* The number of the key that the server gives out now. */
static void number_of(
        const struct tacit_engine *e, const struct tacit_contact *c, struct tacit_safety *number)
{
	const struct tacit_sign_public *key = c->changed ? &c->changed_key : &c->pinned.key;
	tacit_safety_number(&e->public, tacit_buf_view(&e->username), key,
	        tacit_name_view(&c->pinned.name), number);
}

/* Between the showing of a number and the person's word another process of this profile may have
 * met yet another key: what was compared is what counts. */
static bool other_number(
        const struct tacit_engine *e, const struct tacit_op *op, const struct tacit_contact *c)
{
	struct tacit_safety number;
	number_of(e, c, &number);
	return op->text.n > 0 &&
	       !tacit_bytes_eq(tacit_cstr(number.digits), tacit_buf_view(&op->text));
}

static enum tacit_err fail_other_number(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
	        TACIT_STR("The key has changed since that number was shown. Compare again."));
}

static enum tacit_err tell_safety(struct tacit_engine *e, struct tacit_op *op)
{
	enum tacit_err err;
	struct tacit_safety number;
	const struct tacit_contact *c = tacit_contact_find(e, tacit_buf_view(&op->username));
	struct tacit_bytes name = tacit_name_view(&c->pinned.name);
	number_of(e, c, &number);
	TRY(tacit_op_tell(e, op,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_SAFETY,
	                .username = name,
	                .text = tacit_cstr(number.digits),
	                .detail = tacit_cstr(number.words),
	                .err = c->changed ? TACIT_E_KEY_CHANGED : TACIT_OK,
	                .flag = c->verified && !c->changed,
	        }));
	TRY(tacit_op_done(e, op, NULL));
out:
	return err;
}

static enum tacit_err got_person(
        struct tacit_engine *e, struct tacit_op *op, const struct tacit_answer *a)
{
	enum tacit_err err;
	struct tacit_person p = {0};
	bool known = tacit_contact_find(e, tacit_buf_view(&op->username)) != NULL;
	/* The number of a pinned key can be compared without the server. */
	if (a->err != TACIT_OK && a->err != TACIT_E_NOT_FOUND && known)
		return tell_safety(e, op);
	if (a->err != TACIT_OK)
		return tacit_op_fail_answer(e, op, a);
	TRY(tacit_answer_person(a->body, "id", &p));
	if (!tacit_name_same(tacit_name_view(&p.name), tacit_buf_view(&op->username)))
		return tacit_op_fail(e, op, TACIT_E_REFUSED,
		        TACIT_STR("The server has answered with another person than asked for."));
	err = tacit_contact_observe(e, op, &p);
	if (err != TACIT_OK && err != TACIT_E_KEY_CHANGED)
		goto out;
	TRY(tell_safety(e, op));
out:
	return err;
}

enum tacit_err tacit_op_safety_number(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_bytes name = tacit_buf_view(&op->username);
	char path[64];
	if (!tacit_username_valid(name) || tacit_contact_is_self(e, name))
		return tacit_op_fail(e, op, TACIT_E_BAD_NAME,
		        TACIT_STR("A safety number is between you and another person."));
	snprintf(path, sizeof(path), "/api/users/%.*s", (int)name.n, (const char *)name.p);
	if (e->cookie.n == 0 && tacit_contact_find(e, name) != NULL)
		return tell_safety(e, op);
	return tacit_op_get(e, op, got_person, path);
}

static struct tacit_contact *known_contact(const struct tacit_engine *e, const struct tacit_op *op)
{
	return tacit_contact_find(e, tacit_buf_view(&op->username));
}

enum tacit_err tacit_op_set_verified(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_contact *c = known_contact(e, op);
	if (c == NULL)
		return tacit_op_fail(
		        e, op, TACIT_E_NOT_FOUND, TACIT_STR("That person is not known here yet."));
	if (c->changed)
		return tacit_op_fail(e, op, TACIT_E_KEY_CHANGED,
		        TACIT_STR("The key has changed. Accept the new key first."));
	if (other_number(e, op, c))
		return fail_other_number(e, op);
	c->verified = true;
	c->dirty = e->changed = true;
	return tacit_op_done(e, op, NULL);
}

/* The new key was free when it was first seen; somebody may have been pinned to it since. */
static bool key_taken(const struct tacit_engine *e, const struct tacit_contact *c)
{
	struct tacit_name own;
	return tacit_contact_by_key(e, &c->changed_key, &own) != NULL;
}

static enum tacit_err fail_key_taken(struct tacit_engine *e, struct tacit_op *op)
{
	return tacit_op_fail(e, op, TACIT_E_REFUSED,
	        TACIT_STR("The new key is that of somebody else whom you know."));
}

static void accept_changed(struct tacit_engine *e, struct tacit_contact *c)
{
	c->pinned.key = c->changed_key;
	c->changed = c->verified = false;
	if (c->changed_user_id != 0)
		c->pinned.user_id = c->changed_user_id;
	c->dirty = e->changed = true;
}

enum tacit_err tacit_op_accept_key(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_contact *c = known_contact(e, op);
	if (c == NULL)
		return tacit_op_fail(
		        e, op, TACIT_E_NOT_FOUND, TACIT_STR("That person is not known here yet."));
	if (!c->changed)
		return tacit_op_fail(e, op, TACIT_E_CONFLICT,
		        TACIT_STR("The key has not changed: there is nothing to accept."));
	if (key_taken(e, c))
		return fail_key_taken(e, op);
	if (other_number(e, op, c))
		return fail_other_number(e, op);
	accept_changed(e, c);
	return tacit_op_done(e, op, NULL);
}

/* Their number is of the keys that they have. Where it is the same, the key that is asked about is
 * theirs, be it pinned or a changed one. */
enum tacit_err tacit_op_compare(struct tacit_engine *e, struct tacit_op *op)
{
	struct tacit_safety number;
	struct tacit_contact *c = known_contact(e, op);
	if (c == NULL)
		return tacit_op_fail(
		        e, op, TACIT_E_NOT_FOUND, TACIT_STR("That person is not known here yet."));
	if (!tacit_safety_formed(tacit_buf_view(&op->text)))
		return tacit_op_fail(e, op, TACIT_E_MALFORMED,
		        TACIT_STR("That is no safety number. One has 60 digits, or 24 words."));
	number_of(e, c, &number);
	if (!tacit_safety_same(&number, tacit_buf_view(&op->text)))
		return tacit_op_fail(e, op, TACIT_E_BAD_SIGNATURE,
		        TACIT_STR("The numbers are NOT the same. Somebody may stand between you. "
		                  "Send nothing that must stay secret."));
	if (c->changed && key_taken(e, c))
		return fail_key_taken(e, op);
	if (c->changed)
		accept_changed(e, c);
	c->verified = true;
	c->dirty = e->changed = true;
	return tacit_op_done(e, op, NULL);
}
