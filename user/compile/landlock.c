// SPDX-License-Identifier: Apache-2.0
#include "compile/landlock.h"

#define FS(name) LANDLOCK_ACCESS_FS_##name

const struct landlock_right landlock_rights[] = {
	{"execute", FS(EXECUTE), 1, NULL},
	{"write_file", FS(WRITE_FILE), 1, NULL},
	{"read_file", FS(READ_FILE), 1, NULL},
	{"read_dir", FS(READ_DIR), 1, NULL},
	{"remove_dir", FS(REMOVE_DIR), 1, NULL},
	{"remove_file", FS(REMOVE_FILE), 1, NULL},
	{"make_char", FS(MAKE_CHAR), 1, NULL},
	{"make_dir", FS(MAKE_DIR), 1, NULL},
	{"make_reg", FS(MAKE_REG), 1, NULL},
	{"make_sock", FS(MAKE_SOCK), 1, NULL},
	{"make_fifo", FS(MAKE_FIFO), 1, NULL},
	{"make_block", FS(MAKE_BLOCK), 1, NULL},
	{"make_sym", FS(MAKE_SYM), 1, NULL},
	{"refer", FS(REFER), 2, "no file is linked or moved to another folder, granted or not"},
	{"truncate", FS(TRUNCATE), 3, "truncate(2) empties files that are not granted"},
	{"ioctl_dev", FS(IOCTL_DEV), 5, "ioctl(2) on devices is not judged once they are open"},
};
const size_t landlock_right_count = ARRAY_SIZE(landlock_rights);

/* execve(2) opens the file for reading, and Landlock takes it so (security/landlock/fs.c,
 * get_required_file_open_access): what may be executed has to be readable. */
#define EXEC_RIGHTS  (FS(EXECUTE) | FS(READ_FILE))
#define READ_RIGHTS  (FS(READ_FILE) | FS(READ_DIR))
#define WRITE_RIGHTS (~(uint64_t)FS(EXECUTE))

static uint64_t rights_of_abi(int abi)
{
	uint64_t rights = 0;

	for (size_t i = 0; i < landlock_right_count; i++)
		if (landlock_rights[i].abi <= abi)
			rights |= landlock_rights[i].bit;
	return rights;
}

void landlock_domain_of(const struct policy *policy, int abi, struct landlock_domain *domain)
{
	const uint64_t known = rights_of_abi(abi);

	*domain = (struct landlock_domain){.lists = policy->agent.files.present,
					   .exec = policy->agent.process.exec_present};
	/* At least this one: a domain takes something in hand. */
	domain->files = FS(REFER) & known;
	if (domain->lists)
		domain->files |= known & ~(uint64_t)FS(EXECUTE);
	if (domain->exec)
		domain->files |= FS(EXECUTE) & known;
	/* Abstract sockets are network.unix's to grant. */
	if (abi >= LANDLOCK_ABI_KNOWN)
		domain->scoped = LANDLOCK_SCOPE_SIGNAL;
}

struct grant_walk {
	const struct landlock_domain *domain;
	landlock_visitor visit;
	void *context;
	struct error *error;
};

static int visit_list(const struct grant_walk *walk, const struct scope *scope,
		      const struct strings *list, const char *pointer, uint64_t rights)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct landlock_grant grant = {list->items[i], pointer, scope, i,
						     rights & walk->domain->files};
		const int result = walk->visit(&grant, walk->context, walk->error);

		if (result)
			return result;
	}
	return 0;
}

int landlock_each_grant(const struct policy *policy, const struct tool *tool,
			const struct landlock_domain *domain, landlock_visitor visit, void *context,
			struct error *error)
{
	const struct grant_walk walk = {domain, visit, context, error};
	const struct scope *scopes[] = {&policy->agent, tool ? &tool->scope : NULL};
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(scopes) && scopes[i] && result == 0; i++) {
		const struct scope *scope = scopes[i];

		if (domain->lists)
			result = visit_list(&walk, scope, &scope->files.read, "/files/read",
					    READ_RIGHTS);
		if (domain->lists && result == 0)
			result = visit_list(&walk, scope, &scope->files.write, "/files/write",
					    WRITE_RIGHTS);
		if (domain->exec && result == 0)
			result = visit_list(&walk, scope, &scope->process.exec, "/process/exec",
					    EXEC_RIGHTS);
	}
	return result;
}
