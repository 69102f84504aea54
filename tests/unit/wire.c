#include <string.h>

#include "crypto/secret.h"
#include "support/tap.h"
#include "wire/content.h"
#include "wire/device.h"
#include "wire/file_header.h"
#include "wire/names.h"
#include "wire/pem.h"

/* RFC 8410 10.1 */
#define RFC_PEM                                                                                    \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"                           \
	"-----END PUBLIC KEY-----\n"
static const uint8_t rfc_key[] = {0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba,
        0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50, 0x86, 0xaa, 0x30, 0xb6, 0xb6, 0xcb, 0x0c, 0x5c,
        0x38, 0xad, 0x70, 0x31, 0x66, 0xe1};

static void usernames(void)
{
	CHECK(tacit_username_valid(TACIT_STR("alice")));
	CHECK(tacit_username_valid(TACIT_STR("A.b_c-9")));
	CHECK(tacit_username_valid(TACIT_STR("abcdefghijklmnopqrstuvwx")));
	CHECK(!tacit_username_valid(TACIT_STR("abcdefghijklmnopqrstuvwxy")));
	CHECK(!tacit_username_valid(TACIT_STR("")));
	CHECK(!tacit_username_valid(TACIT_STR("..")));
	CHECK(!tacit_username_valid(TACIT_STR("a b")));
	CHECK(!tacit_username_valid(TACIT_STR("a/b")));
	CHECK(!tacit_username_valid(TACIT_STR("a\0b")));
	CHECK(!tacit_username_valid(TACIT_STR("m\xc3\xbcller")));
	uint8_t lower[24];
	CHECK_INT(tacit_username_lower(TACIT_STR("AlicE-Z.9"), lower), 9);
	CHECK_BYTES(tacit_bytes(lower, 9), TACIT_STR("alice-z.9"));
}

static void emails(void)
{
	CHECK(tacit_email_valid(TACIT_STR("alice@example.org")));
	CHECK(tacit_email_valid(TACIT_STR("a.b+c@localhost")));
	static const char *const bad[] = {"", "alice", "@example.org", "alice@", "a@b@c", "a b@c.d",
	        "a@b..c", ".a@b.c", "a.@b.c", "a@.b", "a@b.", "a@-b.c", "a@b_c", "<a@b.c>",
	        "a\n@b.c", "\xc3\xbc@b.c"};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		tap_check(!tacit_email_valid(tacit_cstr(bad[i])), bad[i], __FILE__, __LINE__);
	char text[300];
	memset(text, 'a', sizeof(text));
	text[10] = '@';
	CHECK(tacit_email_valid(tacit_bytes(text, 254)));
	CHECK(!tacit_email_valid(tacit_bytes(text, 255)));
}

static void conversation_names(void)
{
	char umlauts[402];
	for (size_t i = 0; i < sizeof(umlauts); i++)
		umlauts[i] = i % 2 ? '\xbc' : '\xc3';
	CHECK(tacit_conversation_name_valid(tacit_bytes(umlauts, 400)));
	CHECK(!tacit_conversation_name_valid(tacit_bytes(umlauts, 402)));
	CHECK(!tacit_conversation_name_valid(tacit_bytes(umlauts, 3)));
	CHECK(!tacit_conversation_name_valid(TACIT_STR("")));
	CHECK(!tacit_conversation_name_valid(TACIT_STR("a\x1b[2J")));
	CHECK(!tacit_conversation_name_valid(TACIT_STR("a\xe2\x80\xae"
	                                               "b")));
}

static void password_says(const char *password, const char *sentence)
{
	const char *got = tacit_password_problem(tacit_cstr(password));
	CHECK_BYTES(tacit_cstr(got), tacit_cstr(sentence));
}

static void passwords(void)
{
	password_says("secret-7", NULL);
	password_says("\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
	              "1!",
	        NULL);
	password_says("short-7", "Password must be at least 8 characters long");
	password_says("12345678-", "Password must contain at least one letter");
	password_says("abcdefgh-", "Password must contain at least one digit");
	password_says("abcdefg7", "Password must contain at least one special character");
	password_says("abcdefg7~", "Password must contain at least one special character");
	password_says("abcdef7-\xff", "Password must be valid UTF-8 text");
	CHECK(tacit_password_problem(TACIT_STR("")) != NULL);
	static const char specials[] = "!@#$%^&*()_+-=[]{}|;:,.<>?";
	for (size_t i = 0; i + 1 < sizeof(specials); i++) {
		char text[] = "abcdefg7x";
		text[8] = specials[i];
		password_says(text, NULL);
	}
}

