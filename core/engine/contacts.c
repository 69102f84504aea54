/* contacts.c - the pins: which account key belongs to which name, from first sight on.
 *
 *   unknown --observe--> pinned --observe another key--> changed --accept--> pinned (not verified)
 *                          ^---------observe the pinned key again---------|
 */
#include <string.h>

#include "base/alloc.h"
#include "engine/engine_int.h"

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

bool tacit_name_same(struct tacit_bytes a, struct tacit_bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

void tacit_name_set(struct tacit_name *n, struct tacit_bytes from)
{
	*n = (struct tacit_name){0};
	TACIT_ASSERT(from.n <= TACIT_MAX_USERNAME);
	memcpy(n->c, from.p, from.n);
}

bool tacit_key_same(const struct tacit_sign_public *a, const struct tacit_sign_public *b)
{
	return tacit_bytes_eq(tacit_bytes(a->b, sizeof(a->b)), tacit_bytes(b->b, sizeof(b->b)));
}

bool tacit_contact_is_self(const struct tacit_engine *e, struct tacit_bytes name)
{
	return tacit_name_same(tacit_buf_view(&e->username), name);
}

struct tacit_contact *tacit_contact_find(const struct tacit_engine *e, struct tacit_bytes name)
{
	for (struct tacit_contact *c = e->contacts; c != NULL; c = c->next)
		if (tacit_name_same(tacit_name_view(&c->pinned.name), name))
			return c;
	return NULL;
}

const struct tacit_sign_public *tacit_contact_key(
        const struct tacit_engine *e, struct tacit_bytes name)
{
	if (tacit_contact_is_self(e, name))
		return &e->public;
	const struct tacit_contact *c = tacit_contact_find(e, name);
	return c == NULL ? NULL : &c->pinned.key;
}

const struct tacit_name *tacit_contact_by_key(
        const struct tacit_engine *e, const struct tacit_sign_public *key, struct tacit_name *own)
{
	if (tacit_key_same(key, &e->public)) {
		tacit_name_set(own, tacit_buf_view(&e->username));
		return own;
	}
	for (const struct tacit_contact *c = e->contacts; c != NULL; c = c->next)
		if (tacit_key_same(&c->pinned.key, key))
			return &c->pinned.name;
	return NULL;
}

enum tacit_err tacit_contact_add(
        struct tacit_engine *e, const struct tacit_person *p, struct tacit_contact **out)
{
	*out = NULL;
	if (e->contact_count >= MAX_CONTACTS)
		return TACIT_E_LIMIT;
	struct tacit_contact *c = tacit_calloc(1, sizeof(*c));
	if (c == NULL)
		return TACIT_E_NOMEM;
	c->pinned = *p;
	c->next = e->contacts;
	e->contacts = c;
	e->contact_count++;
	*out = c;
	return TACIT_OK;
}

static enum tacit_err observe_self(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_person *p)
{
	if (tacit_key_same(&p->key, &e->public))
		return TACIT_OK;
	enum tacit_err err = tacit_op_warn(e, op, NULL, TACIT_E_KEY_CHANGED,
	        "The server gives out another key as yours. Others may be sealing for somebody "
	        "else: compare safety numbers with them.");
	return err != TACIT_OK ? err : TACIT_E_KEY_CHANGED;
}

/* One key, one name; one number, one name. Else a person could be shown under another's name. */
static enum tacit_err check_unique(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_person *p)
{
	enum tacit_err err = TACIT_OK;
	if (tacit_key_same(&p->key, &e->public)) {
		err = tacit_op_warn(e, op, NULL, TACIT_E_REFUSED,
		        "The server gives out your own key as that of %s.", p->name.c);
		return err != TACIT_OK ? err : TACIT_E_REFUSED;
	}
	for (const struct tacit_contact *c = e->contacts; c != NULL; c = c->next) {
		if (tacit_name_same(tacit_name_view(&c->pinned.name), tacit_name_view(&p->name)))
			continue;
		if (c->pinned.user_id != p->user_id && !tacit_key_same(&c->pinned.key, &p->key))
			continue;
		err = tacit_op_warn(e, op, NULL, TACIT_E_REFUSED,
		        "The server says that %s is the same person as %s. That is refused.",
		        p->name.c, c->pinned.name.c);
		return err != TACIT_OK ? err : TACIT_E_REFUSED;
	}
	return err;
}

static enum tacit_err tell_changed(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_contact *c)
{
	struct tacit_notice n = {
	        .kind = TACIT_NOTICE_KEY_CHANGED,
	        .err = TACIT_E_KEY_CHANGED,
	        .username = tacit_name_view(&c->pinned.name),
	        .text = tacit_cstr(tacit_err_text(TACIT_E_KEY_CHANGED)),
	        .flag = c->verified,
	        .time = tacit_env_now(&e->env),
	};
	struct tacit_conversation *direct = tacit_conversation_direct(e, n.username);
	if (direct == NULL)
		return tacit_op_tell(e, op, &n);
	n.conversation = direct->id;
	n.message = direct->seen;
	return tacit_log_event(e, op, direct, &n);
}

static enum tacit_err observe_changed(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_contact *c, const struct tacit_person *p)
{
	if (!c->changed || !tacit_key_same(&c->changed_key, &p->key)) {
		c->changed = true;
		c->changed_key = p->key;
		c->changed_user_id = p->user_id;
		c->dirty = e->changed = true;
		enum tacit_err err = tell_changed(e, op, c);
		if (err != TACIT_OK)
			return err;
	}
	return TACIT_E_KEY_CHANGED;
}

enum tacit_err tacit_contact_observe(
        struct tacit_engine *e, const struct tacit_op *op, const struct tacit_person *p)
{
	enum tacit_err err;
	if (tacit_contact_is_self(e, tacit_name_view(&p->name)))
		return observe_self(e, op, p);
	TRY(check_unique(e, op, p));
	struct tacit_contact *c = tacit_contact_find(e, tacit_name_view(&p->name));
	if (c == NULL) {
		TRY(tacit_contact_add(e, p, &c));
		c->dirty = e->changed = true;
		goto out;
	}
	if (!tacit_key_same(&c->pinned.key, &p->key)) {
		err = observe_changed(e, op, c, p);
		goto out;
	}
	if (c->pinned.user_id == 0) { /* the person has shown the key, and knows no number */
		c->pinned.user_id = p->user_id;
		c->dirty = e->changed = true;
	}
	if (c->pinned.user_id != p->user_id) {
		TRY(tacit_op_warn(e, op, NULL, TACIT_E_REFUSED,
		        "The server counts %s as another person than before.", p->name.c));
		err = TACIT_E_REFUSED;
		goto out;
	}
	if (c->changed) {
		c->changed = false;
		c->dirty = e->changed = true;
	}
out:
	return err;
}
