#include "client/upgrade.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto/encoding.h"

enum tacit_err upgrade_begin(
        struct upgrade *u, const struct upgrade_request *r, struct tacit_buf *out)
{
	enum tacit_err err;
	uint8_t random[16];
	struct tacit_buf key = {0};
	const char *host = strstr(r->server, "://");
	host = host != NULL ? host + 3 : r->server;
	*u = (struct upgrade){0};
	tacit_env_random(r->env, random, sizeof(random));
	TRY(tacit_base64(TACIT_BASE64, tacit_bytes(random, sizeof(random)), &key));
	TRY(tacit_ws_accept(tacit_buf_view(&key), u->accept));
	/* In one piece: a growing buffer would leave the cookie behind. */
	TRY(tacit_buf_reserve(out, 1024 + 2 * strlen(r->server) + strlen(r->path) + r->cookie.n));
	TRY(tacit_buf_printf(out,
	        "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	        "Sec-WebSocket-Key: %.*s\r\nOrigin: %s\r\nUser-Agent: tacit/" TACIT_VERSION "\r\n",
	        r->path, host, (int)key.n, (const char *)key.p, r->server));
	if (r->cookie.n > 0) {
		TRY(tacit_buf_append(out, TACIT_STR("Cookie: ")));
		TRY(tacit_buf_append(out, r->cookie));
		TRY(tacit_buf_append(out, TACIT_STR("\r\n")));
	}
	TRY(tacit_buf_append(out, TACIT_STR("\r\n")));
out:
	tacit_buf_clear(&key);
	return err;
}

void upgrade_clear(struct upgrade *u)
{
	tacit_buf_clear(&u->head);
}

/* --- the answer ------------------------------------------------------------------------------ */

static struct tacit_bytes header(struct tacit_bytes head, const char *name)
{
	size_t length = strlen(name);
	const char *p = (const char *)head.p, *stop = p + head.n;
	while (p < stop) {
		const char *eol = memchr(p, '\r', (size_t)(stop - p));
		eol = eol != NULL ? eol : stop;
		if ((size_t)(eol - p) > length && p[length] == ':' &&
		        strncasecmp(p, name, length) == 0) {
			for (p += length + 1; p < eol && (*p == ' ' || *p == '\t'); p++)
				continue;
			while (eol > p && (eol[-1] == ' ' || eol[-1] == '\t'))
				eol--;
			return tacit_bytes(p, (size_t)(eol - p));
		}
		p = eol + (stop - eol < 2 ? stop - eol : 2);
	}
	return tacit_bytes(NULL, 0);
}

static bool is_word(struct tacit_bytes value, const char *word)
{
	return value.n == strlen(word) && strncasecmp((const char *)value.p, word, value.n) == 0;
}

static enum tacit_err refusal(int status)
{
	if (status == 401 || status == 403)
		return TACIT_E_NOT_LOGGED_IN;
	if (status == 429 || status >= 500)
		return TACIT_E_LIMIT;
	return TACIT_E_UNSUPPORTED;
}

/* RFC 6455 4.1 */
static enum tacit_err check_upgrade(const struct upgrade *u, struct tacit_bytes head)
{
	int status = 0;
	char line[16] = {0};
	memcpy(line, head.p, head.n < 12 ? head.n : 12);
	if (sscanf(line, "HTTP/1.1 %3d", &status) != 1)
		return TACIT_E_UNSUPPORTED;
	if (status != 101)
		return refusal(status);
	if (!is_word(header(head, "Upgrade"), "websocket") ||
	        !is_word(header(head, "Connection"), "upgrade") ||
	        header(head, "Sec-WebSocket-Extensions").n > 0 ||
	        !tacit_bytes_eq(header(head, "Sec-WebSocket-Accept"), tacit_cstr(u->accept)))
		return TACIT_E_UNSUPPORTED;
	return TACIT_OK;
}

enum tacit_err upgrade_take(struct upgrade *u, struct tacit_bytes *in, bool *done)
{
	enum tacit_err err = TACIT_OK;
	*done = false;
	while (in->n > 0 && !*done) {
		TRY(tacit_buf_append(&u->head, tacit_bytes(in->p, 1)));
		*in = tacit_bytes_part(*in, 1, in->n - 1);
		TRY(u->head.n <= UPGRADE_MAX_HEAD ? TACIT_OK : TACIT_E_UNSUPPORTED);
		*done = u->head.n >= 4 && memcmp(u->head.p + u->head.n - 4, "\r\n\r\n", 4) == 0;
	}
	if (*done)
		TRY(check_upgrade(u, tacit_buf_view(&u->head)));
out:
	if (err != TACIT_OK || *done)
		tacit_buf_clear(&u->head);
	return err;
}
