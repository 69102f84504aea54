#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

enum tacit_err_class tacit_err_class(enum tacit_err e)
{
	return (enum tacit_err_class)((int)e / 100);
}

const char *tacit_err_name(enum tacit_err e)
{
	switch (e) {
	case TACIT_OK:
		return "OK";
#define TACIT_ERR(name, cls, n, text)                                                              \
	case TACIT_E_##name:                                                                       \
		return #name;
#include "base/err.def"
#undef TACIT_ERR
	}
	return "UNKNOWN";
}

const char *tacit_err_text(enum tacit_err e)
{
	switch (e) {
	case TACIT_OK:
		return "Done.";
#define TACIT_ERR(name, cls, n, text)                                                              \
	case TACIT_E_##name:                                                                       \
		return text;
#include "base/err.def"
#undef TACIT_ERR
	}
	return "An unknown error happened.";
}

void tacit_assert_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "tacit: bug: %s at %s:%d\n", what, file, line);
	abort();
}
