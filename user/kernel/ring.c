// SPDX-License-Identifier: Apache-2.0
#include "kernel/ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel/learnt.h"

/* Names that were told of lately, by hash: those that no rule grants are in no table of the kernel,
 * where they could crowd out those that one does. A place each, the last one stays; the hash has a
 * secret key. */
#define TOLD_NAMES 2048

struct told_name {
	uint64_t hash;
	char text[OBJECT_TEXT_BYTES];
};

struct ring {
	struct enforcer *enforcer;
	struct told_name *told; /* TOLD_NAMES, owned */
	struct ring_buffer *buffer;
	ring_callback callback;
	errand_callback errand;
	void *context;
};

static struct told_name *told_place(const struct ring *ring, uint64_t hash)
{
	return &ring->told[(hash >> 1) % TOLD_NAMES]; /* the lowest bit is always set */
}

/* The path of a Unix socket; "" where the kernel keeps it no more. */
static void find_path(const struct ring *ring, uint64_t hash, char text[NAME_TEXT_BYTES])
{
	struct name_text found = {{0}};

	(void)bpf_map_lookup_elem(enforcer_map_fd(ring->enforcer, MAP_TEXT_OF_SOCKET), &hash,
				  &found);
	memcpy(text, found.text, sizeof(found.text));
	text[sizeof(found.text) - 1] = '\0';
}

static void remember(const struct ring *ring, uint64_t hash, const char *text)
{
	struct told_name *told = told_place(ring, hash);

	told->hash = hash;
	(void)snprintf(told->text, sizeof(told->text), "%s", text);
}

static bool is_of_object(const struct denial_key *what)
{
	return what->kind == EVENT_EXEC || what->kind == EVENT_FILE;
}

/* What an event is about, as text. Where the verdict did not depend on a name the kernel has not
 * looked for one. */
static void find_name(const struct ring *ring, const struct denial_key *what, uint32_t space,
		      char text[OBJECT_TEXT_BYTES])
{
	const struct told_name *told = told_place(ring, what->name);

	text[0] = '\0';
	if (is_of_object(what)) {
		if (told->hash == what->name)
			memcpy(text, told->text, sizeof(told->text));
	} else if (what->family == AF_UNIX) {
		find_path(ring, what->name, text);
	} else if (!what->name && what->kind == EVENT_CONNECT) {
		learnt_text_of_address(ring->enforcer, what->policy_id, space, what->address, text);
	} else {
		learnt_name_text(ring->enforcer, what->name, text);
		if (what->name && !text[0] && told->hash == what->name)
			memcpy(text, told->text, sizeof(told->text));
	}
}

static void take_named(struct ring *ring, const struct named_event *named)
{
	const struct event *event = &named->event;
	char text[OBJECT_TEXT_BYTES];

	memcpy(text, named->name.text, sizeof(named->name.text));
	text[sizeof(named->name.text) - 1] = '\0';
	if (!text[0])
		find_name(ring, &event->what, event->space, text);
	else if (event->what.name)
		remember(ring, event->what.name, text);
	ring->callback(event, text, ring->context);
}

/* The path stands at the end of its room. */
static void take_object(struct ring *ring, const struct object_event *object)
{
	char text[OBJECT_TEXT_BYTES + 1];
	size_t start = 0;

	memcpy(text, object->path, OBJECT_TEXT_BYTES);
	text[OBJECT_TEXT_BYTES] = '\0';
	while (start < OBJECT_TEXT_BYTES && !text[start])
		start++;
	remember(ring, object->event.what.name, text + start);
	ring->callback(&object->event, text + start, ring->context);
}

static int take(void *context, void *data, size_t size)
{
	struct ring *ring = context;
	const struct event *event = data;
	char text[OBJECT_TEXT_BYTES];

	if (size >= sizeof(struct event) && is_of_object(&event->what)) {
		if (size >= sizeof(struct object_event))
			take_object(ring, data);
	} else if (size >= sizeof(struct named_event)) {
		take_named(ring, data);
	} else if (size >= sizeof(struct event)) {
		find_name(ring, &event->what, event->space, text);
		ring->callback(event, text, ring->context);
	}
	return 0;
}

static int take_errand(void *context, void *data, size_t size)
{
	struct ring *ring = context;

	if (size >= sizeof(struct errand))
		ring->errand(data, ring->context);
	return 0;
}

struct ring *ring_new(struct enforcer *enforcer, ring_callback callback, errand_callback errand,
		      void *context, struct error *error)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (ring)
		ring->told = calloc(TOLD_NAMES, sizeof(*ring->told));
	if (ring && ring->told) {
		ring->enforcer = enforcer;
		ring->callback = callback;
		ring->errand = errand;
		ring->context = context;
		ring->buffer =
			ring_buffer__new(enforcer_map_fd(enforcer, MAP_EVENTS), take, ring, NULL);
	}
	if (!ring || !ring->buffer ||
	    ring_buffer__add(ring->buffer, enforcer_map_fd(enforcer, MAP_ERRANDS), take_errand,
			     ring) < 0) {
		(void)error_set_errno(error, STATUS_SYSTEM, errno, "cannot read the event ring");
		ring_free(ring);
		return NULL;
	}
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	ring_buffer__free(ring->buffer);
	free(ring->told);
	free(ring);
}

int ring_fd(const struct ring *ring)
{
	return ring_buffer__epoll_fd(ring->buffer);
}

int ring_consume(struct ring *ring)
{
	return ring_buffer__consume(ring->buffer);
}

static uint64_t monotonic_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static void settle_one(const struct ring *ring, const struct denial_key *key)
{
	int fd = enforcer_map_fd(ring->enforcer, MAP_DENIAL_COUNTS);
	struct event event = {.time_ns = monotonic_now(), .what = *key};
	struct denial_count count;
	char text[OBJECT_TEXT_BYTES];

	if (bpf_map_lookup_elem(fd, key, &count) < 0)
		return;
	(void)bpf_map_delete_elem(fd, key);
	if (count.count <= count.reported)
		return;
	event.count = count.count;
	find_name(ring, key, count.space, text);
	ring->callback(&event, text, ring->context);
}

void ring_settle_counts(const struct ring *ring, uint32_t policy_id)
{
	int fd = enforcer_map_fd(ring->enforcer, MAP_DENIAL_COUNTS);
	struct denial_key *keys;
	size_t count = 0;

	keys = calloc(DENIALS_MAX, sizeof(*keys));
	if (!keys)
		return;
	while (count < DENIALS_MAX &&
	       bpf_map_get_next_key(fd, count ? &keys[count - 1] : NULL, &keys[count]) == 0)
		count++;
	for (size_t i = 0; i < count; i++) {
		if (policy_id ? keys[i].policy_id == policy_id
			      : !enforcer_has_policy_id(ring->enforcer, keys[i].policy_id))
			settle_one(ring, &keys[i]);
	}
	free(keys);
}
