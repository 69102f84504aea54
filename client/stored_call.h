/* stored_call.h - requests about parcels that a server keeps: what giving and taking share. */
#ifndef TACIT_CLIENT_STORED_CALL_H
#define TACIT_CLIENT_STORED_CALL_H

#include "client/parcel.h"
#include "e2e/parcel/stored.h"
#include "wire/json.h"

struct stored_call {
	const char *method;
	const char *id;          /* NULL: of none yet */
	const char *rest;        /* "", "/claims", ... */
	const uint8_t *token;    /* TACIT_STORED_TOKEN_BYTES; NULL: none */
	const json_t *json;      /* a body; NULL: none */
	struct tacit_bytes part; /* a body of bytes, when offset is not negative */
	int64_t offset;
	uint64_t from, bytes; /* a range; bytes 0: none */
};

/* One request. Fails: as http_perform; an answer that is no success is the error of its status. */
TACIT_MUST_USE enum tacit_err stored_perform(
        struct http *http, const struct stored_call *c, struct http_answer *out);

/* Who waits for a server to come back. */
struct stored_patience {
	const struct parcel_options *o;
	int64_t give_up_at; /* 0: nothing is lost */
	unsigned pauses;
};
/* After a failure of stored_perform: waits a little and returns OK when it is worth while to ask
 * again; else the error. Success is told by stored_recovered. */
TACIT_MUST_USE enum tacit_err stored_wait(
        struct stored_patience *p, enum tacit_err err, int status);
void stored_recovered(struct stored_patience *p);
bool stored_cancelled(const struct parcel_options *o);

#endif
