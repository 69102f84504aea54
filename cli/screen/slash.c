#include "cli/screen/slash.h"

#include <glob.h>
#include <string.h>

#include "base/alloc.h"

const struct slash_command slash_commands[] = {
        {"help", "", "this", SLASH_HELP, false, 0, 0, 0},
        {"chat", "NAME", "go to a conversation, or begin one", SLASH_CHAT, true, 1, 1, 'c'},
        {"reply", "[#ID] TEXT", "answer the newest message, or that one", SLASH_ABOUT, true, 1, 1,
                0},
        {"react", "[#ID] [EMOJI]", "react to it; nothing: no longer", SLASH_ABOUT, true, 0, 1, 0},
        {"edit", "[#ID] TEXT", "change your newest message, for everybody", SLASH_ABOUT, true, 1, 1,
                0},
        {"delete", "[#ID]", "take it back, for everybody", SLASH_ABOUT, true, 0, 1, 0},
        {"file", "PATH", "send a file", SLASH_FILE, true, 1, 1, 'p'},
        {"get", "[ID]", "fetch a file into this folder", SLASH_GET, false, 0, 1, 'f'},
        {"verify", "[yes]", "show the safety number; yes: it is the same", SLASH_VERIFY, false, 0,
                1, 0},
        {"accept-key", "[yes]", "trust the changed key from now on", SLASH_ACCEPT_KEY, false, 0, 1,
                0},
        {"group", "create NAME USER...", "make one; also: add USER..., remove USER", SLASH_GROUP,
                false, 2, SLASH_WORDS, 'u'},
        {"members", "", "who is in the conversation", SLASH_MEMBERS, false, 0, 0, 0},
        {"leave", "[yes]", "leave the group that is shown", SLASH_LEAVE, false, 0, 1, 0},
        {"session", "TIME USER...", "a conversation that destroys itself", SLASH_SESSION, false, 2,
                SLASH_WORDS, 'u'},
        {"close", "[yes]", "destroy this session, for everybody", SLASH_CLOSE, false, 0, 1, 0},
        {"expire", "TIME|off", "messages disappear after a time, as 1h", SLASH_EXPIRE, false, 1, 1,
                0},
        {"search", "TEXT", "find text in the conversation", SLASH_SEARCH, true, 1, 1, 0},
        {"quit", "", "leave (so does Ctrl-D)", SLASH_QUIT, false, 0, 0, 0},
};
const size_t slash_command_count = TACIT_COUNT(slash_commands);

/* --- taking apart ---------------------------------------------------------------------------- */

static const struct slash_command *find(const char *name, size_t n)
{
	for (size_t i = 0; i < slash_command_count; i++)
		if (strlen(slash_commands[i].name) == n &&
		        memcmp(slash_commands[i].name, name, n) == 0)
			return &slash_commands[i];
	return NULL;
}

/* A word, in quotes or not; what follows it. */
static char *take_word(char *at, char **word)
{
	char end = *at == '"' ? '"' : ' ';
	*word = *at == '"' ? at + 1 : at;
	at = strchr(*word, end);
	if (at == NULL)
		return *word + strlen(*word);
	*at++ = '\0';
	return at;
}

static char *skip_spaces(char *at)
{
	while (*at == ' ' || *at == '\n')
		at++;
	return at;
}

