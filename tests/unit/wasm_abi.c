/* What the browser's module reads and writes (wasm/abi.h), natively, under the sanitizers. */
#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "e2e/file_stream.h"
#include "support/tap.h"
#include "wasm/abi.h"
#include "wasm/codec.h"
#include "wasm/files.h"
#include "wasm/words.h"

static const struct tacit_file_ref file = {
        .id = {(const uint8_t *)"f1", 2},
        .name = {(const uint8_t *)"a.txt", 5},
        .type = {(const uint8_t *)"text/plain", 10},
        .size = 5,
        .key = {1, 2, 3},
        .sealed_digest = {4, 5, 6},
};

/* A SEND to two users with a file; token: NULL for a text. */
static enum tacit_err say_send(struct tacit_buf *out, const struct tacit_buf *token)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_vec8(&w, TACIT_STR("send"));
	const char *texts[] = {"ann", "", "t", "secret", "123456"};
	for (size_t i = 0; i < TACIT_COUNT(texts); i++)
		tacit_write_vec32(&w, tacit_cstr(texts[i]));
	for (uint64_t n = 7; n < 10; n++)
		tacit_write_u64(&w, n);
	tacit_write_u8(&w, 1);
	tacit_write_u32(&w, 2);
	tacit_write_vec32(&w, TACIT_STR("bob"));
	tacit_write_vec32(&w, TACIT_STR("carol"));
	tacit_write_u8(&w, 1);
	tacit_write_vec8(&w, token != NULL ? TACIT_STR("file") : TACIT_STR("text"));
	tacit_write_vec32(&w, TACIT_STR("hello"));
	tacit_write_u64(&w, 40);
	tacit_write_u64(&w, 0);
	if (token != NULL) {
		tacit_write_vec32(&w, file.id);
		tacit_write_vec32(&w, file.name);
		tacit_write_vec32(&w, file.type);
		tacit_write_u64(&w, file.size);
		tacit_write_vec32(&w, tacit_buf_view(token));
	}
	return tacit_writer_finish(&w);
}

static void commands_are_read(void)
{
	struct tacit_buf in = {0}, token = {0};
	struct tacit_said said;
	CHECK_OK(tacit_files_token(&file, &token));
	CHECK_OK(say_send(&in, &token));
	CHECK_OK(tacit_read_command(tacit_buf_view(&in), &said));
	CHECK_INT(said.command.kind, TACIT_CMD_SEND);
	CHECK_BYTES(said.command.username, TACIT_STR("ann"));
	CHECK_BYTES(said.command.password, TACIT_STR("secret"));
	CHECK_BYTES(said.command.code, TACIT_STR("123456"));
	CHECK_INT(said.command.conversation, 7);
	CHECK_INT(said.command.seconds, 9);
	CHECK(said.command.flag);
	CHECK_INT(said.command.user_count, 2);
	CHECK_BYTES(said.command.users[1], TACIT_STR("carol"));
	REQUIRE(said.command.content == &said.content);
	CHECK_INT(said.content.kind, TACIT_CONTENT_FILE);
	CHECK_INT(said.content.reply_to, 40);
	CHECK_BYTES(tacit_bytes(said.content.file.key, 32), tacit_bytes(file.key, 32));
	CHECK_BYTES(said.content.file.name, file.name);
	tacit_said_clear(&said);
	tacit_buf_clear(&in);
	tacit_buf_clear(&token);
	tacit_wasm_files_forget();
}

static void bad_commands_are_refused(void)
{
	struct tacit_buf in = {0}, wrong = {0};
	struct tacit_said said;
	CHECK_OK(say_send(&in, NULL));
	for (size_t n = 0; n < in.n; n++)
		CHECK(tacit_read_command(tacit_bytes(in.p, n), &said) != TACIT_OK);
	CHECK_OK(tacit_buf_append(&in, TACIT_STR("x")));
	CHECK_ERR(tacit_read_command(tacit_buf_view(&in), &said), TACIT_E_TRAILING);
	in.n--;
	in.p[1] = 'x'; /* "xend" */
	CHECK_ERR(tacit_read_command(tacit_buf_view(&in), &said), TACIT_E_USAGE);
	tacit_buf_clear(&in);
	CHECK_OK(tacit_buf_append(&wrong, TACIT_STR("AAAAAAAAAAAAAAAAAAAAAA")));
	CHECK_OK(say_send(&in, &wrong));
	CHECK_ERR(tacit_read_command(tacit_buf_view(&in), &said), TACIT_E_USAGE);
	CHECK_INT(said.content.kind, 0);
	tacit_buf_clear(&in);
	tacit_buf_clear(&wrong);
}

