// SPDX-License-Identifier: Apache-2.0
/* `agentpol compile`: what a manifest becomes in the kernel, for people and for reviews. */
#include <getopt.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/emit.h"
#include "base/json_write.h"
#include "compile/image.h"
#include "compile/seccomp.h"
#include "manifest/manifest.h"
#include "policy/servers.h"

static const char help[] = "Usage: agentpol compile MANIFEST [OPTION...]\n"
			   "Shows what a manifest becomes, without loading it.\n\n"
			   "      --emit=WHAT      maps (default), seccomp, landlock or oci\n"
			   "      --tool=NAME      the tool's grants joined with the agent's own\n"
			   "      --format=FORMAT  text (default) or json\n"
			   "      --all            every row of a large table, in text too\n"
			   "  -h, --help           this text\n";

/* Rows of a table that a person looks at. */
#define TEXT_ROWS_MAX 100

static const char *const table_names[] = {
	[TABLE_EGRESS] = "egress",
	[TABLE_LISTEN] = "listen",
	[TABLE_RESOLVERS] = "resolver",
};

static const struct {
	const char *name;
	__u32 flag;
} policy_flags[] = {
	{"audit-mode", POLICY_AUDIT_MODE},
	{"log-connect", POLICY_LOG_CONNECT},
	{"raw-sockets", POLICY_RAW_SOCKETS},
	{"datagrams", POLICY_DATAGRAMS},
	{"names", POLICY_NAMES},
	{"log-dns", POLICY_LOG_DNS},
	{"traffic", POLICY_TRAFFIC},
	{"unix", POLICY_UNIX},
	{"sendto", POLICY_SENDTO},
	{"servers", POLICY_SERVERS},
	{"exec", POLICY_EXEC},
	{"files", POLICY_FILES},
	{"kill", POLICY_KILL},
	{"log-exec", POLICY_LOG_EXEC},
	{"log-file", POLICY_LOG_FILE},
};

/* ---- maps ---- */

static void format_ports(const struct image *image, __u32 number, char *text, size_t room)
{
	if (number == PORT_SET_NONE)
		(void)snprintf(text, room, "-");
	else if (number == PORT_SET_ALL)
		(void)snprintf(text, room, "*");
	else
		port_set_format(image->port_sets[number - 1], text, room);
}

/* What each name opens; a port that is in SNI, too, needs a TLS server name that is granted. */
static void print_names_text(const struct image *image, size_t rows_max)
{
	const size_t count = image->names.name_count, rows = count < rows_max ? count : rows_max;

	if (count == 0)
		return;
	printf("%-43s  %-5s  %-28s  %-28s  %s\n", "NAME", "ICMP", "TCP", "UDP", "SNI");
	for (size_t i = 0; i < rows; i++) {
		const struct image_name *name = &image->names.names[i];
		const struct image_grant *grant = &image->names.grants[name->grant - 1];
		char text[NAME_TEXT_BYTES + 2], tcp[29], udp[29], sni[29];

		(void)snprintf(text, sizeof(text), "%s%s", name->wildcard ? "*." : "", name->name);
		format_ports(image, grant->ports.tcp_ports, tcp, sizeof(tcp));
		format_ports(image, grant->ports.udp_ports, udp, sizeof(udp));
		format_ports(image, grant->sni_ports, sni, sizeof(sni));
		printf("%-43s  %-5s  %-28s  %-28s  %s%s\n", text,
		       grant->ports.flags & GRANT_ICMP ? "yes" : "-", tcp, udp, sni,
		       grant->ports.budgets ? "  (and rules with budgets)" : "");
	}
	if (rows < count)
		printf("... %zu more (--all shows them)\n", count - rows);
}

