/* SPDX-License-Identifier: Apache-2.0 */
/* What enforcer.c (loading) and enrol.c (cgroups) share of one enforcer. */
#ifndef AGENTPOL_KERNEL_ENFORCER_INTERNAL_H
#define AGENTPOL_KERNEL_ENFORCER_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>

#include "kernel/enforcer.h"

/* Linux 6.7; libbpf 1.1 has no names for them. */
#define CGROUP_UNIX_CONNECT 49
#define CGROUP_UNIX_SENDMSG 50

/* One row a program: where it is attached, and which policies need it (0: every one). A hook that
 * a policy can do without costs its cgroup's TCP nothing then. */
struct hook {
	const char *program;
	enum bpf_attach_type type;
	uint32_t needed_by; /* POLICY_* flag */
};
#define HOOK_COUNT 11
extern const struct hook hooks[HOOK_COUNT];

struct enrolled {
	struct enrolled *next;
	uint64_t cgroup;
	unsigned level;
	bool attached;	/* has the programs itself, not from a cgroup above */
	uint32_t extra; /* POLICY_* flags whose hooks it has, whatever is above */
	char path[];
};

#define OWN_PLACES_MAX 16

struct enforcer {
	const char *own_places[OWN_PLACES_MAX + 1]; /* NULL-terminated */
	struct bpf_object *object;
	struct bpf_object *unix_object;	 /* NULL: the kernel does not ask about Unix sockets */
	struct bpf_object *guard_object; /* NULL: BPF is not among the active LSMs */
	bool guard_attached;
	bool guard_kept;		 /* though nobody is enrolled */
	struct bpf_object *watch_object; /* NULL: not asked for yet, or the kernel does not take it
					  */
	bool watch_tried, watch_attached;
	struct bpf_program *programs[HOOK_COUNT]; /* NULL where the kernel has no such hook */
	struct bpf_map *maps[MAP_COUNT];
	struct enrolment *enrolments;	 /* the kernel's array, mapped */
	struct guard_state *guard_state; /* the same */
	struct enrolled *enrolled;
	struct tables *tables;
	bool adopted;
	char pin_root[PATH_MAX - 256]; /* with room for what is below */
};

/* Detaches what is pinned at `path`, now, and removes the pin. Unpinning alone would leave the
 * program attached until the kernel gets to it, without the policy that it asks for. */
void enforcer_end_link(const char *path);

#endif
