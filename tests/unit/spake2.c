#include "e2e/spake2.h"

#include <string.h>

#include "base/env.h"
#include "support/tap.h"

struct side {
	struct tacit_spake2 run;
	uint8_t message[TACIT_SPAKE2_MESSAGE_BYTES], confirm[TACIT_SPAKE2_CONFIRM_BYTES];
	uint8_t key[TACIT_SPAKE2_KEY_BYTES];
};

static const struct tacit_spake2_ids ids = {
        {(const uint8_t *)"left", 4}, {(const uint8_t *)"right", 5}, {(const uint8_t *)"v1", 2}};

static struct side a, b;

static struct tacit_bytes message(const struct side *s)
{
	return tacit_bytes(s->message, sizeof(s->message));
}

static struct tacit_bytes confirmation(const struct side *s)
{
	return tacit_bytes(s->confirm, sizeof(s->confirm));
}

static void start_with(const char *code_a, const char *code_b)
{
	uint8_t w[32];
	struct tacit_env env = tap_env(11);
	tacit_spake2_scalar(tacit_cstr(code_a), TACIT_STR("7"), w);
	CHECK_OK(tacit_spake2_start(&a.run, TACIT_SPAKE2_A, w, &env, a.message));
	tacit_spake2_scalar(tacit_cstr(code_b), TACIT_STR("7"), w);
	CHECK_OK(tacit_spake2_start(&b.run, TACIT_SPAKE2_B, w, &env, b.message));
}

static void finish_both(void)
{
	CHECK_OK(tacit_spake2_finish(&a.run, &ids, message(&b), a.confirm));
	CHECK_OK(tacit_spake2_finish(&b.run, &ids, message(&a), b.confirm));
}

static bool is_wiped(const struct tacit_spake2 *s)
{
	static const struct tacit_spake2 zero;
	return memcmp(s, &zero, sizeof(zero)) == 0;
}

static void one_code_gives_one_key(void)
{
	static const uint8_t zero[TACIT_SPAKE2_KEY_BYTES];
	start_with("amber-falcon", "amber-falcon");
	finish_both();
	CHECK_OK(tacit_spake2_confirm(&a.run, confirmation(&b), a.key));
	CHECK_OK(tacit_spake2_confirm(&b.run, confirmation(&a), b.key));
	CHECK_BYTES(tacit_bytes(a.key, sizeof(a.key)), tacit_bytes(b.key, sizeof(b.key)));
	CHECK(memcmp(a.key, zero, sizeof(zero)) != 0);
	CHECK(is_wiped(&a.run) && is_wiped(&b.run));
}

static void another_code_gives_none(void)
{
	static const uint8_t zero[TACIT_SPAKE2_KEY_BYTES];
	start_with("amber-falcon", "amber-walnut");
	finish_both();
	CHECK_ERR(tacit_spake2_confirm(&a.run, confirmation(&b), a.key), TACIT_E_BAD_SEAL);
	CHECK(memcmp(a.key, zero, sizeof(zero)) == 0);
	CHECK(is_wiped(&a.run));
	/* One try was all there was. */
	CHECK_ERR(tacit_spake2_confirm(&a.run, confirmation(&b), a.key), TACIT_E_USAGE);
}

static void every_bit_of_a_confirmation_counts(void)
{
	for (size_t i = 0; i < TACIT_SPAKE2_CONFIRM_BYTES; i++) {
		start_with("x", "x");
		finish_both();
		b.confirm[i] ^= 0x10;
		CHECK_ERR(tacit_spake2_confirm(&a.run, confirmation(&b), a.key), TACIT_E_BAD_SEAL);
	}
	start_with("x", "x");
	finish_both();
	CHECK_ERR(
	        tacit_spake2_confirm(&a.run, tacit_bytes(b.confirm, 31), a.key), TACIT_E_BAD_SEAL);
}

static void a_confirmation_is_not_its_own_mirror(void)
{
	start_with("x", "x");
	finish_both();
	CHECK_ERR(tacit_spake2_confirm(&a.run, confirmation(&a), a.key), TACIT_E_BAD_SEAL);
}

static void names_and_context_are_bound(void)
{
	struct tacit_spake2_ids other[3] = {ids, ids, ids};
	other[0].a = TACIT_STR("Left");
	other[1].b = TACIT_STR("righ");
	other[2].aad = TACIT_STR("v2");
	for (size_t i = 0; i < TACIT_COUNT(other); i++) {
		start_with("x", "x");
		CHECK_OK(tacit_spake2_finish(&a.run, &ids, message(&b), a.confirm));
		CHECK_OK(tacit_spake2_finish(&b.run, &other[i], message(&a), b.confirm));
		CHECK_ERR(tacit_spake2_confirm(&a.run, confirmation(&b), a.key), TACIT_E_BAD_SEAL);
	}
}

