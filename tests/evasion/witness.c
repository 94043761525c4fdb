// SPDX-License-Identifier: Apache-2.0
/*
 * The judge of the evasion suite. It sees every packet that comes to the far end, whoever listens
 * there, puts TCP's bytes together again, and writes down what it finds.
 *
 *   witness DIR
 *
 * DIR/witness     a line for each token the first time that it comes to an address and port:
 *                 PROTOCOL ADDRESS PORT TOKEN
 *                 and one for the first byte of each TCP connection: payload ADDRESS PORT FROM-PORT
 * DIR/datagrams   messages to port 53 by UDP and TCP, in hexadecimal, one a line
 * DIR/totals      at SIGUSR1: PROTOCOL ADDRESS PORT PACKETS BYTES, bytes without headers
 *
 * A token is "tk-" and twelve letters or digits, in whatever case.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <search.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <poll.h>
#include <unistd.h>

#define PACKET_MAX   70000
#define TOKEN_LENGTH 15
#define HEX_MAX	     700 /* longer datagrams have tokens */
#define STREAM_MAX   (1U << 18)
#define STREAM_STEP  4096U
#define NAMES_MAX    131072 /* distinct lines */
#define FLOWS_MAX    65536
#define TOTALS_MAX   4096
#define CAPTURE_ROOM (1 << 26)

struct packet {
	const uint8_t *bytes; /* from the IP header on */
	size_t length;
	char to[INET6_ADDRSTRLEN];
	uint8_t protocol;
	const uint8_t *body; /* behind IP's headers; NULL where there is none to be read */
	size_t body_length;
	bool later_fragment;
	char flow[40]; /* both addresses and ports, as a key */
	size_t flow_length;
};

/* What came of one direction of a TCP connection. */
struct stream {
	char key[40];
	size_t key_length;
	uint32_t start; /* sequence number of the first byte */
	uint8_t *bytes; /* owned */
	size_t room, length;
	size_t framed; /* bytes that have been read as DNS messages */
	bool told;
};

struct total {
	char key[80];
	unsigned long packets, bytes;
};

struct witness {
	FILE *lines, *datagrams;
	const char *folder;
	struct hsearch_data seen;
	struct stream *streams; /* open addressing by key */
	struct total totals[TOTALS_MAX];
	size_t total_count;
};

/* ---- lines ---- */

/* True the first time. */
static bool is_new(struct witness *witness, const char *line)
{
	ENTRY entry = {.key = strdup(line)}, *found;

	if (!entry.key)
		return false;
	if (hsearch_r(entry, FIND, &found, &witness->seen)) {
		free(entry.key);
		return false;
	}
	/* Where the table is full, rather twice than never. */
	(void)hsearch_r(entry, ENTER, &found, &witness->seen);
	return true;
}

static void tell(struct witness *witness, const char *line)
{
	if (!is_new(witness, line))
		return;
	(void)fprintf(witness->lines, "%s\n", line);
	(void)fflush(witness->lines);
}

static int lower(int byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

static bool is_token(const uint8_t *at)
{
	if (lower(at[0]) != 't' || lower(at[1]) != 'k' || at[2] != '-')
		return false;
	for (int i = 3; i < TOKEN_LENGTH; i++)
		if (!((lower(at[i]) >= 'a' && lower(at[i]) <= 'z') ||
		      (at[i] >= '0' && at[i] <= '9')))
			return false;
	return true;
}

static void find_tokens(struct witness *witness, const char *where, const uint8_t *bytes,
			size_t length)
{
	char line[160];

	for (size_t i = 0; i + TOKEN_LENGTH <= length; i++) {
		size_t used;

		if (!is_token(bytes + i))
			continue;
		used = (size_t)snprintf(line, sizeof(line), "%s ", where);
		for (size_t j = 0; j < TOKEN_LENGTH && used < sizeof(line) - 1; j++)
			line[used++] = (char)lower(bytes[i + j]);
		line[used] = '\0';
		tell(witness, line);
	}
}

static void tell_message(struct witness *witness, const uint8_t *bytes, size_t length)
{
	if (length > HEX_MAX)
		return;
	for (size_t i = 0; i < length; i++)
		(void)fprintf(witness->datagrams, "%02x", bytes[i]);
	(void)fputc('\n', witness->datagrams);
	(void)fflush(witness->datagrams);
}

/* ---- packets ---- */

/* Behind the headers that IPv6 puts in front (RFC 8200, 4). */
static void skip_extensions(struct packet *packet, size_t *header)
{
	for (int i = 0; i < 8 && *header + 8 <= packet->length; i++) {
		const uint8_t *at = packet->bytes + *header;

		switch (packet->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			*header += ((size_t)at[1] + 1) * 8;
			break;
		case IPPROTO_FRAGMENT:
			packet->later_fragment = (at[2] << 8 | (at[3] & 0xf8)) != 0;
			*header += 8;
			break;
		default:
			return;
		}
		packet->protocol = at[0];
	}
}

static bool packet_read(struct packet *packet, const uint8_t *bytes, size_t length)
{
	const bool four = length >= 20 && bytes[0] >> 4 == 4;
	const size_t addresses = four ? 8 : 32;
	size_t header;

	if (!four && (length < sizeof(struct ip6_hdr) || bytes[0] >> 4 != 6))
		return false;
	*packet = (struct packet){.bytes = bytes, .length = length};
	header = four ? (size_t)(bytes[0] & 15) * 4 : sizeof(struct ip6_hdr);
	packet->protocol = bytes[four ? 9 : 6];
	(void)inet_ntop(four ? AF_INET : AF_INET6, bytes + (four ? 16 : 24), packet->to,
			sizeof(packet->to));
	if (four)
		packet->later_fragment = ((bytes[6] & 0x1f) << 8 | bytes[7]) != 0;
	else
		skip_extensions(packet, &header);
	if (packet->later_fragment || length < header + 8)
		return true;
	packet->body = bytes + header;
	packet->body_length = length - header;
	memcpy(packet->flow, bytes + (four ? 12 : 8), addresses);
	memcpy(packet->flow + addresses, packet->body, 4);
	packet->flow_length = addresses + 4;
	return true;
}

static unsigned read16(const uint8_t *at)
{
	return (unsigned)(at[0] << 8 | at[1]);
}

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)read16(at) << 16 | read16(at + 2);
}

