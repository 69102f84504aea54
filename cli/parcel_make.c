#include "cli/parcel_make.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_skipped(void *ctx, const char *path, const char *why)
{
	struct tacit_buf clean = {0};
	(void)ctx;
	if (term_clean(tacit_cstr(path), TERM_ONE_LINE, 0, &clean) == TACIT_OK)
		cli_warn("%.*s is left out: %s.", (int)clean.n, (const char *)clean.p, why);
	tacit_buf_clear(&clean);
}

static int fail_source(const struct cli *c, enum tacit_err err, const char *path)
{
	char text[400];
	const char *what = err == TACIT_E_NOT_FOUND     ? "is not there"
	                   : err == TACIT_E_UNSUPPORTED ? "is neither a file nor a folder"
	                   : err == TACIT_E_TOO_LARGE ? "brings it beyond 65,536 files and folders"
	                   : err == TACIT_E_MALFORMED ? "has a name that cannot be sent"
	                                              : "cannot be read";
	if (err == TACIT_E_EXISTS)
		return cli_fail_text(c, err, "Two of these have the same name.",
		        "Send the folder that they are in.");
	if (err == TACIT_E_CANCELLED || err == TACIT_E_NOMEM || path == NULL)
		return cli_fail(c, err, NULL);
	snprintf(text, sizeof(text), "%.300s %s.", path, what);
	return cli_fail_text(c, err, text, NULL);
}

static int read_text(const struct cli *c, const struct args *a, struct tacit_buf *text)
{
	enum tacit_err err = TACIT_OK;
	bool from_input = a->count == 0 || (a->count == 1 && strcmp(a->list[0], "-") == 0);
	for (int i = 0; i < a->count && !from_input && err == TACIT_OK; i++)
		err = tacit_buf_printf(text, "%s%s", i > 0 ? " " : "", a->list[i]);
	while (from_input && err == TACIT_OK && text->n <= TACIT_PARCEL_MAX_TEXT) {
		uint8_t room[4096];
		ssize_t n = read(STDIN_FILENO, room, sizeof(room));
		if (n == 0)
			break;
		if (n < 0)
			err = errno == EINTR ? TACIT_E_CANCELLED : TACIT_E_IO;
		else
			err = tacit_buf_append(text, tacit_bytes(room, (size_t)n));
	}
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}

static int make_text(const struct cli *c, const struct args *a, struct parcel_source **out)
{
	struct tacit_buf text = {0};
	int status = read_text(c, a, &text);
	enum tacit_err err =
	        status == EXIT_DONE ? parcel_source_text(tacit_buf_view(&text), out) : TACIT_OK;
	tacit_buf_clear(&text);
	if (err == TACIT_E_TOO_LARGE)
		return cli_fail_text(
		        c, err, "A text has at most 64 KiB.", "Without --text it goes as a file.");
	return err == TACIT_OK ? status : cli_fail(c, err, NULL);
}

int parcel_make(const struct cli *c, const struct args *a, struct parcel_source **out,
        enum parcel_memory *memory)
{
	const char *path = NULL, *name = cli_option(a, "name");
	*memory = PARCEL_ONCE;
	if (cli_option(a, "text") != NULL)
		return make_text(c, a, out);
	if (a->count == 0)
		return cli_usage_error(
		        NULL, "send-file needs a PATH, --text, or - for standard input.");
	if (a->count == 1 && strcmp(a->list[0], "-") == 0) {
		enum tacit_err err =
		        parcel_source_input(STDIN_FILENO, name != NULL ? name : "stdin", out);
		return err == TACIT_OK ? EXIT_DONE : fail_source(c, err, "Standard input");
	}
	*memory = PARCEL_RESUMABLE;
	const struct parcel_paths paths = {.list = (const char *const *)a->list,
	        .count = (size_t)a->count,
	        .skipped = on_skipped};
	enum tacit_err err = parcel_source_paths(&paths, out, &path);
	return err == TACIT_OK ? EXIT_DONE : fail_source(c, err, path);
}
