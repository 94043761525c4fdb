/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tool list, as MCP servers answer it and as the APIs of OpenAI and Anthropic take it, to a
 * skeleton of a manifest that grants as little as the list lets tell. Called by `agentpol import`.
 */
#ifndef AGENTPOL_MANIFEST_IMPORT_H
#define AGENTPOL_MANIFEST_IMPORT_H

#include "base/error.h"
#include "manifest/diagnostics.h"

/* The largest list that is told of whole; a tool has seldom more than ten. */
#define IMPORT_FINDINGS_MAX 65536

enum import_form {
	IMPORT_DETECT,
	IMPORT_MCP,	  /* "inputSchema" */
	IMPORT_OPENAI,	  /* "parameters", below "function" or beside "name" */
	IMPORT_ANTHROPIC, /* "input_schema" */
};

/*
 * The manifest, free with json_document_free, and in `diagnostics` what the list leaves open (codes
 * I...), at its place in the list. NULL where there are errors that leave no manifest. `name` is
 * the agent's.
 */
struct json_document *import_tools(const char *text, size_t length, enum import_form form,
				   const char *name, struct diagnostics *diagnostics) MUST_USE;

/* A name that a manifest can have, made of a file's; empty where nothing is left of it. */
void import_name_of_file(const char *path, char *name, size_t room);

#endif
