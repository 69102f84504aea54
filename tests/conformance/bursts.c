/* Bursts on a disk: which messages share a row, and that a retry finds them whatever they share. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "older.h"
#include "server/store/sqlite_int.h"
#include "whole.h"

static const struct backend sqlite = {"sqlite", NULL, true};

/* The id; negative: it was there already. */
static int64_t say(struct fixture *f, int64_t conversation, int64_t user, const char *client_id)
{
	struct store_message m;
	bool existed = false;
	CHECK_OK(f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = conversation,
	                .user_id = user,
	                .content = TACIT_STR("sealed"),
	                .client_id = tacit_cstr(client_id),
	                .now = NOW},
	        &m, &existed));
	return existed ? -m.id : m.id;
}

static const char *counted(unsigned number)
{
	static char id[40];
	snprintf(id, sizeof(id), "01234567-89ab-8cde-8f01-%012x", number);
	return id;
}

/* Anna says these numbers, one after another; the first id. */
static int64_t say_numbers(struct fixture *f, int64_t conversation, unsigned from, unsigned to)
{
	int64_t first = say(f, conversation, f->anna, counted(from));
	for (unsigned n = from + 1; n < to; n++)
		CHECK_INT(say(f, conversation, f->anna, counted(n)), first + (n - from));
	return first;
}

static void begin(struct fixture *f)
{
	CHECK_OK(f->ops->batch_begin(f->w));
}

static void commit(struct fixture *f)
{
	CHECK_OK(f->ops->batch_commit(f->w));
	check_bursts(f->w);
}

static void what_counts_shares_a_row(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	int64_t first = say_numbers(&f, group, 9, 26); /* ..., 0f, 10, ... */
	for (unsigned n = 9; n < 26; n++)
		CHECK_INT(say(&f, group, f.anna, counted(n)), -(first + n - 9));
	commit(&f);
	CHECK_INT(count_bursts(f.w), 1);
	for (unsigned n = 9; n < 26; n++)
		CHECK_INT(say(&f, group, f.anna, counted(n)), -(first + n - 9));
	CHECK_INT(say(&f, group, f.anna, counted(8)), first + 17);
	CHECK_INT(say(&f, group, f.anna, counted(26)), first + 18);
	CHECK_INT(count_bursts(f.w), 3);
	CHECK_INT(say(&f, group, f.ben, counted(9)), first + 19);
	CHECK_INT(say(&f, add_group(&f), f.anna, counted(9)), first + 20);
	check_bursts(f.w);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 20);
	tear_down(&f);
}

static void so_does_what_has_no_name(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	for (int i = 0; i < 5; i++)
		say(&f, group, f.anna, "");
	commit(&f);
	CHECK_INT(count_bursts(f.w), 1);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 5);
	tear_down(&f);
}

/* Only what ends in twelve lower-case digits counts: anything else is a name like any other. */
static void other_names_stand_alone(void)
{
	static const char *const names[] = {"a", "b", "01234567-89ab-8cde-8f01-00000000000A",
	        "01234567-89ab-8cde-8f01-00000000000B", "01234567-89ab-8cde-8f01-",
	        "01234567-89ab-8cde-8f01", "00000000001", "00000000000g"};
	struct fixture f;
	int64_t ids[TACIT_COUNT(names)];
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		ids[i] = say(&f, group, f.anna, names[i]);
	int64_t first = say_numbers(&f, group, 9, 12); /* a series of the fifth name */
	CHECK_INT(say(&f, group, f.anna, names[4]), -ids[4]);
	commit(&f);
	CHECK_INT(count_bursts(f.w), (int64_t)TACIT_COUNT(names) + 1);
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		CHECK_INT(say(&f, group, f.anna, names[i]), -ids[i]);
	CHECK_INT(say(&f, group, f.anna, counted(10)), -(first + 1));
	CHECK_INT(say(&f, group, f.anna, counted(0)), first + 3); /* below the series' first */
	check_bursts(f.w);
	tear_down(&f);
}

