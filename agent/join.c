#include "agent/join.h"

#include <stdio.h>
#include <string.h>

#include "agent/nearby.h"
#include "crypto/encoding.h"

static enum tacit_err refuse_guess(struct exchange *x, unsigned left)
{
	char text[120];
	if (left == 0)
		return agent_refuse(x, AGENT_SESSION_LOCKED);
	snprintf(text, sizeof(text), "%s: %u more %s", agent_problem_text(AGENT_WRONG_PASSWORD),
	        left, left == 1 ? "try" : "tries");
	return agent_refuse_because(x, AGENT_WRONG_PASSWORD, text);
}

static enum tacit_err refuse_state(struct exchange *x, const struct session *s)
{
	switch (s->state) {
	case SESSION_LOCKED:
		return agent_refuse(x, AGENT_SESSION_LOCKED);
	case SESSION_CLOSED:
		return session_refuse_closed(x, s);
	default:
		return agent_refuse(x, AGENT_ALREADY_JOINED);
	}
}

static void derive(const struct join_wish *w, struct tacit_parcel_code *code)
{
	const struct meeting_secret secret = {tacit_cstr(w->id), w->password, w->verification_code};
	meeting_derive(&secret, code);
}

/* --- both on this agent ------------------------------------------------------------------------
 */

/* With the session locked. */
static enum tacit_err meet_here(struct exchange *x, struct session *s, const struct join_wish *w)
{
	enum tacit_err err;
	struct tacit_parcel_code code;
	struct meeting joiner = {0};
	derive(w, &code);
	TRY(meeting_begin(&joiner, &code, TACIT_PARCEL_JOINER, &x->agent->env));
	s->tries_left--;
	err = meeting_within(&s->next_meeting, &joiner, s->root);
	if (err == TACIT_E_BAD_PASSWORD && s->tries_left == 0)
		session_end(s, SESSION_LOCKED);
	else if (err == TACIT_E_BAD_PASSWORD && session_prepare(s) != TACIT_OK)
		session_end(s, SESSION_CLOSED);
	if (err == TACIT_E_BAD_PASSWORD)
		err = refuse_guess(x, s->tries_left);
	TRY(err);
	s->tries_left++;
	s->state = SESSION_JOINED;
	s->local = true;
	s->stop = 1; /* nobody is waited for at the relay any more */
	meeting_clear(&s->next_meeting);
	tacit_wipe(&s->code, sizeof(s->code));
	session_touch(s);
out:
	tacit_wipe(&code, sizeof(code));
	meeting_clear(&joiner);
	return err;
}

static enum tacit_err join_here(struct exchange *x, struct session *s, const struct join_wish *w)
{
	pthread_mutex_lock(&s->lock);
	enum tacit_err err = s->state == SESSION_WAITING && s->part == SESSION_CREATOR
	                             ? meet_here(x, s, w)
	                             : refuse_state(x, s);
	pthread_mutex_unlock(&s->lock);
	return err;
}

/* --- on another one ----------------------------------------------------------------------------
 */

/* Whoever waits there comes within the join timeout; a creator between two meetings is back soon.
 * Who has come while nobody looked is seen, however late it is. */
static enum tacit_err wait_at_relay(
        const struct agent *a, struct link_line *l, int64_t until_s, bool *paired)
{
	enum tacit_err err = TACIT_OK;
	do
		TRY(link_wait_paired(l, 500, paired));
	while (!*paired && agent_monotonic_s() < until_s && !agent_is_ending(a));
out:
	return err;
}

/* On this network, in what is left of the time; *found: it is there. */
static enum tacit_err look_nearby(
        const struct session *s, struct link_line *l, int64_t until_s, bool *found)
{
	struct tacit_channel none = {0};
	struct link_line near = {0};
	const struct nearby_wish w = {LINK_SECOND, NULL, until_s};
	if (!s->agent->settings.lan)
		return TACIT_OK;
	enum tacit_err err = nearby_find(s, &w, &near, &none);
	if (err != TACIT_OK)
		return err == TACIT_E_NOT_FOUND || err == TACIT_E_IO ? TACIT_OK : err;
	link_line_close(l);
	*l = near;
	*found = true;
	return TACIT_OK;
}

/* By the relay; the last third of the time also without: the creator's agent may not reach it. */
static enum tacit_err find_creator(struct exchange *x, struct session *s, struct link_line *l)
{
	enum tacit_err err, relay;
	uint8_t id[MEETING_RELAY_ID_BYTES];
	bool there = false;
	int64_t timeout = x->agent->settings.join_timeout_s;
	int64_t until = agent_monotonic_s() + timeout;
	meeting_relay_id(tacit_cstr(s->id), id);
	relay = link_line_open(l, s, id, LINK_SECOND);
	TRY(relay == TACIT_E_NETWORK || relay == TACIT_E_UNSUPPORTED ? TACIT_OK : relay);
	if (relay == TACIT_OK)
		TRY(wait_at_relay(x->agent, l, until - timeout / 3, &there));
	if (!there)
		TRY(look_nearby(s, l, until, &there));
	if (!there && relay == TACIT_OK)
		TRY(wait_at_relay(x->agent, l, until, &there));
	if (!there)
		err = relay != TACIT_OK ? relay : TACIT_E_NOT_FOUND;
out:
	return err;
}

