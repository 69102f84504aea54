#define _GNU_SOURCE /* accept4 */
#include "client/race.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/monotonic.h"
#include "crypto/secret.h"

#define BACKLOG 128
#define MEETING_BYTES                                                                              \
	(1 + 1 + 1 + TACIT_SPAKE2_MESSAGE_BYTES) /* a PAKE, the first of a meeting                 \
	                                          */
#define MEETING_KIND 1

/* --- life ------------------------------------------------------------------------------------ */

void race_init(struct race *r, const struct race_options *o)
{
	*r = (struct race){.env = o->env,
	        .cancel = o->cancel,
	        .role = o->role,
	        .rooted = o->root != NULL,
	        .listeners = {-1, -1}};
	if (o->root != NULL)
		memcpy(r->root, o->root, sizeof(r->root));
}

static void drop(struct race_lane *l)
{
	direct_close(l->line);
	tacit_direct_clear(&l->shake);
	*l = (struct race_lane){0};
}

void race_close(struct race *r)
{
	for (size_t i = 0; i < RACE_LANES; i++)
		drop(&r->lanes[i]);
	for (size_t i = 0; i < 2; i++)
		if (r->listeners[i] >= 0)
			close(r->listeners[i]);
	tacit_wipe(r, sizeof(*r));
	r->listeners[0] = r->listeners[1] = -1;
}

/* --- lanes ----------------------------------------------------------------------------------- */

static bool is_proven(const struct race_lane *l)
{
	return l->shake.state >= TACIT_DIRECT_PROVEN;
}

/* A free lane, or that of the stranger who has had the longest time. */
static struct race_lane *lane_for_stranger(struct race *r)
{
	struct race_lane *oldest = NULL;
	for (size_t i = 0; i < RACE_LANES; i++) {
		struct race_lane *l = &r->lanes[i];
		if (l->line == NULL)
			return l;
		if (l->called && !is_proven(l) && (oldest == NULL || l->due < oldest->due))
			oldest = l;
	}
	if (oldest != NULL)
		drop(oldest);
	return oldest;
}

static struct race_lane *free_lane(struct race *r)
{
	for (size_t i = 0; i < RACE_LANES; i++)
		if (r->lanes[i].line == NULL)
			return &r->lanes[i];
	return NULL;
}

static enum tacit_err begin(struct race *r, struct race_lane *l)
{
	enum tacit_err err = TACIT_OK;
	struct tacit_buf hello = {0};
	const struct tacit_direct_options o = {
	        r->env, r->root, r->role, l->called ? TACIT_DIRECT_CALLED : TACIT_DIRECT_CALLER};
	if (!r->rooted)
		return TACIT_OK;
	TRY(tacit_direct_begin(&l->shake, &o, &hello));
	if (hello.n > 0)
		TRY(direct_send(l->line, tacit_buf_view(&hello)));
out:
	tacit_buf_clear(&hello);
	return err;
}

/* --- listening and calling ------------------------------------------------------------------- */

static int listen_on(const struct sockaddr *address, socklen_t n)
{
	int yes = 1;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (bind(fd, address, n) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return 0;
	memcpy(&v4, &a, sizeof(v4));
	memcpy(&v6, &a, sizeof(v6));
	return ntohs(a.ss_family == AF_INET ? v4.sin_port : v6.sin6_port);
}

enum tacit_err race_listen(struct race *r, const struct tacit_parcel_address *on, uint16_t port)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool is_v4 = on != NULL && memcmp(on->b, mapped, sizeof(mapped)) == 0;
	if (is_v4)
		memcpy(&v4.sin_addr, on->b + sizeof(mapped), sizeof(v4.sin_addr));
	else if (on != NULL)
		memcpy(&v6.sin6_addr, on->b, sizeof(v6.sin6_addr));
	if (on == NULL || is_v4) {
		r->listeners[0] = listen_on((const struct sockaddr *)&v4, sizeof(v4));
		r->port = port_of(r->listeners[0]);
		port = r->port != 0 ? r->port : port;
	}
	v6.sin6_port = htons(port);
	if (on == NULL || !is_v4) {
		r->listeners[1] = listen_on((const struct sockaddr *)&v6, sizeof(v6));
		r->port = r->port != 0 ? r->port : port_of(r->listeners[1]);
	}
	return r->port != 0 ? TACIT_OK : TACIT_E_IO;
}

void race_call(struct race *r, const struct tacit_parcel_ways *ways)
{
	for (size_t i = 0; i < ways->count; i++) {
		struct race_lane *l = free_lane(r);
		if (l == NULL ||
		        direct_call(&ways->list[i], ways->port, r->cancel, &l->line) != TACIT_OK)
			continue;
		l->due = monotonic_ms() + RACE_PROVE_S * 1000;
	}
}

