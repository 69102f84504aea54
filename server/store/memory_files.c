/* Files and uploads under way, and what they take from their owner's quota. */
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/memory_slots.h"

static struct memory_file *find_file(const struct memory_state *s, const char *id)
{
	struct memory_file *f = NULL;
	while ((f = memory_next(s, MEMORY_FILE, f)) != NULL)
		if (strcmp(f->file.id, id) == 0)
			break;
	return f;
}

static struct memory_upload *find_upload(const struct memory_state *s, const char *id)
{
	struct memory_upload *u = NULL;
	while ((u = memory_next(s, MEMORY_UPLOAD, u)) != NULL)
		if (strcmp(u->upload.id, id) == 0)
			break;
	return u;
}

static bool is_taken(const struct memory_state *s, const char *id)
{
	return find_file(s, id) != NULL || find_upload(s, id) != NULL || memory_parcel_lives(s, id);
}

static int64_t usage(const struct memory_state *s, int64_t user_id)
{
	int64_t bytes = 0;
	const struct memory_file *f = NULL;
	while ((f = memory_next(s, MEMORY_FILE, f)) != NULL)
		bytes += f->file.owner_id == user_id ? f->file.bytes : 0;
	const struct memory_upload *u = NULL;
	while ((u = memory_next(s, MEMORY_UPLOAD, u)) != NULL) {
		/* Its whole length from the start; without one, what has come. */
		int64_t size = u->upload.length < 0 ? u->upload.offset : u->upload.length;
		bytes += u->upload.owner_id == user_id ? size : 0;
	}
	return bytes;
}

enum tacit_err memory_user_usage(struct store *store, int64_t id, int64_t *bytes)
{
	struct memory_state *s = memory_look(memory_of(store));
	bool known = memory_user(s, id) != NULL;
	*bytes = usage(s, id);
	memory_state_drop(s);
	return known ? TACIT_OK : TACIT_E_NOT_FOUND;
}

/* A quota set for the user goes before the server's default; negative is none. */
static enum tacit_err check_quota(
        const struct memory_state *s, int64_t user_id, int64_t more_bytes, int64_t default_quota)
{
	const struct memory_user *u = memory_user(s, user_id);
	if (u == NULL)
		return TACIT_E_NOT_FOUND;
	int64_t quota = u->user.quota_bytes >= 0 ? u->user.quota_bytes : default_quota;
	bool fits = quota < 0 || more_bytes <= 0 || more_bytes <= quota - usage(s, user_id);
	return fits ? TACIT_OK : TACIT_E_LIMIT;
}

/* The owner must be in the conversation, and the message too. 0: none. *expires_at: when a file
 * ends that is put there now; NULL is fine. */
static enum tacit_err check_place(
        const struct memory_state *s, int64_t now, const struct store_file *f, int64_t *expires_at)
{
	enum tacit_err err = TACIT_OK;
	int64_t ttl = 0;
	if (f->conversation_id != 0) {
		TRY(memory_member(s, now, f->conversation_id, f->owner_id));
		ttl = memory_conversation(s, f->conversation_id)->message_ttl;
	}
	*expires_at = ttl > 0 ? now + ttl : 0;
	if (f->message_id != 0) {
		const struct memory_message *m =
		        memory_message(s, now, f->conversation_id, f->message_id);
		TRY(m != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
		*expires_at = m->expires_at;
	}
out:
	return err;
}

static enum tacit_err add_file(
        struct memory_state *s, const struct store_file *f, int64_t expires_at)
{
	struct memory_file added = {.row.conversation_id = f->conversation_id, .file = *f};
	added.file.expires_at = expires_at;
	if (find_file(s, f->id) != NULL)
		return TACIT_E_EXISTS;
	return memory_add(s, MEMORY_FILE, &added, TACIT_STR(""));
}

enum tacit_err memory_file_create(
        struct store *store, const struct store_file *f, int64_t quota_bytes)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	int64_t expires_at;
	TRY(memory_enter(m, &s));
	TRY(find_upload(s, f->id) == NULL ? TACIT_OK : TACIT_E_EXISTS);
	TRY(check_place(s, m->now, f, &expires_at));
	TRY(check_quota(s, f->owner_id, f->bytes, quota_bytes));
	TRY(add_file(s, f, expires_at));
	store_tell_deadline(store, expires_at);
out:
	return memory_leave(m, s, err);
}

/* In a conversation whose time is over it is gone for its owner too; the owner who has left one
 * still gets it. */
static enum tacit_err find_visible(const struct memory_state *s, int64_t now, const char *id,
        int64_t user_id, struct memory_file **out)
{
	struct memory_file *f = find_file(s, id);
	bool owned = f != NULL && f->file.owner_id == user_id, visible = owned;
	if (f != NULL && f->row.conversation_id != 0) {
		enum tacit_err err = memory_member(s, now, f->row.conversation_id, user_id);
		visible = err == TACIT_OK || (err == TACIT_E_NOT_FOUND && owned);
	}
	visible = visible && !memory_is_over(f->file.expires_at, now);
	*out = visible ? f : NULL;
	return visible ? TACIT_OK : TACIT_E_NOT_FOUND;
}

enum tacit_err memory_file_get(
        struct store *store, const char *id, int64_t user_id, struct store_file *out)
{
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	struct memory_file *f;
	enum tacit_err err = find_visible(s, m->now, id, user_id, &f);
	*out = f != NULL ? f->file : (struct store_file){0};
	memory_state_drop(s);
	return err;
}