/* A burst that grows up to one that was said before must not take over its numbers. */
static void a_burst_ends_where_another_begins(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	int64_t later = say_numbers(&f, group, 20, 25);
	commit(&f);
	begin(&f);
	int64_t earlier = say_numbers(&f, group, 15, 20);
	for (unsigned n = 20; n < 25; n++)
		CHECK_INT(say(&f, group, f.anna, counted(n)), -(later + n - 20));
	CHECK_INT(say(&f, group, f.anna, counted(25)), earlier + 5);
	for (unsigned n = 15; n < 20; n++)
		CHECK_INT(say(&f, group, f.anna, counted(n)), -(earlier + n - 15));
	commit(&f);
	CHECK_INT(count_bursts(f.w), 3);
	for (unsigned n = 15; n < 25; n++)
		CHECK(say(&f, group, f.anna, counted(n)) < 0);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 11);
	tear_down(&f);
}

static void somebody_else_ends_it(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), other = add_group(&f);
	begin(&f);
	int64_t first = say_numbers(&f, group, 1, 4);
	CHECK_INT(say(&f, group, f.ben, "x"), first + 3);
	CHECK_INT(say(&f, group, f.anna, counted(4)), first + 4);
	CHECK_INT(say(&f, other, f.anna, counted(5)), first + 5);
	CHECK_INT(say(&f, group, f.anna, counted(5)), first + 6);
	CHECK_INT(say(&f, group, f.anna, counted(7)), first + 7);
	CHECK_INT(say(&f, group, f.anna, counted(6)), first + 8);
	commit(&f);
	CHECK_INT(count_bursts(f.w), 7);
	CHECK_INT(message_count(&f, f.r, group, f.ben), 8);
	tear_down(&f);
}

static void a_long_one_is_cut(void)
{
	struct fixture f;
	struct ids ids = {0};
	bool more = true;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	int64_t first = say_numbers(&f, group, 0, 150);
	commit(&f);
	CHECK_INT(count_bursts(f.w), 3);
	for (unsigned n = 0; n < 150; n++)
		CHECK_INT(say(&f, group, f.anna, counted(n)), -(first + n));
	/* A page begins and ends within bursts. */
	CHECK_OK(f.ops->message_page(
	        f.r, group, f.ben, first + 140, first + 10, 40, collect_message, &ids, &more));
	CHECK(more);
	CHECK_INT(ids.count, 40);
	for (size_t i = 0; i < ids.count; i++)
		CHECK_INT(ids.id[i], first + 11 + (int64_t)i);
	ids.count = 0;
	CHECK_OK(f.ops->message_page(
	        f.r, group, f.ben, first + 140, 0, 20, collect_message, &ids, &more));
	CHECK(more);
	CHECK_INT(ids.count, 20);
	for (size_t i = 0; i < ids.count; i++)
		CHECK_INT(ids.id[i], first + 120 + (int64_t)i);
	tear_down(&f);
}

static enum tacit_err expect_unread(void *ctx, const struct store_conversation *c)
{
	CHECK_INT(c->unread, *(const int64_t *)ctx);
	return TACIT_OK;
}

static void who_has_read_a_part_has_the_rest_unread(void)
{
	struct fixture f;
	bool moved = false;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), want = 30;
	begin(&f);
	int64_t first = say_numbers(&f, group, 0, 30);
	commit(&f);
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, expect_unread, &want));
	CHECK_OK(f.ops->read_mark(f.w, group, f.ben, first + 11, NOW, &moved));
	want = 18;
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, expect_unread, &want));
	CHECK_OK(f.ops->read_mark(f.w, group, f.ben, first + 29, NOW, &moved));
	want = 0;
	CHECK_OK(f.ops->conversation_get(f.r, group, f.ben, NOW, expect_unread, &want));
	CHECK_OK(f.ops->conversation_get(f.r, group, f.anna, NOW, expect_unread, &want));
	tear_down(&f);
}

static void what_was_undone_is_in_none(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	int64_t first = say_numbers(&f, group, 1, 4);
	CHECK_OK(f.ops->mark(f.w));
	CHECK_INT(say(&f, group, f.anna, counted(4)), first + 3);
	CHECK_INT(say(&f, group, f.ben, "written, too"), first + 4);
	CHECK_OK(f.ops->undo(f.w));
	CHECK_INT(say(&f, group, f.anna, counted(3)), -(first + 2));
	CHECK_INT(say(&f, group, f.anna, counted(4)), first + 3);
	commit(&f);
	CHECK_INT(count_bursts(f.w), 1);
	begin(&f);
	say(&f, group, f.anna, counted(5));
	f.ops->batch_abort(f.w);
	check_bursts(f.w);
	CHECK_INT(say(&f, group, f.anna, counted(5)), first + 4);
	check_bursts(f.w);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 5);
	tear_down(&f);
}

