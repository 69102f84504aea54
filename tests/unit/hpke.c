/* What the vectors of RFC 9180 cannot show: refusals, tampering, limits, lack of memory. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/hpke_int.h"
#include "support/tap.h"

static const struct tacit_hpke_suite suites[] = {
        {0x0010, 0x0001, 0x0001},
        {0x0012, 0x0003, 0x0002},
        {0x0020, 0x0001, 0x0002},
        {0x0020, 0x0002, 0x0003}, /* a KDF that is not the KEM's */
        {0x0011, 0x0002, 0x0002},
#ifndef TACIT_NO_CURVE448
        {0x0021, 0x0003, 0x0003},
#endif
        {0x0020, 0x0011, 0x0002}, /* a one-stage KDF */
        {0x647a, 0x0002, 0x0002},
        {0x647a, 0x0010, 0x0001},
};

static bool has_mode(struct tacit_hpke_suite s, enum tacit_hpke_mode mode)
{
	return s.kem != 0x647a || mode == TACIT_HPKE_BASE || mode == TACIT_HPKE_PSK;
}

static const uint8_t recipient_ikm[TACIT_HPKE_SK_MAX_BYTES] = {1};
static const uint8_t sender_ikm[TACIT_HPKE_SK_MAX_BYTES] = {2};

/* Both sides of a conversation in one suite. */
struct pair {
	struct tacit_hpke_suite suite;
	uint8_t recipient_sk[TACIT_HPKE_SK_MAX_BYTES], recipient_pk[TACIT_HPKE_PK_MAX_BYTES];
	uint8_t sender_sk[TACIT_HPKE_SK_MAX_BYTES], sender_pk[TACIT_HPKE_PK_MAX_BYTES];
	struct tacit_buf enc;
	struct tacit_hpke *sender, *receiver;
};

static struct tacit_bytes sk_view(const struct pair *p, const uint8_t *sk)
{
	return tacit_bytes(sk, tacit_hpke_sk_bytes(p->suite));
}

static struct tacit_bytes pk_view(const struct pair *p, const uint8_t *pk)
{
	return tacit_bytes(pk, tacit_hpke_pk_bytes(p->suite));
}

static struct tacit_hpke_info info_of(const struct pair *p, enum tacit_hpke_mode mode)
{
	struct tacit_hpke_info info = {.mode = mode, .info = TACIT_STR("the info")};
	if (mode == TACIT_HPKE_PSK || mode == TACIT_HPKE_AUTH_PSK) {
		info.psk = TACIT_STR("a pre-shared key of 32 bytes....");
		info.psk_id = TACIT_STR("its name");
	}
	if (mode == TACIT_HPKE_AUTH || mode == TACIT_HPKE_AUTH_PSK) {
		info.sender_sk = sk_view(p, p->sender_sk);
		info.sender_pk = pk_view(p, p->sender_pk);
	}
	return info;
}

static enum tacit_err connect(struct pair *p, struct tacit_hpke_suite s, enum tacit_hpke_mode mode)
{
	enum tacit_err err;
	struct tacit_env env = tap_env(5);
	*p = (struct pair){.suite = s};
	TRY(tacit_hpke_derive_key_pair(
	        s, sk_view(p, recipient_ikm), p->recipient_sk, p->recipient_pk));
	TRY(tacit_hpke_derive_key_pair(s, sk_view(p, sender_ikm), p->sender_sk, p->sender_pk));
	struct tacit_hpke_info to = info_of(p, mode), from = to;
	TRY(tacit_hpke_setup_sender(
	        s, &to, pk_view(p, p->recipient_pk), &env, TACIT_STR(""), &p->enc, &p->sender));
	TRY(tacit_hpke_setup_receiver(
	        s, &from, tacit_buf_view(&p->enc), sk_view(p, p->recipient_sk), &p->receiver));
out:
	return err;
}

