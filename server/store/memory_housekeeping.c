/* Sweeping, counting and probing. */
#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

enum tacit_err memory_probe(struct store *store)
{
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	enum tacit_err err = memory_enter(m, &s);
	return memory_leave(m, s, err);
}

enum tacit_err memory_counts(struct store *store, int64_t *users, int64_t *conversations,
        int64_t *messages, int64_t *files)
{
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_conversation *c = NULL;
	*conversations = 0;
	while ((c = memory_next(s, MEMORY_CONVERSATION, c)) != NULL)
		*conversations += c->closed_at == 0;
	*users = (int64_t)s->tables[MEMORY_USER].count;
	*messages = (int64_t)s->tables[MEMORY_MESSAGE].count;
	*files = (int64_t)s->tables[MEMORY_FILE].count;
	memory_state_drop(s);
	return TACIT_OK;
}

enum tacit_err memory_snapshot(struct store *store, const char *path)
{
	(void)path;
	return memory_of(store)->batch != NULL ? TACIT_E_USAGE : TACIT_E_UNSUPPORTED;
}

static int64_t or_never(int64_t expires_at)
{
	return expires_at != 0 ? expires_at : INT64_MAX;
}

/* When its time was over; INT64_MAX for never. */
static int64_t end_of(enum memory_table t, const void *row)
{
	const struct memory_conversation *c = row;
	switch (t) {
	case MEMORY_SIGNATURE:
		return ((const struct memory_signature *)row)->expires_at;
	case MEMORY_TOKEN:
		return ((const struct memory_token *)row)->expires_at;
	case MEMORY_SESSION:
		return ((const struct memory_session *)row)->expires_at;
	case MEMORY_UPLOAD:
		return ((const struct memory_upload *)row)->upload.expires_at;
	case MEMORY_MESSAGE:
		return or_never(((const struct memory_message *)row)->expires_at);
	case MEMORY_FILE:
		return or_never(((const struct memory_file *)row)->file.expires_at);
	case MEMORY_PARCEL:
		return ((const struct memory_parcel *)row)->parcel.ended == STORE_PARCEL_LIVES
		               ? ((const struct memory_parcel *)row)->parcel.expires_at
		               : INT64_MAX;
	case MEMORY_WELCOME:
		return ((const struct memory_welcome *)row)->created_at + STORE_WELCOME_SECONDS;
	case MEMORY_CONVERSATION:
		return c->expires_at > 0 && c->closed_at == 0 ? c->expires_at : INT64_MAX;
	default:
		return INT64_MAX;
	}
}

/* The one whose time was over first, at `now` or before; NULL when there is none. */
static void *find_over(const struct memory_state *s, enum memory_table t, int64_t now)
{
	void *first = NULL;
	for (void *row = NULL; (row = memory_next(s, t, row)) != NULL;)
		if (end_of(t, row) <= now && (first == NULL || end_of(t, row) < end_of(t, first)))
			first = row;
	return first;
}

static const struct memory_conversation *find_old_tombstone(
        const struct memory_state *s, int64_t now)
{
	const struct memory_conversation *oldest = NULL, *c = NULL;
	while ((c = memory_next(s, MEMORY_CONVERSATION, c)) != NULL)
		if (c->closed_at > 0 && c->closed_at <= now - STORE_TOMBSTONE_SECONDS &&
		        (oldest == NULL || c->closed_at < oldest->closed_at))
			oldest = c;
	return oldest;
}

static void tell_ended(const struct memory_state *s, const struct store_sweep *w, int64_t id)
{
	const struct memory_participant *p = NULL;
	while (w->ended != NULL && (p = memory_next(s, MEMORY_PARTICIPANT, p)) != NULL)
		if (p->row.conversation_id == id)
			w->ended(w->ctx, id, p->user_id);
}

