/* sqlite_int.h - what the files of the SQLite backend share. Nobody else includes it but its tests.
 *
 * An operation is a scope (sql_enter ... sql_leave) of statements from the cache. Every row reader
 * resets its statement before it returns, so that no read transaction is left open by accident. */
#ifndef TACIT_SERVER_STORE_SQLITE_INT_H
#define TACIT_SERVER_STORE_SQLITE_INT_H

#include <sqlite3.h>

#include "server/store/spent.h"
#include "server/store/store.h"

enum sql {
#define STATEMENT(name, text) SQL_##name,
#include "server/store/statements.def"
#undef STATEMENT
	SQL_COUNT
};

/* A member as the batch found it: whoever sends sends again. */
#define SQL_MEMBERS 256
struct sql_member_row {
	uint64_t turn; /* of struct sqlite, when it was read; another: it may have changed */
	int64_t conversation_id, user_id, expires_at;
	struct store_member member;
};

/* What somebody says on end, and has no row yet: see sqlite_bursts.c. */
struct sql_burst {
	int64_t conversation_id, user_id, first_id, expires_at, begins_epoch;
	unsigned length;                          /* messages; 0: none is being said */
	bool named;                               /* the messages have client_ids, which ... */
	bool counts;                              /* ... end in a number: */
	uint64_t number;                          /* that of the first */
	uint8_t client_id[STORE_CLIENT_ID_CHARS]; /* of the first */
	size_t series_bytes;                      /* of that: all but the number */
	bool follows;                             /* see sqlite_bursts.c */
};

/* The series of client_ids that a person used last in a conversation: none of the numbers from
 * free_from up to below free_to is there, in a row or in memory. */
#define SQL_SERIES 256
struct sql_series {
	int64_t conversation_id; /* 0: none here */
	int64_t user_id;
	uint64_t free_from, free_to; /* free_to 0: nobody has looked */
	int64_t begun; /* first_id of the burst that a next one may follow; 0: of none */
	uint8_t name[STORE_CLIENT_ID_CHARS];
	size_t name_bytes;
};

/* What the transaction under way will tell the tables just before COMMIT, and memory keeps for it.
 */
struct sql_pending {
	struct sql_burst burst;
	int64_t added;        /* messages that the counter does not know of yet */
	int64_t last_message; /* the newest id, these included; 0: not read yet */
	size_t spent;         /* marks of signatures that have no row yet */
	bool swept;           /* rows of marks were deleted */
};

#define NOTHING_PENDING ((struct sql_pending){0})

struct sql_spent {         /* see sqlite_spent.c */
	struct spent *set; /* NULL: not read yet */
	int64_t version;   /* of the database, counting other handles' commits, when it was read */
	bool current;      /* this transaction has looked whether others have written */
	struct spent_mark *fresh;
	size_t room;        /* of fresh; it has pending.spent */
	int64_t expires_at; /* the latest of fresh */
};

struct sqlite {
	struct store base;
	sqlite3 *db;
	enum store_mode mode;
	int64_t now; /* the handle's clock: see store.h */
	bool in_batch;
	struct sql_pending pending, marked; /* marked: as it was when the mark was set */
	struct sql_spent spent;
	struct sql_series last_series[SQL_SERIES]; /* by hash; beyond transactions */
	int64_t series_version; /* of the database, counting other handles' commits */
	bool series_current;    /* this transaction has looked whether others have written */
	bool reading;           /* between read_begin and read_end */
	bool in_scope;          /* an operation outside of a batch has its transaction open */
	/* Something was destroyed: its traces in the WAL are to go. */
	enum { PURGE_NOT, PURGE_NOW, PURGE_LATER } purge;
	sqlite3_int64 warm_from, warm_to; /* of the WAL's file: what was asked for last */
	int wal_pages; /* of the WAL after the last commit; 0: nothing to copy that we know of */
	unsigned purge_wait;                 /* commits until the next attempt, for PURGE_LATER */
	enum tacit_err broken;               /* why SQLite rolled the batch back on its own */
	sqlite3_stmt *statements[SQL_COUNT]; /* prepared when first needed */
	struct sql_member_row members[SQL_MEMBERS]; /* by hash; of the batch under way */
	uint64_t members_turn; /* of what members know; 0: nobody has been read */
};

static inline struct sqlite *sqlite_of(struct store *s)
{
	return (struct sqlite *)s;
}

/* An error may have ended the transaction before read_end. */
static inline bool sql_is_reading(const struct sqlite *s)
{
	return s->reading && sqlite3_get_autocommit(s->db) == 0;
}

