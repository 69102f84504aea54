#include "wire/ws.h"

#include <string.h>

#include "support/tap.h"

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* Reads all of in, handing it over `step` bytes at a time; the last message and the last error. */
static enum tacit_err read_all(struct tacit_ws_reader *r, struct tacit_bytes in, size_t step,
        struct tacit_ws_message *last, size_t *count)
{
	enum tacit_err err = TACIT_OK;
	*count = 0;
	while (in.n > 0 && err == TACIT_OK) {
		struct tacit_bytes part = tacit_bytes_part(in, 0, step);
		in = tacit_bytes_part(in, step, in.n);
		while (part.n > 0 && err == TACIT_OK) {
			struct tacit_ws_message m;
			bool whole = false;
			err = tacit_ws_next(r, &part, &m, &whole);
			if (whole) {
				*last = m;
				++*count;
			}
		}
	}
	return err;
}

static void reads_the_examples_of_the_rfc(void)
{
	/* RFC 6455 5.7 */
	static const uint8_t unmasked[] = {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'};
	static const uint8_t masked[] = {
	        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
	static const uint8_t parts[] = {
	        0x01, 0x03, 'H', 'e', 'l', 0x89, 0x01, '!', 0x80, 0x02, 'l', 'o'};
	for (size_t step = 1; step < 13; step++) {
		struct tacit_ws_message m = {0};
		size_t n = 0;
		struct tacit_ws_reader c = {.role = TACIT_WS_CLIENT, .max_message = 100};
		CHECK_OK(read_all(&c, tacit_bytes(unmasked, sizeof(unmasked)), step, &m, &n));
		CHECK_BYTES(m.data, TACIT_STR("Hello"));
		CHECK_OK(read_all(&c, tacit_bytes(parts, sizeof(parts)), step, &m, &n));
		CHECK_BYTES(m.data, TACIT_STR("Hello"));
		CHECK_INT(n, 2);
		tacit_ws_reader_clear(&c);
		struct tacit_ws_reader s = {.role = TACIT_WS_SERVER, .max_message = 100};
		CHECK_OK(read_all(&s, tacit_bytes(masked, sizeof(masked)), step, &m, &n));
		CHECK_BYTES(m.data, TACIT_STR("Hello"));
		CHECK_INT(m.opcode, TACIT_WS_TEXT);
		tacit_ws_reader_rest(&s);
		CHECK_INT(s.message.cap, 0);
	}
}

static void writes_what_it_reads(void)
{
	static const size_t sizes[] = {0, 1, 7, 8, 125, 126, 127, 65535, 65536, 70001};
	static uint8_t data[70001];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < TACIT_COUNT(sizes); i++) {
		for (int role = 0; role < 2; role++) {
			struct tacit_buf b = {0};
			struct tacit_ws_message m = {0};
			size_t n = 0;
			struct tacit_ws_reader r = {
			        .role = (enum tacit_ws_role)role, .max_message = sizes[i]};
			const uint8_t *key = role == TACIT_WS_SERVER ? mask : NULL;
			struct tacit_bytes want = tacit_bytes(data, sizes[i]);
			CHECK_OK(tacit_ws_write(&b, TACIT_WS_BINARY, want, key));
			CHECK_OK(read_all(&r, tacit_buf_view(&b), 1021, &m, &n));
			CHECK_INT(n, 1);
			CHECK_INT(m.opcode, TACIT_WS_BINARY);
			CHECK_BYTES(m.data, want);
			tacit_buf_clear(&b);
			tacit_ws_reader_clear(&r);
		}
	}
}

static void tells_how_long_a_frame_is(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		uint64_t want;
	} frames[] = {
	        {"", 0, 0},
	        {"\x82", 1, 0},
	        {"\x82\x05", 2, 7},
	        {"\x82\x85", 2, 0}, /* its mask is a part of the head */
	        {"\x82\x85\1\2\3\4", 6, 11},
	        {"\x82\x7e\x01", 3, 0},
	        {"\x82\x7e\x01\x02", 4, 0x106},
	        {"\x82\x7f\0\0\0\0\0\1\0\0", 10, 0x1000a},
	        {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, UINT64_MAX},
	};
	for (size_t i = 0; i < TACIT_COUNT(frames); i++)
		CHECK(tacit_ws_frame_bytes(tacit_bytes(frames[i].bytes, frames[i].n)) ==
		        frames[i].want);
}

