// SPDX-License-Identifier: Apache-2.0
#include "audit/record.h"

#include <time.h>

#define NS_PER_SECOND 1000000000ULL

const char *const audit_kinds[] = {"connect", "listen",	 "socket", "dns",  "sql",
				   "call",    "traffic", "agent",  "lost", NULL};
const char *const audit_verdicts[] = {"allow", "deny", "would-deny", "undecided", "noted", NULL};

void audit_time_format(uint64_t time_ns, char *text)
{
	time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
	struct tm parts;
	size_t length;

	(void)gmtime_r(&seconds, &parts);
	length = strftime(text, AUDIT_TIME_ROOM, "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text + length, AUDIT_TIME_ROOM - length, ".%09lluZ",
		       (unsigned long long)(time_ns % NS_PER_SECOND));
}

uint64_t audit_time_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void write_hint(const struct audit_record *record, struct json_writer *writer)
{
	json_key(writer, "hint");
	if (!record->hint_op || !record->hint_op[0]) {
		json_null(writer);
		return;
	}
	json_open_object(writer);
	json_key_string(writer, "op", record->hint_op);
	json_key_string(writer, "path", record->hint_path);
	if (record->hint_value && record->hint_value[0]) {
		json_key(writer, "value");
		json_verbatim(writer, record->hint_value);
	}
	json_close_object(writer);
}

void audit_record_write(const struct audit_record *record, struct json_writer *writer)
{
	char time[AUDIT_TIME_ROOM];

	audit_time_format(record->time_ns, time);
	json_open_object(writer);
	json_key_unsigned(writer, "seq", record->seq);
	json_key_string(writer, "time", time);
	json_key_string(writer, "agent", record->agent);
	json_key_string(writer, "scope", record->scope);
	json_key_unsigned(writer, "cgroup", record->cgroup);
	json_key_string(writer, "container", record->container);
	json_key(writer, "pid");
	if (record->pid > 0)
		json_unsigned(writer, (uint64_t)record->pid);
	else
		json_null(writer);
	json_key_string(writer, "exe", record->exe);
	json_key_string(writer, "kind", record->kind);
	json_key_string(writer, "verdict", record->verdict);
	json_key_string(writer, "reason", record->reason);
	json_key_string(writer, "rule", record->rule);
	json_key(writer, "subject");
	json_verbatim(writer, record->subject ? record->subject : "null");
	json_key_unsigned(writer, "count", record->count);
	json_key_string(writer, "policy", record->policy);
	json_key_string(writer, "message", record->message);
	write_hint(record, writer);
	json_close_object(writer);
	json_newline(writer);
}
