/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent over the wire, one turn of it, by the process that calls, and what that cost. */
#ifndef AGENTPOL_TOOLS_LOAD_H
#define AGENTPOL_TOOLS_LOAD_H

#include "tools/wire.h"

/* Of one turn. */
struct sample {
	double rate;	/* bits or datagrams a second */
	double cpu;	/* the sender's seconds for one of them */
	double arrived; /* of what was sent */
};

enum load_number { LOAD_STREAM, LOAD_SEND, LOAD_SENDTO, LOAD_SENDTO_TWO, LOAD_COUNT };

struct load {
	const char *name;
	const char *unit; /* in which `rate` is printed */
	double scale;
	void (*send)(const struct wire *wire, struct sample *sample);
};

extern const struct load loads[LOAD_COUNT];

#endif
