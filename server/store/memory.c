/* Opening, batches and the table of slots.
 *
 * The handles of one name share the state that was committed last. One of them writes at a time,
 * from the beginning of its batch (or operation) to its commit; it works on a state of its own, so
 * that no reader waits for it or sees what is not committed. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

#define BUSY_SECONDS 5 /* as long as the SQLite backend waits for another writer */

struct memory_shared {
	struct memory_shared *next;
	unsigned handles;     /* under registry_lock, as next */
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t turn;  /* writing has become false */
	bool writing;
	struct memory_state *committed; /* never changed, only replaced */
	char name[];
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory_shared *registry;

static const struct store_ops ops = {
        .name = "memory",
        .close = memory_close,
        .advance = memory_advance,
        .read_begin = memory_read_begin,
        .read_end = memory_read_end,
        .batch_begin = memory_batch_begin,
        .batch_commit = memory_batch_commit,
        .batch_abort = memory_batch_abort,
        .settle = memory_settle,
        .mark = memory_mark,
        .undo = memory_undo,
        .release = memory_release,
        .probe = memory_probe,
        .meta_get = memory_meta_get,
        .meta_set = memory_meta_set,
        .signature_remember = memory_signature_remember,
        .token_put = memory_token_put,
        .token_peek = memory_token_peek,
        .token_take = memory_token_take,
        .token_update = memory_token_update,
        .user_create = memory_user_create,
        .user_available = memory_user_available,
        .user_by_id = memory_user_by_id,
        .user_by_name = memory_user_by_name,
        .user_by_email = memory_user_by_email,
        .user_set_login = memory_user_set_login,
        .user_wrapped_key = memory_user_wrapped_key,
        .user_search = memory_user_search,
        .user_list = memory_user_list,
        .user_set_disabled = memory_user_set_disabled,
        .user_set_admin = memory_user_set_admin,
        .user_set_quota = memory_user_set_quota,
        .user_usage = memory_user_usage,
        .totp_use = memory_totp_use,
        .recovery_codes_set = memory_recovery_codes_set,
        .recovery_code_use = memory_recovery_code_use,
        .session_create = memory_session_create,
        .session_by_token = memory_session_by_token,
        .session_by_id = memory_session_by_id,
        .session_refresh = memory_session_refresh,
        .session_end = memory_session_end,
        .session_end_all = memory_session_end_all,
        .session_tie = memory_session_tie,
        .device_put = memory_device_put,
        .device_delete = memory_device_delete,
        .device_list = memory_device_list,
        .device_list_conversation = memory_device_list_conversation,
        .conversation_create = memory_conversation_create,
        .conversation_get = memory_conversation_get,
        .conversation_list = memory_conversation_list,
        .conversation_ids = memory_conversation_ids,
        .conversation_member = memory_conversation_member,
        .participant_list = memory_participant_list,
        .participant_add = memory_participant_add,
        .participant_remove = memory_participant_remove,
        .conversation_set_message_ttl = memory_conversation_set_message_ttl,
        .conversation_set_ends_when = memory_conversation_set_ends_when,
        .conversation_close = memory_conversation_close,
        .message_append = memory_message_append,
        .message_page = memory_message_page,
        .read_mark = memory_read_mark,
        .key_packages_add = memory_key_packages_add,
        .key_packages_count = memory_key_packages_count,
        .key_package_claim = memory_key_package_claim,
        .commit_append = memory_commit_append,
        .commit_list = memory_commit_list,
        .group_get = memory_group_get,
        .welcome_list = memory_welcome_list,
        .welcome_delete = memory_welcome_delete,
        .key_get = memory_key_get,
        .key_put = memory_key_put,
        .file_create = memory_file_create,
        .file_get = memory_file_get,
        .file_delete = memory_file_delete,
        .file_exists = memory_file_exists,
        .upload_create = memory_upload_create,
        .upload_get = memory_upload_get,
        .upload_set_length = memory_upload_set_length,
        .upload_advance = memory_upload_advance,
        .upload_finish = memory_upload_finish,
        .upload_delete = memory_upload_delete,
        .parcel_create = memory_parcel_create,
        .parcel_get = memory_parcel_get,
        .parcel_advance = memory_parcel_advance,
        .parcel_ready = memory_parcel_ready,
        .parcel_claim = memory_parcel_claim,
        .parcel_claim_get = memory_parcel_claim_get,
        .parcel_begin = memory_parcel_begin,
        .parcel_release = memory_parcel_release,
        .parcel_commit = memory_parcel_commit,
        .parcel_revoke = memory_parcel_revoke,
        .parcel_claim_list = memory_parcel_claim_list,
        .sweep = memory_sweep,
        .counts = memory_counts,
        .snapshot = memory_snapshot,
};

struct memory_state *memory_look(struct memory *m)
{
	struct memory_state *s = m->batch;
	if (s != NULL) {
		memory_state_hold(s);
		return s;
	}
	pthread_mutex_lock(&m->shared->lock);
	s = m->shared->committed;
	memory_state_hold(s);
	pthread_mutex_unlock(&m->shared->lock);
	return s;
}

static enum tacit_err take_turn(struct memory_shared *shared)
{
	struct timespec deadline;
	int rc = clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += BUSY_SECONDS;
	pthread_mutex_lock(&shared->lock);
	while (shared->writing && rc == 0)
		rc = pthread_cond_timedwait(&shared->turn, &shared->lock, &deadline);
	bool busy = shared->writing;
	shared->writing = true;
	pthread_mutex_unlock(&shared->lock);
	return busy ? TACIT_E_STORE_BUSY : TACIT_OK;
}

static enum tacit_err begin(struct memory *m)
{
	enum tacit_err err = take_turn(m->shared);
	if (err == TACIT_OK)
		m->batch = memory_look(m);
	return err;
}

static void drop_mark(struct memory *m)
{
	struct memory_mark *mark = m->marks;
	m->marks = mark->before;
	memory_state_drop(mark->state);
	tacit_free(mark);
}

/* Gives the turn away, and with `keep` what the batch has come to to everybody. */
static void end(struct memory *m, bool keep)
{
	struct memory_shared *shared = m->shared;
	struct memory_state *dropped = m->batch;
	while (m->marks != NULL)
		drop_mark(m);
	pthread_mutex_lock(&shared->lock);
	if (keep) {
		dropped = shared->committed;
		shared->committed = m->batch;
	}
	shared->writing = false;
	pthread_cond_signal(&shared->turn);
	pthread_mutex_unlock(&shared->lock);
	memory_state_drop(dropped);
	m->batch = NULL;
}

void memory_read_begin(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->mode == STORE_READER && m->batch == NULL)
		m->batch = memory_look(m);
}

