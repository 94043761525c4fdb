// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"
#include "policy/decide.h"
#include "policy/unix_sockets.h"

static const char manifest[] =
	"{\"agentpol\": 1, \"name\": \"t\","
	" \"network\": {\"egress\": ["
	"  {\"to\": \"10.0.0.0/8\", \"ports\": [443, \"8000-8100\"]},"
	"  {\"to\": [\"api.example.com\", \"*.cdn.example.com\"], \"ports\": [443]},"
	"  {\"to\": \"@loopback\", \"ports\": [5432], \"proto\": [\"tcp\", \"icmp\"]},"
	"  {\"to\": \"192.0.2.0/24\", \"ports\": \"*\", \"proto\": \"udp\"}],"
	"  \"resolvers\": [\"10.0.0.53\"],"
	"  \"listen\": [{\"ports\": [8080], \"on\": \"@loopback\"}],"
	"  \"families\": [\"packet\"]},"
	" \"process\": {\"exec\": [\"/usr/bin/*\"]},"
	" \"files\": {\"read\": [\"/data\"], \"write\": [\"/data/out\"], \"deny\": "
	"[\"/data/secret\"]},"
	" \"tools\": {\"a/b\": {\"network\": {\"egress\": ["
	"    {\"to\": \"169.254.169.254\", \"ports\": [80]}]},"
	"    \"process\": {\"syscalls\": {\"allow\": [\"ptrace\"]}}},"
	"  \"bare\": {}}}";

static const char empty_manifest[] = "{\"agentpol\": 1, \"name\": \"t\"}";
static const char audit_manifest[] = "{\"agentpol\": 1, \"name\": \"t\", \"mode\": \"audit\"}";
static const char any_manifest[] = "{\"agentpol\": 1, \"name\": \"t\", \"network\": {"
				   " \"egress\": [{\"to\": \"@any\", \"ports\": [80]}],"
				   " \"listen\": [{\"ports\": [80], \"on\": \"@any\"}]}}";

static struct policy *read_policy(const char *text)
{
	struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(text, strlen(text), &diagnostics);
	if (!policy)
		diagnostics_print_text(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	assert_non_null(policy);
	return policy;
}

static struct verdict decide(const char *text, const struct request *request)
{
	_cleanup_policy_ struct policy *policy = read_policy(text);
	struct verdict verdict;

	policy_decide(policy, request, &verdict);
	return verdict;
}

static struct request connect_to(const char *address, uint16_t port, const char *name)
{
	struct request request = {.kind = REQUEST_CONNECT};

	assert_true(address_parse(address, &request.connect.address));
	request.connect.port = port;
	request.connect.protocol = PROTOCOL_TCP;
	request.connect.name = name;
	return request;
}

static void expect(const struct verdict *verdict, enum verdict_kind kind, const char *reason,
		   const char *rule)
{
	assert_string_equal(verdict_name(verdict->kind), verdict_name(kind));
	assert_string_equal(verdict->reason ? verdict->reason : "", reason);
	assert_string_equal(verdict->rule, rule);
	if (kind != VERDICT_ALLOW)
		assert_true(verdict->message[0] != '\0');
}

static void expect_hint(const struct verdict *verdict, const char *path, const char *value)
{
	assert_string_equal(verdict->hint_op, "add");
	assert_string_equal(verdict->hint_path, path);
	assert_string_equal(verdict->hint_value, value);
}

static void a_granted_address_is_open(void **state)
{
	const struct request asked = connect_to("10.1.2.3", 8050, NULL);
	const struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/0");
}

static void a_denied_address_has_its_edit(void **state)
{
	struct request asked = connect_to("203.0.113.9", 443, NULL);
	struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_DENY, "egress", "/network/egress");
	expect_hint(&verdict, "/network/egress/-", "{\"to\":\"203.0.113.9\",\"ports\":[443]}");
	asked.connect.protocol = PROTOCOL_UDP;
	asked.connect.name = "example.org";
	verdict = decide(manifest, &asked);
	expect_hint(&verdict, "/network/egress/-",
		    "{\"to\":\"example.org\",\"ports\":[443],\"proto\":\"udp\"}");
	verdict = decide(empty_manifest, &asked);
	expect_hint(&verdict, "/network",
		    "{\"egress\":[{\"to\":\"example.org\",\"ports\":[443],\"proto\":\"udp\"}]}");
}

