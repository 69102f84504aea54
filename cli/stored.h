/* stored.h - send-file --store, --stored and --revoke, and receive with a link. */
#ifndef TACIT_CLI_STORED_H
#define TACIT_CLI_STORED_H

#include "cli/cli.h"
#include "client/stored.h"

#define STORED_LINK_ROOM 700

/* What a transfer stands on, as cmd_parcel.c has prepared it. */
struct stored_desk {
	struct cli *cli;
	const struct args *args;
	FILE *out; /* where people read */
	const struct parcel_options *options;
	void (*end_progress)(void *ctx); /* ctx: that of options */
};

/* Exit statuses; what fails was told. */
int stored_send(const struct stored_desk *d, struct parcel_source *source, const char *label);
int stored_receive(
        const struct stored_desk *d, const struct parcel_target *target, const char *link);
/* --stored, --revoke ID: what we have left at servers. */
bool stored_is_asked(const struct args *a);
int stored_own(struct cli *c, const struct args *a);
/* The link that was given to receive, by its option or as its first word, which nobody reads in the
 * list of processes afterwards; empty: none. out is secret. */
int stored_link_read(struct cli *c, const struct args *a, char out[STORED_LINK_ROOM]);

#endif
