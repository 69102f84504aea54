/* Over libedit. Its read function is replaced, so that waiting for a key can be interrupted by the
 * clock; what is printed meanwhile goes where the line was, and the line is drawn again below. */
#include "cli/line.h"

#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/term.h"

#define HISTORY_LINES 200

struct line {
	EditLine *edit;
	History *history;
	struct line_options options;
	struct tacit_buf text;
	int64_t next_tick_ms;
	bool stopped; /* by a signal or by tick */
	bool hidden;
};

/* libedit's callbacks get no context of ours but the EditLine; signals get nothing at all. */
static volatile sig_atomic_t resized;

static void on_signal(int signo)
{
	(void)signo;
	resized = 1;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct line *line_of(EditLine *edit)
{
	void *data = NULL;
	el_get(edit, EL_CLIENTDATA, &data);
	return data;
}

static char *give_prompt(EditLine *edit)
{
	return (char *)line_of(edit)->options.prompt;
}

/* --- reading keys ---------------------------------------------------------------------------- */

/* Waits for a byte or the next tick. False: reading ends. */
static bool wait_for_byte(struct line *l)
{
	for (;;) {
		int64_t ms = l->options.tick != NULL ? l->next_tick_ms - now_ms() : 0;
		struct timespec left = {0};
		if (ms > 0)
			left = (struct timespec){ms / 1000, ms % 1000 * 1000000};
		int ready = term_wait(STDIN_FILENO, l->options.tick != NULL ? &left : NULL);
		if (cli_cancelled) {
			l->stopped = true;
			return false;
		}
		if (resized) {
			resized = 0;
			el_resize(l->edit);
			el_set(l->edit, EL_REFRESH);
		}
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready == 0 && l->options.tick != NULL) {
			l->stopped = !l->options.tick(l->options.ctx);
			l->next_tick_ms = now_ms() + l->options.tick_ms;
			if (l->stopped)
				return false;
		}
	}
}

