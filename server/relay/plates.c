#include "server/relay/plates.h"

#include <string.h>

#include "crypto/secret.h"

#define LEAST_DECADE 10
#define MOST_DECADE 1000000000u

static bool is_taken(const struct desk *d, uint32_t nameplate)
{
	for (size_t i = 0; i < DESK_RESTING; i++)
		if (d->resting[i].number == nameplate)
			return true;
	for (const struct end *e = d->all.next; e != &d->all; e = e->next)
		if (e->nameplate.number == nameplate)
			return true;
	return false;
}

uint32_t plates_choose(struct desk *d)
{
	for (uint32_t decade = LEAST_DECADE; decade < MOST_DECADE; decade *= 10) {
		uint32_t from = decade / 10, width = decade - from, random;
		tacit_env_random(&d->settings.env, &random, sizeof(random));
		/* Enough to find a free one where half are free; where none is, a longer one. */
		for (uint32_t i = 0; i < width && i < 100; i++) {
			uint32_t n = from + (random % width + i) % width;
			if (!is_taken(d, n))
				return n;
		}
	}
	return 0;
}

void plates_rest(struct desk *d, struct end *e)
{
	if (e->nameplate.number == 0)
		return;
	d->resting[d->rested++ % DESK_RESTING] = e->nameplate;
	e->nameplate = (struct desk_nameplate){0};
}

unsigned plates_waiting(const struct desk *d, uint64_t address)
{
	unsigned n = 0;
	for (const struct end *e = d->all.next; e != &d->all; e = e->next)
		n += e->nameplate.number != 0 && e->address == address;
	return n;
}

static bool is_waited_under(const struct desk *d, uint32_t nameplate)
{
	for (const struct end *e = d->all.next; e != &d->all; e = e->next)
		if (e->nameplate.number == nameplate && !e->over)
			return true;
	return false;
}

uint32_t plates_take_again(struct desk *d, const struct desk_nameplate *wanted)
{
	static const uint8_t nobody[DESK_TICKET_BYTES];
	if (memcmp(wanted->ticket, nobody, sizeof(nobody)) == 0 ||
	        is_waited_under(d, wanted->number))
		return 0;
	for (size_t i = 0; i < DESK_RESTING; i++) {
		struct desk_nameplate *rests = &d->resting[i];
		if (rests->number != wanted->number ||
		        !tacit_ct_eq(tacit_bytes(rests->ticket, sizeof(rests->ticket)),
		                tacit_bytes(wanted->ticket, sizeof(wanted->ticket))))
			continue;
		*rests = (struct desk_nameplate){0};
		return wanted->number;
	}
	return 0;
}
