#define _GNU_SOURCE /* sched_getaffinity */
#include "server/net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/net/loop.h"
#include "server/net/mailbox.h"
#include "server/net/proxy.h"
#include "server/net/tls.h"

#define BACKLOG 1024
#define MAX_LOOPS 64

struct net_server {
	struct net_shared shared;
	unsigned port;
	unsigned loop_count, running;
	struct net_loop *loops[MAX_LOOPS];
};

static void or_default(unsigned *setting, unsigned value)
{
	if (*setting == 0)
		*setting = value;
}

unsigned net_cores(void)
{
	cpu_set_t allowed;
	bool known = sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
	return known && CPU_COUNT(&allowed) > 0 ? (unsigned)CPU_COUNT(&allowed) : 1;
}

static void fill_in(struct net_shared *shared)
{
	struct net_settings *s = &shared->settings;
	or_default(&s->loops, net_cores());
	if (s->loops > MAX_LOOPS)
		s->loops = MAX_LOOPS;
	or_default(&s->max_connections, 10000);
	shared->loopback_exempt = s->max_connections_per_address == 0;
	or_default(&s->max_connections_per_address, 256);
	or_default(&s->head_timeout_s, 10);
	or_default(&s->idle_timeout_s, 75);
	or_default(&s->body_min_rate, 256);
	or_default(&s->write_timeout_s, 30);
}

static unsigned port_of(const struct sockaddr_storage *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	memcpy(&v4, a, sizeof(v4));
	memcpy(&v6, a, sizeof(v6));
	return a->ss_family == AF_INET ? ntohs(v4.sin_port) : ntohs(v6.sin6_port);
}

static bool listen_on(int fd, const struct sockaddr_storage *a)
{
	int on = 1;
	socklen_t bytes =
	        a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       bind(fd, (const struct sockaddr *)a, bytes) == 0 && listen(fd, BACKLOG) == 0;
}

/* A listening socket; a's port is filled in when it was 0, for the loops after the first. */
static enum tacit_err open_listener(struct sockaddr_storage *a, const char **why, int *out)
{
	socklen_t bytes = sizeof(*a);
	*out = -1;
	int fd = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !listen_on(fd, a) || getsockname(fd, (struct sockaddr *)a, &bytes) != 0) {
		*why = strerror(errno);
		if (fd >= 0)
			close(fd);
		return TACIT_E_IO;
	}
	*out = fd;
	return TACIT_OK;
}

/* SO_REUSEPORT would let a second server of the same user share the port in silence. */
static enum tacit_err check_unused(const struct sockaddr_storage *a, const char **why)
{
	int on = 1;
	socklen_t bytes =
	        a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int fd = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	          bind(fd, (const struct sockaddr *)a, bytes) == 0;
	if (!ok)
		*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	return ok ? TACIT_OK : TACIT_E_IO;
}

static enum tacit_err read_address(
        const struct net_settings *s, struct sockaddr_storage *a, const char **why)
{
	if (net_address_parse(tacit_cstr(s->listen), a))
		return TACIT_OK;
	*why = "the address to listen on must read ADDRESS:PORT";
	return TACIT_E_USAGE;
}

static enum tacit_err open_loops(struct net_server *s, const char **why)
{
	enum tacit_err err;
	struct sockaddr_storage a;
	TRY(read_address(&s->shared.settings, &a, why));
	if (port_of(&a) != 0)
		TRY(check_unused(&a, why));
	for (unsigned i = 0; i < s->shared.settings.loops; i++) {
		int fd;
		TRY(open_listener(&a, why, &fd));
		*why = "out of memory or descriptors";
		TRY(net_loop_new(&s->shared, fd, &s->loops[i]));
		s->loop_count++;
	}
	*why = NULL;
	s->port = port_of(&a);
	err = TACIT_OK;
out:
	return err;
}

/* *out stays NULL when the server speaks in the clear. */
static enum tacit_err load_tls(const struct net_settings *s, const char **why, SSL_CTX **out)
{
	if ((s->tls_cert == NULL) != (s->tls_key == NULL)) {
		*why = "a TLS certificate needs its key, and the key its certificate";
		return TACIT_E_USAGE;
	}
	return s->tls_cert != NULL ? net_tls_context_new(s->tls_cert, s->tls_key, why, out)
	                           : TACIT_OK;
}