static void disconnect(struct pair *p)
{
	tacit_hpke_free(p->sender);
	tacit_hpke_free(p->receiver);
	tacit_buf_clear(&p->enc);
}

static void talks_in_every_mode(void)
{
	for (size_t i = 0; i < TACIT_COUNT(suites); i++) {
		for (int mode = TACIT_HPKE_BASE; mode <= TACIT_HPKE_AUTH_PSK; mode++) {
			struct pair p;
			struct tacit_buf sealed = {0}, opened = {0};
			if (!has_mode(suites[i], (enum tacit_hpke_mode)mode))
				continue;
			CHECK_OK(connect(&p, suites[i], (enum tacit_hpke_mode)mode));
			CHECK_INT(p.enc.n, tacit_hpke_enc_bytes(suites[i]));
			for (int n = 0; n < 3; n++) {
				sealed.n = 0;
				CHECK_OK(tacit_hpke_seal(
				        p.sender, TACIT_STR("aad"), TACIT_STR("hello "), &sealed));
				CHECK_OK(tacit_hpke_open(p.receiver, TACIT_STR("aad"),
				        tacit_buf_view(&sealed), &opened));
			}
			CHECK_BYTES(tacit_buf_view(&opened), TACIT_STR("hello hello hello "));
			uint8_t mine[48], theirs[48];
			CHECK_OK(tacit_hpke_export(p.sender, TACIT_STR("x"), mine, sizeof(mine)));
			CHECK_OK(tacit_hpke_export(
			        p.receiver, TACIT_STR("x"), theirs, sizeof(theirs)));
			CHECK_BYTES(tacit_bytes(mine, sizeof(mine)),
			        tacit_bytes(theirs, sizeof(theirs)));
			tacit_buf_clear(&sealed);
			tacit_buf_clear(&opened);
			disconnect(&p);
		}
	}
}

static void opens_only_what_was_sealed_and_in_order(void)
{
	struct pair p;
	struct tacit_buf first = {0}, second = {0}, opened = {0};
	struct tacit_bytes aad = TACIT_STR("aad");
	CHECK_OK(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_BASE));
	CHECK_OK(tacit_hpke_seal(p.sender, aad, TACIT_STR("first"), &first));
	CHECK_OK(tacit_hpke_seal(p.sender, aad, TACIT_STR("second"), &second));
	CHECK_OK(tacit_buf_append(&opened, TACIT_STR("kept ")));

	CHECK_ERR(tacit_hpke_open(p.receiver, aad, tacit_buf_view(&second), &opened),
	        TACIT_E_BAD_SEAL);
	for (size_t i = 0; i < first.n; i++) {
		first.p[i] ^= 0x80;
		CHECK_ERR(tacit_hpke_open(p.receiver, aad, tacit_buf_view(&first), &opened),
		        TACIT_E_BAD_SEAL);
		first.p[i] ^= 0x80;
	}
	for (size_t n = 0; n < first.n; n++)
		CHECK_ERR(tacit_hpke_open(p.receiver, aad, tacit_bytes(first.p, n), &opened),
		        TACIT_E_BAD_SEAL);
	CHECK_ERR(tacit_hpke_open(p.receiver, TACIT_STR("AAD"), tacit_buf_view(&first), &opened),
	        TACIT_E_BAD_SEAL);
	CHECK_BYTES(tacit_buf_view(&opened), TACIT_STR("kept "));

	/* All of that has not moved the receiver on. */
	CHECK_OK(tacit_hpke_open(p.receiver, aad, tacit_buf_view(&first), &opened));
	CHECK_ERR(tacit_hpke_open(p.receiver, aad, tacit_buf_view(&first), &opened),
	        TACIT_E_BAD_SEAL); /* a replay */
	CHECK_OK(tacit_hpke_open(p.receiver, aad, tacit_buf_view(&second), &opened));
	CHECK_BYTES(tacit_buf_view(&opened), TACIT_STR("kept firstsecond"));
	tacit_buf_clear(&first);
	tacit_buf_clear(&second);
	tacit_buf_clear(&opened);
	disconnect(&p);
}

