#include <string.h>

#include "base/alloc.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "e2e/group.h"
#include "e2e/hpke.h"
#include "support/tap.h"
#include "wire/envelope.h"

#define CONVERSATION 42

/* A person with one device, and what that device remembers of the conversation. */
struct peer {
	struct tacit_account account;
	struct tacit_device device;
	uint8_t hpke_sk[32];
	struct tacit_group *group;
};

static const struct tacit_group_ops *const ops = &tacit_pairwise;

static enum tacit_err peer_device(struct peer *p, const struct tacit_env *env)
{
	uint8_t ikm[32];
	tacit_env_random(env, ikm, sizeof(ikm));
	tacit_env_random(env, p->device.id.b, sizeof(p->device.id.b));
	enum tacit_err err = tacit_hpke_derive_key_pair(TACIT_HPKE_DEFAULT,
	        tacit_bytes(ikm, sizeof(ikm)), p->hpke_sk, p->device.hpke_public);
	if (err == TACIT_OK)
		err = ops->create(CONVERSATION, &p->group);
	tacit_device_certify(&p->device, tacit_account_sk(&p->account));
	return err;
}

static enum tacit_err peer_init(struct peer *p, const struct tacit_env *env)
{
	*p = (struct peer){0};
	enum tacit_err err = tacit_account_create(env, &p->account);
	return err == TACIT_OK ? peer_device(p, env) : err;
}

/* Another device of the same person. */
static enum tacit_err peer_sibling(
        struct peer *p, const struct peer *of, const struct tacit_env *env)
{
	*p = (struct peer){0};
	enum tacit_err err =
	        tacit_account_from_secret(tacit_secret_view(&of->account.secret), &p->account);
	return err == TACIT_OK ? peer_device(p, env) : err;
}

static void peer_clear(struct peer *p)
{
	ops->destroy(p->group);
	tacit_account_clear(&p->account);
}

static struct tacit_self self(const struct peer *p)
{
	return (struct tacit_self){&p->account, p->device.id, p->hpke_sk};
}

static struct tacit_leaf leaf(const struct peer *p)
{
	return (struct tacit_leaf){p->account.public, p->device};
}

/* alice and bob, alice's tablet, and mallory, a member who behaves ill. */
static struct peer alice, bob, tablet, mallory;
static struct tacit_leaf leaves[4];
static struct tacit_roster roster;
static struct tacit_sign_public members[3];
static struct tacit_env env;

static enum tacit_err setup(void)
{
	enum tacit_err err;
	env = tap_env(7);
	alice = bob = tablet = mallory = (struct peer){0};
	TRY(peer_init(&alice, &env));
	TRY(peer_init(&bob, &env));
	TRY(peer_sibling(&tablet, &alice, &env));
	TRY(peer_init(&mallory, &env));
	leaves[0] = leaf(&alice);
	leaves[1] = leaf(&bob);
	leaves[2] = leaf(&tablet);
	leaves[3] = leaf(&mallory);
	roster = (struct tacit_roster){leaves, 4};
	members[0] = alice.account.public;
	members[1] = bob.account.public;
	members[2] = mallory.account.public;
out:
	return err;
}

static void teardown(void)
{
	peer_clear(&alice);
	peer_clear(&bob);
	peer_clear(&tablet);
	peer_clear(&mallory);
}

static enum tacit_err say(struct peer *from, const char *text, struct tacit_buf *out)
{
	struct tacit_self me = self(from);
	return ops->protect(from->group, &me, &roster, tacit_cstr(text), &env, out);
}

static enum tacit_err hear_bytes(struct peer *to, struct tacit_bytes message,
        struct tacit_opened *opened, struct tacit_buf *plain)
{
	struct tacit_self me = self(to);
	return ops->unprotect(to->group, &me, members, 3, message, opened, plain);
}

static enum tacit_err hear(struct peer *to, const struct tacit_buf *message)
{
	struct tacit_opened opened;
	struct tacit_buf plain = {0};
	enum tacit_err err = hear_bytes(to, tacit_buf_view(message), &opened, &plain);
	if (err != TACIT_OK)
		CHECK_INT(plain.n, 0);
	tacit_buf_clear(&plain);
	return err;
}

