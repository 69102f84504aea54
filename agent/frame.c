#include "agent/frame.h"

#include "base/reader.h"
#include "base/writer.h"
#include "wire/limits.h"

enum tacit_err frame_write(enum frame_type type, const struct frame *f, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	switch (type) {
	case FRAME_FILE:
		if (f->name.n > TACIT_MAX_FILE_NAME || f->content_type.n > TACIT_MAX_MIME_TYPE)
			return TACIT_E_TOO_LARGE;
		tacit_write_raw(&w, tacit_bytes(f->id, sizeof(f->id)));
		tacit_write_u64(&w, f->size);
		tacit_write_raw(&w, tacit_bytes(f->sha256, sizeof(f->sha256)));
		tacit_write_vec8(&w, f->name);
		tacit_write_vec8(&w, f->content_type);
		break;
	case FRAME_AT:
		tacit_write_u64(&w, f->offset);
		break;
	case FRAME_HAVE:
	case FRAME_REFUSE:
		tacit_write_raw(&w, tacit_bytes(f->id, sizeof(f->id)));
		break;
	case FRAME_END:
	case FRAME_BYE:
		break;
	default:
		return TACIT_E_USAGE;
	}
	return tacit_writer_finish(&w);
}

static void read_file(struct tacit_reader *r, struct frame *out)
{
	tacit_read_into(r, out->id, sizeof(out->id));
	out->size = tacit_read_u64(r);
	tacit_read_into(r, out->sha256, sizeof(out->sha256));
	out->name = tacit_read_vec8(r, TACIT_MAX_FILE_NAME);
	out->content_type = tacit_read_vec8(r, TACIT_MAX_MIME_TYPE);
	if (out->size > TACIT_MAX_INTEGER)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
}

enum tacit_err frame_read(uint8_t type, struct tacit_bytes body, struct frame *out)
{
	struct tacit_reader r = tacit_reader(body);
	*out = (struct frame){0};
	switch (type) {
	case FRAME_FILE:
		read_file(&r, out);
		break;
	case FRAME_DATA:
		out->data = tacit_read_view(&r, body.n);
		break;
	case FRAME_AT:
		out->offset = tacit_read_u64(&r);
		break;
	case FRAME_HAVE:
	case FRAME_REFUSE:
		tacit_read_into(&r, out->id, sizeof(out->id));
		break;
	case FRAME_END:
	case FRAME_BYE:
		break;
	default:
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	}
	enum tacit_err err = tacit_reader_end(&r);
	if (err != TACIT_OK)
		*out = (struct frame){0};
	return err;
}
