/* tree.c - nodes and stages: how a tree is changed, and how a change is taken back. */
#include "e2e/mls/tree_int.h"

#include <string.h>

#include "base/alloc.h"

unsigned tacit_mls_tree_depth(const struct tacit_mls_tree *t)
{
	return tacit_mls_level(tacit_mls_root(t->width));
}

enum tacit_err tacit_mls_tree_new(const struct tacit_mls_suite *s, struct tacit_mls_tree **out)
{
	*out = NULL;
	struct tacit_mls_tree *t = tacit_calloc(1, sizeof(*t));
	if (t == NULL)
		return TACIT_E_NOMEM;
	t->suite = s;
	t->width = 1;
	enum tacit_err err = tacit_mls_tree_reserve(t, 1);
	if (err != TACIT_OK) {
		tacit_mls_tree_free(t);
		return err;
	}
	*out = t;
	return TACIT_OK;
}

void tacit_mls_tree_node_free(uint32_t node, union tacit_mls_tree_node value)
{
	if (!tacit_mls_is_leaf(node) && value.parent != NULL)
		tacit_free(value.parent->unmerged);
	tacit_free(value.any);
}

static void saved_free(struct tacit_mls_patch *p)
{
	for (size_t i = 0; i < p->n; i++)
		tacit_mls_tree_node_free(p->saved[i].node, p->saved[i].value);
	tacit_free(p->saved);
	*p = (struct tacit_mls_patch){0};
}

void tacit_mls_tree_free(struct tacit_mls_tree *t)
{
	if (t == NULL)
		return;
	saved_free(&t->stage);
	for (uint32_t i = 0; i < t->capacity; i++)
		tacit_mls_tree_node_free(i, t->nodes[i]);
	tacit_free(t->nodes);
	tacit_free(t->hashes);
	tacit_free(t->flags);
	tacit_free(t->keys.p);
	tacit_free(t);
}

enum tacit_err tacit_mls_tree_reserve(struct tacit_mls_tree *t, uint32_t nodes)
{
	if (nodes > TACIT_MLS_NODES_MAX)
		return TACIT_E_LIMIT;
	if (nodes <= t->capacity)
		return TACIT_OK;
	uint32_t capacity = t->capacity > 0 ? t->capacity : 1;
	while (capacity < nodes)
		capacity = 2 * capacity + 1;
	void *nodes_grown = tacit_realloc(t->nodes, capacity * sizeof(*t->nodes));
	if (nodes_grown == NULL)
		return TACIT_E_NOMEM;
	t->nodes = nodes_grown;
	void *hashes_grown = tacit_realloc(t->hashes, capacity * t->suite->hash_bytes);
	if (hashes_grown == NULL)
		return TACIT_E_NOMEM;
	t->hashes = hashes_grown;
	void *flags_grown = tacit_realloc(t->flags, capacity);
	if (flags_grown == NULL)
		return TACIT_E_NOMEM;
	t->flags = flags_grown;
	for (uint32_t i = t->capacity; i < capacity; i++) {
		t->nodes[i].any = NULL;
		t->flags[i] = 0;
	}
	t->capacity = capacity;
	return TACIT_OK;
}

enum {
	NODE_HEAD_BYTES = 2,    /* presence and type */
	PARENT_HEAD_BYTES = 12, /* lengths of three vectors */
	UNMERGED_BYTES = 4,
};

/* What a node takes in a ratchet_tree extension, or a little more. */
static size_t encoded_bytes(uint32_t node, union tacit_mls_tree_node value)
{
	if (tacit_mls_is_leaf(node))
		return NODE_HEAD_BYTES + (size_t)value.leaf->n;
	const struct tacit_mls_tree_parent *p = value.parent;
	return NODE_HEAD_BYTES + PARENT_HEAD_BYTES + (size_t)p->key_n + p->hash_n +
	       UNMERGED_BYTES * (size_t)p->unmerged_n;
}

