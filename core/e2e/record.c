#include "e2e/record.h"

#include <string.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"

#define NAME_LABEL "tacit record name v1"
#define SEAL_LABEL "tacit record key v1"
#define VERSION 1

#define HEAD_BYTES (1 + TACIT_AEAD_NONCE_BYTES)

void tacit_record_id(const uint8_t store_key[TACIT_STORE_KEY_BYTES], struct tacit_bytes name,
        struct tacit_record_id *out)
{
	uint8_t key[TACIT_SHA256_BYTES];
	uint8_t mac[TACIT_SHA256_BYTES];
	tacit_hmac(TACIT_SHA256, tacit_bytes(store_key, TACIT_STORE_KEY_BYTES),
	        TACIT_STR(NAME_LABEL), key);
	tacit_hmac(TACIT_SHA256, tacit_bytes(key, sizeof(key)), name, mac);
	memcpy(out->b, mac, sizeof(out->b));
	tacit_wipe(key, sizeof(key));
	tacit_wipe(mac, sizeof(mac));
}

/* A key per record: random nonces then only have to differ among the versions of one record, far
 * from the 2^32 of NIST SP 800-38D 8.3. What is authenticated is version and id. */
struct seal {
	uint8_t key[TACIT_SHA256_BYTES];
	uint8_t aad[1 + TACIT_RECORD_ID_BYTES];
};

static void prepare(struct seal *s, const uint8_t *store_key, const struct tacit_record_id *id)
{
	uint8_t info[sizeof(SEAL_LABEL) - 1 + sizeof(id->b)];
	memcpy(info, SEAL_LABEL, sizeof(SEAL_LABEL) - 1);
	memcpy(info + sizeof(SEAL_LABEL) - 1, id->b, sizeof(id->b));
	tacit_hmac(TACIT_SHA256, tacit_bytes(store_key, TACIT_STORE_KEY_BYTES),
	        tacit_bytes(info, sizeof(info)), s->key);
	s->aad[0] = VERSION;
	memcpy(s->aad + 1, id->b, sizeof(id->b));
}

enum tacit_err tacit_record_seal(const uint8_t store_key[TACIT_STORE_KEY_BYTES],
        const struct tacit_record_id *id, struct tacit_bytes plain, const struct tacit_env *env,
        struct tacit_buf *out)
{
	enum tacit_err err;
	struct seal s = {{0}, {0}};
	if (plain.n > SIZE_MAX / 2)
		return TACIT_E_NOMEM;
	TRY(tacit_buf_reserve(out, plain.n + TACIT_RECORD_OVERHEAD));
	prepare(&s, store_key, id);
	uint8_t *at = out->p + out->n;
	at[0] = VERSION;
	tacit_env_random(env, at + 1, TACIT_AEAD_NONCE_BYTES);
	TRY(tacit_aead_seal_once(TACIT_AES256_GCM, s.key, at + 1, tacit_bytes(s.aad, sizeof(s.aad)),
	        plain, at + HEAD_BYTES));
	out->n += plain.n + TACIT_RECORD_OVERHEAD;
out:
	tacit_wipe(&s, sizeof(s));
	return err;
}

enum tacit_err tacit_record_open(const uint8_t store_key[TACIT_STORE_KEY_BYTES],
        const struct tacit_record_id *id, struct tacit_bytes sealed, struct tacit_buf *out)
{
	if (sealed.n < TACIT_RECORD_OVERHEAD)
		return TACIT_E_MALFORMED;
	if (sealed.p[0] != VERSION)
		return TACIT_E_UNSUPPORTED;
	enum tacit_err err;
	struct seal s = {{0}, {0}};
	TRY(tacit_buf_reserve(out, sealed.n - TACIT_RECORD_OVERHEAD + 1));
	prepare(&s, store_key, id);
	TRY(tacit_aead_open_once(TACIT_AES256_GCM, s.key, sealed.p + 1,
	        tacit_bytes(s.aad, sizeof(s.aad)),
	        tacit_bytes(sealed.p + HEAD_BYTES, sealed.n - HEAD_BYTES), out->p + out->n));
	out->n += sealed.n - TACIT_RECORD_OVERHEAD;
out:
	tacit_wipe(&s, sizeof(s));
	return err;
}