void memory_read_end(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->mode != STORE_READER || m->batch == NULL)
		return;
	memory_state_drop(m->batch);
	m->batch = NULL;
}

enum tacit_err memory_batch_begin(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->mode != STORE_WRITER || m->batch != NULL)
		return TACIT_E_USAGE;
	return begin(m);
}

enum tacit_err memory_batch_commit(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->batch == NULL)
		return TACIT_E_USAGE;
	end(m, true);
	return TACIT_OK;
}

void memory_batch_abort(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->batch != NULL)
		end(m, false);
}

void memory_settle(struct store *store, bool idle)
{
	(void)store;
	(void)idle;
}

enum tacit_err memory_mark(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->batch == NULL)
		return TACIT_E_USAGE;
	struct memory_mark *mark = tacit_alloc(sizeof(*mark));
	if (mark == NULL)
		return TACIT_E_NOMEM;
	memory_state_hold(m->batch);
	*mark = (struct memory_mark){m->marks, m->batch};
	m->marks = mark;
	return TACIT_OK;
}

enum tacit_err memory_undo(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->marks == NULL)
		return TACIT_E_USAGE;
	memory_state_drop(m->batch);
	m->batch = m->marks->state;
	memory_state_hold(m->batch);
	drop_mark(m);
	return TACIT_OK;
}

enum tacit_err memory_release(struct store *store)
{
	struct memory *m = memory_of(store);
	if (m->marks == NULL)
		return TACIT_E_USAGE;
	drop_mark(m);
	return TACIT_OK;
}

