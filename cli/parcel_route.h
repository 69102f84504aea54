/* parcel_route.h - how send-file and receive find the other end, as their options say. */
#ifndef TACIT_CLI_PARCEL_ROUTE_H
#define TACIT_CLI_PARCEL_ROUTE_H

#include "cli/cli.h"
#include "client/parcel.h"

/* *address: of PARCEL_CALL and PARCEL_LISTEN, else NULL. An exit status: usage when they contradict
 * each other, which has been told. */
int parcel_route_read(const struct args *a, enum parcel_route *route, const char **address);

#endif