static enum tacit_err sweep_one(
        struct memory_state *s, struct store_sweep *w, int64_t now, enum memory_table t, void *row)
{
	enum tacit_err err = TACIT_OK;
	if (t == MEMORY_CONVERSATION) {
		struct memory_conversation *c = row;
		TRY(memory_close_conversation(s, c, now, w->gone, w->ctx));
		tell_ended(s, w, c->row.conversation_id);
	} else if (t == MEMORY_PARCEL) {
		struct memory_parcel *p = row;
		memory_end_parcel(s, p, STORE_PARCEL_EXPIRED, now);
		w->gone(w->ctx, p->parcel.id);
	} else if (t == MEMORY_SESSION) {
		memory_delete_session(s, row);
	} else {
		if (t == MEMORY_UPLOAD)
			w->gone(w->ctx, ((const struct memory_upload *)row)->upload.id);
		if (t == MEMORY_FILE)
			w->gone(w->ctx, ((const struct memory_file *)row)->file.id);
		memory_delete(s, t, row);
	}
out:
	return err;
}

static enum tacit_err sweep_table(
        struct memory_state *s, struct store_sweep *w, int64_t now, enum memory_table t)
{
	enum tacit_err err = TACIT_OK;
	void *row;
	unsigned done = 0;
	for (; done < w->limit && (row = find_over(s, t, now)) != NULL; done++)
		TRY(sweep_one(s, w, now, t, row));
	w->more |= done == w->limit;
out:
	return err;
}

static void sweep_tombstones(struct memory_state *s, struct store_sweep *w, int64_t now)
{
	const struct memory_conversation *c;
	unsigned done = 0;
	for (; done < w->limit && (c = find_old_tombstone(s, now)) != NULL; done++)
		memory_delete_conversation(s, c->row.conversation_id);
	w->more |= done == w->limit;
}

static struct memory_parcel *find_old_parcel(const struct memory_state *s, int64_t now)
{
	struct memory_parcel *oldest = NULL, *p = NULL;
	while ((p = memory_next(s, MEMORY_PARCEL, p)) != NULL)
		if (p->parcel.ended != STORE_PARCEL_LIVES &&
		        p->parcel.ended_at <= now - STORE_PARCEL_KEPT_SECONDS &&
		        (oldest == NULL || p->parcel.ended_at < oldest->parcel.ended_at))
			oldest = p;
	return oldest;
}

static void sweep_old_parcels(struct memory_state *s, struct store_sweep *w, int64_t now)
{
	struct memory_parcel *p;
	unsigned done = 0;
	for (; done < w->limit && (p = find_old_parcel(s, now)) != NULL; done++)
		memory_delete_parcel(s, p);
	w->more |= done == w->limit;
}

enum tacit_err memory_sweep(struct store *store, int64_t now, struct store_sweep *w)
{
	static const enum memory_table others[] = {
	        MEMORY_SIGNATURE, MEMORY_TOKEN, MEMORY_SESSION, MEMORY_WELCOME, MEMORY_UPLOAD};
	static const enum memory_table ends[] = {
	        MEMORY_CONVERSATION, MEMORY_MESSAGE, MEMORY_FILE, MEMORY_PARCEL};
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	const void *row;
	w->more = false;
	w->next = 0;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	sweep_tombstones(s, w, m->now);
	sweep_old_parcels(s, w, m->now);
	for (size_t i = 0; i < TACIT_COUNT(others); i++)
		TRY(sweep_table(s, w, now, others[i]));
	for (size_t i = 0; i < TACIT_COUNT(ends); i++)
		TRY(sweep_table(s, w, m->now, ends[i]));
	for (size_t i = 0; i < TACIT_COUNT(ends); i++)
		if ((row = find_over(s, ends[i], INT64_MAX - 1)) != NULL &&
		        (w->next == 0 || end_of(ends[i], row) < w->next))
			w->next = end_of(ends[i], row);
out:
	err = memory_leave(m, s, err);
	w->more &= err == TACIT_OK;
	return err;
}
