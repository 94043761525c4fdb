// SPDX-License-Identifier: Apache-2.0
#include "policyd/errands.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "kernel/refusal.h"
#include "kernel/sockets.h"

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
		if (sockets_destroy_flow(&flow) == 0)
			return;
		/* Its process has ended; most often it was in this namespace. */
		flow.pid = getpid();
		flow.cgroup_path = NULL;
		(void)!sockets_destroy_flow(&flow);
	} else if (errand->kind == ERRAND_REFUSE && errand->pid) {
		(void)!refusal_send(&flow, errand->dns_id);
	}
}
