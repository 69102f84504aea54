/* Files up and down, as jobs at the runner's side. A job's fields belong to that thread until its
 * end has been told; only the progress is read before. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/screen/state.h"
#include "cli/term.h"
#include "client/transfer.h"
#include "wire/names.h"

#define RETRY_MS 500

enum direction { UP, DOWN };

struct transfer_job {
	enum direction direction;
	uint64_t conversation;
	struct tacit_buf path;          /* up: what to send; down: where it went. NUL-terminated */
	struct tacit_buf name;          /* for the person; clean */
	char id[TACIT_MAX_FILE_ID + 1]; /* down: its beginning */
	atomic_uint_least64_t done, total;
	struct runner *runner;
	struct host *host;
	struct transfer transfer;
	volatile sig_atomic_t cancel;
	struct tacit_secret cookie; /* a copy: a note may make the host build its engine anew */
	struct tacit_file_ref file; /* down */
	struct tacit_buf room;
	size_t matches;
};

void transfer_free(struct transfer_job *job)
{
	if (job == NULL)
		return;
	tacit_secret_free(&job->cookie);
	tacit_buf_clear(&job->path);
	tacit_buf_clear(&job->name);
	tacit_buf_clear(&job->room);
	tacit_wipe(&job->file, sizeof(job->file));
	tacit_free(job);
}

/* --- in the side's thread ------------------------------------------------------------------ */

static enum tacit_err note_get(void *ctx, struct tacit_bytes name, struct tacit_buf *value)
{
	struct transfer_job *job = ctx;
	return host_note_get(job->host, name, value);
}

static enum tacit_err note_put(void *ctx, struct tacit_bytes name, struct tacit_bytes value)
{
	struct transfer_job *job = ctx;
	return host_note_put(job->host, name, value);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct transfer_job *job = ctx;
	atomic_store(&job->done, done);
	atomic_store(&job->total, total);
	if (runner_cancelled(job->runner))
		job->cancel = 1;
}

static enum tacit_err prepare(struct transfer_job *job, struct runner *r, struct host *h)
{
	job->runner = r;
	job->host = h;
	enum tacit_err err = tacit_secret_copy(&job->cookie, tacit_engine_cookie(host_engine(h)));
	job->transfer = (struct transfer){
	        .http = host_http(h),
	        .env = host_env(h),
	        .cookie = tacit_secret_view(&job->cookie),
	        .cancel = &job->cancel,
	        .note_get = note_get,
	        .note_put = note_put,
	        .progress = on_progress,
	        .ctx = job,
	        .retry_ms = RETRY_MS,
	};
	return err;
}

static void pass_on(void *ctx, const struct tacit_notice *n)
{
	tacit_ignore(runner_tell(ctx, n), "it is in the history, which is read again");
}

static enum tacit_err run_up(struct runner *r, struct host *h, void *ctx)
{
	enum tacit_err err;
	struct transfer_job *job = ctx;
	struct tacit_content content = {.kind = TACIT_CONTENT_FILE};
	const struct upload u = {job->conversation, (const char *)job->path.p};
	TRY(prepare(job, r, h));
	TRY(transfer_upload(&job->transfer, &u, &content.file, &job->room));
	content.sent_at = tacit_env_now(host_env(h));
	const struct tacit_command send = {
	        .kind = TACIT_CMD_SEND, .conversation = job->conversation, .content = &content};
	TRY(host_run(h, &send, pass_on, r));
	tacit_ignore(transfer_upload_forget(&job->transfer, &u),
	        "a note left behind only costs the next upload of the file a question");
out:
	tacit_content_wipe(&content);
	return err;
}

static enum tacit_err keep_file(struct transfer_job *job, const struct tacit_file_ref *file)
{
	enum tacit_err err;
	tacit_buf_clear(&job->room);
	TRY(tacit_buf_reserve(&job->room, file->id.n + file->name.n + 1));
	TRY(tacit_buf_append(&job->room, file->id));
	TRY(tacit_buf_append(&job->room, file->name));
	job->file = *file;
	job->file.id = tacit_bytes(job->room.p, file->id.n);
	job->file.name = tacit_bytes(job->room.p + file->id.n, file->name.n);
	job->file.type = tacit_bytes(NULL, 0);
	job->matches++;
out:
	return err;
}

