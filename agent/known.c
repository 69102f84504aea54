#include "agent/known.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/paths.h"

#define LINE (AGENT_ID_CHARS + 2) /* an id, whose it is, and a line feed */
#define OURS 'c'
#define THEIRS 'j'
#define MOST_BYTES (4096 * LINE)

/* Another agent of this user may be at it: then this one keeps nothing. */
static enum tacit_err open_file(struct known *k)
{
	enum tacit_err err;
	struct tacit_buf path = {0};
	struct stat st;
	k->fd = -1;
	TRY(paths_agent(&path));
	TRY(tacit_buf_append(&path, TACIT_STR("/sessions")));
	TRY(tacit_buf_terminate(&path));
	k->fd = open(
	        (const char *)path.p, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	TRY(k->fd >= 0 && fstat(k->fd, &st) == 0 && S_ISREG(st.st_mode) ? TACIT_OK : TACIT_E_IO);
	if (flock(k->fd, LOCK_EX | LOCK_NB) != 0)
		known_close(k);
out:
	tacit_buf_clear(&path);
	return err;
}

/* A line that a crash has torn is none. */
static bool read_line(const char line[LINE], struct known_session *out)
{
	for (size_t i = 0; i < AGENT_ID_CHARS; i++)
		if (!((line[i] >= '0' && line[i] <= '9') || (line[i] >= 'a' && line[i] <= 'f')))
			return false;
	memcpy(out->id, line, AGENT_ID_CHARS);
	out->id[AGENT_ID_CHARS] = '\0';
	out->ours = line[AGENT_ID_CHARS] == OURS;
	return (out->ours || line[AGENT_ID_CHARS] == THEIRS) && line[LINE - 1] == '\n';
}

static enum tacit_err write_lines(const struct known *k, const char *lines, size_t n)
{
	enum tacit_err err = TACIT_OK;
	struct stat st;
	if (fstat(k->fd, &st) != 0)
		return TACIT_E_IO;
	if (write(k->fd, lines, n) != (ssize_t)n || fdatasync(k->fd) != 0)
		err = errno == ENOSPC || errno == EDQUOT ? TACIT_E_STORE_FULL : TACIT_E_IO;
	if (err != TACIT_OK && ftruncate(k->fd, st.st_size) != 0)
		err = TACIT_E_IO; /* half a line stays, and those behind it are not read */
	return err;
}

/* The last ones; the file holds no others from then on. */
static enum tacit_err read_last(const struct known *k, char lines[KNOWN_MAX * LINE], size_t *count)
{
	enum tacit_err err;
	struct stat st;
	*count = 0;
	TRY(fstat(k->fd, &st) == 0 ? TACIT_OK : TACIT_E_IO);
	off_t all = st.st_size / LINE, skipped = all > KNOWN_MAX ? all - KNOWN_MAX : 0;
	size_t n = (size_t)(all - skipped) * LINE;
	TRY(pread(k->fd, lines, n, skipped * LINE) == (ssize_t)n ? TACIT_OK : TACIT_E_IO);
	TRY(ftruncate(k->fd, 0) == 0 ? TACIT_OK : TACIT_E_IO);
	TRY(write_lines(k, lines, n));
	*count = n / LINE;
out:
	return err;
}

enum tacit_err known_open(struct known *k, known_each *each, void *ctx)
{
	enum tacit_err err;
	char lines[KNOWN_MAX * LINE];
	struct known_session s;
	size_t count = 0;
	TRY(open_file(k));
	if (k->fd < 0)
		return TACIT_OK;
	TRY(read_last(k, lines, &count));
	for (size_t i = 0; i < count; i++)
		if (read_line(lines + i * LINE, &s))
			each(ctx, &s);
out:
	if (err != TACIT_OK)
		known_close(k);
	return err;
}

enum tacit_err known_add(struct known *k, const struct known_session *s)
{
	enum tacit_err err;
	char line[LINE], lines[KNOWN_MAX * LINE];
	struct stat st;
	size_t kept;
	if (k->fd < 0)
		return TACIT_OK;
	TRY(fstat(k->fd, &st) == 0 ? TACIT_OK : TACIT_E_IO);
	if (st.st_size >= MOST_BYTES)
		TRY(read_last(k, lines, &kept));
	memcpy(line, s->id, AGENT_ID_CHARS);
	line[AGENT_ID_CHARS] = s->ours ? OURS : THEIRS;
	line[LINE - 1] = '\n';
	TRY(write_lines(k, line, LINE));
out:
	return err;
}

void known_close(struct known *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}
