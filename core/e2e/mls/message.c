#include "e2e/mls/message.h"

#include "e2e/mls/limits.h"

enum tacit_err tacit_mls_message_decode(struct tacit_bytes encoded, struct tacit_mls_message *out)
{
	struct tacit_reader r = tacit_reader(encoded);
	*out = (struct tacit_mls_message){0};
	if (encoded.n > TACIT_MLS_MESSAGE_MAX_BYTES)
		return TACIT_E_TOO_LARGE;
	if (tacit_read_u16(&r) != TACIT_MLS_VERSION_10)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	out->wire_format = tacit_read_u16(&r);
	out->body = r.rest;
	switch (out->wire_format) {
	case TACIT_MLS_PUBLIC_MESSAGE:
		tacit_mls_read_public_message(&r, &out->public_message);
		break;
	case TACIT_MLS_PRIVATE_MESSAGE:
		tacit_mls_read_private_message(&r, &out->private_message);
		break;
	case TACIT_MLS_WELCOME:
		tacit_mls_read_welcome(&r, &out->welcome);
		break;
	case TACIT_MLS_GROUP_INFO:
		tacit_mls_read_group_info(&r, &out->group_info);
		break;
	case TACIT_MLS_KEY_PACKAGE:
		tacit_mls_read_key_package(&r, &out->key_package);
		if (r.err == TACIT_OK && out->key_package.version != TACIT_MLS_VERSION_10)
			tacit_reader_fail(&r, TACIT_E_UNSUPPORTED); /* 10: that of the message */
		break;
	default:
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	}
	return tacit_reader_end(&r);
}

void tacit_mls_write_message_header(struct tacit_writer *w, uint16_t wire_format)
{
	tacit_write_u16(w, TACIT_MLS_VERSION_10);
	tacit_write_u16(w, wire_format);
}

enum tacit_err tacit_mls_message_encode(const struct tacit_mls_message *m, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_write_message_header(&w, m->wire_format);
	switch (m->wire_format) {
	case TACIT_MLS_PUBLIC_MESSAGE:
		tacit_mls_write_public_message(&w, &m->public_message);
		break;
	case TACIT_MLS_PRIVATE_MESSAGE:
		tacit_mls_write_private_message(&w, &m->private_message);
		break;
	case TACIT_MLS_WELCOME:
		tacit_mls_write_welcome(&w, &m->welcome);
		break;
	case TACIT_MLS_GROUP_INFO:
		tacit_mls_write_group_info(&w, &m->group_info);
		break;
	case TACIT_MLS_KEY_PACKAGE:
		tacit_write_raw(&w, m->key_package.encoded);
		break;
	default:
		tacit_writer_fail(&w, TACIT_E_USAGE);
	}
	return tacit_writer_finish(&w);
}

bool tacit_mls_message_address(const struct tacit_mls_message *m, struct tacit_mls_address *out)
{
	const struct tacit_mls_framed_content *c = &m->public_message.content.framed;
	const struct tacit_mls_private_message *p = &m->private_message;
	if (m->wire_format == TACIT_MLS_PUBLIC_MESSAGE)
		*out = (struct tacit_mls_address){c->group_id, c->epoch, c->content_type};
	else if (m->wire_format == TACIT_MLS_PRIVATE_MESSAGE)
		*out = (struct tacit_mls_address){p->group_id, p->epoch, p->content_type};
	else
		return false;
	return true;
}
