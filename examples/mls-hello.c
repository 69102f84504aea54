/* mls-hello.c - two people and a device that comes later talk in an end-to-end encrypted group.
 *
 * Build: cc mls-hello.c $(pkg-config --cflags --libs tacit-mls). The network is a variable here:
 * what one side gives, the other gets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <tacit/mls.h>

static void must(enum tmls_result r, const char *what)
{
	if (r == TMLS_OK)
		return;
	fprintf(stderr, "mls-hello: %s: %s\n", what, tmls_result_text(r));
	exit(1);
}

static int64_t now(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

static void draw(void *ctx, uint8_t *out, size_t size)
{
	(void)ctx;
	while (size > 0) {
		size_t part = size < 256 ? size : 256;
		if (getrandom(out, part, 0) != (ssize_t)part)
			abort();
		out += part;
		size -= part;
	}
}

/* A real application looks the key up: who has it vouched for? */
static bool accept_credential(void *ctx, const struct tmls_member *member)
{
	(void)ctx;
	return member->identity.size > 0;
}

static struct tmls_view view(struct tmls_bytes b)
{
	return (struct tmls_view){b.data, b.size};
}

static struct tmls_view text(const char *s)
{
	return (struct tmls_view){(const uint8_t *)s, strlen(s)};
}

static struct tmls_client *new_client(const char *name)
{
	struct tmls_client *c;
	struct tmls_callbacks callbacks = {
	        .now = now, .random = draw, .accept_credential = accept_credential};
	must(tmls_client_new(TMLS_MLKEM768X25519_AES256_ED25519, text(name), (struct tmls_view){0},
	             &callbacks, &c),
	        "a new client");
	return c;
}

/* Whatever comes from the network goes here. */
static void receive(struct tmls_group *g, struct tmls_bytes message)
{
	struct tmls_event e;
	must(tmls_group_process(g, view(message), &e), "a message comes in");
	if (e.kind == TMLS_EVENT_MESSAGE)
		printf("%.*s: %.*s\n", (int)e.sender_identity.size,
		        (const char *)e.sender_identity.data, (int)e.text.size,
		        (const char *)e.text.data);
	if (e.kind == TMLS_EVENT_REMOVED)
		printf("(one device is out of the group)\n");
	tmls_event_clear(&e);
}

static struct tmls_bytes say(struct tmls_group *g, const char *what)
{
	struct tmls_bytes message;
	must(tmls_group_protect(g, text(what), &message), "saying something");
	return message;
}

/* What a restart of the program does. */
static struct tmls_group *store_and_load(const struct tmls_client *c, struct tmls_group *g)
{
	struct tmls_bytes saved;
	must(tmls_group_save(g, &saved), "saving");
	tmls_group_free(g);
	must(tmls_group_load(c, view(saved), &g), "loading");
	tmls_bytes_free(&saved);
	return g;
}

int main(void)
{
	struct tmls_bytes commit, welcome, info, message;
	struct tmls_group *at_alice, *at_bob, *at_tablet;
	struct tmls_key_package *k;
	struct tmls_client *alice = new_client("alice");
	struct tmls_client *bob = new_client("bob");
	struct tmls_client *tablet = new_client("bob's tablet");
	uint8_t id[32];
	draw(NULL, id, sizeof(id));

	/* Bob has published a key package. Alice makes a group and adds him. */
	must(tmls_key_package_new(bob, 30 * 86400, &k), "a key package");
	must(tmls_group_create(alice, (struct tmls_view){id, sizeof(id)}, &at_alice), "a group");
	struct tmls_view published = tmls_key_package_message(k);
	struct tmls_changes adding = {.adds = &published, .add_count = 1};
	must(tmls_group_commit(at_alice, &adding, &commit, &welcome), "adding bob");
	must(tmls_group_accept(at_alice), "the server has taken the commit");
	must(tmls_group_join(bob, k, view(welcome), &at_bob), "bob joins");
	tmls_bytes_free(&commit);
	tmls_bytes_free(&welcome);
	tmls_key_package_free(k);

	message = say(at_alice, "hello, bob");
	receive(at_bob, message);
	tmls_bytes_free(&message);

	/* Bob's tablet joins by itself, with what Alice left on the server. */
	must(tmls_group_info(at_alice, &info), "a description of the group");
	must(tmls_group_join_external(tablet, view(info), NULL, &commit, &at_tablet),
	        "the tablet joins");
	receive(at_alice, commit);
	receive(at_bob, commit);
	tmls_bytes_free(&commit);
	tmls_bytes_free(&info);

	at_alice = store_and_load(alice, at_alice);
	message = say(at_tablet, "I am here, too");
	receive(at_alice, message);
	receive(at_bob, message);
	tmls_bytes_free(&message);

	/* Alice gets a new key: what was stolen from her until now is worth nothing any more. */
	must(tmls_group_commit(at_alice, NULL, &commit, NULL), "a new key");
	must(tmls_group_accept(at_alice), "the server has taken the commit");
	receive(at_bob, commit);
	receive(at_tablet, commit);
	tmls_bytes_free(&commit);

	/* Bob has lost the tablet, and removes it: what is said from now on is not for it. */
	uint32_t lost = tmls_group_own_leaf(at_tablet);
	struct tmls_changes removing = {.removes = &lost, .remove_count = 1};
	must(tmls_group_commit(at_bob, &removing, &commit, NULL), "removing the tablet");
	must(tmls_group_accept(at_bob), "the server has taken the commit");
	receive(at_alice, commit);
	receive(at_tablet, commit);
	tmls_bytes_free(&commit);
	message = say(at_bob, "just the two of us again");
	receive(at_alice, message);
	struct tmls_event e;
	if (tmls_group_process(at_tablet, view(message), &e) != TMLS_FUTURE)
		abort();
	tmls_bytes_free(&message);

	/* All see the same: this is what two people would compare. */
	struct tmls_view a = tmls_group_authenticator(at_alice);
	struct tmls_view b = tmls_group_authenticator(at_bob);
	bool same = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
	printf("epoch %llu, %s\n", (unsigned long long)tmls_group_epoch(at_bob),
	        same ? "and all agree" : "but they do not agree");

	tmls_group_free(at_alice);
	tmls_group_free(at_bob);
	tmls_group_free(at_tablet);
	tmls_client_free(alice);
	tmls_client_free(bob);
	tmls_client_free(tablet);
	return same ? 0 : 1;
}
