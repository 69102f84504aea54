/* mls_messages.c - deserialization.json, messages.json, welcome.json. */
#include <string.h>

#include "e2e/mls/commit.h"
#include "e2e/mls/message.h"
#include "e2e/mls/tree.h"
#include "vectors/mls.h"

static const char *check_length(const json_t *entry, const struct tacit_mls_suite *suite)
{
	(void)suite;
	struct tacit_buf out = {0};
	struct tacit_bytes header = hex_member(entry, "vlbytes_header");
	struct tacit_reader r = tacit_reader(header);
	uint32_t n = tacit_mls_read_length(&r);
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_length(&w, n);
	bool ok = tacit_reader_end(&r) == TACIT_OK && n == number_member(entry, "length") &&
	          tacit_writer_finish(&w) == TACIT_OK &&
	          tacit_bytes_eq(header, tacit_buf_view(&out));
	tacit_buf_clear(&out);
	return ok ? NULL : "length";
}

const struct mls_vectors mls_deserialization = {{"vlbytes_header", "length"}, check_length};

static bool message_round(struct tacit_bytes encoded, uint16_t format, uint8_t content)
{
	struct tacit_mls_message m;
	struct tacit_mls_address to = {0};
	struct tacit_buf out = {0};
	bool ok = tacit_mls_message_decode(encoded, &m) == TACIT_OK && m.wire_format == format &&
	          tacit_mls_message_encode(&m, &out) == TACIT_OK &&
	          tacit_bytes_eq(encoded, tacit_buf_view(&out));
	if (ok && content != 0)
		ok = tacit_mls_message_address(&m, &to) && to.content_type == content;
	tacit_buf_clear(&out);
	return ok;
}

/* The vectors leave out the type in front. */
static bool proposal_round(struct tacit_bytes body, uint16_t type)
{
	struct tacit_buf in = {0};
	struct tacit_buf out = {0};
	struct tacit_mls_proposal p;
	struct tacit_writer w = tacit_writer(&in);
	tacit_write_u16(&w, type);
	tacit_write_raw(&w, body);
	bool ok = tacit_writer_finish(&w) == TACIT_OK &&
	          tacit_mls_proposal_decode(tacit_buf_view(&in), &p) == TACIT_OK;
	w = tacit_writer(&out);
	if (ok)
		tacit_mls_write_proposal(&w, &p);
	ok = ok && tacit_writer_finish(&w) == TACIT_OK &&
	     tacit_bytes_eq(tacit_buf_view(&in), tacit_buf_view(&out));
	tacit_buf_clear(&in);
	tacit_buf_clear(&out);
	return ok;
}

static bool commit_round(struct tacit_bytes encoded)
{
	struct tacit_buf list = {0};
	struct tacit_buf out = {0};
	struct tacit_mls_commit c;
	struct tacit_mls_proposal_or_ref p;
	bool ok = tacit_mls_commit_decode(encoded, &c) == TACIT_OK;
	struct tacit_writer w = tacit_writer(&list);
	struct tacit_reader it = tacit_reader(c.proposals);
	while (ok && tacit_mls_commit_next(&it, &p))
		tacit_mls_write_proposal_or_ref(&w, &p);
	ok = ok && tacit_writer_finish(&w) == TACIT_OK;
	w = tacit_writer(&out);
	tacit_mls_write_commit(
	        &w, tacit_buf_view(&list), c.has_path ? c.path.encoded : tacit_bytes(NULL, 0));
	ok = ok && tacit_writer_finish(&w) == TACIT_OK &&
	     tacit_bytes_eq(encoded, tacit_buf_view(&out));
	tacit_buf_clear(&list);
	tacit_buf_clear(&out);
	return ok;
}

static bool secrets_round(struct tacit_bytes encoded)
{
	struct tacit_buf out = {0};
	struct tacit_mls_group_secrets x;
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_group_secrets(&r, &x);
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_group_secrets(&w, &x);
	bool ok = tacit_reader_end(&r) == TACIT_OK && tacit_writer_finish(&w) == TACIT_OK &&
	          tacit_bytes_eq(encoded, tacit_buf_view(&out));
	tacit_buf_clear(&out);
	return ok;
}

static bool tree_round(struct tacit_bytes encoded)
{
	struct tacit_buf out = {0};
	struct tacit_mls_tree *t = NULL;
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_X25519_AES128_ED25519);
	bool ok = tacit_mls_tree_decode(s, encoded, &t) == TACIT_OK &&
	          tacit_mls_tree_encode(t, &out) == TACIT_OK &&
	          tacit_bytes_eq(encoded, tacit_buf_view(&out));
	tacit_mls_tree_free(t);
	tacit_buf_clear(&out);
	return ok;
}

