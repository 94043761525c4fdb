/* SPDX-License-Identifier: Apache-2.0 */
/* io_uring without liburing, one entry at a time: for programs that make attempts by it. */
#ifndef TESTS_TOOLS_URING_H
#define TESTS_TOOLS_URING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct uring {
	int fd;
	unsigned enter_flags; /* besides waiting */
	struct io_uring_params parameters;
	uint8_t *rings;
	struct io_uring_sqe *entries;
};

static inline int uring_open(struct uring *uring)
{
	const struct io_uring_params *parameters = &uring->parameters;
	size_t bytes;

	uring->fd = (int)syscall(SYS_io_uring_setup, 2, &uring->parameters);
	if (uring->fd < 0)
		return -errno;
	if (!(parameters->features & IORING_FEAT_SINGLE_MMAP))
		return -ENOSYS;
	bytes = parameters->cq_off.cqes + parameters->cq_entries * sizeof(struct io_uring_cqe);
	uring->rings = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			    uring->fd, IORING_OFF_SQ_RING);
	uring->entries =
		mmap(NULL, parameters->sq_entries * sizeof(struct io_uring_sqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring->fd, IORING_OFF_SQES);
	return uring->rings == MAP_FAILED || uring->entries == MAP_FAILED ? -ENOMEM : 0;
}

static inline uint32_t *uring_word(const struct uring *uring, uint32_t offset)
{
	return (uint32_t *)(void *)(uring->rings + offset);
}

/* Its result: of the operation, or of the call. */
static inline int uring_do(struct uring *uring, const struct io_uring_sqe *what)
{
	const struct io_sqring_offsets *sq = &uring->parameters.sq_off;
	const struct io_cqring_offsets *cq = &uring->parameters.cq_off;
	uint32_t tail = *uring_word(uring, sq->tail);
	uint32_t slot = tail & *uring_word(uring, sq->ring_mask);
	uint32_t *head = uring_word(uring, cq->head);
	const struct io_uring_cqe *done;

	uring->entries[slot] = *what;
	uring_word(uring, sq->array)[slot] = slot;
	__atomic_store_n(uring_word(uring, sq->tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, uring->fd, 1, 1,
		    IORING_ENTER_GETEVENTS | uring->enter_flags, NULL, 0) < 0)
		return -errno;
	done = (const struct io_uring_cqe *)(void *)(uring->rings + cq->cqes) +
	       (*head & *uring_word(uring, cq->ring_mask));
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return done->res;
}

#endif
