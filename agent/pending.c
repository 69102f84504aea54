#define _GNU_SOURCE /* mkostemp */
#include "agent/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/profile.h"
#include "client/paths.h"
#include "crypto/encoding.h"
#include "e2e/record.h"
#include "wire/json.h"

#define LABEL "agent registration"
#define MAX_FILE 8192

/* --- the vault ---------------------------------------------------------------------------------
 * A key of its own, wrapped by the password as an account's is (e2e/account.h), and what it seals.
 */

static enum tacit_err make_key(const struct tacit_account *a, uint8_t key[TACIT_STORE_KEY_BYTES],
        struct tacit_record_id *id)
{
	enum tacit_err err;
	TRY(tacit_account_derive(a, LABEL, key, TACIT_STORE_KEY_BYTES));
	tacit_record_id(key, TACIT_STR(LABEL), id);
out:
	return err;
}

static enum tacit_err seal(const struct pending_owner *o, struct tacit_bytes plain, json_t **out)
{
	enum tacit_err err;
	struct tacit_account vault = {0};
	struct tacit_buf wrapped = {0}, sealed = {0}, text = {0}, wrapped_text = {0};
	struct tacit_record_id id;
	uint8_t key[TACIT_STORE_KEY_BYTES] = {0}, iv[TACIT_WRAP_IV_BYTES];
	char iv_text[2 * TACIT_WRAP_IV_BYTES + 1];
	const struct tacit_env *env = &o->agent->env;
	TRY(tacit_account_create(env, &vault));
	TRY(make_key(&vault, key, &id));
	TRY(tacit_record_seal(key, &id, plain, env, &sealed));
	TRY(tacit_account_wrap(&vault, o->username, o->password, env, &wrapped, iv));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&sealed), &text));
	TRY(tacit_base64(TACIT_BASE64, tacit_buf_view(&wrapped), &wrapped_text));
	tacit_hex(tacit_bytes(iv, sizeof(iv)), iv_text);
	*out = json_object();
	TRY(*out != NULL ? TACIT_OK : TACIT_E_NOMEM);
	TRY(tacit_json_set_text(*out, "iv", tacit_cstr(iv_text)));
	TRY(tacit_json_set_text(*out, "wrapped", tacit_buf_view(&wrapped_text)));
	TRY(tacit_json_set_text(*out, "sealed", tacit_buf_view(&text)));
out:
	tacit_wipe(key, sizeof(key));
	tacit_account_clear(&vault);
	tacit_buf_clear(&wrapped);
	tacit_buf_clear(&sealed);
	tacit_buf_clear(&text);
	tacit_buf_clear(&wrapped_text);
	return err;
}

static enum tacit_err take_base64(const json_t *o, const char *name, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_bytes text;
	TRY(tacit_json_text(o, name, TACIT_REQUIRED, MAX_FILE, &text));
	TRY(tacit_unbase64(TACIT_BASE64, text, out));
out:
	return err;
}

