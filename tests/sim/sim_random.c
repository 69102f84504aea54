#include "sim/sim.h"

/* SplitMix64 (Steele, Lea, Flood 2014): any state will do, zero included. */
uint64_t sim_next(struct sim_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t sim_below(struct sim_random *r, uint64_t n)
{
	uint64_t drawn = sim_next(r);
	return n > 0 ? drawn % n : 0;
}

bool sim_chance(struct sim_random *r, unsigned in_ten_thousand)
{
	return sim_below(r, 10000) < in_ten_thousand;
}

void sim_fill(void *random, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(sim_next(random) >> 24);
}
