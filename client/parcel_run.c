/* parcel_run.c
 *
 *   begin --NAMEPLATE--> (code is told) --PAIRED--> meet --OPEN--> under way
 *         --claim--> PAIRED --> meet
 *         --rooted--> rejoin
 *   under way --lost, GONE--> rejoin: pause, connect --PAIRED--> under way, from OPEN on
 */
#include "client/parcel_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/monotonic.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"

#define MEET_S 60 /* for who came to prove that it has the code */
#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS 5000

bool parcel_run_cancelled(const struct parcel_run *r)
{
	return r->o->cancel != NULL && *r->o->cancel != 0;
}

void parcel_run_problem(struct parcel_run *r, const char *text)
{
	snprintf(r->result->problem, sizeof(r->result->problem), "%s", text);
}

void parcel_run_tell(struct parcel_run *r, enum parcel_state s)
{
	if (r->o->ui->state != NULL)
		r->o->ui->state(r->o->ctx, s);
}

static enum tacit_err on_send(void *ctx, struct tacit_bytes message)
{
	struct parcel_run *r = ctx;
	const struct tacit_relay_message m = {.type = TACIT_RELAY_DATA, .data = message};
	if (r->direct != NULL)
		return direct_send(r->direct, message);
	return r->relay != NULL ? relay_send(r->relay, &m) : TACIT_E_NETWORK;
}

