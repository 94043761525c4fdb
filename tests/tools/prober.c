// SPDX-License-Identifier: Apache-2.0
/*
 * What the end-to-end tests try from inside a policy, and what watches at the far end.
 *
 *   prober WAY ADDRESS PORT TOKEN [MORE...]   tries to get TOKEN to ADDRESS PORT, in one way
 *   prober serve DIR PORT...                  writes what arrives, a line each, to DIR/arrived
 *   prober TOOL ...                           see `tools` at the end
 *
 * Exit code: 0 the kernel let it; 1 it was refused, the errno is printed; 2 not possible on this
 * kernel or called wrongly. A token starts with "tk-".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/tools/uring.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define TOKEN_START	  "tk-"
#define TOKEN_MAX	  64
#define CALL_TIMEOUT_S	  2  /* a connect whose packets are dropped ends after this */
#define WHOLE_TIMEOUT_S	  10 /* of an attempt: no test hangs */
#define ACCEPT_TIMEOUT_MS 2000
#define FRAGMENTED_BYTES  4000 /* more than a veth's 1,500 */
#define PACKET_BYTES_MAX  65536

enum { LET = 0, REFUSED = 1, IMPOSSIBLE = 2 };

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

struct attempt {
	struct endpoint to;
	const char *address; /* as written */
	uint16_t port;
	const char *token;
	char **more; /* NULL-terminated: what a way takes besides */
};

/* ---- endpoints ---- */

static uint16_t parse_port(const char *text)
{
	return (uint16_t)strtoul(text, NULL, 10);
}

static int endpoint_parse(struct endpoint *endpoint, const char *address, uint16_t port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&endpoint->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&endpoint->address;

	memset(endpoint, 0, sizeof(*endpoint));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		endpoint->length = sizeof(*four);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		return -EINVAL;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	endpoint->length = sizeof(*six);
	return 0;
}

static struct sockaddr *to_sockaddr(const struct endpoint *endpoint)
{
	return (struct sockaddr *)(uintptr_t)&endpoint->address;
}

static int family_of(const struct endpoint *endpoint)
{
	return endpoint->address.ss_family;
}

static struct in_addr address4(const struct endpoint *endpoint)
{
	return ((const struct sockaddr_in *)&endpoint->address)->sin_addr;
}

/* The endpoint that MORE names from its word `at` on: ADDRESS PORT. */
static int more_endpoint(const struct attempt *attempt, size_t at, struct endpoint *endpoint)
{
	for (size_t i = 0; i < at + 2; i++)
		if (!attempt->more[i])
			return -EINVAL;
	return endpoint_parse(endpoint, attempt->more[at], parse_port(attempt->more[at + 1]));
}

/* ::ffff:a.b.c.d */
static int endpoint_mapped(const struct attempt *attempt, struct endpoint *mapped)
{
	char text[INET6_ADDRSTRLEN];

	(void)snprintf(text, sizeof(text), "::ffff:%s", attempt->address);
	return endpoint_parse(mapped, text, attempt->port);
}

/* ---- sockets ---- */

static int open_socket(int family, int type, int protocol)
{
	const struct timeval patience = {.tv_sec = CALL_TIMEOUT_S};
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static int connect_to(int fd, const struct endpoint *to)
{
	return connect(fd, to_sockaddr(to), to->length) < 0 ? -errno : 0;
}

static int send_bytes(int fd, const void *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_bytes_to(int fd, const void *bytes, size_t length, const struct endpoint *to)
{
	return sendto(fd, bytes, length, MSG_NOSIGNAL, to_sockaddr(to), to->length) < 0 ? -errno
											: 0;
}

static int send_token(int fd, const struct attempt *attempt)
{
	return send_bytes(fd, attempt->token, strlen(attempt->token));
}

static int send_token_to(int fd, const struct attempt *attempt, const struct endpoint *to)
{
	return send_bytes_to(fd, attempt->token, strlen(attempt->token), to);
}

/* The far end closes when it has read the token. */
static int wait_for_close(int fd)
{
	char byte;

	(void)shutdown(fd, SHUT_WR);
	return recv(fd, &byte, 1, 0) < 0 ? -errno : 0;
}

/* ---- TCP ---- */

static int stream_through(const struct attempt *attempt, const struct endpoint *to, int protocol)
{
	int fd = open_socket(family_of(to), SOCK_STREAM, protocol), result;

	if (fd < 0)
		return fd;
	result = connect_to(fd, to);
	if (result == 0)
		result = send_token(fd, attempt);
	return result < 0 ? result : wait_for_close(fd);
}

static int try_tcp(const struct attempt *attempt)
{
	return stream_through(attempt, &attempt->to, IPPROTO_TCP);
}

static int try_mptcp(const struct attempt *attempt)
{
	return stream_through(attempt, &attempt->to, IPPROTO_MPTCP);
}

static int try_tcp_mapped(const struct attempt *attempt)
{
	struct endpoint mapped;
	int result = endpoint_mapped(attempt, &mapped);

	return result < 0 ? result : stream_through(attempt, &mapped, IPPROTO_TCP);
}

static int try_tfo_sendto(const struct attempt *attempt)
{
	int fd = open_socket(family_of(&attempt->to), SOCK_STREAM, IPPROTO_TCP);

	if (fd < 0)
		return fd;
	if (sendto(fd, attempt->token, strlen(attempt->token), MSG_FASTOPEN | MSG_NOSIGNAL,
		   to_sockaddr(&attempt->to), attempt->to.length) < 0)
		return -errno;
	return wait_for_close(fd);
}

static int try_tfo_connect(const struct attempt *attempt)
{
	const int on = 1;
	int fd = open_socket(family_of(&attempt->to), SOCK_STREAM, IPPROTO_TCP), result;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) < 0)
		return -errno;
	result = connect_to(fd, &attempt->to);
	if (result == 0)
		result = send_token(fd, attempt);
	return result < 0 ? result : wait_for_close(fd);
}

