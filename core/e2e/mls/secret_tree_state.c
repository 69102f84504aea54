#include "base/alloc.h"
#include "e2e/mls/secret_tree_int.h"

static void write_chain(
        struct tacit_writer *w, const struct tacit_mls_suite *s, const struct chain *c)
{
	tacit_write_u32(w, c->next);
	tacit_write_u32(w, c->floor);
	tacit_write_u8(w, c->exhausted);
	tacit_write_raw(w, tacit_bytes(c->secret, s->hash_bytes));
	tacit_write_u32(w, (uint32_t)c->skipped_count);
	for (size_t i = 0; i < c->skipped_count; i++) {
		tacit_write_u32(w, c->skipped[i].generation);
		tacit_write_raw(w, tacit_bytes(c->skipped[i].key, s->key_bytes));
		tacit_write_raw(w, tacit_bytes(c->skipped[i].nonce, TACIT_MLS_NONCE_BYTES));
	}
}

void tacit_mls_secret_tree_write(struct tacit_writer *w, const struct tacit_mls_secret_tree *t)
{
	const struct tacit_mls_suite *s = t->suite;
	tacit_write_u32(w, t->leaf_count);
	tacit_write_u32(w, (uint32_t)t->node_count);
	for (size_t i = 0; i < t->node_count; i++) {
		tacit_write_u32(w, t->nodes[i]->index);
		tacit_write_raw(w, tacit_bytes(t->nodes[i]->secret, s->hash_bytes));
	}
	tacit_write_u32(w, (uint32_t)t->ratchet_count);
	for (size_t i = 0; i < t->ratchet_count; i++) {
		tacit_write_u32(w, t->ratchets[i]->leaf);
		write_chain(w, s, &t->ratchets[i]->chains[0]);
		write_chain(w, s, &t->ratchets[i]->chains[1]);
	}
}

static void read_skipped(
        struct tacit_reader *r, const struct tacit_mls_suite *s, struct chain *c, uint32_t count)
{
	if (count > TACIT_MLS_SKIPPED_MAX || count > r->rest.n) {
		tacit_reader_fail(r, TACIT_E_MALFORMED);
		return;
	}
	if (count == 0)
		return;
	c->skipped = tacit_calloc(count, sizeof(*c->skipped));
	if (c->skipped == NULL) {
		tacit_reader_fail(r, TACIT_E_NOMEM);
		return;
	}
	c->skipped_count = count;
	for (size_t i = 0; i < count; i++) {
		struct skipped *k = &c->skipped[i];
		k->generation = tacit_read_u32(r);
		tacit_read_into(r, k->key, s->key_bytes);
		tacit_read_into(r, k->nonce, sizeof(k->nonce));
		bool ascending = i == 0 || k->generation > k[-1].generation;
		if (!ascending || k->generation >= c->next || k->generation < c->floor)
			tacit_reader_fail(r, TACIT_E_MALFORMED);
	}
}

static void read_chain(struct tacit_reader *r, const struct tacit_mls_suite *s, struct chain *c)
{
	c->next = tacit_read_u32(r);
	c->floor = tacit_read_u32(r);
	uint8_t exhausted = tacit_read_u8(r);
	c->exhausted = exhausted == 1;
	tacit_read_into(r, c->secret, s->hash_bytes);
	if (exhausted > 1 || (c->exhausted && c->next != UINT32_MAX) || c->floor > c->next)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	read_skipped(r, s, c, tacit_read_u32(r));
}

static void read_nodes(struct tacit_reader *r, struct tacit_mls_secret_tree *t)
{
	uint32_t count = tacit_read_u32(r);
	if (count > r->rest.n ||
	        tacit_mls_row_reserve(&t->nodes, 0, &t->node_cap, count) != TACIT_OK) {
		tacit_reader_fail(r, TACIT_E_NOMEM);
		return;
	}
	for (uint32_t i = 0; i < count && r->err == TACIT_OK; i++) {
		struct node *n = tacit_calloc(1, sizeof(*n));
		if (n == NULL) {
			tacit_reader_fail(r, TACIT_E_NOMEM);
			return;
		}
		t->nodes[t->node_count++] = n;
		n->index = tacit_read_u32(r);
		tacit_read_into(r, n->secret, t->suite->hash_bytes);
		bool ascending = i == 0 || n->index > t->nodes[i - 1]->index;
		if (!ascending || n->index > 2 * (t->leaf_count - 1))
			tacit_reader_fail(r, TACIT_E_MALFORMED);
	}
}

static void read_ratchets(struct tacit_reader *r, struct tacit_mls_secret_tree *t)
{
	uint32_t count = tacit_read_u32(r);
	if (count > r->rest.n ||
	        tacit_mls_row_reserve(&t->ratchets, 0, &t->ratchet_cap, count) != TACIT_OK) {
		tacit_reader_fail(r, TACIT_E_NOMEM);
		return;
	}
	for (uint32_t i = 0; i < count && r->err == TACIT_OK; i++) {
		struct ratchet *x = tacit_calloc(1, sizeof(*x));
		if (x == NULL) {
			tacit_reader_fail(r, TACIT_E_NOMEM);
			return;
		}
		t->ratchets[t->ratchet_count++] = x;
		x->leaf = tacit_read_u32(r);
		read_chain(r, t->suite, &x->chains[0]);
		read_chain(r, t->suite, &x->chains[1]);
		bool ascending = i == 0 || x->leaf > t->ratchets[i - 1]->leaf;
		if (!ascending || x->leaf >= t->leaf_count)
			tacit_reader_fail(r, TACIT_E_MALFORMED);
	}
}

struct tacit_mls_secret_tree *tacit_mls_secret_tree_read(
        struct tacit_reader *r, const struct tacit_mls_suite *s)
{
	struct tacit_mls_secret_tree *t;
	uint32_t leaf_count = tacit_read_u32(r);
	enum tacit_err err = tacit_mls_secret_tree_blank(s, leaf_count, &t);
	if (err == TACIT_OK && t->leaf_count != leaf_count)
		err = TACIT_E_MALFORMED;
	if (err != TACIT_OK) {
		tacit_reader_fail(r, err == TACIT_E_LIMIT ? TACIT_E_MALFORMED : err);
		tacit_mls_secret_tree_free(t);
		return NULL;
	}
	read_nodes(r, t);
	read_ratchets(r, t);
	if (r->err != TACIT_OK) {
		tacit_mls_secret_tree_free(t);
		return NULL;
	}
	return t;
}