static void what_a_client_has_whole_stays_where_it_is(void)
{
	struct tacit_bytes in = TACIT_STR("\x82\x05Hello\x82\x03you"), all = in;
	struct tacit_ws_message m;
	bool whole;
	struct tacit_ws_reader r = {.role = TACIT_WS_CLIENT, .max_message = 100};
	CHECK_OK(tacit_ws_next(&r, &in, &m, &whole));
	CHECK(whole && m.data.p == all.p + 2);
	CHECK_BYTES(m.data, TACIT_STR("Hello"));
	in.n--;
	CHECK_OK(tacit_ws_next(&r, &in, &m, &whole));
	CHECK(!whole && in.n == 0);
	in = TACIT_STR("u");
	CHECK_OK(tacit_ws_next(&r, &in, &m, &whole));
	CHECK(whole);
	CHECK_BYTES(m.data, TACIT_STR("you"));
	tacit_ws_reader_clear(&r);
}

/* A message with 3 bytes before it, of which all but the first `early` bytes are received in place,
 * `step` at a time. */
static void receive_in_place(struct tacit_bytes frame, struct tacit_bytes want, size_t step)
{
	struct tacit_ws_reader r = {.role = TACIT_WS_SERVER, .max_message = 100000, .front = 3};
	struct tacit_ws_message m;
	bool whole = false;
	size_t room, early = frame.n - want.n + 5;
	struct tacit_bytes in = tacit_bytes_part(frame, 0, early);
	CHECK(tacit_ws_place(&r, &room) == NULL && room == 0);
	CHECK_OK(tacit_ws_next(&r, &in, &m, &whole));
	for (size_t at = early; at < frame.n && !whole;) {
		uint8_t *place = tacit_ws_place(&r, &room);
		CHECK_INT(room, frame.n - at);
		size_t n = step < room ? step : room;
		memcpy(place, frame.p + at, n);
		tacit_ws_placed(&r, n);
		at += n;
		CHECK_OK(tacit_ws_next(&r, &in, &m, &whole));
		CHECK(whole == (at == frame.n));
	}
	CHECK_BYTES(m.data, want);
	CHECK(tacit_ws_place(&r, &room) == NULL && room == 0);
	struct tacit_buf taken = tacit_ws_take(&r);
	CHECK_INT(taken.n, 3 + want.n);
	CHECK_BYTES(tacit_bytes(taken.p + 3, taken.n - 3), want);
	tacit_ws_reader_rest(&r);
	CHECK(r.message.p == NULL);
	tacit_buf_clear(&taken);
	in = TACIT_STR("\x82\x80\1\2\3\4"); /* and on without it */
	CHECK_OK(tacit_ws_next(&r, &in, &m, &whole));
	CHECK(whole && m.data.n == 0);
	tacit_ws_reader_clear(&r);
}

static void a_message_can_be_received_where_it_is_passed_on_from(void)
{
	static uint8_t data[70001];
	struct tacit_buf b = {0};
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	struct tacit_bytes want = tacit_bytes(data, sizeof(data));
	CHECK_OK(tacit_ws_write(&b, TACIT_WS_BINARY, want, mask));
	for (size_t step = 1; step < 80000; step = step * 10 + 1)
		receive_in_place(tacit_buf_view(&b), want, step);
	tacit_buf_clear(&b);
	/* In parts: each frame's own. */
	struct tacit_ws_reader r = {.role = TACIT_WS_SERVER, .max_message = 6, .front = 10};
	struct tacit_ws_message m = {0};
	size_t n;
	CHECK_OK(read_all(&r, TACIT_STR("\x02\x83\0\0\0\0abc\x89\x80\0\0\0\0\x80\x83\0\0\0\0def"),
	        4, &m, &n));
	CHECK_INT(n, 2);
	CHECK_BYTES(m.data, TACIT_STR("abcdef"));
	CHECK_OK(read_all(&r, TACIT_STR("\x02\x83\0\0\0\0abc"), 99, &m, &n));
	CHECK_ERR(read_all(&r, TACIT_STR("\x80\x84\0\0\0\0"), 9, &m, &n), TACIT_E_TOO_LARGE);
	tacit_ws_reader_clear(&r);
}

