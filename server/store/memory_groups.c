/* Key packages, commits, Welcomes and GroupInfos. */
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

static bool same_device(const struct tacit_device_id *a, const struct tacit_device_id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* The owner's id; 0: there is no such device. */
static int64_t owner_of(const struct memory_state *s, const struct tacit_device_id *device)
{
	const struct memory_device *d = NULL;
	while ((d = memory_next(s, MEMORY_DEVICE, d)) != NULL)
		if (same_device(&d->device.id, device))
			return d->user_id;
	return 0;
}

static bool has_lapsed(const struct memory_key_package *p, int64_t now)
{
	return p->not_after > 0 && p->not_after <= now;
}

static struct store_stock count_stock(
        const struct memory_state *s, const struct tacit_device_id *device, int64_t now)
{
	struct store_stock stock = {0};
	const struct memory_key_package *p = NULL;
	while ((p = memory_next(s, MEMORY_KEY_PACKAGE, p)) != NULL) {
		if (!same_device(&p->device, device) || has_lapsed(p, now))
			continue;
		stock.available += !p->last_resort;
		stock.last_resort |= p->last_resort;
	}
	return stock;
}

static void delete_lapsed(struct memory_state *s, const struct tacit_device_id *device, int64_t now)
{
	struct memory_key_package *p = memory_next(s, MEMORY_KEY_PACKAGE, NULL);
	while (p != NULL) {
		bool it = same_device(&p->device, device) && has_lapsed(p, now);
		p = memory_next(
		        s, MEMORY_KEY_PACKAGE, it ? memory_delete(s, MEMORY_KEY_PACKAGE, p) : p);
	}
}

enum packages { PACKAGES_ALL, PACKAGES_LAST_RESORT };

static void delete_packages(
        struct memory_state *s, const struct tacit_device_id *device, enum packages which)
{
	struct memory_key_package *p = memory_next(s, MEMORY_KEY_PACKAGE, NULL);
	while (p != NULL) {
		bool it = same_device(&p->device, device) &&
		          (which == PACKAGES_ALL || p->last_resort);
		p = memory_next(
		        s, MEMORY_KEY_PACKAGE, it ? memory_delete(s, MEMORY_KEY_PACKAGE, p) : p);
	}
}

enum tacit_err memory_key_packages_add(
        struct store *store, const struct store_new_key_packages *p, struct store_stock *stock)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_key_package added = {.device = p->device, .not_after = p->not_after};
	*stock = (struct store_stock){0};
	TRY(memory_enter(m, &s));
	TRY(owner_of(s, &p->device) == p->user_id ? TACIT_OK : TACIT_E_NOT_FOUND);
	delete_lapsed(s, &p->device, m->now);
	for (size_t i = 0; i < p->count; i++)
		TRY(memory_add(s, MEMORY_KEY_PACKAGE, &added, p->list[i]));
	if (p->last_resort.n > 0) {
		delete_packages(s, &p->device, PACKAGES_LAST_RESORT);
		added.last_resort = true;
		TRY(memory_add(s, MEMORY_KEY_PACKAGE, &added, p->last_resort));
	}
	*stock = count_stock(s, &p->device, m->now);
	TRY(stock->available <= STORE_MAX_KEY_PACKAGES ? TACIT_OK : TACIT_E_LIMIT);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_key_packages_count(struct store *store, int64_t user_id,
        const struct tacit_device_id *device, struct store_stock *out)
{
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	bool own = owner_of(s, device) == user_id;
	*out = own ? count_stock(s, device, m->now) : (struct store_stock){0};
	memory_state_drop(s);
	return own ? TACIT_OK : TACIT_E_NOT_FOUND;
}

/* The oldest, and the one of last resort only when there is no other. */
static struct memory_key_package *find_package(
        const struct memory_state *s, const struct tacit_device_id *device, int64_t now)
{
	struct memory_key_package *p = NULL, *last = NULL;
	while ((p = memory_next(s, MEMORY_KEY_PACKAGE, p)) != NULL) {
		if (!same_device(&p->device, device) || has_lapsed(p, now))
			continue;
		if (!p->last_resort)
			return p;
		last = p;
	}
	return last;
}

enum tacit_err memory_key_package_claim(struct store *store, int64_t conversation_id,
        int64_t user_id, const struct tacit_device_id *device, struct tacit_buf *out)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, conversation_id, user_id));
	int64_t owner = owner_of(s, device);
	bool member = owner != 0 && memory_participant(s, conversation_id, owner) != NULL;
	struct memory_key_package *p = member ? find_package(s, device, m->now) : NULL;
	TRY(p != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(tacit_buf_append(out, memory_text(&p->row)));
	if (!p->last_resort)
		memory_delete(s, MEMORY_KEY_PACKAGE, p);
out:
	return memory_leave(m, s, err);
}

static struct memory_group *find_group(const struct memory_state *s, int64_t conversation_id)
{
	struct memory_group *g = NULL;
	while ((g = memory_next(s, MEMORY_GROUP, g)) != NULL)
		if (g->row.conversation_id == conversation_id)
			break;
	return g;
}

static enum tacit_err put_group(
        struct memory_state *s, const struct store_message *commit, struct tacit_bytes group_info)
{
	struct memory_group *g = find_group(s, commit->conversation_id);
	const struct memory_group added = {.row.conversation_id = commit->conversation_id,
	        .epoch = commit->begins_epoch,
	        .message_id = commit->id};
	if (g == NULL)
		return memory_add(s, MEMORY_GROUP, &added, group_info);
	g->epoch = commit->begins_epoch;
	g->message_id = commit->id;
	return memory_set_text(&g->row, group_info);
}

