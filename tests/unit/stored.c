#include "e2e/parcel/stored.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "e2e/file_stream.h"
#include "support/tap.h"

#define ID "00112233445566778899aabbccddeeff"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define LINK "https://tacit.example:5000/r#s." ID "." SECRET

static struct tacit_stored_keys keys_of(uint8_t first)
{
	struct tacit_stored_keys k;
	uint8_t secret[TACIT_STORED_SECRET_BYTES] = {first};
	CHECK_OK(tacit_stored_keys(secret, &k));
	return k;
}

/* --- links ----------------------------------------------------------------------------------- */

static void a_link_is_read_and_shown(void)
{
	struct tacit_stored_link link;
	struct tacit_bytes server;
	char text[TACIT_STORED_FRAGMENT_ROOM];
	CHECK_OK(tacit_stored_link_parse(TACIT_STR(LINK), &link, &server));
	CHECK_BYTES(server, TACIT_STR("https://tacit.example:5000"));
	CHECK_BYTES(tacit_cstr(link.id), TACIT_STR(ID));
	for (size_t i = 0; i < sizeof(link.secret); i++)
		CHECK_INT(link.secret[i], i);
	CHECK_OK(tacit_stored_link_fragment(&link, text));
	CHECK_BYTES(tacit_cstr(text), TACIT_STR("s." ID "." SECRET));
	CHECK_OK(tacit_stored_link_parse(tacit_cstr(text), &link, &server));
	CHECK_INT(server.n, 0);
	CHECK(tacit_stored_link_looks(TACIT_STR(LINK)));
	CHECK(tacit_stored_link_looks(TACIT_STR("s.x")));
	CHECK(!tacit_stored_link_looks(TACIT_STR("7-amber-falcon")));
	CHECK(!tacit_stored_link_looks(TACIT_STR("https://tacit.example/r#7-amber-falcon")));
	CHECK(!tacit_stored_link_looks(TACIT_STR("")));
}

