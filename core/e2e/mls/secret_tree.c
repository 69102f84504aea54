#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/secret_tree_int.h"

#define DEPTH_MAX 25

struct tacit_mls_stage {
	uint32_t leaf;
	enum tacit_mls_ratchet which;
	bool take_skipped; /* else the chain moves on to `after` */
	size_t skipped_at;
	struct chain after; /* its skipped: a replacement, or NULL to keep what is there */
	bool replaces_skipped;
	struct ratchet *fresh;         /* of a leaf that had none */
	size_t ancestor;               /* position of the node that fresh came from */
	struct node *nodes[DEPTH_MAX]; /* the siblings that replace it */
	size_t node_count;
};

static void free_wiped(void *p, size_t n)
{
	if (p != NULL)
		tacit_wipe(p, n);
	tacit_free(p);
}

static void clear_chain(struct chain *c)
{
	free_wiped(c->skipped, c->skipped_count * sizeof(*c->skipped));
	tacit_wipe(c, sizeof(*c));
}

static void free_ratchet(struct ratchet *r)
{
	if (r == NULL)
		return;
	clear_chain(&r->chains[0]);
	clear_chain(&r->chains[1]);
	tacit_free(r);
}

static uint32_t round_up(uint32_t leaf_count)
{
	uint32_t width = 1;
	while (width < leaf_count)
		width *= 2;
	return width;
}

enum tacit_err tacit_mls_secret_tree_blank(
        const struct tacit_mls_suite *s, uint32_t leaf_count, struct tacit_mls_secret_tree **out)
{
	*out = NULL;
	if (leaf_count == 0 || leaf_count > TACIT_MLS_LEAVES_MAX)
		return TACIT_E_LIMIT;
	struct tacit_mls_secret_tree *t = tacit_calloc(1, sizeof(*t));
	if (t == NULL)
		return TACIT_E_NOMEM;
	t->suite = s;
	t->leaf_count = round_up(leaf_count);
	*out = t;
	return TACIT_OK;
}

void tacit_mls_secret_tree_free(struct tacit_mls_secret_tree *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->node_count; i++)
		free_wiped(t->nodes[i], sizeof(*t->nodes[i]));
	for (size_t i = 0; i < t->ratchet_count; i++)
		free_ratchet(t->ratchets[i]);
	tacit_free(t->nodes);
	tacit_free(t->ratchets);
	tacit_free(t);
}

enum tacit_err tacit_mls_row_reserve(void *row, size_t count, size_t *cap, size_t more)
{
	if (*cap - count >= more)
		return TACIT_OK;
	void *old;
	memcpy(&old, row, sizeof(old));
	size_t want = (count + more) * 2;
	void *grown = tacit_realloc(old, want * sizeof(void *));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	memcpy(row, &grown, sizeof(grown));
	*cap = want;
	return TACIT_OK;
}

enum tacit_err tacit_mls_secret_tree_new(const struct tacit_mls_suite *s,
        const uint8_t *encryption_secret, uint32_t leaf_count, struct tacit_mls_secret_tree **out)
{
	struct tacit_mls_secret_tree *t;
	enum tacit_err err = tacit_mls_secret_tree_blank(s, leaf_count, &t);
	*out = NULL;
	if (err != TACIT_OK)
		return err;
	TRY(tacit_mls_row_reserve(&t->nodes, 0, &t->node_cap, 1));
	struct node *root = tacit_calloc(1, sizeof(*root));
	TRY(root == NULL ? TACIT_E_NOMEM : TACIT_OK);
	root->index = t->leaf_count - 1;
	memcpy(root->secret, encryption_secret, s->hash_bytes);
	t->nodes[t->node_count++] = root;
	*out = t;
out:
	if (err != TACIT_OK)
		tacit_mls_secret_tree_free(t);
	return err;
}

