#include "e2e/mls/leaf_node.h"

#include "e2e/mls/limits.h"

enum { SUITES_MAX = 16 };

static struct tacit_mls_capabilities read_capabilities(struct tacit_reader *r)
{
	struct tacit_mls_capabilities c;
	c.versions = tacit_mls_read_types(r);
	c.suites = tacit_mls_read_types(r);
	c.extensions = tacit_mls_read_types(r);
	c.proposals = tacit_mls_read_types(r);
	c.credentials = tacit_mls_read_types(r);
	return c;
}

static void write_capabilities(struct tacit_writer *w, const struct tacit_mls_capabilities *c)
{
	tacit_mls_write_types(w, c->versions);
	tacit_mls_write_types(w, c->suites);
	tacit_mls_write_types(w, c->extensions);
	tacit_mls_write_types(w, c->proposals);
	tacit_mls_write_types(w, c->credentials);
}

static void read_source(struct tacit_reader *r, struct tacit_mls_leaf_node *out)
{
	uint8_t source = tacit_read_u8(r);
	switch (source) {
	case TACIT_MLS_LEAF_KEY_PACKAGE:
		out->lifetime.not_before = tacit_read_u64(r);
		out->lifetime.not_after = tacit_read_u64(r);
		break;
	case TACIT_MLS_LEAF_UPDATE:
		break;
	case TACIT_MLS_LEAF_COMMIT:
		out->parent_hash = tacit_mls_read_vec(r);
		break;
	default:
		tacit_reader_fail(r, TACIT_E_MALFORMED);
		return;
	}
	out->source = (enum tacit_mls_leaf_source)source;
}

void tacit_mls_read_leaf_node(struct tacit_reader *r, struct tacit_mls_leaf_node *out)
{
	struct tacit_bytes start = r->rest;
	*out = (struct tacit_mls_leaf_node){0};
	out->encryption_key = tacit_mls_read_vec(r);
	out->signature_key = tacit_mls_read_vec(r);
	out->credential = tacit_mls_read_credential(r);
	out->capabilities = read_capabilities(r);
	read_source(r, out);
	out->extensions = tacit_mls_read_extensions(r);
	size_t unsigned_n = start.n - r->rest.n;
	out->signature = tacit_mls_read_vec(r);
	size_t n = start.n - r->rest.n;
	if (r->err == TACIT_OK && n > TACIT_MLS_LEAF_NODE_MAX_BYTES)
		tacit_reader_fail(r, TACIT_E_TOO_LARGE);
	if (r->err != TACIT_OK) {
		*out = (struct tacit_mls_leaf_node){0};
		return;
	}
	out->encoded = tacit_bytes(start.p, n);
	out->unsigned_part = tacit_bytes(start.p, unsigned_n);
}

enum tacit_err tacit_mls_leaf_node_decode(
        struct tacit_bytes encoded, struct tacit_mls_leaf_node *out)
{
	struct tacit_reader r = tacit_reader(encoded);
	tacit_mls_read_leaf_node(&r, out);
	enum tacit_err err = tacit_reader_end(&r);
	if (err != TACIT_OK)
		*out = (struct tacit_mls_leaf_node){0};
	return err;
}

static void write_unsigned(struct tacit_writer *w, const struct tacit_mls_leaf_node *leaf)
{
	tacit_mls_write_vec(w, leaf->encryption_key);
	tacit_mls_write_vec(w, leaf->signature_key);
	tacit_mls_write_credential(w, &leaf->credential);
	write_capabilities(w, &leaf->capabilities);
	tacit_write_u8(w, (uint8_t)leaf->source);
	if (leaf->source == TACIT_MLS_LEAF_KEY_PACKAGE) {
		tacit_write_u64(w, leaf->lifetime.not_before);
		tacit_write_u64(w, leaf->lifetime.not_after);
	} else if (leaf->source == TACIT_MLS_LEAF_COMMIT) {
		tacit_mls_write_vec(w, leaf->parent_hash);
	}
	tacit_mls_write_extensions(w, leaf->extensions);
}

