#include "cli/show.h"

#include <inttypes.h>
#include <string.h>

#include "cli/json_out.h"
#include "cli/quote.h"

#define SHORT_ID 8 /* enough to name a file; `file get` takes any prefix that is unique */

/* What a new device is told about the time before it: true, and nothing to fear. */
static bool is_mild(const struct tacit_notice *n)
{
	return n->kind == TACIT_NOTICE_WARNING && n->err == TACIT_E_WRONG_RECIPIENT;
}

bool show_is_loud(const struct tacit_notice *n)
{
	return n->kind == TACIT_NOTICE_KEY_CHANGED ||
	       (n->kind == TACIT_NOTICE_WARNING && !is_mild(n));
}

bool show_is_event(const struct tacit_notice *n)
{
	return show_is_loud(n) || is_mild(n) || n->kind == TACIT_NOTICE_MESSAGE ||
	       n->kind == TACIT_NOTICE_REFUSED || n->kind == TACIT_NOTICE_MISSING ||
	       n->kind == TACIT_NOTICE_MEMBER || n->kind == TACIT_NOTICE_EXPIRY ||
	       n->kind == TACIT_NOTICE_CLOSED || show_is_change(n);
}

bool show_is_change(const struct tacit_notice *n)
{
	return n->kind == TACIT_NOTICE_EDITED || n->kind == TACIT_NOTICE_DELETED ||
	       n->kind == TACIT_NOTICE_REACTION;
}

/* --- verified contacts ----------------------------------------------------------------------- */

struct lookup {
	struct tacit_bytes username;
	bool verified;
};

static void look(void *ctx, const struct tacit_notice *n)
{
	struct lookup *l = ctx;
	if (n->conversation_kind == TACIT_DIRECT && tacit_bytes_eq(n->title, l->username))
		l->verified |= n->flag;
}

bool show_is_verified(const struct cli *c, struct tacit_bytes username)
{
	struct lookup l = {.username = username};
	if (c->host_lent)
		return false;
	tacit_engine_each_conversation(host_engine(c->host), look, &l);
	return l.verified;
}

/* --- pieces ---------------------------------------------------------------------------------- */

static void put_styled(enum term_style style, const char *text)
{
	printf("%s%s%s", term_style(stdout, style), text, term_style(stdout, TERM_PLAIN));
}

static struct term_time when(const struct cli *c, const struct tacit_notice *n)
{
	struct term_time none = {"     "};
	if (n->time == 0)
		return none;
	return term_time(n->time, tacit_env_now(host_env(c->host)));
}

/* Time and sender; how many columns that took. */
static int put_head(const struct cli *c, const struct tacit_notice *n)
{
	struct term_time t = when(c, n);
	struct tacit_bytes name = n->flag ? TACIT_STR("you") : n->username;
	bool verified = !n->flag && show_is_verified(c, n->username);
	int id = 0;
	if (c->ids && n->message != 0)
		id = printf("%s#%" PRIu64 "%s  ", term_style(stdout, TERM_DIM), n->message,
		             term_style(stdout, TERM_PLAIN)) -
		     (int)strlen(term_style(stdout, TERM_DIM)) -
		     (int)strlen(term_style(stdout, TERM_PLAIN));
	put_styled(TERM_DIM, t.text);
	printf("  %s", term_style(stdout, n->flag ? TERM_DIM : TERM_CYAN));
	term_put_text(stdout, name, TERM_ONE_LINE, 0);
	printf("%s", term_style(stdout, TERM_PLAIN));
	if (verified)
		put_styled(TERM_GREEN, " \xe2\x9c\x93");
	printf("  ");
	return id + (int)(strlen(t.text) + 2 + term_width(name) + (verified ? 2 : 0) + 2);
}

