#include "server/steady.h"

#include <time.h>

#include "base/reader.h"

static int64_t milliseconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall(void *ctx)
{
	(void)ctx;
	return milliseconds(CLOCK_REALTIME);
}

static int64_t system_since_boot(void *ctx)
{
	(void)ctx;
	return milliseconds(CLOCK_BOOTTIME);
}

struct steady_source steady_system_source(void)
{
	return (struct steady_source){.wall = system_wall, .since_boot = system_since_boot};
}

static void raise(struct steady *s, int64_t boot)
{
	int64_t known = atomic_load(&s->boot);
	while (boot > known && !atomic_compare_exchange_weak(&s->boot, &known, boot))
		continue;
}

/* The wall first: whoever is kept waiting between the two reads a smaller difference, which the
 * maximum leaves out. */
static int64_t read_milliseconds(struct steady *s, int64_t *wall)
{
	*wall = s->source.wall(s->source.ctx);
	int64_t since_boot = s->source.since_boot(s->source.ctx);
	raise(s, *wall - since_boot);
	return atomic_load(&s->boot) + since_boot;
}

void steady_init(struct steady *s, const struct steady_source *source)
{
	s->source = *source;
	int64_t wall = source->wall(source->ctx);
	atomic_init(&s->boot, wall - source->since_boot(source->ctx));
}

/* This clock and the machine's, as they were; the time between the mark and now is what the
 * machine's clock says, when that is more than nothing. */
enum tacit_err steady_resume(struct steady *s, struct tacit_bytes mark)
{
	struct tacit_reader r = tacit_reader(mark);
	int64_t steady = (int64_t)tacit_read_u64(&r), wall_then = (int64_t)tacit_read_u64(&r);
	if (tacit_reader_end(&r) != TACIT_OK || steady < wall_then || wall_then < 0)
		return TACIT_E_MALFORMED;
	int64_t wall = s->source.wall(s->source.ctx);
	int64_t away = wall > wall_then ? wall - wall_then : 0;
	raise(s, steady + away - s->source.since_boot(s->source.ctx));
	return TACIT_OK;
}

static void put(uint8_t *out, int64_t x)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)x >> (56 - 8 * i));
}

void steady_mark(struct steady *s, uint8_t out[STEADY_MARK_BYTES])
{
	int64_t wall;
	int64_t steady = read_milliseconds(s, &wall);
	put(out, steady);
	put(out + 8, wall);
}

int64_t steady_now(struct steady *s)
{
	int64_t wall;
	return read_milliseconds(s, &wall) / 1000;
}

int64_t steady_ahead(struct steady *s)
{
	int64_t wall;
	int64_t steady = read_milliseconds(s, &wall);
	return (steady - wall) / 1000;
}