static void refuses_what_the_rfc_forbids(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		uint16_t code;
	} bad[] = {
	        {"\xc1\x00", 2, 1002}, /* RSV1 without an extension */
	        {"\x83\x00", 2, 1002}, /* reserved opcodes */
	        {"\x8b\x00", 2, 1002},
	        {"\x81\x80\x00\x00\x00\x00", 6, 1002}, /* masked by a server */
	        {"\x09\x00", 2, 1002},                 /* a ping in parts */
	        {"\x89\x7e\x00\x7e", 4, 1002},         /* a ping of 126 bytes */
	        {"\x80\x00", 2, 1002},                 /* continues nothing */
	        {"\x01\x01"
	         "a"
	         "\x81\x00",
	                5, 1002},              /* text within a text */
	        {"\x81\x7e\x00\x7d", 4, 1002}, /* lengths longer than needed */
	        {"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, 1002},
	        {"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10, 1002},
	        {"\x81\x02\xc3\x28", 4, 1007}, /* not UTF-8 */
	        {"\x01\x01\xc3\x80\x01\x28", 6, 1007},
	        {"\x81\x7e\x00\xc9", 4, 1009},     /* 201 bytes where 200 may be */
	        {"\x02\x7e\x00\xc8", 4, 0},        /* 200 may */
	        {"\x88\x01\x03", 3, 1002},         /* half a close code */
	        {"\x88\x02\x03\xed", 4, 1002},     /* 1005 */
	        {"\x88\x02\x03\xe7", 4, 1002},     /* 999 */
	        {"\x88\x02\x0b\xb7", 4, 1002},     /* 2999 */
	        {"\x88\x03\x03\xe8\xff", 5, 1007}, /* a reason that is no text */
	};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		for (size_t step = 1; step < 12; step += 10) {
			struct tacit_ws_message m;
			size_t n;
			struct tacit_ws_reader r = {.role = TACIT_WS_CLIENT, .max_message = 200};
			enum tacit_err err =
			        read_all(&r, tacit_bytes(bad[i].bytes, bad[i].n), step, &m, &n);
			CHECK((err == TACIT_OK) == (bad[i].code == 0));
			CHECK_INT(r.close_code, bad[i].code);
			CHECK(bad[i].code == 0 ||
			        read_all(&r, TACIT_STR("\x81\x00"), 2, &m, &n) == err);
			tacit_ws_reader_clear(&r);
		}
	}
	struct tacit_ws_reader s = {.role = TACIT_WS_SERVER, .max_message = 9};
	struct tacit_ws_message m;
	size_t n;
	CHECK_ERR(read_all(&s,
	                  TACIT_STR("\x81\x01"
	                            "a"),
	                  9, &m, &n),
	        TACIT_E_MALFORMED);
}

static void parts_count_together(void)
{
	struct tacit_ws_reader r = {.role = TACIT_WS_CLIENT, .max_message = 5};
	struct tacit_ws_message m;
	size_t n;
	CHECK_OK(read_all(&r,
	        TACIT_STR("\x01\x03"
	                  "abc"),
	        9, &m, &n));
	CHECK_ERR(read_all(&r, TACIT_STR("\x80\x03"), 9, &m, &n), TACIT_E_TOO_LARGE);
	CHECK_INT(r.close_code, TACIT_WS_TOO_BIG);
	tacit_ws_reader_clear(&r);
}

static void closes_with_a_code(void)
{
	struct tacit_buf b = {0};
	struct tacit_ws_message m = {0};
	size_t n;
	struct tacit_ws_reader r = {.role = TACIT_WS_CLIENT, .max_message = 5};
	CHECK_OK(tacit_ws_write_close(&b, TACIT_WS_TRY_LATER, NULL));
	CHECK_OK(read_all(&r, tacit_buf_view(&b), 1, &m, &n));
	CHECK_INT(m.opcode, TACIT_WS_CLOSE);
	CHECK_INT(m.close_code, TACIT_WS_TRY_LATER);
	CHECK_INT(m.data.n, 0);
	CHECK_OK(read_all(&r, TACIT_STR("\x88\x00"), 9, &m, &n));
	CHECK_INT(m.close_code, TACIT_WS_NO_STATUS);
	CHECK_OK(read_all(&r, TACIT_STR("\x88\x05\x0f\xa0why"), 9, &m, &n));
	CHECK_INT(m.close_code, 4000);
	CHECK_BYTES(m.data, TACIT_STR("why"));
	b.n = 0;
	uint8_t long_ping[126] = {0};
	CHECK_ERR(
	        tacit_ws_write(&b, TACIT_WS_PING, tacit_bytes(long_ping, sizeof(long_ping)), NULL),
	        TACIT_E_TOO_LARGE);
	CHECK_INT(b.n, 0);
	tacit_buf_clear(&b);
}

