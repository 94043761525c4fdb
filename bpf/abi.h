/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What kernel and user space share: map keys and values, events, limits. Both compilers assert
 * the sizes. A change of any layout here is a new ABI_VERSION: a daemon never adopts pinned maps
 * of another version.
 */
#ifndef AGENTPOL_BPF_ABI_H
#define AGENTPOL_BPF_ABI_H

#include <linux/types.h>

#define ABI_VERSION 1

/* Enrolled cgroups. A machine has hundreds of containers at most; 8 bytes a spare entry. */
#define CGROUPS_MAX 4096
/* Prefixes of all policies together: two versions of a million, while one replaces the other. */
#define ADDRESSES_MAX (1U << 21)
/* Different sets of ports alive at once, 8 KiB each; user space lowers it to what is needed. */
#define PORT_SETS_MAX 1024
/* Different denials that are counted; past it each denial is an event of its own. */
#define DENIALS_MAX 16384
/* Peers that have sent to a granted UDP listener; a cache: a miss denies the answer. */
#define UDP_PEERS_MAX 65536
/* Cgroup v2 levels that are looked at; a cgroup below that can't be enrolled. */
#define CGROUP_LEVELS_MAX 32

#define PORT_SET_WORDS 1024 /* 65,536 bits */
/* Port set numbers: 0 grants no port, the highest every port; the others index `port_sets`. */
#define PORT_SET_NONE 0U
#define PORT_SET_ALL  0xffffffffU

/* Each policy has two tables of addresses; the key's `table` is policy id * 2 + this. */
enum address_table { TABLE_EGRESS = 0, TABLE_LISTEN = 1 };
/* So that the table's number fits 32 bits; ids start at 1. */
#define POLICY_ID_MAX 0x7fffffffU

/* Key of the LPM trie; prefix_bits counts `table`'s 32 bits too. IPv4 is IPv4-mapped. No padding.
 */
struct address_key {
	__u32 prefix_bits;
	__u32 table;
	__u8 address[16];
};

/* What the longest matching prefix grants; the compiler has joined what covers it. */
struct address_grant {
	__u32 tcp_ports; /* port set numbers */
	__u32 udp_ports;
	__u32 flags; /* GRANT_* */
};
#define GRANT_ICMP 1U

struct port_bits {
	__u64 words[PORT_SET_WORDS];
};

/*
 * One enrolled cgroup, in the array `enrolments`. User space writes `policy` by one atomic store
 * into the mapped array: that store is the swap. Slot 0 is never used.
 */
struct enrolment {
	__u64 cgroup; /* id; 0: the slot is free */
	__u64 policy; /* POLICY_WORD; 0: none */
};
#define POLICY_WORD(id, flags) ((__u64)(flags) << 32 | (id))
#define POLICY_ID(word)	       ((__u32)(word))
#define POLICY_FLAGS(word)     ((__u32)((word) >> 32))

#define POLICY_AUDIT_MODE  1U  /* allow, and tell what would have been denied */
#define POLICY_LOG_CONNECT 2U  /* allowed connects are events too */
#define POLICY_RAW_SOCKETS 4U  /* "families": ["raw"] */
#define POLICY_QUIET	   8U  /* the self-test's: judged as any, told to nobody */
#define POLICY_DATAGRAMS   16U /* grants UDP, ICMP or a listener: datagrams that come are judged */

enum event_kind {
	EVENT_CONNECT = 1, /* a destination: connect, sendto, or a packet */
	EVENT_LISTEN = 2,  /* a bind, or a peer that came in */
	EVENT_SOCKET = 3,  /* making a socket */
};

enum event_reason {
	REASON_NONE = 0,     /* allowed */
	REASON_EGRESS = 1,   /* no rule grants the destination */
	REASON_LISTEN = 2,   /* no rule grants the port */
	REASON_FAMILY = 3,   /* a socket type or protocol that needs "families" */
	REASON_PACKET = 4,   /* a packet that is not understood: source route, extension header */
	REASON_NO_POLICY = 5 /* the enforcer's own state is incomplete: fail closed */
};

