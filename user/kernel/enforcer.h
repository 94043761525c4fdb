/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer in the kernel, as user space holds it: the loaded object, its maps, where it is
 * pinned. One room calls libbpf; everyone else speaks of policies and cgroups.
 *
 * Pinned below `pin_root`: maps/NAME (policyd alone: a successor adopts them) and
 * links/CGROUPID-PROGRAM. Links keep their programs and maps alive, so that enforcement outlives
 * whoever attached it.
 */
#ifndef AGENTPOL_KERNEL_ENFORCER_H
#define AGENTPOL_KERNEL_ENFORCER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "bpf/abi.h"

#define PIN_ROOT_DEFAULT "/sys/fs/bpf/agentpol"

struct enforcer;

struct enforcer_options {
	const char *pin_root; /* on a bpffs, which is mounted at /sys/fs/bpf where it is not */
	bool pin_maps;	      /* for a successor to adopt */
	/* What takes its memory in advance; 0 is the bound of abi.h (1 MiB for the ring). */
	uint32_t port_sets;
	uint32_t ring_bytes; /* a power of two, at least a page */
	uint32_t name_grants;
	uint32_t budgets; /* and lists of them */
	uint32_t caches;  /* entries each of those that may forget */
	/* Files and folders of the enforcer's besides the usual ones, which nobody under a policy
	 * may open, NULL-terminated; or NULL. The strings stay the caller's. */
	const char *const *own_places;
	const char *own_socket; /* policyd's, which nobody under a policy may connect to; or NULL */
	/* No policy that is loaded will grant a host name, or have a tool with a server: loads
	 * faster. */
	bool without_names, without_servers;
	/* Nor is it asked what processes do: the LSM is left alone. */
	bool without_tasks;
};

/*
 * Loads the programs; adopts pinned maps where there are any of this ABI version, and turns pinned
 * links to the new programs, one atomic exchange each. STATUS_SYSTEM with what to do about it where
 * the kernel or the caller's privileges can't.
 */
struct enforcer *enforcer_open(const struct enforcer_options *options,
			       struct error *error) MUST_USE;
/* Lets go; what is pinned goes on. Accepts NULL. */
void enforcer_close(struct enforcer *enforcer);
static inline void cleanup_enforcer_close(struct enforcer **enforcer)
{
	enforcer_close(*enforcer);
}
#define _cleanup_enforcer_ __attribute__((cleanup(cleanup_enforcer_close)))

/* Does this kernel ask about Unix sockets? Linux 6.7 and later do. */
bool enforcer_judges_unix(const struct enforcer *enforcer);
/* Does its LSM heed us? Then files, executing and system calls are judged, on live cgroups too. */
bool enforcer_judges_tasks(const struct enforcer *enforcer);
/* Can live cgroups be watched, and a process killed for what it did? Never where the LSM heeds us,
 * which is better. Loads the programs when it is first asked. */
bool enforcer_can_watch(struct enforcer *enforcer);
/* All that is the enforcer's own, NULL-terminated. */
const char *const *enforcer_own_places(const struct enforcer *enforcer);
/* Did enforcer_open find maps of a predecessor? */
bool enforcer_was_adopted(const struct enforcer *enforcer);

/* Removes all pins below `pin_root`: enforcement ends with the last holder. */
int enforcer_unpin_all(const char *pin_root, struct error *error) MUST_USE;

/*
 * Puts a cgroup, and all below it, under the policy (a POLICY_WORD). The table's entry is written
 * before the programs are attached, so that there is no moment in which one would find no policy. A
 * cgroup below one that has the programs already is enrolled by its entry alone.
 */
int enforcer_enrol(struct enforcer *enforcer, const char *cgroup_path, uint64_t policy,
		   struct error *error) MUST_USE;
/* Exchanges an enrolled cgroup's policy: one atomic store. */
int enforcer_swap(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy,
		  struct error *error) MUST_USE;
/* Attaches what a policy needs that is to be lent to a cgroup; before the first time. */
int enforcer_lease_prepare(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy,
			   struct error *error) MUST_USE;
/* Another policy in the place of a cgroup's own until a time of CLOCK_MONOTONIC, which may be put off
 * by another call; 0 ends it. A few stores. Ends too with a swap, and by itself. */
