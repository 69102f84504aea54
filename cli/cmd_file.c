#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "client/transfer.h"
#include "wire/names.h"

#define RETRY_MS 500

/* --- the ground that a transfer stands on ---------------------------------------------------- */

struct ground {
	struct cli *cli;
	struct transfer transfer;
	struct progress progress;
	struct tacit_buf label;
	struct tacit_secret cookie; /* a copy: a note may make the host build its engine anew */
};

static enum tacit_err note_get(void *ctx, struct tacit_bytes name, struct tacit_buf *value)
{
	struct ground *g = ctx;
	return host_note_get(g->cli->host, name, value);
}

static enum tacit_err note_put(void *ctx, struct tacit_bytes name, struct tacit_bytes value)
{
	struct ground *g = ctx;
	return host_note_put(g->cli->host, name, value);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct ground *g = ctx;
	progress_show(&g->progress, done, total);
}

static enum tacit_err prepare(struct ground *g, struct cli *c, struct tacit_bytes name)
{
	enum tacit_err err;
	*g = (struct ground){.cli = c};
	TRY(term_clean(name, TERM_ONE_LINE, 0, &g->label));
	TRY(tacit_buf_terminate(&g->label));
	TRY(tacit_secret_copy(&g->cookie, tacit_engine_cookie(host_engine(c->host))));
	g->transfer = (struct transfer){
	        .http = host_http(c->host),
	        .env = host_env(c->host),
	        .cookie = tacit_secret_view(&g->cookie),
	        .cancel = &cli_cancelled,
	        .note_get = note_get,
	        .note_put = note_put,
	        .progress = on_progress,
	        .ctx = g,
	        .retry_ms = RETRY_MS,
	};
	progress_start(&g->progress, (const char *)g->label.p, c->quiet || c->json);
out:
	return err;
}

static void release(struct ground *g)
{
	progress_end(&g->progress);
	tacit_secret_free(&g->cookie);
	tacit_buf_clear(&g->label);
}

static int fail_transfer(const struct ground *g, enum tacit_err err, const char *hint)
{
	const char *problem = g->transfer.problem;
	if (err == TACIT_E_NOT_LOGGED_IN || (err == TACIT_E_NETWORK && hint == NULL))
		return cli_fail(g->cli, err, NULL);
	return cli_fail_text(g->cli, err, problem[0] != '\0' ? problem : tacit_err_text(err), hint);
}

/* --- up -------------------------------------------------------------------------------------- */

struct sent {
	const struct cli *cli;
	uint64_t message;
	int64_t time;
};

static void on_sent(void *ctx, const struct tacit_notice *n)
{
	struct sent *s = ctx;
	show_loud(s->cli, n);
	if (n->kind == TACIT_NOTICE_DONE) {
		s->message = n->message;
		s->time = n->time;
	}
}

static int tell_about(struct cli *c, uint64_t conversation, const struct tacit_file_ref *file)
{
	struct sent s = {.cli = c};
	struct tacit_content content = {
	        .kind = TACIT_CONTENT_FILE,
	        .sent_at = tacit_env_now(host_env(c->host)),
	        .file = *file,
	};
	const struct tacit_command command = {
	        .kind = TACIT_CMD_SEND, .conversation = conversation, .content = &content};
	int status = cli_run(c, &command, on_sent, &s);
	tacit_content_wipe(&content);
	if (status != EXIT_DONE)
		return status;
	if (c->json) {
		json_t *o = json_out_new("file_sent");
		json_out_number(o, "conversation", conversation);
		json_out_number(o, "id", s.message);
		json_out_text(o, "file", file->id);
		json_out_text(o, "name", file->name);
		json_out_number(o, "size", file->size);
		json_out_time(o, "time", s.time);
		json_out_print(stdout, o);
	}
	return EXIT_DONE;
}

