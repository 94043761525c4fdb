// SPDX-License-Identifier: Apache-2.0
#include "manifest/codes.h"

#include "base/cleanup.h"

const struct manifest_code manifest_codes[] = {
	{CODE_SYNTAX, "json-syntax", "The text is not RFC 8259 JSON."},
	{CODE_ENCODING, "json-encoding", "The text is not plain UTF-8 without NUL."},
	{CODE_KEY_TWICE, "key-twice", "An object has the same key twice."},
	{CODE_LIMIT, "json-limit", "The text is too large, too deep, or a number too long."},
	{CODE_UNKNOWN_KEY, "unknown-key", "A key that the format does not have."},
	{CODE_MISSING_KEY, "missing-key", "A required key is missing."},
	{CODE_TYPE, "wrong-type", "A value has the wrong type."},
	{CODE_EMPTY, "empty", "Something is empty that must not be."},
	{CODE_RANGE, "out-of-range", "A number is not whole or out of range."},
	{CODE_WORD, "unknown-word", "A value is none of the words that its key takes."},
	{CODE_TARGET, "bad-target", "No host name, wildcard, address or CIDR."},
	{CODE_NEEDS_PORTS, "needs-ports", "A rule lacks its ports."},
	{CODE_HOST_BITS, "host-bits", "A CIDR has bits set behind its prefix."},
	{CODE_PORT, "bad-port", "No port, range of ports or \"*\"."},
	{CODE_QUANTITY, "bad-quantity", "No rate, size, share or duration."},
	{CODE_NAME, "bad-name", "A name has characters or a length that it must not have."},
	{CODE_PATH, "bad-path", "No absolute path in a clear form."},
	{CODE_UNKNOWN_NAME, "unknown-name", "No such syscall, group, capability or family."},
	{CODE_CONTRADICTION, "contradiction", "Two parts of the manifest contradict each other."},
	{CODE_UNKNOWN_TOOL, "unknown-tool", "A tool is named that the manifest does not have."},
	{CODE_CYCLE, "order-cycle", "requires and forbids_after together form a cycle."},
	{CODE_POINTER, "bad-pointer", "No JSON pointer, or one that leads nowhere."},
	{CODE_SQL, "bad-sql-name", "No SQL table, column, function or schema name."},
	{CODE_UNSUPPORTED, "unsupported", "A version or engine that this agentpol does not know."},
	{CODE_SYSTEM, "system", "The file could not be read, or memory ran out."},
	{CODE_SCHEMA, "bad-schema",
	 "No JSON Schema or regular expression, or one with a part that is not supported."},
};
const size_t manifest_code_count = ARRAY_SIZE(manifest_codes);
