/* mls_people.h - members of groups for tests: keys, a key package, a group, and what they allow. */
#ifndef TACIT_TESTS_UNIT_MLS_PEOPLE_H
#define TACIT_TESTS_UNIT_MLS_PEOPLE_H

#include "e2e/mls/group.h"
#include "support/tap.h"

#define PEOPLE_NOW 1700000000

struct person {
	const struct tacit_mls_suite *suite;
	char name[16];
	uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
	struct tacit_buf key_package; /* KeyPackage, bare */
	struct tacit_mls_key_package_secrets secrets;
	struct tacit_env env;
	struct tacit_mls_host host;
	struct tacit_mls_group *group;
	const char *distrusts; /* a name whose credential is refused; NULL: none */
	bool has_psk;          /* knows the external PSK "the word" */
	bool forbids_adds;     /* refuses Add proposals */
};

enum tacit_err person_init(struct person *p, const struct tacit_mls_suite *s, const char *name);
/* A fresh key package, in the place of the one before. */
enum tacit_err person_renew(struct person *p);
/* The same with a lifetime of its own. */
enum tacit_err person_renew_until(struct person *p, uint64_t not_after);
void person_clear(struct person *p);

struct tacit_mls_create_options person_create_options(const struct person *p, const char *id);
enum tacit_err person_create(struct person *p, const char *id);
struct tacit_mls_proposal add_of(const struct person *p);
struct tacit_mls_proposal remove_of(uint32_t leaf);
struct tacit_mls_proposal psk_of(const char *id);
/* Commits these by value, and all that waits. */
enum tacit_err person_commit(struct person *p, const struct tacit_mls_proposal *proposals,
        size_t count, struct tacit_mls_commit_result *r);
enum tacit_err person_join(struct person *p, struct tacit_bytes welcome);
enum tacit_err person_process(
        struct person *p, struct tacit_bytes message, struct tacit_mls_event *ev);
/* Everything of the stored form, state and tree, appended. */
enum tacit_err person_save(const struct person *p, struct tacit_buf *out);
/* Stores, forgets and loads the group; false when it is not the same afterwards. */
bool person_reload(struct person *p);
/* p says something and all of the others (NULL ends the list) can read it. */
bool all_read(struct person *p, struct person *const *others);
/* All see the same epoch. */
bool all_agree(struct person *const *people);

/* a creates a group and adds the others, who join. */
enum tacit_err gather(struct person *a, struct person *const *others, const char *id);

#endif
