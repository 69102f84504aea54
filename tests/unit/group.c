#include "e2e/group.h"

#include <string.h>

#include "base/alloc.h"
#include "e2e/group_int.h"
#include "support/tap.h"

#define CONVERSATION 42
#define MAX_DEVICES 6

/* A person's device, its copy of the group, and whom it takes for participants. */
struct peer {
	struct tacit_account account;
	struct tacit_device device;
	struct tacit_sign_sk sk;
	struct tacit_group *group;
	struct tacit_buf package, secret;
};

static struct tacit_env env;
static struct peer peers[MAX_DEVICES];
static size_t strangers_from; /* peers from here on do not belong */
static uint64_t next_message;

static bool belongs(void *ctx, const struct tacit_sign_public *account)
{
	(void)ctx;
	for (size_t i = 0; i < strangers_from; i++)
		if (memcmp(peers[i].account.public.b, account->b, sizeof(account->b)) == 0)
			return true;
	return false;
}

static struct tacit_self self(const struct peer *p)
{
	return (struct tacit_self){.leaf = {p->account.public, p->device},
	        .signature_sk = &p->sk,
	        .env = &env,
	        .belongs = belongs};
}

static enum tacit_err peer_init(struct peer *p, const struct peer *owner)
{
	enum tacit_err err;
	uint8_t seed[TACIT_SIGN_SEED_BYTES];
	*p = (struct peer){0};
	if (owner == NULL)
		TRY(tacit_account_create(&env, &p->account));
	else
		TRY(tacit_account_from_secret(
		        tacit_secret_view(&owner->account.secret), &p->account));
	tacit_env_random(&env, seed, sizeof(seed));
	tacit_env_random(&env, p->device.id.b, sizeof(p->device.id.b));
	tacit_sign_keypair(seed, &p->sk, &p->device.signature_key);
	p->device.created_at = tacit_env_now(&env);
	tacit_device_certify(&p->device, tacit_account_sk(&p->account));
	struct tacit_self s = self(p);
	TRY(tacit_group_key_package(&s, NULL, &p->package, &p->secret));
out:
	return err;
}

/* alice 0, bob 1, carol 2, alice's tablet 3, bob's phone 4, mallory 5 */
static bool set_up(void)
{
	bool good = true;
	env = tap_env(5);
	strangers_from = MAX_DEVICES;
	next_message = 100;
	for (size_t i = 0; i < MAX_DEVICES; i++) {
		const struct peer *owner = i == 3 ? &peers[0] : i == 4 ? &peers[1] : NULL;
		good &= CHECK_OK(peer_init(&peers[i], owner));
	}
	return good;
}

static void tear_down(void)
{
	for (size_t i = 0; i < MAX_DEVICES; i++) {
		tacit_group_destroy(peers[i].group);
		tacit_account_clear(&peers[i].account);
		tacit_buf_clear(&peers[i].package);
		tacit_buf_clear(&peers[i].secret);
		peers[i] = (struct peer){0};
	}
}

/* Everything that is kept of a group goes through its stored form now and then. */
static void store_and_load(struct peer *p)
{
	struct tacit_buf state = {0}, tree = {0};
	struct tacit_group *again = NULL;
	CHECK_OK(tacit_group_save_state(p->group, &state));
	CHECK_OK(tacit_group_save_tree(p->group, &tree));
	CHECK_OK(tacit_group_load(tacit_buf_view(&state), tacit_buf_view(&tree), &again));
	if (again != NULL) {
		tacit_group_destroy(p->group);
		p->group = again;
	}
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
}

