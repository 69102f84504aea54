/* message_page.h - a page of messages in an answer, bounded in bytes. */
#ifndef TACIT_SERVER_API_MESSAGE_PAGE_H
#define TACIT_SERVER_API_MESSAGE_PAGE_H

#include "server/api/json_out.h"
#include "server/store/store.h"

#define API_PAGE_DEFAULT 50
#define API_PAGE_MAX 200

/* What is too much is cut at the end that the client asks for next: `cut` then tells that there is
 * more. One message is always given. */
struct api_message_page {
	struct api_json *w;
	void (*write)(struct api_json *w, const struct store_message *m);
	size_t start; /* where the first message begins in w's buffer */
	size_t max_bytes;
	bool from_oldest;

	size_t ends[API_PAGE_MAX];
	size_t count;
	int64_t last_id; /* of the newest in the page; 0: none */
	bool cut;
};

/* A row() for store_ops.message_page; ctx is the page, in an array that is open. */
TACIT_MUST_USE enum tacit_err api_message_page_add(void *ctx, const struct store_message *m);

/* The store's `after` from the client's (below 0: none given): a client that has nothing yet asks
 * for what is after 0, the oldest and not the newest. */
int64_t api_message_page_after(int64_t after);

#endif
