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
/* A thread that wakes for each line would cost more than the request itself. */
#define GATHER_MS 20

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

/* Text in a room; what does not fit is left out. */
struct text {
	char *at, *end;
};

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s), room = (size_t)(t->end - t->at);
	n = n < room ? n : room;
	memcpy(t->at, s, n);
	t->at += n;
}

static void put_number(struct text *t, uint64_t x, unsigned least_digits)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;
	digits[at] = '\0';
	for (; x > 0 || sizeof(digits) - 1 - at < least_digits; x /= 10)
		digits[--at] = (char)('0' + x % 10);
	put(t, digits + at);
}

#define TIME_CHARS 32
static void now_text(char out[TIME_CHARS])
{
	static _Thread_local char second[24]; /* kept: most lines of a second share it */
	static _Thread_local time_t of;
	struct timespec t;
	struct tm tm = {0};
	struct text text = {out, out + TIME_CHARS - 1};
	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (second[0] == '\0' || of != t.tv_sec) {
		(void)gmtime_r(&t.tv_sec, &tm);
		(void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S.", &tm);
		of = t.tv_sec;
	}
	put(&text, second);
	put_number(&text, (uint64_t)(t.tv_nsec / 1000000), 3);
	put(&text, "Z");
	*text.at = '\0';
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
	char time[TIME_CHARS], plain[LINE_BYTES / 2];
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
	memcpy(out, "-", 2);
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
		struct text t = {out, out + LOG_ADDRESS_CHARS - 1};
		for (size_t i = 12; i < 15; i++) {
			put_number(&t, b[i], 1);
			put(&t, ".");
		}
		put(&t, "0/24");
		*t.at = '\0';
		return;
	}
	memset(b + 6, 0, 10);
	if (inet_ntop(AF_INET6, b, text, sizeof(text)) != NULL)
		(void)snprintf(out, LOG_ADDRESS_CHARS, "%.40s/48", text);
}

size_t log_format_access(
        enum log_format format, const struct log_request *r, char *out, size_t room)
{
	static const char *const before[][8] = {
	        [LOG_TEXT] = {"", " info request: ", " ", " ", " ", " bytes ", " ms from ", ""},
	        [LOG_JSON] = {"{\"time\":\"",
	                "\",\"level\":\"info\",\"event\":\"request\",\"method\":\"",
	                "\",\"route\":\"",
	                "\",\"status\":", ",\"bytes\":", ",\"ms\":", ",\"from\":\"", "\"}"}};
	char time[TIME_CHARS], address[LOG_ADDRESS_CHARS];
	struct text t = {out, out + room - 1};
	const char *const *next = before[format];
	now_text(time);
	log_short_address(r->peer, address);
	put(&t, *next++);
	put(&t, time);
	put(&t, *next++);
	put(&t, r->method);
	put(&t, *next++);
	put(&t, r->route);
	put(&t, *next++);
	put_number(&t, (uint64_t)r->status, 1);
	put(&t, *next++);
	put_number(&t, r->bytes, 1);
	put(&t, *next++);
	put_number(&t, r->microseconds / 1000, 1);
	put(&t, ".");
	put_number(&t, r->microseconds % 1000, 3);
	put(&t, *next++);
	put(&t, address);
	put(&t, *next);
	*t.at = '\0';
	return (size_t)(t.at - out);
}

void log_access(const struct log_request *r)
{
	char line[LINE_BYTES];
	if (state.access == LOG_NO_ACCESS_LINES)
		return;
	put_line(line, log_format_access(state.format, r, line, sizeof(line) - 1), LINE_MAY_WAIT);
}