static const char *check_messages(const json_t *entry, const struct tacit_mls_suite *suite)
{
	static const struct {
		const char *name;
		uint16_t format;
		uint8_t content;
	} messages[] = {
	        {"mls_welcome", TACIT_MLS_WELCOME, 0},
	        {"mls_group_info", TACIT_MLS_GROUP_INFO, 0},
	        {"mls_key_package", TACIT_MLS_KEY_PACKAGE, 0},
	        {"public_message_application", TACIT_MLS_PUBLIC_MESSAGE,
	                TACIT_MLS_CONTENT_APPLICATION},
	        {"public_message_proposal", TACIT_MLS_PUBLIC_MESSAGE, TACIT_MLS_CONTENT_PROPOSAL},
	        {"public_message_commit", TACIT_MLS_PUBLIC_MESSAGE, TACIT_MLS_CONTENT_COMMIT},
	        {"private_message", TACIT_MLS_PRIVATE_MESSAGE, 0},
	};
	static const struct {
		const char *name;
		uint16_t type;
	} proposals[] = {
	        {"add_proposal", TACIT_MLS_ADD},
	        {"update_proposal", TACIT_MLS_UPDATE},
	        {"remove_proposal", TACIT_MLS_REMOVE},
	        {"pre_shared_key_proposal", TACIT_MLS_PSK},
	        {"re_init_proposal", TACIT_MLS_REINIT},
	        {"external_init_proposal", TACIT_MLS_EXTERNAL_INIT},
	        {"group_context_extensions_proposal", TACIT_MLS_CONTEXT_EXTENSIONS},
	};
	(void)suite;
	for (size_t i = 0; i < TACIT_COUNT(messages); i++)
		if (!message_round(hex_member(entry, messages[i].name), messages[i].format,
		            messages[i].content))
			return messages[i].name;
	for (size_t i = 0; i < TACIT_COUNT(proposals); i++)
		if (!proposal_round(hex_member(entry, proposals[i].name), proposals[i].type))
			return proposals[i].name;
	if (!commit_round(hex_member(entry, "commit")))
		return "commit";
	if (!secrets_round(hex_member(entry, "group_secrets")))
		return "group_secrets";
	return tree_round(hex_member(entry, "ratchet_tree")) ? NULL : "ratchet_tree";
}

const struct mls_vectors mls_messages = {
        {"mls_welcome", "mls_group_info", "mls_key_package"}, check_messages};

static const char *check_info(const json_t *entry, const struct tacit_mls_suite *s,
        const struct tacit_mls_group_secrets *secrets, struct tacit_bytes encoded)
{
	const uint8_t zero[TACIT_MLS_HASH_MAX_BYTES] = {0};
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_mls_group_info info;
	struct tacit_mls_epoch_secrets e;
	if (tacit_mls_group_info_decode(encoded, &info) != TACIT_OK)
		return "the GroupInfo";
	if (tacit_mls_group_info_verify(s, &info, hex_member(entry, "signer_pub")) != TACIT_OK)
		return "the GroupInfo's signature";
	if (tacit_mls_epoch_begin(s, secrets->joiner_secret.p, zero, info.encoded_context, &e) !=
	        TACIT_OK)
		return "epoch_begin";
	tacit_mls_mac(s, e.confirmation, info.context.confirmed_transcript_hash, tag);
	return tacit_bytes_eq(info.confirmation_tag, tacit_bytes(tag, s->hash_bytes))
	               ? NULL
	               : "confirmation_tag";
}

static const char *check_welcome(const json_t *entry, const struct tacit_mls_suite *s)
{
	const char *wrong = NULL;
	const uint8_t zero[TACIT_MLS_HASH_MAX_BYTES] = {0};
	uint8_t ref[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES];
	struct tacit_mls_message m, kp;
	struct tacit_mls_encrypted_secrets x;
	struct tacit_mls_group_secrets secrets;
	struct tacit_buf plain = {0};
	struct tacit_buf info = {0};
	if (tacit_mls_message_decode(hex_member(entry, "welcome"), &m) != TACIT_OK ||
	        tacit_mls_message_decode(hex_member(entry, "key_package"), &kp) != TACIT_OK)
		return "decoding";
	if (tacit_mls_key_package_ref(s, kp.key_package.encoded, ref) != TACIT_OK ||
	        tacit_mls_welcome_find(&m.welcome, tacit_bytes(ref, s->hash_bytes), &x) != TACIT_OK)
		return "no entry for the key package";
	if (!private_key_member(entry, "init_priv", sk, s->kem_sk_bytes) ||
	        tacit_mls_welcome_open_secrets(s, &m.welcome, &x, sk, &plain) != TACIT_OK)
		wrong = "the group secrets";
	struct tacit_reader r = tacit_reader(tacit_buf_view(&plain));
	tacit_mls_read_group_secrets(&r, &secrets);
	if (wrong == NULL && tacit_reader_end(&r) != TACIT_OK)
		wrong = "the group secrets' form";
	if (wrong == NULL && tacit_mls_welcome_open_info(s, &m.welcome, secrets.joiner_secret.p,
	                             zero, &info) != TACIT_OK)
		wrong = "the sealed GroupInfo";
	if (wrong == NULL)
		wrong = check_info(entry, s, &secrets, tacit_buf_view(&info));
	tacit_buf_clear(&plain);
	tacit_buf_clear(&info);
	return wrong;
}

const struct mls_vectors mls_welcome = {
        {"init_priv", "signer_pub", "key_package", "welcome"}, check_welcome};
