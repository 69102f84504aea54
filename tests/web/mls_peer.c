/* mls_peer.c - members of MLS groups for a program in another language: a line of words in, one
 * out. Bytes are in hex, "-" is none; NAME is a member kept here under that name. Everything that
 * has a wire form is an MLSMessage.
 *
 *   new NAME SUITE                    -> key package
 *   create NAME ID public|private     -> nothing; how the handshakes of NAME leave
 *   join NAME WELCOME TREE HOW        -> nothing
 *   external NAME INFO TREE REMOVES HOW -> commit (external)
 *   ask NAME INFO                     -> proposal of NAME to be added, from outside
 *   propose NAME CHANGE               -> proposal
 *   commit NAME CHANGE...             -> commit, Welcome or "-"
 *   accept NAME, drop NAME            -> nothing
 *   say NAME AAD PLAIN                -> application message
 *   process NAME MESSAGE              -> application PLAIN AAD | proposal | commit | removed
 *   info NAME                         -> GroupInfo with external_pub
 *   tree NAME                         -> ratchet_tree, for those who get none
 *   look NAME                         -> epoch, epoch authenticator, exporter, members, own leaf
 * CHANGE: add:KEY_PACKAGE, remove:LEAF, update, psk:ID (of the secret "sesame"), group:EXTENSIONS,
 * and, for commit, without-tree or without-path.
 * "ok" comes before every answer; an error is its name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "e2e/mls/group.h"
#include "e2e/mls/message.h"

enum { WORDS = 12, PEOPLE = 8, CHANGES = 8, LINE = 1 << 20, DAY = 86400 };

struct person {
	char name[16];
	const struct tacit_mls_suite *suite;
	uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
	struct tacit_buf key_package;
	struct tacit_mls_key_package_secrets secrets;
	struct tacit_mls_host host;
	struct tacit_mls_group *group;
};

struct call {
	char *words[WORDS];
	size_t count;
	struct tacit_buf bytes[WORDS]; /* words without hex: empty */
	char head[64];                 /* of the answer, before the bytes */
	struct tacit_buf out[2];
	struct person *who;
};

static struct person people[PEOPLE];
static struct tacit_env env;

static enum tacit_err find_psk(void *ctx, const struct tacit_mls_psk_id *id, struct tacit_buf *out)
{
	(void)ctx;
	if (id->type != TACIT_MLS_PSK_EXTERNAL)
		return TACIT_E_NOT_FOUND;
	return tacit_buf_append(out, TACIT_STR("sesame"));
}

static struct person *person_of(const char *name, bool make)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		if (strcmp(people[i].name, name) == 0)
			return &people[i];
		if (make && people[i].name[0] == 0)
			return &people[i];
	}
	return NULL;
}

static void forget(struct person *p)
{
	tacit_mls_group_free(p->group);
	tacit_buf_clear(&p->key_package);
	tacit_wipe(p, sizeof(*p));
}

/* The part of a word after the colon of a CHANGE, or all of it. */
static enum tacit_err unhex_word(const char *word, struct tacit_buf *out)
{
	const char *colon = strchr(word, ':');
	const char *digits = colon != NULL ? colon + 1 : word;
	size_t n = strlen(digits) / 2;
	tacit_buf_clear(out);
	enum tacit_err err = tacit_buf_reserve(out, n + 1);
	if (err == TACIT_OK && tacit_unhex(tacit_cstr(digits), out->p, n) == TACIT_OK)
		out->n = n;
	return err;
}

static struct tacit_bytes arg(const struct call *c, size_t i)
{
	return tacit_buf_view(&c->bytes[i]);
}

static const char *word(const struct call *c, size_t i)
{
	return i < c->count ? c->words[i] : "";
}

static struct tacit_mls_settings settings_of(const char *how)
{
	return (struct tacit_mls_settings){
	        .public_handshakes = strcmp(how, "public") == 0, .pad_to = 32};
}

