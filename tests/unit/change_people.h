/* change_people.h - alice, bob and carol in a group, and what they say about messages. */
#ifndef TACIT_TESTS_CHANGE_PEOPLE_H
#define TACIT_TESTS_CHANGE_PEOPLE_H

#include "engine_people.h"

extern struct fake_server server;
extern struct person alice, bob, carol;
extern struct person *const all[3];
extern uint64_t room; /* their group */

uint64_t said_last(const struct person *p);
void sync_all(void);
/* Three in a group, in which alice has said "hello": its id. */
uint64_t meet(void);
void part(void);
enum tacit_err tell(
        struct person *p, enum tacit_content_kind kind, uint64_t message, const char *text);
enum tacit_err react(struct person *p, uint64_t message, const char *text);
enum tacit_err edit(struct person *p, uint64_t message, const char *text);
enum tacit_err take_back(struct person *p, uint64_t message);
void check_entry(uint64_t message, const char *want);
void forget_all(void);
/* What a client does that is not ours: whatever it wants. */
void say_anyway(struct person *p, const struct tacit_content *content);
void tamper(size_t nth);
void log_in(struct person *p);

#endif