static enum tacit_err stage(struct peer *p, size_t count, const struct peer *const *add,
        const struct peer *remove, struct tacit_group_staged *out)
{
	struct tacit_bytes list[MAX_DEVICES];
	uint32_t leaf = 0;
	struct tacit_leaf found;
	struct tacit_self s = self(p);
	for (size_t i = 0; i < count; i++)
		list[i] = tacit_buf_view(&add[i]->package);
	struct tacit_group_commit what = {.add = list, .add_count = count};
	for (; remove != NULL && tacit_group_leaf(p->group, &leaf, &found); leaf++)
		if (memcmp(found.device.id.b, remove->device.id.b, TACIT_DEVICE_ID_BYTES) == 0) {
			what.remove = &leaf;
			what.remove_count = 1;
			break;
		}
	return tacit_group_stage(p->group, &s, &what, out);
}

static void join(struct peer *p, uint64_t message, const struct tacit_buf *welcome)
{
	struct tacit_self s = self(p);
	struct tacit_group_place place = {CONVERSATION, message};
	CHECK(tacit_group_welcome_is_for(tacit_buf_view(welcome), tacit_buf_view(&p->secret)));
	CHECK_OK(tacit_group_join(
	        &place, &s, tacit_buf_view(welcome), tacit_buf_view(&p->secret), &p->group));
}

static enum tacit_err process(struct peer *p, uint64_t message, const struct tacit_buf *bytes,
        struct tacit_group_event *ev)
{
	struct tacit_self s = self(p);
	return tacit_group_process(p->group, &s, message, tacit_buf_view(bytes), ev);
}

/* The commit of one member, and everybody else who has the group follows. */
static uint64_t commit(
        struct peer *p, size_t count, const struct peer *const *add, const struct peer *remove)
{
	struct tacit_group_staged staged;
	struct tacit_self s = self(p);
	uint64_t message = next_message++;
	CHECK_OK(stage(p, count, add, remove, &staged));
	CHECK(tacit_group_is_pending(p->group));
	store_and_load(p);
	CHECK_OK(tacit_group_accept(p->group, &s, message));
	for (size_t i = 0; i < MAX_DEVICES; i++) {
		struct tacit_group_event ev;
		if (&peers[i] == p || peers[i].group == NULL || tacit_group_is_over(peers[i].group))
			continue;
		CHECK_OK(process(&peers[i], message, &staged.commit, &ev));
		CHECK_INT(ev.kind, TACIT_GROUP_COMMIT);
		CHECK(memcmp(&ev.sender.account, &p->account.public, 32) == 0);
		CHECK_INT(ev.added_count, count);
		CHECK_INT(ev.gone_count, remove != NULL);
		CHECK(ev.removed == (&peers[i] == remove));
		tacit_group_event_clear(&ev);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < MAX_DEVICES; j++)
			if (add[i] == &peers[j])
				join(&peers[j], message, &staged.welcome);
	tacit_group_staged_clear(&staged);
	return message;
}

/* alice makes the group with bob, carol and her own tablet. */
static bool set_up_group(void)
{
	if (!set_up())
		return false;
	struct tacit_self s = self(&peers[0]);
	const struct peer *const others[] = {&peers[1], &peers[2], &peers[3]};
	if (!CHECK_OK(tacit_group_create(CONVERSATION, &s, &peers[0].group)))
		return false;
	CHECK_INT(tacit_group_epoch(peers[0].group), 0);
	commit(&peers[0], 3, others, NULL);
	CHECK_INT(tacit_group_epoch(peers[3].group), 1);
	return true;
}

/* p says text; all the others with a group read it, but those from `deaf` on. */
static void say(struct peer *p, const char *text, size_t deaf)
{
	struct tacit_buf bytes = {0};
	struct tacit_self s = self(p);
	uint64_t message = next_message++;
	CHECK_OK(tacit_group_protect(p->group, &s, tacit_cstr(text), &bytes));
	store_and_load(p);
	for (size_t i = 0; i < deaf; i++) {
		struct tacit_group_event ev;
		if (peers[i].group == NULL || tacit_group_is_over(peers[i].group))
			continue;
		CHECK_OK(process(&peers[i], message, &bytes, &ev));
		if (&peers[i] == p) {
			CHECK_INT(ev.kind, TACIT_GROUP_OWN);
		} else {
			CHECK_INT(ev.kind, TACIT_GROUP_MESSAGE);
			CHECK_BYTES(tacit_buf_view(&ev.plain), tacit_cstr(text));
			CHECK(memcmp(&ev.sender.device.id, &p->device.id, 16) == 0);
			CHECK_INT(ev.missing, 0);
			CHECK(!ev.history_differs);
		}
		tacit_group_event_clear(&ev);
	}
	tacit_buf_clear(&bytes);
}