/* The handle's clock goes forward only. */
static inline void sql_time(struct sqlite *s, int64_t now)
{
	if (now > s->now)
		s->now = now;
}

/* Of a person in a conversation, in a table by hash: neighbours are far from one another. */
static inline size_t sql_place(int64_t conversation_id, int64_t user_id, size_t places)
{
	uint64_t mixed = ((uint64_t)conversation_id * 31 + (uint64_t)user_id) * 0x9e3779b97f4a7c15u;
	return (size_t)(mixed >> 32) % places;
}

struct sql_value {
	enum { SQL_INTEGER, SQL_TEXT, SQL_BLOB, SQL_NULL } type;
	int64_t integer;
	struct tacit_bytes bytes;
};

static inline struct sql_value sql_int(int64_t x)
{
	return (struct sql_value){.type = SQL_INTEGER, .integer = x};
}
/* 0 stands for "none" in store.h and is NULL in the tables. */
static inline struct sql_value sql_id(int64_t id)
{
	return (struct sql_value){.type = id == 0 ? SQL_NULL : SQL_INTEGER, .integer = id};
}
static inline struct sql_value sql_text(const char *s)
{
	return (struct sql_value){.type = SQL_TEXT, .bytes = tacit_cstr(s)};
}
static inline struct sql_value sql_blob(const void *p, size_t n)
{
	return (struct sql_value){.type = SQL_BLOB, .bytes = tacit_bytes(p, n)};
}
static inline struct sql_value sql_bytes(struct tacit_bytes b)
{
	return (struct sql_value){.type = SQL_BLOB, .bytes = b};
}
#define ARGS(...)                                                                                  \
	((const struct sql_value[]){__VA_ARGS__}),                                                 \
	        (sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value))
#define NO_ARGS ((const struct sql_value *)NULL), 0

/* --- scopes --- */
enum sql_access {
	SQL_READ,      /* one snapshot for several statements */
	SQL_WRITE,     /* several changes: all or none, also within a batch */
	SQL_WRITE_ONE, /* at most one statement that changes, which SQLite itself keeps atomic */
};
struct sql_scope {
	enum { SCOPE_NONE, SCOPE_NESTED, SCOPE_SAVEPOINT, SCOPE_TRANSACTION } kind;
	struct sql_pending before;
};
TACIT_MUST_USE enum tacit_err sql_enter(
        struct sqlite *s, enum sql_access access, struct sql_scope *scope);
/* Keeps the changes when err is OK, else drops them; returns err, or why they could not be kept. */
TACIT_MUST_USE enum tacit_err sql_leave(
        struct sqlite *s, const struct sql_scope *scope, enum tacit_err err);

/* --- statements --- */
/* Runs to the end. Unique constraints give EXISTS, foreign keys NOT_FOUND. */
TACIT_MUST_USE enum tacit_err sql_run(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count);
/* The same, and NOT_FOUND when no row was changed. */
TACIT_MUST_USE enum tacit_err sql_change(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count);
/* Binds; then sql_step for each row, *row false at the end, and sql_done in any case (NULL is
 * fine). sql_done gives *st back to the cache. */
TACIT_MUST_USE enum tacit_err sql_start(struct sqlite *s, enum sql id,
        const struct sql_value *values, size_t count, sqlite3_stmt **st);
TACIT_MUST_USE enum tacit_err sql_step(struct sqlite *s, sqlite3_stmt *st, bool *row);
void sql_done(sqlite3_stmt **st);
/* The first row, or NOT_FOUND. sql_done follows in any case. */
TACIT_MUST_USE enum tacit_err sql_first(struct sqlite *s, enum sql id,
        const struct sql_value *values, size_t count, sqlite3_stmt **st);
/* One integer of the first row, or NOT_FOUND. */
TACIT_MUST_USE enum tacit_err sql_integer(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count, int64_t *out);
/* The first column of the first row, appended, or NOT_FOUND. */
TACIT_MUST_USE enum tacit_err sql_buffer(struct sqlite *s, enum sql id,
        const struct sql_value *values, size_t count, struct tacit_buf *out);
/* An operation that is one changing statement; NOT_FOUND when no row was changed. */
TACIT_MUST_USE enum tacit_err sql_change_alone(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count);
/* Is there a row? */
TACIT_MUST_USE enum tacit_err sql_any(
        struct sqlite *s, enum sql id, const struct sql_value *values, size_t count, bool *any);

