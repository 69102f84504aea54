/* log.h - one line for each event, as JSON or text, to standard error.
 *
 * A thread of its own writes, so that nobody waits for a slow terminal or pipe: when the buffer is
 * full, lines are dropped and their number is logged. Never bodies, names, tokens or queries;
 * addresses only shortened. Any thread may log. */
#ifndef TACIT_SERVER_LOG_H
#define TACIT_SERVER_LOG_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

enum log_format { LOG_TEXT, LOG_JSON };
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

/* Before that, and after log_stop, lines are written directly. access: whether log_access does
 * anything. Fails: NOMEM, IO. */
enum log_access_lines { LOG_NO_ACCESS_LINES, LOG_ACCESS_LINES };
TACIT_MUST_USE enum tacit_err log_start(enum log_format format, enum log_access_lines access);
void log_stop(void);

/* event: a short word ("started"); the text is a sentence for the operator. */
void log_event(enum log_level level, const char *event, const char *format, ...) TACIT_PRINTF(3, 4);

struct log_request {
	const char *method, *route; /* the pattern, never the path itself */
	int status;
	uint64_t bytes, microseconds;
	const struct sockaddr_storage *peer; /* may be NULL */
};
void log_access(const struct log_request *r);

#define LOG_ADDRESS_CHARS 48
/* "192.0.2.0/24", "2001:db8:1::/48", or "-". */
void log_short_address(const struct sockaddr_storage *peer, char out[LOG_ADDRESS_CHARS]);

/* Lines are what log_format says; for tests. Without line feed. */
size_t log_format_event(enum log_format format, enum log_level level, const char *event,
        const char *text, char *out, size_t room);
size_t log_format_access(
        enum log_format format, const struct log_request *r, char *out, size_t room);

#endif
