/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names that a policy grants: which questions may be asked, what their answers open, and what is
 * open at an address. See dns.h for the messages and learn.h for the answers.
 */
#ifndef AGENTPOL_BPF_NAMES_H
#define AGENTPOL_BPF_NAMES_H

#include "bpf/budget.h"
#include "bpf/question.h"

#define DNS_PORT 53

static __always_inline bool has_names(const struct question *question)
{
	return egress_config.names && (POLICY_FLAGS(question->subject.policy) & POLICY_NAMES);
}

static __always_inline __u32 seconds_now(void)
{
	return (__u32)(bpf_ktime_get_ns() / 1000000000ULL);
}

static __always_inline struct workbench *workbench_at(__u32 index)
{
	return bpf_map_lookup_elem(&workbenches, &index);
}

/* A free place's index, or one past all of them. */
static __always_inline __u32 workbench_take(void)
{
	__u32 mask = egress_config.workbenches - 1, first, i;

	first = bpf_get_smp_processor_id() * WORKBENCH_TRIES;
	for (i = 0; i < WORKBENCH_TRIES; i++) {
		__u32 index = (first + i) & mask;
		struct workbench *bench = workbench_at(index);

		if (bench && __sync_val_compare_and_swap(&bench->busy, 0, 1) == 0)
			return index;
	}
	enforcer_count(COUNTER_WORKBENCHES_BUSY);
	return WORKBENCHES;
}

static __always_inline void workbench_give(__u32 index)
{
	struct workbench *bench = workbench_at(index);

	if (bench)
		__sync_val_compare_and_swap(&bench->busy, 1, 0);
}

static __always_inline bool message_load(const struct __sk_buff *skb, __u32 at, __u32 length,
					 struct message *message)
{
	if (length == 0 || length > MESSAGE_PIECE ||
	    bpf_skb_load_bytes(skb, at, message->bytes, length_bound(length, MESSAGE_PIECE)) < 0)
		return false;
	message->length = length;
	return true;
}

/* ---- what a policy knows ---- */

static __always_inline bool resolver_is(__u32 policy_id, const union flow_address *address)
{
	return grant_find(TABLE_OF(policy_id, TABLE_RESOLVERS), address) != NULL;
}

/* A packet to a resolver's port for questions. Container runtimes turn a resolver on loopback to
 * another port of its own before a packet comes here (Docker's 127.0.0.11); the socket call has
 * seen 53 then. An address of loopback's that a resolver has for itself is one on each port; on
 * 127.0.0.1 and ::1 there are other servers. */
static __always_inline bool flow_is_query(__u32 policy_id, const struct flow *flow)
{
	if (flow->protocol != IPPROTO_UDP && flow->protocol != IPPROTO_TCP)
		return false;
	if (flow->remote_port != DNS_PORT &&
	    (!flow_address_is_loopback(&flow->remote) || flow_address_is_localhost(&flow->remote)))
		return false;
	return resolver_is(policy_id, &flow->remote);
}

/* The rules of the name on the workbench: one lookup, exact or by wildcard. */
static __always_inline struct name_entry *rules_find(struct workbench *bench, __u32 policy_id)
{
	name_fill_key(&bench->name, policy_id, &bench->key);
	return bpf_map_lookup_elem(&rules_of_name, &bench->key);
}

static __always_inline struct name_grant *name_grant_at(__u32 index, __u32 policy_id)
{
	struct name_grant *grant = bpf_map_lookup_elem(&name_grants, &index);

	/* A place that is another policy's by now is no answer. */
	return grant && grant->policy_id == policy_id ? grant : NULL;
}

/* ---- what is open at an address ---- */

#define OPEN_GRANTED 1U /* some name's rules open it */
#define OPEN_HELLO   2U /* but only for TLS with a granted server name */
#define OPEN_CHARGED 4U /* by rules with budgets: open->budgets */

struct open {
	__u32 how; /* OPEN_* */
	__u32 budgets;
	__u64 name; /* the last name that led there, whatever it opens */
};

/* What one grant opens for the flow; better than what *open has, or not. */
VERIFIED_ONCE int open_by_grant(__u32 index, __u32 policy_id, const struct flow *flow,
				struct open *open)
{
	struct name_grant *grant = name_grant_at(index, policy_id);
	__u32 how = 0;
	bool hello;

	if (!grant || !flow || !open)
		return 0;
	hello = flow->protocol == IPPROTO_TCP && port_set_has(grant->sni_ports, flow->remote_port);
	if (grant_has(&grant->ports, flow->protocol, flow->remote_port))
		how = OPEN_GRANTED;
	else if (budget_list_has(grant->ports.budgets, flow->protocol, flow->remote_port))
		how = OPEN_GRANTED | OPEN_CHARGED;
	if (!how)
		return 0;
	if (hello)
		how |= OPEN_HELLO;
	/* Without a hello, then without a charge: what grants most. */
	if (open->how && open->how <= how)
		return 0;
	open->how = how;
	open->budgets = how & OPEN_CHARGED ? grant->ports.budgets : 0;
	return 0;
}

