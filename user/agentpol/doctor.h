/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `agentpol doctor` has found, and its forms. cmd_doctor.c fills it, doctor_lacks.c says what
 * is missing, doctor_text.c and doctor_json.c print the same facts.
 */
#ifndef AGENTPOL_AGENTPOL_DOCTOR_H
#define AGENTPOL_AGENTPOL_DOCTOR_H

#include "kernel/features.h"
#include "kernel/trial.h"

/* Measured on Linux 6.18, x86_64, a virtual machine: getppid(2) of a process outside takes 122 ns
 * without the tracepoints and 234 ns with them. */
#define WATCH_PRICE                                                                         \
	"while a live cgroup is watched by tracepoints, each system call of every process " \
	"takes some 0.1 us more"

/* Something that a mechanism needs and that is not there. */
struct lack {
	const char *name; /* "BPF LSM" */
	char why[ERROR_TEXT_MAX];
	char how[ERROR_TEXT_MAX]; /* to get it; "": no way is known */
};

#define LACKS_MAX 8

struct doctor {
	struct features features;
	struct trial trial;
	bool daemon;  /* policyd answers */
	unsigned has; /* of enum need */
	struct lack lacks[LACKS_MAX];
	size_t lack_count;
};

/* What else than the trial tells is there, and what is not. */
void doctor_find_lacks(struct doctor *doctor);

void doctor_print_text(const struct doctor *doctor, bool syscalls);
/* One object. */
int doctor_print_json(const struct doctor *doctor, bool syscalls, struct error *error) MUST_USE;

#endif
