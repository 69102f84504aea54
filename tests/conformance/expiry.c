/* What comes to its end: by the handle's clock, which never goes back. */
#include "fixture.h"

static enum tacit_err keep_conversation(void *ctx, const struct store_conversation *c)
{
	*(struct store_conversation *)ctx = *c;
	return TACIT_OK;
}

static struct store_message append(
        struct fixture *f, int64_t conversation, const char *client_id, int64_t now)
{
	struct store_message m;
	bool existed;
	CHECK_OK(f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = conversation,
	                .user_id = f->anna,
	                .content = TACIT_STR("text"),
	                .client_id = tacit_cstr(client_id),
	                .now = now},
	        &m, &existed));
	return m;
}

static struct ids page(struct fixture *f, int64_t conversation, int64_t before, int64_t after,
        unsigned limit, bool *more)
{
	struct ids ids = {0};
	CHECK_OK(f->ops->message_page(
	        f->r, conversation, f->ben, before, after, limit, collect_message, &ids, more));
	return ids;
}

static void a_message_is_over_before_it_is_swept(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	bool more = true, moved;
	int64_t group = add_group(&f);
	int64_t old = append(&f, group, "", NOW).id;
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.ben, 100, NOW));
	struct store_message brief = append(&f, group, "", NOW + 1);
	CHECK_INT(brief.expires_at, NOW + 101);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 0, NOW + 2));
	struct store_message last = append(&f, group, "", NOW + 2);
	CHECK_INT(last.expires_at, 0);

	f.ops->advance(f.r, NOW + 100);
	CHECK_INT(page(&f, group, 0, 0, 9, &more).count, 3);
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.unread, 3);
	f.ops->advance(f.r, NOW + 101);
	struct ids left = page(&f, group, 0, 0, 9, &more);
	CHECK_INT(left.count, 2);
	CHECK(left.id[0] == old && left.id[1] == last.id && !more);
	left = page(&f, group, 0, 0, 2, &more);
	CHECK(left.count == 2 && !more); /* what is over is not "more" */
	left = page(&f, group, 0, STORE_FROM_START, 2, &more);
	CHECK(left.count == 2 && !more);
	left = page(&f, group, last.id, 0, 1, &more);
	CHECK(left.count == 1 && left.id[0] == old && !more);
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.unread, 2);
	CHECK_ERR(f.ops->read_mark(f.w, group, f.ben, brief.id, NOW + 101, &moved),
	        TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void the_last_message_is_one_that_lives(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	struct ids order = {0};
	int64_t first = add_group(&f), second = add_group(&f);
	int64_t old = append(&f, first, "", NOW).id;
	append(&f, second, "", NOW + 1);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, first, f.ben, 10, NOW));
	int64_t brief = append(&f, first, "", NOW + 2).id;
	CHECK_OK(f.ops->conversation_get(f.r, first, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.last_message_id, brief);
	CHECK_INT(c.message_ttl, 10);
	CHECK_OK(f.ops->conversation_get(f.r, first, f.ben, NOW + 12, keep_conversation, &c));
	CHECK_INT(c.last_message_id, old);
	CHECK_OK(f.ops->conversation_list(f.r, f.ben, 0, NOW, collect_conversation, &order));
	CHECK(order.count == 2 && order.id[0] == second && order.id[1] == first);
	tear_down(&f);
}

static void a_sweep_takes_messages_and_their_files(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_sweep w = {.limit = 10, .gone = collect_gone, .ctx = &gone};
	struct store_file found;
	int64_t users, conversations, messages, files, group = add_group(&f);
	struct store_file stays = a_file('a', f.anna, group, 10),
	                  with = a_file('b', f.anna, group, 10),
	                  alone = a_file('c', f.anna, group, 10);
	struct store_upload upload = an_upload('d', f.anna, group, 0);
	f.ops->advance(f.w, NOW);
	CHECK_OK(f.ops->file_create(f.w, &stays, -1));
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.ben, 100, NOW));
	with.message_id = append(&f, group, "", NOW).id;
	f.ops->advance(f.w, NOW + 50);
	CHECK_OK(f.ops->file_create(f.w, &with, -1));
	CHECK_OK(f.ops->file_create(f.w, &alone, -1));
	CHECK_OK(f.ops->upload_create(f.w, &upload, -1));
	CHECK_OK(f.ops->upload_finish(f.w, upload.id, f.anna, hash_of(1), NOW + 60));
	CHECK_OK(f.ops->file_get(f.r, stays.id, f.ben, &found));
	CHECK_INT(found.expires_at, 0);
	CHECK_OK(f.ops->file_get(f.r, with.id, f.ben, &found));
	CHECK_INT(found.expires_at, NOW + 100); /* with its message */
	CHECK_OK(f.ops->file_get(f.r, alone.id, f.ben, &found));
	CHECK_INT(found.expires_at, NOW + 150);
	CHECK_OK(f.ops->file_get(f.r, upload.id, f.ben, &found));
	CHECK_INT(found.expires_at, NOW + 160);
	f.ops->advance(f.r, NOW + 150);
	CHECK_ERR(f.ops->file_get(f.r, alone.id, f.anna, &found), TACIT_E_NOT_FOUND);

	CHECK_OK(f.ops->sweep(f.w, NOW + 99, &w));
	CHECK_INT(gone.count, 0);
	CHECK_INT(w.next, NOW + 100);
	CHECK_OK(f.ops->sweep(f.w, NOW + 100, &w));
	CHECK(gone.count == 1 && is_gone(&gone, with.id));
	CHECK_INT(w.next, NOW + 150);
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(messages, 0);
	CHECK_INT(files, 3);
	CHECK_OK(f.ops->sweep(f.w, NOW + 500, &w));
	CHECK_INT(gone.count, 3);
	CHECK_INT(w.next, 0);
	CHECK_OK(f.ops->file_get(f.r, stays.id, f.ben, &found));
	tear_down(&f);
}

