/* What a group refuses, and that a refusal, or a lack of memory, changes nothing. */
#include <string.h>

#include "base/alloc.h"
#include "crypto/secret.h"
#include "e2e/mls/group_int.h"
#include "e2e/mls/message.h"
#include "e2e/mls/secret_tree_int.h"
#include "mls_people.h"

static struct person a, b, c;

static bool two(void)
{
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct person *others[] = {&b, NULL};
	return CHECK_OK(person_init(&a, s, "ann")) && CHECK_OK(person_init(&b, s, "bob")) &&
	       CHECK_OK(person_init(&c, s, "cat")) && CHECK_OK(gather(&a, others, "two"));
}

static void two_end(void)
{
	person_clear(&a);
	person_clear(&b);
	person_clear(&c);
}

/* Each byte changed in turn (every step-th of long ones): refused, and b as it was. */
static void refuse_changed(const struct tacit_buf *message)
{
	struct tacit_mls_event ev;
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	size_t step = message->n / 97 + 1;
	CHECK_OK(person_save(&b, &before));
	for (size_t i = 0; i < message->n; i += step) {
		message->p[i] ^= 0x20;
		enum tacit_err err = person_process(&b, tacit_buf_view(message), &ev);
		message->p[i] ^= 0x20;
		tap_check(err != TACIT_OK, "a changed byte is found", __FILE__, (int)i);
		tacit_mls_event_clear(&ev);
	}
	for (size_t n = 0; n < message->n; n += step)
		CHECK(person_process(&b, tacit_bytes(message->p, n), &ev) != TACIT_OK);
	CHECK_OK(person_save(&b, &after));
	CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	CHECK_OK(person_process(&b, tacit_buf_view(message), &ev));
	tacit_mls_event_clear(&ev);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
}