/* ---- UDP ---- */

static int datagram_to(const struct attempt *attempt, int family, int protocol,
		       const struct endpoint *to)
{
	int fd = open_socket(family, SOCK_DGRAM, protocol);

	return fd < 0 ? fd : send_token_to(fd, attempt, to);
}

static int try_udp_sendto(const struct attempt *attempt)
{
	return datagram_to(attempt, family_of(&attempt->to), 0, &attempt->to);
}

static int try_udplite(const struct attempt *attempt)
{
	return datagram_to(attempt, family_of(&attempt->to), IPPROTO_UDPLITE, &attempt->to);
}

static int try_udp_mapped(const struct attempt *attempt)
{
	struct endpoint mapped;
	int result = endpoint_mapped(attempt, &mapped);

	return result < 0 ? result : datagram_to(attempt, AF_INET6, 0, &mapped);
}

/* An IPv4 address as it is, on an IPv6 socket. */
static int try_udp_inet_on_inet6(const struct attempt *attempt)
{
	return datagram_to(attempt, AF_INET6, 0, &attempt->to);
}

/* Linux takes AF_UNSPEC for AF_INET here (net/ipv4/udp.c, udp_sendmsg). */
static int try_udp_afunspec(const struct attempt *attempt)
{
	struct endpoint unspecified = attempt->to;

	unspecified.address.ss_family = AF_UNSPEC;
	return datagram_to(attempt, AF_INET, 0, &unspecified);
}

static int try_udp_connect(const struct attempt *attempt)
{
	int fd = open_socket(family_of(&attempt->to), SOCK_DGRAM, 0), result;

	if (fd < 0)
		return fd;
	result = connect_to(fd, &attempt->to);
	return result < 0 ? result : send_token(fd, attempt);
}

/* Two messages by one call: the first to the endpoint of MORE, the second carries the token. */
static int try_udp_sendmmsg(const struct attempt *attempt)
{
	struct endpoint first;
	struct iovec pieces[] = {
		{.iov_base = (char[]){"first"}, .iov_len = 5},
		{.iov_base = (void *)(uintptr_t)attempt->token, .iov_len = strlen(attempt->token)},
	};
	struct mmsghdr messages[2] = {0};
	int fd, sent;

	if (more_endpoint(attempt, 0, &first) < 0)
		return -EINVAL;
	fd = open_socket(family_of(&attempt->to), SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		const struct endpoint *to = i ? &attempt->to : &first;

		messages[i].msg_hdr = (struct msghdr){.msg_name = to_sockaddr(to),
						      .msg_namelen = to->length,
						      .msg_iov = &pieces[i],
						      .msg_iovlen = 1};
	}
	sent = sendmmsg(fd, messages, 2, MSG_NOSIGNAL);
	if (sent == 1)
		sent = sendmmsg(fd, messages + 1, 1, MSG_NOSIGNAL); /* asks for its errno */
	return sent < 0 ? -errno : 0;
}

