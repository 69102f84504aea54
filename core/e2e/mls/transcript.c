#include "e2e/mls/transcript.h"

#include "e2e/mls/codec.h"

enum tacit_err tacit_mls_confirmed_hash(const struct tacit_mls_suite *s,
        struct tacit_bytes interim_before, struct tacit_bytes input, uint8_t *confirmed)
{
	const struct tacit_bytes parts[] = {interim_before, input};
	return tacit_mls_hash_parts(s, parts, TACIT_COUNT(parts), confirmed);
}

enum tacit_err tacit_mls_interim_hash(const struct tacit_mls_suite *s, struct tacit_bytes confirmed,
        struct tacit_bytes confirmation_tag, uint8_t *interim)
{
	enum tacit_err err;
	struct tacit_buf tag = {0};
	struct tacit_writer w = tacit_writer(&tag);
	tacit_mls_write_vec(&w, confirmation_tag);
	TRY(tacit_writer_finish(&w));
	const struct tacit_bytes parts[] = {confirmed, tacit_buf_view(&tag)};
	TRY(tacit_mls_hash_parts(s, parts, TACIT_COUNT(parts), interim));
out:
	tacit_buf_clear(&tag);
	return err;
}
