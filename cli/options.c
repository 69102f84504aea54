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

/* The value of option o at words[*i]: attached, or the next word, which is then taken too. */
static const char *take_value(const struct option *o, const char *attached, int count, char **words,
        int *i, const char **value, char *room, size_t size)
{
	*value = "";
	if (o->value == NULL && attached == NULL)
		return NULL;
	*value = attached;
	if (o->value == NULL) {
		snprintf(room, size, "--%s takes no value.", o->name);
		return room;
	}
	if (attached == NULL && *i + 1 < count)
		*value = words[++*i];
	if (*value == NULL) {
		snprintf(room, size, "--%s needs a value: %s.", o->name, o->value);
		return room;
	}
	return NULL;
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

const char *options_take_global(struct cli *c, int *count, char **words, struct global_flags *flags,
        char *room, size_t size)
{
	int kept = 0;
	bool ended = false;
	for (int i = 0; i < *count; i++) {
		const char *attached;
		const struct option *o =
		        ended ? NULL : match(cli_global_options, words[i], &attached);
		ended |= strcmp(words[i], "--") == 0;
		if (o == NULL && !ended && strcmp(words[i], "--print-commands") == 0) {
			flags->print_commands = true;
			continue;
		}
		if (o == NULL) {
			words[kept++] = words[i];
			continue;
		}
		const char *value;
		const char *problem =
		        take_value(o, attached, *count, words, &i, &value, room, size);
		if (problem != NULL)
			return problem;
		set_global(c, flags, o, value);
	}
	*count = kept;
	return NULL;
}

const char *options_parse(const struct command *command, int count, char **words, struct args *out,
        char *room, size_t size)
{
	bool ended = false;
	*out = (struct args){.options = command->options, .list = words};
	for (int i = 0; i < count; i++) {
		const char *attached;
		const char *value;
		if (!ended && strcmp(words[i], "--") == 0) {
			ended = true;
			continue;
		}
		const struct option *o =
		        ended ? NULL : match(command->options, words[i], &attached);
		if (o == NULL && !ended && words[i][0] == '-' && words[i][1] != '\0') {
			snprintf(room, size, "%s has no option %s.", command->name, words[i]);
			return room;
		}
		if (o == NULL) {
			out->list[out->count++] = words[i];
			continue;
		}
		const char *problem = take_value(o, attached, count, words, &i, &value, room, size);
		if (problem != NULL)
			return problem;
		out->value[o - command->options] = value;
	}
	if (out->count < command->min)
		return "Something is missing.";
	if (command->max >= 0 && out->count > command->max)
		return "That is more than the command takes.";
	return NULL;
}

const char *cli_option(const struct args *a, const char *name)
{
	for (size_t i = 0; a->options != NULL && a->options[i].name != NULL; i++)
		if (strcmp(a->options[i].name, name) == 0)
			return a->value[i];
	return NULL;
}
