/* What an MLS group needs of a store: key packages, commits in order, Welcomes. */
#include "fixture.h"

#include <string.h>

static struct tacit_device put_device(struct fixture *f, int64_t user, uint8_t seed)
{
	struct tacit_device d = {.created_at = NOW};
	memset(d.id.b, seed, sizeof(d.id.b));
	memset(d.certificate.b, 3, sizeof(d.certificate.b));
	CHECK_OK(f->ops->device_put(f->w, user, &d, NOW));
	return d;
}

static enum tacit_err add_packages(struct fixture *f, int64_t user, const struct tacit_device *d,
        const char *const texts[2], const char *last_resort, struct store_stock *stock)
{
	struct tacit_bytes list[2] = {tacit_cstr(texts[0]), tacit_cstr(texts[1])};
	const struct store_new_key_packages p = {.user_id = user,
	        .device = d->id,
	        .list = list,
	        .count = 2,
	        .last_resort = tacit_cstr(last_resort)};
	return f->ops->key_packages_add(f->w, &p, stock);
}

static void check_claim(
        struct fixture *f, int64_t conversation, const struct tacit_device *d, const char *want)
{
	struct tacit_buf out = {0};
	CHECK_OK(f->ops->key_package_claim(f->w, conversation, f->anna, &d->id, &out));
	CHECK_BYTES(tacit_buf_view(&out), tacit_cstr(want));
	tacit_buf_clear(&out);
}

static void check_no_claim(
        struct fixture *f, int64_t conversation, int64_t user, const struct tacit_device *d)
{
	struct tacit_buf out = {0};
	CHECK_ERR(f->ops->key_package_claim(f->w, conversation, user, &d->id, &out),
	        TACIT_E_NOT_FOUND);
	CHECK_INT(out.n, 0);
	tacit_buf_clear(&out);
}

