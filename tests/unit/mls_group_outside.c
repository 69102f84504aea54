/* What groups take from elsewhere: secrets, the group before them, proposals of those outside. */
#include "crypto/secret.h"
#include "e2e/mls/message.h"
#include "mls_cast.h"

/* RFC 9420 12.2 forbids the same PreSharedKeyID twice, and its nonce is a part of it (8.4). */
static void a_psk_may_come_twice(void)
{
	struct tacit_mls_psk_id x = {.type = TACIT_MLS_PSK_EXTERNAL,
	        .id = TACIT_STR("the word"),
	        .nonce = TACIT_STR("nonce")};
	struct tacit_mls_psk_id y = x;
	CHECK(tacit_mls_psk_id_same(&x, &y));
	y.nonce = TACIT_STR("Nonce");
	CHECK(!tacit_mls_psk_id_same(&x, &y));
	struct cast c;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_proposal twice[2] = {psk_of("the word"), psk_of("the word")};
	if (three(&c, 1)) {
		for (int i = A; i <= C; i++)
			c.p[i].has_psk = true;
		CHECK_OK(person_commit(&c.p[A], twice, 2, &r)); /* with a nonce for each */
		CHECK(spread(&c, &c.p[A], tacit_buf_view(&r.commit)));
		CHECK(all_read(&c.p[C], c.all));
	}
	tacit_mls_commit_result_clear(&r);
	cast_clear(&c);
}

static void psks_are_injected(void)
{
	struct cast c;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_event ev;
	struct tacit_mls_proposal both[2] = {psk_of("the word")};
	if (three(&c, 1)) {
		c.p[A].has_psk = c.p[B].has_psk = true;
		both[1] = (struct tacit_mls_proposal){.type = TACIT_MLS_PSK,
		        .psk = {.type = TACIT_MLS_PSK_RESUMPTION,
		                .usage = TACIT_MLS_PSK_APPLICATION,
		                .id = TACIT_STR("three"),
		                .epoch = 1}};
		CHECK_ERR(person_commit(&c.p[C], both, 2, &r), TACIT_E_NOT_FOUND);
		CHECK_OK(person_commit(&c.p[A], both, 2, &r));
		CHECK_ERR(
		        person_process(&c.p[C], tacit_buf_view(&r.commit), &ev), TACIT_E_NOT_FOUND);
		c.p[C].has_psk = true;
		CHECK(spread(&c, &c.p[A], tacit_buf_view(&r.commit)));
		CHECK(all_read(&c.p[C], c.all));
		/* One that is for beginnings only. */
		tacit_mls_commit_result_clear(&r);
		both[1].psk.usage = TACIT_MLS_PSK_BRANCH;
		CHECK_ERR(person_commit(&c.p[A], both, 2, &r), TACIT_E_MALFORMED);
	}
	tacit_mls_commit_result_clear(&r);
	cast_clear(&c);
}

/* 11.2, 11.3: a group like any other, for somebody who waits for the successor of old. */
static bool without_proof(struct cast *c, const struct tacit_mls_group *old)
{
	struct person *d = &c->p[D];
	struct person *b = &c->p[B];
	struct tacit_mls_group *g = NULL;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_proposal add = add_of(b);
	bool ok = CHECK_OK(person_renew(d)) && CHECK_OK(person_create(d, "new")) &&
	          CHECK_OK(person_commit(d, &add, 1, &r));
	struct tacit_mls_join_options jo = {.welcome = tacit_buf_view(&r.welcome),
	        .key_package = tacit_buf_view(&b->key_package),
	        .secrets = &b->secrets,
	        .origin = old};
	ok = ok && CHECK_ERR(tacit_mls_group_join(&jo, &b->host, &g), TACIT_E_CONFLICT) &&
	     CHECK(g == NULL);
	jo.origin = NULL;
	ok = ok && CHECK_OK(tacit_mls_group_join(&jo, &b->host, &g));
	tacit_mls_group_free(g);
	tacit_mls_commit_result_clear(&r);
	return ok;
}

static bool succeed(struct cast *c, enum tacit_mls_succession kind, const char *id)
{
	struct person *a = &c->p[A];
	struct person *b = &c->p[B];
	struct tacit_mls_group *old_b = b->group;
	struct tacit_mls_group *new_a = NULL;
	struct tacit_mls_group *new_b = NULL;
	struct tacit_mls_commit_result r = {0};
	CHECK_OK(person_renew(a));
	CHECK_OK(person_renew(b));
	struct tacit_mls_create_options o = person_create_options(a, id);
	struct tacit_mls_proposal add = add_of(b);
	struct tacit_mls_commit_options co = {.proposals = &add, .proposal_count = 1};
	bool ok = CHECK_OK(tacit_mls_group_succeed(a->group, kind, &o, &a->host, &new_a)) &&
	          CHECK_OK(tacit_mls_group_commit(new_a, &a->host, &co, &r)) &&
	          CHECK_OK(tacit_mls_group_accept(new_a));
	struct tacit_mls_join_options jo = {.welcome = tacit_buf_view(&r.welcome),
	        .key_package = tacit_buf_view(&b->key_package),
	        .secrets = &b->secrets};
	CHECK_ERR(tacit_mls_group_join(&jo, &b->host, &new_b), TACIT_E_CONFLICT);
	jo.origin = old_b;
	ok = ok && without_proof(c, old_b);
	ok = ok && CHECK_OK(tacit_mls_group_join(&jo, &b->host, &new_b)) &&
	     CHECK_BYTES(tacit_mls_group_epoch_authenticator(new_b),
	             tacit_mls_group_epoch_authenticator(new_a));
	tacit_mls_group_free(new_a);
	tacit_mls_group_free(new_b);
	tacit_mls_commit_result_clear(&r);
	return ok;
}