/* A socket that is connected to the endpoint of MORE. */
static int open_connected_elsewhere(const struct attempt *attempt)
{
	struct endpoint elsewhere;
	int fd, result;

	if (more_endpoint(attempt, 0, &elsewhere) < 0)
		return -EINVAL;
	fd = open_socket(family_of(&elsewhere), SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	result = connect_to(fd, &elsewhere);
	if (result == 0)
		result = send_bytes(fd, "first", 5);
	return result < 0 ? result : fd;
}

static int try_reconnect_udp(const struct attempt *attempt)
{
	int fd = open_connected_elsewhere(attempt), result;

	if (fd < 0)
		return fd;
	result = connect_to(fd, &attempt->to);
	return result < 0 ? result : send_token(fd, attempt);
}

static int try_udp_connected_sendto(const struct attempt *attempt)
{
	int fd = open_connected_elsewhere(attempt);

	return fd < 0 ? fd : send_token_to(fd, attempt, &attempt->to);
}

static int try_fragment(const struct attempt *attempt)
{
	char bytes[FRAGMENTED_BYTES] = {0};
	int fd = open_socket(family_of(&attempt->to), SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	(void)snprintf(bytes, sizeof(bytes), "%s", attempt->token);
	return send_bytes_to(fd, bytes, sizeof(bytes), &attempt->to);
}

/* ---- headers that send a packet elsewhere than its address says ---- */

static int datagram_with_option(const struct attempt *attempt, int level, int name,
				const void *option, size_t length)
{
	int fd = open_socket(family_of(&attempt->to), SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, level, name, option, (socklen_t)length) < 0)
		return -errno;
	return send_token_to(fd, attempt, &attempt->to);
}

/* Loose source route by the address in MORE: that is where the packet goes first. */
static int try_ip_options(const struct attempt *attempt)
{
	uint8_t route[8] = {IPOPT_NOP, IPOPT_LSRR, 7, 4};

	if (!attempt->more[0] || inet_pton(AF_INET, attempt->more[0], route + 4) != 1)
		return -EINVAL;
	return datagram_with_option(attempt, IPPROTO_IP, IP_OPTIONS, route, sizeof(route));
}

/* A segment routing header (RFC 8754), which needs no privilege, by the address in MORE. */
static int try_ipv6_rthdr(const struct attempt *attempt)
{
	struct {
		uint8_t next, length, type, segments_left, last_entry, flags;
		uint16_t tag;
		struct in6_addr segments[2];
	} header = {.length = 4, .type = 4, .segments_left = 1, .last_entry = 1};

	if (!attempt->more[0] || inet_pton(AF_INET6, attempt->more[0], &header.segments[1]) != 1)
		return -EINVAL;
	return datagram_with_option(attempt, IPPROTO_IPV6, IPV6_RTHDR, &header, sizeof(header));
}

/* Six bytes of padding. */
static int try_ipv6_dstopts(const struct attempt *attempt)
{
	const uint8_t header[8] = {0, 0, 1, 4};

	return datagram_with_option(attempt, IPPROTO_IPV6, IPV6_DSTOPTS, header, sizeof(header));
}

/* ---- ICMP, raw, packet ---- */

static uint16_t checksum(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

struct echo {
	struct icmphdr header;
	char token[TOKEN_MAX];
};

static int send_echo(const struct attempt *attempt, int type)
{
	const bool six = family_of(&attempt->to) == AF_INET6;
	struct endpoint to = attempt->to;
	struct echo echo = {.header = {.type = six ? 128 : ICMP_ECHO}};
	int fd = open_socket(family_of(&to), type, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	if (fd < 0)
		return fd;
	/* A raw IPv6 socket takes its port for a protocol. */
	((struct sockaddr_in *)&to.address)->sin_port = 0;
	(void)snprintf(echo.token, sizeof(echo.token), "%s", attempt->token);
	echo.header.un.echo.id = htons((uint16_t)getpid());
	echo.header.checksum = six ? 0 : checksum(&echo, sizeof(echo));
	return send_bytes_to(fd, &echo, sizeof(echo), &to);
}

static int try_ping_socket(const struct attempt *attempt)
{
	return send_echo(attempt, SOCK_DGRAM);
}

static int try_raw_icmp(const struct attempt *attempt)
{
	return send_echo(attempt, SOCK_RAW);
}

struct raw_datagram {
	struct iphdr ip;
	struct udphdr udp;
	char token[TOKEN_MAX];
} __attribute__((packed));

static void fill_datagram(const struct attempt *attempt, struct raw_datagram *packet)
{
	*packet = (struct raw_datagram){
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_UDP,
		       .tot_len = htons(sizeof(*packet)),
		       .daddr = address4(&attempt->to).s_addr},
		.udp = {.uh_sport = htons(40000),
			.uh_dport = htons(attempt->port),
			.uh_ulen = htons(sizeof(*packet) - sizeof(packet->ip))},
	};
	(void)snprintf(packet->token, sizeof(packet->token), "%s", attempt->token);
}

static int try_raw_hdrincl(const struct attempt *attempt)
{
	struct raw_datagram packet;
	int fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		return fd;
	fill_datagram(attempt, &packet); /* the kernel adds source and checksum */
	return send_bytes_to(fd, &packet, sizeof(packet), &attempt->to);
}

static unsigned first_interface(void)
{
	struct if_nameindex *interfaces = if_nameindex();
	unsigned found = 0;

	for (size_t i = 0; interfaces && interfaces[i].if_index && !found; i++)
		if (strcmp(interfaces[i].if_name, "lo") != 0)
			found = interfaces[i].if_index;
	if (interfaces)
		if_freenameindex(interfaces);
	return found;
}

static int try_packet(const struct attempt *attempt)
{
	struct sockaddr_ll everybody = {.sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_IP),
					.sll_halen = ETH_ALEN,
					.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct raw_datagram packet;
	int fd = open_socket(AF_PACKET, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	everybody.sll_ifindex = (int)first_interface();
	fill_datagram(attempt, &packet);
	packet.ip.saddr = htonl(0x0a4d0001); /* 10.77.0.1, the near end */
	packet.ip.check = checksum(&packet.ip, sizeof(packet.ip));
	if (sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&everybody,
		   sizeof(everybody)) < 0)
		return -errno;
	return 0;
}

/* ---- io_uring ---- */

static int try_iouring_connect(const struct attempt *attempt)
{
	struct uring uring = {.fd = -1};
	struct io_uring_sqe connecting = {.opcode = IORING_OP_CONNECT,
					  .addr = (uintptr_t)&attempt->to.address,
					  .off = attempt->to.length};
	struct io_uring_sqe sending = {.opcode = IORING_OP_SEND,
				       .addr = (uintptr_t)attempt->token,
				       .len = (uint32_t)strlen(attempt->token),
				       .msg_flags = MSG_NOSIGNAL};
	int fd = open_socket(family_of(&attempt->to), SOCK_STREAM, 0), result;

	if (fd < 0)
		return fd;
	result = uring_open(&uring);
	connecting.fd = sending.fd = fd;
	if (result == 0)
		result = uring_do(&uring, &connecting);
	if (result == 0)
		result = uring_do(&uring, &sending);
	return result < 0 ? result : wait_for_close(fd);
}

/* ---- sockets made elsewhere ---- */

/* MORE: the descriptor that was inherited. */
static int try_inherited_fd(const struct attempt *attempt)
{
	return attempt->more[0] ? send_token(atoi(attempt->more[0]), attempt) : -EINVAL;
}

static int open_unix(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return open_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address;
	int fd = open_unix(path, &address);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd;
}

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* MORE: the path where `prober hand-out` gives sockets away. */
static int try_scm_rights(const struct attempt *attempt)
{
	union control control = {0};
	char byte;
	struct iovec piece = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd = attempt->more[0] ? connect_unix(attempt->more[0]) : -EINVAL, given;

	if (fd < 0)
		return fd;
	if (recvmsg(fd, &message, 0) < 0)
		return -errno;
	if (!CMSG_FIRSTHDR(&message))
		return -EBADMSG;
	memcpy(&given, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(given));
	return send_token(given, attempt);
}

/* MORE: process and descriptor that hold a socket outside. */
static int try_pidfd_getfd(const struct attempt *attempt)
{
	int process, taken;

	if (!attempt->more[0] || !attempt->more[1])
		return -EINVAL;
	process = (int)syscall(SYS_pidfd_open, atoi(attempt->more[0]), 0);
	if (process < 0)
		return -errno;
	taken = (int)syscall(SYS_pidfd_getfd, process, atoi(attempt->more[1]), 0);
	return taken < 0 ? -errno : send_token(taken, attempt);
}

/* ---- listening as a way out: here ADDRESS PORT are our own, and port 0 is a free one ---- */

static int tell_port(int fd)
{
	struct endpoint own = {.length = sizeof(own.address)};

	if (getsockname(fd, to_sockaddr(&own), &own.length) < 0)
		return -errno;
	/* In both families the port lies behind the family. */
	printf("listening %u\n", ntohs(((struct sockaddr_in *)&own.address)->sin_port));
	return fflush(stdout) == 0 ? 0 : -EIO;
}

static int open_bound(const struct attempt *attempt, int type)
{
	const int on = 1;
	int fd = open_socket(family_of(&attempt->to), type, 0);

	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, to_sockaddr(&attempt->to), attempt->to.length) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4) < 0))
		return -errno;
	return tell_port(fd) < 0 ? -EIO : fd;
}

