#include "server/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

#define BUFFER_BYTES (256 * 1024)
#define LINE_BYTES 1024
#define GATHER_MS 20 /* a thread that wakes for each line would cost more than the request itself  \
	              */

/* Two buffers: lines go into one while the thread writes the other. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_t thread;
	bool running, stopping;
	bool urgent; /* an event waits: not for more */
	enum log_format format;
	enum log_access_lines access;
	char *filling, *writing;
	size_t fill;
	uint64_t dropped;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static void write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t written = write(STDERR_FILENO, p, n);
		if (written <= 0)
			return; /* nobody reads: there is no place to complain to */
		p += written;
		n -= (size_t)written;
	}
}

static void report_dropped(uint64_t dropped)
{
	char text[80], line[LINE_BYTES];
	if (dropped == 0)
		return;
	(void)snprintf(text, sizeof(text), "%llu lines were dropped.", (unsigned long long)dropped);
	size_t n = log_format_event(
	        state.format, LOG_WARNING, "log-full", text, line, sizeof(line) - 1);
	line[n++] = '\n';
	write_all(line, n);
}

/* Under the lock: access lines wait a moment for others to be written with. */
static void gather(void)
{
	struct timespec until;
	int rc = 0;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += GATHER_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (rc == 0 && !state.urgent && !state.stopping && state.fill < BUFFER_BYTES / 2)
		rc = pthread_cond_timedwait(&state.filled, &state.lock, &until);
}

static void *write_lines(void *ctx)
{
	(void)ctx;
	(void)pthread_mutex_lock(&state.lock);
	for (;;) {
		while (state.fill == 0 && !state.stopping)
			(void)pthread_cond_wait(&state.filled, &state.lock);
		if (state.fill == 0)
			break;
		gather();
		char *full = state.filling;
		size_t n = state.fill;
		uint64_t dropped = state.dropped;
		state.filling = state.writing;
		state.writing = full;
		state.fill = 0;
		state.dropped = 0;
		state.urgent = false;
		(void)pthread_mutex_unlock(&state.lock);
		write_all(full, n);
		report_dropped(dropped);
		(void)pthread_mutex_lock(&state.lock);
	}
	(void)pthread_mutex_unlock(&state.lock);
	return NULL;
}

enum tacit_err log_start(enum log_format format, enum log_access_lines access)
{
	state.format = format;
	state.access = access;
	state.filling = tacit_alloc(BUFFER_BYTES);
	state.writing = tacit_alloc(BUFFER_BYTES);
	state.stopping = false;
	bool ready = state.filling != NULL && state.writing != NULL;
	if (ready && pthread_create(&state.thread, NULL, write_lines, NULL) == 0) {
		state.running = true;
		return TACIT_OK;
	}
	tacit_free(state.filling);
	tacit_free(state.writing);
	state.filling = state.writing = NULL;
	return ready ? TACIT_E_IO : TACIT_E_NOMEM;
}

void log_stop(void)
{
	if (!state.running)
		return;
	(void)pthread_mutex_lock(&state.lock);
	state.stopping = true;
	(void)pthread_cond_signal(&state.filled);
	(void)pthread_mutex_unlock(&state.lock);
	(void)pthread_join(state.thread, NULL);
	state.running = false;
	tacit_free(state.filling);
	tacit_free(state.writing);
	state.filling = state.writing = NULL;
}

enum haste { LINE_MAY_WAIT, LINE_AT_ONCE };

static void put_line(char *line, size_t n, enum haste haste)
{
	line[n++] = '\n';
	(void)pthread_mutex_lock(&state.lock);
	if (!state.running || state.stopping) {
		write_all(line, n);
	} else if (state.fill + n > BUFFER_BYTES) {
		state.dropped++;
	} else {
		bool below = state.fill < BUFFER_BYTES / 2;
		memcpy(state.filling + state.fill, line, n);
		state.fill += n;
		state.urgent |= haste == LINE_AT_ONCE;
		if (state.fill == n || haste == LINE_AT_ONCE ||
		        (below && state.fill >= BUFFER_BYTES / 2))
			(void)pthread_cond_signal(&state.filled);
	}
	(void)pthread_mutex_unlock(&state.lock);
}

