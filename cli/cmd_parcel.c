/* tacit send-file and tacit receive: transfers between two devices, without an account. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/json_out.h"
#include "cli/parcel_keep.h"
#include "cli/parcel_make.h"
#include "cli/parcel_route.h"
#include "cli/parcel_turns.h"
#include "cli/progress.h"
#include "cli/qr.h"
#include "cli/stored.h"
#include "client/parcel.h"
#include "crypto/random.h"

#define MAX_LABEL 300

/* --- the ground that a transfer stands on ---------------------------------------------------- */

struct ground {
	struct cli *cli;
	const struct args *args;
	FILE *out; /* where people read: not where the bytes go */
	bool sends;
	struct http *http, *own; /* own: ours to close */
	struct tacit_env env;
	struct tacit_parcel_code code;
	struct progress progress;
	bool progressing;
	int turn_fd; /* of one of several receivers; 0: there is one */
	char label[MAX_LABEL];
	char address[64]; /* where we listen; empty: by a server */
	struct parcel_keep keep;
	struct parcel_contact contact;
	struct parcel_options options;
	struct parcel_result result;
};

static bool talks(const struct ground *g)
{
	return !g->cli->quiet && !g->cli->json;
}

static void set_label(struct ground *g, struct tacit_bytes name)
{
	struct tacit_buf clean = {0};
	if (term_clean(name, TERM_ONE_LINE, 0, &clean) == TACIT_OK)
		snprintf(g->label, sizeof(g->label), "%.*s", (int)clean.n, (const char *)clean.p);
	tacit_buf_clear(&clean);
}

/* What it is, in a few words: the name, or how many things. */
static void describe(struct ground *g, const struct tacit_parcel_offer *o)
{
	char text[64];
	size_t files = 0;
	for (size_t i = 0; i < o->count; i++)
		files += o->entries[i].folder ? 0 : 1;
	switch (o->kind) {
	case TACIT_PARCEL_TEXT:
		set_label(g, TACIT_STR("a text"));
		return;
	case TACIT_PARCEL_FILE:
	case TACIT_PARCEL_FOLDER:
		set_label(g, tacit_cstr(o->entries[0].path));
		return;
	case TACIT_PARCEL_FILES:
		snprintf(text, sizeof(text), "%zu %s", files, files == 1 ? "file" : "files");
		set_label(g, tacit_cstr(text));
	}
}

static const char *kind_name(enum tacit_parcel_kind kind)
{
	static const char *const names[] = {"", "text", "file", "files", "folder"};
	return names[kind];
}

/* --- what the transfer tells ----------------------------------------------------------------- */

static void end_progress(struct ground *g)
{
	if (g->progressing)
		progress_end(&g->progress);
	g->progressing = false;
}

static void show_qr(const struct ground *g, const char *code)
{
	struct tacit_buf picture = {0};
	enum qr_colours colours = term_colours(g->out) ? QR_COLOURED : QR_PLAIN;
	if (qr_draw(tacit_cstr(code), colours, &picture) == TACIT_OK)
		fwrite(picture.p, 1, picture.n, g->out);
	tacit_buf_clear(&picture);
}

static void on_code(void *ctx, const char *code)
{
	struct ground *g = ctx;
	const char *command = g->sends ? "receive" : "send-file --code";
	if (g->turn_fd > 0)
		parcel_turns_tell_code(g->turn_fd, code);
	if (g->cli->json) {
		json_t *o = json_out_new("code");
		json_out_text(o, "code", tacit_cstr(code));
		json_out_print(g->out, o);
		return;
	}
	if (cli_option(g->args, "qr") != NULL)
		show_qr(g, code);
	if (g->cli->quiet) {
		fprintf(g->out, "%s\n", code);
	} else {
		fprintf(g->out, "Code: %s%s%s\n", term_style(g->out, TERM_BOLD), code,
		        term_style(g->out, TERM_PLAIN));
		fprintf(g->out, "On the other device: tacit %s %s%s%s%s%s\n", command, code,
		        g->address[0] != '\0' ? " --direct " : "", g->address,
		        g->keep.wanted ? " --keep-contact" : "", g->sends ? "" : " PATH...");
	}
	fflush(g->out);
}

/* Comes before the code: both are needed on the other device. */
static void on_listening(void *ctx, const char *address, uint16_t port)
{
	struct ground *g = ctx;
	snprintf(g->address, sizeof(g->address), "%s", address);
	if (g->cli->json) {
		json_t *o = json_out_new("listening");
		json_out_text(o, "address", tacit_cstr(address));
		json_out_number(o, "port", port);
		json_out_print(g->out, o);
	}
}

