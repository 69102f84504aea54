/* link.c - finding the other agent, and finding it again.
 *
 *   WAITING: id of the session --there--> one meeting --right--> JOINED
 *                 ^------------------------wrong, left----------|   (each begun one costs a try)
 *   JOINED:  id of the key --there--> HELLO both ways --> files both ways (exchange_files)
 *                 ^------------------------lost-----------------|
 *   there: paired by the relay; where that cannot be reached, found on this network */
#include "agent/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/nearby.h"
#include "agent/traffic.h"
#include "crypto/encoding.h"

#define MEETING_MS 20000 /* for each message of a meeting */
#define LOOK_MS 500      /* how late a closed session may be noticed */
#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS 5000
#define NEARBY_S 60 /* on this network, before the server is tried again */

/* --- lines ------------------------------------------------------------------------------------ */

enum tacit_err link_line_open(struct link_line *l, const struct session *s,
        const uint8_t id[TACIT_RELAY_ID_BYTES], enum link_end end)
{
	enum tacit_err err;
	const struct agent *a = s->agent;
	char hex[2 * TACIT_RELAY_ID_BYTES + 1], query[128];
	const struct http_options http = {
	        .server = a->server,
	        .ca_file = a->o->ca_file,
	        .insecure_http = a->o->insecure_http,
	        .cancel = &s->stop,
	};
	*l = (struct link_line){0};
	tacit_hex(tacit_bytes(id, TACIT_RELAY_ID_BYTES), hex);
	snprintf(query, sizeof(query), "resume=%s&role=%s", hex,
	        end == LINK_FIRST ? "sender" : "receiver");
	TRY(http_open(&http, &l->http));
	const struct relay_options relay = {
	        .http = l->http, .env = &a->env, .query = query, .cancel = &s->stop};
	TRY(relay_open(&relay, &l->relay));
out:
	if (err != TACIT_OK)
		link_line_close(l);
	return err;
}

void link_line_close(struct link_line *l)
{
	relay_close(l->relay);
	direct_finish(l->direct);
	http_close(l->http);
	*l = (struct link_line){0};
}

enum tacit_err link_line_send(struct link_line *l, struct tacit_bytes message)
{
	const struct tacit_relay_message m = {.type = TACIT_RELAY_DATA, .data = message};
	return l->direct != NULL ? direct_send(l->direct, message) : relay_send(l->relay, &m);
}

void link_line_say_wrong(struct link_line *l)
{
	const struct tacit_relay_message wrong = {.type = TACIT_RELAY_WRONG};
	if (l->relay == NULL)
		return;
	tacit_ignore(relay_send(l->relay, &wrong), "the other one finds out by itself");
}

static enum tacit_err end_error(enum tacit_relay_end why)
{
	switch (why) {
	case TACIT_RELAY_MISMATCH:
		return TACIT_E_BAD_PASSWORD;
	case TACIT_RELAY_LIMIT:
		return TACIT_E_LIMIT;
	case TACIT_RELAY_MISUSED:
		return TACIT_E_MALFORMED;
	default:
		return TACIT_E_GONE;
	}
}

enum tacit_err link_line_next(
        struct link_line *l, int timeout_ms, struct tacit_bytes *message, bool *got)
{
	enum tacit_err err;
	struct tacit_relay_message m;
	if (l->direct != NULL)
		return direct_next(l->direct, timeout_ms, message, got);
	TRY(relay_next(l->relay, timeout_ms, &m, got));
	if (!*got)
		goto out;
	if (m.type == TACIT_RELAY_ENDED)
		TRY(end_error(m.end));
	TRY(m.type == TACIT_RELAY_DATA ? TACIT_OK : TACIT_E_MALFORMED);
	*message = m.data;
out:
	return err;
}

enum tacit_err link_wait_paired(struct link_line *l, int timeout_ms, bool *paired)
{
	enum tacit_err err;
	struct tacit_relay_message m;
	bool got;
	*paired = false;
	TRY(relay_next(l->relay, timeout_ms, &m, &got));
	if (got && m.type == TACIT_RELAY_ENDED)
		TRY(end_error(m.end));
	if (got && m.type != TACIT_RELAY_PAIRED)
		TRY(TACIT_E_MALFORMED);
	*paired = got;
out:
	return err;
}

