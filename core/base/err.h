/* err.h - the one closed set of errors. 0 is success and nothing else.
 *
 * The class is in the number (class * 100 + ordinal): callers switch on the class, logs and tests
 * on the code. err.def is the list. */
#ifndef TACIT_BASE_ERR_H
#define TACIT_BASE_ERR_H

#include "base/attr.h"

enum tacit_err_class {
	TACIT_CLASS_OK = 0,
	TACIT_CLASS_USAGE = 1,  /* the caller's mistake */
	TACIT_CLASS_PEER = 2,   /* what came from outside is not well-formed */
	TACIT_CLASS_AUTH = 3,   /* what came from outside is not what it claims to be */
	TACIT_CLASS_STATE = 4,  /* right in itself, but not now */
	TACIT_CLASS_STORE = 5,  /* the store below failed */
	TACIT_CLASS_SYSTEM = 6, /* memory, I/O, network */
};

enum tacit_err {
	TACIT_OK = 0,
#define TACIT_ERR(name, cls, n, text) TACIT_E_##name = TACIT_CLASS_##cls * 100 + (n),
#include "base/err.def"
#undef TACIT_ERR
};

enum tacit_err_class tacit_err_class(enum tacit_err e);

/* "BAD_SIGNATURE"; static storage, never NULL ("UNKNOWN" for a number not in the list). */
const char *tacit_err_name(enum tacit_err e);

/* A sentence for a person; static storage, never NULL. */
const char *tacit_err_text(enum tacit_err e);

/* The one control macro: every function that uses it has `enum tacit_err err` and a label `out`. */
#define TRY(expr)                                                                                  \
	do {                                                                                       \
		err = (expr);                                                                      \
		if (err != TACIT_OK)                                                               \
			goto out;                                                                  \
	} while (0)

/* Says in the code why an error may be dropped. */
static inline void tacit_ignore(enum tacit_err e, const char *reason)
{
	(void)e;
	(void)reason;
}

#endif