static void state_of(const struct peer *p, struct tacit_buf *out)
{
	out->n = 0;
	CHECK_OK(ops->serialise(p->group, out));
}

static void reload(struct peer *p)
{
	struct tacit_buf state = {0};
	struct tacit_buf again = {0};
	struct tacit_group *g;
	state_of(p, &state);
	CHECK_OK(ops->load(tacit_buf_view(&state), &g));
	ops->destroy(p->group);
	p->group = g;
	state_of(p, &again);
	CHECK_BYTES(tacit_buf_view(&again), tacit_buf_view(&state));
	tacit_buf_clear(&state);
	tacit_buf_clear(&again);
}

static void clear(struct tacit_buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tacit_buf_clear(&b[i]);
}

static void all_devices_hear(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[1] = {{0}};
	struct tacit_buf plain = {0};
	struct tacit_opened o;
	CHECK_OK(say(&alice, "hello", m));
	struct peer *const listeners[] = {&bob, &tablet, &mallory};
	for (size_t i = 0; i < TACIT_COUNT(listeners); i++) {
		plain.n = 0;
		CHECK_OK(hear_bytes(listeners[i], tacit_buf_view(m), &o, &plain));
		CHECK_BYTES(tacit_buf_view(&plain), TACIT_STR("hello"));
		CHECK_BYTES(tacit_bytes(o.sender.b, 32), tacit_bytes(members[0].b, 32));
		CHECK_BYTES(tacit_bytes(o.device.b, 16), tacit_bytes(alice.device.id.b, 16));
		CHECK_INT(o.order, 1);
		CHECK_INT(o.missing, 0);
		CHECK(!o.own);
	}
	plain.n = 0;
	CHECK_OK(hear_bytes(&alice, tacit_buf_view(m), &o, &plain));
	CHECK(o.own && plain.n == 0);
	clear(m, 1);
	tacit_buf_clear(&plain);
	teardown();
}

static void long_talks_survive_reloads(void)
{
	CHECK_OK(setup());
	for (int i = 0; i < 200; i++) {
		struct tacit_buf m[2] = {{0}};
		CHECK_OK(say(i % 3 ? &alice : &tablet, "to bob", &m[0]));
		CHECK_OK(hear(&bob, &m[0]));
		CHECK_OK(say(&bob, "to alice", &m[1]));
		CHECK_OK(hear(&alice, &m[1]));
		if (i % 50 == 0) {
			reload(&alice);
			reload(&bob);
		}
		CHECK_ERR(hear(&bob, &m[0]), TACIT_E_REPLAY);
		clear(m, 2);
	}
	teardown();
}

static void every_changed_byte_is_refused(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[1] = {{0}};
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	CHECK_OK(say(&alice, "hello", m));
	state_of(&bob, &before);
	for (size_t i = 0; i < m->n; i++) {
		m->p[i] ^= 0x40;
		tap_check(hear(&bob, m) != TACIT_OK, "a changed byte", __FILE__, __LINE__);
		m->p[i] ^= 0x40;
	}
	m->p[m->n - 1] ^= 1;
	CHECK_ERR(hear(&bob, m), TACIT_E_BAD_SIGNATURE);
	m->p[m->n - 1] ^= 1;
	state_of(&bob, &after);
	CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	CHECK_OK(hear(&bob, m));
	clear(m, 1);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	teardown();
}

