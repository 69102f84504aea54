#include "e2e/mls/psk.h"

#include "crypto/secret.h"

void tacit_mls_psk_id_read(struct tacit_reader *r, struct tacit_mls_psk_id *out)
{
	*out = (struct tacit_mls_psk_id){.type = tacit_read_u8(r)};
	if (out->type == TACIT_MLS_PSK_EXTERNAL) {
		out->id = tacit_mls_read_vec(r);
	} else if (out->type == TACIT_MLS_PSK_RESUMPTION) {
		out->usage = tacit_read_u8(r);
		if (out->usage < TACIT_MLS_PSK_APPLICATION || out->usage > TACIT_MLS_PSK_BRANCH)
			tacit_reader_fail(r, TACIT_E_MALFORMED);
		out->id = tacit_mls_read_vec(r);
		out->epoch = tacit_read_u64(r);
	} else {
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	}
	out->nonce = tacit_mls_read_vec(r);
}

void tacit_mls_psk_id_write(struct tacit_writer *w, const struct tacit_mls_psk_id *id)
{
	tacit_write_u8(w, id->type);
	if (id->type == TACIT_MLS_PSK_RESUMPTION)
		tacit_write_u8(w, id->usage);
	tacit_mls_write_vec(w, id->id);
	if (id->type == TACIT_MLS_PSK_RESUMPTION)
		tacit_write_u64(w, id->epoch);
	tacit_mls_write_vec(w, id->nonce);
}

bool tacit_mls_psk_id_same(const struct tacit_mls_psk_id *a, const struct tacit_mls_psk_id *b)
{
	return a->type == b->type && a->usage == b->usage && a->epoch == b->epoch &&
	       tacit_bytes_eq(a->id, b->id) && tacit_bytes_eq(a->nonce, b->nonce);
}

enum tacit_err tacit_mls_psk_fold_begin(
        struct tacit_mls_psk_fold *f, const struct tacit_mls_suite *s, size_t count)
{
	*f = (struct tacit_mls_psk_fold){.suite = s};
	if (count > TACIT_MLS_PSK_MAX)
		return TACIT_E_LIMIT;
	f->count = (uint16_t)count;
	return TACIT_OK;
}

enum tacit_err tacit_mls_psk_fold_step(
        struct tacit_mls_psk_fold *f, const struct tacit_mls_psk_id *id, struct tacit_bytes psk)
{
	if (f->index >= f->count)
		return TACIT_E_USAGE;
	enum tacit_err err;
	const struct tacit_mls_suite *s = f->suite;
	const uint8_t zero[TACIT_MLS_HASH_MAX_BYTES] = {0};
	uint8_t extracted[TACIT_MLS_HASH_MAX_BYTES];
	uint8_t input[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_buf label = {0};
	struct tacit_writer w = tacit_writer(&label);
	tacit_mls_extract(s, tacit_bytes(zero, s->hash_bytes), psk, extracted);
	tacit_mls_psk_id_write(&w, id);
	tacit_write_u16(&w, f->index);
	tacit_write_u16(&w, f->count);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_expand(s, extracted, TACIT_STR("derived psk"), tacit_buf_view(&label),
	        (struct tacit_room){input, s->hash_bytes}));
	/* extracted serves as room: the result may not overlap its own inputs. */
	tacit_mls_extract(s, tacit_bytes(input, s->hash_bytes),
	        tacit_bytes(f->secret, s->hash_bytes), extracted);
	for (size_t i = 0; i < s->hash_bytes; i++)
		f->secret[i] = extracted[i];
	f->index++;
out:
	tacit_wipe(extracted, sizeof(extracted));
	tacit_wipe(input, sizeof(input));
	tacit_buf_clear(&label);
	return err;
}

void tacit_mls_psk_fold_wipe(struct tacit_mls_psk_fold *f)
{
	tacit_wipe(f, sizeof(*f));
}
