/* The memory backend says what store.h means: so SQLite must answer the same to whatever is asked.
 * Both live through the same random steps, and every answer of the one is compared with the
 * other's. */
#include "twins_say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "whole.h"

#define LIVES 8
#define BURST 5

struct step { /* drawn once, done twice */
	int64_t user, other, conversation, message, number, now;
	uint8_t hash, hash2;
	char digit; /* of a file */
	bool flag;
};

/* Far enough away that much can happen until then. */
static int64_t later(const struct step *p)
{
	return p->now + p->number * 10;
}

static void do_settings(struct twin *t, const struct step *p)
{
	struct tacit_buf out = {0};
	char key[2] = {p->digit, '\0'};
	if (p->flag)
		SAY_ERR(t, t->f.ops->meta_set(t->f.w, key, tacit_cstr(key)));
	SAY_ERR(t, t->f.ops->meta_get(t->s, key, &out));
	say_bytes(t, tacit_buf_view(&out));
	/* When it is forgotten depends on those beside it (store.h): here, never. */
	SAY_ERR(t, t->f.ops->signature_remember(t->f.w, p->user, hash_of(p->hash), INT64_MAX));
	SAY_ERR(t, t->f.ops->probe(t->f.w));
	tacit_buf_clear(&out);
}

static void do_token(struct twin *t, const struct step *p)
{
	struct tacit_buf out = {0};
	const char *kind = p->flag ? "ticket" : "pending";
	const uint8_t *hash = hash_of(p->hash);
	if (p->message % 4 == 0)
		SAY_ERR(t, t->f.ops->token_put(t->f.w, kind, hash, tacit_cstr(kind), later(p)));
	if (p->message % 4 == 1)
		SAY_ERR(t, t->f.ops->token_take(t->f.w, kind, hash, p->now, &out));
	if (p->message % 4 == 2)
		SAY_ERR(t, t->f.ops->token_update(t->f.w, kind, hash, p->now, TACIT_STR("new")));
	SAY_ERR(t, t->f.ops->token_peek(t->s, kind, hash, p->now, &out));
	say_bytes(t, tacit_buf_view(&out));
	tacit_buf_clear(&out);
}

static void do_user_create(struct twin *t, const struct step *p)
{
	char name[3] = {p->digit, p->flag ? 'x' : 'Y', '\0'};
	struct store_new_user n = a_user(name);
	struct tacit_buf key = {0};
	int64_t id = 7;
	if (p->number % 3 == 0)
		n.user.email[0] = '\0';
	SAY_ERR(t,
	        t->f.ops->user_available(t->s, n.user.username, n.user.email, n.user.public_key));
	SAY_ERR(t, t->f.ops->user_create(t->f.w, &n, &id));
	SAY_ERR(t, t->f.ops->user_wrapped_key(t->s, id, &key));
	SAY(t, "%" PRId64 " ", id);
	say_bytes(t, tacit_buf_view(&key));
	tacit_buf_clear(&key);
}

static void do_user_change(struct twin *t, const struct step *p)
{
	if (p->message % 3 == 0)
		SAY_ERR(t, t->f.ops->user_set_disabled(t->f.w, p->user, p->flag));
	if (p->message % 3 == 1)
		SAY_ERR(t, t->f.ops->user_set_admin(t->f.w, p->user, p->flag));
	if (p->message % 3 == 2)
		SAY_ERR(t, t->f.ops->user_set_quota(t->f.w, p->user, p->flag ? p->number : -1));
	SAY_ERR(t, t->f.ops->totp_use(t->f.w, p->user, p->number));
}

static void do_users_read(struct twin *t, const struct step *p)
{
	struct store_user u;
	int64_t bytes = -1;
	char prefix[2] = {p->digit, '\0'};
	SAY_ERR(t, t->f.ops->user_by_id(t->s, p->user, &u));
	on_user(t, &u);
	SAY_ERR(t, t->f.ops->user_by_name(t->s, p->flag ? "ANNA" : "Ay", &u));
	on_user(t, &u);
	SAY_ERR(t, t->f.ops->user_search(t->s, tacit_bytes(prefix, p->flag),
	                   (unsigned)p->number % 9, on_user, t));
	SAY_ERR(t, t->f.ops->user_list(t->s, p->other, (unsigned)p->number % 5, on_user, t));
	SAY_ERR(t, t->f.ops->user_usage(t->s, p->user, &bytes));
	SAY(t, "%" PRId64, bytes);
}

