// SPDX-License-Identifier: Apache-2.0
#include "policyd/account.h"

#include <netinet/in.h>
#include <string.h>

#define DNS_PORT 53

static void write_time(struct json_writer *writer, const char *key, uint64_t time_ns)
{
	char text[AUDIT_TIME_ROOM];

	audit_time_format(time_ns, text);
	json_key_string(writer, key, text);
}

static void write_subject(const struct counted *counted, const struct denial_key *what,
			  struct explanation *explanation)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	const char *text;

	json_open_object(&writer);
	explain_destination(what, counted->name, &writer);
	json_key_unsigned(&writer, "bytes", counted->traffic->bytes);
	json_key_unsigned(&writer, "packets", counted->traffic->packets);
	write_time(&writer, "first", counted->first_ns);
	write_time(&writer, "last", counted->last_ns);
	json_close_object(&writer);
	text = json_writer_text(&writer);
	(void)snprintf(explanation->subject, sizeof(explanation->subject), "%s",
		       text ? text : "null");
}

/* The kernel counts a packet that it did not understand, and audit mode let out, without a
 * destination. */
static bool is_understood(const struct traffic_key *key)
{
	static const uint8_t none[sizeof(key->address)];

	return (key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP ||
		key->protocol == IPPROTO_ICMP) &&
	       memcmp(key->address, none, sizeof(none)) != 0;
}

static bool lists(const struct ip_address *addresses, size_t count, const struct traffic_key *key)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(addresses[i].bytes, key->address, sizeof(key->address)) == 0)
			return true;
	return false;
}

/* Where questions for names go. Which the target's own resolvers are, the decision core does not
 * know. */
static bool is_resolver(const struct traffic_key *key, const struct policy *policy,
			const struct agent *agent)
{
	const struct network *network = &policy->agent.network;
	const struct resolvers *own = agent ? &agent->resolvers : NULL;

	if (key->port != DNS_PORT || key->protocol == IPPROTO_ICMP)
		return false;
	return lists(network->resolvers, network->resolver_count, key) ||
	       (own && lists(own->addresses, own->count, key));
}

static bool names_hosts(const struct policy *policy, const struct agent *agent)
{
	const struct tool *tool =
		agent && agent->tool[0] ? policy_find_tool(policy, agent->tool) : NULL;

	return network_names_hosts(&policy->agent.network) ||
	       (tool && network_names_hosts(&tool->scope.network));
}

static void allow(struct audit_record *record)
{
	record->verdict = verdict_name(VERDICT_ALLOW);
	record->reason = NULL;
	record->message = NULL;
	record->hint_op = NULL;
}

/* The core has told what it would say of that destination. Where the kernel enforces it has let it
 * through, whatever the core knows of it: a name may be forgotten by now. */
static void judge(const struct traffic_key *key, const struct policy *policy,
		  const struct agent *agent, enum verdict_kind kind, struct audit_record *record)
{
	if (kind == VERDICT_ALLOW) {
		allow(record);
		return;
	}
	if (policy && is_resolver(key, policy, agent)) {
		record->rule = "/network/resolvers";
		if (names_hosts(policy, agent)) {
			allow(record);
			return;
		}
		/* A rule for the resolver's address would let out whatever names can carry. */
		record->message = "names are asked there; a rule for a host name opens it";
		record->hint_op = NULL;
	}
	if (policy && policy->mode == MODE_AUDIT)
		return;
	allow(record);
	record->rule = NULL;
}

void account_traffic(const struct counted *counted, const struct policy *policy,
		     const struct agent *agent, struct explanation *explanation,
		     struct audit_record *record)
{
	const struct traffic_key *key = counted->key;
	struct event event = {.count = 1, .pid = counted->traffic->pid};

	event.what = (struct denial_key){
		.cgroup = key->cgroup,
		.name = key->name,
		.policy_id = key->policy_id,
		.kind = EVENT_CONNECT,
		.reason = is_understood(key) ? REASON_EGRESS : REASON_PACKET,
		.protocol = (uint8_t)key->protocol,
		.verdict = EVENT_WOULD_DENY,
		.port = key->port,
	};
	memcpy(event.what.address, key->address, sizeof(event.what.address));
	explain_event(&event, counted->name, policy, agent ? agent->tool : NULL, explanation,
		      record);
	record->kind = "traffic";
	write_subject(counted, &event.what, explanation);
	judge(key, policy, agent, explanation->verdict.kind, record);
}
