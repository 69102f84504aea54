#include "server/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/random.h"
#include "server/api/api.h"
#include "server/config.h"
#include "server/data_folder.h"
#include "server/store/backup.h"
#include "server/store/store.h"
#include "wire/pem.h"

struct admin {
	struct data_folder folder;
	char *url;
	struct store *store;
	char why[256];
};

struct command {
	const char *name, *arguments, *help;
	int count; /* of arguments */
	enum { NO_STORE, READING, WRITING } use;
	enum tacit_err (*run)(struct admin *a, char *const *arguments);
};

static void print_time(const char *label, int64_t when)
{
	char text[32] = "";
	struct tm utc;
	time_t t = (time_t)when;
	if (gmtime_r(&t, &utc) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	printf("%s%s", label, text);
}

static enum tacit_err print_user(void *ctx, const struct store_user *u)
{
	struct admin *a = ctx;
	int64_t bytes = 0;
	enum tacit_err err = a->store->ops->user_usage(a->store, u->id, &bytes);
	if (err != TACIT_OK)
		return err;
	printf("%-24s %8" PRId64 "  %-30s", u->username, u->id, u->email);
	print_time("  since ", u->created_at);
	printf("  files %" PRId64 " bytes", bytes);
	if (u->quota_bytes >= 0)
		printf(" of %" PRId64, u->quota_bytes);
	printf("%s%s\n", u->admin ? "  admin" : "", u->disabled ? "  disabled" : "");
	return TACIT_OK;
}

struct page {
	struct admin *admin;
	int64_t last_id;
	unsigned count;
};

static enum tacit_err print_in_page(void *ctx, const struct store_user *u)
{
	struct page *p = ctx;
	p->last_id = u->id;
	p->count++;
	return print_user(p->admin, u);
}

static enum tacit_err list_users(struct admin *a, char *const *arguments)
{
	const unsigned limit = 500;
	struct page p = {.admin = a};
	(void)arguments;
	do {
		p.count = 0;
		enum tacit_err err =
		        a->store->ops->user_list(a->store, p.last_id, limit, print_in_page, &p);
		if (err != TACIT_OK)
			return err;
	} while (p.count == limit);
	return TACIT_OK;
}

static enum tacit_err find_user(struct admin *a, const char *name, struct store_user *out)
{
	enum tacit_err err = a->store->ops->user_by_name(a->store, name, out);
	if (err == TACIT_E_NOT_FOUND)
		snprintf(a->why, sizeof(a->why), "there is no user %s", name);
	return err;
}

/* A server that runs beside us looks at its open connections when it finds this changed. */
static enum tacit_err mark_logins(struct admin *a)
{
	int64_t mark;
	tacit_random(&mark, sizeof(mark));
	return a->store->ops->meta_set(a->store, API_LOGINS_MARK, tacit_bytes(&mark, sizeof(mark)));
}

static enum tacit_err set_disabled(struct admin *a, const char *name, bool disabled)
{
	struct store_user u;
	enum tacit_err err = find_user(a, name, &u);
	if (err == TACIT_OK)
		err = a->store->ops->user_set_disabled(a->store, u.id, disabled);
	if (err == TACIT_OK)
		err = mark_logins(a);
	if (err == TACIT_OK)
		printf("%s is %s\n", u.username,
		        disabled ? "disabled; all sessions have ended" : "enabled");
	return err;
}

static enum tacit_err disable(struct admin *a, char *const *arguments)
{
	return set_disabled(a, arguments[0], true);
}

static enum tacit_err enable(struct admin *a, char *const *arguments)
{
	return set_disabled(a, arguments[0], false);
}

static enum tacit_err set_quota(struct admin *a, char *const *arguments)
{
	enum tacit_err err;
	struct store_user u;
	char *end;
	long long bytes = strtoll(arguments[1], &end, 10);
	bool preset = strcmp(arguments[1], "default") == 0;
	if (!preset &&
	        (*end != '\0' || end == arguments[1] || bytes < 0 || bytes > TACIT_MAX_INTEGER)) {
		snprintf(a->why, sizeof(a->why), "a quota is a number of bytes, or \"default\"");
		return TACIT_E_USAGE;
	}
	TRY(find_user(a, arguments[0], &u));
	TRY(a->store->ops->user_set_quota(a->store, u.id, preset ? -1 : bytes));
	printf("%s may keep %s%s\n", u.username,
	        preset ? "what the server's setting says" : arguments[1], preset ? "" : " bytes");
out:
	return err;
}

static enum tacit_err invite(struct admin *a, char *const *arguments)
{
	char code[API_INVITATION_CHARS + 1];
	struct tacit_env env = tacit_system_env();
	bool admin = arguments[0] != NULL && strcmp(arguments[0], "--admin") == 0;
	enum tacit_err err = api_invitation_create(
	        a->store, &env, admin ? API_INVITE_ADMIN : API_INVITE_USER, code);
	if (err == TACIT_OK)
		printf("%s\n", code);
	return err;
}

static enum tacit_err print_conversation(void *ctx, const struct store_conversation *c)
{
	static const char *const kinds[] = {"", "direct", "group", "room", "session"};
	(void)ctx;
	printf("  %8" PRId64 "  %-8s last message %" PRId64 ", unread %" PRId64, c->id,
	        kinds[c->kind], c->last_message_id, c->unread);
	print_time("  since ", c->created_at);
	printf("\n");
	return TACIT_OK;
}

static enum tacit_err print_device(void *ctx, int64_t user_id, const struct tacit_device *d)
{
	(void)ctx;
	(void)user_id;
	printf("  ");
	for (size_t i = 0; i < sizeof(d->id.b); i++)
		printf("%02x", d->id.b[i]);
	print_time("  since ", d->created_at);
	printf("\n");
	return TACIT_OK;
}

/* What the server keeps about a person, but for opaque bytes. */
static enum tacit_err show(struct admin *a, char *const *arguments)
{
	enum tacit_err err;
	struct store_user u;
	struct tacit_buf pem = {0};
	struct tacit_sign_public pk;
	int64_t now = (int64_t)time(NULL);
	TRY(find_user(a, arguments[0], &u));
	TRY(print_user(a, &u));
	memcpy(pk.b, u.public_key, sizeof(pk.b));
	TRY(tacit_pem_write_public(&pk, &pem));
	printf("%.*s", (int)pem.n, (const char *)pem.p);
	printf("also kept, unreadable: a hash of the password's hash, the sealed 2FA seed, hashed "
	       "recovery "
	       "codes, the wrapped account key, hashed session tokens\n");
	printf("devices:\n");
	TRY(a->store->ops->device_list(a->store, u.id, print_device, a));
	printf("conversations (their messages are opaque):\n");
	TRY(a->store->ops->conversation_list(a->store, u.id, 0, now, print_conversation, a));
out:
	tacit_buf_clear(&pem);
	return err;
}

static void print_report(const char *what, const struct backup_report *r)
{
	printf("%s: %" PRIu64 " files, %" PRIu64 " bytes", what, r->files, r->bytes);
	print_time(", of ", r->created_at);
	if (r->deleted > 0)
		printf("; %" PRIu64 " were deleted while it ran", r->deleted);
	printf("\n");
	if (r->missing > 0)
		printf("tacitd: warning: the server itself had lost %" PRIu64 " files\n",
		        r->missing);
}

static enum tacit_err backup(struct admin *a, char *const *arguments)
{
	enum tacit_err err;
	struct backup_report report;
	char *blobs = data_folder_join(&a->folder, "", STORE_BLOB_FOLDER);
	TRY(blobs != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(backup_create(a->url, blobs, arguments[0], &report, a->why));
	print_report("backed up", &report);
	printf("The server's key is not in it: keep SECRET_KEY, or server.key of the data folder, "
	       "apart.\n");
out:
	tacit_free(blobs);
	return err;
}

static enum tacit_err verify_backup(struct admin *a, char *const *arguments)
{
	struct backup_report report;
	enum tacit_err err = backup_verify(arguments[0], &report, a->why);
	if (err == TACIT_OK)
		print_report("the backup is whole", &report);
	return err;
}

static enum tacit_err restore(struct admin *a, char *const *arguments)
{
	struct backup_report report;
	enum tacit_err err = backup_restore(arguments[0], arguments[1], &report, a->why);
	if (err == TACIT_OK)
		print_report("restored", &report);
	if (err == TACIT_OK)
		printf("Put server.key beside it, or set SECRET_KEY, before the server starts.\n");
	return err;
}

static const struct command commands[] = {
        {"users", "", "list all users", 0, READING, list_users},
        {"show", "NAME", "all that is kept about a user", 1, READING, show},
        {"disable", "NAME", "end all sessions of a user and refuse new ones", 1, WRITING, disable},
        {"enable", "NAME", "let a disabled user in again", 1, WRITING, enable},
        {"quota", "NAME BYTES", "room for a user's files; \"default\": the setting's", 2, WRITING,
                set_quota},
        {"invite", "[--admin]", "print a new one-time invitation", -1, WRITING, invite},
        {"backup", "FILE", "everything into one file, while the server runs", 1, READING, backup},
        {"verify-backup", "FILE", "check every part of a backup", 1, NO_STORE, verify_backup},
        {"restore", "FILE DIR", "unpack a backup into an empty data folder", 2, NO_STORE, restore},
};

static int usage(FILE *out)
{
	fprintf(out, "usage: tacitd admin [--data DIR] COMMAND\n\n");
	for (size_t i = 0; i < TACIT_COUNT(commands); i++) {
		char left[48];
		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
		fprintf(out, "  %-24s %s\n", left, commands[i].help);
	}
	return out == stdout ? 0 : 2;
}

/* Where the server finds it, too. */
static enum tacit_err find_store(struct admin *a)
{
	const char *given = getenv("DATABASE_URL");
	struct tacit_buf url = {0};
	if (given == NULL || *given == '\0') {
		a->url = data_folder_join(&a->folder, "sqlite://", STORE_DATABASE_NAME);
		return a->url != NULL ? TACIT_OK : TACIT_E_NOMEM;
	}
	enum tacit_err err = tacit_buf_append(&url, tacit_cstr(given));
	if (err == TACIT_OK)
		err = tacit_buf_terminate(&url);
	if (err == TACIT_OK)
		a->url = (char *)url.p;
	else
		tacit_buf_clear(&url);
	return err;
}

static enum tacit_err open_store(struct admin *a, const struct command *c, const char *data)
{
	enum tacit_err err;
	if (c->use == NO_STORE)
		return TACIT_OK;
	TRY(data_folder_open(&a->folder, data, DATA_FOLDER_ADMIN, a->why));
	TRY(find_store(a));
	TRY(store_open(a->url, c->use == WRITING ? STORE_WRITER : STORE_READER, a->why, &a->store));
out:
	return err;
}

static int run(const struct command *c, const char *data, char *const *arguments)
{
	enum tacit_err err;
	struct admin a = {.folder.lock = -1};
	TRY(open_store(&a, c, data));
	TRY(c->run(&a, arguments));
	if (fflush(stdout) != 0)
		err = TACIT_E_IO;
out:
	store_close(a.store);
	tacit_free(a.url);
	data_folder_close(&a.folder);
	if (err == TACIT_OK)
		return 0;
	fprintf(stderr, "tacitd: error: %s\n", a.why[0] != '\0' ? a.why : tacit_err_text(err));
	return err == TACIT_E_USAGE ? 2 : 1;
}

int admin_main(int argc, char *const *argv, char *const *environment)
{
	const char *given = NULL;
	int i = 1;
	if (i < argc && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
		return usage(stdout);
	if (i + 1 < argc && strcmp(argv[i], "--data") == 0) {
		given = argv[i + 1];
		i += 2;
	}
	const struct command *c = NULL;
	for (size_t k = 0; i < argc && k < TACIT_COUNT(commands); k++)
		if (strcmp(argv[i], commands[k].name) == 0)
			c = &commands[k];
	if (c == NULL)
		return usage(stderr);
	int count = argc - i - 1;
	if (c->count >= 0 ? count != c->count
	                  : count > 1 || (count == 1 && strcmp(argv[i + 1], "--admin") != 0))
		return usage(stderr);
	char *preset = given == NULL ? config_default_data(environment) : NULL;
	int status = run(c, given != NULL ? given : preset != NULL ? preset : "", argv + i + 1);
	tacit_free(preset);
	return status;
}