static uint8_t *on_place(void *ctx, size_t n)
{
	struct parcel_run *r = ctx;
	if (r->direct != NULL)
		return direct_place(r->direct, n);
	return r->relay != NULL ? relay_place(r->relay, n) : NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

enum tacit_err parcel_run_init(struct parcel_run *r, const struct parcel_options *o,
        enum tacit_parcel_role role, struct parcel_result *result)
{
	*result = (struct parcel_result){0};
	const struct race_options race = {o->env, o->cancel, role, NULL};
	*r = (struct parcel_run){.o = o, .role = role, .result = result, .journal = {.lock = -1}};
	race_init(&r->race, &race);
	r->route = o->route;
	r->patience_s = o->patience_s > 0 ? o->patience_s : PARCEL_PATIENCE_S;
	if (o->code != NULL)
		r->code = *o->code;
	const struct tacit_parcel_options p = {.role = role,
	        .env = o->env,
	        .send = on_send,
	        .place = on_place,
	        .ctx = r,
	        .purpose = o->purpose};
	return tacit_parcel_new(&p, &r->parcel);
}

void parcel_run_clear(struct parcel_run *r)
{
	relay_close(r->relay);
	direct_finish(r->direct);
	race_close(&r->race);
	tacit_parcel_free(r->parcel);
	parcel_journal_close(&r->journal);
	parcel_note_clear(&r->note);
	tacit_wipe(r, sizeof(*r));
}

/* --- connecting ------------------------------------------------------------------------------ */

static enum tacit_err connect_with(struct parcel_run *r, const char *query)
{
	const struct relay_options o = {
	        .http = r->o->http, .env = r->o->env, .query = query, .cancel = r->o->cancel};
	enum tacit_err err = relay_open(&o, &r->relay);
	parcel_run_problem(r, err == TACIT_OK ? "" : http_problem(r->o->http));
	if (err == TACIT_E_UNSUPPORTED)
		parcel_run_problem(r, "That server has no relay for transfers.");
	return err;
}

enum tacit_err parcel_run_pause(struct parcel_run *r)
{
	uint32_t chance;
	unsigned shift = r->pauses < 6 ? r->pauses : 6;
	int64_t ms = (int64_t)FIRST_PAUSE_MS << shift;
	ms = ms < LAST_PAUSE_MS ? ms : LAST_PAUSE_MS;
	tacit_env_random(r->o->env, &chance, sizeof(chance));
	ms = ms / 2 + (int64_t)(chance % (uint32_t)(ms / 2 + 1));
	struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	r->pauses++;
	while (!parcel_run_cancelled(r) && nanosleep(&left, &left) != 0)
		if (errno != EINTR)
			break;
	return parcel_run_cancelled(r) ? TACIT_E_CANCELLED : TACIT_OK;
}

struct query {
	char text[128];
};

static struct query resume_query(const struct parcel_run *r)
{
	uint8_t id[TACIT_PARCEL_RESUME_BYTES];
	char hex[2 * TACIT_PARCEL_RESUME_BYTES + 1];
	struct query q;
	tacit_channel_resume_id(r->note.root, id);
	tacit_hex(tacit_bytes(id, sizeof(id)), hex);
	snprintf(q.text, sizeof(q.text), "resume=%s&role=%s", hex,
	        r->role == TACIT_PARCEL_SENDER ? "sender" : "receiver");
	return q;
}

/* The other one comes when it comes; the relay at least must be there. */
static enum tacit_err rejoin(struct parcel_run *r)
{
	enum tacit_err err;
	const struct query query = resume_query(r);
	relay_close(r->relay);
	r->relay = NULL;
	r->paired = false;
	for (;;) {
		err = connect_with(r, query.text);
		if (err != TACIT_E_NETWORK && err != TACIT_E_LIMIT)
			return err;
		if (monotonic_s() >= r->give_up_at)
			return err;
		TRY(parcel_run_pause(r));
	}
out:
	return err;
}

static enum tacit_err lose(struct parcel_run *r, enum parcel_state what)
{
	enum tacit_err err;
	if (!r->rooted) {
		parcel_run_problem(r, r->paired ? "The other one left before it began: the code is "
		                                  "used up."
		                                : "The connection to the server was lost.");
		return r->paired ? TACIT_E_GONE : TACIT_E_NETWORK;
	}
	if (!r->was_lost) {
		r->was_lost = true;
		r->give_up_at = monotonic_s() + (int64_t)r->patience_s;
		r->pauses = 0;
		parcel_run_tell(r, what);
	}
	direct_close(r->direct);
	r->direct = NULL;
	TRY(parcel_run_pause(r));
	TRY(parcel_way_has_server(r) ? rejoin(r) : parcel_way_meet(r));
out:
	return err;
}

static bool is_last(const struct tacit_parcel_event *ev)
{
	return ev->kind == TACIT_PARCEL_STOPPED || ev->kind == TACIT_PARCEL_DECLINED ||
	       ev->kind == TACIT_PARCEL_RECEIVED || ev->kind == TACIT_PARCEL_DONE;
}

static enum tacit_err next_message(
        struct parcel_run *r, int timeout_ms, struct tacit_relay_message *m, bool *got)
{
	*m = (struct tacit_relay_message){.type = TACIT_RELAY_DATA};
	*got = false;
	if (r->direct != NULL)
		return direct_next(r->direct, timeout_ms, &m->data, got);
	return r->relay != NULL ? relay_next(r->relay, timeout_ms, m, got) : TACIT_E_NETWORK;
}

/* Sending failed; perhaps since the other one has said its last word and gone, and that was not
 * read yet. The first miss may be our sending, which fails again. */
static bool hear_last_word(struct parcel_run *r)
{
	for (int misses = 0; r->rooted && r->paired && misses < 2;) {
		struct tacit_relay_message m;
		bool got = false;
		enum tacit_err err = next_message(r, 0, &m, &got);
		if (err != TACIT_OK || !got)
			misses++;
		else if (m.type == TACIT_RELAY_DATA &&
		         tacit_parcel_input(r->parcel, m.data, &r->last) == TACIT_OK &&
		         is_last(&r->last))
			return true;
	}
	r->last = (struct tacit_parcel_event){0};
	return false;
}

enum tacit_err parcel_run_sent(struct parcel_run *r, enum tacit_err err)
{
	if (err != TACIT_E_NETWORK)
		return err;
	return hear_last_word(r) ? TACIT_OK : lose(r, PARCEL_LOST);
}

/* --- messages of the relay ------------------------------------------------------------------- */

void parcel_run_make_code(struct parcel_run *r, uint32_t nameplate)
{
	char text[TACIT_PARCEL_CODE_ROOM];
	tacit_parcel_code_make(r->o->kind, nameplate, r->o->env, &r->code);
	tacit_parcel_code_text(&r->code, text);
	if (r->o->ui->code != NULL)
		r->o->ui->code(r->o->ctx, text);
	tacit_wipe(text, sizeof(text));
}

static enum tacit_err take_nameplate(struct parcel_run *r, uint32_t nameplate)
{
	if (r->rooted || r->place != TACIT_PARCEL_OPENER || r->code.nameplate != 0 ||
	        nameplate == 0 || nameplate > TACIT_PARCEL_MAX_NAMEPLATE)
		return TACIT_E_MALFORMED;
	if (r->o->turn != NULL && r->o->turn->again != NULL) {
		r->code = *r->o->turn->again;
		return nameplate == r->code.nameplate ? TACIT_OK : TACIT_E_MALFORMED;
	}
	parcel_run_make_code(r, nameplate);
	return TACIT_OK;
}

static enum tacit_err take_paired(struct parcel_run *r)
{
	if (r->paired || (!r->rooted && r->code.nameplate == 0))
		return TACIT_E_MALFORMED;
	r->paired = true;
	return r->rooted ? tacit_parcel_rejoin(r->parcel, r->note.root)
	                 : tacit_parcel_meet(r->parcel, &r->code, r->place);
}

/* Each text says what the person can do about it. */
static enum tacit_err take_end(struct parcel_run *r, enum tacit_relay_end why)
{
	switch (why) {
	case TACIT_RELAY_GONE:
		return lose(r, PARCEL_AWAY);
	case TACIT_RELAY_STOPPING:
		return lose(r, PARCEL_LOST);
	case TACIT_RELAY_UNKNOWN:
		return TACIT_E_NOT_FOUND;
	case TACIT_RELAY_MISMATCH:
		return TACIT_E_BAD_PASSWORD;
	case TACIT_RELAY_LIMIT:
		return TACIT_E_LIMIT;
	case TACIT_RELAY_EXPIRED:
		parcel_run_problem(r, r->rooted ? "The other one did not come back."
		                                : "Nobody came: the code has expired.");
		return TACIT_E_GONE;
	case TACIT_RELAY_LEFT:
		parcel_run_problem(r, "The other one gave up.");
		return TACIT_E_GONE;
	case TACIT_RELAY_REPLACED:
		parcel_run_problem(r, "Another process goes on with this transfer.");
		return TACIT_E_CONFLICT;
	case TACIT_RELAY_MISUSED:
		break;
	}
	return TACIT_E_MALFORMED;
}

/* The relay learns what this will be resumed under. */
static enum tacit_err become_rooted(struct parcel_run *r)
{
	enum tacit_err err = TACIT_OK;
	uint8_t id[TACIT_PARCEL_RESUME_BYTES];
	bool first = !r->rooted;
	memcpy(r->note.root, tacit_parcel_root(r->parcel), sizeof(r->note.root));
	r->rooted = true;
	if (first && r->relay != NULL && r->o->purpose == TACIT_PARCEL_TRANSFER) {
		tacit_channel_resume_id(r->note.root, id);
		const struct tacit_relay_message m = {.type = TACIT_RELAY_KNOWN_AS,
		        .role = (uint8_t)r->role,
		        .data = tacit_bytes(id, sizeof(id))};
		err = relay_send(r->relay, &m);
	}
	parcel_run_tell(r, r->was_lost ? PARCEL_BACK : PARCEL_MET);
	r->was_lost = false;
	return err;
}

static enum tacit_err take_data(
        struct parcel_run *r, struct tacit_bytes data, struct tacit_parcel_event *out)
{
	const struct tacit_relay_message wrong = {.type = TACIT_RELAY_WRONG};
	if (!r->paired)
		return TACIT_E_MALFORMED;
	enum tacit_err err = tacit_parcel_input(r->parcel, data, out);
	if (err == TACIT_E_BAD_PASSWORD && r->relay != NULL)
		tacit_ignore(relay_send(r->relay, &wrong), "the other one finds out by itself");
	if (err == TACIT_OK && out->kind == TACIT_PARCEL_OPEN)
		err = become_rooted(r);
	return err;
}

enum tacit_err parcel_run_take_message(
        struct parcel_run *r, const struct tacit_relay_message *m, struct tacit_parcel_event *out)
{
	switch (m->type) {
	case TACIT_RELAY_DATA:
		return take_data(r, m->data, out);
	case TACIT_RELAY_NAMEPLATE:
		return take_nameplate(r, m->nameplate);
	case TACIT_RELAY_PAIRED:
		return take_paired(r);
	case TACIT_RELAY_ENDED:
		return take_end(r, m->end);
	default:
		return TACIT_E_MALFORMED;
	}
}

/* Somebody is there, and it is not known who. */
static bool is_meeting(const struct parcel_run *r)
{
	return r->paired && !r->rooted;
}

/* While something is lost, or a stranger is greeted, there is an end to waiting. */
static int wait_ms(struct parcel_run *r, int timeout_ms)
{
	int64_t left;
	if (is_meeting(r) && r->give_up_at == 0)
		r->give_up_at =
		        monotonic_s() + (r->patience_s < MEET_S ? (int64_t)r->patience_s : MEET_S);
	if (!r->was_lost && !is_meeting(r))
		return timeout_ms;
	left = (r->give_up_at - monotonic_s()) * 1000;
	left = left > 0 ? left : 0;
	return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}

enum tacit_err parcel_run_next(struct parcel_run *r, int timeout_ms, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	*out = r->last;
	r->last = (struct tacit_parcel_event){0};
	if (out->kind != TACIT_PARCEL_NOTHING)
		return TACIT_OK;
	for (;;) {
		struct tacit_relay_message m;
		bool got = false;
		err = next_message(r, wait_ms(r, timeout_ms), &m, &got);
		if (err == TACIT_OK && got)
			err = parcel_run_take_message(r, &m, out);
		if (err == TACIT_OK && out->kind == TACIT_PARCEL_OPEN && r->relay != NULL &&
		        r->o->purpose == TACIT_PARCEL_TRANSFER)
			err = parcel_way_seek(r);
		if (err != TACIT_OK)
			*out = (struct tacit_parcel_event){0};
		/* Who waits goes on waiting on the next connection. */
		bool over = !got && (timeout_ms == 0 || (timeout_ms > 0 && err != TACIT_E_NETWORK));
		TRY(parcel_run_sent(r, err));
		if (r->last.kind != TACIT_PARCEL_NOTHING)
			*out = r->last;
		r->last = (struct tacit_parcel_event){0};
		if (out->kind != TACIT_PARCEL_NOTHING)
			break;
		if (!got && (r->was_lost || is_meeting(r)) && monotonic_s() >= r->give_up_at) {
			parcel_run_problem(r, r->was_lost ? "The other one did not come back."
			                                  : "Somebody came and did not show "
			                                    "the code: it is used up.");
			TRY(TACIT_E_GONE);
		}
		if (over)
			break;
	}
out:
	return err;
}

enum tacit_err parcel_run_hear(struct parcel_run *r, int timeout_ms, struct tacit_parcel_event *out)
{
	enum tacit_err err;
	int64_t until = monotonic_s() + timeout_ms / 1000;
	*out = (struct tacit_parcel_event){0};
	do {
		struct tacit_relay_message m;
		bool got = false;
		int64_t left = until - monotonic_s();
		TRY(next_message(r, left > 0 ? (int)left * 1000 : 0, &m, &got));
		TRY(got && m.type == TACIT_RELAY_DATA ? TACIT_OK : TACIT_E_GONE);
		TRY(tacit_parcel_input(r->parcel, m.data, out));
	} while (out->kind == TACIT_PARCEL_NOTHING);
out:
	return err;
}

static void write_query(const struct parcel_run *r, char *out, size_t size)
{
	const struct parcel_turn *turn = r->o->turn;
	char ticket[2 * PARCEL_TICKET_BYTES + 1];
	if (r->place == TACIT_PARCEL_JOINER) {
		snprintf(out, size, "claim=%" PRIu32, r->code.nameplate);
		return;
	}
	snprintf(out, size, "open=1");
	if (turn == NULL)
		return;
	tacit_hex(tacit_bytes(turn->ticket, sizeof(turn->ticket)), ticket);
	snprintf(out, size, "open=1&ticket=%s", ticket);
	if (turn->again != NULL)
		snprintf(out, size, "open=1&nameplate=%" PRIu32 "&ticket=%s",
		        turn->again->nameplate, ticket);
}

enum tacit_err parcel_run_begin(struct parcel_run *r)
{
	char query[96];
	r->place = r->o->code != NULL ? TACIT_PARCEL_JOINER : TACIT_PARCEL_OPENER;
	if (r->rooted) {
		r->was_lost = true;
		r->give_up_at = monotonic_s() + (int64_t)r->patience_s;
		parcel_run_tell(r, PARCEL_RESUMING);
		return parcel_way_has_server(r) ? rejoin(r) : parcel_way_meet(r);
	}
	write_query(r, query, sizeof(query));
	if (!parcel_way_has_server(r))
		return parcel_way_meet(r);
	enum tacit_err err = connect_with(r, query);
	if (err != TACIT_E_NETWORK || r->route != PARCEL_FASTEST || r->o->turn != NULL ||
	        http_untrusted(r->o->http))
		return err;
	r->route = PARCEL_LAN;
	parcel_run_tell(r, PARCEL_LOCAL);
	parcel_run_problem(r, "");
	return parcel_way_meet(r);
}

/* Nobody shall wait for this end: a page that reads slower than the relay sends does not get to
 * what stands before the connection's end, which drops it (Chromium's WebSocketStream), and so not
 * to our STOP. It is said when the relay has hung up, since it would overtake STOP otherwise. */
static void leave_for_good(struct parcel_run *r)
{
	char path[160];
	struct http_answer a = {0};
	const struct http_request q = {.method = "DELETE", .path = path};
	relay_close(r->relay);
	r->relay = NULL;
	snprintf(path, sizeof(path), "/api/transfer?%s", resume_query(r).text);
	tacit_ignore(http_perform(r->o->http, &q, &a), "then it is waited for");
	http_answer_clear(&a);
}

void parcel_run_stop(struct parcel_run *r, enum tacit_err err)
{
	if (err != TACIT_OK && err != TACIT_E_GONE && err != TACIT_E_REFUSED && r->paired &&
	        (r->relay != NULL || r->direct != NULL))
		tacit_parcel_stop_since(r->parcel, r->why);
	if (r->why == TACIT_PARCEL_CHANGED && r->rooted && r->relay != NULL)
		leave_for_good(r);
}

/* --- what is remembered ---------------------------------------------------------------------- */

enum tacit_err parcel_run_remember(struct parcel_run *r)
{
	enum tacit_err err = TACIT_OK;
	char text[TACIT_PARCEL_CODE_ROOM];
	if (r->note.code.n == 0) {
		tacit_parcel_code_text(&r->code, text);
		TRY(tacit_buf_append(&r->note.code, tacit_cstr(text)));
		TRY(tacit_buf_terminate(&r->note.code));
	}
	TRY(parcel_journal_save(&r->journal, &r->note));
out:
	return err;
}

const char *parcel_run_where(const struct parcel_run *r)
{
	return r->o->http != NULL ? http_server(r->o->http) : "directly";
}

void parcel_run_adopt(struct parcel_run *r)
{
	struct tacit_parcel_code code;
	r->rooted = true;
	tacit_parcel_expect(r->parcel, r->note.offer_sha256);
	/* Its nameplate is what it is found under on this network. */
	if (r->code.nameplate == 0 &&
	        tacit_parcel_code_parse(tacit_cstr((const char *)r->note.code.p), &code) ==
	                TACIT_OK)
		r->code = code;
	tacit_wipe(&code, sizeof(code));
}
