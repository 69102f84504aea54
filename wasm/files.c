#include "wasm/files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/writer.h"
#include "crypto/encoding.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "e2e/file_digest.h"
#include "e2e/file_stream.h"
#include "wasm/abi.h"
#include "wasm/room.h"

/* A token is a MAC under a key of this module's life, of what it stands for: so the same file has
 * the same token, two files never share one, and nobody learns a key from it. */
#define TOKEN_BYTES 16

struct entry {
	struct entry *next;
	uint8_t token[TOKEN_BYTES];
	uint8_t key[TACIT_FILE_KEY_BYTES];
	uint8_t header[TACIT_FILE_HEADER_BYTES];
	uint8_t digest[TACIT_SHA256_BYTES];
	bool sending; /* header is there */
	bool sealed;  /* digest is there */
};

enum { BUCKETS = 1024 };
static struct entry *buckets[BUCKETS];
static uint8_t naming_key[TACIT_SHA256_BYTES];
static bool named;

static struct entry **bucket(const uint8_t token[TOKEN_BYTES])
{
	return &buckets[(token[0] << 8 | token[1]) % BUCKETS];
}

static struct entry *find(const uint8_t token[TOKEN_BYTES])
{
	struct entry *f = *bucket(token);
	while (f != NULL && !tacit_bytes_eq(tacit_bytes(f->token, TOKEN_BYTES),
	                            tacit_bytes(token, TOKEN_BYTES)))
		f = f->next;
	return f;
}

/* what: 's' for a file that is being sent, 'm' for one that a message names. */
static void name_file(char what, const uint8_t key[TACIT_FILE_KEY_BYTES], const uint8_t more[32],
        uint8_t token[TOKEN_BYTES])
{
	uint8_t mac[TACIT_SHA256_BYTES];
	const struct tacit_bytes parts[] = {
	        tacit_bytes(&what, 1),
	        tacit_bytes(key, TACIT_FILE_KEY_BYTES),
	        tacit_bytes(more, 32),
	};
	if (!named)
		tacit_env_random(tacit_wasm_env(), naming_key, sizeof(naming_key));
	named = true;
	tacit_hmac_parts(TACIT_SHA256, tacit_bytes(naming_key, sizeof(naming_key)), parts,
	        TACIT_COUNT(parts), mac);
	memcpy(token, mac, TOKEN_BYTES);
	tacit_wipe(mac, sizeof(mac));
}

/* The entry with that token, made when there is none. NULL: out of memory. */
static struct entry *enter(const uint8_t token[TOKEN_BYTES], const uint8_t *key)
{
	struct entry *f = find(token);
	if (f != NULL)
		return f;
	f = tacit_calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	memcpy(f->token, token, TOKEN_BYTES);
	memcpy(f->key, key, TACIT_FILE_KEY_BYTES);
	f->next = *bucket(token);
	*bucket(token) = f;
	return f;
}

static enum tacit_err write_token(const struct entry *f, struct tacit_buf *out)
{
	return tacit_base64(TACIT_BASE64URL, tacit_bytes(f->token, TOKEN_BYTES), out);
}

/* A token in its text form, at the beginning of in; the rest is *behind. */
static enum tacit_err read_token(struct tacit_bytes in, size_t behind, struct entry **out)
{
	struct tacit_buf token = {0};
	*out = NULL;
	if (in.n < behind)
		return TACIT_E_NOT_FOUND;
	enum tacit_err err =
	        tacit_unbase64(TACIT_BASE64URL, tacit_bytes(in.p, in.n - behind), &token);
	if (err == TACIT_OK && token.n == TOKEN_BYTES)
		*out = find(token.p);
	tacit_buf_clear(&token);
	if (err == TACIT_E_NOMEM)
		return err;
	return *out != NULL ? TACIT_OK : TACIT_E_NOT_FOUND;
}

enum tacit_err tacit_files_token(const struct tacit_file_ref *file, struct tacit_buf *out)
{
	uint8_t token[TOKEN_BYTES];
	name_file('m', file->key, file->sealed_digest, token);
	struct entry *f = enter(token, file->key);
	if (f == NULL)
		return TACIT_E_NOMEM;
	memcpy(f->digest, file->sealed_digest, sizeof(f->digest));
	f->sealed = true;
	return write_token(f, out);
}

