/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What kernel and user space share: map keys and values, events, limits. Both compilers assert
 * the sizes. A change of any layout here is a new ABI_VERSION: a daemon never adopts pinned maps
 * of another version.
 */
#ifndef AGENTPOL_BPF_ABI_H
#define AGENTPOL_BPF_ABI_H

#include <linux/types.h>

#define ABI_VERSION 8

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
/* Granted names of all policies together, with what search domains make of them. */
#define NAMES_MAX (1U << 18)
/* Different sets of rules that names are granted by, of all policies together. */
#define NAME_GRANTS_MAX 16384
/* Addresses that answers have opened; some 200 bytes each with what is known of their names. */
#define LEARNT_MAX (1U << 18)
/* Texts of names that were learnt or asked for. */
#define NAME_TEXTS_MAX (1U << 16)
/* Questions that wait for their answer; a cache: a miss lets the answer open nothing. */
#define QUESTIONS_MAX 16384
/* Names lately asked for under wildcards; a cache: a miss costs the name's price again. */
#define ASKED_NAMES_MAX 16384
/* Rules with "connects" or "bytes", of all policies together, and sets of such rules. */
#define BUDGETS_MAX	 4096
#define BUDGET_LISTS_MAX 4096
/* Rules with budgets that grant one and the same destination. */
#define BUDGETS_EACH_MAX 4
/* Different grants that names can open one and the same address with, at a time. */
#define LEARNT_GRANTS_MAX 8
/* Destinations whose traffic is counted. */
#define TRAFFIC_MAX (1U << 16)
/* Patterns of Unix sockets: of one list, and of all together. */
#define GLOBS_EACH_MAX 64
#define GLOBS_MAX      (1U << 16)
/* Paths of Unix sockets that were denied, for people; a cache. */
#define SOCKET_TEXTS_MAX 4096
/* Addresses and ports of tools' servers, of all policies together. */
#define SERVERS_MAX (1U << 14)
/* Ports at which servers of one name are, of all tools. */
#define NAME_SERVERS_MAX 4
/* Listeners of the guard: one set for each policy and network namespace. */
#define GUARDS_MAX (1U << 14)
/* Connections that were turned to the guard and that it has not asked about yet; a cache: a miss
 * refuses the connection. */
#define STEERED_MAX (1U << 14)

/* Files and directories that rules name, of all policies together. */
#define OBJECTS_MAX (1U << 17)
/* Names in a directory that rules name. */
#define OBJECT_NAMES_MAX (1U << 16)
/* Policies with what processes may do, see struct confinement. */
#define CONFINEMENTS_MAX (2 * CGROUPS_MAX)

#define PORT_SET_WORDS 1024 /* 65,536 bits */
/* Port set numbers: 0 grants no port, the highest every port; the others index `port_sets`. */
#define PORT_SET_NONE 0U
#define PORT_SET_ALL  0xffffffffU

/* Each policy has three tables of addresses. Policy 0, which no cgroup has, has the ranges that no
 * name opens. */
enum address_table { TABLE_EGRESS = 0, TABLE_LISTEN = 1, TABLE_RESOLVERS = 2 };
#define TABLE_OF(policy_id, kind) ((policy_id)*4 + (kind))
#define TABLE_INTERNAL		  TABLE_OF(0, 0)
#define POLICY_OF_TABLE(table)	  ((table) / 4)
/* So that the table's number fits 32 bits; ids start at 1. */
#define POLICY_ID_MAX 0x3fffffffU

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
	__u32 flags;   /* GRANT_* */
	__u32 budgets; /* index into `budget_lists`: what rules with budgets grant besides; 0: none
			*/
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
	/* While a call of a tool is under way: what holds instead, until then (CLOCK_MONOTONIC, ns).
	 * User space writes the time first. Nobody has to be awake for it to end. */
	__u64 leased; /* POLICY_WORD; 0: none */
	__u64 leased_until;
};
#define POLICY_WORD(id, flags) ((__u64)(flags) << 32 | (id))
#define POLICY_ID(word)	       ((__u32)(word))
#define POLICY_FLAGS(word)     ((__u32)((word) >> 32))

