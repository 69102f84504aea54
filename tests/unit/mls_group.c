/* The life of groups: who joins, speaks, changes keys, leaves; stored and loaded between steps. */
#include <string.h>

#include "crypto/secret.h"
#include "e2e/mls/message.h"
#include "mls_cast.h"

/* from's proposal, given to all the others. */
static bool tell(struct cast *c, struct person *from, const struct tacit_buf *message)
{
	struct tacit_mls_event ev;
	bool ok = person_reload(from);
	for (struct person **p = c->all; ok && *p != NULL; p++) {
		if (*p == from)
			continue;
		ok = CHECK_OK(person_process(*p, tacit_buf_view(message), &ev)) &&
		     CHECK_INT(ev.kind, TACIT_MLS_EVENT_PROPOSAL) && person_reload(*p);
		tacit_mls_event_clear(&ev);
	}
	return ok;
}

static bool join_later(struct cast *c, struct person *by, struct person *who)
{
	struct tacit_mls_commit_result r;
	struct tacit_mls_proposal add = add_of(who);
	bool ok = CHECK_OK(person_commit(by, &add, 1, &r)) &&
	          spread(c, by, tacit_buf_view(&r.commit)) &&
	          CHECK_OK(person_join(who, tacit_buf_view(&r.welcome))) && person_reload(who);
	tacit_mls_commit_result_clear(&r);
	return ok;
}

static bool join_from_outside(
        struct cast *c, struct person *host, struct person *who, const uint32_t *removes)
{
	struct tacit_buf info = {0};
	struct tacit_buf commit = {0};
	struct tacit_mls_event ev;
	bool ok = CHECK_OK(tacit_mls_group_info(host->group, &host->host,
	        TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, &info));
	struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(&info),
	        .key_package = tacit_buf_view(&who->key_package),
	        .removes = removes};
	struct tacit_mls_group *joined = NULL;
	ok = ok && CHECK_OK(tacit_mls_group_external_join(&o, &who->host, &commit, &joined));
	if (ok) {
		tacit_mls_group_free(who->group);
		who->group = joined;
		ok = person_reload(who);
	}
	for (struct person **p = c->all; ok && *p != NULL; p++) {
		if (*p == who)
			continue;
		ok = CHECK_OK(person_process(*p, tacit_buf_view(&commit), &ev)) &&
		     CHECK(ev.external) && person_reload(*p);
		tacit_mls_event_clear(&ev);
	}
	tacit_buf_clear(&info);
	tacit_buf_clear(&commit);
	return ok;
}

static void live(uint16_t suite)
{
	struct cast c;
	struct tacit_buf m = {0};
	if (!three(&c, suite))
		goto out;
	struct person *a = &c.p[A];
	struct person *b = &c.p[B];
	struct person *d = &c.p[D];
	if (!all_read(a, c.all) || !all_read(b, c.all) || !all_read(a, c.all))
		goto out;
	if (!commit_and_spread(&c, b, NULL, 0) || !all_read(&c.p[C], c.all))
		goto out;
	/* An Update by one, committed by another. */
	if (!CHECK_OK(tacit_mls_group_propose_update(
	            b->group, &b->host, NULL, tacit_bytes(NULL, 0), &m)) ||
	        !tell(&c, b, &m) || !commit_and_spread(&c, a, NULL, 0) || !all_read(b, c.all))
		goto out;
	/* Somebody comes, somebody goes. */
	if (!join_later(&c, b, d))
		goto out;
	MEMBERS(&c, A, B, C, D);
	if (!all_agree(c.all) || !all_read(d, c.all) || !commit_and_spread(&c, d, NULL, 0))
		goto out;
	struct tacit_mls_proposal gone = remove_of(tacit_mls_group_own_leaf(c.p[C].group));
	MEMBERS(&c, A, B, D);
	if (!commit_and_spread(&c, d, &gone, 1) || !all_read(a, c.all))
		goto out;
	/* And comes back by itself. */
	CHECK_OK(person_renew(&c.p[C]));
	if (!join_from_outside(&c, a, &c.p[C], NULL))
		goto out;
	MEMBERS(&c, A, B, C, D);
	if (all_agree(c.all) && all_read(&c.p[C], c.all))
		CHECK(commit_and_spread(&c, &c.p[C], NULL, 0));
out:
	tacit_buf_clear(&m);
	cast_clear(&c);
}