static int fail_upload(const struct ground *g, const char *path, enum tacit_err err)
{
	char text[400];
	if (err == TACIT_E_NOT_FOUND && g->transfer.problem[0] == '\0') {
		snprintf(text, sizeof(text), "There is no file %s.", path);
		return cli_fail_text(g->cli, err, text, NULL);
	}
	if (err == TACIT_E_IO && g->transfer.problem[0] == '\0') {
		snprintf(text, sizeof(text), "%s cannot be read.", path);
		return cli_fail_text(g->cli, err, text, NULL);
	}
	if (err == TACIT_E_BAD_SEAL)
		return cli_fail_text(g->cli, err, "The server has not kept what was sent.",
		        "Nothing was announced. Send it again.");
	bool kept = err == TACIT_E_CANCELLED || err == TACIT_E_NETWORK;
	return fail_transfer(
	        g, err, kept ? "The same command goes on where this one ended." : NULL);
}

int send_file(struct cli *c, uint64_t conversation, const char *path)
{
	struct ground g;
	struct tacit_buf room = {0};
	struct tacit_file_ref file = {0};
	const struct upload u = {conversation, path};
	const char *slash = strrchr(path, '/');
	enum tacit_err err = prepare(&g, c, tacit_cstr(slash != NULL ? slash + 1 : path));
	if (err == TACIT_OK)
		err = transfer_upload(&g.transfer, &u, &file, &room);
	progress_end(&g.progress);
	int status =
	        err == TACIT_OK ? tell_about(c, conversation, &file) : fail_upload(&g, path, err);
	if (status == EXIT_DONE)
		tacit_ignore(transfer_upload_forget(&g.transfer, &u),
		        "a note left behind only costs the next upload of the file a question");
	if (status == EXIT_DONE)
		cli_note(c, "Sent %s, %s.", (const char *)g.label.p, term_bytes(file.size).text);
	tacit_content_wipe(&(struct tacit_content){.file = file});
	tacit_wipe(&file, sizeof(file));
	tacit_buf_clear(&room);
	release(&g);
	return status;
}

int cmd_file_send(struct cli *c, const struct args *a)
{
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	uint64_t conversation = cli_conversation(c, a->list[0]);
	for (int i = 1; conversation != 0 && status == EXIT_DONE && i < a->count; i++)
		status = send_file(c, conversation, a->list[i]);
	return conversation != 0 ? status : EXIT_FAILED;
}

/* --- finding a file by its id ---------------------------------------------------------------- */

#define MAX_NAME 1024

struct found {
	struct cli *cli;
	const char *prefix;
	size_t matches;
	struct tacit_file_ref ref; /* id and name point below */
	char id[65];
	char name[MAX_NAME];
	enum tacit_err err;
};

static enum tacit_err look_at(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct found *f = ctx;
	const struct tacit_file_ref *file = &n->content.file;
	size_t length = strlen(f->prefix);
	(void)position;
	if (n->kind != TACIT_NOTICE_MESSAGE || n->content.kind != TACIT_CONTENT_FILE ||
	        file->id.n < length || memcmp(file->id.p, f->prefix, length) != 0 ||
	        file->id.n >= sizeof(f->id) || file->name.n >= sizeof(f->name))
		return TACIT_OK;
	if (f->matches > 0 && tacit_bytes_eq(tacit_cstr(f->id), file->id))
		return TACIT_OK; /* announced twice */
	f->matches++;
	f->ref = *file;
	memcpy(f->id, file->id.p, file->id.n);
	f->id[file->id.n] = '\0';
	memcpy(f->name, file->name.p, file->name.n);
	f->ref.id = tacit_bytes(f->id, file->id.n);
	f->ref.name = tacit_bytes(f->name, file->name.n);
	return TACIT_OK;
}

static void look_through(void *ctx, const struct tacit_notice *n)
{
	struct found *f = ctx;
	struct host_span all = {n->conversation, UINT64_MAX, UINT64_MAX};
	if (f->err == TACIT_OK)
		f->err = host_history(f->cli->host, all, look_at, f);
}

