/* Bursts: how messages are found, and that none is there twice.
 *
 * A burst is what one person says on end in one conversation: messages whose ids follow one
 * another, and whose client_ids count up by one (protocol.md 6.4). It is one row, which stands for
 * all of them: for where they are, who has not read them, when they expire and what was sent
 * before. So a message costs its own row, at the end of that table; an index would cost a page of
 * its conversation for each entry. Whoever says one thing now and then has bursts of one, and so
 * have clients whose client_ids do not count: they pay what an index would cost.
 *
 * The burst that messages still come to is in memory, as long as the transaction lasts: it is
 * written before a statement that might read the table, and before COMMIT. Committed ones never
 * change: nothing is destroyed in them but all of it.
 *
 * No two bursts of a series have a number in common. So the one that begins last up to a number is
 * the one that has it, if any has. And of the series that somebody said last, memory knows what is
 * free behind it: so who counts on says something new, without a look.
 *
 * A burst that goes on counting where its author's last one in the conversation ended *follows* it:
 * it has no entry in the index of series, which would be another page of its conversation. It is
 * found from the last one that has an entry, at most FOLLOWERS_WITHIN ids before it. Whatever else
 * its author says there in between, or with a deadline, begins anew, with an entry. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/store/sqlite_int.h"

#define NUMBER_CHARS 12
#define MAX_LENGTH 64         /* what one step of a sweep may take too much */
#define FOLLOWERS_WITHIN 4096 /* ids, and so rows that a search may read */

/* --- client_ids --- */

/* Only as we write them: else two texts were one number. */
static bool read_digits(const uint8_t *p, uint64_t *out)
{
	*out = 0;
	for (const uint8_t *end = p + NUMBER_CHARS; p < end; p++) {
		if (*p >= '0' && *p <= '9')
			*out = *out << 4 | (uint64_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			*out = *out << 4 | (uint64_t)(*p - 'a' + 10);
		else
			return false;
	}
	return true;
}

struct split {
	struct tacit_bytes series, digits;
	uint64_t number; /* 0: it has none */
	bool counts;
};

static struct split split(struct tacit_bytes id)
{
	struct split s = {.series = id, .digits = tacit_bytes("", 0)};
	uint64_t number;
	if (id.n >= NUMBER_CHARS && read_digits(id.p + id.n - NUMBER_CHARS, &number)) {
		s.series = tacit_bytes_part(id, 0, id.n - NUMBER_CHARS);
		s.digits = tacit_bytes_part(id, id.n - NUMBER_CHARS, NUMBER_CHARS);
		s.number = number;
		s.counts = true;
	}
	return s;
}

static struct tacit_bytes series_of(const struct sql_burst *b)
{
	return tacit_bytes(b->client_id, b->series_bytes);
}

static struct tacit_bytes digits_of(const struct sql_burst *b)
{
	return tacit_bytes(b->client_id + b->series_bytes, b->counts ? NUMBER_CHARS : 0);
}

/* Its number may still be below where the burst begins, or above what it has. */
static bool is_of(
        const struct sql_burst *b, int64_t conversation_id, int64_t user_id, const struct split *id)
{
	return b->length > 0 && b->conversation_id == conversation_id && b->user_id == user_id &&
	       b->counts == id->counts && tacit_bytes_eq(series_of(b), id->series);
}

/* --- what was sent before --- */

static enum tacit_err read_number(sqlite3_stmt *st, int column, uint64_t *out)
{
	struct tacit_bytes digits = sql_column(st, column);
	return digits.n == NUMBER_CHARS && read_digits(digits.p, out) ? TACIT_OK
	                                                              : TACIT_E_STORE_CORRUPT;
}

/* The place of a person's last series; whose it is now is_last tells. */
static struct sql_series *last_of(struct sqlite *s, int64_t conversation_id, int64_t user_id)
{
	return &s->last_series[sql_place(conversation_id, user_id, SQL_SERIES)];
}

static bool is_last(const struct sql_series *l, int64_t conversation_id, int64_t user_id,
        const struct split *id)
{
	return id->counts && l->conversation_id == conversation_id && l->user_id == user_id &&
	       tacit_bytes_eq(tacit_bytes(l->name, l->name_bytes), id->series);
}

static enum tacit_err find_end_of_free(struct sqlite *s, struct sql_series *l)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	bool row = false;
	char last[32];
	uint64_t end = UINT64_MAX;
	const int n = snprintf(last, sizeof(last), "%012" PRIx64, l->free_from - 1);
	TRY(sql_start(s, SQL_BURST_BEHIND,
	        ARGS(sql_int(l->conversation_id), sql_int(l->user_id),
	                sql_blob(l->name, l->name_bytes), sql_blob(last, (size_t)n)),
	        &st));
	TRY(sql_step(s, st, &row));
	if (row)
		TRY(read_number(st, 0, &end));
	l->free_to = end;
out:
	sql_done(&st);
	return err;
}