enum tacit_err memory_file_delete(struct store *store, const char *id, int64_t user_id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_file *f;
	TRY(memory_enter(m, &s));
	TRY(find_visible(s, m->now, id, user_id, &f));
	TRY(f->file.owner_id == user_id ? TACIT_OK : TACIT_E_CONFLICT);
	memory_delete(s, MEMORY_FILE, f);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_file_exists(struct store *store, const char *id)
{
	struct memory_state *s = memory_look(memory_of(store));
	bool taken = is_taken(s, id);
	memory_state_drop(s);
	return taken ? TACIT_OK : TACIT_E_NOT_FOUND;
}

enum tacit_err memory_upload_create(
        struct store *store, const struct store_upload *u, int64_t quota_bytes)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_upload added = {.row.conversation_id = u->conversation_id, .upload = *u};
	const struct store_file place = {
	        .owner_id = u->owner_id, .conversation_id = u->conversation_id};
	int64_t ignored;
	added.upload.metadata = tacit_bytes(NULL, 0);
	TRY(u->length >= -1 && u->offset >= 0 ? TACIT_OK : TACIT_E_USAGE);
	TRY(memory_enter(m, &s));
	TRY(is_taken(s, u->id) ? TACIT_E_EXISTS : TACIT_OK);
	TRY(check_place(s, m->now, &place, &ignored));
	TRY(check_quota(s, u->owner_id, u->length < 0 ? u->offset : u->length, quota_bytes));
	TRY(memory_add(s, MEMORY_UPLOAD, &added, u->metadata));
out:
	return memory_leave(m, s, err);
}

/* NULL also for another's. */
static struct memory_upload *find_own(const struct memory_state *s, const char *id, int64_t user_id)
{
	struct memory_upload *u = find_upload(s, id);
	return u != NULL && u->upload.owner_id == user_id ? u : NULL;
}

enum tacit_err memory_upload_get(struct store *store, const char *id, int64_t user_id, int64_t now,
        enum tacit_err (*row)(void *ctx, const struct store_upload *u), void *ctx)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = memory_look(m);
	memory_time(m, now);
	const struct memory_upload *u = find_own(s, id, user_id);
	TRY(u != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(u->upload.expires_at > now ? TACIT_OK : TACIT_E_GONE);
	struct store_upload described = u->upload;
	described.metadata = memory_text(&u->row);
	TRY(row(ctx, &described));
out:
	memory_state_drop(s);
	return err;
}

/* Enters, and finds the upload to change. */
static enum tacit_err enter_for_upload(struct memory *m, const char *id, int64_t user_id,
        struct memory_state **s, struct memory_upload **u)
{
	enum tacit_err err;
	TRY(memory_enter(m, s));
	*u = find_own(*s, id, user_id);
	TRY(*u != NULL ? TACIT_OK : TACIT_E_NOT_FOUND);
out:
	return err;
}

enum tacit_err memory_upload_set_length(
        struct store *store, const char *id, int64_t user_id, int64_t length, int64_t quota_bytes)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_upload *found;
	TRY(enter_for_upload(m, id, user_id, &s, &found));
	struct store_upload *u = &found->upload;
	bool fits = u->length == length || (u->length < 0 && length >= u->offset);
	TRY(fits ? TACIT_OK : TACIT_E_CONFLICT);
	if (u->length < 0)
		TRY(check_quota(s, user_id, length - u->offset, quota_bytes));
	u->length = length;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_upload_advance(struct store *store, const char *id, int64_t user_id,
        int64_t from_offset, int64_t to_offset, int64_t expires_at)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_upload *found;
	TRY(enter_for_upload(m, id, user_id, &s, &found));
	struct store_upload *u = &found->upload;
	bool fits = u->offset == from_offset && to_offset >= from_offset &&
	            (u->length < 0 || to_offset <= u->length);
	TRY(fits ? TACIT_OK : TACIT_E_CONFLICT);
	u->offset = to_offset;
	u->expires_at = expires_at;
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_upload_finish(
        struct store *store, const char *id, int64_t user_id, const uint8_t sha256[32], int64_t now)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_upload *u;
	int64_t expires_at;
	memory_time(m, now);
	TRY(enter_for_upload(m, id, user_id, &s, &u));
	bool complete = u->upload.length >= 0 && u->upload.offset == u->upload.length;
	TRY(complete ? TACIT_OK : TACIT_E_CONFLICT);
	struct store_file f = {.owner_id = user_id,
	        .conversation_id = u->upload.conversation_id,
	        .bytes = u->upload.length,
	        .created_at = now};
	memcpy(f.id, u->upload.id, sizeof(f.id));
	memcpy(f.sha256, sha256, sizeof(f.sha256));
	TRY(check_place(s, m->now, &f, &expires_at));
	memory_delete(s, MEMORY_UPLOAD, u);
	TRY(add_file(s, &f, expires_at));
	store_tell_deadline(store, expires_at);
out:
	return memory_leave(m, s, err);
}

enum tacit_err memory_upload_delete(struct store *store, const char *id, int64_t user_id)
{
	enum tacit_err err;
	struct memory *m = memory_of(store);
	struct memory_state *s = NULL;
	struct memory_upload *u;
	TRY(enter_for_upload(m, id, user_id, &s, &u));
	memory_delete(s, MEMORY_UPLOAD, u);
out:
	return memory_leave(m, s, err);
}
