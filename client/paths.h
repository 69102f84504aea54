/* paths.h - where a profile lives: $XDG_DATA_HOME/tacit/profiles/NAME, readable by its owner alone.
 */
#ifndef TACIT_CLIENT_PATHS_H
#define TACIT_CLIENT_PATHS_H

#include "base/buf.h"
#include "base/err.h"

enum paths_mode { PATHS_FIND, PATHS_CREATE };

/* Appends the absolute, resolved path of the profile's folder and a NUL that is not counted.
 * CREATE makes what is missing, mode 0700. A name is one to 64 of letters, digits, '.', '_', '-',
 * not beginning with a dot.
 * Fails: BAD_NAME, NOT_FOUND (FIND only), IO (not a folder, not ours, or cannot be made), NOMEM. */
TACIT_MUST_USE enum tacit_err paths_profile(
        const char *name, enum paths_mode mode, struct tacit_buf *out);
/* Likewise the folder of transfers without an account that may go on: $XDG_DATA_HOME/tacit/parcels.
 * It is made when missing. Fails: IO, NOMEM. */
TACIT_MUST_USE enum tacit_err paths_parcels(struct tacit_buf *out);
/* Likewise the agent's own folder: $XDG_DATA_HOME/tacit/agent. */
TACIT_MUST_USE enum tacit_err paths_agent(struct tacit_buf *out);

/* Calls each with the name of every profile there is, in no order, until it returns false.
 * Fails: IO, NOMEM. */
TACIT_MUST_USE enum tacit_err paths_each_profile(
        bool (*each)(void *ctx, const char *name), void *ctx);
/* A profile without an account goes, with all that is in its folder. Fails: BAD_NAME, NOT_FOUND,
 * IO, NOMEM. */
TACIT_MUST_USE enum tacit_err paths_remove_profile(const char *name);

#endif
