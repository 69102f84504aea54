/* live.c - people on WebSockets against tacitd, or another server of the same Socket.IO events.
 *
 *   live MODE PORT PID PEOPLE [NAME=NUMBER ...]
 *
 * PEOPLE: a file with a line for each, session token and room (people.c). All connect and join;
 * then MODE:
 *   full   each room's first `senders` keep `window` messages under way, each until its own copy is
 *          back: deliveries per second of the server's core
 *   acks   the same, until the acknowledgement is there
 *   rate   `rate` messages a second over all rooms: how long deliveries take, until they are at
 *          the receiver's socket
 *   idle   says "ready", answers pings until standard input ends
 * NAMEs: seconds=5 sockets=1 (of each person) senders=2 window=16 rate=200 bytes=256 tls=0 and
 * scattered=0 (1: client_ids in no order, as version 4 of RFC 9562 has them).
 * PID's processor time, by thread, is read around the measured part. Prints a line of JSON. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define AT_ONCE 200          /* connections that are being made */
#define CONNECT_SECONDS 1200 /* for all of them; an emulated machine takes half of it under TLS */
#define WARM_UP_NS 1000000000
#define LATENCY_STEPS 1000000 /* of a microsecond */
#define LOOK_NS 300000
#define MAX_THREADS 64
#define STAMP_CHARS 16

enum mode { FULL, ACKS, RATE, IDLE };

struct options {
	long seconds, sockets, senders, window, rate, bytes, tls, scattered;
};

struct thread_time {
	char name[20];
	unsigned long ticks;
};

struct sample {
	int64_t at;
	uint64_t deliveries, acks;
	struct thread_time threads[MAX_THREADS];
	size_t thread_count;
};

struct load {
	struct client_host host;
	enum mode mode;
	struct options options;
	const char *pid;
	struct client *clients;
	size_t count, started, ready;
	struct client **senders;
	size_t sender_count, next_sender;
	uint64_t deliveries, acks, errors;
	uint64_t first_number; /* of client_ids: those of another run would be retries */
	long series;           /* of client_ids, of this run */
	bool ending;
	uint32_t *latencies;
	struct sample before, joined; /* all have connected in between */
	char *filler;
};

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- what they say and hear --- */

/* The client_ids count, as those of tacit's clients do (core/engine/outbox.c). */
static void say_message(struct load *l, struct client *c)
{
	char text[4096];
	long series = l->options.scattered ? random() : l->series;
	int n = snprintf(text, sizeof(text),
	        "421[\"send_message\",{\"room_id\":%" PRId64 ",\"encrypted_content\":\"%016" PRIx64
	        "%s\",\"client_id\":\"%08x-%04lx-8%03lx-8000-%012" PRIx64 "\"}]",
	        c->room, (uint64_t)client_now_ns(), l->filler, c->number, series >> 12 & 0xffff,
	        series & 0xfff, l->first_number + c->said++);
	client_say(c, tacit_bytes(text, (size_t)n));
}

static bool begins(struct tacit_bytes b, const char *with, size_t n)
{
	return b.n >= n && memcmp(b.p, with, n) == 0;
}
#define BEGINS(b, with) begins(b, with, sizeof(with) - 1)

static const char *find(struct tacit_bytes b, const char *name)
{
	const char *at = memmem(b.p, b.n, name, strlen(name));
	return at != NULL ? at + strlen(name) : NULL;
}

static bool is_own(const struct client *c, struct tacit_bytes text)
{
	const char *id = find(text, "\"client_id\":\"");
	return id != NULL && strtoul(id, NULL, 16) == c->number;
}

static void note_latency(struct load *l, const struct client *c, struct tacit_bytes text)
{
	char stamp[STAMP_CHARS + 1] = "";
	const char *at = find(text, "\"encrypted_content\":\"");
	if (at == NULL)
		client_die("a message without content", (const char *)text.p);
	memcpy(stamp, at, STAMP_CHARS);
	int64_t took = (c->arrived_ns - (int64_t)strtoull(stamp, NULL, 16)) / 1000;
	l->latencies[took < 0 ? 0 : took < LATENCY_STEPS ? took : LATENCY_STEPS - 1]++;
}