/* What opens for a receiver that differs from the sender in one thing. */
static enum tacit_err open_as(
        const struct pair *p, const struct tacit_hpke_info *info, const uint8_t *sk)
{
	enum tacit_err err;
	struct tacit_hpke *receiver = NULL;
	struct tacit_buf sealed = {0}, opened = {0};
	p->sender->sequence = 0;
	TRY(tacit_hpke_seal(p->sender, TACIT_STR(""), TACIT_STR("secret"), &sealed));
	TRY(tacit_hpke_setup_receiver(
	        p->suite, info, tacit_buf_view(&p->enc), sk_view(p, sk), &receiver));
	TRY(tacit_hpke_open(receiver, TACIT_STR(""), tacit_buf_view(&sealed), &opened));
out:
	tacit_hpke_free(receiver);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&opened);
	return err;
}

static void every_input_is_bound(void)
{
	struct pair p;
	CHECK_OK(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_AUTH_PSK));
	const struct tacit_hpke_info right = info_of(&p, TACIT_HPKE_AUTH_PSK);
	CHECK_OK(open_as(&p, &right, p.recipient_sk));
	CHECK_ERR(open_as(&p, &right, p.sender_sk), TACIT_E_BAD_SEAL);

	struct tacit_hpke_info wrong = right;
	wrong.info = TACIT_STR("the Info");
	CHECK_ERR(open_as(&p, &wrong, p.recipient_sk), TACIT_E_BAD_SEAL);
	wrong = right;
	wrong.psk = TACIT_STR("A pre-shared key of 32 bytes....");
	CHECK_ERR(open_as(&p, &wrong, p.recipient_sk), TACIT_E_BAD_SEAL);
	wrong = right;
	wrong.psk_id = TACIT_STR("its Name");
	CHECK_ERR(open_as(&p, &wrong, p.recipient_sk), TACIT_E_BAD_SEAL);
	wrong = right;
	wrong.sender_pk = pk_view(&p, p.recipient_pk);
	CHECK_ERR(open_as(&p, &wrong, p.recipient_sk), TACIT_E_BAD_SEAL);
	wrong = info_of(&p, TACIT_HPKE_AUTH);
	CHECK_ERR(open_as(&p, &wrong, p.recipient_sk), TACIT_E_BAD_SEAL);
	wrong = info_of(&p, TACIT_HPKE_BASE);
	CHECK_ERR(open_as(&p, &wrong, p.recipient_sk), TACIT_E_BAD_SEAL);
	p.enc.p[0] ^= 1;
	CHECK_ERR(open_as(&p, &right, p.recipient_sk), TACIT_E_BAD_SEAL);
	disconnect(&p);
}

static enum tacit_err set_up(const struct pair *p, const struct tacit_hpke_info *info)
{
	struct tacit_env env = tap_env(6);
	struct tacit_buf enc = {0};
	struct tacit_hpke *sender = NULL, *receiver = NULL;
	enum tacit_err sent = tacit_hpke_setup_sender(
	        p->suite, info, pk_view(p, p->recipient_pk), &env, TACIT_STR(""), &enc, &sender);
	enum tacit_err received = tacit_hpke_setup_receiver(
	        p->suite, info, tacit_buf_view(&p->enc), sk_view(p, p->recipient_sk), &receiver);
	CHECK_ERR(received, sent);
	CHECK((sender != NULL) == (sent == TACIT_OK));
	CHECK((enc.n > 0) == (sent == TACIT_OK));
	tacit_hpke_free(sender);
	tacit_hpke_free(receiver);
	tacit_buf_clear(&enc);
	return sent;
}

