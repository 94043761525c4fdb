// SPDX-License-Identifier: Apache-2.0
#include "policyd/explain.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "policyd/explain_task.h"

#define DNS_PORT 53

/* Reasons for which no rule of the manifest is to blame. */
static const struct {
	enum event_reason reason;
	const char *name;
	const char *message;
} own_reasons[] = {
	{REASON_PACKET, "packet",
	 "the packet is not understood whole (source route, extension header, fragment or another "
	 "protocol than TCP, UDP and ICMP), so it may not leave"},
	{REASON_NO_POLICY, "no-policy",
	 "the enforcer has no whole policy for this socket; it was made elsewhere or before"},
	{REASON_BUDGET, "budget", "the rules that grant it have no budget left for now"},
	{REASON_DNS_FORM, "dns-form",
	 "no plain question for one name (one of class IN, nothing behind it but a plain EDNS "
	 "record), or one that can't be followed, so it may not go to the resolver"},
	{REASON_DNS_BUDGET, "dns-budget",
	 "too many new names under a wildcard in a minute: labels can carry data out"},
	{REASON_SNI, "sni",
	 "the connection does not begin with a whole TLS ClientHello whose server name a rule "
	 "grants for this address; if what is spoken there is no TLS, write \"sni\": "
	 "\"ignore\" into the rule"},
	{REASON_ENFORCER, "enforcer", "this socket is the enforcer's own: nothing opens it"},
	{REASON_NO_GUARD, "sql-guard",
	 "the guard of the tool's server was not listening in this network namespace yet; it was "
	 "told to, so try again"},
	{REASON_GUARD, "sql-guard",
	 "the port is the guard's own: who connects to the tool's server is turned there"},
	{REASON_FULL, "full",
	 "the kernel's table of learnt addresses has no room, so this one stays closed"},
};

static const char *const kind_names[] = {
	[EVENT_CONNECT] = "connect",
	[EVENT_LISTEN] = "listen",
	[EVENT_SOCKET] = "socket",
	[EVENT_DNS] = "dns",
};

/* The types that are asked for most (IANA's registry); others are TYPE and their number, as RFC
 * 3597 has it. */
static const struct {
	unsigned type;
	const char *name;
} dns_types[] = {
	{1, "A"},     {2, "NS"},     {5, "CNAME"},  {6, "SOA"},	  {12, "PTR"}, {15, "MX"},
	{16, "TXT"},  {28, "AAAA"},  {33, "SRV"},   {41, "OPT"},  {43, "DS"},  {48, "DNSKEY"},
	{64, "SVCB"}, {65, "HTTPS"}, {252, "AXFR"}, {255, "ANY"},
};

static void write_type(unsigned type, char *text, size_t room)
{
	(void)snprintf(text, room, "TYPE%u", type);
	for (size_t i = 0; i < ARRAY_SIZE(dns_types); i++)
		if (dns_types[i].type == type)
			(void)snprintf(text, room, "%s", dns_types[i].name);
}

static const char *protocol_name(unsigned protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return NULL;
	}
}

static enum protocol_bit protocol_bit(unsigned protocol)
{
	if (protocol == IPPROTO_UDP)
		return PROTOCOL_UDP;
	return protocol == IPPROTO_TCP ? PROTOCOL_TCP : PROTOCOL_ICMP;
}

void explain_destination(const struct denial_key *what, const char *name,
			 struct json_writer *writer)
{
	struct ip_address address;
	char text[ADDRESS_TEXT_MAX];

	memcpy(address.bytes, what->address, sizeof(address.bytes));
	address_format(&address, text);
	json_key_string(writer, "address", text);
	json_key_unsigned(writer, "port", what->port);
	json_key_string(writer, "proto", protocol_name(what->protocol));
	json_key_string(writer, "name", name[0] ? name : NULL);
}