/* The writer sees in a batch what it has said, whatever it asks. */
static void the_writer_sees_its_own(void)
{
	struct fixture f;
	int64_t want = 3;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	say_numbers(&f, group, 1, 4);
	CHECK_OK(f.ops->conversation_get(f.w, group, f.ben, NOW, expect_unread, &want));
	CHECK_INT(message_count(&f, f.w, group, f.ben), 3);
	commit(&f);
	tear_down(&f);
}

static void a_deadline_ends_it_and_ends_all_of_it(void)
{
	struct fixture f;
	struct gone gone = {0};
	struct store_sweep w = {.limit = 2, .gone = collect_gone, .ctx = &gone};
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	begin(&f);
	int64_t first = say_numbers(&f, group, 1, 4);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 60, NOW));
	CHECK_INT(say_numbers(&f, group, 4, 8), first + 3);
	f.ops->advance(f.w, NOW + 1);
	CHECK_INT(say_numbers(&f, group, 8, 10), first + 7);
	commit(&f);
	CHECK_INT(count_bursts(f.w), 3);
	CHECK_OK(f.ops->sweep(f.w, NOW + 60, &w)); /* two at most, but a burst goes as one */
	check_bursts(f.w);
	CHECK(w.more);
	CHECK_INT(count_bursts(f.w), 2);
	CHECK_INT(w.next, NOW + 61);
	CHECK_INT(say(&f, group, f.anna, counted(3)), -(first + 2));
	CHECK_INT(say(&f, group, f.anna, counted(8)), -(first + 7));
	CHECK_OK(f.ops->sweep(f.w, NOW + 61, &w));
	check_bursts(f.w);
	CHECK_INT(count_bursts(f.w), 1);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 3);
	tear_down(&f);
}

static void a_conversation_takes_its_bursts_along(void)
{
	struct fixture f;
	struct gone gone = {0};
	REQUIRE(set_up(&f));
	int64_t session = add_session(&f, NOW + 50), group = add_group(&f);
	begin(&f);
	say_numbers(&f, session, 1, 9);
	say_numbers(&f, group, 1, 9);
	commit(&f);
	CHECK_OK(f.ops->conversation_close(f.w, session, f.anna, NOW, collect_gone, &gone));
	check_bursts(f.w);
	CHECK_INT(count_bursts(f.w), 1);
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.ben, collect_gone, &gone));
	CHECK_OK(f.ops->participant_remove(f.w, group, f.anna, f.anna, collect_gone, &gone));
	check_bursts(f.w);
	CHECK_INT(count_bursts(f.w), 0);
	tear_down(&f);
}

/* What one handle knows is free, another may have said meanwhile. */
static void another_writer_goes_on_in_it(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	struct store *mine = f.w, *other = another(&f, STORE_WRITER);
	int64_t first = say_numbers(&f, group, 1, 4); /* the third without a look */
	f.w = other;
	CHECK_INT(say(&f, group, f.anna, counted(4)), first + 3);
	CHECK_INT(say(&f, group, f.anna, counted(5)), first + 4);
	f.w = mine;
	CHECK_INT(say(&f, group, f.anna, counted(4)), -(first + 3));
	CHECK_INT(say(&f, group, f.anna, counted(5)), -(first + 4));
	CHECK_INT(say(&f, group, f.anna, counted(6)), first + 5);
	check_bursts(f.w);
	store_close(other);
	tear_down(&f);
}

/* A burst that was deleted in vain is in the way again. */
static void what_was_destroyed_in_vain_is_there(void)
{
	struct fixture f;
	struct gone gone = {0};
	struct store_sweep w = {.limit = 9, .gone = collect_gone, .ctx = &gone};
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 60, NOW));
	int64_t later = say_numbers(&f, group, 3, 5);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 0, NOW));
	say_numbers(&f, group, 1, 2);
	begin(&f);
	CHECK_OK(f.ops->mark(f.w));
	CHECK_OK(f.ops->sweep(f.w, NOW + 60, &w));
	CHECK_INT(say(&f, group, f.anna, counted(2)), later + 3);
	CHECK_OK(f.ops->undo(f.w));
	CHECK_INT(say(&f, group, f.anna, counted(3)), -later);
	CHECK_INT(say(&f, group, f.anna, counted(4)), -(later + 1));
	CHECK_INT(say(&f, group, f.anna, counted(2)), later + 3);
	commit(&f);
	tear_down(&f);
}