static void refuses_inputs_that_do_not_fit_the_mode(void)
{
	struct pair p;
	CHECK_OK(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_BASE));
	struct tacit_hpke_info info = info_of(&p, TACIT_HPKE_AUTH_PSK);
	CHECK_OK(set_up(&p, &info));
	for (int mode = TACIT_HPKE_BASE; mode < TACIT_HPKE_AUTH_PSK; mode++) {
		info.mode = (enum tacit_hpke_mode)mode; /* and more than it takes */
		CHECK_ERR(set_up(&p, &info), TACIT_E_USAGE);
	}
	info = info_of(&p, TACIT_HPKE_PSK);
	info.psk_id = TACIT_STR("");
	CHECK_ERR(set_up(&p, &info), TACIT_E_USAGE);
	info = info_of(&p, TACIT_HPKE_PSK);
	info.psk = TACIT_STR("too short a key for RFC 9180 9.5");
	info.psk.n = 31;
	CHECK_ERR(set_up(&p, &info), TACIT_E_USAGE);
	info = info_of(&p, TACIT_HPKE_AUTH);
	info.sender_sk.n = info.sender_pk.n = 31;
	CHECK_ERR(set_up(&p, &info), TACIT_E_MALFORMED);
	info = (struct tacit_hpke_info){.mode = TACIT_HPKE_AUTH};
	CHECK_ERR(set_up(&p, &info), TACIT_E_USAGE);
	info.mode = (enum tacit_hpke_mode)4;
	CHECK_ERR(set_up(&p, &info), TACIT_E_USAGE);
	disconnect(&p);
}

static void refuses_suites_it_does_not_have(void)
{
	static const struct tacit_hpke_suite bad[] = {{0x0013, 1, 1}, {0x0020, 0, 1},
	        {0x0020, 4, 1}, {0x0020, 1, 0}, {0x0020, 1, 4}, {0, 0, 0}, {0x0050, 2, 2}};
	struct pair p;
	CHECK_OK(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_BASE));
	struct tacit_hpke_info info = info_of(&p, TACIT_HPKE_BASE);
	for (size_t i = 0; i < TACIT_COUNT(bad); i++) {
		p.suite = bad[i];
		CHECK(!tacit_hpke_suite_supported(bad[i]));
		CHECK_ERR(set_up(&p, &info), TACIT_E_USAGE);
	}
	uint8_t sk[TACIT_HPKE_SK_MAX_BYTES], pk[TACIT_HPKE_PK_MAX_BYTES];
	CHECK_ERR(tacit_hpke_derive_key_pair(
	                  bad[0], TACIT_STR("0123456789012345678901234567890123"), sk, pk),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_hpke_derive_key_pair(
	                  TACIT_HPKE_DEFAULT, tacit_bytes(recipient_ikm, 31), sk, pk),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_hpke_derive_key_pairs(
	                  TACIT_HPKE_DEFAULT, tacit_bytes(recipient_ikm, 62), 2, sk, pk),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_hpke_derive_key_pairs(
	                  TACIT_HPKE_DEFAULT, tacit_bytes(recipient_ikm, 65), 2, sk, pk),
	        TACIT_E_USAGE);
	CHECK_ERR(tacit_hpke_derive_key_pairs(
	                  TACIT_HPKE_DEFAULT, tacit_bytes(recipient_ikm, 32), 0, sk, pk),
	        TACIT_E_USAGE);
	disconnect(&p);
}

