/* spake2.c - the vectors of RFC 9382 appendix B: text of lines "name = 0x...", which may be broken
 * anywhere, under a line "spake2: A='...', B='...'". */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "e2e/spake2.h"
#include "vectors/vectors.h"

enum { MAX_VALUE = 512 };

static const uint8_t *find(struct tacit_bytes in, const char *what)
{
	size_t n = strlen(what);
	for (size_t i = 0; in.n >= n && i <= in.n - n; i++)
		if (memcmp(in.p + i, what, n) == 0)
			return in.p + i;
	return NULL;
}

static bool spake2_knows(struct tacit_bytes text)
{
	return find(text, "spake2: A='") != NULL;
}

/* The hex after one of the names, without its line breaks. False: there is none in this vector. */
static bool value(struct tacit_bytes vector, const char *const names[2], uint8_t *out, size_t *n)
{
	char hex[2 * MAX_VALUE];
	size_t digits = 0;
	for (int i = 0; i < 2; i++) {
		char label[32];
		int len = snprintf(label, sizeof(label), "%s = 0x", names[i]);
		const uint8_t *at = find(vector, label);
		if (at == NULL)
			continue;
		const uint8_t *end = vector.p + vector.n;
		for (at += len; at < end && digits < sizeof(hex); at++) {
			/* "Ke = ..." may follow a hash without a line break. */
			bool name_follows = at + 1 < end && !isxdigit(at[1]) && isupper(*at);
			if (isxdigit(*at) && !name_follows)
				hex[digits++] = (char)*at;
			else if (!isspace(*at) || (at + 1 < end && !isxdigit(at[1])))
				break;
		}
		*n = digits / 2;
		return tacit_unhex(tacit_bytes(hex, digits), out, *n) == TACIT_OK;
	}
	return false;
}

static bool exactly(
        struct tacit_bytes vector, const char *name, const char *other, uint8_t *out, size_t want)
{
	size_t n;
	uint8_t all[MAX_VALUE];
	const char *const names[2] = {name, other};
	if (!value(vector, names, all, &n) || n != want)
		return false;
	memcpy(out, all, n);
	return true;
}

static struct tacit_bytes identity(struct tacit_bytes vector, const char *before)
{
	const uint8_t *at = find(vector, before);
	if (at == NULL)
		return (struct tacit_bytes){0};
	at += strlen(before);
	const uint8_t *end = memchr(at, '\'', (size_t)(vector.p + vector.n - at));
	return end == NULL ? (struct tacit_bytes){0} : tacit_bytes(at, (size_t)(end - at));
}

/* The randomness of a run is the vector's own scalar. */
static int64_t no_time(void *ctx)
{
	(void)ctx;
	return 0;
}
static void given(void *ctx, uint8_t *out, size_t n)
{
	memcpy(out, ctx, n);
}

struct side {
	uint8_t scalar[32], message[TACIT_SPAKE2_MESSAGE_BYTES], want[TACIT_SPAKE2_MESSAGE_BYTES];
	uint8_t confirm[32], want_confirm[32], key[TACIT_SPAKE2_KEY_BYTES];
	struct tacit_spake2 run;
};

static const char *play(struct side *a, struct side *b, const uint8_t w[32],
        const struct tacit_spake2_ids *ids, const uint8_t key[TACIT_SPAKE2_KEY_BYTES])
{
	struct tacit_env env_a = {no_time, given, a->scalar}, env_b = {no_time, given, b->scalar};
	if (tacit_spake2_start(&a->run, TACIT_SPAKE2_A, w, &env_a, a->message) != TACIT_OK ||
	        tacit_spake2_start(&b->run, TACIT_SPAKE2_B, w, &env_b, b->message) != TACIT_OK)
		return "start";
	if (memcmp(a->message, a->want, sizeof(a->want)) != 0)
		return "pA";
	if (memcmp(b->message, b->want, sizeof(b->want)) != 0)
		return "pB";
	if (tacit_spake2_finish(&a->run, ids, tacit_bytes(b->message, sizeof(b->message)),
	            a->confirm) != TACIT_OK ||
	        tacit_spake2_finish(&b->run, ids, tacit_bytes(a->message, sizeof(a->message)),
	                b->confirm) != TACIT_OK)
		return "finish";
	if (memcmp(a->confirm, a->want_confirm, 32) != 0)
		return "A conf";
	if (memcmp(b->confirm, b->want_confirm, 32) != 0)
		return "B conf";
	if (tacit_spake2_confirm(&a->run, tacit_bytes(b->confirm, 32), a->key) != TACIT_OK ||
	        tacit_spake2_confirm(&b->run, tacit_bytes(a->confirm, 32), b->key) != TACIT_OK)
		return "confirm";
	if (memcmp(a->key, key, sizeof(a->key)) != 0 || memcmp(b->key, key, sizeof(b->key)) != 0)
		return "Ke";
	return NULL;
}

static void run_one(struct tacit_bytes vector, struct tally *t)
{
	struct side a = {0}, b = {0};
	uint8_t w[32], key[TACIT_SPAKE2_KEY_BYTES];
	struct tacit_spake2_ids ids = {
	        .a = identity(vector, "A='"),
	        .b = identity(vector, "B='"),
	};
	if (!exactly(vector, "w", "", w, 32) || !exactly(vector, "x", "", a.scalar, 32) ||
	        !exactly(vector, "y", "", b.scalar, 32) ||
	        !exactly(vector, "pA", "S", a.want, 65) ||
	        !exactly(vector, "pB", "T", b.want, 65) ||
	        !exactly(vector, "A conf", "", a.want_confirm, 32) ||
	        !exactly(vector, "B conf", "", b.want_confirm, 32)) {
		tally_fail(t, "a value of vector %zu cannot be read", t->passed + t->failed);
		return;
	}
	/* Ke is the first half of the hash of the transcript. */
	uint8_t hash[32];
	if (!exactly(vector, "Hash(TT)", "", hash, 32)) {
		tally_fail(t, "the hash of vector %zu cannot be read", t->passed + t->failed);
		return;
	}
	memcpy(key, hash, sizeof(key));
	const char *wrong = play(&a, &b, w, &ids, key);
	if (wrong != NULL)
		tally_fail(t, "%s of vector %zu", wrong, t->passed + t->failed);
	else
		tally_pass(t);
}

static void spake2_run(struct tacit_bytes text, struct tally *t)
{
	static const char head[] = "spake2: A='";
	const uint8_t *at = find(text, head);
	while (at != NULL) {
		size_t rest = text.n - (size_t)(at + 1 - text.p);
		const uint8_t *next = find(tacit_bytes(at + 1, rest), head);
		size_t n = next != NULL ? (size_t)(next - at) : rest + 1;
		run_one(tacit_bytes(at, n), t);
		at = next;
	}
}

const struct vector_text_format spake2_format = {spake2_knows, spake2_run};