static int wait_readable(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, ACCEPT_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static int try_listen_answer(const struct attempt *attempt)
{
	int fd = open_bound(attempt, SOCK_STREAM), result, peer;

	if (fd < 0)
		return fd;
	result = wait_readable(fd);
	if (result < 0)
		return result;
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		return -errno;
	result = send_token(peer, attempt);
	return result < 0 ? result : wait_for_close(peer);
}

static int try_udp_answer(const struct attempt *attempt)
{
	struct endpoint peer = {.length = sizeof(peer.address)};
	int fd = open_bound(attempt, SOCK_DGRAM), result;
	char byte;

	if (fd < 0)
		return fd;
	result = wait_readable(fd);
	if (result < 0)
		return result;
	if (recvfrom(fd, &byte, 1, 0, to_sockaddr(&peer), &peer.length) < 0)
		return -errno;
	return send_token_to(fd, attempt, &peer);
}

static const struct way {
	const char *name;
	int (*attempt)(const struct attempt *attempt);
} ways[] = {
	{"tcp", try_tcp},
	{"tcp-mapped", try_tcp_mapped},
	{"mptcp", try_mptcp},
	{"tfo-sendto", try_tfo_sendto},
	{"tfo-connect", try_tfo_connect},
	{"udp-sendto", try_udp_sendto},
	{"udp-connect", try_udp_connect},
	{"udp-sendmmsg", try_udp_sendmmsg}, /* MORE: granted ADDRESS PORT */
	{"udp-afunspec", try_udp_afunspec},
	{"udp-mapped", try_udp_mapped},
	{"udp-inet-on-inet6", try_udp_inet_on_inet6},
	{"udp-connected-sendto", try_udp_connected_sendto}, /* MORE: granted ADDRESS PORT */
	{"reconnect-udp", try_reconnect_udp},		    /* MORE: granted ADDRESS PORT */
	{"udplite", try_udplite},
	{"fragment", try_fragment},
	{"ip-options", try_ip_options}, /* MORE: first hop */
	{"ipv6-rthdr", try_ipv6_rthdr}, /* MORE: first hop */
	{"ipv6-dstopts", try_ipv6_dstopts},
	{"ping-socket", try_ping_socket},
	{"raw-icmp", try_raw_icmp},
	{"raw-hdrincl", try_raw_hdrincl},
	{"packet", try_packet},
	{"iouring-connect", try_iouring_connect},
	{"inherited-fd", try_inherited_fd}, /* MORE: descriptor */
	{"scm-rights", try_scm_rights},	    /* MORE: path */
	{"pidfd-getfd", try_pidfd_getfd},   /* MORE: process, descriptor */
	{"listen-answer", try_listen_answer},
	{"udp-answer", try_udp_answer},
};

/* ---- the far end ---- */

enum source_kind { SOURCE_PACKETS, SOURCE_DATAGRAMS, SOURCE_LISTENER, SOURCE_STREAM };

struct source {
	enum source_kind kind;
	int fd;
	uint16_t port;
	uint16_t peer_port; /* of a stream */
};

struct server {
	int arrived; /* the file */
	int waiting; /* epoll */
};

/* What a captured packet says of itself. */
struct seen {
	char address[INET6_ADDRSTRLEN];
	unsigned protocol;
	uint16_t port;
	bool continues; /* a later fragment, or TCP but not what asks for a connection */
	bool to_many;	/* multicast: the neighbourhood's own talk */
};

static bool is_of_token(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
}

static bool find_token(const char *bytes, size_t length, char token[TOKEN_MAX])
{
	const char *at = memmem(bytes, length, TOKEN_START, strlen(TOKEN_START));
	size_t used = 0;

	while (at && used < TOKEN_MAX - 1 && at + used < bytes + length && is_of_token(at[used])) {
		token[used] = at[used];
		used++;
	}
	token[used] = '\0';
	return used > 0;
}

static void note(const struct server *server, const char *line)
{
	if (write(server->arrived, line, strlen(line)) < 0)
		perror("arrived");
}

static void note_token(const struct server *server, const char *how, uint16_t port,
		       const char *bytes, ssize_t length)
{
	char token[TOKEN_MAX], line[128];

	if (length <= 0 || !find_token(bytes, (size_t)length, token))
		return;
	(void)snprintf(line, sizeof(line), "%s %u %s\n", how, port, token);
	note(server, line);
}

/* Later fragments carry no ports; in IPv6 a header of its own says so (RFC 8200, 4.5). */
static void look_past_fragmenting(const uint8_t *bytes, size_t length, size_t *header,
				  struct seen *seen)
{
	if (bytes[0] >> 4 == 4) {
		seen->continues = ((bytes[6] & 0x1f) << 8 | bytes[7]) != 0;
	} else if (seen->protocol == IPPROTO_FRAGMENT && length >= *header + 8) {
		seen->protocol = bytes[*header];
		seen->continues = (bytes[*header + 2] << 8 | (bytes[*header + 3] & 0xf8)) != 0;
		*header += 8;
	}
}

static bool look_at_packet(const uint8_t *bytes, size_t length, struct seen *seen)
{
	size_t header;

	*seen = (struct seen){0};
	if (length >= sizeof(struct iphdr) && bytes[0] >> 4 == 4) {
		header = (size_t)(bytes[0] & 15) * 4;
		seen->protocol = bytes[9];
		seen->to_many = bytes[16] >= 224 && bytes[16] < 240;
		(void)inet_ntop(AF_INET, bytes + 16, seen->address, sizeof(seen->address));
	} else if (length >= sizeof(struct ip6_hdr) && bytes[0] >> 4 == 6) {
		header = sizeof(struct ip6_hdr);
		seen->protocol = bytes[6];
		seen->to_many = bytes[24] == 0xff;
		(void)inet_ntop(AF_INET6, bytes + 24, seen->address, sizeof(seen->address));
	} else {
		return false;
	}
	look_past_fragmenting(bytes, length, &header, seen);
	if (seen->continues || length < header + sizeof(struct udphdr))
		return true;
	if (seen->protocol == IPPROTO_TCP || seen->protocol == IPPROTO_UDP ||
	    seen->protocol == IPPROTO_UDPLITE)
		seen->port = (uint16_t)(bytes[header + 2] << 8 | bytes[header + 3]);
	if (seen->protocol == IPPROTO_TCP && length > header + 13)
		seen->continues = (bytes[header + 13] & 0x12) != 0x02; /* SYN without ACK */
	return true;
}

static const char *protocol_name(unsigned protocol, char room[8])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		(void)snprintf(room, 8, "%u", protocol);
		return room;
	}
}

