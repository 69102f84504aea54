#include "mls_people.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/message.h"

static struct tacit_bytes name_of(const struct tacit_mls_leaf_node *leaf)
{
	return leaf->credential.identity;
}

static enum tacit_err check_credential(void *ctx, const struct tacit_mls_leaf_node *leaf)
{
	const struct person *p = ctx;
	bool bad = p->distrusts != NULL && tacit_bytes_eq(name_of(leaf), tacit_cstr(p->distrusts));
	return bad ? TACIT_E_BAD_CERTIFICATE : TACIT_OK;
}

static enum tacit_err check_proposal(void *ctx, const struct tacit_mls_group *g,
        const struct tacit_mls_sender *sender, const struct tacit_mls_proposal *proposal)
{
	const struct person *p = ctx;
	(void)g;
	(void)sender;
	return p->forbids_adds && proposal->type == TACIT_MLS_ADD ? TACIT_E_REFUSED : TACIT_OK;
}

static enum tacit_err find_psk(void *ctx, const struct tacit_mls_psk_id *id, struct tacit_buf *out)
{
	const struct person *p = ctx;
	bool known = p->has_psk && id->type == TACIT_MLS_PSK_EXTERNAL &&
	             tacit_bytes_eq(id->id, TACIT_STR("the word"));
	return known ? tacit_buf_append(out, TACIT_STR("sesame, as everybody knows"))
	             : TACIT_E_NOT_FOUND;
}

enum tacit_err person_init(struct person *p, const struct tacit_mls_suite *s, const char *name)
{
	*p = (struct person){.suite = s};
	snprintf(p->name, sizeof(p->name), "%s", name);
	uint64_t seed = 0;
	for (const char *c = name; *c != 0; c++)
		seed = seed * 131 + (uint8_t)*c;
	p->env = tap_env(seed);
	p->host = (struct tacit_mls_host){.env = &p->env,
	        .check_credential = check_credential,
	        .check_proposal = check_proposal,
	        .find_psk = find_psk,
	        .ctx = p};
	enum tacit_err err = tacit_mls_signature_keypair(s, &p->env, p->sk, p->pk);
	p->host.signature_sk = tacit_bytes(p->sk, s->signature_sk_bytes);
	return err != TACIT_OK ? err : person_renew(p);
}

enum tacit_err person_renew_until(struct person *p, uint64_t not_after)
{
	enum tacit_err err;
	struct tacit_buf store = {0};
	struct tacit_mls_key_package_options o = {.suite = p->suite,
	        .signature_sk = p->host.signature_sk,
	        .signature_key = tacit_bytes(p->pk, p->suite->signature_public_bytes),
	        .credential = {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = tacit_cstr(p->name)},
	        .lifetime = {PEOPLE_NOW - 86400, not_after}};
	tacit_buf_clear(&p->key_package);
	TRY(tacit_mls_capabilities_make(NULL, NULL, &store, &o.capabilities));
	TRY(tacit_mls_key_package_create(&o, &p->env, &p->key_package, &p->secrets));
out:
	tacit_buf_clear(&store);
	return err;
}

enum tacit_err person_renew(struct person *p)
{
	return person_renew_until(p, PEOPLE_NOW + 86400);
}

void person_clear(struct person *p)
{
	tacit_mls_group_free(p->group);
	tacit_buf_clear(&p->key_package);
	tacit_mls_key_package_secrets_wipe(&p->secrets);
	p->group = NULL;
}

struct tacit_mls_create_options person_create_options(const struct person *p, const char *id)
{
	return (struct tacit_mls_create_options){.suite = p->suite,
	        .group_id = tacit_cstr(id),
	        .key_package = tacit_buf_view(&p->key_package),
	        .secrets = &p->secrets};
}

enum tacit_err person_create(struct person *p, const char *id)
{
	struct tacit_mls_create_options o = person_create_options(p, id);
	tacit_mls_group_free(p->group);
	return tacit_mls_group_create(&o, &p->host, &p->group);
}

struct tacit_mls_proposal add_of(const struct person *p)
{
	return (struct tacit_mls_proposal){
	        .type = TACIT_MLS_ADD, .add.encoded = tacit_buf_view(&p->key_package)};
}

struct tacit_mls_proposal remove_of(uint32_t leaf)
{
	return (struct tacit_mls_proposal){.type = TACIT_MLS_REMOVE, .removed = leaf};
}