static void refuses_bad_keys(void)
{
	struct tacit_env env = tap_env(7);
	static const uint8_t zeroes[TACIT_HPKE_PK_MAX_BYTES];
	for (size_t i = 0; i < TACIT_COUNT(suites); i++) {
		struct tacit_hpke_suite s = suites[i];
		struct tacit_hpke *h;
		struct tacit_buf enc = {0};
		struct tacit_hpke_info info = {.mode = TACIT_HPKE_BASE};
		struct pair p;
		CHECK_OK(connect(&p, s, TACIT_HPKE_BASE));
		struct tacit_bytes zero_pk = pk_view(&p, zeroes), sk = sk_view(&p, p.recipient_sk);
		CHECK_ERR(tacit_hpke_setup_sender(s, &info, zero_pk, &env, TACIT_STR(""), &enc, &h),
		        TACIT_E_MALFORMED);
		CHECK(h == NULL && enc.n == 0);
		CHECK_ERR(tacit_hpke_setup_receiver(s, &info, zero_pk, sk, &h), TACIT_E_MALFORMED);
		CHECK_ERR(tacit_hpke_setup_receiver(s, &info, TACIT_STR(""), sk, &h),
		        TACIT_E_MALFORMED);
		sk.n--;
		CHECK_ERR(tacit_hpke_setup_receiver(s, &info, tacit_buf_view(&p.enc), sk, &h),
		        TACIT_E_MALFORMED);
		disconnect(&p);
		tacit_buf_clear(&enc);
	}
}

static void each_side_keeps_to_its_part(void)
{
	struct pair p;
	struct tacit_buf out = {0};
	struct tacit_bytes none = TACIT_STR("");
	CHECK_OK(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_BASE));
	CHECK_ERR(tacit_hpke_seal(p.receiver, none, none, &out), TACIT_E_USAGE);
	CHECK_ERR(tacit_hpke_open(p.sender, none, none, &out), TACIT_E_USAGE);
	p.sender->sequence = p.receiver->sequence = UINT64_MAX - 1;
	CHECK_OK(tacit_hpke_seal(p.sender, none, none, &out));
	CHECK_ERR(tacit_hpke_seal(p.sender, none, none, &out), TACIT_E_EXHAUSTED);
	CHECK_INT(out.n, 16);
	struct tacit_buf plain = {0};
	CHECK_OK(tacit_hpke_open(p.receiver, none, tacit_buf_view(&out), &plain));
	CHECK_ERR(
	        tacit_hpke_open(p.receiver, none, tacit_buf_view(&out), &plain), TACIT_E_EXHAUSTED);
	tacit_buf_clear(&out);
	tacit_buf_clear(&plain);
	disconnect(&p);
	tacit_hpke_free(NULL);
}

static void exports_without_sealing(void)
{
	struct pair p;
	struct tacit_buf out = {0};
	static uint8_t mine[255 * 32 + 1], theirs[255 * 32];
	CHECK_OK(connect(&p, (struct tacit_hpke_suite){0x0020, 0x0001, 0xffff}, TACIT_HPKE_BASE));
	CHECK_ERR(tacit_hpke_seal(p.sender, TACIT_STR(""), TACIT_STR("x"), &out), TACIT_E_USAGE);
	CHECK_ERR(tacit_hpke_open(p.receiver, TACIT_STR(""), TACIT_STR("x"), &out), TACIT_E_USAGE);
	CHECK_OK(tacit_hpke_export(p.sender, TACIT_STR("c"), mine, sizeof(theirs)));
	CHECK_OK(tacit_hpke_export(p.receiver, TACIT_STR("c"), theirs, sizeof(theirs)));
	CHECK_BYTES(tacit_bytes(mine, sizeof(theirs)), tacit_bytes(theirs, sizeof(theirs)));
	CHECK_OK(tacit_hpke_export(p.receiver, TACIT_STR("d"), theirs, 32));
	CHECK(!tacit_ct_eq(tacit_bytes(mine, 32), tacit_bytes(theirs, 32)));
	CHECK_ERR(tacit_hpke_export(p.sender, TACIT_STR("c"), mine, sizeof(mine)), TACIT_E_USAGE);
	disconnect(&p);
}

