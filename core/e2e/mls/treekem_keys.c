/* treekem_keys.c - the private keys of a member, and where they come from: RFC 9420 7.4. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/treekem_int.h"

void tacit_mls_tree_keys_init(struct tacit_mls_tree_keys *k, const struct tacit_mls_suite *s,
        uint32_t leaf, const uint8_t *leaf_sk)
{
	*k = (struct tacit_mls_tree_keys){.leaf = leaf, .known = 1};
	memcpy(k->sk[0], leaf_sk, s->kem_sk_bytes);
}

void tacit_mls_tree_keys_wipe(struct tacit_mls_tree_keys *k)
{
	tacit_wipe(k, sizeof(*k));
}

static void forget(struct tacit_mls_tree_keys *k, unsigned level)
{
	k->known &= ~(UINT32_C(1) << level);
	tacit_wipe(k->sk[level], sizeof(k->sk[level]));
}

static bool knows(const struct tacit_mls_tree_keys *k, unsigned level)
{
	return (k->known >> level & 1) != 0;
}

void tacit_mls_tree_keys_trim(struct tacit_mls_tree_keys *k, const struct tacit_mls_tree *t)
{
	for (unsigned level = 1; level <= TACIT_MLS_DEPTH_MAX; level++) {
		if (!knows(k, level))
			continue;
		uint32_t node = tacit_mls_ancestor(k->leaf, level);
		if (level > tacit_mls_tree_depth(t) || t->nodes[node].any == NULL)
			forget(k, level);
	}
}

void tacit_mls_tree_keys_set_leaf(
        struct tacit_mls_tree_keys *k, const struct tacit_mls_tree *t, const uint8_t *leaf_sk)
{
	memcpy(k->sk[0], leaf_sk, t->suite->kem_sk_bytes);
	k->known |= 1;
	tacit_mls_tree_keys_trim(k, t);
}

enum tacit_err tacit_mls_tree_keys_check(
        const struct tacit_mls_tree_keys *k, const struct tacit_mls_tree *t)
{
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	size_t sk_n = t->suite->kem_sk_bytes, pk_n = t->suite->kem_public_bytes;
	for (unsigned level = 0; level <= TACIT_MLS_DEPTH_MAX; level++) {
		if (!knows(k, level))
			continue;
		enum tacit_err err =
		        tacit_mls_kem_public(t->suite, tacit_bytes(k->sk[level], sk_n), pk);
		if (err != TACIT_OK)
			return err;
		if (level > tacit_mls_tree_depth(t))
			return TACIT_E_MALFORMED;
		uint32_t node = tacit_mls_ancestor(k->leaf, level);
		if (!tacit_bytes_eq(tacit_mls_tree_public_key(t, node), tacit_bytes(pk, pk_n)))
			return TACIT_E_MALFORMED;
	}
	return TACIT_OK;
}

void tacit_mls_write_tree_keys(struct tacit_writer *w, const struct tacit_mls_suite *s,
        const struct tacit_mls_tree_keys *k)
{
	tacit_write_u32(w, k->leaf);
	tacit_write_u32(w, k->known);
	for (unsigned level = 0; level <= TACIT_MLS_DEPTH_MAX; level++) {
		if (knows(k, level))
			tacit_write_raw(w, tacit_bytes(k->sk[level], s->kem_sk_bytes));
	}
}

void tacit_mls_read_tree_keys(
        struct tacit_reader *r, const struct tacit_mls_suite *s, struct tacit_mls_tree_keys *k)
{
	*k = (struct tacit_mls_tree_keys){.leaf = tacit_read_u32(r)};
	k->known = tacit_read_u32(r);
	if ((k->known & 1) == 0 || k->known >> (TACIT_MLS_DEPTH_MAX + 1) != 0 ||
	        k->leaf >= TACIT_MLS_LEAVES_MAX)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	for (unsigned level = 0; level <= TACIT_MLS_DEPTH_MAX; level++) {
		if (knows(k, level))
			tacit_read_into(r, k->sk[level], s->kem_sk_bytes);
	}
	if (r->err != TACIT_OK)
		tacit_mls_tree_keys_wipe(k);
}

enum tacit_err tacit_mls_path_key_pair(
        const struct tacit_mls_suite *s, const uint8_t *path_secret, uint8_t *sk, uint8_t *pk)
{
	enum tacit_err err;
	uint8_t node_secret[TACIT_MLS_HASH_MAX_BYTES];
	TRY(tacit_mls_derive_secret(s, path_secret, TACIT_STR("node"), node_secret));
	TRY(tacit_mls_kem_derive(s, node_secret, sk, pk));
out:
	tacit_wipe(node_secret, sizeof(node_secret));
	return err;
}

enum tacit_err tacit_mls_path_next(
        const struct tacit_mls_suite *s, const uint8_t *path_secret, uint8_t *out)
{
	return tacit_mls_derive_secret(s, path_secret, TACIT_STR("path"), out);
}

uint32_t tacit_mls_filtered_node(const struct tacit_mls_filtered *f, size_t i)
{
	return tacit_mls_ancestor(f->sender, f->levels[i]);
}

uint32_t tacit_mls_filtered_copath(const struct tacit_mls_filtered *f, size_t i)
{
	return tacit_mls_sibling(tacit_mls_ancestor(f->sender, f->levels[i] - 1u));
}

enum tacit_err tacit_mls_path_climb(const struct tacit_mls_tree *t,
        const struct tacit_mls_filtered *f, size_t i, uint8_t *secret,
        struct tacit_mls_tree_keys *k)
{
	enum tacit_err err = TACIT_OK;
	uint8_t pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES];
	for (; i < f->n; i++) {
		unsigned level = f->levels[i];
		TRY(tacit_mls_path_key_pair(t->suite, secret, k->sk[level], pk));
		k->known |= UINT32_C(1) << level;
		struct tacit_bytes want =
		        tacit_mls_tree_public_key(t, tacit_mls_filtered_node(f, i));
		if (!tacit_bytes_eq(want, tacit_bytes(pk, t->suite->kem_public_bytes)))
			return TACIT_E_MALFORMED;
		TRY(tacit_mls_path_next(t->suite, secret, secret));
	}
out:
	return err;
}

enum tacit_err tacit_mls_tree_keys_join(struct tacit_mls_tree_keys *k,
        const struct tacit_mls_tree *t, uint32_t signer, struct tacit_bytes path_secret)
{
	enum tacit_err err;
	struct tacit_mls_tree_keys joined = *k;
	uint8_t secret[TACIT_MLS_HASH_MAX_BYTES];
	TRY(tacit_mls_tree_keys_check(k, t));
	if (path_secret.n == 0)
		goto out;
	err = TACIT_E_MALFORMED;
	if (path_secret.n != t->suite->hash_bytes || signer == k->leaf ||
	        !tacit_mls_tree_is_member(t, signer))
		goto out;
	struct tacit_mls_filtered f = {.sender = signer};
	f.n = tacit_mls_tree_filtered_path(t, signer, f.levels);
	size_t i = 0;
	while (i < f.n && f.levels[i] != tacit_mls_common_level(k->leaf, signer))
		i++;
	if (i == f.n)
		goto out;
	memcpy(secret, path_secret.p, path_secret.n);
	TRY(tacit_mls_path_climb(t, &f, i, secret, &joined));
	*k = joined;
out:
	tacit_mls_tree_keys_wipe(&joined);
	tacit_wipe(secret, sizeof(secret));
	return err;
}
