// SPDX-License-Identifier: Apache-2.0
#include "kernel/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

/* <linux/sock_diag.h> of before 4.5 lacks it. */
#ifndef SOCK_DESTROY
#define SOCK_DESTROY 21
#endif
/* Linux 5.8. */
#define ATTRIBUTE_CGROUP 21
/* The kernel answers at once; this is for a kernel that does not. */
#define ANSWER_SECONDS 1
/* The kernel fills at most so much at a time. */
#define ANSWER_BYTES 32768
/* A listener of a group that shares a port is found by a hash of the peer that is asked for: so
 * many peers are tried. A group of 64 is missed once in 3,000 times, and then the next listing
 * tries again. */
#define GROUP_TRIES	 512
#define TCP_STATE(state) (1U << (state))
/* Not those without an owner to tell of: TIME_WAIT, SYN_RECV's small ones, closed. */
#define TCP_STATES                                                                         \
	(TCP_STATE(TCP_ESTABLISHED) | TCP_STATE(TCP_SYN_SENT) | TCP_STATE(TCP_SYN_RECV) |  \
	 TCP_STATE(TCP_FIN_WAIT1) | TCP_STATE(TCP_FIN_WAIT2) | TCP_STATE(TCP_CLOSE_WAIT) | \
	 TCP_STATE(TCP_LAST_ACK) | TCP_STATE(TCP_LISTEN) | TCP_STATE(TCP_CLOSING))
/* Datagram sockets are "established" with a peer, "closed" without. */
#define DATAGRAM_STATES (TCP_STATE(TCP_ESTABLISHED) | TCP_STATE(TCP_CLOSE))

static bool is_stream(uint32_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == PROTOCOL_MPTCP;
}

/* ---- the way into a namespace ---- */

struct opening {
	int space, family, type, protocol, result;
};

static int open_here(const struct opening *opening)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	int fd = socket(opening->family, opening->type | SOCK_CLOEXEC, opening->protocol), result;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
		return fd;
	result = -errno;
	(void)close(fd);
	return result;
}

static void *open_there(void *context)
{
	struct opening *opening = context;

	/* Of this thread alone: the others stay. The socket keeps the namespace it is made in. */
	opening->result = setns(opening->space, CLONE_NEWNET) < 0 ? -errno : open_here(opening);
	return NULL;
}

