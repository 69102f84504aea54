/* What the module's host lends it, for tests: the same randomness and the same hour each time. */
#include <stdint.h>

#include "wasm/host.h"

void tacit_host_random(void *out, size_t n)
{
	static uint8_t next;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = next++;
}

double tacit_host_now(void)
{
	return 1700000000;
}
