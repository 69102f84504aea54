/* The write-ahead log: when it is copied into the database, how its file grows, and how what was
 * destroyed leaves it.
 *
 * Copying: in the writer's thread, behind a commit's answers, when nothing else waits; under load
 * when the log has grown further, and by whoever commits and never settles when it is long. A copy
 * costs page writes and the syncs of two files, for which whatever comes meanwhile waits: so it is
 * rare, and pages that every commit rewrites are copied once for many. What bounds the log is that
 * one stall (some milliseconds on an SSD), what a start after a crash has to read of it (some tens
 * of milliseconds), and that readers look for each page in it: up to 4,062 frames are one block of
 * its index. The checkpoint is passive: it waits for no reader; what a reader still needs is copied
 * the next time. A checkpoint that fails leaves the commits as they are.
 *
 * Growing: a commit beyond the end of the file changes its size, and then its sync waits for the
 * file system's metadata, too. So the file is kept longer than the log, by zeros in which no reader
 * of a log sees a frame (their salt is wrong, and page 0 is none). They need no sync of their own:
 * until the next commit's has made them last, they are worth nothing to anybody. But what is not on
 * the disk by then, that sync has to write: so the disk is given them at once, and a growth is
 * small, since whatever comes meanwhile waits for it.
 *
 * Warming: the log is written over from its start after each copy, and its frames do not end where
 * pages of memory do. A page of the file that memory has been taken from since has to be read
 * before a part of it is written, and a commit has five: so they are asked for ahead, behind the
 * answers.
 */
#define _GNU_SOURCE /* sync_file_range */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/store/sqlite_int.h"
#include "server/store/sqlite_slots.h"

#define PURGE_EVERY 64        /* commits between two attempts to empty the log */
#define PURGE_MILLISECONDS 20 /* readers are that patiently waited for; requests take less */

/* Pages of the log from which on it is copied. */
#define IDLE_PAGES 4000
#define BUSY_PAGES 6000
#define LONG_PAGES 8000

/* https://sqlite.org/fileformat2.html#walformat */
#define HEADER_BYTES 32
#define FRAME_BYTES (24 + 4096)

#define MARGIN_BYTES ((sqlite3_int64)64 * 1024)       /* beyond the log: a batch of messages */
#define GROWTH_MIN_BYTES ((sqlite3_int64)256 * 1024)  /* else as much again as there is, but ... */
#define GROWTH_MAX_BYTES ((sqlite3_int64)1024 * 1024) /* ... it is to take half a millisecond */
#define WARM_BYTES (4 * MARGIN_BYTES)                 /* asked for at once */
#define DISK_FACTOR 256                               /* so much of the growth has to be free */
#define MAX_BYTES (HEADER_BYTES + (sqlite3_int64)LONG_PAGES * FRAME_BYTES)

/* --- purging --- */

/* Empties the log, so that what was destroyed is not left behind in it. It gives way to readers:
 * then a later commit tries again. */
static void purge(struct sqlite *s)
{
	if (s->purge == PURGE_NOT || (s->purge == PURGE_LATER && --s->purge_wait > 0))
		return;
	sqlite3_busy_timeout(s->db, PURGE_MILLISECONDS);
	int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(s->db, SQL_BUSY_MILLISECONDS);
	s->purge = rc == SQLITE_OK ? PURGE_NOT : PURGE_LATER;
	s->purge_wait = PURGE_EVERY;
	if (rc == SQLITE_OK)
		s->wal_pages = 0;
	else
		store_tell_deadline(&s->base, s->now + 1);
}

/* --- copying --- */

/* Where one core has to do both, what the commit has released goes out first. */
static void give_way(void)
{
	(void)sched_yield();
}

