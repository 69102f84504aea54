/* model.h - all that the screen shows: the conversations, which one is chosen, the connection. */
#ifndef TACIT_CLI_SCREEN_MODEL_H
#define TACIT_CLI_SCREEN_MODEL_H

#include "cli/screen/dialog.h"
#include "client/runner.h"

enum presence { PRESENCE_UNKNOWN, PRESENCE_OFFLINE, PRESENCE_AWAY, PRESENCE_ONLINE };

struct friend
{ /* whose presence is known */
	struct tacit_buf username;
	enum presence presence;
};

struct model {
	struct dialog **dialogs; /* in the order of the list, which only grows at its end */
	size_t count, cap;
	size_t chosen;         /* an index; meaningless while there are none */
	struct tacit_buf self; /* own username */
	struct friend *friends;
	size_t friend_count;
	enum runner_link link;
	int64_t retry_at;       /* OFFLINE: when it is tried again; 0: not by itself */
	struct tacit_buf why;   /* OFFLINE, clean */
	struct tacit_buf flash; /* one line for the person, clean */
	bool flash_loud;
	int64_t flash_until; /* 0: it has not been shown yet */
};

void model_clear(struct model *m); /* wipes and frees */

struct dialog *model_chosen(const struct model *m);            /* NULL: there are none */
struct dialog *model_find(const struct model *m, uint64_t id); /* NULL: not known */
struct dialog *model_direct(const struct model *m, struct tacit_bytes username);
/* By its number in the list ("3"), ":ID", a username or a group's title; a name that fits more than
 * one fits none. */
struct dialog *model_named(const struct model *m, const char *name);

/* A CONVERSATION notice: describes one that is known, or adds it. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err model_describe(struct model *m, const struct tacit_notice *n);
/* For the first time, once all are known: the newest first. The chosen one stays chosen. */
void model_sort(struct model *m);

/* Chooses; the line of new messages of the one that is left goes, and its newest are followed. */
void model_choose(struct model *m, size_t index);
size_t model_next(const struct model *m, int by); /* by 1 or -1, round and round */
size_t model_next_unread(const struct model *m);  /* or the next at all */
uint64_t model_unread_elsewhere(const struct model *m);

/* Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err model_set_presence(
        struct model *m, struct tacit_bytes username, enum presence presence);
/* Of the other one, in a direct conversation. */
enum presence model_presence(const struct model *m, const struct dialog *d);
void model_set_link(struct model *m, const struct runner_event *ev, int64_t now);
/* text may be from outside. Out of memory it is not said. */
void model_flash(struct model *m, bool loud, struct tacit_bytes text);

#endif
