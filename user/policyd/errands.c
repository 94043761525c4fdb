// SPDX-License-Identifier: Apache-2.0
#include "policyd/errands.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "kernel/refusal.h"
#include "kernel/sockets.h"

#define DNS_PORT 53

/* The packet of a resolver on loopback may have been turned to another port (Docker's 127.0.0.11):
 * its socket has the port that it was connected to. */
static int destroy_flow(const struct socket_flow *flow)
{
	struct socket_flow turned = *flow;
	int result = sockets_destroy_flow(flow);

	if (result == 0 || flow->remote_port == DNS_PORT || !address_is_loopback(&flow->remote))
		return result;
	turned.remote_port = DNS_PORT;
	return sockets_destroy_flow(&turned);
}

void errand_run(const struct errand *errand, const char *cgroup_path)
{
	struct socket_flow flow = {
		.pid = (pid_t)errand->pid,
		.cgroup_path = cgroup_path,
		.protocol = errand->kind == ERRAND_RESET ? IPPROTO_TCP : IPPROTO_UDP,
		.local_port = errand->local_port,
		.remote_port = errand->remote_port,
		.cookie = errand->cookie,
	};

	memcpy(flow.local.bytes, errand->local, sizeof(flow.local.bytes));
	memcpy(flow.remote.bytes, errand->remote, sizeof(flow.remote.bytes));
	if (errand->kind == ERRAND_RESET) {
		if (destroy_flow(&flow) == 0)
			return;
		/* Its process has ended; most often it was in this namespace. */
		flow.pid = getpid();
		flow.cgroup_path = NULL;
		(void)!destroy_flow(&flow);
	} else if (errand->kind == ERRAND_REFUSE && errand->pid) {
		(void)!refusal_send(&flow, errand->dns_id);
	}
}
