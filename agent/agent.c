#define _GNU_SOURCE /* ppoll */
#include "agent/agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "agent/exchange.h"
#include "agent/gate.h"
#include "agent/people.h"
#include "agent/session.h"
#include "agent/totp.h"
#include "client/host.h"
#include "crypto/random.h"

#define MAX_CONNECTIONS 64
#define CONNECTION_BYTES (64 * 1024) /* of the HTTP library, for one connection */
#define IDLE_S 60
#define SWEEP_S 1
#define WANTED_FILES 4096 /* open ones: files of sessions have no other place */

int64_t agent_monotonic_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec;
}

bool agent_is_ending(const struct agent *a)
{
	return a->o->cancel != NULL && *a->o->cancel != 0;
}

/* --- listening -------------------------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static void fill_address(const char *ip, uint16_t port, union address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, ip, &out->four.sin_addr) == 1) {
		out->four.sin_family = AF_INET;
		out->four.sin_port = htons(port);
		return;
	}
	out->six.sin6_family = AF_INET6;
	out->six.sin6_addr = in6addr_loopback;
	out->six.sin6_port = htons(port);
}

static enum tacit_err listen_on(
        struct agent *a, const char *ip, struct MHD_Daemon **out, char *problem)
{
	union address address;
	fill_address(ip, a->port, &address);
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
	                 MHD_USE_POLL | MHD_USE_ITC;
	if (address.any.sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	*out = MHD_start_daemon(flags, a->port, NULL, NULL, exchange_on_request, a,
	        MHD_OPTION_SOCK_ADDR, &address.any, MHD_OPTION_NOTIFY_COMPLETED, exchange_on_end, a,
	        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
	        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
	        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	        MHD_OPTION_END);
	if (*out == NULL) {
		snprintf(problem, AGENT_PROBLEM_ROOM, "Cannot listen on %s port %u: %s.", ip,
		        a->port, strerror(errno));
		return TACIT_E_IO;
	}
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(*out, MHD_DAEMON_INFO_BIND_PORT);
	if (info != NULL && info->port != 0)
		a->port = info->port;
	return TACIT_OK;
}

static void tell_ready(const struct agent *a, const char *ip)
{
	char url[80];
	bool six = strchr(ip, ':') != NULL;
	snprintf(url, sizeof(url), "http://%s%s%s:%u", six ? "[" : "", ip, six ? "]" : "", a->port);
	const struct agent_ready r = {
	        .url = url, .token_file = a->token_wanted ? (const char *)a->token_path.p : NULL};
	if (a->o->ready != NULL)
		a->o->ready(a->o->ctx, &r);
}

/* --- the life of it ----------------------------------------------------------------------------
 */

static void allow_files(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= WANTED_FILES)
		return;
	r.rlim_cur = r.rlim_max == RLIM_INFINITY || r.rlim_max > WANTED_FILES ? WANTED_FILES
	                                                                      : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static enum tacit_err init(struct agent *a, const struct agent_options *o, char *problem)
{
	enum tacit_err err;
	const char *server = o->server != NULL ? o->server : HOST_DEFAULT_SERVER;
	const char *wrong = http_server_problem(server, o->insecure_http);
	a->o = o;
	a->env = tacit_system_env();
	a->token_wanted = o->access == AGENT_WITH_TOKEN;
	if (wrong != NULL) {
		snprintf(problem, AGENT_PROBLEM_ROOM, "%s", wrong);
		TRY(TACIT_E_USAGE);
	}
	snprintf(a->server, sizeof(a->server), "%s", server);
	for (size_t n = strlen(a->server); n > 0 && a->server[n - 1] == '/'; n--)
		a->server[n - 1] = '\0';
	TRY(tacit_crypto_init());
	TRY(totp_init());
	tacit_json_init();
	TRY(agent_settings_read(&a->settings, problem, AGENT_PROBLEM_ROOM));
	if (a->token_wanted)
		TRY(agent_token_load(a, problem));
	TRY(people_new(a, &a->people));
	TRY(sessions_new(a, &a->sessions));
	allow_files();
out:
	if (err == TACIT_E_IO && problem[0] == '\0')
		snprintf(problem, AGENT_PROBLEM_ROOM,
		        "The agent's folder, ~/.local/share/tacit/agent, cannot be used.");
	return err;
}

static void clear(struct agent *a)
{
	sessions_free(a->sessions);
	people_free(a->people);
	agent_settings_clear(&a->settings);
	tacit_buf_clear(&a->token_path);
	tacit_wipe(a, sizeof(*a));
}

/* The other threads take no signals: they are let in here alone, and only while nothing is done, so
 * that none comes between the look and the sleep. */
static void serve(struct agent *a, const sigset_t *open)
{
	const struct timespec pause = {SWEEP_S, 0};
	while (!agent_is_ending(a)) {
		ppoll(NULL, 0, &pause, open);
		people_sweep(a->people);
		sessions_sweep(a->sessions);
	}
}

enum tacit_err agent_run(const struct agent_options *o, char problem[AGENT_PROBLEM_ROOM])
{
	enum tacit_err err;
	struct agent a = {0};
	struct MHD_Daemon *daemon = NULL;
	char ip[GATE_IP_ROOM];
	sigset_t all, before;
	problem[0] = '\0';
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	const char *listen = o->listen != NULL ? o->listen : AGENT_DEFAULT_LISTEN;
	const char *wrong = gate_listen_problem(listen, ip, &a.port);
	if (wrong != NULL) {
		snprintf(problem, AGENT_PROBLEM_ROOM, "%s", wrong);
		TRY(TACIT_E_USAGE);
	}
	TRY(init(&a, o, problem));
	TRY(listen_on(&a, ip, &daemon, problem));
	tell_ready(&a, ip);
	serve(&a, &before);
out:
	if (daemon != NULL)
		MHD_stop_daemon(daemon);
	clear(&a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}
