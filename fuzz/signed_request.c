/* The scanner is static, and the promise to be kept is about it: what it finds in the text is what
 * jansson has read. So its source is part of this program. */
#include "../core/wire/signed_request.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(struct tacit_bytes span, const json_t *want)
{
	json_t *got;
	if (tacit_json_parse(span, &got) != TACIT_OK || !json_equal(got, want))
		abort();
	if (is_space(span.p[0]) || is_space(span.p[span.n - 1]))
		abort();
	json_decref(got);
}

/* What is read where it stands is what the tree says. */
static void check_both_ways(struct tacit_bytes text, json_t *body)
{
	struct tacit_signed_request r, whole;
	enum tacit_err want = tacit_signed_request_read(text, body, &whole);
	if (tacit_signed_request_parse(text, &r) != want || r.timestamp != whole.timestamp ||
	        memcmp(&r.signature, &whole.signature, sizeof(r.signature)) != 0 ||
	        memcmp(r.digest, whole.digest, sizeof(r.digest)) != 0 ||
	        (want == TACIT_OK && !json_equal(r.data, whole.data)))
		abort();
	tacit_signed_request_clear(&r);
	tacit_signed_request_clear(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_bytes text = tacit_bytes(data, size);
	struct tacit_signed_request r;
	struct spans spans;
	json_t *body;
	if (tacit_json_parse(text, &body) != TACIT_OK) {
		if (tacit_signed_request_parse(text, &r) == TACIT_OK)
			abort();
		return 0;
	}
	if (json_is_object(body) && find_spans(text, &spans) == TACIT_OK) {
		check_span(spans.data, json_object_get(body, "data"));
		check_span(spans.timestamp, json_object_get(body, "timestamp"));
	}
	check_both_ways(text, body);
	json_decref(body);
	return 0;
}