static void replays_and_reorders_are_refused(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[5] = {{0}};
	struct tacit_buf plain = {0};
	struct tacit_opened o;
	for (int i = 0; i < 5; i++)
		CHECK_OK(say(&alice, "x", &m[i]));
	CHECK_OK(hear(&bob, &m[0]));
	CHECK_ERR(hear(&bob, &m[0]), TACIT_E_REPLAY);
	CHECK_OK(hear_bytes(&bob, tacit_buf_view(&m[3]), &o, &plain));
	CHECK_INT(o.missing, 2);
	CHECK_ERR(hear_bytes(&bob, tacit_buf_view(&m[1]), &o, &plain), TACIT_E_ORDER_CHANGED);
	CHECK_INT(o.order, 2); /* so that the refusal can be told */
	CHECK_ERR(hear(&bob, &m[2]), TACIT_E_ORDER_CHANGED);
	CHECK_ERR(hear(&bob, &m[0]), TACIT_E_REPLAY);
	CHECK_OK(hear(&bob, &m[4]));
	/* mallory joins late: the first that she sees may have any order */
	CHECK_OK(hear_bytes(&mallory, tacit_buf_view(&m[3]), &o, &plain));
	CHECK_INT(o.missing, 0);
	CHECK_ERR(hear(&mallory, &m[2]), TACIT_E_ORDER_CHANGED);
	clear(m, 5);
	tacit_buf_clear(&plain);
	teardown();
}

static void old_replays_are_refused_too(void)
{
	CHECK_OK(setup());
	static struct tacit_buf m[70];
	for (int i = 0; i < 70; i++) {
		CHECK_OK(say(&alice, "x", &m[i]));
		CHECK_OK(hear(&bob, &m[i]));
	}
	reload(&bob);
	for (int i = 0; i < 70; i++)
		CHECK_ERR(hear(&bob, &m[i]), i < 6 ? TACIT_E_ORDER_CHANGED : TACIT_E_REPLAY);
	clear(m, 70);
	teardown();
}

/* A sender who says two things under one order: to some this, to others that. */
static void forked_history_is_found(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[4] = {{0}};
	struct tacit_buf state = {0};
	struct tacit_group *fork;
	CHECK_OK(say(&mallory, "one", &m[0]));
	state_of(&mallory, &state);
	CHECK_OK(say(&mallory, "this", &m[1]));
	CHECK_OK(ops->load(tacit_buf_view(&state), &fork));
	ops->destroy(mallory.group);
	mallory.group = fork;
	CHECK_OK(say(&mallory, "that", &m[2]));
	CHECK_OK(say(&mallory, "and more", &m[3]));
	CHECK_OK(hear(&bob, &m[0]));
	CHECK_OK(hear(&bob, &m[1]));
	CHECK_ERR(hear(&bob, &m[2]), TACIT_E_ORDER_CHANGED);
	CHECK_ERR(hear(&bob, &m[3]), TACIT_E_ORDER_CHANGED); /* its previous is not bob's */
	clear(m, 4);
	tacit_buf_clear(&state);
	teardown();
}

static void strangers_and_other_places_are_refused(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[2] = {{0}};
	struct tacit_buf plain = {0};
	struct tacit_opened o;
	struct tacit_self me = self(&bob);
	CHECK_OK(say(&alice, "hello", &m[0]));
	CHECK_ERR(ops->unprotect(bob.group, &me, members + 1, 2, tacit_buf_view(&m[0]), &o, &plain),
	        TACIT_E_UNKNOWN_SENDER);
	struct tacit_group *other;
	CHECK_OK(ops->create(CONVERSATION + 1, &other));
	CHECK_ERR(ops->unprotect(other, &me, members, 3, tacit_buf_view(&m[0]), &o, &plain),
	        TACIT_E_WRONG_RECIPIENT);
	ops->destroy(other);
	CHECK_ERR(hear_bytes(&bob, TACIT_STR("no envelope"), &o, &plain), TACIT_E_TRUNCATED);
	clear(m, 2);
	tacit_buf_clear(&plain);
	teardown();
}

