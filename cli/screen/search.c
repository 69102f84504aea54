/* Ctrl-F: from the newest to the oldest, page by page. */
#include <string.h>

#include "cli/screen/state.h"

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool contains(struct tacit_bytes text, struct tacit_bytes needle)
{
	for (size_t at = 0; at + needle.n <= text.n; at++) {
		size_t i = 0;
		while (i < needle.n && lower(text.p[at + i]) == lower(needle.p[i]))
			i++;
		if (i == needle.n)
			return true;
	}
	return false;
}

void search_begin(struct screen *s)
{
	tacit_buf_clear(&s->aside);
	if (tacit_buf_append(&s->aside, edit_text(&s->edit)) != TACIT_OK ||
	        edit_set(&s->edit, TACIT_STR("")) != TACIT_OK)
		return;
	s->mode = MODE_SEARCHING;
	s->hit = UINT64_MAX;
	s->hunting = false;
}

void search_end(struct screen *s)
{
	s->mode = MODE_TYPING;
	s->hunting = false;
	tacit_ignore(edit_set(&s->edit, tacit_buf_view(&s->aside)), "then the line is empty");
	tacit_buf_clear(&s->aside);
}

static bool look(struct screen *s, struct dialog *d)
{
	const struct frame_input in = screen_frame(s);
	const struct pane pane = frame_pane(&in);
	for (size_t i = d->count; i > 0; i--) {
		const struct entry *e = &d->entries[i - 1];
		if (e->position >= s->hit ||
		        !contains(tacit_buf_view(&e->text), edit_text(&s->edit)))
			continue;
		s->hit = e->position;
		if (pane_show(&pane, d, i - 1) != TACIT_OK)
			s->broken = TACIT_E_NOMEM;
		return true;
	}
	return false;
}

void search_next(struct screen *s)
{
	struct dialog *d = model_chosen(&s->model);
	s->hunting = false;
	if (d == NULL || edit_text(&s->edit).n == 0) {
		search_end(s);
		return;
	}
	if (look(s, d)) {
		model_flash(&s->model, false,
		        TACIT_STR("Found; Enter looks for an older one, Esc ends."));
	} else if (!d->whole) {
		s->hunting = true;
		model_flash(&s->model, false, TACIT_STR("Looking further back..."));
		wish_page(s, d);
	} else {
		model_flash(&s->model, false, TACIT_STR("There is no older one. Esc ends."));
	}
}

void search_go_on(struct screen *s)
{
	if (s->mode == MODE_SEARCHING && s->hunting)
		search_next(s);
}
