// SPDX-License-Identifier: Apache-2.0
#include "names_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/cgroup.h"

#define DNS_PORT     53
#define MESSAGE_ROOM 1024
#define PATIENCE_MS  5000
/* So many connections are kept open until others take their place. */
#define TAKEN_MAX 64

const char *const asked_names[ASKED_NAMES] = {"a.example",     "b.a.example",	 "c.b.a.example",
					      "x.b.a.example", "b.xa.example",	 "xa.example",
					      "example",       "any.example.org"};
/* The first ones are served; the last two are inward. */
const char *const asked_addresses[ASKED_ADDRESSES] = {"203.0.113.1", "203.0.113.2", "203.0.113.3",
						      "203.0.113.4", "2001:db8::1", "2001:db9::51",
						      "10.0.0.5",    "fd00::5"};
#define SERVED_ADDRESSES 5
static const uint16_t served_ports[] = {80, 443, 8000, 8443};

static const char network[] = "ip route add local 203.0.113.0/24 dev lo && "
			      "ip -6 route add local 2001:db8::/64 dev lo";

struct ip_address asked_address(size_t index)
{
	struct ip_address address;

	if (!address_parse(asked_addresses[index], &address))
		fail_msg("%s is no address", asked_addresses[index]);
	return address;
}

bool is_served(size_t address, uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(served_ports); i++)
		if (served_ports[i] == port)
			return address < SERVED_ADDRESSES;
	return false;
}

/* ---- messages ---- */

struct buffer {
	uint8_t bytes[MESSAGE_ROOM];
	size_t length;
};

static void put(struct buffer *buffer, const void *bytes, size_t length)
{
	if (buffer->length + length > sizeof(buffer->bytes))
		abort();
	memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
}

static void put16(struct buffer *buffer, size_t value)
{
	put(buffer, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_name(struct buffer *buffer, const char *name)
{
	while (*name) {
		const uint8_t length = (uint8_t)strcspn(name, ".");

		put(buffer, &length, 1);
		put(buffer, name, length);
		name += length + (name[length] == '.');
	}
	put(buffer, "", 1);
}

static void put_header(struct buffer *buffer, size_t id, size_t flags, size_t answers)
{
	put16(buffer, id);
	put16(buffer, flags);
	put16(buffer, 1);
	put16(buffer, answers);
	put16(buffer, 0);
	put16(buffer, 0);
}

static void put_question(struct buffer *buffer, const char *name, bool six)
{
	put_name(buffer, name);
	put16(buffer, six ? 28 : 1);
	put16(buffer, 1);
}

/* Behind its owner: type, class IN, a time to live of 300, data. */
static void put_record(struct buffer *buffer, size_t type, const void *data, size_t length)
{
	put16(buffer, type);
	put16(buffer, 1);
	put16(buffer, 0);
	put16(buffer, 300);
	put16(buffer, length);
	put(buffer, data, length);
}

static void put_answer(struct buffer *buffer, const struct answers *answers, size_t name, size_t id,
		       bool six)
{
	static const char alias[] = "alias.test";
	const bool by_alias = answers->by_alias[name];
	size_t count = by_alias;

	for (size_t i = 0; i < answers->count[name]; i++)
		count += strchr(asked_addresses[answers->addresses[name][i]], ':') ? six : !six;
	put_header(buffer, id, 0x8180, count);
	put_question(buffer, asked_names[name], six);
	if (by_alias) {
		struct buffer target = {.length = 0};

		put_name(&target, alias);
		put16(buffer, 0xc00c); /* a pointer to the question's name */
		put_record(buffer, 5, target.bytes, target.length);
	}
	for (size_t i = 0; i < answers->count[name]; i++) {
		const char *text = asked_addresses[answers->addresses[name][i]];
		uint8_t address[16];

		if ((strchr(text, ':') != NULL) != six)
			continue;
		(void)inet_pton(six ? AF_INET6 : AF_INET, text, address);
		if (by_alias)
			put_name(buffer, alias);
		else
			put16(buffer, 0xc00c);
		put_record(buffer, six ? 28 : 1, address, six ? 16 : 4);
	}
}

/* ---- outside the policy ---- */

/* A question has the name's number for its id. */
static void answer_one(int fd, const struct answers *answers)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	struct buffer answer = {.length = 0};
	uint8_t query[MESSAGE_ROOM];
	ssize_t got = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &length);

	if (got < 16 || query[1] >= ASKED_NAMES)
		return;
	put_answer(&answer, answers, query[1], (size_t)query[0] << 8 | query[1],
		   query[got - 3] == 28);
	(void)!sendto(fd, answer.bytes, answer.length, 0, (struct sockaddr *)&from, length);
}

static int open_resolver(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)inet_pton(AF_INET, RESOLVER, &here.sin_addr);
	return fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 ? -1 : fd;
}

static int open_server(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int off = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd;
}