static void what_is_no_point_is_refused(void)
{
	uint8_t bad[TACIT_SPAKE2_MESSAGE_BYTES] = {0x04};
	const struct tacit_bytes wrong[] = {tacit_bytes(bad, sizeof(bad)), /* not on the curve */
	        tacit_bytes(bad, 1), tacit_bytes(bad, 64), (struct tacit_bytes){0}};
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++) {
		start_with("x", "x");
		CHECK_ERR(
		        tacit_spake2_finish(&a.run, &ids, wrong[i], a.confirm), TACIT_E_MALFORMED);
		CHECK(is_wiped(&a.run));
	}
	start_with("x", "x");
	b.message[40] ^= 1;
	CHECK_ERR(tacit_spake2_finish(&a.run, &ids, message(&b), a.confirm), TACIT_E_MALFORMED);
}

/* A peer that sends the blinding itself would make the shared element the neutral one: a key that
 * needs no code. RFC 9382 6 has it refused. */
static void the_neutral_element_is_refused(void)
{
	uint8_t w[32], one[32] = {[31] = 1}, minus[32], forged[TACIT_P256_POINT_BYTES];
	struct tacit_env env = tap_env(3);
	struct side zero_x = {0};
	tacit_spake2_scalar(TACIT_STR("x"), TACIT_STR("7"), w);
	/* pB = w*N + y*P with a known y, less y*P, is w*N. */
	CHECK_OK(tacit_spake2_start(&zero_x.run, TACIT_SPAKE2_B, w, &env, zero_x.message));
	memcpy(forged, zero_x.message, sizeof(forged));
	tacit_p256_scalar_negate(zero_x.run.x, minus);
	CHECK_OK(tacit_p256_mul_add(forged, one, NULL, minus));
	start_with("x", "x");
	CHECK_ERR(tacit_spake2_finish(&a.run, &ids, tacit_bytes(forged, sizeof(forged)), a.confirm),
	        TACIT_E_MALFORMED);
}

static void calls_out_of_order_are_refused(void)
{
	uint8_t w[32] = {0};
	struct tacit_env env = tap_env(1);
	struct tacit_spake2 fresh = {0};
	CHECK_ERR(tacit_spake2_finish(&fresh, &ids, message(&b), a.confirm), TACIT_E_USAGE);
	CHECK_ERR(tacit_spake2_confirm(&fresh, confirmation(&b), a.key), TACIT_E_USAGE);
	CHECK_ERR(tacit_spake2_start(&fresh, TACIT_SPAKE2_A, w, &env, a.message), TACIT_E_USAGE);
	memset(w, 0xff, sizeof(w));
	CHECK_ERR(tacit_spake2_start(&fresh, TACIT_SPAKE2_A, w, &env, a.message), TACIT_E_USAGE);
	start_with("x", "x");
	CHECK_ERR(tacit_spake2_confirm(&a.run, confirmation(&b), a.key), TACIT_E_USAGE);
	uint8_t long_name[TACIT_SPAKE2_MAX_ID + 1] = {0};
	struct tacit_spake2_ids too_long = {.a = tacit_bytes(long_name, sizeof(long_name))};
	CHECK_ERR(
	        tacit_spake2_finish(&b.run, &too_long, message(&a), b.confirm), TACIT_E_TOO_LARGE);
}

static void a_scalar_is_of_code_and_salt(void)
{
	uint8_t w[3][32];
	tacit_spake2_scalar(TACIT_STR("code"), TACIT_STR("1"), w[0]);
	tacit_spake2_scalar(TACIT_STR("code"), TACIT_STR("2"), w[1]);
	tacit_spake2_scalar(TACIT_STR("cods"), TACIT_STR("1"), w[2]);
	for (size_t i = 0; i < 3; i++) {
		CHECK(tacit_p256_scalar_valid(w[i]));
		CHECK(memcmp(w[i], w[(i + 1) % 3], 32) != 0);
	}
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"one code gives one key", one_code_gives_one_key},
	        {"another code gives none", another_code_gives_none},
	        {"every bit of a confirmation counts", every_bit_of_a_confirmation_counts},
	        {"a confirmation is not its own mirror", a_confirmation_is_not_its_own_mirror},
	        {"names and context are bound", names_and_context_are_bound},
	        {"what is no point is refused", what_is_no_point_is_refused},
	        {"the neutral element is refused", the_neutral_element_is_refused},
	        {"calls out of order are refused", calls_out_of_order_are_refused},
	        {"a scalar is of code and salt", a_scalar_is_of_code_and_salt},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
