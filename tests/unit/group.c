/* A group of devices over MLS: what it says, who joins and leaves, what is noticed when something
 * is missing. */
#include <string.h>

#include "group_devices.h"
#include "support/tap.h"

static void devices_talk(void)
{
	REQUIRE(set_up_group());
	say(&peers[0], "from the first device", MAX_DEVICES);
	say(&peers[1], "an answer", MAX_DEVICES);
	say(&peers[3], "from the tablet", MAX_DEVICES);
	say(&peers[0], "again", MAX_DEVICES);
	CHECK(agree(&peers[0], &peers[1]) && agree(&peers[0], &peers[3]));
	CHECK_INT(tacit_group_age(peers[0].group).messages, 2);
	commit(&peers[0], 0, NULL, NULL);
	CHECK_INT(tacit_group_age(peers[0].group).messages, 0);
	say(&peers[2], "in the next epoch", MAX_DEVICES);
	tear_down();
}

static void who_is_removed_reads_no_more(void)
{
	struct tacit_buf bytes = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self s = self(&peers[0]);
	commit(&peers[0], 0, NULL, &peers[1]);
	CHECK(tacit_group_is_over(peers[1].group));
	CHECK_OK(tacit_group_protect(peers[0].group, &s, TACIT_STR("without bob"), &bytes));
	CHECK(process(&peers[1], next_message, &bytes, &ev) != TACIT_OK);
	CHECK_OK(process(&peers[2], next_message, &bytes, &ev));
	tacit_group_event_clear(&ev);
	struct tacit_self bobs = self(&peers[1]);
	tacit_buf_clear(&bytes);
	CHECK_ERR(tacit_group_protect(peers[1].group, &bobs, TACIT_STR("x"), &bytes),
	        TACIT_E_CONFLICT);
	tacit_buf_clear(&bytes);
	tear_down();
}

static void a_device_joins_by_itself(void)
{
	struct tacit_group_staged staged;
	struct tacit_buf commit_bytes = {0}, info = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self phone = self(&peers[4]), alice = self(&peers[0]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &staged));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	for (size_t i = 1; i < 4; i++) {
		CHECK_OK(process(&peers[i], next_message, &staged.commit, &ev));
		tacit_group_event_clear(&ev);
	}
	CHECK_OK(tacit_group_join_external(CONVERSATION, &phone, tacit_buf_view(&staged.group_info),
	        &commit_bytes, &info, &peers[4].group));
	CHECK(info.n > 0 && tacit_group_is_pending(peers[4].group));
	store_and_load(&peers[4]);
	CHECK_OK(tacit_group_accept(peers[4].group, &phone, ++next_message));
	for (size_t i = 0; i < 4; i++) {
		CHECK_OK(process(&peers[i], next_message, &commit_bytes, &ev));
		CHECK(ev.kind == TACIT_GROUP_COMMIT && ev.joined && ev.added_count == 1);
		tacit_group_event_clear(&ev);
	}
	next_message++;
	say(&peers[4], "the phone is in", MAX_DEVICES);
	/* And again, from that device: its state was lost. */
	tacit_buf_clear(&commit_bytes);
	struct tacit_buf newer = {0};
	CHECK_OK(tacit_group_join_external(CONVERSATION, &phone, tacit_buf_view(&info),
	        &commit_bytes, &newer, &peers[5].group));
	tacit_group_destroy(peers[4].group);
	peers[4].group = peers[5].group;
	peers[5].group = NULL;
	CHECK_OK(tacit_group_accept(peers[4].group, &phone, next_message));
	for (size_t i = 0; i < 4; i++) {
		CHECK_OK(process(&peers[i], next_message, &commit_bytes, &ev));
		CHECK(ev.added_count == 0 && ev.gone_count == 0); /* the same device */
		tacit_group_event_clear(&ev);
	}
	next_message++;
	say(&peers[4], "in again", MAX_DEVICES);
	tacit_group_staged_clear(&staged);
	tacit_buf_clear(&commit_bytes);
	tacit_buf_clear(&info);
	tacit_buf_clear(&newer);
	tear_down();
}