static bool agree(const struct peer *a, const struct peer *b)
{
	uint8_t x[32], y[32];
	return tacit_group_fingerprint(a->group, x) == TACIT_OK &&
	       tacit_group_fingerprint(b->group, y) == TACIT_OK && memcmp(x, y, 32) == 0;
}

static void devices_talk(void)
{
	REQUIRE(set_up_group());
	say(&peers[0], "from the first device", MAX_DEVICES);
	say(&peers[1], "an answer", MAX_DEVICES);
	say(&peers[3], "from the tablet", MAX_DEVICES);
	say(&peers[0], "again", MAX_DEVICES);
	CHECK(agree(&peers[0], &peers[1]) && agree(&peers[0], &peers[3]));
	CHECK_INT(tacit_group_age(peers[0].group).messages, 2);
	commit(&peers[0], 0, NULL, NULL);
	CHECK_INT(tacit_group_age(peers[0].group).messages, 0);
	say(&peers[2], "in the next epoch", MAX_DEVICES);
	tear_down();
}

static void who_is_removed_reads_no_more(void)
{
	struct tacit_buf bytes = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self s = self(&peers[0]);
	commit(&peers[0], 0, NULL, &peers[1]);
	CHECK(tacit_group_is_over(peers[1].group));
	CHECK_OK(tacit_group_protect(peers[0].group, &s, TACIT_STR("without bob"), &bytes));
	CHECK(process(&peers[1], next_message, &bytes, &ev) != TACIT_OK);
	CHECK_OK(process(&peers[2], next_message, &bytes, &ev));
	tacit_group_event_clear(&ev);
	struct tacit_self bobs = self(&peers[1]);
	tacit_buf_clear(&bytes);
	CHECK_ERR(tacit_group_protect(peers[1].group, &bobs, TACIT_STR("x"), &bytes),
	        TACIT_E_CONFLICT);
	tacit_buf_clear(&bytes);
	tear_down();
}

static void a_device_joins_by_itself(void)
{
	struct tacit_group_staged staged;
	struct tacit_buf commit_bytes = {0}, info = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self phone = self(&peers[4]), alice = self(&peers[0]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &staged));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	for (size_t i = 1; i < 4; i++) {
		CHECK_OK(process(&peers[i], next_message, &staged.commit, &ev));
		tacit_group_event_clear(&ev);
	}
	CHECK_OK(tacit_group_join_external(CONVERSATION, &phone, tacit_buf_view(&staged.group_info),
	        &commit_bytes, &info, &peers[4].group));
	CHECK(info.n > 0 && tacit_group_is_pending(peers[4].group));
	store_and_load(&peers[4]);
	CHECK_OK(tacit_group_accept(peers[4].group, &phone, ++next_message));
	for (size_t i = 0; i < 4; i++) {
		CHECK_OK(process(&peers[i], next_message, &commit_bytes, &ev));
		CHECK(ev.kind == TACIT_GROUP_COMMIT && ev.joined && ev.added_count == 1);
		tacit_group_event_clear(&ev);
	}
	next_message++;
	say(&peers[4], "the phone is in", MAX_DEVICES);
	/* And again, from that device: its state was lost. */
	tacit_buf_clear(&commit_bytes);
	struct tacit_buf newer = {0};
	CHECK_OK(tacit_group_join_external(CONVERSATION, &phone, tacit_buf_view(&info),
	        &commit_bytes, &newer, &peers[5].group));
	tacit_group_destroy(peers[4].group);
	peers[4].group = peers[5].group;
	peers[5].group = NULL;
	CHECK_OK(tacit_group_accept(peers[4].group, &phone, next_message));
	for (size_t i = 0; i < 4; i++) {
		CHECK_OK(process(&peers[i], next_message, &commit_bytes, &ev));
		CHECK(ev.added_count == 0 && ev.gone_count == 0); /* the same device */
		tacit_group_event_clear(&ev);
	}
	next_message++;
	say(&peers[4], "in again", MAX_DEVICES);
	tacit_group_staged_clear(&staged);
	tacit_buf_clear(&commit_bytes);
	tacit_buf_clear(&info);
	tacit_buf_clear(&newer);
	tear_down();
}

