/* mls.c - how long the operations of an MLS group take. mls SUITE FIGURE MEMBERS ROUNDS prints one
 * JSON object; times are medians of the rounds.
 *
 *   fresh  MEMBERS: created and added in one commit, so that no inner node has a key yet: the worst
 *          case for a commit
 *   grown  MEMBERS: every member has committed once: what a commit costs in a group that lives;
 *          2, or 4 and more
 *   single two members: key packages and application messages per second */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "e2e/mls/group.h"
#include "e2e/mls/message.h"
#include "e2e/mls/treekem.h"

enum { ROUNDS_MAX = 64, MEMBERS_MAX = 20000, DAY = 86400, MESSAGE = 256, BATCH = 200, STOCK = 20 };

struct person {
	uint8_t sk[TACIT_MLS_SIGNATURE_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_SIGNATURE_PUBLIC_MAX_BYTES];
	struct tacit_buf key_package;
	struct tacit_mls_key_package_secrets secrets;
	struct tacit_mls_host host;
	struct tacit_mls_group *group;
};

struct times {
	double ms[ROUNDS_MAX];
	size_t n;
};

static const struct tacit_mls_suite *suite;
static struct tacit_env env;
static struct person *people;
static uint32_t members;
static size_t rounds;

static void must(enum tacit_err err, const char *what)
{
	if (err == TACIT_OK)
		return;
	fprintf(stderr, "mls: %s: %s\n", what, tacit_err_name(err));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void took(struct times *t, double began)
{
	if (t->n < ROUNDS_MAX)
		t->ms[t->n++] = now_ms() - began;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(struct times *t)
{
	qsort(t->ms, t->n, sizeof(t->ms[0]), compare);
	return t->n % 2 == 1 ? t->ms[t->n / 2] : (t->ms[t->n / 2 - 1] + t->ms[t->n / 2]) / 2;
}

static void make_keys(struct person *p)
{
	must(tacit_mls_signature_keypair(suite, &env, p->sk, p->pk), "signature keys");
	size_t n = suite->signature_sk_bytes;
	if (suite->scheme == TACIT_ED25519) { /* with the public key: signing need not find it */
		memcpy(p->sk + n, p->pk, 32);
		n += 32;
	}
	p->host = (struct tacit_mls_host){.env = &env, .signature_sk = tacit_bytes(p->sk, n)};
}

/* pairs: where the keys come from; NULL: they are drawn. */
static void make_key_package_from(struct person *p, struct tacit_mls_key_pairs *pairs)
{
	struct tacit_buf store = {0};
	uint64_t now = (uint64_t)tacit_env_now(&env);
	struct tacit_mls_key_package_options o = {.suite = suite,
	        .signature_sk = p->host.signature_sk,
	        .signature_key = tacit_bytes(p->pk, suite->signature_public_bytes),
	        .credential = {.type = TACIT_MLS_CREDENTIAL_BASIC,
	                .identity = tacit_bytes(p->pk, 16)},
	        .lifetime = {now - DAY, now + DAY},
	        .pairs = pairs};
	p->key_package.n = 0;
	must(tacit_mls_capabilities_make(NULL, NULL, &store, &o.capabilities), "capabilities");
	must(tacit_mls_key_package_create(&o, &env, &p->key_package, &p->secrets), "key package");
	tacit_buf_clear(&store);
}

static void make_key_package(struct person *p)
{
	make_key_package_from(p, NULL);
}

static void forget_group(struct person *p)
{
	tacit_mls_group_free(p->group);
	p->group = NULL;
}

static void make_people(uint32_t n)
{
	people = tacit_calloc(n, sizeof(*people));
	if (people == NULL)
		must(TACIT_E_NOMEM, "people");
	for (uint32_t i = 0; i < n; i++) {
		make_keys(&people[i]);
		make_key_package(&people[i]);
	}
}

static void create(struct person *p)
{
	struct tacit_mls_create_options o = {.suite = suite,
	        .group_id = TACIT_STR("a group to be measured"),
	        .key_package = tacit_buf_view(&p->key_package),
	        .secrets = &p->secrets};
	must(tacit_mls_group_create(&o, &p->host, &p->group), "create");
}

static void commit(struct person *p, const struct tacit_mls_commit_options *o,
        struct tacit_mls_commit_result *r)
{
	*r = (struct tacit_mls_commit_result){0};
	must(tacit_mls_group_commit(p->group, &p->host, o, r), "commit");
	must(tacit_mls_group_accept(p->group), "accept");
}

static void join(struct person *p, const struct tacit_buf *welcome)
{
	struct tacit_mls_join_options o = {.welcome = tacit_buf_view(welcome),
	        .key_package = tacit_buf_view(&p->key_package),
	        .secrets = &p->secrets};
	must(tacit_mls_group_join(&o, &p->host, &p->group), "join");
}

static void process(struct person *p, const struct tacit_buf *message)
{
	struct tacit_mls_event ev;
	must(tacit_mls_group_process(p->group, &p->host, tacit_buf_view(message), &ev), "process");
	tacit_mls_event_clear(&ev);
}

/* --- fresh --- */

static void add_all(struct tacit_mls_commit_result *r, struct times *t)
{
	struct tacit_mls_proposal *adds = tacit_calloc(members, sizeof(*adds));
	if (adds == NULL)
		must(TACIT_E_NOMEM, "adds");
	for (uint32_t i = 1; i <= members; i++)
		adds[i - 1] = (struct tacit_mls_proposal){.type = TACIT_MLS_ADD,
		        .add.encoded = tacit_buf_view(&people[i].key_package)};
	struct tacit_mls_commit_options o = {.proposals = adds, .proposal_count = members};
	double began = now_ms();
	create(&people[0]);
	commit(&people[0], &o, r);
	took(t, began);
	tacit_free(adds);
}

static void fresh(void)
{
	struct times add = {.n = 0}, joined = {.n = 0}, made = {.n = 0}, processed = {.n = 0};
	make_people(members + 1);
	for (size_t i = 0; i < rounds; i++) {
		struct tacit_mls_commit_result added, empty;
		struct person *who = &people[1 + (size_t)rand() % members];
		add_all(&added, &add);
		double began = now_ms();
		join(who, &added.welcome);
		took(&joined, began);
		began = now_ms();
		commit(&people[0], &(struct tacit_mls_commit_options){0}, &empty);
		took(&made, began);
		began = now_ms();
		process(who, &empty.commit);
		took(&processed, began);
		forget_group(who);
		forget_group(&people[0]);
		tacit_mls_commit_result_clear(&added);
		tacit_mls_commit_result_clear(&empty);
	}
	printf("{\"add_ms\": %.3f, \"join_ms\": %.3f, \"commit_ms\": %.3f, \"process_ms\": %.3f}\n",
	        median(&add), median(&joined), median(&made), median(&processed));
}

/* --- grown --- */

/* Where the two who live come in: inside, for a leaf at the edge has a shorter path. */
static bool is_gap(uint32_t leaf)
{
	return leaf == members / 3 || leaf == members / 2;
}

/* A tree in which every inner node has a key: all members are put there, and then draw a path each,
 * which needs no ciphertexts as nobody is to read them. */
static struct tacit_mls_tree *grow_tree(struct tacit_bytes group_id)
{
	struct tacit_mls_tree *t = NULL;
	struct tacit_mls_key_package kp;
	uint32_t leaf;
	must(tacit_mls_tree_new(suite, &t), "tree");
	must(tacit_mls_tree_stage(t), "stage");
	for (uint32_t i = 0; i < members; i++) {
		must(tacit_mls_key_package_decode(tacit_buf_view(&people[i].key_package), &kp),
		        "key package");
		must(tacit_mls_tree_add(t, kp.leaf.encoded, &leaf), "add");
	}
	for (uint32_t i = 0; i < members; i++)
		if (is_gap(i))
			must(tacit_mls_tree_remove(t, i), "remove");
	tacit_mls_tree_keep(t);
	for (uint32_t i = 0; i < members; i++) {
		if (is_gap(i))
			continue;
		struct tacit_mls_leaf_node node;
		struct tacit_mls_path *path = NULL;
		struct tacit_mls_path_options o = {.sender = i,
		        .group_id = group_id,
		        .signature_sk = people[i].host.signature_sk,
		        .leaf = &node};
		must(tacit_mls_tree_stage(t), "stage");
		must(tacit_mls_tree_leaf(t, i, &node) ? TACIT_OK : TACIT_E_NOT_FOUND, "leaf");
		must(tacit_mls_path_draft(t, &o, &env, &path), "path");
		tacit_mls_tree_keep(t);
		tacit_mls_path_free(path);
	}
	return t;
}

/* The GroupInfo of a group of that tree, signed by the first member, for joining from outside. */
static void describe(struct tacit_mls_tree *t, struct tacit_bytes group_id, struct tacit_buf *out)
{
	static const uint8_t zeroes[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES], sk[TACIT_MLS_KEM_SK_MAX_BYTES];
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	struct tacit_buf extensions = {0}, pub = {0}, body = {0};
	must(tacit_mls_tree_hash(t, hash), "tree hash");
	must(tacit_mls_kem_keypair(suite, &env, sk, pk), "external key");
	struct tacit_writer w = tacit_writer(&pub);
	tacit_mls_write_external_pub(&w, tacit_bytes(pk, suite->kem_public_bytes));
	must(tacit_writer_finish(&w), "external_pub");
	w = tacit_writer(&extensions);
	tacit_mls_write_extension(
	        &w, (struct tacit_mls_extension){TACIT_MLS_EXT_EXTERNAL_PUB, tacit_buf_view(&pub)});
	must(tacit_writer_finish(&w), "extensions");
	struct tacit_bytes hash_bytes = tacit_bytes(zeroes, suite->hash_bytes);
	struct tacit_mls_group_info info = {
	        .context = {.suite = suite->id,
	                .group_id = group_id,
	                .epoch = 1,
	                .tree_hash = tacit_bytes(hash, suite->hash_bytes),
	                .confirmed_transcript_hash = hash_bytes},
	        .extensions.encoded = tacit_buf_view(&extensions),
	        .confirmation_tag = hash_bytes,
	        .signer = 0};
	w = tacit_writer(out);
	tacit_mls_write_message_header(&w, TACIT_MLS_GROUP_INFO);
	must(tacit_writer_finish(&w), "header");
	must(tacit_mls_group_info_sign(suite, &info, people[0].host.signature_sk, &body), "sign");
	must(tacit_buf_append(out, tacit_buf_view(&body)), "group info");
	tacit_buf_clear(&extensions);
	tacit_buf_clear(&pub);
	tacit_buf_clear(&body);
}

static void external_join(struct person *p, const struct tacit_buf *info,
        const struct tacit_buf *tree, struct tacit_buf *message)
{
	struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(info),
	        .ratchet_tree = tacit_buf_view(tree),
	        .key_package = tacit_buf_view(&p->key_package)};
	must(tacit_mls_group_external_join(&o, &p->host, message, &p->group), "external join");
}

static double heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();
	return (double)m.uordblks + (double)m.hblkhd;
}

