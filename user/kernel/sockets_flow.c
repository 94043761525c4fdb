// SPDX-License-Identifier: Apache-2.0
/* One connection, for an event loop that can't wait for a listing; and what is left of all. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "kernel/diag.h"
#include "kernel/holders.h"

/* For a flow, of a cgroup whose asking process is gone. */
#define FLOW_PROCESSES_MAX 256
#define FLOW_SPACES_MAX	   8

struct flow_search {
	const struct socket_flow *flow;
	int result;
	size_t processes, space_count;
	uint64_t spaces[FLOW_SPACES_MAX]; /* asked already */
};

static int destroy_in(int space, const struct socket_flow *flow)
{
	struct open_socket found = {0};
	_cleanup_close_ int diag = diag_open(space);
	int result;

	if (diag < 0)
		return diag;
	result = diag_find(diag, flow, &found);
	return result < 0 ? result : diag_destroy(diag, &found);
}

static bool is_new_space(struct flow_search *search, uint64_t inode)
{
	for (size_t i = 0; i < search->space_count; i++)
		if (search->spaces[i] == inode)
			return false;
	search->spaces[search->space_count++] = inode;
	return true;
}

/* Negative when there is no more to look for. */
static int search_with(pid_t pid, void *context)
{
	struct flow_search *search = context;
	char path[64];
	struct stat status;
	_cleanup_close_ int space = -1;

	if (search->space_count == FLOW_SPACES_MAX || search->processes++ == FLOW_PROCESSES_MAX)
		return -ECANCELED;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	space = open(path, O_RDONLY | O_CLOEXEC);
	if (space < 0 || fstat(space, &status) < 0 || !is_new_space(search, status.st_ino))
		return 0;
	search->result = destroy_in(space, search->flow);
	return search->result == -ENOENT ? 0 : -ECANCELED;
}

int sockets_destroy_flow(const struct socket_flow *flow)
{
	struct flow_search search = {.flow = flow, .result = -ESRCH};
	const struct socket_scope scope = {.cgroup_path = flow->cgroup_path};

	if (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP)
		return -EPROTONOSUPPORT;
	if (flow->pid > 0 && search_with(flow->pid, &search) < 0)
		return search.result;
	/* Its answer is the search's. */
	if (flow->cgroup_path)
		(void)!holders_each_process(&scope, search_with, &search);
	return search.result;
}

void sockets_destroy_left(const char *cgroup_path)
{
	const struct socket_scope scope = {.cgroup_path = cgroup_path, .here = true};
	struct error error;
	_cleanup_sockets_ struct sockets *sockets = sockets_list(&scope, &error);

	for (size_t i = 0; sockets && i < sockets_count(sockets); i++)
		if (!sockets_at(sockets, i)->foreign &&
		    sockets_at(sockets, i)->state == SOCKET_CONNECTED)
			(void)!sockets_destroy(sockets, sockets_at(sockets, i));
}
