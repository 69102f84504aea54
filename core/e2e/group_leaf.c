/* group_leaf.c - which leaves and which proposals tacit lets into a group. */
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "e2e/group_int.h"

bool tacit_leaf_same(const struct tacit_leaf *a, const struct tacit_leaf *b)
{
	return memcmp(a->account.b, b->account.b, sizeof(a->account.b)) == 0 &&
	       memcmp(a->device.id.b, b->device.id.b, sizeof(a->device.id.b)) == 0 &&
	       memcmp(a->device.signature_key.b, b->device.signature_key.b,
	               sizeof(a->device.signature_key.b)) == 0;
}

enum tacit_err tacit_leaf_identity(const struct tacit_leaf *leaf, struct tacit_buf *out)
{
	enum tacit_err err;
	size_t before = out->n;
	TRY(tacit_buf_append(out, tacit_bytes(leaf->account.b, sizeof(leaf->account.b))));
	TRY(tacit_device_encode(&leaf->device, out));
out:
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

enum tacit_err tacit_leaf_parse(const struct tacit_mls_leaf_node *node, struct tacit_leaf *out)
{
	enum tacit_err err = TACIT_E_BAD_CERTIFICATE;
	struct tacit_bytes identity = node->credential.identity;
	*out = (struct tacit_leaf){0};
	if (node->credential.type != TACIT_MLS_CREDENTIAL_BASIC ||
	        identity.n != sizeof(out->account.b) + TACIT_DEVICE_BYTES)
		return err;
	memcpy(out->account.b, identity.p, sizeof(out->account.b));
	struct tacit_bytes device = tacit_bytes_part(identity, sizeof(out->account.b), SIZE_MAX);
	if (tacit_device_decode(device, &out->device) == TACIT_OK &&
	        tacit_bytes_eq(node->signature_key,
	                tacit_bytes(out->device.signature_key.b, TACIT_SIGN_PUBLIC_BYTES)))
		return TACIT_OK;
	*out = (struct tacit_leaf){0};
	return err;
}

enum tacit_err tacit_leaf_read(const struct tacit_mls_leaf_node *node, struct tacit_leaf *out)
{
	enum tacit_err err = tacit_leaf_parse(node, out);
	if (err == TACIT_OK)
		err = tacit_device_check(&out->device, &out->account);
	if (err != TACIT_OK)
		*out = (struct tacit_leaf){0};
	return err;
}

enum tacit_err tacit_leaf_decode(struct tacit_bytes encoded, struct tacit_leaf *out)
{
	struct tacit_mls_leaf_node node;
	enum tacit_err err = tacit_mls_leaf_node_decode(encoded, &node);
	*out = (struct tacit_leaf){0};
	return err == TACIT_OK ? tacit_leaf_parse(&node, out) : err;
}

static enum tacit_err check_pass(void *ctx, const struct tacit_mls_leaf_node *node)
{
	struct tacit_leaf leaf;
	(void)ctx;
	return tacit_leaf_read(node, &leaf);
}

static enum tacit_err check_strictly(void *ctx, const struct tacit_mls_leaf_node *node)
{
	const struct tacit_self *self = ctx;
	struct tacit_leaf leaf;
	enum tacit_err err = tacit_leaf_read(node, &leaf);
	if (err == TACIT_OK && !self->belongs(self->ctx, &leaf.account))
		err = TACIT_E_UNKNOWN_SENDER;
	return err;
}

/* What tacit does not use is not let in either: each kind is one more way to be deceived. */
static enum tacit_err check_proposal(void *ctx, const struct tacit_mls_group *g,
        const struct tacit_mls_sender *sender, const struct tacit_mls_proposal *p)
{
	(void)ctx, (void)g;
	bool member = sender->type == TACIT_MLS_SENDER_MEMBER;
	bool joining = sender->type == TACIT_MLS_SENDER_NEW_MEMBER_COMMIT;
	switch (p->type) {
	case TACIT_MLS_ADD:
		return member ? TACIT_OK : TACIT_E_REFUSED;
	case TACIT_MLS_REMOVE: /* a joiner's own old leaf: MLS allows no other (12.2) */
		return member || joining ? TACIT_OK : TACIT_E_REFUSED;
	case TACIT_MLS_UPDATE:
		return member ? TACIT_OK : TACIT_E_REFUSED;
	case TACIT_MLS_EXTERNAL_INIT:
		return joining ? TACIT_OK : TACIT_E_REFUSED;
	default:
		return TACIT_E_REFUSED;
	}
}

struct tacit_mls_host tacit_group_host(
        const struct tacit_self *self, enum tacit_strictness strictness)
{
	union {
		const struct tacit_self *in;
		void *out;
	} ctx = {.in = self};
	return (struct tacit_mls_host){
	        .env = self->env,
	        .signature_sk = self->signature_sk != NULL ? tacit_bytes(self->signature_sk->b,
	                                                             sizeof(self->signature_sk->b))
	                                                   : tacit_bytes(NULL, 0),
	        .check_credential = strictness == TACIT_STRICT ? check_strictly : check_pass,
	        .check_proposal = check_proposal,
	        .ctx = ctx.out,
	        .lifetime_max = (uint64_t)TACIT_KEY_PACKAGE_LONGEST_SECONDS,
	};
}

/* Ten epochs for messages that come late: members may come and go while one is under way, and each
 * of them begins an epoch or two. Sizes tell little. */
struct tacit_mls_settings tacit_group_settings(void)
{
	return (struct tacit_mls_settings){.past_epochs = 10, .resumptions = 1, .pad_to = 64};
}