static void strangers_are_kept_out(void)
{
	struct tacit_group_staged staged;
	struct tacit_buf commit_bytes = {0}, info = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]), mallory = self(&peers[5]);
	struct tacit_leaf wanted = {peers[5].account.public, peers[5].device};
	CHECK_OK(tacit_group_check_key_package(&alice, tacit_buf_view(&peers[5].package), &wanted));
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &staged));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	strangers_from = 5;
	CHECK_ERR(tacit_group_check_key_package(&alice, tacit_buf_view(&peers[5].package), &wanted),
	        TACIT_E_UNKNOWN_SENDER);
	/* Whoever has the GroupInfo, the server for one, can make an external commit. */
	CHECK_OK(tacit_group_join_external(CONVERSATION, &mallory,
	        tacit_buf_view(&staged.group_info), &commit_bytes, &info, &peers[5].group));
	CHECK_OK(tacit_group_accept(peers[5].group, &mallory, next_message + 1));
	uint64_t epoch = tacit_group_epoch(peers[0].group);
	CHECK_ERR(process(&peers[0], next_message + 1, &commit_bytes, &ev), TACIT_E_UNKNOWN_SENDER);
	CHECK_INT(tacit_group_epoch(peers[0].group), epoch);
	/* A member that lets one in answers for that; who compares puts the stranger out. */
	const struct peer *const others[] = {&peers[5]};
	struct tacit_group_staged bad;
	strangers_from = MAX_DEVICES;
	for (size_t i = 1; i < 3; i++) {
		CHECK_OK(process(&peers[i], next_message, &staged.commit, &ev));
		tacit_group_event_clear(&ev);
	}
	CHECK_OK(stage(&peers[1], 1, others, NULL, &bad));
	strangers_from = 5;
	CHECK_OK(process(&peers[2], next_message + 2, &bad.commit, &ev));
	tacit_group_event_clear(&ev);
	struct tacit_leaf members[5];
	for (size_t i = 0; i < TACIT_COUNT(members); i++)
		members[i] = (struct tacit_leaf){peers[i].account.public, peers[i].device};
	struct tacit_group_change change;
	const struct tacit_roster roster = {members, TACIT_COUNT(members)};
	CHECK_OK(tacit_group_compare(peers[2].group, &roster, &change));
	CHECK_INT(change.remove_count, 1);
	tacit_group_change_clear(&change);
	tacit_group_staged_clear(&bad);
	tacit_group_staged_clear(&staged);
	tacit_buf_clear(&commit_bytes);
	tacit_buf_clear(&info);
	tear_down();
}

