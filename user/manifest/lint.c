// SPDX-License-Identifier: Apache-2.0
#include "manifest/lint.h"

#include <assert.h>
#include <stdarg.h>

#include "manifest/lint_rules.h"

/* Errors make the policy void; the rest is for the reviewer to weigh. */
const struct lint_rule lint_rules[] = {
	[LINT_EVERYTHING] = {"B001", "everything-reachable", SEVERITY_ERROR,
			     "every address is granted on every port",
			     "name the hosts and the ports that the agent needs"},
	[LINT_ANY_ADDRESS] =
		{"B002", "any-address", SEVERITY_WARNING, "every address is granted on these ports",
		 "name the hosts, or set \"mode\": \"audit\" for a while to learn them"},
	[LINT_WIDE_PREFIX] = {"B003", "wide-prefix", SEVERITY_WARNING,
			      "a wide range of addresses is granted",
			      "name the hosts, or the subnet in which they are"},
	[LINT_METADATA] = {"B004", "metadata-granted", SEVERITY_WARNING,
			   "cloud metadata or link-local addresses are granted, where credentials "
			   "are handed out",
			   "remove it, and give the agent credentials of its own"},
	[LINT_SHARED_SUFFIX] = {"B005", "shared-suffix", SEVERITY_WARNING,
				"anyone can register a name below this wildcard",
				"name the hosts that are meant"},
	[LINT_SNI_IGNORED] = {"B006", "sni-ignored", SEVERITY_WARNING,
			      "neighbours on the same address are in reach without the check of "
			      "the TLS server name",
			      "remove \"sni\": \"ignore\""},
	[LINT_DNS_BY_ADDRESS] = {"B007", "dns-by-address", SEVERITY_WARNING,
				 "a DNS port is granted, through which any name can be asked and "
				 "any data carried",
				 "list the server in \"resolvers\" instead"},
	[LINT_RAW_FAMILY] = {"B008", "raw-family", SEVERITY_WARNING,
			     "sockets that pass by addresses and ports are granted",
			     "remove the family"},
	[LINT_CAPABILITY] = {"B009", "undoing-capability", SEVERITY_ERROR,
			     "the capability lets a process undo this policy",
			     "remove it from \"capabilities\""},
	[LINT_ESCAPE] = {"B010", "escape-allowed", SEVERITY_WARNING,
			 "system calls of @escape, which attackers leave a sandbox by, are allowed",
			 "deny \"@escape\", and except only what the agent can't do without"},
	[LINT_RUNTIME_SOCKET] = {"B011", "runtime-socket", SEVERITY_WARNING,
				 "the socket of a container runtime or of the system is granted, "
				 "which starts processes outside this policy",
				 "remove the path"},
	[LINT_WRITE_ROOT] = {"B012", "write-everything", SEVERITY_ERROR,
			     "every file may be written", "name the directories that are meant"},
	[LINT_WRITE_SYSTEM] = {"B013", "write-system", SEVERITY_WARNING,
			       "files of the system may be written, which others run or obey",
			       "name a directory of the agent's own"},
	[LINT_READ_ROOT] = {"B014", "read-everything", SEVERITY_WARNING,
			    "every file may be read, keys and tokens too",
			    "name the directories that are meant, or add a \"deny\" list"},
	[LINT_UNCONFIRMED] = {"B015", "unconfirmed-effect", SEVERITY_WARNING,
			      "the tool destroys or reaches outside without a person's consent",
			      "add \"confirm\": \"ask\", or state a lesser \"effect\""},
	[LINT_SQL_UNCHECKED] = {"B016", "sql-unchecked", SEVERITY_WARNING,
				"a free text is passed to a tool that runs SQL, and is checked on "
				"the wire alone",
				"name it by \"argument\", or limit it in inputSchema"},
	[LINT_SQL_EFFECT] = {"B017", "effect-understated", SEVERITY_WARNING,
			     "the effect is \"read\", but the SQL grants change rows",
			     "write \"effect\": \"write\", or remove those grants"},
	[LINT_SQL_PLAIN] = {"B018", "sql-plaintext", SEVERITY_WARNING,
			    "SQL and its password go over the network in the clear, or to a server "
			    "that nobody verified",
			    "write \"tls\": \"verify-full\""},
	[LINT_NO_BUDGET] = {"B019", "no-budget", SEVERITY_NOTE, "tools can be called without end",
			    "add \"budgets\", e.g. {\"calls\": 200, \"denials\": 10}"},
	[LINT_AUDIT_MODE] = {"B020", "audit-mode", SEVERITY_WARNING,
			     "nothing is denied in audit mode",
			     "write \"mode\": \"enforce\" once the log shows no more surprises"},
	[LINT_ANY_EXEC] = {"B021", "any-program", SEVERITY_NOTE, "any program may be executed",
			   "list programs in \"process\"/\"exec\""},
	[LINT_SERVER_PORT] = {"B022", "server-port", SEVERITY_WARNING,
			      "the port of a tool's SQL server is granted by its number: at an "
			      "address of the server's that is not known as such nobody judges the "
			      "statements",
			      "leave the number out (\"*\" and ranges do), or name the one address "
			      "that is meant"},
	[LINT_SQL_FUNCTION] =
		{"B023", "sql-undoing-function", SEVERITY_ERROR,
		 "the function runs SQL that it is given, reads or writes files, "
		 "reaches other servers or changes settings, past what \"allow\" says",
		 "remove it from \"functions\""},
	[LINT_SQL_PATH] = {"B024", "sql-path", SEVERITY_WARNING,
			   "pg_catalog stands behind another schema, whose functions come first: "
			   "every statement is refused",
			   "remove pg_catalog, which is looked in first anyway"},
	[LINT_IGNORED_LIMIT] = {"B025", "ignored-limit", SEVERITY_WARNING,
				"the schema is of draft-07, where what stands beside \"$ref\" "
				"limits nothing",
				"move it into an \"allOf\" with the \"$ref\", or write 2020-12"},
};
const size_t lint_rule_count = ARRAY_SIZE(lint_rules);
static_assert(ARRAY_SIZE(lint_rules) == LINT_RULES, "each rule has its line");

