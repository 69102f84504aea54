#include "agent/session.h"

#include <string.h>

#include "agent/known.h"
#include "agent/link.h"
#include "base/alloc.h"
#include "crypto/encoding.h"

#define REMEMBER_S 3600 /* what is over */

struct sessions {
	struct agent *agent;
	pthread_mutex_t lock; /* of the list; before a session's */
	struct session *list;
	size_t count;
	pthread_mutex_t known_lock; /* of the file */
	struct known known;
};

/* --- one session ------------------------------------------------------------------------------ */

bool session_is_open(const struct session *s)
{
	return s->state == SESSION_WAITING || s->state == SESSION_JOINED;
}

enum tacit_err session_refuse_closed(struct exchange *x, const struct session *s)
{
	if (!s->before)
		return agent_refuse(x, AGENT_SESSION_CLOSED);
	return agent_refuse_because(x, AGENT_SESSION_CLOSED,
	        "The session is closed: the agent has been started anew since.");
}

void session_touch(struct session *s)
{
	s->active_s = agent_monotonic_s();
}

static void drop_files(struct session *s)
{
	for (struct shelf_file *f = s->files, *next; f != NULL; f = next) {
		next = f->next;
		shelf_drop(f);
	}
	s->files = NULL;
	s->file_count = 0;
}

void session_end(struct session *s, enum session_state state)
{
	if (!session_is_open(s))
		return;
	s->state = state;
	s->stop = 1;
	drop_files(s);
	meeting_clear(&s->next_meeting);
	tacit_wipe(&s->code, sizeof(s->code));
	tacit_wipe(s->verification_code, sizeof(s->verification_code));
	tacit_wipe(s->root, sizeof(s->root));
	tacit_secret_free(&s->key);
	session_touch(s);
	pthread_cond_broadcast(&s->changed);
}

static void session_free(struct session *s)
{
	drop_files(s);
	meeting_clear(&s->next_meeting);
	tacit_secret_free(&s->key);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	tacit_wipe(s, sizeof(*s));
	tacit_free(s);
}

void session_drop(struct session *s)
{
	if (s != NULL && atomic_fetch_sub(&s->users, 1) == 1)
		session_free(s);
}

enum tacit_err session_prepare(struct session *s)
{
	enum tacit_err err;
	TRY(meeting_begin(&s->next_meeting, &s->code, TACIT_PARCEL_OPENER, &s->agent->env));
	tacit_hex(tacit_bytes(s->next_meeting.channel.run.own, TACIT_SPAKE2_MESSAGE_BYTES),
	        s->public_key);
out:
	return err;
}

enum tacit_err session_add_file(struct session *s, struct shelf_file *f)
{
	enum tacit_err err = TACIT_OK;
	if (!session_is_open(s))
		err = TACIT_E_GONE;
	else if (s->file_count >= SESSION_MAX_FILES)
		err = TACIT_E_LIMIT;
	if (err != TACIT_OK) {
		shelf_drop(f);
		return err;
	}
	struct shelf_file **at = &s->files;
	while (*at != NULL)
		at = &(*at)->next;
	*at = f;
	s->file_count++;
	session_touch(s);
	pthread_cond_broadcast(&s->changed);
	return TACIT_OK;
}

struct shelf_file *session_find_file(struct session *s, const char *id)
{
	struct shelf_file *f = s->files;
	while (f != NULL && strcmp(f->id, id) != 0)
		f = f->next;
	return f;
}

static void *run_link(void *ctx)
{
	struct session *s = ctx;
	link_run(s);
	pthread_mutex_lock(&s->lock);
	s->thread_done = true;
	s->online = s->linked = false;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* The thread's hold on the session is the list's: it is joined before the list lets go. */
enum tacit_err session_link(struct session *s)
{
	if (pthread_create(&s->thread, NULL, run_link, s) != 0)
		return TACIT_E_IO;
	s->threaded = true;
	return TACIT_OK;
}

/* --- the list --------------------------------------------------------------------------------- */

static struct session *find(const struct sessions *all, const char *id)
{
	struct session *s = all->list;
	while (s != NULL && strcmp(s->id, id) != 0)
		s = s->next;
	return s;
}

/* Its thread has ended, or is about to. A call that still holds it must not begin anything: nobody
 * would join the thread. */
static void forget(struct sessions *all, struct session *s)
{
	pthread_mutex_lock(&s->lock);
	session_end(s, SESSION_CLOSED);
	pthread_mutex_unlock(&s->lock);
	struct session **at = &all->list;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	all->count--;
	if (s->threaded)
		pthread_join(s->thread, NULL);
	session_drop(s);
}

static bool may_be_forgotten(struct session *s)
{
	pthread_mutex_lock(&s->lock);
	bool over = !session_is_open(s) || (s->guessed && !s->joining);
	bool may = over && (!s->threaded || s->thread_done);
	pthread_mutex_unlock(&s->lock);
	return may;
}

static void make_room(struct sessions *all)
{
	struct session *oldest = NULL;
	if (all->count < SESSION_MAX)
		return;
	for (struct session *s = all->list; s != NULL; s = s->next)
		if (may_be_forgotten(s) && (oldest == NULL || s->active_s < oldest->active_s))
			oldest = s;
	if (oldest != NULL)
		forget(all, oldest);
}

/* Waits are on the clock that does not go back. */
static void init_condition(pthread_cond_t *c)
{
	pthread_condattr_t how;
	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(c, &how);
	pthread_condattr_destroy(&how);
}

static enum tacit_err make(
        struct sessions *all, const char *id, enum session_part part, struct session **out)
{
	enum tacit_err err;
	uint8_t raw[AGENT_ID_CHARS / 2];
	struct session *s = tacit_calloc(1, sizeof(*s));
	TRY(s != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_secret_new(&s->key, SHELF_KEY_BYTES));
	tacit_env_random(&all->agent->env, s->key.p, s->key.n);
	tacit_env_random(&all->agent->env, raw, sizeof(raw));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), s->id);
	if (id != NULL)
		memcpy(s->id, id, AGENT_ID_CHARS);
	s->agent = all->agent;
	s->part = part;
	s->state = SESSION_WAITING;
	s->guessed = part == SESSION_JOINER;
	s->tries_left = MEETING_TRIES;
	s->created_at = tacit_env_now(&all->agent->env);
	session_touch(s);
	atomic_init(&s->users, 2); /* the list and the caller */
	pthread_mutex_init(&s->lock, NULL);
	init_condition(&s->changed);
	*out = s;
	s = NULL;