/* --- meeting ---------------------------------------------------------------------------------- */

static enum tacit_err next_message(struct link_line *l, struct tacit_bytes *message)
{
	bool got;
	enum tacit_err err = link_line_next(l, MEETING_MS, message, &got);
	return err == TACIT_OK && !got ? TACIT_E_GONE : err;
}

/* RFC 9382 3.3: the message, then the confirmation, each way. */
enum tacit_err link_meet(
        struct link_line *l, struct meeting *m, bool *began, uint8_t root[TACIT_PARCEL_ROOT_BYTES])
{
	enum tacit_err err;
	struct tacit_buf out = {0};
	struct tacit_bytes message;
	*began = false;
	TRY(link_line_send(l, tacit_buf_view(&m->first)));
	TRY(next_message(l, &message));
	TRY(tacit_channel_greet(&m->channel, message, &out));
	*began = true;
	TRY(link_line_send(l, tacit_buf_view(&out)));
	TRY(next_message(l, &message));
	err = tacit_channel_greet(&m->channel, message, &out);
	if (err == TACIT_E_BAD_PASSWORD)
		link_line_say_wrong(l);
	TRY(err);
	memcpy(root, m->channel.root, TACIT_PARCEL_ROOT_BYTES);
out:
	tacit_buf_clear(&out);
	return err;
}

/* The meeting of this try, and its price. False: the session takes no tries any more. */
static bool take_meeting(struct session *s, struct meeting *m)
{
	pthread_mutex_lock(&s->lock);
	bool may = s->state == SESSION_WAITING && s->tries_left > 0;
	if (may) {
		*m = s->next_meeting;
		s->next_meeting = (struct meeting){0};
		s->tries_left--;
		may = session_prepare(s) == TACIT_OK;
	}
	pthread_mutex_unlock(&s->lock);
	return may;
}

static void settle(struct session *s, enum tacit_err err, bool began, const uint8_t *root)
{
	pthread_mutex_lock(&s->lock);
	if (!began || err == TACIT_OK)
		s->tries_left++;
	if (err == TACIT_OK && s->state == SESSION_WAITING) {
		memcpy(s->root, root, sizeof(s->root));
		s->state = SESSION_JOINED;
		meeting_clear(&s->next_meeting);
		tacit_wipe(&s->code, sizeof(s->code));
		session_touch(s);
		pthread_cond_broadcast(&s->changed);
	} else if (s->tries_left == 0 && s->state == SESSION_WAITING) {
		session_end(s, SESSION_LOCKED);
	}
	pthread_mutex_unlock(&s->lock);
}

static enum tacit_err hold_meeting(struct session *s, struct link_line *l)
{
	uint8_t root[TACIT_PARCEL_ROOT_BYTES] = {0};
	struct meeting m = {0};
	bool began = false;
	if (!take_meeting(s, &m)) {
		meeting_clear(&m);
		return TACIT_E_GONE;
	}
	enum tacit_err err = link_meet(l, &m, &began, root);
	settle(s, err, began, root);
	meeting_clear(&m);
	tacit_wipe(root, sizeof(root));
	return err;
}

/* --- the thread --------------------------------------------------------------------------------
 */

static void set_online(struct session *s, bool online)
{
	pthread_mutex_lock(&s->lock);
	s->online = online;
	pthread_mutex_unlock(&s->lock);
}