static void groups_live(void)
{
	static const uint16_t ids[] = {0x0001, 0x0002, 0x0003, TACIT_MLS_SUITE_DEFAULT};
	for (size_t i = 0; i < TACIT_COUNT(ids); i++)
		live(ids[i]);
}

static void handshakes_may_be_public(void)
{
	struct cast c;
	struct tacit_buf m = {0};
	struct tacit_mls_message decoded;
	if (!cast_init(&c, 1))
		return;
	struct person *a = &c.p[A];
	struct person *b = &c.p[B];
	struct tacit_mls_create_options o = person_create_options(a, "public");
	o.settings.public_handshakes = true;
	o.settings.pad_to = 256;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_proposal add = add_of(b);
	if (CHECK_OK(tacit_mls_group_create(&o, &a->host, &a->group)) &&
	        CHECK_OK(person_commit(a, &add, 1, &r)) &&
	        CHECK_OK(tacit_mls_message_decode(tacit_buf_view(&r.commit), &decoded)) &&
	        CHECK_INT(decoded.wire_format, TACIT_MLS_PUBLIC_MESSAGE) &&
	        CHECK_OK(tacit_mls_group_accept(a->group)) &&
	        CHECK_OK(person_join(b, tacit_buf_view(&r.welcome)))) {
		MEMBERS(&c, A, B);
		CHECK(commit_and_spread(&c, a, NULL, 0));
		CHECK(all_read(a, c.all));
		struct tacit_mls_proposal psk = psk_of("the word");
		a->has_psk = b->has_psk = true;
		CHECK_OK(tacit_mls_group_propose(a->group, &a->host, &psk, TACIT_STR("aad"), &m));
		CHECK(tell(&c, a, &m));
		/* 12.4: what is proposed has to be committed before anything is said. */
		tacit_buf_clear(&m);
		CHECK_ERR(tacit_mls_group_protect(
		                  b->group, &b->host, TACIT_STR(""), TACIT_STR("x"), &m),
		        TACIT_E_CONFLICT);
		CHECK(commit_and_spread(&c, b, NULL, 0));
		CHECK(all_read(b, c.all));
	}
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&m);
	cast_clear(&c);
}

static void commits_race(void)
{
	struct cast c;
	struct tacit_mls_commit_result ra = {0};
	struct tacit_mls_commit_result rb = {0};
	struct tacit_mls_event ev = {0};
	if (three(&c, 1) && CHECK_OK(person_commit(&c.p[A], NULL, 0, &ra)) &&
	        CHECK_OK(person_commit(&c.p[B], NULL, 0, &rb))) {
		struct tacit_mls_commit_result second;
		CHECK_ERR(person_commit(&c.p[A], NULL, 0, &second), TACIT_E_CONFLICT);
		/* The server has ordered A's first; it comes back to A, too. */
		CHECK_OK(person_process(&c.p[A], tacit_buf_view(&ra.commit), &ev));
		CHECK(ev.own && !ev.dropped_pending && ev.change_count == 1);
		tacit_mls_event_clear(&ev);
		CHECK(person_reload(&c.p[B]));
		CHECK_OK(person_process(&c.p[B], tacit_buf_view(&ra.commit), &ev));
		CHECK(ev.dropped_pending && !ev.own);
		tacit_mls_event_clear(&ev);
		CHECK_OK(person_process(&c.p[C], tacit_buf_view(&ra.commit), &ev));
		tacit_mls_event_clear(&ev);
		CHECK(all_agree(c.all));
		for (struct person **p = c.all; *p != NULL; p++)
			CHECK_ERR(
			        person_process(*p, tacit_buf_view(&rb.commit), &ev), TACIT_E_GONE);
		CHECK_ERR(tacit_mls_group_accept(c.p[B].group), TACIT_E_CONFLICT);
		/* One that was dropped is not ours any more: had the server taken it, we were out.
		 */
		tacit_mls_commit_result_clear(&rb);
		CHECK_OK(person_commit(&c.p[B], NULL, 0, &rb));
		tacit_mls_group_drop(c.p[B].group);
		CHECK_ERR(
		        person_process(&c.p[B], tacit_buf_view(&rb.commit), &ev), TACIT_E_CONFLICT);
	}
	tacit_mls_commit_result_clear(&ra);
	tacit_mls_commit_result_clear(&rb);
	cast_clear(&c);
}

/* Three messages in the epoch before, and the commit. */
struct late {
	struct tacit_buf m[3];
};