/* The position of the first node whose index is not below. */
static size_t node_position(const struct tacit_mls_secret_tree *t, uint32_t index)
{
	size_t low = 0;
	size_t high = t->node_count;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (t->nodes[mid]->index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t ratchet_position(const struct tacit_mls_secret_tree *t, uint32_t leaf)
{
	size_t low = 0;
	size_t high = t->ratchet_count;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (t->ratchets[mid]->leaf < leaf)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct ratchet *ratchet_of(const struct tacit_mls_secret_tree *t, uint32_t leaf)
{
	size_t at = ratchet_position(t, leaf);
	if (at < t->ratchet_count && t->ratchets[at]->leaf == leaf)
		return t->ratchets[at];
	return NULL;
}

/* The node that covers a leaf, walking down from the root. Half the span of its subtree in
 * *half: 0 for a leaf. */
static bool find_ancestor(
        const struct tacit_mls_secret_tree *t, uint32_t leaf, size_t *at, uint32_t *half)
{
	uint32_t target = 2 * leaf;
	uint32_t index = t->leaf_count - 1;
	for (uint32_t h = t->leaf_count / 2;; h /= 2) {
		*at = node_position(t, index);
		*half = h;
		if (*at < t->node_count && t->nodes[*at]->index == index)
			return true;
		if (h == 0)
			return false;
		index = target < index ? index - h : index + h;
	}
}

static enum tacit_err expand(const struct tacit_mls_secret_tree *t, const uint8_t *secret,
        const char *label, const char *context, uint8_t *out)
{
	return tacit_mls_expand(t->suite, secret, tacit_cstr(label), tacit_cstr(context),
	        (struct tacit_room){out, t->suite->hash_bytes});
}

static enum tacit_err add_sibling(const struct tacit_mls_secret_tree *t,
        struct tacit_mls_stage *stage, uint32_t index, const uint8_t *parent, bool left)
{
	struct node *n = tacit_calloc(1, sizeof(*n));
	if (n == NULL)
		return TACIT_E_NOMEM;
	stage->nodes[stage->node_count++] = n;
	n->index = index;
	return expand(t, parent, "tree", left ? "left" : "right", n->secret);
}

/* The ratchets of a leaf that has none yet, and the siblings on the way down to it. */
static enum tacit_err derive_ratchet(
        struct tacit_mls_secret_tree *t, uint32_t leaf, struct tacit_mls_stage *stage)
{
	enum tacit_err err;
	uint32_t half;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES] = {0};
	uint8_t child[TACIT_MLS_HASH_MAX_BYTES] = {0};
	TRY(find_ancestor(t, leaf, &stage->ancestor, &half) ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(tacit_mls_row_reserve(&t->nodes, t->node_count, &t->node_cap, DEPTH_MAX));
	TRY(tacit_mls_row_reserve(&t->ratchets, t->ratchet_count, &t->ratchet_cap, 1));
	uint32_t index = t->nodes[stage->ancestor]->index;
	memcpy(secret, t->nodes[stage->ancestor]->secret, sizeof(secret));
	for (; half > 0; half /= 2) {
		bool left = 2 * leaf < index;
		TRY(add_sibling(t, stage, left ? index + half : index - half, secret, !left));
		TRY(expand(t, secret, "tree", left ? "left" : "right", child));
		memcpy(secret, child, sizeof(secret));
		index = left ? index - half : index + half;
	}
	stage->fresh = tacit_calloc(1, sizeof(*stage->fresh));
	TRY(stage->fresh == NULL ? TACIT_E_NOMEM : TACIT_OK);
	stage->fresh->leaf = leaf;
	TRY(expand(t, secret, "handshake", "", stage->fresh->chains[TACIT_MLS_HANDSHAKE].secret));
	TRY(expand(
	        t, secret, "application", "", stage->fresh->chains[TACIT_MLS_APPLICATION].secret));
out:
	tacit_wipe(secret, sizeof(secret));
	tacit_wipe(child, sizeof(child));
	return err;
}

/* One step of the chain; key and nonce may be NULL where the generation is only passed over. */
static enum tacit_err step(
        const struct tacit_mls_suite *s, struct chain *c, uint8_t *key, uint8_t *nonce)
{
	enum tacit_err err;
	uint8_t next[TACIT_MLS_HASH_MAX_BYTES] = {0};
	TRY(c->exhausted ? TACIT_E_EXHAUSTED : TACIT_OK);
	if (key != NULL) {
		TRY(tacit_mls_derive_tree_secret(s, c->secret, TACIT_STR("nonce"), c->next,
		        (struct tacit_room){nonce, TACIT_MLS_NONCE_BYTES}));
		TRY(tacit_mls_derive_tree_secret(s, c->secret, TACIT_STR("key"), c->next,
		        (struct tacit_room){key, s->key_bytes}));
	}
	TRY(tacit_mls_derive_tree_secret(s, c->secret, TACIT_STR("secret"), c->next,
	        (struct tacit_room){next, s->hash_bytes}));
	memcpy(c->secret, next, sizeof(c->secret));
	if (c->next == UINT32_MAX)
		c->exhausted = true;
	else
		c->next++;
out:
	tacit_wipe(next, sizeof(next));
	return err;
}

/* The skipped keys of after: those of before that still fit, and room for `more`. */
static enum tacit_err carry_skipped(const struct chain *before, size_t more, struct chain *after)
{
	size_t keep = before->skipped_count;
	if (keep + more > TACIT_MLS_SKIPPED_MAX)
		keep = TACIT_MLS_SKIPPED_MAX - more;
	after->skipped = tacit_calloc(keep + more, sizeof(*after->skipped));
	if (after->skipped == NULL)
		return TACIT_E_NOMEM;
	size_t from = before->skipped_count - keep;
	if (from > 0)
		after->floor = keep > 0 ? before->skipped[from].generation : before->next;
	if (keep > 0)
		memcpy(after->skipped, before->skipped + from, keep * sizeof(*after->skipped));
	after->skipped_count = keep;
	return TACIT_OK;
}

static enum tacit_err move_on(const struct tacit_mls_suite *s, const struct chain *before,
        struct tacit_mls_stage *stage, struct tacit_mls_message_key *out)
{
	enum tacit_err err = TACIT_OK;
	struct chain *after = &stage->after;
	*after = *before;
	after->skipped = NULL;
	after->skipped_count = 0;
	uint32_t distance = out->generation - before->next;
	if (distance > TACIT_MLS_FORWARD_MAX)
		return TACIT_E_LIMIT;
	size_t keep = distance < TACIT_MLS_SKIPPED_MAX ? distance : TACIT_MLS_SKIPPED_MAX;
	if (distance > 0) {
		TRY(carry_skipped(before, keep, after));
		stage->replaces_skipped = true;
	}
	for (; distance > keep; distance--) {
		TRY(step(s, after, NULL, NULL));
		after->floor = after->next;
	}
	for (; distance > 0; distance--) {
		struct skipped *k = &after->skipped[after->skipped_count++];
		k->generation = after->next;
		TRY(step(s, after, k->key, k->nonce));
	}
	TRY(step(s, after, out->key, out->nonce));
out:
	return err;
}

static enum tacit_err take_skipped(
        const struct chain *c, struct tacit_mls_stage *stage, struct tacit_mls_message_key *out)
{
	if (out->generation < c->floor)
		return TACIT_E_GONE;
	for (size_t i = 0; i < c->skipped_count; i++) {
		if (c->skipped[i].generation != out->generation)
			continue;
		memcpy(out->key, c->skipped[i].key, sizeof(out->key));
		memcpy(out->nonce, c->skipped[i].nonce, sizeof(out->nonce));
		stage->take_skipped = true;
		stage->skipped_at = i;
		return TACIT_OK;
	}
	return TACIT_E_REPLAY;
}

static enum tacit_err look_up(struct tacit_mls_secret_tree *t, struct tacit_mls_key_place place,
        bool next, struct tacit_mls_message_key *out)
{
	*out = (struct tacit_mls_message_key){0};
	if (place.leaf >= t->leaf_count)
		return TACIT_E_NOT_FOUND;
	out->stage = tacit_calloc(1, sizeof(*out->stage));
	if (out->stage == NULL)
		return TACIT_E_NOMEM;
	enum tacit_err err;
	struct tacit_mls_stage *stage = out->stage;
	stage->leaf = place.leaf;
	stage->which = place.ratchet;
	struct ratchet *r = ratchet_of(t, place.leaf);
	if (r == NULL) {
		TRY(derive_ratchet(t, place.leaf, stage));
		r = stage->fresh;
	}
	const struct chain *c = &r->chains[place.ratchet];
	out->generation = next ? c->next : place.generation;
	bool passed = c->exhausted || out->generation < c->next;
	bool enough = place.ratchet == TACIT_MLS_APPLICATION && c->next >= TACIT_MLS_SENT_MAX;
	if (next && (c->exhausted || enough))
		err = TACIT_E_EXHAUSTED;
	else if (passed)
		err = take_skipped(c, stage, out);
	else
		err = move_on(t->suite, c, stage, out);
out:
	if (err != TACIT_OK)
		tacit_mls_message_key_clear(out);
	return err;
}

enum tacit_err tacit_mls_secret_tree_next(struct tacit_mls_secret_tree *t,
        struct tacit_mls_key_place place, struct tacit_mls_message_key *out)
{
	return look_up(t, place, true, out);
}

enum tacit_err tacit_mls_secret_tree_find(struct tacit_mls_secret_tree *t,
        struct tacit_mls_key_place place, struct tacit_mls_message_key *out)
{
	return look_up(t, place, false, out);
}

static void insert_node(struct tacit_mls_secret_tree *t, struct node *n)
{
	size_t at = node_position(t, n->index);
	memmove(&t->nodes[at + 1], &t->nodes[at], (t->node_count - at) * sizeof(struct node *));
	t->nodes[at] = n;
	t->node_count++;
}

static void install_fresh(struct tacit_mls_secret_tree *t, struct tacit_mls_stage *stage)
{
	free_wiped(t->nodes[stage->ancestor], sizeof(struct node));
	t->node_count--;
	memmove(&t->nodes[stage->ancestor], &t->nodes[stage->ancestor + 1],
	        (t->node_count - stage->ancestor) * sizeof(struct node *));
	for (size_t i = 0; i < stage->node_count; i++)
		insert_node(t, stage->nodes[i]);
	stage->node_count = 0;
	size_t at = ratchet_position(t, stage->leaf);
	memmove(&t->ratchets[at + 1], &t->ratchets[at],
	        (t->ratchet_count - at) * sizeof(struct ratchet *));
	t->ratchets[at] = stage->fresh;
	t->ratchet_count++;
	stage->fresh = NULL;
}

static void drop_skipped(struct chain *c, size_t at)
{
	c->skipped_count--;
	memmove(&c->skipped[at], &c->skipped[at + 1],
	        (c->skipped_count - at) * sizeof(*c->skipped));
	tacit_wipe(&c->skipped[c->skipped_count], sizeof(*c->skipped));
	if (c->skipped_count == 0) {
		tacit_free(c->skipped);
		c->skipped = NULL;
	}
}

void tacit_mls_secret_tree_accept(
        struct tacit_mls_secret_tree *t, struct tacit_mls_message_key *key)
{
	struct tacit_mls_stage *stage = key->stage;
	if (stage->fresh != NULL)
		install_fresh(t, stage);
	struct chain *c = &ratchet_of(t, stage->leaf)->chains[stage->which];
	if (stage->take_skipped) {
		drop_skipped(c, stage->skipped_at);
	} else {
		if (!stage->replaces_skipped) {
			stage->after.skipped = c->skipped;
			stage->after.skipped_count = c->skipped_count;
			c->skipped = NULL;
			c->skipped_count = 0;
		}
		clear_chain(c);
		*c = stage->after;
		stage->after.skipped = NULL;
		stage->after.skipped_count = 0;
	}
	tacit_mls_message_key_clear(key);
}

void tacit_mls_message_key_clear(struct tacit_mls_message_key *key)
{
	struct tacit_mls_stage *stage = key->stage;
	if (stage != NULL) {
		clear_chain(&stage->after);
		free_ratchet(stage->fresh);
		for (size_t i = 0; i < stage->node_count; i++)
			free_wiped(stage->nodes[i], sizeof(*stage->nodes[i]));
		free_wiped(stage, sizeof(*stage));
	}
	tacit_wipe(key, sizeof(*key));
}