static void what_is_no_link_is_refused(void)
{
	static const char *const wrong[] = {"", "#", "s.", "s." ID, "s." ID ".", ID "." SECRET,
	        "s." ID "." SECRET "A", "s." ID "-" SECRET, "s." ID "." SECRET "=",
	        "t." ID "." SECRET, "https://a.example/x#s." ID "." SECRET,
	        "https://a.example#s." ID "." SECRET, "r#s." ID "." SECRET,
	        "s.0011223344556677889gaabbccddeeff." SECRET,
	        /* trailing bits that are not zero; the other alphabet */
	        "s." ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
	        "s." ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh/"};
	struct tacit_stored_link link;
	struct tacit_bytes server;
	for (size_t i = 0; i < TACIT_COUNT(wrong); i++) {
		if (!CHECK_ERR(tacit_stored_link_parse(tacit_cstr(wrong[i]), &link, &server),
		            TACIT_E_MALFORMED))
			printf("# %s\n", wrong[i]);
		CHECK_INT(link.id[0], 0);
		CHECK_INT(server.n, 0);
	}
}

static void keys_are_apart(void)
{
	struct tacit_stored_keys a = keys_of(1), b = keys_of(2);
	const uint8_t *of_a[] = {a.access, a.head, a.content, a.receipt};
	for (size_t i = 0; i < TACIT_COUNT(of_a); i++)
		for (size_t j = 0; j < i; j++)
			CHECK(!tacit_ct_eq(tacit_bytes(of_a[i], 32), tacit_bytes(of_a[j], 32)));
	CHECK(!tacit_ct_eq(tacit_bytes(a.access, 32), tacit_bytes(b.access, 32)));
}

/* --- the shape ------------------------------------------------------------------------------- */

static void segments_cover_everything_once(void)
{
	const uint64_t seg = TACIT_STORED_SEGMENT_BYTES, tail = TACIT_STORED_TAIL_BYTES;
	const uint64_t totals[] = {0, 1, seg - tail - 1, seg - tail, seg - tail + 1, seg, seg + 1,
	        5 * seg - tail, 5 * seg, (uint64_t)1 << 40};
	for (size_t t = 0; t < TACIT_COUNT(totals); t++) {
		uint64_t n = tacit_stored_segments(totals[t]), at = 4160;
		uint64_t last = n - 1;
		CHECK_INT(
		        last * seg + tacit_stored_segment_plain(totals[t], last), totals[t] + tail);
		CHECK(tacit_stored_segment_plain(totals[t], last) > 0);
		for (uint64_t i = 0; i < n && n < 10; i++) {
			CHECK_INT(tacit_stored_segment_at(4160, totals[t], i), at);
			at += tacit_stored_segment_sealed(totals[t], i);
		}
		if (n < 10)
			CHECK_INT(tacit_stored_segment_at(4160, totals[t], n), at);
	}
}

/* --- heads ----------------------------------------------------------------------------------- */

static void a_head_comes_back_and_hides_its_length(void)
{
	struct tacit_env env = tacit_system_env();
	struct tacit_stored_keys k = keys_of(1), other = keys_of(2);
	const size_t lengths[] = {0, 1, 4091, 4092, 4093, 100000};
	const size_t sealed_plain[] = {4096, 4096, 4096, 4096, 8192, 102400};
	uint8_t *offer = tacit_calloc(1, 100000);
	memset(offer, 7, 100000);
	for (size_t i = 0; i < TACIT_COUNT(lengths); i++) {
		struct tacit_buf sealed = {0}, back = {0};
		struct tacit_bytes in = tacit_bytes(offer, lengths[i]);
		CHECK_OK(tacit_stored_head_seal(&k, in, &env, &sealed));
		CHECK_INT(sealed.n, tacit_file_sealed_bytes(sealed_plain[i]));
		CHECK_OK(tacit_stored_head_open(&k, tacit_buf_view(&sealed), &back));
		CHECK_BYTES(tacit_buf_view(&back), in);
		back.n = 0;
		CHECK_ERR(tacit_stored_head_open(&other, tacit_buf_view(&sealed), &back),
		        TACIT_E_BAD_SEAL);
		sealed.p[sealed.n / 2] ^= 1;
		CHECK_ERR(tacit_stored_head_open(&k, tacit_buf_view(&sealed), &back),
		        TACIT_E_BAD_SEAL);
		CHECK_INT(back.n, 0);
		tacit_buf_clear(&sealed);
		tacit_buf_clear(&back);
	}
	tacit_free(offer);
}

/* Sealed with the right key, as a malicious sender would. */
static enum tacit_err open_forged(struct tacit_bytes plain)
{
	struct tacit_env env = tacit_system_env();
	struct tacit_stored_keys k = keys_of(1);
	struct tacit_file_stream *stream = NULL;
	static uint8_t sealed[TACIT_FILE_HEADER_BYTES + 65536 + 16];
	struct tacit_buf out = {0};
	CHECK_OK(tacit_file_stream_create(k.head, &env, sealed, &stream));
	CHECK_OK(tacit_file_seal_chunk(
	        stream, 0, TACIT_CHUNK_LAST, plain, sealed + TACIT_FILE_HEADER_BYTES));
	enum tacit_err err = tacit_stored_head_open(
	        &k, tacit_bytes(sealed, TACIT_FILE_HEADER_BYTES + plain.n + 16), &out);
	CHECK_INT(out.n, 0);
	tacit_file_stream_free(stream);
	tacit_buf_clear(&out);
	return err;
}

static void a_head_of_another_form_is_refused(void)
{
	static uint8_t plain[8192];
	memset(plain, 0, sizeof(plain));
	CHECK_ERR(open_forged(tacit_bytes(plain, 4095)), TACIT_E_MALFORMED); /* not padded */
	CHECK_ERR(open_forged(tacit_bytes(plain, 8192)), TACIT_E_MALFORMED); /* too much of it */
	CHECK_ERR(open_forged(tacit_bytes(plain, 3)), TACIT_E_TRUNCATED);
	plain[4095] = 1;
	CHECK_ERR(open_forged(tacit_bytes(plain, 4096)), TACIT_E_MALFORMED);
	plain[4095] = 0;
	plain[2] = 0x20; /* longer than all */
	CHECK_ERR(open_forged(tacit_bytes(plain, 4096)), TACIT_E_TRUNCATED);
	plain[0] = 0xff;
	CHECK_ERR(open_forged(tacit_bytes(plain, 4096)), TACIT_E_TOO_LARGE);
	for (size_t n = 0; n <= TACIT_FILE_HEADER_BYTES + 16; n++) {
		struct tacit_stored_keys k = keys_of(1);
		struct tacit_buf out = {0};
		CHECK_ERR(
		        tacit_stored_head_open(&k, tacit_bytes(plain, n), &out), TACIT_E_TRUNCATED);
	}
}

/* --- segments -------------------------------------------------------------------------------- */

static struct tacit_bytes piece(uint64_t total, uint64_t i)
{
	static uint8_t room[TACIT_STORED_SEGMENT_BYTES];
	size_t n = tacit_stored_segment_plain(total, i);
	memset(room, (int)(i + 1), n);
	return tacit_bytes(room, n);
}

static void a_segment_belongs_to_its_place(void)
{
	struct tacit_env env = tacit_system_env();
	struct tacit_stored_keys k = keys_of(1), other = keys_of(2);
	/* Three of one size, the last not: places differ in nothing but their number. */
	const uint64_t total = (uint64_t)3 * TACIT_STORED_SEGMENT_BYTES + 100;
	struct tacit_buf sealed = {0}, again = {0}, out = {0};
	const struct tacit_stored_place first = {total, 0}, second = {total, 1},
	                                beyond = {total, 4};
	const struct tacit_stored_place longer = {total + TACIT_STORED_SEGMENT_BYTES, 0};
	struct tacit_bytes plain = piece(total, 0);
	CHECK_OK(tacit_stored_segment_seal(&k, first, plain, &env, &sealed));
	CHECK_OK(tacit_stored_segment_seal(&k, first, plain, &env, &again));
	CHECK_INT(sealed.n, tacit_stored_segment_sealed(total, 0));
	/* A salt of its own each time, and so a key. */
	CHECK(!tacit_bytes_eq(tacit_buf_view(&sealed), tacit_buf_view(&again)));
	CHECK_OK(tacit_stored_segment_open(&k, first, tacit_buf_view(&sealed), &out));
	CHECK_BYTES(tacit_buf_view(&out), plain);
	out.n = 0;
	CHECK_ERR(tacit_stored_segment_open(&k, second, tacit_buf_view(&sealed), &out),
	        TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_stored_segment_open(&k, longer, tacit_buf_view(&sealed), &out),
	        TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_stored_segment_open(&k, beyond, tacit_buf_view(&sealed), &out),
	        TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_stored_segment_open(&other, first, tacit_buf_view(&sealed), &out),
	        TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_stored_segment_open(&k, first, tacit_bytes(sealed.p, sealed.n - 1), &out),
	        TACIT_E_BAD_SEAL);
	const size_t spots[] = {8, 31, 32, 32 + 65536 + 3, 0};
	for (size_t i = 0; i < TACIT_COUNT(spots); i++) {
		size_t at = spots[i] != 0 ? spots[i] : sealed.n - 1;
		sealed.p[at] ^= 0x40;
		CHECK(tacit_stored_segment_open(&k, first, tacit_buf_view(&sealed), &out) !=
		        TACIT_OK);
		CHECK_INT(out.n, 0);
		sealed.p[at] ^= 0x40;
	}
	CHECK_ERR(tacit_stored_segment_seal(&k, beyond, plain, &env, &out), TACIT_E_USAGE);
	plain.n--;
	CHECK_ERR(tacit_stored_segment_seal(&k, first, plain, &env, &out), TACIT_E_USAGE);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&again);
	tacit_buf_clear(&out);
}

