/* totp.h - what the agent keeps of an account's second factor, sealed in its profile, and the codes
 * that come of it (RFC 6238, by liboath). */
#ifndef TACIT_AGENT_TOTP_H
#define TACIT_AGENT_TOTP_H

#include "client/host.h"

#define TOTP_DIGITS 6
#define TOTP_MAX_SECRET 128 /* in base32 */
#define TOTP_MAX_URI 600
#define TOTP_MAX_RECOVERY 400

enum totp_mode {
	TOTP_UNKNOWN, /* the secret has never been here */
	TOTP_QUIET,   /* the agent makes the codes by itself */
	TOTP_ASKED,   /* the user has taken the secret over: each login needs a code */
};

/* Secret: wipe with tacit_wipe. Strings are NUL-terminated. */
struct totp_keep {
	enum totp_mode mode;
	int64_t last_step; /* the newest half minute whose code was used, 0: none */
	char secret[TOTP_MAX_SECRET + 1], uri[TOTP_MAX_URI + 1];
	char recovery[TOTP_MAX_RECOVERY + 1]; /* codes that are left, one a line */
};

/* Once, before threads. Fails: CRYPTO. */
TACIT_MUST_USE enum tacit_err totp_init(void);

/* A profile without any: UNKNOWN. Fails: the note's errors, MALFORMED. */
TACIT_MUST_USE enum tacit_err totp_load(struct host *h, struct totp_keep *out);
TACIT_MUST_USE enum tacit_err totp_save(struct host *h, const struct totp_keep *k);
/* What is kept is what change makes of it, with nobody between; *out gets that. change's error
 * leaves it as it was. Fails: change's error, the note's errors, MALFORMED, NOMEM. */
typedef enum tacit_err totp_changer(void *ctx, struct totp_keep *k);
TACIT_MUST_USE enum tacit_err totp_change(
        struct host *h, totp_changer *change, void *ctx, struct totp_keep *out);

/* As it is kept: appended; back, nothing at all being UNKNOWN. Fail: MALFORMED, NOMEM. */
TACIT_MUST_USE enum tacit_err totp_encode(const struct totp_keep *k, struct tacit_buf *out);
TACIT_MUST_USE enum tacit_err totp_decode(struct tacit_bytes text, struct totp_keep *out);

/* A code that was not used before, which now counts as used; a recovery code when all of this
 * minute are used up. Save before it leaves. Fails: LIMIT (none left now), CRYPTO. */
#define TOTP_CODE_ROOM 40
TACIT_MUST_USE enum tacit_err totp_take_code(
        struct totp_keep *k, int64_t now, char out[TOTP_CODE_ROOM]);
/* Is it the code of now, or one step off, and newer than all that were used? Then it counts as
 * used. Fails: BAD_PASSWORD, CRYPTO. */
TACIT_MUST_USE enum tacit_err totp_check(struct totp_keep *k, int64_t now, struct tacit_bytes code);

/* A QR code as "data:image/svg+xml;base64,...", appended. Fails: NOMEM. */
TACIT_MUST_USE enum tacit_err totp_qr(const char *text, struct tacit_buf *out);

#endif
