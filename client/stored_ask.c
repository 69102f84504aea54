/* stored_ask.c - what has become of what we left at a server, and its end before its time. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "client/stored.h"
#include "client/stored_call.h"
#include "crypto/encoding.h"

#define MAX_CLAIMS 1000 /* more than a server may have given */

struct claims {
	const struct stored_note *note;
	uint8_t (*done)[TACIT_SHA256_BYTES]; /* those with a true receipt */
	struct stored_status *status;
};

/* A receipt tells of one claim, however often a server shows it. */
static bool is_known(const struct claims *k, const uint8_t token[TACIT_SHA256_BYTES])
{
	for (unsigned i = 0; i < k->status->receipts; i++)
		if (memcmp(k->done[i], token, TACIT_SHA256_BYTES) == 0)
			return true;
	return false;
}

static enum tacit_err read_claim(struct claims *k, const json_t *claim)
{
	struct stored_status *out = k->status;
	enum tacit_err err;
	struct tacit_bytes state, hex, receipt;
	uint8_t token[TACIT_SHA256_BYTES], raw[TACIT_STORED_RECEIPT_BYTES];
	int64_t time;
	TRY(tacit_json_text(claim, "state", TACIT_REQUIRED, 16, &state));
	TRY(tacit_json_text(claim, "claim", TACIT_REQUIRED, 2 * sizeof(token), &hex));
	TRY(tacit_json_text(claim, "receipt", TACIT_OPTIONAL, 2 * sizeof(raw), &receipt));
	if (tacit_bytes_eq(state, TACIT_STR("begun")))
		out->begun++;
	if (!tacit_bytes_eq(state, TACIT_STR("done")))
		goto out;
	const struct tacit_stored_download d = {k->note->id, token};
	if (tacit_unhex(hex, token, sizeof(token)) != TACIT_OK ||
	        tacit_unhex(receipt, raw, sizeof(raw)) != TACIT_OK ||
	        tacit_stored_receipt_check(k->note->receipt, d, raw, &time) != TACIT_OK ||
	        is_known(k, token)) {
		out->false_receipts++;
		goto out;
	}
	if (out->receipts < TACIT_COUNT(out->received_at))
		out->received_at[out->receipts] = time;
	memcpy(k->done[out->receipts++], token, sizeof(token));
out:
	return err;
}

static enum tacit_err read_status(
        const struct stored_note *n, struct tacit_bytes text, struct stored_status *out)
{
	enum tacit_err err;
	json_t *body = NULL;
	struct tacit_bytes state;
	struct claims known = {n, NULL, out};
	TRY(tacit_json_parse(text, &body));
	TRY(tacit_json_text(body, "state", TACIT_REQUIRED, sizeof(out->state) - 1, &state));
	memcpy(out->state, state.p, state.n);
	TRY(tacit_json_integer(body, "downloads", TACIT_REQUIRED, 1, MAX_CLAIMS, &out->downloads));
	TRY(tacit_json_integer(body, "offset", TACIT_REQUIRED, 0, TACIT_MAX_INTEGER, &out->offset));
	const json_t *claims = json_object_get(body, "claims");
	TRY(json_is_array(claims) && json_array_size(claims) <= MAX_CLAIMS ? TACIT_OK
	                                                                   : TACIT_E_MALFORMED);
	known.done = tacit_calloc(MAX_CLAIMS, sizeof(*known.done));
	TRY(known.done != NULL ? TACIT_OK : TACIT_E_NOMEM);
	for (size_t i = 0; i < json_array_size(claims); i++)
		TRY(read_claim(&known, json_array_get(claims, i)));
out:
	tacit_free(known.done);
	json_decref(body);
	return err;
}

enum tacit_err stored_ask(struct http *http, const struct stored_note *n, struct stored_status *out)
{
	enum tacit_err err;
	struct http_answer answer = {0};
	const struct stored_call c = {
	        .method = "GET", .id = n->id, .token = n->owner, .offset = -1};
	*out = (struct stored_status){0};
	TRY(stored_perform(http, &c, &answer));
	TRY(read_status(n, tacit_buf_view(&answer.body), out));
out:
	http_answer_clear(&answer);
	return err;
}

enum tacit_err stored_revoke(struct http *http, const struct stored_note *n)
{
	struct http_answer answer = {0};
	const struct stored_call c = {
	        .method = "DELETE", .id = n->id, .token = n->owner, .offset = -1};
	enum tacit_err err = stored_perform(http, &c, &answer);
	http_answer_clear(&answer);
	return err;
}
