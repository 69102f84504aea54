#include "client/parcel_link.h"

#include <string.h>

#include "client/monotonic.h"
#include "client/parcel_run.h"

#define ASK_MS 60000     /* for the new device to ask, once it is there */
#define ANSWER_MS 600000 /* for the person at the other device */
#define LOGIN_MS 300000  /* for the new device to log in: as long as the grant is good */

/* Until the other end is there and has the code. Nobody is waited for longer than told. */
static enum tacit_err meet(struct parcel_run *r, unsigned patience_s)
{
	enum tacit_err err;
	struct tacit_parcel_event ev;
	TRY(parcel_run_begin(r));
	int64_t until = monotonic_s() + (int64_t)patience_s;
	do {
		int64_t left = until - monotonic_s();
		if (left <= 0) {
			parcel_run_problem(r, "No device came: the code has expired.");
			TRY(TACIT_E_GONE);
		}
		TRY(parcel_run_next(r, (int)(left < 60 ? left * 1000 : 60000), &ev));
	} while (ev.kind == TACIT_PARCEL_NOTHING);
	TRY(ev.kind == TACIT_PARCEL_OPEN ? TACIT_OK : TACIT_E_MALFORMED);
out:
	return err;
}

static enum tacit_err hear(struct parcel_run *r, int timeout_ms, enum tacit_parcel_event_kind kind,
        struct tacit_parcel_event *ev)
{
	enum tacit_err err;
	err = parcel_run_hear(r, timeout_ms, ev);
	if (err == TACIT_E_NETWORK)
		err = TACIT_E_GONE;
	if (err == TACIT_OK && ev->kind == TACIT_PARCEL_STOPPED) {
		parcel_run_problem(r, r->role == TACIT_PARCEL_SENDER
		                              ? "The new device has not logged in."
		                              : "The other device has not linked this one.");
		err = TACIT_E_REFUSED;
	}
	TRY(err);
	TRY(ev->kind == kind ? TACIT_OK : TACIT_E_MALFORMED);
out:
	return err;
}

static enum tacit_err begin(struct parcel_run *r, const struct parcel_options *o,
        enum tacit_parcel_role role, struct parcel_result *result)
{
	enum tacit_err err;
	TRY(parcel_run_init(r, o, role, result));
	r->route = PARCEL_RELAY_ONLY;
out:
	return err;
}

enum tacit_err parcel_link_give(const struct parcel_options *o, const struct parcel_link_give *give,
        struct parcel_result *out, bool *reached)
{
	enum tacit_err err;
	struct parcel_run r;
	struct tacit_parcel_event ev;
	struct tacit_buf grant = {0};
	struct parcel_options own = *o;
	own.purpose = TACIT_PARCEL_LINK;
	*reached = false;
	TRY(begin(&r, &own, TACIT_PARCEL_SENDER, out));
	TRY(meet(&r, give->patience_s));
	TRY(hear(&r, ASK_MS, TACIT_PARCEL_ASKED, &ev));
	TRY(give->asked(o->ctx, ev.bytes, &grant));
	TRY(tacit_parcel_grant(r.parcel, tacit_buf_view(&grant)));
	*reached = true;
	TRY(hear(&r, LOGIN_MS, TACIT_PARCEL_LINKED, &ev));
out:
	if (err == TACIT_E_REFUSED && !*reached)
		tacit_parcel_stop(r.parcel);
	parcel_run_stop(&r, err);
	tacit_buf_clear(&grant);
	parcel_run_clear(&r);
	return err;
}

enum tacit_err parcel_link_take(const struct parcel_options *o, const struct parcel_link_take *take,
        struct parcel_result *out)
{
	enum tacit_err err, how = TACIT_OK;
	struct parcel_run r;
	struct tacit_parcel_event ev;
	struct parcel_options own = *o;
	own.purpose = TACIT_PARCEL_LINK;
	TRY(begin(&r, &own, TACIT_PARCEL_RECEIVER, out));
	TRY(meet(&r, ASK_MS / 1000));
	TRY(tacit_parcel_ask(r.parcel, tacit_cstr(take->name)));
	TRY(hear(&r, ANSWER_MS, TACIT_PARCEL_GRANTED, &ev));
	TRY(how = take->granted(o->ctx, ev.bytes));
	tacit_ignore(tacit_parcel_linked(r.parcel), "this device is in, whoever hears of it");
out:
	if (how != TACIT_OK)
		tacit_parcel_stop(r.parcel);
	else
		parcel_run_stop(&r, err);
	parcel_run_clear(&r);
	return err;
}
