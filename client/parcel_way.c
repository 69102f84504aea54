/* parcel_way.c - connections without the relay.
 *
 *   by the relay:   OPEN --> both tell WAYS, listen and call --> the sender decides: CHOSEN on a
 * direct connection, or, when none is proven soon, STAY on the relay no server:      one listens,
 * the other calls --> meet; when rooted, prove and go on */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "client/addresses.h"
#include "client/lan.h"
#include "client/monotonic.h"
#include "client/parcel_run.h"
#include "crypto/secret.h"

#define RACE_MS 1500      /* for a direct connection to be proven, from the other end's WAYS on */
#define HEAR_WAYS_MS 3000 /* for the other end's WAYS */
#define DECIDE_MS 60000   /* for the sender's decision */
#define CHOSEN_MS 5000    /* the same, when the relay has gone meanwhile */
#define TURN_MS 100
#define WAIT_S 3600 /* as a relay waits */
#define FIND_S 15   /* for the other end to be found on this network */

static void begin_race(struct parcel_run *r)
{
	const struct race_options o = {
	        r->o->env, r->o->cancel, r->role, r->rooted ? r->note.root : NULL};
	race_close(&r->race);
	race_init(&r->race, &o);
}

static enum tacit_err wait_turn(const struct parcel_run *r)
{
	struct pollfd all[RACE_LANES + 3];
	size_t n = race_poll(&r->race, all);
	if (r->relay != NULL)
		all[n++] = (struct pollfd){.fd = relay_fd(r->relay), .events = POLLIN};
	if (poll(all, n, TURN_MS) < 0 && errno != EINTR)
		return TACIT_E_IO;
	return parcel_run_cancelled(r) ? TACIT_E_CANCELLED : TACIT_OK;
}

/* A connection that was proven is the way. */
static enum tacit_err take_winner(struct parcel_run *r, int winner)
{
	enum tacit_err err;
	struct tacit_channel channel = {0};
	struct direct *line = NULL;
	TRY(race_take(&r->race, winner, &line, &channel));
	TRY(tacit_parcel_move(r->parcel, &channel));
	relay_close(r->relay);
	r->relay = NULL;
	r->direct = line;
	line = NULL;
	r->paired = true;
	parcel_run_tell(r, PARCEL_DIRECT);
out:
	tacit_channel_clear(&channel);
	direct_close(line);
	return err;
}

/* --- beside the relay ------------------------------------------------------------------------ */

/* A server on this machine's loopback: then the other end is on this machine, too. */
static enum tacit_parcel_reach reach_of(const struct parcel_run *r)
{
	return http_server_is_here(r->o->http) ? TACIT_PARCEL_SAME_MACHINE : TACIT_PARCEL_ELSEWHERE;
}

static enum tacit_err tell_ways(struct parcel_run *r)
{
	struct tacit_parcel_ways own = {0};
	if (r->route == PARCEL_FASTEST && race_listen(&r->race, NULL, 0) == TACIT_OK &&
	        addresses_own(reach_of(r), &own) == TACIT_OK && own.count > 0)
		own.port = r->race.port;
	return tacit_parcel_ways(r->parcel, &own);
}

static void call_them(struct parcel_run *r, const struct tacit_parcel_ways *theirs)
{
	struct tacit_parcel_ways may = {.port = theirs->port};
	enum tacit_parcel_reach reach = reach_of(r);
	for (size_t i = 0; i < theirs->count; i++)
		if (tacit_parcel_address_may(&theirs->list[i], reach))
			may.list[may.count++] = theirs->list[i];
	race_call(&r->race, &may);
}

struct seeking {
	int64_t until; /* the sender's; of a receiver whose relay has gone */
	bool heard;    /* the other end's WAYS */
	bool decided;  /* it is the relay */
	bool relay_gone;
};

/* What came from the relay: WAYS; or the decision, or something after it. */
static enum tacit_err hear(struct parcel_run *r, struct seeking *s)
{
	enum tacit_err err;
	struct tacit_relay_message m;
	struct tacit_parcel_event ev = {0};
	bool got = false;
	TRY(relay_next(r->relay, 0, &m, &got));
	if (!got)
		return TACIT_OK;
	/* A sender may have chosen, and left the relay. */
	if (m.type == TACIT_RELAY_ENDED &&
	        (m.end == TACIT_RELAY_GONE || m.end == TACIT_RELAY_STOPPING))
		return TACIT_E_NETWORK;
	TRY(parcel_run_take_message(r, &m, &ev));
	if (ev.kind == TACIT_PARCEL_WAYS) {
		s->heard = true;
		if (r->role == TACIT_PARCEL_SENDER)
			s->until = monotonic_ms() + RACE_MS;
		s->decided = ev.ways.port == 0 || r->route == PARCEL_RELAY_ONLY;
		if (!s->decided)
			call_them(r, &ev.ways);
	} else {
		s->decided = true;
		r->last = ev;
	}
out:
	return err;
}

