// SPDX-License-Identifier: Apache-2.0
/* Findings about "network". */
#include <string.h>

#include "manifest/lint_rules.h"
#include "policy/paths.h"
#include "policy/servers.h"

/* Shorter prefixes hold more hosts than any one service has. Both are bits of 128. */
#define WIDE_IPV4	  (MAPPED_BITS + 16)
#define WIDE_IPV6	  32
#define DNS_PORT	  53
#define DNS_OVER_TLS_PORT 853
#define NEARLY_EVERY_PORT 65000U

/* Suffixes of two labels and more below which anyone can have a name, by registering it or by
 * renting a service: a wildcard on one is a wildcard on strangers. From the Public Suffix List
 * (publicsuffix.org), what is common; every single label is one too. */
static const char *const shared_suffixes[] = {
	"co.uk",
	"org.uk",
	"ac.uk",
	"gov.uk",
	"me.uk",
	"com.au",
	"net.au",
	"org.au",
	"co.nz",
	"co.jp",
	"ne.jp",
	"or.jp",
	"co.kr",
	"com.cn",
	"net.cn",
	"org.cn",
	"com.tw",
	"com.hk",
	"com.sg",
	"co.in",
	"com.br",
	"com.mx",
	"com.ar",
	"com.tr",
	"co.za",
	"co.il",
	"com.pl",
	"com.ua",
	"eu.org",
	"amazonaws.com",
	"s3.amazonaws.com",
	"compute.amazonaws.com",
	"elb.amazonaws.com",
	"execute-api.us-east-1.amazonaws.com",
	"cloudfront.net",
	"awsapprunner.com",
	"elasticbeanstalk.com",
	"azurewebsites.net",
	"azureedge.net",
	"azurefd.net",
	"blob.core.windows.net",
	"core.windows.net",
	"cloudapp.net",
	"cloudapp.azure.com",
	"trafficmanager.net",
	"googleapis.com",
	"storage.googleapis.com",
	"appspot.com",
	"run.app",
	"web.app",
	"firebaseapp.com",
	"firebaseio.com",
	"cloudfunctions.net",
	"github.io",
	"githubusercontent.com",
	"gitlab.io",
	"herokuapp.com",
	"vercel.app",
	"netlify.app",
	"pages.dev",
	"workers.dev",
	"r2.dev",
	"r2.cloudflarestorage.com",
	"trycloudflare.com",
	"fly.dev",
	"onrender.com",
	"railway.app",
	"deno.dev",
	"replit.app",
	"repl.co",
	"glitch.me",
	"surge.sh",
	"digitaloceanspaces.com",
	"ondigitalocean.app",
	"ngrok.io",
	"ngrok.app",
	"ngrok-free.app",
	"loca.lt",
	"supabase.co",
	"blogspot.com",
	"wordpress.com",
	"myshopify.com",
	"duckdns.org",
	"no-ip.org",
	"ddns.net",
	"dyndns.org",
	"pipedream.net",
	"requestbin.net",
	"oast.fun",
	"oast.pro",
	"interact.sh",
};

/* Sockets behind which somebody starts processes for whoever asks. */
static const char *const runtime_sockets[] = {
	"/run/docker.sock",
	"/var/run/docker.sock",
	"/run/containerd/containerd.sock",
	"/var/run/containerd/containerd.sock",
	"/run/crio/crio.sock",
	"/var/run/crio/crio.sock",
	"/run/podman/podman.sock",
	"/var/run/podman/podman.sock",
	"/run/user/1000/podman/podman.sock",
	"/run/user/1000/docker.sock",
	"/run/buildkit/buildkitd.sock",
	"/run/libvirt/libvirt-sock",
	"/var/lib/lxd/unix.socket",
	"/run/systemd/private",
	"/run/dbus/system_bus_socket",
	"/var/run/dbus/system_bus_socket",
};

static bool is_shared_suffix(const char *name)
{
	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(shared_suffixes); i++)
		if (strcmp(shared_suffixes[i], name) == 0)
			return true;
	return false;
}

/* "*" leaves out port 53 and those of tools' servers, which are not asked for here. */
static bool has_every_port(const struct port_set *ports)
{
	unsigned count = 0;

	for (size_t i = 0; ports && i < ports->count; i++)
		count += (unsigned)ports->ranges[i].last - ports->ranges[i].first + 1;
	return count >= NEARLY_EVERY_PORT;
}

static bool is_everywhere(const struct egress_target *target)
{
	if (target->kind == TARGET_ANY)
		return true;
	return target->kind == TARGET_PREFIX &&
	       (target->prefix.bits == 0 || (target->prefix.bits == MAPPED_BITS &&
					     prefix_contains(&ipv4_space, &target->prefix)));
}

static bool is_wide(const struct ip_prefix *prefix)
{
	if (prefix_contains(&ipv4_space, prefix))
		return prefix->bits < WIDE_IPV4;
	return prefix->bits < WIDE_IPV6;
}

static bool is_reserved(const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < reserved_range_count; i++)
		if (prefix_contains(&reserved_ranges[i].prefix, prefix))
			return true;
	return false;
}