static void a_device_without_a_certificate_is_refused(void)
{
	REQUIRE(set_up());
	struct tacit_self alice = self(&peers[0]);
	struct tacit_leaf bob = {peers[1].account.public, peers[1].device};
	CHECK_OK(tacit_group_check_key_package(&alice, tacit_buf_view(&peers[1].package), &bob));
	/* Swapped: another good one, of another device of his. */
	CHECK_ERR(tacit_group_check_key_package(&alice, tacit_buf_view(&peers[4].package), &bob),
	        TACIT_E_BAD_CERTIFICATE);
	/* A device of the server's own, in bob's name. */
	struct peer *fake = &peers[5];
	fake->account.public = peers[1].account.public;
	tacit_device_certify(&fake->device, tacit_account_sk(&fake->account));
	struct tacit_self s = self(fake);
	tacit_buf_clear(&fake->package);
	tacit_buf_clear(&fake->secret);
	struct tacit_leaf forged = {peers[1].account.public, fake->device};
	enum tacit_err made = tacit_group_key_package(&s, NULL, &fake->package, &fake->secret);
	CHECK_OK(made);
	CHECK_ERR(tacit_group_check_key_package(&alice, tacit_buf_view(&fake->package), &forged),
	        TACIT_E_BAD_CERTIFICATE);
	/* And every changed byte. */
	struct tacit_buf *package = &peers[1].package;
	for (size_t i = 0; i < package->n; i += 7) {
		package->p[i] ^= 0x20;
		CHECK(tacit_group_check_key_package(&alice, tacit_buf_view(package), &bob) !=
		        TACIT_OK);
		package->p[i] ^= 0x20;
	}
	tear_down();
}

/* A good one in all but how long it is good for. */
static enum tacit_err make_lasting(const struct peer *p, int64_t seconds, struct tacit_buf *out)
{
	enum tacit_err err;
	uint64_t now = (uint64_t)tacit_env_now(&env);
	struct tacit_buf identity = {0}, store = {0};
	struct tacit_mls_key_package_secrets secrets;
	struct tacit_self s = self(p);
	struct tacit_mls_key_package_options o = {
	        .suite = tacit_mls_suite_find(TACIT_MLS_SUITE_DEFAULT),
	        .signature_sk = tacit_bytes(p->sk.b, sizeof(p->sk.b)),
	        .signature_key = tacit_bytes(p->device.signature_key.b, TACIT_SIGN_PUBLIC_BYTES),
	        .lifetime = {now, now + (uint64_t)seconds},
	};
	tacit_buf_clear(out);
	TRY(tacit_leaf_identity(&s.leaf, &identity));
	o.credential = (struct tacit_mls_credential){
	        .type = TACIT_MLS_CREDENTIAL_BASIC, .identity = tacit_buf_view(&identity)};
	TRY(tacit_mls_capabilities_make(NULL, &env, &store, &o.capabilities));
	TRY(tacit_mls_key_package_create(&o, &env, out, &secrets));
	tacit_mls_key_package_secrets_wipe(&secrets);
out:
	tacit_buf_clear(&identity);
	tacit_buf_clear(&store);
	return err;
}

/* RFC 9420 7.2: nobody lets one in, and nobody takes the commit of one who does. */
static void lifetimes_are_bounded(void)
{
	struct tacit_buf package = {0};
	struct tacit_group_event ev;
	struct tacit_mls_commit_result r = {0};
	struct tacit_mls_proposal add = {.type = TACIT_MLS_ADD};
	struct tacit_mls_commit_options o = {.proposals = &add, .proposal_count = 1};
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]);
	struct tacit_leaf mallory = {peers[5].account.public, peers[5].device};
	CHECK_OK(make_lasting(&peers[5], TACIT_KEY_PACKAGE_LONGEST_SECONDS, &package));
	CHECK_OK(tacit_group_check_key_package(&alice, tacit_buf_view(&package), &mallory));
	CHECK_OK(make_lasting(&peers[5], TACIT_KEY_PACKAGE_LONGEST_SECONDS + 1, &package));
	CHECK_ERR(tacit_group_check_key_package(&alice, tacit_buf_view(&package), &mallory),
	        TACIT_E_UNSUPPORTED);
	add.add.encoded = tacit_buf_view(&package);
	struct tacit_mls_host careless = tacit_group_host(&alice, TACIT_STRICT);
	CHECK_ERR(tacit_mls_group_commit(peers[0].group->mls, &careless, &o, &r),
	        TACIT_E_UNSUPPORTED);
	careless.lifetime_max = 0;
	CHECK_OK(tacit_mls_group_commit(peers[0].group->mls, &careless, &o, &r));
	CHECK_ERR(process(&peers[1], next_message, &r.commit, &ev), TACIT_E_UNSUPPORTED);
	tacit_mls_commit_result_clear(&r);
	tacit_buf_clear(&package);
	tear_down();
}