static void do_recovery(struct twin *t, const struct step *p)
{
	uint8_t hashes[2][STORE_HASH_BYTES];
	memcpy(hashes[0], hash_of(p->hash), STORE_HASH_BYTES);
	memcpy(hashes[1], hash_of(p->hash2), STORE_HASH_BYTES);
	if (p->flag)
		SAY_ERR(t,
		        t->f.ops->recovery_codes_set(t->f.w, p->user,
		                (const uint8_t(*)[STORE_HASH_BYTES])hashes, (size_t)p->number % 3));
	SAY_ERR(t, t->f.ops->recovery_code_use(t->f.w, p->user, hashes[1]));
}

static void do_session(struct twin *t, const struct step *p)
{
	struct store_session s = {0};
	int64_t id = 0;
	const uint8_t *a = hash_of(p->hash), *b = hash_of(p->hash2);
	if (p->message % 8 < 3)
		SAY_ERR(t, t->f.ops->session_create(t->f.w, p->user, a, b, p->now, later(p), &id));
	else if (p->message % 8 < 6)
		SAY_ERR(t, t->f.ops->session_refresh(t->f.w, b, a, p->now, later(p), &s));
	else if (p->message % 8 == 6)
		SAY_ERR(t, t->f.ops->session_end(t->f.w, p->number % 8));
	else
		SAY_ERR(t, t->f.ops->session_end_all(t->f.w, p->user, p->number % 8));
	SAY(t, "%" PRId64 " ", id);
	say_session(t, &s);
	SAY_ERR(t, t->f.ops->session_by_token(t->s, a, p->now, &s));
	say_session(t, &s);
	SAY_ERR(t, t->f.ops->session_by_id(t->s, p->other, p->now, &s));
	say_session(t, &s);
}

static enum tacit_err on_end(void *ctx, int64_t session_id)
{
	struct twin *t = ctx;
	SAY(t, "ends %" PRId64 " ", session_id);
	return TACIT_OK;
}

static void do_device(struct twin *t, const struct step *p)
{
	struct tacit_device d = {.created_at = p->now};
	memset(d.id.b, p->hash, sizeof(d.id.b));
	if (p->flag)
		SAY_ERR(t, t->f.ops->device_put(t->f.w, p->user, &d, p->now));
	else if (p->number % 3 == 0)
		SAY_ERR(t, t->f.ops->device_delete(t->f.w, p->user, &d.id, on_end, t));
	else
		SAY_ERR(t, t->f.ops->session_tie(t->f.w, p->number % 8, p->user, &d.id));
	SAY_ERR(t, t->f.ops->device_list(t->s, p->other, on_device, t));
	SAY_ERR(t, t->f.ops->device_list_conversation(t->s, p->conversation, on_device, t));
}

static void do_conversation_create(struct twin *t, const struct step *p)
{
	int64_t members[] = {p->other, p->message % 5 + 1}, id = 7;
	bool existed = true;
	enum store_kind kind = (enum store_kind)(p->message % 4 + 1);
	int64_t expires_at = kind == STORE_SESSION || p->number == 0 ? later(p) : 0;
	SAY_ERR(t, t->f.ops->conversation_create(t->f.w, kind, p->user, TACIT_STR("name"), members,
	                   p->flag ? 1 : (size_t)p->number % 3, p->now, expires_at, &id, &existed));
	SAY(t, "%" PRId64 " %d", id, existed);
}

static void do_conversation_read(struct twin *t, const struct step *p)
{
	struct store_member m;
	struct tacit_buf key = {0};
	SAY_ERR(t, t->f.ops->conversation_get(
	                   t->s, p->conversation, p->user, p->now, on_conversation, t));
	SAY_ERR(t, t->f.ops->conversation_list(t->s, p->user, p->flag ? (int)p->number % 5 : 0,
	                   p->now, on_conversation, t));
	SAY_ERR(t, t->f.ops->participant_list(t->s, p->conversation, p->user, on_participant, t));
	SAY_ERR(t, t->f.ops->conversation_member(t->s, p->conversation, p->user, p->now, &m));
	SAY(t, "%d %" PRId64 " %s ", (int)m.kind, m.creator_id, m.username);
	SAY_ERR(t, t->f.ops->key_get(t->s, p->conversation, p->user, &key));
	say_bytes(t, tacit_buf_view(&key));
	tacit_buf_clear(&key);
}