static int64_t count_entries(struct fixture *f)
{
	return sql_number(
	        f->w, "SELECT count(*) FROM message_bursts WHERE client_series IS NOT NULL");
}

static void find_numbers(struct fixture *f, int64_t group, unsigned to, const int64_t *ids)
{
	for (unsigned n = 0; n < to; n++)
		CHECK_INT(say(f, group, f->anna, counted(n)), -ids[n]);
}

/* One after another, each in a commit of its own, and others in between. */
static void who_counts_on_needs_no_entry(void)
{
	struct fixture f;
	int64_t ids[40];
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), other = add_group(&f);
	for (unsigned n = 0; n < TACIT_COUNT(ids); n++) {
		ids[n] = say(&f, group, f.anna, counted(n));
		CHECK(say(&f, n % 2 == 0 ? group : other, f.ben, counted(n)) > 0);
	}
	CHECK_INT(count_bursts(f.w), 2 * (int64_t)TACIT_COUNT(ids));
	CHECK_INT(count_entries(&f), 1 + (int64_t)TACIT_COUNT(ids)); /* what skips begins anew */
	check_bursts(f.w);
	find_numbers(&f, group, TACIT_COUNT(ids), ids);
	/* So does who knows nothing of what was said last. */
	struct store *mine = f.w;
	f.w = another(&f, STORE_WRITER);
	find_numbers(&f, group, TACIT_COUNT(ids), ids);
	CHECK(say(&f, group, f.anna, counted(TACIT_COUNT(ids))) > 0);
	CHECK(say(&f, group, f.anna, counted(TACIT_COUNT(ids) + 9)) > 0);
	CHECK(say(&f, group, f.anna, counted(TACIT_COUNT(ids) + 8)) > 0);
	check_bursts(f.w);
	store_close(f.w);
	f.w = mine;
	tear_down(&f);
}

/* Whatever else its author says there, one that follows is of the series before it. */
static void what_comes_between_begins_anew(void)
{
	static const char *const between[] = {
	        "short", "", "01234567-89ab-8cde-8f02-000000000002", "000000000002"};
	struct fixture f;
	int64_t ids[8];
	unsigned n = 0;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	for (size_t i = 0; i < TACIT_COUNT(between); i++, n += 2) {
		ids[n] = say(&f, group, f.anna, counted(n));
		ids[n + 1] = say(&f, group, f.anna, counted(n + 1));
		CHECK(say(&f, group, f.anna, between[i]) > 0);
		CHECK_INT(count_entries(&f), (int64_t)(2 * i + 2 - (i > 0)));
	}
	check_bursts(f.w);
	find_numbers(&f, group, n, ids);
	CHECK(say(&f, group, f.anna, "01234567-89ab-8cde-8f02-000000000002") < 0);
	for (unsigned k = 3; k < 12; k++) {
		char id[40];
		snprintf(id, sizeof(id), "01234567-89ab-8cde-8f02-%012x", k);
		CHECK(say(&f, group, f.anna, id) > 0);
	}
	find_numbers(&f, group, n, ids);
	CHECK(say(&f, group, f.anna, counted(10)) > 0); /* a number of the other series only */
	tear_down(&f);
}

/* It may be swept alone, and what follows it is found from it. */
static void what_expires_is_followed_by_none(void)
{
	struct fixture f;
	struct gone gone = {0};
	struct store_sweep w = {.limit = 9, .gone = collect_gone, .ctx = &gone};
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 60, NOW));
	say(&f, group, f.anna, counted(1));
	say(&f, group, f.anna, counted(2));
	CHECK_OK(f.ops->conversation_set_message_ttl(f.w, group, f.anna, 0, NOW));
	int64_t third = say(&f, group, f.anna, counted(3));
	CHECK_INT(say(&f, group, f.anna, counted(4)), third + 1);
	CHECK_INT(count_entries(&f), 3);
	CHECK_OK(f.ops->sweep(f.w, NOW + 60, &w));
	check_bursts(f.w);
	CHECK_INT(say(&f, group, f.anna, counted(3)), -third);
	CHECK_INT(say(&f, group, f.anna, counted(4)), -(third + 1));
	CHECK_INT(say(&f, group, f.anna, counted(2)), third + 2);
	tear_down(&f);
}