static enum tacit_err make(struct call *c)
{
	enum tacit_err err;
	struct tacit_buf store = {0};
	struct person *p = c->who;
	forget(p);
	snprintf(p->name, sizeof(p->name), "%s", word(c, 1));
	p->suite = tacit_mls_suite_find((uint16_t)strtoul(word(c, 2), NULL, 10));
	if (p->suite == NULL)
		return TACIT_E_UNSUPPORTED;
	p->host = (struct tacit_mls_host){.env = &env,
	        .find_psk = find_psk,
	        .signature_sk = tacit_bytes(p->sk, p->suite->signature_sk_bytes)};
	uint64_t now = (uint64_t)tacit_env_now(&env);
	struct tacit_mls_key_package_options o = {.suite = p->suite,
	        .signature_sk = p->host.signature_sk,
	        .signature_key = tacit_bytes(p->pk, p->suite->signature_public_bytes),
	        .credential = {TACIT_MLS_CREDENTIAL_BASIC, .identity = tacit_cstr(p->name)},
	        .lifetime = {now - DAY, now + DAY}};
	TRY(tacit_mls_signature_keypair(p->suite, &env, p->sk, p->pk));
	TRY(tacit_mls_capabilities_make(NULL, &env, &store, &o.capabilities));
	TRY(tacit_mls_key_package_create(&o, &env, &p->key_package, &p->secrets));
	struct tacit_mls_message m = {.wire_format = TACIT_MLS_KEY_PACKAGE,
	        .key_package.encoded = tacit_buf_view(&p->key_package)};
	TRY(tacit_mls_message_encode(&m, &c->out[0]));
out:
	tacit_buf_clear(&store);
	return err;
}

static enum tacit_err create(struct call *c)
{
	struct person *p = c->who;
	struct tacit_mls_create_options o = {.suite = p->suite,
	        .group_id = arg(c, 2),
	        .key_package = tacit_buf_view(&p->key_package),
	        .secrets = &p->secrets,
	        .settings = settings_of(word(c, 3))};
	return tacit_mls_group_create(&o, &p->host, &p->group);
}

static enum tacit_err join(struct call *c)
{
	struct person *p = c->who;
	struct tacit_mls_join_options o = {.welcome = arg(c, 2),
	        .ratchet_tree = arg(c, 3),
	        .key_package = tacit_buf_view(&p->key_package),
	        .secrets = &p->secrets,
	        .settings = settings_of(word(c, 4))};
	return tacit_mls_group_join(&o, &p->host, &p->group);
}

static enum tacit_err external(struct call *c)
{
	struct person *p = c->who;
	uint32_t removes = (uint32_t)strtoul(word(c, 4), NULL, 10);
	struct tacit_mls_group *joined = NULL;
	struct tacit_mls_external_join_options o = {.group_info = arg(c, 2),
	        .ratchet_tree = arg(c, 3),
	        .removes = strcmp(word(c, 4), "-") != 0 ? &removes : NULL,
	        .key_package = tacit_buf_view(&p->key_package),
	        .settings = settings_of(word(c, 5))};
	enum tacit_err err = tacit_mls_group_external_join(&o, &p->host, &c->out[0], &joined);
	if (err != TACIT_OK)
		return err;
	tacit_mls_group_free(p->group);
	p->group = joined;
	return TACIT_OK;
}

