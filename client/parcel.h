/* parcel.h - sends and receives without an account: two devices and a short code. They meet at a
 * relay, and go on without it where a direct connection can be made; or meet directly at once. What
 * was interrupted goes on: within the process by itself, after its end by its journal. */
#ifndef TACIT_CLIENT_PARCEL_H
#define TACIT_CLIENT_PARCEL_H

#include "client/http.h"
#include "client/parcel_source.h"
#include "e2e/parcel/card.h"
#include "e2e/parcel/code.h"
#include "wire/limits.h"

#define PARCEL_PATIENCE_S 1800

enum parcel_state {
	PARCEL_RESUMING, /* a transfer of an earlier process, under the code that is told before */
	PARCEL_MET,      /* the other one is there, and has the code */
	PARCEL_LOST,     /* the connection, or the other one; both are waited for */
	PARCEL_BACK,
	PARCEL_DIRECT, /* from now on without the relay */
	PARCEL_LOCAL,  /* the server cannot be reached: only this network is looked at */
	PARCEL_AWAY,   /* as PARCEL_LOST; the server says that it is the other one */
};

/* Each may be NULL, but for a receiver offered and text. */
struct parcel_ui {
	void (*code)(void *ctx, const char *code); /* to be told to the other person */
	/* Where others can call, without a server: one of our addresses, or an empty text. */
	void (*listening)(void *ctx, const char *address, uint16_t port);
	void (*state)(void *ctx, enum parcel_state s);
	/* Asks the person; may wait. Fails: as it likes, which ends the transfer. */
	enum tacit_err (*offered)(void *ctx, const struct tacit_parcel_offer *o, bool *accepted);
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void (*saved)(void *ctx, const char *path, bool renamed);
	enum tacit_err (*text)(void *ctx, struct tacit_bytes text); /* from outside: sanitise */
};

/* How the two find each other, and which connection the bytes take. */
enum parcel_route {
	PARCEL_FASTEST,    /* by the relay, then directly where that is possible; PARCEL_LAN where
	                    * there is no relay */
	PARCEL_RELAY_ONLY, /* the other one learns no address of ours */
	PARCEL_LAN,        /* no server: who is on this network finds the other one */
	PARCEL_LISTEN,     /* no server: the other one calls `address` of this machine */
	PARCEL_CALL,       /* no server: this one calls `address` */
};

#define PARCEL_PORT 5010 /* where an address is given without one */

/* One code for several receivers, one after another: each meets us anew. Through a relay only. */
#define PARCEL_TICKET_BYTES 16
struct parcel_turn {
	uint8_t ticket[PARCEL_TICKET_BYTES];   /* random, the same for all; secret from others */
	const struct tacit_parcel_code *again; /* of the first; NULL: this is the first */
	unsigned number;                       /* of this receiver, from 0, for its journal */
	/* Who has all stays noted, till parcel_turn_forget: a later process is to know how many
	 * are missing. */
	bool counted;
};

/* Whether to keep who is there, afterwards; both must want to. card appends what we show
 * (e2e/parcel/card.h) at our seat; NULL: there is no account to show. */
struct parcel_contact {
	enum tacit_err (*card)(
	        void *ctx, const struct tacit_parcel_seat *seat, struct tacit_buf *out);
};

struct parcel_options {
	struct http *http; /* NULL without a server */
	enum parcel_route route;
	const char *address; /* PARCEL_LISTEN: "PORT", "ADDR:PORT"; PARCEL_CALL: "ADDR[:PORT]" */
	const struct tacit_env *env;
	const volatile sig_atomic_t *cancel;
	const struct parcel_ui *ui;
	void *ctx;
	const struct tacit_parcel_code *code; /* the other one's; NULL: a new one is made */
	enum tacit_parcel_code_kind kind;     /* of a new one */
	const struct parcel_turn *turn;       /* a sender's; NULL: one receiver */
	bool fresh;                           /* nothing earlier goes on */
	unsigned patience_s; /* for what was lost to come back; 0: PARCEL_PATIENCE_S */
	const struct parcel_contact *contact; /* NULL: nobody is kept */
	enum tacit_parcel_purpose purpose;    /* parcel_link.h sets it */
};

enum parcel_other_state {
	PARCEL_OTHER_UNASKED,  /* we did not want to */
	PARCEL_OTHER_SILENT,   /* the other one did not, or is of an earlier version, or was lost */
	PARCEL_OTHER_HAS_NONE, /* it would, and has no account */
	PARCEL_OTHER_WAITS,    /* it would, and we have no account */
	PARCEL_OTHER_FALSE,    /* it broke the rules, or its card is not its own */
	PARCEL_OTHER_SHOWN,    /* who it is, proven by its key */
};
struct parcel_other {
	enum parcel_other_state state;
	char server[TACIT_PARCEL_MAX_SERVER + 1]; /* printable ASCII, as it says */
	char username[TACIT_MAX_USERNAME + 1];
	struct tacit_sign_public key;
};

struct parcel_result {
	uint64_t bytes;
	uint64_t
	        resumed_from; /* what was there when it was gone on with last, and not sent again */
	bool confirmed;       /* a receiver's: the sender knows that it came */
	bool kept;            /* it failed, and can go on by the same command */
	struct parcel_other contact; /* once it is through */
	char problem[400];           /* why it failed, beyond the error; may be empty; sanitise */
};

/* Both fail: BAD_PASSWORD (not the same code: it is used up), NOT_FOUND (nobody waits there), GONE
 * (the other one left or gave up, or did not come back), REFUSED (declined), BAD_NAME (an address
 * that is none), CONFLICT (both want to send, or to receive; another process has it; a file
 * changed), LIMIT, UNSUPPORTED (no relay there), BAD_SEAL, MALFORMED, TRAILING, TRUNCATED (changed
 * on the way, or a peer that breaks the rules), NETWORK, CANCELLED, IO, STORE_FULL, NOMEM. */
enum parcel_memory { PARCEL_RESUMABLE, PARCEL_ONCE }; /* may a later process go on with it? */
TACIT_MUST_USE enum tacit_err parcel_give(const struct parcel_options *o,
        struct parcel_source *source, enum parcel_memory memory, struct parcel_result *out);

/* To a folder, or, with folder NULL, to a descriptor: then only a text or one file. */
struct parcel_target {
	const char *folder;
	int fd;
};
TACIT_MUST_USE enum tacit_err parcel_take(const struct parcel_options *o,
        const struct parcel_target *target, struct parcel_result *out);

#endif
