/* tree_keys.c - the index over all public keys of a tree.
 *
 * Hashed with SHA-256: whoever wants many keys in one place has to search for them, and the number
 * of leaves bounds what is gained by it. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/hash.h"
#include "e2e/mls/tree_int.h"

struct tacit_bytes tacit_mls_tree_key(
        const struct tacit_mls_tree *t, uint32_t node, enum tacit_mls_key_kind kind)
{
	if (!tacit_mls_is_leaf(node)) {
		const struct tacit_mls_tree_parent *p = t->nodes[node].parent;
		return tacit_bytes(p->bytes, p->key_n);
	}
	const struct tacit_mls_tree_leaf *leaf = t->nodes[node].leaf;
	struct tacit_reader r = tacit_reader(tacit_bytes(leaf->encoded, leaf->n));
	struct tacit_bytes key = tacit_mls_read_vec(&r);
	return kind == TACIT_MLS_KEY_ENCRYPTION ? key : tacit_mls_read_vec(&r);
}

static uint32_t hash_key(enum tacit_mls_key_kind kind, struct tacit_bytes key)
{
	uint8_t digest[TACIT_SHA256_BYTES];
	uint32_t h;
	tacit_sha256(key, digest);
	memcpy(&h, digest, sizeof(h));
	return kind == TACIT_MLS_KEY_ENCRYPTION ? h : ~h;
}

static uint32_t make_id(uint32_t node, enum tacit_mls_key_kind kind)
{
	return 1 + 2 * node + (kind == TACIT_MLS_KEY_SIGNATURE ? 1 : 0);
}

static bool is_key(const struct tacit_mls_tree *t, struct tacit_mls_key_entry e,
        enum tacit_mls_key_kind kind, struct tacit_bytes key)
{
	uint32_t kind_of = (e.id - 1) % 2;
	return kind_of == (kind == TACIT_MLS_KEY_SIGNATURE ? 1 : 0) &&
	       tacit_bytes_eq(tacit_mls_tree_key(t, (e.id - 1) / 2, kind), key);
}

static void place(struct tacit_mls_key_index *k, struct tacit_mls_key_entry e)
{
	uint32_t i = e.hash & (k->size - 1);
	while (k->p[i].id != 0)
		i = (i + 1) & (k->size - 1);
	k->p[i] = e;
}

enum tacit_err tacit_mls_keys_reserve(struct tacit_mls_key_index *k, uint32_t more)
{
	uint32_t want = k->used + more;
	if (k->size > 0 && want <= k->size / 4 * 3)
		return TACIT_OK;
	struct tacit_mls_key_index grown = {.size = k->size > 0 ? k->size : 16};
	while (want > grown.size / 4 * 3)
		grown.size *= 2;
	grown.p = tacit_calloc(grown.size, sizeof(*grown.p));
	if (grown.p == NULL)
		return TACIT_E_NOMEM;
	for (uint32_t i = 0; i < k->size; i++) {
		if (k->p[i].id != 0)
			place(&grown, k->p[i]);
	}
	tacit_free(k->p);
	k->p = grown.p;
	k->size = grown.size;
	return TACIT_OK;
}

/* How many entries other than except have this key; *found is the last of them. */
static uint32_t count_equal(const struct tacit_mls_tree *t, enum tacit_mls_key_kind kind,
        struct tacit_bytes key, uint32_t except, uint32_t *found)
{
	const struct tacit_mls_key_index *k = &t->keys;
	uint32_t h = hash_key(kind, key);
	uint32_t n = 0;
	if (k->size == 0)
		return 0;
	for (uint32_t i = h & (k->size - 1); k->p[i].id != 0; i = (i + 1) & (k->size - 1)) {
		if (k->p[i].hash != h || k->p[i].id == except || !is_key(t, k->p[i], kind, key))
			continue;
		*found = (k->p[i].id - 1) / 2;
		n++;
	}
	return n;
}

void tacit_mls_keys_insert(struct tacit_mls_tree *t, uint32_t node, enum tacit_mls_key_kind kind)
{
	struct tacit_bytes key = tacit_mls_tree_key(t, node, kind);
	uint32_t unused;
	if (count_equal(t, kind, key, 0, &unused) > 0)
		t->keys.duplicates++;
	place(&t->keys, (struct tacit_mls_key_entry){hash_key(kind, key), make_id(node, kind)});
	t->keys.used++;
}

static void shift_back(struct tacit_mls_key_index *k, uint32_t hole)
{
	uint32_t mask = k->size - 1;
	for (uint32_t i = (hole + 1) & mask; k->p[i].id != 0; i = (i + 1) & mask) {
		uint32_t home = k->p[i].hash & mask;
		if (((i - home) & mask) < ((i - hole) & mask))
			continue; /* it would come before its home */
		k->p[hole] = k->p[i];
		hole = i;
	}
	k->p[hole] = (struct tacit_mls_key_entry){0};
}

void tacit_mls_keys_delete(struct tacit_mls_tree *t, uint32_t node, enum tacit_mls_key_kind kind)
{
	struct tacit_mls_key_index *k = &t->keys;
	struct tacit_bytes key = tacit_mls_tree_key(t, node, kind);
	uint32_t id = make_id(node, kind);
	uint32_t i = hash_key(kind, key) & (k->size - 1);
	while (k->p[i].id != id) {
		TACIT_ASSERT(k->p[i].id != 0);
		i = (i + 1) & (k->size - 1);
	}
	uint32_t unused;
	if (count_equal(t, kind, key, id, &unused) > 0)
		k->duplicates--;
	shift_back(k, i);
	k->used--;
}

bool tacit_mls_keys_find(const struct tacit_mls_tree *t, enum tacit_mls_key_kind kind,
        struct tacit_bytes key, uint32_t *node)
{
	return count_equal(t, kind, key, 0, node) > 0;
}
