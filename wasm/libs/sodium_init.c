/* What libsodium's core.c, runtime.c and randombytes/ are natively. There is one thread and one
 * implementation of everything here, so nothing is to be chosen or locked; randomness is the host's
 * (wasm/host.h). */
#include <sodium.h>
#include <stdlib.h>

#include "wasm/host.h"

int sodium_init(void)
{
	return 0;
}

void sodium_misuse(void)
{
	abort();
}

void randombytes_buf(void *const buf, const size_t size)
{
	tacit_host_random(buf, size);
}

uint32_t randombytes_random(void)
{
	uint32_t x;
	tacit_host_random(&x, sizeof(x));
	return x;
}