static bool speak(struct person *p, const char *text, struct tacit_buf *out)
{
	return CHECK_OK(tacit_mls_group_protect(
	        p->group, &p->host, tacit_bytes(NULL, 0), tacit_cstr(text), out));
}

static void reads(struct person *p, const struct tacit_buf *m, const char *text)
{
	struct tacit_mls_event ev;
	struct tacit_mls_leaf_node leaf;
	if (CHECK_OK(person_process(p, tacit_buf_view(m), &ev))) {
		CHECK_BYTES(tacit_buf_view(&ev.plain), tacit_cstr(text));
		CHECK_OK(tacit_mls_leaf_node_decode(tacit_buf_view(&ev.sender_leaf), &leaf));
		CHECK_BYTES(leaf.credential.identity, TACIT_STR("cat"));
	}
	tacit_mls_event_clear(&ev);
	CHECK(person_reload(p));
}

static void messages_come_late(void)
{
	struct cast c;
	struct late l = {0};
	struct tacit_mls_event ev;
	if (three(&c, 1) && speak(&c.p[C], "one", &l.m[0]) && speak(&c.p[C], "two", &l.m[1]) &&
	        speak(&c.p[C], "three", &l.m[2])) {
		reads(&c.p[A], &l.m[2], "three");
		CHECK_ERR(person_process(&c.p[A], tacit_buf_view(&l.m[2]), &ev), TACIT_E_REPLAY);
		/* Its sender has it back, and goes: the others still know who it was. */
		CHECK_OK(person_process(&c.p[C], tacit_buf_view(&l.m[0]), &ev));
		CHECK_INT(ev.kind, TACIT_MLS_EVENT_OWN);
		tacit_mls_event_clear(&ev);
		struct tacit_mls_proposal gone = remove_of(2);
		MEMBERS(&c, A, B);
		CHECK(commit_and_spread(&c, &c.p[B], &gone, 1));
		reads(&c.p[A], &l.m[0], "one");
		reads(&c.p[B], &l.m[0], "one");
		CHECK_ERR(person_process(&c.p[B], tacit_buf_view(&l.m[0]), &ev), TACIT_E_REPLAY);
		/* His place is taken by another: the one who spoke is still cat. */
		CHECK(join_later(&c, &c.p[A], &c.p[D]));
		reads(&c.p[A], &l.m[1], "two");
		MEMBERS(&c, A, B, D);
		for (int i = 0; i < 3; i++)
			CHECK(commit_and_spread(&c, &c.p[A], NULL, 0));
		CHECK_ERR(person_process(&c.p[B], tacit_buf_view(&l.m[1]), &ev), TACIT_E_GONE);
		CHECK_ERR(person_process(&c.p[D], tacit_buf_view(&l.m[1]), &ev), TACIT_E_GONE);
	}
	for (size_t i = 0; i < 3; i++)
		tacit_buf_clear(&l.m[i]);
	cast_clear(&c);
}

static void the_removed_are_out(void)
{
	struct cast c;
	struct tacit_buf m = {0};
	struct tacit_buf late = {0};
	struct tacit_mls_event ev;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_proposal gone = remove_of(2);
	if (three(&c, 1) && speak(&c.p[A], "before", &late) &&
	        CHECK_OK(person_commit(&c.p[A], &gone, 1, &r))) {
		CHECK_OK(person_process(&c.p[C], tacit_buf_view(&r.commit), &ev));
		CHECK(ev.removed && ev.change_count == 2);
		CHECK_INT(ev.changes[0].kind, TACIT_MLS_REMOVED_MEMBER);
		tacit_mls_event_clear(&ev);
		CHECK_INT(tacit_mls_group_state(c.p[C].group), TACIT_MLS_REMOVED);
		CHECK(person_reload(&c.p[C]));
		MEMBERS(&c, A, B);
		CHECK(spread(&c, &c.p[A], tacit_buf_view(&r.commit)));
		CHECK(speak(&c.p[A], "after", &m));
		CHECK_ERR(person_process(&c.p[C], tacit_buf_view(&m), &ev), TACIT_E_ORDER_CHANGED);
		CHECK_OK(person_process(&c.p[C], tacit_buf_view(&late), &ev));
		CHECK_BYTES(tacit_buf_view(&ev.plain), TACIT_STR("before"));
		tacit_mls_event_clear(&ev);
		tacit_buf_clear(&m);
		CHECK_ERR(tacit_mls_group_protect(
		                  c.p[C].group, &c.p[C].host, TACIT_STR(""), TACIT_STR("me"), &m),
		        TACIT_E_CONFLICT);
	}
	tacit_buf_clear(&m);
	tacit_buf_clear(&late);
	tacit_mls_commit_result_clear(&r);
	cast_clear(&c);
}

