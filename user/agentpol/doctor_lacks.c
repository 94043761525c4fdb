// SPDX-License-Identifier: Apache-2.0
#include "agentpol/doctor.h"

#include <stdio.h>
#include <string.h>

#include "compile/landlock.h"
#include "compile/tiers.h"

/* The active LSMs as they stand in lsm=, which has no word for "capability": that one always is. */
static void copy_list(const char *from, char list[LSM_LIST_MAX])
{
	static const char always[] = "capability";
	size_t used = 0;

	list[0] = '\0';
	while (*from) {
		const int length = (int)strcspn(from, ",");

		if (length != (int)strlen(always) || memcmp(from, always, strlen(always)) != 0)
			used += (size_t)snprintf(list + used, LSM_LIST_MAX - used, "%s%.*s",
						 used ? "," : "", length, from);
		from += length;
		from += *from == ',';
	}
}

/* The parameter that makes `first` or `last` active beside what is: the kernel takes the whole
 * list. */
static void write_lsm_line(const struct doctor *doctor, const char *first, const char *last,
			   char line[ERROR_TEXT_MAX])
{
	char list[LSM_LIST_MAX];

	copy_list(doctor->features.lsm_list, list);
	(void)snprintf(line, ERROR_TEXT_MAX,
		       "boot with lsm=%s%s%s%s%s in the place of another lsm= (with GRUB: in "
		       "GRUB_CMDLINE_LINUX of /etc/default/grub, then update-grub)",
		       first, *first && *list ? "," : "", list, *last && *list ? "," : "", last);
}

static void explain_bpf(const struct doctor *doctor, struct lack *lack)
{
	const struct features *features = &doctor->features;

	for (size_t i = 0; i < doctor->trial.proof_count; i++)
		if (!doctor->trial.proofs[i].proved)
			(void)snprintf(lack->why, sizeof(lack->why), "%s",
				       doctor->trial.proofs[i].error.text);
	if (!features->root)
		(void)snprintf(lack->how, sizeof(lack->how),
			       "run agentpol as root; nothing could be tried without");
	else if (features->too_old)
		(void)snprintf(lack->how, sizeof(lack->how), "boot Linux 5.15 or later");
	else if (!features->cgroup_mount[0])
		(void)snprintf(lack->how, sizeof(lack->how),
			       "mount -t cgroup2 none /sys/fs/cgroup");
	else if (features->capabilities_missing[0])
		(void)snprintf(lack->how, sizeof(lack->how), "run agentpol with %s",
			       features->capabilities_missing);
	else if (!features->types)
		(void)snprintf(lack->how, sizeof(lack->how),
			       "boot a kernel that was built with CONFIG_DEBUG_INFO_BTF");
}

static void explain_unix_hooks(const struct doctor *doctor, struct lack *lack)
{
	(void)doctor;
	(void)snprintf(lack->why, sizeof(lack->why),
		       "the kernel does not ask about connections to Unix sockets");
	(void)snprintf(lack->how, sizeof(lack->how), "boot Linux 6.7 or later");
}

static void explain_lsm(const struct doctor *doctor, struct lack *lack)
{
	const struct features *features = &doctor->features;

	if (features->bpf_lsm == ANSWER_NO) {
		(void)snprintf(lack->why, sizeof(lack->why),
			       "this kernel was built without CONFIG_BPF_LSM");
		(void)snprintf(lack->how, sizeof(lack->how), "boot a kernel that has it");
	} else if (!features->lsm_list[0]) {
		(void)snprintf(lack->why, sizeof(lack->why),
			       "which LSMs are active can't be read%s",
			       features->root ? "" : " without root");
	} else if (!lsm_list_has(features->lsm_list, "bpf")) {
		(void)snprintf(lack->why, sizeof(lack->why), "bpf is not among the active LSMs: %s",
			       features->lsm_list);
		write_lsm_line(doctor, "", "bpf", lack->how);
	} else if (doctor->has & NEED_BPF) {
		(void)snprintf(lack->why, sizeof(lack->why),
			       "bpf is among the active LSMs, but the kernel takes no LSM programs "
			       "(lockdown: %s)",
			       features->lockdown[0] ? features->lockdown : "unknown");
		if (features->lockdown[0] && strcmp(features->lockdown, "none") != 0)
			(void)snprintf(lack->how, sizeof(lack->how),
				       "boot without lockdown=, or with Secure Boot off");
	}
}

static void explain_watch(const struct doctor *doctor, struct lack *lack)
{
	(void)doctor;
	(void)snprintf(lack->why, sizeof(lack->why), "the kernel takes no tracing programs");
	(void)snprintf(lack->how, sizeof(lack->how),
		       "boot Linux 6.1 or later that is not locked down");
}