static enum tacit_err look_at(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct transfer_job *job = ctx;
	const struct tacit_file_ref *file = &n->content.file;
	size_t length = strlen(job->id);
	(void)position;
	if (n->kind != TACIT_NOTICE_MESSAGE || n->content.kind != TACIT_CONTENT_FILE ||
	        file->id.n < length || memcmp(file->id.p, job->id, length) != 0 ||
	        (job->matches > 0 && tacit_bytes_eq(job->file.id, file->id)))
		return TACIT_OK;
	return keep_file(job, file);
}

/* In this folder, under its own name made safe; what is there already stays. */
static enum tacit_err run_down(struct runner *r, struct host *h, void *ctx)
{
	enum tacit_err err;
	struct transfer_job *job = ctx;
	char safe[TACIT_MAX_FILE_NAME + 1];
	const struct host_span all = {job->conversation, UINT64_MAX, UINT64_MAX};
	TRY(prepare(job, r, h));
	TRY(host_history(h, all, look_at, job));
	if (job->matches != 1) {
		snprintf(job->transfer.problem, sizeof(job->transfer.problem), "%s",
		        job->matches == 0 ? "No message here has brought a file with that id."
		                          : "More than one file begins like that.");
		return TACIT_E_NOT_FOUND;
	}
	tacit_file_name_safe(job->file.name, safe);
	TRY(tacit_buf_printf(&job->path, "%s", safe));
	TRY(tacit_buf_terminate(&job->path));
	TRY(transfer_download(&job->transfer, &job->file, (const char *)job->path.p));
out:
	return err;
}

/* --- in the screen's ------------------------------------------------------------------------- */

static void start(struct screen *s, struct transfer_job *job, runner_job_fn *run)
{
	struct wish wish = {.kind = WISH_TRANSFER, .conversation = job->conversation, .job = job};
	size_t before = s->wish_count;
	/* The place is taken first: a job whose end nobody hears of could not be freed. */
	wish_keep(s, &wish);
	if (s->wish_count == before) {
		transfer_free(job);
		return;
	}
	enum tacit_err err = runner_side_job(s->runner, run, job, &s->wishes[before].ticket);
	if (err == TACIT_OK)
		return;
	s->wish_count = before;
	transfer_free(job);
	model_flash(&s->model, true, tacit_cstr(tacit_err_text(err)));
}

static enum tacit_err expand_home(const char *path, struct tacit_buf *out)
{
	const char *home = path[0] == '~' && path[1] == '/' ? getenv("HOME") : NULL;
	enum tacit_err err = tacit_buf_printf(
	        out, "%s%s", home != NULL ? home : "", home != NULL ? path + 1 : path);
	return err == TACIT_OK ? tacit_buf_terminate(out) : err;
}

void transfer_send(struct screen *s, struct dialog *d, const char *path)
{
	enum tacit_err err = TACIT_E_NOMEM;
	const char *slash = strrchr(path, '/');
	struct transfer_job *job = tacit_calloc(1, sizeof(*job));
	if (job == NULL)
		goto out;
	job->direction = UP;
	job->conversation = d->id;
	TRY(expand_home(path, &job->path));
	TRY(term_clean(tacit_cstr(slash != NULL ? slash + 1 : path), TERM_ONE_LINE, 0, &job->name));
	start(s, job, run_up);
	job = NULL;
out:
	transfer_free(job);
	if (err != TACIT_OK)
		model_flash(&s->model, true, tacit_cstr(tacit_err_text(err)));
}

void transfer_get(struct screen *s, const char *id)
{
	struct dialog *d = model_chosen(&s->model);
	struct transfer_job *job = tacit_calloc(1, sizeof(*job));
	if (d == NULL || job == NULL || strlen(id) >= sizeof(job->id)) {
		model_flash(&s->model, true, TACIT_STR("There is no such file here."));
		transfer_free(job);
		return;
	}
	job->direction = DOWN;
	job->conversation = d->id;
	memcpy(job->id, id, strlen(id) + 1);
	tacit_ignore(term_clean(tacit_cstr(id), TERM_ONE_LINE, 0, &job->name),
	        "without memory it goes without a name");
	start(s, job, run_down);
}

