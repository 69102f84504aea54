#include "group_devices.h"

#include <string.h>

#include "support/tap.h"

struct tacit_env env;
struct peer peers[MAX_DEVICES];
size_t strangers_from;
uint64_t next_message;

static bool belongs(void *ctx, const struct tacit_sign_public *account)
{
	(void)ctx;
	for (size_t i = 0; i < strangers_from; i++)
		if (memcmp(peers[i].account.public.b, account->b, sizeof(account->b)) == 0)
			return true;
	return false;
}

struct tacit_self self(const struct peer *p)
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

bool set_up(void)
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

void tear_down(void)
{
	for (size_t i = 0; i < MAX_DEVICES; i++) {
		tacit_group_destroy(peers[i].group);
		tacit_account_clear(&peers[i].account);
		tacit_buf_clear(&peers[i].package);
		tacit_buf_clear(&peers[i].secret);
		peers[i] = (struct peer){0};
	}
}

void store_and_load(struct peer *p)
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

enum tacit_err stage(struct peer *p, size_t count, const struct peer *const *add,
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

enum tacit_err process(struct peer *p, uint64_t message, const struct tacit_buf *bytes,
        struct tacit_group_event *ev)
{
	struct tacit_self s = self(p);
	return tacit_group_process(p->group, &s, message, tacit_buf_view(bytes), ev);
}

uint64_t commit(
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

bool set_up_group(void)
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

void say(struct peer *p, const char *text, size_t deaf)
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

bool agree(const struct peer *a, const struct peer *b)
{
	uint8_t x[32], y[32];
	return tacit_group_fingerprint(a->group, x) == TACIT_OK &&
	       tacit_group_fingerprint(b->group, y) == TACIT_OK && memcmp(x, y, 32) == 0;
}
