// SPDX-License-Identifier: Apache-2.0
/*
 * Records of the guard. It reads what agents write, so what it says is taken as an agent's word:
 * known members alone, of the kind that they have; whose it is is ours to say.
 */
#include <string.h>

#include "json/json.h"
#include "policyd/guard_internal.h"

#define REASON_ROOM 64
#define TEXT_ROOM   512

/* Members of a subject. */
static const struct {
	const char *name;
	bool (*is)(const json_value *value);
} subject_members[] = {
	{"database", json_is_string},	{"user", json_is_string},
	{"statement", json_is_string},	{"shape", json_is_string},
	{"text", json_is_string},	{"accesses", json_is_array},
	{"rows", json_is_number},	{"duration_us", json_is_number},
	{"superuser", json_is_boolean}, {"cut", json_is_boolean},
};

static const char *const verdicts[] = {"allow", "deny", "undecided", "would-deny", "noted"};

static const char *find_verdict(const char *text)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(verdicts); i++)
		if (strcmp(verdicts[i], text) == 0)
			return verdicts[i];
	return NULL;
}

static const char *short_text(const json_value *object, const char *key, size_t room)
{
	const char *text = json_as_string(json_member(object, key));

	return text && strlen(text) < room ? text : NULL;
}

static void write_subject(const json_value *subject, struct json_writer *writer)
{
	json_open_object(writer);
	for (size_t i = 0; i < ARRAY_SIZE(subject_members); i++) {
		const json_value *value = json_member(subject, subject_members[i].name);
		_cleanup_free_ char *text = NULL;

		if (!value || !subject_members[i].is(value))
			continue;
		text = json_print(value);
		if (!text)
			continue;
		json_key(writer, subject_members[i].name);
		json_verbatim(writer, text);
	}
	json_close_object(writer);
}

static bool is_operation(const char *op)
{
	return op &&
	       (strcmp(op, "add") == 0 || strcmp(op, "remove") == 0 || strcmp(op, "replace") == 0);
}

void records_lost(struct guard *guard, uint64_t cgroup, uint64_t count)
{
	const struct agent *agent = cgroup ? agents_find(guard->options.agents, cgroup) : NULL;
	struct audit_record record = {
		.kind = "lost",
		.verdict = "noted",
		.reason = "sql",
		.count = count,
		.message = "records of the SQL guard were lost before they reached the log",
	};

	if (agent && count)
		monitor_tell(guard->options.monitor, agent, &record);
	else
		monitor_add_lost(guard->options.monitor, count);
}

void records_take(struct guard *guard, const struct guard_session *session, const char *text,
		  size_t length)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_json_writer_ struct json_writer subject = {0};
	_cleanup_free_ char *value = NULL;
	const struct agent *agent = agents_find(guard->options.agents, session->cgroup);
	struct json_fault fault;
	const json_value *root, *hint;
	struct audit_record record = {.kind = "sql", .pid = (pid_t)session->steering.pid};

	document = json_document_parse(text, length, &fault);
	root = document ? json_root(document) : NULL;
	record.verdict = find_verdict(json_as_string(json_member(root, "verdict")));
	if (!agent || !json_is_object(root) || !record.verdict) {
		records_lost(guard, session->cgroup, 1);
		return;
	}
	record.reason = short_text(root, "reason", REASON_ROOM);
	record.rule = short_text(root, "rule", TEXT_ROOM);
	record.message = short_text(root, "message", 2 * TEXT_ROOM);
	if (!json_as_unsigned(json_member(root, "count"), UINT32_MAX, &record.count))
		record.count = 1;
	hint = json_member(root, "hint");
	record.hint_op = short_text(hint, "op", REASON_ROOM);
	record.hint_path = short_text(hint, "path", TEXT_ROOM);
	if (!is_operation(record.hint_op) || !record.hint_path)
		record.hint_op = NULL;
	if (json_member(hint, "value"))
		value = json_print(json_member(hint, "value"));
	record.hint_value = value;
	write_subject(json_member(root, "subject"), &subject);
	record.subject = json_writer_text(&subject);
	monitor_tell(guard->options.monitor, agent, &record);
}
