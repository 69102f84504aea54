#include "e2e/file_digest.h"
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

/* --- digests --------------------------------------------------------------------------------- */

/* By the version that its header names. */
static struct tacit_file_digest *digest_of(struct tacit_bytes sealed)
{
	struct tacit_file_digest *d = NULL;
	TACIT_ASSERT(tacit_file_digest_new(sealed.p, &d) == TACIT_OK);
	for (size_t at = TACIT_FILE_HEADER_BYTES; at < sealed.n; at += CHUNK + 16)
		CHECK_OK(tacit_file_digest_chunk(d, tacit_bytes_part(sealed, at, CHUNK + 16)));
	return d;
}

static void check_digest(struct tacit_bytes sealed, const uint8_t *want, enum tacit_err is)
{
	struct tacit_file_digest *d = digest_of(sealed);
	CHECK_ERR(tacit_file_digest_check(d, want), is);
	tacit_file_digest_free(d);
}

static void take_digest(struct tacit_bytes sealed, uint8_t out[TACIT_SHA256_BYTES])
{
	struct tacit_file_digest *d = digest_of(sealed);
	CHECK_OK(tacit_file_digest_peek(d, out));
	tacit_file_digest_free(d);
}

/* By its definition, from other functions. */
static void a_digest_is_over_digests(void)
{
	uint8_t want[TACIT_SHA256_BYTES], leaves[3][TACIT_SHA256_BYTES];
	struct tacit_buf f = {0};
	CHECK_OK(seal_file(2 * CHUNK + 100, &f));
	tacit_sha256(tacit_buf_view(&f), want);
	check_digest(tacit_buf_view(&f), want, TACIT_OK);
	f.p[6] = TACIT_FILE_V2;
	check_digest(tacit_buf_view(&f), want, TACIT_E_BAD_SEAL); /* version 1 does not do for 2 */
	for (size_t i = 0; i < 3; i++)
		tacit_sha256(
		        tacit_bytes_part(tacit_buf_view(&f), 32 + i * (CHUNK + 16), CHUNK + 16),
		        leaves[i]);
	const struct tacit_bytes parts[] = {TACIT_STR("tacit file v2"), tacit_bytes(f.p, 32),
	        tacit_bytes(leaves, sizeof(leaves))};
	CHECK_OK(tacit_hash_parts(TACIT_SHA256, parts, TACIT_COUNT(parts), want));
	check_digest(tacit_buf_view(&f), want, TACIT_OK);
	f.p[6] = TACIT_FILE_V1;
	check_digest(tacit_buf_view(&f), want, TACIT_E_BAD_SEAL);
	tacit_buf_clear(&f);
}

static void check_other(struct tacit_bytes sealed, const uint8_t *digest, const char *what)
{
	struct tacit_file_digest *d = digest_of(sealed);
	tap_check(tacit_file_digest_check(d, digest) == TACIT_E_BAD_SEAL, what, __FILE__, __LINE__);
	tacit_file_digest_free(d);
}

static void digests_bind_every_byte(enum tacit_file_version version)
{
	static const size_t places[] = {8, 23, 32, 32 + CHUNK + 15, 32 + CHUNK + 16,
	        32 + 2 * (CHUNK + 16), 32 + 2 * (CHUNK + 16) + 115};
	uint8_t digest[TACIT_SHA256_BYTES];
	static uint8_t held[CHUNK + 16];
	struct tacit_buf f = {0};
	CHECK_OK(seal_file(2 * CHUNK + 100, &f));
	f.p[6] = (uint8_t)version;
	take_digest(tacit_buf_view(&f), digest);
	for (size_t i = 0; i < TACIT_COUNT(places); i++) {
		f.p[places[i]] ^= 1;
		check_other(tacit_buf_view(&f), digest, "a changed bit");
		f.p[places[i]] ^= 1;
	}
	f.p[7] ^= 1;
	check_other(tacit_buf_view(&f), digest, "another chunk size");
	f.p[7] ^= 1;
	check_other(tacit_bytes(f.p, f.n - 1), digest, "a cut file");
	check_other(
	        tacit_bytes(f.p, 32 + 2 * (CHUNK + 16)), digest, "a file without its last chunk");
	check_other(tacit_bytes(f.p, 32), digest, "a file without chunks");
	CHECK_OK(tacit_buf_append(&f, tacit_bytes(f.p, 1)));
	check_other(tacit_buf_view(&f), digest, "an extended file");
	f.n--;
	uint8_t *first = f.p + 32, *second = first + sizeof(held);
	memcpy(held, first, sizeof(held));
	memcpy(first, second, sizeof(held));
	check_other(tacit_buf_view(&f), digest, "a chunk twice");
	memcpy(second, held, sizeof(held));
	check_other(tacit_buf_view(&f), digest, "swapped chunks");
	tacit_buf_clear(&f);
}

static void both_versions_bind_every_byte(void)
{
	digests_bind_every_byte(TACIT_FILE_V1);
	digests_bind_every_byte(TACIT_FILE_V2);
}

