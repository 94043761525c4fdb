// SPDX-License-Identifier: Apache-2.0
#include "audit/query.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "audit/store.h"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define GREEN  "\033[32m"
#define PLAIN  "\033[0m"

static const char *text_of(const cJSON *record, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, key));
}

static bool matches(const cJSON *record, const char *key, const char *wanted)
{
	const char *value = text_of(record, key);

	return !wanted || (value && strcmp(value, wanted) == 0);
}

/* 1: taken, 0: not taken, -1: no record. */
static int filter_line(const char *line, const struct audit_filter *filter)
{
	cJSON *record = cJSON_Parse(line);
	int result = -1;

	if (cJSON_IsObject(record) && cJSON_GetObjectItemCaseSensitive(record, "seq"))
		result = matches(record, "agent", filter->agent) &&
			 matches(record, "kind", filter->kind) &&
			 matches(record, "verdict", filter->verdict);
	cJSON_Delete(record);
	return result;
}

int audit_query(const char *folder, const struct audit_filter *filter, size_t *offset,
		audit_visit visit, void *context, struct error *error)
{
	char path[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (snprintf(path, sizeof(path), "%s/%s", folder, AUDIT_LOG_NAME) >= (int)sizeof(path))
		return error_set(error, STATUS_UNUSABLE, "%s: path too long", folder);
	file = fopen(path, "re");
	if (!file)
		return error_set_errno(error, errno == EACCES ? STATUS_SYSTEM : STATUS_UNUSABLE,
				       errno, "no audit log %s", path);
	if (fseeko(file, (off_t)*offset, SEEK_SET) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", path);
	while ((length = getline(&line, &room, file)) > 0) {
		int taken;

		if (line[length - 1] != '\n')
			return 0; /* being written */
		line[length - 1] = '\0';
		taken = filter_line(line, filter);
		if (taken < 0)
			return error_set(error, STATUS_NO,
					 "%s: what stands at byte %zu is no audit record: the log "
					 "is damaged",
					 path, *offset);
		*offset += (size_t)length;
		if (taken && visit(line, context) != 0)
			return 0;
	}
	return 0;
}

static const char *colour_of(const char *verdict)
{
	if (strcmp(verdict, "deny") == 0)
		return RED;
	if (strcmp(verdict, "would-deny") == 0)
		return YELLOW;
	if (strcmp(verdict, "allow") == 0)
		return GREEN;
	return "";
}

void audit_print_safely(const char *text, FILE *out)
{
	for (; *text; text++)
		(void)fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

/* "tcp 203.0.113.9 port 443", "socket raw", ... */
static void print_subject(const cJSON *subject, FILE *out)
{
	const cJSON *port = cJSON_GetObjectItemCaseSensitive(subject, "port");
	const char *proto = text_of(subject, "proto"), *address = text_of(subject, "address");
	const char *name = text_of(subject, "name"), *socket = text_of(subject, "socket");
	const char *path = text_of(subject, "unix");

	if (proto)
		(void)fprintf(out, " %s", proto);
	if (address)
		(void)fprintf(out, " %s", address);
	if (cJSON_IsNumber(port) && port->valuedouble > 0)
		(void)fprintf(out, " port %d", port->valueint);
	if (name) {
		(void)fputs(" (", out);
		audit_print_safely(name, out);
		(void)fputc(')', out);
	}
	if (socket)
		(void)fprintf(out, " %s", socket);
	if (path) {
		(void)fputs(" unix ", out);
		audit_print_safely(path, out);
	}
}

static void print_hint(const cJSON *record, FILE *out)
{
	const cJSON *hint = cJSON_GetObjectItemCaseSensitive(record, "hint");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(hint, "value");
	const char *path = text_of(hint, "path"), *op = text_of(hint, "op");
	char *text;

	if (!op || !path)
		return;
	text = value ? cJSON_PrintUnformatted(value) : NULL;
	(void)fprintf(out, "; to allow: %s %s %s", op, path, text ? text : "");
	cJSON_free(text);
}

static void print_record(const cJSON *record, bool colour, FILE *out)
{
	const char *time = text_of(record, "time"), *verdict = text_of(record, "verdict");
	const char *agent = text_of(record, "agent"), *kind = text_of(record, "kind");
	const char *exe = text_of(record, "exe"), *message = text_of(record, "message");
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(record, "pid");
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(record, "count");

	(void)fprintf(out, "%.8s %s%s%s %s: %s", time && strlen(time) > 19 ? time + 11 : "?",
		      colour && verdict ? colour_of(verdict) : "", verdict ? verdict : "?",
		      colour ? PLAIN : "", agent ? agent : "-", kind ? kind : "?");
	if (kind && strcmp(kind, "agent") == 0 && text_of(record, "reason"))
		(void)fprintf(out, " %s", text_of(record, "reason"));
	print_subject(cJSON_GetObjectItemCaseSensitive(record, "subject"), out);
	if (exe) {
		(void)fputs(" by ", out);
		audit_print_safely(exe, out);
	}
	if (cJSON_IsNumber(pid))
		(void)fprintf(out, exe ? " (pid %d)" : " by pid %d", pid->valueint);
	if (cJSON_IsNumber(count) && count->valuedouble > 1)
		(void)fprintf(out, " (%.0f times)", count->valuedouble);
	if (message) {
		(void)fputs(": ", out);
		audit_print_safely(message, out);
	}
	print_hint(record, out);
	(void)fputc('\n', out);
}

bool audit_print_line(const char *line, bool colour, FILE *out)
{
	cJSON *record = cJSON_Parse(line);
	bool is_record = cJSON_IsObject(record);

	if (is_record)
		print_record(record, colour, out);
	cJSON_Delete(record);
	return is_record;
}
