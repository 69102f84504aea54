/* A server that answers anything: the first byte chooses the command, then lines of one status
 * letter ('a' 200, 'b' 201, 'c' 401, 'd' 404, 'e' 503, else none) and a body. Whatever comes, the
 * command ends with one notice, and no message is delivered that nobody signed. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "engine/engine_int.h"

#define MAX_ANSWERS 64

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

static uint64_t look(struct tacit_effects *fx, uint64_t op, unsigned *ends)
{
	uint64_t request = 0;
	for (size_t i = 0; i < fx->count; i++) {
		const struct tacit_effect *one = &fx->list[i];
		if (one->kind == TACIT_EFFECT_SEND)
			request = one->request;
		if (one->kind != TACIT_EFFECT_DELIVER)
			continue;
		if (one->notice.kind == TACIT_NOTICE_MESSAGE && !one->notice.flag)
			abort();
		*ends += one->notice.op == op && (one->notice.kind == TACIT_NOTICE_DONE ||
		                                         one->notice.kind == TACIT_NOTICE_FAILED);
	}
	tacit_effects_clear(fx);
	return request;
}

static struct tacit_http_answer next_answer(const uint8_t **data, size_t *size)
{
	static const int statuses[] = {200, 201, 401, 404, 503};
	struct tacit_http_answer a = {0};
	if (*size == 0)
		return a;
	const uint8_t *end = memchr(*data, '\n', *size);
	size_t n = end != NULL ? (size_t)(end - *data) : *size;
	if (n > 0 && (*data)[0] >= 'a' && (*data)[0] < 'a' + (int)TACIT_COUNT(statuses)) {
		a.status = statuses[(*data)[0] - 'a'];
		a.body = tacit_bytes(*data + 1, n - 1);
	}
	n += end != NULL;
	*data += n;
	*size -= n;
	return a;
}

static struct tacit_command command(uint8_t choice)
{
	static const struct tacit_content content = {
	        .kind = TACIT_CONTENT_TEXT, .text = {(const uint8_t *)"hi", 2}};
	static const struct tacit_bytes users[] = {{(const uint8_t *)"bob", 3}};
	static const enum tacit_command_kind kinds[] = {TACIT_CMD_SYNC, TACIT_CMD_SEND,
	        TACIT_CMD_CONVERSATIONS, TACIT_CMD_USERS, TACIT_CMD_CREATE_GROUP,
	        TACIT_CMD_SAFETY_NUMBER, TACIT_CMD_DEVICES, TACIT_CMD_WHOAMI, TACIT_CMD_RESOLVE,
	        TACIT_CMD_CREATE_ROOM, TACIT_CMD_COMPARE};
	return (struct tacit_command){
	        .kind = kinds[choice % TACIT_COUNT(kinds)],
	        .username = users[0],
	        .text = TACIT_STR("b"),
	        .users = users,
	        .user_count = 1,
	        .content = &content,
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t seed = 0;
	struct tacit_env env = {now, counting_random, &seed};
	struct tacit_effects fx = {0};
	uint64_t op;
	unsigned ends = 0;
	if (tacit_crypto_init() != TACIT_OK)
		abort();
	if (size == 0)
		return 0;
	struct tacit_command c = command((uint8_t)(data[0] - '0'));
	data++, size--;
	struct tacit_engine *e = make_engine(&env);
	if (tacit_engine_command(e, &c, &op, &fx) != TACIT_OK)
		abort();
	uint64_t request = look(&fx, op, &ends);
	for (int i = 0; i < MAX_ANSWERS && request != 0; i++) {
		struct tacit_http_answer a = next_answer(&data, &size);
		if (tacit_engine_answer(e, request, &a, &fx) != TACIT_OK)
			abort();
		request = look(&fx, op, &ends);
	}
	if (ends != (request == 0))
		abort();
	tacit_engine_free(e);
	return 0;
}