static void single_shot_opens_for_the_right_key_only(void)
{
	struct pair p;
	struct tacit_env env = tap_env(8);
	struct tacit_buf enc = {0}, again = {0}, sealed = {0}, plain = {0};
	struct tacit_bytes info = TACIT_STR("i"), aad = TACIT_STR("a"), text = TACIT_STR("text");
	CHECK_OK(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_BASE));
	struct tacit_bytes pk = pk_view(&p, p.recipient_pk), sk = sk_view(&p, p.recipient_sk);
	CHECK_OK(tacit_hpke_seal_once(p.suite, pk, info, aad, text, &env, &enc, &sealed));
	CHECK_OK(tacit_hpke_open_once(
	        p.suite, tacit_buf_view(&enc), sk, info, aad, tacit_buf_view(&sealed), &plain));
	CHECK_BYTES(tacit_buf_view(&plain), text);
	CHECK_ERR(tacit_hpke_open_once(p.suite, tacit_buf_view(&enc), sk_view(&p, p.sender_sk),
	                  info, aad, tacit_buf_view(&sealed), &plain),
	        TACIT_E_BAD_SEAL);
	CHECK_OK(tacit_hpke_seal_once(p.suite, pk, info, aad, text, &env, &again, &sealed));
	CHECK(!tacit_bytes_eq(tacit_buf_view(&enc), tacit_buf_view(&again))); /* a fresh key */
	tacit_buf_clear(&enc);
	tacit_buf_clear(&again);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&plain);
	disconnect(&p);
}

/* What is sealed by hashes made beforehand opens with the info they were made of. */
static void one_info_serves_many_messages(void)
{
	struct tacit_env env = tap_env(10);
	struct tacit_bytes info = TACIT_STR("the info"), text = TACIT_STR("text");
	uint8_t enc[TACIT_HPKE_ENC_MAX_BYTES], sealed[32], plain[32];
	struct tacit_hpke_base base;
	struct pair p;
	for (size_t i = 0; i < TACIT_COUNT(suites); i++) {
		bool one_stage = suites[i].kdf >= 0x0010;
		CHECK_ERR(tacit_hpke_base_init(suites[i], info, &base),
		        one_stage ? TACIT_E_USAGE : TACIT_OK);
		if (one_stage)
			continue;
		CHECK_OK(connect(&p, suites[i], TACIT_HPKE_BASE));
		struct tacit_bytes pk = pk_view(&p, p.recipient_pk);
		struct tacit_bytes sk = sk_view(&p, p.recipient_sk);
		struct tacit_bytes from = tacit_bytes(enc, tacit_hpke_enc_bytes(p.suite));
		struct tacit_hpke_message m = {.text = text, .base = &base};
		struct tacit_hpke_message got = {
		        .info = info, .text = tacit_bytes(sealed, text.n + 16)};
		struct tacit_hpke_sealed_room room = {enc, sealed};
		for (int message = 0; message < 2; message++) {
			CHECK_OK(tacit_hpke_seal_to(p.suite, pk, &m, &env, room));
			CHECK_OK(tacit_hpke_open_from(p.suite, sk, from, &got, plain));
			CHECK_BYTES(tacit_bytes(plain, text.n), text);
		}
		got.info = TACIT_STR("the infO");
		CHECK_ERR(tacit_hpke_open_from(p.suite, sk, from, &got, plain), TACIT_E_BAD_SEAL);
		base.suite.aead = base.suite.aead == 1 ? 2 : 1;
		CHECK_ERR(tacit_hpke_seal_to(p.suite, pk, &m, &env, room), TACIT_E_USAGE);
		disconnect(&p);
	}
	struct tacit_hpke_suite unknown = {0x0020, 0x0001, 0x0009};
	CHECK_ERR(tacit_hpke_base_init(unknown, info, &base), TACIT_E_USAGE);
}

