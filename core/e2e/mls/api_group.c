#include <string.h>

#include "base/alloc.h"
#include "e2e/mls/api_int.h"
#include "e2e/mls/limits.h"

/* Of a leaf of our own that stands in for a key package; from a day ago. */
#define LIFETIME (TMLS_LIFETIME_MAX - 86400)

struct tmls_group {
	const struct tmls_client *client;
	struct tacit_mls_group *g;
};

/* Takes g over, also on failure. */
static enum tacit_err wrap(
        const struct tmls_client *c, struct tacit_mls_group *g, struct tmls_group **out)
{
	*out = tacit_calloc(1, sizeof(**out));
	if (*out == NULL) {
		tacit_mls_group_free(g);
		return TACIT_E_NOMEM;
	}
	(*out)->client = c;
	(*out)->g = g;
	return TACIT_OK;
}

enum tmls_result tmls_group_create(
        const struct tmls_client *c, struct tmls_view group_id, struct tmls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g;
	struct tmls_key_package *k = NULL;
	struct tacit_mls_host host = tmls_host(c);
	struct tacit_mls_create_options o = {.suite = c->suite, .group_id = tmls_in(group_id)};
	*out = NULL;
	TRY((enum tacit_err)tmls_key_package_new(c, LIFETIME, &k));
	o.secrets = &k->secrets;
	TRY(tmls_bare_key_package(tacit_buf_view(&k->message), &o.key_package));
	TRY(tacit_mls_group_create(&o, &host, &g));
	TRY(wrap(c, g, out));
out:
	tmls_key_package_free(k);
	return tmls_result_of(err);
}

enum tmls_result tmls_group_join(const struct tmls_client *c, const struct tmls_key_package *k,
        struct tmls_view welcome, struct tmls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g;
	struct tacit_mls_host host = tmls_host(c);
	struct tacit_mls_join_options o = {.welcome = tmls_in(welcome), .secrets = &k->secrets};
	*out = NULL;
	TRY(tmls_bare_key_package(tacit_buf_view(&k->message), &o.key_package));
	TRY(tacit_mls_group_join(&o, &host, &g));
	TRY(wrap(c, g, out));
out:
	return tmls_result_of(err);
}

enum tmls_result tmls_group_join_external(const struct tmls_client *c, struct tmls_view group_info,
        const uint32_t *replaces, struct tmls_bytes *commit, struct tmls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g;
	struct tacit_buf b = {0};
	struct tmls_key_package *k = NULL;
	struct tacit_mls_host host = tmls_host(c);
	struct tacit_mls_external_join_options o = {
	        .group_info = tmls_in(group_info), .removes = replaces};
	*out = NULL;
	*commit = (struct tmls_bytes){0};
	TRY((enum tacit_err)tmls_key_package_new(c, LIFETIME, &k));
	TRY(tmls_bare_key_package(tacit_buf_view(&k->message), &o.key_package));
	TRY(tacit_mls_group_external_join(&o, &host, &b, &g));
	TRY(wrap(c, g, out));
	*commit = tmls_give(&b);
out:
	tmls_key_package_free(k);
	tacit_buf_clear(&b);
	return tmls_result_of(err);
}

void tmls_group_free(struct tmls_group *g)
{
	if (g == NULL)
		return;
	tacit_mls_group_free(g->g);
	tacit_free(g);
}

uint64_t tmls_group_epoch(const struct tmls_group *g)
{
	return tacit_mls_group_epoch(g->g);
}

struct tmls_view tmls_group_id(const struct tmls_group *g)
{
	return tmls_out(tacit_mls_group_id(g->g));
}

uint32_t tmls_group_own_leaf(const struct tmls_group *g)
{
	return tacit_mls_group_own_leaf(g->g);
}

uint32_t tmls_group_width(const struct tmls_group *g)
{
	return tacit_mls_tree_width(tacit_mls_group_tree(g->g));
}

bool tmls_group_member(const struct tmls_group *g, uint32_t leaf, struct tmls_member *out)
{
	struct tacit_mls_leaf_node node;
	*out = (struct tmls_member){0};
	if (!tacit_mls_group_member(g->g, leaf, &node))
		return false;
	*out = tmls_member_of(&node);
	out->leaf = leaf;
	return true;
}

struct tmls_view tmls_group_authenticator(const struct tmls_group *g)
{
	return tmls_out(tacit_mls_group_epoch_authenticator(g->g));
}

enum tmls_result tmls_group_export(const struct tmls_group *g, const char *label,
        struct tmls_view context, uint8_t *out, size_t size)
{
	return tmls_result_of(tacit_mls_group_export(
	        g->g, tacit_cstr(label), tmls_in(context), (struct tacit_room){out, size}));
}

