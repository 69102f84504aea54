#include "server/api/live_people.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "server/api/json_out.h"

#define FIRST_BUCKETS 64

struct person {
	struct person *next; /* in the bucket */
	struct live_person who;
	enum live_state told; /* LIVE_OFFLINE at first */
	struct live_guest *sockets;
	size_t count, room;
};

struct live_people {
	pthread_mutex_t telling; /* taken before lock, and that before a mailbox's */
	pthread_mutex_t lock;    /* for moments: loops take it, too */
	struct person **buckets;
	size_t bucket_count, person_count; /* buckets: a power of two */
	int64_t soonest;                   /* no login expires before */
};

struct live_people *live_people_new(void)
{
	struct live_people *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->bucket_count = FIRST_BUCKETS;
	p->soonest = INT64_MAX;
	p->buckets = tacit_calloc(p->bucket_count, sizeof(struct person *));
	if (p->buckets == NULL) {
		tacit_free(p);
		return NULL;
	}
	(void)pthread_mutex_init(&p->telling, NULL);
	(void)pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void free_person(struct person *one)
{
	tacit_free(one->sockets);
	tacit_free(one);
}

void live_people_free(struct live_people *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->bucket_count; i++)
		for (struct person *one = p->buckets[i], *next; one != NULL; one = next) {
			next = one->next;
			free_person(one);
		}
	(void)pthread_mutex_destroy(&p->telling);
	(void)pthread_mutex_destroy(&p->lock);
	tacit_free(p->buckets);
	tacit_free(p);
}

/* --- persons, with the lock held ----------------------------------------------------------- */

static struct person **bucket_of(const struct live_people *p, int64_t user_id)
{
	uint64_t hash = (uint64_t)user_id * 0x9e3779b97f4a7c15u; /* Fibonacci hashing, Knuth 6.4 */
	return &p->buckets[(size_t)(hash >> 32) & (p->bucket_count - 1)];
}

static struct person *find(const struct live_people *p, int64_t user_id)
{
	struct person *one = *bucket_of(p, user_id);
	while (one != NULL && one->who.user_id != user_id)
		one = one->next;
	return one;
}

/* Without memory for it the buckets stay as they are, and get longer. */
static void grow(struct live_people *p)
{
	size_t old_count = p->bucket_count;
	struct person **old = p->buckets;
	struct person **fresh = tacit_calloc(2 * old_count, sizeof(*fresh));
	if (fresh == NULL)
		return;
	p->buckets = fresh;
	p->bucket_count = 2 * old_count;
	for (size_t i = 0; i < old_count; i++)
		for (struct person *one = old[i], *next; one != NULL; one = next) {
			next = one->next;
			struct person **head = bucket_of(p, one->who.user_id);
			one->next = *head;
			*head = one;
		}
	tacit_free(old);
}

static struct person *add(struct live_people *p, int64_t user_id, const char *username)
{
	struct person *one = tacit_calloc(1, sizeof(*one));
	if (one == NULL)
		return NULL;
	if (p->person_count >= 2 * p->bucket_count)
		grow(p);
	one->who.user_id = user_id;
	(void)snprintf(one->who.username, sizeof(one->who.username), "%s", username);
	struct person **head = bucket_of(p, user_id);
	one->next = *head;
	*head = one;
	p->person_count++;
	return one;
}

static enum live_state state_of(const struct person *one)
{
	enum live_state best = LIVE_OFFLINE;
	for (size_t i = 0; i < one->count; i++)
		if (one->sockets[i].state > best)
			best = one->sockets[i].state;
	return best == LIVE_HIDDEN ? LIVE_OFFLINE : best;
}

/* Nobody is there, and that was told. */
static void forget_if_gone(struct live_people *p, struct person *one)
{
	if (one->count > 0 || one->told != LIVE_OFFLINE)
		return;
	struct person **link = bucket_of(p, one->who.user_id);
	while (*link != one)
		link = &(*link)->next;
	*link = one->next;
	p->person_count--;
	free_person(one);
}

static bool same(struct live_handle a, struct live_handle b)
{
	return a.loop == b.loop && a.slot == b.slot && a.generation == b.generation;
}

