#include "fixture.h"

#include <string.h>

static void settings_are_kept(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct tacit_buf out = {0};
	CHECK_ERR(f.ops->meta_get(f.r, "server-id", &out), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->meta_set(f.w, "server-id", TACIT_STR("one")));
	CHECK_OK(f.ops->meta_set(f.w, "server-id", TACIT_STR("t\0o")));
	CHECK_OK(f.ops->meta_get(f.r, "server-id", &out));
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("t\0o"));
	tacit_buf_clear(&out);
	tear_down(&f);
}

static void a_signature_counts_once(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	CHECK_OK(f.ops->signature_remember(f.w, 0, hash_of(1), NOW + 600));
	CHECK_ERR(f.ops->signature_remember(f.w, 0, hash_of(1), NOW + 900), TACIT_E_EXISTS);
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(1), NOW + 600));
	CHECK_ERR(f.ops->signature_remember(f.w, f.anna, hash_of(1), NOW + 600), TACIT_E_EXISTS);
	CHECK_OK(f.ops->signature_remember(f.w, f.anna, hash_of(2), NOW + 600));
	tear_down(&f);
}

static void spend(struct fixture *f, struct store *s, uint8_t hash, enum tacit_err want)
{
	CHECK_ERR(f->ops->signature_remember(s, f->anna, hash_of(hash), NOW + 600), want);
}

static void a_signature_is_spent_with_its_batch(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	spend(&f, f.w, 1, TACIT_OK);
	CHECK_OK(f.ops->batch_begin(f.w));
	spend(&f, f.w, 1, TACIT_E_EXISTS);
	spend(&f, f.w, 2, TACIT_OK);
	f.ops->batch_abort(f.w);

	CHECK_OK(f.ops->batch_begin(f.w));
	spend(&f, f.w, 2, TACIT_OK);
	spend(&f, f.w, 2, TACIT_E_EXISTS);
	CHECK_OK(f.ops->mark(f.w));
	spend(&f, f.w, 2, TACIT_E_EXISTS);
	spend(&f, f.w, 3, TACIT_OK);
	spend(&f, f.w, 4, TACIT_OK);
	CHECK_OK(f.ops->undo(f.w));
	CHECK_OK(f.ops->mark(f.w));
	spend(&f, f.w, 3, TACIT_OK);
	CHECK_OK(f.ops->release(f.w));
	CHECK_OK(f.ops->batch_commit(f.w));
	for (uint8_t i = 1; i <= 3; i++)
		spend(&f, f.w, i, TACIT_E_EXISTS);
	spend(&f, f.w, 4, TACIT_OK);
	tear_down(&f);
}

static void an_undone_sweep_forgets_no_signature(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_sweep w = {.limit = 100, .gone = collect_gone, .ctx = &gone};
	spend(&f, f.w, 1, TACIT_OK);
	CHECK_OK(f.ops->batch_begin(f.w));
	spend(&f, f.w, 2, TACIT_OK);
	CHECK_OK(f.ops->mark(f.w));
	CHECK_OK(f.ops->sweep(f.w, NOW + 600, &w));
	spend(&f, f.w, 1, TACIT_OK);
	CHECK_OK(f.ops->undo(f.w));
	spend(&f, f.w, 1, TACIT_E_EXISTS);
	spend(&f, f.w, 2, TACIT_E_EXISTS);
	CHECK_OK(f.ops->batch_commit(f.w));
	spend(&f, f.w, 2, TACIT_E_EXISTS);

	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_OK(f.ops->sweep(f.w, NOW + 600, &w));
	f.ops->batch_abort(f.w);
	spend(&f, f.w, 1, TACIT_E_EXISTS);
	spend(&f, f.w, 2, TACIT_E_EXISTS);
	CHECK_OK(f.ops->sweep(f.w, NOW + 600, &w));
	spend(&f, f.w, 1, TACIT_OK);
	spend(&f, f.w, 2, TACIT_OK);
	tear_down(&f);
}

