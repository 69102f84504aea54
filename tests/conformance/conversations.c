#include "fixture.h"

static enum tacit_err keep_conversation(void *ctx, const struct store_conversation *c)
{
	*(struct store_conversation *)ctx = *c;
	CHECK(c->kind == STORE_DIRECT || c->name.n == 0 ||
	        tacit_bytes_eq(c->name, TACIT_STR("club")));
	return TACIT_OK;
}

static void a_group_is_seen_by_its_members_only(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	struct ids ids = {0};
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, keep_conversation, &c));
	CHECK_INT(c.id, group);
	CHECK_INT(c.kind, STORE_GROUP);
	CHECK_INT(c.name.n, 4);
	CHECK_INT(c.creator_id, f.anna);
	CHECK_INT(c.created_at, NOW);
	CHECK_INT(c.expires_at | c.last_message_id | c.unread, 0);
	CHECK_ERR(f.ops->conversation_get(f.r, group, f.carl, NOW, keep_conversation, &c),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->conversation_get(f.r, 999, f.ben, NOW, keep_conversation, &c),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->participant_list(f.r, group, f.ben, collect_participant, &ids));
	REQUIRE(CHECK_INT(ids.count, 2));
	CHECK_INT(ids.id[0], f.anna);
	CHECK_INT(ids.id[1], f.ben);
	CHECK_ERR(f.ops->participant_list(f.r, group, f.carl, collect_participant, &ids),
	        TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void a_member_must_exist(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t users, conversations, messages, files, id = 7;
	int64_t members[] = {f.ben, 999};
	bool existed = true;
	CHECK_ERR(f.ops->conversation_create(f.w, STORE_GROUP, f.anna, TACIT_STR("club"), members,
	                  2, NOW, 0, &id, &existed),
	        TACIT_E_NOT_FOUND);
	CHECK_INT(id, 0);
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(conversations, 0);
	CHECK_ERR(f.ops->conversation_create(f.w, STORE_GROUP, f.anna, TACIT_STR("club"), members,
	                  1, NOW, NOW + 5, &id, &existed),
	        TACIT_E_USAGE);
	/* Twice the same, and the creator too: once each. */
	int64_t doubled[] = {f.ben, f.anna, f.ben};
	struct ids ids = {0};
	CHECK_OK(f.ops->conversation_create(
	        f.w, STORE_ROOM, f.anna, TACIT_STR("club"), doubled, 3, NOW, 0, &id, &existed));
	CHECK_OK(f.ops->participant_list(f.r, id, f.anna, collect_participant, &ids));
	CHECK_INT(ids.count, 2);
	tear_down(&f);
}

static void a_direct_conversation_is_made_once(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct ids ids = {0};
	struct gone gone = {0};
	int64_t id = 0, again = 0;
	int64_t three[] = {f.ben, f.carl}, both[] = {f.anna, f.ben};
	bool existed = true;
	CHECK_OK(f.ops->conversation_create(
	        f.w, STORE_DIRECT, f.anna, TACIT_STR(""), both, 2, NOW, 0, &id, &existed));
	CHECK(!existed);
	CHECK_OK(f.ops->conversation_create(
	        f.w, STORE_DIRECT, f.ben, TACIT_STR(""), &f.anna, 1, NOW, 0, &again, &existed));
	CHECK(existed);
	CHECK_INT(again, id);
	CHECK_ERR(f.ops->conversation_create(f.w, STORE_DIRECT, f.anna, TACIT_STR(""), three, 2,
	                  NOW, 0, &again, &existed),
	        TACIT_E_USAGE);
	CHECK_OK(f.ops->conversation_create(f.w, STORE_DIRECT, f.anna, TACIT_STR(""), NULL, 0, NOW,
	        0, &again, &existed)); /* notes to oneself */
	CHECK(!existed && again != id);
	CHECK_ERR(f.ops->participant_add(f.w, id, f.anna, f.carl, 9, NOW), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->participant_remove(f.w, id, f.anna, f.ben, collect_gone, &gone),
	        TACIT_E_CONFLICT);
	/* Who left it is in it again when it is asked for again. */
	CHECK_OK(f.ops->participant_remove(f.w, id, f.ben, f.ben, collect_gone, &gone));
	CHECK_OK(f.ops->conversation_create(
	        f.w, STORE_DIRECT, f.anna, TACIT_STR(""), &f.ben, 1, NOW, 0, &again, &existed));
	CHECK_INT(again, id);
	CHECK_OK(f.ops->participant_list(f.r, id, f.ben, collect_participant, &ids));
	CHECK_INT(ids.count, 2);
	tear_down(&f);
}

static void conversations_are_listed_by_activity(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct ids ids = {0};
	int64_t first = add_group(&f), second = add_group(&f), direct = 0;
	bool existed;
	CHECK_OK(f.ops->conversation_create(f.w, STORE_DIRECT, f.anna, TACIT_STR(""), &f.carl, 1,
	        NOW - 50, 0, &direct, &existed));
	add_message(&f, second, f.anna, "hello");
	add_message(&f, first, f.ben, "hello");
	CHECK_OK(f.ops->conversation_list(f.r, f.anna, 0, NOW, collect_conversation, &ids));
	REQUIRE(CHECK_INT(ids.count, 3));
	CHECK_INT(ids.id[0], first);
	CHECK_INT(ids.id[1], second);
	CHECK_INT(ids.id[2], direct);
	ids.count = 0;
	CHECK_OK(f.ops->conversation_list(
	        f.r, f.anna, STORE_DIRECT, NOW, collect_conversation, &ids));
	REQUIRE(CHECK_INT(ids.count, 1));
	CHECK_INT(ids.id[0], direct);
	ids.count = 0;
	CHECK_OK(f.ops->conversation_list(f.r, f.carl, 0, NOW, collect_conversation, &ids));
	CHECK_INT(ids.count, 1);
	tear_down(&f);
}

static void participants_are_added(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), dora = add_user(&f, "dora");
	CHECK_ERR(f.ops->participant_add(f.w, group, f.carl, f.carl, 9, NOW), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->participant_add(f.w, group, f.anna, f.ben, 9, NOW), TACIT_E_EXISTS);
	CHECK_ERR(f.ops->participant_add(f.w, group, f.anna, 999, 9, NOW), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->participant_add(f.w, group, f.ben, f.carl, 3, NOW));
	CHECK_ERR(f.ops->participant_add(f.w, group, f.anna, dora, 3, NOW), TACIT_E_LIMIT);
	CHECK_INT(message_count(&f, f.r, group, f.carl), 0);
	CHECK_INT(message_count(&f, f.r, group, dora), -1);
	tear_down(&f);
}

