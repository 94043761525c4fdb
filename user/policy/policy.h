/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manifest grants, as data: what manifest/ makes, what decide() judges by and what compile/
 * turns into kernel tables. Pure: no I/O, no clock, no libraries. Immutable once read.
 * All pointers live in the policy's arena. "Pointer" in a name is a JSON pointer into the manifest.
 */
#ifndef AGENTPOL_POLICY_POLICY_H
#define AGENTPOL_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "policy/address.h"
#include "policy/ports.h"

#define AGENT_NAME_MAX	    63	/* [a-z0-9][a-z0-9-]{0,62} */
#define HOST_NAME_MAX_BYTES 253 /* RFC 1035, without the root's dot */
#define TOOL_NAME_MAX	    128 /* as in MCP */
#define SCOPE_NAME_MAX	    511 /* of a tool, or of several */
#define POLICY_DIGEST_TEXT  72	/* "sha256:" and 64 digits and NUL */

enum policy_mode { MODE_ENFORCE, MODE_AUDIT };

struct strings {
	const char **items;
	size_t count;
};

/* ---- network ---- */

enum protocol_bit { PROTOCOL_TCP = 1, PROTOCOL_UDP = 2, PROTOCOL_ICMP = 4 };

enum target_kind {
	TARGET_NAME,	 /* a host name, as it stands in `name` */
	TARGET_WILDCARD, /* "*.name": `name` without the "*." */
	TARGET_PREFIX,	 /* an address or a CIDR */
	TARGET_LOOPBACK, /* 127.0.0.0/8 and ::1 */
	TARGET_ANY,	 /* every address of both families, but the reserved ones */
};

struct egress_target {
	enum target_kind kind;
	const char *name;	 /* lower case, xn-- form, no trailing dot; NULL but for names */
	struct ip_prefix prefix; /* TARGET_PREFIX alone */
};

enum sni_mode { SNI_UNSET, SNI_REQUIRE, SNI_IGNORE };

/* A token bucket: `amount` each `seconds`; no budget where seconds is 0. */
struct rate {
	uint64_t amount;
	uint32_t seconds;
};

struct egress_rule {
	struct egress_target *targets;
	size_t target_count;
	/* NULL for a rule of ICMP alone. Port 53 and the ports of tools' servers are in it only
	 * where the rule names that number itself: "*" and ranges leave them out, since names are
	 * asked of resolvers alone, and a server may have other addresses than are known. */
	const struct port_set *ports;
	const struct port_set *named_ports; /* of them, those that stand there as one number */
	unsigned protocols;		    /* of enum protocol_bit */
	enum sni_mode sni; /* as written; what it means by default is the reader's to tell */
	struct rate connects;
	struct rate bytes;
	size_t index; /* /network/egress/INDEX in its scope */
};

struct listen_rule {
	const struct port_set *ports;
	struct egress_target on; /* TARGET_ANY, TARGET_LOOPBACK or TARGET_PREFIX */
	size_t index;
};

enum family_bit {
	FAMILY_RAW = 1 << 0, /* SOCK_RAW and other protocols in inet and inet6 */
	FAMILY_PACKET = 1 << 1,
	FAMILY_VSOCK = 1 << 2,
	FAMILY_XDP = 1 << 3,
	FAMILY_NETLINK = 1 << 4, /* netlink protocols other than route */
	FAMILY_BLUETOOTH = 1 << 5,
	FAMILY_CAN = 1 << 6,
	FAMILY_ALG = 1 << 7,
	FAMILY_TIPC = 1 << 8,
};
struct family_name {
	const char *name; /* as in "families" */
	enum family_bit bit;
	int domain; /* AF_*; AF_INET for raw */
};
extern const struct family_name family_names[];
extern const size_t family_name_count;

struct network {
	bool present; /* the section stands in the manifest */
	struct egress_rule *egress;
	size_t egress_count;
	bool system_resolvers; /* "system", or no "resolvers" */
	struct ip_address *resolvers;
	size_t resolver_count;
	struct listen_rule *listens;
	size_t listen_count;
	bool unix_present;
	struct strings unix_paths; /* patterns; "@name" is abstract */
	unsigned families;	   /* of enum family_bit */
};

/* ---- process and files ---- */

struct limits {
	uint64_t pids;	       /* 0: no limit */
	uint64_t memory_bytes; /* 0: no limit */
	uint32_t cpu_percent;  /* 0: no limit */
};

struct process {
	bool present;
	bool exec_present;
	struct strings exec; /* patterns */
	bool syscalls_present;
	struct strings syscalls_deny; /* names and @groups as written */
	struct strings syscalls_allow;
	bool capabilities_present;
	uint64_t capabilities; /* bit n: capability number n is kept */
	struct limits limits;
	bool kill_on_violation;
};

struct files {
	bool present; /* absent: not restricted but for the enforcer's own files */
	struct strings read, write, deny;
};

/* ---- tools ---- */

/* The agent's own grants (tool NULL, pointer ""), or what a tool may do beyond them. */
struct scope {
	const char *tool;
	const char *pointer; /* "" or "/tools/NAME", escaped as RFC 6901 has it */
	struct network network;
	struct process process;
	struct files files;
};

