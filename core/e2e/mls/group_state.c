/* Storing a group and having it back exactly. What is read here was written by us; it is checked
 * all the same, for a store may be damaged. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"

static void write_fixed(
        struct tacit_writer *w, const struct tacit_mls_suite *s, const uint8_t *secret)
{
	tacit_write_raw(w, tacit_bytes(secret, s->hash_bytes));
}

static void write_buf(struct tacit_writer *w, const struct tacit_buf *b)
{
	tacit_mls_write_vec(w, tacit_buf_view(b));
}

static void read_buf(struct tacit_reader *r, struct tacit_buf *out)
{
	enum tacit_err err = tacit_buf_append(out, tacit_mls_read_vec(r));
	if (err != TACIT_OK)
		tacit_reader_fail(r, err);
}

static void *read_new(struct tacit_reader *r, size_t size)
{
	void *p = r->err == TACIT_OK ? tacit_calloc(1, size) : NULL;
	if (p == NULL)
		tacit_reader_fail(r, TACIT_E_NOMEM);
	return p;
}

static bool read_bool(struct tacit_reader *r)
{
	return tacit_mls_read_optional(r);
}

/* --- An epoch --- */

#define EPOCH_SECRETS 8

static void list_secrets(struct tacit_mls_epoch_secrets *s, uint8_t *out[EPOCH_SECRETS])
{
	uint8_t *const list[EPOCH_SECRETS] = {s->sender_data, s->exporter, s->external,
	        s->confirmation, s->membership, s->resumption, s->authenticator, s->init};
	memcpy(out, list, sizeof(list));
}

static void write_epoch(
        struct tacit_writer *w, const struct tacit_mls_suite *s, struct tacit_mls_epoch *e)
{
	uint8_t *secrets[EPOCH_SECRETS];
	list_secrets(&e->secrets, secrets);
	tacit_write_u64(w, e->number);
	write_buf(w, &e->extensions);
	write_buf(w, &e->context);
	write_fixed(w, s, e->tree_hash);
	tacit_mls_write_vec(w, tacit_mls_epoch_confirmed(e));
	write_fixed(w, s, e->interim);
	write_fixed(w, s, e->tag);
	for (size_t i = 0; i < EPOCH_SECRETS; i++)
		write_fixed(w, s, secrets[i]);
	tacit_mls_secret_tree_write(w, e->messages);
	tacit_mls_write_tree_keys(w, s, &e->keys);
}

static struct tacit_mls_epoch *read_epoch(struct tacit_reader *r, const struct tacit_mls_suite *s)
{
	uint8_t *secrets[EPOCH_SECRETS];
	struct tacit_mls_epoch *e = read_new(r, sizeof(*e));
	if (e == NULL)
		return NULL;
	list_secrets(&e->secrets, secrets);
	e->number = tacit_read_u64(r);
	read_buf(r, &e->extensions);
	read_buf(r, &e->context);
	tacit_read_into(r, e->tree_hash, s->hash_bytes);
	struct tacit_bytes confirmed = tacit_mls_read_vec(r);
	if (confirmed.n != 0 && confirmed.n != s->hash_bytes)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	else if (confirmed.n > 0)
		memcpy(e->confirmed, confirmed.p, confirmed.n);
	e->confirmed_bytes = confirmed.n;
	tacit_read_into(r, e->interim, s->hash_bytes);
	tacit_read_into(r, e->tag, s->hash_bytes);
	for (size_t i = 0; i < EPOCH_SECRETS; i++)
		tacit_read_into(r, secrets[i], s->hash_bytes);
	e->messages = tacit_mls_secret_tree_read(r, s);
	tacit_mls_read_tree_keys(r, s, &e->keys);
	return e;
}

/* --- Changes, past epochs, proposals --- */