static void the_first_commit_wins(void)
{
	struct tacit_group_staged a, b;
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	CHECK_OK(process(&peers[1], next_message, &a.commit, &ev));
	CHECK(ev.lost && !tacit_group_is_pending(peers[1].group));
	tacit_group_event_clear(&ev);
	CHECK(agree(&peers[0], &peers[1]));
	/* It comes again, and it comes to whom it is from. */
	CHECK_OK(process(&peers[1], next_message, &a.commit, &ev));
	CHECK_INT(ev.kind, TACIT_GROUP_EARLIER);
	CHECK_OK(process(&peers[0], next_message, &a.commit, &ev));
	CHECK_INT(ev.kind, TACIT_GROUP_EARLIER);
	/* The answer was lost, and the own commit is met among the messages. */
	tacit_group_staged_clear(&b);
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	store_and_load(&peers[1]);
	CHECK_OK(process(&peers[1], next_message + 1, &b.commit, &ev));
	CHECK(ev.kind == TACIT_GROUP_COMMIT && ev.accepted);
	tacit_group_event_clear(&ev);
	CHECK_OK(process(&peers[0], next_message + 1, &b.commit, &ev));
	tacit_group_event_clear(&ev);
	CHECK(agree(&peers[0], &peers[1]));
	/* One that was dropped leaves nothing. */
	tacit_group_staged_clear(&b);
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	tacit_group_drop(peers[1].group);
	CHECK(!tacit_group_is_pending(peers[1].group) && agree(&peers[0], &peers[1]));
	tacit_group_staged_clear(&a);
	tacit_group_staged_clear(&b);
	tear_down();
}

static void what_is_missing_or_changed_shows(void)
{
	struct tacit_buf first = {0}, second = {0}, third = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]), carol = self(&peers[2]);
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("1"), &first));
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("2"), &second));
	CHECK_OK(process(&peers[1], 201, &first, &ev));
	tacit_group_event_clear(&ev);
	CHECK_ERR(process(&peers[1], 202, &first, &ev), TACIT_E_REPLAY);
	tacit_buf_clear(&first);
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("3"), &first));
	CHECK_OK(process(&peers[1], 203, &first, &ev));
	CHECK_INT(ev.missing, 1);
	tacit_group_event_clear(&ev);
	/* carol was shown the dropped one in the place of the first. */
	CHECK_OK(process(&peers[2], 201, &second, &ev));
	tacit_group_event_clear(&ev);
	CHECK_OK(tacit_group_protect(peers[2].group, &carol, TACIT_STR("so?"), &third));
	CHECK_OK(process(&peers[1], 204, &third, &ev));
	CHECK(ev.history_differs);
	tacit_group_event_clear(&ev);
	third.p[third.n - 1] ^= 1;
	CHECK(process(&peers[0], 204, &third, &ev) != TACIT_OK);
	tacit_buf_clear(&first);
	tacit_buf_clear(&second);
	tacit_buf_clear(&third);
	tear_down();
}

static void a_missing_commit_is_noticed(void)
{
	struct tacit_group_staged a;
	struct tacit_buf bytes = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("new epoch"), &bytes));
	CHECK_ERR(process(&peers[1], 300, &bytes, &ev), TACIT_E_ORDER_CHANGED);
	tacit_group_staged_clear(&a);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_ERR(process(&peers[1], 301, &a.commit, &ev), TACIT_E_ORDER_CHANGED);
	tacit_group_staged_clear(&a);
	tacit_buf_clear(&bytes);
	tear_down();
}