/* Neighbour discovery is the link's, not the agent's: RFC 4861. */
static bool is_neighbour_talk(const uint8_t *bytes, const struct seen *seen)
{
	return seen->protocol == IPPROTO_ICMPV6 && bytes[sizeof(struct ip6_hdr)] >= 133 &&
	       bytes[sizeof(struct ip6_hdr)] <= 137;
}

static void take_packet(const struct server *server, const struct source *source)
{
	static uint8_t bytes[PACKET_BYTES_MAX];
	struct sockaddr_ll from;
	socklen_t room = sizeof(from);
	ssize_t length =
		recvfrom(source->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &room);
	char token[TOKEN_MAX], number[8], line[192];
	struct seen seen;
	bool tokened;

	if (length <= 0 || from.sll_pkttype == PACKET_OUTGOING ||
	    !look_at_packet(bytes, (size_t)length, &seen))
		return;
	tokened = find_token((const char *)bytes, (size_t)length, token);
	if (!tokened && (seen.continues || seen.to_many || is_neighbour_talk(bytes, &seen)))
		return;
	(void)snprintf(line, sizeof(line), "packet %s %s %u %s\n",
		       protocol_name(seen.protocol, number), seen.address, seen.port,
		       tokened ? token : "-");
	note(server, line);
}

static uint16_t peer_port_of(int fd)
{
	struct endpoint peer = {.length = sizeof(peer.address)};

	if (getpeername(fd, to_sockaddr(&peer), &peer.length) < 0)
		return 0;
	/* In both families the port lies behind the family. */
	return ntohs(((struct sockaddr_in *)&peer.address)->sin_port);
}

static int watch(const struct server *server, enum source_kind kind, int fd, uint16_t port)
{
	struct source *source = malloc(sizeof(*source));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	if (!source || fd < 0)
		return fd < 0 ? fd : -ENOMEM;
	*source = (struct source){.kind = kind, .fd = fd, .port = port};
	if (kind == SOURCE_STREAM)
		source->peer_port = peer_port_of(fd);
	return epoll_ctl(server->waiting, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void unwatch(struct source *source)
{
	(void)close(source->fd);
	free(source);
}

/* Ended by a reset: with the port at the other end, by which a test knows whose it was. */
static void note_reset(const struct server *server, const struct source *source)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "reset %u from %u\n", source->port, source->peer_port);
	note(server, line);
}

static void take(const struct server *server, struct source *source)
{
	char bytes[8192];
	ssize_t length;
	int fd;

	switch (source->kind) {
	case SOURCE_PACKETS:
		take_packet(server, source);
		break;
	case SOURCE_DATAGRAMS:
		length = recv(source->fd, bytes, sizeof(bytes), 0);
		note_token(server, "udp", source->port, bytes, length);
		break;
	case SOURCE_LISTENER:
		fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 && watch(server, SOURCE_STREAM, fd, source->port) < 0)
			(void)close(fd);
		break;
	case SOURCE_STREAM:
		length = recv(source->fd, bytes, sizeof(bytes), 0);
		if (length < 0 && errno == ECONNRESET)
			note_reset(server, source);
		note_token(server, "tcp", source->port, bytes, length);
		unwatch(source);
		break;
	}
}

static int open_server_socket(int type, uint16_t port)
{
	const int on = 1, off = 0, queue = 16, room = 1 << 22;
	struct endpoint any;
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || endpoint_parse(&any, "::", port) < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, to_sockaddr(&any), any.length) < 0)
		return -errno;
	if (type == SOCK_DGRAM)
		return fd;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	return listen(fd, SOMAXCONN) < 0 ? -errno : fd;
}

static int open_capture(void)
{
	const int room = 1 << 24;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return fd;
}

static int server_open(struct server *server, const char *folder, char **ports)
{
	char path[4096];
	int result;

	(void)snprintf(path, sizeof(path), "%s/arrived", folder);
	server->arrived = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	server->waiting = epoll_create1(EPOLL_CLOEXEC);
	if (server->arrived < 0 || server->waiting < 0)
		return -errno;
	result = watch(server, SOURCE_PACKETS, open_capture(), 0);
	for (; *ports && result == 0; ports++) {
		uint16_t port = parse_port(*ports);

		result =
			watch(server, SOURCE_LISTENER, open_server_socket(SOCK_STREAM, port), port);
		if (result == 0)
			result = watch(server, SOURCE_DATAGRAMS,
				       open_server_socket(SOCK_DGRAM, port), port);
	}
	return result;
}