/* The rule that a target breaks by itself, or LINT_RULES. */
static enum lint_rule_index judge_target(const struct egress_rule *rule,
					 const struct egress_target *target)
{
	if (is_everywhere(target))
		return has_every_port(rule->ports) ? LINT_EVERYTHING : LINT_ANY_ADDRESS;
	if (target->kind == TARGET_WILDCARD && is_shared_suffix(target->name))
		return LINT_SHARED_SUFFIX;
	if (target->kind != TARGET_PREFIX)
		return LINT_RULES;
	if (is_reserved(&target->prefix))
		return LINT_METADATA;
	return is_wide(&target->prefix) ? LINT_WIDE_PREFIX : LINT_RULES;
}

static void lint_targets(struct linter *linter, const struct egress_rule *rule,
			 const json_value *to, const char *pointer)
{
	const json_value *item = json_is_array(to) ? json_first(to) : to;

	for (size_t i = 0; i < rule->target_count && item; i++) {
		enum lint_rule_index found = judge_target(rule, &rule->targets[i]);

		if (found != LINT_RULES && json_is_array(to))
			lint_find(linter, found, item, json_as_string(item), pointer,
				  "/network/egress/%zu/to/%zu", rule->index, i);
		else if (found != LINT_RULES)
			lint_find(linter, found, item, json_as_string(item), pointer,
				  "/network/egress/%zu/to", rule->index);
		item = json_next(item);
	}
}

/* May any of the rule's targets be the server, by an address that nobody has told? Another address
 * than the one that is written is another server. */
static bool may_lead_to(const struct egress_rule *rule, enum server_kind server)
{
	for (size_t i = 0; i < rule->target_count; i++) {
		const struct egress_target *target = &rule->targets[i];

		if (target->kind == TARGET_PREFIX && target->prefix.bits == ADDRESS_BITS &&
		    server == SERVER_ADDRESS)
			continue;
		if (target->kind != TARGET_LOOPBACK || server != SERVER_LOOPBACK)
			return true;
	}
	return false;
}

static void lint_server_port(struct linter *linter, const struct egress_rule *rule,
			     const json_value *value, const char *pointer)
{
	for (size_t i = 0; i < linter->policy->tool_count; i++) {
		const struct tool *tool = &linter->policy->tools[i];
		struct ip_address ignored;
		const enum server_kind server = server_kind_of(tool, &ignored);

		if (server == SERVER_NONE || server == SERVER_UNIX ||
		    !(rule->protocols & PROTOCOL_TCP) ||
		    !port_set_has(rule->named_ports, tool->sql->server_port) ||
		    !may_lead_to(rule, server))
			continue;
		lint_find(linter, LINT_SERVER_PORT, json_member(value, "ports"), tool->name,
			  pointer, "/network/egress/%zu/ports", rule->index);
		return;
	}
}

static void lint_egress(struct linter *linter, const struct egress_rule *rule,
			const json_value *value, const char *pointer)
{
	lint_targets(linter, rule, json_member(value, "to"), pointer);
	lint_server_port(linter, rule, value, pointer);
	if (rule->sni == SNI_IGNORE)
		lint_find(linter, LINT_SNI_IGNORED, json_member(value, "sni"), NULL, pointer,
			  "/network/egress/%zu/sni", rule->index);
	if (port_set_has(rule->ports, DNS_PORT) ||
	    (port_set_has(rule->ports, DNS_OVER_TLS_PORT) && rule->ports->count == 1 &&
	     rule->ports->ranges[0].first == rule->ports->ranges[0].last))
		lint_find(linter, LINT_DNS_BY_ADDRESS, json_member(value, "ports"), NULL, pointer,
			  "/network/egress/%zu/ports", rule->index);
}

static void lint_unix(struct linter *linter, const struct network *network, const json_value *list,
		      const char *pointer)
{
	const json_value *item = json_first(list);

	for (size_t i = 0; i < network->unix_paths.count && item; i++, item = json_next(item)) {
		for (size_t j = 0; j < ARRAY_SIZE(runtime_sockets); j++) {
			if (!path_matches(network->unix_paths.items[i], runtime_sockets[j]))
				continue;
			lint_find(linter, LINT_RUNTIME_SOCKET, item, runtime_sockets[j], pointer,
				  "/network/unix/%zu", i);
			break;
		}
	}
}

static void lint_families(struct linter *linter, const json_value *list, const char *pointer)
{
	size_t index = 0;

	json_for_each (item, list) {
		const char *name = json_as_string(item);

		if (strcmp(name, "raw") == 0 || strcmp(name, "packet") == 0 ||
		    strcmp(name, "xdp") == 0 || strcmp(name, "vsock") == 0)
			lint_find(linter, LINT_RAW_FAMILY, item, name, pointer,
				  "/network/families/%zu", index);
		index++;
	}
}

void lint_network(struct linter *linter, const struct lint_scope *scope)
{
	const struct network *network = &scope->scope->network;
	const json_value *value = json_member(scope->value, "network");
	const json_value *rule = json_first(json_member(value, "egress"));

	for (size_t i = 0; i < network->egress_count && rule; i++, rule = json_next(rule))
		lint_egress(linter, &network->egress[i], rule, scope->scope->pointer);
	lint_unix(linter, network, json_member(value, "unix"), scope->scope->pointer);
	lint_families(linter, json_member(value, "families"), scope->scope->pointer);
}
