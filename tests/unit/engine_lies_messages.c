/* What a server can do to messages on their way, and what each client says of it. */
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/secret.h"
#include "support/tap.h"
#include "two_people.h"

static void a_message_under_another_name(void)
{
	meet_and_talk();
	CHECK_OK(person_say(&alice, "bob", "two"));
	memcpy(server.messages[fake_said(&server, 1)].username, "bob", 4);
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(
	        &bob, TACIT_NOTICE_REFUSED, TACIT_E_KEY_CHANGED, "signed by somebody else"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, NULL), 0);
	part();
}

/* Flips one bit of the envelope, `back` bytes before its end. */
static void tamper(struct fake_message *m, size_t back)
{
	struct tacit_buf envelope = {0}, text = {0};
	CHECK_OK(tacit_unbase64(TACIT_BASE64, tacit_cstr(m->content), &envelope));
	envelope.p[envelope.n - back] ^= 1;
	CHECK_OK(tacit_base64(TACIT_BASE64, tacit_buf_view(&envelope), &text));
	memcpy(m->content, text.p, text.n);
	tacit_buf_clear(&envelope);
	tacit_buf_clear(&text);
}

static void a_changed_message(void)
{
	meet_and_talk();
	for (size_t i = 0; i < 4; i++)
		CHECK_OK(person_say(&alice, "bob", "again"));
	tamper(&server.messages[fake_said(&server, 1)], 1);
	tamper(&server.messages[fake_said(&server, 2)],
	        70); /* before the signature: the ciphertext */
	server.messages[fake_said(&server, 3)].content[7] = '!';
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_REFUSED, TACIT_E_BAD_SEAL,
	        "A message that claims to be from alice was refused: it was changed on the way."));
	CHECK(person_told(
	        &bob, TACIT_NOTICE_REFUSED, TACIT_E_MALFORMED, "not in the expected form"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 3);
	/* What is whole is read, and what is gone before it is told. */
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "again"), 1);
	CHECK_INT(person_last(&bob, TACIT_NOTICE_MISSING)->count, 3);
	/* He has asked for the rest, and gets each once. */
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&alice));
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "again"), 4);
	CHECK_INT(person_logged(&bob, "again"), 4);
	size_t said = fake_said_count(&server);
	for (int i = 0; i < 2; i++) {
		CHECK_OK(person_restart(&alice));
		CHECK_OK(person_restart(&bob));
		CHECK_OK(person_sync(&alice));
		CHECK_OK(person_sync(&bob));
	}
	CHECK_INT(fake_said_count(&server), said);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "again"), 4);
	part();
}

/* The server cannot see what does not open: it is told how many, where people want that. */
static void what_cannot_be_read_is_counted(void)
{
	meet_and_talk();
	tacit_engine_set_telemetry(bob.engine, true);
	for (size_t i = 0; i < 4; i++)
		CHECK_OK(person_say(&alice, "bob", "again"));
	tamper(&server.messages[fake_said(&server, 1)], 1);
	tamper(&server.messages[fake_said(&server, 3)], 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.undecryptable, 2);
	CHECK_INT(server.missing, 2); /* before the ones that open */
	CHECK_INT(server.reports, 1);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.reports, 1);
	part();
}

static void what_was_counted_is_kept_until_it_is_told(void)
{
	meet_and_talk();
	tacit_engine_set_telemetry(bob.engine, true);
	CHECK_OK(person_say(&alice, "bob", "two"));
	tamper(&server.messages[fake_said(&server, 1)], 1);
	server.fault_path = "/api/telemetry";
	server.fault_status = 503;
	server.fault_code = "UNAVAILABLE";
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.undecryptable, 0);
	server.fault_path = NULL;
	CHECK_OK(person_restart(&bob));
	tacit_engine_set_telemetry(bob.engine, true);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.undecryptable, 1);
	/* A server that does not know of it is not asked again. */
	CHECK_OK(person_say(&alice, "bob", "three"));
	tamper(&server.messages[server.message_count - 1], 1);
	server.fault_path = "/api/telemetry";
	server.fault_status = 404;
	server.fault_code = "NOT_FOUND";
	CHECK_OK(person_sync(&bob));
	server.fault_path = NULL;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(server.undecryptable, 1);
	CHECK_INT(server.reports, 1);
	part();
}