static void print_maps_text(const struct image *image, bool all)
{
	const size_t rows =
		all || image->address_count <= TEXT_ROWS_MAX ? image->address_count : TEXT_ROWS_MAX;
	size_t i;

	printf("%zu prefixes, %zu port sets", image->address_count, image->port_set_count);
	for (i = 0; i < ARRAY_SIZE(policy_flags); i++)
		if (image->flags & policy_flags[i].flag)
			printf(", %s", policy_flags[i].name);
	printf("\n%-6s  %-43s  %-5s  %-28s  %s\n", "TABLE", "PREFIX", "ICMP", "TCP", "UDP");
	for (i = 0; i < rows; i++) {
		const struct image_address *item = &image->addresses[i];
		char prefix[ADDRESS_TEXT_MAX], tcp[29], udp[29];

		prefix_format(&item->prefix, prefix);
		format_ports(image, item->grant.tcp_ports, tcp, sizeof(tcp));
		format_ports(image, item->grant.udp_ports, udp, sizeof(udp));
		printf("%-6s  %-43s  %-5s  %-28s  %s\n", table_names[item->table], prefix,
		       item->grant.flags & GRANT_ICMP ? "yes" : "-", tcp, udp);
	}
	if (rows < image->address_count)
		printf("... %zu more (--all shows them)\n", image->address_count - rows);
	print_names_text(image, all ? SIZE_MAX : TEXT_ROWS_MAX);
}

static void write_port_set(struct json_writer *writer, const struct port_set *set)
{
	char range[16];
	size_t i;

	json_open_array(writer);
	for (i = 0; i < set->count; i++) {
		if (set->ranges[i].first == set->ranges[i].last) {
			json_unsigned(writer, set->ranges[i].first);
			continue;
		}
		(void)snprintf(range, sizeof(range), "%u-%u", set->ranges[i].first,
			       set->ranges[i].last);
		json_string(writer, range);
	}
	json_close_array(writer);
}

/* A number of "portSets", from 1; null is no port, "*" all. */
static void write_set_number(struct json_writer *writer, const char *key, __u32 number)
{
	json_key(writer, key);
	if (number == PORT_SET_NONE)
		json_null(writer);
	else if (number == PORT_SET_ALL)
		json_string(writer, "*");
	else
		json_unsigned(writer, number);
}

/* A number of "budgetLists", from 1; left out where there is none. */
static void write_budget_list(struct json_writer *writer, __u32 list)
{
	if (list)
		json_key_unsigned(writer, "budgetList", list);
}

