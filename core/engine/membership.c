/* membership.c - this device in the groups of its conversations: what is known, and what is told.
 *
 *                 Welcome, external commit that the server has taken
 *   (no group) --------------------------------------------------> in
 *       ^                                                         |  |
 *       | removed (over), cannot be followed (stray)              |  | own commit posted: pending
 *       '---------------------------------------------------------'  '--> in, by its place
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/engine_int.h"

/* --- whose leaves may be there -------------------------------------------------------------------
 */

static bool belongs(void *ctx, const struct tacit_sign_public *account)
{
	const struct tacit_belonging *b = ctx;
	if (tacit_key_same(account, &b->e->public))
		return true;
	for (size_t i = 0; b->c != NULL && i < b->c->member_count; i++) {
		const struct tacit_sign_public *key =
		        tacit_contact_key(b->e, tacit_name_view(&b->c->members[i].name));
		if (key != NULL && tacit_key_same(key, account))
			return true;
	}
	return false;
}

struct tacit_self tacit_self_in(
        struct tacit_engine *e, const struct tacit_conversation *c, struct tacit_belonging *b)
{
	*b = (struct tacit_belonging){e, c};
	return (struct tacit_self){
	        .leaf = {.account = e->public, .device = e->device},
	        .signature_sk = (const struct tacit_sign_sk *)(const void *)e->device_sk.p,
	        .env = &e->env,
	        .belongs = belongs,
	        .ctx = b,
	};
}

/* --- the group as it is kept ---------------------------------------------------------------------
 */

enum tacit_err tacit_membership_load(struct tacit_engine *e, struct tacit_conversation *c)
{
	if (c->group != NULL || c->stored_state.n == 0)
		return TACIT_OK;
	enum tacit_err err = tacit_group_load(
	        tacit_buf_view(&c->stored_state), tacit_buf_view(&c->stored_tree), &c->group);
	if (err == TACIT_E_NOMEM)
		return err;
	tacit_buf_clear(&c->stored_state);
	tacit_buf_clear(&c->stored_tree);
	if (err == TACIT_OK) {
		c->tree_saved = tacit_group_tree_version(c->group);
		return TACIT_OK;
	}
	c->group_dirty = e->changed = true;
	c->stray = true;
	return TACIT_OK;
}

bool tacit_membership_good(const struct tacit_conversation *c)
{
	return c->group != NULL && !c->stray && !tacit_group_is_over(c->group) &&
	       (c->pending == NULL || !c->pending->external);
}

void tacit_membership_set(
        struct tacit_engine *e, struct tacit_conversation *c, struct tacit_group *group)
{
	tacit_group_destroy(c->group);
	tacit_buf_clear(&c->stored_state);
	tacit_buf_clear(&c->stored_tree);
	c->group = group;
	c->tree_saved = 0;
	c->group_dirty = e->changed = true;
}

enum tacit_err tacit_membership_began(struct tacit_engine *e, struct tacit_conversation *c)
{
	uint64_t epoch = tacit_group_epoch(c->group);
	if (epoch > c->epoch_seen)
		c->epoch_seen = epoch;
	c->group_dirty = e->changed = true;
	return tacit_receipts_print(e, c);
}

enum tacit_err tacit_membership_joined(
        struct tacit_engine *e, struct tacit_conversation *c, uint64_t message)
{
	if (c->stray && c->joined != 0)
		c->rejoined = message;
	c->joined = message;
	c->stray = false;
	c->gap_epoch = 0;
	return tacit_membership_began(e, c);
}

enum tacit_err tacit_membership_astray(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, enum tacit_err why, const char *what)
{
	struct tacit_bytes title = tacit_conversation_title(e, c);
	if (!c->stray && c->receipts.print_count > 0) {
		c->receipts.astray = c->receipts.prints[c->receipts.print_count - 1];
		c->receipts.dirty = true;
	}
	c->stray = true;
	c->group_dirty = e->changed = true;
	return tacit_op_warn(e, op, c, why,
	        "The conversation%s%.*s%s cannot be followed here: %s. This device joins it anew; "
	        "what was said meanwhile may be missing.",
	        title.n > 0 ? " \"" : "", (int)title.n, title.n > 0 ? (const char *)title.p : "",
	        title.n > 0 ? "\"" : "", what);
}

/* --- a commit under way --------------------------------------------------------------------------
 */

void tacit_pending_free(struct tacit_pending_commit *p)
{
	if (p == NULL)
		return;
	tacit_buf_clear(&p->commit);
	tacit_buf_clear(&p->welcome);
	tacit_buf_clear(&p->group_info);
	tacit_free(p->joiners);
	tacit_free(p);
}

void tacit_pending_clear(struct tacit_engine *e, struct tacit_conversation *c)
{
	if (c->pending == NULL)
		return;
	tacit_pending_free(c->pending);
	c->pending = NULL;
	c->pending_dirty = c->group_dirty = e->changed = true;
}

/* --- who came and who went
 * ----------------------------------------------------------------------- */

/* People are announced by the server's description; here it is about their devices. */
static bool same_device(const struct tacit_leaf *a, const struct tacit_leaf *b)
{
	return tacit_key_same(&a->account, &b->account) &&
	       memcmp(a->device.id.b, b->device.id.b, sizeof(a->device.id.b)) == 0;
}

static bool is_new(const struct tacit_group_event *ev, const struct tacit_leaf *leaf)
{
	for (size_t i = 0; i < ev->added_count; i++)
		if (same_device(&ev->added[i], leaf))
			return true;
	return false;
}

static bool has_other_leaf(const struct tacit_conversation *c, const struct tacit_group_event *ev,
        const struct tacit_leaf *leaf)
{
	struct tacit_leaf other;
	for (uint32_t i = 0; tacit_group_leaf(c->group, &i, &other); i++)
		if (tacit_key_same(&other.account, &leaf->account) && !same_device(&other, leaf) &&
		        !is_new(ev, &other))
			return true;
	return false;
}

static enum tacit_err tell_device(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_leaf *leaf, bool came)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_name own;
	struct tacit_buf text = {0};
	const struct tacit_name *who = tacit_contact_by_key(e, &leaf->account, &own);
	bool self = tacit_key_same(&leaf->account, &e->public);
	if (who == NULL)
		return TACIT_OK;
	TRY(tacit_buf_printf(&text,
	        came ? "%s %s a new device in this conversation."
	             : "%s no longer %s a device that was in this conversation.",
	        self ? "You" : who->c, self ? "use" : "uses"));
	TRY(tacit_log_event(e, op, c,
	        &(struct tacit_notice){
	                .kind = TACIT_NOTICE_MEMBER,
	                .username = tacit_name_view(who),
	                .conversation = c->id,
	                .message = c->seen,
	                .text = tacit_buf_view(&text),
	                .flag = true, /* still in, either way */
	                .time = tacit_env_now(&e->env),
	        }));
out:
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err tacit_membership_tell(struct tacit_engine *e, const struct tacit_op *op,
        struct tacit_conversation *c, const struct tacit_group_event *ev)
{
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < ev->added_count; i++)
		if (has_other_leaf(c, ev, &ev->added[i]))
			TRY(tell_device(e, op, c, &ev->added[i], true));
	for (size_t i = 0; i < ev->gone_count; i++)
		if (has_other_leaf(c, ev, &ev->gone[i]))
			TRY(tell_device(e, op, c, &ev->gone[i], false));
out:
	return err;
}
