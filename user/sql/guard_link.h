/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policyd and the SQL guard say to each other, over a SOCK_SEQPACKET pair: one message a
 * packet, a fixed head, a tail of at most GUARD_TAIL_MAX bytes, descriptors by SCM_RIGHTS. policyd
 * is root and parses nothing that an agent wrote: what comes from the guard is checked as if an
 * agent had sent it (lengths, references it gave out itself), and text in it is passed on to the
 * log as text.
 *
 * policyd makes every socket: listeners in the target's network namespace, connections to servers.
 * The guard accepts, reads and writes, and can do nothing else.
 */
#ifndef AGENTPOL_SQL_GUARD_LINK_H
#define AGENTPOL_SQL_GUARD_LINK_H

#include <stdint.h>

#define GUARD_TAIL_MAX 32768U
#define GUARD_FDS_MAX  2

enum guard_message_type {
	/* from policyd */
	GUARD_POLICY = 1,    /* ref: the policy's; fd 0: memfd with the manifest; fd 1: CA file (or
				none, as tail says); tail: struct guard_policy */
	GUARD_FORGET_POLICY, /* ref: its sessions end with a FATAL that says why; then it is gone */
	GUARD_LISTENER,	     /* ref: the listener's; value: its policy's ref; fd 0: listening */
	GUARD_FORGET_LISTENER,
	GUARD_SERVER, /* ref: the session's, from GUARD_ASK; fd 0: a socket that is connecting or
			 connected to the server; tail: struct guard_client */
	GUARD_REFUSE, /* ref: the session's; tail: a sentence for the client */
	GUARD_PARSER, /* fd 0: the parser's end of its SEQPACKET pair; a former one is gone */
	/* from the guard */
	GUARD_ASK, /* ref: the session's, the guard's choice; value: the listener's ref; tail:
		      sockaddr of the peer as accept(2) gave it, then local sockaddr. For a
		      Unix socket: struct ucred of the peer */
	GUARD_ASK_CANCEL, /* ref: a new session's ref; value: a living session's whose server is
			     to be asked again: answered as GUARD_ASK */
	GUARD_ENDED,	  /* ref: a session that is over */
	GUARD_RECORD, /* ref: the session's; value: its policy's; tail: one JSON object: see below
		       */
	GUARD_READY,  /* after start: it serves */
	GUARD_LOST,   /* ref: a policy's; value: how many records of its sessions are lost */
};

struct guard_message {
	uint32_t type;	 /* enum guard_message_type */
	uint32_t length; /* of the tail */
	uint64_t ref;
	uint64_t value;
};

/* The tail of GUARD_POLICY. */
struct guard_policy {
	char tool[129];	      /* whose "sql" it is; NUL-terminated */
	uint8_t audit;	      /* the manifest is in audit mode */
	uint8_t has_ca;	      /* fd 1 is the file of certificates to verify the server by */
	uint8_t log_allowed;  /* allowed statements are to be recorded */
	uint8_t log_literals; /* records carry the text as it is, not its shape */
	uint8_t reserved[3];
};

/* The tail of GUARD_SERVER: who is at the other end, for what the guard has to say. */
struct guard_client {
	uint32_t pid;	     /* as policyd sees it; 0: not known */
	uint32_t connecting; /* 1: wait until the socket is writable, then look at SO_ERROR */
	uint8_t local; /* the server is on this machine (loopback or a Unix socket): TLS is not
			  wanted unless the manifest says so */
	uint8_t reserved[7];
};

/*
 * The tail of GUARD_RECORD, which policyd puts into the audit log as a record of kind "sql":
 * {"verdict": "deny", "reason": "sql-relation", "rule": "/tools/q/sql/allow", "message": "...",
 *  "hint": {"op": ..., "path": ..., "value": ...}, "count": 1,
 *  "subject": {"database": "shop", "user": "agent", "statement": "query", "shape": "SELECT ? ...",
 *              "text": "...", "accesses": [...], "rows": 3, "duration_us": 812}}
 * It fits GUARD_TAIL_MAX: the guard cuts texts and lists and says so ("cut": true).
 */

#endif
