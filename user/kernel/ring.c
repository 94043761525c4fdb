// SPDX-License-Identifier: Apache-2.0
#include "kernel/ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel/learnt.h"

struct ring {
	struct enforcer *enforcer;
	struct ring_buffer *buffer;
	ring_callback callback;
	errand_callback errand;
	void *context;
};

/* Where the verdict did not depend on the name the kernel has not looked for it. */
static void name_text(const struct enforcer *enforcer, const struct denial_key *what,
		      uint32_t space, char *text)
{
	if (what->name || what->kind != EVENT_CONNECT)
		learnt_name_text(enforcer, what->name, text);
	else
		learnt_text_of_address(enforcer, what->policy_id, space, what->address, text);
}

static int take(void *context, void *data, size_t size)
{
	struct ring *ring = context;
	const struct event *event = data;
	char text[NAME_TEXT_BYTES];

	if (size >= sizeof(struct named_event)) {
		const struct named_event *named = data;

		memcpy(text, named->name.text, sizeof(text));
		text[sizeof(text) - 1] = '\0';
		if (!text[0])
			learnt_name_text(ring->enforcer, event->what.name, text);
		ring->callback(event, text, ring->context);
	} else if (size >= sizeof(struct event)) {
		name_text(ring->enforcer, &event->what, event->space, text);
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

	if (ring) {
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

/* What the kernel keeps of it; "" where that is nothing any more. */
static void name_text_of(const struct enforcer *enforcer, const struct denial_key *key,
			 uint32_t space, char *text)
{
	struct name_text found = {{0}};

	if (key->family != AF_UNIX) {
		name_text(enforcer, key, space, text);
		return;
	}
	(void)bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_TEXT_OF_SOCKET), &key->name,
				  &found);
	memcpy(text, found.text, sizeof(found.text));
	text[sizeof(found.text) - 1] = '\0';
}

static void settle_one(struct enforcer *enforcer, const struct denial_key *key,
		       ring_callback callback, void *context)
{
	int fd = enforcer_map_fd(enforcer, MAP_DENIAL_COUNTS);
	struct event event = {.time_ns = monotonic_now(), .what = *key};
	struct denial_count count;
	char text[NAME_TEXT_BYTES];

	if (bpf_map_lookup_elem(fd, key, &count) < 0)
		return;
	(void)bpf_map_delete_elem(fd, key);
	if (count.count <= count.reported)
		return;
	event.count = count.count;
	name_text_of(enforcer, key, count.space, text);
	callback(&event, text, context);
}

void ring_settle_counts(struct enforcer *enforcer, uint32_t policy_id, ring_callback callback,
			void *context)
{
	int fd = enforcer_map_fd(enforcer, MAP_DENIAL_COUNTS);
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
			      : !enforcer_has_policy_id(enforcer, keys[i].policy_id))
			settle_one(enforcer, &keys[i], callback, context);
	}
	free(keys);
}
