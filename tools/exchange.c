// SPDX-License-Identifier: Apache-2.0
#include "tools/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "tools/bench.h"
#include "tools/named.h"

#define TIMES_MAX      20000
#define PATIENCE_S     5
#define REFUSED_MS     100
#define BACKLOG	       128
#define SEND_BYTES     64
#define SENDS_A_READ   32
#define RECORD_OF_DATA "\x17\x03\x03\x40\x00"

/* In an order that no cache foresees; prime to all counts of names and addresses. */
#define STRIDE 7919

static double times[TIMES_MAX];

/* What one exchange needs, made before the clock runs. */
struct ends {
	const struct exchange *exchange;
	int server; /* listens, or answers questions */
	int client; /* asks questions, or sends */
	int accepted;
	struct sockaddr_in to;
	size_t name;
	struct packet question, answer, hello;
};

static struct sockaddr_in at(struct in_addr address, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
}

static int socket_at(int type, const char *address, uint16_t port)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	const struct sockaddr_in here = at((struct in_addr){inet_addr(address)}, port);
	const int yes = 1;
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		bench_die(NULL, "%s port %u", address, port);
	return fd;
}

static void join(const char *cgroup)
{
	struct error error;

	if (cgroup_join(cgroup, &error) < 0)
		bench_die(&error, "cgroup");
}

/* Ends without TIME_WAIT, of which a loop would have too many. */
static void reset_and_close(int fd)
{
	const struct linger now = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
}

static void send_whole(int fd, const void *bytes, size_t length)
{
	if (send(fd, bytes, length, 0) != (ssize_t)length)
		bench_die(NULL, "send");
}

static void receive_whole(int fd, void *bytes, size_t length)
{
	if (recv(fd, bytes, length, MSG_WAITALL) != (ssize_t)length)
		bench_die(NULL, "what was sent did not arrive");
}

/* ---- questions ---- */

static void open_question(struct ends *ends)
{
	const struct sockaddr_in resolver = at((struct in_addr){inet_addr(NAMED_RESOLVER)}, 53);

	ends->server = socket_at(SOCK_DGRAM, NAMED_RESOLVER, 53);
	join(ends->exchange->cgroup);
	ends->client = socket_at(SOCK_DGRAM, NAMED_RESOLVER, 0);
	if (connect(ends->client, (const struct sockaddr *)&resolver, sizeof(resolver)) < 0)
		bench_die(NULL, "resolver");
}

static void ask(struct ends *ends)
{
	struct sockaddr_in asker;
	socklen_t length = sizeof(asker);
	struct packet packet;

	send_whole(ends->client, ends->question.bytes, ends->question.length);
	if (recvfrom(ends->server, packet.bytes, sizeof(packet.bytes), 0, (struct sockaddr *)&asker,
		     &length) != ends->question.length)
		bench_die(NULL, "a question did not arrive");
	if (sendto(ends->server, ends->answer.bytes, ends->answer.length, 0,
		   (struct sockaddr *)&asker, length) != ends->answer.length ||
	    recv(ends->client, packet.bytes, sizeof(packet.bytes), 0) != ends->answer.length)
		bench_die(NULL, "an answer did not arrive");
}

static double question_once(struct ends *ends)
{
	double begin;

	named_question(ends->name, (uint16_t)ends->name, &ends->question);
	named_answer(&ends->question, ends->name, ends->exchange->names, 1, &ends->answer);
	begin = bench_now_ns();
	ask(ends);
	return bench_now_ns() - begin;
}

void exchange_ask_all(const char *cgroup, size_t names, size_t addresses)
{
	const struct exchange exchange = {.cgroup = cgroup, .names = names};
	struct ends ends = {.exchange = &exchange};

	open_question(&ends);
	for (size_t i = 0; i < names; i++) {
		named_question(i, (uint16_t)i, &ends.question);
		named_answer(&ends.question, i, names, addresses / names, &ends.answer);
		ask(&ends);
	}
}

/* ---- connections ---- */

static void open_listener(struct ends *ends)
{
	ends->server = socket_at(SOCK_STREAM, "0.0.0.0", ends->exchange->port);
	join(ends->exchange->cgroup);
}

static int new_client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int yes = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0)
		bench_die(NULL, "socket");
	return fd;
}

static void connect_to(int fd, const struct sockaddr_in *to)
{
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		bench_die(NULL, "connect");
}

static int accept_one(int server)
{
	int fd = accept(server, NULL, NULL);

	if (fd < 0)
		bench_die(NULL, "accept");
	return fd;
}

static double connect_once(struct ends *ends)
{
	int fd = new_client();
	double begin = bench_now_ns(), end;

	connect_to(fd, &ends->to);
	end = bench_now_ns();
	reset_and_close(fd);
	(void)close(accept_one(ends->server));
	return end - begin;
}