static void trim_end(char *text)
{
	size_t n = strlen(text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\n'))
		text[--n] = '\0';
}

static void take_words(struct slash *s, char *at)
{
	while (*at != '\0' && s->count < SLASH_WORDS) {
		if (s->command->whole) {
			s->words[s->count++] = at;
			return;
		}
		at = skip_spaces(take_word(at, &s->words[s->count++]));
	}
}

enum tacit_err slash_parse(const char *line, struct slash *out)
{
	size_t size = strlen(line) + 1;
	*out = (struct slash){.room = tacit_alloc(size)};
	if (out->room == NULL)
		return TACIT_E_NOMEM;
	memcpy(out->room, line, size);
	trim_end(out->room);
	char *name = out->room + 1;
	char *rest = skip_spaces(name + strcspn(name, " \n"));
	out->command = find(name, strcspn(name, " \n"));
	if (out->command == NULL) {
		out->problem = "There is no such command: /help shows them; //TEXT sends /TEXT.";
		return TACIT_E_USAGE;
	}
	take_words(out, rest);
	if (out->count < out->command->min)
		out->problem = "Something is missing";
	else if (out->count > out->command->max)
		out->problem = "That is more than the command takes";
	return out->problem == NULL ? TACIT_OK : TACIT_E_USAGE;
}

void slash_clear(struct slash *s)
{
	tacit_free(s->room);
	*s = (struct slash){0};
}

/* --- completing ------------------------------------------------------------------------------ */

struct offer {
	const char *word;
	size_t n;
	struct tacit_buf *out;
	enum tacit_err err;
};

static bool is_offered(const struct offer *o, struct tacit_bytes name)
{
	for (size_t at = 0; at < o->out->n;) {
		struct tacit_bytes rest = tacit_bytes(o->out->p + at, o->out->n - at);
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;
		if (tacit_bytes_eq(tacit_bytes(rest.p, n), name))
			return true;
		at += n + 1;
	}
	return false;
}

static void offer(struct offer *o, struct tacit_bytes name)
{
	enum tacit_err err;
	if (o->err != TACIT_OK || name.n < o->n || name.n == 0 ||
	        (o->n > 0 && memcmp(name.p, o->word, o->n) != 0) || memchr(name.p, '\n', name.n) ||
	        is_offered(o, name))
		return;
	if (o->out->n > 0)
		TRY(tacit_buf_append(o->out, TACIT_STR("\n")));
	TRY(tacit_buf_append(o->out, name));
out:
	o->err = err;
}

static void offer_lines(struct offer *o, struct tacit_bytes lines)
{
	while (lines.n > 0) {
		const uint8_t *end = memchr(lines.p, '\n', lines.n);
		size_t n = end != NULL ? (size_t)(end - lines.p) : lines.n;
		offer(o, tacit_bytes(lines.p, n));
		lines = tacit_bytes_part(lines, n + 1, lines.n);
	}
}

static void offer_users(struct offer *o, const struct model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		offer(o, tacit_buf_view(&m->dialogs[i]->username));
		offer_lines(o, tacit_buf_view(&m->dialogs[i]->members));
	}
}

static void offer_dialogs(struct offer *o, const struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		offer(o, tacit_buf_view(&m->dialogs[i]->title));
	offer_users(o, m);
}

static void offer_files(struct offer *o, const struct model *m)
{
	const struct dialog *d = model_chosen(m);
	for (size_t i = d != NULL ? d->count : 0; i > 0; i--)
		offer(o, tacit_bytes_part(tacit_cstr(d->entries[i - 1].file), 0, 8));
}

static void offer_paths(struct offer *o)
{
	struct tacit_buf pattern = {0};
	glob_t found = {0};
	if (tacit_buf_printf(&pattern, "%s*", o->word) == TACIT_OK &&
	        tacit_buf_terminate(&pattern) == TACIT_OK &&
	        glob((const char *)pattern.p, GLOB_MARK | GLOB_TILDE, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			offer(o, tacit_cstr(found.gl_pathv[i]));
		globfree(&found);
	}
	tacit_buf_clear(&pattern);
}

/* A name at the end of a message: "ali" becomes "alice". */
static void offer_name(struct offer *o, const struct model *m)
{
	const struct dialog *d = model_chosen(m);
	const char *space = strrchr(o->word, ' ');
	o->word = space != NULL ? space + 1 : o->word;
	o->n = strlen(o->word);
	if (d != NULL && o->n > 0)
		offer_lines(o, tacit_buf_view(&d->members));
}

static void offer_argument(
        struct offer *o, const struct model *m, const struct slash_command *command)
{
	const char *space = strrchr(o->word, ' ');
	if (!command->whole && space != NULL)
		o->word = space + 1;
	o->n = strlen(o->word);
	if (command->completes == 'u')
		offer_users(o, m);
	else if (command->completes == 'c')
		offer_dialogs(o, m);
	else if (command->completes == 'f')
		offer_files(o, m);
	else if (command->completes == 'p')
		offer_paths(o);
}

enum tacit_err slash_complete(
        const struct model *m, const char *before, size_t *word, struct tacit_buf *candidates)
{
	struct offer o = {.word = before, .out = candidates};
	const char *space = strchr(before, ' ');
	if (before[0] != '/' || before[1] == '/') {
		offer_name(&o, m);
	} else if (space == NULL) {
		o.word = before + 1;
		o.n = strlen(o.word);
		for (size_t i = 0; i < slash_command_count; i++)
			offer(&o, tacit_cstr(slash_commands[i].name));
	} else {
		const struct slash_command *c = find(before + 1, (size_t)(space - before) - 1);
		o.word = space + 1;
		if (c != NULL)
			offer_argument(&o, m, c);
	}
	*word = o.n;
	return o.err;
}
