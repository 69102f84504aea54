/* transfer_server.h - an HTTP server for one test: one upload, one file, and faults on demand. */
#ifndef TACIT_TESTS_TRANSFER_SERVER_H
#define TACIT_TESTS_TRANSFER_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_MAX_FILE (4 * 1024 * 1024)

struct peer {
	pthread_t thread;
	int listener;
	unsigned port;
	pthread_mutex_t mutex; /* around everything below */
	uint8_t file[PEER_MAX_FILE];
	size_t size, expected; /* what it has; what was announced */
	bool exists;
	unsigned created, patches, gets, deleted;
	/* Faults; each is undone when it has happened. */
	size_t cut_body_at;   /* an upload's connection is cut after so many bytes */
	size_t cut_answer_at; /* a download's */
	bool forget;          /* the upload is gone: 404 */
	bool lie_about_hash;  /* stays on */
	bool ignore_range;    /* stays on */
};

void peer_start(struct peer *p);
/* What was said on connections that have ended is taken or cut by then. */
void peer_settle(const struct peer *p);
void peer_stop(struct peer *p);

#endif
