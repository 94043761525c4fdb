// SPDX-License-Identifier: Apache-2.0
#include "kernel/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/array.h"
#include "kernel/diag.h"
#include "kernel/holders.h"

/* A listing of more is no agent's. */
#define SOCKETS_MAX (1U << 20)

struct socket_list {
	struct open_socket *items;
	size_t count, room;
};

struct sockets {
	struct holders holders;
	struct socket_list open;
	struct socket_list outer; /* MPTCP sockets, while their subflows are listed */
	uint64_t space;		  /* which is being listed */
};

static int append(struct socket_list *list, const struct open_socket *socket)
{
	struct open_socket *items;

	if (list->count >= SOCKETS_MAX)
		return -E2BIG;
	items = array_reserve(list->items, &list->room, list->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count++] = *socket;
	return 0;
}

static void set_holder(struct open_socket *socket, const struct holder *holder)
{
	if (!holder)
		return;
	socket->pid = holder->pid;
	socket->task = holder->task;
	socket->descriptor = holder->descriptor;
}

/* ---- what the kernel's tables tell ---- */

/* The MPTCP socket that this is the first subflow of: what the process holds, while the subflow
 * itself is the kernel's. */
static const struct open_socket *find_outer(const struct sockets *sockets,
					    const struct open_socket *socket)
{
	for (size_t i = 0; i < sockets->outer.count; i++) {
		const struct open_socket *outer = &sockets->outer.items[i];

		if (outer->local_port == socket->local_port &&
		    outer->remote_port == socket->remote_port && outer->state == socket->state &&
		    memcmp(&outer->local, &socket->local, sizeof(outer->local)) == 0 &&
		    memcmp(&outer->remote, &socket->remote, sizeof(outer->remote)) == 0)
			return outer;
	}
	return NULL;
}

static int take_listed(const struct open_socket *listed, void *context)
{
	struct sockets *sockets = context;
	struct open_socket socket = *listed;
	const struct open_socket *outer;
	const struct holder *holder;

	/* Its process does not hold a subflow, so that its number is free for this. */
	outer = socket.inode == 0 || !holders_of(&sockets->holders, socket.inode)
			? find_outer(sockets, &socket)
			: NULL;
	if (outer)
		socket.inode = outer->inode;
	holder = holders_of(&sockets->holders, socket.inode);
	/* A cgroup that is not there any more counts as outside: it can't be told from one. */
	socket.foreign = !holders_have_cgroup(&sockets->holders, socket.cgroup);
	if (socket.foreign && !holder)
		return 0;
	socket.space = sockets->space;
	set_holder(&socket, holder);
	return append(&sockets->open, &socket);
}

static int take_outer(const struct open_socket *listed, void *context)
{
	struct sockets *sockets = context;

	if (!holders_of(&sockets->holders, listed->inode))
		return 0;
	return append(&sockets->outer, listed);
}

static int list_space(struct sockets *sockets, struct space *space)
{
	static const struct {
		uint32_t protocol;
		int (*take)(const struct open_socket *listed, void *context);
		bool optional; /* a kernel may come without it */
	} tables[] = {
		{PROTOCOL_MPTCP, take_outer, true}, {IPPROTO_TCP, take_listed, false},
		{IPPROTO_UDP, take_listed, false},  {PROTOCOL_UDPLITE, take_listed, true},
		{IPPROTO_RAW, take_listed, true},
	};
	static const int families[] = {AF_INET, AF_INET6};

	space->diag = diag_open(space->fd);
	if (space->diag < 0)
		return space->diag;
	sockets->space = space->inode;
	sockets->outer.count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (size_t family = 0; family < ARRAY_SIZE(families); family++) {
			int result = diag_list(space->diag, families[family], tables[i].protocol,
					       tables[i].take, sockets);

			if (result < 0 && !(result == -ENOENT && tables[i].optional))
				return result;
		}
	}
	return 0;
}

/* ---- what they don't tell ---- */

static int option_of(int fd, int option)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

static bool is_inet(int fd)
{
	int domain = option_of(fd, SO_DOMAIN);

	return domain == AF_INET || domain == AF_INET6;
}

static int compare_inodes(const void *a, const void *b)
{
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Sorted; NULL where memory ran out. */
static uint32_t *listed_inodes(const struct sockets *sockets)
{
	uint32_t *inodes = calloc(sockets->open.count + 1, sizeof(*inodes));

	for (size_t i = 0; inodes && i < sockets->open.count; i++)
		inodes[i] = sockets->open.items[i].inode;
	if (inodes)
		qsort(inodes, sockets->open.count, sizeof(*inodes), compare_inodes);
	return inodes;
}

/* Calls `look` with a duplicate of each held inet socket that no listing has told of. */
static int each_unlisted(struct sockets *sockets,
			 int (*look)(struct sockets *sockets, const struct holder *holder, int fd))
{
	_cleanup_free_ uint32_t *listed = listed_inodes(sockets);
	int result = listed ? 0 : -ENOMEM;
	uint32_t before = 0;

	for (size_t i = 0; result == 0 && i < sockets->holders.count; i++) {
		const struct holder *holder = &sockets->holders.items[i];
		_cleanup_close_ int fd = -1;

		if (holder->inode == before || bsearch(&holder->inode, listed, sockets->open.count,
						       sizeof(*listed), compare_inodes))
			continue;
		before = holder->inode;
		fd = holder_take(holder); /* one that has gone holds nothing */
		if (fd >= 0 && is_inet(fd))
			result = look(sockets, holder, fd);
	}
	return result;
}

/* A socket lives where it was made, and its process may be elsewhere by now. */
static int add_space_of(struct sockets *sockets, const struct holder *holder, int fd)
{
	int space = ioctl(fd, SIOCGSKNS);

	(void)holder;
	return space < 0 ? -errno : holders_add_space(&sockets->holders, space);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) < 0 ? 0 : cookie;
}

