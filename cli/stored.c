#include "cli/stored.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/json_out.h"
#include "cli/qr.h"
#include "crypto/random.h"
#include "crypto/secret.h"

#define DAY (24 * 3600)
#define MAX_LINK 640
#define KEPT_S (7 * DAY) /* what a server tells after the end */

struct words_for {
	enum tacit_err err;
	const char *text, *hint;
};

static int fail(const struct stored_desk *d, enum tacit_err err, const char *problem, bool kept)
{
	static const struct words_for words[] = {
	        {TACIT_E_BAD_SEAL, "What came is not what was sent: it was changed.", NULL},
	        {TACIT_E_MALFORMED, "What came is not what was sent: it was changed.", NULL},
	        {TACIT_E_TRUNCATED, "What came is not all that was sent.", NULL},
	        {TACIT_E_GONE, "It was taken back while it was sent.", NULL},
	};
	const char *text = problem[0] != '\0' ? problem : tacit_err_text(err), *hint = NULL;
	for (size_t i = 0; i < TACIT_COUNT(words); i++)
		if (words[i].err == err && problem[0] == '\0') {
			text = words[i].text;
			hint = words[i].hint;
		}
	if (kept)
		hint = "The same command goes on where this one ended.";
	d->end_progress(d->options->ctx);
	return cli_fail_text(d->cli, err, text, hint);
}

/* --- sending --------------------------------------------------------------------------------- */

static int read_terms(const struct args *a, struct stored_terms *out)
{
	const char *expires = cli_option(a, "expires"), *downloads = cli_option(a, "downloads");
	uint64_t seconds = DAY;
	char *end = NULL;
	unsigned long n = 1;
	if (expires != NULL && (!duration_read(expires, &seconds) || seconds < 60))
		return cli_usage_error(NULL, "--expires takes a time of a minute or more, as 24h.");
	if (downloads != NULL)
		n = downloads[0] >= '1' && downloads[0] <= '9' ? strtoul(downloads, &end, 10) : 0;
	if (n < 1 || n > 1000 || (end != NULL && *end != '\0'))
		return cli_usage_error(NULL, "--downloads takes a number from 1 to 1000.");
	out->lifetime_s = (int64_t)seconds;
	out->downloads = (int64_t)n;
	return EXIT_DONE;
}

static void show_qr(const struct stored_desk *d, const char *link)
{
	struct tacit_buf picture = {0};
	enum qr_colours colours = term_colours(d->out) ? QR_COLOURED : QR_PLAIN;
	if (qr_draw(tacit_cstr(link), colours, &picture) == TACIT_OK)
		fwrite(picture.p, 1, picture.n, d->out);
	tacit_buf_clear(&picture);
}

static void tell_link(const struct stored_desk *d, const struct stored_terms *terms,
        const struct stored_result *r, const char *link)
{
	if (d->cli->json) {
		json_t *o = json_out_new("stored");
		json_out_text(o, "id", tacit_cstr(r->link.id));
		json_out_text(o, "link", tacit_cstr(link));
		json_out_number(o, "size", r->bytes);
		json_out_number(o, "resumed_from", r->resumed_from);
		json_out_number(o, "downloads", (uint64_t)terms->downloads);
		json_out_time(o, "expires_at", r->expires_at);
		json_out_print(d->out, o);
		return;
	}
	if (cli_option(d->args, "qr") != NULL)
		show_qr(d, link);
	if (d->cli->quiet) {
		fprintf(d->out, "%s\n", link);
		return;
	}
	fprintf(d->out, "Link: %s%s%s\n", term_style(d->out, TERM_BOLD), link,
	        term_style(d->out, TERM_PLAIN));
	fprintf(d->out, "Whoever has it can fetch this, %lld %s, until %s.\n",
	        (long long)terms->downloads, terms->downloads == 1 ? "time" : "times",
	        term_time(r->expires_at, tacit_env_now(d->options->env)).text);
	fprintf(d->out, "Take it back: tacit send-file --revoke %.8s\n", r->link.id);
}

int stored_send(const struct stored_desk *d, struct parcel_source *source, const char *label)
{
	struct stored_terms terms = {.label = label};
	struct stored_result result = {0};
	char fragment[TACIT_STORED_FRAGMENT_ROOM], link[STORED_LINK_ROOM];
	int status = read_terms(d->args, &terms);
	if (status == EXIT_DONE && d->options->http == NULL)
		status = cli_usage_error(NULL, "--store needs a server.");
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = stored_give(d->options, source, &terms, &result);
	if (err == TACIT_OK)
		err = tacit_stored_link_fragment(&result.link, fragment);
	if (err != TACIT_OK)
		return fail(d, err, result.problem, result.kept);
	d->end_progress(d->options->ctx);
	snprintf(link, sizeof(link), "%s/r#%s", http_server(d->options->http), fragment);
	tell_link(d, &terms, &result, link);
	tacit_wipe(link, sizeof(link));
	tacit_wipe(fragment, sizeof(fragment));
	tacit_wipe(&result, sizeof(result));
	return EXIT_DONE;
}

/* --- receiving ------------------------------------------------------------------------------- */

