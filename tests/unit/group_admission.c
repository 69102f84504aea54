/* Who may be in a group, and what a device must show for it. */
#include <string.h>

#include "e2e/group_int.h"
#include "group_devices.h"
#include "support/tap.h"

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

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
	        {"strangers are kept out", strangers_are_kept_out},
	        {"a device without a certificate is refused",
	                a_device_without_a_certificate_is_refused},
	        {"lifetimes are bounded", lifetimes_are_bounded},
	        {"rosters are compared", rosters_are_compared},
	        {"a group is of one conversation", a_group_is_of_one_conversation},
	};
	if (tacit_crypto_init() != TACIT_OK)
		return 1;
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
