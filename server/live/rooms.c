/* rooms.c - who of this loop has joined which room, and what they have not seen yet.
 *
 * A member is HELD from join to open: frames wait in `held`. One that is behind has lost frames,
 * and gets none until room_catch_up has told it: what comes afterwards is complete again. */
#include "base/alloc.h"
#include "server/live/home.h"

#define MAX_HELD 256
#define TELL_AT_ONCE 32

struct room {
	struct table_entry entry;
	struct member **members;
	size_t count, room;
};

struct member {
	struct room *room;
	struct live_socket *k;
	struct member *next; /* of the socket */
	size_t index;        /* in the room */
	bool open, behind;
	uint64_t join;
	int64_t known; /* when open: frames up to here were told otherwise */
	struct net_ring held;
};

static struct member *find(const struct live_socket *k, int64_t id)
{
	struct member *m = k->rooms;
	while (m != NULL && m->room->entry.key != id)
		m = m->next;
	return m;
}

/* As far as nobody has joined again since. */
static struct member *find_join(const struct live_socket *k, int64_t id, uint64_t join)
{
	struct member *m = find(k, id);
	return m != NULL && (join == 0 || m->join == join) ? m : NULL;
}

static struct room *room_named(struct home *h, int64_t id)
{
	struct room *r = (struct room *)table_find(&h->rooms, id);
	if (r != NULL)
		return r;
	r = tacit_calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->entry.key = id;
	if (table_add(&h->rooms, &r->entry) != TACIT_OK) {
		tacit_free(r);
		return NULL;
	}
	return r;
}

static void drop_if_empty(struct home *h, struct room *r)
{
	if (r->count > 0)
		return;
	table_remove(&h->rooms, &r->entry);
	tacit_free(r->members);
	tacit_free(r);
}

static bool has_room_for_one(struct room *r)
{
	if (r->count < r->room)
		return true;
	size_t wider = r->room > 0 ? r->room * 2 : 4;
	struct member **members = tacit_realloc(r->members, wider * sizeof(struct member *));
	if (members == NULL)
		return false;
	r->members = members;
	r->room = wider;
	return true;
}

static void leave(struct home *h, struct member *m)
{
	struct room *r = m->room;
	struct member **at = &m->k->rooms;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	r->members[m->index] = r->members[--r->count];
	r->members[m->index]->index = m->index;
	drop_if_empty(h, r);
	net_ring_clear(&m->held);
	tacit_free(m);
}

void room_leave(struct home *h, struct live_socket *k, int64_t id, uint64_t join)
{
	struct member *m = find_join(k, id, join);
	if (m != NULL)
		leave(h, m);
}

void room_leave_all(struct home *h, struct live_socket *k)
{
	while (k->rooms != NULL)
		leave(h, k->rooms);
}

