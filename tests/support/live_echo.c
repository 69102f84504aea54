/* live_echo.c - a server for tests: what the official suites of engine.io-protocol (at /engine.io)
 * and socket.io-protocol (at /socket.io) expect of one, on the module that tacitd uses.
 *
 * live-echo [--port N] [--loops N] [--main-only] [--tls-cert FILE --tls-key FILE]
 *           [--ping-interval MS] [--ping-timeout MS] [--events N] [--origins A,B]
 *
 * Prints "listening on PORT". Ends on SIGTERM, or with its standard input if that is a pipe. Beyond
 * what the suites ask for, events drive the module's other calls, for tests of our own:
 *   "join" room, "open" room known [join, history, stays], "leave" room [join],
 *   "publish" room order text, "starve" room order text (the same, without memory for letters),
 *   "flood" room order text count (orders from the first on), "tell" user text, "kick", "whoami".
 * Joins count from 1. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/live/live.h"
#include "server/net/server.h"
#include "wire/json.h"

static struct live *live;
static const char *origins;

/* The inside of the array. */
static struct tacit_bytes inside(const struct tacit_buf *array)
{
	return tacit_bytes(array->p + 1, array->n - 2);
}

/* "name" before the arguments. */
static void emit(struct live_handle s, const char *name, const json_t *args,
        const struct tacit_bytes *binary, size_t count)
{
	struct tacit_buf text = {0};
	json_t *all = json_pack("[s]", name);
	json_array_extend(all, (json_t *)(uintptr_t)args);
	if (tacit_json_write(all, &text) == TACIT_OK) {
		struct live_frame *f = live_frame_new_binary(inside(&text), binary, count, 0);
		live_emit(s, f);
		live_frame_drop(f);
	}
	json_decref(all);
	tacit_buf_clear(&text);
}

/* --- the greeting --- */

/* The suites read one packet at a time and lose the second of two that come in one segment, as ours
 * do. So "auth" leaves a moment after the connection was accepted, from a thread of its own. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	bool ends;
	size_t count;
	struct greeting {
		struct live_handle to;
		json_t *args;
	} list[65536];
} greetings = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void greet_later(struct live_handle s, json_t *args /* taken */)
{
	pthread_mutex_lock(&greetings.lock);
	if (greetings.count < TACIT_COUNT(greetings.list))
		greetings.list[greetings.count++] = (struct greeting){s, args};
	else
		json_decref(args);
	pthread_cond_signal(&greetings.more);
	pthread_mutex_unlock(&greetings.lock);
}

static void *greet(void *ctx)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	(void)ctx;
	pthread_mutex_lock(&greetings.lock);
	while (!greetings.ends || greetings.count > 0) {
		if (greetings.count == 0) {
			pthread_cond_wait(&greetings.more, &greetings.lock);
			continue;
		}
		pthread_mutex_unlock(&greetings.lock);
		nanosleep(&moment, NULL);
		pthread_mutex_lock(&greetings.lock);
		for (size_t i = 0; i < greetings.count; i++) {
			emit(greetings.list[i].to, "auth", greetings.list[i].args, NULL, 0);
			json_decref(greetings.list[i].args);
		}
		greetings.count = 0;
	}
	pthread_mutex_unlock(&greetings.lock);
	return NULL;
}

static void end_greetings(void)
{
	pthread_mutex_lock(&greetings.lock);
	greetings.ends = true;
	pthread_cond_signal(&greetings.more);
	pthread_mutex_unlock(&greetings.lock);
	pthread_join(greetings.thread, NULL);
}

/* --- the application --- */

static int64_t number(const struct live_event *e, size_t i)
{
	return json_integer_value(json_array_get(e->args, i));
}

static void on_connect(void *ctx, struct live_handle s, const struct live_hello *hello)
{
	const json_t *token = json_object_get(hello->auth, "refuse");
	(void)ctx;
	if (json_is_string(token)) {
		live_refuse(s, json_string_value(token), "REFUSED");
		return;
	}
	json_t *id = json_object_get(hello->auth, "user");
	tacit_ignore(live_accept(s, &(struct live_identity){.user_id = json_integer_value(id),
	                                    .session_id = (int64_t)s.slot + 1}),
	        "it is closed then");
	json_t *args = json_array();
	if (hello->auth != NULL)
		json_array_append_new(args, json_deep_copy(hello->auth));
	else
		json_array_append_new(args, json_object());
	greet_later(s, args);
}

static _Thread_local bool starving;

static int is_starving(void *ctx)
{
	(void)ctx;
	return starving;
}

