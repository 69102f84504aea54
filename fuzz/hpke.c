/* A stranger's encapsulated key and ciphertext: one byte for the suite, then a key, then the rest.
 * With the seal unbroken it opens to what was sealed; else nothing comes out. */
#include "crypto/secret.h"
#include "e2e/hpke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tacit_hpke_suite suites[] = {{0x0020, 0x0001, 0x0002},
	        {0x0010, 0x0001, 0x0003}, {0x0012, 0x0003, 0x0001}, {0x647a, 0x0002, 0x0002},
	        {0x0021, 0x0003, 0x0002}, {0x0011, 0x0002, 0x0002}, {0x647a, 0x0011, 0x0003}};
	static const uint8_t ikm[TACIT_HPKE_SK_MAX_BYTES] = "a seed that everybody may know";
	if (size < 1 || tacit_crypto_init() != TACIT_OK)
		return 0;
	struct tacit_hpke_suite s = suites[data[0] % TACIT_COUNT(suites)];
	struct tacit_bytes rest = tacit_bytes(data + 1, size - 1);
	struct tacit_bytes enc = tacit_bytes_part(rest, 0, tacit_hpke_enc_bytes(s));
	struct tacit_bytes sealed = tacit_bytes_part(rest, enc.n, rest.n);
	uint8_t sk[TACIT_HPKE_SK_MAX_BYTES], pk[TACIT_HPKE_PK_MAX_BYTES];
	struct tacit_buf plain = {0};
	TACIT_ASSERT(
	        tacit_hpke_derive_key_pair(s, tacit_bytes(ikm, sizeof(ikm)), sk, pk) == TACIT_OK);
	enum tacit_err err = tacit_hpke_open_once(s, enc, tacit_bytes(sk, tacit_hpke_sk_bytes(s)),
	        TACIT_STR("info"), TACIT_STR("aad"), sealed, &plain);
	TACIT_ASSERT(plain.n == (err == TACIT_OK ? sealed.n - 16 : 0));
	tacit_buf_clear(&plain);
	return 0;
}