static void who_does_not_want_it_tells_nothing(void)
{
	meet_and_talk();
	CHECK_OK(person_say(&alice, "bob", "two"));
	tamper(&server.messages[fake_said(&server, 1)], 1);
	CHECK_OK(person_sync(&bob));
	tacit_engine_set_telemetry(bob.engine, true);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_REFUSED, NULL), 1);
	CHECK_INT(server.reports, 0);
	part();
}

static void a_replay(void)
{
	meet_and_talk();
	struct fake_message *copy = &server.messages[server.message_count++];
	*copy = server.messages[fake_said(&server, 0)];
	copy->id = server.next_message++;
	copy->content = strdup(server.messages[fake_said(&server, 0)].content);
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_REFUSED, TACIT_E_REPLAY, "it was here before"));
	part();
}

static void a_changed_order(void)
{
	meet_and_talk();
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK_OK(person_say(&alice, "bob", "three"));
	char *content = server.messages[fake_said(&server, 1)].content;
	server.messages[fake_said(&server, 1)].content =
	        server.messages[fake_said(&server, 2)].content;
	server.messages[fake_said(&server, 2)].content = content;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED,
	        "alice was shown another history of this conversation than this device"));
	/* Each is read all the same, once. */
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "two"), 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "three"), 1);
	part();
}

static void ids_that_do_not_ascend(void)
{
	meet_and_talk();
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK_OK(person_say(&alice, "bob", "three"));
	struct fake_message m = server.messages[fake_said(&server, 1)];
	server.messages[fake_said(&server, 1)] = server.messages[fake_said(&server, 2)];
	server.messages[fake_said(&server, 2)] = m;
	CHECK_ERR(person_sync(&bob), TACIT_E_ORDER_CHANGED);
	CHECK(person_told(&bob, TACIT_NOTICE_FAILED, TACIT_E_ORDER_CHANGED, "out of order"));
	part();
}

static void a_dropped_message(void)
{
	meet_and_talk();
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK_OK(person_say(&alice, "bob", "three"));
	server.messages[fake_said(&server, 1)].hidden = true;
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_last(&bob, TACIT_NOTICE_MISSING)->count, 1);
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "three"), 1);
	part();
}

static void a_message_of_another_conversation(void)
{
	meet_and_talk();
	struct tacit_bytes users[] = {TACIT_STR("bob")};
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us"),
	                                    .users = users,
	                                    .user_count = 1}));
	CHECK_OK(person_say(&alice, "bob", "only for you"));
	server.messages[fake_said(&server, 2)].conversation = 101; /* 1: its name */
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(
	        &bob, TACIT_NOTICE_REFUSED, TACIT_E_WRONG_RECIPIENT, "not sealed for this"));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_MESSAGE, "only for you"), 0);
	part();
}

static void a_rollback(void)
{
	meet_and_talk();
	CHECK_OK(person_say(&alice, "bob", "two"));
	CHECK_OK(person_sync(&bob));
	server.conversations[0].last_claimed = 1;
	CHECK_OK(person_sync(&bob));
	CHECK(person_told(&bob, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED, "gone back in time"));
	CHECK_OK(person_sync(&alice));
	CHECK(person_told(
	        &alice, TACIT_NOTICE_WARNING, TACIT_E_ORDER_CHANGED, "gone back in time"));
	/* Said once, not at every poll. */
	size_t said = person_heard(&bob, TACIT_NOTICE_WARNING, NULL);
	CHECK_OK(person_sync(&bob));
	CHECK_INT(person_heard(&bob, TACIT_NOTICE_WARNING, NULL), said);
	part();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"a message under another name", a_message_under_another_name},
	        {"a changed message", a_changed_message},
	        {"what cannot be read is counted", what_cannot_be_read_is_counted},
	        {"what was counted is kept until it is told",
	                what_was_counted_is_kept_until_it_is_told},
	        {"who does not want it tells nothing", who_does_not_want_it_tells_nothing},
	        {"a replay", a_replay},
	        {"a changed order", a_changed_order},
	        {"ids that do not ascend", ids_that_do_not_ascend},
	        {"a dropped message", a_dropped_message},
	        {"a message of another conversation", a_message_of_another_conversation},
	        {"a rollback", a_rollback},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