static void memory_follows_what_came(void)
{
	struct tacit_ws_reader r = {.role = TACIT_WS_CLIENT, .max_message = 1 << 30};
	struct tacit_ws_message m;
	size_t n;
	CHECK_OK(read_all(&r,
	        TACIT_STR("\x82\x7f\x00\x00\x00\x00\x40\x00\x00\x00"
	                  "abc"),
	        99, &m, &n));
	CHECK(r.message.cap < 1000);
	tacit_ws_reader_rest(&r);
	CHECK_INT(r.message.n, 3);
	tacit_ws_reader_clear(&r);
}

static void accepts_a_key(void)
{
	char accept[TACIT_WS_ACCEPT_CHARS + 1];
	CHECK_OK(tacit_ws_accept(TACIT_STR("dGhlIHNhbXBsZSBub25jZQ=="), accept));
	CHECK_BYTES(tacit_cstr(accept), TACIT_STR("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	CHECK_ERR(tacit_ws_accept(TACIT_STR("dGhlIHNhbXBsZSBub25jZQ="), accept), TACIT_E_MALFORMED);
	CHECK_ERR(
	        tacit_ws_accept(TACIT_STR("dGhlIHNhbXBsZSBub25jZSEh"), accept), TACIT_E_MALFORMED);
	CHECK_ERR(
	        tacit_ws_accept(TACIT_STR("dGhlIHNhbXBsZSBub25jZ\n=="), accept), TACIT_E_MALFORMED);
}

static enum tacit_err exchange(void)
{
	struct tacit_buf b = {0};
	struct tacit_ws_message m;
	size_t n;
	struct tacit_ws_reader r = {.role = TACIT_WS_SERVER, .max_message = 500};
	struct tacit_ws_reader passing = {.role = TACIT_WS_SERVER, .max_message = 500, .front = 9};
	char accept[TACIT_WS_ACCEPT_CHARS + 1];
	uint8_t text[200];
	memset(text, 'a', sizeof(text));
	enum tacit_err err =
	        tacit_ws_write(&b, TACIT_WS_TEXT, tacit_bytes(text, sizeof(text)), mask);
	if (err == TACIT_OK)
		err = read_all(&r, tacit_buf_view(&b), 70, &m, &n);
	if (err == TACIT_OK)
		err = read_all(&passing, tacit_buf_view(&b), 70, &m, &n);
	if (err == TACIT_OK)
		err = tacit_ws_accept(TACIT_STR("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	tacit_buf_clear(&b);
	tacit_ws_reader_clear(&r);
	tacit_ws_reader_clear(&passing);
	return err;
}

static void copes_without_memory(void)
{
	tap_alloc_sweep(exchange);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"reads the examples of the RFC, however they are cut",
	                reads_the_examples_of_the_rfc},
	        {"writes what it reads, at every width of the length", writes_what_it_reads},
	        {"tells how long a frame is", tells_how_long_a_frame_is},
	        {"what a client has whole stays where it is",
	                what_a_client_has_whole_stays_where_it_is},
	        {"a message can be received where it is passed on from",
	                a_message_can_be_received_where_it_is_passed_on_from},
	        {"refuses what the RFC forbids, with the right code", refuses_what_the_rfc_forbids},
	        {"the parts of a message count together", parts_count_together},
	        {"closes with a code", closes_with_a_code},
	        {"memory follows what came, not what was announced", memory_follows_what_came},
	        {"answers a handshake's key", accepts_a_key},
	        {"copes without memory", copes_without_memory},
	};
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