static bool is_sender(const struct load *l, const struct client *c)
{
	size_t in_room = 0; /* rooms' people stand one after another */
	for (const struct client *b = c; b > l->clients && b[-1].room == c->room; b--)
		if (++in_room >= (size_t)l->options.senders)
			return false;
	return true;
}

static void on_text(void *ctx, struct client *c, struct tacit_bytes text)
{
	struct load *l = ctx;
	if (BEGINS(text, "42[\"new_message\",")) {
		l->deliveries++;
		if (l->mode == RATE)
			note_latency(l, c, text);
		else if (l->mode == FULL && !l->ending && is_sender(l, c) && is_own(c, text))
			say_message(l, c);
	} else if (BEGINS(text, "431[")) {
		l->acks++;
		if (find(text, "\"error\"") != NULL && l->errors++ == 0)
			fprintf(stderr, "live: %.*s\n", (int)text.n, (const char *)text.p);
		else if (l->mode == ACKS && !l->ending)
			say_message(l, c);
	} else if (BEGINS(text, "42[\"error\",") && l->errors++ == 0) {
		fprintf(stderr, "live: %.*s\n", (int)text.n, (const char *)text.p);
	}
}

static void on_ready(void *ctx, struct client *c)
{
	struct load *l = ctx;
	(void)c;
	l->ready++;
}

/* --- the server's time --- */

static void read_thread(const char *path, struct sample *s)
{
	char line[512];
	FILE *f = fopen(path, "r");
	if (f == NULL || s->thread_count == MAX_THREADS)
		client_die("threads of the server", path);
	size_t n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = 0;
	char *open = strchr(line, '('), *close = strrchr(line, ')');
	if (open == NULL || close == NULL)
		client_die("threads of the server", line);
	*close = 0;
	struct thread_time *t = &s->threads[s->thread_count++];
	snprintf(t->name, sizeof(t->name), "%s", open + 1);
	char *at = close + 1;
	unsigned long user, system; /* fields 14 and 15, proc(5) */
	for (int field = 2; field < 13; field++)
		at = strchr(at + 1, ' ');
	if (sscanf(at, "%lu %lu", &user, &system) != 2)
		client_die("threads of the server", at);
	t->ticks = user + system;
}

static void take_sample(const struct load *l, struct sample *s)
{
	char path[300];
	*s = (struct sample){.deliveries = l->deliveries, .acks = l->acks};
	snprintf(path, sizeof(path), "/proc/%s/task", l->pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task/%s/stat", l->pid, e->d_name);
		read_thread(path, s);
	}
	if (d != NULL)
		closedir(d);
	s->at = now_ns();
}

/* --- the run --- */

static void turn(struct load *l, int wait_ms)
{
	struct epoll_event ready[256];
	int n = epoll_wait(l->host.poll, ready, 256, wait_ms);
	for (int i = 0; i < n; i++)
		if (ready[i].data.ptr != NULL)
			client_turn(&l->host, ready[i].data.ptr, ready[i].events);
}

static void connect_all(struct load *l)
{
	int64_t until = now_ns() + (int64_t)CONNECT_SECONDS * 1000000000;
	while (l->ready < l->count && now_ns() < until) {
		while (l->started < l->count && l->started - l->ready < AT_ONCE)
			client_start(&l->host, &l->clients[l->started++]);
		turn(l, 1000);
	}
	if (l->ready < l->count)
		client_die("time is up", "while connecting");
	for (size_t i = 0; i < l->count; i++)
		if (is_sender(l, &l->clients[i]))
			l->senders[l->sender_count++] = &l->clients[i];
}

static void run_for(struct load *l, int64_t ns)
{
	for (int64_t until = now_ns() + ns; now_ns() < until;)
		turn(l, 10);
}

static void begin_windows(struct load *l)
{
	for (size_t i = 0; i < l->sender_count; i++) {
		for (long n = 0; n < l->options.window; n++)
			say_message(l, l->senders[i]);
		client_flush(&l->host, l->senders[i]);
	}
}

