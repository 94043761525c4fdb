// SPDX-License-Identifier: Apache-2.0
/* Sockets that no rule of the network sees: the judge takes them out and looks what they are. */
#include "breach.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

/* The arguments of socket(2) in one number. */
#define SOCKET(family, type, protocol) ((long)(family) << 32 | (long)(type) << 16 | (protocol))

static int open_one(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(socket((int)(self->number >> 32), (int)(self->number >> 16 & 0xffff),
			      (int)(self->number & 0xffff)));
}

/* In the host's byte order the kernel would take it for another protocol. */
#define EVERY_FRAME 0x0300
#define FAMILY                                                                               \
	.claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_sockets, \
	.make = open_one

static const struct attempt attempts[] = {
	{"socket-packet", "AF_PACKET", FAMILY, .number = SOCKET(AF_PACKET, SOCK_RAW, EVERY_FRAME)},
	{"socket-packet-cooked", "AF_PACKET without headers", FAMILY,
	 .number = SOCKET(AF_PACKET, SOCK_DGRAM, EVERY_FRAME)},
	{"socket-packet-old", "SOCK_PACKET of AF_INET", FAMILY,
	 .number = SOCKET(AF_INET, SOCK_PACKET, EVERY_FRAME)},
	{"socket-vsock", "AF_VSOCK", FAMILY, .number = SOCKET(AF_VSOCK, SOCK_STREAM, 0)},
	{"socket-alg", "AF_ALG", FAMILY, .number = SOCKET(AF_ALG, SOCK_SEQPACKET, 0)},
	{"socket-xdp", "AF_XDP", FAMILY, .number = SOCKET(AF_XDP, SOCK_RAW, 0)},
	{"socket-key", "AF_KEY", FAMILY, .number = SOCKET(AF_KEY, SOCK_RAW, 2)},
	{"socket-tipc", "AF_TIPC", FAMILY, .number = SOCKET(AF_TIPC, SOCK_RDM, 0)},
	{"socket-smc", "AF_SMC", FAMILY, .number = SOCKET(AF_SMC, SOCK_STREAM, 0)},
	{"socket-raw", "a raw socket of AF_INET", FAMILY,
	 .number = SOCKET(AF_INET, SOCK_RAW, IPPROTO_TCP)},
	{"socket-audit", "netlink: audit", FAMILY,
	 .number = SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)},
	{"socket-netfilter", "netlink: netfilter", FAMILY,
	 .number = SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)},
	{"socket-generic", "netlink: generic", FAMILY,
	 .number = SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC)},
	{"socket-uevent", "netlink: device events", FAMILY,
	 .number = SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT)},
	{"socket-diag", "netlink: sock_diag", FAMILY,
	 .number = SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)},
	{"socket-xfrm", "netlink: IPsec", FAMILY,
	 .number = SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_XFRM)},
};
const struct group sockets_group = {attempts, ARRAY_SIZE(attempts)};
