#include "e2e/account.h"

#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "e2e/safety_number.h"
#include "support/tap.h"

static struct tacit_bytes key_of(const struct tacit_account *a)
{
	return tacit_bytes(a->public.b, sizeof(a->public.b));
}

static void the_secret_gives_the_keys(void)
{
	struct tacit_env env = tap_env(1);
	struct tacit_account a;
	struct tacit_account b;
	struct tacit_account other;
	CHECK_OK(tacit_account_create(&env, &a));
	CHECK_OK(tacit_account_create(&env, &other));
	CHECK_OK(tacit_account_from_secret(tacit_secret_view(&a.secret), &b));
	CHECK_BYTES(key_of(&b), key_of(&a));
	CHECK(!tacit_bytes_eq(key_of(&other), key_of(&a)));
	struct tacit_signature sig;
	tacit_sign(tacit_account_sk(&b), TACIT_STR("text"), &sig);
	CHECK_OK(tacit_sign_verify(&a.public, TACIT_STR("text"), &sig));
	CHECK_ERR(tacit_sign_verify(&other.public, TACIT_STR("text"), &sig), TACIT_E_BAD_SIGNATURE);

	uint8_t one[32];
	uint8_t two[32];
	CHECK_OK(tacit_account_derive(&a, "store", one, sizeof(one)));
	CHECK_OK(tacit_account_derive(&b, "store", two, sizeof(two)));
	CHECK_BYTES(tacit_bytes(one, 32), tacit_bytes(two, 32));
	CHECK_OK(tacit_account_derive(&a, "other", two, sizeof(two)));
	CHECK(!tacit_bytes_eq(tacit_bytes(one, 32), tacit_bytes(two, 32)));
	static const char longest[] =
	        "0123456789012345678901234567890123456789012345678901234567890123";
	CHECK_OK(tacit_account_derive(&a, longest, two, sizeof(two)));
	char beyond[80] = {0};
	memset(beyond, 'x', 65);
	CHECK_ERR(tacit_account_derive(&a, beyond, two, sizeof(two)), TACIT_E_USAGE);
	tacit_account_clear(&a);
	tacit_account_clear(&b);
	tacit_account_clear(&other);
	CHECK_ERR(tacit_account_from_secret(TACIT_STR("short"), &a), TACIT_E_USAGE);
	CHECK(a.secret.p == NULL);
}

/* The expected value was computed from contract 2 with Python's hashlib and libsodium directly. */
static void the_password_hash_is_the_contracts(void)
{
	char hash[65];
	CHECK_OK(tacit_password_hash(
	        TACIT_STR("correct horse 1!"), TACIT_STR("alice@example.org"), hash));
	CHECK_BYTES(tacit_cstr(hash),
	        TACIT_STR("adc509fee25f6bba68dabc04b78cde4be6c20e4319cac562acdfd4aeca52263f"));
	char other[65];
	CHECK_OK(tacit_password_hash(
	        TACIT_STR("correct horse 1?"), TACIT_STR("alice@example.org"), other));
	CHECK(!tacit_bytes_eq(tacit_cstr(hash), tacit_cstr(other)));
}

static void wrapping(void)
{
	struct tacit_env env = tap_env(3);
	struct tacit_account a;
	struct tacit_account back;
	struct tacit_buf wrapped = {0};
	uint8_t iv[TACIT_WRAP_IV_BYTES];
	struct tacit_bytes pw = TACIT_STR("correct horse 1!");
	CHECK_OK(tacit_account_create(&env, &a));
	CHECK_OK(tacit_account_wrap(&a, TACIT_STR("Alice"), pw, &env, &wrapped, iv));
	CHECK_INT(wrapped.n, 1 + 4 + 4 + 16 + 48);
	struct tacit_bytes w = tacit_buf_view(&wrapped);
	struct tacit_bytes v = tacit_bytes(iv, sizeof(iv));
	CHECK_OK(tacit_account_unwrap(w, v, TACIT_STR("aLICE"), pw, &back));
	CHECK_BYTES(key_of(&back), key_of(&a));
	tacit_account_clear(&back);
	CHECK_ERR(tacit_account_unwrap(w, v, TACIT_STR("alice"), TACIT_STR("wrong"), &back),
	        TACIT_E_BAD_PASSWORD);
	CHECK(back.secret.p == NULL);
	CHECK_ERR(tacit_account_unwrap(w, v, TACIT_STR("bob"), pw, &back), TACIT_E_BAD_PASSWORD);
	CHECK_ERR(tacit_account_unwrap(w, v, TACIT_STR("no name"), pw, &back), TACIT_E_BAD_NAME);
	CHECK_ERR(tacit_account_unwrap(w, tacit_bytes(iv, 11), TACIT_STR("alice"), pw, &back),
	        TACIT_E_MALFORMED);
	static const size_t places[] = {3, 9, 24, 25, 72}; /* costs, salt, ciphertext, tag */
	for (size_t i = 0; i < TACIT_COUNT(places); i++) {
		wrapped.p[places[i]] ^= 1;
		CHECK_ERR(tacit_account_unwrap(w, v, TACIT_STR("alice"), pw, &back),
		        TACIT_E_BAD_PASSWORD);
		wrapped.p[places[i]] ^= 1;
	}
	iv[0] ^= 1;
	CHECK_ERR(tacit_account_unwrap(w, v, TACIT_STR("alice"), pw, &back), TACIT_E_BAD_PASSWORD);
	tacit_account_clear(&a);
	tacit_buf_clear(&wrapped);
}

