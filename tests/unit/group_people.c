#include "group_people.h"

#include <stdio.h>

#include "support/tap.h"

struct fake_server server;
struct person alice, bob, carol;
struct person *const two[2] = {&alice, &bob};
struct person *const three[3] = {&alice, &bob, &carol};

void pass(int64_t seconds)
{
	person_clock += seconds;
	server.now = person_clock;
}

void meet(size_t people)
{
	fake_server_init(&server);
	server.now = person_clock;
	struct person *all[] = {&alice, &bob, &carol};
	static const char *const names[] = {"alice", "bob", "carol"};
	for (size_t i = 0; i < people; i++) {
		person_init(all[i], names[i], &server);
		person_register(all[i]);
	}
}

void part(void)
{
	person_clear(&alice);
	person_clear(&bob);
	person_clear(&carol);
	fake_server_clear(&server);
}

struct fake_conversation *room(void)
{
	return &server.conversations[0];
}

void make_group(const char *name, size_t others)
{
	struct tacit_bytes users[] = {TACIT_STR("bob"), TACIT_STR("carol")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = tacit_cstr(name),
	                                    .users = users,
	                                    .user_count = others}));
}

enum tacit_err change(struct person *p, enum tacit_command_kind kind, const char *username)
{
	struct tacit_bytes users[] = {tacit_cstr(username)};
	return person_run(p, &(struct tacit_command){.kind = kind,
	                             .conversation = room()->id,
	                             .username = users[0],
	                             .users = users,
	                             .user_count = 1});
}

void check_talk(struct person *const *people, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		char mine[64];
		snprintf(mine, sizeof(mine), "%s from %s", text, people[i]->name);
		CHECK_OK(person_say_in(people[i], room()->id, mine));
		for (size_t k = 0; k < count; k++) {
			CHECK_OK(person_sync(people[k]));
			CHECK_INT(person_logged(people[k], mine), 1);
		}
	}
	for (size_t k = 0; k < count; k++)
		CHECK_INT(person_heard(people[k], TACIT_NOTICE_REFUSED, NULL), 0);
}