/* Adds (+1) or takes away (-1) what a node counts in the secondary structures. */
static void count_node(struct tacit_mls_tree *t, uint32_t node, int sign)
{
	union tacit_mls_tree_node value = t->nodes[node];
	if (value.any == NULL)
		return;
	void (*index)(struct tacit_mls_tree *, uint32_t, enum tacit_mls_key_kind) =
	        sign > 0 ? tacit_mls_keys_insert : tacit_mls_keys_delete;
	index(t, node, TACIT_MLS_KEY_ENCRYPTION);
	size_t bytes = encoded_bytes(node, value);
	t->bytes = sign > 0 ? t->bytes + bytes : t->bytes - bytes;
	if (!tacit_mls_is_leaf(node))
		return;
	index(t, node, TACIT_MLS_KEY_SIGNATURE);
	uint32_t one = sign > 0 ? 1 : UINT32_MAX; /* modulo 2^32 */
	t->members += one;
	for (unsigned i = 0; i < TACIT_MLS_TYPE_BITS; i++) {
		t->in_use[i] += (value.leaf->uses >> i & 1) != 0 ? one : 0;
		t->lacking[i] += (value.leaf->supports >> i & 1) == 0 ? one : 0;
	}
}

static void forget_hashes(struct tacit_mls_tree *t, uint32_t node)
{
	uint32_t root = tacit_mls_root(t->width);
	t->flags[node] &= (uint8_t)~TACIT_MLS_NODE_HASHED;
	if (node >= tacit_mls_node_count(t->width))
		return;
	while (node != root) {
		node = tacit_mls_parent(node);
		t->flags[node] &= (uint8_t)~TACIT_MLS_NODE_HASHED;
	}
}

/* Without the counts, for which the caller stands. */
static void replace(struct tacit_mls_tree *t, uint32_t node, union tacit_mls_tree_node value)
{
	t->nodes[node] = value;
	forget_hashes(t, node);
	if (tacit_mls_is_leaf(node) && value.any == NULL && node / 2 < t->blank_hint)
		t->blank_hint = node / 2;
}

/* Room to keep one more node aside. */
static enum tacit_err reserve_saved(struct tacit_mls_patch *p)
{
	if (p->n < p->cap)
		return TACIT_OK;
	size_t cap = p->cap > 0 ? 2 * p->cap : 16;
	void *grown = tacit_realloc(p->saved, cap * sizeof(*p->saved));
	if (grown == NULL)
		return TACIT_E_NOMEM;
	p->saved = grown;
	p->cap = cap;
	return TACIT_OK;
}

static bool must_save(const struct tacit_mls_tree *t, uint32_t node)
{
	return t->staged && (t->flags[node] & TACIT_MLS_NODE_TOUCHED) == 0;
}

static void save(struct tacit_mls_tree *t, uint32_t node)
{
	t->stage.saved[t->stage.n++] = (struct tacit_mls_saved){node, t->nodes[node]};
	t->flags[node] |= TACIT_MLS_NODE_TOUCHED;
}

enum tacit_err tacit_mls_tree_put(
        struct tacit_mls_tree *t, uint32_t node, union tacit_mls_tree_node value)
{
	enum tacit_err err = TACIT_OK;
	if (t->nodes[node].any == NULL && value.any == NULL)
		return TACIT_OK;
	if (must_save(t, node))
		TRY(reserve_saved(&t->stage));
	TRY(tacit_mls_keys_reserve(&t->keys, 2));
	union tacit_mls_tree_node old = t->nodes[node];
	bool keep_old = must_save(t, node);
	if (keep_old)
		save(t, node);
	count_node(t, node, -1);
	replace(t, node, value);
	count_node(t, node, 1);
	if (!keep_old)
		tacit_mls_tree_node_free(node, old);
	return TACIT_OK;
out:
	tacit_mls_tree_node_free(node, value);
	return err;
}

enum tacit_err tacit_mls_tree_stage(struct tacit_mls_tree *t)
{
	if (t->staged)
		return TACIT_E_USAGE;
	t->staged = true;
	t->stage.width = t->width;
	return TACIT_OK;
}

static void forget_touched(struct tacit_mls_tree *t)
{
	for (size_t i = 0; i < t->stage.n; i++) {
		uint32_t node = t->stage.saved[i].node;
		t->flags[node] &= (uint8_t)~TACIT_MLS_NODE_TOUCHED;
		if (tacit_mls_is_leaf(node) && t->nodes[node].leaf != NULL)
			t->nodes[node].leaf->added = false;
	}
	t->staged = false;
}

