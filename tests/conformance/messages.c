#include "fixture.h"

static enum tacit_err append(struct fixture *f, int64_t conversation, int64_t user,
        const char *text, const char *client_id, struct store_message *m, bool *existed)
{
	return f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = conversation,
	                .user_id = user,
	                .content = tacit_cstr(text),
	                .client_id = tacit_cstr(client_id),
	                .now = NOW},
	        m, existed);
}

static enum tacit_err check_content(void *ctx, const struct store_message *m)
{
	(void)ctx;
	CHECK_BYTES(m->content, TACIT_STR("sealed"));
	CHECK_BYTES(m->client_id, TACIT_STR("c-1"));
	CHECK_BYTES(tacit_cstr(m->username), TACIT_STR("anna"));
	CHECK_INT(m->created_at, NOW);
	return TACIT_OK;
}

static void a_retry_stores_nothing(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message first, again, other;
	bool existed = true, more = true;
	int64_t group = add_group(&f), second = add_group(&f);
	CHECK_OK(append(&f, group, f.anna, "sealed", "c-1", &first, &existed));
	CHECK(!existed && first.id > 0);
	CHECK_INT(first.conversation_id, group);
	CHECK_INT(first.user_id, f.anna);
	CHECK_BYTES(tacit_cstr(first.username), TACIT_STR("anna"));
	CHECK_OK(append(&f, group, f.anna, "other", "c-1", &again, &existed));
	CHECK(existed);
	CHECK_INT(again.id, first.id);
	CHECK_INT(again.created_at, NOW);
	CHECK_OK(f.ops->message_page(f.r, group, f.ben, 0, 0, 9, check_content, NULL, &more));
	CHECK(!more);
	CHECK_OK(append(&f, group, f.ben, "sealed", "c-1", &other, &existed)); /* another user */
	CHECK(!existed);
	CHECK_OK(append(&f, second, f.anna, "sealed", "c-1", &other, &existed));
	CHECK(!existed);
	CHECK_OK(append(
	        &f, group, f.anna, "sealed", "", &other, &existed)); /* none: never the same */
	CHECK_OK(append(&f, group, f.anna, "sealed", "", &other, &existed));
	CHECK(!existed);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 4);
	CHECK_ERR(append(&f, group, f.carl, "x", "", &other, &existed), TACIT_E_NOT_FOUND);
	CHECK_ERR(append(&f, 999, f.anna, "x", "", &other, &existed), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void check_page(struct fixture *f, int64_t conversation, const int64_t range[2],
        unsigned limit, const int64_t *want, size_t count, bool want_more)
{
	struct ids ids = {0};
	bool more = !want_more;
	CHECK_OK(f->ops->message_page(f->r, conversation, f->ben, range[0], range[1], limit,
	        collect_message, &ids, &more));
	CHECK(more == want_more);
	if (CHECK_INT(ids.count, count))
		for (size_t i = 0; i < count; i++)
			CHECK_INT(ids.id[i], want[i]);
}

static void pages_are_in_order(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t m[6], group = add_group(&f), noise = add_group(&f);
	for (size_t i = 0; i < TACIT_COUNT(m); i++) {
		m[i] = add_message(&f, group, i % 2 == 0 ? f.anna : f.ben, "text");
		add_message(&f, noise, f.anna, "noise");
		CHECK(i == 0 || m[i] > m[i - 1]);
	}
	const int64_t all[2] = {0, 0};
	check_page(&f, group, all, 10, m, 6, false);
	check_page(&f, group, all, 6, m, 6, false);
	check_page(&f, group, all, 2, m + 4, 2, true);
	check_page(&f, group, (int64_t[]){m[4], 0}, 2, m + 2, 2, true);
	check_page(&f, group, (int64_t[]){m[2], 0}, 2, m, 2, false);
	check_page(&f, group, (int64_t[]){m[0], 0}, 2, m, 0, false);
	check_page(&f, group, (int64_t[]){0, m[1]}, 2, m + 2, 2, true);
	check_page(&f, group, (int64_t[]){0, STORE_FROM_START}, 2, m, 2, true);
	check_page(&f, group, (int64_t[]){m[2], STORE_FROM_START}, 2, m, 2, false);
	check_page(&f, group, (int64_t[]){0, m[3]}, 2, m + 4, 2, false);
	check_page(&f, group, (int64_t[]){0, m[5]}, 2, m, 0, false);
	check_page(&f, group, (int64_t[]){m[5], m[0]}, 2, m + 1, 2, true);
	check_page(&f, group, (int64_t[]){m[3], m[0]}, 2, m + 1, 2, false);
	check_page(&f, group, (int64_t[]){0, INT64_MAX}, 2, m, 0, false);

	struct ids ids = {.answer = TACIT_E_CANCELLED};
	bool more;
	CHECK_ERR(f.ops->message_page(f.r, group, f.ben, 0, 0, 9, collect_message, &ids, &more),
	        TACIT_E_CANCELLED);
	CHECK_INT(ids.count, 1);
	CHECK_ERR(f.ops->message_page(f.r, group, f.carl, 0, 0, 9, collect_message, &ids, &more),
	        TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static enum tacit_err keep_conversation(void *ctx, const struct store_conversation *c)
{
	*(struct store_conversation *)ctx = *c;
	return TACIT_OK;
}

static enum tacit_err keep_ben(void *ctx, const struct store_participant *p)
{
	if (p->username[0] == 'b')
		*(struct store_participant *)ctx = *p;
	return TACIT_OK;
}

static void a_read_mark_never_moves_back(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	struct store_participant ben = {0};
	bool moved = true;
	int64_t group = add_group(&f), noise = add_group(&f);
	int64_t first = add_message(&f, group, f.anna, "one");
	int64_t elsewhere = add_message(&f, noise, f.anna, "elsewhere");
	int64_t second = add_message(&f, group, f.anna, "two");
	add_message(&f, group, f.ben, "mine");
	int64_t last = add_message(&f, group, f.anna, "three");
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.unread, 3);
	CHECK_INT(c.last_message_id, last);
	CHECK_OK(f.ops->read_mark(f.w, group, f.ben, second, NOW + 5, &moved));
	CHECK(moved);
	CHECK_OK(f.ops->read_mark(f.w, group, f.ben, first, NOW + 9, &moved));
	CHECK(!moved);
	CHECK_ERR(f.ops->read_mark(f.w, group, f.ben, elsewhere, NOW, &moved), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->read_mark(f.w, group, f.ben, 999, NOW, &moved), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->read_mark(f.w, group, f.carl, first, NOW, &moved), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->participant_list(f.r, group, f.anna, keep_ben, &ben));
	CHECK_INT(ben.user_id, f.ben);
	CHECK_INT(ben.read_message_id, second);
	CHECK_INT(ben.read_at, NOW + 5);
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.unread, 1);
	tear_down(&f);
}

static void ids_are_never_used_again(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	int64_t session = add_session(&f, NOW + 100), group = add_group(&f);
	int64_t destroyed = add_message(&f, session, f.anna, "gone");
	CHECK_OK(f.ops->conversation_close(f.w, session, f.anna, NOW, collect_gone, &gone));
	CHECK(add_message(&f, group, f.anna, "next") > destroyed);
	tear_down(&f);
}

static void unread_stops_counting(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->batch_begin(f.w));
	for (int i = 0; i < STORE_MAX_UNREAD + 5; i++)
		add_message(&f, group, f.anna, "more");
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.unread, STORE_MAX_UNREAD);
	tear_down(&f);
}

