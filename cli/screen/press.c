/* Keys: what each does. */
#include <string.h>

#include "cli/screen/state.h"

/* --- pasting --------------------------------------------------------------------------------- */

/* Between the marks of a bracketed paste everything is text. */
static bool take_paste(struct screen *s, const struct keystroke *key)
{
	struct tacit_bytes text = tacit_bytes(key->text, key->n);
	if (key->press == PRESS_ENTER || key->press == PRESS_ALT_ENTER)
		text = TACIT_STR("\n");
	else if (key->press == PRESS_TAB)
		text = TACIT_STR("\t");
	else if (key->press == PRESS_ALT) /* an escape character, which goes, and this */
		text = tacit_bytes(&key->letter, 1);
	else if (key->press != PRESS_TEXT && key->press != PRESS_CTRL && key->press != PRESS_ALT &&
	         key->press != PRESS_ESCAPE && key->press != PRESS_OTHER)
		return false;
	if (s->paste.n + text.n <= TACIT_MAX_TEXT && tacit_buf_append(&s->paste, text) != TACIT_OK)
		s->broken = TACIT_E_NOMEM;
	return true;
}

static void end_paste(struct screen *s)
{
	s->pasting = false;
	if (edit_paste(&s->edit, tacit_buf_view(&s->paste)) != TACIT_OK)
		s->broken = TACIT_E_NOMEM;
	tacit_buf_clear(&s->paste);
}

/* --- completing ------------------------------------------------------------------------------ */

static size_t common_front(struct tacit_bytes lines)
{
	const uint8_t *end = memchr(lines.p, '\n', lines.n);
	size_t n = end != NULL ? (size_t)(end - lines.p) : lines.n;
	while (end != NULL) {
		const uint8_t *next = end + 1;
		size_t left = lines.n - (size_t)(next - lines.p);
		size_t i = 0;
		while (i < n && i < left && next[i] == lines.p[i])
			i++;
		n = i;
		end = memchr(next, '\n', left);
	}
	return n;
}

/* What fits is put in as far as it is certain; else all that fits is shown. False: nothing fits. */
static bool put_candidates(struct screen *s, size_t word, struct tacit_buf *found)
{
	enum tacit_err err;
	bool single = memchr(found->p, '\n', found->n) == NULL;
	size_t common = common_front(tacit_buf_view(found));
	if (!single && common <= word) {
		model_flash(&s->model, false, tacit_buf_view(found));
		return true;
	}
	bool open = found->p[common - 1] == '/'; /* a folder: there is more to come */
	found->n = common;
	TRY(edit_replace(&s->edit, word, tacit_buf_view(found)));
	if (single && !open)
		TRY(edit_insert(&s->edit, TACIT_STR(" ")));
out:
	return err == TACIT_OK;
}

static bool complete(struct screen *s)
{
	bool any = false;
	size_t word = 0;
	struct tacit_buf before = {0};
	struct tacit_buf found = {0};
	struct tacit_bytes typed = tacit_bytes_part(edit_text(&s->edit), 0, s->edit.now.cursor);
	if (typed.n == 0 || tacit_buf_append(&before, typed) != TACIT_OK ||
	        tacit_buf_terminate(&before) != TACIT_OK)
		goto out;
	if (slash_complete(&s->model, (const char *)before.p, &word, &found) == TACIT_OK &&
	        found.n > 0)
		any = put_candidates(s, word, &found);
out:
	tacit_buf_clear(&before);
	tacit_buf_clear(&found);
	return any;
}

/* --- moving about ---------------------------------------------------------------------------- */

static void scroll(struct screen *s, long pages)
{
	const struct frame_input in = screen_frame(s);
	const struct pane pane = frame_pane(&in);
	struct dialog *d = model_chosen(&s->model);
	long page = pane.rows > 2 ? (long)pane.rows - 2 : 1;
	if (d != NULL && pane_scroll(&pane, d, pages * page) != TACIT_OK)
		s->broken = TACIT_E_NOMEM;
}

static void go_to_newest(struct screen *s)
{
	struct dialog *d = model_chosen(&s->model);
	if (d != NULL)
		d->anchor = (struct anchor){.following = true};
}

/* --- keys ------------------------------------------------------------------------------------ */

static enum tacit_err move_or_edit(struct screen *s, const struct keystroke *key)
{
	static const struct {
		enum press press;
		enum edit_move move;
	} moves[] = {
	        {PRESS_LEFT, EDIT_LEFT},
	        {PRESS_RIGHT, EDIT_RIGHT},
	        {PRESS_UP, EDIT_UP},
	        {PRESS_DOWN, EDIT_DOWN},
	        {PRESS_WORD_LEFT, EDIT_WORD_LEFT},
	        {PRESS_WORD_RIGHT, EDIT_WORD_RIGHT},
	        {PRESS_HOME, EDIT_LINE_START},
	        {PRESS_END, EDIT_LINE_END},
	};
	if (key->press == PRESS_BACKSPACE)
		return edit_delete(&s->edit, EDIT_LEFT);
	if (key->press == PRESS_DELETE)
		return edit_delete(&s->edit, EDIT_RIGHT);
	if (key->press == PRESS_ALT_ENTER && s->mode == MODE_TYPING)
		return edit_insert(&s->edit, TACIT_STR("\n"));
	for (size_t i = 0; i < TACIT_COUNT(moves); i++)
		if (moves[i].press == key->press)
			return edit_move(&s->edit, moves[i].move);
	return TACIT_OK;
}

