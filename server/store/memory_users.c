/* Users, their second factor and their devices. */
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

/* Names and addresses are ASCII; the process's locale has no say in what a letter is. */
static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int compare_names(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b))
		a++, b++;
	return lower(*a) - lower(*b);
}

static bool has_prefix(const char *name, struct tacit_bytes prefix)
{
	for (size_t i = 0; i < prefix.n; i++)
		if (name[i] == '\0' || lower(name[i]) != lower((char)prefix.p[i]))
			return false;
	return true;
}

struct memory_user *memory_user(const struct memory_state *s, int64_t id)
{
	struct memory_user *u = NULL;
	while ((u = memory_next(s, MEMORY_USER, u)) != NULL)
		if (u->user.id == id)
			break;
	return u;
}

static const struct memory_user *find_by_name(const struct memory_state *s, const char *username)
{
	const struct memory_user *u = NULL;
	while ((u = memory_next(s, MEMORY_USER, u)) != NULL)
		if (compare_names(u->user.username, username) == 0)
			break;
	return u;
}

static bool is_taken(const struct memory_state *s, const char *username, const char *email,
        const uint8_t public_key[32])
{
	const struct memory_user *u = NULL;
	while ((u = memory_next(s, MEMORY_USER, u)) != NULL)
		if (compare_names(u->user.username, username) == 0 ||
		        (email[0] != '\0' && compare_names(u->user.email, email) == 0) ||
		        memcmp(u->user.public_key, public_key, 32) == 0)
			return true;
	return false;
}