static void safe_is(const char *name, const char *want)
{
	char out[256];
	tacit_file_name_safe(tacit_cstr(name), out);
	CHECK_BYTES(tacit_cstr(out), tacit_cstr(want));
}

static void file_names(void)
{
	safe_is("photo.jpg", "photo.jpg");
	safe_is("../../etc/passwd", "passwd");
	safe_is("C:\\Windows\\evil.exe", "evil.exe");
	safe_is("..", "__");
	safe_is("", "file");
	safe_is("dir/", "file");
	safe_is(".bashrc", "_bashrc");
	safe_is("-rf", "_rf");
	safe_is("a\x1b[2Jb\n", "a_[2Jb_");
	safe_is("ann\xe2\x80\xaegpj.exe", "ann_gpj.exe");
	safe_is("bad\xff\xc3", "bad__");
	safe_is("NUL.txt", "_UL.txt");
	safe_is("com1", "_om1");
	safe_is("common", "common");
	safe_is("name. .", "name___");
	safe_is("gr\xc3\xbc\xc3\x9f.txt", "gr\xc3\xbc\xc3\x9f.txt");
	char longest[402];
	char out[256];
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '\xbc' : '\xc3';
	tacit_file_name_safe(tacit_bytes(longest, sizeof(longest)), out);
	CHECK_INT(strlen(out), 254);
}

static enum tacit_err read_pem(const char *pem, struct tacit_sign_public *pk)
{
	return tacit_pem_read_public(tacit_cstr(pem), pk);
}

static void pem_round_trip(void)
{
	struct tacit_sign_public pk;
	struct tacit_buf out = {0};
	CHECK_OK(read_pem(RFC_PEM, &pk));
	CHECK_BYTES(tacit_bytes(pk.b, 32), tacit_bytes(rfc_key, 32));
	CHECK_OK(tacit_pem_write_public(&pk, &out));
	CHECK_BYTES(tacit_buf_view(&out), TACIT_STR(RFC_PEM));
	tacit_buf_clear(&out);
	CHECK_OK(read_pem(
	        " \r\n-----BEGIN PUBLIC KEY-----\r\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7\r\n"
	        "\tlshQhqowtrbLDFw4rXAxZuE=\r\n-----END PUBLIC KEY-----",
	        &pk));
	CHECK_BYTES(tacit_bytes(pk.b, 32), tacit_bytes(rfc_key, 32));
	CHECK_OK(read_pem("-----BEGIN PUBLIC KEY-----"
	                  "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
	                  "-----END PUBLIC KEY-----",
	        &pk));
}

static void pem_refuses_the_rest(void)
{
	struct tacit_sign_public pk;
	CHECK_ERR(read_pem("", &pk), TACIT_E_MALFORMED);
	CHECK_ERR(read_pem("x" RFC_PEM, &pk), TACIT_E_MALFORMED);
	CHECK_ERR(read_pem(RFC_PEM RFC_PEM, &pk), TACIT_E_MALFORMED);
	CHECK_ERR(read_pem("-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----", &pk),
	        TACIT_E_MALFORMED);
	/* another label; X25519; a byte too few; an RSA key of 512 bits */
	CHECK_ERR(read_pem("-----BEGIN PRIVATE KEY-----\n"
	                   "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
	                   "-----END PRIVATE KEY-----",
	                  &pk),
	        TACIT_E_MALFORMED);
	CHECK_ERR(read_pem("-----BEGIN PUBLIC KEY-----\n"
	                   "MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
	                   "-----END PUBLIC KEY-----",
	                  &pk),
	        TACIT_E_UNSUPPORTED);
	CHECK_ERR(read_pem("-----BEGIN PUBLIC KEY-----\n"
	                   "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZg==\n"
	                   "-----END PUBLIC KEY-----",
	                  &pk),
	        TACIT_E_UNSUPPORTED);
	CHECK_ERR(read_pem("-----BEGIN PUBLIC KEY-----\n"
	                   "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALaLBV/bIeMmFPrjf5WIqsGVhy4BnFSV\n"
	                   "7ZQ/sl6qRlGmFU0n1GvfMb3Bnmw+ZuDq4p5vs8fHYQGbTdjGkRzlfwkCAwEAAQ==\n"
	                   "-----END PUBLIC KEY-----",
	                  &pk),
	        TACIT_E_UNSUPPORTED);
	static char big[4096];
	memset(big, ' ', sizeof(big) - 1);
	CHECK_ERR(read_pem(big, &pk), TACIT_E_TOO_LARGE);
}

