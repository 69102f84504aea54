#include "wire/envelope.h"

#include <assert.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define TAG_LABEL "tacit recipient v1"

static_assert(sizeof(TACIT_ENVELOPE_MAGIC) - 1 == 17, "TACIT_ENVELOPE_HEADER_BYTES counts it");
static_assert(sizeof(struct tacit_recipient) == TACIT_RECIPIENT_BYTES,
        "recipients are written and read as they stand in memory");
static_assert(TACIT_ENVELOPE_HEADER_BYTES + 2 + TACIT_MAX_RECIPIENTS * TACIT_RECIPIENT_BYTES + 4 +
                              32 + TACIT_MAX_CONTENT + 16 + TACIT_SIGNATURE_BYTES <=
                      TACIT_MAX_ENVELOPE,
        "the longest text reaches the largest group");

void tacit_envelope_tag(const struct tacit_sign_public *account,
        const struct tacit_device_id *device, uint8_t out[TACIT_RECIPIENT_TAG_BYTES])
{
	uint8_t in[sizeof(TAG_LABEL) - 1 + sizeof(account->b) + sizeof(device->b)];
	uint8_t digest[TACIT_SHA256_BYTES];
	uint8_t *p = in;
	memcpy(p, TAG_LABEL, sizeof(TAG_LABEL) - 1);
	p += sizeof(TAG_LABEL) - 1;
	memcpy(p, account->b, sizeof(account->b));
	memcpy(p + sizeof(account->b), device->b, sizeof(device->b));
	tacit_sha256(tacit_bytes(in, sizeof(in)), digest);
	memcpy(out, digest, TACIT_RECIPIENT_TAG_BYTES);
}

static uint8_t *put(uint8_t *at, const void *from, size_t n)
{
	memcpy(at, from, n);
	return at + n;
}

static uint8_t *put_u64(uint8_t *at, uint64_t x)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(x >> shift);
	return at;
}

void tacit_envelope_header(const struct tacit_envelope *e, uint8_t out[TACIT_ENVELOPE_HEADER_BYTES])
{
	uint8_t *p = put(out, TACIT_ENVELOPE_MAGIC, sizeof(TACIT_ENVELOPE_MAGIC) - 1);
	p = put_u64(p, e->conversation);
	p = put(p, e->sender.b, sizeof(e->sender.b));
	p = put(p, e->device.b, sizeof(e->device.b));
	p = put_u64(p, e->order);
	p = put(p, e->previous, sizeof(e->previous));
	TACIT_ASSERT(p == out + TACIT_ENVELOPE_HEADER_BYTES);
}

