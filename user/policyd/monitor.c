// SPDX-License-Identifier: Apache-2.0
#include "policyd/monitor.h"

#include <time.h>

#include "kernel/ring.h"
#include "policyd/errands.h"
#include "policyd/explain.h"

struct monitor {
	struct enforcer *enforcer;
	struct agents *agents;
	struct audit_store *store;
	struct ring *ring;
	monitor_listener listener;
	void *context;
	uint64_t lost; /* of the kernel's counter, told already */
	struct json_writer line;
};

static void publish(struct monitor *monitor, struct audit_record *record)
{
	const char *text;

	/* What the disk refuses is counted by the store; who listens is told all the same. */
	(void)!audit_store_append(monitor->store, record);
	if (!monitor->listener)
		return;
	json_writer_reset(&monitor->line);
	audit_record_write(record, &monitor->line);
	text = json_writer_text(&monitor->line);
	if (text)
		monitor->listener(record->cgroup, text, monitor->context);
}

/* The kernel stamps with the clock that never jumps. */
static uint64_t real_time(uint64_t monotonic_ns)
{
	struct timespec now;
	uint64_t monotonic_now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	monotonic_now = (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
	return audit_time_now() - (monotonic_now - monotonic_ns);
}

static void take_event(const struct event *event, const char *name, void *context)
{
	struct monitor *monitor = context;
	struct explanation explanation;
	struct audit_record record = {.time_ns = real_time(event->time_ns),
				      .cgroup = event->what.cgroup};
	const struct agent *agent = NULL;
	const struct policy *policy;
	const char *tool = NULL;

	policy = agents_find_policy(monitor->agents, event->what.policy_id, &agent);
	if (policy) {
		record.agent = policy->name;
		record.policy = policy->digest;
	}
	if (agent) {
		tool = agent->tool[0] ? agent->tool : NULL;
		record.scope = tool;
		record.container = agent->container[0] ? agent->container : NULL;
	}
	explain_event(event, name, policy, tool, &explanation, &record);
	publish(monitor, &record);
}

static void take_errand(const struct errand *errand, void *context)
{
	const struct monitor *monitor = context;
	const struct agent *agent = agents_find(monitor->agents, errand->cgroup);

	errand_run(errand, agent ? agent->cgroup_path : NULL);
}

struct monitor *monitor_new(struct enforcer *enforcer, struct agents *agents,
			    struct audit_store *store, monitor_listener listener, void *context,
			    struct error *error)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (!monitor) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	monitor->enforcer = enforcer;
	monitor->agents = agents;
	monitor->store = store;
	monitor->listener = listener;
	monitor->context = context;
	monitor->ring = ring_new(enforcer, take_event, take_errand, monitor, error);
	if (!monitor->ring) {
		free(monitor);
		return NULL;
	}
	return monitor;
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	ring_free(monitor->ring);
	json_writer_free(&monitor->line);
	free(monitor);
}

int monitor_fd(const struct monitor *monitor)
{
	return ring_fd(monitor->ring);
}

static void tell_lost(struct monitor *monitor)
{
	uint64_t lost = enforcer_events_lost(monitor->enforcer);

	if (lost > monitor->lost)
		audit_store_add_lost(monitor->store, lost - monitor->lost);
	monitor->lost = lost;
}

void monitor_consume(struct monitor *monitor)
{
	(void)ring_consume(monitor->ring);
	tell_lost(monitor);
}

static void settle_past(uint32_t policy_id, void *context)
{
	struct monitor *monitor = context;

	ring_settle_counts(monitor->ring, policy_id);
}

static void note_vanished(const struct agent *agent, void *context)
{
	settle_past(POLICY_ID(agent->loaded), context);
	monitor_note(context, agent, "vanished", "the cgroup is gone; its policy ends with it");
}

void monitor_tick(struct monitor *monitor)
{
	monitor_consume(monitor);
	agents_each_past(monitor->agents, settle_past, monitor);
	agents_tidy(monitor->agents, note_vanished, monitor);
	ring_settle_counts(monitor->ring, 0);
	audit_store_flush(monitor->store);
}

void monitor_settle(struct monitor *monitor, uint32_t policy_id)
{
	monitor_consume(monitor);
	ring_settle_counts(monitor->ring, policy_id);
	audit_store_flush(monitor->store);
}

void monitor_tell(struct monitor *monitor, const struct agent *agent, struct audit_record *record)
{
	record->time_ns = audit_time_now();
	record->agent = agent->policy->name;
	record->scope = agent->tool[0] ? agent->tool : NULL;
	record->cgroup = agent->cgroup;
	record->container = agent->container[0] ? agent->container : NULL;
	record->policy = agent->policy->digest;
	record->count = 1;
	publish(monitor, record);
}

void monitor_note(struct monitor *monitor, const struct agent *agent, const char *what,
		  const char *message)
{
	struct audit_record record = {
		.kind = "agent",
		.verdict = "noted",
		.reason = what,
		.message = message,
	};

	monitor_tell(monitor, agent, &record);
}
