/* inbox and history: what has come, from the local history. */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/show.h"

#define MAX_SHOWN 1000 /* of one conversation, in an inbox */
#define AROUND 64      /* events between messages: gaps, members, own messages */
#define DEFAULT_HISTORY 50
#define OVERVIEW 10 /* per conversation, for history without a name */

/* --- which conversations --------------------------------------------------------------------- */

struct pile {
	struct pile_entry {
		uint64_t conversation, unread, newest;
	} * list;
	size_t count, cap;
	bool no_memory;
};

static void collect(void *ctx, const struct tacit_notice *n)
{
	struct pile *p = ctx;
	if (p->count == p->cap) {
		size_t cap = p->cap == 0 ? 16 : 2 * p->cap;
		struct pile_entry *list = tacit_realloc(p->list, cap * sizeof(*list));
		p->no_memory |= list == NULL;
		if (list == NULL)
			return;
		p->list = list;
		p->cap = cap;
	}
	p->list[p->count++] = (struct pile_entry){n->conversation, n->count, n->message};
}

/* --- what became of older messages -------------------------------------------------------------
 */

/* While it is synced: messages that came are shown later, as they are then. */
struct syncing {
	const struct cli *cli;
	struct pile before;
	struct came {
		uint64_t conversation, message;
		bool late; /* it had been missing among others */
	} * came;
	size_t count, cap;
	uint64_t here; /* whose heading was shown */
};

static bool has_come(const struct syncing *s, const struct tacit_notice *n)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->came[i].conversation == n->conversation && s->came[i].message == n->message)
			return true;
	return false;
}

/* message 0: any. */
static bool is_late(const struct syncing *s, uint64_t conversation, uint64_t message)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->came[i].late && s->came[i].conversation == conversation &&
		        (message == 0 || s->came[i].message == message))
			return true;
	return false;
}

static uint64_t newest_before(const struct syncing *s, uint64_t conversation)
{
	for (size_t i = 0; i < s->before.count; i++)
		if (s->before.list[i].conversation == conversation)
			return s->before.list[i].newest;
	return 0;
}

/* Without memory its changes are shown as well. */
static void note_coming(struct syncing *s, const struct tacit_notice *n)
{
	if (s->count == s->cap) {
		size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
		struct came *came = tacit_realloc(s->came, cap * sizeof(*came));
		if (came == NULL)
			return;
		s->came = came;
		s->cap = cap;
	}
	s->came[s->count++] = (struct came){
	        n->conversation, n->message, n->message <= newest_before(s, n->conversation)};
}

static void on_synced(void *ctx, const struct tacit_notice *n)
{
	struct syncing *s = ctx;
	if (n->kind == TACIT_NOTICE_MESSAGE && !n->flag)
		note_coming(s, n);
	if (!show_is_change(n) || n->flag || has_come(s, n))
		return;
	if (s->here != n->conversation)
		show_heading(s->cli, n->conversation);
	s->here = n->conversation;
	show_event(s->cli, n);
}

/* --- one conversation ------------------------------------------------------------------------ */

struct showing {
	const struct cli *cli;
	const struct syncing *synced; /* NULL: nothing */
	uint64_t incoming;            /* in the span */
	uint64_t skip;                /* so many incoming ones were read before */
	bool begun;                   /* at the first message to be shown */
	bool loud;                    /* those of an inbox were shown while syncing */
};

static bool is_incoming(const struct tacit_notice *n)
{
	return (n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_REFUSED ||
	               n->kind == TACIT_NOTICE_DELETED) &&
	       !n->flag;
}

static enum tacit_err count_incoming(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct showing *s = ctx;
	(void)position;
	s->incoming += is_incoming(n);
	return TACIT_OK;
}

/* Begins after the last incoming one that was read; own messages right after it are known. */
static enum tacit_err show_entry(void *ctx, const struct tacit_notice *n, uint64_t position)
{
	struct showing *s = ctx;
	(void)position;
	if (s->skip > 0) {
		s->skip -= is_incoming(n);
		if (s->synced != NULL && is_incoming(n) &&
		        is_late(s->synced, n->conversation, n->message))
			show_event(s->cli, n);
		return TACIT_OK;
	}
	s->begun |= is_incoming(n);
	if (!s->begun && (n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_DELETED))
		return TACIT_OK;
	if (s->loud || !show_is_loud(n))
		show_event(s->cli, n);
	return TACIT_OK;
}

