/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a system call denied as it comes in? By its number, or by the arguments that are numbers; what
 * is in the process's memory can change until the kernel reads it, and is not looked at. */
#ifndef AGENTPOL_BPF_WATCH_CALL_H
#define AGENTPOL_BPF_WATCH_CALL_H

#include "bpf/entry.h"
#include "bpf/watch.h"

/* <sys/socket.h>, <asm/ioctls.h>, <linux/tiocl.h>, <linux/in.h>, <linux/in6.h> */
#define AF_INET		 2
#define AF_NETLINK	 16
#define SOCK_PACKET	 10
#define SOCKET_TYPE_MASK 0xf
#define NETLINK_ROUTE	 0
#define DOMAINS		 64
#define TIOCSTI		 0x5412
#define TIOCLINUX	 0x541c
#define LEVEL_IPV4	 0
#define LEVEL_IPV6	 41

const volatile struct watch_config watch_config SEC(".rodata.watch") = {};

static __always_inline bool syscall_is_denied(const struct confinement *confinement, long number)
{
	__u32 word = (__u64)number >> 6;

	if (word >= SYSCALL_WORDS)
		return false;
	return confinement->denied_syscalls[word] >> (number & 63) & 1;
}

static __always_inline bool domain_is_denied(const struct confinement *confinement, __u32 domain,
					     __u32 type, __u32 protocol)
{
	if (domain >= DOMAINS || !(confinement->domains >> domain & 1))
		return true;
	if (domain == AF_NETLINK && protocol != NETLINK_ROUTE)
		return !(confinement->families & CONFINE_NETLINK);
	return domain == AF_INET && (type & SOCKET_TYPE_MASK) == SOCK_PACKET &&
	       !(confinement->families & CONFINE_PACKET);
}

/* See filter_multicast() of the seccomp filter: the kernel itself sends the group's address. */
static __always_inline bool joins_group(__u32 level, __u32 option)
{
	const __u64 ipv4 = 1ULL << 35 | 1ULL << 39 | 1ULL << 42 | 1ULL << 46;
	const __u64 ipv6 = 1ULL << 20 | 1ULL << 27 | 1ULL << 42 | 1ULL << 46;

	if (option > 63)
		return false;
	return (level == LEVEL_IPV4 && ipv4 >> option & 1) ||
	       (level == LEVEL_IPV6 && ipv6 >> option & 1);
}

static __always_inline enum event_reason judge_socket(const struct confinement *confinement,
						      const struct pt_regs *registers,
						      struct question *question)
{
	__u32 domain = entry_argument(registers, 0), protocol = entry_argument(registers, 2);

	if (!domain_is_denied(confinement, domain, entry_argument(registers, 1), protocol))
		return REASON_NONE;
	question->kind = EVENT_FAMILY;
	question->family = domain;
	question->detail = protocol;
	return REASON_FAMILY;
}

static __always_inline enum event_reason judge_call(const struct task_struct *task,
						    const struct pt_regs *registers, long number,
						    struct question *question)
{
	const struct confinement *confinement = confinement_of(question->subject.policy);
	bool denied;

	question->detail = (__u16)number;
	if (!confinement)
		return REASON_NO_POLICY;
	if (entry_is_other(task, number)) {
		question->detail = SYSCALL_OTHER_ENTRY;
		return REASON_SYSCALL;
	}
	denied = syscall_is_denied(confinement, number);
	if (!denied && number == watch_config.socket)
		return judge_socket(confinement, registers, question);
	if (!denied && number == watch_config.ioctl) {
		__u32 request = entry_argument(registers, 1);

		denied = request == TIOCSTI || request == TIOCLINUX;
	} else if (!denied && number == watch_config.setsockopt) {
		denied = joins_group(entry_argument(registers, 1), entry_argument(registers, 2));
	}
	return denied ? REASON_SYSCALL : REASON_NONE;
}

#endif