void enforcer_lease(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy, uint64_t until_ns);
/* Ends it: programs first, entry last. Enrolled cgroups below keep their own (programs are attached
 * to them before). Also for a cgroup that is gone. */
int enforcer_release(struct enforcer *enforcer, uint64_t cgroup, struct error *error) MUST_USE;

/*
 * While it is kept, the LSM's programs stay attached though the last cgroup is released: for who
 * enrols several, one after the other. Linux 6.1 takes an eighth of a second to take each of some
 * sixty off, nearly all of it waiting.
 */
void enforcer_keep_guard(struct enforcer *enforcer, bool keep);

/* A connection that a listener accepted before there was a policy: answers on it are no egress. The
 * socket is named by a descriptor of the caller's; `pid` is told with its denials. -errno. */
int enforcer_mark_inbound(const struct enforcer *enforcer, int socket, pid_t pid) MUST_USE;

/* The policy (a POLICY_WORD) of an enrolled cgroup, or 0. */
uint64_t enforcer_policy_of(const struct enforcer *enforcer, uint64_t cgroup);
/* Calls `visit` for each enrolled cgroup. */
void enforcer_each_enrolled(const struct enforcer *enforcer,
			    void (*visit)(uint64_t cgroup, uint64_t policy, void *context),
			    void *context);
bool enforcer_has_policy_id(const struct enforcer *enforcer, uint32_t policy_id);
/* Are all our programs in force at this cgroup (its own or inherited)? Asks the kernel. */
bool enforcer_is_effective(const struct enforcer *enforcer, const char *cgroup_path);

/* Verdicts of an enrolled cgroup so far. */
int enforcer_read_counters(const struct enforcer *enforcer, uint64_t cgroup,
			   struct verdict_counters *counters) MUST_USE;
/* Calls `visit` for each budget of a policy: what its rules have taken and have left. */
void enforcer_each_budget(const struct enforcer *enforcer, uint32_t policy_id,
			  void (*visit)(const struct budget *budget, void *context), void *context);
/* Events that the full ring lost, ever. */
uint64_t enforcer_events_lost(const struct enforcer *enforcer);

/* ---- for the other files of this room ---- */

enum enforcer_map {
	MAP_SLOT_OF_CGROUP,
	MAP_ENROLMENTS,
	MAP_GRANT_OF_ADDRESS,
	MAP_PORT_SETS,
	MAP_RULES_OF_NAME,
	MAP_NAME_GRANTS,
	MAP_LEARNT_OF_ADDRESS,
	MAP_LEARNT_NAME,
	MAP_TEXT_OF_NAME,
	MAP_QUESTIONS,
	MAP_ASKED_NAMES,
	MAP_BUDGETS,
	MAP_BUDGET_LISTS,
	MAP_TRAFFIC_OF_DESTINATION,
	MAP_WORKBENCHES,
	MAP_UDP_PEERS,
	MAP_ERRANDS,
	MAP_GLOBS,
	MAP_TEXT_OF_SOCKET,
	MAP_DENIAL_COUNTS,
	MAP_EVENTS,
	MAP_COUNTERS_OF_SLOT,
	MAP_ENFORCER_COUNTERS,
	MAP_ENFORCER_STATE,
	MAP_STATE_OF_SOCKET,
	MAP_SERVER_OF_ADDRESS,
	MAP_GUARD_OF_POLICY,
	MAP_PORTS_OF_GUARD,
	MAP_STEERED_PEERS,
	MAP_LISTENERS_OF_GUARD,
	MAP_NAME_OF_GUARD,
	MAP_STEERED_PATHS,
	MAP_RULES_OF_OBJECT,
	MAP_RULES_OF_OBJECT_NAME,
	MAP_CONFINEMENT_OF_POLICY,
	MAP_GUARD_STATE,
	MAP_COUNT
};
int enforcer_map_fd(const struct enforcer *enforcer, enum enforcer_map map);
uint32_t enforcer_map_bound(const struct enforcer *enforcer, enum enforcer_map map);
struct tables; /* tables.c's own book-keeping; made on first use */
struct tables **enforcer_tables(struct enforcer *enforcer);

#endif