static void copy(struct sqlite *s, int from)
{
	if (s->wal_pages < from)
		return;
	give_way();
	s->wal_pages = 0; /* the next commit tells what is left */
	(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void sql_committed(struct sqlite *s)
{
	copy(s, LONG_PAGES);
	purge(s);
}

/* --- the file --- */

/* Where the next commit writes. */
static sqlite3_int64 end_of(const struct sqlite *s)
{
	return HEADER_BYTES + (sqlite3_int64)s->wal_pages * FRAME_BYTES;
}

/* Beside SQLite's own descriptor, for what it does not offer. Opening and closing the log drops no
 * lock: SQLite's are on the two other files. */
static int open_log(const struct sqlite *s)
{
	const char *path = sqlite3_filename_wal(sqlite3_db_filename(s->db, "main"));
	return open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- growing --- */

static bool is_short(const struct sqlite *s, sqlite3_file *log, sqlite3_int64 *bytes)
{
	return s->wal_pages > 0 && log->pMethods->xFileSize(log, bytes) == SQLITE_OK &&
	       *bytes < MAX_BYTES && *bytes < end_of(s) + MARGIN_BYTES;
}

static sqlite3_int64 growth_at(sqlite3_int64 bytes)
{
	return bytes < GROWTH_MIN_BYTES   ? GROWTH_MIN_BYTES
	       : bytes > GROWTH_MAX_BYTES ? GROWTH_MAX_BYTES
	                                  : bytes;
}

/* What others will need is not taken for this. */
static bool is_disk_wide(const struct sqlite *s, sqlite3_int64 growth)
{
	struct statvfs disk;
	return statvfs(sqlite3_db_filename(s->db, "main"), &disk) == 0 &&
	       disk.f_bavail >= DISK_FACTOR * (uint64_t)growth / disk.f_frsize;
}

/* Starts what the next commit's sync had to do otherwise; when it fails, that does it. */
static void begin_writing(const struct sqlite *s, sqlite3_int64 at, sqlite3_int64 bytes)
{
	int fd = open_log(s);
	if (fd < 0)
		return;
	(void)sync_file_range(fd, at, bytes, SYNC_FILE_RANGE_WRITE);
	close(fd);
}

static void append_zeros(const struct sqlite *s, sqlite3_file *log, sqlite3_int64 at)
{
	static uint8_t zeros[64 * 1024]; /* not const: pages that are in no file take no memory */
	const int piece = (int)sizeof(zeros);
	const sqlite3_int64 bytes = growth_at(at), end = at + bytes;
	int rc = SQLITE_OK; /* a full disk is told by the commit that finds no room */
	for (sqlite3_int64 next = at; rc == SQLITE_OK && next < end; next += piece)
		rc = log->pMethods->xWrite(log, zeros, piece, next);
	if (rc == SQLITE_OK)
		begin_writing(s, at, bytes);
}

/* Under the write lock: else another process's frame could stand where we write. Who holds it now
 * is not waited for. */
static void grow(struct sqlite *s)
{
	sqlite3_int64 bytes;
	sqlite3_file *log = NULL;
	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
	        log == NULL || log->pMethods == NULL || !is_short(s, log, &bytes) ||
	        !is_disk_wide(s, growth_at(bytes)))
		return;
	give_way();
	sqlite3_busy_timeout(s->db, 0);
	enum tacit_err err = sql_run(s, SQL_BEGIN_WRITE, NO_ARGS);
	sqlite3_busy_timeout(s->db, SQL_BUSY_MILLISECONDS);
	if (err != TACIT_OK)
		return;
	if (is_short(s, log, &bytes))
		append_zeros(s, log, bytes);
	tacit_ignore(sql_run(s, SQL_ROLLBACK, NO_ARGS), "nothing was changed");
}

/* --- warming --- */

static void warm(struct sqlite *s)
{
	const sqlite3_int64 end = end_of(s);
	if (end >= s->warm_from && end + MARGIN_BYTES <= s->warm_to)
		return;
	int fd = open_log(s);
	if (fd < 0)
		return;
	(void)posix_fadvise(fd, end, WARM_BYTES, POSIX_FADV_WILLNEED);
	close(fd);
	s->warm_from = end;
	s->warm_to = end + WARM_BYTES;
}

void sqlite_settle(struct store *store, bool idle)
{
	struct sqlite *s = sqlite_of(store);
	if (s->mode != STORE_WRITER || s->in_batch || s->in_scope)
		return;
	copy(s, idle ? IDLE_PAGES : BUSY_PAGES);
	grow(s);
	warm(s);
}

/* --- opening --- */

static int note_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sqlite *s = ctx;
	(void)db;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

int sql_keep_log(struct sqlite *s)
{
	char limit[64];
	snprintf(limit, sizeof(limit), "PRAGMA journal_size_limit = %lld;", (long long)MAX_BYTES);
	sqlite3_wal_hook(s->db, note_pages, s);
	return sqlite3_exec(s->db, limit, NULL, NULL, NULL);
}