static void write_names(struct json_writer *writer, const struct image *image)
{
	json_key(writer, "names");
	json_open_array(writer);
	for (size_t i = 0; i < image->names.name_count; i++) {
		const struct image_name *name = &image->names.names[i];
		const struct image_grant *grant = &image->names.grants[name->grant - 1];

		json_open_object(writer);
		json_key_string(writer, "name", name->name);
		json_key_boolean(writer, "wildcard", name->wildcard);
		write_set_number(writer, "tcp", grant->ports.tcp_ports);
		write_set_number(writer, "udp", grant->ports.udp_ports);
		write_set_number(writer, "sni", grant->sni_ports);
		json_key_boolean(writer, "icmp", (grant->ports.flags & GRANT_ICMP) != 0);
		write_budget_list(writer, grant->ports.budgets);
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* Each list has the rules, by their place in "egress", of which one with enough left is charged. */
static void write_budgets(struct json_writer *writer, const struct image *image)
{
	json_key(writer, "budgetLists");
	json_open_array(writer);
	for (size_t i = 0; i < image->budget_list_count; i++) {
		const struct budget_list *list = &image->budget_lists[i];

		json_open_array(writer);
		for (uint32_t n = 0; n < list->count; n++) {
			const uint32_t rule = image->budgets[list->items[n].budget - 1].rule;

			json_open_object(writer);
			json_key_unsigned(writer, "rule", rule & ~BUDGET_OF_TOOL);
			json_key_boolean(writer, "tool", (rule & BUDGET_OF_TOOL) != 0);
			write_set_number(writer, "tcp", list->items[n].tcp_ports);
			write_set_number(writer, "udp", list->items[n].udp_ports);
			json_close_object(writer);
		}
		json_close_array(writer);
	}
	json_close_array(writer);
}

/* Into an object that is open. */
static void write_maps(struct json_writer *writer, const struct image *image)
{
	size_t i;

	json_key(writer, "flags");
	json_open_array(writer);
	for (i = 0; i < ARRAY_SIZE(policy_flags); i++)
		if (image->flags & policy_flags[i].flag)
			json_string(writer, policy_flags[i].name);
	json_close_array(writer);
	json_key(writer, "portSets");
	json_open_array(writer);
	for (i = 0; i < image->port_set_count; i++)
		write_port_set(writer, image->port_sets[i]);
	json_close_array(writer);
	json_key(writer, "addresses");
	json_open_array(writer);
	for (i = 0; i < image->address_count; i++) {
		const struct image_address *item = &image->addresses[i];
		char prefix[ADDRESS_TEXT_MAX];

		prefix_format(&item->prefix, prefix);
		json_open_object(writer);
		json_key_string(writer, "table", table_names[item->table]);
		json_key_string(writer, "prefix", prefix);
		write_set_number(writer, "tcp", item->grant.tcp_ports);
		write_set_number(writer, "udp", item->grant.udp_ports);
		json_key_boolean(writer, "icmp", (item->grant.flags & GRANT_ICMP) != 0);
		write_budget_list(writer, item->grant.budgets);
		json_close_object(writer);
	}
	json_close_array(writer);
	write_names(writer, image);
	write_budgets(writer, image);
}

/* ---- servers of tools ---- */

static const char *server_text(const struct sql_policy *sql, char *text, size_t room)
{
	const bool brackets = sql->server_host && strchr(sql->server_host, ':');

	if (sql->server_path)
		return sql->server_path;
	(void)snprintf(text, room, "%s%s%s:%u", brackets ? "[" : "", sql->server_host,
		       brackets ? "]" : "", sql->server_port);
	return text;
}

/* Several tools may have one server. */
static bool is_guarded(const struct sql_policy *sql, const struct tool *own)
{
	char text[HOST_NAME_MAX_BYTES + 16], other[HOST_NAME_MAX_BYTES + 16];

	return own && own->sql &&
	       strcmp(server_text(sql, text, sizeof(text)),
		      server_text(own->sql, other, sizeof(other))) == 0;
}

static void print_servers_text(const struct policy *policy, const struct tool *tool)
{
	char text[HOST_NAME_MAX_BYTES + 16];

	if (servers_any(policy))
		printf("%-43s  %-10s  %s\n", "SERVER", "GOES TO", "TOOL");
	for (size_t i = 0; i < policy->tool_count; i++)
		if (policy->tools[i].sql)
			printf("%-43s  %-10s  %s\n",
			       server_text(policy->tools[i].sql, text, sizeof(text)),
			       is_guarded(policy->tools[i].sql, tool) ? "the guard" : "-",
			       policy->tools[i].name);
}

static void write_servers(struct json_writer *writer, const struct policy *policy,
			  const struct tool *tool)
{
	char text[HOST_NAME_MAX_BYTES + 16];

	json_key(writer, "servers");
	json_open_array(writer);
	for (size_t i = 0; i < policy->tool_count; i++) {
		if (!policy->tools[i].sql)
			continue;
		json_open_object(writer);
		json_key_string(writer, "server",
				server_text(policy->tools[i].sql, text, sizeof(text)));
		json_key_string(writer, "tool", policy->tools[i].name);
		json_key_boolean(writer, "guarded", is_guarded(policy->tools[i].sql, tool));
		json_close_object(writer);
	}
	json_close_array(writer);
}

int emit_json(const struct json_writer *writer, struct error *error)
{
	if (!json_writer_text(writer))
		return error_set(error, STATUS_SYSTEM, "out of memory");
	fputs(json_writer_text(writer), stdout);
	return 0;
}

static int emit_maps(const struct policy *policy, const struct tool *tool,
		     const struct compile_options *options, struct error *error)
{
	_cleanup_image_ struct image *image = image_new(policy, tool, NULL, error);
	_cleanup_json_writer_ struct json_writer writer = {0};

	if (!image)
		return -1;
	if (!options->json) {
		print_maps_text(image, options->all);
		print_servers_text(policy, tool);
		return 0;
	}
	json_open_object(&writer);
	write_maps(&writer, image);
	write_servers(&writer, policy, tool);
	json_close_object(&writer);
	json_newline(&writer);
	return emit_json(&writer, error);
}

/* ---- seccomp ---- */

/* {"instructions": [[code, jt, jf, k], ...]}, as in struct sock_filter. */
static void write_filter(struct json_writer *writer, const struct sock_fprog *program)
{
	size_t i;

	json_open_object(writer);
	json_key(writer, "instructions");
	json_open_array(writer);
	for (i = 0; i < program->len; i++) {
		json_open_array(writer);
		json_unsigned(writer, program->filter[i].code);
		json_unsigned(writer, program->filter[i].jt);
		json_unsigned(writer, program->filter[i].jf);
		json_unsigned(writer, program->filter[i].k);
		json_close_array(writer);
	}
	json_close_array(writer);
	json_close_object(writer);
	json_newline(writer);
}

static int emit_seccomp(const struct policy *policy, const struct tool *tool,
			const struct compile_options *options, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	struct sock_fprog program = {0};

	if (!options->json) {
		(void)fflush(stdout);
		return seccomp_print(policy, tool, STDOUT_FILENO, error);
	}
	if (seccomp_compile(policy, tool, &program, error) < 0)
		return -1;
	write_filter(&writer, &program);
	free(program.filter);
	return emit_json(&writer, error);
}

/* ---- the command line ---- */

static const struct {
	const char *name;
	emit_part emit;
} parts[] = {
	{"maps", emit_maps},
	{"seccomp", emit_seccomp},
	{"landlock", emit_landlock},
	{"oci", emit_oci},
};

static emit_part find_part(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i].name, name) == 0)
			return parts[i].emit;
	return NULL;
}

