/* main.c - tacitd: reads the settings, runs a node, ends it on a signal. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "server/admin.h"
#include "server/node.h"
#include "wire/json.h"

extern char **environ;

#define KEPT_BLOCK (1024 * 1024)
#define KEPT_TOP (4 * KEPT_BLOCK)

/* What passes through is a block of the heap for a moment, a gigabyte of it in a second: given back
 * to the kernel each time, each page of each block would cost a fault. */
static void keep_heap(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_TOP);
}

static int fail(enum tacit_err err, const char *why)
{
	fprintf(stderr, "tacitd: error: %s\n", why[0] != '\0' ? why : tacit_err_text(err));
	return err == TACIT_E_USAGE ? 2 : 1;
}

static int print(enum tacit_err (*fill)(struct tacit_buf *out))
{
	struct tacit_buf text = {0};
	enum tacit_err err = fill(&text);
	if (err == TACIT_OK && (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0))
		err = TACIT_E_IO;
	tacit_buf_clear(&text);
	return err == TACIT_OK ? 0 : fail(err, "");
}

/* As many descriptors as we may have; nothing that we start may gain rights; files are ours alone.
 */
static void prepare_process(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			log_event(
			        LOG_WARNING, "limits", "few file descriptors: %s", strerror(errno));
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		log_event(LOG_WARNING, "limits", "no_new_privs: %s", strerror(errno));
	umask(077);
	signal(SIGPIPE, SIG_IGN);
}

static void warn_about_ignored(const struct config *c)
{
	for (size_t i = 0; i < c->ignored_count; i++)
		log_event(
		        LOG_WARNING, "settings", "%s has no effect in this version", c->ignored[i]);
}

/* The invitation goes to the terminal, not into the log: logs are kept and read by others. */
static void greet(const struct config *c, const struct node *n)
{
	const char *scheme = c->tls_cert != NULL ? "https" : "http";
	const char *colon = strrchr(c->listen, ':');
	printf("tacitd %s: listening on %s://%.*s:%u, data in %s\n", TACIT_VERSION, scheme,
	        (int)(colon - c->listen), c->listen, node_port(n), c->data);
	if (node_invitation(n) != NULL)
		printf("tacitd: first start. Who registers with this invitation becomes "
		       "administrator (once):\n"
		       "\n    %s\n\n",
		        node_invitation(n));
	fflush(stdout);
}

static void serve_until_told(struct node *n, const sigset_t *signals)
{
	for (int got = 0;;) {
		if (sigwait(signals, &got) != 0)
			continue;
		if (got != SIGHUP) {
			log_event(LOG_INFO, "stopping", "signal %d: finishing what was accepted",
			        got);
			return;
		}
		const char *why = "";
		if (node_reload_tls(n, &why) == TACIT_OK)
			log_event(LOG_INFO, "reloaded", "certificate and key were read anew");
		else
			log_event(LOG_ERROR, "reloaded",
			        "certificate and key stay as they were: %s", why);
	}
}

static int serve(const struct config *c)
{
	enum tacit_err err;
	char why[256] = "";
	struct node *n = NULL;
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* before any thread: only sigwait sees them */
	TRY(log_start(c->log_format, c->access_log ? LOG_ACCESS_LINES : LOG_NO_ACCESS_LINES));
	prepare_process();
	warn_about_ignored(c);
	TRY(node_open(c, why, &n));
	err = node_start(n, why);
	if (err == TACIT_OK) {
		greet(c, n);
		log_event(LOG_INFO, "started", "listening on port %u", node_port(n));
		serve_until_told(n, &signals);
	}
	node_stop(n);
	if (err == TACIT_OK)
		log_event(LOG_INFO, "stopped", "everything accepted is finished");
out:
	node_free(n);
	log_stop();
	return err == TACIT_OK ? 0 : fail(err, why);
}

static int print_web_hash(const struct config *c)
{
	if (c->web == NULL)
		return fail(TACIT_E_NOT_FOUND, "this tacitd was built without the web app");
	printf("%s\n", c->web->hash);
	return 0;
}

static int check(const struct config *c)
{
	char why[256] = "";
	enum tacit_err err = node_check(c, why);
	if (err != TACIT_OK)
		return fail(err, why);
	for (size_t i = 0; i < c->ignored_count; i++)
		printf("tacitd: %s has no effect in this version\n", c->ignored[i]);
	printf("tacitd: the settings are good\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct config c = {0};
	char why[256] = "";
	int status = 0;
	enum tacit_err err = tacit_crypto_init();
	if (err != TACIT_OK)
		return fail(err, "");
	tacit_json_init();
	keep_heap();
	if (argc > 1 && strcmp(argv[1], "admin") == 0)
		return admin_main(argc - 1, argv + 1, environ);
	err = config_read(&c, argc, argv, environ, why);
	c.web = web_bundle();
	if (err != TACIT_OK)
		status = fail(err, why);
	else if (c.action == CONFIG_HELP)
		status = print(config_help);
	else if (c.action == CONFIG_PRINT_ROUTES)
		status = print(api_print_routes);
	else if (c.action == CONFIG_PRINT_WEB)
		status = print_web_hash(&c);
	else if (c.action == CONFIG_VERSION)
		printf("tacitd %s\n", TACIT_VERSION);
	else if (c.action == CONFIG_CHECK)
		status = check(&c);
	else
		status = serve(&c);
	config_clear(&c);
	return status;
}
