#include "cli/parcel_keep.h"

#include <string.h>

#include "cli/json_out.h"

/* --- before ---------------------------------------------------------------------------------- */

static int open_profile(struct parcel_keep *k)
{
	struct cli *c = k->cli;
	const struct host_options look = {.profile = c->profile,
	        .server = c->server,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .mode = PATHS_FIND,
	        .cancel = &cli_cancelled};
	enum tacit_err err = c->host == NULL ? host_open(&look, &c->host) : TACIT_OK;
	if (err == TACIT_E_NOT_FOUND ||
	        (err == TACIT_OK && !tacit_engine_has_account(host_engine(c->host))))
		return EXIT_DONE;
	int status = cli_open(c, CLI_UNLOCKED); /* which says what is wrong with it */
	k->able = status == EXIT_DONE;
	return status;
}

int parcel_keep_prepare(struct parcel_keep *k, struct cli *c, const struct args *a, FILE *out)
{
	*k = (struct parcel_keep){.cli = c,
	        .out = out,
	        .wanted = cli_option(a, "keep-contact") != NULL,
	        .yes = cli_option(a, "yes") != NULL};
	if (!k->wanted)
		return EXIT_DONE;
	if (cli_option(a, "receivers") != NULL)
		return cli_usage_error(NULL, "A contact is kept with one receiver, not several.");
	int status = open_profile(k);
	if (status != EXIT_DONE || c->json || c->quiet)
		return status;
	if (k->able)
		fprintf(stderr, "Afterwards you can keep each other as contacts, if the other one "
		                "gives --keep-contact, too.\n");
	else
		fprintf(stderr, "This profile has no account, so no contact will be kept. The "
		                "transfer goes on without.\n");
	return EXIT_DONE;
}

enum tacit_err parcel_keep_card(
        const struct parcel_keep *k, const struct tacit_parcel_seat *seat, struct tacit_buf *out)
{
	const struct host *h = k->cli->host;
	return tacit_engine_card(host_engine(h), seat, tacit_cstr(http_server(host_http(h))), out);
}

/* --- after ----------------------------------------------------------------------------------- */

static void tell(const struct parcel_keep *k, const struct parcel_other *other, const char *why)
{
	bool kept = why == NULL;
	if (k->cli->json) {
		json_t *o = json_out_new("contact");
		if (other->state == PARCEL_OTHER_SHOWN) {
			json_out_text(o, "username", tacit_cstr(other->username));
			json_out_text(o, "server", tacit_cstr(other->server));
		}
		json_out_bool(o, "kept", kept);
		if (!kept)
			json_out_text(o, "reason", tacit_cstr(why));
		json_out_print(k->out, o);
	} else if (!k->cli->quiet && kept) {
		fprintf(k->out, "%s is a contact now, and verified.\n", other->username);
	} else if (!k->cli->quiet) {
		fprintf(k->out, "No contact was kept: %s\n", why);
	}
}

static const char *why_not(const struct parcel_other *other)
{
	static const char *const why[] = {
	        [PARCEL_OTHER_SILENT] = "the other one has not asked for it (--keep-contact).",
	        [PARCEL_OTHER_HAS_NONE] = "the other one would, but has no account there.",
	        [PARCEL_OTHER_WAITS] = "the other one would, but this profile has no account.",
	        [PARCEL_OTHER_FALSE] = "the other one has not proven who they are.",
	};
	return why[other->state];
}

static bool is_self(const struct parcel_keep *k, const struct parcel_other *other)
{
	struct tacit_bytes own = tacit_engine_username(host_engine(k->cli->host));
	return own.n == strlen(other->username) && memcmp(own.p, other->username, own.n) == 0;
}

static enum tacit_err agree(
        const struct parcel_keep *k, const struct parcel_other *other, const char **why)
{
	char prompt[TACIT_PARCEL_MAX_SERVER + 160];
	bool yes = k->yes;
	*why = NULL;
	if (!k->cli->json && !k->cli->quiet)
		fprintf(k->out, "The other one is %s on %s, and has proven it by their key.\n",
		        other->username, other->server);
	fflush(k->out);
	if (!yes && !term_can_ask()) {
		*why = "there is no terminal to ask on; --yes keeps it unasked.";
		return TACIT_OK;
	}
	snprintf(prompt, sizeof(prompt), "Keep %s as a verified contact? [y/N] ", other->username);
	enum tacit_err err = yes ? TACIT_OK : term_confirm(prompt, &yes);
	if (!yes)
		*why = "you did not want to.";
	return err;
}

static int store(const struct parcel_keep *k, const struct parcel_other *other)
{
	const struct tacit_command keep = {.kind = TACIT_CMD_KEEP_CONTACT,
	        .username = tacit_cstr(other->username),
	        .text = tacit_bytes(other->key.b, sizeof(other->key.b))};
	int status = cli_run(k->cli, &keep, NULL, NULL);
	if (status == EXIT_DONE)
		tell(k, other, NULL);
	return status;
}

int parcel_keep_finish(const struct parcel_keep *k, const struct parcel_other *other)
{
	const char *why;
	if (!k->wanted)
		return EXIT_DONE;
	if (other->state != PARCEL_OTHER_SHOWN)
		why = why_not(other);
	else if (strcmp(other->server, http_server(host_http(k->cli->host))) != 0)
		why = "the other one is on another server.";
	else if (is_self(k, other))
		why = "that is your own account.";
	else if (agree(k, other, &why) != TACIT_OK)
		why = "you were not asked.";
	if (why != NULL) {
		tell(k, other, why);
		return EXIT_DONE;
	}
	return store(k, other);
}
