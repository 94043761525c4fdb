/* SPDX-License-Identifier: Apache-2.0 */
/* A socket that was open before its policy, as a question to the decision core. Pure. */
#ifndef AGENTPOL_POLICYD_JUDGE_H
#define AGENTPOL_POLICYD_JUDGE_H

#include "kernel/sockets.h"
#include "policy/decide.h"

struct judgement {
	const char *kind; /* of the audit record: "connect", "listen", "socket" */
	bool inbound;	  /* granted as what a granted listener has accepted */
	struct verdict verdict;
};

/* `has_listener`: somebody listens where it has its local end. `tool` may be NULL. */
void judge_socket(const struct policy *policy, const char *tool, const struct open_socket *socket,
		  bool has_listener, struct judgement *judgement);

/* Is that the listener that may have accepted this? Both of one network namespace. */
bool judge_is_listener_of(const struct open_socket *listener, const struct open_socket *socket);

/* "tcp", "udp", "udplite", "raw". */
const char *judge_protocol_name(const struct open_socket *socket);

#endif