/* Two live members in a group whose other members are in the tree only; what the second one's group
 * takes of memory. */
static double enter(struct person *first, struct person *second, struct times *joined)
{
	struct tacit_bytes group_id = TACIT_STR("a group to be measured");
	struct tacit_buf info = {0}, tree = {0}, message = {0};
	struct tacit_mls_tree *t = grow_tree(group_id);
	describe(t, group_id, &info);
	must(tacit_mls_tree_encode(t, &tree), "tree");
	tacit_mls_tree_free(t);
	double began = now_ms();
	external_join(first, &info, &tree, &message);
	took(joined, began);
	info.n = tree.n = message.n = 0;
	must(tacit_mls_group_info(first->group, &first->host, TACIT_MLS_INFO_EXTERNAL_PUB, &info),
	        "info");
	must(tacit_mls_tree_encode(tacit_mls_group_tree(first->group), &tree), "tree");
	double before = heap_bytes() - (double)message.cap;
	began = now_ms();
	external_join(second, &info, &tree, &message);
	took(joined, began);
	double heap = heap_bytes() - (double)message.cap - before;
	process(first, &message);
	tacit_buf_clear(&info);
	tacit_buf_clear(&tree);
	tacit_buf_clear(&message);
	return heap;
}

/* The same in a group of two, where nobody else is. */
static double pair_up(struct person *first, struct person *second, struct times *joined)
{
	struct tacit_mls_commit_result r;
	struct tacit_mls_proposal add = {
	        .type = TACIT_MLS_ADD, .add.encoded = tacit_buf_view(&second->key_package)};
	struct tacit_mls_commit_options o = {.proposals = &add, .proposal_count = 1};
	create(first);
	commit(first, &o, &r);
	join(second, &r.welcome); /* once before: what the libraries keep is not the group's */
	forget_group(second);
	double before = heap_bytes(), began = now_ms();
	join(second, &r.welcome);
	took(joined, began);
	double heap = heap_bytes() - before;
	tacit_mls_commit_result_clear(&r);
	return heap;
}