#define POLICY_AUDIT_MODE  1U	/* allow, and tell what would have been denied */
#define POLICY_LOG_CONNECT 2U	/* allowed connects are events too */
#define POLICY_RAW_SOCKETS 4U	/* "families": ["raw"] */
#define POLICY_QUIET	   8U	/* the self-test's: judged as any, told to nobody */
#define POLICY_DATAGRAMS   16U	/* grants UDP, ICMP or a listener: datagrams that come are judged */
#define POLICY_NAMES	   32U	/* grants names; POLICY_DATAGRAMS too: answers are datagrams */
#define POLICY_LOG_DNS	   64U	/* allowed queries are events too */
#define POLICY_TRAFFIC	   128U /* what goes where is counted */
#define POLICY_SENDTO                                                                             \
	512U /* a sendto with an address is judged by the call too: for its budget or for the log \
	      */
#define POLICY_UNIX	256U   /* lists Unix sockets: all others are denied */
#define POLICY_SERVERS	1024U  /* has tools with a server that the guard alone speaks to */
#define POLICY_EXEC	2048U  /* lists what may be executed */
#define POLICY_FILES	4096U  /* lists what may be read and written */
#define POLICY_KILL	8192U  /* who is denied is killed, too */
#define POLICY_LOG_EXEC 16384U /* what is executed is an event, too */
#define POLICY_LOG_FILE 32768U /* and files that are opened */
#define POLICY_WATCH	65536U /* of a live cgroup, where no LSM heeds us: see watch.bpf.c */

/* ---- names ---- */

#define NAME_TEXT_BYTES 256 /* RFC 1035: 253 at most */
/* An LPM trie's key has 256 bytes behind its length. */
#define NAME_KEY_BYTES 252
/* Of the longest wildcard or name in a manifest, so that it fits a key with its end. */
#define NAME_GRANTED_BYTES_MAX (NAME_KEY_BYTES - 1)

/* New names under one rule's wildcards, and what one of them may carry before it counts as more:
 * together a kilobyte a minute at most. */
#define NEW_NAMES_A_MINUTE 60
#define NAME_BITS_A_TOKEN  128
/* A name that was asked for within this is not new. */
#define ASKED_SECONDS 3600
/* An answer comes within this. */
#define QUESTION_SECONDS 30
/* What an answer opens stays open for its time to live, within these, and a little longer for who
 * uses its last second. */
#define LEARNT_SECONDS_LEAST 60
#define LEARNT_SECONDS_MOST  86400
#define LEARNT_SECONDS_GRACE 5

/* Key of the trie of names, see name_fill_key(). */
struct name_key {
	__u32 prefix_bits;
	__u32 policy_id;
	__u8 name[NAME_KEY_BYTES];
};

/* What a granted name is granted by. */
struct name_entry {
	__u32 grant;  /* index into `name_grants` */
	__u16 flags;  /* NAME_* */
	__u16 suffix; /* bytes of a wildcard's own part, its dot too */
};
#define NAME_WILDCARD 1U
#define NAME_ASK_ONLY 2U /* what a search domain makes of a name: may be asked, opens nothing */

/* A tool's server: the tool's place in the manifest, from 1 on, and SERVER_OWN. 0: none. */
#define SERVER_OWN	    0x80000000U /* of the tool whose scope the policy is: steered to the guard */
#define SERVER_TOOL(server) ((server) & ~SERVER_OWN)

struct name_server {
	__u32 port; /* host order; 0: free */
	__u32 server;
};

/* What the rules that grant a name open at its addresses. */
struct name_grant {
	__u32 policy_id; /* whose this is; 0: free */
	/* The first grant of its policy that opens the same: what an address remembers, so that
	 * hundreds of rules that differ by their names alone take one of its places. */
	__u32 like;
	struct address_grant ports;
	__u32 sni_ports; /* port set: of the TCP ports, those that need a granted server name */
	/* What it is at an internal address: its servers alone; 0: nothing. */
	__u32 internal;
	__u64 new_names_at; /* see struct budget.connects_at */
	struct name_server servers[NAME_SERVERS_MAX];
};

/* Which address has which names opened, in which network namespace (the low half of its cookie)? In
 * one of its own an agent can be the resolver. */
struct learnt_key {
	__u32 policy_id;
	__u32 space;
	__u8 address[16];
};
struct learnt_address {
	/* LEARNT_SLOT: read and written whole; 0: free */
	__u64 slots[LEARNT_GRANTS_MAX];
	__u64 name; /* hash of the last name */
};
#define LEARNT_SLOT(grant, expires) ((__u64)(grant) << 32 | (expires))
#define LEARNT_GRANT(slot)	    ((__u32)((slot) >> 32))
#define LEARNT_EXPIRES(slot)	    ((__u32)(slot)) /* s, CLOCK_MONOTONIC */