static void what_is_not_for_us_counts_in_the_row(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[3] = {{0}};
	struct tacit_buf plain = {0};
	struct tacit_opened o;
	roster.count = 1;
	CHECK_ERR(say(&alice, "to nobody", &m[0]), TACIT_E_NO_DEVICE);
	CHECK_INT(m[0].n, 0);
	roster.count = 4;
	leaves[1] = leaves[3];
	roster.count = 3; /* without bob */
	CHECK_OK(say(&alice, "not to bob", &m[0]));
	leaves[1] = leaf(&bob);
	CHECK_OK(say(&alice, "to bob", &m[1]));
	CHECK_ERR(hear_bytes(&bob, tacit_buf_view(&m[0]), &o, &plain), TACIT_E_WRONG_RECIPIENT);
	CHECK_INT(o.order, 1);
	CHECK_OK(hear_bytes(&bob, tacit_buf_view(&m[1]), &o, &plain));
	CHECK_INT(o.missing, 0);
	CHECK_ERR(hear(&bob, &m[0]), TACIT_E_REPLAY);
	clear(m, 3);
	tacit_buf_clear(&plain);
	teardown();
}

static void unsend_gives_the_order_back(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[4] = {{0}};
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	CHECK_OK(say(&alice, "one", &m[0]));
	CHECK_ERR(ops->unsend(alice.group, TACIT_STR("another")), TACIT_E_CONFLICT);
	state_of(&alice, &before);
	CHECK_OK(say(&alice, "two", &m[1]));
	reload(&alice);
	CHECK_ERR(ops->unsend(alice.group, tacit_buf_view(&m[0])), TACIT_E_CONFLICT);
	CHECK_OK(ops->unsend(alice.group, tacit_buf_view(&m[1])));
	CHECK_ERR(ops->unsend(alice.group, tacit_buf_view(&m[1])), TACIT_E_CONFLICT);
	CHECK_ERR(ops->unsend(alice.group, tacit_buf_view(&m[0])), TACIT_E_CONFLICT);
	CHECK_OK(say(&alice, "two again", &m[2]));
	CHECK_OK(hear(&bob, &m[0]));
	CHECK_OK(hear(&bob, &m[2]));
	CHECK_ERR(hear(&bob, &m[1]), TACIT_E_ORDER_CHANGED);
	clear(m, 4);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	teardown();
}

/* A restored backup: the state is older than what this device has sent. */
static void own_messages_move_the_state_on(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[4] = {{0}};
	struct tacit_buf state = {0};
	struct tacit_group *old;
	CHECK_OK(say(&alice, "one", &m[0]));
	state_of(&alice, &state);
	CHECK_OK(say(&alice, "two", &m[1]));
	CHECK_OK(ops->load(tacit_buf_view(&state), &old));
	ops->destroy(alice.group);
	alice.group = old;
	CHECK_OK(hear(&alice, &m[0]));
	CHECK_OK(hear(&alice, &m[1]));
	CHECK_OK(say(&alice, "three", &m[2]));
	for (int i = 0; i < 3; i++)
		CHECK_OK(hear(&bob, &m[i]));
	/* and when it came too late: another message has the order already */
	CHECK_OK(ops->load(tacit_buf_view(&state), &old));
	ops->destroy(alice.group);
	alice.group = old;
	CHECK_OK(say(&alice, "another two", &m[3]));
	CHECK_ERR(hear(&alice, &m[1]), TACIT_E_ORDER_CHANGED);
	clear(m, 4);
	tacit_buf_clear(&state);
	teardown();
}

static void rosters_are_checked(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[2] = {{0}};
	struct tacit_leaf kept = leaves[3];
	leaves[3] = leaves[1];
	CHECK_ERR(say(&alice, "x", &m[0]), TACIT_E_USAGE);
	/* mallory calls a device like bob's: it harms nobody */
	leaves[3] = kept;
	leaves[3].device.id = bob.device.id;
	CHECK_OK(say(&alice, "x", &m[0]));
	CHECK_OK(hear(&bob, &m[0]));
	/* a key that is none silences nobody either */
	leaves[3] = kept;
	memset(leaves[3].device.hpke_public, 0, 32);
	CHECK_OK(say(&alice, "y", &m[1]));
	CHECK_OK(hear(&bob, &m[1]));
	CHECK_ERR(hear(&mallory, &m[1]), TACIT_E_WRONG_RECIPIENT);
	struct tacit_self me = self(&alice);
	static uint8_t big[TACIT_MAX_CONTENT + 1];
	CHECK_ERR(
	        ops->protect(alice.group, &me, &roster, tacit_bytes(big, sizeof(big)), &env, &m[0]),
	        TACIT_E_TOO_LARGE);
	clear(m, 2);
	teardown();
}

