/* SPDX-License-Identifier: Apache-2.0 */
/* How the rooms of the decision core write a verdict down; decide*.c alone use it. */
#ifndef AGENTPOL_POLICY_VERDICT_H
#define AGENTPOL_POLICY_VERDICT_H

#include "policy/decide.h"
#include "policy/joined.h"

/* The agent's own grants and, for a request with a tool, the tool's: a grant of either is one. */
struct scopes {
	const struct scope *items[1 + JOINED_PARTS_MAX];
	size_t count;
	const struct policy *policy;
	const struct tool *tool; /* NULL: the agent's own scope */
};

/* The scope that the edit of a hint goes to: the narrower one. */
const struct scope *scopes_last(const struct scopes *scopes);

/* The rule's pointer: a scope's pointer with the formatted rest behind it. */
void verdict_set_rule(struct verdict *verdict, const struct scope *scope, const char *format, ...)
	FORMAT(3, 4);
/* An allow by the rule that verdict_set_rule named. */
void verdict_allow(struct verdict *verdict);
void verdict_deny(struct verdict *verdict, const char *reason, const char *format, ...)
	FORMAT(3, 4);

/* A list in a manifest that a hint may add to: SECTION/LIST of a scope. */
struct hint_list {
	const struct scope *scope;
	const char *section; /* "network" */
	bool section_present;
	const char *list; /* "egress" */
	size_t count;	  /* 0: absent, or empty */
};

/* "Add `value` (JSON text) to the list", as one JSON Patch operation that makes what is absent.
 * No hint where it does not fit. */
void verdict_hint_add(struct verdict *verdict, const struct hint_list *list, const char *value);
void verdict_hint(struct verdict *verdict, const char *op, const struct scope *scope,
		  const char *path, const char *value);
/* verdict_hint_add of a JSON string. */
void verdict_hint_add_string(struct verdict *verdict, const struct hint_list *list,
			     const char *string);

/* Each judges one kind of request; *verdict is zeroed before. */
void decide_connect(const struct scopes *scopes, const struct request *request,
		    struct verdict *verdict);
void decide_unix(const struct scopes *scopes, const struct request *request,
		 struct verdict *verdict);
void decide_dns(const struct scopes *scopes, const struct request *request,
		struct verdict *verdict);
void decide_listen(const struct scopes *scopes, const struct request *request,
		   struct verdict *verdict);
void decide_socket(const struct scopes *scopes, const struct request *request,
		   struct verdict *verdict);

#endif