static bool has_welcome(
        const struct memory_state *s, int64_t id, const struct tacit_device_id *device)
{
	const struct memory_welcome *w = NULL;
	while ((w = memory_next(s, MEMORY_WELCOME, w)) != NULL)
		if (w->id == id && same_device(&w->device, device))
			return true;
	return false;
}

/* Each device has a row of its own, with the whole Welcome. */
static enum tacit_err add_welcomes(struct memory_state *s, const struct store_new_commit *c,
        const struct store_message *commit)
{
	enum tacit_err err = TACIT_OK;
	struct memory_welcome added = {.row.conversation_id = commit->conversation_id,
	        .epoch = commit->begins_epoch,
	        .message_id = commit->id,
	        .created_at = commit->created_at};
	for (size_t i = 0; i < c->joiner_count; i++) {
		added.device = c->joiners[i];
		added.user_id = owner_of(s, &added.device);
		if (memory_participant(s, commit->conversation_id, added.user_id) == NULL)
			continue;
		if (added.id == 0)
			added.id = ++s->last_id[MEMORY_WELCOME];
		if (!has_welcome(s, added.id, &added.device))
			TRY(memory_add(s, MEMORY_WELCOME, &added, c->welcome));
	}
out:
	return err;
}

enum tacit_err memory_commit_append(struct store *store, const struct store_new_commit *c,
        struct store_message *out, bool *existed)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	int64_t id = c->message.conversation_id;
	*existed = false;
	*out = (struct store_message){0};
	memory_time(m, c->message.now);
	TRY(memory_enter(m, &s));
	TRY(memory_member(s, m->now, id, c->message.user_id));
	const struct memory_group *g = find_group(s, id);
	int64_t epoch = g != NULL ? g->epoch : 0;
	if (!memory_has_message(s, &c->message))
		TRY(epoch == c->epoch ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(memory_append(m, s, &c->message, epoch + 1, out, existed));
	if (*existed)
		goto out;
	TRY(put_group(s, out, c->group_info));
	if (c->welcome.n > 0)
		TRY(add_welcomes(s, c, out));
out:
	err = memory_leave(m, s, err);
	if (err != TACIT_OK) {
		*out = (struct store_message){0};
		*existed = false;
	}
	return err;
}

enum tacit_err memory_commit_list(struct store *store, int64_t conversation_id, int64_t user_id,
        int64_t epoch, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_message *m), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	const struct memory_message *found = NULL;
	TRY(memory_member(s, m->now, conversation_id, user_id));
	while (limit > 0 && (found = memory_next(s, MEMORY_MESSAGE, found)) != NULL) {
		if (found->row.conversation_id != conversation_id || found->begins_epoch == 0 ||
		        found->begins_epoch <= epoch)
			continue;
		struct store_message described = memory_describe(s, found);
		limit--;
		TRY(row(ctx, &described));
	}
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_group_get(struct store *store, int64_t conversation_id, int64_t user_id,
        enum tacit_err (*row)(void *ctx, const struct store_group *g), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	struct store_group out = {0};
	TRY(memory_member(s, m->now, conversation_id, user_id));
	const struct memory_group *g = find_group(s, conversation_id);
	if (g != NULL)
		out = (struct store_group){g->epoch, g->message_id, memory_text(&g->row)};
	TRY(row(ctx, &out));
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_welcome_list(struct store *store, int64_t user_id,
        const struct tacit_device_id *device, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_welcome *w), void *ctx)
{
	enum tacit_err err;
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_welcome *w = NULL;
	TRY(owner_of(s, device) == user_id ? TACIT_OK : TACIT_E_NOT_FOUND);
	while (limit > 0 && (w = memory_next(s, MEMORY_WELCOME, w)) != NULL) {
		const struct store_welcome out = {.id = w->id,
		        .conversation_id = w->row.conversation_id,
		        .epoch = w->epoch,
		        .message_id = w->message_id,
		        .welcome = memory_text(&w->row)};
		if (!same_device(&w->device, device))
			continue;
		limit--;
		TRY(row(ctx, &out));
	}
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_welcome_delete(
        struct store *store, int64_t user_id, const struct tacit_device_id *device, int64_t id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_welcome *w = NULL;
	TRY(memory_enter(m, &s));
	while ((w = memory_next(s, MEMORY_WELCOME, w)) != NULL)
		if (w->id == id && w->user_id == user_id && same_device(&w->device, device))
			break;
	TRY(w != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	memory_delete(s, MEMORY_WELCOME, w);
out:
	return memory_leave(m, s, err);
}

static bool is_of(const struct memory_welcome *w, int64_t user_id, int64_t conversation_id)
{
	return w->user_id == user_id &&
	       (conversation_id == 0 || w->row.conversation_id == conversation_id);
}

void memory_forget_member(struct memory_state *s, int64_t conversation_id, int64_t user_id)
{
	struct memory_welcome *w = memory_next(s, MEMORY_WELCOME, NULL);
	while (w != NULL)
		w = memory_next(s, MEMORY_WELCOME,
		        is_of(w, user_id, conversation_id) ? memory_delete(s, MEMORY_WELCOME, w)
		                                           : w);
}

void memory_forget_device(
        struct memory_state *s, const struct tacit_device_id *device, enum memory_forget what)
{
	delete_packages(s, device, PACKAGES_ALL);
	struct memory_welcome *w =
	        what == MEMORY_FORGET_ALL ? memory_next(s, MEMORY_WELCOME, NULL) : NULL;
	while (w != NULL)
		w = memory_next(s, MEMORY_WELCOME,
		        same_device(&w->device, device) ? memory_delete(s, MEMORY_WELCOME, w) : w);
}
