/* account.h - the keys of a person (design 3): one random account secret, everything else from it.
 *
 * The secret leaves the device only wrapped under a key that the password gives. What is sent for
 * login (password_hash) is made with another salt and other costs, so that the server cannot
 * unwrap with it. */
#ifndef TACIT_E2E_ACCOUNT_H
#define TACIT_E2E_ACCOUNT_H

#include "base/buf.h"
#include "base/env.h"
#include "crypto/secret.h"
#include "crypto/sign.h"

#define TACIT_ACCOUNT_SECRET_BYTES 32
#define TACIT_STORE_KEY_BYTES 32
#define TACIT_WRAP_IV_BYTES 12

struct tacit_account {
	struct tacit_secret secret;  /* 32 bytes */
	struct tacit_secret sign_sk; /* holds one struct tacit_sign_sk */
	struct tacit_sign_public public;
};

/* A new person. Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_account_create(
        const struct tacit_env *env, struct tacit_account *out);
/* The person behind a known secret. Fails: USAGE (length), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_account_from_secret(
        struct tacit_bytes secret, struct tacit_account *out);
void tacit_account_clear(struct tacit_account *a);

static inline const struct tacit_sign_sk *tacit_account_sk(const struct tacit_account *a)
{
	return (const struct tacit_sign_sk *)(const void *)a->sign_sk.p;
}

#define TACIT_ACCOUNT_LABEL_MAX 64

/* A key for one purpose of this account, by label ("store", ...). Never the signing key, whatever
 * the label. Fails: USAGE (label too long), CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_account_derive(
        const struct tacit_account *a, const char *label, uint8_t *out, size_t n);

/* Contract 2: salt = SHA-256(password || email)[0..16), Argon2id 16384 KiB, 2 passes, 32 bytes, as
 * 64 lower-case hex digits and a NUL; empty on error. email as it was registered, byte for byte.
 * Fails: NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_password_hash(
        struct tacit_bytes password, struct tacit_bytes email, char out[65]);

/* The wrapped secret: "version, costs, salt, ciphertext", and the IV beside it (contract 2:
 * encrypted_private_key, encryption_iv). The username is bound in, upper and lower case being the
 * same. Costs 64 MiB and 3 passes. Fails: BAD_NAME, NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_account_wrap(const struct tacit_account *a,
        struct tacit_bytes username, struct tacit_bytes password, const struct tacit_env *env,
        struct tacit_buf *wrapped, uint8_t iv[TACIT_WRAP_IV_BYTES]);
/* Fails: BAD_PASSWORD (wrong password or changed bytes), BAD_NAME, MALFORMED, UNSUPPORTED,
 * TOO_LARGE (costs beyond what we are willing to spend: 256 MiB, 10 passes), NOMEM, CRYPTO. */
TACIT_MUST_USE enum tacit_err tacit_account_unwrap(struct tacit_bytes wrapped,
        struct tacit_bytes iv, struct tacit_bytes username, struct tacit_bytes password,
        struct tacit_account *out);

#endif