/* What one handle has spent no other takes, whatever either has seen of the other before. */
static void a_signature_is_spent_for_every_handle(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct gone gone = {0};
	struct store_sweep w = {.limit = 100, .gone = collect_gone, .ctx = &gone};
	struct store *other = another(&f, STORE_WRITER);
	REQUIRE(other != NULL);
	spend(&f, f.w, 1, TACIT_OK);
	spend(&f, other, 1, TACIT_E_EXISTS);
	spend(&f, other, 2, TACIT_OK);
	spend(&f, f.w, 2, TACIT_E_EXISTS);
	spend(&f, f.w, 3, TACIT_OK);
	CHECK_OK(f.ops->sweep(f.w, NOW + 600, &w));
	spend(&f, f.w, 5, TACIT_OK); /* in a row whose id another had that `other` has seen */
	spend(&f, other, 5, TACIT_E_EXISTS);
	spend(&f, other, 4, TACIT_OK);
	spend(&f, f.w, 4, TACIT_E_EXISTS);
	store_close(other);
	store_close(f.w);
	f.w = another(&f, STORE_WRITER);
	REQUIRE(f.w != NULL);
	spend(&f, f.w, 4, TACIT_E_EXISTS);
	spend(&f, f.w, 6, TACIT_OK);
	tear_down(&f);
}

static void a_token_is_taken_once(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct tacit_buf out = {0};
	CHECK_OK(f.ops->token_put(f.w, "ticket", hash_of(1), TACIT_STR("value"), NOW + 10));
	CHECK_ERR(f.ops->token_peek(f.r, "invitation", hash_of(1), NOW, &out), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->token_peek(f.r, "ticket", hash_of(1), NOW, &out));
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("value"));
	CHECK_OK(f.ops->token_update(f.w, "ticket", hash_of(1), NOW, TACIT_STR("other")));
	CHECK_ERR(f.ops->token_update(f.w, "ticket", hash_of(2), NOW, TACIT_STR("x")),
	        TACIT_E_NOT_FOUND);
	out.n = 0;
	CHECK_OK(f.ops->token_take(f.w, "ticket", hash_of(1), NOW + 9, &out));
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR("other"));
	CHECK_ERR(f.ops->token_take(f.w, "ticket", hash_of(1), NOW, &out), TACIT_E_NOT_FOUND);
	tacit_buf_clear(&out);
	tear_down(&f);
}

static void a_token_expires(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct tacit_buf out = {0};
	CHECK_OK(f.ops->token_put(f.w, "ticket", hash_of(1), TACIT_STR("value"), NOW + 10));
	CHECK_ERR(f.ops->token_peek(f.r, "ticket", hash_of(1), NOW + 10, &out), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->token_take(f.w, "ticket", hash_of(1), NOW + 10, &out), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->token_update(f.w, "ticket", hash_of(1), NOW + 10, TACIT_STR("x")),
	        TACIT_E_NOT_FOUND);
	CHECK_INT(out.n, 0);
	tacit_buf_clear(&out);
	tear_down(&f);
}