static int read_link_file(struct cli *c, const char *path, char out[STORED_LINK_ROOM])
{
	struct tacit_secret line = {0};
	bool input = strcmp(path, "-") == 0;
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	enum tacit_err err = fd >= 0 ? tacit_crypto_init() : TACIT_E_NOT_FOUND;
	if (err == TACIT_OK)
		err = term_read_secret_line(fd, &line);
	if (err == TACIT_OK && (line.n == 0 || line.n > MAX_LINK))
		err = TACIT_E_MALFORMED;
	if (err == TACIT_OK) {
		memcpy(out, line.p, line.n);
		out[line.n] = '\0';
	}
	if (fd >= 0 && !input)
		close(fd);
	tacit_secret_free(&line);
	return err == TACIT_OK ? EXIT_DONE
	                       : cli_fail_text(c, err, "The link cannot be read.", NULL);
}

int stored_link_read(struct cli *c, const struct args *a, char out[STORED_LINK_ROOM])
{
	const char *file = cli_option(a, "link");
	out[0] = '\0';
	if (file != NULL)
		return read_link_file(c, file, out);
	if (a->count == 0 || !tacit_stored_link_looks(tacit_cstr(a->list[0])))
		return EXIT_DONE;
	if (strlen(a->list[0]) > MAX_LINK)
		return cli_usage_error(NULL, "That is not a link.");
	memcpy(out, a->list[0], strlen(a->list[0]) + 1);
	memset(a->list[0], '*', strlen(a->list[0]));
	return EXIT_DONE;
}

/* The link's server, when it names one; else that of the desk. */
static int open_server(const struct stored_desk *d, struct tacit_bytes server, struct http **own)
{
	char text[STORED_LINK_ROOM];
	*own = NULL;
	if (server.n == 0)
		return EXIT_DONE;
	snprintf(text, sizeof(text), "%.*s", (int)server.n, (const char *)server.p);
	const struct http_options o = {
	        .server = text,
	        .ca_file = d->cli->ca_file,
	        .insecure_http = d->cli->insecure_http,
	        .cancel = &cli_cancelled,
	};
	enum tacit_err err = http_open(&o, own);
	if (err == TACIT_E_BAD_NAME) {
		const char *problem = http_server_problem(text, d->cli->insecure_http);
		return cli_fail_text(d->cli, err, problem != NULL ? problem : tacit_err_text(err),
		        "Behind --insecure-http it is allowed all the same: contents stay sealed.");
	}
	return err == TACIT_OK ? EXIT_DONE : cli_fail(d->cli, err, NULL);
}

static void tell_received(const struct stored_desk *d, const struct parcel_result *r)
{
	if (d->cli->json) {
		json_t *o = json_out_new("parcel_received");
		json_out_number(o, "size", r->bytes);
		json_out_number(o, "resumed_from", r->resumed_from);
		json_out_bool(o, "confirmed", r->confirmed);
		json_out_print(d->out, o);
	} else if (!r->confirmed) {
		cli_warn("The server could not be told that all of it came.");
	}
}

int stored_receive(
        const struct stored_desk *d, const struct parcel_target *target, const char *link)
{
	struct tacit_stored_link read = {0};
	struct tacit_bytes server;
	struct http *own = NULL;
	struct parcel_options options = *d->options;
	struct parcel_result result = {0};
	if (tacit_stored_link_parse(tacit_cstr(link), &read, &server) != TACIT_OK)
		return cli_fail_text(d->cli, TACIT_E_MALFORMED, "That is not a whole link.",
		        "It ends with 43 letters and digits: copy all of it.");
	int status = open_server(d, server, &own);
	if (own != NULL)
		options.http = own;
	if (status == EXIT_DONE && options.http == NULL)
		status = cli_usage_error(NULL, "The link names no server: say --server.");
	if (status == EXIT_DONE) {
		enum tacit_err err = stored_take(&options, &read, target, &result);
		d->end_progress(options.ctx);
		if (err != TACIT_OK)
			status = fail(d, err, result.problem, result.kept);
		else
			tell_received(d, &result);
	}
	http_close(own);
	tacit_wipe(&read, sizeof(read));
	return status;
}

/* --- what we have left ----------------------------------------------------------------------- */

struct own {
	struct cli *cli;
	const char *revoke; /* the beginning of an id; NULL: they are listed */
	int64_t now;
	unsigned found;
	struct stored_note chosen; /* to be revoked */
	enum tacit_err err;
};

bool stored_is_asked(const struct args *a)
{
	return cli_option(a, "stored") != NULL || cli_option(a, "revoke") != NULL;
}

static enum tacit_err open_for(const struct cli *c, const struct stored_note *n, struct http **out)
{
	const struct http_options o = {.server = n->server,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .cancel = &cli_cancelled};
	return http_open(&o, out);
}

