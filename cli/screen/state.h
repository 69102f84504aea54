/* state.h - what the parts of the running screen share; they are for one another only. */
#ifndef TACIT_CLI_SCREEN_STATE_H
#define TACIT_CLI_SCREEN_STATE_H

#include "cli/screen/draw.h"
#include "cli/screen/keys.h"
#include "cli/screen/slash.h"
#include "client/runner.h"

#define SCREEN_PAGE 100 /* entries of the history that are read at once */

/* What a ticket was for. */
enum wish_kind {
	WISH_QUIET,    /* not even a failure is told */
	WISH_NOTHING,  /* only a failure is told */
	WISH_SEND,     /* an entry waits for it */
	WISH_SAID,     /* something about a message: the history has it then */
	WISH_PAGE,     /* an older page of the history */
	WISH_NEWEST,   /* what other processes of the profile have put there */
	WISH_LIST,     /* the conversations */
	WISH_CHAT,     /* then go to the conversation that comes of it */
	WISH_SAFETY,   /* shows the number */
	WISH_CHANGE,   /* the conversations are looked at again */
	WISH_VERIFIED, /* likewise, and a changed key is settled */
	WISH_LEAVE,
	WISH_TRANSFER,
};

struct transfer_job;

struct wish {
	uint64_t ticket;
	enum wish_kind kind;
	uint64_t conversation; /* 0: none */
	const char *done;      /* said when it has succeeded; static, may be NULL */
	struct transfer_job *job;
};

enum screen_mode { MODE_TYPING, MODE_SEARCHING };

struct screen {
	struct runner *runner;
	const struct tacit_env *env;
	struct model model;
	struct edit edit;
	struct frame frame;
	size_t columns, rows;
	enum screen_mode mode;
	uint64_t first;            /* the conversation to begin with; 0: the newest */
	bool listed;               /* the conversations are known */
	bool leaving, leaving_now; /* once what was written has been taken; at once */
	bool stopping, redraw;
	bool pasting;
	struct tacit_buf paste;
	struct tacit_buf aside; /* what was typed when a search began */
	uint64_t hit;           /* position of what a search has found; UINT64_MAX: nothing yet */
	bool hunting;           /* a search goes on when the next page comes */
	struct wish *wishes;
	size_t wish_count, wish_cap;
	char safety[160];           /* the number that was shown last, and with whom */
	struct tacit_buf safety_of; /* username */
	bool safety_changed;        /* it is that of a key not accepted yet */
	uint64_t typing_in;         /* where it is said that one types; 0: nowhere */
	int64_t typing_said;        /* when that was said last */
	int64_t newest_at;          /* when the history is looked at again */
	enum tacit_err broken;      /* why the screen must end */
};

static inline int64_t screen_now(const struct screen *s)
{
	return tacit_env_now(s->env);
}

struct frame_input screen_frame(const struct screen *s);

/* --- wishes.c -------------------------------------------------------------------------------- */

/* Posts, and remembers what for; what fails is said. wish->ticket is filled in here. */
void wish_post(struct screen *s, const struct tacit_command *c, const struct wish *wish);
/* For a ticket that has been posted. Out of memory its end is not noticed. */
void wish_keep(struct screen *s, const struct wish *wish);
/* Takes it out. False: no such ticket. */
bool wish_take(struct screen *s, uint64_t ticket, struct wish *out);
const struct wish *wish_find(const struct screen *s, uint64_t ticket);
size_t wish_count(const struct screen *s, enum wish_kind kind);
/* The conversations, from what is known here. */
void wish_list(struct screen *s);
void wish_page(struct screen *s, struct dialog *d);
void wish_newest(struct screen *s, struct dialog *d);

/* --- events.c -------------------------------------------------------------------------------- */

void screen_on_event(struct screen *s, const struct runner_event *ev);
/* Looks after the conversation that is shown: its pages, its read mark. */
void screen_attend(struct screen *s);
/* Says something in the conversation that is shown, or below when there is none. */
void screen_say(struct screen *s, enum entry_kind kind, struct tacit_bytes text);
void screen_choose(struct screen *s, size_t index);

/* --- press.c --------------------------------------------------------------------------------- */

void screen_on_key(struct screen *s, const struct keystroke *key);

/* --- act.c ----------------------------------------------------------------------------------- */

/* What stands in the input is sent, or run as a command. */
void screen_enter(struct screen *s);
/* Tells the others, now and then, that one types, or that one does no longer. */
void screen_tell_typing(struct screen *s);
void screen_fetch_newest_file(struct screen *s);

/* --- search.c -------------------------------------------------------------------------------- */

void search_begin(struct screen *s);
void search_next(struct screen *s); /* older than the last hit */
void search_end(struct screen *s);
/* A page has come. */
void search_go_on(struct screen *s);

/* --- transfers.c ----------------------------------------------------------------------------- */

void transfer_send(struct screen *s, struct dialog *d, const char *path);
/* A file that some message has brought, by the beginning of its id. */
void transfer_get(struct screen *s, const char *id);
/* The job has ended; frees it. */
void transfer_ended(struct screen *s, struct transfer_job *job, const struct runner_event *ev);
void transfer_free(struct transfer_job *job); /* the runner has stopped; NULL is fine */
/* Says how far the one under way has come. False: there is none. */
bool transfer_report(struct screen *s);
/* Breaks off all of them. False: there was none. */
bool transfer_cancel(struct screen *s);

#endif