/* --- receipts -------------------------------------------------------------------------------- */

static void a_receipt_is_of_one_download(void)
{
	struct tacit_stored_keys k = keys_of(1), other = keys_of(2);
	uint8_t claim[32] = {5}, second[32] = {6}, receipt[TACIT_STORED_RECEIPT_BYTES];
	const struct tacit_stored_download d = {ID, claim}, e = {ID, second},
	                                   f = {"10112233445566778899aabbccddeeff", claim};
	int64_t time;
	tacit_stored_receipt_make(k.receipt, d, 1700000000, receipt);
	CHECK_OK(tacit_stored_receipt_check(k.receipt, d, receipt, &time));
	CHECK_INT(time, 1700000000);
	CHECK_ERR(tacit_stored_receipt_check(other.receipt, d, receipt, &time), TACIT_E_BAD_SEAL);
	CHECK_INT(time, 0);
	CHECK_ERR(tacit_stored_receipt_check(k.receipt, e, receipt, &time), TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_stored_receipt_check(k.receipt, f, receipt, &time), TACIT_E_BAD_SEAL);
	receipt[7] ^= 1; /* the time */
	CHECK_ERR(tacit_stored_receipt_check(k.receipt, d, receipt, &time), TACIT_E_BAD_SEAL);
}

static enum tacit_err everything_once(void)
{
	enum tacit_err err;
	struct tacit_env env = tacit_system_env();
	struct tacit_stored_keys k = {0};
	struct tacit_stored_link link = {0};
	struct tacit_bytes server;
	struct tacit_buf sealed = {0}, out = {0};
	const struct tacit_stored_place only = {4, 0};
	char text[TACIT_STORED_FRAGMENT_ROOM];
	TRY(tacit_stored_link_parse(TACIT_STR(LINK), &link, &server));
	TRY(tacit_stored_link_fragment(&link, text));
	TRY(tacit_stored_keys(link.secret, &k));
	TRY(tacit_stored_head_seal(&k, TACIT_STR("offer"), &env, &sealed));
	TRY(tacit_stored_head_open(&k, tacit_buf_view(&sealed), &out));
	sealed.n = 0;
	TRY(tacit_stored_segment_seal(&k, only, piece(4, 0), &env, &sealed));
	out.n = 0;
	TRY(tacit_stored_segment_open(&k, only, tacit_buf_view(&sealed), &out));
out:
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&out);
	return err;
}

static void it_stands_every_allocation_failing(void)
{
	tap_alloc_sweep(everything_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a link is read and shown", a_link_is_read_and_shown},
	        {"what is no link is refused", what_is_no_link_is_refused},
	        {"keys are apart", keys_are_apart},
	        {"segments cover everything once", segments_cover_everything_once},
	        {"a head comes back and hides its length", a_head_comes_back_and_hides_its_length},
	        {"a head of another form is refused", a_head_of_another_form_is_refused},
	        {"a segment belongs to its place", a_segment_belongs_to_its_place},
	        {"a receipt is of one download", a_receipt_is_of_one_download},
	        {"it stands every allocation failing", it_stands_every_allocation_failing},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