struct learnt_name_key {
	__u32 policy_id;
	__u32 grant; /* of the name, not what it is like */
	__u32 space;
	__u8 address[16];
};
struct learnt_name {
	__u64 name; /* hash */
	__u32 expires;
	__u32 spare;
};

struct name_text {
	char text[NAME_TEXT_BYTES]; /* padded with NULs */
};

struct question_key {
	__u64 socket_cookie;
	__u64 name;
	__u32 policy_id;
	__u16 id;
	__u16 type;
};

struct asked_key {
	__u64 spelling;
	__u32 policy_id;
	__u32 grant;
};

/* ---- servers behind the guard ---- */

/* All of loopback is 127.0.0.1 here: who serves on one of its addresses may serve on any. */
struct server_key {
	__u32 policy_id;
	__u32 port; /* host order */
	__u8 address[16];
};

/* Where does the guard listen for a policy's server, in which network namespace? */
struct guard_key {
	__u32 policy_id;
	__u32 space; /* see struct learnt_key */
};
struct guard_ports {
	__u16 port4, port6; /* of 127.0.0.1 and ::1, host order; 0: none */
};

/* Is that loopback port the guard's? */
struct guard_port_key {
	__u32 space;
	__u32 port;
};

/* Kept in a socket whose connection was turned to the guard. */
struct steering {
	__u64 cgroup;
	__u32 policy_id;
	__u32 server;
	__u8 address[16]; /* where it wanted to go */
	__u32 port;
	__u32 guard_port; /* where it goes */
	__u32 pid, uid;
};

/* Who is it that connects to the guard? Written when the first packet leaves. */
struct steered_key {
	__u32 space;
	__u16 port, guard_port;
	__u8 address[16]; /* of the client's end */
};
struct steered {
	struct steering steering;
	__u64 cookie; /* of the client's socket */
};

/* The same for a server behind a Unix socket: an abstract name, its first NUL too. */
#define GUARD_NAME_BYTES 32
struct guard_name {
	__u8 bytes[GUARD_NAME_BYTES];
};

/* A Unix socket has no end to be known by: who connected last, of a process. */
struct steered_path_key {
	__u32 space;
	__u32 pid;
};
struct steered_path {
	struct steering steering; /* without an address */
	char path[112];		  /* as it was given, padded with NULs */
};

/* ---- Unix sockets ---- */

#define UNIX_PATH_BYTES 108 /* sun_path; all of it may be used, see unix(7) */
/* A relative path has a slash put in front. */
#define GLOB_TEXT_BYTES (UNIX_PATH_BYTES + 1)
#define GLOB_WORDS	2

/*
 * A path pattern as sets of places, one bit each: place n waits for the pattern's n-th byte, and
 * `length` is the end. So that all ways to match are followed at once, in a time that the text's
 * length alone bounds; see bpf/glob.h.
 */
struct glob {
	__u64 bytes[8][GLOB_WORDS];   /* bit b of the byte that a place waits for */
	__u64 one[GLOB_WORDS];	      /* "?": any but a slash will do */
	__u64 within[GLOB_WORDS];     /* "*" stands in front of the place */
	__u64 across[GLOB_WORDS];     /* "**" does */
	__u64 components[GLOB_WORDS]; /* a whole component "**" does: it takes whole components */
	__u32 length;
	__u32 spare;
};

/* Patterns are numbered from 0 on, in each list: a policy's own, by its id, and these. */
struct glob_key {
	__u32 list;
	__u32 index;
};
#define GLOBS_OF_ENFORCER 0U	      /* what nothing opens */
#define GLOBS_OF_RUNTIMES 0xffffffffU /* what is denied unless it is listed */
/* Of tools' servers: of the scope's own tool, and of the others. */
#define GLOBS_OF_OWN(policy_id)	   (0x40000000U | (policy_id))
#define GLOBS_OF_OTHERS(policy_id) (0x80000000U | (policy_id))
#define POLICY_OF_GLOBS(list)	   ((list)&POLICY_ID_MAX)

/* ---- files, and what processes may do ---- */

/* A directory entry is known by its first so many bytes; rules name no longer one. */
#define OBJECT_NAME_BYTES 64
/* Directories above a file that are looked at; deeper ones are denied. */
#define OBJECT_DEPTH_MAX 64

