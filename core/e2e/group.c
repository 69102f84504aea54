/* group.c - a conversation's group: how it begins, is kept, and what it looks like. */
#include "e2e/group_int.h"

#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "base/writer.h"
#include "e2e/mls/message.h"

#define STATE_VERSION 1
#define GROUP_ID_BYTES 32 /* the conversation's number, and randomness */
#define SECRET_VERSION 1

/* --- key packages --- */

/* A key package of this device, and what is needed to use it. */
struct own_package {
	struct tacit_buf identity, capabilities, public;
	struct tacit_mls_key_package_secrets secrets;
};

static void own_package_clear(struct own_package *p)
{
	tacit_buf_clear(&p->identity);
	tacit_buf_clear(&p->capabilities);
	tacit_buf_clear(&p->public);
	tacit_mls_key_package_secrets_wipe(&p->secrets);
}

enum tacit_err tacit_group_key_pairs_new(
        const struct tacit_self *self, size_t packages, struct tacit_mls_key_pairs **out)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(TACIT_MLS_SUITE_DEFAULT);
	return tacit_mls_key_pairs_new(s, self->env, 2 * packages, out);
}

void tacit_group_key_pairs_free(struct tacit_mls_key_pairs *k)
{
	tacit_mls_key_pairs_free(k);
}

static enum tacit_err make_package(
        const struct tacit_self *self, struct tacit_mls_key_pairs *pairs, struct own_package *p)
{
	enum tacit_err err;
	uint64_t now = (uint64_t)tacit_env_now(self->env);
	struct tacit_mls_key_package_options o = {
	        .suite = tacit_mls_suite_find(TACIT_MLS_SUITE_DEFAULT),
	        .signature_sk = tacit_bytes(self->signature_sk->b, sizeof(self->signature_sk->b)),
	        .signature_key =
	                tacit_bytes(self->leaf.device.signature_key.b, TACIT_SIGN_PUBLIC_BYTES),
	        /* An hour back: clocks differ. */
	        .lifetime = {now - 3600, now + (uint64_t)TACIT_KEY_PACKAGE_SECONDS},
	        .pairs = pairs,
	};
	TRY(o.suite != NULL ? TACIT_OK : TACIT_E_UNSUPPORTED);
	TRY(tacit_leaf_identity(&self->leaf, &p->identity));
	o.credential = (struct tacit_mls_credential){
	        .type = TACIT_MLS_CREDENTIAL_BASIC, .identity = tacit_buf_view(&p->identity)};
	TRY(tacit_mls_capabilities_make(NULL, self->env, &p->capabilities, &o.capabilities));
	TRY(tacit_mls_key_package_create(&o, self->env, &p->public, &p->secrets));
out:
	return err;
}

enum tacit_err tacit_group_key_package(const struct tacit_self *self,
        struct tacit_mls_key_pairs *pairs, struct tacit_buf *public, struct tacit_buf *secret)
{
	enum tacit_err err;
	struct own_package p = {0};
	size_t public_before = public->n, secret_before = secret->n;
	TRY(make_package(self, pairs, &p));
	struct tacit_writer w = tacit_writer(secret);
	tacit_write_u8(&w, SECRET_VERSION);
	tacit_write_vec32(&w, tacit_buf_view(&p.public));
	tacit_write_raw(&w, tacit_bytes(&p.secrets, sizeof(p.secrets)));
	TRY(tacit_writer_finish(&w));
	TRY(tacit_buf_append(public, tacit_buf_view(&p.public)));
out:
	own_package_clear(&p);
	if (err != TACIT_OK) {
		public->n = public_before;
		secret->n = secret_before;
	}
	return err;
}

static enum tacit_err read_secret(struct tacit_bytes secret, struct tacit_bytes *public,
        struct tacit_mls_key_package_secrets *secrets)
{
	struct tacit_reader r = tacit_reader(secret);
	if (tacit_read_u8(&r) != SECRET_VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	*public = tacit_read_vec32(&r, TACIT_MLS_KEY_PACKAGE_MAX_BYTES);
	tacit_read_into(&r, secrets, sizeof(*secrets));
	enum tacit_err err = tacit_reader_end(&r);
	if (err != TACIT_OK)
		tacit_mls_key_package_secrets_wipe(secrets);
	return err;
}

bool tacit_group_welcome_is_for(struct tacit_bytes welcome, struct tacit_bytes secret)
{
	struct tacit_bytes public;
	struct tacit_mls_key_package_secrets secrets;
	bool it = read_secret(secret, &public, &secrets) == TACIT_OK &&
	          tacit_mls_welcome_is_for(welcome, public) == TACIT_OK;
	tacit_mls_key_package_secrets_wipe(&secrets);
	return it;
}

/* --- life --- */

static struct tacit_group *group_new(uint64_t conversation, const struct tacit_self *self)
{
	struct tacit_group *g = tacit_calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->conversation = conversation;
	g->next_order = 1;
	g->tree_version = 1;
	g->age.updated_at = tacit_env_now(self->env);
	return g;
}

void tacit_group_destroy(struct tacit_group *g)
{
	if (g == NULL)
		return;
	tacit_mls_group_free(g->mls);
	tacit_free(g->orders);
	tacit_wipe(g, sizeof(*g));
	tacit_free(g);
}

static void write_conversation(uint64_t conversation, uint8_t out[8])
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(conversation >> (56 - 8 * i));
}