/* mallory signs rightly, but what she sealed for bob is not what she should have. */
static void forge(struct tacit_buf *m, size_t at)
{
	struct tacit_signature sig;
	m->p[at] ^= 1;
	size_t n = m->n - sizeof(sig.b);
	tacit_sign(tacit_account_sk(&mallory.account), tacit_bytes(m->p, n), &sig);
	memcpy(m->p + n, sig.b, sizeof(sig.b));
}

static void wrong_seals_are_refused(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[2] = {{0}};
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	struct tacit_opened o;
	state_of(&bob, &before);
	CHECK_OK(say(&mallory, "x", &m[0]));
	size_t list = TACIT_ENVELOPE_HEADER_BYTES + 2;
	size_t cipher = list + 3 * TACIT_RECIPIENT_BYTES + 4;
	/* everyone's enc and sealed key; then the commitment, the content, the tag */
	for (size_t i = 0; i < 3; i++) {
		forge(&m[0], list + i * TACIT_RECIPIENT_BYTES + 20);
		forge(&m[0], list + i * TACIT_RECIPIENT_BYTES + 60);
	}
	CHECK_ERR(hear(&bob, &m[0]), TACIT_E_BAD_SEAL);
	for (size_t i = 0; i < 3; i++) {
		forge(&m[0], list + i * TACIT_RECIPIENT_BYTES + 20);
		forge(&m[0], list + i * TACIT_RECIPIENT_BYTES + 60);
	}
	size_t places[] = {cipher, cipher + 31, cipher + 32, cipher + 33};
	for (size_t i = 0; i < TACIT_COUNT(places); i++) {
		forge(&m[0], places[i]);
		CHECK_ERR(hear(&bob, &m[0]), TACIT_E_BAD_SEAL);
		forge(&m[0], places[i]);
	}
	state_of(&bob, &after);
	CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	CHECK_OK(hear_bytes(&bob, tacit_buf_view(&m[0]), &o, &m[1]));
	clear(m, 2);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	teardown();
}

/* mallory takes alice's sealed message for her own: signs it anew under her name. */
static void seals_cannot_be_stolen(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[1] = {{0}};
	CHECK_OK(say(&alice, "hello", m));
	memcpy(m->p + 17 + 8, mallory.account.public.b, 32);
	memcpy(m->p + 17 + 8 + 32, mallory.device.id.b, 16);
	forge(m, 0);
	forge(m, 0);
	CHECK_ERR(hear(&bob, m), TACIT_E_BAD_SEAL);
	clear(m, 1);
	teardown();
}

/* mallory, a recipient, knows alice's message key: she opens it with her own HPKE key, seals other
 * words with it under her own header, and hands on alice's seals for bob. Their AAD tells. */
