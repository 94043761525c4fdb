// SPDX-License-Identifier: Apache-2.0
#include "tools/wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench.h"

#define NEAR_ADDRESS "10.77.0.1"
#define SINK_BATCH   64
#define SINK_BYTES   2048
#define SINK_BUFFER  (64 << 20)
/* How long the sink looks for more before it sleeps: waking it would be the sender's cost. */
#define SINK_SPIN_NS 20e6

struct sockaddr_in wire_address(const char *address)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(WIRE_PORT),
				    .sin_addr.s_addr = inet_addr(address)};
}

static void take_datagrams(int fd, volatile uint64_t *arrived)
{
	static char bytes[SINK_BATCH][SINK_BYTES];
	struct iovec pieces[SINK_BATCH];
	struct mmsghdr messages[SINK_BATCH] = {};
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	double last = bench_now_ns();

	for (int i = 0; i < SINK_BATCH; i++) {
		pieces[i] = (struct iovec){bytes[i], SINK_BYTES};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	}
	for (;;) {
		int count = recvmmsg(fd, messages, SINK_BATCH, MSG_DONTWAIT, NULL);

		if (count > 0) {
			*arrived += (uint64_t)count;
			last = bench_now_ns();
		} else if (bench_now_ns() - last > SINK_SPIN_NS) {
			(void)poll(&readable, 1, -1);
			last = bench_now_ns();
		}
	}
}

static int open_sink(void)
{
	const struct sockaddr_in any = wire_address("0.0.0.0");
	const int room = SINK_BUFFER;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		bench_die(NULL, "the sink's socket");
	return fd;
}

static void start_iperf3(void)
{
	char port[16];

	if (fork() != 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(port, sizeof(port), "%d", WIRE_PORT);
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		_exit(1);
	(void)execlp("iperf3", "iperf3", "--server", "--port", port, NULL);
	_exit(127);
}

/* The pipes: "I have a namespace", and "it has a veth0". */
static _Noreturn void be_far_end(int tell, int listen_to, const struct wire *wire)
{
	char byte = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0 || write(tell, &byte, 1) != 1 ||
	    read(listen_to, &byte, 1) != 1)
		bench_die(NULL, "the far end's network namespace");
	bench_command("ip link set lo up && ip link set veth0 up && "
		      "ip addr add " WIRE_SERVER "/24 dev veth0 && "
		      "ip addr add " WIRE_SERVER_2 "/24 dev veth0 && "
		      "ip addr add " WIRE_OTHER "/24 dev veth0");
	bench_pin_cpu(1);
	start_iperf3();
	int sink = open_sink();

	if (write(tell, &byte, 1) != 1)
		bench_die(NULL, "the far end");
	take_datagrams(sink, wire->arrived);
	_exit(1);
}

void wire_up(struct wire *wire)
{
	int from_far[2], to_far[2];
	struct error error;
	char byte = 0;
	pid_t far;

	if (system("command -v iperf3 >/dev/null") != 0) {
		(void)error_set(&error, STATUS_SYSTEM, "not installed; run: sudo make deps");
		bench_die(&error, "iperf3");
	}
	(void)error_set(&error, STATUS_SYSTEM, "it did not start");
	wire->arrived = mmap(NULL, sizeof(*wire->arrived), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (wire->arrived == MAP_FAILED || pipe(from_far) < 0 || pipe(to_far) < 0)
		bench_die(NULL, "the far end");
	far = fork();
	if (far == 0)
		be_far_end(from_far[1], to_far[0], wire);
	(void)close(from_far[1]);
	(void)close(to_far[0]);
	if (far < 0 || read(from_far[0], &byte, 1) != 1)
		bench_die(&error, "the far end");
	bench_command("ip link add veth0 type veth peer name veth0 netns %ld && "
		      "ip link set veth0 up && ip addr add " NEAR_ADDRESS "/24 dev veth0",
		      (long)far);
	if (write(to_far[1], &byte, 1) != 1 || read(from_far[0], &byte, 1) != 1)
		bench_die(&error, "the far end");
	(void)close(from_far[0]);
	(void)close(to_far[1]);
}
