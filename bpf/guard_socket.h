/* SPDX-License-Identifier: GPL-2.0-only */
/* Families of sockets, what no agent asks of one, and sockets that others made. */
#ifndef AGENTPOL_BPF_GUARD_SOCKET_H
#define AGENTPOL_BPF_GUARD_SOCKET_H

#include "bpf/guard_process.h"

/* From <sys/socket.h>, <netinet/in.h> and <asm/ioctls.h>, which the bpf target can't include. */
#define AF_INET	    2
#define AF_INET6    10
#define AF_NETLINK  16
#define AF_PACKET   17
#define SOCK_PACKET 10
#define TIOCSTI	    0x5412
#define TIOCLINUX   0x541C
#define S_IFSOCK    0140000

VERIFIED_ONCE int judge_family_now(__u32 family, __u32 type, __u32 protocol)
{
	struct question question = {
		.kind = EVENT_FAMILY, .hook = HOOK_LSM, .family = family, .detail = protocol};
	const struct confinement *confinement;
	bool granted;

	if (!subject_is_current(&question.subject))
		return 0;
	confinement = confinement_of(question.subject.policy);
	granted = confinement && family < 64 && (confinement->domains >> family & 1);
	/* Linux takes the second for AF_PACKET (net/socket.c, __sock_create). */
	if (granted && family == AF_NETLINK && protocol)
		granted = confinement->families & CONFINE_NETLINK;
	if (granted && family == AF_INET && type == SOCK_PACKET)
		granted = confinement->families & CONFINE_PACKET;
	return granted ? 0 : conclude_task(&question, REASON_FAMILY);
}

static __always_inline int judge_family(int family, int type, int protocol, int by_kernel)
{
	if (by_kernel)
		return 0;
	return hook_result(judge_family_now((__u32)family, (__u32)type, (__u32)protocol));
}

/* Joining a group makes the kernel itself send the group's address, see compile/seccomp.c. */
static __always_inline bool joins_group(int level, int option)
{
	if (level == IPPROTO_IP)
		return option == 35 || option == 39 || option == 42 || option == 46;
	return level == IPPROTO_IPV6 &&
	       (option == 20 || option == 27 || option == 42 || option == 46);
}

static __always_inline int judge_option(int level, int option)
{
	return joins_group(level, option) ? hook_result(refuse_call(REASON_SYSCALL)) : 0;
}

/* Typing into the terminal, or pasting, runs commands outside once a shell reads them. */
static __always_inline int judge_ioctl(unsigned int request)
{
	if (request != TIOCSTI && request != TIOCLINUX)
		return 0;
	return hook_result(refuse_call(REASON_SYSCALL));
}

/* ---- sockets that are handed over ---- */

struct sock_common {
	unsigned short skc_family;
} KERNEL_VIEW;

struct sock_cgroup_data {
	struct cgroup *cgroup;
} KERNEL_VIEW;

struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
} KERNEL_VIEW;

struct socket {
	struct sock *sk;
} KERNEL_VIEW;

struct file___socket {
	void *private_data;
} KERNEL_VIEW;

/* Packets are judged by the cgroup of their socket: one of another's is past this policy. */
VERIFIED_ONCE int judge_handed_socket(__u64 file)
{
	struct question question = {.kind = EVENT_SOCKET, .hook = HOOK_LSM};
	const struct file___socket *handed = (const struct file___socket *)file;
	const struct socket *socket = BPF_CORE_READ(handed, private_data);
	const struct sock *sock = BPF_CORE_READ(socket, sk);

	question.family = BPF_CORE_READ(sock, __sk_common.skc_family);
	if (question.family != AF_INET && question.family != AF_INET6 &&
	    question.family != AF_PACKET)
		return 0;
	if (!subject_is_current(&question.subject) ||
	    cgroup_is_below(BPF_CORE_READ(sock, sk_cgrp_data.cgroup), question.subject.cgroup))
		return 0;
	return conclude_task(&question, REASON_NO_POLICY);
}

static __always_inline int judge_received(struct file *file)
{
	if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	return hook_result(judge_handed_socket(address_of(file)));
}

#endif
