// SPDX-License-Identifier: Apache-2.0
#include "kernel/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr as of ABI 6 (include/uapi/linux/landlock.h, Linux 6.12): the C
 * library's header may have a shorter one. An older kernel takes a longer one whose end is 0. */
struct ruleset_attributes {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};

int landlock_abi(void)
{
	const long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

int landlock_new(const struct landlock_domain *domain)
{
	const struct ruleset_attributes attributes = {.files = domain->files,
						      .scoped = domain->scoped};

	return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
}

int landlock_allow(int rules, int fd, bool folder, uint64_t rights)
{
	const struct landlock_path_beneath_attr below = {
		.allowed_access = folder ? rights : rights & LANDLOCK_RIGHTS_OF_FILES,
		.parent_fd = fd,
	};

	if (!below.allowed_access)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
}

int landlock_enter(int rules)
{
	return (int)syscall(SYS_landlock_restrict_self, rules, 0);
}
