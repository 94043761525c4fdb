// SPDX-License-Identifier: Apache-2.0
#include "audit/query.h"

#include <inttypes.h>
#include <string.h>

#include "audit/scan.h"
#include "base/utf8.h"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define GREEN  "\033[32m"
#define PLAIN  "\033[0m"

struct visiting {
	audit_visit visit;
	void *context;
};

static int visit_line(const char *line, const cJSON *record, void *context)
{
	const struct visiting *visiting = context;

	(void)record;
	return visiting->visit(line, visiting->context);
}

int audit_query(const char *folder, const struct audit_filter *filter, size_t *offset,
		audit_visit visit, void *context, struct error *error)
{
	struct visiting visiting = {visit, context};

	return audit_scan(folder, filter, offset, visit_line, &visiting, error);
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

/* C0, DEL and C1 (ECMA-48), and what is no character at all. */
static bool is_obeyed(const unsigned char *at, size_t length)
{
	return length == 0 || *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0);
}

size_t audit_print_safely(const char *text, FILE *out)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), characters = 0;

	while (left > 0) {
		const size_t length = utf8_sequence_length(at, left), step = length ? length : 1;

		if (is_obeyed(at, length))
			(void)fputc('?', out);
		else
			(void)fwrite(at, 1, length, out);
		characters++;
		at += step;
		left -= step;
	}
	return characters;
}

/* " WORD", or nothing where there is none. */
static void print_word(const char *text, FILE *out)
{
	if (!text)
		return;
	(void)fputc(' ', out);
	(void)audit_print_safely(text, out);
}

/* " tcp 203.0.113.9 port 443" */
static void print_peer(const cJSON *subject, FILE *out)
{
	const uint64_t port = scan_number(subject, "port");

	print_word(scan_text(subject, "proto"), out);
	print_word(scan_text(subject, "address"), out);
	if (port)
		(void)fprintf(out, " port %" PRIu64, port);
}

/* " A example.com at udp 10.0.0.2 port 53" */
static void print_question(const cJSON *subject, FILE *out)
{
	const char *name = scan_text(subject, "name");

	print_word(scan_text(subject, "type"), out);
	print_word(name ? name : "(no name)", out);
	(void)fputs(" at", out);
	print_peer(subject, out);
}

/* " tcp 203.0.113.9 port 443 (example.com)", " inet raw, protocol 1", ... */
static void print_subject(const char *kind, const cJSON *subject, FILE *out)
{
	static const char *const words[] = {"socket",	  "access",  "path",   "tool",
					    "capability", "syscall", "process"};
	const char *name = scan_text(subject, "name"), *path = scan_text(subject, "unix");

	if (kind && strcmp(kind, "dns") == 0) {
		print_question(subject, out);
		return;
	}
	print_peer(subject, out);
	if (name) {
		(void)fputs(" (", out);
		(void)audit_print_safely(name, out);
		(void)fputc(')', out);
	}
	if (path) {
		(void)fputs(" unix", out);
		print_word(path, out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		print_word(scan_text(subject, words[i]), out);
	if (kind && strcmp(kind, "traffic") == 0)
		(void)fprintf(out, ", %" PRIu64 " bytes in %" PRIu64 " packets",
			      scan_number(subject, "bytes"), scan_number(subject, "packets"));
}

void audit_print_edit(const char *op, const char *path, const char *value, FILE *out)
{
	(void)fputs("to allow:", out);
	print_word(op, out);
	print_word(path, out);
	print_word(value, out);
}

static void print_hint(const cJSON *record, FILE *out)
{
	const cJSON *hint = cJSON_GetObjectItemCaseSensitive(record, "hint");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(hint, "value");
	const char *path = scan_text(hint, "path"), *op = scan_text(hint, "op");
	char *text;

	if (!op || !path)
		return;
	text = value ? cJSON_PrintUnformatted(value) : NULL;
	(void)fputs("; ", out);
	audit_print_edit(op, path, text, out);
	cJSON_free(text);
}

static void print_record(const cJSON *record, bool colour, FILE *out)
{
	const char *time = scan_text(record, "time"), *verdict = scan_text(record, "verdict");
	const char *agent = scan_text(record, "agent"), *kind = scan_text(record, "kind");
	const char *exe = scan_text(record, "exe"), *message = scan_text(record, "message");
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(record, "pid");
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(record, "count");

	(void)fprintf(out, "%.8s %s", time && strlen(time) > 19 ? time + 11 : "?",
		      colour && verdict ? colour_of(verdict) : "");
	(void)audit_print_safely(verdict ? verdict : "?", out);
	(void)fputs(colour ? PLAIN : "", out);
	print_word(agent ? agent : "-", out);
	(void)fputc(':', out);
	print_word(kind ? kind : "?", out);
	if (kind && strcmp(kind, "agent") == 0)
		print_word(scan_text(record, "reason"), out);
	print_subject(kind, cJSON_GetObjectItemCaseSensitive(record, "subject"), out);
	/* Of the agent itself: what happened to a process, not what it did. */
	if (exe || cJSON_IsNumber(pid))
		(void)fputs(kind && strcmp(kind, "agent") == 0 ? ":" : " by", out);
	print_word(exe, out);
	if (cJSON_IsNumber(pid))
		(void)fprintf(out, exe ? " (pid %d)" : " pid %d", pid->valueint);
	if (cJSON_IsNumber(count) && count->valuedouble > 1)
		(void)fprintf(out, " (%.0f times)", count->valuedouble);
	if (message) {
		(void)fputs(": ", out);
		(void)audit_print_safely(message, out);
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