static bool is_own_space(int space)
{
	struct stat own, other;

	return stat("/proc/thread-self/ns/net", &own) == 0 && fstat(space, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int diag_open(int space)
{
	return space_socket(space, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
}

int space_socket(int space, int family, int type, int protocol)
{
	struct opening opening = {space, family, type, protocol, .result = -EIO};
	sigset_t all, before;
	pthread_t thread;
	int result;

	if (is_own_space(space))
		return open_here(&opening);
	/* The caller's signals are the caller's. */
	(void)sigfillset(&all);
	result = pthread_sigmask(SIG_BLOCK, &all, &before);
	if (result)
		return -result;
	result = pthread_create(&thread, NULL, open_there, &opening);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result == 0)
		result = pthread_join(thread, NULL);
	return result ? -result : opening.result;
}

/* ---- what is asked ---- */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 what;
	struct nlattr attribute; /* the protocol, where a byte can't hold it */
	uint32_t protocol;
};

static struct question question_about(uint16_t type, uint16_t flags, int family, uint32_t protocol)
{
	struct question question = {
		.header = {.nlmsg_len = offsetof(struct question, attribute),
			   .nlmsg_type = type,
			   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.what = {.sdiag_family = (uint8_t)family,
			 .sdiag_protocol = (uint8_t)protocol,
			 .idiag_states = is_stream(protocol) ? TCP_STATES : DATAGRAM_STATES},
		.attribute = {.nla_len = sizeof(struct nlattr) + sizeof(uint32_t),
			      .nla_type = INET_DIAG_REQ_PROTOCOL},
		.protocol = protocol,
	};

	if (protocol == PROTOCOL_MPTCP) {
		question.what.sdiag_protocol = IPPROTO_TCP;
		question.header.nlmsg_len = sizeof(question);
	}
	return question;
}

static void address_to_words(const struct ip_address *address, int family, uint32_t words[4])
{
	memset(words, 0, ADDRESS_BYTES);
	if (family == AF_INET)
		memcpy(words, address->bytes + ADDRESS_BYTES - sizeof(uint32_t), sizeof(uint32_t));
	else
		memcpy(words, address->bytes, ADDRESS_BYTES);
}

static struct ip_address address_from_words(const uint32_t words[4], int family)
{
	static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
	struct ip_address address;

	if (family == AF_INET) {
		memcpy(address.bytes, mapped, sizeof(mapped));
		memcpy(address.bytes + sizeof(mapped), words, sizeof(uint32_t));
	} else {
		memcpy(address.bytes, words, ADDRESS_BYTES);
	}
	return address;
}

static void set_ends(struct inet_diag_sockid *id, int family, const struct ip_address *local,
		     uint16_t local_port, const struct ip_address *remote, uint16_t remote_port)
{
	id->idiag_sport = htons(local_port);
	id->idiag_dport = htons(remote_port);
	address_to_words(local, family, id->idiag_src);
	address_to_words(remote, family, id->idiag_dst);
}

static int ask(int diag, const struct question *question)
{
	return send(diag, question, question->header.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* ---- what is answered ---- */

static uint64_t read_cgroup(const struct nlmsghdr *message)
{
	const char *at =
		(const char *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct inet_diag_msg));
	const char *end = (const char *)message + message->nlmsg_len;
	uint64_t cgroup = 0;

	while (at + sizeof(struct nlattr) <= end) {
		struct nlattr attribute;

		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || at + attribute.nla_len > end)
			return 0;
		if (attribute.nla_type == ATTRIBUTE_CGROUP &&
		    attribute.nla_len >= sizeof(attribute) + sizeof(cgroup))
			memcpy(&cgroup, at + sizeof(attribute), sizeof(cgroup));
		at += NLA_ALIGN(attribute.nla_len);
	}
	return cgroup;
}

static enum open_state state_of(uint32_t protocol, const struct inet_diag_msg *answer)
{
	if (is_stream(protocol))
		return answer->idiag_state == TCP_LISTEN ? SOCKET_LISTENING : SOCKET_CONNECTED;
	return answer->idiag_state == TCP_ESTABLISHED ? SOCKET_CONNECTED : SOCKET_UNCONNECTED;
}

static int read_socket(const struct nlmsghdr *message, uint32_t protocol,
		       struct open_socket *socket)
{
	struct inet_diag_msg answer;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(answer)))
		return -EBADMSG;
	memcpy(&answer, NLMSG_DATA(message), sizeof(answer));
	*socket = (struct open_socket){
		.local = address_from_words(answer.id.idiag_src, answer.idiag_family),
		.remote = address_from_words(answer.id.idiag_dst, answer.idiag_family),
		.local_port = ntohs(answer.id.idiag_sport),
		.remote_port = ntohs(answer.id.idiag_dport),
		.protocol = protocol,
		.state = state_of(protocol, &answer),
		.family = answer.idiag_family,
		.interface = answer.id.idiag_if,
		.inode = answer.idiag_inode,
		.cookie = (uint64_t)answer.id.idiag_cookie[1] << 32 | answer.id.idiag_cookie[0],
		.cgroup = read_cgroup(message),
		.listed = true,
	};
	return 0;
}

/* The number in an error or at the end of a list: 0 or -errno. */
static int read_status(const struct nlmsghdr *message)
{
	int status = 0;

	if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(status)))
		memcpy(&status, NLMSG_DATA(message), sizeof(status));
	return status;
}

struct listing {
	uint32_t protocol;
	int (*visit)(const struct open_socket *socket, void *context);
	void *context;
};

/* One message: 0 to go on, 1 at the end, -errno. */
static int take_message(const struct nlmsghdr *message, const struct listing *listing)
{
	struct open_socket socket;
	int result;

	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		result = read_status(message);
		return result < 0 ? result : 1;
	}
	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	result = read_socket(message, listing->protocol, &socket);
	if (result == 0)
		result = listing->visit(&socket, listing->context);
	return result < 0 ? result : !(message->nlmsg_flags & NLM_F_MULTI);
}

/* Reads answers up to the end, also where it is of no more use: what is left unread would be taken
 * for the answer to the next question. */
static int take_answers(int diag, const struct listing *listing)
{
	union {
		struct nlmsghdr header; /* for its alignment */
		char bytes[ANSWER_BYTES];
	} answer;
	int result = 0, fault = 0;

	while (result == 0) {
		ssize_t got = recv(diag, &answer, sizeof(answer), 0);
		const struct nlmsghdr *message = &answer.header;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (; result == 0 && NLMSG_OK(message, got); message = NLMSG_NEXT(message, got)) {
			result = take_message(message, listing);
			if (result < 0 && message->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
				fault = result;
				result = !(message->nlmsg_flags & NLM_F_MULTI);
			}
		}
	}
	if (fault)
		return fault;
	return result < 0 ? result : 0;
}

