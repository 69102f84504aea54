#include <string.h>

#include "cli/cli.h"

#define COLUMN 36

void cli_print_usage(FILE *to)
{
	fprintf(to, "usage: tacit [OPTION...] COMMAND [ARGUMENT...]\n"
	            "       tacit               on a terminal: a prompt for the same commands\n\n");
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct command *c = &cli_commands[i];
		int n = fprintf(to, "  %s %s", c->name, c->args);
		fprintf(to, "%*s%s\n", n < COLUMN ? COLUMN - n : 1, "", c->summary);
	}
	fprintf(to, "\ntacit COMMAND --help tells more, and so does man tacit-COMMAND.\n");
}

static void print_options(const struct option *table)
{
	for (; table != NULL && table->name != NULL; table++) {
		char letter[8] = "    ";
		if (table->letter != 0)
			snprintf(letter, sizeof(letter), "-%c, ", table->letter);
		int n = printf("  %s--%s%s%s", letter, table->name, table->value != NULL ? " " : "",
		        table->value != NULL ? table->value : "");
		printf("%*s%s\n", n < 30 ? 30 - n : 1, "", table->help);
	}
}

void cli_print_help(const struct command *command)
{
	if (command == NULL) {
		cli_print_usage(stdout);
		printf("\nOptions of every command:\n");
		print_options(cli_global_options);
		return;
	}
	printf("usage: tacit %s%s%s%s\n\n%s\n", command->name,
	        command->options != NULL ? " [OPTION...]" : "", command->args[0] != '\0' ? " " : "",
	        command->args, command->summary);
	if (command->detail != NULL)
		printf("\n%s\n", command->detail);
	if (command->options != NULL) {
		printf("\nOptions:\n");
		print_options(command->options);
	}
	printf("\nOptions of every command:\n");
	print_options(cli_global_options);
}

/* For the tests that hold completions and manuals against the table: "command NAME", then
 * "option NAME --LONG"; the global ones have no name. */
void cli_print_commands(void)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct command *c = &cli_commands[i];
		printf("command %s\n", c->name);
		for (const struct option *o = c->options; o != NULL && o->name != NULL; o++)
			printf("option %s --%s\n", c->name, o->name);
	}
	for (const struct option *o = cli_global_options; o->name != NULL; o++)
		printf("global --%s\n", o->name);
}
