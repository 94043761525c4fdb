/* SPDX-License-Identifier: GPL-2.0-only */
/* What a verdict is about, and what follows from it: counting, telling, letting through. */
#ifndef AGENTPOL_BPF_QUESTION_H
#define AGENTPOL_BPF_QUESTION_H

#include "bpf/event.h"
#include "bpf/lookup.h"

/* From <sys/socket.h>, which the bpf target can't include. */
#define AF_UNIX 1

#define ALLOW 1
#define DENY  0

/* The rest of a hook's code only fills it. Plain memory, so that global functions take it. */
struct question {
	struct subject subject;
	struct flow flow;
	struct actor actor;
	__u64 name;   /* hash of the name that it is about; 0: none */
	__u64 cookie; /* the socket's, where names are judged or an errand is asked for */
	__u32 kind;   /* enum event_kind */
	__u32 hook;   /* enum event_hook */
	__u32 family; /* AF_* */
	__u32 detail; /* see struct denial_key */
};

static __always_inline void question_key_of(const struct question *question,
					    enum event_verdict verdict, enum event_reason reason,
					    struct denial_key *what)
{
	bool inward = question->kind == EVENT_LISTEN;
	const struct flow *flow = &question->flow;

	__builtin_memset(what, 0, sizeof(*what));
	what->cgroup = question->subject.cgroup;
	what->name = question->name;
	what->policy_id = POLICY_ID(question->subject.policy);
	what->kind = question->kind;
	what->reason = reason;
	what->protocol = flow->protocol;
	what->verdict = verdict;
	what->port = inward ? flow->local_port : flow->remote_port;
	what->detail = question->detail;
	what->family = question->family;
	__builtin_memcpy(what->address, inward ? &flow->local : &flow->remote,
			 sizeof(what->address));
}

/*
 * Tells it. Global functions: verified once a program, whatever leads to them, and with a stack of
 * their own; so they call no helper that not every program may call, even behind a condition.
 */