static void write_changes(struct tacit_writer *w, const struct tacit_mls_changes *c)
{
	size_t begin = tacit_mls_vec_begin(w);
	for (size_t i = 0; i < c->n; i++) {
		tacit_write_u8(w, (uint8_t)c->p[i].kind);
		tacit_write_u32(w, c->p[i].leaf);
		write_buf(w, &c->p[i].before);
		write_buf(w, &c->p[i].after);
	}
	tacit_mls_vec_end(w, begin);
}

static void read_changes(struct tacit_reader *r, struct tacit_mls_changes *c)
{
	struct tacit_reader sub = tacit_mls_read_sub(r);
	while (tacit_mls_more(&sub)) {
		uint8_t kind = tacit_read_u8(&sub);
		uint32_t leaf = tacit_read_u32(&sub);
		struct tacit_bytes before = tacit_mls_read_vec(&sub);
		struct tacit_bytes after = tacit_mls_read_vec(&sub);
		if (kind > TACIT_MLS_UPDATED)
			tacit_reader_fail(&sub, TACIT_E_MALFORMED);
		if (sub.err != TACIT_OK)
			break;
		enum tacit_err err = tacit_mls_changes_add(
		        c, (enum tacit_mls_change_kind)kind, leaf, before, after);
		if (err != TACIT_OK)
			tacit_reader_fail(&sub, err);
	}
	tacit_mls_read_sub_end(r, &sub);
}

static void write_past(struct tacit_writer *w, const struct tacit_mls_group *g)
{
	tacit_write_u8(w, (uint8_t)g->past_count);
	for (size_t i = 0; i < g->past_count; i++) {
		const struct tacit_mls_past *p = g->past[i];
		tacit_write_u64(w, p->number);
		write_buf(w, &p->context);
		write_fixed(w, g->suite, p->sender_data);
		tacit_mls_secret_tree_write(w, p->messages);
		write_changes(w, &p->changes);
	}
}

static void read_past(struct tacit_reader *r, struct tacit_mls_group *g)
{
	uint8_t count = tacit_read_u8(r);
	if (count > TACIT_MLS_PAST_EPOCHS_MAX)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	for (size_t i = 0; i < count && r->err == TACIT_OK; i++) {
		struct tacit_mls_past *p = read_new(r, sizeof(*p));
		if (p == NULL)
			return;
		g->past[g->past_count++] = p;
		p->number = tacit_read_u64(r);
		read_buf(r, &p->context);
		tacit_read_into(r, p->sender_data, g->suite->hash_bytes);
		p->messages = tacit_mls_secret_tree_read(r, g->suite);
		read_changes(r, &p->changes);
	}
}

static void write_resumptions(struct tacit_writer *w, const struct tacit_mls_group *g)
{
	tacit_write_u16(w, (uint16_t)g->resumption_count);
	for (size_t i = 0; i < g->resumption_count; i++) {
		tacit_write_u64(w, g->resumptions[i].number);
		write_fixed(w, g->suite, g->resumptions[i].psk);
	}
}

static void read_resumptions(struct tacit_reader *r, struct tacit_mls_group *g)
{
	uint16_t count = tacit_read_u16(r);
	if (count > tacit_mls_resumption_limit(g)) {
		tacit_reader_fail(r, TACIT_E_MALFORMED);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		g->resumptions[i].number = tacit_read_u64(r);
		tacit_read_into(r, g->resumptions[i].psk, g->suite->hash_bytes);
	}
	g->resumption_count = count;
}

static void write_cached(struct tacit_writer *w, const struct tacit_mls_group *g)
{
	tacit_write_u16(w, (uint16_t)g->cached_count);
	for (size_t i = 0; i < g->cached_count; i++) {
		const struct tacit_mls_cached *c = g->cached[i];
		write_fixed(w, g->suite, c->reference);
		tacit_write_u8(w, c->sender.type);
		tacit_write_u32(w, c->sender.index);
		write_buf(w, &c->proposal);
		tacit_mls_write_optional(w, c->has_update_sk);
		if (c->has_update_sk)
			tacit_write_raw(w, tacit_bytes(c->update_sk, g->suite->kem_sk_bytes));
	}
}

