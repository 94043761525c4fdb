// SPDX-License-Identifier: Apache-2.0
#include "tools/named.h"

#include <arpa/inet.h>
#include <string.h>

#include "tools/bench.h"

#define NAME_ROOM 64
/* So that nothing runs out during a benchmark. */
#define TTL_SECONDS 86400

void named_route(void)
{
	/* Or what Linux remembers of each peer would be measured, too. */
	bench_command("ip route add local 11.0.0.0/8 dev lo && "
		      "sysctl -qw net.ipv4.tcp_no_metrics_save=1");
}

/* Some share their last labels, as names of a vendor do. */
static void name_at(size_t number, char name[NAME_ROOM])
{
	static const char *const kinds[] = {"api", "www", "cdn", "static", "auth"};

	(void)snprintf(name, NAME_ROOM, "%s-%zu.vendor%zu.example",
		       kinds[number % (sizeof(kinds) / sizeof(kinds[0]))], number,
		       number * 7919 % 1000);
}

char *named_manifest(size_t names, size_t *length)
{
	char *text, name[NAME_ROOM];
	FILE *out = open_memstream(&text, length);

	if (!out)
		bench_die(NULL, "memory");
	(void)fprintf(out,
		      "{\"agentpol\":1,\"name\":\"bench\",\"network\":{\"egress\":["
		      "{\"to\":\"" NAMED_BY_ADDRESS "\",\"ports\":[%d,%d]}",
		      NAMED_HELLO_PORT, NAMED_FREE_PORT);
	for (size_t i = 0; i < names; i++) {
		name_at(i, name);
		(void)fprintf(out,
			      ",{\"to\":\"%s\",\"ports\":[%d]}"
			      ",{\"to\":\"%s\",\"ports\":[%d],\"sni\":\"ignore\"}",
			      name, NAMED_HELLO_PORT, name, NAMED_FREE_PORT);
	}
	(void)fprintf(out, "]%s}}", names ? ",\"resolvers\":[\"" NAMED_RESOLVER "\"]" : "");
	if (fclose(out) != 0)
		bench_die(NULL, "memory");
	return text;
}

struct in_addr named_address(size_t number)
{
	return (struct in_addr){.s_addr = htonl(0x0b000000U + (uint32_t)number)};
}

/* ---- bytes ---- */

static void put(struct packet *packet, const void *bytes, size_t length)
{
	memcpy(packet->bytes + packet->length, bytes, length);
	packet->length = (uint16_t)(packet->length + length);
}

static void put8(struct packet *packet, size_t value)
{
	const uint8_t byte = (uint8_t)value;

	put(packet, &byte, 1);
}

static void put16(struct packet *packet, size_t value)
{
	put8(packet, value >> 8);
	put8(packet, value);
}

static void put_zeros(struct packet *packet, size_t length)
{
	memset(packet->bytes + packet->length, 0, length);
	packet->length = (uint16_t)(packet->length + length);
}

/* ---- DNS ---- */

void named_question(size_t name, uint16_t id, struct packet *packet)
{
	char text[NAME_ROOM];

	name_at(name, text);
	packet->length = 0;
	put16(packet, id);
	put16(packet, 0x0100); /* recursion desired */
	put16(packet, 1);
	put_zeros(packet, 6);
	for (const char *label = text; *label;) {
		const size_t length = strcspn(label, ".");

		put8(packet, length);
		put(packet, label, length);
		label += length + (label[length] == '.');
	}
	put8(packet, 0);
	put16(packet, 1); /* A */
	put16(packet, 1); /* IN */
}

void named_answer(const struct packet *question, size_t name, size_t names, size_t count,
		  struct packet *packet)
{
	*packet = *question;
	packet->bytes[2] = 0x81;
	packet->bytes[3] = 0x80;
	packet->bytes[7] = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		const struct in_addr address = named_address(name + i * names);

		put16(packet, 0xc00c); /* the name of the question */
		put16(packet, 1);
		put16(packet, 1);
		put16(packet, TTL_SECONDS >> 16);
		put16(packet, TTL_SECONDS & 0xffff);
		put16(packet, sizeof(address));
		put(packet, &address, sizeof(address));
	}
}

/* ---- TLS ---- */

static void put_extension(struct packet *packet, size_t type, size_t length)
{
	put16(packet, type);
	put16(packet, length);
	put_zeros(packet, length);
}

/* The extensions of a usual client, in its order; what is in them but the name is read by nobody
 * here. The last one pads. */
void named_hello(size_t name, struct packet *packet)
{
	static const struct {
		uint16_t type, length;
	} others[] = {{11, 4}, {10, 22}, {35, 0}, {16, 14}, {22, 0},
		      {23, 0}, {13, 48}, {43, 5}, {45, 2},  {51, 38}};
	char text[NAME_ROOM];
	size_t length;

	name_at(name, text);
	length = strlen(text);
	packet->length = 0;
	put8(packet, 22);
	put16(packet, 0x0301);
	put16(packet, NAMED_HELLO_BYTES - 5);
	put8(packet, 1);
	put8(packet, 0);
	put16(packet, NAMED_HELLO_BYTES - 9);
	put16(packet, 0x0303);
	put_zeros(packet, 32);
	put8(packet, 32);
	put_zeros(packet, 32);
	put16(packet, 30);
	put_zeros(packet, 30);
	put8(packet, 1);
	put8(packet, 0);
	put16(packet, (size_t)NAMED_HELLO_BYTES - packet->length - 2);
	put16(packet, 0);
	put16(packet, length + 5);
	put16(packet, length + 3);
	put8(packet, 0);
	put16(packet, length);
	put(packet, text, length);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		put_extension(packet, others[i].type, others[i].length);
	put_extension(packet, 21, (size_t)NAMED_HELLO_BYTES - packet->length - 4);
}