static void tell_wait(const struct ground *g, enum parcel_state s)
{
	unsigned n = g->options.patience_s > 0 ? g->options.patience_s : PARCEL_PATIENCE_S;
	fprintf(stderr, "%s; it has %s to come back. Ctrl-C ends the wait.\n",
	        s == PARCEL_AWAY ? "The other end has gone" : "The connection is lost",
	        duration_short(n).text);
}

static void on_state(void *ctx, enum parcel_state s)
{
	static const char *const names[] = {
	        "resuming", "met", "lost", "back", "direct", "local", "away"};
	struct ground *g = ctx;
	if (g->turn_fd > 0 && s == PARCEL_MET)
		parcel_turns_tell_met(g->turn_fd);
	if (g->cli->json) {
		json_t *o = json_out_new("state");
		json_out_text(o, "state", tacit_cstr(names[s]));
		json_out_print(g->out, o);
		return;
	}
	if (!talks(g) || s == PARCEL_MET)
		return;
	end_progress(g);
	if (s == PARCEL_LOST || s == PARCEL_AWAY) {
		tell_wait(g, s);
		return;
	}
	fprintf(stderr, "%s\n",
	        s == PARCEL_RESUMING ? "Going on with an interrupted transfer; --new begins anew."
	        : s == PARCEL_DIRECT ? "Connected directly."
	        : s == PARCEL_LOCAL
	                ? "The server cannot be reached: only this network is looked at."
	                : "Connected again.");
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct ground *g = ctx;
	if (!g->progressing)
		progress_start(&g->progress, g->label, !talks(g) || g->turn_fd > 0);
	g->progressing = true;
	progress_show(&g->progress, done, total);
}

static void on_saved(void *ctx, const char *path, bool renamed)
{
	struct ground *g = ctx;
	end_progress(g);
	if (g->cli->json) {
		json_t *o = json_out_new("saved");
		json_out_text(o, "path", tacit_cstr(path));
		json_out_bool(o, "renamed", renamed);
		json_out_print(g->out, o);
	} else if (!g->cli->quiet) {
		fprintf(g->out, "Saved ");
		term_put_text(g->out, tacit_cstr(path), TERM_ONE_LINE, 0);
		fprintf(g->out, "%s\n",
		        renamed ? " (there is something of its own name already)." : ".");
	}
}

/* On a terminal it is made safe; in a pipe it is what was sent. */
static enum tacit_err on_text(void *ctx, struct tacit_bytes text)
{
	struct ground *g = ctx;
	if (g->cli->json) {
		json_t *o = json_out_new("text");
		json_out_text(o, "text", text);
		json_out_print(stdout, o);
	} else if (term_is_tty(stdout)) {
		term_put_text(stdout, text, TERM_MANY_LINES, 0);
		if (text.n == 0 || text.p[text.n - 1] != '\n')
			putchar('\n');
	} else {
		fwrite(text.p, 1, text.n, stdout);
	}
	return fflush(stdout) == 0 ? TACIT_OK : TACIT_E_IO;
}

static void offer_json(const struct ground *g, const struct tacit_parcel_offer *offer)
{
	json_t *o = json_out_new("offer");
	json_out_text(o, "kind", tacit_cstr(kind_name(offer->kind)));
	if (offer->count > 0 && offer->kind != TACIT_PARCEL_FILES)
		json_out_text(o, "name", tacit_cstr(offer->entries[0].path));
	json_out_number(o, "entries", offer->count);
	json_out_number(o, "size", offer->total);
	json_out_print(g->out, o);
}

static enum tacit_err on_offered(void *ctx, const struct tacit_parcel_offer *offer, bool *accepted)
{
	struct ground *g = ctx;
	char prompt[MAX_LABEL + 80];
	describe(g, offer);
	if (g->cli->json)
		offer_json(g, offer);
	*accepted = true;
	if (cli_option(g->args, "yes") != NULL || offer->kind == TACIT_PARCEL_TEXT) {
		if (talks(g) && offer->kind != TACIT_PARCEL_TEXT)
			fprintf(g->out, "Receiving %s, %s.\n", g->label,
			        term_bytes(offer->total).text);
		return TACIT_OK;
	}
	if (offer->kind == TACIT_PARCEL_FOLDER)
		snprintf(prompt, sizeof(prompt), "Receive the folder %s, %zu things, %s? [y/N] ",
		        g->label, offer->count - 1, term_bytes(offer->total).text);
	else
		snprintf(prompt, sizeof(prompt), "Receive %s, %s? [y/N] ", g->label,
		        term_bytes(offer->total).text);
	return term_confirm(prompt, accepted);
}