struct tacit_mls_proposal psk_of(const char *id)
{
	return (struct tacit_mls_proposal){.type = TACIT_MLS_PSK,
	        .psk = {.type = TACIT_MLS_PSK_EXTERNAL, .id = tacit_cstr(id)}};
}

enum tacit_err person_commit(struct person *p, const struct tacit_mls_proposal *proposals,
        size_t count, struct tacit_mls_commit_result *r)
{
	struct tacit_mls_commit_options o = {.proposals = proposals, .proposal_count = count};
	return tacit_mls_group_commit(p->group, &p->host, &o, r);
}

enum tacit_err person_join(struct person *p, struct tacit_bytes welcome)
{
	struct tacit_mls_join_options o = {.welcome = welcome,
	        .key_package = tacit_buf_view(&p->key_package),
	        .secrets = &p->secrets};
	tacit_mls_group_free(p->group);
	return tacit_mls_group_join(&o, &p->host, &p->group);
}

enum tacit_err person_process(
        struct person *p, struct tacit_bytes message, struct tacit_mls_event *ev)
{
	return tacit_mls_group_process(p->group, &p->host, message, ev);
}

enum tacit_err person_save(const struct person *p, struct tacit_buf *out)
{
	enum tacit_err err = tacit_mls_group_save(p->group, out);
	return err != TACIT_OK ? err : tacit_mls_group_save_tree(p->group, out);
}

bool person_reload(struct person *p)
{
	struct tacit_buf state = {0};
	struct tacit_buf tree = {0};
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	struct tacit_mls_group *again = NULL;
	bool ok = CHECK_OK(tacit_mls_group_save(p->group, &state)) &&
	          CHECK_OK(tacit_mls_group_save_tree(p->group, &tree)) &&
	          CHECK_OK(person_save(p, &before)) &&
	          CHECK_OK(tacit_mls_group_load(
	                  tacit_buf_view(&state), tacit_buf_view(&tree), &again));
	if (ok) {
		tacit_mls_group_free(p->group);
		p->group = again;
		ok = CHECK_OK(person_save(p, &after)) &&
		     CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	}
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	return ok;
}

bool all_read(struct person *p, struct person *const *others)
{
	bool ok = true;
	struct tacit_buf message = {0};
	struct tacit_mls_event ev;
	ok = CHECK_OK(tacit_mls_group_protect(p->group, &p->host, TACIT_STR("seen by all"),
	             tacit_cstr(p->name), &message)) &&
	     person_reload(p);
	for (; ok && *others != NULL; others++) {
		struct person *reader = *others;
		if (reader == p)
			continue;
		ok = CHECK_OK(person_process(reader, tacit_buf_view(&message), &ev)) &&
		     CHECK_BYTES(tacit_buf_view(&ev.plain), tacit_cstr(p->name)) &&
		     CHECK_BYTES(
		             tacit_buf_view(&ev.authenticated_data), TACIT_STR("seen by all")) &&
		     CHECK_INT(ev.kind, TACIT_MLS_EVENT_APPLICATION) && person_reload(reader);
		tacit_mls_event_clear(&ev);
	}
	tacit_buf_clear(&message);
	return ok;
}

bool all_agree(struct person *const *people)
{
	bool ok = true;
	for (size_t i = 1; people[0] != NULL && people[i] != NULL; i++)
		ok = CHECK_INT(tacit_mls_group_epoch(people[i]->group),
		             tacit_mls_group_epoch(people[0]->group)) &&
		     CHECK_BYTES(tacit_mls_group_epoch_authenticator(people[i]->group),
		             tacit_mls_group_epoch_authenticator(people[0]->group)) &&
		     ok;
	return ok;
}

enum tacit_err gather(struct person *a, struct person *const *others, const char *id)
{
	enum tacit_err err;
	struct tacit_mls_proposal adds[8];
	size_t count = 0;
	struct tacit_mls_commit_result r = {0};
	for (; others[count] != NULL; count++)
		adds[count] = add_of(others[count]);
	TRY(person_create(a, id));
	TRY(person_commit(a, adds, count, &r));
	TRY(tacit_mls_group_accept(a->group));
	for (size_t i = 0; i < count; i++)
		TRY(person_join(others[i], tacit_buf_view(&r.welcome)));
out:
	tacit_mls_commit_result_clear(&r);
	return err;
}
