/* words.h - the names by which both sides of abi.h call the members of the core's enums. */
#ifndef TACIT_WASM_WORDS_H
#define TACIT_WASM_WORDS_H

#include "engine/engine.h"

/* Static storage; NULL for a number that has none, and for content that is said between clients. */
const char *tacit_word_of_effect(enum tacit_effect_kind kind);
const char *tacit_word_of_method(enum tacit_http_method method);
const char *tacit_word_of_notice(enum tacit_notice_kind kind);
const char *tacit_word_of_conversation(enum tacit_conversation_kind kind);
const char *tacit_word_of_content(enum tacit_content_kind kind);

/* false: there is no such word. */
TACIT_MUST_USE bool tacit_command_of_word(struct tacit_bytes word, enum tacit_command_kind *out);
TACIT_MUST_USE bool tacit_content_of_word(struct tacit_bytes word, enum tacit_content_kind *out);

#endif