static void a_name_opens_the_address_it_was_learnt_for(void **state)
{
	struct request asked = connect_to("203.0.113.9", 443, "API.example.com.");
	struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/1");
	asked.connect.name = "a.b.cdn.example.com";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/1");
	asked.connect.name = "cdn.example.com";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "egress", "/network/egress");
	asked.connect.name = "xcdn.example.com";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "egress", "/network/egress");
}

static void a_name_opens_no_internal_address(void **state)
{
	struct request asked = connect_to("192.168.1.1", 443, "api.example.com");
	struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_DENY, "internal-address", "/network/egress/1");
	expect_hint(&verdict, "/network/egress/-", "{\"to\":\"192.168.1.1\",\"ports\":[443]}");
	asked = connect_to("169.254.169.254", 443, "api.example.com");
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "metadata", "/network/egress");
	/* An address rule opens it, whatever the name. */
	asked = connect_to("10.0.0.7", 443, "api.example.com");
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/0");
}

static void any_opens_no_metadata_service(void **state)
{
	struct request asked = connect_to("169.254.169.254", 80, NULL);
	struct verdict verdict = decide(any_manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_DENY, "metadata", "/network/egress");
	asked.tool = "a/b";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/tools/a~1b/network/egress/0");
}

static void the_any_address_is_the_machine_itself(void **state)
{
	const struct request asked = connect_to("0.0.0.0", 5432, NULL);
	const struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/2");
}

static void icmp_has_no_port(void **state)
{
	struct request asked = connect_to("127.0.0.1", 0, NULL);
	struct verdict verdict;

	(void)state;
	asked.connect.protocol = PROTOCOL_ICMP;
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/2");
	asked = connect_to("10.0.0.1", 0, NULL);
	asked.connect.protocol = PROTOCOL_ICMP;
	verdict = decide(manifest, &asked);
	expect_hint(&verdict, "/network/egress/-", "{\"to\":\"10.0.0.1\",\"proto\":\"icmp\"}");
}

static void every_port_leaves_out_dns(void **state)
{
	struct request asked = connect_to("192.0.2.1", 53, NULL);
	struct verdict verdict;

	(void)state;
	asked.connect.protocol = PROTOCOL_UDP;
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "egress", "/network/egress");
	asked.connect.port = 54;
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/3");
}

static void an_unknown_tool_is_denied(void **state)
{
	struct request asked = connect_to("10.0.0.1", 443, NULL);
	struct verdict verdict;

	(void)state;
	asked.tool = "nobody";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "tool", "/tools");
}

static void a_tools_hint_goes_to_the_tool(void **state)
{
	struct request asked = connect_to("10.0.0.1", 22, NULL);
	struct verdict verdict;

	(void)state;
	asked.tool = "bare";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "egress", "/tools/bare/network/egress");
	expect_hint(&verdict, "/tools/bare/network",
		    "{\"egress\":[{\"to\":\"10.0.0.1\",\"ports\":[22]}]}");
	asked.connect.port = 443;
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/0");
}

static void names_are_asked_of_granted_resolvers(void **state)
{
	struct request asked = {.kind = REQUEST_DNS, .dns.name = "api.example.com"};
	struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/1");
	asked.dns.has_resolver = true;
	assert_true(address_parse("10.0.0.53", &asked.dns.resolver));
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/1");
	assert_string_equal(verdict.assumes, "");
	/* A tool's silence adds no resolver. */
	assert_true(address_parse("8.8.8.8", &asked.dns.resolver));
	asked.tool = "a/b";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "dns", "/tools/a~1b/network/resolvers");
	asked.tool = NULL;
	verdict = decide(manifest, &asked);
	expect_hint(&verdict, "/network/resolvers/-", "\"8.8.8.8\"");
	asked.dns.name = "evil.example.net";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "dns", "/network/egress");
}