void sql_series_forget(struct sqlite *s)
{
	memset(s->last_series, 0, sizeof(s->last_series));
}

/* Another handle may have committed since the last transaction. */
static enum tacit_err look_around(struct sqlite *s)
{
	enum tacit_err err = TACIT_OK;
	int64_t version;
	if (s->series_current)
		goto out;
	TRY(sql_integer(s, SQL_DATA_VERSION, NO_ARGS, &version));
	if (version != s->series_version)
		sql_series_forget(s);
	s->series_version = version;
	s->series_current = true;
out:
	return err;
}

static enum tacit_err is_fresh(struct sqlite *s, int64_t conversation_id, int64_t user_id,
        const struct split *id, bool *fresh)
{
	enum tacit_err err;
	struct sql_series *l = last_of(s, conversation_id, user_id);
	*fresh = false;
	TRY(look_around(s));
	if (!is_last(l, conversation_id, user_id, id) || id->number < l->free_from)
		goto out;
	if (l->free_to == 0)
		TRY(find_end_of_free(s, l));
	*fresh = id->number < l->free_to;
out:
	return err;
}

static void note_said(struct sqlite *s, const struct store_message *m, const struct split *id)
{
	struct sql_series *l = last_of(s, m->conversation_id, m->user_id);
	if (!id->counts)
		return;
	if (!is_last(l, m->conversation_id, m->user_id, id) || id->number < l->free_from ||
	        id->number >= l->free_to) {
		*l = (struct sql_series){.conversation_id = m->conversation_id,
		        .user_id = m->user_id,
		        .name_bytes = id->series.n};
		memcpy(l->name, id->series.p, id->series.n);
	}
	l->free_from = id->number + 1;
}

/* Where a burst begins; a row of first_id, length, client_number. */
struct place {
	int64_t first_id, length;
	uint64_t number; /* 0 for the one without */
	bool counts;
};

static enum tacit_err read_place(sqlite3_stmt *st, struct place *out)
{
	*out = (struct place){.first_id = sqlite3_column_int64(st, 0),
	        .length = sqlite3_column_int64(st, 1),
	        .counts = sqlite3_column_bytes(st, 2) > 0};
	return out->counts ? read_number(st, 2, &out->number) : TACIT_OK;
}

/* number is not below where the burst begins. */
static bool has(const struct place *b, uint64_t number)
{
	return number - b->number < (uint64_t)b->length;
}

/* Of one that counts: the burst that has the number, among those that follow it. */
static enum tacit_err find_follower(struct sqlite *s, int64_t conversation_id, int64_t user_id,
        uint64_t number, struct place *at)
{
	enum tacit_err err = TACIT_OK;
	sqlite3_stmt *st = NULL;
	bool row = false;
	if (number - at->number >= FOLLOWERS_WITHIN + MAX_LENGTH)
		return TACIT_E_NOT_FOUND;
	TRY(sql_start(s, SQL_BURST_FOLLOWERS,
	        ARGS(sql_int(conversation_id), sql_int(user_id), sql_int(at->first_id),
	                sql_int(at->first_id + FOLLOWERS_WITHIN)),
	        &st));
	do {
		TRY(sql_step(s, st, &row));
		TRY(row && sqlite3_column_int(st, 3) ? TACIT_OK : TACIT_E_NOT_FOUND);
		TRY(read_place(st, at));
		TRY(number >= at->number ? TACIT_OK : TACIT_E_NOT_FOUND);
	} while (!has(at, number));
out:
	sql_done(&st);
	return err;
}