/* Nothing is read, and nothing closed at once: what has left its sender stays gone. */
static void take_one(int fd)
{
	static int taken[TAKEN_MAX];
	static size_t next;
	int *place = &taken[next++ % TAKEN_MAX];

	if (*place > 0)
		(void)close(*place);
	*place = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static void serve(const struct answers *answers, int ready)
{
	struct pollfd pollers[1 + ARRAY_SIZE(served_ports)];
	char mount[PATH_MAX];
	struct error error;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cgroup_find_mount(mount, &error) < 0 || cgroup_join(mount, &error) < 0)
		_exit(1);
	for (size_t i = 0; i < ARRAY_SIZE(pollers); i++) {
		pollers[i] = (struct pollfd){.events = POLLIN};
		pollers[i].fd = i ? open_server(served_ports[i - 1]) : open_resolver();
		if (pollers[i].fd < 0)
			_exit(1);
	}
	(void)!write(ready, "r", 1);
	while (poll(pollers, ARRAY_SIZE(pollers), -1) > 0) {
		if (pollers[0].revents)
			answer_one(pollers[0].fd, answers);
		for (size_t i = 1; i < ARRAY_SIZE(pollers); i++)
			if (pollers[i].revents)
				take_one(pollers[i].fd);
	}
	_exit(1);
}

static pid_t outside;

int names_world_set_up(void **state)
{
	static struct names_world world;
	int ready[2];
	char word;

	if (world_set_up(state) < 0 || system(network) != 0 || pipe(ready) < 0)
		return -1;
	world.world = *state;
	world.answers = mmap(NULL, sizeof(*world.answers), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world.answers == MAP_FAILED)
		return -1;
	outside = fork();
	if (outside == 0)
		serve(world.answers, ready[1]);
	(void)close(ready[1]);
	if (outside < 0 || read(ready[0], &word, 1) != 1)
		fail_msg("the resolver outside does not start");
	(void)close(ready[0]);
	*state = &world;
	return 0;
}

int names_world_tear_down(void **state)
{
	struct names_world *world = *state;
	void *inner = world->world;

	(void)kill(outside, SIGKILL);
	(void)waitpid(outside, NULL, 0);
	(void)munmap(world->answers, sizeof(*world->answers));
	return world_tear_down(&inner);
}

/* ---- inside ---- */

static void wait_until(int fd, short events)
{
	struct pollfd poller = {.fd = fd, .events = events};

	if (poll(&poller, 1, PATIENCE_MS) != 1)
		fail_msg("nothing comes in %d ms", PATIENCE_MS);
}

int ask_resolver(size_t name, bool six)
{
	static uint8_t turn;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
	struct buffer query = {.length = 0};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)inet_pton(AF_INET, RESOLVER, &to.sin_addr);
	put_header(&query, (size_t)++turn << 8 | name, 0x0100, 0);
	put_question(&query, asked_names[name], six);
	if (fd < 0)
		fail_msg("socket: %s", strerror(errno));
	if (sendto(fd, query.bytes, query.length, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	wait_until(fd, POLLIN);
	return recv(fd, query.bytes, sizeof(query.bytes), 0) < 0 ? errno : 0;
}

/* RFC 8446, 4.1.2, with the one extension that matters (RFC 6066, 3). */
static void put_hello(struct buffer *hello, const char *server)
{
	const size_t name = strlen(server), list = name + 3, extension = list + 2;
	const size_t body = 2 + 32 + 1 + 4 + 2 + 2 + 4 + extension;
	const uint8_t random[32] = {0};

	put(hello, "\x16\x03\x01", 3);
	put16(hello, body + 4);
	put(hello, "\x01\x00", 2);
	put16(hello, body);
	put16(hello, 0x0303);
	put(hello, random, sizeof(random));
	put(hello, "\x00\x00\x02\x13\x01\x01\x00", 7); /* session, one suite, no compression */
	put16(hello, 4 + extension);
	put16(hello, 0);
	put16(hello, extension);
	put16(hello, list);
	put(hello, "", 1);
	put16(hello, name);
	put(hello, server, name);
}

int attempt_connected_send(const struct ip_address *address, uint16_t port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&to.sin6_addr, address->bytes, sizeof(to.sin6_addr));
	if (fd < 0)
		fail_msg("socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return send(fd, "x", 1, 0) < 0 ? errno : 0;
}

static int connect_there(const struct ip_address *address, uint16_t port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(&to.sin6_addr, address->bytes, sizeof(to.sin6_addr));
	if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS))
		fail_msg("connect: %s", strerror(errno));
	wait_until(fd, POLLOUT);
	return fd;
}

int greet(size_t address, uint16_t port, const char *server)
{
	const struct linger reset = {.l_onoff = 1};
	const struct ip_address to = asked_address(address);
	struct buffer hello = {.length = 0};
	_cleanup_close_ int fd = connect_there(&to, port);
	int left = -1;

	put_hello(&hello, server);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (send(fd, hello.bytes, hello.length, MSG_NOSIGNAL) != (ssize_t)hello.length ||
	    ioctl(fd, SIOCOUTQNSD, &left) < 0)
		fail_msg("send: %s", strerror(errno));
	/* A segment that a program refuses goes back to the queue (tcp_write_xmit() in
	 * net/ipv4/tcp_output.c). */
	return left ? EPERM : 0;
}
