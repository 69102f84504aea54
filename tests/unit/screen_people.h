/* screen_people.h - notices as an engine would give them, for the tests of cli/screen. */
#ifndef TACIT_TESTS_SCREEN_PEOPLE_H
#define TACIT_TESTS_SCREEN_PEOPLE_H

#include "cli/screen/model.h"

#define NOON 1700049600 /* 2023-11-15 12:00 UTC, a Wednesday */

static inline struct tacit_notice about(
        uint64_t id, enum tacit_conversation_kind kind, const char *title, const char *members)
{
	return (struct tacit_notice){
	        .kind = TACIT_NOTICE_CONVERSATION,
	        .conversation = id,
	        .conversation_kind = kind,
	        .title = tacit_cstr(title),
	        .username = kind == TACIT_DIRECT ? tacit_cstr(title) : tacit_cstr(""),
	        .members = tacit_cstr(members),
	};
}

static inline struct tacit_notice said(uint64_t message, const char *name, const char *text)
{
	return (struct tacit_notice){
	        .kind = TACIT_NOTICE_MESSAGE,
	        .conversation = 1,
	        .message = message,
	        .username = tacit_cstr(name),
	        .time = NOON + (int64_t)message * 60,
	        .content = {.kind = TACIT_CONTENT_TEXT, .text = tacit_cstr(text)},
	};
}

static inline struct tacit_notice said_myself(uint64_t message, const char *text)
{
	struct tacit_notice n = said(message, "alice", text);
	n.flag = true;
	return n;
}

#endif