enum tacit_err memory_enter(struct memory *m, struct memory_state **s)
{
	enum tacit_err err;
	*s = NULL;
	TRY(m->mode == STORE_WRITER ? TACIT_OK : TACIT_E_USAGE);
	m->alone = m->batch == NULL;
	if (m->alone)
		TRY(begin(m));
	*s = memory_state_new(m->batch);
	if (*s == NULL && m->alone)
		end(m, false);
	err = *s != NULL ? TACIT_OK : TACIT_E_NOMEM;
out:
	return err;
}

enum tacit_err memory_leave(struct memory *m, struct memory_state *s, enum tacit_err err)
{
	if (s == NULL)
		return err;
	struct memory_state *dropped = err == TACIT_OK ? m->batch : s;
	if (err == TACIT_OK)
		m->batch = s;
	memory_state_drop(dropped);
	if (m->alone)
		end(m, err == TACIT_OK);
	return err;
}

static void destroy_shared(struct memory_shared *shared)
{
	memory_state_drop(shared->committed);
	pthread_cond_destroy(&shared->turn);
	pthread_mutex_destroy(&shared->lock);
	tacit_free(shared);
}

static bool init_turn(pthread_cond_t *turn)
{
	pthread_condattr_t attributes;
	if (pthread_condattr_init(&attributes) != 0)
		return false;
	bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	          pthread_cond_init(turn, &attributes) == 0;
	pthread_condattr_destroy(&attributes);
	return ok;
}

static struct memory_shared *new_shared(const char *name)
{
	size_t room = strlen(name) + 1;
	struct memory_shared *shared = tacit_calloc(1, sizeof(*shared) + room);
	if (shared == NULL)
		return NULL;
	memcpy(shared->name, name, room);
	shared->committed = memory_state_new(NULL);
	if (shared->committed != NULL && pthread_mutex_init(&shared->lock, NULL) == 0) {
		if (init_turn(&shared->turn))
			return shared;
		pthread_mutex_destroy(&shared->lock);
	}
	memory_state_drop(shared->committed);
	tacit_free(shared);
	return NULL;
}

/* As with a database on a disk, it is there once a writer has made it. */
static enum tacit_err share(const char *name, enum store_mode mode, struct memory_shared **out)
{
	enum tacit_err err = TACIT_OK;
	pthread_mutex_lock(&registry_lock);
	struct memory_shared *shared = registry;
	while (shared != NULL && strcmp(shared->name, name) != 0)
		shared = shared->next;
	if (shared == NULL && mode == STORE_READER)
		TRY(TACIT_E_IO);
	if (shared == NULL) {
		shared = new_shared(name);
		TRY(shared != NULL ? TACIT_OK : TACIT_E_NOMEM);
		shared->next = registry;
		registry = shared;
	}
	shared->handles++;
	*out = shared;
out:
	pthread_mutex_unlock(&registry_lock);
	return err;
}

static void unshare(struct memory_shared *shared)
{
	pthread_mutex_lock(&registry_lock);
	bool last = --shared->handles == 0;
	struct memory_shared **link = &registry;
	while (last && *link != shared)
		link = &(*link)->next;
	if (last)
		*link = shared->next;
	pthread_mutex_unlock(&registry_lock);
	if (last)
		destroy_shared(shared);
}

enum tacit_err memory_open(
        const char *name, enum store_mode mode, char why[256], struct store **out)
{
	enum tacit_err err;
	struct memory *m = tacit_calloc(1, sizeof(*m));
	TRY(m != NULL ? TACIT_OK : TACIT_E_NOMEM);
	m->base.ops = &ops;
	m->mode = mode;
	TRY(share(name, mode, &m->shared));
	*out = &m->base;
out:
	if (err != TACIT_OK) {
		snprintf(why, 256, "memory:%s: %s", name,
		        err == TACIT_E_IO ? "no writer has opened it yet" : "out of memory");
		tacit_free(m);
	}
	return err;
}

void memory_advance(struct store *s, int64_t now)
{
	memory_time(memory_of(s), now);
}

void memory_close(struct store *store)
{
	struct memory *m = memory_of(store);
	memory_read_end(store);
	memory_batch_abort(store);
	unshare(m->shared);
	tacit_free(m);
}
