/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one decision core: may this be done under that policy? Pure: the same question always has
 * the same answer. `agentpol decide`, the explanation of kernel events and the tests ask it; the
 * kernel programs are its second implementation, and a differential test holds the two together.
 */
#ifndef AGENTPOL_POLICY_DECIDE_H
#define AGENTPOL_POLICY_DECIDE_H

#include "policy/policy.h"

enum request_kind {
	REQUEST_CONNECT,
	REQUEST_DNS,
	REQUEST_LISTEN,
	REQUEST_EXEC,
	REQUEST_FILE,
	REQUEST_SYSCALL,
	REQUEST_SOCKET, /* making a socket of a family that needs "families" */
	REQUEST_UNIX,	/* a connection or message to a Unix socket */
	REQUEST_CAPABILITY,
};

enum file_access { ACCESS_READ, ACCESS_WRITE };

struct request {
	enum request_kind kind;
	const char *tool; /* whose scope; NULL: the agent's own */
	union {
		struct {
			struct ip_address address;
			uint16_t port;		    /* 0 for ICMP */
			enum protocol_bit protocol; /* one */
			const char *name; /* under which the address was learnt, or NULL */
		} connect;
		struct {
			const char *name;
			const char *type; /* "A", "AAAA", ...; may be NULL */
			bool has_resolver;
			struct ip_address resolver;
		} dns;
		struct {
			struct ip_address address;
			uint16_t port;
		} listen;
		const char *path; /* exec; unix: as it was given, "@name" is abstract */
		struct {
			const char *path;
			enum file_access access;
		} file;
		const char *syscall;
		unsigned capability; /* number */
		const char *family; /* socket: as in "families" */
		const char *sql;    /* not policy_decide's to judge: see sql/decision.h */
	};
};

enum verdict_kind {
	VERDICT_ALLOW,
	VERDICT_DENY,
	VERDICT_ASK,
	VERDICT_UNDECIDED,
	VERDICT_WOULD_DENY
};

#define VERDICT_TEXT_MAX 512

/* Values, no ownership. A plain allow has a rule too where one rule granted it. */
struct verdict {
	enum verdict_kind kind;
	const char *reason; /* static: "egress", "metadata", "dns", "listen", "exec", "file",
			       "syscall", "capability", "family", "unix", "internal-address", "enforcer"; NULL for
			       allow */
	char rule[VERDICT_TEXT_MAX];	/* JSON pointer; "" is none */
	char message[VERDICT_TEXT_MAX]; /* a sentence */
	/* The edit that would allow it, a JSON Patch operation (RFC 6902); hint_op "" is none. */
	char hint_op[8];
	char hint_path[VERDICT_TEXT_MAX];
	char hint_value[VERDICT_TEXT_MAX]; /* JSON text; "" where the operation takes none */
	char assumes[VERDICT_TEXT_MAX]; /* what an offline answer takes for true; "" is nothing */
};

/* Judges `request`. A tool that the policy does not have is denied, never an error. */
void policy_decide(const struct policy *policy, const struct request *request,
		   struct verdict *verdict);

/* "allow", "deny", "ask", "undecided", "would-deny". */
const char *verdict_name(enum verdict_kind kind);

#endif