/* The end of every call that appended its answer to b. */
static enum tmls_result answer(enum tacit_err err, struct tacit_buf *b, struct tmls_bytes *out)
{
	*out = err == TACIT_OK ? tmls_give(b) : (struct tmls_bytes){0};
	tacit_buf_clear(b);
	return tmls_result_of(err);
}

enum tmls_result tmls_group_info(const struct tmls_group *g, struct tmls_bytes *out)
{
	struct tacit_buf b = {0};
	struct tacit_mls_host host = tmls_host(g->client);
	return answer(tacit_mls_group_info(
	                      g->g, &host, TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, &b),
	        &b, out);
}

static enum tacit_err add_of(struct tmls_view message, struct tacit_mls_proposal *out)
{
	*out = (struct tacit_mls_proposal){.type = TACIT_MLS_ADD};
	return tmls_bare_key_package(tmls_in(message), &out->add.encoded);
}

static enum tmls_result propose(
        struct tmls_group *g, const struct tacit_mls_proposal *p, struct tmls_bytes *out)
{
	struct tacit_buf b = {0};
	struct tacit_mls_host host = tmls_host(g->client);
	return answer(tacit_mls_group_propose(g->g, &host, p, tacit_bytes(NULL, 0), &b), &b, out);
}

enum tmls_result tmls_group_propose_add(
        struct tmls_group *g, struct tmls_view key_package, struct tmls_bytes *out)
{
	struct tacit_mls_proposal p;
	enum tacit_err err = add_of(key_package, &p);
	*out = (struct tmls_bytes){0};
	return err != TACIT_OK ? tmls_result_of(err) : propose(g, &p, out);
}

enum tmls_result tmls_group_propose_remove(
        struct tmls_group *g, uint32_t leaf, struct tmls_bytes *out)
{
	struct tacit_mls_proposal p = {.type = TACIT_MLS_REMOVE, .removed = leaf};
	return propose(g, &p, out);
}

enum tmls_result tmls_group_propose_update(struct tmls_group *g, struct tmls_bytes *out)
{
	struct tacit_buf b = {0};
	struct tacit_mls_host host = tmls_host(g->client);
	return answer(tacit_mls_group_propose_update(g->g, &host, NULL, tacit_bytes(NULL, 0), &b),
	        &b, out);
}

static enum tacit_err list_changes(const struct tmls_changes *c, struct tacit_mls_proposal *list)
{
	enum tacit_err err = TACIT_OK;
	size_t n = 0;
	for (size_t i = 0; i < c->psk_count; i++)
		list[n++] = (struct tacit_mls_proposal){.type = TACIT_MLS_PSK,
		        .psk = {.type = TACIT_MLS_PSK_EXTERNAL, .id = tmls_in(c->psks[i])}};
	for (size_t i = 0; i < c->remove_count; i++)
		list[n++] = (struct tacit_mls_proposal){
		        .type = TACIT_MLS_REMOVE, .removed = c->removes[i]};
	for (size_t i = 0; i < c->add_count; i++)
		TRY(add_of(c->adds[i], &list[n++]));
out:
	return err;
}

enum tmls_result tmls_group_commit(struct tmls_group *g, const struct tmls_changes *changes,
        struct tmls_bytes *commit, struct tmls_bytes *welcome)
{
	enum tacit_err err;
	const struct tmls_changes none = {0};
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_host host = tmls_host(g->client);
	const struct tmls_changes *c = changes != NULL ? changes : &none;
	struct tacit_mls_commit_options o = {
	        .proposal_count = c->add_count + c->remove_count + c->psk_count};
	struct tacit_mls_proposal *list = NULL;
	*commit = (struct tmls_bytes){0};
	if (welcome != NULL)
		*welcome = (struct tmls_bytes){0};
	TRY(welcome == NULL && c->add_count > 0 ? TACIT_E_USAGE : TACIT_OK);
	TRY(o.proposal_count > TACIT_MLS_LEAVES_MAX ? TACIT_E_LIMIT : TACIT_OK);
	list = tacit_calloc(o.proposal_count, sizeof(*list));
	TRY(list == NULL ? TACIT_E_NOMEM : TACIT_OK);
	o.proposals = list;
	TRY(list_changes(c, list));
	TRY(tacit_mls_group_commit(g->g, &host, &o, &r));
	*commit = tmls_give(&r.commit);
	if (welcome != NULL)
		*welcome = tmls_give(&r.welcome);
out:
	tacit_free(list);
	tacit_mls_commit_result_clear(&r);
	return tmls_result_of(err);
}

