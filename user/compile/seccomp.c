// SPDX-License-Identifier: Apache-2.0
/*
 * The filter knows numbers alone: it cannot see what a pointer points to, and it judges no
 * operation that io_uring does for the process. That is why @escape holds io_uring_setup; a
 * manifest that takes it out gives up the socket families below as well.
 */
#include "compile/seccomp.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "policy/syscalls.h"

/* Address families of Linux 6.18; what is added later is past it, and denied. */
#define FAMILY_LAST 45
/* SOCK_TYPE_MASK in include/linux/net.h: the rest are SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define SOCKET_TYPE_MASK 0xf
/* The kernel takes these arguments as 32 bits, whatever the register's other half holds. */
#define LOW_WORD 0xffffffffU

static void release_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}
#define _cleanup_filter_ __attribute__((cleanup(release_filter)))

/* A walk over the rules of a policy. */
struct walk {
	seccomp_visitor visit;
	void *context;
	unsigned families;
};

static void visit_rule(const struct walk *walk, const char *name, unsigned count,
		       const struct scmp_arg_cmp *arguments)
{
	const struct seccomp_rule rule = {
		.syscall = name, .arguments = arguments, .argument_count = count};

	walk->visit(&rule, walk->context);
}

static void deny_by_name(const char *name, void *context)
{
	visit_rule(context, name, 0, NULL);
}

static unsigned domain_families(int domain)
{
	unsigned families = 0;
	size_t i;

	for (i = 0; i < family_name_count; i++)
		if (family_names[i].domain == domain)
			families |= family_names[i].bit;
	return families;
}

static bool domain_is_granted(const struct walk *walk, int domain)
{
	if (domain == AF_UNIX || domain == AF_INET || domain == AF_INET6 || domain == AF_NETLINK)
		return true;
	return (domain_families(domain) & walk->families) != 0;
}

/* libseccomp compares an argument once a rule, so each domain that is denied is a rule. Raw
 * sockets of inet are left to the cgroup's hook, whose denials are logged. */
static void filter_sockets(const struct walk *walk)
{
	const struct scmp_arg_cmp later[] = {SCMP_A0_64(SCMP_CMP_GT, FAMILY_LAST)};
	const struct scmp_arg_cmp netlink[] = {
		SCMP_A0_64(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2_64(SCMP_CMP_NE, 0), /* NETLINK_ROUTE */
	};
	/* Linux takes this for AF_PACKET (net/socket.c, __sock_create). */
	const struct scmp_arg_cmp old_packet[] = {
		SCMP_A0_64(SCMP_CMP_EQ, AF_INET),
		SCMP_A1_64(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, SOCK_PACKET),
	};
	int domain;

	for (domain = 0; domain <= FAMILY_LAST; domain++) {
		const struct scmp_arg_cmp exact[] = {SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)domain)};

		if (!domain_is_granted(walk, domain))
			visit_rule(walk, "socket", 1, exact);
	}
	visit_rule(walk, "socket", 1, later);
	if (!(walk->families & FAMILY_NETLINK))
		visit_rule(walk, "socket", 2, netlink);
	if (!(walk->families & FAMILY_PACKET))
		visit_rule(walk, "socket", 2, old_packet);
}

/* TIOCSTI types into the terminal's input, TIOCLINUX pastes a selection into it: either runs
 * commands outside the sandbox once the shell reads them (ioctl_tty(2)). */
static void filter_terminal(const struct walk *walk)
{
	static const scmp_datum_t requests[] = {TIOCSTI, TIOCLINUX};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		const struct scmp_arg_cmp request[] = {
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, LOW_WORD, requests[i])};

		visit_rule(walk, "ioctl", 1, request);
	}
}

/*
 * Joining a multicast group makes the kernel itself send the group's address (MLD, IGMP), from a
 * socket that is nobody's: up to 14 bytes of an agent's choice a call. Linux's numbers, which
 * <netinet/in.h> has not all.
 */
static void filter_multicast(const struct walk *walk)
{
	static const struct {
		int level, option;
	} joins[] = {
		{IPPROTO_IP, 35 /* IP_ADD_MEMBERSHIP */},
		{IPPROTO_IP, 39 /* IP_ADD_SOURCE_MEMBERSHIP */},
		{IPPROTO_IP, 42 /* MCAST_JOIN_GROUP */},
		{IPPROTO_IP, 46 /* MCAST_JOIN_SOURCE_GROUP */},
		{IPPROTO_IPV6, 20 /* IPV6_JOIN_GROUP */},
		{IPPROTO_IPV6, 27 /* IPV6_JOIN_ANYCAST */},
		{IPPROTO_IPV6, 42 /* MCAST_JOIN_GROUP */},
		{IPPROTO_IPV6, 46 /* MCAST_JOIN_SOURCE_GROUP */},
	};

	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		const struct scmp_arg_cmp request[] = {
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, LOW_WORD, (scmp_datum_t)joins[i].level),
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, LOW_WORD, (scmp_datum_t)joins[i].option)};

		visit_rule(walk, "setsockopt", 2, request);
	}
}

/* unshare is denied as a whole; clone is looked at. clone3 has its flags in memory, where no
 * filter sees them, and can make a child in another cgroup: ENOSYS makes the C library take
 * clone. */
