/* random.h - the system's randomness, for hosts that fill a tacit_env. */
#ifndef TACIT_CRYPTO_RANDOM_H
#define TACIT_CRYPTO_RANDOM_H

#include "base/env.h"

void tacit_random(void *out, size_t n);

/* The system clock, whose seconds begin when those of every other program do, and tacit_random. */
struct tacit_env tacit_system_env(void);

#endif