static enum tacit_err unseal(
        const struct pending_owner *o, const json_t *file, struct tacit_buf *out)
{
	enum tacit_err err;
	struct tacit_account vault = {0};
	struct tacit_buf wrapped = {0}, sealed = {0};
	struct tacit_record_id id;
	struct tacit_bytes iv_text;
	uint8_t key[TACIT_STORE_KEY_BYTES] = {0}, iv[TACIT_WRAP_IV_BYTES];
	TRY(tacit_json_text(file, "iv", TACIT_REQUIRED, 2 * sizeof(iv), &iv_text));
	TRY(tacit_unhex(iv_text, iv, sizeof(iv)));
	TRY(take_base64(file, "wrapped", &wrapped));
	TRY(take_base64(file, "sealed", &sealed));
	TRY(tacit_account_unwrap(tacit_buf_view(&wrapped), tacit_bytes(iv, sizeof(iv)), o->username,
	        o->password, &vault));
	TRY(make_key(&vault, key, &id));
	TRY(tacit_buf_reserve(out, sealed.n));
	TRY(tacit_record_open(key, &id, tacit_buf_view(&sealed), out));
out:
	tacit_wipe(key, sizeof(key));
	tacit_account_clear(&vault);
	tacit_buf_clear(&wrapped);
	tacit_buf_clear(&sealed);
	return err;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static enum tacit_err find_path(const struct pending_owner *o, struct tacit_buf *out)
{
	enum tacit_err err;
	char profile[PROFILE_NAME_ROOM];
	profile_name(o->agent, o->username, profile);
	TRY(paths_agent(out));
	TRY(tacit_buf_printf(out, "/%s.registering", profile));
	TRY(tacit_buf_terminate(out));
out:
	return err;
}

static enum tacit_err sync_folder(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash != NULL ? (size_t)(slash - path) : sizeof(folder);
	if (n >= sizeof(folder))
		return TACIT_E_IO;
	memcpy(folder, path, n);
	folder[n] = '\0';
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced ? TACIT_OK : TACIT_E_IO;
}

static enum tacit_err write_file(const char *path, struct tacit_bytes text)
{
	enum tacit_err err;
	struct tacit_buf draft = {0};
	TRY(tacit_buf_printf(&draft, "%s.XXXXXX", path));
	TRY(tacit_buf_terminate(&draft));
	int fd = mkostemp((char *)draft.p, O_CLOEXEC);
	TRY(fd >= 0 ? TACIT_OK : TACIT_E_IO);
	bool whole = write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
	close(fd);
	err = whole && rename((const char *)draft.p, path) == 0 ? sync_folder(path) : TACIT_E_IO;
	if (err != TACIT_OK)
		unlink((const char *)draft.p);
out:
	tacit_buf_clear(&draft);
	return err;
}

static enum tacit_err read_file(const char *path, struct tacit_buf *out)
{
	enum tacit_err err;
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? TACIT_E_NOT_FOUND : TACIT_E_IO;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	        (st.st_mode & 077) != 0 || st.st_size <= 0 || st.st_size > MAX_FILE)
		TRY(TACIT_E_IO);
	TRY(tacit_buf_reserve(out, (size_t)st.st_size));
	TRY(read(fd, out->p, (size_t)st.st_size) == st.st_size ? TACIT_OK : TACIT_E_IO);
	out->n = (size_t)st.st_size;
out:
	close(fd);
	return err;
}

/* --- the face ----------------------------------------------------------------------------------
 */

/* The address, a line feed, and the rest as totp.h keeps it. */
static enum tacit_err encode(const struct pending *p, struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(tacit_buf_reserve(out, sizeof(*p) + 512));
	TRY(tacit_buf_append(out, tacit_cstr(p->email)));
	TRY(tacit_buf_append(out, TACIT_STR("\n")));
	TRY(totp_encode(&p->keep, out));
out:
	return err;
}

static enum tacit_err decode(struct tacit_bytes plain, struct pending *out)
{
	const uint8_t *end = plain.n > 0 ? memchr(plain.p, '\n', plain.n) : NULL;
	size_t n = end != NULL ? (size_t)(end - plain.p) : sizeof(out->email);
	if (n >= sizeof(out->email))
		return TACIT_E_MALFORMED;
	memcpy(out->email, plain.p, n);
	out->email[n] = '\0';
	return totp_decode(tacit_bytes_part(plain, n + 1, plain.n), &out->keep);
}

enum tacit_err pending_put(const struct pending_owner *o, const struct pending *p)
{
	enum tacit_err err;
	struct tacit_buf path = {0}, plain = {0}, text = {0};
	json_t *file = NULL;
	TRY(find_path(o, &path));
	TRY(encode(p, &plain));
	TRY(seal(o, tacit_buf_view(&plain), &file));
	TRY(tacit_json_write(file, &text));
	TRY(write_file((const char *)path.p, tacit_buf_view(&text)));
out:
	json_decref(file);
	tacit_buf_clear(&path);
	tacit_buf_clear(&plain);
	tacit_buf_clear(&text);
	return err;
}

enum tacit_err pending_get(const struct pending_owner *o, struct pending *out)
{
	enum tacit_err err;
	struct tacit_buf path = {0}, plain = {0}, text = {0};
	json_t *file = NULL;
	*out = (struct pending){0};
	TRY(find_path(o, &path));
	TRY(read_file((const char *)path.p, &text));
	TRY(tacit_json_parse(tacit_buf_view(&text), &file));
	TRY(unseal(o, file, &plain));
	TRY(decode(tacit_buf_view(&plain), out));
out:
	if (err != TACIT_OK)
		tacit_wipe(out, sizeof(*out));
	json_decref(file);
	tacit_buf_clear(&path);
	tacit_buf_clear(&plain);
	tacit_buf_clear(&text);
	return err;
}

void pending_forget(const struct pending_owner *o)
{
	struct tacit_buf path = {0};
	if (find_path(o, &path) == TACIT_OK)
		unlink((const char *)path.p);
	tacit_buf_clear(&path);
}
