/* people.c - puts people with logins and rooms into a store, for the live bench.
 *
 *   people DATABASE_URL PEOPLE MEMBERS [MESSAGES]    rooms of so many members each, and what was
 *                                                    said in the first of them
 *
 * Prints a line for each: session token and room. Registering them over HTTP would take minutes,
 * for a password is hashed slowly. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "server/store/store.h"

#define DAY_SECONDS 86400
#define BATCH 10000

static enum tacit_err new_person(struct store *s, long number, int64_t *id)
{
	struct store_new_user u = {.encrypted_private_key = TACIT_STR("none")};
	snprintf(u.user.username, sizeof(u.user.username), "b-%ld", number);
	snprintf(u.user.email, sizeof(u.user.email), "bench-%ld@example.org", number);
	snprintf(u.user.password_hash, sizeof(u.user.password_hash), "none");
	snprintf(u.user.encryption_iv, sizeof(u.user.encryption_iv), "%024d", 0);
	tacit_random(u.user.public_key, sizeof(u.user.public_key));
	u.user.quota_bytes = -1;
	u.user.created_at = 1;
	return s->ops->user_create(s, &u, id);
}

/* As server/api does it: the store has hashes of tokens only. */
static enum tacit_err new_login(struct store *s, int64_t user, int64_t now, struct tacit_buf *token)
{
	enum tacit_err err;
	uint8_t raw[32], hash[STORE_HASH_BYTES], refresh[STORE_HASH_BYTES];
	int64_t id;
	tacit_random(raw, sizeof(raw));
	tacit_random(refresh, sizeof(refresh));
	TRY(tacit_base64(TACIT_BASE64URL, tacit_bytes(raw, sizeof(raw)), token));
	tacit_sha256(tacit_buf_view(token), hash);
	TRY(s->ops->session_create(s, user, hash, refresh, now, now + DAY_SECONDS, &id));
out:
	return err;
}

static enum tacit_err say(struct store *s, int64_t room, const int64_t *who, long n, int64_t now)
{
	enum tacit_err err;
	char content[256], client_id[40];
	memset(content, 'A', sizeof(content));
	for (long i = 0; i < n; i++) {
		bool existed;
		struct store_message out;
		int length = snprintf(client_id, sizeof(client_id), "people-%ld", i);
		if (i > 0 && i % BATCH == 0) {
			TRY(s->ops->batch_commit(s));
			TRY(s->ops->batch_begin(s));
		}
		TRY(s->ops->message_append(s,
		        &(struct store_new_message){.conversation_id = room,
		                .user_id = who[i & 1],
		                .content = tacit_bytes(content, sizeof(content)),
		                .client_id = tacit_bytes(client_id, (size_t)length),
		                .now = now},
		        &out, &existed));
	}
out:
	return err;
}

/* A first room of two or more has a history. */
static enum tacit_err fill_room(struct store *s, long from, long members, long messages)
{
	enum tacit_err err = TACIT_E_NOMEM;
	int64_t room, now = (int64_t)time(NULL);
	bool existed;
	int64_t *ids = calloc((size_t)members, sizeof(*ids));
	struct tacit_buf *tokens = calloc((size_t)members, sizeof(*tokens));
	if (ids == NULL || tokens == NULL)
		goto out;
	for (long i = 0; i < members; i++) {
		TRY(new_person(s, from + i, &ids[i]));
		TRY(new_login(s, ids[i], now, &tokens[i]));
	}
	TRY(s->ops->conversation_create(s, STORE_ROOM, ids[0], TACIT_STR("a room"), ids,
	        (size_t)members, now, 0, &room, &existed));
	if (from == 0 && messages > 0 && members > 1)
		TRY(say(s, room, ids, messages, now));
	for (long i = 0; i < members; i++)
		printf("%.*s %" PRId64 "\n", (int)tokens[i].n, (const char *)tokens[i].p, room);
out:
	for (long i = 0; tokens != NULL && i < members; i++)
		tacit_buf_clear(&tokens[i]);
	free(tokens);
	free(ids);
	return err;
}

int main(int argc, char **argv)
{
	enum tacit_err err;
	struct store *s = NULL;
	char why[256] = "";
	long people = argc >= 4 ? strtol(argv[2], NULL, 10) : 0;
	long members = argc >= 4 ? strtol(argv[3], NULL, 10) : 0;
	long messages = argc >= 5 ? strtol(argv[4], NULL, 10) : 0;
	if (people <= 0 || members <= 0) {
		fprintf(stderr, "usage: people DATABASE_URL PEOPLE MEMBERS [MESSAGES]\n");
		return 2;
	}
	TRY(tacit_crypto_init());
	TRY(store_open(argv[1], STORE_WRITER, why, &s));
	TRY(s->ops->batch_begin(s));
	for (long from = 0; from < people; from += members)
		TRY(fill_room(
		        s, from, people - from < members ? people - from : members, messages));
	TRY(s->ops->batch_commit(s));
out:
	if (err != TACIT_OK)
		fprintf(stderr, "people: %s %s\n", tacit_err_text(err), why);
	store_close(s);
	return err != TACIT_OK;
}