static void participants_leave_and_are_removed(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct tacit_buf key = {0};
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->participant_add(f.w, group, f.anna, f.carl, 9, NOW));
	CHECK_OK(f.ops->key_put(f.w, group, f.carl, TACIT_STR("wrapped"), NOW));
	CHECK_ERR(f.ops->participant_remove(f.w, group, f.ben, f.carl, collect_gone, &gone),
	        TACIT_E_CONFLICT);
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.carl, collect_gone, &gone));
	CHECK_ERR(f.ops->participant_remove(f.w, group, f.anna, f.carl, collect_gone, &gone),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->participant_remove(f.w, group, f.carl, f.carl, collect_gone, &gone),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->key_get(f.r, group, f.carl, &key), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->participant_add(f.w, group, f.ben, f.carl, 9, NOW));
	CHECK_ERR(f.ops->key_get(f.r, group, f.carl, &key), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.anna, collect_gone, &gone));
	CHECK_INT(message_count(&f, f.r, group, f.anna), -1);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 0);
	CHECK_INT(gone.count, 0);
	tear_down(&f);
}

static void the_last_one_out_takes_it_along(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	int64_t users, conversations, messages, files;
	int64_t group = add_group(&f);
	struct store_file file = a_file('a', f.anna, group, 10);
	struct store_upload upload = an_upload('b', f.ben, group, 20);
	add_message(&f, group, f.anna, "hello");
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_OK(f.ops->upload_create(f.w, &upload, -1));
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.anna, collect_gone, &gone));
	CHECK_INT(gone.count, 0);
	CHECK_OK(f.ops->participant_remove(f.w, group, f.ben, f.ben, collect_gone, &gone));
	CHECK_INT(gone.count, 2);
	CHECK(is_gone(&gone, file.id) && is_gone(&gone, upload.id));
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(users, 3);
	CHECK_INT(conversations + messages + files, 0);
	CHECK_INT(message_count(&f, f.r, group, f.ben), -1);
	CHECK_ERR(f.ops->file_exists(f.r, file.id), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void check_gone(struct fixture *f, int64_t id, int64_t user, int64_t now)
{
	struct store_conversation c;
	struct store_message m;
	struct tacit_buf key = {0};
	struct ids ids = {0};
	struct gone gone = {0};
	bool flag;
	CHECK_ERR(
	        f->ops->conversation_get(f->r, id, user, now, keep_conversation, &c), TACIT_E_GONE);
	CHECK_ERR(f->ops->message_append(f->w,
	                  &(struct store_new_message){.conversation_id = id,
	                          .user_id = user,
	                          .content = TACIT_STR("x"),
	                          .now = now},
	                  &m, &flag),
	        TACIT_E_GONE);
	CHECK_ERR(f->ops->message_page(f->r, id, user, 0, 0, 9, collect_message, &ids, &flag),
	        TACIT_E_GONE);
	CHECK_ERR(
	        f->ops->participant_list(f->r, id, user, collect_participant, &ids), TACIT_E_GONE);
	CHECK_ERR(f->ops->participant_add(f->w, id, user, f->carl, 9, now), TACIT_E_GONE);
	CHECK_ERR(f->ops->key_get(f->r, id, user, &key), TACIT_E_GONE);
	CHECK_ERR(f->ops->key_put(f->w, id, user, TACIT_STR("k"), now), TACIT_E_GONE);
	CHECK_ERR(f->ops->read_mark(f->w, id, user, 1, now, &flag), TACIT_E_GONE);
	CHECK_ERR(
	        f->ops->conversation_close(f->w, id, user, now, collect_gone, &gone), TACIT_E_GONE);
	struct store_file file = a_file('e', user, id, 1);
	CHECK_ERR(f->ops->file_create(f->w, &file, -1), TACIT_E_GONE);
	CHECK_OK(f->ops->conversation_list(f->r, user, 0, now, collect_conversation, &ids));
	CHECK_INT(ids.count, 0);
}

static void a_closed_session_leaves_a_tombstone(void)
{
	bool flag;
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_conversation c;
	struct gone gone = {0};
	struct store_file found;
	int64_t users, conversations, messages, files;
	int64_t session = add_session(&f, NOW + 100);
	int64_t message = add_message(&f, session, f.anna, "hello");
	struct store_file file = a_file('a', f.anna, session, 10);
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_OK(f.ops->key_put(f.w, session, f.ben, TACIT_STR("wrapped"), NOW));
	CHECK_OK(f.ops->read_mark(f.w, session, f.ben, message, NOW, &flag));
	CHECK_ERR(f.ops->conversation_close(f.w, session, f.carl, NOW, collect_gone, &gone),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->conversation_close(f.w, session, f.ben, NOW, collect_gone, &gone));
	CHECK_INT(gone.count, 1);
	CHECK(is_gone(&gone, file.id));
	check_gone(&f, session, f.anna, NOW);
	check_gone(&f, session, f.ben, NOW);
	CHECK_ERR(f.ops->conversation_get(f.r, session, f.carl, NOW, keep_conversation, &c),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->file_get(f.r, file.id, f.anna, &found), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(conversations + messages + files, 0);
	int64_t group = add_group(&f);
	CHECK_ERR(f.ops->conversation_close(f.w, group, f.anna, NOW, collect_gone, &gone),
	        TACIT_E_CONFLICT);
	tear_down(&f);
}

static void a_session_is_gone_when_its_time_is_up(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_file found;
	int64_t session = add_session(&f, NOW + 100);
	struct store_file file = a_file('a', f.anna, session, 10);
	add_message(&f, session, f.anna, "hello");
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_INT(message_count(&f, f.r, session, f.ben), 1);
	check_gone(&f, session, f.ben, NOW + 100); /* though nothing was swept yet */
	CHECK_ERR(f.ops->file_get(f.r, file.id, f.anna, &found), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void each_has_one_wrapped_key(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct tacit_buf out = {0};
	int64_t group = add_group(&f);
	CHECK_ERR(f.ops->key_get(f.r, group, f.anna, &out), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->key_put(f.w, group, f.anna, TACIT_STR("first"), NOW));
	CHECK_OK(f.ops->key_put(f.w, group, f.anna, TACIT_STR("second"), NOW));
	CHECK_OK(f.ops->key_get(f.r, group, f.anna, &out));
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("second"));
	CHECK_ERR(f.ops->key_get(f.r, group, f.ben, &out), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->key_put(f.w, group, f.carl, TACIT_STR("x"), NOW), TACIT_E_NOT_FOUND);
	tacit_buf_clear(&out);
	tear_down(&f);
}

static enum tacit_err collect_id(void *ctx, int64_t id)
{
	struct ids *ids = ctx;
	if (!CHECK(ids->count < MAX_ROWS))
		return TACIT_E_LIMIT;
	ids->id[ids->count++] = id;
	return ids->answer;
}

static void members_and_their_conversations(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_member m;
	struct ids anna = {0}, carl = {0}, later = {0}, stop = {.answer = TACIT_E_CANCELLED};
	int64_t group = add_group(&f), session = add_session(&f, NOW + 100);
	CHECK_OK(f.ops->conversation_member(f.r, group, f.ben, NOW, &m));
	CHECK_INT(m.kind, STORE_GROUP);
	CHECK_INT(m.creator_id, f.anna);
	CHECK_BYTES(tacit_cstr(m.username), TACIT_STR("ben"));
	CHECK_ERR(f.ops->conversation_member(f.r, group, f.carl, NOW, &m), TACIT_E_NOT_FOUND);
	CHECK_BYTES(tacit_cstr(m.username), TACIT_STR(""));
	CHECK_ERR(f.ops->conversation_member(f.r, 999, f.anna, NOW, &m), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->conversation_member(f.r, session, f.anna, NOW + 99, &m));
	CHECK_OK(f.ops->conversation_ids(f.r, f.anna, NOW, collect_id, &anna));
	CHECK_INT(anna.count, 2);
	CHECK_INT(anna.id[0] + anna.id[1], group + session);
	CHECK_ERR(f.ops->conversation_member(f.r, session, f.anna, NOW + 100, &m), TACIT_E_GONE);
	CHECK_OK(f.ops->conversation_ids(f.r, f.anna, NOW + 100, collect_id, &later));
	CHECK_INT(later.count, 1);
	CHECK_INT(later.id[0], group);
	CHECK_OK(f.ops->conversation_ids(f.r, f.carl, NOW, collect_id, &carl));
	CHECK_INT(carl.count, 0);
	CHECK_ERR(f.ops->conversation_ids(f.r, f.anna, NOW, collect_id, &stop), TACIT_E_CANCELLED);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"a group is seen by its members only", a_group_is_seen_by_its_members_only},
        {"members and their conversations", members_and_their_conversations},
        {"a member must exist", a_member_must_exist},
        {"a direct conversation is made once", a_direct_conversation_is_made_once},
        {"conversations are listed by activity", conversations_are_listed_by_activity},
        {"participants are added", participants_are_added},
        {"participants leave and are removed", participants_leave_and_are_removed},
        {"the last one out takes it along", the_last_one_out_takes_it_along},
        {"a closed session leaves a tombstone", a_closed_session_leaves_a_tombstone},
        {"a session is gone when its time is up", a_session_is_gone_when_its_time_is_up},
        {"each has one wrapped key", each_has_one_wrapped_key},
};
const struct case_list conversation_cases = {cases, TACIT_COUNT(cases)};