static void known_keys_cannot_be_handed_on(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[3] = {{0}};
	struct tacit_envelope e;
	struct tacit_recipient r;
	uint8_t tag[TACIT_RECIPIENT_TAG_BYTES];
	uint8_t okm[64];
	CHECK_OK(say(&alice, "hello", &m[0]));
	REQUIRE(tacit_envelope_decode(tacit_buf_view(&m[0]), &e) == TACIT_OK);
	tacit_envelope_tag(&mallory.account.public, &mallory.device.id, tag);
	REQUIRE(tacit_envelope_find(&e, tag, &r));
	uint8_t aad[TACIT_ENVELOPE_HEADER_BYTES + 32 + 16];
	memcpy(aad, e.signed_part.p, TACIT_ENVELOPE_HEADER_BYTES);
	memcpy(aad + TACIT_ENVELOPE_HEADER_BYTES, mallory.account.public.b, 32);
	memcpy(aad + TACIT_ENVELOPE_HEADER_BYTES + 32, mallory.device.id.b, 16);
	CHECK_OK(tacit_hpke_open_once(TACIT_HPKE_DEFAULT, tacit_bytes(r.enc, 32),
	        tacit_bytes(mallory.hpke_sk, 32), TACIT_STR("tacit message key v1"),
	        tacit_bytes(aad, sizeof(aad)), tacit_bytes(r.sealed_key, 48), &m[1]));
	CHECK_OK(tacit_derive(tacit_buf_view(&m[1]), "tacit message v1", okm, sizeof(okm)));

	static const uint8_t nonce[TACIT_AEAD_NONCE_BYTES];
	struct tacit_bytes header = tacit_bytes(m[0].p, TACIT_ENVELOPE_HEADER_BYTES);
	size_t cipher = m[0].n - TACIT_SIGNATURE_BYTES - (32 + 5 + 16);
	memcpy(m[0].p + 17 + 8, mallory.account.public.b, 32);
	memcpy(m[0].p + 17 + 8 + 32, mallory.device.id.b, 16);
	CHECK_BYTES(tacit_bytes(m[0].p + cipher, 32), tacit_bytes(okm + 32, 32));
	CHECK_OK(tacit_aead_seal_once(
	        TACIT_AES256_GCM, okm, nonce, header, TACIT_STR("other"), m[0].p + cipher + 32));
	forge(&m[0], 0);
	forge(&m[0], 0);
	CHECK_ERR(hear(&bob, &m[0]), TACIT_E_BAD_SEAL);
	clear(m, 3);
	teardown();
}

static void one_account_cannot_fill_the_memory(void)
{
	CHECK_OK(setup());
	enum tacit_err err = TACIT_OK;
	for (int i = 0; i < TACIT_MAX_SENDERS_PER_ACCOUNT + 1; i++) {
		struct tacit_buf m[1] = {{0}};
		ops->destroy(mallory.group);
		CHECK_OK(ops->create(CONVERSATION, &mallory.group));
		mallory.device.id.b[0] = (uint8_t)i;
		CHECK_OK(say(&mallory, "x", m));
		err = hear(&bob, m);
		CHECK_ERR(err, i < TACIT_MAX_SENDERS_PER_ACCOUNT ? TACIT_OK : TACIT_E_LIMIT);
		clear(m, 1);
	}
	struct tacit_buf m[1] = {{0}};
	CHECK_OK(say(&alice, "x", m));
	CHECK_OK(hear(&bob, m));
	reload(&bob);
	clear(m, 1);
	teardown();
}

static void bad_states_are_refused(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[1] = {{0}};
	struct tacit_buf s = {0};
	struct tacit_group *g;
	CHECK_OK(say(&alice, "x", m));
	CHECK_OK(hear(&bob, m));
	state_of(&bob, &s);
	for (size_t n = 0; n < s.n; n++)
		CHECK_ERR(ops->load(tacit_bytes(s.p, n), &g), TACIT_E_TRUNCATED);
	CHECK(g == NULL);
	size_t senders = 17 + 8 + 8 + 32 + 1;
	struct {
		size_t at;
		uint8_t value;
		enum tacit_err want;
	} changes[] = {
	        {16, '9', TACIT_E_UNSUPPORTED},
	        {0, 'x', TACIT_E_MALFORMED},
	        {25, 0x80, TACIT_E_MALFORMED},       /* own order */
	        {senders - 1, 2, TACIT_E_MALFORMED}, /* can unsend */
	        {senders - 1, 1, TACIT_E_TRUNCATED}, /* then a hash should follow */
	        {senders, 0x20, TACIT_E_TOO_LARGE},  /* senders */
	        {senders + 1, 2, TACIT_E_TRUNCATED},
	        {senders + 1, 0, TACIT_E_TRAILING},
	        {senders + 2 + 48 + 7, 0, TACIT_E_MALFORMED}, /* order 0 */
	        {senders + 2 + 48 + 8 + 32 + 7, 3, TACIT_E_TRUNCATED},
	        {senders + 2 + 48 + 8 + 32 + 7, 0, TACIT_E_MALFORMED},
	};
	for (size_t i = 0; i < TACIT_COUNT(changes); i++) {
		uint8_t kept = s.p[changes[i].at];
		s.p[changes[i].at] = changes[i].value;
		enum tacit_err err = ops->load(tacit_buf_view(&s), &g);
		if (changes[i].want ==
		        TACIT_E_TRUNCATED) /* the reader may meet a bad value first */
			CHECK(err == TACIT_E_TRUNCATED || err == TACIT_E_MALFORMED);
		else
			CHECK_ERR(err, changes[i].want);
		s.p[changes[i].at] = kept;
	}
	clear(m, 1);
	tacit_buf_clear(&s);
	teardown();
}

