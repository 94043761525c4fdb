/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a socket sends without a copy and that is changed before the packet has left: the
 * kernel checks the one, the wire sees the other. Called by the carriers of UDP and TCP.
 */
#ifndef TESTS_EVASION_CHANGING_H
#define TESTS_EVASION_CHANGING_H

#include "attempt.h"
#include "tests/tools/uring.h"

/* Enough to fill a slow link's bucket, so that the later packets wait. */
#define CHANGING_ROUNDS 80

struct changing {
	const struct parcel *parcel;
	int file;
	uint8_t *pages; /* the file's, shared: one a round, so that none is changed back */
	uint8_t *page;
	int pipe[2];
	struct uring uring; /* opened when it is needed */
};

/* Sends the page as it is now; negative errno. */
typedef int (*changing_send)(struct changing *changing, int fd);

int changing_open(struct changing *changing, const struct parcel *parcel);
void changing_close(struct changing *changing);
/* Puts the twin into the round's page, sends it, and exchanges it for what is wanted. */
int changing_round(struct changing *changing, int round, int fd, changing_send send_page);

int changing_zerocopy(struct changing *changing, int fd);
int changing_vmsplice(struct changing *changing, int fd);
int changing_sendfile(struct changing *changing, int fd);
int changing_splice(struct changing *changing, int fd);
/* io_uring's own sending without a copy. */
int changing_ring(struct changing *changing, int fd);

#endif
