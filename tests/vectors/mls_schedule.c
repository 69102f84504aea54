/* mls_schedule.c - key-schedule.json, psk_secret.json, transcript-hashes.json. */
#include <string.h>

#include "e2e/mls/framing.h"
#include "e2e/mls/key_schedule.h"
#include "e2e/mls/psk.h"
#include "e2e/mls/transcript.h"
#include "vectors/mls.h"

struct schedule {
	const struct tacit_mls_suite *suite;
	struct tacit_bytes group_id;
	uint8_t init[TACIT_MLS_HASH_MAX_BYTES];
};

static enum tacit_err write_context(
        const struct schedule *s, uint64_t epoch, const json_t *v, struct tacit_buf *out)
{
	struct tacit_mls_group_context c = {.suite = s->suite->id,
	        .group_id = s->group_id,
	        .epoch = epoch,
	        .tree_hash = hex_member(v, "tree_hash"),
	        .confirmed_transcript_hash = hex_member(v, "confirmed_transcript_hash")};
	struct tacit_writer w = tacit_writer(out);
	tacit_mls_group_context_write(&w, &c);
	return tacit_writer_finish(&w);
}

static const char *check_secrets(
        const struct schedule *s, const json_t *v, const struct tacit_mls_epoch_secrets *e)
{
	const struct {
		const char *name;
		const uint8_t *secret;
	} table[] = {
	        {"init_secret", e->init},
	        {"sender_data_secret", e->sender_data},
	        {"encryption_secret", e->encryption},
	        {"exporter_secret", e->exporter},
	        {"epoch_authenticator", e->authenticator},
	        {"external_secret", e->external},
	        {"confirmation_key", e->confirmation},
	        {"membership_key", e->membership},
	        {"resumption_psk", e->resumption},
	};
	for (size_t i = 0; i < TACIT_COUNT(table); i++)
		if (!is_member(v, table[i].name, table[i].secret, s->suite->hash_bytes))
			return table[i].name;
	return NULL;
}

static const char *check_exports(
        const struct schedule *s, const json_t *v, const struct tacit_mls_epoch_secrets *e)
{
	uint8_t sk[TACIT_MLS_KEM_SK_MAX_BYTES], pk[TACIT_MLS_KEM_PUBLIC_MAX_BYTES], out[256];
	const json_t *x = json_object_get(v, "exporter");
	size_t n = number_member(x, "length");
	if (tacit_mls_external_keypair(s->suite, e, sk, pk) != TACIT_OK ||
	        !is_member(v, "external_pub", pk, s->suite->kem_public_bytes))
		return "external_pub";
	bool ok = n <= sizeof(out) &&
	          tacit_mls_exporter(s->suite, e->exporter, text_member(x, "label"),
	                  hex_member(x, "context"), (struct tacit_room){out, n}) == TACIT_OK &&
	          is_member(x, "secret", out, n);
	return ok ? NULL : "exporter";
}

static const char *check_epoch(struct schedule *s, uint64_t epoch, const json_t *v)
{
	const char *wrong = NULL;
	struct tacit_buf context = {0};
	struct tacit_mls_epoch_secrets e;
	uint8_t joiner[TACIT_MLS_HASH_MAX_BYTES], welcome[TACIT_MLS_HASH_MAX_BYTES];
	size_t nh = s->suite->hash_bytes;
	struct tacit_bytes psk = hex_member(v, "psk_secret");
	if (write_context(s, epoch, v, &context) != TACIT_OK ||
	        !is_member(v, "group_context", context.p, context.n))
		wrong = "group_context";
	else if (tacit_mls_joiner_secret(s->suite, s->init, hex_member(v, "commit_secret").p,
	                 tacit_buf_view(&context), joiner) != TACIT_OK ||
	         !is_member(v, "joiner_secret", joiner, nh))
		wrong = "joiner_secret";
	else if (tacit_mls_welcome_secret(s->suite, joiner, psk.p, welcome) != TACIT_OK ||
	         !is_member(v, "welcome_secret", welcome, nh))
		wrong = "welcome_secret";
	else if (tacit_mls_epoch_begin(s->suite, joiner, psk.p, tacit_buf_view(&context), &e) !=
	         TACIT_OK)
		wrong = "epoch_begin";
	if (wrong == NULL)
		wrong = check_secrets(s, v, &e);
	if (wrong == NULL)
		wrong = check_exports(s, v, &e);
	if (wrong == NULL)
		memcpy(s->init, e.init, sizeof(s->init));
	tacit_buf_clear(&context);
	return wrong;
}

