/* two_people.h - alice and bob, registered with a server in memory. */
#ifndef TACIT_TESTS_TWO_PEOPLE_H
#define TACIT_TESTS_TWO_PEOPLE_H

#include "engine_people.h"

extern struct fake_server server;
extern struct person alice, bob;

void meet(void);
void part(void);
/* Everybody comes to rest, with nothing to disturb them. */
void settle(void);
/* The text is with both of them once, or with neither where it was never sealed. */
void check_once(const char *text, bool was_sealed);
/* Alice and bob know each other, and have talked. */
void meet_and_talk(void);

#endif
