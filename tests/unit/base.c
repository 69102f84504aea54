#include <string.h>

#include "base/buf.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "base/writer.h"
#include "support/tap.h"

static void writes_and_reads_back(void)
{
	struct tacit_buf b = {0};
	struct tacit_writer w = tacit_writer(&b);
	tacit_write_u8(&w, 0x12);
	tacit_write_u16(&w, 0x3456);
	tacit_write_u32(&w, 0x789abcde);
	tacit_write_u64(&w, 0x0123456789abcdef);
	tacit_write_vec8(&w, TACIT_STR("one"));
	tacit_write_vec16(&w, TACIT_STR(""));
	tacit_write_vec32(&w, TACIT_STR("four"));
	CHECK_OK(tacit_writer_finish(&w));

	struct tacit_reader r = tacit_reader(tacit_buf_view(&b));
	CHECK_INT(tacit_read_u8(&r), 0x12);
	CHECK_INT(tacit_read_u16(&r), 0x3456);
	CHECK_INT(tacit_read_u32(&r), 0x789abcde);
	CHECK_INT(tacit_read_u64(&r), 0x0123456789abcdef);
	CHECK_BYTES(tacit_read_vec8(&r, 3), TACIT_STR("one"));
	CHECK_BYTES(tacit_read_vec16(&r, 0), TACIT_STR(""));
	CHECK_BYTES(tacit_read_vec32(&r, 9), TACIT_STR("four"));
	CHECK_OK(tacit_reader_end(&r));
	tacit_buf_clear(&b);
}

static void reader_finds_every_fault(void)
{
	struct tacit_reader r = tacit_reader(TACIT_STR("\x05" "abc"));
	CHECK_INT(tacit_read_vec8(&r, 9).n, 0);
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_TRUNCATED);
	CHECK_INT(tacit_read_u32(&r), 0);

	r = tacit_reader(TACIT_STR("\x03" "abc"));
	CHECK_INT(tacit_read_vec8(&r, 2).n, 0);
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_TOO_LARGE);

	r = tacit_reader(TACIT_STR("ab"));
	CHECK_INT(tacit_read_u8(&r), 'a');
	CHECK_ERR(tacit_reader_end(&r), TACIT_E_TRAILING);

	uint8_t out[4] = {1, 2, 3, 4};
	r = tacit_reader(TACIT_STR("ab"));
	tacit_read_into(&r, out, sizeof(out));
	CHECK_INT(out[0] | out[1] | out[2] | out[3], 0);
}

static void writer_cuts_back_on_error(void)
{
	struct tacit_buf b = {0};
	CHECK_OK(tacit_buf_append(&b, TACIT_STR("kept")));
	struct tacit_writer w = tacit_writer(&b);
	uint8_t big[300] = {0};
	tacit_write_u32(&w, 7);
	tacit_write_vec8(&w, tacit_bytes(big, sizeof(big)));
	tacit_write_u32(&w, 7);
	CHECK_ERR(tacit_writer_finish(&w), TACIT_E_TOO_LARGE);
	CHECK_BYTES(tacit_buf_view(&b), TACIT_STR("kept"));
	tacit_buf_clear(&b);
}

static void utf8_is_strict(void)
{
	CHECK(tacit_utf8_valid(TACIT_STR("")));
	CHECK(tacit_utf8_valid(TACIT_STR("gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x94\x92")));
	CHECK(!tacit_utf8_valid(TACIT_STR("\xc0\x80")));         /* overlong */
	CHECK(!tacit_utf8_valid(TACIT_STR("\xed\xa0\x80")));     /* surrogate */
	CHECK(!tacit_utf8_valid(TACIT_STR("\xf4\x90\x80\x80"))); /* above U+10FFFF */
	CHECK(!tacit_utf8_valid(TACIT_STR("\xe2\x82")));         /* cut */
	for (size_t at = 0; at < 24; at++) { /* plain text is read in large steps */
		uint8_t text[24];
		memset(text, 'a', sizeof(text));
		CHECK(tacit_utf8_valid(tacit_bytes(text, at)));
		text[at] = 0x80;
		CHECK(!tacit_utf8_valid(tacit_bytes(text, sizeof(text))));
		CHECK(!tacit_utf8_valid(tacit_bytes(text, at + 1)));
	}
	CHECK(tacit_utf8_is_control(0x1b) && tacit_utf8_is_control(0x202e));
	CHECK(!tacit_utf8_is_control('a'));
}

static void errors_have_class_and_text(void)
{
	CHECK_INT(tacit_err_class(TACIT_OK), TACIT_CLASS_OK);
	CHECK_INT(tacit_err_class(TACIT_E_BAD_SIGNATURE), TACIT_CLASS_AUTH);
	CHECK_BYTES(tacit_cstr(tacit_err_name(TACIT_E_NOMEM)), TACIT_STR("NOMEM"));
	CHECK_BYTES(tacit_cstr(tacit_err_name((enum tacit_err)9999)), TACIT_STR("UNKNOWN"));
}

static enum tacit_err fill_a_buffer(void)
{
	enum tacit_err err;
	struct tacit_buf b = {0};
	for (int i = 0; i < 100; i++)
		TRY(tacit_buf_printf(&b, "%d,", i));
	TRY(tacit_buf_terminate(&b));
out:
	tacit_buf_clear(&b);
	return err;
}

static void buffer_survives_no_memory(void)
{
	tap_alloc_sweep(fill_a_buffer);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		{"writes and reads back", writes_and_reads_back},
		{"reader finds every fault", reader_finds_every_fault},
		{"writer cuts back on error", writer_cuts_back_on_error},
		{"utf-8 is strict", utf8_is_strict},
		{"errors have a class and a text", errors_have_class_and_text},
		{"buffer survives no memory", buffer_survives_no_memory},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