static void a_sweep_of_messages_is_bounded(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_sweep w = {.limit = 3, .gone = collect_gone, .ctx = &gone};
	int64_t users, conversations, messages, files, group = add_group(&f);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.ben, 10, NOW));
	for (int i = 0; i < 7; i++)
		append(&f, group, "", NOW);
	CHECK_OK(f.ops->sweep(f.w, NOW + 10, &w));
	CHECK(w.more);
	CHECK_INT(w.next, NOW + 10);
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(messages, 4);
	CHECK_OK(f.ops->sweep(f.w, NOW + 10, &w));
	CHECK_OK(f.ops->sweep(f.w, NOW + 10, &w));
	CHECK(!w.more);
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(messages, 0);
	tear_down(&f);
}

/* A retry finds its message as long as it is there, and the deadline that it has. */
static void a_retry_keeps_the_deadline(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.ben, 100, NOW));
	struct store_message first = append(&f, group, "c-1", NOW);
	struct store_message again = append(&f, group, "c-1", NOW + 50);
	CHECK_INT(again.id, first.id);
	CHECK_INT(again.expires_at, NOW + 100);
	tear_down(&f);
}

static void the_clock_of_a_handle_never_goes_back(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	int64_t session = add_session(&f, NOW + 100);
	struct store_message m;
	bool existed;
	f.ops->advance(f.r, NOW + 100);
	f.ops->advance(f.r, NOW);
	CHECK_ERR(f.ops->conversation_get(f.r, session, f.ben, NOW, keep_conversation, &c),
	        TACIT_E_GONE);
	CHECK_INT(message_count(&f, f.r, session, f.ben), -1);
	CHECK_OK(f.ops->conversation_get(f.w, session, f.ben, NOW, keep_conversation, &c));
	f.ops->advance(f.w, NOW + 100);
	CHECK_ERR(f.ops->message_append(f.w,
	                  &(struct store_new_message){.conversation_id = session,
	                          .user_id = f.ben,
	                          .content = TACIT_STR("x"),
	                          .now = NOW},
	                  &m, &existed),
	        TACIT_E_GONE);
	/* Deadlines are counted by it, the time of creation is the caller's. */
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.ben, 10, NOW));
	m = append(&f, group, "", NOW);
	CHECK_INT(m.created_at, NOW);
	CHECK_INT(m.expires_at, NOW + 110);
	tear_down(&f);
}