/* Between another width and this one, hashes of the nodes that come or go are not to be believed.
 */
static void set_width(struct tacit_mls_tree *t, uint32_t width)
{
	uint32_t from = tacit_mls_node_count(width < t->width ? width : t->width);
	uint32_t to = tacit_mls_node_count(width < t->width ? t->width : width);
	for (uint32_t i = from; i < to; i++)
		t->flags[i] &= (uint8_t)~TACIT_MLS_NODE_HASHED;
	t->width = width;
}

/* Values and width of the patch against those of the tree. All keys leave the index before any
 * comes in, so that it is never fuller than before or after: it has the room. */
static void swap_patch(struct tacit_mls_tree *t, struct tacit_mls_patch *p)
{
	uint32_t width = p->width;
	for (size_t i = 0; i < p->n; i++)
		count_node(t, p->saved[i].node, -1);
	p->width = t->width;
	set_width(t, width);
	for (size_t i = 0; i < p->n; i++) {
		struct tacit_mls_saved *s = &p->saved[i];
		union tacit_mls_tree_node old = t->nodes[s->node];
		replace(t, s->node, s->value);
		s->value = old;
	}
	for (size_t i = 0; i < p->n; i++)
		count_node(t, p->saved[i].node, 1);
}

void tacit_mls_tree_keep(struct tacit_mls_tree *t)
{
	TACIT_ASSERT(t->staged);
	forget_touched(t);
	saved_free(&t->stage);
	t->generation++;
}

void tacit_mls_tree_drop(struct tacit_mls_tree *t)
{
	if (t == NULL || !t->staged)
		return;
	forget_touched(t);
	swap_patch(t, &t->stage);
	saved_free(&t->stage);
}

enum tacit_err tacit_mls_tree_detach(struct tacit_mls_tree *t, struct tacit_mls_patch **out)
{
	*out = NULL;
	if (!t->staged)
		return TACIT_E_USAGE;
	struct tacit_mls_patch *p = tacit_calloc(1, sizeof(*p));
	if (p == NULL)
		return TACIT_E_NOMEM;
	forget_touched(t);
	swap_patch(t, &t->stage);
	*p = t->stage;
	p->generation = t->generation;
	t->stage = (struct tacit_mls_patch){0};
	*out = p;
	return TACIT_OK;
}

enum tacit_err tacit_mls_tree_apply(struct tacit_mls_tree *t, struct tacit_mls_patch *p)
{
	if (t->staged)
		return TACIT_E_USAGE;
	if (p->generation != t->generation)
		return TACIT_E_CONFLICT;
	swap_patch(t, p);
	tacit_mls_patch_free(p);
	t->generation++;
	return TACIT_OK;
}

void tacit_mls_patch_free(struct tacit_mls_patch *p)
{
	if (p == NULL)
		return;
	saved_free(p);
	tacit_free(p);
}

/* --- values --- */

static uint8_t type_bit(uint16_t credential_type)
{
	return (uint8_t)(1u << (credential_type - TACIT_MLS_CREDENTIAL_BASIC));
}

enum tacit_err tacit_mls_tree_put_leaf(
        struct tacit_mls_tree *t, uint32_t leaf, const struct tacit_mls_leaf_node *decoded)
{
	struct tacit_mls_tree_leaf *l = tacit_alloc(sizeof(*l) + decoded->encoded.n);
	if (l == NULL)
		return TACIT_E_NOMEM;
	l->n = (uint32_t)decoded->encoded.n;
	l->uses = type_bit(decoded->credential.type);
	l->supports = 0;
	l->added = false;
	for (uint16_t i = 0; i < TACIT_MLS_TYPE_BITS; i++) {
		uint16_t type = (uint16_t)(TACIT_MLS_CREDENTIAL_BASIC + i);
		if (tacit_mls_types_contain(decoded->capabilities.credentials, type))
			l->supports |= type_bit(type);
	}
	memcpy(l->encoded, decoded->encoded.p, decoded->encoded.n);
	return tacit_mls_tree_put(
	        t, tacit_mls_leaf_to_node(leaf), (union tacit_mls_tree_node){.leaf = l});
}