static void every_kind_has_a_word(void)
{
	enum tacit_command_kind command;
	for (int i = 0; i <= TACIT_EFFECT_COOKIE; i++)
		CHECK(tacit_word_of_effect((enum tacit_effect_kind)i) != NULL);
	for (int i = 0; i <= TACIT_NOTICE_REACTION; i++)
		CHECK(tacit_word_of_notice((enum tacit_notice_kind)i) != NULL);
	for (int i = TACIT_DIRECT; i <= TACIT_SESSION; i++)
		CHECK(tacit_word_of_conversation((enum tacit_conversation_kind)i) != NULL);
	for (int i = 0; i <= TACIT_DELETE; i++)
		CHECK(tacit_word_of_method((enum tacit_http_method)i) != NULL);
	CHECK(tacit_word_of_content(TACIT_CONTENT_DELETE) != NULL);
	CHECK(tacit_word_of_content(TACIT_CONTENT_TITLE) == NULL);
	CHECK(tacit_word_of_notice((enum tacit_notice_kind)1000) == NULL);
	CHECK(tacit_command_of_word(TACIT_STR("set_expiry"), &command));
	CHECK_INT(command, TACIT_CMD_SET_EXPIRY);
	CHECK(!tacit_command_of_word(TACIT_STR(""), &command));
}

/* Handles have 32 bits, so digests come from the core itself here. */
static struct tacit_file_digest *digest_for(enum tacit_file_version version)
{
	uint8_t header[TACIT_FILE_HEADER_BYTES] = "tacitF\2\20";
	struct tacit_file_digest *d = NULL;
	header[6] = (uint8_t)version;
	TACIT_ASSERT(tacit_file_digest_new(header, &d) == TACIT_OK);
	return d;
}

/* Two messages may name one key with two digests: who is told one shall not get the other. */
static void a_token_is_of_key_and_digest(void)
{
	struct tacit_buf first = {0}, second = {0}, again = {0};
	struct tacit_file_ref other = file, found = {0};
	other.sealed_digest[31] ^= 1;
	CHECK_OK(tacit_files_token(&file, &first));
	CHECK_OK(tacit_files_token(&other, &second));
	CHECK_OK(tacit_files_token(&file, &again));
	CHECK_BYTES(tacit_buf_view(&first), tacit_buf_view(&again));
	CHECK(!tacit_bytes_eq(tacit_buf_view(&first), tacit_buf_view(&second)));
	CHECK_OK(tacit_files_find(tacit_buf_view(&first), &found));
	CHECK_BYTES(tacit_bytes(found.sealed_digest, 32), tacit_bytes(file.sealed_digest, 32));
	CHECK_OK(tacit_files_find(tacit_buf_view(&second), &found));
	CHECK_BYTES(tacit_bytes(found.sealed_digest, 32), tacit_bytes(other.sealed_digest, 32));
	CHECK_ERR(tacit_wasm_file_header(first.p, first.n), TACIT_E_NOT_FOUND); /* not sent by us */
	struct tacit_file_digest *d = digest_for(TACIT_FILE_V2);
	CHECK_ERR(tacit_wasm_file_check(d, first.p, first.n), TACIT_E_BAD_SEAL);
	tacit_wasm_digest_free(d);
	tacit_wasm_files_forget();
	CHECK_ERR(tacit_files_find(tacit_buf_view(&first), &found), TACIT_E_NOT_FOUND);
	tacit_wasm_answer_wipe();
	tacit_buf_clear(&first);
	tacit_buf_clear(&second);
	tacit_buf_clear(&again);
}

static void files_are_kept_and_sealed(void)
{
	uint8_t room[64], kept[TACIT_WASM_FILE_KEPT_BYTES], digest[32];
	struct tacit_file_digest *d = digest_for(TACIT_FILE_V2);
	CHECK_OK(tacit_wasm_digest_peek(d));
	REQUIRE(tacit_wasm_answer_size() == sizeof(digest));
	memcpy(digest, tacit_wasm_answer(), sizeof(digest));
	CHECK_OK(tacit_wasm_file_new());
	size_t n = tacit_wasm_answer_size();
	REQUIRE(n > 0 && n + 32 <= sizeof(room));
	memset(room, 0, sizeof(room));
	memcpy(room, tacit_wasm_answer(), n);
	CHECK_ERR(tacit_wasm_file_check(d, room, n), TACIT_E_NOT_FOUND); /* not sealed yet */
	struct tacit_file_ref found;
	CHECK_ERR(tacit_files_find(tacit_bytes(room, n), &found), TACIT_E_USAGE);
	CHECK_OK(tacit_wasm_file_kept(room, n));
	REQUIRE(tacit_wasm_answer_size() == sizeof(kept));
	memcpy(kept, tacit_wasm_answer(), sizeof(kept));
	CHECK_INT(kept[32 + 6], TACIT_FILE_V2);
	CHECK_OK(tacit_wasm_file_sealed(d, room, n));
	CHECK_OK(tacit_wasm_file_check(d, room, n));
	CHECK_OK(tacit_wasm_digest_feed(d, digest, 32));
	CHECK_ERR(tacit_wasm_file_check(d, room, n), TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_wasm_digest_feed(d, digest, 31), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_wasm_digest_check(d, digest, 32), TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_wasm_digest_check(d, digest, 31), TACIT_E_MALFORMED);
	CHECK_OK(tacit_files_find(tacit_bytes(room, n), &found));
	CHECK_BYTES(tacit_bytes(found.key, 32), tacit_bytes(kept, 32));
	CHECK_BYTES(tacit_bytes(found.sealed_digest, 32), tacit_bytes(digest, 32));
	CHECK_ERR(tacit_wasm_file_sealed(d, room, n - 1), TACIT_E_NOT_FOUND);
	tacit_wasm_digest_free(d);
	CHECK_ERR(tacit_wasm_digest_new(room, 31), TACIT_E_MALFORMED);
	CHECK_ERR(tacit_wasm_digest_new(room, 32), TACIT_E_MALFORMED); /* no header */
	CHECK_ERR(tacit_wasm_file_stream(room, 3), TACIT_E_NOT_FOUND);
	CHECK_ERR(tacit_wasm_file_again(kept, sizeof(kept) - 1), TACIT_E_MALFORMED);
	kept[32] ^= 1; /* no header any more */
	CHECK(tacit_wasm_file_again(kept, sizeof(kept)) != TACIT_OK);
	tacit_wasm_files_forget();
	tacit_wasm_answer_wipe();
}

