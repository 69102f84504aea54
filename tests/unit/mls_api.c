/* The public interface: what examples/mls-hello.c does not show. */
#include <string.h>

#include "base/env.h"
#include "support/tap.h"
#include "tacit/mls.h"

static int64_t now(void *ctx)
{
	struct tacit_env *env = ctx;
	return tacit_env_now(env);
}

static void draw(void *ctx, uint8_t *out, size_t size)
{
	struct tacit_env *env = ctx;
	tacit_env_random(env, out, size);
}

static bool refuse_mallory(void *ctx, const struct tmls_member *m)
{
	(void)ctx;
	return m->identity.size != 7 || memcmp(m->identity.data, "mallory", 7) != 0;
}

static bool find_psk(void *ctx, struct tmls_view id, struct tmls_view *key)
{
	(void)ctx;
	*key = (struct tmls_view){(const uint8_t *)"secret", 6};
	return id.size == 3 && memcmp(id.data, "psk", 3) == 0;
}

static struct tmls_view text(const char *s)
{
	return (struct tmls_view){(const uint8_t *)s, strlen(s)};
}

static struct tmls_view view(struct tmls_bytes b)
{
	return (struct tmls_view){b.data, b.size};
}

struct pair {
	struct tacit_env env;
	struct tmls_client *a, *b;
	struct tmls_key_package *kp;
	struct tmls_group *at_a, *at_b;
};

static struct tmls_client *client(struct pair *p, const char *name)
{
	struct tmls_client *c = NULL;
	struct tmls_callbacks callbacks = {.ctx = &p->env,
	        .now = now,
	        .random = draw,
	        .accept_credential = refuse_mallory,
	        .find_psk = find_psk};
	CHECK_INT(tmls_client_new(TMLS_X25519_AES128_ED25519, text(name), (struct tmls_view){0},
	                  &callbacks, &c),
	        TMLS_OK);
	return c;
}

static bool meet(struct pair *p)
{
	struct tmls_bytes commit, welcome;
	*p = (struct pair){.env = tap_env(1)};
	p->a = client(p, "ann");
	p->b = client(p, "bob");
	if (p->a == NULL || p->b == NULL ||
	        !CHECK_INT(tmls_key_package_new(p->b, 1000, &p->kp), TMLS_OK))
		return false;
	struct tmls_view kp = tmls_key_package_message(p->kp);
	struct tmls_changes adding = {.adds = &kp, .add_count = 1};
	if (!CHECK_INT(tmls_group_create(p->a, text("g"), &p->at_a), TMLS_OK) ||
	        !CHECK_INT(tmls_group_commit(p->at_a, &adding, &commit, &welcome), TMLS_OK) ||
	        !CHECK_INT(tmls_group_accept(p->at_a), TMLS_OK) ||
	        !CHECK_INT(tmls_group_join(p->b, p->kp, view(welcome), &p->at_b), TMLS_OK))
		return false;
	tmls_bytes_free(&commit);
	tmls_bytes_free(&welcome);
	return true;
}

static void part(struct pair *p)
{
	tmls_group_free(p->at_a);
	tmls_group_free(p->at_b);
	tmls_key_package_free(p->kp);
	tmls_client_free(p->a);
	tmls_client_free(p->b);
}

static void takes_events(void)
{
	struct pair p;
	struct tmls_event e;
	struct tmls_bytes m, commit;
	uint8_t x[16], y[16];
	if (meet(&p)) {
		CHECK_INT(tmls_group_propose_update(p.at_b, &m), TMLS_OK);
		CHECK_INT(tmls_group_process(p.at_a, view(m), &e), TMLS_OK);
		CHECK_INT(e.kind, TMLS_EVENT_PROPOSAL);
		CHECK_INT(e.sender, 1);
		CHECK_BYTES(tacit_bytes(e.sender_identity.data, e.sender_identity.size),
		        TACIT_STR("bob"));
		tmls_event_clear(&e);
		tmls_bytes_free(&m);
		CHECK_INT(tmls_group_protect(p.at_a, text("x"), &m), TMLS_CONFLICT);
		CHECK(m.data == NULL && m.size == 0);
		struct tmls_view id = text("psk");
		struct tmls_changes psk = {.psks = &id, .psk_count = 1};
		CHECK_INT(tmls_group_commit(p.at_a, &psk, &commit, NULL), TMLS_OK);
		CHECK_INT(tmls_group_process(p.at_a, view(commit), &e), TMLS_OK);
		CHECK_INT(e.kind, TMLS_EVENT_COMMIT);
		tmls_event_clear(&e);
		CHECK_INT(tmls_group_process(p.at_b, view(commit), &e), TMLS_OK);
		tmls_event_clear(&e);
		tmls_bytes_free(&commit);
		CHECK_INT(tmls_group_epoch(p.at_b), 2);
		CHECK_INT(tmls_group_export(p.at_a, "x", text("c"), x, sizeof(x)), TMLS_OK);
		CHECK_INT(tmls_group_export(p.at_b, "x", text("c"), y, sizeof(y)), TMLS_OK);
		CHECK_BYTES(tacit_bytes(x, sizeof(x)), tacit_bytes(y, sizeof(y)));
		uint32_t b = tmls_group_own_leaf(p.at_b);
		struct tmls_changes away = {.removes = &b, .remove_count = 1};
		CHECK_INT(tmls_group_commit(p.at_a, &away, &commit, NULL), TMLS_OK);
		CHECK_INT(tmls_group_process(p.at_b, view(commit), &e), TMLS_OK);
		CHECK_INT(e.kind, TMLS_EVENT_REMOVED);
		tmls_event_clear(&e);
		CHECK_INT(tmls_group_process(p.at_b, view(commit), &e), TMLS_CONFLICT);
		commit.data[commit.size / 2] ^= 1;
		CHECK(tmls_group_process(p.at_a, view(commit), &e) != TMLS_OK);
		tmls_bytes_free(&commit);
	}
	part(&p);
}

