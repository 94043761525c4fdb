// SPDX-License-Identifier: Apache-2.0
#include "kernel/traffic.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "kernel/learnt.h"

/* Some 80 KiB; each of the kernel's buckets has a few entries at most and fits. */
#define BATCH 1024

struct batch {
	struct traffic_key keys[BATCH];
	struct traffic values[BATCH];
};

static void visit_batch(const struct enforcer *enforcer, const struct batch *batch, uint32_t count,
			traffic_visit visit, void *context)
{
	char name[NAME_TEXT_BYTES];

	for (uint32_t i = 0; i < count; i++) {
		/* Made, and nothing added yet: another CPU is at it, and loses this one packet. */
		if (!batch->values[i].packets)
			continue;
		learnt_name_text(enforcer, batch->keys[i].name, name);
		visit(&batch->keys[i], &batch->values[i], name, context);
	}
}

int traffic_take(const struct enforcer *enforcer, traffic_visit visit, void *context)
{
	const int fd = enforcer_map_fd(enforcer, MAP_TRAFFIC_OF_DESTINATION);
	_cleanup_free_ struct batch *batch = calloc(1, sizeof(*batch));
	uint32_t place = 0, next = 0, taken = 0;
	bool begun = false;
	int result = 0;

	if (!batch)
		return -ENOMEM;
	/* As many as the table has: what comes while this goes on is the next call's. */
	while (result == 0 && taken < TRAFFIC_MAX) {
		uint32_t count = BATCH;

		result = bpf_map_lookup_and_delete_batch(fd, begun ? &place : NULL, &next,
							 batch->keys, batch->values, &count, NULL);
		/* The table's end comes as ENOENT, with the last entries. */
		if (result == 0 || result == -ENOENT)
			visit_batch(enforcer, batch, count, visit, context);
		taken += count;
		place = next;
		begun = true;
	}
	return result == -ENOENT ? 0 : result;
}

uint64_t traffic_lost(const struct enforcer *enforcer)
{
	uint32_t index = COUNTER_TRAFFIC_LOST;
	uint64_t lost = 0;

	(void)bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_ENFORCER_COUNTERS), &index, &lost);
	return lost;
}
