/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the running kernel says of itself, read and not believed: kernel/trial.h tries it. For
 * `agentpol doctor`.
 */
#ifndef AGENTPOL_KERNEL_FEATURES_H
#define AGENTPOL_KERNEL_FEATURES_H

#include <limits.h>
#include <stdbool.h>

#include "kernel/lsm.h"

enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };

#define FEATURE_TEXT_MAX 256

struct features {
	char release[FEATURE_TEXT_MAX]; /* "6.1.0-32-cloud-amd64" */
	bool too_old;			/* by its number, before 5.15 */
	bool root;
	char capabilities_missing[FEATURE_TEXT_MAX]; /* "CAP_BPF, CAP_PERFMON"; "": none */
	char cgroup_mount[PATH_MAX];		     /* of cgroup v2; "": none */
	unsigned controllers;			     /* of enum controller, in cgroup v2 */
	bool bpf_mounted;			     /* a BPF file system at /sys/fs/bpf */
	bool types;				     /* BTF of the kernel */
	enum answer bpf_lsm;			     /* CONFIG_BPF_LSM, by the kernel's types */
	char lsm_list[LSM_LIST_MAX];		     /* the active ones; "": it can't be read */
	char lockdown[LSM_LIST_MAX];		     /* "none", "integrity", ...; "": unknown */
	int landlock_abi;			     /* 0: none */
	bool seccomp;
	int unprivileged_bpf; /* kernel.unprivileged_bpf_disabled: 0 is "allowed"; -1: unknown */
};

void features_read(struct features *features);

#endif
