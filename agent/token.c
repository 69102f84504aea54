/* token.c - the word that programs of this user show: in a file that nobody else can read. */
#define _GNU_SOURCE /* mkostemp */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent_int.h"
#include "client/paths.h"
#include "crypto/encoding.h"

#define TOKEN_CHARS (2 * AGENT_TOKEN_BYTES)

/* The runtime folder goes with the last login of the user, and so does the token. */
static enum tacit_err find_folder(struct tacit_buf *out)
{
	enum tacit_err err;
	struct stat st;
	const char *run = getenv("XDG_RUNTIME_DIR");
	if (run == NULL || run[0] != '/')
		return paths_agent(out);
	TRY(tacit_buf_printf(out, "%s/tacit", run));
	TRY(tacit_buf_terminate(out));
	const char *path = (const char *)out->p;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		TRY(TACIT_E_IO);
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	        (st.st_mode & 077) != 0)
		TRY(TACIT_E_IO);
out:
	return err;
}

static enum tacit_err read_token(int fd, char token[TOKEN_CHARS + 1])
{
	struct stat st;
	uint8_t raw[AGENT_TOKEN_BYTES];
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	        (st.st_mode & 077) != 0)
		return TACIT_E_IO;
	if (read(fd, token, TOKEN_CHARS) != TOKEN_CHARS)
		return TACIT_E_IO;
	enum tacit_err err = tacit_unhex(tacit_bytes(token, TOKEN_CHARS), raw, sizeof(raw));
	tacit_wipe(raw, sizeof(raw));
	return err == TACIT_OK ? TACIT_OK : TACIT_E_IO;
}

/* Under another name first: who finds it under its own finds all of it. */
static enum tacit_err write_token(struct agent *a, const char *path)
{
	enum tacit_err err;
	struct tacit_buf draft = {0};
	uint8_t raw[AGENT_TOKEN_BYTES];
	int fd = -1;
	tacit_env_random(&a->env, raw, sizeof(raw));
	tacit_hex(tacit_bytes(raw, sizeof(raw)), a->token);
	TRY(tacit_buf_printf(&draft, "%s.XXXXXX", path));
	TRY(tacit_buf_terminate(&draft));
	fd = mkostemp((char *)draft.p, O_CLOEXEC);
	TRY(fd >= 0 ? TACIT_OK : TACIT_E_IO);
	bool whole = write(fd, a->token, TOKEN_CHARS) == TOKEN_CHARS && write(fd, "\n", 1) == 1;
	/* Another agent may have been first: then its token is ours, too. */
	if (!whole || (link((const char *)draft.p, path) != 0 && errno != EEXIST))
		err = TACIT_E_IO;
	unlink((const char *)draft.p);
out:
	if (fd >= 0)
		close(fd);
	tacit_wipe(raw, sizeof(raw));
	tacit_buf_clear(&draft);
	return err;
}

enum tacit_err agent_token_load(struct agent *a, char *problem)
{
	enum tacit_err err;
	int fd = -1;
	TRY(find_folder(&a->token_path));
	TRY(tacit_buf_append(&a->token_path, TACIT_STR("/agent.token")));
	TRY(tacit_buf_terminate(&a->token_path));
	const char *path = (const char *)a->token_path.p;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		TRY(write_token(a, path));
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	TRY(fd >= 0 ? TACIT_OK : TACIT_E_IO);
	TRY(read_token(fd, a->token));
out:
	if (fd >= 0)
		close(fd);
	if (err == TACIT_E_IO)
		snprintf(problem, AGENT_PROBLEM_ROOM,
		        "The token file %s cannot be used: it must be yours, readable by you "
		        "alone.",
		        a->token_path.n > 0 ? (const char *)a->token_path.p : "agent.token");
	return err;
}
