/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a URL in an argument leads, read so strictly that no client can read it otherwise: what
 * browsers, curl and Python's urllib take differently is refused, not guessed.
 */
#ifndef AGENTPOL_CALL_URL_H
#define AGENTPOL_CALL_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/address.h"
#include "policy/policy.h"

struct url {
	char host[HOST_NAME_MAX_BYTES +
		  1]; /* lower case, no root's dot; "" where it is an address */
	struct ip_address address;
	uint16_t ports[2]; /* one; two where there is no scheme: 443 and 80 */
	unsigned port_count;
};

/* False, with a sentence in *fault (static), where it is no URL that has one meaning. */
bool url_read(const char *text, struct url *url, const char **fault);

#endif