static void read_proposal(
        struct tacit_reader *r, const struct tacit_mls_suite *s, struct tacit_mls_cached *c)
{
	tacit_read_into(r, c->reference, s->hash_bytes);
	c->sender.type = tacit_read_u8(r);
	c->sender.index = tacit_read_u32(r);
	read_buf(r, &c->proposal);
	c->has_update_sk = read_bool(r);
	if (c->has_update_sk)
		tacit_read_into(r, c->update_sk, s->kem_sk_bytes);
}

static void read_cached(struct tacit_reader *r, struct tacit_mls_group *g)
{
	uint16_t count = tacit_read_u16(r);
	for (size_t i = 0; i < count && r->err == TACIT_OK; i++) {
		struct tacit_mls_cached *c = read_new(r, sizeof(*c));
		if (c == NULL)
			return;
		read_proposal(r, g->suite, c);
		enum tacit_err err = tacit_mls_cache_reserve(g, c->proposal.n);
		if (err != TACIT_OK) {
			tacit_reader_fail(r, err);
			tacit_mls_cached_free(c);
			return;
		}
		tacit_mls_cache_push(g, c);
	}
}

/* --- A commit that waits, and what the group succeeds --- */

static void write_pending(struct tacit_writer *w, const struct tacit_mls_group *g)
{
	const struct tacit_mls_pending *p = g->pending;
	tacit_mls_write_optional(w, p != NULL);
	if (p == NULL)
		return;
	write_epoch(w, g->suite, p->next.epoch);
	write_changes(w, &p->next.changes);
	write_buf(w, &p->next.reinit);
	write_fixed(w, g->suite, p->message_hash);
	write_buf(w, &p->recipe);
}

static void read_pending(struct tacit_reader *r, struct tacit_mls_group *g)
{
	if (!read_bool(r))
		return;
	struct tacit_mls_pending *p = read_new(r, sizeof(*p));
	if (p == NULL)
		return;
	g->pending = p;
	p->next.epoch = read_epoch(r, g->suite);
	read_changes(r, &p->next.changes);
	read_buf(r, &p->next.reinit);
	tacit_read_into(r, p->message_hash, g->suite->hash_bytes);
	read_buf(r, &p->recipe);
}

static void write_origin(struct tacit_writer *w, const struct tacit_mls_origin *o)
{
	tacit_write_u8(w, o->usage);
	if (o->usage == 0)
		return;
	write_buf(w, &o->group_id);
	tacit_write_u64(w, o->number);
	tacit_mls_write_vec(w, tacit_bytes(o->psk, o->psk_bytes));
}

static void read_origin(struct tacit_reader *r, struct tacit_mls_origin *o)
{
	o->usage = tacit_read_u8(r);
	if (o->usage == 0)
		return;
	read_buf(r, &o->group_id);
	o->number = tacit_read_u64(r);
	struct tacit_bytes psk = tacit_mls_read_vec(r);
	if (o->usage > TACIT_MLS_PSK_BRANCH || psk.n > sizeof(o->psk))
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	else if (psk.n > 0)
		memcpy(o->psk, psk.p, psk.n);
	o->psk_bytes = psk.n;
}

/* --- The whole --- */