static void the_first_commit_wins(void)
{
	struct tacit_group_staged a, b;
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	CHECK_OK(process(&peers[1], next_message, &a.commit, &ev));
	CHECK(ev.lost && !tacit_group_is_pending(peers[1].group));
	tacit_group_event_clear(&ev);
	CHECK(agree(&peers[0], &peers[1]));
	/* It comes again, and it comes to whom it is from. */
	CHECK_OK(process(&peers[1], next_message, &a.commit, &ev));
	CHECK_INT(ev.kind, TACIT_GROUP_EARLIER);
	CHECK_OK(process(&peers[0], next_message, &a.commit, &ev));
	CHECK_INT(ev.kind, TACIT_GROUP_EARLIER);
	/* The answer was lost, and the own commit is met among the messages. */
	tacit_group_staged_clear(&b);
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	store_and_load(&peers[1]);
	CHECK_OK(process(&peers[1], next_message + 1, &b.commit, &ev));
	CHECK(ev.kind == TACIT_GROUP_COMMIT && ev.accepted);
	tacit_group_event_clear(&ev);
	CHECK_OK(process(&peers[0], next_message + 1, &b.commit, &ev));
	tacit_group_event_clear(&ev);
	CHECK(agree(&peers[0], &peers[1]));
	/* One that was dropped leaves nothing. */
	tacit_group_staged_clear(&b);
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	tacit_group_drop(peers[1].group);
	CHECK(!tacit_group_is_pending(peers[1].group) && agree(&peers[0], &peers[1]));
	tacit_group_staged_clear(&a);
	tacit_group_staged_clear(&b);
	tear_down();
}

static void what_is_missing_or_changed_shows(void)
{
	struct tacit_buf first = {0}, second = {0}, third = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]), carol = self(&peers[2]);
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("1"), &first));
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("2"), &second));
	CHECK_OK(process(&peers[1], 201, &first, &ev));
	tacit_group_event_clear(&ev);
	CHECK_ERR(process(&peers[1], 202, &first, &ev), TACIT_E_REPLAY);
	tacit_buf_clear(&first);
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("3"), &first));
	CHECK_OK(process(&peers[1], 203, &first, &ev));
	CHECK_INT(ev.missing, 1);
	tacit_group_event_clear(&ev);
	/* carol was shown the dropped one in the place of the first. */
	CHECK_OK(process(&peers[2], 201, &second, &ev));
	tacit_group_event_clear(&ev);
	CHECK_OK(tacit_group_protect(peers[2].group, &carol, TACIT_STR("so?"), &third));
	CHECK_OK(process(&peers[1], 204, &third, &ev));
	CHECK(ev.history_differs);
	tacit_group_event_clear(&ev);
	third.p[third.n - 1] ^= 1;
	CHECK(process(&peers[0], 204, &third, &ev) != TACIT_OK);
	tacit_buf_clear(&first);
	tacit_buf_clear(&second);
	tacit_buf_clear(&third);
	tear_down();
}

