#include "e2e/parcel/code.h"

#include <string.h>

#include "base/attr.h"
#include "crypto/secret.h"

#define LONGEST 8
#define ENOUGH 4 /* letters that tell a word: tools/make-parcel-words sees to it */

static const char words[][LONGEST + 1] = {
#define WORD(word) word,
#include "e2e/parcel/words.def"
#undef WORD
};
_Static_assert(TACIT_COUNT(words) == TACIT_PARCEL_WORDS, "a word is a byte");

const char *tacit_parcel_word(uint8_t index)
{
	return words[index];
}

/* --- text ------------------------------------------------------------------------------------ */

struct text {
	char *p;
	size_t n, room; /* room for a NUL is always left */
};

static void put(struct text *t, const char *s, size_t n)
{
	TACIT_ASSERT(n < t->room - t->n);
	memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

static void put_number(struct text *t, uint32_t n)
{
	char digits[10];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	put(t, digits + at, sizeof(digits) - at);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- making ---------------------------------------------------------------------------------- */

static void make_digits(const struct tacit_env *env, struct text *t)
{
	uint32_t n;
	char digits[TACIT_PARCEL_DIGITS];
	do
		tacit_env_random(env, &n, sizeof(n));
	while (n >= 4294u * 1000000u); /* uniform: what is beyond the last whole million is drawn
	                                  again */
	for (size_t i = 0; i < sizeof(digits); i++, n /= 10)
		digits[i] = (char)('0' + n % 10);
	put(t, digits, sizeof(digits));
	tacit_wipe(digits, sizeof(digits));
	tacit_wipe(&n, sizeof(n));
}

void tacit_parcel_code_make(enum tacit_parcel_code_kind kind, uint32_t nameplate,
        const struct tacit_env *env, struct tacit_parcel_code *out)
{
	uint8_t index[TACIT_PARCEL_WORDS_IN_CODE];
	*out = (struct tacit_parcel_code){.nameplate = nameplate};
	struct text t = {.p = out->secret, .room = sizeof(out->secret)};
	if (kind == TACIT_PARCEL_CODE_DIGITS) {
		make_digits(env, &t);
		return;
	}
	tacit_env_random(env, index, sizeof(index));
	for (size_t i = 0; i < sizeof(index); i++) {
		if (i > 0)
			put(&t, "-", 1);
		put(&t, words[index[i]], strlen(words[index[i]]));
	}
	tacit_wipe(index, sizeof(index));
}

void tacit_parcel_code_text(const struct tacit_parcel_code *code, char out[TACIT_PARCEL_CODE_ROOM])
{
	struct text t = {.p = out, .room = TACIT_PARCEL_CODE_ROOM};
	size_t n = strlen(code->secret);
	put_number(&t, code->nameplate);
	put(&t, "-", 1);
	if (is_digit((uint8_t)code->secret[0])) {
		put(&t, code->secret, n / 2);
		put(&t, "-", 1);
		put(&t, code->secret + n / 2, n - n / 2);
	} else {
		put(&t, code->secret, n);
	}
}

/* --- reading --------------------------------------------------------------------------------- */

struct scan {
	struct tacit_bytes rest;
};

/* A run of digits or of letters; whatever else there is separates. */
static struct tacit_bytes next_run(struct scan *s)
{
	size_t from = 0, to;
	while (from < s->rest.n && !is_digit(s->rest.p[from]) && !is_letter(s->rest.p[from]))
		from++;
	bool digits = from < s->rest.n && is_digit(s->rest.p[from]);
	for (to = from; to < s->rest.n; to++)
		if (digits ? !is_digit(s->rest.p[to]) : !is_letter(s->rest.p[to]))
			break;
	struct tacit_bytes run = tacit_bytes_part(s->rest, from, to - from);
	s->rest = tacit_bytes_part(s->rest, to, s->rest.n);
	return run;
}

static bool begins_with(const char *word, struct tacit_bytes run)
{
	if (run.n > strlen(word))
		return false;
	for (size_t i = 0; i < run.n; i++)
		if ((run.p[i] | 0x20) != (uint8_t)word[i])
			return false;
	return true;
}

static const char *find_word(struct tacit_bytes run)
{
	for (size_t i = 0; i < TACIT_COUNT(words); i++)
		if (begins_with(words[i], run) && (run.n >= ENOUGH || run.n == strlen(words[i])))
			return words[i];
	return NULL;
}

static enum tacit_err read_nameplate(struct scan *s, uint32_t *out)
{
	struct tacit_bytes run = next_run(s);
	uint32_t n = 0;
	if (run.n == 0 || run.n > 9 || !is_digit(run.p[0]) || run.p[0] == '0')
		return TACIT_E_MALFORMED;
	for (size_t i = 0; i < run.n; i++)
		n = n * 10 + (uint32_t)(run.p[i] - '0');
	*out = n;
	return TACIT_OK;
}

static enum tacit_err read_words(struct scan *s, struct tacit_bytes run, struct text *t)
{
	size_t count = 0;
	for (; run.n > 0; run = next_run(s), count++) {
		if (is_digit(run.p[0]) || count == TACIT_PARCEL_MOST_WORDS)
			return TACIT_E_MALFORMED;
		const char *word = find_word(run);
		if (word == NULL)
			return TACIT_E_BAD_NAME;
		if (count > 0)
			put(t, "-", 1);
		put(t, word, strlen(word));
	}
	return count >= TACIT_PARCEL_WORDS_IN_CODE ? TACIT_OK : TACIT_E_MALFORMED;
}

static enum tacit_err read_digits(struct scan *s, struct tacit_bytes run, struct text *t)
{
	for (; run.n > 0; run = next_run(s)) {
		if (!is_digit(run.p[0]) || run.n > TACIT_PARCEL_DIGITS - t->n)
			return TACIT_E_MALFORMED;
		put(t, (const char *)run.p, run.n);
	}
	return t->n == TACIT_PARCEL_DIGITS ? TACIT_OK : TACIT_E_MALFORMED;
}

enum tacit_err tacit_parcel_code_parse(struct tacit_bytes text, struct tacit_parcel_code *out)
{
	enum tacit_err err;
	struct scan s = {text};
	*out = (struct tacit_parcel_code){0};
	struct text t = {.p = out->secret, .room = sizeof(out->secret)};
	TRY(read_nameplate(&s, &out->nameplate));
	struct tacit_bytes run = next_run(&s);
	if (run.n > 0 && is_digit(run.p[0]))
		TRY(read_digits(&s, run, &t));
	else
		TRY(read_words(&s, run, &t));
out:
	if (err != TACIT_OK)
		tacit_wipe(out, sizeof(*out));
	return err;
}

/* --- completing ------------------------------------------------------------------------------ */

/* What was typed up to its last word, in normal form. False: nothing to go on from. */
static bool typed_before(struct tacit_bytes typed, struct text *t, struct tacit_bytes *last)
{
	struct scan s = {typed};
	uint32_t nameplate;
	size_t count = 0;
	if (read_nameplate(&s, &nameplate) != TACIT_OK || s.rest.n == 0)
		return false;
	put_number(t, nameplate);
	put(t, "-", 1);
	for (*last = next_run(&s); s.rest.n > 0; *last = next_run(&s)) {
		const char *word = last->n > 0 ? find_word(*last) : NULL;
		if (word == NULL || ++count == TACIT_PARCEL_WORDS_IN_CODE)
			return false;
		put(t, word, strlen(word));
		put(t, "-", 1);
	}
	return last->n == 0 || !is_digit(last->p[0]);
}

size_t tacit_parcel_code_complete(
        struct tacit_bytes typed, void (*each)(void *ctx, const char *code), void *ctx)
{
	char code[TACIT_PARCEL_CODE_ROOM];
	struct text t = {.p = code, .room = sizeof(code)};
	struct tacit_bytes last = {0};
	size_t found = 0;
	if (!typed_before(typed, &t, &last))
		return 0;
	size_t before = t.n;
	for (size_t i = 0; i < TACIT_COUNT(words); i++) {
		if (!begins_with(words[i], last))
			continue;
		t.n = before;
		put(&t, words[i], strlen(words[i]));
		each(ctx, code);
		found++;
	}
	return found;
}