static void wrapped_is(size_t at, uint8_t value, enum tacit_err want)
{
	/* version 1, 8 KiB, 1 pass, salt and ciphertext zero */
	uint8_t w[1 + 4 + 4 + 16 + 48] = {1, 0, 0, 0, 8, 0, 0, 0, 1};
	uint8_t iv[TACIT_WRAP_IV_BYTES] = {0};
	struct tacit_account back;
	w[at] = value;
	CHECK_ERR(tacit_account_unwrap(tacit_bytes(w, sizeof(w)), tacit_bytes(iv, sizeof(iv)),
	                  TACIT_STR("alice"), TACIT_STR("x"), &back),
	        want);
}

static void no_price_is_paid_that_is_too_high(void)
{
	wrapped_is(0, 1, TACIT_E_BAD_PASSWORD);
	wrapped_is(0, 2, TACIT_E_UNSUPPORTED);
	wrapped_is(1, 1, TACIT_E_TOO_LARGE);
	wrapped_is(2, 5, TACIT_E_TOO_LARGE);
	wrapped_is(2, 4, TACIT_E_TOO_LARGE); /* 256 MiB and 8 KiB */
	wrapped_is(4, 7, TACIT_E_MALFORMED);
	wrapped_is(8, 11, TACIT_E_TOO_LARGE);
	wrapped_is(8, 0, TACIT_E_MALFORMED);
	uint8_t iv[TACIT_WRAP_IV_BYTES] = {0};
	uint8_t w[74] = {1, 0, 0, 0, 8, 0, 0, 0, 1};
	struct tacit_account back;
	for (size_t n = 0; n <= sizeof(w); n++)
		if (n != 73)
			CHECK_ERR(tacit_account_unwrap(tacit_bytes(w, n), tacit_bytes(iv, 12),
			                  TACIT_STR("alice"), TACIT_STR("x"), &back),
			        TACIT_E_MALFORMED);
}

static bool differ(const struct tacit_safety *a, const struct tacit_safety *b)
{
	return strcmp(a->digits, b->digits) != 0 && strcmp(a->words, b->words) != 0;
}

static void safety_numbers(void)
{
	struct tacit_sign_public a = {{1}};
	struct tacit_sign_public b = {{2}};
	struct tacit_safety one;
	struct tacit_safety two;
	tacit_safety_number(&a, TACIT_STR("Alice"), &b, TACIT_STR("bob"), &one);
	tacit_safety_number(&b, TACIT_STR("BOB"), &a, TACIT_STR("alice"), &two);
	CHECK_BYTES(tacit_cstr(one.digits), tacit_cstr(two.digits));
	CHECK_BYTES(tacit_cstr(one.words), tacit_cstr(two.words));
	CHECK_INT(strlen(one.digits), 71);
	for (size_t i = 0; i < 71; i++)
		CHECK(i % 6 == 5 ? one.digits[i] == ' '
		                 : one.digits[i] >= '0' && one.digits[i] <= '9');
	size_t spaces = 0;
	for (const char *p = one.words; *p != '\0'; p++)
		spaces += *p == ' ';
	CHECK_INT(spaces, TACIT_SAFETY_WORDS - 1);
	b.b[31] ^= 1;
	tacit_safety_number(&a, TACIT_STR("alice"), &b, TACIT_STR("bob"), &two);
	CHECK(differ(&one, &two));
	b.b[31] ^= 1;
	tacit_safety_number(&a, TACIT_STR("alice"), &b, TACIT_STR("rob"), &two);
	CHECK(differ(&one, &two));
	/* Keys do not change owners unseen. */
	tacit_safety_number(&b, TACIT_STR("alice"), &a, TACIT_STR("bob"), &two);
	CHECK(differ(&one, &two));
	tacit_safety_number(&a, TACIT_STR("a name that is much longer than any may be"), &b,
	        TACIT_STR(""), &two);
	CHECK_INT(strlen(two.digits), 71);
}

