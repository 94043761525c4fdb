/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File and exec grants of a policy as rights of Landlock (landlock(7)): which rights a domain takes
 * in hand, what each path of the manifest gives back, and what a kernel's version (ABI) can't do.
 * `agentpol run` makes a domain of it, `agentpol compile --emit landlock` prints it.
 */
#ifndef AGENTPOL_COMPILE_LANDLOCK_H
#define AGENTPOL_COMPILE_LANDLOCK_H

#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/policy.h"

/* Of ABIs that the C library's header may not know yet: include/uapi/linux/landlock.h, Linux 6.18.
 */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* ABI 2, Linux 5.19 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3, Linux 6.2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5, Linux 6.10 */
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1) /* ABI 6, Linux 6.12 */
#endif

/* What a rule on a file, not on a folder, may hold (security/landlock/fs.c, ACCESS_FILE). */
#define LANDLOCK_RIGHTS_OF_FILES                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)

/* With fewer the file lists of a manifest are not kept: truncate(2) is open to all. */
#define LANDLOCK_ABI_FILES 3
#define LANDLOCK_ABI_REFER 2
/* The newest that something here depends on. */
#define LANDLOCK_ABI_KNOWN 6

struct landlock_right {
	const char *name; /* as in the header, lower case */
	uint64_t bit;
	int abi; /* the first that has it */
	const char
		*without; /* what an older one lets happen or can't do; NULL: there is none older */
};
extern const struct landlock_right landlock_rights[];
extern const size_t landlock_right_count;

/* A domain of this kernel for this policy. */
struct landlock_domain {
	uint64_t files;	 /* rights that nothing has but what a rule gives */
	uint64_t scoped; /* LANDLOCK_SCOPE_* */
	bool lists;	 /* the manifest has file lists */
	bool exec;	 /* and an exec list */
};
void landlock_domain_of(const struct policy *policy, int abi, struct landlock_domain *domain);

/* A path of the manifest and what it gives in a domain. */
struct landlock_grant {
	const char *path;    /* exec: a pattern */
	const char *pointer; /* of its list in the scope: "/files/read" */
	const struct scope *scope;
	size_t index;
	uint64_t rights;
};
typedef int (*landlock_visitor)(const struct landlock_grant *grant, void *context,
				struct error *error);
/* All that the policy (and the tool, if not NULL) grants in the domain; stops at the first that is
 * not 0 and returns it. */
int landlock_each_grant(const struct policy *policy, const struct tool *tool,
			const struct landlock_domain *domain, landlock_visitor visit, void *context,
			struct error *error) MUST_USE;

#endif