static bool is_over(const struct seeking *s)
{
	return s->decided || monotonic_ms() >= s->until;
}

static enum tacit_err seek(struct parcel_run *r, struct seeking *s)
{
	enum tacit_err err;
	int winner = -1;
	for (;;) {
		if (!s->relay_gone) {
			err = hear(r, s);
			s->relay_gone = err == TACIT_E_NETWORK &&
			                r->role == TACIT_PARCEL_RECEIVER && s->heard;
			if (s->relay_gone) {
				relay_close(r->relay);
				r->relay = NULL;
				s->until = monotonic_ms() + CHOSEN_MS;
			} else if (err != TACIT_OK) {
				return err;
			}
		}
		race_turn(&r->race, &winner);
		if (winner >= 0 && take_winner(r, winner) == TACIT_OK)
			return TACIT_OK;
		if (is_over(s))
			break;
		TRY(wait_turn(r));
	}
	if (!s->decided && r->role == TACIT_PARCEL_RECEIVER)
		err = TACIT_E_NETWORK; /* the sender decides, and has not */
out:
	return err;
}

enum tacit_err parcel_way_seek(struct parcel_run *r)
{
	enum tacit_err err;
	struct seeking s = {.until = monotonic_ms() +
	                             (r->role == TACIT_PARCEL_SENDER ? HEAR_WAYS_MS : DECIDE_MS)};
	begin_race(r);
	TRY(tell_ways(r));
	TRY(seek(r, &s));
	if (r->role == TACIT_PARCEL_SENDER && r->direct == NULL &&
	        r->last.kind == TACIT_PARCEL_NOTHING)
		TRY(tacit_parcel_stay(r->parcel));
	if (r->last.kind == TACIT_PARCEL_STAY)
		r->last = (struct tacit_parcel_event){0};
out:
	race_close(&r->race);
	return err;
}

/* --- without a server ------------------------------------------------------------------------ */

/* "PORT", ":PORT", "ADDR:PORT" */
static enum tacit_err read_listen(const char *text, struct tacit_parcel_ways *out, bool *everywhere)
{
	char any[32];
	*everywhere = text[0] != '\0' && strspn(text, ":0123456789") == strlen(text) &&
	              strchr(text + 1, ':') == NULL;
	if (!*everywhere)
		return addresses_find(text, PARCEL_PORT, out);
	snprintf(any, sizeof(any), "127.0.0.1:%.8s", text[0] == ':' ? text + 1 : text);
	return addresses_find(any, PARCEL_PORT, out);
}

/* On any address, and where the other end finds it. */
static enum tacit_err listen_on_lan(struct parcel_run *r)
{
	enum tacit_err err;
	TRY(race_listen(&r->race, NULL, r->port));
	r->port = r->race.port;
	TRY(lan_announce(r->o->env, r->code.nameplate, r->port, &r->lan));
out:
	return err;
}

static enum tacit_err listen_here(struct parcel_run *r)
{
	enum tacit_err err;
	struct tacit_parcel_ways at;
	bool everywhere;
	char text[ADDRESS_TEXT] = "";
	TRY(read_listen(r->o->address, &at, &everywhere));
	/* Any port, but always the same. */
	err = race_listen(
	        &r->race, everywhere ? NULL : &at.list[0], at.port != 0 ? at.port : r->port);
	if (err == TACIT_E_IO)
		parcel_run_problem(r, "That address cannot be listened on: it is not of this "
		                      "machine, or the port is taken.");
	TRY(err);
	r->port = r->race.port;
	if (everywhere)
		TRY(addresses_own(TACIT_PARCEL_ELSEWHERE, &at));
	if (at.count > 0)
		addresses_text(&at.list[0], r->race.port, text);
	if (r->o->ui->listening != NULL)
		r->o->ui->listening(r->o->ctx, text, r->race.port);
out:
	return err;
}

