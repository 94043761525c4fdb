// SPDX-License-Identifier: Apache-2.0
/*
 * The MCP gateway, both directions and the framing. The input is pieces: a byte that says who
 * speaks and how long, then the bytes. Besides what the sanitizers see: no call of a tool that is
 * not granted, and no key twice, may be in what the server gets, and no tool that is not granted
 * in a list that the client gets.
 */
#include "call/lines.h"
#include "call/message.h"
#include "tests/unit/mcp_rig.h"

#define GRANTED "a"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_server(const struct rig *rig)
{
	_cleanup_message_ struct message message = {0};
	struct message_fault fault;
	const char *name;

	if (!rig->server.text)
		return;
	if (message_read(rig->server.text, strlen(rig->server.text), &message, &fault) < 0)
		abort();
	if (!message.method || strcmp(message.method, "tools/call") != 0)
		return;
	name = json_as_string(json_member(message.params, "name"));
	if (!name || strcmp(name, GRANTED) != 0)
		abort();
}

static void client_line(const char *text, size_t length, void *context)
{
	struct rig *rig = context;

	mcp_gateway_from_client(rig->gateway, text, length);
	check_server(rig);
}

static void server_line(const char *text, size_t length, void *context)
{
	mcp_gateway_from_server(((struct rig *)context)->gateway, text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *rig = rig_new("enforce", "\"" GRANTED "\": {\"description\": \"mine\"}");
	struct lines from_client = {.limit = 4096}, from_server = {.limit = 4096};

	while (size > 2) {
		const bool client = data[0] & 1;
		size_t length = (size_t)(data[0] >> 1) << 8 | data[1];

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		if (lines_push(client ? &from_client : &from_server, (const char *)data, length,
			       client ? client_line : server_line, rig) < 0)
			abort();
		data += length;
		size -= length;
	}
	lines_free(&from_client);
	lines_free(&from_server);
	rig_free(rig);
	return 0;
}