static void terms_are_for_those_who_may(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), session = add_session(&f, NOW + 100);
	CHECK_ERR(
	        f.ops->conversation_set_message_ttl(f.w, group, f.carl, 9, NOW), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->conversation_set_message_ttl(f.w, group, f.anna, -1, NOW), TACIT_E_USAGE);
	CHECK_ERR(f.ops->conversation_set_message_ttl(f.w, session, f.anna, 9, NOW + 100),
	        TACIT_E_GONE);
	session = add_session(&f, NOW + 900);
	CHECK_ERR(f.ops->conversation_set_ends_when(f.w, session, f.ben, STORE_ANYONE_LEAVES, NOW),
	        TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->conversation_set_ends_when(f.w, group, f.anna, STORE_ANYONE_LEAVES, NOW),
	        TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->conversation_set_ends_when(f.w, session, f.carl, STORE_ANYONE_LEAVES, NOW),
	        TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static enum tacit_err look(struct fixture *f, int64_t id, int64_t user)
{
	struct store_conversation c;
	return f->ops->conversation_get(f->r, id, user, NOW, keep_conversation, &c);
}

static void a_session_ends_by_leaving(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	int64_t last = add_session(&f, NOW + 100), any = add_session(&f, NOW + 100);
	struct store_file file = a_file('a', f.anna, any, 10);
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_OK(f.ops->participant_remove(f.w, last, f.anna, f.anna, collect_gone, &gone));
	CHECK_ERR(look(&f, last, f.anna), TACIT_E_NOT_FOUND);
	CHECK_OK(look(&f, last, f.ben));
	CHECK_OK(f.ops->participant_remove(f.w, last, f.ben, f.ben, collect_gone, &gone));
	CHECK_ERR(look(&f, last, f.ben), TACIT_E_GONE);
	CHECK_INT(gone.count, 0);

	CHECK_OK(f.ops->conversation_set_ends_when(f.w, any, f.anna, STORE_ANYONE_LEAVES, NOW));
	CHECK_ERR(f.ops->participant_remove(f.w, any, f.anna, f.carl, collect_gone, &gone),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(look(&f, any, f.ben));
	CHECK_OK(f.ops->participant_remove(f.w, any, f.ben, f.ben, collect_gone, &gone));
	CHECK(gone.count == 1 && is_gone(&gone, file.id));
	CHECK_ERR(look(&f, any, f.anna), TACIT_E_GONE);
	CHECK_ERR(look(&f, any, f.ben), TACIT_E_GONE);
	tear_down(&f);
}

struct told {
	int64_t at[8];
	size_t count;
};

static void hear(void *ctx, int64_t at)
{
	struct told *t = ctx;
	if (CHECK(t->count < TACIT_COUNT(t->at)))
		t->at[t->count++] = at;
}

static void the_writer_tells_each_deadline(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct told told = {0};
	f.w->deadline = hear;
	f.w->deadline_ctx = &told;
	int64_t group = add_group(&f);
	struct store_file file = a_file('a', f.anna, group, 10),
	                  other = a_file('b', f.anna, group, 10);
	append(&f, group, "", NOW);
	CHECK_OK(f.ops->file_create(f.w, &other, -1));
	CHECK_INT(told.count, 0);
	add_session(&f, NOW + 100);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.ben, 10, NOW));
	append(&f, group, "c-1", NOW);
	append(&f, group, "c-1", NOW); /* a retry writes none */
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_INT(told.count, 3);
	CHECK(told.at[0] == NOW + 100 && told.at[1] == NOW + 10 && told.at[2] == NOW + 10);
	f.w->deadline = NULL;
	tear_down(&f);
}

struct swept {
	struct gone gone;
	int64_t ended[4], members[4];
	size_t count;
};

static void hear_end(void *ctx, int64_t id, int64_t user_id)
{
	struct swept *s = ctx;
	if (!CHECK(s->count < TACIT_COUNT(s->ended)))
		return;
	s->ended[s->count] = id;
	s->members[s->count++] = user_id;
}

static void a_sweep_tells_what_has_ended(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct swept swept = {0};
	struct store_sweep w = {
	        .limit = 10, .gone = collect_gone, .ended = hear_end, .ctx = &swept};
	int64_t first = add_session(&f, NOW + 100), closed = add_session(&f, NOW + 100);
	add_session(&f, NOW + 200);
	CHECK_OK(f.ops->conversation_close(f.w, closed, f.anna, NOW, collect_gone, &swept));
	CHECK_OK(f.ops->sweep(f.w, NOW + 150, &w));
	REQUIRE(CHECK_INT(swept.count, 2));
	CHECK(swept.ended[0] == first && swept.ended[1] == first);
	CHECK(swept.members[0] + swept.members[1] == f.anna + f.ben);
	CHECK(swept.members[0] == f.anna || swept.members[0] == f.ben);
	CHECK_INT(w.next, NOW + 200);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"a message is over before it is swept", a_message_is_over_before_it_is_swept},
        {"the last message is one that lives", the_last_message_is_one_that_lives},
        {"a sweep takes messages and their files", a_sweep_takes_messages_and_their_files},
        {"a sweep of messages is bounded", a_sweep_of_messages_is_bounded},
        {"a retry keeps the deadline", a_retry_keeps_the_deadline},
        {"the clock of a handle never goes back", the_clock_of_a_handle_never_goes_back},
        {"terms are for those who may", terms_are_for_those_who_may},
        {"a session ends by leaving", a_session_ends_by_leaving},
        {"the writer tells each deadline", the_writer_tells_each_deadline},
        {"a sweep tells what has ended", a_sweep_tells_what_has_ended},
};
const struct case_list expiry_cases = {cases, TACIT_COUNT(cases)};