static void put_file(const struct tacit_file_ref *f)
{
	int n = (int)(f->id.n < SHORT_ID ? f->id.n : SHORT_ID);
	put_styled(TERM_BOLD, "file ");
	term_put_text(stdout, f->name, TERM_ONE_LINE, 0);
	printf(", %s", term_bytes(f->size).text);
	printf("  %s(tacit file get ", term_style(stdout, TERM_DIM));
	term_put_text(stdout, tacit_bytes(f->id.p, (size_t)n), TERM_ONE_LINE, 0);
	printf(")%s", term_style(stdout, TERM_PLAIN));
}

static void put_reply(const struct cli *c, const struct tacit_notice *n, int indent)
{
	struct quote q;
	quote_find(c, n->conversation, n->content.reply_to, &q);
	printf("%s\xe2\x86\xb3 ", term_style(stdout, TERM_DIM));
	quote_put(stdout, &q);
	printf("%s\n%*s", term_style(stdout, TERM_PLAIN), indent, "");
}

/* One a line, "bob +1", as they come with the notice. */
static void put_reactions(struct tacit_bytes lines, int indent)
{
	if (lines.n == 0)
		return;
	printf("\n%*s%s[", indent, "", term_style(stdout, TERM_DIM));
	for (size_t at = 0, end; at < lines.n; at = end + 1) {
		for (end = at; end < lines.n && lines.p[end] != '\n'; end++)
			continue;
		fputs(at > 0 ? ", " : "", stdout);
		term_put_text(stdout, tacit_bytes_part(lines, at, end - at), TERM_ONE_LINE, 0);
	}
	printf("]%s", term_style(stdout, TERM_PLAIN));
}

static void show_message(const struct cli *c, const struct tacit_notice *n)
{
	int indent = put_head(c, n);
	if (n->content.reply_to != 0)
		put_reply(c, n, indent);
	if (n->content.kind == TACIT_CONTENT_FILE) {
		put_file(&n->content.file);
		if (n->content.text.n > 0)
			printf("\n%*s", indent, "");
	}
	term_put_text(stdout, n->content.text, TERM_MANY_LINES, indent);
	if (n->count > 0)
		put_styled(TERM_DIM, " (edited)");
	put_reactions(n->detail, indent);
	putchar('\n');
}

static void show_deleted(const struct cli *c, const struct tacit_notice *n)
{
	put_head(c, n);
	put_styled(TERM_DIM, "[deleted]\n");
}

static void show_reaction(const struct cli *c, const struct tacit_notice *n)
{
	struct quote q;
	quote_find(c, n->conversation, n->message, &q);
	printf("%s-- ", term_style(stdout, TERM_DIM));
	term_put_text(stdout, n->flag ? TACIT_STR("you") : n->username, TERM_ONE_LINE, 0);
	if (n->text.n > 0) {
		fputs(": ", stdout);
		term_put_text(stdout, n->text, TERM_ONE_LINE, 0);
		fputs(" to \"", stdout);
	} else {
		fputs(n->flag ? " take back the reaction to \"" : " takes back the reaction to \"",
		        stdout);
	}
	quote_put(stdout, &q);
	printf("\" --%s\n", term_style(stdout, TERM_PLAIN));
}

static void show_refused(const struct cli *c, const struct tacit_notice *n)
{
	put_head(c, n);
	printf("%s[not shown: ", term_style(stdout, TERM_RED));
	term_put_text(stdout, n->text.n > 0 ? n->text : tacit_cstr(tacit_err_text(n->err)),
	        TERM_ONE_LINE, 0);
	printf("]%s\n", term_style(stdout, TERM_PLAIN));
}

static void show_missing(const struct tacit_notice *n)
{
	printf("%s-- %" PRIu64 " message%s of ", term_style(stdout, TERM_RED), n->count,
	        n->count == 1 ? "" : "s");
	term_put_text(stdout, n->username, TERM_ONE_LINE, 0);
	printf(" never came --%s\n", term_style(stdout, TERM_PLAIN));
}

static void show_member(const struct tacit_notice *n)
{
	printf("%s-- ", term_style(stdout, TERM_DIM));
	if (n->text.n > 0) {
		term_put_text(stdout, n->text, TERM_ONE_LINE, 0);
	} else {
		term_put_text(stdout, n->username, TERM_ONE_LINE, 0);
		printf(n->flag ? " is in the conversation now." : " is no longer in it.");
	}
	printf(" --%s\n", term_style(stdout, TERM_PLAIN));
}

