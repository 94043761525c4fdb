/* SPDX-License-Identifier: Apache-2.0 */
/* What `agentpol compile --emit` prints beside the kernel tables, a file each. For cmd_compile.c.
 */
#ifndef AGENTPOL_AGENTPOL_EMIT_H
#define AGENTPOL_AGENTPOL_EMIT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json_write.h"
#include "policy/policy.h"

struct compile_options {
	const char *emit;
	const char *tool;
	bool json, all;
};

typedef int (*emit_part)(const struct policy *policy, const struct tool *tool,
			 const struct compile_options *options, struct error *error);

int emit_landlock(const struct policy *policy, const struct tool *tool,
		  const struct compile_options *options, struct error *error) MUST_USE;

int emit_oci(const struct policy *policy, const struct tool *tool,
	     const struct compile_options *options, struct error *error) MUST_USE;

/* Puts the document on standard output. */
int emit_json(const struct json_writer *writer, struct error *error) MUST_USE;

#endif
