/* Any bytes, whole, in two cuts, and received in place, for either side: the same messages and the
 * same end. What was read is written and read again. */
#include "wire/ws.h"

#include <string.h>

#define MOST 4096

struct seen {
	struct tacit_buf
	        data; /* opcode, close code and bytes of each message, one after the other */
	enum tacit_err err;
};

static void note(struct seen *s, const struct tacit_ws_message *m)
{
	const uint8_t head[] = {(uint8_t)m->opcode, (uint8_t)(m->close_code >> 8),
	        (uint8_t)m->close_code, (uint8_t)(m->data.n >> 8), (uint8_t)m->data.n};
	TACIT_ASSERT(tacit_buf_append(&s->data, tacit_bytes(head, sizeof(head))) == TACIT_OK);
	TACIT_ASSERT(tacit_buf_append(&s->data, m->data) == TACIT_OK);
}

static void write_again(const struct tacit_ws_message *m, enum tacit_ws_role role)
{
	static const uint8_t mask[TACIT_WS_MASK_BYTES] = {1, 0xfe, 0x80, 7};
	struct tacit_buf b = {0};
	struct tacit_ws_message back;
	bool whole = false;
	struct tacit_ws_reader r = {.role = role, .max_message = MOST};
	if (m->opcode == TACIT_WS_CLOSE)
		return;
	TACIT_ASSERT(tacit_ws_write(&b, m->opcode, m->data,
	                     role == TACIT_WS_SERVER ? mask : NULL) == TACIT_OK);
	struct tacit_bytes in = tacit_buf_view(&b);
	TACIT_ASSERT(tacit_ws_next(&r, &in, &back, &whole) == TACIT_OK);
	TACIT_ASSERT(whole && in.n == 0 && back.opcode == m->opcode);
	TACIT_ASSERT(tacit_bytes_eq(back.data, m->data));
	tacit_buf_clear(&b);
	tacit_ws_reader_clear(&r);
}

static void read_part(struct tacit_ws_reader *r, struct tacit_bytes in, struct seen *s)
{
	while (in.n > 0 && s->err == TACIT_OK) {
		struct tacit_ws_message m;
		bool whole = false;
		s->err = tacit_ws_next(r, &in, &m, &whole);
		TACIT_ASSERT(r->message.n <= MOST);
		if (whole) {
			TACIT_ASSERT(m.data.n <= MOST);
			note(s, &m);
			write_again(&m, r->role);
		}
	}
	tacit_ws_reader_rest(r);
}

static struct seen read_cut(enum tacit_ws_role role, struct tacit_bytes in, size_t cut)
{
	struct seen s = {0};
	struct tacit_ws_reader r = {.role = role, .max_message = MOST};
	read_part(&r, tacit_bytes_part(in, 0, cut), &s);
	read_part(&r, tacit_bytes_part(in, cut, in.n), &s);
	TACIT_ASSERT((s.err == TACIT_OK) == (r.close_code == 0));
	tacit_ws_reader_clear(&r);
	return s;
}

/* As a relay does: what belongs to a payload goes where it belongs at once. */
static struct seen read_placed(enum tacit_ws_role role, struct tacit_bytes in, size_t step)
{
	struct seen s = {0};
	struct tacit_ws_reader r = {.role = role, .max_message = MOST, .front = 11};
	while (in.n > 0 && s.err == TACIT_OK) {
		size_t room, n = in.n < step ? in.n : step;
		uint8_t *place = tacit_ws_place(&r, &room);
		struct tacit_ws_message m;
		bool whole;
		struct tacit_bytes some = tacit_bytes_part(in, 0, n);
		if (room > 0) {
			n = n < room ? n : room;
			memcpy(place, in.p, n);
			tacit_ws_placed(&r, n);
			some.n = 0;
		}
		in = tacit_bytes_part(in, n, in.n);
		do {
			s.err = tacit_ws_next(&r, &some, &m, &whole);
			if (whole)
				note(&s, &m);
		} while (some.n > 0 && s.err == TACIT_OK);
	}
	tacit_ws_reader_clear(&r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	enum tacit_ws_role role = (data[0] & 1) != 0 ? TACIT_WS_CLIENT : TACIT_WS_SERVER;
	struct tacit_bytes in = tacit_bytes(data + 2, size - 2);
	struct seen whole = read_cut(role, in, in.n), cut = read_cut(role, in, data[1]);
	struct seen placed = read_placed(role, in, 1 + (data[1] & 63));
	TACIT_ASSERT(whole.err == cut.err && whole.err == placed.err);
	TACIT_ASSERT(tacit_bytes_eq(tacit_buf_view(&whole.data), tacit_buf_view(&placed.data)));
	TACIT_ASSERT(tacit_bytes_eq(tacit_buf_view(&whole.data), tacit_buf_view(&cut.data)));
	tacit_buf_clear(&whole.data);
	tacit_buf_clear(&cut.data);
	tacit_buf_clear(&placed.data);
	return 0;
}