static struct live_guest *socket_of(const struct person *one, struct live_handle s)
{
	for (size_t i = 0; one != NULL && i < one->count; i++)
		if (same(one->sockets[i].handle, s))
			return &one->sockets[i];
	return NULL;
}

static bool has_room(struct person *one)
{
	if (one->count < one->room)
		return true;
	size_t room = one->room == 0 ? 1 : 2 * one->room;
	struct live_guest *more = tacit_realloc(one->sockets, room * sizeof(*more));
	if (more == NULL)
		return false;
	one->sockets = more;
	one->room = room;
	return true;
}

/* --- sockets -------------------------------------------------------------------------------- */

enum tacit_err live_people_enter(
        struct live_people *p, const struct live_guest *s, const char *username)
{
	enum tacit_err err = TACIT_E_NOMEM;
	(void)pthread_mutex_lock(&p->lock);
	struct person *one = find(p, s->who.user_id);
	if (one == NULL)
		one = add(p, s->who.user_id, username);
	if (one != NULL && has_room(one)) {
		one->sockets[one->count++] = *s;
		if (s->expires_at < p->soonest)
			p->soonest = s->expires_at;
		err = TACIT_OK;
	}
	if (one != NULL)
		forget_if_gone(p, one);
	(void)pthread_mutex_unlock(&p->lock);
	return err;
}

void live_people_leave(struct live_people *p, int64_t user_id, struct live_handle s)
{
	(void)pthread_mutex_lock(&p->lock);
	struct person *one = find(p, user_id);
	struct live_guest *at = socket_of(one, s);
	if (at != NULL) {
		*at = one->sockets[--one->count];
		forget_if_gone(p, one);
	}
	(void)pthread_mutex_unlock(&p->lock);
}

void live_people_set_state(
        struct live_people *p, int64_t user_id, struct live_handle s, enum live_state state)
{
	(void)pthread_mutex_lock(&p->lock);
	struct live_guest *at = socket_of(find(p, user_id), s);
	if (at != NULL)
		at->state = state;
	(void)pthread_mutex_unlock(&p->lock);
}

void live_people_extend(struct live_people *p, int64_t user_id, int64_t session_id, int64_t until)
{
	(void)pthread_mutex_lock(&p->lock);
	struct person *one = find(p, user_id);
	for (size_t i = 0; one != NULL && i < one->count; i++)
		if (one->sockets[i].who.session_id == session_id)
			one->sockets[i].expires_at = until;
	(void)pthread_mutex_unlock(&p->lock);
}

/* --- telling -------------------------------------------------------------------------------- */

static const char *const state_names[] = {
        [LIVE_OFFLINE] = "offline",
        [LIVE_HIDDEN] = "offline",
        [LIVE_AWAY] = "away",
        [LIVE_ONLINE] = "online",
};

static void write_state(struct api_json *w, const struct live_person *who, enum live_state state)
{
	api_json_open_object(w, NULL);
	api_json_integer(w, "user_id", who->user_id);
	api_json_text(w, "username", tacit_cstr(who->username));
	api_json_text(w, "state", tacit_cstr(state_names[state]));
	api_json_close_object(w);
}

/* Begins `"presence",{"room_id":...,"users":[`; NULL frame: out of memory. */
static struct api_json begin(struct tacit_buf *text, int64_t room)
{
	enum tacit_err err = tacit_buf_append(text, TACIT_STR("\"presence\","));
	struct api_json w = err == TACIT_OK ? api_json_begin(text) : (struct api_json){text, err};
	api_json_integer(&w, "room_id", room);
	api_json_open_array(&w, "users");
	return w;
}

static struct live_frame *finish(struct api_json *w)
{
	api_json_close_array(w);
	return api_json_finish(w) == TACIT_OK ? live_frame_new(tacit_buf_view(w->out), 0) : NULL;
}

static bool tell_room(
        struct live *live, int64_t room, const struct live_person *who, enum live_state state)
{
	struct tacit_buf text = {0};
	struct api_json w = begin(&text, room);
	write_state(&w, who, state);
	struct live_frame *f = finish(&w);
	if (f != NULL)
		live_publish(live, room, f, NULL);
	live_frame_drop(f);
	tacit_buf_clear(&text);
	return f != NULL;
}

