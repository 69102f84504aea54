/* Live events of a server that says anything: the first line is its list of conversations, each
 * other one an event, its name before the first space. Requests get no answer but the first.
 * Whatever comes, no message is shown that nobody signed. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "engine/engine_int.h"

#define MAX_STEPS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t now(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static void counting_random(void *ctx, uint8_t *out, size_t n)
{
	uint8_t *next = ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = (*next)++;
}

static struct tacit_engine *make_engine(const struct tacit_env *env)
{
	static const uint8_t secret[TACIT_ACCOUNT_SECRET_BYTES] = {1};
	struct tacit_engine *e;
	struct tacit_account account = {0};
	struct tacit_pending me = {0};
	if (tacit_engine_new(env, &e) != TACIT_OK ||
	        tacit_account_from_secret(tacit_bytes(secret, sizeof(secret)), &account) !=
	                TACIT_OK ||
	        tacit_buf_append(&me.username, TACIT_STR("alice")) != TACIT_OK ||
	        tacit_profile_adopt(e, &account, &me) != TACIT_OK ||
	        tacit_profile_session(e, TACIT_STR("tacit_session"), TACIT_STR("x")) != TACIT_OK)
		abort();
	tacit_buf_clear(&me.username);
	for (size_t i = 0; i < STAGE_COUNT; i++)
		tacit_effects_clear(&e->stage[i]);
	e->device_published = true;
	e->device_dirty = e->session_dirty = false;
	return e;
}

/* The request that is to be answered; 0: none. */
static uint64_t look(struct tacit_effects *fx)
{
	uint64_t request = 0;
	for (size_t i = 0; i < fx->count; i++) {
		const struct tacit_effect *one = &fx->list[i];
		if (one->kind == TACIT_EFFECT_SEND)
			request = one->request;
		if (one->kind != TACIT_EFFECT_DELIVER)
			continue;
		if (one->notice.op != 0 || one->notice.kind == TACIT_NOTICE_DONE ||
		        one->notice.kind == TACIT_NOTICE_FAILED ||
		        (one->notice.kind == TACIT_NOTICE_MESSAGE && !one->notice.flag))
			abort();
	}
	tacit_effects_clear(fx);
	return request;
}

static void answer_all(struct tacit_engine *e, struct tacit_effects *fx, struct tacit_bytes first)
{
	struct tacit_http_answer a = {.status = first.n > 0 ? 200 : 0, .body = first};
	for (int i = 0; i < MAX_STEPS; i++) {
		uint64_t request = look(fx);
		if (request == 0)
			return;
		if (tacit_engine_answer(e, request, &a, fx) != TACIT_OK)
			return;
		a = (struct tacit_http_answer){0};
	}
}

static struct tacit_bytes next_line(struct tacit_bytes *in)
{
	const uint8_t *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - in->p) : in->n;
	struct tacit_bytes line = tacit_bytes_part(*in, 0, n);
	n += end != NULL;
	*in = tacit_bytes_part(*in, n, in->n - n);
	return line;
}

static void one_event(struct tacit_engine *e, struct tacit_bytes line)
{
	struct tacit_effects fx = {0};
	const uint8_t *space = line.n > 0 ? memchr(line.p, ' ', line.n) : NULL;
	if (space == NULL)
		return;
	size_t n = (size_t)(space - line.p);
	enum tacit_err err = tacit_engine_live_event(e, tacit_bytes_part(line, 0, n),
	        tacit_bytes_part(line, n + 1, line.n - n - 1), &fx);
	if (err != TACIT_OK && tacit_err_class(err) != TACIT_CLASS_PEER &&
	        tacit_err_class(err) != TACIT_CLASS_USAGE)
		abort();
	answer_all(e, &fx, tacit_bytes(NULL, 0));
	tacit_effects_clear(&fx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t next = 0;
	const struct tacit_env env = {now, counting_random, &next};
	struct tacit_effects fx = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	if (tacit_crypto_init() != TACIT_OK)
		abort();
	struct tacit_engine *e = make_engine(&env);
	struct tacit_bytes list = next_line(&in);
	if (tacit_engine_live_up(e, &fx) != TACIT_OK)
		abort();
	answer_all(e, &fx, list);
	for (int i = 0; i < MAX_STEPS && in.n > 0; i++)
		one_event(e, next_line(&in));
	if (tacit_engine_tick(e, &fx) != TACIT_OK)
		abort();
	answer_all(e, &fx, tacit_bytes(NULL, 0));
	tacit_effects_clear(&fx);
	tacit_engine_free(e);
	return 0;
}