static bool has_ports(const struct packet *packet)
{
	return packet->body &&
	       (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP ||
		packet->protocol == IPPROTO_UDPLITE);
}

static const char *protocol_name(uint8_t protocol, char room[8])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		(void)snprintf(room, 8, "%u", protocol);
		return room;
	}
}

static void place_of(const struct packet *packet, char room[96])
{
	char number[8];

	(void)snprintf(room, 96, "%s %s %u", protocol_name(packet->protocol, number), packet->to,
		       has_ports(packet) ? read16(packet->body + 2) : 0);
}

static void count(struct witness *witness, const char *place, size_t bytes)
{
	size_t i = 0;

	while (i < witness->total_count && strcmp(witness->totals[i].key, place) != 0)
		i++;
	if (i == TOTALS_MAX)
		return;
	if (i == witness->total_count) {
		(void)snprintf(witness->totals[i].key, sizeof(witness->totals[i].key), "%.79s",
			       place);
		witness->total_count++;
	}
	witness->totals[i].packets++;
	witness->totals[i].bytes += bytes;
}

/* ---- TCP ---- */

static uint32_t hash_of(const char *key, size_t length)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)key[i]) * 16777619U;
	return hash;
}

static struct stream *stream_of(struct witness *witness, const struct packet *packet)
{
	uint32_t slot = hash_of(packet->flow, packet->flow_length);

	for (size_t i = 0; i < FLOWS_MAX; i++) {
		struct stream *stream = &witness->streams[(slot + i) % FLOWS_MAX];

		if (!stream->key_length) {
			memcpy(stream->key, packet->flow, packet->flow_length);
			stream->key_length = packet->flow_length;
			stream->start = read32(packet->body + 4);
			return stream;
		}
		if (stream->key_length == packet->flow_length &&
		    memcmp(stream->key, packet->flow, packet->flow_length) == 0)
			return stream;
	}
	return NULL;
}

/* The port is used again: what came before is another connection's. */
static void stream_restart(struct stream *stream, uint32_t start)
{
	stream->start = start;
	stream->length = stream->framed = 0;
	stream->told = false;
}

static bool stream_put(struct stream *stream, size_t at, const uint8_t *bytes, size_t length)
{
	const size_t end = at + length;

	if (end > STREAM_MAX)
		return false;
	if (end > stream->room) {
		const size_t room = (end + STREAM_STEP) & ~(size_t)(STREAM_STEP - 1);
		uint8_t *larger = realloc(stream->bytes, room);

		if (!larger)
			return false;
		memset(larger + stream->room, 0, room - stream->room);
		stream->bytes = larger;
		stream->room = room;
	}
	memcpy(stream->bytes + at, bytes, length);
	if (end > stream->length)
		stream->length = end;
	return true;
}

/* DNS messages behind their lengths, as far as they are whole. */
static void take_messages(struct witness *witness, struct stream *stream)
{
	while (stream->length >= stream->framed + 2) {
		const uint8_t *at = stream->bytes + stream->framed;
		const size_t length = read16(at);

		if (stream->length < stream->framed + 2 + length)
			return;
		tell_message(witness, at + 2, length);
		stream->framed += 2 + length;
	}
}

