#include "cli/screen/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "cli/term.h"

#define MAX_FRIENDS 4096 /* whose presence is remembered */

void model_clear(struct model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		dialog_clear(m->dialogs[i]);
		tacit_free(m->dialogs[i]);
	}
	for (size_t i = 0; i < m->friend_count; i++)
		tacit_buf_clear(&m->friends[i].username);
	tacit_free(m->dialogs);
	tacit_free(m->friends);
	tacit_buf_clear(&m->self);
	tacit_buf_clear(&m->why);
	tacit_buf_clear(&m->flash);
	*m = (struct model){0};
}

/* --- finding --------------------------------------------------------------------------------- */

struct dialog *model_chosen(const struct model *m)
{
	return m->chosen < m->count ? m->dialogs[m->chosen] : NULL;
}

struct dialog *model_find(const struct model *m, uint64_t id)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->dialogs[i]->id == id)
			return m->dialogs[i];
	return NULL;
}

static bool same_name(struct tacit_bytes a, struct tacit_bytes b)
{
	return a.n > 0 && a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

struct dialog *model_direct(const struct model *m, struct tacit_bytes username)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->dialogs[i]->kind == TACIT_DIRECT &&
		        same_name(tacit_buf_view(&m->dialogs[i]->username), username))
			return m->dialogs[i];
	return NULL;
}

static bool parse_number(const char *text, uint64_t *out)
{
	char *end = NULL;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

struct dialog *model_named(const struct model *m, const char *name)
{
	uint64_t number;
	struct dialog *found = NULL;
	if (name[0] == ':')
		return parse_number(name + 1, &number) ? model_find(m, number) : NULL;
	if (parse_number(name, &number) && number >= 1 && number <= m->count)
		return m->dialogs[number - 1];
	found = model_direct(m, tacit_cstr(name));
	for (size_t i = 0; i < m->count; i++) {
		if (m->dialogs[i]->kind == TACIT_DIRECT ||
		        !tacit_bytes_eq(tacit_buf_view(&m->dialogs[i]->title), tacit_cstr(name)))
			continue;
		if (found != NULL)
			return NULL;
		found = m->dialogs[i];
	}
	return found;
}

/* --- conversations --------------------------------------------------------------------------- */

static enum tacit_err add_dialog(struct model *m, struct dialog **out)
{
	if (m->count == m->cap) {
		size_t cap = m->cap > 0 ? 2 * m->cap : 16;
		struct dialog **grown = tacit_realloc(m->dialogs, cap * sizeof(struct dialog *));
		if (grown == NULL)
			return TACIT_E_NOMEM;
		m->dialogs = grown;
		m->cap = cap;
	}
	*out = tacit_calloc(1, sizeof(**out));
	return *out != NULL ? TACIT_OK : TACIT_E_NOMEM;
}

enum tacit_err model_describe(struct model *m, const struct tacit_notice *n)
{
	struct dialog *added = NULL;
	struct dialog *d = model_find(m, n->conversation);
	if (d != NULL)
		return dialog_describe(d, n);
	enum tacit_err err = add_dialog(m, &added);
	if (err == TACIT_OK)
		err = dialog_describe(added, n);
	if (err != TACIT_OK) {
		if (added != NULL)
			dialog_clear(added);
		tacit_free(added);
		return err;
	}
	added->anchor.following = true;
	added->oldest = UINT64_MAX;
	m->dialogs[m->count++] = added;
	return TACIT_OK;
}

static int newest_first(const void *a, const void *b)
{
	const struct dialog *const *x = a;
	const struct dialog *const *y = b;
	if ((*x)->newest != (*y)->newest)
		return (*x)->newest > (*y)->newest ? -1 : 1;
	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

void model_sort(struct model *m)
{
	const struct dialog *chosen = model_chosen(m);
	if (m->count > 1)
		qsort(m->dialogs, m->count, sizeof(struct dialog *), newest_first);
	for (size_t i = 0; i < m->count; i++)
		if (m->dialogs[i] == chosen)
			m->chosen = i;
}

/* --- choosing -------------------------------------------------------------------------------- */

void model_choose(struct model *m, size_t index)
{
	struct dialog *left = model_chosen(m);
	if (index >= m->count || index == m->chosen)
		return;
	if (left != NULL) {
		left->fresh = 0;
		left->anchor = (struct anchor){.following = true};
	}
	m->chosen = index;
	dialog_mark_fresh(m->dialogs[index]);
}

size_t model_next(const struct model *m, int by)
{
	return m->count > 0 ? (m->chosen + (by > 0 ? 1 : m->count - 1)) % m->count : 0;
}

size_t model_next_unread(const struct model *m)
{
	for (size_t i = 1; i < m->count; i++) {
		size_t at = (m->chosen + i) % m->count;
		if (m->dialogs[at]->unread > 0)
			return at;
	}
	return model_next(m, 1);
}

uint64_t model_unread_elsewhere(const struct model *m)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < m->count; i++)
		if (i != m->chosen)
			sum += m->dialogs[i]->unread;
	return sum;
}

/* --- people and the connection --------------------------------------------------------------- */

enum tacit_err model_set_presence(
        struct model *m, struct tacit_bytes username, enum presence presence)
{
	struct tacit_buf name = {0};
	for (size_t i = 0; i < m->friend_count; i++)
		if (same_name(tacit_buf_view(&m->friends[i].username), username)) {
			m->friends[i].presence = presence;
			return TACIT_OK;
		}
	if (m->friend_count == MAX_FRIENDS)
		return TACIT_OK;
	enum tacit_err err = tacit_buf_append(&name, username);
	if (err != TACIT_OK)
		return err;
	struct friend *grown = tacit_realloc(m->friends, (m->friend_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		tacit_buf_clear(&name);
		return TACIT_E_NOMEM;
	}
	m->friends = grown;
	m->friends[m->friend_count++] = (struct friend){name, presence};
	return TACIT_OK;
}

enum presence model_presence(const struct model *m, const struct dialog *d)
{
	bool online = m->link == RUNNER_ONLINE; /* else what was heard is old */
	for (size_t i = 0; online && d->kind == TACIT_DIRECT && i < m->friend_count; i++)
		if (same_name(
		            tacit_buf_view(&m->friends[i].username), tacit_buf_view(&d->username)))
			return m->friends[i].presence;
	return PRESENCE_UNKNOWN;
}

void model_set_link(struct model *m, const struct runner_event *ev, int64_t now)
{
	struct tacit_bytes why = ev->text.n > 0 ? ev->text : tacit_cstr(tacit_err_text(ev->err));
	m->link = ev->link;
	m->retry_at = ev->seconds > 0 ? now + ev->seconds : 0;
	tacit_buf_clear(&m->why);
	if (ev->link == RUNNER_OFFLINE && term_clean(why, TERM_ONE_LINE, 0, &m->why) != TACIT_OK)
		tacit_buf_clear(&m->why);
}

void model_flash(struct model *m, bool loud, struct tacit_bytes text)
{
	tacit_buf_clear(&m->flash);
	m->flash_loud = loud;
	m->flash_until = 0;
	if (term_clean(text, TERM_ONE_LINE, 0, &m->flash) != TACIT_OK)
		tacit_buf_clear(&m->flash);
}
