/* ways.h - where an end can be reached directly, as it tells the other one within the channel:
 * docs/protocol-transfer.md 15.7. */
#ifndef TACIT_E2E_PARCEL_WAYS_H
#define TACIT_E2E_PARCEL_WAYS_H

#include "base/buf.h"
#include "base/err.h"

#define TACIT_PARCEL_MAX_WAYS 16
#define TACIT_PARCEL_LEAST_PORT 1024 /* below it are other people's services */
#define TACIT_PARCEL_ADDRESS_BYTES 16

/* An IPv6 address in network order; one of IPv4 is ::ffff:a.b.c.d. */
struct tacit_parcel_address {
	uint8_t b[TACIT_PARCEL_ADDRESS_BYTES];
};

/* port 0: not directly; then there are no addresses. */
struct tacit_parcel_ways {
	uint16_t port;
	size_t count;
	struct tacit_parcel_address list[TACIT_PARCEL_MAX_WAYS];
};

/* Appended. Fails: USAGE (too many, or addresses without a port), NOMEM. */
TACIT_MUST_USE enum tacit_err tacit_parcel_ways_encode(
        const struct tacit_parcel_ways *w, struct tacit_buf *out);
/* out is {0} on error. Fails: MALFORMED (a port that is somebody else's, addresses without one),
 * TOO_LARGE, TRUNCATED, TRAILING. */
TACIT_MUST_USE enum tacit_err tacit_parcel_ways_decode(
        struct tacit_bytes in, struct tacit_parcel_ways *out);

/* Who tells an address makes the other end connect there: a machine may be meant, never the other
 * end's own loopback (but where both are known to be on one machine), nor a group of machines. */
enum tacit_parcel_reach { TACIT_PARCEL_ELSEWHERE, TACIT_PARCEL_SAME_MACHINE };
bool tacit_parcel_address_may(const struct tacit_parcel_address *a, enum tacit_parcel_reach reach);

#endif
