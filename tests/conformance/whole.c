#include "whole.h"

#include "server/store/sqlite_int.h"
#include "support/tap.h"

int64_t sql_number(struct store *s, const char *text)
{
	sqlite3_stmt *st = NULL;
	int64_t got = -1;
	CHECK_INT(sqlite3_prepare_v2(sqlite_of(s)->db, text, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		got = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return got;
}

/* Messages that are what their burst says. */
static const char pairs[] = "SELECT count(*) FROM message_bursts b JOIN messages m"
                            " ON m.id >= b.first_id AND m.id < b.first_id + b.length"
                            " WHERE m.conversation_id = b.conversation_id AND m.user_id = b.user_id"
                            " AND m.expires_at = b.expires_at AND m.begins_epoch = b.begins_epoch"
                            " AND (m.client_id IS NULL) = (b.client_number IS NULL)";
/* Those whose client_id is the burst's, or of its series; one that follows has that of its author's
 * last one that has any. */
static const char named[] =
        "WITH b AS (SELECT *, CASE WHEN client_number IS NOT NULL THEN"
        " coalesce(client_series, (SELECT a.client_series FROM message_bursts a"
        " WHERE a.conversation_id = c.conversation_id AND a.user_id = c.user_id"
        " AND a.first_id < c.first_id AND a.client_series IS NOT NULL"
        " ORDER BY a.first_id DESC LIMIT 1)) END AS series FROM message_bursts c)"
        " SELECT count(*) FROM b JOIN messages m"
        " ON m.id >= b.first_id AND m.id < b.first_id + b.length"
        " WHERE m.client_id IS NULL OR (m.id = b.first_id AND"
        " CAST(m.client_id AS TEXT) ="
        " CAST(b.series AS TEXT) || CAST(b.client_number AS TEXT))"
        " OR (m.id > b.first_id AND length(b.client_number) = 12 AND"
        " substr(CAST(m.client_id AS TEXT), 1, length(b.series)) = CAST(b.series AS TEXT)"
        " AND length(m.client_id) = length(b.series) + 12)";

void check_bursts(struct store *s)
{
	const int64_t all = sql_number(s, "SELECT count(*) FROM messages");
	CHECK_INT(sql_number(s, "SELECT coalesce(sum(length), 0) FROM message_bursts"), all);
	CHECK_INT(sql_number(s, pairs), all);
	CHECK_INT(sql_number(s, named), all);
}

int64_t count_bursts(struct store *s)
{
	return sql_number(s, "SELECT count(*) FROM message_bursts");
}
