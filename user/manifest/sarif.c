// SPDX-License-Identifier: Apache-2.0
#include "manifest/sarif.h"

#include <string.h>

#include "manifest/codes.h"
#include "manifest/lint.h"

#define SARIF_SCHEMA                                                          \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/" \
	"sarif-schema-2.1.0.json"

static void write_text(struct json_writer *writer, const char *key, const char *text)
{
	json_key(writer, key);
	json_open_object(writer);
	json_key_string(writer, "text", text);
	json_close_object(writer);
}

static void write_rule(struct json_writer *writer, const char *code, const char *name,
		       const char *summary, const char *help, enum severity severity)
{
	json_open_object(writer);
	json_key_string(writer, "id", code);
	json_key_string(writer, "name", name);
	write_text(writer, "shortDescription", summary);
	if (help)
		write_text(writer, "help", help);
	json_key(writer, "defaultConfiguration");
	json_open_object(writer);
	json_key_string(writer, "level", severity_name(severity));
	json_close_object(writer);
	json_close_object(writer);
}

void sarif_begin(struct json_writer *writer, const char *version)
{
	json_open_object(writer);
	json_key_string(writer, "$schema", SARIF_SCHEMA);
	json_key_string(writer, "version", "2.1.0");
	json_key(writer, "runs");
	json_open_array(writer);
	json_open_object(writer);
	json_key(writer, "tool");
	json_open_object(writer);
	json_key(writer, "driver");
	json_open_object(writer);
	json_key_string(writer, "name", "agentpol");
	json_key_string(writer, "version", version);
	json_key(writer, "rules");
	json_open_array(writer);
	for (size_t i = 0; i < manifest_code_count; i++)
		write_rule(writer, manifest_codes[i].code, manifest_codes[i].name,
			   manifest_codes[i].summary, NULL, SEVERITY_ERROR);
	for (size_t i = 0; i < lint_rule_count; i++)
		write_rule(writer, lint_rules[i].code, lint_rules[i].name, lint_rules[i].summary,
			   lint_rules[i].help, lint_rules[i].severity);
	json_close_array(writer);
	json_close_object(writer);
	json_close_object(writer);
	json_key(writer, "results");
	json_open_array(writer);
}

/* A file's name as a URI reference (RFC 3986): what is no unreserved character is escaped. */
static char *uri_of(const char *file)
{
	char *uri = calloc(strlen(file) * 3 + 1, 1), *at = uri;

	for (; uri && *file; file++) {
		unsigned char byte = (unsigned char)*file;

		if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
		    (byte >= '0' && byte <= '9') || strchr("-._~/", byte))
			*at++ = (char)byte;
		else
			at += snprintf(at, 4, "%%%02X", (unsigned)byte);
	}
	return uri;
}

static void write_location(struct json_writer *writer, const char *file,
			   const struct diagnostic *item)
{
	_cleanup_free_ char *uri = uri_of(file);

	json_key(writer, "locations");
	json_open_array(writer);
	json_open_object(writer);
	json_key(writer, "physicalLocation");
	json_open_object(writer);
	json_key(writer, "artifactLocation");
	json_open_object(writer);
	json_key_string(writer, "uri", uri ? uri : "");
	json_close_object(writer);
	if (item->position.line) {
		json_key(writer, "region");
		json_open_object(writer);
		json_key_unsigned(writer, "startLine", item->position.line);
		json_key_unsigned(writer, "startColumn", item->position.column);
		json_close_object(writer);
	}
	json_close_object(writer);
	json_key(writer, "logicalLocations");
	json_open_array(writer);
	json_open_object(writer);
	json_key_string(writer, "fullyQualifiedName", item->pointer ? item->pointer : "");
	json_close_object(writer);
	json_close_array(writer);
	json_close_object(writer);
	json_close_array(writer);
}

void sarif_add(struct json_writer *writer, const struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		json_open_object(writer);
		json_key_string(writer, "ruleId", item->code);
		json_key_string(writer, "level", severity_name(item->severity));
		write_text(writer, "message", item->message ? item->message : "");
		write_location(writer, diagnostics->file, item);
		json_close_object(writer);
	}
}

void sarif_end(struct json_writer *writer)
{
	json_close_array(writer); /* results */
	json_close_object(writer);
	json_close_array(writer); /* runs */
	json_close_object(writer);
	json_newline(writer);
}