static void system_resolvers_are_assumed(void **state)
{
	static const char text[] = "{\"agentpol\": 1, \"name\": \"t\", \"network\": {\"egress\": ["
				   "{\"to\": \"a.example\", \"ports\": [443]}]}}";
	struct request asked = {.kind = REQUEST_DNS,
				.dns = {.name = "a.example", .has_resolver = true}};
	struct verdict verdict;

	(void)state;
	assert_true(address_parse("127.0.0.53", &asked.dns.resolver));
	verdict = decide(text, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/egress/0");
	assert_string_equal(verdict.assumes,
			    "127.0.0.53 is a resolver of the target's /etc/resolv.conf");
}

static void listening_is_granted_where_it_is_named(void **state)
{
	struct request asked = {.kind = REQUEST_LISTEN, .listen.port = 8080};
	struct verdict verdict;

	(void)state;
	assert_true(address_parse("127.0.0.1", &asked.listen.address));
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/listen/0");
	/* As an address to listen on it is every address, not the loopback one. */
	assert_true(address_parse("0.0.0.0", &asked.listen.address));
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "listen", "/network/listen");
	expect_hint(&verdict, "/network/listen/-", "{\"ports\":[8080],\"on\":\"@any\"}");
	asked.listen.port = 0;
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "");
	asked.listen.port = 80;
	verdict = decide(any_manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "/network/listen/0");
}

static void only_granted_families_open(void **state)
{
	struct request asked = {.kind = REQUEST_SOCKET, .family = "packet"};
	struct verdict verdict = decide(manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/network/families");
	asked.family = "vsock";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "family", "/network/families");
	expect_hint(&verdict, "/network/families/-", "\"vsock\"");
	asked.family = "inet";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "");
}

static struct verdict decide_unix_as(const char *text, const char *tool, const char *name)
{
	const struct request asked = {.kind = REQUEST_UNIX, .tool = tool, .path = name};

	return decide(text, &asked);
}

static const char unix_manifest[] =
	"{\"agentpol\": 1, \"name\": \"t\","
	" \"network\": {\"unix\": [\"/run/a/*.sock\", \"@name\", \"@n*\"]},"
	" \"tools\": {\"d\": {\"network\": {\"unix\": [\"/run/docker.sock\"]}}, \"bare\": {}}}";

static void a_unix_socket_is_granted_by_its_plain_path(void **state)
{
	static const char *const denied[] = {"/run/b.sock", "/run/a/b/c.sock", "@names", "@",
					     "@name2"};
	static const char *const not_plain[] = {
		"/run/a/../a/b.sock", "/run//a/b.sock", "run/a/b.sock",
		"/run/a/./b.sock",    "./@name",	"/run/a/b.sock/"};
	struct verdict verdict = decide_unix_as(unix_manifest, NULL, "/run/a/b.sock");

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/network/unix/0");
	verdict = decide_unix_as(unix_manifest, NULL, "@name");
	expect(&verdict, VERDICT_ALLOW, "", "/network/unix/1");
	verdict = decide_unix_as(unix_manifest, NULL, "@n*");
	expect(&verdict, VERDICT_ALLOW, "", "/network/unix/2");
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
		char value[64];

		verdict = decide_unix_as(unix_manifest, NULL, denied[i]);
		expect(&verdict, VERDICT_DENY, "unix", "/network/unix");
		(void)snprintf(value, sizeof(value), "\"%s\"", denied[i]);
		expect_hint(&verdict, "/network/unix/-", value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_plain); i++) {
		verdict = decide_unix_as(unix_manifest, NULL, not_plain[i]);
		expect(&verdict, VERDICT_DENY, "unix", "/network/unix");
		assert_string_equal(verdict.hint_op, "");
	}
}

static void runtime_sockets_are_denied_where_none_is_listed(void **state)
{
	static const char *const denied[] = {
		"/run/docker.sock",	"/var/run/docker.sock",	   "/srv/x/docker.sock",
		"/run/containerd/s/12", "/run/user/1000/podman/x", "@/containerd-shim/1/shim.sock"};
	static const char *const not_plain[] = {"docker.sock", "../run/docker.sock",
						"/run/x/../docker.sock", "run/crio/crio.sock"};
	static const char *const open[] = {"/run/x.sock",  "x.sock",
					   "@name",	   "/run/docker.sock.d/x",
					   "@docker.sock", "/run/agentpolx/x"};
	struct verdict verdict;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
		verdict = decide_unix_as(empty_manifest, NULL, denied[i]);
		expect(&verdict, VERDICT_DENY, "unix", "/network/unix");
		assert_string_equal(verdict.hint_path, "/network");
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_plain); i++) {
		verdict = decide_unix_as(empty_manifest, NULL, not_plain[i]);
		expect(&verdict, VERDICT_DENY, "unix", "/network/unix");
		assert_string_equal(verdict.hint_op, "");
	}
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		verdict = decide_unix_as(empty_manifest, NULL, open[i]);
		expect(&verdict, VERDICT_ALLOW, "", "");
	}
	verdict = decide_unix_as(audit_manifest, NULL, "/run/docker.sock");
	expect(&verdict, VERDICT_WOULD_DENY, "unix", "/network/unix");
}