static const char *check_schedule(const json_t *entry, const struct tacit_mls_suite *suite)
{
	size_t i;
	const json_t *each;
	struct schedule s = {.suite = suite, .group_id = hex_member(entry, "group_id")};
	struct tacit_bytes init = hex_member(entry, "initial_init_secret");
	if (init.n != suite->hash_bytes)
		return "the length of initial_init_secret";
	memcpy(s.init, init.p, init.n);
	MLS_EACH(entry, "epochs", i, each)
	{
		const char *wrong = check_epoch(&s, i, each);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

const struct mls_vectors mls_key_schedule = {{"initial_init_secret", "epochs"}, check_schedule};

static const char *check_psk(const json_t *entry, const struct tacit_mls_suite *suite)
{
	size_t i;
	const json_t *each;
	struct tacit_mls_psk_fold fold;
	size_t count = json_array_size(json_object_get(entry, "psks"));
	if (tacit_mls_psk_fold_begin(&fold, suite, count) != TACIT_OK)
		return "fold_begin";
	MLS_EACH(entry, "psks", i, each)
	{
		struct tacit_mls_psk_id id = {.type = TACIT_MLS_PSK_EXTERNAL,
		        .id = hex_member(each, "psk_id"),
		        .nonce = hex_member(each, "psk_nonce")};
		if (tacit_mls_psk_fold_step(&fold, &id, hex_member(each, "psk")) != TACIT_OK)
			return "fold_step";
	}
	return is_member(entry, "psk_secret", fold.secret, suite->hash_bytes) ? NULL : "psk_secret";
}

const struct mls_vectors mls_psk_secret = {{"psks", "psk_secret"}, check_psk};

static const char *check_transcript(const json_t *entry, const struct tacit_mls_suite *suite)
{
	struct tacit_buf input = {0};
	struct tacit_mls_authenticated a;
	uint8_t confirmed[TACIT_MLS_HASH_MAX_BYTES], interim[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t tag[TACIT_MLS_HASH_MAX_BYTES];
	size_t nh = suite->hash_bytes;
	struct tacit_reader r = tacit_reader(hex_member(entry, "authenticated_content"));
	tacit_mls_read_authenticated(&r, &a);
	if (tacit_reader_end(&r) != TACIT_OK || a.framed.content_type != TACIT_MLS_CONTENT_COMMIT)
		return "authenticated_content";
	struct tacit_writer w = tacit_writer(&input);
	tacit_mls_write_confirmed_input(&w, &a);
	bool ok =
	        tacit_writer_finish(&w) == TACIT_OK &&
	        tacit_mls_confirmed_hash(suite, hex_member(entry, "interim_transcript_hash_before"),
	                tacit_buf_view(&input), confirmed) == TACIT_OK;
	tacit_buf_clear(&input);
	if (!ok || !is_member(entry, "confirmed_transcript_hash_after", confirmed, nh))
		return "confirmed_transcript_hash_after";
	if (tacit_mls_interim_hash(
	            suite, tacit_bytes(confirmed, nh), a.confirmation_tag, interim) != TACIT_OK ||
	        !is_member(entry, "interim_transcript_hash_after", interim, nh))
		return "interim_transcript_hash_after";
	tacit_mls_mac(
	        suite, hex_member(entry, "confirmation_key").p, tacit_bytes(confirmed, nh), tag);
	return tacit_bytes_eq(a.confirmation_tag, tacit_bytes(tag, nh)) ? NULL : "confirmation_tag";
}

const struct mls_vectors mls_transcript = {
        {"authenticated_content", "interim_transcript_hash_before"}, check_transcript};