static void groups_are_succeeded(void)
{
	struct cast c;
	struct tacit_buf m = {0};
	struct person *others[] = {NULL, NULL};
	if (!cast_init(&c, 1))
		return;
	others[0] = &c.p[B];
	MEMBERS(&c, A, B);
	CHECK_OK(gather(&c.p[A], others, "old"));
	CHECK(succeed(&c, TACIT_MLS_SUCCEED_BRANCH, "a part"));
	struct tacit_mls_proposal reinit = {.type = TACIT_MLS_REINIT,
	        .reinit = {
	                .group_id = TACIT_STR("new"), .version = TACIT_MLS_VERSION_10, .suite = 1}};
	struct tacit_mls_group *none = NULL;
	struct tacit_mls_create_options o = person_create_options(&c.p[A], "x");
	CHECK_ERR(tacit_mls_group_succeed(
	                  c.p[A].group, TACIT_MLS_SUCCEED_REINIT, &o, &c.p[A].host, &none),
	        TACIT_E_CONFLICT);
	CHECK(commit_and_spread(&c, &c.p[B], &reinit, 1));
	CHECK_INT(tacit_mls_group_state(c.p[A].group), TACIT_MLS_REINITED);
	CHECK_ERR(tacit_mls_group_protect(
	                  c.p[A].group, &c.p[A].host, TACIT_STR(""), TACIT_STR("x"), &m),
	        TACIT_E_CONFLICT);
	CHECK(succeed(&c, TACIT_MLS_SUCCEED_REINIT, "ignored"));
	tacit_buf_clear(&m);
	cast_clear(&c);
}

/* The signer outside may add and remove, and not more. */
static void others_propose_from_outside(void)
{
	struct cast c;
	struct tacit_buf ext = {0};
	struct tacit_buf data = {0};
	struct tacit_buf m = {0};
	struct tacit_mls_event ev;
	if (!three(&c, 1))
		goto out;
	struct person *d = &c.p[D];
	struct tacit_mls_external_sender sender = {tacit_bytes(d->pk, 32),
	        {.type = TACIT_MLS_CREDENTIAL_BASIC, .identity = TACIT_STR("robot")}};
	struct tacit_writer w = tacit_writer(&data);
	size_t begin = tacit_mls_vec_begin(&w);
	tacit_mls_write_external_sender(&w, &sender);
	tacit_mls_vec_end(&w, begin);
	CHECK_OK(tacit_writer_finish(&w));
	w = tacit_writer(&ext);
	tacit_mls_write_extension(&w, (struct tacit_mls_extension){TACIT_MLS_EXT_EXTERNAL_SENDERS,
	                                      tacit_buf_view(&data)});
	CHECK_OK(tacit_writer_finish(&w));
	struct tacit_mls_outside_proposal o = {.suite = d->suite,
	        .group_id = TACIT_STR("three"),
	        .epoch = 1,
	        .sender = {TACIT_MLS_SENDER_EXTERNAL, 0},
	        .signature_sk = d->host.signature_sk};
	struct tacit_mls_proposal p = remove_of(2);
	CHECK_OK(tacit_mls_propose_from_outside(&o, &p, &m));
	CHECK_ERR(person_process(&c.p[A], tacit_buf_view(&m), &ev), TACIT_E_UNKNOWN_SENDER);
	tacit_buf_clear(&m);
	struct tacit_mls_proposal gce = {
	        .type = TACIT_MLS_CONTEXT_EXTENSIONS, .extensions = {tacit_buf_view(&ext)}};
	if (!commit_and_spread(&c, &c.p[A], &gce, 1))
		goto out;
	o.epoch = 2;
	CHECK_OK(tacit_mls_propose_from_outside(&o, &p, &m));
	MEMBERS(&c, A, B);
	for (struct person **x = c.all; *x != NULL; x++) {
		CHECK_OK(person_process(*x, tacit_buf_view(&m), &ev));
		CHECK_INT(ev.sender.type, TACIT_MLS_SENDER_EXTERNAL);
		tacit_mls_event_clear(&ev);
		CHECK_ERR(person_process(*x, tacit_buf_view(&m), &ev), TACIT_E_REPLAY);
	}
	CHECK(commit_and_spread(&c, &c.p[B], NULL, 0));
	CHECK(!tacit_mls_tree_is_member(tacit_mls_group_tree(c.p[A].group), 2));
	/* One adds oneself. */
	tacit_buf_clear(&m);
	o.epoch = 3;
	o.sender.type = TACIT_MLS_SENDER_NEW_MEMBER_PROPOSAL;
	CHECK_ERR(tacit_mls_propose_from_outside(&o, &p, &m), TACIT_E_USAGE);
	p = add_of(d);
	CHECK_OK(tacit_mls_propose_from_outside(&o, &p, &m));
	for (struct person **x = c.all; *x != NULL; x++) {
		CHECK_OK(person_process(*x, tacit_buf_view(&m), &ev));
		tacit_mls_event_clear(&ev);
	}
	CHECK(commit_and_spread(&c, &c.p[A], NULL, 0));
	CHECK_INT(tacit_mls_tree_members(tacit_mls_group_tree(c.p[B].group)), 3);
out:
	tacit_buf_clear(&ext);
	tacit_buf_clear(&data);
	tacit_buf_clear(&m);
	cast_clear(&c);
}

static const struct tap_case cases[] = {
        {"a PSK may come twice", a_psk_may_come_twice},
        {"PSKs are injected", psks_are_injected},
        {"groups are succeeded", groups_are_succeeded},
        {"others propose from outside", others_propose_from_outside},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