static void device_certificates(void)
{
	static const uint8_t seed[TACIT_SIGN_SEED_BYTES] = {9};
	struct tacit_sign_sk sk;
	struct tacit_sign_public pk;
	struct tacit_device d = {
	        .created_at = 1700000000, .id = {{1, 2}}, .signature_key = {{3, 4}}};
	struct tacit_device back;
	struct tacit_buf out = {0};
	tacit_sign_keypair(seed, &sk, &pk);
	tacit_device_certify(&d, &sk);
	CHECK_OK(tacit_device_encode(&d, &out));
	CHECK_INT(out.n, TACIT_DEVICE_BYTES);
	CHECK_OK(tacit_device_decode(tacit_buf_view(&out), &back));
	CHECK_OK(tacit_device_check(&back, &pk));
	CHECK_INT(back.created_at, 1700000000);
	for (size_t i = 1; i < out.n; i++) { /* the version's byte has its own word below */
		out.p[i] ^= 0x10;
		if (tacit_device_decode(tacit_buf_view(&out), &back) == TACIT_OK)
			CHECK_ERR(tacit_device_check(&back, &pk), TACIT_E_BAD_CERTIFICATE);
		out.p[i] ^= 0x10;
	}
	CHECK_ERR(tacit_device_decode(tacit_bytes(out.p, out.n - 1), &back), TACIT_E_TRUNCATED);
	CHECK_OK(tacit_buf_append(&out, TACIT_STR("x")));
	CHECK_ERR(tacit_device_decode(tacit_buf_view(&out), &back), TACIT_E_TRAILING);
	out.p[0] = 2;
	CHECK_ERR(tacit_device_decode(tacit_buf_view(&out), &back), TACIT_E_UNSUPPORTED);
	d.created_at = -1;
	CHECK_ERR(tacit_device_encode(&d, &out), TACIT_E_USAGE);
	tacit_buf_clear(&out);
	tacit_sign_sk_wipe(&sk);
}

static struct tacit_content file_content(void)
{
	return (struct tacit_content){.kind = TACIT_CONTENT_FILE,
	        .sent_at = 1700000000,
	        .text = TACIT_STR("look"),
	        .file = {.id = TACIT_STR("abc_-9"),
	                .name = TACIT_STR("gr\xc3\xbc\xc3\x9f.txt"),
	                .type = TACIT_STR("text/plain"),
	                .size = 1234567,
	                .key = {1, 2, 3},
	                .sealed_digest = {4, 5, 6}}};
}

static void contents_round_trip(void)
{
	struct tacit_buf out = {0};
	struct tacit_content c = file_content();
	struct tacit_content back;
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_INT(out.n, TACIT_CONTENT_LEAST);
	CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.kind, TACIT_CONTENT_FILE);
	CHECK_INT(back.sent_at, 1700000000);
	CHECK_BYTES(back.text, c.text);
	CHECK_BYTES(back.file.id, c.file.id);
	CHECK_BYTES(back.file.name, c.file.name);
	CHECK_BYTES(back.file.type, c.file.type);
	CHECK_INT(back.file.size, 1234567);
	CHECK_BYTES(tacit_bytes(back.file.key, 32), tacit_bytes(c.file.key, 32));
	CHECK_BYTES(
	        tacit_bytes(back.file.sealed_digest, 32), tacit_bytes(c.file.sealed_digest, 32));
	tacit_content_wipe(&back);
	CHECK_INT(back.file.key[0] | back.file.key[1] | back.file.key[2], 0);
	tacit_buf_clear(&out);
}