static void list_json(const struct stored_note *n, const struct stored_status *s)
{
	json_t *o = json_out_new("stored_parcel");
	json_out_text(o, "id", tacit_cstr(n->id));
	json_out_text(o, "server", tacit_cstr(n->server));
	json_out_text(o, "label", tacit_cstr(n->label));
	json_out_text(o, "state", tacit_cstr(s->state));
	json_out_number(o, "size", n->bytes);
	json_out_number(o, "downloads", (uint64_t)n->downloads);
	json_out_number(o, "begun", s->begun);
	json_out_number(o, "receipts", s->receipts);
	json_out_number(o, "false_receipts", s->false_receipts);
	json_out_time(o, "expires_at", n->expires_at);
	json_out_print(stdout, o);
}

static void list_line(
        const struct own *w, const struct stored_note *n, const struct stored_status *s)
{
	printf("%.8s  ", n->id);
	term_put_text(stdout, tacit_cstr(n->label), TERM_ONE_LINE, 0);
	printf(", %s: ", term_bytes(n->bytes).text);
	term_put_text(stdout, tacit_cstr(s->state), TERM_ONE_LINE, 0);
	printf(", received %u of %lld", s->receipts, (long long)n->downloads);
	for (unsigned i = 0; i < s->receipts && i < TACIT_COUNT(s->received_at); i++)
		printf("%s%s", i == 0 ? " (" : ", ", term_time(s->received_at[i], w->now).text);
	printf("%s", s->receipts > 0 ? ")" : "");
	if (s->begun > 0)
		printf(", begun %u", s->begun);
	if (strcmp(s->state, "ready") == 0)
		printf(", until %s", term_time(n->expires_at, w->now).text);
	putchar('\n');
	if (s->false_receipts > 0)
		cli_warn("%u receipts of %.8s are false: the server has made them up.",
		        s->false_receipts, n->id);
}

static bool list_one(void *ctx, const struct stored_note *n)
{
	struct own *w = ctx;
	struct http *http = NULL;
	struct stored_status s = {0};
	enum tacit_err err = open_for(w->cli, n, &http);
	if (err == TACIT_OK)
		err = stored_ask(http, n, &s);
	http_close(http);
	if (err == TACIT_E_NOT_FOUND && n->expires_at + KEPT_S < w->now) {
		stored_note_forget(n); /* nobody knows it any more */
		return true;
	}
	if (err != TACIT_OK)
		snprintf(s.state, sizeof(s.state), "%s",
		        err == TACIT_E_NOT_FOUND ? "gone" : "unknown");
	w->found++;
	if (w->cli->json)
		list_json(n, &s);
	else
		list_line(w, n, &s);
	return cli_cancelled == 0;
}

static bool choose(void *ctx, const struct stored_note *n)
{
	struct own *w = ctx;
	if (strncmp(n->id, w->revoke, strlen(w->revoke)) == 0) {
		w->chosen = *n;
		w->found++;
	}
	return true;
}

static int take_back(struct own *w)
{
	struct http *http = NULL;
	enum tacit_err err = stored_note_each(choose, w);
	if (err == TACIT_OK && w->found != 1)
		return cli_fail_text(w->cli, TACIT_E_NOT_FOUND,
		        w->found == 0 ? "There is nothing of yours under that number."
		                      : "There are several that begin like this.",
		        "tacit send-file --stored lists them.");
	if (err == TACIT_OK)
		err = open_for(w->cli, &w->chosen, &http);
	if (err == TACIT_OK)
		err = stored_revoke(http, &w->chosen);
	if (err == TACIT_E_NOT_FOUND) /* it has ended long ago */
		err = TACIT_OK;
	int status = err == TACIT_OK ? EXIT_DONE
	                             : cli_fail_text(w->cli, err,
	                                       http != NULL && http_problem(http)[0] != '\0'
	                                               ? http_problem(http)
	                                               : tacit_err_text(err),
	                                       NULL);
	if (err == TACIT_OK && w->cli->json) {
		json_t *o = json_out_new("revoked");
		json_out_text(o, "id", tacit_cstr(w->chosen.id));
		json_out_print(stdout, o);
	} else if (err == TACIT_OK) {
		cli_note(w->cli, "Taken back: nobody can fetch it any more.");
	}
	http_close(http);
	return status;
}

int stored_own(struct cli *c, const struct args *a)
{
	const struct tacit_env env = tacit_system_env();
	struct own w = {.cli = c, .revoke = cli_option(a, "revoke"), .now = tacit_env_now(&env)};
	int status = EXIT_DONE;
	if (a->count > 0)
		return cli_usage_error(NULL, "--stored and --revoke take no PATH.");
	if (w.revoke != NULL &&
	        (strlen(w.revoke) < 4 || strspn(w.revoke, "0123456789abcdef") != strlen(w.revoke)))
		return cli_usage_error(NULL, "--revoke takes the number that --stored shows.");
	enum tacit_err err = tacit_crypto_init();
	if (err == TACIT_OK && w.revoke != NULL) {
		status = take_back(&w);
	} else if (err == TACIT_OK) {
		err = stored_note_each(list_one, &w);
		if (err == TACIT_OK && w.found == 0)
			cli_note(c, "You have left nothing at a server.");
	}
	tacit_wipe(&w.chosen, sizeof(w.chosen));
	return err == TACIT_OK ? status : cli_fail(c, err, NULL);
}