enum tacit_err tacit_mls_group_save(const struct tacit_mls_group *g, struct tacit_buf *out)
{
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u8(&w, TACIT_MLS_GROUP_STATE_VERSION);
	tacit_write_u16(&w, g->suite->id);
	write_buf(&w, &g->group_id);
	tacit_write_u16(&w, g->settings.past_epochs);
	tacit_write_u16(&w, g->settings.resumptions);
	tacit_write_u32(&w, g->settings.pad_to);
	tacit_mls_write_optional(&w, g->settings.public_handshakes);
	tacit_write_u8(&w, (uint8_t)g->state);
	write_epoch(&w, g->suite, g->now);
	write_past(&w, g);
	write_resumptions(&w, g);
	write_cached(&w, g);
	write_buf(&w, &g->reinit);
	write_origin(&w, &g->origin);
	write_pending(&w, g);
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_mls_group_save_tree(const struct tacit_mls_group *g, struct tacit_buf *out)
{
	enum tacit_err err;
	size_t start = out->n;
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u8(&w, TACIT_MLS_GROUP_STATE_VERSION);
	tacit_write_u64(&w, g->now->number);
	write_fixed(&w, g->suite, g->now->tree_hash);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_tree_encode(g->tree, out));
out:
	if (err != TACIT_OK)
		out->n = start;
	return err;
}

static enum tacit_err read_head(struct tacit_reader *r, struct tacit_mls_group **out)
{
	struct tacit_mls_settings settings = {0};
	uint8_t version = tacit_read_u8(r);
	const struct tacit_mls_suite *s = tacit_mls_suite_find(tacit_read_u16(r));
	if (r->err == TACIT_OK && (version != TACIT_MLS_GROUP_STATE_VERSION || s == NULL))
		tacit_reader_fail(r, TACIT_E_UNSUPPORTED);
	struct tacit_bytes group_id = tacit_mls_read_vec(r);
	settings.past_epochs = tacit_read_u16(r);
	settings.resumptions = tacit_read_u16(r);
	settings.pad_to = tacit_read_u32(r);
	settings.public_handshakes = read_bool(r);
	if (r->err != TACIT_OK)
		return r->err;
	return tacit_mls_group_new(s, group_id, &settings, out);
}

static enum tacit_err read_state(struct tacit_reader *r, struct tacit_mls_group *g)
{
	uint8_t state = tacit_read_u8(r);
	if (state > TACIT_MLS_REMOVED)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	g->state = (enum tacit_mls_group_state)state;
	g->now = read_epoch(r, g->suite);
	read_past(r, g);
	read_resumptions(r, g);
	read_cached(r, g);
	read_buf(r, &g->reinit);
	read_origin(r, &g->origin);
	read_pending(r, g);
	return tacit_reader_end(r);
}

static enum tacit_err read_tree(struct tacit_bytes tree, struct tacit_mls_group *g)
{
	enum tacit_err err;
	uint8_t hash[TACIT_MLS_HASH_MAX_BYTES];
	struct tacit_reader r = tacit_reader(tree);
	uint8_t version = tacit_read_u8(&r);
	uint64_t epoch = tacit_read_u64(&r);
	tacit_read_into(&r, hash, g->suite->hash_bytes);
	TRY(r.err);
	TRY(version != TACIT_MLS_GROUP_STATE_VERSION ? TACIT_E_UNSUPPORTED : TACIT_OK);
	bool same = epoch == g->now->number &&
	            tacit_bytes_eq(tacit_bytes(hash, g->suite->hash_bytes),
	                    tacit_bytes(g->now->tree_hash, g->suite->hash_bytes));
	TRY(same ? TACIT_OK : TACIT_E_CONFLICT);
	TRY(tacit_mls_tree_decode(g->suite, r.rest, &g->tree));
	bool fits = g->state == TACIT_MLS_REMOVED ||
	            tacit_mls_tree_is_member(g->tree, g->now->keys.leaf);
	TRY(fits ? TACIT_OK : TACIT_E_MALFORMED);
out:
	return err;
}

enum tacit_err tacit_mls_group_load(
        struct tacit_bytes state, struct tacit_bytes tree, struct tacit_mls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g = NULL;
	struct tacit_reader r = tacit_reader(state);
	*out = NULL;
	TRY(read_head(&r, &g));
	TRY(read_state(&r, g));
	TRY(read_tree(tree, g));
	if (g->pending != NULL)
		TRY(tacit_mls_pending_replay(g, g->pending));
	*out = g;
	g = NULL;
out:
	tacit_mls_group_free(g);
	return err;
}
