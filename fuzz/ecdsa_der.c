/* ECDSA-Sig-Value: one byte for the field, then a signature. What is read is written back the same.
 */
#include <string.h>

#include "crypto/ecdsa_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = {32, 48, 66};
	uint8_t raw[132];
	struct tacit_scheme_signature again;
	if (size < 1)
		return 0;
	size_t n = sizes[data[0] % TACIT_COUNT(sizes)];
	struct tacit_bytes der = tacit_bytes(data + 1, size - 1);
	if (!tacit_ecdsa_from_der(der, n, raw) || (n == 66 && (raw[0] | raw[n]) > 1))
		return 0;
	tacit_ecdsa_to_der(raw, n, &again);
	TACIT_ASSERT(tacit_bytes_eq(tacit_bytes(again.b, again.n), der));
	return 0;
}
