/* sockets.c - the sockets of a loop, by handle and by user. */
#include "base/alloc.h"
#include "server/live/home.h"

#define FIRST_ROOM 64

static bool grow(struct home *h)
{
	size_t room = h->socket_room > 0 ? h->socket_room * 2 : FIRST_ROOM;
	struct socket_slot *sockets = tacit_realloc(h->sockets, room * sizeof(*sockets));
	if (sockets == NULL)
		return false;
	h->sockets = sockets;
	uint32_t *free_sockets = tacit_realloc(h->free_sockets, room * sizeof(*free_sockets));
	if (free_sockets == NULL)
		return false;
	h->free_sockets = free_sockets;
	for (size_t i = h->socket_room; i < room; i++) {
		sockets[i] = (struct socket_slot){0};
		free_sockets[h->free_socket_count++] = (uint32_t)i;
	}
	h->socket_room = room;
	return true;
}

enum tacit_err socket_enter(struct home *h, struct live_socket *k)
{
	if (h->free_socket_count == 0 && !grow(h))
		return TACIT_E_NOMEM;
	uint32_t slot = h->free_sockets[--h->free_socket_count];
	struct socket_slot *place = &h->sockets[slot];
	place->k = k;
	if (++place->generation == 0) /* 0 is nobody's */
		place->generation = 1;
	k->handle = (struct live_handle){h->loop, slot, place->generation};
	/* Ordered, for live_anyone: before whatever this socket reads. */
	(void)atomic_fetch_add(&h->counters->sockets, 1);
	return TACIT_OK;
}

struct live_socket *socket_find(struct home *h, struct live_handle s)
{
	if (s.loop != h->loop || s.slot >= h->socket_room)
		return NULL;
	const struct socket_slot *place = &h->sockets[s.slot];
	return place->generation == s.generation ? place->k : NULL;
}

enum tacit_err socket_of_user(struct home *h, struct live_socket *k)
{
	struct user *u = (struct user *)table_find(&h->users, k->who.user_id);
	if (u == NULL) {
		u = tacit_calloc(1, sizeof(*u));
		if (u == NULL)
			return TACIT_E_NOMEM;
		u->entry.key = k->who.user_id;
		if (table_add(&h->users, &u->entry) != TACIT_OK) {
			tacit_free(u);
			return TACIT_E_NOMEM;
		}
	}
	k->user = u;
	k->next_of_user = u->first;
	u->first = k;
	return TACIT_OK;
}

void socket_leave(struct home *h, struct live_socket *k)
{
	struct user *u = k->user;
	h->sockets[k->handle.slot].k = NULL;
	h->free_sockets[h->free_socket_count++] = k->handle.slot;
	(void)atomic_fetch_sub(&h->counters->sockets, 1);
	if (u == NULL)
		return;
	struct live_socket **at = &u->first;
	while (*at != k)
		at = &(*at)->next_of_user;
	*at = k->next_of_user;
	k->user = NULL;
	if (u->first != NULL)
		return;
	table_remove(&h->users, &u->entry);
	tacit_free(u);
}

/* False: it could not be queued. */
static bool queue(struct home *h, struct live_socket *k, struct net_frame *f)
{
	struct net_frame *mine =
	        k->path == NULL ? net_frame_hold(f) : wire_readdress(f, tacit_cstr(k->path));
	bool queued = mine != NULL && session_push(k->session, mine);
	net_frame_drop(mine);
	home_count(&h->counters->frames_out, 1);
	return queued;
}

void socket_send(struct home *h, struct live_socket *k, struct net_frame *f)
{
	if (!queue(h, k, f))
		session_close(k->session, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
}

static struct live_socket *one_that_missed(struct home *h, int64_t user_id)
{
	struct user *u = (struct user *)table_find(&h->users, user_id);
	struct live_socket *k = u != NULL ? u->first : NULL;
	while (k != NULL && !k->missed)
		k = k->next_of_user;
	return k;
}

/* A session takes its other sockets along: the list is looked at anew after each. */
void socket_send_user(struct home *h, int64_t user_id, struct net_frame *f)
{
	struct user *u = (struct user *)table_find(&h->users, user_id);
	struct live_socket *k = u != NULL ? u->first : NULL;
	for (; k != NULL; k = k->next_of_user)
		k->missed = !queue(h, k, f);
	while ((k = one_that_missed(h, user_id)) != NULL)
		session_close(k->session, SESSION_SAY_CLOSE, TACIT_WS_TRY_LATER);
}
