// SPDX-License-Identifier: Apache-2.0
#include "sql/upstream_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "policy/address.h"

struct tls_trust {
	X509_STORE *store;
};

struct upstream_tls {
	SSL_CTX *context;
	enum sql_tls mode;
	char host[HOST_NAME_MAX_BYTES + 1]; /* "": none */
	bool is_address;
};

struct tls_trust *tls_trust_new(void)
{
	struct tls_trust *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return NULL;
	trust->store = X509_STORE_new();
	if (!trust->store) {
		free(trust);
		return NULL;
	}
	/* The file is read here; the directory would be read later, when it is out of reach. */
	(void)X509_STORE_load_file(trust->store, X509_get_default_cert_file());
	(void)X509_STORE_load_file(trust->store, "/etc/ssl/certs/ca-certificates.crt");
	ERR_clear_error();
	return trust;
}

void tls_trust_free(struct tls_trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	free(trust);
}

/* Every certificate of a PEM text. */
static int load_ca(SSL_CTX *context, const char *ca, size_t length, struct error *error)
{
	BIO *bio = BIO_new_mem_buf(ca, (int)length);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509 *certificate;
	size_t count = 0;

	while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, certificate) == 1;
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (count == 0)
		return error_set(error, STATUS_UNUSABLE, "the CA file has no certificate");
	return 0;
}

struct upstream_tls *upstream_tls_new(const struct tls_trust *trust, enum sql_tls mode,
				      const char *host, const char *ca, size_t ca_length,
				      struct error *error)
{
	struct upstream_tls *tls = calloc(1, sizeof(*tls));
	struct ip_address address;

	if (!tls) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	tls->mode = mode;
	if (host) {
		(void)snprintf(tls->host, sizeof(tls->host), "%s", host);
		tls->is_address = address_parse(host, &address);
	}
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context) {
		upstream_tls_free(tls);
		(void)error_set(error, STATUS_SYSTEM, "OpenSSL: no context");
		return NULL;
	}
	(void)SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
							SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
						     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						     SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	if (mode == TLS_REQUIRE && !ca) {
		SSL_CTX_set_verify(tls->context, SSL_VERIFY_NONE, NULL);
		return tls;
	}
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	if (!ca) {
		SSL_CTX_set1_cert_store(tls->context, trust->store);
	} else if (load_ca(tls->context, ca, ca_length, error) < 0) {
		upstream_tls_free(tls);
		return NULL;
	}
	return tls;
}

void upstream_tls_free(struct upstream_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

bool upstream_tls_wanted(const struct upstream_tls *tls, bool local)
{
	return tls->mode == TLS_UNSET ? !local : tls->mode != TLS_DISABLE;
}

SSL *upstream_tls_start(const struct upstream_tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->context);
	bool ok;

	if (!ssl)
		return NULL;
	ok = SSL_set_fd(ssl, fd) == 1;
	if (ok && tls->host[0] && !tls->is_address)
		ok = SSL_set_tlsext_host_name(ssl, tls->host) == 1;
	/* With "require" and a CA, libpq checks the chain and not the name. */
	if (ok && tls->mode != TLS_REQUIRE) {
		if (tls->is_address)
			ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->host) == 1;
		else if (tls->host[0]) {
			SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
			ok = SSL_set1_host(ssl, tls->host) == 1;
		}
	}
	SSL_set_connect_state(ssl);
	if (ok)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

enum tls_progress upstream_tls_handshake(SSL *ssl, struct error *error)
{
	int result, what;
	long verified;

	ERR_clear_error();
	result = SSL_do_handshake(ssl);
	if (result == 1)
		return TLS_DONE;
	what = SSL_get_error(ssl, result);
	if (what == SSL_ERROR_WANT_READ)
		return TLS_WANTS_READ;
	if (what == SSL_ERROR_WANT_WRITE)
		return TLS_WANTS_WRITE;
	verified = SSL_get_verify_result(ssl);
	if (verified != X509_V_OK) {
		(void)error_set(error, STATUS_SYSTEM,
				"the server's certificate is not accepted: %s",
				X509_verify_cert_error_string(verified));
	} else {
		char reason[160] = "the connection was closed";
		unsigned long code = ERR_get_error();

		if (code)
			ERR_error_string_n(code, reason, sizeof(reason));
		(void)error_set(error, STATUS_SYSTEM, "TLS with the server failed: %s", reason);
	}
	ERR_clear_error();
	return TLS_FAILED;
}

static ssize_t as_errno(SSL *ssl, int result)
{
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		ERR_clear_error();
		return -EPIPE;
	}
}

ssize_t upstream_tls_read(SSL *ssl, void *bytes, size_t length)
{
	int got;

	ERR_clear_error();
	got = SSL_read(ssl, bytes, (int)length);
	return got > 0 ? got : as_errno(ssl, got);
}

ssize_t upstream_tls_write(SSL *ssl, const void *bytes, size_t length)
{
	ssize_t result;
	int put;

	ERR_clear_error();
	put = SSL_write(ssl, bytes, (int)(length > 1U << 20 ? 1U << 20 : length));
	if (put > 0)
		return put;
	result = as_errno(ssl, put);
	return result == 0 ? -EPIPE : result;
}