/* What a rule says of an object and all below it. What several say is joined; then what is taken
 * away wins. */
#define OBJECT_READ	     1U
#define OBJECT_WRITE	     2U /* implies reading, as user space writes it */
#define OBJECT_EXEC	     4U
#define OBJECT_EXEC_CHILDREN 8U	 /* of a directory: the files right in it */
#define OBJECT_DENY	     16U /* nothing */
#define OBJECT_FROZEN	     32U /* no write */
#define OBJECT_ENFORCER	     64U /* nothing: it is the enforcer's own */
/* In a verdict: neither denied nor the enforcer's. Executing needs no right to read. */
#define OBJECT_OPEN 128U

/* A file or directory as such, by whatever path. The generation tells it from one that gets its
 * number later, on the file systems that reuse numbers. */
struct object_key {
	__u32 policy_id;
	__u32 device; /* the kernel's own dev_t: super_block.s_dev */
	__u64 inode;
	__u32 generation;
	__u32 spare;
};

/* What is called so in that directory, whatever it is by now: a file that is replaced by another
 * one, or that is not there yet. */
struct object_name_key {
	struct object_key directory;
	char name[OBJECT_NAME_BYTES]; /* padded with NULs */
};

/* Verdicts on a file, kept in its inode: one word each, so that it is read and written whole. Where
 * it stands in the list is its policy's affair. */
#define OBJECT_VERDICTS 4
struct object_verdicts {
	__u64 words[OBJECT_VERDICTS];
	__u64 moved_at; /* ns, CLOCK_MONOTONIC: to another directory, or to one name less */
};
#define OBJECT_VERDICT(policy_id, epoch, bits) \
	((__u64)(policy_id) << 32 | (__u64)((epoch)&0xffffff) << 8 | (bits))
#define OBJECT_VERDICT_BITS(word) ((__u32)(word)&0xff)

#define SYSCALL_WORDS 8 /* 512 system calls, by the architecture's own numbers */

/* In place of a number: it came by the entry of another architecture (32 bits, x32). */
#define SYSCALL_OTHER_ENTRY 0xffffU

/* What a policy's processes may do, for hooks that see the task. Not found: nothing. */
struct confinement {
	__u64 denied_syscalls[SYSCALL_WORDS]; /* bit n: number n */
	__u64 capabilities;		      /* bit n: kept */
	__u64 domains;			      /* bit n: sockets of address family n may be made */
	__u32 families;			      /* CONFINE_* */
	__u32 objects;			      /* OBJECT_*: what holds where no rule says anything */
};
#define CONFINE_NETLINK 1U /* netlink of any protocol, not of routes alone */
#define CONFINE_PACKET	2U /* SOCK_PACKET of inet, which is AF_PACKET */

/* An enrolled cgroup in the list that is looked through first: most machines have a few. */
struct guard_near {
	__u64 cgroup;
	__u32 level;
	__u32 slot;
};
#define GUARD_NEAR_MAX 8

/* The one record of `guard_state`: mapped by user space, which stores each word by itself. */
struct guard_state {
	__u32 epoch;	   /* goes up when a directory moves: what was cached holds no more */
	__u32 level_count; /* levels at which any cgroup is enrolled, the deepest first */
	__u64 moved_at;	   /* ns, CLOCK_MONOTONIC: nothing is cached for a while after */
	__u32 change;	   /* odd while `near` changes */
	__u32 near_count;  /* 0: there are more, or not all levels are known */
	struct guard_near near[GUARD_NEAR_MAX]; /* all that are enrolled, the deepest first */
	__u32 levels[CGROUP_LEVELS_MAX];
};

/* Where user space asks the kernel what an open file is: the thread that asks, and the answer. */
struct object_question {
	__u64 thread; /* pid_tgid; 0: nobody asks */
	struct object_key object;
	__u32 answered;
	__u32 fd; /* of the asking process */
};

/* ---- budgets ---- */

/* Token buckets of one rule. `_at` is the time (ns, CLOCK_MONOTONIC) until which what was taken is
 * paid for (the generic cell rate algorithm): one word, changed by compare and exchange. */
struct budget {
	__u32 policy_id; /* whose this is; 0: free */
	__u32 rule;	 /* index of the egress rule, and BUDGET_OF_TOOL */
	__u64 connects_amount, connects_period, connects_at; /* period in ns; 0: no limit */
	__u64 bytes_amount, bytes_period, bytes_at;
	__u64 connects, bytes; /* taken so far */
	__u64 denied;
};

