// SPDX-License-Identifier: Apache-2.0
/* libFuzzer: a schema and a value, one behind the other with a NUL between: compiling and judging
 * end, in bounds, and what is refused has its sentence. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "call/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct schema *schema, const char *text, size_t length)
{
	struct json_fault json;
	struct schema_fault fault;
	struct json_document *document = json_document_parse(text, length, &json);
	enum schema_answer answer;

	if (!document)
		return;
	answer = schema_judge(schema, json_root(document), &fault);
	if ((answer == SCHEMA_ACCEPTS) != (fault.message[0] == '\0'))
		__builtin_trap();
	json_document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\0', size) : NULL;
	size_t length = end ? (size_t)(end - text) : size;
	struct schema_fault fault;
	struct schema *schema = schema_compile(text, length, &fault);

	if (!schema) {
		if (fault.message[0] == '\0')
			__builtin_trap();
		return 0;
	}
	if (end)
		judge(schema, end + 1, size - length - 1);
	/* A schema is a value, too, and meets itself. */
	judge(schema, text, length);
	schema_free(schema);
	return 0;
}