int diag_list(int diag, int family, uint32_t protocol,
	      int (*visit)(const struct open_socket *socket, void *context), void *context)
{
	const struct question question =
		question_about(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family, protocol);
	const struct listing listing = {protocol, visit, context};
	int result = ask(diag, &question);

	return result < 0 ? result : take_answers(diag, &listing);
}

static int keep_socket(const struct open_socket *socket, void *context)
{
	*(struct open_socket *)context = *socket;
	return 0;
}

static bool has_ends(const struct open_socket *socket, const struct socket_flow *flow)
{
	return socket->local_port == flow->local_port && socket->remote_port == flow->remote_port &&
	       memcmp(&socket->local, &flow->local, sizeof(flow->local)) == 0 &&
	       memcmp(&socket->remote, &flow->remote, sizeof(flow->remote)) == 0;
}

static bool is_meant(const struct open_socket *socket, const struct socket_flow *flow)
{
	return !flow->cookie || socket->cookie == flow->cookie;
}

/* What would get a packet of that flow: a connection, a listener, a datagram socket. */
static int find_reader(int diag, const struct socket_flow *flow, struct open_socket *found)
{
	/* By IPv4 the kernel finds IPv6 sockets with mapped addresses, too. */
	const int family = address_is_ipv4(&flow->remote) ? AF_INET : AF_INET6;
	struct question question = question_about(SOCK_DIAG_BY_FAMILY, 0, family, flow->protocol);
	struct listing listing = {flow->protocol, keep_socket, found};
	int result;

	*found = (struct open_socket){0};
	/* For UDP the two ends change places in this question alone (net/ipv4/udp_diag.c,
	 * udp_dump_one: "swapped for historical reasons"). */
	if (flow->protocol == IPPROTO_TCP)
		set_ends(&question.what.id, family, &flow->local, flow->local_port, &flow->remote,
			 flow->remote_port);
	else
		set_ends(&question.what.id, family, &flow->remote, flow->remote_port, &flow->local,
			 flow->local_port);
	question.what.id.idiag_cookie[0] = question.what.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	result = ask(diag, &question);
	return result < 0 ? result : take_answers(diag, &listing);
}

int diag_find(int diag, const struct socket_flow *flow, struct open_socket *found)
{
	const int result = find_reader(diag, flow, found);

	if (result < 0)
		return result;
	/* Where there is no connection the kernel answers with the listener. */
	return found->state == SOCKET_CONNECTED && has_ends(found, flow) && is_meant(found, flow)
		       ? 0
		       : -ENOENT;
}

bool diag_has_reader(int diag, const struct socket_flow *flow)
{
	struct open_socket found;

	return find_reader(diag, flow, &found) == 0 && found.local_port == flow->local_port &&
	       is_meant(&found, flow);
}

static int refuse_answer(const struct open_socket *socket, void *context)
{
	(void)socket;
	(void)context;
	return -EBADMSG;
}

/* `peer_port` stands for the peer's: see GROUP_TRIES. The cookie is what is destroyed. */
static int destroy_as(int diag, const struct open_socket *socket, int family, uint16_t peer_port)
{
	struct question question =
		question_about(SOCK_DESTROY, NLM_F_ACK, family, socket->protocol);
	const struct listing listing = {socket->protocol, refuse_answer, NULL};
	int result;

	set_ends(&question.what.id, family, &socket->local, socket->local_port, &socket->remote,
		 peer_port);
	question.what.id.idiag_if = socket->interface;
	question.what.id.idiag_cookie[0] = (uint32_t)socket->cookie;
	question.what.id.idiag_cookie[1] = (uint32_t)(socket->cookie >> 32);
	/* struct inet_diag_req_raw: the protocol stands where others have nothing. */
	if (socket->protocol == IPPROTO_RAW)
		question.what.pad = (uint8_t)socket->local_port;
	result = ask(diag, &question);
	return result < 0 ? result : take_answers(diag, &listing);
}

/* A cookie that is another's is told as ESTALE. */
static bool is_missed(int result)
{
	return result == -ENOENT || result == -ESTALE;
}

int diag_destroy(int diag, const struct open_socket *socket)
{
	int result = destroy_as(diag, socket, socket->family, socket->remote_port);

	/* An IPv6 socket that is bound to an IPv4 address may stand in IPv4's table. */
	if (is_missed(result) && socket->family == AF_INET6 && address_is_ipv4(&socket->local))
		result = destroy_as(diag, socket, AF_INET, socket->remote_port);
	for (uint16_t port = 1; is_missed(result) && socket->state != SOCKET_CONNECTED &&
				socket->protocol != IPPROTO_RAW && port <= GROUP_TRIES;
	     port++)
		result = destroy_as(diag, socket, socket->family, port);
	return is_missed(result) ? -ENOENT : result;
}
