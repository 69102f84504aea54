/* Codes of transfers: as people type them, as they are made, and how likely a guess is. */
#include "e2e/parcel/parcel.h"

#include <string.h>

#include "support/tap.h"

static bool parses_to(const char *typed, const char *shown)
{
	struct tacit_parcel_code code;
	char text[TACIT_PARCEL_CODE_ROOM];
	if (tacit_parcel_code_parse(tacit_cstr(typed), &code) != TACIT_OK)
		return false;
	tacit_parcel_code_text(&code, text);
	return strcmp(text, shown) == 0;
}

static void a_code_is_read_as_people_type(void)
{
	CHECK(parses_to("7-amber-falcon", "7-amber-falcon"));
	CHECK(parses_to("  7 Amber FALCON \n", "7-amber-falcon"));
	CHECK(parses_to("7_amber.falcon", "7-amber-falcon"));
	CHECK(parses_to("7ambe-falc", "7-amber-falcon"));
	CHECK(parses_to("123-048-153", "123-048-153"));
	CHECK(parses_to("123 048153", "123-048-153"));
	CHECK(parses_to("9-0 4 8 1 5 3", "9-048-153"));
	CHECK(parses_to(
	        "999999999-walnut-violet-copper-tiger", "999999999-walnut-violet-copper-tiger"));
}

static void what_is_no_code_is_refused(void)
{
	static const char *const malformed[] = {"", "7", "7-", "amber-falcon", "0-amber-falcon",
	        "07-amber-falcon", "7-amber", "7-12345", "7-1234567", "7-123-amber",
	        "7-amber-123456", "7-amber-falcon-walnut-violet-copper", "1234567890-amber-falcon",
	        "-", "7048153"};
	struct tacit_parcel_code code;
	for (size_t i = 0; i < TACIT_COUNT(malformed); i++)
		CHECK_ERR(tacit_parcel_code_parse(tacit_cstr(malformed[i]), &code),
		        TACIT_E_MALFORMED);
	CHECK_ERR(tacit_parcel_code_parse(TACIT_STR("7-amber-falcoon"), &code), TACIT_E_BAD_NAME);
	CHECK_ERR(tacit_parcel_code_parse(TACIT_STR("7-amb-falcon"), &code), TACIT_E_BAD_NAME);
	CHECK_INT(code.nameplate, 0);
	CHECK_INT(code.secret[0], 0);
}

static void made_codes_are_read_back(void)
{
	struct tacit_env env = tap_env(5);
	for (uint32_t i = 1; i < 300; i++) {
		struct tacit_parcel_code made, read;
		char text[TACIT_PARCEL_CODE_ROOM];
		tacit_parcel_code_make(
		        i % 2 == 0 ? TACIT_PARCEL_CODE_WORDS : TACIT_PARCEL_CODE_DIGITS, i, &env,
		        &made);
		tacit_parcel_code_text(&made, text);
		CHECK_OK(tacit_parcel_code_parse(tacit_cstr(text), &read));
		CHECK_INT(read.nameplate, i);
		CHECK(strcmp(read.secret, made.secret) == 0);
	}
}

/* Every word may come up, and none more often than its share. */
static void words_are_drawn_evenly(void)
{
	struct tacit_env env = tap_env(6);
	unsigned seen[TACIT_PARCEL_WORDS] = {0}, most = 0, least = 1000;
	for (int i = 0; i < 256 * 100; i++) {
		struct tacit_parcel_code code;
		tacit_parcel_code_make(TACIT_PARCEL_CODE_WORDS, 1, &env, &code);
		*strchr(code.secret, '-') = '\0';
		for (size_t w = 0; w < TACIT_PARCEL_WORDS; w++)
			if (strcmp(tacit_parcel_word((uint8_t)w), code.secret) == 0)
				seen[w]++;
	}
	for (size_t w = 0; w < TACIT_PARCEL_WORDS; w++) {
		most = seen[w] > most ? seen[w] : most;
		least = seen[w] < least ? seen[w] : least;
	}
	CHECK(least > 50 && most < 150);
}

/* What docs/threat-model.md says of one guess: 1 in 65,536 for words, 1 in 1,000,000 for digits. A
 * million guesses at as many codes: 15.3 and 1 are to be expected. */
static unsigned lucky_guesses(enum tacit_parcel_code_kind kind)
{
	struct tacit_env env = tap_env(8);
	struct tacit_parcel_code code, guess;
	unsigned lucky = 0;
	for (int i = 0; i < 1000000; i++) {
		tacit_parcel_code_make(kind, 1, &env, &code);
		tacit_parcel_code_make(kind, 1, &env, &guess);
		lucky += strcmp(code.secret, guess.secret) == 0;
	}
	return lucky;
}

static void a_guess_is_as_unlikely_as_promised(void)
{
	unsigned words = lucky_guesses(TACIT_PARCEL_CODE_WORDS);
	CHECK(words >= 4 && words <= 32);
	CHECK(lucky_guesses(TACIT_PARCEL_CODE_DIGITS) <= 6);
}

static size_t distance(const char *a, const char *b)
{
	size_t row[16], n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t here = before + (a[i - 1] != b[j - 1]);
			before = row[j];
			here = before + 1 < here ? before + 1 : here;
			row[j] = row[j - 1] + 1 < here ? row[j - 1] + 1 : here;
		}
	}
	return row[n];
}

static void no_word_looks_like_another(void)
{
	for (size_t i = 0; i < TACIT_PARCEL_WORDS; i++)
		for (size_t j = 0; j < i; j++) {
			const char *a = tacit_parcel_word((uint8_t)i),
			           *b = tacit_parcel_word((uint8_t)j);
			CHECK(distance(a, b) >= 3 && strncmp(a, b, 4) != 0);
		}
}

static char completed[TACIT_PARCEL_CODE_ROOM]; /* the last one */

static void collect(void *ctx, const char *code)
{
	(void)ctx;
	memcpy(completed, code, strlen(code) + 1);
}

static void a_code_is_completed(void)
{
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-amb"), collect, NULL), 1);
	CHECK(strcmp(completed, "7-amber") == 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-AMBER-falc"), collect, NULL), 1);
	CHECK(strcmp(completed, "7-amber-falcon") == 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-"), collect, NULL), TACIT_PARCEL_WORDS);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7"), collect, NULL), 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-amber-falcon-w"), collect, NULL), 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-nosuch-f"), collect, NULL), 0);
	CHECK_INT(tacit_parcel_code_complete(TACIT_STR("7-12"), collect, NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a code is read as people type", a_code_is_read_as_people_type},
	        {"what is no code is refused", what_is_no_code_is_refused},
	        {"made codes are read back", made_codes_are_read_back},
	        {"words are drawn evenly", words_are_drawn_evenly},
	        {"a guess is as unlikely as promised", a_guess_is_as_unlikely_as_promised},
	        {"no word looks like another", no_word_looks_like_another},
	        {"a code is completed", a_code_is_completed},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