/* In the local history; when it is not there, once more with what is new. */
static int find_file(struct cli *c, struct found *f)
{
	tacit_engine_each_conversation(host_engine(c->host), look_through, f);
	if (f->err == TACIT_OK && f->matches == 0) {
		int status = cli_sync(c);
		if (status != EXIT_DONE)
			return status;
		tacit_engine_each_conversation(host_engine(c->host), look_through, f);
	}
	if (f->err != TACIT_OK)
		return cli_fail(c, f->err, NULL);
	if (f->matches == 1)
		return EXIT_DONE;
	return cli_fail_text(c, TACIT_E_NOT_FOUND,
	        f->matches == 0 ? "No message has brought a file with that id."
	                        : "More than one file begins like that.",
	        "tacit history shows the files that came.");
}

/* --- down ------------------------------------------------------------------------------------ */

/* Where it goes: into a folder, or under the name that the person gave, or under its own, made
 * safe. */
static enum tacit_err choose_target(
        const struct tacit_file_ref *file, const char *out, struct tacit_buf *target)
{
	enum tacit_err err;
	struct stat st;
	char safe[TACIT_MAX_FILE_NAME + 1];
	tacit_file_name_safe(file->name, safe);
	if (out == NULL)
		TRY(tacit_buf_printf(target, "%s", safe));
	else if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		TRY(tacit_buf_printf(target, "%s/%s", out, safe));
	else
		TRY(tacit_buf_printf(target, "%s", out));
	TRY(tacit_buf_terminate(target));
out:
	return err;
}

static int fail_download(const struct ground *g, const char *target, enum tacit_err err)
{
	char text[400];
	if (err == TACIT_E_EXISTS) {
		snprintf(text, sizeof(text), "%s is there already.", target);
		return cli_fail_text(g->cli, err, text, "Name another place with -o.");
	}
	if (err == TACIT_E_BAD_SEAL)
		return cli_fail_text(g->cli, err,
		        "What the server has is not the file that was sent.",
		        "Nothing of it was kept.");
	bool kept = err == TACIT_E_CANCELLED || err == TACIT_E_NETWORK;
	return fail_transfer(
	        g, err, kept ? "The same command goes on where this one ended." : NULL);
}

static void tell_target(const struct cli *c, const struct tacit_file_ref *file, const char *target)
{
	if (c->json) {
		json_t *o = json_out_new("file_saved");
		json_out_text(o, "file", file->id);
		json_out_text(o, "path", tacit_cstr(target));
		json_out_number(o, "size", file->size);
		json_out_print(stdout, o);
		return;
	}
	if (c->quiet)
		return;
	printf("Saved ");
	term_put_text(stdout, tacit_cstr(target), TERM_ONE_LINE, 0);
	printf(", %s.\n", term_bytes(file->size).text);
}

int get_file(struct cli *c, const char *id, const char *out)
{
	struct ground g = {.cli = c};
	struct tacit_buf target = {0};
	struct found f = {.cli = c, .prefix = id};
	int status = find_file(c, &f);
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = choose_target(&f.ref, out, &target);
	if (err == TACIT_OK)
		err = prepare(&g, c, f.ref.name);
	if (err == TACIT_OK)
		err = transfer_download(&g.transfer, &f.ref, (const char *)target.p);
	progress_end(&g.progress);
	if (err == TACIT_OK)
		tell_target(c, &f.ref, (const char *)target.p);
	else
		status = fail_download(&g, target.n > 0 ? (const char *)target.p : id, err);
	tacit_wipe(&f, sizeof(f));
	tacit_buf_clear(&target);
	release(&g);
	return status;
}

int cmd_file_get(struct cli *c, const struct args *a)
{
	int status = cli_open(c, CLI_UNLOCKED);
	return status == EXIT_DONE ? get_file(c, a->list[0], cli_option(a, "output")) : status;
}
