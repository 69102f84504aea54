#include "wire/envelope.h"

#include <string.h>

#include "crypto/secret.h"
#include "support/tap.h"

static struct tacit_recipient three[3];

static struct tacit_envelope an_envelope(void)
{
	for (size_t i = 0; i < 3; i++)
		three[i] = (struct tacit_recipient){.tag = {(uint8_t)(10 * i)},
		        .enc = {(uint8_t)i},
		        .sealed_key = {(uint8_t)i}};
	return (struct tacit_envelope){.conversation = 77,
	        .sender = {{1}},
	        .device = {{2}},
	        .order = 5,
	        .previous = {3},
	        .recipients = three,
	        .recipient_count = 3,
	        .ciphertext = TACIT_STR("ciphertext")};
}

static void encode(const struct tacit_envelope *e, struct tacit_buf *out)
{
	uint8_t signature[64] = {9};
	CHECK_OK(tacit_envelope_encode(e, out));
	CHECK_OK(tacit_buf_append(out, tacit_bytes(signature, 64)));
}

static void there_and_back(void)
{
	struct tacit_envelope e = an_envelope();
	struct tacit_envelope back;
	struct tacit_buf out = {0};
	encode(&e, &out);
	CHECK_INT(out.n, TACIT_ENVELOPE_HEADER_BYTES + 2 + 3 * TACIT_RECIPIENT_BYTES + 4 + 10 + 64);
	CHECK_OK(tacit_envelope_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.conversation, 77);
	CHECK_INT(back.order, 5);
	CHECK_BYTES(tacit_bytes(back.sender.b, 32), tacit_bytes(e.sender.b, 32));
	CHECK_BYTES(tacit_bytes(back.device.b, 16), tacit_bytes(e.device.b, 16));
	CHECK_BYTES(tacit_bytes(back.previous, 32), tacit_bytes(e.previous, 32));
	CHECK_BYTES(back.ciphertext, e.ciphertext);
	CHECK_INT(back.signature.b[0], 9);
	CHECK_BYTES(back.signed_part, tacit_bytes(out.p, out.n - 64));
	uint8_t header[TACIT_ENVELOPE_HEADER_BYTES];
	tacit_envelope_header(&back, header);
	CHECK_BYTES(tacit_bytes(header, sizeof(header)), tacit_bytes(out.p, sizeof(header)));
	CHECK_BYTES(tacit_bytes(header, 17), TACIT_STR(TACIT_ENVELOPE_MAGIC));
	struct tacit_recipient r;
	tacit_envelope_recipient(&back, 2, &r);
	CHECK_INT(r.enc[0], 2);
	for (size_t i = 0; i < 3; i++) {
		CHECK(tacit_envelope_find(&back, three[i].tag, &r));
		CHECK_INT(r.sealed_key[0], i);
	}
	static const uint8_t absent[][TACIT_RECIPIENT_TAG_BYTES] = {{5}, {15}, {25}};
	for (size_t i = 0; i < 3; i++)
		CHECK(!tacit_envelope_find(&back, absent[i], &r));
	tacit_buf_clear(&out);
}

static void every_cut_is_found(void)
{
	struct tacit_envelope e = an_envelope();
	struct tacit_envelope back;
	struct tacit_buf out = {0};
	encode(&e, &out);
	for (size_t n = 0; n < out.n; n++)
		CHECK_ERR(tacit_envelope_decode(tacit_bytes(out.p, n), &back), TACIT_E_TRUNCATED);
	CHECK_OK(tacit_buf_append(&out, TACIT_STR("x")));
	CHECK_ERR(tacit_envelope_decode(tacit_buf_view(&out), &back), TACIT_E_TRAILING);
	CHECK_INT(back.recipient_count, 0);
	tacit_buf_clear(&out);
}

static void changed(size_t at, uint8_t value, enum tacit_err want)
{
	struct tacit_envelope e = an_envelope();
	struct tacit_envelope back;
	struct tacit_buf out = {0};
	encode(&e, &out);
	out.p[at] = value;
	CHECK_ERR(tacit_envelope_decode(tacit_buf_view(&out), &back), want);
	tacit_buf_clear(&out);
}