enum tacit_err tacit_files_find(struct tacit_bytes token, struct tacit_file_ref *out)
{
	struct entry *f;
	enum tacit_err err = read_token(token, 0, &f);
	if (err != TACIT_OK)
		return err;
	if (!f->sealed)
		return TACIT_E_USAGE;
	memcpy(out->key, f->key, sizeof(out->key));
	memcpy(out->sealed_digest, f->digest, sizeof(out->sealed_digest));
	return TACIT_OK;
}

/* --- sending --------------------------------------------------------------------------------- */

static enum tacit_err give_sending(const uint8_t *key, const uint8_t *header)
{
	uint8_t token[TOKEN_BYTES];
	name_file('s', key, header, token);
	struct entry *f = enter(token, key);
	if (f == NULL)
		return TACIT_E_NOMEM;
	memcpy(f->header, header, sizeof(f->header));
	f->sending = true;
	return write_token(f, tacit_wasm_begin());
}

enum tacit_err tacit_wasm_file_new(void)
{
	uint8_t key[TACIT_FILE_KEY_BYTES], header[TACIT_FILE_HEADER_BYTES];
	tacit_env_random(tacit_wasm_env(), key, sizeof(key));
	enum tacit_err err = tacit_file_header_new(tacit_wasm_env(), header);
	if (err == TACIT_OK)
		err = give_sending(key, header);
	tacit_wipe(key, sizeof(key));
	return err;
}

static enum tacit_err find_sending(
        const uint8_t *token, size_t n, size_t behind, struct entry **out)
{
	enum tacit_err err = read_token(tacit_bytes(token, n), behind, out);
	return err == TACIT_OK && !(*out)->sending ? TACIT_E_NOT_FOUND : err;
}

enum tacit_err tacit_wasm_file_kept(const uint8_t *token, size_t n)
{
	struct entry *f;
	uint8_t kept[TACIT_WASM_FILE_KEPT_BYTES];
	enum tacit_err err = find_sending(token, n, 0, &f);
	if (err != TACIT_OK)
		return err;
	memcpy(kept, f->key, sizeof(f->key));
	memcpy(kept + sizeof(f->key), f->header, sizeof(f->header));
	err = tacit_wasm_give(tacit_bytes(kept, sizeof(kept)));
	tacit_wipe(kept, sizeof(kept));
	return err;
}

enum tacit_err tacit_wasm_file_again(const uint8_t *kept, size_t n)
{
	struct tacit_file_header h;
	if (n != TACIT_WASM_FILE_KEPT_BYTES)
		return TACIT_E_MALFORMED;
	const uint8_t *header = kept + TACIT_FILE_KEY_BYTES;
	enum tacit_err err =
	        tacit_file_header_decode(tacit_bytes(header, TACIT_FILE_HEADER_BYTES), &h);
	return err == TACIT_OK ? give_sending(kept, header) : err;
}

enum tacit_err tacit_wasm_file_header(const uint8_t *token, size_t n)
{
	struct entry *f;
	enum tacit_err err = find_sending(token, n, 0, &f);
	return err != TACIT_OK ? err : tacit_wasm_give(tacit_bytes(f->header, sizeof(f->header)));
}

enum tacit_err tacit_wasm_file_sealed(
        const struct tacit_file_digest *d, const uint8_t *token, size_t n)
{
	struct entry *f;
	enum tacit_err err;
	TRY(find_sending(token, n, 0, &f));
	TRY(tacit_file_digest_peek(d, f->digest));
	f->sealed = true;
out:
	return err;
}

/* --- both ways ------------------------------------------------------------------------------- */

enum tacit_err tacit_wasm_file_check(
        const struct tacit_file_digest *d, const uint8_t *token, size_t n)
{
	struct entry *f;
	enum tacit_err err = read_token(tacit_bytes(token, n), 0, &f);
	if (err == TACIT_OK && !f->sealed)
		err = TACIT_E_NOT_FOUND;
	return err != TACIT_OK ? err : tacit_file_digest_check(d, f->digest);
}