static void filter_user_namespaces(const struct walk *walk, const struct process *agent,
				   const struct process *tool)
{
	const struct scmp_arg_cmp flags[] = {
		SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)};
	static const struct seccomp_rule no_clone3 = {.syscall = "clone3", .missing = true};
	const char *entry;

	/* Whatever the manifest excepts: CLONE_INTO_CGROUP is a way out of the policy. */
	if (!syscalls_scope_denied(agent, tool, "clone3", &entry))
		walk->visit(&no_clone3, walk->context);
	if (!syscalls_scope_denied(agent, tool, "unshare", &entry))
		return;
	if (!syscalls_scope_denied(agent, tool, "clone", &entry))
		visit_rule(walk, "clone", 1, flags);
}

void seccomp_each_rule(const struct policy *policy, const struct tool *tool, seccomp_visitor visit,
		       void *context)
{
	const struct process *agent = &policy->agent.process;
	const struct process *of_tool = tool ? &tool->scope.process : NULL;
	struct walk walk = {
		.visit = visit,
		.context = context,
		.families =
			policy->agent.network.families | (tool ? tool->scope.network.families : 0),
	};

	syscalls_scope_each_denied(agent, of_tool, deny_by_name, &walk);
	filter_sockets(&walk);
	filter_terminal(&walk);
	filter_multicast(&walk);
	filter_user_namespaces(&walk, agent, of_tool);
}

uint32_t seccomp_deny_action(const struct policy *policy, const struct tool *tool)
{
	if (policy->mode == MODE_AUDIT)
		return SCMP_ACT_LOG;
	return policy_kills(policy, tool) ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
}

/* ---- the filter ---- */

struct filter {
	scmp_filter_ctx context;
	uint32_t deny; /* the action: EPERM or a kill, in audit mode a line in the kernel's log */
	int failure;   /* negative errno of the first rule that failed */
};

static void add_rule(const struct seccomp_rule *rule, void *context)
{
	struct filter *filter = context;
	const int number = seccomp_syscall_resolve_name(rule->syscall);
	int result;

	if (number < 0 || filter->failure)
		return; /* not a syscall of this architecture */
	/* Audit mode takes nothing away. */
	if (rule->missing && filter->deny == SCMP_ACT_LOG)
		return;
	result = seccomp_rule_add_array(filter->context,
					rule->missing ? SCMP_ACT_ERRNO(ENOSYS) : filter->deny,
					number, rule->argument_count, rule->arguments);
	/* Denied as a whole already. */
	if (result < 0 && result != -EEXIST)
		filter->failure = result;
}

static int make_filter(const struct policy *policy, const struct tool *tool,
		       scmp_filter_ctx *context, struct error *error)
{
	struct filter filter = {
		.context = seccomp_init(SCMP_ACT_ALLOW),
		.deny = seccomp_deny_action(policy, tool),
	};

	*context = filter.context;
	if (!filter.context)
		return error_set(error, STATUS_SYSTEM, "seccomp: cannot make a filter");
	/* Entries of another architecture (int 0x80, x32) have other numbers: none gets in. */
	filter.failure = seccomp_attr_set(filter.context, SCMP_FLTATR_ACT_BADARCH, filter.deny);
	/* A binary tree: half a dozen comparisons a call instead of fifty. */
	if (filter.failure == 0)
		filter.failure = seccomp_attr_set(filter.context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_each_rule(policy, tool, add_rule, &filter);
	if (filter.failure)
		return error_set_errno(error, STATUS_SYSTEM, -filter.failure,
				       "seccomp: cannot add a rule");
	return 0;
}

/* The whole of a file that was written through `fd`; its bytes are the caller's (free). */
static int read_back(int fd, char **bytes, size_t *length)
{
	const off_t end = lseek(fd, 0, SEEK_END);
	ssize_t got;

	if (end <= 0)
		return end < 0 ? -errno : -EIO;
	*bytes = malloc((size_t)end);
	if (!*bytes)
		return -ENOMEM;
	got = pread(fd, *bytes, (size_t)end, 0);
	if (got == end) {
		*length = (size_t)end;
		return 0;
	}
	free(*bytes);
	*bytes = NULL;
	return got < 0 ? -errno : -EIO;
}

int seccomp_compile(const struct policy *policy, const struct tool *tool,
		    struct sock_fprog *program, struct error *error)
{
	_cleanup_filter_ scmp_filter_ctx context = NULL;
	_cleanup_close_ int fd = -1;
	char *bytes = NULL;
	size_t length = 0;
	int result;

	if (make_filter(policy, tool, &context, error) < 0)
		return -1;
	fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "memfd_create");
	result = seccomp_export_bpf(context, fd);
	if (result == 0)
		result = read_back(fd, &bytes, &length);
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result,
				       "seccomp: cannot export the filter");
	/* BPF_MAXINSNS: what the kernel takes. */
	if (length / sizeof(struct sock_filter) > BPF_MAXINSNS) {
		free(bytes);
		return error_set(error, STATUS_UNUSABLE,
				 "/process/syscalls makes a filter of %zu instructions; the "
				 "kernel takes %d",
				 length / sizeof(struct sock_filter), BPF_MAXINSNS);
	}
	program->filter = (struct sock_filter *)bytes;
	program->len = (unsigned short)(length / sizeof(struct sock_filter));
	return 0;
}

int seccomp_print(const struct policy *policy, const struct tool *tool, int fd, struct error *error)
{
	_cleanup_filter_ scmp_filter_ctx context = NULL;
	int result;

	if (make_filter(policy, tool, &context, error) < 0)
		return -1;
	result = seccomp_export_pfc(context, fd);
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result,
				       "seccomp: cannot print the filter");
	return 0;
}
