#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "support/tap.h"

static void hex_is_strict(void)
{
	char text[9];
	uint8_t out[4];
	tacit_hex(TACIT_STR("\x00\x7f\xab\xff"), text);
	CHECK_BYTES(tacit_cstr(text), TACIT_STR("007fabff"));
	CHECK_OK(tacit_unhex(TACIT_STR("007fABff"), out, 4));
	CHECK_BYTES(tacit_bytes(out, 4), TACIT_STR("\x00\x7f\xab\xff"));
	CHECK_OK(tacit_unhex(TACIT_STR(""), out, 0));
	CHECK_ERR(tacit_unhex(TACIT_STR("007fabf"), out, 4), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_unhex(TACIT_STR("007fabf"), out, 3), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_unhex(TACIT_STR("007fabff00"), out, 4), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_unhex(TACIT_STR("007fabfg"), out, 4), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_unhex(TACIT_STR("00 fabff"), out, 4), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_unhex(TACIT_STR("0x7fabff"), out, 4), TACIT_E_MALFORMED);
}

static void base64_goes_both_ways(void)
{
	static const struct {
		const char *plain, *padded, *url;
	} pairs[] = {
	        {"", "", ""},
	        {"f", "Zg==", "Zg"},
	        {"fo", "Zm8=", "Zm8"},
	        {"foo", "Zm9v", "Zm9v"},
	        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
	        {"\xff\xfe\xfb", "//77", "__77"},
	};
	for (size_t i = 0; i < TACIT_COUNT(pairs); i++) {
		struct tacit_buf b = {0};
		CHECK_OK(tacit_buf_append(&b, TACIT_STR("+")));
		CHECK_OK(tacit_base64(TACIT_BASE64, tacit_cstr(pairs[i].plain), &b));
		CHECK_BYTES(
		        tacit_bytes_part(tacit_buf_view(&b), 1, b.n), tacit_cstr(pairs[i].padded));
		b.n = 0;
		CHECK_OK(tacit_base64(TACIT_BASE64URL, tacit_cstr(pairs[i].plain), &b));
		CHECK_BYTES(tacit_buf_view(&b), tacit_cstr(pairs[i].url));
		b.n = 0;
		CHECK_OK(tacit_unbase64(TACIT_BASE64, tacit_cstr(pairs[i].padded), &b));
		CHECK_OK(tacit_unbase64(TACIT_BASE64URL, tacit_cstr(pairs[i].url), &b));
		CHECK_BYTES(tacit_bytes_part(tacit_buf_view(&b), 0, b.n / 2),
		        tacit_cstr(pairs[i].plain));
		CHECK_BYTES(tacit_bytes_part(tacit_buf_view(&b), b.n / 2, b.n),
		        tacit_cstr(pairs[i].plain));
		tacit_buf_clear(&b);
	}
}

static void base64_is_canonical(void)
{
	static const struct {
		enum tacit_base64 kind;
		const char *text;
	} bad[] = {
	        {TACIT_BASE64, "Zg"},
	        {TACIT_BASE64, "Zg="},
	        {TACIT_BASE64, "Zg==="},
	        {TACIT_BASE64, "Zh=="},
	        {TACIT_BASE64, "Zm9="},
	        {TACIT_BASE64, "Zg==\n"},
	        {TACIT_BASE64, " Zg=="},
	        {TACIT_BASE64, "Zm 9v"},
	        {TACIT_BASE64, "=Zg="},
	        {TACIT_BASE64, "Zg==Zg=="},
	        {TACIT_BASE64, "__77"},
	        {TACIT_BASE64, "Z"},
	        {TACIT_BASE64, "===="},
	        {TACIT_BASE64, "\xff\xff\xff\xff"},
	        {TACIT_BASE64, "Zm9\xaf"},
	        {TACIT_BASE64URL, "\xff\xff\xff\xff"},
	        {TACIT_BASE64URL, "Zg=="},
	        {TACIT_BASE64URL, "Zh"},
	        {TACIT_BASE64URL, "//77"},
	        {TACIT_BASE64URL, "Zm9vY"},
	        {TACIT_BASE64URL, "Zm9v\n"},
	};
	struct tacit_buf b = {0};
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("kept")));
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		if (!CHECK_ERR(tacit_unbase64(bad[i].kind, tacit_cstr(bad[i].text), &b),
		            TACIT_E_MALFORMED))
			CHECK_BYTES(tacit_cstr(bad[i].text), TACIT_STR("refused"));
		CHECK_BYTES(tacit_buf_view(&b), TACIT_STR("kept"));
	}
	CHECK_ERR(tacit_unbase64(TACIT_BASE64, TACIT_STR("Zg=\0"), &b), TACIT_E_MALFORMED);
	tacit_buf_clear(&b);
}

static enum tacit_err encode_and_decode(void)
{
	enum tacit_err err;
	struct tacit_buf text = {0}, back = {0};
	TRY(tacit_base64(TACIT_BASE64, TACIT_STR("some bytes"), &text));
	TRY(tacit_unbase64(TACIT_BASE64, tacit_buf_view(&text), &back));
out:
	tacit_buf_clear(&text);
	tacit_buf_clear(&back);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(encode_and_decode);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"hex is strict", hex_is_strict},
	        {"base64 goes both ways", base64_goes_both_ways},
	        {"base64 is canonical", base64_is_canonical},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
