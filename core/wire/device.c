#include "wire/device.h"

#include <assert.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define LABEL "tacit device v2"
#define VERSION 1

struct certified {
	uint8_t b[1 + sizeof(LABEL) - 1 + 1 + TACIT_DEVICE_ID_BYTES + 1 + TACIT_SIGN_PUBLIC_BYTES +
	          8];
	size_t n;
};

static_assert(TACIT_DEVICE_BYTES == 121, "docs/protocol.md gives the layout of a device");

static void add(struct certified *c, struct tacit_bytes part)
{
	c->b[c->n++] = (uint8_t)part.n;
	memcpy(c->b + c->n, part.p, part.n);
	c->n += part.n;
}

/* What the account key signs: each field behind its length, the time in eight bytes. */
static struct certified certified_part(const struct tacit_device *d)
{
	struct certified c = {.n = 0};
	add(&c, TACIT_STR(LABEL));
	add(&c, tacit_bytes(d->id.b, sizeof(d->id.b)));
	add(&c, tacit_bytes(d->signature_key.b, sizeof(d->signature_key.b)));
	for (int shift = 56; shift >= 0; shift -= 8)
		c.b[c.n++] = (uint8_t)((uint64_t)d->created_at >> shift);
	TACIT_ASSERT(c.n == sizeof(c.b));
	return c;
}

void tacit_device_certify(struct tacit_device *d, const struct tacit_sign_sk *account_sk)
{
	struct certified c = certified_part(d);
	tacit_sign(account_sk, tacit_bytes(c.b, c.n), &d->certificate);
}

enum tacit_err tacit_device_check(
        const struct tacit_device *d, const struct tacit_sign_public *account)
{
	struct certified c = certified_part(d);
	enum tacit_err err = tacit_sign_verify(account, tacit_bytes(c.b, c.n), &d->certificate);
	return err == TACIT_E_BAD_SIGNATURE ? TACIT_E_BAD_CERTIFICATE : err;
}

enum tacit_err tacit_device_encode(const struct tacit_device *d, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	if (d->created_at < 0 || d->created_at > TACIT_MAX_INTEGER)
		tacit_writer_fail(&w, TACIT_E_USAGE);
	tacit_write_u8(&w, VERSION);
	tacit_write_raw(&w, tacit_bytes(d->id.b, sizeof(d->id.b)));
	tacit_write_raw(&w, tacit_bytes(d->signature_key.b, sizeof(d->signature_key.b)));
	tacit_write_u64(&w, (uint64_t)d->created_at);
	tacit_write_raw(&w, tacit_bytes(d->certificate.b, sizeof(d->certificate.b)));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_device_decode(struct tacit_bytes in, struct tacit_device *out)
{
	*out = (struct tacit_device){0};
	struct tacit_device d;
	struct tacit_reader r = tacit_reader(in);
	if (tacit_read_u8(&r) != VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	tacit_read_into(&r, d.id.b, sizeof(d.id.b));
	tacit_read_into(&r, d.signature_key.b, sizeof(d.signature_key.b));
	uint64_t created_at = tacit_read_u64(&r);
	if (created_at > TACIT_MAX_INTEGER)
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	d.created_at = (int64_t)created_at;
	tacit_read_into(&r, d.certificate.b, sizeof(d.certificate.b));
	enum tacit_err err = tacit_reader_end(&r);
	if (err == TACIT_OK)
		*out = d;
	return err;
}
