/* kem_peer.c - our KEMs for a program in another language: a line of words in hex in, one out.
 *
 *   mlkem|hybrid public SEED         -> the public key
 *   mlkem|hybrid encap  PK COINS     -> ciphertext, shared secret
 *   mlkem|hybrid decap  SEED CT      -> shared secret
 * What is refused answers "refused". */
#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/mlkem.h"
#include "crypto/secret.h"
#include "e2e/hpke_int.h"

enum { WORDS = 4, LINE = 8192, BYTES = 4096 };

struct answer {
	uint8_t bytes[BYTES];
	size_t first_n, second_n; /* one after the other */
};

static enum tacit_err mlkem(
        const char *verb, struct tacit_bytes a, struct tacit_bytes b, struct answer *out)
{
	uint8_t sk[TACIT_MLKEM_SK_BYTES];
	enum tacit_err err;
	if (strcmp(verb, "encap") == 0) {
		TRY(b.n == TACIT_MLKEM_COINS_BYTES ? TACIT_OK : TACIT_E_MALFORMED);
		out->first_n = TACIT_MLKEM_CIPHERTEXT_BYTES;
		out->second_n = TACIT_MLKEM_SHARED_BYTES;
		TRY(tacit_mlkem_encap(a, b.p, out->bytes, out->bytes + out->first_n));
		goto out;
	}
	TRY(a.n == TACIT_MLKEM_SEED_BYTES ? TACIT_OK : TACIT_E_MALFORMED);
	if (strcmp(verb, "public") == 0) {
		out->first_n = TACIT_MLKEM_PUBLIC_BYTES;
		TRY(tacit_mlkem_keypair(a.p, sk, out->bytes));
	} else {
		out->first_n = TACIT_MLKEM_SHARED_BYTES;
		TRY(tacit_mlkem_keypair(a.p, sk, NULL));
		TRY(tacit_mlkem_decap(sk, b, out->bytes));
	}
out:
	return err;
}

static enum tacit_err hybrid(
        const char *verb, struct tacit_bytes a, struct tacit_bytes b, struct answer *out)
{
	const struct tacit_hpke_kem *kem = tacit_hpke_kem_find(0x647a);
	if (strcmp(verb, "public") == 0) {
		out->first_n = kem->pk_bytes;
		return tacit_hpke_kem_public(kem, a, out->bytes);
	}
	if (strcmp(verb, "encap") == 0) {
		out->first_n = kem->enc_bytes;
		out->second_n = kem->shared_bytes;
		return tacit_hpke_kem_encap(
		        kem, a, TACIT_STR(""), b, out->bytes, out->bytes + out->first_n);
	}
	out->first_n = kem->shared_bytes;
	return tacit_hpke_kem_decap(kem, b, a, TACIT_STR(""), out->bytes);
}

static void print_hex(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
}

static struct tacit_bytes unhex(const char *word, uint8_t room[BYTES])
{
	size_t n = word != NULL ? strlen(word) / 2 : 0;
	if (n > BYTES || tacit_unhex(tacit_cstr(word), room, n) != TACIT_OK)
		n = 0;
	return tacit_bytes(room, n);
}

static void answer_line(char *line)
{
	static uint8_t first[BYTES], second[BYTES];
	char *words[WORDS];
	for (size_t i = 0; i < WORDS; i++)
		words[i] = strsep(&line, " \n");
	if (words[0] == NULL || words[1] == NULL) {
		printf("refused\n");
		return;
	}
	struct answer out = {.first_n = 0};
	struct tacit_bytes a = unhex(words[2], first), b = unhex(words[3], second);
	enum tacit_err err = strcmp(words[0], "mlkem") == 0 ? mlkem(words[1], a, b, &out)
	                                                    : hybrid(words[1], a, b, &out);
	if (err != TACIT_OK) {
		printf("refused\n");
		return;
	}
	print_hex(out.bytes, out.first_n);
	printf(" ");
	print_hex(out.bytes + out.first_n, out.second_n);
	printf("\n");
}

int main(void)
{
	static char line[LINE];
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		answer_line(line);
		fflush(stdout);
	}
	return 0;
}