static enum tacit_err whole_talk(void)
{
	enum tacit_err err;
	struct tacit_buf m = {0};
	struct tacit_buf state = {0};
	struct tacit_buf plain = {0};
	struct tacit_group *g = NULL;
	struct tacit_opened o;
	TRY(setup());
	for (int i = 0; i < 2; i++) {
		m.n = 0;
		TRY(say(&alice, "hello", &m));
		TRY(hear_bytes(&bob, tacit_buf_view(&m), &o, &plain));
	}
	TRY(ops->unsend(alice.group, tacit_buf_view(&m)));
	TRY(ops->serialise(bob.group, &state));
	TRY(ops->load(tacit_buf_view(&state), &g));
out:
	tacit_buf_clear(&m);
	tacit_buf_clear(&state);
	tacit_buf_clear(&plain);
	ops->destroy(g);
	teardown();
	return err;
}

static void survives_no_memory(void)
{
	tap_alloc_sweep(whole_talk);
}

static int after_some(void *ctx)
{
	return (*(int *)ctx)-- == 0;
}

/* A failure leaves everything as it was: the next try gives what the first should have given. */
static void failure_leaves_no_trace(void)
{
	CHECK_OK(setup());
	struct tacit_buf m[1] = {{0}};
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	struct tacit_buf plain = {0};
	struct tacit_opened o;
	CHECK_OK(say(&alice, "hello", m));
	state_of(&bob, &before);
	for (int i = 0; i < 200; i++) {
		int left = i;
		tacit_alloc_set_fault(after_some, &left);
		enum tacit_err err = hear_bytes(&bob, tacit_buf_view(m), &o, &plain);
		tacit_alloc_set_fault(NULL, NULL);
		if (err == TACIT_OK)
			break;
		CHECK_ERR(err, TACIT_E_NOMEM);
		CHECK_INT(plain.n, 0);
		state_of(&bob, &after);
		CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	}
	CHECK_BYTES(tacit_buf_view(&plain), TACIT_STR("hello"));
	clear(m, 1);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	tacit_buf_clear(&plain);
	teardown();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"all devices hear", all_devices_hear},
	        {"long talks survive reloads", long_talks_survive_reloads},
	        {"every changed byte is refused", every_changed_byte_is_refused},
	        {"replays and reorders are refused", replays_and_reorders_are_refused},
	        {"old replays are refused too", old_replays_are_refused_too},
	        {"forked history is found", forked_history_is_found},
	        {"strangers and other places are refused", strangers_and_other_places_are_refused},
	        {"what is not for us counts in the row", what_is_not_for_us_counts_in_the_row},
	        {"unsend gives the order back", unsend_gives_the_order_back},
	        {"own messages move the state on", own_messages_move_the_state_on},
	        {"rosters are checked", rosters_are_checked},
	        {"wrong seals are refused", wrong_seals_are_refused},
	        {"seals cannot be stolen", seals_cannot_be_stolen},
	        {"known keys cannot be handed on", known_keys_cannot_be_handed_on},
	        {"one account cannot fill the memory", one_account_cannot_fill_the_memory},
	        {"bad states are refused", bad_states_are_refused},
	        {"survives no memory", survives_no_memory},
	        {"failure leaves no trace", failure_leaves_no_trace},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
