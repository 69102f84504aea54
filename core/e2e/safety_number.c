#include "e2e/safety_number.h"

#include <string.h>

#include "crypto/kdf.h"
#include "e2e/parcel/code.h"
#include "wire/limits.h"
#include "wire/names.h"

#define LABEL "tacit safety number v1"
#define ROUNDS 5200
#define GROUP_BYTES 5

/* A person: lower-cased name behind its length, filled with zeroes, then the key. */
struct person {
	uint8_t b[1 + TACIT_MAX_USERNAME + TACIT_SIGN_PUBLIC_BYTES];
};

static struct person person(const struct tacit_sign_public *key, struct tacit_bytes name)
{
	struct person p = {{0}};
	p.b[0] = (uint8_t)tacit_username_lower(name, p.b + 1);
	memcpy(p.b + 1 + TACIT_MAX_USERNAME, key->b, sizeof(key->b));
	return p;
}

static bool before(const struct person *a, const struct person *b)
{
	for (size_t i = 0; i < sizeof(a->b); i++)
		if (a->b[i] != b->b[i])
			return a->b[i] < b->b[i];
	return true;
}

static void put_digits(const uint8_t *h, char *out)
{
	for (size_t g = 0; g < TACIT_SAFETY_GROUPS; g++) {
		uint64_t x = 0;
		for (size_t i = 0; i < GROUP_BYTES; i++)
			x = x << 8 | h[g * GROUP_BYTES + i];
		char *at = out + 6 * g;
		x %= 100000;
		for (int i = 4; i >= 0; i--, x /= 10)
			at[i] = (char)('0' + x % 10);
		at[5] = g + 1 < TACIT_SAFETY_GROUPS ? ' ' : 0;
	}
}

static void put_words(const uint8_t *h, char *out)
{
	for (size_t i = 0; i < TACIT_SAFETY_WORDS; i++) {
		struct tacit_bytes word = tacit_cstr(tacit_parcel_word(h[i]));
		memcpy(out, word.p, word.n);
		out += word.n;
		*out++ = i + 1 < TACIT_SAFETY_WORDS ? ' ' : 0;
	}
}

void tacit_safety_number(const struct tacit_sign_public *a, struct tacit_bytes a_name,
        const struct tacit_sign_public *b, struct tacit_bytes b_name, struct tacit_safety *out)
{
	struct person one = person(a, a_name);
	struct person two = person(b, b_name);
	bool in_order = before(&one, &two);
	struct person both[2] = {in_order ? one : two, in_order ? two : one};
	struct tacit_bytes in = tacit_bytes(both, sizeof(both));
	uint8_t h[TACIT_HASH_MAX_BYTES];
	tacit_hmac(TACIT_SHA512, TACIT_STR(LABEL), in, h);
	for (int i = 1; i < ROUNDS; i++) {
		uint8_t next[TACIT_HASH_MAX_BYTES];
		tacit_hmac(TACIT_SHA512, tacit_bytes(h, sizeof(h)), in, next);
		memcpy(h, next, sizeof(h));
	}
	*out = (struct tacit_safety){0};
	put_digits(h, out->digits);
	put_words(h, out->words);
}

/* --- comparing ------------------------------------------------------------------------------- */

/* A letter in lower case, or a digit; 0: it sets apart. */
static uint8_t counts(uint8_t c, bool words)
{
	if (!words)
		return c >= '0' && c <= '9' ? c : 0;
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A' + 'a');
	return c >= 'a' && c <= 'z' ? c : 0;
}

static bool in_words(struct tacit_bytes theirs)
{
	for (size_t i = 0; i < theirs.n; i++)
		if (counts(theirs.p[i], true) != 0)
			return true;
	return false;
}

/* No word begins as another does, so that letters in a row are one row of words only. */
bool tacit_safety_same(const struct tacit_safety *ours, struct tacit_bytes theirs)
{
	bool words = in_words(theirs);
	const char *at = words ? ours->words : ours->digits;
	for (size_t i = 0; i < theirs.n; i++) {
		uint8_t c = counts(theirs.p[i], words);
		if (c == 0)
			continue;
		at += *at == ' ';
		if (c != (uint8_t)*at)
			return false;
		at++;
	}
	return *at == '\0';
}

/* How many of the letters make the word that they begin with; 0: none of the list. */
static size_t first_word(const char *letters, size_t n)
{
	for (int i = 0; i < TACIT_PARCEL_WORDS; i++) {
		struct tacit_bytes word = tacit_cstr(tacit_parcel_word((uint8_t)i));
		if (word.n <= n && memcmp(word.p, letters, word.n) == 0)
			return word.n;
	}
	return 0;
}

bool tacit_safety_formed(struct tacit_bytes theirs)
{
	bool words = in_words(theirs);
	char bare[sizeof(((struct tacit_safety *)NULL)->words)];
	size_t n = 0, at = 0, parts = 0;
	for (size_t i = 0; i < theirs.n; i++) {
		uint8_t c = counts(theirs.p[i], words);
		if (c != 0 && n == sizeof(bare))
			return false;
		if (c != 0)
			bare[n++] = (char)c;
	}
	if (!words)
		return n == (size_t)TACIT_SAFETY_GROUPS * 5;
	for (size_t step; at < n && (step = first_word(bare + at, n - at)) > 0; at += step)
		parts++;
	return at == n && parts == TACIT_SAFETY_WORDS;
}
