/* The ids of messages on a disk: none is given twice, also where an older server gave the first. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "older.h"
#include "server/store/sqlite_int.h"
#include "whole.h"

static const struct backend sqlite = {"sqlite", NULL, true};

/* Two people; messages 1, 2 and 40 in the first conversation, 41 was destroyed; one in the second.
 */
static const char contents[] =
        "INSERT INTO users (id, username, email, public_key, password_hash, totp_sealed,"
        " encryption_iv, quota_bytes, created_at, admin, disabled) VALUES"
        " (1, 'anna', 'a', randomblob(32), '', x'', '', 0, 0, 0, 0),"
        " (2, 'ben', 'b', randomblob(32), '', x'', '', 0, 0, 0, 0);"
        "INSERT INTO conversations (id, kind, name, creator_id, created_at) VALUES"
        " (7, 2, x'', 1, 0), (8, 2, x'', 1, 0);"
        "INSERT INTO conversation_participants VALUES (7, 1, 0), (7, 2, 0), (8, 1, 0);"
        "INSERT INTO messages (id, conversation_id, user_id, created_at, client_id, content)"
        " VALUES (1, 7, 1, 0, CAST('first' AS BLOB), x'01'), (2, 7, 2, 0, NULL, x'02'),"
        " (3, 8, 1, 0, NULL, x'03'), (40, 7, 1, 0, NULL, x'04'), (41, 7, 1, 0, NULL, x'05');"
        "UPDATE counters SET value = 5 WHERE name = 'messages';"
        "DELETE FROM messages WHERE id = 41;";

static void append(struct store *s, const char *client_id, int64_t want)
{
	struct store_message m;
	bool existed;
	CHECK_OK(s->ops->message_append(s,
	        &(struct store_new_message){.conversation_id = 7,
	                .user_id = 1,
	                .content = TACIT_STR("sealed"),
	                .client_id = tacit_cstr(client_id),
	                .now = NOW},
	        &m, &existed));
	CHECK_INT(m.id, want);
}

static void an_older_servers_are_not_given_again(void)
{
	struct fixture f;
	struct gone gone = {0};
	struct ids ids = {0};
	char path[160], url[176], why[256];
	bool more = true;
	struct store *s = NULL;
	REQUIRE(set_up(&f));
	snprintf(path, sizeof(path), "%s/old.db", f.folder);
	snprintf(url, sizeof(url), "sqlite://%s", path);
	make_older(path, 9, contents);
	REQUIRE(store_open(url, STORE_WRITER, why, &s) == TACIT_OK);
	append(s, "", 42);
	append(s, "first", 1); /* a retry, across the migration */
	append(s, "", 43);
	CHECK_OK(s->ops->message_page(s, 7, 2, 0, 0, 9, collect_message, &ids, &more));
	CHECK(!more);
	CHECK_INT(ids.count, 5);
	CHECK_INT(sql_number(s, "SELECT value FROM counters WHERE name = 'messages'"), 6);
	CHECK_INT(sql_number(s, "SELECT count(*) FROM pragma_foreign_key_list('messages')"), 0);
	CHECK_INT(sql_number(s, "SELECT count(*) FROM sqlite_sequence WHERE name = 'messages'"), 0);
	CHECK_INT(sql_number(s, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	/* With its last participant a conversation is gone, and its messages with it. */
	CHECK_OK(s->ops->participant_remove(s, 8, 1, 1, collect_gone, &gone));
	CHECK_INT(sql_number(s, "SELECT count(*) FROM messages WHERE conversation_id = 8"), 0);
	CHECK_INT(sql_number(s, "SELECT value FROM counters WHERE name = 'messages'"), 5);
	store_close(s);
	REQUIRE(store_open(url, STORE_WRITER, why, &s) == TACIT_OK);
	append(s, "", 44);
	store_close(s);
	tear_down(&f);
}

static void the_schema_is_closed_again(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	sqlite3 *db = sqlite_of(f.w)->db;
	CHECK_INT(sqlite3_exec(db, "PRAGMA writable_schema = ON", NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, "UPDATE sqlite_schema SET sql = sql", NULL, NULL, NULL),
	        SQLITE_ERROR);
	tear_down(&f);
}

static void two_writers_take_turns(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	struct store *other = another(&f, STORE_WRITER);
	struct store *first = f.w;
	int64_t before = add_message(&f, group, f.anna, "one");
	f.w = other;
	CHECK_INT(add_message(&f, group, f.anna, "two"), before + 1);
	f.w = first;
	CHECK_INT(add_message(&f, group, f.anna, "three"), before + 2);
	store_close(other);
	tear_down(&f);
}

/* A row that this program did not count must not be in the way of all that come. */
static void a_row_of_somebody_else_is_passed(void)
{
	struct fixture f;
	char text[256];
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	int64_t before = add_message(&f, group, f.anna, "one");
	snprintf(text, sizeof(text),
	        "INSERT INTO messages (id, conversation_id, user_id, created_at, content)"
	        " VALUES (%lld, %lld, %lld, 0, x'00')",
	        (long long)before + 5, (long long)group, (long long)f.anna);
	CHECK_INT(sqlite3_exec(sqlite_of(f.w)->db, text, NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(add_message(&f, group, f.anna, "two"), before + 6);
	tear_down(&f);
}

static void what_was_undone_takes_none(void)
{
	struct fixture f;
	REQUIRE(set_up(&f));
	int64_t group = add_group(&f);
	int64_t before = add_message(&f, group, f.anna, "kept");
	CHECK_OK(f.ops->batch_begin(f.w));
	add_message(&f, group, f.anna, "lost");
	f.ops->batch_abort(f.w);
	CHECK_OK(f.ops->batch_begin(f.w));
	CHECK_INT(add_message(&f, group, f.anna, "kept"), before + 1);
	CHECK_OK(f.ops->mark(f.w));
	add_message(&f, group, f.anna, "undone");
	CHECK_OK(f.ops->undo(f.w));
	CHECK_INT(add_message(&f, group, f.anna, "kept"), before + 2);
	CHECK_OK(f.ops->batch_commit(f.w));
	CHECK_INT(add_message(&f, group, f.anna, "kept"), before + 3);
	tear_down(&f);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"an older server's are not given again", an_older_servers_are_not_given_again},
	        {"the schema is closed again", the_schema_is_closed_again},
	        {"two writers take turns", two_writers_take_turns},
	        {"a row of somebody else is passed", a_row_of_somebody_else_is_passed},
	        {"what was undone takes none", what_was_undone_takes_none},
	};
	backend = &sqlite;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
