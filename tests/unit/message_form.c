/* One form in the store for messages of both channels: what came in goes out. */
#include <string.h>

#include "base/alloc.h"
#include "server/api/message_form.h"
#include "support/tap.h"
#include "wire/limits.h"

static const struct tacit_bytes none = {NULL, 0};

struct packed {
	struct tacit_buf content, extra;
};

static void clear(struct packed *p)
{
	tacit_buf_clear(&p->content);
	tacit_buf_clear(&p->extra);
}

static struct store_message a_message(const struct packed *p)
{
	return (struct store_message){.id = 7,
	        .conversation_id = 3,
	        .user_id = 2,
	        .username = "anna",
	        .created_at = 951782400,
	        .content = tacit_buf_view(&p->content),
	        .extra = tacit_buf_view(&p->extra),
	        .client_id = TACIT_STR("c")};
}

static void check_json(void (*write)(struct api_json *w, const struct store_message *m),
        const struct packed *p, const char *want)
{
	struct tacit_buf out = {0};
	const struct store_message m = a_message(p);
	struct api_json w = {&out, tacit_buf_append(&out, TACIT_STR("["))};
	write(&w, &m);
	CHECK_OK(w.err);
	CHECK_BYTES(tacit_bytes_part(tacit_buf_view(&out), 1, SIZE_MAX), tacit_cstr(want));
	tacit_buf_clear(&out);
}

static void base64_is_content(void)
{
	struct packed p = {0};
	const struct api_message_form form = {TACIT_STR("c2VhbGVk"), none, none};
	CHECK_OK(api_message_pack(&form, &p.content, &p.extra));
	CHECK_BYTES(tacit_buf_view(&p.content), TACIT_STR("sealed"));
	CHECK_INT(p.extra.n, 0);
	check_json(api_message_live, &p,
	        "{\"id\":7,\"room_id\":3,\"user_id\":2,\"username\":\"anna\","
	        "\"encrypted_content\":\"c2VhbGVk\",\"iv\":null,\"message_hash\":null,"
	        "\"client_id\":\"c\",\"created_at\":\"2000-02-29T00:00:00Z\",\"expires_at\":null}");
	check_json(api_message_http, &p,
	        "{\"id\":7,\"conversation_id\":3,\"user_id\":2,\"username\":\"anna\","
	        "\"content\":\"c2VhbGVk\",\"iv\":null,\"message_hash\":null,"
	        "\"client_id\":\"c\",\"created_at\":\"2000-02-29T00:00:00Z\",\"expires_at\":null}");
	clear(&p);
}

static void other_text_is_itself(void)
{
	struct packed p = {0};
	const struct api_message_form form = {TACIT_STR("[1,2]"), TACIT_STR(""), TACIT_STR("\"h")};
	CHECK_OK(api_message_pack(&form, &p.content, &p.extra));
	CHECK_BYTES(tacit_buf_view(&p.content), TACIT_STR("[1,2]"));
	check_json(api_message_live, &p,
	        "{\"id\":7,\"room_id\":3,\"user_id\":2,\"username\":\"anna\","
	        "\"encrypted_content\":\"[1,2]\",\"iv\":\"\",\"message_hash\":\"\\\"h\","
	        "\"client_id\":\"c\",\"created_at\":\"2000-02-29T00:00:00Z\",\"expires_at\":null}");
	check_json(api_message_http, &p,
	        "{\"id\":7,\"conversation_id\":3,\"user_id\":2,\"username\":\"anna\","
	        "\"content\":\"WzEsMl0=\",\"encrypted_content\":\"[1,2]\",\"iv\":\"\","
	        "\"message_hash\":\"\\\"h\",\"client_id\":\"c\","
	        "\"created_at\":\"2000-02-29T00:00:00Z\",\"expires_at\":null}");
	clear(&p);
}

/* Only what decoding and encoding would give back unchanged is kept as bytes. */
static void nearly_base64_is_text(void)
{
	static const char *const texts[] = {
	        "", "c2VhbGV", "aGVsbG9=", "_-_-", "aGVs\nbG8=", "aGVsbG8=\n", "====", "a==="};
	for (size_t i = 0; i < TACIT_COUNT(texts); i++) {
		struct packed p = {0};
		struct api_message_extra x;
		const struct api_message_form form = {
		        tacit_bytes(texts[i], strlen(texts[i])), none, none};
		CHECK_OK(api_message_pack(&form, &p.content, &p.extra));
		CHECK_BYTES(tacit_buf_view(&p.content), form.encrypted_content);
		CHECK_OK(api_message_unpack(tacit_buf_view(&p.extra), &x));
		CHECK(x.text && x.iv.p == NULL && x.message_hash.p == NULL);
		clear(&p);
	}
}

static void lengths_are_bounded(void)
{
	static char long_text[TACIT_MAX_ENVELOPE + 1];
	memset(long_text, '!', sizeof(long_text));
	struct packed p = {0};
	struct api_message_form form = {tacit_bytes(long_text, sizeof(long_text)), none, none};
	CHECK_ERR(api_message_pack(&form, &p.content, &p.extra), TACIT_E_TOO_LARGE);
	clear(&p);
	form.encrypted_content.n--;
	CHECK_OK(api_message_pack(&form, &p.content, &p.extra));
	clear(&p);
	form = (struct api_message_form){
	        TACIT_STR("x"), none, tacit_bytes(long_text, API_MAX_IV + 1)};
	CHECK_ERR(api_message_pack(&form, &p.content, &p.extra), TACIT_E_TOO_LARGE);
	clear(&p);
	form.message_hash.n--;
	form.iv = form.message_hash;
	CHECK_OK(api_message_pack(&form, &p.content, &p.extra));
	clear(&p);
}

static void a_broken_extra_is_refused(void)
{
	static const struct tacit_bytes broken[] = {
	        {(const uint8_t *)"\x08", 1},            /* an unknown flag */
	        {(const uint8_t *)"\x02", 1},            /* no length */
	        {(const uint8_t *)"\x02\x00", 2},        /* half a length */
	        {(const uint8_t *)"\x02\x00\x02x", 4},   /* a field that is cut */
	        {(const uint8_t *)"\x01x", 2},           /* something behind */
	        {(const uint8_t *)"\x06\x00\x01x", 4},   /* the second is missing */
	        {(const uint8_t *)"\x04\x00\x01xy", 5}}; /* too long by one */
	struct api_message_extra x;
	for (size_t i = 0; i < TACIT_COUNT(broken); i++)
		CHECK_ERR(api_message_unpack(broken[i], &x), TACIT_E_STORE_CORRUPT);
	CHECK_OK(api_message_unpack(none, &x));
	CHECK(!x.text);
}

static const struct tap_case cases[] = {
        {"base64 is content", base64_is_content},
        {"other text is itself", other_text_is_itself},
        {"nearly base64 is text", nearly_base64_is_text},
        {"lengths are bounded", lengths_are_bounded},
        {"a broken extra is refused", a_broken_extra_is_refused},
};

int main(int argc, char **argv)
{
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
