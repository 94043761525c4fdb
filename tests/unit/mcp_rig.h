/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway of MCP with a client and a server that write down what reaches them. For its unit tests
 * and its fuzz target. */
#ifndef AGENTPOL_TESTS_UNIT_MCP_RIG_H
#define AGENTPOL_TESTS_UNIT_MCP_RIG_H

#include <stdlib.h>
#include <string.h>

#include "call/mcp_gateway.h"
#include "call/own_authority.h"
#include "manifest/manifest.h"

struct side {
	char *text; /* the last message; owned */
	size_t count;
};

struct rig {
	struct policy *policy;
	struct call_grants *grants;
	struct call_authority *authority;
	struct pins *pins;
	struct mcp_gateway *gateway;
	struct side client, server;
	char record[256]; /* the last one: "VERDICT REASON TOOL" */
	size_t records, pinned;
};

static inline void rig_take(struct side *side, const char *text, size_t length)
{
	free(side->text);
	side->text = strndup(text, length);
	side->count++;
}

static inline void rig_to_client(const char *text, size_t length, void *context)
{
	rig_take(&((struct rig *)context)->client, text, length);
}

static inline void rig_to_server(const char *text, size_t length, void *context)
{
	rig_take(&((struct rig *)context)->server, text, length);
}

static inline void rig_record(const struct mcp_gateway_record *told, void *context)
{
	struct rig *rig = context;

	rig->records++;
	(void)snprintf(rig->record, sizeof(rig->record), "%s %s %s",
		       told->noted ? "noted" : verdict_name(told->verdict->kind),
		       told->verdict->reason ? told->verdict->reason : "-",
		       told->tool ? told->tool : "-");
}

static inline void rig_pinned(void *context)
{
	((struct rig *)context)->pinned++;
}

/* A new connection of the same agent: session and pins stay. */
static inline void rig_connect(struct rig *rig)
{
	static const struct mcp_gateway_io io = {rig_to_client, rig_to_server, rig_record,
						 rig_pinned};
	const struct mcp_gateway_setup setup = {.grants = rig->grants,
						.authority = rig->authority,
						.pins = rig->pins,
						.io = &io,
						.context = rig};

	mcp_gateway_free(rig->gateway);
	rig->gateway = mcp_gateway_new(&setup);
}

/* Under a manifest with these tools; NULL where it is none. */
static inline struct rig *rig_new(const char *mode, const char *tools)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_free_ char *text = NULL;
	struct error error;

	diagnostics_init(&diagnostics, "test");
	if (asprintf(&text, "{\"agentpol\": 1, \"name\": \"t\", \"mode\": \"%s\", \"tools\": {%s}}",
		     mode, tools) < 0)
		abort();
	rig->policy = manifest_read_text(text, strlen(text), &diagnostics);
	if (!rig->policy) {
		diagnostics_print_text(&diagnostics, stderr);
		abort();
	}
	rig->grants = call_grants_new(rig->policy, &error);
	rig->authority = own_authority_new(rig->policy, NULL, NULL, &error);
	rig->pins = pins_new();
	rig_connect(rig);
	return rig;
}

static inline void rig_free(struct rig *rig)
{
	mcp_gateway_free(rig->gateway);
	rig->authority->methods->free(rig->authority);
	pins_free(rig->pins);
	call_grants_free(rig->grants);
	policy_free(rig->policy);
	free(rig->client.text);
	free(rig->server.text);
	free(rig);
}

static inline void rig_say(struct rig *rig, const char *text)
{
	mcp_gateway_from_client(rig->gateway, text, strlen(text));
}

static inline void rig_answer(struct rig *rig, const char *text)
{
	mcp_gateway_from_server(rig->gateway, text, strlen(text));
}

#endif