#define BUDGET_OF_TOOL 0x80000000U /* of the tool's section, not the agent's */

struct budget_item {
	__u32 budget; /* index into `budgets` */
	__u32 tcp_ports, udp_ports;
	__u32 flags; /* GRANT_* */
};
struct budget_list {
	__u32 count;
	__u32 policy_id; /* whose this is; 0: free */
	struct budget_item items[BUDGETS_EACH_MAX];
};

/* ---- traffic ---- */

struct traffic_key {
	__u64 cgroup;
	__u64 name;
	__u32 policy_id;
	__u16 port; /* host order */
	__u16 protocol;
	__u8 address[16];
};
struct traffic {
	__u64 bytes, packets;
	__u64 first_ns, last_ns; /* CLOCK_MONOTONIC */
	__u32 pid, uid;
};

enum event_kind {
	EVENT_NONE = 0,	      /* what is not told of */
	EVENT_CONNECT = 1,    /* a destination: connect, sendto, or a packet */
	EVENT_LISTEN = 2,     /* a bind, or a peer that came in */
	EVENT_SOCKET = 3,     /* making a socket */
	EVENT_DNS = 4,	      /* a question for a name, or an answer */
	EVENT_EXEC = 5,	      /* executing a file */
	EVENT_FILE = 6,	      /* opening or changing one; `detail` is what was wanted, OBJECT_* */
	EVENT_SYSCALL = 7,    /* `detail` is its number, or SYSCALL_OTHER_ENTRY */
	EVENT_CAPABILITY = 8, /* `detail` is its number */
	EVENT_PROCESS = 9,    /* reaching for a process outside; `detail` is a PROCESS_* */
	EVENT_FAMILY = 10,    /* making a socket; `family` is the domain, `detail` the protocol */
	EVENT_ESCAPE = 11, /* a task was seen outside its cgroup; allowed: somebody else moved it */
};

enum event_reason {
	REASON_NONE = 0,       /* allowed */
	REASON_EGRESS = 1,     /* no rule grants the destination */
	REASON_LISTEN = 2,     /* no rule grants the port */
	REASON_FAMILY = 3,     /* a socket type or protocol that needs "families" */
	REASON_PACKET = 4,     /* a packet that is not understood: source route, extension header */
	REASON_NO_POLICY = 5,  /* the enforcer's own state is incomplete: fail closed */
	REASON_BUDGET = 6,     /* the rules that grant it have no budget left */
	REASON_DNS = 7,	       /* no rule grants the name */
	REASON_DNS_FORM = 8,   /* no plain question, or one that can't be followed */
	REASON_DNS_BUDGET = 9, /* too many new names under a wildcard */
	REASON_INTERNAL = 10,  /* a name's address that no name opens */
	REASON_SNI = 11,       /* no granted server name opens the TLS connection */
	REASON_FULL = 12,      /* no room to remember an answer's address */
	REASON_UNIX = 13,      /* no pattern grants the Unix socket */
	REASON_ENFORCER = 14,  /* the enforcer's own socket */
	REASON_SERVER = 15,    /* a tool's server, which the guard alone speaks to */
	REASON_NO_GUARD = 16,  /* it would be turned to the guard, which does not listen here yet */
	REASON_GUARD = 17,     /* the guard's own port */
	REASON_EXEC = 18,      /* no pattern grants to execute it */
	REASON_FILE = 19,      /* no entry grants it */
	REASON_FILE_DENIED = 20, /* an entry denies it */
	REASON_FROZEN = 21,	 /* the kernel's own controls are not written to */
	REASON_SYSCALL = 22,	 /* the list of system calls denies it */
	REASON_CAPABILITY = 23,	 /* not kept */
	REASON_PROCESS = 24,	 /* the other process is not of this agent */
	REASON_MAPPED = 25,	 /* code from a file that the policy's processes can write */
	REASON_GAIN = 26,	 /* linked or moved there it would be open to more than it is */
	REASON_ESCAPE = 27,	 /* out of its cgroup, by its own doing */
};