static void set_linked(struct session *s, bool linked)
{
	pthread_mutex_lock(&s->lock);
	s->linked = linked;
	s->met |= linked;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static enum tacit_err wait_at_relay(struct session *s, struct link_line *l)
{
	enum tacit_err err = TACIT_OK;
	bool paired = false;
	set_online(s, true);
	while (!paired && s->stop == 0)
		TRY(link_wait_paired(l, LOOK_MS, &paired));
	err = s->stop != 0 ? TACIT_E_CANCELLED : TACIT_OK;
out:
	return err;
}

static bool has_no_relay(enum tacit_err err)
{
	return err == TACIT_E_NETWORK || err == TACIT_E_UNSUPPORTED;
}

/* Two that have met on this network look for each other there. c is open when it was there, and
 * root not NULL. */
static enum tacit_err find_other(
        struct session *s, const uint8_t *root, struct link_line *l, struct tacit_channel *c)
{
	enum tacit_err err = TACIT_E_NETWORK;
	uint8_t id[TACIT_RELAY_ID_BYTES];
	enum link_end end = s->part == SESSION_CREATOR ? LINK_FIRST : LINK_SECOND;
	if (root != NULL)
		tacit_channel_resume_id(root, id);
	else
		meeting_relay_id(tacit_cstr(s->id), id);
	if (!s->nearby)
		err = link_line_open(l, s, id, end);
	if (err == TACIT_OK)
		return wait_at_relay(s, l);
	if (!has_no_relay(err) || !s->agent->settings.lan)
		return err;
	const struct nearby_wish w = {end, root, agent_monotonic_s() + NEARBY_S};
	enum tacit_err found = nearby_find(s, &w, l, c);
	return found == TACIT_E_NOT_FOUND || found == TACIT_E_IO ? err : found;
}

static enum tacit_err wait_for_joiner(struct session *s)
{
	enum tacit_err err;
	struct link_line l = {0};
	struct tacit_channel none = {0};
	TRY(find_other(s, NULL, &l, &none));
	TRY(hold_meeting(s, &l));
	pthread_mutex_lock(&s->lock);
	s->nearby = l.direct != NULL;
	pthread_mutex_unlock(&s->lock);
out:
	set_online(s, false);
	link_line_close(&l);
	return err;
}

static enum tacit_err greet_again(struct session *s, struct link_line *l, struct tacit_channel *c,
        const uint8_t root[TACIT_PARCEL_ROOT_BYTES])
{
	enum tacit_err err;
	struct tacit_buf out = {0};
	struct tacit_bytes message;
	TRY(tacit_channel_rejoin(c, root,
	        s->part == SESSION_CREATOR ? TACIT_PARCEL_SENDER : TACIT_PARCEL_RECEIVER,
	        &s->agent->env, &out));
	TRY(link_line_send(l, tacit_buf_view(&out)));
	TRY(next_message(l, &message));
	TRY(tacit_channel_greet(c, message, &out));
out:
	tacit_buf_clear(&out);
	return err;
}

static enum tacit_err exchange_files(struct session *s, struct traffic *t)
{
	enum tacit_err err;
	struct link_line l = {0};
	struct tacit_channel c = {0};
	uint8_t root[TACIT_PARCEL_ROOT_BYTES];
	pthread_mutex_lock(&s->lock);
	memcpy(root, s->root, sizeof(root));
	pthread_mutex_unlock(&s->lock);
	TRY(find_other(s, root, &l, &c));
	if (l.direct == NULL)
		TRY(greet_again(s, &l, &c, root));
	set_linked(s, true);
	TRY(traffic_run(s, t, &l, &c));
out:
	set_linked(s, false);
	set_online(s, false);
	link_line_close(&l);
	tacit_channel_clear(&c);
	tacit_wipe(root, sizeof(root));
	return err;
}

/* Longer from one failure to the next; a closed session is noticed meanwhile. */
static void rest(const struct session *s, unsigned failures)
{
	unsigned shift = failures < 6 ? failures : 6;
	int64_t ms = (int64_t)FIRST_PAUSE_MS << shift;
	ms = ms < LAST_PAUSE_MS ? ms : LAST_PAUSE_MS;
	for (int64_t spent = 0; spent < ms && s->stop == 0; spent += FIRST_PAUSE_MS) {
		struct timespec t = {0, FIRST_PAUSE_MS * 1000000L};
		while (nanosleep(&t, &t) != 0 && errno == EINTR)
			continue;
	}
}

void link_run(struct session *s)
{
	unsigned failures = 0;
	struct traffic *t = NULL;
	while (s->stop == 0) {
		enum tacit_err err = TACIT_OK;
		pthread_mutex_lock(&s->lock);
		bool joined = s->state == SESSION_JOINED, local = s->local;
		pthread_mutex_unlock(&s->lock);
		if (local)
			break;
		if (t == NULL)
			err = traffic_new(s, &t);
		if (err == TACIT_OK)
			err = joined ? exchange_files(s, t) : wait_for_joiner(s);
		bool network = has_no_relay(err) || err == TACIT_E_LIMIT || err == TACIT_E_NOMEM;
		failures = network ? failures + 1 : 0;
		if (err != TACIT_OK && s->stop == 0)
			rest(s, failures);
	}
	traffic_free(t);
}