/* Two members who end the same epoch in two ways, and what each says of the other's group. */
static void knows_another_half(void)
{
	struct tacit_group_staged a, b;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]), bob = self(&peers[1]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	struct tacit_bytes of_a = tacit_buf_view(&a.group_info);
	struct tacit_bytes of_b = tacit_buf_view(&b.group_info);
	CHECK(!tacit_group_info_parts(peers[0].group, of_b)); /* not in that epoch yet */
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	CHECK_OK(tacit_group_accept(peers[1].group, &bob, next_message));
	CHECK(!tacit_group_info_parts(peers[0].group, of_a));
	CHECK(!tacit_group_info_parts(peers[1].group, of_b));
	CHECK(tacit_group_info_parts(peers[0].group, of_b));
	CHECK(tacit_group_info_parts(peers[1].group, of_a));
	CHECK(!tacit_group_info_parts(peers[0].group, tacit_bytes(of_b.p, of_b.n - 1)));
	CHECK(!tacit_group_info_parts(peers[0].group, tacit_buf_view(&b.commit)));
	/* Of another conversation: the group's id is another one. */
	struct tacit_group *other;
	struct tacit_group_staged c;
	CHECK_OK(tacit_group_create(CONVERSATION, &bob, &other));
	const struct tacit_group_commit nothing = {0};
	for (uint64_t i = 0; i < tacit_group_epoch(peers[0].group); i++) {
		CHECK_OK(tacit_group_stage(other, &bob, &nothing, &c));
		CHECK_OK(tacit_group_accept(other, &bob, i + 1));
		CHECK(!tacit_group_info_parts(peers[0].group, tacit_buf_view(&c.group_info)));
		tacit_group_staged_clear(&c);
	}
	tacit_group_destroy(other);
	tacit_group_staged_clear(&a);
	tacit_group_staged_clear(&b);
	tear_down();
}

static void a_stored_state_is_bounded(void)
{
	struct tacit_buf state = {0}, tree = {0};
	REQUIRE(set_up_group());
	say(&peers[1], "one", MAX_DEVICES);
	CHECK_OK(tacit_group_save_state(peers[0].group, &state));
	CHECK_OK(tacit_group_save_tree(peers[0].group, &tree));
	for (size_t n = 0; n < state.n; n += 1 + n / 16) {
		struct tacit_group *g = NULL;
		CHECK(tacit_group_load(tacit_bytes(state.p, n), tacit_buf_view(&tree), &g) !=
		        TACIT_OK);
		CHECK(g == NULL);
	}
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	tear_down();
}

static enum tacit_err a_life(void)
{
	enum tacit_err err;
	struct tacit_group *g = NULL;
	struct tacit_buf bytes = {0};
	struct tacit_self alice = self(&peers[0]);
	struct tacit_group_staged staged = {0};
	const struct tacit_bytes add = tacit_buf_view(&peers[1].package);
	const struct tacit_group_commit what = {.add = &add, .add_count = 1};
	TRY(tacit_group_create(CONVERSATION, &alice, &g));
	TRY(tacit_group_stage(g, &alice, &what, &staged));
	TRY(tacit_group_accept(g, &alice, 1));
	TRY(tacit_group_protect(g, &alice, TACIT_STR("x"), &bytes));
out:
	tacit_group_staged_clear(&staged);
	tacit_buf_clear(&bytes);
	tacit_group_destroy(g);
	return err;
}

static void memory_runs_out(void)
{
	REQUIRE(set_up());
	tap_alloc_sweep(a_life);
	tear_down();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"devices talk", devices_talk},
	        {"who is removed reads no more", who_is_removed_reads_no_more},
	        {"a device joins by itself", a_device_joins_by_itself},
	        {"the first commit wins", the_first_commit_wins},
	        {"what is missing or changed shows", what_is_missing_or_changed_shows},
	        {"a missing commit is noticed", a_missing_commit_is_noticed},
	        {"knows another half", knows_another_half},
	        {"a stored state is bounded", a_stored_state_is_bounded},
	        {"memory runs out", memory_runs_out},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