struct tacit_mls_tree_parent *tacit_mls_tree_parent_new(
        struct tacit_bytes key, struct tacit_bytes parent_hash, uint32_t unmerged_cap)
{
	struct tacit_mls_tree_parent *p = tacit_alloc(sizeof(*p) + key.n + parent_hash.n);
	if (p == NULL)
		return NULL;
	*p = (struct tacit_mls_tree_parent){
	        .unmerged_cap = unmerged_cap,
	        .key_n = (uint16_t)key.n,
	        .hash_n = (uint16_t)parent_hash.n,
	};
	if (unmerged_cap > 0) {
		p->unmerged = tacit_calloc(unmerged_cap, sizeof(*p->unmerged));
		if (p->unmerged == NULL) {
			tacit_free(p);
			return NULL;
		}
	}
	if (key.n > 0)
		memcpy(p->bytes, key.p, key.n);
	if (parent_hash.n > 0)
		memcpy(p->bytes + key.n, parent_hash.p, parent_hash.n);
	return p;
}

enum tacit_err tacit_mls_tree_put_parent(struct tacit_mls_tree *t, uint32_t node,
        struct tacit_bytes key, struct tacit_bytes parent_hash)
{
	struct tacit_mls_tree_parent *p = tacit_mls_tree_parent_new(key, parent_hash, 0);
	if (p == NULL)
		return TACIT_E_NOMEM;
	return tacit_mls_tree_put(t, node, (union tacit_mls_tree_node){.parent = p});
}

struct tacit_bytes tacit_mls_tree_parent_hash_of(const struct tacit_mls_tree_parent *p)
{
	return tacit_bytes(p->bytes + p->key_n, p->hash_n);
}

/* --- the changes that proposals ask for --- */

enum tacit_err tacit_mls_tree_blank_above(struct tacit_mls_tree *t, uint32_t leaf)
{
	enum tacit_err err = TACIT_OK;
	for (unsigned k = 1; k <= tacit_mls_tree_depth(t); k++)
		TRY(tacit_mls_tree_put(
		        t, tacit_mls_ancestor(leaf, k), (union tacit_mls_tree_node){0}));
out:
	return err;
}

/* The same parent with one more unmerged leaf; NULL when out of memory. */
static struct tacit_mls_tree_parent *with_unmerged(
        const struct tacit_mls_tree_parent *p, uint32_t leaf)
{
	uint32_t cap = p->unmerged_n < 4 ? 4 : p->unmerged_n + p->unmerged_n / 2;
	struct tacit_mls_tree_parent *copy = tacit_mls_tree_parent_new(
	        tacit_bytes(p->bytes, p->key_n), tacit_mls_tree_parent_hash_of(p), cap + 1);
	if (copy == NULL)
		return NULL;
	for (uint32_t i = 0; i < p->unmerged_n && p->unmerged[i] < leaf; i++)
		copy->unmerged[copy->unmerged_n++] = p->unmerged[i];
	uint32_t below = copy->unmerged_n;
	copy->unmerged[copy->unmerged_n++] = leaf;
	for (uint32_t i = below; i < p->unmerged_n; i++)
		copy->unmerged[copy->unmerged_n++] = p->unmerged[i];
	return copy;
}

static void insert_unmerged(struct tacit_mls_tree_parent *p, uint32_t leaf)
{
	uint32_t i = p->unmerged_n;
	for (; i > 0 && p->unmerged[i - 1] > leaf; i--)
		p->unmerged[i] = p->unmerged[i - 1];
	p->unmerged[i] = leaf;
	p->unmerged_n++;
}

static enum tacit_err add_unmerged(struct tacit_mls_tree *t, uint32_t node, uint32_t leaf)
{
	struct tacit_mls_tree_parent *p = t->nodes[node].parent;
	if (p == NULL)
		return TACIT_OK;
	if (!must_save(t, node) && p->unmerged_n < p->unmerged_cap) {
		insert_unmerged(p, leaf); /* ours alone; the key stays */
		t->bytes += UNMERGED_BYTES;
		forget_hashes(t, node);
		return TACIT_OK;
	}
	struct tacit_mls_tree_parent *copy = with_unmerged(p, leaf);
	if (copy == NULL)
		return TACIT_E_NOMEM;
	return tacit_mls_tree_put(t, node, (union tacit_mls_tree_node){.parent = copy});
}

