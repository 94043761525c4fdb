// SPDX-License-Identifier: Apache-2.0
/* Attempts that are many: names under a wildcard, connections and bytes past a budget. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define WORKERS		8
#define CHUNK		16384
#define FIRST_FREE_TYPE 300U /* of DNS records; nobody has given it a meaning */

struct shape;

struct crew {
	int (*work)(struct crew *crew, unsigned long index);
	unsigned long wanted;
	unsigned long next; /* atomic */
	struct endpoint to;
	const char *text;
	const char *way;
	const struct shape *shape;
};

static void *worker(void *argument)
{
	struct crew *crew = argument;

	for (;;) {
		const unsigned long index = __atomic_fetch_add(&crew->next, 1, __ATOMIC_RELAXED);

		if (index >= crew->wanted)
			return NULL;
		(void)crew->work(crew, index);
	}
}

/* All workers at once, on sockets of their own. */
static int crew_run(struct crew *crew)
{
	pthread_t threads[WORKERS];
	size_t started = 0;

	while (started < WORKERS && pthread_create(&threads[started], NULL, worker, crew) == 0)
		started++;
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return started ? 0 : -EAGAIN;
}

/* ---- a tunnel of names ---- */

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* `count` labels of `length` bytes out of `letters`, with a dot behind each. */
static void put_labels(char *at, uint64_t state, size_t count, size_t length, const char *letters)
{
	const size_t choice = strlen(letters);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < length; j++)
			*at++ = letters[random_next(&state) % choice];
		*at++ = '.';
	}
	*at = '\0';
}

static const struct shape {
	const char *name;
	size_t labels, length;
	const char *letters;
	bool by_stream;
} shapes[] = {
	{"long", 1, LABEL_MAX, "abcdefghijklmnopqrstuvwxyz234567", false},
	{"longest", 3, LABEL_MAX, "abcdefghijklmnopqrstuvwxyz234567", false},
	{"short", 1, 31, "0123456789abcdef", false}, /* just not a token's worth of bits */
	{"case", 1, 31, "abcdefghijklmnopABCDEFGHIJKLMNOP", false}, /* the same in two cases */
	{"stream", 1, LABEL_MAX, "abcdefghijklmnopqrstuvwxyz234567", true},
	{"types", 0, 0, "", false}, /* one name, of which another type is asked for each time */
};

static const struct shape *shape_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (strcmp(shapes[i].name, name) == 0)
			return &shapes[i];
	return NULL;
}

static int ask_one(struct crew *crew, unsigned long index)
{
	static __thread struct bytes question;
	static __thread int fd = -1;
	const struct shape *shape = crew->shape;
	char labels[256] = "one.", name[512];

	if (shape->labels)
		put_labels(labels, index * 0x9e3779b97f4a7c15ULL + 1, shape->labels, shape->length,
			   shape->letters);
	(void)snprintf(name, sizeof(name), "%s%s", labels, crew->text);
	if (shape->by_stream)
		return ask(&crew->to, name, 1, true);
	if (fd < 0)
		fd = open_socket(family_of(&crew->to), SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	question.length = 0;
	dns_put_query(&question, name, shape->labels ? 1U : FIRST_FREE_TYPE + (unsigned)index);
	return send_to(fd, &question, &crew->to);
}

/* RESOLVER COUNT SHAPE ZONE */
int load_flood(char **words)
{
	struct crew crew = {.work = ask_one};

	if (!words[0] || !words[1] || !words[2] || !words[3] ||
	    endpoint_parse(&crew.to, words[0], "53") < 0)
		return -EINVAL;
	crew.wanted = strtoul(words[1], NULL, 10);
	crew.shape = shape_find(words[2]);
	crew.text = words[3];
	return crew.shape ? crew_run(&crew) : -EINVAL;
}

/* ---- budgets ---- */

static int connect_one(struct crew *crew, unsigned long index)
{
	char text[32];
	int fd = open_socket(family_of(&crew->to), SOCK_STREAM, index % 3 == 1 ? IPPROTO_MPTCP : 0);
	int result;

	if (fd < 0)
		return fd;
	(void)snprintf(text, sizeof(text), "%.12s%03lx", crew->text, index & 0xfffUL);
	if (index % 3 == 2)
		result = sendto(fd, text, strlen(text), MSG_FASTOPEN | MSG_NOSIGNAL,
				to_sockaddr(&crew->to), crew->to.length) < 0
				 ? -errno
				 : 0;
	else if (connect(fd, to_sockaddr(&crew->to), crew->to.length) < 0)
		result = -errno;
	else
		result = send_all(fd, text, strlen(text), 0);
	if (result == 0)
		(void)finish_stream(fd);
	return close(fd);
}

/* ADDRESS PORT COUNT TOKEN: each connection brings a token of its own; by TCP, MPTCP and Fast Open
 * in turn. */
int load_connects(char **words)
{
	struct crew crew = {.work = connect_one};

	if (!words[0] || !words[1] || !words[2] || !words[3] ||
	    endpoint_parse(&crew.to, words[0], words[1]) < 0)
		return -EINVAL;
	crew.wanted = strtoul(words[2], NULL, 10);
	crew.text = words[3];
	return crew_run(&crew);
}

static int pour_one(struct crew *crew, unsigned long index)
{
	static const char zeros[CHUNK];
	static __thread int fd = -1;
	const bool datagrams = strcmp(crew->way, "udp") == 0;

	(void)index;
	if (fd < 0) {
		fd = open_socket(family_of(&crew->to), datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, to_sockaddr(&crew->to), crew->to.length) < 0)
			return -errno;
	}
	return send_all(fd, zeros, datagrams ? 1400 : sizeof(zeros), MSG_DONTWAIT);
}

/* ADDRESS PORT CHUNKS tcp|udp: as much as goes, by many sockets at once. */
int load_pour(char **words)
{
	struct crew crew = {.work = pour_one};

	if (!words[0] || !words[1] || !words[2] || !words[3] ||
	    endpoint_parse(&crew.to, words[0], words[1]) < 0)
		return -EINVAL;
	crew.wanted = strtoul(words[2], NULL, 10);
	crew.way = words[3];
	return crew_run(&crew);
}