static void do_participants(struct twin *t, const struct step *p)
{
	struct gone gone = {0};
	if (p->number % 16 == 0)
		SAY_ERR(t, t->f.ops->conversation_close(
		                   t->f.w, p->conversation, p->user, p->now, collect_gone, &gone));
	else if (p->flag)
		SAY_ERR(t, t->f.ops->participant_add(
		                   t->f.w, p->conversation, p->user, p->other, 4, p->now));
	else
		SAY_ERR(t, t->f.ops->participant_remove(t->f.w, p->conversation, p->user,
		                   p->message % 2 == 0 ? p->user : p->other, collect_gone, &gone));
	say_gone(t, &gone);
}

static void append(struct twin *t, const struct step *p, const char *extra, const char *client_id)
{
	struct store_message m;
	bool existed = true;
	SAY_ERR(t, t->f.ops->message_append(t->f.w,
	                   &(struct store_new_message){.conversation_id = p->conversation,
	                           .user_id = p->user,
	                           .content = TACIT_STR("text"),
	                           .extra = tacit_cstr(extra),
	                           .client_id = tacit_cstr(client_id),
	                           .now = p->now},
	                   &m, &existed));
	SAY(t, "%d ", existed);
	if (m.id != 0 && !existed)
		t->messages.id[t->messages.count++] = m.id;
	m.content = m.extra = m.client_id = TACIT_STR("");
	on_message(t, &m);
}

static void do_message_append(struct twin *t, const struct step *p)
{
	const char *const client_ids[] = {"", "", "c-1", "c-2"};
	append(t, p, client_ids[p->number % 4], client_ids[p->message % 4]);
}

/* client_ids that count, from somewhere: some are new, some a retry, some fill a gap. */
static void do_message_burst(struct twin *t, const struct step *p)
{
	for (int64_t i = 0; i < 1 + p->number % BURST; i++) {
		char client_id[32];
		snprintf(client_id, sizeof(client_id), "%s%012" PRIx64, p->flag ? "a-" : "",
		        (uint64_t)(p->message + i));
		append(t, p, "", p->hash == 0 ? "" : client_id);
	}
}

static void do_message_read(struct twin *t, const struct step *p)
{
	bool more = true;
	SAY_ERR(t, t->f.ops->message_page(t->s, p->conversation, p->user,
	                   p->number % 2 == 0 ? 0 : id_of(t, p->message),
	                   p->flag ? 0 : id_of(t, p->message - p->number), (unsigned)p->number % 6,
	                   on_message, t, &more));
	SAY(t, "%d ", more);
	bool moved = true;
	SAY_ERR(t, t->f.ops->read_mark(
	                   t->f.w, p->conversation, p->user, id_of(t, p->message), p->now, &moved));
	SAY(t, "%d ", moved);
	if (p->flag)
		SAY_ERR(t, t->f.ops->key_put(
		                   t->f.w, p->conversation, p->user, TACIT_STR("key"), p->now));
}

static void do_file(struct twin *t, const struct step *p)
{
	struct store_file f = a_file(p->digit, p->user, p->conversation % 4, p->number), found;
	f.message_id = p->number % 4 == 0 ? id_of(t, p->message) : 0;
	if (p->flag)
		SAY_ERR(t, t->f.ops->file_create(t->f.w, &f, 60));
	else if (p->message % 2 == 0)
		SAY_ERR(t, t->f.ops->file_delete(t->f.w, f.id, p->user));
	SAY_ERR(t, t->f.ops->file_get(t->s, f.id, p->other, &found));
	SAY(t, "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %02x ", found.id, found.owner_id,
	        found.conversation_id, number_of(t, found.message_id), found.bytes,
	        found.sha256[0]);
	SAY(t, "until %" PRId64 " ", found.expires_at);
	SAY_ERR(t, t->f.ops->file_exists(t->s, f.id));
}

static void do_upload(struct twin *t, const struct step *p)
{
	struct store_upload u =
	        an_upload(p->digit, p->user, p->conversation % 4, p->flag ? -1 : p->number);
	u.expires_at = later(p);
	switch (p->message % 8) {
	case 0:
	case 1:
		SAY_ERR(t, t->f.ops->upload_create(t->f.w, &u, 60));
		break;
	case 2:
		SAY_ERR(t, t->f.ops->upload_set_length(t->f.w, u.id, p->user, p->number, 60));
		break;
	case 3:
	case 4:
	case 5:
		SAY_ERR(t, t->f.ops->upload_advance(
		                   t->f.w, u.id, p->user, p->other % 3, p->number % 6, later(p)));
		break;
	case 6:
		SAY_ERR(t,
		        t->f.ops->upload_finish(t->f.w, u.id, p->user, hash_of(p->hash), p->now));
		break;
	default:
		SAY_ERR(t, t->f.ops->upload_delete(t->f.w, u.id, p->user));
	}
	SAY_ERR(t, t->f.ops->upload_get(t->s, u.id, p->user, p->now, on_upload, t));
}

