// SPDX-License-Identifier: Apache-2.0
/* libFuzzer: whatever the bytes, reading and linting a manifest ends, in bounds, without a leak. */
#include <stddef.h>
#include <stdint.h>

#include "manifest/lint.h"
#include "manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_policy_ struct policy *policy = NULL;
	const char *text = (const char *)data;

	diagnostics_init(&diagnostics, "fuzz.json");
	document = manifest_parse(text, size, &diagnostics);
	if (document)
		policy = manifest_read_document(document, text, size, &diagnostics);
	/* A policy that is half understood is none: an error and a policy exclude each other. */
	if ((policy != NULL) != (diagnostics.errors == 0))
		__builtin_trap();
	if (policy)
		manifest_lint(policy, document, &diagnostics);
	return 0;
}
