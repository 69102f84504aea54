/* attr.h - compiler attributes behind names of our own, and the assertion for our own bugs. */
#ifndef TACIT_BASE_ATTR_H
#define TACIT_BASE_ATTR_H

#if defined(__GNUC__)
#define TACIT_MUST_USE __attribute__((warn_unused_result))
#define TACIT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TACIT_NORETURN __attribute__((noreturn))
#define TACIT_COLD __attribute__((cold))
#else
#define TACIT_MUST_USE
#define TACIT_PRINTF(fmt, args)
#define TACIT_NORETURN
#define TACIT_COLD
#endif

/* Aborts on a bug of ours, in release too. Never for input: bad input is an error return. */
TACIT_NORETURN TACIT_COLD void tacit_assert_failed(const char *what, const char *file, int line);
#define TACIT_ASSERT(cond) ((cond) ? (void)0 : tacit_assert_failed(#cond, __FILE__, __LINE__))

#define TACIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