static enum tacit_err on_claim(void *ctx, const struct store_parcel_claim *c)
{
	struct twin *t = ctx;
	SAY(t, "[%02x %d %" PRId64 " %02x] ", c->token[0], (int)c->state, c->changed_at,
	        c->receipt[0]);
	return TACIT_OK;
}

static void change_parcel(struct twin *t, const struct step *p, const char *id)
{
	uint8_t receipt[STORE_RECEIPT_BYTES] = {p->hash};
	bool ended = false;
	switch (p->message % 8) {
	case 0:
		SAY_ERR(t, t->f.ops->parcel_advance(
		                   t->f.w, id, p->other % 3, 2 + p->number % 3, 1 + p->number));
		break;
	case 1:
		SAY_ERR(t, t->f.ops->parcel_ready(t->f.w, id));
		break;
	case 2:
	case 3:
		SAY_ERR(t, t->f.ops->parcel_claim(t->f.w, id, hash_of(p->hash), 1 + p->number));
		break;
	case 4:
		SAY_ERR(t, t->f.ops->parcel_begin(t->f.w, id, hash_of(p->hash)));
		break;
	case 5:
		SAY_ERR(t, t->f.ops->parcel_commit(t->f.w, id, hash_of(p->hash), receipt, &ended));
		SAY(t, "%d ", ended);
		break;
	case 6:
		SAY_ERR(t, t->f.ops->parcel_release(t->f.w, id, hash_of(p->hash)));
		break;
	default:
		if (p->number == 0)
			SAY_ERR(t, t->f.ops->parcel_revoke(t->f.w, id));
	}
}

/* Few ids, so that they meet each other; those of files and uploads are among them. */
static void do_parcel(struct twin *t, const struct step *p)
{
	struct store_parcel q = {.head_bytes = 1, .bytes = 2, .downloads = 2, .lifetime = 300};
	struct store_file named = a_file(p->flag ? '7' : p->digit, 0, 0, 0);
	for (size_t i = 0; i < sizeof(q.id); i++)
		q.id[i] = named.id[i];
	t->f.ops->advance(t->f.w, p->now);
	t->f.ops->advance(t->f.r, p->now);
	if (p->message % 3 == 0)
		SAY_ERR(t, t->f.ops->parcel_create(t->f.w, &q, 100, 6));
	change_parcel(t, p, named.id);
	SAY_ERR(t, t->f.ops->parcel_get(t->s, named.id, &q));
	SAY(t, "%" PRId64 " %d %d %" PRId64 " %" PRId64 " ", q.offset, q.ready, (int)q.ended,
	        q.ended_at, q.expires_at);
	SAY_ERR(t, t->f.ops->parcel_claim_list(t->s, named.id, on_claim, t));
	SAY_ERR(t, t->f.ops->file_exists(t->s, named.id));
}

struct swept {
	struct gone gone; /* first: it is what collect_gone is given */
	int64_t ended;    /* a sum: store.h promises no order */
};

static void collect_ended(void *ctx, int64_t conversation_id, int64_t user_id)
{
	((struct swept *)ctx)->ended += conversation_id * 1000 + user_id;
}

static void do_terms(struct twin *t, const struct step *p)
{
	if (p->number % 4 == 0)
		SAY_ERR(t, t->f.ops->conversation_set_ends_when(t->f.w, p->conversation, p->user,
		                   p->flag ? STORE_ANYONE_LEAVES : STORE_LAST_LEAVES, p->now));
	else
		SAY_ERR(t, t->f.ops->conversation_set_message_ttl(t->f.w, p->conversation, p->user,
		                   p->flag ? p->number - 2 : 0, p->now));
}