enum tmls_result tmls_group_accept(struct tmls_group *g)
{
	return tmls_result_of(tacit_mls_group_accept(g->g));
}

void tmls_group_drop(struct tmls_group *g)
{
	tacit_mls_group_drop(g->g);
}

enum tmls_result tmls_group_protect(
        struct tmls_group *g, struct tmls_view plain, struct tmls_bytes *out)
{
	struct tacit_buf b = {0};
	struct tacit_mls_host host = tmls_host(g->client);
	return answer(
	        tacit_mls_group_protect(g->g, &host, tacit_bytes(NULL, 0), tmls_in(plain), &b), &b,
	        out);
}

void tmls_event_clear(struct tmls_event *e)
{
	tmls_bytes_free(&e->sender_identity);
	tmls_bytes_free(&e->text);
	*e = (struct tmls_event){0};
}

static enum tmls_event_kind kind_of(const struct tacit_mls_event *ev)
{
	switch (ev->kind) {
	case TACIT_MLS_EVENT_APPLICATION:
		return TMLS_EVENT_MESSAGE;
	case TACIT_MLS_EVENT_PROPOSAL:
		return TMLS_EVENT_PROPOSAL;
	case TACIT_MLS_EVENT_COMMIT:
		return ev->removed ? TMLS_EVENT_REMOVED : TMLS_EVENT_COMMIT;
	default:
		return TMLS_EVENT_OWN;
	}
}

/* The group has moved on already, and nothing may fail: the name takes the place of its leaf. */
static void name_sender(struct tacit_mls_event *ev, struct tmls_event *event)
{
	struct tacit_mls_leaf_node leaf;
	bool member = ev->sender.type == TACIT_MLS_SENDER_MEMBER;
	event->sender = member ? ev->sender.index : UINT32_MAX;
	if (ev->sender_leaf.n == 0)
		return;
	enum tacit_err err = tacit_mls_leaf_node_decode(tacit_buf_view(&ev->sender_leaf), &leaf);
	TACIT_ASSERT(err == TACIT_OK); /* it comes out of the tree */
	struct tacit_bytes name = leaf.credential.identity;
	if (name.n > 0)
		memmove(ev->sender_leaf.p, name.p, name.n);
	ev->sender_leaf.n = name.n;
	event->sender_identity = tmls_give(&ev->sender_leaf);
}

enum tmls_result tmls_group_process(
        struct tmls_group *g, struct tmls_view message, struct tmls_event *event)
{
	struct tacit_mls_event ev;
	struct tacit_mls_host host = tmls_host(g->client);
	*event = (struct tmls_event){0};
	enum tacit_err err = tacit_mls_group_process(g->g, &host, tmls_in(message), &ev);
	if (err != TACIT_OK)
		return tmls_result_of(err);
	event->kind = kind_of(&ev);
	event->lost = ev.dropped_pending;
	if (ev.kind == TACIT_MLS_EVENT_APPLICATION)
		event->text = tmls_give(&ev.plain);
	name_sender(&ev, event);
	tacit_mls_event_clear(&ev);
	return TMLS_OK;
}

enum tmls_result tmls_group_save(const struct tmls_group *g, struct tmls_bytes *out)
{
	enum tacit_err err;
	struct tacit_buf state = {0};
	struct tacit_buf tree = {0};
	struct tacit_buf b = {0};
	struct tacit_writer w = tacit_writer(&b);
	TRY(tacit_mls_group_save(g->g, &state));
	TRY(tacit_mls_group_save_tree(g->g, &tree));
	tacit_mls_write_vec(&w, tacit_buf_view(&state));
	tacit_mls_write_vec(&w, tacit_buf_view(&tree));
	TRY(tacit_writer_finish(&w));
out:
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	return answer(err, &b, out);
}

enum tmls_result tmls_group_load(
        const struct tmls_client *c, struct tmls_view saved, struct tmls_group **out)
{
	enum tacit_err err;
	struct tacit_mls_group *g = NULL;
	struct tacit_reader r = tacit_reader(tmls_in(saved));
	struct tacit_bytes state = tacit_mls_read_vec(&r);
	struct tacit_bytes tree = tacit_mls_read_vec(&r);
	*out = NULL;
	TRY(tacit_reader_end(&r));
	TRY(tacit_mls_group_load(state, tree, &g));
	if (tacit_mls_group_suite(g) != c->suite) {
		tacit_mls_group_free(g);
		return TMLS_CONFLICT;
	}
	TRY(wrap(c, g, out));
out:
	return tmls_result_of(err);
}
