/* What proves who is asking: remembered signatures, one-time tokens, sessions; and the settings. */
#include <stdio.h>
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

/* Names that the server gives are short: a long one is its own mistake. */
static enum tacit_err copy_word(char out[MEMORY_WORD], const char *word)
{
	int n = snprintf(out, MEMORY_WORD, "%s", word);
	return n >= 0 && n < MEMORY_WORD ? TACIT_OK : TACIT_E_USAGE;
}

static struct memory_meta *find_meta(const struct memory_state *s, const char *key)
{
	struct memory_meta *found = NULL;
	while ((found = memory_next(s, MEMORY_META, found)) != NULL)
		if (strcmp(found->key, key) == 0)
			break;
	return found;
}

enum tacit_err memory_meta_get(struct store *store, const char *key, struct tacit_buf *out)
{
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_meta *found = find_meta(s, key);
	enum tacit_err err =
	        found != NULL ? tacit_buf_append(out, memory_text(&found->row)) : TACIT_E_NOT_FOUND;
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_meta_set(struct store *store, const char *key, struct tacit_bytes value)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_meta added = {0};
	TRY(copy_word(added.key, key));
	TRY(memory_enter(m, &s));
	struct memory_meta *found = find_meta(s, key);
	if (found != NULL)
		TRY(memory_set_text(&found->row, value));
	else
		TRY(memory_add(s, MEMORY_META, &added, value));
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_signature_remember(
        struct store *store, int64_t user_id, const uint8_t signature_hash[16], int64_t expires_at)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_signature added = {.user_id = user_id, .expires_at = expires_at};
	memcpy(added.hash, signature_hash, sizeof(added.hash));
	TRY(memory_enter(m, &s));
	for (struct memory_signature *g = NULL; (g = memory_next(s, MEMORY_SIGNATURE, g)) != NULL;)
		if (g->user_id == user_id && memcmp(g->hash, added.hash, sizeof(g->hash)) == 0)
			TRY(TACIT_E_EXISTS);
	TRY(memory_add(s, MEMORY_SIGNATURE, &added, TACIT_STR("")));
out:
	return memory_leave(m, s, err);
}

static struct memory_token *find_token(
        const struct memory_state *s, const char *kind, const uint8_t hash[STORE_HASH_BYTES])
{
	struct memory_token *found = NULL;
	while ((found = memory_next(s, MEMORY_TOKEN, found)) != NULL)
		if (strcmp(found->kind, kind) == 0 &&
		        memcmp(found->hash, hash, STORE_HASH_BYTES) == 0)
			break;
	return found;
}

/* The same, but NULL for one whose time is over. */
static struct memory_token *find_valid(const struct memory_state *s, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now)
{
	struct memory_token *found = find_token(s, kind, hash);
	return found != NULL && found->expires_at > now ? found : NULL;
}