/* Which hook spoke; for people. */
enum event_hook {
	HOOK_CONNECT = 1,
	HOOK_SENDMSG = 2,
	HOOK_BIND = 3,
	HOOK_SOCKET = 4,
	HOOK_EGRESS = 5,
	HOOK_INGRESS = 6,
	HOOK_LSM = 7,
	HOOK_TRACE = 8, /* after the fact: the process is killed, not the call undone */
};

/* How a process outside was reached for. */
#define PROCESS_SIGNAL	 1
#define PROCESS_TRACE	 2
#define PROCESS_SCHEDULE 3 /* priority, affinity, limits */

enum event_verdict { EVENT_ALLOW = 0, EVENT_DENY = 1, EVENT_WOULD_DENY = 2 };

/* Equal denials are one entry and are told on the 1st, 2nd, 4th, 8th ... time. */
struct denial_key {
	__u64 cgroup;
	__u64 name; /* hash; 0: none */
	__u32 policy_id;
	__u8 kind;
	__u8 reason;
	__u8 protocol;
	__u8 verdict;
	__u8 address[16];
	__u16 port;   /* host order */
	__u16 detail; /* SOCK_* of EVENT_SOCKET; the record type of EVENT_DNS; UNIX_* */
	__u32 family; /* AF_*; AF_UNIX: `name` is the socket's path */
};

#define UNIX_ABSTRACT 1 /* the name of an abstract socket, "@" in front */
#define UNIX_NULS     2 /* and it has NULs, which are told as "@" */
#define UNIX_PROBE    4 /* the C library asks whether there is a cache of names: nobody's violation */

struct denial_count {
	__u64 count;
	__u64 reported; /* count at the last event that reached the ring */
	__u32 space;	/* of that event */
	__u32 spare;
};

struct event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 count;   /* how many equal ones there have been, this one too */
	struct denial_key what;
	__u32 pid; /* thread group that made or used the socket; 0 where not known */
	__u32 uid;
	__u8 hook;
	__u8 spare[3];
	__u32 space; /* see struct learnt_key */
	char command[16];
};

/* An event of EVENT_DNS, REASON_SNI or AF_UNIX: the name as it was read, empty where none was. */
struct named_event {
	struct event event;
	struct name_text name;
};

/* The path of a file, for people: from the root of the task's mounts, as far as it fits; the text
 * ends at OBJECT_TEXT_BYTES and begins behind the NULs. The rest is room for the verifier's sake.
 */
#define OBJECT_TEXT_BYTES 512
struct object_event {
	struct event event;
	char path[OBJECT_TEXT_BYTES + 256];
};

/*
 * What user space is asked to do so that a refusal is felt at once: the verdict is given, and holds
 * whether it is done or not.
 */
enum errand_kind {
	ERRAND_RESET = 1,  /* end a TCP connection whose bytes are held back */
	ERRAND_REFUSE = 2, /* answer a query that was not let out: some resolvers ignore EPERM */
	ERRAND_LISTEN = 3, /* have the guard listen in the namespace of `pid` */
	ERRAND_KILL = 4,   /* kill `pid`, where it is older than the errand */
};
struct errand {
	__u64 time_ns; /* CLOCK_BOOTTIME, as the start of a process is told in */
	__u64 cgroup;
	__u64 cookie; /* the socket's: another one may have the same ends, in another namespace */
	__u32 kind;
	__u32 pid; /* who made the socket; 0: not known */
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port, remote_port; /* host order */
	__u16 dns_id;
	__u16 spare;
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
	__u64 charged; /* the same of what was last charged as a connect of a budget */
	__u32 pid;
	__u32 uid;
	__u32 flags;   /* SOCKET_* */
	__u32 stream;  /* TCP: the sequence number up to which bytes were read and found good */
	__u32 budgets; /* TCP: the list of the rules that grant the server's name; 0: none */
	__u32 space;   /* its network namespace, see struct learnt_key; 0: not known yet */
};
#define SOCKET_INBOUND 1U /* a listener, or accepted from one: answers are not egress */
#define SOCKET_STREAM  2U /* `stream` is known, from the connection's first packet on */
#define SOCKET_GREETED 4U /* the first ClientHello was good; a second one may follow */
#define SOCKET_GREETS \
	16U /* a part of a hello with a granted name is on its way, see hello_of_socket */
