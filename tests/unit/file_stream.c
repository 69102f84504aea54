#include "e2e/file_stream.h"

#include <string.h>

#include "base/buf.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "support/tap.h"

#define CHUNK TACIT_FILE_CHUNK_BYTES

static const uint8_t key[TACIT_FILE_KEY_BYTES] = {1, 2, 3};
static uint8_t plain[3 * CHUNK];

static enum tacit_err seal_file(size_t n, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_env env = tap_env(1);
	struct tacit_file_stream *s = NULL;
	uint64_t count = tacit_file_chunks(n);
	TRY(tacit_buf_reserve(out, tacit_file_sealed_bytes(n)));
	TRY(tacit_file_stream_create(key, &env, out->p, &s));
	out->n = TACIT_FILE_HEADER_BYTES;
	for (uint64_t i = 0; i < count; i++) {
		struct tacit_bytes part = tacit_bytes_part(tacit_bytes(plain, n), i * CHUNK, CHUNK);
		enum tacit_chunk at = i + 1 < count ? TACIT_CHUNK_MIDDLE : TACIT_CHUNK_LAST;
		TRY(tacit_file_seal_chunk(s, i, at, part, out->p + out->n));
		out->n += part.n + 16;
	}
out:
	tacit_file_stream_free(s);
	return err;
}

/* As a reader does it that knows nothing but the bytes: the chunk with nothing after it is last. */
static enum tacit_err open_file(
        const uint8_t *with, struct tacit_bytes sealed, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_file_stream *s = NULL;
	uint64_t i = 0;
	TRY(tacit_buf_reserve(out, sealed.n + 1));
	TRY(sealed.n >= TACIT_FILE_HEADER_BYTES ? TACIT_OK : TACIT_E_BAD_SEAL);
	TRY(tacit_file_stream_resume(with, sealed.p, &s));
	size_t step = tacit_file_stream_chunk_bytes(s) + 16;
	size_t at = TACIT_FILE_HEADER_BYTES;
	do {
		struct tacit_bytes part = tacit_bytes_part(sealed, at, step);
		at += part.n;
		TRY(tacit_file_open_chunk(s, i++,
		        at < sealed.n ? TACIT_CHUNK_MIDDLE : TACIT_CHUNK_LAST, part,
		        out->p + out->n));
		out->n += part.n - 16;
	} while (at < sealed.n);
out:
	tacit_file_stream_free(s);
	return err;
}

static void files_come_back(void)
{
	static const size_t sizes[] = {0, 1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK};
	for (size_t i = 0; i < TACIT_COUNT(sizes); i++) {
		struct tacit_buf sealed = {0};
		struct tacit_buf back = {0};
		CHECK_OK(seal_file(sizes[i], &sealed));
		CHECK_INT(sealed.n, tacit_file_sealed_bytes(sizes[i]));
		CHECK_OK(open_file(key, tacit_buf_view(&sealed), &back));
		CHECK_BYTES(tacit_buf_view(&back), tacit_bytes(plain, sizes[i]));
		tacit_buf_clear(&sealed);
		tacit_buf_clear(&back);
	}
	CHECK_INT(tacit_file_chunks(0), 1);
	CHECK_INT(tacit_file_chunks((uint64_t)1 << 40), (1 << 24));
}

static void check_refused(struct tacit_bytes sealed, const char *what)
{
	struct tacit_buf back = {0};
	tap_check(open_file(key, sealed, &back) != TACIT_OK, what, __FILE__, __LINE__);
	tacit_buf_clear(&back);
}

static void changes_are_refused(void)
{
	struct tacit_buf f = {0};
	CHECK_OK(seal_file(2 * CHUNK + 100, &f));
	static const size_t places[] = {0, 5, 6, 7, 8, 23, 24, 31, /* header */
	        32, 32 + 1000, 32 + CHUNK - 1,                     /* first body */
	        32 + CHUNK, 32 + CHUNK + 15,                       /* its tag */
	        32 + CHUNK + 16, 32 + 2 * (CHUNK + 16), 32 + 2 * (CHUNK + 16) + 115};
	for (size_t i = 0; i < TACIT_COUNT(places); i++)
		for (int bit = 0; bit < 8; bit++) {
			f.p[places[i]] ^= (uint8_t)(1 << bit);
			check_refused(tacit_buf_view(&f), "a changed bit");
			f.p[places[i]] ^= (uint8_t)(1 << bit);
		}
	struct tacit_buf back = {0};
	uint8_t other[TACIT_FILE_KEY_BYTES] = {1, 2, 4};
	CHECK_ERR(open_file(other, tacit_buf_view(&f), &back), TACIT_E_BAD_SEAL);
	CHECK_OK(open_file(key, tacit_buf_view(&f), &back));
	tacit_buf_clear(&back);
	tacit_buf_clear(&f);
}

