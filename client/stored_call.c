#include "client/stored_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/monotonic.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"

#define LONGEST_PAUSE_MS 5000

struct heads {
	char authorization[16 + 8 + 2 * TACIT_STORED_TOKEN_BYTES];
	char offset[48], range[80];
	const char *list[3];
	size_t count;
};

static void make_heads(const struct stored_call *c, struct heads *h)
{
	char hex[2 * TACIT_STORED_TOKEN_BYTES + 1];
	if (c->token != NULL) {
		tacit_hex(tacit_bytes(c->token, TACIT_STORED_TOKEN_BYTES), hex);
		snprintf(h->authorization, sizeof(h->authorization), "Authorization: Parcel %s",
		        hex);
		h->list[h->count++] = h->authorization;
	}
	if (c->offset >= 0) {
		snprintf(h->offset, sizeof(h->offset), "Upload-Offset: %" PRId64, c->offset);
		h->list[h->count++] = h->offset;
	}
	if (c->bytes > 0) {
		snprintf(h->range, sizeof(h->range), "Range: bytes=%" PRIu64 "-%" PRIu64, c->from,
		        c->from + c->bytes - 1);
		h->list[h->count++] = h->range;
	}
	tacit_wipe(hex, sizeof(hex));
}

enum tacit_err stored_perform(
        struct http *http, const struct stored_call *c, struct http_answer *out)
{
	enum tacit_err err;
	char path[96];
	struct tacit_buf body = {0};
	struct heads h = {0};
	snprintf(path, sizeof(path), "/api/parcels%s%s%s", c->id != NULL ? "/" : "",
	        c->id != NULL ? c->id : "", c->rest != NULL ? c->rest : "");
	make_heads(c, &h);
	struct http_request r = {
	        .method = c->method, .path = path, .headers = h.list, .header_count = h.count};
	if (c->json != NULL) {
		TRY(tacit_json_write(c->json, &body));
		r.content_type = "application/json";
		r.body = tacit_buf_view(&body);
	} else if (c->offset >= 0) {
		r.content_type = "application/octet-stream";
		r.body = c->part;
	}
	TRY(http_perform(http, &r, out));
	TRY(http_refusal(http, out));
out:
	tacit_wipe(&h, sizeof(h));
	tacit_buf_clear(&body);
	return err;
}

bool stored_cancelled(const struct parcel_options *o)
{
	return o->cancel != NULL && *o->cancel != 0;
}

void stored_recovered(struct stored_patience *p)
{
	if (p->give_up_at != 0 && p->o->ui != NULL && p->o->ui->state != NULL)
		p->o->ui->state(p->o->ctx, PARCEL_BACK);
	p->give_up_at = 0;
	p->pauses = 0;
}

static bool worth_while(enum tacit_err err, int status)
{
	return err == TACIT_E_NETWORK || status == 423 || status == 429 || status == 500 ||
	       status == 502 || status == 503 || status == 504;
}

enum tacit_err stored_wait(struct stored_patience *p, enum tacit_err err, int status)
{
	const struct parcel_options *o = p->o;
	unsigned patience = o->patience_s != 0 ? o->patience_s : PARCEL_PATIENCE_S;
	if (!worth_while(err, status))
		return err;
	if (p->give_up_at == 0) {
		p->give_up_at = monotonic_s() + patience;
		if (o->ui != NULL && o->ui->state != NULL)
			o->ui->state(o->ctx, PARCEL_LOST);
	}
	if (monotonic_s() >= p->give_up_at)
		return err;
	int64_t ms = (int64_t)100 << (p->pauses < 6 ? p->pauses : 6);
	p->pauses++;
	ms = ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&pause, NULL); /* a signal ends it early */
	return stored_cancelled(o) ? TACIT_E_CANCELLED : TACIT_OK;
}