/* 7.2: what LeafNodeTBS has behind the fields of the leaf. */
static void write_place(struct tacit_writer *w, const struct tacit_mls_leaf_node *leaf,
        const struct tacit_mls_leaf_place *place)
{
	if (leaf->source == TACIT_MLS_LEAF_KEY_PACKAGE)
		return;
	if (place == NULL) {
		tacit_writer_fail(w, TACIT_E_USAGE);
		return;
	}
	tacit_mls_write_vec(w, place->group_id);
	tacit_write_u32(w, place->index);
}

enum tacit_err tacit_mls_leaf_node_sign(const struct tacit_mls_suite *s,
        const struct tacit_mls_leaf_node *leaf, const struct tacit_mls_leaf_place *place,
        struct tacit_bytes sk, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_buf tbs = {0};
	struct tacit_scheme_signature signature;
	struct tacit_writer w = tacit_writer(&tbs);
	write_unsigned(&w, leaf);
	size_t unsigned_n = tbs.n;
	write_place(&w, leaf, place);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_sign(s, sk, TACIT_STR("LeafNodeTBS"), tacit_buf_view(&tbs), &signature));
	w = tacit_writer(out);
	tacit_write_raw(&w, tacit_bytes(tbs.p, unsigned_n));
	tacit_mls_write_vec(&w, tacit_bytes(signature.b, signature.n));
	if (w.err == TACIT_OK && out->n - w.start > TACIT_MLS_LEAF_NODE_MAX_BYTES)
		tacit_writer_fail(&w, TACIT_E_TOO_LARGE);
	TRY(tacit_writer_finish(&w));
out:
	tacit_buf_clear(&tbs);
	return err;
}

enum tacit_err tacit_mls_leaf_node_verify(const struct tacit_mls_suite *s,
        const struct tacit_mls_leaf_node *leaf, const struct tacit_mls_leaf_place *place)
{
	enum tacit_err err;
	struct tacit_buf tbs = {0};
	struct tacit_writer w = tacit_writer(&tbs);
	tacit_write_raw(&w, leaf->unsigned_part);
	write_place(&w, leaf, place);
	TRY(tacit_writer_finish(&w));
	TRY(tacit_mls_verify(s, leaf->signature_key, TACIT_STR("LeafNodeTBS"), tacit_buf_view(&tbs),
	        leaf->signature));
out:
	tacit_buf_clear(&tbs);
	return err;
}

static enum tacit_err check_lifetime(
        const struct tacit_mls_leaf_node *leaf, const struct tacit_mls_leaf_rules *rules)
{
	struct tacit_mls_lifetime l = leaf->lifetime;
	if (leaf->source != TACIT_MLS_LEAF_KEY_PACKAGE)
		return TACIT_OK;
	if (l.not_before > l.not_after)
		return TACIT_E_MALFORMED;
	if (rules->lifetime_max != 0 && l.not_after - l.not_before > rules->lifetime_max)
		return TACIT_E_UNSUPPORTED;
	if (rules->now != 0 && (rules->now < l.not_before || rules->now > l.not_after))
		return TACIT_E_GONE;
	return TACIT_OK;
}

/* The leaf's capabilities against what it has itself. That they list the group's suite is not among
 * what 7.3 asks, and official vectors have leaves that do not; a KeyPackage names its suite. */
static bool is_consistent(const struct tacit_mls_leaf_node *leaf)
{
	const struct tacit_mls_capabilities *c = &leaf->capabilities;
	if (!tacit_mls_types_contain(c->versions, TACIT_MLS_VERSION_10) ||
	        !tacit_mls_types_contain(c->credentials, leaf->credential.type))
		return false;
	struct tacit_reader it = tacit_reader(leaf->extensions.encoded);
	struct tacit_mls_extension e;
	while (tacit_mls_extension_next(&it, &e)) {
		if (!tacit_mls_extension_is_default(e.type) &&
		        !tacit_mls_types_contain(c->extensions, e.type))
			return false;
	}
	return true;
}

static bool all_supported(struct tacit_mls_types required, struct tacit_mls_types supported,
        bool (*is_default)(uint16_t type))
{
	for (size_t i = 0; i < tacit_mls_types_count(required); i++) {
		uint16_t type = tacit_mls_types_at(required, i);
		if (is_default != NULL && is_default(type))
			continue;
		if (!tacit_mls_types_contain(supported, type))
			return false;
	}
	return true;
}

