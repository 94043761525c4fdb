// SPDX-License-Identifier: Apache-2.0
#include "policyd/monitor.h"

#include <time.h>

#include "kernel/ring.h"
#include "kernel/traffic.h"
#include "policyd/account.h"
#include "policyd/errands.h"
#include "policyd/explain.h"
#include "policyd/violator.h"

/* What goes where is told this often. */
#define TRAFFIC_SECONDS 60

struct monitor {
	struct enforcer *enforcer;
	struct agents *agents;
	struct audit_store *store;
	struct ring *ring;
	monitor_listener listener;
	void *context;
	monitor_guard guard; /* NULL: none */
	void *guard_context;
	uint64_t lost; /* of the kernel's counter, told already */
	uint64_t traffic_lost;
	uint64_t traffic_told_ns; /* CLOCK_MONOTONIC */
	struct violator killed;	  /* the last one */
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

static uint64_t monotonic_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* The kernel stamps with the clock that never jumps. */
static uint64_t real_time(uint64_t monotonic_ns)
{
	return audit_time_now() - (monotonic_now() - monotonic_ns);
}

/* Whose it is; `policy` and `agent` may be NULL. */
static void set_owner(struct audit_record *record, const struct policy *policy,
		      const struct agent *agent)
{
	if (policy) {
		record->agent = policy->name;
		record->policy = policy->digest;
	}
	if (agent) {
		record->scope = agent->tool[0] ? agent->tool : NULL;
		record->container = agent->container[0] ? agent->container : NULL;
	}
}

static void take_event(const struct event *event, const char *name, void *context)
{
	struct monitor *monitor = context;
	struct explanation explanation;
	struct audit_record record = {.time_ns = real_time(event->time_ns),
				      .cgroup = event->what.cgroup};
	const struct agent *agent = NULL;
	const struct policy *policy;

	policy = agents_find_policy(monitor->agents, event->what.policy_id, &agent);
	set_owner(&record, policy, agent);
	explain_event(event, name, policy, agent ? agent->tool : NULL, &explanation, &record);
	publish(monitor, &record);
}

static void take_traffic(const struct traffic_key *key, const struct traffic *traffic,
			 const char *name, void *context)
{
	struct monitor *monitor = context;
	struct explanation explanation;
	struct audit_record record = {.time_ns = audit_time_now(), .cgroup = key->cgroup};
	const struct counted counted = {.key = key,
					.traffic = traffic,
					.name = name,
					.first_ns = real_time(traffic->first_ns),
					.last_ns = real_time(traffic->last_ns)};
	const struct agent *agent = NULL;
	const struct policy *policy;

	policy = agents_find_policy(monitor->agents, key->policy_id, &agent);
	if (!policy) {
		/* A packet that was on its way when its policy was taken out. */
		agent = agents_find(monitor->agents, key->cgroup);
		policy = agent ? agent->policy : NULL;
	}
	set_owner(&record, policy, agent);
	account_traffic(&counted, policy, agent, &explanation, &record);
	publish(monitor, &record);
}

static void tell_traffic_lost(struct monitor *monitor)
{
	uint64_t lost = traffic_lost(monitor->enforcer);
	struct audit_record record = {
		.time_ns = audit_time_now(),
		.kind = "lost",
		.verdict = "noted",
		.reason = "traffic",
		.count = lost - monitor->traffic_lost,
		.message = "packets went to more destinations than the kernel's table of traffic "
			   "holds; they are in no sum",
	};

	if (lost > monitor->traffic_lost)
		publish(monitor, &record);
	monitor->traffic_lost = lost;
}

static void tell_traffic(struct monitor *monitor)
{
	/* What can't be read now is there the next time. */
	(void)!traffic_take(monitor->enforcer, take_traffic, monitor);
	tell_traffic_lost(monitor);
}

static void kill_violator(struct monitor *monitor, const struct agent *agent,
			  const struct errand *errand)
{
	char exe[EXE_ROOM];
	struct audit_record record = {
		.kind = "agent",
		.verdict = "noted",
		.reason = "killed",
		.pid = (pid_t)errand->pid,
		.message = "the process was denied something, a record before this one tells what",
	};

	explain_exe(record.pid, "", exe);
	record.exe = exe[0] ? exe : NULL;
	if (violator_kill(errand, agent->cgroup_path, &monitor->killed))
		monitor_tell(monitor, agent, &record);
}

static void take_errand(const struct errand *errand, void *context)
{
	struct monitor *monitor = context;
	const struct agent *agent = agents_find(monitor->agents, errand->cgroup);

	if (errand->kind == ERRAND_KILL) {
		if (agent)
			kill_violator(monitor, agent, errand);
		return;
	}

	if (errand->kind == ERRAND_LISTEN) {
		if (monitor->guard)
			monitor->guard(errand->cgroup, (pid_t)errand->pid, monitor->guard_context);
		return;
	}
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
	monitor->traffic_told_ns = monotonic_now();
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
	const uint64_t now = monotonic_now();

	(void)ring_consume(monitor->ring);
	tell_lost(monitor);
	/* Not in the tick, which a busy ring can keep off. */
	if (now - monitor->traffic_told_ns < TRAFFIC_SECONDS * 1000000000ULL)
		return;
	monitor->traffic_told_ns = now;
	tell_traffic(monitor);
}

static void settle_past(uint32_t policy_id, void *context)
{
	struct monitor *monitor = context;

	ring_settle_counts(monitor->ring, policy_id);
	tell_traffic(monitor);
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
	settle_past(policy_id, monitor);
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
	if (!record->count)
		record->count = 1;
	publish(monitor, record);
}

void monitor_add_lost(struct monitor *monitor, uint64_t count)
{
	audit_store_add_lost(monitor->store, count);
}

void monitor_set_guard(struct monitor *monitor, monitor_guard guard, void *context)
{
	monitor->guard = guard;
	monitor->guard_context = context;
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
