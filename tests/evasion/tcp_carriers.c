// SPDX-License-Identifier: Apache-2.0
/* Ways of bytes over TCP. Most of them wait until the other side closes, so that what was held back
 * and let go later has its time. */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "attempt.h"
#include "changing.h"
#include "tests/tools/uring.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define SMALL_SEGMENT 88 /* the least that Linux takes for TCP_MAXSEG */
#define CHANGE_BYTES  6	 /* of TLS's ChangeCipherSpec with its record (RFC 8446, D.4) */

static int stream_to(const struct attempt *attempt)
{
	int fd = open_connected(&attempt->to, SOCK_STREAM, 0);

	/* Each send a segment of its own. */
	if (fd >= 0)
		(void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

static int send_whole(int fd, const struct bytes *bytes)
{
	const int result = send_all(fd, bytes->at, bytes->length, 0);

	return result < 0 ? result : finish_stream(fd);
}

/* Pieces of `size` bytes, the next when the last has been let. */
static int send_pieces(int fd, const struct bytes *bytes, size_t size, int flags)
{
	const struct timespec breath = {.tv_nsec = 200000};
	int result = 0;

	for (size_t done = 0; done < bytes->length && result == 0; done += size) {
		result = send_all(fd, bytes->at + done,
				  bytes->length - done < size ? bytes->length - done : size, flags);
		(void)nanosleep(&breath, NULL);
	}
	return result;
}

static int carry_plain(const struct attempt *attempt)
{
	int fd = stream_to(attempt);

	return fd < 0 ? fd : send_whole(fd, &attempt->parcel->wanted);
}

static int carry_in_pieces(const struct attempt *attempt, size_t size)
{
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_pieces(fd, &attempt->parcel->wanted, size, 0);
	return result < 0 ? result : finish_stream(fd);
}

static int carry_bytes(const struct attempt *attempt)
{
	return carry_in_pieces(attempt, 1);
}

static int carry_halves(const struct attempt *attempt)
{
	return carry_in_pieces(attempt, attempt->parcel->wanted.length / 2 + 1);
}

/* In the middle of what comes before the token. */
static int carry_thirds(const struct attempt *attempt)
{
	return carry_in_pieces(attempt, attempt->parcel->wanted.length / 3 + 1);
}

/* ---- behind or around what is granted ---- */

static int carry_behind_one(const struct attempt *attempt)
{
	static struct bytes both;
	int fd = stream_to(attempt);

	if (fd < 0)
		return fd;
	bytes_put(&both, attempt->parcel->twin.at, attempt->parcel->twin.length);
	bytes_put(&both, attempt->parcel->wanted.at, attempt->parcel->wanted.length);
	return send_whole(fd, &both);
}

static int carry_behind_many(const struct attempt *attempt)
{
	static struct bytes all;
	int fd = stream_to(attempt);

	if (fd < 0)
		return fd;
	for (int i = 0; i < 100; i++)
		bytes_put(&all, attempt->parcel->twin.at, attempt->parcel->twin.length);
	bytes_put(&all, attempt->parcel->wanted.at, attempt->parcel->wanted.length);
	return send_whole(fd, &all);
}

/* Each in a segment of its own. */
static int carry_apart(const struct attempt *attempt)
{
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, attempt->parcel->twin.at, attempt->parcel->twin.length, 0);
	return result < 0 ? result : send_whole(fd, &attempt->parcel->wanted);
}

/* Sends what is granted, and waits until it has been answered; the connection. */
static int open_answered(const struct attempt *attempt)
{
	char answer[16384];
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, attempt->parcel->twin.at, attempt->parcel->twin.length, 0);
	if (result == 0)
		result = await_readable(fd);
	if (result == 0 && recv(fd, answer, sizeof(answer), 0) <= 0)
		result = -ECONNRESET;
	if (result < 0)
		return result;
	printf("answered ");
	return fd;
}

static int carry_after_answer(const struct attempt *attempt)
{
	int fd = open_answered(attempt);

	return fd < 0 ? fd : send_whole(fd, &attempt->parcel->wanted);
}

/* A record of CHANGE_BYTES in a segment of its own, then the rest. */
static int carry_after_answer_apart(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = open_answered(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, wanted->at, CHANGE_BYTES, 0);
	if (result == 0)
		result = send_all(fd, wanted->at + CHANGE_BYTES, wanted->length - CHANGE_BYTES, 0);
	return result < 0 ? result : finish_stream(fd);
}

/* The same socket, connected once more: what was found good was another connection's. */
static int reconnect(int fd, const struct attempt *attempt)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	int result;

	if (connect(fd, &nobody, sizeof(nobody)) < 0)
		return -errno;
	result = connect_to(fd, &attempt->to);
	return result < 0 ? result : send_whole(fd, &attempt->parcel->wanted);
}

static int carry_reconnected(const struct attempt *attempt)
{
	int fd = open_answered(attempt);

	return fd < 0 ? fd : reconnect(fd, attempt);
}