enum tacit_err tacit_mls_leaf_node_supports(
        const struct tacit_mls_leaf_node *leaf, struct tacit_mls_extensions group_extensions)
{
	const struct tacit_mls_capabilities *c = &leaf->capabilities;
	struct tacit_reader it = tacit_reader(group_extensions.encoded);
	struct tacit_mls_extension e;
	while (tacit_mls_extension_next(&it, &e)) {
		if (!tacit_mls_extension_is_default(e.type) &&
		        !tacit_mls_types_contain(c->extensions, e.type))
			return TACIT_E_UNSUPPORTED;
		if (e.type != TACIT_MLS_EXT_REQUIRED_CAPABILITIES)
			continue;
		struct tacit_mls_required_capabilities rc;
		enum tacit_err err = tacit_mls_required_capabilities_decode(e.data, &rc);
		if (err != TACIT_OK)
			return err;
		if (!all_supported(rc.extensions, c->extensions, tacit_mls_extension_is_default) ||
		        !all_supported(rc.proposals, c->proposals, tacit_mls_proposal_is_default) ||
		        !all_supported(rc.credentials, c->credentials, NULL))
			return TACIT_E_UNSUPPORTED;
	}
	return it.err;
}

enum tacit_err tacit_mls_leaf_node_check(const struct tacit_mls_leaf_node *leaf,
        enum tacit_mls_leaf_source source, const struct tacit_mls_leaf_rules *rules)
{
	enum tacit_err err = TACIT_OK;
	if (source != 0 && leaf->source != source)
		return TACIT_E_MALFORMED;
	if (leaf->signature_key.n != rules->suite->signature_public_bytes)
		return TACIT_E_MALFORMED;
	TRY(tacit_mls_kem_check_public(rules->suite, leaf->encryption_key));
	if (!is_consistent(leaf))
		return TACIT_E_UNSUPPORTED;
	TRY(tacit_mls_leaf_node_supports(leaf, rules->group_extensions));
	TRY(check_lifetime(leaf, rules));
	if (rules->check_credential != NULL)
		TRY(rules->check_credential(rules->ctx, leaf));
out:
	return err;
}

static void write_type_list(
        struct tacit_writer *w, const uint16_t *types, size_t count, const struct tacit_env *grease)
{
	size_t begin = tacit_mls_vec_begin(w);
	for (size_t i = 0; i < count; i++)
		tacit_write_u16(w, types[i]);
	if (grease != NULL) {
		uint8_t random;
		tacit_env_random(grease, &random, 1);
		uint16_t high = random % 15; /* 0x0a0a to 0xeaea */
		tacit_write_u16(w, (uint16_t)(0x0a0a | high << 12 | high << 4));
	}
	tacit_mls_vec_end(w, begin);
}

enum tacit_err tacit_mls_capabilities_make(const struct tacit_mls_support *ours,
        const struct tacit_env *env, struct tacit_buf *store, struct tacit_mls_capabilities *out)
{
	static const uint16_t version = TACIT_MLS_VERSION_10;
	static const uint16_t credentials[] = {
	        TACIT_MLS_CREDENTIAL_BASIC, TACIT_MLS_CREDENTIAL_X509};
	static const struct tacit_mls_support nothing = {0};
	if (ours == NULL)
		ours = &nothing;
	size_t suite_count;
	const struct tacit_mls_suite *suites = tacit_mls_suites(&suite_count);
	uint16_t suite_ids[SUITES_MAX];
	TACIT_ASSERT(suite_count <= SUITES_MAX);
	for (size_t i = 0; i < suite_count; i++)
		suite_ids[i] = suites[i].id;

	*out = (struct tacit_mls_capabilities){0};
	tacit_buf_clear(store);
	struct tacit_writer w = tacit_writer(store);
	write_type_list(&w, &version, 1, NULL); /* 13.5 has no GREASE among versions */
	write_type_list(&w, suite_ids, suite_count, env);
	write_type_list(&w, ours->extensions, ours->extension_count, env);
	write_type_list(&w, ours->proposals, ours->proposal_count, env);
	write_type_list(&w, credentials, TACIT_COUNT(credentials), env);
	enum tacit_err err = tacit_writer_finish(&w);
	if (err != TACIT_OK)
		return err;
	struct tacit_reader r = tacit_reader(tacit_buf_view(store));
	*out = read_capabilities(&r);
	return tacit_reader_end(&r);
}
