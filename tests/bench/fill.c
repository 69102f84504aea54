/* fill.c - puts many messages into a data folder's store, to measure a start with a full one.
 *
 *   fill DATABASE_URL COUNT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "server/store/store.h"

#define BATCH 10000

static enum tacit_err new_user(struct store *s, const char *name, int64_t *id)
{
	struct store_new_user u = {.encrypted_private_key = TACIT_STR("none")};
	snprintf(u.user.username, sizeof(u.user.username), "%s", name);
	snprintf(u.user.email, sizeof(u.user.email), "%s@example.org", name);
	snprintf(u.user.password_hash, sizeof(u.user.password_hash), "none");
	snprintf(u.user.encryption_iv, sizeof(u.user.encryption_iv), "%024d", 0);
	tacit_random(u.user.public_key, sizeof(u.user.public_key));
	u.user.quota_bytes = -1;
	u.user.created_at = 1;
	return s->ops->user_create(s, &u, id);
}

static enum tacit_err append_batch(
        struct store *s, int64_t conversation, int64_t user, long from, long n)
{
	enum tacit_err err;
	uint8_t content[512];
	tacit_random(content, sizeof(content));
	TRY(s->ops->batch_begin(s));
	for (long i = 0; i < n; i++) {
		char client_id[32];
		bool existed;
		struct store_message out;
		int length = snprintf(client_id, sizeof(client_id), "fill-%ld", from + i);
		TRY(s->ops->message_append(s,
		        &(struct store_new_message){.conversation_id = conversation,
		                .user_id = user,
		                .content = tacit_bytes(content, sizeof(content)),
		                .client_id = tacit_bytes(client_id, (size_t)length),
		                .now = 1},
		        &out, &existed));
	}
	TRY(s->ops->batch_commit(s));
out:
	return err;
}

int main(int argc, char **argv)
{
	enum tacit_err err;
	struct store *s = NULL;
	char why[256] = "";
	int64_t alice, bob, conversation;
	bool existed;
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	if (count <= 0) {
		fprintf(stderr, "usage: fill DATABASE_URL COUNT\n");
		return 2;
	}
	TRY(tacit_crypto_init());
	TRY(store_open(argv[1], STORE_WRITER, why, &s));
	TRY(new_user(s, "filler-a", &alice));
	TRY(new_user(s, "filler-b", &bob));
	TRY(s->ops->conversation_create(s, STORE_DIRECT, alice, TACIT_STR(""),
	        (const int64_t[]){alice, bob}, 2, 1, 0, &conversation, &existed));
	for (long done = 0; done < count; done += BATCH)
		TRY(append_batch(
		        s, conversation, alice, done, count - done < BATCH ? count - done : BATCH));
out:
	if (err != TACIT_OK)
		fprintf(stderr, "fill: %s %s\n", tacit_err_text(err), why);
	store_close(s);
	return err != TACIT_OK;
}
