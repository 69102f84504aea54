#include "wasm/words.h"

static const char *const effects[] = {
        [TACIT_EFFECT_PERSIST] = "persist",
        [TACIT_EFFECT_PROFILE] = "profile",
        [TACIT_EFFECT_LOG] = "log",
        [TACIT_EFFECT_PURGE] = "purge",
        [TACIT_EFFECT_SEND] = "send",
        [TACIT_EFFECT_DELIVER] = "deliver",
        [TACIT_EFFECT_RECALL] = "recall",
        [TACIT_EFFECT_LIVE] = "live",
        [TACIT_EFFECT_COOKIE] = "cookie",
};

static const char *const methods[] = {
        [TACIT_GET] = "GET",
        [TACIT_POST] = "POST",
        [TACIT_PUT] = "PUT",
        [TACIT_DELETE] = "DELETE",
};

static const char *const notices[] = {
        [TACIT_NOTICE_DONE] = "done",
        [TACIT_NOTICE_FAILED] = "failed",
        [TACIT_NOTICE_TOTP_SETUP] = "totp_setup",
        [TACIT_NOTICE_RECOVERY_CODES] = "recovery_codes",
        [TACIT_NOTICE_USER] = "user",
        [TACIT_NOTICE_CONVERSATION] = "conversation",
        [TACIT_NOTICE_MESSAGE] = "message",
        [TACIT_NOTICE_REFUSED] = "refused",
        [TACIT_NOTICE_MISSING] = "missing",
        [TACIT_NOTICE_KEY_CHANGED] = "key_changed",
        [TACIT_NOTICE_SAFETY] = "safety",
        [TACIT_NOTICE_DEVICE] = "device",
        [TACIT_NOTICE_READ] = "read",
        [TACIT_NOTICE_MEMBER] = "member",
        [TACIT_NOTICE_WARNING] = "warning",
        [TACIT_NOTICE_EXPIRY] = "expiry",
        [TACIT_NOTICE_EXPIRED] = "expired",
        [TACIT_NOTICE_CLOSED] = "closed",
        [TACIT_NOTICE_TYPING] = "typing",
        [TACIT_NOTICE_OUTGOING] = "outgoing",
        [TACIT_NOTICE_PRESENCE] = "presence",
        [TACIT_NOTICE_EDITED] = "edited",
        [TACIT_NOTICE_DELETED] = "deleted",
        [TACIT_NOTICE_REACTION] = "reaction",
};

static const char *const conversations[] = {
        [TACIT_DIRECT] = "direct",
        [TACIT_GROUP] = "group",
        [TACIT_ROOM] = "room",
        [TACIT_SESSION] = "session",
};

static const char *const contents[] = {
        [TACIT_CONTENT_TEXT] = "text",
        [TACIT_CONTENT_FILE] = "file",
        [TACIT_CONTENT_REACTION] = "reaction",
        [TACIT_CONTENT_EDIT] = "edit",
        [TACIT_CONTENT_DELETE] = "delete",
};

static const char *const commands[] = {
        [TACIT_CMD_REGISTER] = "register",
        [TACIT_CMD_VERIFY_TOTP] = "verify_totp",
        [TACIT_CMD_LOGIN] = "login",
        [TACIT_CMD_LOGOUT] = "logout",
        [TACIT_CMD_WHOAMI] = "whoami",
        [TACIT_CMD_USERS] = "users",
        [TACIT_CMD_CONVERSATIONS] = "conversations",
        [TACIT_CMD_SYNC] = "sync",
        [TACIT_CMD_SEND] = "send",
        [TACIT_CMD_RESOLVE] = "resolve",
        [TACIT_CMD_CREATE_GROUP] = "create_group",
        [TACIT_CMD_ADD] = "add",
        [TACIT_CMD_REMOVE] = "remove",
        [TACIT_CMD_MARK_READ] = "mark_read",
        [TACIT_CMD_SAFETY_NUMBER] = "safety_number",
        [TACIT_CMD_SET_VERIFIED] = "set_verified",
        [TACIT_CMD_ACCEPT_KEY] = "accept_key",
        [TACIT_CMD_DEVICES] = "devices",
        [TACIT_CMD_REVOKE_DEVICE] = "revoke_device",
        [TACIT_CMD_TYPING] = "typing",
        [TACIT_CMD_CREATE_SESSION] = "create_session",
        [TACIT_CMD_CLOSE_SESSION] = "close_session",
        [TACIT_CMD_DROP] = "drop",
        [TACIT_CMD_SET_EXPIRY] = "set_expiry",
        [TACIT_CMD_COMPARE] = "compare",
        [TACIT_CMD_CREATE_ROOM] = "create_room",
};

#define WORD(list, i) ((size_t)(i) < TACIT_COUNT(list) ? (list)[i] : NULL)

const char *tacit_word_of_effect(enum tacit_effect_kind kind)
{
	return WORD(effects, kind);
}

const char *tacit_word_of_method(enum tacit_http_method method)
{
	return WORD(methods, method);
}

const char *tacit_word_of_notice(enum tacit_notice_kind kind)
{
	return WORD(notices, kind);
}

const char *tacit_word_of_conversation(enum tacit_conversation_kind kind)
{
	return WORD(conversations, kind);
}

const char *tacit_word_of_content(enum tacit_content_kind kind)
{
	return WORD(contents, kind);
}

static bool find(const char *const *list, size_t count, struct tacit_bytes word, size_t *out)
{
	for (*out = 0; *out < count; ++*out)
		if (list[*out] != NULL && tacit_bytes_eq(tacit_cstr(list[*out]), word))
			return true;
	return false;
}

bool tacit_command_of_word(struct tacit_bytes word, enum tacit_command_kind *out)
{
	size_t i;
	bool found = find(commands, TACIT_COUNT(commands), word, &i);
	*out = (enum tacit_command_kind)i;
	return found;
}

bool tacit_content_of_word(struct tacit_bytes word, enum tacit_content_kind *out)
{
	size_t i;
	bool found = find(contents, TACIT_COUNT(contents), word, &i);
	*out = (enum tacit_content_kind)i;
	return found;
}
