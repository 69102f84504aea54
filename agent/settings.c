#include "agent/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/paths.h"

#define KIB UINT64_C(1024)
#define DEFAULT_FILE_SIZE (100 * KIB * KIB)
#define MOST_FILE_SIZE (1024 * KIB * KIB * KIB * KIB)
#define DEFAULT_SESSION_S 3600
#define DEFAULT_JOIN_S 10
#define MOST_SECONDS (30u * 86400u)

static bool parse_number(const char *text, uint64_t most, uint64_t *out, const char **rest)
{
	uint64_t n = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');
		if (n > (most - digit) / 10)
			return false;
		n = 10 * n + digit;
	}
	*out = n;
	*rest = at;
	return at != text;
}

bool agent_size_parse(const char *text, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"", 1}, {"B", 1}, {"K", KIB}, {"KiB", KIB}, {"M", KIB * KIB},
	        {"MiB", KIB * KIB}, {"G", KIB * KIB * KIB}, {"GiB", KIB * KIB * KIB},
	        {"T", KIB * KIB * KIB * KIB}, {"TiB", KIB * KIB * KIB * KIB}};
	const char *unit;
	uint64_t n;
	if (!parse_number(text, MOST_FILE_SIZE, &n, &unit))
		return false;
	for (size_t i = 0; i < TACIT_COUNT(units); i++)
		if (strcmp(unit, units[i].name) == 0 && n <= MOST_FILE_SIZE / units[i].bytes) {
			*out = n * units[i].bytes;
			return true;
		}
	return false;
}

static enum tacit_err take_seconds(
        const char *name, unsigned preset, unsigned *out, char *problem, size_t room)
{
	const char *text = getenv(name), *rest = "";
	uint64_t n = 0;
	*out = preset;
	if (text == NULL || text[0] == '\0')
		return TACIT_OK;
	if (!parse_number(text, MOST_SECONDS, &n, &rest) || *rest != '\0' || n == 0) {
		snprintf(problem, room, "%s takes a number of seconds.", name);
		return TACIT_E_USAGE;
	}
	*out = (unsigned)n;
	return TACIT_OK;
}

static enum tacit_err take_lan(bool *out, char *problem, size_t room)
{
	const char *text = getenv("TACIT_LAN");
	*out = text == NULL || strcmp(text, "off") != 0;
	if (*out && text != NULL && text[0] != '\0' && strcmp(text, "on") != 0) {
		snprintf(problem, room, "TACIT_LAN is \"on\" or \"off\".");
		return TACIT_E_USAGE;
	}
	return TACIT_OK;
}

/* Files in it have no names: what must hold is that it can be written to. */
static enum tacit_err take_folder(struct tacit_buf *out, char *problem, size_t room)
{
	enum tacit_err err;
	const char *given = getenv("UPLOAD_FOLDER");
	char *resolved = NULL;
	if (given == NULL || given[0] == '\0')
		return paths_agent(out);
	if (mkdir(given, 0700) != 0 && errno != EEXIST)
		TRY(TACIT_E_IO);
	resolved = realpath(given, NULL);
	if (resolved == NULL || access(resolved, W_OK | X_OK) != 0)
		TRY(TACIT_E_IO);
	TRY(tacit_buf_append(out, tacit_cstr(resolved)));
	TRY(tacit_buf_terminate(out));
out:
	if (err == TACIT_E_IO)
		snprintf(problem, room, "UPLOAD_FOLDER cannot be used: %s.", strerror(errno));
	free(resolved);
	return err;
}

enum tacit_err agent_settings_read(struct agent_settings *s, char *problem, size_t room)
{
	enum tacit_err err;
	const char *size = getenv("MAX_FILE_SIZE");
	*s = (struct agent_settings){.max_file_size = DEFAULT_FILE_SIZE};
	if (size != NULL && size[0] != '\0' &&
	        (!agent_size_parse(size, &s->max_file_size) || s->max_file_size == 0)) {
		snprintf(problem, room, "MAX_FILE_SIZE takes a size, as 100MiB.");
		TRY(TACIT_E_USAGE);
	}
	TRY(take_seconds(
	        "SESSION_TIMEOUT", DEFAULT_SESSION_S, &s->session_timeout_s, problem, room));
	TRY(take_seconds("JOIN_TIMEOUT", DEFAULT_JOIN_S, &s->join_timeout_s, problem, room));
	TRY(take_lan(&s->lan, problem, room));
	TRY(take_folder(&s->upload_folder, problem, room));
out:
	if (err != TACIT_OK)
		agent_settings_clear(s);
	return err;
}

void agent_settings_clear(struct agent_settings *s)
{
	tacit_buf_clear(&s->upload_folder);
}
