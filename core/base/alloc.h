/* alloc.h - the one door to the heap for core, so that tests can fail the Nth allocation.
 *
 * Thread-safe as malloc is. The failure hook is for tests and set before threads start. */
#ifndef TACIT_BASE_ALLOC_H
#define TACIT_BASE_ALLOC_H

#include <stddef.h>
#include "base/attr.h"

/* n may be 0 (a unique pointer comes back). NULL when out of memory. */
TACIT_MUST_USE void *tacit_alloc(size_t n);
/* Zeroed; NULL also when count * size overflows. */
TACIT_MUST_USE void *tacit_calloc(size_t count, size_t size);
/* Never for secrets: the old block is not wiped. p is unchanged on failure. */
TACIT_MUST_USE void *tacit_realloc(void *p, size_t n);
void tacit_free(void *p); /* NULL is fine */

/* Called before each allocation; returning true makes it fail. NULL removes it. */
void tacit_alloc_set_fault(int (*should_fail)(void *ctx), void *ctx);

#endif
