// SPDX-License-Identifier: Apache-2.0
#include "sql/packets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* Packets that are taken before other descriptors have their turn. */
#define TAKEN_MAX 64

struct queued {
	struct queued *next;
	struct guard_message head;
	int fds[GUARD_FDS_MAX];
	size_t fd_count;
	char tail[];
};

struct packets {
	int fd;
	struct event *readable, *writable;
	const struct packets_host *host;
	void *context;
	struct queued *first, **last;
	size_t bytes;	 /* packet_cost of what waits */
	bool busy, dead; /* in a callback; to be freed behind it */
	char room[GUARD_TAIL_MAX + 1];
};

union fd_space {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int) * GUARD_FDS_MAX)];
};

int packet_send(int fd, const struct guard_message *head, const void *tail, const int *fds,
		size_t fd_count)
{
	struct iovec parts[] = {{(void *)head, sizeof(*head)}, {(void *)tail, head->length}};
	union fd_space space = {0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = head->length ? 2 : 1};
	struct cmsghdr *control = &space.head;

	if (fd_count) {
		message.msg_control = space.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(control), fds, sizeof(int) * fd_count);
	}
	while (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void take_fds(struct msghdr *message, struct packet *packet)
{
	struct cmsghdr *control;
	size_t i, count, have = 0;
	int fd;

	for (control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
			if (have < GUARD_FDS_MAX)
				packet->fds[have++] = fd;
			else
				(void)close(fd);
		}
	}
}

int packet_receive(int fd, struct packet *packet, char *room, int flags)
{
	struct iovec parts[] = {{&packet->head, sizeof(packet->head)}, {room, GUARD_TAIL_MAX}};
	union fd_space space;
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = space.bytes,
				 .msg_controllen = sizeof(space.bytes)};
	ssize_t got;
	size_t i;

	for (i = 0; i < GUARD_FDS_MAX; i++)
		packet->fds[i] = -1;
	/* An end that closed without having read all is told of once, before what it had sent. */
	do
		got = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < 0)
		return -errno;
	if (got == 0)
		return 0;
	take_fds(&message, packet);
	if ((size_t)got < sizeof(packet->head) || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    packet->head.length != (size_t)got - sizeof(packet->head)) {
		packet_close_fds(packet);
		return -EPROTO;
	}
	room[packet->head.length] = '\0';
	packet->tail = room;
	return 1;
}

void packet_close_fds(struct packet *packet)
{
	size_t i;

	for (i = 0; i < GUARD_FDS_MAX; i++) {
		if (packet->fds[i] >= 0)
			(void)close(packet->fds[i]);
		packet->fds[i] = -1;
	}
}

static void free_queued(struct queued *queued)
{
	size_t i;

	for (i = 0; i < queued->fd_count; i++)
		(void)close(queued->fds[i]);
	free(queued);
}

static void pop(struct packets *packets)
{
	struct queued *queued = packets->first;

	packets->first = queued->next;
	if (!packets->first)
		packets->last = &packets->first;
	packets->bytes -= packet_cost(&queued->head);
	free_queued(queued);
}

static void destroy(struct packets *packets)
{
	while (packets->first)
		pop(packets);
	if (packets->readable)
		event_free(packets->readable);
	if (packets->writable)
		event_free(packets->writable);
	(void)close(packets->fd);
	free(packets);
}

void packets_free(struct packets *packets)
{
	if (!packets)
		return;
	packets->dead = true;
	if (!packets->busy)
		destroy(packets);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct packets *packets = context;
	struct packet packet;
	int result = 1, i;

	(void)what;
	packets->busy = true;
	for (i = 0; i < TAKEN_MAX && !packets->dead; i++) {
		result = packet_receive(fd, &packet, packets->room, MSG_DONTWAIT);
		if (result <= 0)
			break;
		packets->host->received(packets->context, &packet);
		packet_close_fds(&packet);
	}
	if (!packets->dead && result <= 0 && result != -EAGAIN)
		packets->host->lost(packets->context);
	packets->busy = false;
	if (packets->dead)
		destroy(packets);
}

void packets_take(struct packets *packets)
{
	on_readable(packets->fd, EV_READ, packets);
}

static bool is_full(int result)
{
	return result == -EAGAIN || result == -ENOBUFS || result == -ENOMEM;
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct packets *packets = context;
	struct guard_message head;

	(void)what;
	packets->busy = true;
	while (packets->first && !packets->dead) {
		struct queued *queued = packets->first;
		int result =
			packet_send(fd, &queued->head, queued->tail, queued->fds, queued->fd_count);

		if (is_full(result))
			break;
		head = queued->head;
		pop(packets); /* an end that is gone is seen where it is read */
		if (packets->host->sent)
			packets->host->sent(packets->context, &head);
	}
	packets->busy = false;
	if (packets->dead)
		destroy(packets);
	else if (!packets->first)
		(void)event_del(packets->writable);
}

struct packets *packets_new(struct event_base *base, int fd, const struct packets_host *host,
			    void *context)
{
	struct packets *packets = calloc(1, sizeof(*packets));

	if (!packets) {
		(void)close(fd);
		return NULL;
	}
	packets->fd = fd;
	packets->host = host;
	packets->context = context;
	packets->last = &packets->first;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	packets->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, packets);
	packets->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, packets);
	if (packets->readable && packets->writable && event_add(packets->readable, NULL) == 0)
		return packets;
	destroy(packets);
	return NULL;
}

static int enqueue(struct packets *packets, const struct guard_message *head, const void *tail,
		   const int *fds, size_t fd_count)
{
	struct queued *queued = malloc(sizeof(*queued) + head->length);
	size_t i;

	if (!queued)
		return -ENOMEM;
	*queued = (struct queued){.head = *head};
	if (head->length)
		memcpy(queued->tail, tail, head->length);
	for (i = 0; i < fd_count; i++) {
		queued->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (queued->fds[i] < 0) {
			free_queued(queued);
			return -EMFILE;
		}
		queued->fd_count++;
	}
	if (!packets->first)
		(void)event_add(packets->writable, NULL);
	*packets->last = queued;
	packets->last = &queued->next;
	packets->bytes += packet_cost(head);
	return 0;
}

int packets_send(struct packets *packets, const struct guard_message *head, const void *tail,
		 const int *fds, size_t fd_count)
{
	int result = -EAGAIN;

	if (packets->dead)
		return -EPIPE;
	if (!packets->first)
		result = packet_send(packets->fd, head, tail, fds, fd_count);
	if (is_full(result))
		return enqueue(packets, head, tail, fds, fd_count);
	return result < 0 ? result : 1;
}

size_t packet_cost(const struct guard_message *head)
{
	return sizeof(struct queued) + 2 * sizeof(size_t) + head->length;
}

size_t packets_queued(const struct packets *packets)
{
	return packets->bytes;
}
