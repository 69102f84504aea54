/* What stands inside the engine's sealed records and history entries. The first byte chooses: a
 * record, or an entry (decode, encode, decode). Whatever a record brings in is sealed again. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "engine/changes_int.h"

static int64_t now(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static void no_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = 7;
}

static void try_entry(struct tacit_bytes plain)
{
	struct tacit_entry entry, again;
	struct tacit_buf out = {0};
	if (tacit_entry_decode(plain, &entry) != TACIT_OK)
		return;
	if (tacit_entry_encode(&entry, &out) != TACIT_OK ||
	        tacit_entry_decode(tacit_buf_view(&out), &again) != TACIT_OK ||
	        again.n.kind != entry.n.kind || again.n.message != entry.n.message ||
	        !tacit_bytes_eq(again.n.text, entry.n.text) ||
	        !tacit_bytes_eq(again.reactions, entry.reactions))
		abort();
	tacit_buf_clear(&out);
	if (tacit_reactions_show(entry.reactions, &out) != TACIT_OK || out.n > entry.reactions.n)
		abort();
	tacit_buf_clear(&out);
}

static void mark_all_dirty(struct tacit_engine *e)
{
	e->session_dirty = true;
	for (struct tacit_contact *c = e->contacts; c != NULL; c = c->next)
		c->dirty = true;
	for (struct tacit_conversation *c = e->conversations; c != NULL; c = c->next) {
		for (struct tacit_change *change = c->changes; change != NULL;
		        change = change->next)
			change->dirty = true;
		for (struct tacit_sent *s = c->receipts.sent; s != NULL; s = s->next)
			s->dirty = true;
		c->dirty = c->group_dirty = c->pending_dirty = c->name_dirty = c->receipts.dirty =
		        true;
	}
	for (struct tacit_key_package *k = e->key_packages; k != NULL; k = k->next)
		k->dirty = true;
	for (struct tacit_outgoing *o = e->outbox; o != NULL; o = o->next)
		o->dirty = true;
}

static void count_one(void *ctx, const struct tacit_notice *n)
{
	*(size_t *)ctx += n->members.n;
}

static void try_record(struct tacit_bytes plain)
{
	static const uint8_t secret[TACIT_ACCOUNT_SECRET_BYTES] = {1};
	struct tacit_env env = {now, no_random, NULL};
	struct tacit_engine *e;
	struct tacit_account account = {0};
	struct tacit_buf name = {0};
	size_t members = 0;
	if (tacit_engine_new(&env, &e) != TACIT_OK ||
	        tacit_account_from_secret(tacit_bytes(secret, sizeof(secret)), &account) !=
	                TACIT_OK ||
	        tacit_profile_unlock(e, &account) != TACIT_OK)
		abort();
	if (tacit_records_decode(e, plain, &name) == TACIT_OK) {
		mark_all_dirty(e);
		tacit_engine_each_conversation(e, count_one, &members);
		if (name.n == 0 || tacit_records_flush(e) != TACIT_OK)
			abort();
	}
	tacit_buf_clear(&name);
	tacit_engine_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (tacit_crypto_init() != TACIT_OK)
		abort();
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		try_record(tacit_bytes(data + 1, size - 1));
	else
		try_entry(tacit_bytes(data + 1, size - 1));
	return 0;
}