/* Evenly. People are elsewhere: no server pays for waking them, and none waits for one thread that
 * reads for all. So it looks every LOOK_NS; when something came, the kernel has noted. */
static void run_at_rate(struct load *l, int64_t ns)
{
	int64_t began = now_ns(), until = began + ns;
	int64_t sent = 0;
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	for (int64_t now; (now = now_ns()) < until;) {
		int64_t due = (now - began) * l->options.rate / 1000000000;
		for (; sent < due; sent++) {
			struct client *c = l->senders[l->next_sender++ % l->sender_count];
			say_message(l, c);
			client_flush(&l->host, c);
		}
		turn(l, 0);
		nanosleep(&pause, NULL);
	}
}

static void go_idle(struct load *l)
{
	char c;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	if (epoll_ctl(l->host.poll, EPOLL_CTL_ADD, 0, &ev) != 0)
		client_die("standard input", strerror(errno));
	printf("ready\n");
	fflush(stdout);
	struct epoll_event ready[256];
	for (bool told = false; !told;) {
		int n = epoll_wait(l->host.poll, ready, 256, -1);
		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr != NULL)
				client_turn(&l->host, ready[i].data.ptr, ready[i].events);
			else
				told = read(0, &c, 1) <= 0;
		}
	}
}

static double latency(const struct load *l, double part)
{
	uint64_t all = 0, seen = 0;
	for (size_t i = 0; i < LATENCY_STEPS; i++)
		all += l->latencies[i];
	for (size_t i = 0; i < LATENCY_STEPS; i++)
		if ((seen += l->latencies[i]) > 0 && (double)seen >= part * (double)all)
			return (double)i / 1000;
	return 0;
}

