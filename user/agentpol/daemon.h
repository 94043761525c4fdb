/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to policyd as the verbs make them. */
#ifndef AGENTPOL_AGENTPOL_DAEMON_H
#define AGENTPOL_AGENTPOL_DAEMON_H

#include <stdbool.h>

#include "policyd/client.h"

struct attachment {
	const char *cgroup;	   /* resolved path */
	const char *manifest_path; /* as written; "-" is standard input */
	const char *manifest_text; /* NULL: read it from there */
	const char *tool;	   /* or NULL */
	bool launched;
	bool allow_degraded;
	bool keep_open; /* refuse, rather than close what is open and not granted */
};

/* Reads the manifest and asks policyd to attach it; the reply is the caller's to free. */
struct json_document *daemon_attach(struct client *client, const struct attachment *attachment,
				    struct error *error) MUST_USE;
/* A request that has a cgroup alone: "detach", "follow". */
struct json_document *daemon_ask(struct client *client, const char *operation, const char *cgroup,
				 struct error *error) MUST_USE;

/* Where a verb's target stands: one of --cgroup, --pid, --container, --unit. */
struct target {
	const char *cgroup, *pid, *container, *unit;
};
/* *path has PATH_MAX bytes. */
int target_resolve(const struct target *target, char *path, struct error *error) MUST_USE;

#endif