static void grown(void)
{
	struct times joined = {.n = 0}, made = {.n = 0}, processed = {.n = 0};
	size_t bytes = 0;
	struct tacit_buf state = {0};
	struct tacit_mls_commit_result r;
	make_people(members + 2);
	struct person *pair[] = {&people[members], &people[members + 1]};
	double heap =
	        members > 2 ? enter(pair[0], pair[1], &joined) : pair_up(pair[0], pair[1], &joined);
	for (size_t i = 0; i < rounds; i++) {
		double began = now_ms();
		commit(pair[i % 2], &(struct tacit_mls_commit_options){0}, &r);
		took(&made, began);
		began = now_ms();
		process(pair[(i + 1) % 2], &r.commit);
		took(&processed, began);
		bytes = r.commit.n;
		tacit_mls_commit_result_clear(&r);
	}
	must(tacit_mls_group_save(pair[0]->group, &state), "save");
	size_t small = state.n;
	must(tacit_mls_group_save_tree(pair[0]->group, &state), "save");
	printf("{\"commit_ms\": %.3f, \"process_ms\": %.3f, \"join_ms\": %.1f, "
	       "\"commit_bytes\": %zu, \"heap_per_member\": %.0f, \"state_bytes\": %zu, "
	       "\"tree_bytes_per_member\": %.0f}\n",
	        median(&made), median(&processed), median(&joined), bytes, heap / (double)members,
	        small, (double)(state.n - small) / (double)members);
	tacit_buf_clear(&state);
}

