// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/tables.h"
#include "manifest/manifest.h"

#define END_TIMEOUT_MS 2000

/* Every address is out on the wire: what is allowed goes nowhere, and says so by no EPERM. */
static const char network[] =
	"ip link set lo up && ip link add d0 type veth peer name d1 && "
	"ip link set d0 arp off up && ip link set d1 up && "
	"ip addr add 10.77.0.1/24 dev d0 && ip -6 addr add fd77::1/64 dev d0 nodad && "
	"ip route add default dev d0 && ip -6 route add default dev d0 && "
	"echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range";

bool world_judges_unix, world_judges_tasks;

bool world_is_possible(void)
{
	const struct enforcer_options options = {.pin_root = PIN_ROOT_DEFAULT "-test-probe"};
	struct enforcer *enforcer;
	struct error error, ignored;

	if (geteuid() != 0) {
		printf("1..0 # SKIP kernel tests need root\n");
		return false;
	}
	enforcer = enforcer_open(&options, &error);
	if (!enforcer)
		printf("1..0 # SKIP %.200s\n", error.text);
	else {
		world_judges_unix = enforcer_judges_unix(enforcer);
		world_judges_tasks = enforcer_judges_tasks(enforcer);
	}
	enforcer_close(enforcer);
	(void)!enforcer_unpin_all(options.pin_root, &ignored);
	return enforcer != NULL;
}

static void require(int result, const struct error *error)
{
	if (result < 0)
		fail_msg("%s", error->text);
}

int world_set_up(void **state)
{
	static struct world world;
	struct enforcer_options options = {.port_sets = 256, .without_tasks = true};
	char mount[PATH_MAX];
	struct error error;

	if (unshare(CLONE_NEWNET) < 0 || system(network) != 0)
		fail_msg("cannot make a network namespace");
	require(cgroup_find_mount(mount, &error), &error);
	require(file_path(world.cgroup, &error, "%s/agentpol-test-%ld", mount, (long)getpid()),
		&error);
	require(file_path(world.pins, &error, PIN_ROOT_DEFAULT "-test-%ld", (long)getpid()),
		&error);
	require(cgroup_create(world.cgroup, &error), &error);
	require(cgroup_id(world.cgroup, &world.cgroup_id, &error), &error);
	options.pin_root = world.pins;
	world.enforcer = enforcer_open(&options, &error);
	if (!world.enforcer)
		fail_msg("%s", error.text);
	require(cgroup_join(world.cgroup, &error), &error);
	*state = &world;
	return 0;
}

int world_tear_down(void **state)
{
	struct world *world = *state;
	char mount[PATH_MAX];
	struct error error;

	if (!world)
		return -1;
	(void)!cgroup_find_mount(mount, &error);
	(void)!cgroup_join(mount, &error);
	(void)!enforcer_release(world->enforcer, world->cgroup_id, &error);
	enforcer_close(world->enforcer);
	(void)!enforcer_unpin_all(world->pins, &error);
	return cgroup_end(world->cgroup, END_TIMEOUT_MS);
}

unsigned world_turns(unsigned all)
{
	const char *share = getenv("AGENTPOL_TEST_SHARE");
	const unsigned percent = share ? (unsigned)atoi(share) : 100;

	return percent >= 1 && percent < 100 ? all / 100 * percent : all;
}

struct policy *world_read(const char *manifest)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(manifest, strlen(manifest), &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		fail_msg("the test's manifest is not usable: %s", manifest);
	}
	return policy;
}

uint64_t world_put_under(struct world *world, const struct policy *policy)
{
	return world_put_under_tool(world, policy, NULL);
}

uint64_t world_put_under_tool(struct world *world, const struct policy *policy, const char *tool)
{
	struct error error;
	_cleanup_image_ struct image *image =
		image_new(policy, tool ? policy_find_tool(policy, tool) : NULL, NULL, &error);
	uint64_t id = 0, before = enforcer_policy_of(world->enforcer, world->cgroup_id);

	if (!image)
		fail_msg("%s", error.text);
	require(tables_load(world->enforcer, image, &id, &error), &error);
	if (!before) {
		require(enforcer_enrol(world->enforcer, world->cgroup, id, &error), &error);
		return id;
	}
	require(enforcer_swap(world->enforcer, world->cgroup_id, id, &error), &error);
	tables_retire(world->enforcer, before);
	if (tables_retired_count(world->enforcer) >= 32)
		tables_sweep(world->enforcer);
	return id;
}

/* IPv4 as IPv4, all else as IPv6; the length, or 0. */
static socklen_t to_sockaddr(const struct ip_address *address, uint16_t port,
			     struct sockaddr_storage *storage)
{
	struct sockaddr_in *four = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (address_is_ipv4(address)) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, address->bytes + 12, 4);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, address->bytes, 16);
	return sizeof(*six);
}

/* Without it a broadcast address is refused before any hook is asked. */
static void permit_broadcast(int fd)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
		fail_msg("SO_BROADCAST: %s", strerror(errno));
}

static int open_socket(const struct sockaddr_storage *storage, int type)
{
	int fd = socket(storage->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail_msg("socket: %s", strerror(errno));
	permit_broadcast(fd);
	return fd;
}

int attempt_connect(const struct ip_address *address, uint16_t port, int type)
{
	struct sockaddr_storage storage;
	socklen_t length = to_sockaddr(address, port, &storage);
	_cleanup_close_ int fd = open_socket(&storage, type);

	return connect(fd, (struct sockaddr *)&storage, length) < 0 ? errno : 0;
}

int attempt_sendto(const struct ip_address *address, uint16_t port)
{
	struct sockaddr_storage storage;
	socklen_t length = to_sockaddr(address, port, &storage);
	_cleanup_close_ int fd = open_socket(&storage, SOCK_DGRAM);

	return sendto(fd, "x", 1, 0, (struct sockaddr *)&storage, length) < 0 ? errno : 0;
}

int attempt_bind(const struct ip_address *address, uint16_t port, int type)
{
	struct sockaddr_storage storage;
	socklen_t length = to_sockaddr(address, port, &storage);
	_cleanup_close_ int fd = open_socket(&storage, type);

	return bind(fd, (struct sockaddr *)&storage, length) < 0 ? errno : 0;
}

int attempt_raw_packet(const struct ip_address *address, uint16_t port, uint8_t protocol)
{
	struct {
		struct iphdr ip;
		uint16_t source, destination;
		uint8_t rest[16];
	} __attribute__((packed)) packet = {0};
	struct sockaddr_in to = {.sin_family = AF_INET};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		fail_msg("raw socket: %s", strerror(errno));
	permit_broadcast(fd);
	memcpy(&to.sin_addr, address->bytes + 12, 4);
	packet.ip.version = 4;
	packet.ip.ihl = 5;
	packet.ip.ttl = 64;
	packet.ip.protocol = protocol;
	packet.ip.tot_len = htons(sizeof(packet));
	packet.ip.saddr = inet_addr("10.77.0.1");
	memcpy(&packet.ip.daddr, address->bytes + 12, 4);
	packet.source = htons(40000);
	packet.destination = htons(port);
	return sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0
		       ? errno
		       : 0;
}
