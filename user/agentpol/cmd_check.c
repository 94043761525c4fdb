// SPDX-License-Identifier: Apache-2.0
/* `agentpol check`: reads and lints manifests. Its diagnostics are its result: standard output. */
#include <getopt.h>
#include <string.h>

#include "agentpol/commands.h"
#include "base/file.h"
#include "base/json_write.h"
#include "manifest/codes.h"
#include "manifest/lint.h"
#include "manifest/manifest.h"
#include "manifest/sarif.h"

#define HELP                                                                                    \
	"Usage: agentpol check [--format text|json|sarif|github] MANIFEST...\n"                 \
	"\n"                                                                                    \
	"Reads manifests, and finds what they grant that was hardly meant.\n"                   \
	"\"-\" is standard input.\n"                                                            \
	"\n"                                                                                    \
	"  -f, --format=FORMAT  text (default), json, sarif (2.1.0), or github (annotations)\n" \
	"  -h, --help           this text\n"                                                    \
	"\n"                                                                                    \
	"Exit status: 0 no finding of level error; 1 such a finding; 2 a manifest is unusable.\n"

/* What became of one manifest. */
struct checked {
	struct diagnostics diagnostics;
	struct policy *policy; /* NULL: unusable */
};

struct format {
	const char *name;
	/* Once around all manifests (may be NULL), and once for each. */
	void (*begin)(struct json_writer *writer);
	void (*one)(struct json_writer *writer, const struct checked *checked);
	void (*end)(struct json_writer *writer);
};

static void checked_free(struct checked *checked)
{
	diagnostics_free(&checked->diagnostics);
	policy_free(checked->policy);
	checked->policy = NULL;
}
#define _cleanup_checked_ __attribute__((cleanup(checked_free)))

static size_t count_rules(const struct policy *policy)
{
	size_t count = policy->agent.network.egress_count;

	for (size_t i = 0; i < policy->tool_count; i++)
		count += policy->tools[i].scope.network.egress_count;
	return count;
}

/* ---- text ---- */

static void print_edge(const char *earlier, const char *later, const char *why)
{
	(void)printf("  %s -> %s  (%s)\n", earlier, later, why);
}

static bool has_order(const struct policy *policy)
{
	for (size_t i = 0; i < policy->tool_count; i++)
		if (policy->tools[i].requires_count || policy->tools[i].forbids_after.count)
			return true;
	return false;
}

static void print_order(const struct policy *policy)
{
	if (!has_order(policy))
		return;
	(void)printf("%s: order of calls (a -> b: a comes before b)\n", policy->name);
	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];

		for (size_t j = 0; j < tool->requires_count; j++)
			print_edge(tool->requires[j].tool, tool->name,
				   tool->requires[j].match_count ? "required, arguments bound"
								 : "required");
		for (size_t j = 0; j < tool->forbids_after.count; j++)
			print_edge(tool->name, tool->forbids_after.items[j],
				   "not allowed afterwards");
	}
}

static void print_text(struct json_writer *writer, const struct checked *checked)
{
	const struct policy *policy = checked->policy;

	(void)writer;
	diagnostics_print_text(&checked->diagnostics, stdout);
	if (!policy)
		return;
	if (checked->diagnostics.errors == 0) {
		diagnostics_print_safe(stdout, checked->diagnostics.file);
		(void)printf(": ok (%s: %zu rules, %zu tools, %zu findings)\n", policy->name,
			     count_rules(policy), policy->tool_count,
			     checked->diagnostics.count + checked->diagnostics.dropped);
	}
	print_order(policy);
}

/* ---- github: workflow commands, where "%" and line ends in text are escaped ---- */

static void print_escaped(const char *text, bool property)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n' ||
		    (property && (*text == ':' || *text == ',')))
			(void)printf("%%%02X", (unsigned)(unsigned char)*text);
		else
			(void)putchar(*text);
	}
}

static void print_github(struct json_writer *writer, const struct checked *checked)
{
	const struct diagnostics *diagnostics = &checked->diagnostics;

	(void)writer;
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		(void)printf("::%s file=", item->severity == SEVERITY_NOTE
						   ? "notice"
						   : severity_name(item->severity));
		print_escaped(diagnostics->file, true);
		if (item->position.line)
			(void)printf(",line=%zu,col=%zu", item->position.line,
				     item->position.column);
		(void)printf(",title=%s::", item->code);
		print_escaped(item->pointer ? item->pointer : "", false);
		(void)fputs(item->pointer && item->pointer[0] ? ": " : "", stdout);
		print_escaped(item->message ? item->message : "out of memory", false);
		(void)putchar('\n');
	}
}

/* ---- json ---- */

static void begin_json(struct json_writer *writer)
{
	json_open_object(writer);
	json_key(writer, "manifests");
	json_open_array(writer);
}

