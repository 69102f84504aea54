#include "cli/others.h"

#include <string.h>

static void put_name(char *out, struct tacit_bytes name)
{
	size_t n = name.n <= TACIT_MAX_USERNAME ? name.n : TACIT_MAX_USERNAME;
	if (n > 0)
		memcpy(out, name.p, n);
	out[n] = '\0';
}

static bool is_self(const struct others *o, struct tacit_bytes name)
{
	return tacit_bytes_eq(name, tacit_cstr(o->self));
}

/* --- who has read ---------------------------------------------------------------------------- */

static struct others_reader *find(struct others *o, struct tacit_bytes name)
{
	for (size_t i = 0; i < o->count; i++)
		if (tacit_bytes_eq(tacit_cstr(o->readers[i].name), name))
			return &o->readers[i];
	return NULL;
}

static void read_up_to(struct others *o, struct tacit_bytes name, uint64_t message)
{
	struct others_reader *r = find(o, name);
	if (is_self(o, name) || name.n == 0 || name.n > TACIT_MAX_USERNAME)
		return;
	if (r == NULL && o->count < TACIT_MAX_PARTICIPANTS) {
		r = &o->readers[o->count++];
		*r = (struct others_reader){0};
		put_name(r->name, name);
	}
	if (r != NULL && message > r->message)
		r->message = message;
}

static void leave(struct others *o, struct tacit_bytes name)
{
	struct others_reader *r = find(o, name);
	if (r != NULL)
		*r = o->readers[--o->count];
}

static struct tacit_bytes next_line(struct tacit_bytes *lines)
{
	const uint8_t *end = lines->n > 0 ? memchr(lines->p, '\n', lines->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - lines->p) : lines->n;
	struct tacit_bytes line = tacit_bytes_part(*lines, 0, n);
	n += end != NULL;
	*lines = tacit_bytes_part(*lines, n, lines->n - n);
	return line;
}

static uint64_t number(struct tacit_bytes text)
{
	uint64_t n = 0;
	for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	return n;
}

/* Who is in it, and how far each has read. */
static void begin(struct others *o, const struct tacit_notice *n)
{
	struct tacit_bytes names = n->members, marks = n->detail;
	o->count = 0;
	while (names.n > 0) {
		struct tacit_bytes name = next_line(&names);
		read_up_to(o, name, number(next_line(&marks)));
	}
}

bool others_have_read(struct others *o)
{
	if (!o->own || o->newest <= o->told || o->count == 0)
		return false;
	for (size_t i = 0; i < o->count; i++)
		if (o->readers[i].message < o->newest)
			return false;
	o->told = o->newest;
	return true;
}

/* --- who types ------------------------------------------------------------------------------- */

static bool type(struct others *o, struct tacit_bytes name, int64_t until)
{
	char before[sizeof(o->typist)];
	memcpy(before, o->typist, sizeof(before));
	put_name(o->typist, name);
	o->typing_until = until;
	return strcmp(before, o->typist) != 0;
}

bool others_take(struct others *o, const struct tacit_notice *n, int64_t now)
{
	static const struct tacit_bytes nobody = {0};
	if (n->conversation != o->conversation)
		return false;
	switch (n->kind) {
	case TACIT_NOTICE_CONVERSATION:
		begin(o, n);
		return false;
	case TACIT_NOTICE_MESSAGE:
		if (n->message > o->newest) {
			o->newest = n->message;
			o->own = n->flag;
		}
		return !n->flag && type(o, nobody, 0);
	case TACIT_NOTICE_READ:
		read_up_to(o, n->username, n->message);
		return false;
	case TACIT_NOTICE_MEMBER:
		if (n->flag)
			read_up_to(o, n->username, 0);
		else
			leave(o, n->username);
		return false;
	case TACIT_NOTICE_TYPING:
		return !is_self(o, n->username) &&
		       type(o, n->flag ? n->username : nobody, now + OTHERS_TYPING_LASTS);
	default:
		return false;
	}
}

bool others_tick(struct others *o, int64_t now)
{
	return o->typist[0] != '\0' && now >= o->typing_until && type(o, tacit_bytes(NULL, 0), 0);
}

bool others_to_be_told(struct others *o, struct tacit_bytes text, int64_t now, bool *typing)
{
	bool was = o->saying;
	*typing = o->saying = text.n > 0 && text.p[0] != '/';
	if (!*typing)
		return was;
	if (was && now < o->said_at + OTHERS_TYPING_EVERY)
		return false;
	o->said_at = now;
	return true;
}
