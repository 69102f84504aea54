#include "e2e/record.h"

#include <string.h>

#include "crypto/encoding.h"
#include "support/tap.h"

static const uint8_t key[TACIT_STORE_KEY_BYTES] = {1, 2, 3};

static struct tacit_record_id id_of(const uint8_t *with, struct tacit_bytes name)
{
	struct tacit_record_id id;
	tacit_record_id(with, name, &id);
	return id;
}

static bool same_id(struct tacit_record_id a, struct tacit_record_id b)
{
	return tacit_bytes_eq(tacit_bytes(a.b, sizeof(a.b)), tacit_bytes(b.b, sizeof(b.b)));
}

static void names_are_hidden(void)
{
	uint8_t other[TACIT_STORE_KEY_BYTES] = {1, 2, 4};
	struct tacit_record_id id = id_of(key, TACIT_STR("conversation/1"));
	CHECK(same_id(id, id_of(key, TACIT_STR("conversation/1"))));
	CHECK(!same_id(id, id_of(key, TACIT_STR("conversation/2"))));
	CHECK(!same_id(id, id_of(other, TACIT_STR("conversation/1"))));
}

static void records_come_back(void)
{
	struct tacit_env env = tap_env(1);
	struct tacit_record_id id = id_of(key, TACIT_STR("a"));
	struct tacit_buf sealed = {0};
	struct tacit_buf again = {0};
	struct tacit_buf back = {0};
	CHECK_OK(tacit_buf_append(&back, TACIT_STR("kept ")));
	CHECK_OK(tacit_record_seal(key, &id, TACIT_STR("value"), &env, &sealed));
	CHECK_INT(sealed.n, 5 + TACIT_RECORD_OVERHEAD);
	CHECK_OK(tacit_record_open(key, &id, tacit_buf_view(&sealed), &back));
	CHECK_BYTES(tacit_buf_view(&back), TACIT_STR("kept value"));
	CHECK_OK(tacit_record_seal(key, &id, TACIT_STR("value"), &env, &again));
	CHECK(!tacit_bytes_eq(tacit_buf_view(&sealed), tacit_buf_view(&again)));
	again.n = 0;
	back.n = 0;
	CHECK_OK(tacit_record_seal(key, &id, tacit_bytes(NULL, 0), &env, &again));
	CHECK_OK(tacit_record_open(key, &id, tacit_buf_view(&again), &back));
	CHECK_INT(back.n, 0);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&again);
	tacit_buf_clear(&back);
}

static void changes_are_refused(void)
{
	struct tacit_env env = tap_env(2);
	uint8_t other[TACIT_STORE_KEY_BYTES] = {1, 2, 4};
	struct tacit_record_id id = id_of(key, TACIT_STR("a"));
	struct tacit_record_id id2 = id_of(key, TACIT_STR("b"));
	struct tacit_buf s = {0};
	struct tacit_buf back = {0};
	CHECK_OK(tacit_record_seal(key, &id, TACIT_STR("value"), &env, &s));
	struct tacit_bytes v = tacit_buf_view(&s);
	CHECK_ERR(tacit_record_open(key, &id2, v, &back), TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_record_open(other, &id, v, &back), TACIT_E_BAD_SEAL);
	for (size_t i = 0; i < s.n; i++) {
		s.p[i] ^= 4;
		CHECK_ERR(tacit_record_open(key, &id, v, &back),
		        i == 0 ? TACIT_E_UNSUPPORTED : TACIT_E_BAD_SEAL);
		s.p[i] ^= 4;
	}
	for (size_t n = 0; n < s.n; n++)
		CHECK_ERR(tacit_record_open(key, &id, tacit_bytes(s.p, n), &back),
		        n < TACIT_RECORD_OVERHEAD ? TACIT_E_MALFORMED : TACIT_E_BAD_SEAL);
	CHECK_INT(back.n, 0);
	tacit_buf_clear(&s);
	tacit_buf_clear(&back);
}

/* The answers of docs/protocol.md, "Known answers". */
static void known_answers(void)
{
	uint8_t store_key[TACIT_STORE_KEY_BYTES];
	uint8_t sealed[5 + TACIT_RECORD_OVERHEAD];
	char hex[2 * TACIT_RECORD_ID_BYTES + 1];
	struct tacit_buf back = {0};
	for (size_t i = 0; i < sizeof(store_key); i++)
		store_key[i] = (uint8_t)i;
	struct tacit_record_id id = id_of(store_key, TACIT_STR("conversation/1"));
	tacit_hex(tacit_bytes(id.b, sizeof(id.b)), hex);
	CHECK_BYTES(tacit_cstr(hex), TACIT_STR("bb321ceefce6ce6d343ee8160b6e0ad5"));
	CHECK_OK(tacit_unhex(
	        TACIT_STR("01000102030405060708090a0be63b860014ebfcd41a364e169f80fcc2bfece22541"),
	        sealed, sizeof(sealed)));
	CHECK_OK(tacit_record_open(store_key, &id, tacit_bytes(sealed, sizeof(sealed)), &back));
	CHECK_BYTES(tacit_buf_view(&back), TACIT_STR("hello"));
	tacit_buf_clear(&back);
}

static enum tacit_err seal_and_open(void)
{
	enum tacit_err err;
	struct tacit_env env = tap_env(3);
	struct tacit_record_id id = id_of(key, TACIT_STR("a"));
	struct tacit_buf s = {0};
	struct tacit_buf back = {0};
	TRY(tacit_record_seal(key, &id, TACIT_STR("value"), &env, &s));
	TRY(tacit_record_open(key, &id, tacit_buf_view(&s), &back));
out:
	tacit_buf_clear(&s);
	tacit_buf_clear(&back);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(seal_and_open);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"names are hidden", names_are_hidden},
	        {"records come back", records_come_back},
	        {"changes are refused", changes_are_refused},
	        {"known answers", known_answers},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
