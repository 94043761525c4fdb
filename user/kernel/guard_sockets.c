// SPDX-License-Identifier: Apache-2.0
#include "kernel/guard_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/diag.h"

/* An end as the kernel takes it; the length. */
static socklen_t fill_place(const struct ip_address *address, uint16_t port,
			    struct sockaddr_in6 *place)
{
	struct sockaddr_in *four = (struct sockaddr_in *)place;

	*place = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	if (!address_is_ipv4(address)) {
		memcpy(&place->sin6_addr, address->bytes, sizeof(place->sin6_addr));
		return sizeof(*place);
	}
	four->sin_family = AF_INET;
	memcpy(&four->sin_addr, address->bytes + 12, sizeof(four->sin_addr));
	return sizeof(*four);
}

#define NO_GROUP 65534 /* nogroup */

/* Without the patience that diag.c's have. */
static int open_stream(int space, int family)
{
	const struct timeval none = {0};
	int fd = space_socket(space, family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	return fd;
}

static int fail(int fd)
{
	int result = -errno;

	(void)close(fd);
	return result;
}

/* On loopback there is no congestion, and what a system's default does about it (bbr sets a timer
 * for each segment) is felt: that much processor time a statement less. */
static void spare_congestion_control(int fd)
{
	static const char plain[] = "reno"; /* in every kernel, and allowed to all: see tcp(7) */

	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof(plain) - 1);
}

int guard_socket_listen(int space, int family, uint16_t *port)
{
	const char *text = family == AF_INET ? "127.0.0.1" : "::1";
	struct sockaddr_in6 place;
	struct ip_address loopback;
	socklen_t length;
	int fd = open_stream(space, family);

	if (fd < 0)
		return fd;
	if (!address_parse(text, &loopback)) {
		errno = EAFNOSUPPORT;
		return fail(fd);
	}
	spare_congestion_control(fd);
	length = fill_place(&loopback, 0, &place);
	/* No SO_REUSEPORT: nobody can listen at its side. */
	if (bind(fd, (struct sockaddr *)&place, length) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&place, &length) < 0)
		return fail(fd);
	*port = ntohs(place.sin6_port);
	return fd;
}

int guard_socket_listen_name(int space, const void *name, size_t size)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};
	const socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	int fd = open_stream(space, AF_UNIX);

	if (fd < 0)
		return fd;
	memcpy(place.sun_path, name, size);
	if (bind(fd, (struct sockaddr *)&place, length) < 0 || listen(fd, SOMAXCONN) < 0)
		return fail(fd);
	return fd;
}

/* The process writes the folders on the way: nothing there leads out of its root. */
static int open_path(pid_t pid, const char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char root[64];
	_cleanup_close_ int folder = -1;
	int fd;

	(void)snprintf(root, sizeof(root), "/proc/%d/root", pid);
	folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/* unix(7): the peer's credentials are the effective ones at connect(2). Groups are not the
 * client's: the kernel has noted the user alone. This process has one thread. */
static int connect_as(int fd, uid_t uid, const struct sockaddr_un *place)
{
	int result = -EPERM;

	if (setegid(NO_GROUP) == 0 && seteuid(uid) == 0)
		result = connect(fd, (const struct sockaddr *)place, sizeof(*place)) < 0 ? -errno
											 : 0;
	/* What can't be root again must not go on as somebody. */
	if (seteuid(0) < 0 || setegid(0) < 0)
		abort();
	return result;
}

int guard_socket_connect_path(pid_t pid, uid_t uid, const char *path)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};
	_cleanup_close_ int target = open_path(pid, path);
	int fd, result;

	if (target < 0)
		return target;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)snprintf(place.sun_path, sizeof(place.sun_path), "/proc/self/fd/%d", target);
	result = connect_as(fd, uid, &place);
	if (result < 0)
		(void)close(fd);
	return result < 0 ? result : fd;
}

int guard_socket_connect(int space, const struct ip_address *address, uint16_t port,
			 bool *connecting)
{
	const int family = address_is_ipv4(address) ? AF_INET : AF_INET6;
	struct sockaddr_in6 place;
	socklen_t length = fill_place(address, port, &place);
	int fd = open_stream(space, family);

	*connecting = false;
	if (fd < 0)
		return fd;
	if (address_is_loopback(address))
		spare_congestion_control(fd);
	if (connect(fd, (struct sockaddr *)&place, length) == 0)
		return fd;
	*connecting = errno == EINPROGRESS;
	return *connecting ? fd : fail(fd);
}

bool guard_socket_is(int space, const struct socket_flow *flow)
{
	struct open_socket found;
	_cleanup_close_ int diag = diag_open(space);

	return diag >= 0 && diag_find(diag, flow, &found) == 0 && found.cookie == flow->cookie;
}
