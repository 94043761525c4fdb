/* SPDX-License-Identifier: GPL-2.0-only */
/* Budgets of rules: token buckets, taken from by the packet. */
#ifndef AGENTPOL_BPF_BUDGET_H
#define AGENTPOL_BPF_BUDGET_H

#include "bpf/lookup.h"

/* Another CPU takes at the same time; then once more. Lost that often, there is nothing left. */
#define BUDGET_TRIES 8

/*
 * Takes `count` of `amount` in `period` ns out of the bucket whose clock is *at. A full bucket
 * holds `amount`; it fills evenly. count * period fits 64 bits: 64 KiB and a day.
 */
static __always_inline bool bucket_take(__u64 *at, __u64 amount, __u64 period, __u64 count,
					__u64 now)
{
	__u32 i;

	if (!period || !amount)
		return !period;
	for (i = 0; i < BUDGET_TRIES; i++) {
		__u64 before = *(volatile __u64 *)at;
		__u64 after = (before > now ? before : now) + count * period / amount;

		if (after - now > period)
			return false;
		if (__sync_val_compare_and_swap(at, before, after) == before)
			return true;
	}
	return false;
}

static __always_inline void bucket_return(__u64 *at, __u64 amount, __u64 period, __u64 count)
{
	if (period && amount)
		__sync_fetch_and_add(at, -(count * period / amount));
}

/* Of one rule. Global functions here are verified once, not once on each path to them. */
VERIFIED_ONCE int budget_take(__u32 index, __u32 connects, __u32 bytes)
{
	struct budget *budget = bpf_map_lookup_elem(&budgets, &index);
	__u64 now = bpf_ktime_get_ns();

	if (!budget)
		return false;
	if (connects && !bucket_take(&budget->connects_at, budget->connects_amount,
				     budget->connects_period, connects, now))
		return false;
	if (bytes && !bucket_take(&budget->bytes_at, budget->bytes_amount, budget->bytes_period,
				  bytes, now)) {
		bucket_return(&budget->connects_at, budget->connects_amount,
			      budget->connects_period, connects);
		return false;
	}
	__sync_fetch_and_add(&budget->connects, connects);
	__sync_fetch_and_add(&budget->bytes, bytes);
	return true;
}

static __always_inline void budget_deny(__u32 index)
{
	struct budget *budget = bpf_map_lookup_elem(&budgets, &index);

	if (budget)
		__sync_fetch_and_add(&budget->denied, 1);
}

enum charge { CHARGE_NONE = 0, CHARGE_PAID = 1, CHARGE_EXHAUSTED = 2 };

static __always_inline bool item_has(const struct budget_item *item, __u32 protocol, __u16 port)
{
	const struct address_grant grant = {
		.tcp_ports = item->tcp_ports, .udp_ports = item->udp_ports, .flags = item->flags};

	return grant_has(&grant, protocol, port);
}

/* Charges the first rule of the list that grants the destination and has enough left. */
VERIFIED_ONCE int budget_charge(__u32 list, __u32 protocol, __u32 port, __u32 connects, __u32 bytes)
{
	struct budget_list *rules = bpf_map_lookup_elem(&budget_lists, &list);
	enum charge result = CHARGE_NONE;
	__u32 i;

	if (!list || !rules)
		return CHARGE_NONE;
	NO_UNROLL
	for (i = 0; i < BUDGETS_EACH_MAX; i++) {
		if (i >= rules->count)
			break;
		if (!item_has(&rules->items[i], protocol, (__u16)port))
			continue;
		if (budget_take(rules->items[i].budget, connects, bytes))
			return CHARGE_PAID;
		budget_deny(rules->items[i].budget);
		result = CHARGE_EXHAUSTED;
	}
	return result;
}

/* A list that is another policy's by now is no answer. */
static __always_inline bool budget_list_is_of(__u32 list, __u32 policy_id)
{
	struct budget_list *rules = bpf_map_lookup_elem(&budget_lists, &list);

	return rules && rules->policy_id == policy_id;
}

/* Does any rule of the list grant the destination? */
VERIFIED_ONCE int budget_list_has(__u32 list, __u32 protocol, __u32 port)
{
	struct budget_list *rules = list ? bpf_map_lookup_elem(&budget_lists, &list) : NULL;
	__u32 i;

	if (!rules)
		return false;
	NO_UNROLL
	for (i = 0; i < BUDGETS_EACH_MAX; i++)
		if (i < rules->count && item_has(&rules->items[i], protocol, (__u16)port))
			return true;
	return false;
}

#endif