static void a_device_is_resynchronised(void)
{
	struct cast c;
	if (three(&c, 1)) {
		uint32_t old = tacit_mls_group_own_leaf(c.p[B].group);
		MEMBERS(&c, A, C);
		CHECK_OK(person_renew(&c.p[B]));
		CHECK(join_from_outside(&c, &c.p[A], &c.p[B], &old));
		CHECK_INT(tacit_mls_group_own_leaf(c.p[B].group), old);
		MEMBERS(&c, A, B, C);
		CHECK(all_agree(c.all));
		CHECK(all_read(&c.p[B], c.all));
		CHECK_INT(tacit_mls_tree_members(tacit_mls_group_tree(c.p[A].group)), 3);
		/* Nobody takes the place of another. */
		struct tacit_buf info = {0};
		struct tacit_buf commit = {0};
		struct tacit_mls_group *g = NULL;
		CHECK_OK(tacit_mls_group_info(c.p[A].group, &c.p[A].host,
		        TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, &info));
		struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(&info),
		        .key_package = tacit_buf_view(&c.p[D].key_package),
		        .removes = &old};
		CHECK_ERR(tacit_mls_group_external_join(&o, &c.p[D].host, &commit, &g),
		        TACIT_E_KEY_CHANGED);
		CHECK(g == NULL && commit.n == 0);
		tacit_buf_clear(&info);
	}
	cast_clear(&c);
}

static void always_the_same(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 7, n);
}

/* 12.2: as little as with an Update; a machine without randomness draws the old key again. */
static void who_comes_back_has_a_new_key(void)
{
	struct cast c;
	struct tacit_buf info = {0}, commit = {0};
	struct tacit_mls_group *g = NULL;
	struct tacit_mls_event ev;
	struct tacit_mls_leaf_node before, after;
	struct person *b = &c.p[B];
	if (three(&c, 1)) {
		uint32_t old = tacit_mls_group_own_leaf(b->group);
		b->env.random = always_the_same;
		CHECK(commit_and_spread(&c, b, NULL, 0));
		CHECK_OK(tacit_mls_group_info(c.p[A].group, &c.p[A].host,
		        TACIT_MLS_INFO_TREE | TACIT_MLS_INFO_EXTERNAL_PUB, &info));
		CHECK(tacit_mls_group_member(c.p[A].group, old, &before));
		struct person fresh;
		CHECK_OK(person_init(&fresh, b->suite, "bob")); /* the same signature key */
		struct tacit_mls_external_join_options o = {.group_info = tacit_buf_view(&info),
		        .key_package = tacit_buf_view(&fresh.key_package),
		        .removes = &old};
		CHECK_OK(tacit_mls_group_external_join(&o, &b->host, &commit, &g));
		if (g != NULL && CHECK(tacit_mls_group_member(g, old, &after)))
			CHECK_BYTES(after.encryption_key, before.encryption_key);
		CHECK_ERR(person_process(&c.p[A], tacit_buf_view(&commit), &ev), TACIT_E_MALFORMED);
		tacit_mls_group_free(g);
		tacit_buf_clear(&commit);
		CHECK_OK(tacit_mls_group_external_join(&o, &fresh.host, &commit, &g));
		CHECK_OK(person_process(&c.p[A], tacit_buf_view(&commit), &ev));
		tacit_mls_event_clear(&ev);
		tacit_mls_group_free(g);
		person_clear(&fresh);
	}
	tacit_buf_clear(&info);
	tacit_buf_clear(&commit);
	cast_clear(&c);
}

static const struct tap_case cases[] = {
        {"groups live, with each suite, stored between any two steps", groups_live},
        {"handshakes may be public", handshakes_may_be_public},
        {"of two commits one wins", commits_race},
        {"messages come late, twice, and after their sender has gone", messages_come_late},
        {"who is removed is out", the_removed_are_out},
        {"a device is resynchronised", a_device_is_resynchronised},
        {"who comes back has a new key", who_comes_back_has_a_new_key},
};

int main(int argc, char **argv)
{
	return tacit_crypto_init() == TACIT_OK ? tap_main(argc, argv, cases, TACIT_COUNT(cases))
	                                       : 1;
}