/* So that a search reads so many rows at most. */
static void an_entry_is_never_far(void)
{
	enum { FAR = 4096 };
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f), other = add_group(&f);
	int64_t first = say(&f, group, f.anna, counted(1));
	begin(&f);
	for (unsigned n = 0; n < FAR - 2; n++)
		CHECK(say(&f, other, f.ben, "") > 0);
	commit(&f);
	CHECK_INT(say(&f, group, f.anna, counted(2)), first + FAR - 1);
	CHECK_INT(count_entries(&f), 1);
	CHECK_INT(say(&f, group, f.anna, counted(3)), first + FAR);
	CHECK_INT(count_entries(&f), 2);
	for (unsigned n = 2; n < 4; n++)
		CHECK_INT(say(&f, group, f.anna, counted(n)), -(first + FAR + n - 3));
	check_bursts(f.w);
	tear_down(&f);
}

/* Somebody else's doing: no reason to take a retry for a new message, nor to fail others' batch. */
static void a_message_that_vanished_is_told(void)
{
	struct fixture f;
	struct store_message m;
	bool existed = true;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	say(&f, group, f.anna, "x");
	CHECK_INT(sqlite3_exec(sqlite_of(f.w)->db, "DELETE FROM messages", NULL, NULL, NULL),
	        SQLITE_OK);
	const struct store_new_message again = {.conversation_id = group,
	        .user_id = f.anna,
	        .content = TACIT_STR("sealed"),
	        .client_id = TACIT_STR("x"),
	        .now = NOW};
	begin(&f);
	CHECK_ERR(f.ops->message_append(f.w, &again, &m, &existed), TACIT_E_STORE_CORRUPT);
	CHECK(!existed);
	CHECK(say(&f, group, f.anna, "y") > 0);
	CHECK_OK(f.ops->batch_commit(f.w));
	tear_down(&f);
}

static enum tacit_err try_number(struct fixture *f, int64_t group, unsigned number)
{
	struct store_message m;
	bool existed;
	return f->ops->message_append(f->w,
	        &(struct store_new_message){.conversation_id = group,
	                .user_id = f->anna,
	                .content = TACIT_STR("sealed"),
	                .client_id = tacit_cstr(counted(number)),
	                .now = NOW},
	        &m, &existed);
}

/* Of a number that is none, nobody can tell what is before or behind it. */
static void a_damaged_number_is_told(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	sqlite3 *db = sqlite_of(f.w)->db;
	say(&f, group, f.anna, counted(4));
	CHECK_INT(sqlite3_exec(db,
	                  "UPDATE message_bursts SET client_number = x'303030303030303030303020'",
	                  NULL, NULL, NULL),
	        SQLITE_OK);
	CHECK_ERR(try_number(&f, group, 2), TACIT_E_STORE_CORRUPT);
	CHECK_INT(sqlite3_exec(db,
	                  "UPDATE message_bursts SET client_number = x'7a7a7a7a7a7a7a7a7a7a7a7a'",
	                  NULL, NULL, NULL),
	        SQLITE_OK);
	CHECK_OK(try_number(&f, group, 2));
	CHECK_ERR(try_number(&f, group, 3), TACIT_E_STORE_CORRUPT);
	const int64_t followed = say(&f, group, f.ben, counted(1));
	CHECK_INT(say(&f, group, f.ben, counted(2)), followed + 1);
	CHECK_INT(sqlite3_exec(db,
	                  "UPDATE message_bursts SET client_number = x'303030303030303030303020'"
	                  " WHERE client_series IS NULL",
	                  NULL, NULL, NULL),
	        SQLITE_OK);
	f.anna = f.ben;
	CHECK_ERR(try_number(&f, group, 2), TACIT_E_STORE_CORRUPT);
	CHECK_INT(message_count(&f, f.r, group, f.anna), 4);
	tear_down(&f);
}