static void on_text(struct screen *s, const struct keystroke *key)
{
	enum tacit_err err = edit_insert(&s->edit, tacit_bytes(key->text, key->n));
	if (err == TACIT_E_TOO_LARGE)
		model_flash(&s->model, true, TACIT_STR("That is as long as a message can be."));
	else if (err == TACIT_E_NOMEM)
		s->broken = err;
	if (s->mode == MODE_SEARCHING)
		s->hit = UINT64_MAX;
}

static void on_ctrl_c(struct screen *s)
{
	if (transfer_cancel(s))
		return;
	if (s->mode == MODE_SEARCHING)
		search_end(s);
	else if (edit_text(&s->edit).n > 0)
		tacit_ignore(edit_kill_all(&s->edit), "then it stays");
	else
		s->leaving = true;
}

static void on_ctrl_d(struct screen *s)
{
	if (edit_text(&s->edit).n > 0)
		tacit_ignore(edit_delete(&s->edit, EDIT_RIGHT), "then it stays");
	else if (s->mode == MODE_SEARCHING)
		search_end(s);
	else
		s->leaving = true;
}

static enum tacit_err on_ctrl(struct screen *s, char letter)
{
	switch (letter) {
	case 'A':
		return edit_move(&s->edit, EDIT_LINE_START);
	case 'B':
		return edit_move(&s->edit, EDIT_LEFT);
	case 'E':
		return edit_move(&s->edit, EDIT_LINE_END);
	case 'K':
		return edit_kill(&s->edit, EDIT_LINE_END);
	case 'U':
		return edit_kill(&s->edit, EDIT_LINE_START);
	case 'W':
		return edit_kill(&s->edit, EDIT_WORD_LEFT);
	case 'Y':
		return edit_yank(&s->edit);
	case '_':
		edit_undo(&s->edit);
		break;
	case 'C':
		on_ctrl_c(s);
		break;
	case 'D':
		on_ctrl_d(s);
		break;
	case 'F':
		if (s->mode == MODE_SEARCHING)
			search_next(s);
		else
			search_begin(s);
		break;
	case 'G':
		screen_fetch_newest_file(s);
		break;
	case 'L':
		s->redraw = true;
		break;
	case 'N':
		screen_choose(s, model_next(&s->model, 1));
		break;
	case 'P':
		screen_choose(s, model_next(&s->model, -1));
		break;
	case 'Z':
		s->stopping = true;
		break;
	default:
		break;
	}
	return TACIT_OK;
}

static enum tacit_err on_alt(struct screen *s, char letter)
{
	if (letter >= '1' && letter <= '9')
		screen_choose(s, (size_t)(letter - '1'));
	else if (letter == '0')
		screen_choose(s, 9);
	else if (letter == 'b')
		return edit_move(&s->edit, EDIT_WORD_LEFT);
	else if (letter == 'f')
		return edit_move(&s->edit, EDIT_WORD_RIGHT);
	else if (letter == 'd')
		return edit_kill(&s->edit, EDIT_WORD_RIGHT);
	return TACIT_OK;
}

static void on_tab(struct screen *s)
{
	if (!complete(s) && edit_text(&s->edit).n == 0)
		screen_choose(s, model_next_unread(&s->model));
}

/* In an empty line, Home and End are about the conversation. */
static bool is_about_pane(const struct screen *s, const struct keystroke *key)
{
	const struct dialog *d = model_chosen(&s->model);
	return key->press == PRESS_END && d != NULL && !d->anchor.following &&
	       (edit_text(&s->edit).n == 0 || s->mode == MODE_SEARCHING);
}

static enum tacit_err on_other(struct screen *s, const struct keystroke *key)
{
	switch (key->press) {
	case PRESS_CTRL:
		return on_ctrl(s, key->letter);
	case PRESS_ALT:
		return on_alt(s, key->letter);
	case PRESS_ENTER:
		if (s->mode == MODE_SEARCHING)
			search_next(s);
		else
			screen_enter(s);
		break;
	case PRESS_TAB:
		on_tab(s);
		break;
	case PRESS_BACK_TAB:
		screen_choose(s, model_next(&s->model, -1));
		break;
	case PRESS_ESCAPE:
		if (s->mode == MODE_SEARCHING)
			search_end(s);
		break;
	case PRESS_PAGE_UP:
		scroll(s, 1);
		break;
	case PRESS_PAGE_DOWN:
		scroll(s, -1);
		break;
	case PRESS_PASTE_BEGIN:
		s->pasting = true;
		break;
	default:
		return move_or_edit(s, key);
	}
	return TACIT_OK;
}

void screen_on_key(struct screen *s, const struct keystroke *key)
{
	if (s->pasting && take_paste(s, key))
		return;
	if (s->pasting) {
		end_paste(s);
		if (key->press == PRESS_PASTE_END)
			return;
	}
	tacit_buf_clear(&s->model.flash);
	if (key->press == PRESS_TEXT)
		on_text(s, key);
	else if (is_about_pane(s, key))
		go_to_newest(s);
	else if (on_other(s, key) == TACIT_E_NOMEM)
		s->broken = TACIT_E_NOMEM;
}