static void welcome(struct race *r, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return; /* nobody, or somebody who has left already */
		struct race_lane *l = lane_for_stranger(r);
		if (l == NULL) {
			close(fd);
			return;
		}
		if (direct_adopt(fd, r->cancel, &l->line) != TACIT_OK)
			continue;
		l->called = l->ready = true;
		l->due = monotonic_ms() + RACE_PROVE_S * 1000;
		if (begin(r, l) != TACIT_OK)
			drop(l);
	}
}

/* --- turns ----------------------------------------------------------------------------------- */

static enum tacit_err answer(struct race_lane *l, struct tacit_bytes message)
{
	enum tacit_err err;
	struct tacit_buf out = {0};
	TRY(tacit_direct_input(&l->shake, message, &out));
	if (out.n > 0)
		TRY(direct_send(l->line, tacit_buf_view(&out)));
out:
	tacit_buf_clear(&out);
	return err;
}

/* What a stranger says first, when it is the beginning of a meeting, is left to be read. */
static bool begins_meeting(struct direct *line, struct tacit_bytes message)
{
	direct_again(line);
	return message.n == MEETING_BYTES && message.p[0] == MEETING_KIND;
}

static bool has_won(const struct race *r, const struct race_lane *l)
{
	return r->role == TACIT_PARCEL_SENDER ? is_proven(l)
	                                      : l->shake.state == TACIT_DIRECT_CHOSEN;
}

/* Fails: the lane is of no use. */
static enum tacit_err turn(struct race *r, struct race_lane *l, bool *won)
{
	enum tacit_err err;
	if (!l->ready) {
		TRY(direct_ready(l->line, &l->ready));
		if (!l->ready)
			return monotonic_ms() < l->due ? TACIT_OK : TACIT_E_NETWORK;
		TRY(begin(r, l));
	}
	if (!r->rooted && !l->called) {
		*won = true;
		return TACIT_OK;
	}
	for (;;) {
		struct tacit_bytes message;
		bool got = false;
		TRY(direct_next(l->line, 0, &message, &got));
		if (!got)
			break;
		if (!r->rooted) {
			*won = begins_meeting(l->line, message);
			return *won ? TACIT_OK : TACIT_E_MALFORMED;
		}
		TRY(answer(l, message));
		*won = has_won(r, l);
		if (*won)
			return TACIT_OK;
	}
	err = is_proven(l) || monotonic_ms() < l->due ? TACIT_OK : TACIT_E_NETWORK;
out:
	return err;
}

void race_turn(struct race *r, int *winner)
{
	*winner = -1;
	for (size_t i = 0; i < 2; i++)
		if (r->listeners[i] >= 0)
			welcome(r, r->listeners[i]);
	for (int i = 0; i < RACE_LANES && *winner < 0; i++) {
		struct race_lane *l = &r->lanes[i];
		bool won = false;
		if (l->line == NULL)
			continue;
		if (turn(r, l, &won) != TACIT_OK)
			drop(l);
		else if (won)
			*winner = i;
	}
}

bool race_runs(const struct race *r)
{
	for (size_t i = 0; i < RACE_LANES; i++)
		if (r->lanes[i].line != NULL)
			return true;
	return false;
}

size_t race_poll(const struct race *r, struct pollfd *out)
{
	size_t n = 0;
	for (size_t i = 0; i < 2; i++)
		if (r->listeners[i] >= 0)
			out[n++] = (struct pollfd){.fd = r->listeners[i], .events = POLLIN};
	for (size_t i = 0; i < RACE_LANES; i++)
		if (r->lanes[i].line != NULL)
			out[n++] = direct_poll(r->lanes[i].line);
	return n;
}

enum tacit_err race_take(
        struct race *r, int winner, struct direct **line, struct tacit_channel *channel)
{
	enum tacit_err err = TACIT_OK;
	struct race_lane *l = &r->lanes[winner];
	struct tacit_buf out = {0};
	*line = NULL;
	if (r->rooted && r->role == TACIT_PARCEL_SENDER) {
		TRY(tacit_direct_choose(&l->shake, &out));
		TRY(direct_send(l->line, tacit_buf_view(&out)));
	}
	if (r->rooted) {
		*channel = l->shake.channel;
		tacit_wipe(&l->shake.channel, sizeof(l->shake.channel));
	}
	*line = l->line;
	l->line = NULL;
out:
	tacit_buf_clear(&out);
	drop(l);
	return err;
}
