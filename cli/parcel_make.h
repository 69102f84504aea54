/* parcel_make.h - what send-file sends, as its words and options say. */
#ifndef TACIT_CLI_PARCEL_MAKE_H
#define TACIT_CLI_PARCEL_MAKE_H

#include "cli/cli.h"
#include "client/parcel.h"

/* An exit status; what fails was told. *memory: whether a later process may send the same. */
int parcel_make(const struct cli *c, const struct args *a, struct parcel_source **out,
        enum parcel_memory *memory);

#endif