/* One character, put together from its bytes; what is not UTF-8 is skipped. */
static int get_char(EditLine *edit, wchar_t *out)
{
	struct line *l = line_of(edit);
	mbstate_t state = {0};
	for (;;) {
		char c;
		if (!wait_for_byte(l))
			return -1;
		ssize_t got = read(STDIN_FILENO, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		size_t n = mbrtowc(out, &c, 1, &state);
		if (n != (size_t)-1 && n != (size_t)-2)
			return 1;
		if (n == (size_t)-1)
			memset(&state, 0, sizeof(state));
	}
}

/* --- completion ------------------------------------------------------------------------------ */

static size_t common_prefix(struct tacit_bytes candidates)
{
	const uint8_t *end = memchr(candidates.p, '\n', candidates.n);
	size_t n = end != NULL ? (size_t)(end - candidates.p) : candidates.n;
	const uint8_t *first = candidates.p;
	while (end != NULL) {
		const uint8_t *next = end + 1;
		size_t i = 0;
		size_t left = candidates.n - (size_t)(next - candidates.p);
		while (i < n && i < left && next[i] == first[i])
			i++;
		n = i;
		end = memchr(next, '\n', left);
	}
	return n;
}

static void list_candidates(struct line *l, struct tacit_bytes candidates)
{
	line_hide(l);
	for (size_t i = 0; i < candidates.n; i++)
		if (candidates.p[i] == '\n')
			fputs("  ", stdout);
		else
			putchar(candidates.p[i]);
	putchar('\n');
	line_restore(l);
}

static unsigned char complete(EditLine *edit, int key)
{
	struct line *l = line_of(edit);
	const LineInfo *info = el_line(edit);
	struct tacit_buf before = {0};
	struct tacit_buf found = {0};
	unsigned char result = CC_NORM;
	size_t word = 0;
	(void)key;
	if (tacit_buf_append(&before,
	            tacit_bytes(info->buffer, (size_t)(info->cursor - info->buffer))) != TACIT_OK ||
	        tacit_buf_terminate(&before) != TACIT_OK)
		goto out;
	l->options.complete(l->options.ctx, (const char *)before.p, &word, &found);
	if (found.n == 0 || tacit_buf_terminate(&found) != TACIT_OK)
		goto out;
	bool single = memchr(found.p, '\n', found.n) == NULL;
	size_t common = common_prefix(tacit_buf_view(&found));
	if (!single && common <= word) {
		list_candidates(l, tacit_buf_view(&found));
		goto out;
	}
	found.n = common;
	if (tacit_buf_append(&found, single ? TACIT_STR(" ") : TACIT_STR("")) != TACIT_OK ||
	        tacit_buf_terminate(&found) != TACIT_OK)
		goto out;
	el_deletestr(edit, (int)word);
	if (el_insertstr(edit, (const char *)found.p) == 0)
		result = CC_REFRESH;
out:
	tacit_buf_clear(&before);
	tacit_buf_clear(&found);
	return result;
}

/* --- life ------------------------------------------------------------------------------------ */

static enum tacit_err set_up(struct line *l)
{
	HistEvent event;
	l->edit = el_init("tacit", stdin, stdout, stderr);
	l->history = history_init();
	if (l->edit == NULL || l->history == NULL)
		return TACIT_E_NOMEM;
	el_set(l->edit, EL_CLIENTDATA, l);
	el_set(l->edit, EL_PROMPT, give_prompt);
	el_set(l->edit, EL_EDITOR, "emacs");
	el_set(l->edit, EL_SIGNAL, 0);
	el_set(l->edit, EL_GETCFN, get_char);
	history(l->history, &event, H_SETSIZE, HISTORY_LINES);
	history(l->history, &event, H_SETUNIQUE, 1);
	el_set(l->edit, EL_HIST, history, l->history);
	el_set(l->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	if (l->options.complete != NULL) {
		el_set(l->edit, EL_ADDFN, "tacit-complete", "Complete a word", complete);
		el_set(l->edit, EL_BIND, "^I", "tacit-complete", NULL);
	}
	return TACIT_OK;
}

enum tacit_err line_open(const struct line_options *o, struct line **out)
{
	struct sigaction action = {.sa_handler = on_signal};
	*out = NULL;
	struct line *l = tacit_calloc(1, sizeof(*l));
	if (l == NULL)
		return TACIT_E_NOMEM;
	l->options = *o;
	enum tacit_err err = set_up(l);
	if (err != TACIT_OK) {
		line_close(l);
		return err;
	}
	sigaction(SIGWINCH, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	*out = l;
	return TACIT_OK;
}

void line_close(struct line *l)
{
	if (l == NULL)
		return;
	if (l->edit != NULL)
		el_end(l->edit);
	if (l->history != NULL)
		history_end(l->history);
	tacit_buf_clear(&l->text);
	tacit_free(l);
}

void line_prompt(struct line *l, const char *prompt)
{
	l->options.prompt = prompt;
}

enum tacit_err line_read(struct line *l, const char **text)
{
	enum tacit_err err = TACIT_OK;
	HistEvent event;
	int n = 0;
	*text = NULL;
	l->stopped = false;
	l->next_tick_ms = now_ms() + l->options.tick_ms;
	/* Before the prompt is shown, or a Ctrl-D typed right after it would be the old mode's. */
	el_set(l->edit, EL_PREP_TERM, 1);
	const char *got = el_gets(l->edit, &n);
	if (got == NULL || n <= 0) {
		fputc('\n', stdout);
		return l->stopped ? TACIT_E_CANCELLED : TACIT_E_TRUNCATED;
	}
	tacit_buf_clear(&l->text);
	while (n > 0 && (got[n - 1] == '\n' || got[n - 1] == '\r'))
		n--;
	TRY(tacit_buf_append(&l->text, tacit_bytes(got, (size_t)n)));
	TRY(tacit_buf_terminate(&l->text));
	*text = (const char *)l->text.p;
	if (n > 0)
		history(l->history, &event, H_ENTER, *text);
out:
	return err;
}

struct tacit_bytes line_text(const struct line *l)
{
	const LineInfo *info = el_line(l->edit);
	return tacit_bytes(info->buffer, (size_t)(info->lastchar - info->buffer));
}

/* --- output above the line ------------------------------------------------------------------- */

static void go_up_and_clear(size_t rows)
{
	if (rows > 0)
		printf("\x1b[%zuA", rows);
	fputs("\r\x1b[J", stdout);
	fflush(stdout);
}

void line_erase_last(struct line *l)
{
	size_t width =
	        term_width(tacit_cstr(l->options.prompt)) + term_width(tacit_buf_view(&l->text));
	go_up_and_clear(width / (size_t)term_columns() + 1);
}

void line_hide(struct line *l)
{
	const LineInfo *info = el_line(l->edit);
	size_t before = (size_t)(info->cursor - info->buffer);
	size_t columns = (size_t)term_columns();
	size_t width = term_width(tacit_cstr(l->options.prompt)) +
	               term_width(tacit_bytes(info->buffer, before));
	go_up_and_clear(width / columns);
	l->hidden = true;
}

void line_restore(struct line *l)
{
	fflush(stdout);
	if (l->hidden)
		el_set(l->edit, EL_REFRESH);
	l->hidden = false;
}