VERIFIED_ONCE int question_tell(const struct question *question, __u32 verdict, __u32 reason)
{
	struct denial_key what;
	struct denial_count *seen;
	struct event *event;
	__u64 count;

	if (!question)
		return 0;
	question_key_of(question, verdict, reason, &what);
	count = denial_count_up(&what, &seen);
	if (!is_power_of_two(count))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		enforcer_count(COUNTER_EVENTS_LOST);
		return 0;
	}
	event_fill(event, &what, count, question->hook, &question->actor);
	event->space = question->subject.space;
	if (seen) {
		seen->reported = count;
		seen->space = question->subject.space;
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* The same with the name that was read, whose text may be empty. */
VERIFIED_ONCE int question_tell_name(const struct question *question, __u32 verdict, __u32 reason,
				     const struct name *name)
{
	struct denial_key what;
	struct denial_count *seen;
	struct named_event *event;
	__u64 count;

	if (!question || !name)
		return 0;
	question_key_of(question, verdict, reason, &what);
	count = denial_count_up(&what, &seen);
	if (!is_power_of_two(count))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		enforcer_count(COUNTER_EVENTS_LOST);
		return 0;
	}
	event_fill(&event->event, &what, count, question->hook, &question->actor);
	event->event.space = question->subject.space;
	__builtin_memcpy(event->name.text, name->text, sizeof(event->name.text));
	if (seen) {
		seen->reported = count;
		seen->space = question->subject.space;
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Is a verdict to be told? Allowed ones only where the policy asks for it. */
static __always_inline bool is_told(const struct question *question, enum event_reason reason)
{
	__u32 flags = POLICY_FLAGS(question->subject.policy);

	if (flags & POLICY_QUIET)
		return false;
	if (reason != REASON_NONE)
		return true;
	if (question->kind == EVENT_CONNECT)
		return flags & POLICY_LOG_CONNECT;
	return question->kind == EVENT_DNS && (flags & POLICY_LOG_DNS);
}

static __always_inline enum event_verdict verdict_of(const struct question *question,
						     enum event_reason reason)
{
	if (reason == REASON_NONE)
		return EVENT_ALLOW;
	return POLICY_FLAGS(question->subject.policy) & POLICY_AUDIT_MODE ? EVENT_WOULD_DENY
									  : EVENT_DENY;
}

/* Asks user space to make a refusal felt, to the socket whose cookie the question has. Full: it is
 * felt later. */
static __always_inline void errand_ask(const struct question *question, enum errand_kind kind,
				       __u32 dns_id)
{
	const struct flow *flow = &question->flow;
	struct errand *errand;

	if (POLICY_FLAGS(question->subject.policy) & POLICY_QUIET)
		return;
	errand = bpf_ringbuf_reserve(&errands, sizeof(*errand), 0);
	if (!errand)
		return;
	errand->time_ns = bpf_ktime_get_boot_ns();
	errand->cgroup = question->subject.cgroup;
	errand->cookie = question->cookie;
	errand->kind = kind;
	errand->pid = question->actor.pid;
	__builtin_memcpy(errand->local, &flow->local, sizeof(errand->local));
	__builtin_memcpy(errand->remote, &flow->remote, sizeof(errand->remote));
	errand->local_port = flow->local_port;
	errand->remote_port = flow->remote_port;
	errand->dns_id = (__u16)dns_id;
	errand->spare = 0;
	bpf_ringbuf_submit(errand, 0);
}

/* Denials that are nobody's violation: what a rule grants but there is no room, no budget or no
 * guard for at the moment, and answers of a resolver. */
#define REASONS_THAT_SPARE                                                            \
	(1ULL << REASON_NO_POLICY | 1ULL << REASON_BUDGET | 1ULL << REASON_INTERNAL | \
	 1ULL << REASON_FULL | 1ULL << REASON_NO_GUARD)

/*
 * Has who is denied killed, where the policy asks for that. Programs of a cgroup can send no
 * signal, so that user space is asked to, each time: equal denials come from more than one process.
 */
VERIFIED_ONCE int question_ask_kill(const struct question *question, __u32 reason)
{
	if (!question || !(POLICY_FLAGS(question->subject.policy) & POLICY_KILL) ||
	    (1ULL << (reason & 63) & REASONS_THAT_SPARE))
		return 0;
	/* The LSM's hooks and the watch send their own; what comes in is somebody else's doing. */
	if (question->hook > HOOK_EGRESS ||
	    (question->kind == EVENT_LISTEN && question->hook != HOOK_BIND))
		return 0;
	if (question->family == AF_UNIX && question->detail & UNIX_PROBE)
		return 0;
	if (question->actor.pid)
		errand_ask(question, ERRAND_KILL, 0);
	return 0;
}

/* Turns what the tables say into what happens: audit mode allows and tells. `by_current`, a
 * constant: the task that runs now did it. */
static __always_inline int conclude(struct question *question, enum event_reason reason,
				    bool by_current)
{
	enum event_verdict verdict = verdict_of(question, reason);

	if (!(POLICY_FLAGS(question->subject.policy) & POLICY_QUIET))
		verdict_count(question->subject.slot, reason == REASON_NONE);
	if (!is_told(question, reason))
		return verdict == EVENT_DENY ? DENY : ALLOW;
	if (by_current)
		actor_set_current(&question->actor);
	question_tell(question, verdict, reason);
	if (verdict == EVENT_DENY)
		question_ask_kill(question, reason);
	return verdict == EVENT_DENY ? DENY : ALLOW;
}

/* The same of a packet, and a name that was read in it. */
static __always_inline int conclude_named(const struct question *question, enum event_reason reason,
					  const struct name *name)
{
	enum event_verdict verdict = verdict_of(question, reason);

	if (!(POLICY_FLAGS(question->subject.policy) & POLICY_QUIET))
		verdict_count(question->subject.slot, reason == REASON_NONE);
	if (is_told(question, reason)) {
		question_tell_name(question, verdict, reason, name);
		if (verdict == EVENT_DENY)
			question_ask_kill(question, reason);
	}
	return verdict == EVENT_DENY ? DENY : ALLOW;
}

#endif