/* --- columns. What does not fit was not written by us: STORE_CORRUPT. --- */
struct tacit_bytes sql_column(sqlite3_stmt *st, int column); /* valid until the next step */
TACIT_MUST_USE enum tacit_err sql_column_text(sqlite3_stmt *st, int column, char *out, size_t room);
TACIT_MUST_USE enum tacit_err sql_column_blob(sqlite3_stmt *st, int column, void *out, size_t n);

/* What a result code of SQLite means to store.h; notes a batch that SQLite has rolled back. */
enum tacit_err sql_error(struct sqlite *s, int rc);

/* Commits, and what is to be done before and after it. When it fails, what is pending is pending
 * still. */
TACIT_MUST_USE enum tacit_err sql_commit(struct sqlite *s);

/* --- the write-ahead log (sqlite_wal.c) --- */
#define SQL_BUSY_MILLISECONDS                                                                      \
	5000 /* another process holds the write lock: an administrator's command */
/* The writer's, at opening, in place of what SQLite does by itself. SQLite's code. */
TACIT_MUST_USE int sql_keep_log(struct sqlite *s);
/* After every commit that kept changes. */
void sql_committed(struct sqlite *s);

/* As if nothing had been done since `before`, in memory. */
void sql_pending_back(struct sqlite *s, struct sql_pending before);

/* --- bursts of messages (sqlite_bursts.c) --- */
/* The id of the message of this conversation and user that has this client_id. NOT_FOUND. */
TACIT_MUST_USE enum tacit_err sql_burst_find(struct sqlite *s, int64_t conversation_id,
        int64_t user_id, struct tacit_bytes client_id, int64_t *message);
/* Before m's row is added, so that afterwards nothing can fail: sql_burst_add. */
TACIT_MUST_USE enum tacit_err sql_burst_open(
        struct sqlite *s, const struct store_message *m, struct tacit_bytes client_id);
void sql_burst_add(struct sqlite *s, const struct store_message *m, struct tacit_bytes client_id);
/* What is pending becomes a row, if there is any. */
TACIT_MUST_USE enum tacit_err sql_burst_write(struct sqlite *s);
/* When bursts are deleted, and when something is undone: deleted ones may be there again. */
void sql_series_forget(struct sqlite *s);

/* --- spent signatures --- */
/* Before COMMIT: fresh becomes a row, if there is any. */
TACIT_MUST_USE enum tacit_err sql_spent_write(struct sqlite *s);
/* After COMMIT. */
void sql_spent_kept(struct sqlite *s);
void sql_spent_back(struct sqlite *s, struct sql_pending before);
TACIT_MUST_USE enum tacit_err sql_spent_sweep(struct sqlite *s, int64_t now, struct store_sweep *w);
void sql_spent_close(struct sqlite *s);

/* --- across subjects --- */
/* Fails: NOT_FOUND for outsiders, GONE. member may be NULL. */
TACIT_MUST_USE enum tacit_err sql_member(
        struct sqlite *s, int64_t conversation_id, int64_t user_id, struct store_member *member);
/* Within a scope; out and existed as in store_ops.message_append. begins_epoch 0: no commit. */
TACIT_MUST_USE enum tacit_err sql_append_message(struct sqlite *s,
        const struct store_new_message *m, int64_t begins_epoch, struct store_message *out,
        bool *existed);
/* The message of m's conversation and user that has this client_id. Fails: NOT_FOUND. */
TACIT_MUST_USE enum tacit_err sql_earlier_message(
        struct sqlite *s, struct tacit_bytes client_id, struct store_message *m);
/* A row of MESSAGE_COLUMNS; the views live until the next step. */
TACIT_MUST_USE enum tacit_err sql_read_message(
        sqlite3_stmt *st, int64_t conversation_id, struct store_message *m);
/* Everything of a self-destructing one goes, a tombstone stays. */
TACIT_MUST_USE enum tacit_err sql_close_conversation(struct sqlite *s, int64_t conversation_id,
        void (*gone)(void *ctx, const char *file_id), void *ctx);
/* It ends now, by the handle's clock: claims that were only reserved go. */
TACIT_MUST_USE enum tacit_err sql_end_parcel(
        struct sqlite *s, const char *id, enum store_parcel_end why);
/* Brings the tables up to date (writer) or checks that they are (reader). */
TACIT_MUST_USE enum tacit_err sqlite_migrate(struct sqlite *s, char why[256]);
TACIT_MUST_USE enum tacit_err sqlite_open(
        const char *path, enum store_mode mode, char why[256], struct store **out);

#endif
