/* SPDX-License-Identifier: GPL-2.0-only */
/* Peers that sent a datagram to a port which they may come in by, and may be answered. */
#ifndef AGENTPOL_BPF_PEER_H
#define AGENTPOL_BPF_PEER_H

#include "bpf/lookup.h"

/* A UDP listener's peer: known by the socket and its address. */
static __always_inline struct udp_peer_key udp_peer(__u64 cookie, const struct flow *flow)
{
	struct udp_peer_key key = {.socket_cookie = cookie, .port = flow->remote_port};

	__builtin_memcpy(key.address, &flow->remote, sizeof(key.address));
	return key;
}

/* Does this answer a peer that was let in under the policy of now? */
static __always_inline bool answers_udp_peer(__u32 policy_id, __u64 cookie, const struct flow *flow)
{
	struct udp_peer_key key = udp_peer(cookie, flow);
	__u32 *under;

	if (flow->protocol != IPPROTO_UDP)
		return false;
	under = bpf_map_lookup_elem(&udp_peers, &key);
	return under && *under == policy_id;
}

#endif