enum tacit_err memory_token_put(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], struct tacit_bytes value, int64_t expires_at)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_token added = {.expires_at = expires_at};
	memcpy(added.hash, hash, sizeof(added.hash));
	TRY(copy_word(added.kind, kind));
	TRY(memory_enter(m, &s));
	struct memory_token *found = find_token(s, kind, hash);
	if (found != NULL)
		memory_delete(s, MEMORY_TOKEN, found);
	TRY(memory_add(s, MEMORY_TOKEN, &added, value));
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_token_peek(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_buf *value)
{
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	memory_time(m, now);
	const struct memory_token *found = find_valid(s, kind, hash, now);
	enum tacit_err err = found != NULL ? tacit_buf_append(value, memory_text(&found->row))
	                                   : TACIT_E_NOT_FOUND;
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_token_take(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_buf *value)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	memory_time(m, now);
	struct memory_token *found = find_valid(s, kind, hash, now);
	TRY(found != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(tacit_buf_append(value, memory_text(&found->row)));
	memory_delete(s, MEMORY_TOKEN, found);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_token_update(struct store *store, const char *kind,
        const uint8_t hash[STORE_HASH_BYTES], int64_t now, struct tacit_bytes value)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	memory_time(m, now);
	TRY(memory_enter(m, &s));
	struct memory_token *found = find_valid(s, kind, hash, now);
	TRY(found != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(memory_set_text(&found->row, value));
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_session_create(struct store *store, int64_t user_id,
        const uint8_t token[STORE_HASH_BYTES], const uint8_t refresh[STORE_HASH_BYTES], int64_t now,
        int64_t expires_at, int64_t *id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_session added = {.user_id = user_id, .expires_at = expires_at};
	*id = 0;
	memory_time(m, now);
	memcpy(added.token, token, sizeof(added.token));
	memcpy(added.refresh, refresh, sizeof(added.refresh));
	TRY(memory_enter(m, &s));
	for (struct memory_session *e = NULL; (e = memory_next(s, MEMORY_SESSION, e)) != NULL;)
		if (memcmp(e->token, token, STORE_HASH_BYTES) == 0 ||
		        memcmp(e->refresh, refresh, STORE_HASH_BYTES) == 0)
			TRY(TACIT_E_EXISTS);
	TRY(memory_user(s, user_id) != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	added.id = ++s->last_id[MEMORY_SESSION];
	TRY(memory_add(s, MEMORY_SESSION, &added, TACIT_STR("")));
	*id = added.id;
out:
	return memory_leave(m, s, err);
}

/* By the one of the three keys that is given. */
static struct memory_session *find_session(const struct memory_state *s, int64_t id,
        const uint8_t *token, const uint8_t *refresh, int64_t now)
{
	struct memory_session *e = NULL;
	while ((e = memory_next(s, MEMORY_SESSION, e)) != NULL) {
		bool same = token != NULL     ? memcmp(e->token, token, STORE_HASH_BYTES) == 0
		            : refresh != NULL ? memcmp(e->refresh, refresh, STORE_HASH_BYTES) == 0
		                              : e->id == id;
		if (same && e->expires_at > now)
			break;
	}
	return e;
}

static void describe_session(
        const struct memory_state *s, const struct memory_session *e, struct store_session *out)
{
	const struct store_user *u = &memory_user(s, e->user_id)->user;
	*out = (struct store_session){
	        .id = e->id,
	        .user_id = e->user_id,
	        .expires_at = e->expires_at,
	        .admin = u->admin,
	        .disabled = u->disabled,
	};
	memcpy(out->username, u->username, sizeof(out->username));
	memcpy(out->public_key, u->public_key, sizeof(out->public_key));
}

static enum tacit_err look_for_session(
        struct memory *m, int64_t id, const uint8_t *token, int64_t now, struct store_session *out)
{
	struct memory_state *s = memory_look(m);
	memory_time(m, now);
	*out = (struct store_session){0};
	const struct memory_session *e = find_session(s, id, token, NULL, now);
	enum tacit_err err = e != NULL ? TACIT_OK : TACIT_E_NOT_FOUND;
	if (e != NULL)
		describe_session(s, e, out);
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_session_by_token(struct store *s, const uint8_t token[STORE_HASH_BYTES],
        int64_t now, struct store_session *out)
{
	return look_for_session(memory_of(s), 0, token, now, out);
}

enum tacit_err memory_session_by_id(
        struct store *s, int64_t id, int64_t now, struct store_session *out)
{
	return look_for_session(memory_of(s), id, NULL, now, out);
}

void *memory_delete_session(struct memory_state *s, struct memory_session *session)
{
	struct memory_spent_refresh *p = NULL;
	while ((p = memory_next(s, MEMORY_SPENT_REFRESH, p)) != NULL)
		if (p->session_id == session->id)
			p = memory_delete(s, MEMORY_SPENT_REFRESH, p);
	return memory_delete(s, MEMORY_SESSION, session);
}

static struct memory_spent_refresh *find_spent(
        const struct memory_state *s, const uint8_t refresh[STORE_HASH_BYTES])
{
	struct memory_spent_refresh *p = NULL;
	while ((p = memory_next(s, MEMORY_SPENT_REFRESH, p)) != NULL)
		if (memcmp(p->refresh, refresh, STORE_HASH_BYTES) == 0)
			break;
	return p;
}

/* A refresh token that was exchanged before: somebody has a copy. */
static enum tacit_err end_if_spent(struct memory_state *s, const uint8_t refresh[STORE_HASH_BYTES])
{
	const struct memory_spent_refresh *spent = find_spent(s, refresh);
	if (spent == NULL)
		return TACIT_E_NOT_FOUND;
	struct memory_session *e = find_session(s, spent->session_id, NULL, NULL, INT64_MIN);
	TACIT_ASSERT(e != NULL);
	memory_delete_session(s, e);
	return TACIT_OK;
}

static enum tacit_err rotate(struct memory_state *s, struct memory_session *e,
        const uint8_t new_refresh[STORE_HASH_BYTES], int64_t expires_at)
{
	enum tacit_err err;
	struct memory_spent_refresh spent = {.session_id = e->id};
	memcpy(spent.refresh, e->refresh, sizeof(spent.refresh));
	TRY(find_spent(s, spent.refresh) == NULL ? TACIT_OK : TACIT_E_EXISTS);
	const struct memory_session *other = find_session(s, 0, NULL, new_refresh, INT64_MIN);
	TRY(other == NULL || other == e ? TACIT_OK : TACIT_E_EXISTS);
	TRY(memory_add(s, MEMORY_SPENT_REFRESH, &spent, TACIT_STR("")));
	memcpy(e->refresh, new_refresh, sizeof(e->refresh));
	e->expires_at = expires_at;
out:
	return err;
}

enum tacit_err memory_session_refresh(struct store *store,
        const uint8_t old_refresh[STORE_HASH_BYTES], const uint8_t new_refresh[STORE_HASH_BYTES],
        int64_t now, int64_t expires_at, struct store_session *out)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	bool stolen = false;
	*out = (struct store_session){0};
	TRY(memory_enter(m, &s));
	memory_time(m, now);
	struct memory_session *e = find_session(s, 0, NULL, old_refresh, now);
	if (e == NULL) {
		TRY(end_if_spent(s, old_refresh));
		stolen = true;
	} else {
		TRY(rotate(s, e, new_refresh, expires_at));
		describe_session(s, e, out);
	}
out:
	err = memory_leave(m, s, err);
	return err == TACIT_OK && stolen ? TACIT_E_REPLAY : err;
}

enum tacit_err memory_session_end(struct store *store, int64_t id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	struct memory_session *e = find_session(s, id, NULL, NULL, INT64_MIN);
	if (e != NULL)
		memory_delete_session(s, e);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_session_end_all(struct store *store, int64_t user_id, int64_t except_id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	for (struct memory_session *e = NULL; (e = memory_next(s, MEMORY_SESSION, e)) != NULL;)
		if (e->user_id == user_id && e->id != except_id)
			e = memory_delete_session(s, e);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_session_tie(
        struct store *store, int64_t id, int64_t user_id, const struct tacit_device_id *device)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	struct memory_session *e = find_session(s, id, NULL, NULL, INT64_MIN);
	if (e != NULL && e->user_id == user_id && !e->tied &&
	        memory_has_device(s, user_id, device)) {
		e->tied = true;
		e->device = *device;
	}
out:
	return memory_leave(m, s, err);
}