static void now_text(char out[32])
{
	static _Thread_local char second[24]; /* kept: most lines of a second share it */
	static _Thread_local time_t of;
	struct timespec t;
	struct tm tm = {0};
	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (second[0] == '\0' || of != t.tv_sec) {
		(void)gmtime_r(&t.tv_sec, &tm);
		(void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
		of = t.tv_sec;
	}
	(void)snprintf(out, 32, "%s.%03uZ", second, (unsigned)(t.tv_nsec / 1000000) % 1000);
}

static const char *level_name(enum log_level level)
{
	return level == LOG_ERROR ? "error" : level == LOG_WARNING ? "warning" : "info";
}

static size_t at_most(int n, size_t room)
{
	return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

/* Text from our own sentences: quotes and controls are blunted rather than escaped. */
static void blunt(const char *text, char *out, size_t room)
{
	size_t n = 0;
	for (; *text != '\0' && n + 1 < room; text++) {
		unsigned char c = (unsigned char)*text;
		out[n++] = c < 0x20 || c == 0x7f ? ' ' : c == '"' || c == '\\' ? '\'' : (char)c;
	}
	out[n] = '\0';
}

size_t log_format_event(enum log_format format, enum log_level level, const char *event,
        const char *text, char *out, size_t room)
{
	char time[32], plain[LINE_BYTES / 2];
	now_text(time);
	blunt(text, plain, sizeof(plain));
	int n = snprintf(out, room,
	        format == LOG_JSON
	                ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"%s\"}"
	                : "%s %s %s: %s",
	        time, level_name(level), event, plain);
	return at_most(n, room);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char text[LINE_BYTES / 2], line[LINE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_line(line, log_format_event(state.format, level, event, text, line, sizeof(line) - 1),
	        LINE_AT_ONCE);
}

void log_short_address(const struct sockaddr_storage *peer, char out[LOG_ADDRESS_CHARS])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint8_t b[16] = {0};
	char text[INET6_ADDRSTRLEN];
	(void)snprintf(out, LOG_ADDRESS_CHARS, "-");
	if (peer == NULL)
		return;
	if (peer->ss_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, peer, sizeof(v4));
		memcpy(b, mapped, sizeof(mapped));
		memcpy(b + 12, &v4.sin_addr, 4);
	} else if (peer->ss_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, peer, sizeof(v6));
		memcpy(b, &v6.sin6_addr, 16);
	} else {
		return;
	}
	if (memcmp(b, mapped, sizeof(mapped)) == 0) {
		(void)snprintf(out, LOG_ADDRESS_CHARS, "%u.%u.%u.0/24", b[12], b[13], b[14]);
		return;
	}
	memset(b + 6, 0, 10);
	if (inet_ntop(AF_INET6, b, text, sizeof(text)) != NULL)
		(void)snprintf(out, LOG_ADDRESS_CHARS, "%.40s/48", text);
}

void log_access(const struct log_request *r)
{
	char time[32], address[LOG_ADDRESS_CHARS], line[LINE_BYTES];
	if (state.access == LOG_NO_ACCESS_LINES)
		return;
	now_text(time);
	log_short_address(r->peer, address);
	int n = snprintf(line, sizeof(line) - 1,
	        state.format == LOG_JSON ? "{\"time\":\"%s\",\"level\":\"info\",\"event\":"
	                                   "\"request\",\"method\":\"%s\","
	                                   "\"route\":\"%s\",\"status\":%d,\"bytes\":%llu,\"ms\":%"
	                                   "llu.%03u,\"from\":\"%s\"}"
	                                 : "%s info request: %s %s %d %llu bytes %llu.%03u ms from %s",
	        time, r->method, r->route, r->status, (unsigned long long)r->bytes,
	        (unsigned long long)r->microseconds / 1000, (unsigned)(r->microseconds % 1000),
	        address);
	put_line(line, at_most(n, sizeof(line) - 1), LINE_MAY_WAIT);
}