#define SOCKET_STEERED 32U /* its connection was turned to the guard, see struct steering */
#define SOCKET_OPENED  8U  /* no ClientHello follows any more: what is sent is TLS's own affair */

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
	COUNTER_LEARNT_LOST = 2,       /* an address that did not fit, which stays closed */
	COUNTER_WORKBENCHES_BUSY = 3,  /* a message that could not be read, which was denied */
	COUNTER_TRAFFIC_LOST = 4,      /* a packet to a destination that is not counted */
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
	__u64 key[2];	   /* random: see socket_state.approved */
	__u32 workbenches; /* entries of that map, a power of two */
	/* 0: no policy that is ever loaded has one; spares the verifier's time. */
	__u32 names, servers;
	__u32 spare;
};

/* The same for watch.bpf.c: the architecture's numbers of the calls that it looks into. */
struct watch_config {
	__u32 socket, setsockopt, ioctl, clone, unshare;
};

_Static_assert(sizeof(struct address_key) == 24, "LPM keys have no padding");
_Static_assert(sizeof(struct address_grant) == 16, "address_grant");
_Static_assert(sizeof(struct port_bits) == 8192, "one bit a port");
_Static_assert(sizeof(struct enrolment) == 32, "enrolment");
_Static_assert(sizeof(struct denial_key) == 48, "hash keys have no padding");
_Static_assert(sizeof(struct denial_count) == 24, "denial_count");
_Static_assert(sizeof(struct event) == 96, "event");
_Static_assert(sizeof(struct named_event) == 352, "named_event");
_Static_assert(sizeof(struct errand) == 72, "errand");
_Static_assert(sizeof(struct name_key) == 260, "LPM keys have no padding");
_Static_assert(sizeof(struct name_entry) == 8, "name_entry");
_Static_assert(sizeof(struct name_grant) == 72, "name_grant");
_Static_assert(sizeof(struct server_key) == 24, "hash keys have no padding");
_Static_assert(sizeof(struct guard_key) == 8, "hash keys have no padding");
_Static_assert(sizeof(struct guard_ports) == 4, "guard_ports");
_Static_assert(sizeof(struct guard_port_key) == 8, "hash keys have no padding");
_Static_assert(sizeof(struct steering) == 48, "steering");
_Static_assert(sizeof(struct steered_key) == 24, "hash keys have no padding");
_Static_assert(sizeof(struct steered) == 56, "steered");
_Static_assert(sizeof(struct guard_name) == GUARD_NAME_BYTES, "guard_name");
_Static_assert(sizeof(struct steered_path_key) == 8, "hash keys have no padding");
_Static_assert(sizeof(struct steered_path) == 160, "steered_path");
_Static_assert(112 >= UNIX_PATH_BYTES, "room for a path");
_Static_assert(sizeof(struct learnt_key) == 24, "hash keys have no padding");
_Static_assert(sizeof(struct learnt_address) == 72, "learnt_address");
_Static_assert(sizeof(struct learnt_name_key) == 28, "hash keys have no padding");
_Static_assert(sizeof(struct learnt_name) == 16, "learnt_name");
_Static_assert(sizeof(struct question_key) == 24, "hash keys have no padding");
_Static_assert(sizeof(struct asked_key) == 16, "hash keys have no padding");
_Static_assert(sizeof(struct glob) == 200, "glob");
_Static_assert(GLOB_TEXT_BYTES < 64 * GLOB_WORDS, "a place for each byte, and the end");
_Static_assert(sizeof(struct glob_key) == 8, "hash keys have no padding");
_Static_assert(sizeof(struct object_key) == 24, "hash keys have no padding");
_Static_assert(sizeof(struct object_name_key) == 88, "hash keys have no padding");
_Static_assert(sizeof(struct confinement) == 88, "confinement");
_Static_assert(sizeof(struct guard_state) == 280, "guard_state");
_Static_assert(sizeof(struct object_question) == 40, "object_question");
_Static_assert(sizeof(struct object_event) == 864, "object_event");
_Static_assert(sizeof(struct budget) == 80, "budget");
_Static_assert(sizeof(struct budget_list) == 72, "budget_list");
_Static_assert(sizeof(struct traffic_key) == 40, "hash keys have no padding");
_Static_assert(sizeof(struct traffic) == 40, "traffic");
_Static_assert(sizeof(struct verdict_counters) == 16, "verdict_counters");
_Static_assert(sizeof(struct socket_state) == 56, "socket_state");
_Static_assert(sizeof(struct udp_peer_key) == 32, "hash keys have no padding");
_Static_assert(sizeof(struct enforcer_state) == 16, "enforcer_state");

#endif
