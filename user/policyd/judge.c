// SPDX-License-Identifier: Apache-2.0
#include "policyd/judge.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/servers.h"

const char *judge_protocol_name(const struct open_socket *socket)
{
	switch (socket->protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case PROTOCOL_UDPLITE:
		return "udplite";
	default:
		return "raw";
	}
}

bool judge_is_listener_of(const struct open_socket *listener, const struct open_socket *socket)
{
	return listener->state == SOCKET_LISTENING && listener->space == socket->space &&
	       listener->local_port == socket->local_port &&
	       (address_is_any(&listener->local) ||
		memcmp(&listener->local, &socket->local, sizeof(socket->local)) == 0);
}

static void ask_listen(const struct policy *policy, const char *tool,
		       const struct open_socket *socket, struct verdict *verdict)
{
	const struct request request = {
		.kind = REQUEST_LISTEN,
		.tool = tool,
		.listen = {.address = socket->local, .port = socket->local_port},
	};

	policy_decide(policy, &request, verdict);
}

static bool is_server(const struct policy *policy, const char *tool,
		      const struct open_socket *socket)
{
	const struct ip_address remote = address_as_destination(socket->remote);

	return servers_find(policy, tool ? policy_find_tool(policy, tool) : NULL, &remote,
			    socket->remote_port, NULL) != NULL;
}

/* What goes to the guard goes to loopback: this is older, and nobody reads its statements. */
static void refuse_unguarded(const struct policy *policy, struct verdict *verdict)
{
	verdict->kind = policy->mode == MODE_AUDIT ? VERDICT_WOULD_DENY : VERDICT_DENY;
	verdict->reason = "sql-guard";
	(void)snprintf(verdict->message, sizeof(verdict->message),
		       "the connection to the tool's server does not go through the guard");
}

static void judge_connection(const struct policy *policy, const char *tool,
			     const struct open_socket *socket, bool has_listener,
			     struct judgement *judgement)
{
	const struct request request = {
		.kind = REQUEST_CONNECT,
		.tool = tool,
		.connect = {.address = socket->remote,
			    .port = socket->remote_port,
			    .protocol =
				    socket->protocol == IPPROTO_UDP ? PROTOCOL_UDP : PROTOCOL_TCP},
	};
	struct verdict accepted;

	judgement->kind = "connect";
	policy_decide(policy, &request, &judgement->verdict);
	if (judgement->verdict.kind == VERDICT_ALLOW && is_server(policy, tool, socket))
		refuse_unguarded(policy, &judgement->verdict);
	if (judgement->verdict.kind == VERDICT_ALLOW || socket->protocol != IPPROTO_TCP ||
	    !has_listener)
		return;
	ask_listen(policy, tool, socket, &accepted);
	if (accepted.kind != VERDICT_ALLOW)
		return;
	judgement->kind = "listen";
	judgement->inbound = true;
	judgement->verdict = accepted;
}

/* What can send anywhere, or anything, is judged by its packets; for one from outside nobody judges
 * them. */
static void refuse_foreign(const struct policy *policy, const struct open_socket *socket,
			   struct verdict *verdict)
{
	*verdict = (struct verdict){.kind = policy->mode == MODE_AUDIT ? VERDICT_WOULD_DENY
								       : VERDICT_DENY,
				    .reason = "foreign"};
	(void)snprintf(
		verdict->message, sizeof(verdict->message),
		"a %s socket that was made outside the cgroup is not held to its policy, and "
		"can send anywhere",
		judge_protocol_name(socket));
}

void judge_socket(const struct policy *policy, const char *tool, const struct open_socket *socket,
		  bool has_listener, struct judgement *judgement)
{
	const struct request raw = {.kind = REQUEST_SOCKET, .tool = tool, .family = "raw"};
	struct verdict *verdict = &judgement->verdict;

	*judgement = (struct judgement){.kind = "socket"};
	/* UDP-Lite needs the grant of raw sockets, too: no rule names it. */
	if (socket->protocol != IPPROTO_TCP && socket->protocol != IPPROTO_UDP) {
		policy_decide(policy, &raw, verdict);
		if (socket->foreign && verdict->kind == VERDICT_ALLOW)
			refuse_foreign(policy, socket, verdict);
		return;
	}
	switch (socket->state) {
	case SOCKET_LISTENING:
		judgement->kind = "listen";
		ask_listen(policy, tool, socket, verdict);
		break;
	case SOCKET_CONNECTED:
		judge_connection(policy, tool, socket, has_listener, judgement);
		break;
	case SOCKET_UNCONNECTED:
		if (socket->foreign)
			refuse_foreign(policy, socket, verdict);
		else
			verdict->kind = VERDICT_ALLOW;
		break;
	}
}
