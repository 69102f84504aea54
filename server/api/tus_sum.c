#include "server/api/tus_sum.h"

#include "base/alloc.h"
#include "crypto/secret.h"

struct api_tus_sum {
	struct tacit_hasher *body;  /* of the body, or of the digests of its blocks */
	struct tacit_hasher *block; /* of the block that is coming; NULL: none has begun */
	enum tacit_hash algorithm;
	size_t block_bytes; /* 0: there are no blocks */
	size_t left;        /* of the block that is coming */
};

enum tacit_err api_tus_sum_new(const struct api_tus_checksum *of, struct api_tus_sum **out)
{
	enum tacit_err err;
	*out = NULL;
	struct api_tus_sum *s = tacit_calloc(1, sizeof(*s));
	TRY(s != NULL ? TACIT_OK : TACIT_E_NOMEM);
	s->algorithm = of->algorithm;
	s->block_bytes = of->block_bytes;
	TRY(tacit_hasher_new(s->algorithm, &s->body));
	*out = s;
	s = NULL;
out:
	api_tus_sum_free(s);
	return err;
}

void api_tus_sum_free(struct api_tus_sum *s)
{
	if (s == NULL)
		return;
	tacit_hasher_free(s->body);
	tacit_hasher_free(s->block);
	tacit_free(s);
}

static enum tacit_err end_block(struct api_tus_sum *s)
{
	enum tacit_err err;
	uint8_t digest[TACIT_HASH_MAX_BYTES];
	TRY(tacit_hasher_peek(s->block, digest));
	TRY(tacit_hasher_update(s->body, tacit_bytes(digest, tacit_hash_bytes(s->algorithm))));
out:
	tacit_hasher_free(s->block);
	s->block = NULL;
	return err;
}

enum tacit_err api_tus_sum_update(struct api_tus_sum *s, struct tacit_bytes in)
{
	enum tacit_err err = TACIT_OK;
	if (s->block_bytes == 0)
		return tacit_hasher_update(s->body, in);
	while (in.n > 0) {
		if (s->block == NULL) {
			TRY(tacit_hasher_new(s->algorithm, &s->block));
			s->left = s->block_bytes;
		}
		struct tacit_bytes part = tacit_bytes_part(in, 0, s->left);
		TRY(tacit_hasher_update(s->block, part));
		s->left -= part.n;
		in = tacit_bytes_part(in, part.n, in.n);
		if (s->left == 0)
			TRY(end_block(s));
	}
out:
	return err;
}

enum tacit_err api_tus_sum_check(struct api_tus_sum *s, const struct api_tus_checksum *of)
{
	enum tacit_err err;
	uint8_t digest[TACIT_HASH_MAX_BYTES];
	size_t n = tacit_hash_bytes(s->algorithm);
	if (s->block != NULL)
		TRY(end_block(s));
	TRY(tacit_hasher_peek(s->body, digest));
	if (!tacit_ct_eq(tacit_bytes(digest, n), tacit_bytes(of->digest, n)))
		err = TACIT_E_BAD_SEAL;
out:
	return err;
}
