/* A stranger's public key: one byte for the suite, then the key. What passes the check can be
 * sealed to, and only that; sealing never depends on anything else. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/hpke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 7, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tacit_hpke_suite suites[] = {{0x0020, 0x0001, 0x0002},
	        {0x0010, 0x0001, 0x0002}, {0x647a, 0x0002, 0x0002}, {0x0021, 0x0003, 0x0002},
	        {0x0011, 0x0002, 0x0002}, {0x0012, 0x0003, 0x0002}};
	const struct tacit_env env = {.random = fill};
	uint8_t enc[TACIT_HPKE_ENC_MAX_BYTES], sealed[16];
	if (size < 1 || tacit_crypto_init() != TACIT_OK)
		return 0;
	struct tacit_hpke_suite s = suites[data[0] % TACIT_COUNT(suites)];
	struct tacit_bytes pk = tacit_bytes(data + 1, size - 1);
	const struct tacit_hpke_message none = {.info = TACIT_STR("info")};
	enum tacit_err good = tacit_hpke_check_public(s, pk);
	enum tacit_err err = tacit_hpke_seal_to(
	        s, pk, &none, &env, (struct tacit_hpke_sealed_room){enc, sealed});
	TACIT_ASSERT(good == TACIT_OK || good == TACIT_E_MALFORMED);
	TACIT_ASSERT(err == good);
	return 0;
}