static struct ip_address address_of(const struct sockaddr_storage *name)
{
	struct ip_address address = {{0}};

	if (name->ss_family == AF_INET6) {
		memcpy(address.bytes, &((const struct sockaddr_in6 *)name)->sin6_addr,
		       ADDRESS_BYTES);
		return address;
	}
	address.bytes[10] = address.bytes[11] = 0xff;
	memcpy(address.bytes + 12, &((const struct sockaddr_in *)name)->sin_addr, 4);
	return address;
}

/* Where the kernel has no table of raw sockets: whose one is can't be told then, so it counts as
 * made outside. A peer without a port is not told (net/ipv4/af_inet.c, inet_getname). */
static int add_raw(struct sockets *sockets, const struct holder *holder, int fd)
{
	struct sockaddr_storage local = {0}, remote = {0};
	socklen_t local_length = sizeof(local), remote_length = sizeof(remote);
	struct open_socket socket = {.protocol = IPPROTO_RAW,
				     .inode = holder->inode,
				     .cookie = cookie_of(fd),
				     .foreign = true};

	if (option_of(fd, SO_TYPE) != SOCK_RAW)
		return 0;
	if (getsockname(fd, (struct sockaddr *)&local, &local_length) < 0)
		return -errno;
	remote.ss_family = local.ss_family;
	if (getpeername(fd, (struct sockaddr *)&remote, &remote_length) == 0)
		socket.state = SOCKET_CONNECTED;
	socket.family = local.ss_family;
	socket.local_port = (uint16_t)option_of(fd, SO_PROTOCOL);
	socket.local = address_of(&local);
	socket.remote = address_of(&remote);
	set_holder(&socket, holder);
	return append(&sockets->open, &socket);
}

/* ---- a listing ---- */

static int list_all(struct sockets *sockets)
{
	size_t done = 0;
	int result = 0;

	/* The namespaces of processes, then those of what they hold. */
	for (int round = 0; round < 2 && result == 0; round++) {
		for (; result == 0 && done < sockets->holders.space_count; done++)
			result = list_space(sockets, &sockets->holders.spaces[done]);
		if (result == 0)
			result = each_unlisted(sockets, round == 0 ? add_space_of : add_raw);
	}
	return result;
}

struct sockets *sockets_list(const struct socket_scope *scope, struct error *error)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));
	int result;

	if (!sockets) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	if (holders_find(scope, &sockets->holders, error) == 0) {
		result = list_all(sockets);
		if (result == 0)
			return sockets;
		(void)error_set_errno(error, STATUS_SYSTEM, -result,
				      "cannot list the open sockets of %s (sock_diag; it needs "
				      "CONFIG_INET_DIAG and CAP_NET_ADMIN)",
				      scope->cgroup_path);
	}
	sockets_free(sockets);
	return NULL;
}

void sockets_free(struct sockets *sockets)
{
	if (!sockets)
		return;
	holders_free(&sockets->holders);
	free(sockets->open.items);
	free(sockets->outer.items);
	free(sockets);
}

size_t sockets_count(const struct sockets *sockets)
{
	return sockets->open.count;
}

const struct open_socket *sockets_at(const struct sockets *sockets, size_t index)
{
	return &sockets->open.items[index];
}

/* What SOCK_DESTROY does not know (UDP-Lite; all, where the kernel was built without it): whoever
 * has a descriptor may disconnect it, which ends a TCP connection with a reset and a listener. */
static int disconnect(const struct open_socket *socket)
{
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	_cleanup_close_ int fd = sockets_take(socket);

	if (fd < 0)
		return -EOPNOTSUPP;
	return connect(fd, &nowhere, sizeof(nowhere)) < 0 ? -EOPNOTSUPP : 0;
}

static int diag_of(const struct sockets *sockets, uint64_t space)
{
	for (size_t i = 0; i < sockets->holders.space_count; i++)
		if (sockets->holders.spaces[i].inode == space)
			return sockets->holders.spaces[i].diag;
	return -1;
}

int sockets_destroy(const struct sockets *sockets, const struct open_socket *socket)
{
	int result = socket->listed ? diag_destroy(diag_of(sockets, socket->space), socket)
				    : -EOPNOTSUPP;

	return result == -EOPNOTSUPP ? disconnect(socket) : result;
}

int sockets_take(const struct open_socket *socket)
{
	const struct holder holder = {.inode = socket->inode,
				      .pid = socket->pid,
				      .task = socket->task,
				      .descriptor = socket->descriptor};
	int fd = socket->pid ? holder_take(&holder) : -ENOENT;

	if (fd < 0 || (socket->cookie && cookie_of(fd) == socket->cookie))
		return fd;
	(void)close(fd);
	return -ESTALE;
}