out:
	tacit_free(s);
	return err;
}

enum tacit_err session_new(
        struct sessions *all, const char *id, enum session_part part, struct session **out)
{
	enum tacit_err err;
	*out = NULL;
	pthread_mutex_lock(&all->lock);
	make_room(all);
	TRY(all->count < SESSION_MAX ? TACIT_OK : TACIT_E_LIMIT);
	TRY(id != NULL && find(all, id) != NULL ? TACIT_E_EXISTS : TACIT_OK);
	TRY(make(all, id, part, out));
	(*out)->next = all->list;
	all->list = *out;
	all->count++;
out:
	pthread_mutex_unlock(&all->lock);
	return err;
}

struct session *session_find(struct sessions *all, const char *id)
{
	pthread_mutex_lock(&all->lock);
	struct session *s = find(all, id);
	if (s != NULL)
		atomic_fetch_add(&s->users, 1);
	pthread_mutex_unlock(&all->lock);
	return s;
}

void sessions_sweep(struct sessions *all)
{
	int64_t now = agent_monotonic_s();
	pthread_mutex_lock(&all->lock);
	for (struct session *s = all->list, *next; s != NULL; s = next) {
		next = s->next;
		pthread_mutex_lock(&s->lock);
		bool over = now - s->active_s >= (int64_t)all->agent->settings.session_timeout_s;
		bool forgotten = !session_is_open(s) && now - s->active_s >= REMEMBER_S;
		if (over)
			session_end(s, SESSION_CLOSED);
		pthread_mutex_unlock(&s->lock);
		if (forgotten && may_be_forgotten(s))
			forget(all, s);
	}
	pthread_mutex_unlock(&all->lock);
}

void session_remove(struct sessions *all, struct session *s)
{
	pthread_mutex_lock(&all->lock);
	if (find(all, s->id) == s)
		forget(all, s);
	pthread_mutex_unlock(&all->lock);
}

size_t sessions_count(struct sessions *all)
{
	size_t count = 0;
	pthread_mutex_lock(&all->lock);
	for (struct session *s = all->list; s != NULL; s = s->next) {
		pthread_mutex_lock(&s->lock);
		count += session_is_open(s) && !s->guessed;
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_unlock(&all->lock);
	return count;
}

/* Nothing of it is left but that it was. */
static void take_known(void *ctx, const struct known_session *k)
{
	struct sessions *all = ctx;
	struct session *s = NULL;
	enum session_part part = k->ours ? SESSION_CREATOR : SESSION_JOINER;
	if (session_new(all, k->id, part, &s) != TACIT_OK)
		return;
	pthread_mutex_lock(&s->lock);
	s->guessed = false;
	s->before = true;
	session_end(s, SESSION_CLOSED);
	pthread_mutex_unlock(&s->lock);
	session_drop(s);
}

enum tacit_err sessions_new(struct agent *a, struct sessions **out)
{
	enum tacit_err err;
	struct sessions *s = tacit_calloc(1, sizeof(*s));
	*out = s;
	if (s == NULL)
		return TACIT_E_NOMEM;
	s->agent = a;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->known_lock, NULL);
	TRY(known_open(&s->known, take_known, s));
out:
	return err;
}

enum tacit_err session_note(struct sessions *all, const struct session *s)
{
	struct known_session k = {.ours = s->part == SESSION_CREATOR};
	memcpy(k.id, s->id, sizeof(k.id));
	pthread_mutex_lock(&all->known_lock);
	enum tacit_err err = known_add(&all->known, &k);
	pthread_mutex_unlock(&all->known_lock);
	return err;
}

void sessions_free(struct sessions *all)
{
	if (all == NULL)
		return;
	for (struct session *s = all->list; s != NULL; s = s->next) {
		pthread_mutex_lock(&s->lock);
		session_end(s, SESSION_CLOSED);
		pthread_mutex_unlock(&s->lock);
	}
	while (all->list != NULL)
		forget(all, all->list);
	known_close(&all->known);
	pthread_mutex_destroy(&all->lock);
	pthread_mutex_destroy(&all->known_lock);
	tacit_free(all);
}