static void write_subject(const struct denial_key *what, const char *name,
			  struct explanation *explanation)
{
	char socket[48], type[16];
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	if (explain_is_task(what->kind)) {
		explain_task_subject(what, name, &writer);
	} else if (what->kind == EVENT_SOCKET) {
		(void)snprintf(socket, sizeof(socket), "%s %s, protocol %u",
			       what->family == AF_INET6 ? "inet6" : "inet",
			       what->detail == SOCK_RAW ? "raw" : "socket", what->protocol);
		json_key_string(&writer, "socket", socket);
	} else if (what->family == AF_UNIX) {
		json_key_string(&writer, "unix", name[0] ? name : NULL);
	} else {
		explain_destination(what, name, &writer);
	}
	if (what->kind == EVENT_DNS && what->detail) {
		write_type(what->detail, type, sizeof(type));
		json_key_string(&writer, "type", type);
	}
	json_close_object(&writer);
	(void)snprintf(explanation->subject, sizeof(explanation->subject), "%s",
		       json_writer_text(&writer) ? json_writer_text(&writer) : "null");
}

/* The rule is the one that grants the name. */
static void explain_internal(const struct denial_key *what, const char *name,
			     struct verdict *verdict)
{
	char text[ADDRESS_TEXT_MAX];
	struct ip_address address;

	memcpy(address.bytes, what->address, sizeof(address.bytes));
	address_format(&address, text);
	verdict->kind = VERDICT_DENY;
	verdict->reason = "internal-address";
	(void)snprintf(
		verdict->message, sizeof(verdict->message),
		"the answer for %.260s has the internal address %s: a host name opens it only "
		"together with a rule for the address",
		name, text);
	verdict->hint_op[0] = '\0';
}

static void ask(const struct denial_key *what, const char *name, const struct policy *policy,
		const char *tool, struct verdict *verdict)
{
	struct request request = {.tool = tool};

	if (what->kind == EVENT_SOCKET) {
		request.kind = REQUEST_SOCKET;
		request.family = "raw";
	} else if (what->family == AF_UNIX) {
		request.kind = REQUEST_UNIX;
		request.path = name;
	} else if (what->kind == EVENT_LISTEN) {
		request.kind = REQUEST_LISTEN;
		memcpy(request.listen.address.bytes, what->address, ADDRESS_BYTES);
		request.listen.port = what->port;
	} else if (what->kind == EVENT_DNS) {
		request.kind = REQUEST_DNS;
		request.dns.name = name;
	} else {
		request.kind = REQUEST_CONNECT;
		memcpy(request.connect.address.bytes, what->address, ADDRESS_BYTES);
		request.connect.port = what->port;
		request.connect.protocol = protocol_bit(what->protocol);
		request.connect.name = name[0] ? name : NULL;
	}
	policy_decide(policy, &request, verdict);
}

/* Asked as a connection under that name, the decision core has told which rule grants it, or what
 * would. Granted: then it is what was sent that is wrong, and the rule could do without. */
static void explain_server_name(const char *name, bool granted, struct verdict *verdict)
{
	if (!granted) {
		(void)snprintf(verdict->message, sizeof(verdict->message),
			       "the TLS server name %.260s is none that a rule grants for this "
			       "address",
			       name);
		return;
	}
	(void)snprintf(verdict->hint_op, sizeof(verdict->hint_op), "add");
	(void)snprintf(verdict->hint_path, sizeof(verdict->hint_path), "%.480s/sni", verdict->rule);
	(void)snprintf(verdict->hint_value, sizeof(verdict->hint_value), "\"ignore\"");
}

/* What a manifest can't say. */
static void explain_unix(struct verdict *verdict)
{
	*verdict = (struct verdict){.kind = VERDICT_DENY, .reason = "unix"};
	(void)snprintf(verdict->message, sizeof(verdict->message),
		       "the address is none that a pattern grants: it could not be read, or an "
		       "abstract name has NULs (shown as \"@\")");
}

/* The name is forgotten, the denial is not: a hint would name nothing. */
static void explain_unknown_name(struct verdict *verdict)
{
	verdict->hint_op[0] = '\0';
	(void)snprintf(
		verdict->message, sizeof(verdict->message),
		"no rule grants the name that was asked for; a record before this one has it");
}