static void a_key_package_is_given_once(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	static const char *const texts[2] = {"one", "two"};
	struct store_stock stock;
	int64_t group = add_group(&f);
	struct tacit_device ben = put_device(&f, f.ben, 2), carl = put_device(&f, f.carl, 3);
	CHECK_OK(add_packages(&f, f.ben, &ben, texts, "", &stock));
	CHECK(stock.available == 2 && !stock.last_resort);
	check_claim(&f, group, &ben, "one");
	check_claim(&f, group, &ben, "two");
	check_no_claim(&f, group, f.anna, &ben);
	CHECK_OK(add_packages(&f, f.ben, &ben, texts, "last", &stock));
	CHECK(stock.available == 2 && stock.last_resort);
	check_claim(&f, group, &ben, "one");
	check_claim(&f, group, &ben, "two");
	check_claim(&f, group, &ben, "last");
	check_claim(&f, group, &ben, "last");
	CHECK_OK(f.ops->key_packages_count(f.r, f.ben, &ben.id, &stock));
	CHECK(stock.available == 0 && stock.last_resort);
	CHECK_OK(add_packages(&f, f.ben, &ben, texts, "newer", &stock));
	check_claim(&f, group, &ben, "one");
	check_claim(&f, group, &ben, "two");
	check_claim(&f, group, &ben, "newer");
	/* Only among the participants of one conversation. */
	CHECK_OK(add_packages(&f, f.carl, &carl, texts, "last", &stock));
	check_no_claim(&f, group, f.anna, &carl);
	check_no_claim(&f, group, f.carl, &ben);
	CHECK_ERR(add_packages(&f, f.anna, &ben, texts, "", &stock), TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->key_packages_count(f.r, f.anna, &ben.id, &stock), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static void what_has_lapsed_is_not_given(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	static const char *const texts[2] = {"one", "two"};
	struct tacit_bytes last = TACIT_STR("last");
	struct store_stock stock;
	int64_t group = add_group(&f);
	struct tacit_device d = put_device(&f, f.ben, 2), e = put_device(&f, f.anna, 4);
	struct tacit_bytes early[1] = {TACIT_STR("early")};
	struct store_new_key_packages p = {.user_id = f.ben,
	        .device = d.id,
	        .list = early,
	        .count = 1,
	        .last_resort = last,
	        .not_after = NOW + 100};
	CHECK_OK(f.ops->key_packages_add(f.w, &p, &stock));
	p.not_after = NOW + 200;
	p.last_resort = TACIT_STR("");
	CHECK_OK(f.ops->key_packages_add(f.w, &p, &stock));
	CHECK(stock.available == 2 && stock.last_resort);
	CHECK_OK(add_packages(&f, f.anna, &e, texts, "", &stock)); /* nothing is said of these */
	f.ops->advance(f.w, NOW + 100);
	f.ops->advance(f.r, NOW + 100);
	CHECK_OK(f.ops->key_packages_count(f.r, f.ben, &d.id, &stock));
	CHECK(stock.available == 1 && !stock.last_resort);
	check_claim(&f, group, &d, "early"); /* the later one */
	check_no_claim(&f, group, f.anna, &d);
	/* They go with the next ones, and so do not count. */
	for (int i = 0; i < STORE_MAX_KEY_PACKAGES; i++) {
		p.not_after = NOW + 300;
		CHECK_OK(f.ops->key_packages_add(f.w, &p, &stock));
	}
	f.ops->advance(f.w, NOW + 300);
	p.not_after = NOW + 400;
	CHECK_OK(f.ops->key_packages_add(f.w, &p, &stock));
	CHECK(stock.available == 1 && !stock.last_resort);
	f.ops->advance(f.w, NOW + 100000000);
	check_claim(&f, group, &e, "one");
	tear_down(&f);
}

static void a_stock_is_bounded_and_goes_with_its_device(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	static const char *const texts[2] = {"one", "two"};
	struct store_stock stock;
	int64_t group = add_group(&f);
	struct tacit_device d = put_device(&f, f.ben, 2);
	for (int i = 0; i < STORE_MAX_KEY_PACKAGES / 2; i++)
		CHECK_OK(add_packages(&f, f.ben, &d, texts, "last", &stock));
	CHECK_ERR(add_packages(&f, f.ben, &d, texts, "x", &stock), TACIT_E_LIMIT);
	CHECK_OK(f.ops->key_packages_count(f.r, f.ben, &d.id, &stock));
	CHECK_INT(stock.available, STORE_MAX_KEY_PACKAGES);
	d = put_device(&f, f.ben, 2); /* the same id with another key */
	CHECK_OK(f.ops->key_packages_count(f.r, f.ben, &d.id, &stock));
	CHECK(stock.available == 0 && !stock.last_resort);
	CHECK_OK(add_packages(&f, f.ben, &d, texts, "last", &stock));
	CHECK_OK(f.ops->device_delete(f.w, f.ben, &d.id, NULL, NULL));
	check_no_claim(&f, group, f.anna, &d);
	d = put_device(&f, f.ben, 2);
	CHECK_OK(f.ops->key_packages_count(f.r, f.ben, &d.id, &stock));
	CHECK(stock.available == 0 && !stock.last_resort);
	tear_down(&f);
}

struct commit {
	int64_t conversation, user, epoch;
	const char *text, *client_id, *group_info, *welcome;
	const struct tacit_device_id *joiners;
	size_t joiner_count;
};

static enum tacit_err append(
        struct fixture *f, const struct commit *c, struct store_message *out, bool *existed)
{
	return f->ops->commit_append(f->w,
	        &(struct store_new_commit){
	                .message = {.conversation_id = c->conversation,
	                        .user_id = c->user,
	                        .now = NOW,
	                        .content = tacit_cstr(c->text),
	                        .client_id = tacit_cstr(c->client_id)},
	                .epoch = c->epoch,
	                .group_info = tacit_cstr(c->group_info),
	                .welcome = tacit_cstr(c->welcome),
	                .joiners = c->joiners,
	                .joiner_count = c->joiner_count,
	        },
	        out, existed);
}

struct seen {
	int64_t epoch, message_id;
	char info[32];
};

static enum tacit_err see_group(void *ctx, const struct store_group *g)
{
	struct seen *seen = ctx;
	seen->epoch = g->epoch;
	seen->message_id = g->message_id;
	CHECK(g->group_info.n < sizeof(seen->info));
	memset(seen->info, 0, sizeof(seen->info));
	if (g->group_info.n > 0)
		memcpy(seen->info, g->group_info.p, g->group_info.n);
	return TACIT_OK;
}

static void check_group(struct fixture *f, int64_t conversation, int64_t epoch, int64_t message_id,
        const char *info)
{
	struct seen seen;
	CHECK_OK(f->ops->group_get(f->r, conversation, f->ben, see_group, &seen));
	CHECK_INT(seen.epoch, epoch);
	CHECK_INT(seen.message_id, message_id);
	CHECK_BYTES(tacit_cstr(seen.info), tacit_cstr(info));
}

static enum tacit_err see_commit(void *ctx, const struct store_message *m)
{
	struct ids *ids = ctx;
	CHECK(m->begins_epoch > 0);
	ids->id[ids->count++] = m->id;
	return TACIT_OK;
}

static void the_first_commit_of_an_epoch_wins(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message first, second, other;
	bool existed = true;
	int64_t group = add_group(&f);
	struct commit c = {group, f.anna, 0, "c0", "k-0", "info 1", "", NULL, 0};
	check_group(&f, group, 0, 0, "");
	CHECK_OK(append(&f, &c, &first, &existed));
	CHECK(!existed && first.begins_epoch == 1);
	check_group(&f, group, 1, first.id, "info 1");
	struct commit late = {group, f.ben, 0, "c0'", "k-1", "info x", "", NULL, 0};
	CHECK_ERR(append(&f, &late, &other, &existed), TACIT_E_CONFLICT);
	check_group(&f, group, 1, first.id, "info 1");
	late.epoch = 2;
	CHECK_ERR(append(&f, &late, &other, &existed), TACIT_E_CONFLICT);
	late.epoch = 1;
	CHECK_OK(append(&f, &late, &second, &existed));
	CHECK(second.id > first.id);
	check_group(&f, group, 2, second.id, "info x");
	/* The answer was lost: the same again. */
	CHECK_OK(append(&f, &c, &other, &existed));
	CHECK(existed && other.id == first.id && other.begins_epoch == 1);
	check_group(&f, group, 2, second.id, "info x");
	struct ids ids = {0};
	CHECK_OK(f.ops->commit_list(f.r, group, f.ben, 0, 9, see_commit, &ids));
	CHECK(ids.count == 2 && ids.id[0] == first.id && ids.id[1] == second.id);
	ids.count = 0;
	CHECK_OK(f.ops->commit_list(f.r, group, f.ben, 1, 9, see_commit, &ids));
	CHECK(ids.count == 1 && ids.id[0] == second.id);
	ids.count = 0;
	CHECK_OK(f.ops->commit_list(f.r, group, f.ben, 0, 1, see_commit, &ids));
	CHECK(ids.count == 1 && ids.id[0] == first.id);
	CHECK_ERR(
	        f.ops->commit_list(f.r, group, f.carl, 0, 9, see_commit, &ids), TACIT_E_NOT_FOUND);
	c.user = f.carl;
	CHECK_ERR(append(&f, &c, &other, &existed), TACIT_E_NOT_FOUND);
	struct seen seen;
	CHECK_ERR(f.ops->group_get(f.r, group, f.carl, see_group, &seen), TACIT_E_NOT_FOUND);
	tear_down(&f);
}

static enum tacit_err see_unread(void *ctx, const struct store_conversation *c)
{
	struct store_conversation *out = ctx;
	*out = *c;
	return TACIT_OK;
}

static void a_commit_is_a_message_that_nobody_reads(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message m;
	struct store_conversation conversation;
	bool existed, more;
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 60, NOW));
	struct commit c = {group, f.anna, 0, "c0", "", "info", "", NULL, 0};
	int64_t before = add_message(&f, group, f.anna, "text");
	CHECK_OK(append(&f, &c, &m, &existed));
	CHECK(m.id > before);
	CHECK_INT(m.expires_at, 0); /* who comes late needs it */
	struct ids ids = {0};
	CHECK_OK(f.ops->message_page(f.r, group, f.ben, 0, 0, 9, collect_message, &ids, &more));
	CHECK(ids.count == 2 && ids.id[1] == m.id);
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, see_unread, &conversation));
	CHECK_INT(conversation.unread, 1);
	CHECK_INT(conversation.last_message_id, m.id);
	tear_down(&f);
}