static int64_t count_messages(const struct fixture *f, struct store *s)
{
	int64_t users, conversations, messages = -1, files;
	CHECK_OK(f->ops->counts(s, &users, &conversations, &messages, &files));
	return messages;
}

/* Whatever became of the ones between, and in a batch as outside. */
static void messages_are_counted(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	int64_t group = add_group(&f), session = add_session(&f, NOW + 100);
	add_message(&f, group, f.anna, "alone");
	CHECK_INT(count_messages(&f, f.r), 1);
	CHECK_OK(f.ops->batch_begin(f.w));
	add_message(&f, group, f.anna, "kept");
	CHECK_OK(f.ops->mark(f.w));
	add_message(&f, group, f.anna, "undone");
	CHECK_OK(f.ops->undo(f.w));
	CHECK_OK(f.ops->mark(f.w));
	add_message(&f, session, f.anna, "kept, too");
	CHECK_OK(f.ops->release(f.w));
	CHECK_INT(count_messages(&f, f.w), 3);
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_INT(count_messages(&f, f.r), 3);
	CHECK_OK(f.ops->batch_begin(f.w));
	add_message(&f, group, f.anna, "lost");
	f.ops->batch_abort(f.w);
	CHECK_INT(count_messages(&f, f.r), 3);
	CHECK_OK(f.ops->conversation_close(f.w, session, f.anna, NOW, collect_gone, &gone));
	CHECK_INT(count_messages(&f, f.r), 2);
	tear_down(&f);
}