void room_join(struct home *h, struct live_socket *k, int64_t id, uint64_t join)
{
	room_leave(h, k, id, 0);
	struct room *r = room_named(h, id);
	struct member *m = r != NULL ? tacit_calloc(1, sizeof(*m)) : NULL;
	if (m == NULL || !has_room_for_one(r)) {
		tacit_free(m);
		if (r != NULL)
			drop_if_empty(h, r);
		session_close(k->session, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
		return;
	}
	m->room = r;
	m->k = k;
	m->join = join;
	m->index = r->count;
	m->next = k->rooms;
	k->rooms = m;
	r->members[r->count++] = m;
}

/* --- frames --- */

static void lose(struct home *h, struct member *m)
{
	home_count(&h->counters->dropped_frames, 1);
	m->behind = m->k->behind = true;
}

static void offer(struct home *h, struct member *m, struct net_frame *f)
{
	if (m->behind || !session_offer(m->k->session, f))
		lose(h, m);
	else
		home_count(&h->counters->frames_out, 1);
}

static void hold(struct home *h, struct member *m, struct net_frame *f)
{
	bool room = m->held.count < MAX_HELD &&
	            m->held.bytes + f->bytes <= h->live->settings.max_queue_bytes;
	if (m->behind || !room || net_ring_push(&m->held, f) != TACIT_OK)
		lose(h, m);
}

/* Also after the opening: what was committed before the history was read may be published later. */
static bool is_known(const struct member *m, const struct net_frame *f)
{
	return f->mark != 0 && f->mark <= m->known;
}

static void give(struct home *h, struct member *m, struct net_frame *f)
{
	if (!m->open)
		hold(h, m, f);
	else if (!is_known(m, f))
		offer(h, m, f);
}

static void give_elsewhere(struct home *h, struct member *m, const struct net_frame *f)
{
	struct net_frame *other = wire_readdress(f, tacit_cstr(m->k->path));
	if (other != NULL) {
		other->mark = f->mark;
		give(h, m, other);
	} else {
		lose(h, m);
	}
	net_frame_drop(other);
}

static void give_either(struct home *h, struct member *m, struct net_frame *f)
{
	if (m->k->path == NULL)
		give(h, m, f);
	else
		give_elsewhere(h, m, f);
}

static bool is(const struct live_socket *k, const struct live_handle *s)
{
	return s != NULL && s->loop == k->handle.loop && s->slot == k->handle.slot &&
	       s->generation == k->handle.generation;
}

void room_publish(struct home *h, int64_t id, struct net_frame *f, const struct live_handle *except)
{
	struct room *r = (struct room *)table_find(&h->rooms, id);
	for (size_t i = 0; r != NULL && i < r->count; i++) {
		struct member *m = r->members[i];
		if (is(m->k, except))
			continue;
		give_either(h, m, f);
	}
}

void room_whisper(struct home *h, struct live_socket *k, int64_t id, struct net_frame *f)
{
	struct member *m = find(k, id);
	if (m != NULL)
		give_either(h, m, f);
}

/* Histories are large and many may be asked for at once: they take what room there is. */
static bool offer_history(struct home *h, struct live_socket *k, struct net_frame *f)
{
	struct net_frame *mine =
	        k->path == NULL ? net_frame_hold(f) : wire_readdress(f, tacit_cstr(k->path));
	bool fits = mine != NULL && session_offer(k->session, mine);
	net_frame_drop(mine);
	home_count(fits ? &h->counters->frames_out : &h->counters->dropped_frames, 1);
	return fits;
}

/* Of an earlier join, or the socket has left since: who has nobody to tell it to, ends. */
static void lose_history(struct home *h, struct live_socket *k, int64_t id, struct net_frame *f)
{
	struct member *m = find(k, id);
	if (m != NULL)
		lose(h, m);
	else
		socket_send(h, k, f);
}

void room_open(struct home *h, struct live_socket *k, int64_t id, const struct live_opening *o)
{
	struct net_frame *history = (struct net_frame *)o->history;
	struct member *m = find_join(k, id, o->join);
	bool told = history == NULL || offer_history(h, k, history);
	if (m == NULL && !told) {
		lose_history(h, k, id, history);
		return;
	}
	if (m == NULL || m->open)
		return;
	if (told && !o->stays) {
		leave(h, m);
		return;
	}
	bool lost = m->behind || !told;
	m->open = true;
	m->known = o->known;
	m->behind = !told; /* else what is held came before what was lost */
	while (m->held.count > 0) {
		struct net_frame *f = net_ring_at(&m->held, 0);
		if (!is_known(m, f))
			offer(h, m, f);
		net_ring_pop(&m->held);
	}
	m->behind |= lost;
	k->behind |= m->behind;
	if (m->behind)
		seat_stir(k->session->owner);
}

void room_evict(struct home *h, int64_t id, int64_t user_id)
{
	struct room *r = (struct room *)table_find(&h->rooms, id);
	for (size_t i = r != NULL ? r->count : 0; i-- > 0;) {
		struct member *m = r->members[i];
		bool last = r->count == 1;
		if (user_id == 0 || m->k->who.user_id == user_id) {
			leave(h, m);
			if (last)
				return;
		}
	}
}

/* --- catching up --- */

static size_t take_behind(struct live_socket *k, int64_t *rooms)
{
	size_t n = 0;
	bool more = false;
	for (struct member *m = k->rooms; m != NULL; m = m->next) {
		if (!m->behind || !m->open)
			continue;
		if (n == TELL_AT_ONCE) {
			more = true;
			break;
		}
		m->behind = false;
		rooms[n++] = m->room->entry.key;
	}
	k->behind = more;
	return n;
}

void room_catch_up(struct home *h, struct seat *seat)
{
	int64_t rooms[TELL_AT_ONCE];
	const struct live_app *app = &h->live->app;
	struct session *s = &seat->session;
	for (bool again = true; again && !s->closed && session_has_room(s);) {
		struct live_socket *k = s->sockets;
		while (k != NULL && !k->behind)
			k = k->next;
		again = k != NULL;
		if (!again)
			return;
		size_t n = take_behind(k, rooms);
		const struct live_identity who = k->who;
		if (n > 0)
			app->fell_behind(app->ctx, k->handle, &who, rooms, n);
	}
}
