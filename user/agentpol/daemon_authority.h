/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session of an agent kept by policyd: for a gateway that root runs where policyd serves. A
 * question and its answer are one round trip; only what a person is asked for is answered later.
 */
#ifndef AGENTPOL_AGENTPOL_DAEMON_AUTHORITY_H
#define AGENTPOL_AGENTPOL_DAEMON_AUTHORITY_H

#include "call/authority.h"

/* NULL where policyd does not serve at `socket` (STATUS_SYSTEM), or does not take the manifest. The
 * policy is what `manifest` was read to, and stays the caller's. Free it by its method. */
struct call_authority *daemon_authority_new(const char *socket, const char *manifest,
					    const struct policy *policy,
					    struct error *error) MUST_USE;
/* Readable when a person has answered, or policyd is gone. */
int daemon_authority_fd(const struct call_authority *authority);
/* Takes what has come, and calls back. False where policyd is gone: what waited has been denied,
 * and so is what comes. */
bool daemon_authority_read(struct call_authority *authority);

#endif
