#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "server/api/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum tacit_err err;
	struct tacit_buf file;
	int64_t conversation_id, message_id;
};

static enum tacit_err take(void *ctx, struct tacit_bytes bytes)
{
	return tacit_buf_append(ctx, bytes);
}

static struct outcome read_cut(struct tacit_bytes body, size_t step)
{
	struct outcome o = {0};
	static struct api_multipart m;
	const struct api_multipart_sink sink = {take, &o.file};
	if (api_multipart_init(&m, TACIT_STR("multipart/form-data; boundary=x")) != TACIT_OK)
		abort();
	for (size_t at = 0; at < body.n && o.err == TACIT_OK; at += step)
		o.err = api_multipart_feed(&m, tacit_bytes_part(body, at, step), &sink);
	if (o.err == TACIT_OK)
		o.err = api_multipart_end(&m, &o.conversation_id, &o.message_id);
	if (o.file.n > body.n)
		abort();
	return o;
}

/* The first byte says how the rest is cut; how must make no difference. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct tacit_bytes body = tacit_bytes(data + 1, size - 1);
	struct outcome whole = read_cut(body, body.n > 0 ? body.n : 1);
	struct outcome cut = read_cut(body, (size_t)(data[0] % 16) + 1);
	if ((whole.err == TACIT_OK) != (cut.err == TACIT_OK))
		abort();
	if (whole.err == TACIT_OK &&
	        (!tacit_bytes_eq(tacit_buf_view(&whole.file), tacit_buf_view(&cut.file)) ||
	                whole.conversation_id != cut.conversation_id ||
	                whole.message_id != cut.message_id))
		abort();
	tacit_buf_clear(&whole.file);
	tacit_buf_clear(&cut.file);
	return 0;
}