static void tell(const struct live_event *e)
{
	struct tacit_buf text = {0};
	json_t *all = json_pack("[s,O]", "told", json_array_get(e->args, 1));
	if (all != NULL && tacit_json_write(all, &text) == TACIT_OK) {
		struct live_frame *f = live_frame_new(inside(&text), 0);
		live_publish_user(live, number(e, 0), f);
		live_frame_drop(f);
	}
	json_decref(all);
	tacit_buf_clear(&text);
}

static void publish(struct live_handle s, const struct live_event *e)
{
	struct tacit_buf text = {0};
	json_t *all = json_pack("[s,O]", "published", json_array_get(e->args, 2));
	if (all != NULL && tacit_json_write(all, &text) == TACIT_OK) {
		struct live_frame *f = live_frame_new(inside(&text), number(e, 1));
		bool to_all = json_array_size(e->args) < 4;
		starving = strcmp(e->name, "starve") == 0;
		live_publish(live, number(e, 0), f, to_all ? NULL : &s);
		starving = false;
		live_frame_drop(f);
	}
	json_decref(all);
	tacit_buf_clear(&text);
}

/* Without a parse for each: the reader's queue is to be full before the reader is taken for dead.
 */
static void flood(const struct live_event *e)
{
	struct tacit_buf text = {0};
	json_t *all = json_pack("[s,O]", "published", json_array_get(e->args, 2));
	if (all != NULL && tacit_json_write(all, &text) == TACIT_OK)
		for (int64_t i = 0; i < number(e, 3); i++) {
			struct live_frame *f = live_frame_new(inside(&text), number(e, 1) + i);
			live_publish(live, number(e, 0), f, NULL);
			live_frame_drop(f);
		}
	json_decref(all);
	tacit_buf_clear(&text);
}

static void open_room(struct live_handle s, const struct live_event *e)
{
	struct tacit_buf text = {0};
	const json_t *stays = json_array_get(e->args, 4);
	json_t *all = json_pack("[s,O]", "history", json_array_get(e->args, 3));
	struct live_opening o = {.join = (uint64_t)number(e, 2),
	        .known = number(e, 1),
	        .stays = stays == NULL || json_is_true(stays)};
	if (all != NULL && tacit_json_write(all, &text) == TACIT_OK)
		o.history = live_frame_new(inside(&text), 0);
	live_open(s, number(e, 0), &o);
	live_frame_drop(o.history);
	json_decref(all);
	tacit_buf_clear(&text);
}

static void acknowledge(struct live_handle s, const struct live_event *e)
{
	struct tacit_buf text = {0};
	if (tacit_json_write(e->args, &text) == TACIT_OK)
		live_ack_binary(s, e->ack, inside(&text), e->binary, e->binary_count);
	tacit_buf_clear(&text);
}

static void on_event(void *ctx, struct live_handle s, const struct live_identity *who,
        const struct live_event *e)
{
	(void)ctx;
	if (strcmp(e->name, "message") == 0)
		emit(s, "message-back", e->args, e->binary, e->binary_count);
	else if (strcmp(e->name, "join") == 0)
		live_join(s, number(e, 0));
	else if (strcmp(e->name, "open") == 0)
		open_room(s, e);
	else if (strcmp(e->name, "leave") == 0)
		live_leave(s, number(e, 0), (uint64_t)number(e, 1));
	else if (strcmp(e->name, "publish") == 0 || strcmp(e->name, "starve") == 0)
		publish(s, e);
	else if (strcmp(e->name, "flood") == 0)
		flood(e);
	else if (strcmp(e->name, "tell") == 0)
		tell(e);
	else if (strcmp(e->name, "evict") == 0)
		live_evict(live, number(e, 0), number(e, 1));
	else if (strcmp(e->name, "end") == 0)
		live_end(live, number(e, 0), 0);
	else if (strcmp(e->name, "kick") == 0)
		live_disconnect(s);
	(void)who;
	if (strcmp(e->name, "message") != 0)
		acknowledge(s, e);
}

static void on_gone(void *ctx, struct live_handle s, const struct live_identity *who)
{
	(void)ctx;
	(void)s;
	(void)who;
}

static void on_fell_behind(void *ctx, struct live_handle s, const struct live_identity *who,
        const int64_t *rooms, size_t count)
{
	json_t *args = json_array();
	(void)ctx;
	(void)who;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(args, json_integer(rooms[i]));
	emit(s, "behind", args, NULL, 0);
	json_decref(args);
}