static enum tacit_err on_card(
        void *ctx, const struct tacit_parcel_seat *seat, struct tacit_buf *out)
{
	struct ground *g = ctx;
	end_progress(g);
	return parcel_keep_card(&g->keep, seat, out);
}

static const struct parcel_ui ui = {
        .code = on_code,
        .listening = on_listening,
        .state = on_state,
        .offered = on_offered,
        .progress = on_progress,
        .saved = on_saved,
        .text = on_text,
};

/* --- before ---------------------------------------------------------------------------------- */

/* The server that was named; else that of the profile, if there is one; else the default. */
static int open_server(struct ground *g)
{
	struct cli *c = g->cli;
	const struct host_options look = {.profile = c->profile,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .mode = PATHS_FIND,
	        .cancel = &cli_cancelled};
	if (c->host == NULL && c->server == NULL) {
		enum tacit_err err = host_open(&look, &c->host);
		if (err != TACIT_OK && err != TACIT_E_NOT_FOUND)
			return cli_fail(c, err, NULL);
	}
	if (c->host != NULL) {
		g->http = host_http(c->host);
		return EXIT_DONE;
	}
	const struct http_options o = {
	        .server = c->server != NULL ? c->server : HOST_DEFAULT_SERVER,
	        .ca_file = c->ca_file,
	        .insecure_http = c->insecure_http,
	        .cancel = &cli_cancelled,
	};
	enum tacit_err err = http_open(&o, &g->own);
	g->http = g->own;
	if (err == TACIT_E_BAD_NAME) {
		const char *problem = http_server_problem(o.server, c->insecure_http);
		return cli_fail_text(c, err, problem != NULL ? problem : tacit_err_text(err),
		        "Behind --insecure-http it is allowed all the same: contents stay sealed.");
	}
	return err == TACIT_OK ? EXIT_DONE : cli_fail(c, err, NULL);
}

static int read_code(struct ground *g, const char *text)
{
	enum tacit_err err = tacit_parcel_code_parse(tacit_cstr(text), &g->code);
	if (err == TACIT_E_BAD_NAME)
		return cli_fail_text(g->cli, err, "That code has a word that no code has.",
		        "Look at it again: it was not tried, and is still good.");
	if (err != TACIT_OK)
		return cli_fail_text(g->cli, err, "That is not a code.",
		        "A code is a number and two words, as 7-amber-falcon.");
	g->options.code = &g->code;
	return EXIT_DONE;
}

static int prepare(struct ground *g, struct cli *c, const struct args *a)
{
	const char *wait = cli_option(a, "wait");
	uint64_t seconds = 0;
	*g = (struct ground){.cli = c, .args = a, .out = stdout, .env = tacit_system_env()};
	if (wait != NULL && (!duration_read(wait, &seconds) || seconds > 24 * 3600))
		return cli_usage_error(NULL, "--wait takes a time of at most a day, as 10m.");
	enum parcel_route route;
	const char *address = NULL;
	int status = parcel_route_read(a, &route, &address);
	if (status != EXIT_DONE)
		return status;
	enum tacit_err err = tacit_crypto_init();
	if (err != TACIT_OK)
		return cli_fail(c, err, NULL);
	status = parcel_keep_prepare(&g->keep, c, a, g->out);
	if (status == EXIT_DONE && (route == PARCEL_FASTEST || route == PARCEL_RELAY_ONLY))
		status = open_server(g);
	g->contact.card = g->keep.able ? on_card : NULL;
	g->options = (struct parcel_options){
	        .http = g->http,
	        .route = route,
	        .address = address,
	        .env = &g->env,
	        .cancel = &cli_cancelled,
	        .ui = &ui,
	        .ctx = g,
	        .kind = cli_option(a, "digits") != NULL ? TACIT_PARCEL_CODE_DIGITS
	                                                : TACIT_PARCEL_CODE_WORDS,
	        .fresh = cli_option(a, "new") != NULL,
	        .patience_s = (unsigned)seconds,
	        .contact = g->keep.wanted ? &g->contact : NULL,
	};
	return status;
}

static void release(struct ground *g)
{
	end_progress(g);
	http_close(g->own);
	tacit_wipe(&g->code, sizeof(g->code));
}

