/* states.h - where the Keccak states of PQClean live: included before its fips202.c by the
 * compiler.
 *
 * That file takes each state from malloc, ends the program where there is none, and frees it
 * unwiped. It never holds two at a time in what we use, so one per thread serves: nothing is
 * allocated, nothing can fail, and what was in it is gone with its release. */
#ifndef TACIT_CRYPTO_PQCLEAN_STATES_H
#define TACIT_CRYPTO_PQCLEAN_STATES_H

#include <stddef.h>
#include <stdlib.h>

void *tacit_keccak_state(size_t n);
void tacit_keccak_release(void *state);

#define malloc tacit_keccak_state
#define free tacit_keccak_release

#endif
