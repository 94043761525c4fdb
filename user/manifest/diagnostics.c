// SPDX-License-Identifier: Apache-2.0
#include "manifest/diagnostics.h"

#include <stdarg.h>
#include <string.h>

#include "base/array.h"
#include "base/utf8.h"

void diagnostics_init(struct diagnostics *diagnostics, const char *file)
{
	*diagnostics = (struct diagnostics){.file = file, .limit = DIAGNOSTICS_MAX};
}

void diagnostics_free(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		free(diagnostics->items[i].pointer);
		free(diagnostics->items[i].message);
	}
	free(diagnostics->items);
	diagnostics_init(diagnostics, diagnostics->file);
}

void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *code,
		     struct json_position position, const char *pointer, const char *format, ...)
{
	struct diagnostic *item, *items;
	va_list arguments;

	/* Counted first: an error that finds no room is an error all the same. */
	if (severity == SEVERITY_ERROR)
		diagnostics->errors++;
	items = diagnostics->count < diagnostics->limit
			? array_reserve(diagnostics->items, &diagnostics->room, diagnostics->count,
					sizeof(*items))
			: NULL;
	if (!items) {
		diagnostics->dropped++;
		return;
	}
	diagnostics->items = items;
	item = &diagnostics->items[diagnostics->count++];
	*item = (struct diagnostic){severity, code, position, strdup(pointer), NULL};
	va_start(arguments, format);
	if (vasprintf(&item->message, format, arguments) < 0)
		item->message = NULL;
	va_end(arguments);
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_ERROR] = "error",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_NOTE] = "note",
	};

	return names[severity];
}

void diagnostics_print_safe(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left > 0) {
		size_t bytes = utf8_sequence_length(at, left);
		bool control = bytes == 0 || at[0] < 0x20 || at[0] == 0x7f ||
			       (at[0] == 0xc2 && at[1] < 0xa0);

		if (bytes == 0)
			bytes = 1;
		if (control)
			(void)fputc('?', out);
		else
			(void)fwrite(at, 1, bytes, out);
		at += bytes;
		left -= bytes;
	}
}

static void print_item(const struct diagnostics *diagnostics, const struct diagnostic *item,
		       FILE *out)
{
	diagnostics_print_safe(out, diagnostics->file);
	if (item->position.line)
		(void)fprintf(out, ":%zu:%zu", item->position.line, item->position.column);
	(void)fprintf(out, ": %s[%s]: ", severity_name(item->severity), item->code);
	if (item->pointer && item->pointer[0]) {
		diagnostics_print_safe(out, item->pointer);
		(void)fputs(": ", out);
	}
	diagnostics_print_safe(out, item->message ? item->message : "out of memory");
	(void)fputc('\n', out);
}

void diagnostics_print_text(const struct diagnostics *diagnostics, FILE *out)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		print_item(diagnostics, &diagnostics->items[i], out);
	if (diagnostics->dropped == 0)
		return;
	diagnostics_print_safe(out, diagnostics->file);
	(void)fprintf(out, ": %zu more, not shown; mend these first\n", diagnostics->dropped);
}

void diagnostics_write_json(const struct diagnostics *diagnostics, struct json_writer *writer)
{
	json_key(writer, "diagnostics");
	json_open_array(writer);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		json_open_object(writer);
		json_key_string(writer, "severity", severity_name(item->severity));
		json_key_string(writer, "code", item->code);
		json_key_unsigned(writer, "line", item->position.line);
		json_key_unsigned(writer, "column", item->position.column);
		json_key_string(writer, "pointer", item->pointer);
		json_key_string(writer, "message", item->message);
		json_close_object(writer);
	}
	json_close_array(writer);
}