enum tacit_err tacit_wasm_file_stream(const uint8_t *token_and_header, size_t n)
{
	struct entry *f;
	uint32_t chunk_bytes;
	struct tacit_file_header h;
	uint8_t key[TACIT_SHA256_BYTES];
	enum tacit_err err =
	        read_token(tacit_bytes(token_and_header, n), TACIT_FILE_HEADER_BYTES, &f);
	if (err != TACIT_OK)
		return err;
	const uint8_t *header = token_and_header + n - TACIT_FILE_HEADER_BYTES;
	TRY(tacit_file_header_decode(tacit_bytes(header, TACIT_FILE_HEADER_BYTES), &h));
	TRY(tacit_file_stream_key(f->key, header, key, &chunk_bytes));
	struct tacit_buf *out = tacit_wasm_begin();
	TRY(tacit_buf_reserve(out, 4 + 1 + sizeof(key) + TACIT_FILE_HEADER_BYTES));
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u32(&w, chunk_bytes);
	tacit_write_u8(&w, h.version != TACIT_FILE_V1);
	tacit_write_raw(&w, tacit_bytes(key, sizeof(key)));
	tacit_write_raw(&w, tacit_bytes(header, TACIT_FILE_HEADER_BYTES));
	TRY(tacit_writer_finish(&w));
out:
	tacit_wipe(key, sizeof(key));
	return err;
}

enum tacit_err tacit_wasm_file_nonces(uint64_t first, uint64_t last, uint64_t until)
{
	enum tacit_err err;
	struct tacit_buf *out = tacit_wasm_begin();
	TRY(first < until && until - first <= TACIT_WASM_NONCES ? TACIT_OK : TACIT_E_USAGE);
	TRY(tacit_buf_reserve(out, (size_t)(until - first) * TACIT_FILE_NONCE_BYTES));
	for (uint64_t i = first; i < until; i++) {
		TRY(tacit_file_chunk_nonce(
		        i, i == last ? TACIT_CHUNK_LAST : TACIT_CHUNK_MIDDLE, out->p + out->n));
		out->n += TACIT_FILE_NONCE_BYTES;
	}
out:
	return err;
}

void tacit_wasm_files_forget(void)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (buckets[i] != NULL) {
			struct entry *f = buckets[i];
			buckets[i] = f->next;
			tacit_wipe(f, sizeof(*f));
			tacit_free(f);
		}
	}
	tacit_wipe(naming_key, sizeof(naming_key));
	named = false;
}

/* --- digests --------------------------------------------------------------------------------- */

enum tacit_err tacit_wasm_digest_new(const uint8_t *header, size_t n)
{
	struct tacit_file_digest *d = NULL;
	if (n != TACIT_FILE_HEADER_BYTES)
		return TACIT_E_MALFORMED;
	enum tacit_err err = tacit_file_digest_new(header, &d);
	if (err == TACIT_OK)
		err = tacit_wasm_give_handle(d);
	if (err != TACIT_OK)
		tacit_file_digest_free(d);
	return err;
}

enum tacit_err tacit_wasm_digest_feed(struct tacit_file_digest *d, const uint8_t *p, size_t n)
{
	return tacit_file_digest_feed(d, tacit_bytes(p, n));
}

enum tacit_err tacit_wasm_digest_peek(const struct tacit_file_digest *d)
{
	uint8_t digest[TACIT_SHA256_BYTES];
	enum tacit_err err = tacit_file_digest_peek(d, digest);
	return err != TACIT_OK ? err : tacit_wasm_give(tacit_bytes(digest, sizeof(digest)));
}

enum tacit_err tacit_wasm_digest_check(
        const struct tacit_file_digest *d, const uint8_t *want, size_t n)
{
	return n == TACIT_SHA256_BYTES ? tacit_file_digest_check(d, want) : TACIT_E_MALFORMED;
}

void tacit_wasm_digest_free(struct tacit_file_digest *d)
{
	tacit_file_digest_free(d);
}