static enum tacit_err call_there(struct parcel_run *r)
{
	enum tacit_err err;
	struct tacit_parcel_ways at;
	err = addresses_find(r->o->address, PARCEL_PORT, &at);
	if (err == TACIT_E_NOT_FOUND)
		parcel_run_problem(r, "There is no machine of that name.");
	TRY(err);
	TRY(at.port != 0 ? TACIT_OK : TACIT_E_BAD_NAME);
	race_call(&r->race, &at);
out:
	return err;
}

static enum tacit_err turn_lan(struct parcel_run *r)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_parcel_ways found;
	if (r->lan == NULL)
		return TACIT_OK;
	TRY(lan_turn(r->lan, &found));
	race_call(&r->race, &found);
out:
	return err;
}

/* Until a connection has won. *winner stays -1 when all that was called has failed. */
static enum tacit_err run_race(struct parcel_run *r, int64_t until_s, int *winner)
{
	enum tacit_err err = TACIT_OK;
	bool called = r->route == PARCEL_CALL;
	for (;;) {
		TRY(turn_lan(r));
		race_turn(&r->race, winner);
		if (*winner >= 0 || (called && !race_runs(&r->race)))
			break;
		if (monotonic_s() >= until_s) {
			parcel_run_problem(
			        r, r->rooted ? "The other one did not come back." : "Nobody came.");
			TRY(TACIT_E_GONE);
		}
		TRY(wait_turn(r));
	}
out:
	return err;
}

static enum tacit_err meet_winner(struct parcel_run *r, int winner)
{
	enum tacit_err err;
	struct tacit_channel none = {0};
	if (r->rooted) {
		TRY(take_winner(r, winner));
		parcel_run_tell(r, PARCEL_BACK);
		r->was_lost = false;
		r->last = (struct tacit_parcel_event){.kind = TACIT_PARCEL_OPEN};
		goto out;
	}
	TRY(race_take(&r->race, winner, &r->direct, &none));
	r->paired = true;
	TRY(tacit_parcel_meet(r->parcel, &r->code, r->place));
out:
	return err;
}

/* What is called may not be there yet, when it was there before. */
static enum tacit_err call_until(struct parcel_run *r, int64_t until_s, int *winner)
{
	enum tacit_err err;
	for (;;) {
		TRY(call_there(r));
		TRY(run_race(r, until_s, winner));
		if (*winner >= 0)
			break;
		TRY(r->rooted && monotonic_s() < until_s ? TACIT_OK : TACIT_E_NETWORK);
		TRY(parcel_run_pause(r));
	}
out:
	if (err == TACIT_E_NETWORK)
		parcel_run_problem(r, "Nobody is listening at that address.");
	return err;
}

static bool is_asking(const struct parcel_run *r)
{
	return r->route == PARCEL_LAN && r->place == TACIT_PARCEL_JOINER;
}

static enum tacit_err prepare(struct parcel_run *r)
{
	enum tacit_err err = TACIT_OK;
	uint32_t chance;
	begin_race(r);
	lan_close(r->lan);
	r->lan = NULL;
	if (r->route == PARCEL_LISTEN)
		TRY(listen_here(r));
	if (r->code.nameplate == 0 && !r->rooted) {
		tacit_env_random(r->o->env, &chance, sizeof(chance));
		parcel_run_make_code(r, 1 + chance % 999);
	}
	if (is_asking(r))
		TRY(lan_ask(r->o->env, r->code.nameplate, &r->lan));
	else if (r->route == PARCEL_LAN)
		TRY(listen_on_lan(r));
out:
	return err;
}

static int64_t deadline(const struct parcel_run *r)
{
	if (r->rooted)
		return r->give_up_at;
	return monotonic_s() + (is_asking(r) ? FIND_S : WAIT_S);
}

enum tacit_err parcel_way_meet(struct parcel_run *r)
{
	enum tacit_err err;
	int winner = -1;
	int64_t until_s = deadline(r);
	r->paired = false;
	TRY(prepare(r));
	do {
		if (r->route == PARCEL_CALL)
			TRY(call_until(r, until_s, &winner));
		else
			TRY(run_race(r, until_s, &winner));
		err = meet_winner(r, winner);
	} while (err == TACIT_E_NETWORK && r->direct == NULL);
out:
	if (r->route == PARCEL_LAN && err == TACIT_E_IO && r->result->problem[0] == '\0')
		parcel_run_problem(r, "This machine is on no network where others can be found.");
	if (is_asking(r) && !r->rooted && err == TACIT_E_GONE)
		parcel_run_problem(r, "Nobody on this network waits under that code.");
	lan_close(r->lan);
	r->lan = NULL;
	race_close(&r->race);
	return err;
}
