// SPDX-License-Identifier: Apache-2.0
#include "agentpol/outbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_ROOM 65536U

void outbox_free(struct outbox *outbox)
{
	free(outbox->bytes);
	*outbox = (struct outbox){.fd = -1};
}

static int make_room(struct outbox *outbox, size_t more)
{
	const size_t left = outbox_left(outbox);
	size_t room = outbox->room ? outbox->room : FIRST_ROOM;
	char *bytes;

	if (outbox->start) {
		memmove(outbox->bytes, outbox->bytes + outbox->start, left);
		outbox->start = 0;
		outbox->length = left;
	}
	while (room < left + more)
		room *= 2;
	if (room == outbox->room)
		return 0;
	bytes = realloc(outbox->bytes, room);
	if (!bytes)
		return -ENOMEM;
	outbox->bytes = bytes;
	outbox->room = room;
	return 0;
}

int outbox_put(struct outbox *outbox, const char *line, size_t length)
{
	if (outbox->fd < 0)
		return 0;
	if (outbox->length + length + 1 > outbox->room && make_room(outbox, length + 1) < 0)
		return -ENOMEM;
	memcpy(outbox->bytes + outbox->length, line, length);
	outbox->length += length;
	outbox->bytes[outbox->length++] = '\n';
	return 0;
}

/* A socket may not be made non-blocking: its other holders would see that. */
static ssize_t write_now(int fd, const char *bytes, size_t length)
{
	const ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 && errno == ENOTSOCK ? write(fd, bytes, length) : sent;
}

int outbox_flush(struct outbox *outbox)
{
	while (outbox->fd >= 0 && outbox_left(outbox)) {
		const ssize_t sent =
			write_now(outbox->fd, outbox->bytes + outbox->start, outbox_left(outbox));

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? 0 : -errno;
		outbox->start += (size_t)sent;
	}
	outbox->start = outbox->length = 0;
	return 0;
}
