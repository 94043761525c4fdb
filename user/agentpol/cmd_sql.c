// SPDX-License-Identifier: Apache-2.0
/* `agentpol sql`: what a statement touches, and what a manifest says to it. */
#include <getopt.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/sql_tool.h"
#include "policy/verdict_json.h"
#include "base/file.h"
#include "manifest/manifest.h"
#include "sql/limits.h"

static const char help[] =
	"Usage: agentpol sql [-m MANIFEST [--tool NAME]] [--schema FILE] TEXT\n"
	"       agentpol sql snapshot -m MANIFEST --tool NAME [-- PSQL-ARGUMENT...]\n"
	"Shows what SQL touches: tables and columns, functions, settings. With a manifest,\n"
	"tells whether the tool may run it. TEXT \"-\" is read from standard input.\n\n"
	"  -m, --manifest=FILE  the manifest to judge by\n"
	"      --tool=NAME      the tool whose \"sql\" it is; may be left out where only one has "
	"it\n"
	"      --schema=FILE    what the server has, as `agentpol sql snapshot` prints it\n"
	"  -f, --format=FORMAT  text (default) or json\n"
	"  -h, --help           this text\n\n"
	"Exit status: 0 allowed, or no manifest was given; 1 not; 2 something is unusable.\n";

struct question {
	const char *manifest, *tool, *schema;
	const char *text;
	bool json;
};

/* ---- output ---- */

/* What came from the statement must not steer the terminal that it is printed on. */
static void print_safe(const char *text)
{
	for (; *text; text++)
		(void)putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_access(const struct sql_access *access)
{
	(void)printf("%-8s  %-6s  ", sql_access_kind_name(access->kind), sql_use_name(access->use));
	if (access->schema) {
		print_safe(access->schema);
		(void)putchar('.');
	}
	print_safe(access->name);
	if (access->all_columns)
		(void)fputs(" (*)", stdout);
	for (size_t i = 0; !access->all_columns && i < access->columns.count; i++) {
		(void)fputs(i == 0 ? " (" : ", ", stdout);
		print_safe(access->columns.items[i]);
	}
	(void)puts(!access->all_columns && access->columns.count ? ")" : "");
}

static void print_text(const struct sql_decision *decision, bool judged)
{
	const struct verdict *verdict = &decision->verdict;

	for (size_t i = 0; i < decision->access_count; i++)
		print_access(&decision->accesses[i]);
	if (!judged && verdict->kind == VERDICT_ALLOW)
		return;
	(void)fputs(verdict_name(verdict->kind), stdout);
	if (verdict->message[0]) {
		(void)fputs(": ", stdout);
		print_safe(verdict->message);
	}
	if (judged && verdict->rule[0]) {
		(void)fputs("  [", stdout);
		print_safe(verdict->rule);
		(void)putchar(']');
	}
	(void)putchar('\n');
	if (judged && verdict->hint_op[0]) {
		(void)printf("to allow it: %s ", verdict->hint_op);
		print_safe(verdict->hint_path);
		(void)putchar(' ');
		print_safe(verdict->hint_value);
		(void)putchar('\n');
	}
	for (size_t i = 0; i < decision->assumes.count; i++) {
		(void)fputs("assumes: ", stdout);
		print_safe(decision->assumes.items[i]);
		(void)putchar('\n');
	}
}

static int print_json(const struct sql_decision *decision, bool judged)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	json_key_string(&writer, "statement", sql_statement_name(decision->statement));
	json_key(&writer, "accesses");
	sql_accesses_write(decision, &writer);
	if (judged || decision->verdict.kind != VERDICT_ALLOW)
		verdict_write(&writer, &decision->verdict, &decision->assumes);
	json_close_object(&writer);
	json_newline(&writer);
	return json_writer_text(&writer) ? fputs(json_writer_text(&writer), stdout) : -1;
}

/* ---- */

static int answer(const struct question *question, const struct policy *policy,
		  const struct sql_catalog *catalog, struct error *error)
{
	const struct tool *tool = NULL;
	struct arena *arena = arena_new();
	const struct sql_subject nobody = {.pointer = "", .catalog = catalog};
	struct sql_decision decision;
	int status = STATUS_DONE;

	if (!arena)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (policy)
		tool = sql_tool_find(policy, question->tool, error);
	if (policy && !tool) {
		arena_free(arena);
		return -1;
	}
	if (tool)
		sql_tool_decide(policy, tool->name, catalog, question->text, arena, &decision);
	else
		sql_decide(&nobody, question->text, strlen(question->text), arena, &decision);
	if (question->json && print_json(&decision, tool != NULL) < 0)
		status = error_set(error, STATUS_SYSTEM, "out of memory");
	else if (!question->json)
		print_text(&decision, tool != NULL);
	if (status == STATUS_DONE && decision.verdict.kind != VERDICT_ALLOW)
		status = STATUS_NO;
	arena_free(arena);
	return status;
}

static int ask(struct question *question)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_sql_catalog_ struct sql_catalog *catalog = NULL;
	_cleanup_free_ char *read = NULL;
	struct error error;
	size_t length;
	int status;

	if (strcmp(question->text, "-") == 0) {
		if (file_read_all("-", SQL_TEXT_MAX + 1, &read, &length, &error) < 0)
			return command_fail("sql", &error);
		question->text = read;
		if (strlen(read) != length)
			return command_usage("sql", "a statement has no NUL in it");
	}
	if (question->manifest) {
		policy = manifest_read_file(question->manifest, NULL, &error);
		if (!policy)
			return command_fail("sql", &error);
	}
	if (question->schema) {
		catalog = sql_schema_read_file(question->schema, &error);
		if (!catalog)
			return command_fail("sql", &error);
	}
	status = answer(question, policy, catalog, &error);
	return status < 0 ? command_fail("sql", &error) : status;
}

int cmd_sql(int argc, char **argv)
{
	static const struct option options[] = {
		{"manifest", required_argument, NULL, 'm'},
		{"tool", required_argument, NULL, 't'},
		{"schema", required_argument, NULL, 's'},
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct question question = {0};
	int option;

	if (argc > 1 && strcmp(argv[1], "snapshot") == 0)
		return cmd_sql_snapshot(argc - 1, argv + 1);
	while ((option = getopt_long(argc, argv, "m:f:h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			question.manifest = optarg;
			break;
		case 't':
			question.tool = optarg;
			break;
		case 's':
			question.schema = optarg;
			break;
		case 'f':
			if (command_read_format("sql", optarg, &question.json) != 0)
				return STATUS_UNUSABLE;
			break;
		case 'h':
			fputs(help, stdout);
			return STATUS_DONE;
		default:
			return command_usage("sql", "unknown option");
		}
	}
	if (argc - optind != 1)
		return command_usage("sql", "one TEXT is wanted");
	if (question.tool && !question.manifest)
		return command_usage("sql", "--tool goes with -m MANIFEST");
	question.text = argv[optind];
	return ask(&question);
}