static enum tacit_err ask(struct call *c)
{
	struct person *p = c->who;
	struct tacit_mls_message m;
	enum tacit_err err = tacit_mls_message_decode(arg(c, 2), &m);
	if (err != TACIT_OK || m.wire_format != TACIT_MLS_GROUP_INFO)
		return err != TACIT_OK ? err : TACIT_E_MALFORMED;
	struct tacit_mls_outside_proposal o = {.suite = p->suite,
	        .group_id = m.group_info.context.group_id,
	        .epoch = m.group_info.context.epoch,
	        .sender = {.type = TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL},
	        .signature_sk = p->host.signature_sk};
	struct tacit_mls_proposal add = {
	        .type = TACIT_MLS_ADD, .add.encoded = tacit_buf_view(&p->key_package)};
	return tacit_mls_propose_from_outside(&o, &add, &c->out[0]);
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static enum tacit_err read_change(const struct call *c, size_t i, struct tacit_mls_proposal *out)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_mls_message m;
	const char *w = c->words[i];
	*out = (struct tacit_mls_proposal){0};
	if (starts(w, "add:")) {
		TRY(tacit_mls_message_decode(arg(c, i), &m));
		out->type = TACIT_MLS_ADD;
		out->add.encoded = m.body;
	} else if (starts(w, "remove:")) {
		out->type = TACIT_MLS_REMOVE;
		out->removed = (uint32_t)strtoul(w + strlen("remove:"), NULL, 10);
	} else if (starts(w, "psk:")) {
		out->type = TACIT_MLS_PSK;
		out->psk =
		        (struct tacit_mls_psk_id){.type = TACIT_MLS_PSK_EXTERNAL, .id = arg(c, i)};
	} else if (starts(w, "group:")) {
		out->type = TACIT_MLS_CONTEXT_EXTENSIONS;
		out->extensions.encoded = arg(c, i);
	} else {
		err = TACIT_E_USAGE;
	}
out:
	return err;
}

static enum tacit_err propose(struct call *c)
{
	struct person *p = c->who;
	struct tacit_mls_proposal proposal;
	if (strcmp(word(c, 2), "update") == 0)
		return tacit_mls_group_propose_update(
		        p->group, &p->host, NULL, TACIT_STR(""), &c->out[0]);
	enum tacit_err err = read_change(c, 2, &proposal);
	if (err != TACIT_OK)
		return err;
	return tacit_mls_group_propose(
	        p->group, &p->host, &proposal, TACIT_STR("proposed"), &c->out[0]);
}

static enum tacit_err commit(struct call *c)
{
	enum tacit_err err;
	struct person *p = c->who;
	struct tacit_mls_proposal proposals[CHANGES];
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_commit_options o = {
	        .proposals = proposals, .authenticated_data = TACIT_STR("committed")};
	for (size_t i = 2; i < c->count && o.proposal_count < CHANGES; i++) {
		if (strcmp(c->words[i], "without-tree") == 0)
			o.welcome_without_tree = true;
		else if (strcmp(c->words[i], "without-path") == 0)
			o.without_path = true;
		else
			TRY(read_change(c, i, &proposals[o.proposal_count++]));
	}
	TRY(tacit_mls_group_commit(p->group, &p->host, &o, &r));
	TRY(tacit_buf_append(&c->out[0], tacit_buf_view(&r.commit)));
	TRY(tacit_buf_append(&c->out[1], tacit_buf_view(&r.welcome)));
out:
	tacit_mls_commit_result_clear(&r);
	return err;
}

static enum tacit_err accept(struct call *c)
{
	return tacit_mls_group_accept(c->who->group);
}

static enum tacit_err drop(struct call *c)
{
	tacit_mls_group_drop(c->who->group);
	return TACIT_OK;
}

static enum tacit_err say(struct call *c)
{
	struct person *p = c->who;
	return tacit_mls_group_protect(p->group, &p->host, arg(c, 2), arg(c, 3), &c->out[0]);
}

static enum tacit_err process(struct call *c)
{
	enum tacit_err err;
	struct person *p = c->who;
	struct tacit_mls_event ev = {0};
	TRY(tacit_mls_group_process(p->group, &p->host, arg(c, 2), &ev));
	if (ev.kind == TACIT_MLS_EVENT_APPLICATION) {
		snprintf(c->head, sizeof(c->head), " application");
		TRY(tacit_buf_append(&c->out[0], tacit_buf_view(&ev.plain)));
		TRY(tacit_buf_append(&c->out[1], tacit_buf_view(&ev.authenticated_data)));
	} else {
		const char *kind = ev.kind == TACIT_MLS_EVENT_PROPOSAL ? "proposal"
		                   : ev.kind == TACIT_MLS_EVENT_OWN    ? "own"
		                   : ev.removed                        ? "removed"
		                                                       : "commit";
		snprintf(c->head, sizeof(c->head), " %s", kind);
	}
out:
	tacit_mls_event_clear(&ev);
	return err;
}

