#include "cli/complete.h"

#include <glob.h>
#include <string.h>

#include "e2e/parcel/code.h"

struct search {
	struct cli *cli;
	const char *word;
	size_t n;
	struct tacit_buf *out;
	bool users, groups;
};

/* One that fits and is not there yet. A name with a space is left to the person. */
static void offer(struct search *s, struct tacit_bytes name)
{
	if (name.n < s->n || memcmp(name.p, s->word, s->n) != 0 || memchr(name.p, ' ', name.n))
		return;
	for (size_t at = 0; at < s->out->n;) {
		const uint8_t *p = s->out->p + at;
		const uint8_t *end = memchr(p, '\n', s->out->n - at);
		size_t length = end != NULL ? (size_t)(end - p) : s->out->n - at;
		if (tacit_bytes_eq(tacit_bytes(p, length), name))
			return;
		at += length + 1;
	}
	size_t before = s->out->n;
	if ((before > 0 && tacit_buf_append(s->out, TACIT_STR("\n")) != TACIT_OK) ||
	        tacit_buf_append(s->out, name) != TACIT_OK)
		s->out->n = before;
}

static void offer_conversation(void *ctx, const struct tacit_notice *n)
{
	struct search *s = ctx;
	bool direct = n->conversation_kind == TACIT_DIRECT;
	if ((direct && s->users) || (!direct && s->groups))
		offer(s, n->title);
	struct tacit_bytes rest = n->members;
	while (s->users && rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t length = end != NULL ? (size_t)(end - rest.p) : rest.n;
		offer(s, tacit_bytes(rest.p, length));
		length += end != NULL ? 1 : 0;
		rest = tacit_bytes(rest.p + length, rest.n - length);
	}
}

static void offer_files(struct search *s)
{
	struct tacit_buf pattern = {0};
	glob_t found = {0};
	if (tacit_buf_printf(&pattern, "%s*", s->word) == TACIT_OK &&
	        tacit_buf_terminate(&pattern) == TACIT_OK &&
	        glob((const char *)pattern.p, GLOB_MARK | GLOB_TILDE, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			offer(s, tacit_cstr(found.gl_pathv[i]));
		globfree(&found);
	}
	tacit_buf_clear(&pattern);
}

static void offer_commands(struct search *s, int count, char **words)
{
	if (count == 0)
		offer(s, TACIT_STR("help"));
	for (size_t i = 0; i < cli_command_count; i++) {
		const char *name = cli_commands[i].name;
		const char *space = strchr(name, ' ');
		size_t first = space != NULL ? (size_t)(space - name) : strlen(name);
		if (count == 0)
			offer(s, tacit_bytes(name, first));
		else if (count == 1 && space != NULL && strncmp(words[0], name, first) == 0 &&
		         words[0][first] == '\0')
			offer(s, tacit_cstr(space + 1));
	}
}

static void offer_options(struct search *s, const struct option *table)
{
	char text[64];
	for (; table != NULL && table->name != NULL; table++) {
		snprintf(text, sizeof(text), "--%s", table->name);
		offer(s, tacit_cstr(text));
	}
}

static void offer_code(void *ctx, const char *code)
{
	offer(ctx, tacit_cstr(code));
}

static void offer_argument(struct search *s, const struct command *command, int at)
{
	const char *kinds = command->completes != NULL ? command->completes : "";
	size_t n = strlen(kinds);
	if (n == 0)
		return;
	char kind = kinds[(size_t)at < n ? (size_t)at : n - 1];
	if ((size_t)at >= n && command->max >= 0)
		return;
	s->users = kind == 'u' || kind == 'n';
	s->groups = kind == 'g' || kind == 'n';
	if (kind == 'f')
		offer_files(s);
	else if (kind == 'k')
		tacit_parcel_code_complete(tacit_cstr(s->word), offer_code, s);
	else if (s->cli->host != NULL && !tacit_engine_locked(host_engine(s->cli->host)))
		tacit_engine_each_conversation(host_engine(s->cli->host), offer_conversation, s);
}

/* The line up to the word in hand; quotes are beyond this. */
#define MAX_WORDS 16

void complete_line(struct cli *c, const char *before, size_t *word, struct tacit_buf *candidates)
{
	char copy[1024];
	char *words[MAX_WORDS];
	int count = 0;
	int used = 0;
	const char *space = strrchr(before, ' ');
	struct search s = {.cli = c, .word = space != NULL ? space + 1 : before, .out = candidates};
	s.n = strlen(s.word);
	*word = s.n;
	size_t head = (size_t)(s.word - before);
	if (head >= sizeof(copy))
		return;
	memcpy(copy, before, head);
	copy[head] = '\0';
	char *rest = copy;
	for (char *p = strsep(&rest, " "); p != NULL && count < MAX_WORDS; p = strsep(&rest, " "))
		if (p[0] != '\0')
			words[count++] = p;
	const struct command *command = cli_find_command(count, words, &used);
	if (command != NULL && s.word[0] == '-') {
		offer_options(&s, command->options);
		offer_options(&s, cli_global_options);
	} else if (command != NULL && !(used == 1 && count == 1 && strchr(command->name, ' '))) {
		offer_argument(&s, command, count - used);
	}
	if (command == NULL || count == 1)
		offer_commands(&s, count, words);
}
