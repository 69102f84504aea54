/* steady.h - the clock by which sessions and messages end: it never goes back, and it never stands
 * still, whatever happens to the machine's own.
 *
 * It is the latest that the machine's clock has ever said, and goes on from there by the time since
 * boot while that clock is behind. So a clock that is set back prolongs nothing and brings nothing
 * back; one that was set forward by mistake ends things early, and lasts, because the server cannot
 * know which of the two was wrong. A mark that is kept in the store carries it over a restart. How
 * long the machine was off is told by its clock alone: one that was set back in between makes that
 * time count for nothing, but never for less. */
#ifndef TACIT_SERVER_STEADY_H
#define TACIT_SERVER_STEADY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* Milliseconds. The second never goes back while the machine is up, and counts its sleep. */
struct steady_source {
	int64_t (*wall)(void *ctx);
	int64_t (*since_boot)(void *ctx);
	void *ctx;
};
struct steady_source steady_system_source(void);

struct steady {
	struct steady_source source;
	_Atomic int64_t boot; /* when that was, by this clock; it only grows */
};

#define STEADY_MARK_BYTES 16

void steady_init(struct steady *s, const struct steady_source *source);
/* Goes on where the mark was made, at least. Fails: MALFORMED, and then changes nothing. */
TACIT_MUST_USE enum tacit_err steady_resume(struct steady *s, struct tacit_bytes mark);
void steady_mark(struct steady *s, uint8_t out[STEADY_MARK_BYTES]);

/* Any thread. Unix seconds. */
int64_t steady_now(struct steady *s);
/* By how many seconds the machine's clock is behind this one: more than 0 tells that it was set
 * back. Any thread. */
int64_t steady_ahead(struct steady *s);

#endif
