#include <stdlib.h>
#include <string.h>

#include "server/api/message_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(struct tacit_bytes a, struct tacit_bytes b)
{
	return (a.p == NULL) == (b.p == NULL) && tacit_bytes_eq(a, b);
}

/* Whatever lies in a store is read or refused. */
static void unpack(struct tacit_bytes extra)
{
	struct api_message_extra x;
	if (api_message_unpack(extra, &x) != TACIT_OK)
		return;
	if (x.iv.n + x.message_hash.n > extra.n)
		abort();
}

/* What came in goes out: the string itself, or the base64 that it is. */
static void pack_and_unpack(const struct api_message_form *form)
{
	struct tacit_buf content = {0}, extra = {0}, out = {0};
	struct api_message_extra x;
	if (api_message_pack(form, &content, &extra) == TACIT_OK) {
		if (api_message_unpack(tacit_buf_view(&extra), &x) != TACIT_OK ||
		        !same(x.iv, form->iv) || !same(x.message_hash, form->message_hash))
			abort();
		struct api_json w = {&out, TACIT_OK};
		api_json_base64(&w, NULL, tacit_buf_view(&content));
		if (w.err != TACIT_OK)
			abort();
		struct tacit_bytes base64 = tacit_bytes(out.p + 1, out.n - 2); /* less the quotes */
		struct tacit_bytes back = x.text ? tacit_buf_view(&content) : base64;
		if (!tacit_bytes_eq(back, form->encrypted_content))
			abort();
	}
	tacit_buf_clear(&content);
	tacit_buf_clear(&extra);
	tacit_buf_clear(&out);
}

/* The first byte cuts the rest into the three strings. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unpack(tacit_bytes(data, size));
	if (size < 1)
		return 0;
	struct tacit_bytes all = tacit_bytes(data + 1, size - 1);
	size_t first = (size_t)(data[0] & 15) * 4;
	struct api_message_form form = {.encrypted_content = tacit_bytes_part(all, 0, first),
	        .iv = tacit_bytes_part(all, first, 16),
	        .message_hash = tacit_bytes_part(all, first + 16, SIZE_MAX)};
	if (data[0] & 16)
		form.iv = tacit_bytes(NULL, 0);
	if (data[0] & 32)
		form.message_hash = tacit_bytes(NULL, 0);
	pack_and_unpack(&form);
	return 0;
}
