// SPDX-License-Identifier: Apache-2.0
/* `agentpol compile --emit oci`: a profile for container runtimes. */
#include "agentpol/emit.h"
#include "compile/oci.h"

/* What a profile has no words for. */
static void tell_missing(const struct scope *scope)
{
	if (scope->files.read.count || scope->files.write.count)
		(void)fprintf(stderr,
			      "agentpol compile: %s/files: read and write are in no OCI "
			      "profile\n",
			      scope->pointer);
	if (scope->process.exec_present)
		(void)fprintf(stderr, "agentpol compile: %s/process/exec is in no OCI profile\n",
			      scope->pointer);
}

int emit_oci(const struct policy *policy, const struct tool *tool,
	     const struct compile_options *options, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	(void)options; /* it is JSON in either format */
	oci_write_profile(policy, tool, &writer);
	json_newline(&writer);
	tell_missing(&policy->agent);
	if (tool)
		tell_missing(&tool->scope);
	return emit_json(&writer, error);
}