static enum tacit_err say_at(struct fixture *f, int64_t conversation, int64_t user, int64_t now)
{
	struct store_message m;
	bool existed;
	return f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = conversation,
	                .user_id = user,
	                .now = now,
	                .content = TACIT_STR("x")},
	        &m, &existed);
}

/* Who has sent in this batch may be out of the conversation before it is over. */
static void a_batch_sees_who_has_left(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_message m;
	bool existed;
	int64_t group = add_group(&f), session = add_session(&f, NOW + 100);
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_OK(say_at(&f, group, f.ben, NOW));
	CHECK_ERR(say_at(&f, group, f.carl, NOW), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->mark(f.w));
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.ben, collect_gone, &gone));
	CHECK_ERR(say_at(&f, group, f.ben, NOW), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->undo(f.w));
	CHECK_OK(say_at(&f, group, f.ben, NOW));
	CHECK_OK(f.ops->mark(f.w));
	CHECK_OK(f.ops->participant_add(f.w, group, f.anna, f.carl, 10, NOW));
	CHECK_OK(say_at(&f, group, f.carl, NOW));
	CHECK_OK(f.ops->undo(f.w));
	CHECK_ERR(say_at(&f, group, f.carl, NOW), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 60, NOW));
	CHECK_OK(f.ops->message_append(f.w,
	        &(struct store_new_message){.conversation_id = group,
	                .user_id = f.ben,
	                .now = NOW,
	                .content = TACIT_STR("x")},
	        &m, &existed));
	CHECK_INT(m.expires_at, NOW + 60);
	CHECK_OK(say_at(&f, session, f.ben, NOW));
	CHECK_ERR(say_at(&f, session, f.ben, NOW + 100), TACIT_E_GONE);
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.ben, collect_gone, &gone));
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_ERR(say_at(&f, group, f.ben, NOW), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

struct kept {
	struct tacit_buf content[4], extra[4];
	size_t count;
};

static enum tacit_err keep_message(void *ctx, const struct store_message *m)
{
	struct kept *k = ctx;
	if (!CHECK(k->count < TACIT_COUNT(k->content)))
		return TACIT_E_LIMIT;
	CHECK_OK(tacit_buf_append(&k->content[k->count], m->content));
	CHECK_OK(tacit_buf_append(&k->extra[k->count], m->extra));
	k->count++;
	return TACIT_OK;
}

static void content_and_extra_come_back(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	static const struct tacit_bytes content[] = {{(const uint8_t *)"sealed", 6}, {NULL, 0},
	        {(const uint8_t *)"\0\xff", 2}, {NULL, 0}};
	static const struct tacit_bytes extra[] = {
	        {NULL, 0}, {(const uint8_t *)"iv", 2}, {(const uint8_t *)"\0", 1}, {NULL, 0}};
	struct kept kept = {0};
	struct store_message m;
	bool flag;
	int64_t group = add_group(&f);
	for (size_t i = 0; i < TACIT_COUNT(content); i++)
		CHECK_OK(f.ops->message_append(f.w,
		        &(struct store_new_message){.conversation_id = group,
		                .user_id = f.anna,
		                .now = NOW,
		                .content = content[i],
		                .extra = extra[i]},
		        &m, &flag));
	CHECK_OK(f.ops->message_page(f.r, group, f.ben, 0, 0, 9, keep_message, &kept, &flag));
	CHECK_INT(kept.count, TACIT_COUNT(content));
	for (size_t i = 0; i < kept.count; i++) {
		CHECK_BYTES(tacit_buf_view(&kept.content[i]), content[i]);
		CHECK_BYTES(tacit_buf_view(&kept.extra[i]), extra[i]);
		tacit_buf_clear(&kept.content[i]);
		tacit_buf_clear(&kept.extra[i]);
	}
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"a retry stores nothing", a_retry_stores_nothing},
        {"pages are in order", pages_are_in_order},
        {"content and extra come back", content_and_extra_come_back},
        {"a read mark never moves back", a_read_mark_never_moves_back},
        {"messages are counted", messages_are_counted},
        {"a batch sees who has left", a_batch_sees_who_has_left},
        {"ids are never used again", ids_are_never_used_again},
        {"unread stops counting", unread_stops_counting},
};
const struct case_list message_cases = {cases, TACIT_COUNT(cases)};