static int compile_manifest(const char *path, emit_part emit, const struct compile_options *options)
{
	_cleanup_policy_ struct policy *policy = NULL;
	const struct tool *tool = NULL;
	struct error error;

	policy = manifest_read_file(path, NULL, &error);
	if (!policy)
		return command_fail("compile", &error);
	if (options->tool) {
		tool = policy_find_tool(policy, options->tool);
		if (!tool) {
			(void)error_set(&error, STATUS_UNUSABLE, "%s: no tool '%s'", path,
					options->tool);
			return command_fail("compile", &error);
		}
	}
	if (emit(policy, tool, options, &error) < 0)
		return command_fail("compile", &error);
	return STATUS_DONE;
}

int cmd_compile(int argc, char **argv)
{
	enum { OPTION_EMIT = 256, OPTION_TOOL, OPTION_FORMAT, OPTION_ALL };
	static const struct option options[] = {
		{"emit", required_argument, NULL, OPTION_EMIT},
		{"tool", required_argument, NULL, OPTION_TOOL},
		{"format", required_argument, NULL, OPTION_FORMAT},
		{"all", no_argument, NULL, OPTION_ALL},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct compile_options chosen = {.emit = "maps"};
	const char *format = "text";
	emit_part emit;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_EMIT:
			chosen.emit = optarg;
			break;
		case OPTION_TOOL:
			chosen.tool = optarg;
			break;
		case OPTION_FORMAT:
			format = optarg;
			break;
		case OPTION_ALL:
			chosen.all = true;
			break;
		case 'h':
			fputs(help, stdout);
			return STATUS_DONE;
		default:
			return command_usage("compile", "unknown option");
		}
	}
	if (argc - optind != 1)
		return command_usage("compile", "one MANIFEST is needed");
	emit = find_part(chosen.emit);
	if (!emit)
		return command_usage("compile",
				     "--emit takes maps, seccomp, landlock or oci, not '%s'",
				     chosen.emit);
	chosen.json = strcmp(format, "json") == 0;
	if (!chosen.json && strcmp(format, "text") != 0)
		return command_usage("compile", "--format takes text or json, not '%s'", format);
	return compile_manifest(argv[optind], emit, &chosen);
}
