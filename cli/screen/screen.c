#include "cli/screen/screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/screen/state.h"
#include "cli/screen/terminal.h"

#define PROMPT_TYPING "> "
#define PROMPT_SEARCHING "search: "
#define FLASH_LASTS 10 /* seconds, or until the next key */
#define NEWEST_EVERY 5 /* seconds: other processes of the profile write into the history, too */

bool screen_possible(const struct cli *c)
{
	const char *term = getenv("TERM");
	return !c->json && term_is_tty(stdin) && term_is_tty(stdout) && term != NULL &&
	       term[0] != '\0' && strcmp(term, "dumb") != 0;
}

struct frame_input screen_frame(const struct screen *s)
{
	return (struct frame_input){
	        .columns = s->columns,
	        .rows = s->rows,
	        .now = screen_now(s),
	        .prompt = s->mode == MODE_SEARCHING ? PROMPT_SEARCHING : PROMPT_TYPING,
	        .model = &s->model,
	        .edit = &s->edit,
	};
}

static void draw(struct screen *s)
{
	const struct frame_input in = screen_frame(s);
	enum tacit_err err = frame_compose(&in, &s->frame);
	if (err == TACIT_OK)
		draw_frame(&s->frame);
	else
		s->broken = err;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void take_keys(struct screen *s)
{
	for (;;) {
		struct keystroke key = keys_next();
		if (key.press == PRESS_NONE)
			return;
		if (s->leaving && (key.press == PRESS_CTRL || key.press == PRESS_ENTER))
			s->leaving_now = true;
		screen_on_key(s, &key);
		screen_tell_typing(s);
	}
}

static void take_events(struct screen *s)
{
	struct runner_event *ev;
	while ((ev = runner_next(s->runner)) != NULL) {
		screen_on_event(s, ev);
		runner_event_free(ev);
	}
}

/* What was written and not taken over by the engine yet would be lost; a file would only be half
 * there. */
static bool is_over(struct screen *s)
{
	size_t waiting = wish_count(s, WISH_SEND) + wish_count(s, WISH_TRANSFER);
	if (s->broken != TACIT_OK || s->leaving_now || cli_cancelled)
		return true;
	if (s->leaving && waiting > 0)
		model_flash(&s->model, true,
		        TACIT_STR("Sending what was written; Ctrl-C leaves at once."));
	return s->leaving && waiting == 0;
}

/* Clocks run while nothing comes: the next try, who types, how far a file is. */
static const struct timespec *patience(const struct screen *s)
{
	static const struct timespec second = {.tv_sec = 1};
	static const struct timespec moment = {.tv_nsec = 200000000};
	return wish_count(s, WISH_TRANSFER) > 0 ? &moment : &second;
}

static void look_for_newest(struct screen *s)
{
	struct dialog *d = model_chosen(&s->model);
	if (d == NULL || !s->listed || screen_now(s) < s->newest_at)
		return;
	s->newest_at = screen_now(s) + NEWEST_EVERY;
	wish_newest(s, d);
}

/* Nobody needs to press a key to see the connection again. */
static void let_flash_pass(struct screen *s)
{
	struct model *m = &s->model;
	if (m->flash.n > 0 && m->flash_until == 0)
		m->flash_until = screen_now(s) + FLASH_LASTS;
	else if (m->flash.n > 0 && screen_now(s) >= m->flash_until)
		tacit_buf_clear(&m->flash);
}

static void turn(struct screen *s, int woken)
{
	if (woken & WOKEN_STOP)
		s->stopping = true;
	if (woken & WOKEN_KEYS)
		take_keys(s);
	if (woken & WOKEN_FD)
		take_events(s);
	if (s->stopping)
		terminal_stop();
	if (s->stopping || s->redraw || (woken & WOKEN_SIZE))
		terminal_resize(&s->columns, &s->rows);
	s->stopping = s->redraw = false;
	if (wish_count(s, WISH_TRANSFER) > 0)
		transfer_report(s);
	let_flash_pass(s);
	look_for_newest(s);
	screen_attend(s);
}

static void loop(struct screen *s)
{
	terminal_resize(&s->columns, &s->rows);
	wish_list(s);
	draw(s);
	while (!is_over(s)) {
		int woken = terminal_wait(runner_fd(s->runner), patience(s));
		if (cli_cancelled)
			break;
		turn(s, woken);
		draw(s);
	}
}

/* --- life ------------------------------------------------------------------------------------ */

static void clear(struct screen *s)
{
	for (size_t i = 0; i < s->wish_count; i++)
		transfer_free(s->wishes[i].job);
	tacit_free(s->wishes);
	model_clear(&s->model);
	edit_clear(&s->edit);
	frame_clear(&s->frame);
	tacit_buf_clear(&s->paste);
	tacit_buf_clear(&s->aside);
	tacit_buf_clear(&s->safety_of);
	tacit_free(s);
}

static enum tacit_err begin(struct screen *s, struct cli *c)
{
	enum tacit_err err;
	s->env = host_env(c->host);
	TRY(tacit_buf_append(&s->model.self, tacit_engine_username(host_engine(c->host))));
	TRY(runner_start(c->host, RUNNER_LIVE, &s->runner));
out:
	return err;
}

int screen_run(struct cli *c, uint64_t conversation, bool *shown)
{
	struct screen *s = tacit_calloc(1, sizeof(*s));
	*shown = false;
	if (s == NULL)
		return cli_fail(c, TACIT_E_NOMEM, NULL);
	s->first = conversation;
	enum tacit_err err = terminal_open();
	if (err == TACIT_E_UNSUPPORTED) {
		clear(s);
		return EXIT_DONE;
	}
	*shown = true;
	draw_styles();
	keys_define();
	err = begin(s, c);
	if (err == TACIT_OK)
		loop(s);
	if (err == TACIT_OK)
		err = s->broken;
	terminal_close();
	runner_stop(s->runner);
	clear(s);
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}