/* What an older server stored is found by its client_id as before, whatever that looks like. */
static void an_older_servers_messages_are_found(void)
{
	static const char contents[] =
	        "INSERT INTO users (id, username, email, public_key, password_hash, totp_sealed,"
	        " encryption_iv, quota_bytes, created_at, admin, disabled) VALUES"
	        " (1, 'anna', 'a', randomblob(32), '', x'', '', 0, 0, 0, 0);"
	        "INSERT INTO conversations (id, kind, name, creator_id, created_at) VALUES"
	        " (7, 2, x'', 1, 0), (8, 2, x'', 1, 0);"
	        "INSERT INTO conversation_participants VALUES (7, 1, 0), (8, 1, 0);"
	        "INSERT INTO messages (id, conversation_id, user_id, created_at, client_id, "
	        "content,"
	        " expires_at, begins_epoch) VALUES"
	        " (1, 7, 1, 0, CAST('01234567-89ab-8cde-8f01-00000000000a' AS BLOB), x'', 0, 0),"
	        " (2, 7, 1, 0, CAST('01234567-89ab-8cde-8f01-00000000000b' AS BLOB), x'', 0, 0),"
	        " (3, 8, 1, 0, CAST('000000000001' AS BLOB), x'', 9, 0),"
	        " (4, 7, 1, 0, CAST('01234567-89AB-8CDE-8F01-00000000000C' AS BLOB), x'', 0, 0),"
	        " (5, 7, 1, 0, CAST('short' AS BLOB), x'', 0, 0), (6, 7, 1, 0, NULL, x'', 0, 1),"
	        " (7, 7, 1, 0, NULL, x'', 0, 2);"
	        "UPDATE counters SET value = 7 WHERE name IN ('messages', 'last_message');";
	struct fixture f;
	char path[160], url[176], why[256];
	struct ids ids = {0};
	struct store *old;
	REQUIRE(set_up(&f));
	snprintf(path, sizeof(path), "%s/old.db", f.folder);
	snprintf(url, sizeof(url), "sqlite://%s", path);
	make_older(path, 10, contents);
	REQUIRE(store_open(url, STORE_WRITER, why, &old) == TACIT_OK);
	struct store *mine = f.w;
	f.w = old;
	check_bursts(f.w);
	CHECK_INT(count_bursts(f.w), 7);
	CHECK_INT(say(&f, 7, 1, counted(11)), -2);
	CHECK_INT(say(&f, 7, 1, counted(10)), -1);
	CHECK_INT(say(&f, 8, 1, "000000000001"), -3);
	CHECK_INT(say(&f, 7, 1, "01234567-89AB-8CDE-8F01-00000000000C"), -4);
	CHECK_INT(say(&f, 7, 1, "short"), -5);
	CHECK_INT(say(&f, 7, 1, counted(12)), 8);
	check_bursts(f.w);
	CHECK_OK(f.ops->commit_list(f.w, 7, 1, 0, 9, collect_message, &ids));
	CHECK_INT(ids.count, 2);
	f.w = mine;
	store_close(old);
	tear_down(&f);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"what counts shares a row", what_counts_shares_a_row},
	        {"so does what has no name", so_does_what_has_no_name},
	        {"other names stand alone", other_names_stand_alone},
	        {"a burst ends where another begins", a_burst_ends_where_another_begins},
	        {"somebody else ends it", somebody_else_ends_it},
	        {"a long one is cut", a_long_one_is_cut},
	        {"who has read a part has the rest unread",
	                who_has_read_a_part_has_the_rest_unread},
	        {"what was undone is in none", what_was_undone_is_in_none},
	        {"the writer sees its own", the_writer_sees_its_own},
	        {"a deadline ends it, and ends all of it", a_deadline_ends_it_and_ends_all_of_it},
	        {"a conversation takes its bursts along", a_conversation_takes_its_bursts_along},
	        {"another writer goes on in it", another_writer_goes_on_in_it},
	        {"what was destroyed in vain is there", what_was_destroyed_in_vain_is_there},
	        {"who counts on needs no entry", who_counts_on_needs_no_entry},
	        {"what comes between begins anew", what_comes_between_begins_anew},
	        {"what expires is followed by none", what_expires_is_followed_by_none},
	        {"an entry is never far", an_entry_is_never_far},
	        {"a message that vanished is told", a_message_that_vanished_is_told},
	        {"a damaged number is told", a_damaged_number_is_told},
	        {"an older server's messages are found", an_older_servers_messages_are_found},
	};
	backend = &sqlite;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