/* --- after ----------------------------------------------------------------------------------- */

struct words_for {
	enum tacit_err err;
	const char *text, *hint;
};

static int fail(struct ground *g, enum tacit_err err)
{
	static const struct words_for words[] = {
	        {TACIT_E_BAD_PASSWORD, "The code was wrong; it is used up.",
	                "The other one has to make a new one."},
	        {TACIT_E_NOT_FOUND, "Nobody is waiting under that code.",
	                "It may be mistyped, used or expired, on another server (--server), or on "
	                "none: made while the server could not be reached (--lan)."},
	        {TACIT_E_BAD_NAME, "That is not an address.",
	                "An address is as 192.168.1.7:5010, [fd00::7]:5010 or laptop.lan."},
	        {TACIT_E_LIMIT, "The server has had too many codes from this address.",
	                "Wait a little, then try again."},
	        {TACIT_E_BAD_SEAL, "What came is not what was sent: it was changed on the way.",
	                NULL},
	        {TACIT_E_CONFLICT, "Both sides want the same: one must send, the other receive.",
	                "Or the code is of tacit link, for tacit login --code."},
	};
	const char *text = g->result.problem[0] != '\0' ? g->result.problem : tacit_err_text(err);
	const char *hint = err == TACIT_E_NETWORK && g->http != NULL
	                           ? "Is the server running, and is --server right?"
	                           : NULL;
	for (size_t i = 0; i < TACIT_COUNT(words); i++)
		if (words[i].err == err && g->result.problem[0] == '\0') {
			text = words[i].text;
			hint = words[i].hint;
		}
	if (g->result.kept)
		hint = g->sends ? "The same command on both ends goes on where this one ended."
		                : "tacit receive with the same code goes on where this one ended.";
	end_progress(g);
	return cli_fail_text(g->cli, err, text, hint);
}

static void tell_sent(const struct ground *g)
{
	if (g->cli->json) {
		json_t *o = json_out_new("parcel_sent");
		json_out_number(o, "size", g->result.bytes);
		json_out_number(o, "resumed_from", g->result.resumed_from);
		json_out_print(g->out, o);
	} else if (!g->cli->quiet) {
		fprintf(g->out, "Sent %s, %s. The other one has all of it.\n", g->label,
		        term_bytes(g->result.bytes).text);
	}
}

/* --- sending --------------------------------------------------------------------------------- */

static int send_source(struct ground *g, struct parcel_source *source, enum parcel_memory memory)
{
	const struct tacit_parcel_offer *offer = parcel_source_decoded(source);
	describe(g, offer);
	if (talks(g) && (g->options.turn == NULL || g->options.turn->again == NULL))
		fprintf(g->out, "Sending %s, %s.\n", g->label, term_bytes(offer->total).text);
	fflush(g->out);
	enum tacit_err err = parcel_give(&g->options, source, memory, &g->result);
	end_progress(g);
	if (err != TACIT_OK)
		return fail(g, err);
	tell_sent(g);
	return parcel_keep_finish(&g->keep, &g->result.contact);
}

static void stored_end_progress(void *ctx)
{
	end_progress(ctx);
}

static struct stored_desk stored_desk_of(const struct ground *g)
{
	return (struct stored_desk){g->cli, g->args, g->out, &g->options, stored_end_progress};
}

/* --store: for whoever has the link, at whatever time. */
static int stored_source(struct ground *g, struct parcel_source *source)
{
	const struct stored_desk desk = stored_desk_of(g);
	describe(g, parcel_source_decoded(source));
	return stored_send(&desk, source, g->label);
}

struct crowd {
	struct ground *ground;
	struct parcel_source *source;
	enum parcel_memory memory;
};

static int send_in_turn(void *ctx, const struct parcel_turn *turn, int fd)
{
	const struct crowd *c = ctx;
	c->ground->turn_fd = fd;
	c->ground->options.turn = turn;
	c->ground->options.fresh = false; /* it was looked at already */
	return send_source(c->ground, c->source, c->memory);
}

static int send_to_several(struct crowd *c, unsigned count)
{
	const struct parcel_crowd crowd = {.run = send_in_turn,
	        .ctx = c,
	        .cli = c->ground->cli,
	        .out = c->ground->out,
	        .options = &c->ground->options,
	        .source = c->source,
	        .memory = c->memory};
	return parcel_turns(count, &crowd);
}