enum tacit_err memory_user_create(struct store *store, const struct store_new_user *n, int64_t *id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_user added = {.user = n->user};
	*id = 0;
	TRY(n->user.totp_sealed_bytes <= sizeof(n->user.totp_sealed) ? TACIT_OK : TACIT_E_USAGE);
	TRY(memory_enter(m, &s));
	bool taken = is_taken(s, n->user.username, n->user.email, n->user.public_key);
	TRY(taken ? TACIT_E_EXISTS : TACIT_OK);
	added.user.id = ++s->last_id[MEMORY_USER];
	added.user.totp_last_step = 0;
	TRY(memory_add(s, MEMORY_USER, &added, n->encrypted_private_key));
	*id = added.user.id;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_user_available(
        struct store *store, const char *username, const char *email, const uint8_t public_key[32])
{
	struct memory_state *s = memory_look(memory_of(store));
	bool taken = is_taken(s, username, email, public_key);
	memory_state_drop(s);
	return taken ? TACIT_E_EXISTS : TACIT_OK;
}

static enum tacit_err copy_user(const struct memory_user *u, struct store_user *out)
{
	*out = u != NULL ? u->user : (struct store_user){0};
	return u != NULL ? TACIT_OK : TACIT_E_NOT_FOUND;
}

enum tacit_err memory_user_by_id(struct store *store, int64_t id, struct store_user *out)
{
	struct memory_state *s = memory_look(memory_of(store));
	enum tacit_err err = copy_user(memory_user(s, id), out);
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_user_by_name(
        struct store *store, const char *username, struct store_user *out)
{
	struct memory_state *s = memory_look(memory_of(store));
	enum tacit_err err = copy_user(find_by_name(s, username), out);
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_user_by_email(struct store *store, const char *email, struct store_user *out)
{
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_user *u = NULL;
	while ((u = memory_next(s, MEMORY_USER, u)) != NULL)
		if (email[0] != '\0' && compare_names(u->user.email, email) == 0)
			break;
	enum tacit_err err = copy_user(u, out);
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_user_wrapped_key(struct store *store, int64_t id, struct tacit_buf *out)
{
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_user *u = memory_user(s, id);
	enum tacit_err err =
	        u != NULL ? tacit_buf_append(out, memory_text(&u->row)) : TACIT_E_NOT_FOUND;
	memory_state_drop(s);
	return err;
}

/* The first of those who are found with prefix whose name comes after that of `last`. */
static const struct memory_user *next_by_name(
        const struct memory_state *s, struct tacit_bytes prefix, const struct memory_user *last)
{
	const struct memory_user *best = NULL, *u = NULL;
	while ((u = memory_next(s, MEMORY_USER, u)) != NULL) {
		const char *name = u->user.username;
		bool fits = !u->user.disabled && has_prefix(name, prefix) &&
		            (last == NULL || compare_names(name, last->user.username) > 0);
		if (fits && (best == NULL || compare_names(name, best->user.username) < 0))
			best = u;
	}
	return best;
}

enum tacit_err memory_user_search(struct store *store, struct tacit_bytes prefix, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_user *u = NULL;
	for (unsigned i = 0; i < limit && (u = next_by_name(s, prefix, u)) != NULL; i++)
		TRY(row(ctx, &u->user));
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_user_list(struct store *store, int64_t after_id, unsigned limit,
        enum tacit_err (*row)(void *ctx, const struct store_user *u), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_user *u = NULL;
	unsigned seen = 0;
	while (seen < limit && (u = memory_next(s, MEMORY_USER, u)) != NULL) {
		if (u->user.id <= after_id)
			continue;
		seen++;
		TRY(row(ctx, &u->user));
	}
out:
	memory_state_drop(s);
	return err;
}

/* Enters, and finds the user to change. */
static enum tacit_err enter_for_user(
        struct memory *m, int64_t id, struct memory_state **s, struct memory_user **u)
{
	enum tacit_err err;
	TRY(memory_enter(m, s));
	*u = memory_user(*s, id);
	TRY(*u != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
out:
	return err;
}

static void end_sessions(struct memory_state *s, int64_t user_id)
{
	for (struct memory_session *e = NULL; (e = memory_next(s, MEMORY_SESSION, e)) != NULL;)
		if (e->user_id == user_id)
			e = memory_delete_session(s, e);
}

enum tacit_err memory_user_set_disabled(struct store *store, int64_t id, bool disabled)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_user *u;
	TRY(enter_for_user(m, id, &s, &u));
	u->user.disabled = disabled;
	if (disabled)
		end_sessions(s, id);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_user_set_admin(struct store *store, int64_t id, bool admin)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_user *u;
	TRY(enter_for_user(m, id, &s, &u));
	u->user.admin = admin;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_user_set_login(
        struct store *store, int64_t id, const struct store_new_login *n)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_user *u;
	TRY(enter_for_user(m, id, &s, &u));
	TRY(strlen(n->password_hash) < sizeof(u->user.password_hash) &&
	                        strlen(n->encryption_iv) < sizeof(u->user.encryption_iv)
	                ? TACIT_OK
	                : TACIT_E_USAGE);
	memset(u->user.password_hash, 0, sizeof(u->user.password_hash));
	memset(u->user.encryption_iv, 0, sizeof(u->user.encryption_iv));
	memcpy(u->user.password_hash, n->password_hash, strlen(n->password_hash));
	memcpy(u->user.encryption_iv, n->encryption_iv, strlen(n->encryption_iv));
	TRY(memory_set_text(&u->row, n->encrypted_private_key));
	end_sessions(s, id);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_user_set_quota(struct store *store, int64_t id, int64_t quota_bytes)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_user *u;
	TRY(enter_for_user(m, id, &s, &u));
	u->user.quota_bytes = quota_bytes;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_totp_use(struct store *store, int64_t user_id, int64_t step)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_user *u;
	TRY(enter_for_user(m, user_id, &s, &u));
	TRY(step > u->user.totp_last_step ? TACIT_OK : TACIT_E_CONFLICT);
	u->user.totp_last_step = step;
out:
	return memory_leave(m, s, err);
}

static struct memory_recovery_code *find_code(
        const struct memory_state *s, int64_t user_id, const uint8_t hash[STORE_HASH_BYTES])
{
	struct memory_recovery_code *c = NULL;
	while ((c = memory_next(s, MEMORY_RECOVERY_CODE, c)) != NULL)
		if (c->user_id == user_id && memcmp(c->hash, hash, STORE_HASH_BYTES) == 0)
			break;
	return c;
}

enum tacit_err memory_recovery_codes_set(struct store *store, int64_t user_id,
        const uint8_t (*hashes)[STORE_HASH_BYTES], size_t count)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_recovery_code *c = NULL, added = {.user_id = user_id};
	TRY(memory_enter(m, &s));
	TRY(count == 0 || memory_user(s, user_id) != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	while ((c = memory_next(s, MEMORY_RECOVERY_CODE, c)) != NULL)
		if (c->user_id == user_id)
			c = memory_delete(s, MEMORY_RECOVERY_CODE, c);
	for (size_t i = 0; i < count; i++) {
		TRY(find_code(s, user_id, hashes[i]) == NULL ? TACIT_OK : TACIT_E_EXISTS);
		memcpy(added.hash, hashes[i], sizeof(added.hash));
		TRY(memory_add(s, MEMORY_RECOVERY_CODE, &added, TACIT_STR("")));
	}
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_recovery_code_use(
        struct store *store, int64_t user_id, const uint8_t hash[STORE_HASH_BYTES])
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	struct memory_recovery_code *c = find_code(s, user_id, hash);
	TRY(c != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	memory_delete(s, MEMORY_RECOVERY_CODE, c);
out:
	return memory_leave(m, s, err);
}

static struct memory_device *find_device(
        const struct memory_state *s, const struct tacit_device_id *id)
{
	struct memory_device *d = NULL;
	while ((d = memory_next(s, MEMORY_DEVICE, d)) != NULL)
		if (memcmp(d->device.id.b, id->b, sizeof(id->b)) == 0)
			break;
	return d;
}

bool memory_has_device(
        const struct memory_state *s, int64_t user_id, const struct tacit_device_id *device)
{
	const struct memory_device *d = find_device(s, device);
	return d != NULL && d->user_id == user_id;
}

static unsigned count_devices(const struct memory_state *s, int64_t user_id)
{
	unsigned count = 0;
	const struct memory_device *d = NULL;
	while ((d = memory_next(s, MEMORY_DEVICE, d)) != NULL)
		count += d->user_id == user_id;
	return count;
}

enum tacit_err memory_device_put(
        struct store *store, int64_t user_id, const struct tacit_device *d, int64_t now)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_device added = {.user_id = user_id, .device = *d};
	(void)now; /* kept by the SQLite backend for the administrator; no operation answers it */
	TRY(memory_enter(m, &s));
	struct memory_device *found = find_device(s, &d->id);
	if (found != NULL) {
		TRY(found->user_id == user_id ? TACIT_OK : TACIT_E_EXISTS);
		found->device = *d;
		memory_forget_device(s, &d->id, MEMORY_FORGET_KEY_PACKAGES);
	} else {
		unsigned count = count_devices(s, user_id);
		TRY(count < TACIT_MAX_DEVICES_PER_USER ? TACIT_OK : TACIT_E_LIMIT);
		TRY(memory_user(s, user_id) != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
		TRY(memory_add(s, MEMORY_DEVICE, &added, TACIT_STR("")));
	}
out:
	return memory_leave(m, s, err);
}

static enum tacit_err end_device_sessions(struct memory_state *s, const struct tacit_device_id *id,
        enum tacit_err (*ended)(void *ctx, int64_t session_id), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	for (struct memory_session *e = NULL; (e = memory_next(s, MEMORY_SESSION, e)) != NULL;) {
		if (!e->tied || memcmp(e->device.b, id->b, sizeof(id->b)) != 0)
			continue;
		if (ended != NULL)
			TRY(ended(ctx, e->id));
		e = memory_delete_session(s, e);
	}
out:
	return err;
}

enum tacit_err memory_device_delete(struct store *store, int64_t user_id,
        const struct tacit_device_id *id, enum tacit_err (*ended)(void *ctx, int64_t session_id),
        void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	TRY(memory_enter(m, &s));
	struct memory_device *d = find_device(s, id);
	TRY(d != NULL && d->user_id == user_id ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(end_device_sessions(s, id, ended, ctx));
	memory_delete(s, MEMORY_DEVICE, d);
	memory_forget_device(s, id, MEMORY_FORGET_ALL);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_device_list(struct store *store, int64_t user_id,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_device *d = NULL;
	while ((d = memory_next(s, MEMORY_DEVICE, d)) != NULL)
		if (d->user_id == user_id)
			TRY(row(ctx, d->user_id, &d->device));
out:
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_device_list_conversation(struct store *store, int64_t conversation_id,
        enum tacit_err (*row)(void *ctx, int64_t user_id, const struct tacit_device *d), void *ctx)
{
	enum tacit_err err = TACIT_OK;
	struct memory_state *s = memory_look(memory_of(store));
	const struct memory_device *d = NULL;
	while ((d = memory_next(s, MEMORY_DEVICE, d)) != NULL)
		if (memory_participant(s, conversation_id, d->user_id) != NULL)
			TRY(row(ctx, d->user_id, &d->device));
out:
	memory_state_drop(s);
	return err;
}
