#include "fixture.h"

#include <stdio.h>

static void sweep_takes_what_is_over(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct tacit_buf out = {0};
	struct store_session s;
	struct ids ids = {0};
	int64_t users, conversations, messages, files, old, kept;
	struct store_sweep w = {.limit = 10, .gone = collect_gone, .ctx = &gone, .more = true};
	int64_t session = add_session(&f, NOW + 100), later = add_session(&f, NOW + 500);
	struct store_file file = a_file('a', f.anna, session, 10);
	struct store_upload upload = an_upload('b', f.anna, 0, 20), alive = upload;
	alive.id[0] = 'c';
	upload.expires_at = NOW + 100;
	add_message(&f, session, f.anna, "hello");
	add_message(&f, later, f.anna, "stays");
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_OK(f.ops->upload_create(f.w, &upload, -1));
	CHECK_OK(f.ops->upload_create(f.w, &alive, -1));
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(1), NOW + 100));
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(2), NOW + 500));
	CHECK_OK(f.ops->token_put(f.w, "ticket", hash_of(1), TACIT_STR("v"), NOW + 500));
	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(1), hash_of(2), NOW, NOW + 100, &old));
	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(3), hash_of(4), NOW, NOW + 500, &kept));

	CHECK_OK(f.ops->sweep(f.w, NOW + 99, &w));
	CHECK_INT(gone.count, 0);
	CHECK(!w.more);
	CHECK_OK(f.ops->sweep(f.w, NOW + 100, &w));
	CHECK(!w.more);
	CHECK_INT(gone.count, 2);
	CHECK(is_gone(&gone, file.id) && is_gone(&gone, upload.id));
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(1), NOW + 700));
	CHECK_ERR(f.ops->signature_remember(f.w, f.anna, hash_of(2), NOW + 700), TACIT_E_EXISTS);
	CHECK_OK(f.ops->token_peek(f.r, "ticket", hash_of(1), NOW, &out));
	CHECK_OK(f.ops->session_by_id(f.r, kept, NOW, &s));
	CHECK_OK(f.ops->upload_get(f.r, alive.id, f.anna, NOW, ignore_upload, NULL));
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(conversations, 1);
	CHECK_INT(messages, 1);
	CHECK_INT(files, 0);
	/* Its tombstone answers for a while, and then nobody remembers. */
	CHECK_ERR(f.ops->conversation_get(f.r, session, f.ben, NOW, collect_conversation, &ids),
	        TACIT_E_GONE);
	CHECK_OK(f.ops->sweep(f.w, NOW + 100 + STORE_TOMBSTONE_SECONDS, &w));
	CHECK_ERR(f.ops->conversation_get(f.r, session, f.ben, NOW, collect_conversation, &ids),
	        TACIT_E_NOT_FOUND);
	tacit_buf_clear(&out);
	tear_down(&f);
}

static void sweep_is_bounded(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_sweep w = {.limit = 3, .gone = collect_gone, .ctx = &gone};
	for (uint8_t i = 0; i < 7; i++) {
		struct store_upload u = an_upload((char)('a' + i % 6), f.anna, 0, 1);
		u.id[0] = (char)('0' + i);
		CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(i), NOW));
		CHECK_OK(f.ops->upload_create(f.w, &u, -1));
		add_session(&f, NOW + 1);
	}
	unsigned calls = 0;
	do {
		size_t before = gone.count;
		CHECK_OK(f.ops->sweep(f.w, NOW + 9999, &w));
		CHECK(gone.count - before <= 3);
	} while (w.more && ++calls < 10);
	CHECK_INT(gone.count, 7);
	CHECK_INT(calls, 2);
	for (uint8_t i = 0; i < 7; i++)
		CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(i), NOW));
	tear_down(&f);
}

static void counts_follow_what_is_there(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t users, conversations, messages, files, group = add_group(&f);
	struct store_file file = a_file('a', f.anna, group, 10);
	add_message(&f, group, f.anna, "one");
	add_message(&f, group, f.anna, "two");
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(users, 3);
	CHECK_INT(conversations, 1);
	CHECK_INT(messages, 2);
	CHECK_INT(files, 1);
	tear_down(&f);
}

