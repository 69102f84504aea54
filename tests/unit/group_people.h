/* group_people.h - alice, bob and carol, and a group of them at a server in memory. */
#ifndef TACIT_TESTS_GROUP_PEOPLE_H
#define TACIT_TESTS_GROUP_PEOPLE_H

#include "engine_people.h"

extern struct fake_server server;
extern struct person alice, bob, carol;
extern struct person *const two[2], *const three[3];

void pass(int64_t seconds);
void meet(size_t people);
void part(void);
struct fake_conversation *room(void);
void make_group(const char *name, size_t others);
enum tacit_err change(struct person *p, enum tacit_command_kind kind, const char *username);
/* Everybody hears what the others say, and nothing is amiss. */
void check_talk(struct person *const *people, size_t count, const char *text);

#endif
