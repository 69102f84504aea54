#include "agent/nearby.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "client/lan.h"
#include "client/race.h"

#define TURN_MS 100 /* lan_turn wants ten a second */

struct nearby {
	const struct session *session;
	struct race race;
	struct lan *lan;
};

static uint32_t nameplate_of(const struct session *s, const uint8_t *root)
{
	uint8_t id[TACIT_PARCEL_RESUME_BYTES];
	if (root == NULL)
		return meeting_nameplate(tacit_cstr(s->id));
	tacit_channel_resume_id(root, id);
	return meeting_nameplate(tacit_bytes(id, sizeof(id)));
}

static enum tacit_err begin(struct nearby *n, const struct nearby_wish *w)
{
	enum tacit_err err;
	const struct tacit_env *env = &n->session->agent->env;
	uint32_t nameplate = nameplate_of(n->session, w->root);
	const struct race_options o = {
	        .env = env,
	        .cancel = &n->session->stop,
	        .role = w->end == LINK_FIRST ? TACIT_PARCEL_SENDER : TACIT_PARCEL_RECEIVER,
	        .root = w->root,
	};
	race_init(&n->race, &o);
	if (w->end == LINK_SECOND)
		return lan_ask(env, nameplate, &n->lan);
	TRY(race_listen(&n->race, NULL, 0));
	TRY(lan_announce(env, nameplate, n->race.port, &n->lan));
out:
	return err;
}

static enum tacit_err wait_turn(const struct nearby *n)
{
	struct pollfd all[RACE_LANES + 2];
	if (poll(all, race_poll(&n->race, all), TURN_MS) < 0 && errno != EINTR)
		return TACIT_E_IO;
	return n->session->stop != 0 || agent_is_ending(n->session->agent) ? TACIT_E_CANCELLED
	                                                                   : TACIT_OK;
}

/* Until a connection has won. */
static enum tacit_err seek(struct nearby *n, int64_t until_s, int *winner)
{
	enum tacit_err err;
	struct tacit_parcel_ways found;
	for (;;) {
		TRY(lan_turn(n->lan, &found));
		race_call(&n->race, &found);
		race_turn(&n->race, winner);
		if (*winner >= 0)
			break;
		TRY(agent_monotonic_s() < until_s ? TACIT_OK : TACIT_E_NOT_FOUND);
		TRY(wait_turn(n));
	}
out:
	return err;
}

enum tacit_err nearby_find(const struct session *s, const struct nearby_wish *w,
        struct link_line *line, struct tacit_channel *c)
{
	enum tacit_err err;
	int winner = -1;
	struct nearby *n = tacit_calloc(1, sizeof(*n));
	if (n == NULL)
		return TACIT_E_NOMEM;
	n->session = s;
	TRY(begin(n, w));
	TRY(seek(n, w->until_s, &winner));
	TRY(race_take(&n->race, winner, &line->direct, c));
out:
	lan_close(n->lan);
	race_close(&n->race);
	tacit_free(n);
	return err;
}
