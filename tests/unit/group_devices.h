/* group_devices.h - devices of three people and a stranger, and a group of them. */
#ifndef TACIT_TESTS_GROUP_DEVICES_H
#define TACIT_TESTS_GROUP_DEVICES_H

#include "e2e/group.h"

#define CONVERSATION 42
#define MAX_DEVICES 6

/* A person's device, its copy of the group, and whom it takes for participants. */
struct peer {
	struct tacit_account account;
	struct tacit_device device;
	struct tacit_sign_sk sk;
	struct tacit_group *group;
	struct tacit_buf package, secret;
};

extern struct tacit_env env;
extern struct peer peers[MAX_DEVICES];
extern size_t strangers_from; /* peers from here on do not belong */
extern uint64_t next_message;

struct tacit_self self(const struct peer *p);
/* alice 0, bob 1, carol 2, alice's tablet 3, bob's phone 4, mallory 5 */
bool set_up(void);
void tear_down(void);
/* Everything that is kept of a group goes through its stored form now and then. */
void store_and_load(struct peer *p);
enum tacit_err stage(struct peer *p, size_t count, const struct peer *const *add,
        const struct peer *remove, struct tacit_group_staged *out);
enum tacit_err process(struct peer *p, uint64_t message, const struct tacit_buf *bytes,
        struct tacit_group_event *ev);
/* The commit of one member, and everybody else who has the group follows. */
uint64_t commit(
        struct peer *p, size_t count, const struct peer *const *add, const struct peer *remove);
/* alice makes the group with bob, carol and her own tablet. */
bool set_up_group(void);
/* p says text; all the others with a group read it, but those from `deaf` on. */
void say(struct peer *p, const char *text, size_t deaf);
bool agree(const struct peer *a, const struct peer *b);

#endif