static double hello_once(struct ends *ends)
{
	struct packet packet;
	int fd = new_client(), accepted;
	double begin, end;

	named_hello(ends->name, &ends->hello);
	begin = bench_now_ns();
	connect_to(fd, &ends->to);
	send_whole(fd, ends->hello.bytes, ends->hello.length);
	end = bench_now_ns();
	accepted = accept_one(ends->server);
	receive_whole(accepted, packet.bytes, NAMED_HELLO_BYTES);
	reset_and_close(fd);
	(void)close(accepted);
	return end - begin;
}

/* ---- sending on ---- */

static void open_stream(struct ends *ends)
{
	static const char first[SENDS_A_READ * SEND_BYTES] = RECORD_OF_DATA;
	struct packet packet;
	char bytes[sizeof(first)];

	open_listener(ends);
	ends->to = at(ends->exchange->by_address ? (struct in_addr){inet_addr(NAMED_BY_ADDRESS)}
						 : named_address(0),
		      ends->exchange->port);
	ends->client = new_client();
	connect_to(ends->client, &ends->to);
	ends->accepted = accept_one(ends->server);
	named_hello(0, &packet);
	send_whole(ends->client, packet.bytes, packet.length);
	receive_whole(ends->accepted, packet.bytes, packet.length);
	send_whole(ends->client, first, sizeof(first));
	receive_whole(ends->accepted, bytes, sizeof(bytes));
}

/* What is read at once is of the cost, the same for all. */
static double send_once(struct ends *ends)
{
	static const char bytes[SEND_BYTES];
	char read[SENDS_A_READ * SEND_BYTES];
	double begin = bench_now_ns();

	for (int i = 0; i < SENDS_A_READ; i++)
		send_whole(ends->client, bytes, sizeof(bytes));
	receive_whole(ends->accepted, read, sizeof(read));
	return (bench_now_ns() - begin) / SENDS_A_READ;
}

/* ---- a turn ---- */

static const struct {
	int warm_up, count;
	void (*open)(struct ends *ends);
	double (*once)(struct ends *ends);
} kinds[EXCHANGE_COUNT] = {
	[EXCHANGE_QUESTION] = {100, 2000, open_question, question_once},
	[EXCHANGE_CONNECT] = {100, 1000, open_listener, connect_once},
	[EXCHANGE_HELLO] = {100, 800, open_listener, hello_once},
	[EXCHANGE_SEND] = {20, 500, open_stream, send_once},
};

static void choose(struct ends *ends, size_t turn)
{
	const struct exchange *exchange = ends->exchange;
	const size_t number = (exchange->start + turn) * STRIDE;

	ends->name = number % exchange->addresses % exchange->names;
	ends->to = at(exchange->by_address ? (struct in_addr){inet_addr(NAMED_BY_ADDRESS)}
					   : named_address(number % exchange->addresses),
		      exchange->port);
}

double exchange_measure(enum exchange_kind kind, const struct exchange *exchange)
{
	struct ends ends = {.exchange = exchange};
	const int count = kinds[kind].count;
	double mean = 0;

	kinds[kind].open(&ends);
	for (int i = 0; i < kinds[kind].warm_up + count; i++) {
		choose(&ends, (size_t)i);
		times[i % count] = kinds[kind].once(&ends);
	}
	(void)bench_quantile(times, (size_t)count, 0);
	for (int i = count / 20; i < count - count / 20; i++)
		mean += times[i] / (count - 2 * (count / 20));
	return mean;
}

/* ---- proof ---- */

void exchange_prove(const char *cgroup)
{
	const struct exchange exchange = {.cgroup = cgroup, .port = NAMED_HELLO_PORT};
	const struct sockaddr_in nowhere =
		at((struct in_addr){inet_addr(NAMED_NOWHERE)}, NAMED_HELLO_PORT);
	const struct sockaddr_in first = at(named_address(0), NAMED_HELLO_PORT);
	struct ends ends = {.exchange = &exchange};
	struct pollfd readable = {.events = POLLIN};
	struct error error;
	int fd;

	(void)error_set(&error, STATUS_SYSTEM, "the policy is not in force");
	open_listener(&ends);
	fd = new_client();
	if (connect(fd, (const struct sockaddr *)&nowhere, sizeof(nowhere)) == 0 || errno != EPERM)
		bench_die(&error, "a connection that nothing grants");
	(void)close(fd);
	fd = new_client();
	connect_to(fd, &first);
	named_hello(1, &ends.hello);
	send_whole(fd, ends.hello.bytes, ends.hello.length);
	readable.fd = accept_one(ends.server);
	if (poll(&readable, 1, REFUSED_MS) != 0)
		bench_die(&error, "a hello with another address's name");
	reset_and_close(fd);
}
