#include "wire/relay.h"

#include "base/reader.h"
#include "base/writer.h"

enum tacit_err tacit_relay_write(struct tacit_buf *out, const struct tacit_relay_message *m)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u8(&w, (uint8_t)m->type);
	switch (m->type) {
	case TACIT_RELAY_DATA:
		tacit_write_raw(&w, m->data);
		break;
	case TACIT_RELAY_NAMEPLATE:
		tacit_write_u32(&w, m->nameplate);
		break;
	case TACIT_RELAY_ENDED:
		tacit_write_u8(&w, (uint8_t)m->end);
		break;
	case TACIT_RELAY_KNOWN_AS:
		if (m->data.n != TACIT_RELAY_ID_BYTES || m->role > 1)
			tacit_writer_fail(&w, TACIT_E_USAGE);
		tacit_write_u8(&w, m->role);
		tacit_write_raw(&w, m->data);
		break;
	case TACIT_RELAY_PAIRED:
	case TACIT_RELAY_WRONG:
		break;
	}
	return tacit_writer_finish(&w);
}

static enum tacit_relay_end read_end(struct tacit_reader *r)
{
	uint8_t end = tacit_read_u8(r);
	if (r->err == TACIT_OK && (end < TACIT_RELAY_GONE || end > TACIT_RELAY_LEFT))
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	return (enum tacit_relay_end)end;
}

enum tacit_err tacit_relay_read(struct tacit_bytes in, struct tacit_relay_message *out)
{
	struct tacit_reader r = tacit_reader(in);
	*out = (struct tacit_relay_message){.type = (enum tacit_relay_type)tacit_read_u8(&r)};
	if (in.n > TACIT_RELAY_MAX_MESSAGE)
		return TACIT_E_TOO_LARGE;
	switch (out->type) {
	case TACIT_RELAY_DATA:
		out->data = tacit_read_view(&r, r.rest.n);
		break;
	case TACIT_RELAY_NAMEPLATE:
		out->nameplate = tacit_read_u32(&r);
		break;
	case TACIT_RELAY_ENDED:
		out->end = read_end(&r);
		break;
	case TACIT_RELAY_KNOWN_AS:
		out->role = tacit_read_u8(&r);
		out->data = tacit_read_view(&r, TACIT_RELAY_ID_BYTES);
		if (out->role > 1)
			tacit_reader_fail(&r, TACIT_E_MALFORMED);
		break;
	case TACIT_RELAY_PAIRED:
	case TACIT_RELAY_WRONG:
		break;
	default:
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	}
	return tacit_reader_end(&r);
}