uint32_t tacit_mls_tree_next_blank(const struct tacit_mls_tree *t)
{
	uint32_t leaf = t->blank_hint;
	while (leaf < t->width && t->nodes[tacit_mls_leaf_to_node(leaf)].any != NULL)
		leaf++;
	return leaf;
}

static enum tacit_err extend(struct tacit_mls_tree *t)
{
	if (t->width >= TACIT_MLS_LEAVES_MAX)
		return TACIT_E_LIMIT;
	enum tacit_err err = tacit_mls_tree_reserve(t, tacit_mls_node_count(2 * t->width));
	if (err == TACIT_OK)
		set_width(t, 2 * t->width);
	return err;
}

enum tacit_err tacit_mls_tree_open_blank(struct tacit_mls_tree *t, uint32_t leaf)
{
	if (leaf != tacit_mls_tree_next_blank(t))
		return TACIT_E_NOT_FOUND;
	return leaf == t->width ? extend(t) : TACIT_OK;
}

enum tacit_err tacit_mls_tree_add(
        struct tacit_mls_tree *t, struct tacit_bytes leaf_node, uint32_t *leaf)
{
	enum tacit_err err = TACIT_E_USAGE;
	struct tacit_mls_leaf_node decoded;
	if (!t->staged)
		return err;
	TRY(tacit_mls_leaf_node_decode(leaf_node, &decoded));
	uint32_t i = tacit_mls_tree_next_blank(t);
	if (i == t->width)
		TRY(extend(t));
	for (unsigned k = 1; k <= tacit_mls_tree_depth(t); k++)
		TRY(add_unmerged(t, tacit_mls_ancestor(i, k), i));
	TRY(tacit_mls_tree_put_leaf(t, i, &decoded));
	t->nodes[tacit_mls_leaf_to_node(i)].leaf->added = true;
	t->blank_hint = i + 1;
	*leaf = i;
out:
	return err;
}

enum tacit_err tacit_mls_tree_update(
        struct tacit_mls_tree *t, uint32_t leaf, struct tacit_bytes leaf_node)
{
	enum tacit_err err = TACIT_E_USAGE;
	struct tacit_mls_leaf_node decoded;
	if (!t->staged)
		return err;
	if (!tacit_mls_tree_is_member(t, leaf))
		return TACIT_E_NOT_FOUND;
	TRY(tacit_mls_leaf_node_decode(leaf_node, &decoded));
	TRY(tacit_mls_tree_put_leaf(t, leaf, &decoded));
	TRY(tacit_mls_tree_blank_above(t, leaf));
out:
	return err;
}

static bool is_blank(const struct tacit_mls_tree *t, uint32_t first_leaf, uint32_t end_leaf)
{
	for (uint32_t i = end_leaf; i > first_leaf; i--) {
		if (t->nodes[tacit_mls_leaf_to_node(i - 1)].any != NULL)
			return false;
	}
	return true;
}

/* 7.7: the right half goes while no leaf is in it. */
static enum tacit_err truncate(struct tacit_mls_tree *t)
{
	enum tacit_err err = TACIT_OK;
	while (t->width > 1 && is_blank(t, t->width / 2, t->width)) {
		uint32_t half = t->width / 2;
		for (uint32_t x = tacit_mls_node_count(half); x < tacit_mls_node_count(t->width);
		        x++)
			TRY(tacit_mls_tree_put(t, x, (union tacit_mls_tree_node){0}));
		set_width(t, half);
	}
	if (t->blank_hint > t->width)
		t->blank_hint = t->width;
out:
	return err;
}

enum tacit_err tacit_mls_tree_remove(struct tacit_mls_tree *t, uint32_t leaf)
{
	enum tacit_err err = TACIT_E_USAGE;
	if (!t->staged)
		return err;
	if (!tacit_mls_tree_is_member(t, leaf))
		return TACIT_E_NOT_FOUND;
	TRY(tacit_mls_tree_put(t, tacit_mls_leaf_to_node(leaf), (union tacit_mls_tree_node){0}));
	TRY(tacit_mls_tree_blank_above(t, leaf));
	TRY(truncate(t));
out:
	return err;
}