static void changed_messages_are_refused(void)
{
	struct tacit_buf m = {0};
	struct tacit_mls_commit_result r = {0};
	if (two()) {
		struct tacit_mls_proposal add = add_of(&c);
		CHECK_OK(tacit_mls_group_protect(
		        a.group, &a.host, TACIT_STR("aad"), TACIT_STR("hello"), &m));
		refuse_changed(&m);
		tacit_buf_clear(&m);
		CHECK_OK(tacit_mls_group_propose(a.group, &a.host, &add, TACIT_STR(""), &m));
		refuse_changed(&m);
		CHECK_OK(person_commit(&a, NULL, 0, &r));
		refuse_changed(&r.commit);
	}
	tacit_buf_clear(&m);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

static void changed_public_messages_are_refused(void)
{
	struct tacit_mls_commit_result r = {0};
	struct tacit_buf m = {0};
	if (two()) {
		/* A group whose handshakes of a are public. */
		struct tacit_mls_create_options o = person_create_options(&a, "public");
		o.settings.public_handshakes = true;
		tacit_mls_group_free(a.group);
		a.group = NULL;
		struct tacit_mls_proposal add = add_of(&b);
		CHECK_OK(tacit_mls_group_create(&o, &a.host, &a.group));
		CHECK_OK(person_commit(&a, &add, 1, &r));
		CHECK_OK(tacit_mls_group_accept(a.group));
		CHECK_OK(person_join(&b, tacit_buf_view(&r.welcome)));
		tacit_mls_commit_result_clear(&r);
		CHECK_OK(tacit_mls_group_propose_update(a.group, &a.host, NULL, TACIT_STR(""), &m));
		refuse_changed(&m);
		tacit_mls_group_clear_proposals(a.group);
		tacit_mls_group_clear_proposals(b.group);
		CHECK_OK(person_commit(&a, NULL, 0, &r));
		refuse_changed(&r.commit);
	}
	tacit_buf_clear(&m);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

static void changed_welcomes_are_refused(void)
{
	struct tacit_mls_commit_result r = {0};
	if (two()) {
		struct tacit_mls_proposal add = add_of(&c);
		CHECK_OK(person_commit(&a, &add, 1, &r));
		for (size_t i = 0; i < r.welcome.n; i += 3) {
			r.welcome.p[i] ^= 1;
			CHECK(person_join(&c, tacit_buf_view(&r.welcome)) != TACIT_OK);
			CHECK(c.group == NULL);
			r.welcome.p[i] ^= 1;
		}
		CHECK_ERR(tacit_mls_welcome_is_for(
		                  tacit_buf_view(&r.welcome), tacit_buf_view(&b.key_package)),
		        TACIT_E_WRONG_RECIPIENT);
		CHECK_OK(tacit_mls_welcome_is_for(
		        tacit_buf_view(&r.welcome), tacit_buf_view(&c.key_package)));
		c.distrusts = "bob";
		CHECK_ERR(person_join(&c, tacit_buf_view(&r.welcome)), TACIT_E_BAD_CERTIFICATE);
		c.distrusts = NULL;
		CHECK_OK(person_join(&c, tacit_buf_view(&r.welcome)));
	}
	tacit_mls_commit_result_clear(&r);
	two_end();
}

static void refuse(const struct tacit_mls_proposal *p, size_t n, enum tacit_err want)
{
	struct tacit_mls_commit_result r;
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	CHECK_OK(person_save(&a, &before));
	CHECK_ERR(person_commit(&a, p, n, &r), want);
	CHECK(r.commit.n == 0 && r.welcome.n == 0 && !tacit_mls_group_has_pending(a.group));
	CHECK_OK(person_save(&a, &after));
	CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
}

static void invalid_lists_are_refused(void)
{
	static const uint8_t required[] = {0, 2, 0x0f, 0x0f, 0};
	uint8_t list[4 + sizeof(required)] = {0, 3, sizeof(required)};
	memcpy(list + 3, required, sizeof(required));
	if (two()) {
		struct tacit_mls_proposal p[2] = {remove_of(0)};
		refuse(p, 1, TACIT_E_MALFORMED); /* oneself */
		p[0] = remove_of(7);
		refuse(p, 1, TACIT_E_NOT_FOUND);
		p[0] = p[1] = remove_of(1);
		refuse(p, 2, TACIT_E_MALFORMED);
		p[0] = add_of(&b); /* who is there already */
		refuse(p, 1, TACIT_E_EXISTS);
		p[0] = p[1] = add_of(&c);
		refuse(p, 2, TACIT_E_EXISTS);
		p[0] = (struct tacit_mls_proposal){.type = TACIT_MLS_REINIT,
		        .reinit = {.group_id = TACIT_STR("x"), .version = 1, .suite = 1}};
		refuse(p, 2, TACIT_E_MALFORMED); /* not alone */
		p[0].type = TACIT_MLS_UPDATE;
		refuse(p, 1, TACIT_E_USAGE);
		p[0] = psk_of("unknown");
		refuse(p, 1, TACIT_E_NOT_FOUND);
		/* A proposal type that nobody supports is required. */
		p[0] = (struct tacit_mls_proposal){.type = TACIT_MLS_CONTEXT_EXTENSIONS,
		        .extensions = {tacit_bytes(list, 3 + sizeof(required))}};
		refuse(p, 1, TACIT_E_UNSUPPORTED);
		CHECK_OK(person_renew_until(&c, PEOPLE_NOW - 1));
		p[0] = add_of(&c);
		refuse(p, 1, TACIT_E_GONE);
		CHECK_OK(person_renew(&c));
		p[0] = add_of(&c);
		a.forbids_adds = true;
		refuse(p, 1, TACIT_E_REFUSED);
		a.forbids_adds = false;
		a.distrusts = "cat";
		refuse(p, 1, TACIT_E_BAD_CERTIFICATE);
	}
	two_end();
}

/* What others may not have committed. */
static void receivers_judge_themselves(void)
{
	struct tacit_mls_event ev;
	struct tacit_mls_commit_result r = {0};
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	if (two()) {
		struct tacit_mls_proposal add = add_of(&c);
		CHECK_OK(person_commit(&a, &add, 1, &r));
		CHECK_OK(person_save(&b, &before));
		b.distrusts = "cat";
		CHECK_ERR(person_process(&b, tacit_buf_view(&r.commit), &ev),
		        TACIT_E_BAD_CERTIFICATE);
		b.distrusts = NULL;
		b.forbids_adds = true;
		CHECK_ERR(person_process(&b, tacit_buf_view(&r.commit), &ev), TACIT_E_REFUSED);
		b.forbids_adds = false;
		CHECK_OK(person_save(&b, &after));
		CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before));
		CHECK_OK(person_process(&b, tacit_buf_view(&r.commit), &ev));
		CHECK_INT(ev.change_count, 2);
		tacit_mls_event_clear(&ev);
	}
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

/* What waits and does not fit together is left out, and the rest is committed (12.2). */
static void what_waits_is_sorted_out(void)
{
	struct tacit_mls_event ev;
	struct tacit_mls_commit_result r = {0};
	struct tacit_buf m = {0};
	if (two()) {
		struct tacit_mls_proposal p[] = {add_of(&c), add_of(&c), remove_of(1)};
		for (size_t i = 0; i < TACIT_COUNT(p); i++) {
			tacit_buf_clear(&m);
			CHECK_OK(tacit_mls_group_propose(
			        a.group, &a.host, &p[i], tacit_bytes(&"123"[i], 1), &m));
			CHECK_OK(person_process(&b, tacit_buf_view(&m), &ev));
			tacit_mls_event_clear(&ev);
		}
		tacit_buf_clear(&m); /* word for word the same */
		CHECK_ERR(tacit_mls_group_propose(a.group, &a.host, &p[0], tacit_bytes("1", 1), &m),
		        TACIT_E_EXISTS);
		/* b cannot remove itself, and cat comes once. */
		CHECK_OK(person_commit(&b, NULL, 0, &r));
		CHECK_INT(r.left_out, 2);
		CHECK_INT(r.added, 1);
		CHECK_OK(person_process(&a, tacit_buf_view(&r.commit), &ev));
		tacit_mls_event_clear(&ev);
		CHECK_OK(tacit_mls_group_accept(b.group));
		struct person *both[] = {&a, &b, NULL};
		CHECK(all_agree(both));
	}
	tacit_buf_clear(&m);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

/* b proposes a leaf with the encryption key of a: good in itself, and never in one tree with a. */
static bool propose_stolen_key(struct tacit_buf *out)
{
	bool ok;
	struct tacit_buf encoded = {0};
	struct tacit_mls_leaf_node leaf, victim;
	struct tacit_mls_authenticated m;
	struct tacit_scheme_signature signature;
	struct tacit_mls_leaf_place place = {TACIT_STR("two"), 1};
	struct tacit_writer w = tacit_writer(&encoded);
	ok = tacit_mls_group_member(b.group, 0, &victim) &&
	     CHECK_OK(tacit_mls_own_leaf(b.group, NULL, &leaf));
	leaf.encryption_key = victim.encryption_key;
	leaf.source = TACIT_MLS_LEAF_UPDATE;
	tacit_write_u16(&w, TACIT_MLS_UPDATE);
	ok = ok && CHECK_OK(tacit_writer_finish(&w)) &&
	     CHECK_OK(tacit_mls_leaf_node_sign(
	             b.suite, &leaf, &place, b.host.signature_sk, &encoded));
	struct tacit_mls_outgoing o = {
	        TACIT_MLS_CONTENT_PROPOSAL, tacit_buf_view(&encoded), tacit_bytes(NULL, 0)};
	tacit_mls_outgoing_frame(b.group, &o, &m);
	ok = ok &&
	     CHECK_OK(tacit_mls_framing_sign(b.suite, &m, tacit_buf_view(&b.group->now->context),
	             b.host.signature_sk, &signature));
	m.signature = tacit_bytes(signature.b, signature.n);
	ok = ok && CHECK_OK(tacit_mls_outgoing_seal(b.group, &b.env, &m, out));
	tacit_buf_clear(&encoded);
	return ok;
}

static void a_proposal_stops_nobody(void)
{
	struct tacit_mls_event ev;
	struct tacit_mls_commit_result r = {0};
	struct tacit_buf m = {0};
	if (two() && propose_stolen_key(&m)) {
		struct tacit_mls_proposal add = add_of(&c);
		CHECK_OK(person_process(&a, tacit_buf_view(&m), &ev));
		tacit_mls_event_clear(&ev);
		CHECK_OK(person_commit(&a, &add, 1, &r));
		CHECK_INT(r.left_out, 1);
		CHECK_INT(r.added, 1);
		CHECK_OK(tacit_mls_group_accept(a.group));
		CHECK_OK(person_process(&b, tacit_buf_view(&r.commit), &ev));
		tacit_mls_event_clear(&ev);
		CHECK_OK(person_join(&c, tacit_buf_view(&r.welcome)));
		struct person *all[] = {&a, &b, &c, NULL};
		CHECK(all_agree(all));
	}
	tacit_buf_clear(&m);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

/* --- Memory --- */

struct countdown {
	long left;
};

static int fails_now(void *ctx)
{
	struct countdown *x = ctx;
	return x->left-- == 0;
}

/* Every allocation of act fails in turn: each time it says so, and p is as it was. */
static void starve(struct person *p, enum tacit_err (*act)(void))
{
	struct tacit_buf before = {0};
	struct tacit_buf after = {0};
	CHECK_OK(person_save(p, &before));
	for (long n = 0; n < 3000; n++) {
		struct countdown x = {n};
		tacit_alloc_set_fault(fails_now, &x);
		enum tacit_err err = act();
		tacit_alloc_set_fault(NULL, NULL);
		if (x.left >= 0) {
			CHECK_OK(err);
			tacit_buf_clear(&before);
			tacit_buf_clear(&after);
			return;
		}
		if (err == TACIT_OK) /* what failed was not needed */
			break;
		CHECK_ERR(err, TACIT_E_NOMEM);
		tacit_buf_clear(&after);
		CHECK_OK(person_save(p, &after));
		if (!CHECK_BYTES(tacit_buf_view(&after), tacit_buf_view(&before)))
			break;
	}
	tap_check(false, "it ends without a failure", __FILE__, __LINE__);
	tacit_buf_clear(&before);
	tacit_buf_clear(&after);
}

static struct tacit_buf starving_message;
static struct tacit_mls_commit_result starving_result;

static enum tacit_err act_process(void)
{
	struct tacit_mls_event ev;
	enum tacit_err err = person_process(&b, tacit_buf_view(&starving_message), &ev);
	tacit_mls_event_clear(&ev);
	return err;
}

static enum tacit_err act_commit(void)
{
	struct tacit_mls_proposal add = add_of(&c);
	tacit_mls_commit_result_clear(&starving_result);
	return person_commit(&a, &add, 1, &starving_result);
}

static enum tacit_err act_accept(void)
{
	return tacit_mls_group_accept(a.group);
}

static enum tacit_err act_protect(void)
{
	tacit_buf_clear(&starving_message);
	return tacit_mls_group_protect(
	        a.group, &a.host, TACIT_STR(""), TACIT_STR("hungry"), &starving_message);
}

static enum tacit_err act_propose(void)
{
	tacit_buf_clear(&starving_message);
	return tacit_mls_group_propose_update(
	        a.group, &a.host, NULL, TACIT_STR(""), &starving_message);
}

static void no_memory_changes_nothing(void)
{
	if (two()) {
		starve(&a, act_protect);
		starve(&b, act_process);
		starve(&a, act_propose);
		starve(&b, act_process);
		tacit_mls_group_clear_proposals(a.group);
		tacit_mls_group_clear_proposals(b.group);
		starve(&a, act_commit);
		tacit_buf_clear(&starving_message);
		CHECK_OK(tacit_buf_append(
		        &starving_message, tacit_buf_view(&starving_result.commit)));
		starve(&b, act_process);
		starve(&a, act_accept);
		CHECK_OK(person_join(&c, tacit_buf_view(&starving_result.welcome)));
		struct person *all[] = {&a, &b, &c, NULL};
		CHECK(all_agree(all));
	}
	tacit_buf_clear(&starving_message);
	tacit_mls_commit_result_clear(&starving_result);
	two_end();
}

/* A whole life, with any one allocation failing. */
static enum tacit_err short_life(void)
{
	enum tacit_err err;
	struct person x = {0};
	struct person y = {0};
	struct tacit_buf state = {0};
	struct tacit_buf tree = {0};
	struct tacit_buf info = {0};
	struct tacit_mls_group *again = NULL;
	struct tacit_mls_commit_result r = {0};
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct person *others[] = {&y, NULL};
	TRY(person_init(&x, s, "x"));
	TRY(person_init(&y, s, "y"));
	TRY(gather(&x, others, "short"));
	TRY(person_commit(&y, NULL, 0, &r));
	TRY(tacit_mls_group_save(y.group, &state));
	TRY(tacit_mls_group_save_tree(y.group, &tree));
	TRY(tacit_mls_group_load(tacit_buf_view(&state), tacit_buf_view(&tree), &again));
	TRY(tacit_mls_group_accept(again));
	TRY(tacit_mls_group_info(again, &y.host, 3, &info));
	TRY(person_renew(&x));
	tacit_mls_group_free(x.group);
	tacit_buf_clear(&state);
	x.group = NULL;
	uint32_t old = 0;
	struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(&info),
	        .key_package = tacit_buf_view(&x.key_package),
	        .removes = &old};
	TRY(tacit_mls_group_external_join(&o, &x.host, &state, &x.group));
out:
	tacit_mls_group_free(again);
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	tacit_buf_clear(&info);
	person_clear(&x);
	person_clear(&y);
	return err;
}

static void any_allocation_may_fail(void)
{
	tap_alloc_sweep(short_life);
}

static void damaged_states_are_refused(void)
{
	struct tacit_buf state = {0};
	struct tacit_buf tree = {0};
	struct tacit_mls_group *g = NULL;
	struct tacit_mls_commit_result r = {0};
	if (two()) {
		CHECK_OK(tacit_mls_group_save_tree(a.group, &tree));
		CHECK_OK(tacit_mls_group_save(b.group, &state));
		for (size_t n = 0; n < state.n; n += 7) {
			CHECK(tacit_mls_group_load(tacit_bytes(state.p, n), tacit_buf_view(&tree),
			              &g) != TACIT_OK);
			CHECK(g == NULL);
		}
		state.p[0]++;
		CHECK_ERR(tacit_mls_group_load(tacit_buf_view(&state), tacit_buf_view(&tree), &g),
		        TACIT_E_UNSUPPORTED);
		state.p[0]--;
		CHECK_OK(person_commit(&a, NULL, 0, &r));
		CHECK_OK(tacit_mls_group_accept(a.group));
		tacit_buf_clear(&tree);
		CHECK_OK(tacit_mls_group_save_tree(a.group, &tree));
		CHECK_ERR(tacit_mls_group_load(tacit_buf_view(&state), tacit_buf_view(&tree), &g),
		        TACIT_E_CONFLICT);
	}
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	two_end();
}

/* --- The secret tree --- */

static enum tacit_err use(struct tacit_mls_secret_tree *t, uint32_t leaf, uint32_t generation)
{
	struct tacit_mls_message_key key;
	enum tacit_err err = tacit_mls_secret_tree_find(
	        t, (struct tacit_mls_key_place){leaf, TACIT_MLS_APPLICATION, generation}, &key);
	if (err == TACIT_OK)
		tacit_mls_secret_tree_accept(t, &key);
	return err;
}

static void the_secret_tree_has_limits(void)
{
	static const uint8_t secret[TACIT_MLS_HASH_MAX_BYTES] = {1};
	const struct tacit_mls_suite *s = tacit_mls_suite_find(1);
	struct tacit_mls_secret_tree *t = NULL;
	struct tacit_mls_secret_tree *again = NULL;
	struct tacit_buf stored = {0};
	CHECK_ERR(tacit_mls_secret_tree_new(s, secret, 0, &t), TACIT_E_LIMIT);
	CHECK_ERR(
	        tacit_mls_secret_tree_new(s, secret, TACIT_MLS_LEAVES_MAX + 1, &t), TACIT_E_LIMIT);
	CHECK_OK(tacit_mls_secret_tree_new(s, secret, 5, &t));
	CHECK_ERR(use(t, 8, 0), TACIT_E_NOT_FOUND);
	CHECK_ERR(use(t, 7, TACIT_MLS_FORWARD_MAX + 1), TACIT_E_LIMIT);
	CHECK_OK(use(t, 7, 2000));
	CHECK_ERR(use(t, 7, 2000), TACIT_E_REPLAY);
	CHECK_ERR(use(t, 7, 2000 - TACIT_MLS_SKIPPED_MAX - 1), TACIT_E_GONE);
	CHECK_OK(use(t, 7, 2000 - TACIT_MLS_SKIPPED_MAX));
	CHECK_ERR(use(t, 7, 2000 - TACIT_MLS_SKIPPED_MAX), TACIT_E_REPLAY);
	CHECK_OK(use(t, 7, 2010)); /* nine more are passed over, and the oldest go */
	CHECK_ERR(use(t, 7, 2000 - TACIT_MLS_SKIPPED_MAX + 1), TACIT_E_GONE);
	CHECK_OK(use(t, 7, 2005));
	CHECK_OK(use(t, 0, 0));
	struct tacit_writer w = tacit_writer(&stored);
	tacit_mls_secret_tree_write(&w, t);
	CHECK_OK(tacit_writer_finish(&w));
	struct tacit_reader r = tacit_reader(tacit_buf_view(&stored));
	again = tacit_mls_secret_tree_read(&r, s);
	CHECK_OK(tacit_reader_end(&r));
	REQUIRE(again != NULL);
	CHECK_ERR(use(again, 7, 2005), TACIT_E_REPLAY);
	CHECK_OK(use(again, 7, 2004));
	CHECK_OK(use(again, 3, 1));
	CHECK_OK(use(again, 3, 0));
	tacit_mls_secret_tree_free(t);
	tacit_mls_secret_tree_free(again);
	tacit_buf_clear(&stored);
}

/* 15.2: what is sent with the keys of one epoch is bounded, and a commit still possible. */
static void an_epoch_seals_so_much(void)
{
	struct tacit_mls_event ev;
	struct tacit_buf m = {0};
	struct tacit_mls_commit_result r = {0};
	struct tacit_bytes none = TACIT_STR(""), text = TACIT_STR("x");
	if (two()) {
		CHECK_OK(tacit_mls_group_protect(a.group, &a.host, none, text, &m));
		struct tacit_mls_secret_tree *t = a.group->now->messages;
		REQUIRE(CHECK_INT(t->ratchet_count, 1));
		struct chain *chain = &t->ratchets[0]->chains[TACIT_MLS_APPLICATION];
		chain->next = TACIT_MLS_SENT_MAX - 1;
		CHECK_OK(tacit_mls_group_protect(a.group, &a.host, none, text, &m));
		size_t before = m.n;
		CHECK_ERR(tacit_mls_group_protect(a.group, &a.host, none, text, &m),
		        TACIT_E_EXHAUSTED);
		CHECK_INT(m.n, before);
		CHECK_OK(person_commit(&a, NULL, 0, &r));
		CHECK_OK(tacit_mls_group_accept(a.group));
		CHECK_OK(person_process(&b, tacit_buf_view(&r.commit), &ev));
		tacit_mls_event_clear(&ev);
		struct person *both[] = {&a, &b, NULL};
		CHECK(all_read(&a, both));
		/* Larger than anybody reads, by what is said or by its padding. */
		a.group->settings.pad_to = TACIT_MLS_MESSAGE_MAX_BYTES;
		m.n = 0;
		CHECK_ERR(tacit_mls_group_protect(a.group, &a.host, none, text, &m),
		        TACIT_E_TOO_LARGE);
		a.group->settings.pad_to = 0;
		struct tacit_bytes long_text = tacit_bytes(text.p, TACIT_MLS_MESSAGE_MAX_BYTES + 1);
		CHECK_ERR(tacit_mls_group_protect(a.group, &a.host, none, long_text, &m),
		        TACIT_E_TOO_LARGE);
		CHECK_INT(m.n, 0);
		CHECK(all_read(&a, both));
	}
	tacit_buf_clear(&m);
	tacit_mls_commit_result_clear(&r);
	two_end();
}

static const struct tap_case cases[] = {
        {"changed messages are refused", changed_messages_are_refused},
        {"changed public messages are refused", changed_public_messages_are_refused},
        {"changed Welcomes are refused", changed_welcomes_are_refused},
        {"invalid lists of proposals are refused", invalid_lists_are_refused},
        {"receivers judge themselves", receivers_judge_themselves},
        {"what waits is sorted out", what_waits_is_sorted_out},
        {"a proposal stops nobody", a_proposal_stops_nobody},
        {"no memory changes nothing", no_memory_changes_nothing},
        {"any allocation may fail", any_allocation_may_fail},
        {"damaged states are refused", damaged_states_are_refused},
        {"the secret tree has limits", the_secret_tree_has_limits},
        {"an epoch seals so much and no more", an_epoch_seals_so_much},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