static void a_tool_adds_unix_sockets(void **state)
{
	struct verdict verdict = decide_unix_as(unix_manifest, "d", "/run/docker.sock");

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/tools/d/network/unix/0");
	verdict = decide_unix_as(unix_manifest, NULL, "/run/docker.sock");
	expect(&verdict, VERDICT_DENY, "unix", "/network/unix");
	verdict = decide_unix_as(unix_manifest, "bare", "/run/docker.sock");
	expect(&verdict, VERDICT_DENY, "unix", "/tools/bare/network/unix");
	expect_hint(&verdict, "/tools/bare/network", "{\"unix\":[\"/run/docker.sock\"]}");
}

static void the_enforcers_own_socket_is_never_open(void **state)
{
	static const char everything[] =
		"{\"agentpol\": 1, \"name\": \"t\", \"network\": {\"unix\": [\"/**\"]}}";
	struct verdict verdict = decide_unix_as(everything, NULL, "/run/agentpol/policyd.sock");
	char longest[UNIX_NAME_MAX + 2];

	(void)state;
	expect(&verdict, VERDICT_DENY, "enforcer", "/network/unix");
	assert_string_equal(verdict.hint_op, "");
	verdict = decide_unix_as(empty_manifest, NULL, "/tmp/../run/agentpol/x");
	expect(&verdict, VERDICT_DENY, "enforcer", "/network/unix");
	verdict = decide_unix_as(everything, NULL, "/run/docker.sock");
	expect(&verdict, VERDICT_ALLOW, "", "/network/unix/0");
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[UNIX_NAME_MAX + 1] = '\0';
	verdict = decide_unix_as(everything, NULL, longest);
	expect(&verdict, VERDICT_DENY, "unix", "/network/unix");
	longest[UNIX_NAME_MAX] = '\0';
	verdict = decide_unix_as(everything, NULL, longest);
	expect(&verdict, VERDICT_ALLOW, "", "/network/unix/0");
}

static struct verdict decide_path(const char *text, enum request_kind kind, const char *path,
				  enum file_access access)
{
	struct request asked = {.kind = kind};

	if (kind == REQUEST_EXEC) {
		asked.path = path;
	} else {
		asked.file.path = path;
		asked.file.access = access;
	}
	return decide(text, &asked);
}

static void a_directory_grants_what_is_below_it(void **state)
{
	struct verdict verdict = decide_path(manifest, REQUEST_FILE, "/data//x/./y", ACCESS_READ);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/files/read/0");
	verdict = decide_path(manifest, REQUEST_FILE, "/data/../etc/shadow", ACCESS_READ);
	expect(&verdict, VERDICT_DENY, "file", "/files/read");
	expect_hint(&verdict, "/files/read/-", "\"/etc/shadow\"");
	verdict = decide_path(manifest, REQUEST_FILE, "/data/x", ACCESS_WRITE);
	expect(&verdict, VERDICT_DENY, "file", "/files/write");
	verdict = decide_path(manifest, REQUEST_FILE, "/data/out/x", ACCESS_WRITE);
	expect(&verdict, VERDICT_ALLOW, "", "/files/write/0");
}

static void a_denied_path_wins_over_a_grant(void **state)
{
	struct verdict verdict = decide_path(manifest, REQUEST_FILE, "/data/secret/x", ACCESS_READ);

	(void)state;
	expect(&verdict, VERDICT_DENY, "file", "/files/deny/0");
	assert_string_equal(verdict.hint_op, "remove");
	assert_string_equal(verdict.hint_path, "/files/deny/0");
	/* Taking the entry out would not grant to write: no hint. */
	verdict = decide_path(manifest, REQUEST_FILE, "/data/secret/x", ACCESS_WRITE);
	expect(&verdict, VERDICT_DENY, "file", "/files/deny/0");
	assert_string_equal(verdict.hint_op, "");
}