static void a_user_comes_back_as_made(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_new_user dora = a_user("Dora");
	struct store_user u;
	struct tacit_buf key = {0};
	int64_t id = 0;
	dora.user.admin = true;
	dora.user.quota_bytes = 77;
	CHECK_OK(f.ops->user_create(f.w, &dora, &id));
	CHECK_OK(f.ops->user_by_name(f.r, "dORA", &u));
	CHECK_INT(u.id, id);
	CHECK_BYTES(tacit_cstr(u.username), TACIT_STR("Dora"));
	CHECK_BYTES(tacit_cstr(u.email), TACIT_STR("Dora@example.org"));
	CHECK_BYTES(tacit_cstr(u.password_hash), tacit_cstr(dora.user.password_hash));
	CHECK_BYTES(tacit_cstr(u.encryption_iv), tacit_cstr(dora.user.encryption_iv));
	CHECK_BYTES(tacit_bytes(u.public_key, 32), tacit_bytes(dora.user.public_key, 32));
	CHECK_BYTES(tacit_bytes(u.totp_sealed, u.totp_sealed_bytes),
	        tacit_bytes(dora.user.totp_sealed, 60));
	CHECK_INT(u.quota_bytes, 77);
	CHECK_INT(u.created_at, NOW);
	CHECK(u.admin && !u.disabled);
	CHECK_OK(f.ops->user_wrapped_key(f.r, id, &key));
	CHECK_BYTES(tacit_buf_view(&key), dora.encrypted_private_key);
	CHECK_ERR(f.ops->user_wrapped_key(f.r, 999, &key), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->user_by_id(f.r, 999, &u), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->user_by_name(f.r, "nobody", &u), TACIT_E_NOT_FOUND);
	tacit_buf_clear(&key);
	tear_down(&f);
}

static void names_addresses_and_keys_are_unique(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_new_user same_name = a_user("ANNA"), same_email = a_user("dora"),
	                      same_key = a_user("emil");
	int64_t id = 7;
	memcpy(same_name.user.email, "new@example.org", 16);
	CHECK_ERR(f.ops->user_create(f.w, &same_name, &id), TACIT_E_EXISTS);
	CHECK_INT(id, 0);
	memcpy(same_email.user.email, "Anna@Example.org", 17);
	CHECK_ERR(f.ops->user_create(f.w, &same_email, &id), TACIT_E_EXISTS);
	memcpy(same_key.user.public_key, a_user("anna").user.public_key, 32);
	CHECK_ERR(f.ops->user_create(f.w, &same_key, &id), TACIT_E_EXISTS);

	const uint8_t *key = hash_of(9);
	CHECK_OK(f.ops->user_available(f.r, "fritz", "fritz@example.org", key));
	CHECK_ERR(f.ops->user_available(f.r, "aNNA", "fritz@example.org", key), TACIT_E_EXISTS);
	CHECK_ERR(f.ops->user_available(f.r, "fritz", "ANNA@example.org", key), TACIT_E_EXISTS);
	CHECK_ERR(f.ops->user_available(
	                  f.r, "fritz", "fritz@example.org", a_user("anna").user.public_key),
	        TACIT_E_EXISTS);
	tear_down(&f);
}

static void an_address_may_be_missing(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_new_user dora = a_user("dora"), emil = a_user("emil");
	int64_t id = 0;
	dora.user.email[0] = emil.user.email[0] = '\0';
	CHECK_OK(f.ops->user_create(f.w, &dora, &id));
	CHECK_OK(f.ops->user_available(f.r, "emil", "", emil.user.public_key));
	CHECK_OK(f.ops->user_create(f.w, &emil, &id));
	tear_down(&f);
}

static void users_are_searched_by_prefix(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct ids ids = {0};
	int64_t zoe = add_user(&f, "anna.zoe"), lower = add_user(&f, "Annabel");
	CHECK_OK(f.ops->user_search(f.r, TACIT_STR("ANN"), 10, collect_user, &ids));
	REQUIRE(CHECK_INT(ids.count, 3));
	CHECK_INT(ids.id[0], f.anna);
	CHECK_INT(ids.id[1], zoe);
	CHECK_INT(ids.id[2], lower);
	CHECK_OK(f.ops->user_set_disabled(f.w, zoe, true));
	ids.count = 0;
	CHECK_OK(f.ops->user_search(f.r, TACIT_STR("anna"), 10, collect_user, &ids));
	CHECK_INT(ids.count, 2);
	ids.count = 0;
	CHECK_OK(f.ops->user_search(f.r, TACIT_STR(""), 2, collect_user, &ids));
	CHECK_INT(ids.count, 2);
	ids.count = 0;
	CHECK_OK(f.ops->user_search(f.r, TACIT_STR("%"), 10, collect_user, &ids));
	CHECK_INT(ids.count, 0);
	ids.answer = TACIT_E_CANCELLED;
	CHECK_ERR(f.ops->user_search(f.r, TACIT_STR(""), 9, collect_user, &ids), TACIT_E_CANCELLED);
	CHECK_INT(ids.count, 1);
	tear_down(&f);
}