/* The rule stays: the one that grants it otherwise, or the list in which one is missing. */
static void name_own_reason(enum event_reason reason, struct verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_reasons); i++) {
		if (own_reasons[i].reason != reason)
			continue;
		verdict->kind = VERDICT_DENY;
		verdict->reason = own_reasons[i].name;
		if (reason != REASON_SNI)
			verdict->hint_op[0] = '\0';
		if (reason == REASON_PACKET || reason == REASON_NO_POLICY)
			verdict->rule[0] = '\0';
		(void)snprintf(verdict->message, sizeof(verdict->message), "%s",
			       own_reasons[i].message);
	}
}

void explain_exe(pid_t pid, const char *command, char *exe)
{
	char link[64];
	ssize_t length;

	exe[0] = '\0';
	if (pid <= 0)
		return;
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	length = readlink(link, exe, EXE_ROOM - 1);
	if (length > 0)
		exe[length] = '\0';
	else if (command[0])
		(void)snprintf(exe, EXE_ROOM, "[%.15s]", command);
}

/* What the cgroup's hooks have said of a socket or a packet. True where the core grants it. */
static bool explain_network(const struct event *event, const char *name,
			    const struct policy *policy, const char *tool, struct verdict *verdict)
{
	char path[NAME_TEXT_BYTES + 2];
	bool granted;

	/* A file's name may begin with "@", too. */
	if (event->what.family == AF_UNIX && !(event->what.detail & UNIX_ABSTRACT) &&
	    name[0] == '@') {
		(void)snprintf(path, sizeof(path), "./%.*s", NAME_TEXT_BYTES - 1, name);
		name = path;
	}
	if (policy)
		ask(&event->what, name, policy, tool, verdict);
	granted = verdict->kind == VERDICT_ALLOW;
	name_own_reason(event->what.reason, verdict);
	if (event->what.reason == REASON_INTERNAL)
		explain_internal(&event->what, name, verdict);
	if (event->what.reason == REASON_UNIX &&
	    (granted || !name[0] || (event->what.detail & UNIX_NULS)))
		explain_unix(verdict);
	if (event->what.reason == REASON_SNI && name[0])
		explain_server_name(name, granted, verdict);
	if (event->what.reason == REASON_DNS && !name[0])
		explain_unknown_name(verdict);
	return granted;
}

/* Allowed, and the core does not know why: it can only be one of the target's own resolvers, or by
 * a name that is forgotten by now. */
static const char *rule_of_allowed(const struct event *event)
{
	return !explain_is_task(event->what.kind) && event->what.port == DNS_PORT
		       ? "/network/resolvers"
		       : NULL;
}

void explain_event(const struct event *event, const char *name, const struct policy *policy,
		   const char *tool, struct explanation *explanation, struct audit_record *record)
{
	struct verdict *verdict = &explanation->verdict;
	const bool task = explain_is_task(event->what.kind);
	bool granted = false;

	tool = tool && tool[0] ? tool : NULL;
	*verdict = (struct verdict){.kind = VERDICT_DENY, .reason = "no-policy"};
	if (!task)
		granted = explain_network(event, name, policy, tool, verdict);
	else if (policy)
		granted = explain_task(&event->what, name, policy, tool, verdict);
	write_subject(&event->what, name, explanation);
	explain_exe((pid_t)event->pid, event->command, explanation->exe);
	record->pid = (pid_t)event->pid;
	record->exe = explanation->exe[0] ? explanation->exe : NULL;
	record->kind = task ? explain_task_kind(event->what.kind) : kind_names[event->what.kind];
	record->verdict =
		verdict_name(event->what.verdict == EVENT_ALLOW	       ? VERDICT_ALLOW
			     : event->what.verdict == EVENT_WOULD_DENY ? VERDICT_WOULD_DENY
								       : VERDICT_DENY);
	record->subject = explanation->subject;
	record->count = event->count;
	record->rule = verdict->rule[0] ? verdict->rule : NULL;
	if (event->what.verdict == EVENT_ALLOW) {
		if (!granted)
			record->rule = rule_of_allowed(event);
		return;
	}
	record->reason = verdict->reason;
	record->message = verdict->message[0] ? verdict->message : NULL;
	record->hint_op = verdict->hint_op;
	record->hint_path = verdict->hint_path;
	record->hint_value = verdict->hint_value;
}
