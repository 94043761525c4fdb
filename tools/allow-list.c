// SPDX-License-Identifier: Apache-2.0
#include "tools/allow-list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "tools/bench.h"
#include "tools/wire.h"

struct entry {
	char to[32];
	unsigned first_port, last_port;
};

static struct entry entry_at(enum allow_shape shape, size_t i)
{
	static const char *const servers[] = {WIRE_SERVER, WIRE_SERVER_2};
	struct entry entry = {.first_port = WIRE_PORT, .last_port = WIRE_PORT};

	if (i < sizeof(servers) / sizeof(servers[0])) {
		(void)snprintf(entry.to, sizeof(entry.to), "%s", servers[i]);
		return entry;
	}
	entry.first_port = entry.last_port = 443;
	(void)snprintf(entry.to, sizeof(entry.to), "11.%zu.%zu.7", i >> 8, i & 255);
	if (shape == ALLOW_PREFIXES) {
		entry.first_port = 8000;
		entry.last_port = 8100;
		(void)snprintf(entry.to, sizeof(entry.to), "11.%zu.%zu.0/24", i >> 8, i & 255);
	}
	return entry;
}

char *allow_list_manifest(enum allow_shape shape, size_t rules, size_t *length)
{
	char *text;
	FILE *out = open_memstream(&text, length);

	if (!out)
		bench_die(NULL, "memory");
	(void)fputs("{\"agentpol\":1,\"name\":\"bench\",\"network\":{\"egress\":[", out);
	for (size_t i = 0; i < rules; i++) {
		const struct entry entry = entry_at(shape, i);

		(void)fprintf(out,
			      "%s{\"to\":\"%s\",\"ports\":[\"%u-%u\"],\"proto\":[\"tcp\",\"udp\"]}",
			      i ? "," : "", entry.to, entry.first_port, entry.last_port);
	}
	(void)fputs("]}}", out);
	if (fclose(out) != 0)
		bench_die(NULL, "memory");
	return text;
}

static void print_element(FILE *out, const struct entry *entry)
{
	(void)fprintf(out, "%s . %u", entry->to, entry->first_port);
	if (entry->last_port > entry->first_port)
		(void)fprintf(out, "-%u", entry->last_port);
	(void)fputs(", ", out);
}

static void print_ruleset(FILE *out, enum allow_shape shape, size_t rules, const char *cgroup,
			  unsigned level)
{
	(void)fprintf(out,
		      "table inet agentpol_bench {\nset granted {\n"
		      "type ipv4_addr . inet_service\n%selements = { ",
		      shape == ALLOW_PREFIXES ? "flags interval\n" : "");
	for (size_t i = 0; i < rules; i++) {
		const struct entry entry = entry_at(shape, i);

		print_element(out, &entry);
	}
	/* nft puts "/sys/fs/cgroup/" in front, wherever the mount is. */
	(void)fprintf(out,
		      "}\n}\n"
		      "chain agent {\n"
		      "meta l4proto { tcp, udp } ip daddr . th dport @granted accept\n"
		      "drop\n}\n"
		      "chain output {\n"
		      "type filter hook output priority filter; policy accept;\n"
		      "socket cgroupv2 level %u \"../../..%s\" goto agent\n}\n}\n",
		      level, cgroup);
}

const char *allow_list_load(enum allow_shape shape, size_t rules, const char *cgroup)
{
	static char said[256];
	char mount[PATH_MAX], command[64];
	struct error error;
	int text = memfd_create("nft", 0);
	FILE *out = text < 0 ? NULL : fdopen(dup(text), "w");
	FILE *nft;

	if (!out || cgroup_find_mount(mount, &error) < 0)
		return "no room for its rules, or no cgroups";
	print_ruleset(out, shape, rules, cgroup, cgroup_level(mount, cgroup));
	(void)fclose(out);
	(void)snprintf(command, sizeof(command), "exec nft -f /dev/fd/%d 2>&1", text);
	nft = popen(command, "re");
	if (!nft || !fgets(said, sizeof(said), nft))
		said[0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	(void)close(text);
	if (nft && pclose(nft) == 0)
		return NULL;
	return said[0] ? said : "nft could not be run";
}

void allow_list_unload(void)
{
	bench_command("nft delete table inet agentpol_bench");
}