static struct live_frame *on_message(void *ctx, bool binary, struct tacit_bytes data)
{
	(void)ctx;
	return live_message_new(binary, data);
}

static bool is_listed(void *ctx, struct tacit_bytes origin)
{
	(void)ctx;
	return origins == NULL || tacit_bytes_eq(origin, tacit_cstr(origins));
}

/* --- HTTP beside it --- */

static void plan(void *ctx, const struct http_request *r, struct http_plan *plan)
{
	(void)ctx;
	(void)r;
	plan->kind = HTTP_ANSWER;
	plan->answer = http_response_new(404);
}

struct options {
	struct net_settings net;
	struct live_settings live;
	bool main_only;
	unsigned port;
};

static unsigned value_of(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static bool read_option(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "--port") == 0)
		o->port = value_of(value);
	else if (strcmp(name, "--loops") == 0)
		o->net.loops = value_of(value);
	else if (strcmp(name, "--max-connections") == 0)
		o->net.max_connections = value_of(value);
	else if (strcmp(name, "--tls-cert") == 0)
		o->net.tls_cert = value;
	else if (strcmp(name, "--tls-key") == 0)
		o->net.tls_key = value;
	else if (strcmp(name, "--ping-interval") == 0)
		o->live.ping_interval_ms = value_of(value);
	else if (strcmp(name, "--ping-timeout") == 0)
		o->live.ping_timeout_ms = value_of(value);
	else if (strcmp(name, "--per-user") == 0)
		o->live.max_per_user = value_of(value);
	else if (strcmp(name, "--events") == 0)
		o->live.events_per_second = value_of(value);
	else if (strcmp(name, "--queue-frames") == 0)
		o->live.max_queue_frames = value_of(value);
	else if (strcmp(name, "--origins") == 0)
		origins = value;
	else
		return false;
	return true;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--main-only") == 0)
			o->main_only = true;
		else if (i + 1 == argc || !read_option(o, argv[i], argv[i + 1]))
			return false;
		else
			i++;
	}
	return true;
}

static bool is_pipe(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static void wait_for_end(const sigset_t *signals)
{
	struct pollfd in = {.fd = is_pipe(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN};
	char sink[256];
	struct timespec none = {0};
	for (;;) {
		int n = poll(&in, 1, 200);
		if (sigtimedwait(signals, NULL, &none) > 0)
			return;
		if (n > 0 && read(STDIN_FILENO, sink, sizeof(sink)) <= 0)
			return;
	}
}

static int serve(const struct options *o)
{
	static const char *const namespaces[] = {"/custom", NULL};
	struct live_settings settings = o->live;
	struct net_server *server = NULL;
	const char *why = "";
	char listen[32];
	sigset_t signals;
	const struct http_app under = {.plan = plan};
	const struct live_http http = {.origin_listed = is_listed};
	const struct live_app app = {.connect = on_connect,
	        .event = on_event,
	        .gone = on_gone,
	        .fell_behind = on_fell_behind,
	        .message = on_message};
	struct net_settings net = o->net;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	settings.namespaces = o->main_only ? NULL : namespaces;
	settings.engine_path = "/engine.io";
	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", o->port);
	net.listen = listen;
	tacit_alloc_set_fault(is_starving, NULL);
	enum tacit_err err = live_new(&settings, &app, &live);
	if (err == TACIT_OK) {
		struct http_app all = live_http_app(live, &under, &http);
		err = net_server_new(&net, &all, &why, &server);
	}
	if (err == TACIT_OK && pthread_create(&greetings.thread, NULL, greet, NULL) != 0)
		err = TACIT_E_NOMEM;
	if (err == TACIT_OK)
		err = net_server_start(server);
	if (err != TACIT_OK) {
		fprintf(stderr, "live-echo: %s %s\n", tacit_err_text(err), why);
	} else {
		printf("listening on %u\n", net_server_port(server));
		fflush(stdout);
		wait_for_end(&signals);
		end_greetings();
		net_server_stop(server, 5);
	}
	net_server_free(server);
	live_free(live);
	return err == TACIT_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct options o = {.net = {.loops = 1},
	        .live = {.ping_interval_ms = 300,
	                .ping_timeout_ms = 200,
	                .max_payload = 1000000,
	                .connect_timeout_ms = 1000},
	        .port = 3000};
	if (!read_options(&o, argc, argv)) {
		fprintf(stderr, "live-echo: a flag is unknown or lacks its value\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			perror("live-echo: setrlimit");
	}
	signal(SIGPIPE, SIG_IGN);
	tacit_json_init();
	return serve(&o);
}
