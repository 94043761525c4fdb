// SPDX-License-Identifier: Apache-2.0
/* `agentpol import`: a tool list to a manifest on standard output, and what the list leaves open on
 * standard error. */
#include <getopt.h>
#include <string.h>

#include "agentpol/commands.h"
#include "base/file.h"
#include "base/json_write.h"
#include "json/json_pretty.h"
#include "manifest/import.h"
#include "policy/policy.h"

#define HELP                                                                                    \
	"Usage: agentpol import [--from mcp|openai|anthropic] [--name NAME] [--format "         \
	"text|json] FILE\n"                                                                     \
	"\n"                                                                                    \
	"Makes of a tool list a manifest that grants as little as the list lets tell, and\n"    \
	"tells what the list leaves open. FILE \"-\" is standard input.\n"                      \
	"\n"                                                                                    \
	"      --from=FORM      mcp (an answer to tools/list), openai or anthropic (a\n"        \
	"                       request's tools); found out where not given\n"                  \
	"  -n, --name=NAME      the agent's name (default: the file's)\n"                       \
	"  -f, --format=FORMAT  what the findings on standard error are: text (default)\n"      \
	"                       or json\n"                                                      \
	"  -h, --help           this text\n"                                                    \
	"\n"                                                                                    \
	"Exit status: 0 the manifest is written; 1 it is, without a tool that has to be left\n" \
	"out for its schema; 2 the list is unusable.\n"

struct import_options {
	const char *path;
	enum import_form form;
	char name[AGENT_NAME_MAX + 1]; /* empty: of the file's */
	bool json;
};

static const struct form {
	const char *name;
	enum import_form form;
} forms[] = {
	{"mcp", IMPORT_MCP},
	{"openai", IMPORT_OPENAI},
	{"anthropic", IMPORT_ANTHROPIC},
};

static int read_form(const char *word, enum import_form *form)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (strcmp(forms[i].name, word) == 0) {
			*form = forms[i].form;
			return 0;
		}
	return command_usage("import", "unknown form \"%s\"; write mcp, openai or anthropic", word);
}

/* A name that import_name_of_file would not change is one that a manifest can have. */
static int read_name(const char *word, struct import_options *options)
{
	import_name_of_file(word, options->name, sizeof(options->name));
	if (options->name[0] && strcmp(options->name, word) == 0)
		return 0;
	return command_usage("import",
			     "\"%s\" can't be an agent's name: small letters, digits and \"-\", at "
			     "most %d",
			     word, AGENT_NAME_MAX);
}

static void tell_findings(const struct diagnostics *found, bool json)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	if (!json) {
		diagnostics_print_text(found, stderr);
		return;
	}
	json_open_object(&writer);
	json_key_string(&writer, "file", found->file);
	json_key_unsigned(&writer, "errors", found->errors);
	json_key_unsigned(&writer, "dropped", found->dropped);
	diagnostics_write_json(found, &writer);
	json_close_object(&writer);
	json_newline(&writer);
	(void)fputs(json_writer_text(&writer) ? json_writer_text(&writer) : "", stderr);
}

static int import_file(const struct import_options *options)
{
	_cleanup_json_document_ struct json_document *manifest = NULL;
	_cleanup_diagnostics_ struct diagnostics found;
	_cleanup_free_ char *text = NULL;
	struct error error = {0};
	size_t length;

	diagnostics_init(&found,
			 strcmp(options->path, "-") == 0 ? "standard input" : options->path);
	found.limit = IMPORT_FINDINGS_MAX;
	if (file_read_all(options->path, JSON_BYTES_MAX, &text, &length, &error))
		return command_fail("import", &error);
	manifest = import_tools(text, length, options->form, options->name, &found);
	tell_findings(&found, options->json);
	if (!manifest)
		return STATUS_UNUSABLE;
	if (json_print_pretty(json_root(manifest), stdout)) {
		error_set(&error, STATUS_SYSTEM, "out of memory");
		return command_fail("import", &error);
	}
	return found.errors ? STATUS_NO : STATUS_DONE;
}

int cmd_import(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"from", required_argument, NULL, 'F'},
		{"name", required_argument, NULL, 'n'},
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct import_options options = {0};
	int option, status = 0;

	while ((option = getopt_long(argc, argv, "n:f:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'F':
			status = read_form(optarg, &options.form);
			break;
		case 'n':
			status = read_name(optarg, &options);
			break;
		case 'f':
			status = command_read_format("import", optarg, &options.json);
			break;
		case 'h':
			(void)fputs(HELP, stdout);
			return STATUS_DONE;
		default:
			return command_usage("import", "unknown option");
		}
		if (status)
			return status;
	}
	if (optind != argc - 1)
		return command_usage("import", "name one tool list, or \"-\" for standard input");
	options.path = argv[optind];
	if (!options.name[0])
		import_name_of_file(options.path, options.name, sizeof(options.name));
	if (!options.name[0])
		return command_usage("import", "name the agent by --name");
	return import_file(&options);
}