static void explain_seccomp(const struct doctor *doctor, struct lack *lack)
{
	(void)doctor;
	(void)snprintf(lack->why, sizeof(lack->why), "the kernel has no seccomp filters");
	(void)snprintf(lack->how, sizeof(lack->how),
		       "boot a kernel that was built with CONFIG_SECCOMP_FILTER");
}

static void explain_landlock(const struct doctor *doctor, struct lack *lack)
{
	(void)snprintf(lack->why, sizeof(lack->why), "Landlock is not active");
	if (doctor->features.lsm_list[0] && !doctor->features.too_old)
		write_lsm_line(doctor, "landlock", "", lack->how);
	else
		(void)snprintf(lack->how, sizeof(lack->how),
			       "boot Linux 6.2 or later with landlock in lsm=");
}

static void explain_landlock_files(const struct doctor *doctor, struct lack *lack)
{
	(void)snprintf(lack->why, sizeof(lack->why),
		       "Landlock has ABI %d here, which does not judge truncate(2)",
		       doctor->features.landlock_abi);
	(void)snprintf(lack->how, sizeof(lack->how), "boot Linux 6.2 or later");
}

static void explain_controllers(const struct doctor *doctor, struct lack *lack)
{
	const unsigned has = doctor->has;

	if (!doctor->features.cgroup_mount[0]) {
		(void)snprintf(lack->why, sizeof(lack->why), "no cgroup v2 is mounted");
		(void)snprintf(lack->how, sizeof(lack->how),
			       "mount -t cgroup2 none /sys/fs/cgroup");
		return;
	}
	(void)snprintf(lack->why, sizeof(lack->why), "not in %s/cgroup.controllers:%s%s%s",
		       doctor->features.cgroup_mount, has & NEED_PIDS ? "" : " pids",
		       has & NEED_MEMORY ? "" : " memory", has & NEED_CPU ? "" : " cpu");
	(void)snprintf(lack->how, sizeof(lack->how),
		       "boot with cgroup_no_v1=all, or unmount the cgroup v1 folders that have "
		       "them");
}

/* `instead`: with one of these it is not missed; `after`: it can't be told without these. One that
 * has nothing to say of it leaves `why` empty. */
static const struct {
	unsigned need, instead, after; /* of enum need */
	const char *name;
	void (*explain)(const struct doctor *doctor, struct lack *lack);
} needs[] = {
	{NEED_BPF, 0, 0, "kernel programs", explain_bpf},
	{NEED_LSM, 0, 0, "BPF LSM", explain_lsm},
	{NEED_WATCH, NEED_LSM, NEED_BPF, "tracepoints", explain_watch},
	{NEED_UNIX_HOOKS, 0, NEED_BPF, "Unix socket hooks", explain_unix_hooks},
	{NEED_SECCOMP, 0, 0, "seccomp", explain_seccomp},
	{NEED_LANDLOCK, NEED_LSM, 0, "Landlock", explain_landlock},
	{NEED_LANDLOCK_FILES, NEED_LSM, NEED_LANDLOCK, "Landlock ABI 3", explain_landlock_files},
	{NEED_PIDS | NEED_MEMORY | NEED_CPU, 0, 0, "controllers", explain_controllers},
};
_Static_assert(ARRAY_SIZE(needs) <= LACKS_MAX, "a lack for each need");

static unsigned needs_read(const struct features *features)
{
	return (features->seccomp ? NEED_SECCOMP : 0U) |
	       (features->landlock_abi > 0 ? NEED_LANDLOCK : 0U) |
	       (features->landlock_abi >= LANDLOCK_ABI_FILES ? NEED_LANDLOCK_FILES : 0U) |
	       (features->controllers & CONTROLLER_PIDS ? NEED_PIDS : 0U) |
	       (features->controllers & CONTROLLER_MEMORY ? NEED_MEMORY : 0U) |
	       (features->controllers & CONTROLLER_CPU ? NEED_CPU : 0U);
}

void doctor_find_lacks(struct doctor *doctor)
{
	doctor->has = doctor->trial.has | needs_read(&doctor->features);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		struct lack *lack = &doctor->lacks[doctor->lack_count];

		if ((doctor->has & needs[i].need) == needs[i].need ||
		    (doctor->has & needs[i].instead) ||
		    (doctor->has & needs[i].after) != needs[i].after)
			continue;
		*lack = (struct lack){.name = needs[i].name};
		needs[i].explain(doctor, lack);
		doctor->lack_count += lack->why[0] != '\0';
	}
}