static void changed_byte(const struct tacit_safety *ours, const char *text, char to)
{
	char typed[sizeof(ours->words)];
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		memcpy(typed, text, n);
		typed[i] = typed[i] == to ? (char)(to + 1) : to;
		CHECK(!tacit_safety_same(ours, tacit_bytes(typed, n)));
		CHECK(!tacit_safety_same(ours, tacit_bytes(text, i)));
		CHECK(!tacit_safety_same(ours, tacit_bytes(text + i + 1, n - i - 1)));
	}
}

static void safety_numbers_compared(void)
{
	struct tacit_sign_public a = {{1}};
	struct tacit_sign_public b = {{2}};
	struct tacit_safety ours;
	tacit_safety_number(&a, TACIT_STR("alice"), &b, TACIT_STR("bob"), &ours);
	CHECK(tacit_safety_same(&ours, tacit_cstr(ours.digits)));
	CHECK(tacit_safety_same(&ours, tacit_cstr(ours.words)));
	char typed[2 * sizeof(ours.words)];
	size_t n = 0;
	for (const char *p = ours.digits; *p != '\0'; p++) /* as a QR code has it */
		if (*p != ' ')
			typed[n++] = *p;
	CHECK(tacit_safety_same(&ours, tacit_bytes(typed, n)));
	typed[n] = '1';
	CHECK(!tacit_safety_same(&ours, tacit_bytes(typed, n + 1)));
	n = 0;
	for (const char *p = ours.words; *p != '\0'; p++) { /* a list, in capitals, with commas */
		if (*p == ' ')
			typed[n++] = ',';
		typed[n++] = *p == ' ' ? '\n' : (char)(*p - 'a' + 'A');
	}
	CHECK(tacit_safety_same(&ours, tacit_bytes(typed, n)));
	CHECK(!tacit_safety_same(&ours, TACIT_STR("")));
	CHECK(!tacit_safety_same(&ours, TACIT_STR("   ")));
	snprintf(typed, sizeof(typed), "%s %s", ours.digits, ours.digits);
	CHECK(!tacit_safety_same(&ours, tacit_cstr(typed)));
	snprintf(typed, sizeof(typed), "%s %s", ours.words, "zebra");
	CHECK(!tacit_safety_same(&ours, tacit_cstr(typed)));
	snprintf(typed, sizeof(typed), "%s %s", ours.digits, "x");
	CHECK(!tacit_safety_same(&ours, tacit_cstr(typed)));
	char digits[sizeof(typed)];
	n = 0;
	for (const char *p = ours.digits; *p != '\0'; p++)
		if (*p != ' ')
			digits[n++] = *p;
	digits[n] = '\0';
	changed_byte(&ours, digits, '0');
}

/* What is no number says nothing about a key: neither that it is the same, nor that it is not. */
static void what_is_a_safety_number(void)
{
	struct tacit_sign_public a = {{1}};
	struct tacit_sign_public b = {{2}};
	struct tacit_safety ours;
	char typed[2 * sizeof(ours.words)];
	tacit_safety_number(&a, TACIT_STR("alice"), &b, TACIT_STR("bob"), &ours);
	CHECK(tacit_safety_formed(tacit_cstr(ours.digits)));
	CHECK(tacit_safety_formed(tacit_cstr(ours.words)));
	memset(typed, '1', 61); /* of somebody else */
	CHECK(tacit_safety_formed(tacit_bytes(typed, 60)));
	CHECK(!tacit_safety_formed(tacit_bytes(typed, 59)));
	CHECK(!tacit_safety_formed(tacit_bytes(typed, 61)));
	size_t n = 0;
	for (int i = 0; i < TACIT_SAFETY_WORDS; i++)
		n += (size_t)snprintf(typed + n, sizeof(typed) - n, "%sAbacus", i > 0 ? ",\n" : "");
	CHECK(tacit_safety_formed(tacit_bytes(typed, n)));
	CHECK(!tacit_safety_formed(tacit_bytes(typed, n - 6)));
	CHECK(!tacit_safety_formed(tacit_bytes(typed, n - 1)));
	CHECK(!tacit_safety_formed(tacit_bytes(typed + 1, n - 1)));
	snprintf(typed + n, sizeof(typed) - n, " abacus");
	CHECK(!tacit_safety_formed(tacit_cstr(typed)));
	CHECK(!tacit_safety_formed(TACIT_STR("")));
	CHECK(!tacit_safety_formed(TACIT_STR("https://example.org/r#7-amber-falcon")));
	char longer[sizeof(ours.words) + 64];
	memset(longer, 'a', sizeof(longer));
	CHECK(!tacit_safety_formed(tacit_bytes(longer, sizeof(longer))));
	memset(longer, '7', sizeof(longer));
	CHECK(!tacit_safety_formed(tacit_bytes(longer, sizeof(longer))));
}

