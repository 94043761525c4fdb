/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places in which a program puts a message that does not fit its stack. One is taken for the time
 * of a look and given back: programs can be interrupted by others on the same CPU, so a place per
 * CPU would be written over. With none free the message is not read, and denied.
 */
#ifndef AGENTPOL_BPF_WORKBENCH_H
#define AGENTPOL_BPF_WORKBENCH_H

#include "bpf/dns.h"

/* As many as programs can be half-way at once: CPUs, and who interrupts them. User space lowers it
 * on machines with few. */
#define WORKBENCHES	64
#define WORKBENCH_TRIES 4

struct workbench {
	__u32 busy;
	__u32 spare;
	struct name name;
	struct cursor cursor;
	struct dns_question question;
	__u32 padding;
	struct dns_walk walk;
	struct dns_address address;
	struct name_key key;
	/* for one address that is learnt */
	struct learnt_key learnt_key;
	struct learnt_name_key learnt_name_key;
	struct learnt_name learnt_name;
	struct message message;
	struct message raw; /* a TLS connection's bytes, with its records' headers */
};

/* What a connection has sent of a ClientHello that is not whole yet. */
struct hello_part {
	__u32 have;
	__u8 bytes[MESSAGE_PIECE];
};

/* An answer longer than this is read by nobody here, and opens nothing. */
#define ANSWER_STREAM_PIECE 4096
struct answer_stream {
	__u32 next; /* sequence number */
	__u32 have;
	__u8 bytes[2 * ANSWER_STREAM_PIECE];
};

#endif
