// SPDX-License-Identifier: Apache-2.0
#include "compile/mechanisms.h"

#include "base/cleanup.h"

#define FULLY(needs, by)         \
	{                        \
		needs, by, false \
	}
#define PARTLY(needs, by)       \
	{                       \
		needs, by, true \
	}
/* Launch and attach. */
#define BOTH(...)           \
	{__VA_ARGS__},      \
	{                   \
		__VA_ARGS__ \
	}
#define NOTHING                \
	{                      \
		FULLY(0, NULL) \
	}

const struct mechanism mechanisms[] = {
	{"inet egress by address", BOTH(FULLY(0, "cgroup BPF: connect, sendmsg, packets out"))},
	{"host names, DNS, SNI", BOTH(FULLY(0, "cgroup BPF: packets out and in"))},
	{"connects and bytes of a rule",
	 BOTH(FULLY(0, "cgroup BPF: connect, sendmsg, packets out"))},
	{"listen", BOTH(FULLY(0, "cgroup BPF: bind, packets in"))},
	{"raw sockets", BOTH(FULLY(0, "cgroup BPF: socket"))},
	{"Unix sockets by path", BOTH(FULLY(NEED_UNIX_HOOKS, "cgroup BPF: connect, sendmsg"))},
	/* Nobody is watched for the format's defaults alone: every task of the machine pays. */
	{"socket families",
	 {FULLY(NEED_SECCOMP, "seccomp: socket")},
	 {FULLY(NEED_LSM, "BPF LSM: socket_create"),
	  PARTLY(NEED_WATCH,
		 "tracepoint, with a list of syscalls or exec: killed after the call")}},
	{"process.syscalls",
	 {FULLY(NEED_SECCOMP, "seccomp")},
	 {FULLY(NEED_LSM, "BPF LSM: hooks behind the calls"),
	  PARTLY(NEED_WATCH, "tracepoint: killed after the call")}},
	{"process.capabilities",
	 {FULLY(0, "dropped before exec")},
	 {FULLY(NEED_LSM, "BPF LSM: capable")}},
	{"process.exec",
	 {FULLY(NEED_LSM, "BPF LSM: bprm_check_security, mmap_file"),
	  FULLY(NEED_LANDLOCK, "Landlock")},
	 {FULLY(NEED_LSM, "BPF LSM: bprm_check_security, mmap_file"),
	  PARTLY(NEED_WATCH, "tracepoint: killed before the program runs")}},
	{"files",
	 {FULLY(NEED_LSM, "BPF LSM: open, make, remove, move, change"),
	  FULLY(NEED_LANDLOCK_FILES, "Landlock; denied paths are mounted over"),
	  PARTLY(NEED_LANDLOCK, "Landlock, but for truncate(2)")},
	 {FULLY(NEED_LSM, "BPF LSM: open, make, remove, move, change")}},
	{"process.limits.pids", BOTH(FULLY(NEED_PIDS, "cgroup: pids.max"))},
	{"process.limits.memory", BOTH(FULLY(NEED_MEMORY, "cgroup: memory.max"))},
	{"process.limits.cpu", BOTH(FULLY(NEED_CPU, "cgroup: cpu.max"))},
	{"process.on_violation: kill",
	 {FULLY(NEED_LSM, "BPF LSM, seccomp: by the kernel; network: by user space"),
	  FULLY(NEED_SECCOMP, "seccomp: by the kernel; network: by user space")},
	 {FULLY(NEED_LSM, "BPF LSM: by the kernel; network: by user space"),
	  FULLY(0, "network: by user space")}},
	{"audit mode", {FULLY(NEED_SECCOMP, "cgroup BPF; seccomp: log")}, {FULLY(0, "cgroup BPF")}},
	{"statements of SQL",
	 BOTH(FULLY(0, "cgroup BPF: connect; the guard between client and server"))},
	{"tool calls, budgets", BOTH(FULLY(0, "the gateway: agentpol mcp"))},
	{"grants of a call",
	 {FULLY(NEED_LSM, "cgroup BPF, BPF LSM: leases, by agentpol mcp --tool-scope"),
	  PARTLY(0, "cgroup BPF: leases of network grants, by agentpol mcp --tool-scope")},
	 NOTHING},
};
const size_t mechanism_count = ARRAY_SIZE(mechanisms);

const struct way *way_find(const struct way ways[WAYS_MAX], unsigned has)
{
	if (!(has & NEED_BPF))
		return NULL;
	for (size_t i = 0; i < WAYS_MAX && ways[i].by; i++)
		if ((ways[i].needs & has) == ways[i].needs)
			return &ways[i];
	return NULL;
}
