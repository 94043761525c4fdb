// SPDX-License-Identifier: Apache-2.0
#include "policyd/explain.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

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
};

static const char *const kind_names[] = {
	[EVENT_CONNECT] = "connect",
	[EVENT_LISTEN] = "listen",
	[EVENT_SOCKET] = "socket",
};

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

static void write_subject(const struct denial_key *what, struct explanation *explanation)
{
	struct ip_address address;
	char text[ADDRESS_TEXT_MAX], socket[48];
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	if (what->kind == EVENT_SOCKET) {
		(void)snprintf(socket, sizeof(socket), "%s %s, protocol %u",
			       what->family == AF_INET6 ? "inet6" : "inet",
			       what->socket_type == SOCK_RAW ? "raw" : "socket", what->protocol);
		json_key_string(&writer, "socket", socket);
	} else {
		memcpy(address.bytes, what->address, sizeof(address.bytes));
		address_format(&address, text);
		json_key_string(&writer, "address", text);
		json_key_unsigned(&writer, "port", what->port);
		json_key_string(&writer, "proto", protocol_name(what->protocol));
		json_key_string(&writer, "name", NULL);
	}
	json_close_object(&writer);
	(void)snprintf(explanation->subject, sizeof(explanation->subject), "%s",
		       json_writer_text(&writer) ? json_writer_text(&writer) : "null");
}

static void ask(const struct denial_key *what, const struct policy *policy, const char *tool,
		struct verdict *verdict)
{
	struct request request = {.tool = tool};

	if (what->kind == EVENT_SOCKET) {
		request.kind = REQUEST_SOCKET;
		request.family = "raw";
	} else if (what->kind == EVENT_LISTEN) {
		request.kind = REQUEST_LISTEN;
		memcpy(request.listen.address.bytes, what->address, ADDRESS_BYTES);
		request.listen.port = what->port;
	} else {
		request.kind = REQUEST_CONNECT;
		memcpy(request.connect.address.bytes, what->address, ADDRESS_BYTES);
		request.connect.port = what->port;
		request.connect.protocol = protocol_bit(what->protocol);
	}
	policy_decide(policy, &request, verdict);
}

static void name_own_reason(enum event_reason reason, struct verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_reasons); i++) {
		if (own_reasons[i].reason != reason)
			continue;
		*verdict = (struct verdict){.kind = VERDICT_DENY, .reason = own_reasons[i].name};
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

void explain_event(const struct event *event, const struct policy *policy, const char *tool,
		   struct explanation *explanation, struct audit_record *record)
{
	struct verdict *verdict = &explanation->verdict;

	*verdict = (struct verdict){.kind = VERDICT_DENY, .reason = "no-policy"};
	if (policy)
		ask(&event->what, policy, tool && tool[0] ? tool : NULL, verdict);
	name_own_reason(event->what.reason, verdict);
	write_subject(&event->what, explanation);
	explain_exe((pid_t)event->pid, event->command, explanation->exe);
	record->pid = (pid_t)event->pid;
	record->exe = explanation->exe[0] ? explanation->exe : NULL;
	record->kind = kind_names[event->what.kind];
	record->verdict =
		verdict_name(event->what.verdict == EVENT_ALLOW	       ? VERDICT_ALLOW
			     : event->what.verdict == EVENT_WOULD_DENY ? VERDICT_WOULD_DENY
								       : VERDICT_DENY);
	record->subject = explanation->subject;
	record->count = event->count;
	record->rule = verdict->rule[0] ? verdict->rule : NULL;
	if (event->what.verdict == EVENT_ALLOW)
		return;
	record->reason = verdict->reason;
	record->message = verdict->message[0] ? verdict->message : NULL;
	record->hint_op = verdict->hint_op;
	record->hint_path = verdict->hint_path;
	record->hint_value = verdict->hint_value;
}
