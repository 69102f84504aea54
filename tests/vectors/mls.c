#include "vectors/mls.h"

#include <string.h>

#include "crypto/encoding.h"

/* More special kinds before the more general. */
static const struct mls_vectors *const kinds[] = {
        &mls_crypto_basics,
        &mls_tree_math,
        &mls_tree_operations,
        &mls_tree_validation,
        &mls_treekem,
        &mls_key_schedule,
        &mls_psk_secret,
        &mls_transcript,
        &mls_protection,
        &mls_secret_tree,
        &mls_deserialization,
        &mls_messages,
        &mls_passive,
        &mls_welcome,
};

static bool has_all(const json_t *entry, const struct mls_vectors *kind)
{
	for (size_t i = 0; i < TACIT_COUNT(kind->members) && kind->members[i] != NULL; i++)
		if (json_object_get(entry, kind->members[i]) == NULL)
			return false;
	return true;
}

static const struct mls_vectors *find(const json_t *root)
{
	const json_t *first = json_array_get(root, 0);
	for (size_t i = 0; i < TACIT_COUNT(kinds); i++)
		if (has_all(first, kinds[i]))
			return kinds[i];
	return NULL;
}

static bool knows(const json_t *root)
{
	return find(root) != NULL;
}

static void run(const json_t *root, struct tally *t)
{
	size_t i;
	const json_t *entry;
	const struct mls_vectors *kind = find(root);
	json_array_foreach(root, i, entry)
	{
		const json_t *id = json_object_get(entry, "cipher_suite");
		const struct tacit_mls_suite *suite =
		        tacit_mls_suite_find((uint16_t)json_integer_value(id));
		if (id != NULL && suite == NULL) {
			t->not_applicable++;
			continue;
		}
		const char *wrong = kind->check(entry, suite);
		if (wrong == NULL)
			tally_pass(t);
		else
			tally_fail(t, "entry %zu (suite %d): %s", i, (int)json_integer_value(id),
			        wrong);
		hex_forget();
	}
}

const struct vector_format mls_format = {knows, run};

struct tacit_bytes text_member(const json_t *object, const char *name)
{
	const json_t *text = json_object_get(object, name);
	return tacit_bytes(json_string_value(text), json_string_length(text));
}

uint64_t number_member(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

bool is_member(const json_t *object, const char *name, const uint8_t *got, size_t n)
{
	return tacit_bytes_eq(hex_member(object, name), tacit_bytes(got, n));
}

bool is_hex(const json_t *value, const uint8_t *got, size_t n)
{
	struct tacit_bytes hex = tacit_bytes(json_string_value(value), json_string_length(value));
	struct tacit_buf want = {0};
	bool same = hex.n == 2 * n && tacit_buf_reserve(&want, n + 1) == TACIT_OK &&
	            tacit_unhex(hex, want.p, n) == TACIT_OK &&
	            tacit_bytes_eq(tacit_bytes(want.p, n), tacit_bytes(got, n));
	tacit_buf_clear(&want);
	return same;
}

bool private_key_member(const json_t *object, const char *name, uint8_t *out, size_t n)
{
	struct tacit_bytes key = hex_member(object, name);
	memset(out, 0, n);
	if (key.n == 0 || key.n > n)
		return false;
	memcpy(out + n - key.n, key.p, key.n);
	return true;
}

static void count_up(void *ctx, uint8_t *out, size_t n)
{
	static uint8_t next;
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = next++;
}

static int64_t vectors_time(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

struct tacit_env mls_env(void)
{
	return (struct tacit_env){.now = vectors_time, .random = count_up};
}
