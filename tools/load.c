// SPDX-License-Identifier: Apache-2.0
#include "tools/load.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench.h"

#define STREAM_BYTES   "1G"
#define DATAGRAM_BYTES 64
#define DATAGRAMS_NS   0.2e9
/* The clock is looked at once in so many. */
#define BURST 256
/* iperf3's server may still be starting, or busy with the end of the turn before. */
#define STREAM_TRIES   50
#define STREAM_WAIT_US 20000

/* ---- a stream, by iperf3 ---- */

static double number_at(const cJSON *json, const char *group, const char *name)
{
	const cJSON *end = cJSON_GetObjectItem(json, "end");
	const cJSON *number = cJSON_GetObjectItem(cJSON_GetObjectItem(end, group), name);

	return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

static bool stream_once(struct sample *sample)
{
	static char text[1 << 20];
	char command[128];
	FILE *iperf3;
	size_t length;
	cJSON *json;

	(void)snprintf(command, sizeof(command),
		       "exec iperf3 --client " WIRE_SERVER " --port %d --bytes " STREAM_BYTES
		       " --json 2>/dev/null",
		       WIRE_PORT);
	iperf3 = popen(command, "re");
	if (!iperf3)
		return false;
	length = fread(text, 1, sizeof(text) - 1, iperf3);
	(void)pclose(iperf3);
	text[length] = '\0';
	json = cJSON_Parse(text);
	sample->rate = number_at(json, "sum_sent", "bits_per_second");
	sample->cpu = number_at(json, "cpu_utilization_percent", "host_total") / 100 / sample->rate;
	sample->arrived =
		number_at(json, "sum_received", "bytes") / number_at(json, "sum_sent", "bytes");
	cJSON_Delete(json);
	return sample->rate > 0;
}

static void send_stream(const struct wire *wire, struct sample *sample)
{
	(void)wire;
	for (int i = 0; i < STREAM_TRIES; i++) {
		if (stream_once(sample))
			return;
		(void)usleep(STREAM_WAIT_US);
	}
	errno = ETIMEDOUT;
	bench_die(NULL, "iperf3 does not reach its server");
}

/* ---- datagrams, by a loop of our own ---- */

static double cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* `to` are two addresses, or NULL for a socket that is connected. */
static void send_burst(int fd, const struct sockaddr_in *to)
{
	static const char bytes[DATAGRAM_BYTES];
	const struct sockaddr *address = NULL;

	for (int i = 0; i < BURST; i++) {
		if (to)
			address = (const struct sockaddr *)&to[i & 1];
		if (sendto(fd, bytes, sizeof(bytes), 0, address, to ? sizeof(*to) : 0) !=
		    sizeof(bytes))
			bench_die(NULL, "a datagram was not accepted");
	}
}

static void send_datagrams(const struct wire *wire, const struct sockaddr_in *to,
			   struct sample *sample)
{
	const struct sockaddr_in server = wire_address(WIRE_SERVER);
	const uint64_t arrived = *wire->arrived;
	double begin, cpu, count = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || (!to && connect(fd, (const struct sockaddr *)&server, sizeof(server)) < 0))
		bench_die(NULL, "the sender's socket");
	begin = bench_now_ns();
	cpu = cpu_seconds();
	while (bench_now_ns() - begin < DATAGRAMS_NS) {
		send_burst(fd, to);
		count += BURST;
	}
	sample->rate = count / (bench_now_ns() - begin) * 1e9;
	sample->cpu = (cpu_seconds() - cpu) / count;
	sample->arrived = (double)(*wire->arrived - arrived) / count;
}

static void send_connected(const struct wire *wire, struct sample *sample)
{
	send_datagrams(wire, NULL, sample);
}

static void send_to_one(const struct wire *wire, struct sample *sample)
{
	const struct sockaddr_in to[2] = {wire_address(WIRE_SERVER), wire_address(WIRE_SERVER)};

	send_datagrams(wire, to, sample);
}

static void send_to_two(const struct wire *wire, struct sample *sample)
{
	const struct sockaddr_in to[2] = {wire_address(WIRE_SERVER), wire_address(WIRE_SERVER_2)};

	send_datagrams(wire, to, sample);
}

const struct load loads[LOAD_COUNT] = {
	[LOAD_STREAM] = {"TCP, one stream, iperf3", "Gbit/s", 1e9, send_stream},
	[LOAD_SEND] = {"UDP 64 B, connected send", "1,000/s", 1e3, send_connected},
	[LOAD_SENDTO] = {"UDP 64 B, sendto", "1,000/s", 1e3, send_to_one},
	[LOAD_SENDTO_TWO] = {"UDP 64 B, sendto, two peers", "1,000/s", 1e3, send_to_two},
};
