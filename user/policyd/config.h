/* SPDX-License-Identifier: Apache-2.0 */
/* policyd's configuration: one JSON file; `policyd --print-default-config` prints the defaults. */
#ifndef AGENTPOL_POLICYD_CONFIG_H
#define AGENTPOL_POLICYD_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define CONFIG_PATH_DEFAULT "/etc/agentpol/policyd.json"
#define SOCKET_PATH_DEFAULT "/run/agentpol/policyd.sock"
#define STATE_PATH_DEFAULT  "/run/agentpol/agents"

/* A cgroup that is put under a manifest at each start. */
struct config_agent {
	struct config_agent *next;
	char cgroup[PATH_MAX];
	char manifest[PATH_MAX];
};

struct config {
	char log[PATH_MAX];    /* folder of the audit log */
	char socket[PATH_MAX]; /* control socket; its folder is made */
	char state[PATH_MAX];  /* folder for a successor */
	char pin[PATH_MAX];    /* on a BPF file system */
	char guard_user[64];   /* whom the SQL guard runs as; "": see guard.h */
	uint32_t ring_bytes;   /* a power of two */
	uint32_t port_sets;    /* 8 KiB of kernel memory each */
	struct config_agent *agents;
};

void config_set_defaults(struct config *config);
void config_free(struct config *config);
/* Defaults, then what the file says; unknown keys and wrong values are errors with a position.
 * A file that is not there is an error only where `required`. */
int config_read(const char *path, bool required, struct config *config,
		struct error *error) MUST_USE;
/* The defaults as the file that would set them; *text is the caller's to free. */
int config_print_defaults(char **text) MUST_USE;

#endif
