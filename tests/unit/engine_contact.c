/* What follows from a code's channel: a contact whose key was shown there, and a device that
 * another one has linked. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "e2e/parcel/card.h"
#include "e2e/parcel/grant.h"
#include "engine/engine.h"
#include "engine_people.h"
#include "support/tap.h"

static struct fake_server server;
static struct person alice, bob, carol;
static const uint8_t binding[TACIT_PARCEL_BINDING_BYTES] = {7};

static struct tacit_command grant_command;

static void meet(void)
{
	grant_command = (struct tacit_command){.kind = TACIT_CMD_GRANT,
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456"),
	        .text = TACIT_STR("https://chat.example.org")};
	fake_server_init(&server);
	server.now = person_clock;
	struct person *all[] = {&alice, &bob, &carol};
	static const char *const names[] = {"alice", "bob", "carol"};
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		person_init(all[i], names[i], &server);
		person_register(all[i]);
	}
}

static void part(void)
{
	person_clear(&alice);
	person_clear(&bob);
	person_clear(&carol);
	fake_server_clear(&server);
}

static void show_card(const struct person *p, struct tacit_buf *room, struct tacit_parcel_card *out)
{
	const struct tacit_parcel_seat seat = {TACIT_PARCEL_SENDER, binding};
	room->n = 0;
	CHECK_OK(tacit_engine_card(p->engine, &seat, TACIT_STR("https://chat.example.org"), room));
	CHECK_OK(tacit_parcel_card_open(tacit_buf_view(room), &seat, out));
}

static struct tacit_command keep(const char *name, const struct tacit_sign_public *key)
{
	return (struct tacit_command){.kind = TACIT_CMD_KEEP_CONTACT,
	        .username = tacit_cstr(name),
	        .text = tacit_bytes(key->b, sizeof(key->b))};
}

static bool is_verified(struct person *p, const char *name)
{
	CHECK_OK(person_do(p, TACIT_CMD_SAFETY_NUMBER, name));
	const struct heard *h = person_last(p, TACIT_NOTICE_SAFETY);
	return h->flag && h->err == TACIT_OK;
}

static void a_key_that_was_shown_is_kept(void)
{
	struct tacit_buf room = {0};
	struct tacit_parcel_card card;
	meet();
	show_card(&bob, &room, &card);
	CHECK_BYTES(card.username, TACIT_STR("bob"));
	CHECK_BYTES(card.server, TACIT_STR("https://chat.example.org"));
	CHECK_BYTES(tacit_bytes(card.key.b, sizeof(card.key.b)),
	        tacit_bytes(server.users[1].key.b, sizeof(card.key.b)));
	struct tacit_command c = keep("bob", &card.key);
	CHECK_OK(person_run(&alice, &c));
	CHECK(is_verified(&alice, "bob"));
	CHECK_OK(person_restart(&alice));
	CHECK(is_verified(&alice, "bob"));
	CHECK_OK(person_say(&alice, "bob", "hello"));
	CHECK_OK(person_run(&alice, &c)); /* again is no harm */
	/* Who was pinned before is verified by it, too. */
	CHECK_OK(person_do(&alice, TACIT_CMD_SAFETY_NUMBER, "carol"));
	CHECK(!is_verified(&alice, "carol"));
	c = keep("carol", &server.users[2].key);
	CHECK_OK(person_run(&alice, &c));
	CHECK(is_verified(&alice, "carol"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_KEY_CHANGED, NULL), 0);
	tacit_buf_clear(&room);
	part();
}

/* Kept while the server could not be asked; later it says who that is. */
static void the_server_may_be_away(void)
{
	meet();
	struct tacit_command c = keep("bob", &server.users[1].key);
	server.fault_path = "/api/users/bob";
	server.fault_status = 503;
	CHECK_OK(person_run(&alice, &c));
	server.fault_path = NULL;
	CHECK_OK(person_restart(&alice));
	CHECK(is_verified(&alice, "bob"));
	CHECK_OK(person_say(&alice, "bob", "hello"));
	/* Without a session nobody is asked. */
	CHECK_OK(person_do(&alice, TACIT_CMD_LOGOUT, ""));
	c = keep("carol", &server.users[2].key);
	CHECK_OK(person_run(&alice, &c));
	CHECK(is_verified(&alice, "carol"));
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_WARNING, NULL), 0);
	part();
}