/* The same when the first connection had come as far as its data, where nothing is read any more.
 */
static int carry_reconnected_late(const struct attempt *attempt)
{
	static const char data[] = "\x17\3\3\0\4data";
	int fd = open_answered(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, data, sizeof(data) - 1, 0);
	return result < 0 ? result : reconnect(fd, attempt);
}

/* The second message begins in the first one's segment. */
static int carry_straddling(const struct attempt *attempt)
{
	static struct bytes first;
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	bytes_put(&first, attempt->parcel->twin.at, attempt->parcel->twin.length);
	bytes_put(&first, wanted->at, 1);
	result = send_all(fd, first.at, first.length, 0);
	if (result == 0)
		result = send_all(fd, wanted->at + 1, wanted->length - 1, 0);
	return result < 0 ? result : finish_stream(fd);
}

/* ---- messages that never are whole ---- */

static int carry_unended(const struct attempt *attempt)
{
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, attempt->parcel->wanted.at, attempt->parcel->wanted.length - 1, 0);
	return result < 0 ? result : finish_stream(fd);
}

/* What the kernel still has to send when the process has gone; the judge looks again at the end. */
static int carry_orphaned(const struct attempt *attempt)
{
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, attempt->parcel->wanted.at, attempt->parcel->wanted.length - 1, 0);
	return result < 0 ? result : close(fd);
}

static int carry_with_length(const struct attempt *attempt, unsigned length)
{
	struct bytes *wanted = &attempt->parcel->wanted;

	wanted->at[0] = (uint8_t)(length >> 8);
	wanted->at[1] = (uint8_t)length;
	return carry_plain(attempt);
}

static int carry_length_long(const struct attempt *attempt)
{
	return carry_with_length(attempt, 0xffff);
}

static int carry_length_zero(const struct attempt *attempt)
{
	return carry_with_length(attempt, 0);
}

/* As if the message ended in the middle of the token. */
static int carry_length_short(const struct attempt *attempt)
{
	return carry_with_length(attempt, 20);
}

/* ---- flags and options ---- */

static int carry_more(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, wanted->at, 20, MSG_MORE);
	if (result == 0)
		result = send_all(fd, wanted->at + 20, wanted->length - 20, 0);
	return result < 0 ? result : finish_stream(fd);
}

/* All but the last byte corked with what is granted. */
static int carry_corked(const struct attempt *attempt)
{
	const struct parcel *parcel = attempt->parcel;
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = set_option(fd, IPPROTO_TCP, TCP_CORK, 1);
	if (result == 0)
		result = send_all(fd, parcel->twin.at, parcel->twin.length, 0);
	if (result == 0)
		result = send_all(fd, parcel->wanted.at, parcel->wanted.length, 0);
	if (result == 0)
		result = set_option(fd, IPPROTO_TCP, TCP_CORK, 0);
	return result < 0 ? result : finish_stream(fd);
}

static int carry_urgent(const struct attempt *attempt)
{
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_pieces(fd, &attempt->parcel->wanted, 16, MSG_OOB);
	return result < 0 ? result : finish_stream(fd);
}

/* One urgent byte in the middle: who reads without it reads another message than who reads it. */
static int carry_urgent_between(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = stream_to(attempt), result;

	if (fd < 0)
		return fd;
	result = send_all(fd, "x", 1, MSG_OOB);
	if (result == 0)
		result = send_all(fd, wanted->at, wanted->length, 0);
	return result < 0 ? result : finish_stream(fd);
}

static int carry_small_segments(const struct attempt *attempt)
{
	int fd = open_socket(family_of(&attempt->to), SOCK_STREAM, 0), result;

	if (fd < 0)
		return fd;
	result = set_option(fd, IPPROTO_TCP, TCP_MAXSEG, SMALL_SEGMENT);
	if (result == 0)
		result = connect_to(fd, &attempt->to);
	return result < 0 ? result : send_whole(fd, &attempt->parcel->wanted);
}

/* ---- connections that begin otherwise ---- */

