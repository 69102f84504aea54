/* people.h - who is logged in to the agent: accounts, each with a host of its own, and logins, each
 * known by a random word (a cookie). Any thread; a host is used by one at a time. */
#ifndef TACIT_AGENT_PEOPLE_H
#define TACIT_AGENT_PEOPLE_H

#include "agent/agent_int.h"
#include "client/host.h"

#define PEOPLE_WORD_CHARS 64
#define PEOPLE_MAX_LOGINS 64         /* beyond, the one that was idle longest ends */
#define PEOPLE_IDLE_S (12 * 60 * 60) /* as long as the kernel keeps an unlocked profile */

struct people;
struct account;
struct login;

TACIT_MUST_USE enum tacit_err people_new(struct agent *a, struct people **out);
/* Nobody may be at it any more. Wipes; NULL is fine. */
void people_free(struct people *p);

/* Takes ownership of h, which is unlocked; when the account is open already, its host stays and h
 * is closed. word gets the login's. Fails: NOMEM; h is closed then, too. */
TACIT_MUST_USE enum tacit_err people_enter(
        struct people *p, struct host *h, char word[PEOPLE_WORD_CHARS + 1]);
/* The login of a word, held until people_release; NULL: there is none, or its time is over. */
struct login *people_login(struct people *p, struct tacit_bytes word);
/* Any login of an account, likewise. */
struct login *people_login_of(struct people *p, struct tacit_bytes username);
void people_release(struct people *p, struct login *l); /* NULL is fine */
/* The login ends; with the last one of an account, its keys go once nobody is at it. */
void people_leave(struct people *p, struct login *l);
/* The account's server session has ended: all logins of it end. */
void people_end_account(struct people *p, struct login *l);
/* Logins that were idle for too long. */
void people_sweep(struct people *p);
size_t people_count(struct people *p);

/* The account's host, for the caller alone until people_unlock. */
struct host *people_lock(struct login *l);
void people_unlock(struct login *l);

/* One at a time through what makes profiles and looks for them. */
void people_begin_admission(struct people *p);
void people_end_admission(struct people *p);
/* May somebody try a password for this name now? Counts the try. *wait_s: until when not. */
bool people_may_try(struct people *p, struct tacit_bytes username, unsigned *wait_s);
/* The password was right: that try does not count. */
void people_forgive_try(struct people *p, struct tacit_bytes username);

#endif
