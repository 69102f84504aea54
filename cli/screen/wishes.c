/* What was asked of the runner, and why. */
#include "base/alloc.h"
#include "cli/screen/state.h"

static void complain(struct screen *s, enum tacit_err err)
{
	if (err != TACIT_OK)
		model_flash(&s->model, true, tacit_cstr(tacit_err_text(err)));
}

void wish_keep(struct screen *s, const struct wish *wish)
{
	if (s->wish_count == s->wish_cap) {
		size_t cap = s->wish_cap > 0 ? 2 * s->wish_cap : 16;
		struct wish *grown = tacit_realloc(s->wishes, cap * sizeof(*grown));
		if (grown == NULL) {
			complain(s, TACIT_E_NOMEM);
			return;
		}
		s->wishes = grown;
		s->wish_cap = cap;
	}
	s->wishes[s->wish_count++] = *wish;
}

void wish_post(struct screen *s, const struct tacit_command *c, const struct wish *wish)
{
	struct wish posted = *wish;
	enum tacit_err err = runner_post(s->runner, c, &posted.ticket);
	if (err == TACIT_OK)
		wish_keep(s, &posted);
	complain(s, err);
}

const struct wish *wish_find(const struct screen *s, uint64_t ticket)
{
	for (size_t i = 0; i < s->wish_count; i++)
		if (s->wishes[i].ticket == ticket)
			return &s->wishes[i];
	return NULL;
}

bool wish_take(struct screen *s, uint64_t ticket, struct wish *out)
{
	const struct wish *found = wish_find(s, ticket);
	if (found == NULL)
		return false;
	*out = *found;
	s->wishes[found - s->wishes] = s->wishes[--s->wish_count];
	return true;
}

size_t wish_count(const struct screen *s, enum wish_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < s->wish_count; i++)
		count += s->wishes[i].kind == kind;
	return count;
}

void wish_list(struct screen *s)
{
	struct wish list = {.kind = WISH_LIST};
	if (wish_count(s, WISH_LIST) > 0)
		return;
	enum tacit_err err = runner_conversations(s->runner, &list.ticket);
	if (err == TACIT_OK)
		wish_keep(s, &list);
	complain(s, err);
}

static void read_history(struct screen *s, struct host_span span, enum wish_kind kind)
{
	struct wish page = {.kind = kind, .conversation = span.conversation};
	enum tacit_err err = runner_history(s->runner, span, &page.ticket);
	if (err == TACIT_OK)
		wish_keep(s, &page);
	complain(s, err);
}

void wish_page(struct screen *s, struct dialog *d)
{
	if (d->asked || d->whole)
		return;
	d->asked = true;
	d->got = 0;
	read_history(s, (struct host_span){d->id, d->oldest, SCREEN_PAGE}, WISH_PAGE);
}

void wish_newest(struct screen *s, struct dialog *d)
{
	if (!d->asked && wish_count(s, WISH_NEWEST) == 0)
		read_history(
		        s, (struct host_span){d->id, UINT64_MAX, SCREEN_PAGE / 4}, WISH_NEWEST);
}