static int carry_fastopen(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = open_socket(family_of(&attempt->to), SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	if (sendto(fd, wanted->at, wanted->length, MSG_FASTOPEN | MSG_NOSIGNAL,
		   to_sockaddr(&attempt->to), attempt->to.length) < 0)
		return -errno;
	tell_port(fd);
	return finish_stream(fd);
}

static int carry_fastopen_connect(const struct attempt *attempt)
{
	int fd = open_socket(family_of(&attempt->to), SOCK_STREAM, 0), result;

	if (fd < 0)
		return fd;
	result = set_option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	if (result == 0)
		result = connect_to(fd, &attempt->to);
	return result < 0 ? result : send_whole(fd, &attempt->parcel->wanted);
}

static int carry_mptcp(const struct attempt *attempt)
{
	int fd = open_connected(&attempt->to, SOCK_STREAM, IPPROTO_MPTCP);

	return fd < 0 ? fd : send_whole(fd, &attempt->parcel->wanted);
}

static int carry_mptcp_bytes(const struct attempt *attempt)
{
	int fd = open_connected(&attempt->to, SOCK_STREAM, IPPROTO_MPTCP), result;

	if (fd < 0)
		return fd;
	(void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	result = send_pieces(fd, &attempt->parcel->wanted, 1, 0);
	return result < 0 ? result : finish_stream(fd);
}

static int carry_mapped(const struct attempt *attempt)
{
	struct endpoint mapped;
	int fd;

	if (family_of(&attempt->to) != AF_INET)
		return -EINVAL;
	endpoint_map(&mapped, &attempt->to);
	fd = open_connected(&mapped, SOCK_STREAM, 0);
	return fd < 0 ? fd : send_whole(fd, &attempt->parcel->wanted);
}

/* ---- io_uring ---- */

static int carry_by_ring(const struct attempt *attempt, unsigned opcode)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	struct uring uring = {.fd = -1};
	int fd = stream_to(attempt), result;
	struct io_uring_sqe sending = {.opcode = (uint8_t)opcode,
				       .fd = fd,
				       .addr = (uintptr_t)wanted->at,
				       .len = (uint32_t)wanted->length,
				       .msg_flags = MSG_NOSIGNAL};

	if (fd < 0)
		return fd;
	result = uring_open(&uring);
	if (result == 0)
		result = uring_do(&uring, &sending);
	return result < 0 ? result : finish_stream(fd);
}

static int carry_ring(const struct attempt *attempt)
{
	return carry_by_ring(attempt, IORING_OP_SEND);
}

static int carry_ring_zerocopy(const struct attempt *attempt)
{
	return carry_by_ring(attempt, IORING_OP_SEND_ZC);
}

/* ---- bytes that change behind the check ---- */

/*
 * Each round sends the granted twin without a copy and puts what is wanted in its place at once,
 * while the packet waits in the queue of a slow link.
 */
static int carry_changing(const struct attempt *attempt, changing_send send_page)
{
	struct changing changing;
	int result = changing_open(&changing, attempt->parcel);

	for (int i = 0; i < CHANGING_ROUNDS && result == 0; i++) {
		int fd = stream_to(attempt);

		if (fd < 0)
			return fd;
		result = changing_round(&changing, i, fd, send_page);
		/* Many connections at a time fill the queue; their ends are nobody's matter. */
		(void)shutdown(fd, SHUT_WR);
	}
	changing_close(&changing);
	return result;
}

static int carry_zerocopy(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_zerocopy);
}

static int carry_vmsplice(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_vmsplice);
}

static int carry_sendfile(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_sendfile);
}

static int carry_splice(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_splice);
}

static int carry_ring_change(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_ring);
}

const struct carrier tcp_carriers[] = {
	{"tcp", carry_plain, true},
	{"tcp-bytes", carry_bytes, true},
	{"tcp-halves", carry_halves, true},
	{"tcp-thirds", carry_thirds, true},
	{"tcp-behind-one", carry_behind_one, true},
	{"tcp-behind-many", carry_behind_many, true},
	{"tcp-apart", carry_apart, true},
	{"tcp-after-answer", carry_after_answer, true},
	{"tcp-after-answer-apart", carry_after_answer_apart, true},
	{"tcp-reconnected", carry_reconnected, true},
	{"tcp-reconnected-late", carry_reconnected_late, true},
	{"tcp-straddling", carry_straddling, true},
	{"tcp-unended", carry_unended, true},
	{"tcp-orphaned", carry_orphaned, true},
	{"tcp-length-long", carry_length_long, true},
	{"tcp-length-zero", carry_length_zero, true},
	{"tcp-length-short", carry_length_short, true},
	{"tcp-more", carry_more, true},
	{"tcp-corked", carry_corked, true},
	{"tcp-urgent", carry_urgent, true},
	{"tcp-urgent-between", carry_urgent_between, true},
	{"tcp-small-segments", carry_small_segments, true},
	{"tcp-fastopen", carry_fastopen, true},
	{"tcp-fastopen-connect", carry_fastopen_connect, true},
	{"mptcp", carry_mptcp, true},
	{"mptcp-bytes", carry_mptcp_bytes, true},
	{"tcp-mapped", carry_mapped, true},
	{"tcp-ring", carry_ring, true},
	{"tcp-ring-zerocopy", carry_ring_zerocopy, true},
	{"tcp-zerocopy", carry_zerocopy, true},
	{"tcp-vmsplice", carry_vmsplice, true},
	{"tcp-sendfile", carry_sendfile, true},
	{"tcp-splice", carry_splice, true},
	{"tcp-ring-change", carry_ring_change, true},
};
const size_t tcp_carrier_count = ARRAY_SIZE(tcp_carriers);
