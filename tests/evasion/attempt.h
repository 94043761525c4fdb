/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attempt is a content and a carrier: what is to get out, and the way that its bytes take.
 * main.c puts the two together; dns_content.c and tls_content.c build, the carriers_*.c send.
 */
#ifndef TESTS_EVASION_ATTEMPT_H
#define TESTS_EVASION_ATTEMPT_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES_MAX	  70000 /* more than any message has: a length of 16 bits and its prefix */
#define LABEL_MAX	  63
#define PATIENCE_MS	  1500 /* how long an answer is waited for */

struct bytes {
	uint8_t at[BYTES_MAX];
	size_t length;
};

/* What a content is built of. */
struct words {
	const char *label; /* the token, or as many harmless letters */
	bool twin;	   /* build what is granted, byte by byte as long as what is not */
	const char *name;  /* the granted name that goes with the attempt, or "" */
	unsigned number;   /* the parameter behind the colon: dns.type:16 */
};

struct parcel {
	struct bytes wanted; /* what is to get out */
	struct bytes twin;   /* as long, and granted: what a carrier sends before or instead */
	bool framed;	     /* wanted starts with DNS over TCP's length */
};

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

struct attempt {
	struct endpoint to;
	struct parcel *parcel;
};

typedef int (*content_build)(struct bytes *out, const struct words *words);

struct content {
	const char *name;
	content_build build;
	bool has_no_token; /* says its bytes on standard output, for the judge to look for */
};

struct carrier {
	const char *name;
	int (*send)(const struct attempt *attempt);
	bool is_stream;
};

extern const struct content dns_contents[], tls_contents[];
extern const size_t dns_content_count, tls_content_count;
extern const struct carrier udp_carriers[], tcp_carriers[], raw_carriers[];
extern const size_t udp_carrier_count, tcp_carrier_count, raw_carrier_count;

/* ---- bytes.c ---- */
void bytes_put(struct bytes *bytes, const void *data, size_t length);
void bytes_put8(struct bytes *bytes, unsigned value);
void bytes_put16(struct bytes *bytes, unsigned value);
void bytes_put24(struct bytes *bytes, unsigned value);
void bytes_put_text(struct bytes *bytes, const char *text);
void bytes_fill(struct bytes *bytes, uint8_t value, size_t length);
/* Room for a length that is written when what it counts is there. */
size_t bytes_open(struct bytes *bytes, size_t width);
void bytes_close(struct bytes *bytes, size_t at, size_t width);

/* ---- sockets.c: negative errno on failure ---- */
int endpoint_parse(struct endpoint *endpoint, const char *address, const char *port);
void endpoint_map(struct endpoint *mapped, const struct endpoint *four);
struct sockaddr *to_sockaddr(const struct endpoint *endpoint);
int family_of(const struct endpoint *endpoint);
uint16_t port_of(const struct endpoint *endpoint);
int open_socket(int family, int type, int protocol);
/* For the judge: the port that the first connection came from. */
void tell_port(int fd);
int connect_to(int fd, const struct endpoint *to);
int open_connected(const struct endpoint *to, int type, int protocol);
int send_all(int fd, const void *data, size_t length, int flags);
int send_to(int fd, const struct bytes *bytes, const struct endpoint *to);
int set_option(int fd, int level, int name, int value);
/* Until something can be read, or patience ends. */
int await_readable(int fd);
/* Says that no more comes, and reads until the other side does, too. */
int finish_stream(int fd);
uint16_t internet_checksum(const void *data, size_t length, uint32_t start);
/* Asks a resolver for a record of NAME, by TCP or UDP; 0 when an answer came. */
int ask(const struct endpoint *resolver, const char *name, unsigned type, bool by_stream);

/* ---- dns_content.c, for those who ask ---- */
void dns_put_name(struct bytes *out, const char *name);
void dns_put_query(struct bytes *out, const char *name, unsigned type);

/* ---- load.c: many at once ---- */
int load_flood(char **words);
int load_connects(char **words);
int load_pour(char **words);

#endif
