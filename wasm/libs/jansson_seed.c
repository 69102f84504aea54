/* The seed of jansson's hash tables, as its hashtable_seed.c has it from the system: texts of the
 * server's choice shall not collide. */
#include <jansson.h>

#include "wasm/host.h"

extern volatile uint32_t hashtable_seed;
volatile uint32_t hashtable_seed;

void json_object_seed(size_t seed)
{
	uint32_t drawn = (uint32_t)seed;
	while (hashtable_seed == 0) {
		hashtable_seed = drawn;
		tacit_host_random(&drawn, sizeof(drawn));
	}
}