struct welcomes {
	int64_t id[8], conversation[8], message[8];
	size_t count;
};

static enum tacit_err see_welcome(void *ctx, const struct store_welcome *w)
{
	struct welcomes *seen = ctx;
	CHECK_BYTES(w->welcome, TACIT_STR("welcome"));
	seen->id[seen->count] = w->id;
	seen->message[seen->count] = w->message_id;
	seen->conversation[seen->count++] = w->conversation_id;
	return TACIT_OK;
}

static size_t count_welcomes(struct fixture *f, int64_t user, const struct tacit_device *d)
{
	struct welcomes seen = {0};
	CHECK_OK(f->ops->welcome_list(f->r, user, &d->id, 8, see_welcome, &seen));
	return seen.count;
}

static void welcomes_wait_for_their_devices(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message m;
	bool existed;
	int64_t group = add_group(&f);
	struct tacit_device ben = put_device(&f, f.ben, 2), tablet = put_device(&f, f.ben, 4),
	                    carl = put_device(&f, f.carl, 3), unknown = {.id = {{9}}};
	const struct tacit_device_id joiners[] = {ben.id, tablet.id, carl.id, unknown.id, ben.id};
	struct commit c = {group, f.anna, 0, "c0", "", "info", "welcome", joiners, 5};
	CHECK_OK(append(&f, &c, &m, &existed));
	struct welcomes seen = {0};
	CHECK_OK(f.ops->welcome_list(f.r, f.ben, &ben.id, 8, see_welcome, &seen));
	REQUIRE(CHECK_INT(seen.count, 1));
	CHECK(seen.conversation[0] == group && seen.message[0] == m.id);
	CHECK_INT(count_welcomes(&f, f.ben, &tablet), 1);
	CHECK_INT(count_welcomes(&f, f.carl, &carl), 0); /* not in it */
	CHECK_ERR(f.ops->welcome_list(f.r, f.anna, &ben.id, 8, see_welcome, &seen),
	        TACIT_E_NOT_FOUND);
	CHECK_ERR(f.ops->welcome_delete(f.w, f.anna, &ben.id, seen.id[0]), TACIT_E_NOT_FOUND);
	CHECK_OK(f.ops->welcome_delete(f.w, f.ben, &ben.id, seen.id[0]));
	CHECK_ERR(f.ops->welcome_delete(f.w, f.ben, &ben.id, seen.id[0]), TACIT_E_NOT_FOUND);
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 0);
	CHECK_INT(count_welcomes(&f, f.ben, &tablet), 1);
	CHECK_OK(f.ops->device_delete(f.w, f.ben, &tablet.id, NULL, NULL));
	tablet = put_device(&f, f.ben, 4);
	CHECK_INT(count_welcomes(&f, f.ben, &tablet), 0);
	tear_down(&f);
}

