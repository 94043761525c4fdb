/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS from the guard to a server, as libpq does it: "verify-full" holds the certificate against the
 * manifest's CA (or the system's) and against the name in the manifest; "require" encrypts alone.
 * Called by the gateway's relays; what is read before a root directory is taken away is in a
 * tls_trust, made once.
 */
#ifndef AGENTPOL_SQL_UPSTREAM_TLS_H
#define AGENTPOL_SQL_UPSTREAM_TLS_H

#include <openssl/ssl.h>

#include "base/error.h"
#include "policy/policy.h"

struct tls_trust;
struct upstream_tls;

/* The system's certificates; none is no error (each policy then needs a CA of its own). */
struct tls_trust *tls_trust_new(void) MUST_USE;
void tls_trust_free(struct tls_trust *trust);

/* What holds for a policy's servers. `ca`: PEM, or NULL for the system's. `host`: its name or
 * address in the manifest; NULL for a Unix socket. Both are read here alone. */
struct upstream_tls *upstream_tls_new(const struct tls_trust *trust, enum sql_tls mode,
				      const char *host, const char *ca, size_t ca_length,
				      struct error *error) MUST_USE;
/* Accepts NULL. */
void upstream_tls_free(struct upstream_tls *tls);

/* Is TLS wanted, for a server that is on this machine, or not? */
bool upstream_tls_wanted(const struct upstream_tls *tls, bool local);
/* A connection over `fd`, which stays the caller's; NULL when out of memory. SSL_free. */
SSL *upstream_tls_start(const struct upstream_tls *tls, int fd) MUST_USE;

enum tls_progress { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_FAILED };
/* One step of the handshake; where it fails, the sentence for the client is in *error. */
enum tls_progress upstream_tls_handshake(SSL *ssl, struct error *error);

/* As read(2) and write(2), without waiting: -EAGAIN, -EPIPE for all that went wrong, 0 at the end. */
ssize_t upstream_tls_read(SSL *ssl, void *bytes, size_t length);
ssize_t upstream_tls_write(SSL *ssl, const void *bytes, size_t length);

#endif