static void refuses(void)
{
	struct pair p;
	struct tmls_bytes commit, welcome, saved;
	struct tmls_key_package *kp = NULL;
	struct tmls_client *c = NULL;
	struct tmls_group *g;
	struct tmls_callbacks none = {0};
	if (meet(&p)) {
		struct tmls_client *mallory = client(&p, "mallory");
		CHECK_INT(tmls_key_package_new(mallory, 1000, &kp), TMLS_OK);
		struct tmls_view m = tmls_key_package_message(kp);
		struct tmls_changes adding = {.adds = &m, .add_count = 1};
		CHECK_INT(
		        tmls_group_commit(p.at_a, &adding, &commit, &welcome), TMLS_BAD_CREDENTIAL);
		CHECK(commit.data == NULL && welcome.data == NULL);
		CHECK_INT(tmls_group_commit(p.at_a, &adding, &commit, NULL), TMLS_USAGE);
		m = text("not a key package");
		CHECK(tmls_group_commit(p.at_a, &adding, &commit, &welcome) != TMLS_OK);
		CHECK_INT(tmls_group_accept(p.at_a), TMLS_CONFLICT);
		CHECK_INT(
		        tmls_client_new(TMLS_P256_AES128_P256, text("x"), text("short"), &none, &c),
		        TMLS_USAGE);
		CHECK_INT(tmls_client_new((enum tmls_suite)0x7777, text("x"), text(""), &none, &c),
		        TMLS_UNSUPPORTED);
		CHECK(c == NULL);
		CHECK_INT(tmls_group_save(p.at_a, &saved), TMLS_OK);
		CHECK(tmls_group_load(p.a, (struct tmls_view){saved.data, saved.size - 1}, &g) !=
		        TMLS_OK);
		CHECK(g == NULL);
		tmls_bytes_free(&saved);
		CHECK(strlen(tmls_result_text(TMLS_GONE)) > 0);
		CHECK_INT(tmls_version(), TMLS_VERSION_MAJOR * 1000 + TMLS_VERSION_MINOR);
		tmls_key_package_free(kp);
		CHECK_INT(
		        tmls_key_package_new(mallory, TMLS_LIFETIME_MAX - 86399, &kp), TMLS_USAGE);
		CHECK(kp == NULL);
		CHECK_INT(tmls_key_package_new(mallory, TMLS_LIFETIME_MAX - 86400, &kp), TMLS_OK);
		tmls_key_package_free(kp);
		tmls_client_free(mallory);
	}
	part(&p);
}

static void keeps_keys(void)
{
	struct pair p;
	struct tmls_bytes saved;
	struct tmls_key_package *again = NULL;
	struct tmls_client *same = NULL;
	if (meet(&p)) {
		CHECK_INT(tmls_key_package_save(p.kp, &saved), TMLS_OK);
		CHECK_INT(tmls_key_package_load(p.b, view(saved), &again), TMLS_OK);
		struct tmls_view x = tmls_key_package_message(p.kp);
		struct tmls_view y = tmls_key_package_message(again);
		CHECK_BYTES(tacit_bytes(x.data, x.size), tacit_bytes(y.data, y.size));
		tmls_key_package_free(again);
		saved.data[0]++;
		CHECK_INT(tmls_key_package_load(p.b, view(saved), &again), TMLS_UNSUPPORTED);
		CHECK(again == NULL);
		tmls_bytes_free(&saved);
		struct tmls_callbacks callbacks = {.ctx = &p.env, .now = now, .random = draw};
		CHECK_INT(tmls_client_new(TMLS_X25519_AES128_ED25519, text("bob"),
		                  tmls_client_signing_key(p.b), &callbacks, &same),
		        TMLS_OK);
		x = tmls_client_public_key(p.b);
		y = tmls_client_public_key(same);
		CHECK_BYTES(tacit_bytes(x.data, x.size), tacit_bytes(y.data, y.size));
		tmls_client_free(same);
	}
	part(&p);
}

static const struct tap_case cases[] = {
        {"events are taken", takes_events},
        {"what is not good is refused", refuses},
        {"keys are kept", keeps_keys},
};

int main(int argc, char **argv)
{
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