static enum tacit_err say_failed(
        const struct transfer_job *job, const struct runner_event *ev, struct tacit_buf *text)
{
	enum tacit_err err;
	const char *problem = job->transfer.problem;
	bool kept = ev->err == TACIT_E_CANCELLED || ev->err == TACIT_E_NETWORK;
	bool named = job->direction == DOWN && job->path.n > 0;
	TRY(tacit_buf_append(text, tacit_buf_view(named ? &job->path : &job->name)));
	TRY(tacit_buf_append(text, TACIT_STR(": ")));
	if (ev->err == TACIT_E_EXISTS)
		TRY(tacit_buf_append(text, TACIT_STR("a file of that name is here already.")));
	else if (ev->err == TACIT_E_BAD_SEAL)
		TRY(tacit_buf_append(text, TACIT_STR("what the server has is not the file that was "
		                                     "sent. Nothing of it was kept.")));
	else if (problem[0] != '\0')
		TRY(tacit_buf_append(text, tacit_cstr(problem)));
	else
		TRY(tacit_buf_append(
		        text, ev->text.n > 0 ? ev->text : tacit_cstr(tacit_err_text(ev->err))));
	if (kept)
		TRY(tacit_buf_append(
		        text, TACIT_STR(" The same command goes on where this one ended.")));
out:
	return err;
}

static enum tacit_err say_done(const struct transfer_job *job, struct tacit_buf *text)
{
	if (job->direction == UP)
		return tacit_buf_printf(text, "Sent %.*s, %s.", (int)job->name.n,
		        job->name.n > 0 ? (const char *)job->name.p : "",
		        term_bytes(atomic_load(&job->total)).text);
	return tacit_buf_printf(text, "Saved ./%s, %s.", (const char *)job->path.p,
	        term_bytes(job->file.size).text);
}

void transfer_ended(struct screen *s, struct transfer_job *job, const struct runner_event *ev)
{
	struct tacit_buf text = {0};
	enum tacit_err err =
	        ev->err == TACIT_OK ? say_done(job, &text) : say_failed(job, ev, &text);
	struct dialog *d = model_find(&s->model, job->conversation);
	if (err == TACIT_OK)
		model_flash(&s->model, ev->err != TACIT_OK, tacit_buf_view(&text));
	if (err == TACIT_OK && d != NULL)
		err = dialog_add_aside(d, screen_now(s), ENTRY_ASIDE, tacit_buf_view(&text));
	if (err != TACIT_OK)
		s->broken = err;
	if (d != NULL && job->direction == UP)
		wish_newest(s, d);
	tacit_buf_clear(&text);
	transfer_free(job);
}

/* They follow one another: the first that was asked for. */
static const struct transfer_job *under_way(const struct screen *s)
{
	const struct wish *first = NULL;
	for (size_t i = 0; i < s->wish_count; i++)
		if (s->wishes[i].job != NULL &&
		        (first == NULL || s->wishes[i].ticket < first->ticket))
			first = &s->wishes[i];
	return first != NULL ? first->job : NULL;
}

bool transfer_report(struct screen *s)
{
	enum tacit_err err;
	struct tacit_buf text = {0};
	const struct transfer_job *job = under_way(s);
	size_t waiting = wish_count(s, WISH_TRANSFER);
	if (job == NULL)
		return false;
	uint64_t done = atomic_load(&job->done);
	uint64_t total = atomic_load(&job->total);
	TRY(tacit_buf_printf(&text, "%s %.*s: %s of %s",
	        job->direction == UP ? "Sending" : "Fetching", (int)job->name.n,
	        job->name.n > 0 ? (const char *)job->name.p : "", term_bytes(done).text,
	        term_bytes(total).text));
	if (waiting > 1)
		TRY(tacit_buf_printf(&text, ", %zu more after it", waiting - 1));
	TRY(tacit_buf_append(&text, TACIT_STR(" (Ctrl-C breaks off)")));
	model_flash(&s->model, false, tacit_buf_view(&text));
out:
	tacit_buf_clear(&text);
	return true;
}

bool transfer_cancel(struct screen *s)
{
	bool any = false;
	for (size_t i = 0; i < s->wish_count; i++) {
		if (s->wishes[i].kind != WISH_TRANSFER)
			continue;
		runner_cancel(s->runner, s->wishes[i].ticket);
		any = true;
	}
	return any;
}