static void contents_between_clients_round_trip(void)
{
	struct tacit_buf inner = {0}, out = {0};
	struct tacit_content back,
	        c = {.kind = TACIT_CONTENT_TITLE, .text = TACIT_STR("our plans")};
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_INT(out.n, TACIT_CONTENT_LEAST);
	CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.kind, TACIT_CONTENT_TITLE);
	CHECK_BYTES(back.text, c.text);
	c.text = TACIT_STR("");
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c = (struct tacit_content){.kind = TACIT_CONTENT_UNOPENED, .message = 77, .epoch = 5};
	memset(c.fingerprint, 9, sizeof(c.fingerprint));
	out.n = 0;
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.message, 77);
	CHECK_INT(back.epoch, 5);
	CHECK_BYTES(tacit_bytes(back.fingerprint, 32), tacit_bytes(c.fingerprint, 32));
	c.message = 0;
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	struct tacit_content file = file_content();
	CHECK_OK(tacit_content_encode(&file, &inner));
	c = (struct tacit_content){
	        .kind = TACIT_CONTENT_AGAIN, .message = 78, .inner = tacit_buf_view(&inner)};
	out.n = 0;
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.message, 78);
	CHECK_BYTES(back.inner, tacit_buf_view(&inner));
	for (size_t i = 0; i < out.n; i++)
		CHECK(tacit_content_decode(tacit_bytes(out.p, i), &back) != TACIT_OK);
	c.text = TACIT_STR("no text here");
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c = (struct tacit_content){.kind = TACIT_CONTENT_AGAIN,
	        .message = 1,
	        .inner = tacit_bytes(inner.p, TACIT_MAX_CONTENT)};
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_TOO_LARGE);
	tacit_buf_clear(&inner);
	tacit_buf_clear(&out);
}

static void replies_round_trip(void)
{
	struct tacit_buf out = {0};
	struct tacit_content back, c = file_content();
	c.reply_to = 41;
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_INT(out.n, TACIT_CONTENT_LEAST);
	CHECK_INT(out.p[4], 2); /* version */
	CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.reply_to, 41);
	CHECK_BYTES(back.file.name, c.file.name);
	out.n = 0;
	c = (struct tacit_content){.kind = TACIT_CONTENT_TEXT, .text = TACIT_STR("yes")};
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_INT(out.p[4], 1); /* older clients read it */
	out.n = 0;
	c.reply_to = TACIT_MAX_INTEGER;
	CHECK_OK(tacit_content_encode(&c, &out));
	CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.reply_to, TACIT_MAX_INTEGER);
	memset(out.p + 21, 0, 8); /* a reply to nothing has another form */
	CHECK_ERR(tacit_content_decode(tacit_buf_view(&out), &back), TACIT_E_MALFORMED);
	c.reply_to = TACIT_MAX_INTEGER + 1ULL;
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c = (struct tacit_content){
	        .kind = TACIT_CONTENT_TITLE, .text = TACIT_STR("x"), .reply_to = 1};
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	tacit_buf_clear(&out);
}

static void what_is_said_of_others_round_trips(void)
{
	struct tacit_buf out = {0};
	struct tacit_content back;
	const struct tacit_content good[] = {
	        {.kind = TACIT_CONTENT_REACTION,
	                .message = 7,
	                .text = TACIT_STR("\xf0\x9f\x91\x8d")},
	        {.kind = TACIT_CONTENT_REACTION, .message = 7},
	        {.kind = TACIT_CONTENT_EDIT, .message = 8, .text = TACIT_STR("two\nlines")},
	        {.kind = TACIT_CONTENT_DELETE, .message = 9, .sent_at = 5},
	};
	for (size_t i = 0; i < TACIT_COUNT(good); i++) {
		out.n = 0;
		CHECK_OK(tacit_content_encode(&good[i], &out));
		CHECK_INT(out.n, TACIT_CONTENT_LEAST);
		CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
		CHECK_INT(back.kind, good[i].kind);
		CHECK_INT(back.message, good[i].message);
		CHECK_BYTES(back.text, good[i].text);
		CHECK(tacit_content_is_change(&back) && !tacit_content_is_shown(&back));
		out.p[4] = 1; /* version */
		CHECK_ERR(tacit_content_decode(tacit_buf_view(&out), &back), TACIT_E_MALFORMED);
		out.p[4] = 2;
		for (size_t n = 0; n < out.n; n++)
			CHECK(tacit_content_decode(tacit_bytes(out.p, n), &back) != TACIT_OK);
	}
	const struct tacit_content bad[] = {
	        {.kind = TACIT_CONTENT_REACTION, .text = TACIT_STR("+")},
	        {.kind = TACIT_CONTENT_REACTION, .message = 7, .text = TACIT_STR("a b")},
	        {.kind = TACIT_CONTENT_REACTION, .message = 7, .text = TACIT_STR("a\n")},
	        {.kind = TACIT_CONTENT_REACTION,
	                .message = 7,
	                .text = TACIT_STR("123456789012345678901234567890123")},
	        {.kind = TACIT_CONTENT_EDIT, .message = 8},
	        {.kind = TACIT_CONTENT_EDIT, .message = 8, .text = TACIT_STR("\xff")},
	        {.kind = TACIT_CONTENT_EDIT, .text = TACIT_STR("x")},
	        {.kind = TACIT_CONTENT_DELETE, .message = 9, .text = TACIT_STR("x")},
	        {.kind = TACIT_CONTENT_DELETE, .message = TACIT_MAX_INTEGER + 1ULL},
	};
	for (size_t i = 0; i < TACIT_COUNT(bad); i++)
		CHECK_ERR(tacit_content_encode(&bad[i], &out), TACIT_E_USAGE);
	tacit_buf_clear(&out);
}