static void write_json_order(struct json_writer *writer, const struct policy *policy)
{
	json_key(writer, "order");
	json_open_array(writer);
	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];

		for (size_t j = 0; j < tool->requires_count; j++) {
			json_open_object(writer);
			json_key_string(writer, "before", tool->requires[j].tool);
			json_key_string(writer, "after", tool->name);
			json_key_string(writer, "by", "requires");
			json_close_object(writer);
		}
		for (size_t j = 0; j < tool->forbids_after.count; j++) {
			json_open_object(writer);
			json_key_string(writer, "before", tool->name);
			json_key_string(writer, "after", tool->forbids_after.items[j]);
			json_key_string(writer, "by", "forbids_after");
			json_close_object(writer);
		}
	}
	json_close_array(writer);
}

static void write_json(struct json_writer *writer, const struct checked *checked)
{
	const struct diagnostics *diagnostics = &checked->diagnostics;

	json_open_object(writer);
	json_key_string(writer, "file", diagnostics->file);
	json_key_boolean(writer, "usable", checked->policy != NULL);
	if (checked->policy) {
		json_key_string(writer, "name", checked->policy->name);
		json_key_string(writer, "digest", checked->policy->digest);
		json_key_unsigned(writer, "egress_rules", count_rules(checked->policy));
		json_key_unsigned(writer, "tools", checked->policy->tool_count);
		write_json_order(writer, checked->policy);
	}
	json_key_unsigned(writer, "errors", diagnostics->errors);
	json_key_unsigned(writer, "dropped", diagnostics->dropped);
	diagnostics_write_json(diagnostics, writer);
	json_close_object(writer);
}

static void end_json(struct json_writer *writer)
{
	json_close_array(writer);
	json_close_object(writer);
	json_newline(writer);
}

/* ---- SARIF 2.1.0 ---- */

static void begin_sarif(struct json_writer *writer)
{
	sarif_begin(writer, AGENTPOL_VERSION);
}

static void write_sarif(struct json_writer *writer, const struct checked *checked)
{
	sarif_add(writer, &checked->diagnostics);
}

static const struct format formats[] = {
	{"text", NULL, print_text, NULL},
	{"json", begin_json, write_json, end_json},
	{"sarif", begin_sarif, write_sarif, sarif_end},
	{"github", NULL, print_github, NULL},
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static void check_text(const char *text, size_t length, struct checked *checked)
{
	_cleanup_json_document_ struct json_document *document =
		manifest_parse(text, length, &checked->diagnostics);

	if (!document)
		return;
	checked->policy = manifest_read_document(document, text, length, &checked->diagnostics);
	if (checked->policy)
		manifest_lint(checked->policy, document, &checked->diagnostics);
}

static void check_file(const char *path, struct checked *checked)
{
	_cleanup_free_ char *text = NULL;
	struct error error = {0};
	size_t length;

	diagnostics_init(&checked->diagnostics, strcmp(path, "-") == 0 ? "standard input" : path);
	if (file_read_all(path, JSON_BYTES_MAX, &text, &length, &error))
		diagnostics_add(&checked->diagnostics, SEVERITY_ERROR, CODE_SYSTEM,
				(struct json_position){1, 1}, "", "%s", error.text);
	else
		check_text(text, length, checked);
}

static enum exit_status worse(enum exit_status a, enum exit_status b)
{
	return a > b ? a : b;
}

static int check_all(char **paths, int count, const struct format *format)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	enum exit_status status = STATUS_DONE;

	if (format->begin)
		format->begin(&writer);
	for (int i = 0; i < count; i++) {
		_cleanup_checked_ struct checked checked = {0};

		check_file(paths[i], &checked);
		format->one(&writer, &checked);
		if (!checked.policy)
			status = STATUS_UNUSABLE;
		else if (checked.diagnostics.errors)
			status = worse(status, STATUS_NO);
	}
	if (format->end)
		format->end(&writer);
	if (!json_writer_text(&writer) || fputs(json_writer_text(&writer), stdout) == EOF ||
	    fflush(stdout) == EOF) {
		struct error error;

		error_set(&error, STATUS_SYSTEM, "the result could not be written");
		return command_fail("check", &error);
	}
	return status;
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const struct format *format = &formats[0];
	int option;

	while ((option = getopt_long(argc, argv, "f:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			format = find_format(optarg);
			if (!format)
				return command_usage("check",
						     "unknown format \"%s\"; write text, json, "
						     "sarif or github",
						     optarg);
			break;
		case 'h':
			(void)fputs(HELP, stdout);
			return STATUS_DONE;
		default:
			return command_usage("check", "unknown option");
		}
	}
	if (optind == argc)
		return command_usage("check", "name a manifest, or \"-\" for standard input");
	return check_all(argv + optind, argc - optind, format);
}
