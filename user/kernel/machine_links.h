/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching programs that see every task of the machine, and keeping them attached by pins. For
 * enrol.c, of the objects of guard_hooks.c and watch_hooks.c. */
#ifndef AGENTPOL_KERNEL_MACHINE_LINKS_H
#define AGENTPOL_KERNEL_MACHINE_LINKS_H

#include <bpf/libbpf.h>

#include "base/error.h"

/* Attaches every program that is loaded, and pins the links in `folder` by the programs' names; a
 * predecessor's go when ours are in force. */
int machine_links_attach(const struct bpf_object *object, const char *folder,
			 struct error *error) MUST_USE;
/* Ends them. */
void machine_links_detach(const struct bpf_object *object, const char *folder);
/* Are they all there? */
bool machine_links_are_pinned(const struct bpf_object *object, const char *folder);

#endif
