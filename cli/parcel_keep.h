/* parcel_keep.h - send-file and receive --keep-contact: who the other one is, and whether to keep
 * them. */
#ifndef TACIT_CLI_PARCEL_KEEP_H
#define TACIT_CLI_PARCEL_KEEP_H

#include "cli/cli.h"
#include "client/parcel.h"

struct parcel_keep {
	struct cli *cli;
	FILE *out; /* where people read */
	bool wanted, yes;
	bool able; /* there is an account, and its keys are open */
};

/* Opens the profile, when the option is there; says what it is good for. An exit status. */
int parcel_keep_prepare(struct parcel_keep *k, struct cli *c, const struct args *a, FILE *out);
/* Our card, as struct parcel_contact wants it. */
TACIT_MUST_USE enum tacit_err parcel_keep_card(
        const struct parcel_keep *k, const struct tacit_parcel_seat *seat, struct tacit_buf *out);
/* Shows who it was, asks, and keeps. Failed only where a key is another one than it should be. */
int parcel_keep_finish(const struct parcel_keep *k, const struct parcel_other *other);

#endif