static void contents_are_padded(void)
{
	static char text[TACIT_MAX_TEXT + 1];
	memset(text, 'x', sizeof(text));
	struct tacit_content back;
	size_t lengths = 0;
	size_t last = 0;
	for (size_t n = 0; n <= TACIT_MAX_TEXT; n += n < 2000 ? 1 : 97) {
		struct tacit_buf out = {0};
		struct tacit_content c = {.kind = TACIT_CONTENT_TEXT, .text = tacit_bytes(text, n)};
		CHECK_OK(tacit_content_encode(&c, &out));
		CHECK(out.n <= TACIT_CONTENT_LEAST || out.n * 100 <= (n + 18) * 112);
		CHECK_OK(tacit_content_decode(tacit_buf_view(&out), &back));
		CHECK_INT(back.text.n, n);
		lengths += out.n != last;
		last = out.n;
		tacit_buf_clear(&out);
	}
	CHECK(lengths < 140); /* of 65536 lengths, few remain to be told apart */
	struct tacit_buf out = {0};
	struct tacit_content c = {
	        .kind = TACIT_CONTENT_TEXT, .text = tacit_bytes(text, sizeof(text))};
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_TOO_LARGE);
	CHECK_INT(out.n, 0);
}

static void contents_are_checked(void)
{
	struct tacit_buf out = {0};
	struct tacit_content back;
	struct tacit_content c = file_content();
	CHECK_OK(tacit_content_encode(&c, &out));
	struct tacit_bytes all = tacit_buf_view(&out);
	CHECK_ERR(tacit_content_decode(tacit_bytes(all.p, 3), &back), TACIT_E_TRUNCATED);
	CHECK_ERR(tacit_content_decode(tacit_bytes(all.p, all.n - 1), &back), TACIT_E_MALFORMED);
	out.p[out.n - 1] = 1; /* padding */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_MALFORMED);
	out.p[out.n - 1] = 0;
	out.p[3] += 1; /* length of the body */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_TRAILING);
	out.p[3] -= 2;
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_TRUNCATED);
	out.p[3] += 1;
	out.p[5] = 9; /* kind */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_UNSUPPORTED);
	out.p[5] = 2;
	out.p[4] = 3; /* version */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_UNSUPPORTED);
	out.p[4] = 2; /* of a reply, which this is not */
	CHECK(tacit_content_decode(all, &back) != TACIT_OK);
	out.p[4] = 1;
	out.p[18] = 0xff; /* first byte of the text */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_MALFORMED);
	out.p[18] = 0; /* no program could be shown it as JSON */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_MALFORMED);
	out.p[18] = 'l';
	out.p[23] = '/'; /* first byte of the file's id */
	CHECK_ERR(tacit_content_decode(all, &back), TACIT_E_MALFORMED);
	out.p[23] = 'a';
	CHECK_OK(tacit_content_decode(all, &back));
	tacit_buf_clear(&out);

	c.file.id = TACIT_STR("../logout");
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c = file_content();
	c.text = TACIT_STR("\xff");
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c.text = tacit_bytes("a\0b", 3);
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c = file_content();
	c.file.name = tacit_bytes("a\0b", 3);
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	c.kind = (enum tacit_content_kind)9;
	CHECK_ERR(tacit_content_encode(&c, &out), TACIT_E_USAGE);
	tacit_buf_clear(&out);
}

