/* limits.c - what the machine itself can do, to hold the server's figures against.
 *
 *   limits verify       Ed25519 verifications per second of processor time, libsodium alone
 *   limits seal         MB/s of tacit's file sealing, 64 KiB chunks, one core
 *   limits fsync DIR    appends of 256 bytes with one fdatasync each, per second
 *   limits commit DIR   SQLite transactions (WAL, synchronous=FULL) of one message each, per second
 *
 * Prints one number. Each runs about two seconds. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "e2e/file_stream.h"

#define RUN_SECONDS 2.0

#define VERIFIED_AT_ONCE 16 /* between two looks at the clock of processor time, a system call */

static double seconds_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Calls step until the time is over; steps per second. A negative step ends it with -1. */
static double rate_by(clockid_t clock, int (*step)(void *ctx), void *ctx)
{
	double start = seconds_of(clock), took;
	size_t n = 0;
	do {
		if (step(ctx) != 0)
			return -1;
		n++;
		took = seconds_of(clock) - start;
	} while (took < RUN_SECONDS);
	return (double)n / took;
}

static double rate(int (*step)(void *ctx), void *ctx)
{
	return rate_by(CLOCK_MONOTONIC, step, ctx);
}

struct verify {
	struct tacit_sign_public pk;
	struct tacit_signature sig;
	uint8_t digest[32];
};

static int verify_step(void *ctx)
{
	struct verify *v = ctx;
	for (int i = 0; i < VERIFIED_AT_ONCE; i++)
		if (tacit_sign_verify(&v->pk, tacit_bytes(v->digest, sizeof(v->digest)), &v->sig) !=
		        TACIT_OK)
			return -1;
	return 0;
}

static double verify_rate(void)
{
	struct verify v;
	struct tacit_sign_sk sk;
	uint8_t seed[TACIT_SIGN_SEED_BYTES];
	tacit_random(seed, sizeof(seed));
	tacit_random(v.digest, sizeof(v.digest));
	tacit_sign_keypair(seed, &sk, &v.pk);
	tacit_sign(&sk, tacit_bytes(v.digest, sizeof(v.digest)), &v.sig);
	double steps = rate_by(CLOCK_PROCESS_CPUTIME_ID, verify_step, &v);
	return steps < 0 ? steps : steps * VERIFIED_AT_ONCE;
}

struct seal {
	struct tacit_file_stream *stream;
	uint64_t index;
	uint8_t chunk[TACIT_FILE_CHUNK_BYTES + 16];
};

static int seal_step(void *ctx)
{
	struct seal *s = ctx;
	return tacit_file_seal_chunk(s->stream, s->index++, TACIT_CHUNK_MIDDLE,
	               tacit_bytes(s->chunk, TACIT_FILE_CHUNK_BYTES), s->chunk) != TACIT_OK;
}

static double seal_rate(void)
{
	struct tacit_env env = tacit_system_env();
	uint8_t key[TACIT_FILE_KEY_BYTES], header[TACIT_FILE_HEADER_BYTES];
	struct seal *s = calloc(1, sizeof(*s));
	double result = -1;
	tacit_random(key, sizeof(key));
	if (s != NULL && tacit_file_stream_create(key, &env, header, &s->stream) == TACIT_OK)
		result = rate(seal_step, s) * TACIT_FILE_CHUNK_BYTES / 1e6;
	if (s != NULL)
		tacit_file_stream_free(s->stream);
	free(s);
	return result;
}

static int fsync_step(void *ctx)
{
	uint8_t message[256] = {0};
	int fd = *(int *)ctx;
	return write(fd, message, sizeof(message)) != sizeof(message) || fdatasync(fd) != 0;
}

static double fsync_rate(const char *folder)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/limits.fsync", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	double result = fd >= 0 ? rate(fsync_step, &fd) : -1;
	if (fd >= 0)
		close(fd);
	unlink(path);
	return result;
}

static int commit_step(void *ctx)
{
	sqlite3_stmt *insert = ctx;
	return sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK;
}

static double commit_rate(const char *folder)
{
	char path[4096], side[4200];
	sqlite3 *db = NULL;
	sqlite3_stmt *insert = NULL;
	double result = -1;
	snprintf(path, sizeof(path), "%s/limits.db", folder);
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	        sqlite3_exec(db,
	                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	                "CREATE TABLE m(id INTEGER PRIMARY KEY, content BLOB)",
	                NULL, NULL, NULL) == SQLITE_OK &&
	        sqlite3_prepare_v2(db, "INSERT INTO m(content) VALUES (zeroblob(256))", -1, &insert,
	                NULL) == SQLITE_OK)
		result = rate(commit_step, insert);
	sqlite3_finalize(insert);
	sqlite3_close(db);
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		snprintf(side, sizeof(side), "%s%s", path, ends[i]);
		unlink(side);
	}
	return result;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *folder = argc > 2 ? argv[2] : ".";
	double result;
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	if (strcmp(what, "verify") == 0)
		result = verify_rate();
	else if (strcmp(what, "seal") == 0)
		result = seal_rate();
	else if (strcmp(what, "fsync") == 0)
		result = fsync_rate(folder);
	else if (strcmp(what, "commit") == 0)
		result = commit_rate(folder);
	else {
		fprintf(stderr, "usage: limits verify|seal|fsync DIR|commit DIR\n");
		return 2;
	}
	printf("%.1f\n", result);
	return result < 0;
}