/* DIR PORT...; writes "ready" when it listens. */
static int tool_serve(char **words)
{
	struct server server;
	int result = words[0] ? server_open(&server, words[0], words + 1) : -EINVAL;

	if (result < 0)
		return result;
	(void)alarm(0);
	note(&server, "ready\n");
	for (;;) {
		struct epoll_event events[16];
		int count = epoll_wait(server.waiting, events, ARRAY_SIZE(events), -1);

		for (int i = 0; i < count; i++)
			take(&server, events[i].data.ptr);
	}
}

/* ADDRESS PORT [udp]: asks there and prints what is answered. */
static int tool_take(char **words)
{
	const bool udp = words[0] && words[1] && words[2] && strcmp(words[2], "udp") == 0;
	struct endpoint to;
	char bytes[TOKEN_MAX];
	ssize_t length;
	int fd, result;

	if (!words[0] || !words[1] || endpoint_parse(&to, words[0], parse_port(words[1])) < 0)
		return -EINVAL;
	fd = open_socket(family_of(&to), udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0)
		return fd;
	result = connect_to(fd, &to);
	if (result == 0 && udp)
		result = send_bytes(fd, "x", 1);
	if (result < 0)
		return result;
	length = recv(fd, bytes, sizeof(bytes), 0);
	if (length < 0)
		return -errno;
	printf("%.*s\n", (int)length, bytes);
	return 0;
}

/* ---- helpers outside the policy ---- */