/* A group of one conversation is no good for another. */
static enum tacit_err check_conversation(const struct tacit_group *g)
{
	uint8_t want[8];
	struct tacit_bytes id = tacit_mls_group_id(g->mls);
	write_conversation(g->conversation, want);
	bool fits = id.n == GROUP_ID_BYTES &&
	            tacit_bytes_eq(tacit_bytes_part(id, 0, 8), tacit_bytes(want, 8)) &&
	            tacit_mls_group_suite(g->mls)->id == TACIT_MLS_SUITE_DEFAULT;
	return fits ? TACIT_OK : TACIT_E_WRONG_RECIPIENT;
}

enum tacit_err tacit_group_begin_history(struct tacit_group *g, uint64_t message)
{
	return tacit_history_begin(
	        &g->history, message, tacit_mls_group_epoch_authenticator(g->mls));
}

enum tacit_err tacit_group_create(
        uint64_t conversation, const struct tacit_self *self, struct tacit_group **out)
{
	enum tacit_err err;
	struct own_package p = {0};
	uint8_t id[GROUP_ID_BYTES];
	struct tacit_mls_host host = tacit_group_host(self, TACIT_STRICT);
	struct tacit_group *g = group_new(conversation, self);
	*out = NULL;
	TRY(g != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(make_package(self, NULL, &p));
	write_conversation(conversation, id);
	tacit_env_random(self->env, id + 8, sizeof(id) - 8);
	const struct tacit_mls_create_options o = {
	        .suite = tacit_mls_suite_find(TACIT_MLS_SUITE_DEFAULT),
	        .group_id = tacit_bytes(id, sizeof(id)),
	        .key_package = tacit_buf_view(&p.public),
	        .secrets = &p.secrets,
	        .settings = tacit_group_settings(),
	};
	TRY(tacit_mls_group_create(&o, &host, &g->mls));
	TRY(tacit_group_begin_history(g, 0));
	*out = g;
	g = NULL;
out:
	own_package_clear(&p);
	tacit_group_destroy(g);
	return err;
}

enum tacit_err tacit_group_join(const struct tacit_group_place *place,
        const struct tacit_self *self, struct tacit_bytes welcome, struct tacit_bytes secret,
        struct tacit_group **out)
{
	enum tacit_err err;
	struct tacit_mls_key_package_secrets secrets;
	struct tacit_mls_join_options o = {
	        .welcome = welcome, .secrets = &secrets, .settings = tacit_group_settings()};
	struct tacit_mls_host host = tacit_group_host(self, TACIT_JOINING);
	struct tacit_group *g = group_new(place->conversation, self);
	*out = NULL;
	TRY(g != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(read_secret(secret, &o.key_package, &secrets));
	TRY(tacit_mls_group_join(&o, &host, &g->mls));
	TRY(check_conversation(g));
	TRY(tacit_group_begin_history(g, place->message));
	*out = g;
	g = NULL;
out:
	tacit_mls_key_package_secrets_wipe(&secrets);
	tacit_group_destroy(g);
	return err;
}

/* The leaf that this device has in the group of a GroupInfo. Fails: NOT_FOUND, and what the
 * decoders say. */
static enum tacit_err find_own_leaf(
        const struct tacit_self *self, struct tacit_bytes group_info, uint32_t *leaf)
{
	enum tacit_err err;
	struct tacit_bytes data;
	struct tacit_mls_message m;
	struct tacit_mls_tree *tree = NULL;
	struct tacit_bytes key =
	        tacit_bytes(self->leaf.device.signature_key.b, TACIT_SIGN_PUBLIC_BYTES);
	TRY(tacit_mls_message_decode(group_info, &m));
	TRY(m.wire_format == TACIT_MLS_GROUP_INFO ? TACIT_OK : TACIT_E_MALFORMED);
	const struct tacit_mls_suite *suite = tacit_mls_suite_find(m.group_info.context.suite);
	TRY(suite != NULL ? TACIT_OK : TACIT_E_UNSUPPORTED);
	TRY(tacit_mls_extension_find(m.group_info.extensions, TACIT_MLS_EXT_RATCHET_TREE, &data)
	                ? TACIT_OK
	                : TACIT_E_MALFORMED);
	TRY(tacit_mls_tree_decode(suite, data, &tree));
	TRY(tacit_mls_tree_find_signature_key(tree, key, leaf) ? TACIT_OK : TACIT_E_NOT_FOUND);
out:
	tacit_mls_tree_free(tree);
	return err;
}

bool tacit_group_info_has(const struct tacit_self *self, struct tacit_bytes group_info)
{
	uint32_t leaf;
	return find_own_leaf(self, group_info, &leaf) == TACIT_OK;
}

bool tacit_group_info_parts(const struct tacit_group *g, struct tacit_bytes group_info)
{
	struct tacit_mls_message m;
	if (tacit_mls_message_decode(group_info, &m) != TACIT_OK ||
	        m.wire_format != TACIT_MLS_GROUP_INFO)
		return false;
	const struct tacit_mls_group_info *info = &m.group_info;
	return info->context.epoch == tacit_mls_group_epoch(g->mls) &&
	       tacit_bytes_eq(info->context.group_id, tacit_mls_group_id(g->mls)) &&
	       !tacit_bytes_eq(info->encoded_context, tacit_mls_group_context(g->mls));
}

enum tacit_err tacit_group_join_external(uint64_t conversation, const struct tacit_self *self,
        struct tacit_bytes group_info, struct tacit_buf *commit, struct tacit_buf *new_group_info,
        struct tacit_group **out)
{
	enum tacit_err err;
	struct own_package p = {0};
	uint32_t old = 0;
	size_t commit_before = commit->n, info_before = new_group_info->n;
	struct tacit_mls_host host = tacit_group_host(self, TACIT_JOINING);
	struct tacit_group *g = group_new(conversation, self);
	*out = NULL;
	TRY(g != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(make_package(self, NULL, &p));
	struct tacit_mls_external_join_options o = {.group_info = group_info,
	        .key_package = tacit_buf_view(&p.public),
	        .settings = tacit_group_settings()};
	err = find_own_leaf(self, group_info, &old);
	o.removes = err == TACIT_OK ? &old : NULL;
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	TRY(tacit_mls_group_external_join(&o, &host, commit, &g->mls));
	TRY(check_conversation(g));
	TRY(tacit_mls_group_info(
	        g->mls, &host, TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, new_group_info));
	g->joining = true;
	*out = g;
	g = NULL;
out:
	own_package_clear(&p);
	tacit_group_destroy(g);
	if (err != TACIT_OK) {
		commit->n = commit_before;
		new_group_info->n = info_before;
	}
	return err;
}

/* --- storing --- */

static void write_history(struct tacit_writer *w, const struct tacit_history *h)
{
	tacit_write_raw(w, tacit_bytes(h->running, sizeof(h->running)));
	tacit_write_u64(w, h->last);
	tacit_write_u32(w, h->count);
	for (uint32_t i = 0; i < h->count; i++) { /* oldest first */
		const struct tacit_history_point *p =
		        &h->points[(h->next + TACIT_HISTORY_KEPT - h->count + i) %
		                   TACIT_HISTORY_KEPT];
		tacit_write_u64(w, p->message);
		tacit_write_raw(w, tacit_bytes(p->hash, sizeof(p->hash)));
	}
}

static void read_history(struct tacit_reader *r, struct tacit_history *h)
{
	tacit_read_into(r, h->running, sizeof(h->running));
	h->last = tacit_read_u64(r);
	h->count = tacit_read_u32(r);
	if (h->count > TACIT_HISTORY_KEPT) {
		tacit_reader_fail(r, TACIT_E_MALFORMED);
		h->count = 0;
	}
	for (uint32_t i = 0; i < h->count; i++) {
		h->points[i].message = tacit_read_u64(r);
		tacit_read_into(r, h->points[i].hash, sizeof(h->points[i].hash));
	}
	h->next = h->count % TACIT_HISTORY_KEPT;
}

enum tacit_err tacit_group_save_state(const struct tacit_group *g, struct tacit_buf *out)
{
	enum tacit_err err;
	size_t before = out->n;
	struct tacit_writer w = tacit_writer(out);
	tacit_write_u8(&w, STATE_VERSION);
	tacit_write_u64(&w, g->conversation);
	tacit_write_u8(&w, g->joining);
	tacit_write_u64(&w, g->next_order);
	tacit_write_u64(&w, g->age.messages);
	tacit_write_u64(&w, (uint64_t)g->age.updated_at);
	write_history(&w, &g->history);
	tacit_write_u32(&w, (uint32_t)g->order_count);
	for (size_t i = 0; i < g->order_count; i++) {
		const struct tacit_order *o = &g->orders[i];
		tacit_write_raw(&w, tacit_bytes(o->who.account.b, sizeof(o->who.account.b)));
		tacit_write_raw(&w, tacit_bytes(o->who.device.b, sizeof(o->who.device.b)));
		tacit_write_u64(&w, o->last);
	}
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_group_save(g->mls, out));
out:
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

enum tacit_err tacit_group_save_tree(const struct tacit_group *g, struct tacit_buf *out)
{
	return tacit_mls_group_save_tree(g->mls, out);
}

#define ORDER_BYTES (TACIT_SIGN_PUBLIC_BYTES + TACIT_DEVICE_ID_BYTES + 8)

static enum tacit_err read_orders(struct tacit_reader *r, struct tacit_group *g)
{
	uint32_t count = tacit_read_u32(r);
	if (count > r->rest.n / ORDER_BYTES)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	if (r->err != TACIT_OK || count == 0)
		return r->err;
	g->orders = tacit_calloc(count, sizeof(*g->orders));
	if (g->orders == NULL)
		return TACIT_E_NOMEM;
	g->order_count = count;
	for (size_t i = 0; i < count; i++) {
		struct tacit_order *o = &g->orders[i];
		tacit_read_into(r, o->who.account.b, sizeof(o->who.account.b));
		tacit_read_into(r, o->who.device.b, sizeof(o->who.device.b));
		o->last = tacit_read_u64(r);
	}
	return r->err;
}

enum tacit_err tacit_group_load(
        struct tacit_bytes state, struct tacit_bytes tree, struct tacit_group **out)
{
	enum tacit_err err = TACIT_E_NOMEM;
	struct tacit_group *g = tacit_calloc(1, sizeof(*g));
	struct tacit_reader r = tacit_reader(state);
	*out = NULL;
	if (g == NULL)
		return err;
	if (tacit_read_u8(&r) != STATE_VERSION)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	g->conversation = tacit_read_u64(&r);
	g->joining = tacit_read_u8(&r) != 0;
	g->next_order = tacit_read_u64(&r);
	g->age.messages = tacit_read_u64(&r);
	g->age.updated_at = (int64_t)tacit_read_u64(&r);
	read_history(&r, &g->history);
	TRY(read_orders(&r, g));
	TRY(tacit_mls_group_load(r.rest, tree, &g->mls));
	g->tree_version = 1;
	*out = g;
	g = NULL;
out:
	tacit_group_destroy(g);
	return err;
}

/* --- looking --- */

uint64_t tacit_group_epoch(const struct tacit_group *g)
{
	return tacit_mls_group_epoch(g->mls);
}

uint64_t tacit_group_tree_version(const struct tacit_group *g)
{
	return g->tree_version;
}

bool tacit_group_is_pending(const struct tacit_group *g)
{
	return g->joining || tacit_mls_group_has_pending(g->mls);
}

bool tacit_group_is_over(const struct tacit_group *g)
{
	return tacit_mls_group_state(g->mls) != TACIT_MLS_ACTIVE;
}

struct tacit_group_age tacit_group_age(const struct tacit_group *g)
{
	return g->age;
}

bool tacit_group_leaf(const struct tacit_group *g, uint32_t *index, struct tacit_leaf *out)
{
	struct tacit_mls_leaf_node node;
	uint32_t width = tacit_mls_tree_width(tacit_mls_group_tree(g->mls));
	for (; *index < width; ++*index) {
		if (!tacit_mls_group_member(g->mls, *index, &node))
			continue;
		tacit_ignore(tacit_leaf_parse(&node, out), "it was let in with a good certificate");
		return true;
	}
	return false;
}

enum tacit_err tacit_group_fingerprint(const struct tacit_group *g, uint8_t out[32])
{
	enum tacit_err err;
	struct tacit_buf in = {0};
	struct tacit_writer w = tacit_writer(&in);
	tacit_write_raw(&w, TACIT_STR("tacit epoch v1"));
	tacit_write_u64(&w, g->conversation);
	tacit_write_u64(&w, tacit_group_epoch(g));
	tacit_write_raw(&w, tacit_mls_group_epoch_authenticator(g->mls));
	TRY(tacit_writer_finish(&w));
	TRY(tacit_hash(TACIT_SHA256, tacit_buf_view(&in), out));
out:
	tacit_buf_clear(&in);
	return err;
}