static void cuts_and_moves_are_refused(void)
{
	struct tacit_buf f = {0};
	struct tacit_buf g = {0};
	CHECK_OK(seal_file(2 * CHUNK + 100, &f));
	static const size_t cuts[] = {0, 31, 32, 32 + 15, 32 + CHUNK, 32 + CHUNK + 16,
	        32 + 2 * (CHUNK + 16), 32 + 2 * (CHUNK + 16) + 16, 32 + 2 * (CHUNK + 16) + 115};
	for (size_t i = 0; i < TACIT_COUNT(cuts); i++)
		check_refused(tacit_bytes(f.p, cuts[i]), "a cut file");
	CHECK_OK(tacit_buf_append(&f, TACIT_STR("x")));
	check_refused(tacit_buf_view(&f), "an extended file");
	f.n--;

	uint8_t *first = f.p + 32;
	uint8_t *second = first + CHUNK + 16;
	CHECK_OK(tacit_buf_append(&g, tacit_bytes(first, CHUNK + 16)));
	memmove(first, second, CHUNK + 16);
	memcpy(second, g.p, CHUNK + 16);
	check_refused(tacit_buf_view(&f), "swapped chunks");
	memcpy(first, g.p, CHUNK + 16);
	check_refused(tacit_buf_view(&f), "a chunk twice");
	tacit_buf_clear(&f);
	tacit_buf_clear(&g);

	/* Full last chunk: cutting at the border leaves nothing that looks wrong but the flag. */
	CHECK_OK(seal_file(2 * CHUNK, &f));
	check_refused(tacit_bytes(f.p, 32 + CHUNK + 16), "a file cut at a border");
	CHECK_OK(tacit_buf_append(&f, tacit_bytes(plain, 16)));
	check_refused(tacit_buf_view(&f), "an empty last chunk");
	tacit_buf_clear(&f);
}

static void one_chunk_opens_alone(void)
{
	struct tacit_buf f = {0};
	struct tacit_file_stream *s = NULL;
	static uint8_t out[CHUNK];
	CHECK_OK(seal_file(2 * CHUNK + 100, &f));
	REQUIRE(tacit_file_stream_resume(key, f.p, &s) == TACIT_OK);
	struct tacit_bytes second = tacit_bytes(f.p + 32 + CHUNK + 16, CHUNK + 16);
	CHECK_OK(tacit_file_open_chunk(s, 1, TACIT_CHUNK_MIDDLE, second, out));
	CHECK_BYTES(tacit_bytes(out, CHUNK), tacit_bytes(plain + CHUNK, CHUNK));
	CHECK_ERR(tacit_file_open_chunk(s, 2, TACIT_CHUNK_MIDDLE, second, out), TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_file_open_chunk(s, 1, TACIT_CHUNK_LAST, second, out), TACIT_E_BAD_SEAL);
	/* in place */
	CHECK_OK(tacit_file_open_chunk(s, 1, TACIT_CHUNK_MIDDLE, second, f.p + 32 + CHUNK + 16));
	CHECK_BYTES(tacit_bytes(second.p, CHUNK), tacit_bytes(plain + CHUNK, CHUNK));
	tacit_file_stream_free(s);
	tacit_buf_clear(&f);
}

static void misuse_is_refused(void)
{
	struct tacit_env env = tap_env(2);
	struct tacit_file_stream *s = NULL;
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	static uint8_t out[CHUNK + 17];
	REQUIRE(tacit_file_stream_create(key, &env, header, &s) == TACIT_OK);
	CHECK_ERR(tacit_file_seal_chunk(s, 0, TACIT_CHUNK_MIDDLE, tacit_bytes(plain, 9), out),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_file_seal_chunk(s, 0, TACIT_CHUNK_LAST, tacit_bytes(plain, CHUNK + 1), out),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_file_seal_chunk(s, 1, TACIT_CHUNK_LAST, tacit_bytes(plain, 0), out),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_file_seal_chunk(
	                  s, (uint64_t)1 << 32, TACIT_CHUNK_LAST, tacit_bytes(plain, 1), out),
	        TACIT_E_EXHAUSTED);
	CHECK_ERR(tacit_file_open_chunk(
	                  s, (uint64_t)1 << 32, TACIT_CHUNK_LAST, tacit_bytes(plain, 17), out),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_file_open_chunk(s, 0, TACIT_CHUNK_LAST, tacit_bytes(plain, 15), out),
	        TACIT_E_BAD_SEAL);
	tacit_file_stream_free(s);
	tacit_file_stream_free(NULL);
	header[6] = 9;
	CHECK_ERR(tacit_file_stream_resume(key, header, &s), TACIT_E_UNSUPPORTED);
	CHECK(s == NULL);
}

/* The answer of docs/protocol.md, "Known answers". */
static void known_answers(void)
{
	uint8_t file_key[TACIT_FILE_KEY_BYTES];
	uint8_t sealed[TACIT_FILE_HEADER_BYTES + 5 + 16];
	struct tacit_buf back = {0};
	for (size_t i = 0; i < sizeof(file_key); i++)
		file_key[i] = (uint8_t)(32 + i);
	CHECK_OK(tacit_unhex(TACIT_STR("7461636974460110000102030405060708090a0b0c0d0e0f00000000000"
	                               "000007299621eb41e51b8a13d13e6b7a85e473802af1721"),
	        sealed, sizeof(sealed)));
	CHECK_OK(open_file(file_key, tacit_bytes(sealed, sizeof(sealed)), &back));
	CHECK_BYTES(tacit_buf_view(&back), TACIT_STR("hello"));
	tacit_buf_clear(&back);
}

static enum tacit_err seal_and_open(void)
{
	enum tacit_err err;
	struct tacit_buf f = {0};
	struct tacit_buf back = {0};
	TRY(seal_file(100, &f));
	TRY(open_file(key, tacit_buf_view(&f), &back));
out:
	tacit_buf_clear(&f);
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
	        {"files come back", files_come_back},
	        {"changes are refused", changes_are_refused},
	        {"cuts and moves are refused", cuts_and_moves_are_refused},
	        {"one chunk opens alone", one_chunk_opens_alone},
	        {"misuse is refused", misuse_is_refused},
	        {"known answers", known_answers},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7 + i / CHUNK);
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