static int open_connected(char **words)
{
	struct endpoint to;
	int fd, result;

	if (!words[0] || !words[1] || endpoint_parse(&to, words[0], parse_port(words[1])) < 0)
		return -EINVAL;
	fd = open_socket(family_of(&to), SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	result = connect_to(fd, &to);
	return result < 0 ? result : fd;
}

/* FD ADDRESS PORT COMMAND...: the command gets a connected UDP socket as FD. */
static int tool_with_fd(char **words)
{
	int fd;

	if (!words[0] || !words[1] || !words[2] || !words[3])
		return -EINVAL;
	fd = open_connected(words + 1);
	if (fd < 0)
		return fd;
	if (dup2(fd, atoi(words[0])) < 0)
		return -errno;
	(void)execvp(words[3], words + 3);
	return -errno;
}

static int give_away(int peer, int fd)
{
	union control control = {0};
	struct iovec piece = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fd)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(peer, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* PATH ADDRESS PORT: holds a connected UDP socket, prints its number, and gives it to whoever
 * connects to PATH. */
static int tool_hand_out(char **words)
{
	struct sockaddr_un address;
	int fd, listener;

	if (!words[0])
		return -EINVAL;
	fd = open_connected(words + 1);
	listener = open_unix(words[0], &address);
	if (fd < 0 || listener < 0)
		return fd < 0 ? fd : listener;
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(words[0], 0666) < 0 || listen(listener, 4) < 0)
		return -errno;
	(void)alarm(0);
	printf("holding %d\n", fd);
	(void)fflush(stdout);
	for (;;) {
		int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (peer >= 0 && give_away(peer, fd) < 0)
			perror("hand-out");
		if (peer >= 0)
			(void)close(peer);
	}
}

/* PATH [TEXT]: connects, says TEXT and nothing more, and stays. */
static int tool_hang_on(char **words)
{
	int fd = words[0] ? connect_unix(words[0]) : -EINVAL;

	if (fd < 0)
		return fd;
	if (words[1] && send_bytes(fd, words[1], strlen(words[1])) < 0)
		return -errno;
	(void)alarm(0);
	printf("hanging\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

/* ---- sockets that are open before a policy comes ---- */

/* The socket that HOW names, connected to or bound at ADDRESS PORT. */
static int open_held(const char *how, const struct endpoint *end)
{
	static const struct {
		const char *how;
		int type, protocol;
		bool bound;
	} kinds[] = {
		{"tcp", SOCK_STREAM, 0, false},
		{"mptcp", SOCK_STREAM, IPPROTO_MPTCP, false},
		{"listen", SOCK_STREAM, 0, true},
		{"udp", SOCK_DGRAM, 0, false},
		{"udp-bound", SOCK_DGRAM, 0, true},
		{"udplite", SOCK_DGRAM, IPPROTO_UDPLITE, false},
		{"raw", SOCK_RAW, IPPROTO_ICMP, false},
	};
	const int on = 1;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd, result;

		if (strcmp(how, kinds[i].how) != 0)
			continue;
		fd = open_socket(family_of(end), kinds[i].type, kinds[i].protocol);
		if (fd < 0 || !kinds[i].bound) {
			result = fd < 0 ? fd : connect_to(fd, end);
			return result < 0 ? result : fd;
		}
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		if (bind(fd, to_sockaddr(end), end->length) < 0 ||
		    (kinds[i].type == SOCK_STREAM && listen(fd, 4) < 0))
			return -errno;
		return fd;
	}
	return -EINVAL;
}

static int tell_held(int fd)
{
	struct endpoint own = {.length = sizeof(own.address)};

	if (getsockname(fd, to_sockaddr(&own), &own.length) < 0)
		return -errno;
	printf("open %u\n", ntohs(((struct sockaddr_in *)&own.address)->sin_port));
	return fflush(stdout) == 0 ? 0 : -EIO;
}

struct held {
	int fd;
	int listener; /* from which `fd` was accepted; -1: none */
};

static int accept_held(struct held *held)
{
	int peer;

	if (held->listener < 0)
		held->listener = held->fd;
	peer = accept4(held->listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		return -errno;
	held->fd = peer;
	return 0;
}

static int wait_held(const struct held *held)
{
	char byte;
	int result = wait_readable(held->fd);

	if (result < 0)
		return result;
	return recv(held->fd, &byte, 1, 0) < 0 ? -errno : 0;
}

/* One line of a test's: TOKEN is sent; TOKEN ADDRESS PORT is sent there; "wait" until the socket
 * has something to tell; "accept" a peer, to whom tokens go from then on. */
static int do_line(struct held *held, char *line)
{
	char *word = strtok(line, " \n"), *address = strtok(NULL, " \n"),
	     *port = strtok(NULL, " \n");
	struct endpoint to;

	if (!word)
		return -EINVAL;
	if (strcmp(word, "wait") == 0)
		return wait_held(held);
	if (strcmp(word, "accept") == 0)
		return accept_held(held);
	if (!address || !port)
		return send_bytes(held->fd, word, strlen(word));
	if (endpoint_parse(&to, address, parse_port(port)) < 0)
		return -EINVAL;
	return send_bytes_to(held->fd, word, strlen(word), &to);
}

static int obey(int fd)
{
	struct held held = {.fd = fd, .listener = -1};
	char line[128];

	(void)alarm(0);
	while (fgets(line, sizeof(line), stdin)) {
		int result = do_line(&held, line);

		printf("%s\n", result < 0 ? strerrorname_np(-result) : "done");
		(void)fflush(stdout);
	}
	return 0;
}

/* HOW ADDRESS PORT: opens it, prints "open" and its own port, and does what lines of standard input
 * ask for, each answered by "done" or the errno. */
static int tool_hold(char **words)
{
	struct endpoint end;
	int fd, result;

	if (!words[0] || !words[1] || !words[2] ||
	    endpoint_parse(&end, words[1], parse_port(words[2])) < 0)
		return -EINVAL;
	fd = open_held(words[0], &end);
	result = fd < 0 ? fd : tell_held(fd);
	return result < 0 ? result : obey(fd);
}

/* FD: the same with a descriptor that was inherited. */
static int tool_hold_fd(char **words)
{
	int fd = words[0] ? atoi(words[0]) : -EINVAL, result;

	result = fd < 0 ? fd : tell_held(fd);
	return result < 0 ? result : obey(fd);
}

/* HOW ADDRESS PORT FD COMMAND...: opens it, and the command gets it as FD. */
static int tool_hand_down(char **words)
{
	struct endpoint end;
	int fd;

	for (size_t i = 0; i < 5; i++)
		if (!words[i])
			return -EINVAL;
	if (endpoint_parse(&end, words[1], parse_port(words[2])) < 0)
		return -EINVAL;
	fd = open_held(words[0], &end);
	if (fd < 0)
		return fd;
	if (dup2(fd, atoi(words[3])) < 0)
		return -errno;
	(void)alarm(0);
	(void)execvp(words[4], words + 4);
	return -errno;
}

/* ---- attempts without a network ---- */

/* PID */
static int tool_ptrace(char **words)
{
	if (!words[0])
		return -EINVAL;
	return ptrace(PTRACE_SEIZE, atoi(words[0]), NULL, NULL) < 0 ? -errno : 0;
}

/* PATH */
static int tool_connect_unix(char **words)
{
	int fd = words[0] ? connect_unix(words[0]) : -EINVAL;

	return fd < 0 ? fd : 0;
}

/* ---- Unix sockets ---- */

/* "stream", "datagram", "packets"; -EINVAL for another word. */
static int unix_type(const char *word)
{
	if (word && strcmp(word, "stream") == 0)
		return SOCK_STREAM;
	if (word && strcmp(word, "datagram") == 0)
		return SOCK_DGRAM;
	return word && strcmp(word, "packets") == 0 ? SOCK_SEQPACKET : -EINVAL;
}

/* "@name" is abstract; a file by such a name is "./@name". The address's length. */
static socklen_t unix_address(const char *name, struct sockaddr_un *address)
{
	size_t length = strnlen(name, sizeof(address->sun_path));

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* stream|datagram|packets NAME: connects, and sends a datagram; "sendto" NAME: sends one without.
 */
static int tool_unix(char **words)
{
	const bool plain = words[0] && strcmp(words[0], "sendto") == 0;
	const int type = plain ? SOCK_DGRAM : unix_type(words[0]);
	struct sockaddr_un address;
	socklen_t length;
	int fd;

	if (type < 0 || !words[1])
		return -EINVAL;
	length = unix_address(words[1], &address);
	fd = open_socket(AF_UNIX, type, 0);
	if (fd < 0)
		return fd;
	if (plain)
		return sendto(fd, "x", 1, 0, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
	if (connect(fd, (struct sockaddr *)&address, length) < 0)
		return -errno;
	return type == SOCK_DGRAM ? send_bytes(fd, "x", 1) : 0;
}

/* A socket of that type at that name; -errno. */
static int bind_unix(int type, const char *name)
{
	struct sockaddr_un address;
	const socklen_t length = unix_address(name, &address);
	int fd = type < 0 ? type : open_socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    (type != SOCK_DGRAM && listen(fd, 64) < 0))
		return -errno;
	return fd;
}

/* TYPE NAME...: has sockets there until it is killed, and throws away what comes. */
static int tool_serve_unix(char **words)
{
	struct pollfd served[32];
	nfds_t count = 0;

	(void)alarm(0);
	for (; words[0] && words[1] && count < ARRAY_SIZE(served); words += 2) {
		const int fd = bind_unix(unix_type(words[0]), words[1]);

		if (fd < 0)
			return fd;
		served[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	printf("open\n");
	(void)fflush(stdout);
	while (poll(served, count, -1) > 0) {
		for (nfds_t i = 0; i < count; i++) {
			char byte;
			int peer = served[i].revents ? accept(served[i].fd, NULL, NULL) : -1;

			if (peer >= 0)
				(void)close(peer);
			else if (served[i].revents)
				(void)recv(served[i].fd, &byte, 1, MSG_DONTWAIT);
		}
	}
	return -errno;
}

/* PATH: opens it to write, and writes nothing. */
static int tool_open_write(char **words)
{
	if (!words[0])
		return -EINVAL;
	return open(words[0], O_WRONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

/* ---- many verdicts ---- */

static volatile sig_atomic_t stopping;

struct tally {
	unsigned long let;     /* denied, and yet it was let */
	unsigned long refused; /* granted, and yet it was refused */
	unsigned long rounds;
};

static void count_denied(struct tally *tally, int result)
{
	tally->let += result != -EPERM;
}

static void count_granted(struct tally *tally, int result)
{
	/* The signal that ends the loop may cut off an attempt; that is nobody's verdict. */
	if (!stopping)
		tally->refused += result != 0;
}

static int print_tally(const struct tally *tally)
{
	printf("rounds=%lu let=%lu refused=%lu\n", tally->rounds, tally->let, tally->refused);
	return tally->let || tally->refused ? -EPROTO : 0;
}

/* N ADDRESS PORT: N connects of a UDP socket, in turn to the granted endpoint and to a denied one
 * that is another each time. */
static int tool_flood(char **words)
{
	struct tally tally = {0};
	struct endpoint granted, denied;
	unsigned long wanted;
	int fd;

	if (!words[0] || !words[1] || !words[2] ||
	    endpoint_parse(&granted, words[1], parse_port(words[2])) < 0 ||
	    endpoint_parse(&denied, "198.18.0.0", 9) < 0)
		return -EINVAL;
	(void)alarm(0);
	wanted = strtoul(words[0], NULL, 10);
	fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	for (; tally.rounds < wanted; tally.rounds++) {
		if (tally.rounds % 2 == 0) {
			count_granted(&tally, connect_to(fd, &granted));
			continue;
		}
		((struct sockaddr_in *)&denied.address)->sin_addr.s_addr =
			htonl(0xc6120000U + (uint32_t)(tally.rounds / 2) % 0x20000U);
		((struct sockaddr_in *)&denied.address)->sin_port =
			htons((uint16_t)(9 + tally.rounds / 2 / 0x20000U));
		count_denied(&tally, connect_to(fd, &denied));
	}
	return print_tally(&tally);
}

static void on_stop(int number)
{
	(void)number;
	stopping = 1;
}

/* Closed by a reset, so that a million of them leave no waiting ports. */
static int connect_stream_once(const struct endpoint *to)
{
	const struct linger at_once = {.l_onoff = 1};
	int fd = open_socket(family_of(to), SOCK_STREAM, 0), result;

	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	result = connect_to(fd, to);
	(void)close(fd);
	return result;
}

static int connect_datagram_once(const struct endpoint *to)
{
	int fd = open_socket(family_of(to), SOCK_DGRAM, 0), result;

	if (fd < 0)
		return fd;
	result = connect_to(fd, to);
	(void)close(fd);
	return result;
}

static int send_datagram_once(const struct endpoint *to, const char *token)
{
	int fd = open_socket(family_of(to), SOCK_DGRAM, 0), result;

	if (fd < 0)
		return fd;
	result = send_bytes_to(fd, token, strlen(token), to);
	(void)close(fd);
	return result;
}

/* GRANTED-ADDRESS PORT DENIED-ADDRESS PORT TOKEN: until SIGTERM; prints a line now and then, so
 * that a test can wait for progress, and the tally at the end. */
static int tool_loop(char **words)
{
	const struct timespec breath = {.tv_nsec = 200000};
	struct sigaction action = {.sa_handler = on_stop};
	struct endpoint granted, denied;
	struct tally tally = {0};

	for (size_t i = 0; i < 5; i++)
		if (!words[i])
			return -EINVAL;
	if (endpoint_parse(&granted, words[0], parse_port(words[1])) < 0 ||
	    endpoint_parse(&denied, words[2], parse_port(words[3])) < 0)
		return -EINVAL;
	(void)alarm(0);
	(void)sigaction(SIGTERM, &action, NULL);
	for (; !stopping; tally.rounds++) {
		count_denied(&tally, connect_stream_once(&denied));
		count_granted(&tally, connect_stream_once(&granted));
		count_denied(&tally, connect_datagram_once(&denied));
		count_granted(&tally, connect_datagram_once(&granted));
		count_denied(&tally, send_datagram_once(&denied, words[4]));
		if (tally.rounds % 100 == 0) {
			printf("round %lu\n", tally.rounds);
			(void)fflush(stdout);
		}
		(void)nanosleep(&breath, NULL);
	}
	return print_tally(&tally);
}

static const struct tool {
	const char *name;
	int (*run)(char **words);
} tools[] = {
	{"serve", tool_serve},
	{"take", tool_take},
	{"with-fd", tool_with_fd},
	{"hand-out", tool_hand_out},
	{"hang-on", tool_hang_on},
	{"hold", tool_hold},
	{"hold-fd", tool_hold_fd},
	{"hand-down", tool_hand_down},
	{"ptrace", tool_ptrace},
	{"connect-unix", tool_connect_unix},
	{"unix", tool_unix},
	{"serve-unix", tool_serve_unix},
	{"open-write", tool_open_write},
	{"flood", tool_flood},
	{"loop", tool_loop},
};

static int conclude(int result)
{
	if (result >= 0)
		return LET;
	printf("%s\n", strerrorname_np(-result));
	switch (-result) {
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case ENOPROTOOPT:
	case ENOSYS:
	case EINVAL:
		return IMPOSSIBLE;
	default:
		return REFUSED;
	}
}

static int run_way(const struct way *way, char **words)
{
	struct attempt attempt = {0};

	if (!words[0] || !words[1] || !words[2] || strlen(words[2]) >= TOKEN_MAX ||
	    endpoint_parse(&attempt.to, words[0], parse_port(words[1])) < 0)
		return -EINVAL;
	attempt.address = words[0];
	attempt.port = parse_port(words[1]);
	attempt.token = words[2];
	attempt.more = words + 3;
	return way->attempt(&attempt);
}

int main(int argc, char **argv)
{
	(void)alarm(WHOLE_TIMEOUT_S);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return conclude(run_way(&ways[i], argv + 2));
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(tools); i++)
		if (strcmp(argv[1], tools[i].name) == 0)
			return conclude(tools[i].run(argv + 2));
	(void)fprintf(stderr,
		      "usage: prober WAY ADDRESS PORT TOKEN [MORE...], or prober TOOL ...\n");
	return IMPOSSIBLE;
}