/* Keys that are made ahead are used once each, and more messages than were expected go, too. */
static void keys_made_ahead(void)
{
	enum { EXPECTED = 66, SENT = 68 };
	static uint8_t encs[SENT][TACIT_HPKE_ENC_MAX_BYTES];
	struct tacit_env env = tap_env(11);
	struct tacit_bytes info = TACIT_STR("the info"), text = TACIT_STR("text");
	uint8_t sealed[32], plain[32];
	struct pair p;
	for (size_t i = 0; i < TACIT_COUNT(suites); i++) {
		CHECK_OK(connect(&p, suites[i], TACIT_HPKE_BASE));
		size_t enc_n = tacit_hpke_enc_bytes(p.suite);
		struct tacit_hpke_ephemerals ahead = {.expected = EXPECTED};
		struct tacit_hpke_message m = {.info = info, .text = text, .ephemerals = &ahead};
		struct tacit_hpke_message got = {
		        .info = info, .text = tacit_bytes(sealed, text.n + 16)};
		size_t sent = suites[i].kem == 0x0020 ? SENT : 2;
		for (size_t k = 0; k < sent; k++) {
			struct tacit_hpke_sealed_room room = {encs[k], sealed};
			CHECK_OK(tacit_hpke_seal_to(
			        p.suite, pk_view(&p, p.recipient_pk), &m, &env, room));
			CHECK_OK(tacit_hpke_open_from(p.suite, sk_view(&p, p.recipient_sk),
			        tacit_bytes(encs[k], enc_n), &got, plain));
			CHECK_BYTES(tacit_bytes(plain, text.n), text);
			for (size_t j = 0; j < k; j++)
				CHECK(memcmp(encs[j], encs[k], enc_n) != 0);
		}
		static const uint8_t zeroes[32];
		for (size_t k = 0; k < ahead.next; k++)
			CHECK(memcmp(ahead.sk[k], zeroes, sizeof(zeroes)) == 0);
		m.text = TACIT_STR("");
		struct tacit_hpke_sealed_room room = {encs[0], sealed};
		CHECK_ERR(tacit_hpke_seal_to(p.suite, tacit_bytes(encs[0], 3), &m, &env, room),
		        TACIT_E_MALFORMED);
		tacit_hpke_ephemerals_clear(&ahead);
		CHECK_INT(ahead.count, 0);
		disconnect(&p);
	}
}

static enum tacit_err send_one_message(void)
{
	enum tacit_err err;
	struct pair p;
	struct tacit_buf enc = {0}, sealed = {0}, plain = {0};
	struct tacit_env env = tap_env(9);
	struct tacit_bytes none = TACIT_STR(""), text = TACIT_STR("text");
	TRY(connect(&p, TACIT_HPKE_DEFAULT, TACIT_HPKE_AUTH_PSK));
	TRY(tacit_hpke_seal_once(
	        p.suite, pk_view(&p, p.recipient_pk), none, none, text, &env, &enc, &sealed));
	TRY(tacit_hpke_open_once(p.suite, tacit_buf_view(&enc), sk_view(&p, p.recipient_sk), none,
	        none, tacit_buf_view(&sealed), &plain));
out:
	CHECK((enc.n > 0) == (sealed.n > 0)); /* both or neither */
	tacit_buf_clear(&enc);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&plain);
	disconnect(&p);
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(send_one_message);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"talks in every mode", talks_in_every_mode},
	        {"opens only what was sealed, and in order",
	                opens_only_what_was_sealed_and_in_order},
	        {"every input is bound", every_input_is_bound},
	        {"refuses inputs that do not fit the mode",
	                refuses_inputs_that_do_not_fit_the_mode},
	        {"refuses suites it does not have", refuses_suites_it_does_not_have},
	        {"refuses bad keys", refuses_bad_keys},
	        {"each side keeps to its part", each_side_keeps_to_its_part},
	        {"exports without sealing", exports_without_sealing},
	        {"single shot opens for the right key only",
	                single_shot_opens_for_the_right_key_only},
	        {"one info serves many messages", one_info_serves_many_messages},
	        {"keys made ahead", keys_made_ahead},
	        {"survives no memory", survives_no_memory},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
