#include "e2e/parcel/ways.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

enum tacit_err tacit_parcel_ways_encode(const struct tacit_parcel_ways *w, struct tacit_buf *out)
{
	struct tacit_writer to = tacit_writer(out);
	if (w->count > TACIT_PARCEL_MAX_WAYS || (w->port == 0 && w->count > 0))
		return TACIT_E_USAGE;
	tacit_write_u16(&to, w->port);
	tacit_write_u8(&to, (uint8_t)w->count);
	for (size_t i = 0; i < w->count; i++)
		tacit_write_raw(&to, tacit_bytes(w->list[i].b, sizeof(w->list[i].b)));
	return tacit_writer_finish(&to);
}

enum tacit_err tacit_parcel_ways_decode(struct tacit_bytes in, struct tacit_parcel_ways *out)
{
	enum tacit_err err;
	struct tacit_reader r = tacit_reader(in);
	*out = (struct tacit_parcel_ways){0};
	out->port = tacit_read_u16(&r);
	out->count = tacit_read_u8(&r);
	TRY(out->count <= TACIT_PARCEL_MAX_WAYS ? TACIT_OK : TACIT_E_TOO_LARGE);
	for (size_t i = 0; i < out->count; i++)
		tacit_read_into(&r, out->list[i].b, sizeof(out->list[i].b));
	TRY(tacit_reader_end(&r));
	if (out->port != 0 ? out->port < TACIT_PARCEL_LEAST_PORT : out->count > 0)
		err = TACIT_E_MALFORMED;
out:
	if (err != TACIT_OK)
		*out = (struct tacit_parcel_ways){0};
	return err;
}

static bool may_v4(const uint8_t *b, enum tacit_parcel_reach reach)
{
	if (b[0] == 127)
		return reach == TACIT_PARCEL_SAME_MACHINE;
	return b[0] != 0 && b[0] < 224;
}

bool tacit_parcel_address_may(const struct tacit_parcel_address *a, enum tacit_parcel_reach reach)
{
	static const uint8_t nowhere[15];
	const uint8_t *b = a->b;
	if (memcmp(b, mapped, sizeof(mapped)) == 0)
		return may_v4(b + sizeof(mapped), reach);
	if (memcmp(b, nowhere, sizeof(nowhere)) == 0)
		return b[15] == 1 && reach == TACIT_PARCEL_SAME_MACHINE;
	if (memcmp(b, nowhere, sizeof(mapped)) == 0)
		return false; /* ::a.b.c.d, which is of the past (RFC 4291 2.5.5.1) */
	/* fe80::/10 means nothing without an interface; ff00::/8 is many. */
	return b[0] != 0xff && !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}