static enum tacit_err info(struct call *c)
{
	return tacit_mls_group_info(
	        c->who->group, &c->who->host, TACIT_MLS_INFO_EXTERNAL_PUB, &c->out[0]);
}

static enum tacit_err tree(struct call *c)
{
	return tacit_mls_tree_encode(tacit_mls_group_tree(c->who->group), &c->out[0]);
}

static enum tacit_err look(struct call *c)
{
	struct tacit_mls_group *g = c->who->group;
	uint8_t exported[32];
	enum tacit_err err = tacit_mls_group_export(g, TACIT_STR("interop"), TACIT_STR("context"),
	        (struct tacit_room){exported, sizeof(exported)});
	if (err != TACIT_OK)
		return err;
	snprintf(c->head, sizeof(c->head), " %llu %u %u",
	        (unsigned long long)tacit_mls_group_epoch(g),
	        tacit_mls_tree_members(tacit_mls_group_tree(g)), tacit_mls_group_own_leaf(g));
	err = tacit_buf_append(&c->out[0], tacit_mls_group_epoch_authenticator(g));
	return err != TACIT_OK
	               ? err
	               : tacit_buf_append(&c->out[1], tacit_bytes(exported, sizeof(exported)));
}

static const struct verb {
	const char *name;
	enum tacit_err (*run)(struct call *c);
	bool needs_group;
} verbs[] = {
        {"new", make, false},
        {"create", create, false},
        {"join", join, false},
        {"external", external, false},
        {"ask", ask, false},
        {"propose", propose, true},
        {"commit", commit, true},
        {"accept", accept, true},
        {"drop", drop, true},
        {"say", say, true},
        {"process", process, true},
        {"info", info, true},
        {"tree", tree, true},
        {"look", look, true},
};

static enum tacit_err run(struct call *c)
{
	c->who = person_of(word(c, 1), strcmp(word(c, 0), "new") == 0);
	if (c->who == NULL)
		return TACIT_E_NOT_FOUND;
	for (size_t i = 0; i < TACIT_COUNT(verbs); i++) {
		if (strcmp(verbs[i].name, word(c, 0)) != 0)
			continue;
		return verbs[i].needs_group && c->who->group == NULL ? TACIT_E_CONFLICT
		                                                     : verbs[i].run(c);
	}
	return TACIT_E_USAGE;
}

static void print_out(const struct tacit_buf *b)
{
	if (b->n == 0)
		printf(" -");
	else
		printf(" ");
	for (size_t i = 0; i < b->n; i++)
		printf("%02x", b->p[i]);
}

static enum tacit_err answer(struct call *c, char *line)
{
	enum tacit_err err = TACIT_OK;
	line[strcspn(line, "\n")] = 0;
	for (char *w; c->count < WORDS && (w = strsep(&line, " ")) != NULL;)
		c->words[c->count++] = w;
	for (size_t i = 2; i < c->count; i++)
		TRY(unhex_word(c->words[i], &c->bytes[i]));
	TRY(run(c));
out:
	return err;
}

int main(void)
{
	static char line[LINE];
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	env = tacit_system_env();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct call c = {0};
		enum tacit_err err = answer(&c, line);
		printf("%s%s", err == TACIT_OK ? "ok" : tacit_err_name(err), c.head);
		for (size_t i = 0; i < 2; i++) {
			print_out(&c.out[i]);
			tacit_buf_clear(&c.out[i]);
		}
		for (size_t i = 0; i < WORDS; i++)
			tacit_buf_clear(&c.bytes[i]);
		printf("\n");
		fflush(stdout);
	}
	for (size_t i = 0; i < PEOPLE; i++)
		forget(&people[i]);
	return 0;
}