static void a_missing_commit_is_noticed(void)
{
	struct tacit_group_staged a;
	struct tacit_buf bytes = {0};
	struct tacit_group_event ev;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	CHECK_OK(tacit_group_protect(peers[0].group, &alice, TACIT_STR("new epoch"), &bytes));
	CHECK_ERR(process(&peers[1], 300, &bytes, &ev), TACIT_E_ORDER_CHANGED);
	tacit_group_staged_clear(&a);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_ERR(process(&peers[1], 301, &a.commit, &ev), TACIT_E_ORDER_CHANGED);
	tacit_group_staged_clear(&a);
	tacit_buf_clear(&bytes);
	tear_down();
}

static void rosters_are_compared(void)
{
	struct tacit_group_change change;
	struct tacit_leaf list[5];
	REQUIRE(set_up_group());
	for (size_t i = 0; i < 5; i++)
		list[i] = (struct tacit_leaf){peers[i].account.public, peers[i].device};
	struct tacit_roster same = {list, 4};
	CHECK_OK(tacit_group_compare(peers[0].group, &same, &change));
	CHECK(change.add_count == 0 && change.remove_count == 0);
	tacit_group_change_clear(&change);
	struct tacit_roster more = {
	        list + 1, 4}; /* without alice herself, who stays; the phone new */
	CHECK_OK(tacit_group_compare(peers[0].group, &more, &change));
	CHECK(change.add_count == 1 && change.add[0] == 3 && change.remove_count == 0);
	tacit_group_change_clear(&change);
	list[2].device.signature_key.b[0] ^= 1; /* carol's device has another key */
	CHECK_OK(tacit_group_compare(peers[0].group, &same, &change));
	CHECK(change.add_count == 1 && change.add[0] == 2 && change.remove_count == 1);
	tacit_group_change_clear(&change);
	tear_down();
}

static void a_group_is_of_one_conversation(void)
{
	struct tacit_group_staged a;
	struct tacit_group *wrong = NULL;
	REQUIRE(set_up());
	struct tacit_self alice = self(&peers[0]), bob = self(&peers[1]);
	const struct peer *const add[] = {&peers[1]};
	CHECK_OK(tacit_group_create(CONVERSATION, &alice, &peers[0].group));
	CHECK_OK(stage(&peers[0], 1, add, NULL, &a));
	struct tacit_group_place place = {CONVERSATION + 1, 7};
	CHECK_ERR(tacit_group_join(&place, &bob, tacit_buf_view(&a.welcome),
	                  tacit_buf_view(&peers[1].secret), &wrong),
	        TACIT_E_WRONG_RECIPIENT);
	struct tacit_buf commit_bytes = {0}, info = {0};
	CHECK_ERR(tacit_group_join_external(CONVERSATION + 1, &bob, tacit_buf_view(&a.group_info),
	                  &commit_bytes, &info, &wrong),
	        TACIT_E_WRONG_RECIPIENT);
	CHECK(wrong == NULL && commit_bytes.n == 0 && info.n == 0);
	tacit_buf_clear(&commit_bytes);
	tacit_buf_clear(&info);
	tacit_group_staged_clear(&a);
	tear_down();
}