enum tool_effect { EFFECT_READ, EFFECT_WRITE, EFFECT_DESTRUCTIVE, EFFECT_EXTERNAL };

enum sql_verb { SQL_SELECT, SQL_INSERT, SQL_UPDATE, SQL_DELETE };
struct sql_table {
	const char *schema; /* NULL: looked up by search_path */
	const char *name;
	bool has_columns;
	struct strings columns;
};
struct sql_grant {
	enum sql_verb verb;
	struct sql_table *tables;
	size_t table_count;
};
enum sql_catalog_level { CATALOG_TYPES, CATALOG_NONE, CATALOG_SCHEMA };
enum sql_tls { TLS_UNSET, TLS_DISABLE, TLS_REQUIRE, TLS_VERIFY_FULL };
struct sql_policy {
	const char *engine;
	const char *server_host; /* NULL when server_path is set */
	uint16_t server_port;
	const char *server_path;	 /* a Unix socket's directory */
	struct strings databases, users; /* empty: any */
	struct sql_grant *grants;
	size_t grant_count;
	struct strings search_path;
	struct strings functions;
	enum sql_catalog_level catalog;
	const char *argument; /* JSON pointer, or NULL */
	enum sql_tls tls;
	const char *ca;
	int read_only;		       /* -1: as the grants imply */
	uint64_t statement_timeout_ms; /* 0: none */
	uint64_t max_rows;	       /* 0: no limit */
};

struct tool_match {
	const char *argument_pointer; /* into this call's arguments */
	const char *source_pointer;   /* "/result/..." or "/arguments/..." of the earlier call */
};
struct tool_requirement {
	const char *tool;
	struct tool_match *matches;
	size_t match_count;
};
struct argument_limit {
	const char *pointer;  /* into the call's arguments */
	struct strings under; /* path prefixes; empty: no such limit */
	bool egress;
	bool has_minimum, has_maximum;
	double minimum, maximum;
	struct strings one_of; /* "enum": strings; empty: no such limit */
	const char *pattern;   /* NULL: none */
	uint64_t max_length;   /* 0: none */
};

struct tool {
	const char *name;
	const char *title;	  /* may be NULL */
	const char *description;  /* may be NULL */
	const char *annotations;  /* its JSON text; may be NULL */
	const char *input_schema; /* its JSON text; NULL: {"type": "object"} */
	enum tool_effect effect;
	bool effect_present;
	bool call_scope;	/* "scope": "call" */
	struct sql_policy *sql; /* NULL: none */
	struct tool_requirement *requires;
	size_t requires_count;
	struct strings forbids_after;
	uint64_t budget_calls; /* 0: none */
	struct rate budget_rate;
	bool ask;
	uint32_t ask_timeout_seconds;
	struct argument_limit *arguments;
	size_t argument_count;
	struct scope scope;
	/* Of a joined scope (policy_join_tools): the tools that it is made of; their grants are all in
	 * `scope`, and rules are named by their own places. */
	const struct tool *const *parts;
	size_t part_count;
};

/* A scope that is no tool's own: a name for several together. */
struct joined_scope {
	struct joined_scope *next;
	const char *name;
	const struct tool *tool;
};

enum exhausted_action { EXHAUSTED_DENY, EXHAUSTED_FREEZE, EXHAUSTED_KILL };
struct budgets {
	bool present;
	uint64_t calls, denials, confirmations; /* UINT64_MAX: none */
	enum exhausted_action on_exhausted;
};

enum audit_bit {
	AUDIT_CONNECT = 1,
	AUDIT_DNS = 2,
	AUDIT_EXEC = 4,
	AUDIT_FILE = 8,
	AUDIT_SQL = 16,
	AUDIT_CALL = 32,
};

struct policy {
	struct arena *arena; /* owned; holds the policy itself too */
	const char *name;
	const char *description; /* may be NULL */
	enum policy_mode mode;
	struct scope agent;
	struct tool *tools;
	size_t tool_count;
	struct joined_scope *joined;
	struct budgets budgets;
	unsigned audit_allowed;		 /* of enum audit_bit: allowed events that are logged too */
	bool audit_literals;		 /* statements are logged as they are, not by their shape */
	char digest[POLICY_DIGEST_TEXT]; /* of the manifest's bytes */
};

/* Accepts NULL. */
void policy_free(struct policy *policy);
static inline void cleanup_policy_free(struct policy **policy)
{
	policy_free(*policy);
}
#define _cleanup_policy_ __attribute__((cleanup(cleanup_policy_free)))

/* The tool of that name, or the joined scope that policy_join_tools has made; or NULL. */
const struct tool *policy_find_tool(const struct policy *policy, const char *name);
/* What limits hold: a tool's own stands in the place of the agent's; audit mode takes nothing away.
 */
struct limits policy_limits(const struct policy *policy, const struct tool *tool);
/* Is a process that is denied killed, too? The agent's word, or that of the tool, if not NULL. */
bool policy_kills(const struct policy *policy, const struct tool *tool);

/* Does any of its rules grant a host name? */
bool network_names_hosts(const struct network *network);

/* Capability names as in capabilities(7), by number. */
extern const char *const capability_names[];
extern const size_t capability_count;
/* -1 where there is none of that name ("CAP_" in front, upper case). */
int capability_find(const char *name);

#endif