/* True: *state is to be told of *who, and counts as told. */
static bool begin_telling(struct live_people *p, int64_t user_id, struct live_person *who,
        enum live_state *state, enum live_state *before)
{
	(void)pthread_mutex_lock(&p->lock);
	struct person *one = find(p, user_id);
	bool news = one != NULL && state_of(one) != one->told;
	if (news) {
		*who = one->who;
		*before = one->told;
		*state = one->told = state_of(one);
		forget_if_gone(p, one);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return news;
}

/* Not all have heard it. Nobody else tells meanwhile; the person may have gone, and then it would
 * have been the end of them that was told, or come anew. */
static void take_back(struct live_people *p, const struct live_person *who, enum live_state before)
{
	(void)pthread_mutex_lock(&p->lock);
	struct person *one = find(p, who->user_id);
	if (one == NULL)
		one = add(p, who->user_id, who->username);
	if (one != NULL)
		one->told = before;
	(void)pthread_mutex_unlock(&p->lock);
}

bool live_people_announce(struct live_people *p, struct live *live, int64_t user_id,
        const int64_t *rooms, size_t count)
{
	struct live_person who;
	enum live_state state, before;
	bool told = true;
	(void)pthread_mutex_lock(&p->telling);
	if (begin_telling(p, user_id, &who, &state, &before)) {
		for (size_t i = 0; i < count; i++)
			told = tell_room(live, rooms[i], &who, state) && told;
		if (!told)
			take_back(p, &who, before);
	}
	(void)pthread_mutex_unlock(&p->telling);
	return told;
}

void live_people_describe(struct live_people *p, struct live_handle s, int64_t room,
        const int64_t *users, size_t count)
{
	struct tacit_buf text = {0};
	(void)pthread_mutex_lock(&p->telling);
	(void)pthread_mutex_lock(&p->lock);
	struct api_json w = begin(&text, room);
	for (size_t i = 0; i < count; i++) {
		const struct person *one = find(p, users[i]);
		if (one != NULL && state_of(one) != LIVE_OFFLINE)
			write_state(&w, &one->who, state_of(one));
	}
	(void)pthread_mutex_unlock(&p->lock);
	struct live_frame *f = finish(&w);
	if (f != NULL)
		live_whisper(s, room, f);
	(void)pthread_mutex_unlock(&p->telling);
	live_frame_drop(f);
	tacit_buf_clear(&text);
}

/* --- what is to be looked after -------------------------------------------------------------- */

enum tacit_err live_people_untold(struct live_people *p, size_t limit, struct tacit_buf *ids)
{
	enum tacit_err err = TACIT_OK;
	size_t found = 0;
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->bucket_count; i++)
		for (const struct person *one = p->buckets[i]; one != NULL; one = one->next) {
			if (found == limit || state_of(one) == one->told)
				continue;
			found++;
			TRY(tacit_buf_append(ids, tacit_bytes(&one->who.user_id, sizeof(int64_t))));
		}
out:
	(void)pthread_mutex_unlock(&p->lock);
	return err;
}

/* Appends the expired of one person; *soonest: the earliest that is not. */
static enum tacit_err expired_of(
        const struct person *one, int64_t until, int64_t *soonest, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < one->count; i++) {
		const struct live_guest *s = &one->sockets[i];
		if (s->expires_at <= until)
			TRY(tacit_buf_append(out, tacit_bytes(&s->who, sizeof(s->who))));
		else if (s->expires_at < *soonest)
			*soonest = s->expires_at;
	}
out:
	return err;
}

enum tacit_err live_people_logins(struct live_people *p, int64_t until, struct tacit_buf *out)
{
	enum tacit_err err = TACIT_OK;
	int64_t soonest = INT64_MAX;
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; until >= p->soonest && i < p->bucket_count; i++)
		for (const struct person *one = p->buckets[i]; one != NULL; one = one->next)
			TRY(expired_of(one, until, &soonest, out));
	if (until >= p->soonest && out->n == 0)
		p->soonest = soonest;
out:
	(void)pthread_mutex_unlock(&p->lock);
	return err;
}