static enum tacit_err find_begin(struct sqlite *s, int64_t conversation_id, int64_t user_id,
        const struct split *id, struct place *at)
{
	enum tacit_err err;
	sqlite3_stmt *st = NULL;
	TRY(sql_first(s, SQL_BURST_UP_TO,
	        ARGS(sql_int(conversation_id), sql_int(user_id), sql_bytes(id->series),
	                sql_bytes(id->digits)),
	        &st));
	TRY(read_place(st, at));
	/* Else it is the one without a number, whose name is that of this series. */
	TRY(at->counts == id->counts ? TACIT_OK : TACIT_E_NOT_FOUND);
out:
	sql_done(&st);
	return err;
}

static enum tacit_err find_written(struct sqlite *s, int64_t conversation_id, int64_t user_id,
        const struct split *id, int64_t *message)
{
	enum tacit_err err;
	struct place at;
	TRY(find_begin(s, conversation_id, user_id, id, &at));
	if (!has(&at, id->number))
		TRY(find_follower(s, conversation_id, user_id, id->number, &at));
	*message = at.first_id + (int64_t)(id->number - at.number);
out:
	return err;
}

enum tacit_err sql_burst_find(struct sqlite *s, int64_t conversation_id, int64_t user_id,
        struct tacit_bytes client_id, int64_t *message)
{
	enum tacit_err err = TACIT_OK;
	const struct sql_burst *b = &s->pending.burst;
	const struct split id = split(client_id);
	bool fresh;
	if (is_of(b, conversation_id, user_id, &id) && id.number >= b->number &&
	        id.number - b->number < b->length) {
		*message = b->first_id + (int64_t)(id.number - b->number);
		goto out;
	}
	TRY(is_fresh(s, conversation_id, user_id, &id, &fresh));
	TRY(fresh ? TACIT_E_NOT_FOUND : find_written(s, conversation_id, user_id, &id, message));
out:
	return err;
}

/* --- what is being said --- */

enum tacit_err sql_burst_write(struct sqlite *s)
{
	enum tacit_err err = TACIT_OK;
	const struct sql_burst *b = &s->pending.burst;
	if (b->length == 0)
		goto out;
	TRY(sql_run(s, SQL_BURST_ADD,
	        ARGS(sql_int(b->conversation_id), sql_int(b->first_id), sql_int(b->length),
	                sql_int(b->user_id), sql_int(b->expires_at), sql_int(b->begins_epoch),
	                b->named && !b->follows ? sql_bytes(series_of(b)) : sql_id(0),
	                b->named ? sql_bytes(digits_of(b)) : sql_id(0))));
	s->pending.burst = (struct sql_burst){0};
out:
	return err;
}

static bool goes_on(
        const struct sql_burst *b, const struct store_message *m, struct tacit_bytes client_id)
{
	const struct split id = split(client_id);
	return is_of(b, m->conversation_id, m->user_id, &id) && b->length < MAX_LENGTH &&
	       b->first_id + b->length == m->id && b->expires_at == m->expires_at &&
	       b->begins_epoch == 0 && m->begins_epoch == 0 &&
	       (b->named ? id.counts && id.number == b->number + b->length : client_id.n == 0);
}

enum tacit_err sql_burst_open(
        struct sqlite *s, const struct store_message *m, struct tacit_bytes client_id)
{
	return goes_on(&s->pending.burst, m, client_id) ? TACIT_OK : sql_burst_write(s);
}

static bool follows(struct sqlite *s, const struct store_message *m, const struct split *id)
{
	const struct sql_series *l = last_of(s, m->conversation_id, m->user_id);
	return is_last(l, m->conversation_id, m->user_id, id) && id->number == l->free_from &&
	       l->begun > 0 && m->id < l->begun + FOLLOWERS_WITHIN && m->expires_at == 0;
}

void sql_burst_add(struct sqlite *s, const struct store_message *m, struct tacit_bytes client_id)
{
	struct sql_burst *b = &s->pending.burst;
	const struct split id = split(client_id);
	const bool on = follows(s, m, &id);
	note_said(s, m, &id);
	if (b->length++ > 0)
		return;
	b->follows = on;
	if (!on)
		last_of(s, m->conversation_id, m->user_id)->begun =
		        id.counts && m->expires_at == 0 ? m->id : 0;
	b->conversation_id = m->conversation_id;
	b->user_id = m->user_id;
	b->first_id = m->id;
	b->expires_at = m->expires_at;
	b->begins_epoch = m->begins_epoch;
	b->named = client_id.n > 0;
	b->counts = id.counts;
	b->number = id.number;
	b->series_bytes = id.series.n;
	if (client_id.n > 0)
		memcpy(b->client_id, client_id.p, client_id.n);
}
