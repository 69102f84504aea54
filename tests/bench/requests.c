/* requests.c - writes signed or plain requests for load.c to stdout.
 *
 *   requests me|post COUNT SEED_HEX_FILE COOKIE_FILE HOST:PORT [CONVERSATION]
 *
 * me:   POST /api/me, each with its own signature (a counter in data keeps them apart)
 * post: POST a 256-byte message, by cookie and same origin, each with its own client_id */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "wire/signed_request.h"

struct target {
	struct tacit_sign_sk sk;
	char cookie[512];
	const char *host;
	const char *conversation;
};

static bool read_line(const char *path, char *out, size_t room)
{
	FILE *f = fopen(path, "r");
	bool ok = f != NULL && fgets(out, (int)room, f) != NULL;
	if (f != NULL)
		fclose(f);
	if (ok)
		out[strcspn(out, "\n")] = 0;
	return ok;
}

static enum tacit_err emit(const struct target *t, const char *path, const struct tacit_buf *body)
{
	enum tacit_err err;
	struct tacit_buf out = {0};
	TRY(tacit_buf_printf(&out,
	        "POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: %s\r\n"
	        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	        path, t->host, t->host, t->cookie, body->n));
	TRY(tacit_buf_append(&out, tacit_buf_view(body)));
	printf("%zu\n", out.n);
	if (fwrite(out.p, 1, out.n, stdout) != out.n)
		err = TACIT_E_IO;
out:
	tacit_buf_clear(&out);
	return err;
}

static enum tacit_err emit_me(const struct target *t, uint64_t i, int64_t now)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	json_t *data = json_pack("{s:I}", "nonce", (json_int_t)i);
	TRY(data != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_signed_request_build(data, now, &t->sk, &body));
	TRY(emit(t, "/api/me", &body));
out:
	json_decref(data);
	tacit_buf_clear(&body);
	return err;
}

static enum tacit_err emit_post(const struct target *t, uint64_t i, int64_t now)
{
	enum tacit_err err;
	struct tacit_buf body = {0};
	uint8_t content[256];
	char path[128];
	memset(content, (int)(i & 0xff), sizeof(content));
	snprintf(path, sizeof(path), "/api/conversations/%s/messages", t->conversation);
	TRY(tacit_buf_append(&body, TACIT_STR("{\"content\":\"")));
	TRY(tacit_base64(TACIT_BASE64, tacit_bytes(content, sizeof(content)), &body));
	TRY(tacit_buf_printf(&body, "\",\"client_id\":\"%08" PRIx64 "-%012" PRIx64 "\"}", now, i));
	TRY(emit(t, path, &body));
out:
	tacit_buf_clear(&body);
	return err;
}

int main(int argc, char **argv)
{
	struct target t = {0};
	char hex[128];
	uint8_t seed[TACIT_SIGN_SEED_BYTES];
	struct tacit_sign_public pk;
	if (argc < 6 || tacit_crypto_init() != TACIT_OK || !read_line(argv[3], hex, sizeof(hex)) ||
	        !read_line(argv[4], t.cookie, sizeof(t.cookie)) ||
	        tacit_unhex(tacit_cstr(hex), seed, sizeof(seed)) != TACIT_OK) {
		fprintf(stderr, "usage: requests me|post COUNT SEED_FILE COOKIE_FILE HOST:PORT "
		                "[CONVERSATION]\n");
		return 2;
	}
	tacit_sign_keypair(seed, &t.sk, &pk);
	t.host = argv[5];
	t.conversation = argc > 6 ? argv[6] : "0";
	uint64_t count = strtoull(argv[2], NULL, 10);
	int64_t now = (int64_t)time(NULL);
	bool me = strcmp(argv[1], "me") == 0;
	for (uint64_t i = 0; i < count; i++) {
		if ((me ? emit_me(&t, i, now) : emit_post(&t, i, now)) != TACIT_OK)
			return 1;
	}
	tacit_sign_sk_wipe(&t.sk);
	return 0;
}
