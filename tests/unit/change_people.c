#include "change_people.h"

#include <string.h>

#include "crypto/encoding.h"
#include "engine/engine_int.h"
#include "support/tap.h"

struct fake_server server;
struct person alice, bob, carol;
struct person *const all[3] = {&alice, &bob, &carol};
uint64_t room;

uint64_t said_last(const struct person *p)
{
	return person_last(p, TACIT_NOTICE_DONE)->message;
}

void sync_all(void)
{
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < TACIT_COUNT(all); k++)
			CHECK_OK(person_sync(all[k]));
}

uint64_t meet(void)
{
	static const char *const names[] = {"alice", "bob", "carol"};
	const struct tacit_bytes users[] = {TACIT_STR("bob"), TACIT_STR("carol")};
	fake_server_init(&server);
	server.now = person_clock;
	for (size_t i = 0; i < TACIT_COUNT(all); i++) {
		person_init(all[i], names[i], &server);
		person_register(all[i]);
	}
	CHECK_OK(person_run(&alice, &(struct tacit_command){.kind = TACIT_CMD_CREATE_GROUP,
	                                    .text = TACIT_STR("us"),
	                                    .users = users,
	                                    .user_count = 2}));
	room = person_last(&alice, TACIT_NOTICE_CONVERSATION)->conversation;
	CHECK_OK(person_say_in(&alice, room, "hello"));
	uint64_t id = said_last(&alice);
	sync_all();
	return id;
}

void part(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all); i++)
		person_clear(all[i]);
	fake_server_clear(&server);
}

enum tacit_err tell(
        struct person *p, enum tacit_content_kind kind, uint64_t message, const char *text)
{
	const struct tacit_content content = {
	        .kind = kind, .message = message, .text = tacit_cstr(text)};
	return person_tell(p, room, &content);
}

enum tacit_err react(struct person *p, uint64_t message, const char *text)
{
	return tell(p, TACIT_CONTENT_REACTION, message, text);
}

enum tacit_err edit(struct person *p, uint64_t message, const char *text)
{
	return tell(p, TACIT_CONTENT_EDIT, message, text);
}

enum tacit_err take_back(struct person *p, uint64_t message)
{
	return tell(p, TACIT_CONTENT_DELETE, message, "");
}

void check_entry(uint64_t message, const char *want)
{
	for (size_t i = 0; i < TACIT_COUNT(all); i++)
		CHECK_BYTES(tacit_cstr(person_entry(all[i], room, message)), tacit_cstr(want));
}

void forget_all(void)
{
	for (size_t i = 0; i < TACIT_COUNT(all); i++)
		person_forget(all[i]);
}

void say_anyway(struct person *p, const struct tacit_content *content)
{
	struct tacit_conversation *c = tacit_conversation_find(p->engine, room);
	REQUIRE(tacit_membership_load(p->engine, c) == TACIT_OK);
	REQUIRE(tacit_outbox_seal_silent(p->engine, c, content) == TACIT_OK);
	CHECK_OK(person_sync(p));
}

void tamper(size_t nth)
{
	struct tacit_buf envelope = {0}, text = {0};
	struct fake_message *m = &server.messages[fake_said(&server, nth)];
	CHECK_OK(tacit_unbase64(TACIT_BASE64, tacit_cstr(m->content), &envelope));
	envelope.p[envelope.n - 1] ^= 1;
	CHECK_OK(tacit_base64(TACIT_BASE64, tacit_buf_view(&envelope), &text));
	memcpy(m->content, text.p, text.n);
	tacit_buf_clear(&envelope);
	tacit_buf_clear(&text);
}

void log_in(struct person *p)
{
	CHECK_OK(person_run(p, &(struct tacit_command){.kind = TACIT_CMD_LOGIN,
	                               .username = TACIT_STR("alice"),
	                               .email = TACIT_STR("alice@example.org"),
	                               .password = TACIT_STR("correct horse 1!"),
	                               .code = TACIT_STR("123456")}));
}