static int show_unread(struct cli *c, const struct pile_entry *e, const struct syncing *synced)
{
	uint64_t unread = e->unread < MAX_SHOWN ? e->unread : MAX_SHOWN;
	struct showing s = {.cli = c, .synced = synced};
	struct host_span span = {e->conversation, UINT64_MAX, unread + AROUND};
	enum tacit_err err = host_history(c->host, span, count_incoming, &s);
	if (err == TACIT_OK) {
		s.skip = s.incoming > unread ? s.incoming - unread : 0;
		show_heading(c, e->conversation);
		err = host_history(c->host, span, show_entry, &s);
	}
	if (err != TACIT_OK)
		return cli_fail_host(c, err);
	if (e->unread > MAX_SHOWN)
		cli_note(c, "(older ones: tacit history)");
	return EXIT_DONE;
}

static int mark_read(struct cli *c, uint64_t conversation)
{
	const struct tacit_command mark = {
	        .kind = TACIT_CMD_MARK_READ, .conversation = conversation};
	return cli_run(c, &mark, NULL, NULL);
}

static int show_pile(struct cli *c, const struct pile *p, const struct syncing *synced, bool peek)
{
	size_t shown = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (p->list[i].unread == 0 && !is_late(synced, p->list[i].conversation, 0))
			continue;
		if (shown++ > 0)
			cli_note(c, "%s", "");
		int status = show_unread(c, &p->list[i], synced);
		if (status == EXIT_DONE && !peek)
			status = mark_read(c, p->list[i].conversation);
		if (status != EXIT_DONE)
			return status;
	}
	if (shown == 0)
		cli_note(c, "No new messages.");
	return EXIT_DONE;
}

static int sync_and_show(struct cli *c, struct syncing *s, bool peek)
{
	struct pile p = {0};
	const struct tacit_command sync = {.kind = TACIT_CMD_SYNC};
	tacit_engine_each_conversation(host_engine(c->host), collect, &s->before);
	int status = cli_run(c, &sync, on_synced, s);
	if (status != EXIT_DONE)
		return status;
	if (s->here != 0)
		cli_note(c, "%s", "");
	tacit_engine_each_conversation(host_engine(c->host), collect, &p);
	if (p.no_memory)
		status = cli_fail(c, TACIT_E_NOMEM, NULL);
	else
		status = show_pile(c, &p, s, peek);
	tacit_free(p.list);
	return status;
}

int cmd_inbox(struct cli *c, const struct args *a)
{
	struct syncing s = {.cli = c};
	c->ids = cli_option(a, "ids") != NULL;
	int status = cli_open(c, CLI_UNLOCKED);
	if (status == EXIT_DONE)
		status = sync_and_show(c, &s, cli_option(a, "peek") != NULL);
	tacit_free(s.before.list);
	tacit_free(s.came);
	return status;
}

/* --- history --------------------------------------------------------------------------------- */

int show_history(struct cli *c, uint64_t conversation, uint64_t limit)
{
	struct showing s = {.cli = c, .loud = true, .begun = true};
	struct host_span span = {conversation, UINT64_MAX, limit};
	enum tacit_err err = host_history(c->host, span, show_entry, &s);
	return err == TACIT_OK ? EXIT_DONE : cli_fail_host(c, err);
}

static int show_all(struct cli *c, uint64_t limit)
{
	struct pile p = {0};
	int status = EXIT_DONE;
	tacit_engine_each_conversation(host_engine(c->host), collect, &p);
	if (p.no_memory)
		status = cli_fail(c, TACIT_E_NOMEM, NULL);
	for (size_t i = 0; i < p.count && status == EXIT_DONE; i++) {
		if (i > 0)
			cli_note(c, "%s", "");
		show_heading(c, p.list[i].conversation);
		status = show_history(c, p.list[i].conversation, limit);
	}
	if (p.count == 0)
		cli_note(c, "No conversations yet.");
	tacit_free(p.list);
	return status;
}

int cmd_history(struct cli *c, const struct args *a)
{
	uint64_t limit = a->count > 0 ? DEFAULT_HISTORY : OVERVIEW;
	c->ids = cli_option(a, "ids") != NULL;
	const char *number = cli_option(a, "number");
	if (number != NULL) {
		char *end = NULL;
		limit = strtoull(number, &end, 10);
		if (end == number || *end != '\0' || number[0] == '-' || limit == 0)
			return cli_usage_error(
			        cli_find_command(1, (char *[]){(char *)"history"}, &(int){0}),
			        "--number takes a number.");
	}
	int status = cli_open(c, CLI_UNLOCKED);
	if (status != EXIT_DONE)
		return status;
	if (a->count == 0)
		return show_all(c, limit);
	uint64_t conversation = cli_conversation(c, a->list[0]);
	return conversation != 0 ? show_history(c, conversation, limit) : EXIT_FAILED;
}