void lint_find(struct linter *linter, enum lint_rule_index index, const json_value *at,
	       const char *what, const char *pointer, const char *format, ...)
{
	const struct lint_rule *rule = &lint_rules[index];
	_cleanup_free_ char *rest = NULL, *whole = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&rest, format, arguments) < 0)
		rest = NULL;
	va_end(arguments);
	if (asprintf(&whole, "%s%s", pointer, rest ? rest : "") < 0)
		whole = NULL;
	diagnostics_add(linter->diagnostics, rule->severity, rule->code,
			json_position_of(linter->document, at), whole ? whole : "", "%s%s%s; %s",
			what ? what : "", what ? ": " : "", rule->summary, rule->help);
}

static void lint_scope(struct linter *linter, const struct scope *scope, const json_value *value)
{
	const struct lint_scope both = {scope, value};

	lint_network(linter, &both);
	lint_process(linter, &both);
	lint_files(linter, &both);
}

static void lint_top(struct linter *linter, const json_value *root)
{
	const struct policy *policy = linter->policy;
	const json_value *process = json_member(root, "process");

	if (policy->mode == MODE_AUDIT)
		lint_find(linter, LINT_AUDIT_MODE, json_member(root, "mode"), NULL, "", "/mode");
	if (policy->tool_count == 0)
		return;
	if (!policy->budgets.present)
		lint_find(linter, LINT_NO_BUDGET, json_member(root, "tools"), NULL, "", "/budgets");
	if (!policy->agent.process.exec_present)
		lint_find(linter, LINT_ANY_EXEC, process ? process : root, NULL, "",
			  "/process/exec");
}

void manifest_lint(const struct policy *policy, const struct json_document *document,
		   struct diagnostics *diagnostics)
{
	struct linter linter = {policy, document, diagnostics};
	const json_value *root = json_root(document);
	const json_value *tool = json_first(json_member(root, "tools"));

	lint_top(&linter, root);
	lint_scope(&linter, &policy->agent, root);
	/* Tools stand in the policy in the document's order. */
	for (size_t i = 0; i < policy->tool_count && tool; i++, tool = json_next(tool)) {
		lint_scope(&linter, &policy->tools[i].scope, tool);
		lint_tool(&linter, &policy->tools[i], tool);
	}
}
