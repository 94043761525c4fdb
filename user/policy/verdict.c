// SPDX-License-Identifier: Apache-2.0
#include "policy/verdict.h"

#include <stdarg.h>
#include <string.h>

#include "base/json_write.h"

const char *verdict_name(enum verdict_kind kind)
{
	static const char *const names[] = {
		[VERDICT_ALLOW] = "allow",
		[VERDICT_DENY] = "deny",
		[VERDICT_ASK] = "ask",
		[VERDICT_UNDECIDED] = "undecided",
		[VERDICT_WOULD_DENY] = "would-deny",
	};

	return names[kind];
}

const struct scope *scopes_last(const struct scopes *scopes)
{
	return scopes->items[scopes->count - 1];
}

void verdict_set_rule(struct verdict *verdict, const struct scope *scope, const char *format, ...)
{
	const size_t length = strnlen(scope->pointer, sizeof(verdict->rule) - 1);
	va_list arguments;

	memcpy(verdict->rule, scope->pointer, length);
	va_start(arguments, format);
	(void)vsnprintf(verdict->rule + length, sizeof(verdict->rule) - length, format, arguments);
	va_end(arguments);
}

void verdict_allow(struct verdict *verdict)
{
	verdict->kind = VERDICT_ALLOW;
}

void verdict_deny(struct verdict *verdict, const char *reason, const char *format, ...)
{
	va_list arguments;

	verdict->kind = VERDICT_DENY;
	verdict->reason = reason;
	va_start(arguments, format);
	(void)vsnprintf(verdict->message, sizeof(verdict->message), format, arguments);
	va_end(arguments);
}

void verdict_hint(struct verdict *verdict, const char *op, const struct scope *scope,
		  const char *path, const char *value)
{
	const int path_length = snprintf(verdict->hint_path, sizeof(verdict->hint_path), "%s%s",
					 scope->pointer, path);
	const int value_length =
		snprintf(verdict->hint_value, sizeof(verdict->hint_value), "%s", value);

	/* Half an edit is none. */
	if (path_length >= VERDICT_TEXT_MAX || value_length >= VERDICT_TEXT_MAX) {
		verdict->hint_path[0] = verdict->hint_value[0] = '\0';
		return;
	}
	(void)snprintf(verdict->hint_op, sizeof(verdict->hint_op), "%s", op);
}

void verdict_hint_add(struct verdict *verdict, const struct hint_list *list, const char *value)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	char path[64];

	if (!list->section_present) {
		(void)snprintf(path, sizeof(path), "/%s", list->section);
		json_open_object(&writer);
		json_key(&writer, list->list);
	} else {
		(void)snprintf(path, sizeof(path), "/%s/%s%s", list->section, list->list,
			       list->count ? "/-" : "");
	}
	/* "add" on a member that is there replaces it (RFC 6902, 4.1): right for an empty list. */
	if (!list->section_present || list->count == 0)
		json_open_array(&writer);
	json_verbatim(&writer, value);
	if (!list->section_present || list->count == 0)
		json_close_array(&writer);
	if (!list->section_present)
		json_close_object(&writer);
	if (json_writer_text(&writer))
		verdict_hint(verdict, "add", list->scope, path, json_writer_text(&writer));
}

void verdict_hint_add_string(struct verdict *verdict, const struct hint_list *list,
			     const char *string)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_string(&writer, string);
	if (json_writer_text(&writer))
		verdict_hint_add(verdict, list, json_writer_text(&writer));
}