static void ignore_gone(void *ctx, const char *file_id)
{
	(void)ctx, (void)file_id;
}

static void welcomes_go_with_participation_and_time(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message m;
	bool existed;
	int64_t group = add_group(&f), other = add_group(&f), third = add_group(&f);
	struct tacit_device ben = put_device(&f, f.ben, 2);
	struct commit c = {group, f.anna, 0, "c0", "", "info", "welcome", &ben.id, 1};
	CHECK_OK(append(&f, &c, &m, &existed));
	c.conversation = other;
	CHECK_OK(append(&f, &c, &m, &existed));
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 2);
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.ben, ignore_gone, NULL));
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 1);
	struct store_sweep w = {.limit = 9, .gone = ignore_gone};
	CHECK_OK(f.ops->sweep(f.w, NOW + STORE_WELCOME_SECONDS - 1, &w));
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 1);
	c.conversation = third;
	CHECK_OK(f.ops->sweep(f.w, NOW + STORE_WELCOME_SECONDS, &w));
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 0);
	tear_down(&f);
}

static void what_ends_takes_its_group_along(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	struct store_message m;
	bool existed;
	struct seen seen;
	int64_t session = add_session(&f, NOW + 1000);
	struct tacit_device ben = put_device(&f, f.ben, 2);
	struct commit c = {session, f.anna, 0, "c0", "", "info", "welcome", &ben.id, 1};
	CHECK_OK(append(&f, &c, &m, &existed));
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 1);
	CHECK_OK(f.ops->conversation_close(f.w, session, f.ben, NOW, ignore_gone, NULL));
	CHECK_INT(count_welcomes(&f, f.ben, &ben), 0);
	CHECK_ERR(f.ops->group_get(f.r, session, f.ben, see_group, &seen), TACIT_E_GONE);
	CHECK_ERR(append(&f, &c, &m, &existed), TACIT_E_GONE);
	check_no_claim(&f, add_group(&f), f.anna, &ben);
	tear_down(&f);
}

static const struct tap_case cases[] = {
        {"a key package is given once", a_key_package_is_given_once},
        {"what has lapsed is not given", what_has_lapsed_is_not_given},
        {"a stock is bounded and goes with its device",
                a_stock_is_bounded_and_goes_with_its_device},
        {"the first commit of an epoch wins", the_first_commit_of_an_epoch_wins},
        {"a commit is a message that nobody reads", a_commit_is_a_message_that_nobody_reads},
        {"welcomes wait for their devices", welcomes_wait_for_their_devices},
        {"welcomes go with participation and time", welcomes_go_with_participation_and_time},
        {"what ends takes its group along", what_ends_takes_its_group_along},
};
const struct case_list group_cases = {cases, TACIT_COUNT(cases)};