/* Hashed by other hands, in portions. */
static void digests_are_fed(void)
{
	struct tacit_buf f = {0};
	struct tacit_file_digest *d = NULL;
	uint8_t want[TACIT_SHA256_BYTES], leaves[2][TACIT_SHA256_BYTES];
	CHECK_OK(seal_file(CHUNK + 1, &f));
	take_digest(tacit_buf_view(&f), want);
	REQUIRE(tacit_file_digest_new(f.p, &d) == TACIT_OK);
	CHECK_OK(tacit_file_digest_feed(d, tacit_bytes(f.p + 32, 100)));
	CHECK_OK(tacit_file_digest_feed(d, tacit_bytes_part(tacit_buf_view(&f), 132, f.n)));
	CHECK_OK(tacit_file_digest_check(d, want));
	tacit_file_digest_free(d);

	f.p[6] = TACIT_FILE_V2;
	take_digest(tacit_buf_view(&f), want);
	tacit_sha256(tacit_bytes(f.p + 32, CHUNK + 16), leaves[0]);
	tacit_sha256(tacit_bytes(f.p + 32 + CHUNK + 16, 17), leaves[1]);
	REQUIRE(tacit_file_digest_new(f.p, &d) == TACIT_OK);
	CHECK_ERR(tacit_file_digest_feed(d, tacit_bytes(leaves, 33)), TACIT_E_MALFORMED);
	CHECK_OK(tacit_file_digest_feed(d, tacit_bytes(leaves[0], 32)));
	CHECK_ERR(tacit_file_digest_check(d, want), TACIT_E_BAD_SEAL);
	CHECK_OK(tacit_file_digest_feed(d, tacit_bytes(leaves[1], 32)));
	CHECK_OK(tacit_file_digest_check(d, want));
	tacit_file_digest_free(d);
	tacit_file_digest_free(NULL);
	f.p[6] = 3;
	CHECK_ERR(tacit_file_digest_new(f.p, &d), TACIT_E_UNSUPPORTED);
	CHECK(d == NULL);
	tacit_buf_clear(&f);
}

/* The versions have different keys: a header that says another one opens nothing. */
static void versions_have_keys_of_their_own(void)
{
	struct tacit_buf f = {0};
	struct tacit_env env = tap_env(3);
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	uint8_t one[TACIT_FILE_KEY_BYTES], other[TACIT_FILE_KEY_BYTES];
	uint32_t chunk_bytes = 0;
	CHECK_OK(seal_file(100, &f));
	f.p[6] = TACIT_FILE_V2;
	check_refused(tacit_buf_view(&f), "another version");
	CHECK_OK(tacit_file_header_new(&env, header));
	CHECK_INT(header[6], TACIT_FILE_V2);
	CHECK_OK(tacit_file_stream_key(key, header, one, &chunk_bytes));
	CHECK_INT(chunk_bytes, CHUNK);
	header[6] = TACIT_FILE_V1;
	CHECK_OK(tacit_file_stream_key(key, header, other, &chunk_bytes));
	CHECK(memcmp(one, other, sizeof(one)) != 0);
	tacit_buf_clear(&f);
}

/* The answers of docs/protocol.md, "Known answers". */
static void check_answer(const char *hex, const char *digest)
{
	uint8_t file_key[TACIT_FILE_KEY_BYTES];
	uint8_t sealed[TACIT_FILE_HEADER_BYTES + 5 + 16];
	uint8_t want[TACIT_SHA256_BYTES];
	struct tacit_buf back = {0};
	for (size_t i = 0; i < sizeof(file_key); i++)
		file_key[i] = (uint8_t)(32 + i);
	CHECK_OK(tacit_unhex(tacit_cstr(hex), sealed, sizeof(sealed)));
	CHECK_OK(tacit_unhex(tacit_cstr(digest), want, sizeof(want)));
	CHECK_OK(open_file(file_key, tacit_bytes(sealed, sizeof(sealed)), &back));
	CHECK_BYTES(tacit_buf_view(&back), TACIT_STR("hello"));
	check_digest(tacit_bytes(sealed, sizeof(sealed)), want, TACIT_OK);
	tacit_buf_clear(&back);
}

static void known_answers(void)
{
	check_answer("7461636974460110000102030405060708090a0b0c0d0e0f0000000000000000"
	             "7299621eb41e51b8a13d13e6b7a85e473802af1721",
	        "129526a269c383409885abbea8a674de946d99b027847ca74b3894bdd85bd8f3");
	check_answer("7461636974460210000102030405060708090a0b0c0d0e0f0000000000000000"
	             "aa6a58c38fef6168f6f98781e4d919c04d73e0d756",
	        "9e1303823b63fb319b245fa94582b1e4a62837de177f97530b1fc4abf2b5d42e");
}

static enum tacit_err seal_and_open(void)
{
	enum tacit_err err;
	struct tacit_buf f = {0};
	struct tacit_buf back = {0};
	struct tacit_file_digest *d = NULL;
	uint8_t digest[TACIT_SHA256_BYTES];
	TRY(seal_file(100, &f));
	TRY(open_file(key, tacit_buf_view(&f), &back));
	TRY(tacit_file_digest_new(f.p, &d));
	TRY(tacit_file_digest_chunk(d, tacit_bytes_part(tacit_buf_view(&f), 32, f.n)));
	TRY(tacit_file_digest_peek(d, digest));
out:
	tacit_file_digest_free(d);
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
	        {"a digest is over digests", a_digest_is_over_digests},
	        {"digests bind every byte", both_versions_bind_every_byte},
	        {"digests are fed", digests_are_fed},
	        {"versions have keys of their own", versions_have_keys_of_their_own},
	        {"known answers", known_answers},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7 + i / CHUNK);
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