static void form_is_checked(void)
{
	size_t list = TACIT_ENVELOPE_HEADER_BYTES + 2;
	changed(0, 'T', TACIT_E_MALFORMED);
	changed(16, '2', TACIT_E_UNSUPPORTED);
	changed(17, 0x80, TACIT_E_MALFORMED);       /* conversation beyond 2^53 */
	changed(80, 0, TACIT_E_MALFORMED);          /* order 0 */
	changed(80, 1, TACIT_E_MALFORMED);          /* first, but with a previous */
	changed(73, 0x80, TACIT_E_MALFORMED);       /* order beyond 2^53 */
	changed(list - 2, 0x20, TACIT_E_TOO_LARGE); /* 8195 recipients */
	changed(list + TACIT_RECIPIENT_BYTES, 0, TACIT_E_MALFORMED);  /* tag twice */
	changed(list + TACIT_RECIPIENT_BYTES, 30, TACIT_E_MALFORMED); /* tags out of order */
	changed(list + 3 * TACIT_RECIPIENT_BYTES, 1, TACIT_E_TOO_LARGE);
	struct tacit_envelope e = an_envelope();
	struct tacit_buf out = {0};
	e.recipient_count = 0;
	CHECK_ERR(tacit_envelope_encode(&e, &out), TACIT_E_USAGE);
	e = an_envelope();
	e.order = 1;
	CHECK_ERR(tacit_envelope_encode(&e, &out), TACIT_E_USAGE);
	e.previous[0] = 0;
	CHECK_OK(tacit_envelope_encode(&e, &out));
	e.ciphertext.n = TACIT_MAX_ENVELOPE - 100;
	CHECK_ERR(tacit_envelope_encode(&e, &out), TACIT_E_TOO_LARGE);
	e = an_envelope();
	e.recipient_count = TACIT_MAX_RECIPIENTS + 1;
	CHECK_ERR(tacit_envelope_encode(&e, &out), TACIT_E_TOO_LARGE);
	tacit_buf_clear(&out);
}

static void no_recipient_is_malformed(void)
{
	struct tacit_envelope e = an_envelope();
	struct tacit_envelope back;
	struct tacit_buf out = {0};
	e.recipient_count = 1;
	encode(&e, &out);
	size_t count_at = TACIT_ENVELOPE_HEADER_BYTES;
	memmove(out.p + count_at + 2, out.p + count_at + 2 + TACIT_RECIPIENT_BYTES,
	        out.n - count_at - 2 - TACIT_RECIPIENT_BYTES);
	out.p[count_at + 1] = 0;
	out.n -= TACIT_RECIPIENT_BYTES;
	CHECK_ERR(tacit_envelope_decode(tacit_buf_view(&out), &back), TACIT_E_MALFORMED);
	tacit_buf_clear(&out);
}

static void tags_tell_accounts_apart(void)
{
	struct tacit_sign_public a = {{1}};
	struct tacit_sign_public b = {{2}};
	struct tacit_device_id d = {{3}};
	uint8_t one[TACIT_RECIPIENT_TAG_BYTES];
	uint8_t two[TACIT_RECIPIENT_TAG_BYTES];
	tacit_envelope_tag(&a, &d, one);
	tacit_envelope_tag(&b, &d, two);
	CHECK(!tacit_bytes_eq(tacit_bytes(one, 16), tacit_bytes(two, 16)));
	d.b[15] = 1;
	tacit_envelope_tag(&a, &d, two);
	CHECK(!tacit_bytes_eq(tacit_bytes(one, 16), tacit_bytes(two, 16)));
}

static enum tacit_err encode_once(void)
{
	struct tacit_envelope e = an_envelope();
	struct tacit_buf out = {0};
	enum tacit_err err = tacit_envelope_encode(&e, &out);
	tacit_buf_clear(&out);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(encode_once);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"there and back", there_and_back},
	        {"every cut is found", every_cut_is_found},
	        {"the form is checked", form_is_checked},
	        {"no recipient is malformed", no_recipient_is_malformed},
	        {"tags tell accounts apart", tags_tell_accounts_apart},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
