#include "wasm/room.h"

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/secret.h"
#include "wasm/abi.h"
#include "wasm/host.h"

static struct tacit_buf answer;

uint8_t *tacit_wasm_alloc(size_t n)
{
	return tacit_alloc(n);
}

void tacit_wasm_free(uint8_t *p, size_t n)
{
	if (p != NULL)
		tacit_wipe(p, n);
	tacit_free(p);
}

const uint8_t *tacit_wasm_answer(void)
{
	return answer.p;
}

size_t tacit_wasm_answer_size(void)
{
	return answer.n;
}

void tacit_wasm_answer_wipe(void)
{
	tacit_buf_clear(&answer);
}

struct tacit_buf *tacit_wasm_begin(void)
{
	tacit_buf_clear(&answer);
	return &answer;
}

enum tacit_err tacit_wasm_give(struct tacit_bytes bytes)
{
	return tacit_buf_append(tacit_wasm_begin(), bytes);
}

enum tacit_err tacit_wasm_give_handle(const void *handle)
{
	struct tacit_writer w = tacit_writer(tacit_wasm_begin());
	tacit_write_u32(&w, (uint32_t)(uintptr_t)handle);
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_wasm_error_name(enum tacit_err e)
{
	return tacit_wasm_give(tacit_cstr(tacit_err_name(e)));
}

enum tacit_err tacit_wasm_error_text(enum tacit_err e)
{
	return tacit_wasm_give(tacit_cstr(tacit_err_text(e)));
}

static int64_t host_now(void *ctx)
{
	(void)ctx;
	return (int64_t)tacit_host_now();
}

static void host_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	tacit_host_random(out, n);
}

const struct tacit_env *tacit_wasm_env(void)
{
	static const struct tacit_env env = {host_now, host_random, NULL};
	return &env;
}