enum tacit_err net_server_check(const struct net_settings *s, const char **why)
{
	enum tacit_err err;
	struct sockaddr_storage a;
	SSL_CTX *tls = NULL;
	TRY(read_address(s, &a, why));
	TRY(load_tls(s, why, &tls));
out:
	SSL_CTX_free(tls);
	return err;
}

enum tacit_err net_server_new(const struct net_settings *settings, const struct http_app *app,
        const char **why, struct net_server **out)
{
	enum tacit_err err = TACIT_E_NOMEM;
	*out = NULL;
	*why = "out of memory";
	struct net_server *s = tacit_calloc(1, sizeof(*s));
	if (s == NULL)
		return err;
	pthread_mutex_init(&s->shared.tls_lock, NULL);
	s->shared.settings = *settings;
	s->shared.app = *app;
	fill_in(&s->shared);
	const struct net_settings *full = &s->shared.settings;
	TRY(load_tls(full, why, &s->shared.tls));
	TRY(net_peers_new((size_t)full->loops * full->max_connections,
	        full->max_connections_per_address, &s->shared.peers));
	TRY(open_loops(s, why));
	*out = s;
	s = NULL;
out:
	net_server_free(s);
	return err;
}

unsigned net_server_port(const struct net_server *s)
{
	return s->port;
}

enum tacit_err net_server_reload_tls(struct net_server *s, const char **why)
{
	const struct net_settings *settings = &s->shared.settings;
	SSL_CTX *fresh;
	*why = "the server does not speak TLS";
	if (settings->tls_cert == NULL)
		return TACIT_E_USAGE;
	enum tacit_err err =
	        net_tls_context_new(settings->tls_cert, settings->tls_key, why, &fresh);
	if (err != TACIT_OK)
		return err;
	pthread_mutex_lock(&s->shared.tls_lock);
	SSL_CTX *old = s->shared.tls;
	s->shared.tls = fresh;
	pthread_mutex_unlock(&s->shared.tls_lock);
	SSL_CTX_free(old); /* counted: open connections keep it */
	return TACIT_OK;
}

enum tacit_err net_server_start(struct net_server *s)
{
	sigset_t all, before;
	enum tacit_err err = TACIT_OK;
	/* Signals are the main thread's; SIGPIPE, which sendfile and TLS would raise, nobody's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (err == TACIT_OK && s->running < s->loop_count) {
		struct net_loop *l = s->loops[s->running];
		if (pthread_create(&l->thread, NULL, net_loop_run, l) != 0)
			err = TACIT_E_IO;
		else
			s->running++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != TACIT_OK)
		net_server_stop(s, 0);
	return err;
}

void net_server_stop(struct net_server *s, unsigned grace_s)
{
	for (unsigned i = 0; i < s->running; i++)
		mailbox_stop(s->loops[i]->id, grace_s);
	for (unsigned i = 0; i < s->running; i++)
		pthread_join(s->loops[i]->thread, NULL);
	s->running = 0;
}

void net_server_free(struct net_server *s)
{
	if (s == NULL)
		return;
	if (s->running > 0)
		net_server_stop(s, 0);
	for (unsigned i = 0; i < s->loop_count; i++)
		net_loop_free(s->loops[i]);
	net_peers_free(s->shared.peers);
	SSL_CTX_free(s->shared.tls);
	pthread_mutex_destroy(&s->shared.tls_lock);
	tacit_free(s);
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void net_server_stats(const struct net_server *s, struct net_stats *out)
{
	*out = (struct net_stats){0};
	for (unsigned i = 0; i < s->loop_count; i++) {
		const struct net_counters *c = &s->loops[i]->counters;
		out->connections_open += read_counter(&c->open);
		out->connections_total += read_counter(&c->total);
		out->bytes_in += read_counter(&c->bytes_in);
		out->bytes_out += read_counter(&c->bytes_out);
		out->refused_connections += read_counter(&c->refused);
		out->malformed_requests += read_counter(&c->malformed);
		out->timeouts += read_counter(&c->timeouts);
	}
}
