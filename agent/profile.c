#include "agent/profile.h"

#include <stdio.h>
#include <string.h>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "wire/names.h"

#define PLACEHOLDER_DOMAIN "@placeholder.invalid" /* RFC 2606 2: nobody ever has it */
#define SERVER_DIGITS 8

void profile_name(const struct agent *a, struct tacit_bytes username, char out[PROFILE_NAME_ROOM])
{
	uint8_t hash[TACIT_SHA256_BYTES], lower[TACIT_MAX_USERNAME];
	char digits[SERVER_DIGITS + 1];
	size_t n = tacit_username_lower(username, lower);
	tacit_sha256(tacit_cstr(a->server), hash);
	tacit_hex(tacit_bytes(hash, SERVER_DIGITS / 2), digits);
	snprintf(out, PROFILE_NAME_ROOM, "agent-%.*s-%s", (int)n, (const char *)lower, digits);
}

/* Dots may stand at places where an address has none; a plus is in no username. */
enum tacit_err profile_placeholder_email(struct tacit_bytes username, struct tacit_buf *out)
{
	uint8_t lower[TACIT_MAX_USERNAME];
	size_t n = tacit_username_lower(username, lower);
	for (size_t i = 0; i < n; i++)
		if (lower[i] == '.')
			lower[i] = '+';
	return tacit_buf_printf(out, "%.*s" PLACEHOLDER_DOMAIN, (int)n, (const char *)lower);
}

bool profile_email_is_placeholder(struct tacit_bytes email)
{
	const struct tacit_bytes domain = TACIT_STR(PLACEHOLDER_DOMAIN);
	return email.n > domain.n &&
	       tacit_bytes_eq(tacit_bytes_part(email, email.n - domain.n, domain.n), domain);
}

static enum tacit_err open_named(
        const struct agent *a, const char *name, enum paths_mode mode, struct host **out)
{
	const struct host_options o = {
	        .profile = name,
	        .server = a->server,
	        .ca_file = a->o->ca_file,
	        .insecure_http = a->o->insecure_http,
	        .mode = mode,
	        .cancel = a->o->cancel,
	};
	return host_open(&o, out);
}

/* --- one of the command line ------------------------------------------------------------------ */

struct search {
	const struct agent *agent;
	struct tacit_bytes username;
	char name[PROFILE_NAME_ROOM];
};

static bool is_for(const struct host *h, struct tacit_bytes username, const char *server)
{
	uint8_t ours[TACIT_MAX_USERNAME], wanted[TACIT_MAX_USERNAME];
	struct tacit_bytes name = tacit_engine_username(host_engine(h));
	size_t n = tacit_username_lower(name, ours), m = tacit_username_lower(username, wanted);
	return tacit_engine_has_account(host_engine(h)) &&
	       tacit_bytes_eq(tacit_bytes(ours, n), tacit_bytes(wanted, m)) &&
	       strcmp(http_server(host_http(h)), server) == 0;
}

/* The server that a profile remembers counts, not ours. A profile that cannot be opened is not it.
 */
static bool look_at(void *ctx, const char *name)
{
	struct search *s = ctx;
	struct host *h = NULL;
	const struct host_options o = {
	        .profile = name, .mode = PATHS_FIND, .cancel = s->agent->o->cancel};
	if (strlen(name) >= sizeof(s->name) || host_open(&o, &h) != TACIT_OK)
		return true;
	if (is_for(h, s->username, s->agent->server))
		snprintf(s->name, sizeof(s->name), "%s", name);
	host_close(h);
	return s->name[0] == '\0';
}

enum tacit_err profile_open(const struct agent *a, struct tacit_bytes username, struct host **out)
{
	enum tacit_err err;
	struct search s = {.agent = a, .username = username};
	char name[PROFILE_NAME_ROOM];
	profile_name(a, username, name);
	err = open_named(a, name, PATHS_FIND, out);
	if (err == TACIT_OK && tacit_engine_has_account(host_engine(*out)))
		return TACIT_OK;
	if (err == TACIT_OK)
		host_close(*out);
	*out = NULL;
	TRY(err == TACIT_E_NOT_FOUND ? TACIT_OK : err);
	TRY(paths_each_profile(look_at, &s));
	TRY(s.name[0] != '\0' ? TACIT_OK : TACIT_E_NOT_FOUND);
	TRY(open_named(a, s.name, PATHS_FIND, out));
out:
	return err;
}

enum tacit_err profile_create(const struct agent *a, struct tacit_bytes username, struct host **out)
{
	char name[PROFILE_NAME_ROOM];
	profile_name(a, username, name);
	return open_named(a, name, PATHS_CREATE, out);
}

void profile_discard(const struct agent *a, struct tacit_bytes username, struct host *h)
{
	char name[PROFILE_NAME_ROOM];
	if (h == NULL)
		return;
	bool empty = !tacit_engine_has_account(host_engine(h));
	host_close(h);
	profile_name(a, username, name);
	if (empty)
		tacit_ignore(paths_remove_profile(name), "an empty profile is in nobody's way");
}