static void do_housekeeping(struct twin *t, const struct step *p)
{
	struct swept swept = {0};
	struct store_sweep w = {.limit = 1000,
	        .gone = collect_gone,
	        .ended = collect_ended,
	        .ctx = &swept,
	        .more = true};
	int64_t users, conversations, messages, files;
	/* Rarely: from then on the writer's clock is that far ahead. */
	bool far = p->number == 1 && p->message < 8;
	int64_t now = p->now + (far ? STORE_TOMBSTONE_SECONDS : 0);
	if (p->flag)
		SAY_ERR(t, t->f.ops->sweep(t->f.w, now, &w));
	say_gone(t, &swept.gone);
	SAY_ERR(t, t->f.ops->counts(t->s, &users, &conversations, &messages, &files));
	SAY(t,
	        "%d next %" PRId64 " ended %" PRId64 ": %" PRId64 " %" PRId64 " %" PRId64
	        " %" PRId64,
	        w.more, w.next, swept.ended, users, conversations, messages, files);
}

static void mark(struct twin *t)
{
	SAY_ERR(t, t->f.ops->mark(t->f.w));
	t->messages.at_mark = t->messages.count;
}

/* About half of the steps are in a batch, of parts that are kept or undone. */
static void do_batch(struct twin *t, const struct step *p)
{
	enum tacit_err begun = t->f.ops->batch_begin(t->f.w);
	SAY_ERR(t, begun);
	if (begun == TACIT_OK) {
		t->messages.at_batch = t->messages.count;
		mark(t);
		return;
	}
	SAY_ERR(t, p->flag ? t->f.ops->undo(t->f.w) : t->f.ops->release(t->f.w));
	if (p->flag)
		t->messages.count = t->messages.at_mark;
	if (p->number % 3 == 0) {
		mark(t);
	} else if (p->number % 3 == 1) {
		t->f.ops->batch_abort(t->f.w);
		t->messages.count = t->messages.at_batch;
	} else {
		SAY_ERR(t, t->f.ops->batch_commit(t->f.w));
	}
}

static const struct {
	const char *name;
	void (*run)(struct twin *t, const struct step *p);
} steps[] = {{"settings", do_settings}, {"token", do_token}, {"user create", do_user_create},
        {"user change", do_user_change}, {"users read", do_users_read}, {"recovery", do_recovery},
        {"session", do_session}, {"session", do_session}, {"device", do_device},
        {"conversation create", do_conversation_create},
        {"conversation read", do_conversation_read}, {"conversation read", do_conversation_read},
        {"participants", do_participants}, {"terms", do_terms},
        {"message append", do_message_append}, {"message append", do_message_append},
        {"message burst", do_message_burst}, {"message burst", do_message_burst},
        {"message read", do_message_read}, {"file", do_file}, {"upload", do_upload},
        {"upload", do_upload}, {"parcel", do_parcel}, {"parcel", do_parcel},
        {"housekeeping", do_housekeeping}, {"batch", do_batch}, {"batch", do_batch}};

/* xorshift64: the same on every machine. */
static int64_t draw(uint64_t *random, int64_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (int64_t)(*random >> 33) % below;
}

/* What was made first is met most often. */
static int64_t draw_low(uint64_t *random, int64_t below)
{
	int64_t a = draw(random, below), b = draw(random, below);
	return a < b ? a : b;
}

static struct step draw_step(uint64_t *random, int64_t now)
{
	return (struct step){.user = 1 + draw_low(random, 6),
	        .other = 1 + draw_low(random, 6),
	        .conversation = draw_low(random, 9),
	        .message = draw(random, 40),
	        .number = draw(random, 48),
	        .now = now,
	        .hash = (uint8_t)draw(random, 6),
	        .hash2 = (uint8_t)draw(random, 6),
	        .digit = (char)('a' + draw(random, 6)),
	        .flag = draw(random, 2) == 0};
}

static bool step_agrees(struct twin twins[2], size_t which, const struct step *p, bool by_writer)
{
	for (size_t i = 0; i < 2; i++) {
		twins[i].said.n = 0;
		twins[i].s = by_writer ? twins[i].f.w : twins[i].f.r;
		steps[which].run(&twins[i], p);
	}
	if (CHECK_BYTES(tacit_buf_view(&twins[0].said), tacit_buf_view(&twins[1].said)))
		return true;
	for (size_t i = 0; i < 2; i++)
		printf("# %s: %s said %.*s\n", steps[which].name, twins[i].f.ops->name,
		        (int)twins[i].said.n, (const char *)twins[i].said.p);
	return false;
}