/* The answers of docs/protocol.md, "Known answers": computed from its text by another program. */
static void known_answers(void)
{
	uint8_t secret[TACIT_ACCOUNT_SECRET_BYTES];
	uint8_t iv[TACIT_WRAP_IV_BYTES];
	uint8_t wrapped[73];
	char hex[65];
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	memcpy(iv, secret, sizeof(iv));
	struct tacit_account a;
	struct tacit_account back;
	CHECK_OK(tacit_account_from_secret(tacit_bytes(secret, sizeof(secret)), &a));
	tacit_hex(key_of(&a), hex);
	CHECK_BYTES(tacit_cstr(hex),
	        TACIT_STR("05469451e7a62b2383ec4c8cb8a727dac711bc1c2382e7cb41908ef931f8e5c3"));
	uint8_t store[TACIT_STORE_KEY_BYTES];
	CHECK_OK(tacit_account_derive(&a, "store", store, sizeof(store)));
	tacit_hex(tacit_bytes(store, sizeof(store)), hex);
	CHECK_BYTES(tacit_cstr(hex),
	        TACIT_STR("3d9d7df6ca27febfb885513fa72d45347611ac792dadc82679fd5b29a137a1d0"));
	CHECK_OK(tacit_unhex(
	        TACIT_STR(
	                "010000000800000001000102030405060708090a0b0c0d0e0f60f6574f64c115e9e07db0d5"
	                "04f548ec597c6654e393212851e6d74e62e037a680f30d16f7a185a771c443459982d59a"),
	        wrapped, sizeof(wrapped)));
	CHECK_OK(tacit_account_unwrap(tacit_bytes(wrapped, sizeof(wrapped)),
	        tacit_bytes(iv, sizeof(iv)), TACIT_STR("Alice"), TACIT_STR("correct horse 1!"),
	        &back));
	CHECK_BYTES(key_of(&back), key_of(&a));
	tacit_account_clear(&a);
	tacit_account_clear(&back);

	struct tacit_sign_public one = {{1}};
	struct tacit_sign_public two = {{2}};
	struct tacit_safety number;
	tacit_safety_number(&two, TACIT_STR("bob"), &one, TACIT_STR("Alice"), &number);
	CHECK_BYTES(tacit_cstr(number.digits),
	        TACIT_STR(
	                "97233 79514 21568 44388 66321 14872 19436 66796 21385 54575 75180 69307"));
	CHECK_BYTES(tacit_cstr(number.words),
	        TACIT_STR("academy oxygen hinge usual hermit dinner pumpkin absurd tiger cabbage "
	                  "vivid nurse ruby hinge abacus violet humble office vortex stable jaguar "
	                  "giraffe yogurt lagoon"));
}

static enum tacit_err wrap_and_unwrap(void)
{
	enum tacit_err err;
	struct tacit_env env = tap_env(4);
	struct tacit_account a = {0};
	struct tacit_account back = {0};
	struct tacit_buf wrapped = {0};
	uint8_t iv[TACIT_WRAP_IV_BYTES];
	char hash[65];
	TRY(tacit_account_create(&env, &a));
	TRY(tacit_account_wrap(&a, TACIT_STR("a"), TACIT_STR("p"), &env, &wrapped, iv));
	TRY(tacit_account_unwrap(tacit_buf_view(&wrapped), tacit_bytes(iv, sizeof(iv)),
	        TACIT_STR("a"), TACIT_STR("p"), &back));
	TRY(tacit_password_hash(TACIT_STR("p"), TACIT_STR("e"), hash));
out:
	tacit_account_clear(&a);
	tacit_account_clear(&back);
	tacit_buf_clear(&wrapped);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(wrap_and_unwrap);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"the secret gives the keys", the_secret_gives_the_keys},
	        {"the password hash is the contract's", the_password_hash_is_the_contracts},
	        {"wrapping", wrapping},
	        {"no price is paid that is too high", no_price_is_paid_that_is_too_high},
	        {"safety numbers", safety_numbers},
	        {"safety numbers as they are typed", safety_numbers_compared},
	        {"what is a safety number at all", what_is_a_safety_number},
	        {"known answers", known_answers},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
