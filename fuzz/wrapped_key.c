#include <stdlib.h>

#include "e2e/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t iv[TACIT_WRAP_IV_BYTES];
	struct tacit_account a;
	/* Within the bounds every cost is accepted and paid; only small ones are paid here. */
	if (size > 8 && ((data[1] | data[2] | data[3] | data[5] | data[6] | data[7]) != 0) &&
	        data[1] == 0 && data[5] == 0)
		return 0;
	if (tacit_crypto_init() != TACIT_OK)
		abort();
	if (tacit_account_unwrap(tacit_bytes(data, size), tacit_bytes(iv, sizeof(iv)),
	            TACIT_STR("alice"), TACIT_STR("password"), &a) == TACIT_OK)
		abort();
	if (a.secret.p != NULL)
		abort();
	tacit_account_clear(&a);
	return 0;
}