static void live(uint64_t seed)
{
	static const struct backend kinds[2] = {
	        {.name = "memory", .url = "memory:"}, {.name = "sqlite"}};
	struct twin twins[2] = {0};
	uint64_t random = seed * 0x9e3779b97f4a7c15u;
	int64_t now = NOW;
	bool agreed = true;
	for (size_t i = 0; i < 2; i++) {
		backend = &kinds[i];
		REQUIRE(set_up(&twins[i].f));
	}
	for (int i = 0; i < STEPS && agreed && twins[0].messages.count + BURST <= STEPS; i++) {
		now += draw(&random, 3);
		struct step p = draw_step(&random, now);
		size_t which = (size_t)draw(&random, TACIT_COUNT(steps));
		agreed = step_agrees(twins, which, &p, draw(&random, 2) == 0);
		if (!agreed)
			printf("# seed %" PRIu64 ", step %d\n", seed, i);
	}
	check_bursts(twins[1].f.r);
	for (size_t i = 0; i < 2; i++) {
		tacit_buf_clear(&twins[i].said);
		tear_down(&twins[i].f);
	}
}

static void both_answer_the_same(void)
{
	for (uint64_t seed = 1; seed <= LIVES; seed++)
		live(seed);
}

/* One of everything that takes memory, in a batch and alone. */
static enum tacit_err write_some(struct fixture *f)
{
	enum tacit_err err;
	struct store_message m;
	struct store_new_user n = a_user("anna");
	struct store_upload u = an_upload('a', 1, 0, 0);
	struct tacit_buf value = {0};
	int64_t id = 0, conversation = 0;
	bool flag;
	TRY(f->ops->user_create(f->w, &n, &id));
	TRY(f->ops->batch_begin(f->w));
	TRY(f->ops->mark(f->w));
	TRY(f->ops->conversation_create(
	        f->w, STORE_GROUP, id, TACIT_STR("club"), NULL, 0, NOW, 0, &conversation, &flag));
	TRY(f->ops->release(f->w));
	TRY(f->ops->batch_commit(f->w));
	TRY(f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = conversation,
	                .user_id = id,
	                .content = TACIT_STR("text"),
	                .now = NOW},
	        &m, &flag));
	TRY(f->ops->upload_create(f->w, &u, -1));
	TRY(f->ops->upload_finish(f->w, u.id, id, hash_of(1), NOW));
	TRY(f->ops->meta_set(f->w, "key", TACIT_STR("value")));
	TRY(f->ops->meta_get(f->r, "key", &value));
out:
	tacit_buf_clear(&value);
	return err;
}

static enum tacit_err live_briefly(void)
{
	enum tacit_err err;
	char why[256];
	struct fixture f = {0};
	TRY(store_open("memory:brief", STORE_WRITER, why, &f.w));
	TRY(store_open("memory:brief", STORE_READER, why, &f.r));
	f.ops = f.w->ops;
	TRY(write_some(&f));
out:
	store_close(f.r);
	store_close(f.w); /* a batch that is open is aborted */
	return err;
}

static void running_out_of_memory_is_an_error(void)
{
	tap_alloc_sweep(live_briefly);
}

static void a_name_is_a_store(void)
{
	char why[256];
	struct store *a = NULL, *b = NULL, *r = NULL;
	struct tacit_buf out = {0};
	CHECK_ERR(store_open("memory:", STORE_WRITER, why, &a), TACIT_E_USAGE);
	CHECK_ERR(store_open("memory:a", STORE_READER, why, &r), TACIT_E_IO);
	CHECK(why[0] != '\0' && r == NULL);
	REQUIRE(CHECK_OK(store_open("memory:a", STORE_WRITER, why, &a)));
	REQUIRE(CHECK_OK(store_open("memory:b", STORE_WRITER, why, &b)));
	REQUIRE(CHECK_OK(store_open("memory:a", STORE_READER, why, &r)));
	CHECK_OK(a->ops->meta_set(a, "key", TACIT_STR("a")));
	CHECK_ERR(b->ops->meta_get(b, "key", &out), TACIT_E_NOT_FOUND);
	store_close(a);
	CHECK_OK(r->ops->meta_get(r, "key", &out)); /* as long as one handle is open */
	store_close(r);
	REQUIRE(CHECK_OK(store_open("memory:a", STORE_WRITER, why, &a)));
	CHECK_ERR(a->ops->meta_get(a, "key", &out), TACIT_E_NOT_FOUND);
	store_close(a);
	store_close(b);
	tacit_buf_clear(&out);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"both answer the same", both_answer_the_same},
	        {"running out of memory is an error", running_out_of_memory_is_an_error},
	        {"a name is a store", a_name_is_a_store},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