/* A grant that has run out opens no new connection (`fresh`), and closes none that is there. */
VERIFIED_ONCE int learnt_find(const struct flow *flow, __u32 policy_id, __u32 space, __u32 fresh,
			      struct open *open)
{
	struct learnt_key key = {.policy_id = policy_id, .space = space};
	struct learnt_address *learnt;
	__u32 now, i;

	if (!flow || !open)
		return 0;
	open->how = 0;
	open->budgets = 0;
	open->name = 0;
	__builtin_memcpy(key.address, &flow->remote, sizeof(key.address));
	learnt = bpf_map_lookup_elem(&learnt_of_address, &key);
	if (!learnt)
		return 0;
	now = seconds_now();
	open->name = learnt->name;
	NO_UNROLL
	for (i = 0; i < LEARNT_GRANTS_MAX; i++) {
		__u64 slot = *(volatile __u64 *)&learnt->slots[i];
		if (slot && (!fresh || LEARNT_EXPIRES(slot) >= now))
			open_by_grant(LEARNT_GRANT(slot), policy_id, flow, open);
	}
	return open->how;
}

/* Is the address open by the rules of that name, or was it until `slack` seconds ago? They are what
 * counts: another name's rules, which share an address with it, give nothing. */
static __always_inline bool name_opens(struct workbench *bench, const struct question *question,
				       __u32 grant, __u32 slack)
{
	const struct flow *flow = &question->flow;
	struct learnt_name *learnt;

	bench->learnt_name_key.policy_id = POLICY_ID(question->subject.policy);
	bench->learnt_name_key.space = question->subject.space;
	bench->learnt_name_key.grant = grant;
	__builtin_memcpy(bench->learnt_name_key.address, &flow->remote, sizeof(flow->remote));
	learnt = bpf_map_lookup_elem(&learnt_name, &bench->learnt_name_key);
	return learnt && learnt->expires + slack >= seconds_now();
}

/* ---- questions ---- */

/* The types that programs ask for with every name are one; any other could be chosen to tell
 * something, as a spelling could. */
static __always_inline __u64 spelling_of(const struct workbench *bench)
{
	__u32 type = bench->question.type;

	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA || type == DNS_TYPE_HTTPS)
		return bench->name.spelling;
	return stir(bench->name.spelling ^ type);
}

/* A name under a wildcard that was not asked for lately costs tokens of its rules. */
static __always_inline bool new_name_pay(struct workbench *bench, __u32 policy_id,
					 const struct name_entry *entry)
{
	struct asked_key key = {
		.spelling = spelling_of(bench), .policy_id = policy_id, .grant = entry->grant};
	struct name_grant *grant = name_grant_at(entry->grant, policy_id);
	__u32 now = seconds_now(), *asked;

	if (!grant)
		return false;
	asked = bpf_map_lookup_elem(&asked_names, &key);
	if (asked && now - *asked < ASKED_SECONDS)
		return true;
	if (!bucket_take(&grant->new_names_at, NEW_NAMES_A_MINUTE * NAME_BITS_A_TOKEN,
			 60000000000ULL, (__u32)name_cost(&bench->name, entry->suffix),
			 bpf_ktime_get_ns()))
		return false;
	bpf_map_update_elem(&asked_names, &key, &now, BPF_ANY);
	return true;
}

static __always_inline void question_remember(const struct question *question, __u32 id, __u32 type)
{
	struct question_key key = {.socket_cookie = question->cookie,
				   .name = question->name,
				   .policy_id = POLICY_ID(question->subject.policy),
				   .id = (__u16)id,
				   .type = (__u16)type};
	__u32 now = seconds_now();

	bpf_map_update_elem(&questions, &key, &now, BPF_ANY);
}

/*
 * Judges the message on the workbench as a question to a resolver, and tells it: ALLOW or DENY. A
 * global function, so that it is verified once for all the places it is asked in.
 */
VERIFIED_ONCE int judge_query(__u32 index, struct question *question)
{
	struct workbench *bench = workbench_at(index);
	__u32 policy_id;
	enum event_reason reason = REASON_NONE;
	struct name_entry *entry = NULL;
	int verdict;

	if (!bench || !question)
		return DENY;
	policy_id = POLICY_ID(question->subject.policy);
	bench->question.id = message_be16(&bench->message, 0);
	bench->question.type = 0;
	bench->name.length = 0;
	if (!dns_read_query(&bench->message, egress_config.key[0], &bench->name, &bench->question))
		reason = REASON_DNS_FORM;
	question->kind = EVENT_DNS;
	question->name = bench->name.length ? bench->name.hash : 0;
	question->detail = bench->question.type;
	if (reason == REASON_NONE) {
		entry = rules_find(bench, policy_id);
		if (!entry)
			reason = REASON_DNS;
		else if ((entry->flags & NAME_WILDCARD) && !new_name_pay(bench, policy_id, entry))
			reason = REASON_DNS_BUDGET;
	}
	verdict = conclude_named(question, reason, &bench->name);
	if (verdict == ALLOW && reason != REASON_DNS_FORM)
		question_remember(question, bench->question.id, bench->question.type);
	if (verdict == DENY)
		errand_ask(question,
			   question->flow.protocol == IPPROTO_TCP ? ERRAND_RESET : ERRAND_REFUSE,
			   bench->question.id);
	return verdict;
}

#endif