/* Red, and set apart from everything around it. */
static void put_loud(FILE *to, const struct tacit_notice *n)
{
	const char *red = term_style(to, TERM_RED);
	const char *plain = term_style(to, TERM_PLAIN);
	if (n->kind == TACIT_NOTICE_WARNING) {
		fprintf(to, "%s!! WARNING: ", red);
		term_put_text(to, n->text.n > 0 ? n->text : tacit_cstr(tacit_err_text(n->err)),
		        TERM_MANY_LINES, 3);
		fprintf(to, "%s\n", plain);
		return;
	}
	fprintf(to, "%s!! WARNING: the key of ", red);
	term_put_text(to, n->username, TERM_ONE_LINE, 0);
	fprintf(to,
	        " HAS CHANGED.%s\n   Either it is a new account, or somebody stands between you."
	        "\n   Compare the safety number in person: tacit verify ",
	        plain);
	term_put_text(to, n->username, TERM_ONE_LINE, 0);
	fprintf(to, "\n   Only then trust the new key: tacit accept-key ");
	term_put_text(to, n->username, TERM_ONE_LINE, 0);
	fputc('\n', to);
}

void show_members(struct tacit_bytes members)
{
	while (members.n > 0) {
		const uint8_t *end = memchr(members.p, '\n', members.n);
		size_t n = end != NULL ? (size_t)(end - members.p) : members.n;
		term_put_text(stdout, tacit_bytes(members.p, n), TERM_ONE_LINE, 0);
		n += end != NULL ? 1 : 0;
		members = tacit_bytes(members.p + n, members.n - n);
		if (members.n > 0)
			printf(", ");
	}
}

/* --- notices --------------------------------------------------------------------------------- */

void show_loud(const struct cli *c, const struct tacit_notice *n)
{
	if (!show_is_loud(n))
		return;
	if (c->json)
		json_out_notice(stdout, n);
	else
		put_loud(stderr, n);
}

void show_event(const struct cli *c, const struct tacit_notice *n)
{
	if (!show_is_event(n))
		return;
	if (c->json)
		json_out_notice(stdout, n);
	else if (n->kind == TACIT_NOTICE_MESSAGE || n->kind == TACIT_NOTICE_EDITED)
		show_message(c, n);
	else if (n->kind == TACIT_NOTICE_DELETED)
		show_deleted(c, n);
	else if (n->kind == TACIT_NOTICE_REACTION)
		show_reaction(c, n);
	else if (n->kind == TACIT_NOTICE_REFUSED)
		show_refused(c, n);
	else if (n->kind == TACIT_NOTICE_MISSING)
		show_missing(n);
	else if (!show_is_loud(n))
		show_member(n);
	else
		put_loud(stdout, n);
	quote_remember(c->quotes, n);
	fflush(stdout);
}

struct heading {
	const struct cli *cli;
	uint64_t conversation;
};

static void put_heading(void *ctx, const struct tacit_notice *n)
{
	const struct heading *h = ctx;
	if (n->conversation != h->conversation)
		return;
	printf("%s", term_style(stdout, TERM_BOLD));
	term_put_text(stdout, n->title, TERM_ONE_LINE, 0);
	printf("%s", term_style(stdout, TERM_PLAIN));
	if (n->conversation_kind == TACIT_DIRECT && show_is_verified(h->cli, n->title))
		put_styled(TERM_GREEN, " \xe2\x9c\x93 verified");
	if (n->conversation_kind != TACIT_DIRECT)
		put_styled(TERM_DIM, " (group)");
	putchar('\n');
}

void show_heading(const struct cli *c, uint64_t conversation)
{
	struct heading h = {c, conversation};
	if (!c->json)
		tacit_engine_each_conversation(host_engine(c->host), put_heading, &h);
}
