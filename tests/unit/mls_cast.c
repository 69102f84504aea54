#include "mls_cast.h"

#include <string.h>

bool cast_init(struct cast *c, uint16_t suite)
{
	static const char *const names[PEOPLE] = {"ann", "bob", "cat", "dan"};
	const struct tacit_mls_suite *s = tacit_mls_suite_find(suite);
	*c = (struct cast){0};
	for (size_t i = 0; i < PEOPLE; i++)
		if (!CHECK_OK(person_init(&c->p[i], s, names[i])))
			return false;
	return true;
}

void cast_clear(struct cast *c)
{
	for (size_t i = 0; i < PEOPLE; i++)
		person_clear(&c->p[i]);
}

void set_members(struct cast *c, const int *who, size_t count)
{
	memset(c->all, 0, sizeof(c->all));
	for (size_t i = 0; i < count; i++)
		c->all[i] = &c->p[who[i]];
}

bool three(struct cast *c, uint16_t suite)
{
	if (!cast_init(c, suite))
		return false;
	struct person *others[] = {&c->p[B], &c->p[C], NULL};
	MEMBERS(c, A, B, C);
	return CHECK_OK(gather(&c->p[A], others, "three")) && all_agree(c->all);
}

bool spread(struct cast *c, struct person *from, struct tacit_bytes commit)
{
	struct tacit_mls_event ev;
	bool ok = person_reload(from) && CHECK_OK(tacit_mls_group_accept(from->group)) &&
	          person_reload(from);
	for (struct person **p = c->all; ok && *p != NULL; p++) {
		if (*p == from)
			continue;
		ok = CHECK_OK(person_process(*p, commit, &ev)) &&
		     CHECK_INT(ev.kind, TACIT_MLS_EVENT_COMMIT) && person_reload(*p);
		tacit_mls_event_clear(&ev);
	}
	return ok && all_agree(c->all);
}

bool commit_and_spread(
        struct cast *c, struct person *from, const struct tacit_mls_proposal *p, size_t n)
{
	struct tacit_mls_commit_result r;
	bool ok = CHECK_OK(person_commit(from, p, n, &r)) &&
	          spread(c, from, tacit_buf_view(&r.commit));
	tacit_mls_commit_result_clear(&r);
	return ok;
}
