#include "client/parcel_kept.h"

enum tacit_err parcel_kept_open(struct parcel_run *r, const char *verb, struct tacit_bytes what)
{
	enum tacit_err err;
	struct tacit_buf key = {0};
	TRY(tacit_buf_printf(&key, "%s ", verb));
	if (r->o->turn != NULL)
		TRY(tacit_buf_printf(&key, "%u ", r->o->turn->number));
	TRY(tacit_buf_printf(&key, "%s ", parcel_run_where(r)));
	TRY(tacit_buf_append(&key, what));
	err = parcel_journal_open(tacit_buf_view(&key), &r->journal);
	if (err == TACIT_E_IO || err == TACIT_E_TOO_LARGE)
		err = TACIT_OK;
out:
	tacit_buf_clear(&key);
	return err;
}

enum tacit_err parcel_kept_load(struct parcel_run *r, bool *found)
{
	if (r->o->fresh)
		parcel_journal_forget(&r->journal);
	enum tacit_err err = parcel_journal_load(&r->journal, tacit_env_now(r->o->env), &r->note);
	*found = err == TACIT_OK;
	return err == TACIT_E_NOT_FOUND || err == TACIT_E_IO ? TACIT_OK : err;
}

enum tacit_err parcel_kept_hash(struct parcel_run *r, const struct parcel_kept_bytes *b)
{
	enum tacit_err err = TACIT_OK;
	for (;;) {
		size_t n;
		uint64_t at = tacit_parcel_hashed(r->parcel);
		if (at >= b->until)
			break;
		uint64_t left = b->until - at;
		TRY(b->read(b->ctx, at,
		        left < TACIT_PARCEL_RECORD_BYTES ? (size_t)left : TACIT_PARCEL_RECORD_BYTES,
		        &n));
		TRY(tacit_parcel_kept(r->parcel, tacit_bytes(b->room, n)));
		TRY(parcel_run_cancelled(r) ? TACIT_E_CANCELLED : TACIT_OK);
	}
out:
	return err;
}