/* The server gives out another key than the one that its owner has shown: loud, and no message. */
static void a_server_that_lies_is_found(void)
{
	meet();
	struct tacit_sign_public true_key = server.users[1].key;
	struct tacit_command c = keep("bob", &true_key);
	server.users[1].key.b[3] ^= 1;
	CHECK_ERR(person_run(&alice, &c), TACIT_E_KEY_CHANGED);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_KEY_CHANGED, NULL), 1);
	CHECK(person_last(&alice, TACIT_NOTICE_KEY_CHANGED)->flag);
	CHECK(person_told(&alice, TACIT_NOTICE_FAILED, TACIT_E_KEY_CHANGED, "just shown"));
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	server.users[1].key = true_key;
	CHECK(is_verified(&alice, "bob"));
	CHECK_OK(person_say(&alice, "bob", "to the real one"));
	/* And so it is when it lies later. */
	CHECK_OK(person_do(&carol, TACIT_CMD_LOGOUT, ""));
	c = keep("bob", &true_key);
	CHECK_OK(person_run(&carol, &c));
	server.users[1].key.b[3] ^= 1;
	const struct tacit_command login = {.kind = TACIT_CMD_LOGIN,
	        .password = TACIT_STR("correct horse 1!"),
	        .code = TACIT_STR("123456")};
	CHECK_OK(person_run(&carol, &login));
	CHECK_ERR(person_say(&carol, "bob", "secret"), TACIT_E_KEY_CHANGED);
	CHECK_INT(person_heard(&carol, TACIT_NOTICE_KEY_CHANGED, NULL), 1);
	part();
}

static void a_key_of_somebody_else_is_refused(void)
{
	meet();
	struct tacit_sign_public other = {{9}};
	struct tacit_command c = keep("bob", &server.users[1].key);
	CHECK_OK(person_run(&alice, &c));
	c = keep("mallory", &server.users[1].key); /* bob's, under another name */
	CHECK_ERR(person_run(&alice, &c), TACIT_E_REFUSED);
	c = keep("mallory", &server.users[0].key); /* our own */
	CHECK_ERR(person_run(&alice, &c), TACIT_E_REFUSED);
	c = keep("alice", &other);
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_NAME);
	c = keep("../bob", &other);
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_NAME);
	c = keep("bob", &other); /* another one than is known */
	CHECK_ERR(person_run(&alice, &c), TACIT_E_KEY_CHANGED);
	CHECK(is_verified(&alice, "bob"));
	c = keep("carol", &server.users[2].key);
	c.text.n--;
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_NAME);
	part();
}

/* A new key that its owner has shown is accepted and verified at once. */
static void a_new_key_is_shown(void)
{
	meet();
	CHECK_OK(person_say(&alice, "bob", "before"));
	server.users[1].key.b[3] ^= 1;
	CHECK_ERR(person_say(&alice, "bob", "secret"), TACIT_E_KEY_CHANGED);
	struct tacit_command c = keep("bob", &server.users[1].key);
	CHECK_OK(person_run(&alice, &c));
	CHECK(is_verified(&alice, "bob"));
	part();
}

static void a_card_needs_a_key(void)
{
	static struct person nobody;
	struct tacit_buf room = {0};
	const struct tacit_parcel_seat seat = {TACIT_PARCEL_SENDER, binding};
	fake_server_init(&server);
	person_init(&nobody, "nobody", &server);
	CHECK_ERR(tacit_engine_card(nobody.engine, &seat, TACIT_STR("http://x"), &room),
	        TACIT_E_NOT_LOGGED_IN);
	person_clear(&nobody);
	fake_server_clear(&server);
}

/* --- linking --------------------------------------------------------------------------------- */

static struct tacit_bytes granted(const struct person *p)
{
	const struct heard *h = person_last(p, TACIT_NOTICE_DONE);
	CHECK(h->text_n > 0 && h->text_n < sizeof(h->text));
	return tacit_bytes(h->text, h->text_n);
}