struct met {
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	bool nearby;
};

static enum tacit_err meet_there(
        struct exchange *x, struct session *s, const struct join_wish *w, struct met *out)
{
	enum tacit_err err;
	struct link_line l = {0};
	struct meeting m = {0};
	struct tacit_parcel_code code;
	bool began = false;
	derive(w, &code);
	TRY(meeting_begin(&m, &code, TACIT_PARCEL_JOINER, &x->agent->env));
	tacit_hex(tacit_bytes(m.channel.run.own, TACIT_SPAKE2_MESSAGE_BYTES), s->public_key);
	TRY(find_creator(x, s, &l));
	TRY(link_meet(&l, &m, &began, out->root));
	out->nearby = l.direct != NULL;
out:
	link_line_close(&l);
	meeting_clear(&m);
	tacit_wipe(&code, sizeof(code));
	return err;
}

static enum tacit_err refuse_meeting(struct exchange *x, enum tacit_err err, unsigned left)
{
	switch (err) {
	case TACIT_E_BAD_PASSWORD:
		return refuse_guess(x, left);
	case TACIT_E_NETWORK:
		return agent_refuse(x, AGENT_SERVER_UNREACHABLE);
	case TACIT_E_UNSUPPORTED:
		return agent_refuse_because(
		        x, AGENT_SERVER_UNREACHABLE, "The server has no relay for transfers.");
	case TACIT_E_LIMIT:
		return agent_refuse(x, AGENT_RATE_LIMITED);
	case TACIT_E_NOT_FOUND:
	case TACIT_E_GONE:
		return agent_refuse(x, AGENT_SESSION_NOT_FOUND);
	default:
		return err;
	}
}

/* One guess of ours at somebody's session; the entry counts them. */
static enum tacit_err guess(struct exchange *x, struct session *s, const struct join_wish *w)
{
	struct met met = {{0}, false};
	enum tacit_err err = meet_there(x, s, w, &met);
	pthread_mutex_lock(&s->lock);
	s->joining = false;
	if (err == TACIT_E_BAD_PASSWORD)
		s->tries_left--;
	unsigned left = s->tries_left;
	if (left == 0)
		session_end(s, SESSION_LOCKED);
	if (err == TACIT_OK && s->state != SESSION_WAITING)
		err = TACIT_E_GONE; /* forgotten meanwhile */
	if (err == TACIT_OK) {
		memcpy(s->root, met.root, sizeof(s->root));
		s->nearby = met.nearby;
		s->state = SESSION_JOINED;
		s->guessed = false;
		session_touch(s);
		err = session_note(x->agent->sessions, s);
		if (err == TACIT_OK)
			err = session_link(s);
	}
	pthread_mutex_unlock(&s->lock);
	tacit_wipe(&met, sizeof(met));
	if (err != TACIT_OK && left == MEETING_TRIES)
		session_remove(x->agent->sessions, s);
	return err == TACIT_OK ? TACIT_OK : refuse_meeting(x, err, left);
}

static enum tacit_err join_there(struct exchange *x, struct session *s, const struct join_wish *w)
{
	pthread_mutex_lock(&s->lock);
	bool may = s->state == SESSION_WAITING && !s->joining;
	s->joining |= may;
	enum tacit_err err = may ? TACIT_OK : refuse_state(x, s);
	pthread_mutex_unlock(&s->lock);
	return err == TACIT_OK ? guess(x, s, w) : err;
}

enum tacit_err join_session(struct exchange *x, const struct join_wish *w, struct session **out)
{
	enum tacit_err err = TACIT_OK;
	struct session *s = session_find(x->agent->sessions, w->id);
	*out = NULL;
	if (s == NULL) {
		err = session_new(x->agent->sessions, w->id, SESSION_JOINER, &s);
		if (err == TACIT_E_EXISTS)
			err = agent_refuse(x, AGENT_ALREADY_JOINED);
		if (err == TACIT_E_LIMIT)
			err = agent_refuse(x, AGENT_TOO_MANY);
		TRY(err);
	}
	TRY(s->part == SESSION_CREATOR ? join_here(x, s, w) : join_there(x, s, w));
	*out = s;
	s = NULL;
out:
	session_drop(s);
	return err;
}
