// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "changing.h"

#define PAGE_BYTES  4096
#define PAGES_BYTES ((size_t)CHANGING_ROUNDS * PAGE_BYTES)

int changing_open(struct changing *changing, const struct parcel *parcel)
{
	*changing = (struct changing){.parcel = parcel, .uring = {.fd = -1}};
	if (parcel->wanted.length > PAGE_BYTES || parcel->wanted.length != parcel->twin.length)
		return -EINVAL;
	changing->file = memfd_create("changing", MFD_CLOEXEC);
	if (changing->file < 0 || ftruncate(changing->file, PAGES_BYTES) < 0)
		return -errno;
	changing->pages = mmap(NULL, PAGES_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			       changing->file, 0);
	if (changing->pages == MAP_FAILED || pipe2(changing->pipe, O_CLOEXEC) < 0)
		return -errno;
	return 0;
}

void changing_close(struct changing *changing)
{
	(void)munmap(changing->pages, PAGES_BYTES);
	(void)close(changing->file);
	(void)close(changing->pipe[0]);
	(void)close(changing->pipe[1]);
	if (changing->uring.fd >= 0)
		(void)close(changing->uring.fd);
}

int changing_round(struct changing *changing, int round, int fd, changing_send send_page)
{
	const struct parcel *parcel = changing->parcel;
	int result;

	changing->page = changing->pages + (size_t)round * PAGE_BYTES;
	memcpy(changing->page, parcel->twin.at, parcel->twin.length);
	result = send_page(changing, fd);
	if (result < 0)
		return result;
	memcpy(changing->page, parcel->wanted.at, parcel->wanted.length);
	return 0;
}

int changing_zerocopy(struct changing *changing, int fd)
{
	int result = set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1);

	if (result < 0)
		return result;
	return send(fd, changing->page, changing->parcel->wanted.length,
		    MSG_ZEROCOPY | MSG_NOSIGNAL) < 0
		       ? -errno
		       : 0;
}

static int pipe_to(const struct changing *changing, int fd)
{
	return splice(changing->pipe[0], NULL, fd, NULL, changing->parcel->wanted.length, 0) < 0
		       ? -errno
		       : 0;
}

int changing_vmsplice(struct changing *changing, int fd)
{
	struct iovec piece = {.iov_base = changing->page,
			      .iov_len = changing->parcel->wanted.length};

	return vmsplice(changing->pipe[1], &piece, 1, 0) < 0 ? -errno : pipe_to(changing, fd);
}

int changing_sendfile(struct changing *changing, int fd)
{
	off_t from = changing->page - changing->pages;

	return sendfile(fd, changing->file, &from, changing->parcel->wanted.length) < 0 ? -errno
											: 0;
}

int changing_splice(struct changing *changing, int fd)
{
	off64_t from = changing->page - changing->pages;

	if (splice(changing->file, &from, changing->pipe[1], NULL, changing->parcel->wanted.length,
		   0) < 0)
		return -errno;
	return pipe_to(changing, fd);
}

int changing_ring(struct changing *changing, int fd)
{
	const struct io_uring_sqe sending = {.opcode = IORING_OP_SEND_ZC,
					     .fd = fd,
					     .addr = (uintptr_t)changing->page,
					     .len = (uint32_t)changing->parcel->wanted.length,
					     .msg_flags = MSG_NOSIGNAL};

	if (changing->uring.fd < 0) {
		int result = uring_open(&changing->uring);

		if (result < 0)
			return result;
	}
	return uring_do(&changing->uring, &sending);
}