static void a_device_is_linked(void)
{
	static struct person phone;
	struct tacit_parcel_grant g;
	meet();
	CHECK_OK(person_say(&bob, "alice", "before"));
	CHECK_OK(person_sync(&alice));
	person_clock += 10;
	server.now = person_clock;
	CHECK_OK(person_run(&alice, &grant_command));
	struct tacit_bytes grant = granted(&alice);
	CHECK_OK(tacit_parcel_grant_decode(grant, &g));
	CHECK_BYTES(g.server, grant_command.text);
	CHECK_BYTES(g.username, TACIT_STR("alice"));
	CHECK_BYTES(g.secret, tacit_buf_view(&alice.secret));
	person_init(&phone, "alice", &server);
	const struct tacit_command login = {.kind = TACIT_CMD_LOGIN, .text = grant};
	CHECK_OK(person_run(&phone, &login));
	CHECK_BYTES(tacit_buf_view(&phone.secret), tacit_buf_view(&alice.secret));
	CHECK_BYTES(tacit_engine_username(phone.engine), TACIT_STR("alice"));
	CHECK_INT(server.users[0].device_count, 2);
	CHECK_OK(person_sync(&phone));
	CHECK_OK(person_say(&bob, "alice", "to both"));
	CHECK_OK(person_sync(&phone));
	CHECK_INT(person_heard(&phone, TACIT_NOTICE_MESSAGE, "to both"), 1);
	CHECK_INT(person_heard(&phone, TACIT_NOTICE_REFUSED, NULL), 0);
	CHECK_OK(person_say(&phone, "bob", "from the phone"));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "from the phone"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_KEY_CHANGED, NULL), 0);
	/* What it keeps opens with the password, though nobody has typed it there. */
	struct tacit_engine *e = NULL;
	REQUIRE(CHECK_OK(tacit_engine_open(&phone.env, tacit_buf_view(&phone.profile), &e)));
	CHECK_OK(tacit_engine_unlock(e, grant_command.password));
	tacit_engine_free(e);
	/* A profile that has an account takes no other. */
	CHECK_ERR(person_run(&bob, &login), TACIT_E_CONFLICT);
	person_clear(&phone);
	part();
}

static void a_bad_grant_links_nothing(void)
{
	static struct person phone;
	uint8_t bytes[600];
	meet();
	struct tacit_command c = grant_command;
	c.password = TACIT_STR("wrong horse 1!");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_PASSWORD);
	c = grant_command;
	c.code = TACIT_STR("000000");
	CHECK_ERR(person_run(&alice, &c), TACIT_E_BAD_PASSWORD);
	CHECK_OK(person_run(&alice, &grant_command));
	struct tacit_bytes grant = granted(&alice);
	memcpy(bytes, grant.p, grant.n);
	person_init(&phone, "alice", &server);
	struct tacit_command login = {
	        .kind = TACIT_CMD_LOGIN, .text = tacit_bytes(bytes, grant.n - 1)};
	CHECK_ERR(person_run(&phone, &login), TACIT_E_MALFORMED);
	/* Its secret is another one: the signature is not of the account. */
	struct tacit_parcel_grant g;
	CHECK_OK(tacit_parcel_grant_decode(tacit_bytes(bytes, grant.n), &g));
	bytes[(size_t)(g.secret.p - bytes)] ^= 1;
	login.text.n = grant.n;
	CHECK(person_run(&phone, &login) != TACIT_OK);
	bytes[(size_t)(g.secret.p - bytes)] ^= 1;
	bytes[(size_t)(g.ticket.p - bytes)] ^= 1;
	CHECK(person_run(&phone, &login) != TACIT_OK);
	CHECK(!tacit_engine_has_account(phone.engine));
	CHECK_INT(server.users[0].device_count, 1);
	CHECK_INT(phone.profile.n, 0);
	person_clear(&phone);
	part();
}

/* The server keeps something else than the account's secret: nothing is handed over. */
static void a_server_that_swaps_the_wrapped_key_is_found(void)
{
	meet();
	memcpy(server.users[0].wrapped, server.users[1].wrapped, sizeof(server.users[0].wrapped));
	CHECK_ERR(person_run(&alice, &grant_command), TACIT_E_KEY_CHANGED);
	CHECK_INT(person_heard(&alice, TACIT_NOTICE_DONE, NULL), 2); /* of the registration */
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a key that was shown is kept", a_key_that_was_shown_is_kept},
	        {"the server may be away", the_server_may_be_away},
	        {"a server that lies is found", a_server_that_lies_is_found},
	        {"a key of somebody else is refused", a_key_of_somebody_else_is_refused},
	        {"a new key is shown", a_new_key_is_shown},
	        {"a card needs a key", a_card_needs_a_key},
	        {"a device is linked", a_device_is_linked},
	        {"a bad grant links nothing", a_bad_grant_links_nothing},
	        {"a server that swaps the wrapped key is found",
	                a_server_that_swaps_the_wrapped_key_is_found},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
