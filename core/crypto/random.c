#include "crypto/random.h"

#include <sodium.h>
#include <time.h>

#include "base/attr.h"

void tacit_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

/* Not time(): its seconds begin some milliseconds late, when a one-time code of the new one is
 * there. */
static int64_t system_now(void *ctx)
{
	struct timespec t;
	(void)ctx;
	TACIT_ASSERT(clock_gettime(CLOCK_REALTIME, &t) == 0);
	return (int64_t)t.tv_sec;
}

static void system_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	tacit_random(out, n);
}

struct tacit_env tacit_system_env(void)
{
	return (struct tacit_env){system_now, system_random, NULL};
}
