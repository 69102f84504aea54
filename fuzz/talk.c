/* What a live server may send: the answer to the upgrade, or, when the first byte is odd, frames
 * behind a good one. */
#include "client/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t now(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static void zeros(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

static void upgrade(struct talk *t)
{
	char answer[256], accept[TACIT_WS_ACCEPT_CHARS + 1];
	const char *key = strstr((const char *)talk_output(t).p, "Sec-WebSocket-Key: ") + 19;
	if (tacit_ws_accept(tacit_bytes(key, TACIT_WS_KEY_CHARS), accept) != TACIT_OK)
		abort();
	snprintf(answer, sizeof(answer),
	        "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	        "Sec-WebSocket-Accept: %s\r\n\r\n",
	        accept);
	talk_input(t, tacit_cstr(answer), 0);
	if (talk_state(t) == TALK_ENDED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tacit_env env = {now, zeros, NULL};
	const struct talk_options o = {
	        .env = &env, .server = "http://127.0.0.1:5000", .cookie = TACIT_STR("a=b")};
	struct talk *t;
	struct talk_event *ev;
	if (size == 0 || talk_begin(&o, &t) != TACIT_OK)
		return 0;
	if (data[0] & 1)
		upgrade(t);
	size_t half = 1 + (size - 1) / 2;
	talk_input(t, tacit_bytes(data + 1, half - 1), 1);
	talk_input(t, tacit_bytes(data + half, size - half), 2);
	while ((ev = talk_next(t)) != NULL)
		talk_event_free(ev);
	if (talk_say(t, "typing", TACIT_STR("{}")) != TACIT_OK)
		abort();
	talk_sent(t, talk_output(t).n);
	talk_free(t);
	return 0;
}