/* --receivers N; 0 means whoever comes. */
static int read_receivers(const struct ground *g, bool *several, unsigned *count)
{
	const char *text = cli_option(g->args, "receivers");
	char *end = NULL;
	*several = text != NULL;
	if (text == NULL)
		return EXIT_DONE;
	unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 1001;
	if (n > PARCEL_TURNS_MOST || *end != '\0')
		return cli_usage_error(NULL, "--receivers takes a number up to 1000, or 0.");
	*count = (unsigned)n;
	if (g->options.code != NULL || g->http == NULL)
		return cli_usage_error(NULL, "Several receivers come by a server, with our code.");
	return EXIT_DONE;
}

int cmd_send_file(struct cli *c, const struct args *a)
{
	struct ground g;
	struct parcel_source *source = NULL;
	enum parcel_memory memory = PARCEL_ONCE;
	bool several = false;
	unsigned receivers = 1;
	if (stored_is_asked(a))
		return stored_own(c, a);
	int status = prepare(&g, c, a);
	g.sends = true;
	if (status == EXIT_DONE && cli_option(a, "code") != NULL)
		status = read_code(&g, cli_option(a, "code"));
	if (status == EXIT_DONE)
		status = read_receivers(&g, &several, &receivers);
	if (status == EXIT_DONE)
		status = parcel_make(c, a, &source, &memory);
	struct crowd crowd = {&g, source, memory};
	if (status == EXIT_DONE && cli_option(a, "store") != NULL)
		status = stored_source(&g, source);
	else if (status == EXIT_DONE)
		status = several ? send_to_several(&crowd, receivers)
		                 : send_source(&g, source, memory);
	parcel_source_free(source);
	release(&g);
	return status;
}

/* --- receiving ------------------------------------------------------------------------------- */

/* [CODE] [-] */
static int read_receive(struct ground *g, bool *to_stdout, bool stored)
{
	const struct args *a = g->args;
	const char *last = a->count > 0 ? a->list[a->count - 1] : "";
	*to_stdout = strcmp(last, "-") == 0;
	if (a->count == 2 && !*to_stdout)
		return cli_usage_error(NULL, "After the code only - may follow: standard output.");
	if (*to_stdout && term_is_tty(stdout))
		return cli_usage_error(
		        NULL, "A file is not written to a terminal: leave out the -.");
	if (cli_option(a, "yes") == NULL && !term_can_ask())
		return cli_usage_error(
		        NULL, "There is no terminal to ask whether it is welcome: say --yes.");
	if (a->count > (*to_stdout ? 1 : 0) && !stored)
		return read_code(g, a->list[0]);
	return EXIT_DONE;
}

static int stored_link(struct ground *g, const struct parcel_target *target, const char *link)
{
	const struct stored_desk desk = stored_desk_of(g);
	return stored_receive(&desk, target, link);
}

int cmd_receive(struct cli *c, const struct args *a)
{
	char link[STORED_LINK_ROOM];
	struct ground g;
	struct stat st;
	bool to_stdout = false;
	const char *folder = cli_option(a, "out");
	if (stored_link_read(c, a, link) != EXIT_DONE)
		return EXIT_FAILED;
	int status = prepare(&g, c, a);
	folder = folder != NULL ? folder : ".";
	if (status == EXIT_DONE)
		status = read_receive(&g, &to_stdout, link[0] != '\0');
	if (status == EXIT_DONE && !to_stdout && (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)))
		status = cli_fail_text(
		        c, TACIT_E_NOT_FOUND, "The folder to receive into is not there.", NULL);
	if (to_stdout)
		g.out = g.keep.out = stderr;
	const struct parcel_target target = {to_stdout ? NULL : folder, STDOUT_FILENO};
	enum tacit_err err = TACIT_OK;
	if (link[0] != '\0') {
		status = status == EXIT_DONE ? stored_link(&g, &target, link) : status;
		tacit_wipe(link, sizeof(link));
		release(&g);
		return status;
	}
	if (status == EXIT_DONE)
		err = parcel_take(&g.options, &target, &g.result);
	end_progress(&g);
	if (err != TACIT_OK)
		status = fail(&g, err);
	else if (status == EXIT_DONE && c->json) {
		json_t *o = json_out_new("parcel_received");
		json_out_number(o, "size", g.result.bytes);
		json_out_number(o, "resumed_from", g.result.resumed_from);
		json_out_bool(o, "confirmed", g.result.confirmed);
		json_out_print(g.out, o);
	}
	if (status == EXIT_DONE)
		status = parcel_keep_finish(&g.keep, &g.result.contact);
	release(&g);
	return status;
}
