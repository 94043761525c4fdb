// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_log.h"

#include <string.h>

#include "audit/query.h"
#include "base/file.h"

void mcp_log_open(struct mcp_log *log, const char *folder)
{
	struct error error;

	log->store = audit_store_open(folder, &error);
	if (!log->store && !log->quiet)
		(void)fprintf(stderr, "agentpol mcp: nothing is kept in a log: %s\n", error.text);
}

void mcp_log_close(struct mcp_log *log)
{
	audit_store_close(log->store);
	log->store = NULL;
}

static const char *subject_of(const struct mcp_gateway_record *told, struct json_writer *writer)
{
	json_open_object(writer);
	json_key_string(writer, "tool", told->tool);
	if (told->arguments) {
		json_key(writer, "arguments");
		json_verbatim(writer, told->arguments);
	}
	json_close_object(writer);
	return json_writer_text(writer);
}

/* What was allowed is for the log alone. */
static void print(const struct mcp_log *log, const struct audit_record *record)
{
	const bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	_cleanup_json_writer_ struct json_writer writer = {0};
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *out;

	if (log->quiet || strcmp(record->verdict, "allow") == 0)
		return;
	audit_record_write(record, &writer);
	out = json_writer_text(&writer) ? open_memstream(&text, &length) : NULL;
	if (!out)
		return;
	(void)fputs("agentpol: ", out);
	(void)!audit_print_line(writer.text, colour, out);
	/* One write: the server writes to the same terminal. */
	if (fclose(out) == 0)
		(void)!file_write_fd(STDERR_FILENO, text, length);
}

void mcp_log_record(struct mcp_log *log, const struct mcp_gateway_record *told)
{
	const struct verdict *verdict = told->verdict;
	_cleanup_json_writer_ struct json_writer subject = {0};
	struct audit_record record = {
		.time_ns = audit_time_now(),
		.agent = log->policy->name,
		.scope = told->tool,
		.kind = "call",
		.verdict = told->noted ? "noted" : verdict_name(verdict->kind),
		.reason = verdict->reason,
		.rule = verdict->rule[0] ? verdict->rule : NULL,
		.subject = subject_of(told, &subject),
		.count = 1,
		.policy = log->policy->digest,
		.message = verdict->message[0] ? verdict->message : NULL,
		.hint_op = verdict->hint_op,
		.hint_path = verdict->hint_path,
		.hint_value = verdict->hint_value,
	};

	if (log->store && audit_store_append(log->store, &record) < 0 && !log->quiet)
		(void)fputs("agentpol mcp: the log can't be written\n", stderr);
	print(log, &record);
}