static void nonces_come_by_the_run(void)
{
	uint8_t nonce[TACIT_FILE_NONCE_BYTES];
	CHECK_OK(tacit_wasm_file_nonces(7, 9, 10));
	REQUIRE(tacit_wasm_answer_size() == 3 * sizeof(nonce));
	for (uint64_t i = 7; i < 10; i++) {
		CHECK_OK(tacit_file_chunk_nonce(
		        i, i == 9 ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE, nonce));
		CHECK_BYTES(
		        tacit_bytes(tacit_wasm_answer() + (i - 7) * sizeof(nonce), sizeof(nonce)),
		        tacit_bytes(nonce, sizeof(nonce)));
	}
	CHECK_OK(tacit_wasm_file_nonces(UINT32_MAX, 0, (uint64_t)UINT32_MAX + 1));
	CHECK_ERR(
	        tacit_wasm_file_nonces(UINT32_MAX, 0, (uint64_t)UINT32_MAX + 2), TACIT_E_EXHAUSTED);
	CHECK_OK(tacit_wasm_file_nonces(0, 0, TACIT_WASM_NONCES));
	CHECK_ERR(tacit_wasm_file_nonces(0, 0, TACIT_WASM_NONCES + 1), TACIT_E_USAGE);
	CHECK_ERR(tacit_wasm_file_nonces(5, 9, 5), TACIT_E_USAGE);
	tacit_wasm_answer_wipe();
}

static enum tacit_err tell_and_hear(void)
{
	enum tacit_err err;
	struct tacit_buf out = {0}, in = {0}, token = {0};
	struct tacit_said said = {0};
	struct tacit_effect list[] = {
	        {.kind = TACIT_EFFECT_PURGE, .position = 1, .until = 2},
	        {.kind = TACIT_EFFECT_RECALL, .request = 3},
	        {.kind = TACIT_EFFECT_DELIVER,
	                .notice = {.kind = TACIT_NOTICE_MESSAGE,
	                        .content = {.kind = TACIT_CONTENT_FILE, .file = file}}},
	};
	const struct tacit_effects fx = {list, TACIT_COUNT(list), TACIT_COUNT(list)};
	struct tacit_writer w = tacit_writer(&out);
	tacit_write_effects(&w, &fx);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_files_token(&file, &token));
	TRY(say_send(&in, &token));
	TRY(tacit_read_command(tacit_buf_view(&in), &said));
out:
	tacit_said_clear(&said);
	tacit_buf_clear(&out);
	tacit_buf_clear(&in);
	tacit_buf_clear(&token);
	tacit_wasm_files_forget();
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(tell_and_hear);
}

static void what_has_no_word_is_not_told(void)
{
	struct tacit_buf out = {0};
	struct tacit_notice n = {.kind = (enum tacit_notice_kind)1000};
	struct tacit_writer w = tacit_writer(&out);
	tacit_write_notice(&w, &n);
	CHECK_ERR(tacit_writer_finish(&w), TACIT_E_USAGE);
	CHECK_INT(out.n, 0);
	tacit_buf_clear(&out);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"commands are read", commands_are_read},
	        {"bad commands are refused", bad_commands_are_refused},
	        {"every kind has a word", every_kind_has_a_word},
	        {"a token is of key and digest", a_token_is_of_key_and_digest},
	        {"files are kept and sealed", files_are_kept_and_sealed},
	        {"nonces come by the run", nonces_come_by_the_run},
	        {"what has no word is not told", what_has_no_word_is_not_told},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
