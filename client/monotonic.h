/* monotonic.h - the clock for waiting: it goes on by itself, whatever the time of day is set to. */
#ifndef TACIT_CLIENT_MONOTONIC_H
#define TACIT_CLIENT_MONOTONIC_H

#include <stdint.h>

/* Since some moment in the past. */
int64_t monotonic_ms(void);
int64_t monotonic_s(void);

#endif