/* Which hook spoke; for people. */
enum event_hook {
	HOOK_CONNECT = 1,
	HOOK_SENDMSG = 2,
	HOOK_BIND = 3,
	HOOK_SOCKET = 4,
	HOOK_EGRESS = 5,
	HOOK_INGRESS = 6,
};

enum event_verdict { EVENT_ALLOW = 0, EVENT_DENY = 1, EVENT_WOULD_DENY = 2 };

/* Equal denials are one entry and are told on the 1st, 2nd, 4th, 8th ... time. */
struct denial_key {
	__u64 cgroup;
	__u32 policy_id;
	__u8 kind;
	__u8 reason;
	__u8 protocol;
	__u8 verdict;
	__u8 address[16];
	__u16 port;	   /* host order */
	__u16 socket_type; /* SOCK_* of EVENT_SOCKET */
	__u32 family;	   /* AF_* */
};

struct denial_count {
	__u64 count;
	__u64 reported; /* count at the last event that reached the ring */
};

struct event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 count;   /* how many equal ones there have been, this one too */
	struct denial_key what;
	__u32 pid; /* thread group that made or used the socket; 0 where not known */
	__u32 uid;
	__u8 hook;
	__u8 spare[7];
	char command[16];
};

/* Verdicts of an enrolled cgroup, by slot, on each CPU. */
struct verdict_counters {
	__u64 allowed;
	__u64 denied;
};

/* Kept in the socket: one lookup a packet. */
struct socket_state {
	__u64 cgroup;	  /* id of the enrolled cgroup, 0: not known yet */
	__u32 slot;	  /* its place in `enrolments`, as long as that names this cgroup */
	__u32 generation; /* of the enrolments when `cgroup` was found */
	/* Keyed hash of (policy id, protocol, peer) that was last allowed: one word, so that it is
	 * written and read whole; the key is made at load and is not known to the policed. */
	__u64 approved;
	__u32 pid;
	__u32 uid;
	__u32 flags; /* SOCKET_* */
	__u32 reserved;
};
#define SOCKET_INBOUND 1U /* a listener, or accepted from one: answers are not egress */

struct udp_peer_key {
	__u64 socket_cookie;
	__u8 address[16];
	__u16 port; /* host order */
	__u16 reserved[3];
};

/* Counters of the whole enforcer, by index into `enforcer_counters`. */
enum enforcer_counter {
	COUNTER_EVENTS_LOST = 0,       /* the ring was full */
	COUNTER_DENIALS_UNCOUNTED = 1, /* denial_counts was full: told one by one */
	COUNTER_LAST
};

/* The one record of `enforcer_state`, for the daemon that comes after. */
struct enforcer_state {
	__u32 abi_version;
	__u32 next_policy_id;
	__u32 generation; /* goes up whenever a cgroup is enrolled or leaves */
	__u32 levels;	  /* bit n: a cgroup n levels below the root is enrolled */
};

/* Set before load; constant for the verifier. */
struct egress_config {
	__u64 key[2]; /* random: see socket_state.approved */
};

_Static_assert(sizeof(struct address_key) == 24, "LPM keys have no padding");
_Static_assert(sizeof(struct address_grant) == 12, "address_grant");
_Static_assert(sizeof(struct port_bits) == 8192, "one bit a port");
_Static_assert(sizeof(struct enrolment) == 16, "enrolment");
_Static_assert(sizeof(struct denial_key) == 40, "hash keys have no padding");
_Static_assert(sizeof(struct denial_count) == 16, "denial_count");
_Static_assert(sizeof(struct event) == 88, "event");
_Static_assert(sizeof(struct verdict_counters) == 16, "verdict_counters");
_Static_assert(sizeof(struct socket_state) == 40, "socket_state");
_Static_assert(sizeof(struct udp_peer_key) == 32, "hash keys have no padding");
_Static_assert(sizeof(struct enforcer_state) == 16, "enforcer_state");

#endif
