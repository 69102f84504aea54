#include "fixture.h"

static void a_file_is_for_its_members(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_file found;
	int64_t group = add_group(&f), message = add_message(&f, group, f.anna, "look");
	struct store_file file = a_file('a', f.anna, group, 10), own = a_file('b', f.anna, 0, 5);
	file.message_id = message;
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_ERR(f.ops->file_create(f.w, &file, -1), TACIT_E_EXISTS);
	CHECK_OK(f.ops->file_create(f.w, &own, -1));
	CHECK_OK(f.ops->file_get(f.r, file.id, f.ben, &found));
	CHECK_BYTES(tacit_cstr(found.id), tacit_cstr(file.id));
	CHECK_INT(found.owner_id, f.anna);
	CHECK_INT(found.conversation_id, group);
	CHECK_INT(found.message_id, message);
	CHECK_INT(found.bytes, 10);
	CHECK_INT(found.created_at, NOW);
	CHECK_BYTES(tacit_bytes(found.sha256, 32), tacit_bytes(file.sha256, 32));
	CHECK_ERR(f.ops->file_get(f.r, file.id, f.carl, &found), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->file_get(f.r, own.id, f.ben, &found), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->file_get(f.r, own.id, f.anna, &found));
	CHECK_OK(f.ops->file_exists(f.r, own.id));
	CHECK_ERR(f.ops->file_exists(f.r, a_file('c', 0, 0, 0).id), TACIT_E_NOT_FOUND);

	CHECK_ERR(f.ops->file_delete(f.w, file.id, f.carl), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->file_delete(f.w, file.id, f.ben), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->file_delete(f.w, file.id, f.anna));
	CHECK_ERR(f.ops->file_delete(f.w, file.id, f.anna), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->file_get(f.r, file.id, f.ben, &found), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void a_file_goes_where_its_owner_is(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_file found;
	struct gone gone = {0};
	int64_t group = add_group(&f), other = add_group(&f);
	int64_t message = add_message(&f, other, f.anna, "elsewhere");
	struct store_file file = a_file('a', f.carl, group, 1);
	struct store_upload upload = an_upload('b', f.carl, group, 1);
	CHECK_ERR(f.ops->file_create(f.w, &file, -1), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->upload_create(f.w, &upload, -1), TACIT_E_NOT_FOUND);
	file.owner_id = f.ben;
	file.message_id = message;
	CHECK_ERR(f.ops->file_create(f.w, &file, -1), TACIT_E_NOT_FOUND);
	file.message_id = 0;
	CHECK_OK(f.ops->file_create(f.w, &file, -1));
	CHECK_OK(f.ops->participant_remove(f.w, group, f.ben, f.ben, collect_gone, &gone));
	CHECK_OK(f.ops->file_get(f.r, file.id, f.ben, &found)); /* still the owner */
	file = a_file('c', 999, 0, 1);
	CHECK_ERR(f.ops->file_create(f.w, &file, -1), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void quotas_count_what_is_under_way(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t bytes = 1;
	struct store_file file = a_file('a', f.anna, 0, 60), second = a_file('b', f.anna, 0, 41);
	struct store_upload upload = an_upload('c', f.anna, 0, 40);
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 0);
	CHECK_OK(f.ops->file_create(f.w, &file, 100));
	CHECK_ERR(f.ops->file_create(f.w, &second, 100), TACIT_E_LIMIT);
	CHECK_OK(f.ops->upload_create(f.w, &upload, 100));
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 100);
	second.bytes = 1;
	CHECK_ERR(f.ops->file_create(f.w, &second, 100), TACIT_E_LIMIT);
	second.bytes = 0;
	CHECK_OK(f.ops->file_create(f.w, &second, 100));
	CHECK_OK(f.ops->upload_delete(f.w, upload.id, f.anna));
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 60);
	CHECK_OK(f.ops->file_delete(f.w, file.id, f.anna));
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 0);
	/* The user's own quota goes before the server's. */
	CHECK_OK(f.ops->user_set_quota(f.w, f.anna, 10));
	CHECK_ERR(f.ops->file_create(f.w, &file, 1000), TACIT_E_LIMIT);
	CHECK_OK(f.ops->user_set_quota(f.w, f.anna, 1000));
	CHECK_OK(f.ops->file_create(f.w, &file, 10));
	CHECK_ERR(f.ops->user_usage(f.r, 999, &bytes), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static enum tacit_err keep_upload(void *ctx, const struct store_upload *u)
{
	CHECK_BYTES(u->metadata, TACIT_STR("filename d29ybGQ="));
	*(struct store_upload *)ctx = *u;
	return TACIT_OK;
}

static void an_upload_becomes_a_file(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_file found;
	struct store_upload u;
	int64_t bytes, group = add_group(&f);
	struct store_upload upload = an_upload('a', f.anna, group, 10);
	CHECK_OK(f.ops->upload_create(f.w, &upload, -1));
	CHECK_ERR(f.ops->upload_create(f.w, &upload, -1), TACIT_E_EXISTS);
	CHECK_ERR(f.ops->upload_advance(f.w, upload.id, f.anna, 5, 9, NOW + 50), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->upload_advance(f.w, upload.id, f.ben, 0, 4, NOW + 50), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->upload_advance(f.w, upload.id, f.anna, 0, 4, NOW + 50));
	CHECK_ERR(f.ops->upload_advance(f.w, upload.id, f.anna, 4, 11, NOW + 50), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->upload_advance(f.w, upload.id, f.anna, 4, 3, NOW + 50), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->upload_get(f.r, upload.id, f.anna, NOW, keep_upload, &u));
	CHECK_BYTES(tacit_cstr(u.id), tacit_cstr(upload.id));
	CHECK_INT(u.offset, 4);
	CHECK_INT(u.length, 10);
	CHECK_INT(u.conversation_id, group);
	CHECK_INT(u.owner_id, f.anna);
	CHECK_INT(u.expires_at, NOW + 50);
	CHECK_INT(u.created_at, NOW);
	CHECK_ERR(
	        f.ops->upload_get(f.r, upload.id, f.ben, NOW, keep_upload, &u), TACIT_E_NOT_FOUND);
	CHECK_ERR(
	        f.ops->upload_get(f.r, upload.id, f.anna, NOW + 50, keep_upload, &u), TACIT_E_GONE);
	CHECK_ERR(f.ops->file_get(f.r, upload.id, f.anna, &found), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->upload_finish(f.w, upload.id, f.anna, hash_of(7), NOW), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->upload_advance(f.w, upload.id, f.anna, 4, 10, NOW + 50));
	CHECK_ERR(f.ops->upload_finish(f.w, upload.id, f.ben, hash_of(7), NOW), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->upload_finish(f.w, upload.id, f.anna, hash_of(7), NOW + 3));
	CHECK_OK(f.ops->file_get(f.r, upload.id, f.ben, &found));
	CHECK_INT(found.bytes, 10);
	CHECK_INT(found.created_at, NOW + 3);
	CHECK_INT(found.conversation_id, group);
	CHECK_BYTES(tacit_bytes(found.sha256, 32), tacit_bytes(hash_of(7), 32));
	CHECK_ERR(
	        f.ops->upload_get(f.r, upload.id, f.anna, NOW, keep_upload, &u), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->upload_create(f.w, &upload, -1), TACIT_E_EXISTS);
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 10);
	CHECK_ERR(f.ops->upload_delete(f.w, upload.id, f.anna), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void a_length_may_come_later(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t bytes = 0;
	struct store_upload upload = an_upload('a', f.anna, 0, -1);
	CHECK_OK(f.ops->upload_create(f.w, &upload, 100));
	CHECK_OK(f.ops->upload_advance(f.w, upload.id, f.anna, 0, 30, NOW + 50));
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 30);
	CHECK_ERR(f.ops->upload_finish(f.w, upload.id, f.anna, hash_of(7), NOW), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->upload_set_length(f.w, upload.id, f.ben, 50, 100), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->upload_set_length(f.w, upload.id, f.anna, 20, 100), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->upload_set_length(f.w, upload.id, f.anna, 101, 100), TACIT_E_LIMIT);
	CHECK_OK(f.ops->upload_set_length(f.w, upload.id, f.anna, 100, 100));
	CHECK_OK(f.ops->upload_set_length(f.w, upload.id, f.anna, 100, 100));
	CHECK_ERR(f.ops->upload_set_length(f.w, upload.id, f.anna, 99, 100), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->user_usage(f.r, f.anna, &bytes));
	CHECK_INT(bytes, 100);
	CHECK_OK(f.ops->upload_advance(f.w, upload.id, f.anna, 30, 100, NOW + 50));
	CHECK_OK(f.ops->upload_finish(f.w, upload.id, f.anna, hash_of(7), NOW));
	tear_down(&f);
}

static void an_upload_needs_its_conversation_to_the_end(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	int64_t group = add_group(&f);
	struct store_upload upload = an_upload('a', f.ben, group, 0);
	CHECK_OK(f.ops->upload_create(f.w, &upload, -1));
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.ben, collect_gone, &gone));
	CHECK_ERR(f.ops->upload_finish(f.w, upload.id, f.ben, hash_of(1), NOW), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->file_exists(f.r, upload.id)); /* an upload is not an orphan */
	CHECK_OK(f.ops->upload_delete(f.w, upload.id, f.ben));
	CHECK_ERR(f.ops->file_exists(f.r, upload.id), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"a file is for its members", a_file_is_for_its_members},
        {"a file goes where its owner is", a_file_goes_where_its_owner_is},
        {"quotas count what is under way", quotas_count_what_is_under_way},
        {"an upload becomes a file", an_upload_becomes_a_file},
        {"a length may come later", a_length_may_come_later},
        {"an upload needs its conversation to the end",
                an_upload_needs_its_conversation_to_the_end},
};
const struct case_list file_cases = {cases, TACIT_COUNT(cases)};