static void file_headers(void)
{
	struct tacit_buf out = {0};
	struct tacit_file_header h = {
	        .version = TACIT_FILE_V2, .chunk_bytes = TACIT_FILE_CHUNK_BYTES, .salt = {1, 2, 3}};
	struct tacit_file_header back;
	CHECK_OK(tacit_file_header_encode(&h, &out));
	CHECK_INT(out.n, TACIT_FILE_HEADER_BYTES);
	CHECK_OK(tacit_file_header_decode(tacit_buf_view(&out), &back));
	CHECK_INT(back.version, TACIT_FILE_V2);
	CHECK_INT(back.chunk_bytes, TACIT_FILE_CHUNK_BYTES);
	CHECK_BYTES(tacit_bytes(back.salt, 16), tacit_bytes(h.salt, 16));
	struct {
		size_t at;
		uint8_t value;
		enum tacit_err want;
	} changes[] = {{0, 'T', TACIT_E_MALFORMED}, {6, 0, TACIT_E_UNSUPPORTED},
	        {6, 3, TACIT_E_UNSUPPORTED}, {6, 1, TACIT_OK}, {7, 11, TACIT_E_UNSUPPORTED},
	        {7, 23, TACIT_E_UNSUPPORTED}, {24, 1, TACIT_E_MALFORMED},
	        {31, 1, TACIT_E_MALFORMED}, {7, 12, TACIT_OK}, {7, 22, TACIT_OK}};
	for (size_t i = 0; i < TACIT_COUNT(changes); i++) {
		uint8_t kept = out.p[changes[i].at];
		out.p[changes[i].at] = changes[i].value;
		CHECK_ERR(tacit_file_header_decode(tacit_buf_view(&out), &back), changes[i].want);
		out.p[changes[i].at] = kept;
	}
	CHECK_ERR(tacit_file_header_decode(tacit_bytes(out.p, 31), &back), TACIT_E_TRUNCATED);
	CHECK_OK(tacit_buf_append(&out, TACIT_STR("x")));
	CHECK_ERR(tacit_file_header_decode(tacit_buf_view(&out), &back), TACIT_E_TRAILING);
	h.chunk_bytes = 5000;
	CHECK_ERR(tacit_file_header_encode(&h, &out), TACIT_E_USAGE);
	h.chunk_bytes = 4096;
	h.version = (enum tacit_file_version)3;
	CHECK_ERR(tacit_file_header_encode(&h, &out), TACIT_E_USAGE);
	tacit_buf_clear(&out);
}

static enum tacit_err encode_and_decode(void)
{
	enum tacit_err err;
	struct tacit_buf out = {0};
	struct tacit_content c = file_content();
	struct tacit_content back;
	struct tacit_device d = {.created_at = 1};
	struct tacit_file_header h = {.version = TACIT_FILE_V1, .chunk_bytes = 4096};
	struct tacit_sign_public pk;
	TRY(tacit_content_encode(&c, &out));
	TRY(tacit_content_decode(tacit_buf_view(&out), &back));
	TRY(tacit_device_encode(&d, &out));
	TRY(tacit_file_header_encode(&h, &out));
	TRY(read_pem(RFC_PEM, &pk));
	TRY(tacit_pem_write_public(&pk, &out));
out:
	tacit_buf_clear(&out);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(encode_and_decode);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"usernames", usernames},
	        {"email addresses", emails},
	        {"conversation names", conversation_names},
	        {"passwords", passwords},
	        {"file names", file_names},
	        {"PEM there and back", pem_round_trip},
	        {"PEM refuses the rest", pem_refuses_the_rest},
	        {"device certificates", device_certificates},
	        {"contents there and back", contents_round_trip},
	        {"contents are padded", contents_are_padded},
	        {"contents between clients round trip", contents_between_clients_round_trip},
	        {"replies round trip", replies_round_trip},
	        {"what is said of others round trips", what_is_said_of_others_round_trips},
	        {"contents are checked", contents_are_checked},
	        {"file headers", file_headers},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