/* --- single --- */

/* In stocks of so many, as a device makes and offers them; 1: one by one. */
static double key_packages(int stock)
{
	struct times t = {.n = 0};
	for (size_t i = 0; i < rounds; i++) {
		double began = now_ms();
		for (int k = 0; k < BATCH; k += stock) {
			struct tacit_mls_key_pairs *pairs;
			must(tacit_mls_key_pairs_new(suite, &env, 2 * (size_t)stock, &pairs),
			        "key pairs");
			for (int j = 0; j < stock; j++)
				make_key_package_from(&people[0], pairs);
			tacit_mls_key_pairs_free(pairs);
		}
		took(&t, began);
	}
	return BATCH / median(&t) * 1e3;
}

static double messages(void)
{
	struct times t = {.n = 0};
	struct tacit_mls_commit_result r;
	uint8_t text[MESSAGE] = {0};
	make_key_package(&people[0]);
	add_all(&r, &t);
	join(&people[1], &r.welcome);
	t.n = 0;
	for (size_t i = 0; i < rounds; i++) {
		double began = now_ms();
		for (int k = 0; k < BATCH; k++) {
			struct tacit_buf out = {0};
			must(tacit_mls_group_protect(people[0].group, &people[0].host,
			             TACIT_STR(""), tacit_bytes(text, sizeof(text)), &out),
			        "protect");
			process(&people[1], &out);
			tacit_buf_clear(&out);
		}
		took(&t, began);
	}
	tacit_mls_commit_result_clear(&r);
	return BATCH / median(&t) * 1e3;
}

static void single(void)
{
	members = 1;
	make_people(2);
	double one_by_one = key_packages(1), packages = key_packages(STOCK);
	printf("{\"key_packages\": %.0f, \"key_packages_alone\": %.0f, \"messages\": %.0f}\n",
	        packages, one_by_one, messages());
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: mls SUITE fresh|grown|single MEMBERS ROUNDS\n");
		return 2;
	}
	must(tacit_crypto_init(), "crypto");
	env = tacit_system_env();
	suite = tacit_mls_suite_find((uint16_t)strtoul(argv[1], NULL, 0));
	members = (uint32_t)strtoul(argv[3], NULL, 10);
	rounds = strtoul(argv[4], NULL, 10);
	if (suite == NULL || members < 1 || members > MEMBERS_MAX || rounds < 1 ||
	        rounds > ROUNDS_MAX)
		must(TACIT_E_USAGE, "SUITE, MEMBERS or ROUNDS");
	if (strcmp(argv[2], "fresh") == 0)
		fresh();
	else if (strcmp(argv[2], "grown") == 0)
		grown();
	else
		single();
	return 0;
}