/* Two members who end the same epoch in two ways, and what each says of the other's group. */
static void knows_another_half(void)
{
	struct tacit_group_staged a, b;
	REQUIRE(set_up_group());
	struct tacit_self alice = self(&peers[0]), bob = self(&peers[1]);
	CHECK_OK(stage(&peers[0], 0, NULL, NULL, &a));
	CHECK_OK(stage(&peers[1], 0, NULL, NULL, &b));
	struct tacit_bytes of_a = tacit_buf_view(&a.group_info);
	struct tacit_bytes of_b = tacit_buf_view(&b.group_info);
	CHECK(!tacit_group_info_parts(peers[0].group, of_b)); /* not in that epoch yet */
	CHECK_OK(tacit_group_accept(peers[0].group, &alice, next_message));
	CHECK_OK(tacit_group_accept(peers[1].group, &bob, next_message));
	CHECK(!tacit_group_info_parts(peers[0].group, of_a));
	CHECK(!tacit_group_info_parts(peers[1].group, of_b));
	CHECK(tacit_group_info_parts(peers[0].group, of_b));
	CHECK(tacit_group_info_parts(peers[1].group, of_a));
	CHECK(!tacit_group_info_parts(peers[0].group, tacit_bytes(of_b.p, of_b.n - 1)));
	CHECK(!tacit_group_info_parts(peers[0].group, tacit_buf_view(&b.commit)));
	/* Of another conversation: the group's id is another one. */
	struct tacit_group *other;
	struct tacit_group_staged c;
	CHECK_OK(tacit_group_create(CONVERSATION, &bob, &other));
	const struct tacit_group_commit nothing = {0};
	for (uint64_t i = 0; i < tacit_group_epoch(peers[0].group); i++) {
		CHECK_OK(tacit_group_stage(other, &bob, &nothing, &c));
		CHECK_OK(tacit_group_accept(other, &bob, i + 1));
		CHECK(!tacit_group_info_parts(peers[0].group, tacit_buf_view(&c.group_info)));
		tacit_group_staged_clear(&c);
	}
	tacit_group_destroy(other);
	tacit_group_staged_clear(&a);
	tacit_group_staged_clear(&b);
	tear_down();
}

static void a_stored_state_is_bounded(void)
{
	struct tacit_buf state = {0}, tree = {0};
	REQUIRE(set_up_group());
	say(&peers[1], "one", MAX_DEVICES);
	CHECK_OK(tacit_group_save_state(peers[0].group, &state));
	CHECK_OK(tacit_group_save_tree(peers[0].group, &tree));
	for (size_t n = 0; n < state.n; n += 1 + n / 16) {
		struct tacit_group *g = NULL;
		CHECK(tacit_group_load(tacit_bytes(state.p, n), tacit_buf_view(&tree), &g) !=
		        TACIT_OK);
		CHECK(g == NULL);
	}
	tacit_buf_clear(&state);
	tacit_buf_clear(&tree);
	tear_down();
}

static enum tacit_err a_life(void)
{
	enum tacit_err err;
	struct tacit_group *g = NULL;
	struct tacit_buf bytes = {0};
	struct tacit_self alice = self(&peers[0]);
	struct tacit_group_staged staged = {0};
	const struct tacit_bytes add = tacit_buf_view(&peers[1].package);
	const struct tacit_group_commit what = {.add = &add, .add_count = 1};
	TRY(tacit_group_create(CONVERSATION, &alice, &g));
	TRY(tacit_group_stage(g, &alice, &what, &staged));
	TRY(tacit_group_accept(g, &alice, 1));
	TRY(tacit_group_protect(g, &alice, TACIT_STR("x"), &bytes));
out:
	tacit_group_staged_clear(&staged);
	tacit_buf_clear(&bytes);
	tacit_group_destroy(g);
	return err;
}

static void memory_runs_out(void)
{
	REQUIRE(set_up());
	tap_alloc_sweep(a_life);
	tear_down();
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"devices talk", devices_talk},
	        {"who is removed reads no more", who_is_removed_reads_no_more},
	        {"a device joins by itself", a_device_joins_by_itself},
	        {"strangers are kept out", strangers_are_kept_out},
	        {"a device without a certificate is refused",
	                a_device_without_a_certificate_is_refused},
	        {"lifetimes are bounded", lifetimes_are_bounded},
	        {"the first commit wins", the_first_commit_wins},
	        {"what is missing or changed shows", what_is_missing_or_changed_shows},
	        {"a missing commit is noticed", a_missing_commit_is_noticed},
	        {"rosters are compared", rosters_are_compared},
	        {"a group is of one conversation", a_group_is_of_one_conversation},
	        {"knows another half", knows_another_half},
	        {"a stored state is bounded", a_stored_state_is_bounded},
	        {"memory runs out", memory_runs_out},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
