// SPDX-License-Identifier: Apache-2.0
/* libFuzzer: whatever tool list, what comes of it is a manifest that reads as it was laid out, or
 * an error. The first byte chooses the form. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json/json_pretty.h"
#include "manifest/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lay_out(const json_value *manifest)
{
	_cleanup_json_document_ struct json_document *again = NULL;
	_cleanup_free_ char *text = NULL, *before = json_print(manifest), *after = NULL;
	struct json_fault fault;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out || json_print_pretty(manifest, out) || fclose(out))
		__builtin_trap();
	again = json_document_parse(text, length, &fault);
	if (!again)
		__builtin_trap();
	after = json_print(json_root(again));
	if (!before || !after || strcmp(before, after) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_document_ struct json_document *manifest = NULL;
	_cleanup_diagnostics_ struct diagnostics found;

	diagnostics_init(&found, "fuzz.json");
	if (size == 0)
		return 0;
	found.limit = IMPORT_FINDINGS_MAX;
	manifest = import_tools((const char *)data + 1, size - 1,
				(enum import_form)(data[0] % (IMPORT_ANTHROPIC + 1)), "a", &found);
	if (manifest)
		lay_out(json_root(manifest));
	else if (found.errors == 0)
		__builtin_trap();
	return 0;
}
