// SPDX-License-Identifier: Apache-2.0
/* Endpoints, sockets that don't wait for ever, and a question to a resolver. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#include "attempt.h"

#define ASK_TRIES 3

int endpoint_parse(struct endpoint *endpoint, const char *address, const char *port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&endpoint->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&endpoint->address;
	const uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));

	memset(endpoint, 0, sizeof(*endpoint));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = number;
		endpoint->length = sizeof(*four);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		return -EINVAL;
	six->sin6_family = AF_INET6;
	six->sin6_port = number;
	endpoint->length = sizeof(*six);
	return 0;
}

/* ::ffff:a.b.c.d */
void endpoint_map(struct endpoint *mapped, const struct endpoint *four)
{
	const struct sockaddr_in *from = (const struct sockaddr_in *)&four->address;
	struct sockaddr_in6 *to = (struct sockaddr_in6 *)&mapped->address;

	memset(mapped, 0, sizeof(*mapped));
	to->sin6_family = AF_INET6;
	to->sin6_port = from->sin_port;
	memset(to->sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(to->sin6_addr.s6_addr + 12, &from->sin_addr, 4);
	mapped->length = sizeof(*to);
}

struct sockaddr *to_sockaddr(const struct endpoint *endpoint)
{
	return (struct sockaddr *)(uintptr_t)&endpoint->address;
}

int family_of(const struct endpoint *endpoint)
{
	return endpoint->address.ss_family;
}

uint16_t port_of(const struct endpoint *endpoint)
{
	return ntohs(((const struct sockaddr_in *)&endpoint->address)->sin_port);
}

int open_socket(int family, int type, int protocol)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000,
					 .tv_usec = PATIENCE_MS % 1000 * 1000};
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
	return fd;
}

void tell_port(int fd)
{
	static bool told;
	struct endpoint own = {.length = sizeof(own.address)};

	if (!told && getsockname(fd, to_sockaddr(&own), &own.length) == 0)
		printf("port %u ", port_of(&own));
	told = true;
}

int connect_to(int fd, const struct endpoint *to)
{
	if (connect(fd, to_sockaddr(to), to->length) < 0)
		return -errno;
	tell_port(fd);
	return 0;
}

int open_connected(const struct endpoint *to, int type, int protocol)
{
	int fd = open_socket(family_of(to), type, protocol), result;

	if (fd < 0)
		return fd;
	result = connect_to(fd, to);
	return result < 0 ? result : fd;
}

int send_all(int fd, const void *data, size_t length, int flags)
{
	const uint8_t *at = data;

	while (length > 0) {
		ssize_t sent = send(fd, at, length, flags | MSG_NOSIGNAL);

		if (sent < 0)
			return -errno;
		at += sent;
		length -= (size_t)sent;
	}
	return 0;
}

int send_to(int fd, const struct bytes *bytes, const struct endpoint *to)
{
	return sendto(fd, bytes->at, bytes->length, MSG_NOSIGNAL, to_sockaddr(to), to->length) < 0
		       ? -errno
		       : 0;
}

int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int await_readable(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, PATIENCE_MS) == 1 ? 0 : -ETIMEDOUT;
}

int finish_stream(int fd)
{
	char room[4096];
	ssize_t length;

	(void)shutdown(fd, SHUT_WR);
	do
		length = recv(fd, room, sizeof(room), 0);
	while (length > 0);
	return length < 0 ? -errno : 0;
}

uint16_t internet_checksum(const void *data, size_t length, uint32_t start)
{
	const uint8_t *at = data;
	uint32_t sum = start;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int ask_by_stream(const struct endpoint *resolver, const struct bytes *question)
{
	const uint8_t length[] = {(uint8_t)(question->length >> 8), (uint8_t)question->length};
	int fd = open_socket(family_of(resolver), SOCK_STREAM, 0), result;

	if (fd < 0)
		return fd;
	result = connect(fd, to_sockaddr(resolver), resolver->length) < 0 ? -errno : 0;
	if (result == 0)
		result = send_all(fd, length, sizeof(length), MSG_MORE);
	if (result == 0)
		result = send_all(fd, question->at, question->length, 0);
	if (result == 0)
		result = finish_stream(fd);
	(void)close(fd);
	return result;
}

static int ask_by_datagram(const struct endpoint *resolver, const struct bytes *question)
{
	int fd = open_socket(family_of(resolver), SOCK_DGRAM, 0), result = -ETIMEDOUT;

	if (fd < 0)
		return fd;
	for (int i = 0; i < ASK_TRIES && result == -ETIMEDOUT; i++) {
		result = send_to(fd, question, resolver);
		if (result == 0)
			result = await_readable(fd);
	}
	(void)close(fd);
	return result;
}

int ask(const struct endpoint *resolver, const char *name, unsigned type, bool by_stream)
{
	static __thread struct bytes question;

	question.length = 0;
	dns_put_query(&question, name, type);
	return by_stream ? ask_by_stream(resolver, &question)
			 : ask_by_datagram(resolver, &question);
}