static int compare(const uint8_t *a, const uint8_t *b)
{
	for (size_t i = 0; i < TACIT_RECIPIENT_TAG_BYTES; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static bool ascending(struct tacit_bytes list)
{
	for (size_t at = TACIT_RECIPIENT_BYTES; at < list.n; at += TACIT_RECIPIENT_BYTES)
		if (compare(list.p + at - TACIT_RECIPIENT_BYTES, list.p + at) >= 0)
			return false;
	return list.n > 0;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static bool well_formed(const struct tacit_envelope *e, struct tacit_bytes recipients)
{
	return e->conversation <= TACIT_MAX_INTEGER && e->order > 0 &&
	       e->order <= TACIT_MAX_INTEGER && ascending(recipients) &&
	       (e->order > 1 || is_zero(e->previous, sizeof(e->previous)));
}

enum tacit_err tacit_envelope_encode(const struct tacit_envelope *e, struct tacit_buf *out)
{
	if (e->recipient_count > TACIT_MAX_RECIPIENTS || e->ciphertext.n > TACIT_MAX_ENVELOPE)
		return TACIT_E_TOO_LARGE;
	struct tacit_bytes recipients =
	        tacit_bytes(e->recipients, e->recipient_count * TACIT_RECIPIENT_BYTES);
	if (!well_formed(e, recipients))
		return TACIT_E_USAGE;
	size_t n = TACIT_ENVELOPE_HEADER_BYTES + 2 + recipients.n + 4 + e->ciphertext.n;
	if (n + sizeof(e->signature.b) > TACIT_MAX_ENVELOPE)
		return TACIT_E_TOO_LARGE;
	enum tacit_err err = tacit_buf_reserve(out, n + sizeof(e->signature.b));
	if (err != TACIT_OK)
		return err;
	uint8_t header[TACIT_ENVELOPE_HEADER_BYTES];
	tacit_envelope_header(e, header);
	struct tacit_writer w = tacit_writer(out);
	tacit_write_raw(&w, tacit_bytes(header, sizeof(header)));
	tacit_write_u16(&w, (uint16_t)e->recipient_count);
	tacit_write_raw(&w, recipients);
	tacit_write_vec32(&w, e->ciphertext);
	return tacit_writer_finish(&w);
}

static void read_magic(struct tacit_reader *r)
{
	struct tacit_bytes magic = TACIT_STR(TACIT_ENVELOPE_MAGIC);
	struct tacit_bytes got = tacit_read_view(r, magic.n);
	if (r->err != TACIT_OK || tacit_bytes_eq(got, magic))
		return;
	got.n = magic.n = magic.n - 1; /* all but the version's digit */
	tacit_reader_fail(r, tacit_bytes_eq(got, magic) ? TACIT_E_UNSUPPORTED : TACIT_E_MALFORMED);
}

enum tacit_err tacit_envelope_decode(struct tacit_bytes in, struct tacit_envelope *out)
{
	*out = (struct tacit_envelope){0};
	if (in.n > TACIT_MAX_ENVELOPE)
		return TACIT_E_TOO_LARGE;
	struct tacit_envelope e = {0};
	struct tacit_reader r = tacit_reader(in);
	read_magic(&r);
	e.conversation = tacit_read_u64(&r);
	tacit_read_into(&r, e.sender.b, sizeof(e.sender.b));
	tacit_read_into(&r, e.device.b, sizeof(e.device.b));
	e.order = tacit_read_u64(&r);
	tacit_read_into(&r, e.previous, sizeof(e.previous));
	e.recipient_count = tacit_read_u16(&r);
	if (e.recipient_count > TACIT_MAX_RECIPIENTS)
		tacit_reader_fail(&r, TACIT_E_TOO_LARGE);
	e.recipient_bytes = tacit_read_view(&r, e.recipient_count * TACIT_RECIPIENT_BYTES);
	e.ciphertext = tacit_read_vec32(&r, TACIT_MAX_ENVELOPE);
	e.signed_part = tacit_bytes_part(in, 0, in.n - r.rest.n);
	tacit_read_into(&r, e.signature.b, sizeof(e.signature.b));
	enum tacit_err err = tacit_reader_end(&r);
	if (err == TACIT_OK && !well_formed(&e, e.recipient_bytes))
		err = TACIT_E_MALFORMED;
	if (err == TACIT_OK)
		*out = e;
	return err;
}

void tacit_envelope_recipient(const struct tacit_envelope *e, size_t i, struct tacit_recipient *out)
{
	TACIT_ASSERT(i < e->recipient_count);
	memcpy(out, e->recipient_bytes.p + i * TACIT_RECIPIENT_BYTES, sizeof(*out));
}

bool tacit_envelope_find(const struct tacit_envelope *e,
        const uint8_t tag[TACIT_RECIPIENT_TAG_BYTES], struct tacit_recipient *out)
{
	size_t from = 0;
	size_t to = e->recipient_count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int c = compare(e->recipient_bytes.p + middle * TACIT_RECIPIENT_BYTES, tag);
		if (c == 0) {
			tacit_envelope_recipient(e, middle, out);
			return true;
		}
		if (c < 0)
			from = middle + 1;
		else
			to = middle;
	}
	*out = (struct tacit_recipient){0};
	return false;
}
