/* keyring.h - keeps a profile unlocked for a while: its account secret in the kernel's user
 * keyring.
 *
 * The secret then lives in kernel memory, for this user alone, and goes when its time is up, when
 * the machine is turned off, or with `tacit lock`. Where there is no keyring (some containers), the
 * password is asked for each time instead. */
#ifndef TACIT_CLIENT_KEYRING_H
#define TACIT_CLIENT_KEYRING_H

#include "base/err.h"
#include "crypto/secret.h"

#define KEYRING_SECONDS (12 * 60 * 60)

/* folder is the profile's; it names the entry (hashed). Replaces what was there.
 * Fails: UNSUPPORTED (no keyring here), NOMEM. */
TACIT_MUST_USE enum tacit_err keyring_put(const char *folder, struct tacit_bytes secret);
/* The time starts again. Fails: NOT_FOUND (also when there is no keyring), NOMEM. */
TACIT_MUST_USE enum tacit_err keyring_get(const char *folder, struct tacit_secret *out);
/* Nothing is there afterwards; nothing happens when nothing was. */
void keyring_forget(const char *folder);

#endif
