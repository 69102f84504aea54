#include "cli/options.h"

#include <string.h>

const struct option cli_global_options[] = {
        {"profile", 'p', "NAME", "the account on this machine to use (default: default)"},
        {"server", 's', "URL", "the server; remembered at register and login"},
        {"json", 'j', NULL, "one JSON object per line, for scripts"},
        {"quiet", 'q', NULL, "say only what was asked for"},
        {"password-file", 0, "FILE", "read the password from FILE (- is stdin)"},
        {"code-file", 0, "FILE", "read the TOTP or recovery code from FILE"},
        {"ca-file", 0, "FILE", "trust the certificate authorities in FILE"},
        {"insecure-http", 0, NULL, "allow http:// to other machines"},
        {"help", 'h', NULL, "say what a command does"},
        {"version", 'V', NULL, "print the version"},
        {NULL, 0, NULL, NULL},
};

/* One word as an option of the table; *value is what stands after '=' or the letter, or NULL. */
static const struct option *match(const struct option *table, const char *word, const char **value)
{
	*value = NULL;
	if (word[0] != '-' || word[1] == '\0' || strcmp(word, "--") == 0)
		return NULL;
	for (const struct option *o = table; o != NULL && o->name != NULL; o++) {
		size_t n = strlen(o->name);
		if (word[1] == '-' && strncmp(word + 2, o->name, n) == 0 &&
		        (word[2 + n] == '\0' || word[2 + n] == '=')) {
			*value = word[2 + n] == '=' ? word + 3 + n : NULL;
			return o;
		}
		if (word[1] != '-' && o->letter != 0 && word[1] == o->letter) {
			*value = word[2] != '\0' ? word + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

/* One option as it stands in the line. */
struct found {
	const struct option *option; /* NULL: it is none */
	const char *attached;
	const char *value;
};

/* Fills in the value: attached, or the next word, which is then taken too. */
static bool take_value(struct words *w, int *at, struct found *f)
{
	const struct option *o = f->option;
	f->value = f->attached;
	if (o->value == NULL && f->attached != NULL) {
		snprintf(w->problem, sizeof(w->problem), "--%s takes no value.", o->name);
		return false;
	}
	if (o->value == NULL)
		f->value = "";
	else if (f->attached == NULL && *at + 1 < w->count)
		f->value = w->list[++*at];
	if (f->value == NULL)
		snprintf(w->problem, sizeof(w->problem), "--%s needs a value: %s.", o->name,
		        o->value);
	return f->value != NULL;
}

static void set_global(
        struct cli *c, struct global_flags *flags, const struct option *o, const char *value)
{
	const struct {
		const char *name;
		const char **text;
		bool *flag;
	} places[] = {
	        {"profile", &c->profile, NULL},
	        {"server", &c->server, NULL},
	        {"json", NULL, &c->json},
	        {"quiet", NULL, &c->quiet},
	        {"password-file", &c->password_file, NULL},
	        {"code-file", &c->code_file, NULL},
	        {"ca-file", &c->ca_file, NULL},
	        {"insecure-http", NULL, &c->insecure_http},
	        {"help", NULL, &flags->help},
	        {"version", NULL, &flags->version},
	};
	for (size_t i = 0; i < TACIT_COUNT(places); i++) {
		if (strcmp(places[i].name, o->name) != 0)
			continue;
		if (places[i].text != NULL)
			*places[i].text = value;
		else
			*places[i].flag = true;
	}
}

bool options_take_global(struct cli *c, struct words *w, struct global_flags *flags)
{
	int kept = 0;
	bool ended = false;
	for (int i = 0; i < w->count; i++) {
		char *word = w->list[i];
		struct found f = {0};
		ended |= strcmp(word, "--") == 0;
		if (!ended)
			f.option = match(cli_global_options, word, &f.attached);
		if (!ended && strcmp(word, "--print-commands") == 0) {
			flags->print_commands = true;
		} else if (!ended && strcmp(word, "--complete-code") == 0 && i + 1 < w->count) {
			flags->complete_code = w->list[++i];
		} else if (f.option == NULL) {
			w->list[kept++] = word;
		} else {
			if (!take_value(w, &i, &f))
				return false;
			set_global(c, flags, f.option, f.value);
		}
	}
	w->count = kept;
	return true;
}

static bool count_fits(const struct command *command, struct words *w, int count)
{
	const char *problem = NULL;
	if (count < command->min)
		problem = "Something is missing.";
	else if (command->max >= 0 && count > command->max)
		problem = "That is more than the command takes.";
	if (problem != NULL)
		snprintf(w->problem, sizeof(w->problem), "%s", problem);
	return problem == NULL;
}

bool options_parse(const struct command *command, struct words *w, struct args *out)
{
	bool ended = false;
	*out = (struct args){.options = command->options, .list = w->list};
	for (int i = 0; i < w->count; i++) {
		char *word = w->list[i];
		struct found f = {0};
		if (!ended && strcmp(word, "--") == 0) {
			ended = true;
			continue;
		}
		if (!ended)
			f.option = match(command->options, word, &f.attached);
		if (f.option != NULL) {
			if (!take_value(w, &i, &f))
				return false;
			TACIT_ASSERT(f.option - command->options < CLI_MAX_OPTIONS);
			out->value[f.option - command->options] = f.value;
		} else if (!ended && word[0] == '-' && word[1] != '\0') {
			snprintf(w->problem, sizeof(w->problem), "%s has no option %s.",
			        command->name, word);
			return false;
		} else {
			out->list[out->count++] = word;
		}
	}
	return count_fits(command, w, out->count);
}

const char *cli_option(const struct args *a, const char *name)
{
	for (size_t i = 0; a->options != NULL && a->options[i].name != NULL; i++)
		if (strcmp(a->options[i].name, name) == 0)
			return a->value[i];
	return NULL;
}
