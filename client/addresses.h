/* addresses.h - this machine's addresses, and addresses that people type. */
#ifndef TACIT_CLIENT_ADDRESSES_H
#define TACIT_CLIENT_ADDRESSES_H

#include "base/err.h"
#include "e2e/parcel/ways.h"

#define ADDRESS_TEXT 64

/* What the other end may reach this machine at, to out->list: those of every interface that is up;
 * loopback only for SAME_MACHINE. out->port stays. Fails: IO. */
TACIT_MUST_USE enum tacit_err addresses_own(
        enum tacit_parcel_reach reach, struct tacit_parcel_ways *out);
/* "host", "host:port", "1.2.3.4:5", "[::1]:5", "::1"; names are looked up, which may wait. Without
 * a port out->port is the one that is given. Fails: BAD_NAME, NOT_FOUND (no such host), TOO_LARGE.
 */
TACIT_MUST_USE enum tacit_err addresses_find(
        const char *text, uint16_t port, struct tacit_parcel_ways *out);
/* "1.2.3.4:5", "[::1]:5" */
void addresses_text(const struct tacit_parcel_address *a, uint16_t port, char out[ADDRESS_TEXT]);

#endif
