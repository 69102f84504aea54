/* tus.h - one tus 1.0.0 request on its way: shared by tus.c (requests without a body) and
 * tus_patch.c (those that bring bytes). */
#ifndef TACIT_SERVER_API_TUS_H
#define TACIT_SERVER_API_TUS_H

#include "server/api/call.h"
#include "server/api/tus_sum.h"

struct tus {
	struct store_upload upload; /* metadata: a view into `metadata` */
	struct tacit_buf metadata;
	struct api_claim claim;
	bool finished; /* it is a file already; sha256 is known */
	uint8_t sha256[TACIT_SHA256_BYTES];

	int fd;             /* -1: closed. In api_tus_complete the blob that is read back */
	int64_t at;         /* bytes in the blob; upload.offset: those that are committed */
	int64_t synced;     /* bytes in the blob that are on disk */
	int64_t most;       /* bytes that the owner's quota lets it have while its length is open */
	int64_t new_length; /* to be set with this request; -1: none */
	struct api_tus_checksum checksum;
	struct api_tus_sum *body_sum; /* of this request, for the checksum */
	struct tacit_hasher *whole;   /* of all bytes from the first, while it is known */
	int64_t read_back;
	bool discard; /* what this request brought does not count */
	bool gone;    /* the upload was deleted meanwhile, with its conversation perhaps */
};

/* c->work, made at the first call. NULL: out of memory. */
struct tus *api_tus_work(struct api_call *c);
void api_tus_close(struct tus *t);
/* Refuses TUS_VERSION unless the client speaks 1.0.0. */
TACIT_MUST_USE enum tacit_err api_tus_version(struct api_call *c);
/* Claims the upload and reads its row. Refuses UPLOAD_BUSY; fails: NOT_FOUND, GONE. */
TACIT_MUST_USE enum tacit_err api_tus_load(struct api_call *c, struct store *store);
/* How much more the owner may keep. */
TACIT_MUST_USE enum tacit_err api_quota_left(
        struct api_call *c, struct store *store, int64_t *left);
/* Status and the headers that tell how far the upload is. */
TACIT_MUST_USE enum tacit_err api_tus_answer(struct api_call *c, int status);

#endif