static void a_snapshot_is_a_store(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	char path[128], url[160], why[256];
	struct store *copy = NULL;
	int64_t group = add_group(&f);
	add_message(&f, group, f.anna, "kept");
	snprintf(path, sizeof(path), "%s/copy.db", f.folder);
	snprintf(url, sizeof(url), "sqlite://%s", path);
	if (!backend->snapshots) {
		CHECK_ERR(f.ops->snapshot(f.r, path), TACIT_E_UNSUPPORTED);
		tear_down(&f);
		return;
	}
	CHECK_OK(f.ops->snapshot(f.r, path));
	CHECK_ERR(f.ops->snapshot(f.r, path), TACIT_E_EXISTS);
	add_message(&f, group, f.anna, "too late");
	REQUIRE(CHECK_OK(store_open(url, STORE_WRITER, why, &copy)));
	CHECK_INT(message_count(&f, copy, group, f.ben), 1);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 2);
	store_close(copy);
	CHECK_ERR(f.ops->snapshot(f.r, "/nonexistent/copy.db"), TACIT_E_IO);
	tear_down(&f);
}

static void a_probe_writes(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	CHECK_OK(f.ops->probe(f.w));
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_OK(f.ops->probe(f.w));
	CHECK_OK(f.ops->batch_commit(f.w));
	tear_down(&f);
}

static void a_batch_is_kept_whole(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_new_user again = a_user("anna");
	struct store_message m;
	bool existed;
	int64_t id, group = add_group(&f);
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_ERR(f.ops->batch_begin(f.w), TACIT_E_USAGE);
	CHECK_OK(f.ops->mark(f.w));
	add_message(&f, group, f.anna, "kept");
	CHECK_OK(f.ops->release(f.w));
	CHECK_OK(f.ops->mark(f.w));
	add_message(&f, group, f.anna, "undone");
	add_user(&f, "undone");
	CHECK_OK(f.ops->undo(f.w));
	CHECK_ERR(f.ops->user_create(f.w, &again, &id), TACIT_E_EXISTS); /* a part fails alone */
	CHECK_ERR(f.ops->message_append(f.w,
	                  &(struct store_new_message){.conversation_id = group,
	                          .user_id = f.carl,
	                          .content = TACIT_STR("x"),
	                          .now = NOW},
	                  &m, &existed),
	        TACIT_E_NOT_FOUND);
	add_message(&f, group, f.anna, "kept too");
	CHECK_INT(message_count(&f, f.w, group, f.anna), 2);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 0);
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_INT(message_count(&f, f.r, group, f.anna), 2);
	CHECK_ERR(f.ops->batch_commit(f.w), TACIT_E_USAGE);

	CHECK_OK(f.ops->batch_begin(f.w));
	add_message(&f, group, f.anna, "aborted");
	f.ops->batch_abort(f.w);
	CHECK_INT(message_count(&f, f.w, group, f.anna), 2);
	CHECK_ERR(f.ops->mark(f.w), TACIT_E_USAGE);
	add_message(&f, group, f.anna, "alone");
	CHECK_INT(message_count(&f, f.r, group, f.anna), 3);
	tear_down(&f);
}

static void half_an_operation_is_never_kept(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t users, conversations, messages, files, id;
	int64_t members[] = {f.ben, 999};
	bool existed;
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_ERR(f.ops->conversation_create(f.w, STORE_GROUP, f.anna, TACIT_STR("club"), members,
	                  2, NOW, 0, &id, &existed),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_OK(f.ops->counts(f.r, &users, &conversations, &messages, &files));
	CHECK_INT(conversations, 0);
	tear_down(&f);
}

static void a_reader_cannot_write(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t id;
	struct store_new_user dora = a_user("dora");
	CHECK_ERR(f.ops->user_create(f.r, &dora, &id), TACIT_E_USAGE);
	CHECK_ERR(f.ops->batch_begin(f.r), TACIT_E_USAGE);
	CHECK_ERR(f.ops->probe(f.r), TACIT_E_USAGE);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"sweep takes what is over", sweep_takes_what_is_over},
        {"sweep is bounded", sweep_is_bounded},
        {"counts follow what is there", counts_follow_what_is_there},
        {"a snapshot is a store", a_snapshot_is_a_store},
        {"a probe writes", a_probe_writes},
        {"a batch is kept whole", a_batch_is_kept_whole},
        {"half an operation is never kept", half_an_operation_is_never_kept},
        {"a reader cannot write", a_reader_cannot_write},
};
const struct case_list housekeeping_cases = {cases, TACIT_COUNT(cases)};
