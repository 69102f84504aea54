/* What a name on the command line means. Anybody can name a group after somebody: a name that could
 * be a user's is never silently taken for a group. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "wire/names.h"

struct search {
	const char *name;
	uint64_t id; /* wanted, when name is NULL */
	uint64_t direct, group;
	size_t groups;
	bool id_known;
};

static bool same_text(struct tacit_bytes a, const char *b)
{
	return tacit_bytes_eq(a, tacit_cstr(b));
}

/* Usernames differ by more than case; a group's name is exact. */
static bool same_user(struct tacit_bytes a, const char *b)
{
	return a.n == strlen(b) && strncasecmp((const char *)a.p, b, a.n) == 0;
}

static void look(void *ctx, const struct tacit_notice *n)
{
	struct search *s = ctx;
	s->id_known |= n->conversation == s->id;
	if (s->name == NULL)
		return;
	if (n->conversation_kind == TACIT_DIRECT && same_user(n->title, s->name))
		s->direct = n->conversation;
	if (n->conversation_kind != TACIT_DIRECT && same_text(n->title, s->name)) {
		s->group = n->conversation;
		s->groups++;
	}
}

/* Locally; when nothing fits, once more with what the server has: a group's name comes with its
 * messages. False: told. */
static bool find(struct cli *c, struct search *s)
{
	tacit_engine_each_conversation(host_engine(c->host), look, s);
	if (s->direct != 0 || s->groups > 0 || s->id_known)
		return true;
	if (cli_sync(c) != EXIT_DONE)
		return false;
	tacit_engine_each_conversation(host_engine(c->host), look, s);
	return true;
}

static uint64_t by_id(struct cli *c, const char *digits)
{
	char *end = NULL;
	errno = 0;
	struct search s = {.id = strtoull(digits, &end, 10)};
	bool number = errno == 0 && s.id != 0 && *end == '\0' && digits[0] != '-';
	if (number && !find(c, &s))
		return 0;
	if (number && s.id_known)
		return s.id;
	cli_fail_text(c, TACIT_E_NOT_FOUND, "There is no such conversation.",
	        "tacit group list shows the numbers.");
	return 0;
}

static uint64_t ambiguous(const struct cli *c)
{
	cli_fail_text(c, TACIT_E_CONFLICT, "More than one conversation has that name.",
	        "Name it by its number, as in :12; tacit group list shows them.");
	return 0;
}

uint64_t cli_group(struct cli *c, const char *name)
{
	struct search s = {.name = name};
	if (name[0] == ':')
		return by_id(c, name + 1);
	if (!find(c, &s))
		return 0;
	if (s.groups > 1)
		return ambiguous(c);
	if (s.groups == 0)
		cli_fail_text(c, TACIT_E_NOT_FOUND, "There is no group of that name.",
		        "tacit group list shows yours.");
	return s.group;
}

struct person {
	const char *name;
	bool exists;
};

static void see_user(void *ctx, const struct tacit_notice *n)
{
	struct person *p = ctx;
	p->exists |= n->kind == TACIT_NOTICE_USER && same_user(n->username, p->name);
}

/* A group has that name and no direct chat has: is there a user, too, who could be meant? */
static uint64_t group_unless_user(struct cli *c, const struct search *s)
{
	struct person p = {.name = s->name};
	const struct tacit_command users = {.kind = TACIT_CMD_USERS, .text = tacit_cstr(s->name)};
	if (tacit_username_valid(tacit_cstr(s->name)) &&
	        cli_run(c, &users, see_user, &p) != EXIT_DONE)
		return 0;
	if (!p.exists)
		return s->group;
	cli_fail_text(c, TACIT_E_CONFLICT, "There are a user and a group of that name.",
	        "tacit send means the user; the group is meant by its number, as in :12.");
	return 0;
}

static void take_conversation(void *ctx, const struct tacit_notice *n)
{
	uint64_t *found = ctx;
	if (n->kind == TACIT_NOTICE_CONVERSATION || n->kind == TACIT_NOTICE_DONE)
		*found = n->conversation != 0 ? n->conversation : *found;
}

static uint64_t no_such(const struct cli *c)
{
	cli_fail_text(c, TACIT_E_NOT_FOUND, "There is no conversation of that name.",
	        "tacit group list shows yours.");
	return 0;
}

uint64_t cli_conversation(struct cli *c, const char *name)
{
	uint64_t found = 0;
	struct search s = {.name = name};
	if (name[0] == ':')
		return by_id(c, name + 1);
	tacit_engine_each_conversation(host_engine(c->host), look, &s);
	if (s.direct == 0 && s.groups == 0 && !tacit_username_valid(tacit_cstr(name)) &&
	        !find(c, &s))
		return 0;
	if (s.direct != 0)
		return s.direct;
	if (s.groups > 1)
		return ambiguous(c);
	if (s.groups == 1)
		return group_unless_user(c, &s);
	if (!tacit_username_valid(tacit_cstr(name)))
		return no_such(c);
	const struct tacit_command resolve = {
	        .kind = TACIT_CMD_RESOLVE, .username = tacit_cstr(name)};
	cli_run(c, &resolve, take_conversation, &found);
	return found;
}

struct pick {
	uint64_t conversation, newest;
};

static void pick_newest(void *ctx, const struct tacit_notice *n)
{
	struct pick *p = ctx;
	if (p->conversation == 0 || n->message > p->newest)
		*p = (struct pick){n->conversation, n->message};
}

uint64_t cli_newest_conversation(struct cli *c)
{
	struct pick p = {0};
	tacit_engine_each_conversation(host_engine(c->host), pick_newest, &p);
	if (p.conversation == 0)
		cli_fail_text(c, TACIT_E_NOT_FOUND, "There is no conversation yet.",
		        "Name somebody: tacit chat USER");
	return p.conversation;
}

struct titled {
	uint64_t conversation;
	char *out;
	size_t size;
};

static void take_title(void *ctx, const struct tacit_notice *n)
{
	const struct titled *t = ctx;
	struct tacit_buf clean = {0};
	if (n->conversation == t->conversation &&
	        term_clean(n->title, TERM_ONE_LINE, 0, &clean) == TACIT_OK)
		snprintf(t->out, t->size, "%.*s", (int)clean.n, (const char *)clean.p);
	tacit_buf_clear(&clean);
}

void cli_title(struct cli *c, uint64_t conversation, char *out, size_t size)
{
	struct titled t = {conversation, out, size};
	out[0] = '\0';
	tacit_engine_each_conversation(host_engine(c->host), take_title, &t);
}
