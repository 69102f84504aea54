/* install.c - `tacit agent --install`: a systemd user unit, so that the agent is there after each
 * login. */
#define _GNU_SOURCE /* mkostemp */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/gate.h"
#include "base/buf.h"
#include "client/http.h"

#define UNIT "tacit-agent.service"

/* A word of ExecStart (systemd.service(5), "Command lines"): in quotes, its own signs escaped. */
static enum tacit_err append_word(struct tacit_buf *out, const char *word)
{
	enum tacit_err err;
	TRY(tacit_buf_append(out, TACIT_STR(" \"")));
	for (const char *c = word; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			TRY(TACIT_E_USAGE);
		if (*c == '"' || *c == '\\')
			TRY(tacit_buf_append(out, TACIT_STR("\\")));
		if (*c == '%' || *c == '$')
			TRY(tacit_buf_append(out, tacit_bytes(c, 1)));
		TRY(tacit_buf_append(out, tacit_bytes(c, 1)));
	}
	TRY(tacit_buf_append(out, TACIT_STR("\"")));
out:
	return err;
}

static enum tacit_err append_option(struct tacit_buf *out, const char *name, const char *value)
{
	enum tacit_err err = TACIT_OK;
	if (value == NULL)
		return TACIT_OK;
	TRY(tacit_buf_printf(out, " %s", name));
	TRY(append_word(out, value));
out:
	return err;
}

static enum tacit_err write_unit(
        const struct agent_options *o, const char *program, struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(tacit_buf_printf(out,
	        "[Unit]\nDescription=tacit agent: a plain API on loopback for the user's programs\n"
	        "Documentation=man:tacit-agent(1)\n\n[Service]\nExecStart="));
	struct tacit_buf words = {0};
	err = append_word(&words, program);
	if (err == TACIT_OK)
		err = tacit_buf_append(out, tacit_bytes(words.p + 1, words.n - 1));
	tacit_buf_clear(&words);
	TRY(err);
	TRY(append_option(out, "--server", o->server));
	TRY(append_option(out, "--ca-file", o->ca_file));
	if (o->insecure_http)
		TRY(tacit_buf_append(out, TACIT_STR(" --insecure-http")));
	TRY(tacit_buf_append(out, TACIT_STR(" agent")));
	TRY(append_option(out, "--listen", o->listen));
	if (o->access == AGENT_WITHOUT_TOKEN)
		TRY(tacit_buf_append(out, TACIT_STR(" --no-token")));
	TRY(tacit_buf_printf(out,
	        "\nRestart=on-failure\nNoNewPrivileges=yes\nLimitCORE=0\nUMask=0077\n\n"
	        "[Install]\nWantedBy=default.target\n"));
out:
	return err;
}

static enum tacit_err find_folder(struct tacit_buf *out)
{
	enum tacit_err err;
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config != NULL && config[0] == '/')
		TRY(tacit_buf_printf(out, "%s", config));
	else if (home != NULL && home[0] == '/')
		TRY(tacit_buf_printf(out, "%s/.config", home));
	else
		TRY(TACIT_E_IO);
	TRY(tacit_buf_append(out, TACIT_STR("/systemd/user")));
	TRY(tacit_buf_terminate(out));
	char *path = (char *)out->p;
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = '\0';
		bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
		if (slash != NULL)
			*slash = '/';
		if (!made)
			TRY(TACIT_E_IO);
		if (slash == NULL)
			break;
	}
out:
	return err;
}

static enum tacit_err save(const char *folder, struct tacit_bytes unit, char *path, size_t room)
{
	enum tacit_err err = TACIT_OK;
	char draft[4096];
	if (snprintf(draft, sizeof(draft), "%s/." UNIT ".XXXXXX", folder) >= (int)sizeof(draft) ||
	        snprintf(path, room, "%s/" UNIT, folder) >= (int)room)
		return TACIT_E_IO;
	int fd = mkostemp(draft, O_CLOEXEC);
	if (fd < 0)
		return TACIT_E_IO;
	if (write(fd, unit.p, unit.n) != (ssize_t)unit.n || fchmod(fd, 0644) != 0 || fsync(fd) != 0)
		err = TACIT_E_IO;
	close(fd);
	if (err == TACIT_OK && rename(draft, path) != 0)
		err = TACIT_E_IO;
	if (err != TACIT_OK)
		unlink(draft);
	return err;
}

/* Whether it has done what was asked; its own words are nobody's business here. */
static bool systemctl(const char *verb, const char *option, const char *unit)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("systemctl", "systemctl", "--user", verb, option, unit, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const char *option_problem(const struct agent_options *o)
{
	char ip[GATE_IP_ROOM];
	uint16_t port;
	const char *wrong = o->listen != NULL ? gate_listen_problem(o->listen, ip, &port) : NULL;
	if (wrong == NULL && o->server != NULL)
		wrong = http_server_problem(o->server, o->insecure_http);
	return wrong;
}

enum tacit_err agent_install(const struct agent_options *o, const char *program,
        char said[AGENT_PROBLEM_ROOM], bool *enabled)
{
	enum tacit_err err;
	struct tacit_buf unit = {0}, folder = {0};
	const char *wrong = option_problem(o);
	char path[4096] = "";
	*enabled = false;
	if (wrong != NULL) {
		snprintf(said, AGENT_PROBLEM_ROOM, "%s", wrong);
		return TACIT_E_USAGE;
	}
	TRY(write_unit(o, program, &unit));
	TRY(find_folder(&folder));
	TRY(save((const char *)folder.p, tacit_buf_view(&unit), path, sizeof(path)));
	*enabled = systemctl("daemon-reload", NULL, NULL) && systemctl("enable", "--now", UNIT);
	snprintf(said, AGENT_PROBLEM_ROOM, "%.380s", path);
out:
	if (err == TACIT_E_IO)
		snprintf(said, AGENT_PROBLEM_ROOM, "The unit cannot be written: %s.",
		        strerror(errno));
	tacit_buf_clear(&unit);
	tacit_buf_clear(&folder);
	return err;
}
