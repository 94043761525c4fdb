// SPDX-License-Identifier: Apache-2.0
#include "policyd/confine.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static int fail(struct error *error, const char *what)
{
	return error_set_errno(error, STATUS_SYSTEM, errno, "%s", what);
}

static int set_limits(const struct confinement *confinement, struct error *error)
{
	size_t i;

	for (i = 0; i < confinement->limit_count; i++) {
		const struct confine_limit *limit = &confinement->limits[i];
		const struct rlimit value = {limit->value, limit->value};

		if (setrlimit((__rlimit_resource_t)limit->resource, &value) < 0)
			return fail(error, "setrlimit");
	}
	return 0;
}

static int change_user(const struct confinement *confinement, struct error *error)
{
	const gid_t gid = (gid_t)confinement->uid;

	if (confinement->uid == 0)
		return error_set(error, STATUS_UNUSABLE, "--uid: not 0");
	if (chroot(confinement->root) < 0 || chdir("/") < 0)
		return fail(error, confinement->root);
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(confinement->uid, confinement->uid, confinement->uid) < 0)
		return fail(error, "setresuid");
	return 0;
}

static int drop_capabilities(struct error *error)
{
	cap_t none = cap_init();
	int result;

	if (!none)
		return fail(error, "cap_init");
	result = cap_set_proc(none);
	(void)cap_free(none);
	if (result < 0)
		return fail(error, "cap_set_proc");
	/* No signal of a debugger, no core, no /proc entries that are the user's own; and it does
	 * not outlive who has started it. The change of user has taken the latter away: so, now. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fail(error, "prctl");
	return 0;
}

/* Memory is never made executable, and a socket has its options set for TCP alone. */
static int allow(scmp_filter_ctx filter, int number)
{
	if (number == SCMP_SYS(mmap) || number == SCMP_SYS(mprotect))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (number == SCMP_SYS(setsockopt))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
					SCMP_A1(SCMP_CMP_EQ, IPPROTO_TCP));
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int filter_syscalls(const char *const *names, struct error *error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result = filter ? 0 : -ENOMEM, number;

	for (; result == 0 && *names; names++) {
		number = seccomp_syscall_resolve_name(*names);
		/* One that this architecture does not have. */
		if (number >= 0)
			result = allow(filter, number);
	}
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (result == 0)
		result = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result, "seccomp");
	return 0;
}

int confine_syscalls(const char *const *names, struct error *error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(error, "no_new_privs");
	return filter_syscalls(names, error);
}

int confine_self(const struct confinement *confinement, struct error *error)
{
	if (set_limits(confinement, error) < 0 || change_user(confinement, error) < 0 ||
	    drop_capabilities(error) < 0)
		return -1;
	return filter_syscalls(confinement->syscalls, error);
}