static size_t take_segment(struct witness *witness, const struct packet *packet, const char *place)
{
	const uint8_t *tcp = packet->body;
	const size_t header = packet->body_length > 13 ? (size_t)(tcp[12] >> 4) * 4 : 0;
	struct stream *stream;
	size_t length, at, from;
	uint32_t number;
	bool opens;

	if (header < 20 || header > packet->body_length)
		return 0;
	opens = (tcp[13] & 0x12) == 0x02; /* SYN without ACK */
	length = packet->body_length - header;
	stream = stream_of(witness, packet);
	if (!stream)
		return length;
	number = read32(tcp + 4) + (opens ? 1 : 0);
	if (opens && stream->start != number)
		stream_restart(stream, number);
	if (!length)
		return 0;
	at = number - stream->start;
	if (!stream_put(stream, at, tcp + header, length))
		return length;
	if (!stream->told) {
		stream->told = true;
		/* Told each time: a port may be used again. */
		(void)fprintf(witness->lines, "payload %s %u %u\n", packet->to, read16(tcp + 2),
			      read16(tcp));
	}
	if (read16(tcp + 2) == 53)
		take_messages(witness, stream);
	from = at > TOKEN_LENGTH ? at - TOKEN_LENGTH : 0;
	find_tokens(witness, place, stream->bytes + from,
		    (stream->length < at + length + TOKEN_LENGTH ? stream->length
								 : at + length + TOKEN_LENGTH) -
			    from);
	return length;
}

/* ---- UDP ---- */

static size_t take_datagram(struct witness *witness, const struct packet *packet)
{
	const uint8_t *payload = packet->body + sizeof(struct udphdr);
	const size_t length = packet->body_length - sizeof(struct udphdr);

	if (read16(packet->body + 2) == 53)
		tell_message(witness, payload, length);
	return length;
}

static void take_packet(struct witness *witness, const uint8_t *bytes, size_t length)
{
	struct packet packet;
	char place[96];
	size_t counted;

	if (!packet_read(&packet, bytes, length))
		return;
	place_of(&packet, place);
	find_tokens(witness, place, bytes, length);
	counted = packet.body ? packet.body_length : length;
	if (packet.body && packet.protocol == IPPROTO_TCP)
		counted = take_segment(witness, &packet, place);
	else if (packet.body && packet.protocol == IPPROTO_UDP)
		counted = take_datagram(witness, &packet);
	count(witness, place, counted);
}

/* ---- the loop ---- */

static void write_totals(const struct witness *witness)
{
	char path[4096], ready[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/totals.new", witness->folder);
	(void)snprintf(ready, sizeof(ready), "%s/totals", witness->folder);
	file = fopen(path, "we");
	if (!file)
		return;
	for (size_t i = 0; i < witness->total_count; i++)
		(void)fprintf(file, "%s %lu %lu\n", witness->totals[i].key,
			      witness->totals[i].packets, witness->totals[i].bytes);
	if (fclose(file) == 0)
		(void)rename(path, ready);
}

static int open_capture(void)
{
	const int room = CAPTURE_ROOM;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return fd;
}

static void receive(struct witness *witness, int capture, unsigned loopback)
{
	static uint8_t bytes[PACKET_MAX];
	struct sockaddr_ll from;
	socklen_t room = sizeof(from);
	const ssize_t length =
		recvfrom(capture, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &room);

	if (length > 0 && from.sll_pkttype != PACKET_OUTGOING &&
	    (unsigned)from.sll_ifindex != loopback)
		take_packet(witness, bytes, (size_t)length);
}

static FILE *open_in(const char *folder, const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return fopen(path, "ae");
}

int main(int argc, char **argv)
{
	static struct witness witness;
	struct signalfd_siginfo signalled;
	struct pollfd sources[2];
	const unsigned loopback = if_nametoindex("lo");
	sigset_t asked;

	if (argc != 2)
		return 2;
	witness.folder = argv[1];
	witness.lines = open_in(argv[1], "witness");
	witness.datagrams = open_in(argv[1], "datagrams");
	witness.streams = calloc(FLOWS_MAX, sizeof(*witness.streams));
	(void)sigemptyset(&asked);
	(void)sigaddset(&asked, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &asked, NULL);
	sources[0] = (struct pollfd){.fd = open_capture(), .events = POLLIN};
	sources[1] = (struct pollfd){.fd = signalfd(-1, &asked, SFD_CLOEXEC), .events = POLLIN};
	if (!witness.lines || !witness.datagrams || !witness.streams ||
	    !hcreate_r(NAMES_MAX, &witness.seen) || sources[0].fd < 0 || sources[1].fd < 0) {
		perror("witness");
		return 2;
	}
	tell(&witness, "ready");
	for (;;) {
		if (poll(sources, 2, -1) < 0)
			continue;
		if (sources[0].revents)
			receive(&witness, sources[0].fd, loopback);
		else if (sources[1].revents &&
			 read(sources[1].fd, &signalled, sizeof(signalled)) > 0)
			write_totals(&witness);
	}
}