static void the_enforcers_own_files_are_never_open(void **state)
{
	const struct verdict verdict = decide_path(empty_manifest, REQUEST_FILE,
						   "/run/../run/agentpol/socket", ACCESS_READ);
	const struct verdict other =
		decide_path(empty_manifest, REQUEST_FILE, "/etc/passwd", ACCESS_WRITE);
	const struct verdict relative =
		decide_path(empty_manifest, REQUEST_EXEC, "bin/x", ACCESS_READ);

	(void)state;
	expect(&verdict, VERDICT_DENY, "enforcer", "/files");
	expect(&other, VERDICT_ALLOW, "", "");
	expect(&relative, VERDICT_DENY, "exec", "/files");
}

static void only_patterns_that_match_are_executed(void **state)
{
	struct verdict verdict = decide_path(manifest, REQUEST_EXEC, "/usr/bin/curl", ACCESS_READ);

	(void)state;
	expect(&verdict, VERDICT_ALLOW, "", "/process/exec/0");
	verdict = decide_path(manifest, REQUEST_EXEC, "/usr/bin/../sbin/x", ACCESS_READ);
	expect(&verdict, VERDICT_DENY, "exec", "/process/exec");
	expect_hint(&verdict, "/process/exec/-", "\"/usr/sbin/x\"");
	verdict = decide_path(empty_manifest, REQUEST_EXEC, "/anything", ACCESS_READ);
	expect(&verdict, VERDICT_ALLOW, "", "");
}

static void escapes_are_denied_unless_excepted(void **state)
{
	struct request asked = {.kind = REQUEST_SYSCALL, .syscall = "ptrace"};
	struct verdict verdict = decide(empty_manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_DENY, "syscall", "/process/syscalls");
	expect_hint(&verdict, "/process",
		    "{\"syscalls\":{\"deny\":[\"@escape\"],\"allow\":[\"ptrace\"]}}");
	asked.tool = "a/b";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "");
	asked.syscall = "bpf";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "syscall", "/tools/a~1b/process/syscalls");
	expect_hint(&verdict, "/tools/a~1b/process/syscalls/allow/-", "\"bpf\"");
	asked.syscall = "no_such_call";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_DENY, "syscall", "/tools/a~1b/process/syscalls");
	asked.syscall = "clone";
	verdict = decide(manifest, &asked);
	expect(&verdict, VERDICT_ALLOW, "", "");
	assert_true(verdict.assumes[0] != '\0');
}

static void audit_mode_says_what_it_would_deny(void **state)
{
	const struct request asked = connect_to("203.0.113.9", 443, NULL);
	const struct verdict verdict = decide(audit_manifest, &asked);

	(void)state;
	expect(&verdict, VERDICT_WOULD_DENY, "egress", "/network/egress");
}

/* ---- servers of tools ---- */

#define SERVER(tool, server)                                                               \
	"\"" tool "\": {\"sql\": {\"engine\": \"postgresql\", \"server\": \"" server "\"," \
	" \"allow\": [{\"select\": [\"t\"]}]}}"

static const char servers_manifest[] =
	"{\"agentpol\": 1, \"name\": \"t\", \"network\": {\"resolvers\": [\"10.0.0.53\"],"
	" \"egress\": [{\"to\": \"0.0.0.0/0\", \"ports\": [5432, \"1-65535\"],"
	" \"proto\": [\"tcp\", \"udp\"]}, {\"to\": \"db.example\", \"ports\": [5433]}]},"
	" \"tools\": {" SERVER("orders", "10.0.0.5:5432") ", " SERVER(
		"named", "db.example:5433") ", " SERVER("local", "127.0.0.1:6000") "}}";

static struct verdict reach(const char *tool, const char *address, uint16_t port, const char *name)
{
	struct request request = {
		.kind = REQUEST_CONNECT,
		.tool = tool,
		.connect = {.port = port, .protocol = PROTOCOL_TCP, .name = name}};

	assert_true(address_parse(address, &request.connect.address));
	return decide(servers_manifest, &request);
}

static void a_tools_server_is_reached_through_the_guard(void **state)
{
	struct verdict verdict = reach("orders", "10.0.0.5", 5432, NULL);

	(void)state;
	assert_int_equal(verdict.kind, VERDICT_ALLOW);
	assert_string_equal(verdict.rule, "/tools/orders/sql/server");
	assert_non_null(strstr(verdict.assumes, "guard"));
	verdict = reach("named", "10.0.0.7", 5433, "DB.example.");
	assert_int_equal(verdict.kind, VERDICT_ALLOW);
	assert_string_equal(verdict.rule, "/tools/named/sql/server");
	assert_int_equal(reach("local", "127.9.9.9", 6000, NULL).kind, VERDICT_ALLOW);
	assert_int_equal(reach("local", "::1", 6000, NULL).kind, VERDICT_ALLOW);
}

