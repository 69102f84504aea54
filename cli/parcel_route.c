#include "cli/parcel_route.h"

int parcel_route_read(const struct args *a, enum parcel_route *route, const char **address)
{
	const char *call = cli_option(a, "direct"), *listen = cli_option(a, "listen");
	bool relay_only = cli_option(a, "relay-only") != NULL, lan = cli_option(a, "lan") != NULL;
	if ((call != NULL) + (listen != NULL) + relay_only + lan > 1)
		return cli_usage_error(
		        NULL, "--direct, --listen, --lan and --relay-only exclude each other.");
	*address = call != NULL ? call : listen;
	*route = call != NULL     ? PARCEL_CALL
	         : listen != NULL ? PARCEL_LISTEN
	         : lan            ? PARCEL_LAN
	         : relay_only     ? PARCEL_RELAY_ONLY
	                          : PARCEL_FASTEST;
	return EXIT_DONE;
}
