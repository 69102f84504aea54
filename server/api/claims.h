/* claims.h - which files are being written by a request right now. Any thread. */
#ifndef TACIT_SERVER_API_CLAIMS_H
#define TACIT_SERVER_API_CLAIMS_H

#include <stdbool.h>

#include "server/store/store.h"

struct api_claims;

struct api_claim { /* embedded by who claims; lives until released */
	struct api_claim *next, **link;
	char id[STORE_FILE_ID_CHARS + 1]; /* empty: nothing claimed */
};

struct api_claims *api_claims_new(void); /* NULL when out of memory */
void api_claims_free(struct api_claims *c);

/* False when another has it. */
TACIT_MUST_USE bool api_claim_take(struct api_claims *c, struct api_claim *claim, const char *id);
/* Fine when nothing is claimed. */
void api_claim_release(struct api_claims *c, struct api_claim *claim);
bool api_claim_held(struct api_claims *c, const char *id);

#endif