/* Processor seconds of all threads of that name (NULL: of all) between the two. */
static double time_of(const struct sample *a, const struct sample *b, const char *name)
{
	unsigned long ticks = 0;
	for (size_t i = 0; i < b->thread_count; i++)
		if (name == NULL || strcmp(b->threads[i].name, name) == 0)
			ticks += b->threads[i].ticks;
	for (size_t i = 0; i < a->thread_count; i++)
		if (name == NULL || strcmp(a->threads[i].name, name) == 0)
			ticks -= a->threads[i].ticks;
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static void print_result(const struct load *l, const struct sample *a, const struct sample *b)
{
	printf("{\"join_seconds\": %.3f, \"join_cpu\": %.2f, \"seconds\": %.3f, \"cpu\": %.2f, "
	       "\"loop_cpu\": %.2f, \"writer_cpu\": %.2f, ",
	        (double)(l->joined.at - l->before.at) / 1e9, time_of(&l->before, &l->joined, NULL),
	        (double)(b->at - a->at) / 1e9, time_of(a, b, NULL), time_of(a, b, "loop"),
	        time_of(a, b, "writer"));
	printf("\"deliveries\": %" PRIu64 ", \"acks\": %" PRIu64 ", \"errors\": %" PRIu64
	       ", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f}\n",
	        b->deliveries - a->deliveries, b->acks - a->acks, l->errors, latency(l, 0.5),
	        latency(l, 0.99), latency(l, 0.999));
}

static void measure(struct load *l)
{
	struct sample a, b;
	int64_t ns = (int64_t)l->options.seconds * 1000000000;
	if (l->mode == RATE) {
		run_at_rate(l, WARM_UP_NS);
		memset(l->latencies, 0, LATENCY_STEPS * sizeof(*l->latencies));
	} else {
		begin_windows(l);
		run_for(l, WARM_UP_NS);
	}
	take_sample(l, &a);
	if (l->mode == RATE)
		run_at_rate(l, ns);
	else
		run_for(l, ns);
	take_sample(l, &b);
	l->ending = true;
	run_for(l, WARM_UP_NS / 2);
	print_result(l, &a, &b);
}

/* --- set-up --- */

static void read_people(struct load *l, const char *path)
{
	char line[200], *token, *room;
	size_t cap = 0;
	FILE *f = fopen(path, "r");
	if (f == NULL)
		client_die(path, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		room = strchr(line, ' ');
		token = strndup(line, room != NULL ? (size_t)(room - line) : 0);
		for (long i = 0; i < l->options.sockets; i++) {
			if (l->count == cap)
				l->clients = realloc(
				        l->clients, (cap = cap * 2 + 1024) * sizeof(*l->clients));
			if (l->clients == NULL || room == NULL || token == NULL)
				client_die("people", line);
			l->clients[l->count] = (struct client){.number = (uint32_t)l->count,
			        .token = token,
			        .room = strtoll(room, NULL, 10)};
			l->count++;
		}
	}
	fclose(f);
}

static void read_options(struct options *o, char **words)
{
	const struct {
		const char *name;
		long *value;
	} all[] = {{"seconds", &o->seconds}, {"sockets", &o->sockets}, {"senders", &o->senders},
	        {"window", &o->window}, {"rate", &o->rate}, {"bytes", &o->bytes}, {"tls", &o->tls},
	        {"scattered", &o->scattered}};
	for (; *words != NULL; words++) {
		char *value = strchr(*words, '=');
		bool known = false;
		for (size_t i = 0; value != NULL && i < sizeof(all) / sizeof(all[0]); i++)
			if (strncmp(*words, all[i].name, (size_t)(value - *words)) == 0) {
				*all[i].value = strtol(value + 1, NULL, 10);
				known = true;
			}
		if (!known)
			client_die("no such option", *words);
	}
	if (o->bytes < STAMP_CHARS || o->bytes > 2048 || o->sockets < 1 || o->senders < 1)
		client_die("an option is out of bounds", "");
}

/* As many descriptors as we may have. */
static void raise_limit(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		client_die("descriptors", strerror(errno));
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		client_die("descriptors", strerror(errno));
}

static void set_up(struct load *l, const char *people)
{
	size_t filler = (size_t)l->options.bytes - STAMP_CHARS;
	raise_limit();
	read_people(l, people);
	srandom((unsigned)now_ns());
	l->series = random();
	l->host.poll = epoll_create1(EPOLL_CLOEXEC);
	l->host.ctx = l;
	l->host.ready = on_ready;
	l->host.text = on_text;
	if (l->options.tls) {
		l->host.tls = SSL_CTX_new(TLS_client_method());
		if (l->host.tls == NULL)
			client_die("TLS", "set-up");
		SSL_CTX_set_mode(l->host.tls, SSL_MODE_RELEASE_BUFFERS |
		                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		                                      SSL_MODE_ENABLE_PARTIAL_WRITE);
	}
	l->senders = calloc(l->count, sizeof(*l->senders));
	l->latencies = calloc(LATENCY_STEPS, sizeof(*l->latencies));
	l->filler = calloc(1, filler + 1);
	if (l->host.poll < 0 || l->senders == NULL || l->latencies == NULL || l->filler == NULL)
		client_die("set-up", strerror(errno));
	memset(l->filler, 'A', filler);
}

int main(int argc, char **argv)
{
	static const char *const modes[] = {"full", "acks", "rate", "idle"};
	struct load l = {.mode = IDLE + 1,
	        .options = {.seconds = 5,
	                .sockets = 1,
	                .senders = 2,
	                .window = 16,
	                .rate = 200,
	                .bytes = 256}};
	for (size_t i = 0; argc > 4 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i]) == 0)
			l.mode = (enum mode)i;
	if (l.mode > IDLE) {
		fprintf(stderr,
		        "usage: live full|acks|rate|idle PORT PID PEOPLE [NAME=NUMBER ...]\n");
		return 2;
	}
	l.host.port = (unsigned)strtoul(argv[2], NULL, 10);
	l.pid = argv[3];
	read_options(&l.options, argv + 5);
	l.first_number = (uint64_t)now_ns() / 1000;
	set_up(&l, argv[4]);
	take_sample(&l, &l.before);
	connect_all(&l);
	take_sample(&l, &l.joined);
	if (l.mode == IDLE)
		go_idle(&l);
	else
		measure(&l);
	return l.errors > 0;
}
