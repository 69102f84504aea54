/* Anything, to a live group: as it is, or as the content of a message that a member has signed and
 * sealed. What is refused leaves the group as it was. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "mls_people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct person ann, bob;
static struct tacit_buf state_a, tree_a, state_b, tree_b, whole_b;

static bool make_groups(void)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct person *others[] = {&bob, NULL};
	return tacit_crypto_init() == TACIT_OK && person_init(&ann, s, "ann") == TACIT_OK &&
	       person_init(&bob, s, "bob") == TACIT_OK &&
	       gather(&ann, others, "fuzzed") == TACIT_OK &&
	       tacit_mls_group_save(ann.group, &state_a) == TACIT_OK &&
	       tacit_mls_group_save_tree(ann.group, &tree_a) == TACIT_OK &&
	       tacit_mls_group_save(bob.group, &state_b) == TACIT_OK &&
	       tacit_mls_group_save_tree(bob.group, &tree_b) == TACIT_OK &&
	       person_save(&bob, &whole_b) == TACIT_OK;
}

static void load(struct person *p, const struct tacit_buf *state, const struct tacit_buf *tree)
{
	tacit_mls_group_free(p->group);
	if (tacit_mls_group_load(tacit_buf_view(state), tacit_buf_view(tree), &p->group) !=
	        TACIT_OK)
		abort();
}

/* What ann would send with this content; a commit gets a tag that is not right. */
static bool seal(uint8_t type, struct tacit_bytes content, struct tacit_buf *out)
{
	struct tacit_mls_authenticated a;
	struct tacit_scheme_signature signature;
	struct tacit_mls_group *g = ann.group;
	struct tacit_mls_outgoing o = {type, content, tacit_bytes(NULL, 0)};
	tacit_mls_outgoing_frame(g, &o, &a);
	if (tacit_mls_framing_sign(g->suite, &a, tacit_buf_view(&g->now->context),
	            ann.host.signature_sk, &signature) != TACIT_OK)
		return false;
	a.signature = tacit_bytes(signature.b, signature.n);
	a.confirmation_tag = tacit_bytes(g->now->tag, g->suite->hash_bytes);
	return tacit_mls_outgoing_seal(g, &ann.env, &a, out) == TACIT_OK;
}

static void process(struct tacit_bytes message)
{
	struct tacit_mls_event ev;
	struct tacit_buf after = {0};
	enum tacit_err err = person_process(&bob, message, &ev);
	if (person_save(&bob, &after) != TACIT_OK)
		abort();
	if (err != TACIT_OK && !tacit_bytes_eq(tacit_buf_view(&after), tacit_buf_view(&whole_b)))
		abort();
	tacit_mls_event_clear(&ev);
	tacit_buf_clear(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct tacit_buf message = {0};
	if (!ready && !make_groups())
		abort();
	ready = true;
	if (size == 0)
		return 0;
	struct tacit_bytes rest = tacit_bytes(data + 1, size - 1);
	load(&bob, &state_b, &tree_b);
	if (data[0] % 4 == 0) {
		process(rest);
		return 0;
	}
	load(&ann, &state_a, &tree_a);
	if (seal(data[0] % 4, rest, &message))
		process(tacit_buf_view(&message));
	tacit_buf_clear(&message);
	return 0;
}
