// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agentpol/commands.h"
#include "policyd/sql_child.h"

static const struct command commands[] = {
	{"check", cmd_check, "read and lint manifests"},
	{"compile", cmd_compile, "show what a manifest becomes, without loading it"},
	{"decide", cmd_decide, "judge requests against a manifest, one JSON object a line"},
	{"test", cmd_test, "run policy tests: requests and the verdicts they must get"},
	{"import", cmd_import, "make a least-privilege manifest of a tool list"},
	{"run", cmd_run, "run a command under a manifest"},
	{"mcp", cmd_mcp, "stand between an MCP client and a tool server"},
	{"attach", cmd_attach, "put a live cgroup under a manifest"},
	{"detach", cmd_detach, "take the policy off a cgroup"},
	{"ps", cmd_ps, "list what is under a policy, and what is enforced"},
	{"reload", cmd_reload, "make the daemon read its manifests again"},
	{"approvals", cmd_approvals, "list the tool calls that wait for a person"},
	{"approve", cmd_approve, "let a call that waits go on"},
	{"refuse", cmd_refuse, "deny a call that waits"},
	{"session", cmd_session, "begin the session of an agent's tool calls anew"},
	{"doctor", cmd_doctor, "tell what this machine can enforce, and by what"},
	{"log", cmd_log, "review the audit log"},
	{"sql", cmd_sql, "show what SQL touches, and whether a tool may run it"},
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_help(FILE *out)
{
	size_t i;

	fputs("Usage: agentpol [--help|--version] COMMAND [ARGUMENT...]\n"
	      "Keeps an AI agent inside what its manifest grants.\n\n"
	      "Commands:\n",
	      out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-9s  %s\n", commands[i].name, commands[i].summary);
	fputs("\n'agentpol COMMAND --help' tells a command's options.\n", out);
}

int command_fail(const char *verb, const struct error *error)
{
	fprintf(stderr, "agentpol %s: %s\n", verb, error->text);
	return (int)error->status;
}

int command_usage(const char *verb, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "agentpol %s: ", verb);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'agentpol %s --help'.\n", verb);
	return STATUS_UNUSABLE;
}

int command_read_format(const char *verb, const char *word, bool *json)
{
	*json = strcmp(word, "json") == 0;
	if (!*json && strcmp(word, "text") != 0)
		return command_usage(verb, "--format is text or json");
	return 0;
}

/* Results that were not written must not look like success. */
static int close_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("agentpol: standard output");
	return STATUS_SYSTEM;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	const struct command *command;
	int option;

	if (sql_child_main(argc, argv, &option))
		return option;
	/* "+": the options behind the verb are the verb's. */
	while ((option = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			print_help(stdout);
			return close_output(STATUS_DONE);
		case 'V':
			puts("agentpol " AGENTPOL_VERSION);
			return close_output(STATUS_DONE);
		default:
			fputs("Try 'agentpol --help'.\n", stderr);
			return STATUS_UNUSABLE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return STATUS_UNUSABLE;
	}
	command = find_command(argv[optind]);
	if (!command) {
		fprintf(stderr, "agentpol: no command '%s'\nTry 'agentpol --help'.\n",
			argv[optind]);
		return STATUS_UNUSABLE;
	}
	argc -= optind;
	argv += optind;
	optind = 0; /* glibc: start anew, with the verb as argv[0] */
	return close_output(command->run(argc, argv));
}