static void no_rule_opens_the_server_of_another_tool(void **state)
{
	static const char *const scopes[] = {NULL, "named", "local"};
	struct verdict verdict;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		verdict = reach(scopes[i], "10.0.0.5", 5432, NULL);
		assert_int_equal(verdict.kind, VERDICT_DENY);
		assert_string_equal(verdict.reason, "sql-guard");
		assert_string_equal(verdict.rule, "/tools/orders/sql/server");
		assert_non_null(strstr(verdict.message, "--tool orders"));
		assert_string_equal(verdict.hint_op, "");
	}
	assert_string_equal(reach(NULL, "10.0.0.7", 5433, "db.example").reason, "sql-guard");
	assert_string_equal(reach(NULL, "127.0.0.2", 6000, NULL).reason, "sql-guard");
}

static void a_range_leaves_out_a_servers_port(void **state)
{
	(void)state;
	assert_int_equal(reach(NULL, "10.0.0.6", 5432, NULL).kind, VERDICT_ALLOW);
	assert_string_equal(reach(NULL, "10.0.0.6", 5433, NULL).reason, "egress");
	assert_string_equal(reach(NULL, "10.0.0.6", 6000, NULL).reason, "egress");
	assert_int_equal(reach(NULL, "10.0.0.6", 6001, NULL).kind, VERDICT_ALLOW);
}

static void a_servers_name_may_be_asked_in_its_own_scope(void **state)
{
	static const char text[] = "{\"agentpol\": 1, \"name\": \"t\", \"tools\": {" SERVER(
		"named", "db.example:5433") ", " SERVER("other", "10.0.0.5:5432") "}}";
	struct request request = {
		.kind = REQUEST_DNS, .tool = "named", .dns = {.name = "db.example"}};
	struct verdict verdict = decide(text, &request);

	(void)state;
	assert_int_equal(verdict.kind, VERDICT_ALLOW);
	assert_string_equal(verdict.rule, "/tools/named/sql/server");
	request.tool = "other";
	assert_int_equal(decide(text, &request).kind, VERDICT_DENY);
	request.tool = NULL;
	assert_int_equal(decide(text, &request).kind, VERDICT_DENY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_granted_address_is_open),
		cmocka_unit_test(a_tools_server_is_reached_through_the_guard),
		cmocka_unit_test(no_rule_opens_the_server_of_another_tool),
		cmocka_unit_test(a_range_leaves_out_a_servers_port),
		cmocka_unit_test(a_servers_name_may_be_asked_in_its_own_scope),
		cmocka_unit_test(a_denied_address_has_its_edit),
		cmocka_unit_test(a_name_opens_the_address_it_was_learnt_for),
		cmocka_unit_test(a_name_opens_no_internal_address),
		cmocka_unit_test(any_opens_no_metadata_service),
		cmocka_unit_test(the_any_address_is_the_machine_itself),
		cmocka_unit_test(icmp_has_no_port),
		cmocka_unit_test(every_port_leaves_out_dns),
		cmocka_unit_test(an_unknown_tool_is_denied),
		cmocka_unit_test(a_tools_hint_goes_to_the_tool),
		cmocka_unit_test(names_are_asked_of_granted_resolvers),
		cmocka_unit_test(system_resolvers_are_assumed),
		cmocka_unit_test(listening_is_granted_where_it_is_named),
		cmocka_unit_test(only_granted_families_open),
		cmocka_unit_test(a_unix_socket_is_granted_by_its_plain_path),
		cmocka_unit_test(runtime_sockets_are_denied_where_none_is_listed),
		cmocka_unit_test(a_tool_adds_unix_sockets),
		cmocka_unit_test(the_enforcers_own_socket_is_never_open),
		cmocka_unit_test(a_directory_grants_what_is_below_it),
		cmocka_unit_test(a_denied_path_wins_over_a_grant),
		cmocka_unit_test(the_enforcers_own_files_are_never_open),
		cmocka_unit_test(only_patterns_that_match_are_executed),
		cmocka_unit_test(escapes_are_denied_unless_excepted),
		cmocka_unit_test(audit_mode_says_what_it_would_deny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