static void the_administrator_sees_all(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct ids ids = {0};
	struct store_user u;
	CHECK_OK(f.ops->user_set_disabled(f.w, f.ben, true));
	CHECK_OK(f.ops->user_list(f.r, 0, 2, collect_user, &ids));
	REQUIRE(CHECK_INT(ids.count, 2));
	CHECK_INT(ids.id[1], f.ben);
	CHECK_OK(f.ops->user_list(f.r, f.ben, 2, collect_user, &ids));
	CHECK_INT(ids.count, 3);
	CHECK_OK(f.ops->user_set_admin(f.w, f.carl, true));
	CHECK_OK(f.ops->user_set_quota(f.w, f.carl, 5));
	CHECK_OK(f.ops->user_by_id(f.r, f.carl, &u));
	CHECK(u.admin);
	CHECK_INT(u.quota_bytes, 5);
	CHECK_ERR(f.ops->user_set_admin(f.w, 999, true), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->user_set_quota(f.w, 999, 1), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->user_set_disabled(f.w, 999, true), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void an_address_finds_its_owner(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_user u, same;
	CHECK_OK(f.ops->user_by_id(f.r, f.ben, &u));
	CHECK(u.email[0] != '\0');
	CHECK_OK(f.ops->user_by_email(f.r, u.email, &same));
	CHECK_INT(same.id, f.ben);
	u.email[0] = (char)(u.email[0] - 32); /* case does not count */
	CHECK_OK(f.ops->user_by_email(f.r, u.email, &same));
	CHECK_INT(same.id, f.ben);
	CHECK_ERR(f.ops->user_by_email(f.r, "nobody@example.org", &same), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->user_by_email(f.r, "", &same), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void another_password_ends_all_sessions(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_user u;
	struct store_session session;
	struct tacit_buf wrapped = {0};
	int64_t id;
	const struct store_new_login n = {
	        "$another", "00112233445566778899aabb", TACIT_STR("a2V5")};
	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(1), hash_of(2), NOW, NOW + 1000, &id));
	CHECK_OK(f.ops->session_create(f.w, f.ben, hash_of(3), hash_of(4), NOW, NOW + 1000, &id));
	CHECK_OK(f.ops->user_set_login(f.w, f.anna, &n));
	CHECK_OK(f.ops->user_by_id(f.r, f.anna, &u));
	CHECK(strcmp(u.password_hash, "$another") == 0);
	CHECK(strcmp(u.encryption_iv, n.encryption_iv) == 0);
	CHECK_OK(f.ops->user_wrapped_key(f.r, f.anna, &wrapped));
	CHECK_BYTES(tacit_buf_view(&wrapped), TACIT_STR("a2V5"));
	CHECK_ERR(f.ops->session_by_token(f.r, hash_of(1), NOW, &session), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->session_by_token(f.r, hash_of(3), NOW, &session));
	CHECK_ERR(f.ops->user_set_login(f.w, 999, &n), TACIT_E_NOT_FOUND);
	tacit_buf_clear(&wrapped);
	tear_down(&f);
}

static void a_code_works_once(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	CHECK_OK(f.ops->totp_use(f.w, f.anna, 100));
	CHECK_ERR(f.ops->totp_use(f.w, f.anna, 100), TACIT_E_CONFLICT);
	CHECK_ERR(f.ops->totp_use(f.w, f.anna, 99), TACIT_E_CONFLICT);
	CHECK_OK(f.ops->totp_use(f.w, f.anna, 101));
	CHECK_OK(f.ops->totp_use(f.w, f.ben, 100));
	CHECK_ERR(f.ops->totp_use(f.w, 999, 100), TACIT_E_NOT_FOUND);

	static const uint8_t codes[2][STORE_HASH_BYTES] = {{1}, {2}},
	                     other[1][STORE_HASH_BYTES] = {{3}};
	CHECK_OK(f.ops->recovery_codes_set(f.w, f.anna, codes, 2));
	CHECK_ERR(f.ops->recovery_code_use(f.w, f.ben, codes[0]), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->recovery_code_use(f.w, f.anna, codes[0]));
	CHECK_ERR(f.ops->recovery_code_use(f.w, f.anna, codes[0]), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->recovery_codes_set(f.w, f.anna, other, 1));
	CHECK_ERR(f.ops->recovery_code_use(f.w, f.anna, codes[1]), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->recovery_code_use(f.w, f.anna, other[0]));
	CHECK_ERR(f.ops->recovery_codes_set(f.w, 999, codes, 2), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void a_session_is_found_until_it_ends(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_session s;
	int64_t id = 0, second = 0;
	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(1), hash_of(2), NOW, NOW + 100, &id));
	CHECK_OK(f.ops->session_by_token(f.r, hash_of(1), NOW + 99, &s));
	CHECK_INT(s.id, id);
	CHECK_INT(s.user_id, f.anna);
	CHECK_INT(s.expires_at, NOW + 100);
	CHECK_BYTES(tacit_cstr(s.username), TACIT_STR("anna"));
	CHECK_BYTES(tacit_bytes(s.public_key, 32), tacit_bytes(a_user("anna").user.public_key, 32));
	CHECK_ERR(f.ops->session_by_token(f.r, hash_of(1), NOW + 100, &s), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->session_by_token(f.r, hash_of(2), NOW, &s), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->session_by_id(f.r, id, NOW, &s));
	CHECK_ERR(f.ops->session_by_id(f.r, id, NOW + 100, &s), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->session_end(f.w, id));
	CHECK_OK(f.ops->session_end(f.w, id));
	CHECK_ERR(f.ops->session_by_id(f.r, id, NOW, &s), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->session_create(f.w, 999, hash_of(5), hash_of(6), NOW, NOW + 9, &id),
	        TACIT_E_NOT_FOUND);

	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(1), hash_of(2), NOW, NOW + 9, &id));
	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(3), hash_of(4), NOW, NOW + 9, &second));
	CHECK_OK(f.ops->session_end_all(f.w, f.anna, second));
	CHECK_ERR(f.ops->session_by_id(f.r, id, NOW, &s), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->session_by_id(f.r, second, NOW, &s));
	CHECK_OK(f.ops->user_set_disabled(f.w, f.anna, true));
	CHECK_ERR(f.ops->session_by_id(f.r, second, NOW, &s), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void a_stolen_refresh_token_ends_the_session(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_session s;
	int64_t id = 0;
	CHECK_OK(f.ops->session_create(f.w, f.anna, hash_of(1), hash_of(2), NOW, NOW + 100, &id));
	CHECK_ERR(f.ops->session_refresh(f.w, hash_of(9), hash_of(3), NOW, NOW + 200, &s),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->session_refresh(f.w, hash_of(2), hash_of(3), NOW, NOW + 200, &s));
	CHECK_INT(s.id, id);
	CHECK_INT(s.expires_at, NOW + 200);
	CHECK_OK(f.ops->session_by_id(f.r, id, NOW + 199, &s));
	CHECK_ERR(f.ops->session_refresh(f.w, hash_of(3), hash_of(4), NOW + 200, NOW + 300, &s),
	        TACIT_E_NOT_FOUND); /* expired */
	CHECK_ERR(f.ops->session_refresh(f.w, hash_of(2), hash_of(4), NOW, NOW + 200, &s),
	        TACIT_E_REPLAY);
	CHECK_ERR(f.ops->session_by_id(f.r, id, NOW, &s), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->session_refresh(f.w, hash_of(3), hash_of(4), NOW, NOW + 200, &s),
	        TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static struct tacit_device a_device(uint8_t seed)
{
	struct tacit_device d = {.created_at = NOW};
	memset(d.id.b, seed, sizeof(d.id.b));
	memset(d.signature_key.b, seed, sizeof(d.signature_key.b));
	memset(d.certificate.b, 3, sizeof(d.certificate.b));
	return d;
}

static void devices_belong_to_one_user(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct ids ids = {0};
	struct tacit_device d = a_device(1), e = a_device(2);
	CHECK_OK(f.ops->device_put(f.w, f.anna, &d, NOW));
	CHECK_OK(f.ops->device_put(f.w, f.anna, &d, NOW + 1)); /* renewed */
	CHECK_ERR(f.ops->device_put(f.w, f.ben, &d, NOW), TACIT_E_EXISTS);
	CHECK_OK(f.ops->device_put(f.w, f.ben, &e, NOW));
	CHECK_OK(f.ops->device_list(f.r, f.anna, collect_device, &ids));
	REQUIRE(CHECK_INT(ids.count, 1));
	CHECK_INT(ids.id[0], f.anna * 1000 + 1);

	int64_t group = add_group(&f);
	struct tacit_device outside = a_device(3);
	CHECK_OK(f.ops->device_put(f.w, f.carl, &outside, NOW));
	ids.count = 0;
	CHECK_OK(f.ops->device_list_conversation(f.r, group, collect_device, &ids));
	REQUIRE(CHECK_INT(ids.count, 2));
	CHECK_INT(ids.id[0], f.anna * 1000 + 1);
	CHECK_INT(ids.id[1], f.ben * 1000 + 2);

	CHECK_ERR(f.ops->device_delete(f.w, f.ben, &d.id, NULL, NULL), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->device_delete(f.w, f.anna, &d.id, NULL, NULL));
	CHECK_ERR(f.ops->device_delete(f.w, f.anna, &d.id, NULL, NULL), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void devices_are_limited(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct tacit_device d;
	for (uint8_t i = 0; i < TACIT_MAX_DEVICES_PER_USER; i++) {
		d = a_device((uint8_t)(i + 1));
		CHECK_OK(f.ops->device_put(f.w, f.anna, &d, NOW));
	}
	CHECK_OK(f.ops->device_put(f.w, f.anna, &d, NOW));
	d = a_device(99);
	CHECK_ERR(f.ops->device_put(f.w, f.anna, &d, NOW), TACIT_E_LIMIT);
	CHECK_ERR(f.ops->device_put(f.w, 999, &d, NOW), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static bool has_session(struct fixture *f, int64_t id)
{
	struct store_session s;
	return f->ops->session_by_id(f->r, id, NOW, &s) == TACIT_OK;
}

static void a_device_takes_its_sessions_along(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct ids ended = {0}, deaf = {.answer = TACIT_E_NOMEM};
	struct store_session s;
	struct tacit_device phone = a_device(1), laptop = a_device(2), bens = a_device(3);
	int64_t id[5]; /* phone, phone, laptop, none, ben's */
	for (uint8_t i = 0; i < TACIT_COUNT(id); i++)
		CHECK_OK(f.ops->session_create(f.w, i < 4 ? f.anna : f.ben,
		        hash_of((uint8_t)(10 + i)), hash_of((uint8_t)(20 + i)), NOW, NOW + 100,
		        &id[i]));
	CHECK_OK(f.ops->device_put(f.w, f.anna, &phone, NOW));
	CHECK_OK(f.ops->device_put(f.w, f.anna, &laptop, NOW));
	CHECK_OK(f.ops->device_put(f.w, f.ben, &bens, NOW));
	CHECK_OK(f.ops->session_tie(f.w, id[0], f.anna, &phone.id));
	CHECK_OK(f.ops->session_tie(f.w, id[1], f.anna, &phone.id));
	CHECK_OK(f.ops->session_tie(f.w, id[2], f.anna, &laptop.id));
	CHECK_OK(
	        f.ops->session_tie(f.w, id[0], f.anna, &laptop.id)); /* is the phone's, and stays */
	CHECK_OK(f.ops->session_tie(f.w, id[3], f.anna, &bens.id));  /* none of hers */
	CHECK_OK(f.ops->session_tie(f.w, id[4], f.anna, &phone.id)); /* not her session */
	CHECK_OK(f.ops->session_tie(f.w, 999, f.anna, &phone.id));
	CHECK_OK(f.ops->session_refresh(f.w, hash_of(21), hash_of(31), NOW, NOW + 200, &s));
	CHECK_OK(f.ops->device_put(f.w, f.anna, &phone, NOW)); /* renewed: nothing ends */
	CHECK(has_session(&f, id[0]));

	CHECK_ERR(f.ops->device_delete(f.w, f.anna, &phone.id, collect_session, &deaf),
	        TACIT_E_NOMEM);
	CHECK(has_session(&f, id[0]) && has_session(&f, id[1]));
	CHECK_ERR(f.ops->device_delete(f.w, f.ben, &phone.id, collect_session, &ended),
	        TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->device_delete(f.w, f.anna, &phone.id, collect_session, &ended));
	REQUIRE(CHECK_INT(ended.count, 2));
	CHECK_INT(ended.id[0], id[0]);
	CHECK_INT(ended.id[1], id[1]);
	CHECK(!has_session(&f, id[0]) && !has_session(&f, id[1]));
	CHECK(has_session(&f, id[2]) && has_session(&f, id[3]) && has_session(&f, id[4]));
	CHECK_ERR(f.ops->session_refresh(f.w, hash_of(20), hash_of(32), NOW, NOW + 200, &s),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->session_refresh(f.w, hash_of(31), hash_of(32), NOW, NOW + 200, &s),
	        TACIT_E_NOT_FOUND);

	CHECK_OK(f.ops->device_delete(f.w, f.ben, &bens.id, NULL, NULL));
	CHECK(has_session(&f, id[3]) && has_session(&f, id[4]));
	CHECK_OK(f.ops->device_delete(f.w, f.anna, &laptop.id, NULL, NULL));
	CHECK(!has_session(&f, id[2]) && has_session(&f, id[3]));
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"settings are kept", settings_are_kept},
        {"a signature counts once", a_signature_counts_once},
        {"a signature is spent with its batch", a_signature_is_spent_with_its_batch},
        {"an undone sweep forgets no signature", an_undone_sweep_forgets_no_signature},
        {"a signature is spent for every handle", a_signature_is_spent_for_every_handle},
        {"a token is taken once", a_token_is_taken_once},
        {"a token expires", a_token_expires},
        {"a user comes back as made", a_user_comes_back_as_made},
        {"names, addresses and keys are unique", names_addresses_and_keys_are_unique},
        {"an address may be missing", an_address_may_be_missing},
        {"users are searched by prefix", users_are_searched_by_prefix},
        {"the administrator sees all", the_administrator_sees_all},
        {"an address finds its owner", an_address_finds_its_owner},
        {"another password ends all sessions", another_password_ends_all_sessions},
        {"a code works once", a_code_works_once},
        {"a session is found until it ends", a_session_is_found_until_it_ends},
        {"a stolen refresh token ends the session", a_stolen_refresh_token_ends_the_session},
        {"devices belong to one user", devices_belong_to_one_user},
        {"devices are limited", devices_are_limited},
        {"a device takes its sessions along", a_device_takes_its_sessions_along},
};
const struct case_list account_cases = {cases, TACIT_COUNT(cases)};
