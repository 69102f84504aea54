/* message_form.h - one form in the store for messages of both channels (docs/protocol-live.md 14.2,
 * "A message on both channels").
 *
 * HTTP posts bytes, as `content` in base64. Live clients post strings of their own: what came in
 * goes out, byte for byte. A string that is canonical base64 (RFC 4648 4) is kept as the bytes that
 * it stands for, so that it reads as `content`, too; any other is kept as it is, and marked. What
 * goes with it (iv, message_hash) is the store's `extra`. */
#ifndef TACIT_SERVER_API_MESSAGE_FORM_H
#define TACIT_SERVER_API_MESSAGE_FORM_H

#include "server/api/json_out.h"
#include "server/store/store.h"

#define API_MAX_IV 1024 /* bytes; also of a message_hash */

/* As the client gave them. */
struct api_message_form {
	struct tacit_bytes encrypted_content; /* p == NULL: the content is kept already */
	struct tacit_bytes iv, message_hash;  /* p == NULL: none; may be empty */
};

/* Appended to content and extra. Fails: NOMEM, TOO_LARGE (iv, message_hash, or more than
 * TACIT_MAX_ENVELOPE bytes to keep). */
TACIT_MUST_USE enum tacit_err api_message_pack(
        const struct api_message_form *form, struct tacit_buf *content, struct tacit_buf *extra);

struct api_message_extra {
	bool text;                           /* the content is the string itself */
	struct tacit_bytes iv, message_hash; /* p == NULL: none */
};
/* Views into extra. Fails: STORE_CORRUPT. */
TACIT_MUST_USE enum tacit_err api_message_unpack(
        struct tacit_bytes extra, struct api_message_extra *out);

/* The message as an element of an array: as live events show it ... */
void api_message_live_members(struct api_json *w, const struct store_message *m);
void api_message_live(struct api_json *w, const struct store_message *m);
/* ... and as HTTP does. */
void api_message_http(struct api_json *w, const struct store_message *m);

#endif
