#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

static int (*fault)(void *ctx);
static void *fault_ctx;

void tacit_alloc_set_fault(int (*should_fail)(void *ctx), void *ctx)
{
	fault = should_fail;
	fault_ctx = ctx;
}

static int failing(void)
{
	return fault != NULL && fault(fault_ctx);
}

void *tacit_alloc(size_t n)
{
	return failing() ? NULL : malloc(n > 0 ? n : 1);
}

void *tacit_calloc(size_t count, size_t size)
{
	if (failing())
		return NULL;
	return calloc(count > 0 ? count : 1, size > 0 ? size : 1);
}

void *tacit_realloc(void *p, size_t n)
{
	return failing() ? NULL : realloc(p, n > 0 ? n : 1);
}

void tacit_free(void *p)
{
	free(p);
}
